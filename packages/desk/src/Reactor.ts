/**
 * Reads the journal in order with its own cursor and commits what follows.
 *
 * @module
 */
import type { ConversationCommand, Id } from "@switchboard/conversation"
import type { Storage } from "@switchboard/storage"
import { Effect, Semaphore } from "effect"
import { type DeskError, fromStorage } from "./DeskError.ts"
import { decode, type Recorded } from "./DeskEvent.ts"
import type { Environment } from "./Environment.ts"
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
 * **Shape** `react` returns what follows from a batch; `committed` is told once that is durable, `reset` that it was not
 * and that anything held in memory must be built anew from the cursor's position.
 */
export interface Reactor {
  readonly name: string
  readonly react: (events: ReadonlyArray<Recorded>, reads: Storage.Reads, nowMs: number) => Promise<Reaction>
  readonly committed?: () => void
  readonly reset?: () => void
}

const batchSize = 1024

/** A reactor at work on one desk's workspace. */
export interface Running {
  readonly name: string
  /** Reads one batch. `false`: it is level with the journal. */
  readonly step: Effect.Effect<boolean, DeskError>
  readonly position: () => number
}

/** Puts a reactor to work. `run` gives the commands that follow. */
export const start = Effect.fnUntraced(function* (
  environment: Environment["Service"],
  reactor: Reactor,
  run: (consequence: Consequence) => Effect.Effect<void, DeskError>
): Effect.fn.Return<Running, DeskError> {
  const { workspace, now } = environment
  let position = yield* Effect.tryPromise({ try: () => workspace.cursor(reactor.name), catch: fromStorage })
  const parkedPage = yield* Effect.tryPromise({
    try: () => workspace.query({ view: "parked", where: [{ field: "reactor", equals: reactor.name }], limit: 1000 }),
    catch: fromStorage
  })
  const parked = new Set(parkedPage.documents.map((stored) => (stored.document as unknown as ParkedStream).stream))

  const consequencesOf = (reaction: Reaction) =>
    Effect.forEach(reaction.consequences ?? [], run, { concurrency: 16, discard: true })

  const commit = (reaction: Reaction, to: number, extra: Storage.WorkspaceCommit = {}) =>
    Effect.tryPromise({
      try: () =>
        workspace.commit({
          ...reaction.commit,
          views: [...(reaction.commit.views ?? []), ...(extra.views ?? [])],
          cursor: { reader: reactor.name, from: position, to }
        }),
      catch: (cause) => cause
    })

  /** Some other writer moved first: read where things stand now, and start from there. */
  const recover = Effect.fnUntraced(function* (cause: unknown): Effect.fn.Return<boolean, DeskError> {
    reactor.reset?.()
    position = yield* Effect.tryPromise({ try: () => workspace.cursor(reactor.name), catch: fromStorage })
    if (cause instanceof Error && "_tag" in cause && cause._tag === "ConflictError") return true
    return yield* Effect.fail(fromStorage(cause))
  })

  const apply = Effect.fnUntraced(function* (
    events: ReadonlyArray<Recorded>,
    to: number
  ): Effect.fn.Return<boolean, DeskError | Indigestible> {
    const reaction = yield* Effect.tryPromise({
      try: () => reactor.react(events, workspace.cached, now()),
      catch: (cause) => new Indigestible(cause)
    })
    yield* consequencesOf(reaction)
    const result = yield* Effect.result(commit(reaction, to))
    if (result._tag === "Failure") return yield* recover(result.failure)
    position = to
    reactor.committed?.()
    return true
  })

  /** Goes on event by event; what still fails is parked with its stream and reported, the others go on. */
  const isolate = Effect.fnUntraced(function* (
    events: ReadonlyArray<Recorded>,
    to: number
  ): Effect.fn.Return<boolean, DeskError> {
    reactor.reset?.()
    for (const event of events) {
      if (event.position <= position || parked.has(event.stream)) continue
      const result = yield* Effect.result(apply([event], event.position))
      if (result._tag === "Success") continue
      if (!(result.failure instanceof Indigestible)) return yield* Effect.fail(result.failure)
      reactor.reset?.()
      const reason = String(result.failure.cause)
      yield* Effect.logError(`${reactor.name} parked ${event.stream} at ${event.position}: ${reason}`)
      const put: ParkedStream = {
        reactor: reactor.name,
        stream: event.stream,
        position: event.position,
        reason: reason.slice(0, 2000),
        parkedAtMs: now()
      }
      const kept = yield* Effect.result(
        commit({ commit: {} }, event.position, {
          views: [{ view: "parked", key: `${reactor.name}/${event.stream}`, put: { ...put } }]
        })
      )
      if (kept._tag === "Failure") return yield* recover(kept.failure)
      parked.add(event.stream)
      position = event.position
    }
    if (position < to) {
      const moved = yield* Effect.result(commit({ commit: {} }, to))
      if (moved._tag === "Failure") return yield* recover(moved.failure)
      position = to
    }
    return true
  })

  const step = Effect.gen(function* () {
    const rows = yield* Effect.tryPromise({ try: () => workspace.journal(position, batchSize), catch: fromStorage })
    const last = rows.at(-1)
    if (!last) return false
    const events = rows.map(decode).filter((event) => !parked.has(event.stream))
    return yield* Effect.catchIf(
      apply(events, last.position),
      (error): error is Indigestible => error instanceof Indigestible,
      () => isolate(events, last.position)
    ) as Effect.Effect<boolean, DeskError>
  })

  // One step at a time, whoever asks for it.
  const alone = Semaphore.makeUnsafe(1)
  return { name: reactor.name, step: alone.withPermits(1)(step), position: () => position }
})

/** A reactor threw while it read an event. */
class Indigestible {
  readonly _tag = "Indigestible"
  readonly cause: unknown
  constructor(cause: unknown) {
    this.cause = cause
  }
}
