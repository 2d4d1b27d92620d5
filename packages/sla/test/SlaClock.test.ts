import { Calendar, SlaClock, type SlaSignal, Target } from "@switchboard/sla"
import fc from "fast-check"
import { describe, expect, test } from "vitest"
import { at, hour, minute, office, run, signals, termsOf, told } from "./scenario.ts"

/** An hour from `opened` to `resolved`, in elapsed time. */
const simple: Target.Target = {
  id: "simple",
  durationMs: hour,
  time: "elapsed",
  starts: ["opened"],
  fulfils: ["resolved"],
  cancels: ["closed"],
  pauses: [
    { from: ["pending"], until: ["resumed"] },
    { from: ["botTookOver"], until: ["handedOff"] }
  ]
}

describe("due and breach", () => {
  test("[SLA-1] a clock is due when its duration has passed since its start", () => {
    const { clock } = run(termsOf(simple), signals("10:00 opened"))
    expect(SlaClock.isRunning(clock)).toBe(true)
    expect(clock.cycle?.dueAt).toBe(at("11:00"))
    expect(SlaClock.nextDeadline(clock)).toEqual({ kind: "breach", id: "", at: at("11:00") })
  })

  test("[SLA-1] in business time only open hours pass", () => {
    const terms = termsOf({ ...simple, durationMs: 2 * hour, time: "business" }, office)
    const { clock } = run(terms, signals("2026-03-06T16:30 opened"))
    expect(clock.cycle?.dueAt).toBe(at("2026-03-09T10:30"))
    expect(SlaClock.countedMs(clock, terms, at("2026-03-08T12:00"))).toBe(30 * minute)
    const landing = run(
      termsOf({ ...simple, time: "business" }, { ...office, landing: "opening" }),
      signals("16:00 opened")
    )
    expect(landing.clock.cycle?.dueAt).toBe(at("2026-03-03T09:00"))
  })

  test("[SLA-2] fulfilled a millisecond before due is kept, at the due instant it is breached", () => {
    const resolvedAt = (instant: number) =>
      run(termsOf(simple), [...signals("10:00 opened"), { kind: "resolved", at: instant }])
    const kept = resolvedAt(at("11:00") - 1)
    expect(kept.told).toEqual(["10:00 started", "10:59 fulfilled"])
    expect(kept.events.at(-1)).toMatchObject({ breached: false, countedMs: hour - 1, durationMs: hour, cycle: 1 })
    expect(resolvedAt(at("11:00")).told).toEqual(["10:00 started", "11:00 breached", "11:00 fulfilled"])
  })

  test("[SLA-3] a breach found late keeps its instant, and comes once", () => {
    const { clock, told: events } = run(termsOf(simple), signals("10:00 opened"), "2026-03-05T00:00")
    expect(events).toEqual(["10:00 started", "11:00 breached"])
    expect(clock.cycle?.breachedAt).toBe(at("11:00"))
    expect(SlaClock.tick(clock, at("2026-03-06T00:00"))).toEqual({ clock, events: [] })
    expect(run(termsOf(simple), signals("10:00 opened", "13:00 pending", "14:00 resumed"), "23:00").told).toEqual([
      "10:00 started",
      "11:00 breached",
      "13:00 paused",
      "14:00 resumed"
    ])
  })

  test("[SLA-6] a clock answered late is fulfilled and breached", () => {
    const { clock, events } = run(termsOf(simple), signals("10:00 opened", "12:30 resolved"))
    expect([SlaClock.isFulfilled(clock), SlaClock.isBreached(clock), SlaClock.isRunning(clock)]).toEqual([
      true,
      true,
      false
    ])
    expect(events.at(-1)).toMatchObject({
      kind: "fulfilled",
      breached: true,
      countedMs: 2.5 * hour,
      dueAt: at("11:00")
    })
  })

  test("[SLA-22] a clock whose calendar never opens again is never due", () => {
    const { clock, told: events } = run(
      termsOf({ ...simple, time: "business" }, { ...office, week: {} }),
      signals("10:00 opened"),
      "2030-01-01T00:00"
    )
    expect(events).toEqual(["10:00 started"])
    expect(clock.cycle?.dueAt).toBeNull()
    expect(SlaClock.nextDeadline(clock)).toBeNull()
  })
})

