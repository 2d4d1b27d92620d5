import fc from "fast-check"
import { describe, expect, test } from "vitest"
import { Fold, Measure, Measures } from "../src/index.ts"
import { chat, journal, samplesOf, signal, stateOf, valuesOf } from "./Fixtures.ts"

describe("waits", () => {
  test("[METRIC-1] several messages in a row are one wait from the first", () => {
    expect(
      valuesOf(Measures.replyTime, [
        { kind: "contactMessage", at: 1_000 },
        { kind: "contactMessage", at: 5_000 },
        { kind: "agentReply", at: 9_000 }
      ])
    ).toEqual([8_000])
  })

  test("[METRIC-2] each wait gives its own reply time, for the agent who replies then", () => {
    const samples = samplesOf([
      { kind: "contactMessage", at: 0, dimensions: { ...chat, agentId: "a1" } },
      { kind: "agentReply", at: 4_000, dimensions: { ...chat, agentId: "a1" } },
      { kind: "agentReply", at: 5_000, dimensions: { ...chat, agentId: "a1" } },
      { kind: "contactMessage", at: 10_000, dimensions: { ...chat, agentId: "a1" } },
      { kind: "agentReply", at: 12_000, dimensions: { ...chat, agentId: "a2" } }
    ]).filter((sample) => sample.measure === "reply-time")
    expect(samples.map(({ value, at, dimensions }) => [value, at, dimensions.agentId])).toEqual([
      [4_000, 4_000, "a1"],
      [2_000, 12_000, "a2"]
    ])
  })

  test("[METRIC-2] reply times equal those found by looking back from every reply", () => {
    const kinds = fc.constantFrom("contactMessage" as const, "agentReply" as const, "abandoned" as const)
    fc.assert(
      fc.property(fc.array(fc.tuple(kinds, fc.nat(1_000)), { maxLength: 40 }), (steps) => {
        let at = 0
        const given = steps.map(([kind, gapMs]) => {
          at += gapMs
          return { kind, at }
        })
        const expected = given.flatMap((reply, index) => {
          if (reply.kind !== "agentReply") return []
          const before = given.slice(0, index)
          const lastEnd = before.findLastIndex((earlier) => earlier.kind !== "contactMessage")
          const oldest = before[lastEnd + 1]
          return oldest === undefined ? [] : [reply.at - oldest.at]
        })
        expect(valuesOf(Measures.replyTime, given)).toEqual(expected)
      }),
      { numRuns: 200 }
    )
  })

  test("[METRIC-3] the first response counts once, and not when nobody waited", () => {
    const given = [
      { kind: "opened", at: 0 },
      { kind: "agentReply", at: 1_000 },
      { kind: "contactMessage", at: 10_000 },
      { kind: "agentReply", at: 13_000 },
      { kind: "contactMessage", at: 20_000 },
      { kind: "agentReply", at: 27_000 }
    ] as const
    expect(valuesOf(Measures.firstResponseTime, given)).toEqual([3_000])
    expect(valuesOf(Measures.replyTime, given)).toEqual([3_000, 7_000])
  })

  test("[METRIC-4] what the bot answers is no answer of a person", () => {
    const given = [
      { kind: "controlChanged", at: 0, to: "bot" },
      { kind: "contactMessage", at: 1_000 },
      { kind: "botReply", at: 1_500 },
      { kind: "contactMessage", at: 60_000 }
    ] as const
    expect(valuesOf(Measures.botReplyTime, given)).toEqual([500])
    expect(valuesOf(Measures.replyTime, given)).toEqual([])
    expect(Fold.waiting(stateOf(given))).toMatchObject({ sinceMs: 60_000, awaits: "bot" })
  })

  test("[METRIC-4] a bot's last word after the handoff doesn't end the wait for a person", () => {
    const given = [
      { kind: "controlChanged", at: 0, to: "bot" },
      { kind: "contactMessage", at: 1_000 },
      { kind: "controlChanged", at: 2_000, to: "nobody" },
      { kind: "botReply", at: 2_001 },
      { kind: "agentReply", at: 11_000 }
    ] as const
    expect(valuesOf(Measures.botReplyTime, given)).toEqual([])
    expect(valuesOf(Measures.firstResponseTime, given)).toEqual([10_000])
  })

  test("[METRIC-5] after the bot answered, the wait for a person begins with the handoff", () => {
    expect(
      valuesOf(Measures.firstResponseTime, [
        { kind: "controlChanged", at: 0, to: "bot" },
        { kind: "contactMessage", at: 1_000 },
        { kind: "botReply", at: 2_000 },
        { kind: "controlChanged", at: 300_000, to: "nobody" },
        { kind: "controlChanged", at: 310_000, to: "agent" },
        { kind: "agentReply", at: 320_000 }
      ])
    ).toEqual([20_000])
  })

  test("[METRIC-5] moving between people, or away from the bot after the resolution, begins no wait", () => {
    const between = [
      { kind: "controlChanged", at: 0, to: "agent" },
      { kind: "controlChanged", at: 1_000, to: "nobody" }
    ] as const
    const after = [
      { kind: "controlChanged", at: 0, to: "bot" },
      { kind: "resolved", at: 1_000 },
      { kind: "controlChanged", at: 2_000, to: "nobody" }
    ] as const
    expect(Fold.waiting(stateOf(between))).toBeUndefined()
    expect(Fold.waiting(stateOf(after))).toBeUndefined()
  })

  test.each(["resolved", "closed", "abandoned"] as const)("[METRIC-6] %s ends a wait as unanswered", (kind) => {
    const given = [
      { kind: "contactMessage", at: 1_000 },
      { kind, at: 9_000 }
    ] as const
    expect(valuesOf(Measures.unansweredWaitTime, given)).toEqual([8_000])
    expect(valuesOf(Measures.replyTime, given)).toEqual([])
    expect(Fold.waiting(stateOf(given))).toBeUndefined()
  })

  test("[METRIC-6] a wait of no time is none, and an answered one is not unanswered", () => {
    const dropped = [
      { kind: "controlChanged", at: 0, to: "bot" },
      { kind: "controlChanged", at: 5_000, to: "nobody" },
      { kind: "resolved", at: 5_000 }
    ] as const
    const answered = [
      { kind: "contactMessage", at: 0 },
      { kind: "agentReply", at: 1 },
      { kind: "resolved", at: 9_000 }
    ] as const
    expect(valuesOf(Measures.unansweredWaitTime, dropped)).toEqual([])
    expect(valuesOf(Measures.unansweredWaitTime, answered)).toEqual([])
  })

  test("[METRIC-15] a waiting contact is visible until answered, with the latest dimensions", () => {
    const given = [
      { kind: "contactMessage", at: 1_000 },
      { kind: "controlChanged", at: 2_000, to: "agent", dimensions: { ...chat, agentId: "a7" } }
    ] as const
    expect(Fold.waiting(stateOf(given))).toEqual({
      conversationId: "c1",
      sinceMs: 1_000,
      awaits: "person",
      dimensions: { ...chat, agentId: "a7" }
    })
    expect(Fold.waiting(stateOf([...given, { kind: "agentReply", at: 3_000 }]))).toBeUndefined()
  })

  test("[METRIC-15] every wait ends in a reply or unanswered, or is still visible", () => {
    const timed = (id: string) => ["reply-time", "bot-reply-time", "unanswered-wait-time"].includes(id)
    fc.assert(
      fc.property(journal, (signals) => {
        const { states, samples } = Fold.applyAll(new Map(), signals)
        // Counted from outside: a conversation begins to wait, or stops, between two signals.
        let begun = 0
        let instant = 0
        const seen = new Map<string, Fold.FoldState>()
        for (const one of signals) {
          const before = seen.get(one.conversationId)
          const { state } = Fold.apply(before, one)
          if (before?.waitingSince == null && state.waitingSince !== null) begun++
          if (before?.waitingSince === one.at && state.waitingSince === null && !/Reply$/.test(one.kind)) instant++
          seen.set(one.conversationId, state)
        }
        const ended = samples.filter((sample) => timed(sample.measure)).length
        const running = [...states.values()].filter((state) => Fold.waiting(state) !== undefined).length
        expect(ended + instant + running).toBe(begun)
      }),
      { numRuns: 300 }
    )
  })
})

