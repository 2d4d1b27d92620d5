import {
  Capacity,
  ExpectedWait,
  Pool,
  Requirement,
  type RoutingAgent,
  RoutingEngine,
  RoutingPolicy,
  type WorkItem
} from "@switchboard/routing"
import * as fc from "fast-check"
import { describe, expect, it } from "vitest"
import { morning, policies, profiles, steps } from "./arbitraries.ts"
import { agent, item, pool } from "./given.ts"

const minute = 60_000
const queue = (more: object = {}) => ({
  queueId: "support",
  requirement: Requirement.anyone,
  handlingMs: 6 * minute,
  ...more
})

/** Agents who take everything at once, and items that arrive one a minute. */
const given = (
  policy: Partial<RoutingPolicy.RoutingPolicy>,
  agents: ReadonlyArray<RoutingAgent.RoutingAgent>,
  items: ReadonlyArray<WorkItem.WorkItem>
) => {
  const made = RoutingPolicy.make({ queues: [queue()], order: [{ by: "priority" }, { by: "age" }], ...policy })
  const { engine, tell, available } = pool(made)
  available(agents)
  for (const each of items)
    for (const decision of tell({ type: "itemArrived", item: each }, each.arrivedAtMs))
      if (decision.type === "offerMade") {
        const { offerId, agentId } = decision
        tell({ type: "offerAccepted", requestId: offerId, offerId, agentId }, each.arrivedAtMs)
      }
  const now = Math.max(...items.map(({ arrivedAtMs }) => arrivedAtMs))
  const of = ExpectedWait.make(made, engine.snapshot(), now)
  return { policy: made, engine, now, of, position: (itemId: string) => of(itemId)?.positionInLine }
}

const inARow = (count: number, more: (index: number) => Partial<WorkItem.WorkItem> = () => ({})) =>
  Array.from({ length: count }, (_, index) => item(`c${index}`, { arrivedAtMs: index * minute, ...more(index) }))

