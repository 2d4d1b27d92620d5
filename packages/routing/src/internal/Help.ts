import { lowest } from "./Bits.ts"
import type { AgentEntry, ItemEntry, Line } from "./Entries.ts"
import type { Supply } from "./Supply.ts"

/** Who may take work that isn't their own, and of what. */
export class Help {
  readonly #supply: Supply

  constructor(supply: Supply) {
    this.#supply = supply
  }

  /** Whether others may take every item of a line now. */
  isOpenToAll(line: Line): boolean {
    return line.queue.waiting >= line.queue.fromLength || !this.isAnybodyHome(line)
  }

  /** Whether others may take this item because it has waited long enough. */
  hasWaited({ item, line }: ItemEntry, now: number): boolean {
    return now - item.arrivedAtMs >= line.queue.afterMs
  }

  /** Whether one of the queue's own agents who could take the line's items is on duty. */
  isAnybodyHome(line: Line): boolean {
    const { audience, queue } = line
    const eligible = audience.eligible.words
    const home = queue.home.words
    const onDuty = this.#supply.onDuty.words
    const length = Math.min(eligible.length, home.length, onDuty.length)
    for (let word = 0; word < length; word++)
      for (let bits = eligible[word]! & home[word]! & onDuty[word]!; bits !== 0; bits &= bits - 1)
        if (this.#supply.takes(this.#supply.byIndex[word * 32 + lowest(bits)]!, line)) return true
    return false
  }

  /** Whether enough of their colleagues stay free for their own queues while they help elsewhere. */
  mayLeave(agent: AgentEntry): boolean {
    for (const queue of agent.homes ?? [])
      if (queue.keepFree > 0 && this.#supply.othersFree(queue, agent) < queue.keepFree) return false
    return true
  }
}
