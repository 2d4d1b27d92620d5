/**
 * A working desk, as an Effect service: everything in {@link DeskService}, and what runs it.
 *
 * @module
 */
import type { Channel } from "@switchboard/channel"
import {
  type Actor,
  type Agent,
  Contact,
  type Conversation,
  type ConversationCommand,
  Conversation as Conversations,
  Id,
  Message,
  Rejection
} from "@switchboard/conversation"
import { type Bucket, Fold, Measures, Report } from "@switchboard/metrics"
import type { Pool, Signal } from "@switchboard/routing"
import { SlaClock, SlaRecord } from "@switchboard/sla"
import type { StorageDriver } from "@switchboard/storage"
import { Cause, Clock, Context, Duration, Effect, Layer, Schedule, type Scope, Stream } from "effect"
import * as BotTurns from "./BotTurns.ts"
import * as ContactThreads from "./ContactThreads.ts"
import * as Deliveries from "./Deliveries.ts"
import type { DeskConfig } from "./DeskConfig.ts"
import {
  CommandReusedError,
  ConfigError,
  type DeskError,
  NotFoundError,
  OverloadedError,
  RejectedError,
  RoutingRefusedError
} from "./DeskError.ts"
import { encode, type Recorded, streams } from "./DeskEvent.ts"
import type { Change, ClockView, CommandAnswer, CommandOptions, DeskService, QueueView } from "./DeskService.ts"
import { type Draft, stampOf } from "./Draft.ts"
import { Environment, fromPromise, Ids, settled } from "./Environment.ts"
import * as Erasure from "./Erasure.ts"
import * as InboxReactor from "./InboxReactor.ts"
import type { Payloads } from "./Jobs.ts"
import * as Live from "./Live.ts"
import * as Media from "./Media.ts"
import * as MetricsReactor from "./MetricsReactor.ts"
import * as Reactors from "./Reactor.ts"
import * as Receiver from "./Receiver.ts"
import * as Router from "./Router.ts"
import * as SlaReactor from "./SlaReactor.ts"
import { type InboxRow, type ParkedStream, readAll, threadKey } from "./Views.ts"
import * as Workers from "./Workers.ts"

/** How long an answer to a pool request is waited for. */
const answerTimeoutMs = 10_000
const commandLifetimeMs = 8 * 24 * 3_600_000
const detailMessages = 100
/** How soon after it was level a reactor reads again: under load many events share a commit; the first of a quiet time doesn't wait. */
const reactorRestMs = 20
/** The pause before a channel that stopped listening by itself begins again. */
const listenAgainMs = 1000

/** The desk. */
export class Desk extends Context.Service<
  Desk,
  DeskService & {
    /**
     * Listeners, reactors, workers and timers, in a scope: returns once every listener takes input. **Fails with**
     * {@link ConfigError} when one can't, such as when its port is taken.
     */
    readonly start: Effect.Effect<void, ConfigError, Scope.Scope>
    /** The same until interrupted. */
    readonly run: Effect.Effect<never, ConfigError, Scope.Scope>
    readonly environment: Environment["Service"]
  }
>()("@switchboard/desk/Desk") {
  /**
   * A desk from its configuration. It starts nothing by itself: run `run`, or call `drain`.
   *
   * **Fails with** {@link ConfigError}; {@link DeskError} when storage can't be read.
   *
   * **Example**
   *
   * ```ts
   * import { strict as assert } from "node:assert"
   * import { Desk } from "@switchboard/desk"
   * import { MemoryBlobStore, MemoryStorage } from "@switchboard/storage"
   * import { Effect } from "effect"
   *
   * const program = Effect.gen(function* () {
   *   const desk = yield* Desk
   *   // Reactors, workers and listeners, until the scope closes.
   *   yield* Effect.forkScoped(desk.run)
   *   const { rows } = yield* desk.inbox({ kind: "system", name: "example" })
   *   return rows.length
   * })
   *
   * const layer = Desk.layer({
   *   storage: MemoryStorage.make(),
   *   blobs: MemoryBlobStore.make(),
   *   credentialSecret: "change me: 32 characters or more"
   * })
   * assert.equal(await Effect.runPromise(program.pipe(Effect.scoped, Effect.provide(layer))), 0)
   * ```
   */
  static readonly layer = (config: DeskConfig): Layer.Layer<Desk, ConfigError | DeskError> =>
    Layer.effect(Desk, make).pipe(Layer.provide(Environment.layer(config)), Layer.provide(Ids.layer))

  /** The same over given ids, so that a simulation repeats itself. */
  static readonly layerWith = (config: DeskConfig): Layer.Layer<Desk, ConfigError | DeskError, Ids> =>
    Layer.effect(Desk, make).pipe(Layer.provide(Environment.layer(config)))
}

const notAllowed = (actor: Actor.Actor, what: string, needs: string): RejectedError =>
  new RejectedError({ rejection: Rejection.make("notAllowed", `${what} needs ${needs}`, { actor, needs }) })

const roleOf = (actor: Actor.Actor): Agent.Agent["role"] | undefined =>
  actor.kind === "agent" || actor.kind === "apiKey" ? actor.role : undefined

const isPerson = (actor: Actor.Actor): boolean => actor.kind === "system" || roleOf(actor) !== undefined

