/**
 * How a clock came to its figures: every stretch of time, counted or not, and why.
 *
 * @module
 */
import * as Calendar from "./Calendar.ts"
import { minuteMs, toClockText } from "./internal/civil.ts"
import { offsetAt } from "./internal/zone.ts"
import * as SlaClock from "./SlaClock.ts"
import * as SlaPlan from "./SlaPlan.ts"
import type { SlaRecord } from "./SlaRecord.ts"
import { type Kind, kinds } from "./SlaSignal.ts"

/** Why a stretch of time was counted or not. */
export type Cause =
  /** Counted: the clock ran, and its calendar was open or none was needed. */
  | "running"
  /** Not counted: the calendar was closed. */
  | "closed"
  /** Not counted: the signals in `pausedBy` held the clock still. */
  | "paused"
  /** Several early stretches put together, partly counted. */
  | "merged"

/** One stretch of time of a cycle. */
export interface Stretch {
  readonly fromMs: number
  readonly toMs: number
  /** Within this stretch, in the target's own time. */
  readonly countedMs: number
  readonly cause: Cause
  /** Empty unless the cause is `paused`. */
  readonly pausedBy: ReadonlyArray<Kind>
  /** The clock stood still although the contact was waiting for an answer. */
  readonly contactWaiting: boolean
}

/** A cycle and how its figures came about; `countedMs` is the sum over the stretches. */
export interface Explanation {
  readonly target: string
  readonly cycle: number
  readonly startedAt: number
  /** The end of the cycle, or the instant it was looked at. */
  readonly untilMs: number
  readonly durationMs: number
  readonly countedMs: number
  /** Negative when over the time allowed. */
  readonly remainingMs: number
  readonly dueAt: number | null
  readonly breachedAt: number | null
  readonly fulfilledAt: number | null
  readonly cancelledAt: number | null
  readonly isRunning: boolean
  readonly isPaused: boolean
  readonly stretches: ReadonlyArray<Stretch>
  /** Time in which the clock stood still although the contact was waiting: a promise kept that way deserves a look. */
  readonly pausedWhileContactWaitedMs: number
}

const running = ({ calendar }: SlaClock.Terms, fromMs: number, toMs: number): ReadonlyArray<Stretch> => {
  const stretch = (from: number, to: number, cause: "running" | "closed"): ReadonlyArray<Stretch> =>
    from < to
      ? [
          {
            fromMs: from,
            toMs: to,
            countedMs: cause === "running" ? to - from : 0,
            cause,
            pausedBy: [],
            contactWaiting: false
          }
        ]
      : []
  if (calendar === null) return stretch(fromMs, toMs, "running")
  const open = Calendar.windows(calendar, fromMs, toMs)
  return [
    ...open.flatMap((window, index) => [
      ...stretch(open[index - 1]?.toMs ?? fromMs, window.fromMs, "closed"),
      ...stretch(window.fromMs, window.toMs, "running")
    ]),
    ...stretch(open.at(-1)?.toMs ?? fromMs, toMs, "closed")
  ]
}

/**
 * Explains a cycle as of an instant: the clock's latest one, or another from its history.
 *
 * **Gotchas** Closed hours are looked up in the calendar as it is now; the counted time is what was counted then.
 *
 * **Example**
 * ```ts
 * import { strict as assert } from "node:assert"
 * import { Explanation, SlaClock, Target } from "@switchboard/sla"
 *
 * const terms = { target: Target.resolution({ durationMs: 3_600_000, time: "elapsed" }), calendar: null, facts: {} }
 * let clock = SlaClock.make(terms.target, 0)
 * clock = SlaClock.apply(clock, { kind: "opened", at: 0 }, terms).clock
 * clock = SlaClock.apply(clock, { kind: "pending", at: 600_000 }, terms).clock
 * clock = SlaClock.apply(clock, { kind: "resumed", at: 1_200_000 }, terms).clock
 *
 * const explanation = Explanation.explain(clock, terms, 1_500_000)
 * assert.equal(explanation?.countedMs, 900_000)
 * assert.deepEqual(
 *   explanation?.stretches.map(({ cause, countedMs }) => [cause, countedMs]),
 *   [["running", 600_000], ["paused", 0], ["running", 300_000]]
 * )
 * ```
 */
