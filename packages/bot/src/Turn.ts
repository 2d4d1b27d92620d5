/**
 * What a bot is asked: the contact's new messages and what was said before.
 *
 * @module
 */
import type { Contact, Conversation, Id, Message, Thread } from "@switchboard/conversation"
import { foldBare } from "./internal/fold.ts"

/**
 * What a bot is asked.
 *
 * **Shape** `messages` are the contact's messages that no turn has seen yet, oldest first, at least one; `history` what
 * was said before, oldest first, notes left out, and only the latest part of a long conversation. `signal` is aborted at
 * the deadline. `turnId` is the same when a turn is asked again: give it to services that take an idempotency key.
 *
 * **Units** `nowMs` in milliseconds since 1970-01-01 UTC.
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

/**
 * An option the contact chose, by its button or by typing its number or label. `question` is absent when what was asked
 * lies before the history; `isNew` says that it came in this turn.
 */
export interface Choice {
  readonly messageId: Id.MessageId
  readonly optionId: string
  readonly label: string
  readonly question: Message.ChoicesPart | undefined
  readonly isNew: boolean
}

/** What was asked with options and what was chosen, oldest first; `open` is the question that still waits for an answer. */
export interface Dialogue {
  readonly questions: ReadonlyArray<Message.ChoicesPart>
  readonly choices: ReadonlyArray<Choice>
  readonly open: Message.ChoicesPart | undefined
}

/** What a message says in the contact's own words: text and captions, not the labels of buttons. */
export const wordsOf = (message: Pick<Message.Message, "parts">): string =>
  message.parts
    .flatMap((part) => {
      if (part.kind === "text" || part.kind === "html") return [part.text]
      return part.kind === "attachment" && part.caption !== undefined ? [part.caption] : []
    })
    .join("\n")

/**
 * The contact's words in this turn, a line for each message.
 *
 * **Example**
 *
 * ```ts
 * import { strict as assert } from "node:assert"
 * import { BotTesting, Turn } from "@switchboard/bot"
 *
 * assert.equal(Turn.words(BotTesting.turn({ text: "Where is my parcel?" })), "Where is my parcel?")
 * ```
 */
export const words = (turn: Turn): string => turn.messages.map(wordsOf).join("\n")

/** The channel kind on which the contact wrote last, which is where an answer goes. */
export const channelKind = (turn: Turn): Thread.ChannelKind | undefined => {
  const threadId = turn.messages.at(-1)?.threadId
  return turn.conversation.threads.find(({ id }) => id === threadId)?.channelKind
}

/** The language of the conversation, else the contact's, as a BCP 47 tag. */
export const language = (turn: Turn): string | undefined => turn.conversation.language ?? turn.contact?.language

/** A label goes before a number: "2" may be the label of the first option. */
const typedOption = (question: Message.ChoicesPart, message: Message.Message) => {
  const typed = foldBare(wordsOf(message))
  if (typed === "") return undefined
  const labelled = question.options.find(({ label }) => foldBare(label) === typed)
  return labelled ?? (/^\d{1,2}$/.test(typed) ? question.options[Number(typed) - 1] : undefined)
}

/**
 * Reads what was asked with options and what the contact chose.
 *
 * A button counts at any time; a typed number (from 1, as channels without buttons show them) or label counts while its
 * question is the latest one, is unanswered, and no person has written since.
 *
 * **Units** History before `sinceMs` is left out, in milliseconds since 1970-01-01 UTC; the turn's own messages never are,
 * however late the turn is asked.
 *
 * **Example**
 *
 * ```ts
 * import { strict as assert } from "node:assert"
 * import { Message } from "@switchboard/conversation"
 * import { BotTesting, Turn } from "@switchboard/bot"
 *
 * const question: Message.ChoicesPart = {
 *   kind: "choices",
 *   text: "Which one?",
 *   options: [
 *     { id: "red", label: "The red one" },
 *     { id: "blue", label: "The blue one" }
 *   ]
 * }
 * const turn = BotTesting.turn({ text: "2", history: [{ from: "bot", parts: [question] }] })
 * assert.equal(Turn.dialogue(turn).choices[0]?.optionId, "blue")
 * ```
 */
export const dialogue = (turn: Turn, sinceMs = Number.NEGATIVE_INFINITY): Dialogue => {
  const asked: Array<{ readonly messageId: Id.MessageId; readonly question: Message.ChoicesPart }> = []
  const choices: Array<Choice> = []
  let open: Message.ChoicesPart | undefined
  const read = (message: Message.Message, isNew: boolean): void => {
    const { id: messageId, direction, author, parts } = message
    if (!isNew && message.recordedAtMs < sinceMs) return
    if (direction === "out") {
      const question = parts.findLast((part) => part.kind === "choices")
      if (question) {
        asked.push({ messageId, question })
        open = question
      } else if (author.kind !== "bot") open = undefined
      return
    }
    if (direction !== "in") return
    const buttons = parts.filter((part) => part.kind === "choice")
    for (const { id, label, of } of buttons) {
      const question = asked.findLast((one) =>
        of === undefined ? one.question.options.some((option) => option.id === id) : one.messageId === of
      )?.question
      choices.push({ messageId, optionId: id, label, question, isNew })
      if (question === open) open = undefined
    }
    const option = open && buttons.length === 0 ? typedOption(open, message) : undefined
    if (!option) return
    choices.push({ messageId, optionId: option.id, label: option.label, question: open, isNew })
    open = undefined
  }
  for (const message of turn.history) read(message, false)
  for (const message of turn.messages) read(message, true)
  return { questions: asked.map(({ question }) => question), choices, open }
}
