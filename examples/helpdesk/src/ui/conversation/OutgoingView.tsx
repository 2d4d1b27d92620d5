import { Button } from "@mantine/core"
import { IconAlertTriangle, IconClock } from "@tabler/icons-react"
import { DeskFault } from "../DeskClient.ts"
import { toSentence } from "../Problems.ts"
import { useDraft } from "./Draft.ts"
import * as Outbox from "./Outbox.ts"

/** Something on its way, or what kept it from going. */
export const OutgoingView = ({ item, onSent }: { readonly item: Outbox.Outgoing; readonly onSent: () => void }) => {
  const [, setDraft] = useDraft(item.conversationId)
  const isFenced = item.fault instanceof DeskFault && item.fault.code === "staleFence"
  return (
    <article className="message" data-direction={item.kind === "note" ? "note" : "out"} data-state={item.state}>
      <div className="bubble">
        <p className="text" dir="auto">
          {item.text}
        </p>
        {item.files.map(({ name }) => (
          <p key={name} className="quiet">
            {name}
          </p>
        ))}
      </div>
      {item.state === "failed" ? (
        <div className="not-sent" role="alert">
          <IconAlertTriangle size={15} aria-hidden />
          <span>
            <b>Not sent.</b> {toSentence(item.fault)}
          </span>
          <Button
            size="compact-xs"
            variant="light"
            onClick={() => (isFenced ? Outbox.insist(item, onSent) : Outbox.retry(item, onSent))}
          >
            {isFenced ? "Send anyway" : "Try again"}
          </Button>
          <Button
            size="compact-xs"
            variant="subtle"
            color="gray"
            onClick={() => {
              setDraft({ tab: item.kind, [item.kind]: item.text })
              Outbox.drop(item.commandId)
            }}
          >
            Back to the draft
          </Button>
        </div>
      ) : (
        <div className="below" role="status">
          <IconClock size={13} aria-hidden /> Sending…
        </div>
      )}
    </article>
  )
}
