import fc from "fast-check"
import { Fold, type Measure, type MetricSignal, type Sample } from "../src/index.ts"

type Happened = MetricSignal.MetricSignal extends infer S
  ? S extends MetricSignal.MetricSignal
    ? Omit<S, "conversationId" | "dimensions"> & Partial<Pick<S, "conversationId" | "dimensions">>
    : never
  : never

export const chat = { channelKind: "chat", accountId: "acc1", priority: "normal" }

export const signal = (given: Happened): MetricSignal.MetricSignal => ({
  conversationId: "c1",
  dimensions: chat,
  ...given
})

export const samplesOf = (
  given: ReadonlyArray<Happened>,
  measures?: ReadonlyArray<Measure.Measure>
): ReadonlyArray<Sample.Sample> => Fold.applyAll(new Map(), given.map(signal), measures).samples

export const stateOf = (given: ReadonlyArray<Happened>): Fold.FoldState =>
  Fold.applyAll(new Map(), given.map(signal)).states.get("c1")!

/** The values of one measure, in order. */
export const valuesOf = (measure: { readonly id: string }, given: ReadonlyArray<Happened>): ReadonlyArray<number> =>
  samplesOf(given)
    .filter((sample) => sample.measure === measure.id)
    .map((sample) => sample.value)

const kind = fc.constantFrom(
  ...([
    "opened",
    "contactMessage",
    "contactMessage",
    "agentReply",
    "botReply",
    "resolved",
    "reopened",
    "closed",
    "abandoned",
    "offerMade",
    "offerAccepted",
    "offerDeclined",
    "offerExpired"
  ] as const)
)

const facts = {
  gapMs: fc.oneof(fc.constant(0), fc.integer({ min: 1, max: 20_000 }), fc.integer({ min: 1, max: 30 * 3_600_000 })),
  conversationId: fc.constantFrom("c1", "c2", "c3", "c4"),
  dimensions: fc.record({
    channelKind: fc.constantFrom("chat", "mail"),
    agentId: fc.constantFrom("a1", "a2"),
    priority: fc.constantFrom("normal", "high")
  })
}

const happening = fc.oneof(
  { weight: 8, arbitrary: fc.record({ ...facts, kind }) },
  {
    weight: 3,
    arbitrary: fc.record({
      ...facts,
      kind: fc.constant("controlChanged" as const),
      to: fc.constantFrom("bot" as const, "agent" as const, "nobody" as const)
    })
  },
  {
    weight: 1,
    arbitrary: fc.record({
      ...facts,
      kind: fc.constant("slaCompleted" as const),
      target: fc.constantFrom("first-reply", "resolution"),
      breached: fc.boolean()
    })
  }
)

/** A journal: signals of a few conversations, interleaved, in the order of time. */
export const journal: fc.Arbitrary<ReadonlyArray<MetricSignal.MetricSignal>> = fc
  .array(happening, { maxLength: 60 })
  .map((happenings) => {
    let at = Date.UTC(2026, 2, 2, 9)
    return happenings.map(({ gapMs, ...rest }) => {
      at += gapMs
      return { ...rest, at }
    })
  })

export const throughJson = <A>(value: A): A => JSON.parse(JSON.stringify(value)) as A
