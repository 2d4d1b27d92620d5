/**
 * Markdown in the few signs that WhatsApp shows as formatting.
 *
 * **Source** https://faq.whatsapp.com/539178204879377
 *
 * @module
 */
import { Markdown } from "@switchboard/channel"

/** Formatting holds within a line, and only when its signs touch the text. */
const perLine =
  (sign: string) =>
  (inner: string): string =>
    inner.replaceAll(/[^\n]+/g, (line) => line.replace(/^(\s*)(.*?)(\s*)$/, `$1${sign}$2${sign}$3`))

const bold = perLine("*")

const marks: Markdown.Marks = {
  ...Markdown.plainMarks,
  strong: bold,
  emphasis: perLine("_"),
  strike: perLine("~"),
  code: (text) => (text.includes("`") ? `\`\`\`${text}\`\`\`` : `\`${text}\``),
  // Bold inside bold would end it.
  heading: (inner) => bold(inner.replaceAll("*", "")),
  codeBlock: (text) => `\`\`\`${text}\`\`\``,
  list: (items, start) => Markdown.toLines(items, start, "-"),
  rule: "———"
}

/**
 * Markdown as WhatsApp writes it: `*bold*`, `_italic_`, `~struck~`, code in backticks, quotes and lists. Links show
 * their address, headings become bold.
 *
 * **Gotchas** WhatsApp has no way to show its signs as they are: a text such as `*this*` is bold there.
 *
 * **Example**
 *
 * ```ts
 * import { strict as assert } from "node:assert"
 * import { WhatsAppFormat } from "@switchboard/channel-whatsapp"
 *
 * assert.equal(WhatsAppFormat.toWhatsApp("Your total is **10 €**, _not_ ~~12~~."), "Your total is *10 €*, _not_ ~12~.")
 * ```
 */
export const toWhatsApp = (markdown: string): string => Markdown.render(markdown, marks)
