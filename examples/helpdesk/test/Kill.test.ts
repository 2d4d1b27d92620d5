import { join } from "node:path"
import { DatabaseSync } from "node:sqlite"
import type { ConversationDetail, Health } from "@switchboard/desk/DeskService"
import type { InboxRow } from "@switchboard/desk/Views"
import { afterEach, beforeEach, expect, it } from "vitest"
import type { Answer } from "../src/simulation/Answer.ts"
import { type ChatVisitor, openChat } from "../src/simulation/ChatVisitor.ts"
import { type DeskApi, signIn } from "../src/simulation/DeskApi.ts"
import { compose, type MailSender, makeMailSender } from "../src/simulation/MailSender.ts"
import { makeRandom } from "../src/simulation/Random.ts"
import * as Telegram from "../src/simulation/TelegramSender.ts"
import * as WhatsApp from "../src/simulation/WhatsAppSender.ts"
import { type DeskProcess, spawnDesk } from "./DeskProcess.ts"
import { temporary, until } from "./TestDesk.ts"

/** A soak: `DESK_KILLS=100 DESK_SEED=7 npm test -- --project examples/helpdesk Kill`. */
const kills = Number(process.env["DESK_KILLS"] ?? 5)
const seed = Number(process.env["DESK_SEED"] ?? 1)

const writers = 12
const contacts = 8

/** Longer than the time for which a worker takes a job, so that the jobs of dead workers are taken again. */
const laterMs = 120_000

/** A running desk, as those who write to it know it. */
interface Place {
  readonly url: string
  readonly mail: MailSender
  readonly agent: DeskApi
}

let directory: Awaited<ReturnType<typeof temporary>>
let desk: DeskProcess | undefined

beforeEach(async () => {
  directory = await temporary()
})
afterEach(async () => {
  await desk?.kill("SIGKILL")
  await directory.remove()
})

const pause = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms))

const open = async (laterMs = 0): Promise<Place> => {
  desk = spawnDesk({ database: join(directory.path, "desk.db"), laterMs })
  const { url, smtpUrl } = await desk.started
  const { hostname, port } = new URL(smtpUrl)
  return { url, mail: makeMailSender(hostname, Number(port)), agent: await signIn(url, "dalia") }
}

/** One thing to be said: the same bytes at every attempt. */
type Attempt = (place: Place) => Promise<Answer>

/** What the `number`th message is and how it is sent. The marker in it is found again in the desk. */
const makeMessages = (atMs: number) => {
  const visitors = new Map<number, Promise<ChatVisitor>>()
  return (number: number): Attempt => {
    const who = Math.floor(number / 4) % contacts
    // What the bot knows an answer to, so that each message makes it work.
    const text = `${number % 3 === 0 ? "order 12345" : "what are your hours?"} m-${number}`
    switch (number % 4) {
      case 0: {
        const phone = String(34_600_100_000 + who)
        const event = { kind: "text", id: `wamid.kill.${number}`, text } as const
        const body = WhatsApp.toBody({ phone, name: `W${who}` }, event, atMs)
        return ({ url }) => WhatsApp.send(url, body)
      }
      case 1: {
        const contact = { chatId: 7_000_000 + who, name: `T${who}`, language: "en" }
        const body = Telegram.toBody(contact, { kind: "text", id: number, text }, atMs)
        return ({ url }) => Telegram.send(url, body)
      }
      case 2: {
        const clientId = `00000000-0000-4000-8000-${String(number).padStart(12, "0")}`
        return async ({ url }) => {
          let visitor: ChatVisitor
          try {
            visitor = await (visitors.get(who) ?? openChat(url, { name: `C${who}`, language: "en" }))
          } catch (error) {
            return { outcome: "again", reason: String(error), afterMs: 50 }
          }
          if (!visitors.has(who)) visitors.set(who, Promise.resolve(visitor))
          return visitor.at(url).send([{ kind: "message", clientId, text }])
        }
      }
      default: {
        const letter = compose(
          {
            from: { name: `M${who}`, address: `m${who}@kunde.example` },
            to: "support@shop.test",
            subject: "Question",
            text,
            messageId: `<kill-${number}@kunde.example>`
          },
          atMs
        )
        return async ({ mail }) => mail.send(await letter)
      }
    }
  }
}

/** Every message of the desk, conversation by conversation. */
const readAll = async (api: DeskApi): Promise<ReadonlyArray<ConversationDetail>> => {
  const all: Array<ConversationDetail> = []
  for (const active of [true, false]) {
    let after = ""
    do {
      const page = await api.get<{
        readonly rows: ReadonlyArray<InboxRow>
        readonly next: { readonly attention: number; readonly key: string } | null
      }>(`/api/inbox?active=${active}&limit=200${after}`)
      for (const { conversationId } of page.rows) {
        const found = await api.get<ConversationDetail>(`/api/conversations/${conversationId}`)
        let { messages, hasEarlier } = found
        while (hasEarlier) {
          const earlier = await api.get<ConversationDetail["messages"]>(
            `/api/conversations/${conversationId}/messages?before=${messages[0]!.sequence}&limit=200`
          )
          messages = [...earlier, ...messages]
          hasEarlier = messages[0]!.sequence > 1
        }
        all.push({ ...found, messages })
      }
      after = page.next ? `&after=${encodeURIComponent(`${page.next.attention},${page.next.key}`)}` : ""
    } while (after !== "")
  }
  return all
}

