import type { DatabaseSync } from "node:sqlite"
import type { JsonObject, StoredDocument, ViewDefinition } from "@switchboard/storage/StorageDriver"
import { textOf } from "@switchboard/storage/View"
import { type Term, wordsOf } from "@switchboard/storage/Words"
import { quote, tableOf } from "./Columns.ts"
import { type DocumentRow, documentOf } from "./Rows.ts"

/** The words of a view's documents, under the ids of their rows. */
export const textTableOf = (view: string): string => quote(`words_${view}`)

/** Every row also holds a word for its workspace: no other can be like it, `wordsOf` finds none with an underscore. */
const workspaceWord = (workspace: number): string => `_${workspace}`

/**
 * Prepares the index of a view, empty when it is new or covers other words than before; {@link TextWriter.index} fills it.
 *
 * The words come folded and divided; FTS5 only has to keep them apart. `detail=column`: no phrases are searched.
 */
export const prepareText = (db: DatabaseSync, { name, words = [] }: ViewDefinition): void => {
  const paths = JSON.stringify(words)
  const stored = db.prepare("SELECT paths FROM words_state WHERE view = ?").get(name)
  if (stored?.paths === paths || (stored === undefined && words.length === 0)) return
  const table = textTableOf(name)
  db.exec(`DROP TABLE IF EXISTS ${table}`)
  db.prepare("DELETE FROM words_changed WHERE view = ?").run(name)
  db.prepare("DELETE FROM words_state WHERE view = ?").run(name)
  if (words.length === 0) return
  // secure-delete: what is removed leaves no bytes in the index.
  db.exec(`CREATE VIRTUAL TABLE ${table} USING fts5 (words, tokenize = "ascii tokenchars '_'", detail = column);
    INSERT INTO ${table} (${table}, rank) VALUES ('secure-delete', 1)`)
  db.prepare("INSERT INTO words_state VALUES (?, ?, 0)").run(name, paths)
}

/** Keeps one view's index: new rows are those beyond its position, others that changed are noted until they are indexed. */
export class TextWriter {
  readonly #definition: ViewDefinition
  readonly #statements
  /** The highest id that was indexed in its turn; `undefined`: to be read. */
  #position: number | undefined
  constructor(db: DatabaseSync, definition: ViewDefinition) {
    this.#definition = definition
    const { name } = definition
    const [table, text] = [tableOf(name), textTableOf(name)]
    this.#statements = {
      position: db.prepare("SELECT position FROM words_state WHERE view = ?"),
      move: db.prepare("UPDATE words_state SET position = ? WHERE view = ?"),
      note: db.prepare("INSERT OR IGNORE INTO words_changed VALUES (?, ?)"),
      forgetChange: db.prepare("DELETE FROM words_changed WHERE view = ? AND id = ?"),
      changed: db.prepare(
        `SELECT c.id, v.workspace, v.document FROM words_changed c LEFT JOIN ${table} v ON v.id = c.id
         WHERE c.view = ? ORDER BY c.id LIMIT ?`
      ),
      next: db.prepare(`SELECT id, workspace, document FROM ${table} WHERE id > ? ORDER BY id LIMIT ?`),
      remove: db.prepare(`DELETE FROM ${text} WHERE rowid = ?`),
      add: db.prepare(`INSERT INTO ${text} (rowid, words) VALUES (?, ?)`)
    }
  }

  /** A row was inserted or changed. A row's id is that of an earlier one when the last was deleted. */
  wrote(id: number): void {
    if (id <= this.#reached()) this.#statements.note.run(this.#definition.name, id)
  }

  removed(id: number): void {
    if (id > this.#reached()) return
    this.#statements.remove.run(id)
    this.#statements.forgetChange.run(this.#definition.name, id)
  }

  forget(): void {
    this.#position = undefined
  }

  /** Indexes up to `limit` rows; returns how many it did. */
  index(limit: number): number {
    const { name } = this.#definition
    const changed = this.#statements.changed.all(name, limit) as ReadonlyArray<unknown> as ReadonlyArray<Row>
    for (const row of changed) {
      this.#statements.remove.run(row.id)
      if (row.document !== null) this.#add(row)
      this.#statements.forgetChange.run(name, row.id)
    }
    const missing = limit - changed.length
    const next =
      missing === 0 ? [] : (this.#statements.next.all(this.#reached(), missing) as unknown as ReadonlyArray<Row>)
    for (const row of next) this.#add(row)
    const last = next.at(-1)
    if (last !== undefined) {
      this.#statements.move.run(last.id, name)
      this.#position = last.id
    }
    return changed.length + next.length
  }

  #add({ id, workspace, document }: Row): void {
    const text = textOf(this.#definition, JSON.parse(document!) as JsonObject)
    if (text === "") return
    const words = [workspaceWord(workspace), ...wordsOf(text).map((word) => word.text)]
    this.#statements.add.run(id, words.join(" "))
  }

  #reached(): number {
    this.#position ??= Number(this.#statements.position.get(this.#definition.name)?.position ?? 0)
    return this.#position
  }
}

interface Row {
  readonly id: number
  readonly workspace: number
  /** `null`: it is gone. */
  readonly document: string | null
}

/** Searches one view. */
export class TextReader {
  readonly #statements
  readonly #view: string
  constructor(db: DatabaseSync, { name }: ViewDefinition) {
    this.#view = name
    const [table, text] = [tableOf(name), textTableOf(name)]
    this.#statements = {
      search: db.prepare(
        `SELECT v.key, v.version, v.document FROM ${text} t JOIN ${table} v ON v.id = t.rowid
         WHERE t.words MATCH ? AND v.workspace = ? ORDER BY t.rowid DESC LIMIT ?`
      ),
      hasSeveral: db.prepare("SELECT 1 FROM workspaces LIMIT 1 OFFSET 1"),
      behind: db.prepare(
        `SELECT (SELECT count(*) FROM words_changed WHERE view = ?1) + (SELECT count(*) FROM ${table}
         WHERE id > (SELECT position FROM words_state WHERE view = ?1)) AS behind`
      )
    }
  }

  search(workspace: number, terms: ReadonlyArray<Term>, limit: number): ReadonlyArray<StoredDocument> {
    // Terms hold letters and digits only, so that none can close the quotes.
    const wanted = terms.map(({ text, isPrefix }) => `"${text}"${isPrefix ? "*" : ""}`)
    // Where there is one workspace only, its word would be looked up for nothing: every row has it.
    if (this.#statements.hasSeveral.get() !== undefined) wanted.unshift(`"${workspaceWord(workspace)}"`)
    const match = wanted.join(" AND ")
    return (this.#statements.search.all(match, workspace, limit) as unknown as ReadonlyArray<DocumentRow>).map(
      documentOf
    )
  }

  /** Rows that are not indexed as they stand. */
  behind(): number {
    return Number(this.#statements.behind.get(this.#view)?.behind ?? 0)
  }
}
