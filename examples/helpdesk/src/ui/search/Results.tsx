/** What the desk finds for a text, in place of the list. */
import { Loader, Skeleton } from "@mantine/core"
import type { InboxRow } from "@switchboard/desk/Views"
import { IconSearchOff } from "@tabler/icons-react"
import { keepPreviousData, useQuery } from "@tanstack/react-query"
import { Blank } from "../Blank.tsx"
import * as DeskClient from "../DeskClient.ts"
import { NotShown } from "../NotShown.tsx"
import { isAsked, most, toBehind, toFindings, toSummary } from "./Findings.ts"
import { MessageRow, PersonRow } from "./FoundRow.tsx"

/** What is not searched yet will be in a moment. */
const againMs = 2000

export const Results = ({
  text,
  asked,
  rows,
  chosen
}: {
  readonly text: string
  /** The text a moment ago: it is asked for when the typing pauses. */
  readonly asked: string
  /** What is loaded of the list: an answer's contacts may lead there. */
  readonly rows: ReadonlyArray<InboxRow>
  readonly chosen: string | null
}) => {
  const query = useQuery({
    queryKey: ["search", asked],
    queryFn: ({ signal }) => DeskClient.search(asked, most, signal),
    enabled: isAsked(asked),
    placeholderData: keepPreviousData,
    refetchInterval: ({ state: { data } }) => (data !== undefined && data.behind > 0 ? againMs : false)
  })
  const findings = query.data && toFindings(query.data, rows)
  const { people = [], messages = [] } = findings ?? {}
  const behind = query.data?.behind ?? 0
  const isNothing = findings !== undefined && people.length + messages.length === 0
  return (
    <>
      <div className="found-head" data-quiet={query.isError || (isNothing && behind === 0) || undefined}>
        <span role="status" className="grow">
          {findings ? toSummary(findings) : query.isPending ? "Searching…" : ""}
          {behind > 0 && <span className="block">{toBehind(behind)}</span>}
        </span>
        {(query.isFetching || asked !== text) && <Loader size={14} aria-hidden />}
      </div>
      {query.isError && <NotShown what="What was found" query={query} />}
      {query.isPending && (
        <div aria-hidden="true">
          {[0, 1, 2, 3].map((key) => (
            <div key={key} className="row-skeleton">
              <Skeleton h={13} w="55%" />
              <Skeleton h={11} w="88%" />
            </div>
          ))}
        </div>
      )}
      {isNothing && (
        <Blank
          icon={IconSearchOff}
          title="Nothing found"
          hint="All the words have to be there; of the last one, its beginning is enough."
        />
      )}
      {people.length > 0 && (
        <ul className="bare" aria-label="Contacts">
          {people.map((person) => (
            <PersonRow key={person.contactId} person={person} chosen={chosen} />
          ))}
        </ul>
      )}
      {messages.length > 0 && (
        <ul className="bare" aria-label="Messages that were found">
          {messages.map((found) => (
            <MessageRow key={found.messageId} found={found} chosen={chosen} />
          ))}
        </ul>
      )}
    </>
  )
}
