/**
 * The engine beside a straightforward scan of every waiting item and every agent, and beside the bare cost of the map and heap
 * operations it can't do without, in the same run.
 *
 *     node --conditions=@switchboard/source bench/routing.bench.ts [--json] [--quick] [--only <words of a name>]
 *
 * Full load: every agent holds what they can and many items wait. One round is four signals: an item ends, which offers
 * the next one; that offer is accepted; a new item arrives; one waiting item's contact gives up. On a shared machine compare
 * only figures of one run; the processor time of one signal suffers less from others than the signals per second.
 */
import { Capacity, Requirement, RoutingAgent, RoutingEngine, RoutingPolicy, WorkItem } from "@switchboard/routing"
import { KeyedHeap } from "../src/internal/KeyedHeap.ts"
import { Matching } from "../src/internal/Matching.ts"

const json = process.argv.includes("--json")
const quick = process.argv.includes("--quick")
const only = process.argv[process.argv.indexOf("--only") + 1]!
const isWanted = (name: string): boolean => !process.argv.includes("--only") || name.includes(only)

const report = (name: string, value: number, unit: string, baseline?: number): void => {
  const round = (number: number): number => Number(number.toPrecision(4))
  const ratio = baseline === undefined ? null : round(value / baseline)
  if (json)
    console.log(
      JSON.stringify({
        name,
        value: round(value),
        unit,
        baseline: baseline === undefined ? null : round(baseline),
        ratio
      })
    )
  else
    console.log(
      `${name.padEnd(58)} ${round(value).toLocaleString("en").padStart(12)} ${unit}${ratio === null ? "" : `  (scan ${round(baseline!).toLocaleString("en")}, ×${ratio})`}`
    )
}

/** A small deterministic generator (mulberry32), so that every run does the same. */
const random = (seed: number) => {
  let state = seed
  return (below: number): number => {
    state = (state + 0x6d2b79f5) | 0
    let mixed = Math.imul(state ^ (state >>> 15), state | 1)
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61)
    return ((mixed ^ (mixed >>> 14)) >>> 0) % below
  }
}

interface Load {
  readonly name: string
  readonly agents: number
  readonly queues: number
  readonly waiting: number
  readonly policy?: Partial<RoutingPolicy.RoutingPolicy>
  /** Every queue relaxes, one row after a minute. */
  readonly isRelaxing?: boolean
  /** So many of a hundred items prefer an agent for a minute. */
  readonly preferring?: number
  /** Every agent has two home queues. */
  readonly isHomed?: boolean
}

const asks = (index: number) => Requirement.skill(`s${index % 32}`, 1 + (index % 3))

const policyFor = ({ queues, policy, isRelaxing }: Load): RoutingPolicy.RoutingPolicy =>
  RoutingPolicy.make({
    queues: Array.from({ length: queues }, (_, index) => ({
      queueId: `q${index}`,
      requirement: asks(index),
      handlingMs: 60_000 * (1 + (index % 5)),
      costPerMinute: 1 + (index % 3),
      share: 1 + (index % 2),
      ...(isRelaxing && { relaxation: [{ afterMs: 60_000, requirement: Requirement.skill(`s${index % 32}`) }] })
    })),
    order: [{ by: "agedPriority", pointsPerMinute: 1 }, { by: "age" }],
    awayAfterMissed: null,
    ...policy
  })

const agentFor = (
  index: number,
  { queues, isHomed }: Load,
  pick: (below: number) => number
): RoutingAgent.RoutingAgent =>
  RoutingAgent.make({
    agentId: `a${index}`,
    skills: Object.fromEntries(Array.from({ length: 6 }, () => [`s${pick(32)}`, 1 + pick(3)])),
    capacity: Capacity.make(3, { call: 1 }),
    ...(isHomed && { homeQueues: [`q${pick(queues)}`, `q${pick(queues)}`] })
  })

