/** Components, times and time zones of an iCalendar file (RFC 5545), read with ical.js. */
import ICAL from "ical.js"
import { dayMs, toDay, yearOf, yearStart } from "./civil.ts"
import { isDate } from "./holidays.ts"
import { type Budget, expand, type Rule, spend, unsupportedIn } from "./recurrence.ts"
import { endYear, firstYear } from "./table.ts"
import { segmentsOf, zoneNamed } from "./zone.ts"

/** A component that stands directly in a VCALENDAR, as text. */
export interface Block {
  readonly name: string
  /** Counted from 1 among all components. */
  readonly position: number
  readonly line: number
  readonly text: string
  /** METHOD of the VCALENDAR it stands in. */
  readonly method: string
}

/** What is wrong with a part of a file; thrown while a component is read, and caught where it is reported. */
export class Unusable extends Error {
  readonly code: "unreadable" | "unknown-time-zone" | "unsupported" | "no-duration"
  constructor(code: Unusable["code"], message: string) {
    super(message)
    this.code = code
  }
}

/** What is wrong with the file as a whole: where, what should be there, and what is. */
export interface Fault {
  readonly path: string
  readonly expected: string
  readonly found: string
}

const cut = (text: string): string => (text.length > 80 ? `${text.slice(0, 79)}…` : text)

/** The components of a file, each by itself, so that one that is broken spoils no other. */
export const blocksOf = (text: string): { readonly blocks: ReadonlyArray<Block> } | { readonly fault: Fault } => {
  const blocks: Array<Block> = []
  const open: Array<{ readonly name: string; readonly line: number }> = []
  let lines: Array<string> = []
  let method = ""
  for (const [index, line] of text
    .replace(/^\uFEFF/, "")
    .split(/\r\n|\n|\r/)
    .entries()) {
    const [, edge, written] = /^(BEGIN|END):\s*([A-Z0-9-]+)\s*$/i.exec(line) ?? []
    const name = written?.toUpperCase() ?? ""
    if (open.length === 0) {
      if (line.trim() === "") continue
      if (edge?.toUpperCase() !== "BEGIN" || name !== "VCALENDAR")
        return {
          fault: { path: "text", expected: "an iCalendar file, which begins with BEGIN:VCALENDAR", found: cut(line) }
        }
      open.push({ name, line: index + 1 })
      method = ""
      continue
    }
    if (open.length > 1) lines.push(line)
    if (edge === undefined) {
      if (open.length > 1) continue
      const colon = line.indexOf(":")
      const property = line.slice(0, Math.max(colon, 0)).split(";")[0]?.toUpperCase()
      const value = line.slice(colon + 1).trim()
      if (property === "METHOD") method = value.toUpperCase()
      if (property === "CALSCALE" && value.toUpperCase() !== "GREGORIAN")
        return { fault: { path: "VCALENDAR.CALSCALE", expected: "GREGORIAN", found: cut(value) } }
    } else if (edge.toUpperCase() === "BEGIN") {
      if (open.length === 1) lines = [line]
      open.push({ name, line: index + 1 })
    } else {
      const last = open.pop()!
      if (last.name !== name)
        return {
          fault: { path: `line ${index + 1}`, expected: `END:${last.name} for line ${last.line}`, found: cut(line) }
        }
      if (open.length === 1)
        blocks.push({ name, position: blocks.length + 1, line: last.line, text: lines.join("\r\n"), method })
    }
  }
  const last = open.at(-1)
  if (last !== undefined)
    return { fault: { path: "text", expected: `END:${last.name} for line ${last.line}`, found: "the end of the text" } }
  if (blocks.length === 0 && !/BEGIN:VCALENDAR/i.test(text))
    return {
      fault: { path: "text", expected: "an iCalendar file, which begins with BEGIN:VCALENDAR", found: cut(text) }
    }
  return { blocks }
}

export const parse = (block: Block): ICAL.Component => {
  try {
    return new ICAL.Component(ICAL.parse(block.text))
  } catch (error) {
    throw new Unusable("unreadable", error instanceof Error ? error.message : String(error))
  }
}

