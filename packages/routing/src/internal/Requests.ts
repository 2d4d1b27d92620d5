import type { Limit } from "../Capacity.ts"
import type { Refusal } from "../Decision.ts"
import * as Offer from "../Offer.ts"
import * as Requirement from "../Requirement.ts"
import type { Demand } from "./Demand.ts"
import type { AgentEntry, ItemEntry } from "./Entries.ts"

/** Why a request is refused: the code, the facts, and what to do instead. */

export const itemUnknown = (itemId: string): Refusal => ({
  code: "item_unknown",
  itemId,
  message: "This item isn't in the pool: it has left, or never arrived. Refresh the list."
})

export const agentUnknown = (agentId: string): Refusal => ({
  code: "agent_unknown",
  agentId,
  message: `No agent "${agentId}" in this pool: send agentUpdated with their profile first.`
})

export const agentOffline = (itemId: string, agentId: string): Refusal => ({
  code: "agent_offline",
  itemId,
  agentId,
  message: `${agentId} is offline: choose somebody on duty, or let a supervisor assign it directly.`
})

const fullBecause: Readonly<Record<Limit, string>> = {
  units: "has no room for this item: end something first",
  channelKind: "has as much of this item's channel kind as they may: end some of it first",
  together: "holds work that doesn't go together with this item: end that first",
  wrapUp: "is wrapping up: end that first"
}

export const capacityFull = (itemId: string, agentId: string, limit: Limit): Refusal => ({
  code: "capacity_full",
  itemId,
  agentId,
  limit,
  message: `${agentId} ${fullBecause[limit]}, or choose somebody else.`
})

export const queueUnknown = (itemId: string, queueId: string): Refusal => ({
  code: "queue_unknown",
  itemId,
  queueId,
  message: `The policy has no queue "${queueId}": choose one of its queues, or add it there.`
})

export const notHolder = ({ item, place }: ItemEntry, agentId: string): Refusal => ({
  code: "not_holder",
  itemId: item.itemId,
  agentId,
  ...(place.kind === "assigned" && { heldBy: place.agentId }),
  message: `${agentId} doesn't hold this item: only who holds it can let it go.`
})

export const offerOver = ({ item, place }: ItemEntry, offerId: string): Refusal => ({
  code: "offer_over",
  offerId,
  itemId: item.itemId,
  ...(place.kind === "assigned" && { heldBy: place.agentId }),
  message: "This offer is over: it was answered or taken back. Wait for the next one, or pick the item from the list."
})

/** Why an agent may not pick an item; undefined when they may, room apart. */
export const pickRefused = (entry: ItemEntry, agent: AgentEntry, demand: Demand): Refusal | undefined => {
  const { itemId } = entry.item
  const { agentId } = agent
  if (entry.agent === agent) return undefined
  if (entry.agent !== undefined) {
    const heldBy = entry.agent.agentId
    return entry.place.kind === "assigned"
      ? { code: "item_taken", itemId, heldBy, message: `${heldBy} has this item already: pick another.` }
      : {
          code: "item_offered",
          itemId,
          heldBy,
          message: `This item is being offered to ${heldBy}: pick another, or wait until the offer ends.`
        }
  }
  const unmet = Requirement.unmet(demand.requirementOf(entry.item, entry.step), agent.profile)
  if (unmet.length === 0) return undefined
  const message = "The agent doesn't meet what this item asks for: pick another, or ask a supervisor to assign it."
  return { code: "not_eligible", itemId, agentId, unmet, message }
}

/** The item of an offer that this agent may answer, or accepted already; otherwise why not. */
export const offeredItem = (
  { offerId, agentId }: { readonly offerId: string; readonly agentId: string },
  items: ReadonlyMap<string, ItemEntry>
): ItemEntry | Refusal => {
  const named = Offer.fromId(offerId)
  const entry = named && items.get(named.itemId)
  if (entry === undefined || named!.sequence > entry.offersMade) {
    const message = "No such offer: its item has left the pool, or it was never made. Refresh the list."
    return { code: "offer_unknown", offerId, message }
  }
  const { item, place } = entry
  const isCurrent = named!.sequence === entry.offersMade
  if (isCurrent && place.kind !== "waiting" && place.agentId === agentId) return entry
  if (isCurrent && place.kind === "offered")
    return {
      code: "offer_not_yours",
      offerId,
      itemId: item.itemId,
      heldBy: place.agentId,
      message: `This offer was made to ${place.agentId}: only they can answer it.`
    }
  if (entry.exclusions.some((exclusion) => exclusion.agentId === agentId && exclusion.cause === "missed")) {
    const message =
      "This offer has expired and the item went on: answer sooner, or pick it from the list if it still waits."
    return { code: "offer_expired", offerId, itemId: item.itemId, message }
  }
  return offerOver(entry, offerId)
}
