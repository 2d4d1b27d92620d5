import type { DatabaseSync, SQLInputValue, StatementSync } from "node:sqlite"
import { RecentMap } from "@switchboard/storage/RecentMap"
import {
  type FieldValue,
  type JsonObject,
  type Query,
  StorageInvalidError,
  type StoredDocument,
  type ViewDefinition
} from "@switchboard/storage/StorageDriver"
import { checkQuery, fieldValue } from "@switchboard/storage/View"

const quote = (identifier: string): string => `"${identifier.replaceAll('"', '""')}"`

export const tableOf = (view: string): string => quote(`view_${view}`)

const column = (field: string): string => quote(`f_${field}`)

const columnTypes = { text: "TEXT", number: "REAL", boolean: "INTEGER" } as const

const bound = (value: FieldValue): SQLInputValue =>
  typeof value === "boolean" ? Number(value) : typeof value === "string" ? value.toWellFormed() : value

const definitionRow = (definition: ViewDefinition): readonly [string, string] => [
  JSON.stringify(Object.entries(definition.fields).sort()),
  JSON.stringify(definition.indexes)
]

interface StoredDefinition {
  readonly version: number
  readonly fields: string
  readonly indexes: string
}

const create = (db: DatabaseSync, definition: ViewDefinition, table: string): void => {
  const fields = Object.entries(definition.fields).map(([field, type]) => `, ${column(field)} ${columnTypes[type]}`)
  db.exec(
    `CREATE TABLE ${table} (id INTEGER PRIMARY KEY, workspace INTEGER NOT NULL, key TEXT NOT NULL, version INTEGER,
     subject TEXT${fields.join("")}, document TEXT NOT NULL)`
  )
}

const createIndexes = (db: DatabaseSync, definition: ViewDefinition): void => {
  const table = tableOf(definition.name)
  const name = (suffix: string) => quote(`view_${definition.name}_${suffix}`)
  // No index on the subject: every document would pay for it, and only an erasure, which is rare and may scan, gains.
  db.exec(`CREATE UNIQUE INDEX ${name("key")} ON ${table} (workspace, key)`)
  for (const [number, fields] of definition.indexes.entries())
    db.exec(`CREATE INDEX ${name(`index_${number}`)} ON ${table} (workspace, ${fields.map(column).join(", ")}, key)`)
}

/** Fills a new table from the old one: columns follow from the documents. */
const copy = (db: DatabaseSync, definition: ViewDefinition, from: string, to: string): void => {
  const fields = Object.keys(definition.fields)
  const places = ["id", "workspace", "key", "version", "subject", ...fields, "document"].map(() => "?").join(", ")
  const insert = db.prepare(`INSERT INTO ${to} VALUES (${places})`)
  for (const row of db.prepare(`SELECT id, workspace, key, version, subject, document FROM ${from}`).iterate()) {
    const { id, workspace, key, version, subject, document } = row as Record<string, SQLInputValue>
    const parsed = JSON.parse(String(document)) as JsonObject
    const values = fields.map((field) => bound(fieldValue(definition, parsed, field)))
    insert.run(id!, workspace!, key!, version!, subject!, ...values, document!)
  }
}

/** Creates the table of a view, or builds it anew beside the old one when its definition changed. */
export const prepareView = (db: DatabaseSync, definition: ViewDefinition): "ready" | { readonly newer: number } => {
  const table = tableOf(definition.name)
  const [fields, indexes] = definitionRow(definition)
  const select = db.prepare("SELECT version, fields, indexes FROM views WHERE name = ?")
  const stored = select.get(definition.name) as StoredDefinition | undefined
  if (stored !== undefined && stored.version > definition.version) return { newer: stored.version }
  const same = stored !== undefined && stored.fields === fields && stored.indexes === indexes
  if (!same) {
    if (stored === undefined) create(db, definition, table)
    else {
      const beside = quote(`new_view_${definition.name}`)
      create(db, definition, beside)
      copy(db, definition, table, beside)
      db.exec(`DROP TABLE ${table}; ALTER TABLE ${beside} RENAME TO ${table}`)
    }
    createIndexes(db, definition)
  }
  if (!same || stored.version !== definition.version)
    db.prepare("INSERT OR REPLACE INTO views VALUES (?, ?, ?, ?)").run(
      definition.name,
      definition.version,
      fields,
      indexes
    )
  return "ready"
}

