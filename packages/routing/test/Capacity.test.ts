import { Capacity, ExpectedWait, Requirement, RoutingEngine, RoutingPolicy } from "@switchboard/routing"
import { describe, expect, it } from "vitest"
import { agent, brief, item, pool } from "./given.ts"

/** Four units; calls alone, mails can be interrupted by one. */
const capacity: Capacity.Capacity = {
  ...Capacity.make(4, { call: 1 }),
  exclusive: ["call"],
  interruptible: ["mail"]
}
const ada = agent("ada", { capacity })
const bob = agent("bob", { capacity })

const offers = (decisions: ReturnType<ReturnType<typeof pool>["arrive"]>) =>
  decisions.flatMap((each) => (each.type === "offerMade" ? [`${each.itemId} ${each.agentId}`] : []))
const limitsFor = (desk: ReturnType<typeof pool>, itemId: string, now = 0) =>
  desk.engine.explain(itemId, now)?.agents.map(({ obstacles }) => obstacles)

describe("kinds that go together", () => {
  it.each([
    ["call", "chat", "together"],
    ["chat", "call", "together"],
    ["chat", "mail", undefined],
    ["mail", "chat", undefined],
    ["call", "mail", "together"],
    ["mail", "call", undefined],
    ["call", "call", "channelKind"]
  ])("[ROUTING-130, ROUTING-131] with a %s, a %s meets the limit %s", (held, next, limit) => {
    expect(Capacity.exceeded(capacity, { units: 1, perChannelKind: { [held]: 1 } }, next, 1)).toBe(limit)
    const desk = pool().available([ada])
    desk.arrive("held", { channelKind: held })
    // The offer counts like what is held.
    expect(offers(desk.arrive("next", { channelKind: next }))).toEqual(limit === undefined ? ["next ada"] : [])
    if (limit !== undefined) expect(limitsFor(desk, "next")).toMatchObject([[{ kind: "capacity", limit, used: 1 }]])
  })

  it("[ROUTING-130] two exclusive kinds keep each other away", () => {
    const both = { ...capacity, exclusive: ["call", "video"] }
    expect(Capacity.exceeded(both, { units: 1, perChannelKind: { call: 1 } }, "video", 1)).toBe("together")
    expect(Capacity.exceeded(both, { units: 1, perChannelKind: { video: 1 } }, "video", 1)).toBeUndefined()
  })

  it("[ROUTING-130] without exclusive kinds, all go together", () => {
    const plain = { ...Capacity.make(4), interruptible: ["mail"] }
    expect(Capacity.exceeded(plain, { units: 2, perChannelKind: { mail: 1, call: 1 } }, "chat", 1)).toBeUndefined()
  })

  it("[ROUTING-130, ROUTING-136] picks, transfers and assignments are refused as well, unless a pick may exceed", () => {
    const desk = pool().available([ada])
    desk.arrive("chat")
    desk.ask({ type: "offerAccepted", offerId: "chat.1", agentId: "ada" })
    desk.arrive("call", { channelKind: "call" })
    expect(desk.ask({ type: "itemPicked", itemId: "call", agentId: "ada" })).toEqual(["capacity_full"])
    expect(desk.ask({ type: "itemAssigned", itemId: "call", agentId: "ada" })).toEqual(["capacity_full"])
    const to = { kind: "agent", agentId: "ada" } as const
    expect(desk.tell({ type: "transferRequested", requestId: "r", itemId: "call", by: "bob", to })).toMatchObject([
      { refusal: { code: "capacity_full", limit: "together" } }
    ])
    const open = pool({ overCapacity: "onPick" }).available([ada])
    open.arrive("chat")
    open.arrive("call", { channelKind: "call" })
    expect(open.ask({ type: "itemPicked", itemId: "call", agentId: "ada" })).toEqual(["assigned call to ada pick over"])
  })

  it("[ROUTING-130] what was kept away comes as soon as the other has gone", () => {
    const desk = pool().available([ada])
    desk.arrive("call", { channelKind: "call" })
    desk.arrive("chat", {}, 1)
    expect(desk.ask({ type: "offerAccepted", offerId: "call.1", agentId: "ada" }, 2)).toEqual([
      "assigned call to ada offer"
    ])
    expect(desk.ask({ type: "itemReleased", itemId: "call", agentId: "ada", next: "leave" }, 3)).toEqual([
      "left call ended",
      "offer chat.1 to ada"
    ])
  })

  it("[ROUTING-134] a changed profile takes back the offers that no longer fit, the least urgent first", () => {
    const desk = pool().available([agent("ada", { capacity: Capacity.make(4) })])
    desk.arrive("chat", { priority: 1 })
    desk.arrive("call", { channelKind: "call" })
    desk.arrive("mail", { channelKind: "mail" })
    expect(desk.tell({ type: "agentUpdated", agent: ada }).map(brief)).toEqual(["withdrawn call.1 agentChanged"])
    expect(desk.place("mail")).toBe("offered ada")
  })

  it("[ROUTING-134] what is held stays, and a mail offered beside a call too", () => {
    const desk = pool().available([agent("ada", { capacity: Capacity.make(4) })])
    desk.arrive("call", { channelKind: "call" })
    desk.ask({ type: "offerAccepted", offerId: "call.1", agentId: "ada" })
    desk.arrive("chat")
    desk.ask({ type: "offerAccepted", offerId: "chat.1", agentId: "ada" })
    desk.arrive("mail", { channelKind: "mail" })
    expect(
      desk.tell({ type: "agentUpdated", agent: agent("ada", { capacity: { ...capacity, exclusive: [] } }) })
    ).toEqual([])
    expect(desk.tell({ type: "agentUpdated", agent: ada })).toEqual([])
    expect(["call", "chat", "mail"].map(desk.place)).toEqual(["assigned ada", "assigned ada", "offered ada"])
  })

  it("[ROUTING-122, ROUTING-130] who holds an exclusive kind is no room for others, when waits are estimated", () => {
    const policy = RoutingPolicy.make({
      queues: [{ queueId: "support", requirement: Requirement.anyone, handlingMs: 60_000 }]
    })
    const desk = pool(policy).available([ada])
    const ifArrived = () => ExpectedWait.ifArrived(policy, desk.engine.snapshot(), item("chat"), 0)
    expect(ifArrived()).toMatchObject({ basis: "room", expectedWaitMs: 0 })
    desk.arrive("call", { channelKind: "call" })
    expect(ifArrived().basis).toBe("line")
  })
})

