/** Somebody who may be the same person: the agent sees why, and decides. */
import { Button, Text } from "@mantine/core"
import type { Contact } from "@switchboard/conversation"
import { IconUsersPlus } from "@tabler/icons-react"
import { useState } from "react"
import { Confirm } from "../Confirm.tsx"
import * as DeskClient from "../DeskClient.ts"

export const Suggestion = ({
  suggestion,
  into
}: {
  readonly suggestion: Contact.Contact["suggestions"][number]
  readonly into: Contact.Contact["id"]
}) => {
  const [isAsking, setAsking] = useState(false)
  return (
    <div className="suggestion">
      <IconUsersPlus size={19} aria-hidden />
      <div className="grow">
        <b>Maybe the same person</b>
        <p>
          Another contact has <span dir="auto">{suggestion.evidence}</span>.
        </p>
        <Button size="compact-sm" variant="default" onClick={() => setAsking(true)}>
          Merge…
        </Button>
      </div>
      <Confirm
        about={isAsking ? suggestion : null}
        title="Merge these contacts?"
        button="Merge"
        run={({ contactId }) => DeskClient.giveToContact(contactId, { type: "MergeContact", into })}
        done="Merged: they are one contact now"
        onClose={() => setAsking(false)}
      >
        {({ evidence }) => (
          <>
            <Text>The other contact counts as this one from now on, with its conversations. The card can undo it.</Text>
            <Text c="dimmed" fz="sm" mt="sm">
              Evidence: {evidence}
            </Text>
          </>
        )}
      </Confirm>
    </div>
  )
}
