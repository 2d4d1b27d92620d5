/** How the desk itself is: what its reactors have read, what stands still, and what could not be used. */
import { Button, Skeleton } from "@mantine/core"
import { notifications } from "@mantine/notifications"
import type { Redriven } from "@switchboard/desk/Answers"
import type { Health as HealthData } from "@switchboard/desk/DeskService"
import type { DeadLetter, ParkedStream } from "@switchboard/desk/Views"
import { IconActivity, IconLock, IconMailX, IconPlayerPause, IconRefresh } from "@tabler/icons-react"
import { useQuery, useQueryClient } from "@tanstack/react-query"
import { type ReactNode, useState } from "react"
import { Blank } from "../Blank.tsx"
import { ChannelIcon, lookOf } from "../Channels.tsx"
import * as DeskClient from "../DeskClient.ts"
import { useMe } from "../Directory.ts"
import { toDate, toDuration, toWords } from "../Format.ts"
import { useNow } from "../Now.ts"
import { followLink, toHref } from "../Place.ts"
import { toSentence } from "../Problems.ts"
import { Tiles } from "../Tiles.tsx"
import { contentOf, conversationOf, senderOf } from "./Letters.ts"

const everyMs = 5000
/** More are not counted by the desk. */
const mostLetters = 1000

const known: Readonly<Record<string, readonly [name: string, does: string]>> = {
  router: ["Router", "offers and assigns work"],
  sla: ["SLA", "runs the promises' clocks"],
  inbox: ["Inbox", "keeps the list"],
  metrics: ["Metrics", "counts the measures"]
}
const nameOf = (reactor: string): string => known[reactor]?.[0] ?? toWords(reactor)

/** The desk's reasons are half sentences. */
const toCapital = (reason: string): string => `${reason.charAt(0).toUpperCase()}${reason.slice(1)}`

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
  const letters = health.deadLetters >= mostLetters ? `${mostLetters} or more` : String(health.deadLetters)
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
      value: health.parked.length >= 200 ? "200 or more" : String(health.parked.length),
      hint: health.parked.length > 0 ? "wait until somebody tries again" : "none stands still",
      Icon: IconPlayerPause,
      tone: health.parked.length > 0 ? "amber" : ""
    },
    {
      label: "Dead letters",
      value: letters,
      hint: health.deadLetters > 0 ? "could not be used" : "everything could be used",
      Icon: IconMailX,
      tone: health.deadLetters > 0 ? "amber" : ""
    }
  ]
  return <Tiles tiles={tiles} className="health-now" />
}

const Reactors = ({ health }: { readonly health: HealthData }) => {
  const now = useNow()
  return (
    <article className="panel" aria-label="Reactors">
      <header>
        <h3>Reactors</h3>
        <small className="quiet">The journal has {health.position.toLocaleString()} events</small>
      </header>
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
    </article>
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
  <article className="panel" aria-label={title}>
    <header>
      <h3>{title}</h3>
      {more !== undefined && <small className="quiet">{more}</small>}
    </header>
    {children.length === 0 ? <p className="quiet">{none}</p> : <ul className="bare troubles">{children}</ul>}
  </article>
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
    return health.isError ? (
      <Blank icon={IconRefresh} title="The desk's health can't be shown" hint={toSentence(health.error)}>
        <Button variant="default" size="xs" onClick={() => health.refetch()}>
          Try again
        </Button>
      </Blank>
    ) : (
      <Skeleton h={280} radius="md" />
    )
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
        <Blank icon={IconRefresh} title="Dead letters can't be shown" hint={toSentence(letters.error)}>
          <Button variant="default" size="xs" onClick={() => letters.refetch()}>
            Try again
          </Button>
        </Blank>
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
      {me.role !== "agent" ? (
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
