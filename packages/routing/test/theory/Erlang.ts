/**
 * Queues with one kind of item and `agents` equal agents, solved in closed form. Rates are per millisecond.
 *
 * Erlang C (M/M/n): A. K. Erlang 1917; the recursion for Erlang B and the step from B to C are in R. B. Cooper,
 * Introduction to Queueing Theory, 2nd edition 1981, chapter 3.
 * Erlang A (M/M/n+M): C. Palm 1957; A. Mandelbaum and S. Zeltyn, Service Engineering in Action: The Palm/Erlang-A Queue,
 * 2007; the density of the offered wait is that of F. Baccelli and G. Hebuterne, On Queues with Impatient Customers, 1981.
 */
export interface Load {
  readonly agents: number
  /** Arrivals per millisecond. */
  readonly arrivals: number
  /** Mean handling time. */
  readonly handlingMs: number
  /** Mean patience, for Erlang A. */
  readonly patienceMs?: number
}

export interface Expected {
  readonly delayed: number
  readonly waitMeanMs: number
  readonly serviceLevel: number
  readonly abandonment: number
}

/** The share of time all agents are busy when nobody waits (Erlang B), without factorials. */
const erlangB = (agents: number, offered: number): number => {
  let blocked = 1
  for (let agent = 1; agent <= agents; agent++) blocked = (offered * blocked) / (agent + offered * blocked)
  return blocked
}

export const erlangC = ({ agents, arrivals, handlingMs }: Load, targetMs: number): Expected => {
  const offered = arrivals * handlingMs
  const occupancy = offered / agents
  const blocked = erlangB(agents, offered)
  const delayed = blocked / (1 - occupancy * (1 - blocked))
  const drain = agents / handlingMs - arrivals
  return {
    delayed,
    waitMeanMs: delayed / drain,
    serviceLevel: 1 - delayed * Math.exp(-drain * targetMs),
    abandonment: 0
  }
}

export const erlangA = ({ agents, arrivals, handlingMs, patienceMs = 0 }: Load, targetMs: number): Expected => {
  const offered = arrivals * handlingMs
  // How likely each number in the system is against that of all agents busy, outwards until it no longer counts.
  let below = 0
  for (let busy = agents, ratio = 1; busy > 0 && ratio > 1e-18; busy--) below += ratio *= busy / offered
  const beside = agents / offered
  let above = 0
  let waiting = 0
  for (let queue = 1, ratio = 1; ratio > 1e-18 * (1 + above) || queue < offered; queue++) {
    ratio *= arrivals / (agents / handlingMs + queue / patienceMs)
    above += ratio
    waiting += queue * ratio
  }
  const full = 1 / (1 + below + above)
  const delayed = full * (1 + above)
  const waitMeanMs = (full * waiting) / arrivals
  // The chance that who would wait x is answered within the target: the density of x times that of their staying so long.
  const oneFree = full * beside
  const density = (x: number): number =>
    arrivals * oneFree * Math.exp(arrivals * patienceMs * -Math.expm1(-x / patienceMs) - (agents / handlingMs) * x)
  const steps = 2000
  let sum = 0
  for (let step = 0; step <= steps; step++) {
    const x = (targetMs * step) / steps
    const weight = step === 0 || step === steps ? 1 : step % 2 === 1 ? 4 : 2
    sum += weight * density(x) * Math.exp(-x / patienceMs)
  }
  return {
    delayed,
    waitMeanMs,
    serviceLevel: 1 - delayed + (sum * targetMs) / steps / 3,
    abandonment: waitMeanMs / patienceMs
  }
}
