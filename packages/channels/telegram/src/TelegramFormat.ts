/**
 * Text between Markdown and what Telegram writes: entities on the way in, its HTML on the way out.
 *
 * @module
 */
import { createHash } from "node:crypto"
import { Markdown } from "@switchboard/channel"

/** A span of a text with a meaning. **Units** `offset` and `length` in UTF-16 code units. */
export interface TelegramEntity {
  readonly type: string
  readonly offset: number
  readonly length: number
  readonly url?: string | undefined
  readonly language?: string | undefined
}

const kept = new Set([
  "bold",
  "italic",
  "strikethrough",
  "code",
  "pre",
  "text_link",
  "blockquote",
  "expandable_blockquote"
])

/** Marks hold only when they touch their text: white space at its ends moves outside. */
const around = (inner: string, mark: string): string => {
  const bare = inner.trim()
  if (bare === "") return inner
  const start = inner.length - inner.trimStart().length
  return `${inner.slice(0, start)}${mark}${bare}${mark}${inner.slice(start + bare.length)}`
}

const fenceFor = (text: string, least: number): string => {
  const longest = Math.max(0, ...(text.match(/`+/g) ?? []).map((run) => run.length))
  return "`".repeat(Math.max(least, longest + 1))
}

const hrefOf = (url: string | undefined): string | undefined =>
  url !== undefined && /^(https?:\/\/|mailto:|tel:)[^\s<>]{1,2000}$/i.test(url)
    ? url.replaceAll("(", "%28").replaceAll(")", "%29")
    : undefined

const write = (text: string, start: number, end: number, entities: ReadonlyArray<TelegramEntity>): string => {
  let written = ""
  let at = start
  for (const [index, entity] of entities.entries()) {
    const from = Math.max(entity.offset, at)
    const to = Math.min(entity.offset + entity.length, end)
    if (from >= to) continue
    // Nothing holds another of its kind: Markdown can't nest links, and twice bold is bold.
    const inside = entities
      .slice(index + 1)
      .filter(({ type, offset, length }) => offset + length <= to && type !== entity.type)
    written += Markdown.escape(text.slice(at, from)) + mark(entity, text, from, to, inside)
    at = to
  }
  return written + Markdown.escape(text.slice(at, end))
}

const mark = (
  entity: TelegramEntity,
  text: string,
  from: number,
  to: number,
  inside: ReadonlyArray<TelegramEntity>
): string => {
  const raw = text.slice(from, to)
  const inner = (): string => write(text, from, to, inside)
  switch (entity.type) {
    case "bold":
      return around(inner(), "**")
    case "italic":
      return around(inner(), /\w/.test(text[from - 1] ?? "") || /\w/.test(text[to] ?? "") ? "*" : "_")
    case "strikethrough":
      return around(inner(), "~~")
    case "code": {
      const fence = fenceFor(raw, 1)
      const pad = raw.startsWith("`") || raw.endsWith("`") ? " " : ""
      return `${fence}${pad}${raw.replaceAll("\n", " ")}${pad}${fence}`
    }
    case "pre": {
      const fence = fenceFor(raw, 3)
      return `\n\n${fence}${/^[\w+#-]{1,32}$/.test(entity.language ?? "") ? entity.language : ""}\n${raw}\n${fence}\n\n`
    }
    case "text_link": {
      const href = hrefOf(entity.url)
      return href === undefined ? inner() : `[${inner()}](${href})`
    }
    default:
      return `\n\n${inner().replaceAll(/^/gm, "> ")}\n\n`
  }
}

/** A text with its entities as a text part's content: Markdown when something is formatted, otherwise as it is. */
export const fromEntities = (
  text: string,
  entities: ReadonlyArray<TelegramEntity>
): { readonly text: string; readonly format: "plain" | "markdown" } => {
  const formatted = entities
    .filter(({ type, url }) => kept.has(type) && (type !== "text_link" || hrefOf(url) !== undefined))
    .slice(0, 200)
    .sort((a, b) => a.offset - b.offset || b.length - a.length)
  return formatted.length === 0
    ? { text, format: "plain" }
    : { text: write(text, 0, text.length, formatted).trim(), format: "markdown" }
}

const element =
  (name: string) =>
  (inner: string): string =>
    inner === "" ? "" : `<${name}>${inner}</${name}>`

/** Telegram has no headings, lists or rules, and its quotes don't nest. */
const marks: Markdown.Marks = {
  escape: Markdown.escapeHtml,
  strong: element("b"),
  emphasis: element("i"),
  strike: element("s"),
  code: element("code"),
  link: (inner, href) => `<a href="${Markdown.escapeHtml(href)}">${inner}</a>`,
  paragraph: (inner) => inner,
  heading: element("b"),
  codeBlock: (text, language) =>
    /^[\w+#-]{1,32}$/.test(language)
      ? `<pre><code class="language-${language}">${text}</code></pre>`
      : element("pre")(text),
  quote: (inner) => element("blockquote")(inner.replaceAll(/<\/?blockquote>/g, "")),
  list: (items, start) => Markdown.toLines(items, start),
  rule: "———",
  between: "\n\n"
}

/**
 * Markdown as the HTML of `parse_mode: "HTML"`.
 *
 * **Source** https://core.telegram.org/bots/api#html-style
 */
export const toHtml = (markdown: string): string => Markdown.render(markdown, marks)

/** What a button may carry. **Units** bytes of UTF-8. */
export const callbackLimit = 64

/**
 * What a button carries for an option's id: the id itself up to 64 bytes. A longer one is cut and keeps a digest of all
 * of it, and comes back like that when the button is pressed: keep ids short.
 */
export const toCallbackData = (id: string): string => {
  if (Buffer.byteLength(id) <= callbackLimit) return id
  const digest = createHash("sha256").update(id).digest("base64url").slice(0, 20)
  const beginning = new TextDecoder().decode(Buffer.from(id).subarray(0, callbackLimit - 21)).replace(/\uFFFD+$/, "")
  return `${beginning}~${digest}`
}
