/** An audit as a person reads it in a terminal. */
import type { Actor, Message } from "@switchboard/conversation"
import type { Audit } from "@switchboard/desk"
import { inLine } from "./internal/InLine.ts"

const at = (ms: number): string => new Date(ms).toISOString()

const who = (actor: Actor.Actor): string => {
  const name = "id" in actor ? actor.id : actor.name
  return name === undefined ? actor.kind : `${actor.kind} ${name}`
}

const textOf = ({ parts }: Message.Message): string =>
  parts.map((part) => ("text" in part && typeof part.text === "string" ? part.text : `(${part.kind})`)).join(" ")

/**
 * The state at the instant, the messages as they stood, and one line for each change: when, what, who, for what reason.
 */
export const toText = ({ conversationId, atMs, conversation, messages, changes }: Audit.Audit): string => {
  if (!conversation) return `${inLine(conversationId)} was not opened by ${at(atMs)}.\n`
  const { holder } = conversation.control
  const lines = [
    `Conversation ${conversationId} at ${at(atMs)}`,
    "",
    `  status    ${conversation.status}`,
    `  held by   ${holder.kind === "nobody" ? "nobody" : `${holder.kind} ${holder.id}`}`,
    `  priority  ${conversation.priority}`,
    `  contact   ${conversation.contactId}`,
    `  subject   ${conversation.subject ?? "none"}`,
    `  tags      ${conversation.tags.join(", ") || "none"}`,
    `  channels  ${[...new Set(conversation.threads.map((thread) => thread.channelKind))].join(", ")}`,
    "",
    "Messages",
    "",
    ...messages.map((message) => `  ${message.sequence}  ${message.direction}  ${textOf(message)}`),
    "",
    "Changes",
    "",
    ...changes.map((change) => {
      const behalf = change.onBehalfOf ? ` for ${who(change.onBehalfOf)}` : ""
      const cause = change.causation ?? change.commandId
      const changed = change.changed.map(({ field, from, to }) => `${field} ${from ?? "none"} → ${to ?? "none"}`)
      return [
        `  ${at(change.recordedAtMs)}  ${change.type}  by ${who(change.actor)}${behalf}`,
        ...(cause === undefined ? [] : [`because of ${cause}`]),
        ...changed
      ].join("  ·  ")
    })
  ]
  return `${lines.map(inLine).join("\n")}\n`
}
