import { Heap } from "./Heap.ts"

/**
 * What is due when. Most of it is written down in the order in which it comes due, because one span applies to all: that stands
 * in a ring. What comes out of order goes to a heap beside it.
 */
export class Timetable<T> {
  #times = new Float64Array(16)
  #things: Array<T | undefined> = new Array<T | undefined>(16).fill(undefined)
  #head = 0
  #size = 0
  /** Of the last in the ring. */
  #lastMs = Number.NEGATIVE_INFINITY
  readonly #late = new Heap<{ readonly atMs: number; readonly thing: T }>((a, b) => a.atMs < b.atMs)
  /** The earliest instant; infinity when nothing is due ever. */
  nextAtMs = Number.POSITIVE_INFINITY

  add(atMs: number, thing: T): void {
    if (atMs < this.nextAtMs) this.nextAtMs = atMs
    if (this.#size > 0 && atMs < this.#lastMs) {
      this.#late.push({ atMs, thing })
      return
    }
    if (this.#size === this.#things.length) this.#grow()
    const at = (this.#head + this.#size) & (this.#things.length - 1)
    this.#times[at] = atMs
    this.#things[at] = thing
    this.#size++
    this.#lastMs = atMs
  }

  /** One of those due first. What is due at the same instant comes in no particular order. */
  peek(): T | undefined {
    return this.#isRingFirst() ? this.#things[this.#head] : this.#late.peek()?.thing
  }

  take(): T | undefined {
    let thing: T | undefined
    if (this.#isRingFirst()) {
      thing = this.#things[this.#head]
      this.#things[this.#head] = undefined
      this.#head = (this.#head + 1) & (this.#things.length - 1)
      this.#size--
    } else thing = this.#late.pop()?.thing
    const ringMs = this.#size > 0 ? this.#times[this.#head]! : Number.POSITIVE_INFINITY
    this.nextAtMs = Math.min(ringMs, this.#late.peek()?.atMs ?? Number.POSITIVE_INFINITY)
    return thing
  }

  #isRingFirst(): boolean {
    return this.#size > 0 && this.#times[this.#head]! <= (this.#late.peek()?.atMs ?? Number.POSITIVE_INFINITY)
  }

  #grow(): void {
    const { length } = this.#things
    const times = new Float64Array(length * 2)
    const things: Array<T | undefined> = new Array<T | undefined>(length * 2).fill(undefined)
    for (let index = 0; index < length; index++) {
      const from = (this.#head + index) & (length - 1)
      times[index] = this.#times[from]!
      things[index] = this.#things[from]
    }
    this.#times = times
    this.#things = things
    this.#head = 0
  }
}
