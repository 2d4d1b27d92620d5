/** The live stream: says what to read again, and whether it is there at all. */
import type { Change, ConversationDetail } from "@switchboard/desk/DeskService"
import type { Query, QueryClient, QueryKey } from "@tanstack/react-query"
import { useSyncExternalStore } from "react"

export type LiveState = "connecting" | "live" | "lost"

let state: LiveState = "connecting"
const listeners = new Set<() => void>()
const become = (next: LiveState): void => {
  if (next === state) return
  state = next
  for (const listener of listeners) listener()
}

export const useLiveState = (): LiveState =>
  useSyncExternalStore(
    (listener) => {
      listeners.add(listener)
      return () => listeners.delete(listener)
    },
    () => state
  )

/** A burst of changes is read once. */
const gatherMs = 300
const retryMs = 3000

/** Whether what was read may be different after these changes. */
export const concerns = (changes: ReadonlyArray<Change>, [kind, id]: QueryKey, data: unknown): boolean => {
  if (kind === "inbox" || kind === "offers" || kind === "board") return true
  if (kind !== "conversation") return false
  if (data === undefined) return changes.some(({ conversationId }) => conversationId === id)
  const { conversation, others, contact } = data as ConversationDetail
  const shown = new Set<string>([conversation.id, ...others.map(({ id }) => id)])
  const people = new Set<string | undefined>([conversation.contactId, contact?.id])
  return changes.some(
    ({ type, conversationId, contactId }) =>
      // A conversation that has just begun may be the same contact's.
      type === "ConversationOpened" ||
      (conversationId !== null && shown.has(conversationId)) ||
      (contactId !== null && people.has(contactId))
  )
}

/** Follows the desk's changes until the returned function is called; after a break it goes on where it was. */
export const follow = (queries: QueryClient): (() => void) => {
  let source: EventSource | undefined
  let position: string | undefined
  let retry: ReturnType<typeof setTimeout> | undefined
  let gather: ReturnType<typeof setTimeout> | undefined
  let changes: Array<Change> = []

  const flush = (): void => {
    const concerned = { predicate: ({ queryKey, state: { data } }: Query) => concerns(changes, queryKey, data) }
    // To ask again while an answer is on its way would cancel that: under steady change nothing would ever arrive.
    if (queries.isFetching(concerned) > 0) {
      gather = setTimeout(flush, gatherMs)
      return
    }
    gather = undefined
    void queries.invalidateQueries(concerned)
    changes = []
  }
  const onChange = (event: MessageEvent<string>): void => {
    if (event.lastEventId !== "") position = event.lastEventId
    changes.push(JSON.parse(event.data) as Change)
    gather ??= setTimeout(flush, gatherMs)
  }
  const connect = (): void => {
    retry = undefined
    source = new EventSource(
      position === undefined ? "/api/events" : `/api/events?after=${encodeURIComponent(position)}`
    )
    source.addEventListener("open", () => {
      // Whatever happened before a stream without a position began is read by asking once.
      if (state === "lost") void queries.invalidateQueries()
      become("live")
    })
    source.addEventListener("message", onChange)
    source.addEventListener("change", onChange)
    source.addEventListener("error", () => {
      become("lost")
      // The browser tries again by itself, from the last position, unless the desk refused.
      if (source?.readyState === EventSource.CLOSED) retry ??= setTimeout(connect, retryMs)
    })
  }
  connect()
  return () => {
    source?.close()
    clearTimeout(retry)
    clearTimeout(gather)
    become("connecting")
  }
}
