/**
 * Sending through the Cloud API.
 *
 * **Source** https://developers.facebook.com/documentation/business-messaging/whatsapp/messages/send-messages
 *
 * @module
 */
import { type Outbound, PlatformCall, type Rendering } from "@switchboard/channel"
import type { Attachment } from "@switchboard/conversation"
import * as z from "zod"
import { toDestination } from "./WhatsAppAddress.ts"
import type { WhatsAppConfig } from "./WhatsAppConfig.ts"
import { explain } from "./WhatsAppError.ts"
import { toWhatsApp } from "./WhatsAppFormat.ts"
import { authorization, limitsByKind, toMediaKind, upload } from "./WhatsAppMedia.ts"

const textLimit = 4096
const buttonLimit = 3
const buttonBodyLimit = 1024

const Sent = z.object({ messages: z.array(z.object({ id: z.string().min(1) })).min(1) })
const Done = z.object({ success: z.literal(true) })

type Body = Readonly<Record<string, unknown>>
type Refusal = Extract<PlatformCall.CallFailure, { readonly outcome: "refused" }>

const refuse = (code: string, message: string): Refusal => ({ outcome: "refused", code, message })

const post = <A>(
  config: WhatsAppConfig,
  phoneNumberId: string,
  body: Body,
  reading: Pick<PlatformCall.CallReading<A>, "read" | "idempotent">,
  context: Outbound.CallContext
): Promise<PlatformCall.CallResult<A>> =>
  PlatformCall.call(
    {
      url: `${config.apiUrl}/${phoneNumberId}/messages`,
      headers: authorization(config),
      body: { messaging_product: "whatsapp", ...body }
    },
    { ...reading, explain },
    context
  )

const toText = ({ body, format }: NonNullable<Rendering.RenderedMessage["text"]>): string => {
  if (format === "plain") return body
  const written = toWhatsApp(body)
  // In rare texts blank lines make it longer: better with Markdown's signs than not at all.
  return written.length <= textLimit && written !== "" ? written : body
}

const toInteractive = (
  text: string,
  choices: NonNullable<Rendering.RenderedMessage["choices"]>,
  listButton: string
): Body => {
  const asButtons =
    choices.length <= buttonLimit &&
    text.length <= buttonBodyLimit &&
    new Set(choices.map(({ label }) => label)).size === choices.length
  return {
    type: asButtons ? "button" : "list",
    body: { text },
    action: asButtons
      ? { buttons: choices.map(({ id, label }) => ({ type: "reply", reply: { id, title: label } })) }
      : { button: listButton, sections: [{ rows: choices.map(({ id, label }) => ({ id, title: label })) }] }
  }
}

