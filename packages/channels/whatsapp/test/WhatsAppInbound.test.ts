import type { Inbound } from "@switchboard/channel"
import { describe, expect, test } from "vitest"
import { WhatsAppConfig, WhatsAppInbound } from "../src/index.ts"
import { config, payload, receivedAtMs } from "./Platform.ts"

const decode = WhatsAppInbound.decodeWith(WhatsAppConfig.decode(config, {}))
const bytesOf = (content: unknown) => new TextEncoder().encode(JSON.stringify(content))

const entries = (content: unknown, at = receivedAtMs): ReadonlyArray<Inbound.Entry> => {
  const decoded = decode({ bytes: bytesOf(content), headers: {}, receivedAtMs: at })
  if (!decoded.ok) throw new Error(decoded.error.message)
  return decoded.value
}
const only = (name: string): Inbound.Entry => {
  const [entry, ...others] = entries(payload(name))
  expect(others).toEqual([])
  return entry!
}

const shop = "106540352242922"
const ana = {
  addresses: [
    { kind: "phone", value: "+16505551234", state: "verified" },
    { kind: "whatsapp", value: "US.13491208655302741918", state: "verified" }
  ],
  name: "Ana Example"
}
const thread = {
  key: "US.13491208655302741918",
  audience: "private",
  replyTo: [{ kind: "phone", value: "+16505551234" }]
}
const wamid = (count: number) => `wamid.HBgLMTY1MDU1NTEyMzQVAgASGBQ${String(count).padStart(4, "0")}`

/** A webhook of one number, made for a test. */
const webhook = (value: Record<string, unknown>, field = "messages", key = shop) => ({
  object: "whatsapp_business_account",
  entry: [{ id: "1", changes: [{ field, value: { metadata: { phone_number_id: key }, ...value } }] }]
})
const text = (id: string, others: Record<string, unknown> = {}) => ({
  id,
  from: "16505551234",
  timestamp: "1749416383",
  type: "text",
  text: { body: "Hello" },
  ...others
})

test("a text, with both identities of its sender", () => {
  expect(only("text")).toEqual({
    kind: "messageReceived",
    account: shop,
    entryId: wamid(1),
    platformId: wamid(1),
    occurredAtMs: 1_749_416_301_000,
    from: ana,
    thread,
    parts: [{ kind: "text", text: "Does it come in another color?", format: "plain" }],
    attachments: []
  })
})

test("a person with a user name is known by id only, and shown by name", () => {
  expect(only("text-username-only")).toMatchObject({
    from: {
      addresses: [
        { kind: "whatsapp", value: "BR.1502576394655843", state: "verified", label: "@bia.example" },
        { kind: "whatsapp", value: "BR.ENT.11815799212886844830", state: "verified", label: "@bia.example" }
      ],
      name: "Bia"
    },
    thread: { key: "BR.1502576394655843", replyTo: [{ kind: "whatsapp", value: "BR.1502576394655843" }] }
  })
})

test("a reply names what it answers", () => {
  expect(only("text-reply")).toMatchObject({ replyToPlatformId: wamid(9001), thread: { references: [wamid(9001)] } })
})

