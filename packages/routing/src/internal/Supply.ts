import { blocks, exceeded, type Limit, type Load, limitOf } from "../Capacity.ts"
import type { PoolAgent, WrapUp } from "../Pool.ts"
import { isOn, type Presence } from "../Presence.ts"
import type { RoutingAgent } from "../RoutingAgent.ts"
import type { WorkItem } from "../WorkItem.ts"
import { Bits, countOf } from "./Bits.ts"
import type { AgentEntry, ItemEntry, Line, Queue } from "./Entries.ts"
import { Grid } from "./Grid.ts"

/** The agents: who is available, what they hold, what they have room for. */
export class Supply {
  readonly agents = new Map<string, AgentEntry>()
  readonly byIndex: Array<AgentEntry | undefined> = []
  readonly available = new Bits()
  /** Available or busy. */
  readonly onDuty = new Bits()
  /** Available with at least one unit left. */
  readonly open = new Bits()
  /** By agent and channel kind: units of that kind they may be offered now; 0 when they take none. */
  readonly room = new Grid()
  /** By agent, as bits: the lines of whose audience they are. */
  readonly lines = new Grid()
  /** How many have home queues: without any, nobody helps because everything is everybody's own work. */
  homed = 0
  /** The last turn that anybody here was given. */
  turns = 0
  readonly #kinds = new Map<string, number>()
  /** By agent and channel kind: units they hold; and what they may hold, 0 while they have switched it off. */
  readonly #used = new Grid()
  readonly #allowed = new Grid()
  readonly #freeIndexes: Array<number> = []

