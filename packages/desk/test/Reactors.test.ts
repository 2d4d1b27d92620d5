import { describe, expect, it } from "@effect/vitest"
import { MemoryStorage, type StorageDriver } from "@switchboard/storage"
import { Effect, Fiber } from "effect"
import { TestClock } from "effect/testing"
import { Desk } from "../src/Desk.ts"
import type { Recorded } from "../src/DeskEvent.ts"
import * as Reactors from "../src/Reactor.ts"
import { actor, arrive, config, layer, message, offered, platform, post, quietly, supervisor } from "./harness.ts"

/** Storage whose commits fail while `fails` says so. */
const unreliable = (fails: (commit: StorageDriver.Commit) => boolean) => {
  const driver = MemoryStorage.make()
  return {
    ...driver,
    commit: (group: ReadonlyArray<StorageDriver.Commit>, nowMs: number) =>
      group.some(fails) ? Promise.reject(new Error("the disk is gone")) : driver.commit(group, nowMs)
  }
}

/** Lets everything run that waits for no clock. */
const settle = Effect.promise(async () => {
  for (let turns = 0; turns < 50; turns++) await new Promise((done) => setImmediate(done))
})

const conversationIds = Effect.gen(function* () {
  const desk = yield* Desk
  const page = yield* Effect.promise(() => desk.environment.workspace.query({ view: "conversations", limit: 100 }))
  return page.documents.map((one) => one.key)
})

