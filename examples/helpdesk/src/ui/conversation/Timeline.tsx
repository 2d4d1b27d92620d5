import { Button } from "@mantine/core"
import { useHotkeys } from "@mantine/hooks"
import type { Conversation, Message } from "@switchboard/conversation"
import type { ConversationDetail } from "@switchboard/desk/DeskService"
import { IconArrowDown } from "@tabler/icons-react"
import { useQueryClient } from "@tanstack/react-query"
import { Fragment, useEffect, useLayoutEffect, useRef, useState } from "react"
import { capabilitiesOf, useChannels } from "../Capabilities.ts"
import { ChannelIcon, lookOf } from "../Channels.tsx"
import * as DeskClient from "../DeskClient.ts"
import { nameOfContact, useDirectory } from "../Directory.ts"
import { isSameDay, toDay } from "../Format.ts"
import { useTyping } from "../Live.ts"
import { useNow } from "../Now.ts"
import { isOver } from "./Changes.ts"
import { DeleteMessage } from "./DeleteMessage.tsx"
import { MessageView } from "./MessageView.tsx"
import * as Outbox from "./Outbox.ts"
import { OutgoingView } from "./OutgoingView.tsx"
import { useSought } from "./useSought.ts"

/** Messages of one author within this long of each other are one group. */
const groupMs = 5 * 60_000
/** This close to the end counts as reading along. */
const nearPx = 120
/** A message that is further up than so many is left to be looked for by hand. */
const mostLoaded = 1000

const isGrouped = (message: Message.Message, before: Message.Message | undefined): boolean =>
  before !== undefined &&
  before.direction === message.direction &&
  before.threadId === message.threadId &&
  before.author.kind === message.author.kind &&
  JSON.stringify(before.author) === JSON.stringify(message.author) &&
  message.sentAtMs - before.sentAtMs < groupMs &&
  isSameDay(before.sentAtMs, message.sentAtMs)

/** The kind of channel to which the contact has changed with this message, or null. */
const movedTo = (
  { threads }: Conversation.Conversation,
  message: Message.Message,
  earlier: ReadonlyArray<Message.Message>
): string | null => {
  const before = message.direction === "in" && earlier.findLast(({ direction }) => direction === "in")
  if (!before) return null
  const kindOf = ({ threadId }: Message.Message) => threads.find(({ id }) => id === threadId)?.channelKind
  const kind = kindOf(message)
  return kind === undefined || kind === kindOf(before) ? null : kind
}

/** Puts the focus on the button beside the message `by` places after the one that has it; on the last one without. */
const step = (timeline: HTMLElement | null, by: number): void => {
  const buttons = [...(timeline?.querySelectorAll<HTMLElement>("[data-message-menu]") ?? [])]
  const current = buttons.indexOf(document.activeElement as HTMLElement)
  const next = current < 0 ? buttons.at(-1) : buttons[current + by]
  next?.focus()
  next?.scrollIntoView({ block: "nearest" })
}

const Day = ({ ms }: { readonly ms: number }) => <div className="day">{toDay(ms, useNow())}</div>

