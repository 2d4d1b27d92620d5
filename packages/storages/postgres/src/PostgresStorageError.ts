/** What Postgres could not do, in words that help. */

/** Which of the things it could not do. */
export type Code =
  | "postgres-invalid-url"
  | "postgres-unreachable"
  | "postgres-refused"
  | "postgres-no-database"
  | "postgres-forbidden"
  | "postgres-busy"
  | "postgres-encoding"
  | "postgres-foreign"
  | "postgres-newer"
  | "postgres-read-only"
  | "postgres-full"
  | "postgres-locked"
  | "postgres-restarted"
  | "postgres-closed"
  | "postgres-failed"

const advice: Readonly<Record<Code, string>> = {
  "postgres-invalid-url": "Write it as postgres://user:password@host:5432/database.",
  "postgres-unreachable": "Check that the server runs, and the host and port in the url.",
  "postgres-refused": "Check the user and the password in the url, and that the server lets them in from here.",
  "postgres-no-database": "Create the database, or correct its name in the url.",
  "postgres-forbidden": "Grant the user what is missing: to create the schema, or all rights on it.",
  "postgres-busy": "Allow more connections on the server, or lower maxConnections.",
  "postgres-encoding": "Create the database anew with the encoding UTF8.",
  "postgres-foreign": "It belongs to another program. Name another schema.",
  "postgres-newer": "It was prepared by a newer version. Upgrade this program, or restore a backup.",
  "postgres-read-only": "Name the primary server in the url.",
  "postgres-full": "Free space on the server; nothing of this was written.",
  "postgres-locked": "Nothing was written; try again. If it stays, look for long transactions on the server.",
  "postgres-restarted": "If it was a commit, read what it would have changed before trying again.",
  "postgres-closed": "Call prepare first, and nothing after close.",
  "postgres-failed": "See the cause."
}

/**
 * Postgres could not do it: which server and schema, why, and what to do.
 *
 * **Shape** `server` is `host:port/database`; `sqlState` is Postgres' own code, where it gave one. Neither the message nor
 * the facts hold the password.
 */
export class PostgresStorageError extends Error {
  readonly _tag = "PostgresStorageError"
  readonly code: Code
  readonly server: string
  readonly schema: string
  readonly sqlState: string | undefined
  constructor(facts: {
    readonly code: Code
    readonly server: string
    readonly schema: string
    readonly reason: string
    readonly sqlState?: string | undefined
    readonly cause?: unknown
  }) {
    super(
      `${facts.server}, schema ${facts.schema}: ${facts.reason}. ${advice[facts.code]}`,
      facts.cause === undefined ? {} : { cause: facts.cause }
    )
    this.name = "PostgresStorageError"
    this.code = facts.code
    this.server = facts.server
    this.schema = facts.schema
    this.sqlState = facts.sqlState
  }
}
