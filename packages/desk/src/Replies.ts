/**
 * What agents say: replies to the contact, notes to colleagues, and that they type.
 *
 * @module
 */
import {
  Contact,
  type Conversation,
  Conversation as Conversations,
  Id,
  Message,
  Rejection,
  type Thread
} from "@switchboard/conversation"
import { Effect } from "effect"
import type { Once } from "./Commands.ts"
import { NotFoundError, RejectedError } from "./DeskError.ts"
import type { CommandAnswer, DeskService } from "./DeskService.ts"
import { type Environment, fromPromise, required } from "./Environment.ts"
import * as Erasure from "./Erasure.ts"
import type { Live } from "./Live.ts"
import { agentOf } from "./Rights.ts"
import { threadKey } from "./Views.ts"

/** The thread a reply goes to when none is named: where the contact last wrote. */
const threadOf = (conversation: Conversation.Conversation, threadId: string | undefined): Thread.Thread | undefined =>
  threadId === undefined
    ? conversation.threads
        .filter((thread) => thread.audience !== "internal")
        .toSorted((a, b) => (a.lastInboundAtMs ?? a.openedAtMs) - (b.lastInboundAtMs ?? b.openedAtMs))
        .at(-1)
    : conversation.threads.find((thread) => thread.id === threadId)

/** What the agents of one desk say. */
export const make = (
  { settings, workspace, newId }: Environment["Service"],
  once: Once,
  live: Live
): Pick<DeskService, "reply" | "note" | "typing"> => {
  const reply: DeskService["reply"] = Effect.fn("Desk.reply")(function* (actor, conversation, input, options) {
    const conversationId = Id.ConversationId.parse(conversation)
    const messageId = Id.MessageId.parse(newId())
    const attachments: Message.Message["attachments"] = []
    for (const [index, file] of (input.attachments ?? []).entries()) {
      const blobKey = newId()
      const info = yield* fromPromise(() =>
        settings.config.blobs.put(workspace.id, blobKey, file.bytes, {
          mediaType: file.mediaType,
          limitBytes: settings.limits.attachmentBytes
        })
      )
      attachments.push({
        id: Id.AttachmentId.parse(`${messageId}.${index + 1}`),
        name: file.name,
        mediaType: file.mediaType,
        state: "stored",
        blobKey,
        sizeBytes: info.sizeBytes
      })
    }
    /** Bytes that no message came to name. */
    const drop = fromPromise(() =>
      settings.config.blobs.delete(
        workspace.id,
        attachments.flatMap(({ blobKey }) => (blobKey === undefined ? [] : [blobKey]))
      )
    )
    return yield* once(
      `conversation/${conversationId}`,
      actor,
      `reply/${conversationId}`,
      options,
      async (draft, stamp): Promise<Omit<CommandAnswer, "repeated">> => {
        const found = await draft.conversation(conversationId)
        if (!found) throw new NotFoundError({ what: "conversation", id: conversationId })
        const thread = threadOf(found, input.threadId)
        if (!thread) {
          throw new RejectedError({
            rejection: Rejection.make("threadUnknown", "no such thread in this conversation", {
              threadId: input.threadId
            })
          })
        }
        const purpose = input.purpose ?? "service"
        const contact = await draft.contact(await Erasure.survivorOf(draft.reads, found.contactId))
        if (contact && !Contact.allows(contact, purpose, thread.channelKind)) {
          throw new RejectedError({
            rejection: Rejection.make(
              "notAllowed",
              `the contact has not consented to ${purpose} on ${thread.channelKind}; record a consent first`,
              { purpose, channelKind: thread.channelKind }
            )
          })
        }
        const recipient = thread.recipients[0]
        await draft.run(
          conversationId,
          {
            type: "SendMessage",
            messageId,
            threadId: thread.id,
            parts: [
              ...input.parts,
              ...attachments.map(({ id }) => ({ kind: "attachment" as const, attachmentId: id }))
            ],
            attachments,
            purpose,
            ...(input.replyTo !== undefined && { replyTo: Id.MessageId.parse(input.replyTo) }),
            deliveries: recipient ? [{ id: Id.DeliveryId.parse(newId()), recipient }] : [],
            ...(input.fence !== undefined && { fence: input.fence })
          },
          stamp
        )
        return { conversationId, version: (await draft.conversation(conversationId))!.version, messageId }
      }
    ).pipe(
      Effect.tap((answer) => (answer.repeated ? drop : Effect.void)),
      Effect.tapError((error) => (error._tag === "StorageFailedError" ? Effect.void : drop))
    )
  })

  const note: DeskService["note"] = (actor, conversation, input, options) => {
    const conversationId = Id.ConversationId.parse(conversation)
    const messageId = Id.MessageId.parse(newId())
    return once(`conversation/${conversationId}`, actor, `note/${conversationId}`, options, async (draft, stamp) => {
      await draft.run(
        conversationId,
        {
          type: "AddNote",
          messageId,
          parts: [Message.text(input.text)],
          attachments: [],
          ...(input.mentions && { mentions: [...input.mentions] })
        },
        stamp
      )
      return { conversationId, version: (await draft.conversation(conversationId))!.version, messageId }
    })
  }

  const typing: DeskService["typing"] = Effect.fn("Desk.typing")(function* (actor, conversationId, isTyping) {
    const agentId = yield* agentOf(actor)
    const found = yield* required<Conversation.Conversation>(workspace, "conversations", "conversation", conversationId)
    const thread = threadOf(found, undefined)
    if (thread && Conversations.isActive(found)) {
      const authorName = settings.agents.get(agentId)?.name
      live.typing.publish({
        thread: threadKey(thread.accountId, thread.key),
        by: "agent",
        update: { event: "typing", typing: { typing: isTyping, ...(authorName !== undefined && { authorName }) } }
      })
    }
  })

  return { reply, note, typing }
}
