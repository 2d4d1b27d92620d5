import { expect, it } from "@effect/vitest"
import type { ContactThread } from "@switchboard/channel"
import { Id } from "@switchboard/conversation"
import { Deferred, Effect, Queue, Stream } from "effect"
import { TestClock } from "effect/testing"
import { OverloadedError } from "../../src/DeskError.ts"
import type { Change, DeskService, ThreadUpdate } from "../../src/DeskService.ts"
import { type FakeOptions, hourMs, make, nowMs, origin, problemOf, request, token } from "./FakeDesk.ts"

const change = (position: number): Change => ({
  position,
  type: "MessageReceived",
  conversationId: "c1",
  contactId: null,
  agentId: null
})

/** The desk on the virtual clock of the test. */
const virtual = (options: FakeOptions) =>
  Effect.map(Effect.context<never>(), (context) => make({ ...options, run: Effect.runPromiseWith(context) }))

/** Reads what has come, block by block. */
const reader = (response: Response) => {
  const chunks = response.body!.pipeThrough(new TextDecoderStream()).getReader()
  return {
    next: Effect.promise(async () => {
      const { done, value } = await chunks.read()
      return done ? null : value
    }),
    /** Reads on until the answer ends. */
    rest: Effect.promise(async () => {
      while (!(await chunks.read()).done);
    }),
    cancel: Effect.promise(() => chunks.cancel())
  }
}

const follow = (
  fake: { fetch: (request: Request) => Promise<Response> },
  path: string,
  headers = {},
  signal?: AbortSignal
) => Effect.promise(async () => fake.fetch(await request("GET", path, { headers, ...(signal && { signal }) })))

const after = (calls: ReadonlyArray<ReadonlyArray<unknown>>) => calls.find(([name]) => name === "changes")?.[2]

const changes: DeskService["changes"] = (_, position) =>
  Stream.concat(Stream.make(change(position + 1), change(position + 2)), Stream.never)

it.effect("[HTTP-23] changes come with their positions, and the client learns first where it stands", () =>
  Effect.gen(function* () {
    const fake = yield* virtual({ answers: { changes } })
    const response = yield* follow(fake, "/api/events?after=7")
    expect(response.headers.get("content-type")).toBe("text/event-stream")
    const { next, cancel } = reader(response)
    let text = ""
    while (!text.includes("id: 9")) text += yield* next
    expect(text).toBe(
      `:\n\nid: 7\n\nid: 8\ndata: ${JSON.stringify(change(8))}\n\nid: 9\ndata: ${JSON.stringify(change(9))}\n\n`
    )
    yield* cancel
  })
)

it.effect.each([
  { path: "/api/events", headers: {}, from: 41, why: "the head, when nothing is asked" },
  { path: "/api/events?after=0", headers: {}, from: 0, why: "the beginning, when that is asked" },
  {
    path: "/api/events?after=7",
    headers: { "last-event-id": "30" },
    from: 30,
    why: "the last id of a client that comes back"
  },
  {
    path: "/api/events?after=7",
    headers: { "last-event-id": "" },
    from: 7,
    why: "what was asked, with an empty last id"
  }
])("[HTTP-23] a live answer begins after $why", ({ path, headers, from }) =>
  Effect.gen(function* () {
    const fake = yield* virtual({})
    const response = yield* follow(fake, path, headers)
    expect(after(fake.calls)).toBe(from)
    yield* Effect.promise(() => response.body!.cancel())
  })
)

it.effect("[HTTP-23] a position that is none is refused", () =>
  Effect.gen(function* () {
    const fake = yield* virtual({})
    for (const [path, headers] of [
      ["/api/events?after=now", {}],
      ["/api/events", { "last-event-id": "x" }]
    ] as const) {
      const response = yield* follow(fake, path, headers)
      expect(response.status).toBe(400)
      expect((yield* Effect.promise(() => problemOf(response))).code).toBe("requestInvalid")
    }
  })
)

it.effect("[HTTP-23] a client that resumes sees every change once", () =>
  Effect.gen(function* () {
    const journal = Array.from({ length: 9 }, (_, index) => change(index + 1))
    const fake = yield* virtual({
      answers: {
        changes: (_, position) =>
          Stream.concat(Stream.fromIterable(journal.filter((one) => one.position > position)), Stream.never)
      }
    })
    const seen: Array<number> = []
    let last = "0"
    while (seen.length < journal.length) {
      const { next, cancel } = reader(yield* follow(fake, "/api/events?after=0", { "last-event-id": last }))
      // The line breaks after three changes, every time.
      for (let got = 0; got < 3; ) {
        for (const block of (yield* next)!.split("\n\n")) {
          const id = /^id: (\d+)\ndata: /.exec(block)?.[1]
          if (id === undefined || got === 3) continue
          last = id
          seen.push(Number(id))
          got++
        }
      }
      yield* cancel
    }
    expect(seen).toEqual(journal.map((one) => one.position))
  })
)

it.effect("[HTTP-30] a conversation that is followed adds its contact's typing, which moves no position", () =>
  Effect.gen(function* () {
    const typing = yield* Queue.unbounded<ContactThread.ThreadTyping>()
    const fake = yield* virtual({ answers: { changes, contactTyping: () => Stream.fromQueue(typing) } })
    const { next, cancel } = reader(yield* follow(fake, "/api/events?after=7&conversation=c1"))
    let text = ""
    while (!text.includes("id: 9")) text += yield* next
    yield* Queue.offer(typing, { typing: true })
    expect(yield* next).toBe('event: typing\ndata: {"conversationId":"c1","typing":true}\n\n')
    expect(fake.calls.find(([name]) => name === "contactTyping")?.[2]).toBe("c1")
    yield* cancel
    const without = yield* follow(fake, "/api/events")
    expect(fake.calls.filter(([name]) => name === "contactTyping")).toHaveLength(1)
    yield* Effect.promise(() => without.body!.cancel())
  })
)

