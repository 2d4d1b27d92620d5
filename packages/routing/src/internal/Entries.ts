import type { Place, PoolAgent } from "../Pool.ts"
import type { Requirement } from "../Requirement.ts"
import type { Exclusion, WorkItem } from "../WorkItem.ts"
import type { Bits } from "./Bits.ts"
import type { Heap, Slotted } from "./Heap.ts"

/** Items that any agent could swap for one another: equal requirement, preferred agents, channel kind and weight. */
export interface ItemClass {
  readonly key: string
  readonly requirement: Requirement
  /** Only these, while they are preferred. */
  readonly reservedFor: ReadonlyArray<string> | undefined
  readonly channelKind: string
  /** The dense number of the channel kind. */
  readonly kind: number
  readonly weight: number
  /** Agents who meet the requirement and are among those it is reserved for, by index. */
  readonly eligible: Bits
  readonly line: Heap<ItemEntry>
  members: number
  /** How many of its waiting items are fleeting: with a preference, or at a row that may be skipped. */
  fleeting: number
}

/** While it waits it stands in its class's line; `slot` is -1 otherwise. */
export interface ItemEntry extends Slotted {
  item: WorkItem
  class: ItemClass
  keys: ReadonlyArray<number>
  place: Place
  /** Who has the open offer or holds the item. */
  agent: AgentEntry | undefined
  /** Rows of its relaxation in force. */
  step: number
  /** While it waits: when time alone moves it to another class; undefined when nothing does. */
  move: Move | undefined
  offersMade: number
  exclusions: ReadonlyArray<Exclusion>
}

/** The instant at which a waiting item moves to another class. It goes when the item stops waiting. */
export interface Move extends Slotted {
  readonly atMs: number
  readonly entry: ItemEntry
  /** It may move sooner: it waits only as long as somebody is on duty for it. */
  readonly isFleeting: boolean
}

export interface AgentEntry {
  /** Replaced, never changed: it is also what is stored. */
  document: PoolAgent
  readonly index: number
  used: number
  /** By dense channel kind. */
  readonly usedOf: Array<number>
  readonly limitOf: Array<number>
  readonly isOn: Array<boolean>
  readonly held: Set<ItemEntry>
  readonly offered: Set<ItemEntry>
  compatible: Array<ItemClass>
}
