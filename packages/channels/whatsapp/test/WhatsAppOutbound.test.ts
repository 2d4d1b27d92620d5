import type { Outbound, Rendering } from "@switchboard/channel"
import { type Attachment, Id } from "@switchboard/conversation"
import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest"
import { whatsapp } from "../src/index.ts"
import { accessToken, config, startPlatform } from "./Platform.ts"

let platform: Awaited<ReturnType<typeof startPlatform>>
beforeAll(async () => {
  platform = await startPlatform()
})
afterAll(() => platform.stop())
beforeEach(() => {
  platform.asked.length = 0
  platform.answers.length = 0
})

const bytes = new TextEncoder().encode("the bytes of a file")
const context = (others: Partial<Outbound.CallContext> = {}): Outbound.CallContext => ({
  idempotencyKey: "key-1",
  attempt: 1,
  nowMs: 1_749_416_400_000,
  signal: new AbortController().signal,
  readAttachment: () => Promise.resolve(bytes),
  ...others
})

const channel = () => whatsapp({ ...config, apiUrl: platform.apiUrl })
const recipient = { kind: "phone", value: "+16505551234" }

const base = () => {
  const account = channel().accounts[0]!
  return {
    account,
    recipient,
    thread: {
      id: Id.ThreadId.parse("t1"),
      channelKind: "whatsapp",
      accountId: account.id,
      audience: "private" as const,
      key: "US.1",
      recipients: [recipient],
      openedAtMs: 0
    }
  }
}

const message = (
  messages: ReadonlyArray<Rendering.RenderedMessage>,
  others: Partial<Outbound.OutboundMessage> = {}
): Outbound.OutboundMessage => ({
  ...base(),
  kind: "message",
  conversationId: Id.ConversationId.parse("c1"),
  messageId: Id.MessageId.parse("m1"),
  deliveryId: Id.DeliveryId.parse("d1"),
  purpose: "service",
  messages,
  alreadySent: 0,
  references: [],
  cc: [],
  automatic: false,
  ...others
})

const say = (body: string, format: "plain" | "markdown" = "plain"): Rendering.RenderedMessage => ({
  text: { body, format },
  attachments: []
})
const file = (others: Partial<Attachment.Attachment> = {}): Attachment.Attachment => ({
  id: Id.AttachmentId.parse("a1"),
  name: "invoice.pdf",
  mediaType: "application/pdf",
  state: "stored",
  ...others
})

const common = {
  messaging_product: "whatsapp",
  recipient_type: "individual",
  to: "16505551234",
  biz_opaque_callback_data: "d1"
}