it.effect("[HTTP-24] a comment every 15 seconds says that the line is alive", () =>
  Effect.gen(function* () {
    const fake = yield* virtual({})
    const { next, cancel } = reader(yield* follow(fake, "/api/events"))
    let text = ""
    while (!text.includes("id: 41")) text += yield* next
    yield* TestClock.adjust("15 seconds")
    expect(yield* next).toBe(":\n\n")
    yield* TestClock.adjust("15 seconds")
    expect(yield* next).toBe(":\n\n")
    yield* cancel
  })
)

/** A stream that tells when it began and when it ended. */
const endings = Effect.gen(function* () {
  const begun = yield* Deferred.make<void>()
  const ended = yield* Deferred.make<void>()
  const endless: DeskService["changes"] = () =>
    Stream.unwrap(
      Effect.as(
        Effect.acquireRelease(Deferred.succeed(begun, undefined), () => Deferred.succeed(ended, undefined)),
        Stream.never
      )
    )
  return { begun, ended, fake: yield* virtual({ answers: { changes: endless } }) }
})

it.effect("[HTTP-25] a client that cancels ends the stream behind it", () =>
  Effect.gen(function* () {
    const { begun, ended, fake } = yield* endings
    const { cancel } = reader(yield* follow(fake, "/api/events"))
    yield* Deferred.await(begun)
    yield* cancel
    yield* Deferred.await(ended)
  })
)

it.effect("[HTTP-25] a request that is aborted ends the stream behind it", () =>
  Effect.gen(function* () {
    const { begun, ended, fake } = yield* endings
    const controller = new AbortController()
    const { rest } = reader(yield* follow(fake, "/api/events", {}, controller.signal))
    yield* Deferred.await(begun)
    controller.abort()
    yield* Deferred.await(ended)
    yield* rest
  })
)

it.effect("[HTTP-25] a live answer ends with the credential it was asked with", () =>
  Effect.gen(function* () {
    const { begun, ended, fake } = yield* endings
    const { rest } = reader(yield* follow(fake, "/api/events"))
    yield* Deferred.await(begun)
    yield* TestClock.adjust(hourMs - 1)
    expect(yield* Deferred.isDone(ended)).toBe(false)
    yield* TestClock.adjust(1)
    yield* rest
    yield* Deferred.await(ended)
  })
)

it.effect("[HTTP-25] a stream that fails ends the answer, after everything it had", () =>
  Effect.gen(function* () {
    const fake = yield* virtual({
      answers: {
        changes: () => Stream.concat(Stream.make(change(42)), Stream.fail(new OverloadedError({ retryAfterMs: 1 })))
      }
    })
    const response = yield* follow(fake, "/api/events")
    const text = yield* Effect.promise(() => response.text())
    expect(text).toBe(`:\n\nid: 41\n\nid: 42\ndata: ${JSON.stringify(change(42))}\n\n`)
  })
)

const message = (sequence: number): ContactThread.ThreadMessage => ({
  id: Id.MessageId.parse(`m${sequence}`),
  sequence,
  direction: "out",
  authorKind: "agent",
  parts: [{ kind: "text", text: "Line one\nline two", format: "plain" }],
  attachments: [],
  sentAtMs: nowMs
})

it.effect("[HTTP-26] a contact's client gets messages with their sequence, updates and typing without", () =>
  Effect.gen(function* () {
    const updates = yield* Queue.unbounded<ThreadUpdate>()
    const fake = yield* virtual({
      answers: {
        receive: () =>
          Effect.succeed({
            kind: "live",
            headers: { "access-control-allow-origin": "https://shop.test", vary: "origin" },
            stream: Stream.fromQueue(updates)
          })
      }
    })
    const response = yield* Effect.promise(() =>
      fake.fetch(new Request(`${origin}/channels/chat/web/thread?after=3&live=1`))
    )
    expect(response.headers.get("access-control-allow-origin")).toBe("https://shop.test")
    expect(response.headers.get("content-type")).toBe("text/event-stream")
    const { next, cancel } = reader(response)
    expect(yield* next).toBe(":\n\n")
    yield* Queue.offer(updates, { event: "message", message: message(4) })
    expect(yield* next).toBe(`event: message\nid: 4\ndata: ${JSON.stringify(message(4))}\n\n`)
    yield* Queue.offer(updates, { event: "update", message: message(2) })
    expect(yield* next).toBe(`event: update\ndata: ${JSON.stringify(message(2))}\n\n`)
    yield* Queue.offer(updates, { event: "typing", typing: { typing: true, authorName: "Ada" } })
    expect(yield* next).toBe('event: typing\ndata: {"typing":true,"authorName":"Ada"}\n\n')
    yield* TestClock.adjust("15 seconds")
    expect(yield* next).toBe(":\n\n")
    yield* cancel
  })
)

it.effect("[HTTP-6] a browser follows changes with its cookie alone", () =>
  Effect.gen(function* () {
    const fake = yield* virtual({})
    const response = yield* Effect.promise(async () =>
      fake.fetch(
        new Request(`${origin}/api/events`, { headers: { cookie: `switchboard_session=${await token("ada")}` } })
      )
    )
    expect(response.status).toBe(200)
    yield* Effect.promise(() => response.body!.cancel())
  })
)
