import { type Attachment, Id, type Message } from "@switchboard/conversation"
import fc from "fast-check"
import { describe, expect, test } from "vitest"
import { type Capabilities, Rendering } from "../src/index.ts"
import { split } from "../src/internal/TextSplit.ts"

// Every run tries the same cases.
fc.configureGlobal({ seed: 1 })

const capabilities: Capabilities.Capabilities = {
  transports: ["webhook"],
  outbound: ["message"],
  text: { limit: 4096, formats: ["plain", "markdown"] },
  media: { types: ["image/*", "audio/*", "application/pdf"], limitBytes: 1000, perMessage: 1, captionLimit: 20 },
  choices: { limit: 3, labelLimit: 10, urls: false },
  templates: true,
  locations: true,
  contactCards: true,
  replies: false,
  receipts: [],
  threads: "dialog",
  audiences: ["private"],
  messagingWindowMs: null,
  starts: "either",
  idempotentSend: false,
  contactReads: false
}
const poor: Capabilities.Capabilities = {
  ...capabilities,
  text: { limit: 160, formats: ["plain"] },
  media: null,
  choices: null,
  templates: false,
  locations: false,
  contactCards: false
}
const mail: Capabilities.Capabilities = {
  ...poor,
  text: { limit: 100_000, formats: ["html", "plain"] },
  media: { types: ["*/*"], limitBytes: 10_000, perMessage: 2, captionLimit: 0, withText: true }
}

const text = (body: string): Message.TextPart => ({ kind: "text", text: body, format: "plain" })
const markdown = (body: string): Message.TextPart => ({ kind: "text", text: body, format: "markdown" })
const file = (
  id: string,
  mediaType = "image/png",
  more: Partial<Attachment.Attachment> = {}
): Attachment.Attachment => ({
  id: Id.AttachmentId.parse(id),
  mediaType,
  state: "stored",
  blobKey: id,
  ...more
})
const place = (id: string, caption?: string): Message.AttachmentPart => ({
  kind: "attachment",
  attachmentId: Id.AttachmentId.parse(id),
  ...(caption === undefined ? {} : { caption })
})
const plainMessage = (body: string) => ({ text: { body, format: "plain" }, attachments: [] })

test("[CHANNEL-18] a short plain text is itself", () => {
  fc.assert(
    fc.property(
      fc.string({ unit: "grapheme", minLength: 1, maxLength: 100 }).filter((body) => body.trim() !== ""),
      (body) => {
        expect(Rendering.render([text(body)], [], capabilities)).toEqual({ messages: [plainMessage(body)], lost: [] })
      }
    )
  )
})

describe("[CHANNEL-22] formatting", () => {
  test("stays where the channel shows it", () => {
    expect(Rendering.render([markdown("**a**")], [], capabilities)).toEqual({
      messages: [{ text: { body: "**a**", format: "markdown" }, attachments: [] }],
      lost: []
    })
    expect(Rendering.render([markdown("**a**")], [], mail).messages[0]?.text).toEqual({
      body: "<p><strong>a</strong></p>",
      format: "html"
    })
  })

  test("is dropped and reported where it doesn't", () => {
    expect(Rendering.render([markdown("**a**")], [], poor)).toEqual({
      messages: [plainMessage("a")],
      lost: [{ code: "formattingDropped", from: "markdown" }]
    })
    const html: Message.HtmlPart = { kind: "html", html: "<p>a</p>", text: "a" }
    expect(Rendering.render([html], [], capabilities)).toEqual({
      messages: [plainMessage("a")],
      lost: [{ code: "formattingDropped", from: "html" }]
    })
    expect(Rendering.render([markdown("nothing special")], [], poor).lost).toEqual([])
  })

  test("texts of several kinds become one in the richest", () => {
    const { messages } = Rendering.render([text("2 * 3 * 4"), markdown("**a**")], [], capabilities)
    expect(messages).toEqual([{ text: { body: "2 \\* 3 \\* 4\n\n**a**", format: "markdown" }, attachments: [] }])
    const html: Message.HtmlPart = { kind: "html", html: "<b>x</b>", text: "x" }
    expect(Rendering.render([text("a < b\nc"), html], [], mail).messages[0]?.text?.body).toBe(
      "a &lt; b<br>c<br><br><b>x</b>"
    )
  })

  test("a long Markdown text is split between blocks, never inside fenced code", () => {
    const code = "```\nx\n\ny\n```"
    const source = `**one**\n\n${code}\n\n*two*`
    const narrow = { ...capabilities, text: { ...capabilities.text, limit: 20 } }
    const { messages, lost } = Rendering.render([markdown(source)], [], narrow)
    expect(messages.map((message) => message.text?.body)).toEqual(["**one**", `${code}\n\n*two*`])
    expect(lost).toEqual([{ code: "textSplit", messages: 2 }])
  })

  test("a block longer than a message becomes bare text", () => {
    const narrow = { ...capabilities, text: { ...capabilities.text, limit: 12 } }
    const { messages, lost } = Rendering.render([markdown("**one two three four**")], [], narrow)
    expect(messages).toEqual([plainMessage("one two"), plainMessage("three four")])
    expect(lost).toEqual([
      { code: "formattingDropped", from: "markdown" },
      { code: "textSplit", messages: 2 }
    ])
  })

  test("bare text is written in the only format there is", () => {
    const only = { ...capabilities, text: { limit: 8, formats: ["html" as const] } }
    const { messages } = Rendering.render([text("<<<<")], [], only)
    expect(messages.map((message) => message.text)).toEqual([
      { body: "&lt;&lt;", format: "html" },
      { body: "&lt;&lt;", format: "html" }
    ])
  })
})

