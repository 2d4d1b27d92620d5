/**
 * What if: recorded traffic through another policy or another roster, and how waits, service level and load would differ.
 *
 * A record is everything a pool's engine was told, and when. From it come the facts that other rules wouldn't have changed:
 * who wrote when, how long each item took, who gave up after how long, when agents came and went, how they answered. The
 * same engine then lives through the same time under the other rules.
 *
 * **Example**
 *
 * ```ts
 * import { strict as assert } from "node:assert"
 * import { Capacity, Replay, RoutingAgent, RoutingPolicy, WorkItem } from "@switchboard/routing"
 *
 * // Somebody wrote every four minutes, and ada, alone, took five for each.
 * const minute = 60_000
 * const agent = (agentId: string) => RoutingAgent.make({ agentId, capacity: Capacity.make(1) })
 * const told: Array<Replay.Entry> = [
 *   { atMs: 0, signal: { type: "agentUpdated", agent: agent("ada") } },
 *   { atMs: 0, signal: { type: "presenceChanged", agentId: "ada", status: "available" } }
 * ]
 * for (let index = 0; index < 40; index++) {
 *   const itemId = `c${index}`
 *   const item = WorkItem.make({ itemId, queueId: "support", channelKind: "chat", arrivedAtMs: 4 * minute * index })
 *   const offer = { requestId: `r${index}`, offerId: `${itemId}.1`, agentId: "ada" }
 *   told.push(
 *     { atMs: item.arrivedAtMs, signal: { type: "itemArrived", item } },
 *     { atMs: 5 * minute * index, signal: { type: "offerAccepted", ...offer } },
 *     { atMs: 5 * minute * (index + 1), signal: { type: "itemReleased", itemId, agentId: "ada", next: "leave" } }
 *   )
 * }
 * told.sort((a, b) => a.atMs - b.atMs)
 *
 * const recorded = Replay.fromSignals(RoutingPolicy.make(), told)
 * assert.equal(Replay.replay(recorded, {}).difference.waitMeanMs.value, 0)
 *
 * const withBen = Replay.replay(recorded, { add: [{ agent: agent("ben") }] })
 * assert.equal(Math.round(withBen.was.total.waitMeanMs / minute), 20)
 * assert.equal(withBen.would.total.waitMeanMs, 0)
 * assert.ok(withBen.difference.serviceLevel.low > 0.5)
 * ```
 *
 * @module
 */
import type { Decision } from "./Decision.ts"
import { differenceOf, edgesOf } from "./internal/simulation/Difference.ts"
import { Ledger, loadOf } from "./internal/simulation/Ledger.ts"
import { readRecord } from "./internal/simulation/Recording.ts"
import { begin, Rerun } from "./internal/simulation/Rerun.ts"
import { quantile } from "./internal/simulation/Student.ts"
import type { Snapshot } from "./Pool.ts"
import type { RoutingAgent } from "./RoutingAgent.ts"
import type { RoutingPolicy } from "./RoutingPolicy.ts"
import type { Signal } from "./Signal.ts"
import type { AgentFigures, Estimated, Figures, LoadFigures, QueueFigures, Staff } from "./Simulation.ts"
import type { WorkItem } from "./WorkItem.ts"

/**
 * One thing a pool's engine was told.
 *
 * **Shape** `decisions` are what it decided then; without them they are worked out anew.
 *
 * **Units** `atMs`: the `now` it was told with, epoch milliseconds.
 */
export interface Entry {
  readonly atMs: number
  readonly signal: Signal
  readonly decisions?: ReadonlyArray<Decision>
}

/** A signal of the record, and its place in it, which settles what comes first at one instant. */
export interface Recalled {
  readonly signal: Signal
  readonly order: number
  readonly afterMs: number
}

/**
 * One time an agent held an item.
 *
 * **Shape** `end` is what ended it: released, sent on, taken over, removed. Without it, the agent left the pool or the record
 * ended.
 *
 * **Units** `heldMs`: milliseconds, at least so long when there is no `end`.
 */
export interface Stint {
  readonly agentId: string
  readonly heldMs: number
  readonly end?: Recalled
}

/**
 * An item of a record.
 *
 * **Shape** `answers` of its offers by their number, counted from 1, each so long after the offer; an empty list is an offer
 * nobody answered, `openMs` how long each was open. `gaveUp` is missing when somebody answered: then all that is known is
 * that they bore `waitedMs`. `waitedMs` is missing for items that were in the pool before the record or still waited at its
 * end: they take part, but aren't compared.
 *
 * **Units** milliseconds; `gaveUp.afterMs` and `waitedMs` from the item's arrival.
 */
