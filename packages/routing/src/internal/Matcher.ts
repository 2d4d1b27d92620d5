import { type Attributes, get } from "../Attributes.ts"
import { limitOf } from "../Capacity.ts"
import type { MatchRecord, WaitsFor } from "../Decision.ts"
import type { Place, PoolAgent } from "../Pool.ts"
import { isOn } from "../Presence.ts"
import { type Relaxation, requirementAt, stepAt } from "../Relaxation.ts"
import { anyone, isMet, itemAttributesOf, type Requirement, resolve, toKey } from "../Requirement.ts"
import type { RoutingPolicy } from "../RoutingPolicy.ts"
import { type Tier, tiersOf, type WorkItem } from "../WorkItem.ts"
import type { WorkQueue } from "../WorkQueue.ts"
import { Bits } from "./Bits.ts"
import type { AgentEntry, ItemClass, ItemEntry } from "./Entries.ts"
import { Heap } from "./Heap.ts"
import { agentOrder, itemBefore, itemDecidedBy, keysOf } from "./order.ts"

export const waiting: Place = { kind: "waiting" }

/** A requirement with its key, and with what it becomes for items whose attributes it compares with. */
interface Asked {
  readonly requirement: Requirement
  readonly key: string
  readonly itemAttributes: ReadonlyArray<string>
  readonly byValues: Map<string, Asked>
}

/** So many different values of item attributes are remembered per requirement before it starts anew. */
const rememberedValues = 4096

const noRelaxation: Relaxation = []

/** The item with these tiers in place of its own. */
export const withTiers = (item: WorkItem, tiers: ReadonlyArray<Tier>): WorkItem => {
  const { preferred: _list, preferredAgent: _agent, preferredUntilMs: _until, ...rest } = item
  return tiers.length === 0 ? rest : { ...rest, preferred: tiers }
}

/** Empty classes are kept for the next item of their kind, up to this many. */
const spareClasses = 1024

/** The first and second of the candidates shown to it. */
class Podium<T> {
  first: T | undefined
  second: T | undefined
  compared = 0
  readonly #before: (a: T, b: T) => boolean

  constructor(before: (a: T, b: T) => boolean) {
    this.#before = before
  }

  show(candidate: T): void {
    this.compared++
    if (this.first === undefined || this.#before(candidate, this.first)) {
      this.second = this.first
      this.first = candidate
    } else if (this.second === undefined || this.#before(candidate, this.second)) this.second = candidate
  }
}

const isExcluded = (entry: ItemEntry, agentId: string, now: number): boolean =>
  entry.exclusions.length > 0 &&
  entry.exclusions.some((exclusion) => exclusion.agentId === agentId && exclusion.untilMs > now)

/** Who could take what: classes of items, bitsets of agents, waiting lines. It decides nothing by itself. */
export class Matcher {
  readonly policy: RoutingPolicy
  readonly agents = new Map<string, AgentEntry>()
  readonly items = new Map<string, ItemEntry>()
  readonly #queues: Map<string, WorkQueue>
  readonly #isAnyQueueRelaxing: boolean
  readonly #choice: ReturnType<typeof agentOrder>
  readonly #classes = new Map<string, ItemClass>()
  /** A queue's requirement is the same object for all its items: its key is worked out once. */
  readonly #asked = new WeakMap<Requirement, Asked>()
  readonly #kinds = new Map<string, number>()
  readonly #byIndex: Array<AgentEntry | undefined> = []
  readonly #freeIndexes: Array<number> = []
  readonly #available = new Bits()
  /** Available or busy. */
  readonly #onDuty = new Bits()
  /** Available with at least one unit left. */
  readonly #open = new Bits()
  #emptyClasses = 0

  constructor(policy: RoutingPolicy) {
    this.policy = policy
    this.#queues = new Map(policy.queues.map((queue) => [queue.queueId, queue]))
    this.#isAnyQueueRelaxing = policy.queues.some(({ relaxation }) => relaxation !== undefined)
    this.#choice = agentOrder(policy)
  }

  knowsQueue(queueId: string): boolean {
    return this.#queues.has(queueId)
  }

  // Agents

