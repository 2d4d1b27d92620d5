import type { Decision, Reads } from "../Storage.ts"
import type { Commit, Outcome, StorageDriver } from "../StorageDriver.ts"
import { ConflictError, StorageBusyError, StorageUnavailableError } from "../StorageError.ts"
import type { Caches } from "./Caches.ts"
import { EntryHeap } from "./EntryHeap.ts"
import { Touched } from "./Touched.ts"

/** How often a decision is made again after conflicts. */
export const maxTries = 10

type Decide = (reads: Reads) => Promise<Decision<unknown>>

/** What is asked of a write turn: a commit, a decision that comes to one, or something that runs alone. */
export type Work =
  | { readonly commit: Commit }
  | { readonly decide: Decide; readonly lane: string; readonly reads: Reads }
  | { readonly alone: () => Promise<unknown> }

interface Entry {
  readonly arrival: number
  readonly workspace: string
  readonly work: Work
  commit: Commit | undefined
  value: unknown
  tries: number
  readonly resolve: (value: unknown) => void
  readonly reject: (error: unknown) => void
}

/** A group that the driver is writing. */
interface Flight {
  readonly touched: Touched
  /** Entries that touch what it touches: they are looked at again once it has landed. */
  readonly behind: Array<Entry>
}

/** What write turns are made of. */
export interface Parts {
  readonly driver: StorageDriver
  readonly caches: Caches
  readonly now: () => number
  readonly schedule: (run: () => void) => void
  readonly maxGroup: number
  readonly maxWaiting: number
  /** Throws when a commit can't be kept. */
  readonly check: (commit: Commit) => void
  readonly announce: (workspaces: ReadonlyArray<string>, timers: boolean) => void
}

// While one group is written another is decided, but only when many wait: a group that gathers more costs each less.
const maxFlights = 2

/** Takes what is waiting, lets it be decided, and commits what touches different keys as one group. */
export class WriteTurns {
  readonly #parts: Parts
  readonly #waiting = new EntryHeap<Entry>()
  /** A lane is here while one of its entries waits, is in the turn or in a flight, with those behind it. */
  readonly #lanes = new Map<string, Array<Entry>>()
  readonly #flights = new Set<Flight>()
  /** Flights land in the order of their departure. */
  #landed: Promise<void> = Promise.resolve()
  #arrivals = 0
  /** Entries that are in no turn and no flight. */
  #count = 0
  #isAwake = false
  #isClosed = false
  #onIdle: (() => void) | undefined
  constructor(parts: Parts) {
    this.#parts = parts
  }

  /** **Fails with** (thrown) what says that nothing more is taken. */
  admit(): void {
    if (this.#isClosed) throw new StorageUnavailableError("nothing written", new Error("It was closed."))
    if (this.#count >= this.#parts.maxWaiting) throw new StorageBusyError(this.#count)
  }

  enter<A>(workspace: string, work: Work): Promise<A> {
    return new Promise<A>((resolve, reject) => {
      this.#count++
      this.#queue({
        arrival: this.#arrivals++,
        workspace,
        work,
        commit: "commit" in work ? work.commit : undefined,
        value: undefined,
        tries: 0,
        resolve: resolve as (value: unknown) => void,
        reject
      })
      this.#wake()
    })
  }

  /** Finishes what has entered; nothing more may. */
  async close(): Promise<void> {
    this.#isClosed = true
    if (this.#isAwake || this.#flights.size > 0)
      await new Promise<void>((resolve) => {
        this.#onIdle = resolve
      })
  }

  #queue(entry: Entry): void {
    if (!("lane" in entry.work)) {
      this.#waiting.push(entry)
      return
    }
    const behind = this.#lanes.get(entry.work.lane)
    if (behind !== undefined) behind.push(entry)
    else {
      this.#lanes.set(entry.work.lane, [])
      this.#waiting.push(entry)
    }
  }

  #wake(): void {
    const waiting = this.#waiting.size
    if (this.#isAwake) return
    if (waiting === 0) {
      if (this.#flights.size === 0) this.#onIdle?.()
      return
    }
    const { maxGroup, schedule } = this.#parts
    if (this.#flights.size > 0 && (this.#flights.size >= maxFlights || waiting < maxGroup / 2)) return
    this.#isAwake = true
    schedule(() => {
      void this.#turn().finally(() => {
        this.#isAwake = false
        this.#wake()
      })
    })
  }

  // ── One turn ──

