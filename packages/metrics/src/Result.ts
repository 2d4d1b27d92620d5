/**
 * What an operation of this package answers when it can refuse: the value, or the error as a value.
 *
 * @module
 */

/**
 * A value, or the reason there is none.
 *
 * **Shape** `{ ok: true, value }` or `{ ok: false, error }`; test `ok` and TypeScript narrows the rest.
 */
export type Result<A, E> = { readonly ok: true; readonly value: A } | { readonly ok: false; readonly error: E }

/** The answer that carries a value. */
export const succeed = <A>(value: A): Result<A, never> => ({ ok: true, value })

/** The answer that carries the error. */
export const fail = <E>(error: E): Result<never, E> => ({ ok: false, error })
