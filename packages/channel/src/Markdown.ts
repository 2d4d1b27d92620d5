/**
 * CommonMark without HTML, as message texts use it: read once, written in whatever a channel shows.
 *
 * Read are paragraphs, headings (`#`), quotes, lists, fenced code, rules, strong, emphasis, strikethrough (`~~`), code,
 * links and hard breaks. A line break inside a paragraph stays a line break, as people expect in a chat.
 *
 * @module
 */

/** Running text inside a block. */
export type Inline =
  | { readonly kind: "text"; readonly text: string }
  | { readonly kind: "strong" | "emphasis" | "strike"; readonly children: ReadonlyArray<Inline> }
  | { readonly kind: "code"; readonly text: string }
  | { readonly kind: "link"; readonly href: string; readonly children: ReadonlyArray<Inline> }

/** A block of a text. `start` is the first number of an ordered list. */
export type Block =
  | { readonly kind: "paragraph"; readonly children: ReadonlyArray<Inline> }
  | { readonly kind: "heading"; readonly level: number; readonly children: ReadonlyArray<Inline> }
  | { readonly kind: "code"; readonly text: string; readonly language: string }
  | { readonly kind: "quote"; readonly blocks: ReadonlyArray<Block> }
  | { readonly kind: "list"; readonly start?: number; readonly items: ReadonlyArray<ReadonlyArray<Block>> }
  | { readonly kind: "rule" }

/**
 * How a channel writes what Markdown says: a table of functions that get the inner text already written. `escape` gets
 * the bare text; a code's text is escaped too.
 */
export interface Marks {
  readonly escape: (text: string) => string
  readonly strong: (inner: string) => string
  readonly emphasis: (inner: string) => string
  readonly strike: (inner: string) => string
  readonly code: (text: string) => string
  readonly link: (inner: string, href: string) => string
  readonly paragraph: (inner: string) => string
  readonly heading: (inner: string, level: number) => string
  readonly codeBlock: (text: string, language: string) => string
  readonly quote: (inner: string) => string
  readonly list: (items: ReadonlyArray<string>, start: number | undefined) => string
  readonly rule: string
  /** Between blocks. */
  readonly between: string
}

// --- inline ---------------------------------------------------------------------------------------------------------

const punctuation = /[!-/:-@[-`{-~]/
const hrefPattern = /^(https?:\/\/|mailto:|tel:)[^\s<>]{1,2048}$/i

interface Delimiter {
  readonly at: number
  readonly mark: string
  count: number
  readonly opens: boolean
  readonly closes: boolean
}

const isSpace = (character: string | undefined): boolean => character === undefined || /\s/.test(character)
const isPunctuation = (character: string | undefined): boolean =>
  character !== undefined && /[\p{P}\p{S}]/u.test(character)

const delimiterOf = (text: string, start: number, at: number): Delimiter => {
  const mark = text[start]!
  let end = start
  while (text[end] === mark) end++
  const [before, after] = [text[start - 1], text[end]]
  const left = !isSpace(after) && (!isPunctuation(after) || isSpace(before) || isPunctuation(before))
  const right = !isSpace(before) && (!isPunctuation(before) || isSpace(after) || isPunctuation(after))
  const whole = mark === "_"
  return {
    at,
    mark,
    count: end - start,
    opens: left && (!whole || !right || isPunctuation(before)),
    closes: right && (!whole || !left || isPunctuation(after))
  }
}

/** Where a code span that opened with so many backticks ends; remembers lengths that have no end, to stay linear. */
const codeEnd = (text: string, from: number, length: number, missing: Set<number>): number => {
  if (missing.has(length)) return -1
  let at = from
  while (at < text.length) {
    at = text.indexOf("`", at)
    if (at === -1) break
    let end = at
    while (text[end] === "`") end++
    if (end - at === length) return at
    at = end
  }
  missing.add(length)
  return -1
}

