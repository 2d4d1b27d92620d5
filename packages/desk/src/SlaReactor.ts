/**
 * Feeds the clocks of each conversation and keeps one timer for what comes next.
 *
 * @module
 */
import { Conversation, type ConversationEvent, type Id, type Message } from "@switchboard/conversation"
import { type SlaEvent, type SlaPlan, SlaRecord, type SlaSignal } from "@switchboard/sla"
import type { StorageDriver } from "@switchboard/storage"
import { encode, streams } from "./DeskEvent.ts"
import { load, touched } from "./InboxReactor.ts"
import * as Jobs from "./Jobs.ts"
import type { Reactor } from "./Reactor.ts"

/** What the clocks are told of an event. `isBotInControl`: until this event, as far as they have heard. */
export const toSignals = (
  event: ConversationEvent.ConversationEvent,
  conversation: Conversation.Conversation,
  isBotInControl: boolean
): ReadonlyArray<SlaSignal.SlaSignal> => {
  const at = event.meta.recordedAtMs
  switch (event.type) {
    case "MessageReceived":
      if (event.message.automatic || isAside(conversation, event.message)) return []
      // A message on a pending conversation opens it again without an event of its own.
      return [
        { kind: "resumed", at },
        { kind: "contactMessage", at }
      ]
    case "MessageSent":
    case "MessageEchoed":
      if (isAside(conversation, event.message)) return []
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
      return conversation.control.holder.kind === "nobody"
        ? [
            { kind: "reopened", at },
            { kind: "queued", at }
          ]
        : [{ kind: "reopened", at }]
    case "MergeUndone":
      return Conversation.isActive(conversation) ? [{ kind: "reopened", at }] : []
    case "ConversationClosed":
    case "ConversationMerged":
      return [{ kind: "closed", at }]
    case "ControlChanged": {
      const { kind } = event.control.holder
      if (kind === "bot") return [{ kind: "botTookOver", at }]
      if (event.reason === "closed") return []
      return [
        ...(isBotInControl ? [{ kind: "handedOff" as const, at }] : []),
        { kind: kind === "agent" ? "accepted" : "queued", at }
      ]
    }
    case "PriorityChanged":
    case "TagAdded":
    case "TagRemoved":
    case "AttributesSet":
    case "ThreadAdded":
      return [{ kind: "factsChanged", at, facts: toFacts(conversation) }]
    default:
      return []
  }
}

/** Words that the contact doesn't see or that answer nothing: among colleagues, an offer, a survey. */
export const isAside = (conversation: Conversation.Conversation, message: Message.Message): boolean =>
  message.purpose !== "service" ||
  conversation.threads.some((thread) => thread.id === message.threadId && thread.audience === "internal")

/** The facts that policies look at. */
export const toFacts = (conversation: Conversation.Conversation) => ({
  channel: conversation.threads[0]?.channelKind ?? "",
  priority: conversation.priority,
  tags: conversation.tags,
  attributes: conversation.attributes
})

interface Kept extends SlaRecord.SlaRecord {
  readonly conversationId: Id.ConversationId
}

/** The events that a conversation's clocks reported, and the timer for what comes next. */
export const toChanges = (
  conversationId: Id.ConversationId,
  version: number,
  before: SlaRecord.SlaRecord | undefined,
  after: SlaRecord.SlaRecord,
  events: ReadonlyArray<SlaEvent.SlaEvent>,
  nowMs: number
): {
  readonly append: StorageDriver.Append
  readonly view: StorageDriver.ViewChange
  readonly timers: ReadonlyArray<StorageDriver.TimerChange>
} => {
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
      put: { ...after, conversationId },
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

/** The reactor over one plan. */
export const make = (plan: SlaPlan.SlaPlan): Reactor => ({
  name: "sla",
  react: async (events, reads, nowMs) => {
    if (plan.policies.length === 0) return { commit: {} }
    const concerned = events.filter((recorded) => recorded.family === "conversation")
    const ids = touched(concerned)
    const [conversations, stored] = await Promise.all([
      load<Conversation.Conversation>(reads, "conversations", ids),
      reads.documents("slaRecords", ids)
    ])
    const versions = new Map(stored.flatMap((one) => (one ? [[one.key, one.version ?? 0] as const] : [])))
    const before = new Map(stored.flatMap((one) => (one ? [[one.key, one.document as unknown as Kept] as const] : [])))
    const records = new Map<Id.ConversationId, SlaRecord.SlaRecord>(before as Map<Id.ConversationId, Kept>)
    const changes = new Map<Id.ConversationId, Array<SlaEvent.SlaEvent>>()
    const note = (id: Id.ConversationId, step: SlaRecord.Step) => {
      records.set(id, step.record)
      const known = changes.get(id)
      if (known) known.push(...step.events)
      else changes.set(id, [...step.events])
    }
    for (const recorded of concerned) {
      const conversation = conversations.get(recorded.id)
      if (!conversation) continue
      const { event } = recorded
      if (event.type === "ConversationOpened") {
        const at = event.meta.recordedAtMs
        note(
          recorded.id,
          SlaRecord.start(plan, {
            at,
            facts: {
              channel: event.thread.channelKind,
              priority: event.priority,
              tags: event.tags,
              attributes: event.attributes
            }
          })
        )
        const record = records.get(recorded.id)!
        note(
          recorded.id,
          SlaRecord.apply(plan, record, { kind: event.control.holder.kind === "bot" ? "botTookOver" : "queued", at })
        )
        continue
      }
      const seen = records.get(recorded.id)?.seen ?? []
      const isBotInControl = seen.lastIndexOf("botTookOver") > seen.lastIndexOf("handedOff")
      for (const signal of toSignals(event, conversation, isBotInControl)) {
        const record = records.get(recorded.id)
        if (record) note(recorded.id, SlaRecord.apply(plan, record, signal))
      }
    }
    const appends: Array<StorageDriver.Append> = []
    const views: Array<StorageDriver.ViewChange> = []
    const timers: Array<StorageDriver.TimerChange> = []
    for (const [id, noted] of changes) {
      const record = records.get(id)!
      if (record === before.get(id) && noted.length === 0) continue
      const changed = toChanges(id, versions.get(id) ?? 0, before.get(id), record, noted, nowMs)
      appends.push(changed.append)
      views.push(changed.view)
      timers.push(...changed.timers)
    }
    return { commit: { appends, views, timers } }
  }
})
