/**
 * All clocks of one conversation under the policy that applies to it: one document, one timer.
 *
 * @module
 */
import * as z from "zod"
import { type DecodeError, decode as decodeWith } from "./DecodeError.ts"
import { Facts } from "./Facts.ts"
import type { Result } from "./Result.ts"
import * as SlaClock from "./SlaClock.ts"
import type { PolicyVersion, SlaEvent } from "./SlaEvent.ts"
import * as SlaPlan from "./SlaPlan.ts"
import * as SlaPolicy from "./SlaPolicy.ts"
import { Kind, type SlaSignal } from "./SlaSignal.ts"

/** What is kept of a conversation's promises; plain JSON. */
export interface SlaRecord {
  /** The policy that applies; `null` when none does. */
  readonly policy: PolicyVersion | null
  readonly facts: Facts
  /** The latest instant that changed anything; signals dated earlier count as of this instant. */
  readonly at: number
  /** The kinds of signals seen, the most recent last: what lets a target that joins later know where things stand. */
  readonly seen: ReadonlyArray<Kind>
  readonly clocks: ReadonlyArray<SlaClock.SlaClock>
  /** How many cycles were measured of targets that have left, so that a cycle's number is never used again. */
  readonly left: Readonly<Record<string, number>>
}

/** What a step leaves: the record afterwards and what there is to report, in order of time. */
export interface Step {
  readonly record: SlaRecord
  readonly events: ReadonlyArray<SlaEvent>
}

/** Reads an {@link SlaRecord} from storage. */
export const SlaRecord: z.ZodType<SlaRecord> = z.object({
  policy: z.object({ id: z.string(), version: z.int() }).nullable(),
  facts: Facts,
  at: z.number(),
  seen: z.array(Kind),
  clocks: z.array(SlaClock.SlaClock),
  left: z.record(z.string(), z.int())
})

/** The record that stored data holds, or what is wrong with it. */
export const decode = (input: unknown): Result<SlaRecord, DecodeError> => decodeWith("record", SlaRecord, input)

const byTime = (events: ReadonlyArray<SlaEvent>): ReadonlyArray<SlaEvent> =>
  events.length < 2 ? events : [...events].sort((a, b) => a.at - b.at)

const versionOf = (policy: SlaPolicy.SlaPolicy | undefined): PolicyVersion | null =>
  policy === undefined ? null : { id: policy.id, version: policy.version }

/**
 * A clock for a target that joins a conversation on its way: started, paused or idle as the signals so far leave it,
 * counting from now. No clock when the promise was for once and has been fulfilled.
 */
const join = ({ seen, left }: SlaRecord, terms: SlaClock.Terms, at: number): ReadonlyArray<SlaClock.Step> => {
  const cycles = left[terms.target.id] ?? 0
  const clock = seen.reduce(
    (before, kind) =>
      SlaClock.apply(before, kind === "factsChanged" ? { kind, at, facts: {} } : { kind, at }, terms).clock,
    SlaClock.make(terms.target, at)
  )
  const active = SlaClock.activeCycle(clock)
  if (active === null)
    return SlaClock.isFulfilled(clock) && terms.target.repeats !== true
      ? []
      : [{ clock: { ...clock, cycles, cycle: null, history: [] }, events: [] }]
  const cycle = { ...active, number: cycles + 1 }
  return [
    {
      clock: { ...clock, cycles: cycle.number, cycle, history: [] },
      events: [{ kind: "started", target: clock.target, cycle: cycle.number, at, dueAt: cycle.dueAt }]
    }
  ]
}

const drop = (clock: SlaClock.SlaClock, at: number): ReadonlyArray<SlaEvent> => {
  const due = SlaClock.tick(clock, at)
  const active = SlaClock.activeCycle(due.clock)
  return active === null
    ? due.events
    : [...due.events, { kind: "cancelled", target: clock.target, cycle: active.number, at, dueAt: active.dueAt }]
}

