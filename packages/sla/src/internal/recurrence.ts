/**
 * The days of a recurrence rule of iCalendar (RFC 5545, 3.3.10), by asking every day whether the rule fits it.
 *
 * ical.js reads the rules, but doesn't follow them here: its iterator never returns from a rule that never fits (30
 * February every day), keeps stepping for an interval of a thousand million days, lets 31 April overflow into May, ignores
 * an interval beside a month and leaves out set positions beside days of the month. Asking days is bounded by how many
 * there are.
 */
import { fromDay, toDay, weekdayOf } from "./civil.ts"

/** A rule as ical.js reads it. */
export interface Rule {
  readonly freq: string
  readonly interval: number
  readonly count: number | null
  /** 1 is Sunday. */
  readonly wkst: number
  readonly parts: { readonly [name: string]: ReadonlyArray<number | string> | undefined }
}

/** Steps left for the whole file. */
export interface Budget {
  left: number
}

/** Thrown when nothing is left; caught where the file is read. */
export class Exhausted extends Error {}

export const spend = (budget: Budget, steps: number): void => {
  budget.left -= steps
  if (budget.left < 0) throw new Exhausted()
}

const names = ["MO", "TU", "WE", "TH", "FR", "SA", "SU"]

/** What of a rule can't be followed; `undefined` when all can. */
export const unsupportedIn = ({ freq, parts }: Rule): string | undefined => {
  if (!["DAILY", "WEEKLY", "MONTHLY", "YEARLY"].includes(freq)) return `FREQ=${freq}`
  const unknown = Object.keys(parts).find(
    (name) => !["BYMONTH", "BYMONTHDAY", "BYYEARDAY", "BYDAY", "BYSETPOS"].includes(name)
  )
  if (unknown !== undefined) return unknown
  if (parts["BYYEARDAY"] !== undefined && freq !== "YEARLY") return `BYYEARDAY beside FREQ=${freq}`
  const numbered = parts["BYDAY"]?.some((day) => /\d/.test(String(day)))
  return numbered && freq !== "MONTHLY" && freq !== "YEARLY" ? `numbered BYDAY beside FREQ=${freq}` : undefined
}

/** Each once: a list may be as long as the file, and is asked of every day. */
const unique = ({ parts }: Rule, name: string): ReadonlyArray<number | string> | undefined =>
  parts[name] === undefined ? undefined : [...new Set(parts[name])]

const numbers = (rule: Rule, name: string): ReadonlyArray<number> | undefined => unique(rule, name)?.map(Number)

/** Whether a day is one of those counted from the start, 1 the first, or from the end, -1 the last. */
const isAmong = (counted: ReadonlyArray<number>, index: number, length: number): boolean =>
  counted.includes(index + 1) || counted.includes(index - length)

/** The number of the year, month, week or day that a day belongs to. */
const periodOf = ({ freq, wkst }: Rule, day: number): number => {
  if (freq === "DAILY") return day
  if (freq === "WEEKLY") return Math.floor((day - ((wkst + 5) % 7) + 3) / 7)
  const { year, month } = fromDay(day)
  return freq === "YEARLY" ? year : year * 12 + month
}

/** Whether a rule fits a day, but for its interval and set positions. */
const fitsOf = (rule: Rule, start: number): ((day: number) => boolean) => {
  const { freq } = rule
  const first = fromDay(start)
  const byMonth = numbers(rule, "BYMONTH")
  const byMonthDay = numbers(rule, "BYMONTHDAY")
  const byYearDay = numbers(rule, "BYYEARDAY")
  const byDay = unique(rule, "BYDAY")?.map((text) => {
    const [, nth, name] = /^([+-]?\d+)?([A-Z]{2})$/.exec(String(text)) ?? []
    return { nth: nth === undefined ? 0 : Number(nth), weekday: names.indexOf(name ?? "") }
  })
  const isChosen = byMonthDay !== undefined || byYearDay !== undefined || byDay !== undefined
  return (day) => {
    const { year, month, day: date } = fromDay(day)
    const weekday = weekdayOf(day)
    if (byMonth !== undefined && !byMonth.includes(month)) return false
    const firstOfMonth = toDay(year, month, 1)
    const lengthOfMonth = toDay(year, month + 1, 1) - firstOfMonth
    if (byMonthDay !== undefined && !isAmong(byMonthDay, date - 1, lengthOfMonth)) return false
    const firstOfYear = toDay(year, 1, 1)
    const lengthOfYear = toDay(year + 1, 1, 1) - firstOfYear
    if (byYearDay !== undefined && !isAmong(byYearDay, day - firstOfYear, lengthOfYear)) return false
    if (byDay !== undefined) {
      const ofYear = freq === "YEARLY" && byMonth === undefined
      const index = ofYear ? day - firstOfYear : date - 1
      const left = (ofYear ? lengthOfYear : lengthOfMonth) - 1 - index
      return byDay.some(
        ({ nth, weekday: named }) =>
          named === weekday &&
          (nth === 0 || (nth > 0 ? Math.floor(index / 7) + 1 === nth : -Math.floor(left / 7) - 1 === nth))
      )
    }
    if (isChosen || freq === "DAILY") return true
    if (freq === "WEEKLY") return weekday === weekdayOf(start)
    return date === first.day && (freq === "MONTHLY" || byMonth !== undefined || month === first.month)
  }
}

/**
 * The days of a rule from its start on, in order, up to and with `last`. A start that the rule itself doesn't give is not
 * among them.
 */
export function* expand(rule: Rule, start: number, last: number, budget: Budget): Generator<number> {
  const fits = fitsOf(rule, start)
  const positions = numbers(rule, "BYSETPOS")
  const startPeriod = periodOf(rule, start)
  // A set is counted from the start of its period, though what lies before the start of the rule doesn't come.
  let day = start
  if (positions !== undefined) while (periodOf(rule, day - 1) === startPeriod) day--
  let left = rule.count ?? Number.POSITIVE_INFINITY
  while (day <= last && left > 0) {
    const period = periodOf(rule, day)
    const isCounted = (period - startPeriod) % rule.interval === 0
    const set: Array<number> = []
    do {
      spend(budget, 1)
      if (isCounted && fits(day)) set.push(day)
      day++
    } while (periodOf(rule, day) === period)
    for (const [index, one] of set.entries()) {
      if (one < start || one > last || left <= 0) continue
      if (positions !== undefined && !isAmong(positions, index, set.length)) continue
      yield one
      left--
    }
  }
}
