/** Why a conversation stands where it does: its place, its turn, who could take it, its promises. */
import { Button, Skeleton } from "@mantine/core"
import type { ConversationDetail } from "@switchboard/desk/DeskService"
import { useQuery } from "@tanstack/react-query"
import { type ReactNode, useState } from "react"
import * as DeskClient from "../DeskClient.ts"
import { useDirectory } from "../Directory.ts"
import { Face } from "../Face.tsx"
import { useNow } from "../Now.ts"
import { toSentence } from "../Problems.ts"
import { toClock, toObstacle, toPlace, toTurn } from "./Reasons.ts"

const fewAgents = 6

const Section = ({ title, children }: { readonly title: string; readonly children: ReactNode }) => (
  <section>
    <h3>{title}</h3>
    {children}
  </section>
)

const Sentences = ({ all }: { readonly all: ReadonlyArray<string> }) => all.map((one) => <p key={one}>{one}</p>)

export default function Why({ detail }: { readonly detail: ConversationDetail }) {
  const { conversation, clocks } = detail
  const directory = useDirectory()
  const now = useNow()
  const [isWhole, setWhole] = useState(false)
  const asked = useQuery({
    queryKey: ["explanation", conversation.id],
    queryFn: ({ signal }) => DeskClient.explanation(conversation.id, signal),
    staleTime: 0,
    refetchInterval: 5000
  })
  if (asked.isPending) return <Skeleton h={220} aria-label="Asking the desk" />
  if (asked.data === undefined)
    return (
      <>
        <p role="alert">{toSentence(asked.error)}</p>
        <Button variant="default" size="xs" mt="sm" onClick={() => asked.refetch()}>
          Try again
        </Button>
      </>
    )
  const explained = asked.data
  const agents = explained?.place.kind === "waiting" ? explained.agents : []
  const turn = toTurn(detail, explained, now)
  return (
    <div className="why">
      <Section title="Where it is">
        <Sentences all={toPlace(conversation, explained, directory, now)} />
      </Section>
      {turn.length > 0 && (
        <Section title="Its turn">
          <Sentences all={turn} />
        </Section>
      )}
      {agents.length > 0 && (
        <Section title="Who could take it">
          <ul className="bare why-agents">
            {agents.slice(0, isWhole ? undefined : fewAgents).map(({ agentId, obstacles }) => {
              const name = directory.agentName(agentId)
              const reasons = obstacles.map((one) => toObstacle(one, explained!.item.channelKind, directory, now))
              return (
                <li key={agentId}>
                  <Face name={name} size={24} />
                  <span className="grow">
                    <b>{name}</b> <span className="quiet">{reasons.join(" · ") || "could be offered it"}</span>
                  </span>
                </li>
              )
            })}
          </ul>
          {!isWhole && agents.length > fewAgents && (
            <Button size="compact-xs" variant="subtle" onClick={() => setWhole(true)}>
              {agents.length - fewAgents} more
            </Button>
          )}
        </Section>
      )}
      <Section title="Promises">
        {clocks.length === 0 ? (
          <p className="quiet">None was made for it.</p>
        ) : (
          <ul className="why-clocks">
            {clocks.map((clock) => (
              <li key={clock.target}>{toClock(clock, now)}</li>
            ))}
          </ul>
        )}
      </Section>
    </div>
  )
}
