import { beforeEach, describe, expect, test } from "vitest"
import { WidgetClient, type WidgetEnvironment, type WidgetIdentity } from "../src/widget/WidgetClient.ts"
import type { WidgetStorage } from "../src/widget/WidgetQueue.ts"
import { ConnectionLost, FakeDesk } from "./FakeDesk.ts"
import { ana, makeChannel, nowMs as startMs } from "./Fixtures.ts"

const endpoint = "https://desk.example"
const clientIds = (client: WidgetClient): ReadonlyArray<string> =>
  client.state.outbox.map(({ entry, state }) => `${entry.kind === "message" ? entry.text : entry.label}: ${state}`)
const textsOf = (client: WidgetClient): ReadonlyArray<string> =>
  client.state.messages.flatMap(({ parts }) =>
    parts.map((part) => ("text" in part ? part.text : "label" in part ? part.label : part.kind))
  )

let nowMs = startMs
let timers: Array<{ atMs: number; run: () => void }> = []
let desk: FakeDesk
let stored: Map<string, string>
let full = false
let lastId = 0

/** Lets everything happen that waits for nothing but other code. */
const settle = async (): Promise<void> => {
  for (let turn = 0; turn < 30; turn++) await new Promise(setImmediate)
}

const advance = async (ms: number): Promise<void> => {
  await settle()
  const untilMs = nowMs + ms
  for (;;) {
    const [next] = timers.filter(({ atMs }) => atMs <= untilMs).sort((a, b) => a.atMs - b.atMs)
    if (next === undefined) break
    timers = timers.filter((timer) => timer !== next)
    nowMs = Math.max(nowMs, next.atMs)
    next.run()
    await settle()
  }
  nowMs = untilMs
  await settle()
}

const storage = (): WidgetStorage => ({
  get: (key) => stored.get(key) ?? null,
  set: (key, value) => {
    if (full) return false
    stored.set(key, value)
    return true
  },
  remove: (key) => stored.delete(key),
  keys: () => [...stored.keys()]
})

const fetchFromDesk: WidgetEnvironment["fetch"] = async (url, init) => {
  const { signal } = init
  if (signal?.aborted) throw signal.reason
  try {
    const answer = await desk.handle({
      method: init.method ?? "GET",
      url: new URL(url),
      headers: init.headers as Record<string, string>,
      body: new TextEncoder().encode(String(init.body ?? ""))
    })
    if (!("open" in answer))
      return new Response(answer.status === 204 ? null : answer.body, {
        status: answer.status,
        headers: answer.headers
      })
    const body = new ReadableStream<Uint8Array>({
      start: (controller) => {
        const close = answer.open(
          (text) => controller.enqueue(new TextEncoder().encode(text)),
          () => controller.close()
        )
        signal?.addEventListener("abort", () => {
          close()
          controller.error(signal.reason)
        })
      }
    })
    return new Response(body, { headers: answer.headers })
  } catch (error) {
    if (error instanceof ConnectionLost) throw new TypeError("failed to fetch")
    throw error
  }
}

const makeClient = (fetch = fetchFromDesk): WidgetClient =>
  new WidgetClient({
    endpoint,
    account: "shop",
    onChange: () => {},
    environment: {
      fetch,
      storage: storage(),
      now: () => nowMs,
      after: (ms, run) => {
        const timer = { atMs: nowMs + ms, run }
        timers.push(timer)
        return () => {
          timers = timers.filter((each) => each !== timer)
        }
      },
      newId: () => `00000000-0000-4000-8000-${String(++lastId).padStart(12, "0")}`,
      random: () => 0.5
    }
  })

const open = async (identity?: WidgetIdentity): Promise<WidgetClient> => {
  const client = makeClient()
  client.start(identity)
  client.show(true, true)
  await settle()
  return client
}

beforeEach(() => {
  nowMs = startMs
  timers = []
  stored = new Map()
  full = false
  lastId = 0
  desk = new FakeDesk(makeChannel(), () => nowMs)
})

