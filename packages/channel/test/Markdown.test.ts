import fc from "fast-check"
import { describe, expect, test } from "vitest"
import { Markdown } from "../src/index.ts"

// Every run tries the same cases.
fc.configureGlobal({ seed: 1 })

describe("reads", () => {
  test.each<[string, string, string]>([
    ["strong and emphasis", "**a _b_** *c*", "<p><strong>a <em>b</em></strong> <em>c</em></p>"],
    ["three marks", "***a***", "<p><em><strong>a</strong></em></p>"],
    ["a word with underscores", "snake_case_name", "<p>snake_case_name</p>"],
    ["marks without a partner", "2 * 3 ** 4 ~ 5", "<p>2 * 3 ** 4 ~ 5</p>"],
    ["strikethrough", "~~a~~", "<p><s>a</s></p>"],
    ["code, with marks and backticks in it", "`` a`*b* ``", "<p><code>a`*b*</code></p>"],
    ["code without an end", "`a **b**", "<p>`a <strong>b</strong></p>"],
    ["escapes", "\\*a\\* \\x \\\\", "<p>*a* \\x \\</p>"],
    ["a link", '[a *b*](https://e.com/(x) "t")', '<p><a href="https://e.com/(x)">a <em>b</em></a></p>'],
    ["an image as its link", "![a](https://e.com/i.png)", '<p><a href="https://e.com/i.png">a</a></p>'],
    ["an address in brackets", "<mailto:a@e.com>", '<p><a href="mailto:a@e.com">mailto:a@e.com</a></p>'],
    ["brackets that are none", "[a] (b) ] [c](d e)", "<p>[a] (b) ] [c](d e)</p>"],
    ["line breaks", "a\nb\\\nc", "<p>a<br>b<br>c</p>"],
    ["headings", "## A *b* ##\ntext", "<h2>A <em>b</em></h2>\n<p>text</p>"],
    ["a rule", "a\n\n---\n\nb", "<p>a</p>\n<hr>\n<p>b</p>"],
    ["a quote with a list", "> a\n> - b", "<blockquote><p>a</p>\n<ul><li><p>b</p></li></ul></blockquote>"],
    ["an ordered list from 3", "3. a\n4. b", '<ol start="3"><li><p>a</p></li><li><p>b</p></li></ol>'],
    ["a nested list", "- a\n  - b\n- c", "<ul><li><p>a</p>\n<ul><li><p>b</p></li></ul></li><li><p>c</p></li></ul>"],
    ["fenced code", "```ts\na < *b*\n\n- c\n```\nd", "<pre><code>a &lt; *b*\n\n- c</code></pre>\n<p>d</p>"],
    ["fenced code without an end", "~~~\na", "<pre><code>a</code></pre>"],
    ["a year that is no list", "It was\n1984. And", "<p>It was<br>1984. And</p>"],
    ["lines of Windows", "a\r\n\r\nb", "<p>a</p>\n<p>b</p>"]
  ])("%s", (_, source, html) => {
    expect(Markdown.toHtml(source)).toBe(html)
  })

  test("as bare text", () => {
    expect(Markdown.toPlain("# Hi\n\n**a** [b](https://e.com) <https://e.com>\n\n1. x\n2. y\n   - z\n\n> q\n> r")).toBe(
      "Hi\n\na b (https://e.com) https://e.com\n\n1. x\n2. y\n  • z\n\n> q\n> r"
    )
  })
})

test("[CHANNEL-29] escaped text reads back as itself", () => {
  const line = fc
    .string({ unit: fc.constantFrom(...'ab \\`*_~[]()<>#+-.!|12:/&"'.split("")), maxLength: 30 })
    .map((text) => text.trim())
    .filter((text) => text !== "")
  fc.assert(
    fc.property(fc.array(line, { minLength: 1, maxLength: 4 }), (lines) => {
      const text = lines.join("\n")
      expect(Markdown.toPlain(Markdown.escape(text))).toBe(text)
    }),
    { numRuns: 500 }
  )
})

describe("[CHANNEL-30] nothing active comes out:", () => {
  test.each([
    "[a](javascript:alert(1))",
    "[a](data:text/html,x)",
    "<javascript:alert(1)>",
    "[a](/relative)",
    "![a](vbscript:x)"
  ])("%s is no link", (source) => {
    expect(Markdown.toHtml(source)).not.toContain("<a")
  })

  test("HTML is escaped, also in an address", () => {
    expect(Markdown.toHtml('<script>x</script> & [a](https://e.com/"onclick=x)')).toBe(
      '<p>&lt;script&gt;x&lt;/script&gt; &amp; <a href="https://e.com/&quot;onclick=x">a</a></p>'
    )
  })

  test("only known elements, whatever is read", () => {
    const unit = fc.constantFrom(..."ab \n*_~`[]()<>#-1.!\\&\"'/:".split(""), "https://e.com", "<b>", "](")
    fc.assert(
      fc.property(fc.array(unit, { maxLength: 40 }), (units) => {
        const html = Markdown.toHtml(units.join(""))
        const bare = html
          .replaceAll(/<\/?(p|strong|em|s|code|pre|blockquote|ul|ol|li|h[1-6])>|<br>|<hr>|<ol start="\d+">/g, "")
          .replaceAll(/<a href="https:\/\/[^"<>]*">|<\/a>/g, "")
        expect(bare).not.toMatch(/[<>]/)
      }),
      { numRuns: 500 }
    )
  })
})

describe("[CHANNEL-31] no text is too hard", () => {
  // Quadratic reading would take minutes for these, and run into the runner's time limit.
  const hostile = [
    "*a _b ",
    "a**b",
    "*a* ",
    "[",
    "[a](",
    "![",
    "`",
    "```a`b``",
    "> ",
    "- ",
    "~~a",
    "<a:",
    "\\",
    "_*_",
    "1. "
  ]
  test.each(hostile)("%j many times", (unit) => {
    expect(typeof Markdown.toPlain(unit.repeat(30_000))).toBe("string")
  })

  test("of any kind", () => {
    fc.assert(
      fc.property(fc.string({ unit: "binary", maxLength: 200 }), (text) => {
        expect(typeof Markdown.toPlain(text)).toBe("string")
      })
    )
  })
})
