import type { Decision } from "../../Decision.ts"
import * as Offer from "../../Offer.ts"
import type { Snapshot } from "../../Pool.ts"
import type { Entry, Recalled, Recorded, Stint } from "../../Replay.ts"
import * as RoutingEngine from "../../RoutingEngine.ts"
import type { RoutingPolicy } from "../../RoutingPolicy.ts"
import type { WorkItem } from "../../WorkItem.ts"
import { isSame } from "./isSame.ts"

/** An item while its record is read. */
interface Reading {
  readonly item: WorkItem
  readonly isCounted: boolean
  readonly answers: Record<number, Array<Recalled>>
  readonly openMs: Record<number, number>
  readonly stints: Array<Stint>
  gaveUp?: Recalled
  waitedMs?: number
  /** Every offer by its number, and the number of the one that is open. */
  readonly offers: Record<number, { readonly agentId: string; readonly sinceMs: number }>
  open?: number | undefined
  held?: { readonly agentId: string; readonly sinceMs: number; readonly times: number } | undefined
  assigned: number
}

const reading = (item: WorkItem, isCounted: boolean): Reading => ({
  item,
  isCounted,
  answers: {},
  openMs: {},
  stints: [],
  offers: {},
  assigned: 0
})

const numberOf = (offerId: string): number => Offer.fromId(offerId)?.sequence ?? 1

const itemOf = (offerId: string): string | undefined => Offer.fromId(offerId)?.itemId

/** Timers are late by moments; a pool that was down for longer is no habit to repeat. */
const latest = 5000

/** Reads what would have been the same under other rules out of what happened. */
export const readRecord = (policy: RoutingPolicy, entries: Iterable<Entry>, from?: Snapshot): Recorded => {
  const engine = from === undefined ? RoutingEngine.make(policy) : RoutingEngine.restore(policy, from)
  /** Those in the pool. An item that left may come again, and is another then. */
  const items = new Map<string, Reading>()
  const visits: Array<Reading> = []
  const enter = (item: WorkItem, isCounted: boolean): Reading => {
    const read = reading(item, isCounted)
    items.set(item.itemId, read)
    visits.push(read)
    return read
  }

  const kept: Array<Required<Entry>> = []
  const told: Array<Recorded["told"][number]> = []
  let latenessMs = 0
  let differsAt: number | undefined
  let startMs: number | undefined

  const closeOffer = (read: Reading, atMs: number): undefined => {
    if (read.open === undefined) return
    read.openMs[read.open] = atMs - read.offers[read.open]!.sinceMs
    read.open = undefined
  }

  const follow = (decision: Decision, atMs: number): undefined => {
    if (!("itemId" in decision)) return
    const read = items.get(decision.itemId)
    if (read === undefined) return
    switch (decision.type) {
      case "offerMade":
        read.open = numberOf(decision.offerId)
        read.offers[read.open] = { agentId: decision.agentId, sinceMs: atMs }
        return
      case "offerDeclined":
      case "offerExpired":
      case "offerWithdrawn":
        // Only a withdrawn offer leaves open what would have become of it.
        if (decision.type !== "offerWithdrawn" && read.open !== undefined) read.answers[read.open] ??= []
        return closeOffer(read, atMs)
      case "itemAssigned":
        closeOffer(read, atMs)
        read.assigned++
        if (read.assigned === 1 && read.isCounted) read.waitedMs = atMs - read.item.arrivedAtMs
        read.held = { agentId: decision.agentId, sinceMs: atMs, times: read.assigned }
        return
      case "itemQueued":
        if (decision.cause === "agentRemoved" && read.held !== undefined)
          read.stints.push({ agentId: read.held.agentId, heldMs: atMs - read.held.sinceMs })
        read.held = undefined
        return
      case "itemLeft":
        closeOffer(read, atMs)
        read.held = undefined
        items.delete(decision.itemId)
    }
  }

  for (const { atMs, signal, decisions: recorded } of entries) {
    const order = kept.length
    if (startMs === undefined) {
      startMs = atMs
      for (const { item, place, offersMade } of from?.items ?? []) {
        const read = enter(item, false)
        if (place.kind === "waiting") continue
        const { agentId, sinceMs } = place
        if (place.kind === "offered") {
          read.offers[offersMade] = { agentId, sinceMs }
          read.open = offersMade
        } else {
          read.assigned = 1
          read.held = { agentId, sinceMs: atMs, times: 1 }
        }
      }
    }
    const due = engine.nextDueAt()
    if (due !== undefined && atMs > due) latenessMs = Math.max(latenessMs, Math.min(latest, atMs - due))
    const decided = engine.apply(signal, atMs)
    engine.takeChanged()
    const decisions = recorded ?? decided
    if (recorded !== undefined && differsAt === undefined && !isSame(recorded, decided)) differsAt = order
    kept.push({ atMs, signal, decisions })

    if (signal.type === "itemArrived") {
      const isNew = !items.has(signal.item.itemId)
      if (isNew) enter(signal.item, true)
      // What the pool knew already changed nothing, except that what was due was settled.
      told.push({ atMs, order, ...(isNew ? { signal, visit: visits.length - 1 } : { signal: { type: "tick" } }) })
    }
    const answered = signal.type === "offerAccepted" || signal.type === "offerDeclined" ? signal : undefined
    const itemId = answered !== undefined ? itemOf(answered.offerId) : "itemId" in signal ? signal.itemId : undefined
    const read = itemId === undefined ? undefined : items.get(itemId)
    const held = read?.held
    const wasAnswered = read !== undefined && read.assigned > 0
    for (const decision of decisions) follow(decision, atMs)

    const number = answered && numberOf(answered.offerId)
    const offer = number === undefined ? undefined : read?.offers[number]
    if (offer !== undefined && offer.agentId === answered!.agentId) {
      const given = read!.answers[number!] ?? []
      read!.answers[number!] = [...given, { signal, order, afterMs: atMs - offer.sinceMs }]
    } else if (held !== undefined && read?.held?.times !== held.times) {
      const heldMs = atMs - held.sinceMs
      read!.stints.push({ agentId: held.agentId, heldMs, end: { signal, order, afterMs: heldMs } })
    } else if (signal.type === "itemRemoved" && read !== undefined && !wasAnswered) {
      const afterMs = atMs - read.item.arrivedAtMs
      read.gaveUp = { signal, order, afterMs }
      if (read.isCounted) read.waitedMs = afterMs
    } else if (signal.type !== "itemArrived") told.push({ atMs, order, signal })
  }
  const endMs = kept.at(-1)?.atMs ?? 0
  for (const read of visits) {
    closeOffer(read, endMs)
    const { held, stints } = read
    if (held !== undefined) stints.push({ agentId: held.agentId, heldMs: endMs - held.sinceMs })
  }
  return {
    policy,
    entries: kept,
    items: visits.map(({ item, answers, openMs, stints, gaveUp, waitedMs }) => ({
      item,
      answers,
      openMs,
      stints,
      ...(gaveUp !== undefined && { gaveUp }),
      ...(waitedMs !== undefined && { waitedMs })
    })),
    told,
    startMs: startMs ?? 0,
    endMs,
    latenessMs,
    ...(from !== undefined && { from }),
    ...(differsAt !== undefined && { differsAt })
  }
}