describe("sending", () => {
  test("shows at once, goes out, and gives way to what the thread shows", async () => {
    const client = await open()
    client.sendMessage("Hello")
    expect(clientIds(client)).toEqual(["Hello: sending"])
    await settle()
    expect(clientIds(client)).toEqual([])
    expect(textsOf(client)).toEqual(["Hello"])
    expect([...stored.keys()].filter((key) => key.includes(":out:"))).toEqual([])
  })

  test("nothing is asked of the desk before the visitor does something", async () => {
    const client = makeClient()
    client.start()
    await settle()
    expect(desk.requests).toEqual([])
    expect(client.state.connection).toBe("idle")
  })

  test("keeps the order, whatever is under way", async () => {
    const client = await open()
    desk.faults.push("lostBefore")
    for (const text of ["one", "two", "three"]) client.sendMessage(text)
    await advance(5_000)
    expect(desk.texts).toEqual(["one", "two", "three"])
    expect(textsOf(client)).toEqual(["one", "two", "three"])
  })

  test("a lost answer makes no second message", async () => {
    const client = await open()
    desk.faults.push("lostAfter", "lostAfter", 503)
    client.sendMessage("once")
    await advance(60_000)
    expect(desk.texts).toEqual(["once"])
    expect(textsOf(client)).toEqual(["once"])
    expect(clientIds(client)).toEqual([])
  })

  test("what waits without a connection survives a reload, in its order, and goes out once", async () => {
    const before = await open()
    before.sendMessage("zero")
    await settle()
    desk.isDown = true
    desk.cutStreams()
    for (const text of ["one", "two"]) before.sendMessage(text)
    await advance(3_000)
    expect(clientIds(before)).toEqual(["one: waiting", "two: waiting"])
    expect(before.state.connection).toBe("offline")
    before.stop()
    const after = await open()
    expect(clientIds(after)).toEqual(["one: waiting", "two: waiting"])
    desk.isDown = false
    await advance(60_000)
    expect(desk.texts).toEqual(["zero", "one", "two"])
    expect(textsOf(after)).toEqual(["zero", "one", "two"])
    expect(clientIds(after)).toEqual([])
  })

  test("reload after a lost answer: the thread shows it, so it is not sent again", async () => {
    const before = await open()
    desk.faults.push("lostAfter")
    before.sendMessage("once")
    await settle()
    before.stop()
    const after = await open()
    await advance(60_000)
    expect(desk.texts).toEqual(["once"])
    expect(clientIds(after)).toEqual([])
  })

  test("two tabs share what waits without losing or doubling any of it", async () => {
    const first = await open()
    desk.isDown = true
    desk.cutStreams()
    first.sendMessage("from the first")
    const second = await open()
    second.sendMessage("from the second")
    await settle()
    desk.isDown = false
    await advance(60_000)
    expect([...desk.texts].sort()).toEqual(["from the first", "from the second"])
    expect(desk.threads.size).toBe(1)
  })

  test("a refusal is shown, can be tried again or discarded", async () => {
    const client = await open()
    desk.faults.push(413, 413)
    client.sendMessage("too much")
    await settle()
    expect(clientIds(client)).toEqual(["too much: failed"])
    await advance(60_000)
    expect(desk.texts).toEqual([])
    const { entry } = client.state.outbox[0]!
    client.retry(entry.clientId)
    await settle()
    expect(clientIds(client)).toEqual(["too much: failed"])
    client.discard(entry.clientId)
    expect(client.state.outbox).toEqual([])
    expect((await open()).state.outbox).toEqual([])
  })

  test("waits as long as the desk asks", async () => {
    let refused = 0
    const client = makeClient(async (url, init) => {
      if (!url.endsWith("/messages") || refused > 0) return fetchFromDesk(url, init)
      refused++
      return new Response("", { status: 429, headers: { "retry-after": "40" } })
    })
    client.start()
    client.show(true, true)
    await settle()
    client.sendMessage("later")
    await advance(39_000)
    expect(desk.texts).toEqual([])
    await advance(2_000)
    expect(desk.texts).toEqual(["later"])
  })

  test("a request that is never answered is given up and sent again", async () => {
    let hung = 0
    const client = makeClient((url, init) =>
      url.endsWith("/messages") && hung++ === 0
        ? new Promise((_, reject) => init.signal?.addEventListener("abort", () => reject(init.signal?.reason)))
        : fetchFromDesk(url, init)
    )
    client.start()
    client.show(true, true)
    await settle()
    client.sendMessage("patience")
    await advance(19_000)
    expect(desk.texts).toEqual([])
    await advance(5_000)
    expect(desk.texts).toEqual(["patience"])
  })

  test("says when the browser's store is full and the message lives on this page only", async () => {
    const client = await open()
    full = true
    desk.isDown = true
    client.sendMessage("big")
    expect(client.state.outbox[0]?.kept).toBe(false)
    desk.isDown = false
    await advance(60_000)
    expect(desk.texts).toEqual(["big"])
  })

  test("a token that is no longer believed is replaced", async () => {
    const client = await open()
    client.sendMessage("before")
    await settle()
    const { channel } = desk
    desk = new FakeDesk(makeChannel({ sessionSecret: "another secret, 32 characters or more" }), () => nowMs)
    expect(channel).not.toBe(desk.channel)
    client.sendMessage("after")
    await advance(5_000)
    expect(desk.texts).toEqual(["after"])
  })

  test("a choice goes out as an action of its message", async () => {
    const client = await open()
    client.sendMessage("Hello")
    await settle()
    const { id } = desk.write(desk.onlyThread, {
      authorKind: "bot",
      parts: [{ kind: "choices", text: "About?", options: [{ id: "billing", label: "A payment" }] }]
    })
    await settle()
    client.choose(id, "billing", "A payment")
    await settle()
    expect(desk.texts).toEqual(["Hello", "About?", "A payment"])
    expect(clientIds(client)).toEqual([])
  })
})

