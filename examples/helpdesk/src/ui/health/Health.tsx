/** How the desk itself is: what its reactors have read, what stands still, and what could not be used. */
import { Button, Skeleton } from "@mantine/core"
import { notifications } from "@mantine/notifications"
import type { Redriven } from "@switchboard/desk/Answers"
import type { Health as HealthData } from "@switchboard/desk/DeskService"
import type { DeadLetter, ParkedStream } from "@switchboard/desk/Views"
import { IconActivity, IconLock, IconMailX, IconPlayerPause } from "@tabler/icons-react"
import { useQuery, useQueryClient } from "@tanstack/react-query"
import { type ReactNode, useState } from "react"
import { Blank } from "../Blank.tsx"
import { ChannelIcon, lookOf } from "../Channels.tsx"
import * as DeskClient from "../DeskClient.ts"
import { isLeading, useMe } from "../Directory.ts"
import { toCapital, toDate, toDuration, toWords } from "../Format.ts"
import { NotShown } from "../NotShown.tsx"
import { useNow } from "../Now.ts"
import { NowTiles } from "../NowTiles.tsx"
import { Panel } from "../Panel.tsx"
import { followLink, toHref } from "../Place.ts"
import { toSentence } from "../Problems.ts"
import { contentOf, conversationOf, senderOf } from "./Letters.ts"

const everyMs = 5000
/** More are not counted by the desk. */
const most = { parked: 200, letters: 1000 } as const
const toCount = (count: number, atMost: number): string => (count >= atMost ? `${atMost} or more` : String(count))

const known: Readonly<Record<string, readonly [name: string, does: string]>> = {
  router: ["Router", "offers and assigns work"],
  sla: ["SLA", "runs the promises' clocks"],
  inbox: ["Inbox", "keeps the list"],
  metrics: ["Metrics", "counts the measures"]
}
const nameOf = (reactor: string): string => known[reactor]?.[0] ?? toWords(reactor)

/** Tries something again, and says whether that helped. */
const useTry = (ask: () => Promise<Redriven>, done: string) => {
  const queries = useQueryClient()
  const [isBusy, setBusy] = useState(false)
  const [reason, setReason] = useState<string | null>(null)
  const again = async (): Promise<void> => {
    setBusy(true)
    try {
      const answer = await ask()
      if (answer.done) notifications.show({ message: done, autoClose: 2500 })
      setReason(answer.done ? null : (answer.reason ?? "the desk gave no reason"))
    } catch (error) {
      setReason(toSentence(error))
    }
    for (const key of ["health", "deadLetters"]) await queries.invalidateQueries({ queryKey: [key] })
    setBusy(false)
  }
  return { again, isBusy, reason }
}

const StillWrong = ({ reason }: { readonly reason: string | null }) =>
  reason !== null && (
    <p className="still-wrong" role="alert">
      <b>Tried again, in vain.</b> {toCapital(reason)}
    </p>
  )

const NowLine = ({ health }: { readonly health: HealthData }) => {
  const furthest = Math.max(0, ...health.reactors.map(({ behind }) => behind))
  const isStopped = health.reactors.some(({ stopped }) => stopped !== null)
  const tiles = [
    {
      label: "Furthest behind",
      value: furthest === 0 ? "Level" : String(furthest),
      hint: isStopped ? "a reactor stands still" : furthest === 0 ? "everything is read" : "events still to be read",
      Icon: IconActivity,
      tone: isStopped ? "red" : ""
    },
    {
      label: "Parked streams",
      value: toCount(health.parked.length, most.parked),
      hint: health.parked.length > 0 ? "wait until somebody tries again" : "none stands still",
      Icon: IconPlayerPause,
      tone: health.parked.length > 0 ? "amber" : ""
    },
    {
      label: "Dead letters",
      value: toCount(health.deadLetters, most.letters),
      hint: health.deadLetters > 0 ? "could not be used" : "everything could be used",
      Icon: IconMailX,
      tone: health.deadLetters > 0 ? "amber" : ""
    }
  ]
  return <NowTiles tiles={tiles} className="health-now" />
}

const Reactors = ({ health }: { readonly health: HealthData }) => {
  const now = useNow()
  return (
    <Panel
      title="Reactors"
      aside={<small className="quiet">The journal has {health.position.toLocaleString()} events</small>}
    >
      <table>
        <thead>
          <tr>
            <th scope="col">Reactor</th>
            <th scope="col">Has read</th>
            <th scope="col">Behind</th>
          </tr>
        </thead>
        <tbody>
          {health.reactors.map(({ name, position, behind, stopped }) => (
            <tr key={name}>
              <th scope="row">
                {nameOf(name)}
                {known[name] && <small className="block quiet">{known[name][1]}</small>}
                {stopped !== null && (
                  <small className="block still-wrong">
                    Stands still for {toDuration(now - stopped.sinceMs)}, and tries again by itself: {stopped.reason}
                  </small>
                )}
              </th>
              <td>{position.toLocaleString()}</td>
              <td data-many={stopped !== null || undefined}>{behind <= 0 ? "Level" : behind.toLocaleString()}</td>
            </tr>
          ))}
        </tbody>
      </table>
    </Panel>
  )
}

