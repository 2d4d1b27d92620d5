/** Makes a view anew from the journal while the desk goes on: what differs is replaced, what doesn't is left alone. */
import { ConversationEvolution, type Message } from "@switchboard/conversation"
import { DeskEvent, Views } from "@switchboard/desk"
import { countKey } from "@switchboard/desk/InboxReactor"
import { type Storage, type StorageDriver, StorageError } from "@switchboard/storage"
import { isBeingErased } from "./internal/Erasing.ts"
import { contactSteps, conversationSteps, isSame, readStream } from "./internal/Fold.ts"
import { type ExpectedRow, expectedRows } from "./internal/InboxRow.ts"
import { MeasuresReplay, measureViews } from "./internal/MeasuresReplay.ts"
import { checkWorkspace, openPrepared } from "./internal/Prepared.ts"
import { OperationError } from "./OperationError.ts"
import type { Progress } from "./Progress.ts"

/** What can be made anew from the journal. `measures` are the two views of the measures. */
export const rebuildable = ["conversations", "messages", "contacts", "inbox", "measures"] as const

/** One of {@link rebuildable}. */
export type Rebuildable = (typeof rebuildable)[number]

/** How many documents there should be, and how many were replaced, added or removed. */
export interface Rebuilt {
  readonly documents: number
  readonly changed: number
}

/**
 * Makes a view of a workspace anew.
 *
 * Each document is written on the condition that what it follows from has not moved; where it has, it is read again. So
 * a desk may work meanwhile, here or in another process. Whoever is being erased is left to their erasure.
 *
 * What desks remember of the workspace they forget with every replaced document, so that nothing wrong comes back.
 *
 * **Fails with** {@link OperationError} (rejected) where there is no such workspace, and for a view that is not made from
 * the journal alone, such as clocks and pools, which hold what was decided with the configuration of their time.
 */
export const rebuild = async (
  driver: StorageDriver.StorageDriver,
  workspace: string,
  view: string,
  { onProgress = () => {} }: { readonly onProgress?: Progress } = {}
): Promise<Rebuilt> => {
  await checkWorkspace(driver, workspace)
  const handle = (await openPrepared(driver)).workspace(workspace)
  switch (view) {
    case "conversations":
    case "messages":
      return rebuildConversations(driver, handle, view, onProgress)
    case "contacts":
      return rebuildContacts(driver, handle, onProgress)
    case "inbox":
      return rebuildInbox(driver, handle, onProgress)
    case "measures":
      return rebuildMeasures(driver, handle, onProgress)
    default:
      throw new OperationError({
        code: "unsupported",
        what: "the view to rebuild",
        found: view,
        fix: `name one of ${rebuildable.join(", ")}; the others hold decisions that no journal repeats: restore a backup`
      })
  }
}

const pageSize = 1000

/** The ids of a family of streams, as the journal names them. */
const readIds = async (
  driver: StorageDriver.StorageDriver,
  workspace: string,
  family: string
): Promise<ReadonlyArray<string>> => {
  const prefix = `${family}/`
  const ids = new Set<string>()
  let position = 0
  while (true) {
    const page = await driver.journal(workspace, position, pageSize)
    for (const { stream } of page) if (stream.startsWith(prefix)) ids.add(stream.slice(prefix.length))
    const last = page.at(-1)
    if (!last) return [...ids]
    position = last.position
  }
}

/** Once more when something moved meanwhile: what was read no longer holds. */
const untilUnmoved = async <A>(attempt: () => Promise<A>): Promise<A> => {
  while (true) {
    try {
      return await attempt()
    } catch (error) {
      if (!(error instanceof StorageError.ConflictError)) throw error
    }
  }
}

const differing = (found: StorageDriver.StoredDocument | undefined, expected: object, version: number): boolean =>
  found?.version !== version || !isSame(found.document, expected)

/**
 * Reads what somebody's documents follow from, on the condition that it still stands at the end: the streams are guards of
 * the commit.
 *
 * `undefined`: they are being erased, and whoever does that makes their documents anew. An erasure that begins after this
 * moves one of the streams. One that was over before has left no words to read.
 */
