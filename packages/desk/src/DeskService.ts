/**
 * What a desk does: one definition, from which the promise API is derived.
 *
 * @module
 */
import type { Channel, ContactThread } from "@switchboard/channel"
import type {
  Actor,
  Agent,
  Attachment,
  Contact,
  Conversation,
  ConversationCommand,
  Message
} from "@switchboard/conversation"
import type { Measure, Report } from "@switchboard/metrics"
import type { Explanation, Presence } from "@switchboard/routing"
import type { Words } from "@switchboard/storage"
import type { Effect, Stream } from "effect"
import type { Audit } from "./Audit.ts"
import type { ContextFact } from "./DeskConfig.ts"
import type { DeskError } from "./DeskError.ts"
import type { DeadLetter, InboxRow, ParkedStream } from "./Views.ts"

/** What became of a command. `repeated`: the command id had been used; this is the first answer. */
export interface CommandAnswer {
  readonly conversationId: string
  readonly version: number
  readonly repeated: boolean
  readonly messageId?: string
}

/** With a `commandId` a repeat of the same command changes nothing and returns the first answer. */
export interface CommandOptions {
  readonly commandId?: string
  readonly onBehalfOf?: Actor.Actor
}

/** What an agent writes: to the contact on a thread (the one they last wrote on by default), or as a note. */
export interface ReplyInput {
  readonly parts: ReadonlyArray<Message.MessagePart>
  readonly threadId?: string
  readonly attachments?: ReadonlyArray<{
    readonly name: string
    readonly mediaType: string
    readonly bytes: Uint8Array
  }>
  readonly purpose?: Message.Purpose
  readonly replyTo?: string
  readonly fence?: number
}

/** A note to colleagues. */
export interface NoteInput {
  readonly text: string
  readonly mentions?: ReadonlyArray<Message.Mention>
}

/** Where a page of the list ended. */
export interface InboxCursor {
  readonly attention: number
  readonly key: string
}

/** What somebody looks for. **Shape** `limit` is of each kind: 1 to 50, 20 unless told otherwise. */
export interface SearchQuery {
  readonly text: string
  readonly limit?: number
}

/** A message that was found, with the row of its conversation. **Shape** see `Words.Snippet` of storage for `snippet`. */
export interface FoundMessage {
  readonly conversationId: string
  readonly messageId: string
  readonly direction: Message.Message["direction"]
  readonly recordedAtMs: number
  readonly snippet: Words.Snippet
  readonly row: InboxRow | null
}

/** A contact that was found by its name or an address. */
export interface FoundContact {
  readonly contactId: string
  readonly name: string
  readonly snippet: Words.Snippet
}

/**
 * What a search found, the best first.
 *
 * **Shape** `behind` counts messages and contacts that came or changed so lately that they are not searched yet: a moment,
 * unless the desk isn't running.
 */
export interface SearchAnswer {
  readonly messages: ReadonlyArray<FoundMessage>
  readonly contacts: ReadonlyArray<FoundContact>
  readonly behind: number
}

/** A page of the list. `assignee` narrows to one agent's; `after` continues a page. */
export interface InboxQuery {
  readonly active?: boolean
  readonly assignee?: string
  readonly limit?: number
  readonly after?: InboxCursor
}

/** One running promise of a conversation. Instants in epoch milliseconds. */
export interface ClockView {
  readonly target: string
  readonly state: "running" | "paused" | "fulfilled"
  readonly dueAtMs: number | null
  readonly breachedAtMs: number | null
  readonly startedAtMs: number
}

/** Everything an agent sees on opening a conversation; context from other systems comes separately, so nothing waits for it. */
export interface ConversationDetail {
  readonly conversation: Conversation.Conversation
  readonly row: InboxRow | null
  readonly contact: Contact.Contact | null
  /** Who counts as `contact` since a merge, which can be undone. */
  readonly merged: ReadonlyArray<Contact.Contact>
  readonly messages: ReadonlyArray<Message.Message>
  /** Older messages exist before the first of `messages`. */
  readonly hasEarlier: boolean
  /** The contact's other conversations, the latest first, at most 20. */
  readonly others: ReadonlyArray<Conversation.Conversation>
  readonly clocks: ReadonlyArray<ClockView>
  readonly position: number
}

/** What the context provider said: `late` when its deadline passed, `failed` when it broke, `none` when there is no provider. */
export interface ContextAnswer {
  readonly state: "ready" | "late" | "failed" | "none"
  readonly provider: string | null
  readonly facts: ReadonlyArray<ContextFact>
}

