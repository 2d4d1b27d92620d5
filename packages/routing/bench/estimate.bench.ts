/**
 * How far the expected wait is off, beside three ways known from the literature, on traffic simulated through the engine.
 *
 *     node --conditions=@switchboard/source bench/estimate.bench.ts [--json] [--quick]
 *
 * Some of the items that have to wait are asked about when they arrive and once more while they wait. They are patient, so that
 * the answer can be held against what they waited (as Ibrahim and Whitt do). Errors are shares of the mean wait of those asked about.
 */
import {
  Capacity,
  type Decision,
  ExpectedWait,
  Requirement,
  RoutingAgent,
  RoutingEngine,
  RoutingPolicy,
  WorkItem
} from "@switchboard/routing"
import { Ledger } from "../src/internal/simulation/Ledger.ts"
import * as Random from "../src/internal/simulation/Random.ts"
import { World } from "../src/internal/simulation/World.ts"
import { Lines } from "../src/internal/waiting/Line.ts"

const json = process.argv.includes("--json")
const quick = process.argv.includes("--quick")
// The formula was chosen on others.
const seeds = quick ? [11] : [11, 12, 13]

const minute = 60_000
const hour = 60 * minute

type Draw = (random: Random.Random) => number

interface Source {
  readonly queueId: string
  readonly priority?: number
  readonly peakPerHour: number
  readonly shareAt?: (atMs: number) => number
  readonly handling: Draw
  readonly patience?: Draw
}

interface Scenario {
  readonly name: string
  readonly policy: RoutingPolicy.RoutingPolicy
  readonly staff: ReadonlyArray<RoutingAgent.RoutingAgent>
  readonly sources: ReadonlyArray<Source>
  readonly hours: number
  readonly onDuty?: (index: number, atMs: number) => boolean
}

const exponential =
  (meanMs: number): Draw =>
  (random) =>
    meanMs * Random.exponential(random)

/** `variation` is the standard deviation as a share of the mean. */
const lognormal =
  (meanMs: number, variation: number): Draw =>
  (random) => {
    const variance = Math.log1p(variation ** 2)
    return meanMs * Math.exp(Math.sqrt(variance) * Random.normal(random) - variance / 2)
  }

const staff = (
  count: number,
  more: (index: number) => Partial<RoutingAgent.RoutingAgent> = () => ({})
): ReadonlyArray<RoutingAgent.RoutingAgent> =>
  Array.from({ length: count }, (_, index) =>
    RoutingAgent.make({ agentId: `a${String(index).padStart(3, "0")}`, capacity: Capacity.make(1), ...more(index) })
  )

const policy = (
  queues: Readonly<Record<string, number | undefined>>,
  more: Partial<RoutingPolicy.RoutingPolicy> = {}
): RoutingPolicy.RoutingPolicy =>
  RoutingPolicy.make({
    queues: Object.entries(queues).map(([queueId, handlingMs]) => ({
      queueId,
      requirement: more.order === undefined ? Requirement.anyone : Requirement.skill(queueId),
      ...(handlingMs !== undefined && { handlingMs })
    })),
    awayAfterMissed: null,
    ...more
  })

const support = { queueId: "support", peakPerHour: 95, handling: lognormal(6 * minute, 1) }
const six = policy({ support: 6 * minute })
const both = staff(10, () => ({ skills: { vip: 1, support: 1 } }))
const ranked = [
  { queueId: "vip", priority: 5, peakPerHour: 35, handling: exponential(6 * minute) },
  { queueId: "support", peakPerHour: 58, handling: exponential(6 * minute) }
]

