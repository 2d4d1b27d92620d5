/**
 * Holidays and exceptions from iCalendar files, as calendar programs export and public bodies publish them.
 *
 * The package's index doesn't load this module: import it as `@switchboard/sla/CalendarImport`.
 *
 * **Source** RFC 5545.
 *
 * @module
 */
import * as z from "zod"
import type { Exception } from "./Calendar.ts"
import { type DecodeError, decode, fromIssues } from "./DecodeError.ts"
import type { Holiday } from "./Holiday.ts"
import { dayMs } from "./internal/civil.ts"
import { FullDate } from "./internal/fields.ts"
import { toDate, toDateText } from "./internal/holidays.ts"
import {
  type Block,
  blocksOf,
  durationOf,
  type Moment,
  momentsOf,
  type Piece,
  parse,
  piecesOf,
  textOf,
  timesOf,
  toInstant,
  toTimeText,
  Unusable,
  type Zone,
  zonesOf
} from "./internal/icalendar.ts"
import { Exhausted, spend } from "./internal/recurrence.ts"
import { isZone } from "./internal/zone.ts"
import { fail, type Result, succeed } from "./Result.ts"

/** What is known of an event before it is used. */
export interface ImportedEvent {
  readonly uid?: string
  /** SUMMARY. */
  readonly name?: string
  readonly description?: string
  /** The first value of every property by its name in small letters, such as `categories` or `x-apple-special-day`. */
  readonly properties: ReadonlyMap<string, string>
}

/** How a file is read. */
export interface ImportOptions {
  /** Zone of the calendar that will have the entries: times are its wall clock's, and times without a zone are in it. */
  readonly timeZone: string
  /** The last date that is read, up to `2199-12-31`: how far ahead a series without an end is followed. */
  readonly until: string
  /** The first date that is read; `1900-01-01` when absent. */
  readonly from?: string
  /**
   * Whether events that don't block time (TRANSP:TRANSPARENT) are `used` or `skipped`; `used` when absent, for public
   * holiday calendars mark all of their holidays so.
   */
  readonly transparent?: "used" | "skipped"
  /** Which events are used, such as public holidays without observances; all when absent. */
  readonly accepts?: (event: ImportedEvent) => boolean
  /** Longest text that is read; 1,000,000 characters when absent. */
  readonly maxCharacters?: number
  /**
   * Work done for the whole file: 1 for a day that a rule is asked of, 100 for an entry, 20,000 for a year of a time zone;
   * 10,000,000 when absent, a second or two.
   */
  readonly maxSteps?: number
}

/** A component of a file that gave no entry, or not all of its entries. */
export interface Skipped {
  /** `VEVENT`, `VTODO` and so on. */
  readonly component: string
  /** Counted from 1 among all components of the file. */
  readonly position: number
  /** The line it begins on, counted from 1. */
  readonly line: number
  readonly uid?: string
  readonly name?: string
  /**
   * `cancelled`, `transparent`, `not-accepted`: left out by its status, by `transparent`, by `accepts`. `no-event`: a task,
   * a journal entry and so on. `no-duration`: it has a time but no length. `outside`: not between `from` and `until`.
   * `unreadable`, `unknown-time-zone`, `unsupported`: the message says what.
   */
  readonly reason:
    | "cancelled"
    | "transparent"
    | "not-accepted"
    | "no-event"
    | "no-duration"
    | "outside"
    | "unreadable"
    | "unknown-time-zone"
    | "unsupported"
  readonly message: string
}

/** What a file gave, by date, and what it didn't give. */
export interface Imported<A> {
  readonly entries: ReadonlyArray<A>
  readonly skipped: ReadonlyArray<Skipped>
}

const Options = z.object({
  timeZone: z.string().refine(isZone, `expected an IANA time zone such as "Europe/Madrid"`),
  until: FullDate.refine((date) => date >= "1900-01-01" && date <= "2199-12-31", "expected a date from 1900 to 2199"),
  from: z.exactOptional(FullDate),
  transparent: z.exactOptional(z.enum(["used", "skipped"])),
  maxCharacters: z.exactOptional(z.int().positive()),
  maxSteps: z.exactOptional(z.int().positive())
})

/** One event on the wall clock of the calendar's zone. */
interface Entry {
  readonly name: string | undefined
  readonly pieces: ReadonlyArray<Piece>
}

interface Event {
  readonly block: Block
  readonly about: ImportedEvent
  readonly component: ReturnType<typeof parse>
  /** Which occurrence of its series it stands in for. */
  readonly instead: Moment | undefined
}

