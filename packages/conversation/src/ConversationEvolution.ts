/**
 * What an event makes of a conversation and of the one message it speaks of.
 *
 * @module
 */
import { isSame as isSameActor } from "./Actor.ts"
import { type Conversation, type Holder, limits } from "./Conversation.ts"
import type { ConversationEvent } from "./ConversationEvent.ts"
import type { MessageId } from "./Id.ts"
import { type Message, type MessagePart, toText } from "./Message.ts"
import { isSame, type Participant } from "./Participant.ts"

/** What a decision needs: the conversation (absent before it is opened), and the messages it speaks of. */
export interface State {
  readonly conversation: Conversation | undefined
  readonly messages: ReadonlyMap<MessageId, Message>
}

/** The state before a conversation's first event. */
export const empty: State = { conversation: undefined, messages: new Map() }

const omit = <T extends object, K extends keyof T>(value: T, ...keys: ReadonlyArray<K>): Omit<T, K> => {
  const rest = { ...value }
  for (const key of keys) delete rest[key]
  return rest
}

/** At most 200 characters, the last of them whole: half of a surrogate pair is no text for a database. */
const previewOf = (parts: ReadonlyArray<MessagePart>): string =>
  toText(parts)
    .replaceAll(/\s+/g, " ")
    .trim()
    .slice(0, 200)
    .replace(/[\uD800-\uDBFF]$/, "")

/** Who holds a conversation takes part; in a full list of participants only the holder is left out. */
const withHolder = (participants: ReadonlyArray<Participant>, holder: Holder): Array<Participant> => {
  const participant: Participant | undefined =
    holder.kind === "agent"
      ? { role: "agent", agentId: holder.id }
      : holder.kind === "bot"
        ? { role: "bot", botId: holder.id }
        : undefined
  return participant === undefined ||
    participants.length >= limits.participants ||
    participants.some((one) => isSame(one, participant))
    ? [...participants]
    : [...participants, participant]
}

/** Colleagues talk there: it is no word from the contact and none to them. */
const isInternal = (conversation: Conversation, message: Message): boolean =>
  conversation.threads.some((thread) => thread.id === message.threadId && thread.audience === "internal")

/**
 * The conversation after an event.
 *
 * **Gotchas** never branches on a personal field, so that a journal folds the same after an erasure.
 */
export const evolveConversation = (conversation: Conversation | undefined, event: ConversationEvent): Conversation => {
  const atMs = event.meta.recordedAtMs
  if (event.type === "ConversationOpened") {
    return {
      id: event.conversationId,
      version: 1,
      contactId: event.contactId,
      ...(event.subject !== undefined && { subject: event.subject }),
      status: "open",
      control: event.control,
      ...(event.wanted && { wanted: event.wanted }),
      priority: event.priority,
      tags: event.tags,
      attributes: event.attributes,
      ...(event.language !== undefined && { language: event.language }),
      participants: withHolder([{ role: "requester", contactId: event.contactId }], event.control.holder),
      threads: [event.thread],
      links: event.links,
      cycle: 1,
      messageCount: 0,
      unreadCount: 0,
      preview: "",
      openedAtMs: atMs,
      updatedAtMs: atMs
    }
  }
  if (!conversation) throw new Error(`a conversation's stream begins with ConversationOpened, found ${event.type}`)
  const next: Conversation = { ...conversation, version: conversation.version + 1, updatedAtMs: atMs }
  switch (event.type) {
    case "ThreadAdded":
      return { ...next, threads: [...next.threads, event.thread] }
    case "MessageReceived": {
      const { message } = event
      return {
        ...(conversation.status === "pending" && message.automatic !== true
          ? { ...next, status: "open" as const }
          : next),
        messageCount: message.sequence,
        unreadCount: next.unreadCount + 1,
        lastMessageId: message.id,
        preview: previewOf(message.parts),
        lastInboundAtMs: atMs,
        ...(message.automatic !== true &&
          next.waitingSinceMs === undefined &&
          !isInternal(conversation, message) && { waitingSinceMs: atMs }),
        threads: next.threads.map((thread) =>
          // Our time: a mail may claim to be from any year.
          thread.id === message.threadId ? { ...thread, lastInboundAtMs: atMs } : thread
        )
      }
    }
    case "MessageEchoed":
    case "MessageSent": {
      const { message } = event
      // An automatic notice of the desk or an offer answers nobody; what the business wrote elsewhere does.
      const answers =
        (event.type === "MessageEchoed" || message.author.kind !== "system") &&
        message.purpose === "service" &&
        !isInternal(conversation, message)
      return {
        ...(answers ? omit(next, "waitingSinceMs") : next),
        ...(message.author.kind === "agent" && { unreadCount: 0 }),
        messageCount: message.sequence,
        lastMessageId: message.id,
        preview: previewOf(message.parts),
        lastOutboundAtMs: atMs
      }
    }
    case "NoteAdded":
      return { ...next, messageCount: event.message.sequence }
    case "MessageEdited":
    case "MessageDeleted":
      return event.messageId === conversation.lastMessageId
        ? { ...next, preview: event.type === "MessageEdited" ? previewOf(event.parts) : "" }
        : next
    case "ReactionAdded":
    case "ReactionRemoved":
    case "DeliveryChanged":
    case "AttachmentStored":
    case "AttachmentFailed":
      return next
    case "ConversationRead":
      return { ...next, unreadCount: 0 }
    case "ConversationPending":
      return { ...omit(next, "waitingSinceMs", "snoozedUntilMs"), status: "pending" }
    case "ConversationSnoozed":
      return { ...next, status: "snoozed", snoozedUntilMs: event.untilMs }
    case "ConversationWoken":
      return { ...omit(next, "snoozedUntilMs"), status: "open" }
    case "ConversationResolved":
      return { ...omit(next, "waitingSinceMs", "snoozedUntilMs"), status: "resolved", resolvedAtMs: atMs }
    case "ConversationReopened":
      return {
        ...omit(next, "resolvedAtMs", "snoozedUntilMs"),
        status: "open",
        cycle: next.cycle + 1
      }
    case "ConversationClosed":
      return { ...omit(next, "waitingSinceMs", "snoozedUntilMs"), status: "closed", closedAtMs: atMs }
    case "ControlChanged":
      return {
        ...omit(next, "wanted"),
        control: event.control,
        ...(event.wanted && { wanted: event.wanted }),
        participants: withHolder(next.participants, event.control.holder)
      }
    case "HandedOff":
      return { ...next, handoffSummary: event.summary }
    case "ConversationTransferred":
      return next
    case "PriorityChanged":
      return { ...next, priority: event.priority }
    case "TagAdded":
      return { ...next, tags: [...next.tags, event.tag] }
    case "TagRemoved":
      return { ...next, tags: next.tags.filter((tag) => tag !== event.tag) }
    case "AttributesSet":
      return { ...next, attributes: { ...next.attributes, ...event.attributes } }
    case "SubjectSet":
      return { ...next, subject: event.subject }
    case "ParticipantAdded":
      return { ...next, participants: [...next.participants, event.participant] }
    case "ParticipantRemoved":
      return { ...next, participants: next.participants.filter((one) => !isSame(one, event.participant)) }
    case "ConversationLinked":
      return { ...next, links: [...next.links, event.link] }
    case "ConversationUnlinked":
      return {
        ...next,
        links: next.links.filter(
          (link) => link.kind !== event.link.kind || link.conversationId !== event.link.conversationId
        )
      }
    case "ConversationMerged":
      return {
        ...omit(next, "waitingSinceMs", "snoozedUntilMs"),
        status: "closed",
        closedAtMs: next.closedAtMs ?? atMs,
        mergedInto: event.into,
        statusBeforeMerge: conversation.status
      }
    case "MergeUndone": {
      const { statusBeforeMerge = "open", ...rest } = omit(next, "mergedInto")
      if (statusBeforeMerge === "closed") return rest
      // The sleep's timer may have passed meanwhile: better awake too early than never.
      return { ...omit(rest, "closedAtMs"), status: statusBeforeMerge === "snoozed" ? "open" : statusBeforeMerge }
    }
    case "ContentErased":
      return {
        ...next,
        contentErasedAtMs: atMs,
        // Nobody goes on in it, whatever is undone.
        ...(next.mergedInto !== undefined && { statusBeforeMerge: "closed" as const })
      }
  }
}

