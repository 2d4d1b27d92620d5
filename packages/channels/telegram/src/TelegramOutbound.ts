/**
 * Sending through the Bot API, and getting files from it.
 *
 * **Source** https://core.telegram.org/bots/api#available-methods
 *
 * @module
 */
import { type Outbound, PlatformCall, type Rendering } from "@switchboard/channel"
import type { Attachment } from "@switchboard/conversation"
import * as z from "zod"
import { fromPlatformId, toPlatformId } from "./TelegramAddress.ts"
import type { TelegramConfig } from "./TelegramConfig.ts"
import { explain, isAlreadyDone } from "./TelegramError.ts"
import { toCallbackData, toHtml } from "./TelegramFormat.ts"

/** Bots may download files up to this size. **Units** bytes. */
export const downloadLimitBytes = 20 * 1024 * 1024
/** Bots may upload files up to this size. **Units** bytes. */
export const uploadLimitBytes = 50 * 1024 * 1024
const photoLimitBytes = 10 * 1024 * 1024

const SentMessage = z.object({
  result: z.object({ message_id: z.number().int(), chat: z.object({ id: z.number().int() }) })
})
const FileAnswer = z.object({
  result: z.object({ file_path: z.string().min(1), file_size: z.number().optional() })
})

type Parameters = Readonly<Record<string, unknown>>

const tokenOf = (config: TelegramConfig, accountId: string): string | undefined =>
  config.accounts.find(({ id }) => id === accountId)?.token

/** The Bot API of one bot. */
interface Bot {
  readonly call: <A>(
    method: string,
    parameters: Parameters | FormData,
    read: (body: unknown) => A | undefined,
    idempotent?: boolean
  ) => Promise<PlatformCall.CallResult<A>>
}

const toBot = (config: TelegramConfig, token: string, context: Outbound.CallContext): Bot => ({
  call: (method, body, read, idempotent = false) =>
    PlatformCall.call(
      { url: `${config.apiUrl}/bot${token}/${method}`, body, secrets: [token] },
      { read, explain, idempotent },
      context
    )
})

const readMessage = (body: unknown): string | undefined => {
  const parsed = SentMessage.safeParse(body)
  return parsed.success ? toPlatformId(parsed.data.result.chat.id, parsed.data.result.message_id) : undefined
}

const readDone = (body: unknown): true | undefined =>
  z.object({ ok: z.literal(true) }).safeParse(body).success ? true : undefined

// --- messages -------------------------------------------------------------------------------------------------------

const toKeyboard = (choices: NonNullable<Rendering.RenderedMessage["choices"]>) => ({
  inline_keyboard: choices.map(({ id, label, url }) => [
    url === undefined ? { text: label, callback_data: toCallbackData(id) } : { text: label, url }
  ])
})

const toText = ({ body, format }: NonNullable<Rendering.RenderedMessage["text"]>): Parameters =>
  format === "plain" ? { text: body } : { text: toHtml(body), parse_mode: "HTML" }

/** The method and the field for a file: what Telegram can show, it shows; the rest is a document. */
const methodFor = ({ mediaType }: Attachment.Attachment, size: number): readonly [string, string] => {
  const type = mediaType.toLowerCase()
  if ((type === "image/jpeg" || type === "image/png") && size <= photoLimitBytes) return ["sendPhoto", "photo"]
  if (type === "image/gif") return ["sendAnimation", "animation"]
  if (type === "video/mp4") return ["sendVideo", "video"]
  if (type === "audio/mpeg" || type === "audio/mp4") return ["sendAudio", "audio"]
  if (type === "audio/ogg") return ["sendVoice", "voice"]
  return ["sendDocument", "document"]
}

const escapeVcard = (text: string): string => text.replaceAll(/[\\;,]/g, "\\$&").replaceAll("\n", "\\n")

const toVcard = ({ name, phones, emails }: NonNullable<Rendering.RenderedMessage["contactCard"]>): string =>
  [
    "BEGIN:VCARD",
    "VERSION:3.0",
    `FN:${escapeVcard(name)}`,
    ...phones.map((phone) => `TEL:${escapeVcard(phone)}`),
    ...emails.map((email) => `EMAIL:${escapeVcard(email)}`),
    "END:VCARD"
  ].join("\n")

