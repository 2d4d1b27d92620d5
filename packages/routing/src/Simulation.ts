/**
 * The engine in virtual time: made-up traffic and shifts go in, waits, service level and load come out.
 *
 * It is the same engine that a pool runs on, told what a generator of random numbers makes up. One seed gives one run, to
 * the last digit on one JavaScript engine. Every source of traffic draws from a generator of its own, when an item arrives,
 * so two policies or two rosters under one seed meet the same items, which take the same time and have the same patience.
 *
 * **Example**
 *
 * ```ts
 * import { strict as assert } from "node:assert"
 * import { Capacity, RoutingAgent, RoutingPolicy, Simulation } from "@switchboard/routing"
 *
 * const minutes = (count: number) => count * 60_000
 * const scenario = Simulation.make({
 *   policy: RoutingPolicy.make({ order: [{ by: "age" }] }),
 *   traffic: [
 *     {
 *       item: { queueId: "support", channelKind: "chat" },
 *       arrivals: { kind: "poisson", perHour: 40 },
 *       handling: { kind: "exponential", meanMs: minutes(6) },
 *       patience: { kind: "exponential", meanMs: minutes(10) }
 *     }
 *   ],
 *   staff: ["ada", "ben", "cleo", "dan", "eve"].map((agentId) => ({
 *     agent: RoutingAgent.make({ agentId, capacity: Capacity.make(1) })
 *   })),
 *   warmupMs: minutes(60),
 *   untilMs: minutes(60 * 24)
 * })
 *
 * const oneDay = Simulation.run(scenario, 1)
 * assert.deepEqual(oneDay, Simulation.run(scenario, 1))
 *
 * const { total } = Simulation.replicate(scenario, { seed: 1, replications: 10 })
 * assert.ok(total.serviceLevel.low < total.serviceLevel.value && total.serviceLevel.value < total.serviceLevel.high)
 * assert.ok(total.serviceLevel.low > 0.5 && total.abandonment.high < 0.3)
 * ```
 *
 * @module
 */
import * as z from "zod"
import type { Decision } from "./Decision.ts"
import type { InputError } from "./InputError.ts"
import { decodeWith } from "./internal/decodeWith.ts"
import { Ledger, lineKeyOf, loadOf } from "./internal/simulation/Ledger.ts"
import * as Random from "./internal/simulation/Random.ts"
import { quantile } from "./internal/simulation/Student.ts"
import { World } from "./internal/simulation/World.ts"
import type { Result } from "./Result.ts"
import { RoutingAgent } from "./RoutingAgent.ts"
import * as RoutingEngine from "./RoutingEngine.ts"
import { RoutingPolicy } from "./RoutingPolicy.ts"
import type { Signal } from "./Signal.ts"
import { WorkItem } from "./WorkItem.ts"

const instant = z.int().min(0).max(9_000_000_000_000)
const span = z.number().min(0).max(31_536_000_000)
const share = z.number().min(0).max(1)

/**
 * How long something takes, drawn anew each time.
 *
 * **Shape** `fixed` · `exponential` · `lognormal`, as handling times mostly are · `given`: one of these, each as likely.
 *
 * **Units** milliseconds, rounded to whole ones where they are used.
 */
export const Span = z.discriminatedUnion("kind", [
  z.strictObject({ kind: z.literal("fixed"), ms: span }),
  z.strictObject({ kind: z.literal("exponential"), meanMs: span }),
  z.strictObject({ kind: z.literal("lognormal"), meanMs: span.positive(), deviationMs: span }),
  z.strictObject({ kind: z.literal("given"), ms: z.array(span).min(1).readonly() })
])
export type Span = z.infer<typeof Span>

const perHour = z.number().min(0).max(100_000_000)

/**
 * When items arrive.
 *
 * **Shape** `poisson`: independently of each other, so many per hour · `periods`: the same with a rate of its own from each
 * instant on, nothing before the first, and again every `everyMs` when that is given (86,400,000: every day) · `given`.
 *
 * **Units** items per hour; virtual milliseconds, `periods` from the start of the day when they repeat.
 */
export const Arrivals = z.discriminatedUnion("kind", [
  z.strictObject({ kind: z.literal("poisson"), perHour }),
  z
    .strictObject({
      kind: z.literal("periods"),
      periods: z
        .array(z.strictObject({ fromMs: instant, perHour }))
        .min(1)
        .readonly(),
      everyMs: span.min(1).exactOptional()
    })
    .refine(
      ({ periods, everyMs }) =>
        periods.every(({ fromMs }, at) => at === 0 || fromMs > periods[at - 1]!.fromMs) &&
        periods.at(-1)!.fromMs < (everyMs ?? Number.POSITIVE_INFINITY),
      { path: ["periods"], message: "expected periods whose fromMs rise and stay below everyMs" }
    ),
  z.strictObject({ kind: z.literal("given"), atMs: z.array(instant).readonly() })
])
export type Arrivals = z.infer<typeof Arrivals>

