import { createServer } from "node:http"
import type { AddressInfo } from "node:net"

/** A call as the server saw it; files are shown by their size. */
export interface Call {
  readonly token: string
  readonly method: string
  readonly parameters: Readonly<Record<string, unknown>>
}

type Answer = { readonly status?: number; readonly body: unknown; readonly headers?: Record<string, string> } | "break"

/** A local server that behaves like the Bot API: takes everything, gives files, and fails when told to. */
export const serve = async () => {
  const calls: Array<Call> = []
  const next: Array<Answer> = []
  const files = new Map<string, { path: string; size?: number; bytes: Uint8Array }>()
  let count = 100

  const parametersOf = async (request: Request): Promise<Record<string, unknown>> => {
    if (request.headers.get("content-type")?.includes("json")) return (await request.json()) as Record<string, unknown>
    const entries: Array<[string, unknown]> = []
    for (const [name, value] of (await request.formData()).entries())
      entries.push([name, typeof value === "string" ? value : `${value.name} ${value.type} ${value.size}`])
    return Object.fromEntries(entries)
  }

  const answer = (method: string, parameters: Record<string, unknown>): Exclude<Answer, "break"> => {
    if (method !== "getFile")
      return {
        body: {
          ok: true,
          result:
            method.startsWith("send") && method !== "sendChatAction"
              ? { message_id: ++count, date: 1_750_000_000, chat: { id: Number(parameters.chat_id), type: "private" } }
              : true
        }
      }
    const file = files.get(String(parameters.file_id))
    return file === undefined
      ? { status: 400, body: { ok: false, error_code: 400, description: "Bad Request: invalid file_id" } }
      : { body: { ok: true, result: { file_id: parameters.file_id, file_path: file.path, file_size: file.size } } }
  }

  const server = createServer(async (incoming, response) => {
    const chunks: Array<Uint8Array> = []
    for await (const chunk of incoming) chunks.push(chunk as Uint8Array)
    const url = new URL(incoming.url ?? "/", "http://127.0.0.1")
    const [, token = "", path = ""] = /^\/(?:file\/)?bot([^/]+)\/(.*)$/.exec(url.pathname) ?? []
    if (url.pathname.startsWith("/file/")) {
      const file = [...files.values()].find((one) => one.path === decodeURIComponent(path))
      response.writeHead(file === undefined ? 404 : 200, { "content-type": "application/octet-stream" })
      response.end(file?.bytes)
      return
    }
    const request = new Request(url, {
      method: "POST",
      headers: { "content-type": incoming.headers["content-type"] ?? "" },
      body: Buffer.concat(chunks)
    })
    const parameters = await parametersOf(request)
    calls.push({ token, method: path, parameters })
    const told = next.shift() ?? answer(path, parameters)
    if (told === "break") {
      incoming.socket.destroy()
      return
    }
    response.writeHead(told.status ?? 200, { "content-type": "application/json", ...told.headers })
    response.end(typeof told.body === "string" ? told.body : JSON.stringify(told.body))
  })
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve))
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    calls,
    files,
    /** The next call is answered like this. */
    tell: (...answers: ReadonlyArray<Answer>) => next.push(...answers),
    stop: () => {
      server.closeAllConnections()
      server.close()
    }
  }
}
