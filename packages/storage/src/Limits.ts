/** How much one commit may hold, checked before anything is written. */
import { measure } from "./internal/Json.ts"
import { checkDistinct } from "./internal/Touched.ts"
import { type Commit, type JsonObject, StorageInvalidError, type ViewDefinition } from "./StorageDriver.ts"

/**
 * The limits of a commit.
 *
 * **Units** bytes are UTF-8; of JSON they count the text `JSON.stringify` writes.
 */
export interface Limits {
  /** Of a workspace's id, and of every key: stream, document, timer, lane, claim, reader, subject, event type. */
  readonly keyBytes: number
  /** Of an event's body and personal fields, each. */
  readonly eventBytes: number
  readonly documentBytes: number
  /** Of a timer's payload or a claim's value. */
  readonly payloadBytes: number
  readonly eventsPerCommit: number
  /** Appends, documents, timers and claims together. */
  readonly changesPerCommit: number
  /** How deep JSON may nest. */
  readonly depth: number
}

/** The limits that hold unless told otherwise. */
export const defaults: Limits = {
  keyBytes: 512,
  eventBytes: 1024 * 1024,
  documentBytes: 4 * 1024 * 1024,
  payloadBytes: 256 * 1024,
  eventsPerCommit: 10_000,
  changesPerCommit: 50_000,
  depth: 100
}

/** A commit is over a limit; nothing was written. Larger contents belong into a blob. */
export class StorageLimitError extends Error {
  readonly _tag = "StorageLimitError"
  readonly code = "storage-limit"
  /** The path of what is too large, such as `appends[0].events[2].body`. */
  readonly field: string
  readonly limit: keyof Limits
  readonly allowed: number
  readonly found: number
  constructor(facts: {
    readonly field: string
    readonly limit: keyof Limits
    readonly allowed: number
    readonly found: number
  }) {
    super(
      `${facts.field} is over the limit ${facts.limit}: ${facts.found}, allowed ${facts.allowed}. ` +
        `Split the commit, keep large contents in a blob, or raise the limit.`
    )
    this.name = "StorageLimitError"
    this.field = facts.field
    this.limit = facts.limit
    this.allowed = facts.allowed
    this.found = facts.found
  }
}

const encoder = new TextEncoder()

/** A path, made only where there is something to say of it. */
type Field = string | (() => string)

const toText = (field: Field): string => (typeof field === "string" ? field : field())

/**
 * Checks a key of any kind.
 *
 * **Fails with** {@link StorageLimitError} (thrown) when it is too long, `StorageInvalidError` when it is empty, holds
 * a NUL or a lone surrogate: backends would not keep it as it is.
 */
export const checkKey = (limits: Limits, field: Field, key: string): void => {
  if (typeof key !== "string" || key === "" || key.includes("\0") || !key.isWellFormed()) {
    throw new StorageInvalidError({
      field: toText(field),
      expected: "well-formed text without NUL",
      found: typeof key === "string" ? JSON.stringify(key) : typeof key
    })
  }
  if (key.length * 3 <= limits.keyBytes) return
  const found = encoder.encode(key).length
  if (found > limits.keyBytes)
    throw new StorageLimitError({ field: toText(field), limit: "keyBytes", allowed: limits.keyBytes, found })
}

const checkJson = (
  limits: Limits,
  field: Field,
  value: JsonObject,
  limit: "eventBytes" | "documentBytes" | "payloadBytes"
): void => {
  const bytes =
    typeof value === "object" && value !== null ? measure(value, limits.depth) : { path: "", found: typeof value }
  if (typeof bytes !== "number") {
    throw new StorageInvalidError({
      field: toText(field) + bytes.path,
      expected: `plain JSON at most ${limits.depth} deep`,
      found: bytes.found
    })
  }
  if (bytes <= limits[limit]) return
  const found = encoder.encode(JSON.stringify(value)).length
  if (found > limits[limit]) throw new StorageLimitError({ field: toText(field), limit, allowed: limits[limit], found })
}

const checkNumber = (field: Field, value: number | undefined, least: number): void => {
  if (value === undefined || (Number.isSafeInteger(value) && value >= least)) return
  throw new StorageInvalidError({
    field: toText(field),
    expected: `a whole number from ${least}`,
    found: String(value)
  })
}

// Epoch milliseconds may have a fraction; what matters is that they are numbers.
const checkTime = (field: Field, value: number | undefined): void => {
  if (value === undefined || Number.isFinite(value)) return
  throw new StorageInvalidError({ field: toText(field), expected: "epoch milliseconds", found: String(value) })
}

