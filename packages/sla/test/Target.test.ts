import { SlaClock, Target } from "@switchboard/sla"
import { describe, expect, test } from "vitest"
import { at, hour, minute, run, signals, termsOf } from "./scenario.ts"

const base = { durationMs: hour, time: "elapsed" } as const

describe("first reply", () => {
  // Zendesk's first reply time counts from creation, Chatwoot's from the contact's message.
  test("[SLA-25] is owed from the contact's first message and given by an agent's reply", () => {
    const given = signals(
      "09:00 opened",
      "10:00 contactMessage",
      "10:20 contactMessage",
      "10:30 agentReply",
      "11:00 contactMessage"
    )
    expect(run(termsOf(Target.firstReply(base)), given, "20:00").told).toEqual(["10:00 started", "10:30 fulfilled"])
  })

  test("[SLA-25] starts at opening or at handing off by option", () => {
    const given = signals("09:00 opened", "09:00 contactMessage", "09:05 handedOff", "09:30 agentReply")
    const startOf = (startsAt: "opened" | "handedOff") =>
      run(termsOf(Target.firstReply({ ...base, startsAt })), given).told[0]
    expect(startOf("opened")).toBe("09:00 started")
    expect(startOf("handedOff")).toBe("09:05 started")
  })

  test("[SLA-25] a conversation that an agent began owes none until the contact writes", () => {
    const given = signals("09:00 opened", "09:00 agentReply", "12:00 contactMessage", "12:30 agentReply")
    expect(run(termsOf(Target.firstReply(base)), given, "20:00").told).toEqual(["12:00 started", "12:30 fulfilled"])
  })

  test.each([
    ["cancel", ["10:00 started", "10:30 cancelled", "10:40 started", "11:40 breached"]],
    ["fulfil", ["10:00 started", "10:30 fulfilled"]],
    ["run", ["10:00 started", "11:00 breached"]]
  ] as const)("[SLA-26] resolved without a reply: %s", (resolvedWithoutReply, expected) => {
    const given = signals("10:00 contactMessage", "10:30 resolved", "10:40 contactMessage")
    expect(run(termsOf(Target.firstReply({ ...base, resolvedWithoutReply })), given, "12:00").told).toEqual(expected)
  })

  test.each([
    ["ignored", ["10:00 started", "11:00 breached", "11:10 fulfilled"]],
    ["counts", ["10:00 started", "10:01 fulfilled"]],
    ["pauses", ["10:00 started", "11:00 resumed", "11:10 fulfilled"]]
  ] as const)("[SLA-27] a bot is %s", (bot, expected) => {
    const given = signals(
      "10:00 botTookOver",
      "10:00 contactMessage",
      "10:01 botReply",
      "11:00 handedOff",
      "11:10 agentReply"
    )
    expect(run(termsOf(Target.firstReply({ ...base, bot })), given).told).toEqual(expected)
  })
})

describe("next reply", () => {
  const given = signals(
    ...["10:00 contactMessage", "10:30 agentReply", "11:00 contactMessage", "11:20 contactMessage", "11:50 agentReply"],
    ...["12:00 agentReply", "13:00 contactMessage", "13:10 resolved"]
  )

  test("[SLA-28] is owed after the first one, from the oldest message without an answer", () => {
    const { told, events, clock } = run(termsOf(Target.nextReply(base)), given)
    expect(told).toEqual(["11:00 started", "11:50 fulfilled", "13:00 started", "13:10 cancelled"])
    expect(events[1]).toMatchObject({ cycle: 1, countedMs: 50 * minute, breached: false })
    expect(clock.history).toHaveLength(1)
  })

  test("[SLA-28] or from the newest by option", () => {
    const { told, events } = run(termsOf(Target.nextReply({ ...base, measuredFrom: "newest" })), given)
    expect(told.slice(0, 3)).toEqual(["11:00 started", "11:20 restarted", "11:50 fulfilled"])
    expect(events[2]).toMatchObject({ countedMs: 30 * minute })
  })

  test("[SLA-28] with bots counting, a bot's reply is a first one too", () => {
    const bots = signals("10:00 contactMessage", "10:01 botReply", "10:05 contactMessage")
    expect(run(termsOf(Target.nextReply({ ...base, bot: "counts" })), bots).told).toEqual(["10:05 started"])
    expect(run(termsOf(Target.nextReply(base)), bots).told).toEqual([])
  })
})

describe("resolution", () => {
  test("[SLA-29] stands still while pending or snoozed", () => {
    const given = signals(
      "10:00 opened",
      "10:10 pending",
      "10:30 snoozed",
      "11:00 resumed",
      "11:20 pending",
      "12:00 contactMessage"
    )
    const { clock, told } = run(termsOf(Target.resolution(base)), given)
    expect(told).toEqual(["10:00 started", "10:10 paused", "11:00 resumed", "11:20 paused", "12:00 resumed"])
    expect(clock.cycle?.dueAt).toBe(at("12:30"))
    expect(clock.cycle?.intervals.map(({ pausedBy }) => pausedBy?.join() ?? "")).toEqual([
      "",
      "pending",
      "snoozed",
      "",
      "pending"
    ])
  })

  test("[SLA-29] or only in the statuses named", () => {
    const given = signals("10:00 opened", "10:10 snoozed")
    const { clock } = run(termsOf(Target.resolution({ ...base, pausedWhile: ["pending"] })), given)
    expect(SlaClock.isRunning(clock)).toBe(true)
  })

  test("[SLA-29] a conversation reopened from pending runs", () => {
    const given = signals("10:00 opened", "10:10 pending", "10:20 resolved", "12:00 reopened")
    const { clock } = run(termsOf(Target.resolution(base)), given)
    expect(clock.pausedBy).toEqual([])
    expect(clock.cycle).toMatchObject({ number: 2, dueAt: at("13:00") })
  })

  test("[SLA-30] reopening begins a new cycle, or is ignored", () => {
    const given = signals("10:00 opened", "10:30 resolved", "12:00 reopened", "12:10 closed")
    const { told, clock } = run(termsOf(Target.resolution(base)), given)
    expect(told).toEqual(["10:00 started", "10:30 fulfilled", "12:00 started", "12:10 fulfilled"])
    expect(clock.history).toMatchObject([{ number: 1, fulfilledAt: at("10:30") }])
    expect(run(termsOf(Target.resolution({ ...base, reopened: "ignore" })), given).told).toEqual([
      "10:00 started",
      "10:30 fulfilled"
    ])
  })

  test("[SLA-27] a bot that pauses the resolution does so until it hands off", () => {
    const given = signals("10:00 opened", "10:00 botTookOver", "10:30 handedOff")
    expect(run(termsOf(Target.resolution({ ...base, bot: "pauses" })), given).clock.cycle?.dueAt).toBe(at("11:30"))
  })
})
