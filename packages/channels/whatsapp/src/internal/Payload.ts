/**
 * The parts of a webhook that are read.
 *
 * **Source** https://developers.facebook.com/documentation/business-messaging/whatsapp/webhooks/reference
 */
import * as z from "zod"
import { WebhookError } from "../WhatsAppError.ts"

const text = z.string()
const id = text.min(1)
/** Seconds since 1970, as digits. */
const timestamp = z.union([text.regex(/^\d{1,11}$/), z.number().int().min(0).max(99_999_999_999)])

export const Envelope = z.object({
  object: z.literal("whatsapp_business_account"),
  entry: z.array(z.unknown()).min(1)
})
export const BusinessAccount = z.object({ changes: z.array(z.unknown()).min(1) })
export const Change = z.object({
  field: id,
  value: z.looseObject({ metadata: z.object({ phone_number_id: id }) })
})

export const Profile = z.object({
  wa_id: text.optional(),
  user_id: text.optional(),
  parent_user_id: text.optional(),
  profile: z.object({ name: text.optional(), username: text.optional() }).optional()
})
export type Profile = z.infer<typeof Profile>

const Media = z.object({
  id,
  mime_type: text.max(200).optional(),
  caption: text.optional(),
  filename: text.optional()
})
export type Media = z.infer<typeof Media>

const Card = z.object({
  name: z.object({ formatted_name: text.optional(), first_name: text.optional() }).optional(),
  phones: z.array(z.object({ phone: text.optional(), wa_id: text.optional() })).optional(),
  emails: z.array(z.object({ email: text.optional() })).optional(),
  org: z.object({ company: text.optional() }).optional()
})
export type Card = z.infer<typeof Card>

const Reply = z.object({ id, title: text })

/** What a message of each type holds in the field of that name. */
const contents = {
  text: z.object({ body: text }),
  image: Media,
  video: Media,
  audio: Media,
  document: Media,
  sticker: Media,
  location: z.object({
    latitude: z.coerce.number(),
    longitude: z.coerce.number(),
    name: text.optional(),
    address: text.optional()
  }),
  contacts: z.array(Card).min(1),
  interactive: z.object({
    button_reply: Reply.optional(),
    list_reply: Reply.optional(),
    nfm_reply: z.object({ body: text.optional(), response_json: text }).optional(),
    call_permission_reply: z.object({ response: text }).optional()
  }),
  button: z.object({ text, payload: text.optional() }),
  order: z.object({
    catalog_id: text.optional(),
    text: text.optional(),
    product_items: z.array(
      z.object({
        product_retailer_id: text,
        quantity: z.coerce.number(),
        item_price: z.coerce.number().optional(),
        currency: text.optional()
      })
    )
  }),
  unsupported: z.object({ type: text.optional() }).optional(),
  reaction: z.object({ message_id: id, emoji: text.optional() }),
  edit: z.object({ original_message_id: id, message: z.unknown() }),
  revoke: z.object({ original_message_id: id }),
  system: z.object({
    type: text,
    wa_id: text.optional(),
    new_wa_id: z.union([text, z.number()]).optional(),
    user_id: text.optional(),
    parent_user_id: text.optional(),
    previous_user_id: text.optional(),
    previous_parent_user_id: text.optional()
  })
}
type Contents = { readonly [Type in keyof typeof contents]?: z.infer<(typeof contents)[Type]> }

const typed = { type: id, errors: z.array(WebhookError).optional() }
const Typed = z.object(typed)

/** A message's type with the content of that type; other fields are not looked at. */
export type Content = z.infer<typeof Typed> & Contents

const Head = z.object({
  ...typed,
  id,
  timestamp,
  from: text.optional(),
  from_user_id: text.optional(),
  from_parent_user_id: text.optional(),
  to: text.optional(),
  to_user_id: text.optional(),
  to_parent_user_id: text.optional(),
  group_id: text.optional(),
  context: z
    .object({
      id: text.optional(),
      referred_product: z.object({ catalog_id: text.optional(), product_retailer_id: text }).optional()
    })
    .optional(),
  referral: z
    .object({
      headline: text.optional(),
      body: text.optional(),
      source_url: text.optional(),
      source_type: text.optional()
    })
    .optional()
})
export type Message = z.infer<typeof Head> & Contents

type Parsed<A> = { readonly data: A } | { readonly error: z.ZodError }

const withContent = <A extends { readonly type: string }>(schema: z.ZodType<A>, raw: unknown): Parsed<A & Contents> => {
  const head = schema.safeParse(raw)
  if (!head.success) return head
  const { type } = head.data
  if (!Object.hasOwn(contents, type)) return head
  const content = contents[type as keyof typeof contents].safeParse((raw as Record<string, unknown>)[type])
  return content.success ? { data: { ...head.data, [type]: content.data } } : content
}

export const readContent = (raw: unknown): Parsed<Content> => withContent(Typed, raw)
export const readMessage = (raw: unknown): Parsed<Message> => withContent(Head, raw)

export const Status = z.object({
  id,
  status: id,
  timestamp,
  type: text.optional(),
  recipient_type: text.optional(),
  recipient_id: text.optional(),
  recipient_user_id: text.optional(),
  recipient_parent_user_id: text.optional(),
  errors: z.array(WebhookError).optional()
})
export type Status = z.infer<typeof Status>

export const Call = z.object({
  id,
  event: id,
  timestamp,
  direction: text.optional(),
  from: text.optional(),
  from_user_id: text.optional(),
  from_parent_user_id: text.optional(),
  to: text.optional(),
  to_user_id: text.optional(),
  to_parent_user_id: text.optional()
})
