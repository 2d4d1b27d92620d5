import { Capacity, RoutingAgent, RoutingPolicy, Simulation } from "@switchboard/routing"
import { describe, expect, test } from "vitest"
import { quantile } from "../src/internal/simulation/Student.ts"

const minute = 60_000
const hour = 60 * minute

const staff = (count: number): ReadonlyArray<Simulation.Staff> =>
  Array.from({ length: count }, (_, index) => ({
    agent: RoutingAgent.make({ agentId: `agent${index}`, capacity: Capacity.make(1) })
  }))

const support = { queueId: "support", channelKind: "chat" }

const given = (atMs: ReadonlyArray<number>, handlingMs: number) => ({
  item: support,
  arrivals: { kind: "given" as const, atMs },
  handling: { kind: "fixed" as const, ms: handlingMs }
})

const scenario = (more: Partial<Simulation.Draft>): Simulation.Scenario =>
  Simulation.make({
    policy: RoutingPolicy.make({ order: [{ by: "age" }] }),
    staff: staff(1),
    traffic: [given([0], minute)],
    untilMs: 10 * hour,
    ...more
  })

const random: Partial<Simulation.Draft> = {
  staff: staff(3),
  traffic: ["sales", "support"].map((queueId) => ({
    item: { ...support, queueId },
    arrivals: { kind: "poisson", perHour: 10 },
    handling: { kind: "lognormal", meanMs: 6 * minute, deviationMs: 6 * minute },
    patience: { kind: "exponential", meanMs: 20 * minute }
  }))
}

describe("[ROUTING-90] one seed gives one run", () => {
  test("down to the last figure, and another seed another", () => {
    const each = scenario(random)
    expect(Simulation.run(each, 1)).toEqual(Simulation.run(each, 1))
    expect(Simulation.run(each, 1).total).not.toEqual(Simulation.run(each, 2).total)
    expect(Simulation.run(each, 2 ** 40 + 1).total).not.toEqual(Simulation.run(each, 1).total)
  })

  test("whose items are the same under another policy, roster or beside other traffic", () => {
    const arrivals = (of: Partial<Simulation.Draft>) => {
      const seen: Array<number> = []
      Simulation.run(scenario({ ...random, ...of }), 3, (signal) => {
        if (signal.type === "itemArrived" && signal.item.queueId === "sales") seen.push(signal.item.arrivedAtMs)
      })
      return seen
    }
    const these = arrivals({})
    expect(these.length).toBeGreaterThan(50)
    expect(arrivals({ staff: staff(9) })).toEqual(these)
    expect(arrivals({ policy: RoutingPolicy.make({ order: [{ by: "priority" }] }) })).toEqual(these)
    expect(arrivals({ traffic: random.traffic!.slice(0, 1) })).toEqual(these)
  })

  test("arrivals follow the rate of their period", () => {
    const counts = [0, 0, 0, 0]
    const periods = [
      { fromMs: hour, perHour: 400 },
      { fromMs: 3 * hour, perHour: 100 }
    ]
    const traffic = [{ ...given([], 1), arrivals: { kind: "periods" as const, periods, everyMs: 4 * hour } }]
    Simulation.run(scenario({ traffic, untilMs: 40 * hour }), 4, (signal, atMs) => {
      if (signal.type === "itemArrived") counts[Math.floor((atMs % (4 * hour)) / hour)]!++
    })
    expect(counts[0]).toBe(0)
    // Ten times 400, 400 and 100, each within four standard deviations.
    expect(Math.abs(counts[1]! - 4000)).toBeLessThan(253)
    expect(Math.abs(counts[2]! - 4000)).toBeLessThan(253)
    expect(Math.abs(counts[3]! - 1000)).toBeLessThan(127)
  })

  test.each([
    [{ kind: "exponential", meanMs: 1000 }, 1000, 1000],
    [{ kind: "lognormal", meanMs: 1000, deviationMs: 500 }, 1000, 500],
    [{ kind: "given", ms: [500, 1500] }, 1000, 500],
    [{ kind: "fixed", ms: 1000 }, 1000, 0]
  ] as const)("and times their distribution: %o", (handling, mean, deviation) => {
    const begun = new Map<string, number>()
    const times: Array<number> = []
    const arrivals = { kind: "given" as const, atMs: Array.from({ length: 4000 }, (_, index) => index * 100) }
    const traffic = [{ item: support, arrivals, handling }]
    Simulation.run(scenario({ traffic, staff: staff(40), untilMs: hour }), 5, (_, atMs, decisions) => {
      for (const decision of decisions)
        if (decision.type === "itemAssigned") begun.set(decision.itemId, atMs)
        else if (decision.type === "itemLeft") times.push(atMs - begun.get(decision.itemId)!)
    })
    const average = times.reduce((sum, each) => sum + each, 0) / times.length
    const variance = times.reduce((sum, each) => sum + (each - average) ** 2, 0) / times.length
    expect(times.length).toBe(4000)
    expect(Math.abs(average - mean)).toBeLessThanOrEqual((4 * deviation) / Math.sqrt(4000))
    expect(Math.abs(Math.sqrt(variance) - deviation)).toBeLessThanOrEqual(0.15 * deviation)
  })
})

