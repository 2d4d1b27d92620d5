/** The words of a text, folded and divided once for every backend: the same query finds the same documents everywhere. */

/** A word as it is indexed, and where it stands in the text (UTF-16 units, end exclusive). */
export interface Word {
  readonly text: string
  readonly start: number
  readonly end: number
}

/** What is looked for: all of them; a prefix matches every word that begins so. */
export interface Term {
  readonly text: string
  readonly isPrefix: boolean
}

/** A part of a text to show with a finding, and where in that part the terms match (UTF-16 units, end exclusive). */
export interface Snippet {
  readonly text: string
  readonly matches: ReadonlyArray<{ readonly start: number; readonly end: number }>
}

/** In code points. */
const longestWord = 64
const mostTerms = 16

/** One code point of folded text. A mark belongs to the letter before it and is not indexed. */
interface Unit {
  readonly text: string
  readonly role: "letter" | "unspaced" | "mark" | "dot" | "divider"
}

// Shared, so that what is remembered of Unicode stays small.
const mark: ReadonlyArray<Unit> = [{ text: "", role: "mark" }]
const dot: ReadonlyArray<Unit> = [{ text: "", role: "dot" }]
const divider: ReadonlyArray<Unit> = [{ text: "", role: "divider" }]
const unseen: ReadonlyArray<Unit> = []

/** Letters that have no decomposition, and that people who lack the key write so; `ʻ` and `ʼ` are apostrophes. */
const written: ReadonlyMap<string, ReadonlyArray<Unit>> = new Map([
  ...Object.entries({
    ß: "ss",
    æ: "ae",
    œ: "oe",
    ø: "o",
    ł: "l",
    đ: "d",
    ð: "d",
    þ: "th",
    ı: "i",
    ς: "σ",
    ة: "ه",
    ى: "ي"
  }).map(([from, to]) => [from, [...to].map((text): Unit => ({ text, role: "letter" }))] as const),
  ["ʻ", divider] as const,
  ["ʼ", divider] as const,
  // Tatweel: it only makes a word longer to the eye.
  ["\u0640", mark] as const
])

const unspaced = /[\p{scx=Hani}\p{scx=Hira}\p{scx=Kana}\p{scx=Thai}\p{scx=Laoo}\p{scx=Khmr}\p{scx=Mymr}]/u

const isDigit = (codePoint: number): boolean => /\p{Nd}/u.test(String.fromCodePoint(codePoint))

/** Unicode's digits lie in rows of ten, from 0 to 9, and rows may adjoin. */
const toAsciiDigit = (codePoint: number): string => {
  let start = codePoint
  while (isDigit(start - 1)) start--
  return String((codePoint - start) % 10)
}

const toUnits = (folded: string): ReadonlyArray<Unit> => {
  const known = written.get(folded)
  if (known !== undefined) return known
  if (/\p{M}/u.test(folded)) return mark
  if (/\p{Default_Ignorable_Code_Point}/u.test(folded)) return unseen
  if (/\p{Nd}/u.test(folded)) return [{ text: toAsciiDigit(folded.codePointAt(0)!), role: "letter" }]
  if (/[\p{L}\p{N}]/u.test(folded)) return [{ text: folded, role: unspaced.test(folded) ? "unspaced" : "letter" }]
  return /[\u00b7\u2027\u30fb]/u.test(folded) ? dot : divider
}

/** By code point, in pages of 256. */
const remembered: Array<Array<ReadonlyArray<Unit>> | undefined> = []

/** What a code point folds to: one unit, several (`ﬁ`, `½`), or none for what is there and not seen. */
const unitsOf = (codePoint: number): ReadonlyArray<Unit> => {
  const page = remembered[codePoint >> 8] ?? []
  const known = page[codePoint & 255]
  if (known !== undefined) return known
  // Code point by code point is the same as the whole text at once: decomposing needs no neighbours, only the order of
  // marks does.
  const [first, ...more] = String.fromCodePoint(codePoint).normalize("NFKD").toLowerCase()
  const units = more.length === 0 ? toUnits(first!) : [first!, ...more].flatMap(toUnits)
  page[codePoint & 255] = units
  remembered[codePoint >> 8] = page
  return units
}

const isAsciiLetter = (unit: number): boolean =>
  (unit >= 0x61 && unit <= 0x7a) || (unit >= 0x41 && unit <= 0x5a) || (unit >= 0x30 && unit <= 0x39)

/** Where the ASCII word that begins here ends, when nothing else can belong to it; 0 otherwise. */
const asciiEnd = (text: string, start: number): number => {
  let at = start
  while (at < text.length && isAsciiLetter(text.charCodeAt(at))) at++
  return text.charCodeAt(at) > 0x7f ? 0 : at
}

