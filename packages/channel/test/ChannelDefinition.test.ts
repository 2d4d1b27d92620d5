import { describe, expect, expectTypeOf, test } from "vitest"
import type { Channel, Verified } from "../src/Channel.ts"
import type { ChannelDefinition, Sends } from "../src/ChannelDefinition.ts"
import { ChannelDefinitionError } from "../src/ChannelDefinition.ts"
import { defineChannel, type Outbound } from "../src/index.ts"
import { account, make, payloads, update } from "./MemoryChannel.ts"

const capabilities = {
  transports: ["webhook"],
  outbound: ["message", "edit"],
  text: { limit: 100, formats: ["plain"] },
  media: null,
  choices: null,
  templates: false,
  locations: false,
  contactCards: false,
  replies: false,
  receipts: [],
  threads: "dialog",
  audiences: ["private"],
  messagingWindowMs: null,
  starts: "either",
  idempotentSend: false,
  contactReads: false
} as const
const media = { types: ["image/*"], limitBytes: 1, perMessage: 1, captionLimit: 0 } as const

const accepted = async (): Promise<Outbound.SendResult> => ({ outcome: "accepted", platformIds: ["1"] })
const base = {
  kind: "memory",
  accounts: [account],
  capabilities,
  verify: () => ({ kind: "refused" as const, status: 401, reason: "no" }),
  decode: () => ({ ok: true as const, value: [] }),
  send: { message: accepted, edit: accepted }
}

/** JavaScript authors have no types to warn them. */
const untyped = (definition: object): Channel => defineChannel(definition as ChannelDefinition<typeof capabilities>)

const problemsOf = (definition: object): string => {
  try {
    untyped(definition)
  } catch (error) {
    if (error instanceof ChannelDefinitionError) return error.message
    throw error
  }
  return ""
}

const context: Outbound.CallContext = {
  idempotencyKey: "k",
  attempt: 1,
  nowMs: 0,
  signal: new AbortController().signal,
  readAttachment: async () => new Uint8Array()
}

describe("the type of a definition", () => {
  test("[CHANNEL-1] asks for exactly the declared sends", () => {
    expectTypeOf<keyof Sends<"message" | "edit">>().toEqualTypeOf<"message" | "edit">()
    expectTypeOf<Parameters<Sends<"edit">["edit"]>[0]>().toEqualTypeOf<Outbound.OutboundEdit>()
    // @ts-expect-error `edit` is declared
    expect(() => defineChannel({ ...base, capabilities, send: { message: accepted } })).toThrow(/send\.edit/)
    expect(() =>
      // @ts-expect-error `typing` is not declared
      defineChannel({ ...base, capabilities, send: { message: accepted, edit: accepted, typing: accepted } })
    ).toThrow(/send\.typing/)
  })

  test("[CHANNEL-2] asks for what media and transports oblige", () => {
    const fetch = async () => ({ outcome: "refused" as const, code: "x", message: "x" })
    const listen = async () => ({ stop: async () => {}, stopped: Promise.resolve() })
    // @ts-expect-error `media` obliges `fetch`
    expect(() => defineChannel({ ...base, capabilities: { ...capabilities, media } })).toThrow(/fetch/)
    // @ts-expect-error nothing obliges `fetch`
    expect(() => defineChannel({ ...base, fetch })).toThrow(/fetch/)
    expect(() =>
      // @ts-expect-error the transport obliges `listen`
      defineChannel({ ...base, capabilities: { ...capabilities, transports: ["listen"] } })
    ).toThrow(/listen/)
    // @ts-expect-error nothing obliges `listen`
    expect(() => defineChannel({ ...base, listen })).toThrow(/listen/)
    const channel = defineChannel({
      ...base,
      capabilities: { ...capabilities, media, transports: ["webhook", "listen"] },
      fetch,
      listen
    })
    expect([typeof channel.fetch, typeof channel.listen]).toEqual(["function", "function"])
  })
})

describe("[CHANNEL-3] a contradiction is told with its field and its fix:", () => {
  test.each<[string, object, RegExp]>([
    ["the kind", { kind: "My Channel" }, /kind: must be lower case.*found "My Channel"/],
    ["no account", { accounts: [] }, /accounts: /],
    ["an account without a key", { accounts: [{ ...account, key: "" }] }, /accounts\.0\.key: /],
    ["an unknown capability", { capabilities: { ...capabilities, telepathy: true } }, /capabilities.*telepathy/s],
    ["no message", { capabilities: { ...capabilities, outbound: ["edit"] } }, /must hold "message".*found \["edit"\]/],
    ["a missing send", { send: { message: accepted } }, /send\.edit: .*give the function, or take it out/],
    ["one send too many", { send: { ...base.send, read: accepted } }, /send\.read: .*add it there, or take this out/]
  ])("%s", (_, change, said) => {
    expect(problemsOf({ ...base, ...change })).toMatch(said)
  })

  test("all of them at once", () => {
    expect(problemsOf({ ...base, kind: "", send: {} }).match(/^- /gm)).toHaveLength(3)
  })
})

const input = (body: unknown): Verified => ({
  bytes: new TextEncoder().encode(JSON.stringify(body)),
  headers: {},
  receivedAtMs: 5
})

describe("what its functions give", () => {
  test("[CHANNEL-4] a decode that throws or says nothing is a decode error", async () => {
    const thrown = await make().channel.decode({ ...input({}), bytes: new Uint8Array([0x7b]) })
    expect(thrown).toMatchObject({ ok: false, error: { code: "decodeThrew" } })
    expect(await untyped(base).decode(input({}))).toMatchObject({ ok: false, error: { code: "nothingDecoded" } })
    expect(await untyped(base).decode({ ...input({}), bytes: new Uint8Array() })).toEqual({ ok: true, value: [] })
  })

  test("[CHANNEL-5] one bad entry becomes unsupported and its neighbours stay", async () => {
    const long = { ...update, id: "2", text: "x".repeat(200_001) }
    const decoded = await make().channel.decode(input({ updates: [update, long, { ...update, id: "3" }] }))
    expect(decoded.ok && decoded.value.map(({ kind }) => kind)).toEqual([
      "messageReceived",
      "unsupported",
      "messageReceived"
    ])
    expect(decoded.ok && decoded.value[1]).toMatchObject({
      entryId: "1/2",
      reason: expect.stringMatching(/^messageReceived: parts\.0\.text: /),
      raw: { platformId: "2" }
    })
  })

  test("[CHANNEL-6] a send that throws is unknown, an undeclared kind refused, a fetch that throws unavailable", async () => {
    const throws = () => {
      throw new Error("broken")
    }
    const channel = defineChannel({
      ...base,
      capabilities: { ...capabilities, media },
      send: { message: throws, edit: throws },
      fetch: throws
    })
    const outbound = { account, thread: {}, recipient: { kind: "memory", value: "ana" } }
    const sent = (kind: string) => channel.send({ ...outbound, kind } as unknown as Outbound.Outbound, context)
    expect(await sent("edit")).toEqual({ outcome: "unknown", code: "sendThrew", message: "broken" })
    expect(await sent("typing")).toMatchObject({ outcome: "refused", code: "notDeclared" })
    expect(await channel.fetch?.("x", account, context)).toMatchObject({ outcome: "unavailable", code: "fetchThrew" })
  })

  test("the platform is told 200 unless the author says otherwise", () => {
    expect(untyped(base).acknowledgement).toEqual({ status: 200 })
    expect(untyped({ ...base, acknowledgement: { status: 204 } }).acknowledgement).toEqual({ status: 204 })
    expect(payloads.length).toBeGreaterThan(0)
  })
})