const scenarios: ReadonlyArray<Scenario> = [
  {
    name: "M/M/1, load 0.85",
    policy: six,
    staff: staff(1),
    sources: [{ ...support, peakPerHour: 8.5, handling: exponential(6 * minute) }],
    hours: 1500
  },
  {
    name: "M/M/10, load 0.95",
    policy: six,
    staff: staff(10),
    sources: [{ ...support, handling: exponential(6 * minute) }],
    hours: 300
  },
  {
    name: "M/M/50, load 0.98",
    policy: six,
    staff: staff(50),
    sources: [{ ...support, peakPerHour: 490, handling: exponential(6 * minute) }],
    hours: 60
  },
  {
    name: "lognormal, variation 0.7",
    policy: six,
    staff: staff(10),
    sources: [{ ...support, handling: lognormal(6 * minute, 0.7) }],
    hours: 300
  },
  {
    name: "lognormal, variation 1.5",
    policy: six,
    staff: staff(10),
    sources: [{ ...support, handling: lognormal(6 * minute, 1.5) }],
    hours: 300
  },
  {
    name: "four agents, three items each",
    policy: policy({ support: 12 * minute }),
    staff: staff(4, () => ({ capacity: Capacity.make(3) })),
    sources: [{ ...support, peakPerHour: 57, handling: lognormal(12 * minute, 1) }],
    hours: 300
  },
  {
    name: "load from 0.1 to 1.3 over 8 hours",
    policy: six,
    staff: staff(10),
    sources: [
      { ...support, peakPerHour: 130, shareAt: (atMs) => (70 + 60 * Math.sin((2 * Math.PI * atMs) / (8 * hour))) / 130 }
    ],
    hours: 300
  },
  {
    name: "5 to 15 agents over 6 hours",
    policy: six,
    staff: staff(15),
    sources: [{ ...support, peakPerHour: 100 }],
    hours: 300,
    onDuty: (index, atMs) => index < 5 + 10 * Math.abs(Math.sin((Math.PI * atMs) / (6 * hour)))
  },
  {
    name: "10 agents, load 1.2, patience 10 min",
    policy: six,
    staff: staff(10),
    sources: [{ ...support, peakPerHour: 120, patience: exponential(10 * minute) }],
    hours: 200
  },
  {
    name: "50 agents, load 1.2, patience 10 min",
    policy: six,
    staff: staff(50),
    sources: [{ ...support, peakPerHour: 600, patience: exponential(10 * minute) }],
    hours: 40
  },
  {
    name: "two priorities",
    policy: policy({ vip: 6 * minute, support: 6 * minute }, { order: [{ by: "priority" }, { by: "age" }] }),
    staff: both,
    sources: ranked,
    hours: 300
  },
  {
    name: "two priorities, a point a minute",
    policy: policy({ vip: 6 * minute, support: 6 * minute }, { order: [{ by: "agedPriority", pointsPerMinute: 1 }] }),
    staff: both,
    sources: ranked,
    hours: 300
  },
  {
    name: "two skills, four agents with both",
    policy: policy({ x: 6 * minute, y: 9 * minute }, { order: [{ by: "age" }] }),
    staff: staff(12, (index) => ({ skills: index < 4 ? { x: 1 } : index < 8 ? { y: 1 } : { x: 1, y: 1 } })),
    sources: [
      { queueId: "x", peakPerHour: 55, handling: lognormal(6 * minute, 1) },
      { queueId: "y", peakPerHour: 38, handling: lognormal(9 * minute, 1) }
    ],
    hours: 300
  },
  {
    name: "handling stated as 4 min, is 6",
    policy: policy({ support: 4 * minute }),
    staff: staff(10),
    sources: [support],
    hours: 300
  },
  {
    name: "handling stated as 8 min, is 6",
    policy: policy({ support: 8 * minute }),
    staff: staff(10),
    sources: [support],
    hours: 300
  },
  {
    name: "handling not stated",
    policy: policy({ support: undefined }),
    staff: staff(10),
    sources: [support],
    hours: 300
  }
]

const ways = ["ours", "line", "head", "last"] as const
type Way = (typeof ways)[number]

interface Sample {
  readonly queueId: string
  readonly when: "on arrival" | "while waiting"
  readonly atMs: number
  readonly expected: Readonly<Record<Way, number>>
  readonly rangeMs: readonly [number, number]
  waitMs: number
}

