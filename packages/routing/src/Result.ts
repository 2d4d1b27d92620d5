/**
 * The outcome of a pure decision: a value, or the reason it was refused. Refusals are values here, never exceptions.
 *
 * @module
 */

/** A value, or the reason it was refused. */
export type Result<A, E> = { readonly ok: true; readonly value: A } | { readonly ok: false; readonly error: E }

/** A success. */
export const succeed = <A>(value: A): Result<A, never> => ({ ok: true, value })

/** A refusal. */
export const fail = <E>(error: E): Result<never, E> => ({ ok: false, error })
