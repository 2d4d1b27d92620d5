import type { Estimate } from "../../Simulation.ts"

/** Lays Student's interval around the difference over all, as wide as those within the batches vary around it. */
const between = (whole: number, parts: ReadonlyArray<number>, width: number): Estimate => {
  if (parts.length < 2) return { value: whole, low: Number.NEGATIVE_INFINITY, high: Number.POSITIVE_INFINITY }
  const variance = parts.reduce((sum, part) => sum + (part - whole) ** 2, 0) / (parts.length - 1)
  const half = width * Math.sqrt(variance / parts.length)
  return { value: whole, low: whole - half, high: whole + half }
}

/** The difference of figures over all and within each window, and what it may be in truth. */
export const differenceOf = <K extends string>(
  keys: ReadonlyArray<K>,
  of: (window?: number) => readonly [was: Readonly<Record<K, number>>, would: Readonly<Record<K, number>>],
  windows: number,
  width: number
): Readonly<Record<K, Estimate>> => {
  const whole = of()
  const parts = windows < 2 ? [] : Array.from({ length: windows }, (_, window) => of(window))
  const minus =
    (key: K) =>
    ([was, would]: typeof whole): number =>
      would[key] - was[key]
  return Object.fromEntries(
    keys.map((key) => [key, between(minus(key)(whole), parts.map(minus(key)), width)])
  ) as Record<K, Estimate>
}

/** Instants that cut the items into stretches with equally many arrivals. */
export const edgesOf = (arrivals: ReadonlyArray<number>, batches: number, endMs: number): ReadonlyArray<number> => {
  const sorted = [...arrivals].sort((a, b) => a - b)
  const count = Math.max(1, Math.min(batches, Math.floor(sorted.length / 10)))
  const inner = Array.from({ length: count }, (_, at) => sorted[Math.floor((at * sorted.length) / count)] ?? 0)
  return [...new Set(inner), Math.max(endMs, sorted.at(-1) ?? 0) + 1]
}