  addAgent(document: PoolAgent): AgentEntry {
    const index = this.#freeIndexes.pop() ?? this.#byIndex.length
    const entry: AgentEntry = {
      document,
      index,
      used: 0,
      usedOf: [...this.#kinds].map(() => 0),
      limitOf: [],
      isOn: [],
      held: new Set(),
      offered: new Set(),
      compatible: []
    }
    this.#byIndex[index] = entry
    this.agents.set(document.agent.agentId, entry)
    this.setAgent(entry, document)
    this.#setEligible(entry)
    return entry
  }

  setAgent(entry: AgentEntry, document: PoolAgent): void {
    const isSameProfile = entry.document.agent === document.agent
    entry.document = document
    for (const [channelKind, kind] of this.#kinds) this.#setKind(entry, channelKind, kind)
    if (!isSameProfile) this.#setEligible(entry)
    const { status } = document.presence
    this.#available.set(entry.index, status === "available")
    this.#onDuty.set(entry.index, status === "available" || status === "busy")
    this.#setOpen(entry)
  }

  removeAgent(entry: AgentEntry): void {
    for (const itemClass of entry.compatible) itemClass.eligible.remove(entry.index)
    this.#available.remove(entry.index)
    this.#onDuty.remove(entry.index)
    this.#open.remove(entry.index)
    this.#byIndex[entry.index] = undefined
    this.#freeIndexes.push(entry.index)
    this.agents.delete(entry.document.agent.agentId)
  }

  #setKind(entry: AgentEntry, channelKind: string, kind: number): void {
    const { agent, presence } = entry.document
    entry.limitOf[kind] = limitOf(agent.capacity, channelKind)
    entry.isOn[kind] = isOn(presence, channelKind)
  }

  #setEligible(entry: AgentEntry): void {
    entry.compatible = []
    for (const itemClass of this.#classes.values()) {
      const { reservedFor, requirement } = itemClass
      const isEligible =
        (reservedFor === undefined || reservedFor.includes(entry.document.agent.agentId)) &&
        isMet(requirement, entry.document.agent)
      itemClass.eligible.set(entry.index, isEligible)
      if (isEligible) entry.compatible.push(itemClass)
    }
  }

  #setOpen(entry: AgentEntry): void {
    const { agent, presence } = entry.document
    this.#open.set(entry.index, presence.status === "available" && entry.used < agent.capacity.units)
  }

  /** Whether an item of this class fits into what the agent's capacity leaves. */
  fits(agent: AgentEntry, { kind, weight }: ItemClass): boolean {
    return (
      agent.used + weight <= agent.document.agent.capacity.units && agent.usedOf[kind]! + weight <= agent.limitOf[kind]!
    )
  }

