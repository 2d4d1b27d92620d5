/**
 * Percentiles of any number of values in a small document that can be merged, with a stated error.
 *
 * @module
 */
import { z } from "zod"
import { decodeWith } from "./internal/decode.ts"
import type { Result } from "./Result.ts"

/**
 * The largest relative error of a percentile: the answer is within 1 % of the value that has that rank.
 *
 * **Units** a share 0–1 of the true value.
 */
export const relativeError = 0.01

/**
 * How many values fell into each of a fixed series of growing bins.
 *
 * **Shape** JSON. `bins[i]` is the number of a bin, ascending, and `counts[i]` how many values it holds; `zeros` counts the
 * zeros, `min` and `max` are exact, `null` when empty. Bin `n` holds the values above `1.02^(n-1)` up to `1.02^n`.
 *
 * **Units** values are whole numbers from 0 to 2^53 − 1: fractions are rounded, what is below is taken for 0, what is above
 * for 2^53 − 1.
 *
 * **Gotchas** at most 1,857 bins for that whole range, about 1,050 for 1 ms to two weeks; a typical sketch holds under 200.
 *
 * **Source** C. Masson, J. E. Rim, H. K. Lee, "DDSketch: A Fast and Fully-Mergeable Quantile Sketch with Relative-Error
 * Guarantees", PVLDB 12 (2019): the same bins, never collapsed, since the range is bounded.
 */
export interface Sketch {
  readonly zeros: number
  readonly min: number | null
  readonly max: number | null
  readonly bins: ReadonlyArray<number>
  readonly counts: ReadonlyArray<number>
}

const growth = 1.02

// The edges come from multiplications alone: unlike a logarithm those are the same to the last bit on every engine, so two
// machines never disagree about a value's bin.
const edges: ReadonlyArray<number> = (() => {
  const list = [1]
  while (list.at(-1)! < Number.MAX_SAFE_INTEGER) list.push(list.at(-1)! * growth)
  return list
})()

const perLog = 1 / Math.log(growth)

const toBin = (value: number): number => {
  let bin = Math.min(edges.length - 1, Math.max(0, Math.ceil(Math.log(value) * perLog)))
  while (edges[bin]! < value) bin++
  while (bin > 0 && edges[bin - 1]! >= value) bin--
  return bin
}

const whole = z.int().min(0)

/** The Zod schema of {@link Sketch}. */
export const schema: z.ZodType<Sketch> = z
  .strictObject({
    zeros: whole,
    min: whole.nullable(),
    max: whole.nullable(),
    bins: z.array(whole.max(edges.length - 1)),
    counts: z.array(z.int().min(1))
  })
  .refine((sketch) => sketch.bins.length === sketch.counts.length, {
    path: ["counts"],
    error: "one count for each bin"
  })
  .refine((sketch) => sketch.bins.every((bin, index) => index === 0 || bin > sketch.bins[index - 1]!), {
    path: ["bins"],
    error: "bins in ascending order"
  })

/** The sketch of no values. */
export const empty: Sketch = { zeros: 0, min: null, max: null, bins: [], counts: [] }

/** The sketch of these values. */
export const from = (values: Iterable<number>): Sketch => add(empty, values)

/**
 * Data that is no sketch: `path` names the first field that is wrong.
 */
export interface SketchError {
  readonly code: "SketchInvalid"
  readonly path: string
  readonly message: string
}

/**
 * Reads a sketch that came from outside the program.
 *
 * **Fails with** {@link SketchError}.
 */
export const decode = (input: unknown): Result<Sketch, SketchError> =>
  decodeWith(schema, "SketchInvalid", "a sketch", input)

/**
 * The sketch with more values in it.
 *
 * **Gotchas** costs the size of the sketch once per call: add many values at a time.
 */
export const add = (sketch: Sketch, values: Iterable<number>): Sketch => {
  let { zeros } = sketch
  let min = sketch.min ?? Number.POSITIVE_INFINITY
  let max = sketch.max ?? Number.NEGATIVE_INFINITY
  const counted = new Map<number, number>()
  for (const given of values) {
    const value = given > 0 ? Math.min(Number.MAX_SAFE_INTEGER, Math.round(given)) : 0
    if (value < min) min = value
    if (value > max) max = value
    if (value === 0) {
      zeros++
      continue
    }
    const bin = toBin(value)
    counted.set(bin, (counted.get(bin) ?? 0) + 1)
  }
  if (max < min) return sketch
  const bins = [...counted.keys()].sort((a, b) => a - b)
  const counts = bins.map((bin) => counted.get(bin)!)
  return { zeros, min, max, ...zip(sketch, { bins, counts }) }
}

