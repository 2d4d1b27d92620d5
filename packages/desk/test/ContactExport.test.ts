import { describe, expect, it } from "@effect/vitest"
import { type BlobStore, MemoryBlobStore, MemoryStorage } from "@switchboard/storage"
import { Effect } from "effect"
import { test } from "vitest"
import { type ContactExport, toFileName } from "../src/ContactExport.ts"
import { Desk } from "../src/Desk.ts"
import { Credential, createDesk } from "../src/index.ts"
import { actor, arrive, config, layer, message, platform, post } from "./harness.ts"
import { collect, unzip } from "./zip.ts"

const root = actor("root", "administrator")
const text = (words: string) => ({ parts: [{ kind: "text" as const, text: words, format: "plain" as const }] })
/** Its bytes are the reference itself: the platform behind these tests gives nothing else. */
const file = (id: string, name: string | undefined, ref: string) => ({
  id: id as never,
  mediaType: "text/plain",
  ...(name !== undefined && { name }),
  content: { ref }
})

const exported = Effect.fnUntraced(function* (contactId: string) {
  const desk = yield* Desk
  const { name, bytes } = yield* desk.exportContact(root, contactId)
  const files = unzip(yield* Effect.promise(() => collect(bytes)))
  const json = new TextDecoder().decode(files.get("contact.json"))
  return { name, files, json, data: JSON.parse(json) as ContactExport }
})

const contactOf = Effect.fnUntraced(function* (channelKind: string) {
  const desk = yield* Desk
  const { rows } = yield* desk.inbox(root)
  return rows.find((row) => row.channelKinds[0] === channelKind)!
})

