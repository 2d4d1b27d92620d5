/**
 * Telegram's updates as neutral entries.
 *
 * **Source** https://core.telegram.org/bots/api#update
 *
 * @module
 */
import { type Channel, Inbound } from "@switchboard/channel"
import { type Address, Id, type Message } from "@switchboard/conversation"
import * as z from "zod"
import { toPlatformId, toRecipient, toSender } from "./TelegramAddress.ts"
import { fromEntities } from "./TelegramFormat.ts"

/** The header in which `verify` tells `decode` whose webhook it was: the account's key. */
export const accountHeader = "x-telegram-account"

const User = z.object({
  id: z.number().int(),
  first_name: z.string().default(""),
  last_name: z.string().optional(),
  username: z.string().optional(),
  language_code: z.string().optional()
})
const Chat = z.object({ id: z.number().int(), type: z.string(), title: z.string().optional() })
const Entity = z.object({
  type: z.string(),
  offset: z.number().int().nonnegative(),
  length: z.number().int().nonnegative(),
  url: z.string().optional(),
  language: z.string().optional()
})
const StoredFile = z.object({
  file_id: z.string().min(1),
  file_size: z.number().int().nonnegative().optional(),
  file_name: z.string().optional(),
  mime_type: z.string().optional()
})
const Place = z.object({ latitude: z.number(), longitude: z.number() })
const Button = z.object({ text: z.string(), callback_data: z.string().optional() })

const TelegramMessage = z.object({
  message_id: z.number().int().nonnegative(),
  date: z.number().int(),
  edit_date: z.number().int().optional(),
  from: User.optional(),
  chat: Chat,
  reply_to_message: z.object({ message_id: z.number().int() }).optional(),
  reply_markup: z.object({ inline_keyboard: z.array(z.array(Button)).optional() }).optional(),
  text: z.string().optional(),
  entities: z.array(Entity).optional(),
  caption: z.string().optional(),
  caption_entities: z.array(Entity).optional(),
  photo: z
    .array(StoredFile.extend({ width: z.number(), height: z.number() }))
    .min(1)
    .optional(),
  animation: StoredFile.optional(),
  video: StoredFile.optional(),
  video_note: StoredFile.optional(),
  audio: StoredFile.extend({ title: z.string().optional() }).optional(),
  voice: StoredFile.optional(),
  document: StoredFile.optional(),
  sticker: StoredFile.extend({
    is_animated: z.boolean().optional(),
    is_video: z.boolean().optional(),
    emoji: z.string().optional()
  }).optional(),
  location: Place.optional(),
  venue: z.object({ location: Place, title: z.string(), address: z.string() }).optional(),
  contact: z
    .object({
      phone_number: z.string(),
      first_name: z.string(),
      last_name: z.string().optional(),
      user_id: z.number().int().optional()
    })
    .optional(),
  poll: z.object({ question: z.string() }).optional(),
  dice: z.object({ emoji: z.string(), value: z.number() }).optional(),
  migrate_to_chat_id: z.number().int().optional()
})
type TelegramMessage = z.infer<typeof TelegramMessage>

const ReactionType = z.object({ type: z.string(), emoji: z.string().optional() })

const Update = z.looseObject({ update_id: z.number().int().nonnegative() })
type Update = z.infer<typeof Update>

const CallbackQuery = z.object({
  id: z.string(),
  from: User,
  message: TelegramMessage.optional(),
  data: z.string().min(1).optional()
})
const ChatMemberUpdated = z.object({
  chat: Chat,
  from: User,
  date: z.number().int(),
  new_chat_member: z.object({ status: z.string() })
})
const MessageReactionUpdated = z.object({
  chat: Chat,
  message_id: z.number().int(),
  user: User.optional(),
  date: z.number().int(),
  old_reaction: z.array(ReactionType),
  new_reaction: z.array(ReactionType)
})

/** What every entry of an update begins with. */
interface Origin {
  readonly account: string
  readonly entryId: string
}

type Entries = ReadonlyArray<Inbound.Entry>

