/**
 * Webhooks as neutral entries.
 *
 * **Source** https://developers.facebook.com/documentation/business-messaging/whatsapp/webhooks/reference
 *
 * @module
 */
import { createHash } from "node:crypto"
import { type Channel, Inbound } from "@switchboard/channel"
import * as z from "zod"
import * as Content from "./internal/Content.ts"
import * as Payload from "./internal/Payload.ts"
import { fromWaId, toSender, toThread } from "./WhatsAppAddress.ts"
import type { WhatsAppConfig } from "./WhatsAppConfig.ts"
import { toFailure, WebhookError } from "./WhatsAppError.ts"

/** Where an item of a webhook was found. */
interface Place {
  readonly account: string
  readonly receivedAtMs: number
  readonly profiles: ReadonlyArray<Payload.Profile>
}

/** The entries of an item, or why it has none. */
type Reading = ReadonlyArray<Inbound.Entry> | string

type Reader = (raw: unknown, place: Place) => Reading

const digestOf = (raw: unknown): string =>
  createHash("sha256")
    .update(JSON.stringify(raw) ?? "")
    .digest("base64url")
    .slice(0, 32)

const explainIssues = (what: string, error: z.ZodError): string => {
  const [issue] = error.issues
  return `${what}: ${issue?.path.join(".") || "it"}: ${issue?.message ?? "is not as documented"}`
}

const toMs = (timestamp: string | number): number => Number(timestamp) * 1000

interface Identifiers {
  readonly waId?: string | undefined
  readonly userId?: string | undefined
  readonly parentUserId?: string | undefined
}

/** The person that an item names, with what the webhook says of that very person beside it. */
const personOf = ({ waId, userId, parentUserId }: Identifiers, { profiles }: Place): Inbound.Sender | undefined => {
  const isNamed = waId !== undefined || userId !== undefined || parentUserId !== undefined
  const found = isNamed
    ? profiles.find(
        (one) =>
          (waId !== undefined && one.wa_id === waId) ||
          (userId !== undefined && one.user_id === userId) ||
          (parentUserId !== undefined && one.parent_user_id === parentUserId)
      )
    : profiles.length === 1
      ? profiles[0]
      : undefined
  return toSender({
    waId: waId ?? found?.wa_id,
    userId: userId ?? found?.user_id,
    parentUserId: parentUserId ?? found?.parent_user_id,
    username: found?.profile?.username,
    name: found?.profile?.name
  })
}

// --- messages -------------------------------------------------------------------------------------------------------

const fromSystem = (
  { id, from, system }: Payload.Message,
  base: { readonly account: string; readonly entryId: string; readonly occurredAtMs: number }
): Reading => {
  if (system === undefined) return "A system message without its content."
  const changes: Array<Inbound.Entry> = []
  const changed = (entryId: string, before: string | undefined, after: string | undefined): void => {
    const [old, young] = [before, after].map((one) => (one === undefined ? undefined : fromWaId(one)))
    if (old === undefined || young === undefined || old.value === young.value) return
    changes.push({ kind: "identityChanged", ...base, entryId, before: old, after: { ...young, state: "verified" } })
  }
  if (/_changed_(number|user_id)$/.test(system.type)) {
    const waId = system.wa_id ?? system.new_wa_id
    changed(id, from, waId === undefined ? undefined : String(waId))
    changed(`${id}:user_id`, system.previous_user_id, system.user_id)
    changed(`${id}:parent_user_id`, system.previous_parent_user_id, system.parent_user_id)
  }
  return changes.length > 0 ? changes : `A system message of the type ${system.type}.`
}

const chosen = ({
  interactive,
  button
}: Payload.Message): { readonly id: string; readonly title: string } | undefined =>
  interactive?.button_reply ??
  interactive?.list_reply ??
  (button === undefined ? undefined : { id: button.payload || button.text, title: button.text })

