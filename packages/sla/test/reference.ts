/**
 * Business time the slow and obvious way: ask the wall clock of every single minute. It shares nothing with the package
 * but the definition, and is what the package is compared with.
 */
import type { CalendarDefinition, HoursDefinition, Window } from "@switchboard/sla/Calendar"
import type { Holiday, HolidayDate } from "@switchboard/sla/Holiday"

const names = ["monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday"] as const

export const minuteMs = 60_000
const dayMs = 86_400_000

interface Wall {
  readonly date: string
  readonly evening: string
  readonly minutes: number
}

/** Remembers what it has answered: the reference asks the same few things of every minute. */
const remembering = <A extends string | number, B>(answer: (question: A) => B): ((question: A) => B) => {
  const known = new Map<A, B>()
  return (question) => {
    let found = known.get(question)
    if (found === undefined) {
      found = answer(question)
      known.set(question, found)
    }
    return found
  }
}

const toMinutes = remembering((time: string): number => Number(time.slice(0, 2)) * 60 + Number(time.slice(3)))
const utc = remembering((date: string): number => Date.parse(`${date}T00:00Z`))
const toText = remembering((day: number): string => new Date(day * dayMs).toISOString().slice(0, 10))
export const dateOf = (atMs: number): string => toText(Math.floor(atMs / dayMs))
export const weekdayOf = remembering((date: string): number => (new Date(utc(date)).getUTCDay() + 6) % 7)

/** One object per date, whatever the zone. */
const dayOf = remembering(
  (date: string): Pick<Wall, "date" | "evening"> => ({ date, evening: dateOf(utc(date) - dayMs) })
)

const formats = new Map<string, Intl.DateTimeFormat>()

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
  return {
    ...dayOf(`${text.slice(6, 10)}-${text.slice(3, 5)}-${text.slice(0, 2)}`),
    minutes: Number(text.slice(12, 14)) * 60 + Number(text.slice(15, 17))
  }
}

/** Easter as the rule is told: the Sunday after the church's full moon, by epact for Rome and by table for the East. */
const easterOf = (kind: "western" | "orthodox", year: number): string => {
  // The nineteen Paschal full moons of the Julian calendar, as days after 21 March.
  const julianMoons = [15, 4, 23, 12, 1, 20, 9, 28, 17, 6, 25, 14, 3, 22, 11, 0, 19, 8, 27]
  let moon: number
  if (kind === "orthodox")
    moon =
      Date.UTC(year, 2, 21 + julianMoons[year % 19]!) + (Math.floor(year / 100) - Math.floor(year / 400) - 2) * dayMs
  else {
    // Clavius' epact: the moon's age on 1 January, corrected for the sun and the moon by century.
    const century = Math.floor(year / 100) + 1
    let epact =
      (11 * ((year % 19) + 1) + 20 + Math.floor((8 * century + 5) / 25) - 5 - (Math.floor((3 * century) / 4) - 12)) % 30
    if (epact < 0) epact += 30
    if ((epact === 25 && year % 19 > 10) || epact === 24) epact++
    const full = 44 - epact
    moon = Date.UTC(year, 2, full < 21 ? full + 30 : full)
  }
  let sunday = moon + dayMs
  while (new Date(sunday).getUTCDay() !== 0) sunday += dayMs
  return dateOf(sunday)
}

const westernEaster = remembering((year: number) => easterOf("western", year))
const orthodoxEaster = remembering((year: number) => easterOf("orthodox", year))
export const easter = (kind: "western" | "orthodox", year: number): string =>
  kind === "western" ? westernEaster(year) : orthodoxEaster(year)

/** Whether a rule gives this date, before anything is moved. */
const isOn = (rule: HolidayDate, date: string): boolean => {
  if (typeof rule === "string") return rule === date || rule === date.slice(5)
  if ("easter" in rule) {
    const year = Number(date.slice(0, 4))
    return [year - 1, year, year + 1].some((one) => dateOf(utc(easter(rule.easter, one)) + rule.days * dayMs) === date)
  }
  if (names[weekdayOf(date)] !== rule.weekday) return false
  const within = (step: number): ReadonlyArray<string> =>
    Array.from({ length: 7 }, (_, count) => dateOf(utc(date) + step * count * dayMs).slice(5))
  if ("onOrAfter" in rule) return within(-1).includes(rule.onOrAfter)
  if ("onOrBefore" in rule) return within(1).includes(rule.onOrBefore)
  if (Number(date.slice(5, 7)) !== rule.month) return false
  const month = date.slice(0, 7)
  const same = Array.from({ length: 31 }, (_, index) => `${month}-${String(index + 1).padStart(2, "0")}`).filter(
    (other) => dateOf(utc(other)).startsWith(month) && weekdayOf(other) === weekdayOf(date)
  )
  return same.at(rule.nth > 0 ? rule.nth - 1 : rule.nth) === date && Math.abs(rule.nth) <= same.length
}

const moveOf = ({ observed }: Holiday, date: string): number => observed?.[names[weekdayOf(date)]!] ?? 0

const isWhole = ({ from, to }: Holiday): boolean => from === undefined && to === undefined

/** The year whose rules give a date: that of the date, but for rules that reach over New Year. */
const yearsOf = (holiday: Holiday, date: string): number => {
  const rule = holiday.date
  const year = Number(date.slice(0, 4))
  if (typeof rule === "object" && "easter" in rule)
    return (
      [year - 1, year + 1].find((one) => dateOf(utc(easter(rule.easter, one)) + rule.days * dayMs) === date) ?? year
    )
  if (typeof rule === "object" && "onOrAfter" in rule && rule.onOrAfter > date.slice(5)) return year - 1
  if (typeof rule === "object" && "onOrBefore" in rule && rule.onOrBefore < date.slice(5)) return year + 1
  return year
}

