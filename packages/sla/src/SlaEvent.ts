/**
 * What clocks report.
 *
 * @module
 */

/** Which measurement an event is about. */
export interface Subject {
  readonly target: string
  /** Counts the measurements of this target in the conversation, from 1. */
  readonly cycle: number
  /** The exact instant, in milliseconds since 1970-01-01 UTC, even when it was noticed later. */
  readonly at: number
  /** When the promise is due; `null` while the clock is paused or its calendar never opens again. */
  readonly dueAt: number | null
}

/**
 * What became of a clock.
 *
 * **Shape** `started`, `paused`, `resumed`, `rescheduled` (another duration or calendar), `restarted` (counted time set
 * back to nothing), `warned`, `escalated`, `breached`, `fulfilled`, `cancelled`, each with its {@link Subject}; and
 * `policyChanged` for the whole conversation.
 *
 * **Gotchas** `breached` comes once per cycle, and `fulfilled` comes after it when the answer is late: `breached: false`
 * on `fulfilled` is a promise kept.
 */
export type SlaEvent =
  | (Subject & {
      readonly kind: "started" | "paused" | "resumed" | "rescheduled" | "restarted" | "breached" | "cancelled"
    })
  | (Subject & {
      readonly kind: "warned"
      /** Which warning, such as `share:0.8`. */
      readonly warning: string
    })
  | (Subject & {
      readonly kind: "escalated"
      /** The id of the escalation in its target. */
      readonly escalation: string
    })
  | (Subject & {
      readonly kind: "fulfilled"
      readonly breached: boolean
      /** Time used, in the target's own time. */
      readonly countedMs: number
      readonly durationMs: number
    })
  | {
      readonly kind: "policyChanged"
      readonly at: number
      /** `null`: no policy applied, or applies. */
      readonly from: PolicyVersion | null
      readonly to: PolicyVersion | null
    }

/** One version of one policy. */
export interface PolicyVersion {
  readonly id: string
  readonly version: number
}
