import { Calendar } from "@switchboard/sla"
import fc from "fast-check"
import { describe, expect, test } from "vitest"
import { compare } from "./randomCalendars.ts"
import * as reference from "./reference.ts"

const hour = 3_600_000
const day = 24 * hour

const make = (definition: Partial<Calendar.HoursDefinition>): Calendar.Calendar => {
  const made = Calendar.make({ id: "test", timeZone: "UTC", week: {}, ...definition })
  if (!made.ok) throw new Error(made.error.message)
  return made.value
}

const added = (calendar: Calendar.Calendar, from: string, durationMs: number): string => {
  const result = Calendar.add(calendar, Date.parse(from), durationMs)
  return result.ok ? new Date(result.value).toISOString() : result.error.code
}

const between = (calendar: Calendar.Calendar, from: string, to: string): number =>
  Calendar.between(calendar, Date.parse(from), Date.parse(to))

const office = { week: Calendar.workdays({ opens: "09:00", closes: "17:00" }) }

// Offsets have been whole minutes everywhere since 1972, which is what lets the reference walk minutes.
const zones = [
  ...[
    "Europe/Madrid",
    "America/New_York",
    "Australia/Lord_Howe",
    "Asia/Kathmandu",
    "Pacific/Apia",
    "Africa/Casablanca"
  ],
  ...["America/St_Johns", "Asia/Tehran", "Pacific/Chatham", "America/Sao_Paulo", "Asia/Gaza", "Antarctica/Troll"],
  ...["Asia/Pyongyang", "America/Caracas", "Pacific/Kiritimati", "Europe/Dublin", "Africa/Cairo", "UTC"],
  ...Intl.supportedValuesOf("timeZone")
]

const time = fc.integer({ min: 0, max: 95 }).map((quarter) => {
  const text = (value: number) => String(value).padStart(2, "0")
  return `${text(Math.floor(quarter / 4))}:${text((quarter % 4) * 15)}`
})
const window = fc.record({ opens: time, closes: fc.oneof({ weight: 5, arbitrary: time }, fc.constant("24:00")) })
const hours = fc.array(window, { maxLength: 3 })
const date = (year: number, days: number) => new Date(Date.UTC(year, 0, 1) + days * day).toISOString().slice(0, 10)

const spans = fc.record({
  zone: fc.constantFrom(...zones.slice(0, 18)),
  week: fc.tuple(hours, hours),
  landing: fc.constantFrom<Calendar.Landing>("closing", "opening"),
  from: fc.integer({ min: Date.UTC(1970, 0), max: Date.UTC(2040, 0) }),
  first: fc.nat(400 * day),
  second: fc.nat(400 * day)
})
const definitionOf = ({
  zone,
  week: [odd, even],
  landing
}: typeof spans extends fc.Arbitrary<infer A> ? A : never): Calendar.HoursDefinition => ({
  id: "test",
  timeZone: zone,
  landing,
  week: { monday: odd, tuesday: even, wednesday: odd, thursday: even, friday: odd },
  holidays: [{ date: "01-01" }, { date: { easter: "western", days: 1 } }, { date: "12-25", observed: { sunday: 1 } }]
})

const calendarOf = (span: Parameters<typeof definitionOf>[0]): Calendar.Calendar => make(definitionOf(span))

describe("what is open", () => {
  test("[CAL-1] an opening time is open, a closing time is not", () => {
    const calendar = make(office)
    const open = (at: string) => Calendar.isOpen(calendar, Date.parse(at))
    expect(open("2026-03-02T08:59:59.999Z")).toBe(false)
    expect(open("2026-03-02T09:00Z")).toBe(true)
    expect(open("2026-03-02T16:59:59.999Z")).toBe(true)
    expect(open("2026-03-02T17:00Z")).toBe(false)
    expect(open("2026-03-01T12:00Z")).toBe(false)
  })

  test("[CAL-2] a window that closes before it opens runs over midnight", () => {
    const calendar = make({ week: { friday: [{ opens: "22:00", closes: "06:00" }] } })
    expect(Calendar.windows(calendar, Date.parse("2026-03-01T00:00Z"), Date.parse("2026-03-10T00:00Z"))).toEqual([
      { fromMs: Date.parse("2026-03-06T22:00Z"), toMs: Date.parse("2026-03-07T06:00Z") }
    ])
  })

  test("[CAL-3] windows that overlap or touch count once", () => {
    const calendar = make({
      week: {
        monday: [
          { opens: "12:00", closes: "15:00" },
          { opens: "09:00", closes: "12:00" },
          { opens: "10:00", closes: "14:00" }
        ]
      }
    })
    expect(Calendar.windows(calendar, Date.parse("2026-03-02T00:00Z"), Date.parse("2026-03-03T00:00Z"))).toEqual([
      { fromMs: Date.parse("2026-03-02T09:00Z"), toMs: Date.parse("2026-03-02T15:00Z") }
    ])
  })

  test("[CAL-4] around the clock is one stretch, without a gap at midnight or New Year", () => {
    const calendar = make({ timeZone: "Europe/Madrid", week: Calendar.everyDay() })
    const from = Date.parse("2025-06-01T00:00Z")
    const to = Date.parse("2027-06-01T00:00Z")
    expect(Calendar.windows(calendar, from, to)).toEqual([{ fromMs: from, toMs: to }])
    expect(Calendar.windows(calendar, from - 1000 * day, to)).toHaveLength(1)
    expect(Calendar.between(calendar, from, to)).toBe(to - from)
  })
})

