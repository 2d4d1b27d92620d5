import { randomUUID } from "node:crypto"
import { mkdtempSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import type { PromiseDesk } from "@switchboard/desk"
import { afterEach, beforeEach, expect, test } from "vitest"
import { makeDesk } from "../src/desk.ts"
import { type RunningServer, startServer } from "../src/server.ts"
import { widgetSource } from "../src/widget.ts"

const secrets = { credential: "the credential secret of a test, long", session: "the session secret of a test, long" }

let folder: string
let desk: PromiseDesk
let server: RunningServer
/** Settles when the desk's newest live answer has ended inside the desk. */
let liveEnded: Promise<void>

beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), "embed-hono-"))
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
  server = await startServer(0, {
    desk: { ...desk, fetch },
    credentialSecret: secrets.credential,
    isAgent: async (agentId, password) => agentId === "ada" && password === "right",
    widget: "export {}",
    secure: false
  })
})

afterEach(async () => {
  await server.stop()
  rmSync(folder, { recursive: true })
})

const post = (path: string, body: unknown, headers: Record<string, string> = {}): Promise<Response> =>
  fetch(server.url + path, {
    method: "POST",
    headers: { "content-type": "application/json", ...headers },
    body: JSON.stringify(body)
  })

/** A visitor's token, as the widget gets it. */
const visit = async (): Promise<Record<string, string>> => {
  const answer = await post("/channels/webchat/shop/session", {})
  const { visitorToken } = (await answer.json()) as { readonly visitorToken: string }
  return { authorization: `Bearer ${visitorToken}` }
}

/** The cookie of an agent who signed in. */
const signIn = async (): Promise<string> => {
  const answer = await post("/sign-in", { agentId: "ada", password: "right" })
  expect(answer.status).toBe(204)
  return answer.headers.getSetCookie()[0]!.split(";")[0]!
}

interface Inbox {
  readonly rows: ReadonlyArray<{ readonly conversationId: string; readonly preview: string }>
}

/** Reads a live answer until a condition on everything read so far holds. */
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

test("a visitor writes, an agent sees it live and answers, and the visitor reads the answer", async () => {
  const visitor = await visit()
  const cookie = await signIn()
  const client = new AbortController()
  const live = await fetch(`${server.url}/api/events`, { headers: { cookie }, signal: client.signal })

  const entries = [{ kind: "message", clientId: randomUUID(), text: "Is it in stock?" }]
  expect((await post("/channels/webchat/shop/messages", { entries })).status).toBe(401)
  expect((await post("/channels/webchat/shop/messages", { entries }, visitor)).status).toBe(200)
  await readUntil(live, (text) => text.includes("MessageReceived"))
  client.abort()
  await liveEnded

  await desk.drain()
  const inbox = (await (await fetch(`${server.url}/api/inbox`, { headers: { cookie } })).json()) as Inbox
  expect(inbox.rows).toMatchObject([{ preview: "Is it in stock?" }])

  const replies = `/api/conversations/${inbox.rows[0]!.conversationId}/replies`
  const reply = { parts: [{ kind: "text", text: "Yes, three of them.", format: "plain" }] }
  expect((await post(replies, reply, { cookie })).status).toBe(403)
  expect((await post(replies, reply, { cookie, "x-switchboard": "1" })).status).toBe(200)

  const thread = await fetch(`${server.url}/channels/webchat/shop/thread?after=0&live=1`, { headers: visitor })
  expect(await readUntil(thread, (text) => text.includes("Yes, three of them."))).toContain("event: message")
})

test("a visitor who leaves ends the stream of their thread", async () => {
  const client = new AbortController()
  const live = await fetch(`${server.url}/channels/webchat/shop/thread?after=0&live=1`, {
    headers: await visit(),
    signal: client.signal
  })
  expect(live.headers.get("content-type")).toBe("text/event-stream")
  client.abort()
  await liveEnded
})

test("nobody signs in without the right password", async () => {
  const answer = await post("/sign-in", { agentId: "ada", password: "wrong" })
  expect(answer.status).toBe(401)
  expect(answer.headers.getSetCookie()).toEqual([])
  expect((await fetch(`${server.url}/api/me`)).status).toBe(401)
})

test("the page has the widget", async () => {
  expect(await (await fetch(server.url)).text()).toContain('<switchboard-chat account="shop">')
  expect((await fetch(`${server.url}/widget.js`)).headers.get("content-type")).toBe("text/javascript")
  expect(await widgetSource()).toContain("switchboard-chat")
})
