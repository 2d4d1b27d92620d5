/**
 * Storage as an application uses it, over whichever driver, with group commit, decisions inside the write turn, caches and limits.
 *
 * One write turn runs at a time. It takes what is waiting, lets the decisions be made on what they read, and commits
 * those that touch different keys as one group. When many wait, the next turn decides while that is written.
 */
import { Caches } from "./internal/Caches.ts"
import { ranked } from "./internal/Ranking.ts"
import { WriteTurns } from "./internal/WriteTurns.ts"
import { checkCommit, checkKey, defaults, type Limits } from "./Limits.ts"
import {
  type Commit,
  type Erased,
  type Page,
  type Query,
  type StorageCapabilities,
  type StorageDriver,
  StorageInvalidError,
  type StoredClaim,
  type StoredDocument,
  type StoredEvent,
  type StoredTimer,
  type ViewDefinition
} from "./StorageDriver.ts"
import { StorageUnavailableError } from "./StorageError.ts"
import { checkDefinitions, textOf } from "./View.ts"
import { type Snippet, snippetOf, termsOf } from "./Words.ts"

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

/** A document that was found, and where. */
export interface Hit extends StoredDocument {
  readonly snippet: Snippet
}

/**
 * What a search found, the best first. `behind` is how many documents of the view, of all workspaces, are at most not
 * indexed as they stand: 0 when all are.
 */
export interface Hits {
  readonly hits: ReadonlyArray<Hit>
  readonly behind: number
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
   * plainly. Commit what you make of it at the `epoch` that stood before.
   */
  readonly cached: Reads
  /**
   * The epoch at which what `cached` reads from now on may be relied on. A commit that names it is refused once documents
   * were made other than by commits: erased, loaded or made anew by another process. A turn sees to that itself.
   */
  readonly epoch: () => Promise<number>
  /**
   * The documents of a view that hold all words of a text, the last as a beginning: what somebody types.
   *
   * **Shape** of the latest 200 that hold them, the best `limit` (default 20, 200 at most): whole words weigh more than
   * beginnings, many more than one, in short texts more than in long; of equals the latest is first. No words: nothing.
   *
   * **Fails with** `StorageInvalidError` for a view without words, and where the driver has no full text.
   */
  readonly search: (view: string, text: string, limit?: number) => Promise<Hits>
  /**
   * Commits and returns the journal positions of the events.
   *
   * **Fails with** `ConflictError`, `StorageBusyError`, `StorageUnavailableError`, `StorageLimitError`,
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
  /**
   * Removes everything personal to a subject, in a turn of its own after the commits that came before, and forgets what
   * was cached. With a `stream`, only the personal fields of the subject's events in that stream.
   */
  readonly erase: (subject: string, stream?: string) => Promise<Erased>
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
  /**
   * Brings full text forward by up to `limit` documents; returns how many are left at most, 0 where the driver has none. What is
   * committed is not indexed by itself: a host calls this soon after, while it has nothing better to do.
   */
  readonly index: (limit: number) => Promise<number>
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
  /** Commits per group at most. Default what suits the driver. */
  readonly maxGroup?: number
  /** Commits waiting at most; over it callers are refused at once. Default 10,000. */
  readonly maxWaiting?: number
  /** Documents, stream versions and claims kept in memory, each at least so many. Default 20,000; 0 for none. */
  readonly cachedDocuments?: number
  /** Latest events kept in memory per workspace, at least. Default 4,096. */
  readonly cachedEvents?: number
  readonly limits?: Partial<Limits>
}

/** Of so many a search looks for the best. */
const mostRanked = 200

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
  const { now, schedule = queueMicrotask, maxGroup = driver.groupSize ?? 128, maxWaiting = 10_000 } = options
  const { cachedDocuments = 20_000, cachedEvents = 4_096 } = options
  const limits: Limits = { ...defaults, ...options.limits }
  checkDefinitions(options.views)
  const views = new Map(options.views.map((view) => [view.name, view]))
  await driver.prepare(options.views)
  const { multiProcess, notify } = driver.capabilities

  const listeners = new Set<(workspaces: ReadonlyArray<string>, timers: boolean) => void>()
  const announce = (workspaces: ReadonlyArray<string>, timers: boolean) => {
    // In a microtask of its own: a listener that throws must not reach the turn.
    for (const listener of listeners) queueMicrotask(() => listener(workspaces, timers))
  }

  const caches = new Caches(driver, now, cachedDocuments, cachedEvents)
  const check = (commit: Commit) => checkCommit(limits, views, commit)
  const turns = new WriteTurns({ driver, caches, now, schedule, maxGroup, maxWaiting, check, announce })

  let isClosed = false

  const workspace = (id: string): Workspace => {
    checkKey(limits, "workspace", id)
    const reads = caches.reads(id, "cache")
    const search: Workspace["search"] = async (name, text, limit = 20) => {
      const view = views.get(name)
      const { fullText } = driver
      const refuse = (field: string, expected: string, found: string) =>
        new StorageInvalidError({ field, expected, found })
      if (fullText === undefined) throw refuse("driver", "one with full text", driver.name)
      if (view === undefined) throw refuse("view", "a view storage was opened with", name)
      if (!Number.isInteger(limit) || limit < 1 || limit > mostRanked)
        throw refuse("limit", `a whole number from 1 to ${mostRanked}`, String(limit))
      const terms = termsOf(text)
      if (terms.length === 0) return { hits: [], behind: 0 }
      const { documents, behind } = await fullText.search(id, { view: name, terms, limit: mostRanked })
      const best = ranked(view, terms, documents).slice(0, limit)
      return { behind, hits: best.map((hit) => ({ ...hit, snippet: snippetOf(textOf(view, hit.document), terms) })) }
    }
    const erase = async (...what: Parameters<Workspace["erase"]>): Promise<Erased> => {
      try {
        return await driver.erase(id, ...what)
      } catch (error) {
        throw new StorageUnavailableError("unknown", error)
      }
    }
    return {
      ...(multiProcess ? caches.reads(id, "driver") : reads),
      id,
      cached: reads,
      epoch: () => caches.epoch(id),
      search,
      commit: async (changes) => {
        turns.admit()
        const commit: Commit = { ...changes, workspace: id }
        check(commit)
        return turns.enter(id, { commit })
      },
      turn: async (lane, decide) => {
        turns.admit()
        return turns.enter(id, { lane: `${id}\0${lane}`, reads, decide })
      },
      erase: async (...what) => {
        turns.admit()
        return turns.enter(id, { alone: () => caches.without(id, () => erase(...what)) })
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
    index: async (limit) => driver.fullText?.index(limit) ?? 0,
    close: async () => {
      if (isClosed) return
      isClosed = true
      await turns.close()
      await driver.close()
    }
  }
}
