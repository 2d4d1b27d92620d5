/**
 * Turns a conversation's signals into samples, one at a time, live or recomputed.
 *
 * @module
 */
import { z } from "zod"
import * as Dimensions from "./Dimensions.ts"
import type { Measure } from "./Measure.ts"
import * as Measures from "./Measures.ts"
import type { Control, MetricSignal } from "./MetricSignal.ts"
import type { Moment, MomentName } from "./Moment.ts"
import type { Sample } from "./Sample.ts"

/**
 * The version of {@link FoldState}: when a stored state carries another, fold the conversation again from its journal.
 */
export const version = 1

/**
 * What must be remembered of a conversation to measure it: one small JSON document that doesn't grow.
 *
 * **Units** every instant is milliseconds since 1970-01-01 UTC; `null` means there is none.
 */
export interface FoldState {
  readonly version: typeof version
  readonly conversationId: string
  readonly status: "open" | "resolved" | "closed"
  readonly control: Control
  /** When it opened or last came back. */
  readonly beganAt: number | null
  /** Since when the contact has waited for an answer. */
  readonly waitingSince: number | null
  /** When a bot first handed it to people. */
  readonly handedOffAt: number | null
  /** Whether an agent reply has ended a wait. */
  readonly answered: boolean
  /** Whether an agent has replied at all. */
  readonly handled: boolean
  readonly botTookPart: boolean
  readonly agentTookPart: boolean
  /** Whether the part of the bot has been judged. */
  readonly botEnded: boolean
  /** The dimensions of its latest signal, offers and SLA targets aside. */
  readonly dimensions: Dimensions.Dimensions
}

const instant = z.int().min(0).nullable()

/** The Zod schema of {@link FoldState}. */
export const stateSchema: z.ZodType<FoldState> = z.strictObject({
  version: z.literal(version),
  conversationId: z.string().min(1),
  status: z.enum(["open", "resolved", "closed"]),
  control: z.enum(["bot", "agent", "nobody"]),
  beganAt: instant,
  waitingSince: instant,
  handedOffAt: instant,
  answered: z.boolean(),
  handled: z.boolean(),
  botTookPart: z.boolean(),
  agentTookPart: z.boolean(),
  botEnded: z.boolean(),
  dimensions: Dimensions.schema
})

/** The state after a signal, the very same where nothing of it changed, and the samples the signal gave. */
export interface FoldStep {
  readonly state: FoldState
  readonly samples: ReadonlyArray<Sample>
}

type Draft = { -readonly [Key in keyof FoldState]: FoldState[Key] }

/**
 * Takes one signal of a conversation; `undefined` is the state before the first.
 *
 * **Shape** samples carry the time and dimensions of the signal, so a number belongs to the hour and the agent in which it
 * came about, whatever happens later. Without `measures`, the shipped ones are taken.
 *
 * **Gotchas** a conversation whose `opened` was never seen gives no resolution time, since its start isn't known.
 *
 * **Source** METRIC-1 to METRIC-16 in SPEC.md.
 *
 * **Example**
 * ```ts
 * import { strict as assert } from "node:assert"
 * import { Fold } from "@switchboard/metrics"
 *
 * const facts = { conversationId: "c1", dimensions: { channelKind: "chat", agentId: "a1" } }
 * const { state } = Fold.apply(undefined, { kind: "contactMessage", at: 1_000, ...facts })
 * const { samples } = Fold.apply(state, { kind: "agentReply", at: 61_000, ...facts })
 * assert.equal(samples.find((sample) => sample.measure === "reply-time")?.value, 60_000)
 * ```
 */
export const apply = (
  state: FoldState | undefined,
  signal: MetricSignal,
  measures: ReadonlyArray<Measure> = Measures.all
): FoldStep => {
  const moments: Array<Moment> = []
  const next = step(state ?? blank(signal.conversationId), signal, moments)
  const samples: Array<Sample> = []
  for (const moment of moments) {
    for (const measure of measures) {
      if (measure.moment !== moment.name) continue
      const value = toValue(measure, moment)
      if (value === undefined) continue
      samples.push({
        measure: measure.id,
        version: measure.version,
        unit: measure.unit,
        at: moment.at,
        value,
        conversationId: signal.conversationId,
        dimensions: Dimensions.pick(moment.dimensions, measure.dimensions)
      })
    }
  }
  return { state: next, samples }
}

/**
 * Takes many signals, of any number of conversations, as when numbers are recomputed from a journal.
 *
 * **Shape** `states` by conversation id, after the last signal; `samples` in the order in which they came about.
 */
export const applyAll = (
  states: ReadonlyMap<string, FoldState>,
  signals: Iterable<MetricSignal>,
  measures: ReadonlyArray<Measure> = Measures.all
): { readonly states: ReadonlyMap<string, FoldState>; readonly samples: ReadonlyArray<Sample> } => {
  const after = new Map(states)
  const samples: Array<Sample> = []
  for (const signal of signals) {
    const taken = apply(after.get(signal.conversationId), signal, measures)
    after.set(signal.conversationId, taken.state)
    for (const sample of taken.samples) samples.push(sample)
  }
  return { states: after, samples }
}

/**
 * A contact who waits for an answer, and for whose.
 *
 * **Units** `sinceMs` is milliseconds since 1970-01-01 UTC.
 */
export interface Wait {
  readonly conversationId: string
  readonly sinceMs: number
  readonly awaits: "bot" | "person"
  readonly dimensions: Dimensions.Dimensions
}

