import { createServer, type RequestListener, type Server } from "node:http"
import type { AddressInfo } from "node:net"
import { afterEach, describe, expect, test } from "vitest"
import { PlatformCall, RetryAfter } from "../src/index.ts"

let server: Server | undefined
afterEach(() => {
  server?.closeAllConnections()
  server?.close()
  server = undefined
})

const serve = async (listener: RequestListener): Promise<string> => {
  const started = createServer(listener)
  server = started
  await new Promise<void>((resolve) => started.listen(0, "127.0.0.1", resolve))
  return `http://127.0.0.1:${(started.address() as AddressInfo).port}`
}

const answering =
  (status: number, body: unknown, headers: Record<string, string> = {}): RequestListener =>
  (_, response) =>
    response.writeHead(status, headers).end(typeof body === "string" ? body : JSON.stringify(body))

const context = { nowMs: 1_000, signal: new AbortController().signal }
const reading: PlatformCall.CallReading<string> = {
  read: (body) => (body as { id?: string }).id,
  explain: (body) => {
    const { error } = body as { error?: { code: number; message: string } }
    return error === undefined ? undefined : { code: String(error.code), message: error.message }
  }
}
const call = (url: string, more: Partial<PlatformCall.PlatformRequest> = {}, idempotent = false) =>
  PlatformCall.call({ url, body: { text: "Hello" }, ...more }, { ...reading, idempotent }, context)

describe("answers", () => {
  test("[CHANNEL-11] 2xx with its value is accepted, without it unknown", async () => {
    expect(await call(await serve(answering(200, { id: "m1" })))).toEqual({ outcome: "accepted", value: "m1" })
    server?.close()
    expect(await call(await serve(answering(201, "<html>")))).toMatchObject({
      outcome: "unknown",
      code: "unreadableAnswer"
    })
  })

  test("a body is sent as JSON, with its headers", async () => {
    const seen: Array<unknown> = []
    const url = await serve((request, response) => {
      let text = ""
      request.on("data", (chunk) => {
        text += chunk
      })
      request.on("end", () => {
        seen.push([request.method, request.headers["content-type"], request.headers.authorization, text])
        response.end(`{"id":"1"}`)
      })
    })
    await call(url, { headers: { authorization: "Bearer t" } })
    expect(seen).toEqual([["POST", "application/json", "Bearer t", `{"text":"Hello"}`]])
  })

  test.each([
    [429, "unavailable"],
    [408, "unavailable"],
    [425, "unavailable"],
    [500, "unavailable"],
    [503, "unavailable"],
    [504, "unknown"],
    [400, "refused"],
    [401, "refused"],
    [404, "refused"],
    [302, "refused"]
  ])("[CHANNEL-12] [CHANNEL-13] %i is %s", async (status, outcome) => {
    const result = await call(await serve(answering(status, "no", { location: "http://127.0.0.1:1/" })))
    expect(result).toMatchObject({ outcome, code: String(status) })
  })

  test("[CHANNEL-12] the wait is what the platform asks for, at most an hour", async () => {
    const wait = async (retryAfter: string) =>
      call(await serve(answering(429, {}, { "retry-after": retryAfter }))).finally(() => server?.close())
    expect(await wait("7")).toMatchObject({ retryAfterMs: 7_000 })
    expect(await wait("Thu, 01 Jan 1970 00:00:03 GMT")).toMatchObject({ retryAfterMs: 2_000 })
    expect(await wait("86400")).toMatchObject({ retryAfterMs: RetryAfter.longestMs })
    expect(await wait("soon")).not.toHaveProperty("retryAfterMs")
  })

  test("[CHANNEL-12] 504 is unavailable where a repeat is harmless", async () => {
    expect(await call(await serve(answering(504, "")), {}, true)).toMatchObject({ outcome: "unavailable" })
  })

  test("[CHANNEL-13] the platform's code and message are told without secrets", async () => {
    const error = { error: { code: 190, message: "Malformed access token TOKEN-1 in bot9:KEY" } }
    const url = await serve(answering(400, error))
    const result = await call(`${url}/bot9:KEY/send`, {
      headers: { authorization: "Bearer TOKEN-1" },
      secrets: ["9:KEY"]
    })
    expect(result).toEqual({
      outcome: "refused",
      code: "190",
      message: "Malformed access token [secret] in bot[secret]"
    })
  })

  test("[CHANNEL-13] an error that comes with 200 is an error", async () => {
    expect(await call(await serve(answering(200, { error: { code: 7, message: "no" } })))).toMatchObject({ code: "7" })
  })

  test("an answer without end is not read to its end", async () => {
    const url = await serve((_, response) => {
      const more = (): void => {
        while (!response.destroyed && response.write("x".repeat(65_536)));
        if (!response.destroyed) response.once("drain", more)
      }
      more()
    })
    expect(await call(url)).toMatchObject({ outcome: "unknown", code: "unreadableAnswer" })
  })
})

