/**
 * The state of a pool as plain documents: one per item and one per agent, each to be stored on its own.
 *
 * @module
 */
import * as z from "zod"
import type { InputError } from "./InputError.ts"
import { decodeWith } from "./internal/decodeWith.ts"
import { Presence } from "./Presence.ts"
import type { Result } from "./Result.ts"
import { RoutingAgent } from "./RoutingAgent.ts"
import { Exclusion, WorkItem } from "./WorkItem.ts"

/**
 * Where an item stands.
 *
 * **Units** epoch milliseconds.
 */
export const Place = z.discriminatedUnion("kind", [
  z.object({ kind: z.literal("waiting") }),
  z.object({ kind: z.literal("offered"), agentId: z.string(), sinceMs: z.int(), expiresAtMs: z.int() }),
  z.object({ kind: z.literal("assigned"), agentId: z.string(), sinceMs: z.int() })
])
export type Place = z.infer<typeof Place>

/**
 * An item of a pool.
 *
 * **Shape** `offersMade` counts its offers and names the current one. A preference that has lapsed is no longer in `item`.
 * `step` counts the rows of its relaxation that hold, or held when it was offered; missing before the first.
 */
export const PoolItem = z.object({
  item: WorkItem,
  place: Place,
  offersMade: z.int().min(0),
  step: z.int().min(1).exactOptional(),
  exclusions: z.array(Exclusion).readonly()
})
export type PoolItem = z.infer<typeof PoolItem>

/**
 * What an item that has ended goes on holding of its agent's capacity.
 *
 * **Units** `untilMs`: epoch milliseconds, exclusive; `weight` capacity units.
 */
export const WrapUp = z.object({
  itemId: z.string(),
  channelKind: z.string(),
  weight: z.int().min(1),
  untilMs: z.int()
})
export type WrapUp = z.infer<typeof WrapUp>

/**
 * An agent of a pool. What they hold stands in the items, and in `wrapUps` what has ended and still takes capacity.
 *
 * **Shape** `missed` counts offers missed in a row. `assignedAtMs` is when they were last assigned an item, and `given` counts the
 * units assigned to them, both since they came on duty. `turn` numbers the pool's offers and assignments: theirs is the last
 * they got; it is kept only when the policy chooses by `roundRobin`. What is missing never happened.
 *
 * **Units** epoch milliseconds; capacity units.
 */
export const PoolAgent = z.object({
  agent: RoutingAgent,
  presence: Presence,
  idleSinceMs: z.int(),
  missed: z.int().min(0),
  assignedAtMs: z.int().exactOptional(),
  given: z.int().min(1).exactOptional(),
  turn: z.int().min(1).exactOptional(),
  wrapUps: z.array(WrapUp).min(1).readonly().exactOptional()
})
export type PoolAgent = z.infer<typeof PoolAgent>

/** A whole pool. */
export const Snapshot = z.object({ items: z.array(PoolItem).readonly(), agents: z.array(PoolAgent).readonly() })
export type Snapshot = z.infer<typeof Snapshot>

/** Reads a stored pool. **Fails with** an `InputError` that names the field. */
export const decode: (input: unknown) => Result<Snapshot, InputError> = decodeWith("A pool", Snapshot)
