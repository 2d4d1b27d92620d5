import {
  type ClaimRow,
  type DocumentRow,
  type EventRow,
  type TimerRow,
  toClaim,
  toDocument,
  toEvent,
  toTimer
} from "@switchboard/storage/SqlRows"
import type { Holding } from "@switchboard/storage/StorageDriver"
import { columnTexts, content, key, keyOrNull, quote, unknownView, type ViewNames } from "./Columns.ts"
import { type Database, type Session, texts } from "./Database.ts"
import { eventColumns, timerColumns } from "./Rows.ts"

// ── What is loaded ──

/** An event as its columns hold it; `index` is where it stands in what was handed over. */
export interface EventWrite {
  readonly index: number
  readonly stream: string
  readonly position: number
  readonly version: number
  readonly type: string
  readonly schema: number
  readonly recordedAtMs: number
  readonly subject: string | null
  readonly personal: string | null
  readonly body: string
}

interface DocumentWrite {
  readonly key: string
  readonly version: number | null
  readonly subject: string | null
  readonly document: string
  readonly columns: ReadonlyArray<string | null>
}

interface TimerWrite {
  readonly key: string
  readonly kind: string
  readonly dueAtMs: number
  readonly lane: string | null
  readonly subject: string | null
  readonly revision: number
  readonly sequence: number
  readonly payload: string
}

interface ClaimWrite {
  readonly key: string
  readonly value: string
  readonly expiresAtMs: number | null
  readonly revision: number
  readonly subject: string | null
}

/** What is loaded, kind by kind, as its columns hold it; of what has the same key only the last. */
export interface Load {
  readonly events: ReadonlyArray<EventWrite>
  /** In the order of the views' names, as a group of commits comes to them. */
  readonly documents: ReadonlyArray<readonly [ViewNames, ReadonlyArray<DocumentWrite>]>
  readonly timers: ReadonlyArray<TimerWrite>
  readonly claims: ReadonlyArray<ClaimWrite>
  readonly cursors: ReadonlyArray<readonly [reader: string, position: number]>
  /** The highest revision or sequence. */
  readonly revisions: number
}

/** **Fails with** `StorageInvalidError` (thrown) for text Postgres can't keep, and for a view it does not know. */
export const toLoad = (views: ReadonlyMap<string, ViewNames>, holdings: ReadonlyArray<Holding>): Load => {
  const events: Array<EventWrite> = []
  const documents = new Map<string, Map<string, DocumentWrite>>()
  const timers = new Map<string, TimerWrite>()
  const claims = new Map<string, ClaimWrite>()
  const cursors = new Map<string, number>()
  let revisions = 0
  for (const [index, holding] of holdings.entries()) {
    const path = `[${index}]`
    switch (holding.kind) {
      case "event": {
        const { stream, position, version, type, schema, recordedAtMs, body, personal } = holding.event
        const fields = personal?.fields ?? null
        events.push({
          index,
          stream: key(`${path}.event.stream`, stream),
          position,
          version,
          type: key(`${path}.event.type`, type),
          schema,
          recordedAtMs,
          subject: keyOrNull(`${path}.event.personal.subject`, personal?.subject),
          personal: fields === null ? null : JSON.stringify(fields),
          body: JSON.stringify(body)
        })
        break
      }
      case "document": {
        const { view, document, subject } = holding
        const names = views.get(view)
        if (names === undefined) throw unknownView(view)
        const write = {
          key: key(`${path}.document.key`, document.key),
          version: document.version ?? null,
          subject: keyOrNull(`${path}.subject`, subject),
          document: JSON.stringify(document.document),
          columns: columnTexts(names, document.document)
        }
        const found = documents.get(view)
        if (found === undefined) documents.set(view, new Map([[write.key, write]]))
        else found.set(write.key, write)
        break
      }
      case "timer": {
        const { kind, key: name, dueAtMs, payload, lane, subject, revision, sequence } = holding.timer
        timers.set(name, {
          key: key(`${path}.timer.key`, name),
          kind: key(`${path}.timer.kind`, kind),
          dueAtMs,
          lane: keyOrNull(`${path}.timer.lane`, lane),
          subject: keyOrNull(`${path}.timer.subject`, subject),
          revision,
          sequence,
          payload: JSON.stringify(payload)
        })
        revisions = Math.max(revisions, revision, sequence)
        break
      }
      case "claim": {
        const { key: name, value, expiresAtMs, revision } = holding.claim
        claims.set(name, {
          key: key(`${path}.claim.key`, name),
          value: content(`${path}.claim.value`, value),
          expiresAtMs: expiresAtMs ?? null,
          revision,
          subject: keyOrNull(`${path}.subject`, holding.subject)
        })
        revisions = Math.max(revisions, revision)
        break
      }
      case "cursor":
        cursors.set(key(`${path}.reader`, holding.reader), holding.position)
    }
  }
  return {
    events,
    documents: [...documents]
      .sort(([left], [right]) => (left < right ? -1 : 1))
      .map(([view, writes]) => [views.get(view)!, [...writes.values()]]),
    timers: [...timers.values()],
    claims: [...claims.values()],
    cursors: [...cursors],
    revisions
  }
}

