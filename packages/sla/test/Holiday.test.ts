import { Calendar, Holiday } from "@switchboard/sla"
import { describe, expect, test } from "vitest"
import * as reference from "./reference.ts"

const datesOf = (holidays: ReadonlyArray<Holiday.Holiday>, year: number): ReadonlyArray<string> =>
  Holiday.inYear(holidays, year).map(({ date }) => date.slice(5))

// Section 6103(a) of title 5 of the United States Code.
const federal: ReadonlyArray<Holiday.Holiday> = [
  { date: "01-01", observed: Holiday.nearestWeekday },
  { date: { month: 1, weekday: "monday", nth: 3 } },
  { date: { month: 2, weekday: "monday", nth: 3 } },
  { date: { month: 5, weekday: "monday", nth: -1 } },
  { date: "07-04", observed: Holiday.nearestWeekday },
  { date: { month: 9, weekday: "monday", nth: 1 } },
  { date: { month: 10, weekday: "monday", nth: 2 } },
  { date: "11-11", observed: Holiday.nearestWeekday },
  { date: { month: 11, weekday: "thursday", nth: 4 } },
  { date: "12-25", observed: Holiday.nearestWeekday }
]

const englishAndWelsh: ReadonlyArray<Holiday.Holiday> = [
  { date: "01-01", observed: Holiday.nextMonday },
  { date: { easter: "western", days: -2 } },
  { date: { easter: "western", days: 1 } },
  { date: { month: 5, weekday: "monday", nth: 1 } },
  { date: { month: 5, weekday: "monday", nth: -1 } },
  { date: { month: 8, weekday: "monday", nth: -1 } },
  { date: "12-25", observed: Holiday.nextMonday },
  { date: "12-26", observed: Holiday.nextMonday }
]

describe("rules that give a day a year", () => {
  // Lists of the Office of Personnel Management, as reprinted by https://www.fedsmith.com/2012/01/02/2012-paid-federal-holidays/
  // and https://www.j4neiros.us/2023/12/federal-holidays-2023.html (without Juneteenth, a holiday since 2021).
  test.each([
    [2012, "01-02 01-16 02-20 05-28 07-04 09-03 10-08 11-12 11-22 12-25"],
    [2023, "01-02 01-16 02-20 05-29 07-04 09-04 10-09 11-10 11-23 12-25"]
  ])("[CAL-18] [CAL-21] federal holidays of the United States in %i", (year, dates) => {
    expect(datesOf(federal, year)).toEqual(dates.split(" "))
  })

  // https://www.gov.uk/bank-holidays: each year's list, without the single ones for jubilees and the 2020 VE Day.
  test.each([
    [2021, "01-01 04-02 04-05 05-03 05-31 08-30 12-27 12-28"],
    [2022, "01-03 04-15 04-18 05-02 05-30 08-29 12-26 12-27"],
    [2026, "01-01 04-03 04-06 05-04 05-25 08-31 12-25 12-28"]
  ])("[CAL-18] [CAL-20] [CAL-21] bank holidays of England and Wales in %i", (year, dates) => {
    expect(datesOf(englishAndWelsh, year)).toEqual(dates.split(" "))
  })

  test("[CAL-18] a month without a fifth weekday has no such holiday", () => {
    const fifth: ReadonlyArray<Holiday.Holiday> = [{ date: { month: 2, weekday: "saturday", nth: 5 } }]
    // February 2020 had five Saturdays; the next with that is in 2048.
    const years = Array.from({ length: 30 }, (_, index) => 2015 + index)
    expect(years.flatMap((year) => datesOf(fifth, year))).toEqual(["02-29"])
    expect(datesOf([{ date: { month: 12, weekday: "friday", nth: -5 } }], 2027)).toEqual(["12-03"])
  })

  test("[CAL-19] the first weekday on or after a date, the last on or before one", () => {
    // Victoria Day: the Monday before 25 May (Interpretation Act, R.S.C. 1985, c. I-21, s. 35).
    const victoria: Holiday.HolidayDate = { weekday: "monday", onOrBefore: "05-24" }
    const midsummer: Holiday.HolidayDate = { weekday: "saturday", onOrAfter: "06-20" }
    const dates = (date: Holiday.HolidayDate, years: ReadonlyArray<number>) =>
      years.flatMap((year) => datesOf([{ date }], year))
    expect(dates(victoria, [2021, 2022, 2023, 2027])).toEqual(["05-24", "05-23", "05-22", "05-24"])
    expect(dates(midsummer, [2015, 2020, 2026])).toEqual(["06-20", "06-20", "06-20"])
    expect(dates(midsummer, [2021, 2024])).toEqual(["06-26", "06-22"])
  })

  // https://www.religioustolerance.org/main_day1.htm
  test.each([
    [1996, "04-07", "04-14"],
    [1997, "03-30", "04-27"],
    [1998, "04-12", "04-19"],
    [1999, "04-04", "04-11"],
    [2000, "04-23", "04-30"],
    [2001, "04-15", "04-15"],
    [2002, "03-31", "05-05"],
    [2003, "04-20", "04-27"],
    [2004, "04-11", "04-11"],
    [2005, "03-27", "05-01"],
    [2006, "04-16", "04-23"],
    [2007, "04-08", "04-08"],
    [2008, "03-23", "04-27"]
  ])("[CAL-20] Easter in %i", (year, western, orthodox) => {
    expect(datesOf([{ date: { easter: "western", days: 0 } }], year)).toEqual([western])
    expect(datesOf([{ date: { easter: "orthodox", days: 0 } }], year)).toEqual([orthodox])
  })

  test("[CAL-20] Easter of every year equals that of the paschal full moons", () => {
    for (let year = 1900; year < 2200; year++)
      for (const easter of ["western", "orthodox"] as const)
        expect(Holiday.inYear([{ date: { easter, days: 0 } }], year)[0]?.date).toBe(reference.easter(easter, year))
  })
})

