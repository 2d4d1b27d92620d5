import { exceeded, limitOf } from "../Capacity.ts"
import type { AgentExplanation, AgentView, ItemExplanation, Obstacle } from "../Explanation.ts"
import { isOn } from "../Presence.ts"
import { unmet } from "../Requirement.ts"
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
  const missing = unmet(matcher.requirementOf(entry.item), profile)
  const obstacles: Array<Obstacle> = missing.length > 0 ? [{ kind: "requirement", unmet: missing }] : []
  for (const { agentId, cause, untilMs } of entry.exclusions)
    if (agentId === profile.agentId && untilMs > now) obstacles.push({ kind: "excluded", cause, untilMs })
  const preferred = matcher.preferredFor(entry, now)
  if (preferred !== undefined && preferred !== agent) {
    const { agentId } = preferred.document.agent
    obstacles.push({ kind: "reserved", agentId, untilMs: entry.item.preferredUntilMs! })
  }
  return obstacles
}

export const explainItem = (matcher: Matcher, entry: ItemEntry, now: number): ItemExplanation => {
  const { item, place } = entry
  const facts = { item, requirement: matcher.requirementOf(item), place, ageMs: now - item.arrivedAtMs }
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
  const lines = [...agent.preferred.values(), ...agent.compatible.map(({ line }) => line)]
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
