/**
 * Removes everything personal to a contact, or what was said in one conversation, and leaves conversations that can still
 * be counted.
 *
 * It is asked for by an event in the contact's or the conversation's stream, which says who and when; a job sees it
 * through, so that a process that dies half-way leaves nothing behind.
 *
 * @module
 */
import type { Inbound } from "@switchboard/channel"
import { Address, Contact, type Conversation, ConversationEvolution, Id, type Message } from "@switchboard/conversation"
import type { SlaRecord } from "@switchboard/sla"
import type { Storage, StorageDriver } from "@switchboard/storage"
import { decode, streams } from "./DeskEvent.ts"
import { addressClaim, type Draft } from "./Draft.ts"
import type { Environment } from "./Environment.ts"
import { toRow } from "./InboxReactor.ts"
import * as Jobs from "./Jobs.ts"
import { bounded, readAll } from "./Views.ts"

/** Whose dead letters and waiting entries these are, before a contact is known for them. */
export const addressSubject = (address: { readonly kind: string; readonly value: string }): string =>
  bounded(`address/${Address.toKey(address)}`)

/** Whose an entry is that belongs to no contact yet; `undefined` where it names nobody. */
export const senderOf = (entry: unknown): string | undefined => {
  const address = (entry as Partial<Inbound.MessageReceived> | null)?.from?.addresses[0]
  return address && addressSubject(address)
}

/** What an erasure removes: everything of a contact, or, with a conversation of theirs, what was said in it. */
export interface Target {
  readonly contactId: Id.ContactId
  readonly conversationId?: Id.ConversationId
}

/** How much was removed. */
export interface Erased {
  readonly events: number
  readonly documents: number
  readonly blobs: number
}

/** When an erasure that was begun is taken up by a worker: long after it should be over. */
const takenUpAfterMs = 10 * 60_000

/** Everybody who counts as the same person: whom a contact counts as in the end, first, and all that count as them. */
export const personOf = async (
  reads: Pick<Storage.Reads, "query" | "document">,
  id: Id.ContactId
): Promise<ReadonlyArray<Id.ContactId>> => {
  const root = await survivorOf(reads, id)
  const person = [root]
  for (const one of person) {
    const merged = await readAll(reads, { view: "contacts", where: [{ field: "mergedInto", equals: one }] })
    for (const { key } of merged) {
      const contactId = Id.ContactId.parse(key)
      if (!person.includes(contactId)) person.push(contactId)
    }
  }
  return person
}

/** Whom a contact counts as. */
export const survivorOf = async (reads: Pick<Storage.Reads, "document">, id: Id.ContactId): Promise<Id.ContactId> => {
  let current = id
  for (let steps = 0; steps < 10; steps++) {
    const contact = (await reads.document("contacts", current))?.document as Contact.Contact | undefined
    if (contact?.mergedInto === undefined) return current
    current = contact.mergedInto
  }
  return current
}

/** Records that a contact is erased, frees its addresses at once, and sets the job that sees it through. */
export const request = async (draft: Draft, contactId: Id.ContactId, stamp: Contact.Stamp): Promise<void> => {
  const addresses = (await draft.contact(contactId))?.addresses ?? []
  await draft.runOnContact(contactId, { type: "EraseContact" }, stamp)
  const keys = addresses.flatMap((address) =>
    (["claimed", "verified"] as const).map((state) => addressClaim({ ...address, state }))
  )
  for (const claim of await draft.reads.claims(keys)) {
    if (claim?.value === contactId) draft.claim({ key: claim.key, release: true, revision: claim.revision })
  }
  draft.timer({ set: jobOf({ contactId }, draft.nowMs) })
}

/** Records that what was said in a conversation is removed, and sets the job that sees it through. */
export const requestContent = async (
  draft: Draft,
  conversation: Pick<Conversation.Conversation, "id" | "contactId">,
  reason: Conversation.ErasureReason,
  stamp: Contact.Stamp
): Promise<Required<Target>> => {
  const target = { contactId: conversation.contactId, conversationId: conversation.id }
  await draft.run(conversation.id, { type: "EraseContent", reason }, stamp)
  draft.timer({ set: jobOf(target, draft.nowMs) })
  return target
}

const jobOf = (target: Target, nowMs: number): StorageDriver.NewTimer =>
  Jobs.job("erase", keyOf(target), nowMs + takenUpAfterMs, target)

const keyOf = ({ contactId, conversationId }: Target): string =>
  conversationId === undefined ? contactId : `content/${conversationId}`

/** A row of the journal as it stands once its person was erased. */
const withoutPersonal = (row: StorageDriver.StoredEvent): StorageDriver.StoredEvent =>
  row.personal ? { ...row, personal: { ...row.personal, fields: null } } : row

/**
 * A conversation and its messages as their journal tells them without anything personal: the same facts, nobody's words.
 * `messages` are put, or deleted on the way: what is only written over stays in the index of words for a while.
 */
