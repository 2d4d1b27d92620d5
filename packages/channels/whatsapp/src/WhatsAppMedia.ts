/**
 * Files to and from the platform.
 *
 * **Source** https://developers.facebook.com/documentation/business-messaging/whatsapp/business-phone-numbers/media
 *
 * @module
 */
import { type ChannelAccount, type Outbound, PlatformCall, RetryAfter } from "@switchboard/channel"
import type { Attachment } from "@switchboard/conversation"
import * as z from "zod"
import type { WhatsAppConfig } from "./WhatsAppConfig.ts"
import { explain } from "./WhatsAppError.ts"

/** How a file is sent. */
export type MediaKind = "image" | "video" | "audio" | "document"

const mebibyte = 1024 * 1024

/** How large a file of each kind may be. **Units** bytes. */
export const limitsByKind: Readonly<Record<MediaKind, number>> = {
  image: 5 * mebibyte,
  video: 16 * mebibyte,
  audio: 16 * mebibyte,
  document: 100 * mebibyte
}

/** The largest file of any kind. **Units** bytes. */
export const sizeLimitBytes = limitsByKind.document

const office = "application/vnd.openxmlformats-officedocument"

/** The media types that can be sent. Stickers can't: they take no caption, and hardly any picture has their form. */
export const mediaTypes: ReadonlyArray<string> = [
  "image/jpeg",
  "image/png",
  "video/mp4",
  "video/3gpp",
  "audio/aac",
  "audio/amr",
  "audio/mpeg",
  "audio/mp4",
  "audio/ogg",
  "text/plain",
  "application/pdf",
  "application/msword",
  "application/vnd.ms-excel",
  "application/vnd.ms-powerpoint",
  `${office}.wordprocessingml.document`,
  `${office}.spreadsheetml.sheet`,
  `${office}.presentationml.presentation`
]

/** The kind that a media type is sent as. */
export const toMediaKind = (mediaType: string): MediaKind => {
  const [family] = mediaType.toLowerCase().split("/")
  return family === "image" || family === "video" || family === "audio" ? family : "document"
}

/** The header that every request carries. */
export const authorization = ({ accessToken }: WhatsAppConfig) => ({ authorization: `Bearer ${accessToken}` })

const Uploaded = z.object({ id: z.string().min(1) })

/** Uploads a file for one number and gives its media id, which holds for 30 days. */
export const upload = async (
  config: WhatsAppConfig,
  phoneNumberId: string,
  attachment: Attachment.Attachment,
  context: Outbound.CallContext
): Promise<PlatformCall.CallResult<string>> => {
  let bytes: Uint8Array
  try {
    bytes = await context.readAttachment(attachment)
  } catch {
    return {
      outcome: "unavailable",
      code: "attachmentUnreadable",
      message: `The bytes of the attachment ${attachment.id} could not be read.`
    }
  }
  const body = new FormData()
  body.set("messaging_product", "whatsapp")
  body.set("type", attachment.mediaType)
  const blob = new Blob([bytes as Uint8Array<ArrayBuffer>], { type: attachment.mediaType })
  body.set("file", blob, attachment.name ?? attachment.id)
  return PlatformCall.call(
    { url: `${config.apiUrl}/${phoneNumberId}/media`, headers: authorization(config), body },
    // A file that was uploaded twice is sent once.
    { read: (answer) => Uploaded.safeParse(answer).data?.id, explain, idempotent: true },
    context
  )
}

const MediaAnswer = z.object({
  url: z.url(),
  mime_type: z.string().min(1).optional(),
  file_size: z.coerce.number().optional()
})

const refuse = (code: string, message: string): Outbound.FetchResult => ({ outcome: "refused", code, message })

/** Whether a file may come from there, so that no answer can send us, and our token, to another host. */
const allowedWith = ({ apiUrl, mediaHosts }: WhatsAppConfig) => {
  const api = new URL(apiUrl)
  return ({ protocol, host, username, password }: URL): boolean => {
    if (username !== "" || password !== "") return false
    if (host === api.host) return protocol === api.protocol
    const isListed = mediaHosts.some((one) =>
      one.startsWith("*.") ? host.endsWith(one.slice(1)) && host.length > one.length - 1 : host === one
    )
    return isListed && (protocol === "https:" || protocol === api.protocol)
  }
}

