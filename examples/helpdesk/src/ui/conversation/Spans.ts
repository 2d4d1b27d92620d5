/** Text in pieces: links, the few marks of Markdown that matter in a message, and mentions. Never HTML. */

export type Span =
  | { readonly kind: "text" | "strong" | "emphasis" | "code" | "mention"; readonly text: string }
  | { readonly kind: "link"; readonly text: string; readonly href: string }

const escape = (text: string): string => text.replace(/[.*+?^${}()|[\]\\]/g, "\\$&")

/** Only addresses that a browser may follow from a stranger's message. */
const isSafe = (href: string): boolean => /^(https?:\/\/|mailto:)/i.test(href)

const link = /https?:\/\/[^\s<>"]{1,2000}[^\s<>".,;:!?)\]]/
const markdown =
  /\*\*[^*\n]+\*\*|`[^`\n]+`|(?<![\w*])\*[^*\s][^*\n]*\*(?!\w)|(?<!\w)_[^_\s][^_\n]*_(?!\w)|\[[^\]\n]+\]\([^()\s]+\)/

const toSpan = (piece: string, isMarkdown: boolean): Span => {
  if (/^https?:/.test(piece)) return { kind: "link", text: piece, href: piece }
  if (piece.startsWith("@")) return { kind: "mention", text: piece }
  if (!isMarkdown) return { kind: "text", text: piece }
  const named = /^\[(.+)\]\((.+)\)$/.exec(piece)
  if (named) {
    const [, text, href] = named as unknown as [string, string, string]
    return isSafe(href) ? { kind: "link", text, href } : { kind: "text", text }
  }
  if (piece.startsWith("**")) return { kind: "strong", text: piece.slice(2, -2) }
  if (piece.startsWith("`")) return { kind: "code", text: piece.slice(1, -1) }
  return { kind: "emphasis", text: piece.slice(1, -1) }
}

export const toSpans = (text: string, isMarkdown: boolean, names: ReadonlyArray<string>): ReadonlyArray<Span> => {
  const patterns = [...(isMarkdown ? [markdown.source] : []), link.source, ...names.map((name) => `@${escape(name)}`)]
  const pattern = new RegExp(patterns.join("|"), "gu")
  const spans: Array<Span> = []
  let end = 0
  for (const match of text.matchAll(pattern)) {
    if (match.index > end) spans.push({ kind: "text", text: text.slice(end, match.index) })
    spans.push(toSpan(match[0], isMarkdown))
    end = match.index + match[0].length
  }
  if (end < text.length) spans.push({ kind: "text", text: text.slice(end) })
  return spans
}
