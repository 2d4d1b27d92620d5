/** Storage in Postgres, over `@effect/sql-pg`: a group of commits is one round trip, and several processes share it. */

import { randomUUID } from "node:crypto"
import type { StorageDriver } from "@switchboard/storage/StorageDriver"
import { checkDefinitions } from "@switchboard/storage/View"
import { namesOf, type ViewNames } from "./internal/Columns.ts"
import { Database, placeOf } from "./internal/Database.ts"
import { dump } from "./internal/Holdings.ts"
import { Listener } from "./internal/Listener.ts"
import { prepare } from "./internal/Prepare.ts"
import { purge as purgeDatabase } from "./internal/Purge.ts"
import { Reader } from "./internal/Reader.ts"
import { Writer } from "./internal/Writer.ts"
import { PostgresStorageError } from "./PostgresStorageError.ts"

/**
 * Where the database is and how it is used.
 *
 * **Units** milliseconds.
 */
export interface Options {
  /** `postgres://user:password@host:5432/database`, with `?sslmode=require` where the connection must be encrypted. */
  readonly url: string
  /** The schema that holds the tables, and the channel of notifications; created when it is not there. Default `switchboard`. */
  readonly schema?: string
  /** Connections of the pool, opened when they are needed; one more listens. Default 8. */
  readonly maxConnections?: number
  /** How long a connection may take to be made. Default 5,000. */
  readonly connectTimeoutMs?: number
  /** What `pg_stat_activity` calls the connections. Default `switchboard`. */
  readonly applicationName?: string
}

const defaults = {
  schema: "switchboard",
  maxConnections: 8,
  connectTimeoutMs: 5_000,
  applicationName: "switchboard"
}

/** A database with the schema prepared. */
interface Open {
  readonly database: Database
  readonly views: ReadonlyMap<string, ViewNames>
  readonly reader: Reader
  readonly writer: Writer
  readonly listener: Listener
}

/**
 * Storage in a Postgres database.
 *
 * It is connected and migrated by `prepare`. Any number of processes may use one schema, and start at once.
 *
 * **Fails with** {@link PostgresStorageError} (rejected, also by `prepare`), which says what to do;
 * `StorageInvalidError` for text Postgres can't keep: NUL and lone surrogates in keys, keys over 1,000 bytes.
 *
 * **Gotchas** all commits of a workspace follow one another: its counter row is locked until the disk has synced. Claims
 * expire by the `nowMs` that is passed, so the clocks of processes that share a database must agree. When the
 * connection is lost during a commit it rejects, and whether it was written is unknown. A dump has a connection of its own,
 * and while it is read, dead rows stay and a view's definition can't change: don't leave it half read.
 *
 * **Example**
 * ```ts
 * import { strict as assert } from "node:assert"
 * import { PostgresStorage } from "@switchboard/storage-postgres"
 *
 * const driver = PostgresStorage.make({ url: "postgres://desk:secret@127.0.0.1:5432/desk" })
 * assert.equal(driver.capabilities.notify, true)
 * // Connects only when it is opened: `await Storage.open(driver, { views, now: Date.now, schedule: setImmediate })`.
 * await driver.close()
 * ```
 */