describe("the position in line", () => {
  it("[ROUTING-120] counts those served before, by the policy's order", () => {
    const { position } = given(
      {},
      [agent("ada")],
      inARow(5, (index) => ({ priority: index === 4 ? 1 : 0 }))
    )
    expect(["c0", "c4", "c1", "c2", "c3"].map(position)).toEqual([undefined, 1, 2, 3, 4])
  })

  it("[ROUTING-120] leaves out those who wait for other agents, and counts those who share some", () => {
    const { engine, of, position } = given(
      {
        queues: [
          queue({ queueId: "x", requirement: Requirement.skill("x") }),
          queue({ queueId: "y", requirement: Requirement.skill("y") }),
          queue({ queueId: "z", requirement: Requirement.any(Requirement.skill("x"), Requirement.skill("y")) })
        ]
      },
      [agent("ada", { skills: { x: 1 } }), agent("ben", { skills: { y: 1 } })],
      inARow(8, (index) => ({ queueId: index < 2 ? ["x", "y"][index]! : ["x", "x", "y", "z", "y", "x"][index - 2]! }))
    )
    expect(engine.waiting(10).map(({ itemId }) => itemId)).toEqual(["c2", "c3", "c4", "c5", "c6", "c7"])
    expect(["c2", "c3", "c4", "c5", "c6", "c7"].map(position)).toEqual([1, 2, 1, 4, 3, 4])
    // Of the one before who is for either, half comes to the agent of x.
    expect(of("c7")?.expectedWaitMs).toBeLessThan(4 * 6 * minute)
  })

  it("[ROUTING-120] is the engine's own, whatever the order, in every pool", () => {
    fc.assert(
      fc.property(policies, steps, (policy, history) => {
        const engine = RoutingEngine.make(policy)
        let now = 0
        for (const { signal, afterMs } of [...morning, ...history]) {
          now += afterMs
          engine.apply(
            signal.type === "itemArrived"
              ? { ...signal, item: { ...signal.item, arrivedAtMs: Math.min(now, signal.item.arrivedAtMs) } }
              : signal,
            now
          )
        }
        const of = ExpectedWait.make(policy, engine.snapshot(), now)
        const waiting = engine.waiting(1000, now)
        const last = new Map<string, number>()
        for (const {
          itemId,
          queueId,
          channelKind,
          weight,
          requirement,
          relaxation,
          attributes,
          preferred,
          preferredAgent
        } of waiting) {
          const expected = of(itemId)!
          expect(expected.positionInLine).toBeGreaterThan(0)
          expect(expected.positionInLine).toBeLessThanOrEqual(waiting.findIndex((each) => each.itemId === itemId) + 1)
          if (expected.expectedWaitMs !== undefined) {
            const [low, high] = expected.rangeMs!
            expect(low).toBeLessThanOrEqual(expected.expectedWaitMs)
            expect(high).toBeGreaterThanOrEqual(expected.expectedWaitMs)
            expect(low).toBeGreaterThanOrEqual(0)
            expect(Number.isFinite(high)).toBe(true)
          } else expect(["nobodyOnDuty", "unknown"]).toContain(expected.basis)
          // Those alike in what they ask, and in nobody's favour, stand in one line.
          if (
            requirement !== undefined ||
            relaxation !== undefined ||
            preferred !== undefined ||
            preferredAgent !== undefined
          )
            continue
          const alike = JSON.stringify([queueId, channelKind, weight, attributes, engine.itemDocument(itemId)?.step])
          const document = engine.itemDocument(itemId)!
          if (
            document.exclusions.length > 0 ||
            (document.step ?? 0) > 0 ||
            policy.queues[0]?.relaxation !== undefined ||
            expected.basis === "nobodyOnDuty"
          )
            continue
          expect(expected.positionInLine).toBeGreaterThan(last.get(alike) ?? 0)
          last.set(alike, expected.positionInLine)
        }
        for (const { item: each, place } of engine.snapshot().items)
          if (place.kind !== "waiting") expect(of(each.itemId)).toBeUndefined()

        // [ROUTING-121] Stored, read and restored it says the same.
        const stored = Pool.decode(JSON.parse(JSON.stringify(engine.snapshot())))
        const again = ExpectedWait.make(
          policy,
          RoutingEngine.restore(policy, stored.ok ? stored.value : engine.snapshot()).snapshot(),
          now
        )
        const reread = ExpectedWait.make(policy, stored.ok ? stored.value : engine.snapshot(), now)
        for (const { itemId } of waiting) {
          expect(reread(itemId)).toEqual(of(itemId))
          expect(again(itemId)?.positionInLine).toBeGreaterThan(0)
        }
      }),
      { numRuns: 60 }
    )
  })
})

