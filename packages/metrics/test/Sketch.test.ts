import fc from "fast-check"
import { describe, expect, test } from "vitest"
import { Sketch } from "../src/index.ts"
import { throughJson } from "./Fixtures.ts"

const nearestRank = (sorted: ReadonlyArray<number>, hundredths: number): number => {
  // In whole numbers, so that this doesn't share the rounding of what it checks.
  const rank = Math.max(1, Math.floor((hundredths * sorted.length + 99) / 100))
  return sorted[rank - 1]!
}

// A small seeded generator, since a distribution is a function of uniform numbers.
const uniform = (seed: number) => {
  let state = seed >>> 0
  return () => {
    state = (state + 0x6d2b79f5) >>> 0
    let mixed = Math.imul(state ^ (state >>> 15), state | 1)
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61)
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296
  }
}

const distributions: Record<string, (random: () => number) => number> = {
  uniform: (random) => random() * 600_000,
  exponential: (random) => -Math.log(1 - random()) * 120_000,
  pareto: (random) => 1_000 / (1 - random()) ** 1.5,
  "log-normal": (random) =>
    Math.exp(10 + 2 * Math.sqrt(-2 * Math.log(1 - random())) * Math.cos(2 * Math.PI * random())),
  "two humps": (random) => (random() < 0.5 ? 500 + random() * 100 : 86_400_000 + random() * 1_000),
  "small numbers": (random) => random() * 6,
  constant: () => 4_242
}

const durations = fc.array(
  fc.oneof(fc.nat(100), fc.nat(10_000_000), fc.nat(Number.MAX_SAFE_INTEGER), fc.constant(Number.MAX_SAFE_INTEGER)),
  { maxLength: 60 }
)

describe("the error", () => {
  test.each(Object.keys(distributions))("[METRIC-30] %s values: every percentile within 1 %%", (name) => {
    for (const seed of [1, 2, 3]) {
      const random = uniform(seed)
      const values = Array.from({ length: 5_000 }, () => Math.round(distributions[name]!(random)))
      const sketch = Sketch.from(values)
      values.sort((a, b) => a - b)
      for (let hundredths = 0; hundredths <= 100; hundredths++) {
        const exact = nearestRank(values, hundredths)
        const told = Sketch.percentile(sketch, hundredths / 100)!
        expect(Math.abs(told - exact)).toBeLessThanOrEqual(exact * Sketch.relativeError)
      }
    }
  })

  test("[METRIC-30] any values at all, up to the largest", () => {
    fc.assert(
      fc.property(durations, fc.integer({ min: 0, max: 100 }), (values, hundredths) => {
        fc.pre(values.length > 0)
        const exact = nearestRank(
          values.toSorted((a, b) => a - b),
          hundredths
        )
        const told = Sketch.percentile(Sketch.from(values), hundredths / 100)!
        expect(Math.abs(told - exact)).toBeLessThanOrEqual(exact * Sketch.relativeError)
      }),
      { numRuns: 500 }
    )
  })

  test("[METRIC-30] minimum and maximum are exact", () => {
    const sketch = Sketch.from([7_777, 123_456, 999_999])
    expect(Sketch.percentile(sketch, 0)).toBe(7_777)
    expect(Sketch.percentile(sketch, 1)).toBe(999_999)
    expect([sketch.min, sketch.max]).toEqual([7_777, 999_999])
  })

  test("[METRIC-30] zeros count as values", () => {
    const sketch = Sketch.from([0, 0, 0, 100])
    expect(Sketch.percentile(sketch, 0.5)).toBe(0)
    expect(Sketch.percentile(sketch, 0.75)).toBe(0)
    expect(Sketch.percentile(sketch, 0.76)).toBe(100)
  })
})

describe("merging", () => {
  test("[METRIC-31] in any order and grouping, it equals adding everything to one", () => {
    fc.assert(
      fc.property(durations, durations, durations, (a, b, c) => {
        const [x, y, z] = [Sketch.from(a), Sketch.from(b), Sketch.from(c)]
        const all = Sketch.from([...c, ...a, ...b])
        expect(Sketch.merge([Sketch.merge([x, y]), z])).toEqual(all)
        expect(Sketch.merge([x, Sketch.merge([y, z])])).toEqual(all)
        expect(Sketch.merge([z, y, x])).toEqual(all)
        expect(Sketch.add(Sketch.add(x, b), c)).toEqual(all)
        expect(Sketch.count(all)).toBe(a.length + b.length + c.length)
      }),
      { numRuns: 200 }
    )
  })

  test("[METRIC-31] many sketches at once equal the same two by two", () => {
    fc.assert(
      fc.property(fc.array(durations, { minLength: 5, maxLength: 12 }), (groups) => {
        const sketches = groups.map((values) => Sketch.from(values))
        const twoByTwo = sketches.reduce((a, b) => Sketch.merge([a, b]), Sketch.empty)
        expect(Sketch.merge(sketches)).toEqual(twoByTwo)
        expect(twoByTwo).toEqual(Sketch.from(groups.flat()))
      }),
      { numRuns: 100 }
    )
  })

  test("[METRIC-31] merging changes neither side, and nothing merged is empty", () => {
    const a = Sketch.from([1, 2, 3])
    const copy = throughJson(a)
    Sketch.merge([a, Sketch.from([2])])
    Sketch.add(a, [9])
    expect(a).toEqual(copy)
    expect(Sketch.merge([])).toEqual(Sketch.empty)
  })
})

describe("as a document", () => {
  test("[METRIC-32] JSON and the schema leave it unchanged", () => {
    fc.assert(
      fc.property(durations, (values) => {
        const sketch = Sketch.from(values)
        expect(Sketch.decode(throughJson(sketch))).toEqual({ ok: true, value: sketch })
      }),
      { numRuns: 100 }
    )
  })

  test.each([
    ["counts", { zeros: 0, min: 1, max: 1, bins: [0], counts: [] }],
    ["bins", { zeros: 0, min: 1, max: 1, bins: [3, 3], counts: [1, 1] }],
    ["bins.0", { zeros: 0, min: 1, max: 1, bins: [99_999], counts: [1] }],
    ["zeros", { zeros: -1, min: null, max: null, bins: [], counts: [] }],
    ["", 7]
  ])("[METRIC-32] a wrong %s is refused", (path, input) => {
    const read = Sketch.decode(input)
    expect(read).toMatchObject({ ok: false, error: { code: "SketchInvalid", path } })
  })

  test("[METRIC-33] values beyond the range are taken for the nearest inside", () => {
    expect(Sketch.from([-5, Number.NaN, 0.2])).toEqual(Sketch.from([0, 0, 0]))
    expect(Sketch.from([1e300, Number.POSITIVE_INFINITY])).toEqual(
      Sketch.from([Number.MAX_SAFE_INTEGER, Number.MAX_SAFE_INTEGER])
    )
  })

  test("[METRIC-33] nothing has no percentiles", () => {
    expect(Sketch.percentile(Sketch.empty, 0.5)).toBeNull()
    expect(Sketch.add(Sketch.empty, [])).toEqual(Sketch.empty)
  })
})
