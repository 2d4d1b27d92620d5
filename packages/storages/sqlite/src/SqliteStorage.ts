/** Storage in one SQLite file, over Node's own `node:sqlite`: a write-ahead log, synced at every group of commits. */

import type { DatabaseSync } from "node:sqlite"
import { setTimeout } from "node:timers/promises"
import type { Commit, Outcome, StorageDriver, ViewDefinition } from "@switchboard/storage/StorageDriver"
import { checkDefinitions } from "@switchboard/storage/View"
import { Checkpointer } from "./internal/Checkpointer.ts"
import { openConnection } from "./internal/Connection.ts"
import { type PackedViews, pack, packedViews, unpackOutcomes } from "./internal/Packed.ts"
import { Reader } from "./internal/Reader.ts"
import { applicationId, migrate, migrations, stateOf } from "./internal/Schema.ts"
import { prepareView } from "./internal/ViewTable.ts"
import { type Asked, startWriter } from "./internal/WriterThread.ts"

/**
 * Where the file is and how it is used.
 *
 * **Units** milliseconds; pages of 4 KiB.
 */
export interface Options {
  /** A path; its directory must exist. On a local disk: SQLite needs real locks and shared memory. */
  readonly file: string
  /** How long a commit waits for another process's. Default 5,000. */
  readonly busyTimeoutMs?: number
  /** The log is folded into the file, on a thread of its own, when it has about so many pages. Default 1,500. */
  readonly checkpointPages?: number
}

const advice = {
  "sqlite-locked": "Another process holds it. Close that, or raise busyTimeoutMs.",
  "sqlite-read-only": "Give this process the right to write the file and its directory.",
  "sqlite-full": "The disk is full. Free space; nothing of this commit was written.",
  "sqlite-corrupt": "It is damaged or no SQLite database. Restore a backup, or name another file.",
  "sqlite-foreign": "It belongs to another program. Name another file.",
  "sqlite-newer": "It was written by a newer version. Upgrade this program, or restore a backup.",
  "sqlite-cannot-open": "Create its directory, and name a file there.",
  "sqlite-failed": "See the cause."
} as const

/** SQLite could not do it: which file, why, and what to do. `resultCode` is SQLite's own, where it has one. */
export class SqliteStorageError extends Error {
  readonly _tag = "SqliteStorageError"
  readonly code: keyof typeof advice
  readonly file: string
  readonly resultCode: number | undefined
  constructor(code: keyof typeof advice, file: string, reason: string, cause?: unknown) {
    super(`${file}: ${reason}. ${advice[code]}`, cause === undefined ? {} : { cause })
    this.name = "SqliteStorageError"
    this.code = code
    this.file = file
    this.resultCode = resultCodeOf(cause)
  }
}

const resultCodeOf = (cause: unknown): number | undefined =>
  cause instanceof Error && "errcode" in cause && typeof cause.errcode === "number" ? cause.errcode : undefined

/** https://www.sqlite.org/rescode.html; the low byte is the primary code. */
const codes: Readonly<Record<number, keyof typeof advice>> = {
  5: "sqlite-locked",
  6: "sqlite-locked",
  8: "sqlite-read-only",
  11: "sqlite-corrupt",
  13: "sqlite-full",
  14: "sqlite-cannot-open",
  26: "sqlite-corrupt"
}

const codeOf = (cause: unknown): keyof typeof advice => codes[(resultCodeOf(cause) ?? 0) & 0xff] ?? "sqlite-failed"

const explain = (file: string, cause: unknown): unknown => {
  if (!(cause instanceof Error) || !("code" in cause)) return cause
  if (cause.code === "ERR_INVALID_STATE") return new SqliteStorageError("sqlite-failed", file, "it is not open", cause)
  if (cause.code !== "ERR_SQLITE_ERROR") return cause
  return new SqliteStorageError(codeOf(cause), file, cause.message, cause)
}

/** A connection that reads, here; one that writes and one that folds the log, each on a thread of its own. */
interface Open {
  readonly db: DatabaseSync
  readonly reader: Reader
  readonly views: PackedViews
  readonly writer: Asked
  readonly checkpointer: Checkpointer
}

// Should the checkpointer's thread fall behind or fail, the writer folds the log itself when it is so much longer.
const patience = 20

/** The schema version of the file, once it is sure that it is ours, or new. */
const checkFile = (db: DatabaseSync, file: string): number => {
  const { version, application, empty } = stateOf(db)
  if (application !== applicationId && !(application === 0 && empty))
    throw new SqliteStorageError("sqlite-foreign", file, "it holds other tables than ours")
  if (version > migrations.length)
    throw new SqliteStorageError(
      "sqlite-newer",
      file,
      `its schema version is ${version}, known are those up to ${migrations.length}`
    )
  return version
}

