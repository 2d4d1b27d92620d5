import type { Place } from "../Pool.ts"
import { type Relaxation, requirementAt, stepAt } from "../Relaxation.ts"
import { anyone, isMet, type Requirement } from "../Requirement.ts"
import type { RoutingAgent } from "../RoutingAgent.ts"
import type { RoutingPolicy } from "../RoutingPolicy.ts"
import type { WorkItem } from "../WorkItem.ts"
import type { WorkQueue } from "../WorkQueue.ts"
import { type Ask, Asks, skillsOf } from "./Asks.ts"
import { Bits, lowest } from "./Bits.ts"
import {
  type AgentEntry,
  type Audience,
  gone,
  type ItemEntry,
  type Line,
  nobody,
  type Queue,
  waiting
} from "./Entries.ts"
import { KeyedHeap } from "./KeyedHeap.ts"
import { Order } from "./Order.ts"
import type { Supply } from "./Supply.ts"

const noRelaxation: Relaxation = []

/** Empty lines are kept for the next item of their kind, up to this many. */
const spareLines = 1024

const minuteMs = 60_000
/** Channel kinds and weights are told apart below this; the product with the queues stays an integer. */
const kindLimit = 1024

const inIdOrder = (a: ItemEntry, b: ItemEntry): boolean => a.item.itemId < b.item.itemId

/** The items: what they ask for, in which line they wait, who has them. */
export class Demand {
  readonly items = new Map<string, ItemEntry>()
  readonly queues = new Map<string, Queue>()
  readonly order: Order
  /** By the line's index. */
  readonly lines: Array<Line | undefined> = []
  /** Lines in which something waits. */
  readonly nonEmpty = new Bits()
  /** Queues whose items others may help with from now on, or who may have nobody left of their own. */
  readonly stirred: Array<Queue> = []
  /** Waiting items with a preference, or at a row that may be skipped. */
  fleeting = 0
  readonly #policy: RoutingPolicy
  readonly #supply: Supply
  readonly #totals = { held: 0 }
  readonly #asks = new Asks()
  readonly #audiences = new Map<string, Audience>()
  readonly #freeIndexes: Array<number> = []
  #emptyLines = 0