describe("a reactor", () => {
  it.effect("[DESK-108] reads what comes in a quiet time at once, and what follows soon after together", () => {
    const sms = platform("sms")
    const memory = MemoryStorage.make()
    const moves: Array<StorageDriver.CursorMove> = []
    const driver: StorageDriver.StorageDriver = {
      ...memory,
      commit: (group, nowMs) => {
        for (const { cursor } of group) if (cursor?.reader === "metrics") moves.push(cursor)
        return memory.commit(group, nowMs)
      }
    }
    return Effect.gen(function* () {
      const desk = yield* Desk
      const head = Effect.promise(() => desk.environment.workspace.head())
      yield* Effect.forkScoped(desk.run)
      for (let rests = 0; rests < 5; rests++) {
        yield* settle
        yield* TestClock.adjust("1 seconds")
      }
      yield* settle
      const quiet = moves.length
      yield* post("sms", [message("one")])
      const first = yield* head
      yield* settle
      expect(moves.slice(quiet).map(({ to }) => to)).toEqual([first])
      for (const words of ["two", "three"]) {
        yield* post("sms", [message(words)])
        yield* settle
      }
      const last = yield* head
      expect(moves.length).toBe(quiet + 1)
      yield* TestClock.adjust("15 millis")
      yield* settle
      expect(moves.slice(quiet + 1).map(({ to }) => to)).toEqual([last])
    }).pipe(Effect.scoped, Effect.provide(layer(config({ channels: [sms.channel] }, driver))))
  })

  it.effect("[DESK-60] whose commands fail once decides the batch anew: no work is forgotten", () => {
    const sms = platform("sms")
    let broken = false
    const driver = unreliable(
      (commit) => broken && commit.claims?.some((claim) => claim.key.startsWith("command/router/")) === true
    )
    return Effect.gen(function* () {
      const desk = yield* Desk
      const offer = yield* offered("sms", [message("one")])
      broken = true
      // Another conversation's arrival is in the same batch as the order that can't be given.
      const accepting = yield* Effect.forkChild(Effect.exit(desk.acceptOffer(actor("grace"), offer.offerId)))
      yield* Fiber.join(accepting)
      yield* post("sms", [message("two", { phone: "+34600000002" })])
      yield* Effect.exit(desk.drain())
      yield* Effect.exit(desk.drain())
      broken = false
      yield* desk.drain()
      expect((yield* desk.offers(actor("grace"))).map((one) => one.row?.preview)).toEqual(["two"])
      const { row } = yield* desk.conversation(actor("grace"), offer.conversationId)
      expect(row?.assignee).toBe("grace")
    }).pipe(quietly(config({ channels: [sms.channel] }, driver)))
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
    }).pipe(quietly(config({ channels: [sms.channel] })))
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
      yield* arrive("sms", [message("two", { phone: "+34600000002" })])
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
    }).pipe(quietly(config({ channels: [sms.channel] })))
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
    }).pipe(quietly(config({ channels: [sms.channel] })))
  })

  /** A reactor that notes every conversation it reads, and throws as `throws` says. */
  const noting = (read: Array<string>, throws: (event: Recorded) => boolean): Reactors.Reactor => ({
    name: "noting",
    react: async (events) => {
      if (events.some(throws)) throw new Error("out of order")
      const mine = events.filter((event) => event.family === "conversation")
      read.push(...mine.map((event) => `${event.stream}@${event.version}`))
      const streams = new Set(mine.map(({ stream }) => stream))
      return { commit: { views: [...streams].map((key) => ({ view: "counts", key, put: {} })) } }
    }
  })
  const drain = Effect.fnUntraced(function* (running: Reactors.Running) {
    while (yield* running.step) {
      // Until level.
    }
  })
  const writeTo = (count: number, text = "hello") =>
    Effect.gen(function* () {
      const streams: Array<string> = []
      for (let index = 1; index <= count; index++) {
        yield* post("sms", [message(text, { phone: `+3460000000${index}` })])
        for (const id of yield* conversationIds) {
          if (!streams.includes(`conversation/${id}`)) streams.push(`conversation/${id}`)
        }
      }
      return streams
    })

  it.effect(
    "[DESK-100] that throws on everything stops before it parks all streams, and goes on once it is mended",
    () => {
      const sms = platform("sms")
      return Effect.gen(function* () {
        const desk = yield* Desk
        const read: Array<string> = []
        let broken = true
        const reactor = noting(read, (event) => broken && event.family === "conversation")
        const running = yield* Reactors.start(desk.environment, reactor, () => Effect.void)
        // Contacts' events, of which it makes nothing, stand between.
        const streams = yield* writeTo(7)
        yield* drain(running)
        expect(running.stopped()).toMatchObject({ reason: "Error: out of order", sinceMs: 0 })
        expect((yield* desk.health(supervisor)).parked).toEqual([])
        expect(running.position()).toBe(0)

        // Not at once again, whatever comes; then from the same position.
        broken = false
        yield* writeTo(1, "more")
        expect(yield* running.step).toBe(false)
        yield* TestClock.adjust("30 seconds")
        yield* drain(running)
        expect(running.stopped()).toBeUndefined()
        expect(read).toEqual([...streams.flatMap((stream) => [`${stream}@1`, `${stream}@2`]), `${streams[0]}@3`])
      }).pipe(quietly(config({ channels: [sms.channel] })))
    }
  )

  it.effect("[DESK-100] that meets them one by one parks four, and a restart goes on with the fifth", () => {
    const sms = platform("sms")
    return Effect.gen(function* () {
      const desk = yield* Desk
      const read: Array<string> = []
      let broken = true
      const reactor = noting(read, (event) => broken && event.family === "conversation")
      const running = yield* Reactors.start(desk.environment, reactor, () => Effect.void)
      const streams: Array<string> = []
      for (let count = 1; count <= 6; count++) {
        streams.push((yield* writeTo(count)).at(-1)!)
        yield* drain(running)
        yield* TestClock.adjust("1 minutes")
      }
      const { parked } = yield* desk.health(supervisor)
      expect(parked.map((one) => one.stream).sort()).toEqual(streams.slice(0, 4).sort())
      expect(running.stopped()?.reason).toBe("Error: out of order")
      broken = false
      const again = yield* Reactors.start(desk.environment, reactor, () => Effect.void)
      yield* drain(again)
      expect(new Set(read.map((one) => one.split("@")[0]))).toEqual(new Set(streams.slice(4)))
      for (const stream of streams.slice(0, 4)) expect(yield* again.retry(stream)).toBeUndefined()
      const rows = yield* Effect.promise(() => desk.environment.workspace.journal(0, 1000))
      expect(read.length).toBe(rows.filter((row) => row.stream.startsWith("conversation/")).length)
    }).pipe(quietly(config({ channels: [sms.channel] })))
  })

  it.effect("[DESK-100] that can read some of many bad streams' neighbours only parks", () => {
    const sms = platform("sms")
    return Effect.gen(function* () {
      const desk = yield* Desk
      const streams = yield* writeTo(9)
      const bad = streams.filter((_, index) => index % 3 !== 2)
      const reactor = noting([], (event) => bad.includes(event.stream))
      const running = yield* Reactors.start(desk.environment, reactor, () => Effect.void)
      yield* drain(running)
      expect(running.stopped()).toBeUndefined()
      const { parked } = yield* desk.health(supervisor)
      expect(parked.map((one) => one.stream).sort()).toEqual(bad.sort())
    }).pipe(quietly(config({ channels: [sms.channel] })))
  })

  it.effect("[DESK-102] whose storage can't be read parks nothing; what storage refuses parks its stream", () => {
    const sms = platform("sms")
    let away = false
    const memory = MemoryStorage.make()
    const driver: StorageDriver.StorageDriver = {
      ...memory,
      claims: (...args) => (away ? Promise.reject(new Error("the line is down")) : memory.claims(...args))
    }
    return Effect.gen(function* () {
      const desk = yield* Desk
      const read: Array<string> = []
      let refused = ""
      const reactor: Reactors.Reactor = {
        name: "reading",
        react: async (events, reads) => {
          const mine = events.filter((event) => event.family === "conversation")
          if (mine.length > 0) await reads.claims(["anything"])
          read.push(...mine.map((event) => event.stream))
          const change = { view: "counts", key: "reading", put: {} }
          const isRefused = mine.some((event) => event.stream === refused)
          return { commit: { views: isRefused ? [change, change] : [change] } }
        }
      }
      const running = yield* Reactors.start(desk.environment, reactor, () => Effect.void)
      const [first, second] = yield* writeTo(2)
      away = true
      expect((yield* Effect.flip(running.step)).message).toContain("the line is down")
      away = false
      refused = first!
      yield* drain(running)
      expect((yield* desk.health(supervisor)).parked).toMatchObject([
        { stream: first, reason: expect.stringContaining("at most once") }
      ])
      expect(read).toContain(second)
      expect(running.stopped()).toBeUndefined()
    }).pipe(quietly(config({ channels: [sms.channel] }, driver)))
  })

  it.effect("[DESK-102] whose storage fails for long leaves nothing behind with every try", () => {
    const sms = platform("sms")
    let away = true
    const driver = unreliable((commit) => away && commit.cursor !== undefined)
    return Effect.gen(function* () {
      const desk = yield* Desk
      const listening = new Set<object>()
      const { storage } = desk.environment
      const { changes } = storage
      Object.assign(storage, {
        changes: (listener: Parameters<typeof changes>[0]) => {
          const stop = changes(listener)
          listening.add(stop)
          return () => {
            listening.delete(stop)
            stop()
          }
        }
      })
      yield* post("sms", [message("one")])
      yield* Effect.forkScoped(desk.run)
      yield* settle
      const atFirst = listening.size
      for (let tries = 0; tries < 20; tries++) {
        yield* TestClock.adjust("1 seconds")
        yield* settle
      }
      expect(listening.size).toBeLessThanOrEqual(atFirst + 4)
      const failing = (yield* desk.health(supervisor)).reactors.map(({ stopped }) => stopped)
      expect(failing.map((one) => one?.sinceMs)).toEqual([0, 0, 0, 0])
      expect(failing[0]?.reason).toContain("the disk is gone")
      away = false
      for (let rests = 0; rests < 3; rests++) {
        yield* TestClock.adjust("1 seconds")
        yield* settle
      }
      const { reactors } = yield* desk.health(supervisor)
      expect(reactors.map(({ behind, stopped }) => [behind, stopped])).toEqual(Array(4).fill([0, null]))
    }).pipe(Effect.scoped, quietly(config({ channels: [sms.channel] }, driver)))
  })

  it.effect("[DESK-101] that can't read a stream everything depends on stops there and passes over nothing", () =>
    Effect.gen(function* () {
      const desk = yield* Desk
      const read: Array<number> = []
      let broken = true
      const reactor: Reactors.Reactor = {
        name: "depending",
        isEssential: (stream) => stream.startsWith("pool-requests/"),
        react: async (events) => {
          if (broken && events.some((event) => event.family === "pool")) throw new Error("no")
          read.push(...events.map((event) => event.position))
          return { commit: {} }
        }
      }
      const running = yield* Reactors.start(desk.environment, reactor, () => Effect.void)
      yield* drain(running)
      expect(running.stopped()?.reason).toBe("Error: no")
      expect(read).toEqual([])
      broken = false
      yield* TestClock.adjust("30 seconds")
      yield* drain(running)
      // The agents' profiles, as the desk told its pool of them.
      expect(read).toEqual([1, 2, 3, 4])
    }).pipe(quietly(config()))
  )

  /** A decision that can't be read, in the pool's own stream. */
  const spoilPool = Effect.gen(function* () {
    const { workspace } = (yield* Desk).environment
    yield* Effect.promise(async () =>
      workspace.commit({
        appends: [
          {
            stream: "pool/main",
            expectedVersion: await workspace.streamVersion("pool/main"),
            events: [
              { type: "PoolDecided", schema: 1, recordedAtMs: 0, body: { answers: 0, nowMs: 0, decision: null } }
            ]
          }
        ]
      })
    )
  })

  it.effect("[DESK-101] the router stops at a decision it can't read, says so, and nothing else stands still", () => {
    const sms = platform("sms")
    return Effect.gen(function* () {
      const desk = yield* Desk
      yield* desk.setPresence(actor("grace"), "grace", "available")
      yield* desk.drain()
      yield* spoilPool
      yield* post("sms", [message("one")])
      expect(yield* desk.drain()).toEqual({ level: false })
      const { reactors, parked } = yield* desk.health(supervisor)
      const router = reactors.find((one) => one.name === "router")
      expect(router?.stopped?.reason).toContain("TypeError")
      expect(router?.behind).toBeGreaterThan(0)
      expect(parked.filter((one) => one.reactor === "router")).toEqual([])
      expect(reactors.filter((one) => one.stopped === null).map((one) => one.name)).toEqual(["sla", "inbox", "metrics"])
      expect((yield* desk.inbox(supervisor)).rows.map((row) => row.preview)).toEqual(["one"])
    }).pipe(quietly(config({ channels: [sms.channel] })))
  })

  it.effect("[DESK-100] that stopped is tried again by itself, at intervals, while the desk runs", () => {
    const memory = MemoryStorage.make()
    let restored = 0
    const driver: StorageDriver.StorageDriver = {
      ...memory,
      query: (workspace, query) => {
        if (query.view === "poolItems") restored++
        return memory.query(workspace, query)
      }
    }
    return Effect.gen(function* () {
      const desk = yield* Desk
      yield* spoilPool
      yield* Effect.forkScoped(desk.run)
      yield* settle
      expect((yield* desk.health(supervisor)).reactors[0]?.stopped).not.toBeNull()
      for (let tries = 0; tries < 3; tries++) {
        const before = restored
        yield* TestClock.adjust("29 seconds")
        yield* settle
        expect(restored).toBe(before)
        yield* TestClock.adjust("1 seconds")
        yield* settle
        expect(restored).toBeGreaterThan(before)
      }
    }).pipe(Effect.scoped, quietly(config({}, driver)))
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
      const offer = yield* offered("sms", [message("one")])
      lose = true
      // The first try is told that storage failed; asked again, the answer is the one that was given.
      expect((yield* Effect.flip(desk.acceptOffer(actor("grace"), offer.offerId)))._tag).toBe("StorageFailedError")
      yield* desk.acceptOffer(actor("grace"), offer.offerId)
      yield* desk.drain()
      expect((yield* desk.conversation(actor("grace"), offer.conversationId)).row?.assignee).toBe("grace")
    }).pipe(quietly(config({ channels: [sms.channel] }, driver)))
  })

  it.effect("[DESK-63] of a caller who went away is answered all the same, and the pool stays whole", () => {
    const sms = platform("sms")
    return Effect.gen(function* () {
      const desk = yield* Desk
      yield* desk.setPresence(actor("grace"), "grace", "available")
      yield* arrive("sms", [message("one"), message("two", { phone: "+34600000002" })])
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
