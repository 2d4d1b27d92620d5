/**
 * Calls to a platform over HTTP, with every way they can end told apart: accepted, refused, not now, or unknown.
 *
 * @module
 */
import type { CallContext, FetchResult, OutboundMessage, SendResult } from "./Outbound.ts"
import type { RenderedMessage } from "./Rendering.ts"
import * as RetryAfter from "./RetryAfter.ts"

/** One request. */
export interface PlatformRequest {
  readonly url: string | URL
  /** `POST` when there is a body, otherwise `GET`. */
  readonly method?: string
  readonly headers?: Readonly<Record<string, string>>
  /** An object that is none of the others is sent as JSON. */
  readonly body?: string | Uint8Array | FormData | URLSearchParams | { readonly [field: string]: unknown }
  /** Removed from whatever the platform says; a bearer token in `headers` is removed anyway. */
  readonly secrets?: ReadonlyArray<string>
}

/** A call that did not succeed. `code` is the platform's own where it has one. */
export type CallFailure =
  | { readonly outcome: "refused"; readonly code: string; readonly message: string }
  | { readonly outcome: "unavailable"; readonly code: string; readonly message: string; readonly retryAfterMs?: number }
  | { readonly outcome: "unknown"; readonly code: string; readonly message: string }

/** How a call ended. */
export type CallResult<A> = { readonly outcome: "accepted"; readonly value: A } | CallFailure

/** What the platform's error answer means; what is left out follows from the status. */
export interface Explanation {
  readonly outcome?: "refused" | "unavailable" | "unknown"
  readonly code?: string
  readonly message?: string
  readonly retryAfterMs?: number
}

/** How to read a platform's answers. `body` is the parsed JSON, or the text when it is no JSON. */
export interface CallReading<A> {
  /** The value in a 2xx answer; `undefined` when it isn't there, which leaves the outcome unknown. */
  readonly read: (body: unknown) => A | undefined
  /** What an error answer says, also one that comes with status 200: it is asked first for every answer. */
  readonly explain?: (body: unknown, status: number) => Explanation | undefined
  /** The platform takes an idempotency key, or the call changes nothing: a broken call is `unavailable`, not `unknown`. */
  readonly idempotent?: boolean
}

/** Error codes of runtimes for a connection that was never made: the platform has seen nothing. */
const neverConnected =
  /^(ECONNREFUSED|ENOTFOUND|EAI_\w+|EHOSTUNREACH|ENETUNREACH|EADDRNOTAVAIL|UND_ERR_CONNECT_TIMEOUT|ERR_SOCKET_CONNECTION_TIMEOUT|ConnectionRefused|CERT_\w+|DEPTH_ZERO_\w+|SELF_SIGNED_\w+|UNABLE_TO_\w+|ERR_TLS_\w+)$/

const codeOf = (error: unknown): string | undefined => {
  const { code, cause } = (error ?? {}) as { code?: unknown; cause?: unknown }
  return typeof code === "string" ? code : cause === undefined || cause === error ? undefined : codeOf(cause)
}

const hostOf = (url: string | URL): string => {
  const parsed = typeof url === "string" ? (URL.canParse(url) ? new URL(url) : undefined) : url
  return parsed?.host ?? "The platform"
}

/** Addresses can hold credentials, so that a failure names the host only. */
const failed = (request: PlatformRequest, error: unknown, signal: AbortSignal, idempotent: boolean): CallFailure => {
  const host = hostOf(request.url)
  const code = codeOf(error)
  if (!URL.canParse(String(request.url)))
    return {
      outcome: "refused",
      code: "invalidUrl",
      message: "The platform's address is no URL: check the configured base URL."
    }
  if (code !== undefined && neverConnected.test(code))
    return { outcome: "unavailable", code, message: `${host} could not be reached (${code}).` }
  const reason = signal.aborted ? "timeout" : (code ?? "connectionBroken")
  return {
    outcome: idempotent ? "unavailable" : "unknown",
    code: reason,
    message:
      reason === "timeout"
        ? `${host} did not answer in time.`
        : `The connection to ${host} broke before it answered (${reason}).`
  }
}

