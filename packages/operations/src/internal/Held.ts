/** What is held in memory while the journal is read: what was used lately. */

/**
 * A map of at least `capacity` entries, at most twice as many, where there are so many. What leaves it is handed over.
 *
 * Two generations: a hit costs one look-up or two, and the older one leaves as a whole.
 */
export class Held<A> {
  readonly #capacity: number
  readonly #onLeave: (key: string, value: A) => void
  #young = new Map<string, A>()
  #old = new Map<string, A>()

  constructor(capacity: number, onLeave: (key: string, value: A) => void) {
    this.#capacity = capacity
    this.#onLeave = onLeave
  }

  get(key: string): A | undefined {
    return this.#young.get(key) ?? this.#old.get(key)
  }

  /** Takes an entry out, without handing it over. */
  take(key: string): A | undefined {
    const value = this.get(key)
    if (!this.#young.delete(key)) this.#old.delete(key)
    return value
  }

  set(key: string, value: A): void {
    if (!this.#young.has(key)) {
      this.#old.delete(key)
      if (this.#young.size >= this.#capacity) this.#age()
    }
    this.#young.set(key, value)
  }

  *entries(): Generator<readonly [key: string, value: A]> {
    yield* this.#old
    yield* this.#young
  }

  /** Hands everything over. */
  clear(): void {
    if (this.#young.size + this.#old.size === 0) return
    this.#age()
    this.#age()
  }

  #age(): void {
    for (const [key, value] of this.#old) this.#onLeave(key, value)
    this.#old = this.#young
    this.#young = new Map()
  }
}
