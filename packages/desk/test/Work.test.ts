import { describe, expect, it } from "@effect/vitest"
import type { Outbound } from "@switchboard/channel"
import { MemoryStorage } from "@switchboard/storage"
import { Deferred, Effect, Fiber } from "effect"
import { TestClock } from "effect/testing"
import { afterEach, describe as group, test } from "vitest"
import { createDesk } from "../src/createDesk.ts"
import { Desk } from "../src/Desk.ts"
import { actor, arrive, bot, config, firstId, layer, message, platform, post, quietly, supervisor } from "./harness.ts"

const text = (words: string) => ({ parts: [{ kind: "text" as const, text: words, format: "plain" as const }] })

describe("workers", () => {
  it.effect("[DESK-79] do their own work although another workspace's lies before it in the same storage", () => {
    const driver = MemoryStorage.make()
    const sms = platform("sms")
    return Effect.gen(function* () {
      const desk = yield* Desk
      yield* Effect.promise(() =>
        driver.commit(
          [
            {
              workspace: "other",
              timers: Array.from({ length: 500 }, (_, n) => ({
                set: { kind: "snooze", key: `snooze/${n}`, dueAtMs: 0, payload: {} }
              }))
            }
          ],
          0
        )
      )
      yield* TestClock.adjust("1 seconds")
      yield* arrive("sms", [message("hello")])
      const id = yield* firstId
      yield* desk.reply(supervisor, id, text("hi"))
      yield* desk.drain()
      expect(sms.sent).toHaveLength(1)
    }).pipe(Effect.provide(layer(config({ channels: [sms.channel] }, driver))))
  })

  it.effect("[DESK-80] show a bot everything that came during its turn, however much", () =>
    Effect.gen(function* () {
      const chat = platform("chat")
      const release = yield* Deferred.make<void>()
      const turns: Array<number> = []
      const slow = bot(async ({ messages }) => {
        turns.push(messages.length)
        if (turns.length === 1) await Effect.runPromise(Deferred.await(release))
        return { actions: [] }
      })
      yield* Effect.gen(function* () {
        const desk = yield* Desk
        yield* post("chat", [message("one")])
        const working = yield* Effect.forkChild(desk.drain())
        yield* Effect.promise(async () => {
          while (turns.length === 0) await new Promise((resolve) => setImmediate(resolve))
        })
        for (let n = 0; n < 50; n++) yield* post("chat", [message(`more ${n}`)])
        yield* Deferred.succeed(release, undefined)
        yield* Fiber.join(working)
        yield* desk.drain()
        expect(turns).toEqual([1, 50])
      }).pipe(
        Effect.provide(layer(config({ channels: [chat.channel], bots: [slow], firstResponder: { bot: "helper" } })))
      )
    })
  )

  it.effect("[DESK-81] send an edit that is made while its message is on the way, once that has arrived", () => {
    const sms = platform("sms")
    return Effect.gen(function* () {
      const desk = yield* Desk
      yield* arrive("sms", [message("hello")])
      const id = yield* firstId
      let edit: (() => Promise<unknown>) | undefined
      sms.answers.push(async () => {
        await edit?.()
        await new Promise((resolve) => setTimeout(resolve, 20))
        return { outcome: "accepted", platformIds: ["p1"] }
      })
      const { messageId } = yield* desk.reply(supervisor, id, text("good mornig"))
      edit = () =>
        Effect.runPromise(
          desk
            .execute(supervisor, id, { type: "EditMessage", messageId: messageId as never, ...text("good morning") })
            .pipe(Effect.andThen(Effect.exit(Effect.forkDetach(desk.drain()))))
        )
      yield* desk.drain()
      yield* TestClock.adjust("10 seconds")
      yield* desk.drain()
      expect(sms.sent.map(({ outbound }) => outbound.kind)).toEqual(["message", "edit"])
    }).pipe(Effect.provide(layer(config({ channels: [sms.channel] }))))
  })
})

describe("a listener", () => {
  it.effect("[DESK-90] that ends by itself begins again, after as many tries as it takes", () => {
    const sms = platform("sms")
    let begun = 0
    let end: () => void = () => {}
    const channel = {
      ...sms.channel,
      listen: async () => {
        if (++begun === 2) throw new Error("not yet")
        const stopped = new Promise<void>((resolve) => {
          end = resolve
        })
        return { stop: async () => {}, stopped }
      }
    }
    const settled = Effect.promise(() => new Promise((resolve) => setTimeout(resolve, 20)))
    return Effect.gen(function* () {
      const desk = yield* Desk
      yield* desk.start
      end()
      yield* settled
      for (let seconds = 0; seconds < 4; seconds++) {
        yield* TestClock.adjust("1 seconds")
        yield* settled
      }
      expect(begun).toBe(3)
    }).pipe(Effect.scoped, quietly(config({ channels: [channel] })))
  })
})

