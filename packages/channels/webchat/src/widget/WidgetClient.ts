import type { ContactThread } from "@switchboard/channel"
import { makeQueue, type Queued, type QueuedAttachment, type WidgetQueue, type WidgetStorage } from "./WidgetQueue.ts"
import { makeEventReader } from "./WidgetStream.ts"

/** Who the site says is signed in, as its server signed it. */
export interface WidgetIdentity {
  readonly id?: string
  readonly email?: string
  readonly phone?: string
  readonly name?: string
  readonly issuedAtMs: number
  readonly signature: string
}

/** What a visitor says about themselves without proof. */
export interface WidgetVisitor {
  readonly name?: string
  readonly email?: string
  readonly language?: string
}

/** The world outside, so that a test can be it. */
export interface WidgetEnvironment {
  readonly fetch: (url: string, init: RequestInit) => Promise<Response>
  readonly storage: WidgetStorage
  readonly now: () => number
  /** Runs later; the result takes it back. */
  readonly after: (ms: number, run: () => void) => () => void
  readonly newId: () => string
  /** From 0 to 1. */
  readonly random: () => number
}

export interface WidgetLimits {
  readonly attachmentBytes: number
  readonly attachments: number
  readonly textLength: number
}

/** `waiting` goes out by itself once there is a connection; `failed` was refused and needs the visitor. */
export type OutboxState = "waiting" | "sending" | "sent" | "failed"

export interface OutboxEntry {
  readonly entry: Queued
  readonly state: OutboxState
  /** False when it would not survive a reload. */
  readonly kept: boolean
}

/** Everything the widget shows. */
export interface WidgetState {
  readonly connection: "idle" | "connecting" | "live" | "polling" | "offline"
  /** `identity`: the site's signature was not believed. `refused`: the desk doesn't know this chat or site. */
  readonly trouble?: "identity" | "refused" | undefined
  /** The history was read at least once. */
  readonly loaded: boolean
  readonly messages: ReadonlyArray<ContactThread.ThreadMessage>
  readonly outbox: ReadonlyArray<OutboxEntry>
  readonly typing?: { readonly authorName?: string } | undefined
  readonly unread: number
  readonly expected?: string | undefined
  readonly limits: WidgetLimits
}

export interface WidgetClientOptions {
  readonly endpoint: string
  readonly account: string
  readonly environment: WidgetEnvironment
  readonly onChange: (state: WidgetState) => void
}

interface StoredSession {
  readonly token: string
  readonly visitorId: string
  readonly expiresAtMs: number
  readonly obtainedAtMs: number
  /** Which signed-in person it is for; absent for an anonymous visitor. */
  readonly subject?: string
  readonly readSequence: number
  readonly limits: WidgetLimits
}

/** The desk answered, and not with what was asked for. */
class AnswerError extends Error {
  readonly status: number
  readonly retryAfterMs: number | undefined
  constructor(status: number, retryAfterMs: number | undefined) {
    super(`HTTP ${status}`)
    this.status = status
    this.retryAfterMs = retryAfterMs
  }
}

const dayMs = 86_400_000
const requestMs = 20_000
const uploadMs = 90_000
/** The desk says something every 15 s: after two and a half of them the connection is dead. */
const silenceMs = 40_000
const pollOpenMs = 4_000
const pollClosedMs = 30_000
/** After this time of polling a stream gets another chance. */
const streamAgainMs = 300_000
const typingShownMs = 8_000
const typingSentMs = 4_000
/** So many messages are read again at each connection, for edits and receipts missed meanwhile. */
const rereadCount = 30
const batchEntries = 20
const batchCharacters = 1_000_000

const defaultLimits: WidgetLimits = { attachmentBytes: 5 * 1024 * 1024, attachments: 5, textLength: 10_000 }

const toSubject = (identity: WidgetIdentity): string =>
  identity.id !== undefined
    ? `id:${identity.id}`
    : identity.email !== undefined
      ? `email:${identity.email.toLowerCase()}`
      : `phone:${identity.phone ?? ""}`

const isPermanent = (error: unknown): error is AnswerError =>
  error instanceof AnswerError && error.status < 500 && error.status !== 408 && error.status !== 429

