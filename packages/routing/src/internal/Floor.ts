import type { Decision, MatchRecord, Refusal, WaitsFor } from "../Decision.ts"
import * as Offer from "../Offer.ts"
import type { PoolAgent, WrapUp } from "../Pool.ts"
import type { Presence } from "../Presence.ts"
import type { RoutingPolicy } from "../RoutingPolicy.ts"
import { type Exclusion, tiersOf } from "../WorkItem.ts"
import type { Demand } from "./Demand.ts"
import { type AgentEntry, gone, type ItemEntry, type Line, type Move } from "./Entries.ts"
import { Matching } from "./Matching.ts"
import { Relaxing, withTiers } from "./Relaxing.ts"
import type { Supply } from "./Supply.ts"
import { Timetable } from "./Timetable.ts"

export type DecisionOf<T extends Decision["type"]> = Extract<Decision, { type: T }>

/** Something that happens to an item by time alone. What it was for may be gone by then. */
interface Due {
  readonly kind: "exclusion" | "help" | "offer"
  readonly entry: ItemEntry
  readonly offersMade: number
}

/** The end of a wrap-up, unless the agent was done sooner. */
interface End {
  readonly agent: AgentEntry
  readonly wrapUp: WrapUp
}

const inEndOrder = (a: End, b: End): number =>
  a.wrapUp.untilMs - b.wrapUp.untilMs ||
  (a.agent === b.agent ? (a.wrapUp.itemId < b.wrapUp.itemId ? -1 : 1) : a.agent.agentId < b.agent.agentId ? -1 : 1)

const inIdOrder = (a: Due, b: Due): number => (a.entry.item.itemId < b.entry.item.itemId ? -1 : 1)

const inMoveOrder = (a: Move, b: Move): number =>
  a.atMs - b.atMs || (a.entry.item.itemId < b.entry.item.itemId ? -1 : 1)

const itemIdOf = ({ item }: ItemEntry): string => item.itemId
const agentIdOf = ({ agentId }: AgentEntry): string => agentId

/** The ids of what changed, which hasn't from now on. What left and came back was written down twice. */
const idsOf = <E extends { isChanged: boolean }>(entries: ReadonlyArray<E>, idOf: (entry: E) => string) => {
  const ids: Array<string> = []
  for (const entry of entries) {
    entry.isChanged = false
    const id = idOf(entry)
    // Among few, looking is cheaper than remembering.
    if (entries.length > 16 || !ids.includes(id)) ids.push(id)
  }
  return entries.length > 16 ? [...new Set(ids)] : ids
}

/** Who had an item: `fromAgentId` when they held it, not when it was only offered to them. */
export interface Holder {
  readonly agent?: AgentEntry
  readonly fromAgentId?: string
}

/** What happens to items, by signals and by time: they wait, are offered, are held and leave. Each is decided and noted. */
export class Floor {
  readonly matching: Matching
  readonly #policy: RoutingPolicy
  readonly #supply: Supply
  readonly #demand: Demand
  readonly #relaxing: Relaxing
  readonly #due = new Timetable<Due>()
  readonly #moves = new Timetable<Move>()
  readonly #ends = new Timetable<End>()
  readonly #changedItems: Array<ItemEntry> = []
  readonly #changedAgents: Array<AgentEntry> = []
  /** By channel kind. */
  readonly #wrapUpMs: ReadonlyMap<string, number>
  #decisions: Array<Decision> = []
  /** A home agent of a queue that keeps some of them free has room again: their colleagues may help elsewhere. */
  #isColleagueFree = false

  constructor(policy: RoutingPolicy) {
    this.#policy = policy
    this.#wrapUpMs = new Map(Object.entries(policy.wrapUpMs ?? {}))
    this.matching = new Matching(policy)
    this.#supply = this.matching.supply
    this.#demand = this.matching.demand
    this.#relaxing = new Relaxing(this.#demand, this.#supply)
  }

  /** What has been decided since the last call. */
  takeDecisions(): ReadonlyArray<Decision> {
    const decisions = this.#decisions
    this.#decisions = []
    return decisions
  }

