import type { ChannelAccount, Outbound, Rendering } from "@switchboard/channel"
import { type Attachment, Id } from "@switchboard/conversation"
import { afterEach, beforeEach, describe, expect, test } from "vitest"
import { telegram } from "../src/index.ts"
import { serve } from "./BotApi.ts"
import { config, token } from "./Fixtures.ts"

let api: Awaited<ReturnType<typeof serve>>
beforeEach(async () => {
  api = await serve()
})
afterEach(() => api.stop())

const channel = () => telegram(config(api.url))
const account = (): ChannelAccount.ChannelAccount => channel().accounts[0]!

const context = (more: Partial<Outbound.CallContext> = {}): Outbound.CallContext => ({
  idempotencyKey: "k",
  attempt: 1,
  nowMs: 0,
  signal: new AbortController().signal,
  readAttachment: async () => new Uint8Array([1, 2, 3]),
  ...more
})

const base = () => ({
  account: account(),
  recipient: { kind: "telegram", value: "5550001" },
  thread: {
    id: Id.ThreadId.parse("t"),
    channelKind: "telegram",
    accountId: account().id,
    audience: "private" as const,
    key: "5550001",
    recipients: [],
    openedAtMs: 0
  }
})

const toMessage = (
  messages: ReadonlyArray<Rendering.RenderedMessage>,
  more: Partial<Outbound.OutboundMessage> = {}
): Outbound.OutboundMessage => ({
  ...base(),
  kind: "message",
  conversationId: Id.ConversationId.parse("c"),
  messageId: Id.MessageId.parse("m"),
  deliveryId: Id.DeliveryId.parse("d"),
  purpose: "service",
  messages,
  alreadySent: 0,
  references: [],
  cc: [],
  automatic: false,
  ...more
})

const text = (body: string, format: "plain" | "markdown" = "plain"): Rendering.RenderedMessage => ({
  text: { body, format },
  attachments: []
})
const file = (mediaType: string, more: Partial<Attachment.Attachment> = {}): Rendering.RenderedMessage => ({
  attachments: [
    {
      attachment: { id: Id.AttachmentId.parse("a"), mediaType, state: "stored", name: "file", ...more },
      caption: "See"
    }
  ]
})
const lastCall = () => api.calls.at(-1)

describe("sends", () => {
  test("plain text as it is", async () => {
    expect(await channel().send(toMessage([text("a < b")]), context())).toEqual({
      outcome: "accepted",
      platformIds: ["5550001:101"]
    })
    expect(api.calls).toEqual([{ token, method: "sendMessage", parameters: { chat_id: "5550001", text: "a < b" } }])
  })

  test("Markdown as HTML", async () => {
    await channel().send(toMessage([text("**a** < [b](https://e.com)", "markdown")]), context())
    expect(lastCall()?.parameters).toEqual({
      chat_id: "5550001",
      text: '<b>a</b> &lt; <a href="https://e.com">b</a>',
      parse_mode: "HTML"
    })
  })

  test("choices as a keyboard, within Telegram's 64 bytes", async () => {
    const choices = [
      { id: "yes", label: "Yes" },
      { id: "ñ".repeat(60), label: "Long" },
      { id: "site", label: "Site", url: "https://e.com" }
    ]
    await channel().send(toMessage([{ ...text("Well?"), choices }]), context())
    const keyboard = lastCall()?.parameters.reply_markup as
      | { inline_keyboard: Array<Array<{ text: string; callback_data: string }>> }
      | undefined
    const rows = keyboard?.inline_keyboard ?? []
    expect(rows[0]).toEqual([{ text: "Yes", callback_data: "yes" }])
    expect(rows[1]?.[0]?.callback_data).toMatch(/^ñ{21}~[\w-]{20}$/)
    expect(Buffer.byteLength(rows[1]?.[0]?.callback_data ?? "")).toBeLessThanOrEqual(64)
    expect(rows[2]).toEqual([{ text: "Site", url: "https://e.com" }])
  })

  test("only the first part as the answer to a message", async () => {
    await channel().send(toMessage([text("1"), text("2")], { replyToPlatformId: "5550001:35" }), context())
    expect(api.calls.map(({ parameters }) => parameters.reply_parameters)).toEqual([
      { message_id: 35, allow_sending_without_reply: true },
      undefined
    ])
  })

  test.each([
    ["image/jpeg", "sendPhoto", "photo"],
    ["image/png", "sendPhoto", "photo"],
    ["image/gif", "sendAnimation", "animation"],
    ["image/webp", "sendDocument", "document"],
    ["video/mp4", "sendVideo", "video"],
    ["audio/mpeg", "sendAudio", "audio"],
    ["audio/ogg", "sendVoice", "voice"],
    ["application/pdf", "sendDocument", "document"]
  ])("%s by %s", async (mediaType, method, field) => {
    const result = await channel().send(toMessage([file(mediaType)]), context())
    expect(result).toMatchObject({ outcome: "accepted" })
    expect(lastCall()).toEqual({
      token,
      method,
      parameters: { chat_id: "5550001", caption: "See", [field]: `file ${mediaType} 3` }
    })
  })

  test("a picture that is too large for a photo as a document", async () => {
    const large = context({ readAttachment: async () => new Uint8Array(10 * 1024 * 1024 + 1) })
    await channel().send(toMessage([file("image/png")]), large)
    expect(lastCall()?.method).toBe("sendDocument")
  })

  test("places, venues and contact cards", async () => {
    const place = { latitude: 1, longitude: 2 }
    const card = { name: "Ana; Example", phones: ["+34600000000"], emails: ["ana@example.com"] }
    await channel().send(
      toMessage([
        { attachments: [], location: place },
        { attachments: [], location: { ...place, name: "Office", address: "Main Street 1" } },
        { attachments: [], contactCard: card },
        { attachments: [], contactCard: { ...card, phones: [] } }
      ]),
      context()
    )
    expect(api.calls.map(({ method, parameters: { chat_id: _, ...parameters } }) => [method, parameters])).toEqual([
      ["sendLocation", place],
      ["sendVenue", { ...place, title: "Office", address: "Main Street 1" }],
      [
        "sendContact",
        {
          phone_number: "+34600000000",
          first_name: "Ana; Example",
          vcard: "BEGIN:VCARD\nVERSION:3.0\nFN:Ana\\; Example\nTEL:+34600000000\nEMAIL:ana@example.com\nEND:VCARD"
        }
      ],
      ["sendMessage", { text: "Ana; Example\nana@example.com" }]
    ])
  })
})

