import { StorageInvalidError } from "@switchboard/storage/StorageDriver"
import type { Roles } from "./Roles.ts"

/** What a thread is for, and how it opens its connection. */
export type Opening = {
  readonly [Role in keyof Roles]: { readonly role: Role; readonly settings: Roles[Role]["settings"] }
}[keyof Roles]

export type Request = readonly [name: string, ...input: ReadonlyArray<unknown>]

/** A failure as plain data: an error that is sent to another thread loses what it carries. */
interface Failure {
  readonly message: string
  readonly code?: unknown
  readonly errcode?: unknown
  readonly invalid?: Pick<StorageInvalidError, "field" | "expected" | "found">
}

export type Answer = { readonly value: unknown } | { readonly failure: Failure }

/** Does what was asked, and says what came of it. */
export const answer = (run: () => unknown): Answer => {
  try {
    return { value: run() }
  } catch (error) {
    if (error instanceof StorageInvalidError) {
      const { message, field, expected, found } = error
      return { failure: { message, invalid: { field, expected, found } } }
    }
    const { message = String(error), code, errcode } = error as Partial<Failure>
    return { failure: { message, code, errcode } }
  }
}

/** The error again, where it was asked for. */
export const errorOf = ({ message, code, errcode, invalid }: Failure): Error =>
  invalid === undefined ? Object.assign(new Error(message), { code, errcode }) : new StorageInvalidError(invalid)
