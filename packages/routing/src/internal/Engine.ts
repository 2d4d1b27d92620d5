import { exceeded } from "../Capacity.ts"
import type { Decision, MatchRecord, Refusal } from "../Decision.ts"
import type { AgentExplanation, ItemExplanation } from "../Explanation.ts"
import * as Offer from "../Offer.ts"
import type { PoolAgent, PoolItem, Snapshot } from "../Pool.ts"
import type { Presence } from "../Presence.ts"
import * as Requirement from "../Requirement.ts"
import type { QueueDepth, RoutingEngine } from "../RoutingEngine.ts"
import type { RoutingPolicy } from "../RoutingPolicy.ts"
import type { Signal } from "../Signal.ts"
import { type Exclusion, tiersOf, type WorkItem } from "../WorkItem.ts"
import type { AgentEntry, ItemClass, ItemEntry, Move } from "./Entries.ts"
import { explainAgent, explainItem } from "./explain.ts"
import { Heap, inOrder, type Slotted } from "./Heap.ts"
import { Matcher, withTiers } from "./Matcher.ts"
import { itemBefore } from "./order.ts"

type SignalOf<T extends Signal["type"]> = Extract<Signal, { type: T }>
type DecisionOf<T extends Decision["type"]> = Extract<Decision, { type: T }>

/** Something that happens to an item by time alone. What it was for may be gone by then. */
interface Due extends Slotted {
  readonly atMs: number
  readonly kind: "exclusion" | "offer"
  readonly entry: ItemEntry
  readonly offersMade: number
}

const dueBefore = (a: Due, b: Due): boolean => {
  if (a.atMs !== b.atMs) return a.atMs < b.atMs
  if (a.kind !== b.kind) return a.kind < b.kind
  return a.entry.item.itemId < b.entry.item.itemId
}

const moveBefore = (a: Move, b: Move): boolean =>
  a.atMs !== b.atMs ? a.atMs < b.atMs : a.entry.item.itemId < b.entry.item.itemId

const inItemOrder = (a: ItemEntry, b: ItemEntry): number => (itemBefore(a, b) ? -1 : 1)

const isSamePresence = (a: Presence, b: Omit<Presence, "sinceMs">): boolean => {
  const channels = Object.entries(a.channels ?? {})
  return (
    a.status === b.status &&
    a.reason === b.reason &&
    channels.length === Object.keys(b.channels ?? {}).length &&
    channels.every(([channelKind, isOn]) => b.channels?.[channelKind] === isOn)
  )
}

export class Engine implements RoutingEngine {
  readonly #matcher: Matcher
  readonly #policy: RoutingPolicy
  readonly #due = new Heap<Due>(dueBefore)
  readonly #moves = new Heap<Move>(moveBefore)
  readonly #changedItems = new Set<string>()
  readonly #changedAgents = new Set<string>()
  #decisions: Array<Decision> = []
  /** A restored pool may have come under another policy: then people who were left out before may take work. */
  #isUnsettled = false

  constructor(policy: RoutingPolicy) {
    this.#policy = policy
    this.#matcher = new Matcher(policy)
  }

  static restore(policy: RoutingPolicy, snapshot: Snapshot): Engine {
    const engine = new Engine(policy)
    for (const agent of snapshot.agents) engine.#matcher.addAgent(agent)
    for (const { item, place, offersMade, exclusions, step = 0 } of snapshot.items) {
      // The policy may have another table than before.
      const rows = step === 0 ? 0 : engine.#matcher.relaxationOf(item).length
      const entry = engine.#matcher.addItem(item, Math.min(step, rows))
      entry.offersMade = offersMade
      entry.exclusions = exclusions
      for (const { untilMs } of exclusions) engine.#schedule("exclusion", entry, untilMs)
      const agent = place.kind === "waiting" ? undefined : engine.#matcher.agents.get(place.agentId)
      // What its age has brought since, and a preference that is over by now, come due at the first signal.
      if (place.kind === "waiting" || agent === undefined) engine.#wait(entry, Number.NEGATIVE_INFINITY)
      else engine.#matcher.give(entry, agent, place)
      if (place.kind === "waiting") engine.#changedItems.delete(item.itemId)
      if (entry.place.kind === "offered") engine.#schedule("offer", entry, entry.place.expiresAtMs)
      if (entry.item !== item || entry.step !== step) engine.#changedItems.add(item.itemId)
    }
    engine.#isUnsettled = true
    return engine
  }

