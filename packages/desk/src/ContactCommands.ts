/**
 * Gives commands to contacts, and erases them or what was said in their conversations.
 *
 * @module
 */
import { type Actor, type Contact, type Conversation, Id, Rejection } from "@switchboard/conversation"
import { Effect } from "effect"
import type { Once } from "./Commands.ts"
import { type DeskError, NotFoundError, RejectedError } from "./DeskError.ts"
import type { CommandAnswer, CommandOptions, DeskService } from "./DeskService.ts"
import { type Draft, stampOf } from "./Draft.ts"
import { type Environment, fromPromise, required } from "./Environment.ts"
import * as Erasure from "./Erasure.ts"
import type * as Reactors from "./Reactor.ts"
import { notAllowed, requireRole } from "./Rights.ts"

/** How contacts are changed and erased. */
export interface ContactCommands {
  readonly operations: Pick<DeskService, "executeOnContact" | "erase">
  /** Removes what was said in a conversation that nobody has to act on. */
  readonly eraseContent: (
    actor: Actor.Actor,
    conversationId: string,
    reason: Conversation.ErasureReason,
    options?: CommandOptions
  ) => Effect.Effect<CommandAnswer, DeskError>
  /** Sees an erasure through that was recorded. */
  readonly eraseNow: (target: Erasure.Target) => Effect.Effect<Erasure.Erased, DeskError>
}

/** A contact merged into one that counts as the first would be nobody in the end. */
const requireNoRing = async (draft: Draft, id: Id.ContactId, into: Id.ContactId): Promise<void> => {
  let current: Id.ContactId | undefined = into
  while (current !== undefined) {
    const target: Contact.Contact | undefined = await draft.contact(current)
    if (!target) throw new NotFoundError({ what: "contact", id: current })
    if (target.mergedInto === id) {
      throw new RejectedError({
        rejection: Rejection.make("mergeIntoItself", `${current} counts as ${id} already; undo that merge first`, {
          into
        })
      })
    }
    current = target.mergedInto
  }
}

/** Commands to the contacts of one desk, whose reactors stand still while one is erased. */
export const make = (
  environment: Environment["Service"],
  once: Once,
  reactors: ReadonlyArray<Reactors.Running>
): ContactCommands => {
  const { workspace, turn } = environment

  /** While all reactors stand still: what they have read before must not be written after. */
  const eraseNow: ContactCommands["eraseNow"] = (target) =>
    reactors.reduce<Effect.Effect<Erasure.Erased, DeskError>>(
      (erasing, reactor) => reactor.exclusively(erasing),
      Effect.uninterruptible(fromPromise(() => Erasure.erase(environment, target)))
    )

  const erase: DeskService["erase"] = Effect.fn("Desk.erase")(function* (actor, contactId) {
    yield* requireRole(actor, "erasing a contact", ["administrator"])
    yield* required<Contact.Contact>(workspace, "contacts", "contact", contactId)
    const id = Id.ContactId.parse(contactId)
    const person = yield* turn(`contact/${id}`, async (draft) => {
      const all = await Erasure.personOf(draft.reads, id)
      for (const one of all) await Erasure.request(draft, one, stampOf(actor, draft.nowMs))
      return all
    })
    const erased = yield* Effect.forEach(person, (one) => eraseNow({ contactId: one }))
    return erased.reduce((sum, one) => ({
      events: sum.events + one.events,
      documents: sum.documents + one.documents,
      blobs: sum.blobs + one.blobs
    }))
  })

  const eraseContent: ContactCommands["eraseContent"] = Effect.fn("Desk.eraseContent")(
    function* (actor, conversationId, reason, options) {
      const found = yield* required<Conversation.Conversation>(
        workspace,
        "conversations",
        "conversation",
        conversationId
      )
      const { id, contactId } = found
      const answer = yield* once(
        `conversation/${id}`,
        actor,
        `EraseContent/${id}`,
        options,
        async (draft, stamp): Promise<Omit<CommandAnswer, "repeated">> => {
          await Erasure.requestContent(draft, found, reason, stamp)
          return { conversationId: id, version: (await draft.conversation(id))?.version ?? 0 }
        }
      )
      yield* eraseNow({ contactId, conversationId: id })
      return answer
    }
  )

  const executeOnContact: DeskService["executeOnContact"] = (actor, contactId, command, options) => {
    const id = Id.ContactId.parse(contactId)
    if (actor.kind === "contact" && actor.id !== id) {
      return Effect.fail(notAllowed(actor, "another contact", "an agent's role"))
    }
    if (command.type === "EraseContact") {
      return Effect.andThen(
        erase(actor, id),
        Effect.map(required<Contact.Contact>(workspace, "contacts", "contact", id), ({ version }) => ({
          contactId: id,
          version
        }))
      )
    }
    return once(`contact/${id}`, actor, `${command.type}/${id}`, options, async (draft, stamp) => {
      if (command.type === "MergeContact") await requireNoRing(draft, id, command.into)
      await draft.runOnContact(id, command, stamp)
      const contact = await draft.contact(id)
      return { contactId: id, version: contact?.version ?? 0 }
    })
  }

  return { operations: { executeOnContact, erase }, eraseContent, eraseNow }
}
