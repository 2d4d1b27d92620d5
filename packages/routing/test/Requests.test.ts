import { Capacity, Requirement } from "@switchboard/routing"
import { describe, expect, it } from "vitest"
import { agent, brief, pool } from "./given.ts"

const ada = agent("ada", { teams: ["mad"] })
const bob = agent("bob", { teams: ["mad"] })
const accept = (agentId: string, offerId: string) => ({ type: "offerAccepted", offerId, agentId }) as const

/** Ada holds c1, bob is free. */
const assigned = (policy: Parameters<typeof pool>[0] = {}) => {
  const given = pool({ queues: [{ queueId: "billing", requirement: Requirement.team("mad") }], ...policy })
  given.available([ada, bob])
  given.arrive("c1")
  given.ask(accept("ada", "c1.1"))
  return given
}

describe("a pick", () => {
  it("[ROUTING-31] takes a waiting item", () => {
    const { arrive, ask, tell } = pool().available([ada])
    tell({ type: "presenceChanged", agentId: "ada", status: "away", reason: "lunch" })
    arrive("c1")
    expect(ask({ type: "itemPicked", itemId: "c1", agentId: "ada" })).toEqual(["assigned c1 to ada pick"])
  })

  it("[ROUTING-31] of one's own offer accepts it", () => {
    const { arrive, ask } = pool().available([ada])
    arrive("c1")
    expect(ask({ type: "itemPicked", itemId: "c1", agentId: "ada" })).toEqual(["assigned c1 to ada pick"])
  })

  it("[ROUTING-39] is refused with the parts as the item lists them, not as another that means the same does", () => {
    const { arrive, tell, engine } = pool().available([ada])
    const [one, other] = [Requirement.team("bcn"), Requirement.skill("returns")]
    arrive("c1", { requirement: Requirement.all(one, other) })
    arrive("c2", { requirement: Requirement.all(other, one) })
    const pick = { type: "itemPicked", requestId: "r", itemId: "c2", agentId: "ada" } as const
    expect(tell(pick)).toMatchObject([{ refusal: { unmet: [other, one] } }])
    expect(engine.explain("c2", 0)?.requirement).toEqual(Requirement.all(other, one))
  })

  it("[ROUTING-31] needs the requirement, and an item that is free", () => {
    const { arrive, ask, tell } = assigned()
    expect(ask({ type: "itemPicked", itemId: "c1", agentId: "bob" })).toEqual(["item_taken"])
    arrive("c2", { requirement: Requirement.skill("returns") })
    const refused = tell({ type: "itemPicked", requestId: "r", itemId: "c2", agentId: "bob" })[0]
    expect(refused).toMatchObject({
      outcome: "refused",
      refusal: { code: "not_eligible", unmet: [{ kind: "skill", skill: "returns", atLeast: 1 }] }
    })
  })

  it.each([
    ["never", ["capacity_full"]],
    ["onPick", ["assigned c2 to ada pick over"]]
  ] as const)("[ROUTING-7] over capacity with %s: %j", (overCapacity, expected) => {
    const { arrive, ask, tell } = assigned({ overCapacity })
    tell({ type: "presenceChanged", agentId: "bob", status: "away" })
    arrive("c2")
    expect(ask({ type: "itemPicked", itemId: "c2", agentId: "ada" })).toEqual(expected)
  })
})

