import { expect, it } from "@effect/vitest"
import { MemoryStorage, type StorageDriver } from "@switchboard/storage"
import { Effect, Scope } from "effect"
import { TestClock } from "effect/testing"
import { Desk } from "../src/Desk.ts"
import { actor, arrive, config, firstId, layer, message, platform, post } from "./harness.ts"

const grace = actor("grace")

it.effect("[DESK-106] a search finds what was said, with its place and its conversation's row", () => {
  const sms = platform("sms")
  return Effect.gen(function* () {
    const desk = yield* Desk
    yield* arrive("sms", [message("¿Dónde está mi pedido 4711?"), message("The parcel is lost, the parcel!")])
    const conversationId = yield* firstId
    yield* desk.note(grace, conversationId, { text: "Parcel depot asked" })
    yield* desk.drain()
    const found = yield* desk.search(grace, { text: "parc" })
    expect(found.behind).toBe(0)
    expect(found.messages.map(({ direction, snippet }) => [direction, snippet.text, snippet.matches])).toEqual([
      [
        "in",
        "The parcel is lost, the parcel!",
        [
          { start: 4, end: 10 },
          { start: 24, end: 30 }
        ]
      ],
      ["note", "Parcel depot asked", [{ start: 0, end: 6 }]]
    ])
    expect(found.messages[0]).toMatchObject({ conversationId, row: { conversationId, contactName: "Ada" } })
    const [accented] = (yield* desk.search(grace, { text: "donde 4711" })).messages
    expect(accented?.snippet.text).toContain("Dónde")
    expect((yield* desk.search(grace, { text: "parcel", limit: 1 })).messages).toHaveLength(1)
    expect((yield* desk.search(grace, { text: "?! " })).messages).toEqual([])
    expect(
      (yield* Effect.flip(desk.search({ kind: "contact", id: found.messages[0]!.row!.contactId }, { text: "parcel" })))
        ._tag
    ).toBe("RejectedError")
  }).pipe(Effect.provide(layer(config({ channels: [sms.channel] }))))
})

it.effect(
  "[DESK-106] a search finds contacts by name and address, and nothing of who was erased or what was deleted",
  () => {
    const sms = platform("sms")
    return Effect.gen(function* () {
      const desk = yield* Desk
      yield* arrive("sms", [message("a secret word"), message("another word")])
      const conversationId = yield* firstId
      const { contact, messages } = yield* desk.conversation(grace, conversationId)
      for (const text of ["ada", contact!.addresses[0]!.value])
        expect((yield* desk.search(grace, { text })).contacts.map(({ contactId, name }) => [contactId, name])).toEqual([
          [contact!.id, "Ada"]
        ])
      yield* post("sms", [
        { kind: "messageDeleted", account: "key", entryId: "d", occurredAtMs: 5, platformId: messages[0]!.platformId! }
      ])
      yield* desk.drain()
      const heard = Effect.map(desk.search(grace, { text: "word" }), (found) =>
        found.messages.map(({ snippet }) => snippet.text)
      )
      expect(yield* heard).toEqual(["another word"])
      yield* desk.erase(actor("root", "administrator"), contact!.id)
      yield* desk.drain()
      expect(yield* heard).toEqual([])
      expect((yield* desk.search(grace, { text: "ada" })).contacts).toEqual([])
    }).pipe(Effect.provide(layer(config({ channels: [sms.channel] }))))
  }
)

it.effect("[DESK-106] where the storage has no full text, a search says so, and everything else works", () => {
  const { fullText: _, ...memory } = MemoryStorage.make()
  const driver = { ...memory, capabilities: { ...memory.capabilities, fullText: false } }
  const sms = platform("sms")
  return Effect.gen(function* () {
    const desk = yield* Desk
    yield* arrive("sms", [message("hello")])
    const error = yield* Effect.flip(desk.search(grace, { text: "hello" }))
    expect([error._tag, error.message]).toEqual(["NotFoundError", "no such full text in this desk's storage: memory"])
    expect((yield* desk.inbox(grace)).rows).toHaveLength(1)
  }).pipe(Effect.provide(layer(config({ channels: [sms.channel] }, driver))))
})

/** Memory storage whose index is so many documents behind. */
const lagging = (behind: number) => {
  const memory = MemoryStorage.make()
  const left = { behind }
  const driver: StorageDriver.StorageDriver = {
    ...memory,
    fullText: {
      ...memory.fullText!,
      index: async (limit) => {
        left.behind = Math.max(0, left.behind - limit)
        return left.behind
      }
    }
  }
  return { driver, left }
}

it.effect("[DESK-107] a drain leaves nothing that is not searched", () => {
  const { driver, left } = lagging(5_000)
  return Effect.gen(function* () {
    expect(yield* (yield* Desk).drain()).toEqual({ level: true })
    expect(left.behind).toBe(0)
  }).pipe(Effect.provide(layer(config({}, driver))))
})

it.effect("[DESK-107] a desk that runs searches what came in a moment ago, and what came before it ran", () => {
  const { driver, left } = lagging(1_000)
  const sms = platform("sms")
  return Effect.gen(function* () {
    const desk = yield* Desk
    const scope = yield* Effect.scope
    yield* Effect.forkScoped(Effect.provideService(desk.run, Scope.Scope, scope))
    yield* TestClock.adjust("1 seconds")
    expect(left.behind).toBe(0)
    left.behind = 10
    yield* post("sms", [message("hello")])
    yield* TestClock.adjust("3 seconds")
    expect(left.behind).toBe(0)
  }).pipe(Effect.scoped, Effect.provide(layer(config({ channels: [sms.channel] }, driver))))
})
