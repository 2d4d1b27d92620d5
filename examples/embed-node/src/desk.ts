/** The desk of this application. */
import { telegram } from "@switchboard/channel-telegram"
import { Agent, Id } from "@switchboard/conversation"
import { createDesk, type PromiseDesk } from "@switchboard/desk"
import { FileBlobStore } from "@switchboard/storage-file"
import { SqliteStorage } from "@switchboard/storage-sqlite"

export interface DeskSecrets {
  /** Signs agents' credentials: 32 characters or more. */
  readonly credential: string
  /** What the application's own programs use the API with. */
  readonly apiKey: string
  readonly telegramToken: string
  readonly telegramWebhook: string
}

/** Everybody who answers contacts. Take them from your own database. */
export const agents = [
  Agent.Agent.parse({
    id: "ada",
    name: "Ada",
    role: "agent",
    teams: [],
    skills: {},
    languages: ["en"],
    capacity: { total: 3, perChannelKind: {} }
  })
]

export const makeDesk = (database: string, secrets: DeskSecrets): Promise<PromiseDesk> =>
  createDesk({
    storage: SqliteStorage.make({ file: database }),
    blobs: FileBlobStore.make({ directory: `${database}-blobs` }),
    credentialSecret: secrets.credential,
    agents,
    apiKeys: [{ id: "shop", secret: secrets.apiKey, role: "agent" }],
    channels: [
      telegram({
        accounts: [
          {
            id: Id.ChannelAccountId.parse("shop"),
            name: "@shop_bot",
            workspace: Id.WorkspaceId.parse("main"),
            token: secrets.telegramToken,
            webhookSecret: secrets.telegramWebhook
          }
        ]
      })
    ]
  })
