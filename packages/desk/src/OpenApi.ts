/**
 * The description of the API for other languages and tools, made from its table of operations.
 *
 * **Source** OpenAPI 3.1.1, JSON Schema 2020-12.
 *
 * @module
 */
import * as z from "zod"
import { names } from "./Answers.ts"
import * as Credential from "./Credential.ts"
import { ProblemDetails } from "./ProblemDetails.ts"
import type { Returns, Route } from "./Route.ts"

/** A JSON object. */
export type JsonObject = Readonly<Record<string, unknown>>

/** An OpenAPI document: the parts that are always there. */
export interface OpenApiDocument {
  readonly openapi: "3.1.1"
  readonly info: { readonly title: string; readonly version: string; readonly description: string }
  readonly paths: Readonly<Record<string, Readonly<Record<string, JsonObject>>>>
  readonly components: {
    readonly schemas: Readonly<Record<string, JsonObject>>
    readonly securitySchemes: JsonObject
    readonly responses: JsonObject
  }
  readonly security: ReadonlyArray<JsonObject>
}

const definitionPrefix = "#/$defs/"
const componentPrefix = "#/components/schemas/"

/** Points references at the shared schemas of the document. */
const relocate = (value: unknown): unknown => {
  if (Array.isArray(value)) return value.map(relocate)
  if (typeof value !== "object" || value === null) return value
  return Object.fromEntries(
    Object.entries(value).map(([key, inner]) => [
      key,
      key === "$ref" && typeof inner === "string" && inner.startsWith(definitionPrefix)
        ? componentPrefix + inner.slice(definitionPrefix.length)
        : relocate(inner)
    ])
  )
}

/** Schemas as they are written, gathering what they share. */
const collector = () => {
  const shared = new Map<string, JsonObject>()
  const convert = (schema: z.ZodType): JsonObject => {
    // `input`: what travels as text or base64 is described as that.
    const {
      $schema: _,
      $defs = {},
      ...own
    } = z.toJSONSchema(schema, { io: "input", unrepresentable: "any", metadata: names }) as Record<string, unknown>
    for (const [name, definition] of Object.entries($defs as Record<string, JsonObject>)) {
      shared.set(name, relocate(definition) as JsonObject)
    }
    return relocate(own) as JsonObject
  }
  return { shared, convert }
}

const commandId = { type: "string", minLength: 1, maxLength: 128 } as const

/** A command's body may also carry its command id. */
const withCommandId = (schema: JsonObject): JsonObject => {
  const { oneOf, properties } = schema
  return Array.isArray(oneOf)
    ? { ...schema, oneOf: oneOf.map((option: JsonObject) => withCommandId(option)) }
    : { ...schema, properties: { ...(properties as JsonObject), commandId } }
}

const toSuccess = (returns: Returns, convert: (schema: z.ZodType) => JsonObject): JsonObject => {
  switch (returns.kind) {
    case "json":
      return { "200": { description: "Done", content: { "application/json": { schema: convert(returns.schema) } } } }
    case "events":
      return {
        "200": {
          description:
            "Server-sent events, each with one of these as its data. A change has its position as its id; typing is the event `typing` and has none",
          content: { "text/event-stream": { schema: convert(returns.schema) } }
        }
      }
    case "bytes":
      return {
        "200": {
          description: "The bytes",
          content: { [returns.mediaType ?? "*/*"]: { schema: { type: "string", format: "binary" } } }
        }
      }
    case "nothing":
      return { "204": { description: "Done" } }
  }
}

/** The parameters in one place of a request. */
const toParameters = (
  place: "path" | "query",
  schema: z.ZodType | undefined,
  convert: (schema: z.ZodType) => JsonObject
): ReadonlyArray<JsonObject> => {
  if (!schema) return []
  const { properties, required } = convert(schema)
  return Object.entries(properties as Record<string, JsonObject>).map(([name, inner]) => ({
    name,
    in: place,
    required: place === "path" || ((required as ReadonlyArray<string> | undefined) ?? []).includes(name),
    schema: inner
  }))
}

const toOperation = (route: Route, convert: (schema: z.ZodType) => JsonObject): JsonObject => {
  const body = route.body && convert(route.body)
  return {
    operationId: route.operationId,
    summary: route.summary,
    "x-role": route.role ?? "agent",
    parameters: [
      ...toParameters("path", route.params, convert),
      ...toParameters("query", route.query, convert),
      ...(route.command
        ? [
            {
              name: "idempotency-key",
              in: "header",
              required: false,
              description: "The client's name for this command: a repeat changes nothing and gets the first answer",
              schema: commandId
            }
          ]
        : []),
      ...(route.returns.kind === "events"
        ? [
            {
              name: "last-event-id",
              in: "header",
              required: false,
              description: "The id of the last event a client has seen, as browsers send it on reconnecting",
              schema: { type: "string" }
            }
          ]
        : [])
    ],
    ...(body && {
      requestBody: {
        required: route.body?.safeParse(undefined).success === false,
        content: { "application/json": { schema: route.command ? withCommandId(body) : body } }
      }
    }),
    responses: { ...toSuccess(route.returns, convert), default: { $ref: "#/components/responses/Problem" } }
  }
}

/**
 * Describes a table of operations.
 *
 * **Shape** `x-role` on an operation is the least role a caller needs.
 *
 * **Example**
 *
 * ```ts
 * import { strict as assert } from "node:assert"
 * import { Api, OpenApi } from "@switchboard/desk"
 *
 * const document = OpenApi.make(Api.routes)
 * assert.equal(document.paths["/api/conversations/{id}/replies"]?.["post"]?.["operationId"], "reply")
 * ```
 */
export const make = (routes: ReadonlyArray<Route>): OpenApiDocument => {
  const { shared, convert } = collector()
  const paths: Record<string, Record<string, JsonObject>> = {}
  for (const route of routes) {
    const operations = paths[route.path] ?? {}
    operations[route.method.toLowerCase()] = toOperation(route, convert)
    paths[route.path] = operations
  }
  const problem = convert(ProblemDetails)
  return {
    openapi: "3.1.1",
    info: {
      title: "Switchboard desk",
      version: "1",
      description:
        "Times are epoch milliseconds. Every failure is problem details with a code and facts. With the session cookie, requests that change something carry the header `x-switchboard: 1`."
    },
    paths,
    components: {
      schemas: { ...Object.fromEntries([...shared].sort(([a], [b]) => (a < b ? -1 : 1))), ProblemDetails: problem },
      securitySchemes: {
        bearer: { type: "http", scheme: "bearer", description: "An agent's credential or an API key's secret" },
        cookie: { type: "apiKey", in: "cookie", name: Credential.cookieName }
      },
      responses: {
        Problem: {
          description: "Why it failed",
          content: { "application/problem+json": { schema: { $ref: `${componentPrefix}ProblemDetails` } } }
        }
      }
    },
    security: [{ bearer: [] }, { cookie: [] }]
  }
}