const simulate = (scenario: Scenario, seed: number): ReadonlyArray<Sample> => {
  const { policy, sources, hours, onDuty } = scenario
  const untilMs = hours * hour
  const handlings = new Map<string, number>()
  const asked = new Map<string, Array<Sample>>()
  const lastWaits = new Map<string, number>()
  const samples: Array<Sample> = []
  let arrived = 0

  const react = (decision: Decision.Decision, now: number): void => {
    if (decision.type === "offerMade") {
      const { offerId, agentId } = decision
      world.tell({ type: "offerAccepted", requestId: offerId, offerId, agentId }, now)
      return
    }
    if (decision.type !== "itemAssigned") return
    const { itemId, agentId } = decision
    const { item } = world.engine.itemDocument(itemId)!
    lastWaits.set(item.queueId, now - item.arrivedAtMs)
    for (const sample of asked.get(itemId) ?? []) samples.push({ ...sample, waitMs: now - sample.atMs })
    asked.delete(itemId)
    world.plan(now + Math.round(handlings.get(itemId)!), (at) =>
      world.tell({ type: "itemReleased", itemId, agentId, next: "leave" }, at)
    )
  }
  const world = new World(RoutingEngine.make(policy), new Ledger([0, untilMs]), react)

  const waits = (itemId: string): boolean => world.engine.itemDocument(itemId)?.place.kind === "waiting"

  const ask = (itemId: string, when: Sample["when"], now: number): void => {
    const snapshot = world.engine.snapshot()
    const { expectedWaitMs, rangeMs } = ExpectedWait.make(policy, snapshot, now)(itemId)!
    const { line } = new Lines(policy, snapshot, now).stagesOf(itemId)![0]!
    const { queueId } = world.engine.itemDocument(itemId)!.item
    if (expectedWaitMs === undefined || rangeMs === undefined) return
    const byLine = ((line.ahead + 1) * (line.handlingMs ?? 0)) / line.servers
    const byHead = line.head === undefined ? byLine : line.head.waitMs * line.head.share
    const byLast = (lastWaits.get(queueId) ?? byLine) * (line.head?.share ?? 1)
    const expected = { ours: expectedWaitMs, line: byLine, head: byHead, last: byLast }
    asked.set(itemId, [...(asked.get(itemId) ?? []), { queueId, when, atMs: now, expected, rangeMs, waitMs: 0 }])
  }

  for (const [index, agent] of scenario.staff.entries()) {
    const { agentId } = agent
    world.tell({ type: "agentUpdated", agent }, 0)
    let isOn = false
    const look = (now: number): void => {
      const shouldBe = onDuty?.(index, now) ?? true
      if (shouldBe !== isOn)
        world.tell({ type: "presenceChanged", agentId, status: shouldBe ? "available" : "offline" }, now)
      isOn = shouldBe
    }
    // Who waits at the end is served, too.
    for (let atMs = 0; atMs < (onDuty === undefined ? 1 : 1.5 * untilMs); atMs += 15 * minute) world.plan(atMs, look)
  }

  for (const [index, source] of sources.entries()) {
    const [comes, takes, bears, probes] = [1, 2, 3, 4].map((use) => Random.make(seed, use, index)) as [
      Random.Random,
      Random.Random,
      Random.Random,
      Random.Random
    ]
    const planNext = (now: number): void => {
      for (let atMs = now; ; ) {
        atMs += (Random.exponential(comes) * hour) / source.peakPerHour
        if (atMs >= untilMs) return
        if (comes() >= (source.shareAt?.(atMs) ?? 1)) continue
        world.plan(Math.round(atMs), arrive)
        return
      }
    }
    const arrive = (now: number): void => {
      const itemId = `i${arrived++}`
      const { queueId, priority = 0, patience } = source
      handlings.set(itemId, source.handling(takes))
      const givesUpAfter = patience?.(bears)
      const isAsked = probes() < 1 / 15 && now > untilMs / 10
      const item = WorkItem.make({ itemId, queueId, channelKind: "chat", priority, arrivedAtMs: now })
      world.tell({ type: "itemArrived", item }, now)
      if (waits(itemId) && isAsked) {
        ask(itemId, "on arrival", now)
        world.plan(now + Math.round(5 * minute * Random.exponential(probes)), (at) => {
          if (waits(itemId)) ask(itemId, "while waiting", at)
        })
      } else if (waits(itemId) && givesUpAfter !== undefined)
        world.plan(now + Math.round(givesUpAfter), (at) => {
          if (waits(itemId)) world.tell({ type: "itemRemoved", itemId, reason: "gave_up" }, at)
        })
      planNext(now)
    }
    planNext(0)
  }
  world.run(0, 2 * untilMs)
  return samples
}

