/**
 * Keeps the row an agent sees of each conversation, ordered by what needs attention next.
 *
 * @module
 */
import type { Contact, Conversation, Id } from "@switchboard/conversation"
import { Conversation as Conversations } from "@switchboard/conversation"
import type { Pool } from "@switchboard/routing"
import { SlaRecord } from "@switchboard/sla"
import type { Storage, StorageDriver } from "@switchboard/storage"
import type { Recorded } from "./DeskEvent.ts"
import type { Reactor } from "./Reactor.ts"
import { type InboxRow, readAll } from "./Views.ts"

/** How far behind everything urgent a conversation stands that waits for nobody here. */
const calmMs = 1e14
/** From here on stand the conversations that wait for nobody here, by the time they changed last. */
export const restingMs = 2 * calmMs
/** What a waiting contact without a promise is given, by priority, in milliseconds. */
const patienceMs: Readonly<Record<Conversation.Priority, number>> = {
  urgent: 15 * 60_000,
  high: 3_600_000,
  normal: 4 * 3_600_000,
  low: 24 * 3_600_000
}

/** The instant by which somebody should act, smallest first. */
export const attentionOf = (
  conversation: Pick<
    Conversation.Conversation,
    "status" | "priority" | "waitingSinceMs" | "updatedAtMs" | "contentErasedAtMs"
  >,
  dueAtMs: number | null
): number => {
  // What holds no words any more is read last, and needs not be looked through again for what may go.
  if (conversation.contentErasedAtMs !== undefined) return 1.5 * calmMs + conversation.updatedAtMs
  if (conversation.status !== "open") return restingMs + conversation.updatedAtMs
  const patience =
    conversation.waitingSinceMs === undefined
      ? undefined
      : conversation.waitingSinceMs + patienceMs[conversation.priority]
  const by = Math.min(dueAtMs ?? Number.POSITIVE_INFINITY, patience ?? Number.POSITIVE_INFINITY)
  return Number.isFinite(by) ? by : calmMs + conversation.updatedAtMs
}

/** The conversations that a batch of events speaks of. */
export const touched = (events: ReadonlyArray<Recorded>): ReadonlyArray<Id.ConversationId> => {
  const ids = new Set<Id.ConversationId>()
  for (const recorded of events) {
    if (recorded.family === "conversation" || recorded.family === "sla") ids.add(recorded.id)
    else if (
      recorded.family === "pool" &&
      recorded.event.type === "PoolDecided" &&
      "itemId" in recorded.event.decision
    ) {
      ids.add(recorded.event.decision.itemId as Id.ConversationId)
    }
  }
  return [...ids]
}

/** Documents of one view by key. */
export const load = async <A>(
  reads: Storage.Reads,
  view: string,
  keys: ReadonlyArray<string>
): Promise<ReadonlyMap<string, A>> => {
  const found = new Map<string, A>()
  if (keys.length === 0) return found
  for (const stored of await reads.documents(view, keys)) {
    if (stored) found.set(stored.key, stored.document as unknown as A)
  }
  return found
}

/** What a contact is called: by their name, else by their first address. */
const nameOf = (contact: Contact.Contact | undefined): string =>
  contact?.name ?? contact?.addresses[0]?.label ?? contact?.addresses[0]?.value ?? ""

/** The row of a conversation as things stand. */
export const toRow = (
  conversation: Conversation.Conversation,
  contact: Contact.Contact | undefined,
  record: SlaRecord.SlaRecord | undefined,
  item: Pool.PoolItem | undefined
): InboxRow => {
  const { holder } = conversation.control
  const due = record ? SlaRecord.nextDue(record) : null
  return {
    conversationId: conversation.id,
    contactId: conversation.contactId,
    contactName: nameOf(contact),
    subject: conversation.subject ?? "",
    preview: conversation.preview,
    status: conversation.status,
    priority: conversation.priority,
    channelKinds: [...new Set(conversation.threads.map((thread) => thread.channelKind))],
    holder,
    assignee: holder.kind === "agent" ? holder.id : null,
    teamId: conversation.wanted?.teamId ?? null,
    tags: conversation.tags,
    unreadCount: conversation.unreadCount,
    active: Conversations.isActive(conversation),
    attention: attentionOf(conversation, due?.dueAt ?? null),
    waitingSinceMs: conversation.waitingSinceMs ?? null,
    due: due && { target: due.target, dueAtMs: due.dueAt, breached: due.breached },
    offer:
      item?.place.kind === "offered"
        ? {
            offerId: `${conversation.id}.${item.offersMade}`,
            agentId: item.place.agentId,
            expiresAtMs: item.place.expiresAtMs
          }
        : null,
    updatedAtMs: conversation.updatedAtMs,
    openedAtMs: conversation.openedAtMs
  }
}

