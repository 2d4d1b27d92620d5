/**
 * A desk as a standard `Request → Response` handler: webhooks, the JSON API and live events.
 *
 * @module
 */
import type { Channel } from "@switchboard/channel"
import { type Actor, Id } from "@switchboard/conversation"
import { Effect, Stream } from "effect"
import type * as z from "zod"
import * as Api from "./Api.ts"
import * as Credential from "./Credential.ts"
import type { Settings } from "./DeskConfig.ts"
import { type DeskError, StorageFailedError } from "./DeskError.ts"
import type { CommandOptions, DeskService, Received, ThreadUpdate } from "./DeskService.ts"
import * as FileLink from "./FileLink.ts"
import * as OpenApi from "./OpenApi.ts"
import {
  type FieldError,
  fromError,
  internal,
  invalid,
  type ProblemError,
  refuse,
  toFieldErrors,
  toResponse
} from "./ProblemDetails.ts"
import * as Route from "./Route.ts"
import * as ServerSentEvents from "./ServerSentEvents.ts"

/** Runs an effect of the desk, such as `Effect.runPromise`. */
export type Run = <A>(effect: Effect.Effect<A>) => Promise<A>

type Failure = DeskError | ProblemError

/** No answer of the API is kept, guessed at, or read by another site's page. */
const safe = {
  "cache-control": "no-store",
  "x-content-type-options": "nosniff",
  "cross-origin-resource-policy": "same-origin"
} as const

const ranks: Readonly<Record<Actor.Role, number>> = { agent: 0, supervisor: 1, administrator: 2 }
const jsonType = /^application\/(?:[\w.+-]+\+)?json\s*(?:;|$)/i

const tooLarge = (limitBytes: number): ProblemError =>
  refuse(413, "requestTooLarge", `a request may have ${limitBytes} bytes; send less at once`, { limitBytes })

/** The body, never more of it than is allowed. */
const readBody = (request: Request, limitBytes: number): Effect.Effect<Uint8Array<ArrayBuffer>, ProblemError> =>
  Effect.gen(function* () {
    if (request.body === null) return new Uint8Array()
    const chunks: Array<Uint8Array> = []
    let size = 0
    const reader = request.body.getReader()
    const stop = Effect.ignore(Effect.tryPromise(() => reader.cancel()))
    if (Number(request.headers.get("content-length") ?? 0) > limitBytes) {
      yield* stop
      return yield* tooLarge(limitBytes)
    }
    while (true) {
      const { done, value } = yield* Effect.tryPromise({
        try: () => reader.read(),
        catch: () => refuse(400, "bodyIncomplete", "the body broke off; send the request again")
      })
      if (done) break
      size += value.byteLength
      if (size > limitBytes) {
        yield* stop
        return yield* tooLarge(limitBytes)
      }
      chunks.push(value)
    }
    const body = new Uint8Array(size)
    let at = 0
    for (const chunk of chunks) {
      body.set(chunk, at)
      at += chunk.byteLength
    }
    return body
  })

const parse = <S extends z.ZodType>(
  place: string,
  schema: S | undefined,
  input: unknown
): Effect.Effect<z.output<S> | undefined, ProblemError> => {
  if (!schema) return Effect.succeed(undefined)
  const parsed = schema.safeParse(input)
  return parsed.success ? Effect.succeed(parsed.data) : Effect.fail(invalid(toFieldErrors(place, parsed.error, input)))
}

const isObject = (value: unknown): value is Readonly<Record<string, unknown>> =>
  typeof value === "object" && value !== null && !Array.isArray(value)

