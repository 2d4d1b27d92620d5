/**
 * Everything a workspace's journal holds, and how it is written there.
 *
 * @module
 */
import { Contact, ConversationEvent, EventVersion, type Id, Personal } from "@switchboard/conversation"
import type { Decision, Signal } from "@switchboard/routing"
import type { SlaEvent } from "@switchboard/sla"
import type { StorageDriver } from "@switchboard/storage"

/** A pool's owner was told or asked something: what its engine is fed, in this order. */
export interface PoolAsked {
  readonly type: "PoolAsked"
  readonly signal: Signal.Signal
}

/** A pool's owner decided. `answers` is the journal position it answers, `nowMs` the time it decided at. */
export interface PoolDecided {
  readonly type: "PoolDecided"
  readonly answers: number
  readonly nowMs: number
  readonly decision: Decision.Decision
}

/** A clock of a conversation started, warned, breached, was kept, and so on. */
export interface SlaClockChanged {
  readonly type: "SlaClockChanged"
  readonly change: SlaEvent.SlaEvent
}

/** An event with the thing it belongs to. */
export type DeskEvent =
  | {
      readonly family: "conversation"
      readonly id: Id.ConversationId
      readonly event: ConversationEvent.ConversationEvent
    }
  | { readonly family: "contact"; readonly id: Id.ContactId; readonly event: Contact.ContactEvent }
  | { readonly family: "pool"; readonly id: string; readonly event: PoolAsked | PoolDecided }
  | { readonly family: "sla"; readonly id: Id.ConversationId; readonly event: SlaClockChanged }

/** A journal entry, decoded. */
export type Recorded = DeskEvent & {
  readonly position: number
  readonly stream: string
  readonly version: number
  readonly recordedAtMs: number
}

/** The stream of a conversation, a contact, a pool's requests, a pool's decisions or a conversation's clocks. */
export const streams = {
  conversation: (id: string): string => `conversation/${id}`,
  contact: (id: string): string => `contact/${id}`,
  poolRequests: (pool: string): string => `pool-requests/${pool}`,
  pool: (pool: string): string => `pool/${pool}`,
  sla: (conversationId: string): string => `sla/${conversationId}`
}

const personalFields = new Map<string, ReadonlyArray<Personal.PersonalField>>(
  [...ConversationEvent.ConversationEvent.options, ...Contact.ContactEvent.options].map((option) => [
    option.shape.type.value,
    Personal.fields(option)
  ])
)

/** An event as storage appends it: its personal fields apart, beside the person they belong to. */
export const encode = (
  event: DeskEvent["event"],
  subject: string | undefined,
  nowMs: number
): StorageDriver.NewEvent => {
  const { type, ...body } = event as { readonly type: string } & Record<string, unknown>
  const schema = EventVersion.current(EventVersion.upcasts, type)
  const fields = personalFields.get(type)
  if (subject === undefined || fields === undefined || fields.length === 0) {
    return { type, schema, recordedAtMs: nowMs, body }
  }
  const { rest, taken } = Personal.split(fields, body)
  return Object.keys(taken).length === 0
    ? { type, schema, recordedAtMs: nowMs, body }
    : { type, schema, recordedAtMs: nowMs, body: rest, personal: { subject, fields: taken } }
}

/** An event without its personal fields. */
export const toImpersonal = (event: DeskEvent["event"]): Readonly<Record<string, unknown>> =>
  Personal.split(personalFields.get(event.type) ?? [], { ...event }).rest

/** The journal holds an event that this release does not know. */
export class UnknownEventError extends Error {
  readonly _tag = "UnknownEventError"
  readonly position: number
  constructor(position: number, message: string) {
    super(message)
    this.name = "UnknownEventError"
    this.position = position
  }
}

const families: Readonly<Record<string, DeskEvent["family"]>> = {
  conversation: "conversation",
  contact: "contact",
  "pool-requests": "pool",
  pool: "pool",
  sla: "sla"
}

// Every reactor reads the same rows from memory: each is decoded once.
const decoded = new WeakMap<StorageDriver.StoredEvent, Recorded>()

/** A journal entry, brought up to date and with its personal fields back in place. */
export const decode = (stored: StorageDriver.StoredEvent): Recorded => {
  const known = decoded.get(stored)
  if (known) return known
  const slash = stored.stream.indexOf("/")
  const family = families[stored.stream.slice(0, slash)]
  if (!family) throw new UnknownEventError(stored.position, `the stream ${stored.stream} belongs to no known family`)
  const fields = personalFields.get(stored.type) ?? []
  const kept = stored.personal?.fields
  // Personal fields are as old as their event and are brought up to date with it; stand-ins are of today.
  const whole = kept ? Personal.join(fields, stored.body, kept) : stored.body
  const upcast = EventVersion.upcast(EventVersion.upcasts, stored.type, stored.schema, whole)
  if (!upcast.ok) throw new UnknownEventError(stored.position, upcast.error.message)
  const body = kept === null ? Personal.join(fields, upcast.value, null) : upcast.value
  const recorded = {
    family,
    id: stored.stream.slice(slash + 1),
    event: { type: stored.type, ...body },
    position: stored.position,
    stream: stored.stream,
    version: stored.version,
    recordedAtMs: stored.recordedAtMs
  } as unknown as Recorded
  decoded.set(stored, recorded)
  return recorded
}
