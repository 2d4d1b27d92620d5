import type { Channel, Outbound } from "@switchboard/channel"
import { WebchatInbound, WebchatOutbound, WebchatSession } from "@switchboard/channel-webchat"
import { Id } from "@switchboard/conversation"
import { describe, expect, test } from "vitest"
import {
  account,
  ana,
  bearer,
  entriesOf,
  identitySecret,
  makeChannel,
  nowMs,
  openSession,
  payload,
  receive,
  request,
  sessionSecret,
  site
} from "./Fixtures.ts"

const channel = makeChannel()
const verify = (input: Channel.ChannelRequest): Channel.Verification => channel.verify(input) as Channel.Verification
const visitorOf = (token: string, by: { secrets?: ReadonlyArray<string>; nowMs?: number } = {}) =>
  WebchatSession.fromToken(token, { secrets: [sessionSecret], account: "shop", nowMs, ...by })
const dayMs = 86_400_000

describe("an identity that can't be believed is refused, never ignored", () => {
  const identity = ana()
  const cases: ReadonlyArray<readonly [string, unknown, number]> = [
    ["another e-mail under the same signature", { ...identity, email: "eve@example.com" }, 401],
    ["a field more than was signed", { ...ana({ email: undefined as never }), email: "eve@example.com" }, 401],
    ["another time", { ...identity, issuedAtMs: nowMs + 1 }, 401],
    ["a signature of zeros", { ...identity, signature: "0".repeat(64) }, 401],
    ["a short signature", { ...identity, signature: identity.signature.slice(2) }, 400],
    ["no signature", { ...identity, signature: undefined }, 400],
    ["signed too long ago", ana({ issuedAtMs: nowMs - dayMs - 1 }), 401],
    ["signed too far ahead", ana({ issuedAtMs: nowMs + dayMs + 1 }), 401],
    ["a phone number that is not E.164", ana({ phone: "600 000 001" }), 400],
    ["a line break that shifts fields", ana({ id: "42\nemail=eve@example.com" }), 400],
    ["nobody at all", ana({ id: undefined as never, email: undefined as never, phone: undefined as never }), 400]
  ]
  test.each(cases)("%s", (_, claimed, status) => {
    expect(verify(request("shop/session", { body: { identity: claimed } }))).toMatchObject({ kind: "refused", status })
  })

  test("signed for another account", () => {
    expect(verify(request("blog/session", { body: { identity } }))).toMatchObject({ kind: "refused", status: 401 })
  })

  test("without an identity secret there is no identity, and the answer says so", () => {
    const without = makeChannel({ identitySecret: undefined as never })
    expect(without.verify(request("shop/session", { body: { identity } }))).toMatchObject({
      status: 401,
      reason: expect.stringContaining("identitySecret")
    })
  })

  test("one tenant's secret signs for its own account only", () => {
    const other = "the blog's own secret, 32 characters"
    const both = makeChannel({ accounts: [account("shop"), { ...account("blog"), identitySecret: other }] })
    expect(both.verify(request("shop/session", { body: { identity } }))).toMatchObject({ kind: "answered" })
    expect(both.verify(request("blog/session", { body: { identity } }))).toMatchObject({ status: 401 })
  })

  test("the edges of the window are inside", () => {
    for (const issuedAtMs of [nowMs - dayMs, nowMs + dayMs])
      expect(verify(request("shop/session", { body: { identity: ana({ issuedAtMs }) } })).kind).toBe("answered")
  })
})

