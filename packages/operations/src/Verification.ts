/** Whether a desk's storage is whole: the journal gapless, the views what the journal makes of them, timers and cursors in place. */
import type { Conversation, Message } from "@switchboard/conversation"
import { DeskEvent, Jobs, Views } from "@switchboard/desk"
import * as InboxReactor from "@switchboard/desk/InboxReactor"
import { SlaRecord } from "@switchboard/sla"
import type { Storage, StorageDriver } from "@switchboard/storage"
import { digest } from "./internal/Digest.ts"
import { DocumentFold } from "./internal/DocumentFold.ts"
import { isBeingErased } from "./internal/Erasing.ts"
import { contactSteps, conversationSteps, isSame, readStream } from "./internal/Fold.ts"
import { expectedRows } from "./internal/InboxRow.ts"
import { Ledger } from "./internal/Ledger.ts"
import { MeasuresReplay } from "./internal/MeasuresReplay.ts"
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

/** What a verification goes through, one after the other; `again` is what the journal and the views left open, each by itself. */
export type Step = "journal" | "views" | "measures" | "again" | "inbox"

/**
 * How a verification is told of, and how much it holds in memory.
 *
 * **Shape** of at least `held` conversations and contacts it holds what the journal has made of them so far; one that goes
 * on after so many others did is looked at by itself. Default 2,000, some 50 MB.
 */
export interface Options {
  readonly onProgress?: (step: Step, ...progress: Parameters<Progress>) => void
  readonly held?: number
}

/** What one snapshot tells. */
interface Snapshot {
  readonly ledger: Ledger
  readonly fold: DocumentFold
  readonly replay: MeasuresReplay
  /** The buckets of the measures that have not settled. */
  readonly buckets: Map<string, StorageDriver.JsonObject>
  /** How far the measures' reactor had read at least. */
  readonly measuredTo: number
  readonly held: number
}

/**
 * Checks a workspace, also while its desk works: finds nothing where everything is whole.
 *
 * **Shape** from one snapshot: the journal's positions, the versions and times of its streams, and every event; the
 * conversations, messages, contacts and measures beside what the events make of them; the versions of other documents, the
 * timers that documents need, the claims and cursors. Then each row of the inbox beside what it is made of.
 *
 * **Fails with** {@link OperationError} (rejected) where there is no such workspace.
 *
 * **Gotchas** what follows from decisions with the configuration of their time can't be made anew from the journal alone:
 * of clocks and pools the versions and timers are checked, not every field. About 200 bytes are in memory for each
 * conversation and each contact, however much they hold: documents are compared by digests of 32 bits.
 */
export async function* verify(
  driver: StorageDriver.StorageDriver,
  workspace: string,
  { onProgress = () => {}, held = 2000 }: Options = {}
): AsyncGenerator<Finding> {
  await checkWorkspace(driver, workspace)
  const reads = (await openPrepared(driver)).workspace(workspace)
  const ledger = new Ledger()
  const snapshot: Snapshot = {
    ledger,
    fold: new DocumentFold(ledger, held),
    replay: await MeasuresReplay.make(driver, workspace, {
      held,
      settles: true,
      onState: (id, document, sign) =>
        ledger.add(DeskEvent.streams.conversation(id), "state", sign * digest("metricStates", id, document))
    }),
    buckets: new Map(),
    measuredTo: await reads.cursor("metrics"),
    held
  }
  const measuredTo = yield* verifySnapshot(driver, workspace, snapshot, onProgress)
  if (measuredTo !== undefined) {
    yield* verifyMeasures(reads, snapshot, measuredTo, (...of) => onProgress("measures", ...of))
  }

  const conversationIds = ledger.unbalanced("conversation", "documents")
  const contactIds = ledger.unbalanced("contact", "documents")
  const total = conversationIds.length + contactIds.length
  const wrong = new Set<string>()
  let done = 0
  const looks = [
    ...conversationIds.map((id) => [id, lookAtConversation] as const),
    ...contactIds.map((id) => [id, lookAtContact] as const)
  ]
  for (const some of inParts(looks, looksAtOnce)) {
    const found = await Promise.all(some.map(([id, look]) => look(reads, id)))
    for (const [index, [id]] of some.entries()) {
      if (found[index]!.length > 0) wrong.add(id)
      yield* found[index]!
    }
    done += some.length
    onProgress("again", done, total)
  }
  yield* verifyRows(reads, ledger, wrong, (...of) => onProgress("inbox", ...of))
}

