import { describe, expect, it } from "@effect/vitest"
import { MemoryStorage } from "@switchboard/storage"
import { Effect } from "effect"
import { Desk } from "../src/Desk.ts"
import { actor, arrive, config, firstId, layer, message, platform, post } from "./harness.ts"

const root = actor("root", "administrator")
const text = (words: string) => ({ parts: [{ kind: "text" as const, text: words, format: "plain" as const }] })

/** Somebody writes by phone and by mail: two contacts, a conversation each. */
const phoneAndLetter = Effect.fnUntraced(function* (words = "") {
  const desk = yield* Desk
  yield* post("sms", [message(`${words}by phone`)])
  yield* arrive("mail", [message(`${words}by mail`, { email: "ada@example.com" })])
  const { rows } = yield* desk.inbox(root)
  const of = (kind: string) => rows.find((row) => row.channelKinds[0] === kind)!
  return { phone: of("sms"), letter: of("mail") }
})

describe("contacts that are one person", () => {
  it.effect("[DESK-68] a merged contact writes on where they wrote; both sides see each other's conversations", () => {
    const sms = platform("sms")
    const mail = platform("mail", { threads: "topic" })
    return Effect.gen(function* () {
      const desk = yield* Desk
      const { phone, letter } = yield* phoneAndLetter()
      yield* desk.executeOnContact(root, phone.contactId, { type: "MergeContact", into: letter.contactId })
      const seen = (id: string) => Effect.map(desk.conversation(root, id), (one) => one.others.map((other) => other.id))
      expect(yield* seen(letter.conversationId)).toEqual([phone.conversationId])
      expect(yield* seen(phone.conversationId)).toEqual([letter.conversationId])
      expect((yield* desk.conversation(root, phone.conversationId)).contact?.id).toBe(letter.contactId)

      yield* arrive("sms", [message("by phone again")])
      const detail = yield* desk.conversation(root, phone.conversationId)
      expect(detail.messages.map((one) => one.author)).toEqual([
        { kind: "contact", id: phone.contactId },
        { kind: "contact", id: letter.contactId }
      ])
      expect((yield* desk.inbox(root)).rows).toHaveLength(2)
      // What they agreed to counts for both.
      yield* desk.executeOnContact(root, letter.contactId, {
        type: "GrantConsent",
        purpose: "marketing",
        channelKind: "sms",
        evidence: "said so"
      })
      yield* desk.reply(root, phone.conversationId, { ...text("an offer"), purpose: "marketing" })
      // And nobody is suggested to themselves.
      const contact = (yield* desk.conversation(root, letter.conversationId)).contact
      expect(contact?.suggestions).toEqual([])
    }).pipe(Effect.provide(layer(config({ channels: [sms.channel, mail.channel] }))))
  })

  it.effect("[DESK-92] a conversation names who was merged into its contact, until that is undone", () => {
    const sms = platform("sms")
    const mail = platform("mail", { threads: "topic" })
    return Effect.gen(function* () {
      const desk = yield* Desk
      const { phone, letter } = yield* phoneAndLetter()
      const mergedOf = (id: string) =>
        Effect.map(desk.conversation(root, id), (one) => one.merged.map((contact) => contact.id))
      expect(yield* mergedOf(letter.conversationId)).toEqual([])
      yield* desk.executeOnContact(root, phone.contactId, { type: "MergeContact", into: letter.contactId })
      expect(yield* mergedOf(letter.conversationId)).toEqual([phone.contactId])
      expect(yield* mergedOf(phone.conversationId)).toEqual([phone.contactId])
      yield* desk.executeOnContact(root, phone.contactId, { type: "UndoContactMerge" })
      expect(yield* mergedOf(letter.conversationId)).toEqual([])
      expect((yield* desk.conversation(root, phone.conversationId)).contact?.id).toBe(phone.contactId)
    }).pipe(Effect.provide(layer(config({ channels: [sms.channel, mail.channel] }))))
  })

  it.effect("[DESK-69] a merged-away contact's open conversation is tied to a new one, never joined", () => {
    const sms = platform("sms")
    const mail = platform("mail", { threads: "topic" })
    const chat = platform("chat")
    return Effect.gen(function* () {
      const desk = yield* Desk
      const { phone, letter } = yield* phoneAndLetter()
      yield* desk.executeOnContact(root, phone.contactId, { type: "MergeContact", into: letter.contactId })
      yield* desk.execute(root, letter.conversationId, { type: "CloseConversation" })
      yield* arrive("chat", [message("by chat", { email: "ada@example.com" })])
      const third = (yield* desk.inbox(root)).rows.find((row) => row.channelKinds[0] === "chat")!
      expect(third.conversationId).not.toBe(phone.conversationId)
      expect((yield* desk.conversation(root, third.conversationId)).conversation.links).toEqual([
        { kind: "related", conversationId: phone.conversationId }
      ])
    }).pipe(Effect.provide(layer(config({ channels: [sms.channel, mail.channel, chat.channel] }))))
  })
})

