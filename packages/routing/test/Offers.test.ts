import { Capacity } from "@switchboard/routing"
import { describe, expect, it } from "vitest"
import { agent, brief, pool } from "./given.ts"

const ada = agent("ada")
const bob = agent("bob")

describe("an offer", () => {
  it("[ROUTING-14] goes to one agent and keeps the item from the others", () => {
    const { arrive, ask } = pool().available([ada, bob])
    expect(arrive("c1").map(brief)).toEqual(["queued c1 arrived", "offer c1.1 to ada"])
    expect(ask({ type: "itemPicked", itemId: "c1", agentId: "bob" })).toEqual(["item_offered"])
  })

  it("[ROUTING-15] assigns the item when it is accepted in time", () => {
    const { arrive, ask, place } = pool({ offerTimeoutMs: 1000 }).available([ada])
    arrive("c1")
    const accept = { type: "offerAccepted", offerId: "c1.1", agentId: "ada" } as const
    expect(ask(accept, 999)).toEqual(["assigned c1 to ada offer"])
    expect(place("c1")).toBe("assigned ada")
  })

  it("[ROUTING-18] may be accepted twice by the same agent", () => {
    const { arrive, ask, engine } = pool().available([ada])
    arrive("c1")
    const accept = { type: "offerAccepted", offerId: "c1.1", agentId: "ada" } as const
    ask(accept, 5)
    const before = engine.snapshot()
    expect(ask(accept, 6)).toEqual([])
    expect(engine.snapshot()).toEqual(before)
    expect(ask({ ...accept, type: "offerDeclined" }, 7)).toEqual(["offer_over"])
  })

  it("[ROUTING-16] is over at its expiry, also when nobody ticked", () => {
    const { arrive, ask, tell, place } = pool({ offerTimeoutMs: 1000 }).available([ada])
    arrive("c1")
    const late = tell({ type: "offerAccepted", requestId: "r", offerId: "c1.1", agentId: "ada" }, 1000)
    expect(late.map(brief)).toEqual(["expired c1.1", "offer_expired"])
    expect(ask({ type: "offerDeclined", offerId: "c1.1", agentId: "ada" }, 1001)).toEqual(["offer_expired"])
    expect(place("c1")).toBe("waiting")
  })

  it("[ROUTING-17] is answered by nobody else", () => {
    const { arrive, ask } = pool().available([ada, bob])
    arrive("c1")
    expect(ask({ type: "offerAccepted", offerId: "c1.1", agentId: "bob" })).toEqual(["offer_not_yours"])
    expect(ask({ type: "offerAccepted", offerId: "c1.2", agentId: "ada" })).toEqual(["offer_unknown"])
    expect(ask({ type: "offerAccepted", offerId: "nonsense", agentId: "ada" })).toEqual(["offer_unknown"])
  })

  it("[ROUTING-19] declined goes to somebody else, and back only when the memory has passed", () => {
    const { arrive, ask, tell, engine } = pool({ declineMemoryMs: 60_000, offerTimeoutMs: 600_000 }).available([ada])
    arrive("c1")
    expect(ask({ type: "offerDeclined", offerId: "c1.1", agentId: "ada" }, 1000)).toEqual(["declined c1.1"])
    expect(engine.explain("c1", 2000)).toMatchObject({
      waitsFor: "declineMemory",
      changesAtMs: 61_000,
      agents: [{ agentId: "ada", obstacles: [{ kind: "excluded", cause: "declined", untilMs: 61_000 }] }]
    })
    expect(engine.nextDueAt()).toBe(61_000)
    expect(tell({ type: "tick" }, 60_999)).toEqual([])
    expect(tell({ type: "tick" }, 61_000).map(brief)).toEqual(["offer c1.2 to ada"])
  })

  it("[ROUTING-19] declined doesn't keep the agent from the next item", () => {
    const { arrive, ask } = pool().available([ada])
    arrive("c1")
    arrive("c2")
    expect(ask({ type: "offerDeclined", offerId: "c1.1", agentId: "ada" })).toEqual([
      "declined c1.1",
      "offer c2.1 to ada"
    ])
  })

  it("[ROUTING-20] goes round again when everybody has declined", () => {
    const { arrive, ask } = pool().available([ada, bob])
    arrive("c1")
    expect(ask({ type: "offerDeclined", offerId: "c1.1", agentId: "ada" }, 1)).toEqual([
      "declined c1.1",
      "offer c1.2 to bob"
    ])
    expect(ask({ type: "offerDeclined", offerId: "c1.2", agentId: "bob" }, 2)).toEqual([
      "declined c1.2",
      "offer c1.3 to ada"
    ])
    expect(ask({ type: "offerDeclined", offerId: "c1.3", agentId: "ada" }, 3)).toEqual([
      "declined c1.3",
      "offer c1.4 to bob"
    ])
  })

  it("[ROUTING-21] missed too often sets the agent away, and takes back their other offers", () => {
    const chatty = agent("ada", { capacity: Capacity.make(2) })
    const { arrive, tell, engine } = pool({ awayAfterMissed: 1, offerTimeoutMs: 1000 }).available([chatty])
    arrive("c1")
    arrive("c2", {}, 500)
    expect(tell({ type: "tick" }, 1000).map(brief)).toEqual([
      "expired c1.1",
      "presence ada away missedOffers",
      "withdrawn c2.1 agentUnavailable"
    ])
    expect(engine.agentDocument("ada")).toMatchObject({
      presence: { status: "away", reason: "missed_offers", sinceMs: 1000 }
    })
  })

  it("[ROUTING-22] answered starts the count of missed ones anew", () => {
    const { arrive, ask, tell, engine } = pool({
      awayAfterMissed: 2,
      offerTimeoutMs: 10,
      declineMemoryMs: 5
    }).available([ada])
    arrive("c1")
    tell({ type: "tick" }, 10)
    expect(engine.agentDocument("ada")?.missed).toBe(1)
    tell({ type: "tick" }, 15)
    ask({ type: "offerDeclined", offerId: "c1.2", agentId: "ada" }, 16)
    expect(engine.agentDocument("ada")?.missed).toBe(0)
    tell({ type: "tick" }, 21)
    tell({ type: "tick" }, 31)
    expect(engine.agentDocument("ada")).toMatchObject({ missed: 1, presence: { status: "available" } })
    tell({ type: "presenceChanged", agentId: "ada", status: "busy" }, 32)
    tell({ type: "presenceChanged", agentId: "ada", status: "available" }, 33)
    expect(engine.agentDocument("ada")?.missed).toBe(0)
  })

  it("[ROUTING-42] says who won, against whom, among how many, and by what", () => {
    const half = agent("cleo", { capacity: Capacity.make(2) })
    const { arrive } = pool().available([ada, bob, half])
    const record = (decisions: ReturnType<typeof arrive>) =>
      decisions.flatMap((each) => ("record" in each ? [each.record] : []))
    expect(record(arrive("c1"))).toEqual([
      { chose: "agent", winner: "ada", runnerUp: "bob", compared: 3, decidedBy: "id" }
    ])
    arrive("c2")
    expect(record(arrive("c3"))).toEqual([{ chose: "agent", winner: "cleo", compared: 1, decidedBy: "onlyCandidate" }])
  })

  it("[ROUTING-42] says which item won when an agent got room", () => {
    const { arrive, tell } = pool().available([ada])
    arrive("c1")
    arrive("c2", { priority: 1 })
    arrive("c3", { priority: 5, channelKind: "mail" })
    const decisions = tell({ type: "itemRemoved", itemId: "c1", reason: "resolved" })
    expect(decisions[2]).toMatchObject({
      offerId: "c3.1",
      record: { chose: "item", winner: "c3", runnerUp: "c2", compared: 2, decidedBy: "priority" }
    })
  })
})

