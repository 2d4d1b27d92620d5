/** What can be done with one message: react, copy, and one's own to edit or delete. */
import { Menu, UnstyledButton } from "@mantine/core"
import type { Message } from "@switchboard/conversation"
import { IconCopy, IconDots, IconPencil, IconTrash } from "@tabler/icons-react"
import type { ReactNode } from "react"
import * as DeskClient from "../DeskClient.ts"
import { isMe, useMe } from "../Directory.ts"
import { allowedOn, emojis, isInHand, type Where } from "./Changes.ts"
import { useGive } from "./useGive.ts"

/** An entry that stays there when it can't be used, and says why. */
const Entry = ({
  icon,
  label,
  hindrance,
  onChoose
}: {
  readonly icon: ReactNode
  readonly label: string
  readonly hindrance: string | null
  readonly onChoose: () => void
}) => (
  <Menu.Item
    leftSection={icon}
    {...(hindrance !== null && { "aria-disabled": true, "data-hindered": true, closeMenuOnClick: false })}
    onClick={() => hindrance === null && onChoose()}
  >
    {label}
    {hindrance !== null && <small className="block">{hindrance}</small>}
  </Menu.Item>
)

export const MessageMenu = ({
  message,
  name,
  where,
  isLast,
  onEdit,
  onDelete
}: {
  readonly message: Message.Message
  /** Names the message to whoever can't see it. */
  readonly name: string
  readonly where: Where
  readonly isLast: boolean
  readonly onEdit: (messageId: string) => void
  readonly onDelete: (message: Message.Message) => void
}) => {
  const me = useMe()
  const { act } = useGive(message.conversationId)
  const allowed = allowedOn(message, where)
  const mine = message.reactions.filter(({ by }) => isMe(by, me)).map(({ emoji }) => emoji)
  const words = message.parts
    .map((part) => ("text" in part ? part.text : "caption" in part ? (part.caption ?? "") : ""))
    .filter((text) => text !== "")
    .join("\n")
  const send = (type: "AddReaction" | "RemoveReaction", emoji: string) =>
    DeskClient.give(message.conversationId, { type, messageId: message.id, emoji })
  const react = (emoji: string) =>
    act(async () => {
      // Platforms keep one of each, so another one takes its place.
      for (const before of mine) await send("RemoveReaction", before)
      if (!mine.includes(emoji)) await send("AddReaction", emoji)
    })
  return (
    <Menu
      width={236}
      position={message.direction === "out" ? "bottom-start" : "bottom-end"}
      withInitialFocusPlaceholder={false}
    >
      <Menu.Target>
        <UnstyledButton
          className="message-menu"
          aria-label={`What to do with the message: ${name}`}
          data-message-menu
          tabIndex={isLast ? 0 : -1}
        >
          <IconDots size={16} aria-hidden />
        </UnstyledButton>
      </Menu.Target>
      <Menu.Dropdown>
        {allowed.react === null ? (
          <div className="emojis">
            {emojis.map(([emoji, meaning]) => (
              <Menu.Item
                key={emoji}
                aria-label={mine.includes(emoji) ? `Take back ${meaning}` : `React with ${meaning}`}
                data-mine={mine.includes(emoji) || undefined}
                onClick={() => react(emoji)}
              >
                {emoji}
              </Menu.Item>
            ))}
          </div>
        ) : (
          <Menu.Label>{allowed.react}</Menu.Label>
        )}
        {words !== "" && (
          <Menu.Item
            leftSection={<IconCopy size={16} />}
            onClick={() => void navigator.clipboard.writeText(words).catch(() => {})}
          >
            Copy the text
          </Menu.Item>
        )}
        {isInHand(message, me) && (
          <>
            <Entry
              icon={<IconPencil size={16} />}
              label="Edit"
              hindrance={allowed.edit}
              onChoose={() => onEdit(message.id)}
            />
            <Entry
              icon={<IconTrash size={16} />}
              label="Delete…"
              hindrance={allowed.remove}
              onChoose={() => onDelete(message)}
            />
          </>
        )}
      </Menu.Dropdown>
    </Menu>
  )
}
