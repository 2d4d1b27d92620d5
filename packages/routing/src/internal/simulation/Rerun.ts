import type { Decision } from "../../Decision.ts"
import * as Offer from "../../Offer.ts"
import type { Snapshot } from "../../Pool.ts"
import type { Presence } from "../../Presence.ts"
import type { Change, Entry, Recorded, RecordedItem, Told } from "../../Replay.ts"
import type { RoutingAgent } from "../../RoutingAgent.ts"
import * as RoutingEngine from "../../RoutingEngine.ts"
import type { Signal } from "../../Signal.ts"
import type { Ledger } from "./Ledger.ts"
import { Patience, type Seen } from "./Patience.ts"
import * as Random from "./Random.ts"
import { World } from "./World.ts"

/** An item of the record in the pool that would have been. */
interface Live {
  readonly read: RecordedItem
  /** Its place in the record: what is drawn for it doesn't depend on what happens to others. */
  readonly index: number
  offers: number
  stints: number
  /** Changes whenever somebody begins or ends to hold it. */
  turn: number
  /** The offer that is open. */
  open: string | undefined
  isAnswered: boolean
}

const median = (values: ReadonlyArray<number>): number =>
  [...values].sort((a, b) => a - b)[Math.floor(values.length / 2)] ?? 0

const groupBy = <A>(values: ReadonlyArray<A>, keyOf: (value: A) => string): Map<string, Array<A>> => {
  const groups = new Map<string, Array<A>>()
  for (const value of values) {
    const group = groups.get(keyOf(value))
    if (group === undefined) groups.set(keyOf(value), [value])
    else group.push(value)
  }
  return groups
}

/** What a record teaches about what it doesn't show. */
interface Lessons {
  /** How long items of a queue took in all. */
  readonly handlings: ReadonlyMap<string, ReadonlyArray<number>>
  readonly patiences: ReadonlyMap<string, Patience>
  /** How long an accept usually took. */
  readonly usualMs: number
}

const learn = ({ items, endMs }: Recorded): Lessons => {
  const byQueue = groupBy(items, ({ item }) => item.queueId)
  const handlings = new Map<string, ReadonlyArray<number>>()
  const patiences = new Map<string, Patience>()
  for (const [queueId, those] of byQueue) {
    const handled = those.filter(({ stints }) => stints.at(-1)?.end !== undefined)
    handlings.set(
      queueId,
      handled.map(({ stints }) => stints.reduce((sum, { heldMs }) => sum + heldMs, 0))
    )
    const seen = those.map(
      ({ item, waitedMs, gaveUp }): Seen => ({
        waitedMs: waitedMs ?? endMs - item.arrivedAtMs,
        gaveUp: gaveUp !== undefined
      })
    )
    patiences.set(queueId, new Patience(seen))
  }
  const answers = items.flatMap(({ answers }) => Object.values(answers).flat())
  const accepts = answers.filter(({ signal }) => signal.type === "offerAccepted")
  return { handlings, patiences, usualMs: median(accepts.map(({ afterMs }) => afterMs)) }
}

/** When agents were available, and not, from what was decided. */
const presencesOf = (entries: ReadonlyArray<Required<Entry>>) => {
  const presences = new Map<string, Array<{ readonly atMs: number; readonly presence: Omit<Presence, "sinceMs"> }>>()
  for (const { atMs, decisions } of entries)
    for (const decision of decisions) {
      if (decision.type !== "presenceSet") continue
      const { type: _type, agentId, cause: _cause, ...presence } = decision
      const theirs = presences.get(agentId)
      if (theirs === undefined) presences.set(agentId, [{ atMs, presence }])
      else theirs.push({ atMs, presence })
    }
  return presences
}

/** Who misses too many offers is back after this, when the record has them available then. */
const backAfterMs = 300_000

/** What the ledger must know of a pool that didn't begin empty. */
export const begin = (ledger: Ledger, from: Snapshot, atMs: number): void => {
  for (const { agent, presence } of from.agents) {
    const { agentId } = agent
    ledger.agent(agent, atMs)
    ledger.decided({ type: "presenceSet", agentId, status: presence.status, cause: "told" }, atMs)
  }
  for (const { item, place, offersMade } of from.items) {
    ledger.item(item, false)
    if (place.kind === "waiting") continue
    const { itemId } = item
    const { agentId } = place
    if (place.kind === "assigned") ledger.decided({ type: "itemAssigned", itemId, agentId, how: "offer" }, atMs)
    else {
      const record = { chose: "agent", winner: agentId, compared: 1, decidedBy: "onlyCandidate" } as const
      const { sinceMs: offeredAtMs, expiresAtMs } = place
      const offerId = Offer.toId(itemId, offersMade)
      ledger.decided({ type: "offerMade", offerId, itemId, agentId, offeredAtMs, expiresAtMs, record }, atMs)
    }
  }
}