const Parked = ({ parked }: { readonly parked: ParkedStream }) => {
  const { reactor, stream, reason, parkedAtMs } = parked
  const attempt = useTry(() => DeskClient.retryParked(reactor, stream), "Read on: it is level again")
  const conversationId = conversationOf(stream)
  const place = { page: "inbox", conversationId } as const
  return (
    <li className="trouble">
      <div className="trouble-line">
        <b className="grow truncate">
          {nameOf(reactor)} ·{" "}
          {conversationId === null ? (
            stream
          ) : (
            <a href={toHref(place)} onClick={followLink(place)}>
              {stream}
            </a>
          )}
        </b>
        <small className="quiet">since {toDate(parkedAtMs)}</small>
        <Button size="compact-xs" variant="default" loading={attempt.isBusy} onClick={attempt.again}>
          Retry
        </Button>
      </div>
      <p className="trouble-reason">{toCapital(reason)}</p>
      <StillWrong reason={attempt.reason} />
    </li>
  )
}

const Letter = ({ letter }: { readonly letter: DeadLetter }) => {
  const attempt = useTry(() => DeskClient.redrive(letter.id), "Used after all")
  const sender = senderOf(letter)
  const content = contentOf(letter)
  return (
    <li className="trouble" aria-label={`Dead letter of ${toDate(letter.receivedAtMs)}`}>
      <div className="trouble-line">
        <ChannelIcon kind={letter.channelKind} size={17} />
        <b className="grow truncate">
          {sender.length === 0
            ? "Unknown sender"
            : sender.map((one, index) => (
                <span key={one}>
                  {index > 0 && " · "}
                  <bdi>{one}</bdi>
                </span>
              ))}
        </b>
        <small className="quiet">
          {lookOf(letter.channelKind).label} · {toDate(letter.receivedAtMs)}
        </small>
        <Button size="compact-xs" variant="default" loading={attempt.isBusy} onClick={attempt.again}>
          Drive again
        </Button>
      </div>
      <p className="trouble-reason">
        {toCapital(letter.reason)} <code>{letter.code}</code>
      </p>
      <StillWrong reason={attempt.reason} />
      {content !== "" && (
        <details>
          <summary>What came</summary>
          {/* biome-ignore lint/a11y/noNoninteractiveTabindex: it scrolls, and must do so with the keyboard. */}
          <pre tabIndex={0}>{content}</pre>
        </details>
      )}
    </li>
  )
}

const Troubles = ({
  title,
  none,
  more,
  children
}: {
  readonly title: string
  readonly none: string
  readonly more?: string | undefined
  readonly children: ReadonlyArray<ReactNode>
}) => (
  <Panel title={title} aside={more !== undefined && <small className="quiet">{more}</small>}>
    {children.length === 0 ? <p className="quiet">{none}</p> : <ul className="bare troubles">{children}</ul>}
  </Panel>
)

const Sections = () => {
  const health = useQuery({
    queryKey: ["health"],
    queryFn: ({ signal }) => DeskClient.health(signal),
    refetchInterval: everyMs
  })
  const letters = useQuery({
    queryKey: ["deadLetters"],
    queryFn: ({ signal }) => DeskClient.deadLetters(signal),
    refetchInterval: everyMs
  })
  if (health.data === undefined)
    return health.isError ? <NotShown what="The desk's health" query={health} /> : <Skeleton h={280} radius="md" />
  const shown = letters.data ?? []
  return (
    <>
      <NowLine health={health.data} />
      <Reactors health={health.data} />
      <Troubles title="Parked streams" none="None: every event could be read">
        {health.data.parked.map((parked) => (
          <Parked key={`${parked.reactor} ${parked.stream}`} parked={parked} />
        ))}
      </Troubles>
      {letters.isPending ? (
        <Skeleton h={140} radius="md" />
      ) : letters.data === undefined ? (
        <NotShown what="Dead letters" query={letters} />
      ) : (
        <Troubles
          title="Dead letters"
          none="None: everything that came in could be used"
          more={shown.length < health.data.deadLetters ? `The latest ${shown.length}` : undefined}
        >
          {shown.map((letter) => (
            <Letter key={letter.id} letter={letter} />
          ))}
        </Troubles>
      )}
    </>
  )
}

export default function Health() {
  const me = useMe()
  return (
    <main className="dashboard health">
      <h1 className="sr">Health</h1>
      <header className="dashboard-head">
        <h2>The desk itself</h2>
      </header>
      {isLeading(me) ? (
        <Sections />
      ) : (
        <Blank
          icon={IconLock}
          title="Supervisors and administrators look after this"
          hint="Ask one of them if messages seem to be missing."
        />
      )}
    </main>
  )
}
