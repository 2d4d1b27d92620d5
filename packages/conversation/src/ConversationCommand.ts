/**
 * What can be asked of a conversation. New ids come in with the command: its handler stamps them.
 *
 * @module
 */
import * as z from "zod"
import { Attributes } from "./Contact.ts"
import { ErasureReason, Holder, Link, Priority, Tag, Wanted } from "./Conversation.ts"
import { DeliveryFailure, DeliveryState, Recipient } from "./Delivery.ts"
import { AttachmentId, ContactId, ConversationId, DeliveryId, MessageId, ThreadId } from "./Id.ts"
import { Mention, Message, MessagePart, Purpose } from "./Message.ts"
import { Participant } from "./Participant.ts"
import { Thread } from "./Thread.ts"

const NewThread = Thread.omit({ openedAtMs: true, lastInboundAtMs: true })
const fence = z.number().int().nonnegative().optional()
const parts = z.array(MessagePart).min(1).max(100)

/** Content that came from a platform. */
const content = {
  messageId: MessageId,
  threadId: ThreadId,
  parts: z.array(MessagePart).max(100),
  attachments: Message.shape.attachments,
  platformId: z.string().max(998).optional(),
  replyTo: MessageId.optional()
}

/** Opens a conversation with its first thread. `holder` is who answers first, `nobody` by default. */
export const OpenConversation = z.strictObject({
  type: z.literal("OpenConversation"),
  conversationId: ConversationId,
  contactId: ContactId,
  thread: NewThread,
  subject: z.string().max(998).optional(),
  priority: Priority.optional(),
  language: z.string().max(35).optional(),
  attributes: Attributes.optional(),
  tags: z.array(Tag).max(50).optional(),
  holder: Holder.optional(),
  wanted: Wanted.optional(),
  links: z.array(Link).max(50).optional()
})
/** Continues the conversation on another channel account, or opens a side conversation. */
export const AddThread = z.strictObject({ type: z.literal("AddThread"), thread: NewThread })
/** Records what the contact wrote. `automatic`: a program wrote it for them. */
export const ReceiveMessage = z.strictObject({
  type: z.literal("ReceiveMessage"),
  ...content,
  automatic: z.boolean().optional()
})
/** Records what the business wrote outside the desk. */
export const RecordEcho = z.strictObject({ type: z.literal("RecordEcho"), ...content })
/**
 * Writes to the contact. With `fence`, only while control has not changed since. `replyTo` quotes a message of the same
 * thread.
 */