  async #turn(): Promise<void> {
    const taken = this.#take()
    const first = taken[0]
    if (first !== undefined && "alone" in first.work) {
      await this.#landed
      return first.work.alone().then(first.resolve, first.reject)
    }
    const deciding: Array<Promise<void>> = []
    for (const entry of taken) {
      const epoch = this.#parts.caches.knownEpoch(entry.workspace) ?? (await this.#epochOf(entry))
      if (epoch !== undefined && "decide" in entry.work) deciding.push(this.#decide(entry, entry.work, epoch))
    }
    if (deciding.length > 0) await Promise.all(deciding)
    const flight: Flight = { touched: new Touched(), behind: [] }
    const group: Array<Entry> = []
    for (const entry of taken) {
      if (entry.commit === undefined) continue
      const ahead = this.#aheadOf(entry.commit)
      if (ahead === undefined && flight.touched.add(entry.commit)) group.push(entry)
      else {
        this.#count++
        if (ahead === undefined) this.#waiting.push(entry)
        else ahead.behind.push(entry)
      }
    }
    if (group.length > 0) this.#depart(flight, group)
  }

  #take(): ReadonlyArray<Entry> {
    const taken: Array<Entry> = []
    while (taken.length < this.#parts.maxGroup) {
      const entry = this.#waiting.pop()
      if (entry === undefined) break
      const isAlone = "alone" in entry.work
      if (isAlone && taken.length > 0) {
        this.#waiting.push(entry)
        break
      }
      taken.push(entry)
      if (isAlone) break
    }
    this.#count -= taken.length
    return taken
  }

  #aheadOf(commit: Commit): Flight | undefined {
    for (const flight of this.#flights) if (flight.touched.meets(commit)) return flight
    return undefined
  }

  /** Known before anything that is remembered. Without it the entry has failed. */
  async #epochOf(entry: Entry): Promise<number | undefined> {
    try {
      return await this.#parts.caches.epoch(entry.workspace)
    } catch (error) {
      entry.commit = undefined
      this.#fail(entry, new StorageUnavailableError("nothing written", error))
      return undefined
    }
  }

  async #decide(
    entry: Entry,
    { decide, reads }: Extract<Work, { readonly decide: Decide }>,
    epoch: number
  ): Promise<void> {
    entry.commit = undefined
    try {
      const { commit, value } = await decide(
        entry.tries === 0 ? reads : this.#parts.caches.reads(entry.workspace, "fresh")
      )
      entry.value = value
      if (commit === undefined) {
        this.#settle(entry)
        entry.resolve(value)
        return
      }
      const whole = { ...commit, workspace: entry.workspace, epoch }
      this.#parts.check(whole)
      entry.commit = whole
    } catch (error) {
      this.#fail(entry, error)
    }
  }

  // ── Its group ──

  #depart(flight: Flight, group: ReadonlyArray<Entry>): void {
    const { driver, caches, now } = this.#parts
    this.#flights.add(flight)
    caches.begin(flight.touched)
    const commits = group.map((entry) => entry.commit!)
    const epochs = group.map(({ workspace }) => caches.knownEpoch(workspace))
    // A driver that throws at once has failed like one that rejects.
    const written = (async () => driver.commit(commits, now()))()
    const before = this.#landed
    this.#landed = (async () => {
      const [result] = await Promise.allSettled([written, before])
      caches.end(flight.touched)
      this.#flights.delete(flight)
      if (result.status === "fulfilled") this.#land(group, result.value, epochs)
      else this.#crash(group, result.reason)
      for (const entry of flight.behind) this.#waiting.push(entry)
      this.#wake()
    })()
  }

  #land(
    group: ReadonlyArray<Entry>,
    outcomes: ReadonlyArray<Outcome>,
    epochs: ReadonlyArray<number | undefined>
  ): void {
    const { caches, announce } = this.#parts
    const grown = new Set<string>()
    let timers = false
    for (const [index, entry] of group.entries()) {
      const outcome = outcomes[index]!
      const commit = entry.commit!
      if (outcome.ok) {
        caches.remember(commit, outcome, epochs[index])
        if (outcome.positions.length > 0) grown.add(entry.workspace)
        if ((commit.timers?.length ?? 0) > 0) timers = true
        this.#settle(entry)
        entry.resolve("decide" in entry.work ? entry.value : outcome.positions)
        continue
      }
      const { conflict } = outcome
      if (conflict.kind === "epoch") caches.renew(entry.workspace, conflict.found)
      else caches.forget(commit)
      if ("decide" in entry.work && ++entry.tries < maxTries) {
        this.#count++
        this.#waiting.push(entry)
      } else this.#fail(entry, new ConflictError(entry.workspace, conflict))
    }
    if (grown.size > 0 || timers) announce([...grown], timers)
  }

  #crash(group: ReadonlyArray<Entry>, reason: unknown): void {
    const { caches } = this.#parts
    for (const entry of group) {
      caches.forget(entry.commit!)
      caches.forgetEvents(entry.workspace)
      this.#fail(entry, new StorageUnavailableError("unknown", reason))
    }
  }

  #settle(entry: Entry): void {
    if (!("lane" in entry.work)) return
    const { lane } = entry.work
    const next = this.#lanes.get(lane)?.shift()
    if (next === undefined) this.#lanes.delete(lane)
    else this.#waiting.push(next)
  }

  #fail(entry: Entry, error: unknown): void {
    this.#settle(entry)
    entry.reject(error)
  }
}
