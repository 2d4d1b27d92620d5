import { Calendar } from "@switchboard/sla"
import * as CalendarImport from "@switchboard/sla/CalendarImport"
import ICAL from "ical.js"
import { describe, expect, test } from "vitest"
import { toDay } from "../src/internal/civil.ts"
import { toDateText } from "../src/internal/holidays.ts"
import { expand } from "../src/internal/recurrence.ts"
import { apple, calendarOf, eventOf, google, outlook } from "./files.ts"

const madrid: CalendarImport.ImportOptions = { timeZone: "Europe/Madrid", until: "2027-12-31" }

const holidaysOf = (text: string, options: Partial<CalendarImport.ImportOptions> = {}) => {
  const imported = CalendarImport.decodeHolidays(text, { ...madrid, ...options })
  if (!imported.ok) throw new Error(imported.error.message)
  const texts = imported.value.entries.map(({ date, name, from, to }) =>
    [date, from === undefined && to === undefined ? "" : `${from ?? ""}-${to ?? ""}`, name ?? ""].join(" ").trim()
  )
  return {
    texts,
    skipped: imported.value.skipped.map(({ component, reason, name }) => `${component} ${name}: ${reason}`)
  }
}

const eventDates = (...properties: ReadonlyArray<string>) => holidaysOf(calendarOf(eventOf(...properties))).texts

describe("files as programs write them", () => {
  test("[CAL-29] [CAL-32] a public holiday calendar of Google, without its observances", () => {
    const { texts, skipped } = holidaysOf(google, { accepts: ({ description }) => description === "Public holiday" })
    expect(texts).toEqual(["2026-10-12  Hispanic Day"])
    expect(skipped).toEqual(["VEVENT Halloween: not-accepted", "VEVENT Immaculate Conception: cancelled"])
  })

  test("[CAL-29] [CAL-30] [CAL-31] an export of Outlook with its own time zone", () => {
    const { texts, skipped } = holidaysOf(outlook)
    expect(texts).toEqual([
      "2026-03-25 15:00-17:00 Training",
      "2026-04-01 15:00-17:00 Training",
      "2026-04-16 10:00-11:30 Training (moved)",
      "2026-04-22 15:00-17:00 Training",
      ...["03", "04", "05", "06", "07"].map((date) => `2026-08-${date}  Summer closing`)
    ])
    expect(skipped).toEqual(["VTODO undefined: no-event"])
    // Summer time begins on 29 March in Madrid: for New York the hour moves.
    expect(holidaysOf(outlook, { timeZone: "America/New_York" }).texts.slice(0, 2)).toEqual([
      "2026-03-25 10:00-12:00 Training",
      "2026-04-01 09:00-11:00 Training"
    ])
  })

  test("[CAL-30] [CAL-34] a subscription of Apple: holidays and working weekends apart", () => {
    const special = (day: string): Partial<CalendarImport.ImportOptions> => ({
      accepts: ({ properties }) => properties.get("x-apple-special-day") === day
    })
    expect(holidaysOf(apple, { from: "2026-01-01", ...special("WORK-HOLIDAY") }).texts).toEqual(
      ["16", "17", "18", "19", "20", "21", "22"].map((date) => `2026-02-${date}  Spring Festival`)
    )
    const workdays = CalendarImport.decodeExceptions(apple, { ...madrid, ...special("ALTERNATE-WORKDAY") })
    expect(workdays).toMatchObject({
      value: {
        entries: [
          { date: "2026-02-14", name: "Spring Festival (work)", windows: [{ opens: "00:00", closes: "24:00" }] }
        ]
      }
    })
    const thanksgiving = holidaysOf(apple, { from: "2026-01-01", accepts: ({ uid }) => uid === "thanksgiving-us" })
    expect(thanksgiving.texts).toEqual(["2026-11-26  Thanksgiving", "2027-11-25  Thanksgiving"])
  })

  test("[CAL-29] what is imported closes a calendar", () => {
    const imported = CalendarImport.decodeHolidays(outlook, madrid)
    if (!imported.ok) throw new Error(imported.error.message)
    const made = Calendar.make({
      id: "office",
      timeZone: "Europe/Madrid",
      week: Calendar.workdays({ opens: "09:00", closes: "18:00" }),
      holidays: imported.value.entries
    })
    if (!made.ok) throw new Error(made.error.message)
    const hours = (from: string, to: string) =>
      Calendar.between(made.value, Date.parse(from), Date.parse(to)) / 3_600_000
    expect(hours("2026-08-03T00:00Z", "2026-08-08T00:00Z")).toBe(0)
    expect(hours("2026-04-22T00:00Z", "2026-04-23T00:00Z")).toBe(7)
  })
})

