/**
 * From a channel's neutral entries to commits: what an entry changes, once it is known whose it is and where it belongs.
 *
 * @module
 */
import type { ChannelAccount, Inbound } from "@switchboard/channel"
import {
  Actor,
  Address,
  type Attachment,
  type Conversation,
  type Delivery,
  Id,
  type Message,
  type Participant
} from "@switchboard/conversation"
import type { StorageDriver } from "@switchboard/storage"
import { addressClaim, claimLifetimeMs, type Draft, platformClaim, stampOf } from "./Draft.ts"
import { addressSubject } from "./Erasure.ts"
import { findContact } from "./IntakeContact.ts"
import { type Arrival, type Content, findPlace, type OpeningRules } from "./IntakePlace.ts"
import * as Jobs from "./Jobs.ts"
import { bounded } from "./Views.ts"

export type { Arrival, OpeningRules } from "./IntakePlace.ts"

/** What an entry came to. `retry`: what it speaks of is not known yet; it is tried again later. */
export type IntakeResult =
  | {
      readonly outcome: "applied"
      readonly conversationId: Id.ConversationId | undefined
      readonly messageId?: Id.MessageId
    }
  | { readonly outcome: "duplicate"; readonly conversationId?: Id.ConversationId }
  | { readonly outcome: "retry"; readonly reason: string }
  | { readonly outcome: "unusable"; readonly code: string; readonly reason: string }
  | { readonly outcome: "ephemeral" }

/** How long a message is found by its platform id where exchanges are told apart by it. */
export const longMemoryMs = 365 * 24 * 3_600_000

/** Whether an entry brings words of its own, rather than speaking of a message. */
export const isContent = (entry: Inbound.Entry): boolean => "thread" in entry

/** The claim that makes a redelivery change nothing: the message's own, where the platform names both the same. */
const entryClaim = (account: ChannelAccount.ChannelAccount, entry: Inbound.Entry): string =>
  isContent(entry) && "platformId" in entry && entry.platformId === entry.entryId
    ? platformClaim(account.id, entry.platformId)
    : bounded(`entry/${account.id}/${entry.kind}/${entry.entryId}`)

/** The key of an entry's dead letter: however often it comes, it is kept once. */
export const letterClaim = (entry: Inbound.Entry): string =>
  bounded(`letter/${entry.account}/${entry.kind}/${entry.entryId}`)

/** The lane of an entry: entries of one sender follow one another, in order. */
export const laneOf = (account: ChannelAccount.ChannelAccount, entry: Inbound.Entry): string =>
  "from" in entry && entry.from
    ? `address/${Address.toKey(entry.from.addresses[0]!)}`
    : "platformId" in entry
      ? `platform/${account.id}/${entry.platformId}`
      : `account/${account.id}`

/**
 * Applies one entry within a write turn.
 *
 * An entry is claimed by its id, so that a redelivery changes nothing. What speaks of a message that is not known yet is
 * kept and tried again.
 */
export const apply = async (draft: Draft, arrival: Arrival, rules: OpeningRules): Promise<IntakeResult> => {
  const { account, entry } = arrival
  if (entry.kind === "typingChanged") return { outcome: "ephemeral" }
  const claim = entryClaim(account, entry)
  const [taken] = await draft.reads.claims([claim])
  if (taken) {
    const [conversationId] = taken.value.split("/")
    return { outcome: "duplicate", ...(conversationId && { conversationId: Id.ConversationId.parse(conversationId) }) }
  }
  const result = await applyNew(draft, arrival, rules)
  if (result.outcome === "applied" && !draft.isClaiming(claim)) {
    const subject = result.conversationId && (await draft.conversation(result.conversationId))?.contactId
    draft.claim({
      key: claim,
      value: result.conversationId ?? "",
      expiresAtMs: draft.nowMs + claimLifetimeMs,
      ...(subject !== undefined && { subject })
    })
  }
  return result
}

