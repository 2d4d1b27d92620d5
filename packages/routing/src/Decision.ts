/**
 * What a pool's engine decides, each with a compact record of why.
 *
 * An item's life in decisions: `itemQueued` → `itemRelaxed`* → `offerMade` → (`offerDeclined` | `offerExpired` | `offerWithdrawn` → it
 * waits again)* → `itemAssigned` → `itemQueued` again or `itemLeft`.
 *
 * @module
 */
import * as z from "zod"
import { Limit } from "./Capacity.ts"
import type { InputError } from "./InputError.ts"
import { decodeWith } from "./internal/decodeWith.ts"
import { Offer } from "./Offer.ts"
import { Status } from "./Presence.ts"
import { Unmet } from "./Requirement.ts"
import type { Result } from "./Result.ts"

const id = z.string()

/**
 * Why this item met this agent.
 *
 * **Shape** `chose` is what was being chosen: an `agent` for an item, or an `item` for an agent who has room. `winner`
 * and `runnerUp` are ids of that. `compared` counts the candidates that were possible, not the ones ruled out before.
 * `decidedBy` is the rule that put the winner before the runner-up (`spread`, `pack` or `drain`: the policy's `filling`), `ownWork` (it is the agent's own, and the runner-up's would
 * have been help), `onlyCandidate`, `preferredAgent` (the only one of those preferred), or `id` when all rules were equal.
 */
export const MatchRecord = z.object({
  chose: z.enum(["agent", "item"]),
  winner: id,
  runnerUp: id.exactOptional(),
  compared: z.int(),
  decidedBy: z.enum([
    "onlyCandidate",
    "preferredAgent",
    "ownWork",
    "priority",
    "age",
    "agedPriority",
    "earliestDue",
    "leastSlack",
    "queueCost",
    "queueShares",
    "longestQueue",
    "score",
    "spread",
    "pack",
    "drain",
    "leastLoaded",
    "longestIdle",
    "bestFit",
    "fewestSkills",
    "roundRobin",
    "weighted",
    "sticky",
    "id"
  ])
})
export type MatchRecord = z.infer<typeof MatchRecord>

/**
 * What an item waits for: the first that is missing of somebody who meets the requirement, somebody of those who is
 * available, room for it, somebody whose own work it is or who may help with it, somebody who hasn't just declined it; or its
 * preferred agent, one of them when there are several.
 */
export const WaitsFor = z.enum([
  "eligibleAgent",
  "availableAgent",
  "capacity",
  "homeAgent",
  "declineMemory",
  "preferredAgent"
])
export type WaitsFor = z.infer<typeof WaitsFor>

/**
 * Why a request was refused.
 *
 * **Shape** `message` says what to do; the other fields are the facts behind the code.
 */
export const Refusal = z.object({
  code: z.enum([
    "agent_unknown",
    "agent_offline",
    "item_unknown",
    "item_offered",
    "item_taken",
    "not_eligible",
    "not_holder",
    "capacity_full",
    "queue_unknown",
    "offer_unknown",
    "offer_expired",
    "offer_over",
    "offer_not_yours"
  ]),
  message: z.string(),
  itemId: id.exactOptional(),
  agentId: id.exactOptional(),
  offerId: id.exactOptional(),
  queueId: id.exactOptional(),
  heldBy: id.exactOptional(),
  limit: Limit.exactOptional(),
  unmet: z.array(Unmet).readonly().exactOptional()
})
export type Refusal = z.infer<typeof Refusal>

/** The answer to the request with this id. What follows from an accepted one comes right after it. */
export const RequestAnswered = z.object({
  type: z.literal("requestAnswered"),
  requestId: z.string(),
  outcome: z.enum(["accepted", "refused"]),
  refusal: Refusal.exactOptional()
})

/**
 * An item waits: new, handed back, or sent on by a transfer. `waitsFor` is missing when an offer follows at once. `step`
 * counts the rows of its relaxation in force; missing before the first.
 */
