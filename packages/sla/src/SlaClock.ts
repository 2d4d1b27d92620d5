/**
 * One running measurement of one target: a fold over signals, kept as plain JSON.
 *
 * Running, paused, fulfilled and breached are separate facts: a clock that was answered late is fulfilled and breached.
 * Most applications keep the clocks of a conversation together as an `SlaRecord`; this module is one clock by itself.
 *
 * @module
 */
import * as z from "zod"
import * as Calendar from "./Calendar.ts"
import type { Facts } from "./Facts.ts"
import type { SlaEvent } from "./SlaEvent.ts"
import { Kind, type SlaSignal } from "./SlaSignal.ts"
import * as Target from "./Target.ts"
import * as Threshold from "./Threshold.ts"

/** What a clock is measured by. */
export interface Terms {
  readonly target: Target.Target
  /** The calendar whose time is counted; `null` counts every millisecond. */
  readonly calendar: Calendar.Calendar | null
  /** What is known of the conversation, after the signal that is applied. */
  readonly facts: Facts
}

/** The next thing to happen if nothing else does. */
export interface Deadline {
  readonly kind: "warning" | "breach" | "escalation"
  /** The warning's threshold, such as `share:0.8`, or the escalation's id; empty for the breach. */
  readonly id: string
  readonly at: number
}

/** A stretch between two instants in which a clock counted, or stood still. */
export interface CycleInterval {
  readonly fromMs: number
  readonly toMs: number
  /** Time of the target's own kind within it; 0 while paused. */
  readonly countedMs: number
  /** The signals that made it stand still; absent when it counted. */
  readonly pausedBy?: ReadonlyArray<Kind>
  /** The clock stood still although the contact was waiting for an answer. */
  readonly contactWaiting?: true
  /** Several early stretches put together, to keep the document small. */
  readonly merged?: true
}

/** One measurement from its start to its end. */
export interface Cycle {
  /** Counts the measurements of this clock, from 1. */
  readonly number: number
  readonly startedAt: number
  readonly durationMs: number
  /** Time counted up to `sinceAt`. */
  readonly countedMs: number
  /** The instant from which the present stretch runs; the end when ended. */
  readonly sinceAt: number
  /** `null` while paused or when the calendar never opens again; fixed once breached. */
  readonly dueAt: number | null
  readonly breachedAt: number | null
  readonly fulfilledAt: number | null
  readonly cancelledAt: number | null
  /** What is still to come, soonest first. */
  readonly deadlines: ReadonlyArray<Deadline>
  /** Warnings and escalations that have come, as `warning:…` and `escalation:…`. */
  readonly fired: ReadonlyArray<string>
  /** The stretches before `sinceAt`, oldest first, at most {@link intervalLimit}. */
  readonly intervals: ReadonlyArray<CycleInterval>
}

/** A clock: its present or latest cycle, and the ones before. */
export interface SlaClock {
  /** The id of its target. */
  readonly target: string
  /** The latest instant that changed it; signals dated earlier count as of this instant. */
  readonly at: number
  /** Whether what the target wants to have seen before a start has been seen. */
  readonly armed: boolean
  /** Whether the contact wrote and nobody has answered. */
  readonly contactWaiting: boolean
  /** The signals that hold it still, kept also while it does not run. */
  readonly pausedBy: ReadonlyArray<Kind>
  /** How many cycles have begun: the number of the latest one. */
  readonly cycles: number
  readonly cycle: Cycle | null
  /** Earlier cycles, oldest first, at most {@link historyLimit}. */
  readonly history: ReadonlyArray<Cycle>
}

/** What a step leaves: the clock afterwards and what there is to report, in order of time. */
export interface Step {
  readonly clock: SlaClock
  readonly events: ReadonlyArray<SlaEvent>
}

/** How many stretches a cycle keeps; older ones are put together into one. */
export const intervalLimit = 32

