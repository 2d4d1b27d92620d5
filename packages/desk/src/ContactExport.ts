/**
 * Everything a desk keeps of one contact, as a ZIP: `contact.json`, and their files under `attachments/`.
 *
 * It is written while it is read: a file at a time, and of `contact.json` a conversation at a time, whatever there is.
 *
 * @module
 */
import {
  type Actor,
  type Attachment,
  Contact,
  type Conversation,
  ConversationEvolution,
  type Id,
  type Message
} from "@switchboard/conversation"
import type { StorageDriver } from "@switchboard/storage"
import { makeZip } from "client-zip"
import { Effect } from "effect"
import { decode, streams } from "./DeskEvent.ts"
import type { DeskService } from "./DeskService.ts"
import { stampOf } from "./Draft.ts"
import { type Environment, fromPromise, required } from "./Environment.ts"
import * as Erasure from "./Erasure.ts"
import type { Payloads } from "./Jobs.ts"
import { requireRole } from "./Rights.ts"
import type { DeadLetter, ThreadEntry } from "./Views.ts"

/**
 * One event of a contact or of their conversations.
 *
 * **Shape** `personal` holds the fields of it that name, quote or locate somebody, by their path (`message/parts`):
 * absent where it has none, `null` where they were erased.
 */
export interface ExportedEvent {
  readonly position: number
  readonly type: string
  readonly recordedAtMs: number
  readonly actor: Actor.Actor
  readonly onBehalfOf?: Actor.Actor
  readonly personal?: StorageDriver.JsonObject | null
}

/**
 * A file of a message, those of deleted messages included.
 *
 * **Shape** `path` is where it is in the ZIP. It is `null` when it isn't there, and `missing` says why: it was not fetched
 * yet (`pending`), could not be had (`failed`), or its bytes are not where they should be (`gone`).
 */
export interface ExportedAttachment {
  readonly messageId: Id.MessageId
  readonly attachment: Attachment.Attachment
  readonly path: string | null
  readonly missing: "pending" | "failed" | "gone" | null
}

/** A contact as they stand, and what happened to them. */
export interface ExportedContact {
  readonly contact: Contact.Contact
  readonly events: ReadonlyArray<ExportedEvent>
}

/** A conversation with its messages as they stand (notes and deliveries included), and all that happened in it. */
export interface ExportedConversation {
  readonly conversation: Conversation.Conversation
  readonly messages: ReadonlyArray<Message.Message>
  readonly attachments: ReadonlyArray<ExportedAttachment>
  readonly events: ReadonlyArray<ExportedEvent>
}

/** Something of theirs that speaks of a message that has not come yet. */
export interface WaitingEntry {
  readonly channelKind: string
  readonly dueAtMs: number
  readonly entry: unknown
}

/**
 * What `contact.json` holds.
 *
 * **Shape** `contacts` begins with the one that everybody else counts as since a merge. `threads` say where each exchange
 * of theirs goes on, by its key at the channel. `deadLetters` and `waitingEntries` are those that came from an address they
 * have or had. `position` is how far the workspace's journal had come when the export began; what came while it was written
 * may be in it.
 *
 * **Units** times are epoch milliseconds (UTC) everywhere, in fields that end in `Ms`; sizes are bytes.
 */
export interface ContactExport {
  readonly format: 1
  readonly workspace: string
  readonly exportedAtMs: number
  readonly position: number
  readonly contacts: ReadonlyArray<ExportedContact>
  readonly conversations: ReadonlyArray<ExportedConversation>
  readonly threads: ReadonlyArray<ThreadEntry & { readonly key: string }>
  readonly deadLetters: ReadonlyArray<DeadLetter>
  readonly waitingEntries: ReadonlyArray<WaitingEntry>
}

/** Documents read at once; each may be large. */
const rowsAtOnce = 50

const nameLength = 120

/** Names that Windows gives to devices. */
const deviceNames = /^(?:con|prn|aux|nul|com\d|lpt\d)(?=\.|$)/i

