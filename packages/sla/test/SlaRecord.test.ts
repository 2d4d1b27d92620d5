import { Facts, SlaPlan, SlaPolicy, SlaRecord, SlaSignal, Target } from "@switchboard/sla"
import fc from "fast-check"
import { describe, expect, test } from "vitest"
import { at, fold, hour, makePlan, minute, office, signals, told } from "./scenario.ts"

const standard: SlaPolicy.SlaPolicy = {
  id: "standard",
  version: 1,
  calendar: "office",
  targets: [
    Target.firstReply({ durationMs: hour, warnings: [{ share: 0.5 }] }),
    Target.nextReply({ durationMs: 2 * hour }),
    Target.resolution({ durationMs: 8 * hour, overrides: [{ when: { priority: ["urgent"] }, durationMs: 4 * hour }] })
  ]
}
const vip: SlaPolicy.SlaPolicy = {
  id: "vip",
  version: 1,
  when: { attributes: { plan: ["gold"] } },
  targets: [
    Target.firstReply({ durationMs: 10 * minute, time: "elapsed" }),
    { id: "accept", durationMs: minute, time: "elapsed", starts: ["queued"], fulfils: ["accepted"] }
  ]
}
const plan = makePlan({ policies: [vip, standard] })

const factsChanged = (time: string, facts: Facts.Facts): SlaSignal.SlaSignal => ({
  kind: "factsChanged",
  at: at(time),
  facts
})

const start = (time: string, facts: Facts.Facts = {}, from = plan) => SlaRecord.start(from, { at: at(time), facts })

describe("conditions and policies", () => {
  test.each([
    [{}, {}, true],
    [{ channel: ["chat", "email"] }, { channel: "email" }, true],
    [{ channel: ["chat"] }, { channel: "email" }, false],
    [{ channel: ["chat"] }, {}, false],
    [{ priority: ["high"], channel: ["chat"] }, { priority: "high", channel: "email" }, false],
    [{ tags: ["a", "b"] }, { tags: ["b", "c"] }, true],
    [{ tags: ["a"] }, { tags: ["c"] }, false],
    [{ tags: [] }, { tags: ["c"] }, false],
    [{ withoutTags: ["spam"] }, {}, true],
    [{ withoutTags: ["spam"] }, { tags: ["spam"] }, false],
    [{ attributes: { seats: [5, 6], paying: [true] } }, { attributes: { seats: 5, paying: true } }, true],
    [{ attributes: { seats: [5] } }, { attributes: { seats: "5" } }, false],
    [{ attributes: { seats: [5] } }, {}, false]
  ] as ReadonlyArray<[Facts.Condition, Facts.Facts, boolean]>)(
    "[SLA-32] %j on %j is %s",
    (condition, facts, expected) => {
      expect(Facts.matches(facts, condition)).toBe(expected)
    }
  )

  test("[SLA-31] the first match applies, in its newest version", () => {
    const policies = [
      vip,
      standard,
      { ...standard, version: 3, when: { channel: ["chat"] } },
      { ...standard, version: 2 }
    ]
    expect(SlaPolicy.select(policies, { attributes: { plan: "gold" } })).toMatchObject({ id: "vip" })
    expect(SlaPolicy.select(policies, { channel: "chat" })).toMatchObject({ id: "standard", version: 3 })
    expect(SlaPolicy.select(policies, {})).toBeUndefined()
  })
})

