/**
 * Adapts a rich message to what a channel can show, and says what was lost.
 *
 * @module
 */
import { type Attachment, Message } from "@switchboard/conversation"
import type { Capabilities, TextFormat } from "./Capabilities.ts"
import * as TextSplit from "./internal/TextSplit.ts"
import * as Markdown from "./Markdown.ts"

/** One message in the channel's terms: at most one of each, within its limits. A caption is bare text. */
export interface RenderedMessage {
  readonly text?: { readonly body: string; readonly format: "plain" | "markdown" | "html" }
  readonly attachments: ReadonlyArray<{ readonly attachment: Attachment.Attachment; readonly caption?: string }>
  readonly choices?: ReadonlyArray<{ readonly id: string; readonly label: string; readonly url?: string }>
  readonly template?: { readonly name: string; readonly language: string; readonly parameters: ReadonlyArray<string> }
  readonly location?: {
    readonly latitude: number
    readonly longitude: number
    readonly name?: string
    readonly address?: string
  }
  readonly contactCard?: {
    readonly name: string
    readonly phones: ReadonlyArray<string>
    readonly emails: ReadonlyArray<string>
  }
}

/**
 * What a contact sees otherwise than it was written.
 *
 * - `formattingDropped`: Markdown or HTML became bare text.
 * - `textSplit`: one text became several messages.
 * - `captionSplitOff`: a caption became a text before its file: too long, no captions here, or an audio file, which
 *   takes none on most platforms.
 * - `attachmentNotSent`: a file became a line with its name, and its link where the caller gave one.
 * - `choicesNumbered`: options became numbered lines.
 * - `choiceLabelShortened`: an option's label was cut; `label` is the whole one.
 * - `choiceLinkInText`: an option that opens a page became a line of text.
 * - `locationAsText`, `contactCardAsText`, `templateAsText`: the part became lines of text.
 */
export type Loss =
  | { readonly code: "formattingDropped"; readonly from: "markdown" | "html" }
  | { readonly code: "textSplit"; readonly messages: number }
  | { readonly code: "captionSplitOff"; readonly attachmentId: Attachment.Attachment["id"] }
  | {
      readonly code: "attachmentNotSent"
      readonly attachmentId: Attachment.Attachment["id"]
      /** `missing`: the message has no such attachment; `failed`: its bytes could not be fetched. */
      readonly reason: "noMedia" | "mediaType" | "size" | "failed" | "missing"
      readonly linked: boolean
    }
  | { readonly code: "choicesNumbered"; readonly reason: "noChoices" | "tooMany" | "labelsAlike" }
  | { readonly code: "choiceLabelShortened"; readonly optionId: string; readonly label: string }
  | { readonly code: "choiceLinkInText"; readonly optionId: string }
  | { readonly code: "locationAsText" }
  | { readonly code: "contactCardAsText" }
  | { readonly code: "templateAsText"; readonly name: string }

/** What rendering gives. No messages only when there was nothing to say. */
export interface Rendered {
  readonly messages: ReadonlyArray<RenderedMessage>
  readonly lost: ReadonlyArray<Loss>
}

/** What the caller may add. */
export interface RenderOptions {
  /** A link under which people can get a file that the channel can't carry. */
  readonly linkTo?: (attachment: Attachment.Attachment) => string | undefined
}

/** A text on its way: as it is shown with formatting, and bare. */
interface Text {
  readonly kind: "text"
  readonly format: TextFormat
  readonly body: string
  readonly plain: string
}
type Piece =
  | Text
  | { readonly kind: "file"; readonly attachment: Attachment.Attachment; readonly caption?: string }
  | { readonly kind: "choices"; readonly choices: NonNullable<RenderedMessage["choices"]> }
  | { readonly kind: "other"; readonly message: RenderedMessage }

const plain = (body: string): Text => ({ kind: "text", format: "plain", body, plain: body })
const lines = (...all: ReadonlyArray<string | undefined>): Text =>
  plain(all.filter((line) => line !== undefined && line !== "").join("\n"))
const isEmpty = (text: string): boolean => text.trim() === ""

const isType = (mediaType: string, pattern: string): boolean => {
  const [found, wanted] = [mediaType.toLowerCase(), pattern.toLowerCase()]
  return wanted === "*/*" || found === wanted || (wanted.endsWith("/*") && found.startsWith(wanted.slice(0, -1)))
}

// --- parts to pieces ------------------------------------------------------------------------------------------------