const checkSize = (field: string, limit: keyof Limits, limits: Limits, found: number): void => {
  if (found > limits[limit]) throw new StorageLimitError({ field, limit, allowed: limits[limit], found })
}

/**
 * Checks a whole commit against limits and view definitions.
 *
 * **Fails with** {@link StorageLimitError} or `StorageInvalidError` (thrown), both naming the field.
 */
export const checkCommit = (limits: Limits, views: ReadonlyMap<string, ViewDefinition>, commit: Commit): void => {
  const { appends = [], views: changes = [], timers = [], claims = [], cursor } = commit
  checkKey(limits, "workspace", commit.workspace)
  const size = appends.length + changes.length + timers.length + claims.length
  checkSize("commit", "changesPerCommit", limits, size)
  let events = 0
  for (const [index, append] of appends.entries()) {
    const at = () => `appends[${index}]`
    checkKey(limits, () => `${at()}.stream`, append.stream)
    checkNumber(() => `${at()}.expectedVersion`, append.expectedVersion, 0)
    events += append.events.length
    for (let each = 0; each < append.events.length; each++) {
      const event = append.events[each]!
      const field = () => `${at()}.events[${each}]`
      checkKey(limits, () => `${field()}.type`, event.type)
      checkNumber(() => `${field()}.schema`, event.schema, 1)
      checkTime(() => `${field()}.recordedAtMs`, event.recordedAtMs)
      checkJson(limits, () => `${field()}.body`, event.body, "eventBytes")
      if (event.personal === undefined) continue
      checkKey(limits, () => `${field()}.personal.subject`, event.personal.subject)
      checkJson(limits, () => `${field()}.personal.fields`, event.personal.fields, "eventBytes")
    }
  }
  checkSize("appends", "eventsPerCommit", limits, events)
  for (const [index, change] of changes.entries()) {
    const at = () => `views[${index}]`
    const view = views.get(change.view)
    if (view === undefined)
      throw new StorageInvalidError({
        field: `${at()}.view`,
        expected: "a view storage was opened with",
        found: change.view
      })
    checkKey(limits, () => `${at()}.key`, change.key)
    if (!("put" in change)) continue
    checkNumber(() => `${at()}.version`, change.version, 0)
    if (change.subject !== undefined) checkKey(limits, () => `${at()}.subject`, change.subject)
    checkJson(limits, () => `${at()}.put`, change.put, "documentBytes")
    for (const field in view.fields) {
      const value = change.put[field]
      const type = view.fields[field] === "text" ? "string" : view.fields[field]
      if (value !== undefined && value !== null && typeof value !== type)
        throw new StorageInvalidError({ field: `${at()}.put.${field}`, expected: String(type), found: typeof value })
    }
  }
  for (const [index, change] of timers.entries()) {
    const at = () => `timers[${index}]`
    checkNumber(() => `${at()}.revision`, change.revision, 0)
    if (!("set" in change)) {
      checkKey(limits, () => `${at()}.clear`, change.clear)
      continue
    }
    const { kind, key, dueAtMs, payload, lane, subject } = change.set
    checkKey(limits, () => `${at()}.set.kind`, kind)
    checkKey(limits, () => `${at()}.set.key`, key)
    checkTime(() => `${at()}.set.dueAtMs`, dueAtMs)
    if (lane !== undefined) checkKey(limits, () => `${at()}.set.lane`, lane)
    if (subject !== undefined) checkKey(limits, () => `${at()}.set.subject`, subject)
    checkJson(limits, () => `${at()}.set.payload`, payload, "payloadBytes")
  }
  for (const [index, change] of claims.entries()) {
    const at = () => `claims[${index}]`
    checkKey(limits, () => `${at()}.key`, change.key)
    checkNumber(() => `${at()}.revision`, change.revision, 1)
    if ("release" in change) continue
    checkTime(() => `${at()}.expiresAtMs`, change.expiresAtMs)
    if (change.subject !== undefined) checkKey(limits, () => `${at()}.subject`, change.subject)
    if (change.value !== "") checkKey({ ...limits, keyBytes: limits.payloadBytes }, () => `${at()}.value`, change.value)
  }
  if (cursor !== undefined) {
    checkKey(limits, "cursor.reader", cursor.reader)
    checkNumber("cursor.from", cursor.from, 0)
    checkNumber("cursor.to", cursor.to, 0)
  }
  checkDistinct(commit)
}
