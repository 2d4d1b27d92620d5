/**
 * What a number or a promise is attributed to: a conversation as far as one reader of the journal has come.
 *
 * The conversation's own document is ahead of a reader that lags or reads everything again.
 *
 * @module
 */
import type { Conversation, ConversationEvent, Id, Message, Thread } from "@switchboard/conversation"

/**
 * What was true of a conversation.
 *
 * **Shape** kept with the reader's other state of the conversation; nothing in it is personal. `teamId` is the team that
 * was asked for last, also while one of its agents holds it. `asides` are the threads among colleagues. `isActive`
 * leaves a merge aside, which can be undone.
 */
export interface Attribution {
  readonly channelKind: string
  readonly accountId: string
  readonly priority: Conversation.Priority
  readonly holder: Conversation.Holder
  readonly teamId?: Id.TeamId
  readonly asides: ReadonlyArray<Id.ThreadId>
  readonly isActive: boolean
}

const asideOf = (thread: Thread.Thread): ReadonlyArray<Id.ThreadId> =>
  thread.audience === "internal" ? [thread.id] : []

/** After an event; the very same when nothing of it has changed, `undefined` before the conversation opened. */
export const evolve = (
  before: Attribution | undefined,
  event: ConversationEvent.ConversationEvent
): Attribution | undefined => {
  if (event.type === "ConversationOpened") {
    return {
      channelKind: event.thread.channelKind,
      accountId: event.thread.accountId,
      priority: event.priority,
      holder: event.control.holder,
      ...(event.wanted?.teamId !== undefined && { teamId: event.wanted.teamId }),
      asides: asideOf(event.thread),
      isActive: true
    }
  }
  if (!before) return undefined
  switch (event.type) {
    case "ThreadAdded": {
      const added = asideOf(event.thread)
      return added.length === 0 ? before : { ...before, asides: [...before.asides, ...added] }
    }
    case "PriorityChanged":
      return { ...before, priority: event.priority }
    case "ControlChanged": {
      const { holder } = event.control
      const { teamId: known, ...rest } = before
      const teamId = event.wanted?.teamId ?? (holder.kind === "agent" ? known : undefined)
      return { ...rest, holder, ...(teamId !== undefined && { teamId }) }
    }
    case "ConversationReopened":
      return before.isActive ? before : { ...before, isActive: true }
    case "ConversationResolved":
    case "ConversationClosed":
      return before.isActive ? { ...before, isActive: false } : before
    default:
      return before
  }
}

/** Words that the contact doesn't see or that answer nothing: among colleagues, an offer, a survey. */
export const isAside = ({ asides }: Attribution, message: Message.Message): boolean =>
  message.purpose !== "service" || asides.includes(message.threadId)
