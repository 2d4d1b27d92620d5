/**
 * An operation of the API as data: from it come routing, validation and its description in OpenAPI.
 *
 * @module
 */
import type { Actor } from "@switchboard/conversation"
import type { Effect, Stream } from "effect"
import type * as z from "zod"
import type { Caller } from "./Credential.ts"
import type { Settings } from "./DeskConfig.ts"
import type { DeskError } from "./DeskError.ts"
import type { CommandOptions, DeskService } from "./DeskService.ts"
import type { ProblemError } from "./ProblemDetails.ts"
import type { ServerSentEvent } from "./ServerSentEvents.ts"

/** Bytes with the headers that make them safe to show. */
export interface BytesAnswer {
  readonly headers: Readonly<Record<string, string>>
  readonly bytes: AsyncIterable<Uint8Array>
}

/**
 * What an operation answers with: JSON of a schema, live events whose data is of a schema, bytes (of one media type where
 * it is always the same), or nothing (204).
 */
export type Returns =
  | { readonly kind: "json"; readonly schema: z.ZodType }
  | { readonly kind: "events"; readonly schema: z.ZodType }
  | { readonly kind: "bytes"; readonly mediaType?: string }
  | { readonly kind: "nothing" }

/** What a handler has to produce for what its route returns; where it returns nothing, anything will do. */
export type Returned<R extends Returns> = R extends { readonly kind: "json"; readonly schema: z.ZodType<infer A> }
  ? A
  : R extends { readonly kind: "events" }
    ? Stream.Stream<ServerSentEvent, DeskError>
    : R extends { readonly kind: "bytes" }
      ? BytesAnswer
      : unknown

/** A request, parsed. `options` carry the command id of a command; `headers` are the request's. */
export interface Call<Params = unknown, Query = unknown, Body = unknown> {
  readonly desk: DeskService
  readonly settings: Settings
  readonly caller: Caller
  readonly params: Params
  readonly query: Query
  readonly body: Body
  readonly options: CommandOptions
  readonly headers: Headers
}

/**
 * An operation.
 *
 * **Shape** `path` names its parameters as in `/api/conversations/{id}`. `role` is the least role a caller needs, `agent`
 * when absent; the desk itself decides the rest. A `command` takes a command id, as the header `idempotency-key` or in the
 * body as `commandId`. Where there is no `body` none is read.
 */
export interface Route<
  Params extends z.ZodType = z.ZodType,
  Query extends z.ZodType = z.ZodType,
  Body extends z.ZodType = z.ZodType,
  R extends Returns = Returns
> {
  readonly method: "GET" | "POST" | "PUT" | "DELETE"
  readonly path: string
  readonly operationId: string
  readonly summary: string
  readonly role?: Actor.Role
  readonly command?: true
  readonly params?: Params
  readonly query?: Query
  readonly body?: Body
  readonly returns: R
  /** A method, not a property: a table holds routes with parameters of many types. */
  handle(
    call: Call<z.output<Params>, z.output<Query>, z.output<Body>>
  ): Effect.Effect<Returned<R>, DeskError | ProblemError>
}

/** Lets the compiler find a route's types. */
export const make = <
  Params extends z.ZodType,
  Query extends z.ZodType,
  Body extends z.ZodType,
  const R extends Returns
>(
  route: Route<Params, Query, Body, R>
): Route => route as unknown as Route

/** Where a path leads: the routes on it by method, and the values of its parameters. */
export interface Match {
  readonly methods: ReadonlyMap<string, Route>
  readonly params: Readonly<Record<string, string>>
}

const decodeSegment = (segment: string): string | undefined => {
  try {
    return decodeURIComponent(segment)
  } catch {
    return undefined
  }
}

/**
 * Finds the routes of a path.
 *
 * **Gotchas** a segment that is written out in a route is preferred to a parameter when it stands first in the table.
 */
export const matcher = (routes: ReadonlyArray<Route>): ((pathname: string) => Match | undefined) => {
  const byPath = new Map<string, Map<string, Route>>()
  for (const route of routes) {
    const methods = byPath.get(route.path) ?? new Map<string, Route>()
    byPath.set(route.path, methods.set(route.method, route))
  }
  const table = [...byPath].map(([path, methods]) => ({ segments: path.split("/"), methods }))
  return (pathname) => {
    const given = pathname.split("/").map(decodeSegment)
    for (const { segments, methods } of table) {
      if (segments.length !== given.length) continue
      const params: Record<string, string> = {}
      const fits = segments.every((segment, index) => {
        const value = given[index]
        if (!segment.startsWith("{")) return segment === value
        if (value === undefined || value === "") return false
        params[segment.slice(1, -1)] = value
        return true
      })
      if (fits) return { methods, params }
    }
    return undefined
  }
}