describe("sessions", () => {
  test("a visitor is anonymous, and the same one as long as the token lasts", () => {
    const first = openSession(channel)
    const second = openSession(channel, { visitorToken: first.visitorToken }, { receivedAtMs: nowMs + dayMs })
    expect(second.visitorId).toBe(first.visitorId)
    expect(second.expiresAtMs).toBe(first.expiresAtMs + dayMs)
    expect(openSession(channel).visitorId).not.toBe(first.visitorId)
    const later = openSession(channel, { visitorToken: first.visitorToken }, { receivedAtMs: first.expiresAtMs })
    expect(later.visitorId).not.toBe(first.visitorId)
  })

  test("a token of nonsense starts a new visitor", () => {
    for (const visitorToken of ["", "v1", "v1..", "v2.a.b", "v1.e30.AAAA"])
      expect(openSession(channel, { visitorToken }).visitorId).toMatch(/^[0-9a-f-]{36}$/)
  })

  test("who signs in keeps the thread they began; somebody else on that browser doesn't get it", () => {
    const anonymous = openSession(channel)
    const signedIn = openSession(channel, { visitorToken: anonymous.visitorToken, identity: ana() })
    expect(signedIn.visitorId).toBe(anonymous.visitorId)
    expect(visitorOf(signedIn.visitorToken)?.identity).toEqual({
      id: "42",
      email: "ana@example.com",
      phone: "+34600000001",
      name: "Ana"
    })
    const ben = openSession(channel, {
      visitorToken: signedIn.visitorToken,
      identity: ana({ id: "43", email: "ben@example.com" })
    })
    expect(ben.visitorId).not.toBe(anonymous.visitorId)
  })

  test("a refresh keeps the identity", () => {
    const signedIn = openSession(channel, { identity: ana() })
    const refreshed = openSession(channel, { visitorToken: signedIn.visitorToken })
    expect(visitorOf(refreshed.visitorToken)?.identity?.id).toBe("42")
  })

  test("who is signed in finds the same thread on every device", () => {
    const phone = openSession(channel, { identity: ana() })
    expect(openSession(channel, { identity: ana({ issuedAtMs: nowMs - 1 }) }).visitorId).toBe(phone.visitorId)
    expect(openSession(channel, { identity: ana({ id: "43" }) }).visitorId).not.toBe(phone.visitorId)
    // A fixed value: it must not change with a version, or people lose sight of their threads.
    expect(phone.visitorId).toBe(WebchatSession.toVisitorId("shop", "id:42"))
    expect(phone.visitorId).toBe("c614e09c-598d-8ad9-a16d-e11c8da4a3a3")
  })

  test("a former secret is believed, and replaced at the next visit", () => {
    const former = "the secret of last year, 32 characters"
    const before = openSession(makeChannel({ sessionSecret: former }))
    const after = openSession(makeChannel({ formerSessionSecrets: [former] }), { visitorToken: before.visitorToken })
    expect(after.visitorId).toBe(before.visitorId)
    expect(visitorOf(before.visitorToken)).toBeUndefined()
    expect(visitorOf(after.visitorToken)?.visitorId).toBe(before.visitorId)
  })

  test("a body that is no session request is refused", () => {
    for (const body of ["", "{", "[]", '"x"', { visitorToken: 1 }, { other: true }])
      expect(verify(request("shop/session", { method: "POST", body }))).toMatchObject({ kind: "refused", status: 400 })
  })
})

describe("origins", () => {
  const from = (origin: string, path = "shop/session", method = "POST") =>
    request(path, { method, body: {}, headers: { origin } })
  const corsOf = (verification: Channel.Verification) =>
    verification.kind === "answered"
      ? verification.answer.headers?.["access-control-allow-origin"]
      : verification.answerHeaders?.["access-control-allow-origin"]

  test("a listed site may embed the chat and read every answer, also a refusal", () => {
    expect(corsOf(verify(from(site)))).toBe(site)
    const refused = verify(from(site, "shop/messages"))
    expect(refused).toMatchObject({ kind: "refused", status: 401 })
    expect(corsOf(refused)).toBe(site)
    const session = openSession(channel)
    expect(corsOf(verify(request("shop/thread?after=0", { headers: { ...bearer(session), origin: site } })))).toBe(site)
    expect(corsOf(verify(request("shop/messages", { headers: { ...bearer(session), origin: site }, body: {} })))).toBe(
      site
    )
  })

  test("a preflight names what is allowed", () => {
    expect(verify(from(site, "shop/messages", "OPTIONS"))).toMatchObject({
      kind: "answered",
      answer: {
        status: 204,
        headers: {
          "access-control-allow-origin": site,
          "access-control-allow-methods": "POST",
          "access-control-allow-headers": "authorization, content-type"
        }
      }
    })
  })

  test("others are refused, the desk's own is not", () => {
    for (const origin of ["https://evil.example", "null", `${site}.evil.example`, "http://shop.example"])
      expect(verify(from(origin))).toMatchObject({ kind: "refused", status: 403 })
    expect(verify(from("https://desk.example")).kind).toBe("answered")
    expect(makeChannel({ allowedOrigins: ["*"] }).verify(from("https://any.example"))).toMatchObject({
      kind: "answered"
    })
  })
})