const applyNew = (draft: Draft, arrival: Arrival, rules: OpeningRules): Promise<IntakeResult> => {
  const { entry } = arrival
  switch (entry.kind) {
    case "messageReceived":
    case "messageEchoed":
    case "commentReceived":
    case "autoReplyReceived":
      return applyContent(draft, arrival, entry, rules)
    case "actionChosen":
      return applyContent(
        draft,
        arrival,
        {
          kind: "messageReceived",
          account: entry.account,
          entryId: entry.entryId,
          occurredAtMs: entry.occurredAtMs,
          platformId: `action:${entry.entryId}`,
          from: entry.from,
          thread: entry.thread,
          parts: [{ kind: "choice", id: entry.actionId, label: entry.label }],
          attachments: [],
          ...(entry.ofPlatformId !== undefined && { replyToPlatformId: entry.ofPlatformId })
        },
        rules
      )
    case "messageEdited":
      return onKnown(draft, arrival, entry.platformId, async ({ conversationId, messageId, author }) => {
        await draft.run(
          conversationId,
          { type: "EditMessage", messageId, parts: entry.parts },
          stampOf(author, draft.nowMs, { occurredAtMs: entry.occurredAtMs })
        )
      })
    case "messageDeleted":
      return onKnown(draft, arrival, entry.platformId, async ({ conversationId, messageId, author }) => {
        await draft.run(
          conversationId,
          { type: "DeleteMessage", messageId },
          stampOf(author, draft.nowMs, { occurredAtMs: entry.occurredAtMs })
        )
      })
    case "reactionAdded":
    case "reactionRemoved":
      return onKnown(draft, arrival, entry.platformId, async ({ conversationId, messageId, contactId }) => {
        await draft.run(
          conversationId,
          entry.kind === "reactionAdded"
            ? { type: "AddReaction", messageId, emoji: entry.emoji }
            : { type: "RemoveReaction", messageId, ...(entry.emoji !== undefined && { emoji: entry.emoji }) },
          stampOf({ kind: "contact", id: contactId }, draft.nowMs, { occurredAtMs: entry.occurredAtMs })
        )
      })
    case "deliveryChanged":
      return applyDelivery(draft, arrival, entry.platformId, entry.occurredAtMs, {
        state: entry.state,
        ...(entry.failure && { failure: entry.failure })
      })
    case "bounceReceived":
      return entry.permanent
        ? applyDelivery(draft, arrival, entry.platformId, entry.occurredAtMs, {
            state: "failed",
            failure: { code: "bounced", message: entry.reason, retryable: false }
          })
        : Promise.resolve({ outcome: "applied", conversationId: undefined })
    case "identityChanged":
      return applyIdentity(draft, entry)
    case "followChanged":
    case "callChanged":
    case "channelTrouble":
      return Promise.resolve({
        outcome: "unusable",
        code: entry.kind,
        reason: "the desk keeps no record of this kind of entry yet; it stays here for people to see"
      })
    case "unsupported":
      return Promise.resolve({ outcome: "unusable", code: "unsupported", reason: entry.reason })
    case "typingChanged":
      return Promise.resolve({ outcome: "ephemeral" })
  }
}

// ── Content ──

const applyContent = async (
  draft: Draft,
  arrival: Arrival,
  entry: Content,
  rules: OpeningRules
): Promise<IntakeResult> => {
  const { account, channel, newId } = arrival
  // What the business wrote elsewhere may be our own message coming back. A contact's client may name two messages alike.
  const known =
    entryClaim(account, entry) === platformClaim(account.id, entry.platformId)
      ? undefined
      : (await draft.reads.claims([platformClaim(account.id, entry.platformId)]))[0]
  if (known && entry.kind === "messageEchoed") {
    return { outcome: "duplicate", conversationId: Id.ConversationId.parse(known.value.split("/")[0]) }
  }
  const contactId = await findContact(draft, entry.from, newId)
  const isEcho = entry.kind === "messageEchoed"
  const actor: Actor.Actor = isEcho ? Actor.system("echo") : { kind: "contact", id: contactId }
  const stamp = stampOf(actor, draft.nowMs, { occurredAtMs: entry.occurredAtMs })
  const place = await findPlace(draft, arrival, entry, contactId, rules)

  const messageId = draft.mint(Id.MessageId.parse(newId()))
  const attachments = entry.attachments.map((attachment) => toAttachment(attachment, messageId, arrival.blobKeys))
  const renamed = new Map(
    entry.attachments.map((attachment, index) => [attachment.id as string, attachments[index]!.id])
  )
  const parts = entry.parts.map((part) =>
    part.kind === "attachment" ? { ...part, attachmentId: renamed.get(part.attachmentId) ?? part.attachmentId } : part
  )
  const quoted =
    entry.replyToPlatformId === undefined
      ? undefined
      : (await draft.reads.claims([platformClaim(account.id, entry.replyToPlatformId)]))[0]?.value.split("/")[1]
  const content = {
    messageId,
    threadId: place.threadId,
    parts,
    attachments,
    platformId: entry.platformId,
    ...(quoted !== undefined && { replyTo: Id.MessageId.parse(quoted) })
  }
  await draft.run(
    place.conversationId,
    isEcho
      ? { type: "RecordEcho", ...content }
      : { type: "ReceiveMessage", ...content, ...(entry.kind === "autoReplyReceived" && { automatic: true }) },
    stamp
  )
  for (const { name: _, ...address } of entry.thread.cc ?? []) {
    await draft.run(place.conversationId, { type: "AddParticipant", participant: { role: "cc", address } }, stamp)
  }
  if (!known) {
    draft.claim({
      key: platformClaim(account.id, entry.platformId),
      value: `${place.conversationId}/${messageId}`,
      // Mail is answered, quoted and bounced long after; elsewhere edits come within the platform's retries.
      expiresAtMs: draft.nowMs + (channel.capabilities.threads === "topic" ? longMemoryMs : claimLifetimeMs),
      subject: contactId
    })
  }
  return { outcome: "applied", conversationId: place.conversationId, messageId }
}