const aboutOf = (component: ReturnType<typeof parse>): ImportedEvent => {
  const properties = new Map<string, string>()
  for (const { name } of component.getAllProperties()) {
    const text = textOf(component, name)
    if (text !== undefined && !properties.has(name)) properties.set(name, text)
  }
  const [uid, name, description] = ["uid", "summary", "description"].map((key) => properties.get(key))
  return {
    ...(uid === undefined ? {} : { uid }),
    ...(name === undefined ? {} : { name: name.slice(0, 200) }),
    ...(description === undefined ? {} : { description }),
    properties
  }
}

const leftOut = ({ block, about }: Event, options: ImportOptions): Skipped["reason"] | undefined => {
  if (about.properties.get("status")?.toUpperCase() === "CANCELLED" || block.method === "CANCEL") return "cancelled"
  if (options.transparent === "skipped" && about.properties.get("transp")?.toUpperCase() === "TRANSPARENT")
    return "transparent"
  return options.accepts !== undefined && !options.accepts(about) ? "not-accepted" : undefined
}

const reasons: { readonly [reason in Skipped["reason"]]?: string } = {
  cancelled: "It is cancelled.",
  transparent: "It doesn't block time; import it with transparent: used.",
  "not-accepted": "The accepts option refuses it.",
  "no-event": "Only events close or open a calendar.",
  "no-duration": "It has a time but no length: give it an end or a duration.",
  outside: "It has no date between from and until."
}

