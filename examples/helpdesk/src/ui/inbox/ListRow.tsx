import { Badge } from "@mantine/core"
import type { InboxRow } from "@switchboard/desk/Views"
import { IconArrowDown, IconArrowUp, IconClockHour4, IconFlame, IconMoonStars, IconSparkles } from "@tabler/icons-react"
import { memo } from "react"
import { ChannelIcon } from "../Channels.tsx"
import { contactNameOf, type Directory, holderName, useMe } from "../Directory.ts"
import { DueChip } from "../DueChip.tsx"
import { Face } from "../Face.tsx"
import { toDuration, toWhen, toWords } from "../Format.ts"
import { useNow } from "../Now.ts"
import { followLink, toHref } from "../Place.ts"

const urgency = {
  urgent: { Icon: IconFlame, label: "Urgent" },
  high: { Icon: IconArrowUp, label: "High priority" },
  low: { Icon: IconArrowDown, label: "Low priority" },
  normal: null
} as const

export const PriorityIcon = ({
  priority,
  size = 15
}: {
  readonly priority: InboxRow["priority"]
  readonly size?: number
}) => {
  const look = urgency[priority]
  return (
    look && <look.Icon className="priority" data-priority={priority} size={size} stroke={2.2} aria-label={look.label} />
  )
}

const Waiting = ({ sinceMs }: { readonly sinceMs: number }) => {
  const now = useNow()
  return (
    <span className="waiting" title="How long the contact has been waiting">
      <IconClockHour4 size={13} stroke={2} aria-hidden />
      <span className="sr">Waiting for </span>
      {toDuration(now - sinceMs)}
    </span>
  )
}

const When = ({ ms }: { readonly ms: number }) => <time className="when">{toWhen(ms, useNow())}</time>

export const ListRow = memo(
  ({
    row,
    isChosen,
    isGone,
    directory
  }: {
    readonly row: InboxRow
    readonly isChosen: boolean
    readonly isGone: boolean
    readonly directory: Directory
  }) => {
    const me = useMe()
    const place = { page: "inbox", conversationId: row.conversationId } as const
    const name = contactNameOf(row.contactName)
    const holder = holderName(row.holder, directory)
    return (
      <li className="row" data-gone={isGone || undefined} data-unread={row.unreadCount > 0 || undefined}>
        <a href={toHref(place)} onClick={followLink(place)} aria-current={isChosen ? "true" : undefined} data-row>
          <span className="row-line">
            <span className="row-channels">
              {row.channelKinds.map((kind) => (
                <ChannelIcon key={kind} kind={kind} size={15} />
              ))}
            </span>
            <span className="row-name grow" dir="auto">
              {name}
            </span>
            <PriorityIcon priority={row.priority} />
            <When ms={row.updatedAtMs} />
          </span>
          <span className="row-line">
            <span className="row-words grow">
              {row.subject !== "" && (
                <span className="row-subject" dir="auto">
                  {row.subject}
                </span>
              )}
              <span className="row-preview" dir="auto">
                {row.preview === "" ? "No text" : row.preview}
              </span>
            </span>
            {row.unreadCount > 0 && (
              <span className="unread">
                {row.unreadCount}
                <span className="sr"> unread</span>
              </span>
            )}
          </span>
          <span className="row-line row-facts">
            {row.offer && (
              <Badge
                tt="none"
                size="sm"
                variant="light"
                color="indigo"
                leftSection={<IconSparkles size={11} aria-hidden />}
              >
                {row.offer.agentId === me.id
                  ? "Offered to you"
                  : `Offered to ${directory.agentName(row.offer.agentId).split(" ")[0]}`}
              </Badge>
            )}
            {row.status !== "open" && (
              <span className="state" data-status={row.status}>
                {row.status === "snoozed" && <IconMoonStars size={12} aria-hidden />}
                {toWords(row.status)}
              </span>
            )}
            {row.due && row.status === "open" && <DueChip due={row.due} />}
            {row.waitingSinceMs !== null && row.status === "open" && <Waiting sinceMs={row.waitingSinceMs} />}
            {row.tags.slice(0, 2).map((tag) => (
              <span key={tag} className="tag">
                {tag}
              </span>
            ))}
            {row.tags.length > 2 && <span className="tag">+{row.tags.length - 2}</span>}
            <span className="grow" />
            {row.holder.kind === "nobody" ? (
              <span className="nobody">Unassigned</span>
            ) : (
              <Face
                name={holder}
                kind={row.holder.kind === "bot" ? "bot" : "person"}
                size={22}
                title={`Held by ${holder}`}
              />
            )}
          </span>
        </a>
      </li>
    )
  }
)
