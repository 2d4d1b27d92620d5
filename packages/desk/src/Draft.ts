/**
 * What one write turn changes: commands are decided on what storage holds, their events gathered, and all of it becomes
 * one commit.
 *
 * @module
 */
import {
  type Actor,
  Address,
  type Authorise,
  ConversationCommand as Commands,
  Contact,
  type Conversation,
  type ConversationCommand,
  ConversationDecision,
  type ConversationEvent,
  ConversationEvolution,
  type Id,
  type Message,
  Rejection
} from "@switchboard/conversation"
import type { Storage, StorageDriver } from "@switchboard/storage"
import { RejectedError } from "./DeskError.ts"
import { encode, streams } from "./DeskEvent.ts"
import { toTimers } from "./Jobs.ts"
import { bounded } from "./Views.ts"

interface ConversationDraft {
  readonly before: Conversation.Conversation | undefined
  state: ConversationEvolution.State
  readonly events: Array<ConversationEvent.ConversationEvent>
  readonly changedMessages: Set<Id.MessageId>
}

interface ContactDraft {
  readonly before: Contact.Contact | undefined
  contact: Contact.Contact | undefined
  readonly events: Array<Contact.ContactEvent>
}

/** Commands that write down something personal. */
const bringsWords: ReadonlySet<ConversationCommand.ConversationCommand["type"]> = new Set<
  ConversationCommand.ConversationCommand["type"]
>([
  "AddThread",
  "ReceiveMessage",
  "RecordEcho",
  "SendMessage",
  "AddNote",
  "EditMessage",
  "HandOff",
  "TransferConversation",
  "SetAttributes",
  "SetSubject",
  "AddParticipant"
])

/** A write turn in the making. Plain mutable state, alive for one decision only. */
export class Draft {
  readonly reads: Storage.Reads
  readonly nowMs: number
  private readonly authorise: Authorise.Authorise
  private readonly conversations = new Map<string, ConversationDraft>()
  private readonly contacts = new Map<string, ContactDraft>()
  private readonly appends: Array<StorageDriver.Append> = []
  private readonly views: Array<StorageDriver.ViewChange> = []
  private readonly timers = new Map<string, StorageDriver.TimerChange>()
  private readonly claims: Array<StorageDriver.ClaimChange> = []
  private readonly minted = new Set<string>()

  constructor(reads: Storage.Reads, nowMs: number, authorise: Authorise.Authorise) {
    this.reads = reads
    this.nowMs = nowMs
    this.authorise = authorise
  }

  private async load(id: Id.ConversationId): Promise<ConversationDraft> {
    const known = this.conversations.get(id)
    if (known) return known
    const stored = this.minted.has(id) ? undefined : await this.reads.document("conversations", id)
    const before = stored?.document as Conversation.Conversation | undefined
    const draft: ConversationDraft = {
      before,
      state: { conversation: before, messages: new Map() },
      events: [],
      changedMessages: new Set()
    }
    this.conversations.set(id, draft)
    return draft
  }

  /** The conversation as this turn leaves it. */
  conversation(id: Id.ConversationId): Promise<Conversation.Conversation | undefined> {
    const known = this.conversations.get(id)
    if (known) return Promise.resolve(known.state.conversation)
    return this.load(id).then(({ state }) => state.conversation)
  }

  /** A message as this turn leaves it. */
  async message(conversationId: Id.ConversationId, id: Id.MessageId): Promise<Message.Message | undefined> {
    const draft = await this.load(conversationId)
    const known = draft.state.messages.get(id)
    if (known || draft.before === undefined || this.minted.has(id)) return known
    const stored = (await this.reads.document("messages", id))?.document as Message.Message | undefined
    if (!stored || stored.conversationId !== conversationId) return undefined
    draft.state = { ...draft.state, messages: new Map(draft.state.messages).set(id, stored) }
    return stored
  }

  /** An id made just now: nothing can be stored under it, so nothing is looked for. */
  mint<A extends string>(id: A): A {
    this.minted.add(id)
    return id
  }

  private async loadContact(id: Id.ContactId): Promise<ContactDraft> {
    const known = this.contacts.get(id)
    if (known) return known
    const stored = this.minted.has(id) ? undefined : await this.reads.document("contacts", id)
    const before = stored?.document as Contact.Contact | undefined
    const draft: ContactDraft = { before, contact: before, events: [] }
    this.contacts.set(id, draft)
    return draft
  }

  /** The contact as this turn leaves it. */
  contact(id: Id.ContactId): Promise<Contact.Contact | undefined> {
    const known = this.contacts.get(id)
    if (known) return Promise.resolve(known.contact)
    return this.loadContact(id).then(({ contact }) => contact)
  }