const read = (text: string, options: ImportOptions): Result<Imported<Entry>, DecodeError> => {
  const { accepts: _, ...plain } = options
  const decoded = decode("import options", Options, plain)
  if (!decoded.ok) return decoded
  const what = "iCalendar file"
  const most = options.maxCharacters ?? 1_000_000
  if (text.length > most) {
    const [expected, found] = [`at most ${most} characters`, `${text.length}`]
    return fail(fromIssues(what, [{ path: "text", expected, found }]))
  }
  const split = blocksOf(text)
  if ("fault" in split) return fail(fromIssues(what, [split.fault]))

  const [firstDay, lastDay] = [toDate(options.from ?? "1900-01-01"), toDate(options.until)]
  const maxSteps = options.maxSteps ?? 10_000_000
  const budget = { left: maxSteps }
  // A day more than the last, for a time there may be on the last day here.
  const lastMs = (lastDay + 2) * dayMs
  const zoneOf = zonesOf(split.blocks, options.timeZone, lastMs, budget)
  const entries: Array<Entry> = []
  const skipped: Array<Skipped> = []
  const skip = (block: Block, about: ImportedEvent | undefined, reason: Skipped["reason"], message?: string): void => {
    skipped.push({
      component: block.name,
      position: block.position,
      line: block.line,
      ...(about?.uid === undefined ? {} : { uid: about.uid }),
      ...(about?.name === undefined ? {} : { name: about.name }),
      reason,
      message: message ?? reasons[reason] ?? ""
    })
  }
  /** Runs what may find its component unusable. */
  const attempt = (block: Block, about: ImportedEvent | undefined, work: () => void): void => {
    try {
      work()
    } catch (error) {
      if (error instanceof Exhausted) throw error
      const unusable = error instanceof Unusable
      skip(block, about, unusable ? error.code : "unreadable", error instanceof Error ? error.message : String(error))
    }
  }

  /** Whether some of the times gave an entry. */
  const add = ({ about, component }: Event, start: Moment, locals: ReadonlyArray<number>): boolean => {
    const { days, ms } = durationOf(component, start, zoneOf)
    if (days === 0 && ms <= 0) throw new Unusable("no-duration", reasons["no-duration"]!)
    let used = false
    for (const localMs of locals) {
      spend(budget, 1)
      // Two days of slack for the zones.
      if (localMs > lastMs || localMs + days * dayMs + ms < (firstDay - 2) * dayMs) continue
      const pieces = start.isDate
        ? wholeDays(Math.floor(localMs / dayMs), days, firstDay, lastDay)
        : between(toInstant(start.zone, localMs), toInstant(start.zone, localMs + days * dayMs) + ms)
      spend(budget, 100 * pieces.length)
      if (pieces.length > 0) {
        used = true
        entries.push({ name: about.name, pieces })
      }
    }
    return used
  }
  const between = (fromMs: number, toMs: number): ReadonlyArray<Piece> =>
    piecesOf(options.timeZone, Math.max(fromMs, (firstDay - 1) * dayMs), Math.min(toMs, (lastDay + 2) * dayMs)).filter(
      ({ day }) => day >= firstDay && day <= lastDay
    )

  const events: Array<Event> = []
  let current: Block | undefined
  try {
    for (const block of split.blocks) {
      if (block.name === "VTIMEZONE") continue
      if (block.name !== "VEVENT") {
        skip(block, undefined, "no-event")
        continue
      }
      attempt(block, undefined, () => {
        const component = parse(block)
        const instead = momentsOf(component, "recurrence-id", zoneOf)[0]
        events.push({ block, about: aboutOf(component), component, instead })
      })
    }
    const changes = new Map<string, Array<Moment>>()
    for (const { about, instead, component, block } of events) {
      if (instead === undefined || about.uid === undefined) continue
      if (component.getFirstProperty("recurrence-id")?.getFirstParameter("range") !== undefined)
        skip(block, about, "unsupported", "RECURRENCE-ID: RANGE is not supported; only its own occurrence is changed.")
      const known = changes.get(about.uid)
      if (known === undefined) changes.set(about.uid, [instead])
      else known.push(instead)
    }
    for (const event of events) {
      const { block, about, component, instead } = event
      current = block
      const reason = leftOut(event, options)
      if (reason !== undefined) {
        skip(block, about, reason)
        continue
      }
      attempt(block, about, () => {
        const start = momentsOf(component, "dtstart", zoneOf)[0]
        if (start === undefined) throw new Unusable("unreadable", "DTSTART: expected a date or a time, found none.")
        if (instead !== undefined) {
          if (!add(event, start, [start.localMs])) skip(block, about, "outside")
          return
        }
        const except = [
          ...momentsOf(component, "exdate", zoneOf),
          ...((about.uid === undefined ? undefined : changes.get(about.uid)) ?? [])
        ]
        spend(budget, except.length)
        const isExcepted = exceptedBy(except, start)
        const listed = momentsOf(component, "rdate", zoneOf)
        const periods = listed.filter(({ endMs }) => endMs !== undefined)
        let used = false
        for (const { zone, localMs, endMs } of periods) {
          const pieces = isExcepted(localMs) ? [] : between(toInstant(zone, localMs), endMs!)
          spend(budget, 1 + 100 * pieces.length)
          if (pieces.length === 0) continue
          used = true
          entries.push({ name: about.name, pieces })
        }
        const locals = new Set([
          ...timesOf(component, start, lastMs, budget),
          ...listed
            .filter(({ endMs }) => endMs === undefined)
            .map(({ isDate, zone, localMs }) =>
              isDate || zone === start.zone ? localMs : toLocal(start.zone, toInstant(zone, localMs))
            )
        ])
        const left = [...locals].filter((localMs) => !isExcepted(localMs))
        used = add(event, start, left) || used
        if (!used && left.length > 0) skip(block, about, "outside")
      })
    }
  } catch (error) {
    if (!(error instanceof Exhausted)) throw error
    const path = current === undefined ? "text" : `${current.name}[${current.position}] in line ${current.line}`
    const expected = `dates that take at most ${maxSteps} steps until ${options.until}`
    return fail(fromIssues(what, [{ path, expected, found: "more" }]))
  }
  entries.sort((a, b) => a.pieces[0]!.day - b.pieces[0]!.day || a.pieces[0]!.from - b.pieces[0]!.from)
  skipped.sort((a, b) => a.position - b.position)
  return succeed({ entries, skipped })
}

const toLocal = (zone: Zone, instantMs: number): number => instantMs + zone(instantMs)

const wholeDays = (day: number, days: number, firstDay: number, lastDay: number): ReadonlyArray<Piece> => {
  const first = Math.max(day, firstDay)
  const length = Math.max(0, Math.min(day + days, lastDay + 1) - first)
  return Array.from({ length }, (_, index) => ({ day: first + index, from: 0, to: 1440 }))
}

/**
 * Whether a local time of a series is among those left out: by its instant, or by its date when only that is written or
 * the series has only dates.
 */
const exceptedBy = (except: ReadonlyArray<Moment>, { isDate, zone }: Moment): ((localMs: number) => boolean) => {
  const byDate = except.filter((moment) => isDate || moment.isDate)
  const dates = new Set(byDate.map(({ localMs }) => Math.floor(localMs / dayMs)))
  const byTime = except.filter((moment) => !isDate && !moment.isDate)
  const instants = new Set(byTime.map((moment) => toInstant(moment.zone, moment.localMs)))
  return (localMs) =>
    dates.has(Math.floor(localMs / dayMs)) || (instants.size > 0 && instants.has(toInstant(zone, localMs)))
}