/** The record under another policy: targets of the same id go on, others end, new ones join. */
const changePolicy = (
  plan: SlaPlan.SlaPlan,
  record: SlaRecord,
  from: SlaPolicy.SlaPolicy | undefined,
  to: SlaPolicy.SlaPolicy | undefined,
  at: number
): Step => {
  const steps = (to?.targets ?? []).flatMap((target) => {
    const terms = SlaPlan.termsOf(plan, to!, target, record.facts)
    const clock = record.clocks.find((clock) => clock.target === target.id)
    if (clock === undefined) return join(record, terms, at)
    const old = from?.targets.find(({ id }) => id === target.id)
    const oldTerms = old === undefined ? terms : SlaPlan.termsOf(plan, from!, old, record.facts)
    return [SlaClock.changeTerms(clock, oldTerms, terms, at)]
  })
  const dropped = record.clocks.filter((clock) => to?.targets.every(({ id }) => id !== clock.target) ?? true)
  return {
    record: {
      ...record,
      policy: versionOf(to),
      at,
      clocks: steps.map(({ clock }) => clock),
      left: { ...record.left, ...Object.fromEntries(dropped.map(({ target, cycles }) => [target, cycles])) }
    },
    events: [
      { kind: "policyChanged", at, from: record.policy, to: versionOf(to) },
      ...dropped.flatMap((clock) => drop(clock, at)),
      ...steps.flatMap(({ events }) => events)
    ]
  }
}

/**
 * The record of a conversation that opens now, under the first policy that its facts meet.
 *
 * **Units** `at` is in milliseconds since 1970-01-01 UTC.
 *
 * **Example**
 * ```ts
 * import { strict as assert } from "node:assert"
 * import { Calendar, SlaPlan, SlaRecord, Target } from "@switchboard/sla"
 *
 * const hour = 3_600_000
 * const plan = SlaPlan.make({
 *   calendars: [
 *     { id: "office", timeZone: "Europe/Madrid", week: Calendar.workdays({ opens: "09:00", closes: "17:00" }) }
 *   ],
 *   policies: [
 *     {
 *       id: "standard",
 *       version: 1,
 *       calendar: "office",
 *       targets: [
 *         Target.firstReply({ durationMs: 2 * hour, warnings: [{ share: 0.5 }] }),
 *         Target.resolution({ durationMs: 16 * hour })
 *       ]
 *     }
 *   ]
 * })
 * assert(plan.ok)
 *
 * // Friday 16:30 in Madrid.
 * const at = Date.parse("2026-03-06T16:30+01:00")
 * const opened = SlaRecord.start(plan.value, { at, facts: { channel: "email" } })
 * const { record } = SlaRecord.apply(plan.value, opened.record, { kind: "contactMessage", at })
 *
 * // The warning comes on Monday 9:30, when one of the two hours is gone; the first reply is due at 10:30.
 * assert.equal(SlaRecord.nextDeadline(record)?.at, Date.parse("2026-03-09T09:30+01:00"))
 * assert.deepEqual(SlaRecord.nextDue(record), {
 *   target: "first-reply",
 *   dueAt: Date.parse("2026-03-09T10:30+01:00"),
 *   breached: false
 * })
 *
 * const late = SlaRecord.tick(record, Date.parse("2026-03-09T10:31+01:00"))
 * assert.deepEqual(late.events.map(({ kind }) => kind), ["warned", "breached"])
 * ```
 */
export const start = (plan: SlaPlan.SlaPlan, { at, facts }: { readonly at: number; readonly facts: Facts }): Step => {
  const policy = SlaPolicy.select(plan.policies, facts)
  const clocks = (policy?.targets ?? []).map((target) => SlaClock.make(target, at))
  return apply(plan, { policy: versionOf(policy), facts, at, seen: [], clocks, left: {} }, { kind: "opened", at })
}

/**
 * The record after a signal.
 *
 * **Gotchas** A signal that changes nothing returns the very same record, so that it need not be stored. A policy version
 * that the plan no longer has gives way to the policy that the facts select. While no policy applies, `factsChanged`
 * selects.
 */
