import { createHmac } from "node:crypto"
import { readFileSync } from "node:fs"
import { createServer, type IncomingMessage } from "node:http"
import type { AddressInfo } from "node:net"
import type { Channel } from "@switchboard/channel"
import type { WhatsAppConfigInput } from "../src/WhatsAppConfig.ts"

export const appSecret = "0123456789abcdef0123456789abcdef"
export const verifyToken = "a-word-of-ours"
export const accessToken = "EAAG-no-real-token-0123456789"
export const receivedAtMs = 1_749_416_400_000

export const config = {
  accounts: [
    { id: "shop", phoneNumberId: "106540352242922", name: "+1 555 078 3881" },
    { id: "hotel", phoneNumberId: "109876543210987", name: "+1 555 078 3882", workspace: "hotels" }
  ],
  accessToken,
  appSecret,
  verifyToken
} as const satisfies WhatsAppConfigInput

export const payload = (name: string): unknown =>
  JSON.parse(readFileSync(new URL(`./payloads/${name}.json`, import.meta.url), "utf8"))

export const sign = (body: Uint8Array, secret = appSecret): string =>
  `sha256=${createHmac("sha256", secret).update(body).digest("hex")}`

export const signed = (content: unknown): Channel.ChannelRequest => {
  const body = new TextEncoder().encode(JSON.stringify(content))
  return {
    method: "POST",
    url: new URL("https://desk.example.com/channels/whatsapp/"),
    headers: { "content-type": "application/json", "x-hub-signature-256": sign(body) },
    body,
    receivedAtMs
  }
}

/** What the platform was asked. */
export interface Asked {
  readonly method: string
  readonly path: string
  readonly authorization: string | undefined
  readonly body: string
}

/** What it answers instead: the first one that is there is used up. */
export type Answer =
  | { readonly status: number; readonly headers?: Record<string, string>; readonly body?: unknown }
  | "hangUp"

const read = async (request: IncomingMessage): Promise<string> => {
  const chunks: Array<Buffer> = []
  for await (const chunk of request) chunks.push(chunk as Buffer)
  return Buffer.concat(chunks).toString()
}

/** A server that behaves like the Cloud API and accepts everything that is not told otherwise. */
export const startPlatform = async () => {
  const asked: Array<Asked> = []
  const answers: Array<Answer> = []
  const file = new Uint8Array([0xff, 0xd8, 0xff, 0xe0])
  let count = 0
  const server = createServer(async (request, response) => {
    const body = await read(request)
    const url = new URL(request.url ?? "/", "http://platform")
    const path = url.pathname
    asked.push({
      method: request.method ?? "",
      path: `${path}${url.search}`,
      authorization: request.headers.authorization,
      body
    })
    const reply = (status: number, content: unknown, headers: Record<string, string> = {}) => {
      response.writeHead(status, { "content-type": "application/json", ...headers })
      response.end(content instanceof Uint8Array ? content : JSON.stringify(content))
    }
    const answer = answers.shift()
    if (answer === "hangUp") return request.socket.destroy()
    if (answer !== undefined) return reply(answer.status, answer.body ?? {}, answer.headers)
    if (request.headers.authorization !== `Bearer ${accessToken}`)
      return reply(401, { error: { code: 190, type: "OAuthException", message: "Invalid OAuth access token." } })
    if (path === "/files/one") return reply(200, file, { "content-type": "image/jpeg" })
    if (path.endsWith("/media")) return reply(200, { id: `media-${++count}` })
    if (path.endsWith("/messages")) {
      const message = JSON.parse(body) as Record<string, unknown>
      return message.status === "read"
        ? reply(200, { success: true })
        : reply(200, { messaging_product: "whatsapp", contacts: [], messages: [{ id: `wamid.sent-${++count}` }] })
    }
    if (path === "/v26.0/1003383421387256")
      return reply(200, {
        url: `${origin}/files/one`,
        mime_type: "image/jpeg; q=1",
        file_size: file.length,
        id: "1003383421387256"
      })
    return reply(404, { error: { code: 100, message: "Unsupported get request.", type: "GraphMethodException" } })
  })
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve))
  const origin = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
  return {
    origin,
    apiUrl: `${origin}/v26.0`,
    asked,
    answers,
    file,
    lastBody: () => JSON.parse(asked.at(-1)?.body ?? "{}") as Record<string, unknown>,
    stop: () =>
      new Promise<void>((resolve) => {
        server.closeAllConnections()
        server.close(() => resolve())
      })
  }
}
