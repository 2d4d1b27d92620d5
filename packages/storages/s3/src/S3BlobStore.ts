/** Blobs in a bucket of Amazon S3, or of any store that speaks its protocol. */
import { createHash } from "node:crypto"
import { type BlobInfo, type BlobStore, checkBlobKey, resolveRange } from "@switchboard/storage/BlobStore"
import { StorageInvalidError } from "@switchboard/storage/StorageDriver"
import { compareText } from "@switchboard/storage/View"
import { type Ask, codeOf, makeClient } from "./internal/Client.ts"
import * as ObjectName from "./internal/ObjectName.ts"
import { makeUploader, type Stored } from "./internal/Upload.ts"
import * as Xml from "./internal/Xml.ts"
import { decode, type Options } from "./S3Config.ts"
import { S3Error } from "./S3Error.ts"

/** How a signed address answers. */
export interface SignedUrlOptions {
  /** How long it holds, in whole seconds, rounded down: from one second to seven days. **Units** milliseconds. */
  readonly expiresInMs: number
  /** The name under which a browser saves the file. Default the last step of the address. */
  readonly fileName?: string
  /** The media type it is answered with. Default the blob's own. */
  readonly mediaType?: string
}

/** A blob store whose blobs can also be fetched straight from the bucket. */
export interface S3BlobStore extends BlobStore {
  /**
   * An address under which anyone who has it can download the blob, from the store itself, until it expires.
   *
   * **Fails with** `StorageInvalidError` for a key that can't be, and for a time that is out of bounds.
   *
   * **Gotchas** it asks nobody: the address of a blob that is not there answers 404. It can't be taken back; it ends
   * before its time only when the credentials do. Browsers save what it leads to and never show it: a page that a
   * contact sent must not run under the bucket's address.
   */
  readonly signedUrl: (workspace: string, key: string, options: SignedUrlOptions) => Promise<string>
}

// ── Media types ──