describe("special dates", () => {
  test("[CAL-5] a holiday closes its date, or the part of it that it names", () => {
    const calendar = make({
      ...office,
      holidays: [{ date: "2026-03-02" }, { date: "2026-03-03", from: "13:00" }, { date: "2026-03-04", to: "10:00" }]
    })
    expect(between(calendar, "2026-03-02T00:00Z", "2026-03-03T00:00Z")).toBe(0)
    expect(between(calendar, "2026-03-03T00:00Z", "2026-03-04T00:00Z")).toBe(4 * hour)
    expect(between(calendar, "2026-03-04T00:00Z", "2026-03-05T00:00Z")).toBe(7 * hour)
  })

  test("[CAL-5] of a night window a holiday takes only the part on its date", () => {
    const calendar = make({
      week: Calendar.everyDay({ opens: "22:00", closes: "06:00" }),
      holidays: [{ date: "2026-03-03" }]
    })
    expect(Calendar.windows(calendar, Date.parse("2026-03-02T12:00Z"), Date.parse("2026-03-04T12:00Z"))).toEqual([
      { fromMs: Date.parse("2026-03-02T22:00Z"), toMs: Date.parse("2026-03-03T00:00Z") },
      { fromMs: Date.parse("2026-03-04T00:00Z"), toMs: Date.parse("2026-03-04T06:00Z") }
    ])
  })

  test("[CAL-6] a holiday without a year comes back every year, 29 February only in leap years", () => {
    const calendar = make({ week: Calendar.everyDay(), holidays: [{ date: "12-25" }, { date: "02-29" }] })
    expect(between(calendar, "2026-01-01T00:00Z", "2027-01-01T00:00Z")).toBe(364 * day)
    expect(between(calendar, "2028-01-01T00:00Z", "2029-01-01T00:00Z")).toBe(364 * day)
  })

  test("[CAL-7] an exception stands in for the windows that begin on its date, even on a holiday", () => {
    const calendar = make({
      ...office,
      holidays: [{ date: "2026-03-03" }],
      exceptions: [
        { date: "2026-03-01", windows: [{ opens: "10:00", closes: "12:00" }] },
        { date: "2026-03-03", windows: [{ opens: "20:00", closes: "02:00" }] },
        { date: "2026-03-05", windows: [] }
      ]
    })
    expect(between(calendar, "2026-03-01T00:00Z", "2026-03-02T00:00Z")).toBe(2 * hour)
    expect(between(calendar, "2026-03-03T00:00Z", "2026-03-04T08:00Z")).toBe(6 * hour)
    expect(between(calendar, "2026-03-05T00:00Z", "2026-03-06T00:00Z")).toBe(0)
  })

  test("[CAL-7] exceptions alone make a calendar, and their night reaches into the next year", () => {
    const calendar = make({ exceptions: [{ date: "2026-12-31", windows: [{ opens: "23:00", closes: "01:00" }] }] })
    expect(added(calendar, "2020-01-01T00:00Z", 2 * hour)).toBe("2027-01-01T01:00:00.000Z")
    expect(added(calendar, "2020-01-01T00:00Z", 2 * hour + 1)).toBe("never-opens-again")
  })
})

