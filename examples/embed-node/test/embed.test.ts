import { mkdtempSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { Credential, type PromiseDesk } from "@switchboard/desk"
import { afterEach, beforeEach, expect, test } from "vitest"
import { makeDesk } from "../src/desk.ts"
import { type RunningServer, startServer } from "../src/server.ts"

const secrets = {
  credential: "the credential secret of a test, long",
  apiKey: "api-key-of-a-test-0123456789abcdef",
  telegramToken: "123456789:AAF-this-is-no-real-token",
  telegramWebhook: "0123456789abcdef"
}
const authorization = `Bearer ${secrets.apiKey}`

let folder: string
let desk: PromiseDesk
let server: RunningServer
/** Settles when the desk's newest live answer has ended inside the desk. */
let liveEnded: Promise<void>

beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), "embed-node-"))
  desk = await makeDesk(join(folder, "desk.db"), secrets)
  const fetch = async (request: Request): Promise<Response> => {
    const response = await desk.fetch(request)
    if (response.headers.get("content-type") !== "text/event-stream") return response
    const reader = response.body!.getReader()
    liveEnded = reader.closed.then(() => {})
    return new Response(
      new ReadableStream({
        pull: async (controller) => {
          const { done, value } = await reader.read()
          if (done) controller.close()
          else controller.enqueue(value)
        },
        cancel: (reason) => reader.cancel(reason)
      }),
      response
    )
  }
  server = await startServer({ ...desk, fetch }, { port: 0 })
})

afterEach(async () => {
  await server.stop()
  rmSync(folder, { recursive: true })
})

const update = (id: number, text: string) => ({
  update_id: id,
  message: {
    message_id: id,
    date: 1_750_000_000,
    from: { id: 42, first_name: "Ana" },
    chat: { id: 42, type: "private" },
    text
  }
})

const post = (body: unknown, secret = secrets.telegramWebhook): Promise<Response> =>
  fetch(`${server.url}/channels/telegram/shop`, {
    method: "POST",
    headers: { "x-telegram-bot-api-secret-token": secret, "content-type": "application/json" },
    body: JSON.stringify(body)
  })

interface Inbox {
  readonly rows: ReadonlyArray<{ readonly conversationId: string; readonly preview: string }>
}

/** Reads live answers until a condition on everything read so far holds. */
const readUntil = async (answer: Response, holds: (text: string) => boolean): Promise<string> => {
  let read = ""
  const reader = answer.body!.pipeThrough(new TextDecoderStream()).getReader()
  while (!holds(read)) {
    const { done, value } = await reader.read()
    if (done) break
    read += value
  }
  return read
}

test("the application answers as before", async () => {
  expect(await (await fetch(server.url)).text()).toBe("The shop\n")
})

test("a webhook comes in and is seen through the API, live", async () => {
  const client = new AbortController()
  const live = await fetch(`${server.url}/api/events`, { headers: { authorization }, signal: client.signal })
  expect(live.status).toBe(200)

  expect((await post(update(1, "Where is my order?"), "a wrong secret")).status).toBe(401)
  expect((await post(update(1, "Where is my order?"))).status).toBe(200)
  const seen = await readUntil(live, (text) => text.includes("MessageReceived"))
  expect(seen).toMatch(/id: \d+\ndata: \{"position":\d+,"type":"MessageReceived"/)

  // The list follows the journal.
  await desk.drain()
  const inbox = (await (await fetch(`${server.url}/api/inbox`, { headers: { authorization } })).json()) as Inbox
  expect(inbox.rows).toMatchObject([{ preview: "Where is my order?" }])
  client.abort()
  await liveEnded
})

test("the API refuses who shows no credential, and an agent's is one", async () => {
  const ask = (headers: Record<string, string>) => fetch(`${server.url}/api/me`, { headers })
  expect((await ask({})).status).toBe(401)
  const token = await Credential.issue(secrets.credential, "ada", { nowMs: Date.now(), lifetimeMs: 60_000 })
  const me = await ask({ authorization: `Bearer ${token}` })
  expect(await me.json()).toMatchObject({ actor: { kind: "agent", id: "ada" } })
})

test("stopping ends live answers", async () => {
  const live = await fetch(`${server.url}/api/events`, { headers: { authorization } })
  // It ends while the desk is still stopping.
  const ended = expect(readUntil(live, () => false)).rejects.toThrow()
  await server.stop()
  await ended
  await liveEnded
  server = { url: "", stop: async () => {} }
})
