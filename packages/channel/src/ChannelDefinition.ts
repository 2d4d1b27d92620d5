/**
 * Writing a channel with plain functions: what the declaration obliges is required by the type, and checked at start.
 *
 * @module
 */
import { Thread } from "@switchboard/conversation"
import { Capabilities, type OutboundKind } from "./Capabilities.ts"
import {
  type Awaitable,
  type Channel,
  type ChannelAnswer,
  type ChannelRequest,
  contractVersion,
  type Decoded,
  type FetchesMedia,
  type Listens,
  type Verification,
  type Verified
} from "./Channel.ts"
import { ChannelAccount } from "./ChannelAccount.ts"
import { orUnsupported } from "./Inbound.ts"
import type { CallContext, Outbound, SendResult } from "./Outbound.ts"

/** A value and everything in it, unchangeable. */
export type Unchangeable<A> =
  A extends ReadonlyArray<infer Item>
    ? ReadonlyArray<Unchangeable<Item>>
    : A extends object
      ? { readonly [Field in keyof A]: Unchangeable<A[Field]> }
      : A

/** Capabilities as a definition declares them. */
export type DeclaredCapabilities = Unchangeable<Capabilities>

/** One function for each declared outbound kind, and none for the others. */
export type Sends<Kind extends OutboundKind> = {
  readonly [One in Kind]: (
    outbound: Extract<Outbound, { readonly kind: One }>,
    context: CallContext
  ) => Awaitable<SendResult>
}

/** What `media` obliges. */
export type MediaObligation<C extends DeclaredCapabilities> = [C["media"]] extends [null]
  ? { readonly fetch?: never }
  : FetchesMedia

/** What the transport `listen` obliges. */
export type ListenObligation<C extends DeclaredCapabilities> = "listen" extends C["transports"][number]
  ? Listens
  : { readonly listen?: never }

/** A channel as its author writes it. */
export type ChannelDefinition<C extends DeclaredCapabilities> = {
  /** The channel kind, such as `sms`. */
  readonly kind: string
  readonly capabilities: C
  readonly accounts: ReadonlyArray<ChannelAccount>
  /** What the platform is told when its input is kept; 200 without it. */
  readonly acknowledgement?: ChannelAnswer
  readonly verify: (request: ChannelRequest) => Awaitable<Verification>
  readonly decode: (input: Verified) => Awaitable<Decoded>
  readonly send: NoInfer<Sends<C["outbound"][number]>>
} & NoInfer<MediaObligation<C>> &
  NoInfer<ListenObligation<C>>

/** A definition that contradicts itself. `problems` name each field, what was expected and what was found. */
export class ChannelDefinitionError extends Error {
  override readonly name = "ChannelDefinitionError"
  readonly code = "channelDefinition"
  readonly problems: ReadonlyArray<string>

  constructor(kind: string, problems: ReadonlyArray<string>) {
    super(`The channel "${kind}" can't be used:\n${problems.map((problem) => `- ${problem}`).join("\n")}`)
    this.problems = problems
  }
}

/** A definition seen without its types: authors may write JavaScript. */
interface Loose {
  readonly kind: unknown
  readonly capabilities: unknown
  readonly accounts: unknown
  readonly send: unknown
  readonly fetch?: unknown
  readonly listen?: unknown
}

const problemsOf = (definition: Loose): ReadonlyArray<string> => {
  const problems: Array<string> = []
  const kind = Thread.ChannelKind.safeParse(definition.kind)
  if (!kind.success) problems.push(`kind: must be lower case, such as "sms"; found ${JSON.stringify(definition.kind)}.`)
  const accounts = ChannelAccount.array().min(1).safeParse(definition.accounts)
  for (const issue of accounts.error?.issues ?? [])
    problems.push(`accounts${issue.path.map((step) => `.${String(step)}`).join("")}: ${issue.message}.`)
  const capabilities = Capabilities.safeParse(definition.capabilities)
  if (!capabilities.success) {
    for (const issue of capabilities.error.issues)
      problems.push(`capabilities.${issue.path.join(".")}: ${issue.message}.`)
    return problems
  }
  const { outbound, media, transports } = capabilities.data
  const sends = (definition.send ?? {}) as Record<string, unknown>
  if (!outbound.includes("message"))
    problems.push(`capabilities.outbound: must hold "message"; found ${JSON.stringify(outbound)}.`)
  for (const one of outbound)
    if (typeof sends[one] !== "function")
      problems.push(`send.${one}: capabilities.outbound declares "${one}": give the function, or take it out there.`)
  for (const one of Object.keys(sends))
    if (!(outbound as ReadonlyArray<string>).includes(one))
      problems.push(`send.${one}: capabilities.outbound doesn't declare "${one}": add it there, or take this out.`)
  for (const [name, obliged, by] of [
    ["fetch", media !== null, "capabilities.media"],
    ["listen", transports.includes("listen"), `the transport "listen"`]
  ] as const) {
    const given = typeof definition[name] === "function"
    if (obliged && !given) problems.push(`${name}: ${by} obliges it: give the function, or take that out.`)
    if (!obliged && definition[name] !== undefined)
      problems.push(`${name}: nothing declares it: declare ${by}, or take this out.`)
  }
  return problems
}

