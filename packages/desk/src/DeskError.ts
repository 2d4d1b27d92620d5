/**
 * What can go wrong at a desk, each with its facts and what to do.
 *
 * @module
 */
import type { Rejection } from "@switchboard/conversation"
import { Data } from "effect"

/** A command was refused by the model or by the rights of its actor; nothing was changed. Never worth a retry as it is. */
export class RejectedError extends Data.TaggedError("RejectedError")<{
  readonly rejection: Rejection.Rejection
}> {
  override get message(): string {
    return this.rejection.message
  }
}

/** There is nothing by this id, or the actor may not see it. */
export class NotFoundError extends Data.TaggedError("NotFoundError")<{
  readonly what: string
  readonly id: string
}> {
  override get message(): string {
    return `no such ${this.what}: ${this.id}`
  }
}

/** The pool's owner refused a request, such as accepting an offer that is over. */
export class RoutingRefusedError extends Data.TaggedError("RoutingRefusedError")<{
  readonly code: string
  readonly facts: Readonly<Record<string, unknown>>
  readonly explanation: string
}> {
  override get message(): string {
    return this.explanation
  }
}

/** A command id was used before for a different command. */
export class CommandReusedError extends Data.TaggedError("CommandReusedError")<{ readonly commandId: string }> {
  override get message(): string {
    return `the command id ${this.commandId} was used for another command; make a new id for each`
  }
}

/** Too much is waiting; nothing was lost or changed. Try again after `retryAfterMs`. */
export class OverloadedError extends Data.TaggedError("OverloadedError")<{ readonly retryAfterMs: number }> {
  override get message(): string {
    return `too much is waiting; try again in ${this.retryAfterMs} ms`
  }
}

/** Storage did not answer as it should. `retryable`: trying again may help. */
export class StorageFailedError extends Data.TaggedError("StorageFailedError")<{
  readonly reason: string
  readonly retryable: boolean
  readonly cause: unknown
}> {
  override get message(): string {
    return this.reason
  }
}

/** The configuration is wrong: names the field, what was found and the fix. */
export class ConfigError extends Data.TaggedError("ConfigError")<{
  readonly field: string
  readonly found: string
  readonly fix: string
}> {
  override get message(): string {
    return `${this.field}: found ${this.found}; ${this.fix}`
  }
}

/** Everything a desk's operations can fail with. */
export type DeskError =
  | RejectedError
  | NotFoundError
  | RoutingRefusedError
  | CommandReusedError
  | OverloadedError
  | StorageFailedError

/** What a rejected promise of storage means to a desk. */
export const fromStorage = (cause: unknown): DeskError => {
  if (cause instanceof Error && "_tag" in cause) {
    switch (cause._tag) {
      case "RejectedError":
      case "NotFoundError":
      case "RoutingRefusedError":
      case "CommandReusedError":
      case "OverloadedError":
        return cause as DeskError
      case "StorageBusyError":
        return new OverloadedError({ retryAfterMs: 1000 })
    }
  }
  return new StorageFailedError({
    reason: cause instanceof Error ? cause.message : String(cause),
    retryable: !(
      cause instanceof Error &&
      "_tag" in cause &&
      (cause._tag === "StorageLimitError" || cause._tag === "StorageInvalidError")
    ),
    cause
  })
}
