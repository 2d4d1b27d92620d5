import { type OrderRule, Overtaking, RoutingEngine, RoutingPolicy, WorkItem } from "@switchboard/routing"
import * as fc from "fast-check"
import { describe, expect, it } from "vitest"
import { isSoak } from "./arbitraries.ts"
import { agent } from "./given.ts"

const minute = 60_000

const queues = RoutingPolicy.RoutingPolicy.parse({
  queues: [
    { queueId: "dear", costPerMinute: 3, handlingMs: minute, share: 1 },
    { queueId: "cheap", costPerMinute: 1, handlingMs: 2 * minute, share: 1 }
  ]
}).queues
const ranges = RoutingPolicy.Ranges.parse({ priority: { min: 0, max: 3 }, dueInMs: { min: 1000, max: 9000 } })
const score = (queueScores: ReadonlyArray<Partial<OrderRule.QueueScore>>): OrderRule.OrderRule => ({
  by: "score",
  queues: queueScores.map((each, index) => ({
    queueId: ["dear", "cheap"][index]!,
    credit: 0,
    pointsPerMinute: 0,
    ...each
  })),
  bonuses: []
})

const boundOf = (order: ReadonlyArray<OrderRule.OrderRule>, more: Partial<RoutingPolicy.RoutingPolicy> = {}) => {
  const found = Overtaking.of(RoutingPolicy.make({ order: [...order], queues, ranges, ...more }))
  return found.kind === "bounded" ? [found.by, found.withinMs] : found.code
}

describe("[ROUTING-63] how far later items overtake", () => {
  it.each<[ReadonlyArray<OrderRule.OrderRule>, unknown]>([
    [[{ by: "age" }], ["age", 0]],
    [[{ by: "agedPriority", pointsPerMinute: 2 }], ["agedPriority", 1.5 * minute]],
    [[{ by: "priority" }, { by: "age" }], "priority_first"],
    [[{ by: "earliestDue" }], ["earliestDue", 8000]],
    [[{ by: "leastSlack" }], ["leastSlack", 8000 + minute]],
    [[{ by: "queueCost", cost: "flat" }, { by: "age" }], "cost_first"],
    [[{ by: "queueCost", cost: "growing" }], "cost_outgrows"],
    [[{ by: "queueShares" }, { by: "age" }], "share_first"],
    [[{ by: "longestQueue" }, { by: "age" }], "longer_queue_first"],
    [[score([{ credit: 4, pointsPerMinute: 2 }, { pointsPerMinute: 2 }])], ["score", 2 * minute]],
    [[score([{ pointsPerMinute: 3 }, { pointsPerMinute: 2 }])], "score_outgrows"],
    [[score([{ credit: 4 }, {}]), { by: "age" }], "score_first"],
    [
      [score([{}, {}]), { by: "age" }],
      ["age", 0]
    ],
    [[], "age_unseen"]
  ])("%j: %j", (order, expected) => {
    expect(boundOf(order)).toEqual(expected)
  })

  it("depends on what items bring and on which queues there are", () => {
    const equal = { priority: { min: 2, max: 2 }, dueInMs: { min: 0, max: null } }
    expect(boundOf([{ by: "priority" }, { by: "age" }], { ranges: equal })).toEqual(["age", 0])
    expect(boundOf([{ by: "earliestDue" }, { by: "age" }], { ranges: equal })).toBe("due_first")
    expect(boundOf([{ by: "longestQueue" }, { by: "age" }], { queues: queues.slice(0, 1) })).toEqual(["age", 0])
    expect(boundOf([{ by: "queueCost", cost: "growing" }], { queues: queues.slice(0, 1) })).toEqual(["queueCost", 0])
  })

  it("is told of one item by its own facts, with the instant after which nothing overtakes it", () => {
    const order: Array<OrderRule.OrderRule> = [{ by: "agedPriority", pointsPerMinute: 2 }]
    const engine = RoutingEngine.make(RoutingPolicy.make({ order, ranges }))
    const explain = (itemId: string, priority: number) => {
      const item = WorkItem.make({ itemId, queueId: "q", channelKind: "chat", arrivedAtMs: 100, priority })
      engine.apply({ type: "itemArrived", item }, 100)
      return engine.explain(itemId, 100)!
    }
    expect(explain("low", 1)).toMatchObject({
      overtaking: { kind: "bounded", by: "agedPriority", withinMs: minute },
      overtakenUntilMs: 100 + minute
    })
    expect(explain("high", 3).overtakenUntilMs).toBe(100)
    const dear = WorkItem.make({ itemId: "d", queueId: "dear", channelKind: "chat", arrivedAtMs: 0 })
    const costs = RoutingPolicy.make({ order: [{ by: "queueCost", cost: "flat" }, { by: "age" }], queues })
    expect(Overtaking.ofItem(costs, dear)).toMatchObject({ kind: "bounded", by: "age", withinMs: 0 })
    expect(Overtaking.ofItem(costs, { ...dear, queueId: "cheap" })).toMatchObject({
      queueId: "cheap",
      otherQueueId: "dear"
    })
  })
})

