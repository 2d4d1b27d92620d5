import { readFileSync } from "node:fs"
import type { Channel } from "@switchboard/channel"
import { Id } from "@switchboard/conversation"
import type { TelegramConfigInput } from "../src/TelegramConfig.ts"

export const token = "123456789:AAF-this-is-no-real-token"
export const webhookSecret = "a-secret-for-the-tests-only"

export const config = (apiUrl = "http://127.0.0.1:1"): TelegramConfigInput => ({
  apiUrl,
  accounts: [
    {
      id: Id.ChannelAccountId.parse("shop"),
      name: "@shop_example_bot",
      workspace: Id.WorkspaceId.parse("main"),
      token,
      webhookSecret
    },
    {
      id: Id.ChannelAccountId.parse("second bot"),
      name: "@other_example_bot",
      workspace: Id.WorkspaceId.parse("other"),
      token: "987654321:AAF-this-is-no-real-token",
      webhookSecret: "another-secret-for-the-tests"
    }
  ]
})

export const payload = (name: string): unknown =>
  JSON.parse(readFileSync(new URL(`./payloads/${name}.json`, import.meta.url), "utf8"))

export const signed = (body: unknown): Channel.ChannelRequest => ({
  method: "POST",
  url: new URL("https://desk.example/channels/telegram/shop"),
  headers: { "content-type": "application/json", "x-telegram-bot-api-secret-token": webhookSecret },
  body: new TextEncoder().encode(JSON.stringify(body)),
  receivedAtMs: 1_750_000_999_000
})

const withSecret = (request: Channel.ChannelRequest, secret: string): Channel.ChannelRequest => ({
  ...request,
  headers: { ...request.headers, "x-telegram-bot-api-secret-token": secret }
})

export const tampered = (request: Channel.ChannelRequest): Readonly<Record<string, Channel.ChannelRequest>> => ({
  "with an empty secret": withSecret(request, ""),
  "with half a secret": withSecret(request, webhookSecret.slice(0, 10)),
  "with a longer secret": withSecret(request, `${webhookSecret}x`),
  "with the secret of another bot": withSecret(request, "another-secret-for-the-tests"),
  "with the bot's token": withSecret(request, token),
  "at another bot's address": { ...request, url: new URL("https://desk.example/channels/telegram/second%20bot") },
  "at nobody's address": { ...request, url: new URL("https://desk.example/channels/telegram/nobody") },
  "at the root": { ...request, url: new URL("https://desk.example/channels/telegram/") },
  "by GET": { ...request, method: "GET" },
  "with a body too large": { ...request, body: new Uint8Array(1_000_001) }
})
