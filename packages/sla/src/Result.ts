/**
 * The outcome of an operation that may refuse.
 *
 * @module
 */

/**
 * A value, or the reason there is none. Refusals are values here, never exceptions.
 *
 * **Shape** `{ ok: true, value }` or `{ ok: false, error }`; test `ok` and TypeScript narrows the rest.
 */
export type Result<A, E> = { readonly ok: true; readonly value: A } | { readonly ok: false; readonly error: E }

/** A success. */
export const succeed = <A>(value: A): Result<A, never> => ({ ok: true, value })

/** A refusal. */
export const fail = <E>(error: E): Result<never, E> => ({ ok: false, error })