const messageReader =
  (kind: "messageReceived" | "messageEchoed"): Reader =>
  (raw, place) => {
    const parsed = Payload.readMessage(raw)
    if ("error" in parsed) return explainIssues("A message that is not as documented", parsed.error)
    const message = parsed.data
    const { id, type, context, reaction, edit, revoke } = message
    const isOurs = kind === "messageEchoed"
    const base = { account: place.account, entryId: id, occurredAtMs: toMs(message.timestamp) }
    if (message.group_id !== undefined) return "A message in a group: groups are not supported."
    if (type === "system") return fromSystem(message, base)
    if (type === "revoke" && revoke !== undefined)
      return [{ kind: "messageDeleted", ...base, platformId: revoke.original_message_id }]
    const from = personOf(
      isOurs
        ? { waId: message.to, userId: message.to_user_id, parentUserId: message.to_parent_user_id }
        : { waId: message.from, userId: message.from_user_id, parentUserId: message.from_parent_user_id },
      place
    )
    if (type === "edit" && edit !== undefined) {
      const edited = Payload.readContent(edit.message)
      if ("error" in edited) return explainIssues("An edit that is not as documented", edited.error)
      const said = Content.toSaid(edited.data)
      if (said === undefined) return `An edited message of the type ${edited.data.type}.`
      // The files stay as they were: only words can be edited.
      const parts = said.parts.flatMap((part) =>
        part.kind !== "attachment" ? [part] : part.caption === undefined ? [] : [toText(part.caption)]
      )
      const by = isOurs || from === undefined ? {} : { from }
      return [{ kind: "messageEdited", ...base, platformId: edit.original_message_id, ...by, parts }]
    }
    if (from === undefined) return "A message without a phone number or a user id."
    if (type === "reaction" && reaction !== undefined) {
      if (isOurs) return "A reaction of the business."
      const target = { ...base, platformId: reaction.message_id, from }
      return reaction.emoji
        ? [{ kind: "reactionAdded", ...target, emoji: reaction.emoji }]
        : [{ kind: "reactionRemoved", ...target }]
    }
    const quoted = context?.id === "" ? undefined : context?.id
    const thread = { ...toThread(from), ...(quoted === undefined ? {} : { references: [quoted] }) }
    const choice = isOurs ? undefined : chosen(message)
    if (choice !== undefined)
      return [
        {
          kind: "actionChosen",
          ...base,
          from,
          thread,
          actionId: choice.id,
          label: choice.title,
          ...(quoted === undefined ? {} : { ofPlatformId: quoted })
        }
      ]
    const said = Content.toSaid(message)
    if (said === undefined) return `A message of the type ${type}, which is unknown or without its content.`
    return [
      {
        kind,
        ...base,
        platformId: id,
        from,
        thread,
        parts: [...said.parts, ...Content.toOrigin(message)],
        attachments: [...said.attachments],
        ...(quoted === undefined ? {} : { replyToPlatformId: quoted })
      }
    ]
  }

const toText = (text: string) => ({ kind: "text" as const, text, format: "plain" as const })

// --- receipts, calls and errors -------------------------------------------------------------------------------------

/** A voice message that was played was read. */
const deliveryStates = { sent: "sent", delivered: "delivered", read: "read", played: "read", failed: "failed" } as const

const isDeliveryState = (status: string): status is keyof typeof deliveryStates => Object.hasOwn(deliveryStates, status)

const callStates = {
  connect: "started",
  RINGING: "started",
  ACCEPTED: "answered",
  REJECTED: "ended",
  terminate: "ended"
} as const

const toCall = (
  call: { readonly id: string; readonly event: string; readonly timestamp: string | number },
  from: Inbound.Sender | undefined,
  place: Place
): Reading => {
  const { id, event } = call
  if (!Object.hasOwn(callStates, event)) return `A call in the state ${event}.`
  if (from === undefined) return "A call without a phone number or a user id."
  return [
    {
      kind: "callChanged",
      account: place.account,
      entryId: `${id}:${event}`,
      occurredAtMs: toMs(call.timestamp),
      platformId: id,
      from,
      thread: toThread(from),
      state: callStates[event as keyof typeof callStates]
    }
  ]
}