/** An item without what is its own: id, arrival and when it is due. */
const Kind = z.object({ ...WorkItem.shape }).omit({ itemId: true, arrivedAtMs: true, dueAtMs: true })

/**
 * One source of items that are all alike.
 *
 * **Shape** `item` is what they have in common. `handling` runs from the accepted offer until the item leaves. Who isn't
 * answered within `patience` of arriving gives up; without it, everyone waits. Each is due `dueAfterMs` after its arrival.
 */
export const Traffic = z.strictObject({
  item: Kind,
  arrivals: Arrivals,
  handling: Span,
  patience: Span.exactOptional(),
  dueAfterMs: span.int().exactOptional()
})
export type Traffic = z.infer<typeof Traffic>

/**
 * An agent and when they work.
 *
 * **Shape** `shifts` are the spans they are available in; without it, always. Who has work at the end finishes it. `pace`
 * makes handling longer for items of a queue: 2 takes this agent twice as long.
 *
 * **Units** virtual milliseconds.
 */
export const Staff = z.strictObject({
  agent: RoutingAgent,
  shifts: z
    .array(z.strictObject({ fromMs: instant, untilMs: instant }).refine(({ fromMs, untilMs }) => fromMs < untilMs))
    .readonly()
    .exactOptional(),
  pace: z.record(z.string(), z.number().positive().max(1000)).exactOptional()
})
export type Staff = z.infer<typeof Staff>

/**
 * How agents answer offers.
 *
 * **Shape** so many of all offers are `missed` (nobody answers until they expire), so many `declined`, the rest accepted,
 * each `afterMs`; what isn't answered before the offer's expiry is missed as well. Who is set to away for missing too many
 * is available again after `backAfterMs`.
 *
 * **Units** shares 0–1; milliseconds, 5 min by default.
 */
export const Answers = z
  .strictObject({
    afterMs: Span,
    missed: share.default(0),
    declined: share.default(0),
    backAfterMs: span.default(300_000)
  })
  .refine(({ missed, declined }) => missed + declined <= 1, { message: "expected shares that sum up to 1 at most" })
export type Answers = z.infer<typeof Answers>

const atOnce: Answers = { afterMs: { kind: "fixed", ms: 0 }, missed: 0, declined: 0, backAfterMs: 300_000 }

/**
 * What is simulated.
 *
 * **Shape** items arrive from 0 until `untilMs`; those from `warmupMs` on are counted, and so is the work done between the
 * two. The run then goes on without arrivals until nobody waits who can still be answered, at most as long again. By default
 * every offer is accepted at once. `targetMs` is the wait that counts as good service.
 *
 * **Units** virtual milliseconds. Default target 20 s.
 */
export const Scenario = z
  .strictObject({
    policy: RoutingPolicy,
    traffic: z.array(Traffic).min(1).readonly(),
    staff: z.array(Staff).readonly(),
    answers: Answers.default(atOnce),
    warmupMs: instant.default(0),
    untilMs: instant,
    targetMs: span.default(20_000)
  })
  .refine(({ warmupMs, untilMs }) => warmupMs < untilMs, {
    path: ["warmupMs"],
    message: "expected less than untilMs"
  })
export type Scenario = z.infer<typeof Scenario>

/** Reads a scenario from outside and fills in the defaults. **Fails with** an `InputError` that names the field. */
export const decode: (input: unknown) => Result<Scenario, InputError> = decodeWith("A scenario", Scenario)

/** What {@link make} takes: items of weight 1 and priority 0 unless given, and {@link Scenario}'s defaults. */
export type Draft = Pick<Scenario, "policy" | "staff" | "untilMs"> &
  Partial<Pick<Scenario, "answers" | "warmupMs" | "targetMs">> & {
    readonly traffic: ReadonlyArray<
      Omit<Traffic, "item"> & {
        readonly item: Pick<Traffic["item"], "queueId" | "channelKind"> & Partial<Traffic["item"]>
      }
    >
  }

/** A scenario with the defaults filled in. **Gotchas** it doesn't check: use {@link decode} for one from outside. */
export const make = ({ traffic, ...draft }: Draft): Scenario => ({
  answers: atOnce,
  warmupMs: 0,
  targetMs: 20_000,
  ...draft,
  traffic: traffic.map((each) => ({ ...each, item: { weight: 1, priority: 0, ...each.item } }))
})