export interface RecordedItem {
  readonly item: WorkItem
  readonly answers: Readonly<Record<number, ReadonlyArray<Recalled>>>
  readonly openMs: Readonly<Record<number, number>>
  readonly stints: ReadonlyArray<Stint>
  readonly gaveUp?: Recalled
  readonly waitedMs?: number
}

/**
 * What is told again at its own instant.
 *
 * **Shape** `order` is its place in the record; `visit`, of an arrival, that of its item among the record's.
 */
export interface Told {
  readonly atMs: number
  readonly order: number
  readonly signal: Signal
  readonly visit?: number
}

/**
 * What a record says that doesn't depend on the policy, and what became of it under the policy there was.
 *
 * **Shape** `items` in the order they came; one that left and came again is two. `told` is all that is told again: arrivals, presence, profiles, and what people asked for of
 * items that waited. `latenessMs` is how late its timers were. `differsAt` is the index of the first entry at which this
 * policy and this version decide something else than what was recorded; a replay then compares with another engine.
 */
export interface Recorded {
  readonly policy: RoutingPolicy
  readonly entries: ReadonlyArray<Required<Entry>>
  readonly items: ReadonlyArray<RecordedItem>
  readonly told: ReadonlyArray<Told>
  readonly from?: Snapshot
  readonly startMs: number
  readonly endMs: number
  readonly latenessMs: number
  readonly differsAt?: number
}

/**
 * Reads a record.
 *
 * **Shape** `entries` in the order they were told, under `policy`, to an engine that began empty or as `from` says.
 */
export const fromSignals: (policy: RoutingPolicy, entries: Iterable<Entry>, from?: Snapshot) => Recorded = readRecord

/**
 * What should have been otherwise.
 *
 * **Shape** another `policy`; agents to `add`, available in their shifts or else all the time; agents to `remove` by id;
 * other `profiles` (skills, capacity, teams) of agents who were there. What isn't given stays as it was.
 */
export interface Change {
  readonly policy?: RoutingPolicy
  readonly add?: ReadonlyArray<Pick<Staff, "agent" | "shifts">>
  readonly remove?: ReadonlyArray<string>
  readonly profiles?: ReadonlyArray<RoutingAgent>
}

/**
 * How to replay.
 *
 * **Shape** `patience` says what to assume of those who were answered and would now wait longer than they did: `estimated`
 * lets them give up as often as others who waited that long, `endless` lets them wait. `batches` is how many stretches of
 * the record the intervals are made of.
 *
 * **Units** defaults: target 20 s, confidence 0.95, 10 batches, seed 1.
 */
export interface Options {
  readonly targetMs?: number
  readonly confidence?: number
  readonly batches?: number
  readonly seed?: number
  readonly patience?: "estimated" | "endless"
}

/** The figures of one side of a comparison. */
export interface Side {
  readonly total: Figures
  readonly queues: ReadonlyArray<QueueFigures>
  readonly agents: ReadonlyArray<AgentFigures>
  readonly load: LoadFigures
}

/** The figures that are compared with an interval. */
export type Differences = Estimated<
  Pick<
    Figures,
    "serviceLevel" | "abandonment" | "delayed" | "waitMeanMs" | "waitP50Ms" | "waitP90Ms" | "waitP95Ms" | "answerMeanMs"
  >
>

/**
 * What was, what would have been, and how they differ.
 *
 * **Shape** both sides look at the same items: those that arrived in the record and were answered or gave up in it; `leftOut`
 * is how many others there were. `difference` is what would have been minus what was. `sooner`, `later` and `alike` count
 * items by how long they would have waited beside how long they did. `decisions` are all the engine would have made.
 *
 * An interval comes from batches: the record is cut into stretches with equally many arrivals, each figure is compared
 * within each stretch over the very same items, and Student's interval is laid around the difference over the whole. Waits
 * of items close together depend on each other, so that items one by one would promise more than they hold. Records of less
 * than 20 items have endless intervals.
 *
 * **Gotchas** assumed are: an item takes as long whoever handles it; the n-th offer of an item is answered as the n-th was,
 * further ones after the usual time; what people did with an item by hand they would have tried at the same instant. What
 * nobody handled takes as long as another item of its queue, and who was answered is only known to have borne that wait: see
 * {@link Options}. When most were answered at once, the record knows little about their patience. An interval promises what
 * the stretches can: each should be long beside the time a queue takes to clear. With five agents at 83 % and records of two to
 * five days, 95 % intervals held the truth in 83 to 90 % of trials for the mean wait and in 87 to 97 % for the service level.
 */
