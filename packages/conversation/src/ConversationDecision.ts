/**
 * What a command does to a conversation: events, or the reason it is refused.
 *
 * @module
 */
import { type Actor, isSame as isSameActor, type Meta } from "./Actor.ts"
import { type Stamp, toMeta } from "./Contact.ts"
import {
  type Control,
  type Conversation,
  type Holder,
  isActive,
  isSameHolder,
  limits,
  type Wanted
} from "./Conversation.ts"
import type { ConversationCommand } from "./ConversationCommand.ts"
import type { ConversationEvent } from "./ConversationEvent.ts"
import type { State } from "./ConversationEvolution.ts"
import { mayMove } from "./Delivery.ts"
import type { Message } from "./Message.ts"
import { isSame } from "./Participant.ts"
import { type Rejection, type RejectionCode, make as reject } from "./Rejection.ts"
import { fail, type Result, succeed } from "./Result.ts"
import { notes } from "./Thread.ts"

type Events = ReadonlyArray<ConversationEvent>
type Decided = Result<Events, Rejection>

/** Commands that a closed conversation still takes, whoever gives them. */
const onClosed: ReadonlySet<ConversationCommand["type"]> = new Set<ConversationCommand["type"]>([
  "RecordDelivery",
  "RecordAttachment",
  "MergeConversation",
  "UndoMerge",
  "EraseContent"
])
/** Commands that a closed conversation takes from the contact or the system, whose platform says they happened. */
const onClosedFromOutside: ReadonlySet<ConversationCommand["type"]> = new Set<ConversationCommand["type"]>([
  "EditMessage",
  "DeleteMessage",
  "AddReaction",
  "RemoveReaction",
  "LinkConversation",
  "UnlinkConversation"
])

/** Commands that a closed conversation takes and that would bring back what was removed. */
const bringsWords: ReadonlySet<ConversationCommand["type"]> = new Set<ConversationCommand["type"]>([
  "EditMessage",
  "RecordDelivery",
  "RecordAttachment"
])

const isPerson = (actor: Actor): boolean => actor.kind === "agent" || actor.kind === "bot" || actor.kind === "apiKey"
const refuse = (code: RejectionCode, message: string, facts: Record<string, unknown> = {}): Result<never, Rejection> =>
  fail(reject(code, message, facts))

/** What a bot may do only while it has control, besides writing to the contact. */
const byHolder: ReadonlySet<ConversationCommand["type"]> = new Set<ConversationCommand["type"]>([
  "WaitForContact",
  "SnoozeConversation",
  "WakeConversation",
  "ResolveConversation",
  "ReopenConversation",
  "CloseConversation",
  "GiveControl",
  "HandOff",
  "TransferConversation"
])

const overLimit = (what: keyof typeof limits) =>
  refuse("limit", `there are at most ${limits[what]} ${what}; remove one first`, { what, limit: limits[what] })
const threadExists = (threadId: string) =>
  refuse("threadExists", "the thread exists already; write on it, or give the new one another id", { threadId })

/** Control changes to `holder`; the fence rises. */
const controlTo = (
  meta: Meta,
  control: Control,
  holder: Holder,
  reason: Extract<ConversationEvent, { type: "ControlChanged" }>["reason"],
  wanted?: Wanted
): ConversationEvent => ({
  type: "ControlChanged",
  meta,
  control: { holder, fence: control.fence + 1 },
  reason,
  ...(wanted && { wanted })
})

/** Opens a resolved conversation again; an agent who held it is preferred, but may be gone: the router decides. */
const reopen = (meta: Meta, conversation: Conversation, reason: "message" | "person"): Events => {
  const { holder } = conversation.control
  return [
    { type: "ConversationReopened", meta, reason },
    ...(holder.kind === "agent"
      ? [controlTo(meta, conversation.control, { kind: "nobody" }, "reopened", { agentId: holder.id })]
      : [])
  ]
}

/** Closes a conversation: nobody has control any more. */
const close = (meta: Meta, conversation: Conversation): Events => [
  { type: "ConversationClosed", meta },
  ...(conversation.control.holder.kind === "nobody"
    ? []
    : [controlTo(meta, conversation.control, { kind: "nobody" }, "closed")])
]

