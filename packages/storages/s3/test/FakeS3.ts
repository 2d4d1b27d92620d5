/**
 * A server that behaves like S3, in this process: it computes every signature anew, knows parts, ranges, pages and
 * conditions, is as strict with names as the strictest store, and fails where a test wants it to.
 */
import { createHash, createHmac, randomUUID } from "node:crypto"
import { createServer, type IncomingMessage, type ServerResponse } from "node:http"
import type { AddressInfo } from "node:net"

export interface FakeObject {
  readonly bytes: Buffer
  readonly headers: Readonly<Record<string, string>>
  readonly etag: string
}

/** What came in. */
export interface Seen {
  readonly operation: string
  readonly object: string
  readonly query: URLSearchParams
  readonly headers: IncomingMessage["headers"]
  readonly body: Buffer
}

/** What goes wrong: an error, silence, a cut connection, or an answer of the test's own. */
export type Fault =
  | { readonly status: number; readonly code?: string; readonly headers?: Readonly<Record<string, string>> }
  | { readonly answer: string }
  | "silence"
  | "hang up"
  /** It is done, but nobody hears of it. */
  | "done, then hang up"
  /** Half of the answer's body. */
  | "cut off"

export interface FakeOptions {
  /** `If-None-Match` on writes: heeded, refused with 501, or ignored. */
  readonly conditions?: "heeded" | "refused" | "ignored"
  /** Called for every request that is in order; `seen` has those before it. */
  readonly fault?: (request: Seen, earlier: ReadonlyArray<Seen>) => Fault | undefined
  readonly pathStyle?: boolean
  readonly sessionToken?: string
  /** Answers ranges with the whole. */
  readonly withoutRanges?: boolean
  /** How many names a listing has at most. */
  readonly pageSize?: number
  /** Lists in no order. */
  readonly withoutOrder?: boolean
}

export const bucket = "attachments"
export const region = "eu-test-1"
export const accessKeyId = "AKIAFAKEFAKEFAKE"
export const secretAccessKey = "fake/secret+key=0123456789"

const MiB = 1_024 * 1_024

