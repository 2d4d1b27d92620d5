/**
 * A desk over many conversations on SQLite: how fast it starts, and how fast a page of the inbox comes.
 *
 * `--conversations 1000000` sets how many there are, a tenth of them open and waiting in the pool.
 */
import { mkdtempSync, rmSync } from "node:fs"
import { join } from "node:path"
import { parseArgs } from "node:util"
import { Id } from "@switchboard/conversation"
import { createDesk, type DeskConfig, Views } from "@switchboard/desk"
import { MemoryBlobStore, type StorageDriver } from "@switchboard/storage"
import { SqliteStorage } from "@switchboard/storage-sqlite"
import { measure, percentile, report, say } from "./Figures.ts"

const { values } = parseArgs({
  options: { conversations: { type: "string", default: "100000" }, json: { type: "boolean", default: false } }
})
const total = Number(values.conversations)
const open = Math.floor(total / 10)

const directory = mkdtempSync(join(process.cwd(), ".bench-"))
const file = join(directory, "desk.db")
const startMs = Date.UTC(2026, 0, 5)

const views = (index: number): ReadonlyArray<StorageDriver.ViewChange> => {
  const id = `conversation-${String(index).padStart(9, "0")}`
  const active = index < open
  const atMs = startMs + index * 1000
  const contactId = `contact-${index % (total / 2)}`
  const text = "My order has not arrived yet and the tracking page shows no change since Monday."
  const conversation = {
    id,
    version: 3,
    contactId,
    status: active ? "open" : "resolved",
    control: { holder: { kind: "nobody" }, fence: 1 },
    priority: "normal",
    tags: ["delivery"],
    attributes: { order: String(index) },
    participants: [{ role: "requester", contactId }],
    threads: [
      {
        id: `${id}.1`,
        channelKind: "email",
        accountId: "support",
        audience: "private",
        key: id,
        recipients: [{ kind: "email", value: `${contactId}@example.com` }],
        openedAtMs: atMs
      }
    ],
    links: [],
    cycle: 1,
    messageCount: 1,
    unreadCount: 1,
    preview: text,
    openedAtMs: atMs,
    updatedAtMs: atMs,
    waitingSinceMs: atMs
  }
  const row = {
    conversationId: id,
    contactId,
    contactName: `Customer ${index}`,
    subject: "",
    preview: text,
    status: conversation.status,
    priority: "normal",
    channelKinds: ["email"],
    holder: { kind: "nobody" },
    assignee: null,
    teamId: null,
    tags: ["delivery"],
    unreadCount: 1,
    active,
    attention: atMs,
    waitingSinceMs: atMs,
    due: null,
    offer: null,
    updatedAtMs: atMs,
    openedAtMs: atMs
  }
  const item = {
    item: { itemId: id, queueId: "main", channelKind: "email", weight: 1, priority: 0, arrivedAtMs: atMs },
    place: { kind: "waiting" },
    offersMade: 0,
    exclusions: [],
    pool: "main"
  }
  return [
    { view: "conversations", key: id, put: conversation, version: 3, subject: contactId },
    { view: "inbox", key: id, put: row, subject: contactId },
    ...(active ? [{ view: "poolItems", key: id, put: item }] : [])
  ]
}

say(`writing ${total} conversations …`)
const driver = SqliteStorage.make({ file, checkpointPages: 50_000 })
await driver.prepare(Views.definitions)
for (let index = 0; index < total; ) {
  const group: Array<StorageDriver.Commit> = []
  for (let each = 0; each < 2000 && index < total; each++) group.push({ workspace: "main", views: views(index++) })
  await driver.commit(group, startMs)
}
await driver.close()

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