describe("conversations", () => {
  test("[METRIC-7] each resolution counts from the opening or the latest reopening", () => {
    const given = [
      { kind: "opened", at: 1_000 },
      { kind: "resolved", at: 11_000 },
      { kind: "resolved", at: 12_000 },
      { kind: "reopened", at: 50_000 },
      { kind: "resolved", at: 52_000 }
    ] as const
    expect(valuesOf(Measures.resolutionTime, given)).toEqual([10_000, 2_000])
    expect(valuesOf(Measures.conversationsResolved, given)).toEqual([1, 1])
  })

  test("[METRIC-7] a resolution whose opening was never seen is counted and not timed", () => {
    const given = [{ kind: "resolved", at: 11_000 }] as const
    expect(valuesOf(Measures.resolutionTime, given)).toEqual([])
    expect(valuesOf(Measures.conversationsResolved, given)).toEqual([1])
  })

  test("[METRIC-8] only what changes something is counted, and handling once per conversation", () => {
    const given = [
      { kind: "opened", at: 0 },
      { kind: "opened", at: 1 },
      { kind: "reopened", at: 2 },
      { kind: "agentReply", at: 3, dimensions: { ...chat, agentId: "a1" } },
      { kind: "agentReply", at: 4, dimensions: { ...chat, agentId: "a2" } },
      { kind: "resolved", at: 5 },
      { kind: "reopened", at: 6 },
      { kind: "closed", at: 7 },
      { kind: "reopened", at: 8 }
    ] as const
    const counted = (id: string) => samplesOf(given).filter((sample) => sample.measure === id)
    expect(counted("conversations-opened")).toHaveLength(1)
    expect(counted("conversations-reopened")).toHaveLength(1)
    expect(counted("conversations-handled").map((sample) => sample.dimensions.agentId)).toEqual(["a1"])
  })

  test("[METRIC-9] messages are counted by channel, and sent ones by author", () => {
    const samples = samplesOf([
      { kind: "contactMessage", at: 0 },
      { kind: "botReply", at: 1 },
      { kind: "agentReply", at: 2 }
    ])
    const dimensionsOf = (id: string) =>
      samples.filter((sample) => sample.measure === id).map((sample) => sample.dimensions)
    expect(dimensionsOf("messages-received")).toEqual([{ channelKind: "chat", accountId: "acc1" }])
    expect(dimensionsOf("messages-sent")).toEqual([
      { channelKind: "chat", accountId: "acc1", author: "bot" },
      { channelKind: "chat", accountId: "acc1", author: "agent" }
    ])
  })

  test("[METRIC-10] completed targets, with their names", () => {
    const samples = samplesOf([
      { kind: "slaCompleted", at: 0, target: "first-reply", breached: true },
      { kind: "slaCompleted", at: 1, target: "resolution", breached: false }
    ])
    expect(samples.map(({ measure, value, dimensions }) => [measure, value, dimensions.target])).toEqual([
      ["sla-breach-share", 1, "first-reply"],
      ["sla-breach-share", 0, "resolution"]
    ])
  })
})