describe("the board", () => {
  it.effect("[DESK-82] counts everything, and an agent sees every offer, however much there is", () => {
    const sms = platform("sms")
    return Effect.gen(function* () {
      const desk = yield* Desk
      yield* Effect.promise(() =>
        desk.environment.workspace.commit({
          views: Array.from({ length: 6000 }, (_, n) => ({
            view: "poolItems",
            key: `a-${n}`,
            put: {
              pool: "main",
              placed: "waiting",
              place: { kind: "waiting" },
              item: { itemId: `a-${n}`, queueId: "main", channelKind: "sms", priority: 0, weight: 1, arrivedAtMs: 0 },
              offersMade: 0,
              exclusions: []
            }
          }))
        })
      )
      yield* desk.drain()
      expect((yield* desk.board(supervisor)).queues[0]?.waiting).toBe(6000)
      yield* arrive("sms", [message("hello")])
      yield* desk.setPresence(actor("grace"), "grace", "available")
      yield* desk.drain()
      expect(yield* desk.offers(actor("grace"))).toHaveLength(3)
      expect((yield* desk.board(supervisor)).active).toBe(1)
      const id = yield* firstId
      yield* desk.execute(supervisor, id, { type: "ResolveConversation" })
      yield* desk.drain()
      expect((yield* desk.board(supervisor)).active).toBe(0)
    }).pipe(Effect.provide(layer(config({ channels: [sms.channel] }))))
  })
})

group("a desk's life", () => {
  const desks: Array<{ readonly stop: () => Promise<void> }> = []
  afterEach(async () => {
    for (const desk of desks.splice(0)) await desk.stop()
  })
  const make = async (...made: Parameters<typeof createDesk>) => {
    const desk = await createDesk(...made)
    desks.push(desk)
    return desk
  }

  test("[DESK-83] two desks don't share what only one may have, and each leaves it whole for the next", async () => {
    const storage = MemoryStorage.make()
    let closed = 0
    const driver = { ...storage, close: async () => void closed++ }
    const one = await make(config({}, driver))
    await expect(createDesk(config({}, driver))).rejects.toMatchObject({ _tag: "ConfigError", field: "storage" })
    const other = await make(config({ workspace: "other" }, driver))
    await one.stop()
    expect(closed).toBe(0)
    expect((await other.inbox(supervisor)).rows).toEqual([])
    await other.stop()
    expect(closed).toBe(1)
    const again = await make(config({}, driver))
    expect((await again.inbox(supervisor)).rows).toEqual([])
  })

  test("[DESK-84] start begins once, begins again after it failed, and stop ends all of it", async () => {
    let listening = 0
    let fails = true
    const sms = platform("sms")
    const channel = {
      ...sms.channel,
      listen: async () => {
        if (fails) throw new Error("the port is taken")
        listening++
        return { stop: async () => void listening--, stopped: new Promise<void>(() => {}) }
      }
    }
    const desk = await make(config({ channels: [channel] }))
    await expect(desk.start()).rejects.toMatchObject({ _tag: "ConfigError" })
    fails = false
    await Promise.all([desk.start(), desk.start(), desk.start()])
    expect(listening).toBe(1)
    await Promise.all([desk.stop(), desk.stop()])
    expect(listening).toBe(0)
  })

  test("[DESK-85] stop lets calls that are under way finish, and their outcome is known", async () => {
    const sms = platform("sms")
    let sending = false
    let finish: () => void = () => {}
    let aborted = false
    const channel = {
      ...sms.channel,
      send: (_: Outbound.Outbound, context: Outbound.CallContext) =>
        new Promise<Outbound.SendResult>((resolve) => {
          sending = true
          context.signal.addEventListener("abort", () => {
            aborted = true
          })
          finish = () => resolve({ outcome: "accepted", platformIds: ["p1"] })
        })
    }
    const driver = MemoryStorage.make()
    const desk = await make(config({ channels: [channel] }, driver))
    await desk.start()
    await desk.fetch(
      new Request("http://desk.test/channels/sms/", {
        method: "POST",
        headers: { "x-signature": "good" },
        body: JSON.stringify([message("hello")])
      })
    )
    while ((await desk.inbox(supervisor)).rows.length === 0) await new Promise((resolve) => setTimeout(resolve, 5))
    const id = (await desk.inbox(supervisor)).rows[0]!.conversationId
    await desk.reply(supervisor, id, text("hi"))
    while (!sending) await new Promise((resolve) => setTimeout(resolve, 5))
    const stopped = desk.stop()
    setTimeout(finish, 30)
    await stopped
    expect(aborted).toBe(false)
    const [message_] = (await driver.query("main", { view: "messages", limit: 10 })).documents
      .map((one) => one.document as never as { direction: string; deliveries: ReadonlyArray<{ state: string }> })
      .filter((one) => one.direction === "out")
    expect(message_?.deliveries).toMatchObject([{ state: "sent", platformIds: ["p1"] }])
    expect(message_?.deliveries[0]).not.toHaveProperty("possiblyDuplicated")
  })
})
