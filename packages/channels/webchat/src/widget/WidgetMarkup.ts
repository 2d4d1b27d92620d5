/** A run of text. Links hold only addresses that are safe to follow. */
export type Inline =
  | { readonly kind: "text"; readonly text: string }
  | { readonly kind: "break" }
  | { readonly kind: "code"; readonly text: string }
  | { readonly kind: "strong" | "emphasis" | "struck"; readonly children: ReadonlyArray<Inline> }
  | { readonly kind: "link"; readonly href: string; readonly children: ReadonlyArray<Inline> }

/** A piece of a text that stands by itself. */
export type Block =
  | { readonly kind: "paragraph" | "quote" | "heading"; readonly children: ReadonlyArray<Inline> }
  | { readonly kind: "code"; readonly text: string }
  | { readonly kind: "list"; readonly start?: number; readonly items: ReadonlyArray<ReadonlyArray<Inline>> }

/** Only what opens a page, a mail or a call: no address can run a script. */
export const toSafeHref = (address: string): string | undefined => {
  try {
    const { protocol, href } = new URL(address)
    return ["http:", "https:", "mailto:", "tel:"].includes(protocol) ? href : undefined
  } catch {
    return undefined
  }
}

const bare = String.raw`https?:\/\/[^\s<>"'\u0000-\u001f]{1,2000}`
const bareOnly = new RegExp(bare, "g")
// Every repetition is bounded and none is nested: a hostile text costs time in proportion to its length.
const marks = new RegExp(
  [
    // \x60 is the backtick.
    String.raw`\\([!-/:-@[-\x60{-~])`,
    String.raw`\x60([^\x60\n]{1,1000})\x60`,
    String.raw`!?\[([^\[\]\n]{1,500})\]\(([^\s()<>]{1,2000})\)`,
    `<(${bare})>`,
    String.raw`\*\*([^\s*](?:[^*\n]{0,2000}[^\s*])?)\*\*`,
    String.raw`(?<![\p{L}\p{N}_])__([^\s_](?:[^_\n]{0,2000}[^\s_])?)__(?![\p{L}\p{N}_])`,
    String.raw`~~([^\s~](?:[^~\n]{0,2000}[^\s~])?)~~`,
    String.raw`\*([^\s*](?:[^*\n]{0,2000}[^\s*])?)\*`,
    String.raw`(?<![\p{L}\p{N}_])_([^\s_](?:[^_\n]{0,2000}[^\s_])?)_(?![\p{L}\p{N}_])`,
    `(${bare})`
  ].join("|"),
  "gu"
)

const lines = (text: string): ReadonlyArray<Inline> =>
  text.split("\n").flatMap((line, index): ReadonlyArray<Inline> => {
    const run: ReadonlyArray<Inline> = line === "" ? [] : [{ kind: "text", text: line }]
    return index === 0 ? run : [{ kind: "break" }, ...run]
  })

const link = (address: string, children: ReadonlyArray<Inline>, otherwise: string): ReadonlyArray<Inline> => {
  const href = toSafeHref(address)
  return href === undefined ? lines(otherwise) : [{ kind: "link", href, children }]
}

/** The dot that ends a sentence is not part of an address. */
const autolink = (found: string): ReadonlyArray<Inline> => {
  const address = found.replace(/[.,;:!?)\]}*_]+$/, "")
  return [...link(address, [{ kind: "text", text: address }], address), ...lines(found.slice(address.length))]
}

const scan = (
  text: string,
  pattern: RegExp,
  toInlines: (match: RegExpMatchArray) => ReadonlyArray<Inline>
): ReadonlyArray<Inline> => {
  const runs: Array<Inline> = []
  let end = 0
  for (const match of text.matchAll(pattern)) {
    runs.push(...lines(text.slice(end, match.index)), ...toInlines(match))
    end = match.index + match[0].length
  }
  return [...runs, ...lines(text.slice(end))]
}

const toInlines = (text: string, depth = 0): ReadonlyArray<Inline> =>
  scan(text, marks, (match) => {
    const [whole, escaped, code, label, address, angled, bold, bold2, struck, italic, italic2, url] = match
    const inner = (part: string): ReadonlyArray<Inline> => (depth < 4 ? toInlines(part, depth + 1) : lines(part))
    if (escaped !== undefined) return lines(escaped)
    if (code !== undefined) return [{ kind: "code", text: code }]
    if (label !== undefined && address !== undefined) return link(address, lines(label), whole)
    const strong = bold ?? bold2
    if (strong !== undefined) return [{ kind: "strong", children: inner(strong) }]
    if (struck !== undefined) return [{ kind: "struck", children: inner(struck) }]
    const emphasis = italic ?? italic2
    if (emphasis !== undefined) return [{ kind: "emphasis", children: inner(emphasis) }]
    return autolink(angled ?? url ?? whole)
  })

/** A text as it was typed, with its web addresses as links. */
export const fromPlain = (text: string): ReadonlyArray<Block> => [
  { kind: "paragraph", children: scan(text, bareOnly, ([found]) => autolink(found)) }
]

/** The part of Markdown that people write in a chat: paragraphs, lists, quotes, code, emphasis and links. */
export const fromMarkdown = (text: string): ReadonlyArray<Block> => {
  const blocks: Array<Block> = []
  const rows = text.replaceAll("\r\n", "\n").split("\n")
  const isSpecial = (row: string): boolean => /^(?:```|>|#{1,6} |\s{0,3}[-*+] |\s{0,3}\d{1,9}[.)] |\s*$)/.test(row)
  const takeWhile = (from: number, holds: (row: string) => boolean): ReadonlyArray<string> => {
    const end = rows.findIndex((row, index) => index >= from && !holds(row))
    return rows.slice(from, end === -1 ? undefined : end)
  }
  for (let at = 0; at < rows.length; ) {
    const row = rows[at]!
    const item = /^\s{0,3}(?:[-*+]|(\d{1,9})[.)]) /.exec(row)
    if (row.trim() === "") at++
    else if (row.startsWith("```")) {
      const code = takeWhile(at + 1, (line) => !line.startsWith("```"))
      blocks.push({ kind: "code", text: code.join("\n") })
      at += code.length + 2
    } else if (row.startsWith(">")) {
      const quoted = takeWhile(at, (line) => line.startsWith(">"))
      blocks.push({ kind: "quote", children: toInlines(quoted.map((line) => line.replace(/^> ?/, "")).join("\n")) })
      at += quoted.length
    } else if (/^#{1,6} /.test(row)) {
      blocks.push({ kind: "heading", children: toInlines(row.replace(/^#+ +/, "")) })
      at++
    } else if (item !== null) {
      const mark = item[1] === undefined ? /^\s{0,3}[-*+] / : /^\s{0,3}\d{1,9}[.)] /
      const items = takeWhile(at, (line) => mark.test(line))
      blocks.push({
        kind: "list",
        ...(item[1] === undefined ? {} : { start: Number(item[1]) }),
        items: items.map((line) => toInlines(line.replace(mark, "")))
      })
      at += items.length
    } else {
      const paragraph = [row, ...takeWhile(at + 1, (line) => !isSpecial(line))]
      blocks.push({ kind: "paragraph", children: toInlines(paragraph.join("\n")) })
      at += paragraph.length
    }
  }
  return blocks
}
