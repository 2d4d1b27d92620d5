/**
 * From a rendered message to an SMTP server.
 *
 * @module
 */
import { Readable } from "node:stream"
import type { Outbound, Rendering } from "@switchboard/channel"
import MailComposer from "nodemailer/lib/mail-composer"
import { parseConnectionUrl } from "nodemailer/lib/shared"
import SMTPConnection from "nodemailer/lib/smtp-connection"
import { fromText, toDomain } from "./EmailAddress.ts"
import type { EmailAccount, ResolvedEmailConfig } from "./EmailConfig.ts"
import { toBodies } from "./EmailFormat.ts"
import { toAccount } from "./EmailInbound.ts"
import { toAddress } from "./EmailThreadToken.ts"
import { fromHeader, make } from "./internal/MessageId.ts"

type Failure = Exclude<Outbound.SendResult, { readonly outcome: "accepted" }>

const refused = (code: string, message: string): Failure => ({ outcome: "refused", code, message })

/** One line, whatever it held: a header can't be added through it. */
const toLine = (text: string, limit: number): string =>
  text
    .replace(/[\p{Cc}\u2028\u2029]+/gu, " ")
    .trim()
    .slice(0, limit)
    .toWellFormed()

/** References grow with the exchange: the first and the newest tell where it belongs. */
const referenceLimit = 20

const toReferences = ({ references, replyToPlatformId }: Outbound.OutboundMessage): ReadonlyArray<string> => {
  const ids = [...references, replyToPlatformId ?? ""].flatMap(fromHeader)
  const unique = [...new Set(ids.toReversed())].toReversed()
  return unique.length <= referenceLimit ? unique : [unique[0]!, ...unique.slice(1 - referenceLimit)]
}

const toSubject = ({ thread, account, references }: Outbound.OutboundMessage): string => {
  const subject = toLine(thread.subject ?? "", 900)
  if (subject === "") return toLine(account.name, 900)
  return references.length === 0 || /^(?:re|aw|rv|sv|antw)\s*:/i.test(subject) ? subject : `Re: ${subject}`
}

const toFromName = ({ authorName }: Outbound.OutboundMessage, { name }: EmailAccount): string => {
  const author = toLine(authorName ?? "", 120)
  const team = toLine(name ?? "", 120)
  return author !== "" && team !== "" ? `${author} (${team})` : author || team
}

const toFiles = (message: Rendering.RenderedMessage, context: Outbound.CallContext) =>
  Promise.all(
    message.attachments.map(async ({ attachment }) => ({
      filename: toLine(attachment.name ?? "", 255).replace(/[/\\]/g, "_") || "file",
      contentType: toLine(attachment.mediaType, 128),
      content: Buffer.from(await context.readAttachment(attachment)),
      ...(attachment.contentId === undefined ? {} : { cid: toLine(attachment.contentId, 512) })
    }))
  )

interface Letter {
  readonly bytes: Buffer
  readonly from: string
  readonly to: ReadonlyArray<string>
}

const statusOf = (error: unknown): number | undefined =>
  typeof error === "object" && error !== null && "responseCode" in error && typeof error.responseCode === "number"
    ? error.responseCode
    : undefined

const codeOf = (error: Error): string => ("code" in error && typeof error.code === "string" ? error.code : "ESOCKET")

/** Refusals of us, not of the message: another password makes them go away. */
const loginStatuses = new Set([454, 530, 534, 535, 538])

const toFailure = (error: Error, hasStarted: boolean): Failure => {
  const status = statusOf(error)
  const message = toLine(error.message, 500)
  if (status !== undefined) {
    const code = `smtp${status}`
    if (loginStatuses.has(status) || codeOf(error) === "EAUTH")
      return { outcome: "unavailable", code, message: `The mail server refuses the login in smtpUrl: ${message}` }
    return status >= 500 && status !== 503
      ? { outcome: "refused", code, message }
      : { outcome: "unavailable", code, message }
  }
  if (["EENVELOPE", "EMESSAGE"].includes(codeOf(error)) && !hasStarted) return refused(codeOf(error), message)
  return { outcome: hasStarted ? "unknown" : "unavailable", code: codeOf(error), message }
}

/** Hands a letter to the mail server. What broke after the body began to flow may have been taken. */
const deliver = (smtpUrl: string, { bytes, from, to }: Letter, signal: AbortSignal): Promise<Failure | undefined> =>
  new Promise((resolve) => {
    const { auth, ...options } = parseConnectionUrl(smtpUrl)
    const connection = new SMTPConnection({
      connectionTimeout: 15_000,
      greetingTimeout: 15_000,
      socketTimeout: 60_000,
      socketCloseTimeout: 1_000,
      ...options,
      logger: false
    })
    let hasStarted = false
    let isSettled = false
    const settle = (failure?: Failure): void => {
      if (isSettled) return
      isSettled = true
      signal.removeEventListener("abort", abort)
      if (failure === undefined) connection.quit()
      else connection.close()
      resolve(failure)
    }
    const fail = (error: Error): void => settle(toFailure(error, hasStarted))
    const abort = (): void =>
      settle({
        outcome: hasStarted ? "unknown" : "unavailable",
        code: "timeout",
        message: "The mail server did not answer in time."
      })
    connection.on("error", fail)
    signal.addEventListener("abort", abort, { once: true })
    if (signal.aborted) return abort()

    const send = (): void => {
      const body = new Readable({
        read() {
          hasStarted = true
          this.push(bytes)
          this.push(null)
        }
      })
      connection.send({ from, to: [...to], size: bytes.length }, body, (error, info) => {
        if (error) return fail(error)
        const rejected = info?.rejectedErrors?.find(({ recipient }) => recipient === to[0])
        settle(rejected === undefined ? undefined : toFailure(rejected, false))
      })
    }
    connection.connect((error) => {
      if (error) return fail(error)
      if (auth === undefined || !connection.allowsAuth) return send()
      connection.login({ ...auth, credentials: auth }, (refusal) => (refusal ? fail(refusal) : send()))
    })
  })