const guardsOf = async (
  handle: Storage.Workspace,
  contactId: string | undefined,
  conversationId?: string
): Promise<ReadonlyArray<StorageDriver.Append> | undefined> => {
  const streams = [
    ...(conversationId === undefined ? [] : [DeskEvent.streams.conversation(conversationId)]),
    ...(contactId === undefined ? [] : [DeskEvent.streams.contact(contactId)])
  ]
  const versions = await handle.streamVersions(streams)
  if (await isBeingErased(handle, contactId, conversationId)) return undefined
  return streams.map((stream, index) => ({ stream, expectedVersion: versions[index] ?? 0, events: [] }))
}

/** Each stream once. Two of one contact: of them the earlier, which tells if anything happened between the two. */
const guarding = (guards: ReadonlyArray<StorageDriver.Append>): ReadonlyArray<StorageDriver.Append> => [
  ...new Map([...guards].reverse().map((guard) => [guard.stream, guard])).values()
]

const orphansAtOnce = 200

/** Removes the documents of a view that belong to streams which no journal tells of. */
const removeOrphans = async (
  handle: Storage.Workspace,
  view: string,
  known: ReadonlySet<string>,
  streamOf: (document: StorageDriver.StoredDocument) => { readonly id: string; readonly stream: string }
): Promise<number> => {
  let removed = 0
  let after: StorageDriver.Query["after"]
  do {
    const page = await handle.query({ view, limit: orphansAtOnce, ...(after && { after }) })
    for (const document of page.documents) {
      const { id, stream } = streamOf(document)
      // What came since the ids were read is no orphan.
      if (known.has(id) || (await handle.streamVersion(stream)) > 0) continue
      await handle.commit({
        appends: [{ stream, expectedVersion: 0, events: [] }],
        views: [{ view, key: document.key, delete: true }],
        raisesEpoch: true
      })
      removed++
    }
    after = page.next
  } while (after)
  return removed
}

const subjectOf = async (reads: Storage.Reads, contactId: string): Promise<{ readonly subject?: string }> => {
  const last = [...contactSteps(await readStream(reads, DeskEvent.streams.contact(contactId)))].at(-1)
  return last?.contact?.erasedAtMs === undefined ? { subject: contactId } : {}
}

/** What has to change for the documents of one conversation to be what its events make of them. */
const changesOf = async (
  handle: Storage.Workspace,
  id: string,
  view: "conversations" | "messages"
): Promise<{
  readonly contactId: string | undefined
  readonly expected: number
  readonly views: ReadonlyArray<StorageDriver.ViewChange>
}> => {
  const events = await readStream(handle, DeskEvent.streams.conversation(id))
  /** A message stands at the version at which it changed last. */
  const versions = new Map<string, number>()
  let state = ConversationEvolution.empty
  let version = 0
  for (const step of conversationSteps(events)) {
    for (const [key, message] of step.state.messages)
      if (state.messages.get(key as Message.Message["id"]) !== message) versions.set(key, step.version)
    ;({ state, version } = step)
  }
  const { conversation, messages } = state
  if (!conversation) return { contactId: undefined, expected: 0, views: [] }
  const { contactId } = conversation
  const subject = await subjectOf(handle, contactId)
  if (view === "conversations") {
    const views = differing(await handle.document(view, id), conversation, version)
      ? [{ view, key: id, put: conversation, version, ...subject }]
      : []
    return { contactId, expected: 1, views }
  }
  const entries = [...messages]
  const found = await handle.documents(
    view,
    entries.map(([key]) => key)
  )
  const there = await Views.readAll(handle, { view, where: [{ field: "conversationId", equals: id }] })
  const views = [
    ...entries.flatMap(([key, message], index): ReadonlyArray<StorageDriver.ViewChange> => {
      const stored = found[index]
      const since = versions.get(key) ?? version
      // A commit of several events leaves its messages at its last: any version that holds the same will do.
      const stands =
        stored?.version !== undefined &&
        stored.version >= since &&
        stored.version <= version &&
        isSame(stored.document, message)
      return stands ? [] : [{ view, key, put: message, version: since, ...subject }]
    }),
    ...there.flatMap(({ key }) =>
      messages.has(key as Message.Message["id"]) ? [] : [{ view, key, delete: true } as const]
    )
  ]
  return { contactId, expected: entries.length, views }
}

