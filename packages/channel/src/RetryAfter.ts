/**
 * How long a platform asks us to wait: the `Retry-After` header, bounded so that no platform can park us for days.
 *
 * @module
 */

/** The longest wait that is believed: one hour. */
export const longestMs = 3_600_000

/**
 * Reads a `Retry-After` value: seconds or an HTTP date. `undefined` when there is none or it can't be read.
 *
 * **Units** milliseconds from `nowMs`, 0 to {@link longestMs}; a date in the past is 0. Fractions of a second, which
 * some platforms send, are rounded up.
 *
 * **Source** RFC 9110, section 10.2.3.
 *
 * **Example**
 *
 * ```ts
 * import { strict as assert } from "node:assert"
 * import { RetryAfter } from "@switchboard/channel"
 *
 * assert.equal(RetryAfter.parse("30", 0), 30_000)
 * assert.equal(RetryAfter.parse("Thu, 01 Jan 1970 00:00:05 GMT", 2_000), 3_000)
 * assert.equal(RetryAfter.parse("999999", 0), RetryAfter.longestMs)
 * assert.equal(RetryAfter.parse("soon", 0), undefined)
 * ```
 */
export const parse = (value: string | number | null | undefined, nowMs: number): number | undefined => {
  if (value === null || value === undefined) return undefined
  const text = String(value).trim()
  const waitMs = /^\d+(\.\d+)?$/.test(text)
    ? Math.ceil(Number(text) * 1000)
    : /^[A-Z][a-z]+,? /.test(text)
      ? Date.parse(text) - nowMs
      : Number.NaN
  return Number.isNaN(waitMs) ? undefined : Math.min(Math.max(waitMs, 0), longestMs)
}
