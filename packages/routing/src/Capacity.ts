/**
 * How much work an agent may hold at once.
 *
 * @module
 */
import * as z from "zod"

const amount = z.int().min(0).max(100_000)

const channelKinds = z.array(z.string().min(1).max(128)).max(100).readonly()

/**
 * An agent's capacity.
 *
 * **Shape** `units` in total, and at most so many of them per channel kind; a kind that isn't listed is limited by the
 * total alone. `exclusive`: who holds one of these channel kinds is given no other kind, and who holds another kind is
 * given none of these; without it, all kinds go together. `interruptible`: these kinds don't stand in the way of an
 * exclusive one, and none of them comes while it is held.
 *
 * **Units** capacity units: an item takes its `weight`. Offers that are still open count, so that an accept always fits;
 * so does wrap-up.
 *
 * **Gotchas** interruptible items go on taking their units: limit their kind below the total, so that a call always finds
 * room. How many of an exclusive kind may be held together is the limit of that kind.
 *
 * **Example**
 *
 * ```ts
 * import { strict as assert } from "node:assert"
 * import { Capacity } from "@switchboard/routing"
 *
 * // Calls alone, chat and mail together; a mail can wait while there is a call.
 * const capacity = { ...Capacity.make(4, { call: 1, mail: 3 }), exclusive: ["call"], interruptible: ["mail"] }
 * const chatting = { units: 1, perChannelKind: { chat: 1 } }
 * assert.equal(Capacity.exceeded(capacity, chatting, "call", 1), "together")
 * assert.equal(Capacity.exceeded(capacity, chatting, "mail", 1), undefined)
 * const writing = { units: 1, perChannelKind: { mail: 1 } }
 * assert.equal(Capacity.exceeded(capacity, writing, "call", 1), undefined)
 * const calling = { units: 2, perChannelKind: { mail: 1, call: 1 } }
 * assert.equal(Capacity.exceeded(capacity, calling, "mail", 1), "together")
 * ```
 */
export const Capacity = z.object({
  units: amount,
  perChannelKind: z.record(z.string(), amount).default({}),
  exclusive: channelKinds.exactOptional(),
  interruptible: channelKinds.exactOptional()
})
export type Capacity = z.infer<typeof Capacity>

/** What an agent holds, counted like {@link Capacity}: assigned items, open offers and wrap-up. */
export const Load = z.object({ units: amount, perChannelKind: z.record(z.string(), amount) })
export type Load = z.infer<typeof Load>

/** A capacity of so many units, with limits for some channel kinds. All kinds go together. */
export const make = (units: number, perChannelKind: Readonly<Record<string, number>> = {}): Capacity => ({
  units,
  perChannelKind: { ...perChannelKind }
})

/**
 * Which limit one more item would break: the total, that of its channel kind, or which kinds go `together`; `wrapUp` when it
 * would fit but for wrap-up.
 */
export const Limit = z.enum(["units", "channelKind", "together", "wrapUp"])
export type Limit = z.infer<typeof Limit>

/** The limit on one channel kind; the total where none is set. */
export const limitOf = (capacity: Capacity, channelKind: string): number =>
  Object.hasOwn(capacity.perChannelKind, channelKind) ? capacity.perChannelKind[channelKind]! : capacity.units

/** Whether work of one channel kind that an agent holds keeps work of another from them, whatever room they have. */
export const blocks = ({ exclusive, interruptible }: Capacity, heldKind: string, channelKind: string): boolean => {
  if (exclusive === undefined || heldKind === channelKind) return false
  return exclusive.includes(channelKind) ? !interruptible?.includes(heldKind) : exclusive.includes(heldKind)
}

/**
 * The limit that keeps an item out, or undefined when it fits: the first that binds of `units`, `channelKind` and `together`.
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
  if (held + weight > limitOf(capacity, channelKind)) return "channelKind"
  return Object.entries(load.perChannelKind).some(([kind, units]) => units > 0 && blocks(capacity, kind, channelKind))
    ? "together"
    : undefined
}
