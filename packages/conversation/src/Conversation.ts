/**
 * The durable exchange about one matter, possibly over several channels: its document, status and control.
 *
 * @module
 */
import * as z from "zod"
import { Attributes } from "./Contact.ts"
import { AgentId, BotId, ContactId, ConversationId, MessageId, TeamId } from "./Id.ts"
import { Participant } from "./Participant.ts"
import { personal } from "./Personal.ts"
import { Thread } from "./Thread.ts"

/**
 * `open`: someone must act. `pending`: waiting for the contact. `snoozed`: until a time or the next message. `resolved`:
 * done, a message opens it again. `closed`: done for good; people's commands are refused.
 */
export const Status = z.enum(["open", "pending", "snoozed", "resolved", "closed"])
export type Status = z.infer<typeof Status>

/** How urgent a conversation is. */
export const Priority = z.enum(["low", "normal", "high", "urgent"])
export type Priority = z.infer<typeof Priority>

/** Who may answer the contact now. */
export const Holder = z.discriminatedUnion("kind", [
  z.object({ kind: z.literal("bot"), id: BotId }),
  z.object({ kind: z.literal("agent"), id: AgentId }),
  z.object({ kind: z.literal("nobody") })
])
export type Holder = z.infer<typeof Holder>

/** Who holds a conversation, and the fencing number that rises at every change: a command naming an older one is refused. */
export const Control = z.object({ holder: Holder, fence: z.number().int().nonnegative() })
export type Control = z.infer<typeof Control>

/** What a conversation waits for when nobody holds it: data for the router. */
export const Wanted = z.object({
  teamId: TeamId.optional(),
  agentId: AgentId.optional(),
  skills: z.record(z.string().min(1).max(64), z.number().int().min(1).max(5)).optional(),
  languages: z.array(z.string().max(35)).max(10).optional()
})
export type Wanted = z.infer<typeof Wanted>

/** A tie to another conversation. */
export const Link = z.object({
  kind: z.enum(["related", "followUpOf", "followedUpBy", "mergedFrom"]),
  conversationId: ConversationId
})
export type Link = z.infer<typeof Link>

/** Why what was said is removed: it has been kept for as long as it may be (`retention`), or somebody asked (`request`). */
export const ErasureReason = z.enum(["retention", "request"])
export type ErasureReason = z.infer<typeof ErasureReason>

/** How much of each thing a conversation holds (`reactions`: one message): its document never grows beyond. */
export const limits = { tags: 50, threads: 50, links: 50, participants: 100, attributes: 100, reactions: 200 } as const

/** Names a matter, such as `refund`; at most 64 characters. */
export const Tag = z.string().min(1).max(64)

/**
 * A conversation as it stands. It never grows with its messages, which are documents of their own.
 *
 * **Shape** `version` is its stream's. `waitingSinceMs` is when the contact's oldest unanswered message came.
 * `cycle` counts how often it was opened (from 1). `preview` is the beginning of the message `lastMessageId`, the last one
 * to or from the contact. `statusBeforeMerge` is what an undone merge goes back to. `contentErasedAtMs` is when what was
 * said in it was asked to be removed.
 */
export const Conversation = z.object({
  id: ConversationId,
  version: z.number().int().nonnegative(),
  contactId: ContactId,
  subject: personal(z.string().max(998), "").optional(),
  status: Status,
  snoozedUntilMs: z.number().int().optional(),
  control: Control,
  wanted: Wanted.optional(),
  handoffSummary: personal(z.string().max(10_000), "").optional(),
  priority: Priority,
  tags: z.array(Tag).max(limits.tags),
  attributes: personal(Attributes, {}),
  language: z.string().max(35).optional(),
  participants: personal(z.array(Participant).max(limits.participants), []),
  threads: z.array(Thread).max(limits.threads),
  links: z.array(Link).max(limits.links),
  mergedInto: ConversationId.optional(),
  statusBeforeMerge: Status.optional(),
  cycle: z.number().int().positive(),
  messageCount: z.number().int().nonnegative(),
  unreadCount: z.number().int().nonnegative(),
  lastMessageId: MessageId.optional(),
  preview: personal(z.string().max(200), ""),
  openedAtMs: z.number().int(),
  updatedAtMs: z.number().int(),
  lastInboundAtMs: z.number().int().optional(),
  lastOutboundAtMs: z.number().int().optional(),
  waitingSinceMs: z.number().int().optional(),
  resolvedAtMs: z.number().int().optional(),
  closedAtMs: z.number().int().optional(),
  contentErasedAtMs: z.number().int().optional()
})
export type Conversation = z.infer<typeof Conversation>

/**
 * Whether somebody may still have to act on it.
 *
 * **Example**
 *
 * ```ts
 * import { strict as assert } from "node:assert"
 * import { Conversation } from "@switchboard/conversation"
 *
 * assert(Conversation.isActive({ status: "snoozed" }))
 * assert(!Conversation.isActive({ status: "resolved" }))
 * ```
 */
export const isActive = (conversation: Pick<Conversation, "status">): boolean =>
  conversation.status === "open" || conversation.status === "pending" || conversation.status === "snoozed"

/** Whether two holders are the same. */
export const isSameHolder = (a: Holder, b: Holder): boolean =>
  a.kind === "nobody" ? b.kind === "nobody" : a.kind === b.kind && a.id === (b as { readonly id: string }).id
