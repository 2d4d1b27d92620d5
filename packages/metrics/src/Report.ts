/**
 * The numbers a page shows: totals, rows by dimension, series over time, and who is still waiting.
 *
 * @module
 */
import { type Bucket, type Cell, fromHour, sumCells } from "./Bucket.ts"
import * as Dimensions from "./Dimensions.ts"
import type { Wait } from "./Fold.ts"
import type { Unit } from "./Measure.ts"
import * as Sketch from "./Sketch.ts"

/**
 * Which numbers to take from buckets.
 *
 * **Shape** `by` names the dimensions to split by (none: one total), `where` keeps cells whose dimensions have one of the listed
 * values.
 *
 * **Units** `fromMs` inclusive to `toMs` exclusive, milliseconds since 1970-01-01 UTC. A bucket belongs to the range when its
 * hour begins in it, so use whole UTC hours.
 *
 * **Gotchas** only buckets of the measure's own version count: numbers of two definitions are never mixed.
 */
export interface ReportQuery {
  readonly measure: { readonly id: string; readonly version: number }
  readonly fromMs: number
  readonly toMs: number
  readonly by?: ReadonlyArray<string>
  readonly where?: Dimensions.DimensionsFilter
}

/**
 * The figures of a set of samples.
 *
 * **Units** `…Ms` in milliseconds, `share0to1` from 0 to 1. The percentiles are within 1 % of the value at that rank; the count,
 * mean, minimum and maximum are exact.
 *
 * **Shape** `count` is how many samples there are; for a share it is the denominator and `yeses` the numerator. What doesn't
 * apply to the measure's unit, or has no samples to be made from, is `null`, never 0.
 */
export interface Figures {
  readonly count: number
  readonly yeses: number | null
  readonly share0to1: number | null
  readonly meanMs: number | null
  readonly p50Ms: number | null
  readonly p90Ms: number | null
  readonly p95Ms: number | null
  readonly minMs: number | null
  readonly maxMs: number | null
}

/** The figures of one combination of the dimensions split by; a dimension that wasn't known is left out. */
export interface Row extends Figures {
  readonly dimensions: Dimensions.Dimensions
}

/**
 * The figures of the whole range, without a split.
 *
 * **Example**
 * ```ts
 * import { strict as assert } from "node:assert"
 * import { Bucket, Fold, Measures, Report } from "@switchboard/metrics"
 *
 * const facts = { conversationId: "c1", dimensions: {} }
 * const { samples } = Fold.applyAll(new Map(), [
 *   { kind: "contactMessage", at: 0, ...facts },
 *   { kind: "agentReply", at: 120_000, ...facts }
 * ])
 * const total = Report.toTotal(Bucket.add([], samples), { measure: Measures.replyTime, fromMs: 0, toMs: 3_600_000 })
 * assert.equal(total.count, 1)
 * assert.equal(total.meanMs, 120_000)
 * ```
 */
export const toTotal = (buckets: Iterable<Bucket>, query: Omit<ReportQuery, "by">): Figures =>
  toFigures(
    collect(buckets, { ...query, by: [] })
      .values()
      .next().value
  )

/**
 * The figures of the range, one row per combination of the dimensions split by that occurred, ordered by their values.
 */
export const toRows = (buckets: Iterable<Bucket>, query: ReportQuery): ReadonlyArray<Row> =>
  [...collect(buckets, query)]
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([, held]) => ({ dimensions: held.cell.dimensions, ...toFigures(held) }))

/**
 * The percentile sketch of the range, for percentiles other than those in {@link Figures}; empty for counts and shares.
 */
export const toSketch = (buckets: Iterable<Bucket>, query: Omit<ReportQuery, "by">): Sketch.Sketch =>
  collect(buckets, { ...query, by: [] })
    .values()
    .next().value?.cell.sketch ?? Sketch.empty

/**
 * One line of a chart: a figure over time for one combination of dimensions.
 */
