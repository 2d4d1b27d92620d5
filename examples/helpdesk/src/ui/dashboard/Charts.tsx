import { AreaChart, BarChart } from "@mantine/charts"
import { Skeleton } from "@mantine/core"
import type { ReactNode } from "react"
import { lookOf } from "../Channels.tsx"
import { toDuration } from "../Format.ts"
import { Panel } from "../Panel.tsx"
import { Definition } from "./Definition.tsx"
import { type Range, toStepLabel } from "./Range.ts"
import { useMeasure } from "./useMeasure.ts"

const height = 230
const gridProps = {
  yAxisProps: { width: 44 },
  strokeDasharray: "3 4",
  gridAxis: "x" as const,
  tickLine: "none" as const
}

const ChartPanel = ({
  title,
  measures,
  isPending,
  isEmpty,
  children
}: {
  readonly title: string
  readonly measures: ReadonlyArray<string>
  readonly isPending: boolean
  readonly isEmpty: boolean
  readonly children: ReactNode
}) => (
  <Panel title={title} aside={<Definition measures={measures} />}>
    {isPending ? (
      <Skeleton h={height} />
    ) : isEmpty ? (
      <p className="chart-blank" style={{ height }}>
        Nothing to show for this time yet
      </p>
    ) : (
      children
    )}
  </Panel>
)

const OpenedAndResolved = ({ range }: { readonly range: Range }) => {
  const opened = useMeasure("conversations-opened", range)
  const resolved = useMeasure("conversations-resolved", range)
  const starts = opened.data?.series?.startsMs ?? []
  const data = starts.map((ms, index) => ({
    when: toStepLabel(range.name, ms),
    Opened: opened.data?.series?.lines[0]?.values[index] ?? 0,
    Resolved: resolved.data?.series?.lines[0]?.values[index] ?? 0
  }))
  return (
    <ChartPanel
      title={`Opened and resolved per ${range.name === "today" ? "hour" : "day"}`}
      measures={["conversations-opened", "conversations-resolved"]}
      isPending={opened.isPending || resolved.isPending}
      isEmpty={data.length === 0}
    >
      <BarChart
        h={height}
        data={data}
        dataKey="when"
        withLegend
        legendProps={{ verticalAlign: "bottom", height: 36 }}
        maxBarWidth={22}
        series={[
          { name: "Opened", color: "indigo.5" },
          { name: "Resolved", color: "teal.5" }
        ]}
        {...gridProps}
      />
    </ChartPanel>
  )
}

const FirstResponse = ({ range }: { readonly range: Range }) => {
  const answer = useMeasure("first-response-time", range)
  const { series, total } = answer.data ?? {}
  const values = series?.lines[0]?.values ?? []
  const data = (series?.startsMs ?? []).map((ms, index) => ({
    when: toStepLabel(range.name, ms),
    Median: values[index] ?? null
  }))
  const p90 = total?.p90Ms ?? null
  return (
    <ChartPanel
      title="First response, median (p50)"
      measures={["first-response-time"]}
      isPending={answer.isPending}
      isEmpty={values.every((value) => value === null)}
    >
      <AreaChart
        h={height}
        data={data}
        dataKey="when"
        curveType="monotone"
        withGradient
        connectNulls={false}
        valueFormatter={(value) => toDuration(value)}
        series={[{ name: "Median", color: "indigo.5" }]}
        referenceLines={
          p90 === null
            ? []
            : [
                {
                  y: p90,
                  label: `p90 of the whole time: ${toDuration(p90)}`,
                  color: "orange.6",
                  labelPosition: "insideTopLeft" as const
                }
              ]
        }
        areaChartProps={{ margin: { top: 18 } }}
        {...gridProps}
        yAxisProps={{ width: 52, domain: [0, (max: number) => Math.max(max, (p90 ?? 0) * 1.15)] }}
      />
    </ChartPanel>
  )
}

const channelColors: Readonly<Record<string, string>> = {
  email: "blue.5",
  webchat: "violet.5",
  whatsapp: "green.6",
  telegram: "cyan.5"
}

const ByChannel = ({ range }: { readonly range: Range }) => {
  const answer = useMeasure("messages-received", range, "channelKind")
  const { series } = answer.data ?? {}
  const lines = (series?.lines ?? []).map(({ dimensions, values }) => ({
    kind: String(dimensions["channelKind"] ?? "other"),
    values
  }))
  const data = (series?.startsMs ?? []).map((ms, index) => ({
    when: toStepLabel(range.name, ms),
    ...Object.fromEntries(lines.map(({ kind, values }) => [lookOf(kind).label, values[index] ?? 0]))
  }))
  return (
    <ChartPanel
      title="Messages from contacts, by channel"
      measures={["messages-received"]}
      isPending={answer.isPending}
      isEmpty={lines.length === 0}
    >
      <BarChart
        h={height}
        data={data}
        dataKey="when"
        type="stacked"
        withLegend
        legendProps={{ verticalAlign: "bottom", height: 46 }}
        maxBarWidth={30}
        series={lines.map(({ kind }) => ({ name: lookOf(kind).label, color: channelColors[kind] ?? "gray.5" }))}
        {...gridProps}
      />
    </ChartPanel>
  )
}

export const Charts = ({ range }: { readonly range: Range }) => (
  <div className="charts">
    <OpenedAndResolved range={range} />
    <FirstResponse range={range} />
    <ByChannel range={range} />
  </div>
)
