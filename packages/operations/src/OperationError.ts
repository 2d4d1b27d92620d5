/** Why an operation was not done. */

/**
 * An operation was refused or failed; what it changed until then, it says.
 *
 * **Shape** `code` says what kind of thing was wrong, `what` where, `found` what stood there, `fix` what to do.
 */
export class OperationError extends Error {
  readonly _tag = "OperationError"
  readonly code: "address" | "archive" | "occupied" | "missing" | "unsupported"
  readonly what: string
  readonly found: string
  readonly fix: string
  constructor(facts: {
    readonly code: OperationError["code"]
    readonly what: string
    readonly found: string
    readonly fix: string
    readonly cause?: unknown
  }) {
    super(`${facts.what}: found ${facts.found}; ${facts.fix}.`, facts.cause === undefined ? {} : { cause: facts.cause })
    this.name = "OperationError"
    this.code = facts.code
    this.what = facts.what
    this.found = facts.found
    this.fix = facts.fix
  }
}
