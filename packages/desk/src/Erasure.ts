/**
 * Removes everything personal to a contact, and leaves conversations that can still be counted and closed.
 *
 * @module
 */
import { Address, type Contact, ConversationEvolution, type Message } from "@switchboard/conversation"
import type { Storage, StorageDriver } from "@switchboard/storage"
import { decode, streams } from "./DeskEvent.ts"
import type { Environment } from "./Environment.ts"
import { toRow } from "./InboxReactor.ts"

/** Whose dead letters and waiting entries these are, before a contact is known for them. */
export const addressSubject = (address: { readonly kind: string; readonly value: string }): string =>
  `address/${Address.toKey(address)}`

/** How much was removed. */
export interface Erased {
  readonly events: number
  readonly documents: number
  readonly blobs: number
}

const pageSize = 500

const all = async (
  reads: Storage.Reads,
  query: Omit<StorageDriver.Query, "limit" | "after">
): Promise<ReadonlyArray<StorageDriver.StoredDocument>> => {
  const found: Array<StorageDriver.StoredDocument> = []
  let after: StorageDriver.Query["after"]
  do {
    const page = await reads.query({ ...query, limit: pageSize, ...(after && { after }) })
    found.push(...page.documents)
    after = page.next
  } while (after)
  return found
}

/** A conversation and its messages as its journal now tells them: the same facts, nobody's words. */
const refold = async (workspace: Storage.Workspace, conversationId: string): Promise<void> => {
  const rows = await workspace.stream(streams.conversation(conversationId))
  const state = ConversationEvolution.fold(
    rows.map(decode).flatMap((recorded) => (recorded.family === "conversation" ? [recorded.event] : []))
  )
  const { conversation } = state
  if (!conversation) return
  const version = conversation.version
  const row = toRow(conversation, undefined, undefined, undefined)
  await workspace.commit({
    appends: [{ stream: streams.conversation(conversationId), expectedVersion: version, events: [] }],
    views: [
      { view: "conversations", key: conversationId, put: conversation, version },
      { view: "inbox", key: conversationId, put: { ...row } },
      ...[...state.messages.values()].map((message) => ({ view: "messages", key: message.id, put: message, version }))
    ]
  })
}

/** Erases one contact. */
export const erase = async (
  { settings, workspace }: Environment["Service"],
  contact: Contact.Contact
): Promise<Erased> => {
  const conversations = await all(workspace, {
    view: "conversations",
    where: [{ field: "contactId", equals: contact.id }]
  })
  const blobKeys: Array<string> = []
  for (const { key } of conversations) {
    const messages = await all(workspace, {
      view: "messages",
      where: [{ field: "conversationId", equals: key }],
      order: { field: "sequence", direction: "ascending" }
    })
    for (const stored of messages) {
      const message = stored.document as unknown as Message.Message
      for (const { blobKey } of message.attachments) if (blobKey !== undefined) blobKeys.push(blobKey)
    }
  }
  let events = 0
  let documents = 0
  for (const subject of [contact.id, ...contact.addresses.map(addressSubject)]) {
    const erased = await workspace.erase(subject)
    events += erased.events
    documents += erased.documents.length
  }
  await settings.config.blobs.delete(workspace.id, blobKeys)
  for (const { key } of conversations) await refold(workspace, key)
  return { events, documents, blobs: blobKeys.length }
}
