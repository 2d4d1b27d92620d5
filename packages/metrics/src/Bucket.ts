/**
 * What is stored of a measure: one document per hour, with a cell per combination of dimensions.
 *
 * @module
 */
import { z } from "zod"
import * as Dimensions from "./Dimensions.ts"
import { decodeWith } from "./internal/decode.ts"
import type { Unit } from "./Measure.ts"
import type { Result } from "./Result.ts"
import type { Sample } from "./Sample.ts"
import * as Sketch from "./Sketch.ts"

/**
 * The samples of one hour with the same dimensions, added up.
 *
 * **Units** `sum` is whole milliseconds, occurrences or yeses, by the unit of the bucket; `sketch` is there for `ms`.
 */
export interface Cell {
  readonly dimensions: Dimensions.Dimensions
  readonly count: number
  readonly sum: number
  readonly sketch?: Sketch.Sketch
}

/**
 * One measure in one hour.
 *
 * **Shape** JSON; cells are keyed by their dimensions. It grows with the combinations of dimensions seen in the hour, never with
 * the number of samples.
 *
 * **Units** `hour` is `YYYY-MM-DDTHH` in UTC.
 */
export interface Bucket {
  readonly hour: string
  readonly measure: string
  readonly version: number
  readonly unit: Unit
  readonly cells: Readonly<Record<string, Cell>>
}

const whole = z.int().min(0)

/** The Zod schema of {@link Bucket}. */
export const schema: z.ZodType<Bucket> = z.strictObject({
  hour: z.string().regex(/^\d{4}-\d{2}-\d{2}T([01]\d|2[0-3])$/, "expected YYYY-MM-DDTHH"),
  measure: z.string().min(1),
  version: z.int().min(1),
  unit: z.enum(["ms", "count", "share"]),
  cells: z.record(
    z.string(),
    z.strictObject({
      dimensions: Dimensions.schema,
      count: whole,
      sum: whole,
      sketch: Sketch.schema.exactOptional()
    })
  )
})

/** Data that is no bucket: `path` names the first field that is wrong. */
export interface BucketError {
  readonly code: "BucketInvalid"
  readonly path: string
  readonly message: string
}

/**
 * Reads a bucket that came from outside the program.
 *
 * **Fails with** {@link BucketError}.
 */
export const decode = (input: unknown): Result<Bucket, BucketError> =>
  decodeWith(schema, "BucketInvalid", "a bucket", input)

/** What names a bucket. */
export interface BucketName {
  readonly hour: string
  readonly measure: string
  readonly version: number
}

/**
 * The key to store a bucket under: hour, measure and version, so that keys sort by time.
 *
 * **Example**
 * ```ts
 * import { strict as assert } from "node:assert"
 * import { Bucket } from "@switchboard/metrics"
 *
 * assert.equal(Bucket.toId({ hour: "2026-03-02T09", measure: "reply-time", version: 1 }), "2026-03-02T09/reply-time@1")
 * ```
 */
export const toId = (bucket: BucketName): string => `${bucket.hour}/${bucket.measure}@${bucket.version}`

const hourMs = 3_600_000

/**
 * The hour an instant lies in.
 *
 * **Units** milliseconds since 1970-01-01 UTC, up to the year 9999; the hour is UTC.
 */
export const toHour = (atMs: number): string => new Date(atMs).toISOString().slice(0, 13)

/** The instant an hour begins. */
export const fromHour = (hour: string): number => Date.parse(`${hour}:00:00Z`)

/** The ids of the buckets these samples belong to, each once. */
export const toIds = (samples: Iterable<Sample>): ReadonlyArray<string> => [...group(samples).keys()]

/**
 * Adds samples to buckets and returns those that changed, new ones included.
 *
 * **Shape** give the stored buckets named by {@link toIds}, as far as they exist; store what comes back in their place.
 *
 * **Gotchas** a sample added twice counts twice: store the buckets in the same commit as the position in the journal.
 *
 * **Source** METRIC-20 in SPEC.md.
 *
 * **Example**
 * ```ts
 * import { strict as assert } from "node:assert"
 * import { Bucket, Fold } from "@switchboard/metrics"
 *
 * const opened = { kind: "opened", at: 0, conversationId: "c1", dimensions: { channelKind: "chat" } } as const
 * const { samples } = Fold.apply(undefined, opened)
 * const [bucket] = Bucket.add([], samples)
 * assert.equal(bucket && Bucket.toId(bucket), "1970-01-01T00/conversations-opened@1")
 * ```
 */
export const add = (buckets: Iterable<Bucket>, samples: Iterable<Sample>): ReadonlyArray<Bucket> => {
  const stored = new Map([...buckets].map((bucket) => [toId(bucket), bucket]))
  return [...group(samples)].map(([id, [name, inBucket]]) => {
    const cells: Record<string, Cell> = { ...stored.get(id)?.cells }
    for (const [key, inCell] of Map.groupBy(inBucket, (sample) => Dimensions.toKey(sample.dimensions))) {
      const before = cells[key]
      const added = toCell(inCell)
      cells[key] = before === undefined ? added : sumCells(added.dimensions, [before, added])
    }
    return { ...name, cells }
  })
}

/**
 * Puts buckets from several places together: one per id, exactly as if all samples had been added in one place.
 */
export const merge = (groups: Iterable<Iterable<Bucket>>): ReadonlyArray<Bucket> => {
  const all = [...groups].flatMap((buckets) => [...buckets])
  return [...Map.groupBy(all, toId).values()].map((same) => {
    const cells = same.flatMap((bucket) => Object.entries(bucket.cells))
    const summed = [...Map.groupBy(cells, ([key]) => key)].map(([key, group]) => {
      const [, first] = group[0]!
      return [
        key,
        sumCells(
          first.dimensions,
          group.map(([, cell]) => cell)
        )
      ] as const
    })
    return { ...same[0]!, cells: Object.fromEntries(summed) }
  })
}

/** Several cells of one measure as one, under the given dimensions. */
export const sumCells = (dimensions: Dimensions.Dimensions, cells: ReadonlyArray<Cell>): Cell => {
  let count = 0
  let sum = 0
  const sketches: Array<Sketch.Sketch> = []
  for (const cell of cells) {
    count += cell.count
    sum += cell.sum
    if (cell.sketch !== undefined) sketches.push(cell.sketch)
  }
  const total = { dimensions, count, sum }
  return sketches.length === 0 ? total : { ...total, sketch: Sketch.merge(sketches) }
}

const toCell = (samples: ReadonlyArray<Sample>): Cell => {
  const values = samples.map((sample) => sample.value)
  const [first] = samples
  const cell = {
    dimensions: first?.dimensions ?? {},
    count: values.length,
    sum: values.reduce((sum, value) => sum + value, 0)
  }
  return first?.unit === "ms" ? { ...cell, sketch: Sketch.from(values) } : cell
}

type Group = readonly [name: Omit<Bucket, "cells">, samples: Array<Sample>]

const group = (samples: Iterable<Sample>): ReadonlyMap<string, Group> => {
  const groups = new Map<string, Group>()
  // Neighbouring samples mostly share their hour, and formatting it costs more than adding the sample.
  let hourStart = Number.NaN
  let hour = ""
  for (const sample of samples) {
    const start = sample.at - (sample.at % hourMs)
    if (start !== hourStart) {
      hourStart = start
      hour = toHour(start)
    }
    const { measure, version, unit } = sample
    const id = toId({ hour, measure, version })
    const known = groups.get(id)
    if (known === undefined) groups.set(id, [{ hour, measure, version, unit }, [sample]])
    else known[1].push(sample)
  }
  return groups
}