describe("bots", () => {
  const bot = { kind: "controlChanged", at: 0, to: "bot" } as const
  const asked = { kind: "contactMessage", at: 1_000 } as const
  const told = { kind: "botReply", at: 2_000 } as const
  const resolved = { kind: "resolved", at: 9_000 } as const

  test.each([
    ["the bot answers and it is resolved", [bot, asked, told, resolved], [1]],
    ["no bot took part", [asked, { kind: "agentReply", at: 2_000 }, resolved], []],
    ["a bot that only replied took part too", [asked, told, resolved], [1]],
    ["an agent replied", [bot, asked, { kind: "agentReply", at: 3_000 }, resolved], [0]],
    ["an agent had control", [bot, asked, told, { kind: "controlChanged", at: 3_000, to: "agent" }, resolved], [0]],
    ["handed off, nobody came", [bot, asked, told, { kind: "controlChanged", at: 3_000, to: "nobody" }, resolved], [0]],
    ["closed without being resolved", [bot, asked, told, { kind: "closed", at: 9_000 }], [0]],
    ["the contact left while waiting", [bot, asked, { kind: "abandoned", at: 3_000 }], [0]],
    [
      "the contact left after the answer, then it was resolved",
      [bot, asked, told, { kind: "abandoned", at: 3_000 }, resolved],
      [1]
    ],
    ["still going on", [bot, asked, told], []],
    [
      "a bot that only came after the end",
      [asked, resolved, { kind: "botReply", at: 9_500 }, { kind: "closed", at: 9_900 }],
      []
    ],
    [
      "decided once, whatever comes later",
      [
        bot,
        asked,
        told,
        resolved,
        { kind: "reopened", at: 10_000 },
        { kind: "agentReply", at: 11_000 },
        { kind: "resolved", at: 12_000 },
        { kind: "closed", at: 13_000 }
      ],
      [1]
    ]
  ] as const)("[METRIC-11] containment: %s", (_, given, expected) => {
    expect(valuesOf(Measures.botContainmentShare, given)).toEqual(expected)
  })

  test("[METRIC-12] control dropped together with the resolution is no handoff", () => {
    const given = [bot, asked, told, { kind: "controlChanged", at: 9_000, to: "nobody" }, resolved] as const
    expect(valuesOf(Measures.botContainmentShare, given)).toEqual([1])
  })
})

