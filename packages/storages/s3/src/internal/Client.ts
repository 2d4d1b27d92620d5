/** Requests to one bucket: signed, limited in time, tried again where that may help, and explained where it does not. */
import { setTimeout as sleep } from "node:timers/promises"
import { AwsV4Signer } from "aws4fetch"
import type { S3Config } from "../S3Config.ts"
import { S3Error, type S3ErrorCode, type S3ErrorFacts } from "../S3Error.ts"
import * as Xml from "./Xml.ts"

/** One request; `object` is its name in the bucket. */
export interface Ask {
  readonly operation: string
  readonly method: "GET" | "HEAD" | "PUT" | "POST" | "DELETE"
  readonly object?: string
  readonly query?: Readonly<Record<string, string>>
  readonly headers?: Readonly<Record<string, string>>
  readonly body?: Uint8Array<ArrayBuffer>
  /** The statuses that are answers; every other is a failure. Default 200. */
  readonly accept?: ReadonlyArray<number>
}

export interface Answer {
  readonly status: number
  readonly headers: Headers
  readonly text: string
}

export interface Client {
  /** One try, the given one. */
  readonly once: (ask: Ask, attempt: number) => Promise<Answer>
  /** Tries until there is an answer or a refusal, or all attempts are used. */
  readonly call: (ask: Ask) => Promise<Answer>
  /** Runs what fails with `S3Error`, again where that may help. */
  readonly retrying: <A>(run: (attempt: number) => Promise<A>) => Promise<A>
  /** One try at a download. */
  readonly download: (ask: Ask, attempt: number) => AsyncGenerator<Uint8Array>
  readonly fail: (
    code: S3ErrorCode,
    reason: string,
    ask: Ask,
    facts: Partial<S3ErrorFacts> & { readonly attempts: number },
    cause?: unknown
  ) => S3Error
  /** An answer that tells of a failure, as the error it is. */
  readonly failure: (ask: Ask, answer: Answer, attempt: number) => S3Error
  /** An address that lets anyone do this one thing until it expires. */
  readonly sign: (ask: Ask, expiresInSeconds: number) => Promise<string>
}

const isTransient = (code: S3ErrorCode): boolean => code === "s3-unavailable" || code === "s3-conflict"

/** https://docs.aws.amazon.com/AmazonS3/latest/API/ErrorResponses.html; a code says more than its status. */
const codes: Readonly<Record<string, S3ErrorCode>> = {
  AuthorizationHeaderMalformed: "s3-wrong-region",
  IllegalLocationConstraintException: "s3-wrong-region",
  PermanentRedirect: "s3-wrong-region",
  TemporaryRedirect: "s3-wrong-region",
  NoSuchBucket: "s3-no-bucket",
  RequestTimeTooSkewed: "s3-clock",
  AccessDenied: "s3-refused",
  ExpiredToken: "s3-refused",
  InvalidAccessKeyId: "s3-refused",
  InvalidToken: "s3-refused",
  SignatureDoesNotMatch: "s3-refused",
  NotImplemented: "s3-unsupported",
  ConditionalRequestConflict: "s3-conflict",
  OperationAborted: "s3-conflict",
  // What arrived at the store is not what was sent: damaged or cut off on the way.
  BadDigest: "s3-unavailable",
  IncompleteBody: "s3-unavailable",
  InternalError: "s3-unavailable",
  RequestTimeout: "s3-unavailable",
  ServiceUnavailable: "s3-unavailable",
  SlowDown: "s3-unavailable",
  XAmzContentSHA256Mismatch: "s3-unavailable"
}

export const codeOf = (status: number, s3Code: string | undefined): S3ErrorCode => {
  const known = s3Code === undefined ? undefined : codes[s3Code]
  if (known !== undefined) return known
  if (status === 401 || status === 403) return "s3-refused"
  if (status === 409) return "s3-conflict"
  if (status === 501) return "s3-unsupported"
  if (status === 408 || status === 429 || status >= 500) return "s3-unavailable"
  if (status >= 300 && status < 400) return "s3-wrong-region"
  return "s3-failed"
}

// Pauses, in milliseconds.
const longestPause = 10_000
const longestAskedPause = 30_000

// A page of a thousand names, as long as ours can be, has half of it.
const answerLimit = 4 * 1_024 * 1_024

const retryAfter = new WeakMap<S3Error, number>()

/** Ends what takes too long. */
const stopwatch = (limitMs: number) => {
  const controller = new AbortController()
  let timer: NodeJS.Timeout | undefined
  const stop = () => clearTimeout(timer)
  const start = () => {
    stop()
    timer = setTimeout(() => controller.abort(), limitMs)
  }
  start()
  const end = () => {
    stop()
    controller.abort()
  }
  return { signal: controller.signal, start, stop, end }
}

const hex = (bytes: ArrayBuffer): string => Buffer.from(bytes).toString("hex")

