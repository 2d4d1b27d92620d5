import type * as PgClient from "@effect/sql-pg/PgClient"
import { misplaced } from "@switchboard/storage/Holding"
import type { Commit, Erased, Holding, Outcome, StorageInvalidError } from "@switchboard/storage/StorageDriver"
import { Effect } from "effect"
import type { SqlError } from "effect/sql/SqlError"
import { key, quote, type ViewNames } from "./Columns.ts"
import { type Database, integers, number, numbers, texts } from "./Database.ts"
import { type EventWrite, type Load, toLoad } from "./Holdings.ts"
import { type Answer, pack, unpack } from "./Packed.ts"
import { TextWriter } from "./TextIndex.ts"

interface CountersRow {
  readonly id: number
  readonly head: bigint
}

interface ErasedRow {
  readonly events: bigint
  readonly document_view: ReadonlyArray<string>
  readonly document_key: ReadonlyArray<string>
  readonly timer_key: ReadonlyArray<string>
  readonly claim_key: ReadonlyArray<string>
}

type Work<A = void> = Effect.Effect<A, SqlError>

/** Runs statements of a transaction, which are too rare to be prepared. */
const runIn =
  (client: PgClient.PgClient) =>
  <Row extends object>(sql: string, parameters: ReadonlyArray<unknown> = []): Work<ReadonlyArray<Row>> =>
    client.unsafe<Row>(sql, parameters).unprepared

type Run = ReturnType<typeof runIn>

/** The number of a workspace that is there, which stands still from now on. */
const lock = (run: Run, workspace: string): Work<number | undefined> =>
  Effect.map(
    run<{ readonly id: number }>("SELECT id FROM workspaces WHERE name = $1 FOR UPDATE", [workspace]),
    ([row]) => row?.id
  )

const loadEvents = (run: Run, space: number, events: ReadonlyArray<EventWrite>) =>
  run(
    `WITH added AS (
       INSERT INTO journal (workspace, position, stream, version, type, schema, recorded_at, subject, personal, body)
       SELECT $1::int4, e.* FROM unnest($2::float8[], $3::text[], $4::float8[], $5::text[], $6::float8[], $7::float8[],
         $8::text[], $9::text[], $10::text[]) e
       RETURNING stream, subject, personal
     )
     INSERT INTO subjects (workspace, subject, stream)
     SELECT DISTINCT $1::int4, a.subject, a.stream FROM added a WHERE a.personal IS NOT NULL ON CONFLICT DO NOTHING`,
    [
      space,
      numbers(events.map(({ position }) => position)),
      texts(events.map(({ stream }) => stream)),
      numbers(events.map(({ version }) => version)),
      texts(events.map(({ type }) => type)),
      numbers(events.map(({ schema }) => schema)),
      numbers(events.map(({ recordedAtMs }) => recordedAtMs)),
      texts(events.map(({ subject }) => subject)),
      texts(events.map(({ personal }) => personal)),
      texts(events.map(({ body }) => body))
    ]
  )

/** Those that stand under the keys go, and lanes go on. */
const loadTimers = (run: Run, space: number, timers: Load["timers"]) =>
  Effect.gen(function* () {
    const keys = texts(timers.map((timer) => timer.key))
    const gone = yield* run<{ readonly lane: string | null }>(
      "DELETE FROM timers WHERE workspace = $1 AND key = ANY($2::text[]) RETURNING lane",
      [space, keys]
    )
    yield* run(
      `INSERT INTO timers (workspace, key, kind, due_at, lane, subject, revision, sequence, payload, ready)
       SELECT $1::int4, t.*, t.lane IS NULL FROM unnest($2::text[], $3::text[], $4::float8[], $5::text[], $6::text[],
         $7::float8[], $8::float8[], $9::text[]) t(key, kind, due_at, lane, subject, revision, sequence, payload)`,
      [
        space,
        keys,
        texts(timers.map(({ kind }) => kind)),
        numbers(timers.map(({ dueAtMs }) => dueAtMs)),
        texts(timers.map(({ lane }) => lane)),
        texts(timers.map(({ subject }) => subject)),
        numbers(timers.map(({ revision }) => revision)),
        numbers(timers.map(({ sequence }) => sequence)),
        texts(timers.map(({ payload }) => payload))
      ]
    )
    const lanes = [...new Set([...gone, ...timers].flatMap(({ lane }) => lane ?? []))]
    yield* run("SELECT free_lanes($1, $2)", [integers(lanes.map(() => space)), texts(lanes)])
  })

