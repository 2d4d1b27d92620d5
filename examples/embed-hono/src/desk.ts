/** The desk of this application. */
import { webchat } from "@switchboard/channel-webchat"
import { Agent, Id } from "@switchboard/conversation"
import { createDesk, type PromiseDesk } from "@switchboard/desk"
import { FileBlobStore } from "@switchboard/storage-file"
import { SqliteStorage } from "@switchboard/storage-sqlite"

/** Each 32 random characters or more. */
export interface DeskSecrets {
  /** Signs agents' credentials. */
  readonly credential: string
  /** Signs visitors' tokens. */
  readonly session: string
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
    channels: [
      webchat({
        accounts: [
          {
            id: Id.ChannelAccountId.parse("shop"),
            key: "shop",
            name: "Chat on our site",
            workspace: Id.WorkspaceId.parse("main")
          }
        ],
        sessionSecret: secrets.session
      })
    ]
  })
