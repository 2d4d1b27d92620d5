import { describe, expect, it } from "@effect/vitest"
import { Effect, Fiber, Stream } from "effect"
import { TestClock } from "effect/testing"
import { Desk } from "../src/Desk.ts"
import { resolve } from "../src/DeskConfig.ts"
import { ConfigError } from "../src/DeskError.ts"
import { actor, agent, arrive, bot, config, firstId, layer, message, platform, post } from "./harness.ts"

const hour = 3_600_000
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
          durationMs: hour,
          starts: ["contactMessage" as const],
          fulfils: ["agentReply" as const],
          cancels: ["resolved" as const, "closed" as const],
          warnings: [{ share: 0.5 }]
        }
      ]
    }
  ]
}

describe("people's work", () => {
  it.effect("[DESK-40] commands need rights: agents don't close, contacts don't read, strangers do nothing", () => {
    const sms = platform("sms")
    return Effect.gen(function* () {
      const desk = yield* Desk
      yield* arrive("sms", [message("hello")])
      const { conversationId, contactId } = (yield* desk.inbox(actor("grace"))).rows[0]!
      const refusal = Effect.map(
        Effect.flip(desk.execute(actor("grace"), conversationId, { type: "CloseConversation" })),
        (error) => (error._tag === "RejectedError" ? error.rejection.code : error._tag)
      )
      expect(yield* refusal).toBe("notAllowed")
      const contact = { kind: "contact", id: contactId } as const
      expect((yield* Effect.flip(desk.inbox(contact)))._tag).toBe("RejectedError")
      expect((yield* Effect.flip(desk.conversation(contact, conversationId)))._tag).toBe("RejectedError")
      expect((yield* Effect.flip(desk.erase(actor("vera", "supervisor"), contactId)))._tag).toBe("RejectedError")
      expect((yield* Effect.flip(desk.setPresence(actor("grace"), "linus", "away")))._tag).toBe("RejectedError")
    }).pipe(Effect.provide(layer(config({ channels: [sms.channel] }))))
  })

  it.effect("[DESK-41] a command id is answered once; used for another command it is refused", () => {
    const sms = platform("sms")
    return Effect.gen(function* () {
      const desk = yield* Desk
      yield* arrive("sms", [message("hello")])
      const id = yield* firstId
      const first = yield* desk.execute(actor("grace"), id, { type: "AddTag", tag: "refund" }, { commandId: "x" })
      const second = yield* desk.execute(actor("grace"), id, { type: "AddTag", tag: "refund" }, { commandId: "x" })
      expect(second).toEqual({ ...first, repeated: true })
      const reused = yield* Effect.flip(
        desk.execute(actor("grace"), id, { type: "SetPriority", priority: "high" }, { commandId: "x" })
      )
      expect(reused._tag).toBe("CommandReusedError")
      // Another agent's ids are their own.
      yield* desk.execute(actor("linus"), id, { type: "AddTag", tag: "other" }, { commandId: "x" })
    }).pipe(Effect.provide(layer(config({ channels: [sms.channel] }))))
  })

  it.effect("[DESK-42] a snoozed conversation wakes at its time, and earlier when the contact writes", () => {
    const sms = platform("sms")
    return Effect.gen(function* () {
      const desk = yield* Desk
      yield* arrive("sms", [message("hello")])
      const id = yield* firstId
      const status = Effect.map(desk.conversation(actor("grace"), id), (one) => one.conversation.status)
      yield* desk.execute(actor("grace"), id, { type: "SnoozeConversation", untilMs: hour })
      yield* TestClock.adjust("59 minutes")
      yield* desk.drain()
      expect(yield* status).toBe("snoozed")
      yield* TestClock.adjust("1 minutes")
      yield* desk.drain()
      expect(yield* status).toBe("open")
      yield* desk.execute(actor("grace"), id, { type: "SnoozeConversation", untilMs: 3 * hour })
      yield* arrive("sms", [message("me again")])
      expect(yield* status).toBe("open")
    }).pipe(Effect.provide(layer(config({ channels: [sms.channel] }))))
  })

  it.effect("[DESK-43] clocks warn and breach at their exact instants, also when the desk slept meanwhile", () => {
    const sms = platform("sms")
    return Effect.gen(function* () {
      const desk = yield* Desk
      yield* arrive("sms", [message("hello")])
      const id = yield* firstId
      expect((yield* desk.conversation(actor("grace"), id)).clocks).toMatchObject([
        { target: "first-reply", state: "running", dueAtMs: hour, breachedAtMs: null }
      ])
      yield* TestClock.adjust("5 hours")
      yield* desk.drain()
      const { clocks, row } = yield* desk.conversation(actor("grace"), id)
      expect(clocks).toMatchObject([{ target: "first-reply", breachedAtMs: hour }])
      expect(row?.due).toMatchObject({ target: "first-reply", breached: true })
      const events = yield* Effect.promise(() => desk.environment.workspace.stream(`sla/${id}`))
      const kinds = events.map((event) => event.body["change"] as { kind: string; at: number })
      expect(kinds.map(({ kind, at }) => [kind, at])).toEqual([
        ["started", 0],
        ["warned", hour / 2],
        ["breached", hour]
      ])
      yield* desk.reply(actor("grace"), id, { parts: [{ kind: "text", text: "sorry", format: "plain" }] })
      yield* desk.drain()
      const share = yield* desk.metrics(actor("vera", "supervisor"), {
        measure: "sla-breach-share",
        fromMs: 0,
        toMs: 24 * hour
      })
      expect(share.total.share0to1).toBe(1)
    }).pipe(Effect.provide(layer(config({ channels: [sms.channel], sla }))))
  })

  it.effect("[DESK-44] context from other systems has a deadline; the conversation never waits for it", () => {
    const sms = platform("sms")
    return Effect.gen(function* () {
      const desk = yield* Desk
      yield* arrive("sms", [message("hello")])
      const { conversationId, contactId } = (yield* desk.inbox(actor("grace"))).rows[0]!
      const asking = yield* Effect.forkChild(desk.context(actor("grace"), contactId))
      expect((yield* desk.conversation(actor("grace"), conversationId)).messages).toHaveLength(1)
      yield* TestClock.adjust("2 seconds")
      expect(yield* Fiber.join(asking)).toEqual({ state: "late", provider: "shop", facts: [] })
    }).pipe(
      Effect.provide(
        layer(
          config({
            channels: [sms.channel],
            contextProvider: { name: "shop", deadlineMs: 2000, facts: () => new Promise(() => {}) }
          })
        )
      )
    )
  })

  it.effect("[DESK-45] the live stream resumes after a position without a gap", () => {
    const sms = platform("sms")
    return Effect.gen(function* () {
      const desk = yield* Desk
      const start = (yield* desk.health(actor("grace"))).position
      yield* post("sms", [message("one")])
      const first = yield* Stream.runCollect(Stream.take(desk.changes(actor("grace"), start), 3))
      yield* post("sms", [message("two")])
      const rest = yield* Stream.runCollect(Stream.take(desk.changes(actor("grace"), first.at(-1)!.position), 2))
      const positions = [...first, ...rest].map((change) => change.position)
      expect(positions).toEqual(positions.map((_, index) => start + 1 + index))
    }).pipe(Effect.provide(layer(config({ channels: [sms.channel] }))))
  })

  it.effect("[DESK-46] a supervisor gives a conversation to an agent; an agent picks one that waits", () => {
    const sms = platform("sms")
    return Effect.gen(function* () {
      const desk = yield* Desk
      yield* arrive("sms", [message("one"), message("two", { phone: "+34600000002" })])
      const [a, b] = (yield* desk.inbox(actor("grace"))).rows
      yield* desk.assign(actor("vera", "supervisor"), a!.conversationId, "linus")
      yield* desk.setPresence(actor("grace"), "grace", "busy")
      yield* desk.pick(actor("grace"), b!.conversationId)
      yield* desk.drain()
      const holders = (yield* desk.inbox(actor("grace"))).rows.map((row) => row.assignee)
      expect(holders.sort()).toEqual(["grace", "linus"])
      const taken = yield* Effect.flip(desk.pick(actor("grace"), a!.conversationId))
      expect(taken).toMatchObject({ _tag: "RoutingRefusedError", code: "item_taken" })
    }).pipe(Effect.provide(layer(config({ channels: [sms.channel] }))))
  })

  it.effect("[DESK-47] the board counts what waits and who holds what", () => {
    const sms = platform("sms")
    return Effect.gen(function* () {
      const desk = yield* Desk
      yield* post("sms", [message("one"), message("two", { phone: "+34600000002" })])
      yield* TestClock.adjust("10 seconds")
      yield* desk.drain()
      yield* desk.assign(actor("vera", "supervisor"), yield* firstId, "linus")
      yield* desk.drain()
      const board = yield* desk.board(actor("vera", "supervisor"))
      expect(board.queues).toEqual([{ queueId: "main", waiting: 1, oldestWaitMs: 10_000 }])
      expect(board.agents.find((one) => one.agent.id === "linus")?.holds).toBe(1)
      expect(board.waiting).toMatchObject([{ count: 2, oldestAgeMs: 10_000 }])
      expect(board.active).toBe(2)
    }).pipe(Effect.provide(layer(config({ channels: [sms.channel] }))))
  })
})

