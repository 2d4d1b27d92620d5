import { Text } from "@mantine/core"
import type { Message } from "@switchboard/conversation"
import { Confirm } from "../Confirm.tsx"
import * as DeskClient from "../DeskClient.ts"
import { neverLeft } from "./Changes.ts"

/** Asks before a message is deleted, and says who stops seeing it. */
export const DeleteMessage = ({
  message,
  contactName,
  channelOf,
  onClose
}: {
  readonly message: Message.Message | null
  readonly contactName: string
  readonly channelOf: (message: Message.Message) => string
  readonly onClose: () => void
}) => (
  <Confirm
    about={message}
    title="Delete this message?"
    button="Delete"
    color="red"
    run={({ id, conversationId }) => DeskClient.give(conversationId, { type: "DeleteMessage", messageId: id })}
    done="Deleted"
    onClose={onClose}
  >
    {(shown) => (
      <Text>
        {shown.direction === "note" ? (
          "Its words are gone for everybody. That there was a note stays."
        ) : neverLeft(shown) ? (
          "It was never delivered. Its words are gone from here."
        ) : (
          <>
            Its words are gone from here, and <bdi>{contactName}</bdi> no longer sees it in {channelOf(shown)}. They may
            have read it already.
          </>
        )}
      </Text>
    )}
  </Confirm>
)