  takeChanged(): { readonly items: ReadonlyArray<string>; readonly agents: ReadonlyArray<string> } {
    const changed = { items: idsOf(this.#changedItems, itemIdOf), agents: idsOf(this.#changedAgents, agentIdOf) }
    this.#changedItems.length = 0
    this.#changedAgents.length = 0
    return changed
  }

  // What time does

  nextDueAt(): number | undefined {
    for (let move = this.#moves.peek(); move !== undefined; move = this.#moves.peek()) {
      if (move.entry.move === move) break
      this.#moves.take()
    }
    for (let due = this.#due.peek(); due !== undefined; due = this.#due.peek()) {
      if (this.#isStillDue(due, this.#due.nextAtMs)) break
      this.#due.take()
    }
    for (let end = this.#ends.peek(); end !== undefined; end = this.#ends.peek()) {
      if (end.agent.wrapUps.includes(end.wrapUp)) break
      this.#ends.take()
    }
    const next = Math.min(this.#due.nextAtMs, this.#moves.nextAtMs, this.#ends.nextAtMs)
    return next === Number.POSITIVE_INFINITY ? undefined : next
  }

  schedule(kind: Due["kind"], entry: ItemEntry, atMs: number): void {
    this.#due.add(atMs, { kind, entry, offersMade: entry.offersMade })
  }

  #scheduleHelp(entry: ItemEntry): void {
    this.schedule("help", entry, entry.item.arrivedAtMs + entry.line.queue.afterMs)
  }

  #isStillDue({ kind, entry, offersMade }: Due, atMs: number): boolean {
    if (entry.slot === gone) return false
    if (kind === "offer") return entry.place.kind === "offered" && entry.offersMade === offersMade
    if (kind === "exclusion") return entry.exclusions.some(({ untilMs }) => untilMs === atMs)
    return entry.slot >= 0 && this.#supply.homed > 0 && atMs === entry.item.arrivedAtMs + entry.line.queue.afterMs
  }

  settleDue(now: number): void {
    if (this.#due.nextAtMs > now && this.#moves.nextAtMs > now && this.#ends.nextAtMs > now) return
    const rested = this.#settleEnds(now)
    this.#settleMoves(now)
    for (const agent of rested) this.serveAgent(agent, now)
    const helped: Array<ItemEntry> = []
    while (this.#due.nextAtMs <= now) {
      const atMs = this.#due.nextAtMs
      const together: Array<Due> = []
      while (this.#due.nextAtMs === atMs) {
        const due = this.#due.take()!
        if (!this.#isStillDue(due, atMs)) continue
        if (due.kind === "help") helped.push(due.entry)
        else together.push(due)
      }
      if (together.length > 0) this.#settleTogether(together.sort(inIdOrder), atMs, now)
    }
    // At last: a restored pool looks again at those whose time had come before, and must not prefer them.
    this.#serveItems(helped, now)
  }

  /** What comes due at one instant: first all who may be asked again, then what expires. */
  #settleTogether(together: ReadonlyArray<Due>, atMs: number, now: number): void {
    const opened: Array<ItemEntry> = []
    for (const due of together) {
      const { kind, entry } = due
      if (kind === "offer" || !this.#isStillDue(due, atMs)) continue
      entry.exclusions = entry.exclusions.filter(({ untilMs }) => untilMs > atMs)
      this.markItem(entry)
      opened.push(entry)
    }
    this.#serveItems(opened, now)
    for (const due of together) {
      if (due.kind !== "offer" || !this.#isStillDue(due, atMs)) continue
      this.#expire(due.entry, now)
      this.serveStirred(now)
    }
  }

  /** Before anything is offered: who has room again by now, from having wrapped up. */
  #settleEnds(now: number): ReadonlySet<AgentEntry> {
    const ends: Array<End> = []
    while (this.#ends.nextAtMs <= now) {
      const end = this.#ends.take()!
      if (end.agent.wrapUps.includes(end.wrapUp)) ends.push(end)
    }
    for (const { agent, wrapUp } of ends.sort(inEndOrder)) this.endWrapUp(agent, wrapUp, "time", wrapUp.untilMs)
    return new Set(ends.map(({ agent }) => agent))
  }

  /** Before anything is offered: by now, what is due asks for something else. */
  #settleMoves(now: number): void {
    const moves: Array<Move> = []
    while (this.#moves.nextAtMs <= now) {
      const move = this.#moves.take()!
      if (move.entry.move === move) moves.push(move)
    }
    if (moves.length === 0) return
    const moved = moves.sort(inMoveOrder).map(({ entry }) => entry)
    for (const entry of moved) {
      this.dequeue(entry)
      this.wait(entry, now)
    }
    this.#serveItems(moved, now)
  }

  #expire(entry: ItemEntry, now: number): void {
    const agent = entry.agent!
    const { presence, agentId } = agent
    const missed = agent.missed + 1
    const { itemId } = entry.item
    this.emit({ type: "offerExpired", offerId: this.offerId(entry), itemId, agentId, missed })
    agent.missed = missed
    this.markAgent(agent)
    const { awayAfterMissed } = this.#policy
    if (awayAfterMissed !== null && missed >= awayAfterMissed && presence.status === "available") {
      const { channels } = presence
      const away = { status: "away", reason: "missed_offers", ...(channels !== undefined && { channels }) } as const
      this.setPresence(agent, away, "missedOffers", now)
    }
    this.returnFrom(entry, "missed", now)
  }

  // Steps that signals share

  emit(decision: Decision): void {
    this.#decisions.push(decision)
  }

  answer({ requestId }: { readonly requestId?: string }): undefined {
    if (requestId !== undefined) this.emit({ type: "requestAnswered", requestId, outcome: "accepted" })
  }

  refuse({ requestId }: { readonly requestId?: string }, refusal: Refusal): undefined {
    if (requestId !== undefined) this.emit({ type: "requestAnswered", requestId, outcome: "refused", refusal })
  }

  markItem(entry: ItemEntry): void {
    if (entry.isChanged) return
    entry.isChanged = true
    this.#changedItems.push(entry)
  }

  markAgent(agent: AgentEntry): void {
    if (agent.isChanged) return
    agent.isChanged = true
    this.#changedAgents.push(agent)
  }

  offerId(entry: ItemEntry): string {
    return Offer.toId(entry.item.itemId, entry.offersMade)
  }

  sorted(entries: ReadonlyArray<ItemEntry>, now: number): Array<ItemEntry> {
    return [...entries].sort((a, b) => (this.#demand.order.before(a, b, undefined, now) ? -1 : 1))
  }

  setPresence(
    agent: AgentEntry,
    { status, reason, channels }: Omit<Presence, "sinceMs">,
    cause: DecisionOf<"presenceSet">["cause"],
    now: number
  ): void {
    const { presence, agentId } = agent
    const next = { status, ...(reason !== undefined && { reason }), ...(channels !== undefined && { channels }) }
    const sinceMs = presence.status === status ? presence.sinceMs : now
    this.emit({ type: "presenceSet", agentId, ...next, cause })
    this.#supply.setPresence(agent, { ...next, sinceMs })
    this.#stirHomesOf(agent)
    this.markAgent(agent)
  }

  /** Lets an item wait where its age and who is on duty put it, and says so when that is at another step than before. */
  wait(entry: ItemEntry, now: number, wasTurnedDown = false): void {
    const cause = this.settle(entry, now, wasTurnedDown)
    if (cause === undefined) return
    const { item, step } = entry
    const table = this.#demand.relaxationOf(item)
    const next = table[step]
    this.emit({
      type: "itemRelaxed",
      itemId: item.itemId,
      step,
      of: table.length,
      cause,
      ...(next !== undefined && { nextAtMs: item.arrivedAtMs + next.afterMs })
    })
  }

  settle(entry: ItemEntry, now: number, wasTurnedDown: boolean): ReturnType<Relaxing["settle"]> {
    const before = entry.item
    const cause = this.#relaxing.settle(entry, now)
    if (wasTurnedDown && entry.exclusions.length > 1 && this.#relaxing.hasEverybodyDeclined(entry, now))
      entry.exclusions = entry.exclusions.slice(-1)
    this.#demand.enqueue(entry)
    if (entry.move !== undefined) this.#moves.add(entry.move.atMs, entry.move)
    if (this.#supply.homed > 0) this.#scheduleHelp(entry)
    // From a restore nothing has changed yet, apart from a preference that came to nothing.
    if (now > Number.NEGATIVE_INFINITY || entry.item !== before) this.markItem(entry)
    return cause
  }

  dequeue(entry: ItemEntry): void {
    this.#demand.dequeue(entry)
    entry.move = undefined
  }

  /** Takes this agent out of the item's tiers, or ends them all. */
  #forgetPreference(entry: ItemEntry, agentId?: string): void {
    const tiers = tiersOf(entry.item)
    if (tiers.length === 0) return
    const left = tiers
      .map((tier) => ({ ...tier, agents: agentId === undefined ? [] : tier.agents.filter((each) => each !== agentId) }))
      .filter(({ agents }) => agents.length > 0)
    entry.item = withTiers(entry.item, left)
    this.markItem(entry)
  }

  /** Lets an item wait and says for what, or that an offer follows. */
  queue(entry: ItemEntry, cause: DecisionOf<"itemQueued">["cause"], from: AgentEntry | undefined, now: number): void {
    this.settle(entry, now, cause === "handedBack")
    const { itemId, queueId } = entry.item
    const queued: DecisionOf<"itemQueued"> = { type: "itemQueued", itemId, queueId, cause }
    if (from !== undefined) queued.fromAgentId = from.agentId
    if (entry.step > 0) queued.step = entry.step
    this.emit(queued)
    const waitsFor = this.serveItem(entry, now)
    if (waitsFor !== undefined) queued.waitsFor = waitsFor
  }

  /** Offers a waiting item, after what comes before it for whoever can take it. Returns what it waits for, if it still does. */
  serveItem(entry: ItemEntry, now: number): WaitsFor | undefined {
    // With one more in its queue others may help, and what waited before comes first.
    this.serveStirred(now)
    while (entry.slot >= 0) {
      const match = this.matching.agentFor(entry, now)
      if (typeof match === "string") return match
      this.#offerFirst(entry, match.agent, match.record, now)
    }
    return undefined
  }

  /** Offers an agent who could take this item what comes first for them: the item itself, or another. */
  #offerFirst(entry: ItemEntry, agent: AgentEntry, record: MatchRecord, now: number): void {
    const theirs = this.matching.itemFor(agent, now)!
    if (theirs.entry === entry) this.#offer(entry, agent, record, now)
    else this.#offer(theirs.entry, agent, theirs.record, now)
  }

  #serveItems(entries: ReadonlyArray<ItemEntry>, now: number): void {
    for (const entry of entries.length > 1 ? this.sorted(entries, now) : entries) this.serveItem(entry, now)
  }

  serveAgent(agent: AgentEntry, now: number): void {
    for (let match = this.matching.itemFor(agent, now); match; match = this.matching.itemFor(agent, now))
      this.#offer(match.entry, agent, match.record, now)
  }

  #offer(entry: ItemEntry, agent: AgentEntry, record: DecisionOf<"offerMade">["record"], now: number): void {
    this.dequeue(entry)
    entry.offersMade++
    const { itemId } = entry.item
    const { agentId } = agent
    const expiresAtMs = now + this.#policy.offerTimeoutMs
    this.#demand.give(entry, agent, { kind: "offered", agentId, sinceMs: now, expiresAtMs })
    this.#takeTurn(agent)
    this.schedule("offer", entry, expiresAtMs)
    this.markItem(entry)
    const offerId = this.offerId(entry)
    const made: DecisionOf<"offerMade"> = {
      type: "offerMade",
      offerId,
      itemId,
      agentId,
      offeredAtMs: now,
      expiresAtMs,
      record
    }
    if (entry.step > 0) made.step = entry.step
    this.emit(made)
  }

  hold(entry: ItemEntry, agent: AgentEntry, now: number, assigned: DecisionOf<"itemAssigned">): void {
    if (entry.agent !== undefined) this.#demand.take(entry)
    else this.#takeTurn(agent)
    this.#demand.give(entry, agent, { kind: "assigned", agentId: agent.agentId, sinceMs: now })
    agent.assignedAtMs = now
    agent.given += entry.line.weight
    this.markAgent(agent)
    this.#forgetPreference(entry)
    this.markItem(entry)
    this.emit(assigned)
  }

  #takeTurn(agent: AgentEntry): void {
    if (!this.matching.choice.takesTurns) return
    agent.turn = ++this.#supply.turns
    this.markAgent(agent)
  }

  /** Takes an item from the agent who has it, who has room again. */
  #free(entry: ItemEntry): AgentEntry {
    const agent = this.#demand.take(entry)
    if (this.#supply.homed > 0) this.#stirColleaguesOf(agent)
    this.markItem(entry)
    return agent
  }

  withdraw(entry: ItemEntry, cause: DecisionOf<"offerWithdrawn">["cause"]): void {
    const offerId = this.offerId(entry)
    const { agentId } = this.#free(entry)
    this.emit({ type: "offerWithdrawn", offerId, itemId: entry.item.itemId, agentId, cause })
  }

  letGo(entry: ItemEntry, now: number): AgentEntry {
    const agent = this.#free(entry)
    agent.idleSinceMs = now
    this.markAgent(agent)
    return agent
  }

  /** Takes an item out of its line, or away from whoever has it. */
  detach(entry: ItemEntry, cause: DecisionOf<"offerWithdrawn">["cause"], now: number): Holder {
    const { agent } = entry
    if (agent === undefined) {
      this.dequeue(entry)
      return {}
    }
    if (entry.place.kind === "offered") {
      this.withdraw(entry, cause)
      return { agent }
    }
    this.letGo(entry, now)
    return { agent, fromAgentId: agent.agentId }
  }

  /** An item leaves the pool. `agent`: who held it until then, and wraps up. */
  drop(entry: ItemEntry, left: DecisionOf<"itemLeft">, agent: AgentEntry | undefined, now: number): void {
    const { itemId, channelKind, weight } = entry.item
    this.#demand.removeItem(entry)
    this.markItem(entry)
    const wrapUpMs = agent === undefined ? 0 : (this.#wrapUpMs.get(channelKind) ?? 0)
    if (agent !== undefined && wrapUpMs > 0) {
      left.wrapUpUntilMs = now + wrapUpMs
      const wrapUp = { itemId, channelKind, weight, untilMs: left.wrapUpUntilMs }
      this.#supply.startWrapUp(agent, wrapUp)
      this.scheduleEnd(agent, wrapUp)
      this.markAgent(agent)
    }
    this.emit(left)
  }

  scheduleEnd(agent: AgentEntry, wrapUp: WrapUp): void {
    this.#ends.add(wrapUp.untilMs, { agent, wrapUp })
  }

  /** Gives an agent the room back that an ended item has held; they are idle since then. */
  endWrapUp(agent: AgentEntry, wrapUp: WrapUp, cause: DecisionOf<"wrapUpEnded">["cause"], atMs: number): void {
    this.#supply.endWrapUp(agent, wrapUp)
    agent.idleSinceMs = Math.max(agent.idleSinceMs, atMs)
    if (this.#supply.homed > 0) this.#stirColleaguesOf(agent)
    this.markAgent(agent)
    this.emit({ type: "wrapUpEnded", agentId: agent.agentId, itemId: wrapUp.itemId, cause })
  }

  /** An offer came to nothing: the item waits again, and its agent has room again. */
  returnFrom(entry: ItemEntry, cause: Exclusion["cause"], now: number): void {
    const agent = this.#free(entry)
    this.exclude(entry, agent.agentId, cause, now)
    this.#forgetPreference(entry, agent.agentId)
    this.wait(entry, now, true)
    this.settleAgent(agent, "agentUnavailable", now, [], [entry])
  }

  exclude(entry: ItemEntry, agentId: string, cause: Exclusion["cause"], now: number): void {
    const untilMs = now + this.#policy.declineMemoryMs
    this.markItem(entry)
    const others = entry.exclusions.filter((exclusion) => exclusion.agentId !== agentId && exclusion.untilMs > now)
    entry.exclusions = untilMs <= now ? others : [...others, { agentId, cause, untilMs }]
    if (untilMs > now) this.schedule("exclusion", entry, untilMs)
  }

  fleetingLinesOf(agent: AgentEntry): Array<Line> {
    return this.#demand.fleeting === 0 ? [] : [...this.#demand.linesOf(agent)].filter(({ fleeting }) => fleeting > 0)
  }

  /**
   * After an agent changed: takes back what they may no longer be offered, serves that with what `returned` from them, then gives
   * them what they may be offered. `before`: the lines with fleeting items that they were for before the change.
   */
  settleAgent(
    agent: AgentEntry,
    cause: DecisionOf<"offerWithdrawn">["cause"],
    now: number,
    before: ReadonlyArray<Line> = [],
    returned: ReadonlyArray<ItemEntry> = []
  ): void {
    const moved = [...returned]
    const offered = agent.items.filter(({ place }) => place.kind === "offered")
    // The least urgent first, so that a smaller capacity keeps the most urgent.
    for (const entry of this.sorted(offered, now).reverse()) {
      const { line } = entry
      const mayBeOffered =
        agent.presence.status === "available" &&
        this.#supply.takes(agent, line) &&
        line.audience.eligible.has(agent.index)
      if (mayBeOffered && !this.#supply.isOverfull(agent, line)) continue
      this.withdraw(entry, cause)
      this.wait(entry, now)
      moved.push(entry)
    }
    const lines = new Set([...before, ...this.fleetingLinesOf(agent)])
    const left = this.#relaxing.forsakenBy(agent, lines, now)
    if (left.length > 0) {
      for (const entry of this.sorted(left, now)) {
        this.dequeue(entry)
        this.wait(entry, now)
      }
    }
    this.#serveItems([...new Set([...moved, ...left])], now)
    this.serveAgent(agent, now)
  }

  // What helping adds

  /** Looks up anew what an agent is for. */
  setHomes(agent: AgentEntry, profile: PoolAgent["agent"] | undefined): void {
    const wasAnybodyHome = this.#supply.homed > 0
    this.#stirHomesOf(agent)
    this.#demand.setAgent(agent, profile)
    this.#stirHomesOf(agent)
    if (wasAnybodyHome || this.#supply.homed === 0) return
    // From now on, others wait before they help with what waits.
    for (const entry of this.#demand.items.values()) if (entry.slot >= 0) this.#scheduleHelp(entry)
  }

  /** An agent came, went or changed: their queues may have nobody left of their own, their colleagues may be free to help. */
  #stirHomesOf(agent: AgentEntry): void {
    if (this.#supply.homed === 0) return
    for (const queue of agent.homes ?? this.#demand.queues.values()) this.#demand.stirred.push(queue)
    this.#stirColleaguesOf(agent)
  }

  #stirColleaguesOf(agent: AgentEntry): void {
    for (const { keepFree } of agent.homes ?? this.#demand.queues.values()) this.#isColleagueFree ||= keepFree > 0
  }

  forgetStirred(): void {
    this.#demand.stirred.length = 0
    this.#isColleagueFree = false
  }

  serveStirred(now: number): void {
    const { stirred } = this.#demand
    while (stirred.length > 0 || this.#isColleagueFree) {
      const lines = this.#isColleagueFree
        ? this.#demand.lines.filter((line) => line !== undefined)
        : stirred.flatMap((queue) => [...queue.lines])
      stirred.length = 0
      this.#isColleagueFree = false
      this.#serveLines(new Set(lines), now)
    }
  }

  /** Offers what waits in these lines, the first in order first, to whoever may take it. */
  #serveLines(lines: Set<Line>, now: number): void {
    const { order } = this.#demand
    const passedOver = new Set<ItemEntry>()
    for (;;) {
      let next: ItemEntry | undefined
      for (const line of lines) {
        const entry = line.heap.first((each) => !passedOver.has(each))
        if (entry === undefined) lines.delete(line)
        else if (next === undefined || order.before(entry, next, undefined, now)) next = entry
      }
      if (next === undefined) return
      const match = this.matching.agentFor(next, now)
      // Whoever may take this one may prefer another: own work, or what their bonus puts first.
      if (typeof match !== "string") {
        this.#offerFirst(next, match.agent, match.record, now)
      } else if (this.#isAbout(next, match)) passedOver.add(next)
      else lines.delete(next.line)
    }
  }

  /** Whether something about the item, not about its line, keeps it waiting. */
  #isAbout(entry: ItemEntry, waitsFor: string): boolean {
    return waitsFor === "declineMemory" || (waitsFor === "homeAgent" && !this.matching.help.isOpenToAll(entry.line))
  }
}
