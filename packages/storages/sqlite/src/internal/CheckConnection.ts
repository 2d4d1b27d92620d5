import type { DatabaseSync } from "node:sqlite"
import { quote } from "./Columns.ts"
import { openConnection } from "./Connection.ts"
import { codeOf } from "./Explain.ts"

/** How the connection that checks is opened. **Units** milliseconds. */
export interface CheckerSettings {
  readonly file: string
  readonly busyTimeoutMs: number
}

/** What can be asked of the connection that checks. */
export interface Checking {
  readonly tables: () => ReadonlyArray<string>
  /** What is wrong with the pages of a table and of its indexes. */
  readonly check: (table: string) => ReadonlyArray<string>
  readonly close: () => void
}

const mostLines = 3

/** What SQLite finds wrong, in its own words, at most a few lines. */
const found = (db: DatabaseSync, pragma: string): ReadonlyArray<string> => {
  const lines: Array<string> = []
  try {
    for (const row of db.prepare(`PRAGMA ${pragma}`).iterate()) lines.push(...String(Object.values(row)[0]).split("\n"))
  } catch (error) {
    // What is damaged may also keep SQLite from going on.
    if (codeOf(error) !== "sqlite-corrupt") throw error
    lines.push((error as Error).message)
  }
  return lines[0] === "ok" ? [] : lines.slice(0, mostLines)
}

/**
 * The tables of a file that are kept as such.
 *
 * What a full-text index consists of is among them; the index itself is not, since SQLite would divide all texts into
 * words again to check it.
 */
export const tablesOf = (db: DatabaseSync): ReadonlyArray<string> => {
  const tables = db.prepare("SELECT name FROM sqlite_schema WHERE type = 'table' AND sql NOT LIKE 'CREATE VIRTUAL %'")
  return ["sqlite_schema", ...tables.all().map((row) => String(row.name))]
}

/** What is wrong with a table. Table by table, so that between two of them nobody's log is held. */
export const checkTable = (db: DatabaseSync, table: string): ReadonlyArray<string> =>
  found(db, `quick_check(${quote(table)})`)

/** What is wrong with all tables. */
export const checkTables = (db: DatabaseSync): ReadonlyArray<string> => {
  for (const table of tablesOf(db)) {
    const lines = checkTable(db, table)
    if (lines.length > 0) return lines
  }
  return []
}

/** What is wrong with anything, also that an index does not hold what its table holds. */
export const checkWhole = (db: DatabaseSync): ReadonlyArray<string> => found(db, `integrity_check(${mostLines})`)

/** Opens a connection that only checks. */
export const openChecker = ({ file, busyTimeoutMs }: CheckerSettings): Checking => {
  const db = openConnection(file, busyTimeoutMs)
  db.exec("PRAGMA query_only = ON")
  return {
    tables: () => tablesOf(db),
    check: (table) => checkTable(db, table),
    close: () => db.close()
  }
}
