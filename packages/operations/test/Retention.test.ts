import { readdirSync, readFileSync } from "node:fs"
import { join } from "node:path"
import { it } from "@effect/vitest"
import { Desk } from "@switchboard/desk"
import { SqliteStorage } from "@switchboard/storage-sqlite"
import { Effect } from "effect"
import { TestClock } from "effect/testing"
import { expect } from "vitest"
import { agent, configure, makeFolder } from "./Fixture.ts"

it.effect("[DESK-113] of what retention removed no byte is left in a SQLite file, and the contact stays", () => {
  const folder = makeFolder()
  const filesWith = (text: string) =>
    readdirSync(folder).filter((name) => readFileSync(join(folder, name)).toString("latin1").includes(text))
  return Effect.gen(function* () {
    const desk = yield* Desk
    const write = (id: string, from: string, text: string) =>
      desk.receive("sms", {
        method: "POST",
        url: new URL("http://desk.test/channels/sms"),
        headers: {},
        body: new TextEncoder().encode(JSON.stringify({ id, from, text, file: `the file ${text}` })),
        receivedAtMs: 0
      })
    yield* write("old", "+34600000001", "xylophone ".repeat(30))
    yield* desk.drain()
    const [row] = (yield* desk.inbox(agent)).rows
    yield* desk.execute(agent, row!.conversationId, { type: "SetSubject", subject: "a xylophone" })
    yield* desk.execute(agent, row!.conversationId, { type: "ResolveConversation" })
    yield* desk.drain()
    expect(filesWith("xylophone")).not.toEqual([])

    yield* TestClock.adjust("31 days")
    yield* write("new", "+34600000002", "quagga")
    yield* desk.drain()
    expect(filesWith("xylophone")).toEqual([])
    expect(filesWith("quagga")).not.toEqual([])
    const { conversation, contact } = yield* desk.conversation(agent, row!.conversationId)
    expect(conversation).toMatchObject({ status: "closed", contentErasedAtMs: expect.any(Number) })
    expect(contact?.addresses.map(({ value }) => value)).toEqual(["+34600000001"])
  }).pipe(
    Effect.provide(
      Desk.layer({
        ...configure(SqliteStorage.make({ file: join(folder, "desk.db") })),
        retention: [{ afterDays: 30 }]
      })
    )
  )
})
