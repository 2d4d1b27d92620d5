/** The live stream: says what to read again, and whether it is there at all. */
import type { Change } from "@switchboard/desk/DeskService"
import type { QueryClient } from "@tanstack/react-query"
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

/** Follows the desk's changes until the returned function is called; after a break it goes on where it was. */
export const follow = (queries: QueryClient): (() => void) => {
  let source: EventSource | undefined
  let position: string | undefined
  let retry: ReturnType<typeof setTimeout> | undefined
  let gather: ReturnType<typeof setTimeout> | undefined
  const conversations = new Set<string>()
  let contactsChanged = false

  const flush = (): void => {
    gather = undefined
    for (const key of ["inbox", "offers", "board"]) void queries.invalidateQueries({ queryKey: [key] })
    for (const id of conversations) void queries.invalidateQueries({ queryKey: ["conversation", id] })
    // The open conversation shows its contact's other conversations too.
    if (contactsChanged) void queries.invalidateQueries({ queryKey: ["conversation"] })
    conversations.clear()
    contactsChanged = false
  }
  const onChange = (event: MessageEvent<string>): void => {
    if (event.lastEventId !== "") position = event.lastEventId
    const change = JSON.parse(event.data) as Change
    if (change.conversationId !== null) conversations.add(change.conversationId)
    if (change.contactId !== null) contactsChanged = true
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