describe("[CHANNEL-21] a text is cut", () => {
  test.each<[string, string, number, ReadonlyArray<string>]>([
    ["between paragraphs", "one two\n\nthree\nfour", 12, ["one two", "three\nfour"]],
    ["between lines", "one two\nthree four", 12, ["one two", "three four"]],
    ["between words", "one two three", 9, ["one two", "three"]],
    ["where the piece is at least half full", "a\n\nbbbb cccc dddd", 10, ["a\n\nbbbb", "cccc dddd"]],
    ["before a word that is too long", "ab https://e.com/abc", 18, ["ab", "https://e.com/abc"]],
    ["inside a word that is longer than a message", "abcdefgh", 3, ["abc", "def", "gh"]],
    ["between graphemes", "👩‍👩‍👧👩‍👩‍👧", 9, ["👩‍👩‍👧", "👩‍👩‍👧"]],
    ["between code points where a grapheme is too long", "👩‍👩‍👧", 3, ["👩‍", "👩‍", "👧"]],
    ["never before a combining mark", "aa bb \u0308cc", 6, ["aa", "bb \u0308cc"]]
  ])("%s", (_, body, limit, pieces) => {
    expect(split(body, limit)).toEqual(pieces)
  })
})

const someText = fc.oneof(
  fc.string({ unit: "grapheme", maxLength: 300 }),
  fc
    .array(
      fc.constantFrom(
        "word",
        "longer-word",
        "👩‍👩‍👧",
        "é",
        "\n",
        "\n\n",
        " ",
        "  ",
        "**",
        "`",
        "- ",
        "& <",
        "x".repeat(80)
      ),
      {
        maxLength: 120
      }
    )
    .map((words) => words.join(" "))
)
const anyCapabilities = fc.record({
  limit: fc.integer({ min: 20, max: 400 }),
  formats: fc.constantFrom<ReadonlyArray<"plain" | "markdown" | "html">>(
    ["plain"],
    ["markdown"],
    ["html"],
    ["plain", "markdown"],
    ["html", "plain"]
  ),
  media: fc.constantFrom(null, capabilities.media, mail.media, {
    types: ["*/*"],
    limitBytes: 500,
    perMessage: 3,
    captionLimit: 15
  }),
  choices: fc.constantFrom(null, capabilities.choices, { limit: 10, labelLimit: 4, urls: true }),
  rich: fc.boolean()
})
const anyPart: fc.Arbitrary<Message.MessagePart> = fc.oneof(
  someText.map(text),
  someText.map(markdown),
  someText.map(
    (body): Message.HtmlPart => ({ kind: "html", html: `<p>${body.replaceAll(/[&<>]/g, "")}</p>`, text: body })
  ),
  fc.tuple(fc.constantFrom("a", "b", "none"), someText).map(([id, caption]) => place(id, caption.slice(0, 100))),
  fc
    .tuple(
      someText,
      fc.array(fc.tuple(fc.string({ minLength: 1, maxLength: 12 }), fc.boolean()), { minLength: 1, maxLength: 12 })
    )
    .map(
      ([prompt, options]): Message.ChoicesPart => ({
        kind: "choices",
        text: prompt,
        options: options.map(([label, isLink], index) => ({
          id: `o${index}`,
          label: `${index}${label}`,
          ...(isLink ? { url: "https://e.com/x" } : {})
        }))
      })
    ),
  fc.constant<Message.MessagePart>({ kind: "location", latitude: 1, longitude: 2, name: "Office" }),
  fc.constant<Message.MessagePart>({ kind: "contactCard", name: "Ana", phones: ["+34600000000"], emails: [] }),
  fc.constant<Message.MessagePart>({ kind: "template", name: "hello", language: "en", parameters: ["Ana"] })
)
const files = [
  file("a", "image/png", { name: "a.png" }),
  file("b", "audio/ogg", { sizeBytes: 700 }),
  file("c", "text/csv")
]

