/**
 * Tells listeners in this process what was committed, in order, as soon as it is.
 *
 * @module
 */
import type { ContactThread } from "@switchboard/channel"
import type { StorageDriver } from "@switchboard/storage"
import { Effect, Queue, type Scope, Stream } from "effect"
import type { DeskError } from "./DeskError.ts"
import { decode, type Recorded, UnknownEventError } from "./DeskEvent.ts"
import type { ThreadUpdate } from "./DeskService.ts"
import { type Environment, fromPromise } from "./Environment.ts"
import type { ThreadEntry } from "./Views.ts"

/** What is passed on without being stored. */
export interface Typing {
  /** The `threadKey` of the thread it is about. */
  readonly thread: string
  readonly by: "agent" | "contact"
  readonly update: ThreadUpdate & { readonly event: "typing" }
}

/** The journal as a stream, and the little that is never stored. */
export interface Live {
  /** Everything after a position, then live. */
  readonly after: (position: number) => Stream.Stream<Recorded, DeskError>
  readonly typing: {
    readonly publish: (typing: Typing) => void
    readonly listen: (listener: (typing: Typing) => void) => () => void
    /** A conversation's contacts who type, or stopped. Who reads slowly gets the latest. */
    readonly ofContacts: (conversationId: string) => Stream.Stream<ContactThread.ThreadTyping>
  }
}

const pageSize = 256

/** Without what this release doesn't know: the reactors report it, and listeners are told of the rest. */
const decodeKnown = (stored: StorageDriver.StoredEvent): ReadonlyArray<Recorded> => {
  try {
    return [decode(stored)]
  } catch (cause) {
    if (cause instanceof UnknownEventError) return []
    throw cause
  }
}

/** Listens to storage for as long as the scope lives. */
export const make = Effect.fnUntraced(function* (
  environment: Environment["Service"]
): Effect.fn.Return<Live, never, Scope.Scope> {
  const { storage, workspace } = environment
  const listeners = new Set<Queue.Queue<void>>()
  const typingListeners = new Set<(typing: Typing) => void>()
  const watchers = new Map<string, Set<Queue.Queue<ContactThread.ThreadTyping>>>()
  const typed = yield* Queue.sliding<Typing>(256)
  const stop = storage.changes((grown) => {
    if (grown.includes(workspace.id)) for (const queue of listeners) Queue.offerUnsafe(queue, undefined)
  })
  yield* Effect.addFinalizer(() => Effect.sync(stop))

  // Which conversation a thread is in now is looked up once, however many watch, and only while somebody does.
  yield* Effect.forkScoped(
    Effect.forever(
      Effect.gen(function* () {
        const { thread, update } = yield* Queue.take(typed)
        const stored = yield* fromPromise(() => workspace.document("threads", thread))
        const { conversationId } = (stored?.document ?? {}) as Partial<ThreadEntry>
        for (const watcher of watchers.get(conversationId ?? "") ?? []) Queue.offerUnsafe(watcher, update.typing)
      }).pipe(Effect.ignore)
    )
  )

  const ofContacts = (conversationId: string): Stream.Stream<ContactThread.ThreadTyping> =>
    Stream.unwrap(
      Effect.gen(function* () {
        const heard = yield* Effect.acquireRelease(Queue.sliding<ContactThread.ThreadTyping>(4), (queue) =>
          Effect.sync(() => {
            const others = watchers.get(conversationId)
            others?.delete(queue)
            if (others?.size === 0) watchers.delete(conversationId)
          })
        )
        watchers.set(conversationId, (watchers.get(conversationId) ?? new Set()).add(heard))
        return Stream.fromQueue(heard)
      })
    )

  const after = (position: number): Stream.Stream<Recorded, DeskError> =>
    Stream.unwrap(
      Effect.gen(function* () {
        const grown = yield* Effect.acquireRelease(Queue.sliding<void>(1), (queue) =>
          Effect.sync(() => void listeners.delete(queue))
        )
        listeners.add(grown)
        let read = position
        const page: Effect.Effect<ReadonlyArray<Recorded>, DeskError> = Effect.gen(function* () {
          while (true) {
            const rows = yield* fromPromise(() => workspace.journal(read, pageSize))
            const last = rows.at(-1)
            if (last) {
              read = last.position
              return rows.flatMap(decodeKnown)
            }
            yield* Queue.take(grown)
          }
        })
        return Stream.flatMap(Stream.forever(Stream.fromEffect(page)), (rows) => Stream.fromIterable(rows))
      })
    )

  return {
    after,
    typing: {
      publish: (typing) => {
        for (const listener of typingListeners) listener(typing)
        if (typing.by === "contact" && watchers.size > 0) Queue.offerUnsafe(typed, typing)
      },
      listen: (listener) => {
        typingListeners.add(listener)
        return () => void typingListeners.delete(listener)
      },
      ofContacts
    }
  }
})