/**
 * The holidays of an iCalendar file: an event closes the dates it lies on, a timed one only its part of them.
 *
 * **Shape** One entry per date, in order; events of several days and series become as many entries. Rules with FREQ
 * DAILY, WEEKLY, MONTHLY and YEARLY, EXDATE, RDATE and RECURRENCE-ID are followed; time zones are the platform's by name,
 * or else the file's VTIMEZONE.
 *
 * **Units** Times are rounded outwards to whole minutes of the calendar's wall clock. Of an hour that the clock repeats
 * both passes are closed.
 *
 * **Fails with** {@link DecodeError} when the options are wrong, when the text is too long, no iCalendar file or broken
 * off, and when its rules give more than `maxSteps`. A component that can't be used is listed in `skipped`, and the
 * others are used.
 *
 * **Example**
 * ```ts
 * import { strict as assert } from "node:assert"
 * import { Calendar } from "@switchboard/sla"
 * import * as CalendarImport from "@switchboard/sla/CalendarImport"
 *
 * const text = `BEGIN:VCALENDAR
 * VERSION:2.0
 * PRODID:-//Example//Holidays//EN
 * BEGIN:VEVENT
 * UID:thanksgiving@example.org
 * DTSTAMP:20260101T000000Z
 * DTSTART;VALUE=DATE:20261126
 * RRULE:FREQ=YEARLY;BYMONTH=11;BYDAY=4TH
 * SUMMARY:Thanksgiving
 * END:VEVENT
 * END:VCALENDAR`
 * const imported = CalendarImport.decodeHolidays(text, { timeZone: "America/New_York", until: "2028-12-31" })
 * assert(imported.ok)
 * assert.deepEqual(imported.value.entries, [
 *   { date: "2026-11-26", name: "Thanksgiving" },
 *   { date: "2027-11-25", name: "Thanksgiving" },
 *   { date: "2028-11-23", name: "Thanksgiving" }
 * ])
 * assert.deepEqual(imported.value.skipped, [])
 * const made = Calendar.make({
 *   id: "office",
 *   timeZone: "America/New_York",
 *   week: Calendar.workdays({ opens: "09:00", closes: "17:00" }),
 *   holidays: imported.value.entries
 * })
 * assert(made.ok)
 * ```
 */
export const decodeHolidays = (text: string, options: ImportOptions): Result<Imported<Holiday>, DecodeError> => {
  const imported = read(text, options)
  if (!imported.ok) return imported
  const holidays = imported.value.entries.flatMap(({ name, pieces }) =>
    pieces.map(({ day, from, to }) => ({
      day,
      holiday: {
        date: toDateText(day),
        ...(name === undefined ? {} : { name }),
        ...(from === 0 ? {} : { from: toTimeText(from) }),
        ...(to === 1440 ? {} : { to: toTimeText(to) })
      }
    }))
  )
  holidays.sort((a, b) => a.day - b.day)
  return succeed({ entries: holidays.map(({ holiday }) => holiday), skipped: imported.value.skipped })
}

/**
 * The exceptions of an iCalendar file: an event is a window in which the calendar is open on its date, such as open
 * Sundays or the working Saturdays of a year; an all-day event opens the whole day.
 *
 * **Gotchas** A date that has an exception has only the windows of its exceptions. An event over midnight of less than a
 * day is one window of the date it begins on; a longer one is cut at midnights.
 *
 * **Fails with** what {@link decodeHolidays} fails with.
 */
export const decodeExceptions = (text: string, options: ImportOptions): Result<Imported<Exception>, DecodeError> => {
  const imported = read(text, options)
  if (!imported.ok) return imported
  const exceptions = imported.value.entries.flatMap(({ name, pieces }) => {
    const [first, second] = pieces
    const isNight =
      pieces.length === 2 &&
      first?.to === 1440 &&
      second?.from === 0 &&
      second.day === first.day + 1 &&
      second.to <= first.from
    const windows = isNight
      ? [{ day: first.day, opens: toTimeText(first.from), closes: toTimeText(second.to) }]
      : pieces.map(({ day, from, to }) => ({ day, opens: toTimeText(from), closes: toTimeText(to) }))
    return windows.map(({ day, ...window }) => ({
      day,
      exception: { date: toDateText(day), ...(name === undefined ? {} : { name }), windows: [window] }
    }))
  })
  exceptions.sort((a, b) => a.day - b.day)
  return succeed({ entries: exceptions.map(({ exception }) => exception), skipped: imported.value.skipped })
}