describe("the thread", () => {
  const session = openSession(channel)
  const read = (query: string) => verify(request(`shop/thread${query}`, { headers: bearer(session) }))

  test("is read by its visitor only", () => {
    expect(read("?after=12&live=1")).toMatchObject({
      kind: "reads",
      account: "shop-key",
      address: { kind: "visitor", value: session.visitorId, state: "verified" },
      threadKey: session.visitorId,
      afterSequence: 12,
      live: true
    })
    expect(read("")).toMatchObject({ afterSequence: 0, live: false })
    expect(verify(request("shop/thread"))).toMatchObject({ kind: "refused", status: 401 })
  })

  test("is asked for by a sequence number", () => {
    for (const after of ["-1", "1.5", "x", "9".repeat(16)])
      expect(read(`?after=${after}`)).toMatchObject({ status: 400 })
  })
})

describe("what a visitor does becomes entries", () => {
  test("all of a batch, in its order, from everything that is known of the visitor", async () => {
    const session = openSession(channel, { identity: ana() })
    const { visitorId } = session
    const entries = entriesOf(await receive(channel, session, payload("conversation")))
    const from = {
      addresses: [
        { kind: "visitor", value: visitorId, state: "verified" },
        { kind: "site-id", value: "shop:42", state: "verified" },
        { kind: "email", value: "ana@example.com", state: "verified" },
        { kind: "phone", value: "+34600000001", state: "verified" }
      ],
      name: "Ana",
      language: "es"
    }
    const clientId = "7a1f4c52-9a4e-4d0b-8a57-2f6a8f1f0c01"
    expect(entries).toMatchObject([
      {
        kind: "messageReceived",
        account: "shop-key",
        entryId: clientId,
        platformId: clientId,
        occurredAtMs: nowMs - 1000,
        from,
        thread: { key: visitorId, audience: "private", replyTo: [{ kind: "visitor", value: visitorId }] },
        parts: [
          { kind: "text", text: "Hello, I was charged twice 😕", format: "plain" },
          { kind: "attachment", attachmentId: `${clientId}-1` }
        ],
        attachments: [{ name: "statement.png", mediaType: "image/png", sizeBytes: 8 }]
      },
      { kind: "actionChosen", actionId: "billing", label: "A payment", ofPlatformId: `${visitorId}/message-7` },
      { kind: "deliveryChanged", state: "delivered", platformId: `${visitorId}/message-8` },
      { kind: "deliveryChanged", state: "read", platformId: `${visitorId}/message-7` },
      { kind: "typingChanged", typing: true }
    ])
  })

  test("an address the visitor typed is claimed, never verified", async () => {
    const [entry] = entriesOf(await receive(channel, openSession(channel), payload("conversation")))
    expect(entry).toMatchObject({
      from: { addresses: [{ kind: "visitor" }, { kind: "email", value: "ana@example.com", state: "claimed" }] }
    })
  })

  test("what is wrong in what a visitor says of themselves doesn't cost the message", async () => {
    for (const visitor of [null, 7, "x", { email: "not an address", name: 5, language: "x".repeat(99) }]) {
      const body = { ...(payload("offline-queue") as object), visitor }
      const entries = entriesOf(await receive(channel, openSession(channel), body))
      expect(entries.map(({ kind }) => kind)).toEqual(["messageReceived", "messageReceived"])
    }
  })

  test("a visitor's clock is believed within a week and never ahead of ours", async () => {
    const cases = [
      [nowMs - 1, nowMs - 1],
      [nowMs + 1, nowMs],
      [nowMs - 7 * dayMs - 1, nowMs],
      [undefined, nowMs]
    ]
    for (const [writtenAtMs, occurredAtMs] of cases) {
      const entry = { kind: "message", clientId: crypto.randomUUID(), text: "Hello", writtenAtMs }
      expect(entriesOf(await receive(channel, openSession(channel), { entries: [entry] }))).toMatchObject([
        { occurredAtMs }
      ])
    }
  })

  test("nobody can report on another visitor's messages", async () => {
    const [one, other] = [openSession(channel), openSession(channel)]
    const receipt = { entries: [{ kind: "read", messageId: "message-1" }] }
    const [mine] = entriesOf(await receive(channel, one, receipt))
    const [theirs] = entriesOf(await receive(channel, other, receipt))
    expect(mine).not.toMatchObject({ platformId: (theirs as { platformId: string }).platformId })
  })

  test.each([
    ["too long a text", { text: "x".repeat(10_001) }, "at most 10000 characters"],
    [
      "too many files",
      { text: "", attachments: Array.from({ length: 6 }, () => ({ mediaType: "text/plain", base64: "" })) },
      "at most 5"
    ],
    [
      "too large a file",
      { text: "", attachments: [{ mediaType: "text/plain", base64: Buffer.alloc(1025).toString("base64") }] },
      "at most 1024 bytes"
    ],
    ["a file that is no base64", { text: "", attachments: [{ mediaType: "text/plain", base64: "%" }] }, "base64"],
    ["a media type of its own", { text: "", attachments: [{ mediaType: "x\r\ny", base64: "" }] }, "media type"]
  ])("%s is kept as unsupported with its reason", async (_, message, reason) => {
    const strict = makeChannel({ limits: { attachmentBytes: 1024 } })
    const entries = [{ kind: "message", clientId: crypto.randomUUID(), ...message }]
    expect(entriesOf(await receive(strict, openSession(strict), { entries }))).toMatchObject([
      { kind: "unsupported", reason: expect.stringContaining(reason), raw: entries[0] }
    ])
  })

  test("entries over the limit are kept as unsupported", async () => {
    const strict = makeChannel({ limits: { entries: 1 } })
    const decoded = entriesOf(await receive(strict, openSession(strict), payload("offline-queue")))
    expect(decoded.map(({ kind }) => kind)).toEqual(["messageReceived", "unsupported"])
  })

  test("a body without entries can't be decoded, and the error says what was expected", async () => {
    for (const body of ["{", "[]", "{}", { entries: [] }, { entries: {} }])
      expect(await receive(channel, openSession(channel), body)).toMatchObject({
        ok: false,
        error: { code: "body_invalid", message: expect.stringContaining("entries") }
      })
  })

  test("input that verify never saw can't be decoded", () => {
    for (const headers of [{}, { [WebchatInbound.visitorHeader]: "{}" }])
      expect(channel.decode({ bytes: new Uint8Array(), headers, receivedAtMs: nowMs })).toMatchObject({
        ok: false,
        error: { code: "visitor_missing" }
      })
  })
})