export const Timeline = ({ detail }: { readonly detail: ConversationDetail }) => {
  const { conversation, contact } = detail
  const directory = useDirectory()
  const queries = useQueryClient()
  const outgoing = Outbox.useOutbox().filter(({ conversationId }) => conversationId === conversation.id)
  const [earlier, setEarlier] = useState<ReadonlyArray<Message.Message>>([])
  const [isAtBeginning, setAtBeginning] = useState(false)
  const [isReading, setReading] = useState(false)
  const [isAway, setAway] = useState(false)
  const [editing, setEditing] = useState<string | null>(null)
  const [deleting, setDeleting] = useState<Message.Message | null>(null)
  const isTyping = useTyping(conversation.id)
  const channels = useChannels()
  const scroller = useRef<HTMLDivElement>(null)
  const follows = useRef(true)
  const top = useRef(0)

  // What was loaded before stays above; what the desk shows now wins.
  const first = detail.messages[0]?.sequence ?? 0
  const messages = [...earlier.filter(({ sequence }) => sequence < first), ...detail.messages]
  const byId = new Map(messages.map((message) => [message.id as string, message]))
  const hasEarlier = detail.hasEarlier && !isAtBeginning
  const last = detail.messages.at(-1)?.id
  const waiting = outgoing.filter(({ messageId }) => messageId === undefined || !byId.has(messageId))
  const { sought, isMissing, found, keepInSight, release, giveUp } = useSought({
    conversationId: conversation.id,
    scroller,
    isHere: (id) => byId.has(id),
    onShown: () => {
      follows.current = false
    }
  })

  useEffect(() => Outbox.settle(new Set(detail.messages.map(({ id }) => id as string))), [detail.messages])
  // biome-ignore lint/correctness/useExhaustiveDependencies: the end is followed whenever something was added to it.
  useLayoutEffect(() => {
    const { current } = scroller
    if (current && follows.current) current.scrollTop = current.scrollHeight
  }, [last, waiting.length, isTyping])
  // biome-ignore lint/correctness/useExhaustiveDependencies: what is kept in sight is asked when it matters.
  useEffect(() => {
    const { current } = scroller
    const inner = current?.firstElementChild
    if (!current || !inner) return
    // Pictures and mails get their height late.
    const observer = new ResizeObserver(() => {
      if (!keepInSight() && follows.current) current.scrollTop = current.scrollHeight
    })
    observer.observe(inner)
    return () => observer.disconnect()
  }, [])

  const loadEarlier = async (): Promise<void> => {
    const from = messages[0]?.sequence
    const { current } = scroller
    if (from === undefined || !current) return
    setReading(true)
    const fromEnd = current.scrollHeight - current.scrollTop
    follows.current = false
    try {
      const page = await DeskClient.messagesBefore(conversation.id, from)
      setEarlier([...page, ...messages])
      setAtBeginning(page.length < 50)
      requestAnimationFrame(() => {
        if (!keepInSight()) current.scrollTop = current.scrollHeight - fromEnd
      })
    } finally {
      setReading(false)
    }
  }
  // biome-ignore lint/correctness/useExhaustiveDependencies: page by page, until the message is here.
  useEffect(() => {
    if (isMissing && !isReading && hasEarlier && messages.length < mostLoaded) loadEarlier().catch(giveUp)
  }, [sought, isMissing, isReading, hasEarlier])
  const onScroll = (): void => {
    const { current } = scroller
    if (!current) return
    // Content that grows moves the end away without anybody having scrolled: only going up stops following.
    const isUp = current.scrollTop < top.current - 2
    top.current = current.scrollTop
    const isNear = current.scrollHeight - current.scrollTop - current.clientHeight < nearPx
    follows.current = isNear || (follows.current && !isUp)
    setAway(!follows.current)
  }
  useHotkeys([["m", () => step(scroller.current, 0)]])
  const onKeyDown = (event: React.KeyboardEvent): void => {
    const { target } = event
    if (!(target instanceof HTMLElement) || target.dataset["messageMenu"] === undefined) return
    if (target.ariaExpanded === "true") return
    if (event.key !== "ArrowUp" && event.key !== "ArrowDown") return
    event.preventDefault()
    step(scroller.current, event.key === "ArrowUp" ? -1 : 1)
  }
  const threadOf = ({ threadId }: Message.Message) => conversation.threads.find(({ id }) => id === threadId)
  const labelOf = (message: Message.Message) => lookOf(threadOf(message)?.channelKind ?? "").label
  const over = isOver(conversation)
  const lastShown = messages.findLast(({ deletedAtMs }) => deletedAtMs === undefined)?.id
  const reread = () => void queries.invalidateQueries({ queryKey: ["conversation", conversation.id] })

  return (
    <div className="timeline-frame">
      <div
        className="timeline"
        ref={scroller}
        onScroll={onScroll}
        onWheel={release}
        onPointerDown={release}
        onKeyDown={onKeyDown}
        // biome-ignore lint/a11y/noNoninteractiveTabindex: it scrolls, and must do so with the keyboard.
        tabIndex={0}
        role="log"
        aria-label="Messages"
      >
        <div className="timeline-inner">
          {hasEarlier && (
            <Button variant="subtle" size="compact-sm" mx="auto" onClick={loadEarlier} loading={isReading}>
              Show earlier messages
            </Button>
          )}
          {messages.map((message, index) => {
            const before = messages[index - 1]
            const goesOnBy = movedTo(conversation, message, messages.slice(0, index))
            const thread = threadOf(message)
            const isNewDay = before === undefined || !isSameDay(before.sentAtMs, message.sentAtMs)
            return (
              <Fragment key={message.id}>
                {isNewDay && <Day ms={message.sentAtMs} />}
                {goesOnBy !== null && (
                  <div className="day">
                    <ChannelIcon kind={goesOnBy} size={14} /> Goes on by {lookOf(goesOnBy).label}
                  </div>
                )}
                <MessageView
                  message={message}
                  isFirst={!isGrouped(message, before)}
                  thread={thread}
                  quoted={message.replyTo === undefined ? undefined : byId.get(message.replyTo)}
                  contactName={nameOfContact(contact)}
                  directory={directory}
                  isOver={over}
                  capabilities={capabilitiesOf(channels, thread?.channelKind)}
                  isLast={message.id === lastShown}
                  isFound={message.id === found}
                  isEditing={message.id === editing}
                  onEdit={setEditing}
                  onDelete={setDeleting}
                />
              </Fragment>
            )
          })}
          {messages.length === 0 && waiting.length === 0 && <p className="quiet center">No messages yet</p>}
          {waiting.map((item) => (
            <OutgoingView key={item.commandId} item={item} onSent={reread} />
          ))}
          {isTyping && (
            <p className="typing" role="status">
              <span className="typing-dots" aria-hidden="true">
                <i />
                <i />
                <i />
              </span>
              <span>
                <bdi>{nameOfContact(contact)}</bdi> is typing…
              </span>
            </p>
          )}
        </div>
      </div>
      {isAway && (
        <Button
          className="to-end"
          size="compact-sm"
          radius="xl"
          variant="default"
          leftSection={<IconArrowDown size={14} aria-hidden />}
          onClick={() => {
            follows.current = true
            scroller.current?.scrollTo({ top: scroller.current.scrollHeight })
          }}
        >
          Latest
        </Button>
      )}
      <DeleteMessage
        message={deleting}
        contactName={nameOfContact(contact)}
        channelOf={labelOf}
        onClose={() => setDeleting(null)}
      />
    </div>
  )
}