export const ItemQueued = z.object({
  type: z.literal("itemQueued"),
  itemId: id,
  queueId: id,
  cause: z.enum(["arrived", "handedBack", "transferred", "agentRemoved"]),
  fromAgentId: id.exactOptional(),
  waitsFor: WaitsFor.exactOptional(),
  step: z.int().exactOptional()
})

/**
 * An item that waits asks for something else from now on: the next step of its relaxation holds.
 *
 * **Shape** `step` of `of` rows are in force. `cause`: its `age`, or that `nobodyOnDuty` was left to ask at the step before.
 *
 * **Units** `nextAtMs`: epoch milliseconds of the step after; missing at the last.
 */
export const ItemRelaxed = z.object({
  type: z.literal("itemRelaxed"),
  itemId: id,
  step: z.int(),
  of: z.int(),
  cause: z.enum(["age", "nobodyOnDuty"]),
  nextAtMs: z.int().exactOptional()
})

/** An item was offered to an agent, at this step of its relaxation; without `step`, before the first. */
export const OfferMade = Offer.extend({
  type: z.literal("offerMade"),
  record: MatchRecord,
  step: z.int().exactOptional()
})

/** An agent declined; the item waits again. */
export const OfferDeclined = z.object({
  type: z.literal("offerDeclined"),
  offerId: id,
  itemId: id,
  agentId: id,
  reason: z.string().exactOptional()
})

/** Nobody answered in time; the item waits again. `missed` counts the offers this agent missed in a row. */
export const OfferExpired = z.object({
  type: z.literal("offerExpired"),
  offerId: id,
  itemId: id,
  agentId: id,
  missed: z.int()
})

/** An offer was taken back before it was answered. The item waits again unless another decision says where it went. */
export const OfferWithdrawn = z.object({
  type: z.literal("offerWithdrawn"),
  offerId: id,
  itemId: id,
  agentId: id,
  cause: z.enum([
    "agentUnavailable",
    "agentChanged",
    "agentRemoved",
    "itemChanged",
    "itemRemoved",
    "itemAssigned",
    "itemTransferred"
  ])
})

/** An agent holds an item now. `fromAgentId` held it until then. */
export const ItemAssigned = z.object({
  type: z.literal("itemAssigned"),
  itemId: id,
  agentId: id,
  how: z.enum(["offer", "pick", "direct", "transfer"]),
  offerId: id.exactOptional(),
  by: id.exactOptional(),
  fromAgentId: id.exactOptional(),
  overCapacity: z.literal(true).exactOptional()
})

/** An item is no longer in the pool. `wrapUpUntilMs`: until then it goes on holding its agent's capacity, or until they are done. */
export const ItemLeft = z.object({
  type: z.literal("itemLeft"),
  itemId: id,
  fromAgentId: id.exactOptional(),
  cause: z.enum(["ended", "removed"]),
  reason: z.string().exactOptional(),
  wrapUpUntilMs: z.int().exactOptional()
})

/** An item that left earlier no longer holds its agent's capacity: its `time` has passed, or they have `told` so. */
export const WrapUpEnded = z.object({
  type: z.literal("wrapUpEnded"),
  agentId: id,
  itemId: id,
  cause: z.enum(["time", "told"])
})

/** An agent's presence from now on. */
export const PresenceSet = z.object({
  type: z.literal("presenceSet"),
  agentId: id,
  status: Status,
  reason: z.string().exactOptional(),
  channels: z.record(z.string(), z.boolean()).exactOptional(),
  cause: z.enum(["told", "missedOffers"])
})

/** Everything an engine can decide. */
export const Decision = z.discriminatedUnion("type", [
  RequestAnswered,
  ItemQueued,
  ItemRelaxed,
  OfferMade,
  OfferDeclined,
  OfferExpired,
  OfferWithdrawn,
  ItemAssigned,
  ItemLeft,
  WrapUpEnded,
  PresenceSet
])
export type Decision = z.infer<typeof Decision>

/** Reads a stored decision. **Fails with** an `InputError` that names the field. */
export const decode: (input: unknown) => Result<Decision, InputError> = decodeWith("A routing decision", Decision)
