import { describe, expect, it } from "@effect/vitest"
import { MemoryStorage, Storage } from "@switchboard/storage"
import { Effect } from "effect"
import { TestClock } from "effect/testing"
import { test } from "vitest"
import * as Audit from "../src/Audit.ts"
import { Desk } from "../src/Desk.ts"
import { Credential, createDesk, DeskEvent, Views } from "../src/index.ts"
import { actor, arrive, config, layer, message, offered, platform, supervisor } from "./harness.ts"

const root = actor("root", "administrator")
const grace = actor("grace")
const text = (words: string) => ({ parts: [{ kind: "text" as const, text: words, format: "plain" as const }] })

/** Day by day: written, taken and answered, resolved, written again. */
const story = Effect.gen(function* () {
  const desk = yield* Desk
  const offer = yield* offered("sms", [message("where is my parcel?", { platformId: "p1", entryId: "p1" })])
  yield* TestClock.adjust("5 seconds")
  yield* desk.acceptOffer(grace, offer.offerId)
  yield* desk.drain()
  const id = offer.conversationId
  yield* TestClock.adjust("1 day")
  yield* desk.reply(grace, id, text("on its way"), { commandId: "k1", onBehalfOf: supervisor })
  yield* desk.execute(grace, id, { type: "SetSubject", subject: "a lost parcel" })
  yield* desk.drain()
  yield* TestClock.adjust("1 day")
  yield* arrive("sms", [
    {
      kind: "messageEdited",
      account: "key",
      entryId: "edit-1",
      occurredAtMs: 7,
      platformId: "p1",
      parts: [{ kind: "text", text: "where are my parcels?", format: "plain" }]
    }
  ])
  yield* desk.execute(grace, id, { type: "ResolveConversation" })
  yield* desk.drain()
  return id
})
const day = 24 * 3_600_000 + 5000