const looksAtOnce = 20

const lookAtConversation = (reads: Storage.Reads, id: string): Promise<ReadonlyArray<Finding>> =>
  settled(
    () => verifyConversation(reads, id),
    async () => isBeingErased(reads, await contactOf(reads, id), id)
  )

const lookAtContact = (reads: Storage.Reads, id: string): Promise<ReadonlyArray<Finding>> =>
  settled(
    () => verifyContact(reads, id),
    () => isBeingErased(reads, id, undefined)
  )

/** What is still found when it is looked at once more: an erasure may have taken place meanwhile, or be under way. */
const settled = async (
  look: () => AsyncGenerator<Finding>,
  isErased: () => Promise<boolean>
): Promise<ReadonlyArray<Finding>> => {
  const lookNow = async (): Promise<ReadonlyArray<Finding>> => {
    const found: Array<Finding> = []
    for await (const finding of look()) found.push(finding)
    return found
  }
  return (await lookNow()).length === 0 || (await isErased()) ? [] : lookNow()
}

/** Whose a conversation is. */
const contactOf = async (reads: Storage.Reads, id: string): Promise<string | undefined> => {
  const [opened] = (await readable(reads, DeskEvent.streams.conversation(id))) ?? []
  return opened?.event.type === "ConversationOpened" ? opened.event.contactId : undefined
}

/** Events that are folded into the measures at once: most buckets change many times among so many. */
const measuredAtOnce = 2000

/** Returns how far the measures' reactor had read; `undefined` where that can't be read again. */
async function* verifySnapshot(
  driver: StorageDriver.StorageDriver,
  workspace: string,
  snapshot: Snapshot,
  onProgress: NonNullable<Options["onProgress"]>
): AsyncGenerator<Finding, number | undefined> {
  const { ledger, fold, replay, held } = snapshot
  const total = await driver.head(workspace)
  let position = 0
  let { measuredTo } = snapshot
  let isReadable = true
  let measured: Array<DeskEvent.Recorded> = []
  const measure = async (): Promise<void> => {
    const events = measured
    measured = []
    if (isReadable) await replay.take(events)
  }
  /** Timers that have to be there, and the document that needs each. */
  const needed = new Map<string, string>()
  let active = 0
  let counted: number | undefined
  for await (const batch of driver.dump(workspace, 0)) {
    const found: Array<Finding> = []
    const before = position
    let view: string | undefined
    for (const holding of batch) {
      switch (holding.kind) {
        case "event": {
          const recorded = verifyEvent(holding.event, position + 1, ledger, found)
          position = holding.event.position
          if (recorded) fold.take(recorded)
          if (position > snapshot.measuredTo) break
          if (recorded) measured.push(recorded)
          else isReadable = false
          if (measured.length >= Math.min(measuredAtOnce, held)) await measure()
          break
        }
        case "document": {
          // The events are over.
          fold.end()
          if (measured.length > 0) await measure()
          verifyDocument(holding, snapshot, found)
          view = holding.view
          const { key, document } = holding.document
          if (holding.view === "inbox" && document["active"] === true) active++
          if (holding.view === "counts" && key === InboxReactor.countKey) counted = Number(document["active"])
          for (const timer of timersOf(holding)) needed.set(timer, key)
          break
        }
        case "timer": {
          const { key, kind } = holding.timer
          needed.delete(key)
          if (!(Jobs.kinds as ReadonlyArray<string>).includes(kind)) {
            found.push({ part: "timer", key, expected: `one of ${Jobs.kinds.join(", ")}`, found: `the kind ${kind}` })
          }
          break
        }
        case "claim": {
          const { key, value } = holding.claim
          if (key.startsWith("address/") && ledger.version(DeskEvent.streams.contact(value)) === 0) {
            found.push({ part: "claim", key, expected: "the id of a contact", found: value })
          }
          break
        }
        case "cursor":
          if (holding.reader === "metrics") measuredTo = holding.position
          if (holding.position > position) {
            found.push({
              part: "cursor",
              key: holding.reader,
              expected: `at most ${position}`,
              found: String(holding.position)
            })
          }
      }
    }
    yield* found
    if (position > before) onProgress("journal", Math.min(position, total), total)
    if (view !== undefined) onProgress("views", placeOf(view), Views.definitions.length)
  }
  await measure()
  onProgress("views", Views.definitions.length, Views.definitions.length)
  for (const [timer, key] of needed) {
    yield { part: "timer", key: timer, expected: `a timer, ${reasonOf(timer, key)}`, found: "none" }
  }
  if ((counted ?? 0) !== active) {
    yield {
      part: "view",
      key: `counts/${InboxReactor.countKey}`,
      expected: `${active} active`,
      found: String(counted ?? "none"),
      rebuild: "inbox"
    }
  }
  return isReadable ? measuredTo : undefined
}