/**
 * What became of the items that arrived in the counted time.
 *
 * **Shape** `answered` by an agent, `gaveUp` before that, or `unserved` when the run was over. A wait runs from arrival to the
 * first accept, or to giving up; `wait…` are over both, `answerMeanMs` over the answered alone. `serviceLevel` is the share
 * answered within the target, `abandonment` the share that gave up, `delayed` the share not answered at the very instant,
 * each of all that arrived. `overtakings` counts the offers made while an item alike in all but its age, and older, waited
 * without one: 0 for an order by age, unless an agent declined or missed the older one. Everything is 0 when nothing
 * arrived.
 *
 * **Units** items; shares 0–1; milliseconds. A percentile is the smallest wait that at least that share doesn't exceed.
 */
export interface Figures {
  readonly arrived: number
  readonly answered: number
  readonly gaveUp: number
  readonly unserved: number
  readonly serviceLevel: number
  readonly abandonment: number
  readonly delayed: number
  readonly waitMeanMs: number
  readonly waitP50Ms: number
  readonly waitP90Ms: number
  readonly waitP95Ms: number
  readonly waitP99Ms: number
  readonly waitMaxMs: number
  readonly answerMeanMs: number
  readonly overtakings: number
}

/** The figures of one queue; items count where they arrived, wherever they went later. */
export interface QueueFigures {
  readonly queueId: string
  readonly figures: Figures
}

/**
 * What an agent did in the counted time.
 *
 * **Shape** `occupancy` is the share of their capacity that held accepted work while they were available or busy; open
 * offers and what they finish after their shift don't count. `answered` counts items that arrived in the counted time.
 *
 * **Units** `roomMs`: capacity units times milliseconds on duty; occupancy 0–1, above 1 when they hold more than fits.
 */
export interface AgentFigures {
  readonly agentId: string
  readonly answered: number
  readonly roomMs: number
  readonly occupancy: number
}

/**
 * How evenly work is spread over the agents who were on duty.
 *
 * **Shape** `occupancy` of all room together; `spread` between the most and the least occupied agent; `deviation` of the
 * agents' occupancies around their mean.
 *
 * **Units** shares 0–1.
 */
export interface LoadFigures {
  readonly occupancy: number
  readonly spread: number
  readonly deviation: number
}

/**
 * The result of one run. `signals` is how many the engine was told; `endedMs` the virtual instant of the last.
 */
export interface Outcome {
  readonly total: Figures
  readonly queues: ReadonlyArray<QueueFigures>
  readonly agents: ReadonlyArray<AgentFigures>
  readonly load: LoadFigures
  readonly signals: number
  readonly endedMs: number
}

/** A number that varies from run to run, and between which two the truth lies with the confidence asked for. */
export interface Estimate {
  readonly value: number
  readonly low: number
  readonly high: number
}

/** The same figures, each with its interval. */
export type Estimated<F> = { readonly [K in keyof F]: Estimate }

/** The result of several runs. */
export interface Estimates {
  readonly replications: number
  readonly confidence: number
  readonly total: Estimated<Figures>
  readonly queues: ReadonlyArray<{ readonly queueId: string; readonly figures: Estimated<Figures> }>
  readonly agents: ReadonlyArray<{ readonly agentId: string; readonly occupancy: Estimate }>
  readonly load: Estimated<LoadFigures>
}

const hour = 3_600_000

const draw = (of: Span, random: Random.Random): number => {
  switch (of.kind) {
    case "fixed":
      return of.ms
    case "exponential":
      return of.meanMs * Random.exponential(random)
    case "lognormal": {
      const variance = Math.log1p((of.deviationMs / of.meanMs) ** 2)
      return of.meanMs * Math.exp(Math.sqrt(variance) * Random.normal(random) - variance / 2)
    }
    case "given":
      return of.ms[Math.floor(random() * of.ms.length)]!
  }
}

/** The instants of arrival one after the other, before they are rounded. */
const arrivalsOf = function* (arrivals: Arrivals, untilMs: number, random: Random.Random): Generator<number> {
  if (arrivals.kind === "given") {
    for (const atMs of [...arrivals.atMs].sort((a, b) => a - b)) if (atMs < untilMs) yield atMs
    return
  }
  const { periods, everyMs } =
    arrivals.kind === "periods" ? arrivals : { periods: [{ fromMs: 0, perHour: arrivals.perHour }], everyMs: undefined }
  // What is still to come of an exponential with mean 1: every period takes its rate times its length of it.
  let left = Random.exponential(random)
  for (let round = 0; ; round += everyMs ?? Number.POSITIVE_INFINITY)
    for (const [index, { fromMs, perHour: rate }] of periods.entries()) {
      const end = Math.min(untilMs, round + (periods[index + 1]?.fromMs ?? everyMs ?? Number.POSITIVE_INFINITY))
      let now = round + fromMs
      if (!(now < untilMs)) return
      while (rate > 0) {
        const next = now + (left * hour) / rate
        if (next >= end) {
          left -= (Math.max(0, end - now) * rate) / hour
          break
        }
        yield next
        now = next
        left = Random.exponential(random)
      }
    }
}