describe("what a message says", () => {
  const file = (name: string, mediaType: string, others: Record<string, unknown> = {}) => ({
    name,
    parts: [{ kind: "attachment", attachmentId: "1003383421387256", ...others }],
    attachments: [{ id: "1003383421387256", mediaType, content: { ref: "1003383421387256" } }]
  })
  test.each([
    file("image", "image/jpeg", { caption: "The box as it came" }),
    file("video", "video/mp4"),
    file("voice", "audio/ogg"),
    file("sticker", "image/webp")
  ])("$name", ({ name, parts, attachments }) => {
    expect(only(name)).toMatchObject({ kind: "messageReceived", parts, attachments })
  })

  test("a document keeps its name", () => {
    expect(only("document")).toMatchObject({ attachments: [{ name: "invoice-2025-06.pdf" }] })
  })

  test.each([
    [
      "location",
      [
        {
          kind: "location",
          latitude: 40.782910059774,
          longitude: -73.959075808525,
          name: "Solomon R. Guggenheim Museum",
          address: "1071 5th Ave, New York, NY 10128"
        }
      ]
    ],
    [
      "contacts",
      [
        {
          kind: "contactCard",
          name: "Barbara Example",
          phones: ["+5592981723241", "+1 (650) 555-0000"],
          emails: ["barbara@example.com"]
        }
      ]
    ],
    ["flow-reply", [{ kind: "text", text: 'order: A-17\nreasons: ["late","damaged"]', format: "plain" }]],
    ["call-permission", [{ kind: "unsupported", description: "Allows calls" }]],
    [
      "order",
      [
        { kind: "text", text: "Please gift-wrap", format: "plain" },
        {
          kind: "text",
          text: "Order from catalog 194836987003835:\n2 × di9ozbzfi4, 30 USD\n1 × nqryix03ez, 25.5 USD",
          format: "plain"
        }
      ]
    ],
    ["welcome", [{ kind: "unsupported", description: "Opened the chat and waits for a welcome" }]],
    [
      "not-passed-on",
      [
        {
          kind: "unsupported",
          description:
            "A message that WhatsApp does not pass on: poll_creation: Message type is currently not supported."
        }
      ]
    ],
    [
      "text-from-advert",
      [
        { kind: "text", text: "Is this still available?", format: "plain" },
        {
          kind: "unsupported",
          description: "From an ad: Chat with us — Summer succulents are here! — https://fb.me/3cr4Wqqkv"
        }
      ]
    ],
    [
      "text-about-product",
      [
        { kind: "text", text: "Do you have it in blue?", format: "plain" },
        { kind: "unsupported", description: "About the product di9ozbzfi4 of the catalog 194836987003835" }
      ]
    ]
  ])("%s", (name, parts) => {
    expect(only(name)).toMatchObject({ kind: "messageReceived", parts })
  })
})

describe("what a contact does with a message", () => {
  test.each([
    ["button-reply", "cancel-order", "Cancel", 9003],
    ["list-reply", "priority_express", "Priority Mail Express", 9004],
    ["template-button", "Unsubscribe", "Unsubscribe", 9006]
  ])("%s", (name, actionId, label, of) => {
    expect(only(name)).toMatchObject({ kind: "actionChosen", actionId, label, ofPlatformId: wamid(of), from: ana })
  })

  test("reacts, and takes the reaction back", () => {
    const [added, ...removed] = entries(payload("reactions"))
    expect(added).toMatchObject({ kind: "reactionAdded", platformId: wamid(9007), emoji: "👍", from: ana })
    for (const one of removed) {
      expect(one).toMatchObject({ kind: "reactionRemoved", platformId: wamid(9007) })
      expect(one).not.toHaveProperty("emoji")
    }
  })

  test("edits words and captions", () => {
    expect(entries(payload("edited"))).toMatchObject([
      { kind: "messageEdited", platformId: wamid(1), parts: [{ text: "Does it come in blue?" }], from: ana },
      { kind: "messageEdited", platformId: wamid(6), parts: [{ kind: "text", text: "The box, opened" }] }
    ])
  })

  test("deletes", () => {
    expect(only("revoked")).toMatchObject({ kind: "messageDeleted", platformId: wamid(1) })
  })
})

test("a new number changes the phone number and the user id, in their normal form", () => {
  expect(entries(payload("changed-number"))).toEqual([
    {
      kind: "identityChanged",
      account: shop,
      entryId: wamid(701),
      occurredAtMs: 1_749_416_371_000,
      before: { kind: "phone", value: "+16505551234" },
      after: { kind: "phone", value: "+525512345678", state: "verified" }
    },
    {
      kind: "identityChanged",
      account: shop,
      entryId: `${wamid(701)}:user_id`,
      occurredAtMs: 1_749_416_371_000,
      before: { kind: "whatsapp", value: "US.13491208655302741918" },
      after: { kind: "whatsapp", value: "MX.20031208655302741918", state: "verified" }
    }
  ])
})

