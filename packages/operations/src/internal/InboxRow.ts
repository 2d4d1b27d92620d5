/** What a row of the inbox should say. */
import type { Contact, Conversation } from "@switchboard/conversation"
import type { Views } from "@switchboard/desk"
import { load, toRow } from "@switchboard/desk/InboxReactor"
import type { Storage } from "@switchboard/storage"

/** A row as the reactor would write it now, and the person it belongs to. */
export interface ExpectedRow {
  readonly row: Views.InboxRow
  readonly subject: string | undefined
}

/** The rows of conversations; `undefined` for one that has no document. */
export const expectedRows = async (
  reads: Storage.Reads,
  ids: ReadonlyArray<string>
): Promise<ReadonlyArray<ExpectedRow | undefined>> => {
  const conversations = await load<Conversation.Conversation>(reads, "conversations", ids)
  const contactIds = [...new Set([...conversations.values()].map(({ contactId }) => contactId))]
  const [contacts, records, items] = await Promise.all([
    load<Contact.Contact>(reads, "contacts", contactIds),
    load<NonNullable<Parameters<typeof toRow>[2]>>(reads, "slaRecords", ids),
    load<NonNullable<Parameters<typeof toRow>[3]>>(reads, "poolItems", ids)
  ])
  return ids.map((id) => {
    const conversation = conversations.get(id)
    if (!conversation) return undefined
    const contact = contacts.get(conversation.contactId)
    return {
      row: toRow(conversation, contact, records.get(id), items.get(id)),
      subject: contact?.erasedAtMs === undefined ? conversation.contactId : undefined
    }
  })
}
