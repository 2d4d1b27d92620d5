import { expect, test } from "vitest"
import { WhatsAppFormat } from "../src/index.ts"

test.each([
  ["**bold** _italic_ ~~struck~~ `code`", "*bold* _italic_ ~struck~ `code`"],
  ["***both***", "_*both*_"],
  ["**two\nlines**", "*two*\n*lines*"],
  ["# Opening **hours**", "*Opening hours*"],
  ["[our site](https://example.com)", "our site (https://example.com)"],
  ["<https://example.com>", "https://example.com"],
  ["- one\n- two", "- one\n- two"],
  ["1. one\n2. two", "1. one\n2. two"],
  ["> quoted", "> quoted"],
  ["```ts\nconst a = 1\n```", "```const a = 1```"],
  ["`` a`b ``", "```a`b```"],
  ["2 \\* 3", "2 * 3"],
  ["one\n\ntwo", "one\n\ntwo"]
])("%j is written %j", (markdown, expected) => {
  expect(WhatsAppFormat.toWhatsApp(markdown)).toBe(expected)
})
