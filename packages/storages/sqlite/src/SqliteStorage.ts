/** Storage in one SQLite file, over Node's own `node:sqlite`: a write-ahead log, synced at every group of commits. */

import type { DatabaseSync } from "node:sqlite"
import { setTimeout } from "node:timers/promises"
import type { Commit, Outcome, StorageDriver, ViewDefinition } from "@switchboard/storage/StorageDriver"
import { checkDefinitions } from "@switchboard/storage/View"
import { checkTables } from "./internal/CheckConnection.ts"
import { Checkpointer } from "./internal/Checkpointer.ts"
import { openConnection } from "./internal/Connection.ts"
import { type Copied, checkFree, checkThere, copyFile, type Progress, removeLogs, takeOver } from "./internal/Copy.ts"
import { codeOf, explain } from "./internal/Explain.ts"
import { dump, toWrites } from "./internal/Holdings.ts"
import { checkFound, checkOnThread, IntegrityCheck } from "./internal/Integrity.ts"
import { type PackedViews, pack, packedViews, unpackOutcomes } from "./internal/Packed.ts"
import { Reader } from "./internal/Reader.ts"
import { checkState, migrate, stateOf } from "./internal/Schema.ts"
import { prepareView } from "./internal/ViewTable.ts"
import { type Asked, startWriter } from "./internal/WriterThread.ts"
import { SqliteStorageError } from "./SqliteStorageError.ts"

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
  /**
   * When the file is checked for damage.
   *
   * `background`, the default: after it was opened, on a thread of its own; when damage is found every later commit and
   * read fails with `sqlite-corrupt`, and the process gets a warning. `before`: `prepare` waits for it, and rejects. A
   * small file, up to 1 MiB, is checked before in either case. `off`: never, to save what can be read of a damaged file.
   */
  readonly integrity?: "background" | "before" | "off"
}

/** A connection that reads, here; one that writes and one that folds the log, each on a thread of its own. */
interface Open {
  readonly db: DatabaseSync
  readonly reader: Reader
  readonly definitions: ReadonlyArray<ViewDefinition>
  readonly views: PackedViews
  readonly writer: Asked
  readonly checkpointer: Checkpointer
  readonly check: IntegrityCheck | undefined
}

// Should the checkpointer's thread fall behind or fail, the writer folds the log itself when it is so much longer.
const patience = 20

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

/** To check so many pages takes less than to start a thread. */
const fewPages = 256

const pagesOf = (db: DatabaseSync): number => Number(db.prepare("PRAGMA page_count").get()?.page_count)

/** Makes the file what the views need, on the connection that reads it from then on. */
const prepareFile = async (
  { file, busyTimeoutMs, integrity }: Required<Options>,
  views: ReadonlyArray<ViewDefinition>
): Promise<{ readonly db: DatabaseSync; readonly isUnchecked: boolean }> => {
  const db = openConnection(file, busyTimeoutMs)
  try {
    // Before anything is written: a file that is not ours, or damaged, stays as it is.
    checkState(file, stateOf(db))
    const isSmall = pagesOf(db) <= fewPages
    if (integrity !== "off" && isSmall) checkFound(file, checkTables(db))
    else if (integrity === "before") await checkOnThread({ file, busyTimeoutMs })
    const isUnchecked = integrity === "background" && !isSmall
    if (!(await succeeds(busyTimeoutMs, () => useLog(db))))
      throw new SqliteStorageError("sqlite-locked", file, "it can't be made to use a log")
    db.exec("BEGIN IMMEDIATE")
    // Again, alone: another process may have migrated meanwhile.
    const state = stateOf(db)
    checkState(file, state)
    migrate(db, state.version)
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
    return { db, isUnchecked }
  } catch (error) {
    // Closing also rolls back.
    db.close()
    throw error
  }
}

const openFile = async (
  settings: Required<Options>,
  views: ReadonlyArray<ViewDefinition>,
  onDamage: (error: SqliteStorageError) => void
): Promise<Open> => {
  const { file, busyTimeoutMs, checkpointPages } = settings
  const { db, isUnchecked } = await prepareFile(settings, views)
  try {
    const writer = await startWriter({ file, busyTimeoutMs, foldsAtPages: patience * checkpointPages, views })
    return {
      db,
      reader: new Reader(db, views),
      definitions: views,
      views: packedViews(views),
      writer,
      checkpointer: new Checkpointer(file, checkpointPages, writer.fold),
      check: isUnchecked ? new IntegrityCheck({ file, busyTimeoutMs }, onDamage) : undefined
    }
  } catch (error) {
    db.close()
    throw error
  }
}

