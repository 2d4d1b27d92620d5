import { Capacity, Offer, Overtaking, Requirement, RoutingEngine, RoutingPolicy } from "@switchboard/routing"
import { describe, expect, it } from "vitest"
import { agent, brief, item, pool } from "./given.ts"

const ada = agent("ada")
const bob = agent("bob")

/** In which order waiting items are offered to one agent who declines them all. */
const order = (policy: Partial<RoutingPolicy.RoutingPolicy>, items: ReadonlyArray<Parameters<typeof item>>) => {
  const { engine, arrive, tell, ask, available } = pool(policy)
  for (const [itemId, more] of items) arrive(itemId, more, 0)
  expect(engine.waiting(10).map(({ itemId }) => itemId)).toHaveLength(items.length)
  available([ada], 600_000)
  const first = engine.snapshot().items.find(({ place }) => place.kind === "offered")!
  const offered = [first.item.itemId]
  for (;;) {
    const offerId = Offer.toId(offered.at(-1)!, 1)
    const next = ask({ type: "offerDeclined", offerId, agentId: "ada" }, 600_000)[1]
    if (next === undefined) break
    offered.push(/^offer (.*)\.1 to ada$/.exec(next)![1]!)
  }
  tell({ type: "tick" }, 600_000)
  return offered
}

describe("the order of waiting items", () => {
  const items: ReadonlyArray<Parameters<typeof item>> = [
    ["new-urgent", { arrivedAtMs: 300_000, priority: 10 }],
    ["old", { arrivedAtMs: 0 }],
    ["newer", { arrivedAtMs: 100_000, channelKind: "mail" }],
    ["as-old", { arrivedAtMs: 0, weight: 1, requirement: Requirement.agents("ada") }]
  ]

  it("[ROUTING-9] priority, then age, then id, across lines", () => {
    expect(order({}, items)).toEqual(["new-urgent", "as-old", "old", "newer"])
  })

  it("[ROUTING-9] age alone", () => {
    expect(order({ order: [{ by: "age" }] }, items)).toEqual(["as-old", "old", "newer", "new-urgent"])
  })

  it.each([
    [1, ["new-urgent", "as-old", "old", "newer"]],
    [3, ["as-old", "old", "new-urgent", "newer"]]
  ])("[ROUTING-10] priority that grows by %d points per minute", (pointsPerMinute, expected) => {
    expect(order({ order: [{ by: "agedPriority", pointsPerMinute }] }, items)).toEqual(expected)
  })

  it("[ROUTING-10] the bound is exact: 10 points at 2 per minute are 5 minutes", () => {
    const policy = RoutingPolicy.make({
      order: [{ by: "agedPriority", pointsPerMinute: 2 }, { by: "age" }],
      ranges: RoutingPolicy.Ranges.parse({ priority: { min: 0, max: 10 } })
    })
    expect(Overtaking.of(policy)).toMatchObject({ kind: "bounded", by: "agedPriority", withinMs: 300_000 })
    const after = (ms: number) =>
      order(policy, [
        ["low", { arrivedAtMs: 0 }],
        ["high", { arrivedAtMs: ms, priority: 10 }]
      ])
    expect(after(299_999)).toEqual(["high", "low"])
    expect(after(300_001)).toEqual(["low", "high"])
  })
})

describe("the choice of agent", () => {
  const wide = (agentId: string, units: number) => agent(agentId, { capacity: Capacity.make(units) })

  it("[ROUTING-11] least loaded by share first, then longest idle, then id", () => {
    const { arrive, place } = pool().available([wide("bob", 2), wide("ada", 2), wide("cleo", 4)], 10)
    for (const itemId of ["c1", "c2", "c3", "c4", "c5"]) arrive(itemId, {}, 20)
    expect(["c1", "c2", "c3", "c4", "c5"].map(place)).toEqual([
      "offered ada",
      "offered bob",
      "offered cleo",
      "offered cleo",
      "offered ada"
    ])
  })

  it("[ROUTING-12] longest idle counts from the end of the last item", () => {
    const { arrive, ask, place } = pool().available([ada, bob])
    arrive("c1")
    ask({ type: "offerAccepted", offerId: "c1.1", agentId: "ada" }, 1)
    ask({ type: "itemReleased", itemId: "c1", agentId: "ada", next: "leave" }, 2)
    arrive("c2", {}, 3)
    expect(place("c2")).toBe("offered bob")
  })

  it("[ROUTING-12] longest idle counts from coming back from offline, not from a break", () => {
    const { arrive, tell, place } = pool().available([ada, bob])
    tell({ type: "presenceChanged", agentId: "ada", status: "offline" }, 1)
    tell({ type: "presenceChanged", agentId: "ada", status: "available" }, 2)
    tell({ type: "presenceChanged", agentId: "bob", status: "away" }, 3)
    tell({ type: "presenceChanged", agentId: "bob", status: "available" }, 4)
    arrive("c1", {}, 5)
    expect(place("c1")).toBe("offered bob")
  })
})

