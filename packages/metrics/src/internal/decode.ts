import type { z } from "zod"
import { fail, type Result, succeed } from "../Result.ts"

// Turns Zod's list of issues into the one thing a reader can act on: the first field that is wrong.
export const decodeWith = <A, C extends string>(
  schema: z.ZodType<A>,
  code: C,
  noun: string,
  input: unknown
): Result<A, { readonly code: C; readonly path: string; readonly message: string }> => {
  const parsed = schema.safeParse(input)
  if (parsed.success) return succeed(parsed.data)
  const issue = parsed.error.issues[0]
  const path = issue?.path.map(String).join(".") ?? ""
  const where = path === "" ? "the document itself" : `\`${path}\``
  return fail({
    code,
    path,
    message: `This is not ${noun}: ${where}: ${issue?.message ?? "unreadable"}. Correct it and try again.`
  })
}
