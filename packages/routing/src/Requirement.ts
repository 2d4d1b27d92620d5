/**
 * What an item asks of the agent who may take it, as plain data.
 *
 * **Example**
 *
 * ```ts
 * import { strict as assert } from "node:assert"
 * import { Requirement } from "@switchboard/routing"
 *
 * const requirement = Requirement.all(
 *   Requirement.skill("billing", 3),
 *   Requirement.any(Requirement.language("ca"), Requirement.language("es"))
 * )
 * const ada = { agentId: "ada", skills: { billing: 4 }, teams: [], languages: ["es-MX"] }
 * assert.equal(Requirement.isMet(requirement, ada), true)
 * assert.deepEqual(Requirement.unmet(requirement, { ...ada, skills: {} }), [
 *   { kind: "skill", skill: "billing", atLeast: 3 }
 * ])
 *
 * // An attribute of the agent beside a constant, and beside an attribute of the item.
 * const near = Requirement.all(
 *   Requirement.attribute("years").atLeast(2),
 *   Requirement.attribute("region").equals(Requirement.ofItem("region"))
 * )
 * const forThisItem = Requirement.resolve(near, { region: "eu" })
 * assert.equal(Requirement.isMet(forThisItem, { ...ada, attributes: { years: 3, region: "eu" } }), true)
 * assert.equal(Requirement.isMet(forThisItem, { ...ada, attributes: { years: 3, region: "us" } }), false)
 * ```
 *
 * @module
 */
import * as z from "zod"
import { type Attribute, type Attributes, get } from "./Attributes.ts"
import type { InputError } from "./InputError.ts"
import { decodeWith } from "./internal/decodeWith.ts"
import type { Result } from "./Result.ts"

/** The value of the item's attribute of this name, whatever the item is. */
export interface FromItem {
  readonly itemAttribute: string
}

/**
 * A comparison of one of the agent's attributes with a constant or with an attribute of the item.
 *
 * **Shape** `equals` and `in` (one of a list) for texts, numbers, true and false; `above`, `atLeast`, `below` and `atMost`
 * for numbers; `startsWith` for texts; `contains` for lists of texts.
 *
 * **Gotchas** texts are compared code point by code point: upper and lower case differ. A comparison with an attribute
 * that is missing, or of another type, is not met; under `not` it therefore is. There are no regular expressions: equality,
 * lists and prefixes answer what routing asks, in time that grows with the length of the text alone.
 */
export type Comparison =
  | {
      readonly kind: "attribute"
      readonly attribute: string
      readonly test: "equals"
      readonly value: string | number | boolean | FromItem
    }
  | {
      readonly kind: "attribute"
      readonly attribute: string
      readonly test: "in"
      readonly value: ReadonlyArray<string | number> | FromItem
    }
  | {
      readonly kind: "attribute"
      readonly attribute: string
      readonly test: "above" | "atLeast" | "below" | "atMost"
      readonly value: number | FromItem
    }
  | {
      readonly kind: "attribute"
      readonly attribute: string
      readonly test: "startsWith" | "contains"
      readonly value: string | FromItem
    }

/**
 * A condition on an agent.
 *
 * **Shape** `skill` asks for a level of 1 to 10, `team` for membership, `language` for a BCP 47 language range, `agents`
 * for being on a list, `attribute` for a {@link Comparison}; `all`, `any`, `not` and `atLeast` (so many of the parts, each
 * counted as often as it is listed) combine. `all` of nothing is met by everyone.
 */
export type Requirement =
  | { readonly kind: "skill"; readonly skill: string; readonly atLeast: number }
  | { readonly kind: "team"; readonly team: string }
  | { readonly kind: "language"; readonly language: string }
  | { readonly kind: "agents"; readonly agents: ReadonlyArray<string> }
  | Comparison
  | { readonly kind: "all"; readonly of: ReadonlyArray<Requirement> }
  | { readonly kind: "any"; readonly of: ReadonlyArray<Requirement> }
  | { readonly kind: "not"; readonly of: Requirement }
  | { readonly kind: "atLeast"; readonly count: number; readonly of: ReadonlyArray<Requirement> }

const name = () => z.string().min(1).max(128)
const text = z.string().max(1024)

const operand = <A>(what: string, constant: z.ZodType<A>) =>
  z.union([constant, z.strictObject({ itemAttribute: name() })], { error: `expected ${what} or { itemAttribute }` })

