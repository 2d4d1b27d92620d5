/** The bounded memory behind every cache of storage, also for drivers. */
import { entryOf } from "./internal/MapEntry.ts"

interface Generations<A> {
  young: Map<string, A>
  old: Map<string, A>
}

/**
 * A map that remembers what was used lately: at least `capacity` entries, at most twice as many, in all its groups.
 *
 * Two generations instead of a linked list: a hit costs one look-up, and forgetting is dropping the older one. Groups,
 * such as workspaces, because to join group and key into one text costs more than to look up both.
 *
 * **Gotchas** a value can't be `undefined`: that is how an absent one reads.
 *
 * **Example**
 * ```ts
 * import { strict as assert } from "node:assert"
 * import { RecentMap } from "@switchboard/storage/RecentMap"
 *
 * const map = new RecentMap<number>(2)
 * for (const [key, value] of Object.entries({ a: 1, b: 2, c: 3, d: 4, e: 5 })) map.set("letters", key, value)
 * assert.deepEqual([map.get("letters", "a"), map.get("letters", "e")], [undefined, 5])
 * assert.equal(map.get("digits", "e"), undefined)
 * ```
 */
export class RecentMap<A> {
  readonly #capacity: number
  readonly #groups = new Map<string | number, Generations<A>>()
  /** Entries in all young generations. */
  #young = 0
  /** A capacity of 0 remembers nothing. */
  constructor(capacity: number) {
    this.#capacity = capacity
  }
  get(group: string | number, key: string): A | undefined {
    const found = this.#groups.get(group)
    if (found === undefined) return undefined
    const young = found.young.get(key)
    if (young !== undefined) return young
    const old = found.old.get(key)
    if (old !== undefined) this.set(group, key, old)
    return old
  }
  set(group: string | number, key: string, value: A): void {
    if (this.#capacity === 0) return
    const found = this.#groups.get(group)
    if (found?.young.has(key)) {
      found.young.set(key, value)
      return
    }
    if (this.#young >= this.#capacity) this.#age()
    this.#young++
    entryOf(this.#groups, group, () => ({ young: new Map(), old: new Map() })).young.set(key, value)
  }
  /** Sets what is remembered; what nobody has asked for is not worth the memory. */
  replace(group: string | number, key: string, value: A): void {
    const found = this.#groups.get(group)
    if (found !== undefined && (found.young.has(key) || found.old.has(key))) this.set(group, key, value)
  }
  delete(group: string | number, key: string): void {
    const found = this.#groups.get(group)
    if (found?.young.delete(key)) this.#young--
    found?.old.delete(key)
  }
  clear(): void {
    this.#groups.clear()
    this.#young = 0
  }
  #age(): void {
    this.#young = 0
    for (const [group, generations] of this.#groups) {
      if (generations.young.size === 0) this.#groups.delete(group)
      generations.old = generations.young
      generations.young = new Map()
    }
  }
}
