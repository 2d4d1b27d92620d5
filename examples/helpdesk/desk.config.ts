/**
 * The whole configuration of the example desk: who works here, what is promised, which channels and bots there are.
 *
 * Every secret has an environment variable. What is not set falls back to values that only work on this machine, so
 * that a newcomer has a desk after two commands.
 */
import type { Bot } from "@switchboard/bot"
import { email } from "@switchboard/channel-email"
import { telegram } from "@switchboard/channel-telegram"
import { webchat } from "@switchboard/channel-webchat"
import { whatsapp } from "@switchboard/channel-whatsapp"
import { Id } from "@switchboard/conversation"
import type { DeskConfig } from "@switchboard/desk"
import { Target } from "@switchboard/sla"
import { FileBlobStore } from "@switchboard/storage-file"
import { SqliteStorage } from "@switchboard/storage-sqlite"
import { agents, teams } from "./src/people.ts"
import { receptionist } from "./src/receptionist.ts"
import { shop } from "./src/shop.ts"

/** Where the desk keeps its data, and where the platforms are. */
export interface Surroundings {
  readonly database: string
  /** The address of this process; the sandbox stands in for platforms whose credentials are not set. */
  readonly url: string
  readonly smtpUrl: string
  readonly smtpPort: number
}

const minute = 60_000
const hour = 60 * minute

/** Secrets for this machine only. Set the variables in production. */
export const secrets = {
  credential: process.env["DESK_SECRET"] ?? "only for this machine: set DESK_SECRET",
  session: process.env["WEBCHAT_SESSION_SECRET"] ?? "only for this machine: set WEBCHAT_SESSION_SECRET",
  identity: process.env["WEBCHAT_IDENTITY_SECRET"] ?? "only for this machine: set WEBCHAT_IDENTITY_SECRET",
  emailInbound: process.env["EMAIL_INBOUND_SECRET"] ?? "only for this machine: set EMAIL_INBOUND_SECRET",
  emailThread: process.env["EMAIL_THREAD_SECRET"] ?? "only for this machine: set EMAIL_THREAD_SECRET",
  whatsappApp: process.env["WHATSAPP_APP_SECRET"] ?? "sandbox-app-secret-of-this-machine",
  whatsappVerify: process.env["WHATSAPP_VERIFY_TOKEN"] ?? "sandbox-verify-token",
  whatsappToken: process.env["WHATSAPP_ACCESS_TOKEN"] ?? "sandbox-access-token",
  telegramToken: process.env["TELEGRAM_TOKEN"] ?? "1000000001:sandbox-token-of-this-machine",
  telegramWebhook: process.env["TELEGRAM_WEBHOOK_SECRET"] ?? "sandbox-webhook-secret"
}

/** Where mail for the desk goes. */
export const supportAddress = process.env["EMAIL_ADDRESS"] ?? "support@shop.test"

const bots: ReadonlyArray<Bot.Bot> = [receptionist]

/** The desk. */
export const configure = ({ database, url, smtpUrl, smtpPort }: Surroundings): DeskConfig.DeskConfig => ({
  storage: SqliteStorage.make({ file: database }),
  blobs: FileBlobStore.make({ directory: `${database}-blobs` }),
  credentialSecret: secrets.credential,
  agents,
  teams,
  bots,
  firstResponder: { bot: "receptionist", channelKinds: ["webchat", "telegram", "whatsapp"] },
  contextProvider: shop,

  channels: [
    webchat({
      accounts: [{ id: "web", key: "web", name: "Web chat", workspace: "main" }],
      sessionSecret: secrets.session,
      identitySecret: secrets.identity
    }),
    email({
      accounts: [
        {
          id: "support-mail",
          address: supportAddress,
          name: "Shop support",
          workspace: "main",
          // The sandbox's mail server checks senders; in production name your own.
          trustAuthenticationResults: "mx.shop.test"
        }
      ],
      listen: { host: "127.0.0.1", port: smtpPort },
      inboundSecret: secrets.emailInbound,
      threadSecret: secrets.emailThread,
      smtpUrl
    }),
    whatsapp({
      accounts: [{ id: "whatsapp-main", phoneNumberId: "106540352242922", name: "WhatsApp", workspace: "main" }],
      accessToken: secrets.whatsappToken,
      appSecret: secrets.whatsappApp,
      verifyToken: secrets.whatsappVerify,
      ...(process.env["WHATSAPP_ACCESS_TOKEN"] ? {} : { apiUrl: `${url}/sandbox/whatsapp` })
    }),
    telegram({
      accounts: [
        {
          id: Id.ChannelAccountId.parse("telegram-main"),
          name: "Telegram",
          workspace: Id.WorkspaceId.parse("main"),
          token: secrets.telegramToken,
          webhookSecret: secrets.telegramWebhook
        }
      ],
      ...(process.env["TELEGRAM_TOKEN"] ? {} : { apiUrl: `${url}/sandbox/telegram` })
    })
  ],

  sla: {
    calendars: [
      {
        id: "office",
        timeZone: "Europe/Madrid",
        week: {
          monday: [{ opens: "09:00", closes: "18:00" }],
          tuesday: [{ opens: "09:00", closes: "18:00" }],
          wednesday: [{ opens: "09:00", closes: "18:00" }],
          thursday: [{ opens: "09:00", closes: "18:00" }],
          friday: [{ opens: "09:00", closes: "15:00" }]
        }
      }
    ],
    policies: [
      {
        id: "chat",
        version: 1,
        when: { channel: ["webchat", "telegram", "whatsapp"] },
        targets: [
          Target.firstReply({ durationMs: minute, time: "elapsed", bot: "pauses", warnings: [{ share: 0.5 }] }),
          Target.nextReply({ durationMs: 5 * minute, time: "elapsed", bot: "pauses", warnings: [{ share: 0.8 }] }),
          Target.resolution({ durationMs: 8 * hour, time: "elapsed", warnings: [{ share: 0.8 }] })
        ]
      },
      {
        id: "mail",
        version: 1,
        calendar: "office",
        targets: [
          Target.firstReply({
            durationMs: 8 * hour,
            overrides: [{ when: { priority: ["urgent"] }, durationMs: hour }],
            warnings: [{ share: 0.8 }]
          }),
          Target.nextReply({ durationMs: 8 * hour, warnings: [{ share: 0.8 }] }),
          Target.resolution({ durationMs: 40 * hour, warnings: [{ share: 0.9 }] })
        ]
      }
    ]
  },

  routing: { offerTimeoutMs: 30_000, overCapacity: "onPick" }
})
