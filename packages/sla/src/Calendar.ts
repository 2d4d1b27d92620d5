/**
 * Business hours: when a team is open, and arithmetic in open time.
 *
 * One definition decides everything: **a calendar is open at an instant exactly when the wall clock of its time zone
 * then reads a time inside an open window.** An hour that the clock skips is never open, an hour that it repeats is open
 * twice, a day that the zone left out has no hours.
 *
 * @module
 */
import * as z from "zod"
import { type DecodeError, decode } from "./DecodeError.ts"
import { fromDay, toDay } from "./internal/civil.ts"
import * as table from "./internal/table.ts"
import { isZone } from "./internal/zone.ts"
import { fail, type Result, succeed } from "./Result.ts"

/**
 * One stretch of open time.
 *
 * **Units** Local wall-clock times, `HH:MM`; the opening minute is open, the closing minute is not.
 *
 * **Gotchas** A window whose `closes` is not after its `opens` runs over midnight and belongs to the day it opens on:
 * `22:00`–`06:00`, and `09:00`–`09:00` is 24 hours. The whole day is `00:00`–`24:00`.
 */
export interface Window {
  /** `00:00` to `23:59`. */
  readonly opens: string
  /** `00:00` to `24:00`. */
  readonly closes: string
}

/** Open windows by weekday, any number each, in any order; those that overlap or touch are one. */
export interface Week {
  readonly monday?: ReadonlyArray<Window>
  readonly tuesday?: ReadonlyArray<Window>
  readonly wednesday?: ReadonlyArray<Window>
  readonly thursday?: ReadonlyArray<Window>
  readonly friday?: ReadonlyArray<Window>
  readonly saturday?: ReadonlyArray<Window>
  readonly sunday?: ReadonlyArray<Window>
}

/**
 * A date on which the calendar is closed, wholly or in part.
 *
 * **Gotchas** It closes hours of that date on the wall clock. Of a night window it takes only the part on the date; to
 * drop the shift that begins on a date use an {@link Exception} without windows.
 */
export interface Holiday {
  /** `2026-12-25` once, or `12-25` every year (`02-29` in leap years). */
  readonly date: string
  readonly name?: string
  /** Closed from this time on; `00:00` when absent. */
  readonly from?: string
  /** Closed until this time; `24:00` when absent. */
  readonly to?: string
}

/**
 * Other windows on one date, such as an open Sunday; an empty list means that no window begins on it.
 *
 * **Gotchas** They stand in for the weekday's windows that begin on the date, and no holiday closes them. A night window
 * of the evening before runs on into the date.
 */
export interface Exception {
  /** `2026-12-20`. */
  readonly date: string
  readonly name?: string
  readonly windows: ReadonlyArray<Window>
}

/**
 * Where {@link add} ends when the duration is used up exactly at a closing time: at that `closing` time, or at the next
 * `opening` time. No open time lies between the two, but a due time reads differently, and products disagree.
 */
export type Landing = "closing" | "opening"

/** A calendar as it is written down: plain JSON. */
export interface CalendarDefinition {
  readonly id: string
  /** IANA name, such as `Europe/Madrid`. */
  readonly timeZone: string
  readonly week: Week
  readonly holidays?: ReadonlyArray<Holiday>
  readonly exceptions?: ReadonlyArray<Exception>
  /** `closing` when absent. */
  readonly landing?: Landing
}

const Time = z.string().regex(/^([01]\d|2[0-3]):[0-5]\d$/, `expected a time from "00:00" to "23:59"`)
const EndTime = z.string().regex(/^(([01]\d|2[0-3]):[0-5]\d|24:00)$/, `expected a time from "00:00" to "24:00"`)

const isDate = (year: number, month: number, day: number): boolean => {
  const civil = fromDay(toDay(year, month, day))
  return civil.month === month && civil.day === day
}

const FullDate = z
  .string()
  .refine(
    (date) =>
      /^\d{4}-\d\d-\d\d$/.test(date) &&
      isDate(Number(date.slice(0, 4)), Number(date.slice(5, 7)), Number(date.slice(8))),
    `expected a date such as "2026-12-25"`
  )

const AnyDate = z.union(
  [
    FullDate,
    z
      .string()
      .refine((date) => /^\d\d-\d\d$/.test(date) && isDate(2000, Number(date.slice(0, 2)), Number(date.slice(3))))
  ],
  { error: `expected a date such as "2026-12-25", or "12-25" for every year` }
)

const WindowSchema = z.strictObject({ opens: Time, closes: EndTime })
const Windows = z.array(WindowSchema).readonly()

