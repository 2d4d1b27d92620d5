import * as PgClient from "@effect/sql-pg/PgClient"
import type { JsonObject, Search, ViewDefinition } from "@switchboard/storage/StorageDriver"
import { textOf } from "@switchboard/storage/View"
import { type Term, wordsOf } from "@switchboard/storage/Words"
import { Effect } from "effect"
import { digestOf, quote, type ViewNames } from "./Columns.ts"
import { type Database, integers, texts } from "./Database.ts"

/** Every row also holds a word for its workspace: no other can be like it, `wordsOf` finds none with an underscore. */
const workspaceWord = (workspace: number): string => `_${workspace}`

/** A word has at most 64 code points: a longer term is none, and Postgres' own limit is far. */
const mostWordBytes = 256

/**
 * Postgres counts the place of a word within a vector in 20 bits, and does not notice when it has run over. No text is
 * known whose words come near: 50,000 units of it are at most some 400,000 bytes of different words.
 */
const mostVectorBytes = 1_000_000

const vectorOf = (workspace: number, text: string): string | null => {
  const words = new Set<string>()
  let bytes = 0
  for (const word of wordsOf(text)) {
    if (words.has(word.text)) continue
    bytes += Buffer.byteLength(word.text)
    if (bytes > mostVectorBytes) break
    words.add(word.text)
  }
  return words.size === 0 ? null : [workspaceWord(workspace), ...words].join(" ")
}

/** A term as Postgres reads it in a query. */
const quoted = ({ text, isPrefix }: Term): string =>
  `'${text.replaceAll("\\", "\\\\").replaceAll("'", "''")}'${isPrefix ? ":*" : ""}`

interface Wanted {
  /** What follows the workspace's word: ` & 'order'`; empty for no term. */
  readonly wholes: string
  readonly beginnings: string
}

/** `undefined`: no word can be so. */
const wantedOf = (terms: ReadonlyArray<Term>): Wanted | undefined => {
  const canBe = ({ text, isPrefix }: Term) =>
    (isPrefix || text !== "") && !/[\0_ ]/.test(text) && text.isWellFormed() && Buffer.byteLength(text) <= mostWordBytes
  if (!terms.every(canBe)) return undefined
  const and = (isPrefix: boolean) =>
    terms
      // Every word begins with nothing.
      .filter((term) => term.isPrefix === isPrefix && term.text !== "")
      .map((term) => ` & ${quoted(term)}`)
      .join("")
  return { wholes: and(false), beginnings: and(true) }
}

// What is read of the latest before anything is known of the words.
const sampled = 1_000

// What a document from the index costs, in documents of those that are read one after the other.
const indexCost = 3

interface SampleRow {
  readonly behind: number | bigint
  readonly workspace: number | null
  readonly rows: number
  /** The highest number, and so about how many documents there are of all workspaces. */
  readonly number: number | null
  readonly wholes: number
  readonly beginnings: number
  readonly keys: ReadonlyArray<string>
}

/** Exact while there are few. Beyond, counting takes the longer the more there are, and the span of their numbers has to do. */
const counted = 1_000

const behindOf = (words: string): string => `(SELECT CASE WHEN few.count < ${counted} THEN few.count ELSE (
    SELECT max(w.number) - min(w.number) + 1 FROM ${words} w WHERE w.pending
  ) END FROM (
    SELECT count(*) AS count FROM (SELECT FROM ${words} w WHERE w.pending ORDER BY w.number LIMIT ${counted}) p
  ) few)`

/**
 * Searches the words of one view.
 *
 * What is common is among the latest, what is rare is soon read from the index; reading all that holds a common word, to
 * keep the latest of it, would take the longer the more there is. So the latest are read first, and what is found there
 * says how to go on. Whatever the word, that costs about the square root of how many documents there are.
 */