describe("presence", () => {
  it("[ROUTING-26] a new agent is offered nothing until they say so", () => {
    const { arrive, tell, engine } = pool()
    tell({ type: "agentUpdated", agent: ada }, 5)
    expect(engine.agentDocument("ada")?.presence).toEqual({ status: "offline", sinceMs: 5 })
    expect(arrive("c1").map(brief)).toEqual(["queued c1 arrived for availableAgent"])
  })

  it.each(["busy", "away", "offline"] as const)("[ROUTING-24] %s takes no offers", (status) => {
    const { arrive, tell } = pool().available([ada])
    tell({ type: "presenceChanged", agentId: "ada", status })
    expect(arrive("c1").map(brief)).toEqual(["queued c1 arrived for availableAgent"])
  })

  it("[ROUTING-24] a channel kind that is off takes none, the others do", () => {
    const { arrive, tell, place } = pool().available([agent("ada", { capacity: Capacity.make(9) })])
    arrive("chat1")
    tell({ type: "presenceChanged", agentId: "ada", status: "available", channels: { chat: false, mail: true } })
    arrive("chat2")
    arrive("mail1", { channelKind: "mail" })
    expect(["chat1", "chat2", "mail1"].map(place)).toEqual(["waiting", "waiting", "offered ada"])
  })

  it("[ROUTING-25] leaving withdraws the offers and keeps what is assigned", () => {
    const { arrive, ask, tell, place } = pool().available([agent("ada", { capacity: Capacity.make(2) }), bob])
    arrive("c1")
    ask({ type: "offerAccepted", offerId: "c1.1", agentId: "ada" })
    tell({ type: "presenceChanged", agentId: "bob", status: "away" })
    arrive("c2")
    tell({ type: "presenceChanged", agentId: "bob", status: "available" })
    expect(tell({ type: "presenceChanged", agentId: "ada", status: "away", reason: "lunch" }).map(brief)).toEqual([
      "presence ada away told",
      "withdrawn c2.1 agentUnavailable",
      "offer c2.2 to bob"
    ])
    expect(place("c1")).toBe("assigned ada")
  })

  it("[ROUTING-27] an agent who leaves the pool gives back everything", () => {
    const { arrive, ask, tell, engine } = pool().available([agent("ada", { capacity: Capacity.make(2) })])
    arrive("c1")
    arrive("c2")
    ask({ type: "offerAccepted", offerId: "c1.1", agentId: "ada" })
    expect(tell({ type: "agentRemoved", agentId: "ada" }, 9).map(brief)).toEqual([
      "withdrawn c2.1 agentRemoved",
      "queued c1 agentRemoved for eligibleAgent"
    ])
    expect(engine.snapshot()).toMatchObject({
      agents: [],
      items: [{ item: { arrivedAtMs: 0 } }, { place: { kind: "waiting" } }]
    })
    engine.takeChanged()
    engine.apply({ type: "agentRemoved", agentId: "ada" }, 10)
    expect(engine.takeChanged()).toEqual({ items: [], agents: [] })
  })
})

