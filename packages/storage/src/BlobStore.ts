/**
 * Where the bytes of attachments live.
 *
 * Keys are chosen by the caller and unique within a workspace; bytes under a key never change.
 */

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

/** The contract: put before the commit that names it; orphans are found by `list` and swept. */
export interface BlobStore {
  readonly name: string
  readonly put: (
    workspace: string,
    key: string,
    bytes: Uint8Array | AsyncIterable<Uint8Array>,
    options: { readonly mediaType: string; readonly limitBytes: number }
  ) => Promise<BlobInfo>
  readonly info: (workspace: string, key: string) => Promise<BlobInfo | undefined>
  /** `undefined` when there is no such blob. */
  readonly get: (workspace: string, key: string, range?: BlobRange) => Promise<AsyncIterable<Uint8Array> | undefined>
  /** Deleting what is not there succeeds. */
  readonly delete: (workspace: string, keys: ReadonlyArray<string>) => Promise<void>
  /** Keys in order, after `after`. */
  readonly list: (workspace: string, after: string | undefined, limit: number) => Promise<ReadonlyArray<BlobInfo>>
}