const rules: ReadonlyArray<OrderRule.OrderRule> = [
  { by: "age" },
  { by: "priority" },
  { by: "agedPriority", pointsPerMinute: 30 },
  { by: "earliestDue" },
  { by: "leastSlack" },
  { by: "queueCost", cost: "flat" },
  { by: "queueCost", cost: "growing" },
  { by: "longestQueue" },
  { by: "queueShares" },
  score([{ credit: 1, pointsPerMinute: 30 }, { pointsPerMinute: 30 }]),
  score([{ credit: 1, pointsPerMinute: 10 }, { pointsPerMinute: 30 }])
]

describe("the bound", () => {
  it("[ROUTING-63] holds: nothing that arrives after it is served before", () => {
    const policies = fc.record({
      order: fc.array(fc.constantFrom(...rules), { minLength: 1, maxLength: 3 }),
      queues: fc.constantFrom(
        queues,
        queues.slice(1),
        queues.map((queue) => ({ ...queue, costPerMinute: 1, handlingMs: minute }))
      ),
      ranges: fc.constantFrom(ranges, { ...ranges, priority: { min: 1, max: 1 } })
    })
    const events = fc.array(
      fc.record({
        isArrival: fc.boolean(),
        afterMs: fc.integer({ min: 0, max: 900 }),
        queueId: fc.constantFrom("dear", "cheap"),
        priority: fc.integer({ min: 0, max: 3 }),
        dueInMs: fc.integer({ min: 1000, max: 9000 })
      }),
      { minLength: 20, maxLength: isSoak ? 5000 : 200, size: "max" }
    )
    let bounded = 0
    fc.assert(
      fc.property(policies, events, (changes, script) => {
        const policy = RoutingPolicy.make(changes)
        const engine = RoutingEngine.make(policy)
        engine.apply({ type: "agentUpdated", agent: agent("ada") }, 0)
        engine.apply({ type: "presenceChanged", agentId: "ada", status: "available" }, 0)
        let now = 0
        script.forEach(({ isArrival, afterMs, dueInMs, ...facts }, index) => {
          now += afterMs
          const { min, max } = policy.ranges.priority
          const priority = Math.max(min, Math.min(max, facts.priority))
          const queueId = policy.queues.some((queue) => queue.queueId === facts.queueId) ? facts.queueId : "cheap"
          const item = {
            itemId: `i${index}`,
            queueId,
            channelKind: "chat",
            arrivedAtMs: now,
            dueAtMs: now + dueInMs,
            priority
          }
          const held = engine.snapshot().items.find(({ place }) => place.kind !== "waiting")?.item.itemId
          const decisions = engine.apply(
            isArrival || held === undefined
              ? { type: "itemArrived", item: WorkItem.make(item) }
              : { type: "itemRemoved", itemId: held },
            now
          )
          for (const decision of decisions) {
            if (decision.type !== "offerMade") continue
            const { arrivedAtMs } = engine.itemDocument(decision.itemId)!.item
            for (const waiting of engine.waiting(1000)) {
              const { overtaking, overtakenUntilMs } = engine.explain(waiting.itemId, now)!
              const worst = Overtaking.of(policy)
              if (worst.kind === "bounded")
                expect(overtakenUntilMs).toBeLessThanOrEqual(waiting.arrivedAtMs + worst.withinMs)
              if (overtaking!.kind === "unbounded") continue
              bounded++
              expect(arrivedAtMs, JSON.stringify([policy, waiting])).toBeLessThanOrEqual(overtakenUntilMs!)
            }
          }
        })
      }),
      { seed: 2026, numRuns: isSoak ? 300 : 60 }
    )
    expect(bounded).toBeGreaterThan(1000)
  })

  /** What keeps coming, one item per second, that goes before an item of queue `cheap` that arrived at 0. */
  const overtakers: ReadonlyArray<[string, ReadonlyArray<OrderRule.OrderRule>, Partial<WorkItem.WorkItem>]> = [
    ["priority_first", [{ by: "priority" }, { by: "age" }], { priority: 3 }],
    ["due_first", [{ by: "earliestDue" }, { by: "age" }], { dueAtMs: 999_999_999 }],
    ["cost_first", [{ by: "queueCost", cost: "flat" }, { by: "age" }], { queueId: "dear" }],
    ["score_first", [score([{ credit: 1 }, {}]), { by: "age" }], { queueId: "dear" }],
    ["longer_queue_first", [{ by: "longestQueue" }, { by: "age" }], { queueId: "dear" }],
    ["cost_outgrows", [{ by: "queueCost", cost: "growing" }], { queueId: "dear" }],
    ["score_outgrows", [score([{ pointsPerMinute: 6 }, { pointsPerMinute: 1 }])], { queueId: "dear" }],
    ["share_first", [{ by: "queueShares" }, { by: "age" }], { queueId: "dear" }],
    ["age_unseen", [], { itemId: "a" }]
  ]

  it.each(overtakers)("[ROUTING-64] %s: is overtaken by more and more", (code, order, facts) => {
    const policy = RoutingPolicy.make({ order: [...order], queues, offerTimeoutMs: 1e9, choice: [] })
    const engine = RoutingEngine.make(policy)
    const arrive = (item: Partial<WorkItem.WorkItem> & { readonly itemId: string }, now: number) =>
      engine.apply(
        {
          type: "itemArrived",
          item: WorkItem.make({ queueId: "cheap", channelKind: "chat", arrivedAtMs: now, ...item })
        },
        now
      )
    for (const agentId of ["ada", "bob"]) {
      engine.apply({ type: "agentUpdated", agent: agent(agentId) }, 0)
      engine.apply({ type: "presenceChanged", agentId, status: "available" }, 0)
    }
    // Bob holds one of the same queue for good: it has its share. Ada ends one item for every three that come.
    arrive({ itemId: "0-bob" }, 0)
    arrive({ itemId: "0-ada", queueId: "dear" }, 0)
    const adas = () =>
      engine.snapshot().items.find(({ item, place }) => place.kind !== "waiting" && item.itemId !== "0-bob")!.item
    arrive({ itemId: "victim" }, 1)
    expect(engine.explain("victim", 1)?.overtaking).toMatchObject({ kind: "unbounded", code })
    let overtaken = 0
    for (let index = 0; index < 600; index++) {
      const now = 1000 + index * 1000
      arrive({ ...facts, itemId: `${facts.itemId ?? "n"}${String(index).padStart(4, "0")}` }, now)
      if (index % 3 !== 2) continue
      engine.apply({ type: "itemRemoved", itemId: adas().itemId }, now)
      overtaken++
      expect(engine.itemDocument("victim")?.place.kind, `served after ${overtaken}`).toBe("waiting")
    }
    expect(overtaken).toBe(200)
  })
})
