/**
 * Business time the slow and obvious way: ask the wall clock of every single minute. It shares nothing with the package
 * but the definition, and is what the package is compared with.
 */
import type { CalendarDefinition, Window } from "@switchboard/sla/Calendar"

const names = ["monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday"] as const
const formats = new Map<string, Intl.DateTimeFormat>()

export const minuteMs = 60_000

interface Wall {
  readonly date: string
  readonly evening: string
  readonly weekday: number
  readonly minutes: number
}

export const wallAt = (timeZone: string, instantMs: number): Wall => {
  let format = formats.get(timeZone)
  if (format === undefined) {
    format = new Intl.DateTimeFormat("en-GB", {
      timeZone,
      hourCycle: "h23",
      year: "numeric",
      month: "2-digit",
      day: "2-digit",
      hour: "2-digit",
      minute: "2-digit"
    })
    formats.set(timeZone, format)
  }
  // "02/03/2026, 09:00"
  const text = format.format(instantMs)
  const date = `${text.slice(6, 10)}-${text.slice(3, 5)}-${text.slice(0, 2)}`
  const noon = new Date(`${date}T12:00Z`)
  return {
    date,
    evening: new Date(noon.getTime() - 86_400_000).toISOString().slice(0, 10),
    weekday: (noon.getUTCDay() + 6) % 7,
    minutes: Number(text.slice(12, 14)) * 60 + Number(text.slice(15, 17))
  }
}

const toMinutes = (time: string): number => Number(time.slice(0, 2)) * 60 + Number(time.slice(3))

export const isOpen = (definition: CalendarDefinition, instantMs: number): boolean => {
  const { date, evening, weekday, minutes } = wallAt(definition.timeZone, instantMs)
  const beginningOn = (day: string, index: number): ReadonlyArray<Window> => {
    const exceptions = (definition.exceptions ?? []).filter((exception) => exception.date === day)
    return exceptions.length > 0
      ? exceptions.flatMap((exception) => exception.windows)
      : (definition.week[names[index]!] ?? [])
  }
  const open =
    beginningOn(date, weekday).some(({ opens, closes }) =>
      toMinutes(closes) > toMinutes(opens)
        ? minutes >= toMinutes(opens) && minutes < toMinutes(closes)
        : minutes >= toMinutes(opens)
    ) ||
    beginningOn(evening, (weekday + 6) % 7).some(
      ({ opens, closes }) => toMinutes(closes) <= toMinutes(opens) && minutes < toMinutes(closes)
    )
  if (!open || (definition.exceptions ?? []).some((exception) => exception.date === date)) return open
  return !(definition.holidays ?? []).some(
    (holiday) =>
      (holiday.date === date || holiday.date === date.slice(5)) &&
      minutes >= toMinutes(holiday.from ?? "00:00") &&
      minutes < toMinutes(holiday.to ?? "24:00")
  )
}

export const between = (definition: CalendarDefinition, fromMs: number, toMs: number): number => {
  let open = 0
  for (let minute = Math.floor(fromMs / minuteMs) * minuteMs; minute < toMs; minute += minuteMs)
    if (isOpen(definition, minute)) open += Math.min(toMs, minute + minuteMs) - Math.max(fromMs, minute)
  return open
}

/** The first instant at which the duration has passed; `limitMs` ends the search. */
export const add = (
  definition: CalendarDefinition,
  fromMs: number,
  durationMs: number,
  limitMs: number
): number | undefined => {
  if (durationMs === 0) return fromMs
  let left = durationMs
  for (let minute = Math.floor(fromMs / minuteMs) * minuteMs; minute < limitMs; minute += minuteMs) {
    if (!isOpen(definition, minute)) continue
    const start = Math.max(fromMs, minute)
    if (minute + minuteMs - start >= left) return start + left
    left -= minute + minuteMs - start
  }
  return undefined
}
