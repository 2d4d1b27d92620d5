import { Capacity, Relaxation, Requirement, RoutingEngine, RoutingPolicy, WorkItem } from "@switchboard/routing"
import { describe, expect, it } from "vitest"
import { agent, brief, pool } from "./given.ts"

const { skill, anyone } = Requirement
const ada = agent("ada", { skills: { billing: 4 } })
const bob = agent("bob", { skills: { billing: 1 } })
const cleo = agent("cleo")

const relaxation: Relaxation.Relaxation = [
  { afterMs: 30_000, requirement: skill("billing") },
  { afterMs: 90_000, requirement: anyone }
]
const billing = { queueId: "support", requirement: skill("billing", 3), relaxation }

describe("the table", () => {
  it.each([
    [-1, 0],
    [29_999, 0],
    [30_000, 1],
    [89_999, 1],
    [90_000, 2],
    [9e12, 2]
  ])("[ROUTING-50] at an age of %d ms, %d rows hold", (ageMs, step) => {
    expect(Relaxation.stepAt(relaxation, ageMs)).toBe(step)
  })

  it("[ROUTING-4] is refused when its ages don't rise, or a field is wrong", () => {
    const row = (afterMs: unknown) => ({ afterMs, requirement: anyone })
    expect(Relaxation.decode([row(5), row(5)])).toMatchObject({ error: { path: "[1].afterMs", found: "5" } })
    expect(Relaxation.decode([row("5")])).toMatchObject({ error: { path: "[0].afterMs", found: '"5"' } })
    expect(Relaxation.decode([{ ...row(5), skipIf: "raining" }])).toMatchObject({ error: { path: "[0].skipIf" } })
    expect(Relaxation.decode(relaxation)).toEqual({ ok: true, value: relaxation })
    expect(RoutingPolicy.decode({ queues: [{ ...billing, relaxation: [row(2), row(1)] }] })).toMatchObject({
      error: { path: "queues[0].relaxation[1].afterMs" }
    })
  })
})

