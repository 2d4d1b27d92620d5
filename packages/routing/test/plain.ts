import {
  type Capacity,
  type Pool,
  Presence,
  Relaxation,
  Requirement,
  type RoutingPolicy,
  WorkItem
} from "@switchboard/routing"

/** The rules of routing worked out from the documents, the slow and plain way. */

export interface State {
  readonly policy: RoutingPolicy.RoutingPolicy
  readonly items: ReadonlyArray<Pool.PoolItem>
  readonly agents: ReadonlyArray<Pool.PoolAgent>
  readonly now: number
}

export const loadOf = ({ items, agents }: Pick<State, "items" | "agents">, agentId: string): Capacity.Load => {
  const held = items.flatMap(({ item, place }) => (place.kind !== "waiting" && place.agentId === agentId ? [item] : []))
  const ended = agents.find(({ agent }) => agent.agentId === agentId)?.wrapUps ?? []
  return sumOf([...held, ...ended])
}

export const sumOf = (
  work: ReadonlyArray<{ readonly channelKind: string; readonly weight: number }>
): Capacity.Load => {
  const perChannelKind: Record<string, number> = {}
  let units = 0
  for (const { channelKind, weight } of work) {
    units += weight
    perChannelKind[channelKind] = (perChannelKind[channelKind] ?? 0) + weight
  }
  return { units, perChannelKind }
}

/** The rule of which kinds go together, said for a whole load. */
const goesTogether = (capacity: Capacity.Capacity, load: Capacity.Load, channelKind: string): boolean => {
  const others = Object.keys(load.perChannelKind).filter((kind) => kind !== channelKind)
  const alone = capacity.exclusive ?? []
  if (alone.includes(channelKind)) return others.every((kind) => capacity.interruptible?.includes(kind))
  return !others.some((kind) => alone.includes(kind))
}

/** Whether there is room for one more, worked out from the capacity alone. */
export const fits = (capacity: Capacity.Capacity, load: Capacity.Load, { channelKind, weight }: WorkItem.WorkItem) => {
  const limit = capacity.perChannelKind[channelKind] ?? capacity.units
  return (
    load.units + weight <= capacity.units &&
    (load.perChannelKind[channelKind] ?? 0) + weight <= limit &&
    goesTogether(capacity, load, channelKind)
  )
}

const queueOf = ({ policy }: State, queueId: string) => {
  const listed = policy.queues.find((queue) => queue.queueId === queueId)
  return { ...listed, ...policy.helping, ...listed?.helping }
}

/** The table of an item, and what it asks at a step of it. */
export const asksOf = (policy: RoutingPolicy.RoutingPolicy, { item }: Pool.PoolItem) => {
  const queue = policy.queues.find(({ queueId }) => queueId === item.queueId)
  const table = item.relaxation ?? (item.requirement === undefined ? queue?.relaxation : undefined) ?? []
  const first = item.requirement ?? queue?.requirement ?? Requirement.anyone
  return {
    table,
    at: (step: number) => Requirement.resolve(Relaxation.requirementAt(first, table, step), item.attributes)
  }
}

const isAtHome = ({ agent }: Pool.PoolAgent, queueId: string): boolean =>
  agent.homeQueues === undefined || agent.homeQueues.length === 0 || agent.homeQueues.includes(queueId)

const tierAt = ({ item }: Pool.PoolItem, now: number) => WorkItem.tiersOf(item).find(({ untilMs }) => untilMs > now)

export const isOwn = (state: State, agent: Pool.PoolAgent, document: Pool.PoolItem): boolean =>
  isAtHome(agent, document.item.queueId) || tierAt(document, state.now) !== undefined

const meets = (state: State, { agent }: Pool.PoolAgent, document: Pool.PoolItem): boolean =>
  Requirement.isMet(asksOf(state.policy, document).at(document.step ?? 0), agent)

const isFree = (state: State, { agent, presence }: Pool.PoolAgent): boolean =>
  presence.status === "available" && loadOf(state, agent.agentId).units < agent.capacity.units

const waitingIn = ({ items }: State, queueId: string): number =>
  items.filter(({ item, place }) => item.queueId === queueId && place.kind === "waiting").length

