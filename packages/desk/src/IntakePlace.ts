/**
 * Which conversation and thread an entry belongs to: the one it continues, one it joins, or a new one.
 *
 * @module
 */
import type { Channel, ChannelAccount, Inbound } from "@switchboard/channel"
import {
  Actor,
  Address,
  type Conversation,
  ConversationDecision,
  Conversation as Conversations,
  Id
} from "@switchboard/conversation"
import { type Draft, platformClaim, stampOf } from "./Draft.ts"
import { personOf } from "./Erasure.ts"
import { follow } from "./IntakeContact.ts"
import { type ThreadEntry, threadKey } from "./Views.ts"

/** What a new conversation is given. */
export interface OpeningRules {
  /** The bot that answers first on a channel kind, if any. */
  readonly firstResponder: (channelKind: string) => Id.BotId | undefined
  /** What happens when a contact writes on one channel while a conversation from another is open. */
  readonly continuity: "join" | "link"
}

/** An entry with everything the handler stamps into it. `blobKeys` name the bytes already stored, by attachment id. */
export interface Arrival {
  readonly channel: Channel.Channel
  readonly account: ChannelAccount.ChannelAccount
  readonly entry: Inbound.Entry
  readonly newId: () => string
  readonly blobKeys: ReadonlyMap<string, { readonly blobKey: string; readonly sizeBytes: number }>
}

/** An entry that brings words of its own. */
export type Content =
  | Inbound.MessageReceived
  | Inbound.MessageEchoed
  | Inbound.CommentReceived
  | Inbound.AutoReplyReceived

/** Where an entry's words go. */
export interface Place {
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

/** The conversation and thread of an entry; a new conversation, linked to what it follows, when it continues none. */
export const findPlace = async (
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