describe("configuration", () => {
  const refused = (more: Parameters<typeof config>[0]): ConfigError => {
    try {
      resolve(config(more))
    } catch (error) {
      if (error instanceof ConfigError) return error
    }
    throw new Error("nothing was refused")
  }

  it("[DESK-48] wrong configuration names the field, what was found and the fix", () => {
    const sms = platform("sms")
    expect(refused({ credentialSecret: "short" })).toMatchObject({ field: "credentialSecret", found: "5 characters" })
    const forgotten = undefined as unknown as string
    expect(refused({ credentialSecret: forgotten })).toMatchObject({ field: "credentialSecret", found: "nothing" })
    expect(refused({ publicUrl: "desk.example" })).toMatchObject({ field: "publicUrl", found: '"desk.example"' })
    expect(refused({ publicUrl: "https://desk.example/support" }).fix).toContain("https://desk.example")
    expect(refused({ agents: [agent("grace"), agent("grace")] })).toMatchObject({
      field: "agents",
      found: '"grace" twice'
    })
    expect(refused({ agents: [agent("grace", { teams: ["x" as never] })] }).field).toBe("agents.grace.teams")
    expect(refused({ firstResponder: { bot: "nobody" } }).field).toBe("firstResponder.bot")
    expect(
      refused({ bots: [bot(() => ({ actions: [] }))], firstResponder: { bot: "helper", channelKinds: ["fax"] } }).field
    ).toBe("firstResponder.channelKinds")
    expect(refused({ channels: [sms.channel, sms.channel] }).field).toBe("channels")
    expect(refused({ channels: [platform("sms", {}, "other").channel] }).fix).toContain("one workspace")
    expect(
      refused({ sla: { policies: [{ id: "p", version: 1, calendar: "none", targets: [] }], calendars: [] } }).field
    ).toBe("sla")
    expect(refused({ routing: { offerTimeoutMs: -1 } }).field).toBe("routing")
  })

  it("[DESK-104] a secret that is short or has white space is refused, and never shown", () => {
    const long = "0123456789abcdef0123456789abcdef"
    for (const secret of [`${long}\n`, ` ${long}`]) {
      const error = refused({ credentialSecret: secret })
      expect(error).toMatchObject({ field: "credentialSecret", found: "white space at an end" })
      expect(error.message).not.toContain(long)
    }
    const key = (secret: string) => refused({ apiKeys: [{ id: "crm", secret, role: "agent" }] })
    expect(key("crm-secret")).toMatchObject({ field: "apiKeys.crm.secret", found: "10 characters" })
    expect(key("")).toMatchObject({ found: "nothing" })
    expect(key(`${long}\r\n`)).toMatchObject({ found: "white space at an end" })
    for (const secret of [`${long} ${long}`, `${long}é`]) {
      expect(key(secret)).toMatchObject({ field: "apiKeys.crm.secret", found: "a character that no header carries" })
      expect(key(secret).message).not.toContain(long)
    }
  })

  it("[DESK-105] a file that is allowed fits into a request as base64", () => {
    expect(refused({ limits: { requestBytes: 1_000_000 } })).toMatchObject({
      field: "limits.attachmentBytes",
      found: "25000000, which as base64 has 33333336, more than the 1000000 of limits.requestBytes",
      fix: "raise limits.requestBytes above 33333336, or lower limits.attachmentBytes to 750000 at most"
    })
    const fitting = resolve(config({ limits: { requestBytes: 1_000_000, attachmentBytes: 750_000 } }))
    expect(fitting.limits.attachmentBytes).toBe(750_000)
    const { requestBytes, attachmentBytes } = resolve(config()).limits
    expect(btoa("x".repeat(attachmentBytes)).length).toBeLessThan(requestBytes)
  })
})

