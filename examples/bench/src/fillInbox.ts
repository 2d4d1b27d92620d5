/** Writes conversations into a file, a tenth of them open and waiting in the pool: `fillInbox.ts <file> <how many>`. */
import { Views } from "@switchboard/desk"
import type { StorageDriver } from "@switchboard/storage"
import { SqliteStorage } from "@switchboard/storage-sqlite"

const [file = "", count = "0"] = process.argv.slice(2)
const total = Number(count)
const open = Math.floor(total / 10)
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

const driver = SqliteStorage.make({ file, checkpointPages: 50_000 })
await driver.prepare(Views.definitions)
for (let index = 0; index < total; ) {
  const group: Array<StorageDriver.Commit> = []
  for (let each = 0; each < 2000 && index < total; each++) group.push({ workspace: "main", views: views(index++) })
  await driver.commit(group, startMs)
}
await driver.close()
