import type { ClaimRow as SqlClaimRow, TimerRow as SqlTimerRow } from "@switchboard/storage/SqlRows"
import { eventsPerWorkspace } from "./Position.ts"

export interface WorkspaceRow {
  readonly id: number
  readonly name: string
  readonly head: number
  readonly revisions: number
  readonly epoch: number
}

/** The `revisions` of a workspace that was dropped: its number stays its own, since others may remember it. */
export const dropped = -1

export const eventColumns = `id - workspace * ${eventsPerWorkspace} AS position, stream, version, type, schema, recorded_at, subject, personal, body`

export interface TimerRow extends SqlTimerRow {
  readonly id: number
  readonly revision: number
  readonly ready: number
}

export const timerColumns = "id, key, kind, due_at, lane, subject, revision, sequence, ready, payload"

export interface ClaimRow extends SqlClaimRow {
  readonly revision: number
}

export const isLive = (row: ClaimRow, nowMs: number): boolean => row.expires_at === null || row.expires_at > nowMs