const refold = (workspace: Storage.Workspace, conversationId: string, messages: "put" | "delete"): Promise<void> =>
  workspace.turn(`conversation/${conversationId}`, async (reads) => {
    const rows = await reads.stream(streams.conversation(conversationId))
    const state = ConversationEvolution.fold(
      rows
        .map((row) => decode(withoutPersonal(row)))
        .flatMap((recorded) => (recorded.family === "conversation" ? [recorded.event] : []))
    )
    const { conversation } = state
    if (!conversation) return { value: undefined }
    const { version, contactId } = conversation
    const [clocks, known] = await Promise.all([
      reads.document("slaRecords", conversationId),
      reads.document("contacts", contactId)
    ])
    const record = clocks?.document as unknown as SlaRecord.SlaRecord | undefined
    const contact = known?.document as Contact.Contact | undefined
    // Of a contact who stays, the documents are theirs still: their erasure has to find them.
    const kept = contact?.erasedAtMs === undefined ? contact : undefined
    const subject = kept && { subject: kept.id }
    const row = toRow(conversation, kept, record, undefined)
    return {
      value: undefined,
      commit: {
        appends: [
          { stream: streams.conversation(conversationId), expectedVersion: version, events: [] },
          { stream: streams.sla(conversationId), expectedVersion: clocks?.version ?? 0, events: [] }
        ],
        views: [
          { view: "conversations", key: conversationId, put: conversation, version, ...subject },
          { view: "inbox", key: conversationId, put: { ...row }, ...subject },
          ...[...state.messages.values()].map((message) =>
            messages === "put"
              ? { view: "messages", key: message.id, put: message, version, ...subject }
              : ({ view: "messages", key: message.id, delete: true } as const)
          ),
          ...(record && clocks
            ? [
                {
                  view: "slaRecords",
                  key: conversationId,
                  put: { ...record, facts: { ...record.facts, attributes: {} } },
                  ...(clocks.version !== undefined && { version: clocks.version })
                }
              ]
            : [])
        ]
      }
    }
  })

/** The bytes that a conversation's messages ever named, those of deleted messages included. */
const blobKeysOf = (rows: ReadonlyArray<StorageDriver.StoredEvent>): ReadonlyArray<string> =>
  rows.flatMap((row) => {
    const recorded = decode(row)
    if (recorded.family !== "conversation") return []
    const { event } = recorded
    if (event.type === "AttachmentStored") return [event.blobKey]
    return "message" in event ? blobsOf(event.message) : []
  })

const blobsOf = ({ attachments }: Pick<Message.Message, "attachments">): ReadonlyArray<string> =>
  attachments.flatMap(({ blobKey }) => (blobKey === undefined ? [] : [blobKey]))

/** Where a contact's data stands beside their own stream. `addressSubjects`: see {@link addressSubject}. */
export interface Holdings {
  readonly addressSubjects: ReadonlySet<string>
  readonly conversationIds: ReadonlySet<string>
}

/** What a contact's stream and conversations lead to, addresses they had once included. */
export const holdingsOf = async (
  reads: Pick<Storage.Reads, "stream" | "query">,
  contactId: Id.ContactId
): Promise<Holdings> => {
  const addressSubjects = new Set<string>()
  const conversationIds = new Set<string>()
  for (const recorded of (await reads.stream(streams.contact(contactId))).map(decode)) {
    if (recorded.family !== "contact") continue
    const { event } = recorded
    if (event.type === "ContactCreated")
      for (const address of event.addresses) addressSubjects.add(addressSubject(address))
    if (event.type === "AddressAdded") addressSubjects.add(addressSubject(event.address))
    if (event.type === "ConversationStarted") conversationIds.add(event.conversationId)
  }
  for (const { key } of await readAll(reads, {
    view: "conversations",
    where: [{ field: "contactId", equals: contactId }]
  })) {
    conversationIds.add(key)
  }
  return { addressSubjects, conversationIds }
}

const deleteBlobs = async (
  { settings, workspace }: Environment["Service"],
  conversationId: string
): Promise<number> => {
  const keys = [...new Set(blobKeysOf(await workspace.stream(streams.conversation(conversationId))))]
  await settings.config.blobs.delete(workspace.id, keys)
  return keys.length
}

const eraseContact = async (environment: Environment["Service"], target: Target): Promise<Erased> => {
  const { workspace } = environment
  const { contactId } = target
  const stream = streams.contact(contactId)
  const { addressSubjects, conversationIds } = await holdingsOf(workspace, contactId)
  let blobs = 0
  for (const conversationId of conversationIds) blobs += await deleteBlobs(environment, conversationId)
  let count = 0
  let documents = 0
  // The contact's own last: its events name the addresses, should this die before.
  for (const subject of [...addressSubjects, contactId]) {
    const erased = await workspace.erase(subject)
    count += erased.events
    documents += erased.documents.length
  }
  for (const conversationId of conversationIds) await refold(workspace, conversationId, "put")
  const contact = (await workspace.stream(stream))
    .map(decode)
    .flatMap((recorded) => (recorded.family === "contact" ? [recorded.event] : []))
    .reduce<Contact.Contact | undefined>(Contact.evolve, undefined)
  await workspace.commit({
    ...(contact && {
      appends: [{ stream, expectedVersion: contact.version, events: [] }],
      views: [{ view: "contacts", key: contactId, put: contact, version: contact.version }]
    }),
    timers: [{ clear: jobOf(target, 0).key }]
  })
  return { events: count, documents, blobs }
}

const eraseContent = async (
  environment: Environment["Service"],
  { contactId, conversationId }: Required<Target>
): Promise<Erased> => {
  const { workspace } = environment
  const blobs = await deleteBlobs(environment, conversationId)
  // Before the events: storage sees to it that no bytes are left of what was removed until then.
  await refold(workspace, conversationId, "delete")
  const { events } = await workspace.erase(contactId, streams.conversation(conversationId))
  await refold(workspace, conversationId, "put")
  await workspace.commit({ timers: [{ clear: jobOf({ contactId, conversationId }, 0).key }] })
  return { events, documents: 0, blobs }
}

/**
 * Sees an erasure through that was recorded; once more, it goes on where it stopped.
 *
 * **Gotchas** nothing that folds documents may run meanwhile: it could write back what it has read before.
 */
export const erase = (environment: Environment["Service"], target: Target): Promise<Erased> =>
  target.conversationId === undefined
    ? eraseContact(environment, target)
    : eraseContent(environment, { contactId: target.contactId, conversationId: target.conversationId })
