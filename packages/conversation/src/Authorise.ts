/**
 * Who may ask for what: one pure function, replaceable in a desk's configuration.
 *
 * @module
 */
import type { Actor, Role } from "./Actor.ts"
import type { ContactCommand } from "./Contact.ts"
import type { Conversation } from "./Conversation.ts"
import type { ConversationCommand } from "./ConversationCommand.ts"
import { make, type Rejection } from "./Rejection.ts"
import { fail, type Result, succeed } from "./Result.ts"

/** Any command. */
export type Command = ConversationCommand | ContactCommand

/** Decides whether an actor may give a command; what state allows is decided later. */
export type Authorise = (
  actor: Actor,
  command: Command,
  conversation: Conversation | undefined
) => Result<void, Rejection>

const supervisor: ReadonlySet<Command["type"]> = new Set<Command["type"]>([
  "CloseConversation",
  "MergeConversation",
  "UndoMerge"
])
/** What hands out or removes everything that is kept of somebody. */
const administrator: ReadonlySet<Command["type"]> = new Set<Command["type"]>([
  "RecordExport",
  "EraseContact",
  "EraseContent"
])
/** Only platforms and Switchboard itself report what happened outside. */
const fromOutside: ReadonlySet<Command["type"]> = new Set<Command["type"]>([
  "ReceiveMessage",
  "RecordEcho",
  "RecordDelivery",
  "RecordAttachment",
  "StartConversation"
])
const ofContact: ReadonlySet<Command["type"]> = new Set<Command["type"]>([
  "OpenConversation",
  "AddThread",
  "ReceiveMessage",
  "EditMessage",
  "DeleteMessage",
  "AddReaction",
  "RemoveReaction",
  "RecordDelivery",
  "CreateContact",
  "AddAddress",
  "StartConversation",
  "SuggestMatch",
  "GrantConsent",
  "WithdrawConsent",
  "AddParticipant"
])
const ofBot: ReadonlySet<Command["type"]> = new Set<Command["type"]>([
  "SendMessage",
  "AddNote",
  "WaitForContact",
  "ResolveConversation",
  "HandOff",
  "SetPriority",
  "AddTag",
  "RemoveTag",
  "SetAttributes",
  "SetSubject",
  "UpdateContact"
])

/** A verified address joins contacts: a platform or a signature says so, not a person at a desk. */
const provesAddress = (command: Command): boolean =>
  command.type === "AddAddress"
    ? command.address.state === "verified"
    : command.type === "CreateContact" && command.addresses.some((address) => address.state === "verified")

const refuse = (actor: Actor, command: Command, needs: string): Result<never, Rejection> =>
  fail(make("notAllowed", `${command.type} needs ${needs}`, { actor, command: command.type, needs }))

const byRole = (role: Role, actor: Actor, command: Command, conversation: Conversation | undefined) => {
  if (fromOutside.has(command.type)) return refuse(actor, command, "a platform or Switchboard itself as its actor")
  if (role !== "administrator" && administrator.has(command.type)) {
    return refuse(actor, command, "the role administrator")
  }
  if (role !== "administrator" && provesAddress(command)) {
    return refuse(actor, command, "the role administrator for a verified address: people note it as claimed")
  }
  if (role !== "agent") return succeed(undefined)
  if (supervisor.has(command.type)) return refuse(actor, command, "the role supervisor")
  const holder = conversation?.control.holder
  const othersWork = holder?.kind === "agent" && !(actor.kind === "agent" && actor.id === holder.id)
  if (command.type === "GiveControl") {
    const toSelf = command.to.kind === "agent" && actor.kind === "agent" && command.to.id === actor.id
    if (othersWork || (command.to.kind === "agent" && !toSelf)) {
      return refuse(actor, command, "the role supervisor, unless an agent takes over from a bot or nobody")
    }
  }
  if (command.type === "TransferConversation" && othersWork) {
    return refuse(actor, command, "the role supervisor, unless it is the agent's own work")
  }
  return succeed(undefined)
}

/**
 * The default: agents work conversations and take over from bots and nobody; supervisors also move others' work, close
 * and merge; administrators do everything; contacts do what their own messages cause; bots what they need to answer.
 *
 * **Fails with** `notAllowed`, naming what is needed.
 *
 * **Example**
 *
 * ```ts
 * import { strict as assert } from "node:assert"
 * import { type Actor, Authorise, Id } from "@switchboard/conversation"
 *
 * const agent: Actor.Actor = { kind: "agent", id: Id.AgentId.parse("ana"), role: "agent" }
 * const refused = Authorise.byDefault(agent, { type: "CloseConversation" }, undefined)
 * assert(!refused.ok && refused.error.message === "CloseConversation needs the role supervisor")
 *
 * // A rule of your own in front of the default.
 * const authorise: Authorise.Authorise = (actor, command, conversation) =>
 *   command.type === "CloseConversation" && actor.kind === "agent"
 *     ? { ok: true, value: undefined }
 *     : Authorise.byDefault(actor, command, conversation)
 * assert(authorise(agent, { type: "CloseConversation" }, undefined).ok)
 * ```
 */
export const byDefault: Authorise = (actor, command, conversation) => {
  switch (actor.kind) {
    case "system":
      return succeed(undefined)
    case "contact":
      return ofContact.has(command.type) ? succeed(undefined) : refuse(actor, command, "an agent's role")
    case "bot":
      return ofBot.has(command.type) ? succeed(undefined) : refuse(actor, command, "an agent's role")
    case "agent":
    case "apiKey":
      return byRole(actor.role, actor, command, conversation)
  }
}