describe("what is sent", () => {
  const options = (count: number) =>
    Array.from({ length: count }, (_, index) => ({ id: `o${index}`, label: `Option ${index}` }))
  const list = (count: number) => ({
    button: "Options",
    sections: [{ rows: options(count).map(({ id, label }) => ({ id, title: label })) }]
  })

  test.each<[string, Rendering.RenderedMessage, Record<string, unknown>]>([
    ["text as it is", say("2 * 3"), { type: "text", text: { body: "2 * 3", preview_url: false } }],
    [
      "Markdown in WhatsApp's signs, with a preview of its link",
      say("See **https://example.com**", "markdown"),
      { type: "text", text: { body: "See *https://example.com*", preview_url: true } }
    ],
    [
      "up to three options as buttons",
      { ...say("Did it help?"), choices: options(3) },
      {
        type: "interactive",
        interactive: {
          type: "button",
          body: { text: "Did it help?" },
          action: { buttons: options(3).map(({ id, label }) => ({ type: "reply", reply: { id, title: label } })) }
        }
      }
    ],
    [
      "more options as a list",
      { ...say("Which one?"), choices: options(4) },
      { type: "interactive", interactive: { type: "list", body: { text: "Which one?" }, action: list(4) } }
    ],
    [
      "two options under a long text as a list, which takes it",
      { ...say("x".repeat(1025)), choices: options(2) },
      { type: "interactive", interactive: { type: "list", body: { text: "x".repeat(1025) }, action: list(2) } }
    ],
    [
      "a template with its parameters",
      { attachments: [], template: { name: "order_update", language: "pt-BR", parameters: ["Ana", "A-17"] } },
      {
        type: "template",
        template: {
          name: "order_update",
          language: { code: "pt_BR" },
          components: [
            {
              type: "body",
              parameters: [
                { type: "text", text: "Ana" },
                { type: "text", text: "A-17" }
              ]
            }
          ]
        }
      }
    ],
    [
      "a template without parameters",
      { attachments: [], template: { name: "hello_world", language: "en_US", parameters: [] } },
      { type: "template", template: { name: "hello_world", language: { code: "en_US" } } }
    ],
    [
      "a place",
      { attachments: [], location: { latitude: 40.4, longitude: -3.7, name: "Shop" } },
      { type: "location", location: { latitude: 40.4, longitude: -3.7, name: "Shop" } }
    ],
    [
      "a contact card",
      { attachments: [], contactCard: { name: "Bo", phones: ["+34600111222"], emails: [] } },
      {
        type: "contacts",
        contacts: [{ name: { formatted_name: "Bo", first_name: "Bo" }, phones: [{ phone: "+34600111222" }] }]
      }
    ]
  ])("%s", async (_, rendered, expected) => {
    const result = await channel().send(message([rendered]), context())
    expect(result).toMatchObject({ outcome: "accepted", platformIds: [expect.stringMatching(/^wamid\.sent-/)] })
    expect(platform.lastBody()).toEqual({ ...common, ...expected })
    expect(platform.asked[0]).toMatchObject({
      method: "POST",
      path: "/v26.0/106540352242922/messages",
      authorization: `Bearer ${accessToken}`
    })
  })

  test.each([
    ["application/pdf", "document", { filename: "invoice.pdf", caption: "Yours" }],
    ["image/png", "image", { caption: "Yours" }],
    ["video/mp4", "video", { caption: "Yours" }],
    ["audio/ogg", "audio", {}]
  ])("a file of %s: uploaded, then sent as %s", async (mediaType, type, expected) => {
    const rendered = { attachments: [{ attachment: file({ mediaType }), caption: "Yours" }] }
    expect(await channel().send(message([rendered]), context())).toMatchObject({ outcome: "accepted" })
    const [uploaded, sent] = platform.asked
    expect(uploaded?.path).toBe("/v26.0/106540352242922/media")
    for (const part of ["whatsapp", mediaType, 'filename="invoice.pdf"', "the bytes of a file"])
      expect(uploaded?.body).toContain(part)
    expect(JSON.parse(sent?.body ?? "")).toMatchObject({
      type,
      [type]: { id: expect.stringMatching(/^media-/), ...expected }
    })
    expect(platform.asked).toHaveLength(2)
  })

  test("a text that grows beyond the limit goes with Markdown's own signs", async () => {
    const body = "# a\n".repeat(1000)
    await channel().send(message([say(body, "markdown")]), context())
    expect(platform.lastBody()).toMatchObject({ text: { body } })
  })

  test("a person without a phone number, by user id", async () => {
    await channel().send(message([say("Hi")], { recipient: { kind: "whatsapp", value: "US.1" } }), context())
    expect(platform.lastBody()).toMatchObject({ recipient: "US.1" })
    expect(platform.lastBody()).not.toHaveProperty("to")
  })

  test("only the first part quotes", async () => {
    await channel().send(message([say("1"), say("2")], { replyToPlatformId: "wamid.9" }), context())
    const [first, second] = platform.asked.map(({ body }) => JSON.parse(body))
    expect(first).toMatchObject({ context: { message_id: "wamid.9" } })
    expect(second).not.toHaveProperty("context")
  })

  test("from the second account, by its own number", async () => {
    const account = channel().accounts[1]!
    await channel().send(message([say("Hi")], { account }), context())
    expect(platform.asked[0]?.path).toBe("/v26.0/109876543210987/messages")
  })

  test("a reaction, and its end", async () => {
    const reaction = { ...base(), kind: "reaction" as const, platformId: "wamid.9" }
    for (const emoji of ["👍", null]) {
      expect(await channel().send({ ...reaction, emoji }, context())).toEqual({ outcome: "accepted", platformIds: [] })
      expect(platform.lastBody()).toMatchObject({
        type: "reaction",
        reaction: { message_id: "wamid.9", emoji: emoji ?? "" }
      })
    }
  })

  test("that a message was read, and that somebody is typing", async () => {
    await channel().send({ ...base(), kind: "read", platformId: "wamid.9" }, context())
    const read = { messaging_product: "whatsapp", status: "read", message_id: "wamid.9" }
    expect(platform.lastBody()).toEqual(read)
    await channel().send({ ...base(), kind: "typing", platformId: "wamid.9" }, context())
    expect(platform.lastBody()).toEqual({ ...read, typing_indicator: { type: "text" } })
    const without = await channel().send({ ...base(), kind: "typing" }, context())
    expect(without).toMatchObject({ outcome: "refused", code: "noMessage" })
  })
})