const sendFile = async (
  bot: Bot,
  { attachment, caption }: Rendering.RenderedMessage["attachments"][number],
  common: Parameters,
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
  const [method, field] = methodFor(attachment, bytes.length)
  const form = new FormData()
  for (const [name, value] of Object.entries(common))
    form.set(name, typeof value === "string" ? value : JSON.stringify(value))
  if (caption !== undefined) form.set("caption", caption)
  const blob = new Blob([bytes as Uint8Array<ArrayBuffer>], { type: attachment.mediaType })
  form.set(field, blob, attachment.name ?? attachment.id)
  return bot.call(method, form, readMessage)
}

const sendOne = (
  bot: Bot,
  message: Rendering.RenderedMessage,
  common: Parameters,
  context: Outbound.CallContext
): Promise<PlatformCall.CallResult<string>> => {
  const { text, attachments, choices, location, contactCard } = message
  const [file] = attachments
  if (file !== undefined) return sendFile(bot, file, common, context)
  if (location !== undefined) {
    const { name, address, ...place } = location
    return name === undefined || address === undefined
      ? bot.call("sendLocation", { ...common, ...place }, readMessage)
      : bot.call("sendVenue", { ...common, ...place, title: name, address }, readMessage)
  }
  if (contactCard !== undefined) {
    const [phone] = contactCard.phones
    return phone === undefined
      ? bot.call("sendMessage", { ...common, text: [contactCard.name, ...contactCard.emails].join("\n") }, readMessage)
      : bot.call(
          "sendContact",
          { ...common, phone_number: phone, first_name: contactCard.name, vcard: toVcard(contactCard) },
          readMessage
        )
  }
  if (text !== undefined)
    return bot.call(
      "sendMessage",
      { ...common, ...toText(text), ...(choices === undefined ? {} : { reply_markup: toKeyboard(choices) }) },
      readMessage
    )
  return Promise.resolve({
    outcome: "refused",
    code: "nothingToSend",
    message: "The message has nothing that can be sent here."
  })
}

const unknownAccount = (id: string): Outbound.SendResult & { readonly outcome: "refused" } => ({
  outcome: "refused",
  code: "unknownAccount",
  message: `No bot is configured with the id ${JSON.stringify(id)}: add it to accounts.`
})

/** Sends a message. */
export const message =
  (config: TelegramConfig) =>
  async (outbound: Outbound.OutboundMessage, context: Outbound.CallContext): Promise<Outbound.SendResult> => {
    const token = tokenOf(config, outbound.account.id)
    if (token === undefined) return unknownAccount(outbound.account.id)
    const bot = toBot(config, token, context)
    const answered = fromPlatformId(outbound.replyToPlatformId ?? "")
    return PlatformCall.sendEach(outbound, (one, index) =>
      sendOne(
        bot,
        one,
        {
          chat_id: outbound.recipient.value,
          ...(answered === undefined || index > 0
            ? {}
            : { reply_parameters: { message_id: answered.message_id, allow_sending_without_reply: true } })
        },
        context
      )
    )
  }

// --- changes to messages --------------------------------------------------------------------------------------------

/** Calls for each, in order, up to the first failure; what is already as it should be is no failure. */
const forEach = async <A>(
  items: ReadonlyArray<A>,
  one: (item: A) => Promise<PlatformCall.CallResult<unknown>>,
  platformIds: ReadonlyArray<string>
): Promise<Outbound.SendResult> => {
  for (const item of items) {
    const result = await one(item)
    if (result.outcome !== "accepted" && !(result.outcome === "refused" && isAlreadyDone(result.message))) return result
  }
  return { outcome: "accepted", platformIds }
}

const notOurs = (platformId: string): PlatformCall.CallFailure => ({
  outcome: "refused",
  code: "unknownMessage",
  message: `${JSON.stringify(platformId)} is no message of Telegram: it has the form chat:number.`
})

/** Replaces the text of a message; parts that are no longer needed are deleted. */
export const edit =
  (config: TelegramConfig) =>
  async (outbound: Outbound.OutboundEdit, context: Outbound.CallContext): Promise<Outbound.SendResult> => {
    const { platformIds, messages } = outbound
    const token = tokenOf(config, outbound.account.id)
    if (token === undefined) return unknownAccount(outbound.account.id)
    if (messages.length > platformIds.length)
      return {
        outcome: "refused",
        code: "tooLong",
        message: `The new text needs ${messages.length} messages, the old one had ${platformIds.length}.`
      }
    const bot = toBot(config, token, context)
    return forEach(
      [...platformIds.entries()],
      async ([index, platformId]) => {
        const target = fromPlatformId(platformId)
        if (target === undefined) return notOurs(platformId)
        const { text, attachments, choices } = messages[index] ?? { attachments: [] }
        const keyboard = choices === undefined ? {} : { reply_markup: toKeyboard(choices) }
        if (index >= messages.length) return bot.call("deleteMessage", target, readDone, true)
        return text === undefined
          ? bot.call("editMessageCaption", { ...target, caption: attachments[0]?.caption ?? "" }, readDone, true)
          : bot.call("editMessageText", { ...target, ...toText(text), ...keyboard }, readDone, true)
      },
      platformIds.slice(0, messages.length)
    )
  }

