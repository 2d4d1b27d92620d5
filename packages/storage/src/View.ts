/** What every driver does the same way with views: checking definitions and queries, reading and ordering field values. */
import {
  type Condition,
  type FieldValue,
  type JsonObject,
  type Query,
  type Search,
  StorageInvalidError,
  type ViewDefinition
} from "./StorageDriver.ts"

const namePattern = /^[A-Za-z][A-Za-z0-9_-]{0,62}$/

const refuse = (field: string, expected: string, found: unknown): never => {
  throw new StorageInvalidError({ field, expected, found: typeof found === "string" ? `"${found}"` : String(found) })
}

/**
 * Checks that definitions can be prepared by any driver: names of letters, digits, `_` and `-`, distinct also when case
 * is ignored, and indexes over declared fields.
 *
 * **Fails with** {@link StorageInvalidError} (thrown) naming the view and what is wrong.
 */
export const checkDefinitions = (views: ReadonlyArray<ViewDefinition>): void => {
  const expected = "a letter, then up to 62 letters, digits, _ or -, unique when case is ignored"
  const names = new Set<string>()
  for (const view of views) {
    if (!namePattern.test(view.name) || names.has(view.name.toLowerCase())) refuse("views[].name", expected, view.name)
    names.add(view.name.toLowerCase())
    if (!Number.isInteger(view.version) || view.version < 1)
      refuse(`${view.name}.version`, "a whole number from 1", view.version)
    const fields = new Set<string>()
    for (const field of Object.keys(view.fields)) {
      if (!namePattern.test(field) || fields.has(field.toLowerCase())) refuse(`${view.name}.fields`, expected, field)
      fields.add(field.toLowerCase())
    }
    for (const index of view.indexes) {
      if (index.length === 0) refuse(`${view.name}.indexes`, "at least one field", "none")
      for (const field of index)
        if (!Object.hasOwn(view.fields, field)) refuse(`${view.name}.indexes`, "a declared field", field)
    }
    for (const path of view.words ?? [])
      if (path.split(".").includes("")) refuse(`${view.name}.words`, "names of properties joined by dots", path)
  }
}

const fits = (type: "text" | "number" | "boolean", value: unknown): boolean =>
  value === null || typeof value === (type === "text" ? "string" : type)

const valuesOf = (condition: Condition): ReadonlyArray<FieldValue> => {
  if ("equals" in condition) return [condition.equals]
  if ("in" in condition) return condition.in
  return [condition.atLeast, condition.above, condition.atMost, condition.below].filter((value) => value !== undefined)
}

const undeclared = (view: ViewDefinition, field: string, found: string): StorageInvalidError =>
  new StorageInvalidError({ field, expected: `a declared field of ${view.name}`, found })

/**
 * Checks a query against the definition of its view.
 *
 * **Fails with** {@link StorageInvalidError} (thrown) for an undeclared field, a value of another type than the field's,
 * or a limit below 1.
 */
export const checkQuery = (view: ViewDefinition, query: Query): void => {
  for (const condition of query.where ?? []) {
    const type = view.fields[condition.field]
    if (type === undefined) throw undeclared(view, "where", condition.field)
    for (const value of valuesOf(condition)) if (!fits(type, value)) refuse(`where.${condition.field}`, type, value)
  }
  if (query.order !== undefined) {
    const type = view.fields[query.order.field]
    if (type === undefined) throw undeclared(view, "order", query.order.field)
    if (query.after !== undefined && !fits(type, query.after.value)) refuse("after.value", type, query.after.value)
  }
  if (!Number.isInteger(query.limit) || query.limit < 1) refuse("limit", "a whole number from 1", query.limit)
}

/**
 * The searchable value of a field: text well-formed, `null` when the property is missing.
 *
 * **Fails with** {@link StorageInvalidError} (thrown) when the property is of another type than declared.
 */
export const fieldValue = (view: ViewDefinition, document: JsonObject, field: string): FieldValue => {
  const value = document[field]
  if (value === undefined || value === null) return null
  if (!fits(view.fields[field]!, value)) refuse(`${view.name}.${field}`, view.fields[field]!, typeof value)
  return typeof value === "string" ? value.toWellFormed() : (value as FieldValue)
}