/** Tries until it succeeds, for what SQLite itself does not wait for others with. `false`: it did not within the time. */
const succeeds = async (withinMs: number, attempt: () => boolean | Promise<boolean>): Promise<boolean> => {
  const until = performance.now() + withinMs
  while (!(await attempt())) {
    if (performance.now() > until) return false
    await setTimeout(20)
  }
  return true
}

/** Makes the file use a log. `false`: another process is doing so. */
const useLog = (db: DatabaseSync): boolean => {
  try {
    db.exec("PRAGMA journal_mode = WAL")
    return true
  } catch (error) {
    if (codeOf(error) === "sqlite-locked") return false
    throw error
  }
}

/** Makes the file what the views need, on the connection that reads it from then on. */
const prepareFile = async (
  file: string,
  busyTimeoutMs: number,
  views: ReadonlyArray<ViewDefinition>
): Promise<DatabaseSync> => {
  const db = openConnection(file, busyTimeoutMs)
  try {
    // Before anything is written: a file that is not ours stays as it is.
    checkFile(db, file)
    if (!(await succeeds(busyTimeoutMs, () => useLog(db))))
      throw new SqliteStorageError("sqlite-locked", file, "it can't be made to use a log")
    db.exec("BEGIN IMMEDIATE")
    // Again, alone: another process may have migrated meanwhile.
    migrate(db, checkFile(db, file))
    // Writes nothing, but fails where nothing can be written; to begin does not.
    db.exec("DELETE FROM views WHERE 0")
    for (const view of views) {
      const prepared = prepareView(db, view)
      if (prepared !== "ready")
        throw new SqliteStorageError(
          "sqlite-newer",
          file,
          `it has version ${prepared.newer} of the view ${view.name}, opened with ${view.version}`
        )
    }
    db.exec("COMMIT; PRAGMA query_only = ON")
    return db
  } catch (error) {
    // Closing also rolls back.
    db.close()
    throw error
  }
}

const openFile = async (
  { file, busyTimeoutMs, checkpointPages }: Required<Options>,
  views: ReadonlyArray<ViewDefinition>
): Promise<Open> => {
  const db = await prepareFile(file, busyTimeoutMs, views)
  try {
    const writer = await startWriter({ file, busyTimeoutMs, foldsAtPages: patience * checkpointPages, views })
    return {
      db,
      reader: new Reader(db, views),
      views: packedViews(views),
      writer,
      checkpointer: new Checkpointer(file, checkpointPages, writer.fold)
    }
  } catch (error) {
    db.close()
    throw error
  }
}

/** Empties the log, which still holds pages as they were. */
const emptyLog = async ({ writer, checkpointer }: Open, file: string, withinMs: number): Promise<void> =>
  checkpointer.exclusively(async () => {
    if (!(await succeeds(withinMs, writer.emptyLog)))
      throw new SqliteStorageError("sqlite-locked", file, "its log could not be emptied, and holds what was erased")
  })

// A sweep stops others from committing only for so many claims at a time.
const sweepAtOnce = 5_000

const changesOf = (group: ReadonlyArray<Commit>, outcomes: ReadonlyArray<Outcome>): number => {
  let changes = 0
  for (const [index, outcome] of outcomes.entries()) {
    if (!outcome.ok) continue
    const { views = [], timers = [], claims = [] } = group[index]!
    changes += outcome.positions.length + views.length + timers.length + claims.length
  }
  return changes
}

/**
 * Storage in a file.
 *
 * It is opened and migrated by `prepare`. Several processes may use one file: their commits follow one another.
 *
 * **Fails with** {@link SqliteStorageError} (rejected, also by `prepare`) when the file is locked, read-only, damaged,
 * of another program or of a newer version, or the disk is full; `StorageInvalidError` for text SQLite would change.
 *
 * **Gotchas** what is written and folded is so on threads of their own; reads are synchronous, mostly from memory. Where
 * a program may start no thread (Node's permission model without `--allow-worker`) commits block the event loop while the
 * disk syncs. What is watched are this process's commits only.
 *
 * **Example**
 * ```ts
 * import { strict as assert } from "node:assert"
 * import { mkdtempSync, rmSync } from "node:fs"
 * import { tmpdir } from "node:os"
 * import { join } from "node:path"
 * import { Storage } from "@switchboard/storage"
 * import { SqliteStorage } from "@switchboard/storage-sqlite"
 *
 * const directory = mkdtempSync(join(tmpdir(), "switchboard-"))
 * const driver = SqliteStorage.make({ file: join(directory, "desk.db") })
 * const storage = await Storage.open(driver, { views: [], now: Date.now, schedule: setImmediate })
 * const event = { type: "Opened", schema: 1, recordedAtMs: Date.now(), body: { subject: "Hello" } }
 * const acme = storage.workspace("acme")
 * assert.deepEqual(await acme.commit({ appends: [{ stream: "c/1", expectedVersion: 0, events: [event] }] }), [1])
 * await storage.close()
 * rmSync(directory, { recursive: true })
 * ```
 */