/** Reads a {@link CalendarDefinition}. */
export const CalendarDefinition: z.ZodType<CalendarDefinition> = z.strictObject({
  id: z.string().min(1),
  timeZone: z.string().refine(isZone, `expected an IANA time zone such as "Europe/Madrid"`),
  week: z.strictObject({
    monday: z.exactOptional(Windows),
    tuesday: z.exactOptional(Windows),
    wednesday: z.exactOptional(Windows),
    thursday: z.exactOptional(Windows),
    friday: z.exactOptional(Windows),
    saturday: z.exactOptional(Windows),
    sunday: z.exactOptional(Windows)
  }),
  holidays: z.exactOptional(
    z
      .array(
        z
          .strictObject({
            date: AnyDate,
            name: z.exactOptional(z.string()),
            from: z.exactOptional(Time),
            to: z.exactOptional(EndTime)
          })
          .refine(({ from, to }) => (from ?? "00:00") < (to ?? "24:00"), "expected from to be before to")
      )
      .readonly()
  ),
  exceptions: z.exactOptional(
    z.array(z.strictObject({ date: FullDate, name: z.exactOptional(z.string()), windows: Windows })).readonly()
  ),
  landing: z.exactOptional(z.enum(["closing", "opening"]))
})

/**
 * A calendar ready to be asked; {@link make} builds one.
 *
 * **Gotchas** Keep the value: its table of windows grows with use and is what makes answers fast.
 */
export interface Calendar {
  readonly definition: CalendarDefinition
}

const tables = new WeakMap<Calendar, table.Table>()

const tableOf = (calendar: Calendar): table.Table => {
  let found = tables.get(calendar)
  if (found === undefined) {
    found = table.compile(calendar.definition)
    tables.set(calendar, found)
  }
  return found
}

/**
 * Builds a calendar from its definition.
 *
 * **Fails with** {@link DecodeError} naming the field: an unknown time zone, a time that is none, a date that does not
 * exist, a field that is unknown. A calendar without any window is accepted: it is always closed.
 *
 * **Example**
 * ```ts
 * import { strict as assert } from "node:assert"
 * import { Calendar } from "@switchboard/sla"
 *
 * const made = Calendar.make({
 *   id: "office",
 *   timeZone: "Europe/Madrid",
 *   week: { friday: [{ opens: "09:00", closes: "17:00" }], monday: [{ opens: "09:00", closes: "17:00" }] },
 *   holidays: [{ date: "12-25" }]
 * })
 * assert(made.ok)
 *
 * // Friday 16:00 in Madrid, plus two open hours: Monday 10:00.
 * const due = Calendar.add(made.value, Date.parse("2026-03-06T16:00+01:00"), 2 * 3_600_000)
 * assert(due.ok)
 * assert.equal(due.value, Date.parse("2026-03-09T10:00+01:00"))
 *
 * const wrong = Calendar.make({ id: "office", timeZone: "Madrid", week: {} })
 * assert(!wrong.ok)
 * assert.equal(wrong.error.issues[0]?.path, "timeZone")
 * ```
 */
export const make = (definition: CalendarDefinition): Result<Calendar, DecodeError> => {
  const decoded = decode("calendar", CalendarDefinition, definition)
  return decoded.ok ? succeed({ definition: decoded.value }) : decoded
}

/** The same windows from Monday to Friday. */
export const workdays = (...windows: ReadonlyArray<Window>): Week => ({
  monday: windows,
  tuesday: windows,
  wednesday: windows,
  thursday: windows,
  friday: windows
})

/** The same windows on all seven days; without any, around the clock. */
export const everyDay = (...windows: ReadonlyArray<Window>): Week => {
  const day = windows.length === 0 ? [{ opens: "00:00", closes: "24:00" }] : windows
  return { ...workdays(...day), saturday: day, sunday: day }
}

/** Whether the calendar is open at an instant: opening times are open, closing times are not. */
export const isOpen = (calendar: Calendar, instantMs: number): boolean => {
  const found = tableOf(calendar)
  table.reach(found, instantMs)
  const index = table.indexAt(found, instantMs)
  return index >= 0 && instantMs < found.ends[index]!
}

/** Why {@link add} has no answer. */
export interface AddError {
  /**
   * `never-opens-again`: the calendar has not that much open time left. `invalid-time`: the instant or the duration is
   * not a finite number, or the duration is negative.
   */
  readonly code: "never-opens-again" | "invalid-time"
  readonly calendar: string
  readonly instantMs: number
  readonly durationMs: number
  readonly message: string
}

