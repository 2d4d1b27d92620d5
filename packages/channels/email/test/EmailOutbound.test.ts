import { once } from "node:events"
import { type AddressInfo, createServer, type Socket } from "node:net"
import type { Channel, Outbound } from "@switchboard/channel"
import { Attachment, Id, Thread } from "@switchboard/conversation"
import type { SMTPServerOptions } from "smtp-server"
import { afterEach, describe, expect, test } from "vitest"
import { make } from "../src/EmailChannel.ts"
import { EmailLimits } from "../src/EmailConfig.ts"
import { make as makeParser } from "../src/EmailParser.ts"
import { config, input, ours, receivedAtMs, threadAddress } from "./Mails.ts"
import { standIn } from "./StandInServer.ts"

const stops: Array<() => Promise<unknown>> = []
afterEach(async () => {
  for (const stop of stops.splice(0)) await stop()
})

const start = async (options: SMTPServerOptions = {}) => {
  const server = await standIn(options)
  stops.push(server.stop)
  return { server, channel: make({ ...config, smtpUrl: server.url }, {}) }
}

const outbound = (
  channel: Channel.Channel,
  more: Partial<Outbound.OutboundMessage> = {}
): Outbound.OutboundMessage => ({
  kind: "message",
  account: channel.accounts[0]!,
  thread: Thread.Thread.parse({
    id: "thread-42",
    channelKind: "email",
    accountId: "support",
    audience: "private",
    key: "<m1@customer.example>",
    recipients: [{ kind: "email", value: "ana@customer.example" }],
    subject: "Where is my order?",
    openedAtMs: 0
  }),
  conversationId: Id.ConversationId.parse("conversation-1"),
  messageId: Id.MessageId.parse("message-1"),
  deliveryId: Id.DeliveryId.parse("delivery-1"),
  recipient: { kind: "email", value: "ana@customer.example" },
  purpose: "service",
  messages: [{ text: { body: "It is **on its way**.", format: "markdown" }, attachments: [] }],
  alreadySent: 0,
  references: ["<m1@customer.example>"],
  cc: [],
  automatic: false,
  ...more
})

const context = (more: Partial<Outbound.CallContext> = {}): Outbound.CallContext => ({
  idempotencyKey: "delivery-1",
  attempt: 1,
  nowMs: receivedAtMs,
  signal: new AbortController().signal,
  readAttachment: async () => new TextEncoder().encode("%PDF-1.4"),
  ...more
})

const headers = (raw: string): ReadonlyMap<string, string> =>
  new Map(
    raw
      .split("\r\n\r\n")[0]!
      .replace(/\r\n[ \t]+/g, " ")
      .split("\r\n")
      .map((line) => [line.slice(0, line.indexOf(":")).toLowerCase(), line.slice(line.indexOf(":") + 1).trim()])
  )

