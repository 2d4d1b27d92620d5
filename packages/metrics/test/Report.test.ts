import fc from "fast-check"
import { describe, expect, test } from "vitest"
import { Bucket, Fold, Measures, Report, type Sample, Sketch } from "../src/index.ts"
import { journal, samplesOf } from "./Fixtures.ts"

const hour = 3_600_000
const nine = Date.UTC(2026, 2, 2, 9)

const sample = (given: Partial<Sample.Sample>): Sample.Sample => ({
  measure: "reply-time",
  version: 1,
  unit: "ms",
  at: nine,
  value: 1_000,
  conversationId: "c1",
  dimensions: {},
  ...given
})

describe("range and version", () => {
  const buckets = Bucket.add(
    [],
    [
      sample({ at: nine - 1 }),
      sample({ at: nine }),
      sample({ at: nine + 2 * hour - 1 }),
      sample({ at: nine + 2 * hour }),
      sample({ at: nine, version: 2 }),
      sample({ at: nine, measure: "bot-reply-time" })
    ]
  )

  test("[METRIC-40] from inclusive, to exclusive, one measure, one version", () => {
    const range = { fromMs: nine, toMs: nine + 2 * hour }
    expect(Report.toTotal(buckets, { measure: Measures.replyTime, ...range }).count).toBe(2)
    expect(Report.toTotal(buckets, { measure: { id: "reply-time", version: 2 }, ...range }).count).toBe(1)
    expect(Report.toTotal(buckets, { measure: Measures.replyTime, fromMs: 0, toMs: nine + 9 * hour }).count).toBe(4)
  })
})

describe("figures", () => {
  const range = { fromMs: nine, toMs: nine + hour }

  test("[METRIC-42] durations: exact count, mean and ends, percentiles within 1 %", () => {
    const values = Array.from({ length: 100 }, (_, index) => (index + 1) * 1_000)
    const total = Report.toTotal(
      Bucket.add(
        [],
        values.map((value) => sample({ value }))
      ),
      { measure: Measures.replyTime, ...range }
    )
    expect(total).toMatchObject({
      count: 100,
      meanMs: 50_500,
      minMs: 1_000,
      maxMs: 100_000,
      yeses: null,
      share0to1: null
    })
    for (const [told, exact] of [
      [total.p50Ms, 50_000],
      [total.p90Ms, 90_000],
      [total.p95Ms, 95_000]
    ] as const) {
      expect(Math.abs(told! - exact)).toBeLessThanOrEqual(exact * Sketch.relativeError)
    }
  })

  test("[METRIC-42] shares from 0 to 1 with both their numbers, counts as counts", () => {
    const shares = [1, 0, 0, 0].map((value) => sample({ measure: "sla-breach-share", unit: "share", value }))
    const counts = [1, 1, 1].map((value) => sample({ measure: "offers-made", unit: "count", value }))
    const buckets = Bucket.add([], [...shares, ...counts])
    expect(Report.toTotal(buckets, { measure: Measures.slaBreachShare, ...range })).toMatchObject({
      count: 4,
      yeses: 1,
      share0to1: 0.25,
      meanMs: null
    })
    expect(Report.toTotal(buckets, { measure: Measures.offersMade, ...range })).toMatchObject({
      count: 3,
      share0to1: null,
      p50Ms: null
    })
  })

  test("[METRIC-42] nothing is a count of 0 and no figure", () => {
    const total = Report.toTotal([], { measure: Measures.replyTime, ...range })
    const { count, ...others } = total
    expect(count).toBe(0)
    expect(new Set(Object.values(others))).toEqual(new Set([null]))
    expect(Report.toRows([], { measure: Measures.replyTime, ...range })).toEqual([])
    expect(Report.toSketch([], { measure: Measures.replyTime, ...range })).toEqual(Sketch.empty)
  })
})

describe("splitting", () => {
  const samples = [
    sample({ value: 1_000, dimensions: { channelKind: "mail", agentId: "a1" } }),
    sample({ value: 2_000, dimensions: { channelKind: "mail", agentId: "a2" } }),
    sample({ value: 3_000, dimensions: { channelKind: "chat", agentId: "a1" } }),
    sample({ value: 4_000, dimensions: { channelKind: "chat" }, at: nine + hour })
  ]
  const query = { measure: Measures.replyTime, fromMs: nine, toMs: nine + 2 * hour }
  const buckets = Bucket.add([], samples)

  test("[METRIC-41] one row per combination, unknown left out", () => {
    const rows = Report.toRows(buckets, { ...query, by: ["agentId"] })
    expect(rows.map(({ dimensions, count, meanMs }) => [dimensions, count, meanMs])).toEqual([
      [{}, 1, 4_000],
      [{ agentId: "a1" }, 2, 2_000],
      [{ agentId: "a2" }, 1, 2_000]
    ])
  })

  test("[METRIC-41] filters keep any of the values, and all names must match", () => {
    const where = { channelKind: ["mail", "chat"], agentId: ["a1"] }
    expect(Report.toTotal(buckets, { ...query, where })).toMatchObject({ count: 2, meanMs: 2_000 })
    expect(Sketch.count(Report.toSketch(buckets, { ...query, where }))).toBe(2)
    expect(Report.toTotal(buckets, { ...query, where: { teamId: ["t1"] } }).count).toBe(0)
  })

  test("[METRIC-41] the parts of any split add up to the total", () => {
    fc.assert(
      fc.property(journal, fc.subarray(["channelKind", "agentId", "priority", "target"]), (signals, by) => {
        const all = Bucket.add([], Fold.applyAll(new Map(), signals).samples)
        for (const measure of Measures.all) {
          const wide = { measure, fromMs: 0, toMs: nine + 10_000 * hour }
          const sum = Report.toRows(all, { ...wide, by }).reduce((total, row) => total + row.count, 0)
          expect(sum).toBe(Report.toTotal(all, wide).count)
        }
      }),
      { numRuns: 50 }
    )
  })
})

