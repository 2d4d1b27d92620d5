/**
 * A named quantity with its unit, exact definition and version.
 *
 * @module
 */
import type { Dimensions } from "./Dimensions.ts"
import { kinds, type MomentName } from "./Moment.ts"
import { fail, type Result, succeed } from "./Result.ts"

/**
 * What a measure's samples are: milliseconds, occurrences, or yes and no out of all.
 */
export type Unit = "ms" | "count" | "share"

/**
 * How much working time lies between two instants, for the conversation with these dimensions.
 *
 * **Units** both instants in milliseconds since 1970-01-01 UTC, the answer in milliseconds, rounded to whole ones.
 *
 * **Gotchas** must depend on its arguments only, or recomputed numbers differ from live ones. A negative answer counts
 * as 0; `NaN` gives no sample.
 */
export type Elapsed = (fromMs: number, toMs: number, dimensions: Dimensions) => number

/**
 * The definition behind a number, as plain data.
 *
 * **Shape** `id` and `version` name it for ever: change what it means and the version goes up, so old numbers are never
 * mixed with new ones. `moment` is what it is computed from; `start`, `stop`, `attribution` and `abandons` say in words what
 * that means, and `definition` says all of it in one sentence.
 */
export interface Definition {
  /** Its name: lower case words joined by hyphens. */
  readonly id: string
  /** Starts at 1. */
  readonly version: number
  readonly unit: Unit
  /** Whether a duration counts all time or only working time; counts and shares are `calendar`. */
  readonly time: "calendar" | "business"
  /** The moment that gives a sample. */
  readonly moment: MomentName
  /** When the measured stretch begins, for durations. */
  readonly start?: string
  /** When the sample is taken; it counts in this hour. */
  readonly stop: string
  /** Whose number it is. */
  readonly attribution: string
  /** What becomes of cases that never reach `stop`. */
  readonly abandons: string
  /** By what it can be split and filtered. */
  readonly dimensions: ReadonlyArray<string>
  /** The exact definition in one sentence. */
  readonly definition: string
}

/**
 * A {@link Definition} that can be computed: in business time it carries its own clock.
 *
 * **Gotchas** `elapsed` is set exactly when `time` is `business`; {@link make} sees to it.
 */
export interface Measure extends Definition {
  readonly elapsed?: Elapsed
}

/**
 * A definition that contradicts itself; `field` is the one to change.
 */
export interface MeasureError {
  readonly code: "MeasureInvalid"
  readonly id: string
  readonly field: "id" | "version" | "unit" | "start" | "elapsed"
  readonly message: string
}

const unitsOf = { duration: ["ms", "count"], count: ["count"], share: ["share", "count"] } as const

/**
 * Makes a measure of your own over one of the moments.
 *
 * **Fails with** {@link MeasureError} when the id isn't lower case words joined by hyphens, the version isn't a whole number from 1,
 * the unit doesn't fit the moment, a duration has no start, or business time and `elapsed` don't go together.
 *
 * **Example**
 * ```ts
 * import { strict as assert } from "node:assert"
 * import { Measure } from "@switchboard/metrics"
 *
 * const byLanguage = Measure.make({
 *   id: "opened-by-language",
 *   version: 1,
 *   unit: "count",
 *   time: "calendar",
 *   moment: "opened",
 *   stop: "the conversation opens",
 *   attribution: "the language known when it opens",
 *   abandons: "counted like any other",
 *   dimensions: ["language"],
 *   definition: "Conversations opened, by language."
 * })
 * assert.equal(byLanguage.ok, true)
 * ```
 */
export const make = (measure: Measure): Result<Measure, MeasureError> => {
  const refuse = (field: MeasureError["field"], message: string) =>
    fail({ code: "MeasureInvalid" as const, id: measure.id, field, message: `Measure "${measure.id}": ${message}` })
  if (!/^[a-z0-9]+(-[a-z0-9]+)*$/.test(measure.id))
    return refuse("id", "the id must be lower case words joined by hyphens, such as `reply-time`.")
  if (!Number.isSafeInteger(measure.version) || measure.version < 1)
    return refuse("version", `the version is ${measure.version}; use a whole number from 1.`)
  const units: ReadonlyArray<Unit> = unitsOf[kinds[measure.moment]]
  if (!units.includes(measure.unit))
    return refuse(
      "unit",
      `the moment "${measure.moment}" can be measured in ${units.join(" or ")}, not in ${measure.unit}.`
    )
  if (measure.unit === "ms" && measure.start === undefined)
    return refuse("start", "a duration must say in words when it starts.")
  if ((measure.time === "business") !== (measure.elapsed !== undefined))
    return refuse("elapsed", "business time needs an `elapsed` function, and calendar time takes none.")
  if (measure.time === "business" && measure.unit !== "ms")
    return refuse("elapsed", "only a duration can be measured in business time.")
  return succeed(measure)
}

/**
 * The same duration in working time, as a measure with an id of its own.
 *
 * **Fails with** {@link MeasureError} when the measure is no duration or the id is unusable.
 *
 * **Example**
 * ```ts
 * import { strict as assert } from "node:assert"
 * import { Measure, Measures } from "@switchboard/metrics"
 *
 * // Any function will do; usually it asks a business calendar.
 * const halfOfIt = (fromMs: number, toMs: number) => (toMs - fromMs) / 2
 * const made = Measure.inBusinessTime(Measures.replyTime, { id: "reply-time-support-hours", elapsed: halfOfIt })
 * assert.equal(made.ok && made.value.time, "business")
 * ```
 */
export const inBusinessTime = (
  measure: Measure,
  options: { readonly id: string; readonly elapsed: Elapsed }
): Result<Measure, MeasureError> =>
  make({
    ...measure,
    ...options,
    time: "business",
    definition: `${measure.definition} Only business time counts.`
  })

/** The definition without its clock: plain JSON, to show or to store beside the numbers. */
export const toDefinition = ({ elapsed: _, ...definition }: Measure): Definition => definition
