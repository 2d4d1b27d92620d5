import type { InboxRow } from "@switchboard/desk/Views"
import { useRef, useState } from "react"
import * as ListOrder from "./ListOrder.ts"

/**
 * The list as it may be shown now. Held while a mouse is over it or the focus is in it; `key` names what is listed, and
 * another list starts afresh.
 */
export const useHeldList = (key: string, latest: ReadonlyArray<InboxRow>) => {
  const [isOver, setOver] = useState(false)
  const [isFocused, setFocused] = useState(false)
  const [letGo, setLetGo] = useState(0)
  const memory = useRef({ key, letGo, order: ListOrder.empty })
  const isSame = memory.current.key === key && memory.current.letGo === letGo
  const order = ListOrder.arrange(isSame ? memory.current.order : ListOrder.empty, latest, isOver || isFocused)
  memory.current = { key, letGo, order }
  return {
    ...order,
    apply: () => setLetGo((count) => count + 1),
    holders: {
      onPointerEnter: (event: React.PointerEvent) => event.pointerType === "mouse" && setOver(true),
      onPointerLeave: () => setOver(false),
      onFocus: () => setFocused(true),
      onBlur: (event: React.FocusEvent) => {
        if (!event.currentTarget.contains(event.relatedTarget)) setFocused(false)
      }
    }
  }
}
