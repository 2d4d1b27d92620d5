/** The marks people leave out when they type in a hurry: accents of Latin, Greek and Cyrillic, points of Hebrew and Arabic. */
const optionalMarks = /[\p{Mn}&&[\u0300-\u036f\u0591-\u05c7\u064b-\u0655\u0670]]|\u0640/gv

/** Joiners, soft hyphens, variation selectors: there, and not to be seen. */
const invisible = /\p{Default_Ignorable_Code_Point}/gu

const isDigit = (codePoint: number): boolean => /^\p{Nd}$/u.test(String.fromCodePoint(codePoint))

/** Unicode's digits lie in rows of ten, from 0 to 9, and rows may adjoin. */
const toAsciiDigit = (digit: string): string => {
  const codePoint = digit.codePointAt(0)!
  let start = codePoint
  while (isDigit(start - 1)) start -= 1
  return String((codePoint - start) % 10)
}

/** A text without what makes no difference in conversation: case, accents, width, script of digits, kinds of space. */
export const fold = (text: string): string =>
  text
    .normalize("NFKD")
    .replace(optionalMarks, "")
    .replace(invisible, "")
    // Up and down again folds what has several lower-case forms (ß and ss); ẞ must come down first.
    .toLowerCase()
    .toUpperCase()
    .toLowerCase()
    .replaceAll("ς", "σ")
    .replace(/[‘’ʼ]/gu, "'")
    .replace(/(?![0-9])\p{Nd}/gu, toAsciiDigit)
    .normalize("NFC")
    .replace(/\s+/gu, " ")
    .trim()

/** Folded, and without the punctuation around it: "2." and "(2)" are "2". Symbols alone stay as they are. */
export const foldBare = (text: string): string => {
  const folded = fold(text)
  return folded.replace(/^[^\p{L}\p{N}]+|[^\p{L}\p{N}]+$/gu, "") || folded
}

/** Scripts whose words are written without spaces, or grow endings as Korean ones do: there, no letter ends a word. */
const unspaced = ["Han", "Hira", "Kana", "Hang", "Thai", "Laoo", "Khmr", "Mymr"]
  .map((script) => `\\p{scx=${script}}`)
  .join("")
const letter = `[[\\p{L}\\p{N}\\p{M}_]--[${unspaced}]]`
const startsWithLetter = new RegExp(`^${letter}`, "v")
const endsWithLetter = new RegExp(`${letter}$`, "v")

/** Finds any of the folded phrases as whole words in a folded text. */
export const wordsPattern = (phrases: ReadonlyArray<string>): RegExp =>
  new RegExp(
    phrases
      .map((phrase) => {
        const before = startsWithLetter.test(phrase) ? `(?<!${letter})` : ""
        const after = endsWithLetter.test(phrase) ? `(?!${letter})` : "(?!\\p{M})"
        return before + phrase.replace(/[\^$\\.*+?()[\]{}|/]/g, "\\$&") + after
      })
      .join("|"),
    "v"
  )
