/**
 * Take what is due and do it: calls to platforms and bots, wake-ups, second tries.
 *
 * A worker takes a job by moving its due time, which also counts the attempt; what it commits clears the job in the same
 * breath. A worker that dies leaves the job to be taken again when the time it took is over.
 *
 * @module
 */
import type { StorageDriver } from "@switchboard/storage"
import { Clock, Effect, Latch, type Scope, Semaphore } from "effect"
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
  /** Works until interrupted, sleeping from one due time to the next. */
  readonly run: Effect.Effect<void, never, Scope.Scope>
}

/** How much longer than its call a job is taken for: what dies with a process is taken up again soon after. */
const marginMs = 10_000
const roundSize = 64

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
    entry: marginMs
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
      workspace.commit({ timers: [{ set: { ...set, dueAtMs: nowMs + leaseMs[timer.kind as JobKind], payload }, revision }] })
    )
    yield* handlers[timer.kind as JobKind]({
      timer,
      done: { clear: timer.key, revision: revision + 1 },
      later: (dueAtMs, next) => ({ set: { ...set, dueAtMs, payload: next }, revision: revision + 1 })
    })
  })

  const attempt = (timer: StorageDriver.StoredTimer) =>
    work(timer).pipe(
      // Somebody else took it, or it was cleared meanwhile: theirs now. Other failures leave it to its lease.
      Effect.catch((error) =>
        error._tag === "StorageFailedError" && isConflict(error.cause)
          ? Effect.void
          : Effect.logWarning(`job ${timer.key}: ${error.message}`)
      ),
      Effect.catchDefect((defect) => Effect.logError(`job ${timer.key}: ${String(defect)}`)),
      Effect.ensuring(Effect.sync(() => inFlight.delete(timer.key)))
    )

  const take = Effect.fnUntraced(function* (): Effect.fn.Return<ReadonlyArray<StorageDriver.StoredTimer>, DeskError> {
    const nowMs = yield* Clock.currentTimeMillis
    const due = yield* fromPromise(() => storage.due(nowMs, kinds, roundSize + inFlight.size))
    const mine = due.filter((timer) => timer.workspace === workspace.id && !inFlight.has(timer.key))
    for (const timer of mine) inFlight.add(timer.key)
    return mine
  })

  const round: Workers["round"] = Effect.gen(function* () {
    const due = yield* take()
    yield* Effect.forEach(due, (timer) => semaphore.withPermits(1)(attempt(timer)), {
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
    yield* Effect.forever(
      Effect.gen(function* () {
        yield* wake.close
        const due = yield* take()
        for (const timer of due) {
          yield* Effect.forkScoped(semaphore.withPermits(1)(attempt(timer)).pipe(Effect.ensuring(wake.open)))
        }
        if (due.length >= roundSize) return
        const next = yield* fromPromise(() => storage.nextDueAtMs(kinds))
        const nowMs = yield* Clock.currentTimeMillis
        // What is in flight stays due until its taking is committed; its own end wakes this loop.
        const pause = next === undefined ? 3_600_000 : Math.max(inFlight.size > 0 ? 5 : 0, next - nowMs)
        yield* Effect.raceFirst(wake.await, Effect.sleep(Math.min(pause, 3_600_000)))
      }).pipe(Effect.catch((error) => Effect.andThen(Effect.logError(`workers: ${error.message}`), Effect.sleep(1000))))
    )
  })

  return { round, run }
}

const isConflict = (cause: unknown): boolean =>
  cause instanceof Error && "_tag" in cause && cause._tag === "ConflictError"
