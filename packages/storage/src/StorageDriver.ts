/**
 * What a storage author writes: one atomic `commit` of many and a handful of reads, plain async functions on plain data.
 *
 * Storage keeps five things and knows nothing of conversations: the **journal** (events in streams, one gapless order
 * per workspace), **views** (documents with indexed fields), **timers**, **cursors** and **claims**.
 */

import type { Term } from "./Words.ts"

/** A JSON object as storage keeps it: only what `JSON.stringify` writes and `JSON.parse` reads back equal. */
export type JsonObject = { readonly [key: string]: unknown }

/**
 * One event to append.
 *
 * **Shape** `type` names it, `schema` is the version of its body's shape (from 1), `recordedAtMs` is our clock (epoch
 * milliseconds). `personal` holds the fields that belong to one person, kept apart so that {@link StorageDriver.erase}
 * can remove them and leave the event.
 */
export interface NewEvent {
  readonly type: string
  readonly schema: number
  readonly recordedAtMs: number
  readonly body: JsonObject
  readonly personal?: { readonly subject: string; readonly fields: JsonObject }
}

/** An event as it stands in the journal. `personal.fields` is `null` once the subject was erased. */
export interface StoredEvent {
  readonly workspace: string
  /** From 1, gapless within the workspace. */
  readonly position: number
  readonly stream: string
  /** From 1, gapless within the stream. */
  readonly version: number
  readonly type: string
  readonly schema: number
  /** Epoch milliseconds; never less than that of the event before it in the stream. */
  readonly recordedAtMs: number
  readonly body: JsonObject
  readonly personal?: { readonly subject: string; readonly fields: JsonObject | null }
}

/** Events for one stream, on the condition that it stands at `expectedVersion` (0: it does not exist). No events: a guard that only checks. */
export interface Append {
  readonly stream: string
  readonly expectedVersion: number
  readonly events: ReadonlyArray<NewEvent>
}

/**
 * The value of an indexed field; a missing property is stored as `null`.
 *
 * **Gotchas** text is searched and ordered by code points of its well-formed form (a lone surrogate counts as U+FFFD);
 * the document itself keeps exactly what was put. `false` comes before `true`.
 */
export type FieldValue = string | number | boolean | null

/**
 * A family of documents. `fields` names top-level properties of the document that can be searched, `indexes` the
 * combinations that must be fast: all but the last are matched for equality, the last also by range and order.
 */
export interface ViewDefinition {
  readonly name: string
  /** Raised when the shape of the documents changes. */
  readonly version: number
  readonly fields: { readonly [field: string]: "text" | "number" | "boolean" }
  readonly indexes: ReadonlyArray<ReadonlyArray<string>>
  /**
   * Where the words are that full text finds: paths of properties such as `subject` or `parts.text`. A path goes into the
   * items of lists; what it finds besides text is passed over.
   */
  readonly words?: ReadonlyArray<string>
}

/** Writes or deletes one document. `version` is the version of the stream it was folded from, `subject` the person whose erasure deletes it. */
export type ViewChange =
  | {
      readonly view: string
      readonly key: string
      readonly put: JsonObject
      readonly version?: number
      readonly subject?: string
    }
  | { readonly view: string; readonly key: string; readonly delete: true }

/** A document read back. */
export interface StoredDocument {
  readonly key: string
  readonly document: JsonObject
  readonly version?: number
}

/**
 * Something that must happen at an instant, exactly once per revision.
 *
 * **Shape** `kind` says who handles it, `key` is unique within the workspace, `dueAtMs` is epoch milliseconds,
 * `payload` is what the handler needs. Timers that share a `lane` come due one after another, oldest first: the next is
 * not due before the one ahead of it was cleared.
 */
export interface NewTimer {
  readonly kind: string
  readonly key: string
  readonly dueAtMs: number
  readonly payload: JsonObject
  readonly lane?: string
  readonly subject?: string
}

/**
 * A timer as stored.
 *
 * **Shape** a new timer's `revision` is higher than any before it in the workspace, so a revision held from a timer that
 * was cleared never fits its successor; every further set raises it by one. `sequence` is its place in its lane: it stays
 * when the timer is set again in the same lane.
 */
export interface StoredTimer extends NewTimer {
  readonly workspace: string
  readonly revision: number
  readonly sequence: number
}

