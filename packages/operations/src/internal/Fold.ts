/** What the journal makes of a conversation or a contact, against the documents that are there. */
import { Contact, ConversationEvolution } from "@switchboard/conversation"
import { DeskEvent } from "@switchboard/desk"
import type { Storage } from "@switchboard/storage"

type Properties = Readonly<Record<string, unknown>>

/** Whether a document is what it should be: a property that is `undefined` is none. */
export const isSame = (found: unknown, expected: unknown): boolean => {
  if (found === expected) return true
  if (typeof found !== "object" || typeof expected !== "object" || found === null || expected === null) return false
  if (Array.isArray(found) || Array.isArray(expected)) {
    return (
      Array.isArray(found) &&
      Array.isArray(expected) &&
      found.length === expected.length &&
      found.every((one, index) => isSame(one, expected[index]))
    )
  }
  const [left, right] = [found as Properties, expected as Properties]
  return (
    Object.keys(left).every((name) => isSame(left[name], right[name])) &&
    Object.keys(right).every((name) => right[name] === undefined || left[name] !== undefined)
  )
}

const pageSize = 1000

/** A stream whole, decoded. */
export const readStream = async (
  reads: Pick<Storage.Reads, "stream">,
  stream: string
): Promise<ReadonlyArray<DeskEvent.Recorded>> => {
  const events: Array<DeskEvent.Recorded> = []
  while (true) {
    const page = await reads.stream(stream, events.length, pageSize)
    for (const stored of page) events.push(DeskEvent.decode(stored))
    if (page.length < pageSize) return events
  }
}

/**
 * What a conversation's events make, step by step: for every version, what changed there and the state after it.
 */
export function* conversationSteps(
  events: ReadonlyArray<DeskEvent.Recorded>
): Generator<{ readonly version: number; readonly state: ConversationEvolution.State }> {
  let state = ConversationEvolution.empty
  for (const recorded of events) {
    if (recorded.family === "conversation") state = ConversationEvolution.evolve(state, recorded.event)
    yield { version: recorded.version, state }
  }
}

/** The same of a contact. */
export function* contactSteps(
  events: ReadonlyArray<DeskEvent.Recorded>
): Generator<{ readonly version: number; readonly contact: Contact.Contact | undefined }> {
  let contact: Contact.Contact | undefined
  for (const recorded of events) {
    if (recorded.family === "contact") contact = Contact.evolve(contact, recorded.event)
    yield { version: recorded.version, contact }
  }
}