/** Empties the log, which still holds pages as they were. */
const emptyLog = async ({ writer, checkpointer, check }: Open, file: string, withinMs: number): Promise<void> => {
  const empty = () =>
    checkpointer.exclusively(async () => {
      if (!(await succeeds(withinMs, writer.emptyLog)))
        throw new SqliteStorageError("sqlite-locked", file, "its log could not be emptied, and holds what was erased")
    })
  return check === undefined ? empty() : check.paused(empty)
}

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
 * disk syncs. What is watched are this process's commits only. An erasure during a backup or a dump fails with
 * `sqlite-locked`, to be repeated: the log, which they read, can't be emptied. `close` waits for the check of one table.
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
  const settings: Required<Options> = {
    busyTimeoutMs: 5_000,
    checkpointPages: 1_500,
    integrity: "background",
    ...options
  }
  const { file, busyTimeoutMs } = settings
  const watchers = new Set<(workspaces: ReadonlyArray<string>) => void>()
  let open: Open | undefined
  let damage: SqliteStorageError | undefined

  const opened = (): Open => {
    if (damage !== undefined) throw damage
    if (open === undefined) throw new SqliteStorageError("sqlite-failed", file, "it is not open: call prepare first")
    return open
  }

  const use = async <A>(run: (using: Open) => A): Promise<Awaited<A>> => {
    const using = opened()
    try {
      return await run(using)
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
        open = await openFile(settings, views, (error) => {
          damage = error
        })
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
    erase: (workspace, subject, stream) =>
      use(async (using) => {
        const erased = await using.writer.erase(workspace, subject, stream)
        await emptyLog(using, file, busyTimeoutMs)
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
    epoch: (workspace) => use(({ reader }) => reader.epoch(workspace)),
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
    dump: async function* (workspace, afterPosition) {
      const { definitions } = opened()
      const db = openConnection(file, busyTimeoutMs)
      try {
        db.exec("PRAGMA query_only = ON; BEGIN")
        for await (const batch of dump(db, definitions, workspace, afterPosition)) {
          opened()
          yield batch
        }
      } catch (cause) {
        throw explain(file, cause)
      } finally {
        db.close()
      }
    },
    load: (workspace, holdings) =>
      use(async ({ writer, views, checkpointer }) => {
        await writer.load(workspace, toWrites(views, holdings))
        checkpointer.wrote(holdings.length)
      }),
    drop: (workspace) =>
      use(async (using) => {
        await using.writer.drop(workspace)
        await emptyLog(using, file, busyTimeoutMs)
      }),
    close: async () => {
      const closing = open
      open = undefined
      await closing?.check?.stop()
      await closing?.checkpointer.stop()
      await closing?.writer.close()
      // The last to close folds the log into the file.
      closing?.db.close()
    }
  }
}

/** A file to copy, and where to. */
export interface CopyOptions {
  readonly from: string
  /** Its directory must exist. */
  readonly to: string
  /** Told a few times a second how far it has come. */
  readonly onProgress?: (progress: Progress) => void
}

/** How a backup becomes the file of a desk. */
export interface RestoreOptions extends CopyOptions {
  /** A file that is there is replaced. Default: refused. */
  readonly replace?: boolean
}

/**
 * Copies a desk's file as it is at one instant, while a desk writes it, in this process or another.
 *
 * The copy is one file, checked and synced before it appears under its name, with the rights of the original. What was
 * erased before is not in it, nor are free pages.
 *
 * **Fails with** {@link SqliteStorageError} (rejected): `sqlite-exists` when `to` is there, `sqlite-missing`,
 * `sqlite-foreign`, `sqlite-newer` or `sqlite-corrupt` for what `from` is, `sqlite-cannot-open`, `sqlite-read-only` or
 * `sqlite-full` for where `to` is. It then leaves nothing; only a process that is killed leaves a `*.partial` beside it.
 *
 * **Gotchas** commits and reads go on meanwhile, but the log grows by what is written and can't be emptied: an erasure
 * fails with `sqlite-locked` after `busyTimeoutMs`, to be repeated. Where no thread can be started it blocks the event loop.
 *
 * **Example**
 * ```ts
 * import { strict as assert } from "node:assert"
 * import { mkdtempSync, rmSync } from "node:fs"
 * import { tmpdir } from "node:os"
 * import { join } from "node:path"
 * import { SqliteStorage } from "@switchboard/storage-sqlite"
 *
 * const directory = mkdtempSync(join(tmpdir(), "switchboard-"))
 * const [desk, monday] = [join(directory, "desk.db"), join(directory, "monday.db")]
 * const driver = SqliteStorage.make({ file: desk })
 * await driver.prepare([])
 * await driver.commit([{ workspace: "acme", claims: [{ key: "k", value: "before" }] }], 0)
 * await SqliteStorage.backup({ from: desk, to: monday })
 * await driver.close()
 *
 * await assert.rejects(SqliteStorage.restore({ from: monday, to: desk }), { code: "sqlite-exists" })
 * await SqliteStorage.restore({ from: monday, to: desk, replace: true })
 * rmSync(directory, { recursive: true })
 * ```
 */
export const backup = async ({ from, to, onProgress }: CopyOptions): Promise<Copied> => {
  await checkThere(from)
  await checkFree(to)
  return copyFile({ from, to, onProgress, checks: false, beforeNaming: () => checkFree(to) })
}

/**
 * Makes a backup the file of a desk, once it is sure that the backup is whole: every page, and every index against its table.
 *
 * **Fails with** {@link SqliteStorageError} (rejected): `sqlite-exists` when `to`, or a log of it, is there and `replace`
 * is not said; `sqlite-in-use` when something has it open; otherwise as {@link backup}. What was there then stays.
 *
 * **Gotchas** stop the desk first. One that is started while this runs is only noticed up to the end of the copying. A
 * file too damaged to tell whether it is open is replaced.
 */
export const restore = async ({ from, to, replace = false, onProgress }: RestoreOptions): Promise<Copied> => {
  await checkThere(from)
  const makeWay = replace ? () => takeOver(to) : () => checkFree(to)
  await makeWay()
  const beforeNaming = async () => {
    await makeWay()
    await removeLogs(to)
  }
  return copyFile({ from, to, onProgress, checks: true, beforeNaming })
}

export type { Copied, Progress }
