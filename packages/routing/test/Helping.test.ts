import { Capacity, type RoutingAgent, type RoutingPolicy } from "@switchboard/routing"
import { describe, expect, it } from "vitest"
import { agent, brief, pool } from "./given.ts"

const at = (agentId: string, home: string, more: Partial<RoutingAgent.RoutingAgent> = {}) =>
  agent(agentId, { homeQueues: [home], ...more })

const sam = at("sam", "sales")
const sue = at("sue", "support")

/** Sam of sales is busy with c0, Sue of support is free. */
const given = (
  policy: Partial<RoutingPolicy.RoutingPolicy> = {},
  more: ReadonlyArray<RoutingAgent.RoutingAgent> = []
) => {
  const self = pool({ awayAfterMissed: null, offerTimeoutMs: 1_000_000, ...policy }).available([sam, sue])
  self.arrive("c0", { queueId: "sales" })
  self.ask({ type: "offerAccepted", offerId: "c0.1", agentId: "sam" })
  self.available(more)
  return { ...self, sell: (itemId: string, now: number) => self.arrive(itemId, { queueId: "sales" }, now).map(brief) }
}

const free = (self: ReturnType<typeof given>, agentId: string, now: number) =>
  self.ask({ type: "itemReleased", itemId: "c0", agentId, next: "leave" }, now)

describe("own work", () => {
  it("[ROUTING-59] comes first, whatever the order says", () => {
    const { arrive, available, place } = pool({ order: [{ by: "priority" }, { by: "age" }] })
    arrive("urgent", { queueId: "sales", priority: 9 })
    arrive("own", { queueId: "support" }, 5)
    const { engine, tell } = available([], 6) as ReturnType<typeof pool>
    tell({ type: "agentUpdated", agent: sue }, 6)
    const [, offer] = tell({ type: "presenceChanged", agentId: "sue", status: "available" }, 6)
    expect(offer).toMatchObject({ itemId: "own", record: { runnerUp: "urgent", decidedBy: "ownWork" } })
    expect(place("urgent")).toBe("waiting")
    expect(engine.explain("urgent", 6)?.overtaking).toMatchObject({ kind: "unbounded", code: "own_work_first" })
  })

  it("[ROUTING-59] goes to an agent whose own it is before one who would help", () => {
    const { arrive } = pool({ helping: { fromLength: 1, afterMs: 20_000, keepFree: 0 } }).available([
      sue,
      at("zoe", "sales")
    ])
    expect(arrive("c1", { queueId: "sales" }).at(-1)).toMatchObject({
      agentId: "zoe",
      record: { decidedBy: "ownWork" }
    })
  })

  it("[ROUTING-59] is everything for agents without home queues", () => {
    const { sell } = given({}, [agent("gil")])
    expect(sell("c1", 1)).toEqual(["queued c1 arrived", "offer c1.1 to gil"])
  })

  it("[ROUTING-59] is what prefers an agent, too", () => {
    const { arrive } = given()
    const preference = { queueId: "sales", preferredAgent: "sue", preferredUntilMs: 50_000 }
    expect(arrive("c1", preference, 1).map(brief)).toEqual(["queued c1 arrived", "offer c1.1 to sue"])
  })
})