describe("the wall clock decides", () => {
  const nights = (timeZone: string) => make({ timeZone, week: Calendar.everyDay({ opens: "00:00", closes: "06:00" }) })

  // Each source: the zone's rules in the IANA tz database.
  test.each([
    { where: "Madrid, an hour skipped", zone: "Europe/Madrid", from: "2026-03-28T23:00Z", hours: 5 },
    { where: "Madrid, an hour repeated", zone: "Europe/Madrid", from: "2026-10-24T22:00Z", hours: 7 },
    { where: "Lord Howe, half an hour repeated", zone: "Australia/Lord_Howe", from: "2026-04-04T13:00Z", hours: 6.5 },
    { where: "Lord Howe, half an hour skipped", zone: "Australia/Lord_Howe", from: "2026-10-03T13:30Z", hours: 5.5 },
    { where: "Kathmandu, UTC+5:45", zone: "Asia/Kathmandu", from: "2026-03-01T18:15Z", hours: 6 },
    { where: "São Paulo, midnight skipped", zone: "America/Sao_Paulo", from: "2018-11-04T03:00Z", hours: 5 }
  ])("[CAL-8] $where", ({ zone, from, hours }) => {
    const calendar = nights(zone)
    expect(Calendar.between(calendar, Date.parse(from), Date.parse(from) + 12 * hour)).toBe(hours * hour)
  })

  test("[CAL-8] a window inside a repeated hour is open twice, one inside a skipped hour never", () => {
    const calendar = make({ timeZone: "Europe/Madrid", week: { sunday: [{ opens: "02:15", closes: "02:45" }] } })
    const opens = (date: string) =>
      Calendar.windows(calendar, Date.parse(date), Date.parse(date) + day).map(
        ({ fromMs }) => fromMs - Date.parse(date)
      )
    expect(opens("2026-10-24T22:00Z")).toEqual([2.25 * hour, 3.25 * hour])
    expect(opens("2026-03-28T23:00Z")).toEqual([])
  })

  test("[CAL-8] the day that Samoa left out, Friday 30 December 2011, has no hours", () => {
    const calendar = make({ timeZone: "Pacific/Apia", ...office })
    // Thursday 17:00 is followed by Saturday.
    expect(added(calendar, "2011-12-30T02:00Z", 2 * hour)).toBe("2012-01-01T20:00:00.000Z")
  })
})

describe("add", () => {
  test("[CAL-9] a duration used up at closing time ends there, or at the next opening by option", () => {
    const opening = make({ ...office, landing: "opening" })
    expect(added(make(office), "2026-03-06T16:00Z", hour)).toBe("2026-03-06T17:00:00.000Z")
    expect(added(opening, "2026-03-06T16:00Z", hour)).toBe("2026-03-09T09:00:00.000Z")
    expect(added(opening, "2026-03-06T16:00Z", hour - 1)).toBe("2026-03-06T16:59:59.999Z")
  })

  test("[CAL-9] a duration of 0 stays, or moves out of closed time by option", () => {
    const opening = make({ ...office, landing: "opening" })
    expect(added(make(office), "2026-03-07T12:00Z", 0)).toBe("2026-03-07T12:00:00.000Z")
    expect(added(opening, "2026-03-07T12:00Z", 0)).toBe("2026-03-09T09:00:00.000Z")
    expect(added(opening, "2026-03-09T12:00Z", 0)).toBe("2026-03-09T12:00:00.000Z")
  })

  test("[CAL-9] the last closing of all has no next opening", () => {
    const calendar = make({
      landing: "opening",
      exceptions: [{ date: "2026-03-02", windows: [{ opens: "09:00", closes: "10:00" }] }]
    })
    expect(added(calendar, "2026-03-01T00:00Z", hour)).toBe("2026-03-02T10:00:00.000Z")
    expect(added(calendar, "2026-03-03T00:00Z", 0)).toBe("2026-03-03T00:00:00.000Z")
  })

  test("[CAL-10] an empty calendar refuses instead of searching", () => {
    const calendar = make({})
    expect(Calendar.add(calendar, 0, 1)).toMatchObject({
      ok: false,
      error: { code: "never-opens-again", calendar: "test", durationMs: 1 }
    })
    expect(Calendar.nextOpening(calendar, 0)).toBeUndefined()
    expect(Calendar.between(calendar, 0, 1e15)).toBe(0)
    expect(Calendar.isOpen(calendar, 0)).toBe(false)
  })

  test("[CAL-10] a search ends with the year 2199", () => {
    const calendar = make(office)
    expect(Calendar.add(calendar, Date.parse("2199-12-30T00:00Z"), 100 * hour)).toMatchObject({ ok: false })
    expect(Calendar.nextOpening(calendar, Date.parse("2200-01-01T00:00Z"))).toBeUndefined()
    expect(Calendar.nextOpening(calendar, Number.NEGATIVE_INFINITY)).toBe(Date.parse("1900-01-01T09:00Z"))
  })

  test("[CAL-11] what is no time is refused", () => {
    for (const [instant, duration] of [
      [0, -1],
      [0, Number.NaN],
      [0, Number.POSITIVE_INFINITY],
      [Number.NaN, 1]
    ] as const)
      expect(Calendar.add(make(office), instant, duration)).toMatchObject({ error: { code: "invalid-time" } })
    expect(Calendar.between(make(office), Number.NaN, 0)).toBeNaN()
    expect(Calendar.nextOpening(make(office), Number.NaN)).toBeUndefined()
  })
})