/** A property's first value as text; `undefined` when it has none. */
export const textOf = (component: ICAL.Component, name: string): string | undefined => {
  const value = component.getFirstProperty(name)?.jCal[3]
  return typeof value === "string" && value.trim() !== "" ? value.trim() : undefined
}

/** A time zone: milliseconds that local time is ahead of UTC at an instant. */
export type Zone = (instantMs: number) => number

const utc: Zone = () => 0

/** Steps that a year of a zone is worth, for each costs the platform a few hundred questions. */
const zoneYear = 20_000

/** Beyond the years that calendars know, a zone stays as it is at their edge. */
const platformZone = (timeZone: string, budget: Budget): Zone => {
  const asked = new Set<number>()
  return (instantMs) => {
    const year = Math.min(Math.max(yearOf(instantMs), firstYear), endYear - 1)
    if (!asked.has(year)) {
      asked.add(year)
      spend(budget, zoneYear)
    }
    const segments = segmentsOf(timeZone, year)
    return (segments.findLast(({ at }) => at <= instantMs) ?? segments[0]!).offsetMs
  }
}

/**
 * The instant of a local time. One that the clock skips is read by the offset before the gap, one that it repeats is the
 * first of the two (RFC 5545, 3.3.5).
 */
export const toInstant = (zone: Zone, localMs: number): number => {
  const before = localMs - zone(localMs - dayMs)
  if (before + zone(before) === localMs) return before
  const after = localMs - zone(localMs + dayMs)
  return after + zone(after) === localMs ? after : before
}

/** A date, or a time of day in a zone; a UTC time is one too. */
export interface Moment {
  readonly isDate: boolean
  /** On the local time line. */
  readonly localMs: number
  readonly zone: Zone
}

interface WallTime {
  readonly isDate: boolean
  readonly isUtc: boolean
  readonly localMs: number
}

/** Reads the text of a time and not ical.js's value of it, which makes 30 February the 2nd of March. */
const readTime = (name: string, value: unknown): WallTime => {
  const found = /^(\d{4})-(\d\d)-(\d\d)(?:T(\d\d):(\d\d):(\d\d)(Z)?)?$/.exec(String(value))
  if (found === null)
    throw new Unusable("unreadable", `${name}: expected a date or a time, found ${cut(String(value))}.`)
  const [year, month, day, hour, minute, second] = found.slice(1, 7).map((part) => Number(part ?? 0)) as [
    number,
    number,
    number,
    number,
    number,
    number
  ]
  if (!isDate(year, month, day) || hour > 23 || minute > 59 || second > 60)
    throw new Unusable("unreadable", `${name}: there is no ${found[0]}.`)
  return {
    isDate: found[4] === undefined,
    isUtc: found[7] !== undefined,
    localMs: toDay(year, month, day) * dayMs + hour * 3_600_000 + minute * 60_000 + second * 1000
  }
}

/** The values of a property as ical.js keeps them: texts of times, pairs of texts for periods. */
const valuesOf = (property: ICAL.Property): ReadonlyArray<unknown> => property.jCal.slice(3)

const hours = (seconds: number): number => seconds * 1000

/** The rules of a component, refused when one can't be followed. */
const rulesOf = (component: ICAL.Component): ReadonlyArray<ICAL.Recur> => {
  if (component.hasProperty("exrule")) throw new Unusable("unsupported", "EXRULE is not supported.")
  return component.getAllProperties("rrule").map((property) => {
    const rule: unknown = property.getFirstValue()
    if (!(rule instanceof ICAL.Recur)) throw new Unusable("unreadable", "RRULE: expected a recurrence rule.")
    const unsupported = unsupportedIn(rule as Rule)
    if (unsupported !== undefined) throw new Unusable("unsupported", `RRULE: ${unsupported} is not supported.`)
    return rule
  })
}

