/** What a dead letter says about itself, for people. */
import type { DeadLetter } from "@switchboard/desk/Views"

/** As much of what came as fits on a screen. */
const shownCharacters = 4000

interface From {
  readonly name?: string
  readonly addresses?: ReadonlyArray<{ readonly kind: string; readonly value: string; readonly label?: string }>
}

/** From whom it came, by name and address as far as they are known; nothing when that could not even be read. */
export const senderOf = ({ entry }: DeadLetter): ReadonlyArray<string> => {
  const { from, raw } = (entry ?? {}) as { readonly from?: From | null; readonly raw?: { readonly from?: unknown } }
  // What a channel could not translate is kept as it came, and often says it all the same.
  if (!from && typeof raw?.from === "string") return [raw.from]
  const [address] = from?.addresses ?? []
  const where = address?.label ?? address?.value
  return [...new Set([from?.name ?? "", where ?? ""])].filter((one) => one !== "")
}

const fromBase64 = (base64: string): string =>
  new TextDecoder().decode(Uint8Array.from(atob(base64), (character) => character.charCodeAt(0)))

/** What came, as text. */
export const contentOf = ({ bytes, entry }: DeadLetter): string => {
  const text = bytes !== null ? fromBase64(bytes) : entry === null ? "" : JSON.stringify(entry, null, 2)
  return text.length > shownCharacters ? `${text.slice(0, shownCharacters)}…` : text
}

/** The conversation that a stream is about, if it is about one. */
export const conversationOf = (stream: string): string | null =>
  /^(?:conversation|sla)\/(.+)$/.exec(stream)?.[1] ?? null
