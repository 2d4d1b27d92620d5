/** Lets the contact see that the agent types, on channels whose contacts read here. */
import { useEffect, useRef } from "react"
import * as DeskClient from "../DeskClient.ts"

/** Said again no sooner than this: the contact's client shows it twice as long. */
const againMs = 4000

/** Takes what stands in the field after each change of it. */
export const useSaysTyping = (conversationId: string, canSee: boolean): ((text: string) => void) => {
  const saidAtMs = useRef<number | null>(null)
  const say = (isTyping: boolean): void => {
    saidAtMs.current = isTyping ? Date.now() : null
    // Nothing depends on it.
    DeskClient.typing(conversationId, isTyping).catch(() => {})
  }
  const leave = useRef(() => {})
  leave.current = () => {
    if (saidAtMs.current !== null) say(false)
  }
  useEffect(() => () => leave.current(), [])
  return (text) => {
    if (!canSee) return
    if (text.trim() === "") leave.current()
    else if (saidAtMs.current === null || Date.now() - saidAtMs.current >= againMs) say(true)
  }
}
