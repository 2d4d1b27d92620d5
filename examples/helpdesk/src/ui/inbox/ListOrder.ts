/**
 * What the list shows while the desk's own order changes underneath.
 *
 * A row must never move away from under the pointer: while the list is held, rows change in place, new ones wait, and
 * only what comes after the last row (the next page) is added.
 */
import type { InboxRow } from "@switchboard/desk/Views"

export interface ListOrder {
  readonly rows: ReadonlyArray<InboxRow>
  /** Rows that are no longer in the list, and are only kept to keep the others in place. */
  readonly gone: ReadonlySet<string>
  /** How many rows would come, go or move if it were let go. */
  readonly heldBack: number
}

export const empty: ListOrder = { rows: [], gone: new Set(), heldBack: 0 }

/** How many must move to make a sequence of distinct numbers ascend: all but its longest ascending part. */
const moved = (positions: ReadonlyArray<number>): number => {
  const tails: Array<number> = []
  for (const position of positions) {
    const at = tails.findIndex((tail) => tail >= position)
    tails[at < 0 ? tails.length : at] = position
  }
  return positions.length - tails.length
}

/** The next thing to show, given what is shown and what the desk says now. */
export const arrange = (shown: ListOrder, latest: ReadonlyArray<InboxRow>, held: boolean): ListOrder => {
  if (!held || shown.rows.length === 0) return { rows: latest, gone: new Set(), heldBack: 0 }
  const position = new Map(latest.map((row, index) => [row.conversationId as string, index]))
  const known = new Set(shown.rows.map((row) => row.conversationId as string))
  const rows = shown.rows.map((row) => latest[position.get(row.conversationId) ?? -1] ?? row)
  const gone = new Set(shown.rows.map((row) => row.conversationId as string).filter((id) => !position.has(id)))
  const positions = shown.rows.flatMap((row) => position.get(row.conversationId) ?? [])
  const end = Math.max(-1, ...positions)
  const following = latest.slice(end + 1)
  const arriving = latest.slice(0, end + 1).filter((row) => !known.has(row.conversationId)).length
  return { rows: [...rows, ...following], gone, heldBack: gone.size + arriving + moved(positions) }
}