describe("an item that grows older", () => {
  it("[ROUTING-50, ROUTING-54] moves on at the instants of its queue's table, and says so", () => {
    const { arrive, tell, engine } = pool({ queues: [billing] }).available([cleo])
    expect(arrive("c1", {}, 1000).map(brief)).toEqual(["queued c1 arrived for eligibleAgent"])
    expect(engine.nextDueAt()).toBe(31_000)
    expect(tell({ type: "tick" }, 30_999)).toEqual([])
    expect(tell({ type: "tick" }, 31_000)).toEqual([
      { type: "itemRelaxed", itemId: "c1", step: 1, of: 2, cause: "age", nextAtMs: 91_000 }
    ])
    expect(engine.nextDueAt()).toBe(91_000)
    expect(tell({ type: "tick" }, 91_000)).toMatchObject([
      { type: "itemRelaxed", itemId: "c1", step: 2, of: 2, cause: "age" },
      { type: "offerMade", agentId: "cleo", step: 2 }
    ])
  })

  it("[ROUTING-50] takes several steps at once when time was not told", () => {
    const { arrive, tell } = pool({ queues: [billing] }).available([cleo])
    arrive("c1")
    expect(tell({ type: "tick" }, 200_000).map(brief)).toEqual(["relaxed c1 to 2 of 2", "offer c1.1 to cleo"])
  })

  it("[ROUTING-50] has its age when it arrives, and keeps it when it waits again", () => {
    const { arrive, ask, tell, engine } = pool({ queues: [billing], offerTimeoutMs: 600_000 }).available([bob])
    expect(arrive("old", { arrivedAtMs: 0 }, 40_000)).toMatchObject([
      { type: "itemQueued", step: 1 },
      { type: "offerMade", step: 1, agentId: "bob" }
    ])
    ask({ type: "offerAccepted", offerId: "old.1", agentId: "bob" }, 41_000)
    expect(ask({ type: "itemReleased", itemId: "old", agentId: "bob", next: "wait" }, 95_000)).toEqual([
      "queued old handedBack for declineMemory"
    ])
    expect(engine.itemDocument("old")?.step).toBe(2)
    expect(tell({ type: "tick" }, 95_001)).toEqual([])
  })

  it("[ROUTING-51] leaves an offer with whom it was made to, and moves on when it comes back", () => {
    const { arrive, ask, tell, place } = pool({ queues: [billing], offerTimeoutMs: 600_000 }).available([ada])
    arrive("c1")
    expect(tell({ type: "tick" }, 45_000)).toEqual([])
    expect(place("c1")).toBe("offered ada")
    tell({ type: "itemChanged", itemId: "c1", priority: 3 }, 46_000)
    expect(place("c1")).toBe("offered ada")
    expect(ask({ type: "offerDeclined", offerId: "c1.1", agentId: "ada" }, 50_000)).toEqual([
      "declined c1.1",
      "relaxed c1 to 1 of 2"
    ])
  })

  it("[ROUTING-51] that is due for a step has taken it before anything else is given out", () => {
    const narrowing = { ...billing, relaxation: [{ afterMs: 30_000, requirement: skill("billing", 4) }] }
    const { arrive, tell } = pool({
      queues: [narrowing, { queueId: "main", requirement: anyone }],
      offerTimeoutMs: 20_000
    }).available([agent("dan", { skills: { billing: 3 } })])
    arrive("first", { queueId: "main" })
    arrive("c1")
    // The offer of the first ran out earlier, at 20 s; by now c1 asks for more than dan can do.
    expect(tell({ type: "tick" }, 31_000).map(brief)).toEqual(["relaxed c1 to 1 of 1", "expired first.1"])
  })

  it("[ROUTING-52] keeps its turn: the older is served first, whatever step each is at", () => {
    const { arrive, available, engine } = pool({ queues: [billing] })
    arrive("older", { requirement: skill("billing") }, 0)
    arrive("c1", {}, 1000)
    arrive("younger", { requirement: anyone }, 2000)
    available([bob], 40_000)
    const waiting = () => engine.waiting(9).map(({ itemId }) => itemId)
    expect(waiting()).toEqual(["c1", "younger"])
    engine.apply({ type: "offerDeclined", requestId: "r", offerId: "older.1", agentId: "bob" }, 41_000)
    expect(waiting()).toEqual(["older", "younger"])
  })

  it("[ROUTING-49] follows its own table, or none when it only brings its own requirement", () => {
    const { arrive, tell, engine } = pool({ queues: [billing] })
    arrive("own", { relaxation: [{ afterMs: 5000, requirement: anyone }] })
    arrive("fixed", { requirement: skill("billing", 3) })
    expect(engine.explain("own", 0)).toMatchObject({ requirement: skill("billing", 3), relaxation: { of: 1 } })
    expect(engine.explain("fixed", 0)?.relaxation).toBeUndefined()
    expect(tell({ type: "tick" }, 500_000).map(brief)).toEqual(["relaxed own to 1 of 1"])
  })

  it("[ROUTING-49] that changes looks its step up anew", () => {
    const { arrive, tell, engine } = pool({ queues: [billing] })
    arrive("c1", { requirement: anyone })
    tell({ type: "itemChanged", itemId: "c1", requirement: null }, 20_000)
    expect(engine.nextDueAt()).toBe(30_000)
    const table = [{ afterMs: 10_000, requirement: skill("x") }]
    expect(tell({ type: "itemChanged", itemId: "c1", relaxation: table }, 20_000).map(brief)).toEqual([
      "relaxed c1 to 1 of 1"
    ])
    expect(tell({ type: "itemChanged", itemId: "c1", relaxation: null }, 20_000)).toEqual([])
    expect(engine.itemDocument("c1")?.step).toBeUndefined()
  })

  it("[ROUTING-49] that is sent on follows the table of where it went, at the age it has", () => {
    const { arrive, ask, engine } = pool({ queues: [billing, { queueId: "main", requirement: anyone }] })
    arrive("c1", { queueId: "main", relaxation: [{ afterMs: 1, requirement: skill("x") }] })
    ask({ type: "transferRequested", itemId: "c1", by: "ada", to: { kind: "queue", queueId: "support" } }, 40_000)
    expect(engine.itemDocument("c1")).toMatchObject({ step: 1, item: { queueId: "support" } })
    expect(engine.itemDocument("c1")?.item.relaxation).toBeUndefined()
  })

  it("[ROUTING-54] explains its step and what comes next", () => {
    const { arrive, tell, engine } = pool({ queues: [billing] }).available([bob])
    arrive("c1")
    expect(engine.explain("c1", 10)).toMatchObject({
      requirement: skill("billing", 3),
      relaxation: { step: 0, of: 2, nextAtMs: 30_000, next: skill("billing") },
      changesAtMs: 30_000,
      agents: [{ agentId: "bob", obstacles: [{ kind: "requirement", unmet: [skill("billing", 3)] }] }]
    })
    tell({ type: "tick" }, 30_000)
    expect(engine.explain("c1", 30_000)?.relaxation).toEqual({ step: 1, of: 2 })
  })

  it("[ROUTING-39] goes on from its documents at the step it was at", () => {
    const given = pool({ queues: [billing] }).available([cleo])
    given.arrive("c1")
    given.tell({ type: "tick" }, 30_000)
    const policy = RoutingPolicy.make({ queues: [billing] })
    const restored = RoutingEngine.restore(policy, JSON.parse(JSON.stringify(given.engine.snapshot())))
    expect(restored.takeChanged().items).toEqual([])
    expect(restored.nextDueAt()).toBe(90_000)
    expect(restored.apply({ type: "tick" }, 90_000).map(brief)).toEqual(["relaxed c1 to 2 of 2", "offer c1.1 to cleo"])
    const without = RoutingEngine.restore(RoutingPolicy.make(), given.engine.snapshot())
    expect(without.itemDocument("c1")?.step).toBeUndefined()
    expect(without.takeChanged().items).toEqual(["c1"])
  })
})