/** One text per queue, as a store would give them: not a new one per item. */
const queueIds = Array.from({ length: 1024 }, (_, index) => `q${index}`)

const itemFor = (index: number, load: Load, now: number, pick: (below: number) => number): WorkItem.WorkItem =>
  WorkItem.make({
    itemId: `i${index}`,
    queueId: queueIds[pick(load.queues)]!,
    channelKind: "chat",
    priority: pick(4),
    arrivedAtMs: now,
    ...(pick(100) < (load.preferring ?? 0) && {
      preferredAgent: `a${pick(load.agents)}`,
      preferredUntilMs: now + 60_000
    })
  })

interface Figures {
  readonly signalsPerSecond: number
  readonly cpuMicros: number
  readonly p99Micros: number
  readonly bytesPerItem: number
  readonly restoreMs: number
}

const collect = (): number => {
  ;(globalThis as { gc?: () => void }).gc?.()
  return process.memoryUsage().heapUsed
}

const engineFigures = (load: Load, rounds: number): Figures => {
  const { agents, waiting } = load
  const pick = random(7)
  const policy = policyFor(load)
  const engine = RoutingEngine.make(policy)
  let now = 1_760_000_000_000
  let arrived = 0
  const held: Array<{ itemId: string; agentId: string }> = []
  for (let index = 0; index < agents; index++) {
    const agent = agentFor(index, load, pick)
    engine.apply({ type: "agentUpdated", agent }, now)
    engine.apply({ type: "presenceChanged", agentId: agent.agentId, status: "available" }, now)
  }
  const before = collect()
  const accept = (decisions: ReturnType<typeof engine.apply>): void => {
    for (const decision of decisions)
      if (decision.type === "offerMade") {
        const { offerId, agentId, itemId } = decision
        engine.apply({ type: "offerAccepted", requestId: offerId, offerId, agentId }, now)
        held.push({ itemId, agentId })
      }
  }
  const alive: Array<string> = []
  const arrive = (): ReturnType<typeof engine.apply> => {
    const item = itemFor(arrived++, load, ++now, pick)
    alive.push(item.itemId)
    return engine.apply({ type: "itemArrived", item }, now)
  }
  while (arrived < waiting + held.length) accept(arrive())
  engine.takeChanged()
  const bytesPerItem = (collect() - before) / arrived

  const micros: Array<number> = []
  let signals = 0
  const timed = <A>(run: () => A): A => {
    const start = performance.now()
    const result = run()
    micros.push((performance.now() - start) * 1000)
    signals++
    return result
  }
  const start = performance.now()
  const cpuStart = process.cpuUsage()
  for (let round = 0; round < rounds; round++) {
    now++
    const at = pick(held.length)
    const ended = held[at]!
    held[at] = held.at(-1)!
    held.pop()
    const decisions = timed(() => engine.apply({ type: "itemReleased", ...ended, next: "leave" }, now))
    for (const decision of decisions)
      if (decision.type === "offerMade") {
        const { offerId, agentId, itemId } = decision
        timed(() => engine.apply({ type: "offerAccepted", requestId: offerId, offerId, agentId }, now))
        held.push({ itemId, agentId })
      }
    timed(arrive)
    const gone = alive[pick(alive.length)]!
    if (engine.itemDocument(gone)?.place.kind === "waiting")
      timed(() => engine.apply({ type: "itemRemoved", itemId: gone }, now))
    engine.takeChanged()
  }
  const seconds = (performance.now() - start) / 1000
  const { user, system } = process.cpuUsage(cpuStart)
  const snapshot = engine.snapshot()
  const restoreStart = performance.now()
  RoutingEngine.restore(policy, snapshot).apply({ type: "tick" }, now)
  const restoreMs = performance.now() - restoreStart
  micros.sort((a, b) => a - b)
  return {
    signalsPerSecond: signals / seconds,
    cpuMicros: (user + system) / signals,
    p99Micros: micros[Math.floor(micros.length * 0.99)]!,
    bytesPerItem,
    restoreMs
  }
}

