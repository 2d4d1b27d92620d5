/**
 * A pool's engine: told what happens, it decides who is offered what.
 *
 * It holds its state in memory and does no I/O; time is an argument. The same signals at the same instants give the same
 * decisions, also after a restore from the documents in between.
 *
 * **Example**
 *
 * ```ts
 * import { strict as assert } from "node:assert"
 * import { Capacity, RoutingAgent, RoutingEngine, RoutingPolicy, WorkItem } from "@switchboard/routing"
 *
 * const engine = RoutingEngine.make(RoutingPolicy.make({ offerTimeoutMs: 20_000 }))
 * const ada = RoutingAgent.make({ agentId: "ada", capacity: Capacity.make(2) })
 * engine.apply({ type: "agentUpdated", agent: ada }, 0)
 * engine.apply({ type: "presenceChanged", agentId: "ada", status: "available" }, 0)
 *
 * const item = WorkItem.make({ itemId: "c1", queueId: "support", channelKind: "chat", arrivedAtMs: 1_000 })
 * const [queued, offer] = engine.apply({ type: "itemArrived", item }, 1_000)
 * assert.equal(queued?.type, "itemQueued")
 * assert.equal(offer?.type === "offerMade" && offer.agentId, "ada")
 * assert.equal(engine.nextDueAt(), 21_000)
 *
 * const answer = engine.apply({ type: "offerAccepted", requestId: "r1", offerId: "c1.1", agentId: "ada" }, 2_000)
 * assert.deepEqual(answer, [
 *   { type: "requestAnswered", requestId: "r1", outcome: "accepted" },
 *   { type: "itemAssigned", itemId: "c1", agentId: "ada", how: "offer", offerId: "c1.1" }
 * ])
 * ```
 *
 * @module
 */
import type { Decision } from "./Decision.ts"
import type { AgentExplanation, ItemExplanation } from "./Explanation.ts"
import { Engine } from "./internal/Engine.ts"
import type { PoolAgent, PoolItem, Snapshot } from "./Pool.ts"
import type { RoutingPolicy } from "./RoutingPolicy.ts"
import type { Signal } from "./Signal.ts"
import type { WorkItem } from "./WorkItem.ts"

/**
 * How much stands in one queue.
 *
 * **Shape** counts by place. `oldestArrivedAtMs` is of those no agent has accepted yet; missing when there is none.
 *
 * **Units** items; epoch milliseconds.
 */
export interface QueueDepth {
  readonly queueId: string
  readonly waiting: number
  readonly offered: number
  readonly assigned: number
  readonly oldestArrivedAtMs?: number
}

/** The engine of one pool. */
export interface RoutingEngine {
  /**
   * Settles what is due at `now`, then the signal, and returns what was decided, in order.
   *
   * **Units** `now`: epoch milliseconds.
   *
   * **Gotchas** decisions count at once. If they could not be stored, discard the engine and {@link restore} it from what
   * was. The engine keeps no reference to the list it returns, but doesn't copy what signals carry: don't change it.
   */
  apply(signal: Signal, now: number): ReadonlyArray<Decision>
  /** The earliest instant at which time alone may decide something: set a timer for it and apply a `tick`. */
  nextDueAt(): number | undefined
  /** The whole pool, sorted by id. */
  snapshot(): Snapshot
  /** What to store for an item; undefined when it has left the pool: delete it. */
  itemDocument(itemId: string): PoolItem | undefined
  /** What to store for an agent; undefined when they have left the pool: delete it. */
  agentDocument(agentId: string): PoolAgent | undefined
  /** Whose documents changed since the last call. */
  takeChanged(): { readonly items: ReadonlyArray<string>; readonly agents: ReadonlyArray<string> }
  /** The depth of every queue of the policy, and of those that items name beside it. One pass over all items. */
  queueDepths(): ReadonlyArray<QueueDepth>
  /**
   * The first waiting items of the pool in the order they are served at `now`, or else as of the last signal. It costs what
   * `limit` and the number of lines make it cost, however many wait.
   */
  waiting(limit: number, now?: number): ReadonlyArray<WorkItem>
  /** Why an item stands where it does; undefined when it isn't in the pool. Looks at every agent and waiting item. */
  explain(itemId: string, now: number): ItemExplanation | undefined
  /** What an agent holds and would get next; undefined when they aren't in the pool. */
  explainAgent(agentId: string, now: number): AgentExplanation | undefined
}

/** An empty pool. */
export const make = (policy: RoutingPolicy): RoutingEngine => new Engine(policy)

/**
 * A pool as its documents say.
 *
 * **Gotchas** under another policy than before, the first `apply` also makes the offers that only the new one allows.
 * Items whose agent has no document wait again. An item's own requirement and open offers stay as they were.
 */
export const restore = (policy: RoutingPolicy, snapshot: Snapshot): RoutingEngine => Engine.restore(policy, snapshot)
