import {
  Capacity,
  type ChoiceRule,
  Requirement,
  type RoutingAgent,
  RoutingEngine,
  RoutingPolicy
} from "@switchboard/routing"
import { describe, expect, it } from "vitest"
import { agent, item, pool } from "./given.ts"

const wide = (agentId: string, more: Partial<RoutingAgent.RoutingAgent> = {}) =>
  agent(agentId, { capacity: Capacity.make(9), ...more })

const given = (choice: ReadonlyArray<ChoiceRule.ChoiceRule>, agents: ReadonlyArray<RoutingAgent.RoutingAgent>) =>
  pool({ choice: [...choice] }).available(agents)

describe("[ROUTING-65] the choice of agent", () => {
  const returns = Requirement.all(Requirement.skill("returns"), Requirement.not(Requirement.skill("tax", 5)))
  const agents = [
    wide("ada", { skills: { returns: 3, billing: 5 } }),
    wide("bob", { skills: { returns: 5, tax: 1, billing: 1 } }),
    wide("cleo", { skills: { returns: 4 } })
  ]

  it("best fit: the highest levels in what the item names, weighted", () => {
    const { arrive, place } = given([{ by: "bestFit" }], agents)
    arrive("c1", { requirement: returns })
    expect(place("c1")).toBe("offered bob")
    const both = Requirement.all(Requirement.skill("returns"), Requirement.skill("billing"))
    arrive("c2", { requirement: both })
    expect(place("c2")).toBe("offered ada")
    const weighted = given([{ by: "bestFit", weights: { billing: 0.25 } }], agents)
    weighted.arrive("c2", { requirement: both })
    expect(weighted.place("c2")).toBe("offered bob")
  })

  it("fewest skills, so that generalists stay free", () => {
    const { arrive, place } = given([{ by: "fewestSkills" }], agents)
    arrive("c1", { requirement: returns })
    expect(place("c1")).toBe("offered cleo")
  })

  it("sticky: the first of those who know the contact and could take it; nobody waits for one who is busy", () => {
    const { arrive, tell, place } = given([{ by: "sticky" }, { by: "leastLoaded" }], agents)
    arrive("c1", { knownBy: ["gone", "cleo", "bob"] })
    expect(place("c1")).toBe("offered cleo")
    tell({ type: "presenceChanged", agentId: "cleo", status: "busy" }, 1)
    arrive("c2", { knownBy: ["cleo"] }, 2)
    expect(place("c2")).toBe("offered ada")
  })

  it("round robin: one after the other, whatever they hold and whenever they last ended something", () => {
    const { arrive, place, ask } = given([{ by: "roundRobin" }], [wide("ada"), wide("bob"), wide("cleo")])
    for (const itemId of ["c1", "c2", "c3", "c4"]) arrive(itemId)
    expect(["c1", "c2", "c3", "c4"].map(place)).toEqual(["offered ada", "offered bob", "offered cleo", "offered ada"])
    // An assignment without an offer is a turn as well.
    ask({ type: "itemAssigned", itemId: "c4", agentId: "bob" })
    arrive("c5")
    arrive("c6")
    expect(["c5", "c6"].map(place)).toEqual(["offered cleo", "offered ada"])
  })

  it("weighted: who was given the least for their weight since they came on duty, open offers included", () => {
    const { arrive, engine, tell } = given([{ by: "weighted" }], [wide("ada", { weight: 3 }), wide("bob")])
    for (let index = 0; index < 8; index++) arrive(`c${index}`)
    const offersOf = (agentId: string) => engine.explainAgent(agentId, 0)!.offered.length
    expect([offersOf("ada"), offersOf("bob")]).toEqual([6, 2])
    tell({ type: "offerAccepted", requestId: "r", offerId: "c0.1", agentId: "ada" })
    expect(engine.agentDocument("ada")).toMatchObject({ given: 1, assignedAtMs: 0 })
    for (const status of ["offline", "available"] as const) tell({ type: "presenceChanged", agentId: "ada", status }, 5)
    expect(engine.agentDocument("ada")).not.toHaveProperty("given")
  })

  it("the record names the rule", () => {
    const { arrive } = given([{ by: "leastLoaded" }, { by: "fewestSkills" }], agents)
    expect(arrive("c1", { requirement: returns }).at(-1)).toMatchObject({
      record: { winner: "cleo", runnerUp: "ada", decidedBy: "fewestSkills", compared: 3 }
    })
  })
})

describe("longest idle since an assignment", () => {
  it("[ROUTING-12] counts from when they were last assigned an item, not from its end", () => {
    const { arrive, ask, place } = given([{ by: "longestIdle", since: "assigned" }], [wide("ada"), wide("bob")])
    arrive("c1", {}, 1)
    ask({ type: "offerAccepted", offerId: "c1.1", agentId: "ada" }, 2)
    arrive("c2", {}, 3)
    ask({ type: "offerAccepted", offerId: "c2.1", agentId: "bob" }, 4)
    ask({ type: "itemReleased", itemId: "c1", agentId: "ada", next: "leave" }, 5)
    arrive("c3", {}, 6)
    expect(place("c3")).toBe("offered ada")
  })
})

describe("what choices look at", () => {
  it("[ROUTING-66] is kept in the agents' documents, and only what the policy needs", () => {
    const policy = RoutingPolicy.make({ choice: [{ by: "roundRobin" }] })
    const { arrive, engine } = pool(policy).available([wide("ada"), wide("bob")])
    arrive("c1")
    expect(engine.agentDocument("ada")).toMatchObject({ turn: 1 })
    const restored = RoutingEngine.restore(policy, JSON.parse(JSON.stringify(engine.snapshot())))
    const offer = restored.apply({ type: "itemArrived", item: item("c2") }, 1).at(-1)
    expect(offer).toMatchObject({ type: "offerMade", agentId: "bob" })
    const other = pool().available([wide("ada")])
    other.arrive("c1")
    expect(other.engine.agentDocument("ada")).not.toHaveProperty("turn")
  })
})