/** What has to change for the documents of one stream, and on what condition. */
interface Plan {
  readonly documents: number
  readonly guards: ReadonlyArray<StorageDriver.Append>
  readonly views: ReadonlyArray<StorageDriver.ViewChange>
}

// Each commit of a rebuild makes desks forget what they remember and decide again: several at once leave them time between.
const streamsAtOnce = 50

const rebuildEach = async (
  handle: Storage.Workspace,
  ids: ReadonlyArray<string>,
  onProgress: Progress,
  planOf: (id: string) => Promise<Plan>
): Promise<Rebuilt> => {
  let documents = 0
  let changed = 0
  for (let from = 0; from < ids.length; from += streamsAtOnce) {
    const some = ids.slice(from, from + streamsAtOnce)
    const plans = await untilUnmoved(async () => {
      const made: Array<Plan> = []
      for (const id of some) made.push(await planOf(id))
      const views = made.flatMap((plan) => plan.views)
      if (views.length > 0)
        await handle.commit({ appends: guarding(made.flatMap(({ guards }) => guards)), views, raisesEpoch: true })
      return made
    })
    for (const plan of plans) {
      documents += plan.documents
      changed += plan.views.length
    }
    onProgress(from + some.length, ids.length)
  }
  return { documents, changed }
}

const rebuildConversations = async (
  driver: StorageDriver.StorageDriver,
  handle: Storage.Workspace,
  view: "conversations" | "messages",
  onProgress: Progress
): Promise<Rebuilt> => {
  const ids = await readIds(driver, handle.id, "conversation")
  const { documents, changed } = await rebuildEach(handle, ids, onProgress, async (id) => {
    const first = await changesOf(handle, id, view)
    const guards = first.views.length === 0 ? undefined : await guardsOf(handle, first.contactId, id)
    if (!guards) return { documents: first.expected, guards: [], views: [] }
    const { expected, views } = await changesOf(handle, id, view)
    return { documents: expected, guards, views }
  })
  const removed = await untilUnmoved(() =>
    removeOrphans(handle, view, new Set(ids), ({ key, document }) => {
      const id = view === "conversations" ? key : String(document["conversationId"])
      return { id, stream: DeskEvent.streams.conversation(id) }
    })
  )
  return { documents, changed: changed + removed }
}

const rebuildContacts = async (
  driver: StorageDriver.StorageDriver,
  handle: Storage.Workspace,
  onProgress: Progress
): Promise<Rebuilt> => {
  const ids = await readIds(driver, handle.id, "contact")
  const { documents, changed } = await rebuildEach(handle, ids, onProgress, async (id) => {
    const guards = await guardsOf(handle, id)
    const last = [...contactSteps(await readStream(handle, DeskEvent.streams.contact(id)))].at(-1)
    const unchanged = { documents: 1, guards: [], views: [] }
    if (!guards || !last?.contact) return unchanged
    const { contact, version } = last
    if (!differing(await handle.document("contacts", id), contact, version)) return unchanged
    const subject = contact.erasedAtMs === undefined ? { subject: id } : {}
    return { documents: 1, guards, views: [{ view: "contacts", key: id, put: contact, version, ...subject }] }
  })
  const removed = await untilUnmoved(() =>
    removeOrphans(handle, "contacts", new Set(ids), ({ key }) => ({ id: key, stream: DeskEvent.streams.contact(key) }))
  )
  return { documents, changed: changed + removed }
}

/** Commits changes on the condition that a reactor has not moved: it writes the same documents. */
const commitBeside = (
  handle: Storage.Workspace,
  reader: string,
  position: number,
  views: ReadonlyArray<StorageDriver.ViewChange>,
  appends: ReadonlyArray<StorageDriver.Append> = []
): Promise<ReadonlyArray<number>> =>
  handle.commit({ appends, views, cursor: { reader, from: position, to: position }, raisesEpoch: true })

