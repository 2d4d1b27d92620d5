/**
 * Where a waiting item stands and how long it will probably wait, from what the pool's documents say at that moment.
 *
 * Nothing is remembered beside the documents, so the same documents at the same instant give the same figures, also after
 * a restart. Two figures are weighed against each other: how fast the agents on duty would work off what is served
 * before, and how long the first in the same line has been waiting. The former is better while handling times are known
 * and everybody stays; the latter also knows of what nobody stated.
 *
 * {@link make} says how far they are off.
 *
 * **Example**
 *
 * ```ts
 * import { strict as assert } from "node:assert"
 * import { Capacity, ExpectedWait, Requirement, RoutingAgent, RoutingEngine, RoutingPolicy, WorkItem } from "@switchboard/routing"
 *
 * const minute = 60_000
 * const policy = RoutingPolicy.make({ queues: [{ queueId: "support", requirement: Requirement.anyone, handlingMs: 6 * minute }] })
 * const engine = RoutingEngine.make(policy)
 * for (const agentId of ["ada", "ben"]) {
 *   engine.apply({ type: "agentUpdated", agent: RoutingAgent.make({ agentId, capacity: Capacity.make(1) }) }, 0)
 *   engine.apply({ type: "presenceChanged", agentId, status: "available" }, 0)
 * }
 * for (const [index, itemId] of ["c1", "c2", "c3", "c4"].entries()) {
 *   const now = index * minute
 *   const item = WorkItem.make({ itemId, queueId: "support", channelKind: "chat", arrivedAtMs: now })
 *   for (const decision of engine.apply({ type: "itemArrived", item }, now))
 *     if (decision.type === "offerMade") {
 *       const { offerId, agentId } = decision
 *       engine.apply({ type: "offerAccepted", requestId: offerId, offerId, agentId }, now)
 *     }
 * }
 *
 * const expectedWaitOf = ExpectedWait.make(policy, engine.snapshot(), 3 * minute)
 * assert.equal(expectedWaitOf("c1"), undefined)
 * // Two agents need three minutes for the next to end, on average.
 * assert.deepEqual(expectedWaitOf("c3"), {
 *   positionInLine: 1,
 *   expectedWaitMs: 3 * minute,
 *   rangeMs: [16_270, 414_093],
 *   basis: "line"
 * })
 * assert.equal(expectedWaitOf("c4")?.positionInLine, 2)
 * assert.equal(expectedWaitOf("c4")?.basis, "lineAndHead")
 *
 * // Somebody who hasn't come yet.
 * const next = WorkItem.make({ itemId: "c5", queueId: "support", channelKind: "chat", arrivedAtMs: 3 * minute })
 * assert.equal(ExpectedWait.ifArrived(policy, engine.snapshot(), next, 3 * minute).positionInLine, 3)
 * ```
 *
 * @module
 */
import { Lines } from "./internal/waiting/Line.ts"
import type { Snapshot } from "./Pool.ts"
import type { RoutingPolicy } from "./RoutingPolicy.ts"
import type { WorkItem } from "./WorkItem.ts"

/**
 * What an item waits behind.
 *
 * **Shape** `positionInLine` counts the items served before it for which some agent of its own would be taken, and
 * itself: 1 is the next. `ahead` is their work in items of its own weight; what other agents may take as well counts in
 * part. `servers`: how many items like it the agents on duty who may take it hold together. `room`: how many like it they
 * would take at this moment, after what is served before it. `handlingMs`: how long work takes them; with `isMeasured`
 * nobody stated it and it is how long work in progress has taken so far. `overtaking`: the share of what they hold that
 * would overtake the item if it came a little later. `head`: how long the first item of the same queue, channel kind,
 * priority and weight has waited, and which share of those that wait are served before it or are the item itself; missing
 * when it is the first.
 *
 * **Units** items; milliseconds; shares 0–1.
 */
export interface Line {
  readonly positionInLine: number
  readonly ahead: number
  readonly servers: number
  readonly room: number
  readonly handlingMs?: number
  readonly isMeasured?: boolean
  readonly overtaking: number
  readonly head?: { readonly waitMs: number; readonly share: number }
}

