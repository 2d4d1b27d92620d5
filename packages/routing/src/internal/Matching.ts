import type { MatchRecord, WaitsFor } from "../Decision.ts"
import type { RoutingPolicy } from "../RoutingPolicy.ts"
import { lowest } from "./Bits.ts"
import { Choice } from "./Choice.ts"
import { Demand } from "./Demand.ts"
import { type AgentEntry, type ItemEntry, isExcluded, isOwnWork, type Line } from "./Entries.ts"
import { Help } from "./Help.ts"
import { Supply } from "./Supply.ts"

/** Which item and which agent belong together. It decides, and changes nothing. */
export class Matching {
  readonly policy: RoutingPolicy
  readonly supply = new Supply()
  readonly demand: Demand
  readonly choice: Choice
  readonly help: Help

  constructor(policy: RoutingPolicy) {
    this.policy = policy
    this.demand = new Demand(policy, this.supply)
    this.choice = new Choice(policy, this.supply)
    this.help = new Help(this.supply)
  }

  /** The agent a waiting item goes to now, or what it waits for. */
  agentFor(entry: ItemEntry, now: number): { agent: AgentEntry; record: MatchRecord } | WaitsFor {
    const { supply, choice } = this
    const { line } = entry
    let first: AgentEntry | undefined
    let second: AgentEntry | undefined
    let compared = 0
    let isSomebodyExcluded = false
    let isSomebodyElsewhere = false
    let mayOthersHelp: boolean | undefined
    const eligible = line.audience.eligible.words
    const open = supply.open.words
    const length = Math.min(eligible.length, open.length)
    for (let word = 0; word < length; word++) {
      for (let bits = eligible[word]! & open[word]!; bits !== 0; bits &= bits - 1) {
        const agent = supply.byIndex[word * 32 + lowest(bits)]!
        if (!supply.fits(agent, line)) continue
        if (isExcluded(entry, agent.agentId, now)) {
          isSomebodyExcluded = true
          continue
        }
        if (!isOwnWork(agent, line)) {
          mayOthersHelp ??= this.help.hasWaited(entry, now) || this.help.isOpenToAll(line)
          if (!mayOthersHelp || !this.help.mayLeave(agent)) {
            isSomebodyElsewhere = true
            continue
          }
        }
        compared++
        if (first === undefined || this.#isChosen(agent, first, entry)) {
          second = first
          first = agent
        } else if (second === undefined || this.#isChosen(agent, second, entry)) second = agent
      }
    }
    if (first === undefined) return this.#waitsFor(line, isSomebodyExcluded, isSomebodyElsewhere)
    const winner = first.agentId
    if (second === undefined) {
      const decidedBy = line.audience.reservedFor === undefined ? "onlyCandidate" : "preferredAgent"
      return { agent: first, record: { chose: "agent", winner, compared, decidedBy } }
    }
    const decidedBy =
      isOwnWork(first, line) === isOwnWork(second, line) ? choice.decidedBy(first, second, entry) : "ownWork"
    return { agent: first, record: { chose: "agent", winner, runnerUp: second.agentId, compared, decidedBy } }
  }

  /** Those whose own work it is come first. */
  #isChosen(a: AgentEntry, b: AgentEntry, entry: ItemEntry): boolean {
    if (this.supply.homed > 0) {
      const isOwn = isOwnWork(a, entry.line)
      if (isOwn !== isOwnWork(b, entry.line)) return isOwn
    }
    return this.choice.before(a, b, entry)
  }

  #waitsFor({ audience }: Line, isSomebodyExcluded: boolean, isSomebodyElsewhere: boolean): WaitsFor {
    if (audience.reservedFor !== undefined) return "preferredAgent"
    if (isSomebodyElsewhere) return "homeAgent"
    if (isSomebodyExcluded) return "declineMemory"
    if (audience.eligible.meets(this.supply.available)) return "capacity"
    return audience.eligible.isEmpty ? "eligibleAgent" : "availableAgent"
  }

  /** The item an agent is offered now: their own work first, whatever the order says. */
  itemFor(agent: AgentEntry, now: number): { entry: ItemEntry; record: MatchRecord } | undefined {
    const { demand, supply } = this
    if (!supply.open.has(agent.index)) return undefined
    const { order } = demand
    let first: ItemEntry | undefined
    let second: ItemEntry | undefined
    let compared = 0
    let mayLeave: boolean | undefined
    const { words: lines, width } = supply.lines
    const start = agent.index * width
    const nonEmpty = demand.nonEmpty.words
    const length = Math.min(width, nonEmpty.length)
    for (let word = 0; word < length; word++) {
      for (let bits = lines[start + word]! & nonEmpty[word]!; bits !== 0; bits &= bits - 1) {
        const line = demand.lines[word * 32 + lowest(bits)]!
        if (!supply.fits(agent, line)) continue
        const isOwn = isOwnWork(agent, line)
        if (!isOwn) {
          mayLeave ??= this.help.mayLeave(agent)
          if (!mayLeave) continue
        }
        const head = this.#firstFor(agent, line, isOwn, now)
        if (head === undefined) continue
        compared++
        if (first === undefined || this.#isServed(head, first, agent, now)) {
          second = first
          first = head
        } else if (second === undefined || this.#isServed(head, second, agent, now)) second = head
      }
    }
    if (first === undefined) return undefined
    const winner = first.item.itemId
    if (second === undefined)
      return { entry: first, record: { chose: "item", winner, compared, decidedBy: "onlyCandidate" } }
    const decidedBy =
      isOwnWork(agent, first.line) === isOwnWork(agent, second.line)
        ? order.decidedBy(first, second, agent, now)
        : "ownWork"
    return { entry: first, record: { chose: "item", winner, runnerUp: second.item.itemId, compared, decidedBy } }
  }

  /** The first item of a line that this agent may be offered, capacity apart. */
  #firstFor(agent: AgentEntry, line: Line, isOwn: boolean, now: number): ItemEntry | undefined {
    const { heap } = line
    const head = heap.entries[0]!
    // Not open to all means that few wait there: looking for one that has waited long enough is cheap.
    const needsWait = !isOwn && !this.help.isOpenToAll(line)
    if (!needsWait && head.exclusions.length === 0) return head
    return heap.first(
      (entry) => !isExcluded(entry, agent.agentId, now) && (!needsWait || this.help.hasWaited(entry, now))
    )
  }

  #isServed(a: ItemEntry, b: ItemEntry, agent: AgentEntry, now: number): boolean {
    if (agent.homes !== undefined) {
      const isOwn = isOwnWork(agent, a.line)
      if (isOwn !== isOwnWork(agent, b.line)) return isOwn
    }
    return this.demand.order.before(a, b, agent, now)
  }
}
