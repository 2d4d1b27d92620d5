import { Button, Tooltip } from "@mantine/core"
import type { Delivery, Message } from "@switchboard/conversation"
import { IconAlertTriangle, IconCheck, IconChecks, IconClock } from "@tabler/icons-react"
import { toDate } from "../Format.ts"
import { useGive } from "./useGive.ts"

const looks = {
  queued: { Icon: IconClock, label: "Queued" },
  sent: { Icon: IconCheck, label: "Sent" },
  delivered: { Icon: IconChecks, label: "Delivered" },
  read: { Icon: IconChecks, label: "Read" },
  failed: { Icon: IconAlertTriangle, label: "Failed" }
} as const

const Failed = ({
  message,
  delivery,
  channel
}: {
  readonly message: Message.Message
  readonly delivery: Delivery.Delivery
  readonly channel: string
}) => {
  const { give, isBusy } = useGive(message.conversationId)
  const { failure } = delivery
  return (
    <div className="not-sent">
      <IconAlertTriangle size={15} aria-hidden />
      <span>
        <b>Not delivered{channel === "" ? "" : ` by ${channel}`}.</b>{" "}
        {failure?.message ?? "The platform gave no reason."} {failure && <code>{failure.code}</code>}
      </span>
      <Button
        size="compact-xs"
        variant="light"
        color="red"
        loading={isBusy}
        onClick={() => give({ type: "RetryDelivery", messageId: message.id, deliveryId: delivery.id }, "Trying again")}
      >
        Retry
      </Button>
    </div>
  )
}

/** What became of a message, one line for all recipients in the same state. */
export const Deliveries = ({ message, channel }: { readonly message: Message.Message; readonly channel: string }) => {
  const groups = [...Map.groupBy(message.deliveries, ({ state }) => state)]
  return groups.map(([state, all]) => {
    if (state === "failed")
      return all.map((delivery) => <Failed key={delivery.id} message={message} delivery={delivery} channel={channel} />)
    const { Icon, label } = looks[state]
    const who = all.map(({ recipient, changedAtMs }) => `${recipient.value}, ${toDate(changedAtMs)}`).join("\n")
    return (
      <Tooltip key={state} label={who} multiline style={{ whiteSpace: "pre-line" }}>
        <span className="delivery" data-state={state}>
          <Icon size={14} aria-hidden /> {label}
          {groups.length > 1 || all.length > 1 ? ` · ${all.length}` : ""}
          {all.some((delivery) => delivery.possiblyDuplicated) && " · possibly twice"}
        </span>
      </Tooltip>
    )
  })
}
