/** What an answer of the search comes to on screen. */
import type { FoundContact, FoundMessage, SearchAnswer } from "@switchboard/desk/DeskService"
import type { InboxRow } from "@switchboard/desk/Views"

/** Of each kind, what is asked for. */
export const most = 20

export interface PersonFound extends FoundContact {
  /** The contact's latest conversation that is still active, among those that are known. */
  readonly conversationId: string | null
}

export interface Findings {
  readonly people: ReadonlyArray<PersonFound>
  readonly messages: ReadonlyArray<FoundMessage>
}

/** Whether there is anything to ask for. */
export const isAsked = (text: string): boolean => text.trim() !== ""

/** Each contact once, with where it leads; `rows` are those of the list that are loaded. */
export const toFindings = ({ contacts, messages }: SearchAnswer, rows: ReadonlyArray<InboxRow>): Findings => {
  const latest = new Map<string, InboxRow>()
  for (const row of [...rows, ...messages.flatMap((message) => message.row ?? [])])
    if (row.active && row.updatedAtMs >= (latest.get(row.contactId)?.updatedAtMs ?? 0)) latest.set(row.contactId, row)
  // Two contacts that were merged may both match: they are one now.
  const people = new Map<string, PersonFound>()
  for (const contact of contacts)
    if (!people.has(contact.contactId))
      people.set(contact.contactId, {
        ...contact,
        conversationId: latest.get(contact.contactId)?.conversationId ?? null
      })
  return { people: [...people.values()], messages }
}

const count = (number: number, one: string, many: string): string => `${number} ${number === 1 ? one : many}`

/** How much was found, in words. */
export const toSummary = ({ people, messages }: Findings): string => {
  const parts = [
    ...(people.length > 0 ? [count(people.length, "contact", "contacts")] : []),
    ...(messages.length > 0 ? [count(messages.length, "message", "messages")] : [])
  ]
  if (parts.length === 0) return "Nothing found"
  // There may be more than was asked for.
  return messages.length < most ? parts.join(", ") : `The best: ${parts.join(", ")}. Another word narrows it down.`
}

/** What is not searched yet, in words. */
export const toBehind = (behind: number): string =>
  behind === 1 ? "1 message or contact is not searched yet." : `${behind} messages or contacts are not searched yet.`