const messageOf = (error: unknown): string => (error instanceof Error ? error.message : String(error)).slice(0, 2000)

const checked = (decoded: Decoded, input: Verified): Decoded => {
  if (!decoded.ok) return decoded
  if (decoded.value.length === 0 && input.bytes.length > 0)
    return {
      ok: false,
      error: {
        code: "nothingDecoded",
        message: "decode gave no entries: give an `unsupported` one for what is not understood."
      }
    }
  return { ok: true, value: decoded.value.map((entry) => orUnsupported(entry, entry)) }
}

/**
 * Makes a channel of plain functions.
 *
 * What throws becomes a value: a `decode` that throws is a dead letter, a `send` that throws is `unknown`, a `fetch` is
 * `unavailable`. An entry that breaks a rule of `Inbound.Entry` becomes `unsupported`, alone.
 *
 * **Fails with** {@link ChannelDefinitionError}, thrown at once, when the definition contradicts its declaration.
 *
 * **Gotchas** Write the capabilities in place, so that the type can read them.
 *
 * **Example**
 *
 * ```ts
 * import { strict as assert } from "node:assert"
 * import { type ChannelAccount, defineChannel, Signature } from "@switchboard/channel"
 *
 * export const notes = (account: ChannelAccount.ChannelAccount, secret: string) =>
 *   defineChannel({
 *     kind: "notes",
 *     accounts: [account],
 *     capabilities: {
 *       transports: ["webhook"],
 *       outbound: ["message"],
 *       text: { limit: 500, formats: ["plain"] },
 *       media: null,
 *       choices: null,
 *       templates: false,
 *       locations: false,
 *       contactCards: false,
 *       replies: false,
 *       receipts: [],
 *       threads: "dialog",
 *       audiences: ["private"],
 *       messagingWindowMs: null,
 *       starts: "contact",
 *       idempotentSend: false,
 *       contactReads: false
 *     },
 *     verify: async ({ body, headers, receivedAtMs }) => {
 *       const signature = Signature.fromHex(headers["x-signature"] ?? "")
 *       return signature !== undefined && (await Signature.isSigned(secret, body, signature))
 *         ? { kind: "verified", input: { bytes: body, headers: {}, receivedAtMs } }
 *         : { kind: "refused", status: 401, reason: "x-signature is not the HMAC of the body" }
 *     },
 *     decode: ({ bytes, receivedAtMs }) => {
 *       const { id, from, text } = JSON.parse(new TextDecoder().decode(bytes))
 *       const recipient = { kind: "notes", value: from }
 *       return {
 *         ok: true,
 *         value: [
 *           {
 *             kind: "messageReceived",
 *             account: account.key,
 *             entryId: id,
 *             platformId: id,
 *             occurredAtMs: receivedAtMs,
 *             from: { addresses: [{ ...recipient, state: "verified" }] },
 *             thread: { key: from, audience: "private", replyTo: [recipient] },
 *             parts: [{ kind: "text", text, format: "plain" }],
 *             attachments: []
 *           }
 *         ]
 *       }
 *     },
 *     send: {
 *       message: async ({ messages, messageId }) => ({
 *         outcome: "accepted",
 *         platformIds: messages.map((_, index) => `${messageId}-${index}`)
 *       })
 *     }
 *   })
 *
 * assert.equal(typeof notes, "function")
 * ```
 */
export const defineChannel = <const C extends DeclaredCapabilities>(definition: ChannelDefinition<C>): Channel => {
  const loose = definition as ChannelDefinition<DeclaredCapabilities> & Partial<FetchesMedia> & Partial<Listens>
  const problems = problemsOf(loose)
  if (problems.length > 0) throw new ChannelDefinitionError(String(loose.kind), problems)
  const { fetch, listen } = loose
  const sends = loose.send as Readonly<
    Partial<Record<OutboundKind, (outbound: Outbound, context: CallContext) => Awaitable<SendResult>>>
  >
  return {
    contractVersion,
    kind: loose.kind,
    capabilities: Capabilities.parse(loose.capabilities),
    accounts: loose.accounts,
    acknowledgement: loose.acknowledgement ?? { status: 200 },
    verify: (request) => loose.verify(request),
    decode: async (input) => {
      try {
        return checked(await loose.decode(input), input)
      } catch (error) {
        return { ok: false, error: { code: "decodeThrew", message: messageOf(error) } }
      }
    },
    send: async (outbound, context) => {
      const one = sends[outbound.kind]
      if (one === undefined)
        return {
          outcome: "refused",
          code: "notDeclared",
          message: `This channel declares no outbound "${outbound.kind}".`
        }
      try {
        return await one(outbound, context)
      } catch (error) {
        return { outcome: "unknown", code: "sendThrew", message: messageOf(error) }
      }
    },
    ...(fetch === undefined
      ? {}
      : {
          fetch: async (ref, account, context) => {
            try {
              return await fetch(ref, account, context)
            } catch (error) {
              return { outcome: "unavailable", code: "fetchThrew", message: messageOf(error) }
            }
          }
        }),
    ...(listen === undefined ? {} : { listen })
  }
}
