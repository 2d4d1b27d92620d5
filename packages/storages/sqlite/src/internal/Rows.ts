import type {
  JsonObject,
  StoredClaim,
  StoredDocument,
  StoredEvent,
  StoredTimer
} from "@switchboard/storage/StorageDriver"
import { positionOf } from "./Position.ts"

export interface WorkspaceRow {
  readonly id: number
  readonly name: string
  readonly head: number
  readonly revisions: number
}

export interface EventRow {
  readonly id: number
  readonly stream: string
  readonly version: number
  readonly type: string
  readonly schema: number
  readonly recorded_at: number
  readonly subject: string | null
  readonly personal: string | null
  readonly body: string
}

export const eventColumns = "id, stream, version, type, schema, recorded_at, subject, personal, body"

export const eventOf = (workspace: string, number: number, row: EventRow): StoredEvent => {
  const event = {
    workspace,
    position: positionOf(number, row.id),
    stream: row.stream,
    version: row.version,
    type: row.type,
    schema: row.schema,
    recordedAtMs: row.recorded_at,
    body: JSON.parse(row.body) as JsonObject
  }
  if (row.subject === null) return event
  const fields = row.personal === null ? null : (JSON.parse(row.personal) as JsonObject)
  return { ...event, personal: { subject: row.subject, fields } }
}

export interface TimerRow {
  readonly id: number
  readonly key: string
  readonly kind: string
  readonly due_at: number
  readonly lane: string | null
  readonly subject: string | null
  readonly revision: number
  readonly sequence: number
  readonly ready: number
  readonly payload: string
}

export const timerColumns = "id, key, kind, due_at, lane, subject, revision, sequence, ready, payload"

export const timerOf = (workspace: string, row: TimerRow): StoredTimer => ({
  workspace,
  kind: row.kind,
  key: row.key,
  dueAtMs: row.due_at,
  payload: JSON.parse(row.payload) as JsonObject,
  revision: row.revision,
  sequence: row.sequence,
  ...(row.lane === null ? {} : { lane: row.lane }),
  ...(row.subject === null ? {} : { subject: row.subject })
})

export interface ClaimRow {
  readonly key: string
  readonly value: string
  readonly expires_at: number | null
  readonly revision: number
}

export const isLive = (row: ClaimRow, nowMs: number): boolean => row.expires_at === null || row.expires_at > nowMs

export const claimOf = ({ key, value, revision, expires_at }: ClaimRow): StoredClaim =>
  expires_at === null ? { key, value, revision } : { key, value, revision, expiresAtMs: expires_at }

export interface DocumentRow {
  readonly key: string
  readonly version: number | null
  readonly document: string
}

export const documentOf = (row: DocumentRow): StoredDocument => {
  const document = JSON.parse(row.document) as JsonObject
  return row.version === null ? { key: row.key, document } : { key: row.key, document, version: row.version }
}
