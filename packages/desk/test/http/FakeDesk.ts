/**
 * A desk that only answers what it is told to, and the handler over it.
 */
import type { Channel } from "@switchboard/channel"
import { Id } from "@switchboard/conversation"
import { Measures } from "@switchboard/metrics"
import { MemoryBlobStore, MemoryStorage } from "@switchboard/storage"
import { Effect, Logger, Stream } from "effect"
import * as Credential from "../../src/Credential.ts"
import { type DeskConfig, resolve } from "../../src/DeskConfig.ts"
import * as DeskFetch from "../../src/DeskFetch.ts"
import type { ConversationDetail, DeskService } from "../../src/DeskService.ts"
import type { InboxRow } from "../../src/Views.ts"
import { capabilities } from "../harness.ts"

export const secret = "a secret of thirty-two characters"
export const nowMs = Date.UTC(2030, 0, 7, 9)
export const hourMs = 3_600_000
export const origin = "https://desk.test"

const agent = (id: string, role: "agent" | "supervisor" | "administrator") => ({
  id: Id.AgentId.parse(id),
  name: `${id} of the desk`,
  role,
  teams: [Id.TeamId.parse("billing")],
  skills: { refunds: 3 },
  languages: ["en"],
  capacity: { total: 3, perChannelKind: {} }
})

/** A channel that is only there to be known. */
export const channel: Channel.Channel = {
  contractVersion: 1,
  kind: "chat",
  capabilities,
  accounts: [],
  acknowledgement: { status: 200 },
  verify: () => ({ kind: "refused", status: 401, reason: "never asked" }),
  decode: () => ({ ok: true, value: [] }),
  send: async () => ({ outcome: "accepted", platformIds: [] })
}

export const row: InboxRow = {
  conversationId: Id.ConversationId.parse("c1"),
  contactId: Id.ContactId.parse("p1"),
  contactName: "Rosa",
  subject: "Paid twice",
  preview: "I paid twice",
  status: "open",
  priority: "high",
  channelKinds: ["chat"],
  holder: { kind: "nobody" },
  assignee: null,
  teamId: null,
  tags: ["refund"],
  unreadCount: 1,
  active: true,
  attention: nowMs + 60_000,
  waitingSinceMs: nowMs,
  due: { target: "firstReply", dueAtMs: nowMs + 60_000, breached: false },
  offer: { offerId: "c1.1", agentId: "ada", expiresAtMs: nowMs + 30_000 },
  updatedAtMs: nowMs,
  openedAtMs: nowMs
}

export const detail: ConversationDetail = {
  conversation: {
    id: row.conversationId,
    version: 3,
    contactId: row.contactId,
    status: "open",
    control: { holder: { kind: "nobody" }, fence: 1 },
    priority: "high",
    tags: [],
    attributes: {},
    participants: [],
    threads: [],
    links: [],
    cycle: 1,
    messageCount: 0,
    unreadCount: 0,
    preview: "",
    openedAtMs: nowMs,
    updatedAtMs: nowMs
  },
  row,
  contact: null,
  merged: [],
  messages: [],
  hasEarlier: false,
  others: [],
  clocks: [{ target: "firstReply", state: "running", dueAtMs: nowMs, breachedAtMs: null, startedAtMs: nowMs }],
  position: 41
}

const figures = {
  count: 0,
  yeses: null,
  share0to1: null,
  meanMs: null,
  p50Ms: null,
  p90Ms: null,
  p95Ms: null,
  minMs: null,
  maxMs: null
}

/** What was asked of the desk, in order: the operation and its arguments. */
export type Calls = Array<readonly [operation: string, ...args: ReadonlyArray<unknown>]>

