import type { Decision } from "../../Decision.ts"
import { toKey } from "../../Requirement.ts"
import type { RoutingAgent } from "../../RoutingAgent.ts"
import type { AgentFigures, Figures, LoadFigures } from "../../Simulation.ts"
import type { WorkItem } from "../../WorkItem.ts"

/** Items alike in everything an order may look at but their age, in the order they arrived. */
interface Line {
  entries: Array<Tracked>
  /** How many were dropped from the front. */
  dropped: number
  /** Nothing before it waits. */
  head: number
}

interface Tracked {
  readonly item: WorkItem
  readonly line: Line
  readonly at: number
  readonly row: number
  state: "waiting" | "offered" | "over"
  holder: Duty | undefined
  wasAnswered: boolean
}

interface Duty {
  readonly agentId: string
  units: number
  used: number
  isOnDuty: boolean
  sinceMs: number
  answered: number
  /** Per window: unit-milliseconds at work and in all, while on duty. */
  readonly busy: Array<number>
  readonly room: Array<number>
}

/** What became of an item, in the order of arrival. */
const endings = { waiting: 0, answered: 1, gaveUp: 2, absent: 3 } as const

/** The smallest value that at least this share of them doesn't exceed. */
const rank = (sorted: Float64Array, share: number): number =>
  sorted.length === 0 ? 0 : sorted[Math.max(0, Math.ceil(sorted.length * share) - 1)]!

/**
 * Counts what happens in a pool from its decisions: who waited how long, who worked how much.
 *
 * `edges` are the instants between windows: an item belongs to the window it arrives in, work to the one it is done in,
 * and what is outside of all isn't counted.
 */
export class Ledger {
  readonly #edges: ReadonlyArray<number>
  readonly #tracked = new Map<string, Tracked>()
  readonly #duties = new Map<string, Duty>()
  readonly #lines = new Map<string, Line>()
  readonly #queues = new Map<string, number>()
  readonly #queueOf: Array<number> = []
  readonly #windowOf: Array<number> = []
  readonly #waits: Array<number> = []
  readonly #outcomes: Array<number> = []
  readonly #overtook: Array<number> = []

  constructor(edges: ReadonlyArray<number>) {
    this.#edges = edges
  }

  /** How many items are counted, in the order of their arrival. */
  get rows(): number {
    return this.#waits.length
  }

