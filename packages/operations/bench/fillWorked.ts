/**
 * Writes a desk that has worked into a file: `fillWorked.ts <file> <conversations>`. The conversations of an hour are lived
 * through; all others are that hour again and again, under other ids, each an hour earlier.
 */
import { Agent, Message } from "@switchboard/conversation"
import { createDesk, type PromiseDesk, Views } from "@switchboard/desk"
import { Target } from "@switchboard/sla"
import { MemoryBlobStore, MemoryStorage, type StorageDriver } from "@switchboard/storage"
import { SqliteStorage } from "@switchboard/storage-sqlite"
import { write as contactWrites, sms } from "../test/Sms.ts"

const [file = "", count = "0"] = process.argv.slice(2)
const total = Number(count)
/** Of a million in a year so many begin in an hour. */
const perHour = 120
const hourMs = 3_600_000

const agents = Array.from({ length: 20 }, (_, index) =>
  Agent.Agent.parse({
    id: `agent-${index}`,
    name: `Agent ${index}`,
    role: "agent",
    teams: [],
    skills: {},
    languages: ["en"],
    capacity: { total: 5, perChannelKind: {} }
  })
)
const boss = { kind: "agent", id: agents[0]!.id, role: "administrator" } as const

const text =
  "My order has not arrived yet and the tracking page shows no change since Monday, could you please look into it? "

/** An hour at the desk: people write, agents answer, most of it is resolved, a tenth is left open or asleep. */
const live = async (desk: PromiseDesk): Promise<void> => {
  let messages = 0
  const write = async (person: number): Promise<void> => {
    const id = `hour-${++messages}`
    await contactWrites(desk, { id, from: `+9990000${String(person).padStart(4, "0")}`, text: text + id })
  }
  for (const agent of agents) await desk.setPresence(boss, agent.id, "available")
  // Every person twice: what was closed before is followed by another.
  for (let index = 0; index < perHour; index++) {
    const person = index % (perHour / 2)
    await write(person)
    if (index % 3 === 0) await write(person)
    await desk.drain()
    let id: string | undefined
    for (const { id: agentId, role } of agents) {
      const actor = { kind: "agent", id: agentId, role } as const
      for (const offer of await desk.offers(actor)) {
        id = offer.conversationId
        await desk.acceptOffer(actor, offer.offerId)
        await desk.reply(actor, id, { parts: [Message.text("I am sorry to hear that. Let me see where it is.")] })
        await desk.drain()
        await write(person)
        if (index % 4 === 0) await desk.note(actor, id, { text: "The parcel is in Bilbao." })
        if (index % 3 === 0) await desk.execute(actor, id, { type: "AddTag", tag: "delivery" })
        await desk.drain()
        await desk.reply(actor, id, { parts: [Message.text("It will be there tomorrow, before noon.")] })
        await desk.drain()
        if (index >= perHour / 2 && index % 5 === 4) {
          if (index % 10 === 4)
            await desk.execute(actor, id, { type: "SnoozeConversation", untilMs: Date.now() + hourMs })
        } else {
          await desk.execute(actor, id, { type: "ResolveConversation" })
          await desk.execute(boss, id, { type: "CloseConversation" })
        }
        await desk.drain()
      }
    }
    if (id === undefined) throw new Error(`nobody was offered ${index}`)
  }
}

const untilNextHourMs = (): number => hourMs - (Date.now() % hourMs)

/** Everything that a desk holds after an hour. */
const liveAnHour = async (): Promise<ReadonlyArray<StorageDriver.Holding>> => {
  // All of it belongs to one hour of the measures.
  if (untilNextHourMs() < 120_000) await new Promise((resolve) => setTimeout(resolve, untilNextHourMs()))
  const storage = MemoryStorage.make()
  const desk = await createDesk({
    storage,
    blobs: MemoryBlobStore.make(),
    credentialSecret: "a secret of at least 32 characters",
    channels: [sms],
    agents,
    sla: {
      calendars: [],
      policies: [
        {
          id: "all",
          version: 1,
          targets: [
            Target.firstReply({ durationMs: hourMs, time: "elapsed", warnings: [{ share: 0.8 }] }),
            Target.resolution({ durationMs: 24 * hourMs, time: "elapsed" })
          ]
        }
      ]
    }
  })
  await live(desk)
  await desk.stop()
  const holdings: Array<StorageDriver.Holding> = []
  for await (const batch of storage.dump("main", 0)) holdings.push(...batch)
  return holdings
}

