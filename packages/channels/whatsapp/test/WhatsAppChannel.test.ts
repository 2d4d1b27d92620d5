import { describe, expect, test } from "vitest"
import { whatsapp } from "../src/index.ts"
import { appSecret, config, payload, receivedAtMs, sign, signed, verifyToken } from "./Platform.ts"

const channel = whatsapp(config)
const request = signed(payload("text"))
const signedAs = (signature: string) => ({ ...request, headers: { "x-hub-signature-256": signature } })

describe("a webhook is refused", () => {
  test.each([
    ["without a signature", { ...request, headers: {} }, 401],
    ["with an empty signature", signedAs(""), 401],
    ["with the name of the hash only", signedAs("sha256="), 401],
    ["with a signature cut off", signedAs(sign(request.body).slice(0, -2)), 401],
    ["with a signature and something behind it", signedAs(`${sign(request.body)}00`), 401],
    ["with a signature under another secret", signedAs(sign(request.body, `${appSecret}x`)), 401],
    ["with the signature of another body", signedAs(sign(new Uint8Array([1]))), 401],
    ["with a signature of another hash", signedAs(sign(request.body).replace("sha256", "sha1")), 401],
    ["with one more byte", { ...request, body: new Uint8Array([...request.body, 10]) }, 401],
    ["by another method", { ...request, method: "PUT" }, 405],
    ["when it is too large", { ...request, body: new Uint8Array(4 * 1024 * 1024 + 1) }, 413]
  ])("%s", async (_, forged, status) => {
    expect(await channel.verify(forged)).toMatchObject({ kind: "refused", status })
  })
})

test("a signed webhook is believed, as it came", async () => {
  const expected = { kind: "verified", input: { bytes: request.body, headers: {}, receivedAtMs } }
  expect(await channel.verify(request)).toEqual(expected)
  expect(await channel.verify(signedAs(sign(request.body).toUpperCase().replace("SHA256", "sha256")))).toEqual(expected)
})

describe("the handshake", () => {
  const ask = (query: Record<string, string>) =>
    channel.verify({
      method: "GET",
      url: new URL(`https://desk.example.com/channels/whatsapp/?${new URLSearchParams(query)}`),
      headers: {},
      body: new Uint8Array(),
      receivedAtMs
    })
  const good = { "hub.mode": "subscribe", "hub.verify_token": verifyToken, "hub.challenge": "<b>1158201444" }

  test("echoes the challenge as text", async () => {
    expect(await ask(good)).toEqual({
      kind: "answered",
      answer: {
        status: 200,
        headers: { "content-type": "text/plain; charset=utf-8", "x-content-type-options": "nosniff" },
        body: "<b>1158201444"
      }
    })
  })

  test.each([
    ["another token", { ...good, "hub.verify_token": `${verifyToken}!` }, 403],
    ["no token", { "hub.mode": "subscribe", "hub.challenge": "1" }, 403],
    ["another mode", { ...good, "hub.mode": "unsubscribe" }, 400],
    ["no challenge", { "hub.mode": "subscribe", "hub.verify_token": verifyToken }, 400]
  ])("is refused with %s", async (_, query, status) => {
    expect(await ask(query)).toMatchObject({ kind: "refused", status })
  })
})
