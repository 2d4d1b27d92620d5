import type { DatabaseSync, StatementSync } from "node:sqlite"
import { RecentMap } from "@switchboard/storage/RecentMap"
import type { ViewDefinition } from "@switchboard/storage/StorageDriver"
import { type ColumnValue, column, tableOf } from "./Columns.ts"
import type { DocumentWrite } from "./Packed.ts"
import { TextWriter } from "./TextIndex.ts"

interface Known {
  readonly id: number
  readonly subject: string | null
  readonly values: ReadonlyArray<ColumnValue>
}

/** Writes one view. It remembers the indexed values of rows, to write only the columns, and so the indexes, that change. */
export class ViewWriter {
  readonly #db: DatabaseSync
  readonly #table: string
  readonly #fields: ReadonlyArray<string>
  readonly #known = new RecentMap<Known>(20_000)
  readonly #find: StatementSync
  readonly #insert: StatementSync
  readonly #remove: StatementSync
  readonly #text: TextWriter | undefined
  #lastWasNew = true
  /** By the columns they set. */
  readonly #updates = new RecentMap<StatementSync>(50)
  constructor(db: DatabaseSync, definition: ViewDefinition) {
    this.#db = db
    this.#table = tableOf(definition.name)
    this.#fields = Object.keys(definition.fields)
    const columns = this.#fields.map((field) => `, ${column(field)}`).join("")
    this.#find = db.prepare(`SELECT id, subject${columns} FROM ${this.#table} WHERE workspace = ? AND key = ?`)
    this.#insert = db.prepare(
      `INSERT INTO ${this.#table} (workspace, key, version, subject${columns}, document)
       VALUES (?, ?, ?, ?${", ?".repeat(this.#fields.length)}, ?) ON CONFLICT (workspace, key) DO NOTHING`
    )
    this.#remove = db.prepare(`DELETE FROM ${this.#table} WHERE workspace = ? AND key = ? RETURNING id`)
    this.#text = (definition.words ?? []).length === 0 ? undefined : new TextWriter(db, definition)
  }

  put(workspace: number, key: string, document: string, { version, subject, values }: DocumentWrite): void {
    const remembered = this.#known.get(workspace, key)
    let known = remembered
    if (known === undefined) {
      // What was so last time is tried first: messages are nearly always new, rows of conversations nearly never.
      if (!this.#lastWasNew) known = this.#read(workspace, key)
      if (known === undefined) {
        const { changes, lastInsertRowid } = this.#insert.run(workspace, key, version, subject, ...values, document)
        this.#lastWasNew = changes === 1
        if (changes === 1) {
          this.#text?.wrote(Number(lastInsertRowid), document)
          this.#known.set(workspace, key, { id: Number(lastInsertRowid), subject, values })
          return
        }
        known = this.#read(workspace, key)!
      }
    }
    const changed: Array<number> = []
    for (let index = 0; index < values.length; index++) if (values[index] !== known.values[index]) changed.push(index)
    const moved = known.subject !== subject
    const parameters: Array<ColumnValue> = changed.map((index) => values[index] ?? null)
    if (moved) parameters.push(subject)
    this.#update(changed, moved).run(...parameters, version, document, known.id)
    this.#text?.wrote(known.id, document)
    if (moved || changed.length > 0 || remembered === undefined)
      this.#known.set(workspace, key, { id: known.id, subject, values })
  }

  remove(workspace: number, key: string): void {
    const row = this.#remove.get(workspace, key)
    if (row !== undefined) this.#text?.removed(Number(row.id))
    this.#known.delete(workspace, key)
  }

  forget(): void {
    this.#known.clear()
    this.#text?.forget()
  }

  /** Indexes the words of up to `limit` rows; returns of how many. */
  index(limit: number): number {
    return this.#text?.index(limit) ?? 0
  }

  #read(workspace: number, key: string): Known | undefined {
    const row = this.#find.get(workspace, key) as Record<string, ColumnValue> | undefined
    if (row === undefined) return undefined
    const values = this.#fields.map((field) => row[`f_${field}`] ?? null)
    return { id: Number(row.id), subject: row.subject === null ? null : String(row.subject), values }
  }

  #update(changed: ReadonlyArray<number>, moved: boolean): StatementSync {
    const name = `${changed.join()}${moved}`
    const known = this.#updates.get(this.#table, name)
    if (known !== undefined) return known
    const columns = changed.map((index) => `${column(this.#fields[index]!)} = ?, `).join("")
    const statement = this.#db.prepare(
      `UPDATE ${this.#table} SET ${columns}${moved ? "subject = ?, " : ""}version = ?, document = ? WHERE id = ?`
    )
    this.#updates.set(this.#table, name, statement)
    return statement
  }
}
