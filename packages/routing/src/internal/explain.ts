import { limitOf } from "../Capacity.ts"
import type { AgentExplanation, AgentView, ItemExplanation, Obstacle, Standing } from "../Explanation.ts"
import * as Overtaking from "../Overtaking.ts"
import { isOn } from "../Presence.ts"
import { unmet } from "../Requirement.ts"
import { tiersOf } from "../WorkItem.ts"
import { type AgentEntry, type ItemEntry, isOwnWork } from "./Entries.ts"
import { inOrder } from "./KeyedHeap.ts"
import type { Matching } from "./Matching.ts"

/** What about the agent keeps them from being offered the item now. */
const ownObstacles = ({ supply }: Matching, agent: AgentEntry, { item }: ItemEntry): Array<Obstacle> => {
  const { presence, profile, wrapUps } = agent
  const { channelKind } = item
  const obstacles: Array<Obstacle> = []
  const { status, reason } = presence
  if (status !== "available") obstacles.push({ kind: "presence", status, ...(reason !== undefined && { reason }) })
  if (!isOn(presence, channelKind)) obstacles.push({ kind: "channelOff", channelKind })
  const limit = supply.limitFor(agent, item)
  if (limit === undefined) return obstacles
  const load = supply.loadOf(agent)
  const [used, allowed] =
    limit === "channelKind"
      ? [load.perChannelKind[channelKind] ?? 0, limitOf(profile.capacity, channelKind)]
      : [load.units, profile.capacity.units]
  const untilMs = limit === "wrapUp" ? Math.min(...wrapUps.map((each) => each.untilMs)) : undefined
  obstacles.push({ kind: "capacity", limit, used, allowed, ...(untilMs !== undefined && { untilMs }) })
  return obstacles
}

/** What about helping keeps the item from this agent now. */
const helpObstacles = (
  { help, supply }: Matching,
  agent: AgentEntry,
  entry: ItemEntry,
  now: number
): Array<Obstacle> => {
  const { item, line, place } = entry
  if (place.kind !== "waiting" || isOwnWork(agent, line)) return []
  const { queueId, waiting, fromLength, afterMs } = line.queue
  const obstacles: Array<Obstacle> = []
  if (!help.isOpenToAll(line) && !help.hasWaited(entry, now))
    obstacles.push({ kind: "othersWork", queueId, waiting, fromLength, untilMs: item.arrivedAtMs + afterMs })
  for (const queue of agent.homes ?? []) {
    const othersFree = supply.othersFree(queue, agent)
    if (othersFree < queue.keepFree)
      obstacles.push({ kind: "keptFree", queueId: queue.queueId, othersFree, keepFree: queue.keepFree })
  }
  return obstacles
}

/** What about the item keeps it from this agent, whatever they are doing. */
const itemObstacles = ({ demand }: Matching, agent: AgentEntry, entry: ItemEntry, now: number): Array<Obstacle> => {
  const missing = unmet(demand.requirementOf(entry.item, entry.step), agent.profile)
  const obstacles: Array<Obstacle> = missing.length > 0 ? [{ kind: "requirement", unmet: missing }] : []
  for (const { agentId, cause, untilMs } of entry.exclusions)
    if (agentId === agent.agentId && untilMs > now) obstacles.push({ kind: "excluded", cause, untilMs })
  const [tier] = tiersOf(entry.item)
  if (tier !== undefined && tier.untilMs > now && !tier.agents.includes(agent.agentId)) {
    const { agents, untilMs } = tier
    obstacles.push({ kind: "reserved", agentId: agents[0]!, ...(agents.length > 1 && { agents }), untilMs })
  }
  return obstacles
}

/** Where the item stands in its relaxation, and what comes next while it waits. */
const standingOf = ({ demand }: Matching, { item, step, place }: ItemEntry): Standing | undefined => {
  const table = demand.relaxationOf(item)
  if (table.length === 0) return undefined
  const next = place.kind === "waiting" ? table[step] : undefined
  return {
    step,
    of: table.length,
    ...(next !== undefined && {
      nextAtMs: item.arrivedAtMs + next.afterMs,
      next: demand.requirementOf(item, step + 1)
    })
  }
}