/** How many earlier cycles a clock keeps. */
export const historyLimit = 5

const Instant = z.number()

const CycleSchema: z.ZodType<Cycle> = z.object({
  number: z.int(),
  startedAt: Instant,
  durationMs: z.number(),
  countedMs: z.number(),
  sinceAt: Instant,
  dueAt: Instant.nullable(),
  breachedAt: Instant.nullable(),
  fulfilledAt: Instant.nullable(),
  cancelledAt: Instant.nullable(),
  deadlines: z.array(z.object({ kind: z.enum(["warning", "breach", "escalation"]), id: z.string(), at: Instant })),
  fired: z.array(z.string()),
  intervals: z.array(
    z.object({
      fromMs: Instant,
      toMs: Instant,
      countedMs: z.number(),
      pausedBy: z.exactOptional(z.array(Kind)),
      contactWaiting: z.exactOptional(z.literal(true)),
      merged: z.exactOptional(z.literal(true))
    })
  )
})

/** Reads an {@link SlaClock} from storage. */
export const SlaClock: z.ZodType<SlaClock> = z.object({
  target: z.string(),
  at: Instant,
  armed: z.boolean(),
  contactWaiting: z.boolean(),
  pausedBy: z.array(Kind),
  cycles: z.int(),
  cycle: CycleSchema.nullable(),
  history: z.array(CycleSchema)
})

/** A clock that has seen nothing yet; signals from `at` on will start it. */
export const make = (target: Target.Target, at: number): SlaClock => ({
  target: target.id,
  at,
  armed: target.after === undefined,
  contactWaiting: false,
  pausedBy: [],
  cycles: 0,
  cycle: null,
  history: []
})

/** The cycle that is being measured, if there is one. */
export const activeCycle = ({ cycle }: SlaClock): Cycle | null =>
  cycle !== null && cycle.fulfilledAt === null && cycle.cancelledAt === null ? cycle : null

/** Whether time is being counted. */
export const isRunning = (clock: SlaClock): boolean => activeCycle(clock) !== null && clock.pausedBy.length === 0

/** Whether a measurement stands still. */
export const isPaused = (clock: SlaClock): boolean => activeCycle(clock) !== null && clock.pausedBy.length > 0

/** Whether the latest cycle was fulfilled, in time or late. */
export const isFulfilled = ({ cycle }: SlaClock): boolean => cycle !== null && cycle.fulfilledAt !== null

/** Whether the latest cycle was breached, whatever came after. */
export const isBreached = ({ cycle }: SlaClock): boolean => cycle !== null && cycle.breachedAt !== null

/** The soonest deadline, if any: set a timer for its instant and call {@link tick} then. */
export const nextDeadline = ({ cycle }: SlaClock): Deadline | null => cycle?.deadlines[0] ?? null

const measure = ({ calendar }: Terms, fromMs: number, toMs: number): number =>
  calendar === null ? toMs - fromMs : Calendar.between(calendar, fromMs, toMs)

const after = ({ calendar }: Terms, fromMs: number, durationMs: number): number | null => {
  if (calendar === null) return fromMs + durationMs
  const added = Calendar.add(calendar, fromMs, durationMs)
  return added.ok ? added.value : null
}

/**
 * Time counted in the latest cycle up to `now`.
 *
 * **Units** Milliseconds of the target's own time.
 */
export const countedMs = (clock: SlaClock, terms: Terms, now: number): number => {
  const { cycle } = clock
  if (cycle === null) return 0
  return cycle.countedMs + (isRunning(clock) ? measure(terms, cycle.sinceAt, Math.max(now, cycle.sinceAt)) : 0)
}

const keyOf = ({ kind, id }: Deadline): string => `${kind}:${id}`

