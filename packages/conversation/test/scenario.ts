import {
  type Actor,
  type Contact,
  type Conversation,
  ConversationCommand,
  ConversationDecision,
  type ConversationEvent,
  ConversationEvolution,
  Id,
  Message,
  type Thread
} from "@switchboard/conversation"
import { expect } from "vitest"

export const conversationId = Id.ConversationId.parse("c1")
export const otherConversation = Id.ConversationId.parse("c2")
export const contactId = Id.ContactId.parse("jo")
export const threadId = Id.ThreadId.parse("mail")
export const sideThread = Id.ThreadId.parse("side")

const agentActor = (id: string, role: Actor.Role): Actor.Actor => ({ kind: "agent", id: Id.AgentId.parse(id), role })
export const ana = agentActor("ana", "agent")
export const ben = agentActor("ben", "agent")
export const sue = agentActor("sue", "supervisor")
export const ada = agentActor("ada", "administrator")
export const robo: Actor.Actor = { kind: "bot", id: Id.BotId.parse("robo") }
export const otherBot: Actor.Actor = { kind: "bot", id: Id.BotId.parse("other-bot") }
export const jo: Actor.Actor = { kind: "contact", id: contactId }
export const timer: Actor.Actor = { kind: "system", name: "timer" }
export const key: Actor.Actor = { kind: "apiKey", id: "key", role: "administrator" }

export const nobody: Conversation.Holder = { kind: "nobody" }
export const held = (id: string): Conversation.Holder => ({ kind: "agent", id: Id.AgentId.parse(id) })
export const heldByBot: Conversation.Holder = { kind: "bot", id: Id.BotId.parse("robo") }
export const holderOf = (actor: Actor.Actor): Conversation.Holder =>
  actor.kind === "agent" || actor.kind === "bot" ? ({ kind: actor.kind, id: actor.id } as Conversation.Holder) : nobody

export const mid = (id: string): Id.MessageId => Id.MessageId.parse(id)
export const did = (id: string): Id.DeliveryId => Id.DeliveryId.parse(id)
export const recipient = { kind: "email", value: "jo@example.org" }

export const thread = (id: string, more: Partial<Thread.Thread> = {}) => ({
  id: Id.ThreadId.parse(id),
  channelKind: "email",
  accountId: Id.ChannelAccountId.parse("support"),
  audience: "private" as const,
  key: `key-of-${id}`,
  recipients: [recipient],
  ...more
})

export type Command = ConversationCommand.ConversationCommand
type Of<T extends Command["type"]> = Omit<Extract<Command, { type: T }>, "type">

export const open = (more: Partial<Of<"OpenConversation">> = {}): Command => ({
  type: "OpenConversation",
  conversationId,
  contactId,
  thread: thread("mail"),
  ...more
})
export const receive = (id: string, more: Partial<Of<"ReceiveMessage">> = {}): Command => ({
  type: "ReceiveMessage",
  messageId: mid(id),
  threadId,
  parts: [Message.text(`words of ${id}`)],
  attachments: [],
  ...more
})
export const echo = (id: string): Command => ({
  type: "RecordEcho",
  messageId: mid(id),
  threadId,
  parts: [Message.text(`words of ${id}`)],
  attachments: []
})
export const send = (id: string, more: Partial<Of<"SendMessage">> = {}): Command => ({
  type: "SendMessage",
  messageId: mid(id),
  threadId,
  parts: [Message.text(`words of ${id}`)],
  attachments: [],
  deliveries: [{ id: did(`d-${id}`), recipient }],
  ...more
})
export const note = (id: string): Command => ({
  type: "AddNote",
  messageId: mid(id),
  parts: [Message.text(`words of ${id}`)],
  attachments: []
})
export const give = (to: Conversation.Holder, fence?: number): Command => ({
  type: "GiveControl",
  to,
  ...(fence !== undefined && { fence })
})

/** What a test says of one step: the command, who gives it, and when (in ms). */
export type Step = readonly [command: Command, actor: Actor.Actor, nowMs?: number]

export const stamp = (actor: Actor.Actor, nowMs: number): Contact.Stamp => ({ actor, nowMs })

/** Time passes by 1,000 ms a step unless the step says otherwise. */
export const history = (...steps: ReadonlyArray<Step>): ReadonlyArray<ConversationEvent.ConversationEvent> => {
  let state = ConversationEvolution.empty
  let nowMs = 0
  const events: Array<ConversationEvent.ConversationEvent> = []
  for (const [command, actor, at] of steps) {
    nowMs = at ?? nowMs + 1000
    const decided = ConversationDecision.decide(state, ConversationCommand.ConversationCommand.parse(command), {
      actor,
      nowMs
    })
    if (!decided.ok) throw new Error(`${command.type} as a given step was refused: ${decided.error.message}`)
    events.push(...decided.value)
    state = ConversationEvolution.fold(decided.value, state)
  }
  return events
}

export interface Outcome {
  readonly result: ReturnType<typeof ConversationDecision.decide>
  /** The types of the events, or `!` and the code of the refusal. */
  readonly told: string
  readonly state: ConversationEvolution.State
  readonly conversation: Conversation.Conversation
  message(id: string): Message.Message
}

export interface Given {
  when(command: Command, actor: Actor.Actor, nowMs?: number): Outcome
}

/** given events, when a command by an actor, then `told`, `conversation`, `message`. */
export const given = (events: ReadonlyArray<ConversationEvent.ConversationEvent>): Given => {
  const before = ConversationEvolution.fold(events)
  return {
    when: (command, actor, nowMs = 1_000_000) => {
      const result = ConversationDecision.decide(before, command, stamp(actor, nowMs))
      const state = result.ok ? ConversationEvolution.fold(result.value, before) : before
      return {
        result,
        told: result.ok ? result.value.map(({ type }) => type).join(" ") || "-" : `!${result.error.code}`,
        state,
        get conversation() {
          if (state.conversation === undefined) throw new Error("there is no conversation")
          return state.conversation
        },
        message: (id) => {
          const found = state.messages.get(mid(id))
          if (found === undefined) throw new Error(`there is no message ${id}`)
          return found
        }
      }
    }
  }
}

/** Every step of a conversation, and then its state. */
export const after = (...steps: ReadonlyArray<Step>): Conversation.Conversation => {
  const { conversation } = ConversationEvolution.fold(history(...steps))
  if (conversation === undefined) throw new Error("there is no conversation")
  return conversation
}

export const messageAfter = (id: string, ...steps: ReadonlyArray<Step>): Message.Message => {
  const found = ConversationEvolution.fold(history(...steps)).messages.get(mid(id))
  if (found === undefined) throw new Error(`there is no message ${id}`)
  return found
}

/** A refusal says what to do and holds its facts. */
export const refusal = (outcome: Outcome) => {
  expect(outcome.result.ok).toBe(false)
  if (outcome.result.ok) throw new Error("not refused")
  expect(outcome.result.error.message.length).toBeGreaterThan(10)
  return outcome.result.error
}