const loadClaims = (run: Run, space: number, claims: Load["claims"]) =>
  run(
    `INSERT INTO claims (workspace, key, value, expires_at, revision, subject)
     SELECT $1::int4, c.* FROM unnest($2::text[], $3::text[], $4::float8[], $5::float8[], $6::text[]) c
     ON CONFLICT ON CONSTRAINT claims_pkey DO UPDATE SET value = excluded.value, expires_at = excluded.expires_at,
       revision = excluded.revision, subject = excluded.subject`,
    [
      space,
      texts(claims.map((claim) => claim.key)),
      texts(claims.map(({ value }) => value)),
      numbers(claims.map(({ expiresAtMs }) => expiresAtMs)),
      numbers(claims.map(({ revision }) => revision)),
      texts(claims.map(({ subject }) => subject))
    ]
  )

const loadCursors = (run: Run, space: number, cursors: Load["cursors"]) =>
  Effect.gen(function* () {
    const parameters = [
      space,
      texts(cursors.map(([reader]) => reader)),
      numbers(cursors.map(([, position]) => position))
    ]
    const loaded = "unnest($2::text[], $3::float8[]) l(reader, position)"
    yield* run(
      `DELETE FROM cursors c USING ${loaded} WHERE c.workspace = $1::int4 AND c.reader = l.reader AND l.position = 0`,
      parameters
    )
    yield* run(
      `INSERT INTO cursors (workspace, reader, position) SELECT $1::int4, l.* FROM ${loaded} WHERE l.position > 0
       ON CONFLICT ON CONSTRAINT cursors_pkey DO UPDATE SET position = excluded.position`,
      parameters
    )
  })

const loadDocuments = (run: Run, space: number, [{ put }, documents]: Load["documents"][number]) =>
  run(`SELECT ${quote(put)}($1, $2, $3, $4, $5, $6)`, [
    integers(documents.map(() => space)),
    texts(documents.map((document) => document.key)),
    numbers(documents.map(({ version }) => version)),
    texts(documents.map(({ subject }) => subject)),
    texts(documents.map(({ document }) => document)),
    texts(documents.flatMap(({ columns }) => columns))
  ])

// A sweep keeps others from claiming only for so many at a time.
const sweepAtOnce = 5_000