const pushInterval = (
  intervals: ReadonlyArray<CycleInterval>,
  interval: CycleInterval
): ReadonlyArray<CycleInterval> => {
  const [first, second, ...rest] = intervals
  if (first === undefined || second === undefined || intervals.length < intervalLimit) return [...intervals, interval]
  const merged: CycleInterval = {
    fromMs: first.fromMs,
    toMs: second.toMs,
    countedMs: first.countedMs + second.countedMs,
    merged: true
  }
  return [merged, ...rest, interval]
}

/** Closes the present stretch of a cycle at an instant and begins the next one there. */
const bank = (cycle: Cycle, { pausedBy, contactWaiting }: SlaClock, terms: Terms, at: number): Cycle => {
  if (at === cycle.sinceAt) return cycle
  const counted = pausedBy.length > 0 ? 0 : measure(terms, cycle.sinceAt, at)
  const stretch = { fromMs: cycle.sinceAt, toMs: at, countedMs: counted }
  return {
    ...cycle,
    countedMs: cycle.countedMs + counted,
    sinceAt: at,
    intervals: pushInterval(
      cycle.intervals,
      pausedBy.length === 0
        ? stretch
        : contactWaiting
          ? { ...stretch, pausedBy, contactWaiting }
          : { ...stretch, pausedBy }
    )
  }
}

/** Works out what comes next for a cycle whose present stretch begins at `sinceAt`. */
const schedule = (cycle: Cycle, { target, ...terms }: Terms, isStill: boolean): Cycle => {
  if (isStill) return { ...cycle, dueAt: cycle.breachedAt === null ? null : cycle.dueAt, deadlines: [] }
  const points = [
    ...(cycle.breachedAt === null ? (target.warnings ?? []) : []).map((threshold) => ({
      kind: "warning" as const,
      id: Threshold.toText(threshold),
      countedMs: Threshold.toCountedMs(threshold, cycle.durationMs)
    })),
    ...(cycle.breachedAt === null ? [{ kind: "breach" as const, id: "", countedMs: cycle.durationMs }] : []),
    ...(target.escalations ?? []).map(({ id, when }) => ({
      kind: "escalation" as const,
      id,
      countedMs: Threshold.toCountedMs(when, cycle.durationMs)
    }))
  ]
  const deadlines = points
    // A duration too short to hold the point never gets there.
    .filter((point) => point.countedMs > 0 && !cycle.fired.includes(keyOf({ ...point, at: 0 })))
    .sort((a, b) => a.countedMs - b.countedMs)
    .flatMap(({ kind, id, countedMs }): ReadonlyArray<Deadline> => {
      const left = countedMs - cycle.countedMs
      // What a change of terms puts into the past happens with the change: it could not have happened before.
      const at = left <= 0 ? cycle.sinceAt : after({ target, ...terms }, cycle.sinceAt, left)
      return at === null ? [] : [{ kind, id, at }]
    })
  const dueAt = cycle.breachedAt === null ? (deadlines.find(({ kind }) => kind === "breach")?.at ?? null) : cycle.dueAt
  return { ...cycle, dueAt, deadlines }
}

/**
 * Lets the deadlines up to `now` happen, each at its own exact instant however late it is noticed.
 *
 * **Gotchas** A deadline at exactly `now` happens. Apply every signal dated before `now` first: a breach that was
 * reported is never taken back.
 */
export const tick = (clock: SlaClock, now: number): Step => {
  const { cycle } = clock
  const first = cycle?.deadlines[0]
  if (cycle === null || first === undefined || first.at > now) return { clock, events: [] }
  const come = cycle.deadlines.filter(({ at }) => at <= now)
  const breach = come.find(({ kind }) => kind === "breach")
  const events = come.map(({ kind, id, at }): SlaEvent => {
    const subject = { target: clock.target, cycle: cycle.number, at, dueAt: cycle.dueAt }
    if (kind === "warning") return { ...subject, kind: "warned", warning: id }
    return kind === "breach" ? { ...subject, kind: "breached" } : { ...subject, kind: "escalated", escalation: id }
  })
  return {
    clock: {
      ...clock,
      at: Math.max(clock.at, come.at(-1)!.at),
      cycle: {
        ...cycle,
        breachedAt: breach?.at ?? cycle.breachedAt,
        deadlines: cycle.deadlines.filter(({ at }) => at > now),
        fired: [...cycle.fired, ...come.filter(({ kind }) => kind !== "breach").map(keyOf)]
      }
    },
    events
  }
}

