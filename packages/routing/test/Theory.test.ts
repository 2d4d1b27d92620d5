import { Simulation } from "@switchboard/routing"
import { describe, expect, test } from "vitest"
import { mean } from "./theory/Chain.ts"
import { type Expected, erlangA, erlangC, type Load } from "./theory/Erlang.ts"
import { optimum } from "./theory/Optimum.ts"
import { oneSkill, type Setup, twoSkills, unitMs } from "./theory/scenarios.ts"
import { byPriority, greedy, helping, type Rules, solveTwoSkills, type TwoSkills } from "./theory/TwoSkills.ts"

// Some hundred intervals are looked at: at 99.9 % a right engine misses none in nine of ten choices of the seed.
const options = { replications: 10, confidence: 0.999 }

/** The truth lies in the interval, and the interval is narrow enough to say something. */
const holds = (name: string, estimate: Simulation.Estimate, truth: number, within: number): void => {
  const half = estimate.high - estimate.value
  const found = `${name} ${truth} in ${estimate.low} to ${estimate.high}`
  expect(estimate.low <= truth && truth <= estimate.high, found).toBe(true)
  expect(half, found).toBeLessThanOrEqual(within)
}

const handlingMs = 600_000
const targetMs = 60_000

const agrees = (total: Simulation.Estimated<Simulation.Figures>, expected: Expected): void => {
  holds("delayed", total.delayed, expected.delayed, 0.15)
  holds("wait", total.waitMeanMs, expected.waitMeanMs, 0.5 * expected.waitMeanMs + handlingMs / 60)
  holds("service level", total.serviceLevel, expected.serviceLevel, 0.15)
  holds("abandonment", total.abandonment, expected.abandonment, 0.05)
}

describe("[ROUTING-93] waits, service level and abandonment are those of", () => {
  test.each([
    [1, 0.5, 2000],
    [5, 0.8, 2500],
    [20, 0.85, 5000],
    [50, 0.85, 3000]
  ])("Erlang C with %i agents at a load of %f", (agents, occupancy, items) => {
    const load: Load = { agents, arrivals: (agents * occupancy) / handlingMs, handlingMs }
    const { total } = Simulation.replicate(oneSkill(load, items, targetMs), { ...options, seed: agents })
    agrees(total, erlangC(load, targetMs))
    expect(total.overtakings.value).toBe(0)
  })

  test.each([
    [1, 0.8, 1, 2000],
    [5, 1.2, 0.5, 2000],
    [50, 1.1, 1, 3000]
  ])(
    "Erlang A with %i agents at a load of %f and a patience of %f times the handling",
    (agents, offered, patience, items) => {
      const load: Load = {
        agents,
        arrivals: (agents * offered) / handlingMs,
        handlingMs,
        patienceMs: patience * handlingMs
      }
      const { total } = Simulation.replicate(oneSkill(load, items, targetMs), { ...options, seed: 1000 + agents })
      agrees(total, erlangA(load, targetMs))
      expect(total.overtakings.value).toBe(0)
    }
  )
})

test("the formulas agree with each other where they meet", () => {
  const load: Load = { agents: 20, arrivals: 18 / handlingMs, handlingMs }
  const patient = erlangA({ ...load, patienceMs: handlingMs * 1e7 }, targetMs)
  const endless = erlangC(load, targetMs)
  expect(patient.delayed).toBeCloseTo(endless.delayed, 5)
  expect(patient.waitMeanMs / endless.waitMeanMs).toBeCloseTo(1, 5)
  expect(patient.serviceLevel).toBeCloseTo(endless.serviceLevel, 5)
})

// Kind 0 can be taken by both groups; kind 1 by the second alone, or by the first at another pace.
const models: Readonly<Record<string, TwoSkills>> = {
  "N, where the second group can do both": {
    agents: [2, 2],
    arrivals: [1.9, 0.9],
    handling: [
      [1, null],
      [1, 1]
    ],
    patience: [null, null],
    limit: 30
  },
  "N with impatience": {
    agents: [1, 2],
    arrivals: [1.5, 1.6],
    handling: [
      [1, null],
      [1.4, 0.8]
    ],
    patience: [2, 1],
    limit: 20
  },
  "X, where each group is better at one kind": {
    agents: [1, 2],
    arrivals: [0.8, 1.1],
    handling: [
      [0.9, 1.6],
      [1.5, 1]
    ],
    patience: [null, null],
    limit: 30
  }
}

const never = 31_536_000_000

const helps = (fromLength: number) => ({ fromLength, afterMs: never, keepFree: 0 })

