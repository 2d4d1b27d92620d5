/**
 * Policies by number, through the real engine: against closed formulas, against the exact optimum of small systems, against
 * the bound of a pool where everybody can do everything; and how well a replay's intervals hold.
 *
 *     node --conditions=@switchboard/source bench/policies.bench.ts [--json] [--quick] [speed] [theory] [optimum] [shop] [replay]
 *
 * Without names it runs all parts. Every figure of a simulation is the mean of independent runs; `±` is half of its 95 %
 * interval. The baseline is the exact value, the optimum or the bound.
 */
import { Capacity, Replay, Requirement, RoutingAgent, RoutingPolicy, Simulation } from "@switchboard/routing"
import { type Expected, erlangA, erlangC, type Load } from "../test/theory/Erlang.ts"
import { optimum } from "../test/theory/Optimum.ts"
import { oneSkill, type Setup, twoSkills, unitMs } from "../test/theory/scenarios.ts"
import { bestLoad, greedy, helping, type Rules, solveTwoSkills, type TwoSkills } from "../test/theory/TwoSkills.ts"

const json = process.argv.includes("--json")
const quick = process.argv.includes("--quick")
const parts = process.argv.slice(2).filter((argument) => !argument.startsWith("--"))
const runs = (part: string): boolean => parts.length === 0 || parts.includes(part)

const round = (number: number): number => Number(number.toPrecision(4))

const report = (name: string, value: number, unit: string, baseline?: number): void => {
  const ratio = baseline === undefined ? null : round(value / baseline)
  if (json) {
    const known = baseline === undefined ? null : round(baseline)
    console.log(JSON.stringify({ name, value: round(value), unit, baseline: known, ratio }))
  } else
    console.log(
      `${name.padEnd(86)} ${round(value).toLocaleString("en").padStart(10)} ${unit}${ratio === null ? "" : `  (${round(baseline!).toLocaleString("en")}, ×${ratio})`}`
    )
}

const halfOf = ({ value, high }: Simulation.Estimate): number => high - value
const holds = ({ low, high }: Simulation.Estimate, truth: number): boolean => low <= truth && truth <= high

// How fast a simulation is

if (runs("speed")) {
  const items = quick ? 100_000 : 1_000_000
  const load: Load = { agents: 100, arrivals: 90 / unitMs, handlingMs: unitMs }
  const start = performance.now()
  const { signals } = Simulation.run(oneSkill(load, items / 1.2, 20_000), 1)
  const seconds = (performance.now() - start) / 1000
  report(`simulation of ${items} items, 100 agents`, seconds, "s")
  report(`simulation of ${items} items, 100 agents: signals`, signals / seconds, "signals/s")
}

// Against closed formulas

if (runs("theory")) {
  const targetMs = unitMs / 10
  const keys = ["delayed", "waitMeanMs", "serviceLevel", "abandonment"] as const
  const units = { delayed: "share", waitMeanMs: "ms", serviceLevel: "share", abandonment: "share" }
  const counts = { held: 0, all: 0 }
  const compare = (name: string, load: Load, expected: Expected, seed: number): void => {
    const items = Math.max(load.agents * (quick ? 20 : 50), quick ? 2000 : 10_000)
    const { total } = Simulation.replicate(oneSkill(load, items, targetMs), { seed, replications: 10 })
    for (const key of keys) {
      if (load.patienceMs === undefined && key === "abandonment") continue
      report(`${name}: ${key}`, total[key].value, units[key], expected[key])
      report(`${name}: ${key}, ±`, halfOf(total[key]), units[key])
      // In a large quiet pool nobody waits in any run, and there is nothing to look at.
      if (halfOf(total[key]) === 0) continue
      counts.all++
      if (holds(total[key], expected[key])) counts.held++
    }
  }
  const sizes = quick ? [1, 5, 50] : [1, 2, 5, 10, 50, 200, 500]
  let seed = 1001
  for (const agents of sizes)
    for (const occupancy of [0.5, 0.7, 0.9]) {
      const load = { agents, arrivals: (agents * occupancy) / unitMs, handlingMs: unitMs }
      compare(`Erlang C, ${agents} agents at ${occupancy}`, load, erlangC(load, targetMs), seed++)
    }
  for (const agents of sizes)
    for (const [offered, patience] of [
      [0.8, 2],
      [1, 1],
      [1.2, 0.5]
    ] as const) {
      const arrivals = (agents * offered) / unitMs
      const load = { agents, arrivals, handlingMs: unitMs, patienceMs: patience * unitMs }
      const name = `Erlang A, ${agents} agents at ${offered}, patience ${patience}`
      compare(name, load, erlangA(load, targetMs), seed++)
    }
  report("95 % intervals that hold the closed formula's value", counts.held / counts.all, "share", 0.95)
  report("95 % intervals that were looked at", counts.all, "intervals")
}

