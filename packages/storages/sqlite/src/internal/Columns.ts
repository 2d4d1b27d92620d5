import { type FieldValue, StorageInvalidError } from "@switchboard/storage/StorageDriver"

/** What this package writes into a column, and reads from one. */
export type ColumnValue = string | number | null

export const quote = (identifier: string): string => `"${identifier.replaceAll('"', '""')}"`

export const tableOf = (view: string): string => quote(`view_${view}`)

export const column = (field: string): string => quote(`f_${field}`)

export const columnTypes = { text: "TEXT", number: "REAL", boolean: "INTEGER" } as const

/** An indexed value, as its column holds it. */
export const bound = (value: FieldValue): ColumnValue =>
  typeof value === "boolean" ? Number(value) : typeof value === "string" ? value.toWellFormed() : value

export const unknownView = (view: string): StorageInvalidError =>
  new StorageInvalidError({ field: "view", expected: "a prepared view", found: view })