/** Policies whose choices depend on nothing but the state of the chain: as its rules, and as the engine's. */
const policies: Readonly<Record<string, (model: TwoSkills) => readonly [Rules, Setup]>> = {
  "kind 0 first": () => [byPriority(0), { policy: { order: [{ by: "priority" }, { by: "age" }] }, priorities: [1, 0] }],
  "kind 1 first": () => [byPriority(1), { policy: { order: [{ by: "priority" }, { by: "age" }] }, priorities: [0, 1] }],
  "help from a queue of 2": () => [helping(2), { policy: { helping: helps(2) }, isAtHome: true }],
  "help from a queue of 3": () => [helping(3), { policy: { helping: helps(3) }, isAtHome: true }],
  "the longest queue first": (model) => [
    greedy(model, (state, _, kind) => state[4 + kind]!),
    {
      policy: { order: [{ by: "longestQueue" }, { by: "priority" }, { by: "age" }], choice: [{ by: "bestFit" }] },
      priorities: [1, 0]
    }
  ]
}

const cases = [
  ["N, where the second group can do both", "kind 0 first"],
  ["N, where the second group can do both", "kind 1 first"],
  ["N with impatience", "kind 0 first"],
  ["N with impatience", "help from a queue of 3"],
  ["N with impatience", "the longest queue first"],
  ["X, where each group is better at one kind", "kind 1 first"],
  ["X, where each group is better at one kind", "help from a queue of 2"]
] as const

describe("[ROUTING-94] two skills wait as the exact solution of the chain says:", () => {
  test.each(cases.map(([name, policy], seed) => [name, policy, seed] as const))("%s; %s", (name, policy, seed) => {
    const model = models[name]!
    const [rules, setup] = policies[policy]!(model)
    const solved = solveTwoSkills(model, rules, 1e-8)
    expect(solved.chain.imbalance).toBeLessThan(1e-8)
    expect(solved.cutOff).toBeLessThan(1e-3)
    expect(mean(solved.chain, () => 1)).toBeCloseTo(1, 9)
    const { queues, agents } = Simulation.replicate(twoSkills(model, 2000, setup), { ...options, seed })
    for (const kind of [0, 1]) {
      const { figures } = queues.find(({ queueId }) => queueId === `kind${kind}`)!
      holds("wait", figures.waitMeanMs, solved.waitMean[kind]! * unitMs, 0.6 * solved.waitMean[kind]! * unitMs)
      holds("delayed", figures.delayed, solved.delayed[kind]!, 0.1)
      holds("abandonment", figures.abandonment, solved.abandonment[kind]!, 0.05)
      expect(figures.overtakings.value).toBe(0)
    }
    // Agents of the first group are the first by id.
    if (model.agents[0] === 1) holds("occupancy", agents[0]!.occupancy, solved.occupancy[0], 0.1)
  })
})

describe("the solvers agree with what is known in closed form:", () => {
  const alike: TwoSkills = {
    agents: [1, 1],
    arrivals: [0.5, 0.7],
    handling: [
      [1, 1],
      [1, 1]
    ],
    patience: [null, null],
    limit: 24
  }
  const { waitMeanMs } = erlangC({ agents: 2, arrivals: 1.2, handlingMs: 1 }, 0)

  test("when everyone can do everything, whoever is first, all wait as in Erlang C", () => {
    const { waiting } = solveTwoSkills(alike, byPriority(1), 1e-10)
    expect(waiting[0] + waiting[1]).toBeCloseTo(1.2 * waitMeanMs, 4)
  })

  test("then nothing is better than that, and with unlike costs the dear kind first is best", () => {
    const { cost } = optimum(alike, [1, 1], 1e-5)
    expect(cost).toBeCloseTo(1.2 * waitMeanMs, 3)
    const { waiting } = solveTwoSkills(alike, byPriority(1), 1e-10)
    expect(optimum(alike, [1, 5], 1e-5).cost).toBeCloseTo(waiting[0] + 5 * waiting[1], 3)
  })

  test("and nothing is better than the best in a system with pace, where helping from 2 is near it", () => {
    const model = { ...models["X, where each group is better at one kind"]!, limit: 15 }
    const { cost } = optimum(model, [1, 1], 1e-4)
    const costOf = (rules: Rules): number => {
      const { waiting } = solveTwoSkills(model, rules, 1e-8)
      return waiting[0] + waiting[1]
    }
    const found = [1, 2, 3, 4].map((fromLength) => costOf(helping(fromLength)) / cost)
    for (const each of found) expect(each).toBeGreaterThanOrEqual(1 - 1e-3)
    expect(found[1]).toBeLessThan(1.07)
  })
})
