import { Tooltip } from "@mantine/core"
import type { Capabilities } from "@switchboard/channel"
import type { Message, Thread } from "@switchboard/conversation"
import { IconLock, IconTrash, IconWorld } from "@tabler/icons-react"
import { memo } from "react"
import { ChannelIcon, lookOf } from "../Channels.tsx"
import { type Directory, isMe, nameOf, useMe } from "../Directory.ts"
import { Face } from "../Face.tsx"
import { toDate, toTime } from "../Format.ts"
import { Deliveries } from "./Deliveries.tsx"
import { MessageEdit } from "./MessageEdit.tsx"
import { MessageMenu } from "./MessageMenu.tsx"
import { AttachmentView, PartView } from "./Parts.tsx"

const audiences = {
  public: { Icon: IconWorld, label: "Public: everybody can read this" },
  internal: { Icon: IconLock, label: "Internal: colleagues only" },
  private: null
} as const

const excerpt = (message: Message.Message): string =>
  message.parts
    .map((part) => ("text" in part ? part.text : part.kind === "attachment" ? (part.caption ?? "Attachment") : ""))
    .join(" ")
    .slice(0, 160)

const Reactions = ({
  message,
  contactName,
  directory
}: {
  readonly message: Message.Message
  readonly contactName: string
  readonly directory: Directory
}) => {
  const me = useMe()
  return (
    <span className="reactions">
      {[...Map.groupBy(message.reactions, ({ emoji }) => emoji)].map(([emoji, all]) => {
        const who = all.map(({ by }) => nameOf(by, contactName, directory)).join(", ")
        const isMine = all.some(({ by }) => isMe(by, me))
        return (
          <Tooltip key={emoji} label={who}>
            <span className="reaction" role="img" aria-label={`${emoji} by ${who}`} data-mine={isMine || undefined}>
              {emoji} {all.length > 1 && all.length}
            </span>
          </Tooltip>
        )
      })}
    </span>
  )
}

export const MessageView = memo(
  ({
    message,
    isFirst,
    thread,
    quoted,
    contactName,
    directory,
    isOver,
    capabilities,
    isLast,
    isFound,
    isEditing,
    onEdit,
    onDelete
  }: {
    readonly message: Message.Message
    readonly isFirst: boolean
    readonly thread: Thread.Thread | undefined
    readonly quoted: Message.Message | undefined
    readonly contactName: string
    readonly directory: Directory
    /** The conversation takes nothing more. */
    readonly isOver: boolean
    readonly capabilities: Capabilities.Capabilities | null | undefined
    readonly isLast: boolean
    /** It is what was looked for. */
    readonly isFound: boolean
    readonly isEditing: boolean
    readonly onEdit: (messageId: string | null) => void
    readonly onDelete: (message: Message.Message) => void
  }) => {
    const author = nameOf(message.author, contactName, directory)
    const isBot = message.author.kind === "bot"
    const audience = thread && audiences[thread.audience]
    const shownInParts = new Set(
      message.parts.map((part) => (part.kind === "attachment" ? (part.attachmentId as string) : ""))
    )
    const loose = message.attachments.filter(({ id, contentId }) => !shownInParts.has(id) && contentId === undefined)
    const isDeleted = message.deletedAtMs !== undefined
    const channel = thread ? lookOf(thread.channelKind).label : ""
    return (
      <article
        className="message"
        data-direction={message.direction}
        data-author={message.author.kind}
        data-first={isFirst || undefined}
        data-found={isFound || undefined}
        data-message={message.id}
        aria-label={`${author}, ${toTime(message.sentAtMs)}`}
      >
        {isFirst && (
          <header className="byline">
            <Face name={author} kind={isBot ? "bot" : "person"} size={24} />
            <b dir="auto">{author}</b>
            {isBot && <span className="mini-tag">Bot</span>}
            {message.direction === "note" ? (
              <span className="mini-tag">Note</span>
            ) : (
              thread && <ChannelIcon kind={thread.channelKind} size={14} />
            )}
            {message.origin === "echo" && <span className="mini-tag">Sent outside the desk</span>}
            {message.automatic && <span className="mini-tag">Automatic</span>}
            {audience && (
              <Tooltip label={audience.label}>
                <span role="img" aria-label={audience.label} className="audience">
                  <audience.Icon size={14} aria-hidden />
                </span>
              </Tooltip>
            )}
            <time title={toDate(message.sentAtMs)}>{toTime(message.sentAtMs)}</time>
          </header>
        )}
        <div className="bubble-line">
          <div className="bubble" data-deleted={isDeleted || undefined}>
            {quoted && (
              <blockquote dir="auto">
                <b>{nameOf(quoted.author, contactName, directory)}</b> {excerpt(quoted)}
              </blockquote>
            )}
            {isEditing ? (
              <MessageEdit message={message} onDone={() => onEdit(null)} />
            ) : isDeleted ? (
              <p className="deleted">
                <IconTrash size={14} aria-hidden /> This message was deleted
              </p>
            ) : (
              <>
                {message.parts.map((part, index) => (
                  <PartView
                    // biome-ignore lint/suspicious/noArrayIndexKey: parts have no id and keep their order.
                    key={index}
                    part={part}
                    message={message}
                    mentions={message.mentions ?? []}
                    directory={directory}
                  />
                ))}
                {loose.map((attachment) => (
                  <AttachmentView key={attachment.id} attachment={attachment} messageId={message.id} />
                ))}
                {message.parts.length === 0 && loose.length === 0 && <p className="deleted">Nothing to show</p>}
              </>
            )}
          </div>
          {!isDeleted && !isEditing && (
            <MessageMenu
              message={message}
              name={`${author}, ${toTime(message.sentAtMs)}`}
              where={{ isOver, channel, capabilities }}
              isLast={isLast}
              onEdit={onEdit}
              onDelete={onDelete}
            />
          )}
        </div>
        {(message.editedAtMs !== undefined || message.reactions.length > 0 || message.deliveries.length > 0) && (
          <div className="below">
            {message.reactions.length > 0 && (
              <Reactions message={message} contactName={contactName} directory={directory} />
            )}
            {message.editedAtMs !== undefined && !isDeleted && <span title={toDate(message.editedAtMs)}>Edited</span>}
            <Deliveries message={message} channel={channel} />
          </div>
        )}
      </article>
    )
  }
)
