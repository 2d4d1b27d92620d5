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

const subscribe = (listener: () => void): (() => void) => {
  listeners.add(listener)
  return () => listeners.delete(listener)
}

export const useLiveState = (): LiveState => useSyncExternalStore(subscribe, () => state)

/** How long somebody counts as typing after they were last heard to. */
const typingShownMs = 8000

let typist: string | null = null
let forgetTypist: ReturnType<typeof setTimeout> | undefined
const setTyping = (conversationId: string | null): void => {
  clearTimeout(forgetTypist)
  if (conversationId !== null) forgetTypist = setTimeout(() => setTyping(null), typingShownMs)
  if (conversationId === typist) return
  typist = conversationId
  for (const listener of listeners) listener()
}

/** Whether the contact of the conversation that is watched types at this moment. */
export const useTyping = (conversationId: string): boolean =>
  useSyncExternalStore(subscribe, () => typist === conversationId)

/** A burst of changes is read once. */
const gatherMs = 300
const retryMs = 3000

/** Whether what was read may be different after these changes. */
export const concerns = (changes: ReadonlyArray<Change>, [kind, id]: QueryKey, data: unknown): boolean => {
  if (kind === "inbox" || kind === "offers" || kind === "board") return true
  if (kind !== "conversation") return false
  if (data === undefined) return changes.some(({ conversationId }) => conversationId === id)
  const { conversation, others, contact, merged } = data as ConversationDetail
  const shown = new Set<string>([conversation.id, ...others.map(({ id }) => id)])
  const people = new Set<string | undefined>([conversation.contactId, contact?.id, ...merged.map(({ id }) => id)])
  return changes.some(
    ({ type, conversationId, contactId }) =>
      // A conversation that has just begun may be the same contact's.
      type === "ConversationOpened" ||
      (conversationId !== null && shown.has(conversationId)) ||
      (contactId !== null && people.has(contactId))
  )
}

let watched: string | null = null
let askAgain = (): void => {}
/** Names the conversation whose contact's typing is heard too. */
export const watch = (conversationId: string | null): void => {
  // What can be no id is asked for by nobody.
  const next = conversationId !== null && /^.{1,128}$/s.test(conversationId) ? conversationId : null
  if (next === watched) return
  watched = next
  setTyping(null)
  askAgain()
}

/** Follows the desk's changes until the returned function is called; after a break it goes on where it was. */
export const follow = (queries: QueryClient): (() => void) => {
  let source: EventSource | undefined
  let position: string | undefined
  let retry: ReturnType<typeof setTimeout> | undefined
  let gather: ReturnType<typeof setTimeout> | undefined
  let changes: Array<Change> = []
  /** What happened between two streams is only known by reading everything again. */
  let hasGap = false

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
    const change = JSON.parse(event.data) as Change
    // What was being written is there now.
    if (change.type === "MessageReceived" && change.conversationId === typist) setTyping(null)
    changes.push(change)
    gather ??= setTimeout(flush, gatherMs)
  }
  const onTyping = (event: MessageEvent<string>): void => {
    const { conversationId, typing } = JSON.parse(event.data) as { conversationId: string; typing: boolean }
    if (conversationId === watched) setTyping(typing ? conversationId : null)
  }
  const connect = (): void => {
    retry = undefined
    const asked = new URLSearchParams({
      ...(position !== undefined && { after: position }),
      ...(watched !== null && { conversation: watched })
    })
    source = new EventSource(`/api/events?${asked}`)
    source.addEventListener("open", () => {
      // Whatever happened before a stream without a position began is read by asking once.
      if (state === "lost" || hasGap) void queries.invalidateQueries()
      hasGap = false
      become("live")
    })
    source.addEventListener("message", onChange)
    source.addEventListener("change", onChange)
    source.addEventListener("typing", onTyping)
    source.addEventListener("error", () => {
      become("lost")
      // The browser tries again by itself, from the last position, unless the desk refused.
      if (source?.readyState === EventSource.CLOSED) retry ??= setTimeout(connect, retryMs)
    })
  }
  askAgain = () => {
    source?.close()
    clearTimeout(retry)
    hasGap ||= position === undefined
    connect()
  }
  connect()
  return () => {
    askAgain = () => {}
    setTyping(null)
    source?.close()
    clearTimeout(retry)
    clearTimeout(gather)
    become("connecting")
  }
}