const tooLarge = Symbol("tooLarge")

const readBytes = async (response: Response, limitBytes: number): Promise<Uint8Array | typeof tooLarge> => {
  const chunks: Array<Uint8Array> = []
  let size = 0
  for await (const chunk of response.body ?? []) {
    size += chunk.length
    // Leaving the loop cancels the stream.
    if (size > limitBytes) return tooLarge
    chunks.push(chunk)
  }
  if (chunks.length === 1) return chunks[0]!
  const bytes = new Uint8Array(size)
  let offset = 0
  for (const chunk of chunks) {
    bytes.set(chunk, offset)
    offset += chunk.length
  }
  return bytes
}

const toInit = (request: PlatformRequest, signal: AbortSignal, redirect: "manual" | "follow"): RequestInit => {
  const { body } = request
  const isRaw =
    typeof body === "string" ||
    body instanceof Uint8Array ||
    body instanceof FormData ||
    body instanceof URLSearchParams
  return {
    method: request.method ?? (body === undefined ? "GET" : "POST"),
    headers: { ...(body === undefined || isRaw ? {} : { "content-type": "application/json" }), ...request.headers },
    ...(body === undefined ? {} : { body: (isRaw ? body : JSON.stringify(body)) as NonNullable<RequestInit["body"]> }),
    signal,
    redirect
  }
}

const withoutSecrets = (request: PlatformRequest, text: string): string =>
  [...(request.secrets ?? []), request.headers?.authorization?.replace(/^\w+ /, "") ?? ""]
    .filter((secret) => secret !== "")
    .reduce((cleaned, secret) => cleaned.replaceAll(secret, "[secret]"), text)

const outcomeOf = (status: number, idempotent: boolean): CallFailure["outcome"] => {
  // A gateway that gave up waiting doesn't know whether the platform took the call.
  if (status === 504 && !idempotent) return "unknown"
  return status === 408 || status === 425 || status === 429 || status >= 500 ? "unavailable" : "refused"
}

const answered = (
  request: PlatformRequest,
  response: Response,
  explanation: Explanation | undefined,
  idempotent: boolean,
  nowMs: number
): CallFailure => {
  const outcome = explanation?.outcome ?? outcomeOf(response.status, idempotent)
  const code = (explanation?.code ?? String(response.status)).slice(0, 128)
  const told = explanation?.message ?? `${hostOf(request.url)} answered ${response.status}.`
  const message = withoutSecrets(request, told).slice(0, 2000)
  if (outcome !== "unavailable") return { outcome, code, message }
  const retryAfterMs =
    explanation?.retryAfterMs === undefined
      ? RetryAfter.parse(response.headers.get("retry-after"), nowMs)
      : Math.min(Math.max(explanation.retryAfterMs, 0), RetryAfter.longestMs)
  return { outcome, code, message, ...(retryAfterMs === undefined ? {} : { retryAfterMs }) }
}

const toJson = (bytes: Uint8Array): unknown => {
  const text = new TextDecoder().decode(bytes)
  try {
    return JSON.parse(text)
  } catch {
    return text
  }
}

/** A reading that stumbles over an unexpected answer has found nothing. */
const attempt = <A>(read: () => A): A | undefined => {
  try {
    return read()
  } catch {
    return undefined
  }
}

const answerLimitBytes = 1_000_000

/**
 * Calls the platform and says how it ended; never rejects.
 *
 * - accepted: 2xx, and `read` found its value;
 * - refused: other answers, a redirect among them;
 * - unavailable: 408, 425, 429, 5xx with the wait the platform asks for, and connections that were never made;
 * - unknown: 504, connections that broke later, deadlines, and 2xx answers without the value. All but the last are
 *   `unavailable` when `idempotent`.
 */
