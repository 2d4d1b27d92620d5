/**
 * What is wrong with data that came from outside.
 *
 * @module
 */

/**
 * The first thing in some input that can't be used.
 *
 * **Shape** `path` names the field (`requirement.of[0].atLeast`; empty for the whole), `expected` and `found` say what
 * should have been there and what was, `message` says all of it in one sentence.
 */
export interface InputError {
  readonly code: "input_invalid"
  readonly path: string
  readonly expected: string
  readonly found: string
  readonly message: string
}
