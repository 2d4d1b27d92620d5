/**
 * Random calendars with everything a definition can hold, asked random questions near a change of a zone's offset, and
 * compared with what the wall clock of every minute says.
 */
import { Calendar, type Holiday } from "@switchboard/sla"
import * as reference from "./reference.ts"

const dayMs = 86_400_000
const windowDays = 3

const names = ["monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday"] as const

/** Offsets that are not whole minutes (Liberia's until 1972, of 44 min 30 s) are asked every half minute. */
const stepOf = (timeZone: string, at: number): number => {
  const seconds = new Intl.DateTimeFormat("en-GB", { timeZone, second: "2-digit" })
  return [at, at + windowDays * dayMs].every((instant) => Number(seconds.format(instant)) === 0) ? 60_000 : 30_000
}

class Random {
  #state: number
  constructor(seed: number) {
    this.#state = seed >>> 0
  }
  /** A whole number from 0 to below `end` (mulberry32). */
  below(end: number): number {
    this.#state = (this.#state + 0x6d2b79f5) >>> 0
    let t = this.#state
    t = Math.imul(t ^ (t >>> 15), t | 1)
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61)
    return Math.floor((((t ^ (t >>> 14)) >>> 0) / 2 ** 32) * end)
  }
  chance(share: number): boolean {
    return this.below(1000) < share * 1000
  }
  of<A>(list: ReadonlyArray<A>): A {
    return list[this.below(list.length)]!
  }
  list<A>(most: number, one: () => A): Array<A> {
    return Array.from({ length: this.below(most + 1) }, one)
  }
}

const two = (value: number): string => String(value).padStart(2, "0")

const timeOf = (random: Random): string => {
  const minutes = random.chance(0.8) ? random.below(96) * 15 : random.below(1440)
  return `${two(Math.floor(minutes / 60))}:${two(minutes % 60)}`
}

const windowOf = (random: Random): Calendar.Window => ({
  opens: timeOf(random),
  closes: random.chance(0.15) ? "24:00" : timeOf(random)
})

const weekOf = (random: Random): Calendar.Week =>
  Object.fromEntries(
    names.filter(() => random.chance(0.8)).map((name) => [name, random.list(3, () => windowOf(random))])
  )

/** A date, or a rule that gives just this date in its year. */
const ruleFor = (random: Random, date: string): Holiday.HolidayDate => {
  const weekday = names[reference.weekdayOf(date)]!
  const near = (days: number): string => reference.dateOf(Date.parse(date) + days * dayMs).slice(5)
  const [year, month, day] = [Number(date.slice(0, 4)), Number(date.slice(5, 7)), Number(date.slice(8))]
  const shift = random.below(7)
  const kind = random.below(7)
  if (kind === 0) return date
  if (kind === 1) return date.slice(5)
  if (kind === 2) return { month, weekday, nth: Math.ceil(day / 7) }
  if (kind === 3) {
    const length = new Date(Date.UTC(year, month, 0)).getUTCDate()
    return { month, weekday, nth: -Math.ceil((length - day + 1) / 7) }
  }
  if (kind === 4 && near(-shift) !== "02-29") return { weekday, onOrAfter: near(-shift) }
  if (kind === 5 && near(shift) !== "02-29") return { weekday, onOrBefore: near(shift) }
  const easter = random.of(["western", "orthodox"] as const)
  const days = Math.round((Date.parse(date) - Date.parse(reference.easter(easter, year))) / dayMs)
  return Math.abs(days) > 120 ? date.slice(5) : { easter, days }
}

const moves: ReadonlyArray<Holiday.Observed> = [
  { saturday: 2, sunday: 1 },
  { saturday: -1, sunday: 1 },
  { sunday: 1 },
  { friday: 2, saturday: 1 },
  { tuesday: -1, wednesday: -2, thursday: 4, friday: 3 }
]

