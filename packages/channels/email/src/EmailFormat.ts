/**
 * Texts as the bodies of a mail.
 *
 * @module
 */
import { Markdown } from "@switchboard/channel"
import { sanitize, toText } from "./internal/Html.ts"

/** What a mail says: always as text, and as HTML when there was formatting. */
export interface EmailBodies {
  readonly text: string
  readonly html?: string
}

/**
 * A rendered text in the forms a mail has. HTML is sanitised, Markdown becomes simple HTML in which HTML is shown as text.
 *
 * **Example**
 *
 * ```ts
 * import { strict as assert } from "node:assert"
 * import { EmailFormat } from "@switchboard/channel-email"
 *
 * const { text, html } = EmailFormat.toBodies("Hello **Ana** <script>", "markdown")
 * assert.equal(text, "Hello Ana <script>")
 * assert.match(html ?? "", /<p>Hello <strong>Ana<\/strong> &lt;script&gt;<\/p>/)
 * assert.deepEqual(EmailFormat.toBodies("Hello", "plain"), { text: "Hello" })
 * ```
 */
export const toBodies = (body: string, format: "plain" | "markdown" | "html"): EmailBodies => {
  if (format === "plain") return { text: body }
  const html = format === "html" ? sanitize(body, "keep") : Markdown.toHtml(body)
  return {
    text: format === "html" ? toText(html) : Markdown.toPlain(body),
    html: `<!doctype html><html><head><meta charset="utf-8"></head><body>${html}</body></html>`
  }
}
