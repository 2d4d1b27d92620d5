/** A message's words while they are being changed. */
import { Button, Kbd, Textarea } from "@mantine/core"
import type { Message } from "@switchboard/conversation"
import { useState } from "react"
import { wordsOf } from "./Changes.ts"
import { useGive } from "./useGive.ts"

export const MessageEdit = ({
  message,
  onDone
}: {
  readonly message: Message.Message
  readonly onDone: () => void
}) => {
  const before = wordsOf(message) ?? ""
  const [words, setWords] = useState(before)
  const { give, isBusy } = useGive(message.conversationId)
  const isSame = words.trim() === "" || words.trim() === before.trim()
  const save = async (): Promise<void> => {
    if (isSame || isBusy) return
    const parts = message.parts.map((part) => (part.kind === "text" ? { ...part, text: words.trim() } : part))
    if (await give({ type: "EditMessage", messageId: message.id, parts })) onDone()
  }
  return (
    <div className="message-edit">
      <Textarea
        variant="unstyled"
        aria-label="Edit the message"
        autosize
        autoFocus
        minRows={1}
        maxRows={12}
        maxLength={200_000}
        dir="auto"
        value={words}
        onChange={(event) => setWords(event.currentTarget.value)}
        onFocus={({ currentTarget: { value }, currentTarget }) =>
          currentTarget.setSelectionRange(value.length, value.length)
        }
        onKeyDown={(event) => {
          if (event.key === "Escape") onDone()
          if (event.key === "Enter" && (event.ctrlKey || event.metaKey)) {
            event.preventDefault()
            void save()
          }
        }}
      />
      <div className="message-edit-foot">
        <span className="hint wide-only">
          <Kbd size="xs">Ctrl</Kbd> <Kbd size="xs">Enter</Kbd>
        </span>
        <span className="grow" />
        <Button size="compact-xs" variant="default" onClick={onDone}>
          Cancel
        </Button>
        <Button size="compact-xs" onClick={save} disabled={isSame} loading={isBusy}>
          Save
        </Button>
      </div>
    </div>
  )
}
