/**
 * Events per second through the storage service with 1,000 concurrent writers over 8 connections, next to the same rows
 * inserted raw with `unnest` in batches of the same size, in the same run, on the same server, which syncs every commit:
 * one batch after another, as the commits of one workspace are, and two at once, which one workspace can't have.
 *
 * Write set: one commit appends one event of 300 bytes to a stream of its own.
 * Run: node --conditions=@switchboard/source bench/storage.bench.ts [--json] [--seconds 2] [--workspaces 1]
 */
import { closeSync, fdatasyncSync, mkdtempSync, openSync, rmSync, writeSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import * as PgClient from "@effect/sql-pg/PgClient"
import { Storage } from "@switchboard/storage"
import { PostgresStorage } from "@switchboard/storage-postgres"
import { Effect, ManagedRuntime, Redacted } from "effect"
import { numbers, texts } from "../src/internal/Database.ts"
import { freshSchema, startOwn } from "../test/Server.ts"

const flag = (name: string, fallback: number) => Number(process.argv[process.argv.indexOf(name) + 1]) || fallback
const json = process.argv.includes("--json")
const seconds = process.argv.includes("--seconds") ? flag("--seconds", 2) : 2
const spaces = process.argv.includes("--workspaces") ? flag("--workspaces", 1) : 1
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

const server = await startOwn({ max_wal_size: "4GB", shared_buffers: "256MB" }, directory)
try {
  const syncMs = syncTime()
  for (const maxGroup of [128, 512]) {
    const inTurn: Array<number> = []
    const twoAtOnce: Array<number> = []
    const found: Array<number> = []
    for (let round = 0; round < rounds; round++) {
      inTurn.push(await raw(server.url, maxGroup, 1))
      found.push(await throughService(server.url, maxGroup))
      twoAtOnce.push(await raw(server.url, maxGroup, 2))
    }
    const value = Math.round(medianOf(found))
    for (const [how, rates] of [
      ["raw-in-turn", inTurn],
      ["raw-two-at-once", twoAtOnce]
    ] as const) {
      const baseline = Math.round(medianOf(rates))
      const name = `storage.postgres.events.groups-of-${maxGroup}.${how}`
      const line = { name, value, unit: "events/s", baseline, ratio: Number((value / baseline).toFixed(2)) }
      console.log(
        json
          ? JSON.stringify(line)
          : `${name}: ${value} events/s (baseline ${baseline}, ratio ${line.ratio}; fdatasync ${syncMs.toFixed(2)} ms)`
      )
    }
  }
} finally {
  await server.stop()
}
