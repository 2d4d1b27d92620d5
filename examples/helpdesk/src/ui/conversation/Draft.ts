/** What is being written, kept per conversation for as long as the browser's tab lives. */
import { useSessionStorage } from "@mantine/hooks"
import type { Message } from "@switchboard/conversation"

export interface Draft {
  readonly tab: "reply" | "note"
  readonly reply: string
  /** A note with its mentions, in the text field's own markup. */
  readonly note: string
  readonly threadId: string | null
}

const empty: Draft = { tab: "reply", reply: "", note: "", threadId: null }

export const useDraft = (conversationId: string) => {
  const [draft, setDraft] = useSessionStorage<Draft>({
    key: `switchboard-draft-${conversationId}`,
    defaultValue: empty,
    getInitialValueInEffect: false
  })
  return [draft, (change: Partial<Draft>) => setDraft((before) => ({ ...before, ...change }))] as const
}

const mention = /@\[([^\]]*)\]\((team|agent):([^)]*)\)/g

/** A note's words and whom they call for, from the text field's markup: `@[Billing](team:billing)`. */
export const fromMarkup = (
  markup: string
): { readonly text: string; readonly mentions: ReadonlyArray<Message.Mention> } => ({
  text: markup.replace(mention, "@$1"),
  mentions: [...markup.matchAll(mention)].map(([, , kind, id]) => ({ kind, id }) as Message.Mention)
})
