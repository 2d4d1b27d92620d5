import { Button, Group, Modal, Text } from "@mantine/core"
import type { Message } from "@switchboard/conversation"
import { useRef } from "react"
import { neverLeft } from "./Changes.ts"
import { useGive } from "./useGive.ts"

/** Asks before a message is deleted, and says who stops seeing it. */
export const DeleteMessage = ({
  message,
  conversationId,
  contactName,
  channelOf,
  onClose
}: {
  readonly message: Message.Message | null
  readonly conversationId: string
  readonly contactName: string
  readonly channelOf: (message: Message.Message) => string
  readonly onClose: () => void
}) => {
  const { give, isBusy } = useGive(conversationId)
  // What is said stays while the dialog fades.
  const shown = useRef(message)
  if (message) shown.current = message
  const { current } = shown
  const remove = async (): Promise<void> => {
    if (message && (await give({ type: "DeleteMessage", messageId: message.id }, "Deleted"))) onClose()
  }
  return (
    <Modal
      opened={message !== null}
      onClose={onClose}
      title="Delete this message?"
      closeButtonProps={{ "aria-label": "Close" }}
    >
      <Text>
        {current?.direction === "note" ? (
          "Its words are gone for everybody. That there was a note stays."
        ) : current && neverLeft(current) ? (
          "It was never delivered. Its words are gone from here."
        ) : (
          <>
            Its words are gone from here, and <bdi>{contactName}</bdi> no longer sees it in{" "}
            {current && channelOf(current)}. They may have read it already.
          </>
        )}
      </Text>
      <Group justify="flex-end" mt="lg">
        <Button variant="default" onClick={onClose}>
          Cancel
        </Button>
        <Button color="red" onClick={remove} loading={isBusy} data-autofocus>
          Delete
        </Button>
      </Group>
    </Modal>
  )
}