const answers: DeskService = {
  receive: () => Effect.succeed({ kind: "answer", answer: { status: 200, body: "kept" } }),
  execute: (_, conversationId) => Effect.succeed({ conversationId, version: 4, repeated: false }),
  executeOnContact: (_, contactId) => Effect.succeed({ contactId, version: 2 }),
  reply: (_, conversationId) => Effect.succeed({ conversationId, version: 4, repeated: false, messageId: "m2" }),
  note: (_, conversationId) => Effect.succeed({ conversationId, version: 4, repeated: false, messageId: "m3" }),
  inbox: () => Effect.succeed({ rows: [row], next: { attention: row.attention, key: "c1" }, position: 41 }),
  search: () =>
    Effect.succeed({
      messages: [
        {
          conversationId: "c1",
          messageId: "m1",
          direction: "in",
          recordedAtMs: nowMs,
          snippet: { text: "I paid twice", matches: [{ start: 2, end: 6 }] },
          row
        }
      ],
      contacts: [{ contactId: "p1", name: "Rosa", snippet: { text: "Rosa", matches: [{ start: 0, end: 4 }] } }],
      behind: 0
    }),
  conversation: () => Effect.succeed(detail),
  messages: () => Effect.succeed([]),
  context: () => Effect.succeed({ state: "ready", provider: "shop", facts: [{ label: "Orders", value: "3" }] }),
  attachment: () =>
    Effect.succeed({
      attachment: { id: Id.AttachmentId.parse("a1"), mediaType: "image/png", sizeBytes: 3, state: "stored" },
      bytes: (async function* () {
        yield new Uint8Array([1, 2])
        yield new Uint8Array([3])
      })()
    }),
  offers: () => Effect.succeed([{ offerId: "c1.1", conversationId: "c1", expiresAtMs: nowMs, row }]),
  setPresence: () => Effect.void,
  acceptOffer: () => Effect.void,
  declineOffer: () => Effect.void,
  pick: () => Effect.void,
  assign: () => Effect.void,
  explain: () =>
    Effect.succeed({
      item: { itemId: "c1", queueId: "main", channelKind: "chat", weight: 1, priority: 0, arrivedAtMs: nowMs },
      requirement: { kind: "all", of: [{ kind: "skill", skill: "refunds", atLeast: 2 }] },
      place: { kind: "waiting" },
      ageMs: 10,
      waitsFor: "capacity",
      ahead: 0,
      agents: [{ agentId: "ada", obstacles: [{ kind: "capacity", limit: "units", used: 3, allowed: 3 }] }]
    }),
  board: () =>
    Effect.succeed({
      nowMs,
      agents: [{ agent: agent("ada", "agent"), presence: { status: "available" }, holds: 1, capacity: 3 }],
      queues: [{ queueId: "main", waiting: 1, oldestWaitMs: 10 }],
      waiting: [
        { dimensions: { channelKind: "chat" }, count: 1, oldestAgeMs: 5, oldestConversationId: "c1", medianAgeMs: 5 }
      ],
      breachingSoon: 0,
      active: 1
    }),
  metrics: () =>
    Effect.succeed({
      definition: Measures.catalog()[0]!,
      total: figures,
      rows: [{ dimensions: { channelKind: "chat" }, ...figures }],
      series: { startsMs: [nowMs], lines: [{ dimensions: {}, values: [null] }] }
    }),
  measures: () => Measures.catalog(),
  changes: () => Stream.never,
  contactTyping: () => Stream.never,
  deadLetters: () =>
    Effect.succeed([
      {
        id: "d1",
        channelKind: "chat",
        state: "waiting",
        code: "notJson",
        reason: "not JSON",
        receivedAtMs: nowMs,
        headers: {},
        bytes: "eA==",
        entry: null
      }
    ]),
  redrive: () => Effect.succeed({ done: true, reason: null }),
  retryParked: () => Effect.succeed({ done: true, reason: null }),
  typing: () => Effect.void,
  erase: () => Effect.succeed({ events: 3, documents: 2, blobs: 0 }),
  exportContact: () =>
    Effect.succeed({
      name: "contact-p1.zip",
      bytes: (async function* () {
        yield new TextEncoder().encode("PK")
      })()
    }),
  audit: (_, conversationId, { atMs = nowMs } = {}) =>
    Effect.succeed({
      conversationId: Id.ConversationId.parse(conversationId),
      atMs,
      conversation: detail.conversation,
      messages: [],
      changes: [
        {
          position: 7,
          version: 3,
          recordedAtMs: nowMs,
          type: "ControlChanged",
          actor: { kind: "system", name: "router" },
          onBehalfOf: { kind: "agent", id: Id.AgentId.parse("ada"), role: "agent" },
          causation: "journal/6",
          commandId: "k1",
          changed: [{ field: "holder", from: "nobody", to: "agent/ada" }],
          facts: { reason: "given", "control.fence": 2 }
        }
      ]
    }),
  health: () =>
    Effect.succeed({
      position: 41,
      reactors: [
        { name: "inbox", position: 41, behind: 0, stopped: null },
        { name: "sla", position: 40, behind: 1, stopped: { reason: "broken", sinceMs: nowMs } }
      ],
      parked: [{ reactor: "sla", stream: "conversation/c9", position: 7, reason: "broken", parkedAtMs: nowMs }],
      deadLetters: 1
    }),
  drain: () => Effect.succeed({ level: true })
}

