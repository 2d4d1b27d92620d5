/** The desk's HTTP API, as this browser calls it. What crosses the wire is named here and nowhere else. */
import type { Agent, Contact, ConversationCommand, Message } from "@switchboard/conversation"
import type { ChannelView, Redriven } from "@switchboard/desk/Answers"
import type {
  Board,
  CommandAnswer,
  ContextAnswer,
  ConversationDetail,
  Health,
  InboxCursor,
  MetricsAnswer,
  OfferView,
  SearchAnswer
} from "@switchboard/desk/DeskService"
import type { DeadLetter, InboxRow } from "@switchboard/desk/Views"
import type { Measure } from "@switchboard/metrics"
import type { Explanation, Presence } from "@switchboard/routing"

/** An answer that was no success, or no answer at all (`unreachable`). */
export class DeskFault extends Error {
  readonly status: number
  readonly code: string
  readonly facts: Readonly<Record<string, unknown>>

  constructor(status: number, code: string, message: string, facts: Readonly<Record<string, unknown>> = {}) {
    super(message)
    this.status = status
    this.code = code
    this.facts = facts
  }

  /** Whether the same request may well succeed a little later. */
  get isPassing(): boolean {
    return this.code === "unreachable" || this.status === 429 || this.status === 503
  }
}

export interface SignInChoice {
  readonly id: string
  readonly name: string
  readonly role: string
  readonly teams: ReadonlyArray<string>
}

export interface InboxPage {
  readonly rows: ReadonlyArray<InboxRow>
  readonly next: InboxCursor | null
}

export interface InboxFilter {
  readonly active: boolean
  /** Empty for what nobody has. */
  readonly assignee?: string
}

/** A file on its way out. */
export interface OutgoingFile {
  readonly name: string
  readonly mediaType: string
  readonly base64: string
}

export interface Reply {
  readonly text: string
  readonly threadId?: string
  readonly files: ReadonlyArray<OutgoingFile>
  readonly fence?: number
}

export interface Note {
  readonly text: string
  readonly mentions: ReadonlyArray<Message.Mention>
}

interface Ask {
  readonly method?: "POST" | "PUT" | "DELETE"
  readonly query?: Readonly<Record<string, string | number | boolean | undefined>>
  readonly body?: unknown
  readonly commandId?: string
  readonly signal?: AbortSignal
}

/** Nobody waits longer than this for an answer; what was sent is sent again under the same id. */
const patienceMs = 60_000

let whenSignedOut = (): void => {}
/** Called when the desk no longer knows who this is. */
export const onSignedOut = (listener: () => void): void => {
  whenSignedOut = listener
}

export const newCommandId = (): string => crypto.randomUUID()

const toFault = async (response: Response): Promise<DeskFault> => {
  const body: unknown = await response.json().catch(() => ({}))
  const { code, detail, title, facts, errors } = body as Partial<{
    code: string
    detail: string
    title: string
    facts: Record<string, unknown>
    errors: unknown
  }>
  return new DeskFault(
    response.status,
    code ?? String(response.status),
    detail ?? title ?? `the desk answered ${response.status}`,
    facts ?? (errors === undefined ? {} : { errors })
  )
}

const ask = async <A>(path: string, { method, query, body, commandId, signal }: Ask = {}): Promise<A> => {
  const url = new URL(path, location.origin)
  for (const [name, value] of Object.entries(query ?? {}))
    if (value !== undefined) url.searchParams.set(name, String(value))
  let response: Response
  try {
    response = await fetch(url, {
      method: method ?? "GET",
      headers: {
        accept: "application/json",
        ...(method && { "x-switchboard": "1" }),
        ...(body !== undefined && { "content-type": "application/json" }),
        ...(commandId !== undefined && { "idempotency-key": commandId })
      },
      ...(body !== undefined && { body: JSON.stringify(body) }),
      signal: AbortSignal.any([AbortSignal.timeout(patienceMs), ...(signal ? [signal] : [])])
    })
  } catch (cause) {
    if (signal?.aborted) throw cause
    throw new DeskFault(0, "unreachable", "the desk can't be reached")
  }
  if (!response.ok) {
    if (response.status === 401 && path.startsWith("/api/")) whenSignedOut()
    throw await toFault(response)
  }
  const text = await response.text()
  return (text === "" ? {} : JSON.parse(text)) as A
}

const of = (id: string): string => `/api/conversations/${encodeURIComponent(id)}`
const command = <A = CommandAnswer>(path: string, body: unknown, commandId = newCommandId()): Promise<A> =>
  ask(path, { method: "POST", body, commandId })
const act = <A = unknown>(path: string, body?: unknown): Promise<A> => ask(path, { method: "POST", body })

export const signInChoices = (): Promise<ReadonlyArray<SignInChoice>> => ask("/auth/agents")
export const signIn = (agentId: string, password: string): Promise<unknown> =>
  act("/auth/sign-in", { agentId, password })
export const signOut = (): Promise<unknown> => act("/auth/sign-out", {})