/** A JSON body; `undefined` when there is none. */
const readJson = Effect.fnUntraced(function* (request: Request, limitBytes: number) {
  const bytes = yield* readBody(request, limitBytes)
  if (bytes.byteLength === 0) return undefined
  const mediaType = request.headers.get("content-type")
  if (mediaType === null || !jsonType.test(mediaType)) {
    return yield* refuse(415, "notJson", "send the body with content-type: application/json", { mediaType })
  }
  return yield* Effect.try({
    try: () => JSON.parse(new TextDecoder("utf-8", { fatal: true }).decode(bytes)) as unknown,
    catch: (cause) =>
      refuse(400, "jsonInvalid", `the body must be JSON in UTF-8: ${cause instanceof Error ? cause.message : cause}`)
  })
})

/** Takes the command id out of a command's body; the header's has to be the same. */
const takeCommandId = (
  headers: Headers,
  body: unknown
): Effect.Effect<{ readonly options: CommandOptions; readonly rest: unknown }, ProblemError> => {
  const { commandId: inBody, ...rest } = isObject(body) ? body : {}
  // The header's syntax is a quoted string, which most clients leave unquoted.
  const inHeader = headers.get("idempotency-key")?.replace(/^"(.*)"$/, "$1")
  const errors: Array<FieldError> = []
  const check = (field: string, value: unknown): void => {
    if (value === undefined || Id.CommandId.safeParse(value).success) return
    errors.push({ field, expected: "1 to 128 characters", found: JSON.stringify(value)?.slice(0, 60) ?? "nothing" })
  }
  check("idempotency-key", inHeader)
  check("body.commandId", inBody)
  if (inHeader !== undefined && inBody !== undefined && inHeader !== inBody) {
    errors.push({ field: "body.commandId", expected: "the same as idempotency-key", found: JSON.stringify(inBody) })
  }
  if (errors.length > 0) return Effect.fail(invalid(errors))
  const commandId = inHeader ?? (inBody as string | undefined)
  return Effect.succeed({
    options: commandId === undefined ? {} : { commandId },
    rest: isObject(body) ? rest : body
  })
}

/** A parameter given twice is a list, which no schema expects. */
const toQuery = (url: URL): Readonly<Record<string, unknown>> => {
  const query: Record<string, unknown> = {}
  for (const name of new Set(url.searchParams.keys())) {
    const all = url.searchParams.getAll(name)
    query[name] = all.length === 1 ? all[0] : all
  }
  return query
}

/** A browser sends the cookie along with whatever any page makes it send: the request must show that our page made it. */
const isForged = (request: Request, url: URL): boolean =>
  request.method !== "GET" &&
  request.method !== "HEAD" &&
  request.headers.get("x-switchboard") !== "1" &&
  request.headers.get("origin") !== url.origin

const toThreadEvent = (update: ThreadUpdate): ServerSentEvents.ServerSentEvent =>
  update.event === "typing"
    ? { event: "typing", data: update.typing }
    : {
        event: update.event,
        data: update.message,
        // Only a new message moves a client's place: an update speaks of one it has passed.
        ...(update.event === "message" && { id: String(update.message.sequence) })
      }

const withoutBody: ReadonlySet<number> = new Set([204, 205, 304])

const fromAnswer = ({ status, headers = {}, body }: Channel.ChannelAnswer): Response =>
  new Response(withoutBody.has(status) ? null : (body ?? null), { status, headers })

