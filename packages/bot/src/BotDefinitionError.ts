/**
 * Why a bot, or a step of one, could not be made.
 *
 * @module
 */
import type * as z from "zod"

/**
 * A definition that can't be used, thrown where it is written, so that a desk never starts with it. `problems` name each
 * field, what must be there and what was found.
 */
export class BotDefinitionError extends Error {
  override readonly name = "BotDefinitionError"
  readonly code = "botDefinition"
  /** What was being made, such as `bot "receptionist"` or `menu`. */
  readonly what: string
  readonly problems: ReadonlyArray<string>

  constructor(what: string, problems: ReadonlyArray<string>) {
    super(`The ${what} can't be used:\n${problems.map((problem) => `- ${problem}`).join("\n")}`)
    this.what = what
    this.problems = problems
  }
}

const toFound = (value: unknown): string => {
  const text = typeof value === "function" ? "a function" : (JSON.stringify(value) ?? String(value))
  return text.length > 80 ? `${text.slice(0, 79)}…` : text
}

const at = (input: unknown, path: ReadonlyArray<PropertyKey>): unknown =>
  path.reduce<unknown>(
    (value, key) =>
      typeof value === "object" && value !== null ? (value as Record<PropertyKey, unknown>)[key] : undefined,
    input
  )

/**
 * Reads part of a definition.
 *
 * **Fails with** {@link BotDefinitionError}, thrown, naming each field that `schema` refuses.
 */
export const decode = <A>(what: string, schema: z.ZodType<A>, input: unknown): A => {
  const parsed = schema.safeParse(input)
  if (parsed.success) return parsed.data
  const problems = parsed.error.issues.map(({ path, message }) => {
    const expected = message.replace(/^Invalid input: /, "")
    return `${path.join(".") || "it"}: ${expected}; found ${toFound(at(input, path))}.`
  })
  throw new BotDefinitionError(what, problems)
}
