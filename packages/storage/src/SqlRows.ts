/**
 * What a row of an SQL database becomes, for drivers whose columns have these names.
 *
 * Whole numbers may come as `bigint`, JSON comes as text, what is absent as `null`.
 *
 * **Example**
 * ```ts
 * import { strict as assert } from "node:assert"
 * import { toClaim } from "@switchboard/storage/SqlRows"
 *
 * const row = { key: "address", value: "contact/1", expires_at: null, revision: 7n }
 * assert.deepEqual(toClaim(row), { key: "address", value: "contact/1", revision: 7 })
 * ```
 */
import type { JsonObject, StoredClaim, StoredDocument, StoredEvent, StoredTimer } from "./StorageDriver.ts"

/** A whole number as the database's client reads it. */
export type Whole = number | bigint

/** A row of the journal. */
export interface EventRow {
  readonly position: Whole
  readonly stream: string
  readonly version: Whole
  readonly type: string
  readonly schema: Whole
  readonly recorded_at: number
  readonly subject: string | null
  /** `null`: there are no personal fields, or they were erased. */
  readonly personal: string | null
  readonly body: string
}

/** An event as it stands in the journal of a workspace. */
export const toEvent = (workspace: string, row: EventRow): StoredEvent => {
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

/** A row of a view. */
export interface DocumentRow {
  readonly key: string
  readonly version: Whole | null
  readonly document: string
}

/** A document as it was put. */
export const toDocument = ({ key, version, document }: DocumentRow): StoredDocument => {
  const stored = { key, document: JSON.parse(document) as JsonObject }
  return version === null ? stored : { ...stored, version: Number(version) }
}

/** A row of the timers. */
export interface TimerRow {
  readonly key: string
  readonly kind: string
  readonly due_at: number
  readonly lane: string | null
  readonly subject: string | null
  readonly revision: Whole
  readonly sequence: Whole
  readonly payload: string
}

/** A timer of a workspace. */
export const toTimer = (workspace: string, row: TimerRow): StoredTimer => ({
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

/** A row of the claims. */
export interface ClaimRow {
  readonly key: string
  readonly value: string
  readonly expires_at: number | null
  readonly revision: Whole
}

/** A claim as it is held. */
export const toClaim = ({ key, value, expires_at, revision }: ClaimRow): StoredClaim => {
  const claim = { key, value, revision: Number(revision) }
  return expires_at === null ? claim : { ...claim, expiresAtMs: expires_at }
}
