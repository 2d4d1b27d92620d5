/**
 * The web chat as a channel: three routes for each account, below wherever the desk puts the channel.
 *
 * - `POST <account id>/session` gives a browser its visitor token.
 * - `POST <account id>/messages` takes what the visitor did.
 * - `GET <account id>/thread?after=<sequence>` reads the thread, `&live=1` as a stream.
 *
 * @module
 */
import { randomUUID } from "node:crypto"
import { type Capabilities, Channel } from "@switchboard/channel"
import * as z from "zod"
import {
  decode as decodeConfig,
  type WebchatAccount,
  type WebchatConfig,
  type WebchatConfigInput
} from "./WebchatConfig.ts"
import { WebchatIdentity, whyRefused } from "./WebchatIdentity.ts"
import { decode, type ProvenVisitor, visitorHeader } from "./WebchatInbound.ts"
import { send } from "./WebchatOutbound.ts"
import { fromToken, toSubject, toToken, toVisitorId, type WebchatVisitor } from "./WebchatSession.ts"

/** The body of a post to `session`. */
export const SessionRequest = z.strictObject({
  visitorToken: z.string().max(8192).optional(),
  identity: WebchatIdentity.optional()
})
export type SessionRequest = z.infer<typeof SessionRequest>

/**
 * The answer to a post to `session`.
 *
 * **Units** `expiresAtMs` in epoch milliseconds, limits as in the configuration.
 */
export const SessionAnswer = z.object({
  visitorToken: z.string(),
  visitorId: z.string(),
  expiresAtMs: z.number().int(),
  limits: z.object({
    attachmentBytes: z.number().int(),
    attachments: z.number().int(),
    textLength: z.number().int()
  })
})
export type SessionAnswer = z.infer<typeof SessionAnswer>

const toCapabilities = ({ limits }: WebchatConfig): Capabilities.Capabilities => ({
  transports: ["webhook"],
  outbound: ["message", "edit", "delete", "typing"],
  text: { limit: 200_000, formats: ["markdown", "plain"] },
  media: {
    types: ["image/*", "audio/*", "video/*", "text/*", "application/*"],
    limitBytes: limits.attachmentBytes,
    perMessage: 20,
    captionLimit: 4096
  },
  choices: { limit: 30, labelLimit: 256, urls: true },
  templates: false,
  locations: true,
  contactCards: true,
  replies: false,
  receipts: ["delivered", "read"],
  threads: "dialog",
  audiences: ["private"],
  messagingWindowMs: null,
  starts: "contact",
  idempotentSend: true,
  contactReads: true
})

type Headers = Readonly<Record<string, string>>

/** What one request is answered with: every answer carries the headers that let the site's browser read it. */
interface Answers {
  readonly headers: Headers
  readonly refused: (status: number, reason: string) => Channel.Verification
}

const toAnswers = (headers: Headers): Answers => ({
  headers,
  refused: (status, reason) => ({ kind: "refused", status, reason, answerHeaders: headers })
})

const methods: Readonly<Record<string, string>> = { session: "POST", messages: "POST", thread: "GET" }

/**
 * A web chat for a desk.
 *
 * **Fails with** `WebchatConfigError`, thrown, when the configuration can't be used.
 *
 * **Example**
 *
 * ```ts
 * import { strict as assert } from "node:assert"
 * import { webchat } from "@switchboard/channel-webchat"
 * import { Id } from "@switchboard/conversation"
 *
 * const channel = webchat({
 *   accounts: [
 *     {
 *       id: Id.ChannelAccountId.parse("shop"),
 *       key: "shop",
 *       name: "Chat on shop.example",
 *       workspace: Id.WorkspaceId.parse("acme")
 *     }
 *   ],
 *   sessionSecret: "replace me with 32 random characters",
 *   allowedOrigins: ["https://shop.example"]
 * })
 * assert.equal(channel.kind, "webchat")
 * assert.equal(channel.capabilities.contactReads, true)
 * ```
 */
export const make = (input: WebchatConfigInput): Channel.Channel => {
  const config = decodeConfig(input)
  return {
    contractVersion: Channel.contractVersion,
    kind: "webchat",
    capabilities: toCapabilities(config),
    accounts: config.accounts.map(({ id, key, name, workspace }) => ({ id, key, name, workspace })),
    acknowledgement: { status: 200, headers: { "content-type": "application/json" }, body: '{"accepted":true}' },
    verify: (request) => verify(config, request),
    decode: (verified) => decode(verified, config.limits),
    send: async (outbound) => send(outbound),
    fetch: async () => ({
      outcome: "refused",
      code: "webchat_no_reference",
      message: "a web chat's attachments come with their bytes: there is no reference to fetch"
    })
  }
}

const verify = (config: WebchatConfig, request: Channel.ChannelRequest): Channel.Verification => {
  const [accountId, route = ""] = request.url.pathname.split("/").filter(Boolean).slice(-2)
  const account = config.accounts.find(({ id }) => id === accountId)
  const method = methods[route]
  if (account === undefined || method === undefined)
    return toAnswers({}).refused(404, "no such chat: the path ends in <account id>/session, /messages or /thread")
  const origin = request.headers.origin
  if (!mayEmbed(account, config, request.url.origin, origin))
    return toAnswers({}).refused(403, `origin ${origin} may not embed this chat: add it to allowedOrigins`)
  const answers = toAnswers({
    vary: "origin",
    "cache-control": "no-store",
    ...(origin === undefined ? {} : { "access-control-allow-origin": origin })
  })
  if (request.method === "OPTIONS") return answerPreflight(answers, method)
  if (request.method !== method) return answers.refused(405, `${route} takes ${method}`)
  if (request.body.byteLength > config.limits.bodyBytes)
    return answers.refused(413, `a body has at most ${config.limits.bodyBytes} bytes`)
  if (route === "session") return openSession(config, account, request, answers)
  const visitor = findVisitor(config, account, request)
  if (visitor === undefined) return answers.refused(401, "the visitor's token is missing, not ours or expired")
  return route === "thread"
    ? readThread(account, visitor, request, answers)
    : {
        kind: "verified",
        input: {
          bytes: request.body,
          headers: { [visitorHeader]: JSON.stringify({ accountKey: account.key, visitor } satisfies ProvenVisitor) },
          receivedAtMs: request.receivedAtMs
        },
        answerHeaders: answers.headers
      }
}

