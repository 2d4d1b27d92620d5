import type { Decision } from "../Decision.ts"
import type { AgentExplanation, ItemExplanation } from "../Explanation.ts"
import type { PoolAgent, PoolItem, Snapshot } from "../Pool.ts"
import type { Presence } from "../Presence.ts"
import * as Requirement from "../Requirement.ts"
import type { QueueDepth, RoutingEngine } from "../RoutingEngine.ts"
import type { RoutingPolicy } from "../RoutingPolicy.ts"
import type { Signal } from "../Signal.ts"
import type { WorkItem } from "../WorkItem.ts"
import type { Demand } from "./Demand.ts"
import type { AgentEntry } from "./Entries.ts"
import { explainAgent, explainItem } from "./explain.ts"
import { type DecisionOf, Floor, type Holder } from "./Floor.ts"
import { inOrder } from "./KeyedHeap.ts"
import type { Matching } from "./Matching.ts"
import { withTiers } from "./Relaxing.ts"
import * as Requests from "./Requests.ts"
import type { Supply } from "./Supply.ts"

type SignalOf<T extends Signal["type"]> = Extract<Signal, { type: T }>

const isSamePresence = (a: Presence, b: Omit<Presence, "sinceMs">): boolean => {
  const channels = Object.entries(a.channels ?? {})
  return (
    a.status === b.status &&
    a.reason === b.reason &&
    channels.length === Object.keys(b.channels ?? {}).length &&
    channels.every(([channelKind, isOn]) => b.channels?.[channelKind] === isOn)
  )
}

/** Told a signal, takes the steps it asks for: items wait, are offered, are held, leave. */
export class Engine implements RoutingEngine {
  readonly #policy: RoutingPolicy
  readonly #floor: Floor
  readonly #matching: Matching
  readonly #supply: Supply
  readonly #demand: Demand
  /** Of the last signal. */
  #lastMs = 0
  /** A restored pool may have come under another policy: then people who were left out before may take work. */
  #isUnsettled = false

  constructor(policy: RoutingPolicy) {
    this.#policy = policy
    this.#floor = new Floor(policy)
    this.#matching = this.#floor.matching
    this.#supply = this.#matching.supply
    this.#demand = this.#matching.demand
  }

  static restore(policy: RoutingPolicy, snapshot: Snapshot): Engine {
    const engine = new Engine(policy)
    for (const document of snapshot.agents) engine.#addAgent(document)
    for (const document of snapshot.items) engine.#restoreItem(document)
    // Everybody is served at the first signal anyway.
    engine.#floor.forgetStirred()
    engine.#isUnsettled = true
    return engine
  }

