/**
 * What a contact's own client reads of its thread, on channels where the desk itself is the platform.
 *
 * @module
 */
import type { Channel, ContactThread } from "@switchboard/channel"
import type { Conversation, Id, Message } from "@switchboard/conversation"
import type { Storage } from "@switchboard/storage"
import { Effect, Queue, Stream } from "effect"
import { authorNameOf } from "./Deliveries.ts"
import type { DeskError } from "./DeskError.ts"
import type { ThreadUpdate } from "./DeskService.ts"
import { type Environment, fromPromise } from "./Environment.ts"
import * as FileLink from "./FileLink.ts"
import type { Live } from "./Live.ts"
import { type ThreadEntry, threadKey } from "./Views.ts"

/** A client's question, proven by its channel. */
export type Reading = Extract<Channel.Verification, { readonly kind: "reads" }>

/** Reads threads for contacts. */
export interface ContactThreads {
  readonly page: (channel: Channel.Channel, reading: Reading) => Effect.Effect<ContactThread.ThreadPage, DeskError>
  readonly live: (channel: Channel.Channel, reading: Reading) => Stream.Stream<ThreadUpdate, DeskError>
}

const pageSize = 500
/** Conversations that follow one another under one thread key count on: each has room for this many messages. */
const span = 1_000_000

interface Chained {
  readonly conversation: Conversation.Conversation
  readonly threadIds: ReadonlySet<string>
  readonly offset: number
}

/** Reads threads of one desk. */
export const make = (environment: Environment["Service"], live: Live): ContactThreads => {
  const { workspace } = environment

  /** The conversations that went on under this key, the first one first. */
  const chain = async (reads: Storage.Reads, accountId: string, key: string): Promise<ReadonlyArray<Chained>> => {
    const entry = (await reads.document("threads", threadKey(accountId, key)))?.document as ThreadEntry | undefined
    const found: Array<Conversation.Conversation> = []
    const seen = new Set<string>()
    let id: Id.ConversationId | undefined = entry?.conversationId
    while (id !== undefined && !seen.has(id) && found.length < 50) {
      seen.add(id)
      const conversation: Conversation.Conversation | undefined = (await reads.document("conversations", id))
        ?.document as Conversation.Conversation | undefined
      if (!conversation) break
      found.unshift(conversation)
      id = conversation.links.find((link) => link.kind === "followUpOf" || link.kind === "mergedFrom")?.conversationId
    }
    return found.map((conversation, index) => ({
      conversation,
      offset: index * span,
      threadIds: new Set(
        conversation.threads
          .filter((thread) => thread.accountId === accountId && thread.key === key)
          .map((thread) => thread.id)
      )
    }))
  }

  const toThreadMessage = async (message: Message.Message, offset: number): Promise<ContactThread.ThreadMessage> => {
    const delivery = message.deliveries[0]?.state
    return {
      id: message.id,
      sequence: offset + message.sequence,
      direction: message.direction === "in" ? "in" : "out",
      authorKind: message.author.kind === "apiKey" ? "agent" : message.author.kind,
      ...authorNameOf(environment, message),
      parts: message.parts,
      attachments: await Promise.all(
        message.attachments.map(async ({ id, name, mediaType, sizeBytes, state }) => ({
          id,
          ...(name !== undefined && { name }),
          mediaType,
          ...(sizeBytes !== undefined && { sizeBytes }),
          ...(state === "stored" && {
            url: await FileLink.sign(
              environment.settings.config.credentialSecret,
              { messageId: message.id, attachmentId: id },
              environment.now()
            )
          })
        }))
      ),
      sentAtMs: message.sentAtMs,
      ...(message.editedAtMs !== undefined && { editedAtMs: message.editedAtMs }),
      ...(message.deletedAtMs !== undefined && { deletedAtMs: message.deletedAtMs }),
      ...(message.direction === "in" && message.platformId !== undefined && { clientId: message.platformId }),
      ...(delivery && { delivery })
    }
  }

  /** Nothing but this thread's own messages: no notes, no other channel. */
  const read = async (accountId: string, key: string, after: number): Promise<ContactThread.ThreadPage> => {
    const chained = await chain(workspace, accountId, key)
    const messages: Array<ContactThread.ThreadMessage> = []
    for (const { conversation, threadIds, offset } of chained) {
      const page = await workspace.query({
        view: "messages",
        where: [
          { field: "conversationId", equals: conversation.id },
          { field: "sequence", above: Math.max(0, after - offset) }
        ],
        order: { field: "sequence", direction: "ascending" },
        limit: pageSize
      })
      for (const stored of page.documents) {
        const message = stored.document as unknown as Message.Message
        if (threadIds.has(message.threadId) && message.direction !== "note") {
          messages.push(await toThreadMessage(message, offset))
        }
      }
    }
    const last = chained.at(-1)
    const head = messages.at(-1)?.sequence ?? Math.min(after, last ? last.offset + last.conversation.messageCount : 0)
    return { messages, head }
  }

  const accountIdOf = (channel: Channel.Channel, reading: Reading): string =>
    channel.accounts.find((account) => account.key === reading.account)?.id ?? reading.account

  return {
    page: (channel, reading) =>
      fromPromise(() => read(accountIdOf(channel, reading), reading.threadKey, reading.afterSequence)),
    live: (channel, reading) =>
      Stream.unwrap(
        Effect.gen(function* () {
          const accountId = accountIdOf(channel, reading)
          const updates = yield* Queue.unbounded<ThreadUpdate>()
          const stop = live.typing.listen((typing) => {
            if (typing.address === `${accountId}/${reading.threadKey}`) Queue.offerUnsafe(updates, typing.update)
          })
          yield* Effect.addFinalizer(() => Effect.sync(stop))
          const start = yield* fromPromise(() => workspace.head())
          const backlog = yield* fromPromise(() => read(accountId, reading.threadKey, reading.afterSequence))
          let after = Math.max(reading.afterSequence, backlog.head)
          const first = Stream.fromIterable(
            backlog.messages.map((message): ThreadUpdate => ({ event: "message", message }))
          )
          const changes = Stream.flatMap(live.after(start), (recorded) => {
            if (recorded.family !== "conversation") return Stream.empty
            return Stream.unwrap(
              fromPromise(async () => {
                const { event } = recorded
                if (
                  event.type === "MessageSent" ||
                  event.type === "MessageReceived" ||
                  event.type === "MessageEchoed"
                ) {
                  const entry = await workspace.document("threads", threadKey(accountId, reading.threadKey))
                  if ((entry?.document as ThreadEntry | undefined)?.conversationId !== recorded.id) return Stream.empty
                  const page = await read(accountId, reading.threadKey, after)
                  after = Math.max(after, page.head)
                  return Stream.fromIterable(
                    page.messages.map((message): ThreadUpdate => ({ event: "message", message }))
                  )
                }
                if (!("messageId" in event)) return Stream.empty
                const stored = (await workspace.document("messages", event.messageId))?.document
                const message = stored as Message.Message | undefined
                if (!message || message.direction === "note") return Stream.empty
                const chained = await chain(workspace, accountId, reading.threadKey)
                const place = chained.find((one) => one.threadIds.has(message.threadId))
                if (!place || place.conversation.id !== recorded.id) return Stream.empty
                return Stream.succeed<ThreadUpdate>({
                  event: "update",
                  message: await toThreadMessage(message, place.offset)
                })
              })
            )
          })
          return Stream.concat(first, Stream.merge(changes, Stream.fromQueue(updates)))
        })
      )
  }
}
