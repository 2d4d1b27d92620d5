/** Whether a desk's storage is whole: the journal gapless, the views what the journal makes of them, timers and cursors in place. */
import type { Conversation, Message } from "@switchboard/conversation"
import { DeskEvent, Jobs, Views } from "@switchboard/desk"
import * as InboxReactor from "@switchboard/desk/InboxReactor"
import { SlaRecord } from "@switchboard/sla"
import type { Storage, StorageDriver } from "@switchboard/storage"
import { isBeingErased } from "./internal/Erasing.ts"
import { contactSteps, conversationSteps, isSame, readStream } from "./internal/Fold.ts"
import { expectedRow } from "./internal/InboxRow.ts"
import { MeasuresReplay, measureViews } from "./internal/MeasuresReplay.ts"
import { checkWorkspace, openPrepared } from "./internal/Prepared.ts"
import type { Progress } from "./Progress.ts"

/**
 * One thing that is not as it should be.
 *
 * **Shape** `key` names the event's position, the document, the timer and so on; `rebuild` the view that can be made anew
 * from the journal, where one can.
 */
export interface Finding {
  readonly part: "journal" | "view" | "timer" | "claim" | "cursor"
  readonly key: string
  readonly expected: string
  readonly found: string
  readonly rebuild?: string
}

/** What a verification goes through, one after the other. */
export type Step = "snapshot" | "conversations" | "contacts" | "inbox" | "measures"

/** How a verification is told of. */
export interface Options {
  readonly onProgress?: (step: Step, ...progress: Parameters<Progress>) => void
}

/** What one snapshot tells that is compared with the rest. */
interface Snapshot {
  readonly streams: Map<string, { version: number; recordedAtMs: number }>
  readonly measures: Map<string, StorageDriver.JsonObject>
  readonly cursors: Map<string, number>
}

/**
 * Checks a workspace, also while its desk works: finds nothing where everything is whole.
 *
 * **Shape** the journal's positions, the versions and times of its streams, and every event, from one snapshot, with the
 * versions of documents, the timers that they need, the claims and cursors; then each conversation, message and contact
 * against its stream, each row of the inbox against what it is made of, and the measures against the whole journal.
 *
 * **Fails with** {@link OperationError} (rejected) where there is no such workspace.
 *
 * **Gotchas** what follows from decisions with the configuration of their time can't be made anew from the journal alone:
 * of clocks and pools the versions and timers are checked, not every field. The states of all conversations are in memory
 * while the measures are folded, about 1 kB each.
 */
export async function* verify(
  driver: StorageDriver.StorageDriver,
  workspace: string,
  { onProgress = () => {} }: Options = {}
): AsyncGenerator<Finding> {
  await checkWorkspace(driver, workspace)
  const reads = (await openPrepared(driver)).workspace(workspace)
  const snapshot: Snapshot = { streams: new Map(), measures: new Map(), cursors: new Map() }

  yield* verifySnapshot(driver, workspace, snapshot, (done, total) => onProgress("snapshot", done, total))

  const idsOf = (family: string) =>
    [...snapshot.streams.keys()].flatMap((stream) =>
      stream.startsWith(`${family}/`) ? [stream.slice(family.length + 1)] : []
    )
  const conversationIds = idsOf("conversation")
  const contactIds = idsOf("contact")
  const wrong = new Set<string>()
  for (const [place, id] of conversationIds.entries()) {
    for (const finding of await settled(reads, id, () => verifyConversation(reads, id))) {
      wrong.add(id)
      yield finding
    }
    onProgress("conversations", place + 1, conversationIds.length)
  }
  for (const [place, id] of contactIds.entries()) {
    yield* verifyContact(reads, id)
    onProgress("contacts", place + 1, contactIds.length)
  }
  for (const [place, id] of conversationIds.entries()) {
    // A row is made of the conversation: that comes first.
    if (!wrong.has(id)) yield* verifyRow(reads, id)
    onProgress("inbox", place + 1, conversationIds.length)
  }
  yield* verifyMeasures(driver, workspace, snapshot, (done, total) => onProgress("measures", done, total))
}

/** What is still found when it is looked at again: an erasure may have taken place under the first look, or be under way. */
const settled = async (
  reads: Storage.Reads,
  id: string,
  look: () => AsyncGenerator<Finding>
): Promise<ReadonlyArray<Finding>> => {
  const lookNow = async (): Promise<ReadonlyArray<Finding>> => {
    const found: Array<Finding> = []
    for await (const finding of look()) found.push(finding)
    return found
  }
  if ((await lookNow()).length === 0) return []
  const [opened] = (await readable(reads, DeskEvent.streams.conversation(id))) ?? []
  const contactId = opened?.event.type === "ConversationOpened" ? opened.event.contactId : undefined
  if (await isBeingErased(reads, contactId, id)) return []
  return lookNow()
}