describe("series", () => {
  test("[METRIC-43] one value per step and line, with gaps where there is nothing", () => {
    const buckets = Bucket.add(
      [],
      [
        sample({ at: nine, value: 1_000, dimensions: { channelKind: "mail" } }),
        sample({ at: nine + 2 * hour, value: 3_000, dimensions: { channelKind: "mail" } }),
        sample({ at: nine + hour, value: 2_000, dimensions: { channelKind: "chat" } })
      ]
    )
    const edgesMs = Report.toEdges(nine, nine + 3 * hour, hour)
    expect(Report.toSeries(buckets, { measure: Measures.replyTime, by: ["channelKind"], edgesMs }, "meanMs")).toEqual({
      startsMs: [nine, nine + hour, nine + 2 * hour],
      lines: [
        { dimensions: { channelKind: "chat" }, values: [null, 2_000, null] },
        { dimensions: { channelKind: "mail" }, values: [1_000, null, 3_000] }
      ]
    })
  })

  test("[METRIC-43] a total of nothing is one line", () => {
    const edgesMs = [nine, nine + hour]
    expect(Report.toSeries([], { measure: Measures.replyTime, edgesMs }, "count").lines).toEqual([
      { dimensions: {}, values: [0] }
    ])
  })

  test("[METRIC-43] the steps add up to the range, whatever their length", () => {
    fc.assert(
      fc.property(journal, fc.integer({ min: 1, max: 30 }), (signals, hours) => {
        const all = Bucket.add([], Fold.applyAll(new Map(), signals).samples)
        const toMs = nine + 400 * hour
        const edgesMs = Report.toEdges(nine, toMs, hours * hour)
        const { lines } = Report.toSeries(all, { measure: Measures.messagesReceived, edgesMs }, "count")
        const sum = lines[0]!.values.reduce<number>((total, value) => total + value!, 0)
        expect(sum).toBe(Report.toTotal(all, { measure: Measures.messagesReceived, fromMs: nine, toMs }).count)
      }),
      { numRuns: 50 }
    )
  })

  test("[METRIC-43] edges are even, cut off at the end, and no finer than the buckets", () => {
    expect(Report.toEdges(0, 5 * hour, 2 * hour)).toEqual([0, 2 * hour, 4 * hour, 5 * hour])
    expect(Report.toEdges(0, 2 * hour, 1)).toEqual([0, hour, 2 * hour])
  })
})

describe("waiting", () => {
  const wait = (conversationId: string, sinceMs: number, channelKind: string, awaits: "bot" | "person" = "person") => ({
    conversationId,
    sinceMs,
    awaits,
    dimensions: { channelKind }
  })
  const waits = [wait("c1", 5_000, "chat"), wait("c2", 2_000, "chat"), wait("c3", 1_000, "mail", "bot")]

  test("[METRIC-44] how many wait, the oldest by name, by dimension", () => {
    const rows = Report.toWaiting(waits, { atMs: 10_000, by: ["channelKind"] })
    expect(rows).toMatchObject([
      {
        dimensions: { channelKind: "chat" },
        count: 2,
        oldestAgeMs: 8_000,
        oldestConversationId: "c2",
        medianAgeMs: 5_000
      },
      { dimensions: { channelKind: "mail" }, count: 1, oldestAgeMs: 9_000, oldestConversationId: "c3" }
    ])
  })

  test("[METRIC-44] for whom they wait, filters, and nobody", () => {
    expect(Report.toWaiting(waits, { atMs: 10_000, awaits: "person" })).toMatchObject([{ dimensions: {}, count: 2 }])
    expect(Report.toWaiting(waits, { atMs: 10_000, where: { channelKind: ["mail"] } })).toMatchObject([{ count: 1 }])
    expect(Report.toWaiting([], { atMs: 10_000 })).toEqual([])
  })

  test("[METRIC-44] those still waiting are missing from reply times and visible here", () => {
    const given = [{ kind: "contactMessage", at: nine }] as const
    const buckets = Bucket.add([], samplesOf(given))
    const query = { measure: Measures.replyTime, fromMs: nine, toMs: nine + hour }
    expect(Report.toTotal(buckets, query).count).toBe(0)
    const { state } = Fold.apply(undefined, { ...given[0], conversationId: "c1", dimensions: {} })
    expect(Report.toWaiting([Fold.waiting(state)!], { atMs: nine + hour })).toMatchObject([{ oldestAgeMs: hour }])
  })
})
