/** Waiting entries, the one that came first on top: entries that are put back keep their place. */
export class EntryHeap<A extends { readonly arrival: number }> {
  readonly #entries: Array<A> = []
  get size(): number {
    return this.#entries.length
  }
  push(entry: A): void {
    const entries = this.#entries
    let place = entries.length
    while (place > 0) {
      const parent = (place - 1) >> 1
      const above = entries[parent]!
      if (above.arrival <= entry.arrival) break
      entries[place] = above
      place = parent
    }
    entries[place] = entry
  }
  pop(): A | undefined {
    const entries = this.#entries
    const first = entries[0]
    const last = entries.pop()
    if (last === undefined || entries.length === 0) return first
    let place = 0
    for (;;) {
      let child = 2 * place + 1
      if (child >= entries.length) break
      if (child + 1 < entries.length && entries[child + 1]!.arrival < entries[child]!.arrival) child++
      const below = entries[child]!
      if (below.arrival >= last.arrival) break
      entries[place] = below
      place = child
    }
    entries[place] = last
    return first
  }
}
