/**
 * What a channel decodes a platform's input into: neutral entries, each naming its account.
 *
 * @module
 */
import { Address, Attachment, Delivery, Message, Thread } from "@switchboard/conversation"
import * as z from "zod"
import { digest } from "./internal/Plain.ts"

/** A file that came with a message: bytes when they came along, otherwise a reference for the channel's `fetch`. */
export const InboundAttachment = Attachment.Attachment.pick({
  id: true,
  name: true,
  mediaType: true,
  sizeBytes: true,
  contentId: true
}).extend({
  content: z.union([z.object({ ref: z.string().min(1).max(4096) }), z.object({ bytes: z.instanceof(Uint8Array) })])
})
export type InboundAttachment = z.infer<typeof InboundAttachment>

/** Who wrote: every identity the platform gives for the person, the most lasting first. */
export const Sender = z.object({
  addresses: z.array(Address.Address).min(1).max(20),
  name: z.string().max(256).optional(),
  language: z.string().max(35).optional()
})
export type Sender = z.infer<typeof Sender>

/**
 * Where in the platform an entry belongs.
 *
 * **Shape** `key` is the platform's name of the exchange. `references` are platform ids of earlier messages it answers:
 * they join an exchange only if the sender belongs to it. `token` is the thread id the channel itself once signed and
 * has verified again. `replyTo` are the recipients of an answer, `cc` others who were addressed.
 */
export const InboundThread = z.object({
  key: z.string().min(1).max(998),
  audience: Thread.Audience,
  subject: z.string().max(998).optional(),
  rootPost: z.string().max(512).optional(),
  references: z.array(z.string().max(998)).max(200).optional(),
  token: z.string().max(128).optional(),
  replyTo: z.array(Delivery.Recipient).max(50),
  cc: z
    .array(Delivery.Recipient.extend({ name: z.string().max(256).optional() }))
    .max(100)
    .optional()
})
export type InboundThread = z.infer<typeof InboundThread>

const base = {
  /** The account's `key`. */
  account: z.string().min(1).max(512),
  /** Unique within the account and kind: a redelivery has the same. */
  entryId: z.string().min(1).max(998),
  /** The platform's time, epoch milliseconds. */
  occurredAtMs: z.number().int()
}
const content = {
  platformId: z.string().min(1).max(998),
  from: Sender,
  thread: InboundThread,
  parts: z.array(Message.MessagePart).max(100),
  attachments: z.array(InboundAttachment).max(100),
  replyToPlatformId: z.string().max(998).optional()
}
const target = { platformId: z.string().min(1).max(998) }

/** The contact wrote. */
export const MessageReceived = z.object({ kind: z.literal("messageReceived"), ...base, ...content })
export type MessageReceived = z.infer<typeof MessageReceived>
/** The business wrote, outside our desk. `from` is the contact it wrote to. */
export const MessageEchoed = z.object({ kind: z.literal("messageEchoed"), ...base, ...content })
export type MessageEchoed = z.infer<typeof MessageEchoed>
/** A comment under a public post. */
export const CommentReceived = z.object({ kind: z.literal("commentReceived"), ...base, ...content })
export type CommentReceived = z.infer<typeof CommentReceived>
/** A program answered for the contact (out of office): recorded, never answered. */
export const AutoReplyReceived = z.object({ kind: z.literal("autoReplyReceived"), ...base, ...content })
export type AutoReplyReceived = z.infer<typeof AutoReplyReceived>
/** The contact pressed a button of an earlier message. */
export const ActionChosen = z.object({
  kind: z.literal("actionChosen"),
  ...base,
  from: Sender,
  thread: InboundThread,
  actionId: z.string().min(1).max(256),
  label: z.string().max(256),
  ofPlatformId: z.string().max(998).optional()
})
export type ActionChosen = z.infer<typeof ActionChosen>
/** A message was edited. */
export const MessageEdited = z.object({
  kind: z.literal("messageEdited"),
  ...base,
  ...target,
  from: Sender.optional(),
  parts: z.array(Message.MessagePart).max(100)
})
export type MessageEdited = z.infer<typeof MessageEdited>
/** A message was deleted. */
export const MessageDeleted = z.object({ kind: z.literal("messageDeleted"), ...base, ...target })
export type MessageDeleted = z.infer<typeof MessageDeleted>
/** The contact reacted to a message. */
export const ReactionAdded = z.object({
  kind: z.literal("reactionAdded"),
  ...base,
  ...target,
  from: Sender,
  emoji: z.string().min(1).max(64)
})
export type ReactionAdded = z.infer<typeof ReactionAdded>
/** The contact took a reaction back; without `emoji`, all of theirs. */
export const ReactionRemoved = z.object({
  kind: z.literal("reactionRemoved"),
  ...base,
  ...target,
  from: Sender,
  emoji: z.string().max(64).optional()
})
export type ReactionRemoved = z.infer<typeof ReactionRemoved>
/** What became of a message we sent. */
export const DeliveryChanged = z.object({
  kind: z.literal("deliveryChanged"),
  ...base,
  ...target,
  state: z.enum(["sent", "delivered", "read", "failed"]),
  failure: Delivery.DeliveryFailure.optional()
})
export type DeliveryChanged = z.infer<typeof DeliveryChanged>
/** A message could not be delivered, said by a mail server. `platformId` is our message. */
export const BounceReceived = z.object({
  kind: z.literal("bounceReceived"),
  ...base,
  ...target,
  permanent: z.boolean(),
  recipient: Delivery.Recipient.optional(),
  reason: z.string().max(2000)
})
export type BounceReceived = z.infer<typeof BounceReceived>
/** The contact is typing, or stopped. Never stored. */
export const TypingChanged = z.object({
  kind: z.literal("typingChanged"),
  ...base,
  from: Sender,
  thread: InboundThread,
  typing: z.boolean()
})
export type TypingChanged = z.infer<typeof TypingChanged>
/** The contact follows, subscribed or opted in; or left again. */
export const FollowChanged = z.object({ kind: z.literal("followChanged"), ...base, from: Sender, follows: z.boolean() })
export type FollowChanged = z.infer<typeof FollowChanged>
/** An address became another: a changed phone number, a migrated chat. */
export const IdentityChanged = z.object({
  kind: z.literal("identityChanged"),
  ...base,
  before: Delivery.Recipient,
  after: Address.Address
})
export type IdentityChanged = z.infer<typeof IdentityChanged>
/** A call began, was answered or ended. */
export const CallChanged = z.object({
  kind: z.literal("callChanged"),
  ...base,
  ...target,
  from: Sender,
  thread: InboundThread,
  state: z.enum(["started", "answered", "ended"])
})
export type CallChanged = z.infer<typeof CallChanged>
/** The platform reports trouble with the account. */
export const ChannelTrouble = z.object({
  kind: z.literal("channelTrouble"),
  ...base,
  code: z.string().max(128),
  message: z.string().max(2000)
})
export type ChannelTrouble = z.infer<typeof ChannelTrouble>
/** Something this channel does not understand: kept, with the reason and the raw entry. Never nothing. */
export const Unsupported = z.object({
  kind: z.literal("unsupported"),
  ...base,
  reason: z.string().min(1).max(2000),
  raw: z.unknown()
})
export type Unsupported = z.infer<typeof Unsupported>

