import { Heap } from "./Heap.ts"

/** What stands in a heap knows its place there, so that it can be taken out of the middle; -1 outside. */
export interface Slotted {
  slot: number
}

/**
 * A heap of entries by a row of numbers each, smaller first; what is equal in all of them goes by `tie`, which must be total.
 *
 * Rows lie in one typed array, so comparing touches no entry; four children per node make it half as deep as two.
 */
export class KeyedHeap<T extends Slotted> {
  readonly width: number
  readonly entries: Array<T> = []
  #capacity = 4
  #keys: Float64Array
  readonly #tie: (a: T, b: T) => boolean

  constructor(width: number, tie: (a: T, b: T) => boolean) {
    this.width = width
    this.#keys = new Float64Array((this.#capacity + 1) * width)
    this.#tie = tie
  }

  get size(): number {
    return this.entries.length
  }

  /** The number in this column of the row of an entry that stands here. */
  keyAt(slot: number, column: number): number {
    return this.#keys[slot * this.width + column]!
  }

  push(entry: T, row: Float64Array): void {
    const { width, entries } = this
    if (entries.length === this.#capacity) this.#grow()
    const start = this.#capacity * width
    for (let column = 0; column < width; column++) this.#keys[start + column] = row[column]!
    entries.push(entry)
    this.#rise(entries.length - 1, entry)
  }

  remove(entry: T): void {
    const { entries } = this
    const at = entry.slot
    const last = entries.pop()!
    entry.slot = -1
    if (last === entry) return
    this.#copy(entries.length, this.#capacity)
    if (at > 0 && this.#isMovingBefore(last, (at - 1) >> 2)) this.#rise(at, last)
    else this.#sink(at, last)
  }

  /** The first in order that passes, without taking anything out. */
  first(passes: (entry: T) => boolean): T | undefined {
    const head = this.entries[0]
    if (head === undefined || passes(head)) return head
    const open = new Heap<number>((a, b) => this.before(a, b))
    const visit = (parent: number): void => {
      const end = Math.min(4 * parent + 5, this.entries.length)
      for (let child = 4 * parent + 1; child < end; child++) open.push(child)
    }
    visit(0)
    for (let slot = open.pop(); slot !== undefined; slot = open.pop()) {
      const entry = this.entries[slot]!
      if (passes(entry)) return entry
      visit(slot)
    }
    return undefined
  }

  /** Whether what stands in one slot comes before what stands in another. */
  before(a: number, b: number): boolean {
    const keys = this.#keys
    const { width } = this
    for (let column = 0; column < width; column++) {
      const left = keys[a * width + column]!
      const right = keys[b * width + column]!
      if (left !== right) return left < right
    }
    return this.#tie(this.entries[a]!, this.entries[b]!)
  }

  // What moves has its row behind the last that fits, and a hole wanders to where it belongs.

  #copy(from: number, to: number): void {
    const { width } = this
    const keys = this.#keys
    for (let column = 0; column < width; column++) keys[to * width + column] = keys[from * width + column]!
  }

  #put(entry: T, from: number, to: number): void {
    this.#copy(from, to)
    this.entries[to] = entry
    entry.slot = to
  }

  #isMovingBefore(moving: T, slot: number): boolean {
    const { width } = this
    const keys = this.#keys
    const row = this.#capacity * width
    for (let column = 0; column < width; column++) {
      const left = keys[row + column]!
      const right = keys[slot * width + column]!
      if (left !== right) return left < right
    }
    return this.#tie(moving, this.entries[slot]!)
  }

  #rise(from: number, moving: T): void {
    let at = from
    while (at > 0) {
      const up = (at - 1) >> 2
      if (!this.#isMovingBefore(moving, up)) break
      this.#put(this.entries[up]!, up, at)
      at = up
    }
    this.#put(moving, this.#capacity, at)
  }

  #sink(from: number, moving: T): void {
    const { length } = this.entries
    let at = from
    for (;;) {
      const firstChild = 4 * at + 1
      if (firstChild >= length) break
      const end = Math.min(firstChild + 4, length)
      let least = firstChild
      for (let child = firstChild + 1; child < end; child++) if (this.before(child, least)) least = child
      if (this.#isMovingBefore(moving, least)) break
      this.#put(this.entries[least]!, least, at)
      at = least
    }
    this.#put(moving, this.#capacity, at)
  }

  #grow(): void {
    // By half: a line of a million items wastes less than by doubling.
    this.#capacity = Math.ceil(this.#capacity * 1.5)
    const grown = new Float64Array((this.#capacity + 1) * this.width)
    grown.set(this.#keys)
    this.#keys = grown
  }
}

/** The entries of several heaps in one order, lazily: the first k cost O(heaps + k log). Each heap's own order must agree. */
export function* inOrder<T extends Slotted>(
  heaps: Iterable<KeyedHeap<T>>,
  before: (a: T, b: T) => boolean
): Generator<T, void, undefined> {
  const open = new Heap<{ readonly heap: KeyedHeap<T>; readonly entry: T }>((a, b) => before(a.entry, b.entry))
  const visit = (heap: KeyedHeap<T>, from: number, to: number): void => {
    for (let slot = from; slot < Math.min(to, heap.size); slot++) open.push({ heap, entry: heap.entries[slot]! })
  }
  for (const heap of heaps) visit(heap, 0, 1)
  for (let next = open.pop(); next !== undefined; next = open.pop()) {
    yield next.entry
    visit(next.heap, 4 * next.entry.slot + 1, 4 * next.entry.slot + 5)
  }
}