describe("events", () => {
  test("[CAL-29] an event without an end closes its date, one over midnight a part of each", () => {
    expect(eventDates("DTSTART;VALUE=DATE:20260506")).toEqual(["2026-05-06"])
    expect(eventDates("DTSTART:20260506T220000", "DTEND:20260508T020000")).toEqual([
      "2026-05-06 22:00-",
      "2026-05-07",
      "2026-05-08 -02:00"
    ])
    expect(eventDates("DTSTART:20260506T220010", "DURATION:PT1H")).toEqual(["2026-05-06 22:00-23:01"])
  })

  test("[CAL-29] over a change of the clock it closes what the clock reads", () => {
    // 2:00 to 3:00 comes twice on 25 October: from the middle of the first to the middle of the second.
    expect(eventDates("DTSTART:20261025T003000Z", "DTEND:20261025T013000Z")).toEqual(["2026-10-25 02:00-03:00"])
    expect(eventDates("DTSTART:20260329T003000Z", "DTEND:20260329T013000Z")).toEqual([
      "2026-03-29 01:30-02:00",
      "2026-03-29 03:00-03:30"
    ])
  })

  test("[CAL-31] UTC, a zone by name, by the end of a path, and none at all", () => {
    const at = (start: string) => eventDates(start, "DURATION:PT1H")
    expect(at("DTSTART:20260706T100000Z")).toEqual(["2026-07-06 12:00-13:00"])
    expect(at("DTSTART;TZID=America/New_York:20260706T100000")).toEqual(["2026-07-06 16:00-17:00"])
    expect(at("DTSTART;TZID=/freeassociation.sourceforge.net/America/New_York:20260706T100000")).toEqual([
      "2026-07-06 16:00-17:00"
    ])
    expect(at("DTSTART:20260706T100000")).toEqual(["2026-07-06 10:00-11:00"])
  })

  test("[CAL-31] a local time that the clock skips is read by the offset before, a repeated one is the first", () => {
    const at = (start: string) => eventDates(`DTSTART;TZID=America/New_York:${start}`, "DURATION:PT30M")
    expect(at("20260308T023000")).toEqual(["2026-03-08 08:30-09:00"])
    expect(at("20261101T013000")).toEqual(["2026-11-01 06:30-07:00"])
  })

  test("[CAL-30] rules with dates left out and added, by date, by time and in UTC", () => {
    expect(
      eventDates(
        "UID:1",
        "DTSTART;TZID=Europe/Madrid:20260105T100000",
        "DURATION:PT1H",
        "RRULE:FREQ=DAILY;COUNT=5",
        "EXDATE:20260106T090000Z",
        "EXDATE;VALUE=DATE:20260107",
        "RDATE;TZID=Europe/Madrid:20260201T100000",
        "RDATE;VALUE=PERIOD:20260301T100000Z/PT2H"
      )
    ).toEqual([
      "2026-01-05 10:00-11:00",
      "2026-01-08 10:00-11:00",
      "2026-01-09 10:00-11:00",
      "2026-02-01 10:00-11:00",
      "2026-03-01 11:00-13:00"
    ])
  })

  test("[CAL-30] a series of dates leaves out those that are written as times", () => {
    const series = ["DTSTART;VALUE=DATE:20260105", "RRULE:FREQ=DAILY;COUNT=3"]
    expect(eventDates(...series, "EXDATE:20260106T000000Z")).toEqual(["2026-01-05", "2026-01-07"])
  })

  test("[CAL-30] an occurrence may be moved, cancelled, or come without its series", () => {
    const series = eventOf("UID:1", "DTSTART;VALUE=DATE:20260105", "RRULE:FREQ=WEEKLY;COUNT=3", "SUMMARY:Monday")
    const moved = eventOf("UID:1", "RECURRENCE-ID;VALUE=DATE:20260112", "DTSTART;VALUE=DATE:20260113", "SUMMARY:Moved")
    const gone = eventOf(
      "UID:1",
      "RECURRENCE-ID;VALUE=DATE:20260119",
      "DTSTART;VALUE=DATE:20260119",
      "STATUS:CANCELLED"
    )
    expect(holidaysOf(calendarOf(moved, series, gone)).texts).toEqual(["2026-01-05  Monday", "2026-01-13  Moved"])
    expect(holidaysOf(calendarOf(moved)).texts).toEqual(["2026-01-13  Moved"])
    const once = series.replace("COUNT=3", "COUNT=1").replaceAll("20260105", "20260112")
    expect(holidaysOf(calendarOf(once, moved))).toEqual({ texts: ["2026-01-13  Moved"], skipped: [] })
    const later = moved.replace("RECURRENCE-ID;", "RECURRENCE-ID;RANGE=THISANDFUTURE;")
    expect(holidaysOf(calendarOf(series, later)).skipped).toEqual(["VEVENT Moved: unsupported"])
  })

  test("[CAL-30] a series without an end stops at until, and begins at from", () => {
    const series = calendarOf(eventOf("DTSTART;VALUE=DATE:20000229", "RRULE:FREQ=YEARLY"))
    expect(holidaysOf(series, { until: "2012-12-31" }).texts).toEqual([
      "2000-02-29",
      "2004-02-29",
      "2008-02-29",
      "2012-02-29"
    ])
    expect(holidaysOf(series, { from: "2021-01-01", until: "2024-02-29" }).texts).toEqual(["2024-02-29"])
  })

  test("[CAL-34] an exception over midnight is one window, several on a date stay apart", () => {
    const text = calendarOf(
      eventOf("DTSTART:20261220T100000", "DTEND:20261220T140000", "SUMMARY:Open Sunday"),
      eventOf("DTSTART:20261220T220000", "DTEND:20261221T020000")
    )
    const imported = CalendarImport.decodeExceptions(text, madrid)
    expect(imported).toEqual({
      ok: true,
      value: {
        entries: [
          { date: "2026-12-20", name: "Open Sunday", windows: [{ opens: "10:00", closes: "14:00" }] },
          { date: "2026-12-20", windows: [{ opens: "22:00", closes: "02:00" }] }
        ],
        skipped: []
      }
    })
  })
})