describe("an export", () => {
  it.effect(
    "[DESK-109] holds everything kept of a contact and of those merged with them, and nothing of others",
    () => {
      const sms = platform("sms")
      const mail = platform("mail", { threads: "topic" })
      return Effect.gen(function* () {
        const desk = yield* Desk
        yield* post("sms", [
          message("my word is xylophone"),
          message("stranger's word", { phone: "+34600000099", from: stranger })
        ])
        yield* post("mail", [message("by letter", { email: "ada@example.com" })])
        const waits = message("", {}).platformId
        yield* post("sms", [
          {
            kind: "messageEdited",
            account: "key",
            entryId: "edit-1",
            occurredAtMs: 0,
            platformId: `${waits}-never-came`,
            from: { addresses: [{ kind: "phone", value: "+34600000001", state: "verified" }] },
            parts: [{ kind: "text", text: "an edit that waits", format: "plain" }]
          }
        ])
        yield* arrive("sms", [
          message("a lost letter", { account: "nowhere" }),
          message("another's lost letter", { account: "nowhere", phone: "+34600000099", from: stranger })
        ])
        const phone = (yield* desk.inbox(root)).rows.find(
          (row) => row.contactName === "Ada" && row.channelKinds[0] === "sms"
        )!
        const letter = yield* contactOf("mail")
        yield* desk.note(root, phone.conversationId, { text: "Ada sounds angry" })
        yield* desk.reply(root, phone.conversationId, text("dear Ada"))
        yield* desk.executeOnContact(root, phone.contactId, {
          type: "GrantConsent",
          purpose: "survey",
          channelKind: "sms",
          evidence: "signed in the shop"
        })
        yield* desk.executeOnContact(root, phone.contactId, { type: "UpdateContact", attributes: { plan: "gold" } })
        yield* desk.drain()
        yield* desk.executeOnContact(root, phone.contactId, { type: "MergeContact", into: letter.contactId })

        // Asked of the one who counts as the other, it is the same person.
        const { name, data, json } = yield* exported(phone.contactId)
        expect(name).toBe(`contact-${phone.contactId}.zip`)
        expect(data).toMatchObject({ format: 1, workspace: "main", exportedAtMs: 0 })
        expect(data.contacts.map(({ contact }) => contact.id)).toEqual([letter.contactId, phone.contactId])
        expect(data.contacts[1]!.contact).toMatchObject({
          name: "Ada",
          addresses: [{ value: "+34600000001" }],
          attributes: { plan: "gold" },
          consents: [{ purpose: "survey", evidence: "signed in the shop" }],
          mergedInto: letter.contactId
        })
        expect(data.conversations.map(({ conversation }) => conversation.id)).toEqual([
          letter.conversationId,
          phone.conversationId
        ])
        const said = data.conversations[1]!
        expect(said.messages.map(({ direction, parts }) => [direction, parts[0]])).toEqual([
          ["in", { kind: "text", text: "my word is xylophone", format: "plain" }],
          ["note", { kind: "text", text: "Ada sounds angry", format: "plain" }],
          ["out", { kind: "text", text: "dear Ada", format: "plain" }]
        ])
        expect(said.messages[2]!.deliveries).toMatchObject([{ recipient: { value: "+34600000001" }, state: "sent" }])
        expect(data.threads).toContainEqual(
          expect.objectContaining({ key: "sms-account/+34600000001", conversationId: phone.conversationId })
        )
        expect(data.deadLetters.map(({ code }) => code)).toEqual(["unknownAccount"])
        expect(data.waitingEntries).toMatchObject([{ channelKind: "sms", entry: { entryId: "edit-1" } }])
        const first = said.events.find(({ type }) => type === "MessageReceived")!
        expect(first).toMatchObject({
          actor: { kind: "contact", id: phone.contactId },
          recordedAtMs: 0,
          personal: { "message/parts": [{ text: "my word is xylophone" }] }
        })
        expect(data.position).toBeGreaterThan(first.position)
        const created = data.contacts[1]!.events[0]!
        expect(created).toMatchObject({ type: "ContactCreated", personal: { name: "Ada" } })
        for (const others of ["stranger", "another's", "+34600000099"]) expect(json).not.toContain(others)
      }).pipe(Effect.provide(layer(config({ channels: [sms.channel, mail.channel] }))))
    }
  )

  it.effect(
    "[DESK-110] names files safely and apart, says which are missing, and holds those of deleted messages",
    () => {
      const sms = platform("sms", {
        media: { types: ["*/*"], limitBytes: 1_000_000, perMessage: 9, captionLimit: 100 }
      })
      const made = config({ channels: [sms.channel] })
      return Effect.gen(function* () {
        const desk = yield* Desk
        const bad = message("broken", { attachments: [file("z", "late.txt", "refused")] })
        const many = message("files", {
          attachments: [
            file("a", "../../etc/passwd", "one"),
            file("b", "Photo.TXT", "two"),
            file("c", "photo.txt", "three"),
            file("d", undefined, "four"),
            file("e", "gone.txt", "five")
          ]
        })
        yield* arrive("sms", [many, bad])
        yield* arrive("sms", [
          message("regretted", { platformId: "p9", entryId: "p9", attachments: [file("f", "regret.txt", "six")] })
        ])
        yield* arrive("sms", [
          {
            kind: "messageDeleted",
            account: "key",
            entryId: "del-1",
            occurredAtMs: 0,
            platformId: "p9"
          }
        ])
        const row = yield* contactOf("sms")
        const { messages } = yield* desk.conversation(root, row.conversationId)
        const [first, second, third] = messages
        expect(third?.attachments).toEqual([])
        const lost = first!.attachments.find((one) => one.name === "gone.txt")!
        yield* Effect.promise(() => made.blobs.delete("main", [lost.blobKey!]))

        const { files, data } = yield* exported(row.contactId)
        const words = Object.fromEntries([...files].map(([name, bytes]) => [name, new TextDecoder().decode(bytes)]))
        const { "contact.json": _, ...stored } = words
        expect(stored).toEqual({
          [`attachments/${first!.id}/_.._etc_passwd`]: "one",
          [`attachments/${first!.id}/Photo.TXT`]: "two",
          [`attachments/${first!.id}/photo (2).txt`]: "three",
          [`attachments/${first!.id}/file`]: "four",
          [`attachments/${third!.id}/regret.txt`]: "six"
        })
        const told = data.conversations[0]!.attachments
        expect(told).toHaveLength(7)
        expect(told.filter(({ path }) => path === null)).toMatchObject([
          { messageId: first!.id, attachment: { name: "gone.txt" }, missing: "gone" },
          { messageId: second!.id, attachment: { name: "late.txt" }, missing: "failed" }
        ])
        for (const { path } of told) if (path !== null) expect(files.has(path)).toBe(true)
      }).pipe(
        Effect.provide(
          layer({
            ...made,
            channels: [
              {
                ...sms.channel,
                fetch: async (ref) =>
                  ref === "refused"
                    ? { outcome: "refused", code: "gone", message: "not there" }
                    : { outcome: "fetched", bytes: new TextEncoder().encode(ref), mediaType: "text/plain" }
              }
            ]
          })
        )
      )
    }
  )

  it("[DESK-110] a file's name leads nowhere and is one on every system", () => {
    for (const [name, safe] of [
      ["report.pdf", "report.pdf"],
      ['a/b\\c:d*e?f"g<h>i|j', "a_b_c_d_e_f_g_h_i_j"],
      ["..", "file"],
      ["", "file"],
      [" . hidden . ", "hidden"],
      ["con", "_con"],
      ["COM1.txt", "_COM1.txt"],
      ["tab\there\u0000\u202e", "tab_here__"],
      ["\ud800x", "\ufffdx"],
      [`${"é".repeat(300)}.jpeg`, `${"é".repeat(115)}.jpeg`]
    ] as const)
      expect(toFileName(name)).toBe(safe)
  })

  it.effect("[DESK-111] is written while it is read: a piece at a time, and what is open ends with its reader", () => {
    const sms = platform("sms")
    const memory = MemoryBlobStore.make()
    let given = 0
    let ended = 0
    const blobs: BlobStore.BlobStore = {
      ...memory,
      get: async () =>
        (async function* () {
          try {
            for (let piece = 0; piece < 1000; piece++) {
              given++
              yield new Uint8Array(65_536)
            }
          } finally {
            ended++
          }
        })()
    }
    return Effect.gen(function* () {
      const desk = yield* Desk
      yield* arrive("sms", [message("see", { attachments: [file("a", "film.bin", "x")] })])
      const { contactId } = yield* contactOf("sms")
      const { bytes } = yield* desk.exportContact(root, contactId)
      yield* Effect.promise(async () => {
        let read = 0
        for await (const chunk of bytes) {
          read += chunk.length
          // Never far ahead of who reads.
          expect(given * 65_536 - read).toBeLessThan(4 * 65_536)
          if (read > 20 * 65_536) break
        }
      })
      expect(given).toBeLessThan(30)
      expect(ended).toBe(1)
    }).pipe(Effect.provide(layer(config({ channels: [sms.channel], blobs }))))
  })

  it.effect(
    "[DESK-112] stands in the stream of each contact, with who asked and when; administrators alone may",
    () => {
      const sms = platform("sms")
      const mail = platform("mail", { threads: "topic" })
      return Effect.gen(function* () {
        const desk = yield* Desk
        yield* post("sms", [message("by phone")])
        yield* arrive("mail", [message("by mail", { email: "ada@example.com" })])
        const [phone, letter] = [yield* contactOf("sms"), yield* contactOf("mail")]
        yield* desk.executeOnContact(root, phone.contactId, { type: "MergeContact", into: letter.contactId })
        for (const one of [
          actor("grace"),
          actor("vera", "supervisor"),
          { kind: "contact", id: phone.contactId } as const
        ]) {
          const denied = yield* Effect.flip(desk.exportContact(one, phone.contactId))
          expect(denied).toMatchObject({ _tag: "RejectedError", rejection: { code: "notAllowed" } })
        }
        expect((yield* Effect.flip(desk.exportContact(root, "nobody")))._tag).toBe("NotFoundError")
        // Recorded before the first byte is read, and whether or not one is.
        yield* desk.exportContact(root, letter.contactId)
        const { workspace } = desk.environment
        for (const { contactId } of [phone, letter]) {
          const events = yield* Effect.promise(() => workspace.stream(`contact/${contactId}`))
          expect(events.filter(({ type }) => type === "ContactExported")).toMatchObject([
            { body: { meta: { actor: { kind: "agent", id: "root" }, recordedAtMs: 0 } } }
          ])
        }
      }).pipe(Effect.provide(layer(config({ channels: [sms.channel, mail.channel] }))))
    }
  )

  it.effect("[DESK-123] a desk of another workspace has nothing to export", () => {
    const storage = MemoryStorage.make()
    const ours = platform("sms")
    const theirs = platform("sms", {}, "theirs")
    return Effect.gen(function* () {
      yield* arrive("sms", [message("our word")])
      const { contactId } = yield* contactOf("sms")
      yield* Effect.gen(function* () {
        const other = yield* Desk
        yield* arrive("sms", [message("their word")])
        expect((yield* Effect.flip(other.exportContact(root, contactId)))._tag).toBe("NotFoundError")
      }).pipe(Effect.provide(layer(config({ channels: [theirs.channel], workspace: "theirs" }, storage), "theirs")))
      const { json } = yield* exported(contactId)
      expect(json).toContain("our word")
      expect(json).not.toContain("their word")
    }).pipe(Effect.provide(layer(config({ channels: [ours.channel] }, storage))))
  })
})

