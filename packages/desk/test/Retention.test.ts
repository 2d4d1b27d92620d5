import { describe, expect, it } from "@effect/vitest"
import { MemoryStorage, type StorageDriver, StorageFaults } from "@switchboard/storage"
import { Effect } from "effect"
import { TestClock } from "effect/testing"
import { Desk } from "../src/Desk.ts"
import { type DeskConfig, type RetentionRule, resolve } from "../src/DeskConfig.ts"
import { actor, arrive, config, layer, message, platform, quietly, supervisor } from "./harness.ts"

const root = actor("root", "administrator")
const dayMs = 24 * 3_600_000
const text = (words: string) => ({ parts: [{ kind: "text" as const, text: words, format: "plain" as const }] })
const attachment = { id: "a" as never, name: "xylophone.txt", mediaType: "text/plain", content: { ref: "bytes" } }

/** Time passes, and what came due meanwhile is done. */
const after = (days: number) =>
  Effect.gen(function* () {
    yield* TestClock.adjust(days * dayMs)
    yield* (yield* Desk).drain()
  })

const dump = Effect.gen(function* () {
  const { workspace } = (yield* Desk).environment
  return yield* Effect.promise(async () =>
    JSON.stringify([
      await workspace.journal(0, 1000),
      await Promise.all(
        ["conversations", "messages", "inbox", "threads", "slaRecords", "deadLetters", "poolItems"].map((view) =>
          workspace.query({ view, limit: 1000 })
        )
      )
    ])
  )
})

const rowOf = Effect.fnUntraced(function* (channelKind: string, active: boolean) {
  const { rows } = yield* (yield* Desk).inbox(root, { active })
  return rows.find((row) => row.channelKinds.includes(channelKind))!
})

const isErased = Effect.fnUntraced(function* (conversationId: string) {
  const { conversation } = yield* (yield* Desk).conversation(root, conversationId)
  return conversation.contentErasedAtMs !== undefined
})

/** A conversation that came and was resolved. */
const resolved = Effect.fnUntraced(function* (channelKind: string, ...[words, more]: Parameters<typeof message>) {
  const desk = yield* Desk
  yield* arrive(channelKind, [message(words, more)])
  const row = yield* rowOf(channelKind, true)
  yield* desk.execute(supervisor, row.conversationId, { type: "ResolveConversation" })
  yield* desk.drain()
  return row
})

const timer = Effect.gen(function* () {
  const { workspace } = (yield* Desk).environment
  const [stored] = yield* Effect.promise(() => workspace.timers(["retention/daily"]))
  return stored
})

const month: ReadonlyArray<RetentionRule> = [{ channelKinds: ["sms"], afterDays: 30 }]

