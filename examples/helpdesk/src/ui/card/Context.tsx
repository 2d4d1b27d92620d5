/** What the application's own systems know about a contact: nothing here waits for them. */
import { Anchor, Button, Skeleton } from "@mantine/core"
import { IconClockExclamation, IconPlugConnectedX } from "@tabler/icons-react"
import { useQuery } from "@tanstack/react-query"
import * as DeskClient from "../DeskClient.ts"
import { Facts, Section } from "./ContactCard.tsx"

export const Context = ({ contactId }: { readonly contactId: string }) => {
  const context = useQuery({
    queryKey: ["context", contactId],
    queryFn: ({ signal }) => DeskClient.context(contactId, signal),
    staleTime: 60_000
  })
  const { state, provider, facts } = context.data ?? {}
  if (state === "none") return null
  const title = provider ?? "Your systems"
  return (
    <Section title={title}>
      {context.isPending && (
        <div aria-busy="true" role="status" aria-label={`Asking ${title}`}>
          <Skeleton h={12} w="85%" mb={8} />
          <Skeleton h={12} w="65%" />
        </div>
      )}
      {state === "ready" &&
        (facts && facts.length > 0 ? (
          <Facts
            facts={facts.map(({ label, value, url }) => [
              label,
              url !== undefined && /^https?:/i.test(url) ? (
                <Anchor key={label} href={url} target="_blank" rel="noopener noreferrer" inherit>
                  {value}
                </Anchor>
              ) : (
                value
              )
            ])}
          />
        ) : (
          <p className="quiet">Nothing known about this contact</p>
        ))}
      {(state === "late" || state === "failed" || context.isError) && (
        <p className="context-problem" role="status">
          {state === "late" ? (
            <IconClockExclamation size={17} aria-hidden />
          ) : (
            <IconPlugConnectedX size={17} aria-hidden />
          )}
          <span className="grow">
            {state === "late" ? `${title} did not answer in time.` : `${title} could not be asked.`}
          </span>
          <Button size="compact-xs" variant="default" loading={context.isFetching} onClick={() => context.refetch()}>
            Ask again
          </Button>
        </p>
      )}
    </Section>
  )
}