const toAttachment = (
  attachment: Inbound.InboundAttachment,
  messageId: Id.MessageId,
  blobs: Arrival["blobKeys"]
): Attachment.Attachment => {
  const { content, id, ...facts } = attachment
  const stored = blobs.get(id)
  const own = Id.AttachmentId.parse(`${messageId}.${id}`.slice(0, 128))
  return stored
    ? { ...facts, id: own, state: "stored", blobKey: stored.blobKey, sizeBytes: stored.sizeBytes }
    : { ...facts, id: own, state: "pending", ...("ref" in content && { source: content.ref }) }
}

// ── What speaks of an earlier message ──

interface Known {
  readonly conversationId: Id.ConversationId
  readonly messageId: Id.MessageId
  readonly contactId: Id.ContactId
  readonly author: Actor.Actor
}

const onKnown = async (
  draft: Draft,
  { account, entry }: Arrival,
  platformId: string,
  then: (known: Known) => Promise<void>
): Promise<IntakeResult> => {
  const [claim] = await draft.reads.claims([platformClaim(account.id, platformId)])
  if (!claim) return { outcome: "retry", reason: `${entry.kind} of a message that has not come yet: ${platformId}` }
  const [conversation, message] = claim.value.split("/")
  const conversationId = Id.ConversationId.parse(conversation)
  const messageId = Id.MessageId.parse(message)
  const found = await draft.message(conversationId, messageId)
  const holder = await draft.conversation(conversationId)
  if (!found || !holder) return { outcome: "retry", reason: `the message ${messageId} can't be read yet` }
  // What was removed isn't brought back by an edit of it.
  if (found.deletedAtMs === undefined && holder.contentErasedAtMs === undefined) {
    const author: Actor.Actor = found.author.kind === "contact" ? found.author : Actor.system("platform")
    await then({ conversationId, messageId, contactId: holder.contactId, author })
  }
  return { outcome: "applied", conversationId, messageId }
}

const applyDelivery = (
  draft: Draft,
  arrival: Arrival,
  platformId: string,
  occurredAtMs: number,
  change: { readonly state: Delivery.DeliveryState; readonly failure?: Delivery.DeliveryFailure }
): Promise<IntakeResult> =>
  onKnown(draft, arrival, platformId, async ({ conversationId, messageId }) => {
    const message = await draft.message(conversationId, messageId)
    const delivery = message?.deliveries.find((one) => one.platformIds.includes(platformId)) ?? message?.deliveries[0]
    if (!delivery) return
    await draft.run(
      conversationId,
      { type: "RecordDelivery", messageId, deliveryId: delivery.id, ...change },
      stampOf(Actor.system("platform"), draft.nowMs, { occurredAtMs })
    )
  })

const applyIdentity = async (draft: Draft, entry: Inbound.IdentityChanged): Promise<IntakeResult> => {
  const [owner] = await draft.reads.claims([addressClaim({ ...entry.before, state: "verified" })])
  if (!owner) return { outcome: "applied", conversationId: undefined }
  const contactId = Id.ContactId.parse(owner.value)
  const [other] = await draft.reads.claims([addressClaim(entry.after)])
  if (!other) {
    await draft.runOnContact(
      contactId,
      { type: "AddAddress", address: entry.after },
      stampOf({ kind: "contact", id: contactId }, draft.nowMs, { occurredAtMs: entry.occurredAtMs })
    )
  }
  return { outcome: "applied", conversationId: undefined }
}

/** The participants that an outgoing message of a thread is copied to. */
export const copiesOf = (
  conversation: Conversation.Conversation,
  message: Pick<Message.Message, "threadId">
): ReadonlyArray<Delivery.Recipient> => {
  const thread = conversation.threads.find((one) => one.id === message.threadId)
  const direct = new Set(thread?.recipients.map(Address.toKey) ?? [])
  return conversation.participants
    .filter((one): one is Extract<Participant.Participant, { role: "cc" }> => one.role === "cc")
    .map((one) => one.address)
    .filter(
      (address) => !direct.has(Address.toKey(address)) && thread?.recipients.some((to) => to.kind === address.kind)
    )
}

/** How long an entry whose message is unknown is tried again before it becomes a dead letter. */
export const retryDelaysMs: ReadonlyArray<number> = [1000, 5000, 30_000, 300_000, 3_600_000, 24 * 3_600_000]

/** The timer that tries an entry again, or `undefined` when it has been tried long enough. */
export const retryOf = (
  channelKind: string,
  entry: Inbound.Entry,
  attempt: number,
  firstAtMs: number,
  nowMs: number
): StorageDriver.NewTimer | undefined => {
  const delayMs = retryDelaysMs[attempt]
  return delayMs === undefined
    ? undefined
    : Jobs.job(
        "entry",
        bounded(`${channelKind}/${entry.account}/${entry.kind}/${entry.entryId}`),
        nowMs + delayMs,
        { channelKind, entry, attempt: attempt + 1, firstAtMs },
        "from" in entry && entry.from ? { subject: addressSubject(entry.from.addresses[0]!) } : {}
      )
}