const stranger = {
  addresses: [{ kind: "phone", value: "+34600000099", state: "verified" as const }],
  name: "a stranger"
}

test("[DESK-112] over HTTP it is a download for administrators, and 403 for others", async () => {
  const sms = platform("sms")
  const made = config({ channels: [sms.channel] })
  await using desk = await createDesk(made)
  await desk.fetch(
    new Request("http://desk.test/channels/sms/", {
      method: "POST",
      headers: { "x-signature": "good" },
      body: JSON.stringify([message("over HTTP")])
    })
  )
  await desk.drain()
  const { rows } = await desk.inbox(root)
  const get = async (id: string) => {
    const token = await Credential.issue(made.credentialSecret, id, { nowMs: Date.now(), lifetimeMs: 60_000 })
    return desk.fetch(
      new Request(`http://desk.test/api/contacts/${rows[0]!.contactId}/export`, {
        headers: { authorization: `Bearer ${token}` }
      })
    )
  }
  const answer = await get("root")
  expect(answer.headers.get("content-type")).toBe("application/zip")
  expect(answer.headers.get("content-disposition")).toMatch(/^attachment; filename="contact-[\w-]+\.zip"/)
  const files = unzip(new Uint8Array(await answer.arrayBuffer()))
  expect(new TextDecoder().decode(files.get("contact.json"))).toContain("over HTTP")
  for (const id of ["grace", "vera"]) {
    const refused = await get(id)
    expect([refused.status, refused.headers.get("content-type")]).toEqual([403, "application/problem+json"])
  }
})