describe("[ROUTING-60] help", () => {
  it("waits while one item waits, and comes at a queue of two, for the older one", () => {
    const { sell, engine } = given()
    expect(sell("c1", 1)).toEqual(["queued c1 arrived for homeAgent"])
    expect(engine.explain("c1", 2)).toMatchObject({
      waitsFor: "homeAgent",
      changesAtMs: 20_001,
      agents: [
        { agentId: "sam", obstacles: [{ kind: "capacity" }] },
        {
          agentId: "sue",
          obstacles: [{ kind: "othersWork", queueId: "sales", waiting: 1, fromLength: 2, untilMs: 20_001 }]
        }
      ]
    })
    expect(sell("c2", 3)).toEqual(["queued c2 arrived for capacity", "offer c1.1 to sue"])
  })

  it("comes when the item has waited a while, by the engine's own timer", () => {
    const { sell, engine, tell } = given()
    sell("c1", 1)
    expect(engine.nextDueAt()).toBe(20_001)
    expect(tell({ type: "tick" }, 20_000)).toEqual([])
    expect(tell({ type: "tick" }, 20_001).map(brief)).toEqual(["offer c1.1 to sue"])
  })

  it("comes for an older item that stands behind a younger one", () => {
    const { arrive, tell } = given({
      order: [{ by: "priority" }],
      helping: { fromLength: 5, afterMs: 100, keepFree: 0 }
    })
    arrive("old", { queueId: "sales" }, 1)
    arrive("urgent", { queueId: "sales", priority: 9 }, 50)
    expect(tell({ type: "tick" }, 101).map(brief)).toEqual(["offer old.1 to sue"])
  })

  it("comes at once when nobody of its own is on duty, or not on its channel, or not for what it asks", () => {
    const { sell, tell } = given()
    sell("c1", 1)
    expect(tell({ type: "presenceChanged", agentId: "sam", status: "busy" }, 2).map(brief)).not.toContain(
      "offer c1.1 to sue"
    )
    expect(tell({ type: "presenceChanged", agentId: "sam", status: "away" }, 3).map(brief)).toContain(
      "offer c1.1 to sue"
    )
    const other = given()
    other.sell("c1", 1)
    const off = { type: "presenceChanged", agentId: "sam", status: "available", channels: { chat: false } } as const
    expect(other.tell(off, 2).map(brief)).toContain("offer c1.1 to sue")
    const third = given()
    third.sell("c1", 1)
    const moved = { type: "agentUpdated", agent: { ...sam, homeQueues: ["support"] } } as const
    expect(third.tell(moved, 2).map(brief)).toEqual(["offer c1.1 to sue"])
    const fourth = given()
    fourth.sell("c1", 1)
    expect(fourth.tell({ type: "agentRemoved", agentId: "sam" }, 2).map(brief)).toContain("offer c0.2 to sue")
  })

  it("has its own figures per queue", () => {
    const queues = [
      { queueId: "sales", requirement: { kind: "all" as const, of: [] }, helping: { fromLength: 3, afterMs: 7 } }
    ]
    const { sell, tell } = given({ queues })
    sell("c1", 1)
    expect(sell("c2", 2)).toEqual(["queued c2 arrived for homeAgent"])
    expect(tell({ type: "tick" }, 8).map(brief)).toEqual(["offer c1.1 to sue"])
  })

  it("is waited for by what waits already when the first agent says where they are at home", () => {
    const { arrive, tell, engine } = pool()
    arrive("c1", { queueId: "sales" }, 1)
    expect(engine.nextDueAt()).toBeUndefined()
    tell({ type: "agentUpdated", agent: sue }, 2)
    expect(engine.nextDueAt()).toBe(20_001)
  })
})

describe("[ROUTING-61] keeping some free", () => {
  const helping = { fromLength: 2, afterMs: 10, keepFree: 0 }
  const queues = [{ queueId: "support", requirement: { kind: "all" as const, of: [] }, helping: { keepFree: 1 } }]

  it("holds the home agents of a queue back while too few others of them are free", () => {
    const self = given({ helping, queues })
    self.sell("c1", 1)
    expect(self.tell({ type: "tick" }, 11)).toEqual([])
    expect(self.engine.explain("c1", 11)?.agents).toContainEqual({
      agentId: "sue",
      obstacles: [{ kind: "keptFree", queueId: "support", othersFree: 0, keepFree: 1 }]
    })
  })

  it("[ROUTING-62] lets one go as soon as another is free", () => {
    const self = given({ helping, queues })
    self.sell("c1", 1)
    self.tell({ type: "tick" }, 11)
    self.available([at("sid", "support")], 12)
    expect(self.place("c1")).toBe("offered sid")
    const later = given({ helping, queues }, [at("sid", "support", { capacity: Capacity.make(1) })])
    later.arrive("s1", { queueId: "support" }, 1)
    later.sell("c1", 2)
    later.tell({ type: "tick" }, 12)
    expect(later.place("c1")).toBe("waiting")
    later.ask({ type: "offerAccepted", offerId: "s1.1", agentId: "sid" }, 13)
    expect(later.ask({ type: "itemReleased", itemId: "s1", agentId: "sid", next: "leave" }, 14)).toContain(
      "offer c1.1 to sid"
    )
  })
})

describe("a small team", () => {
  it("[ROUTING-62] never leaves an item beside an idle agent longer than the wait before help", () => {
    const self = given({ helping: { fromLength: 9, afterMs: 5000, keepFree: 0 } })
    for (let index = 1; index < 5; index++) self.sell(`c${index}`, index)
    expect(self.engine.nextDueAt()).toBe(5001)
    expect(self.tell({ type: "tick" }, 5001).map(brief)).toEqual(["offer c1.1 to sue"])
    expect(free(self, "sam", 5002)).toContain("offer c2.1 to sam")
  })
})
