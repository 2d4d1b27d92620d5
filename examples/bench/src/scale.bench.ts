/**
 * A desk over many conversations on SQLite: how fast it starts, and how fast a page of the inbox comes.
 *
 * `--conversations 1000000` sets how many there are, a tenth of them open and waiting in the pool.
 */
import { fork } from "node:child_process"
import { once } from "node:events"
import { mkdtempSync, rmSync } from "node:fs"
import { join } from "node:path"
import { parseArgs } from "node:util"
import { Id } from "@switchboard/conversation"
import { createDesk, type DeskConfig } from "@switchboard/desk"
import { MemoryBlobStore } from "@switchboard/storage"
import { SqliteStorage } from "@switchboard/storage-sqlite"
import { measure, percentile, report, say } from "./Figures.ts"

const { values } = parseArgs({
  options: { conversations: { type: "string", default: "100000" }, json: { type: "boolean", default: false } }
})
const total = Number(values.conversations)
const open = Math.floor(total / 10)

const directory = mkdtempSync(join(process.cwd(), ".bench-"))
const file = join(directory, "desk.db")
say(`writing ${total} conversations …`)
// In a process of its own: what writing them takes is not the desk's memory.
const filler = fork(new URL("./fillInbox.ts", import.meta.url), [file, String(total)])
const [code] = await once(filler, "exit")
if (code !== 0) throw new Error(`The conversations could not be written: fillInbox.ts ended with ${code}.`)

const config: DeskConfig.DeskConfig = {
  storage: SqliteStorage.make({ file }),
  blobs: MemoryBlobStore.make(),
  credentialSecret: "a secret of at least 32 characters",
  agents: [
    {
      id: Id.AgentId.parse("ada"),
      name: "Ada",
      role: "agent",
      teams: [],
      skills: {},
      languages: [],
      capacity: { total: 1, perChannelKind: {} }
    }
  ]
}
const actor = { kind: "system", name: "bench" } as const
const started = await measure(async () => {
  const desk = await createDesk(config)
  await desk.start()
  while ((await desk.health(actor)).reactors.some(({ behind }) => behind > 0)) await new Promise(setImmediate)
  return desk
})
report({ name: `start with ${total} conversations, ${open} open`, value: started.ms, unit: "ms" })
const desk = started.result

// The router reads its pool when the first event comes.
const offered = await measure(() => desk.setPresence(actor, "ada", "available"))
report({ name: `the pool's ${open} items read and the first offer made`, value: offered.ms, unit: "ms" })

const pages: Array<number> = []
let after: { readonly attention: number; readonly key: string } | null = null
for (let page = 0; page < 2000; page++) {
  const begin = performance.now()
  const answer: Awaited<ReturnType<typeof desk.inbox>> = await desk.inbox(actor, { limit: 50, ...(after && { after }) })
  pages.push(performance.now() - begin)
  after = answer.next
}
pages.sort((a, b) => a - b)
report({ name: "a page of 50 of the inbox, p50", value: percentile(pages, 0.5), unit: "ms" })
report({ name: "a page of 50 of the inbox, p99", value: percentile(pages, 0.99), unit: "ms" })
report({ name: "memory, resident", value: process.memoryUsage().rss / 1e6, unit: "MB" })
await desk.stop()
rmSync(directory, { recursive: true, force: true })