/** Deletes a message in all its parts. */
export const remove =
  (config: TelegramConfig) =>
  async (outbound: Outbound.OutboundDelete, context: Outbound.CallContext): Promise<Outbound.SendResult> => {
    const token = tokenOf(config, outbound.account.id)
    if (token === undefined) return unknownAccount(outbound.account.id)
    const bot = toBot(config, token, context)
    return forEach(
      outbound.platformIds,
      async (platformId) => {
        const target = fromPlatformId(platformId)
        return target === undefined ? notOurs(platformId) : bot.call("deleteMessage", target, readDone, true)
      },
      outbound.platformIds
    )
  }

/** Sets or takes back the bot's reaction. */
export const reaction =
  (config: TelegramConfig) =>
  async (outbound: Outbound.OutboundReaction, context: Outbound.CallContext): Promise<Outbound.SendResult> => {
    const token = tokenOf(config, outbound.account.id)
    if (token === undefined) return unknownAccount(outbound.account.id)
    const target = fromPlatformId(outbound.platformId)
    if (target === undefined) return notOurs(outbound.platformId)
    const chosen = outbound.emoji === null ? [] : [{ type: "emoji", emoji: outbound.emoji }]
    return PlatformCall.toSendResult(
      await toBot(config, token, context).call("setMessageReaction", { ...target, reaction: chosen }, readDone, true)
    )
  }

/** Shows that somebody is typing, for five seconds or until the next message. */
export const typing =
  (config: TelegramConfig) =>
  async (outbound: Outbound.OutboundTyping, context: Outbound.CallContext): Promise<Outbound.SendResult> => {
    const token = tokenOf(config, outbound.account.id)
    if (token === undefined) return unknownAccount(outbound.account.id)
    return PlatformCall.toSendResult(
      await toBot(config, token, context).call(
        "sendChatAction",
        { chat_id: outbound.recipient.value, action: "typing" },
        readDone,
        true
      )
    )
  }

// --- files ----------------------------------------------------------------------------------------------------------

/** The file server calls everything a stream of bytes: the name of the file knows better. */
const typeByEnding: Readonly<Record<string, string>> = {
  jpg: "image/jpeg",
  jpeg: "image/jpeg",
  png: "image/png",
  gif: "image/gif",
  webp: "image/webp",
  mp4: "video/mp4",
  webm: "video/webm",
  oga: "audio/ogg",
  ogg: "audio/ogg",
  mp3: "audio/mpeg",
  m4a: "audio/mp4",
  pdf: "application/pdf",
  tgs: "application/x-tgsticker"
}

/** Gets the bytes of a file by its `file_id`. */
export const fetchFile =
  (config: TelegramConfig) =>
  async (ref: string, accountId: string, context: Outbound.CallContext): Promise<Outbound.FetchResult> => {
    const token = tokenOf(config, accountId)
    if (token === undefined) {
      const { code, message } = unknownAccount(accountId)
      return { outcome: "refused", code, message }
    }
    const found = await toBot(config, token, context).call(
      "getFile",
      { file_id: ref },
      (body) => FileAnswer.safeParse(body).data?.result,
      true
    )
    if (found.outcome !== "accepted") return PlatformCall.toFetchFailure(found)
    const { file_path: path, file_size: size = 0 } = found.value
    if (size > downloadLimitBytes)
      return { outcome: "refused", code: "tooLarge", message: `The file is larger than ${downloadLimitBytes} bytes.` }
    const segments = path.split("/")
    if (segments.includes(".."))
      return { outcome: "refused", code: "badPath", message: "The file's path leads outside." }
    const fetched = await PlatformCall.download(
      {
        url: `${config.apiUrl}/file/bot${token}/${segments.map(encodeURIComponent).join("/")}`,
        limitBytes: downloadLimitBytes,
        secrets: [token]
      },
      context
    )
    if (fetched.outcome !== "fetched") return fetched
    const name = segments.at(-1) ?? ref
    const ending = /\.(\w+)$/.exec(name)?.[1]?.toLowerCase() ?? ""
    return { ...fetched, name, mediaType: typeByEnding[ending] ?? fetched.mediaType }
  }
