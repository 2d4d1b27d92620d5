import { SqlError } from "effect/sql/SqlError"
import { type Code, PostgresStorageError } from "../PostgresStorageError.ts"

/** Where one is connected to, without the password. */
export interface Place {
  readonly server: string
  readonly schema: string
}

/** https://www.postgresql.org/docs/current/errcodes-appendix.html; of a whole class, the first two characters. */
const codes: Readonly<Record<string, Code>> = {
  "08": "postgres-restarted",
  "28": "postgres-refused",
  "3D000": "postgres-no-database",
  "42501": "postgres-forbidden",
  // The names of a view's table and function follow from its definition: who doesn't find them has an older one.
  "42P01": "postgres-newer",
  "42883": "postgres-newer",
  "25006": "postgres-read-only",
  "53100": "postgres-full",
  "53300": "postgres-busy",
  "40001": "postgres-locked",
  "40P01": "postgres-locked",
  "55P03": "postgres-locked",
  "57P01": "postgres-restarted",
  "57P02": "postgres-restarted",
  "57P03": "postgres-unreachable",
  "57P05": "postgres-restarted"
}

const stateOf = (cause: unknown): string | undefined =>
  cause instanceof Error && "code" in cause && typeof cause.code === "string" && /^[0-9A-Z]{5}$/.test(cause.code)
    ? cause.code
    : undefined

/** What Postgres rolled back for the sake of another transaction: certainly not written. */
export const isRolledBack = (error: unknown): boolean =>
  error instanceof SqlError && (error.reason._tag === "DeadlockError" || error.reason._tag === "SerializationError")

const messageOf = (error: unknown): string => {
  if (!(error instanceof Error)) return String(error)
  if (error instanceof AggregateError && error.message === "") return error.errors.map(messageOf).join(", ")
  return error.message
}

/** An error of the client as one that says what to do; anything else stays as it is. */
export const explain = (place: Place, error: unknown): unknown => {
  if (!(error instanceof SqlError)) return error
  const { cause, operation } = error.reason as { readonly cause: unknown; readonly operation?: string | undefined }
  const sqlState = stateOf(cause)
  const isConnection = error.reason._tag === "ConnectionError"
  const code: Code =
    (sqlState === undefined ? undefined : (codes[sqlState] ?? codes[sqlState.slice(0, 2)])) ??
    (isConnection ? (operation === "connect" ? "postgres-unreachable" : "postgres-restarted") : "postgres-failed")
  return new PostgresStorageError({ ...place, code, reason: messageOf(cause), sqlState, cause })
}
