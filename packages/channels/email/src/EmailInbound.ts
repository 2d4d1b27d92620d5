/**
 * From a raw mail to neutral entries.
 *
 * @module
 */
import { createHash, timingSafeEqual } from "node:crypto"
import type { Channel, Inbound } from "@switchboard/channel"
import { type Address, type Delivery, Id, type Message } from "@switchboard/conversation"
import { fromText, toSubaddress } from "./EmailAddress.ts"
import type { EmailAccount, ResolvedEmailConfig } from "./EmailConfig.ts"
import type { EmailParser } from "./EmailParser.ts"
import { fromAddress } from "./EmailThreadToken.ts"
import { isAuthenticated } from "./internal/Authentication.ts"
import { isAutomatic, isFromSystem } from "./internal/Automatic.ts"
import { isOwn } from "./internal/MessageId.ts"
import type { Mailbox, ParsedMail, ReportedRecipient } from "./internal/ParsedMail.ts"

/** The envelope of a mail, as it travels in `Verified.headers`: the sender (`<>` when there is none) and the recipients, by comma. */
export const envelopeHeaders = { from: "x-envelope-from", to: "x-envelope-to" } as const

const recipientLimit = 100
/** Answers go to few: a mail that names fifty would make us its loudspeaker. */
const replyToLimit = 5

/** The account that a recipient address, or a `+token` sub-address, belongs to. */
export const toAccount = (accounts: ReadonlyArray<EmailAccount>, recipient: string): EmailAccount | undefined =>
  accounts
    .filter(({ address }) => toSubaddress(recipient, address) !== undefined)
    .reduce<EmailAccount | undefined>(
      (best, one) => (best && best.address.length >= one.address.length ? best : one),
      undefined
    )

const toRecipients = (header: string): ReadonlyArray<string> =>
  header.split(",", recipientLimit + 1).flatMap((text) => fromText(text) ?? [])

const refused = (status: number, reason: string): Channel.Verification => ({ kind: "refused", status, reason })

const digestOf = (text: string): Buffer => createHash("sha256").update(text).digest()

/**
 * Takes raw mail by HTTP: `POST …/raw` with the mail as the body, `authorization: Bearer <inboundSecret>`,
 * `x-envelope-from` and `x-envelope-to`.
 *
 * **Fails with** `refused`: 404 for another path or when no recipient is an account's, 405, 401, 413, 400 without envelope.
 */
export const verifyWith =
  ({ accounts, inboundSecret, limits }: ResolvedEmailConfig) =>
  (request: Channel.ChannelRequest): Channel.Verification => {
    if (inboundSecret === undefined)
      return refused(404, "Raw mail is not taken here: set inboundSecret or EMAIL_INBOUND_SECRET.")
    if (!/\/raw\/?$/.test(request.url.pathname)) return refused(404, "Raw mail is posted to …/raw.")
    if (request.method.toUpperCase() !== "POST") return refused(405, "Raw mail is posted: use POST.")
    const [, given = ""] = /^bearer (.+)$/i.exec(request.headers.authorization ?? "") ?? []
    if (!timingSafeEqual(digestOf(given), digestOf(inboundSecret)))
      return refused(401, "The authorization header must be: Bearer <inboundSecret>.")
    if (request.body.length > limits.messageBytes) return refused(413, `A mail may have ${limits.messageBytes} bytes.`)
    if (request.body.length === 0) return refused(400, "The body is empty: post the raw mail.")
    const from = request.headers[envelopeHeaders.from]
    const to = request.headers[envelopeHeaders.to]
    if (from === undefined || to === undefined)
      return refused(400, "Give the envelope: x-envelope-from (<> when there is none) and x-envelope-to (by comma).")
    if (!toRecipients(to).some((recipient) => toAccount(accounts, recipient) !== undefined))
      return refused(404, "No recipient in x-envelope-to is an account of this desk.")
    const headers = { [envelopeHeaders.from]: from, [envelopeHeaders.to]: to }
    return { kind: "verified", input: { bytes: request.body, headers, receivedAtMs: request.receivedAtMs } }
  }