/** An item in the pool, as the people around it know it. */
interface Live {
  readonly index: number
  readonly queueId: string
  readonly handlingMs: number
  offers: number
  isAnswered: boolean
}

/** What the generators of a run are for. Each source of traffic has three of its own. */
const purpose = { arrival: 1, handling: 2, patience: 3, answer: 4 } as const

/**
 * Sees everything the engine of a run is told, at which virtual instant, and what it decides.
 */
export type Watch = (signal: Signal, atMs: number, decisions: ReadonlyArray<Decision>) => void

/**
 * One run.
 *
 * **Shape** what `watch` sees is a record that `Replay` can read.
 *
 * **Gotchas** a scenario that {@link decode} would refuse may never end.
 */
export const run = (scenario: Scenario, seed: number, watch?: Watch): Outcome => {
  const { policy, traffic, staff, answers, warmupMs, untilMs, targetMs } = scenario
  const ledger = new Ledger([warmupMs, untilMs])
  const items = new Map<string, Live>()
  const paces = new Map(staff.map(({ agent, pace }) => [agent.agentId, pace]))
  const shifts = new Map(staff.map(({ agent, shifts: each }) => [agent.agentId, each]))
  let arrived = 0

  const answer = (
    offer: { readonly offerId: string; readonly itemId: string; readonly agentId: string },
    now: number
  ) => {
    const item = items.get(offer.itemId)!
    item.offers++
    const accept = (at: number): void => {
      const { offerId, agentId } = offer
      world.tell({ type: "offerAccepted", requestId: offerId, offerId, agentId }, at)
    }
    const { afterMs, missed, declined } = answers
    if (afterMs.kind === "fixed" && missed + declined === 0) {
      if (afterMs.ms === 0) accept(now)
      else world.plan(now + Math.round(afterMs.ms), accept)
      return
    }
    const random = Random.make(seed, purpose.answer, item.index, item.offers)
    const what = random()
    if (what < missed) return
    world.plan(now + Math.round(draw(afterMs, random)), (at) => {
      const { offerId, agentId } = offer
      if (what >= missed + declined) accept(at)
      else world.tell({ type: "offerDeclined", requestId: offerId, offerId, agentId }, at)
    })
  }

  const world = new World(
    RoutingEngine.make(policy),
    ledger,
    (decision, now) => {
      if (decision.type === "offerMade") answer(decision, now)
      else if (decision.type === "itemLeft") items.delete(decision.itemId)
      else if (decision.type === "itemAssigned") {
        const { itemId, agentId } = decision
        const item = items.get(itemId)!
        item.isAnswered = true
        const handlingMs = item.handlingMs * (paces.get(agentId)?.[item.queueId] ?? 1)
        world.plan(now + Math.round(handlingMs), (at) =>
          world.tell({ type: "itemReleased", itemId, agentId, next: "leave" }, at)
        )
      } else if (decision.type === "presenceSet" && decision.cause === "missedOffers") {
        const { agentId } = decision
        world.plan(now + answers.backAfterMs, (at) => {
          const theirs = shifts.get(agentId)
          if (theirs === undefined || theirs.some(({ fromMs, untilMs: end }) => fromMs <= at && at < end))
            world.tell({ type: "presenceChanged", agentId, status: "available" }, at)
        })
      }
    },
    0,
    watch
  )

  for (const { agent, shifts: theirs = [{ fromMs: 0, untilMs: undefined }] } of staff) {
    const { agentId } = agent
    world.tell({ type: "agentUpdated", agent }, 0)
    for (const { fromMs, untilMs: end } of theirs) {
      world.plan(fromMs, (now) => world.tell({ type: "presenceChanged", agentId, status: "available" }, now))
      if (end !== undefined)
        world.plan(end, (now) => world.tell({ type: "presenceChanged", agentId, status: "offline" }, now))
    }
  }

  for (const [source, each] of traffic.entries()) {
    const takes = Random.make(seed, purpose.handling, source)
    const bears = Random.make(seed, purpose.patience, source)
    const instants = arrivalsOf(each.arrivals, untilMs, Random.make(seed, purpose.arrival, source))
    const lineKey = lineKeyOf({ ...each.item, itemId: "", arrivedAtMs: 0 })
    const planNext = (): void => {
      const { value } = instants.next()
      if (value !== undefined) world.plan(Math.floor(value), arrive)
    }
    const arrive = (now: number): void => {
      const index = arrived++
      const itemId = `i${index}`
      const { queueId } = each.item
      const live: Live = { index, queueId, handlingMs: draw(each.handling, takes), offers: 0, isAnswered: false }
      items.set(itemId, live)
      const givesUpAfter = each.patience === undefined ? undefined : Math.round(draw(each.patience, bears))
      const item: WorkItem = { ...each.item, itemId, arrivedAtMs: now }
      if (each.dueAfterMs !== undefined) item.dueAtMs = now + each.dueAfterMs
      ledger.item(item, true, lineKey)
      world.tell({ type: "itemArrived", item }, now)
      if (givesUpAfter !== undefined && !live.isAnswered)
        world.plan(now + givesUpAfter, (at) => {
          if (!live.isAnswered) world.tell({ type: "itemRemoved", itemId, reason: "gave_up" }, at)
        })
      planNext()
    }
    planNext()
  }

  const endedMs = world.run(0, 2 * untilMs)
  ledger.close(Math.max(endedMs, untilMs))
  const agents = ledger.agents()
  const queueIds = new Set([...policy.queues, ...traffic.map(({ item }) => item)].map(({ queueId }) => queueId))
  return {
    total: ledger.figures(targetMs),
    queues: [...queueIds].map((queueId) => ({ queueId, figures: ledger.figures(targetMs, { queueId }) })),
    agents,
    load: loadOf(agents),
    signals: world.signals,
    endedMs
  }
}

