/** A Markov chain in continuous time: where it can go from a state, and at which rate. */
export type Moves = (state: ReadonlyArray<number>) => Iterable<readonly [ReadonlyArray<number>, number]>

export interface Stationary {
  readonly states: ReadonlyArray<ReadonlyArray<number>>
  readonly probability: Float64Array
  /** The largest share of a state's flow by which what comes in and what goes out differ. */
  readonly imbalance: number
  readonly sweeps: number
}

/** The mean of something over the states. */
export const mean = ({ states, probability }: Stationary, of: (state: ReadonlyArray<number>) => number): number => {
  let sum = 0
  for (let index = 0; index < states.length; index++) sum += probability[index]! * of(states[index]!)
  return sum
}

/**
 * The long-run distribution over all states that can be reached from one, by Gauss–Seidel sweeps there and back over the
 * balance equations.
 */
export const solve = (start: ReadonlyArray<number>, moves: Moves, tolerance = 1e-11): Stationary => {
  const states: Array<ReadonlyArray<number>> = [start]
  const indices = new Map([[start.join(), 0]])
  const incoming: Array<Array<number>> = [[]]
  const rates: Array<Array<number>> = [[]]
  const leaving: Array<number> = []
  for (let from = 0; from < states.length; from++) {
    let total = 0
    for (const [state, rate] of moves(states[from]!)) {
      const key = state.join()
      let to = indices.get(key)
      if (to === undefined) {
        to = states.length
        indices.set(key, to)
        states.push(state)
        incoming.push([])
        rates.push([])
      }
      if (to === from) continue
      incoming[to]!.push(from)
      rates[to]!.push(rate)
      total += rate
    }
    leaving.push(total)
  }
  const count = states.length
  const first = new Int32Array(count + 1)
  for (let state = 0; state < count; state++) first[state + 1] = first[state]! + incoming[state]!.length
  const source = Int32Array.from(incoming.flat())
  const flow = Float64Array.from(rates.flat())
  const probability = new Float64Array(count).fill(1 / count)
  const inflow = (state: number): number => {
    let sum = 0
    for (let at = first[state]!; at < first[state + 1]!; at++) sum += probability[source[at]!]! * flow[at]!
    return sum
  }
  const update = (state: number): void => {
    probability[state] = inflow(state) / leaving[state]!
  }
  let imbalance = Number.POSITIVE_INFINITY
  let sweeps = 0
  while (imbalance > tolerance && sweeps < 20_000) {
    for (let state = 0; state < count; state++) update(state)
    for (let state = count - 1; state >= 0; state--) update(state)
    sweeps++
    if (sweeps % 10 > 0) continue
    const sum = probability.reduce((total, each) => total + each, 0)
    for (let state = 0; state < count; state++) probability[state]! /= sum
    imbalance = 0
    for (let state = 0; state < count; state++)
      imbalance += Math.abs(inflow(state) - probability[state]! * leaving[state]!)
  }
  return { states, probability, imbalance, sweeps }
}
