/**
 * What a pool's engine is told: facts about agents and items, and requests it answers.
 *
 * Each is plain JSON. A signal with a `requestId` is a request: the engine answers it with a `requestAnswered` decision
 * of the same id, accepted or refused.
 *
 * @module
 */
import * as z from "zod"
import { Attributes } from "./Attributes.ts"
import type { InputError } from "./InputError.ts"
import { decodeWith } from "./internal/decodeWith.ts"
import { Status } from "./Presence.ts"
import { Relaxation } from "./Relaxation.ts"
import { Requirement } from "./Requirement.ts"
import type { Result } from "./Result.ts"
import { RoutingAgent } from "./RoutingAgent.ts"
import { WorkItem } from "./WorkItem.ts"

const id = z.string().min(1).max(128)
const requestId = z.string().min(1).max(256)
const offerId = z.string().min(1).max(160)

/** A profile is new or changed. A new agent starts offline. */
export const AgentUpdated = z.object({ type: z.literal("agentUpdated"), agent: RoutingAgent })

/** An agent left the pool: what they held waits again with its age. */
export const AgentRemoved = z.object({ type: z.literal("agentRemoved"), agentId: id })

/** An agent's presence changed, or should change when it is a request. */
export const PresenceChanged = z.object({
  type: z.literal("presenceChanged"),
  requestId: requestId.exactOptional(),
  agentId: id,
  status: Status,
  reason: z.string().max(128).exactOptional(),
  channels: z.record(z.string(), z.boolean()).exactOptional()
})

/** An item needs an agent. An item the pool knows already is left as it is. */
export const ItemArrived = z.object({ type: z.literal("itemArrived"), item: WorkItem })

/**
 * An item's priority, due time, queue, attributes, own requirement or own relaxation changed; null returns to the queue's,
 * or takes the due time away. Which step of the relaxation holds is looked up anew by its age when any but the first two did.
 */
export const ItemChanged = z.object({
  type: z.literal("itemChanged"),
  itemId: id,
  priority: WorkItem.shape.priority.unwrap().exactOptional(),
  dueAtMs: z.int().nullable().exactOptional(),
  queueId: id.exactOptional(),
  requirement: Requirement.nullable().exactOptional(),
  relaxation: Relaxation.nullable().exactOptional(),
  attributes: Attributes.exactOptional()
})

/** An item needs nobody any more: resolved, closed, or taken elsewhere. */
export const ItemRemoved = z.object({
  type: z.literal("itemRemoved"),
  itemId: id,
  reason: z.string().max(128).exactOptional()
})

/** An agent accepts an offer. */
export const OfferAccepted = z.object({ type: z.literal("offerAccepted"), requestId, offerId, agentId: id })

/** An agent declines an offer. */
export const OfferDeclined = z.object({
  type: z.literal("offerDeclined"),
  requestId,
  offerId,
  agentId: id,
  reason: z.string().max(128).exactOptional()
})

/** An agent takes a waiting item by hand. */
export const ItemPicked = z.object({ type: z.literal("itemPicked"), requestId, itemId: id, agentId: id })

/** An item is given to an agent, whoever has it; a supervisor who takes over names themselves. */
export const ItemAssigned = z.object({
  type: z.literal("itemAssigned"),
  requestId,
  itemId: id,
  agentId: id,
  by: id.exactOptional()
})

/** The agent who holds an item is done with it: it leaves the pool, or waits again with its age. */
export const ItemReleased = z.object({
  type: z.literal("itemReleased"),
  requestId: requestId.exactOptional(),
  itemId: id,
  agentId: id,
  next: z.enum(["leave", "wait"])
})

/** An agent is done wrapping up this item, or all of them. Nothing happens when there is nothing to end. */
export const WrapUpEnded = z.object({
  type: z.literal("wrapUpEnded"),
  requestId: requestId.exactOptional(),
  agentId: id,
  itemId: id.exactOptional()
})

/** Where a transfer goes. To a team or queue, the item waits there with its age; `requirement` replaces the queue's. */
export const TransferTarget = z.discriminatedUnion("kind", [
  z.object({ kind: z.literal("agent"), agentId: id }),
  z.object({ kind: z.literal("team"), team: id }),
  z.object({ kind: z.literal("queue"), queueId: id, requirement: Requirement.exactOptional() })
])
export type TransferTarget = z.infer<typeof TransferTarget>

/** An item should go to another agent, team or queue. */
export const TransferRequested = z.object({
  type: z.literal("transferRequested"),
  requestId,
  itemId: id,
  by: id,
  to: TransferTarget
})

/** Time passed. Every signal first settles what is due; this one does nothing else. */
export const Tick = z.object({ type: z.literal("tick") })

/** Everything an engine can be told. */
export const Signal = z.discriminatedUnion("type", [
  AgentUpdated,
  AgentRemoved,
  PresenceChanged,
  ItemArrived,
  ItemChanged,
  ItemRemoved,
  OfferAccepted,
  OfferDeclined,
  ItemPicked,
  ItemAssigned,
  ItemReleased,
  WrapUpEnded,
  TransferRequested,
  Tick
])
export type Signal = z.infer<typeof Signal>

/** Reads a signal from outside. **Fails with** an `InputError` that names the field. */
export const decode: (input: unknown) => Result<Signal, InputError> = decodeWith("A routing signal", Signal)