const pausesAfter = (pausedBy: ReadonlyArray<Kind>, target: Target.Target, kind: Kind): ReadonlyArray<Kind> => {
  let after = pausedBy
  for (const { from, until } of target.pauses ?? []) {
    if (until.includes(kind) && after.some((cause) => from.includes(cause)))
      after = after.filter((cause) => !from.includes(cause))
    if (from.includes(kind) && !after.includes(kind)) after = [...after, kind]
  }
  return after
}

const waitingAfter = (wasWaiting: boolean, kind: Kind): boolean => {
  if (kind === "contactMessage") return true
  return kind === "agentReply" || kind === "botReply" || kind === "resolved" || kind === "closed" ? false : wasWaiting
}

const report = (
  clock: SlaClock,
  cycle: Cycle,
  kind: "started" | "paused" | "resumed" | "rescheduled" | "restarted" | "cancelled",
  at: number
): SlaEvent => ({ kind, target: clock.target, cycle: cycle.number, at, dueAt: cycle.dueAt })

/** The cycle under another duration, from an instant at which its present stretch begins. */
const promise = (cycle: Cycle, durationMs: number): Cycle =>
  // Once breached, the promise of the cycle is history.
  cycle.breachedAt === null ? { ...cycle, durationMs } : cycle

/**
 * The clock after a signal.
 *
 * **Gotchas** What is due at an instant happens before a signal of that instant: an answer exactly at the due time is
 * late. A signal dated before the clock's latest change counts as of that change.
 *
 * **Example**
 * ```ts
 * import { strict as assert } from "node:assert"
 * import { SlaClock, Target } from "@switchboard/sla"
 *
 * const target = Target.firstReply({ durationMs: 60_000, time: "elapsed", warnings: [{ share: 0.5 }] })
 * const terms = { target, calendar: null, facts: {} }
 *
 * let { clock } = SlaClock.apply(SlaClock.make(target, 0), { kind: "contactMessage", at: 1000 }, terms)
 * assert.deepEqual(SlaClock.nextDeadline(clock), { kind: "warning", id: "share:0.5", at: 31_000 })
 *
 * const late = SlaClock.apply(clock, { kind: "agentReply", at: 90_000 }, terms)
 * clock = late.clock
 * assert.deepEqual(late.events.map(({ kind, at }) => `${kind} ${at}`), ["warned 31000", "breached 61000", "fulfilled 90000"])
 * assert(SlaClock.isFulfilled(clock) && SlaClock.isBreached(clock))
 * ```
 */
