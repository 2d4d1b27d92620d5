import fc from "fast-check"
import { describe, expect, test } from "vitest"
import { Bucket, Fold, Measures, type MetricSignal } from "../src/index.ts"
import { journal, samplesOf, throughJson } from "./Fixtures.ts"

const byId = (buckets: Iterable<Bucket.Bucket>) => new Map([...buckets].map((bucket) => [Bucket.toId(bucket), bucket]))

// The way a desk runs it: everything between two batches goes through storage.
const live = (batches: ReadonlyArray<ReadonlyArray<MetricSignal.MetricSignal>>) => {
  const states = new Map<string, string>()
  const stored = new Map<string, string>()
  for (const batch of batches) {
    const known = new Map([...states].map(([id, text]) => [id, JSON.parse(text) as Fold.FoldState]))
    const folded = Fold.applyAll(known, batch)
    const touched = Bucket.toIds(folded.samples).flatMap((id) => stored.get(id) ?? [])
    const loaded = touched.map((text) => JSON.parse(text) as Bucket.Bucket)
    for (const bucket of Bucket.add(loaded, folded.samples)) stored.set(Bucket.toId(bucket), JSON.stringify(bucket))
    for (const [id, state] of folded.states) states.set(id, JSON.stringify(state))
  }
  return {
    states: new Map([...states].map(([id, text]) => [id, JSON.parse(text) as Fold.FoldState])),
    buckets: byId([...stored.values()].map((text) => JSON.parse(text) as Bucket.Bucket))
  }
}

const cut = <A>(list: ReadonlyArray<A>, at: ReadonlyArray<number>): ReadonlyArray<ReadonlyArray<A>> => {
  const edges = [0, ...at.map((one) => one % (list.length + 1)).sort((a, b) => a - b), list.length]
  return edges.slice(1).map((edge, index) => list.slice(edges[index], edge))
}

describe("numbers that agree", () => {
  test("[METRIC-20] live in batches equals recomputed at once, wherever the batches are cut", () => {
    fc.assert(
      fc.property(journal, fc.array(fc.nat(100), { maxLength: 8 }), (signals, cuts) => {
        const whole = Fold.applyAll(new Map(), signals)
        const inBatches = live(cut(signals, cuts))
        expect(inBatches.states).toEqual(whole.states)
        expect(inBatches.buckets).toEqual(byId(Bucket.add([], whole.samples)))
      }),
      { numRuns: 200 }
    )
  })

  test("[METRIC-20] rebuilding one conversation at a time equals the interleaved journal", () => {
    fc.assert(
      fc.property(journal, (signals) => {
        const apart = [...Map.groupBy(signals, (one) => one.conversationId).values()].flat()
        const rebuilt = Bucket.add([], Fold.applyAll(new Map(), apart).samples)
        expect(byId(rebuilt)).toEqual(byId(Bucket.add([], Fold.applyAll(new Map(), signals).samples)))
      }),
      { numRuns: 100 }
    )
  })

  test("[METRIC-21] merging parts equals adding all samples to one, in any order", () => {
    fc.assert(
      fc.property(journal, fc.array(fc.nat(100), { maxLength: 8 }), (signals, cuts) => {
        const { samples } = Fold.applyAll(new Map(), signals)
        const parts = cut(samples, cuts).map((part) => Bucket.add([], part))
        const whole = byId(Bucket.add([], samples))
        expect(byId(Bucket.merge(parts))).toEqual(whole)
        expect(byId(Bucket.merge(parts.toReversed()))).toEqual(whole)
        const [first = [], ...others] = parts
        expect(byId(Bucket.merge([first, Bucket.merge(others)]))).toEqual(whole)
      }),
      { numRuns: 100 }
    )
  })
})

describe("documents", () => {
  const opened = samplesOf(
    [{ kind: "opened", at: Date.UTC(2026, 2, 2, 9, 59, 59, 999) }],
    [Measures.conversationsOpened]
  )

  test("[METRIC-22] the key is the UTC hour, the measure and the version", () => {
    expect(Bucket.toIds(opened)).toEqual(["2026-03-02T09/conversations-opened@1"])
    const [bucket] = Bucket.add([], opened)
    expect(bucket?.hour).toBe("2026-03-02T09")
    expect(Bucket.fromHour("2026-03-02T09")).toBe(Date.UTC(2026, 2, 2, 9))
  })

  test("[METRIC-22] the next millisecond is the next hour, and another version another bucket", () => {
    const later = opened.map((sample) => ({ ...sample, at: sample.at + 1 }))
    const redefined = opened.map((sample) => ({ ...sample, version: 2 }))
    expect(Bucket.toIds([...opened, ...later, ...redefined])).toEqual([
      "2026-03-02T09/conversations-opened@1",
      "2026-03-02T10/conversations-opened@1",
      "2026-03-02T09/conversations-opened@2"
    ])
  })

  test("[METRIC-23] only changed buckets come back, and the given ones stay as they were", () => {
    const stored = Bucket.add([], [...opened, ...opened.map((sample) => ({ ...sample, at: sample.at + 1 }))])
    const copy = throughJson(stored)
    const changed = Bucket.add(stored, opened)
    expect(changed.map((bucket) => [Bucket.toId(bucket), Object.values(bucket.cells)[0]?.count])).toEqual([
      ["2026-03-02T09/conversations-opened@1", 2]
    ])
    expect(stored).toEqual(copy)
    expect(Bucket.add(stored, [])).toEqual([])
  })

  test("[METRIC-53] states and buckets pass through JSON and their schemas unchanged", () => {
    fc.assert(
      fc.property(journal, (signals) => {
        const { states, samples } = Fold.applyAll(new Map(), signals)
        for (const state of states.values()) expect(Fold.stateSchema.parse(throughJson(state))).toEqual(state)
        for (const bucket of Bucket.add([], samples)) {
          expect(Bucket.decode(throughJson(bucket))).toEqual({ ok: true, value: bucket })
        }
      }),
      { numRuns: 50 }
    )
  })

  test("[METRIC-53] what is no bucket is refused with the field", () => {
    const [bucket] = Bucket.add([], opened)
    expect(Bucket.decode({ ...bucket, hour: "2026-03-02T24" })).toMatchObject({
      ok: false,
      error: { code: "BucketInvalid", path: "hour" }
    })
  })
})