describe("wrap-up", () => {
  const one = agent("ada", { capacity: Capacity.make(1) })
  /** Ada has ended a chat at 10 and another waits. */
  const wrappingUp = (wrapUpMs: Record<string, number> = { chat: 100 }) => {
    const desk = pool({ wrapUpMs }).available([one])
    desk.arrive("c1")
    desk.ask({ type: "offerAccepted", offerId: "c1.1", agentId: "ada" }, 1)
    desk.arrive("c2", {}, 2)
    return { ...desk, ended: desk.tell({ type: "itemReleased", itemId: "c1", agentId: "ada", next: "leave" }, 10) }
  }

  it("[ROUTING-132] holds capacity until its time has passed", () => {
    const { engine, tell, ended } = wrappingUp()
    expect(ended).toEqual([{ type: "itemLeft", itemId: "c1", cause: "ended", fromAgentId: "ada", wrapUpUntilMs: 110 }])
    expect(engine.nextDueAt()).toBe(110)
    expect(tell({ type: "tick" }, 109)).toEqual([])
    expect(tell({ type: "tick" }, 110).map(brief)).toEqual(["wrapUp ada c1 time", "offer c2.1 to ada"])
    expect(engine.agentDocument("ada")).toMatchObject({ idleSinceMs: 110 })
    expect(engine.agentDocument("ada")).not.toHaveProperty("wrapUps")
  })

  it("[ROUTING-132] ends when the agent is done, with this item or with all; saying so again changes nothing", () => {
    const desk = wrappingUp()
    expect(desk.ask({ type: "wrapUpEnded", agentId: "ada", itemId: "c2" }, 15)).toEqual([])
    expect(desk.ask({ type: "wrapUpEnded", agentId: "ada", itemId: "c1" }, 20)).toEqual([
      "wrapUp ada c1 told",
      "offer c2.1 to ada"
    ])
    expect(desk.ask({ type: "wrapUpEnded", agentId: "ada" }, 21)).toEqual([])
    expect(desk.ask({ type: "wrapUpEnded", agentId: "nobody" }, 21)).toEqual(["agent_unknown"])
    expect(desk.engine.nextDueAt()).toBe(30_020)
  })

  it("[ROUTING-132] is of the channel kind that ended, and only after an item that was held has gone", () => {
    expect(wrappingUp({ call: 100 }).ended.map(brief)).toEqual(["left c1 ended", "offer c2.1 to ada"])
    const desk = pool({ wrapUpMs: { chat: 100 } }).available([one])
    desk.arrive("c1")
    expect(desk.tell({ type: "itemRemoved", itemId: "c1" }, 1).at(-1)).not.toHaveProperty("wrapUpUntilMs")
    desk.arrive("c2", {}, 2)
    desk.ask({ type: "offerAccepted", offerId: "c2.1", agentId: "ada" }, 3)
    expect(desk.tell({ type: "itemRemoved", itemId: "c2" }, 4).at(-1)).toMatchObject({ wrapUpUntilMs: 104 })
    desk.arrive("c3", {}, 200)
    desk.ask({ type: "offerAccepted", offerId: "c3.1", agentId: "ada" }, 200)
    desk.ask({ type: "itemReleased", itemId: "c3", agentId: "ada", next: "wait" }, 200)
    expect(desk.engine.agentDocument("ada")).not.toHaveProperty("wrapUps")
  })

  it("[ROUTING-136] is named as what keeps an item waiting or a transfer away, with its end", () => {
    const desk = wrappingUp()
    expect(limitsFor(desk, "c2", 20)).toEqual([
      [{ kind: "capacity", limit: "wrapUp", used: 1, allowed: 1, untilMs: 110 }]
    ])
    expect(desk.engine.explain("c2", 20)).toMatchObject({ waitsFor: "capacity", changesAtMs: 110 })
    expect(desk.engine.explainAgent("ada", 20)).toMatchObject({ wrapUps: [{ itemId: "c1", untilMs: 110 }] })
    const to = { kind: "agent", agentId: "ada" } as const
    expect(desk.tell({ type: "transferRequested", requestId: "r", itemId: "c2", by: "bob", to }, 20)).toMatchObject([
      { refusal: { code: "capacity_full", limit: "wrapUp" } }
    ])
    const heavy = item("heavy", { weight: 2, arrivedAtMs: 21 })
    desk.tell({ type: "itemArrived", item: heavy }, 21)
    expect(limitsFor(desk, "heavy", 21)).toMatchObject([[{ limit: "units" }]])
  })

  it("[ROUTING-133] goes on after a restore, also under a policy without it, and counts in the estimate", () => {
    const { engine } = wrappingUp()
    const snapshot = JSON.parse(JSON.stringify(engine.snapshot()))
    const restored = RoutingEngine.restore(RoutingPolicy.make(), snapshot)
    expect(restored.snapshot()).toEqual(engine.snapshot())
    expect(restored.nextDueAt()).toBe(110)
    expect(restored.apply({ type: "tick" }, 50)).toEqual([])
    expect(restored.apply({ type: "tick" }, 110).map(brief)).toEqual(["wrapUp ada c1 time", "offer c2.1 to ada"])
    expect(restored.takeChanged()).toEqual({ items: ["c2"], agents: ["ada"] })
    const policy = RoutingPolicy.make({
      queues: [{ queueId: "support", requirement: Requirement.anyone, handlingMs: 60_000 }]
    })
    const alone = { ...snapshot, items: [] }
    expect(ExpectedWait.ifArrived(policy, alone, item("c3", { arrivedAtMs: 20 }), 20).basis).not.toBe("room")
  })

  it("[ROUTING-133] is over when the agent leaves the pool", () => {
    const desk = wrappingUp()
    desk.tell({ type: "agentRemoved", agentId: "ada" }, 20)
    expect(desk.engine.nextDueAt()).toBeUndefined()
    desk.available([one], 30)
    expect(desk.place("c2")).toBe("offered ada")
  })

  it("[ROUTING-132] of an exclusive kind keeps the others away like the item did", () => {
    const desk = pool({ wrapUpMs: { call: 100 } }).available([ada])
    desk.arrive("call", { channelKind: "call" })
    desk.ask({ type: "offerAccepted", offerId: "call.1", agentId: "ada" })
    desk.ask({ type: "itemReleased", itemId: "call", agentId: "ada", next: "leave" })
    expect(offers(desk.arrive("chat"))).toEqual([])
    expect(desk.tell({ type: "tick" }, 100).map(brief)).toEqual(["wrapUp ada call time", "offer chat.1 to ada"])
  })
})

