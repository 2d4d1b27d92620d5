/** What several tests start from: a directory of their own, a view, a file with much in it, and its pages. */
import { strict as assert } from "node:assert"
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { DatabaseSync } from "node:sqlite"
import { SqliteStorage } from "@switchboard/storage-sqlite"

export const inDirectory = async (run: (file: string, directory: string) => Promise<void>): Promise<void> => {
  const directory = mkdtempSync(join(tmpdir(), "switchboard-sqlite-"))
  try {
    await run(join(directory, "desk.db"), directory)
  } finally {
    rmSync(directory, { recursive: true })
  }
}

export const view = {
  name: "things",
  version: 1,
  fields: { size: "number" },
  indexes: [["size"]],
  words: ["text"]
} as const

export const event = { type: "E", schema: 1, recordedAtMs: 0, body: {} }

export const open = async (file: string, options: Partial<SqliteStorage.Options> = {}) => {
  const driver = SqliteStorage.make({ file, ...options })
  await driver.prepare([view])
  return driver
}

/** What was filled before, by its number of commits. */
const filled = new Map<number, Buffer>()

/** Writes a file with so many commits, about 4 KiB each, and closes it. */
export const fill = async (file: string, commits: number): Promise<void> => {
  const known = filled.get(commits)
  if (known !== undefined) {
    writeFileSync(file, known)
    return
  }
  const driver = await open(file)
  const group = Array.from({ length: commits }, (_, number) => ({
    workspace: "w",
    appends: [
      { stream: `s${number}`, expectedVersion: 0, events: [{ ...event, body: { number, text: "e".repeat(2_000) } }] }
    ],
    views: [{ view: "things", key: `${number}`, put: { size: number, text: `word${number} ${"d".repeat(1_500)}` } }],
    claims: [{ key: `c${number}`, value: `${number}` }]
  }))
  for (let from = 0; from < commits; from += 100)
    for (const outcome of await driver.commit(group.slice(from, from + 100), 0)) assert(outcome.ok)
  while ((await driver.fullText!.index(1_000)) > 0) {
    // Goes on until nothing is left.
  }
  await driver.close()
  filled.set(commits, readFileSync(file))
}

/** The pages of a table, by their numbers; the first is its root. */
export const pagesOf = (file: string, table: string): ReadonlyArray<number> => {
  const db = new DatabaseSync(file)
  const root = db.prepare("SELECT rootpage FROM sqlite_schema WHERE name = ?").get(table)?.rootpage
  db.close()
  const bytes = readFileSync(file)
  // https://www.sqlite.org/fileformat.html#b_tree_pages
  const pages = (page: number): ReadonlyArray<number> => {
    const start = (page - 1) * 4096
    if (bytes[start] !== 5) return [page]
    const count = bytes.readUInt16BE(start + 3)
    const children = Array.from({ length: count }, (_, index) =>
      bytes.readUInt32BE(start + bytes.readUInt16BE(start + 12 + index * 2))
    )
    return [page, ...[...children, bytes.readUInt32BE(start + 8)].flatMap(pages)]
  }
  return pages(Number(root))
}

/** Overwrites a page, as a bad disk does. */
export const damage = (file: string, page: number): void => {
  const bytes = readFileSync(file)
  bytes.fill(0xa5, (page - 1) * 4096, page * 4096)
  writeFileSync(file, bytes)
}

/** The names in a directory of files that hold these bytes. */
export const holding = (directory: string, text: string): ReadonlyArray<string> =>
  readdirSync(directory).filter((name) => readFileSync(join(directory, name)).includes(text))
