import { stepAt } from "../Relaxation.ts"
import { type Tier, tiersOf, type WorkItem } from "../WorkItem.ts"
import type { Demand } from "./Demand.ts"
import { type AgentEntry, type ItemEntry, isExcluded, type Line } from "./Entries.ts"
import type { Supply } from "./Supply.ts"

/** The item with these tiers in place of its own. */
export const withTiers = (item: WorkItem, tiers: ReadonlyArray<Tier>): WorkItem => {
  const { preferred: _list, preferredAgent: _agent, preferredUntilMs: _until, ...rest } = item
  return tiers.length === 0 ? rest : { ...rest, preferred: tiers }
}

/** In which line an item waits, by its age, its tiers of preferred agents and who is on duty. */
export class Relaxing {
  readonly #demand: Demand
  readonly #supply: Supply

  constructor(demand: Demand, supply: Supply) {
    this.#demand = demand
    this.#supply = supply
  }

  /**
   * Brings an item that stands in no line to the one it waits in now, and writes down when time alone moves it on. Returns why
   * its step changed, if it did.
   */
  settle(entry: ItemEntry, now: number): "age" | "nobodyOnDuty" | undefined {
    const demand = this.#demand
    const { queue } = entry.line
    const table = demand.relaxationOf(entry.item, queue)
    const tiers = tiersOf(entry.item)
    let cause: "age" | "nobodyOnDuty" | undefined
    entry.move = undefined
    if (table.length === 0 && tiers.length === 0 && entry.line.audience.reservedFor === undefined) return cause
    const byAge = stepAt(table, now - entry.item.arrivedAtMs)
    if (byAge > entry.step) {
      entry.step = byAge
      cause = "age"
    }
    demand.setLine(entry, demand.lineAt(entry.item, queue, entry.step))
    const maySkip = () => entry.step < table.length && table[entry.step - 1]?.skipIf !== undefined
    while (maySkip() && !this.hasSomebodyFor(entry, now)) {
      entry.step++
      cause = "nobodyOnDuty"
      demand.setLine(entry, demand.lineAt(entry.item, queue, entry.step))
    }
    const isSkippable = maySkip()
    const next = table[entry.step]
    const until = tiers.length > 0 ? this.#settlePreference(entry, tiers, now) : Number.POSITIVE_INFINITY
    const atMs = Math.min(until, next === undefined ? Number.POSITIVE_INFINITY : entry.item.arrivedAtMs + next.afterMs)
    const isFleeting = isSkippable || entry.line.audience.reservedFor !== undefined
    // What is fleeting always has an end: its tier's, or the next row's.
    if (atMs < Number.POSITIVE_INFINITY) entry.move = { atMs, entry, isFleeting }
    return cause
  }

  /** Keeps an item for the first of its tiers that is worth waiting for, and returns until when. */
  #settlePreference(entry: ItemEntry, tiers: ReadonlyArray<Tier>, now: number): number {
    const { line } = entry
    const isWorthWaitingFor = (agentId: string): boolean => {
      const agent = this.#supply.agents.get(agentId)
      return agent !== undefined && this.#isOnDutyFor(agent, line)
    }
    const at = tiers.findIndex((tier) => tier.untilMs > now && tier.agents.some(isWorthWaitingFor))
    const left = at < 0 ? [] : tiers.slice(at)
    if (left.length < tiers.length) entry.item = withTiers(entry.item, left)
    const [tier] = left
    if (tier === undefined) return Number.POSITIVE_INFINITY
    this.#demand.setLine(entry, this.#demand.lineAt(entry.item, line.queue, entry.step, tier.agents))
    return tier.untilMs
  }

  /** Whether anybody on duty is left to ask: for what may be passed over. */
  hasSomebodyFor(entry: ItemEntry, now: number): boolean {
    const { line } = entry
    for (const agent of this.#demand.agentsOf(line.audience.eligible, this.#supply.onDuty))
      if (this.#supply.takes(agent, line) && !isExcluded(entry, agent.agentId, now)) return true
    return false
  }

  /** Whether everybody the item could be offered to, whatever they hold, has been excluded. */
  hasEverybodyDeclined(entry: ItemEntry, now: number): boolean {
    const { line } = entry
    for (const agent of this.#demand.agentsOf(line.audience.eligible, this.#supply.available))
      if (this.#supply.takes(agent, line) && !isExcluded(entry, agent.agentId, now)) return false
    return true
  }

  #isOnDutyFor(agent: AgentEntry, line: Line): boolean {
    return (
      this.#supply.onDuty.has(agent.index) && line.audience.eligible.has(agent.index) && this.#supply.takes(agent, line)
    )
  }

  /** The items of these lines that waited only as long as somebody was on duty for them, when this agent was the last. */
  forsakenBy(agent: AgentEntry, lines: ReadonlySet<Line>, now: number): Array<ItemEntry> {
    const found: Array<ItemEntry> = []
    for (const line of lines) {
      if (this.#isOnDutyFor(agent, line)) continue
      let isAnybodyLeft = false
      for (const other of this.#demand.agentsOf(line.audience.eligible, this.#supply.onDuty))
        isAnybodyLeft ||= this.#supply.takes(other, line)
      for (const entry of line.heap.entries) {
        if (!entry.move?.isFleeting || (isAnybodyLeft && entry.exclusions.length === 0)) continue
        if (!isAnybodyLeft || !this.hasSomebodyFor(entry, now)) found.push(entry)
      }
    }
    return found
  }
}