/** Of a run without spaces: two code points, its last, or the only one. */
interface Token extends Word {
  readonly part: "word" | "pair" | "last" | "only"
  /** Where the first code point of a pair ends. */
  readonly headEnd: number
}

/** A word, or one code point of a run without spaces, that still grows. */
interface Growing {
  text: string
  /** In code points. */
  size: number
  readonly start: number
  end: number
}

const toToken = ({ text, start, end }: Growing, part: "word" | "last" | "only"): Token => {
  return { text, start, end, part, headEnd: end }
}

const toPair = (first: Growing, second: Growing): Token => {
  return { text: first.text + second.text, start: first.start, end: second.end, part: "pair", headEnd: first.end }
}

/** From a place on that lies in no word. */
function* tokensOf(text: string, from = 0): Generator<Token, void> {
  let word: Growing | undefined
  // The last two of a run without spaces: a pair is complete when the marks after it have been read.
  let before: Growing | undefined
  let last: Growing | undefined
  // After an l: the middle dot of the Catalan l·l, or the end of the word.
  let isDotted = false

  for (let at = from; at < text.length; ) {
    const codePoint = text.codePointAt(at)!
    // Most of most texts: several times faster than letter by letter.
    if (codePoint < 0x80 && word === undefined && last === undefined) {
      const end = asciiEnd(text, at)
      if (end > at) {
        const cut = Math.min(end, at + longestWord)
        yield { text: text.slice(at, cut).toLowerCase(), start: at, end: cut, part: "word", headEnd: cut }
      }
      if (end !== 0) {
        at = Math.max(end, at + 1)
        continue
      }
    }
    const end = at + (codePoint > 0xffff ? 2 : 1)
    for (const unit of unitsOf(codePoint)) {
      if (unit.role === "mark") {
        const marked = last ?? word
        if (marked !== undefined && !isDotted && marked.size <= longestWord) marked.end = end
        continue
      }
      if (unit.role === "dot" && word?.text.endsWith("l") && !isDotted) {
        isDotted = true
        continue
      }
      if (word !== undefined && (unit.role !== "letter" || (isDotted && unit.text !== "l"))) {
        yield toToken(word, "word")
        word = undefined
      }
      isDotted = false
      if (before !== undefined && last !== undefined) yield toPair(before, last)
      if (unit.role === "unspaced") {
        before = last
        last = { text: unit.text, size: 1, start: at, end }
        continue
      }
      if (last !== undefined) yield toToken(last, before === undefined ? "only" : "last")
      before = last = undefined
      if (unit.role !== "letter") continue
      word ??= { text: "", size: 0, start: at, end }
      // One more than the longest says that the rest has been left out.
      if (word.size <= longestWord) word.size++
      if (word.size > longestWord) continue
      word.text += unit.text
      word.end = end
    }
    at = end
  }
  if (word !== undefined) yield toToken(word, "word")
  if (before !== undefined && last !== undefined) yield toPair(before, last)
  if (last !== undefined) yield toToken(last, before === undefined ? "only" : "last")
}

/**
 * The words of a text, as they are indexed, in order.
 *
 * Case, accents, width, ligatures and the script of digits make no difference: `Opción`, `opcion` and `OPCIÓN` are one
 * word. Words are runs of letters and digits; an apostrophe divides, the middle dot of the Catalan `l·l` doesn't, and
 * invisible characters are as if they weren't there.
 *
 * **Shape** a word holds only letters and digits. Chinese, Japanese, Thai, Lao, Khmer and Burmese are written without
 * spaces: each code point is indexed together with the next, and the last one of a run alone.
 *
 * **Units** `start` and `end` in UTF-16 units of the text as it was given, end exclusive; two words that came from one
 * character (`½`) have the same place, and pairs overlap. A word is cut after 64 code points, what follows in it is not
 * indexed.
 *
 * **Gotchas** marks are left out in all scripts: ガ and カ are one. Korean syllables become their letters. For display
 * take the text from `start` to `end`, never the word.
 *
 * **Source** Unicode normalisation form NFKD (Unicode Standard Annex 15).
 *
 * **Example**
 * ```ts
 * import { strict as assert } from "node:assert"
 * import { wordsOf } from "@switchboard/storage/Words"
 *
 * const text = "L'Opción Nº ٤٢"
 * assert.deepEqual(wordsOf(text).map((word) => word.text), ["l", "opcion", "no", "42"])
 * assert.deepEqual(wordsOf(text)[1], { text: "opcion", start: 2, end: 8 })
 * assert.deepEqual(wordsOf("col·legi").map((word) => word.text), ["collegi"])
 * assert.deepEqual(wordsOf("中文字").map((word) => word.text), ["中文", "文字", "字"])
 * ```
 */
