import { type DocumentRow, toDocument } from "@switchboard/storage/SqlRows"
import type { FieldValue, Found, Query, Search, StoredDocument } from "@switchboard/storage/StorageDriver"
import { checkQuery, checkSearch, compareText, compareValues, fieldValue } from "@switchboard/storage/View"
import { bound, column, quote, type ViewNames } from "./Columns.ts"
import { type Database, texts } from "./Database.ts"
import { TextReader } from "./TextIndex.ts"

type FoundRow = DocumentRow & { readonly long?: boolean }

/** Reads one view. */
export class ViewReader {
  readonly #database: Database
  readonly #names: ViewNames
  readonly #table: string
  readonly #here: string
  readonly #text: TextReader | undefined
  constructor(database: Database, names: ViewNames) {
    const schema = quote(database.settings.schema)
    this.#database = database
    this.#names = names
    this.#table = `${schema}.${quote(names.table)}`
    this.#here = `workspace = (SELECT id FROM ${schema}.workspaces WHERE name = $1)`
    this.#text = names.words === undefined ? undefined : new TextReader(database, names.words)
  }

  async documents(workspace: string, keys: ReadonlyArray<string>): Promise<ReadonlyArray<StoredDocument>> {
    const sql = `SELECT key, version, document FROM ${this.#table} WHERE ${this.#here} AND key = ANY($2::text[])`
    return (await this.#database.query<DocumentRow>(sql, [workspace, texts(keys)])).map(toDocument)
  }

  async search(workspace: string, search: Search): Promise<Found> {
    checkSearch(this.#names.definition, search)
    const { keys, behind } = (await this.#text?.search(workspace, search)) ?? { keys: [], behind: 0 }
    const found = keys.length === 0 ? [] : await this.documents(workspace, keys)
    const byKey = new Map(found.map((document) => [document.key, document]))
    // What was deleted between the two statements is passed over.
    return { documents: keys.flatMap((key) => byKey.get(key) ?? []), behind }
  }

  async page(workspace: string, query: Query) {
    const { definition } = this.#names
    checkQuery(definition, query)
    const found: Array<StoredDocument> = []
    for (const segment of segments(query)) {
      const missing = query.limit + 1 - found.length
      if (missing === 0) break
      const sql = this.#statement(segment)
      const rows = await this.#database.query<FoundRow>(sql, [workspace, missing, ...segment.values])
      found.push(...this.#merged(query, rows).slice(0, missing))
    }
    if (found.length <= query.limit) return { documents: found }
    found.pop()
    const last = found.at(-1)!
    const field = query.order?.field
    const value = field === undefined ? null : fieldValue(definition, last.document, field)
    return { documents: found, next: { value, key: last.key } }
  }

  /**
   * Documents whose indexed texts are too long for an index are in none, and are looked for apart. There are hardly ever
   * any, and what keeps them apart is a small index of its own.
   */
  #statement({ where, order }: Segment): string {
    const page = `${order} LIMIT $2::float8::bigint`
    if (this.#names.indexedTexts.length === 0)
      return `SELECT key, version, document FROM ${this.#table} WHERE ${this.#here}${where}${page}`
    return (
      `(SELECT key, version, document, long FROM ${this.#table} WHERE ${this.#here} AND NOT long${where}${page}) ` +
      `UNION ALL (SELECT key, version, document, long FROM (` +
      `SELECT * FROM ${this.#table} WHERE ${this.#here} AND long OFFSET 0) apart WHERE true${where}${page})`
    )
  }

  #merged(query: Query, rows: ReadonlyArray<FoundRow>): Array<StoredDocument> {
    const documents = rows.map(toDocument)
    if (!rows.some(({ long }) => long === true)) return documents
    const sign = query.order?.direction === "descending" ? -1 : 1
    const field = query.order?.field
    const value = ({ document }: StoredDocument) =>
      field === undefined ? null : fieldValue(this.#names.definition, document, field)
    return documents.sort(
      (left, right) => sign * (compareValues(value(left), value(right)) || compareText(left.key, right.key))
    )
  }
}

interface Segment {
  readonly where: string
  readonly order: string
  /** From `$3` on. */
  readonly values: ReadonlyArray<unknown>
}

/** Collects values, and says by which name a statement knows them. */
class Values {
  readonly all: Array<unknown> = []
  #add(value: unknown): string {
    this.all.push(value)
    return `$${this.all.length + 2}`
  }
  /** As the column `key` holds it. */
  key(key: string): string {
    return `${this.#add(key)}::text`
  }
  one(value: FieldValue): string {
    const type = typeof value === "string" ? "text" : typeof value === "number" ? "float8" : "boolean"
    return `${this.#add(bound(value))}::${type}`
  }
}

const conditions = (query: Query, values: Values): string => {
  const sql: Array<string> = []
  const compare = (field: string, operator: string, value: FieldValue | undefined) => {
    if (value !== undefined && value !== null) sql.push(` AND ${column(field)} ${operator} ${values.one(value)}`)
  }
  for (const condition of query.where ?? []) {
    const { field } = condition
    if ("equals" in condition) {
      if (condition.equals === null) sql.push(` AND ${column(field)} IS NULL`)
      else compare(field, "=", condition.equals)
    } else if ("in" in condition) {
      const wanted = condition.in.filter((value) => value !== null)
      const isNull = wanted.length < condition.in.length ? `${column(field)} IS NULL` : "false"
      if (wanted.length === 0) sql.push(` AND ${isNull}`)
      else {
        const list = wanted.map((value) => values.one(value)).join(", ")
        const isIn = `${column(field)} IN (${list})`
        sql.push(isNull === "false" ? ` AND ${isIn}` : ` AND (${isIn} OR ${isNull})`)
      }
    } else {
      compare(field, ">=", condition.atLeast)
      compare(field, ">", condition.above)
      compare(field, "<=", condition.atMost)
      compare(field, "<", condition.below)
    }
  }
  return sql.join("")
}

/**
 * The queries of a page, to be read one after the other until it is full: nulls apart from the rest, so that each
 * continues within an index instead of testing an OR on every row.
 */
const segments = (query: Query): ReadonlyArray<Segment> => {
  const { order, after } = query
  const descending = order?.direction === "descending"
  const beyond = descending ? "<" : ">"
  const directed = (field: string) => `${column(field)} ${descending ? "DESC NULLS LAST" : "NULLS FIRST"}`
  // A field that is null throughout is named too: unlike one that equals a value, Postgres doesn't see that it is constant.
  const nulls = (query.where ?? []).flatMap((condition) =>
    "equals" in condition && condition.equals === null ? [condition.field] : []
  )
  const fields = [...nulls, ...(order === undefined ? [] : [order.field])]
  const sort = ` ORDER BY ${[...fields.map(directed), `key${descending ? " DESC" : ""}`].join(", ")}`
  const segment = (rest: (values: Values) => string = () => ""): Segment => {
    const values = new Values()
    const where = conditions(query, values) + rest(values)
    return { where, order: sort, values: values.all }
  }
  if (after === undefined) return [segment()]
  const keyBeyond = (values: Values) => ` AND key ${beyond} ${values.key(after.key)}`
  if (order === undefined) return [segment(keyBeyond)]
  const field = column(order.field)
  const { value } = after
  if (value === null) {
    const theNulls = segment((values) => ` AND ${field} IS NULL${keyBeyond(values)}`)
    return descending ? [theNulls] : [theNulls, segment(() => ` AND ${field} IS NOT NULL`)]
  }
  const rest = segment((values) => ` AND (${field}, key) ${beyond} (${values.one(value)}, ${values.key(after.key)})`)
  return descending ? [rest, segment(() => ` AND ${field} IS NULL`)] : [rest]
}
