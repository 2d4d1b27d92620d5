import type { Random } from "./Random.ts"

/** How long somebody waited, and whether they gave up then or it ended otherwise. */
export interface Seen {
  readonly waitedMs: number
  readonly gaveUp: boolean
}

/**
 * How long people bear to wait, from how long they did: the estimator of Kaplan and Meier (1958), which counts those who
 * were answered first as having borne at least that much.
 */
export class Patience {
  /** Instants at which somebody gave up, and the share that bears more than that. */
  readonly #atMs: Array<number> = []
  readonly #left: Array<number> = []

  constructor(seen: ReadonlyArray<Seen>) {
    const sorted = [...seen].sort((a, b) => a.waitedMs - b.waitedMs)
    let left = 1
    for (let first = 0; first < sorted.length; ) {
      const { waitedMs } = sorted[first]!
      let next = first
      let gaveUp = 0
      for (; next < sorted.length && sorted[next]!.waitedMs === waitedMs; next++) if (sorted[next]!.gaveUp) gaveUp++
      if (gaveUp > 0) {
        left *= 1 - gaveUp / (sorted.length - first)
        this.#atMs.push(waitedMs)
        this.#left.push(left)
      }
      first = next
    }
  }

  /** How long somebody bears who bore `waitedMs`; undefined when it is longer than anybody is known to have borne. */
  drawBeyond(waitedMs: number, random: Random): number | undefined {
    const known = firstWhere(this.#atMs, (atMs) => atMs > waitedMs)
    const level = (1 - random()) * (known === 0 ? 1 : this.#left[known - 1]!)
    return this.#atMs[
      Math.max(
        known,
        firstWhere(this.#left, (left) => left < level)
      )
    ]
  }
}

/** The first place from which on something holds. */
const firstWhere = (values: ReadonlyArray<number>, holds: (value: number) => boolean): number => {
  let low = 0
  let high = values.length
  while (low < high) {
    const middle = (low + high) >> 1
    if (holds(values[middle]!)) high = middle
    else low = middle + 1
  }
  return low
}