  add(document: PoolAgent): AgentEntry {
    const { agent, presence, idleSinceMs, missed, assignedAtMs, given = 0, turn = 0, wrapUps = [] } = document
    const index = this.#freeIndexes.pop() ?? this.byIndex.length
    const entry: AgentEntry = {
      agentId: agent.agentId,
      index,
      profile: agent,
      presence,
      idleSinceMs,
      missed,
      assignedAtMs,
      given,
      turn,
      skillCount: 0,
      units: 0,
      used: 0,
      offeredUnits: 0,
      items: [],
      wrapUps: [],
      homes: undefined,
      isChanged: false
    }
    this.turns = Math.max(this.turns, turn)
    this.byIndex[index] = entry
    this.agents.set(agent.agentId, entry)
    this.lines.clear(index)
    for (const grid of [this.#used, this.#allowed, this.room]) grid.clear(index)
    this.setProfile(entry, agent)
    this.setPresence(entry, presence)
    for (const wrapUp of wrapUps) this.startWrapUp(entry, wrapUp)
    return entry
  }

  /** Only when they hold nothing. */
  remove(agent: AgentEntry): void {
    agent.wrapUps = []
    this.available.remove(agent.index)
    this.onDuty.remove(agent.index)
    this.open.remove(agent.index)
    this.byIndex[agent.index] = undefined
    this.#freeIndexes.push(agent.index)
    this.agents.delete(agent.agentId)
    // As a restore would find it.
    if (agent.turn === this.turns) this.turns = Math.max(0, ...this.agents.values().map(({ turn }) => turn))
  }

  setProfile(agent: AgentEntry, profile: RoutingAgent): void {
    agent.profile = profile
    agent.units = profile.capacity.units
    agent.skillCount = Object.keys(profile.skills).length
    this.#setAllowed(agent)
  }

  setPresence(agent: AgentEntry, presence: Presence): void {
    agent.presence = presence
    const { status } = presence
    this.available.set(agent.index, status === "available")
    this.onDuty.set(agent.index, status === "available" || status === "busy")
    this.#setAllowed(agent)
  }

  kindOf(channelKind: string): number {
    const known = this.#kinds.get(channelKind)
    if (known !== undefined) return known
    const kind = this.#kinds.size
    this.#kinds.set(channelKind, kind)
    for (const grid of [this.#used, this.#allowed, this.room]) grid.fit(this.byIndex.length, kind + 1)
    for (const agent of this.agents.values()) this.#setAllowed(agent)
    return kind
  }

  /** Whether the agent could be offered an item of this line: available on its channel, with room for it. */
  fits({ index }: AgentEntry, { kind, weight }: Line): boolean {
    return weight <= this.room.at(index, kind)
  }

  /** Whether they hold more than they may: in total, of this line's channel kind, or beside it in whatever order it came. */
  isOverfull(agent: AgentEntry, { kind, channelKind }: Line): boolean {
    const { index, profile, units, used } = agent
    const { capacity } = profile
    if (used > units || this.#used.at(index, kind) > limitOf(capacity, channelKind)) return true
    if (capacity.exclusive === undefined) return false
    for (const [held, heldKind] of this.#kinds)
      if (
        this.#used.at(index, heldKind) > 0 &&
        blocks(capacity, held, channelKind) &&
        blocks(capacity, channelKind, held)
      )
        return true
    return false
  }

  limitFor(agent: AgentEntry, { channelKind, weight }: WorkItem): Limit | undefined {
    const { capacity } = agent.profile
    const load = this.loadOf(agent)
    const limit = exceeded(capacity, load, channelKind, weight)
    if (limit === undefined || agent.wrapUps.length === 0) return limit
    for (const each of agent.wrapUps) {
      load.units -= each.weight
      load.perChannelKind[each.channelKind]! -= each.weight
    }
    return exceeded(capacity, load, channelKind, weight) ?? "wrapUp"
  }

  loadOf(agent: AgentEntry): Load {
    const used = [...this.#kinds].map(([channelKind, kind]) => [channelKind, this.#used.at(agent.index, kind)] as const)
    return { units: agent.used, perChannelKind: Object.fromEntries(used.filter(([, units]) => units > 0)) }
  }

  /** Units they hold of a channel kind. */
  usedOf({ index }: AgentEntry, kind: number): number {
    return this.#used.at(index, kind)
  }

  /** How many others of a queue's home agents have room. */
  othersFree(queue: Queue, agent: AgentEntry): number {
    const home = queue.home.words
    const open = this.open.words
    let count = queue.home.has(agent.index) && this.open.has(agent.index) ? -1 : 0
    for (let word = Math.min(home.length, open.length) - 1; word >= 0; word--)
      count += countOf(home[word]! & open[word]!)
    return count
  }

  /** An item, offered or assigned, takes its weight from the agent's capacity. */
  give(agent: AgentEntry, entry: ItemEntry): void {
    agent.items.push(entry)
    this.#count(agent, entry, entry.line.weight)
  }

  startWrapUp(agent: AgentEntry, wrapUp: WrapUp): void {
    agent.wrapUps = [...agent.wrapUps, wrapUp]
    this.#use(agent, this.kindOf(wrapUp.channelKind), wrapUp.weight)
  }

  endWrapUp(agent: AgentEntry, wrapUp: WrapUp): void {
    agent.wrapUps = agent.wrapUps.filter((each) => each !== wrapUp)
    this.#use(agent, this.kindOf(wrapUp.channelKind), -wrapUp.weight)
  }

  take(agent: AgentEntry, entry: ItemEntry): void {
    const { items } = agent
    const last = items.pop()!
    if (last !== entry) items[items.indexOf(entry)] = last
    this.#count(agent, entry, -entry.line.weight)
  }

  #count(agent: AgentEntry, { line, place }: ItemEntry, weight: number): void {
    if (place.kind === "offered") agent.offeredUnits += weight
    this.#use(agent, line.kind, weight)
  }

  #use(agent: AgentEntry, kind: number, weight: number): void {
    agent.used += weight
    this.#used.add(agent.index, kind, weight)
    this.#setRoom(agent)
  }

  #setAllowed(agent: AgentEntry): void {
    const { index, presence, profile } = agent
    for (const [channelKind, kind] of this.#kinds)
      this.#allowed.set(index, kind, isOn(presence, channelKind) ? limitOf(profile.capacity, channelKind) : 0)
    this.#setRoom(agent)
  }

  /** The one place that says what an agent has room for. */
  #setRoom({ index, units, used, profile }: AgentEntry): void {
    const free = this.available.has(index) ? units - used : 0
    this.open.set(index, free > 0)
    for (let kind = this.#kinds.size - 1; kind >= 0; kind--) {
      const left = this.#allowed.at(index, kind) - this.#used.at(index, kind)
      this.room.set(index, kind, free <= 0 || left <= 0 ? 0 : Math.min(free, left))
    }
    const { capacity } = profile
    if (capacity.exclusive === undefined || used === 0) return
    for (const [held, heldKind] of this.#kinds) {
      if (this.#used.at(index, heldKind) === 0) continue
      for (const [channelKind, kind] of this.#kinds)
        if (blocks(capacity, held, channelKind)) this.room.set(index, kind, 0)
    }
  }

  /** Whether the agent takes the channel of this line's items, whatever their status. */
  takes({ presence }: AgentEntry, { channelKind }: Line): boolean {
    return isOn(presence, channelKind)
  }

  documentOf(agent: AgentEntry): PoolAgent {
    const { profile, presence, idleSinceMs, missed, assignedAtMs, given, turn, wrapUps } = agent
    const document: PoolAgent = { agent: profile, presence, idleSinceMs, missed }
    if (assignedAtMs !== undefined) document.assignedAtMs = assignedAtMs
    if (given > 0) document.given = given
    if (turn > 0) document.turn = turn
    if (wrapUps.length > 0) document.wrapUps = wrapUps
    return document
  }
}