const readStatus: Reader = (raw, place) => {
  const parsed = Payload.Status.safeParse(raw)
  if (!parsed.success) return explainIssues("A receipt that is not as documented", parsed.error)
  const { id, status, timestamp, type, errors = [], ...recipient } = parsed.data
  if (recipient.recipient_type === "group") return "A receipt from a group: groups are not supported."
  if (type === "call") {
    const { recipient_id: waId, recipient_user_id: userId, recipient_parent_user_id: parentUserId } = recipient
    return toCall({ id, event: status, timestamp }, personOf({ waId, userId, parentUserId }, place), place)
  }
  const base = { account: place.account, entryId: `${id}:${status}`, occurredAtMs: toMs(timestamp), platformId: id }
  if (status === "deleted") return [{ kind: "messageDeleted", ...base }]
  if (!isDeliveryState(status) || (type !== undefined && type !== "message"))
    return `A receipt of the type ${type ?? "message"} in the state ${status}.`
  const failure = status === "failed" ? { failure: toFailure(errors) } : {}
  return [{ kind: "deliveryChanged", ...base, state: deliveryStates[status], ...failure }]
}

const readCall: Reader = (raw, place) => {
  const parsed = Payload.Call.safeParse(raw)
  if (!parsed.success) return explainIssues("A call that is not as documented", parsed.error)
  const { direction, ...call } = parsed.data
  const from = personOf(
    direction === "BUSINESS_INITIATED"
      ? { waId: call.to, userId: call.to_user_id, parentUserId: call.to_parent_user_id }
      : { waId: call.from, userId: call.from_user_id, parentUserId: call.from_parent_user_id },
    place
  )
  return toCall(call, from, place)
}

const readError: Reader = (raw, place) => {
  const parsed = WebhookError.safeParse(raw)
  if (!parsed.success) return explainIssues("An error that is not as documented", parsed.error)
  const { code, message } = toFailure([parsed.data])
  // It has no id and no time: the same trouble again is the same entry.
  return [
    {
      kind: "channelTrouble",
      account: place.account,
      entryId: `error:${digestOf(raw)}`,
      occurredAtMs: place.receivedAtMs,
      code,
      message
    }
  ]
}

// --- webhooks -------------------------------------------------------------------------------------------------------

/** The lists that are read of each field, in this order. */
const readers: Readonly<Record<string, Readonly<Record<string, Reader>>>> = {
  messages: { messages: messageReader("messageReceived"), statuses: readStatus, errors: readError },
  smb_message_echoes: { message_echoes: messageReader("messageEchoed"), errors: readError },
  calls: { calls: readCall, statuses: readStatus, errors: readError }
}

const circumstances = new Set(["messaging_product", "metadata", "contacts"])

/** An entry beside what the platform sent. */
interface Found {
  readonly entry: Inbound.Entry
  readonly raw: unknown
}

const toProfiles = (contacts: unknown): ReadonlyArray<Payload.Profile> =>
  Array.isArray(contacts)
    ? contacts.flatMap((one) => {
        const parsed = Payload.Profile.safeParse(one)
        return parsed.success ? [parsed.data] : []
      })
    : []

/**
 * The same item twice in one webhook is one; two items that share a name are both kept, the second as `unsupported`.
 */
const distinct = (found: ReadonlyArray<Found>): ReadonlyArray<Inbound.Entry> => {
  if (found.length === 1) return [found[0]!.entry]
  const seen = new Map<string, unknown>()
  return found.flatMap(({ entry, raw }) => {
    const { account, kind, entryId, occurredAtMs } = entry
    const name = JSON.stringify([account, kind, entryId])
    if (!seen.has(name)) {
      seen.set(name, raw)
      return [entry]
    }
    if (digestOf(seen.get(name)) === digestOf(raw)) return []
    const other: Inbound.Entry = {
      kind: "unsupported",
      account,
      entryId: `repeated:${digestOf([name, raw])}`,
      occurredAtMs,
      reason: `Another ${kind} in this webhook has the same id.`,
      raw
    }
    const otherName = JSON.stringify([account, other.kind, other.entryId])
    if (seen.has(otherName)) return []
    seen.set(otherName, raw)
    return [other]
  })
}

const utf8 = new TextDecoder("utf-8", { fatal: true })

