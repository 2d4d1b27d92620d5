/**
 * The suite every channel passes: it is steered by the channel's own declaration, so that what is declared is obliged.
 *
 * @module
 */

import type { Address, Delivery, Message, Thread } from "@switchboard/conversation"
import { Id } from "@switchboard/conversation"
import { Capabilities, OutboundKind } from "./Capabilities.ts"
import { type Awaitable, type Channel, type ChannelRequest, contractVersion, type Verified } from "./Channel.ts"
import { ChannelAccount } from "./ChannelAccount.ts"
import { Entry } from "./Inbound.ts"
import { mutations } from "./internal/Mutation.ts"
import { copy, isSame } from "./internal/Plain.ts"
import type { CallContext, Outbound, SendResult } from "./Outbound.ts"

/** A recorded input of the platform, and the kinds of entries it decodes to, in order. */
export type Payload = {
  readonly name: string
  readonly kinds: ReadonlyArray<Entry["kind"]>
} & (
  | { readonly body: unknown }
  | { readonly request: ChannelRequest }
  /** As it comes from `listen`, without a request. */
  | { readonly input: Verified }
)

/**
 * What the suite needs to know about a channel beside its declaration.
 *
 * **Shape** `test` is the runner's own (`test` of Vitest, `node:test`, …). `make` gives a channel whose platform is the
 * author's stand-in: a local server that behaves like the platform and accepts everything. `signed` makes a request as
 * the platform would send and sign it; `tampered` makes forged ones of it, by name: another signature, a changed body,
 * a stale time. Both are obliged by the transport `webhook`.
 */
export interface ConformanceOptions {
  readonly test: (name: string, run: () => Promise<void>) => unknown
  readonly name: string
  readonly make: () => Awaitable<Channel>
  readonly signed?: (body: unknown) => Awaitable<ChannelRequest>
  readonly tampered?: (request: ChannelRequest) => Awaitable<Readonly<Record<string, ChannelRequest>>>
  readonly payloads: ReadonlyArray<Payload>
  /** Whom the stand-in takes messages for. */
  readonly recipient: Delivery.Recipient
  /** The thread of that recipient; the recipient's value without it. */
  readonly threadKey?: string
  /** The platform's id of a message that can be edited, deleted, reacted to and marked as read; `1` without it. */
  readonly platformId?: string
  /** The reference of a file that the stand-in has. */
  readonly mediaRef?: string
  /** Damaged versions tried per payload; 60 without it. */
  readonly damaged?: number
}

/** A claim that did not hold. */
const check = (holds: boolean, claim: string, found?: unknown): void => {
  if (holds) return
  throw new Error(found === undefined ? claim : `${claim}; found ${JSON.stringify(found)?.slice(0, 2000)}`)
}

const expectedStatuses = [400, 401, 403, 404, 405, 413]

/** A channel whose operations are called as plain functions on copies: nothing may depend on `this` or change its input. */
const wrapped = (channel: Channel): Channel => {
  const { verify, decode, send, fetch, listen } = channel
  return {
    ...channel,
    verify: (request) => verify({ ...request, url: new URL(request.url), body: request.body.slice() }),
    decode: (input) => decode(copy(input)),
    send: (outbound, context) => send(copy(outbound), context),
    ...(fetch === undefined ? {} : { fetch: (...input) => fetch(...input) }),
    ...(listen === undefined ? {} : { listen: (context) => listen(context) })
  }
}

const contextOf = (attempt: number, signal: AbortSignal = new AbortController().signal): CallContext => ({
  idempotencyKey: "conformance-1",
  attempt,
  nowMs: 1_750_000_000_000,
  signal,
  readAttachment: () => Promise.resolve(new TextEncoder().encode("conformance"))
})