/** So much of a document's text is found by its words: long enough for a long mail, and no search waits for a book. */
const searchedLength = 50_000

/**
 * The text of a document that full text finds, in the order of the view's paths, one line for each text.
 *
 * **Units** the first 50,000 UTF-16 units; what comes after them is not searched.
 *
 * **Example**
 * ```ts
 * import { strict as assert } from "node:assert"
 * import { View } from "@switchboard/storage"
 *
 * const messages = { name: "messages", version: 1, fields: {}, indexes: [], words: ["subject", "parts.text"] }
 * const document = { subject: "Bill", parts: [{ kind: "text", text: "Charged twice." }, { kind: "media" }] }
 * assert.equal(View.textOf(messages, document), "Bill\nCharged twice.")
 * ```
 */
export const textOf = (view: Pick<ViewDefinition, "words">, document: JsonObject): string => {
  const found: Array<string> = []
  const walk = (value: unknown, path: ReadonlyArray<string>, depth: number): void => {
    if (Array.isArray(value)) for (const item of value) walk(item, path, depth)
    else if (depth === path.length) {
      if (typeof value === "string" && value !== "") found.push(value)
    } else if (typeof value === "object" && value !== null && Object.hasOwn(value, path[depth]!))
      walk((value as JsonObject)[path[depth]!], path, depth + 1)
  }
  for (const path of view.words ?? []) walk(document, path.split("."), 0)
  return found.join("\n").slice(0, searchedLength)
}

/**
 * Checks a search on behalf of a driver.
 *
 * **Fails with** {@link StorageInvalidError} (thrown) for a view without words, no terms, or a limit below 1.
 */
export const checkSearch = (view: ViewDefinition, { terms, limit }: Search): void => {
  if ((view.words ?? []).length === 0) refuse("search.view", "a view that declares words", view.name)
  if (terms.length === 0) refuse("search.terms", "at least one term", "none")
  if (!Number.isInteger(limit) || limit < 1) refuse("search.limit", "a whole number from 1", limit)
}

// UTF-16 puts surrogate pairs before U+E000–U+FFFF; code points, and so UTF-8, put them after.
const codePointRank = (unit: number): number => (unit >= 0xe000 ? unit - 0x800 : unit >= 0xd800 ? unit + 0x2000 : unit)

/** Orders text by code points, as UTF-8 bytes do. */
export const compareText = (left: string, right: string): number => {
  if (left === right) return 0
  const length = Math.min(left.length, right.length)
  for (let index = 0; index < length; index++) {
    const a = left.charCodeAt(index)
    const b = right.charCodeAt(index)
    if (a !== b) return codePointRank(a) - codePointRank(b)
  }
  return left.length - right.length
}

/** Orders the values of one field: `null`, then `false` and `true`, numbers by size, text by code points. */
export const compareValues = (left: FieldValue, right: FieldValue): number => {
  if (left === right) return 0
  if (left === null) return -1
  if (right === null) return 1
  if (typeof left === "string" && typeof right === "string") return compareText(left, right)
  return Number(left) - Number(right)
}

/** Whether a field's value meets a condition. */
export const meets = (condition: Condition, value: FieldValue): boolean => {
  const wellFormed = (wanted: FieldValue) => (typeof wanted === "string" ? wanted.toWellFormed() : wanted)
  if ("equals" in condition) return wellFormed(condition.equals) === value
  if ("in" in condition) return condition.in.some((wanted) => wellFormed(wanted) === value)
  if (value === null) return false
  const { atLeast, above, atMost, below } = condition
  return (
    (atLeast === undefined || compareValues(value, wellFormed(atLeast)) >= 0) &&
    (above === undefined || compareValues(value, wellFormed(above)) > 0) &&
    (atMost === undefined || compareValues(value, wellFormed(atMost)) <= 0) &&
    (below === undefined || compareValues(value, wellFormed(below)) < 0)
  )
}