describe("a wrong plan", () => {
  const target = Target.firstReply({ durationMs: hour })
  const policy = (wrong: Partial<SlaPolicy.SlaPolicy>): ReadonlyArray<SlaPolicy.SlaPolicy> => [
    { ...standard, ...wrong }
  ]
  test.each([
    ["policies[0].calendar", policy({ calendar: "ofice" })],
    ["policies[0].version", policy({ version: 0 })],
    ["policies[0].targets", policy({ targets: [target, target] })],
    ["policies[0].targets", policy({ targets: [] })],
    ["policies[0].targets[0].durationMs", policy({ targets: [{ ...target, durationMs: 0.5 }] })],
    ["policies[0].targets[0].starts[0]", policy({ targets: [{ ...target, starts: ["begun" as "opened"] }] })],
    ["policies[0].targets[0].warnings[0]", policy({ targets: [{ ...target, warnings: [{ share: 1 }] }] })],
    ["policies[0].targets[0].warnings[0]", policy({ targets: [{ ...target, warnings: [{ afterMs: 1 }] }] })],
    ["policies", [standard, standard]]
  ] as ReadonlyArray<[string, ReadonlyArray<SlaPolicy.SlaPolicy>]>)("[SLA-33] is refused at %s", (path, policies) => {
    const made = SlaPlan.make({ calendars: [office], policies })
    expect(made).toMatchObject({ ok: false, error: { code: "invalid", what: "plan" } })
    expect(made.ok ? [] : made.error.issues.map((issue) => issue.path)).toEqual([path])
  })

  test("[SLA-33] the message says what was expected, what was found and what to do", () => {
    const made = SlaPlan.make({ calendars: [office], policies: policy({ calendar: "ofice" }) })
    expect(made.ok ? "" : made.error.message).toBe(
      `The plan can't be used. policies[0].calendar: expected one of the calendars declared (office), found "ofice". Correct this field and try again.`
    )
    const { calendar: _, ...without } = standard
    expect(SlaPolicy.make(without)).toMatchObject({ error: { issues: [{ path: "calendar", found: "undefined" }] } })
    expect(SlaPlan.make({ calendars: [office, office], policies: [] })).toMatchObject({
      error: { issues: [{ path: "calendars" }] }
    })
  })
})

describe("a conversation", () => {
  test("[SLA-38] has one next deadline, and a tick lets all that is due happen in order", () => {
    const { record, events } = fold(plan, start("09:00"), signals("09:00 contactMessage"))
    expect(told(events)).toEqual(["09:00 started", "09:00 started"])
    expect(SlaRecord.nextDeadline(record)).toEqual({
      target: "first-reply",
      kind: "warning",
      id: "share:0.5",
      at: at("09:30")
    })
    const late = SlaRecord.tick(record, at("2026-03-09T00:00"))
    expect(late.events.map(({ kind, at: instant }) => `${kind} ${(instant - at("09:00")) / minute}`)).toEqual([
      "warned 30",
      "breached 60",
      "breached 480"
    ])
    expect(SlaRecord.nextDeadline(late.record)).toBeNull()
    expect(SlaRecord.nextDeadline(SlaRecord.tick(record, at("09:30")).record)).toMatchObject({
      kind: "breach",
      at: at("10:00")
    })
  })

  test("[SLA-42] is as urgent as its earliest promise that is running", () => {
    const opened = fold(plan, start("09:00"), signals("09:00 contactMessage"))
    expect(SlaRecord.nextDue(opened.record)).toEqual({ target: "first-reply", dueAt: at("10:00"), breached: false })
    const breached = SlaRecord.tick(opened.record, at("11:00"))
    expect(SlaRecord.nextDue(breached.record)).toEqual({ target: "first-reply", dueAt: at("10:00"), breached: true })
    const replied = fold(plan, breached, signals("11:10 agentReply"))
    expect(SlaRecord.nextDue(replied.record)).toMatchObject({ target: "resolution", dueAt: at("17:00") })
    expect(SlaRecord.nextDue(fold(plan, replied, signals("11:10 pending")).record)).toBeNull()
  })

  test("[SLA-17] changes its durations with its facts", () => {
    const opened = start("09:00", { priority: "low", tags: ["a"] })
    const { record, events } = fold(plan, opened, [factsChanged("10:00", { priority: "urgent" })])
    expect(told(events)).toEqual(["09:00 started", "10:00 rescheduled"])
    expect(record.facts).toEqual({ priority: "urgent", tags: ["a"] })
    expect(SlaRecord.nextDue(record)).toMatchObject({ dueAt: at("13:00") })
  })

  test("[SLA-41] what changes nothing returns the very same record", () => {
    const { record } = fold(plan, start("09:00"), signals("09:00 contactMessage"))
    expect(SlaRecord.apply(plan, record, { kind: "contactMessage", at: at("09:05") })).toEqual({ record, events: [] })
    expect(SlaRecord.apply(plan, record, { kind: "contactMessage", at: at("09:05") }).record).toBe(record)
    expect(SlaRecord.tick(record, at("09:29")).record).toBe(record)
  })
})

