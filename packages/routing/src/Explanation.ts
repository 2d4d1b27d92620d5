/**
 * Why an item waits, and what an agent would get next. Recomputed when asked, never kept.
 *
 * @module
 */
import type { Capacity, Limit, Load } from "./Capacity.ts"
import type { WaitsFor } from "./Decision.ts"
import type { Overtaking } from "./Overtaking.ts"
import type { Place, WrapUp } from "./Pool.ts"
import type { Presence, Status } from "./Presence.ts"
import type { Requirement, Unmet } from "./Requirement.ts"
import type { Exclusion, WorkItem } from "./WorkItem.ts"

/**
 * One thing that keeps an agent from being offered an item.
 *
 * **Shape** `requirement`: the parts not met, with how many of an `atLeast` are · `presence`: the status · `channelOff`:
 * switched off for this channel kind · `capacity`: which limit, what is in use and what is allowed, of the channel kind when that is the
 * limit and in total otherwise; for `wrapUp`, when the first ends · `excluded`: declined,
 * missed or handed back, until when · `reserved`: another agent is preferred, until when; `agents` lists them when there
 * are several, and `agentId` is the first · `othersWork`: it is the work of other agents, until so many wait or until an
 * instant · `keptFree`: too few others of their own queue are free for them to help elsewhere.
 *
 * **Units** capacity units; epoch milliseconds.
 */
export type Obstacle =
  | { readonly kind: "requirement"; readonly unmet: ReadonlyArray<Unmet> }
  | { readonly kind: "presence"; readonly status: Status; readonly reason?: string }
  | { readonly kind: "channelOff"; readonly channelKind: string }
  | {
      readonly kind: "capacity"
      readonly limit: Limit
      readonly used: number
      readonly allowed: number
      readonly untilMs?: number
    }
  | { readonly kind: "excluded"; readonly cause: Exclusion["cause"]; readonly untilMs: number }
  | {
      readonly kind: "reserved"
      readonly agentId: string
      readonly agents?: ReadonlyArray<string>
      readonly untilMs: number
    }
  | {
      readonly kind: "othersWork"
      readonly queueId: string
      readonly waiting: number
      readonly fromLength: number
      readonly untilMs: number
    }
  | { readonly kind: "keptFree"; readonly queueId: string; readonly othersFree: number; readonly keepFree: number }

/** What stands between one agent and one item; nothing means the agent could be offered it. */
export interface AgentView {
  readonly agentId: string
  readonly obstacles: ReadonlyArray<Obstacle>
}

/**
 * Where an item stands in its relaxation.
 *
 * **Shape** `step` of `of` rows hold, or held when it was offered. While it waits and a row is left: what the next asks, and
 * when it comes.
 *
 * **Units** `nextAtMs`: epoch milliseconds. A row may come sooner when the one before is passed over.
 */
export interface Standing {
  readonly step: number
  readonly of: number
  readonly nextAtMs?: number
  readonly next?: Requirement
}

/**
 * Where an item stands and why.
 *
 * **Shape** `requirement` is the one in force, the item's own or its queue's, at its step of the relaxation, with what it
 * compares of the item filled in. `relaxation` is missing when there is no table. While it waits: `waitsFor` is the binding
 * constraint, `ahead` the number of waiting items of the pool that are served before it, `agents` everybody in the pool,
 * fewest obstacles first, `changesAtMs` the earliest instant at which time alone may remove an obstacle. `overtaking` says how far
 * later items can overtake it; when that is bounded, none that arrives after `overtakenUntilMs` does.
 *
 * **Gotchas** bonuses for pairs of queue and agent don't count in `ahead`: they depend on who asks.
 */
export interface ItemExplanation {
  readonly item: WorkItem
  readonly requirement: Requirement
  readonly relaxation?: Standing
  readonly place: Place
  readonly ageMs: number
  readonly waitsFor?: WaitsFor
  readonly ahead?: number
  readonly changesAtMs?: number
  readonly overtaking?: Overtaking
  readonly overtakenUntilMs?: number
  readonly agents: ReadonlyArray<AgentView>
}

/**
 * What an agent holds and would get next.
 *
 * **Shape** `next` is the first waiting item whose requirement they meet and that isn't excluded or reserved for another;
 * its `obstacles` say what about the agent keeps it from being offered now.
 */
export interface AgentExplanation {
  readonly agentId: string
  readonly presence: Presence
  readonly capacity: Capacity
  readonly load: Load
  readonly idleMs: number
  readonly assigned: ReadonlyArray<string>
  readonly offered: ReadonlyArray<string>
  /** What has ended and still holds capacity; missing when nothing does. */
  readonly wrapUps?: ReadonlyArray<WrapUp>
  readonly next?: { readonly itemId: string; readonly obstacles: ReadonlyArray<Obstacle> }
}
