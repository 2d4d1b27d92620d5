/**
 * The engine beside a straightforward scan of every waiting item and every agent, in the same run.
 *
 *     node --conditions=@switchboard/source bench/routing.bench.ts [--json] [--quick]
 *
 * Full load: every agent holds what they can and many items wait. One round is four signals: an item ends, which offers
 * the next one; that offer is accepted; a new item arrives; one waiting item's contact gives up.
 */
import { Capacity, Requirement, RoutingAgent, RoutingEngine, RoutingPolicy, WorkItem } from "@switchboard/routing"

const json = process.argv.includes("--json")
const quick = process.argv.includes("--quick")

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

const policyFor = (queues: number): RoutingPolicy.RoutingPolicy =>
  RoutingPolicy.make({
    queues: Array.from({ length: queues }, (_, index) => ({
      queueId: `q${index}`,
      requirement: Requirement.skill(`s${index % 32}`, 1 + (index % 3))
    })),
    order: [{ by: "agedPriority", pointsPerMinute: 1 }, { by: "age" }],
    awayAfterMissed: null
  })

const agentFor = (index: number, pick: (below: number) => number): RoutingAgent.RoutingAgent =>
  RoutingAgent.make({
    agentId: `a${index}`,
    skills: Object.fromEntries(Array.from({ length: 6 }, () => [`s${pick(32)}`, 1 + pick(3)])),
    capacity: Capacity.make(3, { call: 1 })
  })

const itemFor = (index: number, queues: number, now: number, pick: (below: number) => number): WorkItem.WorkItem =>
  WorkItem.make({
    itemId: `i${index}`,
    queueId: `q${pick(queues)}`,
    channelKind: "chat",
    priority: pick(4),
    arrivedAtMs: now
  })

interface Figures {
  readonly signalsPerSecond: number
  readonly p99Micros: number
  readonly bytesPerItem: number
  readonly restoreMs: number
}

const collect = (): number => {
  ;(globalThis as { gc?: () => void }).gc?.()
  return process.memoryUsage().heapUsed
}

const engineFigures = (agents: number, queues: number, waiting: number, rounds: number): Figures => {
  const pick = random(7)
  const policy = policyFor(queues)
  const engine = RoutingEngine.make(policy)
  let now = 1_760_000_000_000
  let arrived = 0
  const held: Array<{ itemId: string; agentId: string }> = []
  for (let index = 0; index < agents; index++) {
    const agent = agentFor(index, pick)
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
    const item = itemFor(arrived++, queues, ++now, pick)
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
  const snapshot = engine.snapshot()
  const restoreStart = performance.now()
  RoutingEngine.restore(policy, snapshot).apply({ type: "tick" }, now)
  const restoreMs = performance.now() - restoreStart
  micros.sort((a, b) => a - b)
  return {
    signalsPerSecond: signals / seconds,
    p99Micros: micros[Math.floor(micros.length * 0.99)]!,
    bytesPerItem,
    restoreMs
  }
}

/** The same rules the plain way: whenever something happens, look at every waiting item and every agent. */
const scanFigures = (agents: number, queues: number, waiting: number, rounds: number): number => {
  const pick = random(7)
  const policy = policyFor(queues)
  const requirementOf = new Map(policy.queues.map(({ queueId, requirement }) => [queueId, requirement]))
  const pool = Array.from({ length: agents }, (_, index) => ({ profile: agentFor(index, pick), used: 3, idleSince: 0 }))
  let now = 1_760_000_000_000
  let arrived = 0
  const items: Array<WorkItem.WorkItem> = []
  for (; arrived < waiting; arrived++) items.push(itemFor(arrived, queues, ++now, pick))
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
    items.push(itemFor(arrived++, queues, now, pick))
    match()
    items.splice(pick(items.length), 1)
  }
  // An accept costs the scan nothing, and counts all the same.
  return (rounds * 4) / ((performance.now() - start) / 1000)
}

const scenarios = quick
  ? [{ agents: 100, queues: 16, waiting: 1000 }]
  : [
      { agents: 1000, queues: 64, waiting: 1000 },
      { agents: 1000, queues: 64, waiting: 10_000 },
      { agents: 1000, queues: 64, waiting: 100_000 },
      { agents: 1000, queues: 256, waiting: 100_000 },
      { agents: 10_000, queues: 64, waiting: 1_000_000 }
    ]

for (const { agents, queues, waiting } of scenarios) {
  const name = `${agents} agents, ${queues} classes, ${waiting} waiting`
  engineFigures(Math.min(agents, 100), queues, 1000, 5000)
  const figures = engineFigures(agents, queues, waiting, quick ? 2000 : 50_000)
  const scan = scanFigures(
    agents,
    queues,
    waiting,
    Math.max(10, Math.min(2000, Math.floor(20_000_000 / waiting / 100)))
  )
  report(`${name}: signals`, figures.signalsPerSecond, "signals/s", scan)
  report(`${name}: p99 of one signal`, figures.p99Micros, "µs")
  if ("gc" in globalThis) report(`${name}: memory`, figures.bytesPerItem, "bytes/item")
  report(`${name}: restore from documents`, figures.restoreMs, "ms")
}
