/** A desk that has worked: contacts who wrote over two channels, agents who answered, bots, clocks and measures. */
import { mkdtempSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { Agent, Message } from "@switchboard/conversation"
import { createDesk, type DeskConfig, type PromiseDesk, Views } from "@switchboard/desk"
import { Target } from "@switchboard/sla"
import { MemoryBlobStore, MemoryStorage, type StorageDriver } from "@switchboard/storage"
import { onTestFinished } from "vitest"
import { Archive } from "../src/index.ts"
import { sms, write } from "./Sms.ts"

/** A folder that is gone after the test. */
export const makeFolder = (): string => {
  const folder = mkdtempSync(join(tmpdir(), "switchboard-operations-"))
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }))
  return folder
}

/** A memory driver that is prepared. */
export const makeMemory = async (): Promise<StorageDriver.StorageDriver> => {
  const driver = MemoryStorage.make()
  await driver.prepare(Views.definitions)
  return driver
}

const ada = Agent.Agent.parse({
  id: "ada",
  name: "Ada",
  role: "administrator",
  teams: [],
  skills: {},
  languages: ["en"],
  capacity: { total: 50, perChannelKind: {} }
})

/** Who works here. */
export const agent = { kind: "agent", id: ada.id, role: ada.role } as const

/** The desk's configuration over a storage. */
export const configure = (
  storage: StorageDriver.StorageDriver,
  blobs: DeskConfig.DeskConfig["blobs"] = MemoryBlobStore.make()
): DeskConfig.DeskConfig => ({
  storage,
  blobs,
  credentialSecret: "a secret of at least 32 characters",
  channels: [sms],
  agents: [ada],
  sla: {
    calendars: [],
    policies: [
      {
        id: "all",
        version: 1,
        targets: [
          Target.firstReply({ durationMs: 3_600_000, time: "elapsed" }),
          Target.resolution({ durationMs: 86_400_000, time: "elapsed" })
        ]
      }
    ]
  }
})

/** Some days at the desk, with everything that leaves a trace of its own. Returns the conversations, in the order of contacts. */
export const work = async (desk: PromiseDesk, contacts: number, run = "a"): Promise<ReadonlyArray<string>> => {
  const phone = (index: number) => `+3460000${run.charCodeAt(0)}${String(index).padStart(2, "0")}`
  await desk.setPresence(agent, "ada", "available")
  for (let index = 0; index < contacts; index++) {
    const file = index % 4 === 0 ? { file: `the file of ${index}` } : {}
    await write(desk, {
      id: `${run}-${index}`,
      from: phone(index),
      text: `I am ${index} — ünïcode\u0000\ud800`,
      ...file
    })
  }
  await desk.drain()
  const rows = (await desk.inbox(agent, { limit: 200 })).rows.filter(({ contactName }) =>
    contactName.startsWith(`Contact +3460000${run.charCodeAt(0)}`)
  )
  const ids = rows
    .toSorted((left, right) => (left.contactName < right.contactName ? -1 : 1))
    .map((row) => row.conversationId)
  for (const [index, id] of ids.entries()) {
    for (const offer of await desk.offers(agent)) await desk.acceptOffer(agent, offer.offerId)
    if (index % 2 === 0) await desk.reply(agent, id, { parts: [Message.text(`Hello ${index}`)] })
    if (index % 3 === 0) await desk.note(agent, id, { text: "a note" })
    await desk.drain()
    if (index % 5 === 1) await desk.execute(agent, id, { type: "SnoozeConversation", untilMs: Date.now() + 86_400_000 })
    if (index % 5 === 2) await desk.execute(agent, id, { type: "ResolveConversation" })
    if (index % 5 === 3)
      await write(desk, { id: `${run}-${index}-again`, from: phone(index), text: "and another thing" })
    await desk.drain()
  }
  return ids
}

/** With properties in one order: JSON has none. */
const canonical = (value: unknown): unknown => {
  if (typeof value !== "object" || value === null) return value
  if (Array.isArray(value)) return value.map(canonical)
  return Object.fromEntries(
    Object.entries(value)
      .sort(([left], [right]) => (left < right ? -1 : 1))
      .map(([name, one]) => [name, canonical(one)])
  )
}

/** Everything of a workspace, one line each, in an order that every storage has. */
export const everything = async (
  driver: StorageDriver.StorageDriver,
  workspace = "main"
): Promise<ReadonlyArray<string>> => {
  const lines: Array<string> = []
  for await (const batch of driver.dump(workspace, 0))
    for (const holding of batch) lines.push(JSON.stringify(canonical(JSON.parse(Archive.encode(holding)))))
  return lines.sort()
}

/** A memory driver whose desk has worked and stopped. */
export const makeWorked = async (
  contacts = 6
): Promise<{ readonly driver: StorageDriver.StorageDriver; readonly conversations: ReadonlyArray<string> }> => {
  const driver = MemoryStorage.make()
  const desk = await createDesk(configure(driver))
  const conversations = await work(desk, contacts)
  await desk.stop()
  return { driver, conversations }
}