describe("observed days", () => {
  test("[CAL-21] a moved holiday may fall into another year, and closes that day", () => {
    expect(Holiday.inYear(federal, 2022)[0]?.date).toBe("2021-12-31")
    const made = Calendar.make({ id: "test", timeZone: "UTC", week: Calendar.everyDay(), holidays: federal })
    if (!made.ok) throw new Error(made.error.message)
    expect(Calendar.isOpen(made.value, Date.parse("2021-12-31T12:00Z"))).toBe(false)
    expect(Calendar.isOpen(made.value, Date.parse("2022-01-01T12:00Z"))).toBe(true)
  })

  test("[CAL-21] one that would meet another goes on to the next day that is free", () => {
    // Spain moves Sundays only; the Monday of Easter is taken, so that the Tuesday is closed.
    const holidays: ReadonlyArray<Holiday.Holiday> = [
      { date: { easter: "western", days: 1 } },
      { date: "04-05", observed: { sunday: 1 } }
    ]
    expect(datesOf(holidays, 2026)).toEqual(["04-06", "04-07"])
    expect(datesOf(holidays, 2025)).toEqual(["04-05", "04-21"])
  })

  test("[CAL-21] a part of a day takes no day, and a list that takes every day ends", () => {
    const eve: ReadonlyArray<Holiday.Holiday> = [
      { date: "12-27", from: "13:00" },
      { date: "12-25", observed: Holiday.nextMonday }
    ]
    expect(datesOf(eve, 2027)).toEqual(["12-27", "12-27"])
    const all = Array.from(
      { length: 365 },
      (_, index): Holiday.Holiday => ({
        date: new Date(Date.UTC(2026, 0, 1 + index)).toISOString().slice(5, 10)
      })
    )
    expect(datesOf([...all, { date: "03-01", observed: { sunday: 1 } }], 2026)).toHaveLength(366)
  })
})

test.each([
  [{ month: 13, weekday: "monday", nth: 1 }, "holidays[0].date.month"],
  [{ month: 1, weekday: "monday", nth: 0 }, "holidays[0].date.nth"],
  [{ month: 1, weekday: "monday", nth: 6 }, "holidays[0].date.nth"],
  [{ weekday: "lunes", onOrAfter: "01-01" }, "holidays[0].date"],
  [{ weekday: "monday", onOrBefore: "02-29" }, "holidays[0].date.onOrBefore"],
  [{ easter: "western", days: 400 }, "holidays[0].date.days"]
])("[CAL-13] a wrong rule %j is refused by name", (date, path) => {
  const holidays = [{ date: date as Holiday.HolidayDate }]
  expect(Calendar.make({ id: "test", timeZone: "UTC", week: {}, holidays })).toMatchObject({
    ok: false,
    error: { issues: [{ path }] }
  })
})

test.each([
  [{ date: "2026-12-25", observed: Holiday.nextMonday }, "holidays[0]"],
  [{ date: "12-25", observed: { sunday: 9 } }, "holidays[0].observed.sunday"],
  [
    {
      date: "12-25",
      observed: { monday: 1, tuesday: 1, wednesday: 1, thursday: 1, friday: 1, saturday: 1, sunday: 1 }
    },
    "holidays[0].observed"
  ]
] as ReadonlyArray<[Holiday.Holiday, string]>)(
  "[CAL-13] a wrong observed of %j is refused by name",
  (holiday, path) => {
    expect(Calendar.make({ id: "test", timeZone: "UTC", week: {}, holidays: [holiday] })).toMatchObject({
      ok: false,
      error: { issues: [{ path }] }
    })
  }
)