export const wordsOf = (text: string): ReadonlyArray<Word> => {
  const words: Array<Word> = []
  for (const token of tokensOf(text)) words.push({ text: token.text, start: token.start, end: token.end })
  return words
}

/**
 * What a query looks for: all its words, the last one as a prefix, because it may still be being typed.
 *
 * **Shape** different terms, at most 16, the first ones; none when the query has no words, and then there is nothing to
 * look for. A space at the end says that the last word is whole. A run of a script without spaces gives its pairs; one
 * code point alone is a prefix.
 *
 * **Gotchas** the order of words and quotes around them say nothing: all the terms have to be there, anywhere.
 *
 * **Example**
 * ```ts
 * import { strict as assert } from "node:assert"
 * import { termsOf } from "@switchboard/storage/Words"
 *
 * assert.deepEqual(termsOf("Doble cob"), [
 *   { text: "doble", isPrefix: false },
 *   { text: "cob", isPrefix: true }
 * ])
 * assert.deepEqual(termsOf("cob "), [{ text: "cob", isPrefix: false }])
 * assert.deepEqual(termsOf("退款"), [{ text: "退款", isPrefix: false }])
 * assert.deepEqual(termsOf("?!"), [])
 * ```
 */
export const termsOf = (query: string): ReadonlyArray<Term> => {
  const terms = new Map<string, Term>()
  const whole = (text: string) => terms.set(text, { text, isPrefix: false })
  const prefix = (text: string) => terms.has(text) || terms.set(text, { text, isPrefix: true })
  let latest: string | undefined
  for (const { text, part } of tokensOf(query)) {
    if (latest !== undefined) whole(latest)
    latest = undefined
    if (terms.size === mostTerms) break
    if (part === "word") latest = text
    if (part === "pair") whole(text)
    if (part === "only") prefix(text)
  }
  if (latest !== undefined) (/\s/u.test(query.at(-1) ?? "") ? whole : prefix)(latest)
  return [...terms.values()]
}

interface Matcher {
  /** Of different terms. */
  readonly size: number
  /** The terms that a word meets, each always the same object. */
  readonly meet: (word: string) => ReadonlyArray<Term>
}

const nothing: ReadonlyArray<Term> = []

const toMatcher = (terms: ReadonlyArray<Term>): Matcher => {
  const wholes = new Map(terms.filter(({ isPrefix }) => !isPrefix).map((term) => [term.text, term]))
  const prefixes = new Map(terms.filter(({ isPrefix }) => isPrefix).map((term) => [term.text, term]))
  const begins = [...prefixes.values()]
  const meet = (word: string): ReadonlyArray<Term> => {
    const whole = wholes.get(word)
    let met = whole === undefined ? nothing : [whole]
    for (const term of begins) if (word.startsWith(term.text)) met = [...met, term]
    return met
  }
  return { size: wholes.size + prefixes.size, meet }
}

/**
 * Does the text hold all the terms: the reference every backend is tested against.
 *
 * **Gotchas** no terms at all are held by every text; a search for nothing is for its caller to answer.
 *
 * **Example**
 * ```ts
 * import { strict as assert } from "node:assert"
 * import { holds, termsOf } from "@switchboard/storage/Words"
 *
 * const text = "M'heu cobrat dues vegades la comanda 1042."
 * assert.equal(holds(text, termsOf("comanda cobr")), true)
 * assert.equal(holds(text, termsOf("comanda cobr ")), false)
 * ```
 */
export const holds = (text: string, terms: ReadonlyArray<Term>): boolean => {
  const { size, meet } = toMatcher(terms)
  if (size === 0) return true
  const found = new Set<Term>()
  for (const token of tokensOf(text)) {
    for (const term of meet(token.text)) found.add(term)
    if (found.size === size) return true
  }
  return false
}

interface Span {
  readonly start: number
  readonly end: number
}

interface Match extends Span {
  readonly terms: ReadonlyArray<Term>
}

/** A word that meets terms. Of a pair, only its first code point when nothing more was looked for. */
const matchOf = ({ meet }: Matcher, token: Token): Match | undefined => {
  const terms = meet(token.text)
  if (terms.length === 0) return undefined
  const head = String.fromCodePoint(token.text.codePointAt(0)!)
  const isHead = token.part === "pair" && terms.every(({ text }) => text === head)
  return { start: token.start, end: isHead ? token.headEnd : token.end, terms }
}