  constructor(policy: RoutingPolicy, supply: Supply) {
    this.#policy = policy
    this.#supply = supply
    this.order = new Order(policy, this.#totals)
    for (const queue of policy.queues) this.#addQueue(queue.queueId, queue)
  }

  // Queues and agents

  queueOf(queueId: string): Queue {
    return this.queues.get(queueId) ?? this.#addQueue(queueId, undefined)
  }

  #addQueue(queueId: string, listed: WorkQueue | undefined): Queue {
    const { costPerMinute = 0, handlingMs, share = 0, requirement = anyone, relaxation = noRelaxation } = listed ?? {}
    const queue: Queue = {
      index: this.queues.size,
      queueId,
      isListed: listed !== undefined,
      requirement,
      relaxation,
      handlingMs,
      rate: costPerMinute / ((handlingMs ?? minuteMs) / minuteMs),
      share,
      ...this.#policy.helping,
      ...listed?.helping,
      home: new Bits(),
      lines: new Set(),
      audience: undefined,
      waiting: 0,
      held: 0
    }
    this.queues.set(queueId, queue)
    // Who lists a queue has made it known: only those who list none are left.
    for (const { index, homes } of this.#supply.agents.values()) if (homes === undefined) queue.home.add(index)
    return queue
  }

  /** Looks up anew what an agent is for. `profile` undefined: for nothing, because they leave. */
  setAgent(agent: AgentEntry, profile: RoutingAgent | undefined): void {
    const homes = profile?.homeQueues
    const hadHomes = agent.homes !== undefined
    const hasHomes = homes !== undefined && homes.length > 0
    agent.homes = hasHomes ? new Set(homes.map((queueId) => this.queueOf(queueId))) : undefined
    this.#supply.homed += Number(hasHomes) - Number(hadHomes)
    for (const queue of this.queues.values())
      queue.home.set(agent.index, profile !== undefined && (agent.homes?.has(queue) ?? true))
    for (const audience of this.#audiences.values()) {
      const { reservedFor, requirement, eligible, lines } = audience
      const isIn =
        profile !== undefined && (reservedFor?.includes(agent.agentId) ?? true) && isMet(requirement, profile)
      if (isIn === eligible.has(agent.index)) continue
      eligible.set(agent.index, isIn)
      for (const line of lines.values()) this.#supply.lines.setBit(agent.index, line.index, isIn)
    }
  }

  // Items

  addItem(item: WorkItem, queue: Queue, step: number): ItemEntry {
    const line = this.lineAt(item, queue, step)
    const entry: ItemEntry = {
      item,
      line,
      place: waiting,
      agent: undefined,
      step,
      move: undefined,
      offersMade: 0,
      exclusions: nobody,
      isChanged: false,
      slot: -1
    }
    this.#join(line)
    this.items.set(item.itemId, entry)
    return entry
  }

  /** Only while the item doesn't wait in its line. */
  setItem(entry: ItemEntry, item: WorkItem, step: number): void {
    entry.item = item
    entry.step = step
    this.setLine(entry, this.lineAt(item, this.queueOf(item.queueId), step))
  }

  /** Only while the item doesn't wait in its line and no agent has it. */
  removeItem(entry: ItemEntry): void {
    entry.slot = gone
    this.#leave(entry.line)
    this.items.delete(entry.item.itemId)
  }

  /** The table for what is asked of the item as it grows older. What it asks itself keeps its queue's away. */
  relaxationOf(item: WorkItem, queue = this.queueOf(item.queueId)): Relaxation {
    if (item.relaxation !== undefined) return item.relaxation
    return item.requirement === undefined ? queue.relaxation : noRelaxation
  }

  /** What the item asks when so many rows of its relaxation hold. */
  requirementOf(item: WorkItem, step: number): Requirement {
    return this.#askOf(item, this.queueOf(item.queueId), step).requirement
  }

  stepOf(item: WorkItem, queue: Queue, now: number): number {
    const table = this.relaxationOf(item, queue)
    return table.length === 0 ? 0 : stepAt(table, now - item.arrivedAtMs)
  }

  #askOf(item: WorkItem, queue: Queue, step: number): Ask {
    const first = item.requirement ?? queue.requirement
    const requirement = step === 0 ? first : requirementAt(first, this.relaxationOf(item, queue), step)
    return this.#asks.of(requirement, item.attributes)
  }

  // Lines

  lineAt(item: WorkItem, queue: Queue, step: number, reservedFor?: ReadonlyArray<string>): Line {
    const audience = this.#audienceFor(item, queue, step, reservedFor)
    const kind = this.#supply.kindOf(item.channelKind)
    const key = (queue.index * kindLimit + kind) * kindLimit + item.weight
    return audience.lines.get(key) ?? this.#addLine(key, audience, queue, kind, item)
  }

  #audienceFor(item: WorkItem, queue: Queue, step: number, reservedFor: ReadonlyArray<string> | undefined): Audience {
    const isQueues = step === 0 && reservedFor === undefined && item.requirement === undefined
    if (!isQueues) return this.#audienceOf(this.#askOf(item, queue, step), reservedFor)
    if (queue.audience !== undefined) return queue.audience
    const audience = this.#audienceOf(this.#askOf(item, queue, step), reservedFor)
    if (this.#asks.isPlain(queue.requirement)) queue.audience = audience
    return audience
  }

