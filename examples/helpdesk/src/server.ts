/** The example desk as one HTTP server: the desk's own routes, the pages, signing in, and the sandbox. */
import { createServer } from "node:net"
import { serve } from "@hono/node-server"
import { WebchatIdentity } from "@switchboard/channel-webchat"
import { Credential, createDesk, DeskError, type PromiseDesk } from "@switchboard/desk"
import { Hono } from "hono"
import { configure, secrets, supportAddress } from "../desk.config.ts"
import { bundle } from "./bundle.ts"
import * as pages from "./pages.ts"
import { agents, password } from "./people.ts"
import { startMailSink } from "./sandbox/mail.ts"
import { makeSandbox } from "./sandbox/platforms.ts"
import { makeSentLog, type SentLog } from "./sandbox/sent.ts"

/** `port` and `smtpPort` 0 take a free one. */
export interface ServerOptions {
  readonly port: number
  readonly smtpPort: number
  readonly database: string
  /** Without pages nothing is bundled: for tests of the API alone. */
  readonly pages?: boolean
}

export interface RunningServer {
  readonly url: string
  /** Where mail comes in. */
  readonly smtpUrl: string
  readonly desk: PromiseDesk
  /** What the desk has sent to the sandbox. */
  readonly sent: SentLog
  readonly stop: () => Promise<void>
}

const shiftMs = 12 * 3_600_000

const freePort = (): Promise<number> =>
  new Promise((resolve, reject) => {
    const server = createServer()
    server.once("error", reject)
    server.listen(0, "127.0.0.1", () => {
      const address = server.address()
      server.close(() => resolve(typeof address === "object" && address ? address.port : 0))
    })
  })

const listen = (fetch: (request: Request) => Response | Promise<Response>, port: number) =>
  new Promise<{ readonly url: string; readonly close: () => Promise<void> }>((resolve, reject) => {
    const explain = (error: Error) => {
      const isTaken = "code" in error && error.code === "EADDRINUSE"
      reject(
        new DeskError.ConfigError({
          field: "port",
          found: isTaken ? `${port}, which another program holds` : error.message,
          fix: isTaken
            ? "stop that program, or choose another with --port or PORT"
            : "choose another with --port or PORT"
        })
      )
    }
    try {
      const listening = serve({ fetch, port, hostname: "127.0.0.1" }, (info) =>
        resolve({
          url: `http://127.0.0.1:${info.port}`,
          close: () =>
            new Promise((done) => {
              listening.close(() => done())
              if ("closeAllConnections" in listening) listening.closeAllConnections()
            })
        })
      )
      listening.on("error", explain)
    } catch (error) {
      explain(error instanceof Error ? error : new Error(String(error)))
    }
  })

/** Starts everything. **Fails with** an error that names the setting, what was found and the fix; nothing runs then. */
export const startServer = async (options: ServerOptions): Promise<RunningServer> => {
  const stops: Array<() => unknown> = []
  const stop = async () => {
    for (const one of stops.splice(0)) await one()
  }
  try {
    return await start(options, stops, stop)
  } catch (error) {
    await stop()
    throw error
  }
}

const start = async (
  { port, smtpPort, database, pages: withPages = true }: ServerOptions,
  stops: Array<() => unknown>,
  stop: () => Promise<void>
): Promise<RunningServer> => {
  const app = new Hono()
  // The sandbox must know the address before the desk is configured: listen first, answer once the desk is there.
  const { promise: opened, resolve: open } = Promise.withResolvers<void>()
  const server = await listen(async (request) => {
    await opened
    return app.fetch(request)
  }, port)
  stops.push(server.close)
  const sent = makeSentLog()
  const mail = await startMailSink(sent)
  const sandbox = makeSandbox({
    appSecret: secrets.whatsappApp,
    phoneNumberId: "106540352242922",
    deskUrl: server.url,
    log: sent
  })
  stops.unshift(sandbox.stop)
  stops.push(mail.stop)
  const mailPort = smtpPort === 0 ? await freePort() : smtpPort
  const desk = await createDesk(
    configure({
      database,
      url: server.url,
      smtpUrl: process.env["EMAIL_SMTP_URL"] ?? mail.url,
      smtpPort: mailPort
    })
  )
  // Before the mail server, which its last calls may need.
  stops.splice(stops.indexOf(mail.stop), 0, desk.stop)
  const files = withPages ? await bundle() : new Map()

  app.get("/auth/agents", (context) =>
    context.json(agents.map(({ id, name, role, teams }) => ({ id, name, role, teams })))
  )
  app.post("/auth/sign-in", async (context) => {
    const { agentId, password: given } = (await context.req.json()) as { agentId?: string; password?: string }
    const agent = agents.find((one) => one.id === agentId)
    if (!agent || given !== password)
      return context.json({ title: "Wrong agent or password", status: 401, code: "wrongPassword" }, 401)
    const token = await Credential.issue(secrets.credential, agent.id, { nowMs: Date.now(), lifetimeMs: shiftMs })
    context.header("set-cookie", Credential.toCookie(token, { lifetimeMs: shiftMs, secure: false }))
    return context.json({ id: agent.id, name: agent.name, role: agent.role, teams: agent.teams })
  })
  app.post("/auth/sign-out", (context) => {
    context.header("set-cookie", Credential.toExpiredCookie({ secure: false }))
    return context.body(null, 204)
  })
  app.get("/demo/identity", (context) => {
    const address = context.req.query("email") ?? ""
    return context.json(
      WebchatIdentity.sign({ secret: secrets.identity, account: "web", email: address, issuedAtMs: Date.now() })
    )
  })
  app.route("/sandbox", sandbox.app)
  const desked = (context: { readonly req: { readonly raw: Request } }) => desk.fetch(context.req.raw)
  app.all("/api/*", desked)
  app.all("/channels/*", desked)
  app.get("/openapi.json", desked)
  if (withPages) pages.mount(app, files, { mail: supportAddress })

  await desk.start()
  open()
  return { url: server.url, smtpUrl: `smtp://127.0.0.1:${mailPort}`, desk, sent, stop }
}
