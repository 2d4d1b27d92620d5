import * as Capacity from "../../Capacity.ts"
import type { Line } from "../../ExpectedWait.ts"
import type { PoolAgent, PoolItem, Snapshot } from "../../Pool.ts"
import { isOn } from "../../Presence.ts"
import { requirementAt, stepAt } from "../../Relaxation.ts"
import { anyone, isMet, type Requirement, resolve, toKey } from "../../Requirement.ts"
import * as RoutingEngine from "../../RoutingEngine.ts"
import type { RoutingPolicy } from "../../RoutingPolicy.ts"
import { tiersOf, type WorkItem } from "../../WorkItem.ts"
import type { WorkQueue } from "../../WorkQueue.ts"

/** Agents may take it from this instant on, for as long as nothing changes. */
export interface Stage {
  readonly inMs: number
  readonly line: Line
}

/** Agents on duty, with what they have room for. */
interface Duty {
  readonly document: PoolAgent
  readonly load: { units: number; readonly perChannelKind: Record<string, number> }
}

/** Items that anybody who may take one may take as well, and that are served by age. */
interface Class {
  readonly duties: ReadonlySet<Duty>
  readonly servers: number
  readonly weight: number
  readonly sample: WorkItem
  /** The places of its waiting items in the order, rising. */
  readonly places: Array<number>
}

/** Sorts behind every name, for what comes later. */
const later = "\uffff"

const isPlaced = ({ place }: PoolItem): boolean => place.kind !== "waiting"

const mean = (values: ReadonlyArray<number>): number | undefined =>
  values.length === 0 ? undefined : values.reduce((sum, value) => sum + value, 0) / values.length

/** How many of rising numbers lie below one. */
const countBelow = (rising: ReadonlyArray<number>, limit: number): number => {
  let low = 0
  let high = rising.length
  while (low < high) {
    const middle = (low + high) >> 1
    if (rising[middle]! < limit) low = middle + 1
    else high = middle
  }
  return low
}

/** What decides the place of an item that comes now. */
const kindOf = ({ itemId: _id, arrivedAtMs, dueAtMs, ...rest }: WorkItem): string =>
  JSON.stringify([dueAtMs === undefined ? null : dueAtMs - arrivedAtMs, rest])

/** Reads from a pool's documents how long the lines are and who works them off. */
export class Lines {
  readonly #now: number
  readonly #queues: ReadonlyMap<string, WorkQueue>
  readonly #items: ReadonlyMap<string, PoolItem>
  readonly #placed: ReadonlyArray<PoolItem>
  readonly #duties: ReadonlyMap<string, Duty>
  readonly #placeOf = new Map<string, number>()
  /** Where another item like one that agents have at hand would stand if it came now. */
  readonly #overtakers: ReadonlyMap<string, number>
  readonly #classes = new Map<string, Class>()
  readonly #measured = new Map<string | undefined, number | undefined>()

