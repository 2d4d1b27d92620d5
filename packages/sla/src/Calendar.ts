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
import { type Holiday, Holiday as HolidaySchema } from "./Holiday.ts"
import { EndTime, FullDate, Time } from "./internal/fields.ts"
import * as table from "./internal/table.ts"
import { isZone } from "./internal/zone.ts"
import { fail, type Result, succeed } from "./Result.ts"

export type { Holiday } from "./Holiday.ts"

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
 *
 * **Gotchas** A start needs no option: whether something begins exactly at a closing time or anywhere in the closed time
 * after it, its first counted millisecond is that of the next opening. Only a duration of 0 can tell the difference, and
 * it follows the landing.
 *
 * **Source** What products document is told in the README, "Exactly at closing time".
 */
export type Landing = "closing" | "opening"

/**
 * Other hours from a date on.
 *
 * **Gotchas** What is absent stays as it was before. Everything before the date is exactly as it was without the change.
 * A night window that opened the evening before runs on into the date.
 */
export interface CalendarChange {
  /** `2026-03-01`: the first date on the wall clock for which the change holds. */
  readonly from: string
  readonly week?: Week
  /** All holidays from the date on, in place of those before: list again what stays. */
  readonly holidays?: ReadonlyArray<Holiday>
}

/** Opening hours in one time zone. */
export interface HoursDefinition {
  readonly id: string
  /** IANA name, such as `Europe/Madrid`. */
  readonly timeZone: string
  readonly week: Week
  readonly holidays?: ReadonlyArray<Holiday>
  readonly exceptions?: ReadonlyArray<Exception>
  /** Earliest first. */
  readonly changes?: ReadonlyArray<CalendarChange>
  /** `closing` when absent. */
  readonly landing?: Landing
}

/**
 * Open whenever one of its parts is: teams that follow the sun, each in its own time zone.
 *
 * **Gotchas** A team that moves to another zone is a union too: its hours in the old zone with a change to none, and
 * hours in the new zone that begin with a change.
 */
export interface UnionDefinition {
  readonly id: string
  /** At least one; parts may be unions and intersections, {@link deepest} levels deep. Their `landing` has no effect. */
  readonly union: ReadonlyArray<CalendarDefinition>
  /** `closing` when absent. */
  readonly landing?: Landing
}

/** Open only while all of its parts are: the hours in which two teams can talk to each other. */
export interface IntersectionDefinition {
  readonly id: string
  /** At least one; parts may be unions and intersections, {@link deepest} levels deep. Their `landing` has no effect. */
  readonly intersection: ReadonlyArray<CalendarDefinition>
  /** `closing` when absent. */
  readonly landing?: Landing
}

/** A calendar as it is written down: plain JSON. */
export type CalendarDefinition = HoursDefinition | UnionDefinition | IntersectionDefinition

/** How many levels of unions and intersections a definition may have. */
export const deepest = 8

const WindowSchema = z.strictObject({ opens: Time, closes: EndTime })
const Windows = z.array(WindowSchema).readonly()
const WeekSchema = z.strictObject({
  monday: z.exactOptional(Windows),
  tuesday: z.exactOptional(Windows),
  wednesday: z.exactOptional(Windows),
  thursday: z.exactOptional(Windows),
  friday: z.exactOptional(Windows),
  saturday: z.exactOptional(Windows),
  sunday: z.exactOptional(Windows)
})
const Holidays = z.array(HolidaySchema).readonly()
const LandingSchema = z.enum(["closing", "opening"])

const Change = z
  .strictObject({ from: FullDate, week: z.exactOptional(WeekSchema), holidays: z.exactOptional(Holidays) })
  .refine(({ week, holidays }) => week !== undefined || holidays !== undefined, "expected week or holidays")

const Hours: z.ZodType<HoursDefinition> = z.strictObject({
  id: z.string().min(1),
  timeZone: z.string().refine(isZone, `expected an IANA time zone such as "Europe/Madrid"`),
  week: WeekSchema,
  holidays: z.exactOptional(Holidays),
  exceptions: z.exactOptional(
    z.array(z.strictObject({ date: FullDate, name: z.exactOptional(z.string()), windows: Windows })).readonly()
  ),
  changes: z.exactOptional(
    z
      .array(Change)
      .readonly()
      .refine(
        (changes) => changes.every(({ from }, index) => index === 0 || changes[index - 1]!.from < from),
        "expected changes in order, each from a later date than the one before"
      )
  ),
  landing: z.exactOptional(LandingSchema)
})

const combinations = ["union", "intersection"] as const

/** The schema of a definition with so many levels of parts: no recursion, so that no input is too deep to refuse. */
const definitionOf = (levels: number): z.ZodType<CalendarDefinition> => {
  const parts = levels === 0 ? undefined : z.array(definitionOf(levels - 1)).min(1, "expected at least one calendar")
  // Choosing by key, where a union of schemas would say only that none fits, names the field that is wrong.
  return z.unknown().transform((input, context): CalendarDefinition => {
    const key = combinations.find((name) => typeof input === "object" && input !== null && name in input)
    if (key !== undefined && parts === undefined) {
      const message = `expected at most ${deepest} levels of unions and intersections`
      context.addIssue({ code: "custom", path: [key], message })
      return z.NEVER
    }
    const schema: z.ZodType<unknown> =
      key === undefined || parts === undefined
        ? Hours
        : z.strictObject({ id: z.string().min(1), [key]: parts, landing: z.exactOptional(LandingSchema) })
    const read = schema.safeParse(input)
    if (read.success) return read.data as CalendarDefinition
    for (const { path, message } of read.error.issues) context.addIssue({ code: "custom", path: [...path], message })
    return z.NEVER
  })
}

/** Reads a {@link CalendarDefinition}. */
export const CalendarDefinition: z.ZodType<CalendarDefinition> = definitionOf(deepest)

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
