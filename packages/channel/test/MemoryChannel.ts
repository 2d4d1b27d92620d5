import { Id } from "@switchboard/conversation"
import * as z from "zod"
import type { ChannelRequest } from "../src/Channel.ts"
import { type ChannelAccount, defineChannel, type Inbound, type Outbound, Signature } from "../src/index.ts"

/** A channel without a platform: signed JSON in, an array out. */
const Update = z.object({
  id: z.string(),
  at: z.number(),
  from: z.string(),
  text: z.string().optional(),
  file: z.object({ ref: z.string(), mediaType: z.string() }).optional()
})
const Batch = z.object({ updates: z.array(z.unknown()).min(1) })

export const secret = "the-secret"

export const account: ChannelAccount.ChannelAccount = {
  id: Id.ChannelAccountId.parse("memory-1"),
  key: "memory",
  name: "Memory",
  workspace: Id.WorkspaceId.parse("main")
}

const toEntry = (raw: unknown, index: number, receivedAtMs: number): Inbound.Entry => {
  const parsed = Update.safeParse(raw)
  if (!parsed.success)
    return {
      kind: "unsupported",
      account: account.key,
      entryId: `${receivedAtMs}-${index}`,
      occurredAtMs: receivedAtMs,
      reason: z.prettifyError(parsed.error),
      raw
    }
  const { id, at, from, text, file } = parsed.data
  const recipient = { kind: "memory", value: from.trim() }
  return {
    kind: "messageReceived",
    account: account.key,
    entryId: `${index}/${id}`,
    platformId: id,
    occurredAtMs: at,
    from: { addresses: [{ ...recipient, state: "verified" }] },
    thread: { key: from, audience: "private", replyTo: [recipient] },
    parts: text === undefined ? [] : [{ kind: "text", text, format: "plain" }],
    attachments:
      file === undefined
        ? []
        : [{ id: Id.AttachmentId.parse(`${index}`), mediaType: file.mediaType, content: { ref: file.ref } }]
  }
}

export const make = (files: Readonly<Record<string, Uint8Array>> = { one: new Uint8Array([1]) }) => {
  const sent: Array<Outbound.Outbound> = []
  let count = 0
  const channel = defineChannel({
    kind: "memory",
    accounts: [account],
    capabilities: {
      transports: ["webhook"],
      outbound: ["message", "typing"],
      text: { limit: 100, formats: ["plain"] },
      media: { types: ["image/*"], limitBytes: 1000, perMessage: 1, captionLimit: 0 },
      choices: null,
      templates: false,
      locations: false,
      contactCards: false,
      replies: false,
      receipts: [],
      threads: "dialog",
      audiences: ["private"],
      messagingWindowMs: null,
      starts: "either",
      idempotentSend: false,
      contactReads: false
    },
    verify: async ({ body, headers, receivedAtMs }) => {
      const signature = Signature.fromHex(headers["x-signature"] ?? "")
      return signature !== undefined && (await Signature.isSigned(secret, body, signature))
        ? { kind: "verified", input: { bytes: body, headers: {}, receivedAtMs } }
        : { kind: "refused", status: 401, reason: "x-signature is not the HMAC of the body" }
    },
    decode: ({ bytes, receivedAtMs }) => {
      const batch = Batch.safeParse(JSON.parse(new TextDecoder().decode(bytes)))
      return batch.success
        ? { ok: true, value: batch.data.updates.map((raw, index) => toEntry(raw, index, receivedAtMs)) }
        : { ok: false, error: { code: "notABatch", message: z.prettifyError(batch.error) } }
    },
    send: {
      message: (outbound) => {
        sent.push(outbound)
        return {
          outcome: "accepted",
          platformIds: outbound.messages.slice(outbound.alreadySent).map(() => `out-${++count}`)
        }
      },
      typing: (outbound) => {
        sent.push(outbound)
        return { outcome: "accepted", platformIds: [] }
      }
    },
    fetch: async (ref) => {
      const bytes = files[ref]
      return bytes === undefined
        ? { outcome: "refused", code: "notFound", message: `There is no file ${ref}.` }
        : { outcome: "fetched", bytes, mediaType: "image/png" }
    }
  })
  return { channel, sent }
}

const toHex = (bytes: Uint8Array): string => [...bytes].map((byte) => byte.toString(16).padStart(2, "0")).join("")

export const signed = async (body: unknown, by: string = secret): Promise<ChannelRequest> => {
  const bytes = new TextEncoder().encode(JSON.stringify(body))
  return {
    method: "POST",
    url: new URL("https://desk.example/channels/memory"),
    headers: { "x-signature": toHex(await Signature.sign(by, bytes)) },
    body: bytes,
    receivedAtMs: 1_750_000_000_000
  }
}

export const tampered = async (request: ChannelRequest): Promise<Readonly<Record<string, ChannelRequest>>> => ({
  "with another body": { ...request, body: new TextEncoder().encode("{}") },
  "signed by somebody else": { ...(await signed({}, "another")), body: request.body },
  "with half a signature": { ...request, headers: { "x-signature": request.headers["x-signature"]!.slice(0, 8) } }
})

export const update = { id: "1", at: 1_750_000_000_000, from: "ana", text: "Hello" }

export const payloads = [
  { name: "a text", body: { updates: [update] }, kinds: ["messageReceived" as const] },
  {
    name: "a batch with something unknown in it",
    body: { updates: [update, { poll: true }, { ...update, id: "2", file: { ref: "one", mediaType: "image/png" } }] },
    kinds: ["messageReceived" as const, "unsupported" as const, "messageReceived" as const]
  }
]