/** Transport, queue and thread of one chat, without any of its looks. */
export class WidgetClient {
  readonly #options: WidgetClientOptions
  readonly #environment: WidgetEnvironment
  readonly #queue: WidgetQueue
  readonly #sessionKey: string
  readonly #visitorKey: string
  readonly #receipts = new Map<string, "delivered" | "read">()
  #state: WidgetState = {
    connection: "idle",
    loaded: false,
    messages: [],
    outbox: [],
    unread: 0,
    limits: defaultLimits
  }
  #session: StoredSession | undefined
  #opening: Promise<StoredSession> | undefined
  #identity: WidgetIdentity | undefined
  #visitor: WidgetVisitor = {}
  #open = false
  #visible = true
  /** Raised when a person's thread is forgotten: what was under way for them must not go out for the next. */
  #era = 0
  #stopped = true
  #sending = false
  #sendFailures = 0
  #cancelSend: (() => void) | undefined
  #cancelTyping: (() => void) | undefined
  #typingSentAtMs = Number.NEGATIVE_INFINITY
  #typing: boolean | undefined
  #live: AbortController | undefined
  #liveFailures = 0
  #streamFailures = 0
  #pollUntilMs = 0
  #wakeLive: (() => void) | undefined
  #cutStream: (() => void) | undefined

  constructor(options: WidgetClientOptions) {
    this.#options = options
    this.#environment = options.environment
    const prefix = `switchboard-chat:${options.endpoint}:${options.account}`
    this.#sessionKey = `${prefix}:session`
    this.#visitorKey = `${prefix}:visitor`
    this.#queue = makeQueue(options.environment.storage, prefix)
  }

  get state(): WidgetState {
    return this.#state
  }

  /** Takes up what an earlier page left: the session, and everything not yet confirmed. */
  start(identity?: WidgetIdentity): void {
    if (!this.#stopped) return
    this.#stopped = false
    this.#identity = identity
    this.#session = this.#loadSession()
    this.#visitor = parseObject<WidgetVisitor>(this.#environment.storage.get(this.#visitorKey)) ?? {}
    const left = this.#queue.load().map((entry): OutboxEntry => ({ entry, state: "waiting", kept: true }))
    const unkept = this.#state.outbox.filter(({ kept }) => !kept)
    this.#change({ limits: this.#session?.limits ?? defaultLimits, outbox: [...left, ...unkept] })
    if (this.#isSignedOut()) return
    this.#forgetOthers()
    if (this.#session !== undefined || identity !== undefined) this.#connect()
    void this.#flush()
  }

  stop(): void {
    this.#stopped = true
    this.#cancelSend?.()
    this.#cancelTyping?.()
    this.#disconnect()
  }

  /** Who is signed in on the site from now on. Nobody any more: the signed-in person's thread is forgotten here. */
  identify(identity: WidgetIdentity | undefined): void {
    const before = this.#identity
    this.#identity = identity
    if (this.#stopped) return
    if (identity === undefined) {
      if (before !== undefined) this.#forget()
      return
    }
    if (this.#session?.subject === toSubject(identity) && this.#live !== undefined) return
    this.#forgetOthers()
    this.#disconnect()
    this.#connect()
    void this.#flush()
  }

  /** What the visitor says about themselves goes along with what they write. */
  introduce(visitor: WidgetVisitor): void {
    this.#visitor = visitor
    this.#environment.storage.set(this.#visitorKey, JSON.stringify(visitor))
  }

  get visitor(): WidgetVisitor {
    return this.#visitor
  }

  /**
   * The panel is open or closed, on a page that is visible or not. What it shows on a visible page is read. A hidden
   * page asks now and then instead of holding a connection, of which a browser has few for each desk.
   */
  show(open: boolean, visible: boolean): void {
    const opened = open && !this.#open
    const appeared = visible && !this.#visible
    this.#open = open
    this.#visible = visible
    if (this.#stopped) return
    if (opened) {
      if (this.#isSignedOut()) this.#forget()
      this.#connect()
    }
    if (!visible) this.#cutStream?.()
    if (opened || appeared) this.wake()
    this.#countUnread()
  }

  /** Something suggests that trying again helps: the network is back, the page is visible, the visitor says so. */
  wake(): void {
    if (this.#stopped) return
    this.#wakeLive?.()
    this.#cancelSend?.()
    this.#cancelSend = undefined
    void this.#flush()
  }

  sendMessage(text: string, attachments: ReadonlyArray<QueuedAttachment> = []): void {
    this.#typing = undefined
    this.#typingSentAtMs = Number.NEGATIVE_INFINITY
    this.#enqueue({ ...this.#stamp(), kind: "message", text, attachments })
  }

  choose(ofMessageId: string, actionId: string, label: string): void {
    this.#enqueue({ ...this.#stamp(), kind: "action", actionId, label, ofMessageId })
  }

  /** The visitor types or stopped. Said at most every few seconds. */
  setTyping(typing: boolean): void {
    const now = this.#environment.now()
    if (typing ? now - this.#typingSentAtMs < typingSentMs : this.#typingSentAtMs === Number.NEGATIVE_INFINITY) return
    this.#typingSentAtMs = typing ? now : Number.NEGATIVE_INFINITY
    this.#typing = typing
    void this.#flush()
  }

  retry(clientId: string): void {
    this.#setOutbox(clientId, "waiting")
    this.wake()
  }

  discard(clientId: string): void {
    this.#queue.drop(clientId)
    this.#change({ outbox: this.#state.outbox.filter(({ entry }) => entry.clientId !== clientId) })
  }

  #stamp(): { readonly clientId: string; readonly writtenAtMs: number } {
    const last = this.#state.outbox.at(-1)?.entry.writtenAtMs ?? 0
    return { clientId: this.#environment.newId(), writtenAtMs: Math.max(this.#environment.now(), last + 1) }
  }

  #enqueue(entry: Queued): void {
    if (this.#isSignedOut()) this.#forget()
    const kept = this.#queue.keep(entry)
    this.#change({ outbox: [...this.#state.outbox, { entry, state: "waiting", kept }] })
    this.#connect()
    void this.#flush()
  }

  #change(part: Partial<WidgetState>): void {
    this.#state = { ...this.#state, ...part }
    this.#options.onChange(this.#state)
  }

  #setOutbox(clientIds: string | ReadonlyArray<string>, state: OutboxState): void {
    this.#change({
      outbox: this.#state.outbox.map((each) => (clientIds.includes(each.entry.clientId) ? { ...each, state } : each))
    })
  }

  // Session

  #loadSession(): StoredSession | undefined {
    const session = parseObject<StoredSession>(this.#environment.storage.get(this.#sessionKey))
    return session !== undefined && session.expiresAtMs > this.#environment.now() ? session : undefined
  }

  #keepSession(session: StoredSession): void {
    this.#session = session
    this.#environment.storage.set(this.#sessionKey, JSON.stringify(session))
  }

  /** A person was signed in here, and the page doesn't say that anybody is: it may still do so, or they left. */
  #isSignedOut(): boolean {
    return this.#session?.subject !== undefined && this.#identity === undefined
  }

  /** Another person's thread, and what they had not sent yet, is not the next one's. */
  #forgetOthers(): void {
    const { subject } = this.#session ?? {}
    if (subject !== undefined && this.#identity !== undefined && toSubject(this.#identity) !== subject) this.#forget()
  }

  #forget(): void {
    this.#era++
    this.#disconnect()
    this.#environment.storage.remove(this.#sessionKey)
    this.#environment.storage.remove(this.#visitorKey)
    this.#visitor = {}
    this.#queue.clear()
    this.#session = undefined
    this.#receipts.clear()
    this.#change({
      connection: "idle",
      loaded: false,
      messages: [],
      outbox: [],
      unread: 0,
      typing: undefined,
      trouble: undefined
    })
  }

  #isFresh(session: StoredSession): boolean {
    const subject = this.#identity && toSubject(this.#identity)
    return (
      (subject === undefined || subject === session.subject) && this.#environment.now() - session.obtainedAtMs < dayMs
    )
  }

  async #ensureSession(rejected?: string): Promise<StoredSession> {
    const session = this.#session
    if (session !== undefined && session.token !== rejected && this.#isFresh(session)) return session
    this.#opening ??= this.#openSession().finally(() => {
      this.#opening = undefined
    })
    return this.#opening
  }

  async #openSession(): Promise<StoredSession> {
    const before = this.#session ?? this.#loadSession()
    const identity = this.#identity
    const body = {
      ...(before === undefined ? {} : { visitorToken: before.token }),
      ...(identity === undefined ? {} : { identity })
    }
    try {
      const answer = (await this.#request(
        "session",
        { method: "POST", body: JSON.stringify(body) },
        requestMs,
        toJson
      )) as { visitorToken: string; visitorId: string; expiresAtMs: number; limits: WidgetLimits }
      // Somebody else signed in or out meanwhile: this answer is about the wrong person.
      if (identity !== this.#identity) return this.#openSession()
      const isSame = answer.visitorId === before?.visitorId
      const opened: StoredSession = {
        token: answer.visitorToken,
        visitorId: answer.visitorId,
        expiresAtMs: answer.expiresAtMs,
        obtainedAtMs: this.#environment.now(),
        ...(identity !== undefined
          ? { subject: toSubject(identity) }
          : isSame && before.subject !== undefined
            ? { subject: before.subject }
            : {}),
        readSequence: isSame ? before.readSequence : 0,
        limits: answer.limits
      }
      // Two tabs that open at once must not become two visitors: the first one stored counts.
      const other = before === undefined ? this.#loadSession() : undefined
      const session = other !== undefined && other.subject === opened.subject ? other : opened
      this.#keepSession(session)
      this.#change({
        trouble: undefined,
        limits: answer.limits,
        ...(isSame ? {} : { messages: [], unread: 0, loaded: false })
      })
      return session
    } catch (error) {
      if (isPermanent(error)) this.#change({ trouble: error.status === 401 ? "identity" : "refused" })
      throw error
    }
  }

  // Requests

  /** The time limit holds until `read` is done: an answer can also get stuck in its middle. */
  async #request<A>(
    path: string,
    init: { method: string; body?: string; token?: string; signal?: AbortSignal },
    timeoutMs: number,
    read: (response: Response) => A | Promise<A>
  ): Promise<A> {
    const abort = new AbortController()
    const cancel = this.#environment.after(timeoutMs, () => abort.abort(new Error("no answer in time")))
    const follow = (): void => abort.abort(init.signal?.reason)
    if (init.signal?.aborted) follow()
    init.signal?.addEventListener("abort", follow, { once: true })
    try {
      const { endpoint, account } = this.#options
      const response = await this.#environment.fetch(
        `${endpoint.replace(/\/+$/, "")}/channels/webchat/${encodeURIComponent(account)}/${path}`,
        {
          method: init.method,
          headers: {
            ...(init.body === undefined ? {} : { "content-type": "application/json" }),
            ...(init.token === undefined ? {} : { authorization: `Bearer ${init.token}` })
          },
          credentials: "omit",
          cache: "no-store",
          signal: abort.signal,
          ...(init.body === undefined ? {} : { body: init.body })
        }
      )
      if (response.ok) return await read(response)
      void response.body?.cancel()
      const seconds = Number(response.headers.get("retry-after") ?? "")
      throw new AnswerError(response.status, seconds > 0 ? Math.min(seconds * 1000, 120_000) : undefined)
    } finally {
      cancel()
    }
  }

  /** With a token; one that is no longer believed is replaced once. */
  async #authorised<A>(
    path: string,
    init: { method: string; body?: string; signal?: AbortSignal },
    timeoutMs: number,
    read: (response: Response) => A | Promise<A>
  ): Promise<A> {
    const era = this.#era
    const checked = async (session: Promise<StoredSession>): Promise<string> => {
      const { token } = await session
      if (era !== this.#era) throw new Error("another person is here now")
      return token
    }
    const token = await checked(this.#ensureSession())
    try {
      return await this.#request(path, { ...init, token }, timeoutMs, read)
    } catch (error) {
      if (!(error instanceof AnswerError) || error.status !== 401) throw error
      return this.#request(path, { ...init, token: await checked(this.#ensureSession(token)) }, timeoutMs, read)
    }
  }

  #backoff(failures: number, error?: unknown): number {
    const asked = error instanceof AnswerError ? error.retryAfterMs : undefined
    return Math.max(
      asked ?? 0,
      Math.min(30_000, 1000 * 2 ** Math.min(failures, 6)) * (0.5 + this.#environment.random() / 2)
    )
  }

  // Sending

  #nextBatch(): ReadonlyArray<Queued> {
    const batch: Array<Queued> = []
    let characters = 0
    for (const { entry, state } of this.#state.outbox) {
      if (state === "failed" || state === "sent") continue
      characters += JSON.stringify(entry).length
      if (batch.length > 0 && (batch.length === batchEntries || characters > batchCharacters)) break
      batch.push(entry)
    }
    return batch
  }

  async #flush(): Promise<void> {
    if (this.#sending || this.#stopped || this.#cancelSend !== undefined || this.#isSignedOut()) return
    const batch = this.#nextBatch()
    const receipts = [...this.#receipts].slice(0, batchEntries)
    const typing = this.#typing
    this.#typing = undefined
    if (batch.length === 0 && receipts.length === 0 && typing === undefined) return
    this.#sending = true
    const ids = batch.map(({ clientId }) => clientId)
    if (ids.length > 0) this.#setOutbox(ids, "sending")
    const body = JSON.stringify({
      entries: [
        ...batch.map(toWire),
        ...receipts.map(([messageId, kind]) => ({ kind, messageId })),
        ...(typing === undefined ? [] : [{ kind: "typing", typing }])
      ],
      visitor: this.#visitor
    })
    try {
      const timeoutMs = body.length > batchCharacters / 10 ? uploadMs : requestMs
      await this.#authorised("messages", { method: "POST", body }, timeoutMs, () => undefined)
      this.#sendFailures = 0
      for (const id of ids) this.#queue.drop(id)
      for (const [id, kind] of receipts) if (this.#receipts.get(id) === kind) this.#receipts.delete(id)
      this.#setOutbox(ids, "sent")
    } catch (error) {
      if (isPermanent(error)) {
        this.#setOutbox(ids, "failed")
        for (const [id] of receipts) this.#receipts.delete(id)
      } else {
        this.#setOutbox(ids, "waiting")
        if (ids.length > 0 || receipts.length > 0) {
          this.#cancelSend = this.#environment.after(this.#backoff(this.#sendFailures++, error), () => {
            this.#cancelSend = undefined
            void this.#flush()
          })
        }
      }
    } finally {
      this.#sending = false
    }
    void this.#flush()
  }

  // Reading

  #connect(): void {
    if (this.#stopped || this.#live !== undefined) return
    const live = new AbortController()
    this.#live = live
    this.#liveFailures = 0
    this.#change({ connection: "connecting" })
    void this.#follow(live.signal)
  }

  #disconnect(): void {
    this.#live?.abort()
    this.#live = undefined
    this.#wakeLive?.()
    this.#change({ connection: "idle" })
  }

  async #follow(signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      let waitMs: number
      try {
        await this.#catchUp(signal)
        this.#liveFailures = 0
        if (this.#visible && this.#environment.now() >= this.#pollUntilMs) {
          await this.#stream(signal)
          waitMs = 500 + this.#environment.random() * 1000
        } else {
          this.#change({ connection: "polling" })
          waitMs = this.#open && this.#visible ? pollOpenMs : pollClosedMs
        }
      } catch (error) {
        if (signal.aborted) return
        this.#change({ connection: "offline", typing: undefined })
        waitMs = this.#backoff(this.#liveFailures++, error)
      }
      if (signal.aborted) return
      await new Promise<void>((resolve) => {
        const cancel = this.#environment.after(waitMs, resolve)
        this.#wakeLive = () => {
          cancel()
          resolve()
        }
      })
      this.#wakeLive = undefined
    }
  }

  async #catchUp(signal: AbortSignal): Promise<void> {
    // Opened first: a new session may belong to another thread, and then nothing known counts.
    await this.#ensureSession()
    const wasOffline = this.#state.connection === "offline"
    let after = (this.#state.messages.at(-rereadCount)?.sequence ?? 1) - 1
    for (;;) {
      const page = (await this.#authorised(
        `thread?after=${after}`,
        { method: "GET", signal },
        requestMs,
        toJson
      )) as ContactThread.ThreadPage
      if (signal.aborted) return
      this.#merge(page.messages)
      const last = page.messages.at(-1)?.sequence ?? page.head
      this.#change({ expected: page.expected })
      if (last >= page.head || last <= after) break
      after = last
    }
    this.#change({ loaded: true })
    if (wasOffline) {
      this.#cancelSend?.()
      this.#cancelSend = undefined
      void this.#flush()
    }
  }

  async #stream(signal: AbortSignal): Promise<void> {
    const after = this.#state.messages.at(-1)?.sequence ?? 0
    const silent = new AbortController()
    let opened = false
    let received = false
    let watch: (() => void) | undefined
    const listen = (): void => {
      watch?.()
      watch = this.#environment.after(silenceMs, () => silent.abort(new Error("nothing heard")))
    }
    const stop = (): void => silent.abort()
    this.#cutStream = stop
    signal.addEventListener("abort", stop, { once: true })
    try {
      const response = await this.#authorised(
        `thread?after=${after}&live=1`,
        { method: "GET", signal: silent.signal },
        requestMs,
        (answer) => answer
      )
      if (response.body === null || !/^text\/event-stream/i.test(response.headers.get("content-type") ?? "")) {
        void response.body?.cancel()
        this.#pollUntilMs = this.#environment.now() + streamAgainMs
        return
      }
      opened = true
      this.#change({ connection: "live" })
      listen()
      const read = makeEventReader(({ event, data }) => {
        if (!signal.aborted) this.#take(event, data)
      })
      const reader = response.body.pipeThrough(new TextDecoderStream()).getReader()
      for (;;) {
        const { done, value } = await reader.read()
        if (done) break
        received = true
        listen()
        read(value)
      }
    } catch (error) {
      // A stream that breaks is read again at once; only an answer says that it makes no sense.
      if (error instanceof AnswerError) throw error
    } finally {
      watch?.()
      this.#cutStream = undefined
      signal.removeEventListener("abort", stop)
      if (received) this.#streamFailures = 0
      // Something on the way holds streams back: asking now and then is slower and works.
      else if (opened && this.#visible && !signal.aborted && ++this.#streamFailures >= 2) {
        this.#streamFailures = 0
        this.#pollUntilMs = this.#environment.now() + streamAgainMs
      }
    }
    if (!signal.aborted) this.#change({ connection: "connecting", typing: undefined })
  }

  #take(event: string, data: string): void {
    let value: unknown
    try {
      value = JSON.parse(data)
    } catch {
      return
    }
    if (event === "message" || event === "update") this.#merge([value as ContactThread.ThreadMessage])
    else if (event === "typing") this.#showTyping(value as ContactThread.ThreadTyping)
  }

  #showTyping({ typing, authorName }: ContactThread.ThreadTyping): void {
    this.#cancelTyping?.()
    this.#cancelTyping = undefined
    this.#change({ typing: typing ? { ...(authorName === undefined ? {} : { authorName }) } : undefined })
    if (typing) this.#cancelTyping = this.#environment.after(typingShownMs, () => this.#change({ typing: undefined }))
  }

  #merge(incoming: ReadonlyArray<ContactThread.ThreadMessage>): void {
    if (incoming.length === 0) return
    const known = new Map(this.#state.messages.map((message) => [message.id, message]))
    const arrived = incoming.filter(({ id, direction }) => direction === "out" && !known.has(id))
    for (const message of incoming) known.set(message.id, message)
    const readSequence = this.#session?.readSequence ?? 0
    for (const { id, sequence, delivery } of arrived)
      if (sequence > readSequence && delivery !== "delivered" && delivery !== "read")
        this.#receipts.set(id, "delivered")
    const messages = [...known.values()].sort((a, b) => a.sequence - b.sequence)
    this.#change({
      messages,
      outbox: this.#withoutShown(messages),
      ...(arrived.length > 0 ? { typing: undefined } : {})
    })
    this.#countUnread()
    if (this.#receipts.size > 0) void this.#flush()
  }

  /** What the thread shows needs no place in the outbox: it is durable, even if no answer to its sending came. */
  #withoutShown(messages: WidgetState["messages"]): ReadonlyArray<OutboxEntry> {
    const shown = new Set(messages.map(ownIdOf))
    return this.#state.outbox.filter(({ entry }) => {
      if (!shown.has(entry.clientId)) return true
      this.#queue.drop(entry.clientId)
      return false
    })
  }

  #countUnread(): void {
    const session = this.#session
    if (session === undefined) return
    const unread = this.#state.messages.filter(
      ({ direction, sequence, deletedAtMs }) =>
        direction === "out" && deletedAtMs === undefined && sequence > session.readSequence
    )
    const seen = this.#open && this.#visible
    if (seen && unread.length > 0) {
      for (const { id, delivery } of unread) {
        if (delivery === "read") this.#receipts.delete(id)
        else this.#receipts.set(id, "read")
      }
      this.#keepSession({ ...session, readSequence: unread.at(-1)!.sequence })
      void this.#flush()
    }
    const count = seen ? 0 : unread.length
    if (count !== this.#state.unread) this.#change({ unread: count })
  }
}

/** The id this or another page of the visitor gave to what became a message. A choice has a prefix. */
export const ownIdOf = ({ clientId }: WidgetState["messages"][number]): string | undefined =>
  clientId?.replace(/^action:/, "")

const parseObject = <A extends object>(text: string | null): A | undefined => {
  try {
    const value: unknown = JSON.parse(text ?? "")
    return typeof value === "object" && value !== null ? (value as A) : undefined
  } catch {
    return undefined
  }
}

const toJson = (response: Response): Promise<unknown> => response.json() as Promise<unknown>

const toWire = (entry: Queued): unknown =>
  entry.kind === "message"
    ? {
        ...entry,
        attachments: entry.attachments.map(({ name, mediaType, base64 }) => ({ name, mediaType, base64 }))
      }
    : entry
