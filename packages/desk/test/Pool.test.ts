import { describe, expect, it } from "@effect/vitest"
import { Placement } from "@switchboard/routing"
import { MemoryStorage } from "@switchboard/storage"
import { Effect } from "effect"
import { TestClock } from "effect/testing"
import { Desk } from "../src/Desk.ts"
import type { DeskConfig, DeskRouting } from "../src/DeskConfig.ts"
import {
  actor,
  agent,
  arrive,
  bot,
  config,
  firstId,
  layer,
  message,
  offered,
  platform,
  post,
  supervisor
} from "./harness.ts"

const holds = (id: string) =>
  Effect.gen(function* () {
    const desk = yield* Desk
    return (yield* desk.board(supervisor)).agents.find((one) => one.agent.id === id)?.holds
  })

describe("what waits is offered", () => {
  it.effect("[DESK-64] a conversation that nobody holds is offered again when its contact ends the wait", () => {
    const sms = platform("sms")
    return Effect.gen(function* () {
      const desk = yield* Desk
      yield* arrive("sms", [message("one")])
      yield* desk.execute(supervisor, yield* firstId, { type: "WaitForContact" })
      yield* desk.drain()
      yield* desk.setPresence(actor("grace"), "grace", "available")
      expect(yield* desk.offers(actor("grace"))).toEqual([])
      yield* arrive("sms", [message("here it is")])
      expect(yield* desk.offers(actor("grace"))).toHaveLength(1)
    }).pipe(Effect.provide(layer(config({ channels: [sms.channel] }))))
  })

  it.effect("[DESK-64] one whose merge is undone is offered again", () => {
    const sms = platform("sms")
    return Effect.gen(function* () {
      const desk = yield* Desk
      yield* arrive("sms", [message("one"), message("two", { phone: "+34600000002" })])
      const { rows } = yield* desk.inbox(supervisor)
      const [from, into] = rows.map((row) => row.conversationId)
      yield* desk.execute(supervisor, from!, { type: "MergeConversation", into: into! })
      yield* desk.drain()
      yield* desk.execute(supervisor, from!, { type: "UndoMerge" })
      yield* desk.drain()
      expect((yield* desk.board(supervisor)).queues[0]?.waiting).toBe(2)
    }).pipe(Effect.provide(layer(config({ channels: [sms.channel] }))))
  })

  it.effect("[DESK-64] reopening makes one offer, to whoever held it before", () => {
    const sms = platform("sms")
    return Effect.gen(function* () {
      const desk = yield* Desk
      yield* desk.setPresence(actor("grace"), "grace", "available")
      yield* desk.setPresence(actor("linus"), "linus", "available")
      yield* arrive("sms", [message("one")])
      const id = yield* firstId
      yield* desk.pick(actor("grace"), id).pipe(Effect.catch(() => desk.acceptOffer(actor("linus"), `${id}.1`)))
      yield* desk.execute(supervisor, id, { type: "ResolveConversation" })
      yield* desk.drain()
      const before = yield* Effect.promise(() => desk.environment.workspace.streamVersion("pool/main"))
      yield* arrive("sms", [message("again")])
      const decided = yield* Effect.promise(() => desk.environment.workspace.stream("pool/main", before))
      expect(decided.map((event) => (event.body["decision"] as { type: string }).type)).toEqual([
        "itemQueued",
        "offerMade"
      ])
    }).pipe(Effect.provide(layer(config({ channels: [sms.channel] }))))
  })
})

describe("capacity", () => {
  it.effect("[DESK-65] taking control of what is resolved takes no capacity", () => {
    const sms = platform("sms")
    return Effect.gen(function* () {
      const desk = yield* Desk
      yield* arrive("sms", [message("one")])
      const id = yield* firstId
      yield* desk.execute(supervisor, id, { type: "ResolveConversation" })
      yield* desk.execute(supervisor, id, { type: "GiveControl", to: { kind: "agent", id: "grace" as never } })
      yield* desk.drain()
      expect(yield* holds("grace")).toBe(0)
      // It opens again: now it is work.
      yield* arrive("sms", [message("again")])
      expect((yield* desk.board(supervisor)).queues[0]?.waiting).toBe(1)
    }).pipe(Effect.provide(layer(config({ channels: [sms.channel] }))))
  })

  it.effect("[DESK-65] an accept of what was resolved meanwhile is refused and holds nothing", () => {
    const sms = platform("sms")
    return Effect.gen(function* () {
      const desk = yield* Desk
      const offer = yield* offered("sms", [message("one")])
      yield* desk.execute(supervisor, offer.conversationId, { type: "ResolveConversation" })
      const refused = yield* Effect.flip(desk.acceptOffer(actor("grace"), offer.offerId))
      expect(refused._tag).toBe("RoutingRefusedError")
      yield* desk.drain()
      expect(yield* holds("grace")).toBe(0)
    }).pipe(Effect.provide(layer(config({ channels: [sms.channel] }))))
  })
})