/** The local times of a start and its rules, up to and with a local time. */
export const timesOf = (
  component: ICAL.Component,
  { localMs, isDate, zone }: Moment,
  lastMs: number,
  budget: Budget
): ReadonlyArray<number> => {
  const start = Math.floor(localMs / dayMs)
  const time = localMs - start * dayMs
  const times = [localMs]
  for (const rule of rulesOf(component)) {
    let last = lastMs
    if (rule.until !== null) {
      const until = readTime("RRULE", rule.until.toString())
      const local = until.localMs
      // A date as the end of a series of times holds to its end; a UTC time is meant in the zone of the start.
      const end = until.isDate ? local + dayMs - 1 : isDate || !until.isUtc ? local : local + zone(local)
      last = Math.min(last, end)
    }
    for (const day of expand(rule as Rule, start, Math.floor((last - time) / dayMs), budget))
      times.push(day * dayMs + time)
  }
  return [...new Set(times)]
}

/** The offsets of a VTIMEZONE: each of its observances begins at the local times of its own rules. */
const writtenZone = (component: ICAL.Component, lastMs: number, budget: Budget): Zone => {
  const changes: Array<{ readonly at: number; readonly offsetMs: number; readonly beforeMs: number }> = []
  for (const observance of component.getAllSubcomponents()) {
    const start = readTime("DTSTART", observance.getFirstProperty("dtstart")?.jCal[3])
    const [from, to] = ["tzoffsetfrom", "tzoffsetto"].map((name) => {
      const offset: unknown = observance.getFirstPropertyValue(name)
      if (!(offset instanceof ICAL.UtcOffset)) throw new Unusable("unreadable", `${name.toUpperCase()}: expected one.`)
      return hours(offset.toSeconds())
    }) as [number, number]
    const zone: Zone = () => from
    const moment: Moment = { isDate: false, localMs: start.localMs, zone }
    const listed = observance
      .getAllProperties("rdate")
      .flatMap((property) => valuesOf(property).map((value) => readTime("RDATE", value).localMs))
    for (const local of [...timesOf(observance, moment, lastMs, budget), ...listed])
      changes.push({ at: local - from, offsetMs: to, beforeMs: from })
    spend(budget, 100 * changes.length)
  }
  changes.sort((a, b) => a.at - b.at)
  if (changes.length === 0) throw new Unusable("unreadable", "VTIMEZONE: expected STANDARD or DAYLIGHT.")
  return (instantMs) => {
    let [low, high] = [0, changes.length]
    while (low < high) {
      const middle = (low + high) >>> 1
      if (changes[middle]!.at <= instantMs) low = middle + 1
      else high = middle
    }
    return low === 0 ? changes[0]!.beforeMs : changes[low - 1]!.offsetMs
  }
}

/** No file of holidays names more; each costs memory for good, for what the platform says of a zone is remembered. */
const mostZones = 100

/**
 * Finds time zones by their TZID: that of the platform when it knows the name, also at the end of a path such as
 * `/freeassociation.sourceforge.net/Europe/Paris`, else the VTIMEZONE that the file brings.
 */
export const zonesOf = (
  blocks: ReadonlyArray<Block>,
  floating: string,
  lastMs: number,
  budget: Budget
): ((tzid: string | undefined) => Zone) => {
  const known = new Map<string, Zone | Unusable>()
  const written = new Map<string, Block>()
  for (const block of blocks) {
    const name = block.name === "VTIMEZONE" ? /^TZID[^:\r\n]*:([^\r\n]*)/im.exec(block.text)?.[1] : undefined
    if (name !== undefined) written.set(name.trim(), block)
  }
  const find = (tzid: string): Zone => {
    const steps = tzid.split("/").filter((step) => step !== "")
    for (const part of [steps, steps.slice(-3), steps.slice(-2)]) {
      const named = zoneNamed(part.join("/"))
      if (named !== undefined) return platformZone(named, budget)
    }
    const block = written.get(tzid)
    if (block === undefined)
      throw new Unusable("unknown-time-zone", `TZID: neither the platform nor the file knows ${cut(tzid)}.`)
    const component = parse(block)
    const location = zoneNamed(textOf(component, "x-lic-location") ?? "")
    return location === undefined ? writtenZone(component, lastMs, budget) : platformZone(location, budget)
  }
  return (tzid) => {
    const name = tzid ?? floating
    let zone = known.get(name)
    if (zone === undefined) {
      if (known.size >= mostZones)
        throw new Unusable("unsupported", `TZID: the file names more than ${mostZones} zones.`)
      try {
        zone = find(name)
      } catch (error) {
        if (!(error instanceof Unusable)) throw error
        zone = error
      }
      known.set(name, zone)
    }
    if (zone instanceof Unusable) throw zone
    return zone
  }
}

