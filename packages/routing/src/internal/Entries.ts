import type { Place, WrapUp } from "../Pool.ts"
import type { Presence } from "../Presence.ts"
import type { Relaxation } from "../Relaxation.ts"
import type { Requirement } from "../Requirement.ts"
import type { RoutingAgent } from "../RoutingAgent.ts"
import type { Exclusion, WorkItem } from "../WorkItem.ts"
import type { Bits } from "./Bits.ts"
import type { KeyedHeap, Slotted } from "./KeyedHeap.ts"

/** A queue of the policy, or one that an item or agent names beside it. */
export interface Queue {
  readonly index: number
  readonly queueId: string
  readonly isListed: boolean
  readonly requirement: Requirement
  readonly relaxation: Relaxation
  readonly handlingMs: number | undefined
  /** Cost per minute of waiting, for each minute of handling. */
  readonly rate: number
  readonly share: number
  readonly fromLength: number
  readonly afterMs: number
  readonly keepFree: number
  /** Agents whose own work it is, by index: those who list it, and those who list none. */
  readonly home: Bits
  readonly lines: Set<Line>
  /** What its items ask who bring nothing of their own, before the first step; undefined when that depends on the item. */
  audience: Audience | undefined
  waiting: number
  /** Units that agents hold of it: offered and assigned. */
  held: number
}

/** The agents who meet one requirement, and are among those it is kept for. */
export interface Audience {
  readonly key: string
  readonly requirement: Requirement
  /** Only these, while they are preferred. */
  readonly reservedFor: ReadonlyArray<string> | undefined
  /** The skills it names, apart from what it excludes. */
  readonly skills: ReadonlyArray<string>
  /** By index. */
  readonly eligible: Bits
  /** By queue, channel kind and weight. */
  readonly lines: Map<number, Line>
}

/** Items that stand in one order whatever the instant: any agent could swap them for one another. */
export interface Line {
  readonly index: number
  readonly audience: Audience
  readonly queue: Queue
  readonly channelKind: string
  /** The dense number of the channel kind. */
  readonly kind: number
  readonly weight: number
  readonly heap: KeyedHeap<ItemEntry>
  /** Items that are of this line, whether they wait or not. */
  members: number
  /** How many of its waiting items are fleeting: with a preference, or at a row that may be skipped. */
  fleeting: number
}

/** While it waits it stands in its line; `slot` is -1 otherwise, and {@link gone} once it has left the pool. */
export interface ItemEntry extends Slotted {
  item: WorkItem
  line: Line
  place: Place
  /** Who has the open offer or holds the item. */
  agent: AgentEntry | undefined
  /** Rows of its relaxation in force. */
  step: number
  /** While it waits: when time alone moves it to another line; undefined when nothing does. */
  move: Move | undefined
  offersMade: number
  exclusions: ReadonlyArray<Exclusion>
  isChanged: boolean
}

/** The instant at which a waiting item moves to another line. It goes when the item stops waiting. */
export interface Move {
  readonly atMs: number
  readonly entry: ItemEntry
  /** It may move sooner: it waits only as long as somebody is on duty for it. */
  readonly isFleeting: boolean
}

export interface AgentEntry {
  readonly agentId: string
  readonly index: number
  profile: RoutingAgent
  presence: Presence
  idleSinceMs: number
  missed: number
  assignedAtMs: number | undefined
  /** Units assigned since they came on duty. */
  given: number
  turn: number
  skillCount: number
  /** Of their capacity, in total. */
  units: number
  used: number
  /** Units of open offers. */
  offeredUnits: number
  /** What is offered to them or assigned. */
  readonly items: Array<ItemEntry>
  /** What has ended and still takes of their capacity. */
  wrapUps: ReadonlyArray<WrapUp>
  /** The queues whose work is their own; undefined when everything is. */
  homes: ReadonlySet<Queue> | undefined
  isChanged: boolean
}

export const gone = -2

export const waiting: Place = { kind: "waiting" }

export const nobody: ReadonlyArray<Exclusion> = []

export const isExcluded = ({ exclusions }: ItemEntry, agentId: string, now: number): boolean =>
  exclusions.length > 0 && exclusions.some((exclusion) => exclusion.agentId === agentId && exclusion.untilMs > now)

/** Whether an agent takes such work before any other: it is of their queues, or is kept for them. */
export const isOwnWork = ({ homes }: AgentEntry, { queue, audience }: Line): boolean =>
  homes === undefined || audience.reservedFor !== undefined || homes.has(queue)