/** Streams that all hours go on with. */
const isShared = (stream: string): boolean => stream.startsWith("pool")

const holdings = await liveAnHour()
const events = holdings.flatMap((holding) => (holding.kind === "event" ? [holding.event] : []))
const sharedVersions = new Map(events.flatMap(({ stream, version }) => (isShared(stream) ? [[stream, version]] : [])))
const copies = Math.ceil(total / perHour)

/** What is another in every hour, and what it is in an hour: ids (all begin with a time), times, hours, phones, messages, positions. */
const varying: ReadonlyArray<readonly [pattern: string, write: (value: string, hour: number) => string]> = [
  [
    "(?<![0-9a-f-])[0-9a-f]{8}(?=-[0-9a-f]{4}-7[0-9a-f]{3}-)",
    (value, hour) => (Number.parseInt(value, 16) + (hour - copies) * 64).toString(16).padStart(8, "0")
  ],
  ["\\b(?:(?:10|15|20)1|1)[789]\\d{11}\\b", (value, hour) => String(Number(value) + (hour - copies + 1) * hourMs)],
  [
    "\\b20\\d\\d-\\d\\d-\\d\\dT\\d\\d\\b",
    (value, hour) => new Date(Date.parse(`${value}:00:00Z`) + (hour - copies + 1) * hourMs).toISOString().slice(0, 13)
  ],
  ["\\+9990000", (_, hour) => `+9${990_000 + hour}`],
  ["\\bhour-", (_, hour) => `hour${hour}-`],
  ['(?<="answers":)\\d+', (value, hour) => String(Number(value) + hour * events.length)]
]

interface Piece {
  readonly before: string
  readonly value: string
  readonly write: (value: string, hour: number) => string
}
const pattern = new RegExp(varying.map(([each]) => `(${each})`).join("|"), "g")
const templates = holdings.map((holding) => {
  const text = JSON.stringify(holding)
  const pieces: Array<Piece> = []
  let end = 0
  for (const match of text.matchAll(pattern)) {
    const [value, ...which] = match
    const write = varying[which.findIndex((group) => group !== undefined)]![1]
    pieces.push({ before: text.slice(end, match.index), value, write })
    end = match.index + value.length
  }
  return { pieces, rest: text.slice(end) }
})

const inHour = (holding: StorageDriver.Holding, hour: number): StorageDriver.Holding => {
  switch (holding.kind) {
    case "event": {
      const { event } = holding
      const position = event.position + hour * events.length
      const version = event.version + hour * (sharedVersions.get(event.stream) ?? 0)
      return { ...holding, event: { ...event, position, version } }
    }
    case "timer":
      return { ...holding, timer: { ...holding.timer, sequence: holding.timer.sequence + hour * 1_000_000 } }
    case "cursor":
      return { ...holding, position: holding.position + hour * events.length }
    case "document": {
      const { key, document } = holding.document
      if (holding.view !== "counts") return holding
      return { ...holding, document: { key, document: { active: Number(document["active"]) * (hour + 1) } } }
    }
    default:
      return holding
  }
}

const copy = (hour: number): ReadonlyArray<StorageDriver.Holding> =>
  templates.map(({ pieces, rest }) => {
    let text = ""
    for (const { before, value, write } of pieces) text += before + write(value, hour)
    return inHour(JSON.parse(text + rest) as StorageDriver.Holding, hour)
  })

const driver = SqliteStorage.make({ file, checkpointPages: 50_000, integrity: "off" })
await driver.prepare(Views.definitions)
for (let hour = 0; hour < copies; hour++) await driver.load("main", copy(hour))
await driver.close()