/** The schema of a requirement, for data that comes from outside. */
export const Requirement: z.ZodType<Requirement> = z.lazy(() =>
  z.discriminatedUnion("kind", [
    z.strictObject({ kind: z.literal("skill"), skill: name(), atLeast: z.int().min(1).max(10) }),
    z.strictObject({ kind: z.literal("team"), team: name() }),
    z.strictObject({ kind: z.literal("language"), language: name() }),
    z.strictObject({ kind: z.literal("agents"), agents: z.array(name()).min(1) }),
    z.discriminatedUnion("test", [
      z.strictObject({
        kind: z.literal("attribute"),
        attribute: name(),
        test: z.literal("equals"),
        value: operand("a text, a number, true or false,", z.union([text, z.number(), z.boolean()]))
      }),
      z.strictObject({
        kind: z.literal("attribute"),
        attribute: name(),
        test: z.literal("in"),
        value: operand(
          "a list of texts or numbers",
          z
            .array(z.union([text, z.number()]))
            .min(1)
            .max(1000)
        )
      }),
      z.strictObject({
        kind: z.literal("attribute"),
        attribute: name(),
        test: z.literal(["above", "atLeast", "below", "atMost"]),
        value: operand("a number", z.number())
      }),
      z.strictObject({
        kind: z.literal("attribute"),
        attribute: name(),
        test: z.literal(["startsWith", "contains"]),
        value: operand("a text", text)
      })
    ]),
    z.strictObject({ kind: z.literal("all"), of: z.array(Requirement) }),
    z.strictObject({ kind: z.literal("any"), of: z.array(Requirement).min(1) }),
    z.strictObject({ kind: z.literal("not"), of: Requirement }),
    z
      .strictObject({ kind: z.literal("atLeast"), count: z.int().min(1), of: z.array(Requirement).min(1) })
      .refine(({ count, of }) => count <= of.length, {
        path: ["count"],
        message: "expected at most as many as there are parts"
      })
  ])
)

/** Reads a requirement from outside. **Fails with** an `InputError` that names the field. */
export const decode: (input: unknown) => Result<Requirement, InputError> = decodeWith("A requirement", Requirement)

/** Asks for a skill at this level (1 to 10) or above. */
export const skill = (skill: string, atLeast = 1): Requirement => ({ kind: "skill", skill, atLeast })

/** Asks for membership of a team. */
export const team = (team: string): Requirement => ({ kind: "team", team })

/**
 * Asks for a language: `es` is met by an agent who speaks `es` or `es-MX`, `es-MX` only by one who lists `es-MX`.
 *
 * **Source** RFC 4647, section 3.3.1 (basic filtering).
 */
export const language = (language: string): Requirement => ({ kind: "language", language })

/** Asks for one of these agents. */
export const agents = (...agents: ReadonlyArray<string>): Requirement => ({ kind: "agents", agents })

/** The item's attribute of this name, to compare with. */
export const ofItem = (itemAttribute: string): FromItem => ({ itemAttribute })

/** The comparisons an attribute of the agent can be put to. `Vocabulary` offers those that fit its type. */
export interface Comparisons {
  readonly equals: (value: string | number | boolean | FromItem) => Requirement
  readonly in: (values: ReadonlyArray<string | number> | FromItem) => Requirement
  readonly above: (value: number | FromItem) => Requirement
  readonly atLeast: (value: number | FromItem) => Requirement
  readonly below: (value: number | FromItem) => Requirement
  readonly atMost: (value: number | FromItem) => Requirement
  readonly startsWith: (value: string | FromItem) => Requirement
  readonly contains: (value: string | FromItem) => Requirement
}

/** Asks something of the agent's attribute of this name: `attribute("region").equals("eu")`. */
export const attribute = (attribute: string): Comparisons => {
  const kind = "attribute"
  return {
    equals: (value) => ({ kind, attribute, test: "equals", value }),
    in: (value) => ({ kind, attribute, test: "in", value }),
    above: (value) => ({ kind, attribute, test: "above", value }),
    atLeast: (value) => ({ kind, attribute, test: "atLeast", value }),
    below: (value) => ({ kind, attribute, test: "below", value }),
    atMost: (value) => ({ kind, attribute, test: "atMost", value }),
    startsWith: (value) => ({ kind, attribute, test: "startsWith", value }),
    contains: (value) => ({ kind, attribute, test: "contains", value })
  }
}