export const SendMessage = z.strictObject({
  type: z.literal("SendMessage"),
  messageId: MessageId,
  threadId: ThreadId,
  parts,
  attachments: Message.shape.attachments,
  purpose: Purpose.optional(),
  replyTo: MessageId.optional(),
  deliveries: z.array(z.strictObject({ id: DeliveryId, recipient: Recipient })).max(100),
  fence
})
/** Writes to colleagues. */
export const AddNote = z.strictObject({
  type: z.literal("AddNote"),
  messageId: MessageId,
  parts,
  attachments: Message.shape.attachments,
  mentions: z.array(Mention).max(50).optional()
})
/** Changes a message's words. */
export const EditMessage = z.strictObject({ type: z.literal("EditMessage"), messageId: MessageId, parts })
/** Takes a message's words away. */
export const DeleteMessage = z.strictObject({ type: z.literal("DeleteMessage"), messageId: MessageId })
/** Reacts to a message. */
export const AddReaction = z.strictObject({
  type: z.literal("AddReaction"),
  messageId: MessageId,
  emoji: z.string().min(1).max(64)
})
/** Takes a reaction back; without `emoji`, all of the actor's. */
export const RemoveReaction = z.strictObject({
  type: z.literal("RemoveReaction"),
  messageId: MessageId,
  emoji: z.string().min(1).max(64).optional()
})
/** Records what became of a message. */
export const RecordDelivery = z.strictObject({
  type: z.literal("RecordDelivery"),
  messageId: MessageId,
  deliveryId: DeliveryId,
  state: DeliveryState,
  platformIds: z.array(z.string().max(998)).max(50).optional(),
  failure: DeliveryFailure.optional(),
  possiblyDuplicated: z.boolean().optional()
})
/** Sends a failed delivery once more. */
export const RetryDelivery = z.strictObject({
  type: z.literal("RetryDelivery"),
  messageId: MessageId,
  deliveryId: DeliveryId
})
/** Records that an attachment's bytes are stored, or can't be had. */
export const RecordAttachment = z.strictObject({
  type: z.literal("RecordAttachment"),
  messageId: MessageId,
  attachmentId: AttachmentId,
  result: z.discriminatedUnion("state", [
    z.strictObject({
      state: z.literal("stored"),
      blobKey: z.string().max(512),
      sizeBytes: z.number().int().nonnegative(),
      mediaType: z.string().max(128)
    }),
    z.strictObject({ state: z.literal("failed"), failure: z.string().max(1000) })
  ])
})
/** Marks everything as read by an agent. */
export const MarkRead = z.strictObject({ type: z.literal("MarkRead") })
/** Now the contact must act. */
export const WaitForContact = z.strictObject({ type: z.literal("WaitForContact"), fence })
/** Sleeps until a time or the contact's next message. */
export const SnoozeConversation = z.strictObject({
  type: z.literal("SnoozeConversation"),
  untilMs: z.number().int(),
  fence
})
/** Ends a sleep. */
export const WakeConversation = z.strictObject({ type: z.literal("WakeConversation") })
/** The matter is done. */
export const ResolveConversation = z.strictObject({ type: z.literal("ResolveConversation"), fence })
/** The matter is not done after all. */
export const ReopenConversation = z.strictObject({ type: z.literal("ReopenConversation") })
/** Done for good. */
export const CloseConversation = z.strictObject({ type: z.literal("CloseConversation") })
/** Gives control to an agent, a bot or nobody. */
export const GiveControl = z.strictObject({ type: z.literal("GiveControl"), to: Holder, fence })
/** A bot hands over to people, or the system does for it: nobody holds it until the router finds someone. */
export const HandOff = z.strictObject({
  type: z.literal("HandOff"),
  summary: z.string().max(10_000),
  reason: z.string().min(1).max(256),
  wanted: Wanted.optional(),
  fence
})
/** Passes the conversation on: to a team, an agent or whoever has the skills. */
export const TransferConversation = z.strictObject({
  type: z.literal("TransferConversation"),
  wanted: Wanted,
  note: z.string().max(2000).optional(),
  fence
})
/** Sets the urgency. */
export const SetPriority = z.strictObject({ type: z.literal("SetPriority"), priority: Priority })
/** Adds a tag. */
export const AddTag = z.strictObject({ type: z.literal("AddTag"), tag: Tag })
/** Removes a tag. */
export const RemoveTag = z.strictObject({ type: z.literal("RemoveTag"), tag: Tag })
/** Sets facts; others stay. */
export const SetAttributes = z.strictObject({ type: z.literal("SetAttributes"), attributes: Attributes })
/** Names the matter. */
export const SetSubject = z.strictObject({ type: z.literal("SetSubject"), subject: z.string().min(1).max(998) })
/** Lets someone take part. */
export const AddParticipant = z.strictObject({ type: z.literal("AddParticipant"), participant: Participant })
/** Ends someone's part. */
export const RemoveParticipant = z.strictObject({ type: z.literal("RemoveParticipant"), participant: Participant })
/** Ties two conversations; the other side gets the mirrored link by its own command. */
export const LinkConversation = z.strictObject({ type: z.literal("LinkConversation"), link: Link })
/** Unties. */
export const UnlinkConversation = z.strictObject({ type: z.literal("UnlinkConversation"), link: Link })
/** This conversation goes on in another. */
export const MergeConversation = z.strictObject({ type: z.literal("MergeConversation"), into: ConversationId })
/** The merge was wrong. */
export const UndoMerge = z.strictObject({ type: z.literal("UndoMerge") })

/** Removes what was said; that it was said, when and by whom, stays. A resolved conversation is closed for good. */
export const EraseContent = z.strictObject({ type: z.literal("EraseContent"), reason: ErasureReason })

/** Every command on a conversation. */
export const ConversationCommand = z.discriminatedUnion("type", [
  OpenConversation,
  AddThread,
  ReceiveMessage,
  RecordEcho,
  SendMessage,
  AddNote,
  EditMessage,
  DeleteMessage,
  AddReaction,
  RemoveReaction,
  RecordDelivery,
  RetryDelivery,
  RecordAttachment,
  MarkRead,
  WaitForContact,
  SnoozeConversation,
  WakeConversation,
  ResolveConversation,
  ReopenConversation,
  CloseConversation,
  GiveControl,
  HandOff,
  TransferConversation,
  SetPriority,
  AddTag,
  RemoveTag,
  SetAttributes,
  SetSubject,
  AddParticipant,
  RemoveParticipant,
  LinkConversation,
  UnlinkConversation,
  MergeConversation,
  UndoMerge,
  EraseContent
])
export type ConversationCommand = z.infer<typeof ConversationCommand>

/** The messages a command speaks of, its own and the one an answer quotes: the only ones a decision on it needs. */
export const toMessageIds = (command: ConversationCommand): ReadonlyArray<MessageId> => [
  ...("messageId" in command ? [command.messageId] : []),
  ...(command.type === "SendMessage" && command.replyTo !== undefined ? [command.replyTo] : [])
]
