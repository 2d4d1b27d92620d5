import { createHash } from "node:crypto"
import PostalMime, { type Address, type Attachment, addressParser, type Email } from "postal-mime"
import { fromText } from "../EmailAddress.ts"
import { sanitize, toText } from "./Html.ts"
import { fromHeader, fromMessageId } from "./MessageId.ts"
import type {
  MailAttachment,
  Mailbox,
  MailReport,
  ParsedMail,
  ReadLimits,
  ReadResult,
  ReportedRecipient
} from "./ParsedMail.ts"
import { withoutQuote } from "./Quote.ts"

const textLimit = 200_000
const htmlLimit = 1_000_000
/** HTML beyond this is kept as a file and not looked into. */
const htmlInputLimit = 2_000_000
/** One place is left for the text part. */
const attachmentLimit = 97

const keptHeaders = new Set([
  ...["auto-submitted", "precedence", "x-auto-response-suppress", "x-autoreply", "x-autorespond", "x-autoreply-from"],
  ...["x-mail-autoreply", "list-id", "list-unsubscribe", "list-post", "list-help", "return-path", "delivered-to"],
  ...["authentication-results", "x-failed-recipients", "x-switchboard", "content-type", "content-language"]
])

/** Lone surrogates and control characters break databases and JSON: they say nothing. */
export const clean = (text: string): string =>
  text
    .toWellFormed()
    .replace(/\r\n?/g, "\n")
    // biome-ignore lint/suspicious/noControlCharactersInRegex: control characters are what is removed.
    .replace(/[\u0000-\u0008\u000b\u000c\u000e-\u001f\u007f]/g, "")

const cleanLine = (text: string, limit: number): string =>
  clean(text).replace(/\s+/g, " ").trim().slice(0, limit).toWellFormed()

const toMailboxes = (addresses: ReadonlyArray<Address>): ReadonlyArray<Mailbox> => {
  const found: Array<Mailbox> = []
  for (const entry of addresses)
    for (const { name, address } of entry.group === undefined ? [entry] : entry.group) {
      if (found.length === 200) return found
      const normal = fromText(address)
      if (normal !== undefined) found.push({ name: cleanLine(name, 256), address: normal })
    }
  return found
}

const toDate = (text: string | undefined): number | undefined => {
  if (text === undefined) return undefined
  // Without a zone JavaScript would take the machine's own, and the same mail would have two times.
  const zoned = /(?:[+-]\d{4}|\b[A-Z]{1,4}|\))\s*$/.test(text) ? text : `${text} +0000`
  const atMs = Date.parse(zoned)
  return Number.isFinite(atMs) && atMs > 0 ? atMs : undefined
}

// Copied: the bytes are handed to another thread, and a view may share its buffer with others.
const toBytes = ({ content }: Attachment): Uint8Array<ArrayBuffer> =>
  typeof content === "string"
    ? new TextEncoder().encode(content)
    : content instanceof ArrayBuffer
      ? new Uint8Array(content)
      : Uint8Array.from(content)

const toName = (name: string | null): string | undefined => {
  const last =
    cleanLine(name ?? "", 1000)
      .split(/[/\\]/)
      .at(-1) ?? ""
  return last === "" || /^\.+$/.test(last) ? undefined : last.slice(-255).toWellFormed()
}