/** How many conversations somebody may still have to act on: one document beside the rows. */
export interface Counts {
  readonly active: number
}

/** The key of {@link Counts}. */
export const countKey = "inbox"

const countActive = async (reads: Storage.Reads): Promise<number> => {
  const known = (await reads.document("counts", countKey))?.document as unknown as Counts | undefined
  if (known) return known.active
  return (await readAll(reads, { view: "inbox", where: [{ field: "active", equals: true }] })).length
}

/** Contacts who may be called otherwise from now on. Who was just created has no row yet. */
const renamed = async (reads: Storage.Reads, events: ReadonlyArray<Recorded>): Promise<ReadonlyArray<Id.ContactId>> => {
  const ids = new Set<Id.ContactId>()
  /** Where there is a name, addresses come and go behind it: with the first message on every channel. */
  const readdressed = new Set<Id.ContactId>()
  for (const recorded of events) {
    if (recorded.family !== "contact") continue
    const { id, event } = recorded
    if (event.type === "ContactErased" || (event.type === "ContactUpdated" && event.name !== undefined)) ids.add(id)
    else if (event.type === "AddressAdded" || event.type === "AddressRemoved") readdressed.add(id)
  }
  for (const contact of (await load<Contact.Contact>(reads, "contacts", [...readdressed])).values()) {
    if (contact.name === undefined) ids.add(contact.id)
  }
  return [...ids]
}

/** Of so many conversations of a contact, the latest, the rows follow at once: a commit holds only so much. */
const mostRenamed = 10_000

const conversationsOf = async (
  reads: Storage.Reads,
  contactId: Id.ContactId
): Promise<ReadonlyArray<Id.ConversationId>> => {
  const query = {
    view: "conversations",
    where: [{ field: "contactId", equals: contactId }],
    order: { field: "openedAtMs", direction: "descending" }
  } as const
  return (await readAll(reads, query, mostRenamed)).map(({ key }) => key as Id.ConversationId)
}

/**
 * The reactor.
 *
 * **Gotchas** a contact who is called otherwise is so in the rows of their latest 10,000 conversations at once, in others
 * with the conversation's next event.
 */
export const make = (): Reactor => ({
  name: "inbox",
  react: async (events, reads) => {
    const ofRenamed = (await Promise.all((await renamed(reads, events)).map((id) => conversationsOf(reads, id)))).flat()
    const ids = [...new Set([...touched(events), ...ofRenamed])]
    const conversations = await load<Conversation.Conversation>(reads, "conversations", ids)
    const contactIds = [...new Set([...conversations.values()].map((one) => one.contactId))]
    const [contacts, records, items] = await Promise.all([
      load<Contact.Contact>(reads, "contacts", contactIds),
      load<SlaRecord.SlaRecord>(reads, "slaRecords", ids),
      load<Pool.PoolItem>(reads, "poolItems", ids)
    ])
    const before = await load<InboxRow>(reads, "inbox", [...conversations.keys()])
    let more = 0
    const views: Array<StorageDriver.ViewChange> = [...conversations.values()].map((conversation) => {
      const row = toRow(
        conversation,
        contacts.get(conversation.contactId),
        records.get(conversation.id),
        items.get(conversation.id)
      )
      more += Number(row.active) - Number(before.get(conversation.id)?.active ?? false)
      return { view: "inbox", key: conversation.id, put: { ...row }, subject: conversation.contactId }
    })
    if (more !== 0) views.push({ view: "counts", key: countKey, put: { active: (await countActive(reads)) + more } })
    return { commit: { views } }
  }
})
