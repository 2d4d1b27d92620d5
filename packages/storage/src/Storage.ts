/**
 * Storage as an application uses it, over whichever driver, with group commit, decisions inside the write turn, caches and limits.
 *
 * One write turn runs at a time. It takes what is waiting, lets the decisions be made on what they read, and commits
 * those that touch different keys as one group.
 */
import { EntryHeap } from "./internal/EntryHeap.ts"
import { Tail } from "./internal/Tail.ts"
import { Touched } from "./internal/Touched.ts"
import { checkCommit, checkKey, defaults, type Limits } from "./Limits.ts"
import { RecentMap } from "./RecentMap.ts"
import type {
  Commit,
  Conflict,
  Erased,
  Outcome,
  Page,
  Query,
  StorageCapabilities,
  StorageDriver,
  StoredClaim,
  StoredDocument,
  StoredEvent,
  StoredTimer,
  ViewDefinition
} from "./StorageDriver.ts"
import { checkDefinitions } from "./View.ts"

/** A commit within one workspace. */
export type WorkspaceCommit = Omit<Commit, "workspace">

/**
 * What a workspace holds, to read.
 *
 * **Gotchas** what is returned may be shared with a cache: treat it as read-only.
 */
export interface Reads {
  readonly stream: (stream: string, afterVersion?: number, limit?: number) => Promise<ReadonlyArray<StoredEvent>>
  /** 0 when there is no such stream. */
  readonly streamVersion: (stream: string) => Promise<number>
  readonly streamVersions: (streams: ReadonlyArray<string>) => Promise<ReadonlyArray<number>>
  readonly document: (view: string, key: string) => Promise<StoredDocument | undefined>
  /** In the order of `keys`. */
  readonly documents: (view: string, keys: ReadonlyArray<string>) => Promise<ReadonlyArray<StoredDocument | undefined>>
  readonly query: (query: Query) => Promise<Page>
  readonly claims: (keys: ReadonlyArray<string>) => Promise<ReadonlyArray<StoredClaim | undefined>>
  readonly cursor: (reader: string) => Promise<number>
  readonly timers: (keys: ReadonlyArray<string>) => Promise<ReadonlyArray<StoredTimer | undefined>>
  /** Events after a position; near the head from memory. May return fewer than `limit` before the head. */
  readonly journal: (afterPosition: number, limit: number) => Promise<ReadonlyArray<StoredEvent>>
  readonly head: () => Promise<number>
}

/** What a decision came to: what to commit, if anything, and what to answer. */
export interface Decision<A> {
  readonly commit?: WorkspaceCommit
  readonly value: A
}

/** A handle bound to one workspace: nothing it does reaches another. */
export interface Workspace extends Reads {
  readonly id: string
  /**
   * The same reads from the caches that decisions use, at a fraction of the cost. Where several processes write, a
   * document or claim may be behind what another has committed: compare its version with what you know, or read it
   * plainly.
   */
  readonly cached: Reads
  /**
   * Commits and returns the journal positions of the events.
   *
   * **Fails with** {@link ConflictError}, {@link StorageBusyError}, {@link StorageUnavailableError}, `StorageLimitError`,
   * `StorageInvalidError`.
   */
  readonly commit: (commit: WorkspaceCommit) => Promise<ReadonlyArray<number>>
  /**
   * Decides inside the write turn and commits what was decided.
   *
   * Decisions of one lane follow one another; each sees what those before it committed. After a conflict it is decided
   * again, up to 10 times. When `decide` throws, its caller alone is rejected.
   *
   * **Fails with** what `decide` throws, and all that {@link Workspace.commit} fails with.
   *
   * **Gotchas** the whole turn waits for `decide`: it reads storage and computes, and never calls the outside. What it
   * read is only sure if the commit guards it: append with the version seen, or add a guard (an append without events).
   */
  readonly turn: <A>(lane: string, decide: (reads: Reads) => Promise<Decision<A>>) => Promise<A>
  /** Removes everything personal to a subject, in a turn of its own after the commits that came before, and forgets what was cached. */
  readonly erase: (subject: string) => Promise<Erased>
}

