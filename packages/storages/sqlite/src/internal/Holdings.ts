import type { DatabaseSync } from "node:sqlite"
import { setImmediate } from "node:timers/promises"
import {
  type DocumentRow,
  type EventRow,
  type ClaimRow as SqlClaimRow,
  toClaim,
  toDocument,
  toEvent,
  toTimer
} from "@switchboard/storage/SqlRows"
import type { Holding, ViewDefinition } from "@switchboard/storage/StorageDriver"
import { tableOf } from "./Columns.ts"
import {
  type ClaimWrite,
  type DocumentWrite,
  type EventWrite,
  key,
  keyOrNull,
  type PackedViews,
  type TimerWrite,
  toDocumentWrite
} from "./Packed.ts"
import { rowOf } from "./Position.ts"
import { eventColumns, type TimerRow, timerColumns } from "./Rows.ts"

/** A holding as its columns hold it. */
export type HoldingWrite =
  | {
      readonly kind: "event"
      readonly stream: string
      readonly position: number
      readonly version: number
      readonly write: EventWrite
    }
  | { readonly kind: "document"; readonly write: DocumentWrite & { readonly document: string } }
  | {
      readonly kind: "timer"
      readonly write: TimerWrite & { readonly payload: string; readonly revision: number; readonly sequence: number }
    }
  | { readonly kind: "claim"; readonly write: ClaimWrite & { readonly revision: number } }
  | { readonly kind: "cursor"; readonly reader: string; readonly position: number }

const toWrite = (views: PackedViews, holding: Holding, path: string): HoldingWrite => {
  switch (holding.kind) {
    case "event": {
      const { stream, position, version, type, schema, recordedAtMs, body, personal } = holding.event
      const write: EventWrite = {
        type: key(`${path}.event.type`, type),
        schema,
        recordedAtMs,
        subject: keyOrNull(`${path}.event.personal.subject`, personal?.subject),
        personal: (personal?.fields ?? null) === null ? null : JSON.stringify(personal!.fields),
        body: JSON.stringify(body)
      }
      return { kind: "event", stream: key(`${path}.event.stream`, stream), position, version, write }
    }
    case "document":
      return { kind: "document", write: toDocumentWrite(views, holding.view, holding.document, holding.subject, path) }
    case "timer": {
      const { kind, key: name, dueAtMs, payload, lane, subject, revision, sequence } = holding.timer
      const write = {
        key: key(`${path}.timer.key`, name),
        kind: key(`${path}.timer.kind`, kind),
        dueAtMs,
        payload: JSON.stringify(payload),
        lane: keyOrNull(`${path}.timer.lane`, lane),
        subject: keyOrNull(`${path}.timer.subject`, subject),
        revision,
        sequence
      }
      return { kind: "timer", write }
    }
    case "claim": {
      const { key: name, value, expiresAtMs, revision } = holding.claim
      const write = {
        key: key(`${path}.claim.key`, name),
        value: key(`${path}.claim.value`, value),
        expiresAtMs: expiresAtMs ?? null,
        revision,
        subject: keyOrNull(`${path}.subject`, holding.subject)
      }
      return { kind: "claim", write }
    }
    case "cursor":
      return { kind: "cursor", reader: key(`${path}.reader`, holding.reader), position: holding.position }
  }
}

/** **Fails with** `StorageInvalidError` (thrown) for text SQLite would change, and for a view it does not know. */
export const toWrites = (views: PackedViews, holdings: ReadonlyArray<Holding>): ReadonlyArray<HoldingWrite> =>
  holdings.map((holding, index) => toWrite(views, holding, `[${index}]`))

// A batch ends with so many holdings, or so much text in UTF-16 units.
const batchHoldings = 500
const batchText = 500_000
/** So many rows of a table are looked through at a time, of whichever workspace they are. */
const rowsAtOnce = 2_000

/** A holding, and about how much text it has; `undefined`: that was much work for none. */
type Step = readonly [holding: Holding, text: number] | undefined

type Row<A> = A & { readonly subject: string | null }