describe("wrap-up of a colleague", () => {
  it("[ROUTING-62, ROUTING-132] that ends lets others help elsewhere, when some have to stay free", () => {
    const helping = { fromLength: 1, afterMs: 0, keepFree: 1 }
    const home = (agentId: string) => agent(agentId, { homeQueues: ["sales"], capacity: Capacity.make(1) })
    const desk = pool({
      queues: [{ queueId: "sales", requirement: Requirement.anyone, helping }],
      wrapUpMs: { call: 100 }
    }).available([home("ada"), home("bob")])
    desk.arrive("call", { queueId: "sales", channelKind: "call" })
    desk.ask({ type: "itemAssigned", itemId: "call", agentId: "ada" })
    desk.ask({ type: "itemReleased", itemId: "call", agentId: "ada", next: "leave" })
    expect(offers(desk.arrive("chat", { requirement: Requirement.agents("bob") }))).toEqual([])
    expect(desk.tell({ type: "tick" }, 100).map(brief)).toEqual(["wrapUp ada call time", "offer chat.1 to bob"])
  })
})

describe("filling", () => {
  const plain = ["ada", "bob", "cleo"].map((agentId) => agent(agentId, { capacity: Capacity.make(3) }))
  const given = (filling: RoutingPolicy.RoutingPolicy["filling"]) => {
    const desk = pool({ ...(filling !== undefined && { filling }) }).available(plain)
    const hold = (itemId: string, agentId: string, channelKind: string) => {
      desk.arrive(itemId, { channelKind })
      desk.ask({ type: "itemAssigned", itemId, agentId })
    }
    return { ...desk, hold }
  }
  const decided = (decisions: ReturnType<ReturnType<typeof pool>["arrive"]>) =>
    decisions.flatMap((each) => (each.type === "offerMade" ? [[each.agentId, each.record.decidedBy]] : []))

  it("[ROUTING-135] spreads, packs or drains, before the rules of choice, and names it", () => {
    const held = (filling: "spread" | "pack" | "drain") => {
      const desk = given({ chat: filling })
      desk.hold("x1", "ada", "mail")
      desk.hold("x2", "ada", "mail")
      desk.hold("x3", "bob", "chat")
      return decided(desk.arrive("next"))
    }
    expect(held("spread")).toEqual([["cleo", "spread"]])
    expect(held("pack")).toEqual([["ada", "pack"]])
    expect(held("drain")).toEqual([["bob", "drain"]])
  })

  it("[ROUTING-135] draining leaves alone first who holds nothing, then who holds others, then who holds little", () => {
    const desk = given({ chat: "drain" })
    desk.hold("m1", "cleo", "mail")
    expect(decided(desk.arrive("c1"))).toEqual([["cleo", "drain"]])
    desk.hold("c2", "bob", "chat")
    // Bob holds chat alone, cleo beside a mail.
    expect(decided(desk.arrive("c3"))).toEqual([["bob", "drain"]])
    desk.hold("c4", "ada", "chat")
    expect(decided(desk.arrive("c5"))).toEqual([["bob", "drain"]])
    expect(decided(desk.arrive("c6"))).toEqual([["ada", "drain"]])
  })

  it("[ROUTING-135] counts wrap-up as held, and leaves other kinds and what is equal to the rules of choice", () => {
    const desk = pool({ filling: { chat: "pack" }, wrapUpMs: { chat: 100 } }).available([ada, bob])
    desk.arrive("c1")
    desk.ask({ type: "itemAssigned", itemId: "c1", agentId: "bob" })
    desk.ask({ type: "itemReleased", itemId: "c1", agentId: "bob", next: "leave" })
    expect(decided(desk.arrive("c2"))).toEqual([["bob", "pack"]])
    expect(decided(desk.arrive("m1", { channelKind: "mail" }))).toEqual([["ada", "leastLoaded"]])
  })
})

describe("data from outside", () => {
  it("[ROUTING-4] refuses a filling and a wrap-up that don't exist", () => {
    expect(RoutingPolicy.decode({ filling: { chat: "heap" } })).toMatchObject({ ok: false })
    expect(RoutingPolicy.decode({ wrapUpMs: { chat: -1 } })).toMatchObject({ ok: false })
    expect(RoutingPolicy.decode({ filling: { chat: "drain" }, wrapUpMs: { chat: 5 } }).ok).toBe(true)
  })
})