interface Envelope {
  readonly isNullSender: boolean
  readonly recipients: ReadonlyArray<string>
}

const toEnvelope = (input: Channel.Verified, mail: ParsedMail): Envelope => {
  const from = input.headers[envelopeHeaders.from] ?? mail.headers["return-path"]?.[0]
  return {
    isNullSender: from !== undefined && /^\s*(?:<\s*>)?\s*$/.test(from),
    recipients: toRecipients(input.headers[envelopeHeaders.to] ?? "")
  }
}

const toRecipient = ({ address }: { readonly address: string }): Delivery.Recipient => ({
  kind: "email",
  value: address
})

const unique = <A extends { readonly value: string }>(recipients: ReadonlyArray<A>): ReadonlyArray<A> => {
  const seen = new Set<string>()
  return recipients.filter(({ value }) => !seen.has(value) && seen.add(value))
}

const toSender = (mailbox: Mailbox, state: Address.AddressState, language: string | undefined): Inbound.Sender => ({
  addresses: [{ kind: "email", value: mailbox.address, state }],
  ...(mailbox.name === "" ? {} : { name: mailbox.name }),
  ...(language === undefined ? {} : { language })
})

/** A digest of its own beside the id: programs exist that give every mail the same Message-ID, and nothing may be lost. */
const toEntryId = (mail: ParsedMail): string => `${mail.messageId ?? "<none>"}#${mail.digest}`

const toPlatformId = (mail: ParsedMail): string => mail.messageId ?? `<${mail.digest}@without-id.invalid>`

const toAttachments = (mail: ParsedMail, account: EmailAccount): ReadonlyArray<Inbound.InboundAttachment> =>
  mail.attachments.map(({ name, mediaType, contentId, bytes }, index) => {
    const hash = createHash("sha256")
      .update(JSON.stringify([account.id, toEntryId(mail), index]))
      .digest("hex")
    return {
      id: Id.AttachmentId.parse(`email-${hash.slice(0, 32)}`),
      ...(name === undefined ? {} : { name }),
      mediaType,
      sizeBytes: bytes.length,
      ...(contentId === undefined ? {} : { contentId }),
      content: { bytes }
    }
  })

const toParts = (
  mail: ParsedMail,
  attachments: ReadonlyArray<Inbound.InboundAttachment>
): Array<Message.MessagePart> => {
  const files: Array<Message.MessagePart> = attachments
    .filter((_, index) => mail.attachments[index]?.inline !== true)
    .map(({ id }) => ({ kind: "attachment", attachmentId: id }))
  if (mail.html !== undefined) return [{ kind: "html", html: mail.html, text: mail.text }, ...files]
  if (mail.text !== "") return [{ kind: "text", text: mail.text, format: "plain" }, ...files]
  if (mail.encrypted)
    return [{ kind: "unsupported", description: "An encrypted e-mail: it can't be read here." }, ...files]
  return files.length > 0 ? files : [{ kind: "text", text: "", format: "plain" }]
}

const isPermanent = ({ action, status }: ReportedRecipient): boolean =>
  action === "delayed" ? false : !(status ?? "5").startsWith("4")

/** What mail systems say in words: the recipient and the first status code. */
const toWordedBounce = (mail: ParsedMail): ReportedRecipient => {
  const failed =
    mail.headers["x-failed-recipients"]?.[0]?.split(",")[0] ?? /^\s*<([^<>\s]{3,320})>:?/m.exec(mail.fullText)?.[1]
  const recipient = failed === undefined ? undefined : fromText(failed)
  const status =
    /\b([45])\.\d{1,3}\.\d{1,3}\b/.exec(mail.fullText)?.[0] ?? /\b[45]\d\d[ -]/.exec(mail.fullText)?.[0]?.trim()
  const line = mail.fullText.split("\n").find((one) => status !== undefined && one.includes(status))
  return {
    action: "failed",
    ...(recipient === undefined ? {} : { recipient }),
    ...(status === undefined ? {} : { status }),
    diagnostic: (line ?? mail.subject).trim().slice(0, 1000)
  }
}

