import { readdirSync } from "node:fs"
import { type Channel, ChannelConformance, type Inbound } from "@switchboard/channel"
import { afterAll, beforeAll, describe, expect, test } from "vitest"
import { telegram } from "../src/index.ts"
import { serve } from "./BotApi.ts"
import { config, payload, signed, tampered, token, webhookSecret } from "./Fixtures.ts"

let api: Awaited<ReturnType<typeof serve>>
beforeAll(async () => {
  api = await serve()
  api.files.set("conformance", { path: "documents/file_1.pdf", bytes: new Uint8Array([1, 2]) })
})
afterAll(() => api.stop())

const kinds: Readonly<Record<string, ReadonlyArray<Inbound.Entry["kind"]>>> = {
  text: ["messageReceived"],
  "start-command": ["messageReceived"],
  "text-with-entities": ["messageReceived"],
  reply: ["messageReceived"],
  "photo-with-caption": ["messageReceived"],
  "photo-with-formatted-caption": ["messageReceived"],
  "album-part": ["messageReceived"],
  document: ["messageReceived"],
  video: ["messageReceived"],
  animation: ["messageReceived"],
  audio: ["messageReceived"],
  voice: ["messageReceived"],
  "video-note": ["messageReceived"],
  sticker: ["messageReceived"],
  "animated-sticker": ["messageReceived"],
  location: ["messageReceived"],
  venue: ["messageReceived"],
  contact: ["messageReceived"],
  "own-contact": ["messageReceived"],
  poll: ["messageReceived"],
  dice: ["messageReceived"],
  pinned: ["unsupported"],
  "edited-text": ["messageEdited"],
  "edited-caption": ["messageEdited"],
  button: ["actionChosen"],
  "button-of-an-old-message": ["actionChosen"],
  "game-button": ["unsupported"],
  blocked: ["followChanged"],
  unblocked: ["followChanged"],
  "added-to-a-group": ["unsupported"],
  "reaction-added": ["reactionAdded"],
  "reaction-changed": ["reactionRemoved", "reactionAdded", "reactionAdded"],
  "custom-reaction": ["unsupported"],
  "group-message": ["unsupported"],
  "group-migrated": ["identityChanged"],
  "channel-post": ["unsupported"],
  "poll-answer": ["unsupported"],
  "not-as-documented": ["unsupported"]
}

test("every recorded payload is in the table", () => {
  const recorded = readdirSync(new URL("./payloads", import.meta.url)).map((name) => name.replace(".json", ""))
  expect(recorded.sort()).toEqual(Object.keys(kinds).sort())
})

describe("conformance", () => {
  ChannelConformance.channelConformance({
    test,
    name: "telegram",
    make: () => telegram(config(api.url)),
    signed,
    tampered,
    payloads: Object.entries(kinds).map(([name, expected]) => ({ name, body: payload(name), kinds: expected })),
    recipient: { kind: "telegram", value: "5550001" },
    platformId: "5550001:35",
    mediaRef: "conformance",
    damaged: 40
  })
})

describe("verify", () => {
  const statusOf = async (request: Channel.ChannelRequest): Promise<number> => {
    const found = await telegram(config()).verify(request)
    return found.kind === "refused" ? found.status : 200
  }

  test.each(Object.entries(tampered(signed({ update_id: 1 }))))("refuses a request %s", async (name, request) => {
    const expected = name.startsWith("at nobody") || name.startsWith("at the root") ? 404 : 401
    expect(await statusOf(request)).toBe(name === "by GET" ? 405 : name.includes("too large") ? 413 : expected)
  })

  test("never says a secret", async () => {
    for (const request of Object.values(tampered(signed({ update_id: 1 }))))
      expect(JSON.stringify(await telegram(config()).verify(request))).not.toMatch(
        new RegExp(`${webhookSecret}|${token}`)
      )
  })

  test("keeps which bot it was, and nothing of the request's headers", async () => {
    const found = await telegram(config()).verify(signed({ update_id: 1 }))
    expect(found).toMatchObject({ kind: "verified", input: { headers: { "x-telegram-account": "123456789" } } })
    expect(JSON.stringify(found)).not.toContain(webhookSecret)
    const second = signed({ update_id: 1 })
    const other = await telegram(config()).verify({
      ...second,
      url: new URL("https://desk.example/channels/telegram/second%20bot"),
      headers: { "x-telegram-bot-api-secret-token": "another-secret-for-the-tests", "x-telegram-account": "123456789" }
    })
    expect(other).toMatchObject({ kind: "verified", input: { headers: { "x-telegram-account": "987654321" } } })
  })
})
