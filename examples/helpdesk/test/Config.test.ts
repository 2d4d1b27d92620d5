import { mkdir, writeFile } from "node:fs/promises"
import { createServer, type Server } from "node:net"
import { join } from "node:path"
import { afterAll, beforeAll, describe, expect, it } from "vitest"
import { type ServerOptions, startServer } from "../src/server.ts"
import { spawnDesk } from "./DeskProcess.ts"
import { temporary } from "./TestDesk.ts"

let directory: Awaited<ReturnType<typeof temporary>>
let taken: Server
let takenPort: number

beforeAll(async () => {
  directory = await temporary()
  taken = createServer()
  await new Promise<void>((resolve) => taken.listen(0, "127.0.0.1", resolve))
  takenPort = (taken.address() as { readonly port: number }).port
})
afterAll(async () => {
  taken.close()
  await directory.remove()
})

/** Runs the desk as `npm start` does, until it ends, or has started and is asked to end. */
const run = async (environment: Readonly<Record<string, string>> = {}) => {
  const desk = spawnDesk({ database: join(directory.path, "desk.db"), environment })
  await desk.started.then(
    () => desk.kill("SIGTERM"),
    () => {}
  )
  return { code: await desk.exited, output: desk.output() }
}

/** In this process, which is faster: what can be set without the environment. */
const startHere = async (options: Partial<ServerOptions>): Promise<string> => {
  const database = join(directory.path, "here.db")
  const refused = await startServer({ port: 0, smtpPort: 0, database, pages: false, ...options }).then(
    (server) => server.stop().then(() => undefined),
    (error: unknown) => error
  )
  expect(refused).toBeInstanceOf(Error)
  return (refused as Error).message
}

describe.concurrent("a desk that is set up wrongly does not start, and says why", () => {
  it.each([
    {
      what: "a short secret",
      environment: { DESK_SECRET: "short" },
      says: /^credentialSecret: found 5 characters; use at least 32 random characters/
    },
    {
      what: "a mail address that is none",
      environment: { EMAIL_ADDRESS: "support at shop.test" },
      says: /accounts\.0\.address: expected an address such as support@example\.com, found "support at shop\.test"/
    }
  ])("$what", async ({ environment, says }) => {
    const { code, output } = await run(environment)
    expect({ code, output }).toMatchObject({ code: 1 })
    expect(output.trim()).toMatch(says)
    expect(output).not.toMatch(/\n\s+at /)
  })

  it("a port that another program holds", async () => {
    expect(await startHere({ port: takenPort })).toMatch(
      new RegExp(`^port: found ${takenPort}, which another program holds; stop that program, or choose another`)
    )
  })

  it("a mail port that another program holds", async () => {
    const said = await startHere({ smtpPort: takenPort, database: join(directory.path, "mail.db") })
    expect(said).toMatch(new RegExp(`^channels\\.email\\.listen: found .*EADDRINUSE.*${takenPort}; name an address`))
  })

  it("a port that is none", async () => {
    expect(await startHere({ port: Number("many") })).toMatch(/^port: found .*; choose another with --port or PORT$/)
  })

  it("a database file that is none", async () => {
    const database = join(directory.path, "letter.txt")
    await writeFile(database, "Dear customer, this is a letter and no database at all. ".repeat(200))
    expect(await startHere({ database })).toMatch(
      /^storage: found .*letter\.txt: .*Restore a backup, or name another file/
    )
  })

  it("a database in a directory that is not there", async () => {
    const database = join(directory.path, "nowhere", "desk.db")
    expect(await startHere({ database })).toMatch(/^storage: found .*nowhere.*Create its directory/)
  })

  it("a database that is a directory", async () => {
    const database = join(directory.path, "folder.db")
    await mkdir(database)
    expect(await startHere({ database })).toMatch(/^storage: found .*folder\.db/)
  })
})

describe("a desk that is set up rightly", () => {
  it("starts although somebody asks before it has, and answers them then", async () => {
    const database = join(directory.path, "asked.db")
    // A port that was free a moment ago.
    const before = createServer()
    await new Promise<void>((resolve) => before.listen(0, "127.0.0.1", resolve))
    const { port } = before.address() as { readonly port: number }
    await new Promise((resolve) => before.close(resolve))
    const starting = startServer({ port, smtpPort: 0, database, pages: false })
    const ask = (): Promise<Response> => fetch(`http://127.0.0.1:${port}/auth/agents`).catch(ask)
    const [server, answer] = await Promise.all([starting, ask()])
    expect(answer.status).toBe(200)
    await server.stop()
  })

  it("starts, prints what to open, and ends when asked", async () => {
    const { code, output } = await run()
    expect(output).toMatch(/Inbox {6}http:\/\/127\.0\.0\.1:\d+\/ /)
    expect(output).toMatch(/Mail {7}smtp:\/\/127\.0\.0\.1:\d+ /)
    expect(code).toBe(0)
  })
})
