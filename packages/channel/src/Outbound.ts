/**
 * What a channel is asked to send, and what it answers.
 *
 * @module
 */
import type { Attachment, Delivery, Id, Message, Thread } from "@switchboard/conversation"
import type { ChannelAccount } from "./ChannelAccount.ts"
import type { RenderedMessage } from "./Rendering.ts"

interface OutboundBase {
  readonly account: ChannelAccount
  readonly thread: Thread.Thread
}

/** A message, already rendered to the channel's capabilities; several `messages` when it had to be split. */
export interface OutboundMessage extends OutboundBase {
  readonly kind: "message"
  readonly conversationId: Id.ConversationId
  readonly messageId: Id.MessageId
  readonly deliveryId: Id.DeliveryId
  readonly recipient: Delivery.Recipient
  readonly purpose: Message.Purpose
  readonly messages: ReadonlyArray<RenderedMessage>
  /** How many of `messages` an earlier attempt already got accepted: start after them. */
  readonly alreadySent: number
  /** Platform ids of the thread's earlier messages, oldest first, at most 50. */
  readonly references: ReadonlyArray<string>
  readonly replyToPlatformId?: string
  /** Others who should get a copy, where the medium has that. */
  readonly cc: ReadonlyArray<Delivery.Recipient>
  readonly authorName?: string
  /** Written by a program: marked as such where the medium can, so that no loop of programs starts. */
  readonly automatic: boolean
}

/** A new text for a message already sent. */
export interface OutboundEdit extends OutboundBase {
  readonly kind: "edit"
  readonly platformIds: ReadonlyArray<string>
  readonly messages: ReadonlyArray<RenderedMessage>
  readonly recipient: Delivery.Recipient
}

/** Takes a sent message back. */
export interface OutboundDelete extends OutboundBase {
  readonly kind: "delete"
  readonly platformIds: ReadonlyArray<string>
  readonly recipient: Delivery.Recipient
}

/** A reaction to a message of the contact; `null` takes ours back. */
export interface OutboundReaction extends OutboundBase {
  readonly kind: "reaction"
  readonly platformId: string
  readonly emoji: string | null
  readonly recipient: Delivery.Recipient
}

/** Somebody is typing. */
export interface OutboundTyping extends OutboundBase {
  readonly kind: "typing"
  readonly recipient: Delivery.Recipient
  /** The contact's last message, for platforms that need it. */
  readonly platformId?: string
}

/** The contact's message was read here. */
export interface OutboundRead extends OutboundBase {
  readonly kind: "read"
  readonly platformId: string
  readonly recipient: Delivery.Recipient
}

/** Everything a channel may be asked to send. */
export type Outbound =
  | OutboundMessage
  | OutboundEdit
  | OutboundDelete
  | OutboundReaction
  | OutboundTyping
  | OutboundRead

/** What a call to the platform is given beside its subject. */
export interface CallContext {
  /** The same for every attempt at the same thing. */
  readonly idempotencyKey: string
  /** From 1. */
  readonly attempt: number
  readonly nowMs: number
  /** Aborted when the time for the call is over. */
  readonly signal: AbortSignal
  /** Reads a stored attachment's bytes. */
  readonly readAttachment: (attachment: Attachment.Attachment) => Promise<Uint8Array>
}

/**
 * What a platform said.
 *
 * - `accepted`: `platformIds` are its names for the message, in the order of `messages`.
 * - `refused`: it will not take this, ever; not retried.
 * - `unavailable`: it would not take it now (429, 5xx); nothing was sent beyond `platformIds`; retried, not before `retryAfterMs`.
 * - `unknown`: the call broke after it may have been taken; a repeat may be a duplicate.
 */
export type SendResult =
  | { readonly outcome: "accepted"; readonly platformIds: ReadonlyArray<string> }
  | {
      readonly outcome: "refused"
      readonly code: string
      readonly message: string
      readonly platformIds?: ReadonlyArray<string>
    }
  | {
      readonly outcome: "unavailable"
      readonly code: string
      readonly message: string
      readonly retryAfterMs?: number
      readonly platformIds?: ReadonlyArray<string>
    }
  | {
      readonly outcome: "unknown"
      readonly code: string
      readonly message: string
      readonly platformIds?: ReadonlyArray<string>
    }

/** The bytes behind a reference, or why there are none. */
export type FetchResult =
  | {
      readonly outcome: "fetched"
      readonly bytes: Uint8Array | AsyncIterable<Uint8Array>
      readonly mediaType: string
      readonly name?: string
    }
  | { readonly outcome: "refused"; readonly code: string; readonly message: string }
  | { readonly outcome: "unavailable"; readonly code: string; readonly message: string; readonly retryAfterMs?: number }
