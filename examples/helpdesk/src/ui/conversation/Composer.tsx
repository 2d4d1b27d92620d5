import { ActionIcon, Button, FileButton, Kbd, Mentions, Menu, Textarea, Tooltip, UnstyledButton } from "@mantine/core"
import { useHotkeys } from "@mantine/hooks"
import { notifications } from "@mantine/notifications"
import type { Thread } from "@switchboard/conversation"
import type { ConversationDetail } from "@switchboard/desk/DeskService"
import { IconCheck, IconChevronDown, IconLock, IconMessage, IconPaperclip, IconSend, IconX } from "@tabler/icons-react"
import { useQueryClient } from "@tanstack/react-query"
import { useRef, useState } from "react"
import { capabilitiesOf, useChannels } from "../Capabilities.ts"
import { ChannelIcon, lookOf } from "../Channels.tsx"
import type { OutgoingFile } from "../DeskClient.ts"
import { holderName, useDirectory, useMe } from "../Directory.ts"
import { toSize } from "../Format.ts"
import { fromMarkup, useDraft } from "./Draft.ts"
import { toBase64 } from "./Files.ts"
import * as Outbox from "./Outbox.ts"
import { useSaysTyping } from "./useSaysTyping.ts"

/** The thread a reply goes to unless the agent chooses: where the contact wrote last. */
const usualThread = ({ messages, conversation }: ConversationDetail): Thread.Thread | undefined => {
  const writable = conversation.threads.filter(({ audience }) => audience !== "internal")
  const last = messages.findLast(({ direction }) => direction === "in")?.threadId
  return writable.find(({ id }) => id === last) ?? writable.at(-1)
}

const ThreadPicker = ({
  threads,
  chosen,
  onChoose
}: {
  readonly threads: ReadonlyArray<Thread.Thread>
  readonly chosen: Thread.Thread
  readonly onChoose: (id: string) => void
}) => {
  const where = (thread: Thread.Thread) => thread.recipients.map(({ value }) => value).join(", ")
  return (
    <Menu width={320} position="top-start" disabled={threads.length < 2}>
      <Menu.Target>
        <UnstyledButton
          className="thread-picker"
          aria-label={`Reply by ${lookOf(chosen.channelKind).label}${threads.length > 1 ? ". Change it" : ""}`}
        >
          <ChannelIcon kind={chosen.channelKind} size={15} />
          <span>{lookOf(chosen.channelKind).label}</span>
          {chosen.audience === "public" && <b className="public">Public</b>}
          {threads.length > 1 && <IconChevronDown size={14} aria-hidden />}
        </UnstyledButton>
      </Menu.Target>
      <Menu.Dropdown>
        <Menu.Label>Reply by</Menu.Label>
        {threads.map((thread) => (
          <Menu.Item
            key={thread.id}
            leftSection={<ChannelIcon kind={thread.channelKind} />}
            rightSection={thread.id === chosen.id ? <IconCheck size={16} aria-label="chosen" /> : null}
            onClick={() => onChoose(thread.id)}
          >
            {lookOf(thread.channelKind).label}
            <small className="block quiet truncate">{where(thread)}</small>
          </Menu.Item>
        ))}
      </Menu.Dropdown>
    </Menu>
  )
}

