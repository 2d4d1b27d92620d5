/**
 * Personal fields: marked in the schema, kept apart in the journal, and replaced by a stand-in once the person was erased.
 *
 * @module
 */
import * as z from "zod"

/**
 * Marks a field as personal. `erased` is what stands there after an erasure: a valid value that says nothing of anybody,
 * or `undefined` for a field that may be absent.
 *
 * **Gotchas** `evolve` must not branch on a personal field, or a journal would fold differently after an erasure.
 */
export const personal = <S extends z.ZodType>(schema: S, erased: z.output<S> | undefined): S =>
  schema.meta({ personal: true, erased: erased === undefined ? null : erased })

/** Where a personal field stands in a value, as property names from the outside in, and its stand-in (`null`: absent). */
export interface PersonalField {
  readonly path: ReadonlyArray<string>
  readonly erased: unknown
}

/** The personal fields of an object schema, nested objects included. */
export const fields = (schema: z.ZodType, path: ReadonlyArray<string> = []): ReadonlyArray<PersonalField> => {
  const meta = schema.meta()
  if (meta?.["personal"] === true) return [{ path, erased: meta["erased"] }]
  if (schema instanceof z.ZodOptional || schema instanceof z.ZodNullable || schema instanceof z.ZodReadonly) {
    return fields(schema.unwrap() as z.ZodType, path)
  }
  if (schema instanceof z.ZodObject) {
    return Object.entries(schema.shape as Record<string, z.ZodType>).flatMap(([name, inner]) =>
      fields(inner, [...path, name])
    )
  }
  return []
}

const omit = (
  value: Record<string, unknown>,
  path: ReadonlyArray<string>,
  taken: (found: unknown) => void
): Record<string, unknown> => {
  const [name, ...rest] = path as [string, ...Array<string>]
  const found = value[name]
  if (found === undefined) return value
  if (rest.length === 0) {
    taken(found)
    const { [name]: _, ...others } = value
    return others
  }
  const inner = omit(found as Record<string, unknown>, rest, taken)
  return inner === found ? value : { ...value, [name]: inner }
}

const insert = (
  value: Record<string, unknown>,
  path: ReadonlyArray<string>,
  field: unknown
): Record<string, unknown> => {
  const [name, ...rest] = path as [string, ...Array<string>]
  if (rest.length === 0) return { ...value, [name]: field }
  const inner = value[name]
  return inner === undefined ? value : { ...value, [name]: insert(inner as Record<string, unknown>, rest, field) }
}

/**
 * Takes the personal fields out of a value: the rest, and the fields by their path joined with `/`.
 *
 * **Example**
 *
 * ```ts
 * import { strict as assert } from "node:assert"
 * import { ConversationEvent, Personal } from "@switchboard/conversation"
 *
 * const fields = Personal.fields(ConversationEvent.SubjectSet)
 * const event = {
 *   type: "SubjectSet",
 *   meta: { actor: { kind: "system", name: "example" }, recordedAtMs: 0 },
 *   subject: "Jo was charged twice"
 * }
 * const { rest, taken } = Personal.split(fields, event)
 * assert.deepEqual(taken, { subject: "Jo was charged twice" })
 * assert(!("subject" in rest))
 *
 * assert.deepEqual(Personal.join(fields, rest, taken), event)
 * // After an erasure the event is still one, and says nothing of anybody.
 * assert.equal(Personal.join(fields, rest, null)["subject"], "")
 * ```
 */
export const split = (
  personalFields: ReadonlyArray<PersonalField>,
  value: Record<string, unknown>
): { readonly rest: Record<string, unknown>; readonly taken: Record<string, unknown> } => {
  const taken: Record<string, unknown> = {}
  let rest = value
  for (const { path } of personalFields) rest = omit(rest, path, (found) => (taken[path.join("/")] = found))
  return { rest, taken }
}

/**
 * Puts the personal fields back where they were taken from; `null` (erased) puts the stand-ins there instead.
 *
 * **Gotchas** Fields go back to their own paths, so that an event of an older version, whose paths were others, is whole
 * again before it is brought up to date.
 */
export const join = (
  personalFields: ReadonlyArray<PersonalField>,
  rest: Record<string, unknown>,
  taken: Readonly<Record<string, unknown>> | null
): Record<string, unknown> => {
  const back: ReadonlyArray<readonly [ReadonlyArray<string>, unknown]> =
    taken === null
      ? personalFields.flatMap(({ path, erased }) => (erased === null ? [] : [[path, erased] as const]))
      : Object.entries(taken).map(([path, field]) => [path.split("/"), field] as const)
  return back.reduce((value, [path, field]) => insert(value, path, field), rest)
}
