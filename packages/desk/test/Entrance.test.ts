import { runInNewContext } from "node:vm"
import { describe, expect, it } from "@effect/vitest"
import type { Channel, Inbound } from "@switchboard/channel"
import { Effect } from "effect"
import { TestClock } from "effect/testing"
import { toBytes } from "../src/Deliveries.ts"
import { Desk } from "../src/Desk.ts"
import { actor, config, layer, message, platform, post, quietly, supervisor } from "./harness.ts"

const bytesOf = (text: string) => new TextEncoder().encode(text)

/** A channel whose entries are handed over as they are, bytes and all. */
const direct = (kind: string, more: Parameters<typeof platform>[1] = {}) => {
  const made = platform(kind, more)
  let next: ReadonlyArray<Inbound.Entry> = []
  const channel = { ...made.channel, decode: () => ({ ok: true as const, value: next }) }
  const give = (entries: ReadonlyArray<Inbound.Entry>) =>
    Effect.suspend(() => {
      next = entries
      return post(kind, [])
    })
  return { ...made, channel, give }
}

const spoken = Effect.gen(function* () {
  const desk = yield* Desk
  const { rows } = yield* desk.inbox(supervisor)
  const all = yield* Effect.forEach(rows, (row) => desk.conversation(supervisor, row.conversationId))
  return all.flatMap(({ messages }) => messages.map((one) => (one.parts[0]?.kind === "text" ? one.parts[0].text : "")))
})

const file = (text: string) => ({
  id: "f" as never,
  mediaType: "text/plain",
  content: { bytes: bytesOf(text) }
})

describe("what comes in", () => {
  it.effect("[DESK-74] keeps its order, whatever is attached to it", () => {
    const mail = direct("mail")
    return Effect.gen(function* () {
      const desk = yield* Desk
      yield* mail.give([message("first", { attachments: [file("a")] }), message("second")])
      yield* desk.drain()
      expect(yield* spoken).toEqual(["first", "second"])
    }).pipe(Effect.provide(layer(config({ channels: [mail.channel] }))))
  })

  it.effect("[DESK-1] comes in also where a channel answers with a promise that is not this realm's", () => {
    const made = direct("mail")
    // Of another realm: no instance of this one's.
    const others = runInNewContext("Promise") as PromiseConstructor
    const later = <A>(value: A | Promise<A>): Promise<A> => others.resolve(value) as Promise<A>
    const { verify, decode }: Channel.Channel = made.channel
    const channel: Channel.Channel = {
      ...made.channel,
      verify: (request) => later(verify(request)),
      decode: (input) => later(decode(input))
    }
    return Effect.gen(function* () {
      const desk = yield* Desk
      yield* made.give([message("hello")])
      yield* desk.drain()
      expect(yield* spoken).toEqual(["hello"])
    }).pipe(Effect.provide(layer(config({ channels: [channel] }))))
  })

  it.effect("[DESK-75] leaves no bytes behind when it comes again or can't be used", () => {
    const mail = direct("mail")
    const made = config({ channels: [mail.channel] })
    return Effect.gen(function* () {
      const desk = yield* Desk
      const letter = message("once", { attachments: [file("a")] })
      yield* mail.give([letter])
      yield* mail.give([letter])
      yield* mail.give([message("lost", { account: "nowhere", attachments: [file("b")] })])
      const id = (yield* Effect.promise(() => desk.environment.workspace.query({ view: "conversations", limit: 1 })))
        .documents[0]!.key
      const write = (commandId: string) =>
        desk.reply(
          supervisor,
          id,
          { parts: [], attachments: [{ name: "c", mediaType: "text/plain", bytes: bytesOf("c") }] },
          { commandId }
        )
      yield* write("x")
      yield* write("x")
      expect(yield* Effect.promise(() => made.blobs.list("main", undefined, 10))).toHaveLength(2)
    }).pipe(Effect.provide(layer(made)))
  })

  it.effect("[DESK-76] with ids longer than any key, or larger than allowed, is kept all the same", () => {
    const mail = direct("mail", { threads: "topic" })
    return Effect.gen(function* () {
      const desk = yield* Desk
      const long = "x".repeat(900)
      const letter = message("long", {
        platformId: `${long}1`,
        entryId: `${long}1`,
        thread: { key: long, audience: "private", replyTo: [] }
      })
      yield* mail.give([letter, message("long too", { platformId: `${long}2`, entryId: `${long}2` })])
      yield* mail.give([letter])
      yield* mail.give([message("heavy", { attachments: [file("y".repeat(2000))] })])
      yield* desk.drain()
      expect((yield* spoken).sort()).toEqual(["heavy", "long", "long too"])
      const { rows } = yield* desk.inbox(supervisor)
      const details = yield* Effect.forEach(rows, (row) => desk.conversation(supervisor, row.conversationId))
      const heavy = details.flatMap((one) => one.messages).find((one) => one.attachments.length > 0)
      expect(heavy?.attachments[0]?.state).toBe("failed")
    }).pipe(Effect.provide(layer(config({ channels: [mail.channel], limits: { attachmentBytes: 1000 } }))))
  })

  it.effect("[DESK-76] that storage never takes becomes a dead letter, and is not asked for again", () => {
    const mail = direct("mail")
    return Effect.gen(function* () {
      const desk = yield* Desk
      const huge = message("z".repeat(30_000_000))
      const received = yield* mail.give([huge, message("fine", { phone: "+34600000002" })])
      expect(received).toMatchObject({ answer: { status: 200 } })
      yield* desk.drain()
      expect(yield* spoken).toEqual(["fine"])
      expect(yield* desk.deadLetters(supervisor)).toMatchObject([{ code: "notStorable" }])
    }).pipe(quietly(config({ channels: [mail.channel] })))
  })
})