/**
 * What a command does.
 *
 * **Fails with** `conversationUnknown`, `conversationExists`, `conversationClosed`, `conversationMerged`, `contentErased`,
 * `threadUnknown`, `threadExists`, `messageUnknown`, `messageExists`, `messageDeleted`, `deliveryUnknown`,
 * `attachmentUnknown`, `staleFence`, `notInControl`, `statusNotAllowed`, `snoozeInThePast`, `mergeIntoItself`,
 * `notMerged`, `notAnAuthor`, `limit`.
 *
 * **Gotchas** Who may ask at all is `Authorise`'s matter, not decided here. The state must hold the messages that
 * `ConversationCommand.toMessageIds` names. One stream sees only itself: whether a merge would close a ring is for the
 * caller to check.
 *
 * **Example**
 *
 * ```ts
 * import { strict as assert } from "node:assert"
 * import { type Actor, ConversationDecision, ConversationEvolution, Id, Message } from "@switchboard/conversation"
 *
 * const jo: Actor.Actor = { kind: "contact", id: Id.ContactId.parse("jo") }
 * const bot: Actor.Actor = { kind: "bot", id: Id.BotId.parse("robo") }
 * const ana: Actor.Actor = { kind: "agent", id: Id.AgentId.parse("ana"), role: "agent" }
 * const threadId = Id.ThreadId.parse("chat")
 *
 * let state = ConversationEvolution.empty
 * const give = (actor: Actor.Actor, command: Parameters<typeof ConversationDecision.decide>[1]) => {
 *   const decided = ConversationDecision.decide(state, command, { actor, nowMs: 1000 })
 *   if (decided.ok) state = ConversationEvolution.fold(decided.value, state)
 *   return decided.ok ? decided.value.map((event) => event.type) : decided.error.code
 * }
 * give(jo, {
 *   type: "OpenConversation",
 *   conversationId: Id.ConversationId.parse("c1"),
 *   contactId: Id.ContactId.parse("jo"),
 *   holder: { kind: "bot", id: Id.BotId.parse("robo") },
 *   thread: {
 *     id: threadId,
 *     channelKind: "webchat",
 *     accountId: Id.ChannelAccountId.parse("site"),
 *     audience: "private",
 *     key: "session-1",
 *     recipients: []
 *   }
 * })
 * const answer = (id: string, fence?: number) => ({
 *   type: "SendMessage" as const,
 *   messageId: Id.MessageId.parse(id),
 *   threadId,
 *   parts: [Message.text("How can I help?")],
 *   attachments: [],
 *   deliveries: [],
 *   ...(fence !== undefined && { fence })
 * })
 *
 * // The bot's turn began under fence 1. Before it ends, a human answers and thereby takes over.
 * assert.deepEqual(give(ana, answer("m1")), ["ControlChanged", "MessageSent"])
 * assert.deepEqual(state.conversation?.control, { holder: { kind: "agent", id: "ana" }, fence: 2 })
 * assert.equal(give(bot, answer("m2", 1)), "staleFence")
 * ```
 */
export const decide = (
  state: State,
  command: ConversationCommand,
  stamp: Stamp
): Result<ReadonlyArray<ConversationEvent>, Rejection> => {
  const meta = toMeta(stamp)
  const { conversation } = state
  if (command.type === "OpenConversation") {
    if (conversation) {
      return refuse(
        "conversationExists",
        "the conversation exists already; act on it, or give the new one another id",
        {
          conversationId: conversation.id
        }
      )
    }
    // Notes would stand among the contact's messages.
    if (command.thread.id === notes) return threadExists(notes)
    return succeed([
      {
        type: "ConversationOpened",
        meta,
        conversationId: command.conversationId,
        contactId: command.contactId,
        ...(command.subject !== undefined && { subject: command.subject }),
        priority: command.priority ?? "normal",
        ...(command.language !== undefined && { language: command.language }),
        attributes: command.attributes ?? {},
        tags: [...new Set(command.tags ?? [])],
        control: { holder: command.holder ?? { kind: "nobody" }, fence: 1 },
        ...(command.wanted && { wanted: command.wanted }),
        links: command.links ?? [],
        thread: { ...command.thread, openedAtMs: stamp.nowMs }
      }
    ])
  }
  if (!conversation) return refuse("conversationUnknown", "no such conversation; open it first")
  const blocked =
    refusedByStatus(conversation, command, stamp.actor) ??
    refusedByFence(conversation, command) ??
    (stamp.actor.kind === "bot" && byHolder.has(command.type) && !holds(conversation, stamp.actor)
      ? notInControl(conversation, stamp.actor)
      : undefined)
  return blocked ?? decideOpened(conversation, state, command, stamp, meta)
}

