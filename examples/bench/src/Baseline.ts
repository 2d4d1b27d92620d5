/** What the same rows cost without a desk: `node:sqlite` alone, one loop, nothing checked and nothing decided. */
import { join } from "node:path"
import { DatabaseSync } from "node:sqlite"
import { percentile } from "./Figures.ts"

/** Bytes of JSON in a document or event, as the desk writes them in this benchmark. */
const sizes = { event: 760, conversation: 910, message: 580, slaRecord: 700, inbox: 620 } as const

const text = (bytes: number): string => JSON.stringify("x".repeat(bytes - 2))
const texts = Object.fromEntries(Object.entries(sizes).map(([name, bytes]) => [name, text(bytes)])) as Record<
  keyof typeof sizes,
  string
>

/** Writes what so many messages write, in transactions of `group`, each synced to disk. */
export const make = (directory: string, live: number) => {
  const db = new DatabaseSync(join(directory, "baseline.db"))
  db.exec(`PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; PRAGMA cache_size = -65536;
    PRAGMA wal_autocheckpoint = 4000;
    CREATE TABLE claims (key TEXT PRIMARY KEY, value TEXT) WITHOUT ROWID;
    CREATE TABLE journal (id INTEGER PRIMARY KEY, stream TEXT, version INTEGER, body TEXT);
    CREATE UNIQUE INDEX journal_stream ON journal (stream, version);
    CREATE TABLE messages (id INTEGER PRIMARY KEY, key TEXT, conversation TEXT, sequence INTEGER, body TEXT);
    CREATE UNIQUE INDEX messages_key ON messages (key);
    CREATE INDEX messages_place ON messages (conversation, sequence);`)
  for (const view of ["conversation", "slaRecord", "inbox"])
    db.exec(`CREATE TABLE ${view} (id INTEGER PRIMARY KEY, key TEXT UNIQUE, body TEXT)`)
  const claim = db.prepare("INSERT INTO claims VALUES (?, ?)")
  const event = db.prepare("INSERT INTO journal (stream, version, body) VALUES (?, ?, ?)")
  const message = db.prepare("INSERT INTO messages (key, conversation, sequence, body) VALUES (?, ?, ?, ?)")
  const put = (view: string) =>
    db.prepare(`INSERT INTO ${view} (id, key, body) VALUES (?, ?, ?) ON CONFLICT DO UPDATE SET body = excluded.body`)
  const puts = { conversation: put("conversation"), slaRecord: put("slaRecord"), inbox: put("inbox") }
  const begin = db.prepare("BEGIN IMMEDIATE")
  const commit = db.prepare("COMMIT")
  let count = 0
  const write = (person: number, views: ReadonlyArray<keyof typeof puts>): void => {
    const key = `conversation/${person.toString().padStart(36, "0")}`
    const sequence = ++count
    claim.run(`platform/main/wamid.bench.${sequence}`, `${key}/${sequence}`)
    event.run(key, sequence, texts.event)
    message.run(`${sequence}`.padStart(36, "0"), key, sequence, texts.message)
    for (const view of views) puts[view].run(person, key, texts[view])
  }
  const groupOf = (size: number, views: ReadonlyArray<keyof typeof puts>, person: () => number): number => {
    const from = performance.now()
    begin.run()
    for (let each = 0; each < size; each++) write(person(), views)
    commit.run()
    return performance.now() - from
  }
  const inbound = ["conversation"] as const
  const whole = ["conversation", "slaRecord", "inbox"] as const
  for (let person = 0; person < live; person += 256) {
    let next = person
    groupOf(Math.min(256, live - person), whole, () => next++)
  }
  return {
    /** Messages per second in groups of 256, and CPU of each in µs. */
    throughput: (messages: number, kind: "inbound" | "whole", person: () => number) => {
      const cpu = process.cpuUsage()
      let ms = 0
      for (let done = 0; done < messages; done += 256) ms += groupOf(256, kind === "whole" ? whole : inbound, person)
      const { user, system } = process.cpuUsage(cpu)
      return { perSecond: (messages / ms) * 1000, cpuUs: (user + system) / messages }
    },
    /** How long a message alone takes to be durable, in ms: for each share of them. */
    latency: (shares: ReadonlyArray<number>, person: () => number): ReadonlyArray<number> => {
      const times = Array.from({ length: 2000 }, () => groupOf(1, inbound, person)).sort((a, b) => a - b)
      return shares.map((share) => percentile(times, share))
    },
    close: () => db.close()
  }
}