describe("warnings and escalations", () => {
  const warned: Target.Target = {
    ...simple,
    warnings: [{ beforeMs: 5 * minute }, { share: 0.5 }, { share: 0.8 }, { beforeMs: 2 * hour }],
    escalations: [
      { id: "boss", when: { afterMs: 30 * minute }, action: "supervisor" },
      { id: "early", when: { share: 0.25 }, action: "notify" },
      { id: "double", when: { share: 2 }, action: "notify" }
    ]
  }

  test("[SLA-4] [SLA-5] [SLA-21] each comes once at its point, unless the duration is too short for it", () => {
    const { told: events, clock } = run(termsOf(warned), signals("10:00 opened"), "2026-03-03T00:00")
    expect(events).toEqual([
      "10:00 started",
      "10:15 escalated early",
      "10:30 warned share:0.5",
      "10:48 warned share:0.8",
      "10:55 warned beforeMs:300000",
      "11:00 breached",
      "11:30 escalated boss",
      "12:00 escalated double"
    ])
    expect(SlaClock.nextDeadline(clock)).toBeNull()
  })

  test("[SLA-21] what has come does not come again after a pause, and nothing comes after the end", () => {
    const given = signals(
      "10:00 opened",
      "10:35 pending",
      "10:45 resumed",
      "11:15 pending",
      "12:00 resumed",
      "12:10 resolved"
    )
    expect(run(termsOf(warned), given, "2026-03-03T00:00").told).toEqual([
      "10:00 started",
      "10:15 escalated early",
      "10:30 warned share:0.5",
      "10:35 paused",
      "10:45 resumed",
      "10:58 warned share:0.8",
      "11:05 warned beforeMs:300000",
      "11:10 breached",
      "11:15 paused",
      "12:00 resumed",
      "12:10 fulfilled"
    ])
  })
})

describe("pauses", () => {
  test("[SLA-7] a paused clock does not breach", () => {
    const { clock, told: events } = run(termsOf(simple), signals("10:00 opened", "10:59 pending"), "2027-01-01T00:00")
    expect(events).toEqual(["10:00 started", "10:59 paused"])
    expect([SlaClock.isPaused(clock), SlaClock.isRunning(clock), SlaClock.isBreached(clock)]).toEqual([
      true,
      false,
      false
    ])
    expect(clock.cycle?.dueAt).toBeNull()
    expect(SlaClock.countedMs(clock, termsOf(simple), at("2027-01-01T00:00"))).toBe(59 * minute)
  })

  test("[SLA-8] a resumed clock has the time left that it had", () => {
    const { clock } = run(termsOf(simple), signals("10:00 opened", "10:20 pending", "15:00 resumed"))
    expect(clock.cycle?.dueAt).toBe(at("15:40"))
    const business = termsOf({ ...simple, time: "business", durationMs: 2 * hour }, office)
    const night = run(business, signals("16:30 opened", "2026-03-03T02:00 pending", "2026-03-03T03:00 resumed"))
    expect(night.clock.cycle?.dueAt).toBe(at("2026-03-03T10:30"))
  })

  test("[SLA-9] with two reasons it goes on when the second ends", () => {
    const given = signals("10:00 opened", "10:10 pending", "10:20 botTookOver", "10:30 resumed", "10:40 handedOff")
    const { clock, told: events } = run(termsOf(simple), given)
    expect(events).toEqual(["10:00 started", "10:10 paused", "10:40 resumed"])
    expect(clock.cycle?.intervals.map(({ pausedBy }) => pausedBy ?? [])).toEqual([
      [],
      ["pending"],
      ["pending", "botTookOver"],
      ["botTookOver"]
    ])
  })

  test("[SLA-10] a reason older than the start holds the clock from its start", () => {
    const { clock, told: events } = run(
      termsOf(simple),
      signals("09:50 botTookOver", "10:00 opened", "10:30 handedOff")
    )
    expect(events).toEqual(["10:00 started", "10:30 resumed"])
    expect(clock.cycle).toMatchObject({ startedAt: at("10:00"), dueAt: at("11:30"), countedMs: 0 })
  })
})

