import { describe, expect, it } from "@effect/vitest"
import { Placement, type Pool, Requirement } from "@switchboard/routing"
import { Effect, Logger } from "effect"
import { TestClock } from "effect/testing"
import { Desk } from "../src/Desk.ts"
import { type DeskConfig, type DeskRouting, resolve } from "../src/DeskConfig.ts"
import { ConfigError } from "../src/DeskError.ts"
import { actor, agent, arrive, config, layer, message, platform, supervisor } from "./harness.ts"

const phone = (n: number) => `+3460000000${n}`
const team = (id: string) => ({ id: id as never, name: id })

const pooled = Effect.gen(function* () {
  const desk = yield* Desk
  const { documents } = yield* Effect.promise(() => desk.environment.workspace.query({ view: "poolItems", limit: 100 }))
  return documents
    .map(({ document }) => document as unknown as Pool.PoolItem)
    .sort((a, b) => a.item.arrivedAtMs - b.item.arrivedAtMs || (a.item.itemId < b.item.itemId ? -1 : 1))
})

/** What the pool holds of the only conversation. */
const onlyItem = Effect.map(pooled, ([first]) => first!.item)

const desked = (more: Partial<DeskConfig>) => {
  const sms = platform("sms")
  return layer(config({ channels: [sms.channel], ...more }))
}

const refused = (more: Partial<DeskConfig>): ConfigError => {
  try {
    resolve(config(more))
  } catch (error) {
    if (error instanceof ConfigError) return error
  }
  throw new Error("nothing was refused")
}

describe("agents at home", () => {
  const agents = [
    agent("grace", { homeQueues: ["billing"], weight: 0.5, attributes: { region: "eu", areas: ["tax"] } }),
    agent("vera", {
      role: "supervisor" as const,
      capacity: { total: 5, perChannelKind: {}, exclusive: ["call"], interruptible: ["email"] }
    })
  ]

  it.effect(
    "[DESK-127] agents take the work of their own queues first, and routing knows their weight and attributes",
    () =>
      Effect.gen(function* () {
        const desk = yield* Desk
        yield* desk.setPresence(actor("grace"), "grace", "available")
        const { documents } = yield* Effect.promise(() =>
          desk.environment.workspace.query({ view: "poolAgents", limit: 10 })
        )
        const known = documents.map(({ document }) => (document as unknown as Pool.PoolAgent).agent)
        expect(known.find(({ agentId }) => agentId === "grace")).toMatchObject({
          homeQueues: ["billing"],
          weight: 0.5,
          attributes: { region: "eu", areas: ["tax"] }
        })
        const vera = known.find(({ agentId }) => agentId === "vera")!
        expect(Object.keys(vera)).not.toContain("homeQueues")
        expect(vera.capacity).toMatchObject({ units: 5, exclusive: ["call"], interruptible: ["email"] })
        // Vera, who has no queue of her own, is at home in this one too: it isn't grace's yet.
        yield* desk.setPresence(actor("vera", "supervisor"), "vera", "busy")
        yield* arrive("sms", [message("one")])
        expect(yield* desk.offers(actor("grace"))).toEqual([])
        const { itemId } = yield* onlyItem
        expect(
          (yield* desk.explain(supervisor, itemId as never))?.agents.find((one) => one.agentId === "grace")
        ).toMatchObject({
          obstacles: [{ kind: "othersWork", queueId: "main", fromLength: 2 }]
        })
        yield* TestClock.adjust("21 seconds")
        yield* desk.drain()
        expect(yield* desk.offers(actor("grace"))).toHaveLength(1)
      }).pipe(Effect.provide(desked({ agents, teams: [team("billing")] })))
  )

  it("[DESK-127] a home queue that is none is refused", () => {
    expect(refused({ agents, teams: [team("returns")] })).toMatchObject({
      field: "agents.grace.homeQueues",
      found: '"billing"',
      fix: "name one of the queues: main, returns"
    })
  })
})

