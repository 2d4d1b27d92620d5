/** The desk as a process of its own, which can be killed. */
import { spawn } from "node:child_process"
import { fileURLToPath } from "node:url"

export interface DeskProcess {
  /** Its addresses once it has started; rejects with its output when it ends before. */
  readonly started: Promise<{ readonly url: string; readonly smtpUrl: string }>
  /** Its exit code, `null` when a signal ended it. */
  readonly exited: Promise<number | null>
  readonly output: () => string
  readonly kill: (signal: NodeJS.Signals) => Promise<number | null>
}

const root = fileURLToPath(new URL("..", import.meta.url))

/**
 * Runs `src/main.ts` on free ports, without pages. With `laterMs` its clock is ahead by that much, as if it were started
 * later.
 */
export const spawnDesk = ({
  database,
  environment = {},
  laterMs = 0
}: {
  readonly database: string
  readonly environment?: Readonly<Record<string, string>>
  readonly laterMs?: number
}): DeskProcess => {
  const later = `const now = Date.now; Date.now = () => now() + ${laterMs}`
  const child = spawn(
    process.execPath,
    [
      "--conditions=@switchboard/source",
      "--disable-warning=ExperimentalWarning",
      ...(laterMs === 0 ? [] : ["--import", `data:text/javascript,${encodeURIComponent(later)}`]),
      ...["src/main.ts", "--no-pages", "--db", database, "--port", "0", "--smtp-port", "0"]
    ],
    {
      cwd: root,
      env: { ...process.env, ...environment },
      stdio: ["ignore", "pipe", "pipe"]
    }
  )
  let output = ""
  const { promise: started, resolve, reject } = Promise.withResolvers<{ url: string; smtpUrl: string }>()
  started.catch(() => {})
  const read = (chunk: Buffer) => {
    output += chunk.toString("utf8")
    const [, url] = /Inbox +(http:\/\/[\d.:]+)\//.exec(output) ?? []
    const [, smtpUrl] = /Mail +(smtp:\/\/[\d.:]+) /.exec(output) ?? []
    if (url !== undefined && smtpUrl !== undefined) resolve({ url, smtpUrl })
  }
  child.stdout.on("data", read)
  child.stderr.on("data", read)
  const exited = new Promise<number | null>((done) => {
    child.once("close", (code) => {
      reject(new Error(`the desk ended before it had started: ${output}`))
      done(code)
    })
  })
  return {
    started,
    exited,
    output: () => output,
    kill: (signal) => {
      child.kill(signal)
      return exited
    }
  }
}
