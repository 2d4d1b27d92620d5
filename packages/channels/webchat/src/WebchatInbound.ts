/**
 * What the widget sends, and what it becomes.
 *
 * @module
 */
import { createHash } from "node:crypto"
import type { Channel, Inbound } from "@switchboard/channel"
import { Address, Id, type Message } from "@switchboard/conversation"
import * as z from "zod"
import type { WebchatConfig } from "./WebchatConfig.ts"
import { toAddresses, WebchatVisitor } from "./WebchatSession.ts"

/** The header that carries the proven visitor from `verify` to `decode`. It is never taken from a request. */
export const visitorHeader = "x-webchat-visitor"

/** The proven visitor and the key of the account, as they stand in the header. */
export const ProvenVisitor = z.object({ accountKey: z.string().min(1), visitor: WebchatVisitor })
export type ProvenVisitor = z.infer<typeof ProvenVisitor>

const clientId = z.uuid()
const messageId = z.string().min(1).max(128)
const writtenAtMs = z.number().int().optional()

/** A file, as base64. */
export const WidgetAttachment = z.object({
  name: z.string().min(1).max(512).optional(),
  mediaType: z.string().regex(/^[\w.+-]+\/[\w.+-]+$/, "a media type is two words, such as image/png"),
  base64: z.base64()
})
export type WidgetAttachment = z.infer<typeof WidgetAttachment>

/**
 * One thing the visitor did.
 *
 * **Shape** `clientId` is a UUID made by the widget: a repeat is the same message. `writtenAtMs` is when it was written,
 * by the visitor's clock, for what waited while offline.
 */
export const WidgetEntry = z.discriminatedUnion("kind", [
  z
    .object({
      kind: z.literal("message"),
      clientId,
      text: z.string(),
      attachments: z.array(WidgetAttachment).optional(),
      writtenAtMs
    })
    .refine(({ text, attachments }) => text.trim() !== "" || (attachments ?? []).length > 0, {
      error: "a message has a text or an attachment"
    }),
  z.object({
    kind: z.literal("action"),
    clientId,
    actionId: z.string().min(1).max(256),
    label: z.string().max(256),
    ofMessageId: messageId.optional(),
    writtenAtMs
  }),
  z.object({ kind: z.enum(["delivered", "read"]), messageId }),
  z.object({ kind: z.literal("typing"), typing: z.boolean() })
])
export type WidgetEntry = z.infer<typeof WidgetEntry>

/** What a visitor says about themselves without proof. What can't be read is left out: it must not cost the message. */
export const WidgetVisitor = z
  .object({
    name: z.string().max(256).optional().catch(undefined),
    email: z.email().max(320).optional().catch(undefined),
    language: z.string().max(35).optional().catch(undefined)
  })
  .catch({})
export type WidgetVisitor = z.infer<typeof WidgetVisitor>

/** The body of a post to `messages`: entries are read one by one, so that a bad one spoils no other. */
export const WidgetBody = z.object({ entries: z.array(z.unknown()).min(1), visitor: WidgetVisitor.default({}) })
export type WidgetBody = z.infer<typeof WidgetBody>

/** What the thread calls a message of ours: only its visitor can name it, so nobody reports on another's messages. */
export const toPlatformId = (visitorId: string, message: string): string => `${visitorId}/${message}`

const maxAgeMs = 7 * 86_400_000

/** The visitor's clock is believed within a week and never ahead of ours. */
const toOccurredAt = (written: number | undefined, receivedAtMs: number): number =>
  written !== undefined && written <= receivedAtMs && receivedAtMs - written <= maxAgeMs ? written : receivedAtMs

const explain = (error: z.ZodError): string =>
  error.issues.map(({ path, message }) => `${path.length === 0 ? "the entry" : path.join(".")}: ${message}`).join("; ")

const failure = (code: string, message: string): Channel.Decoded => ({ ok: false, error: { code, message } })

const decodeJson = (bytes: Uint8Array): unknown => {
  try {
    return JSON.parse(new TextDecoder("utf-8", { fatal: true }).decode(bytes))
  } catch {
    return undefined
  }
}

/**
 * Reads what `verify` let through.
 *
 * **Fails with** `visitor_missing` when the input did not pass `verify`, `body_invalid` when it is no JSON with entries.
 */
export const decode = (input: Channel.Verified, limits: WebchatConfig["limits"]): Channel.Decoded => {
  const proven = ProvenVisitor.safeParse(decodeJson(Buffer.from(input.headers[visitorHeader] ?? "", "utf8")))
  if (!proven.success)
    return failure("visitor_missing", `header ${visitorHeader}: expected the visitor that verify found, found none`)
  const body = WidgetBody.safeParse(decodeJson(input.bytes))
  if (!body.success)
    return failure("body_invalid", `body: expected JSON with a list of entries; ${explain(body.error)}`)
  const read = reader(proven.data, body.data.visitor, input, limits)
  const seen = new Set<string>()
  return {
    ok: true,
    value: body.data.entries.map((raw, index) => {
      const entry = read(raw, index)
      const name = `${entry.kind} ${entry.entryId}`
      if (seen.has(name)) return unsupported(entry.account, input, raw, index, "it repeats an earlier entry")
      seen.add(name)
      return entry
    })
  }
}

