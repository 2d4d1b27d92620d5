import { spawn } from "node:child_process"
import { delimiter, join } from "node:path"
import { root } from "./Workspace.ts"

export interface Finished {
  readonly ok: boolean
  /** Standard output and standard error in the order they came. */
  readonly output: string
}

/** The repository's Node and tools first, and nothing of the npm run that may have started us. */
const environment = (): NodeJS.ProcessEnv => ({
  ...Object.fromEntries(
    Object.entries(process.env).filter(
      ([name]) =>
        !/^npm_(package|lifecycle|config_(local_prefix|workspace|include_workspace|dry_run))|^(INIT_CWD|NODE_OPTIONS|NODE_ENV|VITEST)/i.test(
          name
        )
    )
  ),
  PATH: [join(root, "node_modules/.bin"), process.env.PATH ?? ""].join(delimiter),
  NO_COLOR: "1",
  FORCE_COLOR: "0"
})

/** Runs a program to its end, or kills it when the time is over. */
export const run = (
  command: string,
  options: ReadonlyArray<string>,
  { cwd, timeoutMs }: { readonly cwd: string; readonly timeoutMs: number }
): Promise<Finished> =>
  new Promise((resolve) => {
    // npm and the tools are .cmd files on Windows, which only a shell starts.
    const child = spawn(command, options, { cwd, env: environment(), shell: process.platform === "win32" })
    let output = ""
    const timer = setTimeout(() => {
      output += `\n${command} ${options.join(" ")}: stopped after ${timeoutMs} ms`
      child.kill("SIGKILL")
    }, timeoutMs)
    const finish = (ok: boolean, more: string): void => {
      clearTimeout(timer)
      resolve({ ok, output: output + more })
    }
    for (const stream of [child.stdout, child.stderr]) stream.on("data", (chunk) => (output += String(chunk)))
    child.on("error", (error) => finish(false, `\n${command}: ${error.message}`))
    child.on("close", (code) => finish(code === 0, ""))
  })

/** Does the work for all items, `limit` at a time, and gives the results in the items' order. */
export const inParallel = async <Item, Result>(
  items: ReadonlyArray<Item>,
  limit: number,
  work: (item: Item) => Promise<Result>
): Promise<ReadonlyArray<Result>> => {
  const results = new Array<Result>(items.length)
  const rest = items.entries()
  const worker = async (): Promise<void> => {
    for (const [index, item] of rest) results[index] = await work(item)
  }
  await Promise.all(Array.from({ length: limit }, worker))
  return results
}
