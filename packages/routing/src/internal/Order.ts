import type { MatchRecord } from "../Decision.ts"
import type { OrderRule } from "../OrderRule.ts"
import type { RoutingPolicy } from "../RoutingPolicy.ts"
import type { WorkItem } from "../WorkItem.ts"
import type { AgentEntry, ItemEntry, Queue } from "./Entries.ts"

/** What rules look at beside the items themselves. */
export interface Totals {
  /** Units that agents hold, offered and assigned. */
  held: number
}

/**
 * A rule, compiled. Numbers: the smaller comes first.
 *
 * `key` never changes, and orders items within their line. `value` orders items of different lines at an instant; it must agree
 * with `key` within one line. A rule without `key` is equal for all of a line; one without `value` compares keys everywhere.
 */
interface Rule {
  readonly by: OrderRule["by"]
  readonly key?: (item: WorkItem, queue: Queue) => number
  readonly value?: (entry: ItemEntry, agent: AgentEntry | undefined, now: number) => number
}

const minuteMs = 60_000

const dueAt = (item: WorkItem): number => item.dueAtMs ?? Number.POSITIVE_INFINITY

const byWait = (rateOf: (queue: Queue) => number) => (item: WorkItem, queue: Queue) =>
  rateOf(queue) === 0 ? 0 : item.arrivedAtMs

const toScore = (rule: Extract<OrderRule, { by: "score" }>): Rule => {
  const scores = new Map(rule.queues.map((each) => [each.queueId, each]))
  const bonuses = new Map<string, Array<{ readonly homeQueueId: string; readonly points: number }>>()
  for (const { queueId, ...bonus } of rule.bonuses) bonuses.set(queueId, [...(bonuses.get(queueId) ?? []), bonus])
  const slopeOf = ({ queueId }: Queue): number => scores.get(queueId)?.pointsPerMinute ?? 0
  const bonusOf = ({ queueId }: Queue, agent: AgentEntry | undefined): number => {
    const homes = agent?.profile.homeQueues
    const found = homes && bonuses.get(queueId)?.filter(({ homeQueueId }) => homes.includes(homeQueueId))
    return found === undefined || found.length === 0 ? 0 : Math.max(...found.map(({ points }) => points))
  }
  return {
    by: "score",
    key: byWait(slopeOf),
    value: ({ item, line: { queue } }, agent, now) =>
      (slopeOf(queue) * (item.arrivedAtMs - now)) / minuteMs -
      (scores.get(queue.queueId)?.credit ?? 0) -
      bonusOf(queue, agent)
  }
}

const compile = (rule: OrderRule, policy: RoutingPolicy, totals: Totals): Rule => {
  const { by } = rule
  switch (by) {
    case "priority":
      return { by, key: (item) => -item.priority }
    case "age":
      return { by, key: (item) => item.arrivedAtMs }
    case "agedPriority":
      // Points grow alike for all, so ageing is the same as a head start for what arrived earlier.
      return { by, key: (item) => (item.arrivedAtMs * rule.pointsPerMinute) / minuteMs - item.priority }
    case "earliestDue":
      return { by, key: dueAt }
    case "leastSlack":
      // Time takes from everybody's slack alike.
      return { by, key: (item, queue) => dueAt(item) - (item.handlingMs ?? queue.handlingMs ?? 0) }
    case "queueCost":
      return rule.cost === "flat"
        ? { by, value: ({ line }) => -line.queue.rate }
        : {
            by,
            key: byWait(({ rate }) => rate),
            value: ({ item, line }, _agent, now) => line.queue.rate * (item.arrivedAtMs - now)
          }
    case "queueShares": {
      const shares = policy.queues.reduce((sum, { share = 0 }) => sum + share, 0) || 1
      return { by, value: ({ line: { queue } }) => queue.held / (totals.held || 1) - queue.share / shares }
    }
    case "longestQueue":
      return { by, value: ({ line }) => -line.queue.waiting }
    case "score":
      return toScore(rule)
  }
}

/** The order in which items are served. */
export class Order {
  /** How many keys an item has in its line. */
  readonly width: number
  readonly #rules: ReadonlyArray<Rule & { readonly column: number }>
  readonly #row: Float64Array

  constructor(policy: RoutingPolicy, totals: Totals) {
    let width = 0
    this.#rules = policy.order
      .map((rule) => compile(rule, policy, totals))
      .map((rule) => ({ ...rule, column: rule.key === undefined ? -1 : width++ }))
    this.width = width
    this.#row = new Float64Array(width)
  }

  /** The item's keys in its line. The row is used again by the next call. */
  rowOf(item: WorkItem, queue: Queue): Float64Array {
    for (const { key, column } of this.#rules) if (key !== undefined) this.#row[column] = key(item, queue)
    return this.#row
  }

  /** Whether an item comes before another at this instant, for this agent or whoever it may be. */
  before(a: ItemEntry, b: ItemEntry, agent: AgentEntry | undefined, now: number): boolean {
    for (const rule of this.#rules) {
      const left = valueOf(rule, a, agent, now)
      const right = valueOf(rule, b, agent, now)
      if (left !== right) return left < right
    }
    return a.item.itemId < b.item.itemId
  }

  decidedBy(a: ItemEntry, b: ItemEntry, agent: AgentEntry | undefined, now: number): MatchRecord["decidedBy"] {
    return this.#rules.find((rule) => valueOf(rule, a, agent, now) !== valueOf(rule, b, agent, now))?.by ?? "id"
  }
}

const valueOf = (
  { key, value, column }: Rule & { readonly column: number },
  entry: ItemEntry,
  agent: AgentEntry | undefined,
  now: number
): number => {
  if (value !== undefined) return value(entry, agent, now)
  const { slot, line } = entry
  return slot >= 0 ? line.heap.keyAt(slot, column) : key!(entry.item, line.queue)
}
