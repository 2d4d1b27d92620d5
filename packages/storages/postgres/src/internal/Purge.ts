import type { Purged, Remainder } from "../PostgresStorage.ts"
import { PostgresStorageError } from "../PostgresStorageError.ts"
import { quote } from "./Columns.ts"
import type { Database } from "./Database.ts"
import { mark } from "./Schema.ts"

interface TableRow {
  readonly name: string
  readonly file: string
}

interface HolderRow {
  readonly older: number
  readonly hidden: number
}

interface LogRow {
  readonly recycles: boolean
  readonly older: number
  readonly ahead: number
}

const fileOf = (table: string): string =>
  `SELECT pg_relation_filenode('${table.replaceAll("'", "''")}'::regclass)::text AS file`

/** Who still sees what stood before the transaction `$1`: then it is kept, also in a table that is written anew. */
const holders = `
  SELECT (SELECT count(*) FROM (
      SELECT backend_xmin AS id FROM pg_stat_activity
        WHERE pid <> pg_backend_pid() AND (datname = current_database() OR datname IS NULL)
      UNION ALL SELECT backend_xid FROM pg_stat_activity WHERE pid <> pg_backend_pid() AND datname = current_database()
      UNION ALL SELECT xmin FROM pg_replication_slots
      UNION ALL SELECT catalog_xmin FROM pg_replication_slots
      UNION ALL SELECT transaction FROM pg_prepared_xacts WHERE database = current_database()
    ) holder WHERE id IS NOT NULL AND age(id) > age($1::text::xid))::int4 AS older,
    (SELECT count(*) FROM pg_stat_activity
      WHERE datname = current_database() AND query = '<insufficient privilege>')::int4 AS hidden`

/** Of the files of the log: those that could have gone, and those that wait to be written over. */
const log = `
  SELECT current_setting('wal_recycle')::boolean AS recycles,
    (count(*) FILTER (WHERE name < c.redo_wal_file))::int4 AS older,
    (count(*) FILTER (WHERE name > pg_walfile_name(pg_current_wal_lsn())))::int4 AS ahead
  FROM pg_ls_waldir() CROSS JOIN pg_control_checkpoint() c WHERE name ~ '^[0-9A-F]{24}$'`

/** Does it, or says why not, where that is a matter of rights or of locks. */
const attempt = async (run: () => Promise<unknown>): Promise<string | undefined> => {
  try {
    await run()
    return undefined
  } catch (error) {
    const isLimited =
      error instanceof PostgresStorageError && (error.code === "postgres-forbidden" || error.code === "postgres-locked")
    if (!isLimited) throw error
    return error.cause instanceof Error ? error.cause.message : error.message
  }
}

/** Removes from the server's disk what was removed from the schema before. The database must have one connection only. */
export const purge = async (database: Database, waitMs: number): Promise<Purged> => {
  const schema = quote(database.settings.schema)
  const rewritten: Array<string> = []
  const remainders: Array<Remainder> = []
  const leave = (what: Remainder["what"], reason: string) => remainders.push({ what, reason })

  const [found] = await database.plan<{ readonly mark: string | null }>(
    "SELECT obj_description(to_regclass($1::text), 'pg_class') AS mark",
    [`${schema}.migrations`]
  )
  if (found?.mark !== mark)
    throw new PostgresStorageError({
      ...database.place,
      code: "postgres-foreign",
      reason: "it holds no storage of ours"
    })
  await database.plan(`SET lock_timeout = ${Math.ceil(waitMs)}`, [])

  // Vacuum keeps what somebody may still see.
  const [now] = await database.plan<{ readonly id: string }>("SELECT pg_current_xact_id()::xid::text AS id", [])
  const end = performance.now() + waitMs
  for (;;) {
    const [row] = await database.plan<HolderRow>(holders, [now!.id])
    const isOver = row!.older === 0
    if (isOver && row!.hidden > 0)
      leave(
        "transactions",
        "sessions of other users, which this user may not see, may hold older transactions: grant it pg_monitor"
      )
    if (!isOver && performance.now() >= end)
      leave(
        "transactions",
        `${row!.older} older transactions or replication slots still see it: end them and purge again`
      )
    if (isOver || performance.now() >= end) break
    await new Promise((resolve) => setTimeout(resolve, Math.min(50, waitMs)))
  }

  /** Whether the table is in another file than before: who may not vacuum a table is not told so by an error. */
  const rewrite = async (table: string, how: string): Promise<string | undefined> => {
    const [before] = await database.plan<TableRow>(fileOf(table), [])
    const failed = await attempt(() => database.plan(`VACUUM (${how}) ${table}`, []))
    if (failed !== undefined) return failed
    const [after] = await database.plan<TableRow>(fileOf(table), [])
    return before!.file === after!.file ? "this user may not vacuum it" : undefined
  }
  const tables = await database.plan<TableRow>(
    "SELECT relname AS name FROM pg_class WHERE relnamespace = to_regnamespace($1) AND relkind = 'r' ORDER BY relname",
    [schema]
  )
  for (const { name } of tables) {
    const failed = await rewrite(`${schema}.${quote(name)}`, "FULL, ANALYZE")
    if (failed === undefined) rewritten.push(name)
    else leave("table", `${name}: ${failed}`)
  }
  const failed = await rewrite("pg_catalog.pg_statistic", "FULL")
  if (failed !== undefined) leave("statistics", `pg_statistic: ${failed}; let the owner of the database purge`)

  // What was logged so far is then older than the checkpoint, and of no use.
  const refused =
    (await attempt(() => database.plan("SELECT pg_switch_wal()::text", []))) ??
    (await attempt(() => database.plan("CHECKPOINT", [])))
  if (refused !== undefined) leave("log", `${refused}: it goes in time, with checkpoints`)
  else {
    const looked = await attempt(async () => {
      const [row] = await database.plan<LogRow>(log, [])
      const { recycles, older, ahead } = row!
      if (older > 0) leave("log", `${older} files are kept, for a replica, an archive or wal_keep_size`)
      if (recycles) leave("log", "files are used again as they are: set wal_recycle to off")
      else if (ahead > 0) leave("log", `${ahead} files wait to be written over`)
    })
    if (looked !== undefined) leave("log", `${looked}: whether files are kept is unknown`)
  }
  return { rewritten, remainders }
}
