/** Speaks to the desk as WhatsApp would: signed webhooks. */
import { createHmac } from "node:crypto"
import { secrets } from "../../desk.config.ts"
import { type Answer, post } from "./Answer.ts"

export interface WhatsAppContact {
  /** A phone number without its plus. */
  readonly phone: string
  readonly name: string
}

/** What the contact did. `id` is new for each message and the same at every attempt. */
export type WhatsAppEvent =
  | { readonly kind: "text"; readonly id: string; readonly text: string }
  | { readonly kind: "image"; readonly id: string; readonly mediaId: string; readonly caption: string }
  | {
      readonly kind: "button"
      readonly id: string
      readonly buttonId: string
      readonly label: string
      readonly of: string
    }

const toContent = (event: WhatsAppEvent): object => {
  switch (event.kind) {
    case "text":
      return { type: "text", text: { body: event.text } }
    case "image":
      return { type: "image", image: { id: event.mediaId, mime_type: "image/png", caption: event.caption } }
    case "button":
      return {
        type: "interactive",
        interactive: { type: "button_reply", button_reply: { id: event.buttonId, title: event.label } },
        context: { id: event.of }
      }
  }
}

/** The body of a webhook with one message. **Units** `atMs` in epoch milliseconds. */
export const toBody = ({ phone, name }: WhatsAppContact, event: WhatsAppEvent, atMs: number): string =>
  JSON.stringify({
    object: "whatsapp_business_account",
    entry: [
      {
        id: "simulation",
        changes: [
          {
            field: "messages",
            value: {
              messaging_product: "whatsapp",
              metadata: { display_phone_number: "34910000000", phone_number_id: "106540352242922" },
              contacts: [{ profile: { name }, wa_id: phone }],
              messages: [{ from: phone, id: event.id, timestamp: String(Math.floor(atMs / 1000)), ...toContent(event) }]
            }
          }
        ]
      }
    ]
  })

export const send = (deskUrl: string, body: string): Promise<Answer> =>
  post(`${deskUrl}/channels/whatsapp/`, {
    headers: {
      "content-type": "application/json",
      "x-hub-signature-256": `sha256=${createHmac("sha256", secrets.whatsappApp).update(body).digest("hex")}`
    },
    body
  })
