/**
 * Whether a desk is whole, over many conversations on SQLite: how long it takes for each, and how much memory, beside
 * reading all that the desk holds without looking at it.
 *
 * `--conversations 100000` sets how many there are: people write, agents answer, a tenth is left open. To see how little
 * memory is enough, set `NODE_OPTIONS=--max-old-space-size=200`.
 *
 * Run: node --conditions=@switchboard/source bench/verify.bench.ts [--json] [--conversations 20000]
 */
import { fork } from "node:child_process"
import { once } from "node:events"
import { mkdtempSync, rmSync } from "node:fs"
import { join } from "node:path"
import { parseArgs } from "node:util"
import { Views } from "@switchboard/desk"
import { Verification } from "@switchboard/operations"
import { SqliteStorage } from "@switchboard/storage-sqlite"

const { values } = parseArgs({
  options: { json: { type: "boolean", default: false }, conversations: { type: "string", default: "20000" } }
})
const total = Number(values.conversations)

const report = (name: string, value: number, unit: string, baseline: number | null): void => {
  const round = (figure: number): number => Number(figure.toPrecision(4))
  const ratio = baseline === null ? null : round(value / baseline)
  const line = { name, value: round(value), unit, baseline: baseline === null ? null : round(baseline), ratio }
  console.log(
    values.json
      ? JSON.stringify(line)
      : `${name}: ${line.value} ${unit}${baseline === null ? "" : ` (only read ${line.baseline}, ratio ${ratio})`}`
  )
}

/** What a stretch of work takes for each conversation. */
const measure = async (work: () => Promise<void>): Promise<{ readonly ms: number; readonly cpuMs: number }> => {
  const cpu = process.cpuUsage()
  const begin = performance.now()
  await work()
  const { user, system } = process.cpuUsage(cpu)
  return { ms: (performance.now() - begin) / total, cpuMs: (user + system) / 1000 / total }
}

const directory = mkdtempSync(join(process.env["BENCH_DIRECTORY"] ?? process.cwd(), ".bench-"))
const file = join(directory, "desk.db")
// In a process of its own: what writing them takes is not the command's memory.
const filler = fork(new URL("./fillWorked.ts", import.meta.url), [file, String(total)])
const [code] = await once(filler, "exit")
if (code !== 0) throw new Error(`The conversations could not be written: fillWorked.ts ended with ${code}.`)

const driver = SqliteStorage.make({ file, integrity: "off" })
await driver.prepare(Views.definitions)
let events = 0
let documents = 0
const read = await measure(async () => {
  for await (const batch of driver.dump("main", 0)) {
    for (const { kind } of batch) {
      if (kind === "event") events++
      if (kind === "document") documents++
    }
  }
})

let heap = 0
let calls = 0
let again = 0
const verified = await measure(async () => {
  const onProgress: Verification.Options["onProgress"] = (step, done) => {
    if (calls++ % 100 === 0) heap = Math.max(heap, process.memoryUsage().heapUsed)
    if (step === "again") again = done
  }
  for await (const finding of Verification.verify(driver, "main", { onProgress })) {
    throw new Error(`It is not whole: ${JSON.stringify(finding)}`)
  }
})
await driver.close()
rmSync(directory, { recursive: true, force: true })

report("operations.verify.events", events / total, "per conversation", null)
report("operations.verify.documents", documents / total, "per conversation", null)
report("operations.verify.time", verified.ms, "ms per conversation", read.ms)
report("operations.verify.cpu", verified.cpuMs, "ms per conversation", read.cpuMs)
report("operations.verify.again", again, "looked at by themselves", null)
report("operations.verify.heap", heap / 1e6, "MB at most", null)