test("receipts only differ in their state, and a played voice message was read", () => {
  expect(entries(payload("receipts")).map((entry) => [entry.entryId, "state" in entry && entry.state])).toEqual([
    [`${wamid(9100)}:sent`, "sent"],
    [`${wamid(9100)}:delivered`, "delivered"],
    [`${wamid(9100)}:read`, "read"],
    [`${wamid(9100)}:played`, "read"]
  ])
})

test("a failed message says why, what to do, and whether to try again", () => {
  expect(entries(payload("receipt-failed"))).toMatchObject([
    {
      state: "failed",
      failure: {
        code: "131047",
        message: expect.stringMatching(/^The contact last wrote .* send a template/),
        retryable: false
      }
    },
    { state: "failed", failure: { code: "130429", retryable: true } }
  ])
})

test("a failure without a reason is still one", () => {
  const statuses = [{ id: "wamid.1", status: "failed", timestamp: "1749416383" }]
  expect(entries(webhook({ statuses }))).toMatchObject([{ state: "failed", failure: { code: "unknown" } }])
})

test("what the business wrote in its own app comes as echoes to the contact", () => {
  const [said, shown, edited, deleted] = entries(payload("echoes"))
  const to = { addresses: ana.addresses }
  expect(said).toMatchObject({ kind: "messageEchoed", from: to, thread, parts: [{ text: "We are open until 8" }] })
  expect(shown).toMatchObject({ kind: "messageEchoed", attachments: [{ content: { ref: "1003383421387256" } }] })
  expect(edited).toMatchObject({ kind: "messageEdited", platformId: wamid(9200) })
  expect(edited).not.toHaveProperty("from")
  expect(deleted).toMatchObject({ kind: "messageDeleted", platformId: wamid(9200) })
})

test("calls, by the contact and by the business", () => {
  const states = (name: string) =>
    entries(payload(name)).map((entry) => (entry.kind === "callChanged" ? [entry.entryId, entry.state] : entry))
  expect(states("calls")).toEqual([
    ["wacid.ABGGFjFVU2AfAgo6V:connect", "started"],
    ["wacid.ABGGFjFVU2AfAgo6V:terminate", "ended"]
  ])
  expect(states("call-outgoing")).toEqual([
    ["wacid.BIZ:RINGING", "started"],
    ["wacid.BIZ:ACCEPTED", "answered"],
    ["wacid.BIZ:REJECTED", "ended"],
    ["wacid.BIZ:terminate", "ended"]
  ])
  for (const entry of entries(payload("call-outgoing")))
    expect(entry).toMatchObject({ from: { addresses: [{ kind: "phone", value: "+16505551234" }] } })
})

test("trouble with the account is reported, once for each kind", () => {
  const first = only("account-error")
  expect(first).toMatchObject({ kind: "channelTrouble", code: "130429", occurredAtMs: receivedAtMs })
  const [again] = entries(payload("account-error"), receivedAtMs + 60_000)
  expect(again?.entryId).toBe(first.entryId)
})