  #audienceOf({ key: asked, requirement }: Ask, reservedFor: ReadonlyArray<string> | undefined): Audience {
    const key = reservedFor === undefined ? asked : `${asked} ${JSON.stringify([...reservedFor].sort())}`
    const known = this.#audiences.get(key)
    if (known !== undefined) return known
    const audience: Audience = {
      key,
      requirement,
      reservedFor,
      skills: skillsOf(requirement),
      eligible: new Bits(),
      lines: new Map()
    }
    this.#audiences.set(key, audience)
    const { agents } = this.#supply
    // Preferences make many audiences of few agents: nobody else is looked at.
    const possible =
      reservedFor === undefined ? agents.values() : new Set(reservedFor).values().map((id) => agents.get(id))
    for (const agent of possible)
      if (agent !== undefined && isMet(requirement, agent.profile)) audience.eligible.add(agent.index)
    return audience
  }

  #addLine(key: number, audience: Audience, queue: Queue, kind: number, { channelKind, weight }: WorkItem): Line {
    const line: Line = {
      index: this.#freeIndexes.pop() ?? this.lines.length,
      audience,
      queue,
      channelKind,
      kind,
      weight,
      heap: new KeyedHeap(this.order.width, inIdOrder),
      members: 0,
      fleeting: 0
    }
    this.lines[line.index] = line
    audience.lines.set(key, line)
    queue.lines.add(line)
    for (const agent of this.agentsOf(audience.eligible)) this.#supply.lines.setBit(agent.index, line.index, true)
    this.#emptyLines++
    return line
  }

  *agentsOf(set: Bits, and = set): Generator<AgentEntry, void, undefined> {
    const length = Math.min(set.words.length, and.words.length)
    for (let word = 0; word < length; word++)
      for (let bits = set.words[word]! & and.words[word]!; bits !== 0; bits &= bits - 1)
        yield this.#supply.byIndex[word * 32 + lowest(bits)]!
  }

  /** The lines an agent may be served from, whether anything waits there or not. */
  *linesOf({ index }: AgentEntry): Generator<Line, void, undefined> {
    const { words, width } = this.#supply.lines
    for (let word = 0; word < width; word++)
      for (let bits = words[index * width + word]!; bits !== 0; bits &= bits - 1)
        yield this.lines[word * 32 + lowest(bits)]!
  }

  setLine(entry: ItemEntry, next: Line): void {
    const before = entry.line
    if (next === before) return
    if (entry.agent !== undefined) {
      before.queue.held -= before.weight
      next.queue.held += next.weight
    }
    this.#join(next)
    this.#leave(before)
    entry.line = next
  }

  #join(line: Line): void {
    if (line.members++ === 0) this.#emptyLines--
  }

  #leave(line: Line): void {
    if (--line.members > 0 || ++this.#emptyLines <= spareLines) return
    for (const audience of this.#audiences.values()) {
      for (const [key, each] of audience.lines) if (each.members === 0) this.#removeLine(key, each)
      if (audience.lines.size > 0) continue
      this.#audiences.delete(audience.key)
    }
    for (const queue of this.queues.values()) if (queue.audience?.lines.size === 0) queue.audience = undefined
    this.#emptyLines = 0
  }

  #removeLine(key: number, line: Line): void {
    const { audience, queue, index } = line
    for (const agent of this.agentsOf(audience.eligible)) this.#supply.lines.setBit(agent.index, index, false)
    audience.lines.delete(key)
    queue.lines.delete(line)
    this.lines[index] = undefined
    this.#freeIndexes.push(index)
  }

  *heaps(): Generator<KeyedHeap<ItemEntry>, void, undefined> {
    for (const line of this.lines) if (line !== undefined) yield line.heap
  }

  // Places

  /** Lets an item wait in its line. */
  enqueue(entry: ItemEntry): void {
    const { line } = entry
    const { queue } = line
    entry.place = waiting
    if (line.heap.size === 0) this.nonEmpty.add(line.index)
    line.heap.push(entry, this.order.rowOf(entry.item, queue))
    if (++queue.waiting === queue.fromLength && this.#supply.homed > 0) this.stirred.push(queue)
    if (entry.move?.isFleeting) this.#countFleeting(line, 1)
  }

  /** Takes a waiting item out of its line. */
  dequeue(entry: ItemEntry): void {
    const { line } = entry
    line.heap.remove(entry)
    if (line.heap.size === 0) this.nonEmpty.remove(line.index)
    line.queue.waiting--
    if (entry.move?.isFleeting) this.#countFleeting(line, -1)
  }

  #countFleeting(line: Line, by: number): void {
    line.fleeting += by
    this.fleeting += by
  }

  /** Gives an item that doesn't wait, offered or assigned, to an agent. */
  give(entry: ItemEntry, agent: AgentEntry, place: Exclude<Place, { kind: "waiting" }>): void {
    entry.place = place
    entry.agent = agent
    this.#supply.give(agent, entry)
    this.#countHeld(entry.line, entry.line.weight)
  }

  /** Takes an item from the agent who has it. */
  take(entry: ItemEntry): AgentEntry {
    const agent = entry.agent!
    this.#supply.take(agent, entry)
    entry.agent = undefined
    this.#countHeld(entry.line, -entry.line.weight)
    return agent
  }

  #countHeld({ queue }: Line, weight: number): void {
    queue.held += weight
    this.#totals.held += weight
  }
}