export interface Comparison {
  readonly was: Side
  readonly would: Side
  readonly difference: Differences
  readonly queues: ReadonlyArray<{ readonly queueId: string; readonly difference: Differences }>
  readonly load: Estimated<LoadFigures>
  readonly sooner: number
  readonly later: number
  readonly alike: number
  readonly leftOut: number
  readonly decisions: ReadonlyArray<{ readonly atMs: number; readonly decision: Decision }>
}

/** What was, from what was decided. */
const follow = (ledger: Ledger, { entries, items, told, from, startMs, endMs }: Recorded): void => {
  if (from !== undefined) begin(ledger, from, startMs)
  const visits = new Map(told.map(({ order, visit }) => [order, visit]))
  for (const [order, { atMs, signal, decisions }] of entries.entries()) {
    const visit = visits.get(order)
    if (visit !== undefined) ledger.item(items[visit]!.item, items[visit]!.waitedMs !== undefined)
    else if (signal.type === "agentUpdated") ledger.agent(signal.agent, atMs)
    else if (signal.type === "agentRemoved") ledger.agentLeft(signal.agentId, atMs)
    for (const decision of decisions) ledger.decided(decision, atMs)
  }
  ledger.close(endMs)
}

/** How many items wait shorter, longer and as long. */
const tally = (was: Ledger, would: Ledger): Pick<Comparison, "sooner" | "later" | "alike"> => {
  const counts = { sooner: 0, later: 0, alike: 0 }
  for (let row = 0; row < was.rows; row++) {
    const before = was.waitOf(row) ?? Number.POSITIVE_INFINITY
    const after = would.waitOf(row) ?? Number.POSITIVE_INFINITY
    counts[after < before ? "sooner" : after > before ? "later" : "alike"]++
  }
  return counts
}

const compared = [
  "serviceLevel",
  "abandonment",
  "delayed",
  "waitMeanMs",
  "waitP50Ms",
  "waitP90Ms",
  "waitP95Ms",
  "answerMeanMs"
] as const satisfies ReadonlyArray<keyof Differences>

/** Lives through a record again under changed rules. */
export const replay = (recorded: Recorded, change: Change, options: Options = {}): Comparison => {
  const { targetMs = 20_000, confidence = 0.95, batches = 10, seed = 1, patience = "estimated" } = options
  const { items, endMs } = recorded
  const counted = items.filter(({ waitedMs }) => waitedMs !== undefined)
  const arrivals = counted.map(({ item }) => item.arrivedAtMs)
  const edges = edgesOf(arrivals, batches, endMs)

  const was = new Ledger(edges)
  follow(was, recorded)
  const would = new Ledger(edges)
  const rerun = new Rerun(recorded, change, would, seed, patience === "estimated")
  would.close(Math.max(endMs, rerun.run()))

  const windows = edges.length - 1
  const width = windows < 2 ? 0 : quantile(confidence, windows - 1)
  const queueIds = [...new Set(counted.map(({ item }) => item.queueId))].sort()
  const sideOf = (ledger: Ledger): Side => ({
    total: ledger.figures(targetMs),
    queues: queueIds.map((queueId) => ({ queueId, figures: ledger.figures(targetMs, { queueId }) })),
    agents: ledger.agents(),
    load: loadOf(ledger.agents())
  })
  const differ = (queueId?: string): Differences =>
    differenceOf(
      compared,
      (window) => {
        const of = { ...(queueId !== undefined && { queueId }), ...(window !== undefined && { window }) }
        return [was.figures(targetMs, of), would.figures(targetMs, of)]
      },
      windows,
      width
    )
  return {
    was: sideOf(was),
    would: sideOf(would),
    difference: differ(),
    queues: queueIds.map((queueId) => ({ queueId, difference: differ(queueId) })),
    load: differenceOf(
      ["occupancy", "spread", "deviation"],
      (window) => [loadOf(was.agents(window)), loadOf(would.agents(window))],
      windows,
      width
    ),
    ...tally(was, would),
    leftOut: items.length - counted.length,
    decisions: rerun.decisions
  }
}
