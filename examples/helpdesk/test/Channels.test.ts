import { randomUUID } from "node:crypto"
import type { ContactThread } from "@switchboard/channel"
import { afterAll, beforeAll, describe, expect, it } from "vitest"
import { readHeaders } from "../src/sandbox/mail.ts"
import { toPicture } from "../src/sandbox/picture.ts"
import { openChat } from "../src/simulation/ChatVisitor.ts"
import type { DeskApi } from "../src/simulation/DeskApi.ts"
import { makeMailSender } from "../src/simulation/MailSender.ts"
import * as Telegram from "../src/simulation/TelegramSender.ts"
import * as WhatsApp from "../src/simulation/WhatsAppSender.ts"
import { detail, rows, startTestDesk, type TestDesk, until } from "./TestDesk.ts"

const acknowledged = { outcome: "acknowledged" } as const
const written = (text: string) => ({ parts: [{ kind: "text", text, format: "plain" }] })

let desk: TestDesk
let dalia: DeskApi

beforeAll(async () => {
  desk = await startTestDesk()
  dalia = await desk.as("dalia")
  await dalia.send("PUT", "/api/agents/dalia/presence", { status: "available" })
})
afterAll(() => desk?.stop())

const conversationOf = (name: string) =>
  until(`a conversation of ${name}`, async () => (await rows(dalia)).find((row) => row.contactName === name))

const sentTo = (to: string, text: string | RegExp) =>
  until(`"${text}" to ${to}`, () =>
    desk.sent.messages.find(
      (one) => one.to === to && (typeof text === "string" ? one.text === text : text.test(one.text))
    )
  )

describe("WhatsApp", () => {
  it("a message comes in, the bot and then an agent answer, and receipts come back as far as read", async () => {
    const contact = { phone: "34600111222", name: "Wanda" }
    const body = WhatsApp.toBody(contact, { kind: "text", id: "wamid.in.1", text: "I want a person" }, Date.now())
    expect(await WhatsApp.send(desk.url, body)).toEqual(acknowledged)
    // The platform delivers again what it is not sure of.
    expect(await WhatsApp.send(desk.url, body)).toEqual(acknowledged)
    await sentTo(contact.phone, "Of course. A person will be with you.")
    const { conversationId } = await conversationOf("Wanda")
    await dalia.send("POST", `/api/conversations/${conversationId}/pick`)
    const { messageId } = await dalia.send<{ messageId: string }>(
      "POST",
      `/api/conversations/${conversationId}/replies`,
      written("Here I am.")
    )
    await sentTo(contact.phone, "Here I am.")
    const delivery = await until("the receipt", async () =>
      (await detail(dalia, conversationId)).messages
        .find((message) => message.id === messageId)
        ?.deliveries.find(({ state }) => state === "read")
    )
    expect(delivery.platformIds).toHaveLength(1)
    const found = await detail(dalia, conversationId)
    expect(found.messages.filter(({ direction }) => direction === "in")).toHaveLength(1)
    expect(found.contact?.addresses).toEqual([{ kind: "phone", value: "+34600111222", state: "verified" }])
  })

  it("a picture is fetched by its id and shown to agents; the bot's buttons come back as a choice", async () => {
    const contact = { phone: "34600111333", name: "Walter" }
    const picture = { kind: "image", id: "wamid.in.2", mediaId: "778899", caption: "Order 10234 came broken" } as const
    expect(await WhatsApp.send(desk.url, WhatsApp.toBody(contact, picture, Date.now()))).toEqual(acknowledged)
    const { conversationId } = await conversationOf("Walter")
    const { message, attachment } = await until("the picture", async () => {
      const message = (await detail(dalia, conversationId)).messages[0]!
      const attachment = message.attachments.find(({ state }) => state === "stored")
      return attachment && { message, attachment }
    })
    expect(attachment.mediaType).toBe("image/png")
    const cookie = await signInCookie()
    const shown = await fetch(`${desk.url}/api/messages/${message.id}/attachments/${attachment.id}`, {
      headers: { cookie }
    })
    expect(shown.headers.get("content-type")).toBe("image/png")
    expect(new Uint8Array(await shown.arrayBuffer())).toEqual(toPicture("778899"))

    const question = await sentTo(contact.phone, "Does that answer your question?")
    expect(question.buttons.map(({ id }) => id)).toEqual(["yes", "no"])
    const [{ id: buttonId, label }] = question.buttons as [{ id: string; label: string }]
    const press = { kind: "button", id: "wamid.in.3", buttonId, label, of: question.id } as const
    expect(await WhatsApp.send(desk.url, WhatsApp.toBody(contact, press, Date.now()))).toEqual(acknowledged)
    await sentTo(contact.phone, "Glad to hear it!")
    await until("the end", async () => (await detail(dalia, conversationId)).conversation.status === "resolved")
  })

  it("a wrong signature is refused and nothing is kept", async () => {
    const body = WhatsApp.toBody({ phone: "34600111444", name: "Mallory" }, { kind: "text", id: "x", text: "hi" }, 0)
    const answer = await fetch(`${desk.url}/channels/whatsapp/`, {
      method: "POST",
      headers: { "x-hub-signature-256": `sha256=${"0".repeat(64)}` },
      body
    })
    expect(answer.status).toBe(401)
    expect((await rows(dalia)).map((row) => row.contactName)).not.toContain("Mallory")
  })
})

