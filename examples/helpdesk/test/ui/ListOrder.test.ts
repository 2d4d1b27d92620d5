import type { InboxRow } from "@switchboard/desk/Views"
import { describe, expect, test } from "vitest"
import * as ListOrder from "../../src/ui/inbox/ListOrder.ts"

const row = (id: string, preview = ""): InboxRow => ({ conversationId: id, preview }) as unknown as InboxRow
const rows = (ids: string) => [...ids].map((id) => row(id))
const ids = (order: ListOrder.ListOrder) => order.rows.map(({ conversationId }) => conversationId).join("")
const shown = (of: string) => ListOrder.arrange(ListOrder.empty, rows(of), false)

describe("the list while it is held", () => {
  test("a row that moved up stays where it is, and counts as one update", () => {
    const order = ListOrder.arrange(shown("abcd"), rows("dabc"), true)
    expect(ids(order)).toBe("abcd")
    expect(order.heldBack).toBe(1)
  })

  test("a new row in the middle waits, the next page is added", () => {
    const order = ListOrder.arrange(shown("abc"), rows("axbcde"), true)
    expect(ids(order)).toBe("abcde")
    expect(order.heldBack).toBe(1)
  })

  test("a row that left stays, is marked as gone and keeps its words", () => {
    const order = ListOrder.arrange(shown("abc"), rows("ac"), true)
    expect(ids(order)).toBe("abc")
    expect(order.gone).toEqual(new Set(["b"]))
    expect(order.heldBack).toBe(1)
  })

  test("a row changes its words in place", () => {
    const order = ListOrder.arrange(shown("ab"), [row("a"), row("b", "new")], true)
    expect(order.rows[1]?.preview).toBe("new")
    expect(order.heldBack).toBe(0)
  })

  test("let go, it is the desk's order", () => {
    const held = ListOrder.arrange(shown("abcd"), rows("dxca"), true)
    const order = ListOrder.arrange(held, rows("dxca"), false)
    expect(ids(order)).toBe("dxca")
    expect(order.heldBack).toBe(0)
    expect(order.gone.size).toBe(0)
  })

  test("an empty list has nothing to hold", () => {
    expect(ids(ListOrder.arrange(ListOrder.empty, rows("ab"), true))).toBe("ab")
  })
})
