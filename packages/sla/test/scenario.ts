import { Calendar, SlaClock, type SlaEvent, SlaPlan, SlaRecord, type SlaSignal, type Target } from "@switchboard/sla"

export const minute = 60_000
export const hour = 60 * minute

export const office: Calendar.CalendarDefinition = {
  id: "office",
  timeZone: "UTC",
  week: Calendar.workdays({ opens: "09:00", closes: "17:00" })
}

/** Signals as they are told: `["10:00 contactMessage", "10:30 agentReply"]` on Monday 2 March 2026, or with a date. */
export const at = (text: string): number => Date.parse(`${text.length > 5 ? text : `2026-03-02T${text}`}Z`)

export const signals = (...told: ReadonlyArray<string>): ReadonlyArray<SlaSignal.SlaSignal> =>
  told.map((line) => {
    const [time = "", kind = ""] = line.split(" ")
    return { kind: kind as Exclude<SlaSignal.Kind, "factsChanged">, at: at(time) }
  })

export const termsOf = (
  target: Target.Target,
  definition: Calendar.CalendarDefinition | null = null,
  facts: SlaClock.Terms["facts"] = {}
): SlaClock.Terms => {
  const made = definition === null ? null : Calendar.make(definition)
  if (made !== null && !made.ok) throw new Error(made.error.message)
  return { target, calendar: made === null ? null : made.value, facts }
}

/** Events as they are told: `10:30 fulfilled`. */
export const told = (events: ReadonlyArray<SlaEvent.SlaEvent>): ReadonlyArray<string> =>
  events.map((event) => {
    const iso = new Date(event.at).toISOString()
    const time = iso.startsWith("2026-03-02") ? iso.slice(11, 16) : iso.slice(5, 16)
    const more =
      event.kind === "warned" ? ` ${event.warning}` : event.kind === "escalated" ? ` ${event.escalation}` : ""
    return `${time} ${event.kind}${more}`
  })

export const run = (
  terms: SlaClock.Terms,
  given: ReadonlyArray<SlaSignal.SlaSignal>,
  until?: string
): { clock: SlaClock.SlaClock; events: ReadonlyArray<SlaEvent.SlaEvent>; told: ReadonlyArray<string> } => {
  let clock = SlaClock.make(terms.target, 0)
  const events: Array<SlaEvent.SlaEvent> = []
  for (const signal of given) {
    const step = SlaClock.apply(clock, signal, terms)
    clock = step.clock
    events.push(...step.events)
  }
  if (until !== undefined) {
    const step = SlaClock.tick(clock, at(until))
    clock = step.clock
    events.push(...step.events)
  }
  return { clock, events, told: told(events) }
}

export const makePlan = (definition: Partial<SlaPlan.SlaPlanDefinition>): SlaPlan.SlaPlan => {
  const made = SlaPlan.make({ calendars: [office], policies: [], ...definition })
  if (!made.ok) throw new Error(made.error.message)
  return made.value
}

export const fold = (
  plan: SlaPlan.SlaPlan,
  opened: SlaRecord.Step,
  given: ReadonlyArray<SlaSignal.SlaSignal>
): SlaRecord.Step =>
  given.reduce<SlaRecord.Step>((before, signal) => {
    const step = SlaRecord.apply(plan, before.record, signal)
    return { record: step.record, events: [...before.events, ...step.events] }
  }, opened)
