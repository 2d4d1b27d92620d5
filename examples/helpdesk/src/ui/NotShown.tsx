/** What could not be read: says why, and tries again. */
import { Button } from "@mantine/core"
import { IconRefresh } from "@tabler/icons-react"
import type { ComponentProps } from "react"
import { Blank } from "./Blank.tsx"
import { toSentence } from "./Problems.ts"

export const NotShown = ({
  what,
  icon = IconRefresh,
  query
}: {
  readonly what: string
  readonly icon?: ComponentProps<typeof Blank>["icon"]
  readonly query: { readonly error: unknown; readonly refetch: () => unknown }
}) => (
  <Blank icon={icon} title={`${what} can't be shown`} hint={toSentence(query.error)}>
    <Button variant="default" size="xs" onClick={() => query.refetch()}>
      Try again
    </Button>
  </Blank>
)
