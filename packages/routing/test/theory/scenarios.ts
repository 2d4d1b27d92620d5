import { Capacity, Requirement, RoutingAgent, RoutingPolicy, Simulation } from "@switchboard/routing"
import type { Load } from "./Erlang.ts"
import type { TwoSkills } from "./TwoSkills.ts"

/** Ids sort as the numbers do. */
const agentId = (group: string, index: number): string => `${group}${String(index).padStart(4, "0")}`

/** As many virtual milliseconds as so many items need to arrive, after a fifth of that for the pool to fill. */
const lasting = (items: number, perMs: number): { readonly warmupMs: number; readonly untilMs: number } => {
  const warmupMs = Math.ceil((items * 0.2) / perMs)
  return { warmupMs, untilMs: 6 * warmupMs }
}

export const oneSkill = (load: Load, items: number, targetMs: number): Simulation.Scenario =>
  Simulation.make({
    policy: RoutingPolicy.make({ order: [{ by: "age" }], awayAfterMissed: null }),
    staff: Array.from({ length: load.agents }, (_, index) => ({
      agent: RoutingAgent.make({ agentId: agentId("a", index), capacity: Capacity.make(1) })
    })),
    traffic: [
      {
        item: { queueId: "support", channelKind: "chat" },
        arrivals: { kind: "poisson", perHour: load.arrivals * 3_600_000 },
        handling: { kind: "exponential", meanMs: load.handlingMs },
        ...(load.patienceMs !== undefined && { patience: { kind: "exponential", meanMs: load.patienceMs } })
      }
    ],
    targetMs,
    ...lasting(items, load.arrivals)
  })

const groups = ["a", "b"] as const

/** One unit of a two-skill model's time. A millisecond must be nothing beside it. */
export const unitMs = 600_000

/** What a two-skill model doesn't say and a policy may look at. */
export interface Setup {
  readonly policy: Partial<RoutingPolicy.RoutingPolicy>
  readonly priorities?: readonly [number, number]
  /** Group 0 is at home with kind 0, group 1 with kind 1. */
  readonly isAtHome?: boolean
  /** What waiting costs per kind. */
  readonly costs?: readonly [number, number]
}

const both = [0, 1] as const

/** The same model through the engine. Who is faster at a kind has a higher level of its skill. */
export const twoSkills = (model: TwoSkills, items: number, setup: Setup): Simulation.Scenario => {
  const { policy, priorities = [0, 0], isAtHome = false, costs = [1, 1] } = setup
  const timeOf = (group: number, kind: number): number | null => model.handling[group]![kind]!
  // Pace is told beside the first group that can.
  const base = (kind: number): number => timeOf(0, kind) ?? timeOf(1, kind)!
  const fastest = (kind: number): number => Math.min(...both.map((group) => timeOf(group, kind) ?? Infinity))
  return Simulation.make({
    policy: RoutingPolicy.make({
      queues: both.map((kind) => ({
        queueId: `kind${kind}`,
        requirement: Requirement.skill(`kind${kind}`),
        costPerMinute: costs[kind],
        handlingMs: fastest(kind) * unitMs
      })),
      choice: [],
      awayAfterMissed: null,
      ...policy
    }),
    staff: both.flatMap((group) => {
      const able = both.filter((kind) => timeOf(group, kind) !== null)
      const level = (kind: number): number => (timeOf(group, kind) === fastest(kind) ? 2 : 1)
      return Array.from({ length: model.agents[group] }, (_, index) => ({
        agent: RoutingAgent.make({
          agentId: agentId(groups[group], index),
          skills: Object.fromEntries(able.map((kind) => [`kind${kind}`, level(kind)])),
          capacity: Capacity.make(1),
          ...(isAtHome && { homeQueues: [`kind${group}`] })
        }),
        pace: Object.fromEntries(able.map((kind) => [`kind${kind}`, timeOf(group, kind)! / base(kind)]))
      }))
    }),
    traffic: both.map((kind) => {
      const patience = model.patience[kind]
      return {
        item: { queueId: `kind${kind}`, channelKind: "chat", priority: priorities[kind] },
        arrivals: { kind: "poisson" as const, perHour: (model.arrivals[kind] / unitMs) * 3_600_000 },
        handling: { kind: "exponential" as const, meanMs: base(kind) * unitMs },
        ...(patience !== null && { patience: { kind: "exponential" as const, meanMs: patience * unitMs } })
      }
    }),
    ...lasting(items, (model.arrivals[0] + model.arrivals[1]) / unitMs)
  })
}
