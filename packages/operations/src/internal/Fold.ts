/** What the journal makes of a conversation or a contact, against the documents that are there. */
import { isDeepStrictEqual } from "node:util"
import { Contact, ConversationEvolution } from "@switchboard/conversation"
import { DeskEvent } from "@switchboard/desk"
import type { Storage, StorageDriver } from "@switchboard/storage"

/** A document as it is kept: without properties that are `undefined`. */
export const kept = (value: object): StorageDriver.JsonObject =>
  JSON.parse(JSON.stringify(value)) as StorageDriver.JsonObject

/** Whether a document is what it should be. */
export const isSame = (found: StorageDriver.JsonObject, expected: object): boolean =>
  isDeepStrictEqual(kept(found), kept(expected))

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
