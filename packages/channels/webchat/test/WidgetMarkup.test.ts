import fc from "fast-check"
import { describe, expect, test } from "vitest"
import { type Block, fromMarkdown, fromPlain, type Inline, toSafeHref } from "../src/widget/WidgetMarkup.ts"
import { makeEventReader, type StreamEvent } from "../src/widget/WidgetStream.ts"
import { fill, textsFor } from "../src/widget/WidgetTexts.ts"

const linksOf = (inlines: ReadonlyArray<Inline>): ReadonlyArray<string> =>
  inlines.flatMap((inline) => [
    ...(inline.kind === "link" ? [inline.href] : []),
    ...("children" in inline ? linksOf(inline.children) : [])
  ])
const wordsOf = (inlines: ReadonlyArray<Inline>): string =>
  inlines
    .map((inline) =>
      "text" in inline
        ? inline.text
        : inline.kind === "break"
          ? "\n"
          : "children" in inline
            ? wordsOf(inline.children)
            : ""
    )
    .join("")
const inlinesOf = (block: Block): ReadonlyArray<Inline> =>
  "children" in block
    ? block.children
    : block.kind === "list"
      ? block.items.flat()
      : [{ kind: "text", text: block.text }]

test.each([
  ["https://a.example/x?y=1#z", "https://a.example/x?y=1#z"],
  ["mailto:ana@example.com", "mailto:ana@example.com"],
  ["tel:+34600000001", "tel:+34600000001"],
  ["javascript:alert(1)", undefined],
  ["JaVaScRiPt:alert(1)", undefined],
  [" java\nscript:alert(1)", undefined],
  ["data:text/html,x", undefined],
  ["vbscript:x", undefined],
  ["blob:https://a.example/1", undefined],
  ["//a.example", undefined],
  ["/path", undefined]
])("%s may be followed or not", (address, href) => {
  expect(toSafeHref(address)).toBe(href)
})

describe("markdown", () => {
  test("is paragraphs, lists, quotes, code and headings", () => {
    const text = "# Title\nHello **you**,\nsee `x`:\n\n- one\n- *two*\n\n3. three\n\n> so\n\n```\na < b\n```"
    expect(fromMarkdown(text).map(({ kind }) => kind)).toEqual([
      "heading",
      "paragraph",
      "list",
      "list",
      "quote",
      "code"
    ])
    expect(fromMarkdown(text)[1]).toEqual({
      kind: "paragraph",
      children: [
        { kind: "text", text: "Hello " },
        { kind: "strong", children: [{ kind: "text", text: "you" }] },
        { kind: "text", text: "," },
        { kind: "break" },
        { kind: "text", text: "see " },
        { kind: "code", text: "x" },
        { kind: "text", text: ":" }
      ]
    })
    expect(fromMarkdown(text)[3]).toMatchObject({ start: 3 })
  })

  test.each([
    ["snake_case_name", "snake_case_name"],
    ["2 * 3 * 4", "2 * 3 * 4"],
    [String.raw`\*not\* this`, "*not* this"],
    ["[click](javascript:alert(1))", "[click](javascript:alert(1))"],
    ["<b>x</b>", "<b>x</b>"]
  ])("%s reads as %s", (text, words) => {
    const [block] = fromMarkdown(text)
    expect(wordsOf(inlinesOf(block!))).toBe(words)
    expect(linksOf(inlinesOf(block!))).toEqual([])
  })

  test("links by name and by address, without the dot of the sentence", () => {
    const [block] = fromMarkdown(
      "See [the page](https://a.example/p), or https://b.example/q_1. Or (https://c.example)"
    )
    expect(linksOf(inlinesOf(block!))).toEqual(["https://a.example/p", "https://b.example/q_1", "https://c.example/"])
  })

  test("whatever is written, only safe addresses become links, and plain text keeps every character", () => {
    const piece = fc.constantFrom(
      "**",
      "_",
      "`",
      "[",
      "](",
      ")",
      "https://x.example",
      "javascript:",
      "\n",
      "- ",
      "> ",
      "a1",
      "\\"
    )
    fc.assert(
      fc.property(fc.array(fc.oneof(piece, fc.string()), { maxLength: 30 }), (pieces) => {
        const text = pieces.join("")
        const inlines = fromMarkdown(text).flatMap(inlinesOf)
        for (const href of linksOf(inlines)) expect(href).toMatch(/^(https?|mailto|tel):/)
        const plain = fromPlain(text).flatMap(inlinesOf)
        expect(wordsOf(plain)).toBe(text)
      }),
      { numRuns: 300, seed: 7 }
    )
  })
})

test("server-sent events are read in whatever pieces they come", () => {
  const text =
    ': open\n\nevent: message\nid: 1\ndata: {"a":1}\n\ndata: x\r\ndata: y\r\n\r\nevent: typing\ndata:z\n\nevent: empty\n\n'
  const expected: ReadonlyArray<StreamEvent> = [
    { event: "message", data: '{"a":1}' },
    { event: "message", data: "x\ny" },
    { event: "typing", data: "z" }
  ]
  for (const size of [1, 2, 7, text.length]) {
    const found: Array<StreamEvent> = []
    const read = makeEventReader((event) => found.push(event))
    for (let at = 0; at < text.length; at += size) read(text.slice(at, at + size))
    expect(found).toEqual(expected)
  }
})

describe("texts", () => {
  test("come in the visitor's language, otherwise in English", () => {
    expect(textsFor("es-MX").send).toBe("Enviar")
    expect(textsFor("CA").send).toBe("Envia")
    expect(textsFor("de-AT").send).toBe("Senden")
    expect(textsFor("ja").send).toBe("Send")
  })

  test("have the same places to fill in in every language", () => {
    const placesOf = (tag: string) => Object.entries(textsFor(tag)).map(([key, text]) => [key, text.match(/\{\w+\}/g)])
    for (const tag of ["es", "ca", "de"]) expect(placesOf(tag)).toEqual(placesOf("en"))
    expect(fill("{name}: {size}", { name: "a", size: 1 })).toBe("a: 1")
  })
})
