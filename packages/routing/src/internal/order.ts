import type { MatchRecord } from "../Decision.ts"
import type { RoutingPolicy } from "../RoutingPolicy.ts"
import type { WorkItem } from "../WorkItem.ts"
import type { AgentEntry, ItemEntry } from "./Entries.ts"

type DecidedBy = MatchRecord["decidedBy"]

/**
 * The numbers that order an item, smaller first. They never change with time: points grow alike for all, so ageing is
 * the same as a head start for what arrived earlier.
 */
export const keysOf = (policy: RoutingPolicy, item: WorkItem): ReadonlyArray<number> =>
  policy.order.map((rule) => {
    if (rule.by === "priority") return -item.priority
    if (rule.by === "age") return item.arrivedAtMs
    return (item.arrivedAtMs * rule.pointsPerMinute) / 60_000 - item.priority
  })

export const itemBefore = (a: ItemEntry, b: ItemEntry): boolean => {
  const { keys } = a
  for (let index = 0; index < keys.length; index++) {
    const difference = keys[index]! - b.keys[index]!
    if (difference !== 0) return difference < 0
  }
  return a.item.itemId < b.item.itemId
}

export const itemDecidedBy = (policy: RoutingPolicy, a: ItemEntry, b: ItemEntry): DecidedBy =>
  policy.order[a.keys.findIndex((key, index) => key !== b.keys[index])]?.by ?? "id"

// Shares are compared crosswise, so that no rounding makes unequal ones equal.
const choices = {
  leastLoaded: (a: AgentEntry, b: AgentEntry) =>
    a.used * b.document.agent.capacity.units - b.used * a.document.agent.capacity.units,
  longestIdle: (a: AgentEntry, b: AgentEntry) => a.document.idleSinceMs - b.document.idleSinceMs
}

export const agentOrder = (policy: RoutingPolicy) => {
  const rules = policy.choice.map(({ by }) => ({ by, compare: choices[by] }))
  return {
    before: (a: AgentEntry, b: AgentEntry): boolean => {
      for (const { compare } of rules) {
        const difference = compare(a, b)
        if (difference !== 0) return difference < 0
      }
      return a.document.agent.agentId < b.document.agent.agentId
    },
    decidedBy: (a: AgentEntry, b: AgentEntry): DecidedBy => rules.find(({ compare }) => compare(a, b) !== 0)?.by ?? "id"
  }
}
