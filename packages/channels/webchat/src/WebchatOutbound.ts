/**
 * Sending, where nobody delivers: the visitor's browser reads the thread from the desk, so a message that is stored has
 * been sent.
 *
 * @module
 */
import type { Outbound } from "@switchboard/channel"
import { toPlatformId } from "./WebchatInbound.ts"

/**
 * Accepts at once, with the names that the widget's receipts will carry. A message that was split keeps one name for its
 * first piece, since the widget reads it whole.
 *
 * **Fails with** `refused` `webchat_outbound_unsupported` for kinds that a web chat doesn't declare.
 */
export const send = (outbound: Outbound.Outbound): Outbound.SendResult => {
  switch (outbound.kind) {
    case "message":
      return {
        outcome: "accepted",
        platformIds: outbound.messages
          .map(
            (_, index) =>
              `${toPlatformId(outbound.thread.key, outbound.messageId)}${index === 0 ? "" : `#${index + 1}`}`
          )
          .slice(outbound.alreadySent)
      }
    case "edit":
    case "delete":
      return { outcome: "accepted", platformIds: outbound.platformIds }
    case "typing":
      return { outcome: "accepted", platformIds: [] }
    default:
      return {
        outcome: "refused",
        code: "webchat_outbound_unsupported",
        message: `a web chat takes no ${outbound.kind}: look at its capabilities before sending`
      }
  }
}