  agent({ agentId, capacity }: RoutingAgent, now: number): void {
    const duty = this.#duties.get(agentId)
    if (duty === undefined) {
      const windows = Math.max(1, this.#edges.length - 1)
      this.#duties.set(agentId, {
        agentId,
        units: capacity.units,
        used: 0,
        isOnDuty: false,
        sinceMs: now,
        answered: 0,
        busy: new Array<number>(windows).fill(0),
        room: new Array<number>(windows).fill(0)
      })
      return
    }
    this.#account(duty, now)
    duty.units = capacity.units
  }

  agentLeft(agentId: string, now: number): void {
    const duty = this.#duties.get(agentId)
    if (duty === undefined) return
    this.#account(duty, now)
    duty.isOnDuty = false
  }

  /** An item arrives that isn't in the pool; `lineKey` names those alike where the caller knows it already. */
  item(item: WorkItem, isCounted = true, lineKey = lineKeyOf(item)): void {
    const line = this.#lines.get(lineKey) ?? { entries: [], dropped: 0, head: 0 }
    this.#lines.set(lineKey, line)
    const queue = this.#queues.get(item.queueId) ?? this.#queues.size
    this.#queues.set(item.queueId, queue)
    const window = isCounted ? this.#windowAt(item.arrivedAtMs) : -1
    const tracked: Tracked = {
      item,
      line,
      at: line.dropped + line.entries.length,
      row: window < 0 ? -1 : this.#waits.length,
      state: "waiting",
      holder: undefined,
      wasAnswered: false
    }
    line.entries.push(tracked)
    this.#tracked.set(item.itemId, tracked)
    if (window >= 0) this.#add(queue, window, endings.waiting)
  }

  /** Keeps the place of an item that arrived elsewhere, but is another here. */
  absent(): void {
    this.#add(-1, -1, endings.absent)
  }

  decided(decision: Decision, now: number): void {
    switch (decision.type) {
      case "offerMade": {
        const tracked = this.#tracked.get(decision.itemId)
        if (tracked === undefined) return
        tracked.state = "offered"
        if (overtakes(tracked) && tracked.row >= 0) this.#overtook[tracked.row]!++
        return
      }
      case "offerDeclined":
      case "offerExpired":
      case "offerWithdrawn":
      case "itemQueued": {
        const tracked = this.#tracked.get(decision.itemId)
        if (tracked === undefined) return
        this.#release(tracked, now)
        tracked.state = "waiting"
        tracked.line.head = Math.max(0, Math.min(tracked.line.head, tracked.at - tracked.line.dropped))
        return
      }
      case "itemAssigned": {
        const tracked = this.#tracked.get(decision.itemId)
        if (tracked === undefined) return
        this.#release(tracked, now)
        tracked.state = "over"
        const duty = this.#duties.get(decision.agentId)
        if (duty !== undefined) {
          this.#account(duty, now)
          duty.used += tracked.item.weight
          tracked.holder = duty
        }
        if (tracked.wasAnswered) return
        tracked.wasAnswered = true
        if (tracked.row < 0) return
        this.#end(tracked, endings.answered, now)
        if (duty !== undefined) duty.answered++
        return
      }
      case "itemLeft": {
        const tracked = this.#tracked.get(decision.itemId)
        if (tracked === undefined) return
        this.#release(tracked, now)
        tracked.state = "over"
        this.#tracked.delete(decision.itemId)
        if (!tracked.wasAnswered && tracked.row >= 0) this.#end(tracked, endings.gaveUp, now)
        return
      }
      case "presenceSet": {
        const duty = this.#duties.get(decision.agentId)
        if (duty === undefined) return
        this.#account(duty, now)
        duty.isOnDuty = decision.status === "available" || decision.status === "busy"
        return
      }
    }
  }

  /** Counts the work of those who are on duty up to `now`. */
  close(now: number): void {
    for (const duty of this.#duties.values()) this.#account(duty, now)
  }

  figures(targetMs: number, of: { readonly queueId?: string; readonly window?: number } = {}): Figures {
    const queue = of.queueId === undefined ? undefined : (this.#queues.get(of.queueId) ?? -1)
    const { window } = of
    let [arrived, answered, gaveUp, within, delayed, overtakings, sum, answeredSum] = [0, 0, 0, 0, 0, 0, 0, 0]
    const waits: Array<number> = []
    for (let row = 0; row < this.#waits.length; row++) {
      if (queue !== undefined && this.#queueOf[row] !== queue) continue
      if (window !== undefined && this.#windowOf[row] !== window) continue
      if (this.#outcomes[row] === endings.absent) continue
      arrived++
      overtakings += this.#overtook[row]!
      const outcome = this.#outcomes[row]!
      const wait = this.#waits[row]!
      if (outcome !== endings.answered || wait > 0) delayed++
      if (outcome === endings.waiting) continue
      waits.push(wait)
      sum += wait
      if (outcome === endings.gaveUp) {
        gaveUp++
        continue
      }
      answered++
      answeredSum += wait
      if (wait <= targetMs) within++
    }
    const sorted = Float64Array.from(waits).sort()
    const share = (part: number, whole: number): number => (whole === 0 ? 0 : part / whole)
    return {
      arrived,
      answered,
      gaveUp,
      unserved: arrived - answered - gaveUp,
      serviceLevel: share(within, arrived),
      abandonment: share(gaveUp, arrived),
      delayed: share(delayed, arrived),
      waitMeanMs: share(sum, waits.length),
      waitP50Ms: rank(sorted, 0.5),
      waitP90Ms: rank(sorted, 0.9),
      waitP95Ms: rank(sorted, 0.95),
      waitP99Ms: rank(sorted, 0.99),
      waitMaxMs: sorted.at(-1) ?? 0,
      answerMeanMs: share(answeredSum, answered),
      overtakings
    }
  }

  agents(window?: number): ReadonlyArray<AgentFigures> {
    const over = (parts: ReadonlyArray<number>): number =>
      window === undefined ? parts.reduce((sum, part) => sum + part, 0) : parts[window]!
    return [...this.#duties.values()]
      .map(({ agentId, answered, busy, room }) => {
        const all = over(room)
        return { agentId, answered, roomMs: all, occupancy: all === 0 ? 0 : over(busy) / all }
      })
      .sort((a, b) => (a.agentId < b.agentId ? -1 : 1))
  }

  /** How long the n-th item waited; undefined while it does. */
  waitOf(row: number): number | undefined {
    const wait = this.#waits[row]!
    return wait < 0 ? undefined : wait
  }

  #add(queue: number, window: number, outcome: number): void {
    this.#queueOf.push(queue)
    this.#windowOf.push(window)
    this.#waits.push(-1)
    this.#outcomes.push(outcome)
    this.#overtook.push(0)
  }

  #end(tracked: Tracked, outcome: number, now: number): void {
    this.#waits[tracked.row] = now - tracked.item.arrivedAtMs
    this.#outcomes[tracked.row] = outcome
  }

  #release(tracked: Tracked, now: number): void {
    const { holder } = tracked
    if (holder === undefined) return
    this.#account(holder, now)
    holder.used -= tracked.item.weight
    tracked.holder = undefined
  }

  #account(duty: Duty, now: number): void {
    const from = duty.sinceMs
    duty.sinceMs = now
    if (!duty.isOnDuty) return
    const edges = this.#edges
    for (let window = Math.max(0, this.#windowAt(from)); window + 1 < edges.length; window++) {
      if (edges[window]! >= now) return
      const span = Math.min(now, edges[window + 1]!) - Math.max(from, edges[window]!)
      if (span <= 0) continue
      duty.busy[window]! += span * duty.used
      duty.room[window]! += span * duty.units
    }
  }

  #windowAt(atMs: number): number {
    const edges = this.#edges
    if (edges.length < 2 || atMs < edges[0]! || atMs >= edges.at(-1)!) return -1
    let low = 0
    let high = edges.length - 1
    while (high - low > 1) {
      const middle = (low + high) >> 1
      if (atMs < edges[middle]!) high = middle
      else low = middle
    }
    return low
  }
}

/** Names the line of items that may never pass each other in an order by age. */
export const lineKeyOf = (item: WorkItem): string => {
  const { itemId: _id, arrivedAtMs, requirement, dueAtMs, ...rest } = item
  const own = requirement === undefined ? "" : toKey(requirement)
  return JSON.stringify([
    own,
    dueAtMs === undefined ? "" : dueAtMs - arrivedAtMs,
    Object.entries(rest).sort(([a], [b]) => (a < b ? -1 : 1))
  ])
}

/** Whether an item like it, and older, waits without an offer. */
const overtakes = ({ line, item, at }: Tracked): boolean => {
  const { entries } = line
  while (line.head < entries.length && entries[line.head]!.state !== "waiting") line.head++
  const first = entries[line.head]
  const passed = first !== undefined && first.at < at && first.item.arrivedAtMs < item.arrivedAtMs
  if (line.head > 4096) {
    // What is offered may come back: only what is over goes.
    const over = entries.findIndex(({ state }) => state !== "over")
    if (over > 2048) {
      entries.splice(0, over)
      line.dropped += over
      line.head -= over
    }
  }
  return passed
}

/** How evenly occupancies are spread. */
export const loadOf = (agents: ReadonlyArray<AgentFigures>): LoadFigures => {
  const onDuty = agents.filter(({ roomMs }) => roomMs > 0)
  if (onDuty.length === 0) return { occupancy: 0, spread: 0, deviation: 0 }
  const sum = (of: (agent: AgentFigures) => number): number => onDuty.reduce((total, agent) => total + of(agent), 0)
  const shares = onDuty.map(({ occupancy }) => occupancy)
  const mean = sum(({ occupancy }) => occupancy) / onDuty.length
  return {
    occupancy: sum(({ occupancy, roomMs }) => occupancy * roomMs) / sum(({ roomMs }) => roomMs),
    spread: Math.max(...shares) - Math.min(...shares),
    deviation: Math.sqrt(sum(({ occupancy }) => (occupancy - mean) ** 2) / onDuty.length)
  }
}