export const apply = (clock: SlaClock, signal: SlaSignal, terms: Terms): Step => {
  const { target } = terms
  const { kind } = signal
  const at = Math.max(signal.at, clock.at)
  const due = tick(clock, at)
  const events = [...due.events]
  const before = due.clock
  const pausedBy = pausesAfter(before.pausedBy, target, kind)
  const contactWaiting = waitingAfter(before.contactWaiting, kind)
  const isStill = pausedBy.length > 0
  let { cycle, history } = before
  let active = activeCycle(before)

  if (active !== null) {
    const wasStill = before.pausedBy.length > 0
    if (pausedBy !== before.pausedBy || (wasStill && contactWaiting !== before.contactWaiting)) {
      active = bank(active, before, terms, at)
      if (wasStill !== isStill) {
        active = schedule(active, terms, isStill)
        events.push(report(before, active, isStill ? "paused" : "resumed", at))
      }
    }
    const durationMs = Target.durationOf(target, terms.facts)
    if (
      kind === "factsChanged" &&
      target.durationFrom !== "start" &&
      active.breachedAt === null &&
      durationMs !== active.durationMs
    ) {
      active = schedule(promise(bank(active, before, terms, at), durationMs), terms, isStill)
      events.push(report(before, active, "rescheduled", at))
    }
    const isFulfilling = target.fulfils.includes(kind)
    if (isFulfilling || target.cancels?.includes(kind) === true) {
      active = { ...bank(active, before, terms, at), sinceAt: at, deadlines: [] }
      active = isFulfilling ? { ...active, fulfilledAt: at } : { ...active, cancelledAt: at }
      const { number, dueAt, breachedAt, countedMs, durationMs } = active
      events.push(
        isFulfilling
          ? {
              kind: "fulfilled",
              target: target.id,
              cycle: number,
              at,
              dueAt,
              breached: breachedAt !== null,
              countedMs,
              durationMs
            }
          : report(before, active, "cancelled", at)
      )
    } else if (target.restarts?.includes(kind) === true && active.breachedAt === null) {
      active = schedule(
        { ...active, startedAt: at, sinceAt: at, countedMs: 0, fired: [], intervals: [] },
        terms,
        isStill
      )
      events.push(report(before, active, "restarted", at))
    }
    cycle = active
  }

  const canStart =
    cycle === null || cycle.cancelledAt !== null || (cycle.fulfilledAt !== null && target.repeats === true)
  if (canStart && before.armed && target.starts.includes(kind)) {
    if (cycle !== null) history = [...history, cycle].slice(-historyLimit)
    const started = schedule(
      {
        number: before.cycles + 1,
        startedAt: at,
        durationMs: Target.durationOf(target, terms.facts),
        countedMs: 0,
        sinceAt: at,
        dueAt: null,
        breachedAt: null,
        fulfilledAt: null,
        cancelledAt: null,
        deadlines: [],
        fired: [],
        intervals: []
      },
      terms,
      isStill
    )
    events.push(report(before, started, "started", at))
    cycle = started
  }

  const armed = before.armed || target.after?.includes(kind) === true
  if (
    cycle === before.cycle &&
    armed === before.armed &&
    pausedBy === before.pausedBy &&
    contactWaiting === before.contactWaiting
  )
    return due
  const cycles = cycle?.number ?? before.cycles
  const last = tick({ ...before, at, armed, contactWaiting, pausedBy, cycles, cycle, history }, at)
  return { clock: last.clock, events: last.events.length === 0 ? events : [...events, ...last.events] }
}

/**
 * The clock under other terms from an instant on: another version of its target, another calendar.
 *
 * Time counted so far stays counted as it was; what is left is counted by the new terms. A breach stays as it is.
 */
export const changeTerms = (clock: SlaClock, from: Terms, to: Terms, at: number): Step => {
  const due = tick(clock, Math.max(at, clock.at))
  const active = activeCycle(due.clock)
  const causes = to.target.pauses?.flatMap((pause) => pause.from) ?? []
  const pausedBy = due.clock.pausedBy.filter((cause) => causes.includes(cause))
  const changed = { ...due.clock, target: to.target.id, at: Math.max(at, due.clock.at), pausedBy }
  if (active === null) return { clock: changed, events: due.events }
  const banked = bank(active, due.clock, from, changed.at)
  const cycle = schedule(promise(banked, Target.durationOf(to.target, to.facts)), to, pausedBy.length > 0)
  const last = tick({ ...changed, cycle }, changed.at)
  const isChanged = cycle.dueAt !== active.dueAt || cycle.durationMs !== active.durationMs
  return {
    clock: last.clock,
    events: [...due.events, ...(isChanged ? [report(changed, cycle, "rescheduled", changed.at)] : []), ...last.events]
  }
}