describe("retention", () => {
  it.effect("[DESK-113] removes what was said, and leaves what is counted, who had it, and the contact", () => {
    const sms = platform("sms")
    const made = config({ channels: [sms.channel], retention: month })
    return Effect.gen(function* () {
      const desk = yield* Desk
      yield* desk.setPresence(actor("grace"), "grace", "available")
      yield* arrive("sms", [message("my word is xylophone", { attachments: [attachment] })])
      const [offer] = yield* desk.offers(actor("grace"))
      yield* desk.acceptOffer(actor("grace"), offer!.offerId)
      const id = offer!.conversationId
      yield* desk.reply(actor("grace"), id, text("a xylophone, I see"))
      yield* desk.note(actor("grace"), id, { text: "xylophone again" })
      yield* desk.execute(actor("grace"), id, { type: "SetSubject", subject: "xylophone" })
      yield* desk.execute(actor("grace"), id, { type: "SetAttributes", attributes: { instrument: "xylophone" } })
      yield* desk.drain()
      yield* desk.execute(actor("grace"), id, { type: "ResolveConversation" })
      yield* desk.drain()
      const before = yield* desk.conversation(root, id)
      const { workspace } = desk.environment
      const rows = yield* Effect.promise(() => workspace.journal(0, 1000))

      yield* after(29.9)
      expect(yield* isErased(id)).toBe(false)
      expect(yield* dump).toContain("xylophone")
      yield* after(1)
      expect(yield* isErased(id)).toBe(true)
      expect(yield* dump).not.toContain("xylophone")
      expect(yield* Effect.promise(() => made.blobs.list("main", undefined, 10))).toEqual([])
      expect((yield* desk.search(root, { text: "xylophone" })).messages).toEqual([])

      const now = yield* desk.conversation(root, id)
      expect(
        now.messages.map(({ direction, sequence, parts, attachments }) => [direction, sequence, parts, attachments])
      ).toEqual([
        ["in", 1, [], []],
        ["out", 2, [], []],
        ["note", 3, [], []]
      ])
      expect(now.conversation).toMatchObject({
        status: "closed",
        cycle: 1,
        messageCount: 3,
        attributes: {},
        preview: ""
      })
      expect(now.row).toMatchObject({ contactName: "Ada", status: "closed", active: false, preview: "", subject: "" })
      expect(now.contact).toEqual(before.contact)
      expect((yield* desk.search(root, { text: "Ada" })).contacts).toHaveLength(1)
      const kept = yield* Effect.promise(() => workspace.journal(0, 1000))
      expect(kept.slice(0, rows.length).map(({ position, type, body }) => [position, type, body])).toEqual(
        rows.map(({ position, type, body }) => [position, type, body])
      )
      const record = kept.filter(({ stream }) => stream === `conversation/${id}`).slice(-3)
      expect(record.map(({ type, body }) => [type, body["reason"]])).toEqual([
        ["ConversationClosed", undefined],
        ["ControlChanged", "closed"],
        ["ContentErased", "retention"]
      ])
      expect(record[2]!.body).toMatchObject({ meta: { actor: { kind: "system", name: "retention" } } })
      // The contact's own erasure still finds what is left under their name.
      yield* desk.erase(root, before.contact!.id)
      expect(yield* dump).not.toContain("Ada")
    }).pipe(Effect.provide(layer(made)))
  })

  it.effect("[DESK-114] keeps what is active, what something happened in since, and what no rule is for", () => {
    const sms = platform("sms")
    const mail = platform("mail")
    return Effect.gen(function* () {
      const desk = yield* Desk
      const old = yield* resolved("sms", "old", { phone: "+34600000001" })
      const touched = yield* resolved("sms", "touched", { phone: "+34600000002" })
      const other = yield* resolved("mail", "of another kind", { phone: "+34600000003" })
      yield* arrive("sms", [message("open", { phone: "+34600000004" })])
      const open = yield* rowOf("sms", true)
      yield* after(20)
      yield* desk.execute(root, touched.conversationId, { type: "AddTag", tag: "vip" })
      yield* after(11)
      const erased: Array<boolean> = []
      for (const { conversationId } of [old, touched, other, open]) erased.push(yield* isErased(conversationId))
      expect(erased).toEqual([true, false, false, false])
      yield* after(20)
      expect(yield* isErased(touched.conversationId)).toBe(true)
      yield* after(1000)
      expect([yield* isErased(other.conversationId), yield* isErased(open.conversationId)]).toEqual([false, false])
    }).pipe(Effect.provide(layer(config({ channels: [sms.channel, mail.channel], retention: month }))))
  })

  it.effect(
    "[DESK-114] over several channels goes by the rule that keeps longest, and is kept where one has none",
    () => {
      const [sms, mail, chat] = [platform("sms"), platform("mail"), platform("chat")]
      const both = (retention: ReadonlyArray<RetentionRule>, days: number) =>
        Effect.gen(function* () {
          const desk = yield* Desk
          yield* arrive("sms", [message("by phone", { email: "ada@example.com" })])
          yield* arrive("mail", [message("by mail", { email: "ada@example.com" })])
          const { conversationId } = yield* rowOf("mail", true)
          expect((yield* desk.conversation(root, conversationId)).conversation.threads).toHaveLength(2)
          yield* desk.execute(root, conversationId, { type: "ResolveConversation" })
          yield* desk.drain()
          yield* after(days)
          return yield* isErased(conversationId)
        }).pipe(Effect.provide(layer(config({ channels: [sms.channel, mail.channel, chat.channel], retention }))))
      return Effect.gen(function* () {
        const rules = [{ channelKinds: ["sms"], afterDays: 10 }, { afterDays: 50 }]
        expect(yield* both(rules, 49)).toBe(false)
        expect(yield* both(rules, 51)).toBe(true)
        expect(yield* both([{ channelKinds: ["sms", "chat"], afterDays: 10 }], 5000)).toBe(false)
      })
    }
  )

  it.effect("[DESK-114] a merged conversation is kept as long as the one it goes on in", () => {
    const sms = platform("sms")
    return Effect.gen(function* () {
      const desk = yield* Desk
      const first = yield* resolved("sms", "first", { phone: "+34600000001" })
      yield* arrive("sms", [message("second", { phone: "+34600000002" })])
      const second = yield* rowOf("sms", true)
      yield* desk.execute(root, first.conversationId, {
        type: "MergeConversation",
        into: second.conversationId as never
      })
      yield* after(100)
      expect(yield* isErased(first.conversationId)).toBe(false)
      yield* desk.execute(root, second.conversationId, { type: "ResolveConversation" })
      yield* after(29)
      expect(yield* isErased(first.conversationId)).toBe(false)
      yield* after(2)
      expect([yield* isErased(first.conversationId), yield* isErased(second.conversationId)]).toEqual([true, true])
    }).pipe(Effect.provide(layer(config({ channels: [sms.channel], retention: month }))))
  })

  it.effect(
    "[DESK-115] nobody goes on in it: a message opens a linked follow-up, an edit of it changes nothing",
    () => {
      const sms = platform("sms")
      return Effect.gen(function* () {
        const desk = yield* Desk
        const rules = [{ afterDays: 1 }]
        expect(desk.environment.settings.retention).toEqual(rules)
        const { conversationId } = yield* resolved("sms", "old", { platformId: "p1", entryId: "p1" })
        yield* after(2)
        expect(yield* isErased(conversationId)).toBe(true)
        yield* arrive("sms", [
          {
            kind: "messageEdited",
            account: "key",
            entryId: "edit-1",
            occurredAtMs: 0,
            platformId: "p1",
            parts: [{ kind: "text", text: "xylophone", format: "plain" }]
          },
          message("once more")
        ])
        expect(yield* desk.deadLetters(root)).toEqual([])
        const { conversation, messages } = yield* desk.conversation(root, conversationId)
        expect(messages.map(({ parts }) => parts)).toEqual([[]])
        const followUp = yield* rowOf("sms", true)
        expect(followUp.preview).toBe("once more")
        expect(conversation.links).toEqual([{ kind: "followedUpBy", conversationId: followUp.conversationId }])
        expect(yield* dump).not.toContain("xylophone")
      }).pipe(Effect.provide(layer(config({ channels: [sms.channel], retention: [{ afterDays: 1 }] }))))
    }
  )

  it.effect("[DESK-116] one timer walks daily, sooner once the rules are others; without rules there is none", () => {
    const sms = platform("sms")
    const storage = MemoryStorage.make()
    const withRules =
      (retention: ReadonlyArray<RetentionRule>, life: string) => (effect: Effect.Effect<void, unknown, Desk>) =>
        effect.pipe(Effect.provide(layer(config({ channels: [sms.channel], retention }, storage), life)))
    return Effect.gen(function* () {
      yield* Effect.gen(function* () {
        expect(yield* timer).toBeUndefined()
      }).pipe(withRules([], "a"))
      yield* Effect.gen(function* () {
        expect((yield* timer)?.dueAtMs).toBe(60_000)
        yield* after(0.5)
        expect((yield* timer)?.dueAtMs).toBe(1.5 * dayMs)
      }).pipe(withRules(month, "b"))
      yield* Effect.gen(function* () {
        expect((yield* timer)?.dueAtMs).toBe(1.5 * dayMs)
      }).pipe(withRules(month, "c"))
      yield* Effect.gen(function* () {
        expect((yield* timer)?.dueAtMs).toBe(0.5 * dayMs + 60_000)
      }).pipe(withRules([{ channelKinds: ["sms"], afterDays: 31 }], "d"))
      yield* Effect.gen(function* () {
        expect(yield* timer).toBeUndefined()
      }).pipe(withRules([], "e"))
    })
  })

  it.effect("[DESK-116] it goes in bounded parts, and other jobs come between them", () => {
    const sms = platform("sms")
    let parts = 0
    const memory = MemoryStorage.make()
    const storage: StorageDriver.StorageDriver = {
      ...memory,
      commit: (group, nowMs) => {
        for (const { timers = [] } of group)
          for (const change of timers)
            if ("set" in change && change.set.kind === "retention" && change.set.payload["startedAtMs"] !== undefined)
              parts++
        return memory.commit(group, nowMs)
      }
    }
    return Effect.gen(function* () {
      const desk = yield* Desk
      for (let count = 0; count < 25; count++) {
        yield* arrive("sms", [message(`word ${count}`, { phone: `+346000001${10 + count}` })])
      }
      for (const { conversationId } of (yield* desk.inbox(root, { limit: 200 })).rows) {
        yield* desk.execute(root, conversationId, { type: "ResolveConversation" })
      }
      yield* desk.drain()
      yield* after(32)
      const { rows } = yield* desk.inbox(root, { active: false, limit: 200 })
      expect(rows.map(({ preview }) => preview)).toEqual(rows.map(() => ""))
      expect(rows).toHaveLength(25)
      expect(parts).toBe(3)
      // What is done is not looked through again.
      const next = yield* Effect.promise(() =>
        memory.query("main", { view: "inbox", where: [{ field: "attention", atLeast: 2e14 }], limit: 100 })
      )
      expect(next.documents).toEqual([])
    }).pipe(Effect.provide(layer(config({ channels: [sms.channel], retention: month }, storage))))
  })

  it.effect(
    "[DESK-117] dying before or after any call of it is made good",
    () => {
      const sms = platform("sms")
      const world = () => {
        const storage = MemoryStorage.make()
        const made = config({ channels: [sms.channel], retention: month }, storage)
        const prepared = Effect.gen(function* () {
          const { conversationId } = yield* resolved("sms", "xylophone", { attachments: [attachment] })
          yield* TestClock.adjust(31 * dayMs)
          return conversationId
        }).pipe(quietly(made, "before"))
        const walk = (crash: StorageFaults.Crash) =>
          Effect.gen(function* () {
            yield* (yield* Desk).drain()
          }).pipe(quietly({ ...made, blobs: crash.wrap(made.blobs), storage: crash.wrap(storage) }, "during"))
        return { made, prepared, walk }
      }
      return Effect.gen(function* () {
        const counting = StorageFaults.plan()
        const first = world()
        yield* first.prepared
        yield* first.walk(counting)
        expect(counting.methods().filter((method) => method === "erase")).toHaveLength(1)
        for (let at = 1; at <= counting.calls(); at++) {
          for (const when of ["before", "after"] as const) {
            const { made, prepared, walk } = world()
            const id = yield* prepared
            const crash = StorageFaults.plan({ at, when })
            yield* Effect.exit(walk(crash))
            yield* Effect.gen(function* () {
              const desk = yield* Desk
              // As long as a job is taken for.
              yield* TestClock.adjust("11 minutes")
              yield* desk.drain()
              const where = `${when} call ${at}, ${crash.methods().at(-1)}`
              expect(yield* dump, where).not.toContain("xylophone")
              expect(yield* Effect.promise(() => made.blobs.list("main", undefined, 10)), where).toEqual([])
              const { messages, conversation } = yield* desk.conversation(root, id)
              expect(messages, where).toHaveLength(1)
              expect(conversation.status, where).toBe("closed")
              const rows = yield* Effect.promise(() => desk.environment.workspace.stream(`conversation/${id}`))
              expect(
                rows.filter(({ type }) => type === "ContentErased"),
                where
              ).toHaveLength(1)
            }).pipe(quietly(made, "after"))
          }
        }
      })
    },
    { timeout: 60_000 }
  )

  it.effect("[DESK-117] one that can't be erased stops nobody else's, and is tried again", () => {
    const sms = platform("sms")
    const memory = MemoryStorage.make()
    let broken = true
    const storage: StorageDriver.StorageDriver = {
      ...memory,
      erase: (workspace, subject, stream) => {
        if (broken && subject === first) return Promise.reject(new Error("the disk is busy"))
        return memory.erase(workspace, subject, stream)
      }
    }
    let first: string | undefined
    return Effect.gen(function* () {
      const one = yield* resolved("sms", "xylophone one", { phone: "+34600000001" })
      yield* resolved("sms", "xylophone two", { phone: "+34600000002" })
      first = one.contactId
      yield* after(31)
      expect(yield* dump).toContain("xylophone one")
      expect(yield* dump).not.toContain("xylophone two")
      broken = false
      yield* TestClock.adjust("11 minutes")
      yield* (yield* Desk).drain()
      expect(yield* dump).not.toContain("xylophone")
      expect((yield* (yield* Desk).conversation(root, one.conversationId)).messages).toHaveLength(1)
    }).pipe(quietly(config({ channels: [sms.channel], retention: month }, storage)))
  })

  it.effect("[DESK-118] an administrator has what was said in one conversation removed, by a command", () => {
    const sms = platform("sms")
    return Effect.gen(function* () {
      const desk = yield* Desk
      const command = { type: "EraseContent", reason: "request" } as const
      yield* arrive("sms", [message("xylophone")])
      const { conversationId } = yield* rowOf("sms", true)
      expect(yield* Effect.flip(desk.execute(root, conversationId, command))).toMatchObject({
        rejection: { code: "statusNotAllowed" }
      })
      yield* desk.execute(root, conversationId, { type: "ResolveConversation" })
      yield* desk.drain()
      expect(yield* Effect.flip(desk.execute(supervisor, conversationId, command))).toMatchObject({
        rejection: { code: "notAllowed" }
      })
      expect(yield* Effect.flip(desk.execute(root, "nowhere", command))).toMatchObject({ _tag: "NotFoundError" })
      const answer = yield* desk.execute(root, conversationId, command, { commandId: "k1" })
      expect(answer).toMatchObject({ conversationId, repeated: false })
      expect(yield* dump).not.toContain("xylophone")
      expect(yield* desk.execute(root, conversationId, command, { commandId: "k1" })).toEqual({
        ...answer,
        repeated: true
      })
      const rows = yield* Effect.promise(() => desk.environment.workspace.stream(`conversation/${conversationId}`))
      expect(rows.filter(({ type }) => type === "ContentErased")).toMatchObject([
        { body: { reason: "request", meta: { actor: { id: "root" } } } }
      ])
      yield* desk.drain()
      expect((yield* rowOf("sms", false)).preview).toBe("")
    }).pipe(Effect.provide(layer(config({ channels: [sms.channel] }))))
  })

  it.effect("[DESK-119] dead letters go by the same rules, from the day they came", () => {
    const [sms, mail] = [platform("sms"), platform("mail")]
    return Effect.gen(function* () {
      const desk = yield* Desk
      yield* arrive("sms", [message("xylophone", { account: "nowhere" })])
      yield* arrive("mail", [message("a letter", { account: "nowhere" })])
      yield* after(20)
      yield* arrive("sms", [message("later", { account: "nowhere" })])
      yield* after(11)
      const left = JSON.stringify(yield* desk.deadLetters(root))
      expect([left.includes("xylophone"), left.includes("later"), left.includes("a letter")]).toEqual([
        false,
        true,
        true
      ])
    }).pipe(Effect.provide(layer(config({ channels: [sms.channel, mail.channel], retention: month }))))
  })

  it("[DESK-120] a wrong rule names the field, what was found and the fix", () => {
    const refused = (...retention: NonNullable<DeskConfig["retention"]>) => {
      try {
        resolve(config({ retention }))
      } catch (error) {
        return error as { readonly field: string; readonly found: string; readonly fix: string }
      }
      throw new Error("not refused")
    }
    for (const afterDays of [0, -1, 1.5, Number.NaN, 40_000]) {
      expect(refused({ afterDays })).toMatchObject({ field: "retention[0].afterDays", found: String(afterDays) })
    }
    expect(refused({ channelKinds: [], afterDays: 1 })).toMatchObject({ field: "retention[0].channelKinds" })
    for (const kind of ["Web Chat", "*", ""]) {
      expect(refused({ channelKinds: [kind], afterDays: 1 })).toMatchObject({
        field: "retention[0].channelKinds",
        found: JSON.stringify(kind)
      })
    }
    const twice = refused({ channelKinds: ["sms", "mail"], afterDays: 1 }, { channelKinds: ["mail"], afterDays: 2 })
    expect(twice).toMatchObject({ field: "retention[1].channelKinds", found: '"mail", as in retention[0]' })
    expect(refused({ afterDays: 1 }, { afterDays: 2 })).toMatchObject({
      field: "retention[1].channelKinds",
      found: "nothing, as in retention[0]",
      fix: "give each kind one rule"
    })
    expect(
      resolve(config({ retention: [{ channelKinds: ["sms"], afterDays: 1 }, { afterDays: 2 }] })).retention
    ).toHaveLength(2)
  })

  it.effect("[DESK-123] a desk's rules reach no other workspace", () => {
    const storage = MemoryStorage.make()
    const [ours, theirs] = [platform("sms"), platform("sms", {}, "theirs")]
    return Effect.gen(function* () {
      const { conversationId } = yield* resolved("sms", "our word")
      yield* Effect.gen(function* () {
        yield* resolved("sms", "their word")
        yield* after(100)
        expect(yield* dump).not.toContain("their word")
      }).pipe(
        Effect.provide(
          layer(config({ channels: [theirs.channel], workspace: "theirs", retention: month }, storage), "t")
        )
      )
      yield* (yield* Desk).drain()
      expect(yield* isErased(conversationId)).toBe(false)
      expect(yield* dump).toContain("our word")
    }).pipe(Effect.provide(layer(config({ channels: [ours.channel] }, storage))))
  })

  it.effect("[DESK-124] an erasure takes the bytes of files whose messages were deleted", () => {
    const sms = platform("sms")
    const made = config({ channels: [sms.channel] })
    return Effect.gen(function* () {
      const desk = yield* Desk
      yield* arrive("sms", [message("regretted", { platformId: "p1", entryId: "p1", attachments: [attachment] })])
      yield* arrive("sms", [
        { kind: "messageDeleted", account: "key", entryId: "del-1", occurredAtMs: 0, platformId: "p1" }
      ])
      const { contactId } = yield* rowOf("sms", true)
      expect(yield* Effect.promise(() => made.blobs.list("main", undefined, 10))).toHaveLength(1)
      yield* desk.erase(root, contactId)
      expect(yield* Effect.promise(() => made.blobs.list("main", undefined, 10))).toEqual([])
    }).pipe(Effect.provide(layer(made)))
  })
})
