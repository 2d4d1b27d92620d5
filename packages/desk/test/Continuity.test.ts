import { describe, expect, it } from "@effect/vitest"
import { Effect } from "effect"
import { Desk } from "../src/Desk.ts"
import { actor, arrive, config, firstId, layer, message, offered, platform, post } from "./harness.ts"

const twoAddresses = (platformId: string, text: string, kind: "visitor" | "phone", value: string, email?: string) =>
  message(text, {
    platformId,
    entryId: platformId,
    from: {
      addresses: [
        { kind, value, state: "verified" },
        ...(email ? [{ kind: "email", value: email, state: "verified" } as const] : [])
      ]
    },
    thread: { key: value, audience: "private", replyTo: [{ kind, value }] }
  })

describe("one person on several channels", () => {
  it.effect(
    "[DESK-30] an open matter goes on from mail to chat to phone: same conversation, same agent, nobody asks again",
    () => {
      const mail = platform("mail", { threads: "topic" })
      const chat = platform("chat")
      const whats = platform("whats")
      return Effect.gen(function* () {
        const desk = yield* Desk
        const offer = yield* offered("mail", [message("I was charged twice", { email: "ada@example.com" })])
        yield* desk.acceptOffer(actor("grace"), offer.offerId)
        yield* arrive("chat", [twoAddresses("v1", "any news?", "visitor", "visitor-1", "ada@example.com")])
        const detail = yield* desk.conversation(actor("grace"), offer.conversationId)
        expect(detail.messages.map((one) => one.threadId.split(".").at(-1))).toEqual(["1", "2"])
        expect(detail.conversation.threads.map((thread) => thread.channelKind)).toEqual(["mail", "chat"])
        expect(detail.contact?.addresses.map((address) => address.kind).sort()).toEqual(["email", "visitor"])

        // The number is on the card, proven elsewhere.
        yield* desk.executeOnContact(actor("root", "administrator"), detail.contact!.id, {
          type: "AddAddress",
          address: { kind: "phone", value: "+34600000077", state: "verified" }
        })
        yield* arrive("whats", [message("now from my phone", { phone: "+34600000077" })])
        const after = yield* desk.conversation(actor("grace"), offer.conversationId)
        expect(after.messages).toHaveLength(3)
        expect(after.conversation.control.holder).toEqual({ kind: "agent", id: "grace" })
        expect((yield* desk.inbox(actor("grace"))).rows).toHaveLength(1)

        yield* desk.reply(actor("grace"), offer.conversationId, {
          parts: [{ kind: "text", text: "refunded", format: "plain" }]
        })
        yield* desk.drain()
        // The answer goes where they last wrote.
        expect([mail.sent.length, chat.sent.length, whats.sent.length]).toEqual([0, 0, 1])
      }).pipe(Effect.provide(layer(config({ channels: [mail.channel, chat.channel, whats.channel] }))))
    }
  )

  it.effect(
    "[DESK-31] with the policy link a second channel opens a conversation of its own, tied to the open one",
    () => {
      const sms = platform("sms")
      const chat = platform("chat")
      return Effect.gen(function* () {
        const desk = yield* Desk
        yield* post("sms", [message("one")])
        yield* arrive("chat", [message("two")])
        const { rows } = yield* desk.inbox(actor("grace"))
        expect(rows).toHaveLength(2)
        const second = yield* desk.conversation(
          actor("grace"),
          rows.find((row) => row.channelKinds[0] === "chat")!.conversationId
        )
        expect(second.conversation.links.map((link) => link.kind)).toEqual(["related"])
        expect(second.others).toHaveLength(1)
      }).pipe(Effect.provide(layer(config({ channels: [sms.channel, chat.channel], continuity: "link" }))))
    }
  )

  it.effect(
    "[DESK-32] an address that is only claimed never joins; the other contact is suggested with the evidence",
    () => {
      const mail = platform("mail", { threads: "topic" })
      const chat = platform("chat")
      return Effect.gen(function* () {
        const desk = yield* Desk
        yield* post("chat", [message("signed in", { email: "ada@example.com" })])
        const spoofed = message("I say I am Ada", { email: "ada@example.com" })
        yield* arrive("mail", [
          { ...spoofed, from: { addresses: [{ kind: "email", value: "ada@example.com", state: "claimed" }] } }
        ])
        const { rows } = yield* desk.inbox(actor("grace"))
        expect(new Set(rows.map((row) => row.contactId)).size).toBe(2)
        const claimed = yield* desk.conversation(
          actor("grace"),
          rows.find((row) => row.channelKinds[0] === "mail")!.conversationId
        )
        expect(claimed.contact?.suggestions).toHaveLength(1)
        expect(claimed.contact?.suggestions[0]?.evidence).toContain("same email")
      }).pipe(Effect.provide(layer(config({ channels: [mail.channel, chat.channel] }))))
    }
  )

  it.effect("[DESK-33] nothing from a private thread reaches a public one", () => {
    const chat = platform("chat")
    const social = platform("social", { audiences: ["public", "private"] })
    return Effect.gen(function* () {
      const desk = yield* Desk
      yield* post("chat", [message("private matter")])
      yield* arrive("social", [
        { ...message("in public"), kind: "commentReceived", thread: { key: "post-1", audience: "public", replyTo: [] } }
      ])
      const { rows } = yield* desk.inbox(actor("grace"))
      expect(rows).toHaveLength(2)
      for (const row of rows) expect(row.channelKinds).toHaveLength(1)
    }).pipe(Effect.provide(layer(config({ channels: [chat.channel, social.channel] }))))
  })

  it.effect("[DESK-34] a reference to a conversation helps only those who belong to it", () => {
    const mail = platform("mail", { threads: "topic" })
    return Effect.gen(function* () {
      const desk = yield* Desk
      const first = message("about the invoice", { email: "ada@example.com" })
      yield* post("mail", [{ ...first, thread: { ...first.thread, key: first.platformId } }])
      const answer = message("more on it", { email: "ada@example.com" })
      yield* post("mail", [
        { ...answer, thread: { ...answer.thread, key: answer.platformId, references: [first.platformId] } }
      ])
      const stranger = message("let me read along", { email: "eve@example.com" })
      yield* arrive("mail", [
        { ...stranger, thread: { ...stranger.thread, key: stranger.platformId, references: [first.platformId] } }
      ])
      const { rows } = yield* desk.inbox(actor("grace"))
      const details = yield* Effect.forEach(rows, (row) => desk.conversation(actor("grace"), row.conversationId))
      expect(details.map((one) => one.messages.length).sort()).toEqual([1, 2])
    }).pipe(Effect.provide(layer(config({ channels: [mail.channel] }))))
  })

  it.effect("[DESK-35] a message to a resolved conversation opens it again, to a closed one a linked follow-up", () => {
    const sms = platform("sms")
    return Effect.gen(function* () {
      const desk = yield* Desk
      yield* arrive("sms", [message("hello")])
      const id = yield* firstId
      yield* desk.execute(actor("grace"), id, { type: "ResolveConversation" })
      yield* arrive("sms", [message("not yet")])
      expect((yield* desk.conversation(actor("grace"), id)).conversation).toMatchObject({ status: "open", cycle: 2 })
      yield* desk.execute(actor("vera", "supervisor"), id, { type: "CloseConversation" })
      yield* arrive("sms", [message("a new thing")])
      const { rows } = yield* desk.inbox(actor("grace"))
      expect(rows).toHaveLength(1)
      const next = yield* desk.conversation(actor("grace"), rows[0]!.conversationId)
      expect(next.conversation.links).toEqual([{ kind: "followUpOf", conversationId: id }])
      expect((yield* desk.conversation(actor("grace"), id)).conversation.links).toEqual([
        { kind: "followedUpBy", conversationId: next.conversation.id }
      ])
    }).pipe(Effect.provide(layer(config({ channels: [sms.channel] }))))
  })

  it.effect("[DESK-36] a message of a merged conversation goes on in the one it was merged into", () => {
    const sms = platform("sms")
    const mail = platform("mail", { threads: "topic" })
    return Effect.gen(function* () {
      const desk = yield* Desk
      yield* post("sms", [message("one")])
      yield* arrive("mail", [message("two", { email: "ada@example.com" })])
      const { rows } = yield* desk.inbox(actor("grace"))
      const from = rows.find((row) => row.channelKinds[0] === "sms")!.conversationId
      const into = rows.find((row) => row.channelKinds[0] === "mail")!.conversationId
      yield* desk.execute(actor("vera", "supervisor"), from, { type: "MergeConversation", into: into as never })
      yield* arrive("sms", [message("three")])
      const ring = yield* Effect.flip(
        desk.execute(actor("vera", "supervisor"), into, { type: "MergeConversation", into: from as never })
      )
      expect(ring).toMatchObject({ _tag: "RejectedError", rejection: { code: "mergeIntoItself" } })
      const detail = yield* desk.conversation(actor("grace"), into)
      expect(detail.conversation.links).toContainEqual({ kind: "mergedFrom", conversationId: from })
      expect(detail.conversation.threads.map((thread) => thread.channelKind)).toEqual(["mail", "sms"])
      expect(detail.messages).toHaveLength(2)
    }).pipe(Effect.provide(layer(config({ channels: [sms.channel, mail.channel] }))))
  })
})