describe("what an item brings", () => {
  it.effect("[DESK-128] routing knows how far the priorities of a desk reach, those of its rules included", () => {
    const order = [{ by: "agedPriority" as const, pointsPerMinute: 1 }]
    const overtaking = Effect.gen(function* () {
      const desk = yield* Desk
      yield* arrive("sms", [message("one")])
      return (yield* desk.explain(supervisor, (yield* onlyItem).itemId as never))?.overtaking
    })
    return Effect.gen(function* () {
      // From normal, 0, to urgent, 20: a point a minute.
      expect(yield* overtaking.pipe(Effect.provide(desked({ routing: { order } })))).toMatchObject({
        kind: "bounded",
        withinMs: 20 * 60_000
      })
      const placement = {
        rules: [{ ruleId: "fax", when: Placement.channelKind("fax"), to: { queueId: "main", priority: 50 } }],
        otherwise: { queueId: "main" }
      }
      expect(yield* overtaking.pipe(Effect.provide(desked({ routing: { order, placement } })))).toMatchObject({
        withinMs: 50 * 60_000
      })
      const ranges = { priority: { min: 0, max: 5 }, dueInMs: { min: 0, max: null } }
      expect(yield* overtaking.pipe(Effect.provide(desked({ routing: { order, ranges } })))).toMatchObject({
        withinMs: 5 * 60_000
      })
    })
  })

  const byArea = Requirement.attribute("area").in(Requirement.ofItem("tags"))
  it.effect("[DESK-129] requirements can compare its tags, language and account, as they stand", () =>
    Effect.gen(function* () {
      const desk = yield* Desk
      yield* arrive("sms", [
        message("one", { from: { addresses: [{ kind: "phone", value: phone(1), state: "verified" }], language: "es" } })
      ])
      const { itemId } = yield* onlyItem
      expect((yield* onlyItem).attributes).toEqual({ tags: [], language: "es", accountId: "sms-account" })
      yield* desk.setPresence(actor("grace"), "grace", "available")
      expect(yield* desk.offers(actor("grace"))).toEqual([])
      yield* desk.execute(supervisor, itemId as never, { type: "AddTag", tag: "tax" })
      yield* desk.drain()
      expect(yield* desk.offers(actor("grace"))).toHaveLength(1)
      yield* desk.execute(supervisor, itemId as never, { type: "RemoveTag", tag: "tax" })
      yield* desk.drain()
      expect((yield* onlyItem).attributes).toMatchObject({ tags: [] })
    }).pipe(
      Effect.provide(
        desked({
          agents: [
            agent("grace", { attributes: { area: "tax", account: "sms-account", tongue: "es" } }),
            agent("vera", { role: "supervisor" })
          ],
          routing: {
            queues: [
              {
                queueId: "main",
                requirement: Requirement.all(
                  byArea,
                  Requirement.attribute("account").equals(Requirement.ofItem("accountId")),
                  Requirement.attribute("tongue").equals(Requirement.ofItem("language"))
                )
              }
            ]
          }
        })
      )
    )
  )

  it.effect("[DESK-129] what nothing compares is not kept", () =>
    Effect.gen(function* () {
      yield* arrive("sms", [message("one")])
      expect(Object.keys(yield* onlyItem).sort()).toEqual(
        ["arrivedAtMs", "channelKind", "itemId", "priority", "queueId", "weight"].sort()
      )
    }).pipe(Effect.provide(desked({})))
  )

  it.effect(
    "[DESK-130] where agents are chosen by who knows the contact, those who had their earlier conversations do",
    () =>
      Effect.gen(function* () {
        const desk = yield* Desk
        yield* desk.setPresence(actor("linus"), "linus", "available")
        yield* arrive("sms", [message("one")])
        const [offer] = yield* desk.offers(actor("linus"))
        yield* desk.acceptOffer(actor("linus"), offer!.offerId)
        yield* desk.execute(supervisor, offer!.conversationId, { type: "ResolveConversation" })
        yield* desk.execute(supervisor, offer!.conversationId, { type: "CloseConversation" })
        yield* desk.drain()
        // By load, idleness and name it would be grace.
        yield* desk.setPresence(actor("grace"), "grace", "available")
        yield* arrive("sms", [message("two")])
        expect((yield* onlyItem).knownBy).toEqual(["linus"])
        expect(yield* desk.offers(actor("linus"))).toHaveLength(1)
      }).pipe(Effect.provide(desked({ routing: { choice: [{ by: "sticky" }] } })))
  )
})

const promise = (durationMs: number) => ({
  id: "first-reply",
  time: "elapsed" as const,
  durationMs,
  starts: ["contactMessage" as const],
  fulfils: ["agentReply" as const]
})

const sla = {
  calendars: [],
  policies: [
    { id: "high", version: 1, when: { priority: ["high"] }, targets: [promise(120_000)] },
    { id: "standard", version: 1, targets: [promise(600_000)] }
  ]
}

