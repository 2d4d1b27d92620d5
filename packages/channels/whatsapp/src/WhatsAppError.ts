/**
 * What the platform's error codes mean: whether trying again may help, and what to do.
 *
 * **Source** https://developers.facebook.com/documentation/business-messaging/whatsapp/support/error-codes
 *
 * @module
 */
import type { PlatformCall } from "@switchboard/channel"
import type { Delivery } from "@switchboard/conversation"
import * as z from "zod"

const details = z.object({ details: z.string().optional() })

/** An error as webhooks report it. */
export const WebhookError = z.object({
  code: z.number().int(),
  title: z.string().optional(),
  message: z.string().optional(),
  error_data: details.optional()
})
export type WebhookError = z.infer<typeof WebhookError>

/** An error as requests are answered. */
export const ErrorAnswer = z.object({
  error: z.object({
    code: z.number().int(),
    message: z.string().optional(),
    is_transient: z.boolean().optional(),
    error_data: z.union([details, z.string()]).optional()
  })
})
export type ErrorAnswer = z.infer<typeof ErrorAnswer>

/** How long to wait where the platform says how often something may be done. **Units** milliseconds. */
const waits: Readonly<Record<number, number>> = { 131056: 6000 }

/**
 * Trouble that passes: 2 and 131016 overloaded, 4, 80007 and 130429 too many requests, 131056 too many to one contact,
 * 131057 and 133004 maintenance. An access token that expired (190, and 0 when it can't be read) is renewed by people,
 * and what waits for it should not be lost.
 */
const passing: ReadonlySet<number> = new Set([
  0, 2, 4, 190, 80007, 130429, 131000, 131016, 131056, 131057, 133004, 133005
])

const advice: Readonly<Record<number, string>> = {
  0: "The access token is not valid: renew accessToken or WHATSAPP_ACCESS_TOKEN.",
  10: "The access token lacks a permission: give its system user whatsapp_business_messaging on this account.",
  190: "The access token expired or was withdrawn: renew accessToken or WHATSAPP_ACCESS_TOKEN.",
  368: "The account is blocked for a policy violation: see the WhatsApp Manager.",
  130429: "The account sends faster than its throughput allows.",
  131026: "The contact can't get this message: the number is not on WhatsApp, or its app is too old.",
  131030: "The number is not among the test recipients of this account: add it, or use a live account.",
  131031: "The account is locked: see the WhatsApp Manager.",
  131042: "The account has a payment problem: see its billing in the WhatsApp Manager.",
  131047: "The contact last wrote more than 24 hours ago: send a template.",
  131048: "The account sends too much that people report or block: see its quality in the WhatsApp Manager.",
  131049: "WhatsApp holds marketing back from this contact: try another day.",
  131050: "The contact stopped marketing messages of this account.",
  131051: "This kind of message is not supported.",
  131053: "The file could not be read: its type must be what its bytes are.",
  131056: "Too many messages to this contact in a short time.",
  132000: "The number of parameters is not the template's: count its placeholders.",
  132001: "There is no such template in this language, or it is not approved.",
  132015: "The template is paused for its low quality.",
  132016: "The template is disabled for its low quality."
}

const describe = (code: number, ...said: ReadonlyArray<string | undefined>): string =>
  [advice[code], ...new Set(said.filter((text) => text !== undefined && text !== ""))]
    .filter((text) => text !== undefined)
    .join(" ")
    .slice(0, 2000)

/** Whether trying the same thing again may help. */
export const isPassing = (code: number): boolean => passing.has(code)

/** Explains the answer to a request: the platform's code, what to do, and what the platform said. */
export const explain = (body: unknown): PlatformCall.Explanation | undefined => {
  const parsed = ErrorAnswer.safeParse(body)
  if (!parsed.success) return undefined
  const { code, message, is_transient, error_data } = parsed.data.error
  const waitMs = waits[code]
  const isUnavailable = isPassing(code) || is_transient === true
  return {
    code: String(code),
    message:
      describe(code, message, typeof error_data === "string" ? error_data : error_data?.details) || `Error ${code}.`,
    ...(isUnavailable ? { outcome: "unavailable" } : {}),
    ...(waitMs === undefined ? {} : { retryAfterMs: waitMs })
  }
}

/** Why a message failed after it had been accepted. */
export const toFailure = (errors: ReadonlyArray<WebhookError>): Delivery.DeliveryFailure => {
  const [error] = errors
  if (error === undefined) return { code: "unknown", message: "The platform gives no reason.", retryable: false }
  return {
    code: String(error.code),
    message: describe(error.code, error.title, error.message, error.error_data?.details) || `Error ${error.code}.`,
    retryable: isPassing(error.code)
  }
}