  load(agent: AgentEntry): { units: number; perChannelKind: Record<string, number> } {
    const held = [...this.#kinds].filter(([, kind]) => agent.usedOf[kind]! > 0)
    return {
      units: agent.used,
      perChannelKind: Object.fromEntries(held.map(([name, kind]) => [name, agent.usedOf[kind]!]))
    }
  }

  // Items

  addItem(item: WorkItem, step: number): ItemEntry {
    const itemClass = this.#classAt(item, step)
    const entry: ItemEntry = {
      item,
      class: itemClass,
      keys: keysOf(this.policy, item),
      place: waiting,
      agent: undefined,
      step,
      move: undefined,
      offersMade: 0,
      exclusions: [],
      slot: -1
    }
    this.#join(itemClass)
    this.items.set(item.itemId, entry)
    return entry
  }

  /** Only while the item stands in no line. */
  setItem(entry: ItemEntry, item: WorkItem, step: number): void {
    entry.item = item
    entry.step = step
    entry.keys = keysOf(this.policy, item)
    this.#setClass(entry, this.#classAt(item, step))
  }

  /** Only while the item stands in no line and no agent has it. */
  removeItem(entry: ItemEntry): void {
    this.#leave(entry.class)
    this.items.delete(entry.item.itemId)
  }

  /** The table for what is asked of the item as it grows older. What it asks itself keeps its queue's away. */
  relaxationOf(item: WorkItem): Relaxation {
    if (item.relaxation !== undefined) return item.relaxation
    return (
      (this.#isAnyQueueRelaxing && item.requirement === undefined && this.#queues.get(item.queueId)?.relaxation) ||
      noRelaxation
    )
  }

  /** What the item asks when so many rows of its relaxation hold. */
  requirementOf(item: WorkItem, step: number): Requirement {
    return this.#askOf(item, step).requirement
  }

  stepOf(item: WorkItem, now: number): number {
    return stepAt(this.relaxationOf(item), now - item.arrivedAtMs)
  }

  /**
   * Brings an item that stands in no line to the class it waits in now, by its age and by who is on duty. Returns why its
   * step changed, if it did.
   */
  settle(entry: ItemEntry, now: number): "age" | "nobodyOnDuty" | undefined {
    const table = this.relaxationOf(entry.item)
    const tiers = tiersOf(entry.item)
    let cause: "age" | "nobodyOnDuty" | undefined
    entry.move = undefined
    if (table.length === 0 && tiers.length === 0 && entry.class.reservedFor === undefined) return cause
    const byAge = stepAt(table, now - entry.item.arrivedAtMs)
    if (byAge > entry.step) {
      entry.step = byAge
      cause = "age"
    }
    this.#setClass(entry, this.#classAt(entry.item, entry.step))
    const maySkip = () => entry.step < table.length && table[entry.step - 1]?.skipIf !== undefined
    while (maySkip() && !this.hasSomebodyFor(entry, now)) {
      entry.step++
      cause = "nobodyOnDuty"
      this.#setClass(entry, this.#classAt(entry.item, entry.step))
    }
    const isSkippable = maySkip()
    const next = table[entry.step]
    const until = tiers.length > 0 ? this.#settlePreference(entry, tiers, now) : Number.POSITIVE_INFINITY
    const atMs = Math.min(until, next === undefined ? Number.POSITIVE_INFINITY : entry.item.arrivedAtMs + next.afterMs)
    const isFleeting = isSkippable || entry.class.reservedFor !== undefined
    // What is fleeting always has an end: its tier's, or the next row's.
    if (atMs < Number.POSITIVE_INFINITY) entry.move = { atMs, entry, isFleeting, slot: -1 }
    return cause
  }

  /** Keeps an item for the first of its tiers that is worth waiting for, and returns until when. */
  #settlePreference(entry: ItemEntry, tiers: ReadonlyArray<Tier>, now: number): number {
    const itemClass = entry.class
    const isWorthWaitingFor = (agentId: string): boolean => {
      const agent = this.agents.get(agentId)
      return agent !== undefined && this.#isOnDutyFor(agent, itemClass)
    }
    const at = tiers.findIndex((tier) => tier.untilMs > now && tier.agents.some(isWorthWaitingFor))
    const left = at < 0 ? [] : tiers.slice(at)
    if (left.length < tiers.length) entry.item = withTiers(entry.item, left)
    const [tier] = left
    if (tier === undefined) return Number.POSITIVE_INFINITY
    this.#setClass(entry, this.#classAt(entry.item, entry.step, tier.agents))
    return tier.untilMs
  }

  /** Whether anybody on duty is left to ask: for what may be passed over. */
  hasSomebodyFor(entry: ItemEntry, now: number): boolean {
    const { eligible, kind } = entry.class
    for (const agent of this.#both(eligible, this.#onDuty))
      if (agent.isOn[kind] && !isExcluded(entry, agent.document.agent.agentId, now)) return true
    return false
  }

  #isOnDutyFor(agent: AgentEntry, { eligible, kind }: ItemClass): boolean {
    return this.#onDuty.has(agent.index) && agent.isOn[kind]! && eligible.has(agent.index)
  }

  /** The items of these classes that waited only as long as somebody was on duty for them, when this agent was the last. */
  forsakenBy(agent: AgentEntry, classes: ReadonlySet<ItemClass>, now: number): Array<ItemEntry> {
    const found: Array<ItemEntry> = []
    for (const itemClass of classes) {
      if (this.#isOnDutyFor(agent, itemClass)) continue
      let isAnybodyLeft = false
      for (const other of this.#both(itemClass.eligible, this.#onDuty)) isAnybodyLeft ||= other.isOn[itemClass.kind]!
      for (const entry of itemClass.line.entries) {
        if (!entry.move?.isFleeting || (isAnybodyLeft && entry.exclusions.length === 0)) continue
        if (!isAnybodyLeft || !this.hasSomebodyFor(entry, now)) found.push(entry)
      }
    }
    return found
  }

  *#both(a: Bits, b: Bits): Generator<AgentEntry, void, undefined> {
    const length = Math.min(a.words.length, b.words.length)
    for (let word = 0; word < length; word++)
      for (let bits = a.words[word]! & b.words[word]!; bits !== 0; bits &= bits - 1)
        yield this.#byIndex[word * 32 + 31 - Math.clz32(bits & -bits)]!
  }

  /** Puts an item in its class's line; {@link settle} it before. */
  enqueue(entry: ItemEntry): void {
    entry.place = waiting
    entry.class.line.push(entry)
    if (entry.move?.isFleeting) entry.class.fleeting++
  }

  dequeue(entry: ItemEntry): void {
    if (entry.slot < 0) return
    entry.class.line.remove(entry)
    if (entry.move?.isFleeting) entry.class.fleeting--
  }

  /** Gives an item, offered or assigned, to an agent, and takes its weight from their capacity. */
  give(entry: ItemEntry, agent: AgentEntry, place: Exclude<Place, { kind: "waiting" }>): void {
    entry.place = place
    entry.agent = agent
    ;(place.kind === "offered" ? agent.offered : agent.held).add(entry)
    this.#count(agent, entry.class, entry.class.weight)
  }

  take(entry: ItemEntry): AgentEntry {
    const agent = entry.agent!
    agent.offered.delete(entry)
    agent.held.delete(entry)
    entry.agent = undefined
    this.#count(agent, entry.class, -entry.class.weight)
    return agent
  }

  #count(agent: AgentEntry, { kind }: ItemClass, weight: number): void {
    agent.used += weight
    agent.usedOf[kind]! += weight
    this.#setOpen(agent)
  }

  // Classes

  #setClass(entry: ItemEntry, next: ItemClass): void {
    if (next === entry.class) return
    this.#join(next)
    this.#leave(entry.class)
    entry.class = next
  }

