/**
 * One value of one measure, with the moment and the dimensions it is attributed to.
 *
 * @module
 */
import type { Dimensions } from "./Dimensions.ts"
import type { Unit } from "./Measure.ts"

/**
 * What a fold yields and buckets add up.
 *
 * **Units** `at` is milliseconds since 1970-01-01 UTC, when the measured thing ended. `value` is whole milliseconds for `ms`,
 * 1 for `count`, and 1 (yes) or 0 (no) for `share`.
 *
 * **Gotchas** `conversationId` lets a number be traced to its cases; buckets don't keep it.
 */
export interface Sample {
  readonly measure: string
  readonly version: number
  readonly unit: Unit
  readonly at: number
  readonly value: number
  readonly conversationId: string
  readonly dimensions: Dimensions
}
