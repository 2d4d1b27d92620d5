/**
 * Removes everything personal to a contact, and leaves conversations that can still be counted and closed.
 *
 * It is asked for by an event in the contact's stream, which says who and when; a job sees it through, so that a process
 * that dies half-way leaves nothing behind.
 *
 * @module
 */
import { Address, Contact, ConversationEvolution, Id, type Message } from "@switchboard/conversation"
import type { SlaRecord } from "@switchboard/sla"
import type { Storage } from "@switchboard/storage"
import { decode, streams } from "./DeskEvent.ts"
import { addressClaim, type Draft } from "./Draft.ts"
import type { Environment } from "./Environment.ts"
import { toRow } from "./InboxReactor.ts"
import * as Jobs from "./Jobs.ts"
import { bounded, readAll } from "./Views.ts"

/** Whose dead letters and waiting entries these are, before a contact is known for them. */
export const addressSubject = (address: { readonly kind: string; readonly value: string }): string =>
  bounded(`address/${Address.toKey(address)}`)

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
  draft.timer({ set: Jobs.job("erase", contactId, draft.nowMs + takenUpAfterMs, { contactId }) })
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
  const clocks = await workspace.document("slaRecords", conversationId)
  const record = clocks?.document as unknown as SlaRecord.SlaRecord | undefined
  const row = toRow(conversation, undefined, record, undefined)
  await workspace.commit({
    appends: [
      { stream: streams.conversation(conversationId), expectedVersion: version, events: [] },
      { stream: streams.sla(conversationId), expectedVersion: clocks?.version ?? 0, events: [] }
    ],
    views: [
      { view: "conversations", key: conversationId, put: conversation, version },
      { view: "inbox", key: conversationId, put: { ...row } },
      ...[...state.messages.values()].map((message) => ({ view: "messages", key: message.id, put: message, version })),
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
  })
}

/**
 * Erases one contact whose erasure was recorded; once more, it goes on where it stopped.
 *
 * **Gotchas** nothing that folds documents may run meanwhile: it could write back what it has read before.
 */
export const erase = async (
  { settings, workspace }: Environment["Service"],
  contactId: Id.ContactId
): Promise<Erased> => {
  const stream = streams.contact(contactId)
  const events = (await workspace.stream(stream)).map(decode)
  const addresses = new Set<string>()
  const conversationIds = new Set<string>()
  for (const recorded of events) {
    if (recorded.family !== "contact") continue
    const { event } = recorded
    if (event.type === "ContactCreated") for (const address of event.addresses) addresses.add(addressSubject(address))
    if (event.type === "AddressAdded") addresses.add(addressSubject(event.address))
    if (event.type === "ConversationStarted") conversationIds.add(event.conversationId)
  }
  for (const { key } of await readAll(workspace, {
    view: "conversations",
    where: [{ field: "contactId", equals: contactId }]
  })) {
    conversationIds.add(key)
  }
  const blobKeys: Array<string> = []
  for (const conversationId of conversationIds) {
    for (const { document } of await readAll(workspace, {
      view: "messages",
      where: [{ field: "conversationId", equals: conversationId }],
      order: { field: "sequence", direction: "ascending" }
    })) {
      const message = document as unknown as Message.Message
      for (const { blobKey } of message.attachments) if (blobKey !== undefined) blobKeys.push(blobKey)
    }
  }
  await settings.config.blobs.delete(workspace.id, blobKeys)
  let count = 0
  let documents = 0
  // The contact's own last: its events name the addresses, should this die before.
  for (const subject of [...addresses, contactId]) {
    const erased = await workspace.erase(subject)
    count += erased.events
    documents += erased.documents.length
  }
  for (const conversationId of conversationIds) await refold(workspace, conversationId)
  const contact = (await workspace.stream(stream))
    .map(decode)
    .flatMap((recorded) => (recorded.family === "contact" ? [recorded.event] : []))
    .reduce<Contact.Contact | undefined>(Contact.evolve, undefined)
  await workspace.commit({
    ...(contact && {
      appends: [{ stream, expectedVersion: contact.version, events: [] }],
      views: [{ view: "contacts", key: contactId, put: contact, version: contact.version }]
    }),
    timers: [{ clear: `erase/${contactId}` }]
  })
  return { events: count, documents, blobs: blobKeys.length }
}