/** Storage, opened. What is not bound to a workspace is for the host, never for an application. */
export interface Storage {
  readonly capabilities: StorageCapabilities
  readonly workspace: (id: string) => Workspace
  readonly workspaces: () => Promise<ReadonlyArray<string>>
  readonly due: (nowMs: number, kinds: ReadonlyArray<string>, limit: number) => Promise<ReadonlyArray<StoredTimer>>
  readonly nextDueAtMs: (kinds: ReadonlyArray<string>) => Promise<number | undefined>
  readonly lagging: StorageDriver["lagging"]
  /**
   * Calls back after commits with the workspaces whose journal grew, and whether timers were set or cleared; with
   * another process's commits too where the driver can notify. Returns how to stop.
   */
  readonly changes: (listener: (workspaces: ReadonlyArray<string>, timers: boolean) => void) => () => void
  readonly sweep: (nowMs: number) => Promise<number>
  /** Commits what is waiting, then closes the driver. Later commits are refused. */
  readonly close: () => Promise<void>
}

/**
 * How storage is opened.
 *
 * **Units** `now` returns epoch milliseconds.
 */
export interface Options {
  readonly views: ReadonlyArray<ViewDefinition>
  readonly now: () => number
  /** Starts the next write turn. Default `queueMicrotask`; a server passes `setImmediate`, so that its sockets get their turn too. */
  readonly schedule?: (run: () => void) => void
  /** Commits per group at most. Default 256. */
  readonly maxGroup?: number
  /** Commits waiting at most; over it callers are refused at once. Default 10,000. */
  readonly maxWaiting?: number
  /** Documents, stream versions and claims kept in memory, each at least so many. Default 20,000; 0 for none. */
  readonly cachedDocuments?: number
  /** Latest events kept in memory per workspace, at least. Default 4,096. */
  readonly cachedEvents?: number
  readonly limits?: Partial<Limits>
}

/** Something stood elsewhere than the commit expected; nothing was written. Read again, decide again. */
export class ConflictError extends Error {
  readonly _tag = "ConflictError"
  readonly code = "storage-conflict"
  readonly workspace: string
  readonly conflict: Conflict
  constructor(workspace: string, conflict: Conflict) {
    super(
      conflict.kind === "claim"
        ? `The claim "${conflict.key}" ${conflict.found === undefined ? "is not held" : "stands otherwise"}. Read it and decide again.`
        : `The ${conflict.kind} "${conflict.key}" stands at ${conflict.found}, not ${conflict.expected}. Read it and decide again.`
    )
    this.name = "ConflictError"
    this.workspace = workspace
    this.conflict = conflict
  }
}

/** Too many commits are waiting; nothing was written. Try again a little later. */
export class StorageBusyError extends Error {
  readonly _tag = "StorageBusyError"
  readonly code = "storage-busy"
  readonly retryable = true
  readonly waiting: number
  constructor(waiting: number) {
    super(`Storage is busy: ${waiting} commits are waiting. Nothing was written; try again a little later.`)
    this.name = "StorageBusyError"
    this.waiting = waiting
  }
}

/**
 * The driver failed. With `outcome` "unknown" the commit may or may not have been written: read what it would have
 * changed before trying again. With "nothing written" it certainly was not.
 */
export class StorageUnavailableError extends Error {
  readonly _tag = "StorageUnavailableError"
  readonly code = "storage-unavailable"
  readonly outcome: "unknown" | "nothing written"
  constructor(outcome: "unknown" | "nothing written", cause: unknown) {
    const reason = cause instanceof Error ? cause.message : String(cause)
    super(
      outcome === "unknown"
        ? `Storage failed and the outcome is unknown: ${reason} Read what the commit would have changed before trying again.`
        : `Storage is not available: ${reason} Nothing was written.`,
      { cause }
    )
    this.name = "StorageUnavailableError"
    this.outcome = outcome
  }
}

