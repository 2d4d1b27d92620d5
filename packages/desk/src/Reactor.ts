/**
 * Reads the journal in order with its own cursor and commits what follows.
 *
 * @module
 */
import type { ConversationCommand, Id } from "@switchboard/conversation"
import type { Storage, StorageDriver } from "@switchboard/storage"
import { Effect, Semaphore } from "effect"
import { type DeskError, NotFoundError } from "./DeskError.ts"
import { decode, type Recorded } from "./DeskEvent.ts"
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
 * held in memory must be built anew from the cursor's position.
 */
export interface Reactor {
  readonly name: string
  readonly react: (events: ReadonlyArray<Recorded>, reads: Storage.Reads, nowMs: number) => Promise<Reaction>
  readonly reset?: () => void
}

const batchSize = 1024
const pageSize = 500

/** A reactor at work on one desk's workspace. */
export interface Running {
  readonly name: string
  /** Reads one batch. `false`: it is level with the journal. */
  readonly step: Effect.Effect<boolean, DeskError>
  readonly position: () => number
  /**
   * Reads a parked stream again from where it stopped, and takes it back among the others. Returns the reason when it
   * still can't; then it stays parked. **Fails with** `NotFoundError` when this reactor has not parked it.
   */
  readonly retry: (stream: string) => Effect.Effect<string | undefined, DeskError>
  /** Does something while this reactor stands still. */
  readonly exclusively: <A, E>(effect: Effect.Effect<A, E>) => Effect.Effect<A, E>
}

/** What became of a batch. `elsewhere`: another writer moved first, and things stand otherwise now. */
type Applied = "committed" | "elsewhere"

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
  const parkedKey = (stream: string): string => `${reactor.name}/${stream}`
  const isParked = (row: StorageDriver.StoredEvent): boolean => parked.has(row.stream)

  const commit = (reaction: Reaction, to: number, views: ReadonlyArray<StorageDriver.ViewChange> = []) =>
    Effect.tryPromise({
      try: () =>
        workspace.commit({
          ...reaction.commit,
          views: [...(reaction.commit.views ?? []), ...views],
          cursor: { reader: reactor.name, from: position, to }
        }),
      catch: (cause) => cause
    }).pipe(
      Effect.matchEffect({
        onSuccess: () =>
          Effect.sync((): Applied => {
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
      views?: ReadonlyArray<StorageDriver.ViewChange>
    ): Effect.fn.Return<Applied, DeskError | Indigestible> {
      const reaction = yield* Effect.tryPromise({
        try: async () => reactor.react(rows.map(decode), workspace.cached, now()),
        catch: (cause) => new Indigestible(cause)
      })
      yield* Effect.forEach(reaction.consequences ?? [], run, { concurrency: 16, discard: true })
      return yield* commit(reaction, to, views)
    },
    // What was decided but not committed must not stay in anybody's memory: the same events will be read again.
    Effect.onError(() => Effect.sync(() => reactor.reset?.()))
  )

  const park = (row: StorageDriver.StoredEvent, reason: string): StorageDriver.ViewChange => {
    const put: ParkedStream = {
      reactor: reactor.name,
      stream: row.stream,
      position: row.position,
      reason: reason.slice(0, 2000),
      parkedAtMs: now()
    }
    return { view: "parked", key: parkedKey(row.stream), put: { ...put } }
  }

  /** Goes on event by event; what still fails is parked with its stream and reported, the others go on. */
  const isolate = Effect.fnUntraced(function* (
    rows: ReadonlyArray<StorageDriver.StoredEvent>,
    to: number
  ): Effect.fn.Return<void, DeskError> {
    for (const row of rows) {
      if (isParked(row)) continue
      const applied = yield* Effect.catchIf(
        apply([row], row.position),
        (error): error is Indigestible => error instanceof Indigestible,
        Effect.fnUntraced(function* ({ cause }): Effect.fn.Return<Applied, DeskError> {
          const reason = String(cause)
          yield* Effect.logError(`${reactor.name} parked ${row.stream} at ${row.position}: ${reason}`)
          const kept = yield* commit({ commit: {} }, row.position, [park(row, reason)])
          if (kept === "committed") parked.add(row.stream)
          return kept
        })
      ) as Effect.Effect<Applied, DeskError>
      // What comes next is read anew: nothing may be passed over.
      if (applied === "elsewhere") return
    }
    if (position < to) yield* commit({ commit: {} }, to)
  })

  const step = Effect.gen(function* () {
    const rows = yield* fromPromise(() => workspace.journal(position, batchSize))
    const last = rows.at(-1)
    if (!last) return false
    const read = rows.filter((row) => !isParked(row))
    yield* Effect.catchIf(
      apply(read, last.position),
      (error): error is Indigestible => error instanceof Indigestible,
      () => isolate(read, last.position)
    ) as Effect.Effect<unknown, DeskError>
    return true
  })

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
      const change = next ? park(next, "is being read again") : ({ view: "parked", key, delete: true } as const)
      const applied: Applied | Indigestible = yield* row
        ? Effect.catchIf(
            apply([row], position, [change]),
            (error): error is Indigestible => error instanceof Indigestible,
            (error) => Effect.succeed(error)
          )
        : commit({ commit: {} }, position, [change])
      if (applied instanceof Indigestible) {
        const reason = String(applied.cause)
        yield* commit({ commit: {} }, position, [park(row!, reason)])
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