/** A whole request of the API, from its credential to its answer. */
const makeApi = (desk: DeskService, settings: Settings, now: () => number) => {
  const match = Route.matcher(Api.routes)
  const authenticator = Credential.make(settings)

  const identify = Effect.fnUntraced(function* (request: Request, url: URL) {
    const caller = yield* Effect.promise(() => authenticator.identify(request.headers, now()))
    if (!caller) {
      return yield* refuse(
        401,
        "credentialNeeded",
        "send an agent's credential or an API key as authorization: Bearer, or sign in again",
        {},
        { "www-authenticate": 'Bearer realm="switchboard"' }
      )
    }
    if (caller.inCookie && isForged(request, url)) {
      return yield* refuse(403, "forgeryPossible", "send the header x-switchboard: 1 with every change", {})
    }
    return caller
  })

  const findRoute = Effect.fnUntraced(function* (method: string, pathname: string) {
    const found = match(pathname)
    if (!found) return yield* refuse(404, "notFound", `there is no ${pathname}; see /openapi.json`, { path: pathname })
    const route = found.methods.get(method === "HEAD" ? "GET" : method)
    if (!route) {
      const methods = [...found.methods.keys()].flatMap((one) => (one === "GET" ? ["GET", "HEAD"] : [one]))
      const allow = methods.join(", ")
      return yield* refuse(405, "methodNotAllowed", `use one of ${allow}`, { method, allowed: methods }, { allow })
    }
    return { route, params: found.params }
  })

  const toAnswer = (
    route: Route.Route,
    value: unknown,
    request: Request,
    caller: Credential.Caller
  ): Effect.Effect<Response> => {
    switch (route.returns.kind) {
      case "json":
        return Effect.sync(() => Response.json(value, { headers: safe }))
      case "nothing":
        return Effect.succeed(new Response(null, { status: 204, headers: safe }))
      case "bytes": {
        const { headers, bytes } = value as Route.BytesAnswer
        const stream = Stream.fromAsyncIterable(bytes, (cause) => cause)
        return Effect.map(
          Effect.context<never>(),
          (context) =>
            new Response(Stream.toReadableStreamWith(stream, context, { signal: request.signal }), {
              headers: { ...safe, ...headers }
            })
        )
      }
      case "events":
        return ServerSentEvents.toResponse(value as Stream.Stream<ServerSentEvents.ServerSentEvent, DeskError>, {
          signal: request.signal,
          headers: safe,
          // A live answer outlives no credential.
          ...(caller.expiresAtMs !== null && { lifetimeMs: caller.expiresAtMs - now() })
        })
    }
  }

  return Effect.fnUntraced(function* (request: Request, url: URL): Effect.fn.Return<Response, Failure> {
    const caller = yield* identify(request, url)
    const { route, params } = yield* findRoute(request.method, url.pathname)
    const needs = route.role ?? "agent"
    if (ranks[caller.actor.role] < ranks[needs]) {
      const facts = { role: caller.actor.role, needs }
      return yield* refuse(403, "notAllowed", `${route.operationId} needs the role ${needs}`, facts)
    }
    const parsedParams = yield* parse("path", route.params, params)
    const query = yield* parse("query", route.query, toQuery(url))
    const raw = route.body && (yield* readJson(request, settings.limits.requestBytes))
    const { options, rest } = route.command ? yield* takeCommandId(request.headers, raw) : { options: {}, rest: raw }
    const body = yield* parse("body", route.body, rest)
    const { headers } = request
    const call = { desk, settings, caller, params: parsedParams, query, body, options, headers }
    return yield* toAnswer(route, yield* route.handle(call), request, caller)
  })
}

/**
 * A handler for everything under `/channels/`, `/api/`, and `/openapi.json`.
 *
 * **Shape** `/channels/<kind>/…` is for a platform's webhooks and contacts' clients, proven by the channel. `/api/…` needs
 * a credential. Failures are problem details.
 *
 * **Units** `now` gives epoch milliseconds.
 *
 * **Gotchas** a client that goes away ends its live answers; a command it sent is finished nevertheless.
 */
