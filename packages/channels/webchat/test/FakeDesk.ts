import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http"
import type { AddressInfo } from "node:net"
import { type Channel, ContactThread, type Inbound } from "@switchboard/channel"
import { entriesOf } from "./Fixtures.ts"

/** What goes wrong with the next post of something written: an answer, or a connection lost before or after it was stored. */
export type Fault = number | "lostBefore" | "lostAfter"

/** An answer, or a stream that is written to until it is closed. */
export type FakeAnswer =
  | { readonly status: number; readonly headers: Readonly<Record<string, string>>; readonly body: string }
  | {
      readonly headers: Readonly<Record<string, string>>
      readonly open: (write: (text: string) => void, end: () => void) => () => void
    }

/** The connection broke. */
export class ConnectionLost extends Error {}

type ThreadMessage = ContactThread.ThreadMessage
type Written = Partial<Omit<ThreadMessage, "id" | "sequence">> & { readonly parts: ThreadMessage["parts"] }

/** Enough of a desk for a web chat: it claims entries, keeps threads and streams them, all through the real channel. */
export class FakeDesk {
  readonly channel: Channel.Channel
  readonly now: () => number
  readonly threads = new Map<string, Array<ThreadMessage>>()
  readonly receipts: Array<string> = []
  readonly typing: Array<boolean> = []
  readonly requests: Array<string> = []
  readonly senders: Array<Inbound.Sender> = []
  readonly faults: Array<Fault> = []
  isDown = false
  streams = true
  pageLimit = 50
  expected: string | undefined = "We usually answer within a few minutes"
  readonly #claims = new Set<string>()
  readonly #listeners = new Map<string, Set<{ write: (text: string) => void; end: () => void }>>()
  #sequence = 0

  constructor(channel: Channel.Channel, now: () => number) {
    this.channel = channel
    this.now = now
  }

  get messages(): ReadonlyArray<ThreadMessage> {
    return [...this.threads.values()].flat()
  }

  get texts(): ReadonlyArray<string> {
    return this.messages.flatMap(({ parts }) =>
      parts.map((part) => ("text" in part ? part.text : "label" in part ? part.label : part.kind))
    )
  }

