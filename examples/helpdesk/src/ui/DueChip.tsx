/** A promise and the time left for it, ticking. */
import { Tooltip, UnstyledButton } from "@mantine/core"
import type { ClockView } from "@switchboard/desk/DeskService"
import { IconAlertTriangle, IconCircleCheck, IconClock, IconClockPause } from "@tabler/icons-react"
import { toCountdown, toDate, toWords } from "./Format.ts"
import { useNow } from "./Now.ts"

export interface Due {
  readonly target: string
  readonly dueAtMs: number | null
  readonly breachedAtMs?: number | null
  readonly breached?: boolean
  readonly state?: ClockView["state"]
  readonly startedAtMs?: number
}

/** Below this much time left a promise asks for attention. */
const amberMs = 15 * 60_000

type Tone = "green" | "amber" | "red" | "gray"

const toneOf = (due: Due, now: number): Tone => {
  if (due.state === "paused") return "gray"
  if (due.breached || (due.breachedAtMs ?? null) !== null) return "red"
  if (due.state === "fulfilled" || due.dueAtMs === null) return "green"
  const left = due.dueAtMs - now
  if (left <= 0) return "red"
  const span = due.startedAtMs === undefined ? 0 : due.dueAtMs - due.startedAtMs
  return left < Math.max(amberMs, span * 0.2) ? "amber" : "green"
}

const explain = (due: Due): string => {
  const parts = [`Promise: ${toWords(due.target)}`]
  if (due.startedAtMs !== undefined && due.startedAtMs > 0) parts.push(`running since ${toDate(due.startedAtMs)}`)
  if (due.state === "paused") parts.push("paused")
  if (due.dueAtMs !== null) parts.push(`due ${toDate(due.dueAtMs)}`)
  if (due.breachedAtMs) parts.push(`missed ${toDate(due.breachedAtMs)}`)
  if (due.state === "fulfilled") parts.push("kept")
  return parts.join(" · ")
}

/** With `onOpen` it is a button that opens the whole story. */
export const DueChip = ({
  due,
  named = false,
  onOpen
}: {
  readonly due: Due
  readonly named?: boolean
  readonly onOpen?: () => void
}) => {
  const now = useNow()
  const tone = toneOf(due, now)
  const left = due.dueAtMs === null ? null : due.dueAtMs - now
  const words =
    due.state === "fulfilled"
      ? "done"
      : due.state === "paused" || left === null
        ? "paused"
        : `${left < 0 ? "−" : ""}${toCountdown(left)}`
  const Icon =
    due.state === "fulfilled"
      ? IconCircleCheck
      : due.state === "paused"
        ? IconClockPause
        : tone === "red"
          ? IconAlertTriangle
          : IconClock
  const explanation = explain(due)
  const chip = (
    <span className="due" data-tone={tone}>
      <Icon size={13} stroke={2} aria-hidden />
      {named && <span>{toWords(due.target)}</span>}
      <b>{words}</b>
      <span className="sr">{explanation}</span>
    </span>
  )
  return (
    <Tooltip label={explanation} multiline maw={320}>
      {onOpen ? (
        <UnstyledButton className="due-button" onClick={onOpen}>
          {chip}
        </UnstyledButton>
      ) : (
        chip
      )}
    </Tooltip>
  )
}
