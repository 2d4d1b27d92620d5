/**
 * How fast business time is counted, next to asking the wall clock of every minute.
 *
 * Run from the root: `npm exec -- node --conditions=@switchboard/source packages/sla/bench/sla.bench.ts [--json]`.
 */
import { Calendar, Holiday, SlaClock, SlaPlan, SlaRecord, type SlaSignal, Target } from "@switchboard/sla"
import * as reference from "../test/reference.ts"

const hour = 3_600_000
const day = 24 * hour
const count = 4096

const definition: Calendar.CalendarDefinition = {
  id: "office",
  timeZone: "Europe/Madrid",
  week: Calendar.workdays({ opens: "09:00", closes: "13:00" }, { opens: "14:00", closes: "18:30" }),
  holidays: [
    { date: "01-01" },
    { date: "01-06" },
    { date: "05-01" },
    { date: "12-24", from: "13:00" },
    { date: "12-25" }
  ]
}

const made = Calendar.make(definition)
const plan = SlaPlan.make({
  calendars: [definition],
  policies: [
    {
      id: "standard",
      version: 1,
      calendar: "office",
      targets: [
        Target.firstReply({ durationMs: 2 * hour, warnings: [{ share: 0.5 }, { share: 0.8 }] }),
        Target.nextReply({ durationMs: 4 * hour, warnings: [{ share: 0.8 }] }),
        Target.resolution({ durationMs: 24 * hour, warnings: [{ beforeMs: hour }] })
      ]
    }
  ]
})
// Two teams in two zones, each with rules that move with the year.
const worldwide = Calendar.make({
  id: "worldwide",
  union: [
    { ...definition, holidays: [...(definition.holidays ?? []), { date: { easter: "western", days: -2 } }] },
    {
      id: "new-york",
      timeZone: "America/New_York",
      week: Calendar.workdays({ opens: "09:00", closes: "17:00" }),
      holidays: [
        { date: "07-04", observed: Holiday.nearestWeekday },
        { date: { month: 11, weekday: "thursday", nth: 4 } },
        { date: "12-25", observed: Holiday.nearestWeekday }
      ]
    }
  ]
})
if (!made.ok || !plan.ok || !worldwide.ok) throw new Error("The benchmark's own definitions are wrong.")

// A fixed sequence instead of Math.random, so that every run measures the same work.
let state = 1
const random = (): number => {
  state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0
  return state / 2 ** 32
}

/** Runs per second: the best of five runs of at least 200 ms each. */
const rate = (work: () => number, perRun: number): number => {
  let best = 0
  for (let round = 0; round < 5; round++) {
    let runs = 0
    const start = performance.now()
    let elapsed = 0
    do {
      sink += work()
      runs += perRun
      elapsed = performance.now() - start
    } while (elapsed < 200)
    best = Math.max(best, (runs / elapsed) * 1000)
  }
  return best
}
let sink = 0

interface Figure {
  readonly name: string
  readonly value: number
  readonly unit: string
  readonly baseline: number | null
  readonly ratio: number | null
}

const figures: Array<Figure> = []
const figure = (name: string, unit: string, value: number, baseline: number | null): void => {
  figures.push({ name, value, unit, baseline, ratio: baseline === null ? null : value / baseline })
}

const measure = (prefix: string, calendar: Calendar.Calendar): void => {
  const { definition } = calendar
  for (const days of [10, 90, 3650]) {
    const from = Array.from({ length: count }, () => Date.UTC(2024, 0, 1) + Math.floor(random() * 730 * day))
    const to = from.map((at) => at + Math.floor(random() * days * day))
    // About a quarter of all time is open: the durations end within the same span.
    const duration = from.map(() => Math.floor((random() * days * day) / 4.2))
    const between = rate(() => {
      let sum = 0
      for (let index = 0; index < count; index++) sum += Calendar.between(calendar, from[index]!, to[index]!)
      return sum
    }, count)
    const add = rate(() => {
      let sum = 0
      for (let index = 0; index < count; index++) {
        const added = Calendar.add(calendar, from[index]!, duration[index]!)
        if (added.ok) sum += added.value
      }
      return sum
    }, count)
    // Ten years minute by minute take many seconds for one answer.
    const slow = (work: (index: number) => number): number | null => {
      if (days > 90) return null
      const start = performance.now()
      for (let index = 0; index < 3; index++) sink += work(index)
      return 3000 / (performance.now() - start)
    }
    figure(
      `${prefix}between, spans up to ${days} days`,
      "1/s",
      between,
      slow((i) => reference.between(definition, from[i]!, to[i]!))
    )
    figure(
      `${prefix}add, spans up to ${days} days`,
      "1/s",
      add,
      slow((i) => reference.add(definition, from[i]!, duration[i]!, to[i]! + days * day) ?? 0)
    )
  }
}

measure("", made.value)
measure("union of two zones: ", worldwide.value)

const steps: ReadonlyArray<readonly [Exclude<SlaSignal.Kind, "factsChanged">, number]> = [
  ["contactMessage", 0],
  ["agentReply", 30],
  ["pending", 31],
  ["contactMessage", 200],
  ["resumed", 200],
  ["agentReply", 260],
  ["contactMessage", 300],
  ["resolved", 320]
]
const conversations = rate(() => {
  const at = Date.UTC(2026, 2, 2, 8) + Math.floor(random() * 30) * day
  let { record } = SlaRecord.start(plan.value, { at, facts: { channel: "email", priority: "normal" } })
  for (const [kind, minutes] of steps)
    record = SlaRecord.apply(plan.value, record, { kind, at: at + minutes * 60_000 }).record
  return record.clocks.length
}, steps.length + 1)
figure("one signal through three clocks", "µs", 1e6 / conversations, null)

const fresh = rate(() => {
  const cold = Calendar.make(definition)
  return cold.ok ? Calendar.between(cold.value, Date.UTC(2026, 0, 10), Date.UTC(2026, 2, 10)) : 0
}, 1)
figure("first question to a new calendar", "ms", 1000 / fresh, null)

const united = rate(() => {
  const cold = Calendar.make(worldwide.value.definition)
  return cold.ok ? Calendar.between(cold.value, Date.UTC(2026, 0, 10), Date.UTC(2026, 2, 10)) : 0
}, 1)
figure("first question to a new union of two zones", "ms", 1000 / united, null)

const opened = SlaRecord.start(plan.value, { at: Date.UTC(2026, 2, 2, 8), facts: { channel: "email" } })
const running = SlaRecord.apply(plan.value, opened.record, {
  kind: "contactMessage",
  at: Date.UTC(2026, 2, 2, 8)
}).record
figure("stored size of a record with two running clocks", "bytes", JSON.stringify(running).length, null)
const waiting = running.clocks.filter((clock) => SlaClock.isRunning(clock)).length
if (waiting !== 2 || !Number.isFinite(sink)) throw new Error("The benchmark measured something else.")

const text = (value: number | null): string =>
  value === null ? "" : value >= 100 ? Math.round(value).toLocaleString("en") : value.toPrecision(3)
if (process.argv.includes("--json")) for (const one of figures) console.log(JSON.stringify(one))
else {
  console.log(
    `${"name".padEnd(48)} ${"value".padStart(12)} ${"unit".padEnd(6)} ${"baseline".padStart(10)} ${"ratio".padStart(10)}`
  )
  for (const { name, value, unit, baseline, ratio } of figures)
    console.log(
      `${name.padEnd(48)} ${text(value).padStart(12)} ${unit.padEnd(6)} ${text(baseline).padStart(10)} ${text(ratio).padStart(10)}`
    )
}