export const call = async <A>(
  request: PlatformRequest,
  reading: CallReading<A>,
  context: Pick<CallContext, "signal" | "nowMs">
): Promise<CallResult<A>> => {
  const { signal, nowMs } = context
  const idempotent = reading.idempotent ?? false
  if (signal.aborted) return { outcome: "unavailable", code: "timeout", message: "The time for the call was over." }
  let response: Response
  let bytes: Uint8Array | typeof tooLarge
  try {
    response = await fetch(request.url, toInit(request, signal, "manual"))
    bytes = await readBytes(response, answerLimitBytes)
  } catch (error) {
    return failed(request, error, signal, idempotent)
  }
  const body = bytes === tooLarge ? "" : toJson(bytes)
  const explanation = attempt(() => reading.explain?.(body, response.status))
  if (!response.ok || explanation !== undefined) return answered(request, response, explanation, idempotent, nowMs)
  const value = attempt(() => reading.read(body))
  return value === undefined
    ? {
        outcome: "unknown",
        code: "unreadableAnswer",
        message: `${hostOf(request.url)} answered ${response.status}, but not with what its documentation says.`
      }
    : { outcome: "accepted", value }
}

/**
 * Sends the parts of a message that are not sent yet, in order, and stops at the first that fails: `one` sends a
 * rendered message and gives the platform's id. What was accepted before a failure is in its `platformIds`.
 */
export const sendEach = async (
  outbound: Pick<OutboundMessage, "messages" | "alreadySent">,
  one: (message: RenderedMessage, index: number) => Promise<CallResult<string>>
): Promise<SendResult> => {
  const platformIds: Array<string> = []
  for (const [index, message] of outbound.messages.entries()) {
    if (index < outbound.alreadySent) continue
    const result = await one(message, index)
    if (result.outcome !== "accepted") return { ...result, platformIds }
    platformIds.push(result.value)
  }
  return { outcome: "accepted", platformIds }
}

/**
 * Downloads a file, up to `limitBytes`; never rejects. A GET changes nothing, so that a broken call is `unavailable`.
 */
export const download = async (
  request: PlatformRequest & { readonly limitBytes: number },
  context: Pick<CallContext, "signal" | "nowMs">
): Promise<FetchResult> => {
  const { signal, nowMs } = context
  if (signal.aborted) return { outcome: "unavailable", code: "timeout", message: "The time for the call was over." }
  const large: FetchResult = {
    outcome: "refused",
    code: "tooLarge",
    message: `The file is larger than ${request.limitBytes} bytes.`
  }
  try {
    const response = await fetch(request.url, toInit(request, signal, "follow"))
    if (!response.ok) {
      await response.body?.cancel()
      return notUnknown(answered(request, response, undefined, true, nowMs))
    }
    if (Number(response.headers.get("content-length")) > request.limitBytes) {
      await response.body?.cancel()
      return large
    }
    const bytes = await readBytes(response, request.limitBytes)
    if (bytes === tooLarge) return large
    return {
      outcome: "fetched",
      bytes,
      mediaType: response.headers.get("content-type")?.split(";")[0]?.trim() || "application/octet-stream"
    }
  } catch (error) {
    return notUnknown(failed(request, error, signal, true))
  }
}

/** A call that changes nothing has no unknown outcome. */
const notUnknown = (failure: CallFailure): Exclude<CallFailure, { outcome: "unknown" }> =>
  failure.outcome === "unknown" ? { ...failure, outcome: "unavailable" } : failure

/** The outcome of a call as the outcome of a send: for edits, reactions and the like, which make no new message. */
export const toSendResult = (result: CallResult<unknown>, platformIds: ReadonlyArray<string> = []): SendResult =>
  result.outcome === "accepted" ? { outcome: "accepted", platformIds } : result

/** A failed call as the failure of a `fetch`. */
export const toFetchFailure = (failure: CallFailure): FetchResult => notUnknown(failure)