async function* verifySnapshot(
  driver: StorageDriver.StorageDriver,
  workspace: string,
  { streams, measures, cursors }: Snapshot,
  onProgress: Progress
): AsyncGenerator<Finding> {
  const total = await driver.head(workspace)
  let position = 0
  /** Timers that documents say must be there, and what for. */
  const needed = new Map<string, string>()
  let active = 0
  let counted: number | undefined
  const contacts = new Set<string>()
  for await (const batch of driver.dump(workspace, 0)) {
    for (const holding of batch) {
      switch (holding.kind) {
        case "event":
          yield* verifyEvent(holding.event, position + 1, streams)
          position = holding.event.position
          break
        case "document": {
          yield* verifyVersion(holding, streams)
          yield* verifyOwner(holding, streams)
          const { key, document } = holding.document
          if (holding.view === "contacts") contacts.add(key)
          if (holding.view === "inbox" && document["active"] === true) active++
          if (holding.view === "counts" && key === InboxReactor.countKey) counted = Number(document["active"])
          if (measureViews.some((view) => view === holding.view)) measures.set(`${holding.view}/${key}`, document)
          for (const [timer, reason] of timersOf(holding)) needed.set(timer, reason)
          break
        }
        case "timer": {
          const { key, kind } = holding.timer
          needed.delete(key)
          if (!(Jobs.kinds as ReadonlyArray<string>).includes(kind)) {
            yield { part: "timer", key, expected: `one of ${Jobs.kinds.join(", ")}`, found: `the kind ${kind}` }
          }
          break
        }
        case "claim": {
          const { key, value } = holding.claim
          if (key.startsWith("address/") && !contacts.has(value)) {
            yield { part: "claim", key, expected: "the id of a contact", found: value }
          }
          break
        }
        case "cursor":
          cursors.set(holding.reader, holding.position)
          if (holding.position > position) {
            yield {
              part: "cursor",
              key: holding.reader,
              expected: `at most ${position}`,
              found: String(holding.position)
            }
          }
      }
    }
    onProgress(Math.min(position, total), total)
  }
  for (const [key, reason] of needed) yield { part: "timer", key, expected: `a timer, ${reason}`, found: "none" }
  if ((counted ?? 0) !== active) {
    yield {
      part: "view",
      key: `counts/${InboxReactor.countKey}`,
      expected: `${active} active`,
      found: String(counted ?? "none"),
      rebuild: "inbox"
    }
  }
}

function* verifyEvent(
  event: StorageDriver.StoredEvent,
  next: number,
  streams: Snapshot["streams"]
): Generator<Finding> {
  const key = `${event.position} (${event.stream} ${event.version})`
  if (event.position !== next)
    yield { part: "journal", key, expected: `position ${next}`, found: String(event.position) }
  const before = streams.get(event.stream)
  const version = (before?.version ?? 0) + 1
  if (event.version !== version)
    yield { part: "journal", key, expected: `version ${version}`, found: String(event.version) }
  if (before && event.recordedAtMs < before.recordedAtMs) {
    yield { part: "journal", key, expected: `a time from ${before.recordedAtMs} on`, found: String(event.recordedAtMs) }
  }
  streams.set(event.stream, { version: event.version, recordedAtMs: event.recordedAtMs })
  try {
    DeskEvent.decode(event)
  } catch (error) {
    yield {
      part: "journal",
      key,
      expected: "an event that this release knows",
      found: error instanceof Error ? error.message : String(error)
    }
  }
}

/** What belongs to a conversation or a contact that no journal tells of is too much. */
function* verifyOwner(
  { view, document: { key, document, version } }: Extract<StorageDriver.Holding, { kind: "document" }>,
  streams: Snapshot["streams"]
): Generator<Finding> {
  const owner =
    view === "inbox"
      ? DeskEvent.streams.conversation(key)
      : view === "messages"
        ? DeskEvent.streams.conversation(String(document["conversationId"]))
        : // With a version they are told of as standing elsewhere than their stream.
          (view === "conversations" || view === "contacts") && (version ?? 0) === 0
          ? streamOf[view]?.(key)
          : undefined
  if (owner === undefined || streams.has(owner)) return
  yield {
    part: "view",
    key: `${view}/${key}`,
    expected: "no document, as there are no events",
    found: "one",
    rebuild: view
  }
}

const streamOf: Readonly<Record<string, (key: string) => string>> = {
  conversations: DeskEvent.streams.conversation,
  contacts: DeskEvent.streams.contact,
  slaRecords: DeskEvent.streams.sla
}

/** Documents that are written with their stream stand where it stands. */
function* verifyVersion(
  { view, document }: Extract<StorageDriver.Holding, { kind: "document" }>,
  streams: Snapshot["streams"]
): Generator<Finding> {
  const stream = streamOf[view]?.(document.key)
  if (stream === undefined) return
  const expected = streams.get(stream)?.version ?? 0
  if ((document.version ?? 0) === expected) return
  yield {
    part: "view",
    key: `${view}/${document.key}`,
    expected: `version ${expected} of ${stream}`,
    found: String(document.version ?? "no version"),
    ...(view !== "slaRecords" && { rebuild: view })
  }
}