/** The matcher alone: who gets what, without offers, timers, decisions and documents. Three events per round. */
const matcherFigures = (load: Load, rounds: number): number => {
  const pick = random(7)
  const matcher = new Matching(policyFor(load))
  const { supply, demand } = matcher
  let now = 1_760_000_000_000
  for (let index = 0; index < load.agents; index++) {
    const agent = agentFor(index, load, pick)
    const presence = { status: "available" as const, sinceMs: now }
    demand.setAgent(supply.add({ agent, presence, idleSinceMs: now, missed: 0 }), agent)
  }
  let arrived = 0
  const held: Array<ReturnType<typeof demand.addItem>> = []
  const arrive = (): void => {
    const item = itemFor(arrived++, load, ++now, pick)
    const entry = demand.addItem(item, demand.queueOf(item.queueId), 0)
    demand.enqueue(entry)
    const match = matcher.agentFor(entry, now)
    if (typeof match !== "string") give(entry, match.agent)
  }
  const give = (entry: (typeof held)[number], agent: Parameters<typeof demand.give>[1]): void => {
    demand.dequeue(entry)
    demand.give(entry, agent, { kind: "assigned", agentId: agent.agentId, sinceMs: now })
    held.push(entry)
  }
  while (arrived < load.waiting + held.length) arrive()
  const start = performance.now()
  for (let round = 0; round < rounds; round++) {
    const at = pick(held.length)
    const ended = held[at]!
    held[at] = held.at(-1)!
    held.pop()
    const agent = demand.take(ended)
    demand.removeItem(ended)
    const match = matcher.itemFor(agent, now)
    if (match !== undefined) give(match.entry, agent)
    arrive()
  }
  return (rounds * 2) / ((performance.now() - start) / 1000)
}

/** What the engine can't do without, per round: six looks into a map of that size by id, a push to and two removals from a heap. */
const bareFigures = ({ queues, waiting }: Load, rounds: number): number => {
  const pick = random(7)
  interface Entry {
    readonly id: string
    slot: number
  }
  const map = new Map<string, Entry>()
  const heaps = Array.from({ length: queues }, () => new KeyedHeap<Entry>(2, (a, b) => a.id < b.id))
  const row = new Float64Array(2)
  const alive: Array<Entry> = []
  let next = 0
  const arrive = (): void => {
    const entry = { id: `i${next++}`, slot: -1 }
    row[0] = next - pick(4) * 60_000
    row[1] = next
    map.get(entry.id)
    map.set(entry.id, entry)
    heaps[next % queues]!.push(entry, row)
    alive.push(entry)
  }
  const leave = (entry: Entry): void => {
    map.get(entry.id)
    map.delete(entry.id)
    heaps[(Number(entry.id.slice(1)) + 1) % queues]!.remove(entry)
  }
  while (next < waiting) arrive()
  const start = performance.now()
  for (let round = 0; round < rounds; round++) {
    for (let times = 0; times < 2; times++) {
      const at = pick(alive.length)
      leave(alive[at]!)
      alive[at] = alive.at(-1)!
      alive.pop()
      arrive()
    }
  }
  return (rounds * 4) / ((performance.now() - start) / 1000)
}