/**
 * The wait running in a conversation, if its contact waits.
 *
 * **Gotchas** answer times only know those who got an answer: show them beside `Report.toWaiting` over these waits.
 */
export const waiting = (state: FoldState): Wait | undefined =>
  state.waitingSince === null
    ? undefined
    : {
        conversationId: state.conversationId,
        sinceMs: state.waitingSince,
        awaits: state.control === "bot" ? "bot" : "person",
        dimensions: state.dimensions
      }

const blank = (conversationId: string): FoldState => ({
  version,
  conversationId,
  status: "open",
  control: "nobody",
  beganAt: null,
  waitingSince: null,
  handedOffAt: null,
  answered: false,
  handled: false,
  botTookPart: false,
  agentTookPart: false,
  botEnded: false,
  dimensions: {}
})

const step = (state: FoldState, signal: MetricSignal, moments: Array<Moment>): FoldState => {
  const { at, dimensions } = signal
  const happened = (
    name: MomentName,
    more: { sinceMs?: number; yes?: boolean } = {},
    extra?: Dimensions.Dimensions
  ) => {
    moments.push({ name, at, dimensions: extra === undefined ? dimensions : { ...dimensions, ...extra }, ...more })
  }

  // Offers name the agent asked, not the holder, and a target may complete long after: neither moves the conversation.
  switch (signal.kind) {
    case "slaCompleted":
      happened("slaCompleted", { yes: signal.breached }, { target: signal.target })
      return state
    case "offerMade":
      happened("offerMade")
      return state
    case "offerAccepted":
    case "offerDeclined":
    case "offerExpired":
      happened(signal.kind)
      happened("offerEnded", { yes: signal.kind === "offerAccepted" })
      return state
  }

  const next: Draft = { ...state, dimensions }
  const endWait = () => {
    // Control is often dropped by the very commit that resolves: such a wait lasted no time and was none.
    if (next.waitingSince !== null && next.waitingSince < at) happened("unanswered", { sinceMs: next.waitingSince })
    next.waitingSince = null
  }
  const endBot = (resolved: boolean) => {
    if (!next.botTookPart || next.botEnded) return
    const handedOff = next.handedOffAt !== null && next.handedOffAt < at
    happened("botEnded", { yes: resolved && !next.agentTookPart && !handedOff })
    next.botEnded = true
  }

  switch (signal.kind) {
    case "opened":
      if (next.beganAt !== null) break
      next.beganAt = at
      happened("opened")
      break
    case "contactMessage":
      happened("messageReceived")
      next.waitingSince ??= at
      break
    case "agentReply":
      happened("messageSent", {}, { author: "agent" })
      if (!next.handled) happened("handled")
      if (next.waitingSince !== null) {
        if (!next.answered) happened("firstReply", { sinceMs: next.waitingSince })
        happened("reply", { sinceMs: next.waitingSince })
        next.answered = true
      }
      next.waitingSince = null
      next.handled = true
      next.agentTookPart = true
      break
    case "botReply":
      happened("messageSent", {}, { author: "bot" })
      next.botTookPart = true
      // After a handoff the contact waits for a person: a last word of the bot doesn't end that.
      if (next.control === "bot" && next.waitingSince !== null) {
        happened("botReply", { sinceMs: next.waitingSince })
        next.waitingSince = null
      }
      break
    case "controlChanged":
      if (state.control === "bot" && signal.to !== "bot" && state.status === "open") {
        next.handedOffAt ??= at
        next.waitingSince ??= at
      }
      next.control = signal.to
      if (signal.to === "bot") next.botTookPart = true
      if (signal.to === "agent") next.agentTookPart = true
      break
    case "resolved":
      if (state.status !== "open") break
      happened("resolved", state.beganAt === null ? {} : { sinceMs: state.beganAt })
      endWait()
      endBot(true)
      next.status = "resolved"
      break
    case "reopened":
      if (state.status !== "resolved") break
      happened("reopened")
      next.status = "open"
      next.beganAt = at
      break
    case "closed":
      if (state.status === "closed") break
      endWait()
      if (state.status === "open") endBot(false)
      next.status = "closed"
      break
    case "abandoned":
      if (state.waitingSince === null) break
      endWait()
      endBot(false)
      break
  }
  return isSame(state, next) ? state : next
}

/** Whether two states say the same: then there is nothing to store. */
const isSame = (one: FoldState, other: FoldState): boolean => {
  for (const key of Object.keys(other) as ReadonlyArray<keyof FoldState>)
    if (key !== "dimensions" && one[key] !== other[key]) return false
  const names = Object.keys(other.dimensions)
  return (
    names.length === Object.keys(one.dimensions).length &&
    names.every((name) => one.dimensions[name] === other.dimensions[name])
  )
}

const toValue = (measure: Measure, moment: Moment): number | undefined => {
  switch (measure.unit) {
    case "count":
      return 1
    case "share":
      return moment.yes === undefined ? undefined : Number(moment.yes)
    case "ms": {
      if (moment.sinceMs === undefined) return undefined
      const elapsed =
        measure.elapsed === undefined
          ? moment.at - moment.sinceMs
          : measure.elapsed(moment.sinceMs, moment.at, moment.dimensions)
      // Whole milliseconds keep sums exact, so it never matters in which order they are added.
      return Number.isNaN(elapsed) ? undefined : Math.min(Number.MAX_SAFE_INTEGER, Math.max(0, Math.round(elapsed)))
    }
  }
}
