/**
 * Someone taking part in a conversation.
 *
 * @module
 */
import * as z from "zod"
import { Recipient } from "./Delivery.ts"
import { AgentId, BotId, ContactId } from "./Id.ts"

/**
 * Who takes part, and as what.
 *
 * **Shape** `requester` is the contact whose matter it is; `cc` was copied in; `observer` reads only.
 */
export const Participant = z.discriminatedUnion("role", [
  z.object({ role: z.literal("requester"), contactId: ContactId }),
  z.object({ role: z.literal("cc"), address: Recipient, contactId: ContactId.optional() }),
  z.object({ role: z.literal("agent"), agentId: AgentId }),
  z.object({ role: z.literal("bot"), botId: BotId }),
  z.object({ role: z.literal("observer"), agentId: AgentId })
])
export type Participant = z.infer<typeof Participant>

/** Whether two entries mean the same participant in the same role. */
export const isSame = (a: Participant, b: Participant): boolean => {
  if (a.role === "requester") return b.role === "requester" && a.contactId === b.contactId
  if (a.role === "cc")
    return b.role === "cc" && a.address.kind === b.address.kind && a.address.value === b.address.value
  if (a.role === "bot") return b.role === "bot" && a.botId === b.botId
  return a.role === b.role && a.agentId === b.agentId
}
