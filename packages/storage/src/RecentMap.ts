/** The bounded memory behind every cache of storage, also for drivers. */

/**
 * A map that remembers what was used lately: at least `capacity` entries, at most twice as many.
 *
 * Two generations instead of a linked list: a hit costs one look-up, and forgetting is dropping the older one.
 *
 * **Gotchas** a value can't be `undefined`: that is how an absent one reads.
 *
 * **Example**
 * ```ts
 * import { strict as assert } from "node:assert"
 * import { RecentMap } from "@switchboard/storage/RecentMap"
 *
 * const map = new RecentMap<number>(2)
 * for (const [key, value] of Object.entries({ a: 1, b: 2, c: 3, d: 4, e: 5 })) map.set(key, value)
 * assert.deepEqual([map.get("a"), map.get("e")], [undefined, 5])
 * ```
 */
export class RecentMap<A> {
  #young = new Map<string, A>()
  #old = new Map<string, A>()
  readonly #capacity: number
  /** A capacity of 0 remembers nothing. */
  constructor(capacity: number) {
    this.#capacity = capacity
  }
  get(key: string): A | undefined {
    const young = this.#young.get(key)
    if (young !== undefined) return young
    const old = this.#old.get(key)
    if (old !== undefined) this.set(key, old)
    return old
  }
  set(key: string, value: A): void {
    if (this.#capacity === 0) return
    if (this.#young.size >= this.#capacity && !this.#young.has(key)) {
      this.#old = this.#young
      this.#young = new Map()
    }
    this.#young.set(key, value)
  }
  delete(key: string): void {
    this.#young.delete(key)
    this.#old.delete(key)
  }
  clear(): void {
    this.#young.clear()
    this.#old.clear()
  }
}
