/**
 * What a channel can do, as declared data. Core reads capabilities and never a platform's name.
 *
 * @module
 */
import { Thread } from "@switchboard/conversation"
import * as z from "zod"

/** The kinds of outbound a channel can take. `message` is always among them. */
export const OutboundKind = z.enum(["message", "edit", "delete", "reaction", "typing", "read"])
export type OutboundKind = z.infer<typeof OutboundKind>

/** How a text may be formatted. */
export const TextFormat = z.enum(["plain", "markdown", "html"])
export type TextFormat = z.infer<typeof TextFormat>

/**
 * The declaration.
 *
 * **Units** `text.limit` and `choices.labelLimit` in UTF-16 code units, sizes in bytes, `messagingWindowMs` in
 * milliseconds after the contact's last message.
 */
export const Capabilities = z.strictObject({
  /** How input reaches us: `webhook` posts to us; `listen` means the channel itself waits (a socket, a mailbox, an SMTP server). */
  transports: z.array(z.enum(["webhook", "listen"])).min(1),
  outbound: z.array(OutboundKind).min(1),
  text: z.strictObject({ limit: z.number().int().positive(), formats: z.array(TextFormat).min(1) }),
  /**
   * `types` are media types, `image/*` and `*\/*` allowed. `captionLimit` 0: no captions. `perMessage` attachments fit
   * in one message. `withText`: a message holds its text and its attachments together, as a mail does.
   */
  media: z
    .strictObject({
      types: z.array(z.string()).min(1),
      limitBytes: z.number().int().positive(),
      perMessage: z.number().int().positive(),
      captionLimit: z.number().int().nonnegative(),
      withText: z.boolean().optional()
    })
    .nullable(),
  /** Buttons. `null`: options are numbered in the text. */
  choices: z
    .strictObject({
      limit: z.number().int().positive(),
      labelLimit: z.number().int().positive(),
      urls: z.boolean()
    })
    .nullable(),
  templates: z.boolean(),
  locations: z.boolean(),
  contactCards: z.boolean(),
  /** A message can quote an earlier one. */
  replies: z.boolean(),
  /** Delivery states the platform reports after `sent`. */
  receipts: z.array(z.enum(["delivered", "read"])),
  /** `dialog`: one lasting exchange per contact. `topic`: a contact can have many, told apart by key. */
  threads: z.enum(["dialog", "topic"]),
  audiences: z.array(Thread.Audience).min(1),
  /** After this time only templates may be sent, or nothing when there are none. `null`: no limit. */
  messagingWindowMs: z.number().int().positive().nullable(),
  /** Who may start an exchange. */
  starts: z.enum(["contact", "either"]),
  /** The platform takes an idempotency key: a repeated send is not a second message. */
  idempotentSend: z.boolean(),
  /** There is no platform that delivers: the contact's client reads the thread from the desk. */
  contactReads: z.boolean()
})
export type Capabilities = z.infer<typeof Capabilities>
