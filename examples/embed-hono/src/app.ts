/** The application: what it did before, and the desk beside it. */
import { Credential, type PromiseDesk } from "@switchboard/desk"
import { type Context, Hono } from "hono"

export interface AppOptions {
  readonly desk: PromiseDesk
  readonly credentialSecret: string
  /** The application's own check of who signs in. */
  readonly isAgent: (agentId: string, password: string) => Promise<boolean>
  /** The chat widget as JavaScript. */
  readonly widget: string
  /** Whether browsers come by https. */
  readonly secure: boolean
}

const shiftMs = 10 * 3_600_000

const page = `<!doctype html>
<html lang="en">
  <meta charset="utf-8">
  <title>The shop</title>
  <h1>The shop</h1>
  <script type="module" src="/widget.js"></script>
  <switchboard-chat account="shop"></switchboard-chat>
</html>
`

export const makeApp = ({ desk, credentialSecret, isAgent, widget, secure }: AppOptions): Hono => {
  const app = new Hono()

  // The desk's routes. It reads the raw body itself: put no middleware that parses bodies in front of them.
  const toDesk = (context: Context) => desk.fetch(context.req.raw)
  app.all("/channels/*", toDesk)
  app.all("/api/*", toDesk)
  app.get("/openapi.json", toDesk)

  // Who may sign in is the application's business; the desk only wants to know which agent it is.
  app.post("/sign-in", async (context) => {
    const { agentId, password } = await context.req.json<{ agentId: string; password: string }>()
    if (!(await isAgent(agentId, password))) return context.text("Wrong agent or password", 401)
    const token = await Credential.issue(credentialSecret, agentId, { nowMs: Date.now(), lifetimeMs: shiftMs })
    context.header("set-cookie", Credential.toCookie(token, { lifetimeMs: shiftMs, secure }))
    return context.body(null, 204)
  })

  app.get("/widget.js", (context) => context.body(widget, 200, { "content-type": "text/javascript" }))
  app.get("/", (context) => context.html(page))
  return app
}