describe("changes from a date on", () => {
  const nine = Calendar.workdays({ opens: "09:00", closes: "17:00" })
  const ten = Calendar.workdays({ opens: "10:00", closes: "14:00" })

  test("[CAL-22] other hours hold from their date on, and a duration is counted across the change", () => {
    const calendar = make({ week: nine, changes: [{ from: "2026-03-03", week: ten }] })
    expect(between(calendar, "2026-03-02T00:00Z", "2026-03-03T00:00Z")).toBe(8 * hour)
    expect(between(calendar, "2026-03-03T00:00Z", "2026-03-04T00:00Z")).toBe(4 * hour)
    expect(added(calendar, "2026-03-02T15:00Z", 3 * hour)).toBe("2026-03-03T11:00:00.000Z")
    expect(added(calendar, "2026-03-02T15:00Z", 7 * hour)).toBe("2026-03-04T11:00:00.000Z")
  })

  test("[CAL-22] the date is one of the wall clock", () => {
    const calendar = make({
      timeZone: "Pacific/Auckland",
      week: Calendar.everyDay(),
      changes: [{ from: "2026-03-01", week: {} }]
    })
    // Midnight in Auckland is 11:00 of the day before in UTC.
    expect(Calendar.nextOpening(calendar, Date.parse("2026-02-28T10:59:59Z"))).toBe(Date.parse("2026-02-28T10:59:59Z"))
    expect(Calendar.nextOpening(calendar, Date.parse("2026-02-28T11:00Z"))).toBeUndefined()
  })

  test("[CAL-22] what a change leaves out stays as it was before", () => {
    const calendar = make({
      week: nine,
      holidays: [{ date: "12-25" }],
      changes: [
        { from: "2026-01-01", week: ten },
        { from: "2027-01-01", holidays: [{ date: "12-24" }] }
      ]
    })
    const open = (date: string) => between(calendar, `${date}T00:00Z`, `${date}T23:00Z`) / hour
    expect([open("2025-12-24"), open("2025-12-25")]).toEqual([8, 0])
    expect([open("2026-12-24"), open("2026-12-25")]).toEqual([4, 0])
    expect([open("2027-12-24"), open("2028-12-25")]).toEqual([0, 4])
  })

  test("[CAL-22] before its date nothing differs from the calendar without the change", () => {
    fc.assert(
      fc.property(spans, hours, (span, other) => {
        const plain = definitionOf(span)
        const from = date(1970, Math.floor((span.from + span.first) / day))
        const changed = make({ ...plain, changes: [{ from, week: Calendar.everyDay(...other), holidays: [] }] })
        // The date begins within a day of its UTC midnight, in whatever zone.
        const until = span.from + Math.max(0, span.first - 2 * day)
        const windows = (calendar: Calendar.Calendar) => Calendar.windows(calendar, span.from, until)
        expect(windows(changed)).toEqual(windows(make(plain)))
      }),
      { numRuns: 60, seed: 17 }
    )
  })

  test("[CAL-23] a night that began before the change runs on into its date", () => {
    const calendar = make({
      week: Calendar.everyDay({ opens: "22:00", closes: "06:00" }),
      changes: [{ from: "2026-03-03", week: { tuesday: [{ opens: "09:00", closes: "10:00" }] } }]
    })
    expect(Calendar.windows(calendar, Date.parse("2026-03-02T12:00Z"), Date.parse("2026-03-05T00:00Z"))).toEqual([
      { fromMs: Date.parse("2026-03-02T22:00Z"), toMs: Date.parse("2026-03-03T06:00Z") },
      { fromMs: Date.parse("2026-03-03T09:00Z"), toMs: Date.parse("2026-03-03T10:00Z") }
    ])
  })

  test("[CAL-10] a calendar that changes to no hours refuses after its last night", () => {
    const calendar = make({
      week: Calendar.everyDay({ opens: "22:00", closes: "06:00" }),
      changes: [{ from: "2027-01-01", week: {} }]
    })
    expect(added(calendar, "2026-12-31T21:00Z", 8 * hour)).toBe("2027-01-01T06:00:00.000Z")
    expect(added(calendar, "2026-12-31T21:00Z", 8 * hour + 1)).toBe("never-opens-again")
  })
})