const refusedByStatus = (
  conversation: Conversation,
  command: ConversationCommand,
  actor: Actor
): Result<never, Rejection> | undefined => {
  if (conversation.contentErasedAtMs !== undefined && bringsWords.has(command.type)) {
    return refuse("contentErased", "what was said in the conversation was removed; open a follow-up linked to it", {
      conversationId: conversation.id,
      contentErasedAtMs: conversation.contentErasedAtMs
    })
  }
  if (onClosed.has(command.type)) return undefined
  if (onClosedFromOutside.has(command.type) && !isPerson(actor)) return undefined
  if (conversation.mergedInto) {
    return refuse("conversationMerged", `the conversation goes on in ${conversation.mergedInto}; act there`, {
      conversationId: conversation.id,
      mergedInto: conversation.mergedInto
    })
  }
  if (conversation.status === "closed") {
    return refuse("conversationClosed", "the conversation is closed; open a follow-up linked to it", {
      conversationId: conversation.id
    })
  }
  return undefined
}

const refusedByFence = (
  conversation: Conversation,
  command: ConversationCommand
): Result<never, Rejection> | undefined => {
  const { fence, holder } = conversation.control
  return "fence" in command && command.fence !== undefined && command.fence !== fence
    ? refuse("staleFence", "control changed hands since; look at the conversation again", {
        fence: command.fence,
        current: fence,
        holder
      })
    : undefined
}