describe("cycles", () => {
  test("[SLA-11] a cancelled measurement has no result and may begin again", () => {
    const { clock, told: events } = run(
      termsOf(simple),
      signals("10:00 opened", "10:30 closed", "12:00 opened"),
      "14:00"
    )
    expect(events).toEqual(["10:00 started", "10:30 cancelled", "12:00 started", "13:00 breached"])
    expect(clock.history).toMatchObject([{ number: 1, cancelledAt: at("10:30"), fulfilledAt: null }])
  })

  test("[SLA-12] a target that does not repeat is over once fulfilled", () => {
    expect(run(termsOf(simple), signals("10:00 opened", "10:30 resolved", "12:00 opened"), "20:00").told).toEqual([
      "10:00 started",
      "10:30 fulfilled"
    ])
  })

  test("[SLA-13] a repeating target begins a new cycle and keeps the old one", () => {
    const terms = termsOf({ ...simple, repeats: true })
    const { clock } = run(terms, signals("10:00 opened", "11:30 resolved", "12:00 opened"))
    expect(clock.cycle).toMatchObject({ number: 2, startedAt: at("12:00"), countedMs: 0, breachedAt: null })
    expect(clock.history).toMatchObject([{ number: 1, breachedAt: at("11:00"), fulfilledAt: at("11:30") }])
  })

  test("[SLA-14] a start counts only after what has to come before", () => {
    const terms = termsOf({ ...simple, after: ["accepted"], starts: ["contactMessage"] })
    const given = signals("10:00 contactMessage", "10:10 accepted", "10:20 contactMessage")
    expect(run(terms, given).told).toEqual(["10:20 started"])
  })

  test("[SLA-15] a restart gives all time back, but not after a breach", () => {
    const terms = termsOf({ ...simple, restarts: ["contactMessage"] })
    const given = signals("10:00 opened", "10:30 contactMessage", "12:00 contactMessage")
    const { told: events, clock } = run(terms, given)
    expect(events).toEqual(["10:00 started", "10:30 restarted", "11:30 breached"])
    expect(clock.cycle).toMatchObject({ startedAt: at("10:30"), dueAt: at("11:30") })
  })

  test("[SLA-20] a signal dated before the latest change counts as of that change", () => {
    const { clock } = run(termsOf(simple), signals("10:00 opened", "10:30 pending", "10:10 resumed"))
    expect(clock.cycle).toMatchObject({ countedMs: 30 * minute, dueAt: at("11:00") })
  })

  test("[SLA-23] early stretches are put together and no counted time is lost", () => {
    const terms = termsOf({ ...simple, durationMs: 1000 * hour, repeats: true })
    const pauses = Array.from(
      { length: 50 },
      (_, index): ReadonlyArray<SlaSignal.SlaSignal> => [
        { kind: "pending", at: at("10:00") + index * hour + 10 * minute },
        { kind: "resumed", at: at("10:00") + index * hour + 20 * minute }
      ]
    )
    const { clock } = run(terms, [...signals("10:00 opened"), ...pauses.flat()])
    const intervals = clock.cycle?.intervals ?? []
    expect(intervals).toHaveLength(SlaClock.intervalLimit)
    expect(intervals[0]).toMatchObject({ fromMs: at("10:00"), merged: true })
    expect(intervals.reduce((sum, { countedMs }) => sum + countedMs, 0)).toBe(10 * minute + 49 * 50 * minute)
    expect(clock.cycle?.countedMs).toBe(10 * minute + 49 * 50 * minute)

    const cycles = Array.from({ length: 9 }, () => signals("10:00 opened", "10:10 resolved")).flat()
    expect(run(terms, cycles).clock.history.map(({ number }) => number)).toEqual([4, 5, 6, 7, 8])
  })
})