  /**
   * Gives a command to a conversation.
   *
   * **Fails with** {@link RejectedError} (thrown): the actor may not, or the model refuses.
   */
  async run(
    id: Id.ConversationId,
    command: ConversationCommand.ConversationCommand,
    stamp: Contact.Stamp
  ): Promise<ReadonlyArray<ConversationEvent.ConversationEvent>> {
    const draft = await this.load(id)
    for (const messageId of Commands.toMessageIds(command)) await this.message(id, messageId)
    const allowed = this.authorise(stamp.actor, command, draft.state.conversation)
    if (!allowed.ok) throw new RejectedError({ rejection: allowed.error })
    if (draft.state.conversation) {
      // Loaded, and so guarded, for every command: what this process remembers of a conversation must not come back
      // after another process has erased its contact.
      const { contact } = await this.loadContact(draft.state.conversation.contactId)
      if (bringsWords.has(command.type)) requirePresent(contact)
    }
    const decided = ConversationDecision.decide(draft.state, command, stamp)
    if (!decided.ok) throw new RejectedError({ rejection: decided.error })
    for (const event of decided.value) {
      draft.state = ConversationEvolution.evolve(draft.state, event)
      draft.events.push(event)
      const messageId = ConversationEvolution.toMessageId(event)
      if (messageId !== undefined) draft.changedMessages.add(messageId)
    }
    return decided.value
  }

  /** Gives a command to a contact; verified and claimed addresses are owned by claims in the same commit. */
  async runOnContact(
    id: Id.ContactId,
    command: Contact.ContactCommand,
    stamp: Contact.Stamp
  ): Promise<ReadonlyArray<Contact.ContactEvent>> {
    const draft = await this.loadContact(id)
    const allowed = this.authorise(stamp.actor, command, undefined)
    if (!allowed.ok) throw new RejectedError({ rejection: allowed.error })
    const decided = Contact.decide(draft.contact, command, stamp)
    if (!decided.ok) throw new RejectedError({ rejection: decided.error })
    for (const event of decided.value) {
      draft.contact = Contact.evolve(draft.contact, event)
      draft.events.push(event)
      if (event.type === "ContactCreated") for (const address of event.addresses) this.own(id, address)
      if (event.type === "AddressAdded" || event.type === "AddressVerified") this.own(id, event.address)
    }
    return decided.value
  }

  private own(contactId: Id.ContactId, address: Address.Address): void {
    this.claim({ key: addressClaim(address), value: contactId, subject: contactId })
  }

  claim(change: StorageDriver.ClaimChange): void {
    this.claims.push(change)
  }

  /** Whether this turn takes a claim. */
  isClaiming(key: string): boolean {
    return this.claims.some((claim) => claim.key === key)
  }

  timer(change: StorageDriver.TimerChange): void {
    this.timers.set("set" in change ? change.set.key : change.clear, change)
  }

  view(change: StorageDriver.ViewChange): void {
    this.views.push(change)
  }

  /** Appends to a stream that is neither a conversation's nor a contact's. */
  append(stream: string, expectedVersion: number, events: ReadonlyArray<StorageDriver.NewEvent>): void {
    this.appends.push({ stream, expectedVersion, events })
  }

  /** Everything this turn changes. */
  toCommit(): Storage.WorkspaceCommit {
    const appends = [...this.appends]
    const views = [...this.views]
    for (const [id, draft] of this.conversations) {
      const { conversation } = draft.state
      if (draft.events.length === 0 || !conversation) continue
      const subject = conversation.contactId
      appends.push({
        stream: streams.conversation(id),
        expectedVersion: draft.before?.version ?? 0,
        events: draft.events.map((event) => encode(event, subject, this.nowMs))
      })
      views.push({ view: "conversations", key: id, put: conversation, version: conversation.version, subject })
      for (const messageId of draft.changedMessages) {
        const message = draft.state.messages.get(messageId)
        if (message)
          views.push({ view: "messages", key: messageId, put: message, version: conversation.version, subject })
      }
      for (const event of draft.events) {
        for (const change of toTimers(conversation, event, this.nowMs)) this.timer(change)
      }
    }
    for (const [id, draft] of this.contacts) {
      if (!draft.contact) continue
      appends.push({
        stream: streams.contact(id),
        expectedVersion: draft.before?.version ?? 0,
        events: draft.events.map((event) => encode(event, id, this.nowMs))
      })
      if (draft.events.length > 0) {
        views.push({ view: "contacts", key: id, put: draft.contact, version: draft.contact.version, subject: id })
      }
    }
    return { appends, views, timers: [...this.timers.values()], claims: this.claims }
  }
}

/** What was said to and of an erased contact is gone; nothing is to come in its place. */
const requirePresent = (contact: Contact.Contact | undefined): void => {
  if (contact?.erasedAtMs === undefined) return
  throw new RejectedError({
    rejection: Rejection.make("contactErased", "the contact was erased; the conversation can only be closed", {
      contactId: contact.id,
      erasedAtMs: contact.erasedAtMs
    })
  })
}

/** The claim that owns an address: verified ones are one person's for all channels, claimed ones only a hint. */
export const addressClaim = (address: Address.Address): string =>
  bounded(`address/${address.state}/${Address.toKey(address)}`)

/** How long platform message ids stay claimed: platforms retry for up to 7 days. */
export const claimLifetimeMs = 9 * 24 * 3_600_000

/** The claim of a platform's message id; its value finds the message. */
export const platformClaim = (accountId: string, platformId: string): string =>
  bounded(`platform/${accountId}/${platformId}`)

/** Who acts, when: the stamp of a command given now. */
export const stampOf = (
  actor: Actor.Actor,
  nowMs: number,
  more: Omit<Contact.Stamp, "actor" | "nowMs"> = {}
): Contact.Stamp => ({ actor, nowMs, ...more })