// Sticky, so that reading goes on at a place without cutting the text.
const target = /\(\s?<?((?:[^\s()<>]|\([^\s()<>]{0,500}\)){1,2048})>?(?:\s+"[^"\n]{0,500}")?\s?\)/y
const autolink = /<([a-z][a-z+.-]{1,31}:[^\s<>]{1,2048})>/iy
const bare = /[^\\`*_~[\]!<]+/y

const matchAt = (pattern: RegExp, text: string, at: number): RegExpExecArray | null => {
  pattern.lastIndex = at
  return pattern.exec(text)
}

/** The address behind `](`, and where it ends; parentheses in it may be balanced one deep. */
const targetOf = (text: string, from: number): { readonly href: string; readonly end: number } | undefined => {
  const href = matchAt(target, text, from)?.[1]
  return href === undefined ? undefined : { href, end: target.lastIndex }
}

const plainText = (text: string): Inline => ({ kind: "text", text })

/** Pairs the delimiters among some nodes, innermost first, and nests what lies between a pair. */
const nest = (nodes: Array<Inline | Delimiter>): Array<Inline> => {
  const stack: Array<Inline | Delimiter> = []
  // Below these places there is no opener for a mark, so that a closer without one is not looked for again.
  const bottoms = new Map<string, number>()
  for (const node of nodes) {
    if ("kind" in node) {
      stack.push(node)
      continue
    }
    if (node.closes) close(stack, node, bottoms)
    if (node.count > 0) stack.push(node)
  }
  return stack.map(toInline)
}

const toInline = (node: Inline | Delimiter): Inline => ("kind" in node ? node : plainText(node.mark.repeat(node.count)))

const close = (stack: Array<Inline | Delimiter>, closer: Delimiter, bottoms: Map<string, number>): void => {
  const least = closer.mark === "~" ? 2 : 1
  while (closer.count >= least) {
    const bottom = bottoms.get(closer.mark) ?? 0
    let at = stack.length - 1
    for (; at >= bottom; at--) {
      const node = stack[at]!
      if (!("kind" in node) && node.opens && node.mark === closer.mark && node.count >= least) break
    }
    if (at < bottom) {
      bottoms.set(closer.mark, stack.length)
      return
    }
    const opener = stack[at] as Delimiter
    const used = closer.mark === "~" || (opener.count >= 2 && closer.count >= 2) ? 2 : 1
    const children = stack.splice(at + 1).map(toInline)
    if (children.length === 0) return
    opener.count -= used
    closer.count -= used
    if (opener.count === 0) stack.pop()
    stack.push({ kind: closer.mark === "~" ? "strike" : used === 2 ? "strong" : "emphasis", children })
    // The places moved down with what was nested.
    for (const [mark, place] of bottoms) bottoms.set(mark, Math.min(place, stack.length - 1))
  }
}

const parseInline = (text: string): ReadonlyArray<Inline> => {
  const nodes: Array<Inline | Delimiter> = []
  const brackets: Array<{ readonly node: number; readonly image: boolean }> = []
  const missing = new Set<number>()
  let plain = ""
  const flush = (): void => {
    if (plain !== "") nodes.push(plainText(plain))
    plain = ""
  }
  let at = 0
  while (at < text.length) {
    const character = text[at]!
    if (character === "\\") {
      const next = text[at + 1]
      if (next === "\n") plain += "\n"
      else if (next !== undefined && punctuation.test(next)) plain += next
      else {
        plain += "\\"
        at -= 1
      }
      at += 2
    } else if (character === "`") {
      let end = at
      while (text[end] === "`") end++
      const closing = codeEnd(text, end, end - at, missing)
      if (closing === -1) {
        plain += text.slice(at, end)
        at = end
      } else {
        flush()
        const inner = text.slice(end, closing).replaceAll("\n", " ")
        nodes.push({ kind: "code", text: /^ .*[^ ].* $/.test(inner) ? inner.slice(1, -1) : inner })
        at = closing + (end - at)
      }
    } else if (character === "*" || character === "_" || character === "~") {
      flush()
      const delimiter = delimiterOf(text, at, nodes.length)
      at += delimiter.count
      nodes.push(delimiter.mark === "~" && delimiter.count !== 2 ? toInline(delimiter) : delimiter)
    } else if (character === "[" || (character === "!" && text[at + 1] === "[")) {
      flush()
      const image = character === "!"
      brackets.push({ node: nodes.length, image })
      nodes.push(plainText(image ? "![" : "["))
      at += image ? 2 : 1
    } else if (character === "]" && brackets.length > 0) {
      const opened = brackets.pop()!
      const found = text[at + 1] === "(" ? targetOf(text, at + 1) : undefined
      if (found === undefined || !hrefPattern.test(found.href)) {
        plain += "]"
        at += 1
      } else {
        flush()
        const children = nest(nodes.splice(opened.node).slice(1))
        nodes.push({
          kind: "link",
          href: found.href,
          children: children.length === 0 ? [plainText(found.href)] : children
        })
        at = found.end
        // A link holds no other link.
        if (!opened.image) brackets.length = 0
      }
    } else if (character === "<") {
      const found = matchAt(autolink, text, at)
      if (found?.[1] !== undefined && hrefPattern.test(found[1])) {
        flush()
        nodes.push({ kind: "link", href: found[1], children: [plainText(found[1])] })
        at += found[0].length
      } else {
        plain += "<"
        at += 1
      }
    } else {
      const rest = matchAt(bare, text, at)?.[0] ?? character
      plain += rest
      at += rest.length
    }
  }
  flush()
  return nest(nodes)
}

