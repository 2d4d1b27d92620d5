import { describe, expect, it } from "@effect/vitest"
import { Effect, Fiber, Stream } from "effect"
import { Desk } from "../src/Desk.ts"
import { actor, arrive, config, firstId, layer, message, platform, post, supervisor } from "./harness.ts"

const phone = "+34600000001"

/** A channel whose contacts read their own thread here. */
const chat = () => {
  const made = platform("chat", { contactReads: true })
  return {
    ...made,
    channel: {
      ...made.channel,
      verify: (request: Parameters<typeof made.channel.verify>[0]) =>
        request.url.searchParams.has("reader")
          ? {
              kind: "reads" as const,
              account: "key",
              address: { kind: "phone", value: phone, state: "verified" as const },
              threadKey: request.url.searchParams.get("reader")!,
              afterSequence: Number(request.url.searchParams.get("after") ?? 0),
              live: request.url.searchParams.has("live")
            }
          : made.channel.verify(request)
    }
  }
}

const read = Effect.fnUntraced(function* (after: number, live = false) {
  const desk = yield* Desk
  return yield* desk.receive("chat", {
    method: "GET",
    url: new URL(
      `http://desk.test/channels/chat/?reader=${encodeURIComponent(phone)}&after=${after}${live ? "&live=1" : ""}`
    ),
    headers: {},
    body: new Uint8Array(),
    receivedAtMs: 0
  })
})
const textOf = (message: { readonly parts: ReadonlyArray<{ readonly kind: string }> }) =>
  (message.parts[0] as { readonly text?: string } | undefined)?.text ?? ""

/** Everything a client reads that asks again until it has the head. */
const readAll = Effect.gen(function* () {
  const texts: Array<string> = []
  const sequences: Array<number> = []
  let last = 0
  for (let asked = 0; asked < 20; asked++) {
    const answer = yield* read(last)
    if (answer.kind !== "thread") throw new Error(answer.kind)
    const { messages, head } = answer.page
    for (const one of messages) {
      texts.push(textOf(one))
      sequences.push(one.sequence)
    }
    last = messages.at(-1)?.sequence ?? last
    if (last >= head) return { texts, sequences }
  }
  throw new Error("the head is never reached")
})

