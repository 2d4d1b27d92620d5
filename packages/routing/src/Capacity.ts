/**
 * How much work an agent may hold at once.
 *
 * @module
 */
import * as z from "zod"

const amount = z.int().min(0).max(100_000)

/**
 * An agent's capacity.
 *
 * **Shape** `units` in total, and at most so many of them per channel kind; a kind that isn't listed is limited by the
 * total alone.
 *
 * **Units** capacity units: an item takes its `weight`. Offers that are still open count, so that an accept always fits.
 */
export const Capacity = z.object({ units: amount, perChannelKind: z.record(z.string(), amount).default({}) })
export type Capacity = z.infer<typeof Capacity>

/** What an agent holds, counted like {@link Capacity}: assigned items and open offers. */
export const Load = z.object({ units: amount, perChannelKind: z.record(z.string(), amount) })
export type Load = z.infer<typeof Load>

/** A capacity of so many units, with limits for some channel kinds. */
export const make = (units: number, perChannelKind: Readonly<Record<string, number>> = {}): Capacity => ({
  units,
  perChannelKind: { ...perChannelKind }
})

/** Which of the two limits one more item would break. */
export const Limit = z.enum(["units", "channelKind"])
export type Limit = z.infer<typeof Limit>

/** The limit on one channel kind; the total where none is set. */
export const limitOf = (capacity: Capacity, channelKind: string): number =>
  Object.hasOwn(capacity.perChannelKind, channelKind) ? capacity.perChannelKind[channelKind]! : capacity.units

/**
 * The limit that keeps an item out, or undefined when it fits.
 *
 * **Example**
 *
 * ```ts
 * import { strict as assert } from "node:assert"
 * import { Capacity } from "@switchboard/routing"
 *
 * const capacity = Capacity.make(4, { call: 1 })
 * const load = { units: 1, perChannelKind: { call: 1 } }
 * assert.equal(Capacity.exceeded(capacity, load, "call", 1), "channelKind")
 * assert.equal(Capacity.exceeded(capacity, load, "chat", 4), "units")
 * assert.equal(Capacity.exceeded(capacity, load, "chat", 3), undefined)
 * ```
 */
export const exceeded = (capacity: Capacity, load: Load, channelKind: string, weight: number): Limit | undefined => {
  if (load.units + weight > capacity.units) return "units"
  const held = Object.hasOwn(load.perChannelKind, channelKind) ? load.perChannelKind[channelKind]! : 0
  return held + weight > limitOf(capacity, channelKind) ? "channelKind" : undefined
}
