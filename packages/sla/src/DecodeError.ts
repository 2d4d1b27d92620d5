/**
 * Why a calendar, a policy or a stored record could not be used.
 *
 * @module
 */
import type * as z from "zod"
import { fail, type Result, succeed } from "./Result.ts"

/** One field that is wrong: where it stands, what was expected there and what was found. */
export interface Issue {
  /** The way to the field, such as `week.monday[0].opens`; empty when the whole value is wrong. */
  readonly path: string
  /** What should be there, in words. */
  readonly expected: string
  /** What was there, as JSON, cut to 80 characters. */
  readonly found: string
}

/** Data from outside that is not what it should be; nothing was built from it. */
export interface DecodeError {
  readonly code: "invalid"
  /** What was being read: `calendar`, `policy`, `plan`, `record`, `signal`, or `iCalendar file`. */
  readonly what: string
  readonly issues: ReadonlyArray<Issue>
  /** All issues in one sentence each, with what to do. */
  readonly message: string
}

const toText = (path: ReadonlyArray<PropertyKey>): string =>
  path.map((key, index) => (typeof key === "number" ? `[${key}]` : `${index === 0 ? "" : "."}${String(key)}`)).join("")

/** What comes from outside may be nested without end, or hold itself. */
const toJson = (input: object | null): string => {
  try {
    return JSON.stringify(input)
  } catch {
    return "something that is no JSON"
  }
}

const toFound = (input: unknown): string => {
  const text = typeof input === "object" ? toJson(input) : typeof input === "string" ? `"${input}"` : String(input)
  return text.length > 80 ? `${text.slice(0, 79)}…` : text
}

const at = (input: unknown, path: ReadonlyArray<PropertyKey>): unknown =>
  path.reduce<unknown>(
    (value, key) =>
      typeof value === "object" && value !== null ? (value as Record<PropertyKey, unknown>)[key] : value,
    input
  )

/** What is wrong with data that no schema reads. */
export const fromIssues = (what: string, issues: ReadonlyArray<Issue>): DecodeError => {
  const sentences = issues.map(
    ({ path, expected, found }) => `${path === "" ? what : path}: expected ${expected}, found ${found}.`
  )
  return {
    code: "invalid",
    what,
    issues,
    message: `The ${what} can't be used. ${sentences.join(" ")} Correct ${issues.length === 1 ? "this field" : "these fields"} and try again.`
  }
}

/** What a schema refused in `input`, field by field. */
export const fromZod = (what: string, input: unknown, error: z.core.$ZodError): DecodeError =>
  fromIssues(
    what,
    error.issues.map(({ path, message }) => ({
      path: toText(path),
      expected: message.replace(/^Invalid input: /, "").replace(/^expected /, ""),
      found: toFound(at(input, path))
    }))
  )

/** The value that a schema reads from `input`, or why it can't. */
export const decode = <A>(what: string, schema: z.ZodType<A>, input: unknown): Result<A, DecodeError> => {
  const parsed = schema.safeParse(input)
  return parsed.success ? succeed(parsed.data) : fail(fromZod(what, input, parsed.error))
}
