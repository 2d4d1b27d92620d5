import type * as PgClient from "@effect/sql-pg/PgClient"
import type { JsonObject } from "@switchboard/storage/StorageDriver"
import { Effect } from "effect"
import type { SqlError } from "effect/sql/SqlError"
import { column, columnTexts, columnTypes, quote, type ViewNames } from "./Columns.ts"
import { integers, numbers, texts } from "./Database.ts"
import { columnCount } from "./Packed.ts"

type Statement = Effect.Effect<void, SqlError>

interface StoredView {
  readonly name: string
  readonly version: bigint
  readonly table: string
  readonly put: string
}

interface CopiedRow {
  readonly workspace: number
  readonly key: string
  readonly version: bigint | null
  readonly subject: string | null
  readonly document: string
}

const copiedAtOnce = 500

const createTable = ({ definition, fields, indexedTexts, table }: ViewNames): string => {
  const columns = fields.map((field) => `, ${column(field)} ${columnTypes[definition.fields[field]!]}`).join("")
  const long = indexedTexts.length > 0 ? ", long boolean NOT NULL" : ""
  // Room on the page for the next version of a document: then only what is indexed and changes costs an index entry.
  return `CREATE TABLE ${quote(table)} (
    workspace integer NOT NULL, key text COLLATE "C" NOT NULL, version bigint, subject text COLLATE "C"${columns}${long},
    document text NOT NULL, CONSTRAINT ${quote(`${table}_key`)} PRIMARY KEY (workspace, key)
  ) WITH (fillfactor = 80)`
}

/** No index on the subject: every document would pay for it, and only an erasure, which is rare and may scan, gains. */
const createIndexes = ({ definition, indexedTexts, table }: ViewNames): ReadonlyArray<string> => {
  const indexes = definition.indexes.map((fields, number) => {
    const columns = fields.map((field) => `${column(field)} NULLS FIRST`).join(", ")
    const some = fields.some((field) => indexedTexts.includes(field)) ? " WHERE NOT long" : ""
    return `CREATE INDEX ${quote(`${table}_${number}`)} ON ${quote(table)} (workspace, ${columns}, key)${some}`
  })
  if (indexedTexts.length === 0) return indexes
  return [...indexes, `CREATE INDEX ${quote(`${table}_long`)} ON ${quote(table)} (workspace) WHERE long`]
}

/** The function through which a group writes the view's documents; a document that is null is deleted. */
const createPut = (schema: string, names: ViewNames): string => {
  const { definition, fields, table } = names
  const count = columnCount(names)
  const all = fields.map((field) => ({ name: column(field), type: definition.fields[field]! }))
  if (count > fields.length) all.push({ name: "long", type: "boolean" })
  const casts = { text: "", number: "::float8", boolean: "::boolean" }
  const value = (index: number) => `(columns[(c.place - 1) * ${count} + ${index + 1}])`
  const values = all.map(({ type }, index) => `${value(index)}${casts[type]}, `).join("")
  const columns = all.map(({ name }) => `${name}, `).join("")
  const updates = ["version", "subject", ...all.map(({ name }) => name), "document"]
  return `CREATE FUNCTION ${quote(names.put)}(
      spaces int[], keys text[], versions float8[], subjects text[], documents text[], columns text[]
    ) RETURNS void LANGUAGE plpgsql VOLATILE
    SET enable_seqscan = off SET plan_cache_mode = force_generic_plan SET search_path = ${schema}, pg_temp
    AS $function$
    BEGIN
      IF array_position(documents, NULL) IS NOT NULL THEN
        DELETE FROM ${quote(table)} v USING unnest(spaces, keys, documents) c(space, key, document)
        WHERE c.document IS NULL AND v.workspace = c.space AND v.key = c.key;
      END IF;
      INSERT INTO ${quote(table)} (workspace, key, version, subject, ${columns}document)
      SELECT c.space, c.key, c.version, c.subject, ${values}c.document
      FROM unnest(spaces, keys, versions, subjects, documents)
        WITH ORDINALITY c(space, key, version, subject, document, place)
      WHERE c.space IS NOT NULL AND c.document IS NOT NULL
      ON CONFLICT ON CONSTRAINT ${quote(`${table}_key`)} DO UPDATE
      SET ${updates.map((name) => `${name} = excluded.${name}`).join(", ")};
    END
    $function$`
}

