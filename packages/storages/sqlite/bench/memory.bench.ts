/**
 * An hour of load in a few minutes: 3,600,000 commits through the storage service on SQLite, and the memory after every
 * tenth of them, next to that after the first tenth. Each appends an event to one of 10,000 streams and puts a document;
 * some set and clear timers, some take claims that expire and are swept.
 *
 * Run: node --expose-gc --conditions=@switchboard/source bench/memory.bench.ts [--json] [--commits 3600000]
 */
import { mkdtempSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { parseArgs } from "node:util"
import { Storage, type StorageDriver } from "@switchboard/storage"
import { SqliteStorage } from "@switchboard/storage-sqlite"

const { values } = parseArgs({
  options: { json: { type: "boolean", default: false }, commits: { type: "string", default: "3600000" } }
})
const commits = Number(values.commits)
const streams = 10_000
const writers = 1_000
const parts = 10
/** As if one came every millisecond. */
let nowMs = 0

const view = {
  name: "things",
  version: 1,
  fields: { state: "text", at: "number" },
  indexes: [["state", "at"]]
} as const
const directory = mkdtempSync(join(process.env["BENCH_DIRECTORY"] ?? tmpdir(), "switchboard-memory-"))
const storage = await Storage.open(SqliteStorage.make({ file: join(directory, "bench.db"), integrity: "off" }), {
  views: [view],
  now: () => nowMs,
  schedule: setImmediate
})
const workspace = storage.workspace("bench")
const body = { text: "x".repeat(289) }

const timersOf = (index: number, key: string): ReadonlyArray<StorageDriver.TimerChange> =>
  index % 4 === 0
    ? [{ set: { kind: "job", key, dueAtMs: nowMs + 60_000, payload: { index } } }]
    : index % 4 === 2
      ? [{ clear: key }]
      : []

const one = (index: number): Promise<unknown> => {
  nowMs++
  const key = `thing/${(Math.imul(index, 2_654_435_761) >>> 0) % streams}`
  return workspace.turn(key, async (reads) => {
    const version = await reads.streamVersion(key)
    return {
      value: undefined,
      commit: {
        appends: [
          { stream: key, expectedVersion: version, events: [{ type: "Changed", schema: 1, recordedAtMs: nowMs, body }] }
        ],
        views: [{ view: "things", key, put: { state: index % 3 === 0 ? "open" : "closed", at: nowMs, ...body } }],
        timers: timersOf(index, key),
        ...(index % 8 === 0 && { claims: [{ key: `claim/${index}`, value: key, expiresAtMs: nowMs + 600_000 }] })
      }
    }
  })
}

const run = async (from: number, to: number): Promise<void> => {
  let next = from
  await Promise.all(
    Array.from({ length: writers }, async () => {
      while (next < to) {
        const index = next++
        if (index % 50_000 === 0) await storage.sweep(nowMs)
        await one(index)
      }
    })
  )
}

const memory = (): { readonly heap: number; readonly resident: number } => {
  globalThis.gc?.()
  const { heapUsed, external, rss } = process.memoryUsage()
  return { heap: (heapUsed + external) / 1e6, resident: rss / 1e6 }
}

const begin = performance.now()
let first: ReturnType<typeof memory> | undefined
let last = memory()
for (let part = 0; part < parts; part++) {
  await run((commits / parts) * part, (commits / parts) * (part + 1))
  last = memory()
  first ??= last
  if (!values.json)
    console.log(
      `${part + 1} of ${parts}: ${last.heap.toFixed(1)} MB on the heap, ${last.resident.toFixed(0)} MB resident`
    )
}
const seconds = (performance.now() - begin) / 1000
await storage.close()
rmSync(directory, { recursive: true })

const report = (name: string, value: number, unit: string, baseline: number | null): void => {
  const round = (figure: number): number => Number(figure.toPrecision(4))
  const ratio = baseline === null ? null : round(value / baseline)
  const line = { name, value: round(value), unit, baseline: baseline === null ? null : round(baseline), ratio }
  console.log(
    values.json
      ? JSON.stringify(line)
      : `${name}: ${line.value} ${unit}${baseline === null ? "" : ` (after the first tenth ${line.baseline}, ratio ${ratio})`}`
  )
}
report("storage.sqlite.memory.heap", last.heap, "MB", first?.heap ?? null)
report("storage.sqlite.memory.resident", last.resident, "MB", first?.resident ?? null)
report("storage.sqlite.memory.commits", commits / seconds, "commits/s", null)