/** How far what arrives later can overtake the item. */
const overtakingOf = ({ policy, supply, help }: Matching, { item, line }: ItemEntry): Overtaking.Overtaking =>
  supply.homed > 0 && line.audience.reservedFor === undefined && !help.isAnybodyHome(line)
    ? Overtaking.ofNobodysOwn(item)
    : Overtaking.ofItem(policy, item)

export const explainItem = (matching: Matching, entry: ItemEntry, now: number): ItemExplanation => {
  const { demand, supply } = matching
  const { item, place } = entry
  const relaxation = standingOf(matching, entry)
  const facts = {
    item,
    requirement: demand.requirementOf(item, entry.step),
    ...(relaxation !== undefined && { relaxation }),
    place,
    ageMs: now - item.arrivedAtMs
  }
  const agents: Array<AgentView> = [...supply.agents.values()]
    .map((agent) => ({
      agentId: agent.agentId,
      obstacles: [
        ...itemObstacles(matching, agent, entry, now),
        ...helpObstacles(matching, agent, entry, now),
        ...ownObstacles(matching, agent, entry)
      ]
    }))
    .sort((a, b) => a.obstacles.length - b.obstacles.length || (a.agentId < b.agentId ? -1 : 1))
  if (entry.place.kind !== "waiting") return { ...facts, agents }
  const match = matching.agentFor(entry, now)
  let ahead = 0
  for (const { entries } of demand.heaps())
    for (const other of entries) if (demand.order.before(other, entry, undefined, now)) ahead++
  const untils = agents
    .flatMap(({ obstacles }) => obstacles)
    .flatMap((obstacle) => ("untilMs" in obstacle && obstacle.untilMs !== undefined ? [obstacle.untilMs] : []))
    .concat(relaxation?.nextAtMs ?? [])
  const overtaking = overtakingOf(matching, entry)
  return {
    ...facts,
    ahead,
    ...(typeof match === "string" && { waitsFor: match }),
    ...(untils.length > 0 && { changesAtMs: Math.min(...untils) }),
    overtaking,
    ...(overtaking.kind === "bounded" && { overtakenUntilMs: item.arrivedAtMs + overtaking.withinMs }),
    agents
  }
}

export const explainAgent = (matching: Matching, agent: AgentEntry, now: number): AgentExplanation => {
  const { demand, supply } = matching
  const idsOf = (kind: "offered" | "assigned") =>
    agent.items
      .filter(({ place }) => place.kind === kind)
      .map(({ item }) => item.itemId)
      .sort()
  const before = (a: ItemEntry, b: ItemEntry): boolean => {
    const isOwn = isOwnWork(agent, a.line)
    return isOwn === isOwnWork(agent, b.line) ? demand.order.before(a, b, agent, now) : isOwn
  }
  const heaps = [...demand.linesOf(agent)].map(({ heap }) => heap)
  let next: ItemEntry | undefined
  for (const entry of inOrder(heaps, before)) {
    if (itemObstacles(matching, agent, entry, now).length > 0) continue
    next ??= entry
    if (helpObstacles(matching, agent, entry, now).length > 0) continue
    next = entry
    break
  }
  return {
    agentId: agent.agentId,
    presence: agent.presence,
    capacity: agent.profile.capacity,
    load: supply.loadOf(agent),
    idleMs: now - agent.idleSinceMs,
    assigned: idsOf("assigned"),
    offered: idsOf("offered"),
    ...(agent.wrapUps.length > 0 && { wrapUps: agent.wrapUps }),
    ...(next !== undefined && {
      next: {
        itemId: next.item.itemId,
        obstacles: [...helpObstacles(matching, agent, next, now), ...ownObstacles(matching, agent, next)]
      }
    })
  }
}
