/**
 * What keeps a desk running: listeners, the reactors' loops and the workers; or, without them, what is due done once.
 *
 * @module
 */
import type { Channel } from "@switchboard/channel"
import { Clock, Duration, Effect, Schedule, type Scope } from "effect"
import { ConfigError } from "./DeskError.ts"
import type { DeskService } from "./DeskService.ts"
import { type Environment, fromPromise } from "./Environment.ts"
import * as Reactors from "./Reactor.ts"
import type { Receiver } from "./Receiver.ts"
import type { Workers } from "./Workers.ts"

/** How a desk is run. */
export interface Runner extends Pick<DeskService, "drain"> {
  /** Begins in a scope, and returns once every listener takes input. **Fails with** {@link ConfigError} when one can't. */
  readonly start: Effect.Effect<void, ConfigError, Scope.Scope>
}

/** The pause of a reactor after what it read: many events share a commit, and the first of a quiet time doesn't wait. */
const reactorRestMs = 15
/** How long after the journal grew its words are indexed for search: many at once, and never in the way of an answer. */
const indexAfterMs = 1000
/** Documents indexed at once, for which commits wait, and the pause before the next. */
const indexAtOnce = 25
const indexRestMs = 10
/** The pause before a channel that stopped listening by itself begins again. */
const listenAgainMs = 1000
/** The pause before a reactor reads again whose step failed. */
const stepAgainMs = 1000

/** What runs one desk. */
export const make = (
  { settings, storage, workspace, now }: Environment["Service"],
  receiver: Pick<Receiver, "take">,
  reactors: ReadonlyArray<Reactors.Running>,
  workers: Workers
): Runner => {
  const listen = (channel: Channel.Channel): Effect.Effect<void, ConfigError, Scope.Scope> =>
    Effect.gen(function* () {
      const open = channel.listen
      if (open === undefined) return
      const listener = yield* Effect.acquireRelease(
        Effect.tryPromise({
          try: (signal) =>
            open({
              signal,
              now,
              receive: (input) => Effect.runPromise(receiver.take(channel, input))
            }),
          catch: (cause) =>
            new ConfigError({
              field: `channels.${channel.kind}.listen`,
              found: cause instanceof Error ? cause.message : String(cause),
              fix: "name an address and a port that are free here, or stop what holds them"
            })
        }),
        (opened) => Effect.promise(() => opened.stop())
      )
      yield* Effect.logInfo(`${channel.kind} listens at ${listener.url ?? "its source"}`)
      yield* Effect.forkScoped(
        Effect.promise(() => listener.stopped.catch(() => undefined)).pipe(
          Effect.andThen(Effect.logError(`${channel.kind} has stopped listening by itself; it begins again`)),
          Effect.andThen(Effect.sleep(listenAgainMs)),
          Effect.andThen(
            listen(channel).pipe(
              Effect.tapError((error) => Effect.logError(error.message)),
              Effect.retry(Schedule.spaced(listenAgainMs))
            )
          )
        )
      )
    })

  /** Subscribes within its scope; what it returns then waits for the journal to grow after that. */
  const waitForGrowth = Effect.gen(function* () {
    let resume: (() => void) | undefined
    let grown = false
    yield* Effect.acquireRelease(
      Effect.sync(() =>
        storage.changes((workspaces) => {
          if (!workspaces.includes(workspace.id)) return
          grown = true
          resume?.()
        })
      ),
      (stop) => Effect.sync(stop)
    )
    return Effect.callback<void>((done) => {
      if (grown) done(Effect.void)
      else resume = () => done(Effect.void)
    })
  })

  /** One reactor, from one growth of the journal to the next. */
  const loop = (reactor: Reactors.Running): Effect.Effect<never> =>
    Effect.gen(function* () {
      const grown = yield* waitForGrowth
      let from = reactor.position()
      while (yield* reactor.step) {
        if (reactor.position() - from < Reactors.batchSize) yield* Effect.sleep(reactorRestMs)
        from = reactor.position()
      }
      const stopped = reactor.stopped()
      yield* stopped ? Effect.timeoutOption(grown, Math.max(0, stopped.againAtMs - now())) : grown
    }).pipe(
      Effect.scoped,
      Effect.catch((error) =>
        Effect.andThen(Effect.logError(`${reactor.name}: ${error.message}`), Effect.sleep(stepAgainMs))
      ),
      Effect.catchDefect((defect) =>
        Effect.andThen(Effect.logError(`${reactor.name}: ${String(defect)}`), Effect.sleep(stepAgainMs))
      ),
      Effect.forever
    )

  const index = fromPromise(() => storage.index(indexAtOnce))

  /** Brings full text forward, from one growth of the journal to the next. */
  const indexing: Effect.Effect<never> = Effect.gen(function* () {
    const grown = yield* waitForGrowth
    while ((yield* index) > 0) yield* Effect.sleep(indexRestMs)
    yield* grown
    yield* Effect.sleep(indexAfterMs)
  }).pipe(
    Effect.scoped,
    Effect.catch((error) => Effect.andThen(Effect.logError(`search: ${error.message}`), Effect.sleep(stepAgainMs))),
    Effect.forever
  )

  const start = Effect.gen(function* () {
    yield* Effect.forEach([...settings.channels.values()], listen, { discard: true })
    yield* Effect.forEach(reactors, (reactor) => Effect.forkScoped(loop(reactor)), { discard: true })
    yield* Effect.forkScoped(
      Effect.forever(
        Effect.andThen(Effect.sleep(Duration.hours(1)), Effect.ignore(fromPromise(() => storage.sweep(now()))))
      )
    )
    yield* Effect.forkScoped(indexing)
    yield* Effect.forkScoped(workers.run)
  })

  const drain: DeskService["drain"] = Effect.fn("Desk.drain")(function* ({ budgetMs = 10_000 } = {}) {
    const until = (yield* Clock.currentTimeMillis) + budgetMs
    while (true) {
      let busy = false
      for (const reactor of reactors) busy = (yield* reactor.step) || busy
      busy = (yield* workers.round) > 0 || busy
      busy = (yield* index) > 0 || busy
      if (!busy) return { level: reactors.every((reactor) => reactor.stopped() === undefined) }
      if ((yield* Clock.currentTimeMillis) >= until) return { level: false }
    }
  })

  return { start, drain }
}
