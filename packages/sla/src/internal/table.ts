/**
 * The open windows of a calendar as one sorted table with running totals, built year by year when first needed, so that
 * every question is one or two binary searches.
 */
import type { CalendarChange, CalendarDefinition, HoursDefinition, Week, Window } from "../Calendar.ts"
import type { Holiday } from "../Holiday.ts"
import { dayMs, fromDay, minuteMs, weekdayOf, yearOf, yearStart } from "./civil.ts"
import { daysIn, toDate, weekdays } from "./holidays.ts"
import { segmentsOf } from "./zone.ts"

/** Years a calendar knows; outside them it is closed. What keeps an empty calendar from being searched for ever. */
export const firstYear = 1900
export const endYear = 2200

/** Half-open, in milliseconds of a local day; `to` may run into the next day. */
interface Range {
  readonly from: number
  readonly to: number
}

/** What a table is built from: the windows of a year, in order, appended to two lists. */
interface Source {
  /** The last year in which it can open: with no weekly windows, that of the last exception. */
  readonly lastYear: number
  readonly append: (year: number, starts: Array<number>, ends: Array<number>) => void
}

/** The hours that hold from a day on. */
interface Era {
  readonly from: number
  readonly week: ReadonlyArray<ReadonlyArray<Range>>
  /** Open ranges of each weekday when no special date is near. */
  readonly plain: ReadonlyArray<ReadonlyArray<Range>>
  readonly holidays: ReadonlyArray<Holiday>
  /** By day, for the years whose holidays are known. */
  readonly closures: Map<number, ReadonlyArray<Range>>
  readonly known: Set<number>
}

interface Hours {
  readonly timeZone: string
  readonly exceptions: ReadonlyMap<number, ReadonlyArray<Range>>
  /** Earliest first; the first holds from the beginning of time. */
  readonly eras: ReadonlyArray<Era>
}