/** Every write of the contract, each one call. */
export class Writer {
  readonly #database: Database
  readonly #views: ReadonlyMap<string, ViewNames>
  readonly #instance: string
  readonly #texts: ReadonlyArray<TextWriter>
  readonly #statements
  /** `instance` is what this driver calls itself in notifications. */
  constructor(database: Database, views: ReadonlyMap<string, ViewNames>, instance: string) {
    this.#database = database
    this.#views = views
    this.#instance = instance
    this.#texts = [...views.values()].flatMap((names) => {
      const { words } = names
      return words === undefined ? [] : [new TextWriter(database, { ...names, words })]
    })
    const schema = quote(database.settings.schema)
    const places = Array.from({ length: 48 }, (_, index) => `$${index + 1}`).join(", ")
    this.#statements = {
      commit: `SELECT * FROM ${schema}.commit_group(${places})`,
      erase: `SELECT * FROM ${schema}.erase_subject($1, $2)`,
      // What another one has locked is left to it: nobody waits here, so nobody waits in a circle.
      sweep: `WITH expired AS (
          SELECT c.workspace, c.key FROM ${schema}.claims c WHERE c.expires_at <= $1::float8 AND c.expires_at IS NOT NULL
          LIMIT ${sweepAtOnce} FOR UPDATE SKIP LOCKED
        ), gone AS (
          DELETE FROM ${schema}.claims c USING expired e WHERE c.workspace = e.workspace AND c.key = e.key RETURNING 1
        ) SELECT count(*)::int4 AS count FROM gone`
    }
  }

  async commit(group: ReadonlyArray<Commit>, nowMs: number): Promise<ReadonlyArray<Outcome>> {
    if (group.length === 0) return []
    const { schema } = this.#database.settings
    const parameters = [number(nowMs), schema, this.#instance, ...pack(this.#views, group)]
    const rows = await this.#database.write<Answer>(this.#statements.commit, parameters)
    return unpack(group, rows[0]!)
  }

  /** With a stream, only the personal fields of the subject's events in that one. */
  async erase(workspace: string, subject: string, stream: string | undefined): Promise<Erased> {
    if (stream !== undefined) {
      const events = await this.#eraseStream(
        key("workspace", workspace),
        key("subject", subject),
        key("stream", stream)
      )
      return { events, documents: [], timers: [], claims: [] }
    }
    const parameters = [key("workspace", workspace), key("subject", subject)]
    const [row] = await this.#database.write<ErasedRow>(this.#statements.erase, parameters)
    const { events, document_view, document_key, timer_key, claim_key } = row!
    const documents = document_key.map((name, index) => ({ view: document_view[index]!, key: name }))
    return { events: Number(events), documents, timers: timer_key, claims: claim_key }
  }

  #eraseStream(workspace: string, subject: string, stream: string): Promise<number> {
    return this.#database.transaction((client) =>
      Effect.gen(function* () {
        const run = runIn(client)
        const space = yield* lock(run, workspace)
        if (space === undefined) return 0
        const parameters = [space, subject, stream]
        const here = "workspace = $1 AND subject = $2 AND stream = $3"
        yield* run("UPDATE workspaces SET epoch = nextval('epochs') + 1 WHERE id = $1", [space])
        yield* run(`DELETE FROM subjects WHERE ${here}`, parameters)
        const [row] = yield* run<{ readonly count: number }>(
          `WITH emptied AS (
             UPDATE journal SET personal = NULL WHERE ${here} AND personal IS NOT NULL RETURNING 1
           ) SELECT count(*)::int4 AS count FROM emptied`,
          parameters
        )
        return row!.count
      })
    )
  }

  /** Puts what a dump held. **Fails with** `StorageInvalidError` (rejected) when an event does not follow on what is there. */
  async load(workspace: string, holdings: ReadonlyArray<Holding>): Promise<void> {
    if (holdings.length === 0) return
    const name = key("workspace", workspace)
    const { events, documents, timers, claims, cursors, revisions } = toLoad(this.#views, holdings)
    await this.#database.transaction((client) =>
      Effect.gen(function* (): Effect.fn.Return<void, SqlError | StorageInvalidError> {
        const run = runIn(client)
        // Writes even what is there, and so waits for who drops it, and begins it anew.
        const [found] = yield* run<CountersRow>(
          `INSERT INTO workspaces (name) VALUES ($1) ON CONFLICT (name) DO UPDATE SET head = workspaces.head
           RETURNING id, head`,
          [name]
        )
        const space = found!.id
        const head = Number(found!.head)
        if (events.length > 0) {
          const ends = yield* run<{ readonly stream: string; readonly version: bigint }>(
            `SELECT s.stream, j.version FROM unnest($2::text[]) s(stream) CROSS JOIN LATERAL (
               SELECT j.version FROM journal j WHERE j.workspace = $1 AND j.stream = s.stream
               ORDER BY j.version DESC LIMIT 1
             ) j`,
            [space, texts([...new Set(events.map(({ stream }) => stream))])]
          )
          const versions = new Map(ends.map((end) => [end.stream, Number(end.version)]))
          const refused = misplaced(events, head, (stream) => versions.get(stream) ?? 0)
          if (refused !== undefined) return yield* Effect.fail(refused)
          yield* loadEvents(run, space, events)
        }
        if (timers.length > 0) yield* loadTimers(run, space, timers)
        if (claims.length > 0) yield* loadClaims(run, space, claims)
        if (cursors.length > 0) yield* loadCursors(run, space, cursors)
        for (const view of documents) yield* loadDocuments(run, space, view)
        yield* run(
          `UPDATE workspaces SET head = $2::float8, revisions = greatest(revisions, $3::float8),
             epoch = nextval('epochs') + 1 WHERE id = $1`,
          [space, head + events.length, revisions]
        )
      })
    )
  }

  /** Removes a workspace; no other gets its number, and it never stands at an epoch again at which it stood. */
  async drop(workspace: string): Promise<void> {
    const name = key("workspace", workspace)
    await this.#database.transaction((client) =>
      Effect.gen(function* () {
        const run = runIn(client)
        const space = yield* lock(run, name)
        if (space === undefined) return
        // Every view there is, also one this program doesn't know; words go with their documents.
        const views = yield* run<{ readonly table: string }>('SELECT "table" FROM views ORDER BY name')
        const tables = ["journal", "subjects", "timers", "claims", "cursors", ...views.map(({ table }) => table)]
        for (const table of tables) yield* run(`DELETE FROM ${quote(table)} WHERE workspace = $1`, [space])
        yield* run("DELETE FROM workspaces WHERE id = $1", [space])
        yield* run("SELECT nextval('epochs')")
      })
    )
  }

  /** Indexes the words of up to `limit` documents; returns how many are left at most. */
  async index(limit: number): Promise<number> {
    let done = 0
    let behind = 0
    for (const text of this.#texts) {
      if ((await text.behind()) === 0) continue
      if (done < limit) done += await text.index(limit - done)
      behind += await text.behind()
    }
    return behind
  }

  async sweep(nowMs: number): Promise<number> {
    let swept = 0
    for (;;) {
      const [row] = await this.#database.write<{ readonly count: number }>(this.#statements.sweep, [nowMs])
      swept += row!.count
      if (row!.count < sweepAtOnce) return swept
    }
  }
}