describe("[ROUTING-91] a wait runs from arrival to the first accept, or to giving up", () => {
  test("and the figures are those of the items that arrive in the counted time", () => {
    // One agent, ten minutes each: waits of 0, 9, 18, 27 minutes; the first is not counted.
    const { total, agents, load } = Simulation.run(
      scenario({
        traffic: [given([0, minute, 2 * minute, 3 * minute], 10 * minute)],
        warmupMs: minute,
        untilMs: 21 * minute,
        targetMs: 18 * minute
      }),
      1
    )
    expect(total).toEqual({
      arrived: 3,
      answered: 3,
      gaveUp: 0,
      unserved: 0,
      serviceLevel: 2 / 3,
      abandonment: 0,
      delayed: 1,
      waitMeanMs: 18 * minute,
      waitP50Ms: 18 * minute,
      waitP90Ms: 27 * minute,
      waitP95Ms: 27 * minute,
      waitP99Ms: 27 * minute,
      waitMaxMs: 27 * minute,
      answerMeanMs: 18 * minute,
      overtakings: 0
    })
    expect(agents).toEqual([{ agentId: "agent0", answered: 3, roomMs: 20 * minute, occupancy: 1 }])
    expect(load).toEqual({ occupancy: 1, spread: 0, deviation: 0 })
  })

  test("who gives up is counted as such, and not as answered", () => {
    const traffic = [{ ...given([0, 0, 0], 10 * minute), patience: { kind: "fixed" as const, ms: 12 * minute } }]
    const { total } = Simulation.run(scenario({ traffic }), 1)
    expect(total).toMatchObject({ arrived: 3, answered: 2, gaveUp: 1, abandonment: 1 / 3, delayed: 2 / 3 })
    expect(total).toMatchObject({ waitMeanMs: (22 * minute) / 3, answerMeanMs: 5 * minute, waitMaxMs: 12 * minute })
  })

  test("agents come and go by their shifts, finish what they have, and some stay unserved", () => {
    const shifts = [{ fromMs: hour, untilMs: 2 * hour }]
    const { total, agents } = Simulation.run(
      scenario({
        staff: [{ ...staff(1)[0]!, shifts }],
        traffic: [given([0, 110 * minute, 115 * minute], 30 * minute)],
        untilMs: 4 * hour
      }),
      1
    )
    expect(total).toMatchObject({ arrived: 3, answered: 2, unserved: 1, waitMaxMs: hour })
    expect(agents).toEqual([{ agentId: "agent0", answered: 2, roomMs: hour, occupancy: 40 / 60 }])
  })

  test("a pace makes handling longer", () => {
    const traffic = [given([0, minute], 10 * minute)]
    const slow = [{ ...staff(1)[0]!, pace: { support: 1.5 } }]
    expect(Simulation.run(scenario({ traffic, staff: slow }), 1).total.waitMaxMs).toBe(14 * minute)
  })

  test("offers are answered after a while, some missed or declined, and who was set away comes back", () => {
    const seen = new Map<string, number>()
    const { total } = Simulation.run(
      scenario({
        ...random,
        answers: { afterMs: { kind: "fixed", ms: 5000 }, missed: 0.4, declined: 0.1, backAfterMs: minute },
        policy: RoutingPolicy.make({ awayAfterMissed: 1 }),
        untilMs: 100 * hour
      }),
      6,
      (_, __, decisions) => {
        for (const { type } of decisions) seen.set(type, (seen.get(type) ?? 0) + 1)
      }
    )
    const [made, declined, expired] = ["offerMade", "offerDeclined", "offerExpired"].map((type) => seen.get(type)!)
    expect(Math.abs(expired! / made! - 0.4)).toBeLessThan(0.05)
    expect(Math.abs(declined! / made! - 0.1)).toBeLessThan(0.03)
    expect(total.arrived).toBe(total.answered + total.gaveUp)
    expect(total.waitP50Ms).toBeGreaterThanOrEqual(5000)
  })

  test("offers nobody answers in time don't make a run endless", () => {
    const answers = { afterMs: { kind: "fixed" as const, ms: 2 * minute }, missed: 0, declined: 0, backAfterMs: minute }
    const policy = RoutingPolicy.make({ awayAfterMissed: null, declineMemoryMs: 0 })
    const { total, endedMs } = Simulation.run(scenario({ answers, policy, untilMs: hour }), 1)
    expect(total).toMatchObject({ arrived: 1, unserved: 1 })
    expect(endedMs).toBeLessThanOrEqual(2 * hour)
  })
})

