/**
 * Commits per second through the storage service, at 1, 64 and 1,024 concurrent writers, next to raw `node:sqlite`
 * inserting the same rows and index entries in transactions of the same size, in the same run, on the same disk.
 *
 * Write set: one commit appends one event of 300 bytes to a stream of its own. Journal in WAL mode, synchronous=FULL.
 * Run: node --conditions=@switchboard/source bench/storage.bench.ts [--json] [--seconds 1]
 */
import { mkdtempSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { DatabaseSync } from "node:sqlite"
import { Storage } from "@switchboard/storage"
import type { StorageDriver } from "@switchboard/storage/StorageDriver"
import { SqliteStorage } from "@switchboard/storage-sqlite"

const json = process.argv.includes("--json")
const seconds = Number(process.argv[process.argv.indexOf("--seconds") + 1]) || 1
const rounds = 3

const body = { text: "x".repeat(289) }
const bytes = JSON.stringify(body).length

const inDirectory = async <A>(run: (file: string) => Promise<A>): Promise<A> => {
  const directory = mkdtempSync(join(process.env.BENCH_DIRECTORY ?? tmpdir(), "switchboard-bench-"))
  try {
    return await run(join(directory, "bench.db"))
  } finally {
    rmSync(directory, { recursive: true })
  }
}

interface Rate {
  readonly perSecond: number
  readonly cpuMicroseconds: number
}

const measure = async (run: (until: number) => Promise<number>): Promise<Rate> => {
  const cpu = process.cpuUsage()
  const start = performance.now()
  const count = await run(start + seconds * 1_000)
  const elapsed = performance.now() - start
  const { user, system } = process.cpuUsage(cpu)
  return { perSecond: (count / elapsed) * 1_000, cpuMicroseconds: (user + system) / count }
}

const commits = async (storage: Storage.Storage, writers: number, until: number, prefix: string): Promise<number> => {
  const workspace = storage.workspace("bench")
  let count = 0
  const writer = async (name: number) => {
    while (performance.now() < until) {
      const stream = `${prefix}/${name}/${count++}`
      const event = { type: "Measured", schema: 1, recordedAtMs: 1_700_000_000_000, body }
      await workspace.commit({ appends: [{ stream, expectedVersion: 0, events: [event] }] })
    }
  }
  await Promise.all(Array.from({ length: writers }, (_, name) => writer(name)))
  return count
}

const throughService = (writers: number): Promise<Rate> =>
  inDirectory(async (file) => {
    const options = { views: [], now: () => 1_700_000_000_000, schedule: setImmediate }
    const storage = await Storage.open(SqliteStorage.make({ file }), options)
    await commits(storage, writers, performance.now() + 200, "warm")
    const rate = await measure((until) => commits(storage, writers, until, "run"))
    await storage.close()
    return rate
  })

const raw = (writers: number, batch: number): Promise<Rate> =>
  inDirectory(async (file) => {
    const db = new DatabaseSync(file)
    db.exec(`PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; PRAGMA cache_size = -65536;
      PRAGMA wal_autocheckpoint = 4000;
      CREATE TABLE journal (id INTEGER PRIMARY KEY, workspace INTEGER, stream TEXT, version INTEGER, type TEXT,
        recorded_at INTEGER, body TEXT);
      CREATE UNIQUE INDEX journal_stream ON journal (workspace, stream, version)`)
    const begin = db.prepare("BEGIN IMMEDIATE")
    const end = db.prepare("COMMIT")
    const insert = db.prepare("INSERT INTO journal VALUES (?, 1, ?, 1, 'Measured', 1700000000000, ?)")
    let position = 0
    const run = async (until: number) => {
      const before = position
      while (performance.now() < until) {
        begin.run()
        for (let each = 0; each < batch; each++)
          insert.run(++position, `run/${position % writers}/${position}`, JSON.stringify(body))
        end.run()
        await new Promise(setImmediate)
      }
      return position - before
    }
    await run(performance.now() + 200)
    const rate = await measure(run)
    db.close()
    return rate
  })

/** Accepts everything and keeps nothing: what is left is the cost of the service itself. */
const accepting = (): StorageDriver => {
  let head = 0
  const refuse = () => Promise.reject(new Error("not part of this measurement"))
  return {
    name: "accepting",
    capabilities: { durable: false, multiProcess: false, notify: false, fullText: false },
    prepare: async () => {},
    commit: async (group) =>
      group.map(({ appends = [] }) => ({
        ok: true,
        positions: appends.flatMap(({ events }) => events.map(() => ++head))
      })),
    stream: refuse,
    streamVersions: refuse,
    journal: refuse,
    head: refuse,
    documents: async (_workspace, _view, keys) => keys.map(() => undefined),
    query: refuse,
    epoch: async () => 0,
    cursor: refuse,
    claims: refuse,
    timers: refuse,
    erase: refuse,
    workspaces: refuse,
    due: refuse,
    nextDueAtMs: refuse,
    lagging: refuse,
    watch: () => () => {},
    sweep: refuse,
    dump: () => {
      throw new Error("not part of this measurement")
    },
    load: refuse,
    drop: refuse,
    close: async () => {}
  }
}

const serviceAlone = async (decided: boolean): Promise<Rate> => {
  const view = { name: "counters", version: 1, fields: { count: "number" }, indexes: [["count"]] } as const
  const storage = await Storage.open(accepting(), { views: [view], now: () => 0, schedule: setImmediate })
  const workspace = storage.workspace("bench")
  const turns = async (until: number) => {
    let count = 0
    const writer = async (name: number) => {
      const key = `run/${name}`
      while (performance.now() < until) {
        count++
        await workspace.turn(key, async (reads) => {
          const version = (await reads.document("counters", key))?.version ?? 0
          const event = { type: "Measured", schema: 1, recordedAtMs: 0, body }
          return {
            value: version,
            commit: {
              appends: [{ stream: key, expectedVersion: version, events: [event] }],
              views: [{ view: "counters", key, put: { count: version }, version: version + 1 }]
            }
          }
        })
      }
    }
    await Promise.all(Array.from({ length: 1_024 }, (_, name) => writer(name)))
    return count
  }
  const run = decided ? turns : (until: number) => commits(storage, 1_024, until, "run")
  await run(performance.now() + 300)
  return measure(run)
}

const median = async (run: () => Promise<Rate>): Promise<Rate> => {
  const rates: Array<Rate> = []
  for (let round = 0; round < rounds; round++) rates.push(await run())
  return rates.sort((left, right) => left.perSecond - right.perSecond)[Math.floor(rounds / 2)]!
}

const report = (name: string, value: number, unit: string, baseline: number): void => {
  const round = (figure: number) => (figure < 100 ? Number(figure.toFixed(2)) : Math.round(figure))
  const line = {
    name,
    value: round(value),
    unit,
    baseline: round(baseline),
    ratio: Number((value / baseline).toFixed(2))
  }
  console.log(
    json ? JSON.stringify(line) : `${name}: ${line.value} ${unit} (baseline ${line.baseline}, ratio ${line.ratio})`
  )
}

if (!json) console.log(`Events of ${bytes} bytes, medians of ${rounds} runs of ${seconds} s, Node ${process.version}`)
for (const [writers, batch] of [
  [1, 1],
  [64, 64],
  [1_024, 256]
] as const) {
  const baseline = await median(() => raw(writers, batch))
  const found = await median(() => throughService(writers))
  report(`storage.sqlite.commits.${writers}-writers`, found.perSecond, "commits/s", baseline.perSecond)
  report(`storage.sqlite.cpu.${writers}-writers`, found.cpuMicroseconds, "µs CPU/commit", baseline.cpuMicroseconds)
}
// The limit the service is held to is 10 µs per commit.
report("storage.service.commit", (await median(() => serviceAlone(false))).cpuMicroseconds, "µs CPU/commit", 10)
report("storage.service.turn", (await median(() => serviceAlone(true))).cpuMicroseconds, "µs CPU/commit", 10)
