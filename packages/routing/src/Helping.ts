/**
 * When agents take work of queues that aren't theirs.
 *
 * An agent with `homeQueues` takes their own work first, whatever the order says. They help another queue only when enough
 * of its work waits, when nobody of its own is on duty for it, or when the item has waited a while; and only while enough of
 * their colleagues stay free for their own queues. Taking whatever waits, at once, looks better and is worse: who helps a single
 * waiting item is missing a moment later where they are needed.
 *
 * **Example**
 *
 * ```ts
 * import { strict as assert } from "node:assert"
 * import { Capacity, RoutingAgent, RoutingEngine, RoutingPolicy, WorkItem } from "@switchboard/routing"
 *
 * const engine = RoutingEngine.make(RoutingPolicy.make({ helping: { fromLength: 2, afterMs: 20_000, keepFree: 0 } }))
 * for (const [agentId, home] of [["sam", "sales"], ["sue", "support"]] as const) {
 *   const agent = RoutingAgent.make({ agentId, homeQueues: [home], capacity: Capacity.make(1) })
 *   engine.apply({ type: "agentUpdated", agent }, 0)
 *   engine.apply({ type: "presenceChanged", agentId, status: "available" }, 0)
 * }
 * const arrive = (itemId: string, atMs: number) => {
 *   const item = WorkItem.make({ itemId, queueId: "sales", channelKind: "chat", arrivedAtMs: atMs })
 *   const decisions = engine.apply({ type: "itemArrived", item }, atMs)
 *   return decisions.flatMap((each) => (each.type === "offerMade" ? [`${each.itemId} to ${each.agentId}`] : []))
 * }
 * assert.deepEqual(arrive("c1", 1), ["c1 to sam"])
 * // One waits: it is kept for sam. Two wait: sue helps, with the older one.
 * assert.deepEqual(arrive("c2", 2), [])
 * assert.deepEqual(arrive("c3", 3), ["c2 to sue"])
 * ```
 *
 * @module
 */
import * as z from "zod"

const shape = {
  fromLength: z.int().min(1).max(1_000_000),
  afterMs: z.int().min(0).max(31_536_000_000),
  keepFree: z.int().min(0).max(100_000)
}

/**
 * The conditions for helping a queue, and for leaving one to help elsewhere.
 *
 * **Shape** others help with a queue when at least `fromLength` of its items wait, counting the item itself; or when none of
 * its home agents who could take the item is available or busy on its channel kind; or when the item's age reaches `afterMs`.
 * `keepFree`: its home agents help elsewhere only while so many others of them are free. A queue's home agents are those who
 * list it, and those who list no queue.
 *
 * **Units** items; milliseconds of age, inclusive; agents. Defaults: 2, 20 s, 0.
 *
 * **Gotchas** a home agent who has just turned the item down still counts as on duty. Preferred agents are asked whatever
 * their home.
 */
export const Helping = z.strictObject({
  fromLength: shape.fromLength.default(2),
  afterMs: shape.afterMs.default(20_000),
  keepFree: shape.keepFree.default(0)
})
export type Helping = z.infer<typeof Helping>

/** What one queue has in place of the policy's {@link Helping}. */
export const Overrides = z.strictObject({
  fromLength: shape.fromLength.exactOptional(),
  afterMs: shape.afterMs.exactOptional(),
  keepFree: shape.keepFree.exactOptional()
})
export type Overrides = z.infer<typeof Overrides>
