/**
 * The rules that choose among agents who could all take an item. A policy lists them; what one leaves equal goes to the
 * next, and at last by id.
 *
 * **Example**
 *
 * ```ts
 * import { strict as assert } from "node:assert"
 * import { Capacity, Requirement, RoutingAgent, RoutingEngine, RoutingPolicy, WorkItem } from "@switchboard/routing"
 *
 * const engine = RoutingEngine.make(RoutingPolicy.make({ choice: [{ by: "sticky" }, { by: "fewestSkills" }] }))
 * const skillsOf = { ada: { billing: 3 }, bob: { billing: 2, returns: 5 }, cleo: { billing: 4, returns: 1, tax: 2 } }
 * for (const [agentId, skills] of Object.entries(skillsOf)) {
 *   const agent = RoutingAgent.make({ agentId, skills, capacity: Capacity.make(1) })
 *   engine.apply({ type: "agentUpdated", agent }, 0)
 *   engine.apply({ type: "presenceChanged", agentId, status: "available" }, 0)
 * }
 * const offeredTo = (itemId: string, knownBy: ReadonlyArray<string>) => {
 *   const requirement = Requirement.skill("billing")
 *   const item = WorkItem.make({ itemId, queueId: "q", channelKind: "chat", arrivedAtMs: 1, requirement, knownBy })
 *   const offer = engine.apply({ type: "itemArrived", item }, 1).at(-1)
 *   return offer?.type === "offerMade" ? [offer.agentId, offer.record.decidedBy] : []
 * }
 * assert.deepEqual(offeredTo("c1", ["cleo"]), ["cleo", "sticky"])
 * assert.deepEqual(offeredTo("c2", []), ["ada", "fewestSkills"])
 * ```
 *
 * @module
 */
import * as z from "zod"

/**
 * One rule for choosing among agents who could all take an item.
 *
 * **Shape**
 * - `leastLoaded`: the smallest share of their units in use, open offers included.
 * - `longestIdle`: the longest time since their last item `ended` (the default), or since they were last `assigned` one; or since
 *   they came back from offline, when that was later.
 * - `bestFit`: the highest sum of their levels in the skills that the item's requirement names, each times its weight in
 *   `weights` (1 where none is given). What stands under a `not` is not counted.
 * - `fewestSkills`: the fewest skills, so that generalists stay free.
 * - `roundRobin`: who was given work longest ago, by an offer or without one; first those who never were.
 * - `weighted`: the fewest units given since they came on duty, open offers included, for their `weight`.
 * - `sticky`: the first of the item's `knownBy` who is among the candidates. It never waits for anyone: `preferred` does.
 *
 * **Gotchas** `longestIdle` and `bestFit` alone give several items in a row to the same agent as long as they have room: put
 * `leastLoaded` before or after it. With `weighted`, who comes on duty later is given more until they have caught up.
 */
export const ChoiceRule = z.discriminatedUnion("by", [
  z.strictObject({ by: z.literal("leastLoaded") }),
  z.strictObject({ by: z.literal("longestIdle"), since: z.enum(["ended", "assigned"]).exactOptional() }),
  z.strictObject({
    by: z.literal("bestFit"),
    weights: z.record(z.string(), z.number().min(0).max(1_000_000)).exactOptional()
  }),
  z.strictObject({ by: z.literal("fewestSkills") }),
  z.strictObject({ by: z.literal("roundRobin") }),
  z.strictObject({ by: z.literal("weighted") }),
  z.strictObject({ by: z.literal("sticky") })
])
export type ChoiceRule = z.infer<typeof ChoiceRule>

/**
 * How the items of one channel kind are laid on the agents who could take them, before any rule of choice.
 *
 * **Shape**
 *
 * - `spread`: the smallest share of units in use first, as by `leastLoaded`. Good where everybody does the same light work.
 * - `pack`: the largest share of units in use first, of those who have room. The others stay free for heavy items.
 * - `drain`: first who holds this channel kind and nothing else, then who holds it beside others, then who holds only
 *   others, at last who holds nothing; of those who hold it, the most units of it first. Who has little of it is given no
 *   more while others have room, and runs empty.
 *
 * **Gotchas** work that is an agent's own comes first all the same. Open offers and wrap-up count as held.
 *
 * **Example**
 *
 * ```ts
 * import { strict as assert } from "node:assert"
 * import { Capacity, RoutingAgent, RoutingEngine, RoutingPolicy, WorkItem } from "@switchboard/routing"
 *
 * const engine = RoutingEngine.make(RoutingPolicy.make({ filling: { mail: "pack" } }))
 * for (const agentId of ["ada", "bob"]) {
 *   const agent = RoutingAgent.make({ agentId, capacity: Capacity.make(3) })
 *   engine.apply({ type: "agentUpdated", agent }, 0)
 *   engine.apply({ type: "presenceChanged", agentId, status: "available" }, 0)
 * }
 * const offeredTo = (itemId: string, channelKind: string) => {
 *   const item = WorkItem.make({ itemId, queueId: "q", channelKind, arrivedAtMs: 1 })
 *   const offer = engine.apply({ type: "itemArrived", item }, 1).at(-1)
 *   return offer?.type === "offerMade" ? [offer.agentId, offer.record.decidedBy] : []
 * }
 * assert.deepEqual(offeredTo("m1", "mail"), ["ada", "id"])
 * assert.deepEqual(offeredTo("m2", "mail"), ["ada", "pack"])
 * assert.deepEqual(offeredTo("c1", "chat"), ["bob", "leastLoaded"])
 * ```
 */
export const Filling = z.enum(["spread", "pack", "drain"])
export type Filling = z.infer<typeof Filling>