/** One neutral entry. */
export const Entry = z.discriminatedUnion("kind", [
  MessageReceived,
  MessageEchoed,
  CommentReceived,
  AutoReplyReceived,
  ActionChosen,
  MessageEdited,
  MessageDeleted,
  ReactionAdded,
  ReactionRemoved,
  DeliveryChanged,
  BounceReceived,
  TypingChanged,
  FollowChanged,
  IdentityChanged,
  CallChanged,
  ChannelTrouble,
  Unsupported
])
export type Entry = z.infer<typeof Entry>

/** Too long a name keeps its beginning and a digest of all of it, so that it stays stable and its own. */
const bounded = (name: unknown, limit: number): string => {
  const text = typeof name === "string" && name !== "" ? name : "unknown"
  return text.length <= limit ? text : `${text.slice(0, 100).toWellFormed()}#${digest(text)}`
}

/** Entries found to be valid, so that a channel and its definition don't both pay for looking. */
const valid = new WeakSet<Entry>()

/**
 * An entry as it is, or, where it breaks a rule of {@link Entry} (a text too long, an empty id), the same thing as
 * `unsupported` with the reason and what the platform sent. One bad entry never takes its neighbours with it.
 *
 * **Example**
 *
 * ```ts
 * import { strict as assert } from "node:assert"
 * import { Inbound } from "@switchboard/channel"
 *
 * const base = { account: "bot-1", entryId: "17", occurredAtMs: 0 }
 * const raw = { emoji: "" }
 * const from = { addresses: [{ kind: "phone", value: "+34600000000", state: "verified" as const }] }
 * const entry = Inbound.orUnsupported({ kind: "reactionAdded", ...base, platformId: "9", from, emoji: "" }, raw)
 * assert.equal(entry.kind, "unsupported")
 * ```
 */
export const orUnsupported = (entry: Entry, raw: unknown): Entry => {
  if (valid.has(entry)) return entry
  const parsed = Entry.safeParse(entry)
  if (parsed.success) {
    valid.add(entry)
    return entry
  }
  const [issue] = parsed.error.issues
  const { account, entryId, occurredAtMs } = entry
  return {
    kind: "unsupported",
    account: bounded(account, 512),
    entryId: bounded(entryId === "" ? JSON.stringify(raw) : entryId, 998),
    occurredAtMs: Number.isSafeInteger(occurredAtMs) ? occurredAtMs : 0,
    reason: `${entry.kind}: ${issue?.path.join(".") ?? ""}: ${issue?.message ?? ""}`.slice(0, 2000),
    raw: raw ?? null
  }
}