/** What `decode` needs. */
export interface DecodeDependencies {
  readonly config: ResolvedEmailConfig
  readonly parser: EmailParser
}

/**
 * Decodes a mail into one entry for every account it reached, or several when it reports several bounces.
 *
 * - `messageReceived`: a person wrote.
 * - `autoReplyReceived`: a program wrote, or the mail went to a list.
 * - `bounceReceived`: a mail of ours could not be delivered; its Message-ID proves that it is ours.
 * - `messageEchoed`: one of our accounts wrote from another mail program, authenticated by our own mail server.
 * - `channelTrouble`: an abuse complaint.
 * - `unsupported`: our own mail coming back, receipts, reports about mail that isn't ours, mail without an author.
 *
 * **Fails with** `mailEmpty`, `mailTooLarge`, `mailTooDeep`, `mailHeadersTooLarge`, `mailTooManyParts`,
 * `mailTooSlow`, `mailTooMuchMemory`, `mailUnreadable`.
 */
export const decodeWith =
  ({ config, parser }: DecodeDependencies) =>
  async (input: Channel.Verified): Promise<Channel.Decoded> => {
    const read = await parser.parse(input.bytes)
    if (!read.ok) return read
    const mail = read.value
    const envelope = toEnvelope(input, mail)
    const reached = [...new Set(envelope.recipients.flatMap((one) => toAccount(config.accounts, one) ?? []))]
    if (reached.length === 0)
      return {
        ok: true,
        value: [
          unsupported(
            input,
            mail,
            envelope.recipients[0] ?? "unknown",
            "No recipient of the envelope is an account of this desk."
          )
        ]
      }
    return { ok: true, value: reached.flatMap((account) => toEntries(config, input, mail, envelope, account)) }
  }

const unsupported = (
  input: Channel.Verified,
  mail: ParsedMail,
  account: string,
  reason: string
): Inbound.Unsupported => ({
  kind: "unsupported",
  account,
  entryId: toEntryId(mail),
  occurredAtMs: toOccurredAt(input, mail),
  reason,
  raw: {
    headers: mail.headerText,
    text: mail.fullText,
    ...(input.bytes.length > 262_144 ? {} : { mailBase64: Buffer.from(input.bytes).toString("base64") })
  }
})

/** The author's time, unless it lies in the future. */
const toOccurredAt = (input: Channel.Verified, mail: ParsedMail): number =>
  Math.min(mail.dateMs ?? input.receivedAtMs, input.receivedAtMs)