// Against the exact optimum

interface System {
  readonly model: TwoSkills
  readonly costs: readonly [number, number]
}

const chain = (
  agents: readonly [number, number],
  arrivals: readonly [number, number],
  handling: TwoSkills["handling"],
  costs: readonly [number, number] = [1, 1]
): System => ({
  model: { agents, arrivals, handling, patience: [null, null], limit: agents[0] + agents[1] > 2 ? 35 : 50 },
  costs
})

/** N: group 0 can do kind 0 alone. X: both can do both, each faster with its own. Costs are those of waiting. */
const systems: Readonly<Record<string, System>> = {
  // J. M. Harrison, Heavy traffic analysis of a system with parallel servers, 1998, at 85 % of what it can take.
  "N of Harrison, costs 3:1": chain(
    [1, 1],
    [1.105, 0.34],
    [
      [1, null],
      [2, 1]
    ],
    [3, 1]
  ),
  "N, 2 and 2 agents": chain(
    [2, 2],
    [1.9, 1.2],
    [
      [1, null],
      [1.2, 1]
    ]
  ),
  "X, 1 and 1, pace 1.5": chain(
    [1, 1],
    [0.8, 0.8],
    [
      [1, 1.5],
      [1.5, 1]
    ]
  ),
  "X, 1 and 1, pace 2": chain(
    [1, 1],
    [0.8, 0.8],
    [
      [1, 2],
      [2, 1]
    ]
  ),
  "X, 1 and 1, pace 1.5, costs 3:1": chain(
    [1, 1],
    [0.8, 0.8],
    [
      [1, 1.5],
      [1.5, 1]
    ],
    [3, 1]
  ),
  "X, 2 and 2, pace 1.5": chain(
    [2, 2],
    [1.7, 1.5],
    [
      [1, 1.5],
      [1.5, 1]
    ]
  ),
  "X, 1 and 2, uneven and less busy": chain(
    [1, 2],
    [0.8, 1.1],
    [
      [0.9, 1.6],
      [1.5, 1]
    ]
  )
}

const exactRules = ({ model, costs }: System): Readonly<Record<string, Rules>> => {
  const pace = (group: number, kind: number): number => 1 / model.handling[group]![kind]!
  return {
    "greedy cµ": greedy(model, (_, group, kind) => costs[kind]! * pace(group, kind)),
    "longest queue": greedy(model, (state, _, kind) => state[4 + kind]!),
    "max-weight": greedy(model, (state, group, kind) => costs[kind]! * state[4 + kind]! * pace(group, kind)),
    "help from 1": helping(1),
    "help from 2": helping(2),
    "help from 3": helping(3),
    "help from 4": helping(4)
  }
}

const never = 31_536_000_000
const byAge = { by: "age" } as const
const freely = { choice: [{ by: "bestFit" }, { by: "longestIdle" }] } as const
const helps = (fromLength: number, afterMs = never): Setup => ({
  policy: { choice: [{ by: "longestIdle" }], order: [byAge], helping: { fromLength, afterMs, keepFree: 0 } },
  isAtHome: true
})

const enginePolicies: Readonly<Record<string, Setup>> = {
  "first come, first served": { policy: { ...freely, choice: [...freely.choice], order: [byAge] } },
  "flat cµ": { policy: { choice: [...freely.choice], order: [{ by: "queueCost", cost: "flat" }, byAge] } },
  "generalised cµ": { policy: { choice: [...freely.choice], order: [{ by: "queueCost", cost: "growing" }, byAge] } },
  "longest queue": { policy: { choice: [...freely.choice], order: [{ by: "longestQueue" }, byAge] } },
  "help from 1": helps(1),
  "help from 2": helps(2),
  "help from 2 or after 20 s (the default)": helps(2, 20_000),
  "help from 3": helps(3)
}

