import { Button, SegmentedControl, Skeleton } from "@mantine/core"
import { useDebouncedValue, useHotkeys, useIntersection } from "@mantine/hooks"
import type { InboxCursor } from "@switchboard/desk/DeskService"
import type { InboxRow } from "@switchboard/desk/Views"
import { IconArrowUp, IconInbox } from "@tabler/icons-react"
import { useInfiniteQuery } from "@tanstack/react-query"
import { useEffect, useMemo, useRef, useState } from "react"
import { Blank } from "../Blank.tsx"
import * as DeskClient from "../DeskClient.ts"
import { useDirectory, useMe } from "../Directory.ts"
import { NotShown } from "../NotShown.tsx"
import { isAsked } from "../search/Findings.ts"
import { Results } from "../search/Results.tsx"
import { SearchField } from "../search/SearchField.tsx"
import { ListRow } from "./ListRow.tsx"
import { useHeldList } from "./useHeldList.ts"

/** Somebody who types on is not answered yet. */
const pauseMs = 200

type Tab = "mine" | "unassigned" | "all" | "done"

const tabs: ReadonlyArray<{ readonly value: Tab; readonly label: string }> = [
  { value: "mine", label: "Mine" },
  { value: "unassigned", label: "Unassigned" },
  { value: "all", label: "All" },
  { value: "done", label: "Done" }
]

const blanks: Readonly<Record<Tab, readonly [string, string]>> = {
  mine: ["Nothing on your desk", "Accept an offer, or pick something from Unassigned."],
  unassigned: ["Nobody is waiting for an agent", "New conversations appear here at once."],
  all: ["All quiet", "No conversation is active. New ones appear here at once."],
  done: ["Nothing done yet", "Resolved and closed conversations are kept here."]
}

const keep = (row: InboxRow, tab: Tab): boolean => tab !== "unassigned" || row.holder.kind === "nobody"

const rowsIn = (list: HTMLElement | null): ReadonlyArray<HTMLElement> => [
  ...(list?.querySelectorAll<HTMLElement>("[data-row]") ?? [])
]

/** Puts the focus on the row `by` places after the one that has it, or after the open one. */
const step = (list: HTMLElement | null, by: number): void => {
  const rows = rowsIn(list)
  const focused = rows.indexOf(document.activeElement as HTMLElement)
  const current = focused >= 0 ? focused : rows.findIndex((row) => row.getAttribute("aria-current") === "true")
  const next = rows[current < 0 ? (by > 0 ? 0 : rows.length - 1) : current + by]
  next?.focus()
  next?.scrollIntoView({ block: "nearest" })
}