const toEntries = (
  config: ResolvedEmailConfig,
  input: Channel.Verified,
  mail: ParsedMail,
  envelope: Envelope,
  account: EmailAccount
): ReadonlyArray<Inbound.Entry> => {
  const { accounts, threadSecret } = config
  const base = { account: account.address, entryId: toEntryId(mail), occurredAtMs: toOccurredAt(input, mail) }
  const skip = (reason: string): ReadonlyArray<Inbound.Entry> => [unsupported(input, mail, account.address, reason)]
  const isOurs = (address: string): boolean => toAccount(accounts, address) !== undefined

  const marks = [mail.messageId ?? "", ...(mail.headers["x-switchboard"] ?? []).map((id) => `<${id}@mark>`)]
  if (marks.some((id) => isOwn(threadSecret, id)))
    return skip("This desk sent the mail itself and it came back: taken in, it would answer itself.")

  const { report } = mail
  const ours = [...mail.returnedIds, ...mail.references].find((id) => isOwn(threadSecret, id))
  if (report?.type === "feedback-report") {
    if (ours === undefined) return skip("An abuse complaint that names no message of this desk.")
    const message = `A recipient reported mail of this account as unwanted: ${ours} ${mail.subject}`.slice(0, 2000)
    return [{ kind: "channelTrouble", ...base, code: "complaint", message }]
  }
  if (report?.type === "disposition-notification")
    return skip("A read receipt: this channel asks for none and trusts none.")

  const failures =
    report?.type === "delivery-status"
      ? report.recipients
      : (envelope.isNullSender || isFromSystem(mail)) && mail.returnedIds.length > 0
        ? [toWordedBounce(mail)]
        : undefined
  if (failures !== undefined) {
    if (ours === undefined) return skip("A delivery report that names no message of this desk.")
    const failed = failures.filter(({ action }) => action === undefined || action === "failed" || action === "delayed")
    if (failed.length === 0) return skip("A delivery report without a failure.")
    return failed.map((one, index) => ({
      kind: "bounceReceived",
      ...base,
      entryId: `${base.entryId}#${index}`,
      platformId: ours,
      permanent: isPermanent(one),
      ...(one.recipient === undefined ? {} : { recipient: toRecipient({ address: one.recipient }) }),
      reason: ([one.status, one.diagnostic].filter(Boolean).join(" ") || mail.subject || "undeliverable").slice(0, 2000)
    }))
  }

  const author = mail.from[0] ?? mail.sender[0]
  if (author === undefined) return skip("The mail has no author: neither From nor Sender holds an address.")
  const isVerified =
    account.trustAuthenticationResults !== undefined &&
    mail.fromHeaders === 1 &&
    mail.from.length === 1 &&
    isAuthenticated(mail.headers["authentication-results"] ?? [], account.trustAuthenticationResults, author.address)

  const others = [...mail.to, ...mail.cc].filter(({ address }) => !isOurs(address))
  const language = /^[a-z]{2,3}(?:-[A-Za-z0-9]{2,8})?$/.exec(mail.headers["content-language"]?.[0]?.trim() ?? "")?.[0]
  const attachments = toAttachments(mail, account)
  const token = [
    ...envelope.recipients,
    ...mail.to.map(({ address }) => address),
    ...mail.cc.map(({ address }) => address)
  ]
    .map((address) => fromAddress(threadSecret, account.address, address))
    .find((id) => id !== undefined)

  const content = (contact: Mailbox, replyTo: ReadonlyArray<Delivery.Recipient>, state: Address.AddressState) => {
    const reached = new Set([contact.address, ...replyTo.map(({ value }) => value)])
    const cc = unique(
      others
        .filter(({ address }) => !reached.has(address))
        .map((one) => ({ ...toRecipient(one), ...(one.name === "" ? {} : { name: one.name }) }))
    ).slice(0, 100)
    return {
      ...base,
      platformId: toPlatformId(mail),
      from: toSender(contact, state, language),
      thread: {
        key: toPlatformId(mail),
        audience: "private" as const,
        ...(mail.subject === "" ? {} : { subject: mail.subject }),
        ...(mail.references.length === 0 ? {} : { references: [...mail.references] }),
        ...(token === undefined ? {} : { token }),
        replyTo: [...replyTo],
        ...(cc.length === 0 ? {} : { cc: [...cc] })
      },
      parts: toParts(mail, attachments),
      attachments: [...attachments],
      ...(mail.references.length === 0 ? {} : { replyToPlatformId: mail.references.at(-1)! })
    }
  }

  if (isOurs(author.address)) {
    const [contact] = others
    if (!isVerified || contact === undefined)
      return skip("The mail says that an account of this desk wrote it, and nothing proves that.")
    return [{ kind: "messageEchoed", ...content(contact, [toRecipient(contact)], "claimed") }]
  }

  const asked = unique(mail.replyTo.filter(({ address }) => !isOurs(address)).map(toRecipient)).slice(0, replyToLimit)
  const replyTo = asked.length > 0 ? asked : [toRecipient(author)]
  const kind = isAutomatic(mail, envelope.isNullSender, account.mailingList) ? "autoReplyReceived" : "messageReceived"
  return [{ kind, ...content(author, replyTo, isVerified ? "verified" : "claimed") }]
}
