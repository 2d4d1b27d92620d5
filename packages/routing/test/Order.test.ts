import { type OrderRule, Requirement, RoutingPolicy, type WorkItem } from "@switchboard/routing"
import { describe, expect, it } from "vitest"
import { agent, pool } from "./given.ts"

const minute = 60_000
const ada = agent("ada")

type Waiting = readonly [itemId: string, more: Partial<WorkItem.WorkItem>]

/** In which order one agent, who comes at `now`, takes what waits. */
const served = (
  order: ReadonlyArray<OrderRule.OrderRule>,
  items: ReadonlyArray<Waiting>,
  more: Partial<RoutingPolicy.RoutingPolicy> = {},
  now = 10 * minute,
  who = ada
): string => {
  const { arrive, ask, available, engine } = pool({ order: [...order], ...more })
  for (const [itemId, facts] of items) arrive(itemId, facts, 0)
  available([who], now)
  const taken: Array<string> = []
  for (;;) {
    const offered = engine.snapshot().items.find(({ place }) => place.kind === "offered")
    if (offered === undefined) return taken.join(" ")
    const { itemId } = offered.item
    taken.push(itemId)
    ask({ type: "offerAccepted", offerId: `${itemId}.1`, agentId: who.agentId }, now)
    ask({ type: "itemReleased", itemId, agentId: who.agentId, next: "leave" }, now)
  }
}

describe("[ROUTING-57] by due time", () => {
  const items: ReadonlyArray<Waiting> = [
    ["none", { arrivedAtMs: 0 }],
    ["late", { arrivedAtMs: 1, dueAtMs: 20 * minute, handlingMs: 15 * minute }],
    ["soon", { arrivedAtMs: 2, dueAtMs: 12 * minute }],
    ["middle", { arrivedAtMs: 3, dueAtMs: 14 * minute, handlingMs: minute }]
  ]

  it("the earliest due first, what has no due time last", () => {
    expect(served([{ by: "earliestDue" }], items)).toBe("soon middle late none")
  })

  it("the least slack first: due minus the handling time expected, the item's own or else its queue's", () => {
    expect(served([{ by: "leastSlack" }], items)).toBe("late soon middle none")
    const queues = [{ queueId: "support", requirement: Requirement.anyone, handlingMs: 3 * minute }]
    const slow: Waiting = ["slow", { dueAtMs: 11 * minute, handlingMs: 0 }]
    expect(served([{ by: "leastSlack" }], [...items, slow], { queues })).toBe("late soon slow middle none")
  })

  it("a due time that moves moves the item, and one taken away puts it last", () => {
    const { arrive, tell, engine } = pool({ order: [{ by: "earliestDue" }] })
    for (const [itemId, facts] of items) arrive(itemId, facts, 0)
    const listed = () => engine.waiting(9).map(({ itemId }) => itemId)
    tell({ type: "itemChanged", itemId: "late", dueAtMs: minute }, 4)
    expect(listed()).toEqual(["late", "soon", "middle", "none"])
    tell({ type: "itemChanged", itemId: "soon", dueAtMs: null }, 5)
    expect(listed()).toEqual(["late", "middle", "none", "soon"])
    expect(engine.itemDocument("soon")?.item).not.toHaveProperty("dueAtMs")
  })
})

describe("[ROUTING-58] by queue", () => {
  const queues = RoutingPolicy.RoutingPolicy.parse({
    queues: [
      { queueId: "dear", costPerMinute: 6, handlingMs: 2 * minute, share: 3 },
      { queueId: "cheap", costPerMinute: 1, share: 1 }
    ]
  }).queues
  const items: ReadonlyArray<Waiting> = [
    ["c1", { queueId: "cheap", arrivedAtMs: 0 }],
    ["c2", { queueId: "cheap", arrivedAtMs: 5 * minute }],
    ["c3", { queueId: "cheap", arrivedAtMs: 9 * minute }],
    ["d1", { queueId: "dear", arrivedAtMs: 7 * minute }],
    ["d2", { queueId: "dear", arrivedAtMs: 9.5 * minute }]
  ]
  const order = (rule: OrderRule.OrderRule): string => served([rule, { by: "age" }], items, { queues })

  it("flat cost: the dearer per minute of handling first, at any age", () => {
    expect(order({ by: "queueCost", cost: "flat" })).toBe("d1 d2 c1 c2 c3")
  })

  it("growing cost: what has cost the most per minute of handling by now", () => {
    // At 10 minutes: c1 10, d1 9, c2 5, d2 1.5, c3 1.
    expect(order({ by: "queueCost", cost: "growing" })).toBe("c1 d1 c2 d2 c3")
  })

  it("longest queue: where most waits at this moment", () => {
    expect(order({ by: "longestQueue" })).toBe("c1 c2 d1 c3 d2")
  })

  it("score: credit, points per minute, and a bonus for the agent's home queues", () => {
    const rule: OrderRule.OrderRule = {
      by: "score",
      queues: [
        { queueId: "dear", credit: 4, pointsPerMinute: 1 },
        { queueId: "cheap", credit: 0, pointsPerMinute: 1 }
      ],
      bonuses: [{ queueId: "cheap", homeQueueId: "cheap", points: 3.5 }]
    }
    // At 10 minutes: c1 10, d1 7, c2 5, d2 4.5, c3 1; with the bonus c1 13.5, c2 8.5, d1 7, d2 4.5, c3 4.5.
    expect(order(rule)).toBe("c1 d1 c2 d2 c3")
    const home = agent("ada", { homeQueues: ["cheap", "dear"] })
    expect(served([rule, { by: "age" }], items, { queues }, 10 * minute, home)).toBe("c1 c2 d1 c3 d2")
  })

  it("shares: first the queue whose part of what agents hold is furthest below its share", () => {
    const { arrive, available, engine } = pool({ order: [{ by: "queueShares" }, { by: "age" }], queues })
    for (let index = 0; index < 8; index++)
      for (const queueId of ["dear", "cheap"]) arrive(`${queueId}${index}`, { queueId }, index)
    available([agent("ada", { capacity: { units: 8, perChannelKind: {} } })], minute)
    const held = engine.queueDepths().map(({ offered }) => offered)
    expect(held).toEqual([6, 2])
  })

  it("the record names the rule that decided", () => {
    const { arrive, available, engine, tell } = pool({ order: [{ by: "queueCost", cost: "growing" }], queues })
    for (const [itemId, facts] of items) arrive(itemId, facts, 0)
    available([], 0)
    tell({ type: "agentUpdated", agent: ada }, 10 * minute)
    const [, offer] = tell({ type: "presenceChanged", agentId: "ada", status: "available" }, 10 * minute)
    expect(offer).toMatchObject({ record: { winner: "c1", runnerUp: "d1", decidedBy: "queueCost", compared: 2 } })
    expect(engine.waiting(9).map(({ itemId }) => itemId)).toEqual(["d1", "c2", "d2", "c3"])
    // An instant later than the last signal's: what costs more per minute has come forward.
    expect(engine.waiting(9, 30 * minute).map(({ itemId }) => itemId)).toEqual(["d1", "d2", "c2", "c3"])
  })
})
