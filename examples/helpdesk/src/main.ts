/** `npm start`: the example desk on this machine. */
import { mkdirSync } from "node:fs"
import { dirname, resolve } from "node:path"
import { parseArgs } from "node:util"
import { supportAddress } from "../desk.config.ts"
import { startServer } from "./server.ts"

const { values } = parseArgs({
  options: {
    db: { type: "string", default: "helpdesk.db" },
    port: { type: "string", default: process.env["PORT"] ?? "4000" },
    "smtp-port": { type: "string", default: process.env["SMTP_PORT"] ?? "2525" },
    "no-pages": { type: "boolean", default: false }
  }
})

// npm changes into this folder: a path is meant from where the command was given.
const database = resolve(process.env["INIT_CWD"] ?? process.cwd(), values.db)
mkdirSync(dirname(database), { recursive: true })

const server = await startServer({
  port: Number(values.port),
  smtpPort: Number(values["smtp-port"]),
  database,
  pages: !values["no-pages"]
}).catch((error: unknown) => {
  console.error(error instanceof Error ? error.message : error)
  process.exit(1)
})

let stopping = false
for (const signal of ["SIGINT", "SIGTERM"] as const) {
  process.on(signal, () => {
    if (stopping) process.exit(1)
    stopping = true
    server.stop().then(
      () => process.exit(0),
      () => process.exit(1)
    )
  })
}

console.log(`
  Switchboard help desk

  Inbox      ${server.url}/            sign in as any agent, password "switchboard"
  Customer   ${server.url}/customer    write on the web chat
  Dashboard  ${server.url}/dashboard   live queues, agents and measures
  Health     ${server.url}/health      what the desk is doing inside, for supervisors
  API        ${server.url}/openapi.json
  Mail       ${server.smtpUrl}    to ${supportAddress}
  Data       ${database}

  npm run simulate -- --rate 5/s --minutes 2    makes it busy
`)
