/** A plain binary heap. The order must be total: then what comes out never depends on history. */
export class Heap<T> {
  readonly #entries: Array<T> = []
  readonly #before: (a: T, b: T) => boolean

  constructor(before: (a: T, b: T) => boolean) {
    this.#before = before
  }

  get size(): number {
    return this.#entries.length
  }

  peek(): T | undefined {
    return this.#entries[0]
  }

  push(entry: T): void {
    const entries = this.#entries
    let at = entries.length
    entries.push(entry)
    while (at > 0) {
      const up = (at - 1) >> 1
      const parent = entries[up]!
      if (!this.#before(entry, parent)) break
      entries[at] = parent
      at = up
    }
    entries[at] = entry
  }

  pop(): T | undefined {
    const entries = this.#entries
    const first = entries[0]
    const last = entries.pop()
    if (first === undefined || last === undefined || entries.length === 0) return first
    let at = 0
    for (;;) {
      let down = 2 * at + 1
      if (down >= entries.length) break
      if (down + 1 < entries.length && this.#before(entries[down + 1]!, entries[down]!)) down++
      const child = entries[down]!
      if (!this.#before(child, last)) break
      entries[at] = child
      at = down
    }
    entries[at] = last
    return first
  }
}
