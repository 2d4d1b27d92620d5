/**
 * What the API answers, as schemas: the desk's own types, checked against them by the compiler.
 *
 * @module
 */
import { Capabilities, type ChannelAccount } from "@switchboard/channel"
import { Actor, Agent, Contact, Conversation, ConversationEvent, Id, Message } from "@switchboard/conversation"
import type { Measure, Report } from "@switchboard/metrics"
import {
  Capacity,
  Decision,
  type Explanation,
  OrderRule,
  type Overtaking,
  Pool,
  Presence,
  Requirement,
  WorkItem
} from "@switchboard/routing"
import * as z from "zod"
import type * as Audits from "./Audit.ts"
import type * as Desk from "./DeskService.ts"
import type * as Views from "./Views.ts"

/** The names of schemas that an OpenAPI document shares between operations. */
export const names: z.core.$ZodRegistry<{ readonly id: string }> = z.registry<{ readonly id: string }>()

const named = <S extends z.ZodType>(id: string, schema: S): S => {
  names.add(schema, { id })
  return schema
}

named("Agent", Agent.Agent)
named("Team", Agent.Team)
named("Actor", Actor.Actor)
named("Contact", Contact.Contact)
named("Conversation", Conversation.Conversation)
named("Message", Message.Message)
named("MessagePart", Message.MessagePart)
named("Requirement", Requirement.Requirement)
named("WorkItem", WorkItem.WorkItem)

const ms = z.number().int()
const count = z.number().int().nonnegative()
const text = z.string()

/** Who calls: as `GET /api/me` says. `agent` is `null` for an API key. **Units** epoch milliseconds. */
export interface Me {
  readonly actor: Actor.Actor
  readonly agent: Agent.Agent | null
  readonly workspace: string
  readonly expiresAtMs: number | null
}

/** See {@link Me}. */
export const Me: z.ZodType<Me> = named(
  "Me",
  z.object({ actor: Actor.Actor, agent: Agent.Agent.nullable(), workspace: text, expiresAtMs: ms.nullable() })
)

/** A row of the list. */
export const InboxRow: z.ZodType<Views.InboxRow> = named(
  "InboxRow",
  z.object({
    conversationId: Id.ConversationId,
    contactId: Id.ContactId,
    contactName: text,
    subject: text,
    preview: text,
    status: Conversation.Status,
    priority: Conversation.Priority,
    channelKinds: z.array(text),
    holder: Conversation.Holder,
    assignee: text.nullable(),
    teamId: text.nullable(),
    tags: z.array(text),
    unreadCount: count,
    active: z.boolean(),
    attention: z.number(),
    waitingSinceMs: ms.nullable(),
    due: z.object({ target: text, dueAtMs: ms, breached: z.boolean() }).nullable(),
    offer: z.object({ offerId: text, agentId: text, expiresAtMs: ms }).nullable(),
    updatedAtMs: ms,
    openedAtMs: ms
  })
)

/** A page of the list. Ask for the next one with `after=<attention>,<key>`. */
export interface InboxPage {
  readonly rows: ReadonlyArray<Views.InboxRow>
  readonly next: Desk.InboxCursor | null
  readonly position: number
}

/** See {@link InboxPage}. */
export const InboxPage: z.ZodType<InboxPage> = named(
  "InboxPage",
  z.object({
    rows: z.array(InboxRow),
    next: z.object({ attention: z.number(), key: text }).nullable(),
    position: count
  })
)

const Snippet = z.object({ text, matches: z.array(z.object({ start: count, end: count })) })

/** See {@link Desk.SearchAnswer}. */
export const SearchAnswer: z.ZodType<Desk.SearchAnswer> = named(
  "SearchAnswer",
  z.object({
    messages: z.array(
      z.object({
        conversationId: Id.ConversationId,
        messageId: Id.MessageId,
        direction: Message.Message.shape.direction,
        recordedAtMs: ms,
        snippet: Snippet,
        row: InboxRow.nullable()
      })
    ),
    contacts: z.array(z.object({ contactId: Id.ContactId, name: text, snippet: Snippet })),
    behind: count
  })
)

/** See {@link Desk.ConversationDetail}. */
export const ConversationDetail: z.ZodType<Desk.ConversationDetail> = named(
  "ConversationDetail",
  z.object({
    conversation: Conversation.Conversation,
    row: InboxRow.nullable(),
    contact: Contact.Contact.nullable(),
    merged: z.array(Contact.Contact),
    messages: z.array(Message.Message),
    hasEarlier: z.boolean(),
    others: z.array(Conversation.Conversation),
    clocks: z.array(
      z.object({
        target: text,
        state: z.enum(["running", "paused", "fulfilled"]),
        dueAtMs: ms.nullable(),
        breachedAtMs: ms.nullable(),
        startedAtMs: ms
      })
    ),
    position: count
  })
)

