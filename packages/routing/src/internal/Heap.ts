/** What stands in a heap knows its place there, so that it can be taken out of the middle; -1 outside. */
export interface Slotted {
  slot: number
}

interface Visit<T extends Slotted> extends Slotted {
  readonly heap: Heap<T>
  readonly at: number
}

/** A binary heap with removal from the middle. The order must be total: then what comes out never depends on history. */
export class Heap<T extends Slotted> {
  readonly entries: Array<T> = []
  readonly #before: (a: T, b: T) => boolean

  constructor(before: (a: T, b: T) => boolean) {
    this.#before = before
  }

  get size(): number {
    return this.entries.length
  }

  peek(): T | undefined {
    return this.entries[0]
  }

  push(entry: T): void {
    this.entries.push(entry)
    this.#rise(entry, this.entries.length - 1)
  }

  pop(): T | undefined {
    const first = this.entries[0]
    if (first !== undefined) this.remove(first)
    return first
  }

  remove(entry: T): void {
    const { entries } = this
    const at = entry.slot
    const last = entries.pop()!
    entry.slot = -1
    if (last === entry) return
    const parent = entries[(at - 1) >> 1]
    if (at > 0 && this.#before(last, parent!)) this.#rise(last, at)
    else this.#sink(last, at)
  }

  /** The first in order that passes, without taking anything out. */
  first(passes: (entry: T) => boolean): T | undefined {
    const head = this.entries[0]
    if (head === undefined || passes(head)) return head
    for (const entry of inOrder([this], this.#before)) if (passes(entry)) return entry
    return undefined
  }

  #rise(entry: T, from: number): void {
    const { entries } = this
    let at = from
    while (at > 0) {
      const up = (at - 1) >> 1
      const parent = entries[up]!
      if (!this.#before(entry, parent)) break
      entries[at] = parent
      parent.slot = at
      at = up
    }
    entries[at] = entry
    entry.slot = at
  }

  #sink(entry: T, from: number): void {
    const { entries } = this
    const { length } = entries
    let at = from
    for (;;) {
      let down = 2 * at + 1
      if (down >= length) break
      if (down + 1 < length && this.#before(entries[down + 1]!, entries[down]!)) down++
      const child = entries[down]!
      if (!this.#before(child, entry)) break
      entries[at] = child
      child.slot = at
      at = down
    }
    entries[at] = entry
    entry.slot = at
  }
}

/** The entries of several heaps in one order, lazily: the first k cost O(heaps + k log). */
export function* inOrder<T extends Slotted>(
  heaps: Iterable<Heap<T>>,
  before: (a: T, b: T) => boolean
): Generator<T, void, undefined> {
  const open = new Heap<Visit<T>>((a, b) => before(a.heap.entries[a.at]!, b.heap.entries[b.at]!))
  const visit = (heap: Heap<T>, at: number): void => {
    if (at < heap.size) open.push({ heap, at, slot: -1 })
  }
  for (const heap of heaps) visit(heap, 0)
  for (let next = open.pop(); next !== undefined; next = open.pop()) {
    yield next.heap.entries[next.at]!
    visit(next.heap, 2 * next.at + 1)
    visit(next.heap, 2 * next.at + 2)
  }
}