const decideOpened = (
  conversation: Conversation,
  state: State,
  command: Exclude<ConversationCommand, { type: "OpenConversation" }>,
  stamp: Stamp,
  meta: Meta
): Decided => {
  const message = "messageId" in command ? state.messages.get(command.messageId) : undefined
  switch (command.type) {
    case "AddThread":
      if (command.thread.id === notes || conversation.threads.some((thread) => thread.id === command.thread.id)) {
        return threadExists(command.thread.id)
      }
      if (conversation.threads.length >= limits.threads) return overLimit("threads")
      return succeed([{ type: "ThreadAdded", meta, thread: { ...command.thread, openedAtMs: stamp.nowMs } }])

    case "ReceiveMessage":
    case "RecordEcho":
    case "SendMessage":
    case "AddNote":
      return decideMessage(conversation, state, command, stamp, meta)

    case "EditMessage":
    case "DeleteMessage":
    case "AddReaction":
    case "RemoveReaction":
    case "RecordDelivery":
    case "RetryDelivery":
    case "RecordAttachment":
      return message
        ? decideOnMessage(message, command, stamp, meta)
        : refuse("messageUnknown", "no such message in this conversation", { messageId: command.messageId })

    case "MarkRead":
      return succeed(conversation.unreadCount > 0 ? [{ type: "ConversationRead", meta }] : [])

    case "WaitForContact":
      if (conversation.status === "resolved") return notAllowedIn(conversation, command, "reopen it first")
      return succeed(conversation.status === "pending" ? [] : [{ type: "ConversationPending", meta }])

    case "SnoozeConversation":
      if (conversation.status === "resolved") return notAllowedIn(conversation, command, "reopen it first")
      if (command.untilMs <= stamp.nowMs) {
        return refuse("snoozeInThePast", "snooze until a time that is still to come", {
          untilMs: command.untilMs,
          nowMs: stamp.nowMs
        })
      }
      return succeed([{ type: "ConversationSnoozed", meta, untilMs: command.untilMs }])

    case "WakeConversation":
      if (conversation.status !== "snoozed") return succeed([])
      if (stamp.actor.kind !== "system") return succeed([{ type: "ConversationWoken", meta, reason: "person" }])
      return succeed(
        (conversation.snoozedUntilMs ?? 0) <= stamp.nowMs ? [{ type: "ConversationWoken", meta, reason: "time" }] : []
      )

    case "ResolveConversation":
      return succeed(conversation.status === "resolved" ? [] : [{ type: "ConversationResolved", meta }])

    case "ReopenConversation":
      return succeed(conversation.status === "resolved" ? reopen(meta, conversation, "person") : [])

    case "CloseConversation":
      return succeed(close(meta, conversation))

    case "GiveControl":
      if (isSameHolder(conversation.control.holder, command.to)) return succeed([])
      return succeed([controlTo(meta, conversation.control, command.to, "given")])

    case "HandOff":
      // A deadline that passes late must not take a conversation from the human who has it by now.
      if (conversation.control.holder.kind !== "bot") return notInControl(conversation, stamp.actor)
      return succeed([
        { type: "HandedOff", meta, summary: command.summary, reason: command.reason },
        controlTo(meta, conversation.control, { kind: "nobody" }, "handOff", command.wanted)
      ])

    case "TransferConversation":
      return succeed([
        {
          type: "ConversationTransferred",
          meta,
          wanted: command.wanted,
          ...(command.note !== undefined && { note: command.note })
        },
        controlTo(meta, conversation.control, { kind: "nobody" }, "transfer", command.wanted)
      ])

    case "SetPriority":
      return succeed(
        conversation.priority === command.priority
          ? []
          : [{ type: "PriorityChanged", meta, priority: command.priority }]
      )

    case "AddTag":
      if (conversation.tags.includes(command.tag)) return succeed([])
      if (conversation.tags.length >= limits.tags) return overLimit("tags")
      return succeed([{ type: "TagAdded", meta, tag: command.tag }])

    case "RemoveTag":
      return succeed(conversation.tags.includes(command.tag) ? [{ type: "TagRemoved", meta, tag: command.tag }] : [])

    case "SetAttributes":
      if (Object.keys({ ...conversation.attributes, ...command.attributes }).length > limits.attributes) {
        return overLimit("attributes")
      }
      return succeed([{ type: "AttributesSet", meta, attributes: command.attributes }])

    case "SetSubject":
      return succeed([{ type: "SubjectSet", meta, subject: command.subject }])

    case "AddParticipant":
      if (conversation.participants.some((one) => isSame(one, command.participant))) return succeed([])
      if (conversation.participants.length >= limits.participants) return overLimit("participants")
      return succeed([{ type: "ParticipantAdded", meta, participant: command.participant }])

    case "RemoveParticipant":
      return succeed(
        conversation.participants.some((one) => isSame(one, command.participant))
          ? [{ type: "ParticipantRemoved", meta, participant: command.participant }]
          : []
      )

    case "LinkConversation": {
      const { link } = command
      if (conversation.links.some((one) => one.kind === link.kind && one.conversationId === link.conversationId)) {
        return succeed([])
      }
      if (conversation.links.length >= limits.links) return overLimit("links")
      return succeed([{ type: "ConversationLinked", meta, link }])
    }

    case "UnlinkConversation": {
      const { link } = command
      const linked = conversation.links.some(
        (one) => one.kind === link.kind && one.conversationId === link.conversationId
      )
      return succeed(linked ? [{ type: "ConversationUnlinked", meta, link }] : [])
    }

    case "MergeConversation":
      if (command.into === conversation.id) {
        return refuse("mergeIntoItself", "a conversation can't be merged into itself", {
          conversationId: conversation.id
        })
      }
      if (conversation.mergedInto) {
        return refuse("conversationMerged", `the conversation goes on in ${conversation.mergedInto}; undo that first`, {
          mergedInto: conversation.mergedInto
        })
      }
      return succeed([
        { type: "ConversationMerged", meta, into: command.into },
        ...(conversation.control.holder.kind === "nobody"
          ? []
          : [controlTo(meta, conversation.control, { kind: "nobody" }, "closed")])
      ])

    case "UndoMerge":
      return conversation.mergedInto
        ? succeed([{ type: "MergeUndone", meta, from: conversation.mergedInto }])
        : refuse("notMerged", "the conversation is not merged into another", { conversationId: conversation.id })

    case "EraseContent":
      if (isActive(conversation)) return notAllowedIn(conversation, command, "resolve it first")
      if (conversation.contentErasedAtMs !== undefined) return succeed([])
      return succeed([
        ...(conversation.status === "closed" ? [] : close(meta, conversation)),
        { type: "ContentErased", meta, reason: command.reason }
      ])
  }
}

