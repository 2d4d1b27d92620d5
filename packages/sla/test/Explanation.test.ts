import { Explanation, SlaClock, SlaRecord, type SlaSignal, Target } from "@switchboard/sla"
import fc from "fast-check"
import { expect, test } from "vitest"
import { at, fold, hour, makePlan, minute, office, run, signals, termsOf } from "./scenario.ts"

const target = Target.resolution({ durationMs: 4 * hour })
const terms = termsOf(target, office)

test("[SLA-43] every stretch says whether it counted and why", () => {
  const { clock } = run(terms, signals("16:00 opened", "2026-03-03T10:00 pending", "2026-03-03T11:00 resumed"))
  const explanation = Explanation.explain(clock, terms, at("2026-03-03T11:30"))
  expect(explanation).toMatchObject({
    countedMs: 2.5 * hour,
    remainingMs: 1.5 * hour,
    dueAt: at("2026-03-03T13:00"),
    isRunning: true,
    isPaused: false,
    breachedAt: null
  })
  expect(
    explanation?.stretches.map(({ cause, countedMs, pausedBy }) => [cause, countedMs / minute, ...pausedBy])
  ).toEqual([
    ["running", 60],
    ["closed", 0],
    ["running", 60],
    ["paused", 0, "pending"],
    ["running", 30]
  ])
})

test("[SLA-43] an earlier cycle can be explained too, and no cycle has no explanation", () => {
  const { clock } = run(terms, signals("10:00 opened", "11:00 resolved", "12:00 reopened", "12:10 pending"))
  expect(Explanation.explain(clock, terms, at("15:00"), clock.history[0])).toMatchObject({
    cycle: 1,
    countedMs: hour,
    fulfilledAt: at("11:00"),
    untilMs: at("11:00"),
    isRunning: false
  })
  expect(Explanation.explain(clock, terms, at("15:00"))).toMatchObject({
    cycle: 2,
    countedMs: 10 * minute,
    isPaused: true
  })
  expect(Explanation.explain(SlaClock.make(target, 0), terms, 0)).toBeNull()
})

test("[SLA-43] stretches adjoin and add up", () => {
  const kinds = [
    "opened",
    "pending",
    "resumed",
    "snoozed",
    "contactMessage",
    "agentReply",
    "resolved",
    "reopened"
  ] as const
  const story = fc.array(fc.record({ kind: fc.constantFrom(...kinds), wait: fc.nat(10 * hour) }), { maxLength: 60 })
  fc.assert(
    fc.property(story, fc.nat(30 * hour), (steps, later) => {
      let now = at("09:00")
      const given = steps.map(({ kind, wait }): SlaSignal.SlaSignal => {
        now += wait
        return { kind, at: now }
      })
      const { clock } = run(terms, [...signals("09:00 opened"), ...given])
      for (const cycle of [...clock.history, clock.cycle]) {
        const explanation = Explanation.explain(clock, terms, now + later, cycle)!
        let until = explanation.startedAt
        for (const { fromMs, toMs } of explanation.stretches) {
          expect(fromMs).toBe(until)
          expect(toMs).toBeGreaterThan(fromMs)
          until = toMs
        }
        expect(until).toBe(explanation.untilMs)
        expect(explanation.stretches.reduce((sum, { countedMs }) => sum + countedMs, 0)).toBe(explanation.countedMs)
      }
    }),
    { numRuns: 150, seed: 29 }
  )
})

test("[SLA-44] time paused while the contact was waiting is flagged", () => {
  const bots = termsOf(Target.firstReply({ durationMs: hour, time: "elapsed", bot: "pauses" }))
  const given = signals(
    "10:00 botTookOver",
    "10:00 contactMessage",
    "10:20 botReply",
    "10:50 contactMessage",
    "11:00 handedOff"
  )
  const { clock } = run(bots, given)
  const explanation = Explanation.explain(clock, bots, at("11:30"))
  expect(explanation?.stretches.map(({ cause, contactWaiting, fromMs }) => [fromMs, cause, contactWaiting])).toEqual([
    [at("10:00"), "paused", true],
    [at("10:20"), "paused", false],
    [at("10:50"), "paused", true],
    [at("11:00"), "running", false]
  ])
  expect(explanation?.pausedWhileContactWaitedMs).toBe(30 * minute)
})

test("[SLA-45] says so in words, in the zone asked for", () => {
  const { clock } = run(
    terms,
    signals("15:30 contactMessage", "16:00 opened", "2026-03-03T10:00 pending", "2026-03-03T11:00 resumed"),
    "2026-03-04T00:00"
  )
  const explanation = Explanation.explain(clock, terms, at("2026-03-03T13:30"))!
  expect(Explanation.toSentences(explanation, "Europe/Madrid")).toEqual([
    "resolution: 4 h 30 min of 4 h counted by 2026-03-03 14:30, breached 2026-03-03 14:00.",
    "2026-03-02 17:00 to 2026-03-02 18:00: 1 h counted.",
    "2026-03-02 18:00 to 2026-03-03 10:00: not counted, closed.",
    "2026-03-03 10:00 to 2026-03-03 11:00: 1 h counted.",
    "2026-03-03 11:00 to 2026-03-03 12:00: not counted, pending, although the contact was waiting for an answer.",
    "2026-03-03 12:00 to 2026-03-03 14:30: 2 h 30 min counted."
  ])
  const first = (given: ReadonlyArray<string>, until: string, own = terms) =>
    Explanation.toSentences(Explanation.explain(run(own, signals(...given)).clock, own, at(until))!)[0]
  expect(first(["10:00 opened"], "10:00")).toBe(
    "resolution: 0 min of 4 h counted by 2026-03-02 10:00, due 2026-03-02 14:00."
  )
  expect(first(["10:00 opened", "10:30 pending"], "11:00")).toBe(
    "resolution: 30 min of 4 h counted by 2026-03-02 11:00, paused."
  )
  expect(first(["10:00 opened", "10:30 resolved"], "11:00")).toBe(
    "resolution: 30 min of 4 h counted by 2026-03-02 10:30, fulfilled 2026-03-02 10:30."
  )
  expect(first(["10:00 opened"], "11:00", termsOf(target, { ...office, week: {} }))).toBe(
    "resolution: 0 min of 4 h counted by 2026-03-02 11:00, never due."
  )
})

test("[SLA-43] all clocks of a conversation are explained at once", () => {
  const plan = makePlan({
    policies: [
      {
        id: "standard",
        version: 1,
        calendar: "office",
        targets: [Target.firstReply({ durationMs: hour }), Target.nextReply({ durationMs: hour }), target]
      }
    ]
  })
  const { record } = fold(plan, SlaRecord.start(plan, { at: at("09:00"), facts: {} }), signals("09:10 contactMessage"))
  expect(Explanation.explainAll(plan, record, at("09:30")).map((one) => [one.target, one.countedMs / minute])).toEqual([
    ["first-reply", 20],
    ["resolution", 30]
  ])
  expect(Explanation.explainAll(makePlan({}), record, at("09:30"))).toEqual([])
})