describe("a row that may be skipped", () => {
  const skipping: Relaxation.Relaxation = [
    { afterMs: 0, requirement: skill("billing", 3), skipIf: "nobodyOnDuty" },
    { afterMs: 10_000, requirement: skill("billing"), skipIf: "nobodyOnDuty" },
    { afterMs: 20_000, requirement: anyone }
  ]
  const queues = [{ queueId: "support", requirement: anyone, relaxation: skipping }]

  it("[ROUTING-53] is passed over at once when nobody who meets it is on duty", () => {
    const { arrive } = pool({ queues }).available([cleo])
    expect(arrive("c1")).toMatchObject([
      { type: "itemQueued", step: 3 },
      { type: "offerMade", agentId: "cleo", step: 3 }
    ])
  })

  it("[ROUTING-53] holds while somebody is busy, and is passed over when they go; the rows after keep their ages", () => {
    const { arrive, tell, engine } = pool({ queues }).available([ada, bob])
    tell({ type: "presenceChanged", agentId: "ada", status: "busy" })
    tell({ type: "presenceChanged", agentId: "bob", status: "busy" })
    expect(arrive("c1").map(brief)).toEqual(["queued c1 arrived for availableAgent"])
    expect(engine.nextDueAt()).toBe(10_000)
    expect(tell({ type: "presenceChanged", agentId: "ada", status: "away" }, 4000)).toMatchObject([
      { type: "presenceSet" },
      { type: "itemRelaxed", step: 2, of: 3, cause: "nobodyOnDuty", nextAtMs: 20_000 }
    ])
    expect(engine.nextDueAt()).toBe(20_000)
    expect(tell({ type: "presenceChanged", agentId: "ada", status: "available" }, 5000).map(brief)).toEqual([
      "presence ada available told",
      "offer c1.1 to ada"
    ])
    expect(engine.itemDocument("c1")?.step).toBe(2)
  })

  it("[ROUTING-53] is passed over when its agents change so that they no longer meet it, or leave", () => {
    const { arrive, tell } = pool({ queues }).available([ada, bob])
    for (const agentId of ["ada", "bob"]) tell({ type: "presenceChanged", agentId, status: "busy" })
    arrive("c1")
    expect(tell({ type: "agentUpdated", agent: agent("ada") }, 1).map(brief)).toEqual([
      "relaxed c1 to 2 of 3 nobodyOnDuty"
    ])
    expect(tell({ type: "agentRemoved", agentId: "bob" }, 2).map(brief)).toEqual(["relaxed c1 to 3 of 3 nobodyOnDuty"])
  })

  it("[ROUTING-20, ROUTING-53] is passed over when all of its agents have turned the item down", () => {
    const two = agent("amy", { skills: { billing: 3 } })
    const { arrive, ask } = pool({ queues }).available([ada, two, bob])
    arrive("c1")
    expect(ask({ type: "offerDeclined", offerId: "c1.1", agentId: "ada" }, 1)).toEqual([
      "declined c1.1",
      "offer c1.2 to amy"
    ])
    expect(ask({ type: "offerDeclined", offerId: "c1.2", agentId: "amy" }, 2)).toEqual([
      "declined c1.2",
      "relaxed c1 to 2 of 3 nobodyOnDuty",
      "offer c1.3 to bob"
    ])
  })

  it("[ROUTING-53] is never the last", () => {
    const only = [{ afterMs: 0, requirement: skill("x"), skipIf: "nobodyOnDuty" as const }]
    const { arrive } = pool().available([cleo])
    expect(arrive("c1", { relaxation: only })).toMatchObject([{ step: 1, waitsFor: "eligibleAgent" }])
  })
})

