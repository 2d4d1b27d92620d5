import { describe, expect, it } from "@effect/vitest"
import { MemoryStorage, type StorageDriver } from "@switchboard/storage"
import { Effect } from "effect"
import { Desk } from "../src/Desk.ts"
import { actor, arrive, config, layer, message, platform } from "./harness.ts"

const root = actor("root", "administrator")

const namesOf = Effect.gen(function* () {
  const desk = yield* Desk
  const rows = yield* Effect.promise(() => desk.environment.workspace.query({ view: "inbox", limit: 100 }))
  return rows.documents.map(({ document }) => document["contactName"])
})

describe("the rows of the inbox", () => {
  it.effect("[DESK-125] say what their contact is called now, also where nothing else has happened", () => {
    const sms = platform("sms")
    return Effect.gen(function* () {
      const desk = yield* Desk
      yield* arrive("sms", [message("first")])
      yield* arrive("sms", [message("of somebody else", { phone: "+34600000002" })])
      const { rows } = yield* desk.inbox(root)
      const { conversationId, contactId } = rows.find(({ preview }) => preview === "first")!
      yield* desk.execute(root, conversationId, { type: "CloseConversation" })
      yield* arrive("sms", [message("second")])
      expect(yield* namesOf).toEqual(["Ada", "Ada", "Ada"])

      yield* desk.executeOnContact(root, contactId, { type: "UpdateContact", name: "Ada Lovelace" })
      yield* desk.drain()
      expect((yield* namesOf).toSorted()).toEqual(["Ada", "Ada Lovelace", "Ada Lovelace"])
      // They are otherwise as they were.
      expect((yield* desk.inbox(root)).rows).toHaveLength(2)
      expect((yield* desk.inbox(root, { active: false })).rows).toMatchObject([{ preview: "first", status: "closed" }])
    }).pipe(Effect.provide(layer(config({ channels: [sms.channel] }))))
  })

  it.effect("[DESK-125] call a contact without a name by their first address", () => {
    const sms = platform("sms")
    return Effect.gen(function* () {
      const desk = yield* Desk
      const address = { kind: "phone", value: "+34600000001", state: "verified" } as const
      yield* arrive("sms", [message("first", { from: { addresses: [address] } })])
      const [row] = (yield* desk.inbox(root)).rows
      expect(row?.contactName).toBe("+34600000001")
      const mail = { kind: "email", value: "ada@example.com", state: "claimed" } as const
      yield* desk.executeOnContact(root, row!.contactId, { type: "AddAddress", address: mail })
      yield* desk.executeOnContact(root, row!.contactId, { type: "RemoveAddress", address })
      yield* desk.drain()
      expect(yield* namesOf).toEqual(["ada@example.com"])
    }).pipe(Effect.provide(layer(config({ channels: [sms.channel] }))))
  })

  it.effect(
    "[DESK-125] hold no name of somebody who was erased before the inbox had read what they were called",
    () => {
      const sms = platform("sms")
      return Effect.gen(function* () {
        const desk = yield* Desk
        yield* arrive("sms", [message("first")])
        const [row] = (yield* desk.inbox(root)).rows
        yield* desk.executeOnContact(root, row!.contactId, { type: "UpdateContact", name: "Ada Lovelace" })
        yield* desk.erase(root, row!.contactId)
        yield* desk.drain()
        expect(yield* namesOf).toEqual([""])
      }).pipe(Effect.provide(layer(config({ channels: [sms.channel] }))))
    }
  )

  it.effect("[DESK-125] are not written again for what changes nothing of them", () => {
    const sms = platform("sms")
    const memory = MemoryStorage.make()
    let written = 0
    const driver: StorageDriver.StorageDriver = {
      ...memory,
      commit: (group, nowMs) => {
        for (const { views = [] } of group) written += views.filter(({ view }) => view === "inbox").length
        return memory.commit(group, nowMs)
      }
    }
    return Effect.gen(function* () {
      const desk = yield* Desk
      yield* arrive("sms", [message("first")])
      const [row] = (yield* desk.inbox(root)).rows
      written = 0
      yield* desk.executeOnContact(root, row!.contactId, { type: "UpdateContact", attributes: { plan: "gold" } })
      const mail = { kind: "email", value: "ada@example.com", state: "claimed" } as const
      yield* desk.executeOnContact(root, row!.contactId, { type: "AddAddress", address: mail })
      yield* desk.drain()
      expect(written).toBe(0)
    }).pipe(Effect.provide(layer(config({ channels: [sms.channel] }, driver))))
  })

  it.effect("[DESK-125] of one contact follow at once, however many, up to the latest 10,000", () => {
    const sms = platform("sms")
    const driver = MemoryStorage.make()
    return Effect.gen(function* () {
      const desk = yield* Desk
      yield* arrive("sms", [message("first")])
      const { workspace } = desk.environment
      const [conversation] = (yield* Effect.promise(() => workspace.query({ view: "conversations", limit: 1 })))
        .documents
      const [row] = (yield* desk.inbox(root)).rows
      // The same conversation again and again, each opened a moment before the one before it.
      const views = Array.from({ length: 10_050 }, (_, index): ReadonlyArray<StorageDriver.ViewChange> => {
        const id = `copy-${String(index).padStart(5, "0")}`
        const openedAtMs = row!.openedAtMs - index - 1
        return [
          { view: "conversations", key: id, put: { ...conversation!.document, id, openedAtMs }, version: 1 },
          { view: "inbox", key: id, put: { ...row!, conversationId: id, openedAtMs } }
        ]
      })
      yield* Effect.promise(() => driver.commit([{ workspace: "main", views: views.flat() }], 0))
      yield* desk.executeOnContact(root, row!.contactId, { type: "UpdateContact", name: "Ada Lovelace" })
      yield* desk.drain()
      const nameOf = (key: string) =>
        Effect.promise(async () => (await driver.documents("main", "inbox", [key]))[0]?.document["contactName"])
      expect(yield* nameOf(row!.conversationId)).toBe("Ada Lovelace")
      expect(yield* nameOf("copy-00000")).toBe("Ada Lovelace")
      expect(yield* nameOf("copy-09998")).toBe("Ada Lovelace")
      expect(yield* nameOf("copy-09999")).toBe("Ada")
      expect((yield* desk.health(root)).parked).toEqual([])
    }).pipe(Effect.provide(layer(config({ channels: [sms.channel] }, driver))))
  })
})
