/** Why storage did not do what was asked of it. Limits and what can't be kept have errors of their own: `StorageLimitError`, `StorageInvalidError`. */
import type { Conflict } from "./StorageDriver.ts"

/** Something stood elsewhere than the commit expected; nothing was written. Read again, decide again. */
export class ConflictError extends Error {
  readonly _tag = "ConflictError"
  readonly code = "storage-conflict"
  readonly workspace: string
  readonly conflict: Conflict
  constructor(workspace: string, conflict: Conflict) {
    super(
      conflict.kind === "claim"
        ? `The claim "${conflict.key}" ${conflict.found === undefined ? "is not held" : "stands otherwise"}. Read it and decide again.`
        : `The ${conflict.kind} "${conflict.key}" stands at ${conflict.found}, not ${conflict.expected}. Read it and decide again.`
    )
    this.name = "ConflictError"
    this.workspace = workspace
    this.conflict = conflict
  }
}

/** Too many commits are waiting; nothing was written. Try again a little later. */
export class StorageBusyError extends Error {
  readonly _tag = "StorageBusyError"
  readonly code = "storage-busy"
  readonly retryable = true
  readonly waiting: number
  constructor(waiting: number) {
    super(`Storage is busy: ${waiting} commits are waiting. Nothing was written; try again a little later.`)
    this.name = "StorageBusyError"
    this.waiting = waiting
  }
}

/**
 * The driver failed. With `outcome` "unknown" the commit may or may not have been written: read what it would have
 * changed before trying again. With "nothing written" it certainly was not.
 */
export class StorageUnavailableError extends Error {
  readonly _tag = "StorageUnavailableError"
  readonly code = "storage-unavailable"
  readonly outcome: "unknown" | "nothing written"
  constructor(outcome: "unknown" | "nothing written", cause: unknown) {
    const reason = cause instanceof Error ? cause.message : String(cause)
    super(
      outcome === "unknown"
        ? `Storage failed and the outcome is unknown: ${reason} Read what the commit would have changed before trying again.`
        : `Storage is not available: ${reason} Nothing was written.`,
      { cause }
    )
    this.name = "StorageUnavailableError"
    this.outcome = outcome
  }
}
