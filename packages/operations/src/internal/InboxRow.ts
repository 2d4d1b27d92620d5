/** What a row of the inbox should say. */
import type { Contact, Conversation } from "@switchboard/conversation"
import type { Views } from "@switchboard/desk"
import { toRow } from "@switchboard/desk/InboxReactor"
import type { Storage } from "@switchboard/storage"

/** The row of a conversation as the reactor would write it now, and the person it belongs to. */
export const expectedRow = async (
  reads: Pick<Storage.Reads, "document">,
  id: string
): Promise<{ readonly row: Views.InboxRow; readonly subject: string | undefined } | undefined> => {
  const read = async <A>(view: string, key: string): Promise<A | undefined> =>
    (await reads.document(view, key))?.document as A | undefined
  const conversation = await read<Conversation.Conversation>("conversations", id)
  if (!conversation) return undefined
  const [contact, record, item] = await Promise.all([
    read<Contact.Contact>("contacts", conversation.contactId),
    read<NonNullable<Parameters<typeof toRow>[2]>>("slaRecords", id),
    read<NonNullable<Parameters<typeof toRow>[3]>>("poolItems", id)
  ])
  return {
    row: toRow(conversation, contact, record, item),
    subject: contact?.erasedAtMs === undefined ? conversation.contactId : undefined
  }
}
