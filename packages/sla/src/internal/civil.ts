/** Days and dates of the proleptic Gregorian calendar, as arithmetic on day numbers counted from 1970-01-01. */

export const minuteMs = 60_000
export const dayMs = 86_400_000

// Howard Hinnant, "chrono-compatible low-level date algorithms": years start in March, eras are 400 years.
export const toDay = (year: number, month: number, day: number): number => {
  const y = month <= 2 ? year - 1 : year
  const era = Math.floor(y / 400)
  const yearOfEra = y - era * 400
  const dayOfYear = Math.floor((153 * (month + (month > 2 ? -3 : 9)) + 2) / 5) + day - 1
  const dayOfEra = yearOfEra * 365 + Math.floor(yearOfEra / 4) - Math.floor(yearOfEra / 100) + dayOfYear
  return era * 146_097 + dayOfEra - 719_468
}

export interface Civil {
  readonly year: number
  readonly month: number
  readonly day: number
}

export const fromDay = (days: number): Civil => {
  const z = days + 719_468
  const era = Math.floor(z / 146_097)
  const dayOfEra = z - era * 146_097
  const yearOfEra = Math.floor(
    (dayOfEra - Math.floor(dayOfEra / 1460) + Math.floor(dayOfEra / 36_524) - Math.floor(dayOfEra / 146_096)) / 365
  )
  const dayOfYear = dayOfEra - (365 * yearOfEra + Math.floor(yearOfEra / 4) - Math.floor(yearOfEra / 100))
  const monthFromMarch = Math.floor((5 * dayOfYear + 2) / 153)
  const month = monthFromMarch < 10 ? monthFromMarch + 3 : monthFromMarch - 9
  return {
    year: yearOfEra + era * 400 + (month <= 2 ? 1 : 0),
    month,
    day: dayOfYear - Math.floor((153 * monthFromMarch + 2) / 5) + 1
  }
}

/** 0 is Monday; 1970-01-01 was a Thursday. */
export const weekdayOf = (day: number): number => (((day + 3) % 7) + 7) % 7

export const yearOf = (instantMs: number): number => fromDay(Math.floor(instantMs / dayMs)).year

/** The first instant of a year, in UTC. */
export const yearStart = (year: number): number => toDay(year, 1, 1) * dayMs

const two = (value: number): string => String(value).padStart(2, "0")

/** `2026-03-02 09:00` of a local time given as milliseconds on the local time line. */
export const toClockText = (localMs: number): string => {
  const day = Math.floor(localMs / dayMs)
  const { year, month, day: date } = fromDay(day)
  const minutes = Math.floor((localMs - day * dayMs) / minuteMs)
  return `${year}-${two(month)}-${two(date)} ${two(Math.floor(minutes / 60))}:${two(minutes % 60)}`
}