/** The same rules the plain way: whenever something happens, look at every waiting item and every agent. */
const scanFigures = (load: Load, rounds: number): number => {
  const { agents, waiting } = load
  const pick = random(7)
  const policy = policyFor(load)
  const requirementOf = new Map(policy.queues.map(({ queueId, requirement }) => [queueId, requirement]))
  const pool = Array.from({ length: agents }, (_, index) => ({
    profile: agentFor(index, load, pick),
    used: 3,
    idleSince: 0
  }))
  let now = 1_760_000_000_000
  let arrived = 0
  const items: Array<WorkItem.WorkItem> = []
  for (; arrived < waiting; arrived++) items.push(itemFor(arrived, load, ++now, pick))
  const score = (item: WorkItem.WorkItem): number => item.priority + (now - item.arrivedAtMs) / 60_000
  const match = (): void => {
    let best: WorkItem.WorkItem | undefined
    let chosen: (typeof pool)[number] | undefined
    const free = pool.filter(({ used, profile }) => used < profile.capacity.units)
    if (free.length === 0) return
    for (const item of items) {
      if (best !== undefined && score(item) <= score(best)) continue
      const requirement = requirementOf.get(item.queueId)!
      const able = free.filter(({ profile }) => Requirement.isMet(requirement, profile))
      if (able.length === 0) continue
      best = item
      chosen = able.reduce((a, b) => (b.idleSince < a.idleSince ? b : a))
    }
    if (best === undefined) return
    items.splice(items.indexOf(best), 1)
    chosen!.used++
  }
  const start = performance.now()
  for (let round = 0; round < rounds; round++) {
    now++
    const agent = pool[pick(agents)]!
    agent.used--
    agent.idleSince = now
    match()
    items.push(itemFor(arrived++, load, now, pick))
    match()
    items.splice(pick(items.length), 1)
  }
  // An accept costs the scan nothing, and counts all the same.
  return (rounds * 4) / ((performance.now() - start) / 1000)
}

const by = (name: string, more: Partial<Load> = {}): Load => ({
  name,
  agents: 1000,
  queues: 64,
  waiting: 100_000,
  ...more
})

const loads: ReadonlyArray<Load> = quick
  ? [
      by("small", { agents: 100, queues: 16, waiting: 1000 }),
      by("small, relaxing", { agents: 100, queues: 16, waiting: 1000, isRelaxing: true }),
      by("small, helping", { agents: 100, queues: 16, waiting: 1000, isHomed: true })
    ]
  : [
      by("1000 agents, 64 classes, 1000 waiting", { waiting: 1000 }),
      by("1000 agents, 64 classes, 10000 waiting", { waiting: 10_000 }),
      by("1000 agents, 64 classes, 100000 waiting"),
      by("1000 agents, 64 classes, 1000000 waiting", { waiting: 1_000_000 }),
      by("1000 agents, 256 classes, 100000 waiting", { queues: 256 }),
      by("10000 agents, 64 classes, 1000000 waiting", { agents: 10_000, waiting: 1_000_000 }),
      by("every queue relaxes", { isRelaxing: true }),
      by("5 in 100 prefer an agent", { preferring: 5 }),
      by("home queues and help", { isHomed: true }),
      by("growing cost, then age", { policy: { order: [{ by: "queueCost", cost: "growing" }, { by: "age" }] } }),
      by("shares, then longest queue, then age", {
        policy: { order: [{ by: "queueShares" }, { by: "longestQueue" }, { by: "age" }] }
      })
    ]

// Until everything is compiled.
engineFigures(by("warm", { agents: 100, waiting: 1000 }), quick ? 5000 : 50_000)
for (const load of loads.filter(({ name }) => isWanted(name))) {
  const { name, waiting } = load
  const figures = engineFigures(load, quick ? 2000 : 50_000)
  const scan = scanFigures(load, Math.max(10, Math.min(2000, Math.floor(20_000_000 / waiting / 100))))
  report(`${name}: signals`, figures.signalsPerSecond, "signals/s", scan)
  report(`${name}: bare maps and heaps`, bareFigures(load, quick ? 2000 : 50_000), "signals/s")
  report(`${name}: matcher alone`, matcherFigures(load, quick ? 2000 : 50_000), "events/s")
  report(`${name}: processor time of one signal`, figures.cpuMicros, "µs")
  report(`${name}: p99 of one signal`, figures.p99Micros, "µs")
  if ("gc" in globalThis) report(`${name}: memory`, figures.bytesPerItem, "bytes/item")
  report(`${name}: restore from documents`, figures.restoreMs, "ms")
}