describe("items", () => {
  it("[ROUTING-36] arrive once", () => {
    const { arrive, engine } = pool().available([ada])
    arrive("c1")
    expect(arrive("c1", { priority: 9 })).toEqual([])
    expect(engine.itemDocument("c1")?.item.priority).toBe(0)
  })

  it("[ROUTING-37] that ask for something else leave who lacks it", () => {
    const { arrive, tell } = pool().available([ada, agent("bob", { skills: { returns: 2 } })])
    arrive("c1")
    const change = (requirement: Requirement.Requirement | null) =>
      tell({ type: "itemChanged", itemId: "c1", requirement }).map(brief)
    expect(change(Requirement.agents("ada"))).toEqual([])
    expect(change(Requirement.skill("returns"))).toEqual(["withdrawn c1.1 itemChanged", "offer c1.2 to bob"])
    expect(change(Requirement.skill("returns", 3))).toEqual(["withdrawn c1.2 itemChanged"])
    expect(change(null)).toEqual(["offer c1.3 to ada"])
  })

  it("[ROUTING-9] that become more urgent move ahead", () => {
    const { arrive, tell, engine } = pool()
    arrive("c1", {}, 1)
    arrive("c2", {}, 2)
    tell({ type: "itemChanged", itemId: "c2", priority: 1 }, 3)
    expect(engine.waiting(1).map(({ itemId }) => itemId)).toEqual(["c2"])
  })

  it("[ROUTING-13, ROUTING-37] that ask for something else free who had the offer for what waits", () => {
    const { arrive, tell } = pool().available([ada])
    arrive("c1")
    arrive("c2")
    expect(tell({ type: "itemChanged", itemId: "c1", requirement: Requirement.team("mad") }).map(brief)).toEqual([
      "withdrawn c1.1 itemChanged",
      "offer c2.1 to ada"
    ])
  })

  it("[ROUTING-9] stay in order while others leave from the middle and change their priority", () => {
    const { arrive, tell, engine } = pool()
    const left = new Map<string, { priority: number; arrivedAtMs: number }>()
    for (let index = 0; index < 400; index++) {
      const place = { priority: (index * 7919) % 13, arrivedAtMs: (index * 104_729) % 997 }
      left.set(`c${index}`, place)
      arrive(`c${index}`, place)
      const gone = `c${(index * 31) % 400}`
      if (index % 3 === 0 && left.delete(gone)) tell({ type: "itemRemoved", itemId: gone })
      const changed = left.get(`c${(index * 17) % 400}`)
      if (index % 4 === 0 && changed !== undefined) {
        changed.priority = (index * 53) % 17
        tell({ type: "itemChanged", itemId: `c${(index * 17) % 400}`, priority: changed.priority })
      }
    }
    const sorted = [...left].sort(
      ([a, x], [b, y]) => y.priority - x.priority || x.arrivedAtMs - y.arrivedAtMs || (a < b ? -1 : 1)
    )
    expect(engine.waiting(1000).map(({ itemId }) => itemId)).toEqual(sorted.map(([itemId]) => itemId))
  })

  it("[ROUTING-38] that are removed take their offer along and free the agent", () => {
    const { arrive, tell } = pool().available([ada])
    arrive("c1")
    arrive("c2")
    expect(tell({ type: "itemRemoved", itemId: "c1", reason: "closed" }).map(brief)).toEqual([
      "withdrawn c1.1 itemRemoved",
      "left c1 removed",
      "offer c2.1 to ada"
    ])
    expect(tell({ type: "itemRemoved", itemId: "c1" })).toEqual([])
  })

  it("[ROUTING-1] without a requirement of their own follow their queue's", () => {
    const queues = [{ queueId: "support", requirement: Requirement.skill("returns") }]
    const { arrive, place } = pool({ queues }).available([ada, agent("bob", { skills: { returns: 1 } })])
    arrive("c1")
    arrive("c2", { requirement: Requirement.agents("ada") })
    expect([place("c1"), place("c2")]).toEqual(["offered bob", "offered ada"])
  })

  it("[ROUTING-44] say what they wait for", () => {
    const requirement = Requirement.team("mad")
    const { arrive, tell, ask } = pool()
    const waitsFor = (itemId: string, more = {}) => brief(arrive(itemId, { requirement, ...more })[0]!)
    expect(waitsFor("c1")).toBe("queued c1 arrived for eligibleAgent")
    tell({ type: "agentUpdated", agent: agent("ada", { teams: ["mad"] }) })
    expect(waitsFor("c2")).toBe("queued c2 arrived for availableAgent")
    tell({ type: "presenceChanged", agentId: "ada", status: "available" })
    expect(waitsFor("c3")).toBe("queued c3 arrived for capacity")
    ask({ type: "offerAccepted", offerId: "c1.1", agentId: "ada" })
    expect(ask({ type: "itemReleased", itemId: "c1", agentId: "ada", next: "wait" })).toEqual([
      "queued c1 handedBack for declineMemory",
      "offer c2.1 to ada"
    ])
  })
})

describe("a restored pool", () => {
  it("[ROUTING-39] under a policy that allows more makes the offers at its first signal", () => {
    const { arrive, engine } = pool({
      queues: [{ queueId: "support", requirement: Requirement.skill("x") }]
    }).available([ada])
    arrive("c1")
    const restored = RoutingEngine.restore(RoutingPolicy.make(), engine.snapshot())
    expect(restored.apply({ type: "tick" }, 1).map(brief)).toEqual(["offer c1.1 to ada"])
  })

  it("[ROUTING-39] lets items wait again whose agent has no document", () => {
    const { arrive, engine } = pool().available([ada])
    arrive("c1")
    const { items } = engine.snapshot()
    const restored = RoutingEngine.restore(RoutingPolicy.make(), { items, agents: [] })
    expect(restored.itemDocument("c1")?.place).toEqual({ kind: "waiting" })
    expect(restored.takeChanged().items).toEqual(["c1"])
  })
})