/** An offer to the agent who asks. */
export interface OfferView {
  readonly offerId: string
  readonly conversationId: string
  readonly expiresAtMs: number
  readonly row: InboxRow | null
}

/** One agent on the live board. */
export interface AgentView {
  readonly agent: Agent.Agent
  readonly presence: { readonly status: Presence.Status; readonly reason?: string }
  readonly holds: number
  readonly capacity: number
}

/** One queue on the live board. */
export interface QueueView {
  readonly queueId: string
  readonly waiting: number
  readonly oldestWaitMs: number
}

/** The live board. */
export interface Board {
  readonly nowMs: number
  readonly agents: ReadonlyArray<AgentView>
  readonly queues: ReadonlyArray<QueueView>
  readonly waiting: ReadonlyArray<Report.WaitingRow>
  readonly breachingSoon: number
  readonly active: number
}

/** A question to the measures. Instants in epoch milliseconds; `stepMs` at least an hour. */
export interface MetricsQuery {
  readonly measure: string
  readonly fromMs: number
  readonly toMs: number
  readonly stepMs?: number
  readonly by?: ReadonlyArray<string>
}

/** Its answer. */
export interface MetricsAnswer {
  readonly definition: Measure.Definition
  readonly total: Report.Figures
  readonly rows: ReadonlyArray<Report.Row>
  readonly series: Report.Series | null
}

/** Something changed: enough to know what to read again. `position` resumes the stream after it. */
export interface Change {
  readonly position: number
  readonly type: string
  readonly conversationId: string | null
  readonly contactId: string | null
  readonly agentId: string | null
}

/** What the desk answers to a platform or to a contact's client. */
export type Received =
  | { readonly kind: "answer"; readonly answer: Channel.ChannelAnswer }
  | {
      readonly kind: "thread"
      readonly page: ContactThread.ThreadPage
      readonly headers: Readonly<Record<string, string>>
    }
  | {
      readonly kind: "live"
      readonly headers: Readonly<Record<string, string>>
      readonly stream: Stream.Stream<ThreadUpdate, DeskError>
    }

/** What a contact's client is told live. */
export type ThreadUpdate =
  | { readonly event: "message" | "update"; readonly message: ContactThread.ThreadMessage }
  | { readonly event: "typing"; readonly typing: ContactThread.ThreadTyping }

/** How far a reactor has read. `stopped` says why it stands still, and since when; it tries again by itself. */
export interface ReactorHealth {
  readonly name: string
  readonly position: number
  readonly behind: number
  readonly stopped: { readonly reason: string; readonly sinceMs: number } | null
}

/** What the desk is doing inside. `parked` has at most 200 streams, `deadLetters` counts to 1000. */
export interface Health {
  readonly position: number
  readonly reactors: ReadonlyArray<ReactorHealth>
  readonly parked: ReadonlyArray<ParkedStream>
  readonly deadLetters: number
}