describe("a letter", () => {
  test("is threaded, signed for answers, and readable as text and HTML", async () => {
    const { server, channel } = await start()
    expect(await channel.send(outbound(channel), context())).toEqual({ outcome: "accepted", platformIds: [ours] })
    const [{ from, to, raw }] = server.taken as [(typeof server.taken)[0]]
    expect({ from, to }).toEqual({ from: threadAddress, to: ["ana@customer.example"] })
    expect(Object.fromEntries(headers(raw))).toMatchObject({
      from: "Example Support <support@example.com>",
      to: "ana@customer.example",
      "reply-to": threadAddress,
      subject: "Re: Where is my order?",
      "message-id": ours,
      "in-reply-to": "<m1@customer.example>",
      references: "<m1@customer.example>",
      date: "Mon, 05 May 2025 12:00:00 +0000",
      "x-switchboard": ours.slice(1, ours.indexOf("@"))
    })
    expect(headers(raw).has("auto-submitted")).toBe(false)
    const read = await makeParser(EmailLimits.parse({})).parse(Buffer.from(raw))
    expect(read.ok && [read.value.text, read.value.html?.trim()]).toEqual([
      "It is on its way.",
      "<p>It is <strong>on its way</strong>.</p>"
    ])
  })

  test("comes back as no message, so that no loop starts", async () => {
    const { server, channel } = await start()
    await channel.send(outbound(channel), context())
    const decoded = await channel.decode(input(Buffer.from(server.taken[0]!.raw)))
    expect(decoded.ok && decoded.value).toMatchObject([{ kind: "unsupported" }])
  })

  test("says that a program wrote it", async () => {
    const { server, channel } = await start()
    await channel.send(outbound(channel, { automatic: true }), context())
    const found = headers(server.taken[0]!.raw)
    expect([found.get("auto-submitted"), found.get("x-auto-response-suppress")]).toEqual(["auto-replied", "All"])
  })

  test("carries files, copies and the author's name; copies to our own accounts are left out", async () => {
    const { server, channel } = await start()
    const attachment = Attachment.Attachment.parse({
      id: "a",
      name: "Übersicht.pdf",
      mediaType: "application/pdf",
      state: "stored"
    })
    await channel.send(
      outbound(channel, {
        authorName: "Marta Díaz",
        cc: [
          { kind: "email", value: "Bob@customer.example" },
          { kind: "email", value: "sales+x@example.com" },
          { kind: "phone", value: "+34600000000" }
        ],
        messages: [{ text: { body: "Hello", format: "plain" }, attachments: [{ attachment, caption: "The papers" }] }]
      }),
      context()
    )
    const [{ raw, to }] = server.taken as [(typeof server.taken)[0]]
    expect(to).toEqual(["ana@customer.example", "bob@customer.example"])
    const read = await makeParser(EmailLimits.parse({})).parse(Buffer.from(raw))
    if (!read.ok) throw new Error(read.error.message)
    expect(read.value.from).toEqual([{ name: "Marta Díaz (Example Support)", address: "support@example.com" }])
    expect(read.value.text).toBe("Hello\n\nThe papers")
    expect(read.value.attachments.map(({ name, bytes }) => [name, Buffer.from(bytes).toString()])).toEqual([
      ["Übersicht.pdf", "%PDF-1.4"]
    ])
  })

  test("has the subject as it is when it starts the exchange, and the account's name without one", async () => {
    const { server, channel } = await start()
    const { thread, ...rest } = outbound(channel)
    await channel.send({ ...rest, thread, references: [] }, context())
    await channel.send({ ...rest, thread: { ...thread, subject: "" } }, context())
    await channel.send({ ...rest, thread: { ...thread, subject: "AW: Rechnung" } }, context())
    expect(server.taken.map(({ raw }) => headers(raw).get("subject"))).toEqual([
      "Where is my order?",
      "Example Support",
      "AW: Rechnung"
    ])
  })

  test("takes no header from what people wrote", async () => {
    const { server, channel } = await start()
    const evil = "x\r\nBcc: eve@evil.example\r\n\r\nbody"
    const { thread, ...rest } = outbound(channel, {
      authorName: evil,
      references: [`<a@b>\r\nBcc: eve@evil.example`, `<a b@c>`, evil],
      replyToPlatformId: evil,
      cc: [{ kind: "email", value: "bob@customer.example\r\nRCPT TO:<eve@evil.example>" }],
      messages: [
        {
          text: { body: evil, format: "plain" },
          attachments: [
            {
              attachment: Attachment.Attachment.parse({
                id: "a",
                name: evil,
                mediaType: "text/plain\r\nBcc: eve@evil.example",
                state: "stored",
                contentId: evil
              })
            }
          ]
        }
      ]
    })
    const result = await channel.send({ ...rest, thread: { ...thread, subject: evil } }, context())
    expect(result.outcome).toBe("accepted")
    expect(server.taken[0]!.to).toEqual(["ana@customer.example"])
    const raw = server.taken[0]!.raw
    expect(headers(raw).has("bcc")).toBe(false)
    expect(raw.split("\r\n").filter((line) => line.startsWith("Bcc:"))).toEqual(["Bcc: eve@evil.example"])
    expect(await channel.send({ ...rest, thread, recipient: { kind: "email", value: evil } }, context())).toMatchObject(
      {
        outcome: "refused",
        code: "noEmailAddress"
      }
    )
  })
})

