/** What came of a simulation, in figures. */
import { type ChannelKind, channelKinds } from "./Traffic.ts"

/** **Units** `acknowledgedMs`: one duration for each message, from its first attempt on. */
export interface Counts {
  sent: number
  acknowledged: number
  /** The desk refused it for good, such as with 400. */
  refused: number
  /** Attempts that were answered with "later", such as 429 and 503, or broke. */
  retried: number
  /** Second deliveries of the same message. */
  repeated: number
  /** Answers that contacts saw. */
  answers: number
  readonly acknowledgedMs: Array<number>
}

export interface Summary {
  readonly channels: Readonly<Record<ChannelKind, Counts>>
  /** Why messages were refused or not delivered, each reason once. */
  readonly reasons: Set<string>
}

const none = (): Counts => ({
  sent: 0,
  acknowledged: 0,
  refused: 0,
  retried: 0,
  repeated: 0,
  answers: 0,
  acknowledgedMs: []
})

export const make = (): Summary => ({
  channels: { webchat: none(), email: none(), whatsapp: none(), telegram: none() },
  reasons: new Set()
})

/** The value that a share of all values does not exceed; `undefined` of nothing. **Units** `share` from 0 to 1. */
export const percentile = (values: ReadonlyArray<number>, share: number): number | undefined =>
  values.toSorted((a, b) => a - b)[Math.max(0, Math.ceil(values.length * share) - 1)]

export const total = ({ channels }: Summary): Counts => {
  const sum = none()
  for (const kind of channelKinds) {
    const one = channels[kind]
    for (const name of ["sent", "acknowledged", "refused", "retried", "repeated", "answers"] as const) {
      sum[name] += one[name]
    }
    sum.acknowledgedMs.push(...one.acknowledgedMs)
  }
  return sum
}

const milliseconds = (value: number | undefined): string => (value === undefined ? "–" : `${Math.round(value)} ms`)

/** A table for people. */
export const toText = (summary: Summary): string => {
  const line = (name: string, counts: Counts): ReadonlyArray<string> => [
    name,
    ...[counts.sent, counts.acknowledged, counts.refused, counts.retried, counts.repeated, counts.answers].map(String),
    ...[0.5, 0.95, 0.99].map((share) => milliseconds(percentile(counts.acknowledgedMs, share)))
  ]
  const lines = [
    ["", "sent", "acknowledged", "refused", "retries", "repeated", "answers seen", "p50", "p95", "p99"],
    ...channelKinds.map((kind) => line(kind, summary.channels[kind])),
    line("all", total(summary))
  ]
  const widths = lines[0]!.map((_, column) => Math.max(...lines.map((cells) => cells[column]!.length)))
  const table = lines.map((cells) =>
    cells
      .map((cell, column) => (column === 0 ? cell.padEnd(widths[0]!) : cell.padStart(widths[column]!)))
      .join("  ")
      .trimEnd()
  )
  return [...table, ...[...summary.reasons].slice(0, 5).map((reason) => `  ! ${reason}`)].join("\n")
}