interface DocumentRow {
  readonly key: string
  readonly version: number | null
  readonly document: string
}

const documentOf = (row: DocumentRow): StoredDocument => {
  const document = JSON.parse(row.document) as JsonObject
  return row.version === null ? { key: row.key, document } : { key: row.key, document, version: row.version }
}

/** Reads one view, on the connection it was given. */
export class ViewReader {
  readonly #db: DatabaseSync
  readonly #definition: ViewDefinition
  readonly #table: string
  readonly #byKey: StatementSync
  /** By SQL: queries of one shape share a statement. */
  readonly #statements = new RecentMap<StatementSync>(100)
  constructor(db: DatabaseSync, definition: ViewDefinition) {
    this.#db = db
    this.#definition = definition
    this.#table = tableOf(definition.name)
    this.#byKey = db.prepare(`SELECT key, version, document FROM ${this.#table} WHERE workspace = ? AND key = ?`)
  }

  document(workspace: number, key: string): StoredDocument | undefined {
    const row = this.#byKey.get(workspace, key) as DocumentRow | undefined
    return row === undefined ? undefined : documentOf(row)
  }

  check(query: Query): void {
    checkQuery(this.#definition, query)
  }

  page(workspace: number, query: Query) {
    const found: Array<StoredDocument> = []
    for (const { sql, values } of segments(query)) {
      const missing = query.limit + 1 - found.length
      if (missing === 0) break
      const rows = this.#statement(sql).all(workspace, ...values, missing) as unknown as ReadonlyArray<DocumentRow>
      for (const row of rows) found.push(documentOf(row))
    }
    if (found.length <= query.limit) return { documents: found }
    found.pop()
    const last = found.at(-1)!
    const field = query.order?.field
    const value = field === undefined ? null : fieldValue(this.#definition, last.document, field)
    return { documents: found, next: { value, key: last.key } }
  }

  #statement(rest: string): StatementSync {
    const known = this.#statements.get(this.#table, rest)
    if (known !== undefined) return known
    const statement = this.#db.prepare(
      `SELECT key, version, document FROM ${this.#table} WHERE workspace = ?${rest} LIMIT ?`
    )
    this.#statements.set(this.#table, rest, statement)
    return statement
  }
}

interface Segment {
  readonly sql: string
  readonly values: ReadonlyArray<SQLInputValue>
}

const conditions = (query: Query): Segment => {
  const sql: Array<string> = []
  const values: Array<SQLInputValue> = []
  const compare = (field: string, operator: string, value: FieldValue | undefined) => {
    if (value === undefined) return
    sql.push(` AND ${column(field)} ${operator} ?`)
    values.push(bound(value))
  }
  for (const condition of query.where ?? []) {
    const { field } = condition
    if ("equals" in condition) {
      if (condition.equals === null) sql.push(` AND ${column(field)} IS NULL`)
      else compare(field, "=", condition.equals)
    } else if ("in" in condition) {
      const wanted = condition.in.filter((value) => value !== null)
      const or = wanted.length < condition.in.length ? ` OR ${column(field)} IS NULL` : ""
      sql.push(` AND (${column(field)} IN (${wanted.map(() => "?").join(", ")})${or})`)
      values.push(...wanted.map(bound))
    } else {
      compare(field, ">=", condition.atLeast)
      compare(field, ">", condition.above)
      compare(field, "<=", condition.atMost)
      compare(field, "<", condition.below)
    }
  }
  return { sql: sql.join(""), values }
}

/**
 * The queries of a page, to be read one after the other until it is full: nulls apart from the rest, so that each
 * continues within an index instead of testing an OR on every row.
 */
