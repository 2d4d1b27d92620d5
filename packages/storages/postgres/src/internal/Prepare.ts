import * as PgClient from "@effect/sql-pg/PgClient"
import { Effect } from "effect"
import { type Code, PostgresStorageError } from "../PostgresStorageError.ts"
import { quote, type ViewNames } from "./Columns.ts"
import type { Database } from "./Database.ts"
import { functions } from "./Functions.ts"
import { mark, migrations } from "./Schema.ts"
import { prepareViews } from "./ViewTable.ts"

interface State {
  readonly encoding: string
  readonly exists: boolean
  readonly mark: string | null
  readonly is_used: boolean
}

/**
 * Makes the schema what the views need, in one transaction. Processes that start at once do it one after another.
 *
 * `steps` is the number of steps to do; a test stops at an older version.
 */
export const prepare = (database: Database, views: Iterable<ViewNames>, steps = migrations.length) => {
  const { schema: name } = database.settings
  const schema = quote(name)
  const refuse = (code: Code, reason: string) =>
    Effect.fail(new PostgresStorageError({ ...database.place, code, reason }))
  return Effect.gen(function* () {
    const client = yield* PgClient.PgClient
    const run = (sql: string, parameters: ReadonlyArray<unknown> = []) => client.unsafe(sql, parameters).unprepared
    yield* run("SELECT pg_advisory_xact_lock(hashtextextended($1, 0))", [`${mark} ${name}`])
    const [state] = yield* client.unsafe<State>(
      `SELECT current_setting('server_encoding') AS encoding, to_regnamespace($1::text) IS NOT NULL AS exists,
        obj_description(to_regclass($2::text), 'pg_class') AS mark,
        EXISTS (SELECT FROM pg_class WHERE relnamespace = to_regnamespace($1::text)) AS is_used`,
      [schema, `${schema}.migrations`]
    )
    const { encoding, exists, mark: found, is_used } = state!
    if (encoding !== "UTF8") return yield* refuse("postgres-encoding", `its encoding is ${encoding}`)
    if (is_used && found !== mark) return yield* refuse("postgres-foreign", "it holds other tables than ours")
    if (!exists) yield* run(`CREATE SCHEMA ${schema}`)
    yield* run(`SET LOCAL search_path = ${schema}, pg_temp`)
    if (!is_used) {
      yield* run(
        "CREATE TABLE migrations (version int PRIMARY KEY, applied_at timestamptz NOT NULL DEFAULT clock_timestamp())"
      )
      yield* run(`COMMENT ON TABLE migrations IS '${mark}'`)
    }
    const [row] = yield* client.unsafe<{ readonly version: number }>(
      "SELECT coalesce(max(version), 0)::int4 AS version FROM migrations"
    )
    const version = row!.version
    if (version > migrations.length)
      return yield* refuse("postgres-newer", `its version is ${version}, known are those up to ${migrations.length}`)
    for (let step = version; step < steps; step++) {
      for (const statement of migrations[step]!) yield* run(statement)
      yield* run("INSERT INTO migrations (version) VALUES ($1)", [step + 1])
    }
    if (version < steps) for (const statement of functions) yield* run(statement.replaceAll("SCHEMA", () => schema))
    const newer = yield* prepareViews(client, schema, views, steps)
    if (newer !== undefined)
      yield* refuse(
        "postgres-newer",
        `it has version ${newer.stored} of the view ${newer.view}, opened with ${newer.asked}`
      )
  }).pipe((work) => Effect.flatMap(PgClient.PgClient, (client) => client.withTransaction(work)))
}