/** The operations of a desk. Every one that takes an actor is authorised. */
export interface DeskService {
  /** A platform's request, or a contact's client's: answered only when everything in it is durable. */
  readonly receive: (channelKind: string, request: Channel.ChannelRequest) => Effect.Effect<Received, DeskError>
  readonly execute: (
    actor: Actor.Actor,
    conversationId: string,
    command: ConversationCommand.ConversationCommand,
    options?: CommandOptions
  ) => Effect.Effect<CommandAnswer, DeskError>
  readonly executeOnContact: (
    actor: Actor.Actor,
    contactId: string,
    command: Contact.ContactCommand,
    options?: CommandOptions
  ) => Effect.Effect<{ readonly contactId: string; readonly version: number }, DeskError>
  readonly reply: (
    actor: Actor.Actor,
    conversationId: string,
    input: ReplyInput,
    options?: CommandOptions
  ) => Effect.Effect<CommandAnswer, DeskError>
  readonly note: (
    actor: Actor.Actor,
    conversationId: string,
    input: NoteInput,
    options?: CommandOptions
  ) => Effect.Effect<CommandAnswer, DeskError>
  readonly inbox: (
    actor: Actor.Actor,
    query?: InboxQuery
  ) => Effect.Effect<
    { readonly rows: ReadonlyArray<InboxRow>; readonly next: InboxCursor | null; readonly position: number },
    DeskError
  >
  /** What people have said, and contacts, by the words of a text; the last word as a beginning. */
  readonly search: (actor: Actor.Actor, query: SearchQuery) => Effect.Effect<SearchAnswer, DeskError>
  readonly conversation: (actor: Actor.Actor, conversationId: string) => Effect.Effect<ConversationDetail, DeskError>
  readonly messages: (
    actor: Actor.Actor,
    conversationId: string,
    beforeSequence: number,
    limit: number
  ) => Effect.Effect<ReadonlyArray<Message.Message>, DeskError>
  readonly context: (actor: Actor.Actor, contactId: string) => Effect.Effect<ContextAnswer, DeskError>
  readonly attachment: (
    actor: Actor.Actor,
    messageId: string,
    attachmentId: string
  ) => Effect.Effect<
    { readonly attachment: Attachment.Attachment; readonly bytes: AsyncIterable<Uint8Array> },
    DeskError
  >
  readonly offers: (actor: Actor.Actor) => Effect.Effect<ReadonlyArray<OfferView>, DeskError>
  readonly setPresence: (
    actor: Actor.Actor,
    agentId: string,
    status: Presence.Status,
    reason?: string
  ) => Effect.Effect<void, DeskError>
  readonly acceptOffer: (actor: Actor.Actor, offerId: string) => Effect.Effect<void, DeskError>
  readonly declineOffer: (actor: Actor.Actor, offerId: string, reason?: string) => Effect.Effect<void, DeskError>
  /** An agent takes a waiting conversation by hand. */
  readonly pick: (actor: Actor.Actor, conversationId: string) => Effect.Effect<void, DeskError>
  /** A supervisor gives a conversation to an agent. */
  readonly assign: (actor: Actor.Actor, conversationId: string, agentId: string) => Effect.Effect<void, DeskError>
  readonly explain: (
    actor: Actor.Actor,
    conversationId: string
  ) => Effect.Effect<Explanation.ItemExplanation | null, DeskError>
  readonly board: (actor: Actor.Actor) => Effect.Effect<Board, DeskError>
  readonly metrics: (actor: Actor.Actor, query: MetricsQuery) => Effect.Effect<MetricsAnswer, DeskError>
  readonly measures: () => ReadonlyArray<Measure.Definition>
  /** Changes after a position, then live. */
  readonly changes: (actor: Actor.Actor, afterPosition: number) => Stream.Stream<Change, DeskError>
  /**
   * The contacts of a conversation who type, or stopped, as long as it is followed. Never stored.
   *
   * **Gotchas** Only what came in through this process.
   */
  readonly contactTyping: (
    actor: Actor.Actor,
    conversationId: string
  ) => Stream.Stream<ContactThread.ThreadTyping, DeskError>
  readonly deadLetters: (actor: Actor.Actor) => Effect.Effect<ReadonlyArray<DeadLetter>, DeskError>
  readonly redrive: (
    actor: Actor.Actor,
    deadLetterId: string
  ) => Effect.Effect<{ readonly done: boolean; readonly reason: string | null }, DeskError>
  /**
   * Removes everything personal to a contact and to those who were merged with them: administrators only. The contact's
   * stream keeps who asked and when. Returns what was removed.
   */
  readonly erase: (
    actor: Actor.Actor,
    contactId: string
  ) => Effect.Effect<{ readonly events: number; readonly documents: number; readonly blobs: number }, DeskError>
  /**
   * Everything the desk keeps of a contact and of those who were merged with them, as one ZIP: administrators only. See
   * `ContactExport` for what is in it. The contact's stream keeps who asked and when.
   */
  readonly exportContact: (
    actor: Actor.Actor,
    contactId: string
  ) => Effect.Effect<{ readonly name: string; readonly bytes: AsyncIterable<Uint8Array> }, DeskError>
  /**
   * A conversation as it stood at an instant (now, unless told otherwise), and every change up to then with its actor and
   * cause: supervisors and administrators only.
   */
  readonly audit: (
    actor: Actor.Actor,
    conversationId: string,
    options?: { readonly atMs?: number }
  ) => Effect.Effect<Audit, DeskError>
  readonly health: (actor: Actor.Actor) => Effect.Effect<Health, DeskError>
  /**
   * Lets a reactor read a stream again that it has parked: supervisors only, once the reason is mended. `reason` says why
   * it is still parked.
   */
  readonly retryParked: (
    actor: Actor.Actor,
    reactor: string,
    stream: string
  ) => Effect.Effect<{ readonly done: boolean; readonly reason: string | null }, DeskError>
  /** An agent types, or stopped: shown to the contact where they last wrote, and never stored. */
  readonly typing: (actor: Actor.Actor, conversationId: string, isTyping: boolean) => Effect.Effect<void, DeskError>
  /** Does what is due and returns: for cron, serverless and tests. Returns what is left undone when the budget ends. */
  readonly drain: (options?: { readonly budgetMs?: number }) => Effect.Effect<{ readonly level: boolean }, DeskError>
}