export interface Line {
  readonly dimensions: Dimensions.Dimensions
  /** One value per step; `null` where there is nothing to show. */
  readonly values: ReadonlyArray<number | null>
}

/**
 * Lines over a common time axis, as charts want them.
 *
 * **Units** `startsMs[i]` is when step `i` begins, in milliseconds since 1970-01-01 UTC.
 */
export interface Series {
  readonly startsMs: ReadonlyArray<number>
  readonly lines: ReadonlyArray<Line>
}

/**
 * One figure over time, in steps.
 *
 * **Shape** `edgesMs` are the ascending instants where steps begin, and last of all where the last one ends: {@link toEdges} makes
 * even ones; for local days give their midnights, so that days of 23 and 25 hours come out right.
 *
 * **Gotchas** edges should lie on whole UTC hours. Where the local offset isn't whole hours, a day's edge is up to an hour off.
 *
 * **Example**
 * ```ts
 * import { strict as assert } from "node:assert"
 * import { Bucket, Fold, Measures, Report } from "@switchboard/metrics"
 *
 * const hour = 3_600_000
 * const opened = (conversationId: string, at: number) => ({ kind: "opened" as const, at, conversationId, dimensions: {} })
 * const { samples } = Fold.applyAll(new Map(), [opened("c1", 0), opened("c2", hour), opened("c3", hour)])
 * const edgesMs = Report.toEdges(0, 3 * hour, hour)
 * const chart = Report.toSeries(Bucket.add([], samples), { measure: Measures.conversationsOpened, edgesMs }, "count")
 * assert.deepEqual(chart.lines, [{ dimensions: {}, values: [1, 2, 0] }])
 * ```
 */
export const toSeries = (
  buckets: Iterable<Bucket>,
  query: Omit<ReportQuery, "fromMs" | "toMs"> & { readonly edgesMs: ReadonlyArray<number> },
  figure: keyof Figures
): Series => {
  const { edgesMs, ...rest } = query
  const startsMs = edgesMs.slice(0, -1)
  const inStep = Map.groupBy(buckets, (bucket) => {
    const start = fromHour(bucket.hour)
    return edgesMs.findLastIndex((edge) => edge <= start)
  })
  const steps = startsMs.map((fromMs, index) =>
    collect(inStep.get(index) ?? [], { ...rest, fromMs, toMs: edgesMs[index + 1]! })
  )
  const keys = new Map<string, Dimensions.Dimensions>()
  for (const step of steps) for (const [key, held] of step) keys.set(key, held.cell.dimensions)
  // A total is one line even when nothing happened: a chart of nothing is a line at zero, not an empty page.
  if ((query.by ?? []).length === 0) keys.set(Dimensions.toKey({}), {})
  const lines = [...keys]
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([key, dimensions]) => ({ dimensions, values: steps.map((step) => toFigures(step.get(key))[figure]) }))
  return { startsMs, lines }
}

/**
 * Even steps for {@link toSeries}, the last one cut off at the end of the range.
 *
 * **Units** all in milliseconds; steps shorter than an hour are made an hour, since buckets are no finer.
 */
export const toEdges = (fromMs: number, toMs: number, stepMs: number): ReadonlyArray<number> => {
  const step = Math.max(3_600_000, stepMs)
  const edges: Array<number> = []
  for (let edge = fromMs; edge < toMs; edge += step) edges.push(edge)
  return [...edges, toMs]
}

/**
 * The contacts waiting right now with the same dimensions.
 *
 * **Units** `oldestAgeMs` and `medianAgeMs` are milliseconds of calendar time since the wait began; the median is within 1 %.
 */
export interface WaitingRow {
  readonly dimensions: Dimensions.Dimensions
  readonly count: number
  readonly oldestAgeMs: number
  readonly oldestConversationId: string
  readonly medianAgeMs: number
}

