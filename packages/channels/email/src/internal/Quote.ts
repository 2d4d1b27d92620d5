/**
 * Cuts the quoted mail off an answer. Conservative: when anything is unclear, the text stays whole. Every step looks at a
 * line a bounded number of times, so the time is linear in the text.
 */

// How an attribution line begins and ends: Gmail, Apple Mail and Thunderbird in en, es, ca, de.
const attributions: ReadonlyArray<{ readonly start: RegExp; readonly end: RegExp }> = [
  { start: /^on\s/i, end: /\bwrote:$/i },
  { start: /^(?:el|en)\s/i, end: /\bescribi[óo]:$/i },
  { start: /^el\s/i, end: /\bva escriure:$/i },
  { start: /^missatge de\s/i, end: /:$/ },
  { start: /^(?:am|im)\s/i, end: /\bschrieb(?:\s.{1,120})?:$/i },
  // "Ana <ana@example.com> wrote:" and "Ana schrieb am 5.5.2024 um 10:00:"
  { start: /^\S.{0,80}<\S+@\S+>/, end: /\b(?:wrote|escribi[óo]|va escriure|schrieb)\b.{0,80}:$/i },
  { start: /^\S.{0,80}\sschrieb am\s/i, end: /:$/ }
]

const originalMessage =
  /^[-_\s]{2,}(?:original message|mensaje original|missatge original|ursprüngliche nachricht)[-_\s]{2,}$/i
const forwarded =
  /^(?:[-_\s]{2,}|begin\s)(?:forwarded message|mensaje reenviado|missatge reenviat|weitergeleitete nachricht)/i
const forwardedSubject = /^\s*(?:fwd?|wg|rv|tr|enc|reenv)\s*:/i
const underscores = /^_{20,}$/

// The header block that Outlook puts over the mail it quotes.
const fromLabel = /^\*?(?:from|de|von)\s?:\*?\s/i
const otherLabel =
  /^\*?(?:sent|date|to|cc|subject|enviado|enviado el|fecha|para|asunto|enviat|data|per a|a|tema|assumpte|gesendet|datum|an|betreff)\s?:\*?\s/i

const isQuoted = (line: string): boolean => line.startsWith(">")
const isBlank = (line: string): boolean => line.trim() === ""

/** How many lines from `index` make an attribution: 0 when there is none. Mail programs wrap it over up to four lines. */
const attributionAt = (lines: ReadonlyArray<string>, index: number): number => {
  let joined = ""
  for (let count = 1; count <= 4; count++) {
    const line = lines[index + count - 1]?.trim() ?? ""
    if (line === "" || line.length > 300 || isQuoted(line)) return 0
    joined = count === 1 ? line : `${joined} ${line}`
    if (joined.endsWith(":") && attributions.some(({ start, end }) => start.test(joined) && end.test(joined)))
      return count
  }
  return 0
}

const isHeaderBlock = (lines: ReadonlyArray<string>, index: number): boolean => {
  if (!fromLabel.test(lines[index]?.trim() ?? "")) return false
  const labels = lines.slice(index + 1, index + 8).filter((line) => otherLabel.test(line.trim()))
  return labels.length >= 2
}

const nextFilled = (lines: ReadonlyArray<string>, from: number): number => {
  let index = from
  // Bounded: a gap of more than five lines is not one quote any more.
  while (index < lines.length && index - from < 5 && isBlank(lines[index]!)) index++
  return index
}

/** Whether everything from `index` on is quoted: an answer between the quoted lines keeps the text whole. */
const isQuotedToTheEnd = (lines: ReadonlyArray<string>, index: number): boolean => {
  for (let at = index; at < lines.length; at++) {
    const line = lines[at]!
    if (!isQuoted(line) && !isBlank(line)) return false
  }
  return true
}

const cutAt = (lines: ReadonlyArray<string>): number | undefined => {
  for (let index = 0; index < lines.length; index++) {
    const line = lines[index]!.trim()
    if (forwarded.test(line)) return undefined
    if (originalMessage.test(line)) return isHeaderBlock(lines, nextFilled(lines, index + 1)) ? index : undefined
    if (underscores.test(line) && isHeaderBlock(lines, nextFilled(lines, index + 1))) return index
    if (isHeaderBlock(lines, index)) return index
    const length = attributionAt(lines, index)
    if (length > 0) {
      const quote = nextFilled(lines, index + length)
      // Only the first attribution is looked at: what follows it is either all quoted or unclear.
      if (quote < lines.length && isQuoted(lines[quote]!)) return isQuotedToTheEnd(lines, quote) ? index : undefined
    }
    // Apple Mail quotes the attribution itself: it opens the first quote.
    if (isQuoted(line)) {
      const opening = lines.slice(index, index + 4).map((one) => one.replace(/^[>\s]+/, ""))
      return attributionAt(opening, 0) > 0 && isQuotedToTheEnd(lines, index) ? index : undefined
    }
  }
  return undefined
}

/** The text of an answer without the mail it quotes. `subject` tells forwarded mails, which stay whole. */
export const withoutQuote = (text: string, subject: string): string => {
  if (forwardedSubject.test(subject)) return text
  const lines = text.split("\n")
  const cut = cutAt(lines)
  if (cut === undefined) return text
  let end = cut
  // The rule that mail programs draw above a quote goes with it.
  while (end > 0 && /^[-_\s]*$/.test(lines[end - 1]!)) end--
  const kept = lines.slice(0, end).join("\n").trimEnd()
  return kept.trim() === "" ? text : kept
}
