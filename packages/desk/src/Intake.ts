/**
 * From a channel's neutral entries to commits: whose it is, which conversation it belongs to, and what it changes.
 *
 * @module
 */
import type { Channel, ChannelAccount, Inbound } from "@switchboard/channel"
import {
  Actor,
  Address,
  type Attachment,
  type Contact,
  type Conversation,
  ConversationDecision,
  Conversation as Conversations,
  type Delivery,
  Id,
  type Message,
  type Participant
} from "@switchboard/conversation"
import type { StorageDriver } from "@switchboard/storage"
import { addressClaim, claimLifetimeMs, type Draft, platformClaim, stampOf } from "./Draft.ts"
import { addressSubject, personOf } from "./Erasure.ts"
import * as Jobs from "./Jobs.ts"
import { bounded, type ThreadEntry, threadKey } from "./Views.ts"

/** What a new conversation is given. */
export interface OpeningRules {
  /** The bot that answers first on a channel kind, if any. */
  readonly firstResponder: (channelKind: string) => Id.BotId | undefined
  /** What happens when a contact writes on one channel while a conversation from another is open. */
  readonly continuity: "join" | "link"
}

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

/** An entry with everything the handler stamps into it. `blobKeys` name the bytes already stored, by attachment id. */
export interface Arrival {
  readonly channel: Channel.Channel
  readonly account: ChannelAccount.ChannelAccount
  readonly entry: Inbound.Entry
  readonly newId: () => string
  readonly blobKeys: ReadonlyMap<string, { readonly blobKey: string; readonly sizeBytes: number }>
}

/** How long a message is found by its platform id where exchanges are told apart by it. */
export const longMemoryMs = 365 * 24 * 3_600_000

type Content = Inbound.MessageReceived | Inbound.MessageEchoed | Inbound.CommentReceived | Inbound.AutoReplyReceived

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

// ── Contacts ──

/** The contact an address set belongs to; a new one when none does. Verified addresses join, others are suggested. */
const findContact = async (draft: Draft, from: Inbound.Sender, newId: () => string): Promise<Id.ContactId> => {
  const owners = await draft.reads.claims(from.addresses.map(addressClaim))
  const verified = from.addresses.flatMap((address, index) =>
    address.state === "verified" && owners[index] ? [owners[index].value] : []
  )
  // An address that was only claimed leads to the contact that claimed it before, never to the one who proved it.
  const claimed = from.addresses.some((address) => address.state === "verified")
    ? []
    : from.addresses.flatMap((_, index) => (owners[index] ? [owners[index].value] : []))
  const found = verified[0] ?? claimed[0]
  const known = found === undefined ? undefined : await follow(draft, Id.ContactId.parse(found))
  // Somebody erased this instant is nobody: what comes is from somebody new.
  const isGone = known !== undefined && (await draft.contact(known))?.erasedAtMs !== undefined
  const contactId = known === undefined || isGone ? draft.mint(Id.ContactId.parse(newId())) : known
  const stamp = stampOf({ kind: "contact", id: contactId }, draft.nowMs)
  const unowned = from.addresses.filter((_, index) => !owners[index])
  if (known === undefined || isGone) {
    await draft.runOnContact(
      contactId,
      {
        type: "CreateContact",
        contactId,
        ...(from.name !== undefined && { name: from.name }),
        ...(from.language !== undefined && { language: from.language }),
        addresses: unowned
      },
      stamp
    )
  } else {
    for (const address of unowned) {
      if (address.state === "verified" || claimed.length > 0) {
        await draft.runOnContact(contactId, { type: "AddAddress", address }, stamp)
      }
    }
    const contact = await draft.contact(contactId)
    if (from.name !== undefined && contact?.name === undefined) {
      await draft.runOnContact(contactId, { type: "UpdateContact", name: from.name }, stamp)
    }
  }
  if (unowned.length > 0 || new Set(verified).size > 1) await suggest(draft, contactId, from, owners, stamp)
  return contactId
}

/** Other contacts that may be the same person, for an agent to decide. */
const suggest = async (
  draft: Draft,
  contactId: Id.ContactId,
  from: Inbound.Sender,
  owners: ReadonlyArray<StorageDriver.StoredClaim | undefined>,
  stamp: Contact.Stamp
): Promise<void> => {
  const opposite = await draft.reads.claims(
    from.addresses.map((address) =>
      addressClaim({ ...address, state: address.state === "verified" ? "claimed" : "verified" })
    )
  )
  for (const [index, address] of from.addresses.entries()) {
    for (const claim of [owners[index], opposite[index]]) {
      if (claim === undefined) continue
      const other = await follow(draft, Id.ContactId.parse(claim.value))
      if (other === contactId || (await draft.contact(other))?.erasedAtMs !== undefined) continue
      const evidence = `same ${address.kind}, ${address.state === "verified" && claim === owners[index] ? "verified on both sides" : "not verified on one side"}`
      await draft.runOnContact(contactId, { type: "SuggestMatch", contactId: other, evidence }, stamp)
    }
  }
}

