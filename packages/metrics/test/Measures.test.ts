import { readFileSync } from "node:fs"
import { describe, expect, test } from "vitest"
import { Measure, Measures, MetricSignal, Moment } from "../src/index.ts"

describe("the shipped measures", () => {
  test("[METRIC-50] each is valid, and no two share an id", () => {
    for (const measure of Measures.all) expect(Measure.make(measure)).toEqual({ ok: true, value: measure })
    expect(new Set(Measures.all.map((measure) => measure.id)).size).toBe(Measures.all.length)
  })

  test("[METRIC-50] every exported measure is in the list, and every moment has one", () => {
    const exported = Object.values(Measures).filter((value) => typeof value === "object" && "moment" in value)
    expect(exported).toHaveLength(Measures.all.length)
    const used = new Set(Measures.all.map((measure) => measure.moment))
    expect([...used].sort()).toEqual(Object.keys(Moment.kinds).sort())
  })

  test("[METRIC-50] the definition is one sentence", () => {
    for (const { definition } of Measures.catalog()) expect(definition).toMatch(/^[A-Z][^.]*\.$/)
  })

  test("[METRIC-50] the README lists them all", () => {
    const readme = readFileSync(new URL("../README.md", import.meta.url), "utf8")
    expect(readme).toContain(Measures.toMarkdown())
  })

  test("[METRIC-50] the catalog is plain JSON", () => {
    const made = Measure.inBusinessTime(Measures.replyTime, { id: "reply-time-business", elapsed: () => 0 })
    const catalog = Measures.catalog([...Measures.all, ...(made.ok ? [made.value] : [])])
    expect(catalog).toHaveLength(Measures.all.length + 1)
    expect(JSON.parse(JSON.stringify(catalog))).toEqual(catalog)
  })
})

describe("a measure of one's own", () => {
  const elapsed = () => 0

  test.each([
    ["id", { id: "Reply Time" }],
    ["version", { version: 0 }],
    ["version", { version: 1.5 }],
    ["unit", { unit: "share" }],
    ["unit", { unit: "ms", moment: "opened" }],
    ["elapsed", { time: "business" }],
    ["elapsed", { elapsed }],
    ["elapsed", { time: "business", unit: "count", elapsed }]
  ] as const)("[METRIC-51] a wrong %s is refused: %j", (field, wrong) => {
    const made = Measure.make({ ...Measures.replyTime, ...wrong })
    expect(made).toMatchObject({ ok: false, error: { code: "MeasureInvalid", field } })
  })

  test("[METRIC-51] a duration without a start is refused, a count of the same moment needs none", () => {
    const { start: _, ...noStart } = Measures.replyTime
    expect(Measure.make(noStart)).toMatchObject({ ok: false, error: { field: "start" } })
    expect(Measure.make({ ...noStart, unit: "count" }).ok).toBe(true)
  })

  test("[METRIC-51] only durations have a business time", () => {
    const made = Measure.inBusinessTime(Measures.offersMade, { id: "offers-made-business", elapsed })
    expect(made).toMatchObject({ ok: false, error: { field: "elapsed" } })
  })
})

describe("signals from outside", () => {
  const opened = { kind: "opened", at: 1, conversationId: "c1", dimensions: { channelKind: "chat" } }

  test("[METRIC-52] a signal is read as it is", () => {
    expect(MetricSignal.decode(opened)).toEqual({ ok: true, value: opened })
  })

  test.each([
    ["at", { ...opened, at: 1.5 }],
    ["at", { ...opened, at: 253_402_300_800_000 }],
    ["kind", { ...opened, kind: "exploded" }],
    ["to", { ...opened, kind: "controlChanged" }],
    ["breached", { ...opened, kind: "slaCompleted", target: "t" }],
    ["dimensions.priority", { ...opened, dimensions: { priority: 3 } }],
    ["conversationId", { ...opened, conversationId: "" }],
    ["", "opened"]
  ])("[METRIC-52] a wrong %s is refused", (path, input) => {
    const read = MetricSignal.decode(input)
    expect(read).toMatchObject({ ok: false, error: { code: "MetricSignalInvalid", path } })
  })
})