const anyMessage = fc.record({ parts: fc.array(anyPart, { maxLength: 5 }), declared: anyCapabilities })
const declare = ({
  limit,
  formats,
  media,
  choices,
  rich
}: typeof anyCapabilities extends fc.Arbitrary<infer A> ? A : never): Capabilities.Capabilities => ({
  ...capabilities,
  text: { limit, formats: [...formats] },
  media,
  choices,
  templates: rich,
  locations: rich,
  contactCards: rich
})

describe("whatever is said and whatever is declared", () => {
  test("[CHANNEL-19] no message exceeds a limit", () => {
    fc.assert(
      fc.property(anyMessage, ({ parts, declared }) => {
        const limits = declare(declared)
        for (const message of Rendering.render(parts, files, limits).messages) {
          expect(message.text?.body.length ?? 0).toBeLessThanOrEqual(limits.text.limit)
          expect(limits.text.formats).toContain(message.text?.format ?? limits.text.formats[0])
          expect(message.attachments.length).toBeLessThanOrEqual(limits.media?.perMessage ?? 0)
          for (const { caption } of message.attachments)
            expect(caption?.length ?? 0).toBeLessThanOrEqual(limits.media?.captionLimit ?? 0)
          for (const { attachment } of message.attachments) {
            expect(limits.media).not.toBeNull()
            expect(attachment.sizeBytes ?? 0).toBeLessThanOrEqual(limits.media?.limitBytes ?? 0)
          }
          expect(message.choices?.length ?? 0).toBeLessThanOrEqual(limits.choices?.limit ?? 0)
          for (const { label } of message.choices ?? [])
            expect(label.length).toBeLessThanOrEqual(limits.choices?.labelLimit ?? 0)
          const parts = [
            message.text ?? message.attachments[0],
            message.location,
            message.contactCard,
            message.template
          ]
          expect(parts.filter((part) => part !== undefined)).toHaveLength(1)
        }
      }),
      { numRuns: 400 }
    )
  })

  test("[CHANNEL-20] no character of a text is lost", () => {
    const bare = (value: string): string => value.replaceAll(/\s/g, "")
    fc.assert(
      fc.property(fc.array(someText, { maxLength: 4 }), anyCapabilities, (texts, declared) => {
        const limits = declare({ ...declared, formats: ["plain"] })
        const { messages, lost } = Rendering.render(texts.map(text), [], limits)
        expect(bare(messages.map((message) => message.text?.body).join(""))).toBe(bare(texts.join("")))
        expect(lost.every(({ code }) => code === "textSplit")).toBe(true)
      }),
      { numRuns: 300 }
    )
  })

  test("[CHANNEL-20] no file, option, place or card is lost unless it is declared", () => {
    fc.assert(
      fc.property(anyMessage, ({ parts, declared }) => {
        const { messages, lost } = Rendering.render(parts, files, declare(declared))
        const codes = lost.map(({ code }) => code)
        const sent = messages.flatMap((message) => message.attachments.map(({ attachment }) => attachment.id))
        const named = new Set(parts.flatMap((part) => (part.kind === "attachment" ? [part.attachmentId] : [])))
        const expected =
          parts.filter(({ kind }) => kind === "attachment").length + files.filter(({ id }) => !named.has(id)).length
        expect(sent.length + codes.filter((code) => code === "attachmentNotSent").length).toBe(expected)
        const asText = ["locationAsText", "contactCardAsText", "templateAsText"]
        const rich = parts.filter(({ kind }) => ["location", "contactCard", "template"].includes(kind)).length
        const shown = messages.filter((message) => message.location ?? message.contactCard ?? message.template).length
        expect(shown + codes.filter((code) => asText.includes(code)).length).toBe(rich)
        const offered = parts.flatMap((part) => (part.kind === "choices" ? [part] : []))
        const numbered = codes.filter((code) => code === "choicesNumbered").length
        if (numbered === 0)
          expect(
            messages.flatMap((message) => message.choices ?? []).length +
              codes.filter((code) => code === "choiceLinkInText").length
          ).toBe(offered.flatMap(({ options }) => options).length)
      }),
      { numRuns: 300 }
    )
  })

  test("[CHANNEL-28] content gives a message, and the same one again", () => {
    fc.assert(
      fc.property(anyMessage, ({ parts, declared }) => {
        const limits = declare(declared)
        const rendered = Rendering.render(parts, [], limits)
        const says = parts.some((part) => !("text" in part) || part.kind === "choices" || part.text.trim() !== "")
        expect(rendered.messages.length > 0).toBe(says)
        expect(Rendering.render(structuredClone(parts), [], limits)).toEqual(rendered)
      }),
      { numRuns: 300 }
    )
    expect(Rendering.render([], [], capabilities)).toEqual({ messages: [], lost: [] })
    expect(Rendering.render([markdown("#")], [], poor).messages).toEqual([plainMessage("#")])
  })
})