export const make = (options: Options): StorageDriver => {
  const settings: Required<Options> = { busyTimeoutMs: 5_000, checkpointPages: 1_500, ...options }
  const { file, busyTimeoutMs } = settings
  const watchers = new Set<(workspaces: ReadonlyArray<string>) => void>()
  let open: Open | undefined

  const use = async <A>(run: (opened: Open) => A): Promise<Awaited<A>> => {
    if (open === undefined) throw new SqliteStorageError("sqlite-failed", file, "it is not open: call prepare first")
    try {
      return await run(open)
    } catch (cause) {
      throw explain(file, cause)
    }
  }

  return {
    name: "sqlite",
    capabilities: { durable: true, multiProcess: true, notify: false, fullText: true },
    prepare: async (views) => {
      checkDefinitions(views)
      if (file === "" || file === ":memory:")
        throw new SqliteStorageError("sqlite-cannot-open", file, "storage in SQLite needs a file")
      try {
        open = await openFile(settings, views)
      } catch (cause) {
        throw explain(file, cause)
      }
    },
    commit: async (group, nowMs) => {
      const outcomes = await use(async ({ writer, views }) =>
        unpackOutcomes(await writer.commit(pack(views, group), nowMs))
      )
      open?.checkpointer.wrote(changesOf(group, outcomes))
      if (watchers.size > 0) {
        const grown = new Set<string>()
        for (const [index, outcome] of outcomes.entries())
          if (outcome.ok && outcome.positions.length > 0) grown.add(group[index]!.workspace)
        if (grown.size > 0) for (const watcher of watchers) watcher([...grown])
      }
      return outcomes
    },
    fullText: {
      search: (workspace, search) => use(({ reader }) => reader.search(workspace, search)),
      index: (limit) =>
        use(async ({ writer, reader, checkpointer }) => {
          checkpointer.wrote(await writer.index(limit))
          return reader.behind()
        })
    },
    erase: (workspace, subject) =>
      use(async (opened) => {
        const erased = await opened.writer.erase(workspace, subject)
        await emptyLog(opened, file, busyTimeoutMs)
        return erased
      }),
    sweep: async (nowMs) => {
      let swept = 0
      for (;;) {
        const some = await use(({ writer }) => writer.sweep(nowMs, sweepAtOnce))
        swept += some
        if (some < sweepAtOnce) return swept
      }
    },
    stream: (workspace, stream, after, limit) => use(({ reader }) => reader.stream(workspace, stream, after, limit)),
    streamVersions: (workspace, streams) => use(({ reader }) => reader.streamVersions(workspace, streams)),
    journal: (workspace, after, limit) => use(({ reader }) => reader.journal(workspace, after, limit)),
    head: (workspace) => use(({ reader }) => reader.head(workspace)),
    documents: (workspace, view, keys) => use(({ reader }) => reader.documents(workspace, view, keys)),
    query: (workspace, query) => use(({ reader }) => reader.query(workspace, query)),
    cursor: (workspace, name) => use(({ reader }) => reader.cursor(workspace, name)),
    claims: (workspace, keys, nowMs) => use(({ reader }) => reader.claims(workspace, keys, nowMs)),
    timers: (workspace, keys) => use(({ reader }) => reader.timers(workspace, keys)),
    workspaces: () => use(({ reader }) => reader.workspaces()),
    due: (nowMs, kinds, limit) => use(({ reader }) => reader.due(nowMs, kinds, limit)),
    nextDueAtMs: (kinds) => use(({ reader }) => reader.nextDueAtMs(kinds)),
    lagging: (name) => use(({ reader }) => reader.lagging(name)),
    watch: (onChange) => {
      watchers.add(onChange)
      return () => {
        watchers.delete(onChange)
      }
    },
    close: async () => {
      const closing = open
      open = undefined
      await closing?.checkpointer.stop()
      await closing?.writer.close()
      // The last to close folds the log into the file.
      closing?.db.close()
    }
  }
}