describe("a direct assignment", () => {
  it("[ROUTING-32] takes the item from who holds it, and frees them for what waits", () => {
    const { arrive, ask, tell } = assigned()
    tell({ type: "presenceChanged", agentId: "bob", status: "away" })
    arrive("c2")
    expect(ask({ type: "itemAssigned", itemId: "c1", agentId: "bob", by: "sue" }, 7)).toEqual([
      "assigned c1 to bob direct",
      "offer c2.1 to ada"
    ])
  })

  it("[ROUTING-32] withdraws an offer to somebody else", () => {
    const { arrive, ask } = pool().available([ada, bob])
    arrive("c1")
    expect(ask({ type: "itemAssigned", itemId: "c1", agentId: "bob" })).toEqual([
      "withdrawn c1.1 itemAssigned",
      "assigned c1 to bob direct"
    ])
  })

  it("[ROUTING-32] reaches a supervisor who is offline and meets nothing", () => {
    const { ask, tell } = assigned()
    tell({ type: "agentUpdated", agent: agent("sue") })
    expect(ask({ type: "itemAssigned", itemId: "c1", agentId: "sue", by: "sue" })).toEqual([
      "assigned c1 to sue direct"
    ])
  })

  it("[ROUTING-7] to somebody else never exceeds capacity", () => {
    const { arrive, ask } = assigned({ overCapacity: "onPick" })
    arrive("c2")
    expect(ask({ type: "itemAssigned", itemId: "c2", agentId: "ada", by: "sue" })).toEqual(["capacity_full"])
    expect(ask({ type: "itemAssigned", itemId: "c2", agentId: "ada", by: "ada" })).toEqual([
      "withdrawn c2.1 itemAssigned",
      "assigned c2 to ada direct over"
    ])
  })

  it("[ROUTING-30] names what it doesn't know", () => {
    const { ask } = assigned()
    expect(ask({ type: "itemAssigned", itemId: "c9", agentId: "ada" })).toEqual(["item_unknown"])
    expect(ask({ type: "itemAssigned", itemId: "c1", agentId: "zoe" })).toEqual(["agent_unknown"])
    expect(ask({ type: "itemAssigned", itemId: "c1", agentId: "ada" })).toEqual([])
  })
})

describe("a transfer", () => {
  it("[ROUTING-33] to an agent assigns the item", () => {
    const { ask } = assigned()
    expect(ask({ type: "transferRequested", itemId: "c1", by: "ada", to: { kind: "agent", agentId: "bob" } })).toEqual([
      "assigned c1 to bob transfer"
    ])
  })

  it("[ROUTING-33] to an agent who is offline or full is refused, and the item stays", () => {
    const { arrive, ask, tell, place } = assigned()
    arrive("c2")
    const transfer = {
      type: "transferRequested",
      itemId: "c1",
      by: "ada",
      to: { kind: "agent", agentId: "bob" }
    } as const
    expect(ask(transfer)).toEqual(["capacity_full"])
    tell({ type: "presenceChanged", agentId: "bob", status: "offline" })
    expect(ask(transfer)).toEqual(["agent_offline"])
    expect(place("c1")).toBe("assigned ada")
  })

  it("[ROUTING-34] to a team offers it there, with its age, and not to who sent it", () => {
    const { ask, engine } = assigned()
    expect(
      ask({ type: "transferRequested", itemId: "c1", by: "ada", to: { kind: "team", team: "mad" } }, 9000)
    ).toEqual(["queued c1 transferred", "offer c1.2 to bob"])
    expect(engine.itemDocument("c1")?.item).toMatchObject({
      arrivedAtMs: 0,
      requirement: { kind: "team", team: "mad" }
    })
  })

  it("[ROUTING-34] forgets who declined it before", () => {
    const { arrive, ask } = pool().available([ada, bob, agent("cleo", { teams: ["mad"] })])
    arrive("c1")
    ask({ type: "offerDeclined", offerId: "c1.1", agentId: "ada" })
    ask(accept("bob", "c1.2"))
    const transfer = { type: "transferRequested", itemId: "c1", by: "bob", to: { kind: "team", team: "mad" } } as const
    expect(ask(transfer)).toEqual(["queued c1 transferred", "offer c1.3 to ada"])
  })

  it("[ROUTING-34] of the only member waits until the memory has passed", () => {
    const { ask, tell } = assigned({ declineMemoryMs: 1000 })
    tell({ type: "agentRemoved", agentId: "bob" })
    expect(ask({ type: "transferRequested", itemId: "c1", by: "ada", to: { kind: "team", team: "mad" } }, 5)).toEqual([
      "queued c1 transferred for declineMemory"
    ])
    expect(tell({ type: "tick" }, 1005).map(brief)).toEqual(["offer c1.2 to ada"])
  })

  it("[ROUTING-34] to a queue takes on what that queue asks for", () => {
    const { ask, engine } = assigned()
    const transfer = { type: "transferRequested", itemId: "c1", by: "ada" } as const
    expect(ask({ ...transfer, to: { kind: "queue", queueId: "unlisted" } })).toEqual(["queue_unknown"])
    expect(ask({ ...transfer, to: { kind: "queue", queueId: "billing" } })).toEqual([
      "queued c1 transferred",
      "offer c1.2 to bob"
    ])
    expect(engine.explain("c1", 0)).toMatchObject({
      item: { queueId: "billing" },
      requirement: Requirement.team("mad")
    })
  })
})

