/**
 * The points in a conversation's life that can be measured.
 *
 * @module
 */
import type { Dimensions } from "./Dimensions.ts"

/**
 * The moments a fold recognises, by what can be measured at them.
 *
 * **Shape** `duration` moments end a stretch of time, `share` moments settle a yes or no, `count` moments only happen;
 * each of them can be counted. A measure names one moment.
 */
export const kinds = {
  /** The first agent reply of a conversation that ends a wait; measured from the start of that wait. */
  firstReply: "duration",
  /** An agent reply that ends a wait; measured from its start. */
  reply: "duration",
  /** A bot reply, while the bot has control, that ends a wait; measured from its start. */
  botReply: "duration",
  /** A wait was ended by resolving, closing or the contact leaving, with no reply; measured from its start. */
  unanswered: "duration",
  /** An open conversation was resolved; measured from its opening or latest reopening. */
  resolved: "duration",
  /** A conversation began. */
  opened: "count",
  /** A resolved conversation came back. */
  reopened: "count",
  /** The first agent reply of a conversation. */
  handled: "count",
  /** The contact wrote. */
  messageReceived: "count",
  /** An agent or a bot wrote to the contact. */
  messageSent: "count",
  /** Work was proposed to an agent. */
  offerMade: "count",
  /** The agent took it. */
  offerAccepted: "count",
  /** The agent refused it. */
  offerDeclined: "count",
  /** The agent let it lapse. */
  offerExpired: "count",
  /** An offer came to its end; yes when accepted. */
  offerEnded: "share",
  /** An SLA target came to its end; yes when breached. */
  slaCompleted: "share",
  /** The first end of a conversation in which a bot took part; yes when resolved without an agent. */
  botEnded: "share"
} as const

/** The name of a moment: a key of {@link kinds}. */
export type MomentName = keyof typeof kinds

/**
 * One such moment, as the fold saw it.
 *
 * **Units** `at` and `sinceMs` are milliseconds since 1970-01-01 UTC; `sinceMs` is set on `duration` moments, `yes` on
 * `share` moments.
 */
export interface Moment {
  readonly name: MomentName
  readonly at: number
  readonly sinceMs?: number
  readonly yes?: boolean
  readonly dimensions: Dimensions
}