/** Asks for everything listed. */
export const all = (...of: ReadonlyArray<Requirement>): Requirement => ({ kind: "all", of })

/** Asks for at least one of what is listed. **Gotchas** of nothing, nobody meets it. */
export const any = (...of: ReadonlyArray<Requirement>): Requirement => ({ kind: "any", of })

/** Asks for the opposite. */
export const not = (of: Requirement): Requirement => ({ kind: "not", of })

/** Asks for so many of what is listed. **Gotchas** of fewer than that, nobody meets it. */
export const atLeast = (count: number, ...of: ReadonlyArray<Requirement>): Requirement => ({
  kind: "atLeast",
  count,
  of
})

/** Asks for nothing: every agent will do. */
export const anyone: Requirement = all()

/** What a requirement looks at in an agent. */
export interface Profile {
  readonly agentId: string
  readonly skills: Readonly<Record<string, number>>
  readonly teams: ReadonlyArray<string>
  readonly languages: ReadonlyArray<string>
  readonly attributes?: Attributes
}

const isFromItem = (value: Comparison["value"]): value is FromItem =>
  typeof value === "object" && "itemAttribute" in value

const suits = (test: Comparison["test"], value: Attribute): boolean => {
  switch (test) {
    case "equals":
      return typeof value !== "object"
    case "in":
      return typeof value === "object"
    case "startsWith":
    case "contains":
      return typeof value === "string"
    default:
      return typeof value === "number"
  }
}

/**
 * The requirement as it is for an item with these attributes: comparisons with the item become comparisons with constants.
 *
 * **Gotchas** a comparison with an attribute the item doesn't have, or that is of the wrong type, stays as it is, and
 * nobody meets it. What compares nothing with the item is returned itself, not a copy.
 */
export const resolve = (requirement: Requirement, attributes: Attributes | undefined): Requirement => {
  switch (requirement.kind) {
    case "attribute": {
      if (!isFromItem(requirement.value)) return requirement
      const value = get(attributes, requirement.value.itemAttribute)
      return value === undefined || !suits(requirement.test, value)
        ? requirement
        : ({ ...requirement, value } as Comparison)
    }
    case "not": {
      const of = resolve(requirement.of, attributes)
      return of === requirement.of ? requirement : { kind: "not", of }
    }
    case "all":
    case "any":
    case "atLeast": {
      const of = requirement.of.map((part) => resolve(part, attributes))
      return of.every((part, index) => part === requirement.of[index]) ? requirement : { ...requirement, of }
    }
    default:
      return requirement
  }
}

/** The names of the item's attributes that a requirement compares with. */
export const itemAttributesOf = (requirement: Requirement): ReadonlyArray<string> => {
  switch (requirement.kind) {
    case "attribute":
      return isFromItem(requirement.value) ? [requirement.value.itemAttribute] : []
    case "not":
      return itemAttributesOf(requirement.of)
    case "all":
    case "any":
    case "atLeast":
      return [...new Set(requirement.of.flatMap(itemAttributesOf))].sort()
    default:
      return []
  }
}

const holds = ({ test, value }: Comparison, found: Attribute | undefined): boolean => {
  if (found === undefined || isFromItem(value)) return false
  switch (test) {
    case "equals":
      return found === value
    case "in":
      return typeof found !== "object" && typeof found !== "boolean" && value.includes(found)
    case "startsWith":
      return typeof found === "string" && found.startsWith(value)
    case "contains":
      return typeof found === "object" && found.includes(value)
    case "above":
      return typeof found === "number" && found > value
    case "atLeast":
      return typeof found === "number" && found >= value
    case "below":
      return typeof found === "number" && found < value
    case "atMost":
      return typeof found === "number" && found <= value
  }
}

const countMet = (of: ReadonlyArray<Requirement>, profile: Profile): number =>
  of.reduce((count, part) => count + (isMet(part, profile) ? 1 : 0), 0)

const speaks = (spoken: string, range: string): boolean => {
  const tag = spoken.toLowerCase()
  const wanted = range.toLowerCase()
  return tag === wanted || tag.startsWith(`${wanted}-`)
}