const notAllowedIn = (conversation: Conversation, command: ConversationCommand, todo: string) =>
  refuse("statusNotAllowed", `not while the conversation is ${conversation.status}; ${todo}`, {
    status: conversation.status,
    command: command.type
  })

const holds = (conversation: Conversation, actor: Actor): boolean =>
  (actor.kind === "bot" || actor.kind === "agent") &&
  isSameHolder(conversation.control.holder, { kind: actor.kind, id: actor.id } as Holder)

const notInControl = (conversation: Conversation, actor: Actor) =>
  refuse("notInControl", "the actor has no control of this conversation; ask for control or for a transfer", {
    holder: conversation.control.holder,
    actor
  })

/** What must happen before an actor's words go out: an agent takes over from a bot or nobody, others must hold control. */
const takeControl = (conversation: Conversation, actor: Actor, meta: Meta): Decided => {
  const { control } = conversation
  if (actor.kind === "system" || actor.kind === "apiKey" || holds(conversation, actor)) return succeed([])
  if (actor.kind === "agent" && control.holder.kind !== "agent") {
    return succeed([controlTo(meta, control, { kind: "agent", id: actor.id }, "given")])
  }
  if (actor.kind === "agent" && actor.role !== "agent") return succeed([])
  return notInControl(conversation, actor)
}

const decideMessage = (
  conversation: Conversation,
  state: State,
  command: Extract<ConversationCommand, { type: "ReceiveMessage" | "RecordEcho" | "SendMessage" | "AddNote" }>,
  stamp: Stamp,
  meta: Meta
): Decided => {
  if (state.messages.has(command.messageId)) {
    return refuse("messageExists", "the message exists already; give the new one another id", {
      messageId: command.messageId
    })
  }
  const threadId = command.type === "AddNote" ? notes : command.threadId
  if (command.type !== "AddNote" && !conversation.threads.some((thread) => thread.id === threadId)) {
    return refuse("threadUnknown", "no such thread in this conversation", { threadId })
  }
  const base = {
    id: command.messageId,
    conversationId: conversation.id,
    threadId,
    sequence: conversation.messageCount + 1,
    author: stamp.actor,
    parts: command.parts,
    attachments: command.attachments,
    ...("replyTo" in command && command.replyTo !== undefined && { replyTo: command.replyTo }),
    ...("platformId" in command && command.platformId !== undefined && { platformId: command.platformId }),
    sentAtMs: stamp.occurredAtMs ?? stamp.nowMs,
    recordedAtMs: stamp.nowMs,
    reactions: []
  }
  switch (command.type) {
    case "AddNote":
      return succeed([
        {
          type: "NoteAdded",
          meta,
          message: {
            ...base,
            direction: "note",
            origin: "desk",
            purpose: "service",
            deliveries: [],
            ...(command.mentions && { mentions: command.mentions })
          }
        }
      ])
    case "ReceiveMessage": {
      const automatic = command.automatic === true
      return succeed([
        ...(automatic || conversation.status !== "resolved" ? [] : reopen(meta, conversation, "message")),
        ...(automatic || conversation.status !== "snoozed"
          ? []
          : [{ type: "ConversationWoken", meta, reason: "message" } as const]),
        {
          type: "MessageReceived",
          meta,
          message: {
            ...base,
            direction: "in",
            origin: "platform",
            purpose: "service",
            deliveries: [],
            ...(automatic && { automatic })
          }
        }
      ])
    }
    case "RecordEcho":
      return succeed([
        {
          type: "MessageEchoed",
          meta,
          message: { ...base, direction: "out", origin: "echo", purpose: "service", deliveries: [] }
        }
      ])
    case "SendMessage": {
      // A quotation would carry a private thread's words into a public one.
      if (command.replyTo !== undefined && state.messages.get(command.replyTo)?.threadId !== threadId) {
        return refuse("messageUnknown", "no such message in this thread; answer without quoting it", {
          messageId: command.replyTo,
          threadId
        })
      }
      const taken = takeControl(conversation, stamp.actor, meta)
      if (!taken.ok) return taken
      return succeed([
        ...taken.value,
        {
          type: "MessageSent",
          meta,
          message: {
            ...base,
            direction: "out",
            origin: "desk",
            purpose: command.purpose ?? "service",
            deliveries: command.deliveries.map(({ id, recipient }) => ({
              id,
              recipient,
              state: "queued" as const,
              changedAtMs: stamp.nowMs,
              platformIds: []
            }))
          }
        }
      ])
    }
  }
}