describe("tiers of preferred agents", () => {
  const preferred = [
    { agents: ["ada"], untilMs: 10_000 },
    { agents: ["bob", "cleo"], untilMs: 30_000 }
  ]
  const duty = () => {
    const given = pool({ offerTimeoutMs: 60_000 }).available([ada, bob, cleo, agent("dan")])
    for (const agentId of ["ada", "bob", "cleo"]) given.tell({ type: "presenceChanged", agentId, status: "busy" })
    return given
  }

  it("[ROUTING-55] are asked one after the other, each until its instant, then everyone", () => {
    const { arrive, tell, engine, place } = duty()
    expect(arrive("c1", { preferred }).map(brief)).toEqual(["queued c1 arrived for preferredAgent"])
    expect(engine.nextDueAt()).toBe(10_000)
    tell({ type: "tick" }, 10_000)
    expect(engine.itemDocument("c1")?.item.preferred).toEqual(preferred.slice(1))
    expect(engine.explain("c1", 10_000)?.agents.find(({ agentId }) => agentId === "dan")?.obstacles).toEqual([
      { kind: "reserved", agentId: "bob", agents: ["bob", "cleo"], untilMs: 30_000 }
    ])
    expect(place("c1")).toBe("waiting")
    expect(tell({ type: "tick" }, 30_000).map(brief)).toEqual(["offer c1.1 to dan"])
  })

  it("[ROUTING-55] are chosen among by the pool's choice", () => {
    const { arrive, tell } = duty()
    arrive("c1", { preferred })
    tell({ type: "tick" }, 10_000)
    expect(tell({ type: "presenceChanged", agentId: "cleo", status: "available" }, 11_000).map(brief)).toEqual([
      "presence cleo available told",
      "offer c1.1 to cleo"
    ])
    const open = pool().available([ada, bob, cleo, agent("dan")])
    expect(open.arrive("c2", { preferred: preferred.slice(1) })[1]).toMatchObject({
      agentId: "bob",
      record: { compared: 2, runnerUp: "cleo", decidedBy: "id" }
    })
  })

  it("[ROUTING-55] end early when nobody of them is left, and lose who turns the item down", () => {
    const { arrive, ask, tell } = pool({ declineMemoryMs: 0 }).available([ada, bob, cleo, agent("dan")])
    arrive("c1", { preferred })
    expect(ask({ type: "offerDeclined", offerId: "c1.1", agentId: "ada" }, 1)).toEqual([
      "declined c1.1",
      "offer c1.2 to bob"
    ])
    expect(tell({ type: "presenceChanged", agentId: "cleo", status: "offline" }, 2).map(brief)).toEqual([
      "presence cleo offline told"
    ])
    expect(ask({ type: "offerDeclined", offerId: "c1.2", agentId: "bob" }, 3)).toEqual([
      "declined c1.2",
      "offer c1.3 to ada"
    ])
  })

  it("[ROUTING-55] and the steps of a relaxation go on side by side", () => {
    const { arrive, tell } = pool({ queues: [billing] }).available([bob, ada])
    tell({ type: "presenceChanged", agentId: "ada", status: "busy" })
    arrive("c1", { preferred: [{ agents: ["ada"], untilMs: 40_000 }] })
    expect(tell({ type: "tick" }, 30_000).map(brief)).toEqual(["relaxed c1 to 1 of 2"])
    expect(tell({ type: "tick" }, 40_000).map(brief)).toEqual(["offer c1.1 to bob"])
  })

  it("[ROUTING-4] are refused beside a preferred agent, or when their instants don't rise", () => {
    const item = { itemId: "c1", queueId: "q", channelKind: "chat", arrivedAtMs: 0 }
    const decode = (more: object) => WorkItem.decode({ ...item, ...more })
    expect(decode({ preferred }).ok).toBe(true)
    expect(decode({ preferred, preferredAgent: "ada", preferredUntilMs: 1 })).toMatchObject({
      error: { path: "preferredAgent" }
    })
    expect(decode({ preferred: [...preferred].reverse() })).toMatchObject({ error: { path: "preferred" } })
  })
})