describe("a release", () => {
  it("[ROUTING-35] lets the item leave, and starts the agent's idle time", () => {
    const { ask, place, engine } = assigned()
    expect(ask({ type: "itemReleased", itemId: "c1", agentId: "ada", next: "leave" }, 70)).toEqual(["left c1 ended"])
    expect(place("c1")).toBeUndefined()
    expect(engine.agentDocument("ada")?.idleSinceMs).toBe(70)
  })

  it("[ROUTING-35] hands it back to wait with its age, for somebody else", () => {
    const { ask, engine } = assigned()
    expect(ask({ type: "itemReleased", itemId: "c1", agentId: "ada", next: "wait" }, 70)).toEqual([
      "queued c1 handedBack",
      "offer c1.2 to bob"
    ])
    expect(engine.itemDocument("c1")?.item.arrivedAtMs).toBe(0)
  })

  it("[ROUTING-35] is refused to anybody else", () => {
    const { ask } = assigned()
    expect(ask({ type: "itemReleased", itemId: "c1", agentId: "bob", next: "leave" })).toEqual(["not_holder"])
  })
})

describe("every request", () => {
  const requests = [
    { type: "presenceChanged", requestId: "r", agentId: "zoe", status: "away" },
    { type: "presenceChanged", requestId: "r", agentId: "ada", status: "available" },
    { type: "offerAccepted", requestId: "r", offerId: "c1.7", agentId: "ada" },
    { type: "offerDeclined", requestId: "r", offerId: "c1.1", agentId: "ada" },
    { type: "itemPicked", requestId: "r", itemId: "c9", agentId: "ada" },
    { type: "itemAssigned", requestId: "r", itemId: "c1", agentId: "bob" },
    { type: "itemReleased", requestId: "r", itemId: "c9", agentId: "ada", next: "leave" },
    { type: "transferRequested", requestId: "r", itemId: "c9", by: "ada", to: { kind: "team", team: "t" } }
  ] as const
  it.each(requests)("[ROUTING-30] is answered once: %j", (request) => {
    const { tell } = assigned()
    const answers = tell(request).flatMap((each) => (each.type === "requestAnswered" ? [each] : []))
    expect(answers).toHaveLength(1)
    expect(answers[0]!.requestId).toBe("r")
    if (answers[0]!.outcome === "refused") expect(answers[0]!.refusal!.message).toMatch(/\.$/)
  })

  it("[ROUTING-30] is answered before what follows from it", () => {
    const { tell } = assigned()
    const decisions = tell({ type: "itemAssigned", requestId: "r", itemId: "c1", agentId: "bob" })
    expect(decisions.map(brief)).toEqual(["accepted", "assigned c1 to bob direct"])
  })
})

describe("capacity", () => {
  it("[ROUTING-6] is held by an open offer", () => {
    const { arrive } = pool().available([ada])
    arrive("c1")
    expect(arrive("c2").map(brief)).toEqual(["queued c2 arrived for capacity"])
  })

  it("[ROUTING-5] holds per channel kind and by weight", () => {
    const { arrive, place } = pool().available([agent("ada", { capacity: Capacity.make(4, { call: 1 }) })])
    arrive("call1", { channelKind: "call" })
    arrive("call2", { channelKind: "call" })
    arrive("chat1", { weight: 4 })
    arrive("chat2", { weight: 3 })
    expect(["call1", "call2", "chat1", "chat2"].map(place)).toEqual([
      "offered ada",
      "waiting",
      "waiting",
      "offered ada"
    ])
  })

  it("[ROUTING-8] that shrinks takes back the least urgent offers and leaves what is assigned", () => {
    const { arrive, ask, tell } = pool().available([agent("ada", { capacity: Capacity.make(3) })])
    arrive("c1")
    arrive("c2", { priority: 5 })
    arrive("c3", { priority: 1 })
    ask(accept("ada", "c1.1"))
    const shrink = (units: number) =>
      tell({ type: "agentUpdated", agent: agent("ada", { capacity: Capacity.make(units) }) })
    expect(shrink(2).map(brief)).toEqual(["withdrawn c3.1 agentChanged"])
    expect(shrink(0).map(brief)).toEqual(["withdrawn c2.1 agentChanged"])
    expect(shrink(2).map(brief)).toEqual(["offer c2.2 to ada"])
  })
})
