import type { DatabaseSync, StatementSync } from "node:sqlite"
import { RecentMap } from "@switchboard/storage/RecentMap"
import { type DocumentRow, toDocument } from "@switchboard/storage/SqlRows"
import type { FieldValue, Query, Search, StoredDocument, ViewDefinition } from "@switchboard/storage/StorageDriver"
import { checkQuery, checkSearch, fieldValue } from "@switchboard/storage/View"
import { bound, type ColumnValue, column, tableOf } from "./Columns.ts"
import { TextReader } from "./TextIndex.ts"

/** Reads one view, on the connection it was given. */
export class ViewReader {
  readonly #db: DatabaseSync
  readonly #definition: ViewDefinition
  readonly #table: string
  readonly #byKey: StatementSync
  readonly #text: TextReader | undefined
  /** By SQL: queries of one shape share a statement. */
  readonly #statements = new RecentMap<StatementSync>(100)
  constructor(db: DatabaseSync, definition: ViewDefinition) {
    this.#db = db
    this.#definition = definition
    this.#table = tableOf(definition.name)
    this.#byKey = db.prepare(`SELECT key, version, document FROM ${this.#table} WHERE workspace = ? AND key = ?`)
    this.#text = (definition.words ?? []).length === 0 ? undefined : new TextReader(db, definition)
  }

  document(workspace: number, key: string): StoredDocument | undefined {
    const row = this.#byKey.get(workspace, key) as DocumentRow | undefined
    return row === undefined ? undefined : toDocument(row)
  }

  check(query: Query): void {
    checkQuery(this.#definition, query)
  }

  checkSearch(search: Search): void {
    checkSearch(this.#definition, search)
  }

  /** What a search that was checked finds. */
  search(workspace: number, { terms, limit }: Search): ReadonlyArray<StoredDocument> {
    return this.#text?.search(workspace, terms, limit) ?? []
  }

  /** How many documents are at most not indexed as they stand. */
  behind(): number {
    return this.#text?.behind() ?? 0
  }

  page(workspace: number, query: Query) {
    const found: Array<StoredDocument> = []
    for (const { sql, values } of segments(query)) {
      const missing = query.limit + 1 - found.length
      if (missing === 0) break
      const rows = this.#statement(sql).all(workspace, ...values, missing) as unknown as ReadonlyArray<DocumentRow>
      for (const row of rows) found.push(toDocument(row))
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
  readonly values: ReadonlyArray<ColumnValue>
}

const conditions = (query: Query): Segment => {
  const sql: Array<string> = []
  const values: Array<ColumnValue> = []
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
  const segment = (sql: string, ...values: ReadonlyArray<ColumnValue>): Segment => ({
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