const make = Effect.gen(function* () {
  const environment = yield* Environment
  const { settings, storage, workspace, now, newId, turn } = environment
  const live = yield* Live.make(environment)
  const router = Router.make(settings.routing, settings.limits.preferredAgentMs)
  const receiver = Receiver.make(environment, live)
  const threads = ContactThreads.make(environment, live)
  const deliveries = Deliveries.make(environment)

  // ── Rights ──

  const requirePerson = (actor: Actor.Actor, what: string): Effect.Effect<void, DeskError> =>
    isPerson(actor) ? Effect.void : Effect.fail(notAllowed(actor, what, "an agent's role"))

  const requireRole = (
    actor: Actor.Actor,
    what: string,
    roles: ReadonlyArray<Agent.Agent["role"]>
  ): Effect.Effect<void, DeskError> => {
    const role = roleOf(actor)
    return actor.kind === "system" || (role !== undefined && roles.includes(role))
      ? Effect.void
      : Effect.fail(notAllowed(actor, what, `the role ${roles[0]}`))
  }

  // ── Commands ──

  /** Runs a decision once per command id: a repeat returns the first answer. */
  const once = <A extends object>(
    lane: string,
    actor: Actor.Actor,
    what: string,
    options: CommandOptions | undefined,
    decide: (draft: Draft) => Promise<A>
  ): Effect.Effect<A & { readonly repeated: boolean }, DeskError> =>
    turn(lane, async (draft) => {
      const who = "id" in actor ? `${actor.kind}/${actor.id}` : actor.name
      const key = options?.commandId === undefined ? undefined : `command/${who}/${options.commandId}`
      if (key !== undefined) {
        const [known] = await draft.reads.claims([key])
        if (known) {
          const first = JSON.parse(known.value) as { readonly what: string; readonly answer: A }
          if (first.what !== what) throw new CommandReusedError({ commandId: options!.commandId! })
          return { ...first.answer, repeated: true }
        }
      }
      const answer = await decide(draft)
      if (key !== undefined) {
        draft.claim({
          key,
          value: JSON.stringify({ what, answer }),
          expiresAtMs: draft.nowMs + commandLifetimeMs
        })
      }
      return { ...answer, repeated: false }
    })

  const stampFor = (actor: Actor.Actor, draft: Draft, options: CommandOptions | undefined): Contact.Stamp =>
    stampOf(actor, draft.nowMs, {
      ...(options?.commandId !== undefined && { commandId: options.commandId }),
      ...(options?.onBehalfOf && { onBehalfOf: options.onBehalfOf })
    })

  const executeOne = (
    actor: Actor.Actor,
    conversationId: Id.ConversationId,
    command: ConversationCommand.ConversationCommand,
    options: CommandOptions | undefined
  ): Effect.Effect<CommandAnswer, DeskError> =>
    once(`conversation/${conversationId}`, actor, `${command.type}/${conversationId}`, options, async (draft) => {
      const merged = (await draft.conversation(conversationId))?.mergedInto
      if (command.type === "MergeConversation") await requireNoRing(draft, conversationId, command.into)
      await draft.run(conversationId, command, stampFor(actor, draft, options))
      const system = stampOf({ kind: "system", name: "desk" }, draft.nowMs)
      const link = { kind: "mergedFrom", conversationId } as const
      if (command.type === "MergeConversation")
        await draft.run(command.into, { type: "LinkConversation", link }, system)
      if (command.type === "UndoMerge" && merged) await draft.run(merged, { type: "UnlinkConversation", link }, system)
      const conversation = await draft.conversation(conversationId)
      return {
        conversationId,
        version: conversation?.version ?? 0,
        ...("messageId" in command && { messageId: command.messageId })
      }
    })

  /** A conversation merged into one that goes on in the first would have no end. */
  const requireNoRing = async (draft: Draft, from: Id.ConversationId, into: Id.ConversationId): Promise<void> => {
    let current: Id.ConversationId | undefined = into
    while (current !== undefined) {
      const target: Conversation.Conversation | undefined = await draft.conversation(current)
      if (!target) throw new NotFoundError({ what: "conversation", id: current })
      if (target.id === from || target.mergedInto === from) {
        throw new RejectedError({
          rejection: Rejection.make("mergeIntoItself", `${into} goes on in ${from} already; undo that merge first`, {
            from,
            into
          })
        })
      }
      current = target.mergedInto
    }
  }

  const execute: DeskService["execute"] = Effect.fnUntraced(function* (actor, conversationId, command, options) {
    const id = Id.ConversationId.parse(conversationId)
    if (actor.kind === "contact") {
      const found = yield* document<Conversation.Conversation>("conversations", id)
      if (found && found.contactId !== actor.id)
        return yield* notAllowed(actor, "another contact's conversation", "to be theirs")
    }
    return yield* executeOne(actor, id, command, options)
  })

  const executeOnContact: DeskService["executeOnContact"] = (actor, contactId, command, options) => {
    const id = Id.ContactId.parse(contactId)
    if (actor.kind === "contact" && actor.id !== id) {
      return Effect.fail(notAllowed(actor, "another contact", "an agent's role"))
    }
    if (command.type === "EraseContact") {
      return Effect.andThen(
        erase(actor, id),
        Effect.map(required<Contact.Contact>("contacts", "contact", id), ({ version }) => ({ contactId: id, version }))
      )
    }
    return once(`contact/${id}`, actor, `${command.type}/${id}`, options, async (draft) => {
      if (command.type === "MergeContact") {
        let current: Id.ContactId | undefined = command.into
        while (current !== undefined) {
          const target: Contact.Contact | undefined = await draft.contact(current)
          if (!target) throw new NotFoundError({ what: "contact", id: current })
          if (target.mergedInto === id) {
            throw new RejectedError({
              rejection: Rejection.make(
                "mergeIntoItself",
                `${current} counts as ${id} already; undo that merge first`,
                {
                  into: command.into
                }
              )
            })
          }
          current = target.mergedInto
        }
      }
      await draft.runOnContact(id, command, stampFor(actor, draft, options))
      const contact = await draft.contact(id)
      return { contactId: id, version: contact?.version ?? 0 }
    })
  }

  /** The thread a reply goes to when none is named: where the contact last wrote. */
  const threadOf = (conversation: Conversation.Conversation, threadId: string | undefined) =>
    threadId === undefined
      ? conversation.threads
          .filter((thread) => thread.audience !== "internal")
          .toSorted((a, b) => (a.lastInboundAtMs ?? a.openedAtMs) - (b.lastInboundAtMs ?? b.openedAtMs))
          .at(-1)
      : conversation.threads.find((thread) => thread.id === threadId)

  const reply: DeskService["reply"] = Effect.fn("Desk.reply")(function* (actor, conversation, input, options) {
    const conversationId = Id.ConversationId.parse(conversation)
    const messageId = Id.MessageId.parse(newId())
    const attachments: Message.Message["attachments"] = []
    for (const [index, file] of (input.attachments ?? []).entries()) {
      const blobKey = newId()
      const info = yield* fromPromise(() =>
        settings.config.blobs.put(workspace.id, blobKey, file.bytes, {
          mediaType: file.mediaType,
          limitBytes: settings.limits.attachmentBytes
        })
      )
      attachments.push({
        id: Id.AttachmentId.parse(`${messageId}.${index + 1}`),
        name: file.name,
        mediaType: file.mediaType,
        state: "stored",
        blobKey,
        sizeBytes: info.sizeBytes
      })
    }
    /** Bytes that no message came to name. */
    const drop = fromPromise(() =>
      settings.config.blobs.delete(
        workspace.id,
        attachments.flatMap(({ blobKey }) => (blobKey === undefined ? [] : [blobKey]))
      )
    )
    return yield* once(
      `conversation/${conversationId}`,
      actor,
      `reply/${conversationId}`,
      options,
      async (draft): Promise<Omit<CommandAnswer, "repeated">> => {
        const found = await draft.conversation(conversationId)
        if (!found) throw new NotFoundError({ what: "conversation", id: conversationId })
        const thread = threadOf(found, input.threadId)
        if (!thread) {
          throw new RejectedError({
            rejection: Rejection.make("threadUnknown", "no such thread in this conversation", {
              threadId: input.threadId
            })
          })
        }
        const purpose = input.purpose ?? "service"
        const contact = await draft.contact(await Erasure.survivorOf(draft.reads, found.contactId))
        if (contact && !Contact.allows(contact, purpose, thread.channelKind)) {
          throw new RejectedError({
            rejection: Rejection.make(
              "notAllowed",
              `the contact has not consented to ${purpose} on ${thread.channelKind}; record a consent first`,
              { purpose, channelKind: thread.channelKind }
            )
          })
        }
        const recipient = thread.recipients[0]
        await draft.run(
          conversationId,
          {
            type: "SendMessage",
            messageId,
            threadId: thread.id,
            parts: [
              ...input.parts,
              ...attachments.map(({ id }) => ({ kind: "attachment" as const, attachmentId: id }))
            ],
            attachments,
            purpose,
            ...(input.replyTo !== undefined && { replyTo: Id.MessageId.parse(input.replyTo) }),
            deliveries: recipient ? [{ id: Id.DeliveryId.parse(newId()), recipient }] : [],
            ...(input.fence !== undefined && { fence: input.fence })
          },
          stampFor(actor, draft, options)
        )
        return { conversationId, version: (await draft.conversation(conversationId))!.version, messageId }
      }
    ).pipe(
      Effect.tap((answer) => (answer.repeated ? drop : Effect.void)),
      Effect.tapError((error) => (error._tag === "StorageFailedError" ? Effect.void : drop))
    )
  })

  const note: DeskService["note"] = (actor, conversation, input, options) => {
    const conversationId = Id.ConversationId.parse(conversation)
    const messageId = Id.MessageId.parse(newId())
    return once(`conversation/${conversationId}`, actor, `note/${conversationId}`, options, async (draft) => {
      await draft.run(
        conversationId,
        {
          type: "AddNote",
          messageId,
          parts: [Message.text(input.text)],
          attachments: [],
          ...(input.mentions && { mentions: [...input.mentions] })
        },
        stampFor(actor, draft, options)
      )
      return { conversationId, version: (await draft.conversation(conversationId))!.version, messageId }
    })
  }

  // ── Reading ──

  const document = <A>(view: string, key: string): Effect.Effect<A | undefined, DeskError> =>
    Effect.map(
      fromPromise(() => workspace.document(view, key)),
      (stored) => stored?.document as unknown as A | undefined
    )

  const required = <A>(view: string, what: string, key: string): Effect.Effect<A, DeskError> =>
    Effect.flatMap(document<A>(view, key), (found) =>
      found ? Effect.succeed(found) : Effect.fail(new NotFoundError({ what, id: key }))
    )

  const inbox: DeskService["inbox"] = Effect.fn("Desk.inbox")(function* (actor, query = {}) {
    yield* requirePerson(actor, "the inbox")
    const { active = true, assignee, limit = 50, after } = query
    return yield* fromPromise(async () => {
      const position = await workspace.head()
      const page = await workspace.query({
        view: "inbox",
        where: [
          { field: "active", equals: active },
          ...(assignee === undefined ? [] : [{ field: "assignee", equals: assignee === "" ? null : assignee }])
        ],
        order: { field: "attention", direction: active ? "ascending" : "descending" },
        ...(after && { after: { value: after.attention, key: after.key } }),
        limit: Math.min(Math.max(1, limit), 200)
      })
      return {
        rows: page.documents.map((stored) => stored.document as unknown as InboxRow),
        next: page.next ? { attention: Number(page.next.value), key: page.next.key } : null,
        position
      }
    })
  })

  const messagesBefore = async (
    conversationId: string,
    beforeSequence: number,
    limit: number
  ): Promise<ReadonlyArray<Message.Message>> => {
    const page = await workspace.query({
      view: "messages",
      where: [
        { field: "conversationId", equals: conversationId },
        { field: "sequence", below: beforeSequence }
      ],
      order: { field: "sequence", direction: "descending" },
      limit
    })
    return page.documents.map((stored) => stored.document as unknown as Message.Message).toReversed()
  }

  const toClocks = (record: SlaRecord.SlaRecord | undefined): ReadonlyArray<ClockView> =>
    (record?.clocks ?? []).flatMap((clock) =>
      clock.cycle === null
        ? []
        : [
            {
              target: clock.target,
              state: SlaClock.isFulfilled(clock) ? "fulfilled" : SlaClock.isRunning(clock) ? "running" : "paused",
              dueAtMs: clock.cycle.dueAt,
              breachedAtMs: clock.cycle.breachedAt,
              startedAtMs: clock.cycle.startedAt
            } as const
          ]
    )

  const conversation: DeskService["conversation"] = Effect.fn("Desk.conversation")(function* (actor, conversationId) {
    yield* requirePerson(actor, "a conversation")
    const found = yield* required<Conversation.Conversation>("conversations", "conversation", conversationId)
    return yield* fromPromise(async () => {
      const position = await workspace.head()
      const person = await Erasure.personOf(workspace, found.contactId)
      const [messages, row, contacts, record, others] = await Promise.all([
        messagesBefore(found.id, Number.MAX_SAFE_INTEGER, detailMessages),
        workspace.document("inbox", found.id),
        workspace.documents("contacts", person),
        workspace.document("slaRecords", found.id),
        workspace.query({
          view: "conversations",
          where: [{ field: "contactId", in: person }],
          order: { field: "openedAtMs", direction: "descending" },
          limit: 21
        })
      ])
      const [contact, ...merged] = contacts.map((stored) => stored?.document as Contact.Contact | undefined)
      return {
        conversation: found,
        row: (row?.document as InboxRow | undefined) ?? null,
        contact: contact ?? null,
        merged: merged.filter((one) => one !== undefined),
        messages,
        hasEarlier: (messages[0]?.sequence ?? 1) > 1,
        others: others.documents
          .map((stored) => stored.document as unknown as Conversation.Conversation)
          .filter((other) => other.id !== found.id)
          .slice(0, 20),
        clocks: toClocks(record?.document as SlaRecord.SlaRecord | undefined),
        position
      }
    })
  })

  const messages: DeskService["messages"] = Effect.fn("Desk.messages")(function* (actor, id, beforeSequence, limit) {
    yield* requirePerson(actor, "messages")
    return yield* fromPromise(() => messagesBefore(id, beforeSequence, Math.min(Math.max(1, limit), 200)))
  })

  const context: DeskService["context"] = Effect.fn("Desk.context")(function* (actor, contactId) {
    yield* requirePerson(actor, "a contact's card")
    const contact = yield* required<Contact.Contact>("contacts", "contact", contactId)
    const provider = settings.config.contextProvider
    if (!provider) return { state: "none", provider: null, facts: [] } as const
    return yield* Effect.tryPromise({ try: (signal) => provider.facts(contact, signal), catch: (cause) => cause }).pipe(
      Effect.map((facts) => ({ state: "ready", provider: provider.name, facts }) as const),
      Effect.timeoutOrElse({
        duration: Duration.millis(provider.deadlineMs),
        orElse: () => Effect.succeed({ state: "late", provider: provider.name, facts: [] } as const)
      }),
      Effect.catchCause((cause) =>
        Effect.as(Effect.logWarning(`${provider.name}: ${String(Cause.squash(cause))}`), {
          state: "failed",
          provider: provider.name,
          facts: []
        } as const)
      )
    )
  })

  const attachment: DeskService["attachment"] = Effect.fn("Desk.attachment")(
    function* (actor, messageId, attachmentId) {
      yield* requirePerson(actor, "an attachment")
      const message = yield* required<Message.Message>("messages", "message", messageId)
      const found = message.attachments.find((one) => one.id === attachmentId)
      const bytes =
        found?.blobKey === undefined
          ? undefined
          : yield* fromPromise(() => settings.config.blobs.get(workspace.id, found.blobKey!))
      if (!found || !bytes) return yield* new NotFoundError({ what: "attachment", id: attachmentId })
      return { attachment: found, bytes }
    }
  )

  // ── The pool ──

  /** Asks the pool's owner and waits for its answer. */
  const ask = Effect.fnUntraced(function* (
    signal: Signal.Signal & { readonly requestId?: string }
  ): Effect.fn.Return<void, DeskError> {
    const requestId = signal.requestId
    if (requestId === undefined) return
    const answered = yield* Effect.gen(function* () {
      const answer = router.answer(requestId)
      yield* askOnly(signal)
      // Where this process owns the pool, the answer is two steps away; elsewhere it is waited for.
      while (yield* routing.step) {
        // Until the owner is level.
      }
      return yield* Effect.promise(() => answer).pipe(
        Effect.timeoutOrElse({
          duration: Duration.millis(answerTimeoutMs),
          orElse: () => Effect.fail(new OverloadedError({ retryAfterMs: 1000 }))
        })
      )
    }).pipe(Effect.ensuring(Effect.sync(() => router.forget(requestId))))
    if (answered.outcome === "refused") {
      const { code = "refused", message = "the pool refused", ...facts } = answered.refusal ?? {}
      return yield* new RoutingRefusedError({ code, explanation: message, facts })
    }
  })

  const askOnly = (signal: Signal.Signal): Effect.Effect<void, DeskError> =>
    turn("pool-requests", async (draft) => {
      draft.append(
        streams.poolRequests(Router.pool),
        await draft.reads.streamVersion(streams.poolRequests(Router.pool)),
        [encode({ type: "PoolAsked", signal }, undefined, draft.nowMs)]
      )
    })

  const agentOf = (actor: Actor.Actor): Effect.Effect<Id.AgentId, DeskError> =>
    actor.kind === "agent" ? Effect.succeed(actor.id) : Effect.fail(notAllowed(actor, "this", "to be an agent"))

  const setPresence: DeskService["setPresence"] = Effect.fn("Desk.setPresence")(
    function* (actor, agentId, status, reason) {
      if (!(actor.kind === "agent" && actor.id === agentId)) {
        yield* requireRole(actor, "another agent's presence", ["supervisor", "administrator"])
      }
      if (!settings.agents.has(agentId)) return yield* new NotFoundError({ what: "agent", id: agentId })
      yield* ask({
        type: "presenceChanged",
        requestId: newId(),
        agentId,
        status,
        ...(reason !== undefined && { reason })
      })
    }
  )

  /** The pool's word becomes control of the conversation in a step of its own; whoever asked sees both done. */
  const takeControl = (conversationId: string, agentId: Id.AgentId): Effect.Effect<void, DeskError> =>
    turn(`conversation/${conversationId}`, async (draft) => {
      await draft.run(
        Id.ConversationId.parse(conversationId),
        { type: "GiveControl", to: { kind: "agent", id: agentId } },
        stampOf({ kind: "system", name: "router" }, draft.nowMs)
      )
    })

  const acceptOffer: DeskService["acceptOffer"] = Effect.fn("Desk.acceptOffer")(function* (actor, offerId) {
    const agentId = yield* agentOf(actor)
    yield* ask({ type: "offerAccepted", requestId: newId(), offerId, agentId })
    yield* takeControl(offerId.slice(0, offerId.lastIndexOf(".")), agentId)
  })

  const declineOffer: DeskService["declineOffer"] = Effect.fn("Desk.declineOffer")(function* (actor, offerId, reason) {
    const agentId = yield* agentOf(actor)
    yield* ask({
      type: "offerDeclined",
      requestId: newId(),
      offerId,
      agentId,
      ...(reason !== undefined && { reason })
    })
  })

  const pick: DeskService["pick"] = Effect.fn("Desk.pick")(function* (actor, conversationId) {
    const agentId = yield* agentOf(actor)
    yield* required("conversations", "conversation", conversationId)
    yield* ask({ type: "itemPicked", requestId: newId(), itemId: conversationId, agentId })
    yield* takeControl(conversationId, agentId)
  })

  const assign: DeskService["assign"] = Effect.fn("Desk.assign")(function* (actor, conversationId, agentId) {
    yield* requireRole(actor, "assigning", ["supervisor", "administrator"])
    if (!settings.agents.has(agentId)) return yield* new NotFoundError({ what: "agent", id: agentId })
    yield* required("conversations", "conversation", conversationId)
    yield* ask({
      type: "itemAssigned",
      requestId: newId(),
      itemId: conversationId,
      agentId,
      ...("id" in actor && { by: actor.id })
    })
    yield* takeControl(conversationId, Id.AgentId.parse(agentId))
  })

  const poolItems = async (where: StorageDriver.Condition): Promise<ReadonlyArray<Pool.PoolItem>> =>
    (await readAll(workspace, { view: "poolItems", where: [where] })).map(
      (stored) => stored.document as unknown as Pool.PoolItem
    )

  const offers: DeskService["offers"] = Effect.fn("Desk.offers")(function* (actor) {
    const agentId = yield* agentOf(actor)
    return yield* fromPromise(async () => {
      const mine = (await poolItems({ field: "agentId", equals: agentId })).filter(
        (one) => one.place.kind === "offered" && one.place.expiresAtMs > now()
      )
      const rows = await InboxReactor.load<InboxRow>(
        workspace,
        "inbox",
        mine.map((one) => one.item.itemId)
      )
      return mine.map(({ item, place, offersMade }) => ({
        offerId: `${item.itemId}.${offersMade}`,
        conversationId: item.itemId,
        expiresAtMs: place.kind === "offered" ? place.expiresAtMs : 0,
        row: rows.get(item.itemId) ?? null
      }))
    })
  })

  const explain: DeskService["explain"] = Effect.fn("Desk.explain")(function* (actor, conversationId) {
    yield* requirePerson(actor, "an explanation")
    return router.explain(conversationId, now()) ?? null
  })

  const board: DeskService["board"] = Effect.fn("Desk.board")(function* (actor) {
    yield* requirePerson(actor, "the board")
    const nowMs = yield* Clock.currentTimeMillis
    return yield* fromPromise(async () => {
      const depths = router.engine()?.queueDepths()
      const soon = nowMs + 15 * 60_000
      const [items, agentPage, waitingPage, urgent, counts] = await Promise.all([
        // The engine counts its queues; who holds something is few enough to read.
        poolItems(depths ? { field: "placed", equals: "assigned" } : { field: "pool", equals: Router.pool }),
        workspace.documents("poolAgents", [...settings.agents.keys()]),
        readAll(workspace, {
          view: "metricStates",
          where: [{ field: "waitingSince", atLeast: 0 }],
          order: { field: "waitingSince", direction: "ascending" }
        }),
        // A promise due by then is what calls for attention by then.
        readAll(workspace, {
          view: "inbox",
          where: [
            { field: "active", equals: true },
            { field: "attention", below: soon }
          ],
          order: { field: "attention", direction: "ascending" }
        }),
        workspace.document("counts", InboxReactor.countKey)
      ])
      const queues = new Map<string, { waiting: number; oldest: number }>()
      const holds = new Map<string, number>()
      for (const { item, place } of items) {
        if (place.kind === "assigned") {
          holds.set(place.agentId, (holds.get(place.agentId) ?? 0) + 1)
          continue
        }
        const queue = queues.get(item.queueId) ?? { waiting: 0, oldest: nowMs }
        queues.set(item.queueId, { waiting: queue.waiting + 1, oldest: Math.min(queue.oldest, item.arrivedAtMs) })
      }
      for (const { queueId, waiting, offered, oldestArrivedAtMs = nowMs } of depths ?? []) {
        queues.set(queueId, { waiting: waiting + offered, oldest: oldestArrivedAtMs })
      }
      const stored = new Map(
        agentPage.flatMap((one) => (one ? [[one.key, one.document as unknown as Pool.PoolAgent] as const] : []))
      )
      const waits = waitingPage.flatMap((one) => {
        const wait = Fold.waiting((one.document as unknown as { readonly state: Fold.FoldState }).state)
        return wait ? [wait] : []
      })
      const rows = urgent.map((one) => one.document as unknown as InboxRow)
      return {
        nowMs,
        agents: [...settings.agents.values()].map((agent) => {
          const presence = stored.get(agent.id)?.presence
          return {
            agent,
            presence: {
              status: presence?.status ?? ("offline" as const),
              ...(presence?.reason !== undefined && { reason: presence.reason })
            },
            holds: holds.get(agent.id) ?? 0,
            capacity: agent.capacity.total
          }
        }),
        queues: settings.routing.queues.map(
          ({ queueId }): QueueView => ({
            queueId,
            waiting: queues.get(queueId)?.waiting ?? 0,
            oldestWaitMs: nowMs - (queues.get(queueId)?.oldest ?? nowMs)
          })
        ),
        waiting: Report.toWaiting(waits, { atMs: nowMs, by: ["channelKind"] }),
        breachingSoon: rows.filter((row) => row.due && !row.due.breached && row.due.dueAtMs < soon).length,
        active: (counts?.document as unknown as InboxReactor.Counts | undefined)?.active ?? 0
      }
    })
  })

  const metrics: DeskService["metrics"] = Effect.fn("Desk.metrics")(function* (actor, query) {
    yield* requirePerson(actor, "measures")
    const measure = Measures.all.find((one) => one.id === query.measure)
    if (!measure) return yield* new NotFoundError({ what: "measure", id: query.measure })
    const hour = (ms: number) => new Date(ms).toISOString().slice(0, 13)
    return yield* fromPromise(async () => {
      const buckets: Array<Bucket.Bucket> = []
      let after: { readonly value: string | number | boolean | null; readonly key: string } | undefined
      do {
        const page = await workspace.query({
          view: "metricBuckets",
          where: [
            { field: "measure", equals: measure.id },
            { field: "hour", atLeast: hour(query.fromMs), below: hour(query.toMs + 3_599_999) }
          ],
          order: { field: "hour", direction: "ascending" },
          limit: 500,
          ...(after && { after })
        })
        for (const stored of page.documents) buckets.push(stored.document as unknown as Bucket.Bucket)
        after = page.next
      } while (after)
      const { stepMs, by = [] } = query
      const range = { measure, fromMs: query.fromMs, toMs: query.toMs }
      return {
        definition: Measures.catalog([measure])[0]!,
        total: Report.toTotal(buckets, range),
        rows: by.length === 0 ? [] : Report.toRows(buckets, { ...range, by }),
        series:
          stepMs === undefined
            ? null
            : Report.toSeries(
                buckets,
                { measure, by, edgesMs: Report.toEdges(query.fromMs, query.toMs, stepMs) },
                measure.unit === "ms" ? "p50Ms" : measure.unit === "share" ? "share0to1" : "count"
              )
      }
    })
  })

  // ── Live ──

  const toChange = (recorded: Recorded): Change => {
    const event = recorded.event as { readonly type: string; readonly decision?: Record<string, unknown> }
    const decision = event.decision
    const text = (value: unknown): string | null => (typeof value === "string" ? value : null)
    return {
      position: recorded.position,
      type: decision ? String(decision["type"]) : event.type,
      conversationId:
        recorded.family === "conversation" || recorded.family === "sla" ? recorded.id : text(decision?.["itemId"]),
      contactId: recorded.family === "contact" ? recorded.id : null,
      agentId: text(decision?.["agentId"])
    }
  }

  const changes: DeskService["changes"] = (actor, afterPosition) =>
    isPerson(actor)
      ? Stream.map(live.after(afterPosition), toChange)
      : Stream.fail(notAllowed(actor, "the live stream", "an agent's role"))

  const contactTyping: DeskService["contactTyping"] = (actor, conversationId) =>
    isPerson(actor)
      ? live.typing.ofContacts(conversationId)
      : Stream.fail(notAllowed(actor, "who types", "an agent's role"))

  // ── The entrance ──

  const receive: DeskService["receive"] = Effect.fnUntraced(
    function* (channelKind, request) {
      const channel = settings.channels.get(channelKind)
      if (!channel) return yield* new NotFoundError({ what: "channel", id: channelKind })
      const verified = yield* settled(() => channel.verify(request))
      switch (verified.kind) {
        case "refused":
          return {
            kind: "answer",
            answer: {
              status: verified.status,
              headers: { "content-type": "application/json", ...verified.answerHeaders },
              body: JSON.stringify({ error: verified.reason })
            }
          } as const
        case "answered":
          return { kind: "answer", answer: verified.answer } as const
        case "verified": {
          yield* receiver.take(channel, verified.input)
          const { acknowledgement } = channel
          return {
            kind: "answer",
            answer: { ...acknowledgement, headers: { ...acknowledgement.headers, ...verified.answerHeaders } }
          } as const
        }
        case "reads": {
          const headers = verified.answerHeaders ?? {}
          return verified.live
            ? ({ kind: "live", headers, stream: threads.live(channel, verified) } as const)
            : ({ kind: "thread", headers, page: yield* threads.page(channel, verified) } as const)
        }
      }
    },
    // The one operation that runs for every message: its call's stack would cost more than its span.
    Effect.withSpan("Desk.receive", {}, { captureStackTrace: false })
  )

  // ── What runs ──

  const react = (reactor: Reactors.Reactor) =>
    Reactors.start(environment, reactor, (consequence) =>
      Effect.asVoid(
        executeOne({ kind: "system", name: reactor.name }, consequence.conversationId, consequence.command, {
          commandId: consequence.commandId
        })
      ).pipe(
        // The conversation has gone on since: what followed from the event no longer does.
        Effect.catchTag(["RejectedError", "CommandReusedError"], (error) =>
          Effect.logDebug(`${reactor.name}: ${consequence.commandId}: ${error.message}`)
        )
      )
    )
  const routing = yield* react(router.reactor)
  const reactors = [
    routing,
    yield* react(SlaReactor.make(settings.plan)),
    yield* react(InboxReactor.make()),
    yield* react(MetricsReactor.make())
  ]

  /** Clocks report what is over; only once everything that happened before is known to them. */
  const slaDue: Workers.Handler = (job) =>
    turn(`sla/${job.timer.key}`, async (draft) => {
      const { conversationId } = job.timer.payload as unknown as Payloads["sla"]
      const stored = await draft.reads.document("slaRecords", conversationId)
      draft.timer(job.done)
      if (!stored) return
      const before = stored.document as unknown as SlaReactor.Kept
      // A breach is never taken back: while the clocks have not heard everything, time has only come as far as they have.
      const [unheard] = await draft.reads.journal(await draft.reads.cursor("sla"), 1)
      const heardUntilMs = Math.min(draft.nowMs, unheard?.recordedAtMs ?? draft.nowMs)
      const { record, events } = SlaRecord.tick(before, heardUntilMs)
      const changed = SlaReactor.toChanges(stored.version ?? 0, before, { ...before, ...record }, events, draft.nowMs)
      draft.append(changed.append.stream, changed.append.expectedVersion, changed.append.events)
      draft.view(changed.view)
      const next = SlaRecord.nextDeadline(record)
      if (next)
        draft.timer(
          job.later(Math.max(next.at, heardUntilMs < draft.nowMs ? draft.nowMs + 100 : 0), { conversationId })
        )
    })

  const handlers: Readonly<Record<keyof Payloads, Workers.Handler>> = {
    ...deliveries,
    fetch: Media.make(environment),
    botTurn: BotTurns.make(environment),
    snooze: (job) => {
      const { conversationId } = job.timer.payload as unknown as Payloads["snooze"]
      return turn(`conversation/${conversationId}`, async (draft) => {
        draft.timer(job.done)
        if (await draft.conversation(conversationId)) {
          await draft.run(
            conversationId,
            { type: "WakeConversation" },
            stampOf({ kind: "system", name: "snooze" }, draft.nowMs)
          )
        }
      })
    },
    sla: slaDue,
    pool: (job) =>
      turn("pool-requests", async (draft) => {
        draft.timer(job.done)
        const stream = streams.poolRequests(Router.pool)
        draft.append(stream, await draft.reads.streamVersion(stream), [
          encode({ type: "PoolAsked", signal: { type: "tick" } }, undefined, draft.nowMs)
        ])
      }),
    erase: (job) => {
      const { contactId } = job.timer.payload as unknown as Payloads["erase"]
      return Effect.asVoid(eraseNow(contactId))
    },
    entry: Effect.fnUntraced(function* (job) {
      const payload = job.timer.payload as unknown as Payloads["entry"]
      yield* receiver.again(payload)
      // Applied, or set again under the same key: then the revision has moved on and this clears nothing.
      yield* Effect.ignore(fromPromise(() => workspace.commit({ timers: [job.done] })))
    })
  }
  const workers = Workers.make(environment, handlers, settings.limits.callsAtOnce)

  /** Tells the pool about agents whose profile is new or changed, and about those who are gone. */
  const syncAgents = Effect.gen(function* () {
    const page = yield* fromPromise(() =>
      workspace.query({ view: "poolAgents", where: [{ field: "pool", equals: Router.pool }], limit: 10_000 })
    )
    const known = new Map(
      page.documents.map((stored) => [stored.key, (stored.document as unknown as Pool.PoolAgent).agent] as const)
    )
    for (const agent of settings.agents.values()) {
      const profile = Router.toRoutingAgent(agent)
      if (JSON.stringify(known.get(agent.id)) !== JSON.stringify(profile)) {
        yield* askOnly({ type: "agentUpdated", agent: profile })
      }
      known.delete(agent.id)
    }
    for (const agentId of known.keys()) yield* askOnly({ type: "agentRemoved", agentId })
  })
  yield* syncAgents

  const drain: DeskService["drain"] = Effect.fn("Desk.drain")(function* ({ budgetMs = 10_000 } = {}) {
    const until = (yield* Clock.currentTimeMillis) + budgetMs
    while (true) {
      let busy = false
      for (const reactor of reactors) busy = (yield* reactor.step) || busy
      busy = (yield* workers.round) > 0 || busy
      if (!busy) return { level: reactors.every((reactor) => reactor.stopped() === undefined) }
      if ((yield* Clock.currentTimeMillis) >= until) return { level: false }
    }
  })

  const listen = (channel: Channel.Channel): Effect.Effect<void, ConfigError, Scope.Scope> =>
    Effect.gen(function* () {
      const open = channel.listen
      if (open === undefined) return
      const listener = yield* Effect.acquireRelease(
        Effect.tryPromise({
          try: (signal) =>
            open({
              signal,
              now,
              receive: (input) => Effect.runPromise(receiver.take(channel, input))
            }),
          catch: (cause) =>
            new ConfigError({
              field: `channels.${channel.kind}.listen`,
              found: cause instanceof Error ? cause.message : String(cause),
              fix: "name an address and a port that are free here, or stop what holds them"
            })
        }),
        (opened) => Effect.promise(() => opened.stop())
      )
      yield* Effect.logInfo(`${channel.kind} listens at ${listener.url ?? "its source"}`)
      yield* Effect.forkScoped(
        Effect.promise(() => listener.stopped.catch(() => undefined)).pipe(
          Effect.andThen(Effect.logError(`${channel.kind} has stopped listening by itself; it begins again`)),
          Effect.andThen(Effect.sleep(listenAgainMs)),
          Effect.andThen(
            listen(channel).pipe(
              Effect.tapError((error) => Effect.logError(error.message)),
              Effect.retry(Schedule.spaced(listenAgainMs))
            )
          )
        )
      )
    })

  const start = Effect.gen(function* () {
    yield* Effect.forEach([...settings.channels.values()], listen, { discard: true })
    yield* Effect.forEach(
      reactors,
      (reactor) =>
        Effect.forkScoped(
          Effect.forever(
            Effect.gen(function* () {
              const grown = yield* waitForGrowth
              while (yield* reactor.step) {
                // Goes on until it is level.
              }
              const levelAtMs = now()
              const stopped = reactor.stopped()
              yield* stopped ? Effect.timeoutOption(grown, Math.max(0, stopped.againAtMs - now())) : grown
              const restMs = levelAtMs + reactorRestMs - now()
              if (restMs > 0) yield* Effect.sleep(restMs)
            }).pipe(
              Effect.scoped,
              Effect.catch((error) =>
                Effect.andThen(Effect.logError(`${reactor.name}: ${error.message}`), Effect.sleep(1000))
              ),
              Effect.catchDefect((defect) =>
                Effect.andThen(Effect.logError(`${reactor.name}: ${String(defect)}`), Effect.sleep(1000))
              )
            )
          )
        ),
      { discard: true }
    )
    yield* Effect.forkScoped(
      Effect.forever(
        Effect.andThen(Effect.sleep(Duration.hours(1)), Effect.ignore(fromPromise(() => storage.sweep(now()))))
      )
    )
    yield* Effect.forkScoped(workers.run)
  })
  const run = Effect.andThen(start, Effect.never)

  /** Subscribes within its scope; what it returns then waits for the journal to grow after that. */
  const waitForGrowth = Effect.gen(function* () {
    let resume: (() => void) | undefined
    let grown = false
    yield* Effect.acquireRelease(
      Effect.sync(() =>
        storage.changes((workspaces) => {
          if (!workspaces.includes(workspace.id)) return
          grown = true
          resume?.()
        })
      ),
      (stop) => Effect.sync(stop)
    )
    return Effect.callback<void>((done) => {
      if (grown) done(Effect.void)
      else resume = () => done(Effect.void)
    })
  })

  const erase: DeskService["erase"] = Effect.fn("Desk.erase")(function* (actor, contactId) {
    yield* requireRole(actor, "erasing a contact", ["administrator"])
    yield* required<Contact.Contact>("contacts", "contact", contactId)
    const id = Id.ContactId.parse(contactId)
    const person = yield* turn(`contact/${id}`, async (draft) => {
      const all = await Erasure.personOf(draft.reads, id)
      for (const one of all) await Erasure.request(draft, one, stampOf(actor, draft.nowMs))
      return all
    })
    const erased = yield* Effect.forEach(person, eraseNow)
    return erased.reduce((sum, one) => ({
      events: sum.events + one.events,
      documents: sum.documents + one.documents,
      blobs: sum.blobs + one.blobs
    }))
  })

  /** While all reactors stand still: what they have read before must not be written after. */
  const eraseNow = (contactId: Id.ContactId): Effect.Effect<Erasure.Erased, DeskError> =>
    reactors.reduce<Effect.Effect<Erasure.Erased, DeskError>>(
      (erasing, reactor) => reactor.exclusively(erasing),
      Effect.uninterruptible(fromPromise(() => Erasure.erase(environment, contactId)))
    )

  const retryParked: DeskService["retryParked"] = Effect.fn("Desk.retryParked")(function* (actor, name, stream) {
    yield* requireRole(actor, "reading a parked stream again", ["supervisor", "administrator"])
    const reactor = reactors.find((one) => one.name === name)
    if (!reactor) return yield* new NotFoundError({ what: "reactor", id: name })
    const reason = yield* reactor.retry(stream)
    return { done: reason === undefined, reason: reason ?? null }
  })

  const typing: DeskService["typing"] = Effect.fn("Desk.typing")(function* (actor, conversationId, isTyping) {
    const agentId = yield* agentOf(actor)
    const found = yield* required<Conversation.Conversation>("conversations", "conversation", conversationId)
    const thread = threadOf(found, undefined)
    if (thread && Conversations.isActive(found)) {
      const authorName = settings.agents.get(agentId)?.name
      live.typing.publish({
        thread: threadKey(thread.accountId, thread.key),
        by: "agent",
        update: { event: "typing", typing: { typing: isTyping, ...(authorName !== undefined && { authorName }) } }
      })
    }
  })

  const health: DeskService["health"] = Effect.fn("Desk.health")(function* (actor) {
    yield* requirePerson(actor, "the desk's health")
    const [head, parked, letters] = yield* fromPromise(() =>
      Promise.all([
        workspace.head(),
        workspace.query({ view: "parked", limit: 200 }),
        workspace.query({ view: "deadLetters", where: [{ field: "state", equals: "waiting" }], limit: 1000 })
      ])
    )
    return {
      position: head,
      reactors: reactors.map((reactor) => {
        const stopped = reactor.stopped()
        return {
          name: reactor.name,
          position: reactor.position(),
          behind: head - reactor.position(),
          stopped: stopped ? { reason: stopped.reason, sinceMs: stopped.sinceMs } : null
        }
      }),
      parked: parked.documents.map((stored) => stored.document as unknown as ParkedStream),
      deadLetters: letters.documents.length
    }
  })

  const service: DeskService = {
    receive,
    execute,
    executeOnContact,
    reply,
    note,
    inbox,
    conversation,
    messages,
    context,
    attachment,
    offers,
    setPresence,
    acceptOffer,
    declineOffer,
    pick,
    assign,
    explain,
    board,
    metrics,
    measures: () => Measures.catalog(),
    changes,
    contactTyping,
    deadLetters: (actor) => Effect.andThen(requirePerson(actor, "dead letters"), receiver.deadLetters),
    redrive: (actor, id) =>
      Effect.andThen(
        requireRole(actor, "driving a dead letter again", ["supervisor", "administrator"]),
        receiver.redrive(id)
      ),
    erase,
    health,
    retryParked,
    typing,
    drain
  }
  return { ...service, start, run, environment }
})
