import * as PgClient from "@effect/sql-pg/PgClient"
import * as PgConnection from "@effect/sql-pg/PgConnection"
import { array, float8, OID, type Parameter } from "@effect/sql-pg/PgTypes"
import { Effect, ManagedRuntime, Redacted, Result, Schedule } from "effect"
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

  /** What is rolled back for the sake of others is tried again, a few times: it is certain that it wrote nothing. */
  write<Row extends object>(sql: string, parameters: ReadonlyArray<unknown>): Promise<ReadonlyArray<Row>> {
    return this.run(
      Effect.flatMap(PgClient.PgClient, (client) => client.unsafe<Row>(sql, parameters)).pipe(
        Effect.retry({ while: isRolledBack, times: 5, schedule: Schedule.exponential("5 millis") })
      )
    )
  }

  /** A connection of its own, beside the pool. */
  connection() {
    return PgConnection.make(clientConfig(this.settings))
  }

  close(): Promise<void> {
    return this.#runtime.dispose()
  }
}