test("[SLA-20] a signal dated before the record's latest change counts as of that change", () => {
  const opened = fold(plan, start("09:00"), signals("09:00 contactMessage", "09:20 pending", "09:10 resolved"))
  expect(opened.events.at(-1)).toMatchObject({ kind: "fulfilled", at: at("09:20"), countedMs: 20 * minute })
  expect(opened.record.at).toBe(at("09:20"))
})

describe("another policy", () => {
  test("[SLA-35] same targets go on, others end, new ones join from the change", () => {
    const opened = fold(plan, start("09:00"), signals("09:00 contactMessage", "09:02 queued"))
    const { record, events } = fold(plan, { ...opened, events: [] }, [
      factsChanged("09:05", { attributes: { plan: "gold" } })
    ])
    expect(events.map((event) => ("target" in event ? `${event.kind} ${event.target}` : event.kind))).toEqual([
      "policyChanged",
      "cancelled resolution",
      "rescheduled first-reply",
      "started accept"
    ])
    expect(events[0]).toMatchObject({ from: { id: "standard", version: 1 }, to: { id: "vip", version: 1 } })
    expect(record.clocks.map(({ target, cycle }) => [target, cycle?.startedAt, cycle?.dueAt])).toEqual([
      ["first-reply", at("09:00"), at("09:10")],
      ["accept", at("09:05"), at("09:06")]
    ])
  })

  test("[SLA-35] a target that joins knows where things stand", () => {
    const gold = { attributes: { plan: "gold" } }
    const joined = (...given: ReadonlyArray<string>) => {
      const opened = fold(plan, start("09:00", gold), signals(...given))
      return fold(plan, opened, [factsChanged("12:00", { attributes: {} })]).record.clocks
    }
    // Waiting for a second answer: the next reply is owed from now on.
    expect(joined("09:00 contactMessage", "09:05 agentReply", "09:10 contactMessage")).toMatchObject([
      { target: "first-reply", cycle: { fulfilledAt: at("09:05") } },
      { target: "next-reply", armed: true, cycle: { number: 1, startedAt: at("12:00"), dueAt: at("14:00") } },
      { target: "resolution", cycle: { startedAt: at("12:00") } }
    ])
    // Pending: the resolution stands still. Answered: the next reply is not owed yet.
    expect(joined("09:00 contactMessage", "09:05 agentReply", "09:10 pending")).toMatchObject([
      {},
      { target: "next-reply", armed: true, cycles: 0, cycle: null },
      { target: "resolution", pausedBy: ["pending"], cycle: { dueAt: null } }
    ])
    // Resolved: nothing is owed until it is reopened.
    expect(joined("09:00 contactMessage", "09:05 agentReply", "09:10 resolved")).toMatchObject([
      {},
      { cycle: null },
      { target: "resolution", cycle: null }
    ])
  })

  test("[SLA-35] a promise for once that was fulfilled before it was made is not made", () => {
    const only = makePlan({
      policies: [
        {
          id: "a",
          version: 1,
          when: { priority: ["low"] },
          targets: [Target.resolution({ durationMs: hour, time: "elapsed" })]
        },
        { id: "b", version: 1, targets: [Target.firstReply({ durationMs: hour, time: "elapsed" })] }
      ]
    })
    const opened = fold(
      only,
      start("09:00", { priority: "low" }, only),
      signals("09:00 contactMessage", "09:05 agentReply")
    )
    const { record } = fold(only, opened, [factsChanged("09:10", { priority: "high" })])
    expect(record).toMatchObject({ policy: { id: "b" }, clocks: [] })
  })

  test("[SLA-35] a target that left and comes back goes on numbering its cycles", () => {
    const change = (time: string, name: string) => factsChanged(time, { attributes: { plan: name } })
    const opened = fold(plan, start("09:00"), signals("09:00 queued"))
    const { events } = fold(plan, opened, [change("09:01", "gold"), change("09:02", "free"), change("09:03", "gold")])
    expect(
      events.flatMap((event) =>
        "target" in event && event.target === "accept" ? [`${event.kind} ${event.cycle}`] : []
      )
    ).toEqual(["started 1", "breached 1", "cancelled 1", "started 2"])
  })

  test("[SLA-19] a breach stands under another policy", () => {
    const gold = { attributes: { plan: "gold" } }
    const breached = fold(plan, start("09:00", gold), signals("09:00 contactMessage", "09:11 contactMessage"))
    const { record, events } = fold(plan, { ...breached, events: [] }, [factsChanged("09:20", { attributes: {} })])
    expect(record.clocks[0]?.cycle).toMatchObject({
      breachedAt: at("09:10"),
      dueAt: at("09:10"),
      durationMs: 10 * minute
    })
    expect(told(events)).toEqual(["09:20 policyChanged", "09:20 started"])
  })

  test("[SLA-34] a version stays while the same policy is selected", () => {
    const opened = start("09:00")
    const newer = makePlan({
      policies: [standard, { ...standard, version: 2, targets: [Target.firstReply({ durationMs: minute })] }]
    })
    const { record, events } = fold(newer, { ...opened, events: [] }, [factsChanged("09:30", { priority: "low" })])
    expect(record.policy).toEqual({ id: "standard", version: 1 })
    expect(events).toEqual([])
    expect(start("09:00", {}, newer).record.policy).toEqual({ id: "standard", version: 2 })
  })

  test("[SLA-36] a version that is gone gives way at the next signal", () => {
    const opened = fold(plan, start("09:00"), signals("09:00 contactMessage"))
    const newer = makePlan({
      policies: [{ ...standard, version: 2, targets: [Target.firstReply({ durationMs: 2 * hour })] }]
    })
    const { record, events } = fold(newer, { ...opened, events: [] }, signals("09:10 contactMessage"))
    expect(record.policy).toEqual({ id: "standard", version: 2 })
    expect(events.map(({ kind }) => kind)).toEqual(["policyChanged", "cancelled", "rescheduled"])
    expect(SlaRecord.nextDue(record)).toMatchObject({ target: "first-reply", dueAt: at("11:00") })
    const edited = makePlan({ policies: [{ ...standard, targets: standard.targets.slice(1) }] })
    const same = fold(edited, { ...opened, events: [] }, signals("09:10 agentReply"))
    // Its definition is gone without a new version: the clock stands as it is.
    expect(same.record.clocks[0]).toEqual(opened.record.clocks[0])
    const none = fold(makePlan({}), { ...opened, events: [] }, signals("09:10 contactMessage"))
    expect(none.record).toMatchObject({ policy: null, clocks: [] })
  })

  test("[SLA-37] a conversation without a policy gets one when its facts change", () => {
    const only = makePlan({ policies: [vip] })
    const opened = fold(only, start("09:00", {}, only), signals("09:00 contactMessage"))
    expect(opened).toMatchObject({ record: { policy: null, clocks: [] }, events: [] })
    const { record } = fold(only, opened, [factsChanged("09:30", { attributes: { plan: "gold" } })])
    expect(record).toMatchObject({
      policy: { id: "vip" },
      clocks: [{ target: "first-reply", cycle: { dueAt: at("09:40") } }, {}]
    })
  })

  test("[SLA-37] reselects says after which signals", () => {
    const policyAfter = (reselects: ReadonlyArray<SlaSignal.Kind>) => {
      const own = makePlan({ policies: [vip, { ...standard, reselects }] })
      const given = [factsChanged("09:30", { attributes: { plan: "gold" } }), ...signals("09:40 queued")]
      const { record, events } = fold(own, start("09:00", {}, own), given)
      return [record.policy?.id, events.find(({ kind }) => kind === "policyChanged")?.at]
    }
    expect(policyAfter([])).toEqual(["standard", undefined])
    expect(policyAfter(["queued"])).toEqual(["vip", at("09:40")])
    expect(policyAfter(["factsChanged"])).toEqual(["vip", at("09:30")])
  })
})