describe("unions and intersections", () => {
  const officeIn = (timeZone: string): Calendar.CalendarDefinition => ({ id: timeZone, timeZone, ...office })
  const combined = (definition: Calendar.CalendarDefinition): Calendar.Calendar => {
    const made = Calendar.make(definition)
    if (!made.ok) throw new Error(made.error.message)
    return made.value
  }
  const sun = combined({
    id: "follow the sun",
    union: [officeIn("Asia/Singapore"), officeIn("Europe/Madrid"), officeIn("America/New_York")]
  })
  const both = combined({ id: "both", intersection: [officeIn("Europe/Madrid"), officeIn("America/New_York")] })

  test("[CAL-24] a union is open whenever a part is, each in its own zone", () => {
    // Singapore 01:00-09:00, Madrid 08:00-16:00, New York 14:00-22:00 UTC in winter.
    expect(between(sun, "2026-01-14T00:00Z", "2026-01-15T00:00Z")).toBe(21 * hour)
    expect(Calendar.windows(sun, Date.parse("2026-01-14T00:00Z"), Date.parse("2026-01-15T00:00Z"))).toEqual([
      { fromMs: Date.parse("2026-01-14T01:00Z"), toMs: Date.parse("2026-01-14T22:00Z") }
    ])
    expect(added(sun, "2026-01-16T21:00Z", 2 * hour)).toBe("2026-01-19T02:00:00.000Z")
  })

  test("[CAL-24] an intersection is open while all parts are, also when their clocks change on other days", () => {
    // Madrid and New York are five hours apart for some weeks of March, else six.
    expect(between(both, "2026-03-04T00:00Z", "2026-03-05T00:00Z")).toBe(2 * hour)
    expect(between(both, "2026-03-11T00:00Z", "2026-03-12T00:00Z")).toBe(3 * hour)
    expect(Calendar.isOpen(both, Date.parse("2026-03-04T14:00Z"))).toBe(true)
    expect(Calendar.nextOpening(both, Date.parse("2026-03-04T16:00Z"))).toBe(Date.parse("2026-03-05T14:00Z"))
  })

  test("[CAL-24] parts may be combined themselves", () => {
    const closed: Calendar.CalendarDefinition = {
      id: "company",
      timeZone: "UTC",
      week: Calendar.everyDay(),
      holidays: [{ date: "2026-01-14" }]
    }
    const nested = combined({ id: "nested", intersection: [sun.definition, closed] })
    expect(between(nested, "2026-01-14T00:00Z", "2026-01-15T00:00Z")).toBe(0)
    expect(between(nested, "2026-01-15T00:00Z", "2026-01-16T00:00Z")).toBe(21 * hour)
  })

  test("[CAL-24] a team that moves to another zone is a union of before and after", () => {
    const moved = combined({
      id: "moved",
      union: [
        { ...officeIn("Europe/Madrid"), changes: [{ from: "2026-03-02", week: {} }] } as Calendar.HoursDefinition,
        { id: "after", timeZone: "Asia/Tokyo", week: {}, changes: [{ from: "2026-03-02", week: office.week }] }
      ]
    })
    expect(Calendar.windows(moved, Date.parse("2026-02-27T00:00Z"), Date.parse("2026-03-03T00:00Z"))).toEqual([
      { fromMs: Date.parse("2026-02-27T08:00Z"), toMs: Date.parse("2026-02-27T16:00Z") },
      { fromMs: Date.parse("2026-03-02T00:00Z"), toMs: Date.parse("2026-03-02T08:00Z") }
    ])
  })

  test("[CAL-25] parts that never meet make a calendar that never opens, and refuse instead of searching", () => {
    const never = combined({
      id: "never",
      intersection: [
        { id: "mornings", timeZone: "UTC", week: Calendar.everyDay({ opens: "08:00", closes: "12:00" }) },
        { id: "afternoons", timeZone: "UTC", week: Calendar.everyDay({ opens: "12:00", closes: "16:00" }) }
      ]
    })
    expect(added(never, "2026-01-14T00:00Z", 1)).toBe("never-opens-again")
    expect(Calendar.nextOpening(never, 0)).toBeUndefined()
    expect(between(never, "1970-01-01T00:00Z", "2199-01-01T00:00Z")).toBe(0)
    const closed = combined({ id: "closed", union: [{ id: "empty", timeZone: "UTC", week: {} }] })
    expect(added(closed, "2026-01-14T00:00Z", 1)).toBe("never-opens-again")
  })

  test("[CAL-26] the landing of the whole counts, not that of its parts", () => {
    const opening = { ...officeIn("UTC"), landing: "opening" as const }
    expect(added(combined({ id: "union", union: [opening] }), "2026-03-06T16:00Z", hour)).toBe(
      "2026-03-06T17:00:00.000Z"
    )
    expect(added(combined({ id: "union", union: [opening], landing: "opening" }), "2026-03-06T16:00Z", hour)).toBe(
      "2026-03-09T09:00:00.000Z"
    )
  })

  test.each([
    ["union[1].timeZone", { id: "x", union: [officeIn("UTC"), officeIn("Madrid")] }],
    [
      "union[0].intersection[0].week.monday[0].opens",
      {
        id: "x",
        union: [
          { id: "y", intersection: [{ id: "z", timeZone: "UTC", week: { monday: [{ opens: "9", closes: "17:00" }] } }] }
        ]
      }
    ],
    ["union", { id: "x", union: [] }],
    [
      "changes",
      {
        ...officeIn("UTC"),
        changes: [
          { from: "2026-03-02", week: {} },
          { from: "2026-03-01", week: {} }
        ]
      }
    ],
    ["changes[0]", { ...officeIn("UTC"), changes: [{ from: "2026-03-02" }] }],
    ["changes[0].from", { ...officeIn("UTC"), changes: [{ from: "03-02", week: {} }] }]
  ] as ReadonlyArray<[string, Calendar.CalendarDefinition]>)(
    "[CAL-13] a wrong %s is refused by name",
    (path, wrong) => {
      expect(Calendar.make(wrong)).toMatchObject({ ok: false, error: { issues: [{ path }] } })
    }
  )

  test("[CAL-28] a definition that is nested too deep is refused, however deep", () => {
    const nest = (levels: number): Calendar.CalendarDefinition => {
      let definition = officeIn("UTC")
      for (let level = 0; level < levels; level++) definition = { id: `level ${level}`, union: [definition] }
      return definition
    }
    expect(Calendar.make(nest(Calendar.deepest)).ok).toBe(true)
    expect(Calendar.make(nest(Calendar.deepest + 1))).toMatchObject({
      error: { issues: [{ expected: "at most 8 levels of unions and intersections" }] }
    })
    expect(Calendar.make(nest(100_000)).ok).toBe(false)
  })
})

