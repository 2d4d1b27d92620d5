import { randomUUID } from "node:crypto"
import type { OfferView } from "@switchboard/desk/DeskService"
import { afterEach, beforeEach, describe, expect, it } from "vitest"
import { openChat } from "../src/simulation/ChatVisitor.ts"
import type { DeskApi } from "../src/simulation/DeskApi.ts"
import * as WhatsApp from "../src/simulation/WhatsAppSender.ts"
import { detail, rows, said, startTestDesk, type TestDesk, until } from "./TestDesk.ts"

const email = "marta@cliente.example"
const phone = "34600555123"

let desk: TestDesk
let bruno: DeskApi

beforeEach(async () => {
  desk = await startTestDesk()
  bruno = await desk.as("bruno")
})
afterEach(() => desk?.stop())

/** Marta, by mail: the shop's mail server has checked that it is her. */
const writeMail = () =>
  desk.write({
    from: { name: "Marta Soler", address: email },
    to: "support@shop.test",
    subject: "Double payment",
    text: "My card was charged twice for order 10234.",
    messageId: "<double-1@cliente.example>",
    language: "en"
  })

/** The same Marta on the web, signed in to the shop. */
const writeChat = async (text: string) => {
  const visitor = await openChat(desk.url, { name: "Marta", language: "en", email })
  expect(await visitor.send([{ kind: "message", clientId: randomUUID(), text }])).toEqual({ outcome: "acknowledged" })
  return visitor
}

const beAvailable = () => bruno.send("PUT", "/api/agents/bruno/presence", { status: "available" })

const acceptOffer = async (): Promise<OfferView> => {
  const offer = await until("an offer", async () => (await bruno.get<ReadonlyArray<OfferView>>("/api/offers"))[0])
  await bruno.send("POST", `/api/offers/${offer.offerId}/accept`)
  return offer
}

/** What is promised, apart from the target that begins anew with each answer that is waited for. */
const clocks = async (conversationId: string) =>
  (await detail(bruno, conversationId)).clocks
    .filter(({ target }) => target !== "next-reply")
    .map(({ target, startedAtMs, dueAtMs }) => ({ target, startedAtMs, dueAtMs }))

describe("a double payment, from mail to chat to WhatsApp", () => {
  it("whoever holds the conversation goes on with it, wherever the contact writes", async () => {
    await beAvailable()
    expect(await writeMail()).toEqual({ outcome: "acknowledged" })
    const { conversationId, row } = await acceptOffer()
    expect(row).toMatchObject({ subject: "Double payment", channelKinds: ["email"] })
    const promised = await until("the clocks", async () => {
      const found = await clocks(conversationId)
      return found.length === 2 && found
    })

    const visitor = await writeChat("Any news about my double payment?")
    const chatted = await until("the chat in the conversation", async () => {
      const found = await detail(bruno, conversationId)
      return found.messages.length === 2 && found
    })
    expect(said(chatted)).toEqual([
      "contact: My card was charged twice for order 10234.",
      "contact: Any news about my double payment?"
    ])
    expect(chatted.conversation.threads.map(({ channelKind }) => channelKind)).toEqual(["email", "webchat"])
    expect(chatted.conversation.control.holder).toEqual({ kind: "agent", id: "bruno" })
    await until("the list", async () =>
      (await rows(bruno)).some(({ channelKinds }) => channelKinds.join() === "email,webchat")
    )

    // The agent answers in the chat, where she is now; only she reads it there, without the mail.
    await bruno.send("POST", `/api/conversations/${conversationId}/replies`, {
      parts: [{ kind: "text", text: "I have found it. May I have your number?", format: "plain" }]
    })
    const page = await until("the answer in the chat", async () => {
      const page = await visitor.thread()
      return page.messages.length === 2 && page
    })
    expect(page.messages.map(({ authorKind }) => authorKind)).toEqual(["contact", "agent"])

    // The number on the card is verified: an agent may only note one, the shop's system vouches for it.
    const { contactId } = chatted.conversation
    const root = await desk.as("root")
    await root.send("POST", `/api/contacts/${contactId}/commands`, {
      type: "AddAddress",
      address: { kind: "phone", value: `+${phone}`, state: "verified" }
    })
    const body = WhatsApp.toBody(
      { phone, name: "Marta" },
      { kind: "text", id: "wamid.marta.1", text: "Now from my phone." },
      Date.now()
    )
    expect(await WhatsApp.send(desk.url, body)).toEqual({ outcome: "acknowledged" })
    const moved = await until("WhatsApp in the conversation", async () => {
      const found = await detail(bruno, conversationId)
      return found.messages.length === 4 && found
    })
    expect(moved.conversation.threads.map(({ channelKind }) => channelKind)).toEqual(["email", "webchat", "whatsapp"])
    expect(moved.conversation.control.holder).toEqual({ kind: "agent", id: "bruno" })
    expect(moved.contact?.addresses.map(({ kind, state }) => `${kind} ${state}`).sort()).toEqual([
      "email verified",
      "phone verified",
      "visitor verified"
    ])
    expect(moved.others).toEqual([])
    expect(await clocks(conversationId)).toEqual(promised)

    await bruno.send("POST", `/api/conversations/${conversationId}/replies`, {
      parts: [{ kind: "text", text: "Your money is on its way.", format: "plain" }]
    })
    await until("the answer on WhatsApp", () =>
      desk.sent.messages.some(({ to, text }) => to === phone && text === "Your money is on its way.")
    )
    expect(await rows(bruno)).toHaveLength(1)
    // Nobody asked again: not even the bot that answers first in chats.
    expect(moved.messages.filter(({ author }) => author.kind === "bot")).toEqual([])
    // Nothing of it went out by mail, where she no longer is.
    expect(desk.sent.messages.filter(({ platform }) => platform === "email")).toEqual([])
  })

  it("while nobody has it, the offer for the chat shows that the matter is open, with its history", async () => {
    expect(await writeMail()).toEqual({ outcome: "acknowledged" })
    await until("the mail", async () => (await rows(bruno)).length === 1)
    await writeChat("Hello? I wrote you a mail.")
    await until("the chat", async () => (await rows(bruno))[0]?.channelKinds.join() === "email,webchat")
    await beAvailable()
    const { conversationId, row } = await acceptOffer()
    expect(row).toMatchObject({
      subject: "Double payment",
      contactName: "Marta Soler",
      channelKinds: ["email", "webchat"]
    })
    const found = await detail(bruno, conversationId)
    expect(said(found)).toEqual([
      "contact: My card was charged twice for order 10234.",
      "contact: Hello? I wrote you a mail."
    ])
    expect(found.conversation.control.holder).toEqual({ kind: "agent", id: "bruno" })
  })

  it("somebody who only says that the address is theirs sees and joins nothing", async () => {
    expect(await writeMail()).toEqual({ outcome: "acknowledged" })
    const [mail] = await until("the mail", async () => {
      const found = await rows(bruno)
      return found.length === 1 && found
    })
    const forged = await desk.write({
      from: { name: "Marta Soler", address: email },
      to: "support@shop.test",
      subject: "Double payment",
      text: "Pay it to another account.",
      messageId: "<forged-1@elsewhere.example>",
      inReplyTo: "<double-1@cliente.example>",
      references: ["<double-1@cliente.example>"],
      authenticated: false
    })
    expect(forged).toEqual({ outcome: "acknowledged" })
    await until("the forged mail", async () => (await rows(bruno)).length === 2)
    expect((await detail(bruno, mail!.conversationId)).messages).toHaveLength(1)
  })
})
