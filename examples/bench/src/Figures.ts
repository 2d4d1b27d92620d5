/** How a benchmark reports: a table for people, or one JSON line per figure. */
import { readFileSync } from "node:fs"

export interface Figure {
  readonly name: string
  readonly value: number
  readonly unit: string
  readonly baseline?: number
}

const json = process.argv.includes("--json")

const rounded = (value: number): number => Number(value.toPrecision(4))

/** Prints one figure beside its baseline, where it has one. */
export const report = ({ name, value, unit, baseline }: Figure): void => {
  const ratio = baseline === undefined ? null : rounded(value / baseline)
  console.log(
    json
      ? JSON.stringify({
          name,
          value: rounded(value),
          unit,
          baseline: baseline === undefined ? null : rounded(baseline),
          ratio
        })
      : `${name.padEnd(64)} ${String(rounded(value)).padStart(10)} ${unit}${baseline === undefined ? "" : `   (baseline ${rounded(baseline)}, ×${ratio})`}`
  )
}

/** A line for people only. */
export const say = (text: string): void => {
  if (!json) console.log(text)
}

export const percentile = (sorted: ReadonlyArray<number>, share: number): number =>
  sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? Number.NaN

/** What a stretch of work cost this process. */
export const measure = async <A>(work: () => Promise<A>) => {
  const cpu = process.cpuUsage()
  const written = writtenBytes()
  const begin = performance.now()
  const result = await work()
  const ms = performance.now() - begin
  const used = process.cpuUsage(cpu)
  return { result, ms, cpuMs: (used.user + used.system) / 1000, writtenBytes: writtenBytes() - written }
}

/** What this process has handed to the disk so far; `NaN` where the system doesn't say. */
const writtenBytes = (): number => {
  try {
    return Number(/write_bytes: (\d+)/.exec(readFileSync("/proc/self/io", "utf8"))?.[1])
  } catch {
    return Number.NaN
  }
}
