/** Offsets of IANA time zones, read from the platform's own data through Intl. */
import { dayMs, yearStart } from "./civil.ts"

/** From `at` on, local time is UTC plus `offsetMs`, until the next segment. */
export interface Segment {
  readonly at: number
  readonly offsetMs: number
}

const formats = new Map<string, Intl.DateTimeFormat>()

const formatOf = (timeZone: string): Intl.DateTimeFormat => {
  let format = formats.get(timeZone)
  if (format === undefined) {
    format = new Intl.DateTimeFormat("en-US", {
      timeZone,
      hour: "numeric",
      hourCycle: "h23",
      timeZoneName: "longOffset"
    })
    formats.set(timeZone, format)
  }
  return format
}

export const isZone = (timeZone: string): boolean => {
  try {
    formatOf(timeZone)
    return true
  } catch {
    return false
  }
}

/** The platform's own name of a time zone that it knows; nothing is remembered of the question. */
export const zoneNamed = (name: string): string | undefined => {
  try {
    return new Intl.DateTimeFormat("en-US", { timeZone: name }).resolvedOptions().timeZone
  } catch {
    return undefined
  }
}

/** Milliseconds that local time is ahead of UTC at an instant. */
export const offsetAt = (timeZone: string, instantMs: number): number => {
  const text = formatOf(timeZone).format(instantMs)
  const found = /GMT([+-])(\d\d):(\d\d)(?::(\d\d))?$/.exec(text)
  if (found === null) return 0
  const [, sign, hours, minutes, seconds = "0"] = found
  return (sign === "-" ? -1000 : 1000) * (Number(hours) * 3600 + Number(minutes) * 60 + Number(seconds))
}

/** The first instant in (from, to] whose offset is not `before`; transitions fall on whole seconds. */
const findChange = (timeZone: string, from: number, to: number, before: number): number => {
  let low = from / 1000
  let high = to / 1000
  while (high - low > 1) {
    const middle = Math.floor((low + high) / 2)
    if (offsetAt(timeZone, middle * 1000) === before) low = middle
    else high = middle
  }
  return high * 1000
}

const years = new Map<string, Map<number, ReadonlyArray<Segment>>>()

const read = (timeZone: string, year: number): ReadonlyArray<Segment> => {
  const end = yearStart(year + 1)
  let offsetMs = offsetAt(timeZone, yearStart(year))
  const segments: Array<Segment> = [{ at: yearStart(year), offsetMs }]
  // A day is far below the shortest time any zone has kept an offset, so no change hides between two samples.
  for (let day = yearStart(year); day < end; day += dayMs) {
    let from = day
    const to = Math.min(day + dayMs, end)
    const last = offsetAt(timeZone, to)
    while (offsetMs !== last) {
      from = findChange(timeZone, from, to, offsetMs)
      offsetMs = offsetAt(timeZone, from)
      if (from < end) segments.push({ at: from, offsetMs })
    }
  }
  return segments
}

/** The segments of one UTC year, the first at its very start; remembered, for zones don't change while we run. */
export const segmentsOf = (timeZone: string, year: number): ReadonlyArray<Segment> => {
  let known = years.get(timeZone)
  if (known === undefined) {
    known = new Map()
    years.set(timeZone, known)
  }
  let segments = known.get(year)
  if (segments === undefined) {
    segments = read(timeZone, year)
    known.set(year, segments)
  }
  return segments
}
