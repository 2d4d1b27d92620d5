import { createServer } from "node:http"
import type { AddressInfo } from "node:net"
import type { PromiseDesk } from "@switchboard/desk"
import { type ListenerOptions, toListener } from "./toListener.ts"

export interface RunningServer {
  readonly url: string
  readonly stop: () => Promise<void>
}

/** What belongs to the desk. */
const isDesks = (path: string): boolean => /^\/(?:channels|api)\/|^\/openapi\.json(?:\?|$)/.test(path)

/** Serves the application and the desk, and sets the desk to work. `port` 0 takes a free one. */
export const startServer = async (
  desk: PromiseDesk,
  { port, ...options }: ListenerOptions & { readonly port: number }
): Promise<RunningServer> => {
  const forDesk = toListener(desk.fetch, options)
  const server = createServer((incoming, outgoing) => {
    if (isDesks(incoming.url ?? "/")) return forDesk(incoming, outgoing)
    // Here the application goes on as before.
    outgoing.writeHead(200, { "content-type": "text/plain" }).end("The shop\n")
  })
  await new Promise<void>((resolve, reject) => {
    server.once("error", reject)
    server.listen(port, "127.0.0.1", resolve)
  })
  await desk.start()
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    stop: async () => {
      const closed = new Promise((resolve) => server.close(resolve))
      // Live answers never end by themselves.
      server.closeAllConnections()
      await closed
      await desk.stop()
    }
  }
}
