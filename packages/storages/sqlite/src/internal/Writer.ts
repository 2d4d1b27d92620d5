import type { DatabaseSync, StatementSync } from "node:sqlite"
import { misplaced } from "@switchboard/storage/Holding"
import { RecentMap } from "@switchboard/storage/RecentMap"
import { toClaim } from "@switchboard/storage/SqlRows"
import {
  type Conflict,
  type Erased,
  type Outcome,
  StorageInvalidError,
  type ViewDefinition
} from "@switchboard/storage/StorageDriver"
import { tableOf } from "./Columns.ts"
import type { HoldingWrite } from "./Holdings.ts"
import type { AppendWrite, ClaimWrite, EventWrite, TimerWrite, Write } from "./Packed.ts"
import { mostWorkspaces, rowOf } from "./Position.ts"
import { type ClaimRow, dropped, isLive, type TimerRow, timerColumns, type WorkspaceRow } from "./Rows.ts"
import { textTableOf } from "./TextIndex.ts"
import { ViewWriter } from "./ViewWriter.ts"

/** A workspace while the connection writes: its counters, written back once per group. */
interface Counters {
  readonly id: number
  head: number
  revisions: number
  epoch: number
}

/** Where a stream ends, and whose personal fields it is known to hold. */
interface Tip {
  readonly version: number
  readonly recordedAtMs: number
  readonly subject?: string | undefined
}

const noTip: Tip = { version: 0, recordedAtMs: Number.NEGATIVE_INFINITY }

/** A commit that passed its checks, with the timers that stood before it. */
interface Checked {
  readonly timers: ReadonlyArray<TimerRow | undefined>
}

/**
 * Every write of the contract, on the one connection that writes.
 *
 * Conflicts are found before anything of their commit is written, so only a real failure rolls back, and then the whole
 * transaction. What is remembered between transactions holds until another process wrote, which `data_version` tells.
 */