export class TextReader {
  readonly #database: Database
  readonly #statements
  constructor(database: Database, table: string) {
    const schema = quote(database.settings.schema)
    const words = `${schema}.${quote(table)}`
    this.#database = database
    // As a function, and not as the operator, it is a filter that no index answers.
    const holds = (query: string) => `pg_catalog.ts_match_vq(w.words, ${query})`
    this.#statements = {
      behind: `SELECT ${behindOf(words)}::float8 AS behind`,
      sample: `WITH space AS MATERIALIZED (
          SELECT s.id, ('''_' || s.id || '''' || $2)::tsquery AS wholes, ('''_' || s.id || '''' || $3)::tsquery AS beginnings
          FROM ${schema}.workspaces s WHERE s.name = $1
        ), latest AS MATERIALIZED (
          SELECT l.number, l.key, ${holds("space.wholes")} AS wholes, ${holds("space.beginnings")} AS beginnings
          FROM space CROSS JOIN LATERAL (
            SELECT w.number, w.key, w.words FROM ${words} w WHERE w.workspace = space.id
            ORDER BY w.number DESC LIMIT ${sampled}
          ) l CROSS JOIN LATERAL (SELECT l.words) w
        )
        SELECT ${behindOf(words)}::float8 AS behind, (SELECT id FROM space) AS workspace, count(*)::int4 AS rows,
          max(number)::float8 AS number,
          (count(*) FILTER (WHERE wholes))::int4 AS wholes, (count(*) FILTER (WHERE beginnings))::int4 AS beginnings,
          ARRAY(SELECT key FROM latest WHERE wholes AND beginnings ORDER BY number DESC LIMIT $4::float8::bigint) AS keys
        FROM latest`,
      latest: `SELECT w.key FROM (
          SELECT w.number, w.key, w.words FROM ${words} w WHERE w.workspace = $1::int4
          ORDER BY w.number DESC LIMIT $4::float8::bigint
        ) w WHERE ${holds("$2::text::tsquery")} ORDER BY w.number DESC LIMIT $3::float8::bigint`,
      found: `WITH found AS MATERIALIZED (
          SELECT w.number, w.key FROM ${words} w WHERE w.words @@ $1::text::tsquery AND ${holds("$2::text::tsquery")}
        ) SELECT key FROM found ORDER BY number DESC LIMIT $3::float8::bigint`
    }
  }

  /** The keys of the latest that hold all terms, the latest first, and how many documents are at most not indexed as they stand. */
  async search(
    workspace: string,
    { terms, limit }: Search
  ): Promise<{ readonly keys: ReadonlyArray<string>; readonly behind: number }> {
    const most = Math.min(limit, 2 ** 40)
    const wanted = wantedOf(terms)
    if (wanted === undefined) return { keys: [], behind: await this.behind() }
    const { wholes, beginnings } = wanted
    const [sample] = await this.#database.plan<SampleRow>(this.#statements.sample, [
      workspace,
      wholes,
      beginnings,
      most
    ])
    const behind = Number(sample!.behind)
    const { keys, rows } = sample!
    if (keys.length >= most || rows < sampled) return { keys, behind }
    const space = sample!.workspace!
    const all = `'${workspaceWord(space)}'${wholes}${beginnings}`
    const keysOf = async (statement: string, parameters: ReadonlyArray<unknown>) =>
      (await this.#database.plan<{ readonly key: string }>(statement, parameters)).map(({ key }) => key)
    const share = keys.length / rows
    if (share * sample!.number! * indexCost > most / share) {
      // Where it was more common lately than before, reading on would never end.
      const latest = await keysOf(this.#statements.latest, [space, all, most, (2 * most) / share])
      if (latest.length >= most) return { keys: latest, behind }
    }
    // All words that begin so are read from the index: not worth it where the whole words are rarer.
    const isByWholes = wholes !== "" && sample!.wholes < sample!.beginnings
    const indexed = isByWholes ? `'${workspaceWord(space)}'${wholes}` : all
    return { keys: await keysOf(this.#statements.found, [indexed, all, most]), behind }
  }

  async behind(): Promise<number> {
    const [row] = await this.#database.plan<{ readonly behind: number }>(this.#statements.behind, [])
    return row!.behind
  }
}

// A batch ends when it has read so much text, in UTF-16 units: dividing it keeps the event loop.
const batchText = 500_000

// Of documents, as stored: so that few long ones don't fill the memory.
const batchBytes = 4_000_000

interface PendingRow {
  readonly workspace: number
  readonly key: string
  readonly digest: string | null
  readonly document: string
}

/**
 * Keeps the index of one view.
 *
 * Processes index one after another, so that none does again what another does. No commit waits for them, except one
 * that changes a document whose words are just being written.
 */
export class TextWriter {
  readonly #database: Database
  readonly #definition: ViewDefinition
  readonly #reader: TextReader
  readonly #statements
  constructor(database: Database, { definition, table, words }: ViewNames & { readonly words: string }) {
    const schema = quote(database.settings.schema)
    const [view, text] = [`${schema}.${quote(table)}`, `${schema}.${quote(words)}`]
    this.#database = database
    this.#definition = definition
    this.#reader = new TextReader(database, words)
    this.#statements = {
      // Who holds the turn and stalls loses it with its connection. Tables may have grown since Postgres last looked.
      turn: `SELECT pg_advisory_xact_lock(hashtextextended($1, 0)),
        set_config('idle_in_transaction_session_timeout', '30s', true), set_config('enable_seqscan', 'off', true)`,
      turnOf: text,
      pending: `SELECT workspace, key, digest::text AS digest, document FROM (
          SELECT w.*, v.document, octet_length(v.document) AS bytes,
            sum(octet_length(v.document)) OVER (ORDER BY w.number ROWS UNBOUNDED PRECEDING) AS upto
          FROM (SELECT workspace, key, digest, number FROM ${text} WHERE pending ORDER BY number LIMIT $1::float8::bigint) w
          JOIN ${view} v USING (workspace, key)
        ) p WHERE upto - bytes < ${batchBytes} ORDER BY number`,
      // What somebody is just changing or erasing is left to the next turn, and so nobody waits in a circle.
      write: `WITH read AS MATERIALIZED (
          SELECT w.workspace, w.key, r.digest, r.words
          FROM unnest($1::int4[], $2::text[], $3::text[], $4::text[], $5::text[]) r(space, key, before, digest, words)
          JOIN ${text} w ON w.workspace = r.space AND w.key = r.key
          WHERE w.digest IS NOT DISTINCT FROM r.before::bigint FOR UPDATE OF w SKIP LOCKED
        )
        UPDATE ${text} w SET digest = read.digest::bigint, pending = false,
          words = array_to_tsvector(string_to_array(read.words, ' '))
        FROM read WHERE w.workspace = read.workspace AND w.key = read.key`
    }
  }

  /** How many documents are at most not indexed as they stand. */
  behind(): Promise<number> {
    return this.#reader.behind()
  }

  /** Indexes up to `limit` documents, fewer where they are long; returns how many it did. */
  index(limit: number): Promise<number> {
    const { turn, turnOf, pending, write } = this.#statements
    return this.#database.run(
      Effect.flatMap(PgClient.PgClient, (client) =>
        client.withTransaction(
          Effect.gen({ self: this }, function* () {
            yield* client.unsafe(turn, [turnOf]).unprepared
            const rows = yield* client.unsafe<PendingRow>(pending, [limit]).unprepared
            const done = this.#divide(rows)
            if (done.length === 0) return 0
            yield* client.unsafe(write, [
              integers(done.map(({ workspace }) => workspace)),
              texts(done.map(({ key }) => key)),
              texts(done.map(({ before }) => before)),
              texts(done.map(({ digest }) => digest)),
              texts(done.map(({ words }) => words))
            ]).unprepared
            return done.length
          })
        )
      )
    )
  }

  #divide(rows: ReadonlyArray<PendingRow>) {
    const done: Array<
      Omit<PendingRow, "document"> & { readonly before: string | null; readonly words: string | null }
    > = []
    let read = 0
    for (const { workspace, key, digest, document } of rows) {
      const text = textOf(this.#definition, JSON.parse(document) as JsonObject)
      done.push({ workspace, key, before: digest, digest: String(digestOf(text)), words: vectorOf(workspace, text) })
      read += text.length
      if (read >= batchText) break
    }
    return done
  }
}