/** The mean of independent values, and Student's interval around it. */
const estimate = (values: ReadonlyArray<number>, width: number): Estimate => {
  const value = values.reduce((sum, each) => sum + each, 0) / values.length
  const variance = values.reduce((sum, each) => sum + (each - value) ** 2, 0) / (values.length - 1)
  const half = values.length < 2 ? Number.POSITIVE_INFINITY : width * Math.sqrt(variance / values.length)
  return { value, low: value - half, high: value + half }
}

const estimateEach = <F extends object>(values: ReadonlyArray<F>, width: number): Estimated<F> => {
  const keys = Object.keys(values[0]!) as Array<keyof F>
  return Object.fromEntries(
    keys.map((key) => [
      key,
      estimate(
        values.map((value) => Number(value[key])),
        width
      )
    ])
  ) as Estimated<F>
}

/**
 * Several runs that differ in their random numbers alone, and what they say together.
 *
 * **Shape** every figure is the mean over the runs, with Student's interval around it: the runs are independent of each
 * other, which the waits within a run are not. `confidence` is 0.95 unless given. With one run the intervals are endless.
 *
 * **Gotchas** a pool that begins empty is quieter than it will be: give `warmupMs` when the long run is meant. A percentile
 * is the mean of the runs' percentiles, so runs should be long enough to have one. Two scenarios under one seed are best
 * compared run by run: they share what is random.
 */
export const replicate = (
  scenario: Scenario,
  options: { readonly seed: number; readonly replications: number; readonly confidence?: number }
): Estimates => {
  const { seed, replications, confidence = 0.95 } = options
  const outcomes = Array.from({ length: Math.max(1, Math.floor(replications)) }, (_, index) =>
    run(scenario, seedOf(seed, index))
  )
  const width = outcomes.length < 2 ? 0 : quantile(confidence, outcomes.length - 1)
  const first = outcomes[0]!
  return {
    replications: outcomes.length,
    confidence,
    total: estimateEach(
      outcomes.map(({ total }) => total),
      width
    ),
    queues: first.queues.map(({ queueId }) => ({
      queueId,
      figures: estimateEach(
        outcomes.map(({ queues }) => queues.find((queue) => queue.queueId === queueId)!.figures),
        width
      )
    })),
    agents: first.agents.map(({ agentId }, at) => ({
      agentId,
      occupancy: estimate(
        outcomes.map(({ agents }) => agents[at]!.occupancy),
        width
      )
    })),
    load: estimateEach(
      outcomes.map(({ load }) => load),
      width
    )
  }
}

/** The seed of the n-th of several runs, counted from 0: `run` with it repeats that one. */
export const seedOf = (seed: number, index: number): number =>
  Math.floor(Random.make(seed, 0, index)() * 9_007_199_254_740_991)