describe("changes", () => {
  const ids = ["5550001:35", "5550001:36"]

  test("the text of a message, and deletes what is over", async () => {
    const result = await channel().send(
      { ...base(), kind: "edit", platformIds: ids, messages: [text("**b**", "markdown")] },
      context()
    )
    expect(result).toEqual({ outcome: "accepted", platformIds: ["5550001:35"] })
    expect(api.calls.map(({ method, parameters }) => [method, parameters])).toEqual([
      ["editMessageText", { chat_id: "5550001", message_id: 35, text: "<b>b</b>", parse_mode: "HTML" }],
      ["deleteMessage", { chat_id: "5550001", message_id: 36 }]
    ])
  })

  test("a caption", async () => {
    await channel().send({ ...base(), kind: "edit", platformIds: [ids[0]!], messages: [file("image/png")] }, context())
    expect(lastCall()).toMatchObject({ method: "editMessageCaption", parameters: { caption: "See" } })
  })

  test("nothing when the new text needs more messages", async () => {
    const result = await channel().send(
      { ...base(), kind: "edit", platformIds: [ids[0]!], messages: [text("1"), text("2")] },
      context()
    )
    expect(result).toMatchObject({ outcome: "refused", code: "tooLong" })
    expect(api.calls).toEqual([])
  })

  test("what is already as it should be is done", async () => {
    const description = "Bad Request: message to delete not found"
    api.tell({ status: 400, body: { ok: false, error_code: 400, description } })
    const result = await channel().send({ ...base(), kind: "delete", platformIds: ids }, context())
    expect(result).toEqual({ outcome: "accepted", platformIds: ids })
    expect(api.calls).toHaveLength(2)
  })

  test("a reaction, and takes it back", async () => {
    for (const emoji of ["👍", null])
      await channel().send({ ...base(), kind: "reaction", platformId: ids[0]!, emoji }, context())
    expect(api.calls.map(({ parameters }) => parameters.reaction)).toEqual([[{ type: "emoji", emoji: "👍" }], []])
  })

  test("a message that is none of Telegram's is refused", async () => {
    for (const kind of ["delete", "reaction"] as const) {
      const outbound = { ...base(), kind, platformIds: ["x"], platformId: "x", emoji: null } as Outbound.Outbound
      expect(await channel().send(outbound, context())).toMatchObject({ outcome: "refused", code: "unknownMessage" })
    }
  })

  test("an account that isn't configured is refused", async () => {
    const outbound = { ...toMessage([text("a")]), account: { ...account(), id: Id.ChannelAccountId.parse("x") } }
    expect(await channel().send(outbound, context())).toMatchObject({ outcome: "refused", code: "unknownAccount" })
  })
})

