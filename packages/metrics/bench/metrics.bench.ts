import { Bucket, Fold, Measures, type MetricSignal, Report, Sketch } from "@switchboard/metrics"

// npm run bench:metrics [-- --json]. Every figure is the median of five runs on one core.
const asJson = process.argv.includes("--json")
const size = 200_000
const hour = 3_600_000
const start = Date.UTC(2026, 2, 2)

const median = (values: ReadonlyArray<number>): number => values.toSorted((a, b) => a - b)[values.length >> 1]!

const timed = (run: () => unknown): number =>
  median(
    Array.from({ length: 5 }, () => {
      const from = performance.now()
      run()
      return performance.now() - from
    })
  )

const report = (name: string, value: number, unit: string, baseline: number | null = null): void => {
  const ratio = baseline === null ? null : value / baseline
  const round = (number: number) => Number(number.toPrecision(4))
  if (asJson) {
    const line = {
      name,
      value: round(value),
      unit,
      baseline: baseline && round(baseline),
      ratio: ratio && round(ratio)
    }
    console.log(JSON.stringify(line))
    return
  }
  const against = baseline === null || ratio === null ? "" : `  baseline ${round(baseline)}, ratio ${round(ratio)}`
  console.log(`${name.padEnd(44)} ${String(round(value)).padStart(12)} ${unit}${against}`)
}

let seed = 42
const random = (): number => {
  seed = (Math.imul(seed, 1_664_525) + 1_013_904_223) >>> 0
  return seed / 4_294_967_296
}

// Waits as desks see them: log-normal, median two minutes, over a day.
const waitMs = (): number =>
  Math.round(120_000 * Math.exp(1.2 * Math.sqrt(-2 * Math.log(1 - random())) * Math.cos(2 * Math.PI * random())))

// The baseline keeps every value and sorts when asked.
const waits = Array.from({ length: size }, waitMs)
const sketch = Sketch.from(waits)
const sorted = () => Float64Array.from(waits).sort()
report("sketch: values added per second", size / (timed(() => Sketch.from(waits)) / 1000), "values/s")
report(
  `sketch: three percentiles of ${size} values`,
  timed(() => [0.5, 0.9, 0.95].map((share) => Sketch.percentile(sketch, share))) * 1000,
  "µs",
  timed(() => {
    const values = sorted()
    return [0.5, 0.9, 0.95].map((share) => values[Math.ceil(share * size) - 1])
  }) * 1000
)
report(`sketch: bytes of JSON for ${size} values`, JSON.stringify(sketch).length, "B", JSON.stringify(waits).length)
const exact = sorted()
const worst = Math.max(
  ...Array.from({ length: 99 }, (_, index) => {
    const value = exact[Math.ceil(((index + 1) * size) / 100) - 1]!
    return Math.abs(Sketch.percentile(sketch, (index + 1) / 100)! - value) / value
  })
)
report("sketch: worst relative error, p1 to p99", worst, "share 0-1", Sketch.relativeError)

// A day of conversations of six signals each on four channels with fifty agents.
const signals: Array<MetricSignal.MetricSignal> = []
for (let index = 0; index < size / 6; index++) {
  const conversationId = `c${index}`
  const opening = start + Math.floor((index / (size / 6)) * 24 * hour)
  const place = { channelKind: `k${index % 4}`, accountId: `acc${index % 4}`, priority: "normal" }
  const held = { ...place, teamId: `t${index % 5}`, agentId: `a${index % 50}` }
  let at = opening
  const happened = (kind: "opened" | "contactMessage" | "agentReply" | "resolved", dimensions: typeof place) => {
    signals.push({ kind, at, conversationId, dimensions })
    at += waitMs()
  }
  happened("opened", place)
  happened("contactMessage", place)
  happened("agentReply", held)
  happened("contactMessage", held)
  happened("agentReply", held)
  happened("resolved", held)
}
signals.sort((a, b) => a.at - b.at)

const { samples } = Fold.applyAll(new Map(), signals)
report(
  "fold: signals per second",
  signals.length / (timed(() => Fold.applyAll(new Map(), signals)) / 1000),
  "signals/s"
)
report(
  "bucket: samples per second, all at once",
  samples.length / (timed(() => Bucket.add([], samples)) / 1000),
  "samples/s"
)

const batch = 1_024
const inBatches = () => {
  const stored = new Map<string, Bucket.Bucket>()
  const states = new Map<string, Fold.FoldState>()
  for (let from = 0; from < signals.length; from += batch) {
    const some = signals.slice(from, from + batch)
    const known = new Map(some.flatMap(({ conversationId: id }) => (states.has(id) ? [[id, states.get(id)!]] : [])))
    const folded = Fold.applyAll(known, some)
    for (const [id, state] of folded.states) states.set(id, state)
    const loaded = Bucket.toIds(folded.samples).flatMap((id) => stored.get(id) ?? [])
    for (const bucket of Bucket.add(loaded, folded.samples)) stored.set(Bucket.toId(bucket), bucket)
  }
  return [...stored.values()]
}
report(
  `fold and bucket: signals per second in batches of ${batch}`,
  signals.length / (timed(inBatches) / 1000),
  "signals/s"
)

const buckets = Bucket.add([], samples)
report("bucket: largest document", Math.max(...buckets.map((bucket) => JSON.stringify(bucket).length)) / 1000, "kB")

const range = { fromMs: start, toMs: start + 48 * hour }
const kept = samples.filter((sample) => sample.measure === Measures.replyTime.id)
report(
  "report: reply time of a day by agent",
  timed(() => Report.toRows(buckets, { measure: Measures.replyTime, ...range, by: ["agentId"] })),
  "ms",
  timed(() =>
    [...Map.groupBy(kept, (sample) => sample.dimensions.agentId)].map(([agentId, group]) => {
      const values = Float64Array.from(group, (sample) => sample.value).sort()
      return [agentId, values[values.length >> 1]]
    })
  )
)
const edgesMs = Report.toEdges(range.fromMs, range.toMs, hour)
report(
  "report: reply time per hour by channel",
  timed(() => Report.toSeries(buckets, { measure: Measures.replyTime, by: ["channelKind"], edgesMs }, "p90Ms")),
  "ms"
)