describe("what can't be used", () => {
  test("[CAL-32] is listed by component, and the rest is used", () => {
    const text = calendarOf(
      eventOf("UID:1", "SUMMARY:No start"),
      eventOf("SUMMARY:No such day", "DTSTART;VALUE=DATE:20260230"),
      eventOf("SUMMARY:Nowhere", "DTSTART;TZID=Middle Earth Standard Time:20260105T100000", "DURATION:PT1H"),
      eventOf("SUMMARY:A moment", "DTSTART:20260105T100000Z"),
      eventOf("SUMMARY:Backwards", "DTSTART:20260105T100000Z", "DTEND:20260105T090000Z"),
      eventOf("SUMMARY:Every second", "DTSTART:20260105T100000Z", "DURATION:PT1S", "RRULE:FREQ=SECONDLY"),
      eventOf("SUMMARY:Week 53", "DTSTART;VALUE=DATE:20260105", "RRULE:FREQ=YEARLY;BYWEEKNO=53"),
      eventOf("SUMMARY:Wrong rule", "DTSTART;VALUE=DATE:20260105", "RRULE:FREQ=SOMETIMES"),
      eventOf("SUMMARY:Long ago", "DTSTART;VALUE=DATE:18990105"),
      eventOf("SUMMARY:No colon", "DTSTART;VALUE=DATE:20260105", "this is no property"),
      "BEGIN:VJOURNAL\nDTSTAMP:20260101T000000Z\nEND:VJOURNAL",
      eventOf("SUMMARY:Good", "DTSTART;VALUE=DATE:20260105")
    )
    const { texts, skipped } = holidaysOf(text)
    expect(texts).toEqual(["2026-01-05  Good"])
    expect(skipped).toEqual([
      "VEVENT No start: unreadable",
      "VEVENT No such day: unreadable",
      "VEVENT Nowhere: unknown-time-zone",
      "VEVENT A moment: no-duration",
      "VEVENT Backwards: no-duration",
      "VEVENT Every second: unsupported",
      "VEVENT Week 53: unsupported",
      "VEVENT undefined: unreadable",
      "VEVENT Long ago: outside",
      "VEVENT undefined: unreadable",
      "VJOURNAL undefined: no-event"
    ])
    const imported = CalendarImport.decodeHolidays(text, madrid)
    expect(imported.ok && imported.value.skipped[2]).toEqual({
      component: "VEVENT",
      position: 3,
      line: 14,
      name: "Nowhere",
      reason: "unknown-time-zone",
      message: "TZID: neither the platform nor the file knows Middle Earth Standard Time."
    })
  })

  test("[CAL-32] transparent events are used, or listed by option; METHOD:CANCEL cancels all", () => {
    expect(holidaysOf(apple, { transparent: "skipped" }).skipped).toHaveLength(3)
    expect(holidaysOf(google.replace("METHOD:PUBLISH", "METHOD:CANCEL")).skipped).toHaveLength(3)
  })

  test.each([
    ["an empty text", "", "text"],
    ["a web page", "<!doctype html><title>Not found</title>", "text"],
    ["a contact", "BEGIN:VCARD\nVERSION:4.0\nFN:Ada\nEND:VCARD", "text"],
    ["a file broken off", google.slice(0, 900), "text"],
    ["components that cross", calendarOf("BEGIN:VEVENT\nBEGIN:VALARM\nEND:VEVENT\nEND:VALARM"), "line 6"],
    ["another calendar", "BEGIN:VCALENDAR\nCALSCALE:HEBREW\nEND:VCALENDAR", "VCALENDAR.CALSCALE"]
  ])("[CAL-33] %s is refused", (_, text, path) => {
    const imported = CalendarImport.decodeHolidays(text, madrid)
    expect(imported).toMatchObject({ ok: false, error: { what: "iCalendar file", issues: [{ path }] } })
    expect(imported.ok ? "" : imported.error.message).toMatch(/expected .+, found /)
  })

  test("[CAL-33] wrong options are refused by name", () => {
    expect(CalendarImport.decodeHolidays(google, { timeZone: "Madrid", until: "2027" })).toMatchObject({
      error: { what: "import options", issues: [{ path: "timeZone" }, { path: "until" }] }
    })
  })

  test("[CAL-33] ten million characters are refused before they are read", () => {
    expect(CalendarImport.decodeHolidays(google.padEnd(10_000_000), madrid)).toMatchObject({
      error: { issues: [{ path: "text", expected: "at most 1000000 characters", found: "10000000" }] }
    })
  })

  // Each of these keeps a naive reader, or ical.js itself, busy for ever or out of memory.
  test.each([
    ["30 February every day", ["RRULE:FREQ=DAILY;BYMONTH=2;BYMONTHDAY=30"]],
    ["a day that the interval always misses", ["RRULE:FREQ=DAILY;INTERVAL=7;BYDAY=TU"]],
    ["a huge interval", ["RRULE:FREQ=DAILY;INTERVAL=1000000000"]],
    ["a huge count", ["RRULE:FREQ=YEARLY;COUNT=999999999"]],
    ["five Mondays in a February", ["RRULE:FREQ=MONTHLY;BYMONTH=2;BYDAY=6MO"]],
    ["until the year 9999", ["RRULE:FREQ=YEARLY;UNTIL=99991231"]],
    ["a duration of a million weeks", ["DURATION:P1000000W"]]
  ])("[CAL-33] %s ends", (_, properties) => {
    const text = calendarOf(eventOf("DTSTART;VALUE=DATE:20260105", ...properties))
    const imported = CalendarImport.decodeHolidays(text, madrid)
    expect(imported.ok && imported.value.entries.length + imported.value.skipped.length).toBeGreaterThan(0)
  })

  test("[CAL-33] a file of endless series is refused when it takes too much work", () => {
    const events = Array.from({ length: 40 }, () => eventOf("DTSTART;VALUE=DATE:20260105", "RRULE:FREQ=DAILY"))
    expect(
      CalendarImport.decodeHolidays(calendarOf(...events), { ...madrid, until: "2199-12-31", maxSteps: 1_000_000 })
    ).toMatchObject({
      error: {
        issues: [
          {
            path: "VEVENT[1] in line 4",
            expected: "dates that take at most 1000000 steps until 2199-12-31",
            found: "more"
          }
        ]
      }
    })
  })
})