describe("offers", () => {
  test("[METRIC-13] offers are counted by outcome and agent, and ended ones give the acceptance share", () => {
    const to = (agentId: string) => ({ dimensions: { ...chat, agentId } })
    const given = [
      { kind: "offerMade", at: 0, ...to("a1") },
      { kind: "offerDeclined", at: 1, ...to("a1") },
      { kind: "offerMade", at: 2, ...to("a2") },
      { kind: "offerExpired", at: 3, ...to("a2") },
      { kind: "offerMade", at: 4, ...to("a3") },
      { kind: "offerAccepted", at: 5, ...to("a3") }
    ] as const
    const samples = samplesOf(given)
    const agentsOf = (id: string) =>
      samples.filter((sample) => sample.measure === id).map((sample) => sample.dimensions.agentId)
    expect(agentsOf("offers-made")).toEqual(["a1", "a2", "a3"])
    expect(agentsOf("offers-declined")).toEqual(["a1"])
    expect(agentsOf("offers-expired")).toEqual(["a2"])
    expect(agentsOf("offers-accepted")).toEqual(["a3"])
    expect(valuesOf(Measures.offerAcceptanceShare, given)).toEqual([0, 0, 1])
  })

  test("[METRIC-13] an offer to somebody doesn't change whom the waiting contact is counted under", () => {
    const before = stateOf([{ kind: "contactMessage", at: 0 }])
    const offered = Fold.apply(before, signal({ kind: "offerMade", at: 1, dimensions: { agentId: "a9" } }))
    const completed = Fold.apply(before, signal({ kind: "slaCompleted", at: 1, target: "t", breached: true }))
    expect(offered.state).toEqual(before)
    expect(completed.state).toEqual(before)
  })
})

describe("measures", () => {
  const inTime = (elapsed: Measure.Elapsed) => {
    const made = Measure.inBusinessTime(Measures.replyTime, { id: "reply-time-business", elapsed })
    if (!made.ok) throw new Error(made.error.message)
    return samplesOf(
      [
        { kind: "contactMessage", at: 1_000 },
        { kind: "agentReply", at: 9_000, dimensions: { teamId: "t1" } }
      ],
      [made.value]
    ).map((sample) => sample.value)
  }

  test("[METRIC-14] business time is asked of the measure's own clock, with the dimensions of the end", () => {
    expect(inTime((fromMs, toMs, { teamId }) => (teamId === "t1" ? (toMs - fromMs) / 4 : 0))).toEqual([2_000])
  })

  test.each([
    [0.6, [1]],
    [-5, [0]],
    [Number.POSITIVE_INFINITY, [Number.MAX_SAFE_INTEGER]],
    [Number.NaN, []]
  ])("[METRIC-14] a business time of %d gives %j", (elapsed, expected) => {
    expect(inTime(() => elapsed)).toEqual(expected)
  })

  test("[METRIC-16] a sample has the time of its signal and only the dimensions its measure lists", () => {
    const dimensions = { ...chat, teamId: "t1", agentId: "a1", language: "pt" }
    const byLanguage = { ...Measures.conversationsOpened, id: "by-language", dimensions: ["language"] }
    expect(samplesOf([{ kind: "opened", at: 77, dimensions }], [Measures.conversationsOpened, byLanguage])).toEqual([
      {
        measure: "conversations-opened",
        version: 1,
        unit: "count",
        at: 77,
        value: 1,
        conversationId: "c1",
        dimensions: chat
      },
      {
        measure: "by-language",
        version: 1,
        unit: "count",
        at: 77,
        value: 1,
        conversationId: "c1",
        dimensions: { language: "pt" }
      }
    ])
  })
})

test("[METRIC-17] a signal that changes nothing leaves the very same state", () => {
  const message = signal({ kind: "contactMessage", at: 1_000 })
  const waiting = Fold.apply(undefined, message).state
  expect(Fold.apply(waiting, { ...message, at: 2_000, dimensions: { ...message.dimensions } }).state).toBe(waiting)
  const elsewhere = Fold.apply(waiting, { ...message, dimensions: { ...message.dimensions, agentId: "a9" } }).state
  expect(elsewhere.dimensions.agentId).toBe("a9")
  expect(Fold.apply(elsewhere, message).state).toEqual(waiting)
})