/** What a message is, in the platform's terms, except files: `undefined` when there is nothing to say. */
const toContent = (message: Rendering.RenderedMessage, config: WhatsAppConfig): Body | undefined => {
  const { text, choices, template, location, contactCard } = message
  if (template !== undefined)
    return {
      type: "template",
      template: {
        name: template.name,
        language: { code: template.language.replaceAll("-", "_") },
        ...(template.parameters.length === 0
          ? {}
          : {
              components: [
                {
                  type: "body",
                  parameters: template.parameters.map((parameter) => ({ type: "text", text: parameter }))
                }
              ]
            })
      }
    }
  if (location !== undefined) return { type: "location", location }
  if (contactCard !== undefined)
    return {
      type: "contacts",
      contacts: [
        {
          // A name needs one more field than the formatted one.
          name: { formatted_name: contactCard.name, first_name: contactCard.name },
          ...(contactCard.phones.length === 0 ? {} : { phones: contactCard.phones.map((phone) => ({ phone })) }),
          ...(contactCard.emails.length === 0 ? {} : { emails: contactCard.emails.map((email) => ({ email })) })
        }
      ]
    }
  if (text === undefined) return undefined
  const written = toText(text)
  return choices === undefined
    ? { type: "text", text: { body: written, preview_url: /https?:\/\//i.test(written) } }
    : { type: "interactive", interactive: toInteractive(written, choices, config.listButton) }
}

/** The first file that is too large to be sent, so that nothing is sent of a message that can't be whole. */
const tooLarge = (messages: ReadonlyArray<Rendering.RenderedMessage>): Refusal | undefined => {
  for (const { attachment } of messages.flatMap(({ attachments }) => attachments)) {
    const kind = toMediaKind(attachment.mediaType)
    if ((attachment.sizeBytes ?? 0) > limitsByKind[kind])
      return refuse(
        "mediaTooLarge",
        `WhatsApp takes ${kind} files of at most ${limitsByKind[kind]} bytes; ${attachment.name ?? attachment.id} has ${attachment.sizeBytes}: send a smaller one, or a link to it.`
      )
  }
  return undefined
}

const toMedia = (attachment: Attachment.Attachment, mediaId: string, caption: string | undefined): Body => {
  const kind = toMediaKind(attachment.mediaType)
  return {
    type: kind,
    [kind]: {
      id: mediaId,
      ...(caption === undefined || kind === "audio" ? {} : { caption }),
      ...(kind === "document" ? { filename: attachment.name ?? attachment.id } : {})
    }
  }
}

/**
 * Sends a message in its parts; the delivery's id comes back in its receipts as `biz_opaque_callback_data`.
 *
 * **Fails with** refused `unknownRecipient`, `mediaTooLarge`, `nothingToSend` or the platform's own code, such as
 * `131047` when the contact last wrote more than 24 hours ago.
 */
export const message =
  (config: WhatsAppConfig) =>
  async (outbound: Outbound.OutboundMessage, context: Outbound.CallContext): Promise<Outbound.SendResult> => {
    const { account, recipient, deliveryId, replyToPlatformId } = outbound
    const destination = toDestination(recipient)
    if (destination === undefined) return unknownRecipient(recipient.kind)
    const refusal = tooLarge(outbound.messages)
    if (refusal !== undefined) return refusal
    return PlatformCall.sendEach(outbound, async (one, index) => {
      let content = toContent(one, config)
      const [file] = one.attachments
      if (content === undefined && file !== undefined) {
        const uploaded = await upload(config, account.key, file.attachment, context)
        if (uploaded.outcome !== "accepted") return uploaded
        content = toMedia(file.attachment, uploaded.value, file.caption)
      }
      if (content === undefined) return refuse("nothingToSend", "The message has nothing that can be sent here.")
      return post(
        config,
        account.key,
        {
          recipient_type: "individual",
          ...destination,
          ...content,
          biz_opaque_callback_data: deliveryId,
          ...(replyToPlatformId === undefined || index > 0 ? {} : { context: { message_id: replyToPlatformId } })
        },
        { read: (answer) => Sent.safeParse(answer).data?.messages[0]?.id },
        context
      )
    })
  }

const unknownRecipient = (kind: string): Refusal =>
  refuse(
    "unknownRecipient",
    `WhatsApp sends to phone numbers (+34…) and business-scoped user ids, not to this ${kind}.`
  )

/** Sets our reaction to a message of the contact, or takes it back. */
export const reaction =
  (config: WhatsAppConfig) =>
  async (
    { account, recipient, platformId, emoji }: Outbound.OutboundReaction,
    context: Outbound.CallContext
  ): Promise<Outbound.SendResult> => {
    const destination = toDestination(recipient)
    if (destination === undefined) return unknownRecipient(recipient.kind)
    const body = { ...destination, type: "reaction", reaction: { message_id: platformId, emoji: emoji ?? "" } }
    const reading = { read: (answer: unknown) => Sent.safeParse(answer).data, idempotent: true }
    return PlatformCall.toSendResult(await post(config, account.key, body, reading, context))
  }

const markRead = async (
  config: WhatsAppConfig,
  phoneNumberId: string,
  platformId: string,
  others: Body,
  context: Outbound.CallContext
): Promise<Outbound.SendResult> => {
  const reading = { read: (answer: unknown) => Done.safeParse(answer).data, idempotent: true }
  const body = { status: "read", message_id: platformId, ...others }
  return PlatformCall.toSendResult(await post(config, phoneNumberId, body, reading, context))
}

/** Shows the contact that the message, and all before it, were read. */
export const read =
  (config: WhatsAppConfig) =>
  ({ account, platformId }: Outbound.OutboundRead, context: Outbound.CallContext): Promise<Outbound.SendResult> =>
    markRead(config, account.key, platformId, {}, context)

/**
 * Shows that somebody is typing, for 25 seconds or until the next message. WhatsApp ties it to the contact's last
 * message, which it marks as read too.
 */
export const typing =
  (config: WhatsAppConfig) =>
  async (
    { account, platformId }: Outbound.OutboundTyping,
    context: Outbound.CallContext
  ): Promise<Outbound.SendResult> =>
    platformId === undefined
      ? refuse("noMessage", "WhatsApp shows typing only in answer to a message of the contact.")
      : markRead(config, account.key, platformId, { typing_indicator: { type: "text" } }, context)