const kinds = (Object.keys(SlaSignal.kinds) as ReadonlyArray<SlaSignal.Kind>).filter((kind) => kind !== "opened")
const story = fc
  .array(
    fc.record({
      kind: fc.constantFrom(...kinds),
      wait: fc.integer({ min: 0, max: 3 * hour }),
      priority: fc.constantFrom("low", "urgent"),
      plan: fc.constantFrom("gold", "free")
    }),
    { maxLength: 25 }
  )
  .map((steps) => {
    let now = at("09:00")
    return steps.map(({ kind, wait, priority, plan: name }): SlaSignal.SlaSignal => {
      now += wait
      return kind === "factsChanged"
        ? { kind, at: now, facts: { priority, attributes: { plan: name } } }
        : { kind, at: now }
    })
  })

const mixed = makePlan({
  policies: [
    { ...vip, targets: [...vip.targets, Target.resolution({ durationMs: 5 * hour, time: "elapsed", bot: "pauses" })] },
    {
      ...standard,
      targets: [
        ...standard.targets,
        Target.firstReply({
          id: "bot-reply",
          durationMs: minute,
          bot: "counts",
          escalations: [{ id: "x", when: { afterMs: hour }, action: "y" }]
        })
      ]
    }
  ]
})

const throughJson = (record: SlaRecord.SlaRecord): SlaRecord.SlaRecord => {
  const decoded = SlaRecord.decode(JSON.parse(JSON.stringify(record)))
  if (!decoded.ok) throw new Error(decoded.error.message)
  return decoded.value
}

