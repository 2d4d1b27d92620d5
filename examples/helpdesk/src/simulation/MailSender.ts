/** Writes to the desk by SMTP, as the shop's own mail server would hand mail on: with its word on who the sender is. */
import { createTransport } from "nodemailer"
import MailComposer from "nodemailer/lib/mail-composer"
import type { Answer } from "./Answer.ts"

export interface Mail {
  readonly from: { readonly name: string; readonly address: string }
  readonly to: string
  readonly subject: string
  readonly text: string
  /** In angle brackets; the same at every attempt. */
  readonly messageId: string
  readonly language?: string
  readonly inReplyTo?: string
  readonly references?: ReadonlyArray<string>
  readonly picture?: Uint8Array
  /** Whether the mail server found the sender to be who they say they are; `true` without it. */
  readonly authenticated?: boolean
}

const domainOf = (address: string): string => address.slice(address.lastIndexOf("@") + 1)

/** A mail as it travels: the same bytes at every attempt. */
export interface Letter {
  readonly from: string
  readonly to: string
  readonly raw: Uint8Array
}

/** Writes a mail down. */
export const compose = async (
  { from, to, subject, text, messageId, language, inReplyTo, references, picture, authenticated = true }: Mail,
  atMs: number
): Promise<Letter> => ({
  from: from.address,
  to,
  raw: await new MailComposer({
    from,
    to,
    subject,
    text,
    messageId,
    date: new Date(atMs),
    ...(inReplyTo === undefined ? {} : { inReplyTo }),
    ...(references === undefined ? {} : { references: [...references] }),
    ...(picture === undefined
      ? {}
      : { attachments: [{ filename: "photo.png", contentType: "image/png", content: Buffer.from(picture) }] }),
    headers: {
      "Authentication-Results": `mx.shop.test; dmarc=${authenticated ? "pass" : "fail"} header.from=${domainOf(from.address)}`,
      ...(language === undefined ? {} : { "Content-Language": language })
    }
  })
    .compile()
    .build()
})

export interface MailSender {
  readonly send: (letter: Letter) => Promise<Answer>
  readonly close: () => void
}

export const makeMailSender = (host: string, port: number): MailSender => {
  const transport = createTransport({ host, port, secure: false, ignoreTLS: true, pool: true, maxConnections: 5 })
  return {
    send: async ({ from, to, raw }) => {
      try {
        await transport.sendMail({ envelope: { from, to }, raw: Buffer.from(raw) })
        return { outcome: "acknowledged" }
      } catch (error) {
        const reason = error instanceof Error ? error.message : String(error)
        const status = error instanceof Error && "responseCode" in error ? Number(error.responseCode) : 0
        return status >= 500 ? { outcome: "refused", reason } : { outcome: "again", reason, afterMs: 500 }
      }
    },
    close: () => transport.close()
  }
}
