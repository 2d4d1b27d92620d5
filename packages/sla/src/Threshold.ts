/**
 * A point in the time that a target allows, at which something is to be done.
 *
 * @module
 */
import * as z from "zod"

/**
 * A point on the way to a due time, or after it, in the target's own time: business time when the target counts that,
 * standing still while the clock is paused.
 *
 * **Units** `share` is a share of the duration (0.8 is 80 %); `beforeMs` and `afterMs` are milliseconds before and after
 * the due time.
 */
export type Threshold = { readonly share: number } | { readonly beforeMs: number } | { readonly afterMs: number }

/** Reads a {@link Threshold}. */
export const Threshold: z.ZodType<Threshold> = z.union(
  [
    z.strictObject({ share: z.number().positive() }),
    z.strictObject({ beforeMs: z.int().positive() }),
    z.strictObject({ afterMs: z.int().positive() })
  ],
  { error: "expected { share } above 0, { beforeMs } or { afterMs } in whole milliseconds above 0" }
)

/** Counted milliseconds at which the threshold is reached; 0 or less when the duration is too short to hold it. */
export const toCountedMs = (threshold: Threshold, durationMs: number): number =>
  "share" in threshold
    ? Math.round(durationMs * threshold.share)
    : "beforeMs" in threshold
      ? durationMs - threshold.beforeMs
      : durationMs + threshold.afterMs

/** A name for the threshold, such as `share:0.8`: equal thresholds have equal names. */
export const toText = (threshold: Threshold): string =>
  Object.entries(threshold)
    .map(([name, value]) => `${name}:${value}`)
    .join()