// --- blocks ---------------------------------------------------------------------------------------------------------

const fence = /^ {0,3}(`{3,}(?=[^`]*$)|~{3,})\s*([^\s`]*)/
const heading = /^ {0,3}(#{1,6})(?:[ \t]+(.*?))?(?:[ \t]+#+)?[ \t]*$/
const rule = /^ {0,3}(?:(?:\*[ \t]*){3,}|(?:-[ \t]*){3,}|(?:_[ \t]*){3,})$/
const quote = /^ {0,3}> ?/
const item = /^( {0,3})([-*+]|(\d{1,9})[.)])(?:[ \t]+(?=\S)|[ \t]*$)/

const isBlank = (line: string): boolean => line.trim() === ""

const deepest = 8

const parseBlocks = (lines: ReadonlyArray<string>, depth: number): ReadonlyArray<Block> => {
  const blocks: Array<Block> = []
  const nests = depth < deepest
  let at = 0
  while (at < lines.length) {
    const line = lines[at]!
    const fenced = fence.exec(line)
    const titled = heading.exec(line)
    const listed = nests && !rule.test(line) ? item.exec(line) : null
    if (isBlank(line)) at++
    else if (fenced !== null) {
      const [mark, language] = [fenced[1]!, fenced[2] ?? ""]
      let end = at + 1
      while (end < lines.length && !(lines[end]!.trim().startsWith(mark) && /^(`+|~+)$/.test(lines[end]!.trim()))) end++
      blocks.push({ kind: "code", text: lines.slice(at + 1, end).join("\n"), language })
      at = end + 1
    } else if (titled !== null) {
      blocks.push({ kind: "heading", level: titled[1]!.length, children: parseInline(titled[2] ?? "") })
      at++
    } else if (rule.test(line)) {
      blocks.push({ kind: "rule" })
      at++
    } else if (nests && quote.test(line)) {
      const inner: Array<string> = []
      while (at < lines.length && quote.test(lines[at]!)) inner.push(lines[at++]!.replace(quote, ""))
      blocks.push({ kind: "quote", blocks: parseBlocks(inner, depth + 1) })
    } else if (listed !== null) {
      const ordered = listed[3] !== undefined
      const items: Array<ReadonlyArray<Block>> = []
      while (at < lines.length) {
        const next = rule.test(lines[at]!) ? null : item.exec(lines[at]!)
        if (next === null || (next[3] !== undefined) !== ordered) break
        const indent = next[0].length
        const inner = [lines[at++]!.slice(indent)]
        while (at < lines.length && (isBlank(lines[at]!) || indentOf(lines[at]!) >= Math.min(indent, 2))) {
          if (isBlank(lines[at]!) && indentOf(lines[at + 1] ?? "") < Math.min(indent, 2)) break
          inner.push(lines[at]!.slice(Math.min(indent, indentOf(lines[at]!))))
          at++
        }
        items.push(parseBlocks(inner, depth + 1))
        while (at < lines.length && isBlank(lines[at]!) && item.test(lines[at + 1] ?? "")) at++
      }
      blocks.push({ kind: "list", items, ...(ordered ? { start: Number(listed[3]) } : {}) })
    } else {
      const inner = [line]
      at++
      while (at < lines.length && !isBlank(lines[at]!) && !startsBlock(lines[at]!, nests)) inner.push(lines[at++]!)
      const text = inner.map((one, index) => (index === inner.length - 1 ? one : one.trimEnd())).join("\n")
      blocks.push({ kind: "paragraph", children: parseInline(text.trim()) })
    }
  }
  return blocks
}

const indentOf = (line: string): number => line.length - line.trimStart().length

const startsBlock = (line: string, nests: boolean): boolean =>
  fence.test(line) ||
  heading.test(line) ||
  rule.test(line) ||
  (nests && (quote.test(line) || (item.test(line) && !/^\s*\d+[.)]/.test(line))))

/** The blocks of a text. Never fails: what is no Markdown is text. */
export const parse = (text: string): ReadonlyArray<Block> =>
  parseBlocks(text.replaceAll("\r\n", "\n").replaceAll("\t", "    ").split("\n"), 0)

// --- writing --------------------------------------------------------------------------------------------------------

