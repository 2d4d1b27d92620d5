/**
 * Feeds the clocks of each conversation and keeps one timer for what comes next.
 *
 * @module
 */
import type { ConversationEvent, Id } from "@switchboard/conversation"
import { type Facts, type SlaEvent, type SlaPlan, SlaRecord, type SlaSignal } from "@switchboard/sla"
import type { StorageDriver } from "@switchboard/storage"
import * as Attribution from "./Attribution.ts"
import { encode, streams } from "./DeskEvent.ts"
import { touched } from "./InboxReactor.ts"
import * as Jobs from "./Jobs.ts"
import type { Reactor } from "./Reactor.ts"

/**
 * What is kept of a conversation's promises: the record, and what it is attributed to as far as the clocks have heard.
 */
export interface Kept extends SlaRecord.SlaRecord {
  readonly conversationId: Id.ConversationId
  readonly attribution: Attribution.Attribution
}

/** What the clocks are told of an event, after what was kept until then. */
export const toSignals = (
  event: ConversationEvent.ConversationEvent,
  { attribution, facts }: Pick<Kept, "attribution" | "facts">
): ReadonlyArray<SlaSignal.SlaSignal> => {
  const at = event.meta.recordedAtMs
  switch (event.type) {
    case "MessageReceived":
      if (event.message.automatic || Attribution.isAside(attribution, event.message)) return []
      // A message on a pending conversation opens it again without an event of its own.
      return [
        { kind: "resumed", at },
        { kind: "contactMessage", at }
      ]
    case "MessageSent":
    case "MessageEchoed":
      if (Attribution.isAside(attribution, event.message)) return []
      return event.message.author.kind === "bot"
        ? [{ kind: "botReply", at }]
        : event.message.author.kind === "system" && event.type === "MessageSent"
          ? []
          : [{ kind: "agentReply", at }]
    case "ConversationPending":
      return [{ kind: "pending", at }]
    case "ConversationSnoozed":
      return [{ kind: "snoozed", at }]
    case "ConversationWoken":
      return [{ kind: "resumed", at }]
    case "ConversationResolved":
      return [{ kind: "resolved", at }]
    case "ConversationReopened":
      // Whoever held it loses it, which says the same by itself.
      return attribution.holder.kind === "nobody"
        ? [
            { kind: "reopened", at },
            { kind: "queued", at }
          ]
        : [{ kind: "reopened", at }]
    case "MergeUndone":
      return attribution.isActive ? [{ kind: "reopened", at }] : []
    case "ConversationClosed":
    case "ConversationMerged":
      return [{ kind: "closed", at }]
    case "ControlChanged": {
      const { kind } = event.control.holder
      if (kind === "bot") return [{ kind: "botTookOver", at }]
      if (event.reason === "closed") return []
      return [
        ...(attribution.holder.kind === "bot" ? [{ kind: "handedOff" as const, at }] : []),
        { kind: kind === "agent" ? "accepted" : "queued", at }
      ]
    }
    case "PriorityChanged":
      return [{ kind: "factsChanged", at, facts: { priority: event.priority } }]
    case "TagAdded":
      return [{ kind: "factsChanged", at, facts: { tags: [...tagsOf(facts), event.tag] } }]
    case "TagRemoved":
      return [{ kind: "factsChanged", at, facts: { tags: tagsOf(facts).filter((tag) => tag !== event.tag) } }]
    case "AttributesSet":
      return [{ kind: "factsChanged", at, facts: { attributes: { ...facts.attributes, ...event.attributes } } }]
    default:
      return []
  }
}

const tagsOf = ({ tags = [] }: Facts.Facts): ReadonlyArray<string> => tags

