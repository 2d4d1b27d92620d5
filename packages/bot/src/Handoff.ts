/**
 * Moving control from the bot to people, with what they need to go on. `Step.handOff` does it.
 *
 * @module
 */
import { type Conversation, Message } from "@switchboard/conversation"
import type * as z from "zod"
import { cut } from "./internal/cut.ts"
import * as Turns from "./Turn.ts"

type Turn = Turns.Turn

/**
 * How to hand off.
 *
 * **Shape** `reason` is a code for reports, such as `wantsPerson`, of at most 256 characters; `wanted` tells the router
 * whom (ids as plain strings); `summary` is a text or made from the turn, {@link summarise} without it; `say` is told to
 * the contact first.
 */
export interface HandoffOptions {
  readonly reason: string
  readonly wanted?: z.input<typeof Conversation.Wanted>
  readonly summary?: string | ((turn: Turn) => string)
  readonly say?: string
}

/** How long a summary and one message in it may be, in UTF-16 units. */
export const limits = { summary: 2000, message: 400 } as const

const fact = (text: string | undefined): string => (text ?? "").replace(/\s+/gu, " ").trim()

const contactName = ({ contact }: Turn): string => {
  const address = contact?.addresses[0]
  return fact(contact?.name) || fact(address?.label) || fact(address?.value)
}

/**
 * Says who writes, what they wrote and which options they chose, for the person who takes over.
 *
 * **Shape** A line with name, channel kind and language as far as they are known, then a line for each of the contact's
 * messages, oldest first: its words, `question → choice`, `[file]`. It holds no words but theirs and the bot's questions,
 * so it needs no translation. A long message is cut; when all is too long the oldest messages make way for a `…`.
 *
 * **Units** At most `limits.summary` UTF-16 units.
 *
 * **Example**
 *
 * ```ts
 * import { strict as assert } from "node:assert"
 * import { BotTesting, Handoff } from "@switchboard/bot"
 *
 * const turn = BotTesting.turn({ text: "I was charged twice", name: "Ada", channelKind: "chat", language: "en" })
 * assert.equal(Handoff.summarise(turn), "Ada · chat · en\nI was charged twice")
 * ```
 */
export const summarise = (turn: Turn): string => {
  const { choices } = Turns.dialogue(turn)
  const lineOf = (message: Message.Message): string => {
    const chosen = choices.filter(({ messageId }) => messageId === message.id)
    const said = message.parts.filter(({ kind }) => kind !== "choice")
    const isTyped = chosen.length > 0 && said.length === message.parts.length
    const lines = [
      ...chosen.map(({ question, label }) => (question ? `${cut(fact(question.text), 200)} → ${label}` : `→ ${label}`)),
      isTyped ? "" : Message.toText(said),
      ...message.attachments.map(({ name, mediaType }) => `[${name ?? mediaType}]`)
    ]
    return cut(
      lines
        .map((line) => line.trim())
        .filter((line) => line !== "")
        .join("\n"),
      limits.message
    )
  }
  const about = [contactName(turn), Turns.channelKind(turn), Turns.language(turn)]
  const head = cut(about.filter((one) => one !== undefined && one !== "").join(" · "), limits.message)
  const written = [...turn.history, ...turn.messages]
    .filter(({ direction }) => direction === "in")
    .map(lineOf)
    .filter((line) => line !== "")
  let room = limits.summary - head.length - "\n…".length
  const kept: Array<string> = []
  for (const line of written.toReversed()) {
    room -= line.length + 1
    if (room < 0) break
    kept.unshift(line)
  }
  return [head, ...(kept.length < written.length ? ["…"] : []), ...kept].filter((line) => line !== "").join("\n")
}