describe("sending", () => {
  const outbound = {
    kind: "message",
    messageId: Id.MessageId.parse("message-1"),
    thread: { key: "visitor-1" },
    messages: [{ attachments: [] }, { attachments: [] }],
    alreadySent: 0
  } as unknown as Outbound.OutboundMessage

  test("a message is named as the widget's receipts will name it", () => {
    expect(WebchatOutbound.send(outbound)).toEqual({
      outcome: "accepted",
      platformIds: ["visitor-1/message-1", "visitor-1/message-1#2"]
    })
    expect(WebchatOutbound.send({ ...outbound, alreadySent: 1 })).toMatchObject({
      platformIds: ["visitor-1/message-1#2"]
    })
  })
})

test("an identity's signature doesn't change between versions: sites compute it in other languages", () => {
  // printf 'switchboard-webchat-identity-v1\naccount=shop\nid=42\nemail=Ana@Example.com\nphone=+34600000001\nname=Ana\nissuedAtMs=1764028800000' |
  //   openssl dgst -sha256 -hmac 'test identity secret, 32 characters'
  expect(identitySecret.length).toBeGreaterThanOrEqual(32)
  expect(ana().signature).toBe("dddeabf4c2d652925396a72fb06aae41b64b7c2ce92e15a11dc748088b8b5779")
})