// What is no media type, but came with a message, is kept aside: a header can't carry it, or a store might correct it.
const plainMediaType = /^[\w!#$&^.+-]+\/[\w!#$&^.+-]+(?:; ?[\x21-\x7e]+)*$/
const oddMediaType = "x-amz-meta-media-type"
const mediaTypeLimit = 1_024

const toMediaHeaders = (mediaType: string): Readonly<Record<string, string>> => {
  const plain = plainMediaType.test(mediaType)
  // As JSON, because a part of a surrogate pair can't be encoded otherwise.
  const value = plain ? mediaType : encodeURIComponent(JSON.stringify(mediaType))
  if (value.length > mediaTypeLimit)
    throw new StorageInvalidError({
      field: "mediaType",
      expected: "a media type",
      found: `${value.length} bytes, encoded`
    })
  return plain ? { "content-type": value } : { "content-type": "application/octet-stream", [oddMediaType]: value }
}

const toMediaType = (headers: Headers): string => {
  const odd = headers.get(oddMediaType)
  return odd === null ? (headers.get("content-type") ?? "") : (JSON.parse(decodeURIComponent(odd)) as string)
}

// ── Addresses ──

const longestExpiry = 7 * 24 * 60 * 60

/** https://www.rfc-editor.org/rfc/rfc6266 */
const toDisposition = (fileName: string | undefined): string => {
  if (fileName === undefined) return "attachment"
  const name = fileName
    .toWellFormed()
    // biome-ignore lint/suspicious/noControlCharactersInRegex: they are what must go
    .replace(/[\0-\x1f\x7f/\\]/g, "_")
    .slice(0, 200)
    .toWellFormed()
  const encoded = encodeURIComponent(name).replace(/['()*]/g, (each) => `%${each.charCodeAt(0).toString(16)}`)
  return `attachment; filename="${name.replace(/[^ -~]|["%]/g, "_")}"; filename*=UTF-8''${encoded}`
}

// ── The store ──

// https://docs.aws.amazon.com/AmazonS3/latest/API/API_ListObjectsV2.html and API_DeleteObjects.html
const mostAtOnce = 1_000
const headsAtOnce = 16

/** An object's name as a listing has it: with `encoding-type=url`, which not every store heeds. */
const decodeName = (name: string): string => {
  try {
    return decodeURIComponent(name)
  } catch {
    return name
  }
}

/**
 * Keeps blobs in a bucket.
 *
 * A blob appears under its key whole or not at all, is checked by the store against its SHA-256, and is durable as the
 * store promises. The first put under a key stays: the store sees to it with `If-None-Match: *`. Where it answers that
 * it can't, we look right before we write; of two puts that meet in that instant, the later one stays. Several processes
 * may use one bucket.
 *
 * At most about three parts of a blob are in memory (`partBytes`), however large it is.
 *
 * **Fails with** `S3ConfigError` (thrown) for options that can't be used. Methods reject with `BlobLimitError`,
 * `StorageInvalidError`, an `S3Error`, and with what the source of the bytes fails with.
 *
 * **Gotchas** after `s3-unavailable` a blob may be there, whole: putting it again settles it. A listing has no media
 * types, so `list` asks for each blob of its page. In a bucket with versioning, `delete` leaves the older versions.
 *
 * **Example**
 * ```ts
 * import { strict as assert } from "node:assert"
 * import { S3BlobStore } from "@switchboard/storage-s3"
 *
 * const blobs = S3BlobStore.make({
 *   endpoint: "https://s3.example.com",
 *   region: "us-east-1",
 *   bucket: "attachments",
 *   accessKeyId: "key",
 *   secretAccessKey: "secret"
 * })
 * const url = new URL(await blobs.signedUrl("acme", "invoice", { expiresInMs: 300_000, fileName: "Invoice 1.pdf" }))
 * assert.equal(url.origin, "https://s3.example.com")
 * assert.match(url.pathname, /^\/attachments\/acme\//)
 * assert.equal(url.searchParams.get("X-Amz-Expires"), "300")
 * ```
 */
export const make = (options: Options): S3BlobStore => {
  const config = decode(options)
  const client = makeClient(config)
  const folderOf = (workspace: string): string => `${config.prefix}${ObjectName.ofWorkspace(workspace)}/`
  const objectOf = (workspace: string, key: string): string => {
    checkBlobKey(workspace, key)
    return folderOf(workspace) + ObjectName.ofKey(key)
  }

  // The answer to HEAD has no body: "no such object" looks like "no such bucket", and a refusal tells no reason. This
  // request's answer does.
  let bucketSeen = false
  const seeBucket = async (): Promise<void> => {
    await client.call({
      operation: "ListObjectsV2",
      method: "GET",
      query: { "list-type": "2", "max-keys": "0" },
      accept: [200]
    })
    bucketSeen = true
  }

  const head = async (object: string): Promise<Stored | undefined> => {
    const ask: Ask = { operation: "HeadObject", method: "HEAD", object, accept: [200, 404] }
    const { status, headers } = await client.call(ask).catch(async (error: unknown) => {
      if (error instanceof S3Error && error.code !== "s3-unavailable") await seeBucket()
      throw error
    })
    if (status === 404) {
      if (!bucketSeen) await seeBucket()
      return undefined
    }
    const length = headers.get("content-length")
    if (length === null) throw client.fail("s3-failed", "it tells no size", ask, { status, attempts: 1 })
    return {
      sizeBytes: Number(length),
      mediaType: toMediaType(headers),
      etag: headers.get("etag") ?? undefined
    }
  }

  const upload = makeUploader(client, config.partBytes, head)
  const infoOf = (key: string, { sizeBytes, mediaType }: Stored): BlobInfo => ({ key, sizeBytes, mediaType })

  /** Reads on where a connection broke. */
  async function* read(object: string, stored: Stored, start: number, end: number): AsyncGenerator<Uint8Array> {
    let offset = start
    const readOn = async function* (attempt: number): AsyncGenerator<Uint8Array> {
      const isWhole = offset === 0 && end === stored.sizeBytes
      const ask: Ask = {
        operation: "GetObject",
        method: "GET",
        object,
        headers: {
          ...(isWhole ? {} : { range: `bytes=${offset}-${end - 1}` }),
          ...(stored.etag === undefined ? {} : { "if-match": stored.etag })
        },
        accept: [isWhole ? 200 : 206]
      }
      try {
        for await (const chunk of client.download(ask, attempt)) {
          if (chunk.length > end - offset)
            throw client.fail("s3-failed", "it sent more bytes than were asked for", ask, { attempts: attempt })
          offset += chunk.length
          yield chunk
        }
      } catch (error) {
        if (!(error instanceof S3Error)) throw error
        if (error.code !== "s3-failed" || (error.status !== 412 && error.status !== 404)) throw error
        throw client.fail("s3-gone", "it is no longer there as it was", ask, {
          status: error.status,
          attempts: attempt
        })
      }
      if (offset < end) throw client.fail("s3-unavailable", "the answer was cut off", ask, { attempts: attempt })
    }
    while (offset < end) {
      const from = offset
      // A try that got further is a success: the tries are counted anew.
      const parts = await client.retrying(async (attempt) => {
        const some = readOn(attempt)
        return { some, first: await some.next() }
      })
      try {
        if (!parts.first.done) yield parts.first.value
        yield* parts.some
      } catch (error) {
        if (!(error instanceof S3Error) || error.code !== "s3-unavailable" || offset === from) throw error
      } finally {
        await parts.some.return(undefined)
      }
    }
  }

  const deleteSome = async (objects: ReadonlyArray<string>): Promise<void> => {
    let left = objects
    await client.retrying(async (attempt) => {
      const body = Buffer.from(
        `<Delete>${left.map((object) => `<Object><Key>${object}</Key></Object>`).join("")}</Delete>`
      )
      const ask: Ask = {
        operation: "DeleteObjects",
        method: "POST",
        query: { delete: "" },
        // Asked for by Amazon and others for this one request.
        headers: { "content-md5": createHash("md5").update(body).digest("base64"), "content-type": "application/xml" },
        body
      }
      const answer = await client.once(ask, attempt)
      const gone = new Set(
        Xml.elements(answer.text, "Deleted").map((each) => decodeName(Xml.textOf(each, "Key") ?? ""))
      )
      const errors = Xml.elements(answer.text, "Error").map((each) => ({
        object: decodeName(Xml.textOf(each, "Key") ?? ""),
        s3Code: Xml.textOf(each, "Code") ?? ""
      }))
      for (const { object, s3Code } of errors) if (s3Code === "NoSuchKey") gone.add(object)
      left = left.filter((object) => !gone.has(object))
      if (left.length === 0) return
      // Erased means erased: what is not told to be gone counts as still there.
      const failed = errors.filter(({ object }) => left.includes(object))
      const refused = failed.find(({ s3Code }) => codeOf(200, s3Code) !== "s3-unavailable") ?? failed[0]
      const code = refused === undefined ? "s3-failed" : codeOf(200, refused.s3Code)
      throw client.fail(
        code,
        `${left.length} of ${objects.length} blobs were not deleted${refused === undefined ? "" : `, ${refused.s3Code}`}`,
        ask,
        { status: answer.status, s3Code: refused?.s3Code, attempts: attempt }
      )
    })
  }

  /** A page of names after one. */
  const listNames = async (folder: string, after: string, limit: number) => {
    const ask: Ask = {
      operation: "ListObjectsV2",
      method: "GET",
      query: {
        "list-type": "2",
        prefix: folder,
        "start-after": after,
        "max-keys": String(Math.min(limit, mostAtOnce)),
        "encoding-type": "url"
      }
    }
    const { text } = await client.call(ask)
    if (!Xml.isRoot(text, "ListBucketResult"))
      throw client.fail("s3-failed", "the answer is no listing", ask, { attempts: 1 })
    const names = Xml.elements(text, "Contents").map((each) => decodeName(Xml.textOf(each, "Key") ?? ""))
    const isMore = Xml.textOf(text, "IsTruncated") === "true"
    const isOrdered = names.every((name, index) => compareText(name, names[index - 1] ?? after) > 0)
    if (!isOrdered || (isMore && names.length === 0))
      throw client.fail("s3-unsupported", "it doesn't list in the order of names", ask, { attempts: 1 })
    return { names, isMore }
  }

  return {
    name: "s3",
    put: async (workspace, key, bytes, { mediaType, limitBytes }) => {
      const object = objectOf(workspace, key)
      const headers = toMediaHeaders(mediaType)
      const before = await head(object)
      if (before !== undefined) return infoOf(key, before)
      return infoOf(key, await upload({ key, object, bytes, mediaType, headers, limitBytes }))
    },
    info: async (workspace, key) => {
      const stored = await head(objectOf(workspace, key))
      return stored === undefined ? undefined : infoOf(key, stored)
    },
    get: async (workspace, key, range) => {
      const object = objectOf(workspace, key)
      const stored = await head(object)
      if (stored === undefined) return undefined
      const { start, end } = resolveRange(range, stored.sizeBytes)
      // Asked for when it is read: what nobody reads must not keep a connection.
      return read(object, stored, start, end)
    },
    delete: async (workspace, keys) => {
      const objects = [...new Set(keys.map((key) => objectOf(workspace, key)))]
      for (let start = 0; start < objects.length; start += mostAtOnce)
        await deleteSome(objects.slice(start, start + mostAtOnce))
    },
    list: async (workspace, after, limit) => {
      const folder = folderOf(workspace)
      const found: Array<BlobInfo> = []
      let last = folder + ObjectName.ofKey(after ?? "")
      // After the first page more are asked for than are needed: where others' objects are, there are many.
      let most = limit
      for (let isMore = true; isMore && found.length < limit; most = mostAtOnce) {
        const page = await listNames(folder, last, most)
        const ours = page.names.filter((name) => ObjectName.toKey(name.slice(folder.length)) !== undefined)
        const taken = ours.slice(0, limit - found.length)
        for (let start = 0; start < taken.length; start += headsAtOnce) {
          const some = taken.slice(start, start + headsAtOnce)
          const infos = await Promise.all(
            some.map(async (name) => {
              const stored = await head(name)
              const key = ObjectName.toKey(name.slice(folder.length))
              return stored === undefined || key === undefined ? [] : [infoOf(key, stored)]
            })
          )
          found.push(...infos.flat())
        }
        const isCut = taken.length < ours.length
        last = (isCut ? taken : page.names).at(-1) ?? last
        isMore = page.isMore || isCut
      }
      return found
    },
    signedUrl: async (workspace, key, { expiresInMs, fileName, mediaType }) => {
      const object = objectOf(workspace, key)
      const seconds = Math.floor(expiresInMs / 1_000)
      if (!(seconds >= 1 && seconds <= longestExpiry))
        throw new StorageInvalidError({
          field: "expiresInMs",
          expected: "1,000 to 604,800,000 (seven days)",
          found: String(expiresInMs)
        })
      return await client.sign(
        {
          operation: "GetObject",
          method: "GET",
          object,
          query: {
            "response-content-disposition": toDisposition(fileName),
            ...(mediaType === undefined
              ? {}
              : { "response-content-type": plainMediaType.test(mediaType) ? mediaType : "application/octet-stream" })
          }
        },
        seconds
      )
    }
  }
}