describe("at the edges", () => {
  test.each(["closing", "opening"] as const)(
    "[CAL-27] with landing %s a start is counted from its first open instant",
    (landing) => {
      const calendar = make({ ...office, landing })
      // Friday 17:00 is the closing time, Monday 9:00 the opening time.
      for (const start of ["2026-03-06T17:00Z", "2026-03-07T12:00Z", "2026-03-09T09:00Z"])
        expect(added(calendar, start, 1)).toBe("2026-03-09T09:00:00.001Z")
      expect(between(calendar, "2026-03-06T17:00Z", "2026-03-09T09:00Z")).toBe(0)
      expect(added(calendar, "2026-03-06T16:59:59.999Z", 2)).toBe("2026-03-09T09:00:00.001Z")
    }
  )

  test("[CAL-27] only a duration of 0 tells a start at closing time from one at opening time", () => {
    expect(added(make(office), "2026-03-06T17:00Z", 0)).toBe("2026-03-06T17:00:00.000Z")
    expect(added(make({ ...office, landing: "opening" }), "2026-03-06T17:00Z", 0)).toBe("2026-03-09T09:00:00.000Z")
    expect(added(make({ ...office, landing: "opening" }), "2026-03-09T09:00Z", 0)).toBe("2026-03-09T09:00:00.000Z")
  })
})

describe("zones with a history", () => {
  const allDay = (timeZone: string) => make({ timeZone, week: Calendar.everyDay({ opens: "00:00", closes: "06:00" }) })

  test("[CAL-8] Kwajalein left out 21 August 1993", () => {
    const calendar = make({ timeZone: "Pacific/Kwajalein", week: { saturday: [{ opens: "00:00", closes: "24:00" }] } })
    // 21 August was a Saturday: the next one there was the 28th.
    expect(Calendar.nextOpening(calendar, Date.parse("1993-08-16T00:00Z"))).toBe(Date.parse("1993-08-27T12:00Z"))
  })

  test.each([
    // Summer time is Ireland's standard time: winter is an hour behind it.
    ["Europe/Dublin", "2026-03-28T12:00Z", 5],
    ["Europe/Dublin", "2026-10-24T12:00Z", 7],
    // Morocco's clock goes back for Ramadan, 15 February to 22 March 2026, and forward after it.
    ["Africa/Casablanca", "2026-02-14T12:00Z", 7],
    ["Africa/Casablanca", "2026-03-21T12:00Z", 5],
    // Liberia was 44 min 30 s behind until 7 January 1972, 00:00, when its clock went to 00:44:30.
    ["Africa/Monrovia", "1972-01-06T12:00Z", 6 - (44.5 * 60) / 3600]
  ])("[CAL-8] a night in %s from %s", (zone, from, expected) => {
    const calendar = allDay(zone)
    expect(Calendar.between(calendar, Date.parse(from), Date.parse(from) + day)).toBe(expected * hour)
  })

  test("[CAL-14] an offset of seconds equals asking every second", () => {
    const definition: Calendar.HoursDefinition = {
      id: "test",
      timeZone: "Africa/Monrovia",
      week: Calendar.everyDay({ opens: "00:10", closes: "01:00" }, { opens: "09:00", closes: "09:01" })
    }
    const from = Date.parse("1972-01-06T12:00Z")
    expect(Calendar.between(make(definition), from, from + day)).toBe(
      reference.between(definition, from, from + day, 1000)
    )
  })

  test("[CAL-8] 29 February is a day like any other", () => {
    const calendar = make(office)
    expect(between(calendar, "2028-02-29T00:00Z", "2028-03-01T00:00Z")).toBe(8 * hour)
    expect(added(calendar, "2028-02-28T16:00Z", 2 * hour)).toBe("2028-02-29T10:00:00.000Z")
    expect(added(calendar, "2100-02-26T16:00Z", 2 * hour)).toBe("2100-03-01T10:00:00.000Z")
  })
})