/**
 * Sets or clears a timer.
 *
 * With `revision` the change fails unless the timer stands at it (0: it must not exist); without, it is unconditional.
 * A worker takes a timer by setting it again, at its revision, to a later `dueAtMs`.
 */
export type TimerChange =
  | { readonly set: NewTimer; readonly revision?: number }
  | { readonly clear: string; readonly revision?: number }

/** A reader's progress through a workspace's journal, moved only from where the writer believes it stands: its fence. */
export interface CursorMove {
  readonly reader: string
  readonly from: number
  readonly to: number
}

/**
 * Something only one may have: a platform's message id, an address, the ownership of a pool.
 *
 * Without `revision` the claim is taken, and fails with the stored value when it is held and not expired. With
 * `revision` the holder renews it (new value and expiry) or, with `release`, gives it up. No `expiresAtMs`: for ever.
 * A claim is expired from `expiresAtMs` on, and then stands as if it were absent: it can be taken, not renewed.
 */
export type ClaimChange =
  | {
      readonly key: string
      readonly value: string
      readonly expiresAtMs?: number
      readonly revision?: number
      readonly subject?: string
    }
  | { readonly key: string; readonly release: true; readonly revision: number }

/**
 * A claim as stored.
 *
 * **Shape** a claim that is taken gets a `revision` higher than any before it in the workspace, so that a late holder
 * can never renew what someone else took since; every renewal raises it by one.
 */
export interface StoredClaim {
  readonly key: string
  readonly value: string
  readonly expiresAtMs?: number
  readonly revision: number
}

/**
 * What is written together or not at all. A key (stream, document, timer, claim, cursor) stands at most once in a commit.
 *
 * **Shape** with `epoch` it holds only while the workspace stands at it (see {@link StorageDriver.epoch}), as it stood
 * before the group. With `raisesEpoch` it also writes that: from then on what others decided on what they remember is refused.
 */
export interface Commit {
  readonly workspace: string
  readonly epoch?: number
  readonly raisesEpoch?: true
  readonly appends?: ReadonlyArray<Append>
  readonly views?: ReadonlyArray<ViewChange>
  readonly timers?: ReadonlyArray<TimerChange>
  readonly cursor?: CursorMove
  readonly claims?: ReadonlyArray<ClaimChange>
}

/**
 * What was handed to storage can't be kept: nothing was written.
 *
 * **Shape** `field` is the path of what is wrong (`appends[0].events[2].body`), `expected` and `found` say how.
 */
export class StorageInvalidError extends Error {
  readonly _tag = "StorageInvalidError"
  readonly code = "storage-invalid"
  readonly field: string
  readonly expected: string
  readonly found: string
  constructor(facts: { readonly field: string; readonly expected: string; readonly found: string }) {
    super(`${facts.field}: expected ${facts.expected}, found ${facts.found}. Correct it and commit again.`)
    this.name = "StorageInvalidError"
    this.field = facts.field
    this.expected = facts.expected
    this.found = facts.found
  }
}

/** Why a commit was refused: something stood elsewhere than it expected. `found` is what stands there now. An epoch's key is its workspace. */
export type Conflict =
  | { readonly kind: "stream"; readonly key: string; readonly expected: number; readonly found: number }
  | { readonly kind: "timer"; readonly key: string; readonly expected: number; readonly found: number }
  | { readonly kind: "cursor"; readonly key: string; readonly expected: number; readonly found: number }
  | { readonly kind: "claim"; readonly key: string; readonly found: StoredClaim | undefined }
  | { readonly kind: "epoch"; readonly key: string; readonly expected: number; readonly found: number }

/**
 * What became of one commit.
 *
 * **Shape** `positions` are the journal positions of its events, in the order of its appends. `raised` names the events
 * whose time would have run backwards in their stream and what was stored instead; absent when there are none.
 */
export type Outcome =
  | {
      readonly ok: true
      readonly positions: ReadonlyArray<number>
      readonly raised?: ReadonlyArray<{ readonly position: number; readonly recordedAtMs: number }>
    }
  | { readonly ok: false; readonly conflict: Conflict }

