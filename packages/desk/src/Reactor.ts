/**
 * Reads the journal in order with its own cursor and commits what follows.
 *
 * @module
 */
import type { ConversationCommand, Id } from "@switchboard/conversation"
import type { Storage, StorageDriver } from "@switchboard/storage"
import { Effect, Semaphore } from "effect"
import { type DeskError, fromStorage, NotFoundError } from "./DeskError.ts"
import { decode, type Recorded, UnknownEventError } from "./DeskEvent.ts"
import { type Environment, fromPromise } from "./Environment.ts"
import type { ParkedStream } from "./Views.ts"

/** A command that follows from an event; given once, however often the event is read. */
export interface Consequence {
  readonly conversationId: Id.ConversationId
  readonly command: ConversationCommand.ConversationCommand
  readonly commandId: string
}

/** What follows from a batch of events. */
export interface Reaction {
  readonly commit: Storage.WorkspaceCommit
  readonly consequences?: ReadonlyArray<Consequence>
}

/**
 * One reader of the journal. It calls nothing outside.
 *
 * **Shape** `react` returns what follows from a batch; `reset` is told that it did not become durable, and that anything
 * held in memory must be built anew from the cursor's position. `isEssential` names the streams without which nothing
 * else can be done rightly: one that can't be read stops the reactor instead of being parked.
 */
export interface Reactor {
  readonly name: string
  readonly isEssential?: (stream: string) => boolean
  readonly react: (events: ReadonlyArray<Recorded>, reads: Storage.Reads, nowMs: number) => Promise<Reaction>
  readonly reset?: () => void
}

/** Events that one step reads at most. */
export const batchSize = 1024
const pageSize = 500
/** So many streams in a row that can't be read are no accident of theirs: the reactor is broken. */
const badInARow = 5
/** The pause before a reactor that stopped tries again. */
const againAfterMs = 30_000

/** Why a reactor gets no further, since when, and when it tries again from the same position. **Units** epoch milliseconds. */
export interface Stopped {
  readonly reason: string
  readonly sinceMs: number
  readonly againAtMs: number
}

/** A reactor at work on one desk's workspace. */
export interface Running {
  readonly name: string
  /** Reads one batch. `false`: it is level with the journal, or stands still. */
  readonly step: Effect.Effect<boolean, DeskError>
  readonly position: () => number
  readonly stopped: () => Stopped | undefined
  /**
   * Reads a parked stream again from where it stopped, and takes it back among the others. Returns the reason when it
   * still can't; then it stays parked. **Fails with** `NotFoundError` when this reactor has not parked it.
   */
  readonly retry: (stream: string) => Effect.Effect<string | undefined, DeskError>
  /** Does something while this reactor stands still. */
  readonly exclusively: <A, E>(effect: Effect.Effect<A, E>) => Effect.Effect<A, E>
}

/**
 * What became of a batch. `elsewhere`: another writer moved first, and things stand otherwise now. `nothing`: nothing
 * followed from it, so there was nothing to commit.
 */
type Applied = "committed" | "elsewhere" | "nothing"

interface ApplyOptions {
  readonly views?: ReadonlyArray<StorageDriver.ViewChange>
  /** Leaves the cursor where it is when nothing follows. */
  readonly leavesNothing?: boolean
}

const isNothing = ({ commit, consequences = [] }: Reaction): boolean =>
  [consequences, commit.appends, commit.views, commit.timers, commit.claims].every((all) => (all ?? []).length === 0)