test("[CAL-12] nextOpening is the instant itself when open, else the first instant that is", () => {
  const calendar = make(office)
  const next = (at: string) => new Date(Calendar.nextOpening(calendar, Date.parse(at)) ?? 0).toISOString()
  expect(next("2026-03-02T10:00Z")).toBe("2026-03-02T10:00:00.000Z")
  expect(next("2026-03-06T17:00Z")).toBe("2026-03-09T09:00:00.000Z")
  expect(next("2026-12-31T23:00Z")).toBe("2027-01-01T09:00:00.000Z")
})

test.each([
  ["timeZone", { timeZone: "Madrid" }],
  ["id", { id: "" }],
  ["week.monday[0].opens", { week: { monday: [{ opens: "9:00", closes: "17:00" }] } }],
  ["week.monday[0].closes", { week: { monday: [{ opens: "09:00", closes: "24:30" }] } }],
  ["holidays[0].date", { holidays: [{ date: "2026-02-29" }] }],
  ["holidays[0].date", { holidays: [{ date: "02-30" }] }],
  ["holidays[0]", { holidays: [{ date: "2026-02-28", from: "12:00", to: "12:00" }] }],
  ["exceptions[0].date", { exceptions: [{ date: "12-25", windows: [] }] }]
] as ReadonlyArray<[string, Partial<Calendar.HoursDefinition>]>)(
  "[CAL-13] a wrong %s is refused by name",
  (path, wrong) => {
    const made = Calendar.make({ id: "test", timeZone: "UTC", week: {}, ...wrong })
    expect(made).toMatchObject({ ok: false, error: { code: "invalid", what: "calendar", issues: [{ path }] } })
    expect(made.ok ? "" : made.error.message).toContain(`${path}: expected `)
  }
)

/** An instant near a change of the zone's offset when the year has one, for that is where errors live. */
const nearChange = (timeZone: string, year: number, seed: number): number => {
  const changes: Array<number> = []
  let before = reference.wallAt(timeZone, Date.UTC(year, 0, 1)).minutes
  for (let at = Date.UTC(year, 0, 2); at < Date.UTC(year + 1, 0, 1); at += day) {
    const minutes = reference.wallAt(timeZone, at).minutes
    if (minutes !== before) changes.push(at)
    before = minutes
  }
  const base = changes[seed % (changes.length + 1)] ?? Date.UTC(year, 0, 1) + (seed % 365) * day
  return base - 2 * day
}

const scenario = fc
  .record({
    zone: fc.constantFrom(...zones),
    year: fc.integer({ min: 1973, max: 2040 }),
    seed: fc.nat(10_000),
    week: fc.array(hours, { minLength: 7, maxLength: 7 }),
    holidays: fc.array(fc.record({ offset: fc.nat(4), from: time, whole: fc.boolean(), yearly: fc.boolean() }), {
      maxLength: 2
    }),
    exceptions: fc.array(fc.record({ offset: fc.nat(4), windows: hours }), { maxLength: 2 }),
    shiftMs: fc.nat(day),
    spanMs: fc.nat(2 * day)
  })
  .map(({ zone, year, seed, week, holidays, exceptions, shiftMs, spanMs }) => {
    const base = nearChange(zone, year, seed)
    const near = (offset: number) => date(1970, Math.floor(base / day) + offset)
    const [monday, tuesday, wednesday, thursday, friday, saturday, sunday] = week as Array<Array<Calendar.Window>>
    const definition: Calendar.HoursDefinition = {
      id: "random",
      timeZone: zone,
      week: {
        monday: monday!,
        tuesday: tuesday!,
        wednesday: wednesday!,
        thursday: thursday!,
        friday: friday!,
        saturday: saturday!,
        sunday: sunday!
      },
      holidays: holidays.map(({ offset, from, whole, yearly }) => ({
        date: near(offset).slice(yearly ? 5 : 0),
        ...(whole ? {} : { from })
      })),
      exceptions: exceptions.map(({ offset, windows }) => ({ date: near(offset), windows }))
    }
    return { definition, from: base + shiftMs, spanMs }
  })

