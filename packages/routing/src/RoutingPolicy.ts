/**
 * The rules of a pool: in which order items are served, who is chosen, and how offers behave.
 *
 * **Example**
 *
 * ```ts
 * import { strict as assert } from "node:assert"
 * import { Requirement, RoutingPolicy } from "@switchboard/routing"
 *
 * const policy = RoutingPolicy.make({
 *   queues: [{ queueId: "billing", requirement: Requirement.skill("billing") }],
 *   order: [{ by: "agedPriority", pointsPerMinute: 2 }, { by: "age" }],
 *   offerTimeoutMs: 20_000
 * })
 * assert.equal(policy.awayAfterMissed, 3)
 * assert.equal(RoutingPolicy.decode({ offerTimeoutMs: "soon" }).ok, false)
 * ```
 *
 * @module
 */
import * as z from "zod"
import { ChoiceRule, Filling } from "./ChoiceRule.ts"
import { Helping } from "./Helping.ts"
import type { InputError } from "./InputError.ts"
import { decodeWith } from "./internal/decodeWith.ts"
import { OrderRule } from "./OrderRule.ts"
import type { Result } from "./Result.ts"
import { WorkQueue } from "./WorkQueue.ts"

const duration = z.int().min(0).max(31_536_000_000)

/**
 * What the items of a pool bring, as far as it is known beforehand: it decides nothing, `Overtaking` computes with it.
 *
 * **Shape** `priority` from the lowest to the highest. `dueInMs`: how long after its arrival an item is due, with `max` null when
 * some have no due time. `handlingMs`: what items themselves say of it; missing when they don't.
 *
 * **Units** milliseconds; both ends inclusive.
 */
export const Ranges = z.strictObject({
  priority: z.strictObject({ min: z.int(), max: z.int() }).default({ min: -1_000_000, max: 1_000_000 }),
  dueInMs: z.strictObject({ min: z.int(), max: z.int().nullable() }).default({ min: 0, max: null }),
  handlingMs: z.strictObject({ min: z.int(), max: z.int() }).exactOptional()
})
export type Ranges = z.infer<typeof Ranges>

/**
 * A pool's policy. Everything has a default.
 *
 * **Shape** `order` and `choice` are applied rule by rule; what is still equal goes by id, so that every order is total.
 * `helping` says when agents take work that isn't their own; each queue may have its own. `awayAfterMissed`: so many offers missed in a row set an agent away; null never does. `overCapacity`: whether an agent
 * who picks an item by hand may exceed their capacity. `ranges` is what is known of the items that come. `wrapUpMs` is how long
 * an item goes on holding its agent's capacity after it has ended there, by channel kind. `filling` says for single channel
 * kinds whether their items are spread over agents, packed or drained, before `choice`.
 *
 * **Units** milliseconds. Defaults: offers 30 s, decline memory 5 min, away after 3, no wrap-up.
 */
export const RoutingPolicy = z.strictObject({
  queues: z.array(WorkQueue).default([]),
  order: z.array(OrderRule).default([{ by: "priority" }, { by: "age" }]),
  choice: z.array(ChoiceRule).default([{ by: "leastLoaded" }, { by: "longestIdle" }]),
  helping: Helping.prefault({}),
  offerTimeoutMs: duration.min(1).default(30_000),
  declineMemoryMs: duration.default(300_000),
  awayAfterMissed: z.int().min(1).nullable().default(3),
  overCapacity: z.enum(["never", "onPick"]).default("never"),
  ranges: Ranges.prefault({}),
  wrapUpMs: z.record(z.string(), duration).exactOptional(),
  filling: z.record(z.string(), Filling).exactOptional()
})
export type RoutingPolicy = z.infer<typeof RoutingPolicy>

/** The default policy with these changes. **Gotchas** it doesn't check: use {@link decode} for configuration from outside. */
export const make = (changes: Partial<RoutingPolicy> = {}): RoutingPolicy => ({
  ...RoutingPolicy.parse({}),
  ...changes
})

/** Reads a policy from outside and fills in the defaults. **Fails with** an `InputError` that names the field. */
export const decode: (input: unknown) => Result<RoutingPolicy, InputError> = decodeWith(
  "A routing policy",
  RoutingPolicy
)