/** What ended the time of who held an item then, said by who holds it now. */
const instead = (signal: Signal, heldThen: string, holdsNow: string): Signal => {
  if (signal.type === "itemReleased") return { ...signal, agentId: holdsNow }
  if (signal.type === "transferRequested" && signal.by === heldThen) return { ...signal, by: holdsNow }
  return signal
}

/** A record lived through again under changed rules. */
export class Rerun {
  readonly decisions: Array<{ readonly atMs: number; readonly decision: Decision }> = []
  readonly #recorded: Recorded
  readonly #change: Change
  readonly #seed: number
  readonly #mayGiveUpSooner: boolean
  readonly #lessons: Lessons
  readonly #presences: ReturnType<typeof presencesOf>
  readonly #removed: ReadonlySet<string>
  readonly #profiles: ReadonlyMap<string, RoutingAgent>
  readonly #from: Snapshot | undefined
  readonly #lives = new Map<string, Live>()
  readonly #ledger: Ledger
  readonly #world: World

  constructor(recorded: Recorded, change: Change, ledger: Ledger, seed: number, mayGiveUpSooner: boolean) {
    this.#recorded = recorded
    this.#change = change
    this.#seed = seed
    this.#mayGiveUpSooner = mayGiveUpSooner
    this.#lessons = learn(recorded)
    this.#presences = presencesOf(recorded.entries)
    this.#removed = new Set(change.remove)
    this.#profiles = new Map(change.profiles?.map((profile) => [profile.agentId, profile]))
    this.#ledger = ledger
    this.#from = recorded.from && {
      items: recorded.from.items,
      agents: recorded.from.agents
        .filter(({ agent }) => !this.#removed.has(agent.agentId))
        .map((each) => ({ ...each, agent: this.#profiles.get(each.agent.agentId) ?? each.agent }))
    }
    if (this.#from !== undefined) begin(ledger, this.#from, recorded.startMs)
    const policy = change.policy ?? recorded.policy
    this.#world = new World(
      this.#from === undefined ? RoutingEngine.make(policy) : RoutingEngine.restore(policy, this.#from),
      ledger,
      (decision, now) => this.#react(decision, now),
      recorded.latenessMs
    )
  }

  /** Runs until all is over, or as long again as the record is, and returns the instant of the last. */
  run(): number {
    const { startMs, endMs, told } = this.#recorded
    for (const [index, { item, place, offersMade }] of (this.#from?.items ?? []).entries()) {
      const live = this.#enter(index)
      live.offers = offersMade
      if (place.kind !== "waiting" && !this.#removed.has(place.agentId)) {
        if (place.kind === "offered") {
          live.offers--
          this.#answer(live, Offer.toId(item.itemId, offersMade), place.agentId, place.sinceMs)
        } else {
          live.isAnswered = true
          this.#hold(live, place.agentId, startMs)
        }
      }
      this.#bear(live)
    }
    for (const each of told) this.#tellAgain(each)
    for (const { agent, shifts = [{ fromMs: startMs, untilMs: endMs }] } of this.#change.add ?? []) {
      const { agentId } = agent
      this.#world.plan(startMs, (now) => this.#world.tell({ type: "agentUpdated", agent }, now), -1)
      for (const { fromMs, untilMs } of shifts) {
        const set = (status: "available" | "offline") => (now: number) =>
          this.#world.tell({ type: "presenceChanged", agentId, status }, now)
        this.#world.plan(fromMs, set("available"), -1)
        this.#world.plan(untilMs, set("offline"))
      }
    }
    return this.#world.run(startMs, 2 * endMs - startMs)
  }

  #tellAgain({ atMs, order, signal, visit }: Told): undefined {
    if (visit !== undefined) return this.#world.plan(atMs, (now) => this.#arrive(visit, signal, now), order)
    if (signal.type === "agentUpdated") {
      const { agentId } = signal.agent
      if (this.#removed.has(agentId)) return
      const agent = this.#profiles.get(agentId) ?? signal.agent
      return this.#world.plan(atMs, (now) => this.#world.tell({ ...signal, agent }, now), order)
    }
    if ((signal.type === "agentRemoved" || signal.type === "presenceChanged") && this.#removed.has(signal.agentId))
      return
    this.#world.plan(atMs, (now) => this.#world.tell(signal, now), order)
  }

  #arrive(visit: number, signal: Signal, now: number): void {
    const { item, waitedMs } = this.#recorded.items[visit]!
    const isCounted = waitedMs !== undefined
    if (this.#lives.has(item.itemId)) {
      // It had left by then, and now hasn't yet: nothing new.
      if (isCounted) this.#ledger.absent()
      return
    }
    this.#ledger.item(item, isCounted)
    const live = this.#enter(visit)
    this.#world.tell(signal, now)
    this.#bear(live)
  }

  #enter(index: number): Live {
    const read = this.#recorded.items[index]!
    const live: Live = { read, index, offers: 0, stints: 0, turn: 0, open: undefined, isAnswered: false }
    this.#lives.set(read.item.itemId, live)
    return live
  }

  #react(decision: Decision, now: number): undefined {
    this.decisions.push({ atMs: now, decision })
    if (decision.type === "presenceSet" && decision.cause === "missedOffers") this.#comeBack(decision.agentId, now)
    const live = "itemId" in decision ? this.#lives.get(decision.itemId) : undefined
    if (live === undefined) return
    switch (decision.type) {
      case "offerMade":
        return this.#answer(live, decision.offerId, decision.agentId, now)
      case "offerDeclined":
      case "offerExpired":
      case "offerWithdrawn":
        live.open = undefined
        return
      case "itemAssigned":
        live.turn++
        live.open = undefined
        live.isAnswered = true
        return this.#hold(live, decision.agentId, now)
      case "itemQueued":
        live.turn++
        return
      case "itemLeft":
        live.turn++
        this.#lives.delete(decision.itemId)
    }
  }

  #comeBack(agentId: string, now: number): void {
    this.#world.plan(now + backAfterMs, (at) => {
      const then = this.#presences.get(agentId)?.findLast(({ atMs }) => atMs <= at)?.presence
      if (then?.status === "available" && at <= this.#recorded.endMs)
        this.#world.tell({ type: "presenceChanged", agentId, ...then }, at)
    })
  }