/** How often a decision is made again after conflicts. */
export const maxTries = 10

interface Entry {
  readonly arrival: number
  readonly workspace: string
  readonly lane: string | undefined
  readonly reads: Reads
  readonly decide: ((reads: Reads) => Promise<Decision<unknown>>) | undefined
  /** What runs in a turn of its own, instead of a commit. */
  readonly alone: (() => Promise<unknown>) | undefined
  commit: Commit | undefined
  value: unknown
  tries: number
  readonly resolve: (value: unknown) => void
  readonly reject: (error: unknown) => void
}

/** A document that is known not to exist. */
const absent: StoredDocument = { key: "", document: {} }

/** Where a workspace's documents of one view are cached; neither name may hold NUL. */
const groupOf = (workspace: string, view: string) => `${workspace}\0${view}`

/**
 * Opens storage over a driver.
 *
 * **Fails with** what the driver's `prepare` fails with, and `StorageInvalidError` for a view that can't be.
 *
 * **Example**
 * ```ts
 * import { strict as assert } from "node:assert"
 * import { MemoryStorage, Storage } from "@switchboard/storage"
 *
 * const counters = { name: "counters", version: 1, fields: { count: "number" }, indexes: [["count"]] } as const
 * const storage = await Storage.open(MemoryStorage.make(), { views: [counters], now: () => 0 })
 * const acme = storage.workspace("acme")
 *
 * const increase = () =>
 *   acme.turn("counter/1", async (reads) => {
 *     const stored = await reads.document("counters", "1")
 *     const version = stored?.version ?? 0
 *     const event = { type: "Increased", schema: 1, recordedAtMs: 0, body: {} }
 *     return {
 *       value: version + 1,
 *       commit: {
 *         appends: [{ stream: "counter/1", expectedVersion: version, events: [event] }],
 *         views: [{ view: "counters", key: "1", put: { count: version + 1 }, version: version + 1 }]
 *       }
 *     }
 *   })
 * assert.deepEqual(await Promise.all([increase(), increase(), increase()]), [1, 2, 3])
 * assert.equal(await acme.head(), 3)
 * await storage.close()
 * ```
 */
