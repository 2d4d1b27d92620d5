/**
 * A program that answers contacts, one turn at a time.
 *
 * @module
 */
import type { Contact, Conversation, Id, Message } from "@switchboard/conversation"
import type { BotResponse } from "./BotAction.ts"

/**
 * What a bot is asked.
 *
 * **Shape** `messages` are the contact's messages that no turn has seen yet, oldest first, at least one; `history` what
 * was said before, oldest first, notes left out. `signal` is aborted at the deadline.
 */
export interface Turn {
  readonly turnId: string
  readonly conversation: Conversation.Conversation
  readonly contact: Contact.Contact | undefined
  readonly messages: ReadonlyArray<Message.Message>
  readonly history: ReadonlyArray<Message.Message>
  readonly nowMs: number
  readonly signal: AbortSignal
}

/** A bot. `deadlineMs` is how long a turn may take before the conversation is handed to people. */
export interface Bot {
  readonly id: Id.BotId
  readonly name: string
  readonly deadlineMs: number
  readonly onTurn: (turn: Turn) => BotResponse | Promise<BotResponse>
}
