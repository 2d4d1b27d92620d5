/**
 * The views a desk keeps: documents with indexed fields.
 *
 * Each has one writer: the stream it is folded from, or one reactor.
 *
 * @module
 */
import { createHash } from "node:crypto"
import type { Conversation, Id } from "@switchboard/conversation"
import type { Storage, StorageDriver } from "@switchboard/storage"

/** A key as storage takes it: what is too long or holds what no key may is cut, and told apart by its digest. */
export const bounded = (key: string): string =>
  key.length <= 160 && key.isWellFormed() && !key.includes("\0")
    ? key
    : `${key.slice(0, 80).toWellFormed().replaceAll("\0", "")}#${createHash("sha256").update(key).digest("hex")}`

const view = (
  name: string,
  fields: StorageDriver.ViewDefinition["fields"] = {},
  indexes: StorageDriver.ViewDefinition["indexes"] = [],
  words: StorageDriver.ViewDefinition["words"] = []
): StorageDriver.ViewDefinition => ({ name, version: 1, fields, indexes, words })

/** All views, in the form storage wants them declared. */
export const definitions: ReadonlyArray<StorageDriver.ViewDefinition> = [
  view("conversations", { contactId: "text", openedAtMs: "number" }, [["contactId", "openedAtMs"]]),
  view(
    "messages",
    { conversationId: "text", sequence: "number" },
    [["conversationId", "sequence"]],
    ["parts.text", "parts.caption", "parts.label", "attachments.name"]
  ),
  view("contacts", { name: "text", mergedInto: "text" }, [["name"], ["mergedInto"]], ["name", "addresses.value"]),
  view("threads"),
  view("inbox", { active: "boolean", assignee: "text", attention: "number" }, [
    ["active", "attention"],
    ["assignee", "active", "attention"]
  ]),
  view("counts"),
  view("slaRecords"),
  view("poolItems", { pool: "text", placed: "text", agentId: "text" }, [["pool"], ["agentId"], ["placed"]]),
  view("poolAgents", { pool: "text" }, [["pool"]]),
  view("metricStates", { waitingSince: "number" }, [["waitingSince"]]),
  view("metricBuckets", { measure: "text", hour: "text" }, [["measure", "hour"]]),
  view("deadLetters", { state: "text", receivedAtMs: "number" }, [["state", "receivedAtMs"]]),
  view("parked", { reactor: "text" }, [["reactor"]])
]

/** All documents that a query finds, however many; or those of its first pages, until they are `most`. */
export const readAll = async (
  reads: Pick<Storage.Reads, "query">,
  query: Omit<StorageDriver.Query, "limit" | "after">,
  most = Number.POSITIVE_INFINITY
): Promise<ReadonlyArray<StorageDriver.StoredDocument>> => {
  const found: Array<StorageDriver.StoredDocument> = []
  let after: StorageDriver.Query["after"]
  do {
    const page = await reads.query({ ...query, limit: 500, ...(after && { after }) })
    found.push(...page.documents)
    after = page.next
  } while (after && found.length < most)
  return found
}

/**
 * Where a channel's exchange is found again. Written with the conversation that it belongs to.
 *
 * **Shape** `earlier` are the conversations of the same person that it went on in before, the oldest first, the latest
 * 50 at most. `place` counts all there were before this one.
 */
export interface ThreadEntry {
  readonly conversationId: Id.ConversationId
  readonly threadId: Id.ThreadId
  readonly contactId: Id.ContactId
  readonly place?: number
  readonly earlier?: ReadonlyArray<Id.ConversationId>
}

/** The key of a {@link ThreadEntry}. */
export const threadKey = (accountId: string, key: string): string => bounded(`${accountId}/${key}`)

/**
 * What an agent sees of a conversation in the list.
 *
 * **Shape** `attention` orders the list, smallest first: the instant by which somebody should act, in epoch
 * milliseconds, with conversations that wait for the contact far behind. `offeredTo` names who holds an offer for it.
 */
export interface InboxRow {
  readonly conversationId: Id.ConversationId
  readonly contactId: Id.ContactId
  readonly contactName: string
  readonly subject: string
  readonly preview: string
  readonly status: Conversation.Status
  readonly priority: Conversation.Priority
  readonly channelKinds: ReadonlyArray<string>
  readonly holder: Conversation.Holder
  readonly assignee: string | null
  readonly teamId: string | null
  readonly tags: ReadonlyArray<string>
  readonly unreadCount: number
  readonly active: boolean
  readonly attention: number
  readonly waitingSinceMs: number | null
  readonly due: { readonly target: string; readonly dueAtMs: number; readonly breached: boolean } | null
  readonly offer: { readonly offerId: string; readonly agentId: string; readonly expiresAtMs: number } | null
  readonly updatedAtMs: number
  readonly openedAtMs: number
}

/** Input that could not be used, kept with its reason; it can be driven again. */
export interface DeadLetter {
  readonly id: string
  readonly channelKind: string
  readonly state: "waiting" | "done"
  readonly code: string
  readonly reason: string
  readonly receivedAtMs: number
  readonly headers: Readonly<Record<string, string>>
  /** The raw bytes, base64; only of input that could not be decoded. */
  readonly bytes: string | null
  /** The entry, of input that was decoded but could not be used. */
  readonly entry: unknown
}

/** A stream that one reactor could not digest; its later events wait too. */
export interface ParkedStream {
  readonly reactor: string
  readonly stream: string
  readonly position: number
  readonly reason: string
  readonly parkedAtMs: number
}
