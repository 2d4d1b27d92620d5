/**
 * Take what is due and do it: calls to platforms and bots, wake-ups, second tries.
 *
 * A worker takes a job by moving its due time, which also counts the attempt; what it commits clears the job in the same
 * breath. A worker that dies leaves the job to be taken again when the time it took is over.
 *
 * @module
 */
import type { StorageDriver } from "@switchboard/storage"
import { Clock, Effect, Fiber, Latch, type Scope, Semaphore } from "effect"
import type { DeskError } from "./DeskError.ts"
import { type Environment, fromPromise } from "./Environment.ts"
import type { JobKind } from "./Jobs.ts"

/** A job that was taken: as it stood before, and how it is finished. */
export interface Taken {
  readonly timer: StorageDriver.StoredTimer
  /** Clears the job, if nobody else has set it meanwhile. */
  readonly done: StorageDriver.TimerChange
  /** Sets it again for later with another payload. */
  readonly later: (dueAtMs: number, payload: StorageDriver.JsonObject) => StorageDriver.TimerChange
}

/** Does one kind of job. It commits `done` or `later` itself, together with its result. */
export type Handler = (job: Taken) => Effect.Effect<void, DeskError>

/** The workers of a desk. */
export interface Workers {
  /** Takes and does what is due now; returns how many jobs that were. */
  readonly round: Effect.Effect<number, DeskError>
  /** Works until interrupted, sleeping from one due time to the next; jobs that are begun are finished first. */
  readonly run: Effect.Effect<void, never, Scope.Scope>
}

/** How much longer than its call a job is taken for: what dies with a process is taken up again soon after. */
const marginMs = 10_000
/** A bounded part of a walk, which may have to empty a database's log a few times. */
const retentionMs = 5 * 60_000
const roundSize = 64
/** How long a job rests that could not even be taken. */
const retryPauseMs = 1000

/** How long a job of each kind is taken for: its call's deadline, if it makes one, and a margin. */
const leases = ({ settings }: Environment["Service"]): Readonly<Record<JobKind, number>> => {
  const call = settings.limits.callTimeoutMs + marginMs
  const turn = Math.max(0, ...[...settings.bots.values()].map((bot) => bot.deadlineMs)) + marginMs
  return {
    deliver: call,
    change: call,
    fetch: call,
    botTurn: turn,
    snooze: marginMs,
    sla: marginMs,
    pool: marginMs,
    entry: marginMs,
    erase: call,
    retention: retentionMs
  }
}

