import { expect, it } from "@effect/vitest"
import { Effect } from "effect"
import { TestClock } from "effect/testing"
import { Desk } from "../src/Desk.ts"
import { actor, arrive, bot, config, layer, message, platform, post } from "./harness.ts"

it.effect("[DESK-1] a message's whole journey: written, offered, accepted, answered, delivered, read", () => {
  const sms = platform("sms")
  return Effect.gen(function* () {
    const desk = yield* Desk
    yield* desk.setPresence(actor("grace"), "grace", "available")
    const first = message("My parcel is lost")
    yield* arrive("sms", [first])

    const offers = yield* desk.offers(actor("grace"))
    expect(offers).toHaveLength(1)
    expect(offers[0]!.row?.preview).toBe("My parcel is lost")
    yield* desk.acceptOffer(actor("grace"), offers[0]!.offerId)
    const { conversationId } = offers[0]!

    const answer = yield* desk.reply(
      actor("grace"),
      conversationId,
      { parts: [{ kind: "text", text: "I will look into it", format: "plain" }] },
      { commandId: "c1" }
    )
    const again = yield* desk.reply(
      actor("grace"),
      conversationId,
      { parts: [{ kind: "text", text: "I will look into it", format: "plain" }] },
      { commandId: "c1" }
    )
    expect(again).toEqual({ ...answer, repeated: true })
    yield* desk.drain()
    expect(sms.sent.map(({ outbound }) => outbound.kind === "message" && outbound.messages[0]?.text?.body)).toEqual([
      "I will look into it"
    ])

    for (const state of ["delivered", "read"] as const) {
      yield* post("sms", [
        { kind: "deliveryChanged", account: "key", entryId: state, occurredAtMs: 1, platformId: "sms-out-1", state }
      ])
    }
    yield* desk.drain()
    const detail = yield* desk.conversation(actor("grace"), conversationId)
    expect(detail.messages.map((one) => [one.direction, one.deliveries[0]?.state])).toEqual([
      ["in", undefined],
      ["out", "read"]
    ])
    expect(detail.conversation.control.holder).toEqual({ kind: "agent", id: "grace" })
    expect(detail.contact?.name).toBe("Ada")
    const { rows } = yield* desk.inbox(actor("grace"), { assignee: "grace" })
    expect(rows.map((row) => row.conversationId)).toEqual([conversationId])
    const opened = yield* desk.metrics(actor("vera", "supervisor"), {
      measure: "conversations-opened",
      fromMs: 0,
      toMs: 3_600_000
    })
    expect(opened.total.count).toBe(1)
  }).pipe(Effect.provide(layer(config({ channels: [sms.channel] }))))
})

it.effect("[DESK-2] a bot answers first and hands over with a summary", () => {
  const chat = platform("chat")
  return Effect.gen(function* () {
    const desk = yield* Desk
    yield* arrive("chat", [message("hello")])
    expect(chat.sent).toHaveLength(1)
    yield* arrive("chat", [message("a person please")])
    const { rows } = yield* desk.inbox(actor("grace"))
    expect(rows[0]?.holder).toEqual({ kind: "nobody" })
    const detail = yield* desk.conversation(actor("grace"), rows[0]!.conversationId)
    expect(detail.conversation.handoffSummary).toBe("wants a person")
    expect(detail.messages.map((one) => one.author.kind)).toEqual(["contact", "bot", "contact"])
  }).pipe(
    Effect.provide(
      layer(
        config({
          channels: [chat.channel],
          bots: [
            bot(({ messages }) =>
              messages.some((one) => one.parts.some((part) => part.kind === "text" && part.text.includes("person")))
                ? { actions: [{ type: "handOff", summary: "wants a person", reason: "asked" }] }
                : { actions: [{ type: "reply", parts: [{ kind: "text", text: "Hi!", format: "plain" }] }] }
            )
          ],
          firstResponder: { bot: "helper" }
        })
      )
    )
  )
})

it.effect("[DESK-3] an offer that nobody answers expires and goes on to the next", () => {
  const sms = platform("sms")
  return Effect.gen(function* () {
    const desk = yield* Desk
    yield* desk.setPresence(actor("grace"), "grace", "available")
    yield* arrive("sms", [message("anyone?")])
    expect(yield* desk.offers(actor("grace"))).toHaveLength(1)
    yield* desk.setPresence(actor("linus"), "linus", "available")
    yield* TestClock.adjust("31 seconds")
    yield* desk.drain()
    expect(yield* desk.offers(actor("grace"))).toHaveLength(0)
    expect(yield* desk.offers(actor("linus"))).toHaveLength(1)
  }).pipe(Effect.provide(layer(config({ channels: [sms.channel] }))))
})
