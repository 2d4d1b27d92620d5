/** A store that talks to a fake of S3. */
import { S3BlobStore, type S3Config } from "@switchboard/storage-s3"
import { accessKeyId, bucket, type FakeOptions, type FakeS3, region, secretAccessKey, start } from "./FakeS3.ts"

export const MiB = 1_024 * 1_024

export const optionsFor = (fake: FakeS3, options: Partial<S3Config.Options> = {}): S3Config.Options => ({
  endpoint: fake.endpoint,
  bucket,
  region,
  accessKeyId,
  secretAccessKey,
  partBytes: 5 * MiB,
  firstRetryMs: 0,
  ...options
})

export interface Setting {
  readonly fake: FakeS3
  readonly blobs: S3BlobStore.S3BlobStore
  /** How many requests of an operation came. */
  readonly count: (operation: string) => number
}

export const withS3 = async (
  fakeOptions: FakeOptions,
  run: (setting: Setting) => Promise<void>,
  options: Partial<S3Config.Options> = {}
): Promise<void> => {
  const fake = await start(fakeOptions)
  try {
    await run({
      fake,
      blobs: S3BlobStore.make(optionsFor(fake, options)),
      count: (operation) => fake.seen.filter((each) => each.operation === operation).length
    })
  } finally {
    await fake.close()
  }
}

export const read = async (parts: AsyncIterable<Uint8Array> | undefined): Promise<Buffer | undefined> => {
  if (parts === undefined) return undefined
  const chunks: Array<Uint8Array> = []
  for await (const part of parts) chunks.push(part)
  return Buffer.concat(chunks)
}

/** Bytes that differ from place to place. */
export const pattern = (size: number): Buffer => {
  const bytes = Buffer.alloc(size)
  for (let index = 0; index + 4 <= size; index += 4) bytes.writeUInt32LE((index * 2_654_435_761) >>> 0, index)
  return bytes
}

export async function* inChunks(bytes: Uint8Array, size: number): AsyncGenerator<Uint8Array> {
  for (let start = 0; start < bytes.length; start += size) yield bytes.subarray(start, start + size)
}

export const put = { mediaType: "application/pdf", limitBytes: 100 * MiB }