const mayChange = (message: Message, actor: Actor): boolean => {
  if (actor.kind === "system") return true
  if ((actor.kind === "agent" || actor.kind === "apiKey") && actor.role !== "agent") return message.direction !== "in"
  return isSameActor(actor, message.author)
}

const decideOnMessage = (
  message: Message,
  command: Extract<
    ConversationCommand,
    {
      type:
        | "EditMessage"
        | "DeleteMessage"
        | "AddReaction"
        | "RemoveReaction"
        | "RecordDelivery"
        | "RetryDelivery"
        | "RecordAttachment"
    }
  >,
  stamp: Stamp,
  meta: Meta
): Decided => {
  const messageId = message.id
  switch (command.type) {
    case "EditMessage":
      if (message.deletedAtMs !== undefined) return messageDeleted(messageId)
      if (!mayChange(message, stamp.actor)) return notAnAuthor(message)
      return succeed([{ type: "MessageEdited", meta, messageId, parts: command.parts }])
    case "DeleteMessage":
      if (message.deletedAtMs !== undefined) return succeed([])
      if (!mayChange(message, stamp.actor)) return notAnAuthor(message)
      return succeed([{ type: "MessageDeleted", meta, messageId }])
    case "AddReaction": {
      if (message.deletedAtMs !== undefined) return messageDeleted(messageId)
      if (hasReaction(message, stamp.actor, command.emoji)) return succeed([])
      if (message.reactions.length >= limits.reactions) return overLimit("reactions")
      return succeed([{ type: "ReactionAdded", meta, messageId, emoji: command.emoji }])
    }
    case "RemoveReaction":
      if (!hasReaction(message, stamp.actor, command.emoji)) return succeed([])
      return succeed([
        { type: "ReactionRemoved", meta, messageId, ...(command.emoji !== undefined && { emoji: command.emoji }) }
      ])
    case "RecordDelivery": {
      const delivery = message.deliveries.find((one) => one.id === command.deliveryId)
      if (!delivery) return noDelivery(command.deliveryId)
      if (!mayMove(delivery.state, command.state)) return succeed([])
      const { type: _, ...facts } = command
      return succeed([{ type: "DeliveryChanged", meta, ...facts }])
    }
    case "RetryDelivery": {
      const delivery = message.deliveries.find((one) => one.id === command.deliveryId)
      if (!delivery) return noDelivery(command.deliveryId)
      if (delivery.state !== "failed") {
        return refuse("statusNotAllowed", `only a failed delivery is tried again; this one is ${delivery.state}`, {
          deliveryId: delivery.id,
          state: delivery.state
        })
      }
      return succeed([{ type: "DeliveryChanged", meta, messageId, deliveryId: delivery.id, state: "queued" }])
    }
    case "RecordAttachment": {
      const attachment = message.attachments.find((one) => one.id === command.attachmentId)
      if (!attachment) {
        return refuse("attachmentUnknown", "no such attachment in this message", { attachmentId: command.attachmentId })
      }
      if (attachment.state === "stored") return succeed([])
      const { state, ...facts } = command.result
      return succeed([
        {
          type: state === "stored" ? "AttachmentStored" : "AttachmentFailed",
          meta,
          messageId,
          attachmentId: attachment.id,
          ...facts
        } as ConversationEvent
      ])
    }
  }
}

const messageDeleted = (messageId: string) =>
  refuse("messageDeleted", "the message was deleted; write another", { messageId })

const notAnAuthor = (message: Message) =>
  refuse("notAnAuthor", "only its author changes a message; ask them, or a supervisor", {
    messageId: message.id,
    author: message.author
  })

const noDelivery = (deliveryId: string) => refuse("deliveryUnknown", "no such delivery of this message", { deliveryId })

const hasReaction = (message: Message, actor: Actor, emoji: string | undefined): boolean =>
  message.reactions.some((one) => isSameActor(one.by, actor) && (emoji === undefined || one.emoji === emoji))

/** Whether a conversation takes messages of the contact: not once it is closed or merged; those open a follow-up. */
export const takesMessages = (conversation: Pick<Conversation, "status">): boolean => conversation.status !== "closed"