/** A name that any file system takes and that leads nowhere else. */
export const toFileName = (name: string): string => {
  const plain = name
    .toWellFormed()
    .normalize("NFC")
    // biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is taken out
    .replaceAll(/[\u0000-\u001f\u007f-\u009f\u200e\u200f\u202a-\u202e\u2066-\u2069/\\:*?"<>|]/g, "_")
    .replace(/^[. ]+/, "")
    .replace(/[. ]+$/, "")
    .replace(deviceNames, "_$&")
  const dot = plain.lastIndexOf(".")
  const ending = dot > 0 && plain.length - dot <= 16 ? plain.slice(dot) : ""
  const stem = plain.slice(0, plain.length - ending.length)
  return plain === "" ? "file" : `${[...stem].slice(0, nameLength - ending.length).join("")}${ending}`
}

/** The path of a file that no other has, whatever the case of its letters. */
const toPath = (messageId: string, name: string, taken: Set<string>): string => {
  const folder = `attachments/${toFileName(messageId)}`
  const file = toFileName(name)
  const dot = file.lastIndexOf(".")
  const [stem, ending] = dot > 0 ? [file.slice(0, dot), file.slice(dot)] : [file, ""]
  for (let count = 1; ; count++) {
    const path = `${folder}/${stem}${count === 1 ? "" : ` (${count})`}${ending}`
    const key = path.toLowerCase()
    if (taken.has(key)) continue
    taken.add(key)
    return path
  }
}

const toEvent = (row: StorageDriver.StoredEvent): ExportedEvent => {
  const { meta } = decode(row).event as { readonly meta: { actor: Actor.Actor; onBehalfOf?: Actor.Actor } }
  return {
    position: row.position,
    type: row.type,
    recordedAtMs: row.recordedAtMs,
    actor: meta.actor,
    ...(meta.onBehalfOf && { onBehalfOf: meta.onBehalfOf }),
    ...(row.personal && { personal: row.personal.fields })
  }
}

/** Every file that a conversation's messages ever had, as it stands. */
const attachmentsOf = (
  rows: ReadonlyArray<StorageDriver.StoredEvent>
): ReadonlyArray<Pick<ExportedAttachment, "messageId" | "attachment">> => {
  const messages = new Map<Id.MessageId, Message.Message>()
  for (const row of rows) {
    const recorded = decode(row)
    if (recorded.family !== "conversation" || recorded.event.type === "MessageDeleted") continue
    const messageId = ConversationEvolution.toMessageId(recorded.event)
    const message = messageId && ConversationEvolution.evolveMessage(messages.get(messageId), recorded.event)
    if (message) messages.set(message.id, message)
  }
  return [...messages.values()].flatMap(({ id, attachments }) =>
    attachments.map((attachment) => ({ messageId: id, attachment }))
  )
}

/** Where each file went, or why it is missing, by message and attachment. */
type Places = Map<string, Pick<ExportedAttachment, "path" | "missing">>

const placeKey = (messageId: string, attachmentId: string): string => `${messageId}\0${attachmentId}`

interface File {
  readonly name: string
  readonly lastModifiedMs: number
  readonly chunks: AsyncIterable<Uint8Array | string>
}

/** The library ends neither the file it reads nor the list of files when its reader goes away. */
async function* toZip(files: AsyncGenerator<File>): AsyncGenerator<Uint8Array> {
  let reading: AsyncIterator<Uint8Array | string> | undefined
  async function* inputs() {
    for await (const { name, lastModifiedMs, chunks } of files) {
      const iterator = chunks[Symbol.asyncIterator]()
      reading = iterator
      yield { name, lastModified: new Date(lastModifiedMs), input: { [Symbol.asyncIterator]: () => iterator } }
    }
  }
  const reader = makeZip(inputs()).getReader()
  try {
    while (true) {
      const { done, value } = await reader.read()
      if (done) return
      yield value
    }
  } finally {
    await reading?.return?.()
    await files.return(undefined)
  }
}

async function* toList(items: AsyncIterable<unknown>): AsyncGenerator<string> {
  let before = "["
  for await (const item of items) {
    yield `${before}\n${JSON.stringify(item)}`
    before = ","
  }
  yield before === "[" ? "[]" : "]"
}

/** What an administrator asks of a desk. */
export const make = (environment: Environment["Service"]): Pick<DeskService, "exportContact"> => {
  const { settings, storage, workspace, turn, now } = environment
  const { blobs } = settings.config

  const rowsOf = (conversationId: string) => workspace.stream(streams.conversation(conversationId))

  async function* attachmentFiles(
    conversationIds: ReadonlySet<string>,
    places: Places,
    exportedAtMs: number
  ): AsyncGenerator<File> {
    const taken = new Set<string>()
    for (const conversationId of conversationIds) {
      const rows = await rowsOf(conversationId)
      for (const { messageId, attachment } of attachmentsOf(rows)) {
        const { id, name, state, blobKey } = attachment
        const bytes = blobKey === undefined ? undefined : await blobs.get(workspace.id, blobKey)
        const missing = bytes ? null : state === "stored" ? "gone" : state
        const path = bytes ? toPath(messageId, name ?? "file", taken) : null
        places.set(placeKey(messageId, id), { path, missing })
        if (bytes && path !== null) {
          yield { name: path, lastModifiedMs: exportedAtMs, chunks: bytes }
        }
      }
    }
  }

  async function* contacts(person: ReadonlyArray<Id.ContactId>): AsyncGenerator<ExportedContact> {
    for (const id of person) {
      const rows = await workspace.stream(streams.contact(id))
      const contact = rows
        .map(decode)
        .flatMap((recorded) => (recorded.family === "contact" ? [recorded.event] : []))
        .reduce<Contact.Contact | undefined>(Contact.evolve, undefined)
      if (contact) yield { contact, events: rows.map(toEvent) }
    }
  }

  async function* conversations(
    conversationIds: ReadonlySet<string>,
    places: Places
  ): AsyncGenerator<ExportedConversation> {
    for (const conversationId of conversationIds) {
      const rows = await rowsOf(conversationId)
      const { conversation, messages } = ConversationEvolution.fold(
        rows.map(decode).flatMap((recorded) => (recorded.family === "conversation" ? [recorded.event] : []))
      )
      if (!conversation) continue
      yield {
        conversation,
        messages: [...messages.values()],
        attachments: attachmentsOf(rows).flatMap(({ messageId, attachment }) => {
          const place = places.get(placeKey(messageId, attachment.id))
          // It came since: as a file it is not in this export.
          return place ? [{ messageId, attachment, ...place }] : []
        }),
        events: rows.map(toEvent)
      }
    }
  }

  /** A whole view, a page at a time: what was removed from a conversation no longer says where else to look. */
  async function* pagesOf(view: string): AsyncGenerator<StorageDriver.StoredDocument> {
    let after: StorageDriver.Query["after"]
    do {
      const page = await workspace.query({ view, limit: rowsAtOnce, ...(after && { after }) })
      yield* page.documents
      after = page.next
    } while (after)
  }

  async function* threads(person: ReadonlyArray<Id.ContactId>): AsyncGenerator<ThreadEntry & { readonly key: string }> {
    for await (const { key, document } of pagesOf("threads")) {
      const entry = document as unknown as ThreadEntry
      if (person.includes(entry.contactId)) yield { key, ...entry }
    }
  }

  async function* deadLetters(subjects: ReadonlySet<string>): AsyncGenerator<DeadLetter> {
    for await (const { document } of pagesOf("deadLetters")) {
      const letter = document as unknown as DeadLetter
      const subject = Erasure.senderOf(letter.entry)
      if (subject !== undefined && subjects.has(subject)) yield letter
    }
  }

  /** All that wait, for a day at most, are read at once: timers have no pages. */
  async function* waitingEntries(subjects: ReadonlySet<string>): AsyncGenerator<WaitingEntry> {
    let limit = 1000
    let all = await storage.due(Number.MAX_SAFE_INTEGER, ["entry"], limit)
    while (all.length === limit) {
      limit *= 4
      all = await storage.due(Number.MAX_SAFE_INTEGER, ["entry"], limit)
    }
    for (const { workspace: owner, payload, dueAtMs } of all) {
      const { channelKind, entry } = payload as unknown as Payloads["entry"]
      const subject = Erasure.senderOf(entry)
      if (owner === workspace.id && subject !== undefined && subjects.has(subject))
        yield { channelKind, dueAtMs, entry }
    }
  }

  async function* files(
    person: ReadonlyArray<Id.ContactId>,
    begun: Pick<ContactExport, "workspace" | "exportedAtMs" | "position">
  ): AsyncGenerator<File> {
    const conversationIds = new Set<string>()
    const addressSubjects = new Set<string>()
    for (const id of person) {
      const held = await Erasure.holdingsOf(workspace, id)
      for (const one of held.conversationIds) conversationIds.add(one)
      for (const one of held.addressSubjects) addressSubjects.add(one)
    }
    const places: Places = new Map()
    yield* attachmentFiles(conversationIds, places, begun.exportedAtMs)
    // Last: only now it is known which files are there.
    const json = async function* (): AsyncGenerator<string> {
      yield JSON.stringify({ format: 1, ...begun }).slice(0, -1)
      for (const [name, items] of [
        ["contacts", contacts(person)],
        ["conversations", conversations(conversationIds, places)],
        ["threads", threads(person)],
        ["deadLetters", deadLetters(addressSubjects)],
        ["waitingEntries", waitingEntries(addressSubjects)]
      ] as const) {
        yield `,\n${JSON.stringify(name)}:`
        yield* toList(items)
      }
      yield "\n}\n"
    }
    yield { name: "contact.json", lastModifiedMs: begun.exportedAtMs, chunks: json() }
  }

  const exportContact: DeskService["exportContact"] = Effect.fn("Desk.exportContact")(function* (actor, contactId) {
    yield* requireRole(actor, "exporting a contact", ["administrator"])
    const { id } = yield* required<Contact.Contact>(workspace, "contacts", "contact", contactId)
    const person = yield* turn(`contact/${id}`, async (draft) => {
      const all = await Erasure.personOf(draft.reads, id)
      for (const one of all) await draft.runOnContact(one, { type: "RecordExport" }, stampOf(actor, draft.nowMs))
      return all
    })
    const position = yield* fromPromise(() => workspace.head())
    return {
      name: toFileName(`contact-${id}.zip`),
      bytes: toZip(files(person, { workspace: workspace.id, exportedAtMs: now(), position }))
    }
  })

  return { exportContact }
}
