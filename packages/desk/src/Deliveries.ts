/**
 * Sends what is queued: renders it for the channel, calls the platform, records what it said.
 *
 * @module
 */
import { type Channel, type ChannelAccount, type Outbound, Rendering } from "@switchboard/channel"
import {
  Actor,
  type Attachment,
  type Conversation,
  type Delivery,
  type Id,
  type Message,
  type Thread
} from "@switchboard/conversation"
import type { Storage } from "@switchboard/storage"
import { Cause, Duration, Effect } from "effect"
import type { DeskError } from "./DeskError.ts"
import { platformClaim, stampOf } from "./Draft.ts"
import { type Environment, fromPromise, jitter } from "./Environment.ts"
import { copiesOf, longMemoryMs } from "./Intake.ts"
import type { Payloads } from "./Jobs.ts"
import type { Handler, Taken } from "./Workers.ts"

interface Subject {
  readonly conversation: Conversation.Conversation
  readonly message: Message.Message
  readonly thread: Thread.Thread
  readonly channel: Channel.Channel
  readonly account: ChannelAccount.ChannelAccount
}

const deskActor = Actor.system("outbox")

/** The longest a platform's request to wait is followed, and the longest pause between two attempts. */
const longestPauseMs = 15 * 60_000

/** How often a change looks whether its message has been sent. */
const waitsForDeliveryMs = 5000

/** The pause before the next attempt, doubling from a second. */
export const pauseMs = (attempt: number): number => Math.min(1000 * 2 ** (attempt - 1), longestPauseMs)

/** Reads all of a stream of bytes. */
export const toBytes = async (source: AsyncIterable<Uint8Array>): Promise<Uint8Array> => {
  const chunks: Array<Uint8Array> = []
  let length = 0
  for await (const chunk of source) {
    chunks.push(chunk)
    length += chunk.length
  }
  const all = new Uint8Array(length)
  let at = 0
  for (const chunk of chunks) {
    all.set(chunk, at)
    at += chunk.length
  }
  return all
}

/** Calls a platform with a deadline; a call that breaks or takes too long has an unknown outcome. */
export const callWithin = <A>(
  timeoutMs: number,
  call: (signal: AbortSignal) => Promise<A>,
  broken: (code: string, message: string) => A
): Effect.Effect<A> =>
  Effect.tryPromise({ try: (signal) => call(signal), catch: (cause) => cause }).pipe(
    Effect.timeoutOrElse({
      duration: Duration.millis(timeoutMs),
      orElse: () => Effect.succeed(broken("timeout", `no answer within ${timeoutMs} ms`))
    }),
    Effect.catchCause((cause) => Effect.succeed(broken("broken", String(Cause.squash(cause)).slice(0, 500))))
  )