const fromMarkdown = (source: string, formats: ReadonlyArray<TextFormat>, lost: Array<Loss>): Text => {
  if (formats.includes("markdown"))
    return { kind: "text", format: "markdown", body: source, plain: Markdown.toPlain(source) || source }
  const bare = Markdown.toPlain(source) || source
  if (formats.includes("html")) return { kind: "text", format: "html", body: Markdown.toHtml(source), plain: bare }
  if (bare !== source.trim()) lost.push({ code: "formattingDropped", from: "markdown" })
  return plain(bare)
}

const fromHtml = (part: Message.HtmlPart, formats: ReadonlyArray<TextFormat>, lost: Array<Loss>): Text => {
  if (formats.includes("html")) return { kind: "text", format: "html", body: part.html, plain: part.text }
  if (part.html.includes("<")) lost.push({ code: "formattingDropped", from: "html" })
  return plain(part.text)
}

const whyNotSent = (attachment: Attachment.Attachment, media: Capabilities["media"]) => {
  if (attachment.state === "failed") return "failed"
  if (media === null) return "noMedia"
  if (!media.types.some((pattern) => isType(attachment.mediaType, pattern))) return "mediaType"
  return (attachment.sizeBytes ?? 0) > media.limitBytes ? "size" : undefined
}

const fromAttachment = (
  id: Attachment.Attachment["id"],
  attachment: Attachment.Attachment | undefined,
  caption: string | undefined,
  capabilities: Capabilities,
  options: RenderOptions,
  lost: Array<Loss>
): ReadonlyArray<Piece> => {
  const { media } = capabilities
  const reason = attachment === undefined ? "missing" : whyNotSent(attachment, media)
  if (attachment === undefined || reason !== undefined) {
    const link = attachment === undefined ? undefined : options.linkTo?.(attachment)
    lost.push({ code: "attachmentNotSent", attachmentId: id, reason: reason ?? "missing", linked: link !== undefined })
    const name = attachment?.name ?? attachment?.mediaType ?? ""
    return [lines(caption, [`📎`, name, link].filter(Boolean).join(" "))]
  }
  if (caption === undefined || isEmpty(caption)) return [{ kind: "file", attachment }]
  if (media?.withText === true) return [plain(caption), { kind: "file", attachment }]
  if (caption.length <= (media?.captionLimit ?? 0) && !isType(attachment.mediaType, "audio/*"))
    return [{ kind: "file", attachment, caption }]
  lost.push({ code: "captionSplitOff", attachmentId: id })
  return [plain(caption), { kind: "file", attachment }]
}

const fromChoices = (part: Message.ChoicesPart, { choices }: Capabilities, lost: Array<Loss>): ReadonlyArray<Piece> => {
  const numbered = (reason: "noChoices" | "tooMany" | "labelsAlike"): ReadonlyArray<Piece> => {
    lost.push({ code: "choicesNumbered", reason })
    const options = part.options.map(({ label, url }, index) =>
      [`${index + 1}.`, label, url].filter((text) => text !== undefined).join(" ")
    )
    return [lines(part.text, ...options)]
  }
  if (choices === null) return numbered("noChoices")
  const buttons = part.options.filter(({ url }) => url === undefined || choices.urls)
  if (buttons.length > choices.limit) return numbered("tooMany")
  const shown = buttons.map((option) => ({
    ...option,
    label: TextSplit.shorten(option.label, choices.labelLimit)
  }))
  if (new Set(shown.map(({ label }) => label)).size < new Set(buttons.map(({ label }) => label)).size)
    return numbered("labelsAlike")
  const links = part.options.filter((option) => !buttons.includes(option))
  for (const { id } of links) lost.push({ code: "choiceLinkInText", optionId: id })
  for (const [index, { id, label }] of buttons.entries())
    if (shown[index]?.label !== label) lost.push({ code: "choiceLabelShortened", optionId: id, label })
  const prompt = lines(part.text, ...links.map(({ label, url }) => `${label}: ${url}`))
  const asked: ReadonlyArray<Piece> = isEmpty(prompt.plain) ? [] : [prompt]
  return shown.length === 0
    ? asked
    : [
        ...asked,
        {
          kind: "choices",
          choices: shown.map(({ id, label, url }) => ({ id, label, ...(url === undefined ? {} : { url }) }))
        }
      ]
}