const signInCookie = async (): Promise<string> => {
  const answer = await fetch(`${desk.url}/auth/sign-in`, {
    method: "POST",
    body: JSON.stringify({ agentId: "dalia", password: "switchboard" })
  })
  return answer.headers.get("set-cookie")!.split(";")[0]!
}

describe("Telegram", () => {
  const contact = { chatId: 5_550_001, name: "Teresa", language: "es" }
  const send = (event: Telegram.TelegramEvent) => Telegram.send(desk.url, Telegram.toBody(contact, event, Date.now()))

  it("a question is answered with a keyboard, a pressed button hands over, and the agent's answer goes out", async () => {
    expect(await send({ kind: "text", id: 501, text: "Where is 20456?" })).toEqual(acknowledged)
    const question = await sentTo("5550001", /Does that answer/)
    expect(question.raw).toMatchObject({
      reply_markup: {
        inline_keyboard: [
          [{ text: "Yes, thank you", callback_data: "yes" }],
          [{ text: "No, a person please", callback_data: "no" }]
        ]
      }
    })
    const label = "No, a person please"
    expect(await send({ kind: "button", id: 502, data: "no", label, ofMessageId: Number(question.id) })).toEqual(
      acknowledged
    )
    await sentTo("5550001", /A person will be with you/)
    const { conversationId } = await conversationOf("Teresa")
    const found = await detail(dalia, conversationId)
    expect(found.messages.at(-2)?.parts).toEqual([{ kind: "choice", id: "no", label }])
    expect(found.messages.at(-2)?.replyTo).toBe(found.messages.at(-3)?.id)
    await dalia.send("POST", `/api/conversations/${conversationId}/pick`)
    await dalia.send("POST", `/api/conversations/${conversationId}/replies`, written("It is at your door."))
    await sentTo("5550001", "It is at your door.")
  })

  it("a photo is fetched", async () => {
    expect(await send({ kind: "photo", id: 503, fileId: "AgAC-1", caption: "look" })).toEqual(acknowledged)
    const { conversationId } = await conversationOf("Teresa")
    const attachment = await until("the photo", async () =>
      (await detail(dalia, conversationId)).messages
        .flatMap(({ attachments }) => attachments)
        .find(({ state }) => state === "stored")
    )
    expect(attachment.sizeBytes).toBe(toPicture("AgAC-1.png").length)
  })
})

