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

/** Fields by property name: further ones inside, or, where a field ends, its path as text. */
type Tree = Map<string, Tree | string>

const trees = new WeakMap<ReadonlyArray<PersonalField>, Tree>()

const treeOf = (personalFields: ReadonlyArray<PersonalField>): Tree => {
  const known = trees.get(personalFields)
  if (known !== undefined) return known
  const root: Tree = new Map()
  for (const { path } of personalFields) {
    let at = root
    for (const name of path.slice(0, -1)) {
      const inner = at.get(name)
      const next: Tree = inner instanceof Map ? inner : new Map()
      at.set(name, next)
      at = next
    }
    at.set(path.at(-1)!, path.join("/"))
  }
  trees.set(personalFields, root)
  return root
}

const take = (value: Record<string, unknown>, tree: Tree, taken: Record<string, unknown>): Record<string, unknown> => {
  const rest: Record<string, unknown> = {}
  for (const name of Object.keys(value)) {
    const found = value[name]
    const place = tree.get(name)
    if (place === undefined || found === undefined) rest[name] = found
    else if (typeof place === "string") taken[place] = found
    else rest[name] = take(found as Record<string, unknown>, place, taken)
  }
  return rest
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
  return { rest: take(value, treeOf(personalFields), taken), taken }
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
  const whole = { ...rest }
  const copies = new Set<unknown>([whole])
  for (const [path, field] of back) insert(whole, path, field, copies)
  return whole
}

/** Puts a field into a value of ours; what is inside is copied before it is changed, once. */
const insert = (
  value: Record<string, unknown>,
  path: ReadonlyArray<string>,
  field: unknown,
  copies: Set<unknown>
): void => {
  let at = value
  for (const name of path.slice(0, -1)) {
    let inner = at[name]
    if (inner === undefined) return
    if (!copies.has(inner)) {
      inner = { ...(inner as Record<string, unknown>) }
      copies.add(inner)
      at[name] = inner
    }
    at = inner as Record<string, unknown>
  }
  at[path.at(-1)!] = field
}