/** One condition on an indexed field. Comparisons never match `null`. */
export type Condition =
  | { readonly field: string; readonly equals: FieldValue }
  | { readonly field: string; readonly in: ReadonlyArray<FieldValue> }
  | {
      readonly field: string
      readonly atLeast?: string | number
      readonly above?: string | number
      readonly atMost?: string | number
      readonly below?: string | number
    }

/**
 * A page of a view: all conditions hold; ordered by one field and then, in the same direction, by key; `after` continues
 * where a page ended. `null` is the least value: first when ascending, last when descending. No `order`: by key.
 */
export interface Query {
  readonly view: string
  readonly where?: ReadonlyArray<Condition>
  readonly order?: { readonly field: string; readonly direction: "ascending" | "descending" }
  readonly after?: { readonly value: FieldValue; readonly key: string }
  readonly limit: number
}

/** The documents of a page; `next` is the `after` of the following page, absent on the last. */
export interface Page {
  readonly documents: ReadonlyArray<StoredDocument>
  readonly next?: { readonly value: FieldValue; readonly key: string }
}

/** The latest `limit` documents of a view that hold all these terms; at least one term. */
export interface Search {
  readonly view: string
  readonly terms: ReadonlyArray<Term>
  readonly limit: number
}

/**
 * What a search found: in the order of their first put, the latest first. `behind` is how many documents of the view, of
 * all workspaces, are at most not indexed as they stand now: 0 when all are.
 */
export interface Found {
  readonly documents: ReadonlyArray<StoredDocument>
  readonly behind: number
}

/**
 * Full text over the words of documents.
 *
 * An index that may lag: {@link FullText.index} brings it forward. It holds the words that `Words.wordsOf` finds, so that
 * every backend finds the same. What was deleted or erased is never found.
 */
export interface FullText {
  readonly search: (workspace: string, search: Search) => Promise<Found>
  /** Indexes up to `limit` documents, fewer where they are long; returns how many are left at most, 0 when none is. */
  readonly index: (limit: number) => Promise<number>
}

/** What a driver can do beyond the contract; drives the conformance suite. */
export interface StorageCapabilities {
  /** What was committed survives the process (`false`: memory). */
  readonly durable: boolean
  /** Several processes may use it at once. */
  readonly multiProcess: boolean
  /** {@link StorageDriver.watch} also reports what other processes commit. */
  readonly notify: boolean
  /** It has {@link StorageDriver.fullText}. */
  readonly fullText: boolean
}

/**
 * One thing that a workspace holds, as it stands.
 *
 * **Shape** whole: with the personal fields of events, with the subjects of documents and claims, with the revisions and
 * sequences of timers.
 */
export type Holding =
  | { readonly kind: "event"; readonly event: StoredEvent }
  | { readonly kind: "document"; readonly view: string; readonly document: StoredDocument; readonly subject?: string }
  | { readonly kind: "timer"; readonly timer: StoredTimer }
  | { readonly kind: "claim"; readonly claim: StoredClaim; readonly subject?: string }
  | { readonly kind: "cursor"; readonly reader: string; readonly position: number }

/** What one erasure removed. */
export interface Erased {
  readonly events: number
  readonly documents: ReadonlyArray<{ readonly view: string; readonly key: string }>
  readonly timers: ReadonlyArray<string>
  readonly claims: ReadonlyArray<string>
}

/**
 * The contract a storage author implements.
 *
 * **Guarantees** each commit is all or nothing and, on a durable driver, on disk when its outcome returns; positions
 * are gapless per workspace in commit order, and no reader sees position n before n−1; nothing crosses workspaces.
 * A group handed to `commit` never holds two commits that touch the same key of one workspace. `commit` may be called
 * again before it has returned; groups under way at once touch different keys too.
 *
 * **Fails with** {@link StorageInvalidError} for what can't be stored exactly or searched. When `commit` rejects, nothing
 * of the group was written, or, when the connection was lost meanwhile, it is unknown.
 *
 * **Gotchas** `nowMs` decides which claims have expired; a driver whose database has a clock uses that instead.
 */