const holidayOf = (random: Random, date: string): Holiday.Holiday => {
  const rule = ruleFor(random, date)
  const [one, other] = [timeOf(random), timeOf(random)].sort()
  return {
    date: rule,
    ...(random.chance(0.3) && one !== other ? { from: one!, to: other! } : random.chance(0.2) ? { from: one! } : {}),
    ...(random.chance(0.5) && (typeof rule !== "string" || rule.length === 5) ? { observed: random.of(moves) } : {})
  }
}

const hoursOf = (random: Random, zones: ReadonlyArray<string>, base: number): Calendar.HoursDefinition => {
  const near = (): string => reference.dateOf(base + (random.below(windowDays + 4) - 2) * dayMs)
  const holidays = (): Array<Holiday.Holiday> => random.list(4, () => holidayOf(random, near()))
  const changes = [...new Set(random.chance(0.4) ? random.list(2, near) : [])].sort()
  return {
    id: "hours",
    timeZone: random.chance(0.7) ? zones[0]! : random.of(zones),
    week: random.chance(0.1) ? Calendar.everyDay() : weekOf(random),
    holidays: holidays(),
    exceptions: random.list(2, () => ({ date: near(), windows: random.list(2, () => windowOf(random)) })),
    changes: changes.map((from) => ({
      from,
      ...(random.chance(0.7) ? { week: weekOf(random) } : { holidays: holidays() }),
      ...(random.chance(0.3) ? { holidays: holidays() } : {})
    }))
  }
}

const definitionOf = (
  random: Random,
  zones: ReadonlyArray<string>,
  base: number,
  levels = 2
): Calendar.CalendarDefinition => {
  if (levels === 0 || random.chance(0.55)) return hoursOf(random, zones, base)
  const parts = Array.from({ length: 1 + random.below(3) }, () => definitionOf(random, zones, base, levels - 1))
  return random.chance(0.5) ? { id: "any", union: parts } : { id: "all", intersection: parts }
}

/** An instant near a change of the zone's offset when the year has one, for that is where errors live. */
const baseOf = (random: Random, timeZone: string, year: number): number => {
  const changes: Array<number> = []
  if (random.chance(0.7)) {
    let before = reference.wallAt(timeZone, Date.UTC(year, 0, 1)).minutes
    for (let at = Date.UTC(year, 0, 2); at < Date.UTC(year + 1, 0, 1); at += dayMs) {
      const { minutes } = reference.wallAt(timeZone, at)
      if (minutes !== before) changes.push(at)
      before = minutes
    }
  }
  const leap = Date.UTC(year, 1, 29)
  const base = changes.length > 0 ? random.of(changes) : random.chance(0.2) ? leap : leap + random.below(365) * dayMs
  return base - 2 * dayMs
}

interface Question {
  readonly definition: Calendar.CalendarDefinition
  readonly from: string
  readonly to: string
  readonly durationMs: number
}

const fail = (what: string, question: Question, found: unknown, expected: unknown): never => {
  throw new Error(`${what}: ${JSON.stringify({ found, expected })} for ${JSON.stringify(question)}`)
}