describe("reading", () => {
  test("a reply arrives live, and is read while the panel shows", async () => {
    const client = await open()
    client.sendMessage("Hello")
    await settle()
    const { id } = desk.reply("Hi!")
    await settle()
    expect(textsOf(client)).toEqual(["Hello", "Hi!"])
    expect(client.state.unread).toBe(0)
    expect(desk.receipts).toEqual([`read ${id}`])
  })

  test("a reply while the panel is closed counts as unread and delivered, then as read", async () => {
    const client = await open()
    client.sendMessage("Hello")
    await settle()
    client.show(false, true)
    const { id } = desk.reply("Hi!")
    await settle()
    expect(client.state.unread).toBe(1)
    expect(desk.receipts).toEqual([`delivered ${id}`])
    client.show(true, true)
    await settle()
    expect(client.state.unread).toBe(0)
    expect(desk.receipts).toEqual([`delivered ${id}`, `read ${id}`])
    client.stop()
    const again = makeClient()
    again.start()
    await settle()
    expect(again.state.unread).toBe(0)
  })

  test("history comes back after a reload, over several pages", async () => {
    const client = await open()
    client.sendMessage("Hello")
    await settle()
    for (let number = 1; number <= 120; number++) desk.reply(`answer ${number}`)
    client.stop()
    const again = await open()
    expect(again.state.messages).toHaveLength(121)
    expect(again.state.loaded).toBe(true)
    expect(textsOf(again).at(-1)).toBe("answer 120")
  })

  test("nothing is missed between two streams, also no edit", async () => {
    const client = await open()
    client.sendMessage("Hello")
    await settle()
    const { id } = desk.reply("Hi!")
    await settle()
    desk.isDown = true
    desk.cutStreams()
    await advance(3_000)
    desk.change(id, { parts: [{ kind: "text", text: "Hi there!", format: "plain" }], editedAtMs: nowMs })
    desk.reply("Are you there?")
    desk.isDown = false
    await advance(20_000)
    expect(textsOf(client)).toEqual(["Hello", "Hi there!", "Are you there?"])
    expect(client.state.connection).toBe("live")
  })

  test("typing is shown and ends with the message, or by itself", async () => {
    const client = await open()
    client.sendMessage("Hello")
    await settle()
    desk.type(true)
    await settle()
    expect(client.state.typing).toEqual({ authorName: "Marta" })
    desk.reply("Hi!")
    await settle()
    expect(client.state.typing).toBeUndefined()
    desk.type(true)
    await settle()
    await advance(9_000)
    expect(client.state.typing).toBeUndefined()
  })

  test("a connection that fell silent is noticed and replaced", async () => {
    const client = await open()
    const count = (): number => desk.requests.filter((each) => each.includes("live=1")).length
    expect(count()).toBe(1)
    for (let beat = 0; beat < 4; beat++) {
      await advance(15_000)
      desk.heartbeat()
      await settle()
    }
    expect(count()).toBe(1)
    await advance(45_000)
    expect(count()).toBe(2)
    expect(client.state.connection).toBe("live")
  })

  test("where streams are not to be had it asks now and then", async () => {
    desk.streams = false
    const client = await open()
    client.sendMessage("Hello")
    await advance(5_000)
    expect(client.state.connection).toBe("polling")
    desk.reply("Hi!")
    await advance(5_000)
    expect(textsOf(client)).toEqual(["Hello", "Hi!"])
  })

  test("where something holds streams back it asks now and then, and tries a stream again later", async () => {
    let held = true
    const client = makeClient((url, init) =>
      held && url.includes("live=1")
        ? Promise.resolve(
            new Response(
              new ReadableStream({
                start: (controller) =>
                  init.signal?.addEventListener("abort", () => controller.error(init.signal?.reason))
              }),
              { headers: { "content-type": "text/event-stream" } }
            )
          )
        : fetchFromDesk(url, init)
    )
    client.start()
    client.show(true, true)
    await settle()
    client.sendMessage("Hello")
    await advance(90_000)
    expect(client.state.connection).toBe("polling")
    held = false
    await advance(310_000)
    expect(client.state.connection).toBe("live")
  })

  test("a hidden page holds no connection, and catches up when it is seen again", async () => {
    const client = await open()
    client.sendMessage("Hello")
    await settle()
    client.show(true, false)
    await settle()
    expect(desk.liveCount).toBe(0)
    await advance(2_000)
    desk.reply("Hi!")
    await advance(31_000)
    expect(client.state.unread).toBe(1)
    client.show(true, true)
    await settle()
    expect(client.state.unread).toBe(0)
    expect(desk.liveCount).toBe(1)
  })

  test("tells that the visitor types, now and then", async () => {
    const client = await open()
    for (let key = 0; key < 10; key++) {
      client.setTyping(true)
      await advance(500)
    }
    client.setTyping(false)
    await settle()
    client.setTyping(false)
    await settle()
    expect(desk.typing).toEqual([true, true, false])
  })
})