interface Errors {
  readonly bias: number
  readonly absolute: number
  readonly rootMeanSquare: number
}

const errorsOf = (samples: ReadonlyArray<Sample>, way: Way): Errors => {
  const mean = (of: (sample: Sample) => number): number =>
    samples.reduce((sum, sample) => sum + of(sample), 0) / samples.length
  const wait = mean(({ waitMs }) => waitMs)
  const error = ({ expected, waitMs }: Sample): number => expected[way] - waitMs
  return {
    bias: mean(error) / wait,
    absolute: mean((sample) => Math.abs(error(sample))) / wait,
    rootMeanSquare: Math.sqrt(mean((sample) => error(sample) ** 2)) / wait
  }
}

const percent = (share: number): string => `${(100 * share).toFixed(0)}%`

const all: Array<{ readonly errors: Readonly<Record<Way, Errors>>; readonly held: number }> = []
for (const scenario of scenarios) {
  const samples = seeds.flatMap((seed) => simulate(quick ? { ...scenario, hours: scenario.hours / 5 } : scenario, seed))
  const groups = Map.groupBy(samples, ({ queueId, when }) =>
    scenario.sources.length > 1 ? `${scenario.name}, ${queueId}, ${when}` : `${scenario.name}, ${when}`
  )
  for (const [name, group] of [...groups].sort(([a], [b]) => (a < b ? -1 : 1))) {
    const errors = Object.fromEntries(ways.map((way) => [way, errorsOf(group, way)])) as Record<Way, Errors>
    const held =
      group.filter(({ rangeMs: [low, high], waitMs }) => low <= waitMs && waitMs <= high).length / group.length
    if (group[0]!.when === "on arrival") all.push({ errors, held })
    if (json) {
      const round = (value: number): number => Number(value.toPrecision(4))
      const line = (what: string, value: number, baseline: number | null) =>
        console.log(
          JSON.stringify({
            name: `${name}: ${what}`,
            value: round(value),
            unit: "share of the mean wait",
            baseline: baseline === null ? null : round(baseline),
            ratio: baseline === null ? null : round(value / baseline)
          })
        )
      line("mean absolute error", errors.ours.absolute, errors.line.absolute)
      line("root mean square error", errors.ours.rootMeanSquare, errors.line.rootMeanSquare)
      line("bias", errors.ours.bias, null)
      console.log(
        JSON.stringify({
          name: `${name}: range holds`,
          value: round(held),
          unit: "share of waits",
          baseline: 0.8,
          ratio: round(held / 0.8)
        })
      )
      continue
    }
    const waitMs = group.reduce((sum, sample) => sum + sample.waitMs, 0) / group.length
    console.log(`${name}: ${group.length} waits of ${(waitMs / minute).toFixed(1)} min, range holds ${percent(held)}`)
    for (const way of ways) {
      const { bias, absolute, rootMeanSquare } = errors[way]
      console.log(
        `    ${way.padEnd(5)} bias ${percent(bias).padStart(5)}  mean absolute ${percent(absolute).padStart(4)}  root mean square ${percent(rootMeanSquare).padStart(4)}`
      )
    }
  }
}
if (!json) {
  console.log("On arrival, mean over the scenarios and worst beside the best of the four in the same scenario:")
  for (const way of ways) {
    const absolute = all.reduce((sum, { errors }) => sum + errors[way].absolute, 0) / all.length
    const worst = Math.max(
      ...all.map(({ errors }) => errors[way].absolute / Math.min(...ways.map((each) => errors[each].absolute)))
    )
    console.log(`    ${way.padEnd(5)} mean absolute ${percent(absolute).padStart(4)}  worst ×${worst.toFixed(2)}`)
  }
  const held = all.map((each) => each.held).sort((a, b) => a - b)
  console.log(
    `    range holds ${percent(held[0]!)} to ${percent(held.at(-1)!)}, median ${percent(held[held.length >> 1]!)}`
  )
}
