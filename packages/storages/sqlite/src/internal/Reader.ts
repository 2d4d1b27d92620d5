import type { DatabaseSync } from "node:sqlite"
import { type EventRow, toClaim, toEvent, toTimer } from "@switchboard/storage/SqlRows"
import type {
  Found,
  Page,
  Query,
  Search,
  StoredClaim,
  StoredDocument,
  StoredEvent,
  StoredTimer,
  ViewDefinition
} from "@switchboard/storage/StorageDriver"
import { unknownView } from "./Columns.ts"
import { rowOf } from "./Position.ts"
import { type ClaimRow, dropped, eventColumns, isLive, type TimerRow, timerColumns } from "./Rows.ts"
import { ViewReader } from "./ViewReader.ts"

// SQLite wants a 64-bit integer; no page is that long.
const rows = (limit: number): number => Math.min(limit, 2 ** 40)

/** Every read of the contract. */
export class Reader {
  readonly #views: ReadonlyMap<string, ViewReader>
  /** Numbers of workspaces never change. */
  readonly #numbers = new Map<string, number>()
  readonly #statements
  constructor(db: DatabaseSync, definitions: ReadonlyArray<ViewDefinition>) {
    this.#views = new Map(definitions.map((definition) => [definition.name, new ViewReader(db, definition)]))
    const timers = `SELECT ${timerColumns}, (SELECT name FROM workspaces w WHERE w.id = timers.workspace) AS name FROM timers`
    this.#statements = {
      number: db.prepare("SELECT id FROM workspaces WHERE name = ?"),
      head: db.prepare("SELECT head FROM workspaces WHERE id = ?"),
      workspaces: db.prepare(`SELECT name FROM workspaces WHERE revisions > ${dropped} ORDER BY name`),
      stream: db.prepare(
        `SELECT ${eventColumns} FROM journal WHERE workspace = ? AND stream = ? AND version > ? ORDER BY version LIMIT ?`
      ),
      version: db.prepare("SELECT max(version) AS version FROM journal WHERE workspace = ? AND stream = ?"),
      journal: db.prepare(`SELECT ${eventColumns} FROM journal WHERE id > ? AND id < ? ORDER BY id LIMIT ?`),
      epoch: db.prepare("SELECT epoch FROM workspaces WHERE name = ?"),
      cursor: db.prepare("SELECT position FROM cursors WHERE reader = ? AND workspace = ?"),
      claim: db.prepare("SELECT key, value, expires_at, revision FROM claims WHERE workspace = ? AND key = ?"),
      timer: db.prepare(`SELECT ${timerColumns} FROM timers WHERE workspace = ? AND key = ?`),
      due: db.prepare(`${timers} WHERE ready = 1 AND kind = ? AND due_at <= ? ORDER BY due_at, id LIMIT ?`),
      nextDue: db.prepare("SELECT min(due_at) AS due_at FROM timers WHERE ready = 1 AND kind = ?"),
      lagging: db.prepare(
        `SELECT w.name AS workspace, coalesce(c.position, 0) AS cursor, w.head AS head FROM workspaces w
         LEFT JOIN cursors c ON c.reader = ? AND c.workspace = w.id WHERE w.head > coalesce(c.position, 0)`
      )
    }
  }

  #number(workspace: string): number | undefined {
    const known = this.#numbers.get(workspace)
    if (known !== undefined) return known
    const row = this.#statements.number.get(workspace)
    if (row === undefined) return undefined
    this.#numbers.set(workspace, Number(row.id))
    return Number(row.id)
  }

  #view(name: string): ViewReader {
    const view = this.#views.get(name)
    if (view === undefined) throw unknownView(name)
    return view
  }

  stream(workspace: string, stream: string, afterVersion: number, limit: number): ReadonlyArray<StoredEvent> {
    const number = this.#number(workspace)
    if (number === undefined) return []
    const found = this.#statements.stream.all(number, stream, afterVersion, rows(limit))
    return (found as unknown as ReadonlyArray<EventRow>).map((row) => toEvent(workspace, row))
  }

  streamVersions(workspace: string, streams: ReadonlyArray<string>): ReadonlyArray<number> {
    const number = this.#number(workspace)
    return streams.map((stream) =>
      number === undefined ? 0 : Number(this.#statements.version.get(number, stream)?.version ?? 0)
    )
  }

  journal(workspace: string, afterPosition: number, limit: number): ReadonlyArray<StoredEvent> {
    const number = this.#number(workspace)
    if (number === undefined) return []
    const found = this.#statements.journal.all(rowOf(number, afterPosition), rowOf(number + 1, 0), rows(limit))
    return (found as unknown as ReadonlyArray<EventRow>).map((row) => toEvent(workspace, row))
  }

  head(workspace: string): number {
    const number = this.#number(workspace)
    return number === undefined ? 0 : Number(this.#statements.head.get(number)?.head ?? 0)
  }

  documents(workspace: string, view: string, keys: ReadonlyArray<string>): ReadonlyArray<StoredDocument | undefined> {
    const reader = this.#view(view)
    const number = this.#number(workspace)
    return keys.map((key) => (number === undefined ? undefined : reader.document(number, key)))
  }

  query(workspace: string, query: Query): Page {
    const reader = this.#view(query.view)
    reader.check(query)
    const number = this.#number(workspace)
    return number === undefined ? { documents: [] } : reader.page(number, query)
  }

  search(workspace: string, search: Search): Found {
    const reader = this.#view(search.view)
    reader.checkSearch(search)
    const number = this.#number(workspace)
    return { documents: number === undefined ? [] : reader.search(number, search), behind: reader.behind() }
  }

  /** How many documents of all views are at most not indexed as they stand. */
  behind(): number {
    return [...this.#views.values()].reduce((sum, view) => sum + view.behind(), 0)
  }

  cursor(workspace: string, reader: string): number {
    const number = this.#number(workspace)
    return number === undefined ? 0 : Number(this.#statements.cursor.get(reader, number)?.position ?? 0)
  }

  epoch(workspace: string): number {
    return Number(this.#statements.epoch.get(workspace)?.epoch ?? 0)
  }

  claims(workspace: string, keys: ReadonlyArray<string>, nowMs: number): ReadonlyArray<StoredClaim | undefined> {
    const number = this.#number(workspace)
    return keys.map((key) => {
      if (number === undefined) return undefined
      const row = this.#statements.claim.get(number, key) as ClaimRow | undefined
      return row === undefined || !isLive(row, nowMs) ? undefined : toClaim(row)
    })
  }

  timers(workspace: string, keys: ReadonlyArray<string>): ReadonlyArray<StoredTimer | undefined> {
    const number = this.#number(workspace)
    return keys.map((key) => {
      if (number === undefined) return undefined
      const row = this.#statements.timer.get(number, key) as TimerRow | undefined
      return row === undefined ? undefined : toTimer(workspace, row)
    })
  }

  workspaces(): ReadonlyArray<string> {
    return this.#statements.workspaces.all().map((row) => String(row.name))
  }

  due(nowMs: number, kinds: ReadonlyArray<string>, limit: number): ReadonlyArray<StoredTimer> {
    const found = [...new Set(kinds)].flatMap(
      (kind) =>
        this.#statements.due.all(kind, nowMs, rows(limit)) as unknown as ReadonlyArray<
          TimerRow & { readonly name: string }
        >
    )
    return found
      .sort((left, right) => left.due_at - right.due_at || left.id - right.id)
      .slice(0, limit)
      .map((row) => toTimer(row.name, row))
  }

  nextDueAtMs(kinds: ReadonlyArray<string>): number | undefined {
    const times = kinds.flatMap((kind) => {
      const time = this.#statements.nextDue.get(kind)?.due_at
      return typeof time === "number" ? [time] : []
    })
    return times.length === 0 ? undefined : Math.min(...times)
  }

  lagging(reader: string) {
    return this.#statements.lagging.all(reader).map((row) => ({
      workspace: String(row.workspace),
      cursor: Number(row.cursor),
      head: Number(row.head)
    }))
  }
}