  apply(signal: Signal, now: number): ReadonlyArray<Decision> {
    this.#decisions = []
    this.#settleDue(now)
    if (this.#isUnsettled) {
      this.#isUnsettled = false
      const ids = [...this.#matcher.agents.keys()].sort()
      for (const agentId of ids) this.#serveAgent(this.#matcher.agents.get(agentId)!, now)
    }
    this.#handle(signal, now)
    return this.#decisions
  }

  nextDueAt(): number | undefined {
    const move = this.#moves.peek()?.atMs
    for (let due = this.#due.peek(); due !== undefined; due = this.#due.peek()) {
      if (this.#isStillDue(due)) return move === undefined ? due.atMs : Math.min(due.atMs, move)
      this.#due.pop()
    }
    return move
  }

  // What is stored and read

  snapshot(): Snapshot {
    const { items, agents } = this.#matcher
    return {
      items: [...items.keys()].sort().map((itemId) => this.itemDocument(itemId)!),
      agents: [...agents.keys()].sort().map((agentId) => this.agentDocument(agentId)!)
    }
  }

  itemDocument(itemId: string): PoolItem | undefined {
    const entry = this.#matcher.items.get(itemId)
    if (entry === undefined) return undefined
    const { item, place, offersMade, exclusions, step } = entry
    return { item, place, offersMade, ...(step > 0 && { step }), exclusions }
  }

  agentDocument(agentId: string): PoolAgent | undefined {
    return this.#matcher.agents.get(agentId)?.document
  }

  takeChanged(): { readonly items: ReadonlyArray<string>; readonly agents: ReadonlyArray<string> } {
    const changed = { items: [...this.#changedItems], agents: [...this.#changedAgents] }
    this.#changedItems.clear()
    this.#changedAgents.clear()
    return changed
  }

  queueDepths(): ReadonlyArray<QueueDepth> {
    const depths = new Map<string, { -readonly [K in keyof QueueDepth]: QueueDepth[K] }>()
    for (const { queueId } of this.#policy.queues) depths.set(queueId, { queueId, waiting: 0, offered: 0, assigned: 0 })
    for (const { item, place } of this.#matcher.items.values()) {
      const depth = depths.get(item.queueId) ?? { queueId: item.queueId, waiting: 0, offered: 0, assigned: 0 }
      depths.set(item.queueId, depth)
      depth[place.kind]++
      if (place.kind !== "assigned")
        depth.oldestArrivedAtMs = Math.min(depth.oldestArrivedAtMs ?? item.arrivedAtMs, item.arrivedAtMs)
    }
    return [...depths.values()]
  }

  waiting(limit: number): ReadonlyArray<WorkItem> {
    return inOrder(this.#matcher.lines(), itemBefore)
      .take(limit)
      .map(({ item }) => item)
      .toArray()
  }

  explain(itemId: string, now: number): ItemExplanation | undefined {
    const entry = this.#matcher.items.get(itemId)
    return entry && explainItem(this.#matcher, entry, now)
  }

  explainAgent(agentId: string, now: number): AgentExplanation | undefined {
    const agent = this.#matcher.agents.get(agentId)
    return agent && explainAgent(this.#matcher, agent, now)
  }

  // Signals

  #handle(signal: Signal, now: number): undefined {
    switch (signal.type) {
      case "agentUpdated":
        return this.#updateAgent(signal, now)
      case "agentRemoved":
        return this.#removeAgent(signal, now)
      case "presenceChanged":
        return this.#changePresence(signal, now)
      case "itemArrived":
        return this.#arrive(signal.item, now)
      case "itemChanged":
        return this.#changeItem(signal, now)
      case "itemRemoved":
        return this.#removeItem(signal, now)
      case "offerAccepted":
        return this.#accept(signal, now)
      case "offerDeclined":
        return this.#decline(signal, now)
      case "itemPicked":
        return this.#pick(signal, now)
      case "itemAssigned":
        return this.#assign({ ...signal, how: "direct" }, now)
      case "itemReleased":
        return this.#release(signal, now)
      case "transferRequested":
        return this.#transfer(signal, now)
      case "tick":
    }
  }

  #updateAgent({ agent: profile }: SignalOf<"agentUpdated">, now: number): undefined {
    const agent = this.#matcher.agents.get(profile.agentId)
    this.#changedAgents.add(profile.agentId)
    if (agent === undefined) {
      const presence: Presence = { status: "offline", sinceMs: now }
      this.#matcher.addAgent({ agent: profile, presence, idleSinceMs: now, missed: 0 })
      return
    }
    const before = agent.compatible
    this.#matcher.setAgent(agent, { ...agent.document, agent: profile })
    this.#settleAgent(agent, "agentChanged", now, before)
  }

  #removeAgent({ agentId }: SignalOf<"agentRemoved">, now: number): undefined {
    const agent = this.#matcher.agents.get(agentId)
    if (agent === undefined) return
    this.#matcher.setAgent(agent, { ...agent.document, presence: { status: "offline", sinceMs: now } })
    this.#settleAgent(agent, "agentRemoved", now)
    const held = [...agent.held].sort(inItemOrder)
    for (const entry of held) this.#matcher.take(entry)
    this.#matcher.removeAgent(agent)
    this.#changedAgents.add(agentId)
    for (const entry of held) this.#queue(entry, "agentRemoved", agent, now)
  }

  #changePresence(signal: SignalOf<"presenceChanged">, now: number): undefined {
    const agent = this.#matcher.agents.get(signal.agentId)
    if (agent === undefined) return this.#refuseUnknownAgent(signal)
    this.#answer(signal)
    const { presence, idleSinceMs, missed } = agent.document
    if (isSamePresence(presence, signal)) return
    const cameBack = presence.status === "offline" && signal.status !== "offline"
    this.#setPresence(agent, signal, "told", now)
    this.#touch(agent, {
      idleSinceMs: cameBack ? now : idleSinceMs,
      missed: signal.status === "available" ? 0 : missed
    })
    this.#settleAgent(agent, "agentUnavailable", now)
  }

  #arrive(item: WorkItem, now: number): undefined {
    if (this.#matcher.items.has(item.itemId)) return
    this.#queue(this.#matcher.addItem(item, this.#matcher.stepOf(item, now)), "arrived", undefined, now)
  }

  #changeItem(signal: SignalOf<"itemChanged">, now: number): undefined {
    const entry = this.#matcher.items.get(signal.itemId)
    if (entry === undefined) return
    const { requirement, relaxation, ...item } = entry.item
    const own = {
      requirement: signal.requirement === undefined ? requirement : (signal.requirement ?? undefined),
      relaxation: signal.relaxation === undefined ? relaxation : (signal.relaxation ?? undefined)
    }
    const changed: WorkItem = {
      ...item,
      priority: signal.priority ?? item.priority,
      queueId: signal.queueId ?? item.queueId,
      ...(own.requirement !== undefined && { requirement: own.requirement }),
      ...(own.relaxation !== undefined && { relaxation: own.relaxation }),
      ...(signal.attributes !== undefined && { attributes: signal.attributes })
    }
    const asksAnew = [signal.queueId, signal.requirement, signal.relaxation, signal.attributes].some(
      (part) => part !== undefined
    )
    const { place } = entry
    this.#changedItems.add(signal.itemId)
    if (place.kind === "waiting") {
      this.#dequeue(entry)
      this.#matcher.setItem(entry, changed, asksAnew ? 0 : entry.step)
      this.#wait(entry, now)
      this.#serveItem(entry, now)
      return
    }
    // What an agent has already stays at the step it came to them.
    this.#matcher.setItem(entry, changed, asksAnew ? this.#matcher.stepOf(changed, place.sinceMs) : entry.step)
    const agent = entry.agent!
    if (place.kind === "assigned" || entry.class.eligible.has(agent.index)) return
    this.#withdraw(entry, "itemChanged")
    this.#wait(entry, now)
    this.#serveItem(entry, now)
    this.#serveAgent(agent, now)
  }

  #removeItem({ itemId, reason }: SignalOf<"itemRemoved">, now: number): undefined {
    const entry = this.#matcher.items.get(itemId)
    if (entry === undefined) return
    const holder = this.#detach(entry, "itemRemoved", now)
    this.#drop(entry, {
      type: "itemLeft",
      itemId,
      cause: "removed",
      ...(holder.fromAgentId !== undefined && { fromAgentId: holder.fromAgentId }),
      ...(reason !== undefined && { reason })
    })
    if (holder.agent !== undefined) this.#serveAgent(holder.agent, now)
  }

  #accept(signal: SignalOf<"offerAccepted">, now: number): undefined {
    const entry = this.#itemOf(signal)
    if (entry === undefined) return
    this.#answer(signal)
    // A repeat of an accept that was granted.
    if (entry.place.kind === "assigned") return
    const agent = entry.agent!
    this.#touch(agent, { missed: 0 })
    this.#hold(entry, agent, now, { how: "offer", offerId: signal.offerId })
  }

  #decline(signal: SignalOf<"offerDeclined">, now: number): undefined {
    const entry = this.#itemOf(signal)
    if (entry === undefined) return
    if (entry.place.kind === "assigned") return this.#refuseOver(signal, entry)
    this.#answer(signal)
    const { offerId, agentId, reason } = signal
    this.#emit({
      type: "offerDeclined",
      offerId,
      itemId: entry.item.itemId,
      agentId,
      ...(reason !== undefined && { reason })
    })
    this.#touch(entry.agent!, { missed: 0 })
    this.#returnFrom(entry, "declined", now)
  }

  #pick(signal: SignalOf<"itemPicked">, now: number): undefined {
    const entry = this.#matcher.items.get(signal.itemId)
    const agent = this.#matcher.agents.get(signal.agentId)
    if (entry === undefined) return this.#refuseUnknownItem(signal)
    if (agent === undefined) return this.#refuseUnknownAgent(signal)
    const { agentId, itemId } = signal
    if (entry.agent !== undefined && entry.agent !== agent) {
      const heldBy = entry.agent.document.agent.agentId
      return entry.place.kind === "assigned"
        ? this.#refuse(signal, {
            code: "item_taken",
            itemId,
            heldBy,
            message: `${heldBy} has this item already: pick another.`
          })
        : this.#refuse(signal, {
            code: "item_offered",
            itemId,
            heldBy,
            message: `This item is being offered to ${heldBy}: pick another, or wait until the offer ends.`
          })
    }
    const unmet = Requirement.unmet(this.#matcher.requirementOf(entry.item, entry.step), agent.document.agent)
    if (entry.agent === undefined && unmet.length > 0)
      return this.#refuse(signal, {
        code: "not_eligible",
        itemId,
        agentId,
        unmet,
        message: "The agent doesn't meet what this item asks for: pick another, or ask a supervisor to assign it."
      })
    this.#assign({ ...signal, how: "pick", by: agentId }, now)
  }

  #assign(
    request: {
      readonly requestId: string
      readonly itemId: string
      readonly agentId: string
      readonly by?: string
      readonly how: DecisionOf<"itemAssigned">["how"]
    },
    now: number
  ): undefined {
    const entry = this.#matcher.items.get(request.itemId)
    const agent = this.#matcher.agents.get(request.agentId)
    if (entry === undefined) return this.#refuseUnknownItem(request)
    if (agent === undefined) return this.#refuseUnknownAgent(request)
    const { itemId, agentId, by, how } = request
    if (how !== "direct" && agent.document.presence.status === "offline")
      return this.#refuse(request, {
        code: "agent_offline",
        itemId,
        agentId,
        message: `${agentId} is offline: choose somebody on duty, or let a supervisor assign it directly.`
      })
    if (entry.place.kind === "assigned" && entry.agent === agent) return this.#answer(request)
    const limit = entry.agent === agent ? undefined : this.#limitFor(agent, entry)
    const mayExceed = this.#policy.overCapacity === "onPick" && by === agentId
    if (limit !== undefined && !mayExceed)
      return this.#refuse(request, {
        code: "capacity_full",
        itemId,
        agentId,
        limit,
        message: `${agentId} has no room for this item (${limit}): end something first, or choose somebody else.`
      })
    this.#answer(request)
    const isTheirOffer = entry.agent === agent
    const holder: { agent?: AgentEntry; fromAgentId?: string } = isTheirOffer
      ? {}
      : this.#detach(entry, "itemAssigned", now)
    this.#hold(entry, agent, now, {
      how,
      ...(isTheirOffer && { offerId: this.#offerId(entry) }),
      ...(by !== undefined && { by }),
      ...(holder.fromAgentId !== undefined && { fromAgentId: holder.fromAgentId }),
      ...(limit !== undefined && { overCapacity: true })
    })
    if (holder.agent !== undefined) this.#serveAgent(holder.agent, now)
  }

  #release(signal: SignalOf<"itemReleased">, now: number): undefined {
    const entry = this.#matcher.items.get(signal.itemId)
    if (entry === undefined) return this.#refuseUnknownItem(signal)
    const { itemId, agentId } = signal
    if (entry.place.kind !== "assigned" || entry.place.agentId !== agentId)
      return this.#refuse(signal, {
        code: "not_holder",
        itemId,
        agentId,
        ...(entry.place.kind === "assigned" && { heldBy: entry.place.agentId }),
        message: `${agentId} doesn't hold this item: only who holds it can let it go.`
      })
    this.#answer(signal)
    const agent = this.#letGo(entry, now)
    if (signal.next === "leave") this.#drop(entry, { type: "itemLeft", itemId, cause: "ended", fromAgentId: agentId })
    else {
      this.#exclude(entry, agentId, "handedBack", now)
      this.#queue(entry, "handedBack", agent, now)
    }
    this.#serveAgent(agent, now)
  }

  #transfer(signal: SignalOf<"transferRequested">, now: number): undefined {
    const { itemId, to, by } = signal
    if (to.kind === "agent") return this.#assign({ ...signal, agentId: to.agentId, how: "transfer" }, now)
    const entry = this.#matcher.items.get(itemId)
    if (entry === undefined) return this.#refuseUnknownItem(signal)
    if (to.kind === "queue" && !this.#matcher.knowsQueue(to.queueId))
      return this.#refuse(signal, {
        code: "queue_unknown",
        itemId,
        queueId: to.queueId,
        message: `The policy has no queue "${to.queueId}": choose one of its queues, or add it there.`
      })
    this.#answer(signal)
    const holder = this.#detach(entry, "itemTransferred", now)
    const { requirement: _replaced, relaxation: _table, ...item } = withTiers(entry.item, [])
    const requirement = to.kind === "team" ? Requirement.team(to.team) : to.requirement
    const sentOn = {
      ...item,
      queueId: to.kind === "queue" ? to.queueId : item.queueId,
      ...(requirement !== undefined && { requirement })
    }
    this.#matcher.setItem(entry, sentOn, this.#matcher.stepOf(sentOn, now))
    // Who sends an item on must not get it back at once as a member of where it went.
    entry.exclusions = []
    if (this.#matcher.agents.has(by)) this.#exclude(entry, by, "handedBack", now)
    this.#queue(entry, "transferred", holder.fromAgentId === undefined ? undefined : holder.agent, now)
    if (holder.agent !== undefined) this.#serveAgent(holder.agent, now)
  }

  // What time does

  #schedule(kind: Due["kind"], entry: ItemEntry, atMs: number): void {
    this.#due.push({ atMs, kind, entry, offersMade: entry.offersMade, slot: -1 })
  }

  #isStillDue({ kind, entry, atMs, offersMade }: Due): boolean {
    if (this.#matcher.items.get(entry.item.itemId) !== entry) return false
    if (kind === "offer") return entry.place.kind === "offered" && entry.offersMade === offersMade
    return entry.exclusions.some(({ untilMs }) => untilMs === atMs)
  }

  #settleDue(now: number): void {
    this.#settleMoves(now)
    for (let due = this.#due.peek(); due !== undefined && due.atMs <= now; due = this.#due.peek()) {
      this.#due.pop()
      if (!this.#isStillDue(due)) continue
      const { entry } = due
      if (due.kind === "offer") this.#expire(entry, now)
      else {
        entry.exclusions = entry.exclusions.filter(({ untilMs }) => untilMs > due.atMs)
        this.#changedItems.add(entry.item.itemId)
        this.#serveItem(entry, now)
      }
    }
  }

  /** Before anything is offered: by now, what is due asks for something else. */
  #settleMoves(now: number): void {
    const moved: Array<ItemEntry> = []
    for (let move = this.#moves.peek(); move !== undefined && move.atMs <= now; move = this.#moves.peek()) {
      const { entry } = move
      this.#dequeue(entry)
      this.#wait(entry, now)
      moved.push(entry)
    }
    for (const entry of moved.sort(inItemOrder)) this.#serveItem(entry, now)
  }

  #expire(entry: ItemEntry, now: number): void {
    const agent = entry.agent!
    const { presence, missed: before } = agent.document
    const missed = before + 1
    const { itemId } = entry.item
    const { agentId } = agent.document.agent
    this.#emit({ type: "offerExpired", offerId: this.#offerId(entry), itemId, agentId, missed })
    this.#touch(agent, { missed })
    const { awayAfterMissed } = this.#policy
    if (awayAfterMissed !== null && missed >= awayAfterMissed && presence.status === "available") {
      const { channels } = presence
      const away = { status: "away", reason: "missed_offers", ...(channels !== undefined && { channels }) } as const
      this.#setPresence(agent, away, "missedOffers", now)
    }
    this.#returnFrom(entry, "missed", now)
  }

  // Steps that signals share

  #emit(decision: Decision): void {
    this.#decisions.push(decision)
  }

  #answer({ requestId }: { readonly requestId?: string }): undefined {
    if (requestId !== undefined) this.#emit({ type: "requestAnswered", requestId, outcome: "accepted" })
  }

  #refuse({ requestId }: { readonly requestId?: string }, refusal: Refusal): undefined {
    if (requestId !== undefined) this.#emit({ type: "requestAnswered", requestId, outcome: "refused", refusal })
  }

  #refuseUnknownItem(request: { readonly requestId?: string; readonly itemId: string }): undefined {
    const { itemId } = request
    const message = "This item isn't in the pool: it has left, or never arrived. Refresh the list."
    this.#refuse(request, { code: "item_unknown", itemId, message })
  }

  #refuseUnknownAgent(request: { readonly requestId?: string; readonly agentId: string }): undefined {
    const { agentId } = request
    const message = `No agent "${agentId}" in this pool: send agentUpdated with their profile first.`
    this.#refuse(request, { code: "agent_unknown", agentId, message })
  }

  #refuseOver(request: { readonly requestId: string; readonly offerId: string }, entry: ItemEntry): undefined {
    this.#refuse(request, {
      code: "offer_over",
      offerId: request.offerId,
      itemId: entry.item.itemId,
      ...(entry.place.kind === "assigned" && { heldBy: entry.place.agentId }),
      message:
        "This offer is over: it was answered or taken back. Wait for the next one, or pick the item from the list."
    })
  }

  /** The item of an offer that this agent may answer, or accepted already; otherwise the request is refused. */
  #itemOf(request: SignalOf<"offerAccepted" | "offerDeclined">): ItemEntry | undefined {
    const { offerId, agentId } = request
    const named = Offer.fromId(offerId)
    const entry = named && this.#matcher.items.get(named.itemId)
    if (entry === undefined || named!.sequence > entry.offersMade) {
      const message = "No such offer: its item has left the pool, or it was never made. Refresh the list."
      this.#refuse(request, { code: "offer_unknown", offerId, message })
      return undefined
    }
    const { itemId } = entry.item
    if (entry.place.kind !== "waiting" && named!.sequence === entry.offersMade && entry.place.agentId === agentId)
      return entry
    if (entry.place.kind === "offered" && named!.sequence === entry.offersMade)
      this.#refuse(request, {
        code: "offer_not_yours",
        offerId,
        itemId,
        heldBy: entry.place.agentId,
        message: `This offer was made to ${entry.place.agentId}: only they can answer it.`
      })
    else if (entry.exclusions.some((exclusion) => exclusion.agentId === agentId && exclusion.cause === "missed"))
      this.#refuse(request, {
        code: "offer_expired",
        offerId,
        itemId,
        message:
          "This offer has expired and the item went on: answer sooner, or pick it from the list if it still waits."
      })
    else this.#refuseOver(request, entry)
    return undefined
  }

  #offerId(entry: ItemEntry): string {
    return Offer.toId(entry.item.itemId, entry.offersMade)
  }

  #limitFor(agent: AgentEntry, { item }: ItemEntry) {
    return exceeded(agent.document.agent.capacity, this.#matcher.load(agent), item.channelKind, item.weight)
  }

  #touch(agent: AgentEntry, change: Partial<Pick<PoolAgent, "idleSinceMs" | "missed">>): void {
    agent.document = { ...agent.document, ...change }
    this.#changedAgents.add(agent.document.agent.agentId)
  }

  #setPresence(
    agent: AgentEntry,
    { status, reason, channels }: Omit<Presence, "sinceMs">,
    cause: DecisionOf<"presenceSet">["cause"],
    now: number
  ): void {
    const { presence, agent: profile } = agent.document
    const next = { status, ...(reason !== undefined && { reason }), ...(channels !== undefined && { channels }) }
    const sinceMs = presence.status === status ? presence.sinceMs : now
    this.#emit({ type: "presenceSet", agentId: profile.agentId, ...next, cause })
    this.#matcher.setAgent(agent, { ...agent.document, presence: { ...next, sinceMs } })
    this.#changedAgents.add(profile.agentId)
  }

  /** Lets an item wait where its age and who is on duty put it, and says so when that is at another step than before. */
  #wait(entry: ItemEntry, now: number, wasTurnedDown = false): void {
    const cause = this.#settle(entry, now, wasTurnedDown)
    if (cause === undefined) return
    const { item, step } = entry
    const table = this.#matcher.relaxationOf(item)
    const next = table[step]
    this.#emit({
      type: "itemRelaxed",
      itemId: item.itemId,
      step,
      of: table.length,
      cause,
      ...(next !== undefined && { nextAtMs: item.arrivedAtMs + next.afterMs })
    })
  }

  #settle(entry: ItemEntry, now: number, wasTurnedDown: boolean): ReturnType<Matcher["settle"]> {
    const cause = this.#matcher.settle(entry, now)
    if (wasTurnedDown && entry.exclusions.length > 1 && this.#matcher.hasEverybodyDeclined(entry, now))
      entry.exclusions = entry.exclusions.slice(-1)
    this.#matcher.enqueue(entry)
    if (entry.move !== undefined) this.#moves.push(entry.move)
    this.#changedItems.add(entry.item.itemId)
    return cause
  }

  #dequeue(entry: ItemEntry): void {
    this.#matcher.dequeue(entry)
    if (entry.move !== undefined) this.#moves.remove(entry.move)
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
    this.#changedItems.add(entry.item.itemId)
  }

  #queue(entry: ItemEntry, cause: DecisionOf<"itemQueued">["cause"], from: AgentEntry | undefined, now: number): void {
    this.#settle(entry, now, cause === "handedBack")
    const match = this.#matcher.agentFor(entry, now)
    const { itemId, queueId } = entry.item
    this.#emit({
      type: "itemQueued",
      itemId,
      queueId,
      cause,
      ...(from !== undefined && { fromAgentId: from.document.agent.agentId }),
      ...(typeof match === "string" && { waitsFor: match }),
      ...(entry.step > 0 && { step: entry.step })
    })
    if (typeof match !== "string") this.#offer(entry, match.agent, match.record, now)
  }

  #serveItem(entry: ItemEntry, now: number): void {
    if (entry.slot < 0) return
    const match = this.#matcher.agentFor(entry, now)
    if (typeof match !== "string") this.#offer(entry, match.agent, match.record, now)
  }

  #serveAgent(agent: AgentEntry, now: number): void {
    for (let match = this.#matcher.itemFor(agent, now); match; match = this.#matcher.itemFor(agent, now))
      this.#offer(match.entry, agent, match.record, now)
  }

  #offer(entry: ItemEntry, agent: AgentEntry, record: MatchRecord, now: number): void {
    this.#dequeue(entry)
    entry.offersMade++
    const { itemId } = entry.item
    const { agentId } = agent.document.agent
    const expiresAtMs = now + this.#policy.offerTimeoutMs
    this.#matcher.give(entry, agent, { kind: "offered", agentId, sinceMs: now, expiresAtMs })
    this.#schedule("offer", entry, expiresAtMs)
    this.#changedItems.add(itemId)
    this.#emit({
      type: "offerMade",
      offerId: this.#offerId(entry),
      itemId,
      agentId,
      offeredAtMs: now,
      expiresAtMs,
      record,
      ...(entry.step > 0 && { step: entry.step })
    })
  }

  #hold(
    entry: ItemEntry,
    agent: AgentEntry,
    now: number,
    facts: Omit<DecisionOf<"itemAssigned">, "type" | "itemId" | "agentId">
  ): void {
    if (entry.agent !== undefined) this.#matcher.take(entry)
    const { itemId } = entry.item
    const { agentId } = agent.document.agent
    this.#matcher.give(entry, agent, { kind: "assigned", agentId, sinceMs: now })
    this.#forgetPreference(entry)
    this.#changedItems.add(itemId)
    this.#emit({ type: "itemAssigned", itemId, agentId, ...facts })
  }

  #withdraw(entry: ItemEntry, cause: DecisionOf<"offerWithdrawn">["cause"]): void {
    const agent = this.#matcher.take(entry)
    const { itemId } = entry.item
    const { agentId } = agent.document.agent
    this.#emit({ type: "offerWithdrawn", offerId: this.#offerId(entry), itemId, agentId, cause })
  }

  #letGo(entry: ItemEntry, now: number): AgentEntry {
    const agent = this.#matcher.take(entry)
    this.#touch(agent, { idleSinceMs: now })
    return agent
  }

  /** Takes an item out of its line, or away from whoever has it. */
  #detach(
    entry: ItemEntry,
    cause: DecisionOf<"offerWithdrawn">["cause"],
    now: number
  ): { agent?: AgentEntry; fromAgentId?: string } {
    const agent = entry.agent
    if (agent === undefined) {
      this.#dequeue(entry)
      return {}
    }
    if (entry.place.kind === "offered") {
      this.#withdraw(entry, cause)
      return { agent }
    }
    this.#letGo(entry, now)
    return { agent, fromAgentId: agent.document.agent.agentId }
  }

  #drop(entry: ItemEntry, left: DecisionOf<"itemLeft">): void {
    this.#matcher.removeItem(entry)
    this.#changedItems.add(left.itemId)
    this.#emit(left)
  }

  /** An offer came to nothing: the item waits again, and its agent has room again. */
  #returnFrom(entry: ItemEntry, cause: Exclusion["cause"], now: number): void {
    const agent = this.#matcher.take(entry)
    const { agentId } = agent.document.agent
    this.#exclude(entry, agentId, cause, now)
    this.#forgetPreference(entry, agentId)
    this.#wait(entry, now, true)
    this.#serveItem(entry, now)
    this.#settleAgent(agent, "agentUnavailable", now)
  }

  #exclude(entry: ItemEntry, agentId: string, cause: Exclusion["cause"], now: number): void {
    const untilMs = now + this.#policy.declineMemoryMs
    this.#changedItems.add(entry.item.itemId)
    const others = entry.exclusions.filter((exclusion) => exclusion.agentId !== agentId && exclusion.untilMs > now)
    entry.exclusions = untilMs <= now ? others : [...others, { agentId, cause, untilMs }]
    if (untilMs > now) this.#schedule("exclusion", entry, untilMs)
  }

  /** After an agent changed: takes back what they may no longer be offered, then gives what they may. */
  #settleAgent(
    agent: AgentEntry,
    cause: DecisionOf<"offerWithdrawn">["cause"],
    now: number,
    before: ReadonlyArray<ItemClass> = []
  ): void {
    const { presence, agent: profile } = agent.document
    const moved: Array<ItemEntry> = []
    // The least urgent first, so that a smaller capacity keeps the most urgent.
    for (const entry of [...agent.offered].sort(inItemOrder).reverse()) {
      const { kind, eligible } = entry.class
      const mayBeOffered = presence.status === "available" && agent.isOn[kind] && eligible.has(agent.index)
      const isOver = agent.used > profile.capacity.units || agent.usedOf[kind]! > agent.limitOf[kind]!
      if (mayBeOffered && !isOver) continue
      this.#withdraw(entry, cause)
      this.#wait(entry, now)
      moved.push(entry)
    }
    const classes = new Set([...before, ...agent.compatible].filter(({ fleeting }) => fleeting > 0))
    const left = this.#matcher.forsakenBy(agent, classes, now).sort(inItemOrder)
    for (const entry of left) {
      this.#dequeue(entry)
      this.#wait(entry, now)
    }
    for (const entry of [...new Set([...moved, ...left])].sort(inItemOrder)) this.#serveItem(entry, now)
    this.#serveAgent(agent, now)
  }
}
