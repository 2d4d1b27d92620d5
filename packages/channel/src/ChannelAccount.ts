/**
 * One connected address on a channel: `support@example.com`, one WhatsApp number.
 *
 * @module
 */
import { Id } from "@switchboard/conversation"
import * as z from "zod"

/** **Shape** `key` is what the platform calls the account in its webhooks; `name` is what people read; `workspace` the tenant it belongs to. */
export const ChannelAccount = z.object({
  id: Id.ChannelAccountId,
  key: z.string().min(1).max(512),
  name: z.string().min(1).max(256),
  workspace: Id.WorkspaceId
})
export type ChannelAccount = z.infer<typeof ChannelAccount>
