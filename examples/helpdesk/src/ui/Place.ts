/** Where in the application we are: the address bar is the only memory of it. */
import { useSyncExternalStore } from "react"

export interface Place {
  readonly page: "inbox" | "dashboard" | "health"
  readonly conversationId: string | null
  /** The message of the conversation to show, until it has been shown. */
  readonly messageId?: string | null
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
      : `/?${new URLSearchParams({
          conversation: place.conversationId,
          ...(place.messageId != null && { message: place.messageId })
        })}`

const toPlace = (href: string): Place => {
  const url = new URL(href, location.origin)
  return {
    page: pages.find((page) => url.pathname.startsWith(`/${page}`)) ?? "inbox",
    conversationId: url.searchParams.get("conversation"),
    messageId: url.searchParams.get("message")
  }
}

const here = (): string => location.pathname + location.search

export const go = (place: Place, options: { readonly replace?: boolean } = {}): void => {
  const href = toHref(place)
  if (href === here()) return
  // To another message of the same conversation is no way that leads back.
  const isSame = place.conversationId !== null && toPlace(here()).conversationId === place.conversationId
  if (options.replace || isSame) history.replaceState(null, "", href)
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

export const usePlace = (): Place => toPlace(useSyncExternalStore(subscribe, here))