export const make = (options: Options): StorageDriver => {
  const settings: Required<Options> = { ...defaults, ...options }
  const place = placeOf(settings.url, settings.schema)
  const instance = randomUUID()
  const watchers = new Set<(workspaces: ReadonlyArray<string>) => void>()
  const tell = (workspaces: ReadonlyArray<string>) => {
    for (const watcher of watchers) watcher(workspaces)
  }
  let opened: Open | undefined

  const use = (): Open => {
    if (opened === undefined)
      throw new PostgresStorageError({ ...place, code: "postgres-closed", reason: "it is not open" })
    return opened
  }

  return {
    name: "postgres",
    // A group is a round trip and a sync of the disk: larger ones share both.
    groupSize: 512,
    capabilities: { durable: true, multiProcess: true, notify: true, fullText: true },
    prepare: async (views) => {
      checkDefinitions(views)
      const names = new Map(views.map((view) => [view.name, namesOf(view)]))
      const database = new Database(settings)
      try {
        await database.run(prepare(database, names.values()))
        const listener = new Listener(database, instance, (workspaces) => queueMicrotask(() => tell(workspaces)))
        await listener.start()
        opened = {
          database,
          views: names,
          reader: new Reader(database, names),
          writer: new Writer(database, names, instance),
          listener
        }
      } catch (error) {
        await database.close()
        throw error
      }
    },
    commit: async (group, nowMs) => {
      const outcomes = await use().writer.commit(group, nowMs)
      if (watchers.size > 0) {
        const grown = new Set<string>()
        for (const [index, outcome] of outcomes.entries())
          if (outcome.ok && outcome.positions.length > 0) grown.add(group[index]!.workspace)
        if (grown.size > 0) tell([...grown])
      }
      return outcomes
    },
    fullText: {
      search: async (workspace, search) => use().reader.search(workspace, search),
      index: async (limit) => use().writer.index(limit)
    },
    erase: async (workspace, subject, stream) => use().writer.erase(workspace, subject, stream),
    sweep: async (nowMs) => use().writer.sweep(nowMs),
    stream: async (workspace, stream, after, limit) => use().reader.stream(workspace, stream, after, limit),
    streamVersions: async (workspace, streams) => use().reader.streamVersions(workspace, streams),
    journal: async (workspace, after, limit) => use().reader.journal(workspace, after, limit),
    head: async (workspace) => use().reader.head(workspace),
    epoch: async (workspace) => use().reader.epoch(workspace),
    documents: async (workspace, view, keys) => use().reader.documents(workspace, view, keys),
    query: async (workspace, query) => use().reader.query(workspace, query),
    cursor: async (workspace, name) => use().reader.cursor(workspace, name),
    claims: async (workspace, keys, nowMs) => use().reader.claims(workspace, keys, nowMs),
    timers: async (workspace, keys) => use().reader.timers(workspace, keys),
    workspaces: async () => use().reader.workspaces(),
    due: async (nowMs, kinds, limit) => use().reader.due(nowMs, kinds, limit),
    nextDueAtMs: async (kinds) => use().reader.nextDueAtMs(kinds),
    lagging: async (name) => use().reader.lagging(name),
    watch: (onChange) => {
      watchers.add(onChange)
      return () => {
        watchers.delete(onChange)
      }
    },
    dump: async function* (workspace, afterPosition) {
      const { database, views } = use()
      for await (const batch of dump(database, views.values(), workspace, afterPosition)) {
        use()
        yield batch
      }
    },
    load: async (workspace, holdings) => use().writer.load(workspace, holdings),
    drop: async (workspace) => use().writer.drop(workspace),
    close: async () => {
      const closing = opened
      opened = undefined
      await closing?.listener.stop()
      await closing?.database.close()
    }
  }
}

/** What {@link purge} needs besides {@link Options}. */
export interface PurgeOptions extends Options {
  /** How long it waits for each table, and for transactions that still see what was removed. Default 10,000. */
  readonly waitMs?: number
}

/**
 * Something that a purge could not clear.
 *
 * **Shape** `what` says where removed content may still stand: a table, the samples the planner keeps of columns, or the
 * write-ahead log; or that transactions may still see it, which keeps it in every table. `reason` is a sentence.
 */
export interface Remainder {
  readonly what: "table" | "transactions" | "statistics" | "log"
  readonly reason: string
}

/** What a purge did: the tables it wrote anew, and what it had to leave. Nothing is left when `remainders` is empty. */
export interface Purged {
  readonly rewritten: ReadonlyArray<string>
  readonly remainders: ReadonlyArray<Remainder>
}

/**
 * Removes from the server's disk what was erased, deleted or replaced before: an erasure takes content out of reach at once,
 * but its bytes stay in dead rows, in samples the planner keeps, and in the write-ahead log.
 *
 * Writes every table of the schema anew, one after another, and then the samples; begins a new file of the log, makes a
 * checkpoint, and looks whether the old files went. Run it at a quiet hour, once for all erasures before.
 *
 * **Fails with** {@link PostgresStorageError} (rejected). What the user's rights, others' locks or the server's settings
 * forbid is not a failure: the answer names it.
 *
 * **Gotchas** who reads or writes a table waits while it is waited for and written anew, some seconds for each gigabyte; and
 * the disk needs room for a second copy of the largest. Tables need an owner, samples the owner of the database, the log a
 * superuser, or the role `pg_checkpoint` with the right to execute `pg_switch_wal`, and `wal_recycle = off`. It does not
 * reach what left the server: backups, archived logs, replicas, the server's own text log.
 *
 * **Example**
 * ```ts
 * import { strict as assert } from "node:assert"
 * import { PostgresStorage } from "@switchboard/storage-postgres"
 *
 * const options = { url: "postgres://desk:secret@127.0.0.1:1/desk", waitMs: 1_000 }
 * // Here is no server; of one that is there, it answers with `{ rewritten: ["claims", …], remainders: [] }`.
 * await assert.rejects(PostgresStorage.purge(options), { code: "postgres-unreachable" })
 * ```
 */
export const purge = async (options: PurgeOptions): Promise<Purged> => {
  const { waitMs = 10_000, ...rest } = options
  // What is set for the session has to hold for every statement.
  const database = new Database({ ...defaults, ...rest, maxConnections: 1 })
  try {
    return await purgeDatabase(database, waitMs)
  } finally {
    await database.close()
  }
}