/** Whether this agent may take an item with this requirement. */
export const isMet = (requirement: Requirement, profile: Profile): boolean => {
  switch (requirement.kind) {
    case "skill":
      return (
        Object.hasOwn(profile.skills, requirement.skill) && profile.skills[requirement.skill]! >= requirement.atLeast
      )
    case "team":
      return profile.teams.includes(requirement.team)
    case "language":
      return profile.languages.some((spoken) => speaks(spoken, requirement.language))
    case "agents":
      return requirement.agents.includes(profile.agentId)
    case "attribute":
      return holds(requirement, get(profile.attributes, requirement.attribute))
    case "all":
      return requirement.of.every((part) => isMet(part, profile))
    case "any":
      return requirement.of.some((part) => isMet(part, profile))
    case "not":
      return !isMet(requirement.of, profile)
    case "atLeast":
      return countMet(requirement.of, profile) >= requirement.count
  }
}

/**
 * A part of a requirement that an agent doesn't meet.
 *
 * **Shape** the part itself; for `atLeast` with `met`: how many of its parts the agent does meet, fewer than `count`.
 */
export type Unmet =
  | Exclude<Requirement, { readonly kind: "atLeast" }>
  | (Extract<Requirement, { readonly kind: "atLeast" }> & { readonly met?: number })

/** The schema of an unmet part, for stored refusals. */
export const Unmet: z.ZodType<Unmet> = z.union([
  z.strictObject({
    kind: z.literal("atLeast"),
    count: z.int(),
    of: z.array(Requirement),
    met: z.int().min(0).exactOptional()
  }),
  Requirement as z.ZodType<Exclude<Requirement, { readonly kind: "atLeast" }>>
])

/** The parts of a requirement that keep this agent out; nothing when it is met. */
export const unmet = (requirement: Requirement, profile: Profile): ReadonlyArray<Unmet> => {
  if (requirement.kind === "all") return requirement.of.flatMap((part) => unmet(part, profile))
  if (requirement.kind === "atLeast") {
    const met = countMet(requirement.of, profile)
    return met >= requirement.count ? [] : [{ ...requirement, met }]
  }
  return isMet(requirement, profile) ? [] : [requirement]
}

const byText = (parts: ReadonlyArray<Requirement>): ReadonlyArray<readonly [string, Requirement]> =>
  parts
    .map((part): readonly [string, Requirement] => [JSON.stringify(part), part])
    .sort(([a], [b]) => (a < b ? -1 : a > b ? 1 : 0))

const normaliseComparison = (comparison: Comparison): Comparison => {
  const { attribute, test, value } = comparison
  const facts = { kind: "attribute", attribute } as const
  if (isFromItem(value)) return { ...facts, test, value: { itemAttribute: value.itemAttribute } }
  if (test !== "in") return { ...facts, test, value } as Comparison
  const distinct = [...new Set(value.map((each) => JSON.stringify(each)))].sort()
  const values = distinct.map((each): string | number => JSON.parse(each))
  return values.length === 1 ? { ...facts, test: "equals", value: values[0]! } : { ...facts, test: "in", value: values }
}

const normalise = (requirement: Requirement): Requirement => {
  switch (requirement.kind) {
    case "skill":
      return { kind: "skill", skill: requirement.skill, atLeast: requirement.atLeast }
    case "team":
      return { kind: "team", team: requirement.team }
    case "language":
      return { kind: "language", language: requirement.language.toLowerCase() }
    case "agents":
      return { kind: "agents", agents: [...new Set(requirement.agents)].sort() }
    case "attribute":
      return normaliseComparison(requirement)
    case "not": {
      const of = normalise(requirement.of)
      return of.kind === "not" ? of.of : { kind: "not", of }
    }
    case "atLeast": {
      const { count, of } = requirement
      if (count <= 0) return anyone
      if (count > of.length) return any()
      if (count === 1) return normalise(any(...of))
      if (count === of.length) return normalise(all(...of))
      return { kind: "atLeast", count, of: byText(of.map(normalise)).map(([, part]) => part) }
    }
    default: {
      const parts = requirement.of.map(normalise).flatMap((part) => (part.kind === requirement.kind ? part.of : [part]))
      const of = [...new Map(byText(parts)).values()]
      return of.length === 1 ? of[0]! : { kind: requirement.kind, of }
    }
  }
}

/**
 * One text for requirements that mean the same whatever the order, nesting and repetition of their parts: items with
 * equal keys wait in the same line.
 *
 * **Gotchas** one value in a list is the same as being equal to it, one of several parts the same as any, and as many as
 * there are the same as all. It doesn't find every logical equivalence.
 */
export const toKey = (requirement: Requirement): string => JSON.stringify(normalise(requirement))
