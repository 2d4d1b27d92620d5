import * as PgClient from "@effect/sql-pg/PgClient"
import * as PgConnection from "@effect/sql-pg/PgConnection"
import { array, float8, OID, type Parameter } from "@effect/sql-pg/PgTypes"
import { Effect, Exit, ManagedRuntime, Redacted, Result, Schedule, Scope } from "effect"
import { PostgresStorageError } from "../PostgresStorageError.ts"
import { explain, isRolledBack, type Place } from "./Explain.ts"

export interface Settings {
  readonly url: string
  readonly schema: string
  readonly maxConnections: number
  readonly connectTimeoutMs: number
  readonly applicationName: string
}

/** Where the url leads, without its password. **Fails with** `PostgresStorageError` (thrown) when it is none. */
export const placeOf = (url: string, schema: string): Place => {
  const parsed = URL.parse(url)
  if (parsed === null || !/^postgres(ql)?:$/.test(parsed.protocol))
    throw new PostgresStorageError({
      code: "postgres-invalid-url",
      server: "Postgres",
      schema,
      reason: "the url is none of Postgres"
    })
  const { hostname, port, pathname, searchParams } = parsed
  return { server: `${hostname || searchParams.get("host")}:${port || 5432}${pathname}`, schema }
}

/** Arrays as parameters: their type is named, because an empty one, or one of nulls, doesn't show it. */
const parameterOf =
  (oid: number) =>
  (values: ReadonlyArray<unknown>): Parameter => {
    const parameter = array(values, oid)
    if (Result.isFailure(parameter)) throw parameter.failure
    return parameter.success
  }
export const integers = parameterOf(OID.int4)
export const numbers = parameterOf(OID.float8)
export const texts = parameterOf(OID.text)
export const booleans = parameterOf(OID.bool)
export const number = float8

const clientConfig = ({ url, connectTimeoutMs, applicationName }: Settings) => ({
  url: Redacted.make(url),
  connectTimeout: connectTimeoutMs,
  applicationName,
  keepAlive: "30 seconds" as const,
  // Each statement has to see what was committed before it, whatever the database's default is.
  startupParameters: { default_transaction_isolation: "read committed" },
  // One row holds one event or document; the client's own limit is less than a large one.
  maxMessageSize: 2 ** 30
})

/** What is rolled back for the sake of others is tried again, a few times: it is certain that it wrote nothing. */
const retried = <A, E, R>(effect: Effect.Effect<A, E, R>): Effect.Effect<A, E, R> =>
  Effect.retry(effect, { while: isRolledBack, times: 5, schedule: Schedule.exponential("5 millis") })

/** A connection of one's own, in promises. */
export interface Session {
  /** Planned anew each time. **Fails with** `PostgresStorageError` (rejected). */
  readonly query: <Row extends object>(sql: string, parameters?: ReadonlyArray<unknown>) => Promise<ReadonlyArray<Row>>
  /** Ends also the transaction that it is in. */
  readonly close: () => Promise<void>
}

/** A pool of connections, in promises. */
export class Database {
  readonly place: Place
  readonly settings: Settings
  readonly #runtime: ManagedRuntime.ManagedRuntime<PgClient.PgClient, unknown>
  constructor(settings: Settings) {
    this.settings = settings
    this.place = placeOf(settings.url, settings.schema)
    this.#runtime = ManagedRuntime.make(
      PgClient.layer({ ...clientConfig(settings), maxConnections: settings.maxConnections })
    )
  }

  /** **Fails with** `PostgresStorageError` (rejected). */
  async run<A, E>(effect: Effect.Effect<A, E, PgClient.PgClient>): Promise<A> {
    try {
      return await this.#runtime.runPromise(effect)
    } catch (error) {
      throw explain(this.place, error)
    }
  }

  query<Row extends object>(sql: string, parameters: ReadonlyArray<unknown>): Promise<ReadonlyArray<Row>> {
    return this.run(Effect.flatMap(PgClient.PgClient, (client) => client.unsafe<Row>(sql, parameters)))
  }

  /** Planned anew each time: what is best depends on how large the tables are now, and on what is looked for. */
  plan<Row extends object>(sql: string, parameters: ReadonlyArray<unknown>): Promise<ReadonlyArray<Row>> {
    return this.run(Effect.flatMap(PgClient.PgClient, (client) => client.unsafe<Row>(sql, parameters).unprepared))
  }

  /** Tried again where Postgres rolled it back for the sake of others. */
  write<Row extends object>(sql: string, parameters: ReadonlyArray<unknown>): Promise<ReadonlyArray<Row>> {
    return this.run(retried(Effect.flatMap(PgClient.PgClient, (client) => client.unsafe<Row>(sql, parameters))))
  }

  /** As `write`, of several statements, which find names in the schema: all or nothing, on disk when it returns. */
  transaction<A, E>(run: (client: PgClient.PgClient) => Effect.Effect<A, E>): Promise<A> {
    const { schema } = this.settings
    const settings = `SELECT set_config('search_path', quote_ident($1) || ', pg_temp', true),
      CASE WHEN current_setting('synchronous_commit') = 'off' THEN set_config('synchronous_commit', 'on', true) END`
    return this.run(
      retried(
        Effect.flatMap(PgClient.PgClient, (client) =>
          client.withTransaction(Effect.andThen(client.unsafe(settings, [schema]).unprepared, run(client)))
        )
      )
    )
  }

  /** A connection of its own, beside the pool. */
  connection() {
    return PgConnection.make(clientConfig(this.settings))
  }

  /** A connection of its own, beside the pool, in promises; it has to be closed. */
  async session(): Promise<Session> {
    const scope = Scope.makeUnsafe()
    const run = async <A, E>(effect: Effect.Effect<A, E>): Promise<A> => {
      try {
        return await Effect.runPromise(effect)
      } catch (error) {
        throw explain(this.place, error)
      }
    }
    const close = () => run(Scope.close(scope, Exit.void))
    try {
      const connection = await run(Scope.provide(this.connection(), scope))
      const query = async <Row extends object>(sql: string, parameters: ReadonlyArray<unknown> = []) =>
        (await run(connection.query(sql, parameters, false))).rows as ReadonlyArray<Row>
      return { query, close }
    } catch (error) {
      await close()
      throw error
    }
  }

  close(): Promise<void> {
    return this.#runtime.dispose()
  }
}
