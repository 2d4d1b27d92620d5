import type { StoredDocument, ViewDefinition } from "../StorageDriver.ts"
import { textOf } from "../View.ts"
import { type Term, wordsOf } from "../Words.ts"

/** How much a prefix that is not the whole word counts. */
const prefixShare = 0.5

/** How soon more of the same word, and a longer text, stop to matter: the usual constants of BM25. */
const saturation = 1.2
const lengthShare = 0.75
/** Words of a usual message: texts are weighed against it. */
const usualLength = 40

/** So much of each text is weighed, in UTF-16 units: what is said later is found, but says less of what a text is about. */
const weighedLength = 5_000

const weightOf = (terms: ReadonlyArray<Term>, text: string): number => {
  const words = wordsOf(text.slice(0, weighedLength))
  const against = saturation * (1 - lengthShare + (lengthShare * words.length) / usualLength)
  let weight = 0
  for (const { text: wanted, isPrefix } of terms) {
    let often = 0
    for (const word of words)
      if (word.text === wanted) often++
      else if (isPrefix && word.text.startsWith(wanted)) often += prefixShare
    weight += (often * (saturation + 1)) / (often + against)
  }
  return weight
}

/**
 * Documents that hold all terms, the best first; of equal ones the first stays first.
 *
 * BM25 without the rarity of words: every document holds them all, and what a backend counts must not change the order.
 */
export const ranked = (
  view: ViewDefinition,
  terms: ReadonlyArray<Term>,
  documents: ReadonlyArray<StoredDocument>
): ReadonlyArray<StoredDocument> =>
  documents
    .map((document) => ({ document, weight: weightOf(terms, textOf(view, document.document)) }))
    .sort((left, right) => right.weight - left.weight)
    .map(({ document }) => document)