describe("e-mail", () => {
  it("a mail comes in by SMTP, the answer carries threading headers, and the answer to that finds its way back", async () => {
    const from = { name: "Emil", address: "emil@kunde.example" }
    const first = "<first-1@kunde.example>"
    const mail = { from, to: "support@shop.test", subject: "Rechnung", language: "de" }
    expect(await desk.write({ ...mail, text: "Wo ist meine Rechnung?", messageId: first })).toEqual(acknowledged)
    const { conversationId } = await conversationOf("Emil")
    expect((await detail(dalia, conversationId)).contact?.addresses).toEqual([
      { kind: "email", value: from.address, state: "verified" }
    ])
    await dalia.send("POST", `/api/conversations/${conversationId}/pick`)
    const picture = toPicture("invoice")
    await dalia.send("POST", `/api/conversations/${conversationId}/replies`, {
      ...written("Im Anhang."),
      attachments: [{ name: "invoice.png", mediaType: "image/png", base64: Buffer.from(picture).toString("base64") }]
    })
    const answer = await until("the answer", () => desk.sent.messages.find((one) => one.to === from.address))
    const headers = readHeaders(String(answer.raw))
    expect(headers.get("subject")).toBe("Re: Rechnung")
    expect(headers.get("in-reply-to")).toBe(first)
    expect(headers.get("references")).toBe(first)
    expect(headers.get("message-id")).toMatch(/^<[^<>@\s]+@shop\.test>$/)
    expect(String(answer.raw)).toContain("invoice.png")

    const replyTo = /support\+u[^@\s<>]+@shop\.test/.exec(headers.get("reply-to") ?? "")![0]
    const messageId = headers.get("message-id")!
    const back = {
      ...mail,
      to: replyTo,
      subject: "Re: Rechnung",
      text: "Danke!",
      messageId: "<second-1@kunde.example>"
    }
    expect(await desk.write({ ...back, inReplyTo: messageId, references: [first, messageId] })).toEqual(acknowledged)
    const found = await until("the second mail", async () => {
      const found = await detail(dalia, conversationId)
      return found.messages.length === 3 && found
    })
    expect(found.messages.map(({ direction }) => direction)).toEqual(["in", "out", "in"])
    expect(found.messages[2]?.replyTo).toBe(found.messages[1]?.id)
    expect(found.conversation.threads).toHaveLength(1)
  })

  it("a mail for nobody here is refused, one that can't be used is a dead letter with its reason", async () => {
    const from = { name: "Eva", address: "eva@kunde.example" }
    const mail = { from, subject: "hello", text: "hello", messageId: "<x@kunde.example>" }
    expect((await desk.write({ ...mail, to: "sales@shop.test" })).outcome).toBe("refused")
    const smtp = new URL(desk.smtpUrl)
    const sender = makeMailSender(smtp.hostname, Number(smtp.port))
    const raw = Buffer.from("Subject: nobody wrote this\r\n\r\nhello")
    expect(await sender.send({ from: "", to: "support@shop.test", raw })).toEqual(acknowledged)
    sender.close()
    const letters =
      await dalia.get<ReadonlyArray<{ code: string; reason: string; channelKind: string }>>("/api/dead-letters")
    expect(letters).toMatchObject([{ channelKind: "email", code: "unsupported" }])
    expect(letters[0]?.reason).toContain("no author")
  })
})

describe("web chat", () => {
  it("a visitor with a picture reads the answers in the thread and live, and reports what was read", async () => {
    const visitor = await openChat(desk.url, { name: "Victor", language: "en" })
    const clientId = randomUUID()
    const base64 = Buffer.from(toPicture("broken")).toString("base64")
    const message = {
      kind: "message",
      clientId,
      text: "It came broken, I want a human",
      attachments: [{ name: "broken.png", mediaType: "image/png", base64 }]
    } as const
    expect(await visitor.send([message])).toEqual(acknowledged)
    expect(await visitor.send([message])).toEqual(acknowledged)
    const page = await until("the bot's answer", async () => {
      const page = await visitor.thread()
      return page.messages.length >= 2 && page
    })
    expect(page.messages[0]).toMatchObject({ direction: "in", clientId, authorKind: "contact" })
    expect(page.messages[1]).toMatchObject({ direction: "out", authorKind: "bot", authorName: "Robin (bot)" })

    const leaving = new AbortController()
    const live = visitor.follow(page.head, leaving.signal)
    const next = live.next()
    next.catch(() => {})
    const { conversationId } = await conversationOf("Victor")
    await dalia.send("POST", `/api/conversations/${conversationId}/pick`)
    const { messageId } = await dalia.send<{ messageId: string }>(
      "POST",
      `/api/conversations/${conversationId}/replies`,
      written("A new one is on its way.")
    )
    const heard = (await next).value as ContactThread.ThreadMessage
    expect(heard).toMatchObject({ id: messageId, authorKind: "agent", authorName: "Dalia Haddad" })
    expect(heard.parts).toEqual([{ kind: "text", text: "A new one is on its way.", format: "plain" }])
    leaving.abort()
    await live.return(undefined).catch(() => {})

    expect(await visitor.send([{ kind: "read", messageId }])).toEqual(acknowledged)
    await until("the receipt", async () => {
      const found = (await detail(dalia, conversationId)).messages.find(({ id }) => id === messageId)
      return found?.deliveries[0]?.state === "read"
    })
    const again = await visitor.thread(page.head)
    expect(again.messages.map(({ id }) => id)).toEqual([messageId])
  })
})
