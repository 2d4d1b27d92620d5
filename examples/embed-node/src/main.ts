/** The application: what it did before, and the desk beside it. */
import { makeDesk } from "./desk.ts"
import { startServer } from "./server.ts"

const secret = (name: string): string => {
  const value = process.env[name]
  if (value === undefined) {
    console.error(`Set ${name}, such as to the output of: openssl rand -hex 32`)
    process.exit(1)
  }
  return value
}

const desk = await makeDesk(process.env["DATABASE"] ?? "desk.db", {
  credential: secret("DESK_SECRET"),
  apiKey: secret("DESK_API_KEY"),
  telegramToken: secret("TELEGRAM_TOKEN"),
  telegramWebhook: secret("TELEGRAM_WEBHOOK_SECRET")
})
const origin = process.env["ORIGIN"]
const server = await startServer(desk, { port: Number(process.env["PORT"] ?? 3000), ...(origin && { origin }) })
console.log(`Listens at ${server.url}`)

for (const signal of ["SIGINT", "SIGTERM"] as const) {
  process.once(signal, async () => {
    await server.stop()
    process.exit(0)
  })
}
