import * as fc from "fast-check"
import { describe, expect, it } from "vitest"
import { Bits, countOf, lowest } from "../src/internal/Bits.ts"
import { Grid } from "../src/internal/Grid.ts"
import { inOrder, KeyedHeap } from "../src/internal/KeyedHeap.ts"
import { Timetable } from "../src/internal/Timetable.ts"

interface Entry {
  readonly id: number
  readonly keys: ReadonlyArray<number>
  slot: number
}

const before = (a: Entry, b: Entry): boolean => {
  const at = a.keys.findIndex((key, column) => key !== b.keys[column])
  return at < 0 ? a.id < b.id : a.keys[at]! < b.keys[at]!
}

const steps = fc.array(fc.tuple(fc.nat({ max: 3 }), fc.nat({ max: 5 }), fc.nat()), { maxLength: 200, size: "max" })

describe("a heap by keys", () => {
  it.each([0, 1, 2])("of %d columns gives what a sorted list would, whatever comes and goes", (width) => {
    fc.assert(
      fc.property(steps, (script) => {
        const heap = new KeyedHeap<Entry>(width, (a, b) => a.id < b.id)
        let list: Array<Entry> = []
        script.forEach(([a, b, pick], id) => {
          if (pick % 3 === 0 && list.length > 0) {
            const gone = list[pick % list.length]!
            heap.remove(gone)
            list = list.filter((entry) => entry !== gone)
            expect(gone.slot).toBe(-1)
          } else {
            const entry = { id, keys: [a, b].slice(0, width), slot: -1 }
            heap.push(entry, Float64Array.from(entry.keys))
            list.push(entry)
          }
          list.sort((x, y) => (before(x, y) ? -1 : 1))
          expect(heap.entries[0]).toBe(list[0])
          expect(heap.first(({ id }) => id % 2 === 0)).toBe(list.find(({ id }) => id % 2 === 0))
          for (const entry of list) {
            expect(heap.entries[entry.slot]).toBe(entry)
            entry.keys.forEach((key, column) => expect(heap.keyAt(entry.slot, column)).toBe(key))
          }
        })
        expect([...inOrder([heap], before)]).toEqual(list)
      }),
      { seed: 2026, numRuns: 60 }
    )
  })
})

describe("a timetable", () => {
  it("gives what is due first, whether it was written down in order or not", () => {
    fc.assert(
      fc.property(fc.array(fc.tuple(fc.boolean(), fc.nat({ max: 50 })), { maxLength: 200, size: "max" }), (script) => {
        const timetable = new Timetable<number>()
        let left: Array<number> = []
        for (const [isTaking, atMs] of script) {
          if (!isTaking || left.length === 0) {
            timetable.add(atMs, atMs)
            left.push(atMs)
          } else {
            const next = Math.min(...left)
            expect(timetable.peek()).toBe(next)
            expect(timetable.take()).toBe(next)
            left = left.toSpliced(left.indexOf(next), 1)
          }
          expect(timetable.nextAtMs).toBe(Math.min(Number.POSITIVE_INFINITY, ...left))
        }
      }),
      { seed: 2026, numRuns: 100 }
    )
  })
})

describe("a grid", () => {
  it("keeps its numbers and bits when rows and columns are added", () => {
    const grid = new Grid()
    grid.set(0, 0, 7)
    grid.set(40, 9, 3)
    grid.add(40, 9, 2)
    grid.setBit(1, 31, true)
    grid.setBit(1, 700, true)
    grid.setBit(1, 31, false)
    grid.setBit(1, 31, true)
    expect([grid.at(0, 0), grid.at(40, 9), grid.at(1, 0) >>> 0, grid.at(1, 21)]).toEqual([7, 5, 2 ** 31, 2 ** 28])
    grid.clear(1)
    expect(grid.at(1, 21)).toBe(0)
  })
})

describe("a set of bits", () => {
  it("is a set", () => {
    fc.assert(
      fc.property(fc.array(fc.nat({ max: 200 })), fc.array(fc.nat({ max: 200 })), (added, removed) => {
        const bits = new Bits()
        for (const index of added) bits.add(index)
        for (const index of removed) bits.remove(index)
        const set = new Set(added.filter((index) => !removed.includes(index)))
        const found: Array<number> = []
        bits.words.forEach((word, at) => {
          for (let rest = word; rest !== 0; rest &= rest - 1) found.push(at * 32 + lowest(rest))
        })
        expect(found).toEqual([...set].sort((a, b) => a - b))
        expect(bits.words.reduce((sum, word) => sum + countOf(word), 0)).toBe(set.size)
        expect(bits.isEmpty).toBe(set.size === 0)
      }),
      { seed: 2026 }
    )
  })
})