function* events(db: DatabaseSync, workspace: string, number: number, after: number): Iterable<Step> {
  const rows = db
    .prepare(`SELECT ${eventColumns} FROM journal WHERE id > ? AND id < ? ORDER BY id`)
    .iterate(rowOf(number, after), rowOf(number + 1, 0))
  for (const row of rows as Iterable<unknown> as Iterable<EventRow>)
    yield [{ kind: "event", event: toEvent(workspace, row) }, row.body.length + (row.personal?.length ?? 0)]
}

/** In the order of their ids. An index of the workspace has another, and sorting would hold all documents in memory. */
function* documents(db: DatabaseSync, view: string, number: number): Iterable<Step> {
  const table = tableOf(view)
  const last = Number(db.prepare(`SELECT max(id) AS id FROM ${table}`).get()?.id ?? 0)
  const select = db.prepare(
    `SELECT key, version, document, subject FROM ${table} NOT INDEXED
     WHERE id > ? AND id <= ? AND workspace = ? ORDER BY id`
  )
  for (let after = 0; after < last; after += rowsAtOnce) {
    const rows = select.iterate(after, after + rowsAtOnce, number) as Iterable<unknown> as Iterable<Row<DocumentRow>>
    for (const row of rows) {
      const subject = row.subject === null ? {} : { subject: row.subject }
      yield [{ kind: "document", view, document: toDocument(row), ...subject }, row.document.length]
    }
    yield undefined
  }
}

function* timers(db: DatabaseSync, workspace: string, number: number): Iterable<Step> {
  const get = db.prepare(`SELECT ${timerColumns} FROM timers WHERE id = ?`)
  // Only what is sorted is held in memory, not the payloads.
  for (const { id } of db.prepare("SELECT id FROM timers WHERE workspace = ? ORDER BY sequence").iterate(number)) {
    const row = get.get(id!) as unknown as TimerRow
    yield [{ kind: "timer", timer: toTimer(workspace, row) }, row.payload.length]
  }
}

function* claims(db: DatabaseSync, number: number): Iterable<Step> {
  const rows = db
    .prepare("SELECT key, value, expires_at, revision, subject FROM claims WHERE workspace = ?")
    .iterate(number) as Iterable<unknown> as Iterable<Row<SqlClaimRow>>
  for (const row of rows) {
    const subject = row.subject === null ? {} : { subject: row.subject }
    yield [{ kind: "claim", claim: toClaim(row), ...subject }, row.value.length]
  }
}

function* cursors(db: DatabaseSync, number: number): Iterable<Step> {
  const rows = db.prepare("SELECT reader, position FROM cursors WHERE workspace = ? AND position > 0").iterate(number)
  for (const { reader, position } of rows)
    yield [{ kind: "cursor", reader: String(reader), position: Number(position) }, 0]
}

/** Everything that a workspace holds, as the transaction that the connection is in sees it. */
function* everything(
  db: DatabaseSync,
  views: ReadonlyArray<ViewDefinition>,
  workspace: string,
  afterPosition: number
): Iterable<Step> {
  const found = db.prepare("SELECT id FROM workspaces WHERE name = ?").get(workspace)
  if (found === undefined) return
  const number = Number(found.id)
  yield* events(db, workspace, number, afterPosition)
  for (const { name } of views) yield* documents(db, name, number)
  yield* timers(db, workspace, number)
  yield* claims(db, number)
  yield* cursors(db, number)
}

/** Everything that a workspace holds, in batches; others get their turn between two. */
export async function* dump(
  db: DatabaseSync,
  views: ReadonlyArray<ViewDefinition>,
  workspace: string,
  afterPosition: number
): AsyncIterable<ReadonlyArray<Holding>> {
  let batch: Array<Holding> = []
  let size = 0
  for (const step of everything(db, views, workspace, afterPosition)) {
    if (step !== undefined) {
      batch.push(step[0])
      size += step[1]
      if (batch.length < batchHoldings && size < batchText) continue
    }
    if (batch.length > 0) yield batch
    batch = []
    size = 0
    await setImmediate()
  }
  if (batch.length > 0) yield batch
}