const toPieces = (
  parts: ReadonlyArray<Message.MessagePart>,
  attachments: ReadonlyArray<Attachment.Attachment>,
  capabilities: Capabilities,
  options: RenderOptions,
  lost: Array<Loss>
): ReadonlyArray<Piece> => {
  const { formats } = capabilities.text
  const placed = new Set(parts.flatMap((part) => (part.kind === "attachment" ? [part.attachmentId] : [])))
  const all: ReadonlyArray<Message.MessagePart> = [
    ...parts,
    ...attachments
      .filter(({ id }) => !placed.has(id))
      .map(({ id }): Message.AttachmentPart => ({ kind: "attachment", attachmentId: id }))
  ]
  return all
    .flatMap((part): ReadonlyArray<Piece> => {
      switch (part.kind) {
        case "text":
          return [part.format === "markdown" ? fromMarkdown(part.text, formats, lost) : plain(part.text)]
        case "html":
          return [fromHtml(part, formats, lost)]
        case "attachment": {
          const found = attachments.find(({ id }) => id === part.attachmentId)
          return fromAttachment(part.attachmentId, found, part.caption, capabilities, options, lost)
        }
        case "location": {
          const { latitude, longitude, name, address } = part
          const location = {
            latitude,
            longitude,
            ...(name === undefined ? {} : { name }),
            ...(address === undefined ? {} : { address })
          }
          if (capabilities.locations) return [{ kind: "other", message: { attachments: [], location } }]
          lost.push({ code: "locationAsText" })
          return [lines(name, address, `${latitude}, ${longitude}`)]
        }
        case "contactCard": {
          const { kind: _, ...contactCard } = part
          if (capabilities.contactCards) return [{ kind: "other", message: { attachments: [], contactCard } }]
          lost.push({ code: "contactCardAsText" })
          return [lines(part.name, ...part.phones, ...part.emails)]
        }
        case "choices":
          return fromChoices(part, capabilities, lost)
        case "template": {
          const { kind: _, ...template } = part
          if (capabilities.templates) return [{ kind: "other", message: { attachments: [], template } }]
          lost.push({ code: "templateAsText", name: part.name })
          return [plain(Message.toText([part]))]
        }
        case "choice":
        case "unsupported":
          return [plain(Message.toText([part]))]
      }
    })
    .filter((piece) => piece.kind !== "text" || !isEmpty(piece.plain))
}

// --- pieces to messages ---------------------------------------------------------------------------------------------

const encode = (text: string, format: TextFormat): string =>
  format === "plain"
    ? text
    : format === "markdown"
      ? Markdown.escape(text)
      : Markdown.escapeHtml(text).replaceAll("\n", "<br>")

/** Texts that follow each other are one text, in the richest format among them. */
const joinTexts = (texts: ReadonlyArray<Text>): Text => {
  const [first, ...others] = texts as [Text, ...ReadonlyArray<Text>]
  if (others.length === 0) return first
  const format =
    (["html", "markdown", "plain"] as const).find((one) => texts.some((text) => text.format === one)) ?? "plain"
  const bodies = texts.map((text) =>
    text.format === format
      ? text.body
      : text.format === "markdown"
        ? Markdown.toHtml(text.body)
        : encode(text.body, format)
  )
  return {
    kind: "text",
    format,
    body: bodies.join(format === "html" ? "<br><br>" : "\n\n"),
    plain: texts.map((text) => text.plain).join("\n\n")
  }
}

/** Bare text in pieces that fit also once they are written in the channel's format. */
const fit = (text: string, limit: number, format: TextFormat, size = limit): ReadonlyArray<string> =>
  TextSplit.split(text, size).flatMap((piece) => {
    const written = encode(piece, format)
    return written.length <= limit || piece.length < 2
      ? [written]
      : fit(piece, limit, format, Math.floor(piece.length / 2))
  })

const splitText = (text: Text, { limit, formats }: Capabilities["text"], lost: Array<Loss>): Array<RenderedMessage> => {
  const toMessages = (bodies: ReadonlyArray<string>, format: TextFormat): Array<RenderedMessage> => {
    if (bodies.length > 1) lost.push({ code: "textSplit", messages: bodies.length })
    return bodies.map((body) => ({ text: { body, format }, attachments: [] }))
  }
  if (text.format !== "plain" && text.body.length <= limit) return toMessages([text.body], text.format)
  const blocks = text.format === "markdown" ? TextSplit.splitMarkdown(text.body, limit) : undefined
  if (blocks !== undefined) return toMessages(blocks, "markdown")
  if (text.format !== "plain" && text.body !== text.plain) lost.push({ code: "formattingDropped", from: text.format })
  const format = formats.includes("plain") ? "plain" : formats[0]!
  return toMessages(fit(text.plain, limit, format), format)
}

type Open = { -readonly [Field in keyof RenderedMessage]: RenderedMessage[Field] }

