import { RecentMap } from "../RecentMap.ts"
import type { Reads } from "../Storage.ts"
import type { Commit, Outcome, StorageDriver, StoredClaim, StoredDocument, StoredEvent } from "../StorageDriver.ts"
import { Tail } from "./Tail.ts"
import { kinds, type Touched } from "./Touched.ts"

/** A document that is known not to exist. */
const absent: StoredDocument = { key: "", document: {} }

/** Where a workspace's documents of one view are cached; neither name may hold NUL. */
const groupOf = (workspace: string, view: string) => `${workspace}\0${view}`

/** How a read finds its answer. `fresh` passes by the caches and refills them: something else has written. */
export type From = "cache" | "fresh" | "driver"

/** What was read and written lately, so that most decisions ask the driver for nothing. */
export class Caches {
  readonly #driver: StorageDriver
  readonly #now: () => number
  readonly #documents: RecentMap<StoredDocument>
  readonly #versions: RecentMap<number>
  readonly #claims: RecentMap<StoredClaim>
  readonly #tail: Tail
  /** The epoch of each workspace that something is remembered of: known before anything that is read. */
  readonly #epochs = new Map<string, number>()
  readonly #multiProcess: boolean
  /** What is being written. */
  readonly #writing = new Set<Touched>()
  /** Raised when writing begins and ends: what was read across either is not cached, it may be old. */
  #writes = 0
  constructor(driver: StorageDriver, now: () => number, documents: number, events: number) {
    this.#driver = driver
    this.#now = now
    this.#documents = new RecentMap(documents)
    this.#versions = new RecentMap(documents)
    this.#claims = new RecentMap(documents)
    this.#tail = new Tail(events, 256)
    this.#multiProcess = driver.capabilities.multiProcess
  }

  // ── Writing ──

  /** From now on what these commits touch may change. */
  begin(touched: Touched): void {
    this.#writes++
    this.#writing.add(touched)
  }

  end(touched: Touched): void {
    this.#writes++
    this.#writing.delete(touched)
  }