describe("promises and order", () => {
  const dues = Effect.map(pooled, (items) => items.map(({ item }) => item.dueAtMs))

  it.effect("[DESK-131] where due times order what waits, routing hears of each change of the next one", () =>
    Effect.gen(function* () {
      const desk = yield* Desk
      yield* arrive("sms", [message("first", { phone: phone(1) })])
      yield* TestClock.adjust("1 minutes")
      yield* arrive("sms", [message("second", { phone: phone(2) })])
      expect(yield* dues).toEqual([600_000, 660_000])
      const [first, second] = (yield* pooled).map(({ item }) => item.itemId as never)

      // Another promise for the second one, due earlier.
      yield* desk.execute(supervisor, second!, { type: "SetPriority", priority: "high" })
      yield* desk.drain()
      expect(yield* dues).toEqual([600_000, 180_000])
      // What comes to wait anew brings its due time with it, though no clock says a word.
      yield* desk.execute(supervisor, first!, { type: "TransferConversation", wanted: { agentId: "grace" as never } })
      yield* desk.drain()
      expect(yield* dues).toEqual([600_000, 180_000])

      yield* desk.setPresence(actor("linus"), "linus", "available")
      const [offer] = yield* desk.offers(actor("linus"))
      expect(offer?.conversationId).toBe(second)
      yield* desk.acceptOffer(actor("linus"), offer!.offerId)
      yield* desk.reply(actor("linus"), second!, { parts: [{ kind: "text", text: "yes", format: "plain" }] })
      yield* desk.drain()
      // A promise that is kept is due no more.
      expect(yield* dues).toEqual([600_000, undefined])
    }).pipe(
      Effect.provide(
        desked({
          sla,
          routing: { order: [{ by: "earliestDue" }] },
          agents: [
            agent("grace"),
            agent("linus", { capacity: { total: 1, perChannelKind: {} } }),
            agent("vera", { role: "supervisor" })
          ]
        })
      )
    )
  )

  it.effect("[DESK-131] where they don't, nobody looks at them", () =>
    Effect.gen(function* () {
      yield* arrive("sms", [message("one")])
      expect(yield* dues).toEqual([undefined])
    }).pipe(Effect.provide(desked({ sla })))
  )
})