/** Where most different terms match within a length: the first such place, and the matches before it that fit in. */
const densest = (text: string, matcher: Matcher, length: number): Span => {
  const near: Array<Match> = []
  let first = 0
  const counts = new Map<Term, number>()
  let best: Span = { start: 0, end: 0 }
  let most = 0
  for (const token of tokensOf(text)) {
    if (most === matcher.size) break
    const match = matchOf(matcher, token)
    if (match === undefined || match.end - match.start > length) continue
    near.push(match)
    for (const term of match.terms) counts.set(term, (counts.get(term) ?? 0) + 1)
    while (match.end - near[first]!.start > length) {
      for (const term of near[first]!.terms) {
        const count = counts.get(term)! - 1
        if (count === 0) counts.delete(term)
        else counts.set(term, count)
      }
      first++
    }
    if (counts.size <= most) continue
    most = counts.size
    best = { start: near[first]!.start, end: match.end }
  }
  return best
}

/** May the text be cut here: not inside a surrogate pair, nor before what belongs to the character before it. */
const isBorder = (text: string, at: number): boolean => {
  if (at === 0 || at >= text.length) return true
  if (text.codePointAt(at - 1)! > 0xffff || text[at - 1] === "\u200d") return false
  const codePoint = text.codePointAt(at)!
  if (/\p{Emoji_Modifier}/u.test(String.fromCodePoint(codePoint))) return false
  return !unitsOf(codePoint).every(({ role }) => role === "mark")
}

/** What nobody misses beside the `…` of a cut. */
const isGap = (text: string, at: number): boolean => /[\s,.;:!?…)、。，！？،؛؟]/u.test(text.charAt(at))

/** The space at or before a place, which surely lies in no word, or the beginning. */
const spaceBefore = (text: string, at: number): number => Math.max(0, text.lastIndexOf(" ", at))

/** What is shown of a text that is too long, with the middle as far as it fits; each cut costs the unit of its `…`. */
const windowAround = (text: string, middle: Span, length: number): { from: number; to: number } => {
  const around = Math.max(0, length - 2 - (middle.end - middle.start))
  let from = Math.max(0, middle.start - Math.floor(around / 2))
  let to = text.length
  if (from > 0 && from + length - 1 >= text.length) from = text.length - length + 1
  else to = Math.max(from, from + length - (from > 0 ? 2 : 1))

  while (from < middle.start && !isBorder(text, from)) from++
  while (to > middle.end && !isBorder(text, to)) to--
  const [cutFrom, cutTo] = [from, to]
  for (const { start, end, part } of tokensOf(text, spaceBefore(text, from))) {
    if (start >= cutTo) break
    if (part !== "word") continue
    if (start < cutFrom && cutFrom < end) from = Math.min(middle.start, end)
    if (start < cutTo && cutTo < end && start > from) to = Math.max(middle.end, start)
  }
  if (from > 0) while (from < middle.start && isGap(text, from)) from++
  if (to < text.length) while (to > Math.max(from, middle.end) && isGap(text, to - 1)) to--
  return { from, to }
}

/**
 * A part of a text to show with a finding: around the first place where most different terms match, or the beginning.
 *
 * **Shape** the text as it was given, with `…` where it was cut: between words where possible, never inside a character.
 * Matches are in order, apart from each other, and whole: one that doesn't fit is as none.
 *
 * **Units** `length` in UTF-16 units, what the snippet has at most, its `…` included; at least 1, 160 by default.
 *
 * **Example**
 * ```ts
 * import { strict as assert } from "node:assert"
 * import { snippetOf, termsOf } from "@switchboard/storage/Words"
 *
 * const text = "Good morning. My name is Anna Puig, and I was charged twice for order 1042. Could you help me?"
 * const { text: shown, matches } = snippetOf(text, termsOf("order charg"), 50)
 * assert.equal(shown, "…and I was charged twice for order 1042. Could…")
 * assert.deepEqual(matches.map(({ start, end }) => shown.slice(start, end)), ["charged", "order"])
 * ```
 */
export const snippetOf = (text: string, terms: ReadonlyArray<Term>, length = 160): Snippet => {
  const most = Math.max(1, Math.floor(length))
  const matcher = toMatcher(terms)
  const { from, to } =
    text.length <= most ? { from: 0, to: text.length } : windowAround(text, densest(text, matcher, most - 2), most)
  if (to <= from && text.length > 0) return { text: "…", matches: [] }

  const before = from > 0 ? "…" : ""
  const matches: Array<{ start: number; end: number }> = []
  for (const token of tokensOf(text, spaceBefore(text, from))) {
    if (token.start >= to) break
    const match = token.start < from ? undefined : matchOf(matcher, token)
    if (match === undefined || match.end > to) continue
    const start = match.start - from + before.length
    const end = match.end - from + before.length
    const latest = matches.at(-1)
    if (latest !== undefined && start <= latest.end) latest.end = Math.max(latest.end, end)
    else matches.push({ start, end })
  }
  return { text: before + text.slice(from, to) + (to < text.length ? "…" : ""), matches }
}