export interface StorageDriver {
  readonly name: string
  readonly capabilities: StorageCapabilities
  /** Commits of a group that it takes best: more where each group costs a round trip. Default 128. */
  readonly groupSize?: number
  /** Creates or migrates what the views need. Called once, before anything else. */
  readonly prepare: (views: ReadonlyArray<ViewDefinition>) => Promise<void>
  readonly commit: (group: ReadonlyArray<Commit>, nowMs: number) => Promise<ReadonlyArray<Outcome>>
  readonly stream: (
    workspace: string,
    stream: string,
    afterVersion: number,
    limit: number
  ) => Promise<ReadonlyArray<StoredEvent>>
  readonly streamVersions: (workspace: string, streams: ReadonlyArray<string>) => Promise<ReadonlyArray<number>>
  readonly journal: (workspace: string, afterPosition: number, limit: number) => Promise<ReadonlyArray<StoredEvent>>
  /** The last position of the workspace, 0 when it is empty. */
  readonly head: (workspace: string) => Promise<number>
  /** In the order of `keys`. */
  readonly documents: (
    workspace: string,
    view: string,
    keys: ReadonlyArray<string>
  ) => Promise<ReadonlyArray<StoredDocument | undefined>>
  readonly query: (workspace: string, query: Query) => Promise<Page>
  readonly cursor: (workspace: string, reader: string) => Promise<number>
  /**
   * Raised by `erase`, `load` and `drop` of what is there, and by commits that say so; else it stays while the workspace is
   * there, and it never falls. While it stands, who remembers a document may go on from it where its stream stands as it did:
   * whatever makes documents anew raises it.
   */
  readonly epoch: (workspace: string) => Promise<number>
  /** Expired claims read as absent. In the order of `keys`. */
  readonly claims: (
    workspace: string,
    keys: ReadonlyArray<string>,
    nowMs: number
  ) => Promise<ReadonlyArray<StoredClaim | undefined>>
  readonly timers: (workspace: string, keys: ReadonlyArray<string>) => Promise<ReadonlyArray<StoredTimer | undefined>>
  readonly fullText?: FullText
  /**
   * Removes everything personal to a subject. Events stay, in order, with their personal fields gone. With a `stream`,
   * only the personal fields of the subject's events in that stream: documents, timers and claims stay.
   */
  readonly erase: (workspace: string, subject: string, stream?: string) => Promise<Erased>

  // The host's tier: sees across workspaces, and is never handed to an application.
  readonly workspaces: () => Promise<ReadonlyArray<string>>
  /** Timers due by `nowMs`, earliest first, of every workspace; of a lane only its oldest. */
  readonly due: (nowMs: number, kinds: ReadonlyArray<string>, limit: number) => Promise<ReadonlyArray<StoredTimer>>
  /** The earliest instant at which one of these kinds comes due, lanes respected. */
  readonly nextDueAtMs: (kinds: ReadonlyArray<string>) => Promise<number | undefined>
  /** Workspaces whose journal has passed this reader's cursor. */
  readonly lagging: (
    reader: string
  ) => Promise<ReadonlyArray<{ readonly workspace: string; readonly cursor: number; readonly head: number }>>
  /** Calls back after commits with the workspaces that grew; returns how to stop. */
  readonly watch: (onChange: (workspaces: ReadonlyArray<string>) => void) => () => void
  /** Removes expired claims; returns how many. */
  readonly sweep: (nowMs: number) => Promise<number>
  /**
   * Everything that a workspace holds at one instant, whatever is committed meanwhile: the events after a position, in
   * order; the documents, view by view in the order of their first put; the timers in the order of their sequence; the
   * claims, also expired ones that no sweep has removed; the cursors that stand past 0. In batches of any size but none,
   * at bounded memory. A reader that leaves early leaves nothing open.
   */
  readonly dump: (workspace: string, afterPosition: number) => AsyncIterable<ReadonlyArray<Holding>>
  /**
   * Puts into a workspace what a dump of any driver held, exactly as it stands, positions, versions and revisions
   * included; all or nothing, durable. Events have to follow on those that are there, and timers on those of their
   * lane; everything else takes the place of what is there under its key. A cursor at 0 is removed. Watchers need not hear
   * of it. **Fails with** {@link StorageInvalidError}, of an event that is not the next with its path.
   */
  readonly load: (workspace: string, holdings: ReadonlyArray<Holding>) => Promise<void>
  /** Removes a workspace whole, as an erasure removes what is personal. */
  readonly drop: (workspace: string) => Promise<void>
  readonly close: () => Promise<void>
}