describe("changing facts", () => {
  const target: Target.Target = {
    ...simple,
    durationMs: 4 * hour,
    overrides: [
      { when: { priority: ["urgent", "high"] }, durationMs: hour },
      { when: { priority: ["high"] }, durationMs: 2 * hour }
    ],
    warnings: [{ share: 0.5 }]
  }
  const change = (clock: SlaClock.SlaClock, time: string, priority: string, changed = target) =>
    SlaClock.apply(
      clock,
      { kind: "factsChanged", at: at(time), facts: { priority } },
      termsOf(changed, null, { priority })
    )

  test("[SLA-16] the first override that matches counts", () => {
    expect(Target.durationOf(target, { priority: "high" })).toBe(hour)
    expect(Target.durationOf(target, { priority: "low" })).toBe(4 * hour)
    expect(run(termsOf(target, null, { priority: "urgent" }), signals("10:00 opened")).clock.cycle?.dueAt).toBe(
      at("11:00")
    )
  })

  test("[SLA-17] a change of priority keeps the time counted", () => {
    const { clock } = run(termsOf(target), signals("10:00 opened"))
    const step = change(clock, "10:20", "urgent")
    expect(told(step.events)).toEqual(["10:20 rescheduled"])
    expect(step.clock.cycle).toMatchObject({ dueAt: at("11:00"), countedMs: 20 * minute })
    expect(SlaClock.nextDeadline(step.clock)).toMatchObject({ kind: "warning", at: at("10:30") })
    expect(change(step.clock, "10:50", "low").clock.cycle?.dueAt).toBe(at("14:00"))
  })

  test("[SLA-17] what the change puts into the past happens at the change", () => {
    const { clock } = run(termsOf(target), signals("10:00 opened"))
    const step = change(clock, "11:30", "urgent")
    expect(told(step.events)).toEqual(["11:30 rescheduled", "11:30 warned share:0.5", "11:30 breached"])
    expect(step.clock.cycle?.breachedAt).toBe(at("11:30"))
  })

  test("[SLA-17] while paused the change counts from the resumption", () => {
    const { clock } = run(termsOf(target), signals("10:00 opened", "10:20 pending"))
    const step = change(clock, "12:00", "urgent")
    expect(SlaClock.nextDeadline(step.clock)).toBeNull()
    const resumed = SlaClock.apply(
      step.clock,
      { kind: "resumed", at: at("13:00") },
      termsOf(target, null, { priority: "urgent" })
    )
    expect(resumed.clock.cycle?.dueAt).toBe(at("13:40"))
  })

  test("[SLA-18] a duration from the start stays", () => {
    const fixed: Target.Target = { ...target, durationFrom: "start" }
    const { clock } = run(termsOf(fixed), signals("10:00 opened"))
    const step = change(clock, "10:20", "urgent", fixed)
    expect(step.events).toEqual([])
    expect(step.clock.cycle?.dueAt).toBe(at("14:00"))
  })

  test("[SLA-19] once breached, the promise of the cycle stands", () => {
    const { clock } = run(termsOf(target, null, { priority: "urgent" }), signals("10:00 opened"), "11:10")
    const step = change(clock, "11:20", "low")
    expect(step.events).toEqual([])
    expect(step.clock.cycle).toMatchObject({ breachedAt: at("11:00"), dueAt: at("11:00"), durationMs: hour })
  })
})

