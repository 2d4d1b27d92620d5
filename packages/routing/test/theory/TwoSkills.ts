import { type Moves, mean, type Stationary, solve } from "./Chain.ts"

/**
 * Two kinds of items and two groups of agents.
 *
 * A state is [busy of group 0 with kind 0, with kind 1, of group 1 with kind 0, with kind 1, waiting of kind 0, of kind 1].
 * Times are in any unit; who comes when `limit` wait already is lost, which the solution says how often.
 */
export interface TwoSkills {
  readonly agents: readonly [number, number]
  readonly arrivals: readonly [number, number]
  /** Mean handling of a kind by a group; null where they can't. */
  readonly handling: readonly [readonly [number | null, number | null], readonly [number | null, number | null]]
  /** Mean patience; null when everyone waits. */
  readonly patience: readonly [number | null, number | null]
  readonly limit: number
}

export type State = ReadonlyArray<number>

/** Who decides, in a state: which group takes a new item of a kind, which kind an agent of a group takes next; −1: none. */
export interface Rules {
  /** The group that takes an item that just arrived, of those with an idle agent. */
  readonly group: (state: State, kind: number, able: ReadonlyArray<number>) => number
  /** The kind an agent of the group takes next, of those that wait. */
  readonly kind: (state: State, group: number, waiting: ReadonlyArray<number>) => number
}

export const idle = (model: TwoSkills, state: State, group: number): number =>
  model.agents[group]! - state[2 * group]! - state[2 * group + 1]!

export const can = (model: TwoSkills, group: number, kind: number): boolean => model.handling[group]![kind] !== null

const changed = (state: State, ...changes: ReadonlyArray<readonly [number, number]>): State => {
  const next = [...state]
  for (const [at, by] of changes) next[at]! += by
  return next
}

const both = [0, 1]

/** Every agent who may take something that waits does, until none may. */
const settle = (model: TwoSkills, rules: Rules, state: State, groups: ReadonlyArray<number>): State => {
  let now = state
  for (const group of groups)
    while (idle(model, now, group) > 0) {
      const waiting = both.filter((kind) => now[4 + kind]! > 0 && can(model, group, kind))
      const kind = waiting.length === 0 ? -1 : rules.kind(now, group, waiting)
      if (kind < 0) break
      now = changed(now, [4 + kind, -1], [2 * group + kind, 1])
    }
  return now
}

export const movesOf = (model: TwoSkills, rules: Rules): Moves =>
  function* (state) {
    for (const kind of both) {
      const able = both.filter((group) => can(model, group, kind) && idle(model, state, group) > 0)
      const group = able.length === 0 ? -1 : rules.group(state, kind, able)
      if (group >= 0) yield [changed(state, [2 * group + kind, 1]), model.arrivals[kind]!]
      else if (state[4 + kind]! < model.limit)
        // A queue that grew may be long enough to be helped now.
        yield [settle(model, rules, changed(state, [4 + kind, 1]), both), model.arrivals[kind]!]
      const waiting = state[4 + kind]!
      const patience = model.patience[kind]!
      if (patience !== null && waiting > 0) yield [changed(state, [4 + kind, -1]), waiting / patience]
      for (const at of both) {
        const busy = state[2 * at + kind]!
        if (busy > 0)
          yield [
            settle(model, rules, changed(state, [2 * at + kind, -1]), [at, 1 - at]),
            busy / model.handling[at]![kind]!
          ]
      }
    }
  }

export interface Solved {
  readonly waiting: readonly [number, number]
  readonly waitMean: readonly [number, number]
  readonly delayed: readonly [number, number]
  readonly abandonment: readonly [number, number]
  readonly occupancy: readonly [number, number]
  /** How likely a kind's queue is at its limit: what cutting it off neglects. */
  readonly cutOff: number
  readonly chain: Stationary
}

export const solveTwoSkills = (model: TwoSkills, rules: Rules, tolerance?: number): Solved => {
  const chain = solve([0, 0, 0, 0, 0, 0], movesOf(model, rules), tolerance)
  const pair = (of: (which: number) => number): readonly [number, number] => [of(0), of(1)]
  const waiting = pair((kind) => mean(chain, (state) => state[4 + kind]!))
  const waitMean = pair((kind) => waiting[kind]! / model.arrivals[kind]!)
  return {
    waiting,
    waitMean,
    delayed: pair((kind) =>
      mean(chain, (state) => {
        const able = both.filter((group) => can(model, group, kind) && idle(model, state, group) > 0)
        return able.length > 0 && rules.group(state, kind, able) >= 0 ? 0 : 1
      })
    ),
    abandonment: pair((kind) => (model.patience[kind] === null ? 0 : waitMean[kind]! / model.patience[kind]!)),
    occupancy: pair((group) => mean(chain, (state) => 1 - idle(model, state, group) / model.agents[group]!)),
    cutOff: mean(chain, (state) => (state[4]! >= model.limit || state[5]! >= model.limit ? 1 : 0)),
    chain
  }
}

/** The kind that comes first, and groups in this order: what an order by priority and a choice by id do. */
export const byPriority = (first: number): Rules => ({
  group: (_, __, able) => able[0]!,
  kind: (_, __, waiting) => (waiting.includes(first) ? first : waiting[0]!)
})

/** Who is idle takes what is worth most by `worth`, at once; new items go to the group that is fastest with them. */
export const greedy = (model: TwoSkills, worth: (state: State, group: number, kind: number) => number): Rules => {
  const most = (of: ReadonlyArray<number>, value: (each: number) => number): number =>
    of.reduce((best, each) => (value(each) > value(best) ? each : best))
  return {
    group: (_, kind, able) => most(able, (group) => -model.handling[group]![kind]!),
    kind: (state, group, waiting) => most(waiting, (kind) => worth(state, group, kind))
  }
}

/** The kinds a group is at home with; group 0 with kind 0, group 1 with kind 1. */
export const helping = (fromLength: number): Rules => ({
  group: (_, kind, able) => (able.includes(kind) ? kind : fromLength === 1 ? able[0]! : -1),
  kind: (state, group, waiting) =>
    waiting.includes(group) ? group : (waiting.find((kind) => state[4 + kind]! >= fromLength) ?? -1)
})

/** The least x in a range for a function that falls and then rises. */
const lowest = (from: number, to: number, of: (x: number) => number): number => {
  let [low, high] = [from, to]
  for (let round = 0; round < 80; round++) {
    const [a, b] = [low + (high - low) / 3, high - (high - low) / 3]
    if (of(a) <= of(b)) high = b
    else low = a
  }
  return of((low + high) / 2)
}

/**
 * How busy the busier group must be when the work is split as well as can be: the static planning problem, a linear program
 * of which two skills leave two unknowns. From 1 on, no policy keeps up.
 */
export const bestLoad = (model: TwoSkills): number => {
  const loadOf = (shares: readonly [number, number]): number =>
    Math.max(
      ...both.map((group) =>
        both.reduce((sum, kind) => {
          const share = group === 0 ? shares[kind]! : 1 - shares[kind]!
          const time = model.handling[group]![kind]
          return share === 0 ? sum : sum + (model.arrivals[kind]! * share * (time ?? Infinity)) / model.agents[group]!
        }, 0)
      )
    )
  const within = (kind: number): readonly [number, number] => [can(model, 1, kind) ? 0 : 1, can(model, 0, kind) ? 1 : 0]
  return lowest(...within(0), (first) => lowest(...within(1), (second) => loadOf([first, second])))
}
