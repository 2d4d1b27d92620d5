/**
 * How the desk says over HTTP that a request failed: problem details with a code and facts.
 *
 * @module
 */
import { Data } from "effect"
import * as z from "zod"
import type { DeskError } from "./DeskError.ts"

/**
 * A failed request, as `application/problem+json`.
 *
 * **Shape** `code` is for programs and never changes its meaning; `type` is the code as a URI; `detail` says to a person
 * what to do; `facts` hold what `detail` says. `requestInvalid` has `facts.errors`, a list of {@link FieldError}s.
 *
 * **Source** RFC 9457.
 */
export const ProblemDetails = z.object({
  type: z.string(),
  title: z.string(),
  status: z.number().int().min(400).max(599),
  detail: z.string(),
  code: z.string(),
  facts: z.record(z.string(), z.unknown())
})
export type ProblemDetails = z.infer<typeof ProblemDetails>

const titles: Readonly<Record<number, string>> = {
  400: "The request can't be read",
  401: "A valid credential is needed",
  403: "Not allowed",
  404: "Not found",
  405: "Method not allowed",
  409: "Not possible as things stand",
  413: "Too large",
  415: "Unsupported media type",
  500: "Something went wrong here",
  503: "Busy, try again"
}

/**
 * A problem.
 *
 * **Example**
 *
 * ```ts
 * import { strict as assert } from "node:assert"
 * import { ProblemDetails } from "@switchboard/desk"
 *
 * const problem = ProblemDetails.make(404, "notFound", "no such conversation: c1", { id: "c1" })
 * assert.equal(problem.type, "urn:switchboard:problem:notFound")
 * assert.equal(ProblemDetails.toResponse(problem).headers.get("content-type"), "application/problem+json")
 * ```
 */
export const make = (
  status: number,
  code: string,
  detail: string,
  facts: Readonly<Record<string, unknown>> = {}
): ProblemDetails => ({
  type: `urn:switchboard:problem:${code}`,
  title: titles[status] ?? "The request failed",
  status,
  detail,
  code,
  facts
})

/** A request that ends with a problem. `headers` go with the answer. */
export class ProblemError extends Data.TaggedError("ProblemError")<{
  readonly problem: ProblemDetails
  readonly headers?: Readonly<Record<string, string>>
}> {
  override get message(): string {
    return this.problem.detail
  }
}

/** Ends a request with a problem. */
export const refuse = (
  status: number,
  code: string,
  detail: string,
  facts: Readonly<Record<string, unknown>> = {},
  headers: Readonly<Record<string, string>> = {}
): ProblemError => new ProblemError({ problem: make(status, code, detail, facts), headers })

const forbidden: ReadonlySet<string> = new Set(["notAllowed", "notAnAuthor"])

const retryAfter = (ms: number): Readonly<Record<string, string>> => ({
  "retry-after": String(Math.max(1, Math.ceil(ms / 1000)))
})

/**
 * What a failure of the desk is over HTTP.
 *
 * **Shape** a refusal for want of rights is 403, of something unknown 404, every other refusal 409. Overload and storage
 * that may recover are 503 with `Retry-After`; storage that won't is 500, without its internals.
 */
export const fromError = (error: DeskError | ProblemError): ProblemError => {
  switch (error._tag) {
    case "ProblemError":
      return error
    case "RejectedError": {
      const { code, message, facts } = error.rejection
      return refuse(forbidden.has(code) ? 403 : code.endsWith("Unknown") ? 404 : 409, code, message, facts)
    }
    case "RoutingRefusedError":
      return refuse(409, error.code, error.message, error.facts)
    case "CommandReusedError":
      return refuse(409, "commandReused", error.message, { commandId: error.commandId })
    case "NotFoundError":
      return refuse(404, "notFound", error.message, { what: error.what, id: error.id })
    case "OverloadedError": {
      const { retryAfterMs } = error
      return refuse(503, "overloaded", error.message, { retryAfterMs }, retryAfter(retryAfterMs))
    }
    case "StorageFailedError":
      return error.retryable
        ? refuse(503, "storageFailed", "storage did not answer; try again", {}, retryAfter(1000))
        : internal
  }
}

/** What is said when something broke that nobody foresaw: nothing about it. */
export const internal: ProblemError = refuse(
  500,
  "internalError",
  "the request could not be completed; it is in the desk's log"
)

/** A problem as an answer. */
export const toResponse = (problem: ProblemDetails, headers: Readonly<Record<string, string>> = {}): Response =>
  new Response(JSON.stringify(problem), {
    status: problem.status,
    headers: { ...headers, "content-type": "application/problem+json" }
  })

/** One thing wrong with a request: where, what was expected and what was found. */
export interface FieldError {
  readonly field: string
  readonly expected: string
  readonly found: string
}

const describe = (value: unknown): string => {
  if (value === undefined) return "nothing"
  if (Array.isArray(value)) return `a list of ${value.length}`
  if (typeof value === "object" && value !== null) return "an object"
  const text = JSON.stringify(value) ?? typeof value
  return text.length > 60 ? `${text.slice(0, 60)}…` : text
}

const toField = (place: string, path: ReadonlyArray<PropertyKey>): string =>
  path.reduce<string>((field, key) => (typeof key === "number" ? `${field}[${key}]` : `${field}.${String(key)}`), place)

const lookUp = (value: unknown, path: ReadonlyArray<PropertyKey>): unknown =>
  path.reduce<unknown>(
    (found, key) =>
      typeof found === "object" && found !== null && Object.hasOwn(found, key)
        ? (found as Record<PropertyKey, unknown>)[key]
        : undefined,
    value
  )

/**
 * What a schema found wrong, field by field. `place` is where the input came from: `body`, `query` or `path`.
 *
 * **Gotchas** a value that was found is quoted up to 60 characters, so that a refusal never repeats a whole message.
 */
export const toFieldErrors = (place: string, error: z.ZodError, input: unknown): ReadonlyArray<FieldError> =>
  error.issues.flatMap((issue): ReadonlyArray<FieldError> => {
    if (issue.code === "unrecognized_keys") {
      return issue.keys.map((key) => {
        const path = [...issue.path, key]
        return { field: toField(place, path), expected: "no such field", found: describe(lookUp(input, path)) }
      })
    }
    const expected = /expected (.+?)(?:, received .*)?$/i.exec(issue.message)?.[1] ?? issue.message
    return [{ field: toField(place, issue.path), expected, found: describe(lookUp(input, issue.path)) }]
  })

/** Ends a request whose fields are wrong. */
export const invalid = (errors: ReadonlyArray<FieldError>): ProblemError =>
  refuse(
    400,
    "requestInvalid",
    `correct and send again: ${errors.map(({ field, expected, found }) => `${field}: expected ${expected}, found ${found}`).join("; ")}`,
    { errors }
  )
