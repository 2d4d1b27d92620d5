/**
 * The WhatsApp Business Platform (Cloud API) as a channel.
 *
 * @module
 */
import { createHash, createHmac, createSecretKey, timingSafeEqual } from "node:crypto"
import { type Channel, defineChannel } from "@switchboard/channel"
import {
  decode as decodeConfig,
  toChannelAccount,
  type WhatsAppConfig,
  type WhatsAppConfigInput
} from "./WhatsAppConfig.ts"
import { decodeWith } from "./WhatsAppInbound.ts"
import { fetchWith, mediaTypes, sizeLimitBytes } from "./WhatsAppMedia.ts"
import { message, reaction, read, typing } from "./WhatsAppOutbound.ts"

const refused = (status: number, reason: string): Channel.Verification => ({ kind: "refused", status, reason })

/** Digests have equal lengths, whatever was sent. */
const digest = (text: string): Uint8Array => createHash("sha256").update(text).digest()

const handshake = ({ searchParams }: URL, verifyToken: Uint8Array): Channel.Verification => {
  const challenge = searchParams.get("hub.challenge")
  if (searchParams.get("hub.mode") !== "subscribe" || challenge === null || challenge.length > 1024)
    return refused(400, "A handshake has hub.mode=subscribe, hub.verify_token and hub.challenge.")
  if (!timingSafeEqual(digest(searchParams.get("hub.verify_token") ?? ""), verifyToken))
    return refused(403, "hub.verify_token is another: give the same verifyToken here and in the app dashboard.")
  const headers = { "content-type": "text/plain; charset=utf-8", "x-content-type-options": "nosniff" }
  return { kind: "answered", answer: { status: 200, headers, body: challenge } }
}

/**
 * Proves webhooks: the handshake by the verify token, everything else by `x-hub-signature-256`, the HMAC-SHA256 of the
 * raw body under the app secret; both are compared in constant time.
 */
const verifyWith = ({ appSecret, verifyToken, bodyLimitBytes }: WhatsAppConfig) => {
  const key = createSecretKey(appSecret, "utf8")
  const token = digest(verifyToken)
  return ({ method, url, headers, body, receivedAtMs }: Channel.ChannelRequest): Channel.Verification => {
    if (method === "GET") return handshake(url, token)
    if (method !== "POST") return refused(405, "A webhook is posted.")
    if (body.length > bodyLimitBytes) return refused(413, `The body is larger than ${bodyLimitBytes} bytes.`)
    const [, hex] = /^sha256=([0-9a-f]{64})$/i.exec(headers["x-hub-signature-256"] ?? "") ?? []
    if (hex === undefined) return refused(401, "The header x-hub-signature-256 is missing or no sha256 signature.")
    // Digits are compared, not bytes: a digest as text takes a third less time to make.
    const ours = createHmac("sha256", key).update(body).digest("hex")
    if (!timingSafeEqual(Buffer.from(hex.toLowerCase()), Buffer.from(ours)))
      return refused(401, "x-hub-signature-256 is not the HMAC of the body: is appSecret this app's?")
    return { kind: "verified", input: { bytes: body, headers: {}, receivedAtMs } }
  }
}

/**
 * A channel for one or more WhatsApp numbers of one app.
 *
 * **Fails with** `WhatsAppConfigError`, thrown, when a field is missing or wrong.
 *
 * **Example**
 *
 * ```ts
 * import { strict as assert } from "node:assert"
 * import { whatsapp } from "@switchboard/channel-whatsapp"
 *
 * const channel = whatsapp({
 *   accounts: [{ id: "shop", phoneNumberId: "106540352242922", name: "+1 555 078 3881" }],
 *   accessToken: "EAAG-no-real-token",
 *   appSecret: "0123456789abcdef0123456789abcdef",
 *   verifyToken: "a-word-of-ours"
 * })
 *
 * assert.equal(channel.kind, "whatsapp")
 * assert.equal(channel.accounts[0]?.key, "106540352242922")
 * ```
 */
export const make = (
  input: WhatsAppConfigInput,
  environment: Readonly<Record<string, string | undefined>> = process.env
): Channel.Channel => {
  const config = decodeConfig(input, environment)
  const decode = decodeWith(config)
  const channel = defineChannel({
    kind: "whatsapp",
    accounts: config.accounts.map(toChannelAccount),
    capabilities: {
      transports: ["webhook"],
      outbound: ["message", "reaction", "typing", "read"],
      text: { limit: 4096, formats: ["markdown", "plain"] },
      media: { types: mediaTypes, limitBytes: sizeLimitBytes, perMessage: 1, captionLimit: 1024 },
      // Up to three options are buttons, up to ten a list; a button holds the shorter label.
      choices: { limit: 10, labelLimit: 20, urls: false },
      templates: true,
      locations: true,
      contactCards: true,
      replies: true,
      receipts: ["delivered", "read"],
      threads: "dialog",
      audiences: ["private"],
      messagingWindowMs: 24 * 3_600_000,
      starts: "either",
      idempotentSend: false,
      contactReads: false
    },
    verify: verifyWith(config),
    decode,
    send: {
      message: message(config),
      reaction: reaction(config),
      typing: typing(config),
      read: read(config)
    },
    fetch: fetchWith(config)
  })
  // It checks each entry itself, and keeps what the platform sent of one that breaks a rule.
  return { ...channel, decode }
}
