/**
 * Full text over many messages in SQLite: how fast they are indexed, and how long a search takes, next to an FTS5 table
 * of the same texts that divides them itself and is asked for the same words.
 *
 * A message has 8 to 40 words of a vocabulary in which the n-th is 1/n as frequent as the first, as in a language.
 *
 * `--messages 200000` sets how many there are. They are indexed in batches of 200, as a desk does.
 */
import { mkdtempSync, rmSync, statSync } from "node:fs"
import { join } from "node:path"
import { DatabaseSync } from "node:sqlite"
import { parseArgs } from "node:util"
import { Storage } from "@switchboard/storage"
import { SqliteStorage } from "@switchboard/storage-sqlite"
import { percentile, report, say } from "./Figures.ts"

const { values } = parseArgs({
  options: { messages: { type: "string", default: "200000" }, json: { type: "boolean", default: false } }
})
const messages = Number(values.messages)
const searchesOfAKind = 250

let seed = 1
const random = (): number => {
  seed = (Math.imul(seed, 1_103_515_245) + 12_345) >>> 0
  return seed / 2 ** 32
}

const vocabulary = Array.from({ length: 50_000 }, () =>
  Array.from({ length: 3 + Math.floor(random() * 8) }, () => String.fromCharCode(97 + Math.floor(random() * 26))).join(
    ""
  )
)
/** The n-th word with a probability of about 1/n. */
const word = (): string => vocabulary[Math.floor(vocabulary.length ** random()) - 1]!
const text = (): string => Array.from({ length: 8 + Math.floor(random() * 33) }, word).join(" ")

const kinds: Readonly<Record<string, () => string>> = {
  "one word": () => `${word()} `,
  "two words": () => `${word()} ${word()} `,
  "a beginning of three letters": () => word().slice(0, 3),
  "a word and a beginning": () => `${word()} ${word().slice(0, 3)}`
}

const timed = async (run: () => unknown): Promise<number> => {
  const begin = performance.now()
  await run()
  return performance.now() - begin
}

const directory = mkdtempSync(join(process.cwd(), ".bench-"))
const file = join(directory, "search.db")
const view = { name: "messages", version: 1, fields: {}, indexes: [], words: ["parts.text"] } as const
const storage = await Storage.open(SqliteStorage.make({ file }), {
  views: [view],
  now: () => 0,
  schedule: setImmediate
})
const workspace = storage.workspace("bench")
const raw = new DatabaseSync(join(directory, "raw.db"))
raw.exec(`PRAGMA journal_mode = WAL; PRAGMA synchronous = OFF;
  CREATE TABLE messages (id INTEGER PRIMARY KEY, body TEXT);
  CREATE VIRTUAL TABLE words USING fts5 (body, content = 'messages', content_rowid = 'id')`)
const keep = raw.prepare("INSERT INTO messages VALUES (?, ?)")
const add = raw.prepare("INSERT INTO words (rowid, body) VALUES (?, ?)")

say(`writing ${messages} messages …`)
let rawMs = 0
const atOnce = 1_000
for (let done = 0; done < messages; done += atOnce) {
  const texts = Array.from({ length: Math.min(atOnce, messages - done) }, text)
  const views = texts.map((said, index) => ({
    view: view.name,
    key: `message/${done + index}`,
    put: { id: `message/${done + index}`, parts: [{ kind: "text", text: said }] }
  }))
  await workspace.commit({ views })
  raw.exec("BEGIN")
  for (const [index, said] of texts.entries()) keep.run(done + index + 1, said)
  rawMs += await timed(() => {
    for (const [index, said] of texts.entries()) add.run(done + index + 1, said)
  })
  raw.exec("COMMIT")
}
const indexMs = await timed(async () => {
  while ((await storage.index(200)) > 0) {
    // Goes on until nothing is left.
  }
})
report({
  name: "indexing",
  value: (messages / indexMs) * 1_000,
  unit: "messages/s",
  baseline: (messages / rawMs) * 1_000
})
const rawSearch = raw.prepare(
  `SELECT m.id, m.body FROM words w JOIN messages m ON m.id = w.rowid WHERE words MATCH ? ORDER BY w.rowid DESC LIMIT 200`
)
const matchOf = (typed: string): string => {
  const words = typed.trim().split(" ")
  return words
    .map((one, index) => `"${one}"${index === words.length - 1 && !typed.endsWith(" ") ? "*" : ""}`)
    .join(" AND ")
}
for (const [kind, typed] of Object.entries(kinds)) {
  const times: Array<number> = []
  const baseline: Array<number> = []
  for (let search = 0; search < searchesOfAKind; search++) {
    const one = typed()
    times.push(await timed(() => workspace.search(view.name, one)))
    baseline.push(await timed(() => rawSearch.all(matchOf(one))))
  }
  for (const all of [times, baseline]) all.sort((left, right) => left - right)
  for (const share of [0.5, 0.99])
    report({
      name: `a search for ${kind} in ${messages} messages, p${share * 100}`,
      value: percentile(times, share),
      unit: "ms",
      baseline: percentile(baseline, share)
    })
}
await storage.close()
raw.close()
const perMessage = (name: string): number => statSync(join(directory, name)).size / messages
report({ name: "on disk", value: perMessage("search.db"), unit: "bytes/message", baseline: perMessage("raw.db") })
rmSync(directory, { recursive: true })
