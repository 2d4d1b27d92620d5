import { type Attributes, get } from "../Attributes.ts"
import { itemAttributesOf, type Requirement, resolve, toKey } from "../Requirement.ts"

/** A requirement with its key, and with what it becomes for items whose attributes it compares with. */
export interface Ask {
  readonly requirement: Requirement
  readonly key: string
  readonly itemAttributes: ReadonlyArray<string>
  readonly byValues: Map<string, Ask>
}

/** So many different values of item attributes are remembered per requirement before it starts anew. */
const rememberedValues = 4096

/** What is asked, with keys that are worked out once: a queue's requirement is the same object for all its items. */
export class Asks {
  readonly #known = new WeakMap<Requirement, Ask>()

  of(requirement: Requirement, attributes: Attributes | undefined): Ask {
    const ask = this.#of(requirement)
    return ask.itemAttributes.length === 0 ? ask : this.#with(ask, attributes)
  }

  /** Whether it is the same for all items, whatever their attributes. */
  isPlain(requirement: Requirement): boolean {
    return this.#of(requirement).itemAttributes.length === 0
  }

  #of(requirement: Requirement): Ask {
    const known = this.#known.get(requirement)
    if (known !== undefined) return known
    const key = toKey(requirement)
    const ask = { requirement, key, itemAttributes: itemAttributesOf(requirement), byValues: new Map() }
    this.#known.set(requirement, ask)
    return ask
  }

  #with({ requirement, itemAttributes, byValues }: Ask, attributes: Attributes | undefined): Ask {
    const values = JSON.stringify(itemAttributes.map((name) => get(attributes, name)))
    const known = byValues.get(values)
    if (known !== undefined) return known
    const resolved = resolve(requirement, attributes)
    const ask = { requirement: resolved, key: toKey(resolved), itemAttributes: [], byValues: new Map() }
    if (byValues.size >= rememberedValues) byValues.clear()
    byValues.set(values, ask)
    return ask
  }
}

/** The skills a requirement names, apart from what it excludes. */
export const skillsOf = (requirement: Requirement): ReadonlyArray<string> => {
  switch (requirement.kind) {
    case "skill":
      return [requirement.skill]
    case "all":
    case "any":
    case "atLeast":
      return [...new Set(requirement.of.flatMap(skillsOf))]
    default:
      return []
  }
}
