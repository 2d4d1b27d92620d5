import { BotTesting, Handoff } from "@switchboard/bot"
import { Id, Message } from "@switchboard/conversation"
import fc from "fast-check"
import { expect, test } from "vitest"

const question: Message.ChoicesPart = {
  kind: "choices",
  text: "What is it\nabout?",
  options: [
    { id: "billing", label: "Billing" },
    { id: "orders", label: "Orders" }
  ]
}
const text = (value: string) => [Message.text(value)]

test("[BOT-11] a summary says who writes, what, and which options they chose", () => {
  const turn = BotTesting.turn({
    text: "And who pays me back?",
    name: "Ada\nLovelace",
    channelKind: "sms",
    language: "en-GB",
    history: [
      { from: "contact", parts: text("Hello") },
      { from: "bot", parts: [question] },
      { from: "contact", parts: text("1.") },
      { from: "bot", parts: text("Which invoice?") },
      { from: "contact", parts: [{ kind: "choice", id: "orders", label: "Orders" }, Message.text("sorry, this one")] },
      { from: "contact", parts: [{ kind: "choice", id: "old", label: "Of last year" }] },
      { from: "contact", parts: [] }
    ]
  })
  expect(Handoff.summarise(turn).split("\n")).toEqual([
    "Ada Lovelace · sms · en-GB",
    "Hello",
    "What is it about? → Billing",
    "What is it about? → Orders",
    "sorry, this one",
    "→ Of last year",
    "And who pays me back?"
  ])
})

test("[BOT-11] without a name it is the address, and files are named", () => {
  const turn = BotTesting.turn({
    parts: [{ kind: "attachment", attachmentId: Id.AttachmentId.parse("a"), caption: "this one" }]
  })
  const [message] = turn.messages
  if (!message || !turn.contact) throw new Error("no message")
  const stored = { id: Id.AttachmentId.parse("a"), mediaType: "image/png", state: "stored" as const }
  const summarise = (address: { value: string; label?: string }) =>
    Handoff.summarise({
      ...turn,
      contact: turn.contact && { ...turn.contact, addresses: [{ kind: "phone", state: "verified", ...address }] },
      messages: [{ ...message, attachments: [{ ...stored, name: "bill.png" }, stored] }]
    })
  expect(summarise({ value: "+34600000000" })).toBe("+34600000000 · chat\nthis one\n[bill.png]\n[image/png]")
  expect(summarise({ value: "42", label: "ada_l" })).toMatch(/^ada_l · chat\n/)
  expect(Handoff.summarise({ ...turn, contact: undefined })).toBe("chat\nthis one")
})

test("[BOT-12] long messages are cut and the oldest give way", () => {
  const said = (count: number) => ({
    text: "the last one",
    history: Array.from({ length: count }, (_, index) => ({
      from: "contact" as const,
      parts: text(`${index} ${"long ".repeat(200)}`)
    }))
  })
  const lines = Handoff.summarise(BotTesting.turn(said(9))).split("\n")
  expect(lines.slice(0, 2)).toEqual(["chat", "…"])
  expect(lines.slice(2).map((line) => line.slice(0, 2))).toEqual(["5 ", "6 ", "7 ", "8 ", "th"])
  expect(lines[3]).toMatch(/…$/)
  expect(lines[3]?.length).toBe(Handoff.limits.message)
  expect(Handoff.summarise(BotTesting.turn(said(2)))).not.toContain("\n…\n")
})

test("[BOT-12] no summary is too long or cuts a character in two", () => {
  const word = fc.oneof(fc.string({ unit: "binary", maxLength: 700 }), fc.constant("😀".repeat(500)))
  fc.assert(
    fc.property(
      fc.array(word, { minLength: 1, maxLength: 12 }),
      fc.string({ unit: "binary", maxLength: 256 }),
      (said, name) => {
        const [last, ...history] = said.map((value) => ({ from: "contact" as const, parts: text(value) }))
        const summary = Handoff.summarise(BotTesting.turn({ parts: last?.parts ?? [], history, name }))
        expect(summary.length).toBeLessThanOrEqual(Handoff.limits.summary)
        expect(summary.isWellFormed()).toBe(true)
      }
    ),
    { numRuns: 30 }
  )
})
