import { type RefObject, useEffect, useLayoutEffect, useRef, useState } from "react"
import { go, usePlace } from "../Place.ts"

/** How long the message that was looked for stands out. */
const foundMs = 2500

/**
 * The message of a conversation that the address asks for: shown once it is there, and made to stand out for a moment.
 * After that the address asks for it no more, so that the same message can be looked for again.
 */
export const useSought = ({
  conversationId,
  scroller,
  isHere,
  onShown
}: {
  readonly conversationId: string
  readonly scroller: RefObject<HTMLElement | null>
  readonly isHere: (messageId: string) => boolean
  readonly onShown: () => void
}) => {
  const place = usePlace()
  const sought = (place.conversationId === conversationId && place.messageId) || null
  const [found, setFound] = useState<string | null>(null)
  /** What is kept in sight while pictures and mails around it get their height. */
  const inSight = useRef<string | null>(null)
  const isFound = sought !== null && isHere(sought)

  const keepInSight = (): boolean => {
    if (inSight.current === null) return false
    const message = scroller.current?.querySelector(`[data-message="${CSS.escape(inSight.current)}"]`)
    message?.scrollIntoView({ block: "center" })
    return true
  }
  const release = (): void => {
    inSight.current = null
  }
  const giveUp = (): void => go({ page: "inbox", conversationId }, { replace: true })

  // biome-ignore lint/correctness/useExhaustiveDependencies: once for each message that is looked for.
  useLayoutEffect(() => {
    if (!isFound) return
    inSight.current = sought
    setFound(sought)
    onShown()
    keepInSight()
    giveUp()
  }, [sought, isFound])
  useEffect(() => {
    if (found === null) return
    const timer = setTimeout(() => {
      inSight.current = null
      setFound(null)
    }, foundMs)
    return () => clearTimeout(timer)
  }, [found])

  return { sought, isMissing: sought !== null && !isFound, found, keepInSight, release, giveUp }
}