/** Something that is understood and yet has no entry; the caller makes it `unsupported` with the raw update. */
interface NotHandled {
  readonly reason: string
  readonly occurredAtMs?: number
}

// --- messages -------------------------------------------------------------------------------------------------------

type File = z.infer<typeof StoredFile>

const stickerType = (sticker: NonNullable<TelegramMessage["sticker"]>): string =>
  sticker.is_animated === true ? "application/x-tgsticker" : sticker.is_video === true ? "video/webm" : "image/webp"

/** The one file of a message, with its media type and name. */
const fileOf = (message: TelegramMessage): { file: File; mediaType: string; name?: string | undefined } | undefined => {
  const { photo, animation, video, video_note, audio, voice, document, sticker } = message
  if (photo !== undefined) {
    const largest = photo.reduce((a, b) => (b.width * b.height > a.width * a.height ? b : a))
    return { file: largest, mediaType: "image/jpeg" }
  }
  if (sticker !== undefined) return { file: sticker, mediaType: stickerType(sticker), name: sticker.emoji }
  // An animation comes with a document of the same content.
  for (const [file, fallback, name] of [
    [animation, "video/mp4"],
    [video, "video/mp4"],
    [video_note, "video/mp4"],
    [audio, "audio/mpeg", audio?.title],
    [voice, "audio/ogg"],
    [document, "application/octet-stream"]
  ] as const)
    if (file !== undefined) return { file, mediaType: file.mime_type ?? fallback, name: file.file_name ?? name }
  return undefined
}

const textPart = (text: string, entities: TelegramMessage["entities"]): Message.TextPart => ({
  kind: "text",
  ...fromEntities(text, entities ?? [])
})

/** What a message says beside its file. `undefined`: nothing that has a part. */
const partsOf = (message: TelegramMessage): ReadonlyArray<Message.MessagePart> | undefined => {
  const { text, entities, location, venue, contact, poll, dice } = message
  if (text !== undefined) return [textPart(text, entities)]
  // A venue comes with its location.
  if (venue !== undefined) return [{ kind: "location", ...venue.location, name: venue.title, address: venue.address }]
  if (location !== undefined) return [{ kind: "location", ...location }]
  if (contact !== undefined) {
    const name = [contact.first_name, contact.last_name].filter(Boolean).join(" ")
    return [{ kind: "contactCard", name, phones: [contact.phone_number], emails: [] }]
  }
  if (poll !== undefined) return [{ kind: "unsupported", description: `Poll: ${poll.question}` }]
  if (dice !== undefined) return [{ kind: "unsupported", description: `${dice.emoji} ${dice.value}` }]
  return undefined
}

const captionOf = ({ caption, caption_entities }: TelegramMessage): ReadonlyArray<Message.TextPart> =>
  caption === undefined || caption === "" ? [] : [textPart(caption, caption_entities)]

/** A shared card with the sender's own user id is likely their number: a claim, which anybody can make. */
const claimedPhone = (message: TelegramMessage): ReadonlyArray<Address.Address> => {
  const { contact, from } = message
  const digits = contact?.phone_number.replaceAll(/[^\d]/g, "") ?? ""
  return contact?.user_id === from?.id && contact !== undefined && /^[1-9]\d{6,14}$/.test(digits)
    ? [{ kind: "phone", value: `+${digits}`, state: "claimed" }]
    : []
}

const threadOf = (chatId: number): Inbound.InboundThread => ({
  key: String(chatId),
  audience: "private",
  replyTo: [toRecipient(chatId)]
})

