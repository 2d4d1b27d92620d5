/**
 * How Telegram names people, chats and messages.
 *
 * @module
 */
import type { Inbound } from "@switchboard/channel"
import type { Address, Delivery } from "@switchboard/conversation"

/** The address kind: the value is a user id. A user name is a label: people change it, and others take it. */
export const addressKind = "telegram"

/** A user as Telegram describes one. */
export interface TelegramUser {
  readonly id: number
  readonly first_name: string
  readonly last_name?: string | undefined
  readonly username?: string | undefined
  readonly language_code?: string | undefined
}

/** A user as the sender of an entry. */
export const toSender = (user: TelegramUser, others: ReadonlyArray<Address.Address> = []): Inbound.Sender => {
  const name = [user.first_name, user.last_name].filter(Boolean).join(" ")
  return {
    addresses: [
      {
        kind: addressKind,
        value: String(user.id),
        state: "verified",
        ...(user.username === undefined ? {} : { label: `@${user.username}` })
      },
      ...others
    ],
    ...(name === "" ? {} : { name }),
    ...(user.language_code === undefined ? {} : { language: user.language_code })
  }
}

/** Whom an answer goes to. */
export const toRecipient = (id: number | string): Delivery.Recipient => ({ kind: addressKind, value: String(id) })

/** A message's name: its number is unique in its chat only, so that the chat is part of it. */
export const toPlatformId = (chatId: number | string, messageId: number): string => `${chatId}:${messageId}`

/** The chat and the number of a message's name; `undefined` when it is none of ours. */
export const fromPlatformId = (
  platformId: string
): { readonly chat_id: string; readonly message_id: number } | undefined => {
  const [, chat, message] = /^(-?\d+):(\d+)$/.exec(platformId) ?? []
  return chat === undefined ? undefined : { chat_id: chat, message_id: Number(message) }
}
