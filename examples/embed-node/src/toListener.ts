/** A standard `Request → Response` handler as a listener for `http.createServer`. Copy it into your application. */
import type { IncomingMessage, RequestListener, ServerResponse } from "node:http"
import { Readable } from "node:stream"
import { pipeline } from "node:stream/promises"

export interface ListenerOptions {
  /** What clients see in front of the path, such as `https://desk.example`, where a proxy stands before this process. */
  readonly origin?: string
}

/** The body as it comes, read only as fast as it is asked for. */
const toBody = (incoming: IncomingMessage): ReadableStream<Uint8Array> => {
  // Left alone at the end: destroying the request would also destroy the socket that the answer needs.
  const chunks = incoming.iterator({ destroyOnReturn: false })
  return new ReadableStream<Uint8Array>(
    {
      pull: async (controller) => {
        const { done, value } = await chunks.next()
        if (done) controller.close()
        else controller.enqueue(value as Uint8Array)
      },
      cancel: async () => {
        await chunks.return?.()
      }
    },
    { highWaterMark: 0 }
  )
}

const toRequest = (incoming: IncomingMessage, origin: string, signal: AbortSignal): Request => {
  const { method = "GET", url = "/", rawHeaders } = incoming
  const headers = new Headers()
  for (let index = 0; index < rawHeaders.length; index += 2) headers.append(rawHeaders[index]!, rawHeaders[index + 1]!)
  // Put together as text: `new URL("//other.example/", origin)` would be somewhere else.
  const address = new URL(`${origin}${url.startsWith("/") ? url : "/"}`)
  return method === "GET" || method === "HEAD"
    ? new Request(address, { method, headers, signal })
    : new Request(address, { method, headers, signal, body: toBody(incoming), duplex: "half" })
}

const write = async (response: Response, incoming: IncomingMessage, outgoing: ServerResponse): Promise<void> => {
  outgoing.statusCode = response.status
  outgoing.setHeaders(response.headers)
  // Nobody will read the rest of a body that was refused, so the connection can't be used again.
  if (!incoming.complete) outgoing.setHeader("connection", "close")
  if (response.body === null) {
    outgoing.end()
    return
  }
  // A live answer may have nothing to say for a while: its client must know now that it is open.
  outgoing.flushHeaders()
  await pipeline(Readable.fromWeb(response.body), outgoing)
}

/**
 * The listener.
 *
 * The handler gets the raw bytes, so signatures can be verified; answers stream as they come, no faster than the client
 * reads; when the client goes away, `request.signal` is aborted and the answer's body is cancelled.
 */
export const toListener =
  (handler: (request: Request) => Promise<Response>, { origin }: ListenerOptions = {}): RequestListener =>
  async (incoming, outgoing) => {
    const gone = new AbortController()
    outgoing.on("close", () => {
      if (!outgoing.writableFinished) gone.abort()
    })
    let request: Request
    try {
      request = toRequest(incoming, origin ?? `http://${incoming.headers.host ?? "localhost"}`, gone.signal)
    } catch {
      outgoing.writeHead(400, { connection: "close" }).end()
      return
    }
    try {
      await write(await handler(request), incoming, outgoing)
    } catch (cause) {
      if (gone.signal.aborted) return
      console.error(`${request.method} ${request.url}`, cause)
      if (outgoing.headersSent) outgoing.destroy()
      else outgoing.writeHead(500, { connection: "close" }).end()
    }
  }
