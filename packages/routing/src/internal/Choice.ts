import type { ChoiceRule } from "../ChoiceRule.ts"
import type { MatchRecord } from "../Decision.ts"
import type { RoutingPolicy } from "../RoutingPolicy.ts"
import type { AgentEntry, ItemEntry } from "./Entries.ts"

/** Below 0 when the first agent is to be chosen for the item. */
type Compare = (a: AgentEntry, b: AgentEntry, entry: ItemEntry) => number

const idleSince = ({ idleSinceMs, assignedAtMs }: AgentEntry): number => assignedAtMs ?? idleSinceMs

const toBestFit = (weights: Readonly<Record<string, number>> = {}): Compare => {
  const weightOf = new Map(Object.entries(weights))
  const fitOf = ({ profile }: AgentEntry, { line }: ItemEntry): number => {
    let fit = 0
    for (const skill of line.audience.skills)
      if (Object.hasOwn(profile.skills, skill)) fit += profile.skills[skill]! * (weightOf.get(skill) ?? 1)
    return fit
  }
  return (a, b, entry) => fitOf(b, entry) - fitOf(a, entry)
}

const acquaintance = ({ agentId }: AgentEntry, { item }: ItemEntry): number => {
  const at = item.knownBy?.indexOf(agentId) ?? -1
  return at < 0 ? Number.MAX_SAFE_INTEGER : at
}

const weightOf = ({ profile }: AgentEntry): number => profile.weight ?? 1

const compile = (rule: ChoiceRule): Compare => {
  switch (rule.by) {
    // Shares are compared crosswise, so that no rounding makes unequal ones equal.
    case "leastLoaded":
      return (a, b) => a.used * b.units - b.used * a.units
    case "weighted":
      return (a, b) => (a.given + a.offeredUnits) * weightOf(b) - (b.given + b.offeredUnits) * weightOf(a)
    case "longestIdle":
      return rule.since === "assigned" ? (a, b) => idleSince(a) - idleSince(b) : (a, b) => a.idleSinceMs - b.idleSinceMs
    case "bestFit":
      return toBestFit(rule.weights)
    case "fewestSkills":
      return (a, b) => a.skillCount - b.skillCount
    case "roundRobin":
      return (a, b) => a.turn - b.turn
    case "sticky":
      return (a, b, entry) => acquaintance(a, entry) - acquaintance(b, entry)
  }
}

/** Who of several agents gets an item. */
export class Choice {
  /** Whether turns are counted. */
  readonly takesTurns: boolean
  readonly #rules: ReadonlyArray<{ readonly by: ChoiceRule["by"]; readonly compare: Compare }>

  constructor(policy: RoutingPolicy) {
    this.takesTurns = policy.choice.some(({ by }) => by === "roundRobin")
    this.#rules = policy.choice.map((rule) => ({ by: rule.by, compare: compile(rule) }))
  }

  before(a: AgentEntry, b: AgentEntry, entry: ItemEntry): boolean {
    for (const { compare } of this.#rules) {
      const difference = compare(a, b, entry)
      if (difference !== 0) return difference < 0
    }
    return a.agentId < b.agentId
  }

  decidedBy(a: AgentEntry, b: AgentEntry, entry: ItemEntry): MatchRecord["decidedBy"] {
    return this.#rules.find(({ compare }) => compare(a, b, entry) !== 0)?.by ?? "id"
  }
}