/**
 * The sketch of the values of all given sketches, exactly as if all had been added to one, in whatever order.
 *
 * **Example**
 * ```ts
 * import { strict as assert } from "node:assert"
 * import { Sketch } from "@switchboard/metrics"
 *
 * const morning = Sketch.from([60_000, 90_000])
 * const evening = Sketch.from([300_000])
 * assert.deepEqual(Sketch.merge([morning, evening]), Sketch.from([300_000, 90_000, 60_000]))
 * ```
 */
export const merge = (sketches: ReadonlyArray<Sketch>): Sketch => {
  let zeros = 0
  let min: number | null = null
  let max: number | null = null
  for (const sketch of sketches) {
    zeros += sketch.zeros
    if (sketch.min !== null && (min === null || sketch.min < min)) min = sketch.min
    if (sketch.max !== null && (max === null || sketch.max > max)) max = sketch.max
  }
  // Few small lists are quickest side by side, a month of hours is quickest laid out over all bins.
  const held = sketches.length <= 4 ? sketches.reduce<Bins>(zip, empty) : layOut(sketches)
  return { zeros, min, max, bins: held.bins, counts: held.counts }
}

/** How many values are in it. */
export const count = (sketch: Sketch): number => sketch.counts.reduce((sum, held) => sum + held, sketch.zeros)

/**
 * The value below or at which the given share of the values lies.
 *
 * **Units** `share0to1` from 0 to 1, beyond is taken for the nearer end: 0.5 is the median, 0 the minimum, 1 the maximum. The
 * answer has the unit of the values, may be a fraction, and is `null` for an empty sketch.
 *
 * **Gotchas** the rank is the nearest one: of `n` values the `⌈share × n⌉`-th smallest. The answer is within
 * {@link relativeError} of it; the minimum and the maximum are exact.
 *
 * **Example**
 * ```ts
 * import { strict as assert } from "node:assert"
 * import { Sketch } from "@switchboard/metrics"
 *
 * const waits = Sketch.from([10_000, 20_000, 30_000, 40_000])
 * const median = Sketch.percentile(waits, 0.5) ?? 0
 * assert.ok(Math.abs(median - 20_000) <= 200)
 * ```
 */
export const percentile = (sketch: Sketch, share0to1: number): number | null => {
  if (sketch.min === null || sketch.max === null) return null
  const total = count(sketch)
  // A hair less, so that 0.07 × 100 = 7.000000000000001 is rank 7.
  const rank = Math.max(1, Math.ceil(share0to1 * total - 1e-9))
  if (rank <= 1) return sketch.min
  if (rank >= total) return sketch.max
  let below = sketch.zeros
  if (rank <= below) return 0
  for (let index = 0; index < sketch.bins.length; index++) {
    below += sketch.counts[index]!
    if (rank > below) continue
    // The point of the bin that is as far, in proportion, from its lower as from its upper edge.
    const middle = (edges[sketch.bins[index]!]! * 2) / (1 + growth)
    return Math.min(sketch.max, Math.max(sketch.min, middle))
  }
  return sketch.max
}

type Bins = Pick<Sketch, "bins" | "counts">

const zip = (a: Bins, b: Bins): Bins => {
  const bins: Array<number> = []
  const counts: Array<number> = []
  let i = 0
  let j = 0
  while (i < a.bins.length || j < b.bins.length) {
    const left = a.bins[i] ?? Number.POSITIVE_INFINITY
    const right = b.bins[j] ?? Number.POSITIVE_INFINITY
    bins.push(Math.min(left, right))
    let held = 0
    if (left <= right) held += a.counts[i++]!
    if (right <= left) held += b.counts[j++]!
    counts.push(held)
  }
  return { bins, counts }
}

const layOut = (sketches: ReadonlyArray<Bins>): Bins => {
  const totals = new Float64Array(edges.length)
  for (const { bins, counts } of sketches) {
    for (let index = 0; index < bins.length; index++) {
      const bin = bins[index]!
      totals[bin] = totals[bin]! + counts[index]!
    }
  }
  const bins: Array<number> = []
  const counts: Array<number> = []
  totals.forEach((held, bin) => {
    if (held === 0) return
    bins.push(bin)
    counts.push(held)
  })
  return { bins, counts }
}