describe("a preferred agent", () => {
  const preferred = { preferredAgent: "bob", preferredUntilMs: 10_000 }
  const busyBob = () => {
    const given = pool({ offerTimeoutMs: 60_000 }).available([ada, bob])
    given.tell({ type: "presenceChanged", agentId: "bob", status: "busy" })
    return given
  }

  it("[ROUTING-28] is offered the item though another would be chosen", () => {
    expect(pool().available([ada, bob]).arrive("c1", preferred)[1]).toMatchObject({
      agentId: "bob",
      record: { decidedBy: "preferredAgent" }
    })
  })

  it("[ROUTING-28] is waited for while busy, until the deadline", () => {
    const { arrive, tell, engine } = busyBob()
    expect(arrive("c1", preferred).map(brief)).toEqual(["queued c1 arrived for preferredAgent"])
    expect(engine.nextDueAt()).toBe(10_000)
    expect(tell({ type: "tick" }, 10_000).map(brief)).toEqual(["offer c1.1 to ada"])
    expect(engine.itemDocument("c1")?.item.preferredAgent).toBeUndefined()
  })

  it("[ROUTING-28] gets it when they become available before the deadline", () => {
    const { arrive, tell } = busyBob()
    arrive("c1", preferred)
    const back = tell({ type: "presenceChanged", agentId: "bob", status: "available" }, 5000)
    expect(back.map(brief)).toEqual(["presence bob available told", "offer c1.1 to bob"])
  })

  it("[ROUTING-29] who goes home is waited for no longer", () => {
    const { arrive, tell } = busyBob()
    arrive("c1", preferred)
    expect(tell({ type: "presenceChanged", agentId: "bob", status: "offline" }, 1).map(brief)).toEqual([
      "presence bob offline told",
      "offer c1.1 to ada"
    ])
  })

  it("[ROUTING-29] who declines makes room for everyone", () => {
    const { arrive, ask } = pool().available([ada, bob])
    arrive("c1", preferred)
    expect(ask({ type: "offerDeclined", offerId: "c1.1", agentId: "bob" })).toEqual([
      "declined c1.1",
      "offer c1.2 to ada"
    ])
  })

  it("[ROUTING-29] who doesn't meet the requirement, or is unknown, is no reason to wait", () => {
    const given = pool().available([agent("ada", { teams: ["mad"] }), bob])
    expect(given.arrive("c1", { ...preferred, requirement: { kind: "team", team: "mad" } })[1]).toMatchObject({
      agentId: "ada"
    })
    expect(given.arrive("c2", { ...preferred, preferredAgent: "nobody" })[1]).toMatchObject({ agentId: "bob" })
  })
})