const observedDates = new WeakMap<ReadonlyArray<Holiday>, Map<number, ReadonlyArray<string>>>()

/** Where the moved holidays of a year's rules go, by index in the list; empty for those that stay or don't come. */
const movedIn = (holidays: ReadonlyArray<Holiday>, year: number): ReadonlyArray<string> => {
  const known = observedDates.get(holidays) ?? new Map<number, ReadonlyArray<string>>()
  observedDates.set(holidays, known)
  let moved = known.get(year)
  if (moved === undefined) {
    const taken: Array<string> = []
    moved = holidays.map((holiday) => {
      if (holiday.observed === undefined) return ""
      // A rule reaches over New Year by 120 days at most, from Easter.
      for (let at = Date.UTC(year - 1, 10, 1); at < Date.UTC(year + 1, 1, 1); at += dayMs) {
        const date = dateOf(at)
        if (!isOn(holiday.date, date) || yearsOf(holiday, date) !== year) continue
        const move = moveOf(holiday, date)
        if (move === 0) return ""
        let target = dateOf(at + move * dayMs)
        const isTaken = (): boolean =>
          taken.includes(target) ||
          holidays.some((other) => isWhole(other) && isOn(other.date, target) && moveOf(other, target) === 0)
        for (let step = 0; step < 31 && (isTaken() || moveOf(holiday, target) !== 0); step++)
          target = dateOf(utc(target) + Math.sign(move) * dayMs)
        if (isWhole(holiday)) taken.push(target)
        return target
      }
      return ""
    })
    known.set(year, moved)
  }
  return moved
}

const closed = new WeakMap<ReadonlyArray<Holiday>, Map<string, ReadonlyArray<Holiday>>>()

/** The holidays of a list that close hours of a date. */
export const holidaysOn = (holidays: ReadonlyArray<Holiday>, date: string): ReadonlyArray<Holiday> => {
  const known = closed.get(holidays) ?? new Map<string, ReadonlyArray<Holiday>>()
  closed.set(holidays, known)
  let found = known.get(date)
  if (found === undefined) {
    const year = Number(date.slice(0, 4))
    found = holidays.filter(
      (holiday, index) =>
        (isOn(holiday.date, date) && moveOf(holiday, date) === 0) ||
        [year - 1, year, year + 1].some((one) => movedIn(holidays, one)[index] === date)
    )
    known.set(date, found)
  }
  return found
}

/** How wall clocks are read: by asking them, or from a table of what they said. */
export type Clock = (timeZone: string, instantMs: number) => Wall

const none: ReadonlyArray<Holiday> = []

/** What a definition says of a date, times as minutes: the windows that begin on it, and what holidays close of it. */
interface DayPlan {
  readonly windows: ReadonlyArray<readonly [number, number]>
  readonly closed: ReadonlyArray<readonly [number, number]>
}

const plans = new WeakMap<HoursDefinition, Map<string, DayPlan>>()

const planOf = (definition: HoursDefinition, date: string): DayPlan => {
  let known = plans.get(definition)
  if (known === undefined) {
    known = new Map()
    plans.set(definition, known)
  }
  let plan = known.get(date)
  if (plan === undefined) {
    const changes = (definition.changes ?? []).filter(({ from }) => from <= date)
    const exceptions = (definition.exceptions ?? []).filter((exception) => exception.date === date)
    const week = changes.findLast((change) => change.week !== undefined)?.week ?? definition.week
    const holidays =
      changes.findLast((change) => change.holidays !== undefined)?.holidays ?? definition.holidays ?? none
    const windows: ReadonlyArray<Window> =
      exceptions.length > 0
        ? exceptions.flatMap((exception) => exception.windows)
        : (week[names[weekdayOf(date)]!] ?? [])
    plan = {
      windows: windows.map(({ opens, closes }) => [toMinutes(opens), toMinutes(closes)]),
      closed:
        exceptions.length > 0
          ? []
          : holidaysOn(holidays, date).map(({ from, to }) => [toMinutes(from ?? "00:00"), toMinutes(to ?? "24:00")])
    }
    known.set(date, plan)
  }
  return plan
}

const isWithinHours = (definition: HoursDefinition, { date, evening, minutes }: Wall): boolean => {
  const today = planOf(definition, date)
  for (const [from, to] of today.closed) if (minutes >= from && minutes < to) return false
  for (const [opens, closes] of today.windows)
    if (minutes >= opens && (closes <= opens || minutes < closes)) return true
  for (const [opens, closes] of planOf(definition, evening).windows)
    if (closes <= opens && minutes < closes) return true
  return false
}

export const isOpen = (definition: CalendarDefinition, instantMs: number, clock: Clock = wallAt): boolean =>
  "union" in definition
    ? definition.union.some((part) => isOpen(part, instantMs, clock))
    : "intersection" in definition
      ? definition.intersection.every((part) => isOpen(part, instantMs, clock))
      : isWithinHours(definition, clock(definition.timeZone, instantMs))

export const between = (
  definition: CalendarDefinition,
  fromMs: number,
  toMs: number,
  stepMs: number = minuteMs
): number => {
  let open = 0
  for (let step = Math.floor(fromMs / stepMs) * stepMs; step < toMs; step += stepMs)
    if (isOpen(definition, step)) open += Math.min(toMs, step + stepMs) - Math.max(fromMs, step)
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
