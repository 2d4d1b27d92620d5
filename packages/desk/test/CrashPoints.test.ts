import { expect, it } from "@effect/vitest"
import type { Outbound } from "@switchboard/channel"
import type { Message } from "@switchboard/conversation"
import { MemoryBlobStore, MemoryStorage, StorageFaults } from "@switchboard/storage"
import { Effect } from "effect"
import { TestClock } from "effect/testing"
import { Desk } from "../src/Desk.ts"
import { actor, bot, config, message, platform, post, quietly } from "./harness.ts"

/** What stays when a process dies: the database, the platform with what it got, and what it still has to redeliver. */
const world = () => {
  const received: Array<string> = []
  let replyTaken = false
  return {
    storage: MemoryStorage.make(),
    blobs: MemoryBlobStore.make(),
    received,
    pending: [
      message("one", { platformId: "p1", entryId: "p1" }),
      message("person", {
        platformId: "p2",
        entryId: "p2",
        attachments: [{ id: "m" as never, mediaType: "a/b", content: { ref: "r" } }]
      })
    ],
    isReplyTaken: () => replyTaken,
    takeReply: () => {
      replyTaken = true
    }
  }
}

/** One process's life: whatever it can do until it dies. Everything that was not acknowledged is tried again. */
const live = (made: ReturnType<typeof world>, crash: StorageFaults.Crash, life: string) => {
  const chat = platform("chat")
  const channel = crash.wrap({
    ...chat.channel,
    send: async (outbound: Outbound.Outbound) => {
      if (outbound.kind !== "message") return { outcome: "accepted" as const, platformIds: [] }
      made.received.push(outbound.messages[0]?.text?.body ?? "")
      return { outcome: "accepted" as const, platformIds: [`${outbound.messageId}-${made.received.length}`] }
    }
  })
  const helper = bot(({ messages }) =>
    messages.some((one) => one.platformId === "p2")
      ? { actions: [{ type: "handOff", summary: "please", reason: "asked" }] }
      : { actions: [{ type: "reply", parts: [{ kind: "text", text: "hello", format: "plain" }] }] }
  )
  return Effect.gen(function* () {
    const desk = yield* Desk
    yield* desk.setPresence(actor("grace"), "grace", "available")
    while (made.pending.length > 0) {
      yield* post("chat", [made.pending[0]!])
      made.pending.shift()
      yield* desk.drain()
    }
    yield* TestClock.adjust("2 minutes")
    yield* desk.drain()
    yield* desk.setPresence(actor("grace"), "grace", "available")
    yield* desk.drain()
    for (const offer of yield* desk.offers(actor("grace"))) yield* desk.acceptOffer(actor("grace"), offer.offerId)
    const { rows } = yield* desk.inbox(actor("grace"))
    if (!made.isReplyTaken()) {
      yield* desk.reply(
        actor("grace"),
        rows[0]!.conversationId,
        { parts: [{ kind: "text", text: "done", format: "plain" }] },
        { commandId: "reply-1" }
      )
      made.takeReply()
    }
    yield* desk.drain()
    yield* TestClock.adjust("5 minutes")
    yield* desk.drain()
    const { messages } = yield* desk.conversation(actor("grace"), rows[0]!.conversationId)
    return { rows, messages, health: yield* desk.health(actor("grace")) }
  }).pipe(
    quietly(
      config(
        { channels: [channel], bots: [helper], firstResponder: { bot: "helper" }, blobs: crash.wrap(made.blobs) },
        crash.wrap(made.storage)
      ),
      life
    )
  )
}

const said = (messages: ReadonlyArray<Message.Message>) =>
  messages
    .filter((one) => one.direction !== "note")
    .map((one) => (one.parts[0]?.kind === "text" ? one.parts[0].text : ""))

it.effect(
  "[DESK-25] dying before or after any storage or network call loses nothing and doubles nothing unmarked",
  () =>
    Effect.gen(function* () {
      const counting = StorageFaults.plan()
      yield* live(world(), counting, "count")
      const total = counting.calls()
      expect(total).toBeGreaterThan(50)
      for (let at = 1; at <= total; at++) {
        for (const when of ["before", "after"] as const) {
          const made = world()
          const crash = StorageFaults.plan({ at, when })
          yield* Effect.exit(live(made, crash, "first"))
          const after = yield* live(made, StorageFaults.plan(), "second")
          const where = `${when} call ${at}, ${crash.methods().at(-1)}`
          expect(after.rows, where).toHaveLength(1)
          expect(
            said(after.messages).filter((text) => text === "one"),
            where
          ).toHaveLength(1)
          expect(
            said(after.messages).filter((text) => text === "person"),
            where
          ).toHaveLength(1)
          expect(
            said(after.messages).filter((text) => text === "done"),
            where
          ).toHaveLength(1)
          expect(
            after.messages.flatMap((one) => one.attachments.map(({ state }) => state)),
            where
          ).toEqual(["stored"])
          expect(after.health.parked, where).toEqual([])
          expect(
            after.health.reactors.map(({ behind }) => behind),
            where
          ).toEqual([0, 0, 0, 0])
          for (const one of after.messages.filter(({ direction }) => direction === "out")) {
            const [text] = said([one])
            const times = made.received.filter((got) => got === text).length
            expect(one.deliveries[0]?.state, where).toBe("sent")
            expect(times, where).toBeGreaterThanOrEqual(1)
            // What the platform may have got twice says so.
            if (times > 1) expect(one.deliveries[0]?.possiblyDuplicated, where).toBe(true)
          }
        }
      }
    }),
  { timeout: 120_000 }
)
