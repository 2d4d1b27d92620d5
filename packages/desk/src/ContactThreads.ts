/**
 * What a contact's own client reads of its thread, on channels where the desk itself is the platform.
 *
 * @module
 */
import type { Channel, ContactThread } from "@switchboard/channel"
import type { Conversation, Message } from "@switchboard/conversation"
import type { Storage, StorageDriver } from "@switchboard/storage"
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

  /** The conversations that this person went on in under this key, the first one first. */
  const chain = async (reads: Storage.Reads, accountId: string, key: string): Promise<ReadonlyArray<Chained>> => {
    const entry = (await reads.document("threads", threadKey(accountId, key)))?.document as ThreadEntry | undefined
    if (!entry) return []
    const ids = [...(entry.earlier ?? []), entry.conversationId]
    const first = (entry.place ?? 0) - ids.length + 1
    const stored = await reads.documents("conversations", ids)
    return stored.flatMap((one, index) => {
      if (!one) return []
      const conversation = one.document as unknown as Conversation.Conversation
      const threads = conversation.threads.filter((thread) => thread.accountId === accountId && thread.key === key)
      // Each keeps its place, whatever follows: a sequence once given is never another message's.
      return [
        {
          conversation,
          offset: (first + index) * span,
          threadIds: new Set(threads.map((thread) => thread.id as string))
        }
      ]
    })
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

  /** A conversation's messages page by page, from where the client stopped. */
  const pageOf = (
    { conversation }: Chained,
    field: { readonly above: number } | { readonly below: number },
    direction: "ascending" | "descending"
  ) =>
    workspace.query({
      view: "messages",
      where: [
        { field: "conversationId", equals: conversation.id },
        { field: "sequence", ...field }
      ],
      order: { field: "sequence", direction },
      limit: pageSize
    })

  const toMessage = (stored: StorageDriver.StoredDocument) => stored.document as unknown as Message.Message
  const isOwn = ({ threadIds }: Chained, message: Message.Message): boolean =>
    threadIds.has(message.threadId) && message.direction !== "note"

  /** The sequence of the last of this thread's own messages. */
  const headOf = async (chained: ReadonlyArray<Chained>): Promise<number> => {
    for (const one of chained.toReversed()) {
      let below = Number.MAX_SAFE_INTEGER
      while (true) {
        const { documents } = await pageOf(one, { below }, "descending")
        const last = documents.map(toMessage).find((message) => isOwn(one, message))
        if (last) return one.offset + last.sequence
        if (documents.length < pageSize) break
        below = toMessage(documents.at(-1)!).sequence
      }
    }
    return 0
  }

  /** Nothing but this thread's own messages: no notes, no other channel. At most a page of them, none left out between. */
  const read = async (accountId: string, key: string, after: number): Promise<ContactThread.ThreadPage> => {
    const chained = await chain(workspace, accountId, key)
    const messages: Array<ContactThread.ThreadMessage> = []
    for (const one of chained) {
      let above = Math.max(0, after - one.offset)
      while (messages.length < pageSize) {
        const { documents } = await pageOf(one, { above }, "ascending")
        for (const message of documents.map(toMessage)) {
          above = message.sequence
          if (isOwn(one, message)) messages.push(await toThreadMessage(message, one.offset))
          if (messages.length === pageSize) break
        }
        if (documents.length < pageSize) break
      }
    }
    const last = messages.at(-1)?.sequence
    return { messages, head: last !== undefined && messages.length < pageSize ? last : await headOf(chained) }
  }

  /** Everything after a sequence, however many pages. */
  const readOn = async (
    accountId: string,
    key: string,
    after: number
  ): Promise<ReadonlyArray<ContactThread.ThreadMessage>> => {
    const found: Array<ContactThread.ThreadMessage> = []
    let last = after
    while (true) {
      const { messages } = await read(accountId, key, last)
      found.push(...messages)
      if (messages.length < pageSize) return found
      last = messages.at(-1)!.sequence
    }
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
          // Only the latest matters to somebody who reads slowly.
          const updates = yield* Queue.sliding<ThreadUpdate>(4)
          const key = threadKey(accountId, reading.threadKey)
          const stop = live.typing.listen((typing) => {
            if (typing.by === "agent" && typing.thread === key) Queue.offerUnsafe(updates, typing.update)
          })
          yield* Effect.addFinalizer(() => Effect.sync(stop))
          const start = yield* fromPromise(() => workspace.head())
          const backlog = yield* fromPromise(() => readOn(accountId, reading.threadKey, reading.afterSequence))
          let after = backlog.at(-1)?.sequence ?? reading.afterSequence
          const asMessage = (message: ContactThread.ThreadMessage): ThreadUpdate => ({ event: "message", message })
          const first = Stream.fromIterable(backlog.map(asMessage))
          const changes = Stream.flatMap(live.after(start), (recorded) => {
            if (recorded.family !== "conversation") return Stream.empty
            const { event } = recorded
            if (!("message" in event || "messageId" in event) || event.type === "NoteAdded") return Stream.empty
            return Stream.unwrap(
              fromPromise(async () => {
                const entry = (await workspace.document("threads", key))?.document as ThreadEntry | undefined
                if (!entry || (entry.conversationId !== recorded.id && !entry.earlier?.includes(recorded.id))) {
                  return Stream.empty
                }
                if ("message" in event) {
                  const messages = await readOn(accountId, reading.threadKey, after)
                  after = messages.at(-1)?.sequence ?? after
                  return Stream.fromIterable(messages.map(asMessage))
                }
                const stored = (await workspace.document("messages", event.messageId))?.document
                const message = stored as Message.Message | undefined
                const chained = await chain(workspace, accountId, reading.threadKey)
                const place = chained.find((one) => one.conversation.id === recorded.id)
                if (!message || !place || !isOwn(place, message)) return Stream.empty
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
