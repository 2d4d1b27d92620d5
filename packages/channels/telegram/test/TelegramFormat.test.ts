import { Markdown } from "@switchboard/channel"
import fc from "fast-check"
import { describe, expect, test } from "vitest"
import { TelegramFormat } from "../src/index.ts"

describe("to Telegram's HTML", () => {
  test.each([
    ["**a** _b_ ~~c~~ `d<`", "<b>a</b> <i>b</i> <s>c</s> <code>d&lt;</code>"],
    ["# Title\n\ntext", "<b>Title</b>\n\ntext"],
    ["- a\n- b", "• a\n• b"],
    ["1. a\n2. b", "1. a\n2. b"],
    ["> a\n> > b", "<blockquote>a\n\nb</blockquote>"],
    ["```js\nif (a<b) {}\n```", '<pre><code class="language-js">if (a&lt;b) {}</code></pre>'],
    ["```\nx\n```", "<pre>x</pre>"],
    ["[a&b](https://e.com/?a=1&b=2)", '<a href="https://e.com/?a=1&amp;b=2">a&amp;b</a>'],
    ["<b>no</b>", "&lt;b&gt;no&lt;/b&gt;"]
  ])("%j", (markdown, html) => {
    expect(TelegramFormat.toHtml(markdown)).toBe(html)
  })
})

describe("from entities", () => {
  const from = (text: string, ...entities: ReadonlyArray<TelegramFormat.TelegramEntity>) =>
    TelegramFormat.fromEntities(text, entities).text

  test.each<[string, string, TelegramFormat.TelegramEntity]>([
    ["white space moves outside", "a **b** c", { type: "bold", offset: 1, length: 3 }],
    ["a link that is no web address stays text", "a b c", { type: "text_link", offset: 0, length: 1, url: "tg://x" }],
    ["what has no Markdown stays text", "a b c", { type: "spoiler", offset: 0, length: 1 }],
    ["past the end is nothing", "a b c", { type: "bold", offset: 9, length: 3 }]
  ])("%s", (_, expected, entity) => {
    expect(from("a b c", entity)).toBe(expected)
  })

  test("two links over the same text are one", () => {
    const link = { type: "text_link", offset: 0, length: 1, url: "https://e.com/" }
    expect(from("abc", link, link)).toBe("[a](https://e.com/)bc")
  })

  test("emphasis inside a word has the mark that works there", () => {
    expect(from("abc", { type: "italic", offset: 1, length: 1 })).toBe("a*b*c")
    expect(from("a b", { type: "italic", offset: 0, length: 1 })).toBe("_a_ b")
  })

  test("code keeps its backticks, quotes their lines", () => {
    expect(from("a`b", { type: "code", offset: 0, length: 3 })).toBe("``a`b``")
    expect(from("x\ny\nz", { type: "blockquote", offset: 0, length: 3 })).toBe("> x\n> y\n\n\nz")
  })

  test("whatever the entities say, every word is still there", () => {
    const entity = fc.record({
      type: fc.constantFrom("bold", "italic", "strikethrough", "text_link", "spoiler", "mention"),
      offset: fc.nat(30),
      length: fc.nat(30),
      url: fc.constantFrom(undefined, "https://e.com/")
    })
    const word = fc.constantFrom("one", "two*", "_three", "[four]", "~five~", "six`", "<7>", "#8", "👋")
    fc.assert(
      fc.property(
        fc.array(word, { minLength: 1, maxLength: 8 }),
        fc.array(entity, { maxLength: 5 }),
        (words, entities) => {
          const text = words.join(" ")
          const { text: written, format } = TelegramFormat.fromEntities(text, entities)
          const bare = (value: string): string => value.replaceAll(/[\s*_~]|\(https:[^)]*\)/g, "")
          const plain = format === "plain" ? written : Markdown.toPlain(written)
          expect(bare(plain)).toBe(bare(text))
        }
      ),
      { numRuns: 300, seed: 1 }
    )
  })
})

test("what a button carries is the id, or a beginning and a digest that differ where ids differ", () => {
  expect(TelegramFormat.toCallbackData("yes")).toBe("yes")
  const long = "x".repeat(200)
  const [one, two] = [TelegramFormat.toCallbackData(long), TelegramFormat.toCallbackData(`${long}y`)]
  expect(one).not.toBe(two)
  expect([one.length, two.length]).toEqual([64, 64])
})
