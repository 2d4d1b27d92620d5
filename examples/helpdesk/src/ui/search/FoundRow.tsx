import type { FoundMessage } from "@switchboard/desk/DeskService"
import { IconArrowBackUp, IconArrowForwardUp, IconLock } from "@tabler/icons-react"
import type { ReactNode } from "react"
import { ChannelIcon } from "../Channels.tsx"
import { contactNameOf } from "../Directory.ts"
import { Face } from "../Face.tsx"
import { toDate, toWhen, toWords } from "../Format.ts"
import { useNow } from "../Now.ts"
import { followLink, type Place, toHref } from "../Place.ts"
import type { PersonFound } from "./Findings.ts"
import { Marked, toLines } from "./Marked.tsx"

const writers = {
  in: { label: "From the contact", Icon: IconArrowForwardUp },
  out: { label: "From the desk", Icon: IconArrowBackUp },
  note: { label: "Note", Icon: IconLock }
} as const

const Row = ({
  place,
  isChosen,
  children
}: {
  readonly place: Place
  readonly isChosen: boolean
  readonly children: ReactNode
}) => (
  <li className="row found">
    <a href={toHref(place)} onClick={followLink(place)} aria-current={isChosen ? "true" : undefined} data-row>
      {children}
    </a>
  </li>
)

export const PersonRow = ({ person, chosen }: { readonly person: PersonFound; readonly chosen: string | null }) => {
  const { conversationId } = person
  const name = contactNameOf(person.name)
  // A name, and then an address a line; of those, the ones that were meant.
  const lines = toLines(person.snippet)
  const named = lines.find(({ text }) => text === person.name)
  const addresses = lines.filter((line) => line !== named && line.matches.length > 0)
  const content = (
    <span className="row-line">
      <Face name={name} size={28} />
      <span className="row-words grow">
        <span className="row-name" dir="auto">
          {named === undefined ? name : <Marked snippet={named} />}
        </span>
        {addresses.map((line) => (
          <span key={line.text} className="row-preview" dir="auto">
            <Marked snippet={line} />
          </span>
        ))}
      </span>
    </span>
  )
  return conversationId === null ? (
    <li className="row found">
      <div>{content}</div>
    </li>
  ) : (
    <Row place={{ page: "inbox", conversationId }} isChosen={conversationId === chosen}>
      {content}
    </Row>
  )
}

export const MessageRow = ({ found, chosen }: { readonly found: FoundMessage; readonly chosen: string | null }) => {
  const { conversationId, messageId, direction, recordedAtMs, row, snippet } = found
  const { label, Icon } = writers[direction]
  const now = useNow()
  return (
    <Row place={{ page: "inbox", conversationId, messageId }} isChosen={conversationId === chosen}>
      <span className="row-line">
        <span className="row-channels">
          {row?.channelKinds.map((kind) => (
            <ChannelIcon key={kind} kind={kind} size={15} />
          ))}
        </span>
        <span className="row-name grow" dir="auto">
          {contactNameOf(row?.contactName)}
        </span>
        <time className="when" title={toDate(recordedAtMs)}>
          {toWhen(recordedAtMs, now)}
        </time>
      </span>
      <span className="found-words" dir="auto">
        <Marked snippet={snippet} />
      </span>
      <span className="row-line found-facts">
        <span className="found-writer" data-direction={direction}>
          <Icon size={13} aria-hidden />
          {label}
        </span>
        {row && row.subject !== "" && (
          <span className="truncate grow" dir="auto">
            {row.subject}
          </span>
        )}
        {row && row.status !== "open" && (
          <span className="state" data-status={row.status}>
            {toWords(row.status)}
          </span>
        )}
      </span>
    </Row>
  )
}