export const open = async (driver: StorageDriver, options: Options): Promise<Storage> => {
  const { now, schedule = queueMicrotask, maxGroup = 256, maxWaiting = 10_000 } = options
  const { cachedDocuments = 20_000, cachedEvents = 4_096 } = options
  const limits: Limits = { ...defaults, ...options.limits }
  checkDefinitions(options.views)
  const views = new Map(options.views.map((view) => [view.name, view]))
  await driver.prepare(options.views)
  const { multiProcess, notify } = driver.capabilities

  const documentCache = new RecentMap<StoredDocument>(cachedDocuments)
  const versionCache = new RecentMap<number>(cachedDocuments)
  const claimCache = new RecentMap<StoredClaim>(cachedDocuments)
  const tail = new Tail(cachedEvents, 256)
  // Raised when writing begins and ends: what was read across either is not cached, it may be old.
  let writes = 0
  let writing = false

  // ── Reads ──

  // After a conflict `fresh` reads pass by the caches and refill them: something else has written.

  const documents = async (
    workspace: string,
    view: string,
    keys: ReadonlyArray<string>,
    fresh: boolean
  ): Promise<ReadonlyArray<StoredDocument | undefined>> => {
    const group = groupOf(workspace, view)
    const found: Array<StoredDocument | undefined> = new Array(keys.length).fill(undefined)
    const missing: Array<number> = []
    for (let index = 0; index < keys.length; index++) {
      const cached = fresh ? undefined : documentCache.get(group, keys[index]!)
      if (cached === undefined) missing.push(index)
      else if (cached !== absent) found[index] = cached
    }
    if (missing.length === 0) return found
    const before = writing ? -1 : writes
    const asked = missing.length === keys.length ? keys : missing.map((index) => keys[index]!)
    const read = await driver.documents(workspace, view, asked)
    for (const [place, index] of missing.entries()) {
      const document = read[place]
      found[index] = document
      if (before === writes) documentCache.set(group, keys[index]!, document ?? absent)
    }
    return found
  }

  const streamVersions = async (
    workspace: string,
    names: ReadonlyArray<string>,
    fresh: boolean
  ): Promise<ReadonlyArray<number>> => {
    const found = names.map((stream) => (fresh ? undefined : versionCache.get(workspace, stream)))
    if (!found.includes(undefined)) return found as ReadonlyArray<number>
    const before = writing ? -1 : writes
    const missing = names.filter((_, index) => found[index] === undefined)
    const read = await driver.streamVersions(workspace, missing)
    let place = 0
    return found.map((version, index) => {
      if (version !== undefined) return version
      const stands = read[place++]!
      if (before === writes) versionCache.set(workspace, names[index]!, stands)
      return stands
    })
  }

  const claims = async (
    workspace: string,
    keys: ReadonlyArray<string>,
    fresh: boolean
  ): Promise<ReadonlyArray<StoredClaim | undefined>> => {
    const nowMs = now()
    const found = keys.map((key) => {
      const cached = fresh ? undefined : claimCache.get(workspace, key)
      return cached?.expiresAtMs !== undefined && cached.expiresAtMs <= nowMs ? undefined : cached
    })
    if (!found.includes(undefined)) return found
    const before = writing ? -1 : writes
    const read = await driver.claims(
      workspace,
      keys.filter((_, index) => found[index] === undefined),
      nowMs
    )
    let place = 0
    return found.map((claim, index) => {
      if (claim !== undefined) return claim
      const stands = read[place++]
      // What has expired or was released elsewhere must not be found again.
      if (stands === undefined) claimCache.delete(workspace, keys[index]!)
      else if (before === writes) claimCache.set(workspace, keys[index]!, stands)
      return stands
    })
  }

  const journal = async (workspace: string, after: number, limit: number): Promise<ReadonlyArray<StoredEvent>> => {
    const kept = tail.after(workspace, after, limit)
    // Another process may have gone on where this one's memory ends.
    if (kept !== undefined && (kept.length > 0 || !multiProcess)) return kept
    return driver.journal(workspace, after, limit)
  }

  const readsOf = (workspace: string, from: "cache" | "fresh" | "driver"): Reads => {
    const fresh = from === "fresh"
    const read: Pick<Reads, "documents" | "streamVersions" | "claims"> =
      from === "driver"
        ? {
            documents: (view, keys) => driver.documents(workspace, view, keys),
            streamVersions: (streams) => driver.streamVersions(workspace, streams),
            claims: (keys) => driver.claims(workspace, keys, now())
          }
        : {
            documents: (view, keys) => documents(workspace, view, keys, fresh),
            streamVersions: (streams) => streamVersions(workspace, streams, fresh),
            claims: (keys) => claims(workspace, keys, fresh)
          }
    return {
      ...read,
      document: (view, key) => {
        // Most reads of a decision end here.
        const cached = from === "cache" ? documentCache.get(groupOf(workspace, view), key) : undefined
        if (cached !== undefined) return Promise.resolve(cached === absent ? undefined : cached)
        return read.documents(view, [key]).then(([document]) => document)
      },
      streamVersion: async (stream) => (await read.streamVersions([stream]))[0]!,
      stream: (stream, afterVersion = 0, limit = Number.MAX_SAFE_INTEGER) =>
        driver.stream(workspace, stream, afterVersion, limit),
      query: (query) => driver.query(workspace, query),
      cursor: (reader) => driver.cursor(workspace, reader),
      timers: (keys) => driver.timers(workspace, keys),
      journal: (after, limit) => journal(workspace, after, limit),
      head: async () => (multiProcess ? undefined : tail.head(workspace)) ?? (await driver.head(workspace))
    }
  }

  // ── After a commit ──

  const listeners = new Set<(workspaces: ReadonlyArray<string>, timers: boolean) => void>()
  const announce = (workspaces: ReadonlyArray<string>, timers: boolean) => {
    // In a microtask of its own: a listener that throws must not reach the turn.
    for (const listener of listeners) queueMicrotask(() => listener(workspaces, timers))
  }

  const remember = (commit: Commit, outcome: Extract<Outcome, { ok: true }>): void => {
    const { workspace } = commit
    let index = 0
    for (const { stream, expectedVersion, events } of commit.appends ?? []) {
      versionCache.set(workspace, stream, expectedVersion + events.length)
      for (let each = 0; each < events.length; each++) {
        const event = events[each]!
        const position = outcome.positions[index++]!
        tail.push({
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
      documentCache.replace(
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
    for (const { key } of commit.claims ?? []) claimCache.delete(workspace, key)
  }

  const forget = ({ workspace, appends = [], views: changes = [], claims: taken = [] }: Commit): void => {
    for (const { stream } of appends) versionCache.delete(workspace, stream)
    for (const { view, key } of changes) documentCache.delete(groupOf(workspace, view), key)
    for (const { key } of taken) claimCache.delete(workspace, key)
  }

  // ── Write turns ──

  const waiting = new EntryHeap<Entry>()
  /** A lane is here while one of its entries is in `waiting` or in the turn, with those behind it. */
  const lanes = new Map<string, Array<Entry>>()
  let arrivals = 0
  let count = 0
  let awake = false
  let closed = false
  let idle: (() => void) | undefined

  const settle = (entry: Entry): void => {
    if (entry.lane === undefined) return
    const next = lanes.get(entry.lane)?.shift()
    if (next === undefined) lanes.delete(entry.lane)
    else waiting.push(next)
  }

  const fail = (entry: Entry, error: unknown): void => {
    settle(entry)
    entry.reject(error)
  }

  const decideEntry = async (entry: Entry, decide: NonNullable<Entry["decide"]>): Promise<void> => {
    try {
      const { commit, value } = await decide(entry.tries === 0 ? entry.reads : readsOf(entry.workspace, "fresh"))
      entry.value = value
      entry.commit = undefined
      if (commit === undefined) {
        settle(entry)
        entry.resolve(value)
        return
      }
      const whole: Commit = { ...commit, workspace: entry.workspace }
      checkCommit(limits, views, whole)
      entry.commit = whole
    } catch (error) {
      entry.commit = undefined
      fail(entry, error)
    }
  }

  const putBack = (entry: Entry): void => {
    count++
    waiting.push(entry)
  }

  const commitGroup = async (entries: ReadonlyArray<Entry>): Promise<void> => {
    const group = entries.map((entry) => entry.commit!)
    let outcomes: ReadonlyArray<Outcome>
    writes++
    writing = true
    try {
      outcomes = await driver.commit(group, now())
    } catch (error) {
      for (const entry of entries) {
        forget(entry.commit!)
        tail.forget(entry.workspace)
        fail(entry, new StorageUnavailableError("unknown", error))
      }
      return
    } finally {
      writes++
      writing = false
    }
    const grown = new Set<string>()
    let timers = false
    for (const [index, entry] of entries.entries()) {
      const outcome = outcomes[index]!
      if (outcome.ok) {
        remember(entry.commit!, outcome)
        if (outcome.positions.length > 0) grown.add(entry.workspace)
        if ((entry.commit!.timers?.length ?? 0) > 0) timers = true
        settle(entry)
        entry.resolve(entry.decide === undefined ? outcome.positions : entry.value)
        continue
      }
      forget(entry.commit!)
      if (entry.decide !== undefined && ++entry.tries < maxTries) putBack(entry)
      else fail(entry, new ConflictError(entry.workspace, outcome.conflict))
    }
    if (grown.size > 0 || timers) announce([...grown], timers)
  }

  const turn = async (): Promise<void> => {
    const taken: Array<Entry> = []
    while (taken.length < maxGroup) {
      const entry = waiting.pop()
      if (entry === undefined) break
      if (entry.alone !== undefined && taken.length > 0) {
        waiting.push(entry)
        break
      }
      taken.push(entry)
      if (entry.alone !== undefined) break
    }
    count -= taken.length
    const alone = taken[0]?.alone
    if (alone !== undefined) return alone().then(taken[0]!.resolve, taken[0]!.reject)
    const deciding: Array<Promise<void>> = []
    for (const entry of taken) if (entry.decide !== undefined) deciding.push(decideEntry(entry, entry.decide))
    if (deciding.length > 0) await Promise.all(deciding)
    const touched = new Touched()
    const group: Array<Entry> = []
    for (const entry of taken) {
      if (entry.commit === undefined) continue
      if (touched.add(entry.commit)) group.push(entry)
      else putBack(entry)
    }
    if (group.length > 0) await commitGroup(group)
  }

  const wake = (): void => {
    if (awake) return
    awake = true
    schedule(() => {
      void turn().finally(() => {
        awake = false
        if (waiting.size > 0) wake()
        else idle?.()
      })
    })
  }

  const admit = (): void => {
    if (closed) throw new StorageUnavailableError("nothing written", new Error("It was closed."))
    if (count >= maxWaiting) throw new StorageBusyError(count)
  }

  const enqueue = (entry: Entry): void => {
    count++
    if (entry.lane === undefined) waiting.push(entry)
    else {
      const behind = lanes.get(entry.lane)
      if (behind !== undefined) behind.push(entry)
      else {
        lanes.set(entry.lane, [])
        waiting.push(entry)
      }
    }
    wake()
  }

  const workspace = (id: string): Workspace => {
    checkKey(limits, "workspace", id)
    const reads = readsOf(id, "cache")
    const enter = <A>(work: Partial<Pick<Entry, "lane" | "decide" | "alone" | "commit">>): Promise<A> =>
      new Promise<A>((resolve, reject) =>
        enqueue({
          arrival: arrivals++,
          workspace: id,
          lane: work.lane,
          reads,
          decide: work.decide,
          alone: work.alone,
          commit: work.commit,
          value: undefined,
          tries: 0,
          resolve: resolve as (value: unknown) => void,
          reject
        })
      )
    const erase = async (subject: string): Promise<Erased> => {
      writes++
      writing = true
      try {
        return await driver.erase(id, subject)
      } catch (error) {
        throw new StorageUnavailableError("unknown", error)
      } finally {
        writes++
        writing = false
        documentCache.clear()
        claimCache.clear()
        tail.forget(id)
      }
    }
    return {
      ...(multiProcess ? readsOf(id, "driver") : reads),
      id,
      cached: reads,
      commit: async (commit) => {
        admit()
        const whole: Commit = { ...commit, workspace: id }
        checkCommit(limits, views, whole)
        return enter({ commit: whole })
      },
      turn: async (lane, decide) => {
        admit()
        return enter({ lane: `${id}\0${lane}`, decide })
      },
      erase: async (subject) => {
        admit()
        return enter({ alone: () => erase(subject) })
      }
    }
  }

  return {
    capabilities: driver.capabilities,
    workspace,
    workspaces: () => driver.workspaces(),
    due: (nowMs, kinds, limit) => driver.due(nowMs, kinds, limit),
    nextDueAtMs: (kinds) => driver.nextDueAtMs(kinds),
    lagging: (reader) => driver.lagging(reader),
    changes: (listener) => {
      listeners.add(listener)
      const stop = notify ? driver.watch((workspaces) => listener(workspaces, true)) : undefined
      return () => {
        listeners.delete(listener)
        stop?.()
      }
    },
    sweep: (nowMs) => driver.sweep(nowMs),
    close: async () => {
      if (closed) return
      closed = true
      if (awake)
        await new Promise<void>((resolve) => {
          idle = resolve
        })
      await driver.close()
    }
  }
}