/** Workers over these handlers. */
export const make = (
  environment: Environment["Service"],
  handlers: Readonly<Record<JobKind, Handler>>,
  callsAtOnce: number
): Workers => {
  const { storage, workspace } = environment
  const leaseMs = leases(environment)
  const kinds = Object.keys(handlers) as ReadonlyArray<JobKind>
  const inFlight = new Set<string>()
  const semaphore = Semaphore.makeUnsafe(callsAtOnce)

  const work = Effect.fnUntraced(function* (timer: StorageDriver.StoredTimer): Effect.fn.Return<void, DeskError> {
    const { workspace: _, revision, sequence: __, ...set } = timer
    const attempt = Number(timer.payload["attempt"] ?? 0) + 1
    const nowMs = yield* Clock.currentTimeMillis
    const payload = { ...timer.payload, attempt, startedAtMs: nowMs }
    yield* fromPromise(() =>
      workspace.commit({
        timers: [{ set: { ...set, dueAtMs: nowMs + leaseMs[timer.kind as JobKind], payload }, revision }]
      })
    )
    yield* handlers[timer.kind as JobKind]({
      timer,
      done: { clear: timer.key, revision: revision + 1 },
      later: (dueAtMs, next) => ({ set: { ...set, dueAtMs, payload: next }, revision: revision + 1 })
    })
  })

  /** `failed` follows a failure, before the job may be taken again. */
  const attempt = (timer: StorageDriver.StoredTimer, failed: Effect.Effect<void>) =>
    work(timer).pipe(
      // Somebody else took it, or it was cleared meanwhile: theirs now. Other failures leave it to its lease.
      Effect.catch((error) =>
        isConflict(error)
          ? Effect.void
          : Effect.andThen(Effect.logWarning(`job ${timer.key}: ${error.message}`), failed)
      ),
      Effect.catchDefect((defect) => Effect.andThen(Effect.logError(`job ${timer.key}: ${String(defect)}`), failed)),
      Effect.ensuring(Effect.sync(() => inFlight.delete(timer.key)))
    )

  const take = Effect.fnUntraced(function* (): Effect.fn.Return<ReadonlyArray<StorageDriver.StoredTimer>, DeskError> {
    const nowMs = yield* Clock.currentTimeMillis
    let limit = roundSize + inFlight.size
    while (true) {
      const due = yield* fromPromise(() => storage.due(nowMs, kinds, limit))
      const mine = due
        .filter((timer) => timer.workspace === workspace.id && !inFlight.has(timer.key))
        .slice(0, roundSize)
      // Another workspace that nobody works on must not hide ours behind its own.
      if (mine.length === 0 && due.length === limit) limit *= 4
      else {
        for (const timer of mine) inFlight.add(timer.key)
        return mine
      }
    }
  })

  const round: Workers["round"] = Effect.gen(function* () {
    const due = yield* take()
    yield* Effect.forEach(due, (timer) => semaphore.withPermits(1)(attempt(timer, Effect.void)), {
      concurrency: "unbounded",
      discard: true
    })
    return due.length
  })

  const run: Workers["run"] = Effect.gen(function* () {
    const wake = yield* Latch.make(false)
    const stop = storage.changes((_, timers) => {
      if (timers) wake.openUnsafe()
    })
    yield* Effect.addFinalizer(() => Effect.sync(stop))
    // Detached from the scope: a call that is cut off has an unknown outcome. Each has a deadline of its own.
    const begun = new Set<Fiber.Fiber<void>>()
    yield* Effect.addFinalizer(() => Fiber.awaitAll([...begun]))
    const isStopping = yield* Effect.acquireRelease(Effect.succeed({ now: false }), (state) =>
      Effect.sync(() => {
        state.now = true
      })
    )
    const begin = Effect.fnUntraced(function* (timer: StorageDriver.StoredTimer) {
      const fiber = yield* Effect.forkDetach(
        semaphore
          .withPermits(1)(
            Effect.suspend(() =>
              isStopping.now
                ? Effect.sync(() => void inFlight.delete(timer.key))
                : attempt(timer, Effect.sleep(retryPauseMs))
            )
          )
          .pipe(Effect.ensuring(wake.open))
      )
      begun.add(fiber)
      fiber.addObserver(() => begun.delete(fiber))
    })
    yield* Effect.forever(
      Effect.gen(function* () {
        yield* wake.close
        const due = yield* take()
        for (const timer of due) yield* begin(timer)
        if (due.length >= roundSize) return
        const next = yield* fromPromise(() => storage.nextDueAtMs(kinds))
        const nowMs = yield* Clock.currentTimeMillis
        // What is in flight stays due until its taking is committed, and another workspace's for as long as nobody works
        // on it: neither is a reason to look again at once.
        const pause = next === undefined ? 3_600_000 : Math.max(inFlight.size > 0 ? 5 : 25, next - nowMs)
        yield* Effect.raceFirst(wake.await, Effect.sleep(Math.min(pause, 3_600_000)))
      }).pipe(
        Effect.catch((error) =>
          Effect.andThen(Effect.logError(`workers: ${error.message}`), Effect.sleep(retryPauseMs))
        )
      )
    )
  })

  return { round, run }
}

/** Whether a commit was refused because things stand otherwise: certainly nothing was written. */
export const isConflict = (error: DeskError): boolean =>
  error._tag === "StorageFailedError" &&
  error.cause instanceof Error &&
  "_tag" in error.cause &&
  error.cause._tag === "ConflictError"
