import type { Inbound } from "@switchboard/channel"
import { describe, expect, test } from "vitest"
import { TelegramInbound } from "../src/index.ts"
import { payload } from "./Fixtures.ts"

const input = (body: unknown) => ({
  bytes: new TextEncoder().encode(typeof body === "string" ? body : JSON.stringify(body)),
  headers: { "x-telegram-account": "123456789" },
  receivedAtMs: 1_750_000_999_000
})

const entriesOf = (name: string): ReadonlyArray<Inbound.Entry> => {
  const decoded = TelegramInbound.decode(input(payload(name)))
  if (!decoded.ok) throw new Error(decoded.error.message)
  return decoded.value
}

test("a text names its account, its sender, its chat and itself", () => {
  expect(entriesOf("text")).toEqual([
    {
      kind: "messageReceived",
      account: "123456789",
      entryId: "870000101",
      occurredAtMs: 1_750_000_041_000,
      platformId: "5550001:41",
      from: {
        addresses: [{ kind: "telegram", value: "5550001", state: "verified", label: "@ana_example" }],
        name: "Ana Example",
        language: "es"
      },
      thread: { key: "5550001", audience: "private", replyTo: [{ kind: "telegram", value: "5550001" }] },
      parts: [{ kind: "text", text: "Hello, where is my order 2*3?", format: "plain" }],
      attachments: []
    }
  ])
})

describe("what is said:", () => {
  test.each<[string, object]>([
    [
      "text-with-entities",
      {
        parts: [
          {
            kind: "text",
            format: "markdown",
            text: "Hi 👋 **bold** and **_both_** `code`\nsee [here](https://shop.example/order%287%29)\n\n\n```sh\nnpm i\n```"
          }
        ]
      }
    ],
    ["start-command", { parts: [{ kind: "text", text: "/start order-77", format: "plain" }] }],
    ["reply", { replyToPlatformId: "5550001:33" }],
    ["location", { parts: [{ kind: "location", latitude: 41.385064, longitude: 2.173404 }] }],
    [
      "venue",
      {
        parts: [
          { kind: "location", latitude: 41.385064, longitude: 2.173404, name: "Town hall", address: "Main Square 1" }
        ]
      }
    ],
    ["contact", { parts: [{ kind: "contactCard", name: "Bea Example", phones: ["+34600000001"], emails: [] }] }],
    ["poll", { parts: [{ kind: "unsupported", description: "Poll: Tea or coffee?" }] }],
    ["dice", { parts: [{ kind: "unsupported", description: "🎲 4" }] }],
    [
      "edited-text",
      {
        platformId: "5550001:63",
        occurredAtMs: 1_750_000_900_000,
        parts: [{ kind: "text", text: "Hello, where is my order 77?", format: "plain" }]
      }
    ],
    ["edited-caption", { parts: [{ kind: "text", text: "It arrived *very* broken", format: "plain" }] }],
    ["button", { actionId: "yes", label: "Yes, please", ofPlatformId: "5550001:35", occurredAtMs: 1_750_000_999_000 }],
    ["button-of-an-old-message", { actionId: "no", label: "no", ofPlatformId: "5550001:5" }],
    ["blocked", { follows: false, occurredAtMs: 1_750_000_500_000 }],
    ["unblocked", { follows: true }],
    ["reaction-added", { platformId: "5550001:35", emoji: "👍" }],
    [
      "group-migrated",
      {
        before: { kind: "telegram", value: "-4500000" },
        after: { kind: "telegram", value: "-1001500000000", state: "verified" }
      }
    ],
    ["group-message", { reason: "Messages of a supergroup are not handled." }],
    ["channel-post", { reason: "Updates of the kind channel_post are not handled." }],
    ["pinned", { reason: "The message has no content that is known here." }],
    ["not-as-documented", { reason: expect.stringMatching(/^It is not as documented: .*message_id/s) }]
  ])("%s", (name, expected) => {
    expect(entriesOf(name)[0]).toMatchObject(expected)
  })

  test("a reaction that changed is one taken back and two added", () => {
    expect(
      entriesOf("reaction-changed").map((entry) => ["emoji" in entry && entry.emoji, entry.kind, entry.entryId])
    ).toEqual([
      ["👍", "reactionRemoved", "870000132"],
      ["🔥", "reactionAdded", "870000132"],
      ["🎉", "reactionAdded", "870000132/1"]
    ])
  })

  test("what is not handled keeps the whole update", () => {
    expect(entriesOf("poll-answer")[0]).toMatchObject({ kind: "unsupported", raw: payload("poll-answer") })
  })
})

describe("files:", () => {
  test.each<[string, string, string | undefined, number]>([
    ["photo-with-caption", "image/jpeg", undefined, 98_000],
    ["document", "application/pdf", "invoice.pdf", 23_000],
    ["video", "video/mp4", "clip.mp4", 230_000],
    ["animation", "video/mp4", "wave.mp4", 9_000],
    ["audio", "audio/mpeg", "Song", 330_000],
    ["voice", "audio/ogg", undefined, 33_000],
    ["video-note", "video/mp4", undefined, 53_000],
    ["sticker", "image/webp", "😀", 3_000],
    ["animated-sticker", "application/x-tgsticker", "🔥", 3_000]
  ])("%s", (name, mediaType, fileName, sizeBytes) => {
    const [entry] = entriesOf(name)
    if (entry?.kind !== "messageReceived") throw new Error("no message")
    expect(entry.attachments).toHaveLength(1)
    expect(entry.attachments[0]).toMatchObject({
      mediaType,
      sizeBytes,
      content: { ref: expect.stringMatching(/^AgAC/) }
    })
    expect(entry.attachments[0]?.name).toBe(fileName)
    expect(entry.parts[0]).toMatchObject({ kind: "attachment", attachmentId: entry.attachments[0]?.id })
  })

  test("a caption stays with its file, a formatted one follows it", () => {
    expect(entriesOf("photo-with-caption")[0]).toMatchObject({
      parts: [{ kind: "attachment", caption: "It arrived broken" }]
    })
    expect(entriesOf("photo-with-formatted-caption")[0]).toMatchObject({
      parts: [{ kind: "attachment" }, { kind: "text", text: "**very** broken", format: "markdown" }]
    })
  })
})

test("an own contact card claims a phone number, a card of somebody else claims nothing", () => {
  const addresses = (name: string) => {
    const [entry] = entriesOf(name)
    return entry?.kind === "messageReceived" ? entry.from.addresses.slice(1) : []
  }
  expect(addresses("own-contact")).toEqual([{ kind: "phone", value: "+34600000000", state: "claimed" }])
  expect(addresses("contact")).toEqual([])
})

test("a text too long for a message is kept as unsupported", () => {
  const update = payload("text") as { message: object }
  const long = { ...update, message: { ...update.message, text: "x".repeat(200_001) } }
  const decoded = TelegramInbound.decode(input(long))
  expect(decoded.ok && decoded.value[0]).toMatchObject({ kind: "unsupported", entryId: "870000101", raw: long })
})

test.each<[string, unknown, string]>([
  ["no JSON", "{", "notJson"],
  ["no object", "[]", "notAnUpdate"],
  ["no id", {}, "notAnUpdate"]
])("%s is an error", (_, body, code) => {
  expect(TelegramInbound.decode(input(body))).toMatchObject({ ok: false, error: { code } })
})

test("input without its account is an error", () => {
  expect(TelegramInbound.decode({ ...input({}), headers: {} })).toMatchObject({
    ok: false,
    error: { code: "noAccount" }
  })
})