/** Puts the files into messages, as many as fit into one. */
const grouped = (
  files: ReadonlyArray<RenderedMessage["attachments"][number]>,
  perMessage: number
): ReadonlyArray<RenderedMessage["attachments"]> =>
  Array.from({ length: Math.ceil(files.length / perMessage) }, (_, index) =>
    files.slice(index * perMessage, (index + 1) * perMessage)
  )

/** The message of a text that can stand under the file that follows it, as its caption. */
const captionOf = (
  message: RenderedMessage | undefined,
  files: RenderedMessage["attachments"],
  captionLimit: number
): string | undefined => {
  const [file] = files
  const text = message?.text
  return files.length === 1 &&
    file?.caption === undefined &&
    file !== undefined &&
    !isType(file.attachment.mediaType, "audio/*") &&
    message?.choices === undefined &&
    text !== undefined &&
    (text.format === "plain" || Markdown.toPlain(text.body) === text.body) &&
    text.format !== "html" &&
    text.body.length <= captionLimit
    ? text.body
    : undefined
}

/**
 * A message in the terms of a channel's capabilities.
 *
 * **Shape** Texts that follow each other become one; a text of one message stands as the caption of the single file
 * after it where it fits. Attachments that no part names come last.
 *
 * **Gotchas** The same input gives the same messages, so that an interrupted send goes on where it stopped.
 *
 * **Example**
 *
 * ```ts
 * import { strict as assert } from "node:assert"
 * import { type Capabilities, Rendering } from "@switchboard/channel"
 *
 * const capabilities: Capabilities.Capabilities = {
 *   transports: ["webhook"],
 *   outbound: ["message"],
 *   text: { limit: 160, formats: ["plain"] },
 *   media: null,
 *   choices: null,
 *   templates: false,
 *   locations: false,
 *   contactCards: false,
 *   replies: false,
 *   receipts: [],
 *   threads: "dialog",
 *   audiences: ["private"],
 *   messagingWindowMs: null,
 *   starts: "either",
 *   idempotentSend: false,
 *   contactReads: false
 * }
 *
 * const options = [{ id: "y", label: "Yes" }, { id: "n", label: "No" }]
 * const { messages, lost } = Rendering.render([{ kind: "choices", text: "Did it help?", options }], [], capabilities)
 * assert.equal(messages[0]?.text?.body, "Did it help?\n1. Yes\n2. No")
 * assert.deepEqual(lost, [{ code: "choicesNumbered", reason: "noChoices" }])
 * ```
 */
export const render = (
  parts: ReadonlyArray<Message.MessagePart>,
  attachments: ReadonlyArray<Attachment.Attachment>,
  capabilities: Capabilities,
  options: RenderOptions = {}
): Rendered => {
  const lost: Array<Loss> = []
  const messages: Array<Open> = []
  const pieces = toPieces(parts, attachments, capabilities, options, lost)
  const { media } = capabilities
  const together = media?.withText === true
  const files: Array<RenderedMessage["attachments"][number]> = []
  let texts: Array<Text> = []

  const flushTexts = (): void => {
    if (texts.length > 0) messages.push(...splitText(joinTexts(texts), capabilities.text, lost))
    texts = []
  }
  const flushFiles = (): void => {
    const groups = grouped(files.splice(0), media?.perMessage ?? 1)
    for (const group of groups) {
      const caption = captionOf(messages.at(-1), group, media?.captionLimit ?? 0)
      if (caption === undefined) messages.push({ attachments: group })
      else messages[messages.length - 1] = { attachments: [{ attachment: group[0]!.attachment, caption }] }
    }
  }

  for (const piece of pieces) {
    if (piece.kind === "text") {
      if (!together) flushFiles()
      texts.push(piece)
    } else if (piece.kind === "file") {
      if (!together) flushTexts()
      const { kind: _, ...file } = piece
      files.push(file)
    } else {
      flushTexts()
      if (!together) flushFiles()
      const last = messages.at(-1)
      if (piece.kind === "other") messages.push(piece.message)
      // Buttons hang from the text before them; without any, their labels say what they are.
      else if (last?.text !== undefined && last.choices === undefined) last.choices = piece.choices
      else {
        const labels = piece.choices.map(({ label }) => label).join(" / ")
        const [asked] = splitText(plain(labels), capabilities.text, [])
        messages.push({ ...asked!, choices: piece.choices })
      }
    }
  }
  flushTexts()
  if (!together) flushFiles()
  else
    for (const [index, group] of grouped(files, media?.perMessage ?? 1).entries()) {
      const texted = messages[index]
      if (texted?.text !== undefined) texted.attachments = group
      else messages.push({ attachments: group })
    }
  return { messages, lost }
}
