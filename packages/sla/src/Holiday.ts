/**
 * Days on which a calendar is closed: dates, yearly rules, and where a holiday goes that falls on a weekend.
 *
 * @module
 */
import * as z from "zod"
import { EndTime, FullDate, Time, YearlyDate } from "./internal/fields.ts"
import { daysIn, toDateText, weekdays } from "./internal/holidays.ts"

/** A day of the week. */
export type Weekday = "monday" | "tuesday" | "wednesday" | "thursday" | "friday" | "saturday" | "sunday"

/** The nth weekday of a month: `{ month: 11, weekday: "thursday", nth: 4 }` is the fourth Thursday of November. */
export interface NthWeekday {
  /** 1 is January. */
  readonly month: number
  readonly weekday: Weekday
  /** 1 to 5 from the start of the month, -1 to -5 from its end: -1 is the last. Not every month has a fifth. */
  readonly nth: number
}

/** The first such weekday on or after a date: `{ weekday: "saturday", onOrAfter: "06-20" }` is Midsummer in Sweden. */
export interface WeekdayOnOrAfter {
  readonly weekday: Weekday
  /** `06-20`; not 29 February. */
  readonly onOrAfter: string
}

/** The last such weekday on or before a date: `{ weekday: "monday", onOrBefore: "05-24" }` is Victoria Day in Canada. */
export interface WeekdayOnOrBefore {
  readonly weekday: Weekday
  /** `05-24`; not 29 February. */
  readonly onOrBefore: string
}

/** A day counted from Easter Sunday: `{ easter: "western", days: -2 }` is Good Friday. */
export interface EasterDay {
  /** `western`: the Gregorian reckoning. `orthodox`: the Julian one, given as a date of our civil calendar. */
  readonly easter: "western" | "orthodox"
  /** Days after Easter Sunday, negative before; -120 to 120. */
  readonly days: number
}

/** `2026-12-25` once, `12-25` every year (`02-29` in leap years), or a rule that gives one day a year. */
export type HolidayDate = string | NthWeekday | WeekdayOnOrAfter | WeekdayOnOrBefore | EasterDay

/**
 * Where a holiday goes when it falls on certain weekdays: so many days later, or earlier when negative, -6 to 6.
 *
 * **Shape** `{ saturday: 2, sunday: 1 }` is the next Monday ({@link nextMonday}), `{ sunday: 1 }` moves Sundays only.
 *
 * **Gotchas** The day it falls on is then not closed by it; list the holiday twice to close both. When the day it goes to
 * is taken by another whole holiday of the list, or is a weekday that moves too, it goes on in the same direction to the
 * next day that is neither.
 */
export type Observed = { readonly [day in Weekday]?: number }

/**
 * A date on which a calendar is closed, wholly or in part.
 *
 * **Gotchas** It closes hours of that date on the wall clock. Of a night window it takes only the part on the date; to
 * drop the shift that begins on a date use an exception without windows.
 */
export interface Holiday {
  readonly date: HolidayDate
  readonly name?: string
  /** Closed from this time on; `00:00` when absent. */
  readonly from?: string
  /** Closed until this time; `24:00` when absent. */
  readonly to?: string
  /** Only of a date that comes every year. */
  readonly observed?: Observed
}

/**
 * From Saturday and Sunday to the Monday after; two in a row go to Monday and Tuesday.
 *
 * **Source** Substitute bank holidays of the United Kingdom: https://www.gov.uk/bank-holidays
 */
export const nextMonday: Observed = { saturday: 2, sunday: 1 }

/**
 * From Saturday to the Friday before, from Sunday to the Monday after.
 *
 * **Source** Federal holidays of the United States, 5 U.S.C. 6103(b) and Executive Order 11582.
 */
export const nearestWeekday: Observed = { saturday: -1, sunday: 1 }

const LastingDate = YearlyDate.refine((date) => date !== "02-29")
const WeekdayName = z.enum(weekdays)

const AnyDate: z.ZodType<HolidayDate> = z.union(
  [
    FullDate,
    YearlyDate,
    z.strictObject({
      month: z.int().min(1).max(12),
      weekday: WeekdayName,
      nth: z
        .int()
        .min(-5)
        .max(5)
        .refine((nth) => nth !== 0)
    }),
    z.strictObject({ weekday: WeekdayName, onOrAfter: LastingDate }),
    z.strictObject({ weekday: WeekdayName, onOrBefore: LastingDate }),
    z.strictObject({ easter: z.enum(["western", "orthodox"]), days: z.int().min(-120).max(120) })
  ],
  {
    error: `expected a date such as "2026-12-25", or "12-25" for every year, or a rule such as { month: 11, weekday: "thursday", nth: 4 }, { weekday: "monday", onOrBefore: "05-24" } or { easter: "western", days: -2 }`
  }
)

const Move = z.int("expected whole days from -6 to 6").min(-6).max(6)

/** Reads a {@link Holiday}. */
export const Holiday: z.ZodType<Holiday> = z
  .strictObject({
    date: AnyDate,
    name: z.exactOptional(z.string()),
    from: z.exactOptional(Time),
    to: z.exactOptional(EndTime),
    observed: z.exactOptional(
      z
        .strictObject({
          monday: z.exactOptional(Move),
          tuesday: z.exactOptional(Move),
          wednesday: z.exactOptional(Move),
          thursday: z.exactOptional(Move),
          friday: z.exactOptional(Move),
          saturday: z.exactOptional(Move),
          sunday: z.exactOptional(Move)
        })
        .refine((moves) => weekdays.some((day) => (moves[day] ?? 0) === 0), "expected a weekday that stays")
    )
  })
  .refine(({ from, to }) => (from ?? "00:00") < (to ?? "24:00"), "expected from to be before to")
  .refine(
    ({ date, observed }) => observed === undefined || typeof date !== "string" || date.length === 5,
    "expected no observed beside a date of one year: write the date it is observed on"
  )

/**
 * The dates of a list of holidays in one year, in order: what the rules come to, to show them or to check them.
 *
 * **Gotchas** A moved one may fall into the year before or after: New Year's Day 2022 was observed on 31 December 2021.
 *
 * **Example**
 * ```ts
 * import { strict as assert } from "node:assert"
 * import { Holiday } from "@switchboard/sla"
 *
 * const holidays: ReadonlyArray<Holiday.Holiday> = [
 *   { date: "12-25", name: "Christmas Day", observed: Holiday.nextMonday },
 *   { date: "12-26", name: "Boxing Day", observed: Holiday.nextMonday },
 *   { date: { easter: "western", days: -2 }, name: "Good Friday" },
 *   { date: { month: 5, weekday: "monday", nth: -1 }, name: "Spring bank holiday" }
 * ]
 * assert.deepEqual(
 *   Holiday.inYear(holidays, 2027).map(({ date, name }) => `${date} ${name}`),
 *   [
 *     "2027-03-26 Good Friday",
 *     "2027-05-31 Spring bank holiday",
 *     "2027-12-27 Christmas Day",
 *     "2027-12-28 Boxing Day"
 *   ]
 * )
 * ```
 */
export const inYear = (holidays: ReadonlyArray<Holiday>, year: number): ReadonlyArray<Holiday & { date: string }> =>
  daysIn(holidays, year)
    .flatMap((day, index) => {
      if (day === undefined) return []
      const { observed: _, ...holiday } = holidays[index]!
      return [{ day, holiday: { ...holiday, date: toDateText(day) } }]
    })
    .sort((a, b) => a.day - b.day)
    .map(({ holiday }) => holiday)