describe("against asking every minute", () => {
  test("[CAL-14] between, add and isOpen equal the reference around clock changes in all zones", () => {
    fc.assert(
      fc.property(scenario, fc.double({ min: 0, max: 1, noNaN: true }), ({ definition, from, spanMs }, share) => {
        const calendar = make(definition)
        const open = reference.between(definition, from, from + spanMs)
        expect(Calendar.between(calendar, from, from + spanMs)).toBe(open)
        expect(Calendar.isOpen(calendar, from)).toBe(reference.isOpen(definition, from))
        const durationMs = Math.floor(open * share)
        expect(Calendar.add(calendar, from, durationMs)).toEqual({
          ok: true,
          value: reference.add(definition, from, durationMs, from + spanMs)
        })
      }),
      { numRuns: 160, seed: 20_260_302 }
    )
  })

  // `SWITCHBOARD_SOAK=1` asks a million questions, across all zones, for some minutes.
  const isSoak = process.env["SWITCHBOARD_SOAK"] === "1"
  const everyZone = [...new Set([...zones, "Pacific/Kwajalein", "Africa/Monrovia"])]

  test("[CAL-14] random calendars of every kind, with rules, changes, unions and intersections, equal the reference", {
    timeout: 7_200_000
  }, () => {
    const questions = isSoak ? 1_000_000 : 1000
    const done = compare(
      questions,
      isSoak
        ? { zones: everyZone, seed: 1, perWindow: 60, perCalendar: 20 }
        : { zones: everyZone, seed: 20_260_302, perWindow: 8, perCalendar: 10 }
    )
    if (isSoak) console.log(done)
    expect(done.asked).toBe(questions)
    expect(done.combined).toBeGreaterThan(done.calendars / 4)
    expect(done.rules).toBeGreaterThan(done.calendars / 4)
    if (isSoak) expect(done.zones).toBe(everyZone.length)
  })

  test("[CAL-15] time between two instants is that to any instant between them plus that from there", () => {
    fc.assert(
      fc.property(spans, (span) => {
        const calendar = calendarOf(span)
        const { from, first, second } = span
        const whole = Calendar.between(calendar, from, from + first + second)
        expect(
          Calendar.between(calendar, from, from + first) +
            Calendar.between(calendar, from + first, from + first + second)
        ).toBe(whole)
        expect(Calendar.between(calendar, from + first + second, from) + whole).toBe(0)
        const listed = Calendar.windows(calendar, from, from + first + second)
        expect(listed.reduce((sum, { fromMs, toMs }) => sum + toMs - fromMs, 0)).toBe(whole)
      }),
      { numRuns: 120, seed: 7 }
    )
  })

  test("[CAL-16] add and between are inverse, and adding twice is adding the sum", () => {
    fc.assert(
      fc.property(spans, (span) => {
        const calendar = calendarOf(span)
        const { from, first, second } = span
        const once = Calendar.add(calendar, from, first)
        if (!once.ok) return
        expect(Calendar.between(calendar, from, once.value)).toBe(first)
        const twice = Calendar.add(calendar, once.value, second)
        const sum = Calendar.add(calendar, from, first + second)
        if (second > 0) expect(twice).toEqual(sum)
        if (span.landing === "closing" && first > 0) expect(Calendar.isOpen(calendar, once.value - 1)).toBe(true)
        if (span.landing === "opening") expect(Calendar.isOpen(calendar, once.value)).toBe(true)
      }),
      { numRuns: 120, seed: 11 }
    )
  })

  test("[CAL-17] an answer does not depend on what was asked before", () => {
    fc.assert(
      fc.property(spans, fc.array(fc.integer({ min: 1990, max: 2030 }), { maxLength: 4 }), (span, years) => {
        const asked = calendarOf(span)
        for (const year of years) Calendar.isOpen(asked, Date.UTC(year, 5))
        const fresh = calendarOf(span)
        const { from, first } = span
        expect(Calendar.between(asked, from, from + first)).toBe(Calendar.between(fresh, from, from + first))
        expect(Calendar.add(asked, from, first)).toEqual(Calendar.add(fresh, from, first))
        expect(Calendar.nextOpening(asked, from)).toBe(Calendar.nextOpening(fresh, from))
      }),
      { numRuns: 60, seed: 13 }
    )
  })
})
