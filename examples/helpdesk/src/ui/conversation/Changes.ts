/** What an agent can still do about a message, and in words why not. */
import type { Capabilities } from "@switchboard/channel"
import type { Agent, Conversation, Message } from "@switchboard/conversation"
import { isLeading, isMe } from "../Directory.ts"

/** The few that every platform with reactions takes. */
export const emojis: ReadonlyArray<readonly [emoji: string, name: string]> = [
  ["👍", "thumbs up"],
  ["🙏", "thank you"],
  ["👏", "applause"],
  ["🎉", "celebration"],
  ["😁", "smile"],
  ["😢", "sad"]
]

/** Each is `null` when it can be done, or says what is in the way. */
export interface Allowed {
  readonly react: string | null
  readonly edit: string | null
  readonly remove: string | null
}

/** The message's place: `capabilities` is `undefined` when its channel is not connected, and `null` until that is known. */
export interface Where {
  readonly isOver: boolean
  readonly channel: string
  readonly capabilities: Capabilities.Capabilities | null | undefined
}

/** Nothing more can be done in it by anybody here. */
export const isOver = ({ status, mergedInto }: Conversation.Conversation): boolean =>
  status === "closed" || mergedInto !== undefined

const writable = new Set<Message.MessagePart["kind"]>([
  "text",
  "attachment",
  "location",
  "contactCard",
  "choices",
  "template"
])

/** Its words, when they are all of one piece. */
export const wordsOf = ({ parts }: Message.Message): string | undefined => {
  const texts = parts.filter((part) => part.kind === "text")
  return texts.length === 1 && parts.every(({ kind }) => writable.has(kind)) ? texts[0]!.text : undefined
}

/** Whether this agent may change it at all: its author, or whoever leads. */
export const isInHand = (message: Message.Message, me: Agent.Agent): boolean =>
  message.direction !== "in" && (isMe(message.author, me) || isLeading(me))

/** Nothing of it has come out of the desk, and nothing will by itself. */
export const neverLeft = ({ deliveries }: Message.Message): boolean =>
  deliveries.length > 0 && deliveries.every(({ state, platformIds }) => state === "failed" && platformIds.length === 0)

export const allowedOn = (message: Message.Message, { isOver, channel, capabilities }: Where): Allowed => {
  if (isOver) {
    const over = "This conversation is over."
    return { react: over, edit: over, remove: over }
  }
  const noWords = wordsOf(message) === undefined ? "Only text can be changed." : null
  if (message.direction === "note") return { react: null, edit: noWords, remove: null }
  const can = (kind: Capabilities.OutboundKind, otherwise: string): string | null =>
    capabilities === null
      ? `It is not known yet what ${channel} can do.`
      : capabilities === undefined
        ? `${channel} is not connected any more.`
        : capabilities.outbound.includes(kind)
          ? null
          : otherwise
  const isKnownThere = message.platformId !== undefined || message.deliveries.some((one) => one.platformIds.length > 0)
  return {
    react: can("reaction", `${channel} takes no reactions.`) ?? (isKnownThere ? null : "It has not arrived there yet."),
    edit: noWords ?? (neverLeft(message) ? null : can("edit", `${channel} can't change what was sent.`)),
    remove: neverLeft(message) ? null : can("delete", `${channel} can't take back what was sent.`)
  }
}
