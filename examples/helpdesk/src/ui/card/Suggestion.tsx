/** Somebody who may be the same person: the agent sees why, and decides. */
import { Button, Group, Modal, Text } from "@mantine/core"
import type { Contact } from "@switchboard/conversation"
import { IconUsersPlus } from "@tabler/icons-react"
import { useState } from "react"
import { useAct } from "../conversation/useGive.ts"
import * as DeskClient from "../DeskClient.ts"

export const Suggestion = ({
  from,
  into,
  evidence
}: {
  readonly from: string
  readonly into: string
  readonly evidence: string
}) => {
  const { act, isBusy } = useAct()
  const [isAsking, setAsking] = useState(false)
  const merge = async (): Promise<void> => {
    const command = { type: "MergeContact", into } as unknown as Contact.ContactCommand
    if (await act(() => DeskClient.giveToContact(from, command), "Merged: they are one contact now")) setAsking(false)
  }
  return (
    <div className="suggestion">
      <IconUsersPlus size={19} aria-hidden />
      <div className="grow">
        <b>Maybe the same person</b>
        <p>
          Another contact has <span dir="auto">{evidence}</span>.
        </p>
        <Button size="compact-sm" variant="default" onClick={() => setAsking(true)}>
          Merge…
        </Button>
      </div>
      <Modal
        opened={isAsking}
        onClose={() => setAsking(false)}
        title="Merge these contacts?"
        closeButtonProps={{ "aria-label": "Close" }}
      >
        <Text>The other contact counts as this one from now on, with its conversations. The card can undo it.</Text>
        <Text c="dimmed" fz="sm" mt="sm">
          Evidence: {evidence}
        </Text>
        <Group justify="flex-end" mt="lg">
          <Button variant="default" onClick={() => setAsking(false)}>
            Cancel
          </Button>
          <Button onClick={merge} loading={isBusy} data-autofocus>
            Merge
          </Button>
        </Group>
      </Modal>
    </div>
  )
}
