import type { Place, PoolAgent } from "../Pool.ts"
import type { Requirement } from "../Requirement.ts"
import type { Exclusion, WorkItem } from "../WorkItem.ts"
import type { Bits } from "./Bits.ts"
import type { Heap, Slotted } from "./Heap.ts"

/** Items that any agent could swap for one another: equal requirement, channel kind and weight. */
export interface ItemClass {
  readonly key: string
  readonly requirement: Requirement
  readonly channelKind: string
  /** The dense number of the channel kind. */
  readonly kind: number
  readonly weight: number
  /** Agents who meet the requirement, by index. */
  readonly eligible: Bits
  readonly line: Heap<ItemEntry>
  members: number
}

export interface ItemEntry extends Slotted {
  item: WorkItem
  class: ItemClass
  keys: ReadonlyArray<number>
  place: Place
  /** Who has the open offer or holds the item. */
  agent: AgentEntry | undefined
  /** Where it waits: its class's line, or the line its preferred agent keeps for that class. */
  line: Heap<ItemEntry> | undefined
  offersMade: number
  exclusions: ReadonlyArray<Exclusion>
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
  readonly preferred: Map<ItemClass, Heap<ItemEntry>>
}
