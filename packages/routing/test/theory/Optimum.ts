import { can, type TwoSkills } from "./TwoSkills.ts"

export interface Optimum {
  /** The least cost per unit of time in the long run, and how far off it may be. */
  readonly cost: number
  readonly error: number
  readonly rounds: number
}

/** What an agent of a group can be doing: nothing, or so many of each kind. */
const workOf = (model: TwoSkills, group: number): ReadonlyArray<readonly [number, number]> => {
  const found: Array<readonly [number, number]> = []
  for (let first = 0; first <= (can(model, group, 0) ? model.agents[group]! : 0); first++)
    for (let second = 0; second <= (can(model, group, 1) ? model.agents[group]! - first : 0); second++)
      found.push([first, second])
  return found
}

/**
 * The least that waiting can cost, whoever decides and whatever they keep idle for later: relative value iteration over the
 * uniformised chain (M. L. Puterman, Markov Decision Processes, 1994, section 8.5). `costs` are per waiting item of a kind.
 */
export const optimum = (model: TwoSkills, costs: readonly [number, number], tolerance = 1e-5): Optimum => {
  const [first, second] = [workOf(model, 0), workOf(model, 1)]
  const works = first.flatMap((a) => second.map((b) => [...a, ...b]))
  const indices = new Map(works.map((work, index) => [work.join(), index]))
  const stepOf = (work: ReadonlyArray<number>, at: number, by: number): number =>
    indices.get(work.map((count, place) => (place === at ? count + by : count)).join()) ?? -1
  const rate = [0, 1].flatMap((group) =>
    [0, 1].map((kind) => (can(model, group, kind) ? 1 / model.handling[group]![kind]! : 0))
  )
  const total =
    model.arrivals[0] +
    model.arrivals[1] +
    model.agents[0] * Math.max(rate[0]!, rate[1]!) +
    model.agents[1] * Math.max(rate[2]!, rate[3]!)
  const { length: count } = works
  const begins = Int32Array.from(
    works.flatMap((work) => [0, 1, 2, 3].map((at) => (rate[at]! > 0 ? stepOf(work, at, 1) : -1)))
  )
  const ends = Int32Array.from(
    works.flatMap((work) => [0, 1, 2, 3].map((at) => (work[at]! > 0 ? stepOf(work, at, -1) : -1)))
  )
  const flows = Float64Array.from(works.flatMap((work) => [0, 1, 2, 3].map((at) => (work[at]! * rate[at]!) / total)))
  const patience = model.patience.map((each) => (each === null ? 0 : 1 / each / total))
  const width = model.limit + 1
  const size = width * width * count
  const [arrives, arrivesToo] = [model.arrivals[0] / total, model.arrivals[1] / total]
  let value = new Float64Array(size)
  let next = new Float64Array(size)
  const best = new Float64Array(size)
  for (let round = 1; ; round++) {
    for (let a = 0; a < width; a++)
      for (let b = 0; b < width; b++) {
        const row = (a * width + b) * count
        for (let work = 0; work < count; work++) {
          let least = value[row + work]!
          for (let at = 0; at < 4; at++) {
            const begun = begins[work * 4 + at]!
            if (begun < 0) continue
            if (at % 2 === 0 ? a === 0 : b === 0) continue
            const there = best[row + begun - (at % 2 === 0 ? width : 1) * count]!
            if (there < least) least = there
          }
          best[row + work] = least
        }
      }
    let low = Number.POSITIVE_INFINITY
    let high = Number.NEGATIVE_INFINITY
    for (let a = 0; a < width; a++)
      for (let b = 0; b < width; b++) {
        const row = (a * width + b) * count
        const left = [a * patience[0]!, b * patience[1]!]
        const cost = (costs[0] * a + costs[1] * b) / total
        for (let work = 0; work < count; work++) {
          const at = row + work
          let sum =
            cost +
            arrives * best[a < model.limit ? at + width * count : at]! +
            arrivesToo * best[b < model.limit ? at + count : at]!
          let stays = 1 - arrives - arrivesToo
          for (let kind = 0; kind < 2; kind++) {
            if (left[kind] === 0) continue
            stays -= left[kind]!
            sum += left[kind]! * best[at - (kind === 0 ? width : 1) * count]!
          }
          for (let each = work * 4; each < work * 4 + 4; each++) {
            const flow = flows[each]!
            if (flow === 0) continue
            stays -= flow
            sum += flow * best[row + ends[each]!]!
          }
          sum += stays * best[at]!
          next[at] = sum
          const gain = sum - value[at]!
          if (gain < low) low = gain
          if (gain > high) high = gain
        }
      }
    const base = next[0]!
    for (let at = 0; at < size; at++) next[at]! -= base
    const swap = value
    value = next
    next = swap
    if (high - low <= tolerance * high || round >= 100_000)
      return { cost: ((high + low) / 2) * total, error: ((high - low) / 2) * total, rounds: round }
  }
}