describe("nothing is lost", () => {
  test.each([
    ["changed-security-code", /customer_identity_changed/],
    ["new-type", /hologram/],
    ["group", /groups are not supported/],
    ["history", /history/],
    ["template-status", /message_template_status_update/]
  ])("%s is kept as it came", (name, reason) => {
    const entry = only(name)
    expect(entry).toMatchObject({ kind: "unsupported", reason: expect.stringMatching(reason) })
    expect(JSON.stringify(payload(name))).toContain(
      JSON.stringify(entry.kind === "unsupported" && entry.raw).slice(1, -1)
    )
  })

  test("a batch of several numbers keeps its order, its bad message and its stranger", () => {
    const found = entries(payload("batch"))
    expect(found.map(({ account, kind }) => [account, kind])).toEqual([
      [shop, "messageReceived"],
      [shop, "unsupported"],
      [shop, "messageReceived"],
      ["109876543210987", "messageReceived"],
      [shop, "deliveryChanged"],
      ["100000000000001", "unsupported"]
    ])
    expect(found[1]).toMatchObject({ reason: expect.stringContaining("timestamp"), raw: { timestamp: "soon" } })
    expect(found[5]).toMatchObject({ reason: expect.stringContaining("add it to accounts") })
  })

  test("a message that breaks a rule of entries keeps what the platform sent", () => {
    const message = text("wamid.1", { text: { body: "x".repeat(200_001) } })
    expect(entries(webhook({ messages: [message, text("wamid.2")] }))).toMatchObject([
      { kind: "unsupported", entryId: "wamid.1", raw: message },
      { kind: "messageReceived", entryId: "wamid.2" }
    ])
  })

  test("a message of nobody, and fields that are new beside others", () => {
    expect(entries(webhook({ messages: [text("wamid.1", { from: undefined })], polls: [{ id: 1 }] }))).toMatchObject([
      { kind: "unsupported", reason: "A message without a phone number or a user id." },
      { kind: "unsupported", reason: "A change of the field messages with polls." }
    ])
  })

  test("the same message twice is one, two messages with one id are two", () => {
    const other = text("wamid.1", { text: { body: "Another" } })
    expect(entries(webhook({ messages: [text("wamid.1"), text("wamid.1"), other] }))).toMatchObject([
      { kind: "messageReceived", entryId: "wamid.1" },
      { kind: "unsupported", raw: other }
    ])
  })

  test("a redelivery has the same ids, however it is cut", () => {
    const [first, second] = [text("wamid.1", { type: "new" }), text("wamid.2")]
    const together = entries(webhook({ messages: [first, second] }))
    const apart = [first, second].flatMap((one) => entries(webhook({ messages: [one] }), receivedAtMs + 1000))
    expect(apart.map(({ entryId }) => entryId)).toEqual(together.map(({ entryId }) => entryId))
  })
})

describe("what is too old or from the future is kept and not believed", () => {
  const dayMs = 86_400_000
  test.each([
    [8 * dayMs - 1000, "messageReceived"],
    [8 * dayMs + 1000, "unsupported"],
    [-299_000, "messageReceived"],
    [-301_000, "unsupported"]
  ])("%i ms after it was sent: %s", (afterMs, kind) => {
    const [entry] = entries(webhook({ messages: [text("wamid.1")] }), 1_749_416_383_000 + afterMs)
    expect(entry).toMatchObject({ kind, entryId: "wamid.1", occurredAtMs: 1_749_416_383_000 })
  })
})

test("a stranger's profile is never taken for the sender's", () => {
  const contacts = [{ wa_id: "34600000000", user_id: "ES.1", profile: { name: "Somebody else" } }]
  const [entry] = entries(webhook({ contacts, messages: [text("wamid.1")] }))
  expect(entry).toMatchObject({ from: { addresses: [{ value: "+16505551234" }] } })
  expect(entry).not.toHaveProperty("from.name")
})

test.each([
  ["no JSON", "{", "invalidJson"],
  ["another product's webhook", JSON.stringify({ object: "page", entry: [{}] }), "notAWebhook"],
  ["a webhook without entries", JSON.stringify({ object: "whatsapp_business_account", entry: [] }), "notAWebhook"]
])("%s is an error", (_, body, code) => {
  const decoded = decode({ bytes: new TextEncoder().encode(body), headers: {}, receivedAtMs })
  expect(decoded).toMatchObject({ ok: false, error: { code } })
})

test("bytes that are no UTF-8 are an error, not a garbled text", () => {
  const decoded = decode({ bytes: new Uint8Array([0x22, 0xff, 0x22]), headers: {}, receivedAtMs })
  expect(decoded).toMatchObject({ ok: false, error: { code: "invalidJson" } })
})