describe("personal data", () => {
  it.effect("[DESK-49] an erasure leaves no byte of the contact; conversations stay countable and closable", () => {
    const sms = platform("sms")
    const made = config({ channels: [sms.channel] })
    return Effect.gen(function* () {
      const desk = yield* Desk
      yield* post("sms", [
        message("my secret word is xylophone", {
          phone: "+34600123123",
          from: {
            addresses: [{ kind: "phone", value: "+34600123123", state: "verified", label: "Zebedee" }],
            name: "Zebedee Quux"
          }
        }),
        message("somebody else", { phone: "+34600000099" })
      ])
      yield* arrive("sms", [message("lost letter", { account: "nowhere", phone: "+34600123123" })])
      const row = (yield* desk.inbox(actor("grace"))).rows.find((one) => one.contactName === "Zebedee Quux")!
      yield* desk.reply(actor("grace"), row.conversationId, {
        parts: [{ kind: "text", text: "hello xylophone", format: "plain" }]
      })
      yield* desk.drain()
      const removed = yield* desk.erase(actor("root", "administrator"), row.contactId)
      expect(removed.events).toBeGreaterThan(3)
      yield* desk.drain()
      const { storage, workspace } = desk.environment
      const everything = yield* Effect.promise(async () =>
        JSON.stringify([
          await workspace.journal(0, 1000),
          await Promise.all(
            [
              "conversations",
              "messages",
              "contacts",
              "threads",
              "inbox",
              "deadLetters",
              "slaRecords",
              "metricBuckets",
              "poolItems"
            ].map((view) => workspace.query({ view, limit: 1000 }))
          ),
          await storage.due(Number.MAX_SAFE_INTEGER, ["deliver", "change", "fetch", "botTurn", "snooze", "entry"], 1000)
        ])
      )
      for (const trace of ["xylophone", "Zebedee", "+34600123123"]) expect(everything).not.toContain(trace)
      expect(everything).toContain("+34600000099")
      const { conversation, messages } = yield* desk.conversation(actor("grace"), row.conversationId)
      expect(messages.map((one) => one.parts)).toEqual([[], []])
      expect(conversation.messageCount).toBe(2)
      yield* desk.execute(actor("vera", "supervisor"), row.conversationId, { type: "CloseConversation" })
      yield* desk.drain()
      // They write again: a new person to us.
      yield* arrive("sms", [message("hello again", { phone: "+34600123123" })])
      expect((yield* desk.inbox(actor("grace"))).rows).toHaveLength(2)
    }).pipe(Effect.provide(layer(made)))
  })
})