/** Puts a reactor to work. `run` gives the commands that follow. */
export const start = Effect.fnUntraced(function* (
  environment: Environment["Service"],
  reactor: Reactor,
  run: (consequence: Consequence) => Effect.Effect<void, DeskError>
): Effect.fn.Return<Running, DeskError> {
  const { workspace, now } = environment
  const readPosition = fromPromise(() => workspace.cursor(reactor.name))
  let position = yield* readPosition
  const parked = new Set<string>()
  /** The streams it could not read since it last made something of any. */
  const suspects = new Set<string>()
  let stopped: Stopped | undefined
  yield* fromPromise(async () => {
    let after: StorageDriver.Query["after"]
    do {
      const page = await workspace.query({
        view: "parked",
        where: [{ field: "reactor", equals: reactor.name }],
        limit: pageSize,
        ...(after && { after })
      })
      for (const { document } of page.documents) parked.add((document as unknown as ParkedStream).stream)
      after = page.next
    } while (after)
  })
  const reads = guard(workspace.cached)
  const parkedKey = (stream: string): string => `${reactor.name}/${stream}`
  const isParked = (row: StorageDriver.StoredEvent): boolean => parked.has(row.stream)

  /** `epoch` is the one that stood before the reaction read anything. */
  const commit = (
    reaction: Reaction,
    to: number,
    views: ReadonlyArray<StorageDriver.ViewChange> = [],
    epoch?: number
  ) =>
    Effect.tryPromise({
      try: () =>
        workspace.commit({
          ...reaction.commit,
          views: [...(reaction.commit.views ?? []), ...views],
          cursor: { reader: reactor.name, from: position, to },
          ...(epoch !== undefined && { epoch })
        }),
      catch: (cause) => cause
    }).pipe(
      Effect.matchEffect({
        onSuccess: () =>
          Effect.sync((): Applied => {
            if (to > position) stopped = undefined
            position = to
            return "committed"
          }),
        onFailure: recover
      })
    )

  /** Somebody else moved first, or nobody knows what was written: read where things stand now, and start from there. */
  const recover = Effect.fnUntraced(function* (cause: unknown): Effect.fn.Return<Applied, DeskError> {
    reactor.reset?.()
    position = yield* readPosition
    if (cause instanceof Error && "_tag" in cause && cause._tag === "ConflictError") return "elsewhere"
    return yield* fromPromise(() => Promise.reject(cause))
  })

  const apply = Effect.fnUntraced(
    function* (
      rows: ReadonlyArray<StorageDriver.StoredEvent>,
      to: number,
      { views, leavesNothing = false }: ApplyOptions = {}
    ): Effect.fn.Return<Applied, DeskError | Indigestible> {
      const epoch = yield* fromPromise(() => workspace.epoch())
      const reaction = yield* Effect.tryPromise({
        try: async () => reactor.react(rows.map(decode), reads, now()),
        catch: (cause) => (cause instanceof Unread ? fromStorage(cause.cause) : new Indigestible(cause))
      })
      yield* Effect.forEach(reaction.consequences ?? [], run, { concurrency: 16, discard: true })
      if (isNothing(reaction)) return leavesNothing ? "nothing" : yield* commit(reaction, to, views, epoch)
      const applied = yield* commit(reaction, to, views, epoch)
      if (applied === "committed") suspects.clear()
      return applied
    },
    // What storage refuses it will always refuse.
    Effect.mapError((error) =>
      error._tag === "StorageFailedError" && !error.retryable ? new Indigestible(error.cause) : error
    ),
    // What was decided but not committed must not stay in anybody's memory: the same events will be read again.
    Effect.onError(() => Effect.sync(() => reactor.reset?.()))
  )

  /** The same, with what could not be read as a value. */
  const digest = (...args: Parameters<typeof apply>): Effect.Effect<Applied | Indigestible, DeskError> =>
    Effect.catchIf(
      apply(...args),
      (error): error is Indigestible => error instanceof Indigestible,
      (error) => Effect.succeed(error)
    )

  const park = (row: StorageDriver.StoredEvent, reason: string): ParkedStream => ({
    reactor: reactor.name,
    stream: row.stream,
    position: row.position,
    reason: reason.slice(0, 2000),
    parkedAtMs: now()
  })
  const toChange = (one: ParkedStream): StorageDriver.ViewChange => ({
    view: "parked",
    key: parkedKey(one.stream),
    put: { ...one }
  })

  const stand = (reason: string, pauseMs: number): void => {
    const nowMs = now()
    stopped = { reason, sinceMs: stopped?.sinceMs ?? nowMs, againAtMs: nowMs + pauseMs }
  }

  /** Stands still where it is. Nothing was lost: a mended release, or the next try, goes on from here. */
  const stop = ({ stream, position: at, reason }: ParkedStream): Effect.Effect<void> =>
    Effect.suspend(() => {
      stand(reason, againAfterMs)
      return Effect.logError(
        `${reactor.name} stands still and tries again in ${againAfterMs / 1000} s: it can't read ${stream} at ${at}: ${reason}`
      )
    })

  /**
   * Goes on event by event; what still fails is parked with its stream and reported, the others go on. Streams are parked
   * with the next thing that could be read, so that a reactor that can read nothing stops before them.
   */
  const isolate = Effect.fnUntraced(function* (
    rows: ReadonlyArray<StorageDriver.StoredEvent>,
    to: number
  ): Effect.fn.Return<"gone on" | "stopped", DeskError> {
    const held = new Map<string, ParkedStream>()
    const heldChanges = () => [...held.values()].map(toChange)
    const parkHeld = Effect.fnUntraced(function* () {
      for (const { stream, position: at, reason } of held.values()) {
        parked.add(stream)
        yield* Effect.logError(`${reactor.name} parked ${stream} at ${at}: ${reason}`)
      }
      held.clear()
    })
    for (const row of rows) {
      if (isParked(row) || held.has(row.stream)) continue
      const applied = yield* digest([row], row.position, { views: heldChanges(), leavesNothing: true })
      if (applied instanceof Indigestible) {
        const one = park(row, String(applied.cause))
        held.set(row.stream, one)
        // What another release wrote says nothing about this reactor.
        if (!(applied.cause instanceof UnknownEventError)) suspects.add(row.stream)
        const bad = [...held.keys()].filter((stream) => suspects.has(stream))
        if (reactor.isEssential?.(row.stream) || bad.length >= badInARow) {
          yield* stop(one)
          return "stopped"
        }
      }
      // What comes next is read anew: nothing may be passed over.
      if (applied === "elsewhere") return "gone on"
      if (applied === "committed") yield* parkHeld()
    }
    const last = [...held.values()].at(-1)
    if (last && suspects.size >= badInARow) {
      yield* stop(last)
      return "stopped"
    }
    if (position < to && (yield* commit({ commit: {} }, to, heldChanges())) === "committed") yield* parkHeld()
    return "gone on"
  })

  const step = Effect.gen(function* () {
    if (stopped && now() < stopped.againAtMs) return false
    const rows = yield* fromPromise(() => workspace.journal(position, batchSize))
    const last = rows.at(-1)
    if (!last) {
      stopped = undefined
      return false
    }
    const read = rows.filter((row) => !isParked(row))
    const applied = yield* digest(read, last.position)
    return !(applied instanceof Indigestible) || (yield* isolate(read, last.position)) === "gone on"
  }).pipe(
    // When it is tried again is the business of whoever runs it.
    Effect.tapError((error) => Effect.sync(() => stand(error.message, 0)))
  )

  const retry = Effect.fnUntraced(function* (stream: string): Effect.fn.Return<string | undefined, DeskError> {
    if (!parked.has(stream)) return yield* new NotFoundError({ what: `stream parked by ${reactor.name}`, id: stream })
    const key = parkedKey(stream)
    while (true) {
      const [stored, rows] = yield* fromPromise(() =>
        Promise.all([workspace.document("parked", key), workspace.stream(stream)])
      )
      const from = (stored?.document as ParkedStream | undefined)?.position ?? position + 1
      // What stands behind the cursor comes with the next step.
      const behind = rows.filter((row) => row.position >= from && row.position <= position)
      const [row, next] = behind
      const change = next
        ? toChange(park(next, "is being read again"))
        : ({ view: "parked", key, delete: true } as const)
      const applied = yield* row
        ? digest([row], position, { views: [change] })
        : commit({ commit: {} }, position, [change])
      if (applied instanceof Indigestible) {
        const reason = String(applied.cause)
        yield* commit({ commit: {} }, position, [toChange(park(row!, reason))])
        return reason
      }
      if (applied === "committed" && !next) break
    }
    parked.delete(stream)
    yield* Effect.logInfo(`${reactor.name} took ${stream} back`)
  })

  // One at a time, whoever asks; and whoever goes away meanwhile leaves nothing half done.
  const alone = Semaphore.makeUnsafe(1)
  return {
    name: reactor.name,
    step: alone.withPermits(1)(Effect.uninterruptible(step)),
    position: () => position,
    stopped: () => stopped,
    retry: (stream) => alone.withPermits(1)(Effect.uninterruptible(retry(stream))),
    exclusively: (effect) => alone.withPermits(1)(effect)
  }
})

/** A reactor threw while it read an event. */
class Indigestible {
  readonly _tag = "Indigestible"
  readonly cause: unknown
  constructor(cause: unknown) {
    this.cause = cause
  }
}

/** Storage could not be read: no fault of the event. */
class Unread {
  readonly cause: unknown
  constructor(cause: unknown) {
    this.cause = cause
  }
}

const guard = (reads: Storage.Reads): Storage.Reads =>
  Object.fromEntries(
    Object.entries(reads).map(([name, read]: [string, (...args: ReadonlyArray<unknown>) => Promise<unknown>]) => [
      name,
      (...args: ReadonlyArray<unknown>) => read(...args).catch((cause) => Promise.reject(new Unread(cause)))
    ])
  ) as unknown as Storage.Reads