const groupSpread = (agents: Simulation.Estimates["agents"], groupOf: (agentId: string) => string): number => {
  const groups = Map.groupBy(agents, ({ agentId }) => groupOf(agentId))
  const means = [...groups.values()].map(
    (those) => those.reduce((sum, { occupancy }) => sum + occupancy.value, 0) / those.length
  )
  return Math.max(...means) - Math.min(...means)
}

if (runs("optimum")) {
  const worst = new Map<string, { readonly cost: number; readonly isCutOff: boolean }>()
  for (const [seed, [name, system]] of Object.entries(systems).entries()) {
    const { model, costs } = system
    const best = optimum(model, costs, 1e-4).cost
    report(`${name}: load at the best split (static linear program)`, bestLoad(model), "share")
    report(`${name}: least cost of waiting`, best, "cost")
    for (const [policy, rules] of Object.entries(exactRules(system))) {
      const { waiting, cutOff } = solveTwoSkills(model, rules, 1e-7)
      const cost = costs[0] * waiting[0] + costs[1] * waiting[1]
      // Where queues are often as long as the chain allows, the true cost is higher, or endless.
      report(`${name}, exactly: ${policy}${cutOff > 0.001 ? ", at least" : ""}`, cost, "cost", best)
      const known = worst.get(policy) ?? { cost: 0, isCutOff: false }
      worst.set(policy, { cost: Math.max(known.cost, cost / best), isCutOff: known.isCutOff || cutOff > 0.001 })
    }
    for (const [policy, setup] of Object.entries(enginePolicies)) {
      const scenario = twoSkills(model, quick ? 2000 : 10_000, { ...setup, costs })
      const { queues, agents } = Simulation.replicate(scenario, { seed, replications: 10 })
      const figures = [0, 1].map((kind) => queues.find(({ queueId }) => queueId === `kind${kind}`)!.figures)
      const weighted = (of: (estimate: Simulation.Estimate) => number): number =>
        [0, 1].reduce((sum, kind) => {
          const waiting = (model.arrivals[kind]! * of(figures[kind]!.waitMeanMs)) / unitMs
          return sum + costs[kind]! * waiting
        }, 0)
      const title = `${name}, engine: ${policy}`
      report(
        title,
        weighted(({ value }) => value),
        "cost",
        best
      )
      report(`${title}, ±`, weighted(halfOf), "cost")
      for (const kind of [0, 1]) {
        report(`${title}: kind ${kind}, P95 wait`, figures[kind]!.waitP95Ms.value / unitMs, "handlings")
        report(`${title}: kind ${kind}, longest wait`, figures[kind]!.waitMaxMs.value / unitMs, "handlings")
      }
      report(
        `${title}: overtakings within a class`,
        figures[0]!.overtakings.value + figures[1]!.overtakings.value,
        "offers"
      )
      report(
        `${title}: idle spread between groups`,
        groupSpread(agents, (agentId) => agentId.slice(0, 1)),
        "share"
      )
    }
  }
  for (const [policy, { cost, isCutOff }] of worst)
    report(`worst of all systems, exactly: ${policy}${isCutOff ? ", at least" : ""}`, cost, "× least cost")
}

// A shop of six queues, against everybody able to do everything

const shops = [
  { name: "six queues, 30 agents at 0.9, help as fast", occupancy: 0.9, pace: 1 },
  { name: "six queues, 30 agents at 0.75, help 1.5 times slower", occupancy: 0.75, pace: 1.5 }
]