const placeOf = (view: string): number => Views.definitions.findIndex(({ name }) => name === view)

/** Tells of what is wrong with an event, and returns it where it can be read. */
const verifyEvent = (
  event: StorageDriver.StoredEvent,
  next: number,
  ledger: Ledger,
  found: Array<Finding>
): DeskEvent.Recorded | undefined => {
  const report = (expected: string, actual: string): void => {
    const key = `${event.position} (${event.stream} ${event.version})`
    found.push({ part: "journal", key, expected, found: actual })
  }
  if (event.position !== next) report(`position ${next}`, String(event.position))
  const before = ledger.note(event)
  if (event.version !== before.version + 1) report(`version ${before.version + 1}`, String(event.version))
  if (event.recordedAtMs < before.recordedAtMs) {
    report(`a time from ${before.recordedAtMs} on`, String(event.recordedAtMs))
  }
  try {
    return DeskEvent.decode(event)
  } catch (error) {
    report("an event that this release knows", error instanceof Error ? error.message : String(error))
    return undefined
  }
}

type DocumentHolding = Extract<StorageDriver.Holding, { readonly kind: "document" }>

/** Whose a document is: the stream without which it would not be there. */
const ownerOf = ({ view, document: { key, document } }: DocumentHolding): string | undefined => {
  switch (view) {
    case "conversations":
    case "inbox":
    case "metricStates":
      return DeskEvent.streams.conversation(key)
    case "messages":
      return DeskEvent.streams.conversation(String(document["conversationId"]))
    case "contacts":
      return DeskEvent.streams.contact(key)
    default:
      return undefined
  }
}

/** Documents that are written with a stream, and stand where it stands. */
const followed: Readonly<Record<string, (key: string) => string>> = {
  conversations: DeskEvent.streams.conversation,
  contacts: DeskEvent.streams.contact,
  slaRecords: DeskEvent.streams.sla
}

/** Tells of a document that no journal tells of or that stands elsewhere, and sets it against what the journal makes. */
const verifyDocument = (
  holding: DocumentHolding,
  { ledger, replay, buckets }: Snapshot,
  found: Array<Finding>
): void => {
  const { view, document: stored } = holding
  const { key, document, version = 0 } = stored
  if (view === "metricBuckets" && !replay.settled.has(key)) buckets.set(key, document)
  const report = (expected: string, actual: string, rebuild: string | undefined): void => {
    found.push({ part: "view", key: `${view}/${key}`, expected, found: actual, ...(rebuild && { rebuild }) })
  }
  const owner = ownerOf(holding)
  const last = owner === undefined ? 0 : ledger.version(owner)
  if (owner !== undefined && last === 0) {
    report("no document, as there are no events", "one", view === "metricStates" ? "measures" : view)
    return
  }
  const stream = followed[view]?.(key)
  const expected = stream === undefined ? version : ledger.version(stream)
  const isStanding = version === expected && (view !== "messages" || (version >= 1 && version <= last))
  if (version !== expected) {
    const actual = String(stored.version ?? "no version")
    report(`version ${expected} of ${stream}`, actual, owner === undefined ? undefined : view)
  }
  if (owner === undefined || view === "inbox" || !isStanding) return
  ledger.add(owner, view === "metricStates" ? "state" : "documents", -digest(view, key, document))
}

/** The timers that a document can't do without. */
const timersOf = ({ view, document: { key, document } }: DocumentHolding): ReadonlyArray<string> => {
  switch (view) {
    case "conversations":
      return (document as Conversation.Conversation).status === "snoozed" ? [`snooze/${key}`] : []
    case "messages":
      return (document as Message.Message).deliveries.flatMap(({ id, state }) =>
        state === "queued" ? [`deliver/${id}`] : []
      )
    case "slaRecords":
      return SlaRecord.nextDeadline(document as unknown as SlaRecord.SlaRecord) ? [`sla/${key}`] : []
    default:
      return []
  }
}