describe("comparisons with the item", () => {
  const region = Requirement.attribute("region").equals(Requirement.ofItem("region"))
  const of = (agentId: string, where: string) => agent(agentId, { attributes: { region: where } })

  it("[ROUTING-47] are made with the item's own attributes when it arrives, and again when they change", () => {
    const { arrive, tell, place } = pool({ queues: [{ queueId: "support", requirement: region }] }).available([
      of("eve", "eu"),
      of("uma", "us")
    ])
    arrive("c1", { attributes: { region: "us" } })
    expect(place("c1")).toBe("offered uma")
    expect(tell({ type: "itemChanged", itemId: "c1", attributes: { region: "eu" } }).map(brief)).toEqual([
      "withdrawn c1.1 itemChanged",
      "offer c1.2 to eve"
    ])
    expect(arrive("c2").map(brief)).toEqual(["queued c2 arrived for eligibleAgent"])
  })

  it("[ROUTING-47] hold for what an agent becomes", () => {
    const { arrive, tell } = pool().available([agent("ada", { capacity: Capacity.make(2) })])
    arrive("c1", { requirement: region, attributes: { region: "eu" } })
    expect(tell({ type: "agentUpdated", agent: of("ada", "eu") }).map(brief)).toEqual(["offer c1.1 to ada"])
  })

  it("[ROUTING-43, ROUTING-47] are explained with the constants they stand for", () => {
    const { arrive, engine } = pool().available([of("eve", "eu")])
    arrive("c1", { requirement: region, attributes: { region: "us" } })
    const forThisItem = Requirement.attribute("region").equals("us")
    expect(engine.explain("c1", 0)).toMatchObject({
      requirement: forThisItem,
      agents: [{ obstacles: [{ kind: "requirement", unmet: [forThisItem] }] }]
    })
  })

  it("[ROUTING-47] many different values leave the others in place", () => {
    const { arrive, tell, place } = pool({ queues: [{ queueId: "support", requirement: region }] }).available([
      of("eve", "r1")
    ])
    for (let index = 2; index < 5000; index++) {
      arrive(`c${index}`, { attributes: { region: `r${index}` } })
      tell({ type: "itemRemoved", itemId: `c${index}` })
    }
    arrive("last", { attributes: { region: "r1" } })
    expect(place("last")).toBe("offered eve")
  })
})
