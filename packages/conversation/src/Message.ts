/**
 * One utterance: its parts, its author and what became of it.
 *
 * @module
 */
import * as z from "zod"
import { Actor } from "./Actor.ts"
import { Attachment } from "./Attachment.ts"
import { Deliveries } from "./Delivery.ts"
import { AgentId, AttachmentId, ConversationId, MessageId, TeamId, ThreadId } from "./Id.ts"
import { personal } from "./Personal.ts"

/** Running text. `markdown` is CommonMark without HTML. */
export const TextPart = z.object({
  kind: z.literal("text"),
  text: z.string().max(200_000),
  format: z.enum(["plain", "markdown"])
})
export type TextPart = z.infer<typeof TextPart>

/** Text that came as HTML: `html` is sanitised for showing, `text` is what was read and is what is searched and quoted. */
export const HtmlPart = z.object({
  kind: z.literal("html"),
  html: z.string().max(1_000_000),
  text: z.string().max(200_000)
})
export type HtmlPart = z.infer<typeof HtmlPart>

/** A file of the message's `attachments`, at this place. */
export const AttachmentPart = z.object({
  kind: z.literal("attachment"),
  attachmentId: AttachmentId,
  caption: z.string().max(4096).optional()
})
export type AttachmentPart = z.infer<typeof AttachmentPart>

/** A place. Degrees, WGS 84. */
export const LocationPart = z.object({
  kind: z.literal("location"),
  latitude: z.number().min(-90).max(90),
  longitude: z.number().min(-180).max(180),
  name: z.string().max(512).optional(),
  address: z.string().max(1024).optional()
})
export type LocationPart = z.infer<typeof LocationPart>

/** Somebody's contact data, shared as a card. */
export const ContactCardPart = z.object({
  kind: z.literal("contactCard"),
  name: z.string().max(512),
  phones: z.array(z.string().max(64)).max(20),
  emails: z.array(z.string().max(320)).max(20)
})
export type ContactCardPart = z.infer<typeof ContactCardPart>

/** Options to choose from; a channel shows buttons where it has them and numbers where not. `url` opens a page instead of answering. */
export const ChoicesPart = z.object({
  kind: z.literal("choices"),
  text: z.string().max(4096),
  options: z
    .array(z.object({ id: z.string().min(1).max(256), label: z.string().min(1).max(256), url: z.url().optional() }))
    .min(1)
    .max(30)
})
export type ChoicesPart = z.infer<typeof ChoicesPart>

/** An option the contact chose. `of` is the message that offered it, when the platform says so. */
export const ChoicePart = z.object({
  kind: z.literal("choice"),
  id: z.string().min(1).max(256),
  label: z.string().max(256),
  of: MessageId.optional()
})
export type ChoicePart = z.infer<typeof ChoicePart>

/** A message approved beforehand on a platform, by name. */
export const TemplatePart = z.object({
  kind: z.literal("template"),
  name: z.string().min(1).max(512),
  language: z.string().min(2).max(35),
  parameters: z.array(z.string().max(4096)).max(50)
})
export type TemplatePart = z.infer<typeof TemplatePart>

/** Something the platform sent that has no other part; `description` says what, for people. */
export const UnsupportedPart = z.object({
  kind: z.literal("unsupported"),
  description: z.string().max(1000)
})
export type UnsupportedPart = z.infer<typeof UnsupportedPart>

/** A piece of a message. */
export const MessagePart = z.discriminatedUnion("kind", [
  TextPart,
  HtmlPart,
  AttachmentPart,
  LocationPart,
  ContactCardPart,
  ChoicesPart,
  ChoicePart,
  TemplatePart,
  UnsupportedPart
])
export type MessagePart = z.infer<typeof MessagePart>

/** Why a message is sent: offers go only to those who consented. */
export const Purpose = z.enum(["service", "marketing", "survey"])
export type Purpose = z.infer<typeof Purpose>

/** Somebody a note calls for. */
export const Mention = z.discriminatedUnion("kind", [
  z.object({ kind: z.literal("agent"), id: AgentId }),
  z.object({ kind: z.literal("team"), id: TeamId })
])
export type Mention = z.infer<typeof Mention>

/** A reaction to a message: one emoji by one actor. */
export const Reaction = z.object({ emoji: z.string().min(1).max(64), by: Actor, atMs: z.number().int() })
export type Reaction = z.infer<typeof Reaction>

/**
 * A message as it stands.
 *
 * **Shape** `sequence` counts from 1 within its conversation. `direction`: `in` from the contact, `out` to them, `note`
 * for colleagues only. `origin`: `platform` (came in), `desk` (written here), `echo` (sent by the business outside the
 * desk). `sentAtMs` is the author's or platform's time, `recordedAtMs` ours. A deleted message keeps its place and loses
 * its words.
 */
export const Message = z.object({
  id: MessageId,
  conversationId: ConversationId,
  threadId: ThreadId,
  sequence: z.number().int().positive(),
  direction: z.enum(["in", "out", "note"]),
  origin: z.enum(["platform", "desk", "echo"]),
  author: Actor,
  purpose: Purpose,
  parts: personal(z.array(MessagePart).max(100), []),
  attachments: personal(z.array(Attachment).max(100), []),
  mentions: z.array(Mention).max(50).optional(),
  replyTo: MessageId.optional(),
  platformId: personal(z.string().max(998), undefined).optional(),
  automatic: z.boolean().optional(),
  sentAtMs: z.number().int(),
  recordedAtMs: z.number().int(),
  editedAtMs: z.number().int().optional(),
  deletedAtMs: z.number().int().optional(),
  reactions: z.array(Reaction).max(200),
  deliveries: Deliveries
})
export type Message = z.infer<typeof Message>

/** A text part. */
export const text = (value: string): TextPart => ({ kind: "text", text: value, format: "plain" })

/**
 * What a message says, as plain text: for previews, search and quoting.
 *
 * **Example**
 *
 * ```ts
 * import { strict as assert } from "node:assert"
 * import { Message } from "@switchboard/conversation"
 *
 * const parts: ReadonlyArray<Message.MessagePart> = [
 *   Message.text("We found two payments."),
 *   { kind: "choices", text: "Refund which?", options: [{ id: "1", label: "The first" }] }
 * ]
 * assert.equal(Message.toText(parts), "We found two payments.\nRefund which?")
 * ```
 */
export const toText = (parts: ReadonlyArray<MessagePart>): string =>
  parts
    .map((part) => {
      switch (part.kind) {
        case "text":
        case "html":
        case "choices":
          return part.text
        case "attachment":
          return part.caption ?? ""
        case "location":
          return part.name ?? `${part.latitude}, ${part.longitude}`
        case "contactCard":
          return part.name
        case "choice":
          return part.label
        case "template":
          return [part.name, ...part.parameters].join(" ")
        case "unsupported":
          return part.description
      }
    })
    .filter((line) => line !== "")
    .join("\n")
