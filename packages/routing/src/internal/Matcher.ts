import { limitOf } from "../Capacity.ts"
import type { MatchRecord, WaitsFor } from "../Decision.ts"
import type { Place, PoolAgent } from "../Pool.ts"
import { isOn } from "../Presence.ts"
import { anyone, isMet, type Requirement, toKey } from "../Requirement.ts"
import type { RoutingPolicy } from "../RoutingPolicy.ts"
import type { WorkItem } from "../WorkItem.ts"
import { Bits } from "./Bits.ts"
import type { AgentEntry, ItemClass, ItemEntry } from "./Entries.ts"
import { Heap } from "./Heap.ts"
import { agentOrder, itemBefore, itemDecidedBy, keysOf } from "./order.ts"

export const waiting: Place = { kind: "waiting" }

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
  readonly #requirementOf: Map<string, Requirement>
  readonly #choice: ReturnType<typeof agentOrder>
  readonly #classes = new Map<string, ItemClass>()
  /** A queue's requirement is the same object for all its items: its key is worked out once. */
  readonly #keys = new WeakMap<Requirement, string>()
  readonly #kinds = new Map<string, number>()
  readonly #byIndex: Array<AgentEntry | undefined> = []
  readonly #freeIndexes: Array<number> = []
  readonly #available = new Bits()
  /** Available with at least one unit left. */
  readonly #open = new Bits()
  #emptyClasses = 0

  constructor(policy: RoutingPolicy) {
    this.policy = policy
    this.#requirementOf = new Map(policy.queues.map(({ queueId, requirement }) => [queueId, requirement]))
    this.#choice = agentOrder(policy)
  }

  knowsQueue(queueId: string): boolean {
    return this.#requirementOf.has(queueId)
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
      compatible: [],
      preferred: new Map()
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
    this.#setOpen(entry)
  }

  removeAgent(entry: AgentEntry): void {
    for (const itemClass of entry.compatible) itemClass.eligible.remove(entry.index)
    this.#available.remove(entry.index)
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
      const isEligible = isMet(itemClass.requirement, entry.document.agent)
      itemClass.eligible.set(entry.index, isEligible)
      if (isEligible) entry.compatible.push(itemClass)
    }
  }

  #setOpen(entry: AgentEntry): void {
    const isAvailable = entry.document.presence.status === "available"
    this.#available.set(entry.index, isAvailable)
    this.#open.set(entry.index, isAvailable && entry.used < entry.document.agent.capacity.units)
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

  addItem(item: WorkItem): ItemEntry {
    const itemClass = this.#classOf(item)
    const entry: ItemEntry = {
      item,
      class: itemClass,
      keys: keysOf(this.policy, item),
      place: waiting,
      agent: undefined,
      line: undefined,
      offersMade: 0,
      exclusions: [],
      slot: -1
    }
    this.#join(itemClass)
    this.items.set(item.itemId, entry)
    return entry
  }

  /** Only while the item stands in no line. */
  setItem(entry: ItemEntry, item: WorkItem): void {
    const next = this.#classOf(item)
    this.#join(next)
    this.#leave(entry.class)
    entry.item = item
    entry.class = next
    entry.keys = keysOf(this.policy, item)
  }

  /** Only while the item stands in no line and no agent has it. */
  removeItem(entry: ItemEntry): void {
    this.#leave(entry.class)
    this.items.delete(entry.item.itemId)
  }

  requirementOf(item: WorkItem): Requirement {
    return item.requirement ?? this.#requirementOf.get(item.queueId) ?? anyone
  }

  /** The agent a preferred item still waits for alone, if it is worth waiting for them. */
  preferredFor({ item, class: itemClass }: ItemEntry, now: number): AgentEntry | undefined {
    if (item.preferredAgent === undefined || item.preferredUntilMs! <= now) return undefined
    const agent = this.agents.get(item.preferredAgent)
    return agent !== undefined && this.isWorthWaitingFor(agent, itemClass) ? agent : undefined
  }

  isWorthWaitingFor(agent: AgentEntry, { eligible, kind }: ItemClass): boolean {
    const { status } = agent.document.presence
    return (status === "available" || status === "busy") && agent.isOn[kind]! && eligible.has(agent.index)
  }

  enqueue(entry: ItemEntry, preferred: AgentEntry | undefined): void {
    let { line } = entry.class
    if (preferred !== undefined) {
      line = preferred.preferred.get(entry.class) ?? new Heap(itemBefore)
      preferred.preferred.set(entry.class, line)
    }
    entry.place = waiting
    entry.line = line
    line.push(entry)
  }

  dequeue(entry: ItemEntry): void {
    const { line } = entry
    if (line === undefined) return
    line.remove(entry)
    entry.line = undefined
    if (line.size === 0 && line !== entry.class.line)
      this.agents.get(entry.item.preferredAgent!)?.preferred.delete(entry.class)
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

  #classOf(item: WorkItem): ItemClass {
    const requirement = this.requirementOf(item)
    const key = `${item.weight} ${JSON.stringify(item.channelKind)} ${this.#keyOf(requirement)}`
    const known = this.#classes.get(key)
    if (known !== undefined) return known
    const itemClass: ItemClass = {
      key,
      requirement,
      channelKind: item.channelKind,
      kind: this.#kindOf(item.channelKind),
      weight: item.weight,
      eligible: new Bits(),
      line: new Heap(itemBefore),
      members: 0
    }
    this.#classes.set(key, itemClass)
    this.#emptyClasses++
    for (const agent of this.agents.values())
      if (isMet(requirement, agent.document.agent)) {
        itemClass.eligible.add(agent.index)
        agent.compatible.push(itemClass)
      }
    return itemClass
  }

  #keyOf(requirement: Requirement): string {
    const known = this.#keys.get(requirement)
    if (known !== undefined) return known
    const key = toKey(requirement)
    this.#keys.set(requirement, key)
    return key
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
    for (const { preferred } of this.agents.values()) yield* preferred.values()
  }

  // Matches

  agentFor(entry: ItemEntry, now: number): { agent: AgentEntry; record: MatchRecord } | WaitsFor {
    const { class: itemClass } = entry
    if (entry.line !== itemClass.line) {
      const agent = this.agents.get(entry.item.preferredAgent!)!
      const { agentId } = agent.document.agent
      return this.#open.has(agent.index) && this.#canOffer(entry, agent, now)
        ? { agent, record: { chose: "agent", winner: agentId, compared: 1, decidedBy: "preferredAgent" } }
        : "preferredAgent"
    }
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
        ? { chose: "agent", winner, compared, decidedBy: "onlyCandidate" }
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
    const consider = (itemClass: ItemClass, line: Heap<ItemEntry>): void => {
      if (line.size === 0 || !agent.isOn[itemClass.kind] || !this.fits(agent, itemClass)) return
      const head = line.first(isOffered)
      if (head !== undefined) podium.show(head)
    }
    for (const [itemClass, line] of agent.preferred) consider(itemClass, line)
    for (const itemClass of agent.compatible) consider(itemClass, itemClass.line)
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

  #canOffer(entry: ItemEntry, agent: AgentEntry, now: number): boolean {
    return (
      agent.isOn[entry.class.kind]! &&
      this.fits(agent, entry.class) &&
      !isExcluded(entry, agent.document.agent.agentId, now)
    )
  }

  #waitsFor({ eligible }: ItemClass, isSomebodyExcluded: boolean): WaitsFor {
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