/**
 * Decodes a webhook: every message, echo, receipt, call and error in it, in order.
 *
 * What is not understood becomes `unsupported` with its reason: other fields, groups, numbers that are no account of
 * this channel, and what is older or further ahead than the configuration believes.
 *
 * **Fails with** `invalidJson` and `notAWebhook`, when the input as a whole can't be read.
 */
export const decodeWith = (config: WhatsAppConfig) => {
  const keys = new Set(config.accounts.map(({ phoneNumberId }) => phoneNumberId))
  const { replayBackMs, replayAheadMs } = config

  const unsupported = (
    raw: unknown,
    reason: string,
    { account, receivedAtMs }: Pick<Place, "account" | "receivedAtMs">,
    { entryId = `raw:${digestOf(raw)}`, occurredAtMs = receivedAtMs }: { entryId?: string; occurredAtMs?: number } = {}
  ): Found => {
    const entry: Inbound.Entry = {
      kind: "unsupported",
      account,
      entryId,
      occurredAtMs,
      reason: reason.slice(0, 2000),
      raw
    }
    return { entry: Inbound.orUnsupported(entry, raw), raw }
  }

  /** Why an entry that was read is not believed. */
  const doubt = ({ account, occurredAtMs }: Inbound.Entry, receivedAtMs: number): string | undefined => {
    if (!keys.has(account)) return `No account has the phoneNumberId ${account}: add it to accounts.`
    if (occurredAtMs < receivedAtMs - replayBackMs)
      return `It is older than ${replayBackMs} ms: replayed, or kept back.`
    if (occurredAtMs > receivedAtMs + replayAheadMs) return `Its time is more than ${replayAheadMs} ms ahead.`
    return undefined
  }

  const readItem = (raw: unknown, read: Reader, place: Place): ReadonlyArray<Found> => {
    const reading = read(raw, place)
    if (typeof reading === "string") return [unsupported(raw, reading, place)]
    const [first] = reading
    const reason = first && doubt(first, place.receivedAtMs)
    if (first !== undefined && reason !== undefined) return [unsupported(raw, reason, place, first)]
    return reading.map((entry) => ({ entry: Inbound.orUnsupported(entry, raw), raw }))
  }

  const readChange = (raw: unknown, receivedAtMs: number): ReadonlyArray<Found> => {
    const parsed = Payload.Change.safeParse(raw)
    if (!parsed.success) {
      const { field } = z.object({ field: z.string() }).safeParse(raw).data ?? { field: "unknown" }
      return [unsupported(raw, `A change of the field ${field}, of no number.`, { account: "unknown", receivedAtMs })]
    }
    const { field, value } = parsed.data
    const place = { account: value.metadata.phone_number_id, receivedAtMs, profiles: toProfiles(value.contacts) }
    const lists = Object.hasOwn(readers, field) ? readers[field]! : {}
    const found: Array<Found> = []
    for (const name of Object.keys(lists)) {
      const items = value[name]
      if (Array.isArray(items)) for (const item of items) found.push(...readItem(item, lists[name]!, place))
    }
    const unread = Object.keys(value).filter(
      (name) => !circumstances.has(name) && !(Object.hasOwn(lists, name) && Array.isArray(value[name]))
    )
    return unread.length > 0 || found.length === 0
      ? [...found, unsupported(raw, `A change of the field ${field} with ${unread.join(", ") || "nothing"}.`, place)]
      : found
  }

  return ({ bytes, receivedAtMs }: Channel.Verified): Channel.Decoded => {
    let body: unknown
    try {
      body = JSON.parse(utf8.decode(bytes))
    } catch (error) {
      return { ok: false, error: { code: "invalidJson", message: error instanceof Error ? error.message : "no JSON" } }
    }
    const envelope = Payload.Envelope.safeParse(body)
    if (!envelope.success)
      return {
        ok: false,
        error: { code: "notAWebhook", message: explainIssues("No webhook of WhatsApp", envelope.error) }
      }
    const found = envelope.data.entry.flatMap((entry) => {
      const account = Payload.BusinessAccount.safeParse(entry)
      return account.success
        ? account.data.changes.flatMap((change) => readChange(change, receivedAtMs))
        : [unsupported(entry, "An entry without changes.", { account: "unknown", receivedAtMs })]
    })
    return { ok: true, value: distinct(found) }
  }
}