/** Without an origin it is no browser on another site, and a token is asked for anyway. */
const mayEmbed = (account: WebchatAccount, config: WebchatConfig, own: string, origin: string | undefined): boolean => {
  const allowed = account.allowedOrigins ?? config.allowedOrigins
  return origin === undefined || origin === own || allowed.includes("*") || allowed.includes(origin)
}

const answerPreflight = ({ headers }: Answers, method: string): Channel.Verification => ({
  kind: "answered",
  answer: {
    status: 204,
    headers: {
      ...headers,
      "access-control-allow-methods": method,
      "access-control-allow-headers": "authorization, content-type",
      "access-control-max-age": "7200"
    }
  }
})

const secretsOf = ({ sessionSecret, formerSessionSecrets }: WebchatConfig): ReadonlyArray<string> => [
  sessionSecret,
  ...formerSessionSecrets
]

const findVisitor = (
  config: WebchatConfig,
  account: WebchatAccount,
  request: Channel.ChannelRequest
): WebchatVisitor | undefined => {
  const token = /^Bearer (\S+)$/i.exec(request.headers.authorization ?? "")?.[1]
  return token === undefined
    ? undefined
    : fromToken(token, { secrets: secretsOf(config), account: account.id, nowMs: request.receivedAtMs })
}

const openSession = (
  config: WebchatConfig,
  account: WebchatAccount,
  request: Channel.ChannelRequest,
  answers: Answers
): Channel.Verification => {
  const body = SessionRequest.safeParse(parseJson(request.body))
  if (!body.success)
    return answers.refused(
      400,
      body.error.issues.map(({ path, message }) => `${path.join(".") || "body"}: ${message}`).join("; ")
    )
  const { visitorToken, identity } = body.data
  const nowMs = request.receivedAtMs
  if (identity !== undefined) {
    const secret = account.identitySecret ?? config.identitySecret
    if (secret === undefined)
      return answers.refused(401, "identity: this chat has no identitySecret, so it can't believe one: configure it")
    const why = whyRefused(identity, { secret, account: account.id, nowMs, windowMs: config.identityWindowMs })
    if (why === "signature")
      return answers.refused(401, "identity: the signature is wrong: sign with this chat's secret and account id")
    if (why === "time")
      return answers.refused(401, "identity: issuedAtMs is too far from now: sign at each page view, check the clock")
  }
  const before =
    visitorToken === undefined
      ? undefined
      : fromToken(visitorToken, { secrets: secretsOf(config), account: account.id, nowMs })
  const visitor = toVisitor(account, before, identity, nowMs + config.sessionMs)
  const { attachmentBytes, attachments, textLength } = config.limits
  const answer: SessionAnswer = {
    visitorToken: toToken(visitor, config.sessionSecret),
    visitorId: visitor.visitorId,
    expiresAtMs: visitor.expiresAtMs,
    limits: { attachmentBytes, attachments, textLength }
  }
  return {
    kind: "answered",
    answer: {
      status: 200,
      headers: { ...answers.headers, "content-type": "application/json" },
      body: JSON.stringify(answer)
    }
  }
}

/**
 * Who the browser is from now on. Somebody who signs in keeps the thread they began; a different person on the same
 * browser never gets it.
 */
const toVisitor = (
  account: WebchatAccount,
  before: WebchatVisitor | undefined,
  signed: WebchatIdentity | undefined,
  expiresAtMs: number
): WebchatVisitor => {
  if (signed === undefined) return { ...(before ?? { visitorId: randomUUID(), account: account.id }), expiresAtMs }
  const identity = {
    ...(signed.id === undefined ? {} : { id: signed.id }),
    ...(signed.email === undefined ? {} : { email: signed.email.toLowerCase() }),
    ...(signed.phone === undefined ? {} : { phone: signed.phone }),
    ...(signed.name === undefined ? {} : { name: signed.name })
  }
  const subject = toSubject(identity)
  const isSamePerson = before !== undefined && (before.identity === undefined || toSubject(before.identity) === subject)
  return {
    visitorId: isSamePerson ? before.visitorId : toVisitorId(account.id, subject),
    account: account.id,
    expiresAtMs,
    identity
  }
}

const readThread = (
  account: WebchatAccount,
  { visitorId }: WebchatVisitor,
  { url }: Channel.ChannelRequest,
  answers: Answers
): Channel.Verification => {
  const after = url.searchParams.get("after") ?? "0"
  if (!/^\d{1,15}$/.test(after))
    return answers.refused(400, `after: expected a sequence number, found ${after.slice(0, 40)}`)
  return {
    kind: "reads",
    account: account.key,
    address: { kind: "visitor", value: visitorId, state: "verified" },
    threadKey: visitorId,
    afterSequence: Number(after),
    live: url.searchParams.get("live") === "1",
    answerHeaders: answers.headers
  }
}

const parseJson = (bytes: Uint8Array): unknown => {
  try {
    return JSON.parse(new TextDecoder("utf-8", { fatal: true }).decode(bytes))
  } catch {
    return undefined
  }
}
