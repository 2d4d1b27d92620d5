import type { Decision } from "../../Decision.ts"
import type { RoutingEngine } from "../../RoutingEngine.ts"
import type { Signal } from "../../Signal.ts"
import type { Ledger } from "./Ledger.ts"

/** Something that will happen. At one instant, what has the lower order comes first. */
interface Plan {
  readonly atMs: number
  readonly order: number
  readonly act: (now: number) => void
}

const isBefore = (a: Plan, b: Plan): boolean => (a.atMs !== b.atMs ? a.atMs < b.atMs : a.order < b.order)

/** How people react to what an engine decides: by planning what they do next, or doing it at once. */
export type React = (decision: Decision, now: number, world: World) => void

/** Sees everything the engine is told and decides. */
export type Watch = (signal: Signal, atMs: number, decisions: ReadonlyArray<Decision>) => void

/** An engine in virtual time, and what will happen around it. */
export class World {
  readonly engine: RoutingEngine
  readonly #ledger: Ledger
  readonly #react: React
  readonly #latenessMs: number
  readonly #watch: Watch | undefined
  readonly #plans: Array<Plan> = []
  /** What is recorded has its place in the record for an order, and comes before what isn't. */
  #order = 2 ** 40
  #untold = 0
  signals = 0

  /** What is due waits up to `latenessMs` for a plan that would settle it, as it does for a live pool's timers. */
  constructor(engine: RoutingEngine, ledger: Ledger, react: React, latenessMs = 0, watch?: Watch) {
    this.engine = engine
    this.#ledger = ledger
    this.#react = react
    this.#latenessMs = latenessMs
    this.#watch = watch
  }

  /** Plans something; without an `order` it comes after all that is planned for that instant already. */
  plan(atMs: number, act: Plan["act"], order = ++this.#order): undefined {
    const plans = this.#plans
    const plan = { atMs, order, act }
    let at = plans.length
    plans.push(plan)
    while (at > 0) {
      const parent = (at - 1) >> 1
      if (!isBefore(plan, plans[parent]!)) break
      plans[at] = plans[parent]!
      at = parent
    }
    plans[at] = plan
  }

  /** Tells the engine something, and people what it decides. An item that arrives is in the ledger already. */
  tell(signal: Signal, now: number): ReadonlyArray<Decision> {
    if (signal.type === "agentUpdated") this.#ledger.agent(signal.agent, now)
    else if (signal.type === "agentRemoved") this.#ledger.agentLeft(signal.agentId, now)
    const decisions = this.engine.apply(signal, now)
    this.signals++
    this.#watch?.(signal, now, decisions)
    // Nobody stores these documents, and their names would pile up.
    if (++this.#untold === 4096) {
      this.#untold = 0
      this.engine.takeChanged()
    }
    for (const decision of decisions) this.#ledger.decided(decision, now)
    for (const decision of decisions) this.#react(decision, now, this)
    return decisions
  }

  /**
   * Lets everything happen that is planned or follows from it, but nothing after `untilMs`: an offer that nobody answers in
   * time may be made for ever. Returns the instant of the last.
   */
  run(from: number, untilMs: number): number {
    let now = from
    for (;;) {
      const due = this.engine.nextDueAt()
      const next = this.#plans[0]
      if (Math.min(due ?? untilMs + 1, next?.atMs ?? untilMs + 1) > untilMs) return now
      if (due !== undefined && (next === undefined || due + this.#latenessMs < next.atMs)) {
        now = Math.max(now, due)
        this.tell({ type: "tick" }, now)
        continue
      }
      if (next === undefined) return now
      this.#take()
      now = Math.max(now, next.atMs)
      next.act(now)
    }
  }

  #take(): void {
    const plans = this.#plans
    const last = plans.pop()!
    if (plans.length === 0) return
    let at = 0
    for (;;) {
      let child = 2 * at + 1
      if (child >= plans.length) break
      if (child + 1 < plans.length && isBefore(plans[child + 1]!, plans[child]!)) child++
      if (!isBefore(plans[child]!, last)) break
      plans[at] = plans[child]!
      at = child
    }
    plans[at] = last
  }
}
