import { agents, makeDesk } from "./desk.ts"
import { startServer } from "./server.ts"
import { widgetSource } from "./widget.ts"

const secret = (name: string): string => {
  const value = process.env[name]
  if (value === undefined) {
    console.error(`Set ${name}, such as to the output of: openssl rand -hex 32`)
    process.exit(1)
  }
  return value
}

const credentialSecret = secret("DESK_SECRET")
const password = secret("AGENT_PASSWORD")
const desk = await makeDesk(process.env["DATABASE"] ?? "desk.db", {
  credential: credentialSecret,
  session: secret("WEBCHAT_SESSION_SECRET")
})
const server = await startServer(Number(process.env["PORT"] ?? 3000), {
  desk,
  credentialSecret,
  // Yours asks your users' table or your identity provider.
  isAgent: async (agentId, given) => agents.some(({ id }) => id === agentId) && given === password,
  widget: await widgetSource(),
  secure: process.env["NODE_ENV"] === "production"
})
console.log(`Open ${server.url}`)

for (const signal of ["SIGINT", "SIGTERM"] as const) {
  process.once(signal, async () => {
    await server.stop()
    process.exit(0)
  })
}