/** See {@link Desk.CommandAnswer}. */
export const CommandAnswer: z.ZodType<Desk.CommandAnswer> = named(
  "CommandAnswer",
  z.object({ conversationId: text, version: count, repeated: z.boolean(), messageId: text.exactOptional() })
)

/** What became of a command on a contact. */
export interface ContactAnswer {
  readonly contactId: string
  readonly version: number
}

/** See {@link ContactAnswer}. */
export const ContactAnswer: z.ZodType<ContactAnswer> = named(
  "ContactAnswer",
  z.object({ contactId: text, version: count })
)

/** See {@link Desk.ContextAnswer}. */
export const ContextAnswer: z.ZodType<Desk.ContextAnswer> = named(
  "ContextAnswer",
  z.object({
    state: z.enum(["ready", "late", "failed", "none"]),
    provider: text.nullable(),
    facts: z.array(z.object({ label: text, value: text, url: text.exactOptional() }))
  })
)

/** See {@link Desk.OfferView}. */
export const OfferView: z.ZodType<Desk.OfferView> = named(
  "OfferView",
  z.object({ offerId: text, conversationId: text, expiresAtMs: ms, row: InboxRow.nullable() })
)

const dimensions = z.record(z.string(), z.string())

const WaitingRow: z.ZodType<Report.WaitingRow> = named(
  "WaitingRow",
  z.object({ dimensions, count, oldestAgeMs: z.number(), oldestConversationId: text, medianAgeMs: z.number() })
)

/** See {@link Desk.Board}. */
export const Board: z.ZodType<Desk.Board> = named(
  "Board",
  z.object({
    nowMs: ms,
    agents: z.array(
      z.object({
        agent: Agent.Agent,
        presence: z.object({ status: Presence.Status, reason: text.exactOptional() }),
        holds: count,
        capacity: count
      })
    ),
    queues: z.array(z.object({ queueId: text, waiting: count, oldestWaitMs: z.number() })),
    waiting: z.array(WaitingRow),
    breachingSoon: count,
    active: count
  })
)

/** The definition of a measure. */
export const Definition: z.ZodType<Measure.Definition> = named(
  "MeasureDefinition",
  z.object({
    id: text,
    version: z.number().int().positive(),
    unit: z.enum(["ms", "count", "share"]),
    time: z.enum(["calendar", "business"]),
    moment: z.custom<Measure.Definition["moment"]>((value) => typeof value === "string").meta({ type: "string" }),
    start: text.exactOptional(),
    stop: text,
    attribution: text,
    abandons: text,
    dimensions: z.array(text),
    definition: text
  })
)

const figure = z.number().nullable()
const figures = {
  count,
  yeses: figure,
  share0to1: figure,
  meanMs: figure,
  p50Ms: figure,
  p90Ms: figure,
  p95Ms: figure,
  minMs: figure,
  maxMs: figure
}

/** See {@link Desk.MetricsAnswer}. */
export const MetricsAnswer: z.ZodType<Desk.MetricsAnswer> = named(
  "MetricsAnswer",
  z.object({
    definition: Definition,
    total: z.object(figures),
    rows: z.array(z.object({ dimensions, ...figures })),
    series: z
      .object({ startsMs: z.array(ms), lines: z.array(z.object({ dimensions, values: z.array(figure) })) })
      .nullable()
  })
)

const Obstacle: z.ZodType<Explanation.Obstacle> = z.discriminatedUnion("kind", [
  z.object({ kind: z.literal("requirement"), unmet: z.array(Requirement.Unmet) }),
  z.object({ kind: z.literal("presence"), status: Presence.Status, reason: text.exactOptional() }),
  z.object({ kind: z.literal("channelOff"), channelKind: text }),
  z.object({
    kind: z.literal("capacity"),
    limit: Capacity.Limit,
    used: count,
    allowed: count,
    untilMs: ms.exactOptional()
  }),
  z.object({ kind: z.literal("excluded"), cause: WorkItem.Exclusion.shape.cause, untilMs: ms }),
  z.object({
    kind: z.literal("reserved"),
    agentId: text,
    agents: z.array(text).exactOptional(),
    untilMs: ms
  }),
  z.object({ kind: z.literal("othersWork"), queueId: text, waiting: count, fromLength: count, untilMs: ms }),
  z.object({ kind: z.literal("keptFree"), queueId: text, othersFree: count, keepFree: count })
])

const by = z.enum(OrderRule.OrderRule.options.map((option) => option.shape.by.value))

const unboundedBecause: Readonly<Record<Overtaking.Code, true>> = {
  priority_first: true,
  due_first: true,
  cost_first: true,
  cost_outgrows: true,
  score_first: true,
  score_outgrows: true,
  share_first: true,
  longer_queue_first: true,
  own_work_first: true,
  age_unseen: true
}