describe("an erasure", () => {
  it.effect("[DESK-70] leaves a record of who asked and when, and takes those who were merged along", () => {
    const sms = platform("sms")
    const mail = platform("mail", { threads: "topic" })
    return Effect.gen(function* () {
      const desk = yield* Desk
      const { phone, letter } = yield* phoneAndLetter("xylophone ")
      yield* desk.executeOnContact(root, phone.contactId, { type: "MergeContact", into: letter.contactId })
      const denied = yield* Effect.flip(desk.erase(actor("vera", "supervisor"), letter.contactId))
      expect(denied._tag).toBe("RejectedError")
      yield* desk.erase(root, letter.contactId)
      yield* desk.drain()
      const { workspace } = desk.environment
      const events = yield* Effect.promise(() => workspace.stream(`contact/${letter.contactId}`))
      expect(events.at(-1)).toMatchObject({
        type: "ContactErased",
        body: { meta: { actor: { kind: "agent", id: "root" }, recordedAtMs: 0 } }
      })
      const everything = yield* Effect.promise(async () =>
        JSON.stringify([
          await workspace.journal(0, 1000),
          await Promise.all(
            ["conversations", "messages", "contacts", "threads", "inbox"].map((view) =>
              workspace.query({ view, limit: 1000 })
            )
          )
        ])
      )
      for (const trace of ["xylophone", "+34600000001", "ada@example.com"]) expect(everything).not.toContain(trace)
      // Once more finds nothing left, and is no error: a first try may have died half-way.
      expect(yield* desk.erase(root, letter.contactId)).toMatchObject({ events: 0 })
    }).pipe(Effect.provide(layer(config({ channels: [sms.channel, mail.channel] }))))
  })

  it.effect("[DESK-71] by one process is not undone by what another remembers", () => {
    const sms = platform("sms")
    const memory = MemoryStorage.make()
    const shared = { ...memory, capabilities: { ...memory.capabilities, multiProcess: true } }
    const made = config({ channels: [sms.channel] }, shared)
    return Effect.gen(function* () {
      const desk = yield* Desk
      yield* arrive("sms", [message("hello")])
      const id = yield* firstId
      yield* desk.execute(root, id, { type: "SetSubject", subject: "xylophone" })
      const { contactId } = (yield* desk.conversation(root, id)).conversation
      yield* Effect.gen(function* () {
        const other = yield* Desk
        yield* other.erase(root, contactId)
        yield* other.drain()
      }).pipe(Effect.provide(layer(made, "other")))
      const denied = yield* Effect.flip(desk.execute(root, id, { type: "SetSubject", subject: "again" }))
      expect(denied._tag).toBe("RejectedError")
      yield* desk.execute(root, id, { type: "AddTag", tag: "vip" })
      const kept = yield* Effect.promise(() => memory.query("main", { view: "conversations", limit: 10 }))
      expect(kept.documents[0]!.document["tags"]).toEqual(["vip"])
      expect(JSON.stringify(kept)).not.toMatch(/xylophone|again|\+34600000001/)
    }).pipe(Effect.provide(layer(made)))
  })

  it.effect("[DESK-71] nobody joins what was an erased contact's, on any way in", () => {
    const mail = platform("mail", { threads: "topic" })
    const chat = platform("chat")
    return Effect.gen(function* () {
      const desk = yield* Desk
      const letter = message("first", { email: "ada@example.com" })
      yield* arrive("mail", [letter])
      const { conversationId, contactId } = (yield* desk.inbox(root)).rows[0]!
      yield* desk.erase(root, contactId)
      const answer = message("an answer", { email: "ada@example.com" })
      yield* post("mail", [
        {
          ...answer,
          thread: { ...answer.thread, token: `${conversationId}.1`, references: [letter.platformId] }
        }
      ])
      yield* arrive("chat", [message("by chat", { email: "ada@example.com" })])
      const { rows } = yield* desk.inbox(root)
      expect(rows).toHaveLength(2)
      expect((yield* desk.conversation(root, conversationId)).messages).toHaveLength(1)
      // People can count and close it, but nothing personal is written there any more.
      const refused = yield* Effect.flip(desk.reply(root, conversationId, text("dear Ada")))
      expect(refused).toMatchObject({ _tag: "RejectedError", rejection: { code: "contactErased" } })
      yield* desk.execute(root, conversationId, { type: "CloseConversation" })
    }).pipe(Effect.provide(layer(config({ channels: [mail.channel, chat.channel] }))))
  })

  it.effect("[DESK-72] of somebody whose jobs are running leaves nothing that they bring home", () => {
    const sms = platform("sms")
    let release: () => void = () => {}
    let asked = false
    const waiting = new Promise<void>((resolve) => {
      release = resolve
    })
    const channel = {
      ...sms.channel,
      fetch: async () => {
        asked = true
        await waiting
        return { outcome: "fetched" as const, bytes: new TextEncoder().encode("secret"), mediaType: "text/plain" }
      }
    }
    const made = config({ channels: [channel] })
    return Effect.gen(function* () {
      const desk = yield* Desk
      yield* post("sms", [
        message("see this", { attachments: [{ id: "a" as never, mediaType: "text/plain", content: { ref: "r" } }] })
      ])
      const page = yield* Effect.promise(() => desk.environment.workspace.query({ view: "contacts", limit: 1 }))
      const working = yield* Effect.forkChild(desk.drain())
      yield* Effect.promise(async () => {
        while (!asked) await new Promise((resolve) => setImmediate(resolve))
      })
      yield* desk.erase(root, page.documents[0]!.key)
      release()
      yield* Effect.promise(() => new Promise((resolve) => setTimeout(resolve, 20)))
      yield* Effect.exit(Effect.promise(() => Promise.resolve(working)))
      yield* desk.drain()
      expect(yield* Effect.promise(() => made.blobs.list("main", undefined, 10))).toEqual([])
    }).pipe(Effect.provide(layer(made)))
  })
})