/** Asks a calendar so many questions and compares with the steps that are open. */
const ask = (
  random: Random,
  definition: Calendar.CalendarDefinition,
  open: Uint8Array,
  base: number,
  stepMs: number,
  questions: number
): void => {
  const end = base + open.length * stepMs
  const calendars = (["closing", "opening"] as const).map((landing) => {
    const made = Calendar.make({ ...definition, landing })
    if (!made.ok) throw new Error(made.error.message)
    return made.value
  })
  const [closing, opening] = calendars as [Calendar.Calendar, Calendar.Calendar]
  for (let count = 0; count < questions; count++) {
    const from = base + random.below(open.length * stepMs)
    const to = from + random.below(end - from + 1)
    let between = 0
    const windows: Array<{ fromMs: number; toMs: number }> = []
    for (let index = Math.floor((from - base) / stepMs); base + index * stepMs < to; index++) {
      if (open[index] === 0) continue
      const start = Math.max(from, base + index * stepMs)
      const stop = Math.min(to, base + (index + 1) * stepMs)
      between += stop - start
      const last = windows.at(-1)
      if (last?.toMs === start) last.toMs = stop
      else windows.push({ fromMs: start, toMs: stop })
    }
    const durationMs = random.chance(0.2) ? between : random.below(between + 1)
    // The first instant at which the duration has passed, and the last one.
    let first = from
    let left = durationMs
    let index = Math.floor((from - base) / stepMs)
    for (; left > 0; index++) {
      if (open[index] === 0) continue
      const start = Math.max(from, base + index * stepMs)
      first = start + Math.min(left, base + (index + 1) * stepMs - start)
      left -= first - start
    }
    let next = Math.floor((first - base) / stepMs)
    while (next < open.length && open[next] === 0) next++
    const last = next < open.length ? Math.max(first, base + next * stepMs) : undefined
    let opens = Math.floor((from - base) / stepMs)
    while (opens < open.length && open[opens] === 0) opens++

    const question = { definition, from: new Date(from).toISOString(), to: new Date(to).toISOString(), durationMs }
    const check = (what: string, found: unknown, expected: unknown): void => {
      if (JSON.stringify(found) !== JSON.stringify(expected)) fail(what, question, found, expected)
    }
    check("between", Calendar.between(closing, from, to), between)
    check("isOpen", Calendar.isOpen(closing, from), open[Math.floor((from - base) / stepMs)] === 1)
    check("add", Calendar.add(closing, from, durationMs), { ok: true, value: first })
    if (last !== undefined) check("add to opening", Calendar.add(opening, from, durationMs), { ok: true, value: last })
    if (opens < open.length)
      check("nextOpening", Calendar.nextOpening(closing, from), Math.max(from, base + opens * stepMs))
    check("windows", Calendar.windows(closing, from, to), windows)
  }
}

/** Compares that many random questions, and returns in how many zones, calendars and kinds of calendars they were. */
export const compare = (
  questions: number,
  {
    zones,
    seed,
    perWindow,
    perCalendar
  }: {
    readonly zones: ReadonlyArray<string>
    readonly seed: number
    /** Calendars asked of the same days, whose wall clocks are read once. */
    readonly perWindow: number
    readonly perCalendar: number
  }
) => {
  const random = new Random(seed)
  const seen = new Set<string>()
  let [asked, calendars, combined, rules] = [0, 0, 0, 0]
  while (asked < questions) {
    // Zones in turn, in a random order, so that none is left out.
    const timeZone = zones[(seen.size + seed) % zones.length]!
    const batch = seen.has(timeZone) ? random.of(zones) : timeZone
    seen.add(batch)
    const year = 1970 + random.below(71)
    const base = baseOf(random, batch, year)
    const involved = [batch, random.of(zones), random.of(zones)]
    const stepMs = Math.min(...involved.map((zone) => stepOf(zone, base)))
    const steps = (windowDays * dayMs) / stepMs
    const walls = new Map(
      involved.map((zone) => [
        zone,
        Array.from({ length: steps }, (_, index) => reference.wallAt(zone, base + index * stepMs))
      ])
    )
    const clock: reference.Clock = (zone, instantMs) => walls.get(zone)![(instantMs - base) / stepMs]!
    for (let count = 0; count < perWindow && asked < questions; count++) {
      const definition = definitionOf(random, involved, base)
      const open = Uint8Array.from({ length: steps }, (_, index) =>
        reference.isOpen(definition, base + index * stepMs, clock) ? 1 : 0
      )
      ask(random, definition, open, base, stepMs, perCalendar)
      asked += perCalendar
      calendars++
      if (!("week" in definition)) combined++
      else if (definition.holidays?.some(({ date }) => typeof date === "object")) rules++
    }
  }
  return { asked, calendars, combined, rules, zones: seen.size }
}