export const make = (
  desk: DeskService,
  settings: Settings,
  run: Run,
  now: () => number
): ((request: Request) => Promise<Response>) => {
  const api = makeApi(desk, settings, now)
  let description: string | undefined

  const toChannelResponse = (received: Received, signal: AbortSignal): Effect.Effect<Response> => {
    switch (received.kind) {
      case "answer":
        return Effect.sync(() => fromAnswer(received.answer))
      case "thread":
        return Effect.sync(() =>
          Response.json(received.page, { headers: { "cache-control": "no-store", ...received.headers } })
        )
      case "live":
        return ServerSentEvents.toResponse(Stream.map(received.stream, toThreadEvent), {
          signal,
          headers: received.headers
        })
    }
  }

  const channels = Effect.fnUntraced(function* (
    request: Request,
    url: URL,
    kind: string
  ): Effect.fn.Return<Response, Failure> {
    if (!settings.channels.has(kind)) {
      const connected = [...settings.channels.keys()]
      return yield* refuse(404, "channelUnknown", `no channel ${kind} is connected`, { kind, connected })
    }
    const body = yield* readBody(request, settings.limits.requestBytes)
    const headers = Object.fromEntries(request.headers)
    const received = yield* desk
      .receive(kind, { method: request.method, url, headers, body, receivedAtMs: now() })
      .pipe(
        // A platform is always told to come again: what it holds is not ours until it is stored.
        Effect.catchTag("StorageFailedError", ({ reason, cause }) =>
          Effect.fail(new StorageFailedError({ reason, cause, retryable: true }))
        )
      )
    return yield* toChannelResponse(received, request.signal)
  })

  /** A contact's file: the link itself is the proof. */
  const file = Effect.fnUntraced(function* (request: Request, token: string): Effect.fn.Return<Response, Failure> {
    const link = yield* Effect.promise(() => FileLink.verify(settings.config.credentialSecret, token, now()))
    if (!link) return yield* refuse(404, "linkOver", "the link is over; open the chat again for a fresh one", {})
    const system = { kind: "system", name: "file link" } as const
    const { attachment, bytes } = yield* desk.attachment(system, link.messageId, link.attachmentId)
    const context = yield* Effect.context<never>()
    const stream = Stream.fromAsyncIterable(bytes, (cause) => cause)
    return new Response(Stream.toReadableStreamWith(stream, context, { signal: request.signal }), {
      headers: { ...safe, ...Api.toAttachmentHeaders(attachment), "access-control-allow-origin": "*" }
    })
  })

  /** The address as clients see it. Put together as text: a path may begin with two slashes. */
  const toPublic = (url: URL): URL =>
    settings.publicOrigin === undefined ? url : new URL(`${settings.publicOrigin}${url.pathname}${url.search}`)

  const answer = (request: Request): Effect.Effect<Response, Failure> =>
    Effect.suspend(() => {
      const url = toPublic(new URL(request.url))
      const [, first, second] = url.pathname.split("/")
      if (url.pathname.startsWith(FileLink.prefix)) return file(request, url.pathname.slice(FileLink.prefix.length))
      if (first === "channels" && second) return channels(request, url, second)
      if (first === "api") return api(request, url)
      if (url.pathname === "/openapi.json" && (request.method === "GET" || request.method === "HEAD")) {
        description ??= JSON.stringify(OpenApi.make(Api.routes))
        return Effect.succeed(new Response(description, { headers: { ...safe, "content-type": "application/json" } }))
      }
      return Effect.fail(
        refuse(404, "notFound", `there is no ${url.pathname}; see /openapi.json`, { path: url.pathname })
      )
    })

  const toProblem = ({ problem, headers }: ProblemError): Response => toResponse(problem, { ...safe, ...headers })

  return async (request) => {
    const response = await run(
      answer(request).pipe(
        Effect.catch((error) => {
          const problem = toProblem(fromError(error))
          return error._tag === "StorageFailedError"
            ? Effect.as(Effect.logWarning(`${request.method} ${new URL(request.url).pathname} failed`, error), problem)
            : Effect.succeed(problem)
        }),
        Effect.catchCause((cause) =>
          Effect.as(
            Effect.logError(`${request.method} ${new URL(request.url).pathname} broke`, cause),
            toProblem(internal)
          )
        )
      )
    )
    if (request.method !== "HEAD" || response.body === null) return response
    await response.body.cancel()
    return new Response(null, response)
  }
}
