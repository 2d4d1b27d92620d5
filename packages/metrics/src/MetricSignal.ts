/**
 * What happened, said in plain data: the only input of this package.
 *
 * @module
 */
import { z } from "zod"
import * as Dimensions from "./Dimensions.ts"
import { decodeWith } from "./internal/decode.ts"
import type { Result } from "./Result.ts"

/**
 * Who steers a conversation: the bot, an agent, or nobody yet.
 */
export type Control = "bot" | "agent" | "nobody"

/**
 * The part every signal has.
 *
 * **Units** `at` is milliseconds since 1970-01-01 UTC, a whole number up to the year 9999.
 *
 * **Gotchas** `dimensions` are those at `at`, not today's: they are what the number is attributed to, for ever.
 */
export interface SignalFacts {
  /** When it happened. */
  readonly at: number
  /** The conversation it happened to. */
  readonly conversationId: string
  /** What was true of the conversation then. */
  readonly dimensions: Dimensions.Dimensions
}

/**
 * Something that happened to a conversation and that a measure may count.
 *
 * **Shape** `kind` says what:
 * - `opened` the conversation began · `resolved` its matter was settled · `reopened` it came back after that ·
 *   `closed` it ended for good · `abandoned` the contact left (it
 *   counts only while they were waiting)
 * - `contactMessage` the contact wrote · `agentReply` a person wrote to the contact · `botReply` a bot wrote to the
 *   contact (notes and messages to colleagues are no replies)
 * - `controlChanged` the steering moved `to` the bot, an agent or nobody
 * - `slaCompleted` a promised `target` came to its end, `breached` or kept
 * - `offerMade`, `offerAccepted`, `offerDeclined`, `offerExpired` work was proposed to the agent in `dimensions.agentId`
 *
 * **Gotchas** signals of one conversation are given in the order of its journal, each once.
 */
export type MetricSignal = SignalFacts &
  (
    | {
        readonly kind:
          | "opened"
          | "contactMessage"
          | "agentReply"
          | "botReply"
          | "resolved"
          | "reopened"
          | "closed"
          | "abandoned"
          | "offerMade"
          | "offerAccepted"
          | "offerDeclined"
          | "offerExpired"
      }
    | { readonly kind: "controlChanged"; readonly to: Control }
    | { readonly kind: "slaCompleted"; readonly target: string; readonly breached: boolean }
  )

const lastMs = 253_402_300_799_999

const facts = {
  at: z.int().min(0).max(lastMs),
  conversationId: z.string().min(1),
  dimensions: Dimensions.schema
}

/** The Zod schema of {@link MetricSignal}. */
export const schema: z.ZodType<MetricSignal> = z.discriminatedUnion("kind", [
  z.strictObject({
    ...facts,
    kind: z.enum([
      "opened",
      "contactMessage",
      "agentReply",
      "botReply",
      "resolved",
      "reopened",
      "closed",
      "abandoned",
      "offerMade",
      "offerAccepted",
      "offerDeclined",
      "offerExpired"
    ])
  }),
  z.strictObject({ ...facts, kind: z.literal("controlChanged"), to: z.enum(["bot", "agent", "nobody"]) }),
  z.strictObject({
    ...facts,
    kind: z.literal("slaCompleted"),
    target: z.string().min(1),
    breached: z.boolean()
  })
])

/** Data that is no signal: `path` names the first field that is wrong. */
export interface MetricSignalError {
  readonly code: "MetricSignalInvalid"
  readonly path: string
  readonly message: string
}

/**
 * Reads a signal that came from outside the program.
 *
 * **Fails with** {@link MetricSignalError}.
 *
 * **Example**
 * ```ts
 * import { strict as assert } from "node:assert"
 * import { MetricSignal } from "@switchboard/metrics"
 *
 * const read = MetricSignal.decode({ kind: "opened", at: -1, conversationId: "c1", dimensions: {} })
 * assert.equal(read.ok ? "" : read.error.path, "at")
 * ```
 */
export const decode = (input: unknown): Result<MetricSignal, MetricSignalError> =>
  decodeWith(schema, "MetricSignalInvalid", "a metric signal", input)