const outboundOf = (kind: OutboundKind, channel: Channel, options: ConformanceOptions): Outbound => {
  const account = channel.accounts[0]!
  const { recipient, platformId = "1", threadKey = recipient.value } = options
  const thread: Thread.Thread = {
    id: Id.ThreadId.parse("thread-1"),
    channelKind: channel.kind,
    accountId: account.id,
    audience: channel.capabilities.audiences[0]!,
    key: threadKey,
    recipients: [recipient],
    subject: "Conformance",
    openedAtMs: 1_750_000_000_000,
    lastInboundAtMs: 1_750_000_000_000
  }
  const base = { account, thread, recipient }
  const body: Outbound & { kind: "message" } = {
    ...base,
    kind: "message",
    conversationId: Id.ConversationId.parse("conversation-1"),
    messageId: Id.MessageId.parse("message-1"),
    deliveryId: Id.DeliveryId.parse("delivery-1"),
    purpose: "service" satisfies Message.Purpose,
    messages: [{ text: { body: "Hello", format: channel.capabilities.text.formats[0]! }, attachments: [] }],
    alreadySent: 0,
    references: [],
    cc: [],
    automatic: false
  }
  switch (kind) {
    case "message":
      return body
    case "edit":
      return { ...base, kind, platformIds: [platformId], messages: body.messages }
    case "delete":
      return { ...base, kind, platformIds: [platformId] }
    case "reaction":
      return { ...base, kind, platformId, emoji: "👍" }
    case "typing":
      return { ...base, kind, platformId }
    case "read":
      return { ...base, kind, platformId }
  }
}

const outcomes = ["accepted", "refused", "unavailable", "unknown"]

const checkResult = (result: SendResult, what: string): void => {
  check(outcomes.includes(result.outcome), `${what} ends in a known outcome`, result)
  if (result.outcome === "accepted") return
  check(result.code.length > 0 && result.message.length > 0, `${what} fails with a code and a message`, result)
}

const checkEntries = (channel: Channel, entries: ReadonlyArray<Entry>): void => {
  const keys = new Set(channel.accounts.map(({ key }) => key))
  const seen = new Set<string>()
  for (const entry of entries) {
    const parsed = Entry.safeParse(entry)
    check(parsed.success, `every entry is one of Inbound.Entry: ${parsed.error?.message ?? ""}`, entry)
    check(
      entry.kind === "unsupported" || keys.has(entry.account),
      "every entry names one of the channel's accounts by its key, or is unsupported",
      entry.account
    )
    const id = JSON.stringify([entry.account, entry.kind, entry.entryId])
    check(!seen.has(id), "an entryId is unique within its account and kind", id)
    seen.add(id)
    check(
      entry.kind !== "unsupported" || entry.raw !== undefined,
      "an unsupported entry keeps what the platform sent in `raw`",
      entry
    )
  }
}

const addressesOf = (entry: Entry): ReadonlyArray<Address.Address> =>
  "from" in entry && entry.from !== undefined ? entry.from.addresses : []

/**
 * Registers the suite with a test runner.
 *
 * **Example**
 *
 * ```ts no-run
 * import { type Channel, ChannelConformance } from "@switchboard/channel"
 * import { test } from "vitest"
 *
 * declare const makeMyChannel: (apiUrl: string) => Channel.Channel
 * declare const sign: (body: unknown, secret: string) => Channel.ChannelRequest
 *
 * ChannelConformance.channelConformance({
 *   test,
 *   name: "my channel",
 *   make: () => makeMyChannel("http://127.0.0.1:4010"),
 *   signed: (body) => sign(body, "the secret"),
 *   tampered: (request) => ({
 *     "with another secret": sign({}, "another secret"),
 *     "with another body": { ...request, body: new Uint8Array([123, 125]) }
 *   }),
 *   payloads: [{ name: "a text", body: { text: "Hello" }, kinds: ["messageReceived"] }],
 *   recipient: { kind: "phone", value: "+34600000000" }
 * })
 * ```
 */
export const channelConformance = (options: ConformanceOptions): void => {
  for (const through of ["", " through a wrapper"]) register(options, through)
}