describe("a contact's thread", () => {
  it.effect("[DESK-87] is read to its end, page by page, however long and whatever else the conversation holds", () => {
    const site = chat()
    return Effect.gen(function* () {
      const desk = yield* Desk
      yield* arrive("chat", [message("0", { phone })])
      const id = yield* firstId
      for (let n = 0; n < 520; n++) yield* desk.note(actor("grace"), id, { text: "a note" })
      for (let n = 1; n < 620; n++) yield* post("chat", [message(String(n), { phone })])
      yield* desk.execute(supervisor, id, { type: "CloseConversation" })
      yield* post("chat", [message("follow-up", { phone })])
      const { texts, sequences } = yield* readAll
      expect(texts).toEqual([...Array.from({ length: 620 }, (_, n) => String(n)), "follow-up"])
      expect(sequences).toEqual(sequences.toSorted((a, b) => a - b))
      // Live as well, from the beginning in one go.
      const live = yield* read(0, true)
      if (live.kind !== "live") throw new Error(live.kind)
      const heard = yield* Stream.runCollect(Stream.take(live.stream, 621))
      expect(heard.at(-1)).toMatchObject({ event: "message", message: { parts: [{ text: "follow-up" }] } })
    }).pipe(Effect.scoped, Effect.provide(layer(config({ channels: [site.channel] }))))
  })

  it.effect("[DESK-88] keeps its messages and their sequence when its conversation goes on in another", () => {
    const site = chat()
    const mail = platform("mail", { threads: "topic" })
    return Effect.gen(function* () {
      const desk = yield* Desk
      // An older conversation that is itself a follow-up.
      yield* arrive("mail", [message("old mail", { email: "ada@example.com" })])
      const old = yield* firstId
      yield* desk.execute(supervisor, old, { type: "CloseConversation" })
      yield* post("mail", [message("mail", { email: "ada@example.com" })])
      yield* arrive("chat", [message("in chat", { phone })])
      const before = yield* readAll
      const { rows } = yield* desk.inbox(supervisor)
      const from = rows.find((row) => row.channelKinds[0] === "chat")!.conversationId
      const into = rows.find((row) => row.channelKinds[0] === "mail")!.conversationId
      yield* desk.execute(supervisor, from, { type: "MergeConversation", into: into as never })
      yield* arrive("chat", [message("still in chat", { phone })])
      const after = yield* readAll
      expect(after.texts).toEqual(["in chat", "still in chat"])
      expect(after.sequences[0]).toBe(before.sequences[0])
    }).pipe(Effect.provide(layer(config({ channels: [site.channel, mail.channel] }))))
  })

  it.effect("[DESK-89] shows that an agent types, to its own contact alone, and never the contact's own typing", () => {
    const site = chat()
    return Effect.gen(function* () {
      const desk = yield* Desk
      yield* arrive("chat", [message("hello", { phone }), message("other", { phone: "+34600000002" })])
      const { rows } = yield* desk.inbox(supervisor)
      const details = yield* Effect.forEach(rows, (row) => desk.conversation(supervisor, row.conversationId))
      const mine = details.find((one) => textOf(one.messages[0]!) === "hello")!.conversation.id
      const theirs = details.find((one) => textOf(one.messages[0]!) === "other")!.conversation.id
      const live = yield* read(0, true)
      if (live.kind !== "live") throw new Error(live.kind)
      const hearing = yield* Effect.forkChild(Stream.runCollect(Stream.take(live.stream, 2)))
      yield* Effect.promise(() => new Promise((resolve) => setTimeout(resolve, 20)))
      const { from, thread } = message("", { phone })
      yield* post("chat", [
        { kind: "typingChanged", account: "key", entryId: "t", occurredAtMs: 0, from, thread, typing: true }
      ])
      yield* desk.typing(actor("linus"), theirs, true)
      yield* desk.typing(actor("grace"), mine, true)
      expect((yield* Fiber.join(hearing)).at(-1)).toEqual({
        event: "typing",
        typing: { typing: true, authorName: "Grace" }
      })
      const denied = yield* Effect.flip(desk.typing({ kind: "contact", id: "x" as never }, mine, true))
      expect(denied._tag).toBe("RejectedError")
    }).pipe(Effect.scoped, Effect.provide(layer(config({ channels: [site.channel] }))))
  })

  it.effect("[DESK-91] whoever follows a conversation hears that its contact types, and it leaves no trace", () => {
    const site = chat()
    return Effect.gen(function* () {
      const desk = yield* Desk
      const other = "+34600000002"
      yield* arrive("chat", [message("hello", { phone }), message("other", { phone: other })])
      const { rows } = yield* desk.inbox(supervisor)
      const details = yield* Effect.forEach(rows, (row) => desk.conversation(supervisor, row.conversationId))
      const mine = details.find((one) => textOf(one.messages[0]!) === "hello")!.conversation.id
      const hearing = yield* Effect.forkChild(
        Stream.runCollect(Stream.take(desk.contactTyping(actor("grace"), mine), 2))
      )
      yield* Effect.promise(() => new Promise((resolve) => setTimeout(resolve, 20)))
      const before = (yield* desk.health(supervisor)).position
      const typing = (number: string, isTyping: boolean) => {
        const { from, thread } = message("", { phone: number })
        const entryId = `${number} ${isTyping}`
        return {
          kind: "typingChanged" as const,
          account: "key",
          entryId,
          occurredAtMs: 0,
          from,
          thread,
          typing: isTyping
        }
      }
      yield* post("chat", [typing(other, true)])
      yield* desk.typing(actor("linus"), mine, true)
      yield* post("chat", [typing(phone, true)])
      yield* post("chat", [typing(phone, false)])
      expect(yield* Fiber.join(hearing)).toEqual([{ typing: true }, { typing: false }])
      expect((yield* desk.health(supervisor)).position).toBe(before)
      const denied = yield* Effect.flip(Stream.runHead(desk.contactTyping({ kind: "contact", id: "x" as never }, mine)))
      expect(denied._tag).toBe("RejectedError")
    }).pipe(Effect.scoped, Effect.provide(layer(config({ channels: [site.channel] }))))
  })
})