const rowsAtOnce = 200

/** What has to change for rows of the inbox to be what they should be. */
const rowChanges = async (
  handle: Storage.Workspace,
  keys: ReadonlyArray<string>
): Promise<ReadonlyArray<ExpectedRow>> => {
  const [found, expected] = await Promise.all([handle.documents("inbox", keys), expectedRows(handle, keys)])
  return expected.flatMap((one, index) => (one && !isSame(found[index]?.document, one.row) ? [one] : []))
}

const rebuildInbox = async (
  driver: StorageDriver.StorageDriver,
  handle: Storage.Workspace,
  onProgress: Progress
): Promise<Rebuilt> => {
  const ids = await readIds(driver, handle.id, "conversation")
  let changed = 0
  for (let from = 0; from < ids.length; from += rowsAtOnce) {
    await untilUnmoved(async () => {
      const position = await handle.cursor("inbox")
      const views: Array<StorageDriver.ViewChange> = []
      const appends: Array<StorageDriver.Append> = []
      for (const { row: first } of await rowChanges(handle, ids.slice(from, from + rowsAtOnce))) {
        const key = first.conversationId
        const guards = await guardsOf(handle, first.contactId, key)
        const [found] = guards ? await rowChanges(handle, [key]) : []
        if (!guards || !found) continue
        views.push({
          view: "inbox",
          key,
          put: { ...found.row },
          ...(found.subject !== undefined && { subject: found.subject })
        })
        appends.push(...guards)
      }
      if (views.length > 0) await commitBeside(handle, "inbox", position, views, guarding(appends))
      changed += views.length
    })
    onProgress(Math.min(from + rowsAtOnce, ids.length), ids.length)
  }
  changed += await untilUnmoved(() =>
    removeOrphans(handle, "inbox", new Set(ids), ({ key }) => ({
      id: key,
      stream: DeskEvent.streams.conversation(key)
    }))
  )
  await untilUnmoved(async () => {
    const position = await handle.cursor("inbox")
    const active = await Views.readAll(handle, { view: "inbox", where: [{ field: "active", equals: true }] })
    const put = { active: active.length }
    const stored = await handle.document("counts", countKey)
    if (stored && isSame(stored.document, put)) return
    await commitBeside(handle, "inbox", position, [{ view: "counts", key: countKey, put }])
    changed++
  })
  return { documents: ids.length, changed }
}

const documentsAtOnce = 1000

/**
 * States before buckets: what a wrong state adds to a bucket is put right with the bucket. The replay keeps up with the
 * reactor until nothing differs.
 */
const rebuildMeasures = async (
  driver: StorageDriver.StorageDriver,
  handle: Storage.Workspace,
  onProgress: Progress
): Promise<Rebuilt> => {
  const replay = await MeasuresReplay.make(driver, handle.id, {
    held: Number.POSITIVE_INFINITY,
    settles: false,
    onState: () => {}
  })
  let documents = 0
  let changed = 0
  for (const view of measureViews) {
    await untilUnmoved(async () => {
      const position = await handle.cursor("metrics")
      await replay.advance(position, (done) => onProgress(done, position))
      const expected = replay.documents(view)
      const found = new Map((await Views.readAll(handle, { view })).map(({ key, document }) => [key, document]))
      const views: Array<StorageDriver.ViewChange> = []
      for (const [key, put] of expected) {
        const stored = found.get(key)
        if (!stored || !isSame(stored, put)) views.push({ view, key, put })
      }
      for (const key of found.keys()) if (!expected.has(key)) views.push({ view, key, delete: true })
      for (let from = 0; from < views.length; from += documentsAtOnce) {
        const some = views.slice(from, from + documentsAtOnce)
        await commitBeside(handle, "metrics", position, some)
        changed += some.length
      }
      documents += expected.size
    })
  }
  return { documents, changed }
}