const refuse = (code: AddError["code"], { definition }: Calendar, instantMs: number, durationMs: number) =>
  fail<AddError>({
    code,
    calendar: definition.id,
    instantMs,
    durationMs,
    message:
      code === "invalid-time"
        ? `Instant ${instantMs} and duration ${durationMs} must be finite milliseconds, the duration not negative.`
        : `Calendar "${definition.id}" has no ${durationMs} ms of open time left after ${instantMs}: give it windows or later exceptions.`
  })

/**
 * The instant at which a duration of open time has passed.
 *
 * **Units** Instants are milliseconds since 1970-01-01 UTC, durations are milliseconds.
 *
 * **Gotchas** With landing `closing` the answer is the first such instant, with `opening` the last one: a duration of 0
 * from a closed instant stays there or moves to the next opening. When the calendar never opens again, both are the first.
 *
 * **Fails with** {@link AddError}. It always answers: the search ends with the year 2199.
 */
export const add = (calendar: Calendar, instantMs: number, durationMs: number): Result<number, AddError> => {
  if (!(durationMs >= 0 && Number.isFinite(durationMs) && Number.isFinite(instantMs)))
    return refuse("invalid-time", calendar, instantMs, durationMs)
  const found = tableOf(calendar)
  table.reach(found, instantMs)
  const opening = calendar.definition.landing === "opening"
  const toLast = table.measure(found, instantMs) + durationMs
  let all = table.measureAll(found)
  while (opening ? all <= toLast : all < toLast) {
    if (!table.grow(found)) break
    all = table.measureAll(found)
  }
  if (all < toLast) return refuse("never-opens-again", calendar, instantMs, durationMs)
  if (durationMs === 0 && !(opening && all > toLast)) return succeed(instantMs)
  const index = table.indexOf(found, toLast, opening && all > toLast)
  return succeed(found.starts[index]! + toLast - found.before[index]!)
}

/**
 * Open time from one instant to another.
 *
 * **Units** Milliseconds, exact; negative when `toMs` is the earlier one.
 *
 * **Gotchas** Before 1900 and after 2199 no calendar is open.
 *
 * **Example**
 * ```ts
 * import { strict as assert } from "node:assert"
 * import { Calendar } from "@switchboard/sla"
 *
 * // A night shift on the night that clocks go forward: eight hours on the wall, seven in fact.
 * const made = Calendar.make({
 *   id: "nights",
 *   timeZone: "Europe/Madrid",
 *   week: Calendar.everyDay({ opens: "22:00", closes: "06:00" })
 * })
 * assert(made.ok)
 * const from = Date.parse("2026-03-28T12:00Z")
 * assert.equal(Calendar.between(made.value, from, from + 86_400_000), 7 * 3_600_000)
 * ```
 */
export const between = (calendar: Calendar, fromMs: number, toMs: number): number => {
  const found = tableOf(calendar)
  table.reach(found, fromMs)
  table.reach(found, toMs)
  return table.measure(found, toMs) - table.measure(found, fromMs)
}

/** The instant itself when open, else the next opening; `undefined` when the calendar never opens again. */
export const nextOpening = (calendar: Calendar, instantMs: number): number | undefined => {
  if (Number.isNaN(instantMs)) return undefined
  const found = tableOf(calendar)
  table.reach(found, instantMs)
  const index = table.indexAt(found, instantMs)
  if (index >= 0 && instantMs < found.ends[index]!) return instantMs
  while (index + 1 >= found.starts.length) if (!table.grow(found)) return undefined
  return found.starts[index + 1]
}

/** A stretch of open time between two instants, half-open: `fromMs` is open, `toMs` is not. */
export interface Interval {
  readonly fromMs: number
  readonly toMs: number
}

/**
 * The open stretches between two instants, in order, cut at both ends; adjoining windows are one stretch.
 *
 * **Gotchas** The list is as long as the time asked for: about 250 stretches a year for office hours.
 */
export const windows = (calendar: Calendar, fromMs: number, toMs: number): ReadonlyArray<Interval> => {
  const found = tableOf(calendar)
  table.reach(found, fromMs)
  table.reach(found, toMs)
  const open: Array<Interval> = []
  for (let index = Math.max(0, table.indexAt(found, fromMs)); index < found.starts.length; index++) {
    const from = Math.max(fromMs, found.starts[index]!)
    const to = Math.min(toMs, found.ends[index]!)
    if (found.starts[index]! >= toMs) break
    if (from < to) open.push({ fromMs: from, toMs: to })
  }
  return open
}