/** The handlers that send. */
export const make = (environment: Environment["Service"]): { readonly deliver: Handler; readonly change: Handler } => {
  const { settings, workspace, turn } = environment
  const { limits } = settings

  const find = Effect.fnUntraced(function* (
    conversationId: Id.ConversationId,
    messageId: Id.MessageId
  ): Effect.fn.Return<Subject | string, DeskError> {
    const stored = yield* fromPromise(async () => [
      await workspace.document("conversations", conversationId),
      await workspace.document("messages", messageId)
    ])
    const conversation = stored[0]?.document as Conversation.Conversation | undefined
    const message = stored[1]?.document as Message.Message | undefined
    if (!conversation || !message) return "the message is gone"
    const thread = conversation.threads.find((one) => one.id === message.threadId)
    if (!thread) return "the thread is gone"
    const channel = settings.channels.get(thread.channelKind)
    const account = channel?.accounts.find((one) => one.id === thread.accountId)
    return channel && account
      ? { conversation, message, thread, channel, account }
      : `no channel ${thread.channelKind} with the account ${thread.accountId} is configured`
  })

  const readAttachment = async (attachment: Attachment.Attachment): Promise<Uint8Array> => {
    if (attachment.blobKey === undefined) throw new Error(`the attachment ${attachment.id} has no bytes`)
    const bytes = await settings.config.blobs.get(workspace.id, attachment.blobKey)
    if (!bytes) throw new Error(`the bytes of ${attachment.id} are gone`)
    return toBytes(bytes)
  }

  /** Platform ids of the thread's latest messages, oldest first. */
  const referencesOf = async (reads: Storage.Reads, { conversation, thread, message }: Subject) => {
    const page = await reads.query({
      view: "messages",
      where: [
        { field: "conversationId", equals: conversation.id },
        { field: "sequence", below: message.sequence }
      ],
      order: { field: "sequence", direction: "descending" },
      limit: 50
    })
    return page.documents
      .map((stored) => stored.document as unknown as Message.Message)
      .filter((one) => one.threadId === thread.id)
      .flatMap((one) => {
        const id = one.platformId ?? one.deliveries.flatMap((delivery) => delivery.platformIds)[0]
        return id === undefined ? [] : [id]
      })
      .toReversed()
  }

  const contextOf = (key: string, attempt: number, nowMs: number, signal: AbortSignal): Outbound.CallContext => ({
    idempotencyKey: key,
    attempt,
    nowMs,
    signal,
    readAttachment
  })

  const unsendable = ({ channel, thread, message }: Subject, nowMs: number): Delivery.DeliveryFailure | undefined => {
    const { messagingWindowMs, templates } = channel.capabilities
    const isTemplate = templates && message.parts.some((part) => part.kind === "template")
    const outside =
      messagingWindowMs !== null && nowMs - (thread.lastInboundAtMs ?? 0) > messagingWindowMs && !isTemplate
    return outside
      ? {
          code: "outsideMessagingWindow",
          message: `the contact last wrote more than ${Math.round(messagingWindowMs / 3_600_000)} h ago; ${templates ? "send a template" : "wait until they write again"}`,
          retryable: false
        }
      : undefined
  }

  /** Records the end of a delivery and clears its job, together. */
  const conclude = (
    payload: Payloads["deliver"],
    job: Taken,
    change: {
      readonly state: "sent" | "failed"
      readonly platformIds: ReadonlyArray<string>
      readonly failure?: Delivery.DeliveryFailure
      readonly possiblyDuplicated?: boolean
    },
    account: ChannelAccount.ChannelAccount | undefined
  ) =>
    turn(`conversation/${payload.conversationId}`, async (draft) => {
      draft.timer(job.done)
      const message = await draft.message(payload.conversationId, payload.messageId)
      if (!message) return
      await draft.run(
        payload.conversationId,
        {
          type: "RecordDelivery",
          messageId: payload.messageId,
          deliveryId: payload.deliveryId,
          state: change.state,
          ...(change.platformIds.length > 0 && { platformIds: [...change.platformIds] }),
          ...(change.failure && { failure: change.failure }),
          ...(change.possiblyDuplicated && { possiblyDuplicated: true })
        },
        stampOf(deskActor, draft.nowMs)
      )
      if (!account) return
      const subject = (await draft.conversation(payload.conversationId))?.contactId
      const keys = change.platformIds.map((id) => platformClaim(account.id, id))
      const taken = await draft.reads.claims(keys)
      for (const [index, key] of keys.entries()) {
        if (taken[index]) continue
        draft.claim({
          key,
          value: `${payload.conversationId}/${payload.messageId}`,
          expiresAtMs: draft.nowMs + longMemoryMs,
          ...(subject !== undefined && { subject })
        })
      }
    })

  const deliver: Handler = Effect.fnUntraced(function* (job) {
    const payload = job.timer.payload as unknown as Payloads["deliver"]
    const subject = yield* find(payload.conversationId, payload.messageId)
    const sent = payload.platformIds ?? []
    const fail = (code: string, message: string) =>
      conclude(
        payload,
        job,
        { state: "failed", platformIds: sent, failure: { code, message, retryable: false } },
        undefined
      )
    if (typeof subject === "string") return yield* fail("unreachable", subject)
    const { channel, account, message, thread, conversation } = subject
    const delivery = message.deliveries.find((one) => one.id === payload.deliveryId)
    if (
      !delivery ||
      (delivery.state !== "queued" && delivery.state !== "failed") ||
      message.deletedAtMs !== undefined
    ) {
      return yield* Effect.asVoid(fromPromise(() => workspace.commit({ timers: [job.done] })))
    }
    const nowMs = environment.now()
    const failure = unsendable(subject, nowMs)
    if (failure) return yield* conclude(payload, job, { state: "failed", platformIds: sent, failure }, undefined)
    const attempt = payload.attempt + 1
    // An attempt was recorded and never concluded: the process died in it, and nobody knows what became of the call.
    const broken = payload.startedAtMs !== undefined
    const unknown = payload.unknown === true || broken
    const { messages } = Rendering.render(message.parts, message.attachments, channel.capabilities)
    const references = yield* fromPromise(() => referencesOf(workspace, subject))
    const quoted =
      message.replyTo === undefined
        ? undefined
        : (yield* fromPromise(() => workspace.document("messages", message.replyTo!)))?.document
    const quotedId = (quoted as Message.Message | undefined)?.platformId
    const outbound: Outbound.OutboundMessage = {
      kind: "message",
      account,
      thread,
      conversationId: conversation.id,
      messageId: message.id,
      deliveryId: delivery.id,
      recipient: delivery.recipient,
      purpose: message.purpose,
      messages,
      alreadySent: sent.length,
      references,
      ...(quotedId !== undefined && { replyToPlatformId: quotedId }),
      cc: copiesOf(conversation, message),
      ...authorNameOf(environment, message),
      automatic: message.author.kind !== "agent"
    }
    const result = yield* callWithin<Outbound.SendResult>(
      limits.callTimeoutMs,
      (signal) => channel.send(outbound, contextOf(delivery.id, attempt, nowMs, signal)),
      (code, text) => ({ outcome: "unknown", code, message: text })
    )
    const platformIds = [...sent, ...(result.platformIds ?? [])]
    switch (result.outcome) {
      case "accepted":
        return yield* conclude(
          payload,
          job,
          {
            state: "sent",
            platformIds,
            ...(unknown && !channel.capabilities.idempotentSend && { possiblyDuplicated: true })
          },
          account
        )
      case "refused":
        return yield* conclude(
          payload,
          job,
          {
            state: "failed",
            platformIds,
            failure: { code: result.code, message: result.message.slice(0, 2000), retryable: false }
          },
          account
        )
      case "unavailable":
      case "unknown": {
        if (attempt >= limits.deliveryAttempts) {
          return yield* conclude(
            payload,
            job,
            {
              state: "failed",
              platformIds,
              failure: {
                code: result.code,
                message: `${result.message} (given up after ${attempt} attempts)`.slice(0, 2000),
                retryable: true
              },
              ...(result.outcome === "unknown" && { possiblyDuplicated: true })
            },
            account
          )
        }
        const asked = result.outcome === "unavailable" ? (result.retryAfterMs ?? 0) : 0
        const wait = Math.max(Math.min(asked, longestPauseMs), yield* jitter(pauseMs(attempt)))
        const { startedAtMs: _, ...kept } = payload
        yield* fromPromise(() =>
          workspace.commit({
            timers: [
              job.later(environment.now() + wait, {
                ...kept,
                attempt,
                platformIds,
                ...((unknown || result.outcome === "unknown") && { unknown: true })
              })
            ]
          })
        )
      }
    }
  })

  /** Edits, deletions and reactions: tried a few times; what the platform won't take stays as it is there. */
  const change: Handler = Effect.fnUntraced(function* (job) {
    const payload = job.timer.payload as unknown as Payloads["change"]
    const subject = yield* find(payload.conversationId, payload.messageId)
    const finish = Effect.asVoid(fromPromise(() => workspace.commit({ timers: [job.done] })))
    if (typeof subject === "string") return yield* finish
    const outbound = toChange(subject, payload)
    // What is being sent this moment has no name at the platform yet.
    const jobs = subject.message.deliveries.map((delivery) => `deliver/${delivery.id}`)
    if (!outbound && (yield* fromPromise(() => workspace.timers(jobs))).some((timer) => timer !== undefined)) {
      const { startedAtMs: _, ...kept } = payload as Payloads["change"] & { readonly startedAtMs?: number }
      return yield* Effect.asVoid(
        fromPromise(() => workspace.commit({ timers: [job.later(environment.now() + waitsForDeliveryMs, kept)] }))
      )
    }
    if (!outbound || !subject.channel.capabilities.outbound.includes(outbound.kind)) return yield* finish
    const attempt = payload.attempt + 1
    const result = yield* callWithin<Outbound.SendResult>(
      limits.callTimeoutMs,
      (signal) => subject.channel.send(outbound, contextOf(job.timer.key, attempt, environment.now(), signal)),
      (code, text) => ({ outcome: "unknown", code, message: text })
    )
    if (result.outcome === "accepted") return yield* finish
    if (result.outcome === "refused" || attempt >= limits.deliveryAttempts) {
      yield* Effect.logWarning(`${outbound.kind} of ${payload.messageId}: ${result.code}: ${result.message}`)
      return yield* finish
    }
    const wait = yield* jitter(pauseMs(attempt))
    yield* fromPromise(() =>
      workspace.commit({ timers: [job.later(environment.now() + wait, { ...payload, attempt })] })
    )
  })

  return { deliver, change }
}