export const ConversationList = ({ chosen }: { readonly chosen: string | null }) => {
  const me = useMe()
  const directory = useDirectory()
  const [tab, setTab] = useState<Tab>("all")
  const [search, setSearch] = useState("")
  const [asked] = useDebouncedValue(search, pauseMs)
  const input = useRef<HTMLInputElement>(null)
  const list = useRef<HTMLUListElement>(null)
  const scroller = useRef<HTMLDivElement>(null)
  const results = useRef<HTMLDivElement>(null)
  const isSearching = isAsked(search)
  const filter: DeskClient.InboxFilter = {
    active: tab !== "done",
    ...(tab === "mine" && { assignee: me.id }),
    ...(tab === "unassigned" && { assignee: "" })
  }

  const pages = useInfiniteQuery({
    queryKey: ["inbox", filter],
    queryFn: ({ pageParam, signal }) => DeskClient.inbox(filter, pageParam, signal),
    initialPageParam: null as InboxCursor | null,
    getNextPageParam: (page) => page.next,
    refetchInterval: 60_000
  })
  const latest = useMemo(() => {
    // A row that moved while pages were read may be on two of them.
    const rows = new Map((pages.data?.pages ?? []).flatMap((page) => page.rows).map((row) => [row.conversationId, row]))
    return [...rows.values()].filter((row) => keep(row, tab))
  }, [pages.data, tab])
  const { rows, gone, heldBack, apply, holders } = useHeldList(tab, latest)

  const { ref: end, entry } = useIntersection({ root: scroller.current, rootMargin: "400px" })
  const isEndNear = entry?.isIntersecting === true
  const { hasNextPage, isFetchingNextPage, fetchNextPage } = pages
  useEffect(() => {
    if (isEndNear && hasNextPage && !isFetchingNextPage) void fetchNextPage()
  }, [isEndNear, hasNextPage, isFetchingNextPage, fetchNextPage])

  const stepBy = (by: number) => () => step(isSearching ? results.current : list.current, by)
  useHotkeys([
    ["j", stepBy(1)],
    ["k", stepBy(-1)],
    ["/", () => input.current?.select()],
    // Where the key needs Shift, as on German and Spanish keyboards.
    ["shift+/", () => input.current?.select()]
  ])
  const onKeyDown = (event: React.KeyboardEvent): void => {
    const isTyped = event.target === input.current
    if (event.key === "Escape" && (isTyped || isSearching)) {
      setSearch("")
      // The result that had the focus is gone.
      if (isTyped) input.current?.blur()
      else input.current?.focus()
    }
    if (!isSearching || (event.key !== "ArrowDown" && event.key !== "ArrowUp")) return
    const found = rowsIn(results.current)
    const focused = found.indexOf(document.activeElement as HTMLElement)
    if (focused < 0 && !isTyped) return
    event.preventDefault()
    const next = focused + (event.key === "ArrowDown" ? 1 : -1)
    if (next < 0) input.current?.focus()
    else found[next]?.focus()
  }

  const [title, hint] = blanks[tab]
  return (
    <section className="pane list" aria-label="Conversations" onKeyDown={onKeyDown}>
      <div className="list-head">
        <SearchField ref={input} text={search} onText={setSearch} />
        {!isSearching && (
          <SegmentedControl
            fullWidth
            size="xs"
            data={[...tabs]}
            value={tab}
            onChange={(value) => setTab(value as Tab)}
            aria-label="Which conversations"
          />
        )}
      </div>
      {isSearching && (
        <div className="list-body" ref={results}>
          <Results text={search} asked={asked} rows={latest} chosen={chosen} />
        </div>
      )}
      <div className="list-body" ref={scroller} hidden={isSearching} {...holders}>
        {heldBack > 0 && (
          <Button
            className="updates"
            size="compact-sm"
            radius="xl"
            leftSection={<IconArrowUp size={14} aria-hidden />}
            onClick={() => {
              apply()
              scroller.current?.scrollTo({ top: 0 })
            }}
          >
            {heldBack === 1 ? "1 update" : `${heldBack} updates`}
          </Button>
        )}
        {pages.isPending && (
          <div aria-hidden="true">
            {[0, 1, 2, 3, 4, 5].map((key) => (
              <div key={key} className="row-skeleton">
                <Skeleton h={13} w="55%" />
                <Skeleton h={11} w="88%" />
                <Skeleton h={11} w="38%" />
              </div>
            ))}
          </div>
        )}
        {pages.isError && rows.length === 0 && <NotShown what="The list" query={pages} />}
        {pages.isSuccess && rows.length === 0 && !hasNextPage && <Blank icon={IconInbox} title={title} hint={hint} />}
        <ul ref={list} className="bare">
          {rows.map((row) => (
            <ListRow
              key={row.conversationId}
              row={row}
              isChosen={row.conversationId === chosen}
              isGone={gone.has(row.conversationId)}
              directory={directory}
            />
          ))}
        </ul>
        {pages.isSuccess && (
          <div ref={end} className="list-end">
            {isFetchingNextPage ? "Loading more…" : ""}
          </div>
        )}
      </div>
    </section>
  )
}