describe("[ROUTING-92] an order by age overtakes nobody", () => {
  const crowd = [given([0, minute, 2 * minute, 3 * minute], 10 * minute)]
  test("and an order that does is found out", () => {
    // Without a rule, ids decide: i10 comes before i2.
    const traffic = [
      given(
        Array.from({ length: 12 }, (_, index) => index * minute),
        10 * minute
      )
    ]
    const byId = scenario({ traffic, policy: RoutingPolicy.make({ order: [{ by: "priority" }] }) })
    expect(Simulation.run(byId, 1).total.overtakings).toBeGreaterThan(0)
    expect(Simulation.run(scenario({ traffic }), 1).total.overtakings).toBe(0)
  })

  test("items of another priority aren't alike", () => {
    const urgent = { ...given([4 * minute], minute), item: { ...support, priority: 1 } }
    const policy = RoutingPolicy.make({ order: [{ by: "priority" }, { by: "age" }] })
    expect(Simulation.run(scenario({ traffic: [...crowd, urgent], policy }), 1).total.overtakings).toBe(0)
  })
})

describe("[ROUTING-98] several runs give an interval", () => {
  test("around the mean, as Student's distribution has it", () => {
    const each = scenario(random)
    const values = [0, 1, 2, 3].map((index) => Simulation.run(each, Simulation.seedOf(9, index)).total.waitMeanMs)
    const mean = values.reduce((sum, value) => sum + value, 0) / 4
    const error = Math.sqrt(values.reduce((sum, value) => sum + (value - mean) ** 2, 0) / 3 / 4)
    const { total, replications, confidence } = Simulation.replicate(each, { seed: 9, replications: 4 })
    expect([replications, confidence]).toEqual([4, 0.95])
    expect(total.waitMeanMs.value).toBeCloseTo(mean, 6)
    expect(total.waitMeanMs.high).toBeCloseTo(mean + 3.182446 * error, 1)
    expect(total.waitMeanMs.low).toBeCloseTo(mean - 3.182446 * error, 1)
  })

  test("one run gives none", () => {
    const { total, agents, queues } = Simulation.replicate(scenario(random), { seed: 9, replications: 1 })
    expect(total.waitMeanMs).toMatchObject({ low: -Infinity, high: Infinity })
    expect([agents.length, queues.length]).toEqual([3, 2])
  })

  test.each([
    [0.95, 1, 12.7062],
    [0.95, 9, 2.262157],
    [0.95, 10, 2.228139],
    [0.99, 29, 2.756386],
    [0.999, 9, 4.780913]
  ])("at %f with %i degrees of freedom", (confidence, degrees, expected) => {
    expect(quantile(confidence, degrees)).toBeCloseTo(expected, 4)
  })
})

describe("[ROUTING-4] a scenario from outside", () => {
  const input = {
    policy: {},
    traffic: [
      { item: support, arrivals: { kind: "poisson", perHour: 10 }, handling: { kind: "exponential", meanMs: 1000 } }
    ],
    staff: [{ agent: { agentId: "ada", capacity: { units: 1 } } }],
    untilMs: hour
  }

  test("gets its defaults", () => {
    const decoded = Simulation.decode(input)
    expect(decoded.ok && decoded.value.targetMs).toBe(20_000)
    expect(decoded.ok && Simulation.run(decoded.value, 1).total.arrived).toBeGreaterThan(0)
  })

  test.each([
    [{ ...input, untilMs: 0 }, "warmupMs"],
    [
      { ...input, traffic: [{ ...input.traffic[0], arrivals: { kind: "poisson", perHour: -1 } }] },
      "traffic[0].arrivals.perHour"
    ],
    [{ ...input, staff: [{ agent: { agentId: "" } }] }, "staff[0].agent.agentId"],
    [{ ...input, answers: { afterMs: { kind: "fixed", ms: 0 }, missed: 0.7, declined: 0.7 } }, "answers"]
  ])("is refused with its path", (wrong, path) => {
    const decoded = Simulation.decode(wrong)
    expect(!decoded.ok && decoded.error.path).toBe(path)
  })
})