export const Composer = ({ detail }: { readonly detail: ConversationDetail }) => {
  const { conversation } = detail
  const me = useMe()
  const directory = useDirectory()
  const queries = useQueryClient()
  const [draft, setDraft] = useDraft(conversation.id)
  const note = fromMarkup(draft.note)
  const [files, setFiles] = useState<ReadonlyArray<OutgoingFile & { readonly size: number }>>([])
  const [startFence, setStartFence] = useState<number | null>(draft.reply === "" ? null : conversation.control.fence)
  const field = useRef<HTMLTextAreaElement>(null)
  const resetFiles = useRef<() => void>(null)
  const { holder, fence } = conversation.control
  const isNote = draft.tab === "note"
  const threads = conversation.threads.filter(({ audience }) => audience !== "internal")
  const thread = threads.find(({ id }) => id === draft.threadId) ?? usualThread(detail)
  const can = capabilitiesOf(useChannels(), thread?.channelKind)
  const saysTyping = useSaysTyping(conversation.id, can?.contactReads === true && can.outbound.includes("typing"))
  const isClosed = conversation.status === "closed"
  const isTaken = startFence !== null && startFence !== fence && holder.kind === "agent" && holder.id !== me.id

  const show = (tab: "reply" | "note"): void => {
    setDraft({ tab })
    requestAnimationFrame(() => field.current?.focus())
  }
  useHotkeys([
    ["r", () => show("reply")],
    ["n", () => show("note")]
  ])

  const addFiles = async (chosen: ReadonlyArray<File>): Promise<void> => {
    for (const file of chosen) {
      try {
        const base64 = await toBase64(file)
        setFiles((before) => [
          ...before,
          { name: file.name, mediaType: file.type || "application/octet-stream", base64, size: file.size }
        ])
      } catch {
        notifications.show({ color: "red", message: `${file.name} can't be read.` })
      }
    }
    resetFiles.current?.()
  }

  const send = (): void => {
    const text = (isNote ? note.text : draft.reply).trim()
    if (text === "" && (isNote || files.length === 0)) return
    const reread = () => {
      for (const key of ["conversation", "inbox"]) void queries.invalidateQueries({ queryKey: [key] })
    }
    void Outbox.send(
      {
        conversationId: conversation.id,
        kind: draft.tab,
        text,
        files: isNote ? [] : files.map(({ name, mediaType, base64 }) => ({ name, mediaType, base64 })),
        mentions: isNote ? note.mentions : [],
        ...(!isNote && thread && { threadId: thread.id }),
        ...(!isNote && { fence: startFence ?? fence })
      },
      reread
    )
    if (isNote) setDraft({ note: "" })
    else {
      setDraft({ reply: "" })
      saysTyping("")
      setFiles([])
      setStartFence(null)
    }
  }
  const onKeyDown = (event: React.KeyboardEvent): void => {
    if (event.key === "Enter" && (event.ctrlKey || event.metaKey)) {
      event.preventDefault()
      send()
    }
    if (event.key === "Escape") field.current?.blur()
  }
  const people = [
    ...directory.teams.map(({ id, name }) => ({ id: `team:${id}`, display: name })),
    ...directory.agents.filter(({ id }) => id !== me.id).map(({ id, name }) => ({ id: `agent:${id}`, display: name }))
  ]

  if (isClosed)
    return (
      <footer className="composer closed">
        This conversation is closed for good. A new message opens a follow-up.
      </footer>
    )
  return (
    <footer className="composer" data-note={isNote || undefined}>
      {isTaken && !isNote && (
        <p className="taken" role="alert">
          {holderName(holder, directory)} took this conversation while you were writing. Your reply would be refused.
          <Button size="compact-xs" variant="light" color="yellow" onClick={() => setStartFence(fence)}>
            Reply all the same
          </Button>
        </p>
      )}
      <fieldset className="composer-tabs" aria-label="What to write">
        {(["reply", "note"] as const).map((tab) => (
          <UnstyledButton key={tab} aria-pressed={draft.tab === tab} onClick={() => show(tab)}>
            {tab === "reply" ? <IconMessage size={15} aria-hidden /> : <IconLock size={15} aria-hidden />}
            {tab === "reply" ? "Reply" : "Note"}
          </UnstyledButton>
        ))}
        <span className="grow" />
        {!isNote && thread && (
          <ThreadPicker threads={threads} chosen={thread} onChoose={(threadId) => setDraft({ threadId })} />
        )}
      </fieldset>
      {isNote ? (
        <Mentions
          ref={(element: HTMLTextAreaElement | HTMLInputElement | null) => {
            field.current = element as HTMLTextAreaElement | null
          }}
          variant="unstyled"
          className="composer-field"
          aria-label="Note to colleagues"
          placeholder="Write to colleagues. @ mentions a person or a team; the contact never sees this."
          value={draft.note}
          minRows={2}
          maxRows={8}
          suggestionsPlacement="above"
          dir="auto"
          onKeyDown={onKeyDown}
          onChange={({ value }) => setDraft({ note: value })}
        >
          <Mentions.Mention trigger="@" data={people} withTrigger appendSpaceOnAdd ignoreAccents maxSuggestions={6} />
        </Mentions>
      ) : (
        <Textarea
          ref={field}
          variant="unstyled"
          className="composer-field"
          aria-label="Reply"
          placeholder={thread ? `Reply by ${lookOf(thread.channelKind).label}` : "There is no channel to reply by"}
          disabled={!thread}
          value={draft.reply}
          autosize
          minRows={2}
          maxRows={10}
          dir="auto"
          onKeyDown={onKeyDown}
          onChange={(event) => {
            if (startFence === null) setStartFence(fence)
            setDraft({ reply: event.currentTarget.value })
            saysTyping(event.currentTarget.value)
          }}
          onPaste={(event) => {
            const pasted = [...event.clipboardData.files]
            if (pasted.length === 0) return
            event.preventDefault()
            void addFiles(pasted)
          }}
        />
      )}
      {!isNote && files.length > 0 && (
        <ul className="bare outgoing-files" aria-label="Attachments">
          {files.map((file, index) => (
            <li key={`${file.name} ${String(index)}`} className="tag">
              <span className="truncate">{file.name}</span> <small>{toSize(file.size)}</small>
              <button
                type="button"
                aria-label={`Remove ${file.name}`}
                onClick={() => setFiles(files.filter((other) => other !== file))}
              >
                <IconX size={12} aria-hidden />
              </button>
            </li>
          ))}
        </ul>
      )}
      <div className="composer-foot">
        {!isNote && (
          <FileButton onChange={addFiles} multiple resetRef={resetFiles}>
            {(props) => (
              <Tooltip label="Attach files">
                <ActionIcon {...props} variant="subtle" color="gray" size="md" aria-label="Attach files">
                  <IconPaperclip size={18} />
                </ActionIcon>
              </Tooltip>
            )}
          </FileButton>
        )}
        <span className="grow" />
        <span className="hint wide-only">
          <Kbd size="xs">Ctrl</Kbd> <Kbd size="xs">Enter</Kbd>
        </span>
        <Button
          size="xs"
          rightSection={<IconSend size={15} aria-hidden />}
          onClick={send}
          disabled={isNote ? note.text.trim() === "" : !thread || (draft.reply.trim() === "" && files.length === 0)}
          {...(isNote && { color: "yellow.9" })}
        >
          {isNote ? "Add note" : "Send"}
        </Button>
      </div>
    </footer>
  )
}