// ── What is dumped ──

// A batch ends with so many holdings, or so many bytes of text.
const batchHoldings = 500
const batchBytes = 500_000
/** The names of so many rows are in memory at a time. */
const namesAtOnce = 2_000

type Holder<A> = A & { readonly subject: string | null }

/** Where one kind of holdings is. */
interface Source {
  readonly table: string
  /** The column that names a row within its workspace, and its type. */
  readonly name: readonly [column: string, type: "text" | "bigint"]
  readonly columns: string
  /** How many bytes of text a row has. */
  readonly bytes: string
  readonly where?: string
  readonly order: string
  readonly toHolding: (row: never) => Holding
}

const subjectOf = ({ subject }: { readonly subject: string | null }) => (subject === null ? {} : { subject })

const sourcesOf = (views: Iterable<ViewNames>, workspace: string, afterPosition: number): ReadonlyArray<Source> => [
  {
    table: "journal",
    name: ["position", "bigint"],
    columns: eventColumns,
    bytes: "octet_length(body) + coalesce(octet_length(personal), 0)",
    where: `position > ${Math.max(0, Math.min(afterPosition, Number.MAX_SAFE_INTEGER))}`,
    order: "position",
    toHolding: (row: EventRow) => ({ kind: "event", event: toEvent(workspace, row) })
  },
  ...Array.from(
    views,
    ({ definition: { name: view }, table }): Source => ({
      table: quote(table),
      name: ["key", "text"],
      columns: "key, version, document, subject",
      bytes: "octet_length(document)",
      order: "number",
      toHolding: (row: Holder<DocumentRow>) => ({
        kind: "document",
        view,
        document: toDocument(row),
        ...subjectOf(row)
      })
    })
  ),
  {
    table: "timers",
    name: ["key", "text"],
    columns: timerColumns,
    bytes: "octet_length(payload)",
    order: "sequence",
    toHolding: (row: TimerRow) => ({ kind: "timer", timer: toTimer(workspace, row) })
  },
  {
    table: "claims",
    name: ["key", "text"],
    columns: "key, value, expires_at, revision, subject",
    bytes: "octet_length(value)",
    order: "key",
    toHolding: (row: Holder<ClaimRow>) => ({ kind: "claim", claim: toClaim(row), ...subjectOf(row) })
  },
  {
    table: "cursors",
    name: ["reader", "text"],
    columns: "reader, position",
    bytes: "0",
    where: "position > 0",
    order: "reader",
    toHolding: ({ reader, position }: { readonly reader: string; readonly position: bigint }) => ({
      kind: "cursor",
      reader,
      position: Number(position)
    })
  }
]

interface NamedRow {
  readonly name: string
  readonly bytes: number
}

/** What one source holds of a workspace. Only names are sorted, on the server, and rows are read by them. */
async function* holdingsOf(session: Session, number: number, source: Source): AsyncIterable<ReadonlyArray<Holding>> {
  const { table, name, columns, bytes, where = "true", order, toHolding } = source
  const [column, type] = name
  const here = `t.workspace = ${number}`
  await session.query(
    `DECLARE names NO SCROLL CURSOR FOR
     SELECT ${column}::text AS name, ${bytes} AS bytes FROM ${table} t WHERE ${here} AND ${where} ORDER BY ${order}`
  )
  const select = `SELECT r.* FROM unnest($1::text[]) WITH ORDINALITY n(name, place) CROSS JOIN LATERAL (
      SELECT ${columns} FROM ${table} t WHERE ${here} AND t.${column} = n.name::${type} LIMIT 1
    ) r ORDER BY n.place`
  for (;;) {
    const named = await session.query<NamedRow>(`FETCH ${namesAtOnce} FROM names`)
    if (named.length === 0) break
    for (let from = 0, upto = 0; from < named.length; from = upto) {
      for (let size = 0; upto < named.length && upto - from < batchHoldings && size < batchBytes; upto++)
        size += named[upto]!.bytes
      const rows = await session.query(select, [texts(named.slice(from, upto).map((row) => row.name))])
      yield rows.map((row) => toHolding(row as never))
    }
  }
  await session.query("CLOSE names")
}

/** Everything that a workspace holds at one instant, in batches, on a connection of its own. */
export async function* dump(
  database: Database,
  views: Iterable<ViewNames>,
  workspace: string,
  afterPosition: number
): AsyncIterable<ReadonlyArray<Holding>> {
  const session = await database.session()
  try {
    await session.query("BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY")
    await session.query("SELECT set_config('search_path', quote_ident($1) || ', pg_temp', true)", [
      database.settings.schema
    ])
    const [found] = await session.query<{ readonly id: number }>("SELECT id FROM workspaces WHERE name = $1", [
      workspace
    ])
    if (found === undefined) return
    for (const source of sourcesOf(views, workspace, afterPosition)) yield* holdingsOf(session, found.id, source)
  } finally {
    await session.close()
  }
}
