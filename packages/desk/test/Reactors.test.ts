import { describe, expect, it } from "@effect/vitest"
import { MemoryStorage, type StorageDriver } from "@switchboard/storage"
import { Effect, Fiber, References } from "effect"
import { TestClock } from "effect/testing"
import { Desk } from "../src/Desk.ts"
import type { Recorded } from "../src/DeskEvent.ts"
import * as Reactors from "../src/Reactor.ts"
import { actor, config, layer, message, platform, post } from "./harness.ts"

const supervisor = actor("vera", "supervisor")

/** Storage whose commits fail while `fails` says so. */
const unreliable = (fails: (commit: StorageDriver.Commit) => boolean) => {
  const driver = MemoryStorage.make()
  return {
    ...driver,
    commit: (group: ReadonlyArray<StorageDriver.Commit>, nowMs: number) =>
      group.some(fails) ? Promise.reject(new Error("the disk is gone")) : driver.commit(group, nowMs)
  }
}

const conversationIds = Effect.gen(function* () {
  const desk = yield* Desk
  const page = yield* Effect.promise(() => desk.environment.workspace.query({ view: "conversations", limit: 100 }))
  return page.documents.map((one) => one.key)
})

describe("a reactor", () => {
  it.effect("[DESK-60] whose commands fail once decides the batch anew: no work is forgotten", () => {
    const sms = platform("sms")
    let broken = false
    const driver = unreliable(
      (commit) => broken && commit.claims?.some((claim) => claim.key.startsWith("command/router/")) === true
    )
    return Effect.gen(function* () {
      const desk = yield* Desk
      yield* desk.setPresence(actor("grace"), "grace", "available")
      yield* post("sms", [message("one")])
      yield* desk.drain()
      const [offer] = yield* desk.offers(actor("grace"))
      broken = true
      // Another conversation's arrival is in the same batch as the order that can't be given.
      const accepting = yield* Effect.forkChild(Effect.exit(desk.acceptOffer(actor("grace"), offer!.offerId)))
      yield* Fiber.join(accepting)
      yield* post("sms", [message("two", { phone: "+34600000002" })])
      yield* Effect.exit(desk.drain())
      yield* Effect.exit(desk.drain())
      broken = false
      yield* desk.drain()
      expect((yield* desk.offers(actor("grace"))).map((one) => one.row?.preview)).toEqual(["two"])
      const { row } = yield* desk.conversation(actor("grace"), offer!.conversationId)
      expect(row?.assignee).toBe("grace")
    }).pipe(
      Effect.provide(layer(config({ channels: [sms.channel] }, driver))),
      Effect.provideService(References.MinimumLogLevel, "None")
    )
  })

  it.effect("[DESK-61] that throws on one event parks its stream, reports it, and goes on with the others", () => {
    const sms = platform("sms")
    return Effect.gen(function* () {
      const desk = yield* Desk
      const read: Array<string> = []
      let poison: string | undefined
      const fragile: Reactors.Reactor = {
        name: "fragile",
        react: async (events: ReadonlyArray<Recorded>) => {
          for (const event of events) {
            if (event.stream === poison) throw new Error("can't read this")
            read.push(`${event.stream}@${event.version}`)
          }
          return { commit: {} }
        }
      }
      const running = yield* Reactors.start(desk.environment, fragile, () => Effect.void)
      const level = Effect.gen(function* () {
        while (yield* running.step) {
          // Until level.
        }
      })
      yield* post("sms", [message("bad"), message("good", { phone: "+34600000002" })])
      const [bad, good] = yield* conversationIds
      poison = `conversation/${bad}`
      yield* level
      expect(read).toContain(`conversation/${good}@1`)
      expect(read.filter((one) => one.startsWith(poison!))).toEqual([])
      yield* post("sms", [message("still bad"), message("still good", { phone: "+34600000002" })])
      yield* level
      expect(read).toContain(`conversation/${good}@3`)
      expect(read.filter((one) => one.startsWith(poison!))).toEqual([])
      const health = yield* desk.health(supervisor)
      expect(health.parked).toMatchObject([{ reactor: "fragile", stream: poison, reason: "Error: can't read this" }])

      // Still broken: it stays parked, with everything behind it.
      expect(yield* running.retry(poison)).toBe("Error: can't read this")
      const stream = poison
      poison = undefined
      expect(yield* running.retry(stream)).toBeUndefined()
      expect(read.filter((one) => one.startsWith(stream))).toEqual([1, 2, 3].map((version) => `${stream}@${version}`))
      expect((yield* desk.health(supervisor)).parked).toEqual([])
      yield* post("sms", [message("well again")])
      yield* level
      expect(read.at(-1)).toBe(`${stream}@4`)
    }).pipe(
      Effect.provide(layer(config({ channels: [sms.channel] }))),
      Effect.provideService(References.MinimumLogLevel, "None")
    )
  })

  it.effect("[DESK-62] parks a stream with an event that this release does not know, and so do all the others", () => {
    const sms = platform("sms")
    return Effect.gen(function* () {
      const desk = yield* Desk
      const { workspace } = desk.environment
      yield* post("sms", [message("one")])
      const [id] = yield* conversationIds
      const stream = `conversation/${id}`
      yield* Effect.promise(async () =>
        workspace.commit({
          appends: [
            {
              stream,
              expectedVersion: await workspace.streamVersion(stream),
              events: [{ type: "TagAdded", schema: 99, recordedAtMs: 0, body: { from: "the future" } }]
            }
          ]
        })
      )
      yield* post("sms", [message("two", { phone: "+34600000002" })])
      yield* desk.drain()
      const health = yield* desk.health(supervisor)
      expect(health.reactors.map(({ behind }) => behind)).toEqual([0, 0, 0, 0])
      expect(new Set(health.parked.map((one) => one.stream))).toEqual(new Set([stream]))
      expect(health.parked[0]?.reason).toContain("newer release")
      expect((yield* desk.inbox(supervisor)).rows.map((row) => row.preview)).toContain("two")
      const denied = yield* Effect.flip(desk.retryParked(actor("grace"), "inbox", stream))
      expect(denied._tag).toBe("RejectedError")
      expect(yield* desk.retryParked(supervisor, "inbox", stream)).toMatchObject({ done: false })
      expect((yield* Effect.flip(desk.retryParked(supervisor, "inbox", "conversation/none")))._tag).toBe(
        "NotFoundError"
      )
    }).pipe(
      Effect.provide(layer(config({ channels: [sms.channel] }))),
      Effect.provideService(References.MinimumLogLevel, "None")
    )
  })

  it.effect("[DESK-60] that meets another writer while it goes event by event skips nothing", () => {
    const sms = platform("sms")
    return Effect.gen(function* () {
      const desk = yield* Desk
      const { workspace } = desk.environment
      const read: Array<number> = []
      let poison: number | undefined
      let target = 0
      let disturb = 1
      const fragile: Reactors.Reactor = {
        name: "fragile",
        react: async (events) => {
          if (events.some((event) => event.position === poison)) throw new Error("no")
          const version = await workspace.streamVersion("side/1")
          const [only] = events
          if (events.length === 1 && only!.position === target && disturb-- > 0) {
            await workspace.commit({
              appends: [
                {
                  stream: "side/1",
                  expectedVersion: version,
                  events: [{ type: "Aside", schema: 1, recordedAtMs: 0, body: {} }]
                }
              ]
            })
          }
          read.push(...events.map((event) => event.position))
          return { commit: { appends: [{ stream: "side/1", expectedVersion: version, events: [] }] } }
        }
      }
      yield* post("sms", [message("one"), message("two", { phone: "+34600000002" })])
      const rows = yield* Effect.promise(() => workspace.journal(0, 100))
      const first = rows.find((row) => row.stream.startsWith("conversation/"))!
      poison = first.position
      target = rows.find((row) => row.position > poison! && row.stream !== first.stream)!.position
      const last = rows.at(-1)!.position
      const running = yield* Reactors.start(desk.environment, fragile, () => Effect.void)
      yield* running.step
      while (running.position() < last) yield* running.step
      // It is read again after the conflict; nothing behind it was taken in its place.
      expect(read.filter((position) => position === target)).toHaveLength(2)
    }).pipe(
      Effect.provide(layer(config({ channels: [sms.channel] }))),
      Effect.provideService(References.MinimumLogLevel, "None")
    )
  })
})

