import type {
  JsonObject,
  StoredClaim,
  StoredDocument,
  StoredEvent,
  StoredTimer
} from "@switchboard/storage/StorageDriver"

export interface EventRow {
  readonly position: bigint
  readonly stream: string
  readonly version: bigint
  readonly type: string
  readonly schema: bigint
  readonly recorded_at: number
  readonly subject: string | null
  readonly personal: string | null
  readonly body: string
}

export const eventColumns = "position, stream, version, type, schema, recorded_at, subject, personal, body"

export const eventOf = (workspace: string, row: EventRow): StoredEvent => {
  const event = {
    workspace,
    position: Number(row.position),
    stream: row.stream,
    version: Number(row.version),
    type: row.type,
    schema: Number(row.schema),
    recordedAtMs: row.recorded_at,
    body: JSON.parse(row.body) as JsonObject
  }
  if (row.subject === null) return event
  const fields = row.personal === null ? null : (JSON.parse(row.personal) as JsonObject)
  return { ...event, personal: { subject: row.subject, fields } }
}

export interface TimerRow {
  readonly key: string
  readonly kind: string
  readonly due_at: number
  readonly lane: string | null
  readonly subject: string | null
  readonly revision: bigint
  readonly sequence: bigint
  readonly payload: string
}

export const timerColumns = "t.key, t.kind, t.due_at, t.lane, t.subject, t.revision, t.sequence, t.payload"

export const timerOf = (workspace: string, row: TimerRow): StoredTimer => ({
  workspace,
  kind: row.kind,
  key: row.key,
  dueAtMs: row.due_at,
  payload: JSON.parse(row.payload) as JsonObject,
  revision: Number(row.revision),
  sequence: Number(row.sequence),
  ...(row.lane === null ? {} : { lane: row.lane }),
  ...(row.subject === null ? {} : { subject: row.subject })
})

export interface ClaimRow {
  readonly key: string
  readonly value: string
  readonly expires_at: number | null
  readonly revision: bigint
}

export const claimOf = ({ key, value, revision, expires_at }: ClaimRow): StoredClaim => ({
  key,
  value,
  revision: Number(revision),
  ...(expires_at === null ? {} : { expiresAtMs: expires_at })
})

export interface DocumentRow {
  readonly key: string
  readonly version: bigint | null
  readonly document: string
}

export const documentOf = ({ key, version, document }: DocumentRow): StoredDocument => ({
  key,
  document: JSON.parse(document) as JsonObject,
  ...(version === null ? {} : { version: Number(version) })
})