describe("agents who leave", () => {
  it.effect("[DESK-66] what an agent held who is no longer in the configuration is offered to the others", () => {
    const driver = MemoryStorage.make()
    const sms = platform("sms")
    const made = (agents: NonNullable<DeskConfig["agents"]>) => config({ channels: [sms.channel], agents }, driver)
    const boss = agent("vera", { role: "supervisor" })
    return Effect.gen(function* () {
      yield* Effect.gen(function* () {
        const desk = yield* Desk
        yield* desk.setPresence(actor("grace"), "grace", "available")
        yield* arrive("sms", [message("one"), message("two", { phone: "+34600000002" })])
        const offers = yield* desk.offers(actor("grace"))
        for (const { offerId } of offers) yield* desk.acceptOffer(actor("grace"), offerId)
        yield* desk.execute(actor("grace"), offers[1]!.conversationId, { type: "WaitForContact" })
        yield* desk.drain()
      }).pipe(Effect.provide(layer(made([agent("grace"), agent("linus"), boss]), "a")))
      yield* Effect.gen(function* () {
        const desk = yield* Desk
        yield* desk.setPresence(actor("linus"), "linus", "available")
        yield* desk.drain()
        expect(yield* desk.offers(actor("linus"))).toHaveLength(1)
        // The one that waited for its contact too.
        yield* arrive("sms", [message("more", { phone: "+34600000002" }), message("more")])
        expect(yield* desk.offers(actor("linus"))).toHaveLength(2)
      }).pipe(Effect.provide(layer(made([agent("linus"), boss]), "b")))
    })
  })
})

const sla = {
  calendars: [],
  policies: [
    {
      id: "standard",
      version: 1,
      targets: [
        {
          id: "first-reply",
          time: "elapsed" as const,
          durationMs: 600_000,
          starts: ["contactMessage" as const],
          fulfils: ["agentReply" as const]
        }
      ]
    }
  ]
}

