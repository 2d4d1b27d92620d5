/** Makes a view anew from the journal while the desk goes on: what differs is replaced, what doesn't is left alone. */
import type { Contact } from "@switchboard/conversation"
import { DeskEvent, Views } from "@switchboard/desk"
import { countKey } from "@switchboard/desk/InboxReactor"
import { type Storage, type StorageDriver, StorageError } from "@switchboard/storage"
import { contactSteps, conversationSteps, isSame, readStream } from "./internal/Fold.ts"
import { expectedRow } from "./internal/InboxRow.ts"
import { MeasuresReplay, measureViews } from "./internal/MeasuresReplay.ts"
import { openPrepared } from "./internal/Prepared.ts"
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
 * a desk may work meanwhile, here or in another process.
 *
 * **Fails with** {@link OperationError} (rejected) for a view that is not made from the journal alone, such as clocks and
 * pools, which hold what was decided with the configuration of their time.
 */
export const rebuild = async (
  driver: StorageDriver.StorageDriver,
  workspace: string,
  view: string,
  { onProgress = () => {} }: { readonly onProgress?: Progress } = {}
): Promise<Rebuilt> => {
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

const subjectOf = async (reads: Storage.Reads, contactId: string): Promise<{ readonly subject?: string }> => {
  const contact = (await reads.document("contacts", contactId))?.document as Contact.Contact | undefined
  return contact?.erasedAtMs === undefined ? { subject: contactId } : {}
}

const rebuildConversations = async (
  driver: StorageDriver.StorageDriver,
  handle: Storage.Workspace,
  view: "conversations" | "messages",
  onProgress: Progress
): Promise<Rebuilt> => {
  const ids = await readIds(driver, handle.id, "conversation")
  let documents = 0
  let changed = 0
  for (const [place, id] of ids.entries()) {
    const stream = DeskEvent.streams.conversation(id)
    const [some, differ] = await untilUnmoved(async () => {
      const events = await readStream(handle, stream)
      const last = [...conversationSteps(events)].at(-1)
      const conversation = last?.state.conversation
      if (!last || !conversation) return [0, 0] as const
      const subject = await subjectOf(handle, conversation.contactId)
      /** A message stands at the version at which it changed last. */
      const versions = new Map<string, number>()
      let before = new Map<string, object>() as ReadonlyMap<string, object>
      for (const { version, state } of conversationSteps(events)) {
        for (const [key, message] of state.messages) if (before.get(key) !== message) versions.set(key, version)
        before = state.messages
      }
      const expected: ReadonlyArray<readonly [string, StorageDriver.JsonObject, number]> =
        view === "conversations"
          ? [[id, conversation, last.version]]
          : [...last.state.messages].map(([key, message]) => [key, message, versions.get(key) ?? last.version] as const)
      const found = await handle.documents(
        view,
        expected.map(([key]) => key)
      )
      const views = expected.flatMap(([key, document, version], index): ReadonlyArray<StorageDriver.ViewChange> => {
        const stored = found[index]
        // A commit of several events leaves its messages at its last: any version that holds the same will do.
        const stands = view === "messages" && stored !== undefined && isSame(stored.document, document)
        return stands || !differing(stored, document, version)
          ? []
          : [{ view, key, put: document, version, ...subject }]
      })
      if (views.length > 0) {
        await handle.commit({ appends: [{ stream, expectedVersion: last.version, events: [] }], views })
      }
      return [expected.length, views.length] as const
    })
    documents += some
    changed += differ
    onProgress(place + 1, ids.length)
  }
  return { documents, changed }
}

const rebuildContacts = async (
  driver: StorageDriver.StorageDriver,
  handle: Storage.Workspace,
  onProgress: Progress
): Promise<Rebuilt> => {
  const ids = await readIds(driver, handle.id, "contact")
  let documents = 0
  let changed = 0
  for (const [place, id] of ids.entries()) {
    const stream = DeskEvent.streams.contact(id)
    await untilUnmoved(async () => {
      const last = [...contactSteps(await readStream(handle, stream))].at(-1)
      if (!last?.contact) return
      const { contact, version } = last
      if (!differing(await handle.document("contacts", id), contact, version)) return
      const subject = contact.erasedAtMs === undefined ? { subject: id } : {}
      await handle.commit({
        appends: [{ stream, expectedVersion: version, events: [] }],
        views: [{ view: "contacts", key: id, put: contact, version, ...subject }]
      })
      changed++
    })
    documents++
    onProgress(place + 1, ids.length)
  }
  return { documents, changed }
}

/** Commits changes on the condition that a reactor has not moved: it writes the same documents. */
const commitBeside = (
  handle: Storage.Workspace,
  reader: string,
  position: number,
  views: ReadonlyArray<StorageDriver.ViewChange>
): Promise<ReadonlyArray<number>> => handle.commit({ views, cursor: { reader, from: position, to: position } })

const rowsAtOnce = 20

const rebuildInbox = async (
  driver: StorageDriver.StorageDriver,
  handle: Storage.Workspace,
  onProgress: Progress
): Promise<Rebuilt> => {
  const ids = await readIds(driver, handle.id, "conversation")
  let changed = 0
  for (let from = 0; from < ids.length; from += rowsAtOnce) {
    const some = ids.slice(from, from + rowsAtOnce)
    await untilUnmoved(async () => {
      const position = await handle.cursor("inbox")
      const found = await handle.documents("inbox", some)
      const views: Array<StorageDriver.ViewChange> = []
      for (const [index, key] of some.entries()) {
        const expected = await expectedRow(handle, key)
        const stored = found[index]
        if (!expected || (stored && isSame(stored.document, expected.row))) continue
        const subject = expected.subject === undefined ? {} : { subject: expected.subject }
        views.push({ view: "inbox", key, put: { ...expected.row }, ...subject })
      }
      if (views.length > 0) await commitBeside(handle, "inbox", position, views)
      changed += views.length
    })
    onProgress(Math.min(from + rowsAtOnce, ids.length), ids.length)
  }
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

const documentsAtOnce = 200

/**
 * States before buckets: what a wrong state adds to a bucket is put right with the bucket. The replay keeps up with the
 * reactor until nothing differs.
 */
const rebuildMeasures = async (
  driver: StorageDriver.StorageDriver,
  handle: Storage.Workspace,
  onProgress: Progress
): Promise<Rebuilt> => {
  const replay = await MeasuresReplay.make(driver, handle.id)
  let documents = 0
  let changed = 0
  for (const view of measureViews) {
    await untilUnmoved(async () => {
      const position = await handle.cursor("metrics")
      await replay.advance(position, (done) => onProgress(done, position))
      const expected = await replay.documents(view)
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
