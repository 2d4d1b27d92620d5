/**
 * Stands in for WhatsApp and Telegram while no credentials are set: takes what the desk sends, and reports deliveries as
 * the platforms would, so that a newcomer sees the whole journey.
 */
import { createHmac } from "node:crypto"
import { Hono } from "hono"
import { toPicture } from "./picture.ts"
import type { SentLog, SentMessage } from "./sent.ts"

export interface SandboxOptions {
  readonly appSecret: string
  readonly phoneNumberId: string
  /** Where webhooks go. */
  readonly deskUrl: string
  readonly log: SentLog
}

export interface Sandbox {
  readonly app: Hono
  readonly stop: () => void
}

/** As much of what the desk sends as people see. */
interface WhatsAppBody {
  readonly to?: string
  readonly recipient?: string
  readonly status?: string
  readonly type?: string
  readonly text?: { readonly body?: string }
  readonly interactive?: {
    readonly body?: { readonly text?: string }
    readonly action?: {
      readonly buttons?: ReadonlyArray<{ readonly reply: { readonly id: string; readonly title: string } }>
      readonly sections?: ReadonlyArray<{
        readonly rows: ReadonlyArray<{ readonly id: string; readonly title: string }>
      }>
    }
  }
}

interface TelegramBody {
  readonly chat_id?: string | number
  readonly text?: string
  readonly caption?: string
  readonly file_id?: string
  readonly reply_markup?: {
    readonly inline_keyboard?: ReadonlyArray<ReadonlyArray<{ readonly text: string; readonly callback_data?: string }>>
  }
}

const toWhatsAppButtons = ({ interactive }: WhatsAppBody): SentMessage["buttons"] =>
  [
    ...(interactive?.action?.buttons ?? []).map(({ reply }) => reply),
    ...(interactive?.action?.sections ?? []).flatMap(({ rows }) => rows)
  ].map(({ id, title }) => ({ id, label: title }))

const toTelegramButtons = ({ reply_markup }: TelegramBody): SentMessage["buttons"] =>
  (reply_markup?.inline_keyboard ?? [])
    .flat()
    .map(({ text, callback_data = text }) => ({ id: callback_data, label: text }))

export const makeSandbox = ({ appSecret, phoneNumberId, deskUrl, log }: SandboxOptions): Sandbox => {
  const timers = new Set<NodeJS.Timeout>()
  const app = new Hono()
  // Ids must stay new after a restart, as a platform's do.
  let last = Date.now()

  const later = (ms: number, run: () => Promise<unknown>) => {
    const timer = setTimeout(() => {
      timers.delete(timer)
      run().catch(() => {})
    }, ms)
    timers.add(timer)
  }

  const postStatus = (id: string, to: string, status: string) => {
    const body = JSON.stringify({
      object: "whatsapp_business_account",
      entry: [
        {
          id: "sandbox",
          changes: [
            {
              field: "messages",
              value: {
                messaging_product: "whatsapp",
                metadata: { display_phone_number: "34910000000", phone_number_id: phoneNumberId },
                statuses: [{ id, status, timestamp: String(Math.floor(Date.now() / 1000)), recipient_id: to }]
              }
            }
          ]
        }
      ]
    })
    const signature = `sha256=${createHmac("sha256", appSecret).update(body).digest("hex")}`
    return fetch(`${deskUrl}/channels/whatsapp/`, {
      method: "POST",
      headers: { "content-type": "application/json", "x-hub-signature-256": signature },
      body
    })
  }

  app.get("/sent", (context) => {
    const after = Number(context.req.query("after") ?? 0)
    return context.json(log.after(Number.isSafeInteger(after) ? after : 0))
  })

  app.post("/whatsapp/:phone/messages", async (context) => {
    const body = await context.req.json<WhatsAppBody>()
    if (body.status === "read") return context.json({ success: true })
    const id = `wamid.sandbox.${++last}`
    const to = body.to ?? body.recipient ?? ""
    const text = body.text?.body ?? body.interactive?.body?.text ?? body.type ?? ""
    log.add({ platform: "whatsapp", to, text, id, buttons: toWhatsAppButtons(body), raw: body })
    later(300, () => postStatus(id, to, "delivered"))
    later(1500, () => postStatus(id, to, "read"))
    return context.json({
      messaging_product: "whatsapp",
      contacts: [{ input: to, wa_id: to }],
      messages: [{ id }]
    })
  })
  app.post("/whatsapp/:phone/media", (context) => context.json({ id: String(++last) }))
  app.get("/whatsapp/files/:id", (context) =>
    context.body(toPicture(context.req.param("id")), 200, { "content-type": "image/png" })
  )
  app.get("/whatsapp/:media", (context) => {
    const id = context.req.param("media")
    return context.json({ id, url: `${deskUrl}/sandbox/whatsapp/files/${id}`, mime_type: "image/png" })
  })

  app.get("/telegram/file/:bot/photos/:name", (context) =>
    context.body(toPicture(context.req.param("name")), 200, { "content-type": "application/octet-stream" })
  )
  app.post("/telegram/:bot/:method", async (context) => {
    const method = context.req.param("method")
    const isJson = context.req.header("content-type")?.includes("json") === true
    const body = (isJson ? await context.req.json() : await context.req.parseBody()) as TelegramBody
    if (method === "getFile") {
      return context.json({ ok: true, result: { file_id: body.file_id, file_path: `photos/${body.file_id}.png` } })
    }
    if (!/^(send(?!ChatAction)|editMessage)/.test(method)) return context.json({ ok: true, result: true })
    const chat = String(body.chat_id ?? "")
    const id = ++last
    const text = body.text ?? body.caption ?? method
    log.add({ platform: "telegram", to: chat, text, id: String(id), buttons: toTelegramButtons(body), raw: body })
    return context.json({
      ok: true,
      result: {
        message_id: id,
        date: Math.floor(Date.now() / 1000),
        chat: { id: Number(chat), type: "private" },
        text
      }
    })
  })

  return {
    app,
    stop: () => {
      for (const timer of timers) clearTimeout(timer)
      timers.clear()
    }
  }
}
