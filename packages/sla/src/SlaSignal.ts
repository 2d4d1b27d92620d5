/**
 * What happens in a conversation, as far as promises are concerned.
 *
 * @module
 */
import * as z from "zod"
import { type DecodeError, decode as decodeWith } from "./DecodeError.ts"
import { Facts } from "./Facts.ts"
import type { Result } from "./Result.ts"

/**
 * The kinds of signals, by what happened.
 *
 * **Shape** The application maps its own events onto these; a kind it never sends costs nothing.
 */
export const kinds = {
  /** The conversation began. */
  opened: "the conversation was opened",
  /** The contact wrote; a call or a form that asks for an answer counts too. */
  contactMessage: "the contact wrote",
  /** An agent answered where the contact sees it; an internal note is no reply. */
  agentReply: "an agent replied",
  /** A bot answered where the contact sees it. */
  botReply: "a bot replied",
  /** A bot took control of the conversation. */
  botTookOver: "a bot had control",
  /** The bot gave control up, to an agent or to the queue. */
  handedOff: "the bot handed off",
  /** The team waits for the contact. */
  pending: "pending",
  /** Set aside until a time or the next message. */
  snoozed: "snoozed",
  /** Somebody must act again, after pending or snoozed. */
  resumed: "the conversation was open again",
  resolved: "the conversation was resolved",
  reopened: "the conversation was reopened",
  closed: "the conversation was closed",
  /** The conversation's work began to wait for an agent. */
  queued: "the work was queued",
  /** The work was offered to an agent. */
  offered: "the work was offered",
  /** An agent took the work. */
  accepted: "an agent accepted the work",
  /** Priority, channel, tags or attributes are different now. */
  factsChanged: "the facts changed"
} as const

/** The name of a signal: a key of {@link kinds}. */
export type Kind = keyof typeof kinds

/** Reads a {@link Kind}. */
export const Kind: z.ZodType<Kind> = z.enum(Object.keys(kinds) as [Kind, ...Array<Kind>])

/**
 * One thing that happened.
 *
 * **Units** `at` is in milliseconds since 1970-01-01 UTC.
 *
 * **Gotchas** Several signals may come from one event: a reply that also sets the conversation pending is an
 * `agentReply` and then a `pending` of the same instant.
 */
export type SlaSignal =
  | { readonly kind: Exclude<Kind, "factsChanged">; readonly at: number }
  | {
      readonly kind: "factsChanged"
      readonly at: number
      /** What is different; fields that are absent stay, `attributes` and `tags` are replaced whole. */
      readonly facts: Facts
    }

/** Reads an {@link SlaSignal}. */
export const SlaSignal: z.ZodType<SlaSignal> = z.union(
  [
    z.strictObject({ kind: z.literal("factsChanged"), at: z.number(), facts: Facts }),
    z.strictObject({
      kind: Kind.refine((kind): kind is Exclude<Kind, "factsChanged"> => kind !== "factsChanged"),
      at: z.number()
    })
  ],
  { error: `expected { kind, at }, with facts for "factsChanged"` }
)

/** The signal that unknown data holds, or what is wrong with it. */
export const decode = (input: unknown): Result<SlaSignal, DecodeError> => decodeWith("signal", SlaSignal, input)
