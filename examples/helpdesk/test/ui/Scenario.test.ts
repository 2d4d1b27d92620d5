/** The double payment of Scenario.test.ts, as the agent and the customer see it in their browsers. */
import type { Browser, Locator, Page } from "playwright-core"
import { afterAll, beforeAll, expect, test } from "vitest"
import * as WhatsApp from "../../src/simulation/WhatsAppSender.ts"
import { startTestDesk, type TestDesk, until } from "../TestDesk.ts"
import { hear, launch, windowFor } from "./browser.ts"

/** Somebody the demo shop knows. */
const ana = { name: "Ana García", address: "ana@example.com" }
const phone = "34600555123"

let desk: TestDesk
let browser: Browser
const complaints: Array<string> = []

beforeAll(async () => {
  ;[desk, browser] = await Promise.all([startTestDesk({ pages: true }), launch()])
})
afterAll(async () => {
  await browser?.close()
  await desk?.stop()
})

const open = async (path: string): Promise<Page> => {
  const page = await (await browser.newContext(windowFor())).newPage()
  page.setDefaultTimeout(15_000)
  hear(page, complaints)
  await page.goto(desk.url + path)
  return page
}

const bubbles = (page: Page): Locator => page.getByRole("log", { name: "Messages" }).locator(".bubble")
/** What is said of the promises, each with its exact times. */
const promises = (page: Page): Promise<ReadonlyArray<string>> =>
  page.locator(".conversation-head .due .sr").allTextContents()

test("a double payment goes on from mail to web chat to WhatsApp before the agent's eyes", async () => {
  const sent = await desk.write({
    from: ana,
    to: "support@shop.test",
    subject: "Double payment",
    text: "My card was charged twice for order 10234.",
    messageId: "<double-1@example.com>",
    language: "en"
  })
  expect(sent).toEqual({ outcome: "acknowledged" })

  // Ana, signed in to the shop with the same address, asks in the chat.
  const shop = await open("/customer")
  await shop.getByLabel("Signed in as").selectOption(ana.address)
  await shop.getByText(`Signed in as ${ana.address}.`).waitFor()
  await shop.getByRole("button", { name: "Ask us something" }).click()
  const chat = shop.getByRole("dialog")
  await chat.getByRole("textbox").fill("Any news about my double payment?")
  await chat.getByRole("textbox").press("Enter")
  await chat.getByRole("log").getByText("Any news about my double payment?").waitFor()

  // Bruno is offered it, and sees before he takes it that the matter is open already.
  const inbox = await open("/")
  await inbox.getByRole("button", { name: /Bruno Keller/ }).click()
  await inbox.getByRole("button", { name: /Your presence: offline/ }).click()
  await inbox.getByRole("menuitem", { name: /Available/ }).click()
  const offer = inbox.getByRole("region", { name: "Offers" })
  await offer.getByText(ana.name).waitFor()
  await offer.getByText("Double payment").waitFor()
  await offer.getByText(/Already open by E-mail since/).waitFor()
  // An offer that has just appeared takes no click for a moment, so that none is answered by accident.
  await until("an offer that may be answered", async () => {
    const accept = offer.getByRole("button", { name: "Accept" })
    if (await accept.isVisible()) await accept.click({ timeout: 2000 }).catch(() => {})
    return (await inbox.getByRole("heading", { name: "Double payment" }).count()) > 0
  })

  // One timeline, with the history; nobody has to ask again.
  await inbox.getByText("Goes on by Web chat").waitFor()
  expect(await bubbles(inbox).allTextContents()).toEqual([
    "My card was charged twice for order 10234.",
    "Any news about my double payment?"
  ])
  await inbox.locator(".conversation-head").getByText("You", { exact: true }).waitFor()
  const promised = await promises(inbox)
  expect(promised.map((words) => words.split(" · ")[0])).toEqual(["Promise: First reply", "Promise: Resolution"])

  // The answer goes where she is, and is there without a reload.
  const field = inbox.getByRole("textbox", { name: "Reply" })
  expect(await field.getAttribute("placeholder")).toBe("Reply by Web chat")
  await field.fill("I have found it. Your money is on its way.")
  await field.press("Control+Enter")
  await chat.getByRole("log").getByText("I have found it. Your money is on its way.").waitFor()
  await expect.poll(() => promises(inbox)).toEqual(promised.filter((words) => words.includes("Resolution")))

  // What was said wrongly is said right, on her side too.
  await inbox.getByRole("button", { name: /What to do with the message: Bruno Keller/ }).click()
  await inbox.getByRole("menuitem", { name: "Edit" }).click()
  const words = inbox.getByRole("textbox", { name: "Edit the message" })
  await words.fill("I have found it. Your 49.90 € are on their way.")
  await words.press("Control+Enter")
  await chat.getByRole("log").getByText("I have found it. Your 49.90 € are on their way.").waitFor()

  // He sees that she types, and that she stopped.
  await chat.getByRole("textbox").fill("Tha")
  await inbox.getByText(`${ana.name} is typing…`).waitFor()
  await chat.getByRole("textbox").fill("")
  await expect.poll(() => inbox.getByText(`${ana.name} is typing…`).count()).toBe(0)

  // The shop's system vouches for her number: it is on the card at once, and WhatsApp goes on with the conversation.
  const conversationId = new URL(inbox.url()).searchParams.get("conversation")
  const root = await desk.as("root")
  const { conversation } = await root.get<{ readonly conversation: { readonly contactId: string } }>(
    `/api/conversations/${conversationId}`
  )
  await root.send("POST", `/api/contacts/${conversation.contactId}/commands`, {
    type: "AddAddress",
    address: { kind: "phone", value: `+${phone}`, state: "verified" }
  })
  const card = inbox.getByRole("complementary", { name: "Contact" })
  await card.getByText(`+${phone}`).waitFor()
  const body = WhatsApp.toBody(
    { phone, name: "Ana" },
    { kind: "text", id: "wamid.ana.1", text: "Thank you! Writing from my phone now." },
    Date.now()
  )
  expect(await WhatsApp.send(desk.url, body)).toEqual({ outcome: "acknowledged" })
  await inbox.getByText("Goes on by WhatsApp").waitFor()
  expect(await bubbles(inbox).allTextContents()).toEqual([
    "My card was charged twice for order 10234.",
    "Any news about my double payment?",
    "I have found it. Your 49.90 € are on their way.",
    "Thank you! Writing from my phone now."
  ])
  // The same agent, and the same clock.
  await inbox.locator(".conversation-head").getByText("You", { exact: true }).waitFor()
  expect(await promises(inbox)).toEqual(
    expect.arrayContaining(promised.filter((words) => words.includes("Resolution")))
  )
  expect(await inbox.locator("[data-row]").count()).toBe(1)

  expect(await field.getAttribute("placeholder")).toBe("Reply by WhatsApp")
  await field.fill("You are welcome.")
  await field.press("Control+Enter")
  await until("the answer on WhatsApp", () =>
    desk.sent.messages.some(({ to, text }) => to === phone && text === "You are welcome.")
  )

  // What was said is found on whichever channel it was, and shown where it was said.
  await inbox.getByRole("textbox", { name: "Search messages and contacts" }).fill("charged twi")
  const found = inbox.getByRole("list", { name: "Messages that were found" }).getByRole("listitem")
  await found.first().waitFor()
  expect(await found.count()).toBe(1)
  expect(await found.locator("mark").allTextContents()).toEqual(["charged", "twice"])
  await found.getByRole("link").click()
  await inbox.locator(".message[data-found]").getByText("My card was charged twice").waitFor()
  expect(complaints).toEqual([])
})
