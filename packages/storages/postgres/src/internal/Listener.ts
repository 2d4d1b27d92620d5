import type { PgConnection } from "@effect/sql-pg/PgConnection"
import { Effect, Fiber, Queue, Schedule } from "effect"
import type { SqlError } from "effect/sql/SqlError"
import { quote } from "./Columns.ts"
import type { Database } from "./Database.ts"
import { explain } from "./Explain.ts"

interface HeadRow {
  readonly id: number
  readonly name: string
  readonly head: bigint
}

/**
 * Hears on a connection of its own which workspaces other drivers made grow.
 *
 * When the connection is lost it is made anew, and what may have been missed is told: every workspace that grew since the
 * connection before was made.
 */
export class Listener {
  readonly #database: Database
  readonly #instance: string
  readonly #onChange: (workspaces: ReadonlyArray<string>) => void
  #heads: ReadonlyMap<number, bigint> | undefined
  #fiber: Fiber.Fiber<unknown, unknown> | undefined
  constructor(database: Database, instance: string, onChange: (workspaces: ReadonlyArray<string>) => void) {
    this.#database = database
    this.#instance = instance
    this.#onChange = onChange
  }

  /** Listens from when it returns. **Fails with** `PostgresStorageError` (rejected) when it can't be begun. */
  async start(): Promise<void> {
    const ready = Promise.withResolvers<void>()
    this.#fiber = Effect.runFork(
      this.#listen(ready.resolve).pipe(
        Effect.tapError((error) => Effect.sync(() => ready.reject(explain(this.#database.place, error)))),
        Effect.retry({ while: () => this.#heads !== undefined, schedule: Schedule.spaced("100 millis") })
      )
    )
    await ready.promise
  }

  async stop(): Promise<void> {
    if (this.#fiber !== undefined) await Effect.runPromise(Fiber.interrupt(this.#fiber))
  }

  #listen(onReady: () => void): Effect.Effect<never, SqlError> {
    const listening = Effect.gen({ self: this }, function* () {
      // Pinned: listening keeps the connection to itself, and lets only this one through.
      const connection = yield* (yield* this.#database.connection()).pin
      const queue = yield* connection.listen(this.#database.settings.schema)
      // Read while listening: nothing comes between the two.
      const missed = yield* this.#grown(connection)
      onReady()
      if (missed.length > 0) this.#onChange(missed)
      for (;;) {
        const heard = new Set<string>()
        for (const { payload } of yield* Queue.takeAll(queue)) {
          const end = payload.indexOf(" ")
          if (payload.slice(0, end) !== this.#instance) heard.add(payload.slice(end + 1))
        }
        if (heard.size > 0) this.#onChange([...heard])
      }
    })
    return Effect.scoped(listening as Effect.Effect<never, SqlError, never>)
  }

  #grown(connection: PgConnection): Effect.Effect<ReadonlyArray<string>, SqlError> {
    const sql = `SELECT id, name, head FROM ${quote(this.#database.settings.schema)}.workspaces`
    return Effect.map(connection.query(sql), ({ rows }) => {
      const before = this.#heads
      const now = rows as unknown as ReadonlyArray<HeadRow>
      this.#heads = new Map(now.map(({ id, head }) => [id, head]))
      if (before === undefined) return []
      return now.filter(({ id, head }) => head > (before.get(id) ?? 0n)).map(({ name }) => name)
    })
  }
}