const inTurn = (client: PgClient.PgClient, statements: ReadonlyArray<string>): Statement =>
  Effect.forEach(statements, (statement) => client.unsafe(statement).unprepared, { discard: true })

/** Fills a new table from the old one: columns follow from the documents. */
const copy = (client: PgClient.PgClient, from: string, names: ViewNames): Statement =>
  Effect.gen(function* () {
    let last: CopiedRow | undefined
    for (;;) {
      const beyond = last === undefined ? "" : "WHERE (workspace, key) > ($1::int4, $2)"
      const rows: ReadonlyArray<CopiedRow> = yield* client.unsafe<CopiedRow>(
        `SELECT workspace, key, version, subject, document FROM ${quote(from)} ${beyond}
         ORDER BY workspace, key LIMIT ${copiedAtOnce}`,
        last === undefined ? [] : [last.workspace, last.key]
      )
      last = rows.at(-1)
      if (last === undefined) return
      yield* client.unsafe(`SELECT ${quote(names.put)}($1, $2, $3, $4, $5, $6)`, [
        integers(rows.map(({ workspace }) => workspace)),
        texts(rows.map(({ key }) => key)),
        numbers(rows.map(({ version }) => (version === null ? null : Number(version)))),
        texts(rows.map(({ subject }) => subject)),
        texts(rows.map(({ document }) => document)),
        texts(rows.flatMap(({ document }) => columnTexts(names, JSON.parse(document) as JsonObject)))
      ])
    }
  })

/**
 * Creates the tables of views, or builds them anew beside the old ones where a definition changed, and then switches.
 *
 * Runs inside the transaction that has the schema to itself; reads and writes of other views go on meanwhile, writes of
 * these wait. Names are found by the search path. Answers with the first view that is stored in a newer version.
 */
export const prepareViews = (
  client: PgClient.PgClient,
  schema: string,
  views: Iterable<ViewNames>
): Effect.Effect<{ readonly view: string; readonly stored: number; readonly asked: number } | undefined, SqlError> =>
  Effect.gen(function* () {
    const rows = yield* client.unsafe<StoredView>('SELECT name, version, "table", put FROM views ORDER BY name')
    const stored = new Map(rows.map((row) => [row.name, row]))
    const all = [...views].sort((left, right) => (left.definition.name < right.definition.name ? -1 : 1))
    for (const { definition } of all) {
      const before = Number(stored.get(definition.name)?.version ?? 0)
      if (before > definition.version) return { view: definition.name, stored: before, asked: definition.version }
    }
    // All at once and in the order of names, as a group of commits comes to them.
    const old = all.flatMap(({ definition, table }) => {
      const before = stored.get(definition.name)
      return before === undefined || before.table === table ? [] : [before.table]
    })
    if (old.length > 0) yield* client.unsafe(`LOCK TABLE ${old.map(quote).join(", ")} IN SHARE ROW EXCLUSIVE MODE`)
    for (const names of all) {
      const { definition, table, put } = names
      const before = stored.get(definition.name)
      if (before?.table !== table) {
        yield* inTurn(client, [createTable(names), createPut(schema, names)])
        if (before !== undefined) yield* copy(client, before.table, names)
        yield* inTurn(client, [...createIndexes(names), `ANALYZE ${quote(table)}`])
        if (before !== undefined)
          yield* inTurn(client, [`DROP FUNCTION ${quote(before.put)}`, `DROP TABLE ${quote(before.table)}`])
      }
      if (before?.table !== table || Number(before.version) !== definition.version)
        yield* client.unsafe(
          `INSERT INTO views (name, version, "table", put) VALUES ($1, $2::float8, $3, $4)
           ON CONFLICT (name) DO UPDATE SET version = excluded.version, "table" = excluded."table", put = excluded.put`,
          [definition.name, definition.version, table, put]
        )
    }
    return undefined
  })
