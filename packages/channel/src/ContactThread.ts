/**
 * What a contact's own client reads of its thread, on channels that declare `contactReads`.
 *
 * A client asks once and gets a {@link ThreadPage}, or asks `live` and gets a stream of server-sent events:
 *
 * - `message`: a {@link ThreadMessage} the client has not seen; the event's `id` is its `sequence`.
 * - `update`: a {@link ThreadMessage} as it stands now, after an edit, a deletion or a new delivery state. No `id`.
 * - `typing`: a {@link ThreadTyping}. No `id`, never stored.
 * - a comment every {@link heartbeatMs}, so that both sides notice a dead connection.
 *
 * A live answer begins with every message after the sequence asked for, so that nothing falls between two answers.
 *
 * @module
 */
import { Attachment, Delivery, Id, Message } from "@switchboard/conversation"
import * as z from "zod"

/** How often a live answer says that it is still there. **Units** milliseconds. */
export const heartbeatMs = 15_000

/**
 * A file, as the contact may see it.
 *
 * **Shape** `url` is where its bytes are, absolute or relative to the desk; absent while they are being fetched.
 *
 * **Gotchas** `url` is followed as a plain link, without the client's credentials: it must carry its own.
 */
export const ThreadAttachment = Attachment.Attachment.pick({
  id: true,
  name: true,
  mediaType: true,
  sizeBytes: true
}).extend({ url: z.string().max(4096).optional() })
export type ThreadAttachment = z.infer<typeof ThreadAttachment>

/**
 * One message, as the contact may see it.
 *
 * **Shape** `sequence` rises along everything read under one thread key, also where the thread goes on in a follow-up
 * conversation; gaps are allowed. `clientId` is the id that the contact's client gave its own message, or
 * `action:` and the id of the entry by which it chose an option.
 * `delivery` is how far an outgoing message came. A deleted message has `deletedAtMs` and no parts.
 *
 * **Units** times in epoch milliseconds.
 */
export const ThreadMessage = z.object({
  id: Id.MessageId,
  sequence: z.number().int().positive(),
  direction: z.enum(["in", "out"]),
  authorKind: z.enum(["contact", "agent", "bot", "system"]),
  authorName: z.string().max(256).optional(),
  parts: z.array(Message.MessagePart).max(100),
  attachments: z.array(ThreadAttachment).max(100),
  sentAtMs: z.number().int(),
  editedAtMs: z.number().int().optional(),
  deletedAtMs: z.number().int().optional(),
  clientId: z.string().max(998).optional(),
  delivery: Delivery.DeliveryState.optional()
})
export type ThreadMessage = z.infer<typeof ThreadMessage>

/**
 * Messages after a sequence, in order.
 *
 * **Shape** `head` is the highest sequence there is, 0 when there is none: a client whose last message is below it asks
 * again. `expected` says in words when an answer can be expected.
 *
 * **Example**
 *
 * ```ts
 * import { strict as assert } from "node:assert"
 * import { ContactThread } from "@switchboard/channel"
 *
 * const page = ContactThread.ThreadPage.parse({ messages: [], head: 0, expected: "We answer within an hour" })
 * assert.equal(page.head, 0)
 * ```
 */
export const ThreadPage = z.object({
  messages: z.array(ThreadMessage),
  head: z.number().int().nonnegative(),
  expected: z.string().max(512).optional()
})
export type ThreadPage = z.infer<typeof ThreadPage>

/** Somebody began to type, or stopped. */
export const ThreadTyping = z.object({ typing: z.boolean(), authorName: z.string().max(256).optional() })
export type ThreadTyping = z.infer<typeof ThreadTyping>