/**
 * Sends a message as mail: one letter for every rendered message, with a Message-ID that is the same at every attempt.
 *
 * **Fails with** `refused` for a recipient that is no e-mail address or one of our own accounts, and for a 5xx of the mail
 * server; `unavailable` for a 4xx, a refused login or a server that is not there; `unknown` when the connection broke
 * after the letter began to flow.
 *
 * **Gotchas** A copy address that the server refuses alone does not fail the message.
 */
export const sendWith =
  (config: ResolvedEmailConfig) =>
  async (outbound: Outbound.Outbound, context: Outbound.CallContext): Promise<Outbound.SendResult> => {
    if (outbound.kind !== "message") return refused("unsupportedKind", `E-mail has no ${outbound.kind}.`)
    const account = config.accounts.find(({ id }) => id === outbound.account.id)
    if (account === undefined)
      return refused(
        "unknownAccount",
        `There is no e-mail account ${outbound.account.id}: add it to the configuration.`
      )
    const recipient = outbound.recipient.kind === "email" ? fromText(outbound.recipient.value) : undefined
    if (recipient === undefined) return refused("noEmailAddress", "The recipient is no e-mail address: choose another.")
    const isOurs = (address: string): boolean => toAccount(config.accounts, address) !== undefined
    if (isOurs(recipient))
      return refused(
        "ownAccount",
        "The recipient is an account of this desk: it would write to itself. Use a note instead."
      )
    const cc = outbound.cc.flatMap(({ kind, value }) => (kind === "email" ? (fromText(value) ?? []) : []))
    const copies = [...new Set(cc)].filter((address) => address !== recipient && !isOurs(address))

    const replyTo = toAddress(config.threadSecret, account.address, outbound.thread.id)
    const references = toReferences(outbound)
    const platformIds: Array<string> = []
    for (const [index, message] of outbound.messages.entries()) {
      if (index < outbound.alreadySent) continue
      const messageId = make(config.threadSecret, context.idempotencyKey, index, toDomain(account.address))
      const failure = await compose({
        config,
        account,
        outbound,
        context,
        message,
        messageId,
        replyTo,
        recipient,
        copies,
        references
      }).then(
        (bytes) => deliver(config.smtpUrl, { bytes, from: replyTo, to: [recipient, ...copies] }, context.signal),
        (): Failure => ({
          outcome: "unavailable",
          code: "attachmentUnreadable",
          message: "A file of the message can't be read now."
        })
      )
      if (failure !== undefined) return { ...failure, platformIds }
      platformIds.push(messageId)
    }
    return { outcome: "accepted", platformIds }
  }

interface Composition {
  readonly config: ResolvedEmailConfig
  readonly account: EmailAccount
  readonly outbound: Outbound.OutboundMessage
  readonly context: Outbound.CallContext
  readonly message: Rendering.RenderedMessage
  readonly messageId: string
  readonly replyTo: string
  readonly recipient: string
  readonly copies: ReadonlyArray<string>
  readonly references: ReadonlyArray<string>
}

const compose = async (letter: Composition): Promise<Buffer> => {
  const { account, outbound, context, message, messageId, recipient, copies, references } = letter
  const captions = message.attachments.flatMap(({ caption }) => caption ?? [])
  const written = message.text ?? { body: "", format: "plain" as const }
  const bodies = toBodies(
    [written.body, ...(written.format === "html" ? [] : captions)].filter((text) => text !== "").join("\n\n"),
    written.format
  )
  const mail = new MailComposer({
    from: { name: toFromName(outbound, account), address: account.address },
    replyTo: letter.replyTo,
    to: recipient,
    ...(copies.length === 0 ? {} : { cc: [...copies] }),
    subject: toSubject(outbound),
    date: new Date(context.nowMs),
    messageId,
    ...(references.length === 0
      ? {}
      : {
          inReplyTo: outbound.replyToPlatformId?.match(/^<[^<>\s]+>$/)?.[0] ?? references.at(-1)!,
          references: [...references]
        }),
    text: bodies.text,
    ...(bodies.html === undefined ? {} : { html: bodies.html }),
    attachments: await toFiles(message, context),
    headers: {
      // Tells our own mail when it comes back under another Message-ID.
      "X-Switchboard": messageId.slice(1, messageId.indexOf("@")),
      ...(outbound.automatic ? { "Auto-Submitted": "auto-replied", "X-Auto-Response-Suppress": "All" } : {})
    },
    disableFileAccess: true,
    disableUrlAccess: true
  })
  return mail.compile().build()
}