export const explain = (
  clock: SlaClock.SlaClock,
  terms: SlaClock.Terms,
  now: number,
  cycle: SlaClock.Cycle | null = clock.cycle
): Explanation | null => {
  if (cycle === null) return null
  const isActive = cycle === clock.cycle && SlaClock.activeCycle(clock) !== null
  const untilMs = isActive ? Math.max(now, cycle.sinceAt) : cycle.sinceAt
  const isStill = clock.pausedBy.length > 0
  const past = cycle.intervals.flatMap(
    ({ fromMs, toMs, countedMs, pausedBy, contactWaiting, merged }): ReadonlyArray<Stretch> =>
      merged === true
        ? [{ fromMs, toMs, countedMs, cause: "merged", pausedBy: [], contactWaiting: false }]
        : pausedBy === undefined
          ? running(terms, fromMs, toMs)
          : [{ fromMs, toMs, countedMs, cause: "paused", pausedBy, contactWaiting: contactWaiting === true }]
  )
  const present: ReadonlyArray<Stretch> =
    untilMs === cycle.sinceAt
      ? []
      : isStill
        ? [
            {
              fromMs: cycle.sinceAt,
              toMs: untilMs,
              countedMs: 0,
              cause: "paused",
              pausedBy: clock.pausedBy,
              contactWaiting: clock.contactWaiting
            }
          ]
        : running(terms, cycle.sinceAt, untilMs)
  const stretches = [...past, ...present]
  const countedMs = isActive ? SlaClock.countedMs(clock, terms, now) : cycle.countedMs
  return {
    target: clock.target,
    cycle: cycle.number,
    startedAt: cycle.startedAt,
    untilMs,
    durationMs: cycle.durationMs,
    countedMs,
    remainingMs: cycle.durationMs - countedMs,
    dueAt: cycle.dueAt,
    breachedAt: cycle.breachedAt,
    fulfilledAt: cycle.fulfilledAt,
    cancelledAt: cycle.cancelledAt,
    isRunning: isActive && !isStill,
    isPaused: isActive && isStill,
    stretches,
    pausedWhileContactWaitedMs: stretches.reduce(
      (sum, { fromMs, toMs, contactWaiting }) => (contactWaiting ? sum + toMs - fromMs : sum),
      0
    )
  }
}

/** Explains the latest cycle of every clock of a conversation. */
export const explainAll = (plan: SlaPlan.SlaPlan, record: SlaRecord, now: number): ReadonlyArray<Explanation> => {
  const policy = record.policy === null ? undefined : SlaPlan.policyOf(plan, record.policy.id, record.policy.version)
  return record.clocks.flatMap((clock) => {
    const target = policy?.targets.find(({ id }) => id === clock.target)
    if (policy === undefined || target === undefined) return []
    const explanation = explain(clock, SlaPlan.termsOf(plan, policy, target, record.facts), now)
    return explanation === null ? [] : [explanation]
  })
}

/** `1 h 30 min`, `45 s`, `250 ms`: the duration in words, at most its two largest units. */
const toDurationText = (durationMs: number): string => {
  const units = [
    ["h", 60 * minuteMs],
    ["min", minuteMs],
    ["s", 1000],
    ["ms", 1]
  ] as const
  let left = Math.abs(durationMs)
  const parts = units.flatMap(([name, size]) => {
    const count = Math.floor(left / size)
    left -= count * size
    return count === 0 ? [] : [`${count} ${name}`]
  })
  return parts.length === 0 ? "0 min" : parts.slice(0, 2).join(" ")
}

/**
 * The explanation in plain English, one sentence for the whole and one for each stretch.
 *
 * **Units** Times are shown in `timeZone`, an IANA name; UTC when absent. Durations are cut to their two largest units.
 *
 * **Gotchas** For other languages make sentences of your own: everything said here is data in the {@link Explanation}.
 */
export const toSentences = (explanation: Explanation, timeZone = "UTC"): ReadonlyArray<string> => {
  const text = (instantMs: number): string => toClockText(instantMs + offsetAt(timeZone, instantMs))
  const { target, durationMs, countedMs, dueAt, breachedAt, fulfilledAt, cancelledAt, untilMs } = explanation
  const outcome = [
    fulfilledAt === null ? "" : `, fulfilled ${text(fulfilledAt)}`,
    cancelledAt === null ? "" : `, cancelled ${text(cancelledAt)}`,
    breachedAt === null ? "" : `, breached ${text(breachedAt)}`,
    fulfilledAt !== null || cancelledAt !== null || breachedAt !== null
      ? ""
      : dueAt !== null
        ? `, due ${text(dueAt)}`
        : explanation.isPaused
          ? ", paused"
          : ", never due"
  ].join("")
  return [
    `${target}: ${toDurationText(countedMs)} of ${toDurationText(durationMs)} counted by ${text(untilMs)}${outcome}.`,
    ...explanation.stretches.map((stretch) => {
      const span = `${text(stretch.fromMs)} to ${text(stretch.toMs)}`
      if (stretch.cause === "running") return `${span}: ${toDurationText(stretch.countedMs)} counted.`
      if (stretch.cause === "closed") return `${span}: not counted, closed.`
      if (stretch.cause === "merged") return `${span}: ${toDurationText(stretch.countedMs)} counted, with pauses.`
      const causes = stretch.pausedBy.map((kind) => kinds[kind]).join(", ")
      return `${span}: not counted, ${causes}${stretch.contactWaiting ? ", although the contact was waiting for an answer" : ""}.`
    })
  ]
}