  get liveCount(): number {
    return [...this.#listeners.values()].reduce((sum, { size }) => sum + size, 0)
  }

  /** The thread of the only visitor. */
  get onlyThread(): string {
    const [key, ...others] = this.threads.keys()
    if (key === undefined || others.length > 0) throw new Error(`${this.threads.size} threads, expected one`)
    return key
  }

  async handle(request: Omit<Channel.ChannelRequest, "receivedAtMs">): Promise<FakeAnswer> {
    this.requests.push(`${request.method} ${request.url.pathname.split("/").at(-1)}${request.url.search}`)
    if (this.isDown) throw new ConnectionLost()
    const isMessage = request.method === "POST" && Buffer.from(request.body).includes('"clientId"')
    const fault = isMessage ? this.faults.shift() : undefined
    if (fault === "lostBefore") throw new ConnectionLost()
    const found = await this.channel.verify({ ...request, receivedAtMs: this.now() })
    if (typeof fault === "number")
      return { status: fault, headers: ("answerHeaders" in found && found.answerHeaders) || {}, body: "" }
    switch (found.kind) {
      case "refused":
        return { status: found.status, headers: found.answerHeaders ?? {}, body: found.reason }
      case "answered":
        return { status: found.answer.status, headers: found.answer.headers ?? {}, body: found.answer.body ?? "" }
      case "reads":
        return this.#read(found)
      case "verified": {
        for (const entry of entriesOf(await this.channel.decode(found.input))) this.#take(entry)
        if (fault === "lostAfter") throw new ConnectionLost()
        const { status, headers = {}, body = "" } = this.channel.acknowledgement
        return { status, headers: { ...headers, ...found.answerHeaders }, body }
      }
    }
  }

  write(thread: string, written: Written): ThreadMessage {
    const sequence = ++this.#sequence
    const message = ContactThread.ThreadMessage.parse({
      id: `message-${sequence}`,
      sequence,
      direction: "out",
      authorKind: "agent",
      attachments: [],
      sentAtMs: this.now(),
      ...written
    })
    const messages = this.threads.get(thread) ?? []
    this.threads.set(thread, [...messages, message])
    this.#tell(thread, "message", message, sequence)
    return message
  }

  reply(text: string, authorName = "Marta"): ThreadMessage {
    return this.write(this.onlyThread, { authorName, parts: [{ kind: "text", text, format: "markdown" }] })
  }

  change(id: string, change: Partial<ThreadMessage>): void {
    for (const [thread, messages] of this.threads) {
      const changed = messages.map((message) => (message.id === id ? { ...message, ...change } : message))
      this.threads.set(thread, changed)
      const message = changed.find((each) => each.id === id)
      if (message !== undefined) this.#tell(thread, "update", message)
    }
  }

  type(typing: boolean, authorName = "Marta"): void {
    for (const thread of this.#listeners.keys()) this.#tell(thread, "typing", { typing, authorName })
  }

  heartbeat(): void {
    for (const listeners of this.#listeners.values()) for (const { write } of listeners) write(": heartbeat\n\n")
  }

  cutStreams(): void {
    for (const listeners of this.#listeners.values()) for (const { end } of listeners) end()
    this.#listeners.clear()
  }

  #tell(thread: string, event: string, data: unknown, id?: number): void {
    const text = `event: ${event}\n${id === undefined ? "" : `id: ${id}\n`}data: ${JSON.stringify(data)}\n\n`
    for (const { write } of this.#listeners.get(thread) ?? []) write(text)
  }

  #read(found: Extract<Channel.Verification, { kind: "reads" }>): FakeAnswer {
    const { threadKey, afterSequence, answerHeaders = {} } = found
    const messages = (this.threads.get(threadKey) ?? []).filter(({ sequence }) => sequence > afterSequence)
    if (!found.live || !this.streams) {
      const head = this.threads.get(threadKey)?.at(-1)?.sequence ?? 0
      const page: ContactThread.ThreadPage = ContactThread.ThreadPage.parse({
        messages: messages.slice(0, this.pageLimit),
        head,
        expected: this.expected
      })
      const headers = { ...answerHeaders, "content-type": "application/json" }
      return { status: 200, headers, body: JSON.stringify(page) }
    }
    return {
      headers: { ...answerHeaders, "content-type": "text/event-stream" },
      open: (write, end) => {
        write(": open\n\n")
        for (const message of messages)
          write(`event: message\nid: ${message.sequence}\ndata: ${JSON.stringify(message)}\n\n`)
        const listener = { write, end }
        const listeners = this.#listeners.get(threadKey) ?? new Set()
        this.#listeners.set(threadKey, listeners.add(listener))
        return () => listeners.delete(listener)
      }
    }
  }

  #take(entry: Inbound.Entry): void {
    if (entry.kind === "typingChanged") {
      this.typing.push(entry.typing)
      return
    }
    const claim = `${entry.kind}/${entry.entryId}`
    if (this.#claims.has(claim)) return
    this.#claims.add(claim)
    if (entry.kind === "deliveryChanged") this.receipts.push(`${entry.state} ${entry.platformId.split("/")[1]}`)
    if (entry.kind === "messageReceived" || entry.kind === "actionChosen") {
      this.senders.push(entry.from)
      const isMessage = entry.kind === "messageReceived"
      this.write(entry.thread.key, {
        direction: "in",
        authorKind: "contact",
        parts: isMessage ? entry.parts : [{ kind: "choice", id: entry.actionId, label: entry.label }],
        attachments: isMessage
          ? entry.attachments.map(({ id, name, mediaType, sizeBytes }) => ({ id, name, mediaType, sizeBytes }))
          : [],
        clientId: isMessage ? entry.platformId : `action:${entry.entryId}`
      })
    }
  }
}

const readBody = async (request: IncomingMessage): Promise<Uint8Array> => {
  const pieces: Array<Uint8Array> = []
  for await (const piece of request) pieces.push(piece as Uint8Array)
  return Buffer.concat(pieces)
}

/** The desk on a port of its own. */
export const serve = async (desk: () => FakeDesk): Promise<{ readonly url: string; readonly server: Server }> => {
  const answer = async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
    const headers = Object.fromEntries(Object.entries(request.headers).map(([name, value]) => [name, String(value)]))
    const url = new URL(request.url ?? "/", `http://${request.headers.host}`)
    try {
      const body = await readBody(request)
      const answered = await desk().handle({ method: request.method ?? "GET", url, headers, body })
      if ("open" in answered) {
        response.writeHead(200, answered.headers)
        const close = answered.open(
          (text) => response.write(text),
          () => response.end()
        )
        response.on("close", close)
      } else response.writeHead(answered.status, answered.headers).end(answered.body)
    } catch {
      response.destroy()
    }
  }
  const server = createServer((request, response) => void answer(request, response))
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve))
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, server }
}
