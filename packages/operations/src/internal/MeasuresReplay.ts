/** The measures folded anew from the journal, beside those that are there. */
import { DeskEvent } from "@switchboard/desk"
import * as MetricsReactor from "@switchboard/desk/MetricsReactor"
import { batchSize, type Reactor } from "@switchboard/desk/Reactor"
import type { Storage, StorageDriver } from "@switchboard/storage"
import { isSame, readStream } from "./Fold.ts"
import { Held } from "./Held.ts"
import { openPrepared } from "./Prepared.ts"

/** Where the reactor of the measures keeps what it makes, those first that the others follow from. */
export const measureViews = ["metricStates", "metricBuckets"] as const

/**
 * How a replay is held in memory.
 *
 * **Shape** of `held` conversations the states are held at least; the state of another is made anew from its stream when
 * it is needed. `onState` is told of every document that leaves memory (1) and comes back (-1). With `settles`, buckets
 * leave it for good once they are as the storage has them.
 */
export interface ReplayOptions {
  readonly held: number
  readonly settles: boolean
  readonly onState: (conversationId: string, document: StorageDriver.JsonObject, sign: 1 | -1) => void
}

/** Buckets that are held before it is seen which of them may leave. */
const leastBuckets = 500

/** A desk's measures as the journal tells them up to a position. */
export class MeasuresReplay {
  position = 0
  /** By their key, those that have not settled. */
  readonly buckets = new Map<string, StorageDriver.JsonObject>()
  /** The keys of buckets that are as they should be. */
  readonly settled = new Set<string>()
  readonly #reads: Storage.Reads
  readonly #states: Held<StorageDriver.JsonObject>
  readonly #options: ReplayOptions
  readonly #reactor: Reactor = MetricsReactor.make()
  #mostBuckets: number

  private constructor(reads: Storage.Reads, options: ReplayOptions) {
    this.#reads = reads
    this.#options = options
    this.#mostBuckets = Math.min(leastBuckets, options.held)
    this.#states = new Held(options.held, (id, document) => options.onState(id, document, 1))
  }

  static async make(
    driver: StorageDriver.StorageDriver,
    workspace: string,
    options: ReplayOptions
  ): Promise<MeasuresReplay> {
    return new MeasuresReplay((await openPrepared(driver)).workspace(workspace), options)
  }

  /** Takes events that follow on its position. */
  async take(events: ReadonlyArray<DeskEvent.Recorded>): Promise<void> {
    const last = events.at(-1)
    if (!last) return
    const begun = new Set(
      events.flatMap((recorded) => (recorded.event.type === "ConversationOpened" ? [recorded.id] : []))
    )
    /** Out of what is held while they are used: none of them may leave meanwhile. */
    const used = new Map<string, StorageDriver.JsonObject>()
    const changes = await this.#react(events, async (view, key) => {
      if (view === "metricBuckets") return this.buckets.get(key)
      const state = this.#states.take(key) ?? (begun.has(key) ? undefined : await this.#stateOf(key))
      if (state) used.set(key, state)
      return state
    })
    for (const { view, key, put } of changes) (view === "metricBuckets" ? this.buckets : used).set(key, put)
    for (const [key, state] of used) this.#states.set(key, state)
    this.position = last.position
    if (this.#options.settles && this.buckets.size >= this.#mostBuckets) await this.#settle()
  }

  /** Reads on, exactly up to a position. */
  async advance(to: number, onProgress?: (position: number) => void): Promise<void> {
    while (this.position < to) {
      const page = await this.#reads.journal(this.position, Math.min(batchSize, to - this.position))
      if (page.length === 0) return
      await this.take(page.map(DeskEvent.decode))
      onProgress?.(this.position)
    }
  }

  /** What a view should hold, as far as it is held. */
  documents(view: (typeof measureViews)[number]): ReadonlyMap<string, StorageDriver.JsonObject> {
    return view === "metricBuckets" ? this.buckets : new Map(this.#states.entries())
  }

  /** Lets all states leave. */
  end(): void {
    this.#states.clear()
  }

  async #react(
    events: ReadonlyArray<DeskEvent.Recorded>,
    find: (view: string, key: string) => Promise<StorageDriver.JsonObject | undefined>
  ): Promise<ReadonlyArray<StorageDriver.ViewChange & { readonly put: StorageDriver.JsonObject }>> {
    const documents: Storage.Reads["documents"] = (view, keys) =>
      Promise.all(
        keys.map(async (key) => {
          const document = await find(view, key)
          return document && { key, document }
        })
      )
    const { commit } = await this.#reactor.react(events, { ...this.#reads, documents }, 0)
    return (commit.views ?? []).flatMap((change) => ("put" in change ? [change] : []))
  }

  /** The state of a conversation that is not held: nothing but its own events makes it. */
  async #stateOf(id: string): Promise<StorageDriver.JsonObject | undefined> {
    const events = await readStream(this.#reads, DeskEvent.streams.conversation(id))
    const earlier = events.filter(({ position }) => position <= this.position)
    if (earlier.length === 0) return undefined
    const changes = await this.#react(earlier, async () => undefined)
    const state = changes.find(({ view }) => view === "metricStates")?.put
    if (state) this.#options.onState(id, state, -1)
    return state
  }

  /**
   * Lets go of the buckets that are as the storage has them. It has read at least as far, so that nothing is to come for
   * them: what comes all the same is missing there.
   */
  async #settle(): Promise<void> {
    const keys = [...this.buckets.keys()]
    const found = await this.#reads.documents("metricBuckets", keys)
    for (const [index, key] of keys.entries()) {
      const stored = found[index]
      if (!stored || !isSame(stored.document, this.buckets.get(key)!)) continue
      this.buckets.delete(key)
      this.settled.add(key)
    }
    this.#mostBuckets = 2 * this.buckets.size + Math.min(leastBuckets, this.#options.held)
  }
}