describe("placement", () => {
  const { account, all, contact, language, not, phoneNumber, time, topic, words, workdays } = Placement
  const placement: Placement.Placement = {
    rules: [
      {
        ruleId: "gold",
        when: contact(Requirement.attribute("plan").equals("gold")),
        to: { queueId: "billing", priority: 15, weight: 2, attributes: { served: "first" } }
      },
      {
        ruleId: "refunds",
        when: words("refund*"),
        to: { queueId: "billing", requirement: Requirement.skill("refunds") }
      },
      { ruleId: "returns", when: topic("return"), to: { queueId: "returns" } },
      { ruleId: "spanish", when: all(language("es"), account("sms-account")), to: { queueId: "es" } },
      { ruleId: "abroad", when: not(phoneNumber("+34")), to: { queueId: "abroad" } },
      {
        ruleId: "day",
        // The clock of the tests begins on a Thursday at midnight.
        when: time("UTC", workdays({ opens: "09:00", closes: "18:00" })),
        to: { queueId: "day" }
      }
    ],
    otherwise: { queueId: "night" }
  }
  const queues = ["billing", "returns", "es", "abroad", "day", "night"].map((queueId) => ({
    queueId,
    requirement: Requirement.anyone
  }))
  const routing: DeskRouting = { queues, placement }
  const teams = [team("billing"), team("returns")]

  it.effect("[DESK-132] rules choose where a conversation goes by what is known when it begins", () =>
    Effect.gen(function* () {
      const spanish = { addresses: [{ kind: "phone", value: phone(3), state: "verified" as const }], language: "es" }
      yield* arrive("sms", [message("Can I have a REFUND?", { phone: phone(1) })])
      yield* TestClock.adjust(1)
      yield* arrive("sms", [message("Hello", { phone: phone(2) })])
      yield* TestClock.adjust(1)
      yield* arrive("sms", [message("Hola", { from: spanish })])
      yield* TestClock.adjust(1)
      yield* arrive("sms", [message("Bonjour", { phone: "+33600000001" })])
      yield* TestClock.adjust("9 hours")
      yield* arrive("sms", [message("Good morning", { phone: phone(4) })])
      expect((yield* pooled).map(({ item }) => [item.queueId, item.requirement, item.priority])).toEqual([
        ["billing", Requirement.skill("refunds"), 0],
        ["night", undefined, 0],
        ["es", undefined, 0],
        ["abroad", undefined, 0],
        ["day", undefined, 0]
      ])
    }).pipe(Effect.provide(desked({ routing, teams })))
  )

  it.effect("[DESK-132] what somebody asks for by name comes before the rules, and so does a priority", () =>
    Effect.gen(function* () {
      const desk = yield* Desk
      yield* arrive("sms", [message("refund")])
      const { itemId } = yield* onlyItem
      const id = itemId as never
      yield* desk.execute(supervisor, id, { type: "SetPriority", priority: "high" })
      yield* desk.execute(supervisor, id, { type: "TransferConversation", wanted: { teamId: "returns" as never } })
      yield* desk.drain()
      expect(yield* onlyItem).toMatchObject({
        queueId: "returns",
        priority: 10,
        requirement: { kind: "all", of: [{ kind: "team", team: "returns" }] }
      })
      // Once nobody asks any more the rules hold again.
      yield* desk.execute(supervisor, id, { type: "TransferConversation", wanted: {} })
      yield* desk.drain()
      expect(yield* onlyItem).toMatchObject({
        queueId: "billing",
        priority: 10,
        requirement: Requirement.skill("refunds")
      })
      // A tag is a topic, for whoever comes to wait after it was given; words come first here.
      yield* desk.execute(supervisor, id, { type: "AddTag", tag: "return" })
      yield* desk.drain()
      expect(yield* onlyItem).toMatchObject({ queueId: "billing" })
    }).pipe(Effect.provide(desked({ routing, teams })))
  )

  it.effect(
    "[DESK-132, DESK-133] a rule sees the contact's attributes, and the pool keeps only what the rule says",
    () =>
      Effect.gen(function* () {
        const desk = yield* Desk
        yield* arrive("sms", [message("one xylophone", { phone: phone(1) })])
        const [row] = (yield* desk.inbox(supervisor)).rows
        const root = actor("root", "administrator")
        const attributes = { plan: "gold", instrument: "xylophone" }
        yield* desk.executeOnContact(root, row!.contactId, { type: "UpdateContact", attributes })
        yield* desk.execute(supervisor, row!.conversationId, {
          type: "SetAttributes",
          attributes: { more: "xylophone" }
        })
        yield* desk.execute(supervisor, row!.conversationId, { type: "TransferConversation", wanted: {} })
        yield* desk.drain()
        expect(yield* onlyItem).toMatchObject({
          queueId: "billing",
          priority: 15,
          weight: 2,
          attributes: { served: "first" }
        })
        // The conversation's own priority and back again: the rule's holds.
        yield* desk.execute(supervisor, row!.conversationId, { type: "SetPriority", priority: "urgent" })
        yield* desk.drain()
        expect((yield* onlyItem).priority).toBe(20)
        yield* desk.execute(supervisor, row!.conversationId, { type: "SetPriority", priority: "normal" })
        yield* desk.drain()
        expect((yield* onlyItem).priority).toBe(15)

        const { workspace } = desk.environment
        const journal = yield* Effect.promise(() => workspace.journal(0, 1000))
        const pool = JSON.stringify([yield* pooled, journal.filter(({ stream }) => stream.startsWith("pool"))])
        expect(pool).not.toContain("xylophone")
        expect(pool).not.toContain("gold")
      }).pipe(Effect.provide(desked({ routing, teams })))
  )

  it("[DESK-134] a rule that can't be used is refused with its field", () => {
    const to = { queueId: "nowhere" }
    const rules = [{ ruleId: "a", when: words("x"), to }]
    expect(refused({ routing: { placement: { rules, otherwise: { queueId: "main" } } } })).toMatchObject({
      field: "routing.placement.rules[0].to.queueId",
      found: '"nowhere"'
    })
    const twice = [rules[0]!, rules[0]!]
    const error = refused({ routing: { placement: { rules: twice, otherwise: { queueId: "main" } } } })
    expect(error.field).toBe("routing.placement")
    expect(error.found).toContain("rules[1].ruleId")
  })

  it.effect("[DESK-134] one that is probably not meant is reported in the log", () => {
    const logged: Array<unknown> = []
    const rules = ["a", "b"].map((ruleId) => ({ ruleId, when: words("x"), to: { queueId: "main" } }))
    return Effect.gen(function* () {
      yield* Desk
      expect(logged).toEqual([expect.stringContaining("rules[1]")])
    }).pipe(
      Effect.provide(desked({ routing: { placement: { rules, otherwise: { queueId: "main" } } } })),
      Effect.provide(Logger.layer([Logger.make(({ message: said }) => void logged.push(...[said].flat()))]))
    )
  })
})