const mayHelp = (state: State, agent: Pool.PoolAgent, document: Pool.PoolItem): boolean => {
  const { queueId, channelKind, arrivedAtMs } = document.item
  const { fromLength, afterMs } = queueOf(state, queueId)
  const isAnybodyHome = state.agents.some(
    (other) =>
      isAtHome(other, queueId) &&
      (other.presence.status === "available" || other.presence.status === "busy") &&
      Presence.isOn(other.presence, channelKind) &&
      meets(state, other, document)
  )
  if (waitingIn(state, queueId) < fromLength && isAnybodyHome && state.now - arrivedAtMs < afterMs) return false
  return (agent.agent.homeQueues ?? []).every((home) => {
    const others = state.agents.filter((other) => other !== agent && isAtHome(other, home) && isFree(state, other))
    return others.length >= queueOf(state, home).keepFree
  })
}

/** Whether an agent may be offered a waiting item at this instant. */
export const mayBeOffered = (state: State, agent: Pool.PoolAgent, document: Pool.PoolItem): boolean => {
  const { item, exclusions } = document
  const { agentId, capacity } = agent.agent
  const tier = tierAt(document, state.now)
  return (
    Presence.isAvailable(agent.presence, item.channelKind) &&
    meets(state, agent, document) &&
    fits(capacity, loadOf(state, agentId), item) &&
    !exclusions.some((each) => each.agentId === agentId && each.untilMs > state.now) &&
    (tier === undefined || tier.agents.includes(agentId)) &&
    (isOwn(state, agent, document) || mayHelp(state, agent, document))
  )
}

const rateOf = (state: State, queueId: string): number => {
  const { costPerMinute = 0, handlingMs = 60_000 } = queueOf(state, queueId)
  return costPerMinute / (handlingMs / 60_000)
}

/** One number per rule of the order, the smaller first. */
const valuesOf = (state: State, { item }: Pool.PoolItem, agent: Pool.PoolAgent): ReadonlyArray<number> => {
  const { policy, items, now } = state
  const { queueId } = item
  const due = item.dueAtMs ?? Number.POSITIVE_INFINITY
  const waitMs = now - item.arrivedAtMs
  const unitsOf = (found: ReadonlyArray<Pool.PoolItem>) =>
    found.reduce((sum, each) => sum + (each.place.kind === "waiting" ? 0 : each.item.weight), 0)
  return policy.order.map((rule): number => {
    switch (rule.by) {
      case "priority":
        return -item.priority
      case "age":
        return -waitMs
      case "agedPriority":
        return (item.arrivedAtMs * rule.pointsPerMinute) / 60_000 - item.priority
      case "earliestDue":
        return due
      case "leastSlack":
        return due - (item.handlingMs ?? queueOf(state, queueId).handlingMs ?? 0)
      case "queueCost":
        return rule.cost === "flat" ? -rateOf(state, queueId) : rateOf(state, queueId) * -waitMs
      case "queueShares": {
        const shares = policy.queues.reduce((sum, { share = 0 }) => sum + share, 0) || 1
        const part = unitsOf(items.filter((each) => each.item.queueId === queueId)) / (unitsOf(items) || 1)
        return part - (queueOf(state, queueId).share ?? 0) / shares
      }
      case "longestQueue":
        return -waitingIn(state, queueId)
      case "score": {
        const { credit = 0, pointsPerMinute = 0 } = rule.queues.find((each) => each.queueId === queueId) ?? {}
        const bonuses = rule.bonuses
          .filter((each) => each.queueId === queueId && agent.agent.homeQueues?.includes(each.homeQueueId))
          .map(({ points }) => points)
        return (pointsPerMinute * -waitMs) / 60_000 - credit - (bonuses.length === 0 ? 0 : Math.max(...bonuses))
      }
    }
  })
}

/** Whether an agent is served one item before another, among those they may be offered. */
export const before = (state: State, agent: Pool.PoolAgent, a: Pool.PoolItem, b: Pool.PoolItem): boolean => {
  if (isOwn(state, agent, a) !== isOwn(state, agent, b)) return isOwn(state, agent, a)
  const [left, right] = [valuesOf(state, a, agent), valuesOf(state, b, agent)]
  const at = left.findIndex((value, index) => value !== right[index])
  return at < 0 ? a.item.itemId < b.item.itemId : left[at]! < right[at]!
}
