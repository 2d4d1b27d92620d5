import type { ChoiceRule, Filling } from "../ChoiceRule.ts"
import type { MatchRecord } from "../Decision.ts"
import type { RoutingPolicy } from "../RoutingPolicy.ts"
import type { AgentEntry, ItemEntry } from "./Entries.ts"
import type { Supply } from "./Supply.ts"

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

// Shares are compared crosswise, so that no rounding makes unequal ones equal.
const leastLoaded = (a: AgentEntry, b: AgentEntry): number => a.used * b.units - b.used * a.units

const toFilling = (filling: Filling, supply: Supply): Compare => {
  if (filling === "spread") return leastLoaded
  if (filling === "pack") return (a, b) => leastLoaded(b, a)
  const holds = (agent: AgentEntry, kind: number): number => {
    const used = supply.usedOf(agent, kind)
    if (used > 0) return used === agent.used ? 0 : 1
    return agent.used > 0 ? 2 : 3
  }
  return (a, b, { line: { kind } }) =>
    holds(a, kind) - holds(b, kind) || supply.usedOf(b, kind) - supply.usedOf(a, kind)
}

const compile = (rule: ChoiceRule): Compare => {
  switch (rule.by) {
    case "leastLoaded":
      return leastLoaded
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
  /** By channel kind, what comes before the rules; undefined when nothing ever does. */
  readonly #fillings: ReadonlyMap<string, { readonly by: Filling; readonly compare: Compare }> | undefined

  constructor(policy: RoutingPolicy, supply: Supply) {
    this.takesTurns = policy.choice.some(({ by }) => by === "roundRobin")
    this.#rules = policy.choice.map((rule) => ({ by: rule.by, compare: compile(rule) }))
    const fillings = Object.entries(policy.filling ?? {})
    if (fillings.length > 0)
      this.#fillings = new Map(fillings.map(([kind, by]) => [kind, { by, compare: toFilling(by, supply) }]))
  }

  before(a: AgentEntry, b: AgentEntry, entry: ItemEntry): boolean {
    const filled = this.#fillings?.get(entry.line.channelKind)?.compare(a, b, entry) ?? 0
    if (filled !== 0) return filled < 0
    for (const { compare } of this.#rules) {
      const difference = compare(a, b, entry)
      if (difference !== 0) return difference < 0
    }
    return a.agentId < b.agentId
  }

  decidedBy(a: AgentEntry, b: AgentEntry, entry: ItemEntry): MatchRecord["decidedBy"] {
    const filling = this.#fillings?.get(entry.line.channelKind)
    if (filling !== undefined && filling.compare(a, b, entry) !== 0) return filling.by
    return this.#rules.find(({ compare }) => compare(a, b, entry) !== 0)?.by ?? "id"
  }
}