const redirectLimit = 3

/** Follows redirects one by one, each within the allowed hosts; the token goes with the first address only. */
const open = async (
  url: URL,
  headers: Readonly<Record<string, string>>,
  allows: (url: URL) => boolean,
  signal: AbortSignal,
  left = redirectLimit
): Promise<Response | Outbound.FetchResult> => {
  if (!allows(url))
    return refuse("hostNotAllowed", `Files may not come from ${url.host}: add it to mediaHosts if they should.`)
  const response = await fetch(url, { headers, signal, redirect: "manual" })
  const location = response.headers.get("location")
  if (response.status < 300 || response.status > 399 || location === null) return response
  await response.body?.cancel()
  if (left === 0) return refuse("tooManyRedirects", `${url.host} redirects more than ${redirectLimit} times.`)
  if (!URL.canParse(location, url)) return refuse("badRedirect", `${url.host} redirects to no address.`)
  const next = new URL(location, url)
  return open(next, next.host === url.host ? headers : {}, allows, signal, left - 1)
}

const readUpTo = async (response: Response, limitBytes: number): Promise<Uint8Array | undefined> => {
  const chunks: Array<Uint8Array> = []
  let size = 0
  for await (const chunk of response.body ?? []) {
    size += chunk.length
    // Leaving the loop cancels the stream.
    if (size > limitBytes) return undefined
    chunks.push(chunk)
  }
  return new Uint8Array(Buffer.concat(chunks, size))
}

/**
 * Gets the bytes behind a media id: asks for its address, which holds for minutes, then reads it.
 *
 * **Fails with** refused `badReference`, `hostNotAllowed`, `tooManyRedirects`, `badRedirect`, `tooLarge` or the
 * platform's own code; unavailable when the platform or the connection failed.
 */
export const fetchWith = (config: WhatsAppConfig) => {
  const allows = allowedWith(config)
  const tooLarge = refuse("tooLarge", `The file is larger than ${config.mediaLimitBytes} bytes.`)
  return async (
    ref: string,
    account: ChannelAccount.ChannelAccount,
    context: Outbound.CallContext
  ): Promise<Outbound.FetchResult> => {
    if (!/^[\w-]{1,128}$/.test(ref)) return refuse("badReference", "A file of WhatsApp is named by its media id.")
    const found = await PlatformCall.call(
      {
        url: `${config.apiUrl}/${ref}?phone_number_id=${encodeURIComponent(account.key)}`,
        headers: authorization(config)
      },
      { read: (answer) => MediaAnswer.safeParse(answer).data, explain, idempotent: true },
      context
    )
    if (found.outcome !== "accepted") return PlatformCall.toFetchFailure(found)
    const { url, mime_type, file_size = 0 } = found.value
    if (file_size > config.mediaLimitBytes) return tooLarge
    try {
      const response = await open(new URL(url), authorization(config), allows, context.signal)
      if (!(response instanceof Response)) return response
      if (!response.ok) {
        await response.body?.cancel()
        const retryAfterMs = RetryAfter.parse(response.headers.get("retry-after"), context.nowMs)
        const failure = { code: String(response.status), message: `The file's host answered ${response.status}.` }
        return response.status === 429 || response.status >= 500
          ? { outcome: "unavailable", ...failure, ...(retryAfterMs === undefined ? {} : { retryAfterMs }) }
          : { outcome: "refused", ...failure }
      }
      const bytes = await readUpTo(response, config.mediaLimitBytes)
      if (bytes === undefined) return tooLarge
      const mediaType = mime_type ?? response.headers.get("content-type") ?? ""
      return { outcome: "fetched", bytes, mediaType: mediaType.split(";")[0]?.trim() || "application/octet-stream" }
    } catch {
      return {
        outcome: "unavailable",
        code: context.signal.aborted ? "timeout" : "connectionBroken",
        message: "The file could not be read to its end."
      }
    }
  }
}
