/**
 * Turns and whole conversations for trying out bots and steps, without a desk.
 *
 * @module
 */
import { Contact, Conversation, Id, Message } from "@switchboard/conversation"
import type { Bot } from "./Bot.ts"
import { BotResponse } from "./BotAction.ts"
import type { Turn } from "./Turn.ts"

/** One message of what was said before. */
export interface Said {
  readonly from: "contact" | "bot" | "agent"
  readonly parts: ReadonlyArray<Message.MessagePart>
}

/** Who is talking, and where. Everything has a plausible default; `channelKind` is `chat`. */
export interface TalkOptions {
  readonly channelKind?: string
  readonly language?: string
  readonly name?: string
  readonly attributes?: Contact.Attributes
  readonly signal?: AbortSignal
}

/** What the contact does in a turn: writes `text`, chooses the option of the id `choice`, or sends any `parts`. */
export interface TurnOptions extends TalkOptions {
  readonly text?: string
  readonly choice?: string
  readonly parts?: ReadonlyArray<Message.MessagePart>
  readonly history?: ReadonlyArray<Said>
}

/** When a tried conversation begins: 2026-01-05T09:00Z. Its messages come a second apart. */
export const startMs = Date.UTC(2026, 0, 5, 9)

const conversationId = Id.ConversationId.parse("conversation")
const threadId = Id.ThreadId.parse("thread")
const contactId = Id.ContactId.parse("contact")
const botId = Id.BotId.parse("bot")
const authors = {
  contact: { kind: "contact", id: contactId },
  bot: { kind: "bot", id: botId },
  agent: { kind: "agent", id: Id.AgentId.parse("agent"), role: "agent" }
} as const

const toMessage = ({ from, parts }: Said, index: number): Message.Message => ({
  id: Id.MessageId.parse(`message-${index + 1}`),
  conversationId,
  threadId,
  sequence: index + 1,
  direction: from === "contact" ? "in" : "out",
  origin: from === "contact" ? "platform" : "desk",
  author: authors[from],
  purpose: "service",
  parts: [...parts],
  attachments: [],
  sentAtMs: startMs + index * 1000,
  recordedAtMs: startMs + index * 1000,
  reactions: [],
  deliveries: []
})

const labelOf = (history: ReadonlyArray<Said>, id: string): string =>
  history
    .flatMap(({ parts }) => parts.flatMap((part) => (part.kind === "choices" ? part.options : [])))
    .findLast((option) => option.id === id)?.label ?? id

/**
 * A plausible turn.
 *
 * **Example**
 *
 * ```ts
 * import { strict as assert } from "node:assert"
 * import { BotTesting, Predicate } from "@switchboard/bot"
 *
 * const turn = BotTesting.turn({ text: "Guten Tag", language: "de-AT" })
 * assert.equal(Predicate.language("de")(turn), true)
 * assert.equal(Predicate.firstTurn(turn), true)
 * ```
 */
export const turn = (options: TurnOptions = {}): Turn => {
  const { text, choice, parts = [], history = [], channelKind = "chat", language, name, attributes = {} } = options
  const said: Said = {
    from: "contact",
    parts: [
      ...(text === undefined ? [] : [Message.text(text)]),
      ...(choice === undefined ? [] : [{ kind: "choice" as const, id: choice, label: labelOf(history, choice) }]),
      ...parts
    ]
  }
  const all = [...history, said].map(toMessage)
  const last = all.length - 1
  const nowMs = startMs + last * 1000
  return {
    turnId: `${conversationId}/${all.length}`,
    conversation: Conversation.Conversation.parse({
      id: conversationId,
      version: all.length + 1,
      contactId,
      status: "open",
      control: { holder: { kind: "bot", id: botId }, fence: 1 },
      priority: "normal",
      tags: [],
      attributes,
      language,
      participants: [{ role: "requester", contactId }],
      threads: [
        {
          id: threadId,
          channelKind,
          accountId: "account",
          audience: "private",
          key: "contact",
          recipients: [{ kind: "visitor", value: "contact" }],
          openedAtMs: startMs,
          lastInboundAtMs: nowMs
        }
      ],
      links: [],
      cycle: 1,
      messageCount: all.length,
      unreadCount: 1,
      lastMessageId: all[last]?.id,
      preview: Message.toText(said.parts).slice(0, 200),
      openedAtMs: startMs,
      updatedAtMs: nowMs,
      lastInboundAtMs: nowMs,
      waitingSinceMs: nowMs
    }),
    contact: Contact.Contact.parse({
      id: contactId,
      version: 1,
      name,
      language,
      addresses: [],
      attributes: {},
      consents: [],
      suggestions: [],
      lastConversationId: conversationId,
      createdAtMs: startMs,
      updatedAtMs: startMs
    }),
    messages: all.slice(last),
    history: all.slice(0, last),
    nowMs,
    signal: options.signal ?? new AbortController().signal
  }
}

/**
 * Lets a bot answer one message after the other, with all that was said as history, and gives its answers.
 *
 * It ends early when the bot hands off or resolves, for then a bot is not asked any more. Attributes that the bot sets are
 * on the conversation of the next turn; other actions change nothing.
 *
 * **Fails with** what the bot throws, and a `ZodError` for an answer that a desk would refuse.
 *
 * **Example**
 *
 * ```ts
 * import { strict as assert } from "node:assert"
 * import { BotTesting, defineBot, Menu, Step } from "@switchboard/bot"
 *
 * const bot = defineBot({
 *   id: "hours",
 *   name: "Hours",
 *   onTurn: Menu.make({
 *     text: "Which shop?",
 *     options: [
 *       { id: "north", label: "North", step: Step.answer("9 to 5") },
 *       { id: "south", label: "South", step: Step.answer("10 to 6") }
 *     ]
 *   })
 * })
 * const answers = await BotTesting.talk(bot, ["When are you open?", { choice: "south" }])
 * assert.deepEqual(answers[1]?.actions, [
 *   { type: "reply", parts: [{ kind: "text", text: "10 to 6", format: "plain" }] }
 * ])
 * ```
 */
export const talk = async (
  bot: Pick<Bot, "onTurn">,
  lines: ReadonlyArray<string | { readonly choice: string }>,
  options: TalkOptions = {}
): Promise<ReadonlyArray<BotResponse>> => {
  const responses: Array<BotResponse> = []
  let history: ReadonlyArray<Said> = []
  let attributes = options.attributes ?? {}
  for (const line of lines) {
    const said = typeof line === "string" ? { text: line } : line
    const asked = turn({ ...options, ...said, attributes, history })
    const response = BotResponse.parse(await bot.onTurn(asked))
    responses.push(response)
    if (response.actions.some(({ type }) => type === "handOff" || type === "resolve")) break
    const answered = response.actions.flatMap((action): ReadonlyArray<Said> => {
      if (action.type === "reply") return [{ from: "bot", parts: action.parts }]
      if (action.type !== "ask") return []
      return [{ from: "bot", parts: [{ kind: "choices", text: action.text, options: action.options }] }]
    })
    history = [...history, ...asked.messages.map(({ parts }): Said => ({ from: "contact", parts })), ...answered]
    for (const action of response.actions)
      if (action.type === "setAttributes") attributes = { ...attributes, ...action.attributes }
  }
  return responses
}