// From the examples of RFC 5545, 3.8.5.3, and https://www.generacodice.com/en/articolo/6363208 (New Year's Day moved
// to a weekday); the days were checked with python-dateutil 2.9.
test.each([
  ["19970902", "FREQ=WEEKLY;INTERVAL=2;COUNT=4;BYDAY=TU,SU;WKST=MO", "19970902 19970907 19970916 19970921"],
  ["19970805", "FREQ=WEEKLY;INTERVAL=2;COUNT=4;BYDAY=TU,SU;WKST=MO", "19970805 19970810 19970819 19970824"],
  ["19970805", "FREQ=WEEKLY;INTERVAL=2;COUNT=4;BYDAY=TU,SU;WKST=SU", "19970805 19970817 19970819 19970831"],
  ["19970905", "FREQ=MONTHLY;COUNT=4;BYDAY=1FR", "19970905 19971003 19971107 19971205"],
  ["19970907", "FREQ=MONTHLY;INTERVAL=2;COUNT=4;BYDAY=1SU,-1SU", "19970907 19970928 19971102 19971130"],
  ["19970928", "FREQ=MONTHLY;COUNT=4;BYMONTHDAY=-3", "19970928 19971029 19971128 19971229"],
  ["19970610", "FREQ=YEARLY;COUNT=4;BYMONTH=6,7", "19970610 19970710 19980610 19980710"],
  ["19970101", "FREQ=YEARLY;INTERVAL=3;COUNT=4;BYYEARDAY=1,100,200", "19970101 19970410 19970719 20000101"],
  ["19970519", "FREQ=YEARLY;COUNT=3;BYDAY=20MO", "19970519 19980518 19990517"],
  ["19970902", "FREQ=MONTHLY;COUNT=3;BYDAY=FR;BYMONTHDAY=13", "19980213 19980313 19981113"],
  [
    "19961105",
    "FREQ=YEARLY;INTERVAL=4;COUNT=3;BYMONTH=11;BYDAY=TU;BYMONTHDAY=2,3,4,5,6,7,8",
    "19961105 20001107 20041102"
  ],
  ["19970904", "FREQ=MONTHLY;COUNT=3;BYDAY=TU,WE,TH;BYSETPOS=3", "19970904 19971007 19971106"],
  ["19970929", "FREQ=MONTHLY;COUNT=4;BYDAY=MO,TU,WE,TH,FR;BYSETPOS=-2", "19970929 19971030 19971127 19971230"],
  ["20070115", "FREQ=MONTHLY;COUNT=3;BYMONTHDAY=15,30", "20070115 20070130 20070215"],
  [
    "20070101",
    "FREQ=YEARLY;COUNT=6;BYMONTH=1;BYDAY=MO,TU,WE,TH,FR;BYMONTHDAY=1,2,3;BYSETPOS=1",
    "20070101 20080101 20090101 20100101 20110103 20120102"
  ],
  ["20240131", "FREQ=MONTHLY;COUNT=3", "20240131 20240331 20240531"]
])("[CAL-35] %s %s", (start, rule, dates) => {
  const first = toDay(Number(start.slice(0, 4)), Number(start.slice(4, 6)), Number(start.slice(6)))
  const days = expand(ICAL.Recur.fromString(rule), first, toDay(2040, 1, 1), { left: 100_000 })
  expect([...days].map((day) => toDateText(day).replaceAll("-", ""))).toEqual(dates.split(" "))
})
