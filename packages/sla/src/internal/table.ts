/**
 * The open windows of a calendar as one sorted table with running totals, built year by year when first needed, so that
 * every question is one or two binary searches.
 */
import type { CalendarDefinition, Window } from "../Calendar.ts"
import { dayMs, fromDay, minuteMs, toDay, weekdayOf, yearOf, yearStart } from "./civil.ts"
import { segmentsOf } from "./zone.ts"

/** Years a calendar knows; outside them it is closed. What keeps an empty calendar from being searched for ever. */
export const firstYear = 1900
export const endYear = 2200

/** Half-open, in milliseconds of a local day; `to` may run into the next day. */
interface Range {
  readonly from: number
  readonly to: number
}

export interface Table {
  readonly timeZone: string
  readonly week: ReadonlyArray<ReadonlyArray<Range>>
  readonly exceptions: ReadonlyMap<number, ReadonlyArray<Range>>
  readonly closures: ReadonlyMap<number, ReadonlyArray<Range>>
  /** By month × 100 + day. */
  readonly yearlyClosures: ReadonlyMap<number, ReadonlyArray<Range>>
  /** Open ranges of each weekday when no special date is near. */
  readonly plain: ReadonlyArray<ReadonlyArray<Range>>
  /** The last year in which the calendar can open: with no weekly windows, that of the last exception. */
  readonly lastYear: number
  /** Years covered: `from` inclusive, `to` exclusive; equal while nothing is built. */
  from: number
  to: number
  /** The same in milliseconds. */
  fromMs: number
  toMs: number
  starts: Array<number>
  ends: Array<number>
  /** Open milliseconds before each window, counted from the first one. */
  before: Array<number>
}

const toMs = (time: string): number => (Number(time.slice(0, 2)) * 60 + Number(time.slice(3, 5))) * minuteMs

const toRange = ({ opens, closes }: Window): Range => {
  const from = toMs(opens)
  const to = toMs(closes)
  return { from, to: to > from ? to : to + dayMs }
}

const merge = (ranges: ReadonlyArray<Range>): ReadonlyArray<Range> => {
  const merged: Array<Range> = []
  for (const range of [...ranges].sort((a, b) => a.from - b.from)) {
    const last = merged.at(-1)
    if (last !== undefined && range.from <= last.to)
      merged[merged.length - 1] = { from: last.from, to: Math.max(last.to, range.to) }
    else merged.push(range)
  }
  return merged
}

const without = (ranges: ReadonlyArray<Range>, closed: ReadonlyArray<Range>): ReadonlyArray<Range> =>
  closed.reduce<ReadonlyArray<Range>>(
    (open, { from, to }) =>
      open.flatMap((range) =>
        [
          { from: range.from, to: Math.min(range.to, from) },
          { from: Math.max(range.from, to), to: range.to }
        ].filter((rest) => rest.from < rest.to)
      ),
    ranges
  )

/** The open ranges of a day, from the windows that start on it and those of the evening before that run into it. */
const dayOf = (own: ReadonlyArray<Range>, evening: ReadonlyArray<Range>): ReadonlyArray<Range> =>
  merge([
    ...own.map(({ from, to }) => ({ from, to: Math.min(to, dayMs) })),
    ...evening.filter(({ to }) => to > dayMs).map(({ to }) => ({ from: 0, to: to - dayMs }))
  ])

const weekdays = ["monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday"] as const

const toDate = (date: string): number =>
  toDay(Number(date.slice(0, 4)), Number(date.slice(5, 7)), Number(date.slice(8, 10)))

const add = (map: Map<number, ReadonlyArray<Range>>, key: number, ranges: ReadonlyArray<Range>): void => {
  map.set(key, [...(map.get(key) ?? []), ...ranges])
}

export const compile = (definition: CalendarDefinition): Table => {
  const week = weekdays.map((name) => (definition.week[name] ?? []).map(toRange))
  const exceptions = new Map<number, ReadonlyArray<Range>>()
  for (const { date, windows } of definition.exceptions ?? []) add(exceptions, toDate(date), windows.map(toRange))
  const closures = new Map<number, ReadonlyArray<Range>>()
  const yearlyClosures = new Map<number, ReadonlyArray<Range>>()
  for (const { date, from, to } of definition.holidays ?? []) {
    const range = { from: toMs(from ?? "00:00"), to: toMs(to ?? "24:00") }
    if (date.length === 5) add(yearlyClosures, Number(date.slice(0, 2)) * 100 + Number(date.slice(3, 5)), [range])
    else add(closures, toDate(date), [range])
  }
  const hasWeek = week.some((windows) => windows.length > 0)
  const lastException = Math.max(...exceptions.keys())
  return {
    timeZone: definition.timeZone,
    week,
    exceptions,
    closures,
    yearlyClosures,
    plain: week.map((own, index) => dayOf(own, week[(index + 6) % 7]!)),
    // Two days of slack: an overnight window and the zone's offset may carry the last exception over New Year.
    lastYear: hasWeek
      ? endYear - 1
      : exceptions.size === 0
        ? firstYear - 1
        : Math.min(endYear - 1, fromDay(lastException + 2).year),
    from: 0,
    to: 0,
    fromMs: 0,
    toMs: 0,
    starts: [],
    ends: [],
    before: []
  }
}