describe("[CHANNEL-23] choices", () => {
  const choices = (options: Message.ChoicesPart["options"], prompt = "Which?"): Message.ChoicesPart => ({
    kind: "choices",
    text: prompt,
    options
  })
  const option = (id: string, label = id) => ({ id, label })
  const link = { id: "l", label: "Terms", url: "https://e.com/terms" }

  test("are buttons under their question", () => {
    expect(Rendering.render([text("Hi."), choices([option("a"), option("b")])], [], capabilities)).toEqual({
      messages: [{ ...plainMessage("Hi.\n\nWhich?"), choices: [option("a"), option("b")] }],
      lost: []
    })
  })

  test("are numbered where there are no buttons, or too many", () => {
    const { messages, lost } = Rendering.render([choices([option("a"), link])], [], poor)
    expect(messages).toEqual([plainMessage("Which?\n1. a\n2. Terms https://e.com/terms")])
    expect(lost).toEqual([{ code: "choicesNumbered", reason: "noChoices" }])
    const many = Rendering.render([choices(["a", "b", "c", "d"].map((id) => option(id)))], [], capabilities)
    expect(many.lost).toEqual([{ code: "choicesNumbered", reason: "tooMany" }])
    expect(many.messages[0]?.choices).toBeUndefined()
  })

  test("keep a long label as far as it fits, and are numbered when two would look alike", () => {
    const one = Rendering.render([choices([option("a", "Something long"), option("b")])], [], capabilities)
    expect(one.messages[0]?.choices).toEqual([option("a", "Something…"), option("b")])
    expect(one.lost).toEqual([{ code: "choiceLabelShortened", optionId: "a", label: "Something long" }])
    const alike = [option("a", "Something long"), option("b", "Something longer")]
    expect(Rendering.render([choices(alike)], [], capabilities).lost).toEqual([
      { code: "choicesNumbered", reason: "labelsAlike" }
    ])
  })

  test("that open a page are lines of text where buttons can't", () => {
    expect(Rendering.render([choices([option("a"), link])], [], capabilities)).toEqual({
      messages: [{ ...plainMessage("Which?\nTerms: https://e.com/terms"), choices: [option("a")] }],
      lost: [{ code: "choiceLinkInText", optionId: "l" }]
    })
    const able = { ...capabilities, choices: { ...capabilities.choices!, urls: true } }
    expect(Rendering.render([choices([option("a"), link])], [], able).messages[0]?.choices).toEqual([option("a"), link])
  })

  test("without a question hang from the text before, or from their labels", () => {
    expect(Rendering.render([text("Well?"), choices([option("a")], "")], [], capabilities).messages).toEqual([
      { ...plainMessage("Well?"), choices: [option("a")] }
    ])
    expect(Rendering.render([choices([option("a"), option("b")], "")], [], capabilities).messages).toEqual([
      { ...plainMessage("a / b"), choices: [option("a"), option("b")] }
    ])
  })
})