  /** Plans when who waits gives up: as they did, or when others would have who waited longer than they had to. */
  #bear(live: Live): undefined {
    const { read, index } = live
    const { item, gaveUp, waitedMs = this.#recorded.endMs - item.arrivedAtMs } = read
    const { itemId, arrivedAtMs, queueId } = item
    const leave = (signal: Signal) => (now: number) => {
      if (this.#lives.get(itemId) === live && !live.isAnswered) this.#world.tell(signal, now)
    }
    if (gaveUp !== undefined) return this.#world.plan(arrivedAtMs + gaveUp.afterMs, leave(gaveUp.signal), gaveUp.order)
    if (!this.#mayGiveUpSooner) return
    const bears = this.#lessons.patiences.get(queueId)?.drawBeyond(waitedMs, Random.make(this.#seed, 1, index))
    if (bears !== undefined)
      this.#world.plan(arrivedAtMs + bears, leave({ type: "itemRemoved", itemId, reason: "gave_up" }))
  }

  /** Plans the answer to an offer, as that of the same number was. */
  #answer(live: Live, offerId: string, agentId: string, sinceMs: number): undefined {
    const number = ++live.offers
    live.open = offerId
    const { answers, openMs } = live.read
    for (const { signal, afterMs, order } of answers[number] ?? [])
      if (signal.type === "offerAccepted" || signal.type === "offerDeclined")
        this.#world.plan(sinceMs + afterMs, (now) => this.#world.tell({ ...signal, offerId, agentId }, now), order)
    if (answers[number] !== undefined) return
    // Withdrawn then, or never made: all that is known is that nobody had answered when it was taken back.
    const afterMs = Math.max(this.#lessons.usualMs, (openMs[number] ?? -1) + 1)
    this.#world.plan(sinceMs + afterMs, (now) => {
      if (live.open === offerId)
        this.#world.tell({ type: "offerAccepted", requestId: `replay.${offerId}`, offerId, agentId }, now)
    })
  }

  /** Plans how an agent's time with an item ends, as that of who held it the same time of theirs did. */
  #hold(live: Live, agentId: string, sinceMs: number): undefined {
    const { stints, item } = live.read
    const { turn } = live
    let at = live.stints++
    let heldMs = 0
    // Had the agent stayed in the pool, they would have gone on with what the next did.
    while (at < stints.length && stints[at]!.end === undefined) heldMs += stints[at++]!.heldMs
    const stint = stints[at]
    const { itemId } = item
    const finish = (now: number): void => {
      if (live.turn === turn) this.#world.tell({ type: "itemReleased", itemId, agentId, next: "leave" }, now)
    }
    if (stint?.end === undefined) {
      const longer = (this.#lessons.handlings.get(item.queueId) ?? []).filter((each) => each > heldMs)
      const drawn = longer[Math.floor(Random.make(this.#seed, 2, live.index)() * longer.length)]
      return this.#world.plan(sinceMs + (drawn ?? heldMs + 1), finish)
    }
    const { signal, order } = stint.end
    this.#world.plan(
      sinceMs + heldMs + stint.heldMs,
      (now) => {
        if (live.turn !== turn) return
        live.stints = at + 1
        this.#world.tell(instead(signal, stint.agentId, agentId), now)
        if (live.turn !== turn) return
        // It stays where it is: with who should take it over, or because nobody could.
        if ("agentId" in signal && signal.agentId === agentId && signal.type !== "itemReleased")
          this.#hold(live, agentId, now)
        else finish(now)
      },
      order
    )
  }
}
