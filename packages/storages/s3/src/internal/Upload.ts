/** Puts an object in one request, or in parts; under its name it appears whole or not at all. */
import { BlobLimitError } from "@switchboard/storage/BlobStore"
import type { Answer, Ask, Client } from "./Client.ts"
import * as Xml from "./Xml.ts"

// https://docs.aws.amazon.com/AmazonS3/latest/userguide/qfacts.html
const mostParts = 10_000

/** An object as it is stored. */
export interface Stored {
  readonly sizeBytes: number
  readonly mediaType: string
  readonly etag: string | undefined
}

export interface Upload {
  readonly key: string
  readonly object: string
  readonly bytes: Uint8Array | AsyncIterable<Uint8Array>
  readonly mediaType: string
  /** What carries the media type. */
  readonly headers: Readonly<Record<string, string>>
  readonly limitBytes: number
}

interface Part {
  readonly bytes: Uint8Array<ArrayBuffer>
  readonly isLast: boolean
}

/**
 * Cuts bytes into parts: each of that size, but for the last, which may be smaller, and is empty only for an empty blob.
 * A part's memory is used again for the next.
 */
async function* cut(upload: Upload, partBytes: number): AsyncGenerator<Part> {
  const limitBytes = Math.min(upload.limitBytes, partBytes * mostParts)
  let buffer = new Uint8Array(Math.min(partBytes, 65_536))
  let held = 0
  let total = 0
  for await (const chunk of upload.bytes instanceof Uint8Array ? [upload.bytes] : upload.bytes) {
    total += chunk.length
    if (total > limitBytes) throw new BlobLimitError(upload.key, limitBytes)
    for (let offset = 0; offset < chunk.length; ) {
      // Only now is it sure that this one is not the last.
      if (held === partBytes) {
        yield { bytes: buffer, isLast: false }
        held = 0
      }
      const piece = chunk.subarray(offset, offset + partBytes - held)
      if (held + piece.length > buffer.length) {
        const larger = new Uint8Array(Math.min(partBytes, Math.max(buffer.length * 2, held + piece.length)))
        larger.set(buffer.subarray(0, held))
        buffer = larger
      }
      buffer.set(piece, held)
      held += piece.length
      offset += piece.length
    }
  }
  yield { bytes: buffer.subarray(0, held), isLast: true }
}

const toCompletion = (etags: ReadonlyArray<string>): Uint8Array<ArrayBuffer> =>
  Buffer.from(
    `<CompleteMultipartUpload>${etags
      .map((etag, index) => `<Part><PartNumber>${index + 1}</PartNumber><ETag>${Xml.escape(etag)}</ETag></Part>`)
      .join("")}</CompleteMultipartUpload>`
  )

export const makeUploader = (
  client: Client,
  partBytes: number,
  head: (object: string) => Promise<Stored | undefined>
): ((upload: Upload) => Promise<Stored>) => {
  /** Whether the store knows `If-None-Match: *`; it says 501 when it doesn't. */
  let conditional = true

  /** Writes where nothing is; else, what is there stays and is returned. */
  const settle = (object: string, mine: Stored, ask: (headers: Readonly<Record<string, string>>) => Ask) => {
    const attemptAt = async (attempt: number): Promise<Stored> => {
      if (!conditional) {
        // Parts take a while: all that can be done is to look again just before.
        const before = await head(object)
        if (before !== undefined) return before
      }
      const guarded = conditional
      const request = ask(guarded ? { "if-none-match": "*" } : {})
      const answer = await client.once(request, attempt)
      if (answer.status === 200) {
        // S3 begins the answer to CompleteMultipartUpload before it knows.
        if (Xml.isRoot(answer.text, "Error")) throw client.failure(request, { ...answer, status: 500 }, attempt)
        if (request.operation === "CompleteMultipartUpload" && !Xml.isRoot(answer.text, `${request.operation}Result`))
          throw client.fail("s3-unavailable", "the answer was cut off", request, { status: 200, attempts: attempt })
        return mine
      }
      if (answer.status === 501 && guarded) {
        conditional = false
        return await attemptAt(attempt)
      }
      // 412: there is one. 404: a try before this one completed the upload, and its answer was lost.
      const there = answer.status === 412 || answer.status === 404 ? await head(object) : undefined
      if (there !== undefined) return there
      if (answer.status === 412)
        throw client.fail("s3-conflict", "there was a blob, and it is gone", request, {
          status: 412,
          attempts: attempt
        })
      throw client.failure(request, answer, attempt)
    }
    return client.retrying(attemptAt)
  }

  const putWhole = ({ object, headers, mediaType }: Upload, bytes: Uint8Array<ArrayBuffer>): Promise<Stored> =>
    settle(object, { sizeBytes: bytes.length, mediaType, etag: undefined }, (guard) => ({
      operation: "PutObject",
      method: "PUT",
      object,
      headers: { ...headers, ...guard },
      body: bytes,
      accept: [200, 412, 501]
    }))

  const begin = async ({ object, headers }: Upload): Promise<string> => {
    const ask: Ask = {
      operation: "CreateMultipartUpload",
      method: "POST",
      object,
      query: { uploads: "" },
      headers
    }
    const answer = await client.call(ask)
    const id = Xml.textOf(answer.text, "UploadId")
    if (id === undefined || id === "") throw client.fail("s3-failed", "it names no upload", ask, { attempts: 1 })
    return id
  }

  const putPart = async (object: string, uploadId: string, number: number, body: Uint8Array<ArrayBuffer>) => {
    const ask: Ask = {
      operation: "UploadPart",
      method: "PUT",
      object,
      query: { partNumber: String(number), uploadId },
      body
    }
    const answer: Answer = await client.call(ask)
    const etag = answer.headers.get("etag")
    if (etag === null) throw client.fail("s3-failed", "the part has no ETag", ask, { attempts: 1 })
    return etag
  }

  const abort = (object: string, uploadId: string): Promise<Answer> =>
    client.call({
      operation: "AbortMultipartUpload",
      method: "DELETE",
      object,
      query: { uploadId },
      accept: [200, 204, 404]
    })

  return async (upload) => {
    const { object, mediaType } = upload
    let uploadId: string | undefined
    let completed = false
    const etags: Array<string> = []
    let sizeBytes = 0
    try {
      for await (const { bytes, isLast } of cut(upload, partBytes)) {
        if (isLast && uploadId === undefined) return await putWhole(upload, bytes)
        uploadId ??= await begin(upload)
        etags.push(await putPart(object, uploadId, etags.length + 1, bytes))
        sizeBytes += bytes.length
      }
      const id = uploadId ?? ""
      const mine: Stored = { sizeBytes, mediaType, etag: undefined }
      const stored = await settle(object, mine, (guard) => ({
        operation: "CompleteMultipartUpload",
        method: "POST",
        object,
        query: { uploadId: id },
        headers: guard,
        body: toCompletion(etags),
        accept: [200, 404, 412, 501]
      }))
      completed = stored === mine
      return stored
    } finally {
      // Why it failed matters more than parts that stay: the bucket's own rule removes those.
      if (uploadId !== undefined && !completed) await abort(object, uploadId).catch(() => undefined)
    }
  }
}