const fromMessage = (message: TelegramMessage, origin: Origin): Entries | NotHandled => {
  const occurredAtMs = message.date * 1000
  const { chat, from, reply_to_message: answered, migrate_to_chat_id: migrated } = message
  if (migrated !== undefined)
    return [
      {
        kind: "identityChanged",
        ...origin,
        occurredAtMs,
        before: toRecipient(chat.id),
        after: { ...toRecipient(migrated), state: "verified" }
      }
    ]
  if (chat.type !== "private") return { reason: `Messages of a ${chat.type} are not handled.`, occurredAtMs }
  if (from === undefined) return { reason: "The message has no sender.", occurredAtMs }
  const found = fileOf(message)
  const parts = found === undefined ? partsOf(message) : undefined
  if (found === undefined && parts === undefined)
    return { reason: "The message has no content that is known here.", occurredAtMs }
  const base = {
    kind: "messageReceived" as const,
    ...origin,
    occurredAtMs,
    platformId: toPlatformId(chat.id, message.message_id),
    from: toSender(from, claimedPhone(message)),
    thread: threadOf(chat.id),
    ...(answered === undefined ? {} : { replyToPlatformId: toPlatformId(chat.id, answered.message_id) })
  }
  if (found === undefined) return [{ ...base, parts: [...(parts ?? [])], attachments: [] }]
  const id = Id.AttachmentId.parse(`telegram-${origin.account}-${origin.entryId}`)
  const [caption] = captionOf(message)
  const attachment = {
    id,
    mediaType: found.mediaType,
    content: { ref: found.file.file_id },
    ...(found.name === undefined ? {} : { name: found.name }),
    ...(found.file.file_size === undefined ? {} : { sizeBytes: found.file.file_size })
  }
  const place: Message.AttachmentPart = { kind: "attachment", attachmentId: id }
  return [
    {
      ...base,
      // A caption has no formatting: a formatted one stands as a text after its file.
      parts:
        caption === undefined
          ? [place]
          : caption.format === "plain"
            ? [{ ...place, caption: caption.text }]
            : [place, caption],
      attachments: [attachment]
    }
  ]
}

const fromEdited = (message: TelegramMessage, origin: Origin): Entries | NotHandled => {
  const occurredAtMs = (message.edit_date ?? message.date) * 1000
  const { chat, from } = message
  if (chat.type !== "private") return { reason: `Messages of a ${chat.type} are not handled.`, occurredAtMs }
  const parts = fileOf(message) === undefined ? partsOf(message) : captionOf(message)
  if (parts === undefined) return { reason: "The edited message has no content that is known here.", occurredAtMs }
  return [
    {
      kind: "messageEdited",
      ...origin,
      occurredAtMs,
      platformId: toPlatformId(chat.id, message.message_id),
      ...(from === undefined ? {} : { from: toSender(from) }),
      parts: [...parts]
    }
  ]
}

// --- everything else ------------------------------------------------------------------------------------------------

const fromCallback = (
  { from, message, data }: z.infer<typeof CallbackQuery>,
  origin: Origin,
  receivedAtMs: number
): Entries | NotHandled => {
  if (data === undefined) return { reason: "The button carries no data." }
  if (message !== undefined && message.chat.type !== "private")
    return { reason: `Buttons in a ${message.chat.type} are not handled.` }
  const buttons = message?.reply_markup?.inline_keyboard?.flat() ?? []
  const label = buttons.find(({ callback_data }) => callback_data === data)?.text ?? data
  return [
    {
      kind: "actionChosen",
      ...origin,
      // A pressed button has no time of its own.
      occurredAtMs: receivedAtMs,
      from: toSender(from),
      thread: threadOf(message?.chat.id ?? from.id),
      actionId: data,
      label: label.slice(0, 256).toWellFormed(),
      ...(message === undefined ? {} : { ofPlatformId: toPlatformId(message.chat.id, message.message_id) })
    }
  ]
}

const fromMembership = (
  { chat, from, date, new_chat_member: { status } }: z.infer<typeof ChatMemberUpdated>,
  origin: Origin
): Entries | NotHandled => {
  const occurredAtMs = date * 1000
  if (chat.type !== "private") return { reason: `Membership of a ${chat.type} is not handled.`, occurredAtMs }
  if (status !== "member" && status !== "kicked")
    return { reason: `The membership "${status}" is not known here.`, occurredAtMs }
  return [{ kind: "followChanged", ...origin, occurredAtMs, from: toSender(from), follows: status === "member" }]
}