describe("against going minute by minute", () => {
  const kinds = ["opened", "resolved", "pending", "resumed", "botTookOver", "handedOff", "closed"] as const
  const story = fc
    .array(fc.record({ kind: fc.constantFrom(...kinds), wait: fc.integer({ min: 0, max: 400 }) }), { maxLength: 14 })
    .map((steps) => {
      let now = at("08:00")
      return steps.map(({ kind, wait }): SlaSignal.SlaSignal => {
        now += wait * minute
        return { kind, at: now }
      })
    })

  const isOpen = (instant: number): boolean => {
    const date = new Date(instant)
    return date.getUTCDay() % 6 !== 0 && date.getUTCHours() >= 9 && date.getUTCHours() < 17
  }

  test("[SLA-24] breaches, warnings and counted time equal those of a simulation", () => {
    fc.assert(
      fc.property(
        story,
        fc.integer({ min: 1, max: 900 }),
        fc.integer({ min: 1, max: 900 }),
        fc.boolean(),
        (given, allowed, before, isBusiness) => {
          const target: Target.Target = {
            ...simple,
            repeats: true,
            durationMs: allowed * minute,
            time: isBusiness ? "business" : "elapsed",
            warnings: [{ beforeMs: before * minute }]
          }
          const end = (given.at(-1)?.at ?? at("08:00")) + 5000 * minute
          const expected: Array<string> = []
          let state: { counted: number; breached: boolean } | null = null
          const still = new Set<string>()
          for (let now = at("08:00"); now <= end; now += minute) {
            for (const { kind } of given.filter((signal) => signal.at === now)) {
              if (kind === "pending") still.add("pending")
              if (kind === "resumed") still.delete("pending")
              if (kind === "botTookOver") still.add("bot")
              if (kind === "handedOff") still.delete("bot")
              if (state !== null && (kind === "resolved" || kind === "closed")) {
                expected.push(
                  kind === "resolved"
                    ? `${now} fulfilled ${state.counted * minute} ${state.breached}`
                    : `${now} cancelled`
                )
                state = null
              }
              if (kind === "opened" && state === null) {
                state = { counted: 0, breached: false }
                expected.push(`${now} started`)
              }
            }
            if (state === null || still.size > 0 || now === end || (isBusiness && !isOpen(now))) continue
            state.counted += 1
            if (state.counted === allowed - before) expected.push(`${now + minute} warned`)
            if (state.counted === allowed) {
              state.breached = true
              expected.push(`${now + minute} breached`)
            }
          }
          const { events } = run(
            termsOf(target, isBusiness ? office : null),
            given,
            new Date(end).toISOString().slice(0, 16)
          )
          expect(
            events
              .filter(({ kind }) => kind !== "paused" && kind !== "resumed")
              .map((event) =>
                event.kind === "fulfilled"
                  ? `${event.at} fulfilled ${event.countedMs} ${event.breached}`
                  : `${event.at} ${event.kind}`
              )
          ).toEqual(expected)
        }
      ),
      { numRuns: 250, seed: 3 }
    )
  })

  test("[SLA-8] counted time never falls and never outruns the wall clock", () => {
    fc.assert(
      fc.property(story, fc.array(fc.nat(300), { maxLength: 10 }), (given, waits) => {
        const terms = termsOf({ ...simple, time: "business" }, office)
        const { clock } = run(terms, given)
        let now = given.at(-1)?.at ?? at("08:00")
        let counted = SlaClock.countedMs(clock, terms, now)
        for (const wait of waits) {
          now += wait * minute
          const next = SlaClock.countedMs(clock, terms, now)
          expect(next).toBeGreaterThanOrEqual(counted)
          expect(next - counted).toBeLessThanOrEqual(wait * minute)
          counted = next
        }
      }),
      { numRuns: 100, seed: 5 }
    )
  })
})

test("[SLA-1] a target of one's own is made of the same parts", () => {
  const accept: Target.Target = {
    id: "accept",
    durationMs: 30_000,
    time: "elapsed",
    starts: ["queued"],
    fulfils: ["accepted"],
    cancels: ["resolved"],
    repeats: true
  }
  const { events } = run(termsOf(accept), signals("10:00 queued", "10:01 accepted"))
  expect(events.map(({ kind, at: instant }) => [kind, instant - at("10:00")])).toEqual([
    ["started", 0],
    ["breached", 30_000],
    ["fulfilled", 60_000]
  ])
})

test("[SLA-1] a clock goes on under another calendar from the instant of the change", () => {
  const target: Target.Target = { ...simple, time: "business", durationMs: 10 * hour }
  const from = termsOf(target, office)
  const to = termsOf(target, { ...office, id: "always", week: Calendar.everyDay() })
  const { clock } = run(from, signals("09:00 opened"))
  const step = SlaClock.changeTerms(clock, from, to, at("20:00"))
  expect(step.clock.cycle).toMatchObject({ countedMs: 8 * hour, dueAt: at("22:00") })
})