/**
 * What an expectation rests on.
 *
 * **Shape** `room`: somebody has room for it · `line`: the work before it and the agents on duty · `lineAndHead`: that,
 * and how long the first of its line has waited · `head`: the latter alone, because no handling time is known ·
 * `nobodyOnDuty`: no figure, nobody who may take it is there, now or at a later step of its relaxation · `unknown`: no
 * figure, nothing tells how long work takes.
 */
export type Basis = "room" | "line" | "lineAndHead" | "head" | "nobodyOnDuty" | "unknown"

/**
 * Where an item stands and how long it will wait until it is offered to an agent.
 *
 * **Shape** `rangeMs` holds the wait in eight of ten cases or more, as long as stated handling times are right; it is
 * missing with `expectedWaitMs` when `basis` says why.
 *
 * **Units** milliseconds from now; 1 is the first in line.
 */
export interface ExpectedWait {
  readonly positionInLine: number
  readonly expectedWaitMs?: number
  readonly rangeMs?: readonly [low: number, high: number]
  readonly basis: Basis
}

/** How far a figure is off for reasons that chance doesn't explain, as a share of it; more when nobody stated how long work takes. */
const unsure = 0.2
const unsureWhenMeasured = 0.5

/** Those who overtake are few to count: as if that many more, who don't, were counted. */
const counted = 3

/** Nine of ten lie below so many deviations. */
const deviations = 1.2816

/** The value of which so many deviations lie below, of gamma distributed ones (Wilson and Hilferty). */
const quantile = (mean: number, spread: number, at: number): number =>
  Math.round(mean * Math.max(0, 1 - spread / 9 + (at * Math.sqrt(spread)) / 3) ** 3)

/**
 * The expectation for an item in a line that is known otherwise: plain arithmetic, for those who count themselves.
 *
 * **Shape** `(ahead + 1) × handling ÷ servers`, longer by what overtakes, weighed with `head` by how sure each is: chance
 * alone moves the latter twice as much, and both may be a fifth off.
 *
 * **Source** Whitt, Predicting Queueing Delays (1999), for the first; Ibrahim and Whitt, Real-Time Delay Estimation Based
 * on Delay History (2009), for the delay of the head of the line.
 *
 * **Example**
 *
 * ```ts
 * import { strict as assert } from "node:assert"
 * import { ExpectedWait } from "@switchboard/routing"
 *
 * const line = { positionInLine: 10, ahead: 9, servers: 20, room: 0, handlingMs: 300_000, overtaking: 0 }
 * const { expectedWaitMs, rangeMs } = ExpectedWait.fromLine(line)
 * assert.equal(expectedWaitMs, 150_000)
 * assert.deepEqual(rangeMs, [84_105, 224_749])
 * ```
 */
export const fromLine = (line: Line): ExpectedWait => {
  const { positionInLine, ahead, servers, room, handlingMs, overtaking, head } = line
  if (servers <= 0) return { positionInLine, basis: "nobodyOnDuty" }
  if (room > 0) return { positionInLine, expectedWaitMs: 0, rangeMs: [0, 0], basis: "room" }
  const turns = ahead + 1
  const turnMs =
    handlingMs === undefined ? undefined : handlingMs / servers / (1 - (overtaking * servers) / (servers + counted))
  const byLine = turnMs === undefined ? undefined : turns * turnMs
  // The first has a turn to wait, too.
  const byHead = head && (head.waitMs + (turnMs ?? 0)) * head.share
  if (byLine === undefined && byHead === undefined) return { positionInLine, basis: "unknown" }
  // By the inverse of the variances, each as a share of its square: 1/turns + unsure² and 2/turns + unsure².
  const unsureOfLine = line.isMeasured === true ? unsureWhenMeasured : unsure
  const weight = (2 / turns + unsure ** 2) / (3 / turns + unsure ** 2 + unsureOfLine ** 2)
  const mean = byLine === undefined ? byHead! : byHead === undefined ? byLine : weight * byLine + (1 - weight) * byHead
  const spread = 1 / turns + ((byHead === undefined ? unsureOfLine : unsure) + overtaking / 2) ** 2
  return {
    positionInLine,
    expectedWaitMs: Math.round(mean),
    rangeMs: [quantile(mean, spread, -deviations), quantile(mean, spread, deviations)],
    basis: byLine === undefined ? "head" : byHead === undefined ? "line" : "lineAndHead"
  }
}