if (runs("shop"))
  for (const { name, occupancy, pace } of shops) {
    const handlingMs = 480_000
    const teams = [1.3, 1.2, 1.1, 0.9, 0.8, 0.7]
    const agents = teams.length * 5
    const arrivals = (agents * occupancy) / handlingMs
    const bound = erlangC({ agents, arrivals, handlingMs }, 20_000)
    const untilMs = Math.ceil((quick ? 5000 : 20_000) / arrivals)
    const shop = ({ policy, isAtHome = false }: Setup): Simulation.Scenario =>
      Simulation.make({
        policy: RoutingPolicy.make({
          queues: teams.map((_, at) => ({ queueId: `q${at}`, requirement: Requirement.skill(`s${at}`) })),
          awayAfterMissed: null,
          ...policy
        }),
        staff: teams.flatMap((_, at) => {
          const others = [(at + 1) % 6, (at + 3) % 6]
          return Array.from({ length: 5 }, (__, index) => ({
            agent: RoutingAgent.make({
              agentId: `${at}-${index}`,
              skills: { [`s${at}`]: 2, ...Object.fromEntries(others.map((other) => [`s${other}`, 1])) },
              capacity: Capacity.make(1),
              ...(isAtHome && { homeQueues: [`q${at}`] })
            }),
            pace: Object.fromEntries(others.map((other) => [`q${other}`, pace]))
          }))
        }),
        traffic: teams.map((weight, at) => ({
          item: { queueId: `q${at}`, channelKind: "chat" },
          arrivals: { kind: "poisson" as const, perHour: ((arrivals * weight) / teams.length) * 3_600_000 },
          handling: { kind: "exponential" as const, meanMs: handlingMs }
        })),
        warmupMs: Math.floor(untilMs / 6),
        untilMs
      })
    for (const [policy, setup] of Object.entries(enginePolicies)) {
      // All queues cost the same here, so that cµ is first come, first served.
      if (policy.endsWith("cµ")) continue
      const { total, queues, agents: people } = Simulation.replicate(shop(setup), { seed: 2, replications: 10 })
      const title = `${name}: ${policy}`
      const p95 = Math.max(...queues.map(({ figures }) => figures.waitP95Ms.value))
      report(`${title}, mean wait`, total.waitMeanMs.value / 1000, "s", bound.waitMeanMs / 1000)
      report(`${title}, mean wait, ±`, halfOf(total.waitMeanMs) / 1000, "s")
      report(`${title}, service level`, total.serviceLevel.value, "share", bound.serviceLevel)
      report(`${title}, P95 of the worst queue`, p95 / 1000, "s")
      report(`${title}, longest wait`, total.waitMaxMs.value / 1000, "s")
      report(`${title}, overtakings within a class`, total.overtakings.value, "offers")
      report(
        `${title}, idle spread between teams`,
        groupSpread(people, (agentId) => agentId.slice(0, 1)),
        "share"
      )
    }
  }

// How often a replay's interval holds the truth

if (runs("replay")) {
  const minute = 60_000
  const agent = (agentId: string) => RoutingAgent.make({ agentId, capacity: Capacity.make(1) })
  const load = { arrivals: 50 / (60 * minute), handlingMs: 5 * minute }
  const [five, six] = [5, 6].map((agents) => erlangC({ ...load, agents }, 20_000))
  const keys = ["waitMeanMs", "serviceLevel"] as const
  for (const days of [2, 5]) {
    const scenario = Simulation.make({
      policy: RoutingPolicy.make({ order: [byAge] }),
      staff: ["a", "b", "c", "d", "e"].map((agentId) => ({ agent: agent(agentId) })),
      traffic: [
        {
          item: { queueId: "support", channelKind: "chat" },
          arrivals: { kind: "poisson", perHour: 50 },
          handling: { kind: "exponential", meanMs: 5 * minute }
        }
      ],
      untilMs: days * 24 * 60 * minute
    })
    const tries = quick ? 10 : 40
    const held = { waitMeanMs: 0, serviceLevel: 0 }
    let spent = 0
    for (let seed = 0; seed < tries; seed++) {
      const entries: Array<Replay.Entry> = []
      Simulation.run(scenario, 200 + seed, (signal, atMs, decisions) => entries.push({ atMs, signal, decisions }))
      const recorded = Replay.fromSignals(scenario.policy, entries)
      const start = performance.now()
      const { difference } = Replay.replay(recorded, { add: [{ agent: agent("f") }] })
      spent += (performance.now() - start) / entries.length
      for (const key of keys) if (holds(difference[key], six![key] - five![key])) held[key]++
    }
    for (const key of keys)
      report(
        `replay of ${days} days with one agent more: intervals that hold, ${key}`,
        held[key] / tries,
        "share",
        0.95
      )
    report(`replay of ${days} days: signals`, 1000 / (spent / tries), "signals/s")
  }
}
