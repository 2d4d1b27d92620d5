import { exceeded, limitOf } from "../Capacity.ts"
import type { AgentExplanation, AgentView, ItemExplanation, Obstacle, Standing } from "../Explanation.ts"
import { isOn } from "../Presence.ts"
import { unmet } from "../Requirement.ts"
import { tiersOf } from "../WorkItem.ts"
import type { AgentEntry, ItemEntry } from "./Entries.ts"
import { inOrder } from "./Heap.ts"
import type { Matcher } from "./Matcher.ts"
import { itemBefore } from "./order.ts"

/** What about the agent keeps them from being offered the item now. */
const ownObstacles = (matcher: Matcher, agent: AgentEntry, { item }: ItemEntry): Array<Obstacle> => {
  const { presence, agent: profile } = agent.document
  const { channelKind, weight } = item
  const obstacles: Array<Obstacle> = []
  const { status, reason } = presence
  if (status !== "available") obstacles.push({ kind: "presence", status, ...(reason !== undefined && { reason }) })
  if (!isOn(presence, channelKind)) obstacles.push({ kind: "channelOff", channelKind })
  const load = matcher.load(agent)
  const limit = exceeded(profile.capacity, load, channelKind, weight)
  if (limit === "units") obstacles.push({ kind: "capacity", limit, used: load.units, allowed: profile.capacity.units })
  if (limit === "channelKind") {
    const used = load.perChannelKind[channelKind] ?? 0
    obstacles.push({ kind: "capacity", limit, used, allowed: limitOf(profile.capacity, channelKind) })
  }
  return obstacles
}

/** What about the item keeps it from this agent, whatever they are doing. */
const itemObstacles = (matcher: Matcher, agent: AgentEntry, entry: ItemEntry, now: number): Array<Obstacle> => {
  const profile = agent.document.agent
  const missing = unmet(matcher.requirementOf(entry.item, entry.step), profile)
  const obstacles: Array<Obstacle> = missing.length > 0 ? [{ kind: "requirement", unmet: missing }] : []
  for (const { agentId, cause, untilMs } of entry.exclusions)
    if (agentId === profile.agentId && untilMs > now) obstacles.push({ kind: "excluded", cause, untilMs })
  const [tier] = tiersOf(entry.item)
  if (tier !== undefined && tier.untilMs > now && !tier.agents.includes(profile.agentId)) {
    const { agents, untilMs } = tier
    obstacles.push({ kind: "reserved", agentId: agents[0]!, ...(agents.length > 1 && { agents }), untilMs })
  }
  return obstacles
}

/** Where the item stands in its relaxation, and what comes next while it waits. */
const standingOf = (matcher: Matcher, { item, step, place }: ItemEntry): Standing | undefined => {
  const table = matcher.relaxationOf(item)
  if (table.length === 0) return undefined
  const next = place.kind === "waiting" ? table[step] : undefined
  return {
    step,
    of: table.length,
    ...(next !== undefined && {
      nextAtMs: item.arrivedAtMs + next.afterMs,
      next: matcher.requirementOf(item, step + 1)
    })
  }
}

export const explainItem = (matcher: Matcher, entry: ItemEntry, now: number): ItemExplanation => {
  const { item, place } = entry
  const relaxation = standingOf(matcher, entry)
  const facts = {
    item,
    requirement: matcher.requirementOf(item, entry.step),
    ...(relaxation !== undefined && { relaxation }),
    place,
    ageMs: now - item.arrivedAtMs
  }
  const agents: Array<AgentView> = [...matcher.agents.values()]
    .map((agent) => ({
      agentId: agent.document.agent.agentId,
      obstacles: [...itemObstacles(matcher, agent, entry, now), ...ownObstacles(matcher, agent, entry)]
    }))
    .sort((a, b) => a.obstacles.length - b.obstacles.length || (a.agentId < b.agentId ? -1 : 1))
  if (entry.place.kind !== "waiting") return { ...facts, agents }
  const match = matcher.agentFor(entry, now)
  let ahead = 0
  for (const { size, entries } of matcher.lines())
    for (let index = 0; index < size; index++) if (itemBefore(entries[index]!, entry)) ahead++
  const untils = agents
    .flatMap(({ obstacles }) => obstacles)
    .flatMap((obstacle) => ("untilMs" in obstacle ? [obstacle.untilMs] : []))
    .concat(relaxation?.nextAtMs ?? [])
  return {
    ...facts,
    ahead,
    ...(typeof match === "string" && { waitsFor: match }),
    ...(untils.length > 0 && { changesAtMs: Math.min(...untils) }),
    agents
  }
}

export const explainAgent = (matcher: Matcher, agent: AgentEntry, now: number): AgentExplanation => {
  const { agent: profile, presence, idleSinceMs } = agent.document
  const idsOf = (entries: Iterable<ItemEntry>) => [...entries].map(({ item }) => item.itemId).sort()
  const lines = agent.compatible.map(({ line }) => line)
  const next = inOrder(lines, itemBefore).find((entry) => itemObstacles(matcher, agent, entry, now).length === 0)
  return {
    agentId: profile.agentId,
    presence,
    capacity: profile.capacity,
    load: matcher.load(agent),
    idleMs: now - idleSinceMs,
    assigned: idsOf(agent.held),
    offered: idsOf(agent.offered),
    ...(next !== undefined && {
      next: { itemId: next.item.itemId, obstacles: ownObstacles(matcher, agent, next) }
    })
  }
}