describe("folding", () => {
  test("[SLA-39] a record survives JSON at any point of the fold", () => {
    fc.assert(
      fc.property(story, fc.nat(25), (given, cut) => {
        const opened = start("09:00", {}, mixed)
        const whole = fold(mixed, opened, given)
        const prefix = fold(mixed, opened, given.slice(0, cut))
        const decoded = throughJson(prefix.record)
        expect(decoded).toEqual(prefix.record)
        expect(fold(mixed, { ...prefix, record: decoded }, given.slice(cut))).toEqual(whole)
      }),
      { numRuns: 150, seed: 17 }
    )
  })

  test("[SLA-39] what is no record is refused", () => {
    const { record } = start("09:00")
    expect(SlaRecord.decode({ ...record, at: "now" })).toMatchObject({
      error: { what: "record", issues: [{ path: "at", found: `"now"` }] }
    })
    expect(SlaSignal.decode({ kind: "begun", at: 0 })).toMatchObject({ error: { what: "signal" } })
    expect(SlaSignal.decode({ kind: "factsChanged", at: 0 })).toMatchObject({ ok: false })
    expect(SlaSignal.decode({ kind: "opened", at: 0 })).toMatchObject({ ok: true })
  })

  test("[SLA-40] timers that fire on time, late or often report the same", () => {
    fc.assert(
      fc.property(story, fc.array(fc.nat(2 * hour), { maxLength: 6 }), (given, waits) => {
        const opened = start("09:00", {}, mixed)
        const end = (given.at(-1)?.at ?? at("09:00")) + 100 * hour
        const late = fold(mixed, opened, given)
        const last = SlaRecord.tick(late.record, end)

        let record = opened.record
        const events = [...opened.events]
        const advance = (until: number, step: SlaRecord.Step) => {
          expect(step.events.every(({ at: instant }) => instant <= until)).toBe(true)
          record = step.record
          events.push(...step.events)
        }
        for (const signal of given) {
          for (;;) {
            const deadline = SlaRecord.nextDeadline(record)
            if (deadline === null || deadline.at > signal.at) break
            advance(deadline.at, SlaRecord.tick(record, deadline.at))
          }
          for (const wait of waits)
            if (record.at + wait < signal.at) advance(record.at + wait, SlaRecord.tick(record, record.at + wait))
          advance(signal.at, SlaRecord.apply(mixed, record, signal))
        }
        for (
          let deadline = SlaRecord.nextDeadline(record);
          deadline !== null && deadline.at <= end;
          deadline = SlaRecord.nextDeadline(record)
        )
          advance(deadline.at, SlaRecord.tick(record, deadline.at))

        const inOrder = (all: typeof events) => [...all].sort((a, b) => a.at - b.at)
        expect(record.clocks).toEqual(last.record.clocks)
        expect(inOrder(events)).toEqual(inOrder([...late.events, ...last.events]))
      }),
      { numRuns: 150, seed: 19 }
    )
  })

  test("[SLA-3] no cycle is breached or fulfilled twice", () => {
    fc.assert(
      fc.property(story, (given) => {
        const late = fold(mixed, start("09:00", {}, mixed), given)
        const { events } = SlaRecord.tick(late.record, at("2027-01-01T00:00"))
        const ends = [...late.events, ...events].flatMap((event) =>
          event.kind === "breached" || event.kind === "fulfilled"
            ? [`${event.kind} ${event.target} ${event.cycle}`]
            : []
        )
        expect(new Set(ends).size).toBe(ends.length)
      }),
      { numRuns: 100, seed: 23 }
    )
  })
})