const segments = (query: Query): ReadonlyArray<Segment> => {
  const where = conditions(query)
  const descending = query.order?.direction === "descending"
  const direction = descending ? " DESC" : ""
  const beyond = descending ? "<" : ">"
  const { order, after } = query
  const byKey = ` ORDER BY key${direction}`
  const segment = (sql: string, ...values: ReadonlyArray<SQLInputValue>): Segment => ({
    sql: where.sql + sql,
    values: [...where.values, ...values]
  })
  if (order === undefined)
    return [after === undefined ? segment(byKey) : segment(` AND key ${beyond} ?${byKey}`, after.key)]
  const field = column(order.field)
  const byField = ` ORDER BY ${field}${direction}, key${direction}`
  if (after === undefined) return [segment(byField)]
  if (after.value === null) {
    const nulls = segment(` AND ${field} IS NULL AND key ${beyond} ?${byKey}`, after.key)
    return descending ? [nulls] : [nulls, segment(` AND ${field} IS NOT NULL${byField}`)]
  }
  const rest = segment(` AND (${field}, key) ${beyond} (?, ?)${byField}`, bound(after.value), after.key)
  return descending ? [rest, segment(` AND ${field} IS NULL${byKey}`)] : [rest]
}

interface Known {
  readonly id: number
  readonly subject: string | null
  readonly values: ReadonlyArray<SQLInputValue>
}

/** Writes one view. It remembers the indexed values of rows, to write only the columns, and so the indexes, that change. */
export class ViewWriter {
  readonly #db: DatabaseSync
  readonly #definition: ViewDefinition
  readonly #table: string
  readonly #fields: ReadonlyArray<string>
  readonly #known = new RecentMap<Known>(20_000)
  readonly #find: StatementSync
  readonly #insert: StatementSync
  readonly #remove: StatementSync
  #lastWasNew = true
  /** By the columns they set. */
  readonly #updates = new RecentMap<StatementSync>(50)
  constructor(db: DatabaseSync, definition: ViewDefinition) {
    this.#db = db
    this.#definition = definition
    this.#table = tableOf(definition.name)
    this.#fields = Object.keys(definition.fields)
    const columns = this.#fields.map((field) => `, ${column(field)}`).join("")
    this.#find = db.prepare(`SELECT id, subject${columns} FROM ${this.#table} WHERE workspace = ? AND key = ?`)
    this.#insert = db.prepare(
      `INSERT INTO ${this.#table} (workspace, key, version, subject${columns}, document)
       VALUES (?, ?, ?, ?${", ?".repeat(this.#fields.length)}, ?) ON CONFLICT (workspace, key) DO NOTHING`
    )
    this.#remove = db.prepare(`DELETE FROM ${this.#table} WHERE workspace = ? AND key = ?`)
  }

  put(workspace: number, key: string, document: JsonObject, version: number | undefined, subject: string | undefined) {
    const text = JSON.stringify(document)
    const values = this.#fields.map((field) => bound(fieldValue(this.#definition, document, field)))
    const newSubject = subject ?? null
    const newVersion = version ?? null
    const remembered = this.#known.get(workspace, key)
    let known = remembered
    if (known === undefined) {
      // What was so last time is tried first: messages are nearly always new, rows of conversations nearly never.
      if (!this.#lastWasNew) known = this.#read(workspace, key)
      if (known === undefined) {
        const { changes, lastInsertRowid } = this.#insert.run(workspace, key, newVersion, newSubject, ...values, text)
        this.#lastWasNew = changes === 1
        if (changes === 1) {
          this.#known.set(workspace, key, { id: Number(lastInsertRowid), subject: newSubject, values })
          return
        }
        known = this.#read(workspace, key)!
      }
    }
    const changed: Array<number> = []
    for (let index = 0; index < values.length; index++) if (values[index] !== known.values[index]) changed.push(index)
    const moved = known.subject !== newSubject
    const parameters: Array<SQLInputValue> = changed.map((index) => values[index] ?? null)
    if (moved) parameters.push(newSubject)
    this.#update(changed, moved).run(...parameters, newVersion, text, known.id)
    if (moved || changed.length > 0 || remembered === undefined)
      this.#known.set(workspace, key, { id: known.id, subject: newSubject, values })
  }

  remove(workspace: number, key: string): void {
    this.#remove.run(workspace, key)
    this.#known.delete(workspace, key)
  }

  forget(): void {
    this.#known.clear()
  }

  #read(workspace: number, key: string): Known | undefined {
    const row = this.#find.get(workspace, key) as Record<string, SQLInputValue> | undefined
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

export const unknownView = (view: string): StorageInvalidError =>
  new StorageInvalidError({ field: "view", expected: "a prepared view", found: view })