/** A scenario in steps; `lives` says before which steps the desk is stopped and made anew on the same storage. */
const run = (restarts: ReadonlySet<number>, routing: DeskRouting = {}) =>
  Effect.gen(function* () {
    const driver = MemoryStorage.make()
    const sms = platform("sms")
    sms.answers.push(() => ({ outcome: "unavailable", code: "503", message: "down" }))
    const helper = bot(({ messages }) =>
      messages.some((one) => one.parts.some((part) => part.kind === "text" && part.text.startsWith("person")))
        ? { actions: [{ type: "handOff", summary: "please", reason: "asked" }] }
        : { actions: [{ type: "reply", parts: [{ kind: "text", text: "hello", format: "plain" }] }] }
    )
    const made = config(
      { channels: [sms.channel], bots: [helper], firstResponder: { bot: "helper" }, sla, routing },
      driver
    )
    const phones = ["+34600000001", "+34600000002", "+34600000003"]
    const sent = (text: string, phone: string) =>
      message(text, { phone, platformId: `${text}${phone}`, entryId: `${text}${phone}` })
    const steps: ReadonlyArray<Effect.Effect<unknown, unknown, Desk>> = [
      Effect.flatMap(Desk, (desk) => desk.setPresence(actor("grace"), "grace", "available")),
      post(
        "sms",
        phones.map((phone) => sent("hello", phone))
      ),
      post(
        "sms",
        phones.map((phone) => sent("person please", phone))
      ),
      TestClock.adjust("5 seconds"),
      Effect.flatMap(Desk, (desk) => desk.setPresence(actor("linus"), "linus", "available")),
      Effect.gen(function* () {
        const desk = yield* Desk
        const [offer] = (yield* desk.offers(actor("grace"))).toSorted((a, b) =>
          a.conversationId < b.conversationId ? -1 : 1
        )
        yield* desk.acceptOffer(actor("grace"), offer!.offerId)
        yield* desk.reply(actor("grace"), offer!.conversationId, {
          parts: [{ kind: "text", text: "yes", format: "plain" }]
        })
      }),
      TestClock.adjust("20 seconds"),
      TestClock.adjust("40 seconds"),
      TestClock.adjust("20 minutes")
    ]
    let life = 0
    let at = 0
    while (at < steps.length) {
      const until = [...restarts].filter((step) => step > at).sort((a, b) => a - b)[0] ?? steps.length
      const part = steps.slice(at, until)
      at = until
      yield* Effect.gen(function* () {
        const desk = yield* Desk
        for (const step of part) {
          yield* step
          yield* desk.drain()
        }
      }).pipe(Effect.provide(layer(made, `life${life++}`)))
    }
    const query = (view: string) => Effect.promise(() => driver.query("main", { view, limit: 100 }))
    // Ids differ from life to life; what they name doesn't.
    const items = (yield* query("poolItems")).documents.map(({ document }) => {
      const { item, place, offersMade } = document as never as {
        item: { arrivedAtMs: number; priority: number; queueId: string; dueAtMs?: number; weight: number }
        place: unknown
        offersMade: number
      }
      return [item.arrivedAtMs, item.priority, item.queueId, item.dueAtMs, item.weight, place, offersMade]
    })
    const agents = (yield* query("poolAgents")).documents.map(({ document }) => document)
    const clocks = (yield* query("slaRecords")).documents.map(
      ({ document }) => (document as never as { clocks: ReadonlyArray<{ cycle: unknown }> }).clocks
    )
    const journal = yield* Effect.promise(() => driver.journal("main", 0, 1000))
    const out = sms.sent.map(({ outbound }) => (outbound.kind === "message" ? outbound.messages[0]?.text?.body : ""))
    const sorted = (all: ReadonlyArray<unknown>) => all.map((one) => JSON.stringify(one)).sort()
    return {
      items: sorted(items),
      agents: sorted(agents),
      clocks: sorted(clocks),
      events: sorted(
        journal.map((event) => [
          event.type,
          (event.body["decision"] as { type?: string } | undefined)?.type,
          event.recordedAtMs
        ])
      ),
      out: sorted(out)
    }
  })

describe("a desk that is stopped and started", () => {
  it.effect("[DESK-67] amid offers, bot turns, clocks and deliveries ends where one ends that ran through", () =>
    Effect.gen(function* () {
      const through = yield* run(new Set()).pipe(Effect.provide(TestClock.layer()))
      expect(through.out.length).toBeGreaterThan(3)
      for (const restarts of [[2], [3], [5], [6], [7], [1, 2, 3, 4, 5, 6, 7, 8]]) {
        const again = yield* run(new Set(restarts)).pipe(Effect.provide(TestClock.layer()))
        expect(again, `restarted before ${restarts}`).toEqual(through)
      }
    })
  )

  it.effect("[DESK-67, DESK-131, DESK-132] also where due times order the work and rules place it", () =>
    Effect.gen(function* () {
      const placement = {
        rules: [{ ruleId: "hello", when: Placement.words("hello"), to: { queueId: "main", weight: 2, priority: 3 } }],
        otherwise: { queueId: "main" }
      }
      const routing: DeskRouting = { order: [{ by: "earliestDue" }], choice: [{ by: "sticky" }], placement }
      const through = yield* run(new Set(), routing).pipe(Effect.provide(TestClock.layer()))
      // Two wait, with the first message that the bot answered; the third was answered, and is due no more.
      const placed = (dueAtMs: string) => through.items.filter((item) => item.includes(`,3,"main",${dueAtMs},2,`))
      expect([placed("600000").length, placed("null").length]).toEqual([2, 1])
      for (const restarts of [[3], [5], [1, 2, 3, 4, 5, 6, 7, 8]]) {
        const again = yield* run(new Set(restarts), routing).pipe(Effect.provide(TestClock.layer()))
        expect(again, `restarted before ${restarts}`).toEqual(through)
      }
    })
  )
})
