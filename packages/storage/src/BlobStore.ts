/**
 * Where the bytes of attachments live.
 *
 * Keys are chosen by the caller and unique within a workspace; bytes under a key never change.
 */
import { StorageInvalidError } from "./StorageDriver.ts"

/** What is known of stored bytes. */
export interface BlobInfo {
  readonly key: string
  readonly sizeBytes: number
  readonly mediaType: string
}

/** A part of a blob: from `start` (inclusive, 0 is the first byte) up to `end` (exclusive, default the end). */
export interface BlobRange {
  readonly start: number
  readonly end?: number
}

/** The bytes handed to `put` are more than its limit; nothing was stored. */
export class BlobLimitError extends Error {
  readonly _tag = "BlobLimitError"
  readonly code = "blob-limit"
  readonly key: string
  readonly limitBytes: number
  constructor(key: string, limitBytes: number) {
    super(`The blob "${key}" is larger than ${limitBytes} bytes. Raise the limit or refuse the attachment.`)
    this.name = "BlobLimitError"
    this.key = key
    this.limitBytes = limitBytes
  }
}

/**
 * The contract: put before the commit that names it; orphans are found by `list` and swept.
 *
 * **Fails with** {@link BlobLimitError} when a blob is larger than its limit, `StorageInvalidError` for a key that is
 * empty, longer than {@link blobKeyBytes} or not well-formed, and for a range that is none.
 */
export interface BlobStore {
  readonly name: string
  /** All or nothing. When there is a blob under the key already, it stays, and its info is returned. */
  readonly put: (
    workspace: string,
    key: string,
    bytes: Uint8Array | AsyncIterable<Uint8Array>,
    options: { readonly mediaType: string; readonly limitBytes: number }
  ) => Promise<BlobInfo>
  readonly info: (workspace: string, key: string) => Promise<BlobInfo | undefined>
  /** `undefined` when there is no such blob. A range past the end is cut there. */
  readonly get: (workspace: string, key: string, range?: BlobRange) => Promise<AsyncIterable<Uint8Array> | undefined>
  /** Deleting what is not there succeeds. */
  readonly delete: (workspace: string, keys: ReadonlyArray<string>) => Promise<void>
  /** In the order of keys, by code points, after `after`. */
  readonly list: (workspace: string, after: string | undefined, limit: number) => Promise<ReadonlyArray<BlobInfo>>
}

/** The longest key of a blob, in UTF-8 bytes. */
export const blobKeyBytes = 512

/**
 * Checks a workspace and a key on behalf of an implementation.
 *
 * **Fails with** `StorageInvalidError` (thrown).
 */
export const checkBlobKey = (workspace: string, key: string): void => {
  for (const [field, value] of [
    ["workspace", workspace],
    ["key", key]
  ] as const) {
    const bytes = new TextEncoder().encode(value).length
    if (value === "" || bytes > blobKeyBytes || !value.isWellFormed() || value.includes("\0"))
      throw new StorageInvalidError({
        field,
        expected: `1 to ${blobKeyBytes} bytes of well-formed text without NUL`,
        found: `${bytes} bytes`
      })
  }
}

/**
 * Cuts a range to a blob of that size.
 *
 * **Fails with** `StorageInvalidError` (thrown) when it is not of whole numbers in order, from 0.
 */
export const resolveRange = (range: BlobRange | undefined, sizeBytes: number): Required<BlobRange> => {
  const { start, end = Number.MAX_SAFE_INTEGER } = range ?? { start: 0 }
  if (!Number.isInteger(start) || !Number.isInteger(end) || start < 0 || end < start)
    throw new StorageInvalidError({
      field: "range",
      expected: "whole numbers, 0 ≤ start ≤ end",
      found: `${start} to ${end}`
    })
  return { start: Math.min(start, sizeBytes), end: Math.min(end, sizeBytes) }
}