  /** Whether what was read since `before` of a key still stands so. */
  #stands(before: number, workspace: string, kind: string, key: string): boolean {
    if (before !== this.#writes) return false
    for (const touched of this.#writing) if (touched.has(workspace, kind, key)) return false
    return true
  }

  /** `epoch` was known when it departed. Another one now: it may have been written before what raised that. */
  remember(commit: Commit, outcome: Extract<Outcome, { ok: true }>, epoch: number | undefined): void {
    const { workspace } = commit
    if (this.#epochs.get(workspace) !== epoch) {
      this.forget(commit)
      this.forgetEvents(workspace)
      return
    }
    let index = 0
    for (const { stream, expectedVersion, events } of commit.appends ?? []) {
      this.#versions.set(workspace, stream, expectedVersion + events.length)
      for (let each = 0; each < events.length; each++) {
        const event = events[each]!
        const position = outcome.positions[index++]!
        this.#tail.push({
          workspace,
          position,
          stream,
          version: expectedVersion + each + 1,
          type: event.type,
          schema: event.schema,
          recordedAtMs:
            outcome.raised?.find((raised) => raised.position === position)?.recordedAtMs ?? event.recordedAtMs,
          body: event.body,
          ...(event.personal === undefined ? {} : { personal: event.personal })
        })
      }
    }
    for (const change of commit.views ?? []) {
      const { key } = change
      this.#documents.replace(
        groupOf(workspace, change.view),
        key,
        !("put" in change)
          ? absent
          : change.version === undefined
            ? { key, document: change.put }
            : { key, document: change.put, version: change.version }
      )
    }
    // Only the driver knows the revision it gave.
    for (const { key } of commit.claims ?? []) this.#claims.delete(workspace, key)
  }

  /** Nothing cached of what a commit touches is trusted again. */
  forget({ workspace, appends = [], views = [], claims = [] }: Commit): void {
    for (const { stream } of appends) this.#versions.delete(workspace, stream)
    for (const { view, key } of views) this.#documents.delete(groupOf(workspace, view), key)
    for (const { key } of claims) this.#claims.delete(workspace, key)
  }

  forgetEvents(workspace: string): void {
    this.#tail.forget(workspace)
  }

  // ── Epochs ──

  /** The epoch under which what is remembered of a workspace may be relied on, where it is known. */
  knownEpoch(workspace: string): number | undefined {
    return this.#epochs.get(workspace)
  }

  /** The same, read where it isn't known. */
  async epoch(workspace: string): Promise<number> {
    const known = this.#epochs.get(workspace)
    if (known !== undefined) return known
    const read = await this.#driver.epoch(workspace)
    // What became known meanwhile is later. An earlier one does no harm: what names it is refused, and then it is known.
    if (!this.#epochs.has(workspace)) this.#epochs.set(workspace, read)
    return this.#epochs.get(workspace)!
  }

  /** The epoch of a workspace has been raised: nothing that is remembered of it may be relied on. */
  renew(workspace: string, epoch: number): void {
    if (this.#epochs.get(workspace) === epoch) return
    this.#forgetAll(workspace)
    this.#epochs.set(workspace, epoch)
  }

  /** Of all workspaces, as far as what is kept is not told apart by them. */
  #forgetAll(workspace: string): void {
    // No read that overlaps with it sees the same count before and after.
    this.#writes++
    this.#documents.clear()
    this.#versions.clear()
    this.#claims.clear()
    this.#tail.forget(workspace)
    this.#epochs.delete(workspace)
  }

  /** Does what changes anything at all of a workspace, and remembers nothing of it. */
  async without<A>(workspace: string, change: () => Promise<A>): Promise<A> {
    this.#writes++
    try {
      return await change()
    } finally {
      this.#forgetAll(workspace)
    }
  }

  // ── Reading ──

  reads(workspace: string, from: From): Reads {
    const driver = this.#driver
    const fresh = from === "fresh"
    const read: Pick<Reads, "documents" | "streamVersions" | "claims"> =
      from === "driver"
        ? {
            documents: (view, keys) => driver.documents(workspace, view, keys),
            streamVersions: (streams) => driver.streamVersions(workspace, streams),
            claims: (keys) => driver.claims(workspace, keys, this.#now())
          }
        : {
            documents: (view, keys) => this.#readDocuments(workspace, view, keys, fresh),
            streamVersions: (streams) => this.#readVersions(workspace, streams, fresh),
            claims: (keys) => this.#readClaims(workspace, keys, fresh)
          }
    return {
      ...read,
      document: (view, key) => {
        // Most reads of a decision end here.
        const cached = from === "cache" ? this.#documents.get(groupOf(workspace, view), key) : undefined
        if (cached !== undefined) return Promise.resolve(cached === absent ? undefined : cached)
        return read.documents(view, [key]).then(([document]) => document)
      },
      streamVersion: async (stream) => (await read.streamVersions([stream]))[0]!,
      stream: (stream, afterVersion = 0, limit = Number.MAX_SAFE_INTEGER) =>
        driver.stream(workspace, stream, afterVersion, limit),
      query: (query) => driver.query(workspace, query),
      cursor: (reader) => driver.cursor(workspace, reader),
      timers: (keys) => driver.timers(workspace, keys),
      journal: (after, limit) => this.#readJournal(workspace, after, limit),
      head: async () => (this.#multiProcess ? undefined : this.#tail.head(workspace)) ?? (await driver.head(workspace))
    }
  }

  async #readDocuments(
    workspace: string,
    view: string,
    keys: ReadonlyArray<string>,
    fresh: boolean
  ): Promise<ReadonlyArray<StoredDocument | undefined>> {
    const group = groupOf(workspace, view)
    const found: Array<StoredDocument | undefined> = new Array(keys.length).fill(undefined)
    const missing: Array<number> = []
    for (let index = 0; index < keys.length; index++) {
      const cached = fresh ? undefined : this.#documents.get(group, keys[index]!)
      if (cached === undefined) missing.push(index)
      else if (cached !== absent) found[index] = cached
    }
    if (missing.length === 0) return found
    await this.epoch(workspace)
    const before = this.#writes
    const asked = missing.length === keys.length ? keys : missing.map((index) => keys[index]!)
    const read = await this.#driver.documents(workspace, view, asked)
    for (const [place, index] of missing.entries()) {
      const document = read[place]
      found[index] = document
      if (this.#stands(before, workspace, view, keys[index]!))
        this.#documents.set(group, keys[index]!, document ?? absent)
    }
    return found
  }

  async #readVersions(workspace: string, names: ReadonlyArray<string>, fresh: boolean): Promise<ReadonlyArray<number>> {
    const found = names.map((stream) => (fresh ? undefined : this.#versions.get(workspace, stream)))
    if (!found.includes(undefined)) return found as ReadonlyArray<number>
    await this.epoch(workspace)
    const before = this.#writes
    const missing = names.filter((_, index) => found[index] === undefined)
    const read = await this.#driver.streamVersions(workspace, missing)
    let place = 0
    return found.map((version, index) => {
      if (version !== undefined) return version
      const stands = read[place++]!
      if (this.#stands(before, workspace, kinds.stream, names[index]!))
        this.#versions.set(workspace, names[index]!, stands)
      return stands
    })
  }

  async #readClaims(
    workspace: string,
    keys: ReadonlyArray<string>,
    fresh: boolean
  ): Promise<ReadonlyArray<StoredClaim | undefined>> {
    const nowMs = this.#now()
    const found = keys.map((key) => {
      const cached = fresh ? undefined : this.#claims.get(workspace, key)
      return cached?.expiresAtMs !== undefined && cached.expiresAtMs <= nowMs ? undefined : cached
    })
    if (!found.includes(undefined)) return found
    await this.epoch(workspace)
    const before = this.#writes
    const read = await this.#driver.claims(
      workspace,
      keys.filter((_, index) => found[index] === undefined),
      nowMs
    )
    let place = 0
    return found.map((claim, index) => {
      if (claim !== undefined) return claim
      const stands = read[place++]
      // What has expired or was released elsewhere must not be found again.
      if (stands === undefined) this.#claims.delete(workspace, keys[index]!)
      else if (this.#stands(before, workspace, kinds.claim, keys[index]!))
        this.#claims.set(workspace, keys[index]!, stands)
      return stands
    })
  }

  async #readJournal(workspace: string, after: number, limit: number): Promise<ReadonlyArray<StoredEvent>> {
    const kept = this.#tail.after(workspace, after, limit)
    // Another process may have gone on where this one's memory ends.
    if (kept !== undefined && (kept.length > 0 || !this.#multiProcess)) return kept
    return this.#driver.journal(workspace, after, limit)
  }
}