export const apply = (plan: SlaPlan.SlaPlan, record: SlaRecord, signal: SlaSignal): Step => {
  const at = Math.max(signal.at, record.at)
  const { kind } = signal
  let events: ReadonlyArray<SlaEvent> = []
  let next = record
  let policy = record.policy === null ? undefined : SlaPlan.policyOf(plan, record.policy.id, record.policy.version)
  if (record.policy !== null && policy === undefined) {
    policy = SlaPolicy.select(plan.policies, record.facts)
    const moved = changePolicy(plan, record, undefined, policy, at)
    events = moved.events
    next = moved.record
  }

  const facts = signal.kind === "factsChanged" ? { ...next.facts, ...signal.facts } : next.facts
  const clocks = next.clocks.map((clock) => {
    const target = policy?.targets.find(({ id }) => id === clock.target)
    if (policy === undefined || target === undefined) return clock
    const step = SlaClock.apply(clock, { ...signal, at }, SlaPlan.termsOf(plan, policy, target, facts))
    if (step.events.length > 0) events = [...events, ...step.events]
    return step.clock
  })
  const isSeen = next.seen.at(-1) === kind
  const seen = isSeen ? next.seen : [...next.seen.filter((other) => other !== kind), kind]
  if (!isSeen || facts !== next.facts || clocks.some((clock, index) => clock !== next.clocks[index]))
    next = { ...next, at, facts, seen, clocks }

  if ((policy === undefined ? ["factsChanged"] : (policy.reselects ?? ["factsChanged"])).includes(kind)) {
    const selected = SlaPolicy.select(plan.policies, facts)
    // While the same policy is selected the conversation keeps the version that was promised.
    if (selected?.id !== policy?.id) {
      const moved = changePolicy(plan, next, policy, selected, at)
      events = [...events, ...moved.events]
      next = moved.record
    }
  }
  return { record: next, events: byTime(events) }
}

/**
 * Lets every deadline up to `now` happen, in order, each at its own exact instant.
 *
 * **Gotchas** Apply every signal dated before `now` first: a breach that was reported is never taken back. When nothing
 * is due the very same record comes back.
 */
export const tick = (record: SlaRecord, now: number): Step => {
  const steps = record.clocks.map((clock) => SlaClock.tick(clock, now))
  const events = byTime(steps.flatMap(({ events }) => events))
  const last = events.at(-1)
  if (last === undefined) return { record, events }
  return { record: { ...record, at: Math.max(record.at, last.at), clocks: steps.map(({ clock }) => clock) }, events }
}

/** The next thing to happen in a conversation if nothing else does. */
export interface RecordDeadline extends SlaClock.Deadline {
  readonly target: string
}

/** The soonest deadline of all clocks: set one timer for its instant and call {@link tick} then. */
export const nextDeadline = ({ clocks }: SlaRecord): RecordDeadline | null => {
  let soonest: RecordDeadline | null = null
  for (const clock of clocks) {
    const deadline = SlaClock.nextDeadline(clock)
    if (deadline !== null && (soonest === null || deadline.at < soonest.at))
      soonest = { ...deadline, target: clock.target }
  }
  return soonest
}

/** What a conversation must be ordered by: its most urgent promise. */
export interface Due {
  readonly target: string
  readonly dueAt: number
  readonly breached: boolean
}

/** The earliest due time among the promises not yet fulfilled, breached ones included; paused ones have none. */
export const nextDue = ({ clocks }: SlaRecord): Due | null => {
  let soonest: Due | null = null
  for (const clock of clocks) {
    const cycle = SlaClock.isRunning(clock) ? clock.cycle : null
    if (cycle !== null && cycle.dueAt !== null && (soonest === null || cycle.dueAt < soonest.dueAt))
      soonest = { target: clock.target, dueAt: cycle.dueAt, breached: cycle.breachedAt !== null }
  }
  return soonest
}
