import { type ClaimRow, type EventRow, type TimerRow, toClaim, toEvent, toTimer } from "@switchboard/storage/SqlRows"
import type {
  Found,
  Page,
  Query,
  Search,
  StoredClaim,
  StoredDocument,
  StoredEvent,
  StoredTimer
} from "@switchboard/storage/StorageDriver"
import { quote, unknownView, type ViewNames } from "./Columns.ts"
import { type Database, texts } from "./Database.ts"
import { eventColumns, timerColumns } from "./Rows.ts"
import { ViewReader } from "./ViewReader.ts"

// No page is that long, and a `bigint` holds no more.
const rows = (limit: number): number => Math.min(limit, 2 ** 40)

const inOrder = <Row extends { readonly key: string }, A>(
  keys: ReadonlyArray<string>,
  found: ReadonlyArray<Row>,
  make: (row: Row) => A
): ReadonlyArray<A | undefined> => {
  const byKey = new Map(found.map((row) => [row.key, make(row)]))
  return keys.map((key) => byKey.get(key))
}

// No such key can be there, and Postgres would refuse to look for it.
const storable = (keys: ReadonlyArray<string>): ReadonlyArray<string> =>
  keys.filter((key) => !key.includes("\0") && key.isWellFormed())

/** Every read of the contract, each one statement. */
export class Reader {
  readonly #database: Database
  readonly #views: ReadonlyMap<string, ViewReader>
  readonly #statements
  constructor(database: Database, views: ReadonlyMap<string, ViewNames>) {
    this.#database = database
    this.#views = new Map([...views].map(([name, names]) => [name, new ViewReader(database, names)]))
    const schema = quote(database.settings.schema)
    const here = `workspace = (SELECT id FROM ${schema}.workspaces WHERE name = $1)`
    this.#statements = {
      workspaces: `SELECT name FROM ${schema}.workspaces ORDER BY name`,
      head: `SELECT head FROM ${schema}.workspaces WHERE name = $1`,
      epoch: `SELECT ${schema}.workspace_epoch($1) AS epoch`,
      stream: `SELECT ${eventColumns} FROM ${schema}.journal
        WHERE ${here} AND stream = $2 AND version > $3::float8::bigint ORDER BY version LIMIT $4::float8::bigint`,
      versions: `SELECT s.stream AS key, v.version FROM unnest($2::text[]) s(stream) CROSS JOIN LATERAL (
          SELECT j.version FROM ${schema}.journal j WHERE j.${here} AND j.stream = s.stream ORDER BY j.version DESC LIMIT 1
        ) v`,
      journal: `SELECT ${eventColumns} FROM ${schema}.journal
        WHERE ${here} AND position > $2::float8::bigint ORDER BY position LIMIT $3::float8::bigint`,
      cursor: `SELECT position FROM ${schema}.cursors WHERE ${here} AND reader = $2`,
      claims: `SELECT key, value, expires_at, revision FROM ${schema}.claims
        WHERE ${here} AND key = ANY($2::text[]) AND (expires_at IS NULL OR expires_at > $3::float8)`,
      timers: `SELECT ${timerColumns} FROM ${schema}.timers t WHERE t.${here} AND t.key = ANY($2::text[])`,
      due: `SELECT ${timerColumns}, (SELECT w.name FROM ${schema}.workspaces w WHERE w.id = t.workspace) AS workspace
        FROM unnest($1::text[]) k(kind) CROSS JOIN LATERAL (
          SELECT * FROM ${schema}.timers o WHERE o.ready AND o.kind = k.kind AND o.due_at <= $2::float8
          ORDER BY o.due_at, o.workspace, o.sequence LIMIT $3::float8::bigint
        ) t ORDER BY t.due_at, t.workspace, t.sequence LIMIT $3::float8::bigint`,
      nextDue: `SELECT min(t.due_at) AS due_at FROM unnest($1::text[]) k(kind) CROSS JOIN LATERAL (
          SELECT o.due_at FROM ${schema}.timers o WHERE o.ready AND o.kind = k.kind ORDER BY o.due_at LIMIT 1
        ) t`,
      lagging: `SELECT w.name, coalesce(c.position, 0) AS position, w.head FROM ${schema}.workspaces w
        LEFT JOIN ${schema}.cursors c ON c.workspace = w.id AND c.reader = $1 WHERE w.head > coalesce(c.position, 0)`
    }
  }

  #view(name: string): ViewReader {
    const view = this.#views.get(name)
    if (view === undefined) throw unknownView(name)
    return view
  }

  async stream(
    workspace: string,
    stream: string,
    afterVersion: number,
    limit: number
  ): Promise<ReadonlyArray<StoredEvent>> {
    if (storable([workspace, stream]).length < 2) return []
    const parameters = [workspace, stream, afterVersion, rows(limit)]
    const found = await this.#database.query<EventRow>(this.#statements.stream, parameters)
    return found.map((row) => toEvent(workspace, row))
  }

  async streamVersions(workspace: string, streams: ReadonlyArray<string>): Promise<ReadonlyArray<number>> {
    if (streams.length === 0) return []
    const found = await this.#database.query<{ readonly key: string; readonly version: bigint }>(
      this.#statements.versions,
      [workspace, texts(storable(streams))]
    )
    return inOrder(streams, found, ({ version }) => Number(version)).map((version = 0) => version)
  }

  async journal(workspace: string, afterPosition: number, limit: number): Promise<ReadonlyArray<StoredEvent>> {
    const found = await this.#database.query<EventRow>(this.#statements.journal, [
      workspace,
      afterPosition,
      rows(limit)
    ])
    return found.map((row) => toEvent(workspace, row))
  }

  async head(workspace: string): Promise<number> {
    const [row] = await this.#database.query<{ readonly head: bigint }>(this.#statements.head, [workspace])
    return Number(row?.head ?? 0)
  }

  async epoch(workspace: string): Promise<number> {
    const [row] = await this.#database.query<{ readonly epoch: bigint }>(this.#statements.epoch, [workspace])
    return Number(row!.epoch)
  }

  async documents(
    workspace: string,
    view: string,
    keys: ReadonlyArray<string>
  ): Promise<ReadonlyArray<StoredDocument | undefined>> {
    const reader = this.#view(view)
    if (keys.length === 0) return []
    return inOrder(keys, await reader.documents(workspace, storable(keys)), (document) => document)
  }

  async query(workspace: string, query: Query): Promise<Page> {
    return this.#view(query.view).page(workspace, query)
  }

  async search(workspace: string, search: Search): Promise<Found> {
    return this.#view(search.view).search(workspace, search)
  }

  async cursor(workspace: string, reader: string): Promise<number> {
    const [row] = await this.#database.query<{ readonly position: bigint }>(this.#statements.cursor, [
      workspace,
      reader
    ])
    return Number(row?.position ?? 0)
  }

  async claims(
    workspace: string,
    keys: ReadonlyArray<string>,
    nowMs: number
  ): Promise<ReadonlyArray<StoredClaim | undefined>> {
    if (keys.length === 0) return []
    const parameters = [workspace, texts(storable(keys)), nowMs]
    return inOrder(keys, await this.#database.query<ClaimRow>(this.#statements.claims, parameters), toClaim)
  }

  async timers(workspace: string, keys: ReadonlyArray<string>): Promise<ReadonlyArray<StoredTimer | undefined>> {
    if (keys.length === 0) return []
    const found = await this.#database.query<TimerRow>(this.#statements.timers, [workspace, texts(storable(keys))])
    return inOrder(keys, found, (row) => toTimer(workspace, row))
  }

  async workspaces(): Promise<ReadonlyArray<string>> {
    const found = await this.#database.query<{ readonly name: string }>(this.#statements.workspaces, [])
    return found.map(({ name }) => name)
  }

  async due(nowMs: number, kinds: ReadonlyArray<string>, limit: number): Promise<ReadonlyArray<StoredTimer>> {
    const parameters = [texts([...new Set(kinds)]), nowMs, rows(limit)]
    const found = await this.#database.query<TimerRow & { readonly workspace: string }>(
      this.#statements.due,
      parameters
    )
    return found.map((row) => toTimer(row.workspace, row))
  }

  async nextDueAtMs(kinds: ReadonlyArray<string>): Promise<number | undefined> {
    const [row] = await this.#database.query<{ readonly due_at: number | null }>(this.#statements.nextDue, [
      texts([...new Set(kinds)])
    ])
    return row?.due_at ?? undefined
  }

  async lagging(reader: string) {
    const found = await this.#database.query<{
      readonly name: string
      readonly position: bigint
      readonly head: bigint
    }>(this.#statements.lagging, [reader])
    return found.map(({ name, position, head }) => ({
      workspace: name,
      cursor: Number(position),
      head: Number(head)
    }))
  }
}
