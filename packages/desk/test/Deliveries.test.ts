import { describe, expect, it } from "@effect/vitest"
import type { Outbound } from "@switchboard/channel"
import { Effect } from "effect"
import { TestClock } from "effect/testing"
import { Desk } from "../src/Desk.ts"
import { actor, arrive, config, firstId, layer, message, type Platform, platform } from "./harness.ts"

const answered = Effect.fnUntraced(function* (sms: Platform, answers: ReadonlyArray<Outbound.SendResult>) {
  const desk = yield* Desk
  yield* arrive("sms", [message("hello")])
  const id = yield* firstId
  for (const answer of answers) sms.answers.push(() => answer)
  yield* desk.reply(actor("grace"), id, { parts: [{ kind: "text", text: "hi", format: "plain" }] })
  yield* desk.drain()
  return Effect.map(desk.conversation(actor("grace"), id), (one) => one.messages.at(-1)!.deliveries[0]!)
})
const unavailable = (retryAfterMs?: number): Outbound.SendResult => ({
  outcome: "unavailable",
  code: "http429",
  message: "slow down",
  ...(retryAfterMs !== undefined && { retryAfterMs })
})

describe("what a platform answers", () => {
  it.effect("[DESK-16] 429 and 5xx get bounded, spaced retries, not before the platform's own time", () => {
    const sms = platform("sms")
    return Effect.gen(function* () {
      const desk = yield* Desk
      const delivery = yield* answered(sms, [unavailable(60_000)])
      expect((yield* delivery).state).toBe("queued")
      yield* TestClock.adjust("59 seconds")
      yield* desk.drain()
      expect(sms.sent).toHaveLength(1)
      yield* TestClock.adjust("1 seconds")
      yield* desk.drain()
      expect(sms.sent).toHaveLength(2)
      expect((yield* delivery).state).toBe("sent")
      expect((yield* delivery).possiblyDuplicated).toBeUndefined()
      expect(new Set(sms.sent.map(({ context }) => context.idempotencyKey)).size).toBe(1)
    }).pipe(Effect.provide(layer(config({ channels: [sms.channel] }))))
  })

  it.effect(
    "[DESK-17] after the last attempt the delivery shows as failed with the reason, and can be sent again",
    () => {
      const sms = platform("sms")
      return Effect.gen(function* () {
        const desk = yield* Desk
        const delivery = yield* answered(
          sms,
          Array.from({ length: 8 }, () => unavailable())
        )
        for (let step = 0; step < 10; step++) {
          yield* TestClock.adjust("20 minutes")
          yield* desk.drain()
        }
        expect(sms.sent).toHaveLength(8)
        const failed = yield* delivery
        expect(failed.state).toBe("failed")
        expect(failed.failure?.message).toContain("given up after 8 attempts")
        const id = yield* firstId
        const { messages } = yield* desk.conversation(actor("grace"), id)
        const last = messages.at(-1)!
        yield* desk.execute(actor("grace"), id, {
          type: "RetryDelivery",
          messageId: last.id,
          deliveryId: last.deliveries[0]!.id
        })
        yield* desk.drain()
        expect((yield* delivery).state).toBe("sent")
      }).pipe(Effect.provide(layer(config({ channels: [sms.channel] }))))
    }
  )

  it.effect("[DESK-18] a refusal is never retried", () => {
    const sms = platform("sms")
    return Effect.gen(function* () {
      const desk = yield* Desk
      const delivery = yield* answered(sms, [
        { outcome: "refused", code: "blocked", message: "the contact blocked us" }
      ])
      yield* TestClock.adjust("1 hour")
      yield* desk.drain()
      expect(sms.sent).toHaveLength(1)
      expect(yield* delivery).toMatchObject({ state: "failed", failure: { code: "blocked", retryable: false } })
    }).pipe(Effect.provide(layer(config({ channels: [sms.channel] }))))
  })

  it.effect("[DESK-19] a send whose outcome is unknown is repeated and recorded as possibly duplicated", () => {
    const sms = platform("sms")
    return Effect.gen(function* () {
      const desk = yield* Desk
      const delivery = yield* answered(sms, [{ outcome: "unknown", code: "reset", message: "connection reset" }])
      yield* TestClock.adjust("5 seconds")
      yield* desk.drain()
      expect(yield* delivery).toMatchObject({ state: "sent", possiblyDuplicated: true })
    }).pipe(Effect.provide(layer(config({ channels: [sms.channel] }))))
  })

  it.effect("[DESK-20] with an idempotency key an unknown outcome is no duplicate", () => {
    const sms = platform("sms", { idempotentSend: true })
    return Effect.gen(function* () {
      const desk = yield* Desk
      const delivery = yield* answered(sms, [{ outcome: "unknown", code: "reset", message: "connection reset" }])
      yield* TestClock.adjust("5 seconds")
      yield* desk.drain()
      expect((yield* delivery).possiblyDuplicated).toBeUndefined()
    }).pipe(Effect.provide(layer(config({ channels: [sms.channel] }))))
  })

  it.effect("[DESK-21] messages of one thread go out one after another, a retry holds the next ones back", () => {
    const sms = platform("sms")
    return Effect.gen(function* () {
      const desk = yield* Desk
      yield* answered(sms, [unavailable()])
      const { rows } = yield* desk.inbox(actor("grace"))
      yield* desk.reply(actor("grace"), rows[0]!.conversationId, {
        parts: [{ kind: "text", text: "second", format: "plain" }]
      })
      yield* desk.drain()
      expect(sms.sent).toHaveLength(1)
      yield* TestClock.adjust("2 seconds")
      yield* desk.drain()
      expect(
        sms.sent.map(({ outbound }) => (outbound.kind === "message" ? outbound.messages[0]?.text?.body : ""))
      ).toEqual(["hi", "hi", "second"])
    }).pipe(Effect.provide(layer(config({ channels: [sms.channel] }))))
  })

  it.effect("[DESK-22] outside the platform's window nothing is sent and the reason is told", () => {
    const sms = platform("sms", { messagingWindowMs: 24 * 3_600_000 })
    return Effect.gen(function* () {
      const desk = yield* Desk
      yield* arrive("sms", [message("hello")])
      yield* TestClock.adjust("25 hours")
      const id = yield* firstId
      yield* desk.reply(actor("grace"), id, { parts: [{ kind: "text", text: "hi", format: "plain" }] })
      yield* desk.drain()
      expect(sms.sent).toHaveLength(0)
      const { messages } = yield* desk.conversation(actor("grace"), id)
      expect(messages.at(-1)!.deliveries[0]!.failure?.code).toBe("outsideMessagingWindow")
    }).pipe(Effect.provide(layer(config({ channels: [sms.channel] }))))
  })

  it.effect("[DESK-23] media that a platform only names is fetched by a job and stored", () => {
    const sms = platform("sms")
    return Effect.gen(function* () {
      const desk = yield* Desk
      yield* arrive("sms", [
        message("look", {
          parts: [{ kind: "attachment", attachmentId: "m1" as never }],
          attachments: [{ id: "m1" as never, mediaType: "image/png", content: { ref: "the bytes" } }]
        })
      ])
      const { rows } = yield* desk.inbox(actor("grace"))
      const { messages } = yield* desk.conversation(actor("grace"), rows[0]!.conversationId)
      const [attachment] = messages[0]!.attachments
      expect(attachment).toMatchObject({ state: "stored", sizeBytes: 9, mediaType: "text/plain" })
      const read = yield* desk.attachment(actor("grace"), messages[0]!.id, attachment!.id)
      const chunks = yield* Effect.promise(async () => {
        let text = ""
        for await (const chunk of read.bytes) text += new TextDecoder().decode(chunk)
        return text
      })
      expect(chunks).toBe("the bytes")
    }).pipe(Effect.provide(layer(config({ channels: [sms.channel] }))))
  })

  it.effect("[DESK-24] offers go only to those who consented", () => {
    const sms = platform("sms")
    return Effect.gen(function* () {
      const desk = yield* Desk
      yield* arrive("sms", [message("hello")])
      const { rows } = yield* desk.inbox(actor("grace"))
      const { conversationId, contactId } = rows[0]!
      const offer = desk.reply(actor("grace"), conversationId, {
        parts: [{ kind: "text", text: "20 % off", format: "plain" }],
        purpose: "marketing"
      })
      const refused = yield* Effect.flip(offer)
      expect(refused).toMatchObject({ _tag: "RejectedError", rejection: { code: "notAllowed" } })
      yield* desk.executeOnContact(actor("grace"), contactId, {
        type: "GrantConsent",
        purpose: "marketing",
        channelKind: "sms",
        evidence: "asked on the phone"
      })
      yield* offer
      yield* desk.drain()
      expect(sms.sent).toHaveLength(1)
    }).pipe(Effect.provide(layer(config({ channels: [sms.channel] }))))
  })
})
