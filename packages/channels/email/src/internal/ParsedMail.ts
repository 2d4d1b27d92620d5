/** Somebody named in a header. `address` is in its normal form. */
export interface Mailbox {
  readonly name: string
  readonly address: string
}

/** A file of a mail. */
export interface MailAttachment {
  readonly name?: string
  readonly mediaType: string
  readonly contentId?: string
  /** Shown inside the HTML by its content id. */
  readonly inline: boolean
  readonly bytes: Uint8Array<ArrayBuffer>
}

/** What a delivery report says about one recipient. */
export interface ReportedRecipient {
  readonly recipient?: string
  readonly action?: string
  readonly status?: string
  readonly diagnostic?: string
}

/** What a mail system reports (`multipart/report`), RFC 3464. */
export interface MailReport {
  readonly type: "delivery-status" | "disposition-notification" | "feedback-report" | "other"
  readonly recipients: ReadonlyArray<ReportedRecipient>
}

/** A mail as the parsing thread hands it over: plain data, cut to what an entry may hold. */
export interface ParsedMail {
  /** The headers that decisions are made from, by lower-case name, in order of appearance. */
  readonly headers: Readonly<Record<string, ReadonlyArray<string>>>
  /** The beginning of all headers, for people who look at what could not be used. */
  readonly headerText: string
  readonly from: ReadonlyArray<Mailbox>
  /** How many From headers there are: more than one is a forgery. */
  readonly fromHeaders: number
  readonly sender: ReadonlyArray<Mailbox>
  readonly replyTo: ReadonlyArray<Mailbox>
  readonly to: ReadonlyArray<Mailbox>
  readonly cc: ReadonlyArray<Mailbox>
  readonly subject: string
  readonly messageId?: string
  /** References, then In-Reply-To: oldest first. */
  readonly references: ReadonlyArray<string>
  readonly dateMs?: number
  /** What was written, without the quoted mail it answers. */
  readonly text: string
  readonly html?: string
  readonly attachments: ReadonlyArray<MailAttachment>
  readonly encrypted: boolean
  readonly report?: MailReport
  /** Message-IDs found in returned mails and in the text. */
  readonly returnedIds: ReadonlyArray<string>
  /** The beginning of the text with everything quoted, for reading bounces. */
  readonly fullText: string
  /** Hash of who wrote what and when: the same when the same mail comes again by another route. */
  readonly digest: string
}

/** What one mail may cost the parsing thread. */
export interface ReadLimits {
  readonly headerBytes: number
  readonly depth: number
}

/** Why a mail can't be read. */
export interface ReadError {
  readonly code: string
  readonly message: string
}

/** A mail, or why it can't be read. */
export type ReadResult =
  | { readonly ok: true; readonly value: ParsedMail }
  | { readonly ok: false; readonly error: ReadError }
