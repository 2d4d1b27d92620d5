/** What a message says, as parts and attachments. */
import type { Inbound } from "@switchboard/channel"
import { Id, type Message } from "@switchboard/conversation"
import { fromPhone } from "../WhatsAppAddress.ts"
import type { Card, Content, Media, Message as WhatsAppMessage } from "./Payload.ts"

/** **Shape** `parts` in their order; the files that `attachment` parts name. */
export interface Said {
  readonly parts: ReadonlyArray<Message.MessagePart>
  readonly attachments: ReadonlyArray<Inbound.InboundAttachment>
}

const say = (...parts: ReadonlyArray<Message.MessagePart | undefined>): Said => ({
  parts: parts.filter((part) => part !== undefined),
  attachments: []
})

const cut = (text: string, limit: number): string => text.slice(0, limit).toWellFormed()
const plain = (text: string): Message.TextPart => ({ kind: "text", text, format: "plain" })
const words = (text: string | undefined): Message.TextPart | undefined =>
  text === undefined || text === "" ? undefined : plain(text)
const note = (description: string): Message.UnsupportedPart => ({
  kind: "unsupported",
  description: cut(description, 1000)
})

const fromMedia = (media: Media | undefined): Said | undefined => {
  if (media === undefined) return undefined
  const id = Id.AttachmentId.safeParse(media.id)
  if (!id.success) return undefined
  const { caption = "", filename = "", mime_type = "" } = media
  const mediaType = cut(mime_type.split(";")[0]?.trim() ?? "", 128) || "application/octet-stream"
  const isCaption = caption !== "" && caption.length <= 4096
  return {
    parts: [
      // WhatsApp's captions are shorter; should one not be, nothing of it is lost.
      ...(caption === "" || isCaption ? [] : [plain(caption)]),
      { kind: "attachment", attachmentId: id.data, ...(isCaption ? { caption } : {}) }
    ],
    attachments: [
      {
        id: id.data,
        mediaType,
        ...(filename === "" ? {} : { name: cut(filename, 512) }),
        content: { ref: media.id }
      }
    ]
  }
}

const fromCard = ({ name, phones = [], emails = [], org }: Card): Message.ContactCardPart => ({
  kind: "contactCard",
  name: cut(name?.formatted_name ?? name?.first_name ?? org?.company ?? "", 512),
  phones: phones
    .slice(0, 20)
    .flatMap(({ phone, wa_id }) =>
      wa_id === undefined ? (phone === undefined ? [] : [cut(phone, 64)]) : [fromPhone(`+${wa_id}`) ?? cut(wa_id, 64)]
    ),
  emails: emails.slice(0, 20).flatMap(({ email }) => (email === undefined ? [] : [cut(email, 320)]))
})

const fromOrder = ({ catalog_id, product_items, text }: NonNullable<Content["order"]>): Said => {
  const lines = product_items.map(({ product_retailer_id, quantity, item_price, currency }) =>
    [`${quantity} × ${product_retailer_id}`, item_price === undefined ? "" : `${item_price} ${currency ?? ""}`.trim()]
      .filter((part) => part !== "")
      .join(", ")
  )
  const catalog = catalog_id === undefined ? "Order" : `Order from catalog ${catalog_id}`
  return say(words(text), plain([`${catalog}:`, ...lines].join("\n")))
}

/** The fields of a form, one a line; its token is for the form's own server. */
const fromForm = ({ body = "", response_json }: { body?: string | undefined; response_json: string }): string => {
  let fields: unknown
  try {
    fields = JSON.parse(response_json)
  } catch {
    return response_json
  }
  if (typeof fields !== "object" || fields === null) return response_json
  const lines = Object.entries(fields)
    .filter(([name]) => name !== "flow_token")
    .map(([name, value]) => `${name}: ${typeof value === "string" ? value : JSON.stringify(value)}`)
  return lines.length === 0 ? body || response_json : lines.join("\n")
}

const fromInteractive = ({
  nfm_reply,
  call_permission_reply
}: NonNullable<Content["interactive"]>): Said | undefined => {
  if (nfm_reply !== undefined) return say(plain(fromForm(nfm_reply)))
  if (call_permission_reply === undefined) return undefined
  return say(note(call_permission_reply.response === "accept" ? "Allows calls" : "Does not allow calls"))
}

/** What cannot be read by any program but the app itself, with the platform's reason. */
const fromUnsupported = ({ errors = [], unsupported }: Content): Said => {
  const [error] = errors
  const reason = error?.error_data?.details ?? error?.message ?? error?.title
  return say(note(["A message that WhatsApp does not pass on", unsupported?.type, reason].filter(Boolean).join(": ")))
}

/** What a message says; `undefined` when its type is unknown or its content is not there. */
export const toSaid = (content: Content): Said | undefined => {
  switch (content.type) {
    case "text":
      return content.text && say(plain(content.text.body))
    case "image":
    case "video":
    case "audio":
    case "document":
    case "sticker":
      return fromMedia(content[content.type])
    case "location": {
      if (content.location === undefined) return undefined
      const { latitude, longitude, name, address } = content.location
      return say({
        kind: "location",
        latitude,
        longitude,
        ...(name === undefined ? {} : { name: cut(name, 512) }),
        ...(address === undefined ? {} : { address: cut(address, 1024) })
      })
    }
    case "contacts":
      return content.contacts && say(...content.contacts.map(fromCard))
    case "order":
      return content.order && fromOrder(content.order)
    case "interactive":
      return content.interactive && fromInteractive(content.interactive)
    case "button":
      return content.button && say(plain(content.button.text))
    case "request_welcome":
      return say(note("Opened the chat and waits for a welcome"))
    case "unsupported":
    case "unknown":
      return fromUnsupported(content)
    default:
      return undefined
  }
}

/** Where a message came from: the advertisement or the product it answers. */
export const toOrigin = ({ context, referral }: WhatsAppMessage): ReadonlyArray<Message.MessagePart> => {
  const product = context?.referred_product
  const advert = referral && [referral.headline, referral.body, referral.source_url].filter(Boolean).join(" — ")
  return [
    ...(referral === undefined ? [] : [note(`From an ${referral.source_type ?? "ad"}: ${advert}`)]),
    ...(product === undefined
      ? []
      : [
          note(
            [
              "About the product",
              product.product_retailer_id,
              product.catalog_id && `of the catalog ${product.catalog_id}`
            ]
              .filter(Boolean)
              .join(" ")
          )
        ])
  ]
}