describe("who the visitor is", () => {
  const signed = () => ana() as WidgetIdentity

  test("what a visitor says about themselves goes along, and is remembered", async () => {
    const client = await open()
    client.introduce({ name: "Ana", email: "ana@example.com", language: "es" })
    client.sendMessage("Hola")
    await settle()
    expect(desk.senders[0]).toMatchObject({
      name: "Ana",
      language: "es",
      addresses: [{ kind: "visitor" }, { kind: "email", value: "ana@example.com", state: "claimed" }]
    })
    expect((await open()).visitor.name).toBe("Ana")
  })

  test("signing in keeps the anonymous thread", async () => {
    const client = await open()
    client.sendMessage("Hello")
    await settle()
    client.identify(signed())
    await settle()
    client.sendMessage("It's me")
    await settle()
    expect(desk.threads.size).toBe(1)
    expect(desk.senders[1]?.addresses[1]).toMatchObject({ kind: "site-id", state: "verified" })
    expect(textsOf(client)).toEqual(["Hello", "It's me"])
  })

  test("signing out forgets the thread, and what was not yet sent goes to nobody else", async () => {
    const client = await open(signed())
    client.sendMessage("private")
    await settle()
    desk.isDown = true
    client.sendMessage("unsent")
    await settle()
    client.identify(undefined)
    desk.isDown = false
    expect(client.state.messages).toEqual([])
    client.sendMessage("somebody else")
    await advance(60_000)
    expect(desk.texts).toEqual(["private", "somebody else"])
    expect(desk.threads.size).toBe(2)
    expect(textsOf(client)).toEqual(["somebody else"])
  })

  test("a page that names nobody shows nothing of who was signed in before", async () => {
    const before = await open(signed())
    before.sendMessage("private")
    await settle()
    before.stop()
    const requests = desk.requests.length
    const after = makeClient()
    after.start()
    await settle()
    expect(desk.requests).toHaveLength(requests)
    after.show(true, true)
    await settle()
    expect(after.state.messages).toEqual([])
  })

  test("an identity that comes a little late finds its thread and its unsent messages", async () => {
    const before = await open(signed())
    before.sendMessage("first")
    await settle()
    desk.isDown = true
    before.sendMessage("unsent")
    await settle()
    before.stop()
    desk.isDown = false
    const after = makeClient()
    after.start()
    after.identify(signed())
    await advance(60_000)
    expect(textsOf(after)).toEqual(["first", "unsent"])
  })

  test("another person who signs in gets none of it", async () => {
    const before = await open(signed())
    before.sendMessage("private")
    await settle()
    desk.isDown = true
    before.sendMessage("unsent")
    await settle()
    before.stop()
    desk.isDown = false
    const after = await open(ana({ id: "43", email: "ben@example.com" }) as WidgetIdentity)
    await advance(60_000)
    expect(after.state.messages).toEqual([])
    expect(desk.texts).toEqual(["private"])
  })

  test("an identity that is not believed is said, and nothing is sent as somebody else", async () => {
    const client = await open({ ...signed(), email: "eve@example.com" })
    expect(client.state.trouble).toBe("identity")
    client.sendMessage("Hello")
    await settle()
    expect(clientIds(client)).toEqual(["Hello: failed"])
    expect(desk.texts).toEqual([])
  })
})