/** All dates and times of a property, such as the several of an EXDATE; of a period, its start. */
export const momentsOf = (
  component: ICAL.Component,
  name: string,
  zoneOf: (tzid: string | undefined) => Zone
): ReadonlyArray<Moment & { readonly endMs: number | undefined }> =>
  component.getAllProperties(name).flatMap((property) =>
    valuesOf(property).map((value) => {
      const [first, second] = Array.isArray(value) ? (value as ReadonlyArray<unknown>) : [value]
      const time = readTime(name.toUpperCase(), first)
      const zone = time.isUtc ? utc : zoneOf(property.getFirstParameter("tzid") as string | undefined)
      const startMs = second === undefined ? 0 : toInstant(zone, time.localMs)
      const endMs =
        second === undefined
          ? undefined
          : /^P/.test(String(second))
            ? startMs + hours(ICAL.Duration.fromString(String(second)).toSeconds())
            : toInstant(zone, readTime(name.toUpperCase(), second).localMs)
      return { isDate: time.isDate, localMs: time.localMs, zone, endMs }
    })
  )

/** How long a component lasts from its start: whole days on the wall clock, and exact milliseconds after them. */
export const durationOf = (
  component: ICAL.Component,
  start: Moment,
  zoneOf: (tzid: string | undefined) => Zone
): { readonly days: number; readonly ms: number } => {
  const duration: unknown = component.getFirstPropertyValue("duration")
  if (duration instanceof ICAL.Duration && !duration.isNegative) {
    const { weeks, days, hours: hour, minutes, seconds } = duration
    return { days: weeks * 7 + days, ms: hours(hour * 3600 + minutes * 60 + seconds) }
  }
  const end = momentsOf(component, "dtend", zoneOf)[0]
  if (end === undefined) return { days: start.isDate ? 1 : 0, ms: 0 }
  if (start.isDate) return { days: Math.max(1, Math.floor((end.localMs - start.localMs) / dayMs)), ms: 0 }
  return { days: 0, ms: toInstant(end.zone, end.localMs) - toInstant(start.zone, start.localMs) }
}

/** Minutes of a local date, 0 to 1440. */
export interface Piece {
  readonly day: number
  readonly from: number
  readonly to: number
}

/** What the wall clock of a zone reads between two instants, in whole minutes and by date; overlaps are one piece. */
export const piecesOf = (timeZone: string, fromMs: number, toMs: number): ReadonlyArray<Piece> => {
  const pieces: Array<Piece> = []
  for (let year = yearOf(fromMs); year <= yearOf(toMs - 1); year++) {
    const segments = segmentsOf(timeZone, year)
    for (const [index, { at, offsetMs }] of segments.entries()) {
      const from = Math.max(fromMs, at) + offsetMs
      const to = Math.min(toMs, segments[index + 1]?.at ?? yearStart(year + 1)) + offsetMs
      for (let day = Math.floor(from / dayMs); day * dayMs < to; day++) {
        const minutes = (local: number): number =>
          (Math.min(Math.max(local, day * dayMs), (day + 1) * dayMs) - day * dayMs) / 60_000
        if (from < to) pieces.push({ day, from: Math.floor(minutes(from)), to: Math.ceil(minutes(to)) })
      }
    }
  }
  pieces.sort((a, b) => a.day - b.day || a.from - b.from)
  const merged: Array<Piece> = []
  for (const piece of pieces) {
    const last = merged.at(-1)
    if (last?.day === piece.day && piece.from <= last.to)
      merged[merged.length - 1] = { ...last, to: Math.max(last.to, piece.to) }
    else merged.push(piece)
  }
  return merged
}

const two = (value: number): string => String(value).padStart(2, "0")

export const toTimeText = (minutes: number): string => `${two(Math.floor(minutes / 60))}:${two(minutes % 60)}`