export interface Table {
  readonly source: Source
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

const add = (map: Map<number, ReadonlyArray<Range>>, key: number, ranges: ReadonlyArray<Range>): void => {
  map.set(key, [...(map.get(key) ?? []), ...ranges])
}

const eraOf = (from: number, written: Week, holidays: ReadonlyArray<Holiday>): Era => {
  const week = weekdays.map((name) => (written[name] ?? []).map(toRange))
  return {
    from,
    week,
    plain: week.map((own, index) => dayOf(own, week[(index + 6) % 7]!)),
    holidays,
    closures: new Map(),
    known: new Set()
  }
}

const erasOf = ({ week, holidays, changes }: HoursDefinition): ReadonlyArray<Era> => {
  const eras: Array<Era> = []
  let current: CalendarChange = { from: "", week, holidays: holidays ?? [] }
  for (const change of [{ from: "" }, ...(changes ?? [])]) {
    current = { ...current, ...change }
    const from = change.from === "" ? Number.NEGATIVE_INFINITY : toDate(change.from)
    eras.push(eraOf(from, current.week ?? {}, current.holidays ?? []))
  }
  return eras
}

const eraAt = ({ eras }: Hours, day: number): Era => {
  let index = eras.length - 1
  while (eras[index]!.from > day) index--
  return eras[index]!
}

/** A rule of a neighbouring year may give a day of this one: moved over New Year, or far from Easter. */
const learnYear = ({ holidays, closures, known }: Era, around: number): void => {
  if (holidays.length === 0) return
  for (let year = around - 2; year <= around + 2; year++) {
    if (known.has(year)) continue
    known.add(year)
    for (const [index, day] of daysIn(holidays, year).entries()) {
      const { from, to } = holidays[index]!
      if (day !== undefined) add(closures, day, [{ from: toMs(from ?? "00:00"), to: toMs(to ?? "24:00") }])
    }
  }
}

const rangesOf = (hours: Hours, day: number): ReadonlyArray<Range> => {
  const { exceptions } = hours
  const era = eraAt(hours, day)
  const before = era.from === day ? eraAt(hours, day - 1) : era
  const exception = exceptions.get(day)
  const evening = exceptions.get(day - 1)
  const ranges =
    exception === undefined && evening === undefined && before === era
      ? era.plain[weekdayOf(day)]!
      : dayOf(exception ?? era.week[weekdayOf(day)]!, evening ?? before.week[weekdayOf(day - 1)]!)
  const closed = exception === undefined ? era.closures.get(day) : undefined
  return closed === undefined ? ranges : without(ranges, closed)
}

const push = (starts: Array<number>, ends: Array<number>, opens: number, closes: number): void => {
  if (ends.length > 0 && ends[ends.length - 1] === opens) ends[ends.length - 1] = closes
  else {
    starts.push(opens)
    ends.push(closes)
  }
}

/** The instants of a year at which the wall clock reads an open time, whatever the zone does. */
const hoursSource = (definition: HoursDefinition): Source => {
  const exceptions = new Map<number, ReadonlyArray<Range>>()
  for (const { date, windows } of definition.exceptions ?? []) add(exceptions, toDate(date), windows.map(toRange))
  const eras = erasOf(definition)
  const hours: Hours = { timeZone: definition.timeZone, exceptions, eras }
  const lastOfEras = eras.map(({ week }, index) =>
    week.some((windows) => windows.length > 0) ? (eras[index + 1]?.from ?? Number.POSITIVE_INFINITY) : -Infinity
  )
  // Two days of slack: an overnight window and the zone's offset may carry the last opening over New Year.
  const lastDay = Math.max(...lastOfEras, ...exceptions.keys()) + 2
  const lastYear = !Number.isFinite(lastDay)
    ? lastDay > 0
      ? endYear - 1
      : firstYear - 1
    : Math.min(endYear - 1, fromDay(lastDay).year)
  return {
    lastYear,
    append: (year, starts, ends) => {
      if (year > lastYear) return
      for (const era of eras) learnYear(era, year)
      const segments = segmentsOf(hours.timeZone, year)
      for (const [index, { at, offsetMs }] of segments.entries()) {
        const end = segments[index + 1]?.at ?? yearStart(year + 1)
        for (let day = Math.floor((at + offsetMs) / dayMs); day * dayMs - offsetMs < end; day++)
          for (const { from, to } of rangesOf(hours, day)) {
            const opens = Math.max(at, day * dayMs + from - offsetMs)
            const closes = Math.min(end, day * dayMs + to - offsetMs)
            if (opens < closes) push(starts, ends, opens, closes)
          }
      }
    }
  }
}

/** Open while at least so many of the parts are: one of them, or all. */
const combinedSource = (parts: ReadonlyArray<Source>, needed: number): Source => ({
  lastYear:
    needed === 1 ? Math.max(...parts.map(({ lastYear }) => lastYear)) : Math.min(...parts.map((part) => part.lastYear)),
  append: (year, starts, ends) => {
    const edges: Array<{ readonly at: number; readonly step: number }> = []
    for (const part of parts) {
      const opens: Array<number> = []
      const closes: Array<number> = []
      part.append(year, opens, closes)
      for (const at of opens) edges.push({ at, step: 1 })
      for (const at of closes) edges.push({ at, step: -1 })
    }
    edges.sort((a, b) => a.at - b.at || b.step - a.step)
    let open = 0
    let since = 0
    for (const { at, step } of edges) {
      open += step
      if (step > 0 && open === needed) since = at
      else if (step < 0 && open === needed - 1 && since < at) push(starts, ends, since, at)
    }
  }
})

const sourceOf = (definition: CalendarDefinition): Source =>
  "union" in definition
    ? combinedSource(definition.union.map(sourceOf), 1)
    : "intersection" in definition
      ? combinedSource(definition.intersection.map(sourceOf), definition.intersection.length)
      : hoursSource(definition)

export const compile = (definition: CalendarDefinition): Table => ({
  source: sourceOf(definition),
  from: 0,
  to: 0,
  fromMs: 0,
  toMs: 0,
  starts: [],
  ends: [],
  before: []
})

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
    for (let year = from; year < table.from; year++) table.source.append(year, starts, ends)
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
    for (let year = table.to; year < to; year++) table.source.append(year, table.starts, table.ends)
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
  if (table.to > table.source.lastYear) return false
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
