/** A part of a text with what was looked for marked in it. */
import type { FoundMessage } from "@switchboard/desk/DeskService"

type Snippet = FoundMessage["snippet"]

export interface Piece {
  readonly text: string
  readonly isMatch: boolean
  /** Where it begins in the snippet. */
  readonly start: number
}

/** The snippet cut at its matches: nothing of it is lost, and nothing empty is left. */
export const toPieces = ({ text, matches }: Snippet): ReadonlyArray<Piece> => {
  const pieces: Array<Piece> = []
  let from = 0
  for (const { start, end } of matches) {
    pieces.push({ text: text.slice(from, start), isMatch: false, start: from })
    pieces.push({ text: text.slice(start, end), isMatch: true, start })
    from = end
  }
  pieces.push({ text: text.slice(from), isMatch: false, start: from })
  return pieces.filter((piece) => piece.text !== "")
}

/** The snippet's lines, each a snippet of its own. */
export const toLines = ({ text, matches }: Snippet): ReadonlyArray<Snippet> => {
  let from = 0
  return text.split("\n").map((line) => {
    const [start, end] = [from, from + line.length]
    from = end + 1
    return {
      text: line,
      matches: matches
        .filter((match) => match.start >= start && match.end <= end)
        .map((match) => ({ start: match.start - start, end: match.end - start }))
    }
  })
}

export const Marked = ({ snippet }: { readonly snippet: Snippet }) =>
  toPieces(snippet).map(({ text, isMatch, start }) => (isMatch ? <mark key={start}>{text}</mark> : text))
