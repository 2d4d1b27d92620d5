/**
 * What the Bot API's error answers mean.
 *
 * @module
 */
import type { PlatformCall } from "@switchboard/channel"
import * as z from "zod"

/** **Source** https://core.telegram.org/bots/api#making-requests and #responseparameters */
export const ErrorAnswer = z.object({
  ok: z.literal(false),
  error_code: z.number().int().optional(),
  description: z.string().optional(),
  parameters: z.object({ retry_after: z.number().optional(), migrate_to_chat_id: z.number().optional() }).optional()
})
export type ErrorAnswer = z.infer<typeof ErrorAnswer>

/** Explains an error answer: Telegram's code and description, and how long it asks us to wait. */
export const explain = (body: unknown): PlatformCall.Explanation | undefined => {
  const parsed = ErrorAnswer.safeParse(body)
  if (!parsed.success) return undefined
  const { error_code, description, parameters } = parsed.data
  return {
    ...(error_code === undefined ? {} : { code: String(error_code) }),
    ...(description === undefined ? {} : { message: description }),
    ...(parameters?.retry_after === undefined ? {} : { retryAfterMs: parameters.retry_after * 1000 })
  }
}

/** Whether an edit or a deletion failed because things are already as they should be. */
export const isAlreadyDone = (message: string): boolean =>
  /message is not modified|message to delete not found/i.test(message)