describe("many requirements", () => {
  it("[ROUTING-1] come and go by the thousand, and those that stay find who meets them", () => {
    const number = Requirement.attribute("number")
    const { engine, arrive, tell, available, place } = pool()
    for (let index = 0; index < 5000; index++) {
      arrive(`c${index}`, { requirement: number.equals(index) })
      if (index % 500 !== 0) tell({ type: "itemRemoved", itemId: `c${index}` })
    }
    available([agent("ada", { attributes: { number: 2500 } }), agent("bob", { attributes: { number: 4999 } })])
    expect(engine.snapshot().items.filter((each) => each.place.kind === "offered")).toHaveLength(1)
    expect(place("c2500")).toBe("offered ada")
    arrive("again", { requirement: number.equals(4999) })
    expect(place("again")).toBe("offered bob")
  })
})

describe("reading a pool", () => {
  it("[ROUTING-43] everything that keeps each agent from an item is named", () => {
    const requirement = Requirement.all(Requirement.skill("billing", 3), Requirement.language("ca"))
    const { arrive, tell, engine } = pool().available([
      agent("ada", { skills: { billing: 3 }, languages: ["ca"] }),
      agent("bob", { skills: { billing: 2 }, languages: ["ca"] })
    ])
    arrive("c1", { requirement })
    tell({ type: "presenceChanged", agentId: "bob", status: "away", reason: "lunch", channels: { chat: false } })
    arrive("c2", { requirement }, 50)
    expect(engine.explain("c2", 60)).toEqual({
      item: item("c2", { requirement, arrivedAtMs: 50 }),
      requirement,
      place: { kind: "waiting" },
      ageMs: 10,
      ahead: 0,
      waitsFor: "capacity",
      overtaking: expect.objectContaining({ kind: "unbounded", code: "priority_first" }),
      agents: [
        { agentId: "ada", obstacles: [{ kind: "capacity", limit: "units", used: 1, allowed: 1 }] },
        {
          agentId: "bob",
          obstacles: [
            { kind: "requirement", unmet: [Requirement.skill("billing", 3)] },
            { kind: "presence", status: "away", reason: "lunch" },
            { kind: "channelOff", channelKind: "chat" }
          ]
        }
      ]
    })
    expect(engine.explainAgent("ada", 60)).toMatchObject({
      load: { units: 1, perChannelKind: { chat: 1 } },
      idleMs: 60,
      assigned: [],
      offered: ["c1"],
      next: { itemId: "c2", obstacles: [{ kind: "capacity" }] }
    })
    expect(engine.explain("c9", 0)).toBeUndefined()
    expect(engine.explainAgent("zoe", 0)).toBeUndefined()
  })

  it("[ROUTING-43] an agent reserved for is named to the others", () => {
    const { arrive, tell, engine } = pool().available([ada, bob])
    tell({ type: "presenceChanged", agentId: "bob", status: "busy" })
    arrive("c1", { preferredAgent: "bob", preferredUntilMs: 500 })
    expect(engine.explain("c1", 100)).toMatchObject({
      waitsFor: "preferredAgent",
      changesAtMs: 500,
      agents: [
        { agentId: "ada", obstacles: [{ kind: "reserved", agentId: "bob", untilMs: 500 }] },
        { agentId: "bob", obstacles: [{ kind: "presence", status: "busy" }] }
      ]
    })
  })

  it("[ROUTING-9] depths count by queue and place", () => {
    const { arrive, ask, engine } = pool({
      queues: [{ queueId: "billing", requirement: Requirement.anyone }]
    }).available([ada, bob])
    arrive("c1", {}, 1)
    ask({ type: "offerAccepted", offerId: "c1.1", agentId: "ada" }, 2)
    arrive("c2", {}, 3)
    arrive("c3", {}, 4)
    expect(engine.queueDepths()).toEqual([
      { queueId: "billing", waiting: 0, offered: 0, assigned: 0 },
      { queueId: "support", waiting: 1, offered: 1, assigned: 1, oldestArrivedAtMs: 3 }
    ])
  })

  it("[ROUTING-39] an offer's name is read back, and nothing else is one", () => {
    expect(Offer.fromId(Offer.toId("a.b", 12))).toEqual({ itemId: "a.b", sequence: 12 })
    for (const text of ["", "a", ".1", "a.0", "a.x", "a.01"]) expect(Offer.fromId(text)).toBeUndefined()
  })
})

describe("many requirements", () => {
  it("[ROUTING-13] that come and go leave none behind, and matching goes on", () => {
    const { arrive, tell, place } = pool().available([agent("ada", { capacity: Capacity.make(3) })])
    for (let index = 0; index < 3000; index++) {
      arrive(`c${index}`, { requirement: Requirement.agents("ada", `x${index}`) })
      expect(place(`c${index}`)).toBe("offered ada")
      tell({ type: "itemRemoved", itemId: `c${index}` })
    }
    arrive("last", { requirement: Requirement.agents("ada", "x1") })
    expect(place("last")).toBe("offered ada")
  })
})
