/**
 * What can happen to a conversation.
 *
 * @module
 */
import * as z from "zod"
import { Meta } from "./Actor.ts"
import { Attributes } from "./Contact.ts"
import { Control, Conversation, ErasureReason, Link, Priority, Tag, Wanted } from "./Conversation.ts"
import { DeliveryFailure, DeliveryState, PlatformIds } from "./Delivery.ts"
import { AttachmentId, ConversationId, DeliveryId, MessageId } from "./Id.ts"
import { Message, MessagePart } from "./Message.ts"
import { Participant } from "./Participant.ts"
import { personal } from "./Personal.ts"
import { Thread } from "./Thread.ts"

const base = { meta: Meta }
const parts = personal(z.array(MessagePart).max(100), [])
const PersonalParticipant = personal(Participant, { role: "cc", address: { kind: "erased", value: "erased" } })

/** A conversation began, with its first thread. */
export const ConversationOpened = z.object({
  type: z.literal("ConversationOpened"),
  ...base,
  ...Conversation.pick({
    contactId: true,
    subject: true,
    priority: true,
    language: true,
    attributes: true,
    tags: true,
    control: true,
    wanted: true,
    links: true
  }).shape,
  conversationId: ConversationId,
  thread: Thread
})
/** It goes on in another thread too. */
export const ThreadAdded = z.object({ type: z.literal("ThreadAdded"), ...base, thread: Thread })
/** The contact wrote. */
export const MessageReceived = z.object({ type: z.literal("MessageReceived"), ...base, message: Message })
/** The business wrote outside the desk. */
export const MessageEchoed = z.object({ type: z.literal("MessageEchoed"), ...base, message: Message })
/** An agent, a bot or the system wrote to the contact. */
export const MessageSent = z.object({ type: z.literal("MessageSent"), ...base, message: Message })
/** Somebody wrote to colleagues. */
export const NoteAdded = z.object({ type: z.literal("NoteAdded"), ...base, message: Message })
/** A message's words changed. */
export const MessageEdited = z.object({ type: z.literal("MessageEdited"), ...base, messageId: MessageId, parts })
/** A message's words were taken away. */
export const MessageDeleted = z.object({ type: z.literal("MessageDeleted"), ...base, messageId: MessageId })
/** Somebody reacted. */
export const ReactionAdded = z.object({
  type: z.literal("ReactionAdded"),
  ...base,
  messageId: MessageId,
  emoji: z.string().min(1).max(64)
})
/** Somebody took reactions back. */
export const ReactionRemoved = z.object({
  type: z.literal("ReactionRemoved"),
  ...base,
  messageId: MessageId,
  emoji: z.string().min(1).max(64).optional()
})
/** A delivery rose, failed or was queued once more. */
export const DeliveryChanged = z.object({
  type: z.literal("DeliveryChanged"),
  ...base,
  messageId: MessageId,
  deliveryId: DeliveryId,
  state: DeliveryState,
  platformIds: PlatformIds.optional(),
  failure: DeliveryFailure.optional(),
  possiblyDuplicated: z.boolean().optional()
})
/** An attachment's bytes are stored. */
export const AttachmentStored = z.object({
  type: z.literal("AttachmentStored"),
  ...base,
  messageId: MessageId,
  attachmentId: AttachmentId,
  blobKey: z.string().max(512),
  sizeBytes: z.number().int().nonnegative(),
  mediaType: z.string().max(128)
})
/** An attachment's bytes can't be had. */
export const AttachmentFailed = z.object({
  type: z.literal("AttachmentFailed"),
  ...base,
  messageId: MessageId,
  attachmentId: AttachmentId,
  failure: personal(z.string().max(1000), "")
})
/** Everything up to here was read by an agent. */
export const ConversationRead = z.object({ type: z.literal("ConversationRead"), ...base })
/** It waits for the contact. */
export const ConversationPending = z.object({ type: z.literal("ConversationPending"), ...base })
/** It sleeps. */
export const ConversationSnoozed = z.object({
  type: z.literal("ConversationSnoozed"),
  ...base,
  untilMs: z.number().int()
})
/** It woke. */
export const ConversationWoken = z.object({
  type: z.literal("ConversationWoken"),
  ...base,
  reason: z.enum(["time", "message", "person"])
})
/** The matter is done. */
export const ConversationResolved = z.object({ type: z.literal("ConversationResolved"), ...base })
/** It is open again. `reason` is `message` when the contact wrote. */
export const ConversationReopened = z.object({
  type: z.literal("ConversationReopened"),
  ...base,
  reason: z.enum(["message", "person"])
})
/** Done for good. */
export const ConversationClosed = z.object({ type: z.literal("ConversationClosed"), ...base })
/** Control changed hands. */
export const ControlChanged = z.object({
  type: z.literal("ControlChanged"),
  ...base,
  control: Control,
  reason: z.enum(["given", "handOff", "transfer", "reopened", "closed"]),
  wanted: Wanted.optional()
})
/** A bot handed over to people. */
export const HandedOff = z.object({
  type: z.literal("HandedOff"),
  ...base,
  summary: personal(z.string().max(10_000), ""),
  reason: z.string().min(1).max(256)
})
/** Somebody passed the conversation on. */
export const ConversationTransferred = z.object({
  type: z.literal("ConversationTransferred"),
  ...base,
  wanted: Wanted,
  note: personal(z.string().max(2000), "").optional()
})
/** The urgency changed. */
export const PriorityChanged = z.object({ type: z.literal("PriorityChanged"), ...base, priority: Priority })
/** A tag was added. */
export const TagAdded = z.object({ type: z.literal("TagAdded"), ...base, tag: Tag })
/** A tag was removed. */
export const TagRemoved = z.object({ type: z.literal("TagRemoved"), ...base, tag: Tag })
/** Facts were set. */
export const AttributesSet = z.object({
  type: z.literal("AttributesSet"),
  ...base,
  attributes: personal(Attributes, {})
})
/** The matter got a name. */
export const SubjectSet = z.object({
  type: z.literal("SubjectSet"),
  ...base,
  subject: personal(z.string().max(998), "")
})
/** Someone takes part. */
export const ParticipantAdded = z.object({
  type: z.literal("ParticipantAdded"),
  ...base,
  participant: PersonalParticipant
})
/** Someone's part ended. */
export const ParticipantRemoved = z.object({
  type: z.literal("ParticipantRemoved"),
  ...base,
  participant: PersonalParticipant
})
/** Two conversations were tied. */
export const ConversationLinked = z.object({ type: z.literal("ConversationLinked"), ...base, link: Link })
/** They were untied. */
export const ConversationUnlinked = z.object({ type: z.literal("ConversationUnlinked"), ...base, link: Link })
/** It goes on in another conversation. */
export const ConversationMerged = z.object({ type: z.literal("ConversationMerged"), ...base, into: ConversationId })
/** It stands alone again. */
export const MergeUndone = z.object({ type: z.literal("MergeUndone"), ...base, from: ConversationId })

/** What was said is to be removed for good: whoever keeps the events removes their personal fields. */
export const ContentErased = z.object({ type: z.literal("ContentErased"), ...base, reason: ErasureReason })

/** Every event of a conversation's stream. */
export const ConversationEvent = z.discriminatedUnion("type", [
  ConversationOpened,
  ThreadAdded,
  MessageReceived,
  MessageEchoed,
  MessageSent,
  NoteAdded,
  MessageEdited,
  MessageDeleted,
  ReactionAdded,
  ReactionRemoved,
  DeliveryChanged,
  AttachmentStored,
  AttachmentFailed,
  ConversationRead,
  ConversationPending,
  ConversationSnoozed,
  ConversationWoken,
  ConversationResolved,
  ConversationReopened,
  ConversationClosed,
  ControlChanged,
  HandedOff,
  ConversationTransferred,
  PriorityChanged,
  TagAdded,
  TagRemoved,
  AttributesSet,
  SubjectSet,
  ParticipantAdded,
  ParticipantRemoved,
  ConversationLinked,
  ConversationUnlinked,
  ConversationMerged,
  MergeUndone,
  ContentErased
])
export type ConversationEvent = z.infer<typeof ConversationEvent>
