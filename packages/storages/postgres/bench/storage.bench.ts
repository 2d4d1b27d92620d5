/**
 * Events: per second through the storage service with 1,000 concurrent writers over 8 connections, next to the same rows
 * inserted raw with `unnest` in batches of the same size, in the same run, on the same server, which syncs every commit:
 * one batch after another, as the commits of one workspace are, and two at once, which one workspace can't have.
 *
 * Write set: one commit appends one event of 300 bytes to a stream of its own.
 *
 * Page: 50 conversations of the inbox of so many, each page where the one before ended; the baseline is the time it is held
 * to. Search: what people type, over so many messages of 25 words, of which few are common and most are rare, as in any
 * language; a tenth of them in a second workspace; the baseline is what SQLite is held to. Index: next to Postgres' own
 * `to_tsvector` of the same texts, in batches of the same size.
 *
 * Run: node --conditions=@switchboard/source bench/storage.bench.ts [--json] [--only events|page|search]
 *   [--seconds 2] [--workspaces 1] [--documents 100000]
 */
import { closeSync, fdatasyncSync, mkdtempSync, openSync, rmSync, writeSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import * as PgClient from "@effect/sql-pg/PgClient"
import { Storage, Words } from "@switchboard/storage"
import type { Commit } from "@switchboard/storage/StorageDriver"
import { PostgresStorage } from "@switchboard/storage-postgres"
import { Effect, ManagedRuntime, Redacted } from "effect"
import { numbers, texts } from "../src/internal/Database.ts"
import { freshSchema, startOwn } from "../test/Server.ts"

const flag = (name: string, fallback: number) => Number(process.argv[process.argv.indexOf(name) + 1]) || fallback
const json = process.argv.includes("--json")
const seconds = process.argv.includes("--seconds") ? flag("--seconds", 2) : 2
const spaces = process.argv.includes("--workspaces") ? flag("--workspaces", 1) : 1
const documents = process.argv.includes("--documents") ? flag("--documents", 100_000) : 100_000
const only = process.argv.includes("--only") ? process.argv[process.argv.indexOf("--only") + 1] : undefined
const rounds = 3
const writers = 1_000
const directory = process.env.BENCH_DIRECTORY ?? tmpdir()

const body = { text: "x".repeat(289) }

const medianOf = (figures: ReadonlyArray<number>): number =>
  figures.toSorted((left, right) => left - right)[Math.floor(figures.length / 2)]!

/** One write and sync of 8 KiB, in milliseconds. */
const syncTime = (): number => {
  const folder = mkdtempSync(join(directory, "switchboard-sync-"))
  const file = openSync(join(folder, "file"), "w")
  const times = Array.from({ length: 200 }, () => {
    const start = performance.now()
    writeSync(file, Buffer.alloc(8_192))
    fdatasyncSync(file)
    return performance.now() - start
  })
  closeSync(file)
  rmSync(folder, { recursive: true })
  return medianOf(times)
}

const measure = async (run: (until: number) => Promise<number>): Promise<number> => {
  const start = performance.now()
  const count = await run(start + seconds * 1_000)
  return (count / (performance.now() - start)) * 1_000
}

const throughService = async (url: string, maxGroup: number): Promise<number> => {
  const driver = PostgresStorage.make({ url, schema: freshSchema(), maxConnections: 8 })
  const storage = await Storage.open(driver, { views: [], now: Date.now, schedule: setImmediate, maxGroup })
  const workspaces = Array.from({ length: spaces }, (_, index) => storage.workspace(`bench-${index}`))
  let count = 0
  const run = async (until: number) => {
    const before = count
    const writer = async (name: number) => {
      while (performance.now() < until) {
        const event = { type: "Measured", schema: 1, recordedAtMs: Date.now(), body }
        const append = { stream: `run/${name}/${count++}`, expectedVersion: 0, events: [event] }
        await workspaces[name % spaces]!.commit({ appends: [append] })
      }
    }
    await Promise.all(Array.from({ length: writers }, (_, name) => writer(name)))
    return count - before
  }
  await run(performance.now() + 500)
  const rate = await measure(run)
  await storage.close()
  return rate
}

/** So many batches under way at once, each one statement. */
const raw = async (url: string, batch: number, atOnce: number): Promise<number> => {
  const runtime = ManagedRuntime.make(PgClient.layer({ url: Redacted.make(url), maxConnections: 8 }))
  const query = (sql: string, parameters: ReadonlyArray<unknown> = []) =>
    runtime.runPromise(Effect.flatMap(PgClient.PgClient, (client) => client.unsafe(sql, parameters)))
  const table = freshSchema()
  await query(`CREATE TABLE ${table} (workspace integer NOT NULL, position bigint NOT NULL, stream text COLLATE "C" NOT NULL,
    version bigint NOT NULL, type text NOT NULL, schema bigint NOT NULL, recorded_at float8 NOT NULL, body text NOT NULL,
    PRIMARY KEY (workspace, position), UNIQUE (workspace, stream, version))`)
  const insert = `INSERT INTO ${table} SELECT 1, p, s, 1, t, 1, r, b
    FROM unnest($1::float8[], $2::text[], $3::text[], $4::float8[], $5::text[]) x(p, s, t, r, b)`
  let position = 0
  const run = async (until: number) => {
    const before = position
    const one = async () => {
      while (performance.now() < until) {
        const places = Array.from({ length: batch }, () => ++position)
        await query(insert, [
          numbers(places),
          texts(places.map((place) => `run/${place % writers}/${place}`)),
          texts(places.map(() => "Measured")),
          numbers(places.map(() => Date.now())),
          texts(places.map(() => JSON.stringify(body)))
        ])
      }
    }
    await Promise.all(Array.from({ length: atOnce }, one))
    return position - before
  }
  await run(performance.now() + 500)
  const rate = await measure(run)
  await query(`DROP TABLE ${table}`)
  await runtime.dispose()
  return rate
}

const report = (name: string, value: number, unit: string, baseline: number, more = ""): void => {
  const round = (figure: number) => (figure < 100 ? Number(figure.toFixed(2)) : Math.round(figure))
  const ratio = Number((value / baseline).toFixed(2))
  const line = { name, value: round(value), unit, baseline: round(baseline), ratio }
  console.log(
    json ? JSON.stringify(line) : `${name}: ${line.value} ${unit} (baseline ${line.baseline}, ratio ${ratio}${more})`
  )
}

const reportTimes = (name: string, times: Array<number>, target: number): void => {
  times.sort((left, right) => left - right)
  for (const [percentile, share] of [
    ["p50", 0.5],
    ["p99", 0.99]
  ] as const)
    report(`${name}.${percentile}`, times[Math.floor(times.length * share)]!, "ms", target)
}

const timed = async <A>(times: Array<number>, run: () => Promise<A>): Promise<A> => {
  const start = performance.now()
  const result = await run()
  times.push(performance.now() - start)
  return result
}

const events = async (url: string): Promise<void> => {
  const syncMs = syncTime()
  for (const maxGroup of [128, 512]) {
    const inTurn: Array<number> = []
    const twoAtOnce: Array<number> = []
    const found: Array<number> = []
    for (let round = 0; round < rounds; round++) {
      inTurn.push(await raw(url, maxGroup, 1))
      found.push(await throughService(url, maxGroup))
      twoAtOnce.push(await raw(url, maxGroup, 2))
    }
    const name = `storage.postgres.events.groups-of-${maxGroup}`
    const sync = `; fdatasync ${syncMs.toFixed(2)} ms`
    report(`${name}.raw-in-turn`, medianOf(found), "events/s", medianOf(inTurn), sync)
    report(`${name}.raw-two-at-once`, medianOf(found), "events/s", medianOf(twoAtOnce), sync)
  }
}

const inbox = {
  name: "inbox",
  version: 1,
  fields: { status: "text", assignee: "text", attention: "number" },
  indexes: [["status", "attention"], ["assignee", "status", "attention"], ["attention"]]
} as const

const messages = { name: "messages", version: 1, fields: {}, indexes: [], words: ["parts.text"] } as const

/** Commits so many documents as a desk that is filled would, and lets Postgres look at what it then has. */
const filled = async (url: string, view: typeof inbox | typeof messages, put: (number: number) => Commit["views"]) => {
  const schema = freshSchema()
  const driver = PostgresStorage.make({ url, schema, maxConnections: 8 })
  await driver.prepare([view])
  for (let number = 0; number < documents; number += 1_000) {
    const views = Array.from({ length: 1_000 }, (_, index) => put(number + index) ?? []).flat()
    const space = (place: number) => views.filter((_, index) => (index % 10 === 9) === (place === 1))
    await driver.commit(
      [0, 1].map((place) => ({ workspace: `w${place}`, views: space(place) })),
      0
    )
  }
  return { driver }
}

const page = async (url: string): Promise<void> => {
  const statuses = ["open", "pending", "snoozed", "resolved", "closed"]
  const { driver } = await filled(url, inbox, (number) => {
    const row = {
      status: statuses[number % 5]!,
      assignee: `agent-${number % 97}`,
      attention: (number * 7_919) % 1_000_003
    }
    const subject = `Conversation ${number}, about an order that has not come`
    const preview = "x".repeat(300)
    return [{ view: inbox.name, key: `conversation/${number}`, put: { ...row, subject, preview } }]
  })
  const order = { field: "attention", direction: "descending" } as const
  for (const [name, where] of [
    ["all", []],
    ["of-a-status", [{ field: "status", equals: "open" }]]
  ] as const) {
    const times: Array<number> = []
    let after: { readonly value: string | number | boolean | null; readonly key: string } | undefined
    for (let turn = 0; turn < 1_000; turn++) {
      const query = { view: inbox.name, where, order, limit: 50, ...(after !== undefined && { after }) }
      after = (await timed(times, () => driver.query("w0", query))).next
    }
    reportTimes(`storage.postgres.page.${name}.of-${documents}`, times, 5)
  }
  await driver.close()
}

const indexedAtOnce = 500

const rawIndex = async (url: string, all: ReadonlyArray<string>): Promise<number> => {
  const runtime = ManagedRuntime.make(PgClient.layer({ url: Redacted.make(url), maxConnections: 1 }))
  const query = (sql: string, parameters: ReadonlyArray<unknown> = []) =>
    runtime.runPromise(Effect.flatMap(PgClient.PgClient, (client) => client.unsafe(sql, parameters)))
  const table = freshSchema()
  await query(`CREATE TABLE ${table} (number bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, words tsvector)`)
  await query(`CREATE INDEX ON ${table} USING gin (words) WITH (fastupdate = on, gin_pending_list_limit = 1024)`)
  const start = performance.now()
  for (let at = 0; at < all.length; at += indexedAtOnce)
    await query(`INSERT INTO ${table} (words) SELECT to_tsvector('simple', t) FROM unnest($1::text[]) x(t)`, [
      texts(all.slice(at, at + indexedAtOnce))
    ])
  const rate = (all.length / (performance.now() - start)) * 1_000
  await query(`DROP TABLE ${table}`)
  await runtime.dispose()
  return rate
}

const search = async (url: string): Promise<void> => {
  let seed = 1
  const random = () => {
    seed = (seed * 1_103_515_245 + 12_345) % 2 ** 31
    return seed / 2 ** 31
  }
  // A word's letters vary, so that beginnings are shared by some words and not by all.
  const wordOf = (rank: number) => ((rank * 7_368_787) % 2_176_782_336).toString(36).padStart(6, "q")
  const word = () => wordOf(Math.floor(random() ** 4 * 50_000))
  const written: Array<string> = []
  const { driver } = await filled(url, messages, (number) => {
    const text = Array.from({ length: 25 }, word)
    if (number % 10_000 === 3) text.push("seldom")
    if (number % 100 === 3) text.push("sometimes")
    written.push(text.join(" "))
    return [{ view: messages.name, key: `message/${number}`, put: { parts: [{ kind: "text", text: written.at(-1) }] } }]
  })
  const fullText = driver.fullText!
  const start = performance.now()
  while ((await fullText.index(indexedAtOnce)) > 0) {
    // Goes on until nothing is left.
  }
  const rate = (documents / (performance.now() - start)) * 1_000
  report(`storage.postgres.index.of-${documents}`, rate, "documents/s", await rawIndex(url, written))
  for (const [name, typed] of [
    ["seldom", "seldom"],
    ["sometimes", "sometimes"],
    ["common", `${wordOf(0)} `],
    ["two-common", `${wordOf(1)} ${wordOf(2)}`],
    ["common-and-seldom", `${wordOf(0)} seldom `],
    ["seldom-and-a-letter", "seldom q"],
    ["as-one-types", undefined]
  ] as const) {
    const times: Array<number> = []
    for (let turn = 0; turn < 200; turn++) {
      const whole = word()
      const terms = Words.termsOf(typed ?? whole.slice(0, 1 + (turn % whole.length)))
      await timed(times, () => fullText.search("w0", { view: messages.name, terms, limit: 200 }))
    }
    reportTimes(`storage.postgres.search.${name}.of-${documents}`, times, 50)
  }
  await driver.close()
}

const server = await startOwn({ max_wal_size: "4GB", shared_buffers: "256MB" }, directory)
try {
  for (const [name, run] of Object.entries({ events, page, search }))
    if (only === undefined || only === name) await run(server.url)
} finally {
  await server.stop()
}