const reasonOf = (timer: string, key: string): string =>
  timer.startsWith("snooze/")
    ? `for the conversation ${key} is snoozed`
    : timer.startsWith("deliver/")
      ? `for a delivery of the message ${key} is queued`
      : `for a clock of the conversation ${key} runs`

/** Exactly as far as their reactor had read in the snapshot. */
async function* verifyMeasures(
  reads: Storage.Reads,
  { ledger, replay, buckets }: Snapshot,
  to: number,
  onProgress: Progress
): AsyncGenerator<Finding> {
  try {
    await replay.advance(to, (position) => onProgress(position, to))
  } catch (error) {
    if (error instanceof DeskEvent.UnknownEventError) return
    throw error
  }
  replay.end()
  for (const id of ledger.unbalanced("conversation", "state")) {
    const isThere = (await reads.document("metricStates", id)) !== undefined
    yield { ...(isThere ? different : missing)("metricStates", id), rebuild: "measures" }
  }
  for (const [key, expected] of replay.buckets) {
    const found = buckets.get(key)
    if (found && isSame(found, expected)) continue
    const isThere = found !== undefined || replay.settled.has(key)
    yield { ...(isThere ? different : missing)("metricBuckets", key), rebuild: "measures" }
  }
  for (const key of buckets.keys()) {
    if (replay.buckets.has(key) || replay.settled.has(key)) continue
    yield { ...different("metricBuckets", key), expected: "no document", found: "one", rebuild: "measures" }
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
  const isSeen = events.some(({ version }) => version === document.version)
  if (!isSeen) yield different("conversations", id)
  for (const { version, state } of conversationSteps(events)) {
    for (const message of unseen) {
      // One that was written after the conversation was read stands later.
      const stands = message.version === undefined ? 0 : Math.max(message.version, isSeen ? document.version! : 1)
      if (stands !== version) continue
      unseen.delete(message)
      const expected = state.messages.get(message.key as Message.Message["id"])
      if (!expected || !isSame(message.document, expected)) yield different("messages", message.key)
    }
    if (version !== document.version) continue
    if (!state.conversation || !isSame(document.document, state.conversation)) yield different("conversations", id)
    for (const key of state.messages.keys()) if (!known.has(key)) yield missing("messages", key)
  }
  for (const { key } of unseen) yield different("messages", key)
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

const rowsAtOnce = 200

async function* verifyRows(
  reads: Storage.Reads,
  ledger: Ledger,
  wrong: ReadonlySet<string>,
  onProgress: Progress
): AsyncGenerator<Finding> {
  const total = ledger.count("conversation")
  let done = 0
  for (const some of inParts(ledger.ids("conversation"), rowsAtOnce)) {
    const [found, expected] = await Promise.all([reads.documents("inbox", some), expectedRows(reads, some)])
    for (const [index, id] of some.entries()) {
      const row = expected[index]?.row
      // A row is made of the conversation and the contact: they come first.
      if (!row || wrong.has(id) || wrong.has(row.contactId)) continue
      if (!isSame(found[index]?.document, row)) yield* verifyRow(reads, id)
    }
    done += some.length
    onProgress(done, total)
  }
}

/** A row follows what it is made of with the next event, so it is only compared once the reactor has read everything. */
async function* verifyRow(reads: Storage.Reads, id: string): AsyncGenerator<Finding> {
  const before = await reads.cursor("inbox")
  const found = await reads.document("inbox", id)
  const [expected] = await expectedRows(reads, [id])
  if (!expected || (found && isSame(found.document, expected.row))) return
  const [head, cursor] = await Promise.all([reads.head(), reads.cursor("inbox")])
  // Not level, or moved meanwhile: nothing can be said of it.
  if (cursor !== head || cursor !== before) return
  yield found ? different("inbox", id) : missing("inbox", id)
}

function* inParts<A>(all: Iterable<A>, size: number): Generator<ReadonlyArray<A>> {
  let part: Array<A> = []
  for (const one of all) {
    part.push(one)
    if (part.length < size) continue
    yield part
    part = []
  }
  if (part.length > 0) yield part
}