/** The events that a conversation's clocks reported, and the timer for what comes next. */
export const toChanges = (
  version: number,
  before: Kept | undefined,
  after: Kept,
  events: ReadonlyArray<SlaEvent.SlaEvent>,
  nowMs: number
): {
  readonly append: StorageDriver.Append
  readonly view: StorageDriver.ViewChange
  readonly timers: ReadonlyArray<StorageDriver.TimerChange>
} => {
  const { conversationId } = after
  const was = before ? (SlaRecord.nextDeadline(before)?.at ?? null) : null
  const is = SlaRecord.nextDeadline(after)?.at ?? null
  return {
    append: {
      stream: streams.sla(conversationId),
      expectedVersion: version,
      events: events.map((change) => encode({ type: "SlaClockChanged", change }, undefined, nowMs))
    },
    view: {
      view: "slaRecords",
      key: conversationId,
      put: { ...after },
      version: version + events.length
    },
    timers:
      was === is
        ? []
        : is === null
          ? [{ clear: `sla/${conversationId}` }]
          : [{ set: Jobs.job("sla", conversationId, is, { conversationId }) }]
  }
}

/** What an event leaves and what the clocks report of it; the very same when there is nothing to store. */
const advance = (
  plan: SlaPlan.SlaPlan,
  before: Kept | undefined,
  conversationId: Id.ConversationId,
  event: ConversationEvent.ConversationEvent
): { readonly after: Kept | undefined; readonly events: ReadonlyArray<SlaEvent.SlaEvent> } => {
  const attribution = Attribution.evolve(before?.attribution, event)
  if (event.type === "ConversationOpened" && attribution) {
    const at = event.meta.recordedAtMs
    const { priority, tags, attributes } = event
    const facts = { channel: event.thread.channelKind, priority, tags, attributes }
    const opened = SlaRecord.start(plan, { at, facts })
    const kind = event.control.holder.kind === "bot" ? "botTookOver" : "queued"
    const placed = SlaRecord.apply(plan, opened.record, { kind, at })
    return {
      after: { ...placed.record, conversationId, attribution },
      events: [...opened.events, ...placed.events]
    }
  }
  // Promises begin when a conversation opens.
  if (!before || !attribution) return { after: undefined, events: [] }
  let record: SlaRecord.SlaRecord = before
  const events: Array<SlaEvent.SlaEvent> = []
  for (const signal of toSignals(event, before)) {
    const step = SlaRecord.apply(plan, record, signal)
    record = step.record
    events.push(...step.events)
  }
  const isSame = record === before && attribution === before.attribution
  return { after: isSame ? before : { ...before, ...record, attribution }, events }
}

/** The reactor over one plan. */
export const make = (plan: SlaPlan.SlaPlan): Reactor => ({
  name: "sla",
  react: async (events, reads, nowMs) => {
    if (plan.policies.length === 0) return { commit: {} }
    const concerned = events.filter((recorded) => recorded.family === "conversation")
    const stored = await reads.documents("slaRecords", touched(concerned))
    const versions = new Map(stored.flatMap((one) => (one ? [[one.key, one.version ?? 0] as const] : [])))
    const before = new Map(stored.flatMap((one) => (one ? [[one.key, one.document as unknown as Kept] as const] : [])))
    const records = new Map(before)
    const changes = new Map<string, Array<SlaEvent.SlaEvent>>()
    for (const { id, event } of concerned) {
      const { after, events: reported } = advance(plan, records.get(id), id, event)
      if (!after) continue
      records.set(id, after)
      const known = changes.get(id)
      if (known) known.push(...reported)
      else changes.set(id, [...reported])
    }
    const appends: Array<StorageDriver.Append> = []
    const views: Array<StorageDriver.ViewChange> = []
    const timers: Array<StorageDriver.TimerChange> = []
    for (const [id, reported] of changes) {
      const record = records.get(id)!
      if (record === before.get(id) && reported.length === 0) continue
      const changed = toChanges(versions.get(id) ?? 0, before.get(id), record, reported, nowMs)
      appends.push(changed.append)
      views.push(changed.view)
      timers.push(...changed.timers)
    }
    return { commit: { appends, views, timers } }
  }
})