const sha256 = (bytes: Buffer | string): string => createHash("sha256").update(bytes).digest("hex")
const hmac = (key: Buffer | string, text: string): Buffer => createHmac("sha256", key).update(text).digest()
const rfc3986 = (text: string): string =>
  encodeURIComponent(text).replace(/[!'()*]/g, (each) => `%${each.charCodeAt(0).toString(16).toUpperCase()}`)

const escape = (text: string): string => text.replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll('"', "&quot;")

class Refusal extends Error {
  readonly status: number
  readonly code: string
  constructor(status: number, code: string) {
    super(code)
    this.status = status
    this.code = code
  }
}

/** https://docs.aws.amazon.com/AmazonS3/latest/API/sig-v4-authenticating-requests.html, from the raw request. */
const checkSignature = (request: IncomingMessage, body: Buffer, sessionToken: string | undefined): void => {
  const [path = "", search = ""] = (request.url ?? "").split("?")
  if (search.includes("+")) throw new Refusal(400, "PlusInQuery")
  const pairs = search === "" ? [] : search.split("&").map((pair) => pair.split("=").map(decodeURIComponent))
  const query = new Map(pairs.map(([name = "", value = ""]) => [name, value]))
  const presigned = query.has("X-Amz-Signature")
  const header = (name: string): string => String(request.headers[name] ?? "")
  const [, credential = "", signedHeaders = "", signature = ""] = presigned
    ? ["", query.get("X-Amz-Credential"), query.get("X-Amz-SignedHeaders"), query.get("X-Amz-Signature")]
    : (/^AWS4-HMAC-SHA256 Credential=([^,]+), SignedHeaders=([^,]+), Signature=([0-9a-f]{64})$/.exec(
        header("authorization")
      ) ?? [])
  if (signature === "") throw new Refusal(403, "AccessDenied")
  const [id, day = "", scopeRegion = "", service = "", end] = credential.split("/")
  if (id !== accessKeyId) throw new Refusal(403, "InvalidAccessKeyId")
  if (scopeRegion !== region) throw new Refusal(400, "AuthorizationHeaderMalformed")
  const date = presigned ? (query.get("X-Amz-Date") ?? "") : header("x-amz-date")
  const atMs = Date.parse(date.replace(/^(\d{4})(\d\d)(\d\d)T(\d\d)(\d\d)(\d\d)Z$/, "$1-$2-$3T$4:$5:$6Z"))
  const lateMs = Date.now() - atMs
  if (presigned) {
    if (lateMs > Number(query.get("X-Amz-Expires")) * 1_000) throw new Refusal(403, "AccessDenied")
  } else if (!(Math.abs(lateMs) < 15 * 60_000)) throw new Refusal(403, "RequestTimeTooSkewed")
  const names = signedHeaders.split(";")
  if (!names.includes("host")) throw new Refusal(403, "SignatureDoesNotMatch")
  for (const name of Object.keys(request.headers))
    if (name.startsWith("x-amz-") && !names.includes(name)) throw new Refusal(403, "SignatureDoesNotMatch")
  const bodyHash = presigned ? "UNSIGNED-PAYLOAD" : header("x-amz-content-sha256")
  const canonical = [
    request.method,
    path
      .split("/")
      .map((step) => rfc3986(decodeURIComponent(step)))
      .join("/"),
    pairs
      .filter(([name]) => name !== "X-Amz-Signature")
      .map(([name = "", value = ""]) => `${rfc3986(name)}=${rfc3986(value)}`)
      .sort()
      .join("&"),
    ...names.map((name) => `${name}:${header(name).trim().replace(/\s+/g, " ")}`),
    "",
    signedHeaders,
    bodyHash
  ].join("\n")
  const scope = `${day}/${scopeRegion}/${service}/${end}`
  const key = hmac(hmac(hmac(hmac(`AWS4${secretAccessKey}`, day), scopeRegion), service), "aws4_request")
  const expected = hmac(key, `AWS4-HMAC-SHA256\n${date}\n${scope}\n${sha256(canonical)}`).toString("hex")
  if (expected !== signature || service !== "s3") throw new Refusal(403, "SignatureDoesNotMatch")
  if (!presigned && bodyHash !== sha256(body)) throw new Refusal(400, "XAmzContentSHA256Mismatch")
  const token = presigned ? query.get("X-Amz-Security-Token") : request.headers["x-amz-security-token"]
  if (token !== sessionToken) throw new Refusal(400, "InvalidToken")
}

const operationOf = (method: string, object: string, query: URLSearchParams): string => {
  const has = (name: string) => query.has(name)
  if (object === "") {
    if (method === "POST" && has("delete")) return "DeleteObjects"
    if (method === "GET" && query.get("list-type") === "2") return "ListObjectsV2"
    return "unknown"
  }
  if (method === "PUT") return has("uploadId") ? "UploadPart" : "PutObject"
  if (method === "POST") return has("uploads") ? "CreateMultipartUpload" : "CompleteMultipartUpload"
  if (method === "DELETE" && has("uploadId")) return "AbortMultipartUpload"
  return method === "GET" ? "GetObject" : method === "HEAD" ? "HeadObject" : "unknown"
}

export interface FakeS3 {
  readonly endpoint: string
  readonly objects: Map<string, FakeObject>
  readonly uploads: Map<string, Map<number, Buffer>>
  readonly seen: ReadonlyArray<Seen>
  /** How many answers are not written to their end, of requests that came. */
  readonly underWay: () => number
  readonly close: () => Promise<void>
}

export const start = async (options: FakeOptions = {}): Promise<FakeS3> => {
  const { conditions = "heeded", pathStyle = true } = options
  const objects = new Map<string, FakeObject>()
  const uploads = new Map<string, Map<number, Buffer>>()
  const headersOfUpload = new Map<string, FakeObject["headers"]>()
  const seen: Array<Seen> = []
  let underWay = 0

  const metadata = ({ headers }: Seen): FakeObject["headers"] =>
    Object.fromEntries(
      Object.entries(headers).flatMap(([name, value]) =>
        name === "content-type" || name.startsWith("x-amz-meta-") ? [[name, String(value)]] : []
      )
    )

  const checkName = (name: string): void => {
    const steps = name.split("/")
    if (
      Buffer.byteLength(name) > 1_024 ||
      steps.some((step) => step === "" || step === "." || step === ".." || step.length > 255)
    )
      throw new Refusal(400, "XMinioInvalidObjectName")
    for (const other of objects.keys())
      if (other.startsWith(`${name}/`) || name.startsWith(`${other}/`)) throw new Refusal(400, "XMinioParentIsObject")
  }

  const checkCondition = (request: Seen): void => {
    if (request.headers["if-none-match"] === undefined || conditions === "ignored") return
    if (conditions === "refused") throw new Refusal(501, "NotImplemented")
    if (objects.has(request.object)) throw new Refusal(412, "PreconditionFailed")
  }

  interface Reply {
    readonly status?: number
    readonly headers?: Readonly<Record<string, string>>
    readonly body?: Buffer | string
  }

  const list = ({ query }: Seen): Reply => {
    const prefix = query.get("prefix") ?? ""
    const after = query.get("start-after") ?? ""
    const most = Math.min(options.pageSize ?? 1_000, Number(query.get("max-keys")))
    const names = [...objects.keys()]
      .filter((name) => name.startsWith(prefix) && Buffer.compare(Buffer.from(name), Buffer.from(after)) > 0)
      .sort((left, right) => Buffer.compare(Buffer.from(left), Buffer.from(right)))
    if (options.withoutOrder === true) names.reverse()
    const encode = query.get("encoding-type") === "url" ? encodeURIComponent : escape
    const contents = names
      .slice(0, most)
      .map((name) => `<Contents><Key>${encode(name)}</Key><Size>${objects.get(name)?.bytes.length}</Size></Contents>`)
    return {
      body: `<?xml version="1.0" encoding="UTF-8"?>\n<ListBucketResult xmlns="http://s3.amazonaws.com/doc/2006-03-01/"><Name>${bucket}</Name><IsTruncated>${most > 0 && names.length > most}</IsTruncated>${contents.join("")}</ListBucketResult>`
    }
  }

  const read = (request: Seen, method: string): Reply => {
    const object = objects.get(request.object)
    if (object === undefined) throw new Refusal(404, "NoSuchKey")
    const condition = request.headers["if-match"]
    if (condition !== undefined && condition !== object.etag) throw new Refusal(412, "PreconditionFailed")
    const override = Object.fromEntries(
      [...request.query].flatMap(([name, value]) =>
        name.startsWith("response-") ? [[name.slice("response-".length), value]] : []
      )
    )
    const headers = { ...object.headers, ...override, etag: object.etag }
    if (method === "HEAD") return { headers: { ...headers, "content-length": String(object.bytes.length) } }
    const range = /^bytes=(\d+)-(\d+)$/.exec(String(request.headers.range ?? ""))
    if (range === null || options.withoutRanges === true) return { headers, body: object.bytes }
    const [first, last] = [Number(range[1]), Number(range[2])]
    if (first >= object.bytes.length) throw new Refusal(416, "InvalidRange")
    return { status: 206, headers, body: object.bytes.subarray(first, last + 1) }
  }

  const perform = (request: Seen, method: string): Reply => {
    const { operation, object, body, query } = request
    const partsOf = () => {
      const parts = uploads.get(query.get("uploadId") ?? "")
      if (parts === undefined) throw new Refusal(404, "NoSuchUpload")
      return parts
    }
    switch (operation) {
      case "PutObject": {
        checkName(object)
        checkCondition(request)
        const etag = `"${createHash("md5").update(body).digest("hex")}"`
        objects.set(object, { bytes: body, headers: metadata(request), etag })
        return { headers: { etag } }
      }
      case "CreateMultipartUpload": {
        checkName(object)
        const id = `${randomUUID()}&<>`
        uploads.set(id, new Map())
        headersOfUpload.set(id, metadata(request))
        return {
          body: `<InitiateMultipartUploadResult><Key>${object}</Key><UploadId>${id.replace("&<>", "&amp;&lt;&gt;")}</UploadId></InitiateMultipartUploadResult>`
        }
      }
      case "UploadPart": {
        partsOf().set(Number(query.get("partNumber")), body)
        return { headers: { etag: `"${sha256(body).slice(0, 32)}"` } }
      }
      case "CompleteMultipartUpload": {
        const parts = partsOf()
        checkCondition(request)
        const named = [...String(body).matchAll(/<PartNumber>(\d+)<\/PartNumber><ETag>&#34;(\w+)&#34;<\/ETag>/g)]
        const bytes = named.map(([, number, etag], index) => {
          const part = parts.get(Number(number))
          if (part === undefined || Number(number) !== index + 1 || sha256(part).slice(0, 32) !== etag)
            throw new Refusal(400, "InvalidPart")
          if (index < named.length - 1 && part.length < 5 * MiB) throw new Refusal(400, "EntityTooSmall")
          return part
        })
        const id = query.get("uploadId") ?? ""
        const whole = Buffer.concat(bytes)
        objects.set(object, { bytes: whole, headers: headersOfUpload.get(id) ?? {}, etag: `"${randomUUID()}-2"` })
        uploads.delete(id)
        return {
          body: `<?xml version="1.0"?>\n  \n<CompleteMultipartUploadResult xmlns="x"><Key>${object}</Key></CompleteMultipartUploadResult>`
        }
      }
      case "AbortMultipartUpload":
        partsOf()
        uploads.delete(query.get("uploadId") ?? "")
        return { status: 204 }
      case "ListObjectsV2":
        return list(request)
      case "DeleteObjects": {
        if (request.headers["content-md5"] !== createHash("md5").update(body).digest("base64"))
          throw new Refusal(400, "InvalidDigest")
        const names = [...String(body).matchAll(/<Key>([^<]+)<\/Key>/g)].map(([, name = ""]) => name)
        if (names.length === 0 || names.length > 1_000) throw new Refusal(400, "MalformedXML")
        for (const name of names) objects.delete(name)
        return {
          body: `<DeleteResult>${names.map((name) => `<Deleted><Key>${name}</Key></Deleted>`).join("")}</DeleteResult>`
        }
      }
      case "GetObject":
      case "HeadObject":
        return read(request, method)
      default:
        throw new Refusal(501, "NotImplemented")
    }
  }

  const reply = (response: ServerResponse, method: string, { status = 200, headers = {}, body = "" }: Reply): void => {
    const isHead = method === "HEAD"
    response.writeHead(status, { "x-amz-request-id": "REQ1", ...headers })
    response.end(isHead ? undefined : body)
  }

  const errorReply = (status: number, code: string): Reply => ({
    status,
    body: `<?xml version="1.0" encoding="UTF-8"?>\n<Error><Code>${code}</Code><Message>The key ${accessKeyId} &amp; more.</Message><StringToSign>${secretAccessKey}</StringToSign></Error>`
  })

  const handle = (request: IncomingMessage, response: ServerResponse, body: Buffer): unknown => {
    const method = request.method ?? ""
    const url = new URL(request.url ?? "", "http://fake")
    const host = String(request.headers.host)
    const path = decodeURIComponent(url.pathname)
    const [, named = "", ...rest] = pathStyle ? path.split("/") : ["", host.split(".")[0], ...path.slice(1).split("/")]
    const object = rest.join("/")
    try {
      checkSignature(request, body, options.sessionToken)
      if (named !== bucket) throw new Refusal(404, "NoSuchBucket")
      const one: Seen = {
        operation: operationOf(method, object, url.searchParams),
        object,
        query: url.searchParams,
        headers: request.headers,
        body
      }
      const fault = options.fault?.(one, [...seen])
      seen.push(one)
      if (fault === "silence") return undefined
      if (fault === "hang up") return request.socket.destroy()
      if (typeof fault === "object" && "answer" in fault) return reply(response, method, { body: fault.answer })
      if (typeof fault === "object") {
        const { status, code = "", headers = {} } = fault
        return reply(response, method, { ...(code === "" ? { status } : errorReply(status, code)), headers })
      }
      const done = perform(one, method)
      if (fault === "done, then hang up") return request.socket.destroy()
      if (fault === "cut off") {
        const whole = Buffer.from(done.body ?? "")
        response.writeHead(done.status ?? 200, { ...done.headers, "content-length": String(whole.length) })
        response.write(whole.subarray(0, whole.length / 2), () => request.socket.destroySoon())
        return undefined
      }
      return reply(response, method, done)
    } catch (error) {
      if (!(error instanceof Refusal)) throw error
      return reply(response, method, errorReply(error.status, error.code))
    }
  }

  const server = createServer((request, response) => {
    underWay++
    response.once("close", () => underWay--)
    const chunks: Array<Buffer> = []
    request.on("data", (chunk: Buffer) => chunks.push(chunk))
    request.on("end", () => handle(request, response, Buffer.concat(chunks)))
    request.on("error", () => undefined)
  })
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve))
  const { port } = server.address() as AddressInfo
  return {
    endpoint: `http://${pathStyle ? "127.0.0.1" : "localhost"}:${port}`,
    objects,
    uploads,
    seen,
    underWay: () => underWay,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve())
        server.closeAllConnections()
      })
  }
}
