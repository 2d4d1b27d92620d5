/**
 * Questions about a turn that are answered yes or no: when a step is asked.
 *
 * @module
 */
import { Thread } from "@switchboard/conversation"
import * as z from "zod"
import { BotDefinitionError, decode } from "./BotDefinitionError.ts"
import { fold, wordsPattern } from "./internal/fold.ts"
import * as Turns from "./Turn.ts"

/** Whether something holds for a turn. Any function of this shape will do. */
export type Predicate = (turn: Turns.Turn) => boolean

/**
 * Whether the contact used any of these words or phrases in this turn, whatever the case and accents.
 *
 * Whole words only: `art` is not found in `start`. Scripts that write words without spaces (Chinese, Japanese, Thai, Lao,
 * Khmer, Burmese) and Korean, whose words take endings, are searched for the characters. Labels of buttons are not words:
 * see {@link choice}.
 *
 * **Gotchas** Marks that distinguish words stay: vowel signs of Indic scripts, voicing marks of Japanese. Left out are
 * accents of Latin, Greek and Cyrillic letters and the vowel points of Hebrew and Arabic. `ø` and `ł` are letters of
 * their own.
 *
 * **Fails with** `BotDefinitionError`, thrown at once, for no phrase or an empty one.
 *
 * **Example**
 *
 * ```ts
 * import { strict as assert } from "node:assert"
 * import { BotTesting, Predicate } from "@switchboard/bot"
 *
 * const wantsPerson = Predicate.saysAny(["human", "una persona", "人工"])
 * assert.equal(wantsPerson(BotTesting.turn({ text: "A HUMAN, please!" })), true)
 * assert.equal(wantsPerson(BotTesting.turn({ text: "Quiero hablar con una  persôna" })), true)
 * assert.equal(wantsPerson(BotTesting.turn({ text: "我要人工客服" })), true)
 * assert.equal(wantsPerson(BotTesting.turn({ text: "how humane" })), false)
 * ```
 */
export const saysAny = (phrases: ReadonlyArray<string>): Predicate => {
  const folded = decode("saysAny", z.array(z.string()).min(1), phrases).map(fold)
  const empty = folded.indexOf("")
  if (empty >= 0)
    throw new BotDefinitionError("saysAny", [
      `${empty}: must be a word or phrase; found ${JSON.stringify(phrases[empty])}, which would be found everywhere.`
    ])
  const pattern = wordsPattern(folded)
  return (turn) => pattern.test(fold(Turns.words(turn)))
}

/** Whether the contact chose the option of this id in this turn, by its button or by typing its number or label. */
export const choice =
  (optionId: string): Predicate =>
  (turn) =>
    Turns.dialogue(turn).choices.some((one) => one.isNew && one.optionId === optionId)

/**
 * Whether the contact wrote last on a channel of this kind.
 *
 * **Fails with** `BotDefinitionError`, thrown at once, for what can't be a channel kind.
 */
export const channel = (kind: string): Predicate => {
  const wanted = decode("channel predicate", Thread.ChannelKind, kind)
  return (turn) => Turns.channelKind(turn) === wanted
}

/**
 * Whether the conversation, or else the contact, is known to be in this language: `pt` holds for `pt` and `pt-BR`,
 * `pt-BR` not for `pt`. Does not hold while no language is known.
 *
 * **Fails with** `BotDefinitionError`, thrown at once, for what can't be a language tag.
 *
 * **Source** RFC 4647, basic filtering.
 */
export const language = (tag: string): Predicate => {
  const Tag = z.string().regex(/^[a-z]{2,8}(-[a-z0-9]{1,8})*$/i, "must be a BCP 47 tag such as en or pt-BR")
  const range = decode("language predicate", Tag, tag).toLowerCase()
  return (turn) => {
    const spoken = Turns.language(turn)?.toLowerCase()
    return spoken === range || spoken?.startsWith(`${range}-`) === true
  }
}

/** Whether nothing was said before this turn, by anybody. */
export const firstTurn: Predicate = (turn) => turn.history.length === 0

/** Whether all of them hold. */
export const and =
  (...predicates: ReadonlyArray<Predicate>): Predicate =>
  (turn) =>
    predicates.every((holds) => holds(turn))

/** Whether any of them holds. */
export const or =
  (...predicates: ReadonlyArray<Predicate>): Predicate =>
  (turn) =>
    predicates.some((holds) => holds(turn))

/** Whether it does not hold. */
export const not =
  (predicate: Predicate): Predicate =>
  (turn) =>
    !predicate(turn)