/** The contact that a merged one counts as. */
const follow = async (draft: Draft, id: Id.ContactId): Promise<Id.ContactId> => {
  let current = id
  for (let steps = 0; steps < 10; steps++) {
    const into = (await draft.contact(current))?.mergedInto
    if (into === undefined) return current
    current = into
  }
  return current
}

// ── Conversations ──

interface Place {
  readonly conversationId: Id.ConversationId
  readonly threadId: Id.ThreadId
}

/** Thread ids begin with their conversation's, so that one finds the other. */
const conversationOf = (threadId: string): Id.ConversationId | undefined => {
  const dot = threadId.lastIndexOf(".")
  return dot > 0 ? Id.ConversationId.parse(threadId.slice(0, dot)) : undefined
}

/** Whether a sender takes part: the contact, whoever was merged into them, or somebody it is copied to. */
const belongs = async (
  draft: Draft,
  conversation: Conversation.Conversation,
  contactId: Id.ContactId,
  from: Inbound.Sender
): Promise<boolean> =>
  conversation.contactId === contactId ||
  (await follow(draft, conversation.contactId)) === contactId ||
  conversation.participants.some(
    (one) =>
      (one.role === "cc" && from.addresses.some((address) => Address.isSame(address, one.address))) ||
      (one.role === "requester" && one.contactId === contactId)
  )

/** The conversation and thread an entry continues. */
const findExisting = async (
  draft: Draft,
  arrival: Arrival,
  entry: Content,
  contactId: Id.ContactId
): Promise<{ readonly conversation: Conversation.Conversation; readonly threadId: Id.ThreadId } | undefined> => {
  const { account } = arrival
  const at = async (conversationId: Id.ConversationId | undefined, threadId: string | undefined) => {
    const conversation = conversationId && (await draft.conversation(conversationId))
    const thread = conversation?.threads.find((one) => one.id === threadId || threadId === undefined)
    // Nobody goes on in what was an erased contact's: what they write there would be kept under that contact.
    const isGone = conversation && (await draft.contact(conversation.contactId))?.erasedAtMs !== undefined
    return conversation && thread && !isGone ? { conversation, threadId: thread.id } : undefined
  }
  const { token, references = [], key } = entry.thread
  if (token !== undefined) {
    const found = await at(conversationOf(token), token)
    if (found) return found
  }
  if (references.length > 0) {
    const claims = await draft.reads.claims(references.map((reference) => platformClaim(account.id, reference)))
    for (const claim of claims.toReversed()) {
      if (!claim) continue
      const [conversationId, messageId] = claim.value.split("/")
      const found = await at(Id.ConversationId.parse(conversationId), undefined)
      if (!found || !(await belongs(draft, found.conversation, contactId, entry.from))) continue
      const message = messageId && (await draft.message(found.conversation.id, Id.MessageId.parse(messageId)))
      return { ...found, threadId: message ? message.threadId : found.threadId }
    }
  }
  const stored = (await draft.reads.document("threads", threadKey(account.id, key)))?.document as
    | ThreadEntry
    | undefined
  if (!stored) return undefined
  const found = await at(stored.conversationId, stored.threadId)
  return found && (await belongs(draft, found.conversation, contactId, entry.from)) ? found : undefined
}

const findPlace = async (
  draft: Draft,
  arrival: Arrival,
  entry: Content,
  contactId: Id.ContactId,
  rules: OpeningRules
): Promise<Place> => {
  const found = await findExisting(draft, arrival, entry, contactId)
  let conversation = found?.conversation
  // A merged conversation goes on in another, on a thread of its own there.
  if (found && conversation?.mergedInto !== undefined) {
    for (let steps = 0; conversation?.mergedInto !== undefined && steps < 10; steps++) {
      conversation = await draft.conversation(conversation.mergedInto)
    }
    if (conversation && ConversationDecision.takesMessages(conversation) && hasRoom(conversation)) {
      return addThread(draft, arrival, entry, conversation, contactId)
    }
  }
  if (found && conversation && ConversationDecision.takesMessages(conversation)) {
    return { conversationId: conversation.id, threadId: found.threadId }
  }
  const links: Array<Conversation.Link> = conversation ? [{ kind: "followUpOf", conversationId: conversation.id }] : []
  const open = conversation ? undefined : await findOpen(draft, contactId)
  if (open) {
    // A merge can be undone: what was a merged-away contact's stays theirs.
    if (open.contactId === contactId && joins(open, arrival, entry, rules))
      return addThread(draft, arrival, entry, open, contactId)
    links.push({ kind: "related", conversationId: open.id })
  }
  const place = await openConversation(draft, arrival, entry, contactId, rules, links)
  for (const { kind, conversationId } of links) {
    await draft.run(
      conversationId,
      {
        type: "LinkConversation",
        link: {
          kind: kind === "followUpOf" ? "followedUpBy" : "related",
          conversationId: place.conversationId
        }
      },
      stampOf(Actor.system("intake"), draft.nowMs)
    )
  }
  return place
}

