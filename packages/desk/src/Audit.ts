/**
 * A conversation as it stood at an instant, and what changed it up to then, by whom and why: read from its journal alone.
 *
 * @module
 */
import {
  type Actor,
  type Conversation,
  type ConversationEvent,
  ConversationEvolution,
  type Id,
  type Message
} from "@switchboard/conversation"
import type { Storage } from "@switchboard/storage"
import { Effect } from "effect"
import { NotFoundError } from "./DeskError.ts"
import { decode, type Recorded, streams, toImpersonal } from "./DeskEvent.ts"
import type { DeskService } from "./DeskService.ts"
import { type Environment, fromPromise } from "./Environment.ts"
import { requireRole } from "./Rights.ts"

/** A fact: short, for programs. */
export type Fact = string | number | boolean

/** A field of the conversation before and after a change; `null`: it was or is not set. */
export interface FieldChange {
  readonly field: "status" | "holder" | "priority" | "cycle" | "mergedInto"
  readonly from: Fact | null
  readonly to: Fact | null
}

/**
 * One change.
 *
 * **Shape** `type` is the event's. `facts` are its own by name, those inside others joined with a dot
 * (`wanted.teamId`), lists joined with commas; nothing personal is among them: what was said stands in the messages.
 * `causation` names what it answers, such as `journal/42`.
 *
 * **Units** `recordedAtMs` is our clock, `occurredAtMs` the platform's, both epoch milliseconds.
 */
export interface AuditChange {
  readonly position: number
  readonly version: number
  readonly recordedAtMs: number
  readonly occurredAtMs?: number
  readonly type: ConversationEvent.ConversationEvent["type"]
  readonly actor: Actor.Actor
  readonly onBehalfOf?: Actor.Actor
  readonly causation?: string
  readonly commandId?: string
  readonly changed: ReadonlyArray<FieldChange>
  readonly facts: Readonly<Record<string, Fact>>
}

/**
 * A conversation at an instant.
 *
 * **Shape** `conversation` is `null` before it was opened. `messages` in their order, as they stood then. `changes` in the
 * order of the journal.
 *
 * **Gotchas** what was erased since stands as it stands now: without its words.
 */
export interface Audit {
  readonly conversationId: Id.ConversationId
  readonly atMs: number
  readonly conversation: Conversation.Conversation | null
  readonly messages: ReadonlyArray<Message.Message>
  readonly changes: ReadonlyArray<AuditChange>
}

const flatten = (value: unknown, path: string, into: Record<string, Fact>): void => {
  if (typeof value === "string" || typeof value === "number" || typeof value === "boolean") into[path] = value
  else if (Array.isArray(value)) {
    const plain = value.filter((one) => typeof one !== "object" || one === null)
    if (value.length > 0) into[path] = plain.length === value.length ? value.join(",") : value.length
  } else if (typeof value === "object" && value !== null) {
    for (const [name, inner] of Object.entries(value)) flatten(inner, path === "" ? name : `${path}.${name}`, into)
  }
}

/** What an event says that is not personal. A message or a thread is named: as it stands it is told elsewhere. */
const toFacts = (event: ConversationEvent.ConversationEvent): Readonly<Record<string, Fact>> => {
  const { type: _, meta: __, message, thread, ...own } = toImpersonal(event) as Record<string, unknown>
  const facts: Record<string, Fact> = {}
  if (message !== undefined) {
    const { id, threadId, sequence, direction, purpose } = message as Message.Message
    flatten({ messageId: id, threadId, sequence, direction, purpose }, "", facts)
  }
  if (thread !== undefined) {
    const { id, channelKind, accountId, audience } = thread as Conversation.Conversation["threads"][number]
    flatten({ threadId: id, channelKind, accountId, audience }, "", facts)
  }
  flatten(own, "", facts)
  return facts
}

const toHolder = (holder: Conversation.Holder): string =>
  holder.kind === "nobody" ? holder.kind : `${holder.kind}/${holder.id}`

const watched: { readonly [F in FieldChange["field"]]: (of: Conversation.Conversation) => Fact | undefined } = {
  status: ({ status }) => status,
  holder: ({ control }) => toHolder(control.holder),
  priority: ({ priority }) => priority,
  cycle: ({ cycle }) => cycle,
  mergedInto: ({ mergedInto }) => mergedInto
}

const toChanged = (
  before: Conversation.Conversation | undefined,
  after: Conversation.Conversation | undefined
): ReadonlyArray<FieldChange> =>
  (Object.keys(watched) as ReadonlyArray<FieldChange["field"]>).flatMap((field) => {
    const from = (before && watched[field](before)) ?? null
    const to = (after && watched[field](after)) ?? null
    return from === to ? [] : [{ field, from, to }]
  })

/**
 * A conversation as its events tell it up to an instant, inclusive.
 *
 * **Shape** `events` are those of its stream from the first, decoded (`DeskEvent.decode`); others are passed over.
 *
 * **Units** `atMs` by our clock, epoch milliseconds.
 */
export const of = (conversationId: string, events: ReadonlyArray<Recorded>, atMs: number): Audit => {
  let state = ConversationEvolution.empty
  const changes: Array<AuditChange> = []
  for (const recorded of events) {
    if (recorded.recordedAtMs > atMs) break
    if (recorded.family !== "conversation" || recorded.id !== conversationId) continue
    const { event, position, version, recordedAtMs } = recorded
    const { actor, onBehalfOf, causation, commandId, occurredAtMs } = event.meta
    const before = state.conversation
    state = ConversationEvolution.evolve(state, event)
    changes.push({
      position,
      version,
      recordedAtMs,
      ...(occurredAtMs !== undefined && { occurredAtMs }),
      type: event.type,
      actor,
      ...(onBehalfOf && { onBehalfOf }),
      ...(causation !== undefined && { causation }),
      ...(commandId !== undefined && { commandId }),
      changed: toChanged(before, state.conversation),
      facts: toFacts(event)
    })
  }
  return {
    conversationId: conversationId as Id.ConversationId,
    atMs,
    conversation: state.conversation ?? null,
    messages: [...state.messages.values()],
    changes
  }
}

/**
 * The same from a workspace's storage, without a desk. `undefined`: there is no such conversation.
 *
 * **Example**
 *
 * ```ts
 * import { strict as assert } from "node:assert"
 * import { Audit, Views } from "@switchboard/desk"
 * import { MemoryStorage, Storage } from "@switchboard/storage"
 *
 * const storage = await Storage.open(MemoryStorage.make(), { views: Views.definitions, now: () => 0 })
 * assert.equal(await Audit.read(storage.workspace("main"), "nowhere", 0), undefined)
 * await storage.close()
 * ```
 */
export const read = async (
  reads: Pick<Storage.Reads, "stream">,
  conversationId: string,
  atMs: number
): Promise<Audit | undefined> => {
  const rows = await reads.stream(streams.conversation(conversationId))
  return rows.length === 0 ? undefined : of(conversationId, rows.map(decode), atMs)
}

/** What a desk answers who asks. */
export const make = ({ workspace, now }: Environment["Service"]): DeskService["audit"] =>
  Effect.fn("Desk.audit")(function* (actor, conversationId, { atMs = now() } = {}) {
    yield* requireRole(actor, "an audit", ["supervisor", "administrator"])
    const found = yield* fromPromise(() => read(workspace, conversationId, atMs))
    return found ?? (yield* new NotFoundError({ what: "conversation", id: conversationId }))
  })
