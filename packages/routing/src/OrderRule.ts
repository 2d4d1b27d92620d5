/**
 * The rules that put waiting items in order. A policy lists them; what one leaves equal goes to the next, and at last by id.
 *
 * **Example**
 *
 * ```ts
 * import { strict as assert } from "node:assert"
 * import { RoutingPolicy } from "@switchboard/routing"
 *
 * const policy = RoutingPolicy.decode({
 *   queues: [
 *     { queueId: "sales", costPerMinute: 3, handlingMs: 240_000 },
 *     { queueId: "support", costPerMinute: 1, handlingMs: 480_000 }
 *   ],
 *   order: [{ by: "queueCost", cost: "growing" }, { by: "age" }]
 * })
 * assert.equal(policy.ok, true)
 * assert.equal(RoutingPolicy.decode({ order: [{ by: "queueCost" }] }).ok, false)
 * ```
 *
 * @module
 */
import * as z from "zod"

const id = z.string().min(1).max(128)
const points = z.number().min(-1_000_000).max(1_000_000)
const rate = z.number().min(0).max(1_000_000)

/** What the `score` rule knows of one queue: points from the start, and points for every minute of waiting. */
export const QueueScore = z.strictObject({ queueId: id, credit: points.default(0), pointsPerMinute: rate.default(0) })
export type QueueScore = z.infer<typeof QueueScore>

/** Points that the `score` rule adds when an item of `queueId` meets an agent at home in `homeQueueId`. */
export const PairBonus = z.strictObject({ queueId: id, homeQueueId: id, points })
export type PairBonus = z.infer<typeof PairBonus>

/**
 * One rule of the order in which waiting items are served.
 *
 * **Shape**
 * - `priority`: the higher first.
 * - `age`: the older first.
 * - `agedPriority`: priority plus `pointsPerMinute` for every minute of age, the higher first.
 * - `earliestDue`: the item's `dueAtMs`, the sooner first; items without one come last.
 * - `leastSlack`: `dueAtMs` minus the handling time expected (the item's `handlingMs`, or else its queue's, or else 0),
 *   the sooner first; items without a due time come last.
 * - `queueCost`: the queue's `costPerMinute` divided by its `handlingMs`, the higher first. `flat` costs the same at any
 *   age (the cµ rule), `growing` costs more with every minute waited (the generalised cµ rule).
 * - `queueShares`: first the queue whose part of all the units that agents hold at this moment is furthest below its
 *   `share` of all shares.
 * - `longestQueue`: first the queue with the most items waiting.
 * - `score`: the queue's `credit`, plus its `pointsPerMinute` for every minute of age, plus the highest `bonus` for its pair with
 *   one of the agent's home queues; the higher first. Queues that aren't listed have none.
 *
 * **Units** minutes and milliseconds of age, which counts from `arrivedAtMs`.
 *
 * **Gotchas** a queue without `handlingMs` counts as one minute for `queueCost`; without `costPerMinute` or `share`, as 0.
 *
 * **Source** cµ: Cox and Smith, Queues (1961). Generalised cµ: Van Mieghem, Dynamic Scheduling with Convex Delay Costs (1995).
 */
export const OrderRule = z.discriminatedUnion("by", [
  z.strictObject({ by: z.literal("priority") }),
  z.strictObject({ by: z.literal("age") }),
  z.strictObject({ by: z.literal("agedPriority"), pointsPerMinute: z.number().positive().max(1_000_000) }),
  z.strictObject({ by: z.literal("earliestDue") }),
  z.strictObject({ by: z.literal("leastSlack") }),
  z.strictObject({ by: z.literal("queueCost"), cost: z.enum(["flat", "growing"]) }),
  z.strictObject({ by: z.literal("queueShares") }),
  z.strictObject({ by: z.literal("longestQueue") }),
  z.strictObject({
    by: z.literal("score"),
    queues: z.array(QueueScore).max(10_000).readonly().default([]),
    bonuses: z.array(PairBonus).max(10_000).readonly().default([])
  })
])
export type OrderRule = z.infer<typeof OrderRule>
