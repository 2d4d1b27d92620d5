/** The days that holidays fall on: fixed dates, weekdays of a month, days around Easter, and where a moved one goes. */
import type { Holiday, HolidayDate, Weekday } from "../Holiday.ts"
import { fromDay, toDay, weekdayOf } from "./civil.ts"

export const weekdays = ["monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday"] as const

export const isDate = (year: number, month: number, day: number): boolean => {
  const civil = fromDay(toDay(year, month, day))
  return civil.month === month && civil.day === day
}

/** The day number of `2026-12-25`. */
export const toDate = (date: string): number =>
  toDay(Number(date.slice(0, 4)), Number(date.slice(5, 7)), Number(date.slice(8, 10)))

/** `2026-12-25` of a day number. */
export const toDateText = (date: number): string => {
  const { year, month, day } = fromDay(date)
  return `${year}-${String(month).padStart(2, "0")}-${String(day).padStart(2, "0")}`
}

// J. Meeus, "Astronomical Algorithms", chapter 8: Butcher's rule for Gregorian Easter, Delambre's for Julian.
const westernEaster = (year: number): number => {
  const a = year % 19
  const b = Math.floor(year / 100)
  const c = year % 100
  const f = Math.floor((b + 8) / 25)
  const g = Math.floor((b - f + 1) / 3)
  const h = (19 * a + b - Math.floor(b / 4) - g + 15) % 30
  const l = (32 + 2 * (b % 4) + 2 * Math.floor(c / 4) - h - (c % 4)) % 7
  const m = Math.floor((a + 11 * h + 22 * l) / 451)
  const n = h + l - 7 * m + 114
  return toDay(year, Math.floor(n / 31), (n % 31) + 1)
}

const orthodoxEaster = (year: number): number => {
  const d = (19 * (year % 19) + 15) % 30
  const e = (2 * (year % 4) + 4 * (year % 7) - d + 34) % 7
  const julian = toDay(year, Math.floor((d + e + 114) / 31), ((d + e + 114) % 31) + 1)
  // The Julian calendar is behind by 13 days until 2099, by 14 from March 2100.
  return julian + Math.floor(year / 100) - Math.floor(year / 400) - 2
}

const indexOf = (weekday: Weekday): number => weekdays.indexOf(weekday)

/** Days from a weekday forward to the next of another, 0 to 6. */
const ahead = (from: number, to: number): number => (to - from + 7) % 7

const onDate = (year: number, date: string): number => toDay(year, Number(date.slice(0, 2)), Number(date.slice(3)))

/** The day of a date or rule in a year, before it is moved; none when the year has no such day. */
const dayIn = (date: HolidayDate, year: number): number | undefined => {
  if (typeof date === "string") {
    if (date.length > 5) return Number(date.slice(0, 4)) === year ? toDate(date) : undefined
    return isDate(year, Number(date.slice(0, 2)), Number(date.slice(3))) ? onDate(year, date) : undefined
  }
  if ("easter" in date) return (date.easter === "western" ? westernEaster(year) : orthodoxEaster(year)) + date.days
  const weekday = indexOf(date.weekday)
  if ("onOrAfter" in date) {
    const first = onDate(year, date.onOrAfter)
    return first + ahead(weekdayOf(first), weekday)
  }
  if ("onOrBefore" in date) {
    const last = onDate(year, date.onOrBefore)
    return last - ahead(weekday, weekdayOf(last))
  }
  const first = toDay(year, date.month, 1)
  const last = toDay(year, date.month + 1, 1) - 1
  const day =
    date.nth > 0
      ? first + ahead(weekdayOf(first), weekday) + 7 * (date.nth - 1)
      : last - ahead(weekday, weekdayOf(last)) + 7 * (date.nth + 1)
  return day >= first && day <= last ? day : undefined
}

const moveOf = ({ observed }: Holiday, day: number): number => observed?.[weekdays[weekdayOf(day)]!] ?? 0

const isWhole = ({ from, to }: Holiday): boolean => from === undefined && to === undefined

/** Far more days in a row than any list takes; what keeps a list that takes all days from being searched for ever. */
const furthest = 31

/** The day each holiday of a list takes by the rules of one year, in the order of the list. */
export const daysIn = (holidays: ReadonlyArray<Holiday>, year: number): ReadonlyArray<number | undefined> => {
  const days = holidays.map(({ date }) => dayIn(date, year))
  const moves = days.map((day, index) => (day === undefined ? 0 : moveOf(holidays[index]!, day)))
  if (moves.every((move) => move === 0)) return days
  const taken = new Set<number>()
  for (const holiday of holidays)
    for (const one of isWhole(holiday) ? [year - 1, year, year + 1] : []) {
      const day = dayIn(holiday.date, one)
      if (day !== undefined && moveOf(holiday, day) === 0) taken.add(day)
    }
  return days.map((day, index) => {
    const move = moves[index]!
    if (day === undefined || move === 0) return day
    const holiday = holidays[index]!
    let target = day + move
    for (let step = 0; step < furthest && (taken.has(target) || moveOf(holiday, target) !== 0); step++)
      target += Math.sign(move)
    if (isWhole(holiday)) taken.add(target)
    return target
  })
}