const expectedWait = (lines: Lines, itemId: string, isNew: boolean): ExpectedWait | undefined => {
  const stages = lines.stagesOf(itemId)
  if (stages === undefined) return undefined
  let best: ExpectedWait | undefined
  for (const { inMs, line } of stages) {
    // Who has room now has none for what waits already, or it wouldn't; later, those before it are first.
    const room = inMs > 0 ? line.room - line.ahead : isNew ? line.room : 0
    const expected = fromLine({ ...line, room })
    const { expectedWaitMs, rangeMs } = expected
    const known =
      expectedWaitMs === undefined || rangeMs === undefined
        ? expected
        : {
            ...expected,
            expectedWaitMs: Math.max(inMs, expectedWaitMs),
            rangeMs: [Math.max(inMs, rangeMs[0]), Math.max(inMs, rangeMs[1])] as const
          }
    const isFirst = best === undefined || (best.basis === "nobodyOnDuty" && known.basis !== "nobodyOnDuty")
    const isSooner =
      (known.expectedWaitMs ?? Number.POSITIVE_INFINITY) < (best?.expectedWaitMs ?? Number.POSITIVE_INFINITY)
    if (isFirst || isSooner) best = known
  }
  return best
}

/**
 * Reads a pool's documents at an instant, and then says of any waiting item where it stands and how long it will wait; of
 * one that doesn't wait, undefined.
 *
 * **Shape** an item that keeps to preferred agents for a while, or asks less later, is expected at the earliest of what
 * each of these steps gives. With `homeQueues`, only the agents at home count while one of them is on duty.
 *
 * **Units** `now`: epoch milliseconds, and not before the documents were written.
 *
 * **Gotchas** reading costs what restoring the pool and putting all that waits in order do: read once and ask about many.
 * It knows nothing of shifts that end or begin, nor of who will give up waiting. An estimate for a short wait says
 * little: see below.
 *
 * **Source** measured on arrival, by traffic simulated through the engine under seeds that took no part in choosing the
 * formula, as shares of the mean wait (bias, mean absolute error, root mean square error, how often the range held):
 *
 * - one agent at a load of 0.85: 1 %, 28 %, 39 %, 84 %; ten at 0.95: 0 %, 18 %, 25 %, 87 %; fifty at 0.98: 1 %, 13 %, 18 %, 91 %.
 * - ten agents, lognormal handling of variation 0.7: 1 %, 15 %, 20 %, 93 %; of 1.5: −1 %, 17 %, 25 %, 85 %.
 * - load that rises to 1.3 and falls within eight hours: −4 %, 15 %, 21 %, 89 %; five to fifteen agents: 7 %, 18 %, 25 %, 89 %.
 * - load of 1.2 and patience of ten minutes: 12 %, 32 %, 42 %, 87 % with ten agents; 7 %, 18 %, 23 %, 91 % with fifty.
 * - two priorities: the lower −1 %, 28 %, 44 %, 83 %; the higher, which waits 0.9 minutes, 3 %, 62 %, 83 %, 82 %.
 * - handling stated as a third less than it is: −20 %, 23 %, 36 %, 71 %; not stated: 3 %, 21 %, 31 %, 83 %.
 *
 * Over all 19 measurements the mean absolute error is 23 % of the mean wait; 25 % by the line alone, 29 % by the head of
 * the line, 31 % by the last who was served. `node --conditions=@switchboard/source bench/estimate.bench.ts [--json]`
 * measures it again.
 */
export const make = (
  policy: RoutingPolicy,
  snapshot: Snapshot,
  now: number
): ((itemId: string) => ExpectedWait | undefined) => {
  const lines = new Lines(policy, snapshot, now)
  return (itemId) => expectedWait(lines, itemId, false)
}

/**
 * What an item would have to expect if it arrived now.
 *
 * **Gotchas** an item of that id in the pool is taken for this one.
 */
export const ifArrived = (policy: RoutingPolicy, snapshot: Snapshot, item: WorkItem, now: number): ExpectedWait => {
  const others = snapshot.items.filter((document) => document.item.itemId !== item.itemId)
  const arrived = { item, place: { kind: "waiting" as const }, offersMade: 0, exclusions: [] }
  return expectedWait(new Lines(policy, { ...snapshot, items: [...others, arrived] }, now), item.itemId, true)!
}