/** The handler, and what reached the desk behind it. */
export interface FakeDesk {
  readonly fetch: (request: Request) => Promise<Response>
  readonly calls: Calls
}

export interface FakeOptions {
  readonly answers?: Partial<DeskService>
  readonly config?: Partial<DeskConfig>
  readonly run?: DeskFetch.Run
}

/** What the handler logs is not what these tests are about. */
const runQuietly: DeskFetch.Run = (effect) => Effect.runPromise(Effect.provide(effect, Logger.layer([])))

export const make = (options: FakeOptions = {}): FakeDesk => {
  const calls: Calls = []
  const desk = Object.fromEntries(
    Object.entries({ ...answers, ...options.answers }).map(([name, operation]) => [
      name,
      (...args: ReadonlyArray<unknown>) => {
        calls.push([name, ...args])
        return (operation as (...args: ReadonlyArray<unknown>) => unknown)(...args)
      }
    ])
  ) as unknown as DeskService
  const settings = resolve({
    storage: MemoryStorage.make(),
    blobs: MemoryBlobStore.make(),
    credentialSecret: secret,
    channels: [channel],
    agents: [agent("ada", "agent"), agent("sol", "supervisor"), agent("root", "administrator")],
    teams: [{ id: Id.TeamId.parse("billing"), name: "Billing" }],
    apiKeys: [
      { id: "crm", secret: "crm-secret-of-thirty-two-0123456789", role: "agent" },
      { id: "ops", secret: "ops-secret-of-thirty-two-0123456789", role: "administrator" }
    ],
    ...options.config
  })
  return { fetch: DeskFetch.make(desk, settings, options.run ?? runQuietly, () => nowMs), calls }
}

export const token = (agentId: string, lifetimeMs = hourMs): Promise<string> =>
  Credential.issue(secret, agentId, { nowMs, lifetimeMs })

/** A request by an agent, or by nobody when `as` is null; a plain object as the body becomes JSON. */
export const request = async (
  method: string,
  path: string,
  options: {
    readonly as?: string | null
    readonly body?: unknown
    readonly headers?: Readonly<Record<string, string>>
    readonly signal?: AbortSignal
  } = {}
): Promise<Request> => {
  const { as = "ada", body, headers = {}, signal } = options
  return new Request(`${origin}${path}`, {
    method,
    headers: {
      ...(as !== null && { authorization: `Bearer ${await token(as)}` }),
      ...(body !== undefined && { "content-type": "application/json" }),
      ...headers
    },
    ...(body !== undefined && { body: typeof body === "string" ? body : JSON.stringify(body) }),
    ...(signal && { signal })
  })
}

export interface Problem {
  readonly code: string
  readonly detail: string
  readonly facts: Readonly<Record<string, unknown>>
}

/** A failed answer: its status and its problem details. */
export const problemOf = async (response: Response): Promise<Problem> => {
  if (response.headers.get("content-type") !== "application/problem+json") {
    throw new Error(`${response.status} is no problem: ${await response.text()}`)
  }
  return (await response.json()) as Problem
}
