/**
 * Gives commands to conversations: each once, whoever repeats it.
 *
 * @module
 */
import {
  type Actor,
  type Contact,
  type Conversation,
  type ConversationCommand,
  Id,
  Rejection
} from "@switchboard/conversation"
import { Effect } from "effect"
import { CommandReusedError, type DeskError, NotFoundError, RejectedError } from "./DeskError.ts"
import type { CommandAnswer, CommandOptions, DeskService } from "./DeskService.ts"
import { type Draft, stampOf } from "./Draft.ts"
import { document, type Environment } from "./Environment.ts"
import type { Consequence } from "./Reactor.ts"
import { notAllowed } from "./Rights.ts"

/** Runs a decision once per command id, in its lane and with its stamp: a repeat returns the first answer. */
export type Once = <A extends object>(
  lane: string,
  actor: Actor.Actor,
  what: string,
  options: CommandOptions | undefined,
  decide: (draft: Draft, stamp: Contact.Stamp) => Promise<A>
) => Effect.Effect<A & { readonly repeated: boolean }, DeskError>

/** How commands are given. */
export interface Commands {
  readonly operations: Pick<DeskService, "execute">
  readonly once: Once
  /** Gives the command that follows from an event, in the name of the reactor that read it. */
  readonly follow: (reactor: string, consequence: Consequence) => Effect.Effect<void, DeskError>
}

/** How long the answer to a command is kept for a repeat. */
const commandLifetimeMs = 8 * 24 * 3_600_000

/** A conversation merged into one that goes on in the first would have no end. */
const requireNoRing = async (draft: Draft, from: Id.ConversationId, into: Id.ConversationId): Promise<void> => {
  let current: Id.ConversationId | undefined = into
  while (current !== undefined) {
    const target: Conversation.Conversation | undefined = await draft.conversation(current)
    if (!target) throw new NotFoundError({ what: "conversation", id: current })
    if (target.id === from || target.mergedInto === from) {
      throw new RejectedError({
        rejection: Rejection.make("mergeIntoItself", `${into} goes on in ${from} already; undo that merge first`, {
          from,
          into
        })
      })
    }
    current = target.mergedInto
  }
}

/** Commands to the conversations of one desk. */
export const make = ({ workspace, turn }: Environment["Service"]): Commands => {
  const once: Once = (lane, actor, what, options, decide) =>
    turn(lane, async (draft) => {
      const who = "id" in actor ? `${actor.kind}/${actor.id}` : actor.name
      const key = options?.commandId === undefined ? undefined : `command/${who}/${options.commandId}`
      if (key !== undefined) {
        const [known] = await draft.reads.claims([key])
        if (known) {
          const first = JSON.parse(known.value) as {
            readonly what: string
            readonly answer: Awaited<ReturnType<typeof decide>>
          }
          if (first.what !== what) throw new CommandReusedError({ commandId: options!.commandId! })
          return { ...first.answer, repeated: true }
        }
      }
      const answer = await decide(
        draft,
        stampOf(actor, draft.nowMs, {
          ...(options?.commandId !== undefined && { commandId: options.commandId }),
          ...(options?.onBehalfOf && { onBehalfOf: options.onBehalfOf })
        })
      )
      if (key !== undefined) {
        draft.claim({
          key,
          value: JSON.stringify({ what, answer }),
          expiresAtMs: draft.nowMs + commandLifetimeMs
        })
      }
      return { ...answer, repeated: false }
    })

  const executeOne = (
    actor: Actor.Actor,
    conversationId: Id.ConversationId,
    command: ConversationCommand.ConversationCommand,
    options: CommandOptions | undefined
  ): Effect.Effect<CommandAnswer, DeskError> =>
    once(
      `conversation/${conversationId}`,
      actor,
      `${command.type}/${conversationId}`,
      options,
      async (draft, stamp) => {
        const merged = (await draft.conversation(conversationId))?.mergedInto
        if (command.type === "MergeConversation") await requireNoRing(draft, conversationId, command.into)
        await draft.run(conversationId, command, stamp)
        const system = stampOf({ kind: "system", name: "desk" }, draft.nowMs)
        const link = { kind: "mergedFrom", conversationId } as const
        if (command.type === "MergeConversation")
          await draft.run(command.into, { type: "LinkConversation", link }, system)
        if (command.type === "UndoMerge" && merged)
          await draft.run(merged, { type: "UnlinkConversation", link }, system)
        const conversation = await draft.conversation(conversationId)
        return {
          conversationId,
          version: conversation?.version ?? 0,
          ...("messageId" in command && { messageId: command.messageId })
        }
      }
    )

  const execute: DeskService["execute"] = Effect.fnUntraced(function* (actor, conversationId, command, options) {
    const id = Id.ConversationId.parse(conversationId)
    if (actor.kind === "contact") {
      const found = yield* document<Conversation.Conversation>(workspace, "conversations", id)
      if (found && found.contactId !== actor.id)
        return yield* notAllowed(actor, "another contact's conversation", "to be theirs")
    }
    return yield* executeOne(actor, id, command, options)
  })

  return {
    operations: { execute },
    once,
    follow: (reactor, { conversationId, command, commandId }) =>
      executeOne({ kind: "system", name: reactor }, conversationId, command, { commandId }).pipe(
        Effect.asVoid,
        // The conversation has gone on since: what followed from the event no longer does.
        Effect.catchTag(["RejectedError", "CommandReusedError"], (error) =>
          Effect.logDebug(`${reactor}: ${commandId}: ${error.message}`)
        )
      )
  }
}
