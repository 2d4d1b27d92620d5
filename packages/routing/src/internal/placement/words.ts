/** Finding words in what people write: folded, whole or by their beginning, in time that grows with the text alone. */

import { remember } from "./remember.ts"

/** One word to find; with `isBeginning` every word that begins so will do. */
export interface Word {
  readonly text: string
  readonly isBeginning: boolean
}

/** A text, cut into words. */
export interface Text {
  readonly words: ReadonlyArray<string>
  readonly placesOf: ReadonlyMap<string, ReadonlyArray<number>>
}

// Letters with a stroke, and ligatures, which Unicode doesn't decompose.
const spelled: Readonly<Record<string, string>> = {
  ß: "ss",
  ς: "σ",
  ı: "i",
  ł: "l",
  ø: "o",
  đ: "d",
  ð: "d",
  ħ: "h",
  þ: "th",
  æ: "ae",
  œ: "oe"
}

/**
 * Without case and accents. What is no accent but part of the letter stays: the vowels of Hindi, the voicing of kana.
 * Points that Hebrew and Arabic mostly leave out go.
 */
export const fold = (text: string): string =>
  text
    .normalize("NFKD")
    .toLowerCase()
    .replace(/[\u0300-\u036f\u0591-\u05bd\u05bf\u05c1\u05c2\u05c4\u05c5\u05c7\u0640\u064b-\u065f\u0670]/g, "")
    .replace(/[ßςıłøđðħþæœ]/g, (letter) => spelled[letter]!)
    .normalize("NFC")

// Where nothing is put between words, every letter is a word, and a word of several letters is found as a phrase is.
const unspaced = /[\p{scx=Han}\p{scx=Hiragana}\p{scx=Katakana}\p{scx=Thai}\p{scx=Lao}\p{scx=Khmer}\p{scx=Myanmar}]/u
const unspacedWords =
  /(?:[[\p{scx=Han}\p{scx=Hiragana}\p{scx=Katakana}\p{scx=Thai}\p{scx=Lao}\p{scx=Khmer}\p{scx=Myanmar}]&&[\p{L}\p{N}]]\p{M}*|[[\p{L}\p{M}\p{N}]--[\p{scx=Han}\p{scx=Hiragana}\p{scx=Katakana}\p{scx=Thai}\p{scx=Lao}\p{scx=Khmer}\p{scx=Myanmar}]]+)\*?/gv
const spacedWords = /[\p{L}\p{M}\p{N}]+\*?/gu

const cut = (text: string): ReadonlyArray<string> => {
  const folded = fold(text)
  return folded.match(unspaced.test(folded) ? unspacedWords : spacedWords) ?? []
}

const withoutStar = (word: string): string => (word.endsWith("*") ? word.slice(0, -1) : word)

/** The words of a phrase to find, one after the other. A star right after a word makes it a beginning. */
export const phraseOf = (phrase: string): ReadonlyArray<Word> =>
  cut(phrase).map((word) => ({ text: withoutStar(word), isBeginning: word.endsWith("*") }))

/** The phrases of a list, read once. */
export const phrasesOf = remember((phrases: ReadonlyArray<string>) => phrases.map(phraseOf))

export const textOf = (text: string): Text => {
  const words = cut(text).map(withoutStar)
  const placesOf = new Map<string, Array<number>>()
  for (const [place, word] of words.entries()) {
    const places = placesOf.get(word)
    if (places === undefined) placesOf.set(word, [place])
    else places.push(place)
  }
  return { words, placesOf }
}

const fits = (word: Word, found: string | undefined): boolean =>
  found !== undefined && (word.isBeginning ? found.startsWith(word.text) : found === word.text)

export const includes = ({ words, placesOf }: Text, phrase: ReadonlyArray<Word>): boolean => {
  const [first] = phrase
  if (first === undefined) return false
  const isAt = (place: number): boolean => phrase.every((word, offset) => fits(word, words[place + offset]))
  if (!first.isBeginning) return placesOf.get(first.text)?.some(isAt) ?? false
  for (const [word, places] of placesOf) if (fits(first, word) && places.some(isAt)) return true
  return false
}

/** Whether every text that has the first phrase has the second one, too. */
export const isNarrower = (phrase: ReadonlyArray<Word>, wider: ReadonlyArray<Word>): boolean =>
  phrase.some((_, place) =>
    wider.every((word, offset) => {
      const own = phrase[place + offset]
      return own !== undefined && fits(word, own.text) && (word.isBeginning || !own.isBeginning)
    })
  )