describe("[CHANNEL-14] connections", () => {
  test("never made: unavailable, and the address isn't told", async () => {
    const url = await serve(answering(200, {}))
    server?.close()
    const result = await call(`${url}/bot9:KEY`)
    expect(result).toMatchObject({ outcome: "unavailable", code: "ECONNREFUSED" })
    expect(JSON.stringify(result)).not.toContain("KEY")
    expect(await call("http://no-such-host.invalid/")).toMatchObject({ outcome: "unavailable" })
  })

  test("broken later: unknown, or unavailable where a repeat is harmless", async () => {
    const url = await serve((request) => request.socket.destroy())
    expect(await call(url)).toMatchObject({ outcome: "unknown" })
    expect(await call(url, {}, true)).toMatchObject({ outcome: "unavailable" })
  })

  test("broken within the answer: unknown", async () => {
    const url = await serve((_, response) => {
      response.writeHead(200, { "content-length": "100" })
      response.write(`{"id":`, () => response.destroy())
    })
    expect(await call(url)).toMatchObject({ outcome: "unknown" })
  })

  test("over the deadline: unknown; the deadline was over before: unavailable", async () => {
    const over = new AbortController()
    const url = await serve(() => over.abort())
    const late = { ...context, signal: over.signal }
    expect(await PlatformCall.call({ url, body: "x" }, reading, late)).toMatchObject({
      outcome: "unknown",
      code: "timeout"
    })
    expect(await PlatformCall.call({ url, body: "x" }, reading, late)).toMatchObject({ outcome: "unavailable" })
  })

  test("no URL: refused, and it says what to check", async () => {
    expect(await call("api.example/KEY")).toEqual({
      outcome: "refused",
      code: "invalidUrl",
      message: "The platform's address is no URL: check the configured base URL."
    })
  })
})

describe("[CHANNEL-15] parts", () => {
  const message = { attachments: [] }

  test("are sent after those already sent, up to the first failure", async () => {
    const asked: Array<number> = []
    const result = await PlatformCall.sendEach(
      { messages: [message, message, message, message], alreadySent: 1 },
      async (_, index) => {
        asked.push(index)
        return index === 3
          ? { outcome: "unavailable", code: "429", message: "later", retryAfterMs: 5 }
          : { outcome: "accepted", value: `m${index}` }
      }
    )
    expect(asked).toEqual([1, 2, 3])
    expect(result).toEqual({
      outcome: "unavailable",
      code: "429",
      message: "later",
      retryAfterMs: 5,
      platformIds: ["m1", "m2"]
    })
  })

  test("that were all sent are accepted without a call", async () => {
    const result = await PlatformCall.sendEach({ messages: [message], alreadySent: 1 }, () => {
      throw new Error("not called")
    })
    expect(result).toEqual({ outcome: "accepted", platformIds: [] })
  })
})

describe("[CHANNEL-16] downloads", () => {
  const download = (url: string, limitBytes = 10) => PlatformCall.download({ url, limitBytes }, context)

  test("give bytes and their media type", async () => {
    const url = await serve(answering(200, "123", { "content-type": "image/png; charset=x" }))
    expect(await download(url)).toEqual({
      outcome: "fetched",
      bytes: new TextEncoder().encode("123"),
      mediaType: "image/png"
    })
  })

  test("end at the limit, announced or not", async () => {
    expect(await download(await serve(answering(200, "x".repeat(11))))).toMatchObject({ code: "tooLarge" })
    server?.close()
    const unannounced = await serve((_, response) => {
      response.write("x".repeat(6))
      response.end("x".repeat(6))
    })
    expect(await download(unannounced)).toMatchObject({ outcome: "refused", code: "tooLarge" })
  })

  test("fail as values", async () => {
    const url = await serve(answering(404, ""))
    expect(await download(url)).toMatchObject({ outcome: "refused", code: "404" })
    server?.close()
    server?.closeAllConnections()
    expect(await download(url)).toMatchObject({ outcome: "unavailable" })
    expect(await download(await serve((request) => request.socket.destroy()))).toMatchObject({ outcome: "unavailable" })
  })
})

describe("[CHANNEL-17] Retry-After", () => {
  const now = Date.parse("2026-03-01T10:00:00Z")
  test.each<[string | number | null | undefined, number | undefined]>([
    ["0", 0],
    ["120", 120_000],
    [1.2, 1_200],
    [" 5 ", 5_000],
    ["Sun, 01 Mar 2026 10:00:30 GMT", 30_000],
    ["Sun, 01 Mar 2026 09:00:00 GMT", 0],
    ["Sunday, 01-Mar-26 10:00:10 GMT", 10_000],
    ["Sun Mar  1 10:00:20 2026 GMT", 20_000],
    ["99999999999999999999", RetryAfter.longestMs],
    ["-5", undefined],
    ["1e3", undefined],
    ["", undefined],
    ["Tomorrow, at ten", undefined],
    [null, undefined],
    [undefined, undefined]
  ])("%j is %j", (value, expected) => {
    expect(RetryAfter.parse(value, now)).toBe(expected)
  })
})