describe("[CHANNEL-24] a file that can't be carried", () => {
  test.each<[string, Attachment.Attachment, Capabilities.Capabilities, string]>([
    ["no media", file("a", "image/png", { name: "a.png" }), poor, "noMedia"],
    ["another type", file("a", "video/mp4", { name: "a.png" }), capabilities, "mediaType"],
    ["too large", file("a", "image/png", { name: "a.png", sizeBytes: 1001 }), capabilities, "size"],
    ["not there", file("a", "image/png", { name: "a.png", state: "failed" }), capabilities, "failed"]
  ])("%s: becomes its name and its link", (_, attachment, declared, reason) => {
    const linkTo = () => "https://e.com/a"
    expect(Rendering.render([place("a", "See:")], [attachment], declared, { linkTo })).toEqual({
      messages: [plainMessage("See:\n📎 a.png https://e.com/a")],
      lost: [{ code: "attachmentNotSent", attachmentId: "a", reason, linked: true }]
    })
    expect(Rendering.render([], [attachment], declared)).toEqual({
      messages: [plainMessage("📎 a.png")],
      lost: [{ code: "attachmentNotSent", attachmentId: "a", reason, linked: false }]
    })
  })

  test("is told when the message doesn't have it", () => {
    expect(Rendering.render([place("x")], [], capabilities)).toEqual({
      messages: [plainMessage("📎")],
      lost: [{ code: "attachmentNotSent", attachmentId: "x", reason: "missing", linked: false }]
    })
  })
})

describe("[CHANNEL-25] captions", () => {
  const [picture, sound] = [file("a"), file("s", "audio/ogg")]

  test("stay with their file", () => {
    expect(Rendering.render([place("a", "Our office")], [picture], capabilities)).toEqual({
      messages: [{ attachments: [{ attachment: picture, caption: "Our office" }] }],
      lost: []
    })
  })

  test("that are too long, or of an audio file, are texts before it", () => {
    const long = "x".repeat(21)
    expect(Rendering.render([place("a", long)], [picture], capabilities)).toEqual({
      messages: [plainMessage(long), { attachments: [{ attachment: picture }] }],
      lost: [{ code: "captionSplitOff", attachmentId: "a" }]
    })
    expect(Rendering.render([place("s", "Listen")], [sound], capabilities).messages).toEqual([
      plainMessage("Listen"),
      { attachments: [{ attachment: sound }] }
    ])
  })

  test("a text before a single file is its caption where it fits", () => {
    expect(Rendering.render([text("Here it is")], [picture], capabilities).messages).toEqual([
      { attachments: [{ attachment: picture, caption: "Here it is" }] }
    ])
    expect(Rendering.render([markdown("Here **it** is")], [picture], capabilities).messages).toHaveLength(2)
    expect(Rendering.render([text("Listen")], [sound], capabilities).messages).toHaveLength(2)
    expect(Rendering.render([text("Two of them")], [picture, file("b")], capabilities).messages).toEqual([
      { attachments: [{ attachment: picture, caption: "Two of them" }] },
      { attachments: [{ attachment: file("b") }] }
    ])
  })
})

test("[CHANNEL-26] places, cards and templates become lines", () => {
  const { messages, lost } = Rendering.render(
    [
      { kind: "location", latitude: 41.38, longitude: 2.17, name: "Office", address: "Main Street 1" },
      { kind: "contactCard", name: "Ana", phones: ["+34600000000"], emails: ["ana@example.com"] },
      { kind: "template", name: "hello", language: "en", parameters: ["Ana"] }
    ],
    [],
    poor
  )
  expect(messages).toEqual([
    plainMessage("Office\nMain Street 1\n41.38, 2.17\n\nAna\n+34600000000\nana@example.com\n\nhello Ana")
  ])
  expect(lost.map(({ code }) => code)).toEqual(["locationAsText", "contactCardAsText", "templateAsText"])
})

test("[CHANNEL-27] where text and files go together, they stay together", () => {
  const attached = ["a", "b", "c"].map((id) => file(id))
  const { messages, lost } = Rendering.render([place("a", "First"), text("Then")], attached, mail)
  expect(messages).toEqual([
    { ...plainMessage("First\n\nThen"), attachments: [{ attachment: attached[0] }, { attachment: attached[1] }] },
    { attachments: [{ attachment: attached[2] }] }
  ])
  expect(lost).toEqual([])
})