const writeInline = (nodes: ReadonlyArray<Inline>, marks: Marks): string =>
  nodes
    .map((node) => {
      switch (node.kind) {
        case "text":
          return marks.escape(node.text)
        case "code":
          return marks.code(marks.escape(node.text))
        case "link":
          return marks.link(writeInline(node.children, marks), node.href)
        default:
          return marks[node.kind](writeInline(node.children, marks))
      }
    })
    .join("")

const writeBlocks = (blocks: ReadonlyArray<Block>, marks: Marks): string =>
  blocks
    .map((block) => {
      switch (block.kind) {
        case "paragraph":
          return marks.paragraph(writeInline(block.children, marks))
        case "heading":
          return marks.heading(writeInline(block.children, marks), block.level)
        case "code":
          return marks.codeBlock(marks.escape(block.text), block.language)
        case "quote":
          return marks.quote(writeBlocks(block.blocks, marks))
        case "list":
          return marks.list(
            block.items.map((inner) => writeBlocks(inner, marks)),
            block.start
          )
        case "rule":
          return marks.rule
      }
    })
    .filter((written) => written !== "")
    .join(marks.between)

/**
 * Writes a text in a channel's own terms.
 *
 * **Example**
 *
 * ```ts
 * import { strict as assert } from "node:assert"
 * import { Markdown } from "@switchboard/channel"
 *
 * const shouting: Markdown.Marks = { ...Markdown.plainMarks, strong: (inner) => inner.toUpperCase() }
 * assert.equal(Markdown.render("It is **free**.", shouting), "It is FREE.")
 * ```
 */
export const render = (text: string, marks: Marks): string => writeBlocks(parse(text), marks)

/** The items of a list as lines with bullets or numbers; further lines of an item are indented. For {@link Marks}. */
export const toLines = (items: ReadonlyArray<string>, start: number | undefined, bullet = "•"): string =>
  items
    .map((inner, index) => {
      const mark = start === undefined ? bullet : `${start + index}.`
      return `${mark} ${inner.replaceAll(/\n+/g, "\n  ")}`
    })
    .join("\n")

const same = (inner: string): string => inner

/** Marks of bare text: links show their address, quotes and lists keep their signs. */
export const plainMarks: Marks = {
  escape: same,
  strong: same,
  emphasis: same,
  strike: same,
  code: same,
  link: (inner, href) => (inner === href || `mailto:${inner}` === href ? inner : `${inner} (${href})`),
  paragraph: same,
  heading: same,
  codeBlock: same,
  quote: (inner) => inner.replaceAll(/^/gm, "> "),
  list: (items, start) => toLines(items, start),
  rule: "---",
  between: "\n\n"
}

/** A text as bare text. */
export const toPlain = (text: string): string => render(text, plainMarks)

/** Text as HTML text, also inside an attribute's quotes. */
export const escapeHtml = (text: string): string =>
  text.replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll(">", "&gt;").replaceAll('"', "&quot;")

const element =
  (name: string) =>
  (inner: string): string =>
    `<${name}>${inner}</${name}>`

/** Marks of HTML for a page or a mail. */
export const htmlMarks: Marks = {
  escape: escapeHtml,
  strong: element("strong"),
  emphasis: element("em"),
  strike: element("s"),
  code: element("code"),
  link: (inner, href) => `<a href="${escapeHtml(href)}">${inner}</a>`,
  paragraph: (inner) => element("p")(inner.replaceAll("\n", "<br>")),
  heading: (inner, level) => element(`h${level}`)(inner),
  codeBlock: (text) => element("pre")(element("code")(text)),
  quote: element("blockquote"),
  list: (items, start) => {
    const inner = items.map(element("li")).join("")
    return start === undefined ? element("ul")(inner) : `<ol start="${start}">${inner}</ol>`
  },
  rule: "<hr>",
  between: "\n"
}

/** A text as HTML, everything escaped. */
export const toHtml = (text: string): string => render(text, htmlMarks)

/**
 * Bare text as Markdown that says the same.
 *
 * **Example**
 *
 * ```ts
 * import { strict as assert } from "node:assert"
 * import { Markdown } from "@switchboard/channel"
 *
 * assert.equal(Markdown.escape("2 * 3 * 4"), "2 \\* 3 \\* 4")
 * assert.equal(Markdown.toPlain(Markdown.escape("# 2 * 3 [x](y)")), "# 2 * 3 [x](y)")
 * ```
 */
export const escape = (text: string): string =>
  text
    .replaceAll(/[\\`*_~[\]<]/g, "\\$&")
    .replaceAll(/^(\s*)([#>+-])/gm, "$1\\$2")
    .replaceAll(/^(\s*\d{1,9})([.)])/gm, "$1\\$2")