const fromReaction = (
  { chat, message_id, user, date, old_reaction, new_reaction }: z.infer<typeof MessageReactionUpdated>,
  origin: Origin
): Entries | NotHandled => {
  const occurredAtMs = date * 1000
  if (user === undefined || chat.type !== "private")
    return { reason: "Reactions of nobody in particular, or in a group, are not handled.", occurredAtMs }
  const emojis = (list: ReadonlyArray<z.infer<typeof ReactionType>>) =>
    new Set(list.flatMap(({ type, emoji }) => (type === "emoji" && emoji !== undefined ? [emoji] : [])))
  const [before, after] = [emojis(old_reaction), emojis(new_reaction)]
  const toEntries = (kind: "reactionAdded" | "reactionRemoved", list: ReadonlyArray<string>): Entries =>
    list.map((emoji, index) => ({
      kind,
      ...origin,
      entryId: index === 0 ? origin.entryId : `${origin.entryId}/${index}`,
      occurredAtMs,
      platformId: toPlatformId(chat.id, message_id),
      from: toSender(user),
      emoji
    }))
  const entries = [
    ...toEntries(
      "reactionRemoved",
      [...before].filter((emoji) => !after.has(emoji))
    ),
    ...toEntries(
      "reactionAdded",
      [...after].filter((emoji) => !before.has(emoji))
    )
  ]
  return entries.length > 0 ? entries : { reason: "The reaction is no ordinary emoji.", occurredAtMs }
}

const reading =
  <A>(schema: z.ZodType<A>, read: (value: A, origin: Origin, receivedAtMs: number) => Entries | NotHandled) =>
  (raw: unknown, origin: Origin, receivedAtMs: number): Entries | NotHandled => {
    const parsed = schema.safeParse(raw)
    return parsed.success
      ? read(parsed.data, origin, receivedAtMs)
      : { reason: `It is not as documented: ${z.prettifyError(parsed.error)}` }
  }

const readers: Readonly<Record<string, ReturnType<typeof reading>>> = {
  message: reading(TelegramMessage, fromMessage),
  edited_message: reading(TelegramMessage, fromEdited),
  callback_query: reading(CallbackQuery, fromCallback),
  my_chat_member: reading(ChatMemberUpdated, fromMembership),
  message_reaction: reading(MessageReactionUpdated, fromReaction)
}

const isNotHandled = (found: Entries | NotHandled): found is NotHandled => "reason" in found

const toEntries = (update: Update, account: string, receivedAtMs: number): Entries => {
  const origin: Origin = { account, entryId: String(update.update_id) }
  const kinds = Object.keys(update).filter((name) => name !== "update_id")
  const kind = kinds.find((name) => Object.hasOwn(readers, name))
  const found =
    kind === undefined
      ? { reason: `Updates of the kind ${kinds.join(", ") || "nothing"} are not handled.` }
      : readers[kind]!(update[kind], origin, receivedAtMs)
  if (!isNotHandled(found)) return found.map((entry) => Inbound.orUnsupported(entry, update))
  return [
    {
      kind: "unsupported",
      ...origin,
      occurredAtMs: found.occurredAtMs ?? receivedAtMs,
      reason: found.reason.slice(0, 2000),
      raw: update
    }
  ]
}

const failed = (code: string, message: string): Channel.Decoded => ({ ok: false, error: { code, message } })

/** Every entry of a webhook's update. */
export const decode = ({ bytes, headers, receivedAtMs }: Channel.Verified): Channel.Decoded => {
  const account = headers[accountHeader]
  if (account === undefined) return failed("noAccount", `The header ${accountHeader} is missing: verify sets it.`)
  let raw: unknown
  try {
    raw = JSON.parse(new TextDecoder().decode(bytes))
  } catch {
    return failed("notJson", "The body is no JSON.")
  }
  const update = Update.safeParse(raw)
  return update.success
    ? { ok: true, value: toEntries(update.data, account, receivedAtMs) }
    : failed("notAnUpdate", z.prettifyError(update.error))
}