describe("what the mail server says", () => {
  const refuse = (responseCode: number): SMTPServerOptions => ({
    onRcptTo: (_, __, done) => done(Object.assign(new Error("no"), { responseCode }))
  })
  const refuseData = (responseCode: number): SMTPServerOptions => ({
    onData: (stream, _, done) => {
      stream.resume()
      stream.on("end", () => done(Object.assign(new Error("no"), { responseCode })))
    }
  })

  test.each([
    ["550 for the recipient", refuse(550), { outcome: "refused", code: "smtp550" }],
    ["450 for the recipient", refuse(450), { outcome: "unavailable", code: "smtp450" }],
    ["554 for the letter", refuseData(554), { outcome: "refused", code: "smtp554" }],
    ["451 for the letter", refuseData(451), { outcome: "unavailable", code: "smtp451" }],
    ["530 for want of a login", refuse(530), { outcome: "unavailable", code: "smtp530" }]
  ])("%s", async (_, options, expected) => {
    const { channel } = await start(options)
    expect(await channel.send(outbound(channel), context())).toMatchObject({ ...expected, platformIds: [] })
  })

  test("a refused copy does not fail the letter, a refused recipient does", async () => {
    const { channel } = await start({
      onRcptTo: ({ address }, _, done) =>
        done(address.startsWith("bob") ? Object.assign(new Error("no"), { responseCode: 550 }) : null)
    })
    const cc = [{ kind: "email", value: "bob@customer.example" }]
    expect(await channel.send(outbound(channel, { cc }), context())).toMatchObject({ outcome: "accepted" })
    const swapped = outbound(channel, { recipient: cc[0]!, cc: [{ kind: "email", value: "ana@customer.example" }] })
    expect(await channel.send(swapped, context())).toMatchObject({ outcome: "refused", code: "smtp550" })
  })

  test("a server that is not there is unavailable, and nothing of the login is told", async () => {
    const channel = make({ ...config, smtpUrl: "smtp://desk:pa55word@127.0.0.1:1" }, {})
    const result = await channel.send(outbound(channel), context())
    expect(result).toMatchObject({ outcome: "unavailable" })
    expect(JSON.stringify(result)).not.toContain("pa55word")
  })

  test("a wrong login is unavailable: the message may still be sent with the right one", async () => {
    const server = await standIn({
      disabledCommands: ["STARTTLS"],
      allowInsecureAuth: true,
      onAuth: (_, __, done) => done(new Error("wrong"))
    })
    stops.push(server.stop)
    const channel = make({ ...config, smtpUrl: server.url.replace("//", "//desk:pa55word@") }, {})
    expect(await channel.send(outbound(channel), context())).toMatchObject({ outcome: "unavailable", code: "smtp535" })
  })

  /** A server that speaks until a certain command and then behaves as told. */
  const breaking = async (at: string, how: (socket: Socket) => void) => {
    const server = createServer((socket) => {
      socket.on("error", () => undefined)
      socket.write("220 x\r\n")
      let inData = false
      socket.on("data", (chunk) => {
        const text = String(chunk)
        if (inData) {
          if (at === "body" || (at === "end" && text.endsWith("\r\n.\r\n"))) how(socket)
        } else if (text.startsWith(at)) how(socket)
        else if (text.startsWith("DATA")) {
          inData = true
          socket.write("354 go\r\n")
        } else socket.write("250 ok\r\n")
      })
    })
    server.listen(0, "127.0.0.1")
    await once(server, "listening")
    const sockets = new Set<Socket>()
    server.on("connection", (socket) => sockets.add(socket))
    stops.push(async () => {
      for (const socket of sockets) socket.destroy()
      server.close()
    })
    return make({ ...config, smtpUrl: `smtp://127.0.0.1:${(server.address() as AddressInfo).port}` }, {})
  }

  test.each([
    ["before the letter", "RCPT", "unavailable"],
    ["before the body", "DATA", "unavailable"],
    ["in the body", "body", "unknown"],
    ["before the answer", "end", "unknown"]
  ])("a connection that breaks %s", async (_, at, outcome) => {
    const channel = await breaking(at, (socket) => socket.destroy())
    expect(await channel.send(outbound(channel), context())).toMatchObject({ outcome })
  })

  test.each([
    ["before the body", "DATA", "unavailable"],
    ["after it", "end", "unknown"]
  ])("time that runs out %s", async (_, at, outcome) => {
    const controller = new AbortController()
    const channel = await breaking(at, () => controller.abort())
    expect(await channel.send(outbound(channel), context({ signal: controller.signal }))).toMatchObject({
      outcome,
      code: "timeout"
    })
  })
})

describe("refused before any connection", () => {
  const channel = make(config, {})
  test.each([
    ["a phone number", { recipient: { kind: "phone", value: "+34600000000" } }, "noEmailAddress"],
    ["an account of the desk", { recipient: { kind: "email", value: "Sales+x@example.com" } }, "ownAccount"],
    [
      "an account that is gone",
      { account: { ...channel.accounts[0]!, id: Id.ChannelAccountId.parse("gone") } },
      "unknownAccount"
    ]
  ])("%s", async (_, more, code) => {
    expect(await channel.send(outbound(channel, more), context())).toMatchObject({ outcome: "refused", code })
  })
})

test("after a failure in between, the ids so far are told and a repeat goes on there", async () => {
  let letters = 0
  const { server, channel } = await start({
    onMailFrom: (_, __, done) => done(++letters === 2 ? Object.assign(new Error("busy"), { responseCode: 421 }) : null)
  })
  const messages = ["one", "two"].map((body) => ({ text: { body, format: "plain" as const }, attachments: [] }))
  const first = await channel.send(outbound(channel, { messages }), context())
  expect(first).toMatchObject({ outcome: "unavailable", platformIds: [ours] })
  const second = await channel.send(outbound(channel, { messages, alreadySent: 1 }), context({ attempt: 2 }))
  expect(second).toMatchObject({ outcome: "accepted" })
  expect(server.taken).toHaveLength(2)
})

test("a file that can't be read now is tried again later", async () => {
  const { channel } = await start()
  const attachment = Attachment.Attachment.parse({ id: "a", mediaType: "text/plain", state: "stored" })
  const failing = context({ readAttachment: () => Promise.reject(new Error("gone")) })
  expect(
    await channel.send(outbound(channel, { messages: [{ attachments: [{ attachment }] }] }), failing)
  ).toMatchObject({
    outcome: "unavailable",
    code: "attachmentUnreadable"
  })
})
