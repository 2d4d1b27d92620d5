/**
 * Identifiers, each with a brand of its own, so that a contact's id can't stand where a conversation's is expected.
 *
 * **Shape** 1 to 128 characters, chosen by the handler that stamps a command; unique within a workspace.
 *
 * **Example**
 *
 * ```ts
 * import { strict as assert } from "node:assert"
 * import { Id } from "@switchboard/conversation"
 *
 * const contact: Id.ContactId = Id.ContactId.parse("contact-1")
 * assert.equal(contact, "contact-1")
 * assert.equal(Id.ContactId.safeParse("").success, false)
 * ```
 *
 * @module
 */
import * as z from "zod"

const text = () => z.string().min(1).max(128)

/** One tenant; everything belongs to exactly one. */
export const WorkspaceId = text().brand<"WorkspaceId">()
export type WorkspaceId = z.infer<typeof WorkspaceId>

/** An outside person. */
export const ContactId = text().brand<"ContactId">()
export type ContactId = z.infer<typeof ContactId>

/** A durable exchange about one matter. */
export const ConversationId = text().brand<"ConversationId">()
export type ConversationId = z.infer<typeof ConversationId>

/** A conversation's part on one channel account. */
export const ThreadId = text().brand<"ThreadId">()
export type ThreadId = z.infer<typeof ThreadId>

/** One utterance. */
export const MessageId = text().brand<"MessageId">()
export type MessageId = z.infer<typeof MessageId>

/** What became of one message towards one recipient. */
export const DeliveryId = text().brand<"DeliveryId">()
export type DeliveryId = z.infer<typeof DeliveryId>

/** A file in a message. */
export const AttachmentId = text().brand<"AttachmentId">()
export type AttachmentId = z.infer<typeof AttachmentId>

/** A human who accepts work. */
export const AgentId = text().brand<"AgentId">()
export type AgentId = z.infer<typeof AgentId>

/** A group of agents. */
export const TeamId = text().brand<"TeamId">()
export type TeamId = z.infer<typeof TeamId>

/** A program that answers contacts. */
export const BotId = text().brand<"BotId">()
export type BotId = z.infer<typeof BotId>

/** One connected address on a channel, such as `support@example.com` or one WhatsApp number. */
export const ChannelAccountId = text().brand<"ChannelAccountId">()
export type ChannelAccountId = z.infer<typeof ChannelAccountId>

/** A client's name for one command; a repeat returns the first answer. */
export const CommandId = text().brand<"CommandId">()
export type CommandId = z.infer<typeof CommandId>
