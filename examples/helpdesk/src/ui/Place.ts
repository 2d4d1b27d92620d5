/** Where in the application we are: the address bar is the only memory of it. */
import { useSyncExternalStore } from "react"

export interface Place {
  readonly page: "inbox" | "dashboard" | "health"
  readonly conversationId: string | null
}

const pages = ["dashboard", "health"] as const
const changed = "switchboard-place"
const subscribe = (listener: () => void): (() => void) => {
  addEventListener("popstate", listener)
  addEventListener(changed, listener)
  return () => {
    removeEventListener("popstate", listener)
    removeEventListener(changed, listener)
  }
}

export const toHref = (place: Place): string =>
  place.page !== "inbox"
    ? `/${place.page}`
    : place.conversationId === null
      ? "/"
      : `/?conversation=${encodeURIComponent(place.conversationId)}`

export const go = (place: Place, options: { readonly replace?: boolean } = {}): void => {
  const href = toHref(place)
  if (href === location.pathname + location.search) return
  if (options.replace) history.replaceState(null, "", href)
  else history.pushState(null, "", href)
  dispatchEvent(new Event(changed))
}

export const openConversation = (conversationId: string): void => go({ page: "inbox", conversationId })

/** Lets a link navigate without leaving the page, and still open in a new tab when asked to. */
export const followLink =
  (place: Place) =>
  (event: React.MouseEvent): void => {
    if (event.metaKey || event.ctrlKey || event.shiftKey || event.button !== 0) return
    event.preventDefault()
    go(place)
  }

export const usePlace = (): Place => {
  const href = useSyncExternalStore(subscribe, () => location.pathname + location.search)
  const url = new URL(href, location.origin)
  return {
    page: pages.find((page) => url.pathname.startsWith(`/${page}`)) ?? "inbox",
    conversationId: url.searchParams.get("conversation")
  }
}
