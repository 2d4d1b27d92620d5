const graphemes = new Intl.Segmenter(undefined, { granularity: "grapheme" })

/** Far more than any grapheme people write is long. */
const longestGrapheme = 256

/** The last place within the limit that is between two graphemes; inside one that is longer than the limit, between code points. */
const graphemeCut = (text: string, limit: number): number => {
  let cut = 0
  for (const { index } of graphemes.segment(text.slice(0, limit + longestGrapheme))) {
    if (index > limit) break
    cut = index
  }
  if (cut > 0) return cut
  const isLow = (at: number): boolean => (text.charCodeAt(at) & 0xfc00) === 0xdc00
  return limit > 1 && isLow(limit) ? limit - 1 : Math.max(limit, isLow(1) ? 2 : 1)
}

/** Where texts are cut, the best first. A space that carries a combining mark is part of a grapheme. */
const breaks = [/\n\s*\n/g, /\n/g, /\s(?![\p{M}\u200d])/gu]

const lastBreak = (text: string, pattern: RegExp, from: number, limit: number): number => {
  let last = -1
  // One more than the limit: the break itself may stand just behind a full piece.
  for (const { index } of text.slice(0, limit + 1).matchAll(pattern)) if (index >= from) last = index
  return last
}

const cutOf = (text: string, limit: number): number => {
  for (const from of [Math.floor(limit / 2), 1])
    for (const pattern of breaks) {
      const found = lastBreak(text, pattern, Math.max(from, 1), limit)
      if (found > 0) return found
    }
  return graphemeCut(text, limit)
}

/**
 * A text in pieces of at most `limit` UTF-16 units: cut between paragraphs, lines, words or graphemes, the first of
 * these that leaves a piece at least half full. White space at a cut is dropped.
 */
export const split = (text: string, limit: number): ReadonlyArray<string> => {
  const pieces: Array<string> = []
  let rest = text
  while (rest.length > limit) {
    const cut = cutOf(rest, limit)
    const piece = rest.slice(0, cut).trimEnd()
    if (piece !== "") pieces.push(piece)
    rest = rest.slice(cut).trimStart()
  }
  if (rest !== "" || pieces.length === 0) pieces.push(rest)
  return pieces
}

/** A text cut to a limit, with an ellipsis. */
export const shorten = (text: string, limit: number): string => {
  if (text.length <= limit) return text
  const cut = graphemeCut(text, limit - 1)
  return cut < limit ? `${text.slice(0, cut).trimEnd()}…` : "…"
}

/** The blocks of a Markdown text: cut at blank lines, never inside fenced code. */
const blocksOf = (text: string): ReadonlyArray<string> => {
  const blocks: Array<Array<string>> = [[]]
  let fence: string | undefined
  for (const line of text.split("\n")) {
    const mark = /^ {0,3}(`{3,}|~{3,})/.exec(line)?.[1]
    if (fence === undefined && mark !== undefined) fence = mark
    else if (fence !== undefined && line.trim().startsWith(fence)) fence = undefined
    if (fence === undefined && line.trim() === "") blocks.push([])
    else blocks.at(-1)!.push(line)
  }
  return blocks.map((lines) => lines.join("\n")).filter((block) => block !== "")
}

/** A Markdown text in pieces of whole blocks; `undefined` when a block is longer than the limit. */
export const splitMarkdown = (text: string, limit: number): ReadonlyArray<string> | undefined => {
  const pieces: Array<string> = []
  for (const block of blocksOf(text)) {
    if (block.length > limit) return undefined
    const joined = `${pieces.at(-1)}\n\n${block}`
    if (pieces.length > 0 && joined.length <= limit) pieces[pieces.length - 1] = joined
    else pieces.push(block)
  }
  return pieces
}
