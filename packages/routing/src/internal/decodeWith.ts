import type * as z from "zod"
import type { InputError } from "../InputError.ts"
import { fail, type Result, succeed } from "../Result.ts"

/** Deeper input is refused before it is parsed: a parser that recurses would run out of stack. */
const maximumDepth = 64

const isTooDeep = (input: unknown): boolean => {
  let level: Array<unknown> = [input]
  for (let depth = 0; level.length > 0; depth++) {
    if (depth > maximumDepth) return true
    level = level.flatMap((value) => (typeof value === "object" && value !== null ? Object.values(value) : []))
  }
  return false
}

export const describe = (value: unknown): string => {
  if (value === undefined) return "nothing"
  if (typeof value === "string") return JSON.stringify(value.length > 60 ? `${value.slice(0, 60)}…` : value)
  if (Array.isArray(value)) return "a list"
  return typeof value === "object" && value !== null ? "an object" : String(value)
}

const at = (input: unknown, path: ReadonlyArray<PropertyKey>): unknown =>
  path.reduce<unknown>(
    (value, key) => (typeof value === "object" && value !== null ? Reflect.get(value, key) : undefined),
    input
  )

export const toText = (path: ReadonlyArray<PropertyKey>): string =>
  path
    .map((key) => (typeof key === "number" ? `[${key}]` : `.${String(key)}`))
    .join("")
    .replace(/^\./, "")

export const refuse = (what: string, path: string, expected: string, found: string) =>
  fail<InputError>({
    code: "input_invalid",
    path,
    expected,
    found,
    message: `${what}: ${path === "" ? "the whole input" : path} is not usable (${expected}; found ${found}). Correct it and try again.`
  })

export const decodeWith =
  <A>(what: string, schema: z.ZodType<A>) =>
  (input: unknown): Result<A, InputError> => {
    if (isTooDeep(input)) return refuse(what, "", `at most ${maximumDepth} levels of nesting`, "more")
    const parsed = schema.safeParse(input)
    if (parsed.success) return succeed(parsed.data)
    const issue = parsed.error.issues[0]!
    return refuse(what, toText(issue.path), issue.message, describe(at(input, issue.path)))
  }
