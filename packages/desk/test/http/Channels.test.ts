import type { Channel } from "@switchboard/channel"
import { Effect } from "effect"
import { expect, test } from "vitest"
import { NotFoundError, OverloadedError, StorageFailedError } from "../../src/DeskError.ts"
import { make, nowMs, origin, problemOf } from "./FakeDesk.ts"

test("[HTTP-27] a channel gets the request as it came: method, address, lower-case headers, raw bytes", async () => {
  const { fetch, calls } = make()
  const body = new Uint8Array([0xff, 0x00, 0x7b])
  const answer = await fetch(
    new Request(`${origin}/channels/chat/web/hook?x=%2F`, { method: "POST", headers: { "X-Signature": "Good" }, body })
  )
  expect(await answer.text()).toBe("kept")
  const [[operation, kind, asked]] = calls as unknown as [[string, string, Record<string, unknown>]]
  expect([operation, kind]).toEqual(["receive", "chat"])
  expect(asked).toMatchObject({ method: "POST", body, receivedAtMs: nowMs, headers: { "x-signature": "Good" } })
  expect(String(asked["url"])).toBe(`${origin}/channels/chat/web/hook?x=%2F`)
})

test("[HTTP-40] behind a proxy a channel sees the address that its platform called", async () => {
  const { fetch, calls } = make({ config: { publicUrl: "https://desk.test" } })
  await fetch(new Request("http://10.0.0.7:4000//evil.test/", { method: "POST", body: "x" }))
  expect(calls).toEqual([])
  await fetch(new Request("http://10.0.0.7:4000/channels/chat/hook?x=%2F", { method: "POST", body: "x" }))
  expect(String((calls[0]![2] as Record<string, unknown>)["url"])).toBe(`${origin}/channels/chat/hook?x=%2F`)
})

test("[HTTP-27] any method reaches the channel, without a credential", async () => {
  const { fetch, calls } = make()
  for (const method of ["GET", "HEAD", "OPTIONS", "PUT", "DELETE", "PATCH"]) {
    const answer = await fetch(new Request(`${origin}/channels/chat`, { method }))
    expect(await answer.text()).toBe(method === "HEAD" ? "" : "kept")
  }
  expect(calls).toHaveLength(6)
})

test("[HTTP-28] a channel that isn't connected is 404", async () => {
  const { fetch, calls } = make()
  for (const path of ["/channels/fax/hook", "/channels/", "/channels", "/channels/constructor", "/channels/%63hat"]) {
    const answer = await fetch(new Request(`${origin}${path}`, { method: "POST", body: "x" }))
    expect([path, answer.status]).toEqual([path, 404])
  }
  expect(calls).toEqual([])
})

test.each([
  [new OverloadedError({ retryAfterMs: 2500 }), 503, "3"],
  [new StorageFailedError({ reason: "locked", retryable: true, cause: null }), 503, "1"],
  [new StorageFailedError({ reason: "full", retryable: false, cause: null }), 503, "1"],
  [new NotFoundError({ what: "account", id: "web" }), 404, null]
])("[HTTP-28] %o is %i, and says when to come again", async (error, status, retryAfter) => {
  const { fetch } = make({ answers: { receive: () => Effect.fail(error) } })
  const answer = await fetch(new Request(`${origin}/channels/chat/hook`, { method: "POST", body: "x" }))
  expect(answer.status).toBe(status)
  expect(answer.headers.get("retry-after")).toBe(retryAfter)
  expect((await problemOf(answer)).detail).not.toContain("locked")
})

test("[HTTP-28] a channel that breaks is 500, so that the platform comes again", async () => {
  const { fetch } = make({ answers: { receive: () => Effect.die(new Error("broken")) } })
  const answer = await fetch(new Request(`${origin}/channels/chat/hook`, { method: "POST", body: "x" }))
  expect(answer.status).toBe(500)
})

test.each<[Channel.ChannelAnswer, string]>([
  [{ status: 200, body: "challenge", headers: { "content-type": "text/plain" } }, "challenge"],
  [{ status: 401, body: '{"error":"bad signature"}' }, '{"error":"bad signature"}'],
  [{ status: 204, headers: { "access-control-allow-origin": "https://shop.test" }, body: "" }, ""],
  [{ status: 202 }, ""]
])("[HTTP-29] %o is answered as the channel says", async (said, text) => {
  const { fetch } = make({ answers: { receive: () => Effect.succeed({ kind: "answer", answer: said }) } })
  const answer = await fetch(new Request(`${origin}/channels/chat/hook`, { method: "POST", body: "x" }))
  expect(answer.status).toBe(said.status)
  expect(await answer.text()).toBe(text)
  for (const [name, value] of Object.entries(said.headers ?? {})) expect(answer.headers.get(name)).toBe(value)
})

test("[HTTP-29] a thread is answered as JSON with the channel's headers", async () => {
  const page = { messages: [], head: 3 }
  const headers = { "access-control-allow-origin": "https://shop.test" }
  const { fetch } = make({ answers: { receive: () => Effect.succeed({ kind: "thread", page, headers }) } })
  const answer = await fetch(new Request(`${origin}/channels/chat/web/thread?after=3`))
  expect(await answer.json()).toEqual(page)
  expect(answer.headers.get("access-control-allow-origin")).toBe("https://shop.test")
  expect(answer.headers.get("cache-control")).toBe("no-store")
})