/** The contact's open conversation, the latest opened first; without one, that of somebody who was merged into them. */
const findOpen = async (draft: Draft, contactId: Id.ContactId): Promise<Conversation.Conversation | undefined> => {
  for (const id of await personOf(draft.reads, contactId)) {
    const page = await draft.reads.query({
      view: "conversations",
      where: [{ field: "contactId", equals: id }],
      order: { field: "openedAtMs", direction: "descending" },
      limit: 20
    })
    const open = page.documents
      .map((stored) => stored.document as unknown as Conversation.Conversation)
      .find(Conversations.isActive)
    if (open) return draft.conversation(open.id)
  }
  return undefined
}

/** Whether a conversation takes one more thread; one that is full goes on in a follow-up. */
const hasRoom = (conversation: Conversation.Conversation): boolean =>
  conversation.threads.length < Conversations.limits.threads

/** Whether an entry continues an open conversation from another channel. Nothing private ever joins something public. */
const joins = (
  open: Conversation.Conversation,
  { account, channel }: Arrival,
  entry: Content,
  rules: OpeningRules
): boolean =>
  rules.continuity === "join" &&
  hasRoom(open) &&
  entry.thread.audience === "private" &&
  open.threads.every((thread) => thread.audience !== "public") &&
  entry.from.addresses.some((address) => address.state === "verified") &&
  !(channel.capabilities.threads === "topic" && open.threads.some((thread) => thread.accountId === account.id))

const newThread = ({ account, channel }: Arrival, entry: Content, threadId: Id.ThreadId) => ({
  id: threadId,
  channelKind: channel.kind,
  accountId: account.id,
  audience: entry.thread.audience,
  key: entry.thread.key,
  recipients: entry.thread.replyTo,
  ...(entry.thread.subject !== undefined && { subject: entry.thread.subject }),
  ...(entry.thread.rootPost !== undefined && { rootPost: entry.thread.rootPost })
})

const remember = async (
  draft: Draft,
  { account }: Arrival,
  entry: Content,
  place: Place,
  contactId: Id.ContactId
): Promise<Place> => {
  const key = threadKey(account.id, entry.thread.key)
  const before = (await draft.reads.document("threads", key))?.document as ThreadEntry | undefined
  const goesOn = before !== undefined && before.conversationId !== place.conversationId
  // Who comes to a key that was somebody else's reads nothing of theirs.
  const isSamePerson = before !== undefined && (await follow(draft, before.contactId)) === contactId
  const earlier = isSamePerson ? (before.earlier ?? []) : []
  const put: ThreadEntry = {
    ...place,
    contactId,
    place: (before?.place ?? 0) + (goesOn ? 1 : 0),
    earlier: goesOn && isSamePerson ? [...earlier, before.conversationId].slice(-50) : earlier
  }
  draft.view({ view: "threads", key, put: { ...put }, subject: contactId })
  return place
}

const addThread = async (
  draft: Draft,
  arrival: Arrival,
  entry: Content,
  conversation: Conversation.Conversation,
  contactId: Id.ContactId
): Promise<Place> => {
  const known = conversation.threads.find(
    (thread) => thread.accountId === arrival.account.id && thread.key === entry.thread.key
  )
  const threadId = known?.id ?? Id.ThreadId.parse(`${conversation.id}.${conversation.threads.length + 1}`)
  const place = { conversationId: conversation.id, threadId }
  if (!known) {
    await draft.run(
      conversation.id,
      { type: "AddThread", thread: newThread(arrival, entry, threadId) },
      stampOf({ kind: "contact", id: contactId }, draft.nowMs)
    )
  }
  return remember(draft, arrival, entry, place, contactId)
}

const openConversation = async (
  draft: Draft,
  arrival: Arrival,
  entry: Content,
  contactId: Id.ContactId,
  rules: OpeningRules,
  links: ReadonlyArray<Conversation.Link>
): Promise<Place> => {
  const conversationId = draft.mint(Id.ConversationId.parse(arrival.newId()))
  const place = { conversationId, threadId: Id.ThreadId.parse(`${conversationId}.1`) }
  const contact = await draft.contact(contactId)
  const bot = entry.kind === "messageReceived" ? rules.firstResponder(arrival.channel.kind) : undefined
  // The contact's stream decides between two first messages at once: the second finds this conversation.
  await draft.runOnContact(
    contactId,
    { type: "StartConversation", conversationId },
    stampOf({ kind: "contact", id: contactId }, draft.nowMs)
  )
  const language = entry.from.language ?? contact?.language
  await draft.run(
    conversationId,
    {
      type: "OpenConversation",
      conversationId,
      contactId,
      thread: newThread(arrival, entry, place.threadId),
      ...(entry.thread.subject !== undefined && { subject: entry.thread.subject }),
      ...(language !== undefined && { language }),
      ...(bot !== undefined && { holder: { kind: "bot", id: bot } }),
      links: [...links]
    },
    stampOf({ kind: "contact", id: contactId }, draft.nowMs)
  )
  return remember(draft, arrival, entry, place, contactId)
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
  if (found.deletedAtMs === undefined) {
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