  #restoreItem({ item, place, offersMade, exclusions, step = 0 }: PoolItem): void {
    // The policy may have another table than before.
    const queue = this.#demand.queueOf(item.queueId)
    const rows = step === 0 ? 0 : this.#demand.relaxationOf(item, queue).length
    const entry = this.#demand.addItem(item, queue, Math.min(step, rows))
    entry.offersMade = offersMade
    if (exclusions.length > 0) entry.exclusions = exclusions
    for (const { untilMs } of exclusions) this.#floor.schedule("exclusion", entry, untilMs)
    const agent = place.kind === "waiting" ? undefined : this.#supply.agents.get(place.agentId)
    const isChanged = place.kind !== "waiting" && agent === undefined
    // What its age has brought since, and a preference that is over by now, come due at the first signal.
    if (place.kind === "waiting" || agent === undefined) this.#floor.settle(entry, Number.NEGATIVE_INFINITY, false)
    else this.#demand.give(entry, agent, place)
    if (entry.place.kind === "offered") this.#floor.schedule("offer", entry, entry.place.expiresAtMs)
    if (isChanged || entry.item !== item || entry.step !== step) this.#floor.markItem(entry)
  }

  apply(signal: Signal, now: number): ReadonlyArray<Decision> {
    this.#lastMs = now
    this.#floor.settleDue(now)
    if (this.#isUnsettled) {
      this.#isUnsettled = false
      const { agents } = this.#supply
      for (const agentId of [...agents.keys()].sort()) this.#floor.serveAgent(agents.get(agentId)!, now)
    }
    this.#handle(signal, now)
    this.#floor.serveStirred(now)
    return this.#floor.takeDecisions()
  }

  nextDueAt(): number | undefined {
    return this.#floor.nextDueAt()
  }

  takeChanged(): { readonly items: ReadonlyArray<string>; readonly agents: ReadonlyArray<string> } {
    return this.#floor.takeChanged()
  }

  // What is stored and read

  snapshot(): Snapshot {
    const { items } = this.#demand
    const { agents } = this.#supply
    return {
      items: [...items.keys()].sort().map((itemId) => this.itemDocument(itemId)!),
      agents: [...agents.keys()].sort().map((agentId) => this.agentDocument(agentId)!)
    }
  }

  itemDocument(itemId: string): PoolItem | undefined {
    const entry = this.#demand.items.get(itemId)
    if (entry === undefined) return undefined
    const { item, place, offersMade, exclusions, step } = entry
    const document: PoolItem = { item, place, offersMade, exclusions }
    if (step > 0) document.step = step
    return document
  }

  agentDocument(agentId: string): PoolAgent | undefined {
    const agent = this.#supply.agents.get(agentId)
    return agent && this.#supply.documentOf(agent)
  }

  queueDepths(): ReadonlyArray<QueueDepth> {
    const depths = new Map<string, { -readonly [K in keyof QueueDepth]: QueueDepth[K] }>()
    for (const { queueId } of this.#policy.queues) depths.set(queueId, { queueId, waiting: 0, offered: 0, assigned: 0 })
    for (const { item, place } of this.#demand.items.values()) {
      const depth = depths.get(item.queueId) ?? { queueId: item.queueId, waiting: 0, offered: 0, assigned: 0 }
      depths.set(item.queueId, depth)
      depth[place.kind]++
      if (place.kind !== "assigned")
        depth.oldestArrivedAtMs = Math.min(depth.oldestArrivedAtMs ?? item.arrivedAtMs, item.arrivedAtMs)
    }
    return [...depths.values()]
  }

  waiting(limit: number, now: number = this.#lastMs): ReadonlyArray<WorkItem> {
    const { order } = this.#demand
    return inOrder(this.#demand.heaps(), (a, b) => order.before(a, b, undefined, now))
      .take(limit)
      .map(({ item }) => item)
      .toArray()
  }

  explain(itemId: string, now: number): ItemExplanation | undefined {
    const entry = this.#demand.items.get(itemId)
    return entry && explainItem(this.#matching, entry, now)
  }

  explainAgent(agentId: string, now: number): AgentExplanation | undefined {
    const agent = this.#supply.agents.get(agentId)
    return agent && explainAgent(this.#matching, agent, now)
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
        return this.#assign(signal, "direct", now)
      case "itemReleased":
        return this.#release(signal, now)
      case "wrapUpEnded":
        return this.#endWrapUps(signal, now)
      case "transferRequested":
        return this.#transfer(signal, now)
      case "tick":
    }
  }

  #addAgent(document: PoolAgent): AgentEntry {
    const agent = this.#supply.add(document)
    for (const wrapUp of agent.wrapUps) this.#floor.scheduleEnd(agent, wrapUp)
    this.#floor.setHomes(agent, document.agent)
    return agent
  }

  #updateAgent({ agent: profile }: SignalOf<"agentUpdated">, now: number): undefined {
    const agent = this.#supply.agents.get(profile.agentId)
    if (agent === undefined) {
      const presence: Presence = { status: "offline", sinceMs: now }
      this.#floor.markAgent(this.#addAgent({ agent: profile, presence, idleSinceMs: now, missed: 0 }))
      return
    }
    this.#floor.markAgent(agent)
    const before = this.#floor.fleetingLinesOf(agent)
    this.#supply.setProfile(agent, profile)
    this.#floor.setHomes(agent, profile)
    this.#floor.settleAgent(agent, "agentChanged", now, before)
  }

  #removeAgent({ agentId }: SignalOf<"agentRemoved">, now: number): undefined {
    const agent = this.#supply.agents.get(agentId)
    if (agent === undefined) return
    this.#supply.setPresence(agent, { status: "offline", sinceMs: now })
    this.#floor.settleAgent(agent, "agentRemoved", now)
    const held = this.#floor.sorted(agent.items, now)
    for (const entry of held) this.#demand.take(entry)
    this.#floor.setHomes(agent, undefined)
    this.#supply.remove(agent)
    this.#floor.markAgent(agent)
    for (const entry of held) this.#floor.queue(entry, "agentRemoved", agent, now)
  }

  #changePresence(signal: SignalOf<"presenceChanged">, now: number): undefined {
    const agent = this.#supply.agents.get(signal.agentId)
    if (agent === undefined) return this.#floor.refuse(signal, Requests.agentUnknown(signal.agentId))
    this.#floor.answer(signal)
    const { presence } = agent
    if (isSamePresence(presence, signal)) return
    this.#floor.setPresence(agent, signal, "told", now)
    if (presence.status === "offline" && signal.status !== "offline") {
      agent.idleSinceMs = now
      agent.assignedAtMs = undefined
      agent.given = 0
    }
    if (signal.status === "available") agent.missed = 0
    this.#floor.settleAgent(agent, "agentUnavailable", now)
  }

  #arrive(item: WorkItem, now: number): undefined {
    if (this.#demand.items.has(item.itemId)) return
    const queue = this.#demand.queueOf(item.queueId)
    this.#floor.queue(
      this.#demand.addItem(item, queue, this.#demand.stepOf(item, queue, now)),
      "arrived",
      undefined,
      now
    )
  }

  #changeItem(signal: SignalOf<"itemChanged">, now: number): undefined {
    const entry = this.#demand.items.get(signal.itemId)
    if (entry === undefined) return
    const { requirement, relaxation, dueAtMs, ...item } = entry.item
    const own = {
      requirement: signal.requirement === undefined ? requirement : (signal.requirement ?? undefined),
      relaxation: signal.relaxation === undefined ? relaxation : (signal.relaxation ?? undefined),
      dueAtMs: signal.dueAtMs === undefined ? dueAtMs : (signal.dueAtMs ?? undefined)
    }
    const changed: WorkItem = {
      ...item,
      priority: signal.priority ?? item.priority,
      queueId: signal.queueId ?? item.queueId,
      ...(own.requirement !== undefined && { requirement: own.requirement }),
      ...(own.relaxation !== undefined && { relaxation: own.relaxation }),
      ...(own.dueAtMs !== undefined && { dueAtMs: own.dueAtMs }),
      ...(signal.attributes !== undefined && { attributes: signal.attributes })
    }
    const asksAnew = [signal.queueId, signal.requirement, signal.relaxation, signal.attributes].some(
      (part) => part !== undefined
    )
    const { place } = entry
    this.#floor.markItem(entry)
    if (place.kind === "waiting") {
      this.#demand.dequeue(entry)
      this.#demand.setItem(entry, changed, asksAnew ? 0 : entry.step)
      this.#floor.wait(entry, now)
      this.#floor.serveItem(entry, now)
      return
    }
    // What an agent has already stays at the step it came to them.
    const { queueId } = changed
    const step = asksAnew ? this.#demand.stepOf(changed, this.#demand.queueOf(queueId), place.sinceMs) : entry.step
    this.#demand.setItem(entry, changed, step)
    const agent = entry.agent!
    if (place.kind === "assigned" || entry.line.audience.eligible.has(agent.index)) return
    this.#floor.withdraw(entry, "itemChanged")
    this.#floor.wait(entry, now)
    this.#floor.serveItem(entry, now)
    this.#floor.serveAgent(agent, now)
  }

  #removeItem({ itemId, reason }: SignalOf<"itemRemoved">, now: number): undefined {
    const entry = this.#demand.items.get(itemId)
    if (entry === undefined) return
    const { agent, fromAgentId } = this.#floor.detach(entry, "itemRemoved", now)
    const left: DecisionOf<"itemLeft"> = { type: "itemLeft", itemId, cause: "removed" }
    if (fromAgentId !== undefined) left.fromAgentId = fromAgentId
    if (reason !== undefined) left.reason = reason
    this.#floor.drop(entry, left, fromAgentId === undefined ? undefined : agent, now)
    if (agent !== undefined) this.#floor.serveAgent(agent, now)
  }

  #accept(signal: SignalOf<"offerAccepted">, now: number): undefined {
    const entry = Requests.offeredItem(signal, this.#demand.items)
    if ("code" in entry) return this.#floor.refuse(signal, entry)
    this.#floor.answer(signal)
    // A repeat of an accept that was granted.
    if (entry.place.kind === "assigned") return
    const agent = entry.agent!
    agent.missed = 0
    const { itemId } = entry.item
    const { agentId, offerId } = signal
    this.#floor.hold(entry, agent, now, { type: "itemAssigned", itemId, agentId, how: "offer", offerId })
  }

  #decline(signal: SignalOf<"offerDeclined">, now: number): undefined {
    const { offerId, agentId, reason } = signal
    const entry = Requests.offeredItem(signal, this.#demand.items)
    if ("code" in entry) return this.#floor.refuse(signal, entry)
    if (entry.place.kind === "assigned") return this.#floor.refuse(signal, Requests.offerOver(entry, offerId))
    this.#floor.answer(signal)
    const { itemId } = entry.item
    this.#floor.emit({ type: "offerDeclined", offerId, itemId, agentId, ...(reason !== undefined && { reason }) })
    if (entry.agent!.missed > 0) {
      entry.agent!.missed = 0
      this.#floor.markAgent(entry.agent!)
    }
    this.#floor.returnFrom(entry, "declined", now)
  }

  #pick(signal: SignalOf<"itemPicked">, now: number): undefined {
    const entry = this.#demand.items.get(signal.itemId)
    const agent = this.#supply.agents.get(signal.agentId)
    if (entry === undefined) return this.#floor.refuse(signal, Requests.itemUnknown(signal.itemId))
    if (agent === undefined) return this.#floor.refuse(signal, Requests.agentUnknown(signal.agentId))
    const refusal = Requests.pickRefused(entry, agent, this.#demand)
    if (refusal !== undefined) return this.#floor.refuse(signal, refusal)
    this.#assign({ ...signal, by: signal.agentId }, "pick", now)
  }

  #assign(
    request: {
      readonly requestId: string
      readonly itemId: string
      readonly agentId: string
      readonly by?: string
    },
    how: DecisionOf<"itemAssigned">["how"],
    now: number
  ): undefined {
    const { itemId, agentId, by } = request
    const entry = this.#demand.items.get(itemId)
    const agent = this.#supply.agents.get(agentId)
    if (entry === undefined) return this.#floor.refuse(request, Requests.itemUnknown(itemId))
    if (agent === undefined) return this.#floor.refuse(request, Requests.agentUnknown(agentId))
    if (how !== "direct" && agent.presence.status === "offline")
      return this.#floor.refuse(request, Requests.agentOffline(itemId, agentId))
    if (entry.place.kind === "assigned" && entry.agent === agent) return this.#floor.answer(request)
    const isTheirOffer = entry.agent === agent
    const limit = isTheirOffer ? undefined : this.#supply.limitFor(agent, entry.item)
    const mayExceed = this.#policy.overCapacity === "onPick" && by === agentId
    if (limit !== undefined && !mayExceed)
      return this.#floor.refuse(request, Requests.capacityFull(itemId, agentId, limit))
    this.#floor.answer(request)
    const holder: Holder = isTheirOffer ? {} : this.#floor.detach(entry, "itemAssigned", now)
    const assigned: DecisionOf<"itemAssigned"> = { type: "itemAssigned", itemId, agentId, how }
    if (isTheirOffer) assigned.offerId = this.#floor.offerId(entry)
    if (by !== undefined) assigned.by = by
    if (holder.fromAgentId !== undefined) assigned.fromAgentId = holder.fromAgentId
    if (limit !== undefined) assigned.overCapacity = true
    this.#floor.hold(entry, agent, now, assigned)
    if (holder.agent !== undefined) this.#floor.serveAgent(holder.agent, now)
  }

  #release(signal: SignalOf<"itemReleased">, now: number): undefined {
    const { itemId, agentId } = signal
    const entry = this.#demand.items.get(itemId)
    if (entry === undefined) return this.#floor.refuse(signal, Requests.itemUnknown(itemId))
    if (entry.place.kind !== "assigned" || entry.place.agentId !== agentId)
      return this.#floor.refuse(signal, Requests.notHolder(entry, agentId))
    this.#floor.answer(signal)
    const agent = this.#floor.letGo(entry, now)
    if (signal.next === "leave")
      this.#floor.drop(entry, { type: "itemLeft", itemId, cause: "ended", fromAgentId: agentId }, agent, now)
    else {
      this.#floor.exclude(entry, agentId, "handedBack", now)
      this.#floor.queue(entry, "handedBack", agent, now)
    }
    this.#floor.serveAgent(agent, now)
  }

  #endWrapUps(signal: SignalOf<"wrapUpEnded">, now: number): undefined {
    const agent = this.#supply.agents.get(signal.agentId)
    if (agent === undefined) return this.#floor.refuse(signal, Requests.agentUnknown(signal.agentId))
    this.#floor.answer(signal)
    for (const wrapUp of agent.wrapUps)
      if (signal.itemId === undefined || wrapUp.itemId === signal.itemId)
        this.#floor.endWrapUp(agent, wrapUp, "told", now)
    this.#floor.serveAgent(agent, now)
  }

  #transfer(signal: SignalOf<"transferRequested">, now: number): undefined {
    const { itemId, to, by } = signal
    if (to.kind === "agent") return this.#assign({ ...signal, agentId: to.agentId }, "transfer", now)
    const entry = this.#demand.items.get(itemId)
    if (entry === undefined) return this.#floor.refuse(signal, Requests.itemUnknown(itemId))
    if (to.kind === "queue" && !this.#demand.queues.get(to.queueId)?.isListed)
      return this.#floor.refuse(signal, Requests.queueUnknown(itemId, to.queueId))
    this.#floor.answer(signal)
    const holder = this.#floor.detach(entry, "itemTransferred", now)
    const { requirement: _replaced, relaxation: _table, ...item } = withTiers(entry.item, [])
    const requirement = to.kind === "team" ? Requirement.team(to.team) : to.requirement
    const sentOn = {
      ...item,
      queueId: to.kind === "queue" ? to.queueId : item.queueId,
      ...(requirement !== undefined && { requirement })
    }
    const queue = this.#demand.queueOf(sentOn.queueId)
    this.#demand.setItem(entry, sentOn, this.#demand.stepOf(sentOn, queue, now))
    // Who sends an item on must not get it back at once as a member of where it went.
    entry.exclusions = []
    if (this.#supply.agents.has(by)) this.#floor.exclude(entry, by, "handedBack", now)
    this.#floor.queue(entry, "transferred", holder.fromAgentId === undefined ? undefined : holder.agent, now)
    if (holder.agent !== undefined) this.#floor.serveAgent(holder.agent, now)
  }
}
