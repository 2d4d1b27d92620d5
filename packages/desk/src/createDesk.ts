/**
 * A desk for people who know no Effect: one configuration object, promises, a `fetch` handler.
 *
 * @module
 */
import { Context, Effect, Exit, ManagedRuntime, Scope, Stream } from "effect"
import { Desk } from "./Desk.ts"
import type { DeskConfig } from "./DeskConfig.ts"
import * as DeskFetch from "./DeskFetch.ts"
import type { DeskService } from "./DeskService.ts"

/** Every operation of the service as a promise; streams as async iterables. An `AbortSignal` may follow the arguments. */
export type Promised<S> = {
  readonly [K in keyof S]: S[K] extends (...args: infer A) => Effect.Effect<infer R, infer _E>
    ? (...args: [...A, ...options: [options?: { readonly signal?: AbortSignal }]]) => Promise<R>
    : S[K] extends (...args: infer A) => Stream.Stream<infer R, infer _E>
      ? (...args: A) => AsyncIterable<R>
      : S[K]
}

/**
 * A desk in plain promises.
 *
 * **Shape** `fetch` is a standard `Request → Response` handler for webhooks, the API and live streams; it only commits.
 * `start` runs reactors, workers, timers and listeners until `stop`. `drain` does what is due and returns.
 */
export interface PromiseDesk extends Promised<Omit<DeskService, "receive">> {
  readonly fetch: (request: Request) => Promise<Response>
  /** Returns once every listener takes input. **Fails with** `ConfigError` when one can't, such as when its port is taken. */
  readonly start: () => Promise<void>
  /** Ends what `start` began, lets running calls finish, and closes storage. */
  readonly stop: () => Promise<void>
  readonly [Symbol.asyncDispose]: () => Promise<void>
}

/**
 * Makes a desk.
 *
 * **Fails with** `ConfigError` (rejected), naming the field, what was found and the fix.
 *
 * **Gotchas** starts nothing: until `start` or `drain`, what comes in is stored and waits.
 *
 * **Example**
 *
 * ```ts
 * import { strict as assert } from "node:assert"
 * import { createDesk } from "@switchboard/desk"
 * import { MemoryBlobStore, MemoryStorage } from "@switchboard/storage"
 *
 * const desk = await createDesk({
 *   storage: MemoryStorage.make(),
 *   blobs: MemoryBlobStore.make(),
 *   credentialSecret: "change me: 32 characters or more"
 * })
 * const answer = await desk.fetch(new Request("http://desk.test/api/inbox"))
 * assert.equal(answer.status, 401)
 * await desk.stop()
 * ```
 */
export const createDesk = async (config: DeskConfig): Promise<PromiseDesk> => {
  const runtime = ManagedRuntime.make(Desk.layer(config))
  const context = await runtime.context()
  const desk = Context.get(context, Desk)
  const run = <A, E>(effect: Effect.Effect<A, E>, signal?: AbortSignal): Promise<A> =>
    Effect.runPromiseWith(context)(effect, signal ? { signal } : undefined)

  const { start, run: _run, environment, receive: _, ...service } = desk
  const promised: Record<string, unknown> = {}
  for (const [name, operation] of Object.entries(service) as ReadonlyArray<
    [string, (...args: Array<unknown>) => unknown]
  >) {
    promised[name] = (...args: Array<unknown>) => {
      const last = args.at(-1)
      const signal =
        typeof last === "object" && last !== null && "signal" in last && last.signal instanceof AbortSignal
          ? last.signal
          : undefined
      const result = operation(...(signal ? args.slice(0, -1) : args))
      if (Effect.isEffect(result)) return run(result as Effect.Effect<unknown, unknown>, signal)
      if (Stream.isStream(result)) return Stream.toAsyncIterableWith(result as Stream.Stream<unknown, unknown>, context)
      return result
    }
  }

  let started: Promise<Scope.Closeable> | undefined
  const begin = async (): Promise<Scope.Closeable> => {
    const scope = await run(Scope.make())
    try {
      await run(Effect.provideService(start, Scope.Scope, scope))
      return scope
    } catch (cause) {
      // Nothing is left half begun; it can be started again once the cause is gone.
      await run(Scope.close(scope, Exit.void))
      throw cause
    }
  }
  let stopping: Promise<void> | undefined
  const stop = () => {
    stopping ??= (async () => {
      const scope = await started?.catch(() => undefined)
      if (scope) await run(Scope.close(scope, Exit.void))
      await runtime.dispose()
    })()
    return stopping
  }

  return {
    ...(promised as unknown as Promised<Omit<DeskService, "receive">>),
    fetch: DeskFetch.make(desk, environment.settings, run, environment.now),
    start: async () => {
      if (!started) {
        const beginning = begin()
        started = beginning
        beginning.catch(() => {
          if (started === beginning) started = undefined
        })
      }
      await started
    },
    stop,
    [Symbol.asyncDispose]: stop
  }
}
