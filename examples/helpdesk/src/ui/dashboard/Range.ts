/** The stretch of time the numbers speak of, on the agent's own days. */
export type RangeName = "today" | "week"

export interface Range {
  readonly name: RangeName
  readonly fromMs: number
  readonly toMs: number
  readonly stepMs: number
}

const hourMs = 3_600_000

export const toRange = (name: RangeName, now: number): Range => {
  const start = new Date(now)
  start.setHours(0, 0, 0, 0)
  if (name === "week") start.setDate(start.getDate() - 6)
  const fromMs = start.getTime()
  // Figures come in whole hours; up to the end of the running one.
  const toMs = Math.ceil((now + 1) / hourMs) * hourMs
  return { name, fromMs, toMs: Math.max(toMs, fromMs + hourMs), stepMs: name === "today" ? hourMs : 24 * hourMs }
}

export const toStepLabel = (name: RangeName, ms: number): string =>
  name === "today"
    ? new Intl.DateTimeFormat(undefined, { hour: "2-digit", minute: "2-digit" }).format(ms)
    : new Intl.DateTimeFormat(undefined, { weekday: "short", day: "numeric" }).format(ms)