describe("the wait", () => {
  it("[ROUTING-121] is the same from the same documents, however they are stored", () => {
    const { policy, engine, now, of } = given({}, [agent("ada"), agent("ben")], inARow(9))
    const stored = JSON.parse(JSON.stringify(engine.snapshot()))
    const again = ExpectedWait.make(policy, RoutingEngine.restore(policy, stored).snapshot(), now)
    for (let index = 0; index < 9; index++) expect(again(`c${index}`)).toEqual(of(`c${index}`))
  })

  it("[ROUTING-122] is nothing when somebody has room for it and for all before it", () => {
    const { policy, engine, now } = given({}, [agent("ada"), agent("ben")], inARow(1))
    expect(ExpectedWait.ifArrived(policy, engine.snapshot(), item("new", { arrivedAtMs: now }), now)).toEqual({
      positionInLine: 1,
      expectedWaitMs: 0,
      rangeMs: [0, 0],
      basis: "room"
    })
    expect(
      ExpectedWait.ifArrived(policy, engine.snapshot(), item("new", { arrivedAtMs: now, weight: 2 }), now).basis
    ).toBe("nobodyOnDuty")
  })

  it("[ROUTING-123] has no figure when nobody who may take it is on duty, or nothing tells how long work takes", () => {
    const away = given({}, [], inARow(2))
    expect(away.of("c1")).toEqual({ positionInLine: 1, basis: "nobodyOnDuty" })
    const line = { positionInLine: 3, ahead: 2, servers: 4, room: 0, overtaking: 0 }
    expect(ExpectedWait.fromLine(line)).toEqual({ positionInLine: 3, basis: "unknown" })
    expect(ExpectedWait.fromLine({ ...line, head: { waitMs: minute, share: 1 } })).toMatchObject({
      basis: "head",
      expectedWaitMs: minute
    })
  })

  it("[ROUTING-123] agents count with what they hold of its kind together, while they are on duty", () => {
    const agents = [
      agent("ada", { capacity: Capacity.make(4, { chat: 2 }) }),
      agent("ben", { capacity: Capacity.make(3) }),
      agent("cleo")
    ]
    const { engine, policy, now } = given(
      {},
      agents,
      inARow(7, () => ({ arrivedAtMs: 0 }))
    )
    const wait = (): number => ExpectedWait.make(policy, engine.snapshot(), now)("c6")!.expectedWaitMs!
    expect(wait()).toBe((6 * minute) / 6)
    engine.apply({ type: "presenceChanged", agentId: "cleo", status: "away" }, now)
    expect(wait()).toBe((6 * minute) / 5)
    engine.apply({ type: "presenceChanged", agentId: "ben", status: "available", channels: { chat: false } }, now)
    expect(wait()).toBe((6 * minute) / 2)
  })

  const lines: fc.Arbitrary<ExpectedWait.Line> = fc
    .record({
      ahead: fc.integer({ min: 0, max: 500 }),
      servers: fc.integer({ min: 1, max: 200 }),
      handlingMs: fc.integer({ min: 1, max: 100 * minute }),
      overtaking: fc.double({ min: 0, max: 1, noNaN: true }),
      head: fc.option(
        fc.record({
          waitMs: fc.integer({ min: 0, max: 1000 * minute }),
          share: fc.double({ min: 0.01, max: 1, noNaN: true })
        })
      )
    })
    .map(({ head, ...line }) => ({ ...line, positionInLine: line.ahead + 1, room: 0, ...(head !== null && { head }) }))

  it("[ROUTING-124] never gets shorter by more work before it, longer handling, fewer agents, or a longer wait of the first", () => {
    const waitOf = (line: ExpectedWait.Line): number => ExpectedWait.fromLine(line).expectedWaitMs!
    fc.assert(
      fc.property(lines, fc.integer({ min: 1, max: 100 }), (line, more) => {
        const wait = waitOf(line)
        expect(waitOf({ ...line, handlingMs: line.handlingMs! + more })).toBeGreaterThanOrEqual(wait)
        expect(waitOf({ ...line, overtaking: Math.min(1, line.overtaking + more / 100) })).toBeGreaterThanOrEqual(wait)
        if (line.servers > 1 && line.overtaking === 0)
          expect(waitOf({ ...line, servers: line.servers - 1 })).toBeGreaterThanOrEqual(wait)
        const { head, ...alone } = line
        expect(waitOf({ ...alone, ahead: line.ahead + more })).toBeGreaterThan(waitOf(alone) - 1)
        if (head !== undefined)
          expect(waitOf({ ...line, head: { ...head, waitMs: head.waitMs + more } })).toBeGreaterThanOrEqual(wait)
        const { rangeMs, expectedWaitMs } = ExpectedWait.fromLine(line)
        expect(rangeMs![0]).toBeLessThanOrEqual(expectedWaitMs!)
        expect(rangeMs![1]).toBeGreaterThanOrEqual(expectedWaitMs!)
      })
    )
  })

  it("[ROUTING-124] is longer for what the work that comes would overtake", () => {
    const agents = Array.from({ length: 10 }, (_, index) => agent(`a${index}`))
    // Half of what agents hold is urgent.
    const items = inARow(12, (index) => ({
      arrivedAtMs: 0,
      itemId: `c${String(index).padStart(2, "0")}`,
      priority: index < 10 && index % 2 === 0 ? 5 : 0
    }))
    const urgent = given({}, agents, items).of("c11")!
    const even = given({ order: [{ by: "age" }] }, agents, items).of("c11")!
    expect(even.positionInLine).toBe(2)
    expect(urgent.positionInLine).toBe(2)
    expect(urgent.expectedWaitMs).toBeGreaterThan(1.3 * even.expectedWaitMs!)
  })

  it("[ROUTING-125] goes by the preferred agent until the preference ends", () => {
    const agents = [agent("ada"), ...Array.from({ length: 9 }, (_, index) => agent(`b${index}`))]
    const waits = (untilMs: number) =>
      given({}, agents, [
        ...inARow(10, () => ({ arrivedAtMs: 0 })),
        item("c10", { preferredAgent: "ada", preferredUntilMs: untilMs })
      ]).of("c10")!.expectedWaitMs
    expect(waits(0)).toBe(0.6 * minute)
    // Everyone from then on, or ada alone.
    expect(waits(2 * minute)).toBe(2 * minute)
    expect(waits(60 * minute)).toBe(6 * minute)
  })

  it("[ROUTING-125] goes by the step of its relaxation that gives the earliest instant", () => {
    const skilled = Requirement.skill("tax")
    const agents = [
      agent("ada", { skills: { tax: 1 } }),
      ...Array.from({ length: 9 }, (_, index) => agent(`b${index}`))
    ]
    const waits = (afterMs: number, skills: boolean) =>
      given(
        { queues: [queue({ requirement: skilled, relaxation: [{ afterMs, requirement: Requirement.anyone }] })] },
        skills ? agents : agents.slice(1),
        [...inARow(skills ? 10 : 9, () => ({ arrivedAtMs: 0, requirement: Requirement.anyone })), item("c10")]
      ).of("c10")!
    expect(waits(1 * minute, true).expectedWaitMs).toBe(1 * minute)
    expect(waits(60 * minute, true).expectedWaitMs).toBe(6 * minute)
    expect(waits(3 * minute, false)).toMatchObject({ expectedWaitMs: 3 * minute, basis: "line" })
  })

  it("[ROUTING-125] passes over a row that nobody on duty meets, as the engine does", () => {
    const relaxation = [
      { afterMs: 0, requirement: Requirement.skill("tax"), skipIf: "nobodyOnDuty" as const },
      { afterMs: 60 * minute, requirement: Requirement.anyone }
    ]
    const { of } = given(
      { queues: [queue({ relaxation })] },
      [agent("ada")],
      [item("c0", { requirement: Requirement.anyone }), item("c1")]
    )
    expect(of("c1")?.expectedWaitMs).toBe(6 * minute)
  })

  it("[ROUTING-125] while one of a queue's home agents is on duty, the others don't count", () => {
    const agents = [agent("ada", { homeQueues: ["support"] }), agent("ben", { homeQueues: ["sales"] })]
    const items = [...inARow(1), item("s0", { queueId: "sales" }), item("c9", { arrivedAtMs: minute })]
    const { engine, policy, of } = given({ queues: [queue(), queue({ queueId: "sales" })] }, agents, items)
    expect(of("c9")?.expectedWaitMs).toBe(6 * minute)
    engine.apply({ type: "presenceChanged", agentId: "ada", status: "offline" }, minute)
    expect(ExpectedWait.make(policy, engine.snapshot(), minute)("c9")?.expectedWaitMs).toBe(6 * minute)
  })

  it("[ROUTING-126] measures handling by the work in progress where nobody states it", () => {
    const { of } = given(
      { queues: [] },
      [agent("ada"), agent("ben")],
      [...inARow(2), item("c9", { arrivedAtMs: 9 * minute })]
    )
    // 9 and 8 minutes so far, two agents.
    expect(of("c9")).toMatchObject({ expectedWaitMs: 4.25 * minute, basis: "line" })
  })

  it("[ROUTING-127] of an item that hasn't come yet is that of one that has", () => {
    fc.assert(
      fc.property(
        fc.array(
          profiles.map(({ homeQueues: _, ...profile }) => profile),
          { minLength: 1, maxLength: 3 }
        ),
        fc.integer({ min: 1, max: 8 }),
        (agents, count) => {
          const items = inARow(count + 1, (index) => ({
            channelKind: ["chat", "call"][index % 2]!,
            priority: index % 3
          }))
          const before = given({}, agents, items.slice(0, count))
          const newest = items[count]!
          const told = ExpectedWait.ifArrived(before.policy, before.engine.snapshot(), newest, newest.arrivedAtMs)
          before.engine.apply({ type: "itemArrived", item: newest }, newest.arrivedAtMs)
          const after = ExpectedWait.make(before.policy, before.engine.snapshot(), newest.arrivedAtMs)(newest.itemId)
          if (after === undefined) expect(told.basis).toBe("room")
          else expect(told).toEqual(after)
        }
      ),
      { numRuns: 60 }
    )
  })
})
