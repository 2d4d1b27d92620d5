import type { DatabaseSync, SQLInputValue } from "node:sqlite"
import type { JsonObject, ViewDefinition } from "@switchboard/storage/StorageDriver"
import { fieldValue } from "@switchboard/storage/View"
import { bound, column, columnTypes, quote, tableOf } from "./Columns.ts"
import { prepareText } from "./TextIndex.ts"

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
  prepareText(db, definition)
  return "ready"
}