/** Who this is; `null` when nobody is signed in. */
export const me = async (): Promise<Agent.Agent | null> => {
  try {
    const answer = await ask<{ readonly agent?: Agent.Agent | null }>("/api/me")
    return answer.agent ?? null
  } catch (fault) {
    if (fault instanceof DeskFault && fault.status === 401) return null
    throw fault
  }
}

export const agents = (): Promise<ReadonlyArray<Agent.Agent>> => ask("/api/agents")
export const channels = (): Promise<ReadonlyArray<ChannelView>> => ask("/api/channels")
export const teams = (): Promise<ReadonlyArray<Agent.Team>> => ask("/api/teams")

export const inbox = (filter: InboxFilter, after: InboxCursor | null, signal: AbortSignal): Promise<InboxPage> =>
  ask("/api/inbox", {
    query: {
      active: filter.active,
      assignee: filter.assignee,
      limit: 50,
      after: after === null ? undefined : `${after.attention},${after.key}`
    },
    signal
  })
/** Messages and contacts by the words of a text, the last word as a beginning unless a space follows. */
export const search = (text: string, limit: number, signal: AbortSignal): Promise<SearchAnswer> =>
  ask("/api/search", { query: { text, limit }, signal })
export const conversation = (id: string, signal: AbortSignal): Promise<ConversationDetail> => ask(of(id), { signal })
export const messagesBefore = (id: string, sequence: number): Promise<ReadonlyArray<Message.Message>> =>
  ask(`${of(id)}/messages`, { query: { before: sequence, limit: 50 } })
/** Why nobody has it yet; `null` when routing doesn't hold it. */
export const explanation = (id: string, signal: AbortSignal): Promise<Explanation.ItemExplanation | null> =>
  ask(`${of(id)}/explanation`, { signal })
export const context = (contactId: string, signal: AbortSignal): Promise<ContextAnswer> =>
  ask(`/api/contacts/${encodeURIComponent(contactId)}/context`, { signal })
export const attachmentUrl = (messageId: string, attachmentId: string): string =>
  `/api/messages/${encodeURIComponent(messageId)}/attachments/${encodeURIComponent(attachmentId)}`

export const give = (id: string, body: ConversationCommand.ConversationCommand): Promise<CommandAnswer> =>
  command(`${of(id)}/commands`, body)
export const giveToContact = (id: string, body: Contact.ContactCommand): Promise<unknown> =>
  command(`/api/contacts/${encodeURIComponent(id)}/commands`, body)
export const reply = (id: string, { text, files, ...rest }: Reply, commandId: string): Promise<CommandAnswer> =>
  command(
    `${of(id)}/replies`,
    {
      ...rest,
      parts: text === "" ? [] : [{ kind: "text", text, format: "plain" }],
      ...(files.length > 0 && { attachments: files })
    },
    commandId
  )
export const note = (id: string, { text, mentions }: Note, commandId: string): Promise<CommandAnswer> =>
  command(`${of(id)}/notes`, { text, ...(mentions.length > 0 && { mentions }) }, commandId)
export const typing = (id: string, isTyping: boolean): Promise<unknown> => act(`${of(id)}/typing`, { typing: isTyping })
export const pick = (id: string): Promise<unknown> => act(`${of(id)}/pick`)
export const assign = (id: string, agentId: string): Promise<unknown> => act(`${of(id)}/assign`, { agentId })

export const offers = (signal: AbortSignal): Promise<ReadonlyArray<OfferView>> => ask("/api/offers", { signal })
export const acceptOffer = (offerId: string): Promise<unknown> =>
  act(`/api/offers/${encodeURIComponent(offerId)}/accept`)
export const declineOffer = (offerId: string): Promise<unknown> =>
  act(`/api/offers/${encodeURIComponent(offerId)}/decline`)
export const setPresence = (agentId: string, status: Presence.Status): Promise<unknown> =>
  ask(`/api/agents/${encodeURIComponent(agentId)}/presence`, {
    method: "PUT",
    body: { status }
  })

export const health = (signal: AbortSignal): Promise<Health> => ask("/api/health", { signal })
export const deadLetters = (signal: AbortSignal): Promise<ReadonlyArray<DeadLetter>> =>
  ask("/api/dead-letters", { signal })
export const redrive = (id: string): Promise<Redriven> => act(`/api/dead-letters/${encodeURIComponent(id)}/redrive`)
export const retryParked = (reactor: string, stream: string): Promise<Redriven> =>
  act("/api/parked/retry", { reactor, stream })

export const board = (signal: AbortSignal): Promise<Board> => ask("/api/board", { signal })
export const measures = (): Promise<ReadonlyArray<Measure.Definition>> => ask("/api/measures")
export const metrics = (
  query: {
    readonly measure: string
    readonly fromMs: number
    readonly toMs: number
    readonly stepMs?: number
    readonly by?: string
  },
  signal: AbortSignal
): Promise<MetricsAnswer> => ask("/api/metrics", { query, signal })