/** Kept with its reason. The place is part of the id, since the same nonsense may come twice. */
const unsupported = (
  account: string,
  input: Channel.Verified,
  raw: unknown,
  index: number,
  reason: string
): Inbound.Unsupported => ({
  kind: "unsupported",
  account,
  entryId: createHash("sha256")
    .update(`${input.headers[visitorHeader]}\n${index}\n${JSON.stringify(raw)}`)
    .digest("hex"),
  occurredAtMs: input.receivedAtMs,
  reason: reason.slice(0, 2000),
  raw
})

/** What is the same for every entry of one input. */
const reader = (
  { accountKey, visitor }: ProvenVisitor,
  said: WidgetVisitor,
  input: Channel.Verified,
  limits: WebchatConfig["limits"]
) => {
  const { visitorId } = visitor
  const from: Inbound.Sender = {
    addresses: toSenderAddresses(visitor, said),
    ...optional("name", visitor.identity?.name ?? said.name),
    ...optional("language", said.language)
  }
  const thread: Inbound.InboundThread = {
    key: visitorId,
    audience: "private",
    replyTo: [{ kind: "visitor", value: visitorId }]
  }
  const account = accountKey
  return (raw: unknown, index: number): Inbound.Entry => {
    const refuse = (reason: string): Inbound.Entry => unsupported(account, input, raw, index, reason)
    if (index >= limits.entries) return refuse(`one request carries at most ${limits.entries} entries`)
    const parsed = WidgetEntry.safeParse(raw)
    if (!parsed.success) return refuse(explain(parsed.error))
    const entry = parsed.data
    switch (entry.kind) {
      case "message": {
        const files = (entry.attachments ?? []).map((file) => ({ ...file, bytes: Buffer.from(file.base64, "base64") }))
        const tooMuch = whyTooMuch(entry.text, files, limits)
        if (tooMuch !== undefined) return refuse(tooMuch)
        const attachments = files.map(({ name, mediaType, bytes }, position) => ({
          id: Id.AttachmentId.parse(`${entry.clientId}-${position + 1}`),
          ...optional("name", name),
          mediaType,
          sizeBytes: bytes.byteLength,
          content: { bytes: new Uint8Array(bytes) }
        }))
        return {
          kind: "messageReceived",
          account,
          entryId: entry.clientId,
          platformId: entry.clientId,
          occurredAtMs: toOccurredAt(entry.writtenAtMs, input.receivedAtMs),
          from,
          thread,
          parts: [
            ...(entry.text.trim() === "" ? [] : [{ kind: "text", text: entry.text, format: "plain" } as const]),
            ...attachments.map(({ id }): Message.MessagePart => ({ kind: "attachment", attachmentId: id }))
          ],
          attachments
        }
      }
      case "action":
        return {
          kind: "actionChosen",
          account,
          entryId: entry.clientId,
          occurredAtMs: toOccurredAt(entry.writtenAtMs, input.receivedAtMs),
          from,
          thread,
          actionId: entry.actionId,
          label: entry.label,
          ...(entry.ofMessageId === undefined ? {} : { ofPlatformId: toPlatformId(visitorId, entry.ofMessageId) })
        }
      case "delivered":
      case "read": {
        const platformId = toPlatformId(visitorId, entry.messageId)
        return {
          kind: "deliveryChanged",
          account,
          entryId: `${entry.kind}:${platformId}`,
          occurredAtMs: input.receivedAtMs,
          platformId,
          state: entry.kind
        }
      }
      case "typing":
        return {
          kind: "typingChanged",
          account,
          entryId: `typing:${visitorId}:${input.receivedAtMs}:${index}`,
          occurredAtMs: input.receivedAtMs,
          from,
          thread,
          typing: entry.typing
        }
    }
  }
}

const optional = <K extends string, A>(key: K, value: A | undefined): { readonly [_ in K]?: A } =>
  (value === undefined ? {} : { [key]: value }) as { readonly [_ in K]?: A }

const whyTooMuch = (
  text: string,
  files: ReadonlyArray<{ readonly bytes: Uint8Array }>,
  limits: WebchatConfig["limits"]
): string | undefined => {
  if (text.length > limits.textLength) return `text: at most ${limits.textLength} characters, found ${text.length}`
  if (files.length > limits.attachments) return `attachments: at most ${limits.attachments}, found ${files.length}`
  const large = files.find(({ bytes }) => bytes.byteLength > limits.attachmentBytes)
  return large && `attachments: at most ${limits.attachmentBytes} bytes each, found ${large.bytes.byteLength}`
}

/** A mail address the visitor typed is `claimed`, and left out when the site has already proven the same one. */
const toSenderAddresses = (visitor: WebchatVisitor, said: WidgetVisitor): Array<Address.Address> => {
  const proven = toAddresses(visitor)
  const claimed: Address.Address | undefined =
    said.email === undefined ? undefined : { kind: "email", value: said.email.toLowerCase(), state: "claimed" }
  return claimed === undefined || proven.some((address) => Address.isSame(address, claimed))
    ? [...proven]
    : [...proven, claimed]
}
