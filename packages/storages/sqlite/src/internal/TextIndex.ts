import type { DatabaseSync } from "node:sqlite"
import { RecentMap } from "@switchboard/storage/RecentMap"
import { type DocumentRow, toDocument } from "@switchboard/storage/SqlRows"
import type { JsonObject, StoredDocument, ViewDefinition } from "@switchboard/storage/StorageDriver"
import { textOf } from "@switchboard/storage/View"
import { type Term, wordsOf } from "@switchboard/storage/Words"
import { quote, tableOf } from "./Columns.ts"

/** The words of a view's documents, under the ids of their rows. */
export const textTableOf = (view: string): string => quote(`words_${view}`)

/** Every row also holds a word for its workspace: no other can be like it, `wordsOf` finds none with an underscore. */
const workspaceWord = (workspace: number): string => `_${workspace}`

/**
 * Prepares the index of a view, empty when it is new or covers other words than before; {@link TextWriter.index} fills it.
 *
 * The words come folded and divided; FTS5 only has to keep them apart. `detail=column`: no phrases are searched.
 * `prefix`: what somebody types begins with few letters, and without an index of those all words that begin so are read.
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
  db.exec(`CREATE VIRTUAL TABLE ${table} USING fts5 (words, tokenize = "ascii tokenchars '_'", prefix = '2 3', detail = column);
    INSERT INTO ${table} (${table}, rank) VALUES ('secure-delete', 1)`)
  db.prepare("INSERT INTO words_state VALUES (?, ?, 0)").run(name, paths)
}

// A batch ends when it has read so much text, in UTF-16 units: commits wait for it.
const batchText = 500_000

// Longer ones are not remembered: to index them once more costs less than to keep them all.
const rememberedText = 1_000

/** Keeps one view's index: new rows are those beyond its position, others that changed are noted until they are indexed. */
export class TextWriter {
  readonly #definition: ViewDefinition
  readonly #statements
  /** The highest id that was indexed in its turn; `undefined`: to be read. */
  #position: number | undefined
  /** What the index holds of rows, or will once what is noted is done: most writes change other things than words. */
  readonly #texts = new RecentMap<string>(20_000)
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
  wrote(id: number, document: string): void {
    if (id > this.#reached()) return
    const text = this.#textOf(document)
    if (this.#texts.get(this.#definition.name, `${id}`) === text) return
    this.#statements.note.run(this.#definition.name, id)
    this.#remember(id, text)
  }

  removed(id: number): void {
    if (id > this.#reached()) return
    this.#statements.remove.run(id)
    this.#statements.forgetChange.run(this.#definition.name, id)
    this.#texts.delete(this.#definition.name, `${id}`)
  }

  forget(): void {
    this.#position = undefined
    this.#texts.clear()
  }

  /** Indexes up to `limit` rows, fewer where they are long; returns how many it did. */
  index(limit: number): number {
    const { name } = this.#definition
    let done = 0
    let read = 0
    const isFull = () => done === limit || read >= batchText
    for (const row of this.#statements.changed.iterate(name, limit) as Iterable<unknown> as Iterable<Row>) {
      this.#statements.remove.run(row.id)
      if (row.document !== null) read += this.#add(row)
      this.#statements.forgetChange.run(name, row.id)
      done++
      if (isFull()) return done
    }
    let last: number | undefined
    const next = this.#statements.next.iterate(this.#reached(), limit - done)
    for (const row of next as Iterable<unknown> as Iterable<Row>) {
      read += this.#add(row)
      last = row.id
      done++
      if (isFull()) break
    }
    if (last !== undefined) {
      this.#statements.move.run(last, name)
      this.#position = last
    }
    return done
  }

  /** Returns how long the text is. */
  #add({ id, workspace, document }: Row): number {
    const text = this.#textOf(document!)
    this.#remember(id, text)
    if (text === "") return 0
    const words = [workspaceWord(workspace), ...wordsOf(text).map((word) => word.text)]
    this.#statements.add.run(id, words.join(" "))
    return text.length
  }

  #textOf(document: string): string {
    return textOf(this.#definition, JSON.parse(document) as JsonObject)
  }

  #remember(id: number, text: string): void {
    const [view, key] = [this.#definition.name, `${id}`]
    if (text.length <= rememberedText) this.#texts.set(view, key, text)
    else this.#texts.delete(view, key)
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
      changed: db.prepare("SELECT count(*) AS behind FROM words_changed WHERE view = ?"),
      // Counting them would take longer the more are left; ids without a row are few.
      next: db.prepare(
        `SELECT coalesce((SELECT max(id) FROM ${table}), 0) - position AS behind FROM words_state WHERE view = ?`
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
      toDocument
    )
  }

  /** How many rows are at most not indexed as they stand. */
  behind(): number {
    const { changed, next } = this.#statements
    return Number(changed.get(this.#view)?.behind) + Math.max(0, Number(next.get(this.#view)?.behind))
  }
}