describe("rights", () => {
  it.effect("[DESK-73] a contact acts for nobody but itself", () => {
    const sms = platform("sms")
    return Effect.gen(function* () {
      const desk = yield* Desk
      yield* arrive("sms", [message("mine"), message("theirs", { phone: "+34600000002" })])
      const { rows } = yield* desk.inbox(root)
      const [mine, theirs] = rows
      const me = { kind: "contact", id: mine!.contactId } as const
      const { messages } = yield* desk.conversation(root, theirs!.conversationId)
      const edit = { type: "AddReaction", messageId: messages[0]!.id, emoji: "x" } as const
      expect((yield* Effect.flip(desk.execute(me, theirs!.conversationId, edit)))._tag).toBe("RejectedError")
      const consent = { type: "GrantConsent", purpose: "marketing", channelKind: "sms", evidence: "x" } as const
      expect((yield* Effect.flip(desk.executeOnContact(me, theirs!.contactId, consent)))._tag).toBe("RejectedError")
      yield* desk.executeOnContact(me, mine!.contactId, consent)
      expect((yield* Effect.flip(desk.attachment(me, messages[0]!.id, "a")))._tag).toBe("RejectedError")
      expect((yield* Effect.flip(desk.offers(me)))._tag).toBe("RejectedError")
      expect((yield* Effect.flip(desk.reply(me, mine!.conversationId, text("as the business"))))._tag).toBe(
        "RejectedError"
      )
    }).pipe(Effect.provide(layer(config({ channels: [sms.channel] }))))
  })
})