export const makeClient = (config: S3Config): Client => {
  const { accessKeyId, secretAccessKey, sessionToken, region, bucket, timeoutMs, attempts } = config
  const secrets = [secretAccessKey, accessKeyId, sessionToken].filter((value) => value !== undefined)
  // The signer keeps the key of the day here.
  const cache = new Map<string, ArrayBuffer>()

  const urlOf = ({ object, query }: Ask): URL => {
    const url = new URL(object === undefined ? config.bucketUrl : `${config.bucketUrl}/${object}`)
    for (const [name, value] of Object.entries(query ?? {})) url.searchParams.set(name, value)
    return url
  }
  const credentials = {
    accessKeyId,
    secretAccessKey,
    ...(sessionToken === undefined ? {} : { sessionToken }),
    service: "s3",
    region,
    cache
  }
  // Not every store takes a plus for a space.
  const toText = (url: URL): string => url.toString().replaceAll("+", "%20")

  const fetchSigned = async (ask: Ask, signal: AbortSignal): Promise<Response> => {
    const { method, headers, body } = ask
    const signer = new AwsV4Signer({
      ...credentials,
      method,
      url: urlOf(ask).toString(),
      headers: {
        ...headers,
        "x-amz-content-sha256": hex(await crypto.subtle.digest("SHA-256", body ?? new Uint8Array()))
      }
    })
    const signed = await signer.sign()
    // Not signed, because proxies change it: bytes must come as they are stored.
    signed.headers.set("accept-encoding", "identity")
    return await fetch(toText(signed.url), {
      method,
      headers: signed.headers,
      // What a redirect points to must get neither the signature nor the bytes.
      redirect: "manual",
      signal,
      ...(body === undefined ? {} : { body })
    })
  }

  const fail: Client["fail"] = (code, reason, ask, facts, cause) => {
    let safe = reason
    for (const secret of secrets) safe = safe.replaceAll(secret, "***")
    return new S3Error(code, safe, { operation: ask.operation, bucket, object: ask.object, ...facts }, cause)
  }

  const failure: Client["failure"] = (ask, { status, headers, text }, attempt) => {
    // The body also holds what was signed: only its code and its sentence are passed on.
    const s3Code = Xml.textOf(text, "Code")?.slice(0, 100)
    const sentence = Xml.textOf(text, "Message")?.slice(0, 300)
    const requestId = headers.get("x-amz-request-id") ?? undefined
    const reason = [`status ${status}`, s3Code, sentence?.replace(/[.\s]+$/, "")].filter(Boolean).join(", ")
    const error = fail(codeOf(status, s3Code), reason, ask, { status, s3Code, requestId, attempts: attempt })
    const seconds = Number(headers.get("retry-after") ?? Number.NaN)
    if (seconds > 0) retryAfter.set(error, Math.min(seconds * 1_000, longestAskedPause))
    return error
  }

  const lost = (ask: Ask, attempt: number, cause: unknown, timedOut: boolean): S3Error =>
    cause instanceof S3Error
      ? cause
      : timedOut
        ? fail("s3-unavailable", `no answer within ${timeoutMs} ms`, ask, { attempts: attempt })
        : fail("s3-unavailable", "the connection failed", ask, { attempts: attempt }, cause)

  const textOf = async (response: Response): Promise<string> => {
    const chunks: Array<Uint8Array> = []
    let size = 0
    for await (const chunk of response.body ?? []) {
      size += chunk.length
      if (size > answerLimit) throw new RangeError(`an answer of more than ${answerLimit} bytes`)
      chunks.push(chunk)
    }
    return Buffer.concat(chunks).toString("utf8")
  }

  const once: Client["once"] = async (ask, attempt) => {
    const watch = stopwatch(timeoutMs)
    try {
      const response = await fetchSigned(ask, watch.signal)
      const answer = { status: response.status, headers: response.headers, text: await textOf(response) }
      if (!(ask.accept ?? [200]).includes(answer.status)) throw failure(ask, answer, attempt)
      return answer
    } catch (error) {
      throw lost(ask, attempt, error, watch.signal.aborted)
    } finally {
      watch.stop()
    }
  }

  const retrying: Client["retrying"] = async (run) => {
    for (let attempt = 1; ; attempt++) {
      try {
        return await run(attempt)
      } catch (error) {
        if (!(error instanceof S3Error) || !isTransient(error.code) || attempt >= attempts) throw error
        // Spread, so that many that failed together don't come back together.
        const pause = Math.min(longestPause, config.firstRetryMs * 2 ** (attempt - 1)) * (0.5 + Math.random() / 2)
        await sleep(Math.max(pause, retryAfter.get(error) ?? 0))
      }
    }
  }

  return {
    once,
    retrying,
    fail,
    failure,
    call: (ask) => retrying((attempt) => once(ask, attempt)),
    download: async function* (ask, attempt) {
      const watch = stopwatch(timeoutMs)
      try {
        const response = await fetchSigned(ask, watch.signal)
        const { status, headers } = response
        const isAccepted = (ask.accept ?? [200]).includes(status)
        // Not read to its end: it is the whole blob.
        if (!isAccepted && response.ok)
          throw fail("s3-unsupported", "it doesn't read ranges", ask, { status, attempts: attempt })
        if (!isAccepted) throw failure(ask, { status, headers, text: await textOf(response) }, attempt)
        const reader = response.body?.getReader()
        for (;;) {
          watch.start()
          const next = await reader?.read()
          // The reader of the blob may take its time.
          watch.stop()
          if (next === undefined || next.done) return
          yield next.value
        }
      } catch (error) {
        throw lost(ask, attempt, error, watch.signal.aborted)
      } finally {
        watch.end()
      }
    },
    sign: async (ask, expiresInSeconds) => {
      const url = urlOf(ask)
      url.searchParams.set("X-Amz-Expires", String(expiresInSeconds))
      const signer = new AwsV4Signer({ ...credentials, method: ask.method, url: url.toString(), signQuery: true })
      return toText((await signer.sign()).url)
    }
  }
}