const Overtakes: z.ZodType<Overtaking.Overtaking> = z.discriminatedUnion("kind", [
  z.object({ kind: z.literal("bounded"), by, withinMs: z.number(), message: text }),
  z.object({
    kind: z.literal("unbounded"),
    code: z.enum(Object.keys(unboundedBecause) as [Overtaking.Code, ...Array<Overtaking.Code>]),
    by: by.exactOptional(),
    queueId: text.exactOptional(),
    otherQueueId: text.exactOptional(),
    message: text
  })
])

const Standing: z.ZodType<Explanation.Standing> = z.object({
  step: count,
  of: count,
  nextAtMs: ms.exactOptional(),
  next: Requirement.Requirement.exactOptional()
})

/** Why an item waits. */
export const ItemExplanation: z.ZodType<Explanation.ItemExplanation> = named(
  "ItemExplanation",
  z.object({
    item: WorkItem.WorkItem,
    requirement: Requirement.Requirement,
    relaxation: Standing.exactOptional(),
    place: Pool.Place,
    ageMs: z.number(),
    waitsFor: Decision.WaitsFor.exactOptional(),
    ahead: count.exactOptional(),
    changesAtMs: ms.exactOptional(),
    overtaking: Overtakes.exactOptional(),
    overtakenUntilMs: z.number().exactOptional(),
    agents: z.array(z.object({ agentId: text, obstacles: z.array(Obstacle) }))
  })
)

/** Input that could not be used. */
export const DeadLetter: z.ZodType<Views.DeadLetter> = named(
  "DeadLetter",
  z.object({
    id: text,
    channelKind: text,
    state: z.enum(["waiting", "done"]),
    code: text,
    reason: text,
    receivedAtMs: ms,
    headers: z.record(z.string(), z.string()),
    bytes: text.nullable(),
    entry: z.unknown()
  })
)

/** What came of trying a dead letter again; `reason` says why it is still one. */
export interface Redriven {
  readonly done: boolean
  readonly reason: string | null
}

/** See {@link Redriven}. */
export const Redriven: z.ZodType<Redriven> = named("Redriven", z.object({ done: z.boolean(), reason: text.nullable() }))

/** How much was removed with a contact. */
export interface Erased {
  readonly events: number
  readonly documents: number
  readonly blobs: number
}

/** See {@link Erased}. */
export const Erased: z.ZodType<Erased> = named("Erased", z.object({ events: count, documents: count, blobs: count }))

const Fact = z.union([text, z.number(), z.boolean()])

/** See {@link Audits.Audit}. */
export const Audit: z.ZodType<Audits.Audit> = named(
  "Audit",
  z.object({
    conversationId: Id.ConversationId,
    atMs: ms,
    conversation: Conversation.Conversation.nullable(),
    messages: z.array(Message.Message),
    changes: z.array(
      z.object({
        position: count,
        version: count,
        recordedAtMs: ms,
        occurredAtMs: ms.exactOptional(),
        type: z.enum(ConversationEvent.ConversationEvent.options.map((option) => option.shape.type.value)),
        actor: Actor.Actor,
        onBehalfOf: Actor.Actor.exactOptional(),
        causation: text.exactOptional(),
        commandId: text.exactOptional(),
        changed: z.array(
          z.object({
            field: z.enum(["status", "holder", "priority", "cycle", "mergedInto"]),
            from: Fact.nullable(),
            to: Fact.nullable()
          })
        ),
        facts: z.record(z.string(), Fact)
      })
    )
  })
)

/** See {@link Desk.Health}. */
export const Health: z.ZodType<Desk.Health> = named(
  "Health",
  z.object({
    position: count,
    reactors: z.array(
      z.object({
        name: text,
        position: count,
        behind: z.number().int(),
        stopped: z.object({ reason: text, sinceMs: ms }).nullable()
      })
    ),
    parked: z.array(z.object({ reactor: text, stream: text, position: count, reason: text, parkedAtMs: ms })),
    deadLetters: count
  })
)

/** See {@link Desk.Change}. */
export const Change: z.ZodType<Desk.Change> = named(
  "Change",
  z.object({
    position: count,
    type: text,
    conversationId: text.nullable(),
    contactId: text.nullable(),
    agentId: text.nullable()
  })
)

/** Somebody in the conversation that a client follows began to type, or stopped. */
export interface ContactTyping {
  readonly conversationId: string
  readonly typing: boolean
}

/** See {@link ContactTyping}. */
export const ContactTyping: z.ZodType<ContactTyping> = named(
  "ContactTyping",
  z.object({ conversationId: text, typing: z.boolean() })
)

/** A connected channel, what it can do, and its accounts. */
export interface ChannelView {
  readonly kind: string
  readonly capabilities: Capabilities.Capabilities
  readonly accounts: ReadonlyArray<Pick<ChannelAccount.ChannelAccount, "id" | "name">>
}

/** See {@link ChannelView}. */
export const ChannelView: z.ZodType<ChannelView> = named(
  "ChannelView",
  z.object({
    kind: text,
    capabilities: Capabilities.Capabilities,
    accounts: z.array(z.object({ id: Id.ChannelAccountId, name: text }))
  })
)
