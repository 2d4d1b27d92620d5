/** Weekly windows on the wall clock of a time zone. */

import { remember } from "./remember.ts"

export const days = ["monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday"] as const
export type Day = (typeof days)[number]

export interface Window {
  readonly opens: string
  readonly closes: string
}

export type Week = { readonly [D in Day]?: ReadonlyArray<Window> }

/** Minutes of the week, from Monday 00:00; the last is not in it. */
export interface Span {
  readonly from: number
  readonly until: number
}

const dayMinutes = 1440
const weekMinutes = 7 * dayMinutes

const formats = new Map<string, Intl.DateTimeFormat>()

const formatOf = (timeZone: string): Intl.DateTimeFormat => {
  const known = formats.get(timeZone)
  if (known !== undefined) return known
  const format = new Intl.DateTimeFormat("en-US", {
    timeZone,
    weekday: "long",
    hour: "2-digit",
    minute: "2-digit",
    hourCycle: "h23"
  })
  formats.set(timeZone, format)
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

/** What the wall clock reads, as a minute of the week; undefined for what is no instant. */
export const minuteAt = (timeZone: string, atMs: number): number | undefined => {
  if (!(Math.abs(atMs) <= 8_640_000_000_000_000)) return undefined
  let minute = 0
  for (const { type, value } of formatOf(timeZone).formatToParts(atMs)) {
    if (type === "weekday") minute += days.indexOf(value.toLowerCase() as Day) * dayMinutes
    else if (type === "hour") minute += Number(value) * 60
    else if (type === "minute") minute += Number(value)
  }
  return minute
}

const toMinutes = (time: string): number => Number(time.slice(0, 2)) * 60 + Number(time.slice(3))

/** `tuesday 18:05` */
export const toText = (minute: number): string => {
  const digits = (value: number): string => String(value).padStart(2, "0")
  const ofDay = minute % dayMinutes
  return `${days[Math.floor(minute / dayMinutes) % 7]} ${digits(Math.floor(ofDay / 60))}:${digits(ofDay % 60)}`
}

/** A window of a day; one over midnight runs into the next day, and on Sunday into the week's beginning. */
export const spansOf = (day: Day, { opens, closes }: Window): ReadonlyArray<Span> => {
  const start = days.indexOf(day) * dayMinutes
  const from = start + toMinutes(opens)
  const until = start + toMinutes(closes) + (closes > opens ? 0 : dayMinutes)
  return until <= weekMinutes
    ? [{ from, until }]
    : [
        { from, until: weekMinutes },
        { from: 0, until: until - weekMinutes }
      ]
}

/** In order, those that overlap or touch made one. */
export const merge = (spans: ReadonlyArray<Span>): ReadonlyArray<Span> => {
  const merged: Array<Span> = []
  for (const span of [...spans].sort((a, b) => a.from - b.from)) {
    const last = merged.at(-1)
    if (last === undefined || span.from > last.until) merged.push(span)
    else if (span.until > last.until) merged[merged.length - 1] = { from: last.from, until: span.until }
  }
  return merged
}

/** All windows of a week, merged, read once. */
export const spansOfWeek = remember((week: Week) =>
  merge(days.flatMap((day) => (week[day] ?? []).flatMap((window) => spansOf(day, window))))
)

export const isIn = (spans: ReadonlyArray<Span>, minute: number): boolean =>
  spans.some(({ from, until }) => from <= minute && minute < until)

/** What two lists of spans have in common, the first of it. */
export const overlap = (a: ReadonlyArray<Span>, b: ReadonlyArray<Span>): Span | undefined => {
  for (const one of a)
    for (const other of b) {
      const from = Math.max(one.from, other.from)
      const until = Math.min(one.until, other.until)
      if (from < until) return { from, until }
    }
  return undefined
}

/** Whether all of some spans lie within merged ones. */
export const covers = (merged: ReadonlyArray<Span>, spans: ReadonlyArray<Span>): boolean =>
  spans.every((span) => merged.some(({ from, until }) => from <= span.from && span.until <= until))
