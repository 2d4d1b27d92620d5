import { SegmentedControl, Skeleton } from "@mantine/core"
import { useState } from "react"
import { NotShown } from "../NotShown.tsx"
import { useNow } from "../Now.ts"
import { LiveBoard, NowLine, useBoard } from "./Board.tsx"
import { Charts } from "./Charts.tsx"
import { type RangeName, toRange } from "./Range.ts"
import { Tiles } from "./Tiles.tsx"

/** Loaded when it is opened: the charts are most of the application. */
export default function Dashboard() {
  const board = useBoard()
  const [name, setName] = useState<RangeName>("today")
  const range = toRange(name, useNow())
  return (
    <main className="dashboard">
      <h1 className="sr">Dashboard</h1>
      <header className="dashboard-head">
        <h2>Right now</h2>
      </header>
      {board.data ? (
        <>
          <NowLine board={board.data} />
          <LiveBoard board={board.data} />
        </>
      ) : board.isError ? (
        <NotShown what="The board" query={board} />
      ) : (
        <Skeleton h={280} radius="md" />
      )}
      <header className="dashboard-head tiles-head">
        <h2>Figures</h2>
        <SegmentedControl
          size="xs"
          value={name}
          onChange={(value) => setName(value as RangeName)}
          aria-label="Time"
          data={[
            { value: "today", label: "Today" },
            { value: "week", label: "7 days" }
          ]}
        />
      </header>
      <Tiles range={range} />
      <Charts range={range} />
    </main>
  )
}