describe("what the platform answers", () => {
  const error = (code: number, others: Record<string, unknown> = {}) => ({
    error: { code, message: `(#${code}) Something`, type: "OAuthException", fbtrace_id: "Az8or2yhqkZfEZ", ...others }
  })
  const sendWith = (status: number, body: unknown, headers: Record<string, string> = {}) => {
    platform.answers.push({ status, body, headers })
    return channel().send(message([say("Hi")]), context())
  }

  test.each([
    [400, 131047, "refused"],
    [400, 131026, "refused"],
    [400, 132001, "refused"],
    [400, 100, "refused"],
    [403, 10, "refused"],
    [403, 368, "refused"],
    [400, 130429, "unavailable"],
    [400, 131056, "unavailable"],
    [400, 80007, "unavailable"],
    [400, 4, "unavailable"],
    [503, 2, "unavailable"],
    [500, 131000, "unavailable"],
    [500, 131016, "unavailable"],
    [401, 190, "unavailable"],
    [429, 999, "unavailable"]
  ])("status %i, code %i: %s", async (status, code, outcome) => {
    expect(await sendWith(status, error(code))).toMatchObject({ outcome, code: String(code), platformIds: [] })
  })

  test("says what to do beside what the platform says", async () => {
    const result = await sendWith(400, error(131047, { error_data: { details: "More than 24 hours have passed." } }))
    expect(result).toMatchObject({
      message:
        "The contact last wrote more than 24 hours ago: send a template. (#131047) Something More than 24 hours have passed."
    })
  })

  test("how long to wait, by the header or by the pair's own limit", async () => {
    expect(await sendWith(429, error(4), { "retry-after": "30" })).toMatchObject({ retryAfterMs: 30_000 })
    expect(await sendWith(400, error(131056))).toMatchObject({ retryAfterMs: 6000 })
  })

  test("a transient error of any code can be tried again", async () => {
    expect(await sendWith(400, error(1, { is_transient: true }))).toMatchObject({ outcome: "unavailable" })
  })

  test("an answer that is not as documented, or none at all, leaves open whether it was sent", async () => {
    expect(await sendWith(200, { messages: [] })).toMatchObject({ outcome: "unknown" })
    platform.answers.push("hangUp")
    expect(await channel().send(message([say("Hi")]), context())).toMatchObject({ outcome: "unknown" })
  })

  test("a platform that can't be reached has seen nothing", async () => {
    const gone = await startPlatform()
    await gone.stop()
    const nowhere = whatsapp({ ...config, apiUrl: gone.apiUrl })
    expect(await nowhere.send(message([say("Hi")]), context())).toMatchObject({ outcome: "unavailable" })
  })

  test("the access token is in no message", async () => {
    const result = await sendWith(401, error(190, { message: `Bad token ${accessToken}` }))
    expect(JSON.stringify(result)).not.toContain(accessToken)
    expect(JSON.stringify(result)).toContain("WHATSAPP_ACCESS_TOKEN")
  })
})

describe("a message in parts", () => {
  const parts = [say("1"), say("2"), say("3")]

  test("a failure names what was sent before, and the next attempt goes on there", async () => {
    platform.answers.push(
      { status: 200, body: { messages: [{ id: "wamid.a" }] } },
      { status: 503, body: {}, headers: { "retry-after": "1" } }
    )
    const failed = await channel().send(message(parts), context())
    expect(failed).toMatchObject({ outcome: "unavailable", platformIds: ["wamid.a"], retryAfterMs: 1000 })
    platform.asked.length = 0
    const rest = await channel().send(message(parts, { alreadySent: 1 }), context({ attempt: 2 }))
    expect(rest).toMatchObject({ outcome: "accepted", platformIds: [expect.any(String), expect.any(String)] })
    expect(platform.asked.map(({ body }) => JSON.parse(body).text.body)).toEqual(["2", "3"])
  })

  test("a file that is too large stops it before anything is sent", async () => {
    const large = { attachments: [{ attachment: file({ mediaType: "image/png", sizeBytes: 6_000_000 }) }] }
    const result = await channel().send(message([say("Look:"), large]), context())
    expect(result).toMatchObject({ outcome: "refused", code: "mediaTooLarge" })
    expect(platform.asked).toEqual([])
  })

  test("a file whose bytes are not there is tried again, and a broken upload has sent nothing", async () => {
    const rendered = [say("Look:"), { attachments: [{ attachment: file() }] }]
    const readAttachment = () => Promise.reject(new Error("no blob"))
    expect(await channel().send(message(rendered), context({ readAttachment }))).toMatchObject({
      outcome: "unavailable",
      code: "attachmentUnreadable",
      platformIds: [expect.any(String)]
    })
    platform.answers.push({ status: 200, body: { messages: [{ id: "wamid.a" }] } }, "hangUp")
    expect(await channel().send(message(rendered), context())).toMatchObject({
      outcome: "unavailable",
      platformIds: ["wamid.a"]
    })
  })

  test("nothing to send, and nobody to send to", async () => {
    expect(await channel().send(message([{ attachments: [] }]), context())).toMatchObject({ code: "nothingToSend" })
    const stranger = message([say("Hi")], { recipient: { kind: "email", value: "ana@example.com" } })
    expect(await channel().send(stranger, context())).toMatchObject({ outcome: "refused", code: "unknownRecipient" })
  })
})
