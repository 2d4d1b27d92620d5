/** How things stand this minute. */
import { Progress, Skeleton } from "@mantine/core"
import type { Board as BoardData } from "@switchboard/desk/DeskService"
import type { InboxRow } from "@switchboard/desk/Views"
import { IconAlertTriangle, IconHourglass, IconInbox, IconUsers } from "@tabler/icons-react"
import { useQuery } from "@tanstack/react-query"
import { ChannelIcon, lookOf } from "../Channels.tsx"
import * as DeskClient from "../DeskClient.ts"
import { contactNameOf, useDirectory } from "../Directory.ts"
import { DueChip } from "../DueChip.tsx"
import { Face } from "../Face.tsx"
import { toDuration, toWords } from "../Format.ts"
import { NowTiles } from "../NowTiles.tsx"
import { Panel } from "../Panel.tsx"
import { followLink, toHref } from "../Place.ts"

export const useBoard = () =>
  useQuery({ queryKey: ["board"], queryFn: ({ signal }) => DeskClient.board(signal), refetchInterval: 10_000 })

export const NowLine = ({ board }: { readonly board: BoardData }) => {
  const waiting = board.waiting.reduce((sum, { count }) => sum + count, 0)
  const oldest = Math.max(0, ...board.waiting.map(({ oldestAgeMs }) => oldestAgeMs))
  const ready = board.agents.filter(({ presence }) => presence.status === "available").length
  const tiles = [
    { label: "Active conversations", value: String(board.active), Icon: IconInbox, tone: "" },
    {
      label: "Contacts waiting",
      value: String(waiting),
      hint: waiting > 0 ? `longest ${toDuration(oldest)}` : "nobody waits",
      Icon: IconHourglass,
      tone: ""
    },
    {
      label: "Promises at risk",
      value: String(board.breachingSoon),
      hint: "due within 15 minutes",
      Icon: IconAlertTriangle,
      tone: board.breachingSoon > 0 ? "amber" : ""
    },
    { label: "Agents available", value: `${ready}/${board.agents.length}`, Icon: IconUsers, tone: "" }
  ]
  return <NowTiles tiles={tiles} />
}

const Queues = ({ board }: { readonly board: BoardData }) => {
  const directory = useDirectory()
  return (
    <Panel title="Queues">
      <table>
        <thead>
          <tr>
            <th scope="col">Queue</th>
            <th scope="col">Waiting</th>
            <th scope="col">Oldest</th>
          </tr>
        </thead>
        <tbody>
          {board.queues.map(({ queueId, waiting, oldestWaitMs }) => (
            <tr key={queueId}>
              <th scope="row">{queueId === "main" ? "Everybody" : directory.teamName(queueId)}</th>
              <td data-many={waiting > 5 || undefined}>{waiting}</td>
              <td>{waiting === 0 ? "–" : toDuration(oldestWaitMs)}</td>
            </tr>
          ))}
        </tbody>
      </table>
    </Panel>
  )
}

const Agents = ({ board }: { readonly board: BoardData }) => (
  <Panel title="Agents">
    <ul className="bare agents">
      {board.agents.map(({ agent, presence, holds, capacity }) => (
        <li key={agent.id}>
          <Face name={agent.name} size={32} />
          <span className="grow">
            <b className="block truncate">{agent.name}</b>
            <small className="quiet presence-line">
              <i className="dot" data-presence={presence.status} />
              {toWords(presence.status)}
              {presence.reason !== undefined && ` · ${toWords(presence.reason).toLowerCase()}`}
            </small>
          </span>
          <span className="load">
            <Progress
              value={(100 * holds) / Math.max(1, capacity)}
              size={6}
              w={70}
              color={holds >= capacity ? "orange" : "indigo"}
              aria-label={`${agent.name} holds ${holds} of ${capacity}`}
            />
            <small>
              {holds}/{capacity}
            </small>
          </span>
        </li>
      ))}
    </ul>
  </Panel>
)

const Waiting = ({ board }: { readonly board: BoardData }) => (
  <Panel title="Waiting now">
    {board.waiting.length === 0 ? (
      <p className="quiet">Nobody is waiting</p>
    ) : (
      <table>
        <thead>
          <tr>
            <th scope="col">Channel</th>
            <th scope="col">Contacts</th>
            <th scope="col">Median</th>
            <th scope="col">Longest</th>
          </tr>
        </thead>
        <tbody>
          {board.waiting.map(({ dimensions, count, medianAgeMs, oldestAgeMs, oldestConversationId }) => {
            const kind = String(dimensions["channelKind"] ?? "")
            const place = { page: "inbox", conversationId: oldestConversationId } as const
            return (
              <tr key={JSON.stringify(dimensions)}>
                <th scope="row">
                  {kind !== "" && <ChannelIcon kind={kind} size={15} />} {kind === "" ? "All" : lookOf(kind).label}
                </th>
                <td>{count}</td>
                <td>{toDuration(medianAgeMs)}</td>
                <td>
                  <a href={toHref(place)} onClick={followLink(place)}>
                    {toDuration(oldestAgeMs)}
                  </a>
                </td>
              </tr>
            )
          })}
        </tbody>
      </table>
    )}
  </Panel>
)

/** The promises that end next: the head of the list, which is in that order. */
const AtRisk = () => {
  const page = useQuery({
    queryKey: ["inbox", "risk"],
    queryFn: ({ signal }) => DeskClient.inbox({ active: true }, null, signal)
  })
  const rows = (page.data?.rows ?? [])
    .filter((row): row is InboxRow & { due: NonNullable<InboxRow["due"]> } => row.due !== null && row.status === "open")
    .slice(0, 6)
  return (
    <Panel title="Promises due next">
      {page.isPending && <Skeleton h={140} />}
      {page.isSuccess && rows.length === 0 && <p className="quiet">No promise is running</p>}
      <ul className="bare risks">
        {rows.map((row) => {
          const place = { page: "inbox", conversationId: row.conversationId } as const
          return (
            <li key={row.conversationId}>
              <a href={toHref(place)} onClick={followLink(place)}>
                <span className="grow truncate">
                  <bdi>{contactNameOf(row.contactName)}</bdi>
                  <small className="quiet">
                    {" "}
                    <bdi>{row.subject || row.preview}</bdi>
                  </small>
                </span>
                <DueChip due={row.due} />
              </a>
            </li>
          )
        })}
      </ul>
    </Panel>
  )
}

export const LiveBoard = ({ board }: { readonly board: BoardData }) => (
  <div className="board">
    <div className="board-stack">
      <Queues board={board} />
      <Waiting board={board} />
    </div>
    <Agents board={board} />
    <AtRisk />
  </div>
)