describe("fails", () => {
  const send = (more: Partial<Outbound.OutboundMessage> = {}, with_: Partial<Outbound.CallContext> = {}) =>
    channel().send(toMessage([text("1"), text("2"), text("3")], more), context(with_))

  test("with the wait that Telegram asks for, and what was sent until then", async () => {
    const body = {
      ok: false,
      error_code: 429,
      description: "Too Many Requests: retry after 5",
      parameters: { retry_after: 5 }
    }
    api.tell({ body: { ok: true, result: { message_id: 7, chat: { id: 5550001 } } } }, { status: 429, body })
    expect(await send()).toEqual({
      outcome: "unavailable",
      code: "429",
      message: "Too Many Requests: retry after 5",
      retryAfterMs: 5_000,
      platformIds: ["5550001:7"]
    })
    expect(await send({ alreadySent: 1 })).toMatchObject({ outcome: "accepted", platformIds: { length: 2 } })
    expect(api.calls.map(({ parameters }) => parameters.text)).toEqual(["1", "2", "2", "3"])
  })

  test("for good when the contact blocked the bot", async () => {
    api.tell({
      status: 403,
      body: { ok: false, error_code: 403, description: "Forbidden: bot was blocked by the user" }
    })
    expect(await send()).toEqual({
      outcome: "refused",
      code: "403",
      message: "Forbidden: bot was blocked by the user",
      platformIds: []
    })
  })

  test("for now when Telegram has trouble", async () => {
    api.tell({ status: 502, body: "<html>Bad Gateway</html>" })
    expect(await send()).toMatchObject({ outcome: "unavailable", code: "502" })
  })

  test("without knowing when the connection breaks", async () => {
    api.tell("break")
    expect(await send()).toMatchObject({ outcome: "unknown", platformIds: [] })
  })

  test("for now when a harmless call breaks", async () => {
    api.tell("break")
    expect(await channel().send({ ...base(), kind: "typing" }, context())).toMatchObject({ outcome: "unavailable" })
  })

  test("without the token in what it says", async () => {
    api.tell({ status: 401, body: { ok: false, error_code: 401, description: `Unauthorized: ${token}` } })
    expect(JSON.stringify(await send())).not.toContain(token)
    api.stop()
    const result = await send()
    expect(result).toMatchObject({ outcome: "unavailable" })
    expect(JSON.stringify(result)).not.toContain(token)
  })

  test("for now when an attachment can't be read, without a call", async () => {
    const unreadable = context({ readAttachment: () => Promise.reject(new Error("gone")) })
    expect(await channel().send(toMessage([file("image/png")]), unreadable)).toMatchObject({
      outcome: "unavailable",
      code: "attachmentUnreadable"
    })
    expect(api.calls).toEqual([])
  })
})

describe("fetch", () => {
  const get = (ref: string) => channel().fetch!(ref, account(), context())

  test("gives bytes, name and type", async () => {
    api.files.set("f1", { path: "photos/file_3.jpg", bytes: new Uint8Array([9]) })
    expect(await get("f1")).toEqual({
      outcome: "fetched",
      bytes: new Uint8Array([9]),
      mediaType: "image/jpeg",
      name: "file_3.jpg"
    })
  })

  test("refuses what is too large, announced or not", async () => {
    api.files.set("f1", { path: "videos/a.mp4", size: 21 * 1024 * 1024, bytes: new Uint8Array([9]) })
    expect(await get("f1")).toMatchObject({ outcome: "refused", code: "tooLarge" })
    api.files.set("f1", { path: "videos/a.mp4", bytes: new Uint8Array(20 * 1024 * 1024 + 1) })
    expect(await get("f1")).toMatchObject({ outcome: "refused", code: "tooLarge" })
  })

  test("refuses a path that leads outside, and what Telegram doesn't know", async () => {
    api.files.set("f1", { path: "../secrets", bytes: new Uint8Array([9]) })
    expect(await get("f1")).toMatchObject({ outcome: "refused", code: "badPath" })
    expect(await get("unknown")).toEqual({
      outcome: "refused",
      code: "400",
      message: "Bad Request: invalid file_id"
    })
  })
})
