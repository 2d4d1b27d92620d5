/**
 * The part of a conversation on one channel account, with an audience.
 *
 * @module
 */
import * as z from "zod"
import { Recipient } from "./Delivery.ts"
import { ChannelAccountId, ThreadId } from "./Id.ts"
import { personal } from "./Personal.ts"

/** The name of a medium, such as `email`: what a channel declares as its kind. */
export const ChannelKind = z
  .string()
  .regex(/^[a-z][a-z0-9-]{0,39}$/, "a channel kind is lower case, such as email or webchat")
export type ChannelKind = z.infer<typeof ChannelKind>

/** Who can read a thread: everybody, its participants, or colleagues only. */
export const Audience = z.enum(["public", "private", "internal"])
export type Audience = z.infer<typeof Audience>

/**
 * A thread as it stands.
 *
 * **Shape** `key` is what the channel calls the exchange (a chat id, the first Message-ID): with the account it finds
 * the thread again; it may be a phone number. `recipients` are whom a reply goes to. `rootPost` is the post that comments hang from.
 * `lastInboundAtMs` is when the contact last wrote here, which opens a platform's messaging window.
 *
 * **Units** Milliseconds since 1970-01-01 UTC, by our time and not the platform's.
 */
export const Thread = z.object({
  id: ThreadId,
  channelKind: ChannelKind,
  accountId: ChannelAccountId,
  audience: Audience,
  key: personal(z.string().min(1).max(998), "erased"),
  recipients: personal(z.array(Recipient).max(100), []),
  subject: personal(z.string().max(998), "").optional(),
  rootPost: z.string().max(512).optional(),
  openedAtMs: z.number().int(),
  lastInboundAtMs: z.number().int().optional()
})
export type Thread = z.infer<typeof Thread>

/** The id of the internal thread that holds a conversation's notes. */
export const notes: ThreadId = ThreadId.parse("notes")
