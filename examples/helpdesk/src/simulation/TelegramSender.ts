/** Speaks to the desk as Telegram would: updates with the secret token. */
import { secrets } from "../../desk.config.ts"
import { type Answer, post } from "./Answer.ts"

export interface TelegramContact {
  readonly chatId: number
  readonly name: string
  readonly language: string
}

/** What the contact did. `id` is new for each update and the same at every attempt. */
export type TelegramEvent =
  | { readonly kind: "text"; readonly id: number; readonly text: string }
  | { readonly kind: "photo"; readonly id: number; readonly fileId: string; readonly caption: string }
  | {
      readonly kind: "button"
      readonly id: number
      readonly data: string
      readonly label: string
      readonly ofMessageId: number
    }

/** The body of an update. **Units** `atMs` in epoch milliseconds. */
export const toBody = ({ chatId, name, language }: TelegramContact, event: TelegramEvent, atMs: number): string => {
  const from = { id: chatId, is_bot: false, first_name: name, language_code: language }
  const chat = { id: chatId, type: "private", first_name: name }
  const date = Math.floor(atMs / 1000)
  switch (event.kind) {
    case "text":
      return JSON.stringify({
        update_id: event.id,
        message: { message_id: event.id, from, chat, date, text: event.text }
      })
    case "photo":
      return JSON.stringify({
        update_id: event.id,
        message: {
          message_id: event.id,
          from,
          chat,
          date,
          photo: [{ file_id: event.fileId, file_unique_id: event.fileId, width: 320, height: 200 }],
          caption: event.caption
        }
      })
    case "button":
      return JSON.stringify({
        update_id: event.id,
        callback_query: {
          id: String(event.id),
          from,
          message: {
            message_id: event.ofMessageId,
            chat,
            date,
            reply_markup: { inline_keyboard: [[{ text: event.label, callback_data: event.data }]] }
          },
          data: event.data
        }
      })
  }
}

export const send = (deskUrl: string, body: string): Promise<Answer> =>
  post(`${deskUrl}/channels/telegram/telegram-main`, {
    headers: { "content-type": "application/json", "x-telegram-bot-api-secret-token": secrets.telegramWebhook },
    body
  })