const register = (options: ConformanceOptions, through: string): void => {
  const test = (title: string, run: (channel: Channel) => Promise<void>): unknown =>
    options.test(`${options.name}: ${title}${through}`, async () => {
      const channel = await options.make()
      return run(through === "" ? channel : wrapped(channel))
    })

  const requestOf = async (payload: Payload): Promise<ChannelRequest | undefined> => {
    if ("request" in payload) return payload.request
    if (!("body" in payload)) return undefined
    check(options.signed !== undefined, `the payload ${payload.name} has a body: give \`signed\``)
    return options.signed?.(payload.body)
  }

  const inputOf = async (channel: Channel, payload: Payload): Promise<Verified> => {
    const request = await requestOf(payload)
    if (request === undefined) return (payload as { input: Verified }).input
    const verification = await channel.verify(request)
    check(verification.kind === "verified", `the payload ${payload.name} is verified`, verification)
    return (verification as { input: Verified }).input
  }

  const entriesOf = async (channel: Channel, payload: Payload): Promise<ReadonlyArray<Entry>> => {
    const decoded = await channel.decode(await inputOf(channel, payload))
    check(decoded.ok, `the payload ${payload.name} is decoded`, decoded)
    return decoded.ok ? decoded.value : []
  }

  test("its declaration is valid", async (channel) => {
    const capabilities = Capabilities.safeParse(channel.capabilities)
    check(capabilities.success, `the capabilities parse: ${capabilities.error?.message ?? ""}`)
    check(channel.contractVersion === contractVersion, `contractVersion is ${contractVersion}`, channel.contractVersion)
    check(/^[a-z][a-z0-9-]{0,39}$/.test(channel.kind), "the kind is lower case", channel.kind)
    check(channel.capabilities.outbound.includes("message"), "`message` is among the outbound kinds")
    check(
      channel.acknowledgement.status >= 200 && channel.acknowledgement.status < 300,
      "the acknowledgement is a 2xx, or the platform sends again",
      channel.acknowledgement
    )
    check(isSame(copy(channel.capabilities), channel.capabilities), "the capabilities are plain data")
  })

  test("its accounts are told apart", async ({ accounts }) => {
    check(accounts.length > 0, "there is at least one account")
    for (const account of accounts) {
      const parsed = ChannelAccount.safeParse(account)
      check(parsed.success, `every account parses: ${parsed.error?.message ?? ""}`, account)
    }
    check(new Set(accounts.map(({ id }) => id)).size === accounts.length, "the ids of accounts are unique")
    check(new Set(accounts.map(({ key }) => key)).size === accounts.length, "the keys of accounts are unique")
  })

  test("what is declared is there, and nothing else", async (channel) => {
    const listens = channel.capabilities.transports.includes("listen")
    check((typeof channel.listen === "function") === listens, "`listen` is there exactly with the transport listen")
    check(
      (typeof channel.fetch === "function") === (channel.capabilities.media !== null),
      "`fetch` is there exactly with `media`"
    )
    if (channel.capabilities.transports.includes("webhook"))
      check(
        options.signed !== undefined && options.tampered !== undefined,
        "a channel with the transport webhook gives the suite `signed` and `tampered`"
      )
  })

  test("forged requests are refused", async (channel) => {
    for (const payload of options.payloads) {
      const request = await requestOf(payload)
      if (request === undefined) continue
      const forged = {
        "without headers": { ...request, headers: {} },
        ...(await options.tampered?.(request))
      }
      for (const [name, one] of Object.entries(forged)) {
        const found = await channel.verify(one)
        check(found.kind === "refused", `${payload.name} ${name} is refused`, found)
        if (found.kind !== "refused") continue
        check(expectedStatuses.includes(found.status), `${payload.name} ${name}: the status is a refusal`, found)
        check(found.reason.length > 0, `${payload.name} ${name}: the reason is said`, found)
      }
    }
  })

  test("what verify returns is plain data", async (channel) => {
    for (const payload of options.payloads) {
      const input = await inputOf(channel, payload)
      check(isSame(copy(input), input), `the input of ${payload.name} survives a copy`)
      check(input.bytes instanceof Uint8Array, `the input of ${payload.name} has bytes`)
    }
  })

  for (const payload of options.payloads)
    test(`decodes ${payload.name}`, async (channel) => {
      const entries = await entriesOf(channel, payload)
      checkEntries(channel, entries)
      const kinds = entries.map(({ kind }) => kind)
      check(isSame(kinds, payload.kinds), `the kinds are ${payload.kinds.join(", ")}`, kinds)
      check(isSame(copy(entries), entries), "entries are plain data")
      for (const address of entries.flatMap(addressesOf))
        check(address.value.trim() === address.value, "an address is in its normal form", address)
    })

  test("decodes the same input to the same entries", async (channel) => {
    for (const payload of options.payloads) {
      const input = await inputOf(channel, payload)
      const before = copy(input)
      const [first, second] = [await channel.decode(copy(input)), await channel.decode(input)]
      check(isSame(first, second), `${payload.name} decodes to the same entries twice`)
      check(isSame(input, before), `decoding ${payload.name} leaves its input as it was`)
    }
  })

  test("damaged input is an entry or an error, never nothing and never an exception", async (channel) => {
    for (const [index, payload] of options.payloads.entries()) {
      const input = await inputOf(channel, payload)
      for (const bytes of mutations(input.bytes, options.damaged ?? 60, index + 1)) {
        const shown = () => new TextDecoder().decode(bytes.slice(0, 2000))
        try {
          const decoded = await channel.decode({ ...input, bytes })
          if (decoded.ok) {
            check(decoded.value.length > 0 || bytes.length === 0, "input gives at least one entry")
            checkEntries(channel, decoded.value)
          } else check(decoded.error.code !== "" && decoded.error.message !== "", "an error has a code and a message")
        } catch (error) {
          throw new Error(`a damaged ${payload.name} breaks decode: ${shown()}`, { cause: error })
        }
      }
    }
  })

  test("sends every declared kind and refuses the others", async (channel) => {
    for (const kind of OutboundKind.options) {
      const result = await channel.send(outboundOf(kind, channel, options), contextOf(1))
      checkResult(result, `sending ${kind}`)
      const expected = channel.capabilities.outbound.includes(kind) ? "accepted" : "refused"
      check(result.outcome === expected, `sending ${kind} is ${expected}`, result)
    }
  })

  test("names a message that was sent, and skips what was sent before", async (channel) => {
    const outbound = outboundOf("message", channel, options) as Outbound & { kind: "message" }
    const { messages } = outbound
    const first = await channel.send({ ...outbound, messages: [...messages, ...messages] }, contextOf(1))
    check(
      first.outcome === "accepted" && first.platformIds.length === 2,
      "two messages have two platform ids, in their order",
      first
    )
    const rest = await channel.send({ ...outbound, messages: [...messages, ...messages], alreadySent: 1 }, contextOf(2))
    check(
      rest.outcome === "accepted" && rest.platformIds.length === 1,
      "after alreadySent 1 of 2, one more is sent and only its id returned",
      rest
    )
  })

  test("a send whose time is over fails as a value", async (channel) => {
    const over = new AbortController()
    over.abort()
    checkResult(
      await channel.send(outboundOf("message", channel, options), contextOf(1, over.signal)),
      "a send after its deadline"
    )
  })

  test("fetches media", async (channel) => {
    if (channel.fetch === undefined) return
    const account = channel.accounts[0]!
    const missing = await channel.fetch("conformance-no-such-file", account, contextOf(1))
    check(missing.outcome !== "fetched", "a reference that doesn't exist is not fetched", missing)
    if (options.mediaRef === undefined) return
    const found = await channel.fetch(options.mediaRef, account, contextOf(1))
    check(found.outcome === "fetched" && found.mediaType !== "", "the file is fetched with its media type", found)
  })
}
