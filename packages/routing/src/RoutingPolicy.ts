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
import type { InputError } from "./InputError.ts"
import { decodeWith } from "./internal/decodeWith.ts"
import type { Result } from "./Result.ts"
import { WorkQueue } from "./WorkQueue.ts"

/**
 * One rule of the order in which waiting items are served.
 *
 * **Shape** `priority`: the higher first · `agedPriority`: priority plus `pointsPerMinute` for every minute of age, the
 * higher first · `age`: the older first.
 */
export const OrderRule = z.discriminatedUnion("by", [
  z.strictObject({ by: z.literal("priority") }),
  z.strictObject({ by: z.literal("agedPriority"), pointsPerMinute: z.number().positive().max(1_000_000) }),
  z.strictObject({ by: z.literal("age") })
])
export type OrderRule = z.infer<typeof OrderRule>

/**
 * One rule for choosing among agents who could all take an item.
 *
 * **Shape** `leastLoaded`: the smallest share of their units in use · `longestIdle`: the longest time since their last
 * item ended, or since they came back from offline when that was later. A start of work doesn't change it.
 */
export const ChoiceRule = z.discriminatedUnion("by", [
  z.strictObject({ by: z.literal("leastLoaded") }),
  z.strictObject({ by: z.literal("longestIdle") })
])
export type ChoiceRule = z.infer<typeof ChoiceRule>

const duration = z.int().min(0).max(31_536_000_000)

/**
 * A pool's policy. Everything has a default.
 *
 * **Shape** `order` and `choice` are applied rule by rule; what is still equal goes by id, so that every order is total.
 * `awayAfterMissed`: so many offers missed in a row set an agent away; null never does. `overCapacity`: whether an agent
 * who picks an item by hand may exceed their capacity.
 *
 * **Units** milliseconds. Defaults: offers 30 s, decline memory 5 min, away after 3.
 *
 * **Gotchas** `choice` without `leastLoaded` gives several items in a row to the agent who is longest idle, because
 * being assigned one doesn't end their idle time.
 */
export const RoutingPolicy = z.strictObject({
  queues: z.array(WorkQueue).default([]),
  order: z.array(OrderRule).default([{ by: "priority" }, { by: "age" }]),
  choice: z.array(ChoiceRule).default([{ by: "leastLoaded" }, { by: "longestIdle" }]),
  offerTimeoutMs: duration.min(1).default(30_000),
  declineMemoryMs: duration.default(300_000),
  awayAfterMissed: z.int().min(1).nullable().default(3),
  overCapacity: z.enum(["never", "onPick"]).default("never")
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

/**
 * How far a waiting item can be overtaken by later ones.
 *
 * **Shape** `bounded`: only by items that arrive within `withinMs` after it · `unbounded`: by any number of later ones.
 */
export type Overtaking =
  | { readonly kind: "bounded"; readonly withinMs: number }
  | { readonly kind: "unbounded"; readonly because: string }

/**
 * How far the order lets later items overtake earlier ones, when priorities differ by at most `priorityRange`.
 *
 * **Gotchas** among items that the same agents may take and that weigh the same. A heavy item can be passed by lighter
 * ones as long as nobody has enough capacity left at once.
 *
 * **Example**
 *
 * ```ts
 * import { strict as assert } from "node:assert"
 * import { RoutingPolicy } from "@switchboard/routing"
 *
 * const ageing = RoutingPolicy.make({ order: [{ by: "agedPriority", pointsPerMinute: 2 }] })
 * assert.deepEqual(RoutingPolicy.overtaking(ageing, 10), { kind: "bounded", withinMs: 300_000 })
 * assert.equal(RoutingPolicy.overtaking(RoutingPolicy.make(), 10).kind, "unbounded")
 * ```
 */
export const overtaking = (policy: RoutingPolicy, priorityRange: number): Overtaking => {
  for (const rule of policy.order) {
    if (rule.by === "age") return { kind: "bounded", withinMs: 0 }
    if (rule.by === "agedPriority")
      return { kind: "bounded", withinMs: (priorityRange / rule.pointsPerMinute) * 60_000 }
    if (priorityRange > 0)
      return {
        kind: "unbounded",
        because: "priority comes first and doesn't grow with age; put agedPriority in its place to bound the wait"
      }
  }
  return { kind: "unbounded", because: 'no rule looks at age; add { by: "age" }' }
}
