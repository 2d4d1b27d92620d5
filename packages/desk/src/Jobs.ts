/**
 * What must happen after an event: calls to the outside and wake-ups, as timers set in the event's own commit.
 *
 * A job is never behind its event and never without it; a worker takes it, records the attempt, calls, and commits the
 * result.
 *
 * @module
 */
import type { Conversation, ConversationEvent, Id, Message } from "@switchboard/conversation"
import type { StorageDriver } from "@switchboard/storage"

/** The kinds of timers a desk's workers handle. */
export const kinds = [
  "deliver",
  "change",
  "fetch",
  "botTurn",
  "snooze",
  "sla",
  "pool",
  "entry",
  "erase",
  "retention"
] as const

/** The kind of a job. */
export type JobKind = (typeof kinds)[number]

/** What each kind of job needs to know. `attempt` counts the times it was taken. */
export interface Payloads {
  readonly deliver: {
    readonly conversationId: Id.ConversationId
    readonly messageId: Id.MessageId
    readonly deliveryId: Id.DeliveryId
    readonly attempt: number
    readonly startedAtMs?: number
    readonly platformIds?: ReadonlyArray<string>
    readonly unknown?: boolean
  }
  readonly change: {
    readonly conversationId: Id.ConversationId
    readonly messageId: Id.MessageId
    readonly change: "edit" | "delete" | "reaction"
    readonly emoji?: string | null
    readonly attempt: number
  }
  readonly fetch: {
    readonly conversationId: Id.ConversationId
    readonly messageId: Id.MessageId
    readonly attachmentId: Id.AttachmentId
    readonly attempt: number
  }
  readonly botTurn: {
    readonly conversationId: Id.ConversationId
    readonly messageId: Id.MessageId
    readonly botId: Id.BotId
    readonly fence: number
    readonly attempt: number
  }
  readonly snooze: { readonly conversationId: Id.ConversationId }
  readonly sla: { readonly conversationId: Id.ConversationId }
  readonly pool: { readonly pool: string }
  readonly entry: {
    readonly channelKind: string
    readonly entry: unknown
    readonly attempt: number
    readonly firstAtMs: number
  }
  /** With a conversation, what was said in it; else everything of the contact. */
  readonly erase: { readonly contactId: Id.ContactId; readonly conversationId?: Id.ConversationId }
  /** The rules it was set for, as text, and where a walk through the conversations stands. */
  readonly retention: { readonly rules: string; readonly after?: { readonly attention: number; readonly key: string } }
}

/** A timer of one kind. */
export const job = <K extends JobKind>(
  kind: K,
  key: string,
  dueAtMs: number,
  payload: Payloads[K],
  more: { readonly lane?: string; readonly subject?: string } = {}
): StorageDriver.NewTimer => ({ kind, key: `${kind}/${key}`, dueAtMs, payload: { ...payload }, ...more })

const deliver = (
  conversation: Conversation.Conversation,
  message: Pick<Message.Message, "id" | "threadId">,
  deliveryId: Id.DeliveryId,
  nowMs: number
): StorageDriver.TimerChange => ({
  set: job(
    "deliver",
    deliveryId,
    nowMs,
    { conversationId: conversation.id, messageId: message.id, deliveryId, attempt: 0 },
    { lane: `thread/${message.threadId}`, subject: conversation.contactId }
  )
})

/** The timers that an event sets or clears, given the conversation after it. */
export const toTimers = (
  conversation: Conversation.Conversation,
  event: ConversationEvent.ConversationEvent,
  nowMs: number
): ReadonlyArray<StorageDriver.TimerChange> => {
  const subject = conversation.contactId
  const conversationId = conversation.id
  switch (event.type) {
    case "MessageSent":
      return event.message.deliveries.map((delivery) => deliver(conversation, event.message, delivery.id, nowMs))
    case "MessageReceived":
    case "MessageEchoed": {
      const { message } = event
      const fetches = message.attachments
        .filter((attachment) => attachment.state === "pending")
        .map((attachment) => ({
          set: job(
            "fetch",
            `${message.id}/${attachment.id}`,
            nowMs,
            { conversationId, messageId: message.id, attachmentId: attachment.id, attempt: 0 },
            { subject }
          )
        }))
      const { holder, fence } = conversation.control
      if (event.type === "MessageEchoed" || holder.kind !== "bot" || message.automatic) return fetches
      return [
        ...fetches,
        {
          set: job(
            "botTurn",
            message.id,
            nowMs,
            { conversationId, messageId: message.id, botId: holder.id, fence, attempt: 0 },
            { lane: `bot/${conversationId}`, subject }
          )
        }
      ]
    }
    case "DeliveryChanged":
      return event.state === "queued"
        ? [
            {
              set: job(
                "deliver",
                event.deliveryId,
                nowMs,
                { conversationId, messageId: event.messageId, deliveryId: event.deliveryId, attempt: 0 },
                { subject }
              )
            }
          ]
        : []
    case "MessageEdited":
    case "MessageDeleted":
      return event.meta.actor.kind === "agent"
        ? [
            {
              set: job(
                "change",
                event.messageId,
                nowMs,
                {
                  conversationId,
                  messageId: event.messageId,
                  change: event.type === "MessageEdited" ? "edit" : "delete",
                  attempt: 0
                },
                { subject }
              )
            }
          ]
        : []
    case "ReactionAdded":
    case "ReactionRemoved":
      return event.meta.actor.kind === "agent"
        ? [
            {
              set: job(
                "change",
                `${event.messageId}/reaction`,
                nowMs,
                {
                  conversationId,
                  messageId: event.messageId,
                  change: "reaction",
                  emoji: event.type === "ReactionAdded" ? event.emoji : null,
                  attempt: 0
                },
                { subject }
              )
            }
          ]
        : []
    case "ConversationSnoozed":
      return [{ set: job("snooze", conversationId, event.untilMs, { conversationId }, { subject }) }]
    case "ConversationWoken":
      return event.reason === "time" ? [] : [{ clear: `snooze/${conversationId}` }]
    case "ConversationResolved":
    case "ConversationPending":
    case "ConversationClosed":
    case "ConversationMerged":
      return [{ clear: `snooze/${conversationId}` }]
    default:
      return []
  }
}
