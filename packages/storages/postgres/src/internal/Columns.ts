import { createHash, hash } from "node:crypto"
import {
  type FieldValue,
  type JsonObject,
  StorageInvalidError,
  type ViewDefinition
} from "@switchboard/storage/StorageDriver"
import { fieldValue, textOf } from "@switchboard/storage/View"

export const quote = (identifier: string): string => `"${identifier.replaceAll('"', '""')}"`

export const columnTypes = { text: 'text COLLATE "C"', number: "float8", boolean: "boolean" } as const

const fingerprint = (text: string): string => createHash("sha256").update(text).digest("hex").slice(0, 8)

// Postgres cuts a name at 63 bytes without a word: what is longer gets a fingerprint instead of its end.
export const column = (field: string): string =>
  quote(field.length <= 60 ? `f_${field}` : `f_${field.slice(0, 50)}_${fingerprint(field)}`)

/** A btree entry holds 2,704 bytes: a key, and the text of one document's indexed fields, have to fit into it together. */
const mostKeyBytes = 1_000
const mostIndexedBytes = 1_600

const fits = (text: string, bytes: number): boolean => text.length * 3 <= bytes || Buffer.byteLength(text) <= bytes

/** **Fails with** `StorageInvalidError` (thrown) for text Postgres can't keep, or can't keep in an index. */
export const key = (field: string, text: string): string => {
  if (text.includes("\0") || !text.isWellFormed())
    throw new StorageInvalidError({ field, expected: "well-formed text without NUL", found: JSON.stringify(text) })
  if (!fits(text, mostKeyBytes))
    throw new StorageInvalidError({
      field,
      expected: `at most ${mostKeyBytes} bytes`,
      found: `${Buffer.byteLength(text)} bytes`
    })
  return text
}

export const keyOrNull = (field: string, text: string | undefined): string | null =>
  text === undefined ? null : key(field, text)

/** A text of any length, which no index holds. */
export const content = (field: string, text: string): string => {
  if (!text.includes("\0") && text.isWellFormed()) return text
  throw new StorageInvalidError({ field, expected: "well-formed text without NUL", found: JSON.stringify(text) })
}

// Postgres has no NUL in text. Two characters for each of the two least ones keep the order of everything.
const escapeNul = (text: string): string =>
  text.includes("\0") || text.includes("\x01") ? text.replaceAll("\x01", "\x01\x02").replaceAll("\0", "\x01\x01") : text

/** An indexed value, as its column holds it. */
export const bound = (value: FieldValue): FieldValue =>
  typeof value === "string" ? escapeNul(value.toWellFormed()) : value

/** A view, and the names of what it is in the database: its table, the function that writes it, and the table of its words. */
export interface ViewNames {
  readonly definition: ViewDefinition
  readonly fields: ReadonlyArray<string>
  readonly indexedTexts: ReadonlyArray<string>
  readonly table: string
  readonly put: string
  /** `undefined`: it declares no words. */
  readonly words: string | undefined
}

// Raised when the function that writes a view, or its tables, are made differently.
const shape = 1

/**
 * The names follow from the definition: a process that knows another one finds neither table nor function, instead of
 * writing values into the wrong columns, or words nobody declares.
 */
export const namesOf = (definition: ViewDefinition): ViewNames => {
  const { name, fields, indexes, words = [] } = definition
  const nameOf = (...facts: ReadonlyArray<unknown>) =>
    `${name.slice(0, 36)}_${fingerprint(JSON.stringify([shape, name, ...facts]))}`
  const columns = [Object.entries(fields).sort(), indexes]
  const indexed = new Set(indexes.flat())
  const hasWords = words.length > 0
  return {
    definition,
    fields: Object.keys(fields).sort(),
    indexedTexts: [...indexed].filter((field) => fields[field] === "text"),
    table: `view_${nameOf(...columns)}`,
    put: `put_${nameOf(...columns, ...(hasWords ? [words] : []))}`,
    words: hasWords ? `words_${nameOf(words)}` : undefined
  }
}

/** Tells texts apart: a document whose text has the same digest as before has the same words. 0: it has no text. */
export const digestOf = (text: string): bigint => (text === "" ? 0n : hash("sha1", text, "buffer").readBigInt64BE())

/**
 * What else the function that writes a view is told of a document, as text: its columns in the order of `fields`; where
 * texts are indexed, whether they are too long to be; where there are words, the digest of their text.
 */
export const columnTexts = (
  { definition, fields, indexedTexts, words }: ViewNames,
  document: JsonObject
): Array<string | null> => {
  const texts = fields.map((field) => {
    const value = bound(fieldValue(definition, document, field))
    return value === null ? null : String(value)
  })
  if (indexedTexts.length > 0) {
    const all = indexedTexts.map((field) => texts[fields.indexOf(field)] ?? "").join("")
    texts.push(String(!fits(all, mostIndexedBytes)))
  }
  if (words !== undefined) texts.push(String(digestOf(textOf(definition, document))))
  return texts
}

export const unknownView = (view: string): StorageInvalidError =>
  new StorageInvalidError({ field: "view", expected: "a prepared view", found: view })
