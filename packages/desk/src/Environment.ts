/**
 * What every part of a desk works with: its settings, its workspace in storage, the clock and new ids.
 *
 * @module
 */
import { Storage } from "@switchboard/storage"
import { Clock, Context, Effect, Layer, Random } from "effect"
import { v7 } from "uuid"
import { type DeskConfig, resolve, type Settings } from "./DeskConfig.ts"
import { ConfigError, type DeskError, fromStorage, NotFoundError } from "./DeskError.ts"
import { Draft } from "./Draft.ts"
import { definitions } from "./Views.ts"

/** Makes new ids. Replaceable, so that a simulation repeats itself. */
export class Ids extends Context.Service<Ids, { readonly next: () => string }>()("@switchboard/desk/Ids") {
  /** Random ids that sort by the time they were made (UUID version 7). */
  static readonly layer = Layer.effect(
    Ids,
    Clock.clockWith((clock) =>
      Effect.sync(() => {
        const random = randomness()
        return { next: () => v7({ msecs: clock.currentTimeMillisUnsafe(), random: random() }) }
      })
    )
  )

  /** Ids `prefix-1`, `prefix-2`, … for tests and simulations. */
  static readonly layerSequence = (prefix: string) =>
    Layer.sync(Ids, () => {
      let count = 0
      return { next: () => `${prefix}-${++count}` }
    })
}

/** Sixteen random bytes at a time, drawn many at once: to draw costs far more than the bytes. */
const randomness = (): (() => Uint8Array) => {
  const pool = new Uint8Array(4096)
  let used = pool.length
  return () => {
    if (used === pool.length) {
      globalThis.crypto.getRandomValues(pool)
      used = 0
    }
    used += 16
    return pool.subarray(used - 16, used)
  }
}

/** Which workspaces the desks of this process work on, by storage: what one has cached, another's commits don't reach. */
const usersOf = new WeakMap<object, Set<{ readonly workspace: string }>>()

/** The surroundings of a running desk. */
export class Environment extends Context.Service<
  Environment,
  {
    readonly settings: Settings
    readonly storage: Storage.Storage
    readonly workspace: Storage.Workspace
    readonly now: () => number
    readonly newId: () => string
    /** Decides within the write turn, with a {@link Draft} for what it changes. */
    readonly turn: <A>(lane: string, decide: (draft: Draft) => Promise<A>) => Effect.Effect<A, DeskError>
  }
>()("@switchboard/desk/Environment") {
  /** Opens storage and closes it with the scope. **Fails with** {@link ConfigError}. */
  static readonly layer = (config: DeskConfig) =>
    Layer.effect(
      Environment,
      Effect.gen(function* () {
        const settings = yield* Effect.try({
          try: () => resolve(config),
          catch: (cause) =>
            cause instanceof ConfigError
              ? cause
              : new ConfigError({ field: "config", found: String(cause), fix: "see DeskConfig in @switchboard/desk" })
        })
        const clock = yield* Clock.Clock
        const now = () => clock.currentTimeMillisUnsafe()
        const users = usersOf.get(config.storage) ?? new Set()
        usersOf.set(config.storage, users)
        const isTaken = [...users].some((user) => user.workspace === settings.workspace)
        if (isTaken && !config.storage.capabilities.multiProcess) {
          return yield* new ConfigError({
            field: "storage",
            found: `another desk that works on "${settings.workspace}" in it`,
            fix: "stop that desk first, or give each a workspace or a storage of its own"
          })
        }
        yield* Effect.acquireRelease(
          Effect.sync(() => {
            const user = { workspace: settings.workspace }
            users.add(user)
            return user
          }),
          (user) => Effect.sync(() => void users.delete(user))
        )
        const storage = yield* Effect.acquireRelease(
          Effect.tryPromise({
            try: () =>
              Storage.open(config.storage, {
                views: definitions,
                now,
                // A saturated writer must leave the event loop to sockets between two groups.
                schedule: (run) => void setImmediate(run),
                maxWaiting: settings.limits.waitingCommits
              }),
            catch: (cause) =>
              new ConfigError({
                field: "storage",
                found: cause instanceof Error ? cause.message : String(cause),
                fix: "make the storage usable, then start again"
              })
          }),
          (opened) =>
            // The last one closes it.
            Effect.suspend(() => (users.size === 1 ? Effect.promise(() => opened.close()) : Effect.void))
        )
        const workspace = storage.workspace(settings.workspace)
        const { next } = yield* Ids
        return {
          settings,
          storage,
          workspace,
          now,
          newId: next,
          turn: (lane, decide) =>
            Effect.tryPromise({
              try: () =>
                workspace.turn(lane, async (reads) => {
                  const draft = new Draft(reads, now(), settings.authorise)
                  const value = await decide(draft)
                  return { value, commit: draft.toCommit() }
                }),
              catch: fromStorage
            })
        }
      })
    )
}

/** A share of `ms`, between a half and the whole, so that retries of many do not come at the same instant. */
export const jitter = (ms: number): Effect.Effect<number> =>
  Effect.map(Random.next, (share) => Math.round(ms * (0.5 + share / 2)))

/** A promise of storage as an effect. */
export const fromPromise = <A>(run: () => Promise<A>): Effect.Effect<A, DeskError> =>
  Effect.tryPromise({ try: run, catch: fromStorage })

/** A document of a view, if there is one. */
export const document = <A>(
  reads: Pick<Storage.Reads, "document">,
  view: string,
  key: string
): Effect.Effect<A | undefined, DeskError> =>
  Effect.map(
    fromPromise(() => reads.document(view, key)),
    (stored) => stored?.document as unknown as A | undefined
  )

/** A document of a view that has to be there. **Fails with** `NotFoundError`, naming what it is. */
export const required = <A>(
  reads: Pick<Storage.Reads, "document">,
  view: string,
  what: string,
  key: string
): Effect.Effect<A, DeskError> =>
  Effect.flatMap(document<A>(reads, view, key), (found) =>
    found ? Effect.succeed(found) : Effect.fail(new NotFoundError({ what, id: key }))
  )

/** What may be a promise as an effect; it waits only for one that is. */
export const settled = <A>(run: () => A | Promise<A>): Effect.Effect<A> =>
  Effect.suspend(() => {
    const result = run()
    return isPromise(result) ? Effect.promise(() => result) : Effect.succeed(result)
  })

/** Of any library or realm: `instanceof` would only know this one's own. */
const isPromise = <A>(result: A | Promise<A>): result is Promise<A> =>
  typeof result === "object" && result !== null && "then" in result
