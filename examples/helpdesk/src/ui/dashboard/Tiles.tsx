import { Skeleton } from "@mantine/core"
import type { Report } from "@switchboard/metrics"
import { toDuration, toPercent } from "../Format.ts"
import { Definition } from "./Definition.tsx"
import type { Range } from "./Range.ts"
import { useMeasure } from "./useMeasure.ts"

interface Tile {
  readonly measure: string
  readonly title: string
  readonly value: (figures: Report.Figures) => string | null
  readonly detail: (figures: Report.Figures) => string
}

const duration = (ms: number | null): string | null => (ms === null ? null : toDuration(ms))
const middle = ({ p90Ms, count }: Report.Figures): string =>
  p90Ms === null ? "no case yet" : `p90 ${toDuration(p90Ms)} · ${count === 1 ? "1 case" : `${count} cases`}`

const tiles: ReadonlyArray<Tile> = [
  { measure: "first-response-time", title: "First response", value: ({ p50Ms }) => duration(p50Ms), detail: middle },
  { measure: "reply-time", title: "Reply time", value: ({ p50Ms }) => duration(p50Ms), detail: middle },
  { measure: "resolution-time", title: "Resolution", value: ({ p50Ms }) => duration(p50Ms), detail: middle },
  {
    measure: "conversations-handled",
    title: "Handled",
    value: ({ count }) => String(count),
    detail: () => "conversations answered by people"
  },
  {
    measure: "sla-breach-share",
    title: "Promises broken",
    value: ({ share0to1 }) => (share0to1 === null ? null : toPercent(share0to1)),
    detail: ({ yeses, count }) => (count === 0 ? "no promise completed yet" : `${yeses ?? 0} of ${count}`)
  },
  {
    measure: "bot-containment-share",
    title: "Bot containment",
    value: ({ share0to1 }) => (share0to1 === null ? null : toPercent(share0to1)),
    detail: ({ yeses, count }) =>
      count === 0 ? "no bot conversation ended yet" : `${yeses ?? 0} of ${count} without a person`
  }
]

const TileView = ({ tile, range }: { readonly tile: Tile; readonly range: Range }) => {
  const answer = useMeasure(tile.measure, range)
  const figures = answer.data?.total
  return (
    <article className="tile" aria-label={tile.title}>
      <header>
        <h3>{tile.title}</h3>
        <Definition measures={[tile.measure]} />
      </header>
      {figures ? (
        <>
          <strong>{tile.value(figures) ?? "–"}</strong>
          <small>{tile.detail(figures)}</small>
        </>
      ) : answer.isError ? (
        <small>Can't be read right now</small>
      ) : (
        <>
          <Skeleton h={30} w={90} my={4} />
          <Skeleton h={12} w={120} />
        </>
      )}
    </article>
  )
}

export const Tiles = ({ range }: { readonly range: Range }) => (
  <div className="tiles">
    {tiles.map((tile) => (
      <TileView key={tile.measure} tile={tile} range={range} />
    ))}
  </div>
)
