/**
 * Telegram bots as a channel: each bot has a webhook of its own, `…/<account id>`, proven by its secret token.
 *
 * @module
 */
import { createHash, timingSafeEqual } from "node:crypto"
import { type Channel, type ChannelAccount, defineChannel } from "@switchboard/channel"
import { decode as decodeConfig, type TelegramConfig, type TelegramConfigInput } from "./TelegramConfig.ts"
import { accountHeader, decode } from "./TelegramInbound.ts"
import { edit, fetchFile, message, reaction, remove, typing, uploadLimitBytes } from "./TelegramOutbound.ts"

const secretHeader = "x-telegram-bot-api-secret-token"

/** Digests have equal lengths, whatever was sent. */
const digest = (text: string): Uint8Array => createHash("sha256").update(text).digest()

const refused = (status: number, reason: string): Channel.Verification => ({ kind: "refused", status, reason })

const verifier = (config: TelegramConfig) => {
  const bots = new Map(
    config.accounts.map(({ id, key, webhookSecret }) => [id as string, { key, digest: digest(webhookSecret) }])
  )
  return ({ method, url, headers, body, receivedAtMs }: Channel.ChannelRequest): Channel.Verification => {
    if (method !== "POST") return refused(405, "A webhook is posted.")
    if (body.length > config.bodyLimitBytes)
      return refused(413, `The body is larger than ${config.bodyLimitBytes} bytes.`)
    const segment = url.pathname.split("/").at(-1) ?? ""
    const bot = bots.get(segment) ?? bots.get(decoded(segment))
    if (bot === undefined) return refused(404, "No bot has a webhook at this address.")
    const given = headers[secretHeader]
    if (given === undefined)
      return refused(401, `The header ${secretHeader} is missing: set secret_token in setWebhook.`)
    if (!timingSafeEqual(digest(given), bot.digest)) return refused(401, `The header ${secretHeader} is another.`)
    return { kind: "verified", input: { bytes: body, headers: { [accountHeader]: bot.key }, receivedAtMs } }
  }
}

const decoded = (segment: string): string => {
  try {
    return decodeURIComponent(segment)
  } catch {
    return segment
  }
}

/**
 * A channel for one or more Telegram bots.
 *
 * **Fails with** `TelegramConfigError`, thrown, when a field is missing or wrong.
 *
 * **Example**
 *
 * ```ts
 * import { strict as assert } from "node:assert"
 * import { telegram } from "@switchboard/channel-telegram"
 * import { Id } from "@switchboard/conversation"
 *
 * const channel = telegram({
 *   accounts: [
 *     {
 *       id: Id.ChannelAccountId.parse("shop"),
 *       name: "@shop_bot",
 *       workspace: Id.WorkspaceId.parse("main"),
 *       token: "123456789:AAF-this-is-no-real-token",
 *       webhookSecret: "a-secret-of-at-least-16-characters"
 *     }
 *   ]
 * })
 *
 * assert.equal(channel.accounts[0]?.key, "123456789")
 * ```
 */
export const make = (input: TelegramConfigInput): Channel.Channel => {
  const config = decodeConfig(input)
  const file = fetchFile(config)
  const accounts = config.accounts.map(
    ({ id, key, name, workspace }): ChannelAccount.ChannelAccount => ({ id, key, name, workspace })
  )
  return defineChannel({
    kind: "telegram",
    accounts,
    capabilities: {
      transports: ["webhook"],
      outbound: ["message", "edit", "delete", "reaction", "typing"],
      text: { limit: 4096, formats: ["markdown", "plain"] },
      media: { types: ["*/*"], limitBytes: uploadLimitBytes, perMessage: 1, captionLimit: 1024 },
      choices: { limit: 30, labelLimit: 64, urls: true },
      templates: false,
      locations: true,
      contactCards: true,
      replies: true,
      receipts: [],
      threads: "dialog",
      audiences: ["private"],
      messagingWindowMs: null,
      starts: "contact",
      idempotentSend: false,
      contactReads: false
    },
    verify: verifier(config),
    decode,
    send: {
      message: message(config),
      edit: edit(config),
      delete: remove(config),
      reaction: reaction(config),
      typing: typing(config)
    },
    fetch: (ref, account, context) => file(ref, account.id, context)
  })
}