/** The timers that a document can't do without. */
const timersOf = ({
  view,
  document: { key, document }
}: Extract<StorageDriver.Holding, { kind: "document" }>): ReadonlyArray<readonly [key: string, reason: string]> => {
  switch (view) {
    case "conversations":
      return (document as Conversation.Conversation).status === "snoozed"
        ? [[`snooze/${key}`, `for the conversation ${key} is snoozed`]]
        : []
    case "messages":
      return (document as Message.Message).deliveries.flatMap(({ id, state }) =>
        state === "queued" ? [[`deliver/${id}`, `for a delivery of the message ${key} is queued`] as const] : []
      )
    case "slaRecords":
      return SlaRecord.nextDeadline(document as unknown as SlaRecord.SlaRecord)
        ? [[`sla/${key}`, `for a clock of the conversation ${key} runs`]]
        : []
    default:
      return []
  }
}

const missing = (view: string, key: string): Finding => ({
  part: "view",
  key: `${view}/${key}`,
  expected: "what the journal makes of it",
  found: "no document",
  rebuild: view
})

const different = (view: string, key: string): Finding => ({ ...missing(view, key), found: "something else" })

/** Documents first, then the stream: what is committed between is after the versions that they stand at. */
async function* verifyConversation(reads: Storage.Reads, id: string): AsyncGenerator<Finding> {
  const document = await reads.document("conversations", id)
  const messages = await Views.readAll(reads, {
    view: "messages",
    where: [{ field: "conversationId", equals: id }],
    order: { field: "sequence", direction: "ascending" }
  })
  const events = await readable(reads, DeskEvent.streams.conversation(id))
  if (!events) return
  if (!document) {
    yield missing("conversations", id)
    return
  }
  const known = new Set(messages.map(({ key }) => key))
  const unseen = new Set(messages)
  let isSeen = false
  for (const { version, state } of conversationSteps(events)) {
    for (const message of unseen) {
      if (message.version !== version) continue
      unseen.delete(message)
      const expected = state.messages.get(message.key as Message.Message["id"])
      if (!expected || !isSame(message.document, expected)) yield different("messages", message.key)
    }
    if (version !== document.version) continue
    isSeen = true
    if (!state.conversation || !isSame(document.document, state.conversation)) yield different("conversations", id)
    for (const key of state.messages.keys()) if (!known.has(key)) yield missing("messages", key)
  }
  for (const { key } of unseen) yield different("messages", key)
  if (!isSeen) yield different("conversations", id)
}

async function* verifyContact(reads: Storage.Reads, id: string): AsyncGenerator<Finding> {
  const document = await reads.document("contacts", id)
  const events = await readable(reads, DeskEvent.streams.contact(id))
  if (!events) return
  if (!document) {
    yield missing("contacts", id)
    return
  }
  for (const { version, contact } of contactSteps(events)) {
    if (version !== document.version) continue
    if (!contact || !isSame(document.document, contact)) yield different("contacts", id)
    return
  }
  yield different("contacts", id)
}

/** Events that can't be read were told of with the snapshot. */
const readable = async (
  reads: Storage.Reads,
  stream: string
): Promise<ReadonlyArray<DeskEvent.Recorded> | undefined> => {
  try {
    return await readStream(reads, stream)
  } catch (error) {
    if (error instanceof DeskEvent.UnknownEventError) return undefined
    throw error
  }
}

/**
 * A row follows what it is made of with the next event, so it is only compared once the reactor has read everything.
 * A name that changed shows with the conversation's next event: it is passed over.
 */
async function* verifyRow(reads: Storage.Reads, id: string): AsyncGenerator<Finding> {
  const before = await reads.cursor("inbox")
  const found = await reads.document("inbox", id)
  const expected = await expectedRow(reads, id)
  if (!expected) return
  if (found && isSame({ ...found.document, contactName: "" }, { ...expected.row, contactName: "" })) return
  const [head, cursor] = await Promise.all([reads.head(), reads.cursor("inbox")])
  // Not level, or moved meanwhile: nothing can be said of it.
  if (cursor !== head || cursor !== before) return
  yield found ? different("inbox", id) : missing("inbox", id)
}

async function* verifyMeasures(
  driver: StorageDriver.StorageDriver,
  workspace: string,
  { measures, cursors }: Snapshot,
  onProgress: Progress
): AsyncGenerator<Finding> {
  const to = cursors.get("metrics") ?? 0
  const replay = await MeasuresReplay.make(driver, workspace)
  try {
    await replay.advance(to, (position) => onProgress(position, to))
  } catch (error) {
    if (error instanceof DeskEvent.UnknownEventError) return
    throw error
  }
  const expected = new Map<string, StorageDriver.JsonObject>()
  for (const view of measureViews) {
    for (const [key, document] of await replay.documents(view)) expected.set(`${view}/${key}`, document)
  }
  for (const [key, document] of expected) {
    const found = measures.get(key)
    if (found && isSame(found, document)) continue
    yield {
      part: "view",
      key,
      expected: "what the journal makes of it",
      found: found ? "something else" : "no document",
      rebuild: "measures"
    }
  }
  for (const key of measures.keys()) {
    if (!expected.has(key)) yield { part: "view", key, expected: "no document", found: "one", rebuild: "measures" }
  }
}