/** The markers of what was said, the same one as often as it was. */
const markers = (all: ReadonlyArray<ConversationDetail>, kind: "m" | "n"): ReadonlyArray<string> =>
  all
    .flatMap(({ messages }) => messages)
    .filter(({ direction }) => direction === (kind === "m" ? "in" : "note"))
    .flatMap(({ parts }) => JSON.stringify(parts).match(new RegExp(`\\b${kind}-\\d+\\b`, "g")) ?? [])
    .toSorted()

const checkFile = (file: string): void => {
  const database = new DatabaseSync(file, { readOnly: true })
  try {
    expect(database.prepare("PRAGMA integrity_check").all()).toMatchObject([{ integrity_check: "ok" }])
    const { head } = database.prepare("SELECT head FROM workspaces WHERE name = 'main'").get() as { head: number }
    const journal = database
      .prepare("SELECT id, stream, version FROM journal ORDER BY id")
      .all()
      .map(({ id, stream, version }) => ({ id: Number(id), stream: String(stream), version: Number(version) }))
    expect(journal).toHaveLength(head)
    expect(journal.at(-1)!.id - journal[0]!.id).toBe(head - 1)
    const versions = new Map<string, number>()
    for (const { stream, version } of journal) {
      expect({ stream, version }).toEqual({ stream, version: (versions.get(stream) ?? 0) + 1 })
      versions.set(stream, version)
    }
  } finally {
    database.close()
  }
}

it(
  `loses no acknowledged message and doubles none, killed ${kills} times while people write`,
  async () => {
    const random = makeRandom(seed)
    const messages = makeMessages(Date.now())
    const acknowledged: Array<string> = []
    const noted: Array<string> = []
    let place: Promise<Place> = open()
    let isOver = false
    let number = 0

    /** Tries until the desk has taken it: after an answer that says so, never again. */
    const deliver = async (attempt: Attempt): Promise<void> => {
      while (true) {
        const answer = await attempt(await place)
        if (answer.outcome === "acknowledged") return
        if (answer.outcome === "refused") throw new Error(answer.reason)
        await pause(20)
      }
    }
    const write = async (): Promise<void> => {
      while (!isOver) {
        const mine = number++
        await deliver(messages(mine))
        acknowledged.push(`m-${mine}`)
      }
    }
    /** An agent writes notes, each with a command id, so that a repeat is the same note. */
    const note = async (): Promise<void> => {
      for (let mine = 0; !isOver; mine++) {
        let to: string | undefined
        await deliver(async ({ agent }) => {
          try {
            to ??= (await agent.get<{ readonly rows: ReadonlyArray<InboxRow> }>("/api/inbox")).rows[0]?.conversationId
            if (to === undefined) return { outcome: "again", reason: "nothing there yet", afterMs: 20 }
            const body = { commandId: `note-${mine}`, text: `n-${mine}` }
            await agent.send("POST", `/api/conversations/${to}/notes`, body)
            return { outcome: "acknowledged" }
          } catch (error) {
            const isBroken = error instanceof TypeError
            return { outcome: isBroken ? "again" : "refused", reason: String(error), afterMs: 20 }
          }
        })
        noted.push(`n-${mine}`)
        await pause(10)
      }
    }
    const working = Promise.all([...Array.from({ length: writers }, write), note()])
    working.catch(() => {})

    for (let kill = 1; kill <= kills; kill++) {
      const { mail } = await place
      const enough = acknowledged.length + random.between(10, 60)
      await Promise.race([until(`${enough} acknowledgements`, () => acknowledged.length >= enough, 60_000), working])
      await pause(random.between(0, 40))
      const { promise, resolve, reject } = Promise.withResolvers<Place>()
      promise.catch(() => {})
      place = promise
      await desk!.kill("SIGKILL")
      mail.close()
      if (random.chance(0.3)) {
        // Once more, while it starts.
        const early = spawnDesk({ database: join(directory.path, "desk.db") })
        await pause(random.between(50, 1000))
        await early.kill("SIGKILL")
      }
      await open(kill === kills ? laterMs : 0).then(resolve, reject)
    }

    isOver = true
    await working
    const { agent, mail } = await place
    await until(
      "everything to be done",
      async () => {
        const { reactors, parked } = await agent.get<Health>("/api/health")
        if (parked.length > 0) throw new Error(`parked: ${JSON.stringify(parked)}`)
        return reactors.every(({ behind }) => behind === 0) && (await readAll(agent)).every(isDone)
      },
      60_000,
      200
    )
    const all = await readAll(agent)
    expect(markers(all, "m")).toEqual(acknowledged.toSorted())
    expect(markers(all, "n")).toEqual(noted.toSorted())
    expect((await agent.get<Health>("/api/health")).deadLetters).toBe(0)
    mail.close()
    expect(await desk!.kill("SIGTERM")).toBe(0)
    checkFile(join(directory.path, "desk.db"))
  },
  60_000 + kills * 30_000
)

/** Whether nothing is on its way to the contact, and the bot has answered what it was asked. */
const isDone = ({ conversation, messages }: ConversationDetail): boolean =>
  messages.every(({ deliveries }) => deliveries.every(({ state }) => state !== "queued" && state !== "failed")) &&
  (conversation.control.holder.kind !== "bot" ||
    messages.filter(({ direction }) => direction !== "note").at(-1)?.direction === "out")