const toChange = (
  { account, thread, message, channel }: Subject,
  payload: Payloads["change"]
): Outbound.Outbound | undefined => {
  const recipient = message.deliveries[0]?.recipient ?? thread.recipients[0]
  if (!recipient) return undefined
  const platformIds = message.deliveries.flatMap((delivery) => delivery.platformIds)
  const base = { account, thread, recipient }
  switch (payload.change) {
    case "edit": {
      const { messages } = Rendering.render(message.parts, message.attachments, channel.capabilities)
      return platformIds.length === 0 ? undefined : { kind: "edit", ...base, platformIds, messages }
    }
    case "delete":
      return platformIds.length === 0 ? undefined : { kind: "delete", ...base, platformIds }
    case "reaction": {
      const platformId = message.platformId ?? platformIds[0]
      return platformId === undefined
        ? undefined
        : { kind: "reaction", ...base, platformId, emoji: payload.emoji ?? null }
    }
  }
}

/** What the contact sees as the author's name. */
export const authorNameOf = (
  { settings }: Environment["Service"],
  message: Pick<Message.Message, "author">
): { readonly authorName?: string } => {
  const { author } = message
  const name =
    author.kind === "agent"
      ? settings.agents.get(author.id)?.name
      : author.kind === "bot"
        ? settings.bots.get(author.id)?.name
        : undefined
  return name === undefined ? {} : { authorName: name }
}