/**
 * Who is waiting now, how many and how long: the part that answer times can't show.
 *
 * **Shape** one row per combination of the dimensions in `by` that occurs; without `by` one row, or none when nobody waits. The
 * oldest wait is named, so it can be opened.
 *
 * **Units** `atMs` is now, in milliseconds since 1970-01-01 UTC.
 *
 * **Example**
 * ```ts
 * import { strict as assert } from "node:assert"
 * import { Fold, Report } from "@switchboard/metrics"
 *
 * const { state } = Fold.apply(undefined, { kind: "contactMessage", at: 0, conversationId: "c1", dimensions: {} })
 * const wait = Fold.waiting(state)
 * const [row] = Report.toWaiting(wait ? [wait] : [], { atMs: 90_000 })
 * assert.equal(row?.oldestAgeMs, 90_000)
 * ```
 */
export const toWaiting = (
  waits: Iterable<Wait>,
  query: {
    readonly atMs: number
    readonly by?: ReadonlyArray<string>
    readonly where?: Dimensions.DimensionsFilter
    readonly awaits?: Wait["awaits"]
  }
): ReadonlyArray<WaitingRow> => {
  const kept = [...waits].filter(
    (wait) =>
      (query.awaits === undefined || wait.awaits === query.awaits) &&
      Dimensions.matches(wait.dimensions, query.where ?? {})
  )
  const groups = Map.groupBy(kept, (wait) => Dimensions.toKey(Dimensions.pick(wait.dimensions, query.by ?? [])))
  return [...groups]
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([, group]) => {
      const oldest = group.reduce((a, b) => (b.sinceMs < a.sinceMs ? b : a))
      const age = (wait: Wait) => Math.max(0, query.atMs - wait.sinceMs)
      return {
        dimensions: Dimensions.pick(oldest.dimensions, query.by ?? []),
        count: group.length,
        oldestAgeMs: age(oldest),
        oldestConversationId: oldest.conversationId,
        medianAgeMs: Sketch.percentile(Sketch.from(group.map(age)), 0.5) ?? 0
      }
    })
}

interface Held {
  readonly unit: Unit
  readonly cell: Cell
}

const collect = (buckets: Iterable<Bucket>, query: ReportQuery): ReadonlyMap<string, Held> => {
  const by = query.by ?? []
  const where = query.where ?? {}
  const found = new Map<string, { unit: Unit; dimensions: Dimensions.Dimensions; cells: Array<Cell> }>()
  for (const bucket of buckets) {
    if (bucket.measure !== query.measure.id || bucket.version !== query.measure.version) continue
    const start = fromHour(bucket.hour)
    if (start < query.fromMs || start >= query.toMs) continue
    for (const cell of Object.values(bucket.cells)) {
      if (!Dimensions.matches(cell.dimensions, where)) continue
      const dimensions = Dimensions.pick(cell.dimensions, by)
      const key = Dimensions.toKey(dimensions)
      const known = found.get(key)
      if (known === undefined) found.set(key, { unit: bucket.unit, dimensions, cells: [cell] })
      else known.cells.push(cell)
    }
  }
  return new Map(
    [...found].map(([key, { unit, dimensions, cells }]) => [key, { unit, cell: sumCells(dimensions, cells) }])
  )
}

const nothing: Figures = {
  count: 0,
  yeses: null,
  share0to1: null,
  meanMs: null,
  p50Ms: null,
  p90Ms: null,
  p95Ms: null,
  minMs: null,
  maxMs: null
}

const toFigures = (held: Held | undefined): Figures => {
  if (held === undefined || held.cell.count === 0) return nothing
  const { count, sum, sketch = Sketch.empty } = held.cell
  switch (held.unit) {
    case "count":
      return { ...nothing, count: sum }
    case "share":
      return { ...nothing, count, yeses: sum, share0to1: sum / count }
    case "ms":
      return {
        ...nothing,
        count,
        meanMs: sum / count,
        p50Ms: Sketch.percentile(sketch, 0.5),
        p90Ms: Sketch.percentile(sketch, 0.9),
        p95Ms: Sketch.percentile(sketch, 0.95),
        minMs: sketch.min,
        maxMs: sketch.max
      }
  }
}