describe("a request to the pool", () => {
  it.effect("[DESK-63] is answered although the outcome of the owner's commit was unknown", () => {
    const sms = platform("sms")
    const memory = MemoryStorage.make()
    let lose = false
    const driver: StorageDriver.StorageDriver = {
      ...memory,
      commit: async (group, nowMs) => {
        const outcomes = await memory.commit(group, nowMs)
        if (lose && group.some((commit) => commit.cursor?.reader === "router")) {
          lose = false
          throw new Error("the connection broke after the commit")
        }
        return outcomes
      }
    }
    return Effect.gen(function* () {
      const desk = yield* Desk
      yield* desk.setPresence(actor("grace"), "grace", "available")
      yield* post("sms", [message("one")])
      yield* desk.drain()
      const [offer] = yield* desk.offers(actor("grace"))
      lose = true
      // The first try is told that storage failed; asked again, the answer is the one that was given.
      expect((yield* Effect.flip(desk.acceptOffer(actor("grace"), offer!.offerId)))._tag).toBe("StorageFailedError")
      yield* desk.acceptOffer(actor("grace"), offer!.offerId)
      yield* desk.drain()
      expect((yield* desk.conversation(actor("grace"), offer!.conversationId)).row?.assignee).toBe("grace")
    }).pipe(
      Effect.provide(layer(config({ channels: [sms.channel] }, driver))),
      Effect.provideService(References.MinimumLogLevel, "None")
    )
  })

  it.effect("[DESK-63] of a caller who went away is answered all the same, and the pool stays whole", () => {
    const sms = platform("sms")
    return Effect.gen(function* () {
      const desk = yield* Desk
      yield* desk.setPresence(actor("grace"), "grace", "available")
      yield* post("sms", [message("one"), message("two", { phone: "+34600000002" })])
      yield* desk.drain()
      for (const offer of yield* desk.offers(actor("grace"))) {
        const accepting = yield* Effect.forkChild(desk.acceptOffer(actor("grace"), offer.offerId), {
          startImmediately: true
        })
        for (let turns = 0; turns < 3; turns++) yield* Effect.promise(() => new Promise((done) => setImmediate(done)))
        yield* Fiber.interrupt(accepting)
      }
      yield* desk.drain()
      const board = yield* desk.board(supervisor)
      expect(board.agents.find((one) => one.agent.id === "grace")?.holds).toBe(2)
      expect((yield* desk.inbox(supervisor)).rows.map((row) => row.assignee)).toEqual(["grace", "grace"])
      yield* TestClock.adjust("1 minutes")
      yield* desk.drain()
      expect((yield* desk.health(supervisor)).parked).toEqual([])
    }).pipe(Effect.provide(layer(config({ channels: [sms.channel] }))))
  })
})
