import { serve } from "@hono/node-server"
import { type AppOptions, makeApp } from "./app.ts"

export interface RunningServer {
  readonly url: string
  readonly stop: () => Promise<void>
}

/** Serves the application and sets the desk to work. `port` 0 takes a free one. */
export const startServer = async (port: number, options: AppOptions): Promise<RunningServer> => {
  const app = makeApp(options)
  const { server, url } = await new Promise<{ server: ReturnType<typeof serve>; url: string }>((resolve, reject) => {
    const server = serve({ fetch: app.fetch, port, hostname: "127.0.0.1" }, (info) =>
      resolve({ server, url: `http://127.0.0.1:${info.port}` })
    )
    server.once("error", reject)
  })
  await options.desk.start()
  return {
    url,
    stop: async () => {
      const closed = new Promise((resolve) => server.close(resolve))
      // Live answers never end by themselves.
      if ("closeAllConnections" in server) server.closeAllConnections()
      await closed
      await options.desk.stop()
    }
  }
}