describe("dead letters", () => {
  it.effect("[DESK-77] are kept once, however often they come, and end with everything they held", () => {
    const mail = direct("mail")
    const accounts = [...mail.channel.accounts]
    const channel = { ...mail.channel, accounts }
    return Effect.gen(function* () {
      const desk = yield* Desk
      const lost = message("lost", { account: "later", attachments: [file("papers")] })
      yield* mail.give([lost])
      yield* mail.give([lost])
      const letters = yield* desk.deadLetters(supervisor)
      expect(letters).toHaveLength(1)
      expect(yield* desk.redrive(supervisor, letters[0]!.id)).toMatchObject({ done: false })
      expect(yield* desk.deadLetters(supervisor)).toHaveLength(1)
      accounts[0] = { ...accounts[0]!, key: "later" }
      expect(yield* desk.redrive(supervisor, letters[0]!.id)).toEqual({ done: true, reason: null })
      yield* desk.drain()
      const [row] = (yield* desk.inbox(supervisor)).rows
      const { messages } = yield* desk.conversation(supervisor, row!.conversationId)
      const { bytes } = yield* desk.attachment(supervisor, messages[0]!.id, messages[0]!.attachments[0]!.id)
      const read = yield* Effect.promise(() => toBytes(bytes))
      expect(new TextDecoder().decode(read)).toBe("papers")
      expect(yield* desk.deadLetters(supervisor)).toEqual([])
      // Long after, when its ids are no longer claimed, it is still done.
      yield* TestClock.adjust("30 days")
      expect(yield* desk.redrive(supervisor, letters[0]!.id)).toEqual({ done: true, reason: null })
      yield* desk.drain()
      expect(yield* spoken).toEqual(["lost"])
      // And an erasure finds it.
      yield* desk.erase(actor("root", "administrator"), row!.contactId)
      const kept = yield* Effect.promise(() => desk.environment.workspace.query({ view: "deadLetters", limit: 10 }))
      expect(kept.documents).toEqual([])
    }).pipe(Effect.provide(layer(config({ channels: [channel] }))))
  })

  it.effect(
    "[DESK-78] hold what waited for its message to the end, and what waits for a channel that was taken away",
    () => {
      const sms = platform("sms")
      const edit: Inbound.Entry = {
        kind: "messageEdited",
        account: "key",
        entryId: "e1",
        occurredAtMs: 0,
        platformId: "never came",
        parts: [{ kind: "text", text: "new", format: "plain" }]
      }
      return Effect.gen(function* () {
        const made = config({ channels: [sms.channel] })
        yield* Effect.gen(function* () {
          const desk = yield* Desk
          yield* post("sms", [edit])
          for (let days = 0; days < 3; days++) {
            for (const pause of ["2 seconds", "10 seconds", "1 minutes", "10 minutes", "2 hours", "1 days"] as const) {
              yield* TestClock.adjust(pause)
              yield* desk.drain()
            }
          }
          expect(yield* desk.deadLetters(supervisor)).toMatchObject([{ code: "targetUnknown" }])
          yield* post("sms", [{ ...edit, entryId: "e2" }])
        }).pipe(Effect.provide(layer(made, "a")))
        yield* Effect.gen(function* () {
          const desk = yield* Desk
          yield* TestClock.adjust("1 minutes")
          yield* desk.drain()
          expect((yield* desk.deadLetters(supervisor)).map((one) => one.code).sort()).toEqual([
            "targetUnknown",
            "unknownChannel"
          ])
        }).pipe(Effect.provide(layer({ ...made, channels: [] }, "b")))
      })
    }
  )
})