const rangesOf = (table: Table, day: number): ReadonlyArray<Range> => {
  const { exceptions, closures, yearlyClosures, week } = table
  let ranges = table.plain[weekdayOf(day)]!
  const exception = exceptions.get(day)
  const evening = exceptions.get(day - 1)
  if (exception !== undefined || evening !== undefined)
    ranges = dayOf(exception ?? week[weekdayOf(day)]!, evening ?? week[weekdayOf(day - 1)]!)
  if (exception !== undefined) return ranges
  const closed = closures.get(day)
  if (closed !== undefined) ranges = without(ranges, closed)
  if (yearlyClosures.size > 0) {
    const { month, day: date } = fromDay(day)
    const yearly = yearlyClosures.get(month * 100 + date)
    if (yearly !== undefined) ranges = without(ranges, yearly)
  }
  return ranges
}

/** Appends the windows of one year: the instants at which the wall clock reads an open time, whatever the zone does. */
const appendYear = (table: Table, year: number, starts: Array<number>, ends: Array<number>): void => {
  if (year > table.lastYear) return
  const segments = segmentsOf(table.timeZone, year)
  for (const [index, { at, offsetMs }] of segments.entries()) {
    const end = segments[index + 1]?.at ?? yearStart(year + 1)
    for (let day = Math.floor((at + offsetMs) / dayMs); day * dayMs - offsetMs < end; day++)
      for (const { from, to } of rangesOf(table, day)) {
        const opens = Math.max(at, day * dayMs + from - offsetMs)
        const closes = Math.min(end, day * dayMs + to - offsetMs)
        if (opens >= closes) continue
        if (ends.length > 0 && ends[ends.length - 1] === opens) ends[ends.length - 1] = closes
        else {
          starts.push(opens)
          ends.push(closes)
        }
      }
  }
}

const total = (table: Table, fromIndex: number): void => {
  const { starts, ends, before } = table
  before.length = starts.length
  for (let index = fromIndex; index < starts.length; index++)
    before[index] = index === 0 ? 0 : before[index - 1]! + ends[index - 1]! - starts[index - 1]!
}

/** Makes the table cover the years in [from, to), and all between them and what it covers already. */
const cover = (table: Table, from: number, to: number): void => {
  if (table.from === table.to) {
    table.from = from
    table.to = from
  }
  if (from < table.from) {
    const starts: Array<number> = []
    const ends: Array<number> = []
    for (let year = from; year < table.from; year++) appendYear(table, year, starts, ends)
    if (ends.length > 0 && ends.at(-1) === table.starts[0]) {
      ends[ends.length - 1] = table.ends[0]!
      table.starts = starts.concat(table.starts.slice(1))
      table.ends = ends.concat(table.ends.slice(1))
    } else {
      table.starts = starts.concat(table.starts)
      table.ends = ends.concat(table.ends)
    }
    table.from = from
    total(table, 0)
  }
  if (to > table.to) {
    const known = table.starts.length
    for (let year = table.to; year < to; year++) appendYear(table, year, table.starts, table.ends)
    table.to = to
    total(table, known)
  }
  table.fromMs = yearStart(table.from)
  table.toMs = yearStart(table.to)
}

const clampYear = (year: number): number => Math.min(Math.max(year, firstYear), endYear - 1)

/** Makes the table hold the year of an instant. */
export const reach = (table: Table, instantMs: number): void => {
  if ((instantMs >= table.fromMs && instantMs < table.toMs) || Number.isNaN(instantMs)) return
  const year = clampYear(Number.isFinite(instantMs) ? yearOf(instantMs) : instantMs > 0 ? endYear : firstYear)
  if (year < table.from || year >= table.to || table.from === table.to)
    cover(table, table.from === table.to ? year : Math.min(year, table.from), Math.max(year + 1, table.to))
}

/** Adds the next year in which the calendar may open; false when there is none. */
export const grow = (table: Table): boolean => {
  if (table.to > table.lastYear) return false
  cover(table, table.from, table.to + 1)
  return true
}

/** Index of the last window that opens at or before an instant, or -1. */
export const indexAt = ({ starts }: Table, instantMs: number): number => {
  let low = 0
  let high = starts.length
  while (low < high) {
    const middle = (low + high) >>> 1
    if (starts[middle]! <= instantMs) low = middle + 1
    else high = middle
  }
  return low - 1
}

/** Open milliseconds from the table's first window to an instant. */
export const measure = (table: Table, instantMs: number): number => {
  const index = indexAt(table, instantMs)
  if (index < 0) return Number.isNaN(instantMs) ? Number.NaN : 0
  const start = table.starts[index]!
  const end = table.ends[index]!
  return table.before[index]! + Math.min(instantMs, end) - start
}

/** Open milliseconds in the whole table. */
export const measureAll = ({ before, starts, ends }: Table): number => {
  const last = starts.length - 1
  return last < 0 ? 0 : before[last]! + ends[last]! - starts[last]!
}

/** Index of the last window before which fewer than (or, `orEqual`, at most) `counted` milliseconds are open, or -1. */
export const indexOf = ({ before }: Table, counted: number, orEqual: boolean): number => {
  let low = 0
  let high = before.length
  while (low < high) {
    const middle = (low + high) >>> 1
    const value = before[middle]!
    if (value < counted || (orEqual && value === counted)) low = middle + 1
    else high = middle
  }
  return low - 1
}
