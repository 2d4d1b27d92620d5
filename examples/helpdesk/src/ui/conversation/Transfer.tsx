import { Button, Group, Modal, Select, Stack, Textarea } from "@mantine/core"
import type { ConversationDetail } from "@switchboard/desk/DeskService"
import { useState } from "react"
import * as DeskClient from "../DeskClient.ts"
import { useDirectory, useMe } from "../Directory.ts"
import { useGive } from "./useGive.ts"

/** Passes a conversation on to a team or an agent; a supervisor may also assign it, which needs nobody's acceptance. */
export const Transfer = ({
  kind,
  onClose,
  detail,
  contactName
}: {
  readonly kind: "transfer" | "assign" | null
  readonly onClose: () => void
  readonly detail: ConversationDetail
  readonly contactName: string
}) => {
  const { conversation } = detail
  const me = useMe()
  const { agents, teams } = useDirectory()
  const { give, act, isBusy } = useGive(conversation.id)
  const [to, setTo] = useState<string | null>(null)
  const [note, setNote] = useState("")
  const isAssign = kind === "assign"
  const others = agents.filter(({ id }) => isAssign || id !== me.id)
  const submit = async (): Promise<void> => {
    if (to === null) return
    const [what, id] = [to.slice(0, to.indexOf(":")), to.slice(to.indexOf(":") + 1)]
    const isDone = isAssign
      ? await act(() => DeskClient.assign(conversation.id, id), "Assigned")
      : await give(
          {
            type: "TransferConversation",
            wanted: what === "team" ? { teamId: id } : { agentId: id },
            ...(note.trim() !== "" && { note: note.trim() }),
            fence: conversation.control.fence
          },
          "Transferred"
        )
    if (!isDone) return
    setTo(null)
    setNote("")
    onClose()
  }
  return (
    <Modal
      opened={kind !== null}
      onClose={onClose}
      title={isAssign ? `Assign the conversation with ${contactName}` : `Transfer the conversation with ${contactName}`}
    >
      <Stack>
        <Select
          label={isAssign ? "Agent" : "Team or agent"}
          placeholder="Choose"
          searchable
          data-autofocus
          value={to}
          onChange={setTo}
          data={[
            ...(isAssign
              ? []
              : [{ group: "Teams", items: teams.map(({ id, name }) => ({ value: `team:${id}`, label: name })) }]),
            { group: "Agents", items: others.map(({ id, name }) => ({ value: `agent:${id}`, label: name })) }
          ]}
        />
        {!isAssign && (
          <Textarea
            label="Note for whoever takes it"
            description="Colleagues see it, the contact does not."
            autosize
            minRows={2}
            maxRows={6}
            maxLength={2000}
            value={note}
            onChange={(event) => setNote(event.currentTarget.value)}
          />
        )}
        <Group justify="flex-end">
          <Button variant="default" onClick={onClose}>
            Cancel
          </Button>
          <Button onClick={submit} disabled={to === null} loading={isBusy}>
            {isAssign ? "Assign" : "Transfer"}
          </Button>
        </Group>
      </Stack>
    </Modal>
  )
}