const toAttachment = (attachment: Attachment, html: string): MailAttachment => {
  const name = toName(attachment.filename) ?? (attachment.mimeType === "message/rfc822" ? "message.eml" : undefined)
  const contentId = cleanLine(attachment.contentId ?? "", 400).replace(/^<|>$/g, "")
  const mediaType = attachment.mimeType.toLowerCase()
  return {
    ...(name === undefined ? {} : { name }),
    mediaType: /^[a-z0-9!#$&^_.+-]{1,60}\/[a-z0-9!#$&^_.+-]{1,60}$/.test(mediaType)
      ? mediaType
      : "application/octet-stream",
    ...(contentId === "" ? {} : { contentId }),
    inline: contentId !== "" && html.includes(`cid:${contentId}`),
    bytes: toBytes(attachment)
  }
}

const toFields = (group: string): ReadonlyMap<string, string> => {
  const fields = new Map<string, string>()
  for (const line of group
    .replace(/\n[ \t]+/g, " ")
    .split("\n")
    .slice(0, 200)) {
    const colon = line.indexOf(":")
    if (colon > 0) fields.set(line.slice(0, colon).trim().toLowerCase(), line.slice(colon + 1).trim())
  }
  return fields
}

const toReportedRecipient = (fields: ReadonlyMap<string, string>): ReportedRecipient => {
  // "rfc822; ana@example.com" (RFC 3464, section 2.3.2)
  const recipient = fromText(
    (fields.get("original-recipient") ?? fields.get("final-recipient") ?? "").replace(/^[^;]*;/, "")
  )
  const action = fields.get("action")?.toLowerCase().split(/\s/)[0]
  const status = /\d\.\d{1,3}\.\d{1,3}/.exec(fields.get("status") ?? "")?.[0]
  const diagnostic = fields.get("diagnostic-code")?.replace(/^[^;]{1,20};\s*/, "")
  return {
    ...(recipient === undefined ? {} : { recipient }),
    ...(action === undefined ? {} : { action }),
    ...(status === undefined ? {} : { status }),
    ...(diagnostic === undefined ? {} : { diagnostic: cleanLine(diagnostic, 1000) })
  }
}

const reportTypes = ["delivery-status", "disposition-notification", "feedback-report"] as const
const statusTypes = new Set(["message/delivery-status", "message/global-delivery-status"])
const returnedTypes = new Set(["message/rfc822", "text/rfc822-headers", "message/global", "message/global-headers"])

const toReport = (contentType: string, email: Email): MailReport | undefined => {
  if (!/^\s*multipart\/report\b/i.test(contentType)) return undefined
  const named = /report-type\s*=\s*"?([a-z-]+)/i.exec(contentType)?.[1]?.toLowerCase()
  const status = email.attachments.find(({ mimeType }) => statusTypes.has(mimeType))
  const type = status === undefined ? (reportTypes.find((one) => one === named) ?? "other") : "delivery-status"
  const groups =
    status === undefined ? [] : clean(new TextDecoder().decode(toBytes(status).subarray(0, 100_000))).split(/\n\s*\n/)
  const recipients = groups
    .map(toFields)
    .filter((fields) => fields.has("final-recipient") || fields.has("action"))
    .slice(0, 50)
    .map(toReportedRecipient)
  return { type, recipients }
}

const idsIn = (text: string): ReadonlyArray<string> =>
  [...text.matchAll(/^[>\t ]{0,8}message-id:\s{0,4}(<[^<>\s]{1,400}>)/gim)]
    .slice(0, 20)
    .flatMap(([, id]) => fromHeader(id ?? ""))

const toReturnedIds = (email: Email, text: string): ReadonlyArray<string> => {
  const returned = email.attachments
    .filter(({ mimeType }) => returnedTypes.has(mimeType))
    .slice(0, 5)
    .flatMap((attachment) => {
      const head = new TextDecoder("latin1").decode(toBytes(attachment).subarray(0, 65_536)).replace(/\r\n?/g, "\n")
      return idsIn(head.split("\n\n", 1)[0] ?? "")
    })
  return [...returned, ...idsIn(text.slice(0, textLimit))]
}

const tooMuch = (error: unknown): { readonly code: string; readonly message: string } => {
  const reason = error instanceof Error ? error.message : String(error)
  if (/nesting depth/.test(reason))
    return {
      code: "mailTooDeep",
      message: `The mail has too many parts inside parts: ${reason}. Raise limits.depth if it is wanted.`
    }
  if (/header size/.test(reason))
    return {
      code: "mailHeadersTooLarge",
      message: `The mail's headers are too large: ${reason}. Raise limits.headerBytes if it is wanted.`
    }
  return { code: "mailUnreadable", message: `The mail can't be parsed: ${reason.slice(0, 300)}` }
}

/** Reads a mail. Runs in the parsing thread: the caller bounds its time and memory. */
export const read = async (bytes: Uint8Array, limits: ReadLimits): Promise<ReadResult> => {
  let email: Email
  try {
    email = await PostalMime.parse(bytes, {
      maxNestingDepth: limits.depth,
      maxHeadersSize: limits.headerBytes,
      // A mail inside a mail stays a file: its words are not the sender's.
      forceRfc822Attachments: true
    })
  } catch (error) {
    return { ok: false, error: tooMuch(error) }
  }
  if (email.attachments.length > attachmentLimit)
    return {
      ok: false,
      error: {
        code: "mailTooManyParts",
        message: `The mail has ${email.attachments.length} files; at most ${attachmentLimit} can be kept with a message.`
      }
    }
  return { ok: true, value: toParsedMail(email) }
}

const toParsedMail = (email: Email): ParsedMail => {
  const headers: Record<string, Array<string>> = {}
  for (const { key, value } of email.headers)
    if (keptHeaders.has(key)) {
      headers[key] ??= []
      if (headers[key].length < 50) headers[key].push(clean(value).slice(0, 8192))
    }
  const contentType = headers["content-type"]?.[0] ?? "text/plain"
  const fromHeaders = email.headers.filter(({ key }) => key === "from").map(({ value }) => value)
  const dateHeader = email.headers.find(({ key }) => key === "date")?.value
  const subject = cleanLine(email.subject ?? "", 998)
  const ids = [...fromHeader(email.references ?? ""), ...fromHeader(email.inReplyTo ?? "")]
  const references = [...new Set(ids.toReversed())].toReversed().slice(-200)

  const original = email.html ?? ""
  const isReadable = original.length <= htmlInputLimit
  const sanitised = isReadable && original !== "" ? clean(sanitize(original)) : ""
  const html = sanitised.trim() === "" || sanitised.length > htmlLimit ? undefined : sanitised
  const plain = clean(email.text ?? "")
  const full = (plain.trim() === "" && sanitised !== "" ? clean(toText(sanitised.slice(0, htmlLimit))) : plain).trim()
  // Histories grow long; an answer stands at their beginning.
  const beginning = full.slice(0, 2 * textLimit)
  const own = references.length === 0 ? beginning : withoutQuote(beginning, subject)
  const answer = own.length < beginning.length ? own : full

  const attachments = email.attachments.map((attachment) => toAttachment(attachment, html ?? ""))
  const encode = (name: string, mediaType: string, content: string): MailAttachment => ({
    name,
    mediaType,
    inline: false,
    bytes: new TextEncoder().encode(content)
  })
  // What does not fit into the message stays readable as a file.
  if (original.length > htmlInputLimit || sanitised.length > htmlLimit)
    attachments.push(encode("message.html", "text/html", original))
  if (answer.length > textLimit) attachments.push(encode("message.txt", "text/plain", full))

  const report = toReport(contentType, email)
  const messageId = fromMessageId(email.messageId ?? "")
  const dateMs = toDate(dateHeader)
  const from = toMailboxes(addressParser((fromHeaders[0] ?? "").slice(0, 20_000)))
  const digest = createHash("sha256")
    .update(
      JSON.stringify([
        messageId,
        from,
        dateHeader,
        full,
        original,
        attachments.map(({ name, bytes }) => [name, bytes.length])
      ])
    )
    .digest("hex")
    .slice(0, 32)
  return {
    headers,
    headerText: clean(
      email.headerLines
        .map(({ line }) => line)
        .join("\n")
        .slice(0, 16_384)
    ),
    from,
    fromHeaders: fromHeaders.length,
    sender: toMailboxes(email.sender === undefined ? [] : [email.sender]),
    replyTo: toMailboxes(email.replyTo ?? []),
    to: toMailboxes(email.to ?? []),
    cc: toMailboxes(email.cc ?? []),
    subject,
    ...(messageId === undefined ? {} : { messageId }),
    references,
    ...(dateMs === undefined ? {} : { dateMs }),
    text: answer.slice(0, textLimit).toWellFormed(),
    ...(html === undefined ? {} : { html }),
    attachments,
    encrypted: /^\s*(?:multipart\/encrypted|application\/(?:x-)?pkcs7-mime(?!.*signed-data))/i.test(contentType),
    ...(report === undefined ? {} : { report }),
    returnedIds: toReturnedIds(email, full),
    fullText: full.slice(0, 20_000).toWellFormed(),
    digest
  }
}