describe("an audit", () => {
  it.effect("[DESK-121] shows a conversation as it stood at an instant, and what changed it up to then", () => {
    const sms = platform("sms")
    return Effect.gen(function* () {
      const desk = yield* Desk
      const id = yield* story
      const { workspace } = desk.environment

      const first = yield* desk.audit(supervisor, id, { atMs: 0 })
      expect(first.conversation).toMatchObject({ status: "open", control: { holder: { kind: "nobody" } } })
      expect(first.changes.map(({ type }) => type)).toEqual(["ConversationOpened", "MessageReceived"])
      expect(first.changes[0]!.changed).toEqual([
        { field: "status", from: null, to: "open" },
        { field: "holder", from: null, to: "nobody" },
        { field: "priority", from: null, to: "normal" },
        { field: "cycle", from: null, to: 1 }
      ])

      const second = yield* desk.audit(supervisor, id, { atMs: day })
      expect(second.messages.map(({ parts }) => parts[0])).toMatchObject([
        { text: "where is my parcel?" },
        { text: "on its way" }
      ])
      expect(second.messages[1]!.deliveries).toMatchObject([{ state: "sent" }])
      expect(second.conversation).toMatchObject({ status: "open", subject: "a lost parcel" })
      const control = second.changes.find(({ type }) => type === "ControlChanged")!
      expect(control).toMatchObject({
        recordedAtMs: 5000,
        changed: [{ field: "holder", from: "nobody", to: "agent/grace" }],
        facts: { reason: "given", "control.holder.id": "grace", "control.fence": 2 }
      })
      const sent = second.changes.find(({ type }) => type === "MessageSent")!
      expect(sent).toMatchObject({
        recordedAtMs: day,
        actor: grace,
        onBehalfOf: supervisor,
        commandId: "k1",
        changed: [],
        facts: { direction: "out", sequence: 2, purpose: "service" }
      })

      const last = yield* desk.audit(root, id)
      expect(last.atMs).toBe(desk.environment.now())
      const now = yield* desk.conversation(root, id)
      expect(last.conversation).toEqual(now.conversation)
      expect(last.messages).toEqual(now.messages)
      expect(last.changes.find(({ type }) => type === "MessageEdited")).toMatchObject({ occurredAtMs: 7 })
      expect(last.changes.at(-1)!.changed).toContainEqual({ field: "status", from: "open", to: "resolved" })
      const rows = yield* Effect.promise(() => workspace.stream(`conversation/${id}`))
      expect(last.changes.map(({ position }) => position)).toEqual(rows.map(({ position }) => position))
      // What was said stands in the messages, once; no fact of a change is personal.
      expect(JSON.stringify(last.changes)).not.toMatch(/parcel|on its way|Ada|\+34600000001/)

      expect(yield* Effect.promise(() => Audit.read(workspace, id, -1))).toMatchObject({
        conversation: null,
        messages: [],
        changes: []
      })
    }).pipe(Effect.provide(layer(config({ channels: [sms.channel] }))))
  })

  it.effect("[DESK-121] at any instant it is what the first events tell", () => {
    const sms = platform("sms")
    return Effect.gen(function* () {
      const desk = yield* Desk
      const id = yield* story
      const rows = yield* Effect.promise(() => desk.environment.workspace.stream(`conversation/${id}`))
      const events = rows.map(DeskEvent.decode)
      for (const { recordedAtMs } of events) {
        const until = events.filter((one) => one.recordedAtMs <= recordedAtMs)
        const all = Audit.of(id, events, recordedAtMs)
        expect({ ...all, atMs: 0 }).toEqual({ ...Audit.of(id, until, Number.MAX_SAFE_INTEGER), atMs: 0 })
        expect(all.conversation?.version).toBe(until.length)
      }
      // Of another conversation's events it tells nothing.
      expect(Audit.of("another", events, Number.MAX_SAFE_INTEGER).changes).toEqual([])
    }).pipe(Effect.provide(layer(config({ channels: [sms.channel] }))))
  })

  it.effect("[DESK-122] is for supervisors and administrators, and reads the journal without a desk", () => {
    const sms = platform("sms")
    const memory = MemoryStorage.make()
    return Effect.gen(function* () {
      const desk = yield* Desk
      const id = yield* story
      expect(yield* Effect.flip(desk.audit(grace, id))).toMatchObject({ rejection: { code: "notAllowed" } })
      expect(yield* Effect.flip(desk.audit(root, "nowhere"))).toMatchObject({ _tag: "NotFoundError" })
      const asked = yield* desk.audit(root, id, { atMs: day })
      yield* Effect.promise(async () => {
        const storage = await Storage.open(memory, { views: Views.definitions, now: () => 0 })
        expect(await Audit.read(storage.workspace("main"), id, day)).toEqual(asked)
        // No other workspace has it.
        expect(await Audit.read(storage.workspace("theirs"), id, day)).toBeUndefined()
      })
    }).pipe(Effect.provide(layer(config({ channels: [sms.channel] }, memory))))
  })

  it.effect("[DESK-123] a desk of another workspace has nothing to audit", () => {
    const storage = MemoryStorage.make()
    const [ours, theirs] = [platform("sms"), platform("sms", {}, "theirs")]
    return Effect.gen(function* () {
      const id = yield* story
      yield* Effect.gen(function* () {
        expect((yield* Effect.flip((yield* Desk).audit(root, id)))._tag).toBe("NotFoundError")
      }).pipe(Effect.provide(layer(config({ channels: [theirs.channel], workspace: "theirs" }, storage), "theirs")))
    }).pipe(Effect.provide(layer(config({ channels: [ours.channel] }, storage))))
  })
})

test("[DESK-122] over HTTP it takes an instant, and is 403 for agents", async () => {
  const sms = platform("sms")
  const made = config({ channels: [sms.channel] })
  await using desk = await createDesk(made)
  await desk.fetch(
    new Request("http://desk.test/channels/sms/", {
      method: "POST",
      headers: { "x-signature": "good" },
      body: JSON.stringify([message("hello")])
    })
  )
  await desk.drain()
  const { rows } = await desk.inbox(root)
  const get = async (id: string, query = "") => {
    const token = await Credential.issue(made.credentialSecret, id, { nowMs: Date.now(), lifetimeMs: 60_000 })
    const path = `/api/conversations/${rows[0]!.conversationId}/audit${query}`
    return desk.fetch(new Request(`http://desk.test${path}`, { headers: { authorization: `Bearer ${token}` } }))
  }
  expect(await (await get("vera")).json()).toMatchObject({ conversation: { status: "open" }, messages: [{}] })
  expect(await (await get("root", "?atMs=1")).json()).toMatchObject({ atMs: 1, conversation: null, changes: [] })
  expect((await get("vera", "?atMs=yesterday")).status).toBe(400)
  const refused = await get("grace")
  expect([refused.status, refused.headers.get("content-type")]).toEqual([403, "application/problem+json"])
})
