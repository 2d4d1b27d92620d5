import { openRole, type Roles } from "./Roles.ts"
import { Thread } from "./Thread.ts"
import type { Opening } from "./ThreadMessage.ts"

/** Asks something of a connection on another thread. */
export type Ask<Methods> = <Name extends keyof Methods & string>(
  name: Name,
  ...input: Methods[Name] extends (...input: infer Input) => unknown ? Input : never
) => Promise<Methods[Name] extends (...input: never) => infer Value ? Value : never>

/** A connection for one errand, on a thread of its own. */
export interface Beside<Methods> {
  readonly ask: Ask<Methods>
  /** Ends it once what was asked last is done. */
  readonly close: () => Promise<void>
}

/** Starts one; `undefined` where no thread can be started. **Fails with** (rejected) why it could not open its connection. */
export const startBeside = async <Role extends "check" | "copy">(
  role: Role,
  settings: Roles[Role]["settings"]
): Promise<Beside<Roles[Role]["methods"]> | undefined> => {
  const thread = await Thread.start({ role, settings } as Opening)
  return typeof thread === "string"
    ? undefined
    : { ask: (name, ...input) => thread.ask(name, ...input), close: () => thread.close() }
}

/** Does something on a connection of its own: on another thread, or in place, blocking, where none can be started. */
export const beside = async <Role extends "check" | "copy", A>(
  role: Role,
  settings: Roles[Role]["settings"],
  run: (ask: Ask<Roles[Role]["methods"]>) => Promise<A>
): Promise<A> => {
  const other = await startBeside(role, settings)
  if (other !== undefined)
    try {
      return await run(other.ask)
    } finally {
      await other.close()
    }
  const methods = openRole(role, settings)
  try {
    return await run(async (name, ...input) => Reflect.apply(methods[name] as never, undefined, input))
  } finally {
    methods.close()
  }
}