export class Writer {
  readonly #db: DatabaseSync
  readonly #views: ReadonlyArray<ViewWriter>
  readonly #spaces = new Map<string, Counters>()
  readonly #changed = new Set<Counters>()
  readonly #tips = new RecentMap<Tip>(50_000)
  readonly #statements
  #dataVersion = -1
  constructor(db: DatabaseSync, definitions: ReadonlyArray<ViewDefinition>) {
    this.#db = db
    this.#views = definitions.map((definition) => new ViewWriter(db, definition))
    this.#statements = {
      begin: db.prepare("BEGIN IMMEDIATE"),
      commit: db.prepare("COMMIT"),
      rollback: db.prepare("ROLLBACK"),
      dataVersion: db.prepare("PRAGMA data_version"),
      space: db.prepare("SELECT id, name, head, revisions, epoch FROM workspaces WHERE name = ?"),
      addSpace: db.prepare(
        `INSERT INTO workspaces (name, head, revisions) VALUES (?, 0, 0)
         ON CONFLICT (name) DO UPDATE SET head = 0, revisions = 0 RETURNING id, epoch`
      ),
      saveSpace: db.prepare("UPDATE workspaces SET head = ?, revisions = ?, epoch = ? WHERE id = ?"),
      tip: db.prepare(
        "SELECT version, recorded_at FROM journal WHERE workspace = ? AND stream = ? ORDER BY version DESC LIMIT 1"
      ),
      append: db.prepare(
        `INSERT INTO journal (id, workspace, stream, version, type, schema, recorded_at, subject, personal, body)
         VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`
      ),
      addSubject: db.prepare("INSERT OR IGNORE INTO subjects (workspace, subject, stream) VALUES (?, ?, ?)"),
      cursor: db.prepare("SELECT position FROM cursors WHERE reader = ? AND workspace = ?"),
      removeCursor: db.prepare("DELETE FROM cursors WHERE reader = ? AND workspace = ?"),
      moveCursor: db.prepare("INSERT OR REPLACE INTO cursors (reader, workspace, position) VALUES (?, ?, ?)"),
      claim: db.prepare("SELECT key, value, expires_at, revision FROM claims WHERE workspace = ? AND key = ?"),
      putClaim: db.prepare(
        "INSERT OR REPLACE INTO claims (workspace, key, value, expires_at, revision, subject) VALUES (?, ?, ?, ?, ?, ?)"
      ),
      releaseClaim: db.prepare("DELETE FROM claims WHERE workspace = ? AND key = ?"),
      sweep: db.prepare(
        `DELETE FROM claims WHERE (workspace, key) IN
         (SELECT workspace, key FROM claims WHERE expires_at <= ? AND expires_at IS NOT NULL LIMIT ?)`
      ),
      timer: db.prepare(`SELECT ${timerColumns} FROM timers WHERE workspace = ? AND key = ?`),
      laneHasOthers: db.prepare("SELECT 1 FROM timers WHERE workspace = ? AND lane = ? LIMIT 1"),
      addTimer: db.prepare(
        `INSERT INTO timers (workspace, key, kind, due_at, lane, subject, revision, sequence, ready, payload)
         VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`
      ),
      setTimer: db.prepare(
        "UPDATE timers SET kind = ?, due_at = ?, subject = ?, revision = ?, payload = ? WHERE id = ?"
      ),
      clearTimer: db.prepare("DELETE FROM timers WHERE id = ?"),
      freeNext: db.prepare(
        `UPDATE timers SET ready = 1 WHERE id =
         (SELECT id FROM timers WHERE workspace = ? AND lane = ? ORDER BY sequence LIMIT 1)`
      )
    }
  }

  /** Runs inside one transaction, alone: all of it is written, or nothing. */
  #transaction<A>(run: () => A): A {
    const { begin, commit, rollback, dataVersion } = this.#statements
    begin.run()
    try {
      const version = Number(dataVersion.get()?.data_version)
      if (version !== this.#dataVersion) this.#forget()
      const result = run()
      for (const space of this.#changed)
        this.#statements.saveSpace.run(space.head, space.revisions, space.epoch, space.id)
      this.#changed.clear()
      commit.run()
      this.#dataVersion = version
      return result
    } catch (error) {
      this.#forget()
      this.#dataVersion = -1
      try {
        rollback.run()
      } catch {
        // Some failures, such as a full disk, have rolled back already.
      }
      throw error
    }
  }

  #forget(): void {
    this.#spaces.clear()
    this.#changed.clear()
    this.#tips.clear()
    for (const view of this.#views) view.forget()
  }

  commit(group: ReadonlyArray<Write>, nowMs: number): ReadonlyArray<Outcome> {
    if (group.length === 0) return []
    return this.#transaction(() => {
      const raising = new Set<string>()
      const outcomes = group.map((write): Outcome => {
        const space = this.#space(write.workspace)
        const checked = this.#check(space, write, nowMs)
        if ("kind" in checked) return { ok: false, conflict: checked }
        if (write.raisesEpoch) raising.add(write.workspace)
        return this.#write(space, write, checked)
      })
      for (const workspace of raising) this.#raiseEpoch(this.#space(workspace)!)
      return outcomes
    })
  }

  // ── Workspaces ──

  #space(name: string): Counters | undefined {
    const known = this.#spaces.get(name)
    if (known !== undefined) return known
    const row = this.#statements.space.get(name) as WorkspaceRow | undefined
    if (row === undefined || row.revisions === dropped) return undefined
    const space: Counters = { id: row.id, head: row.head, revisions: row.revisions, epoch: row.epoch }
    this.#spaces.set(name, space)
    return space
  }

  #add(name: string): Counters {
    const row = this.#statements.addSpace.get(name)
    const id = Number(row?.id)
    if (id > mostWorkspaces)
      throw new StorageInvalidError({ field: "workspace", expected: `at most ${mostWorkspaces}`, found: String(id) })
    const space: Counters = { id, head: 0, revisions: 0, epoch: Number(row?.epoch) }
    this.#spaces.set(name, space)
    return space
  }

  /** Of a workspace that was dropped, too, it goes on from where it stood. */
  #epochOf(space: Counters | undefined, name: string): number {
    return space?.epoch ?? Number(this.#statements.space.get(name)?.epoch ?? 0)
  }

  #raiseEpoch(space: Counters): void {
    space.epoch++
    this.#changed.add(space)
  }

  #tip(space: Counters, stream: string): Tip {
    const known = this.#tips.get(space.id, stream)
    if (known !== undefined) return known
    const row = this.#statements.tip.get(space.id, stream)
    const tip = row === undefined ? noTip : { version: Number(row.version), recordedAtMs: Number(row.recorded_at) }
    this.#tips.set(space.id, stream, tip)
    return tip
  }

  // ── What stands elsewhere than expected ──

  #check(space: Counters | undefined, write: Write, nowMs: number): Conflict | Checked {
    if (write.epoch !== null) {
      const found = this.#epochOf(space, write.workspace)
      if (found !== write.epoch) return { kind: "epoch", key: write.workspace, expected: write.epoch, found }
    }
    for (const { stream, expectedVersion } of write.appends) {
      const found = space === undefined ? 0 : this.#tip(space, stream).version
      if (found !== expectedVersion) return { kind: "stream", key: stream, expected: expectedVersion, found }
    }
    const timers: Array<TimerRow | undefined> = []
    for (const { key, revision } of write.timers) {
      const row = space && (this.#statements.timer.get(space.id, key) as TimerRow | undefined)
      const found = row?.revision ?? 0
      if (revision !== null && revision !== found) return { kind: "timer", key, expected: revision, found }
      timers.push(row)
    }
    if (write.cursor !== undefined) {
      const { reader, from } = write.cursor
      const found = space === undefined ? 0 : Number(this.#statements.cursor.get(reader, space.id)?.position ?? 0)
      if (found !== from) return { kind: "cursor", key: reader, expected: from, found }
    }
    for (const { key, revision } of write.claims) {
      const row = space && (this.#statements.claim.get(space.id, key) as ClaimRow | undefined)
      const live = row !== undefined && isLive(row, nowMs) ? row : undefined
      if ((live?.revision ?? null) !== revision)
        return { kind: "claim", key, found: live === undefined ? undefined : toClaim(live) }
    }
    return { timers }
  }

  // ── Writing ──

  #write(known: Counters | undefined, write: Write, checked: Checked): Outcome {
    const { appends, documents, timers, claims, cursor, raisesEpoch } = write
    const events = appends.some((append) => append.events.length > 0)
    const changes = documents.length + timers.length + claims.length
    if (!events && changes === 0 && cursor === undefined && !raisesEpoch) return { ok: true, positions: [] }
    const space = known ?? this.#add(write.workspace)
    const positions: Array<number> = []
    const raised: Array<{ readonly position: number; readonly recordedAtMs: number }> = []
    for (const append of appends) if (append.events.length > 0) this.#append(space, append, positions, raised)
    for (const change of documents) {
      const view = this.#views[change.view]!
      if (change.document === null) view.remove(space.id, change.key)
      else view.put(space.id, change.key, change.document, change)
    }
    for (const [index, change] of timers.entries()) this.#timer(space, change, checked.timers[index])
    if (cursor !== undefined) this.#statements.moveCursor.run(cursor.reader, space.id, cursor.to)
    for (const change of claims) this.#claim(space, change)
    return raised.length === 0 ? { ok: true, positions } : { ok: true, positions, raised }
  }

  #append(
    space: Counters,
    { stream, events }: AppendWrite,
    positions: Array<number>,
    raised: Array<{ readonly position: number; readonly recordedAtMs: number }>
  ): void {
    let { version, recordedAtMs, subject } = this.#tip(space, stream)
    for (const event of events) {
      version++
      const position = ++space.head
      if (event.recordedAtMs >= recordedAtMs) recordedAtMs = event.recordedAtMs
      else raised.push({ position, recordedAtMs })
      this.#insert(space, stream, position, version, recordedAtMs, event)
      if (event.subject !== null && event.subject !== subject) {
        this.#statements.addSubject.run(space.id, event.subject, stream)
        subject = event.subject
      }
      positions.push(position)
    }
    this.#changed.add(space)
    this.#tips.set(space.id, stream, { version, recordedAtMs, subject })
  }

  #insert(
    space: Counters,
    stream: string,
    position: number,
    version: number,
    recordedAtMs: number,
    { type, schema, subject, personal, body }: EventWrite
  ): void {
    const id = rowOf(space.id, position)
    this.#statements.append.run(id, space.id, stream, version, type, schema, recordedAtMs, subject, personal, body)
  }

  #claim(space: Counters, { key, revision, value, expiresAtMs, subject }: ClaimWrite): void {
    if (value === null) this.#statements.releaseClaim.run(space.id, key)
    else {
      const raised = this.#raise(space, (revision ?? space.revisions) + 1)
      this.#statements.putClaim.run(space.id, key, value, expiresAtMs, raised, subject)
    }
  }

  #timer(space: Counters, write: TimerWrite, before: TimerRow | undefined): void {
    const { kind, dueAtMs, payload, lane, subject } = write
    if (payload === null) {
      if (before !== undefined) this.#clear(space, before)
      return
    }
    const revision = this.#raise(space, (before?.revision ?? space.revisions) + 1)
    if (before !== undefined && before.lane === lane) {
      this.#statements.setTimer.run(kind, dueAtMs, subject, revision, payload, before.id)
      return
    }
    const sequence = before === undefined ? revision : this.#raise(space, space.revisions + 1)
    if (before !== undefined) this.#clear(space, before)
    this.#addTimer(space, { ...write, payload }, revision, sequence)
  }

  #addTimer(
    space: Counters,
    { kind, key, dueAtMs, payload, lane, subject }: TimerWrite,
    revision: number,
    sequence: number
  ): void {
    const ready = lane === null || this.#statements.laneHasOthers.get(space.id, lane) === undefined ? 1 : 0
    this.#statements.addTimer.run(space.id, key, kind, dueAtMs, lane, subject, revision, sequence, ready, payload)
  }

  #clear(space: Counters, timer: Pick<TimerRow, "id" | "lane" | "ready">): void {
    this.#statements.clearTimer.run(timer.id)
    if (timer.lane !== null && timer.ready === 1) this.#statements.freeNext.run(space.id, timer.lane)
  }

  #raise(space: Counters, revision: number): number {
    if (revision > space.revisions) {
      space.revisions = revision
      this.#changed.add(space)
    }
    return revision
  }

  // ── Exactly as it stands ──

  /** Puts what a dump held. **Fails with** `StorageInvalidError` (thrown) when an event does not follow on what is there. */
  load(workspace: string, holdings: ReadonlyArray<HoldingWrite>): void {
    if (holdings.length === 0) return
    this.#transaction(() => {
      const space = this.#space(workspace) ?? this.#add(workspace)
      this.#raiseEpoch(space)
      const events = holdings.flatMap((holding, index) => (holding.kind === "event" ? [{ ...holding, index }] : []))
      const refused = misplaced(events, space.head, (stream) => this.#tip(space, stream).version)
      if (refused !== undefined) throw refused
      for (const holding of holdings)
        if (holding.kind === "event") this.#loadEvent(space, holding)
        else this.#loadOther(space, holding)
    })
  }

  #loadEvent(space: Counters, event: HoldingWrite & { readonly kind: "event" }): void {
    const { stream, position, version, write } = event
    this.#insert(space, stream, position, version, write.recordedAtMs, write)
    if (write.personal !== null) this.#statements.addSubject.run(space.id, write.subject, stream)
    space.head = position
    this.#tips.set(space.id, stream, { version, recordedAtMs: write.recordedAtMs, subject: undefined })
  }

  #loadOther(space: Counters, holding: Exclude<HoldingWrite, { readonly kind: "event" }>): void {
    switch (holding.kind) {
      case "document": {
        const { write } = holding
        this.#views[write.view]!.put(space.id, write.key, write.document, write)
        return
      }
      case "timer": {
        const { write } = holding
        const before = this.#statements.timer.get(space.id, write.key) as TimerRow | undefined
        if (before !== undefined) this.#clear(space, before)
        this.#addTimer(space, write, write.revision, write.sequence)
        this.#raise(space, Math.max(write.revision, write.sequence))
        return
      }
      case "claim": {
        const { key, value, expiresAtMs, revision, subject } = holding.write
        this.#statements.putClaim.run(space.id, key, value, expiresAtMs, revision, subject)
        this.#raise(space, revision)
        return
      }
      case "cursor":
        if (holding.position === 0) this.#statements.removeCursor.run(holding.reader, space.id)
        else this.#statements.moveCursor.run(holding.reader, space.id, holding.position)
    }
  }

  // ── Removing ──

  /** Removes a workspace; its number stays its own. */
  drop(workspace: string): void {
    const db = this.#db
    this.#transaction(() => {
      const space = this.#space(workspace)
      if (space === undefined) return
      for (const { view, hasWords } of this.#everyView()) {
        const where = `${tableOf(view)} WHERE workspace = ?`
        if (hasWords) {
          db.prepare(`DELETE FROM ${textTableOf(view)} WHERE rowid IN (SELECT id FROM ${where})`).run(space.id)
          db.prepare(`DELETE FROM words_changed WHERE id IN (SELECT id FROM ${where}) AND view = ?`).run(space.id, view)
        }
        db.prepare(`DELETE FROM ${where}`).run(space.id)
      }
      db.prepare("DELETE FROM journal WHERE id > ? AND id < ?").run(rowOf(space.id, 0), rowOf(space.id + 1, 0))
      for (const table of ["subjects", "timers", "claims", "cursors"])
        db.prepare(`DELETE FROM ${table} WHERE workspace = ?`).run(space.id)
      this.#statements.saveSpace.run(0, dropped, space.epoch + 1, space.id)
      this.#forget()
    })
  }

  /** Every view of the file, also one this program doesn't know. */
  #everyView(): ReadonlyArray<{ readonly view: string; readonly hasWords: boolean }> {
    const hasWords = this.#db.prepare("SELECT 1 FROM words_state WHERE view = ?")
    return this.#db
      .prepare("SELECT name FROM views ORDER BY name")
      .all()
      .map(({ name }) => ({ view: String(name), hasWords: hasWords.get(name!) !== undefined }))
  }

  /** With a stream, only the personal fields of the subject's events in that one. */
  erase(workspace: string, subject: string, stream: string | undefined): Erased {
    const none: Erased = { events: 0, documents: [], timers: [], claims: [] }
    const db = this.#db
    return this.#transaction(() => {
      const space = this.#space(workspace)
      if (space === undefined) return none
      this.#statements.saveSpace.run(space.head, space.revisions, space.epoch + 1, space.id)
      const keysOf = (statement: StatementSync) => statement.all(space.id, subject).map((row) => String(row.key))
      const empty = db.prepare(
        "UPDATE journal SET personal = NULL WHERE workspace = ? AND stream = ? AND subject = ? AND personal IS NOT NULL"
      )
      let events = 0
      const streams = db.prepare("SELECT stream FROM subjects WHERE workspace = ? AND subject = ?")
      const forgetStream = db.prepare("DELETE FROM subjects WHERE workspace = ? AND subject = ? AND stream = ?")
      for (const row of streams.all(space.id, subject)) {
        const found = String(row.stream)
        if (stream !== undefined && found !== stream) continue
        events += Number(empty.run(space.id, found, subject).changes)
        forgetStream.run(space.id, subject, found)
      }
      if (stream !== undefined) {
        // That it is noted in which streams a subject has personal fields is remembered.
        this.#forget()
        return { ...none, events }
      }
      const documents = this.#everyView().flatMap(({ view, hasWords }) => {
        const where = `${tableOf(view)} WHERE workspace = ? AND subject = ?`
        const keys = keysOf(db.prepare(`SELECT key FROM ${where} ORDER BY key`))
        if (hasWords) {
          const ids = `SELECT id FROM ${where}`
          db.prepare(`DELETE FROM ${textTableOf(view)} WHERE rowid IN (${ids})`).run(space.id, subject)
          db.prepare(`DELETE FROM words_changed WHERE id IN (${ids}) AND view = ?`).run(space.id, subject, view)
        }
        db.prepare(`DELETE FROM ${where}`).run(space.id, subject)
        return keys.map((key) => ({ view, key }))
      })
      const timers = db
        .prepare(`SELECT ${timerColumns} FROM timers WHERE workspace = ? AND subject = ? ORDER BY sequence`)
        .all(space.id, subject) as unknown as ReadonlyArray<TimerRow>
      // A row read before may have become ready by the removal of one ahead of it.
      for (const { id } of timers) {
        const timer = db.prepare("SELECT id, lane, ready FROM timers WHERE id = ?").get(id)
        this.#clear(space, timer as unknown as TimerRow)
      }
      const claims = keysOf(db.prepare("SELECT key FROM claims WHERE workspace = ? AND subject = ? ORDER BY key"))
      db.prepare("DELETE FROM claims WHERE workspace = ? AND subject = ?").run(space.id, subject)
      // What is removed here is remembered elsewhere.
      this.#forget()
      return { events, documents, timers: timers.map(({ key }) => key), claims }
    })
  }

  /** Indexes the words of up to `limit` documents; returns of how many. */
  index(limit: number): number {
    return this.#transaction(() => {
      let done = 0
      for (const view of this.#views) if (done < limit) done += view.index(limit - done)
      return done
    })
  }

  /** Removes up to `limit` expired claims. */
  sweep(nowMs: number, limit: number): number {
    return this.#transaction(() => Number(this.#statements.sweep.run(nowMs, limit).changes))
  }
}