/** The message an event writes or changes; `undefined` when the event speaks of none. */
export const toMessageId = (event: ConversationEvent): MessageId | undefined =>
  "message" in event ? event.message.id : "messageId" in event ? event.messageId : undefined

/** The message after an event that speaks of it. */
export const evolveMessage = (message: Message | undefined, event: ConversationEvent): Message | undefined => {
  if ("message" in event) return event.message
  if (!message) return undefined
  const atMs = event.meta.recordedAtMs
  switch (event.type) {
    case "MessageEdited":
      return { ...message, parts: event.parts, editedAtMs: atMs }
    case "MessageDeleted":
      return { ...message, parts: [], attachments: [], deletedAtMs: atMs }
    case "ReactionAdded":
      return { ...message, reactions: [...message.reactions, { emoji: event.emoji, by: event.meta.actor, atMs }] }
    case "ReactionRemoved":
      return {
        ...message,
        reactions: message.reactions.filter(
          (reaction) =>
            !isSameActor(reaction.by, event.meta.actor) || (event.emoji !== undefined && reaction.emoji !== event.emoji)
        )
      }
    case "DeliveryChanged":
      return {
        ...message,
        deliveries: message.deliveries.map((delivery) =>
          delivery.id === event.deliveryId
            ? {
                ...omit(delivery, "failure"),
                state: event.state,
                changedAtMs: atMs,
                platformIds: event.platformIds ?? delivery.platformIds,
                ...(event.failure && { failure: event.failure }),
                ...((event.possiblyDuplicated ?? delivery.possiblyDuplicated) && { possiblyDuplicated: true })
              }
            : delivery
        )
      }
    case "AttachmentStored":
      return {
        ...message,
        attachments: message.attachments.map((attachment) =>
          attachment.id === event.attachmentId
            ? {
                ...omit(attachment, "failure"),
                state: "stored" as const,
                blobKey: event.blobKey,
                sizeBytes: event.sizeBytes,
                mediaType: event.mediaType
              }
            : attachment
        )
      }
    case "AttachmentFailed":
      return {
        ...message,
        attachments: message.attachments.map((attachment) =>
          attachment.id === event.attachmentId
            ? { ...attachment, state: "failed" as const, failure: event.failure }
            : attachment
        )
      }
    default:
      return message
  }
}

/** The state after an event. */
export const evolve = (state: State, event: ConversationEvent): State => {
  const conversation = evolveConversation(state.conversation, event)
  const id = toMessageId(event)
  if (id === undefined) return { conversation, messages: state.messages }
  const message = evolveMessage(state.messages.get(id), event)
  return { conversation, messages: message ? new Map(state.messages).set(id, message) : state.messages }
}

/** The state after all events of a stream, or after the rest of it, from a state that was kept. */
export const fold = (events: Iterable<ConversationEvent>, from: State = empty): State => {
  let state = from
  for (const event of events) state = evolve(state, event)
  return state
}