  #classAt(item: WorkItem, step: number, reservedFor?: ReadonlyArray<string>): ItemClass {
    const asked = this.#askOf(item, step)
    const kept = reservedFor === undefined ? "" : ` ${JSON.stringify([...reservedFor].sort())}`
    const key = `${item.weight} ${JSON.stringify(item.channelKind)} ${asked.key}${kept}`
    const known = this.#classes.get(key)
    if (known !== undefined) return known
    const { requirement } = asked
    const itemClass: ItemClass = {
      key,
      requirement,
      reservedFor,
      channelKind: item.channelKind,
      kind: this.#kindOf(item.channelKind),
      weight: item.weight,
      eligible: new Bits(),
      line: new Heap(itemBefore),
      members: 0,
      fleeting: 0
    }
    this.#classes.set(key, itemClass)
    this.#emptyClasses++
    // Preferences make many classes of few agents: nobody else is looked at.
    const agents =
      reservedFor === undefined ? this.agents.values() : new Set(reservedFor).values().map((id) => this.agents.get(id))
    for (const agent of agents)
      if (agent !== undefined && isMet(requirement, agent.document.agent)) {
        itemClass.eligible.add(agent.index)
        agent.compatible.push(itemClass)
      }
    return itemClass
  }

  #askOf(item: WorkItem, step: number): Asked {
    const first = item.requirement ?? this.#queues.get(item.queueId)?.requirement ?? anyone
    const asked = this.#ask(step === 0 ? first : requirementAt(first, this.relaxationOf(item), step))
    return asked.itemAttributes.length === 0 ? asked : this.#askWith(asked, item.attributes)
  }

  #ask(requirement: Requirement): Asked {
    const known = this.#asked.get(requirement)
    if (known !== undefined) return known
    const key = toKey(requirement)
    const asked = { requirement, key, itemAttributes: itemAttributesOf(requirement), byValues: new Map() }
    this.#asked.set(requirement, asked)
    return asked
  }

  #askWith({ requirement, itemAttributes, byValues }: Asked, attributes: Attributes | undefined): Asked {
    const values = JSON.stringify(itemAttributes.map((name) => get(attributes, name)))
    const known = byValues.get(values)
    if (known !== undefined) return known
    const resolved = resolve(requirement, attributes)
    const asked = { requirement: resolved, key: toKey(resolved), itemAttributes: [], byValues: new Map() }
    if (byValues.size >= rememberedValues) byValues.clear()
    byValues.set(values, asked)
    return asked
  }

  #kindOf(channelKind: string): number {
    const known = this.#kinds.get(channelKind)
    if (known !== undefined) return known
    const kind = this.#kinds.size
    this.#kinds.set(channelKind, kind)
    for (const agent of this.agents.values()) {
      agent.usedOf[kind] = 0
      this.#setKind(agent, channelKind, kind)
    }
    return kind
  }

  #join(itemClass: ItemClass): void {
    if (itemClass.members++ === 0) this.#emptyClasses--
  }

  #leave(itemClass: ItemClass): void {
    if (--itemClass.members > 0 || ++this.#emptyClasses <= spareClasses) return
    for (const [key, { members }] of this.#classes) if (members === 0) this.#classes.delete(key)
    this.#emptyClasses = 0
    for (const agent of this.agents.values()) agent.compatible = agent.compatible.filter(({ members }) => members > 0)
  }

  *lines(): Generator<Heap<ItemEntry>, void, undefined> {
    for (const { line } of this.#classes.values()) yield line
  }

  // Matches

  agentFor(entry: ItemEntry, now: number): { agent: AgentEntry; record: MatchRecord } | WaitsFor {
    const { class: itemClass } = entry
    const podium = new Podium(this.#choice.before)
    let isSomebodyExcluded = false
    const eligible = itemClass.eligible.words
    const open = this.#open.words
    const length = Math.min(eligible.length, open.length)
    for (let word = 0; word < length; word++) {
      let bits = eligible[word]! & open[word]!
      while (bits !== 0) {
        const agent = this.#byIndex[word * 32 + 31 - Math.clz32(bits & -bits)]!
        bits &= bits - 1
        if (!agent.isOn[itemClass.kind] || !this.fits(agent, itemClass)) continue
        if (isExcluded(entry, agent.document.agent.agentId, now)) isSomebodyExcluded = true
        else podium.show(agent)
      }
    }
    const { first, second, compared } = podium
    if (first === undefined) return this.#waitsFor(itemClass, isSomebodyExcluded)
    const winner = first.document.agent.agentId
    const record: MatchRecord =
      second === undefined
        ? { chose: "agent", winner, compared, decidedBy: itemClass.reservedFor ? "preferredAgent" : "onlyCandidate" }
        : {
            chose: "agent",
            winner,
            runnerUp: second.document.agent.agentId,
            compared,
            decidedBy: this.#choice.decidedBy(first, second)
          }
    return { agent: first, record }
  }

  itemFor(agent: AgentEntry, now: number): { entry: ItemEntry; record: MatchRecord } | undefined {
    if (!this.#open.has(agent.index)) return undefined
    const podium = new Podium(itemBefore)
    const { agentId } = agent.document.agent
    const isOffered = (entry: ItemEntry) => !isExcluded(entry, agentId, now)
    const consider = (itemClass: ItemClass): void => {
      const { line } = itemClass
      if (line.size === 0 || !agent.isOn[itemClass.kind] || !this.fits(agent, itemClass)) return
      const head = line.first(isOffered)
      if (head !== undefined) podium.show(head)
    }
    for (const itemClass of agent.compatible) consider(itemClass)
    const { first, second, compared } = podium
    if (first === undefined) return undefined
    const winner = first.item.itemId
    const record: MatchRecord =
      second === undefined
        ? { chose: "item", winner, compared, decidedBy: "onlyCandidate" }
        : {
            chose: "item",
            winner,
            runnerUp: second.item.itemId,
            compared,
            decidedBy: itemDecidedBy(this.policy, first, second)
          }
    return { entry: first, record }
  }

  #waitsFor({ eligible, reservedFor }: ItemClass, isSomebodyExcluded: boolean): WaitsFor {
    if (reservedFor !== undefined) return "preferredAgent"
    if (isSomebodyExcluded) return "declineMemory"
    if (eligible.isEmpty) return "eligibleAgent"
    return eligible.meets(this.#available) ? "capacity" : "availableAgent"
  }

  /** Whether everybody the item could be offered to, whatever they hold, has been excluded. */
  hasEverybodyDeclined(entry: ItemEntry, now: number): boolean {
    const { eligible, kind } = entry.class
    for (const agent of this.agents.values())
      if (
        eligible.has(agent.index) &&
        this.#available.has(agent.index) &&
        agent.isOn[kind] &&
        !isExcluded(entry, agent.document.agent.agentId, now)
      )
        return false
    return true
  }
}