  constructor(policy: RoutingPolicy, snapshot: Snapshot, now: number) {
    this.#now = now
    this.#queues = new Map(policy.queues.map((queue) => [queue.queueId, queue]))
    this.#items = new Map(snapshot.items.map((document) => [document.item.itemId, document]))
    this.#placed = snapshot.items.filter(isPlaced)
    const duties = new Map<string, Duty>()
    for (const document of snapshot.agents)
      if (document.presence.status === "available" || document.presence.status === "busy")
        duties.set(document.agent.agentId, { document, load: { units: 0, perChannelKind: {} } })
    for (const { item, place } of this.#placed) {
      const load = place.kind === "waiting" ? undefined : duties.get(place.agentId)?.load
      if (load === undefined) continue
      load.units += item.weight
      load.perChannelKind[item.channelKind] = (load.perChannelKind[item.channelKind] ?? 0) + item.weight
    }
    for (const { document, load } of duties.values())
      for (const { channelKind, weight } of document.wrapUps ?? []) {
        load.units += weight
        load.perChannelKind[channelKind] = (load.perChannelKind[channelKind] ?? 0) + weight
      }
    this.#duties = duties
    // The engine's own order. What agents have at hand stands in it once more, as if the like of it came now.
    const first = snapshot.items.reduce((at, each) => (isPlaced(each) ? at : Math.min(at, each.item.arrivedAtMs)), now)
    const soon = now + Math.round((now - first) / 2)
    const ghosts = new Map<string, WorkItem>()
    const ghostOf = this.#placed.map(({ item }): readonly [string, string] => {
      const kind = kindOf(item)
      const known = ghosts.get(kind) ?? { ...item, itemId: `${later}${item.itemId}`, arrivedAtMs: soon }
      if (item.dueAtMs !== undefined) known.dueAtMs = soon + item.dueAtMs - item.arrivedAtMs
      ghosts.set(kind, known)
      return [item.itemId, known.itemId]
    })
    const comingNow = [...ghosts.values()].map(
      (item): PoolItem => ({ item, place: { kind: "waiting" }, offersMade: 0, exclusions: [] })
    )
    const trial = RoutingEngine.restore(policy, { ...snapshot, items: [...snapshot.items, ...comingNow] })
    for (const [place, item] of trial.waiting(Number.POSITIVE_INFINITY, now).entries()) {
      this.#placeOf.set(item.itemId, place)
      if (!item.itemId.startsWith(later)) this.#classOf(this.#items.get(item.itemId)!).places.push(place)
    }
    this.#overtakers = new Map(ghostOf.map(([itemId, ghostId]) => [itemId, this.#placeOf.get(ghostId)!]))
  }

  /** When which agents may take an item, each with the line before it; undefined when it doesn't wait. */
  stagesOf(itemId: string): ReadonlyArray<Stage> | undefined {
    const document = this.#items.get(itemId)
    if (document === undefined || isPlaced(document)) return undefined
    const { item, step = 0 } = document
    const table = this.#tableOf(item)
    const ageMs = this.#now - item.arrivedAtMs
    const instants = [
      0,
      ...tiersOf(item).map(({ untilMs }) => untilMs - this.#now),
      ...table.map(({ afterMs }) => afterMs - ageMs)
    ]
    const rising = [...new Set(instants.filter((inMs) => inMs >= 0))].sort((a, b) => a - b)
    return rising.map((inMs) => {
      const tier = tiersOf(item).find(({ untilMs }) => untilMs - this.#now > inMs)?.agents
      const who = (at: number) => this.#whoMay(item, this.#requirementOf(item, at), tier, document)
      let at = Math.max(step, stepAt(table, ageMs + inMs))
      let duties = who(at)
      while (duties.size === 0 && at < table.length && table[at - 1]?.skipIf !== undefined) duties = who(++at)
      return { inMs, line: this.#lineOf(document, duties) }
    })
  }

  #lineOf({ item }: PoolItem, duties: ReadonlySet<Duty>): Line {
    const place = this.#placeOf.get(item.itemId)!
    const servers = this.#serversOf(duties, item)
    let ahead = 0
    let positionInLine = 1
    let aheadMs = 0
    for (const rival of this.#classes.values()) {
      const before = countBelow(rival.places, place)
      if (before === 0) continue
      let shared = 0
      for (const duty of rival.duties) if (duties.has(duty)) shared += this.#slotsOf(duty, rival.sample)
      if (shared === 0) continue
      positionInLine += before
      const work = (before * shared * rival.weight) / (rival.servers * item.weight)
      ahead += work
      aheadMs += work * (this.#handlingOf(rival.sample) ?? 0)
    }
    const atWork = this.#placed.filter(({ place: at }) => {
      const holder = at.kind === "waiting" ? undefined : this.#duties.get(at.agentId)
      return holder !== undefined && duties.has(holder)
    })
    let units = 0
    for (const duty of duties) units += duty.document.agent.capacity.units
    let overtaking = 0
    for (const { item: other } of atWork) if (this.#overtakers.get(other.itemId)! < place) overtaking += other.weight
    // What agents take up again goes by rates: the mean of rates, where each lasts as long as it takes, is that of what comes.
    const rate = mean(atWork.map(({ item: other }) => 1 / (this.#handlingOf(other) ?? Number.POSITIVE_INFINITY)))
    const own = rate === undefined || rate === 0 ? this.#handlingOf(item) : 1 / rate
    const next = Math.min(servers, ahead + 1)
    const handlingMs =
      own === undefined || ahead + 1 <= servers || aheadMs === 0
        ? own
        : (own * next + (aheadMs / ahead) * (ahead + 1 - next)) / (ahead + 1)
    return {
      positionInLine,
      ahead,
      servers,
      room: this.#roomOf(duties, item),
      ...(handlingMs !== undefined && { handlingMs, isMeasured: this.#statedOf(item) === undefined }),
      overtaking: units === 0 ? 0 : Math.min(1, overtaking / units),
      ...this.#headOf(item, place)
    }
  }

  /** The first of the items like it that wait. */
  #headOf(item: WorkItem, place: number): Pick<Line, "head"> {
    const isLike = (other: WorkItem): boolean =>
      other.queueId === item.queueId &&
      other.channelKind === item.channelKind &&
      other.priority === item.priority &&
      other.weight === item.weight
    let first: WorkItem = item
    let before = 0
    let all = 0
    for (const { item: other, place: at } of this.#items.values()) {
      if (at.kind !== "waiting" || !isLike(other)) continue
      all++
      const otherPlace = this.#placeOf.get(other.itemId)!
      if (otherPlace < place) before++
      if (otherPlace < this.#placeOf.get(first.itemId)!) first = other
    }
    if (first === item) return {}
    return { head: { waitMs: Math.max(0, this.#now - first.arrivedAtMs), share: (before + 1) / all } }
  }

  #classOf({ item, step = 0 }: PoolItem): Class {
    const tier = tiersOf(item).find(({ untilMs }) => untilMs > this.#now)?.agents
    const asked = this.#requirementOf(item, Math.max(step, stepAt(this.#tableOf(item), this.#now - item.arrivedAtMs)))
    const key = JSON.stringify([item.queueId, item.channelKind, item.weight, item.handlingMs, tier, toKey(asked)])
    const known = this.#classes.get(key)
    if (known !== undefined) return known
    const duties = this.#whoMay(item, asked, tier)
    const made = { duties, servers: this.#serversOf(duties, item), weight: item.weight, sample: item, places: [] }
    this.#classes.set(key, made)
    return made
  }

  #tableOf(item: WorkItem) {
    return (
      item.relaxation ?? (item.requirement === undefined ? this.#queues.get(item.queueId)?.relaxation : undefined) ?? []
    )
  }

  #requirementOf(item: WorkItem, step: number): Requirement {
    const own = item.requirement ?? this.#queues.get(item.queueId)?.requirement ?? anyone
    return resolve(requirementAt(own, this.#tableOf(item), step), item.attributes)
  }

  /** The agents on duty who may take it: those at home in its queue, or all when nobody is. */
  #whoMay(
    { queueId, channelKind, weight }: WorkItem,
    asked: Requirement,
    reservedFor: ReadonlyArray<string> | undefined,
    document?: PoolItem
  ): ReadonlySet<Duty> {
    const able = [...this.#duties.values()].filter(
      ({ document: { agent, presence } }) =>
        isOn(presence, channelKind) &&
        (reservedFor?.includes(agent.agentId) ?? true) &&
        Math.min(agent.capacity.units, Capacity.limitOf(agent.capacity, channelKind)) >= weight &&
        isMet(asked, agent)
    )
    const asleep = new Set(
      document?.exclusions.filter(({ untilMs }) => untilMs > this.#now).map(({ agentId }) => agentId)
    )
    const willing = able.filter(({ document: { agent } }) => !asleep.has(agent.agentId))
    const left = willing.length === 0 ? able : willing
    const home = left.filter(({ document: { agent } }) => agent.homeQueues?.includes(queueId) ?? true)
    return new Set(home.length === 0 ? left : home)
  }

  #slotsOf({ document: { agent } }: Duty, { channelKind, weight }: WorkItem): number {
    return Math.floor(Math.min(agent.capacity.units, Capacity.limitOf(agent.capacity, channelKind)) / weight)
  }

  #serversOf(duties: ReadonlySet<Duty>, item: WorkItem): number {
    let servers = 0
    for (const duty of duties) servers += this.#slotsOf(duty, item)
    return servers
  }

  #roomOf(duties: ReadonlySet<Duty>, { channelKind, weight }: WorkItem): number {
    let room = 0
    for (const { document, load } of duties) {
      const { capacity } = document.agent
      if (Capacity.exceeded(capacity, load, channelKind, weight) !== undefined) continue
      const units = capacity.units - load.units
      const ofKind = Capacity.limitOf(capacity, channelKind) - (load.perChannelKind[channelKind] ?? 0)
      if (document.presence.status === "available") room += Math.max(0, Math.floor(Math.min(units, ofKind) / weight))
    }
    return room
  }

  /** What is said of how long it takes; nothing takes no time at all. */
  #statedOf(item: WorkItem): number | undefined {
    return (item.handlingMs || undefined) ?? this.#queues.get(item.queueId)?.handlingMs
  }

  #handlingOf(item: WorkItem): number | undefined {
    return this.#statedOf(item) ?? this.#measuredOf(item.queueId) ?? this.#measuredOf(undefined)
  }

  /** How long work in progress has taken so far: on average as long as it takes in all, if it ends at any moment as likely. */
  #measuredOf(queueId: string | undefined): number | undefined {
    if (!this.#measured.has(queueId)) {
      const ages = this.#placed.flatMap(({ item, place }) =>
        place.kind === "assigned" && (queueId === undefined || item.queueId === queueId)
          ? [this.#now - place.sinceMs]
          : []
      )
      this.#measured.set(queueId, mean(ages) || undefined)
    }
    return this.#measured.get(queueId)
  }
}
