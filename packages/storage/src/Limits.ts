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

/** Where in a commit one looks, moved along: a path is only made where there is something to say of it. */
interface Place {
  list: "appends" | "views" | "timers" | "claims"
  index: number
  event: number | undefined
}

const pathOf = ({ list, index, event }: Place, rest: string): string =>
  `${list}[${index}]${event === undefined ? "" : `.events[${event}]`}.${rest}`

const isKey = (maxBytes: number, key: string): boolean =>
  typeof key === "string" && key !== "" && key.length * 3 <= maxBytes && !key.includes("\0") && key.isWellFormed()

/**
 * Checks a key of any kind.
 *
 * **Fails with** {@link StorageLimitError} (thrown) when it is too long, `StorageInvalidError` when it is empty, holds
 * a NUL or a lone surrogate: backends would not keep it as it is.
 */
export const checkKey = (limits: Limits, field: string, key: string): void => {
  if (typeof key !== "string" || key === "" || key.includes("\0") || !key.isWellFormed()) {
    throw new StorageInvalidError({
      field,
      expected: "well-formed text without NUL",
      found: typeof key === "string" ? JSON.stringify(key) : typeof key
    })
  }
  const found = encoder.encode(key).length
  if (found > limits.keyBytes)
    throw new StorageLimitError({ field, limit: "keyBytes", allowed: limits.keyBytes, found })
}

const checkKeyAt = (limits: Limits, place: Place, rest: string, key: string): void => {
  if (!isKey(limits.keyBytes, key)) checkKey(limits, pathOf(place, rest), key)
}

const checkJson = (
  limits: Limits,
  place: Place,
  rest: string,
  value: JsonObject,
  limit: "eventBytes" | "documentBytes" | "payloadBytes"
): void => {
  const bytes =
    typeof value === "object" && value !== null ? measure(value, limits.depth) : { path: "", found: typeof value }
  if (typeof bytes !== "number") {
    throw new StorageInvalidError({
      field: pathOf(place, rest) + bytes.path,
      expected: `plain JSON at most ${limits.depth} deep`,
      found: bytes.found
    })
  }
  if (bytes <= limits[limit]) return
  const found = encoder.encode(JSON.stringify(value)).length
  if (found > limits[limit])
    throw new StorageLimitError({ field: pathOf(place, rest), limit, allowed: limits[limit], found })
}

const isWhole = (value: number | undefined, least: number): boolean =>
  value === undefined || (Number.isSafeInteger(value) && value >= least)

const checkNumber = (field: string, value: number | undefined, least: number): void => {
  if (!isWhole(value, least))
    throw new StorageInvalidError({ field, expected: `a whole number from ${least}`, found: String(value) })
}

const checkNumberAt = (place: Place, rest: string, value: number | undefined, least: number): void => {
  if (!isWhole(value, least)) checkNumber(pathOf(place, rest), value, least)
}

// Epoch milliseconds may have a fraction; what matters is that they are numbers.
const checkTime = (place: Place, rest: string, value: number | undefined): void => {
  if (value === undefined || Number.isFinite(value)) return
  throw new StorageInvalidError({
    field: pathOf(place, rest),
    expected: "epoch milliseconds",
    found: String(value)
  })
}

const checkSize = (field: string, limit: keyof Limits, limits: Limits, found: number): void => {
  if (found > limits[limit]) throw new StorageLimitError({ field, limit, allowed: limits[limit], found })
}

const none: ReadonlyArray<never> = []

/**
 * Checks a whole commit against limits and view definitions.
 *
 * **Fails with** {@link StorageLimitError} or `StorageInvalidError` (thrown), both naming the field.
 */
export const checkCommit = (limits: Limits, views: ReadonlyMap<string, ViewDefinition>, commit: Commit): void => {
  const { appends = none, views: changes = none, timers = none, claims = none, cursor, epoch } = commit
  checkKey(limits, "workspace", commit.workspace)
  checkNumber("epoch", epoch, 0)
  const size = appends.length + changes.length + timers.length + claims.length
  checkSize("commit", "changesPerCommit", limits, size)
  const place: Place = { list: "appends", index: 0, event: undefined }
  let events = 0
  for (; place.index < appends.length; place.index++) {
    const append = appends[place.index]!
    checkKeyAt(limits, place, "stream", append.stream)
    checkNumberAt(place, "expectedVersion", append.expectedVersion, 0)
    events += append.events.length
    for (place.event = 0; place.event < append.events.length; place.event++) {
      const event = append.events[place.event]!
      checkKeyAt(limits, place, "type", event.type)
      checkNumberAt(place, "schema", event.schema, 1)
      checkTime(place, "recordedAtMs", event.recordedAtMs)
      checkJson(limits, place, "body", event.body, "eventBytes")
      if (event.personal === undefined) continue
      checkKeyAt(limits, place, "personal.subject", event.personal.subject)
      checkJson(limits, place, "personal.fields", event.personal.fields, "eventBytes")
    }
    place.event = undefined
  }
  checkSize("appends", "eventsPerCommit", limits, events)
  place.list = "views"
  for (place.index = 0; place.index < changes.length; place.index++) {
    const change = changes[place.index]!
    const view = views.get(change.view)
    if (view === undefined)
      throw new StorageInvalidError({
        field: pathOf(place, "view"),
        expected: "a view storage was opened with",
        found: change.view
      })
    checkKeyAt(limits, place, "key", change.key)
    if (!("put" in change)) continue
    checkNumberAt(place, "version", change.version, 0)
    if (change.subject !== undefined) checkKeyAt(limits, place, "subject", change.subject)
    checkJson(limits, place, "put", change.put, "documentBytes")
    for (const field in view.fields) {
      const value = change.put[field]
      const type = view.fields[field] === "text" ? "string" : view.fields[field]
      if (value !== undefined && value !== null && typeof value !== type)
        throw new StorageInvalidError({
          field: pathOf(place, `put.${field}`),
          expected: String(type),
          found: typeof value
        })
    }
  }
  place.list = "timers"
  for (place.index = 0; place.index < timers.length; place.index++) {
    const change = timers[place.index]!
    checkNumberAt(place, "revision", change.revision, 0)
    if (!("set" in change)) {
      checkKeyAt(limits, place, "clear", change.clear)
      continue
    }
    const { kind, key, dueAtMs, payload, lane, subject } = change.set
    checkKeyAt(limits, place, "set.kind", kind)
    checkKeyAt(limits, place, "set.key", key)
    checkTime(place, "set.dueAtMs", dueAtMs)
    if (lane !== undefined) checkKeyAt(limits, place, "set.lane", lane)
    if (subject !== undefined) checkKeyAt(limits, place, "set.subject", subject)
    checkJson(limits, place, "set.payload", payload, "payloadBytes")
  }
  place.list = "claims"
  for (place.index = 0; place.index < claims.length; place.index++) {
    const change = claims[place.index]!
    checkKeyAt(limits, place, "key", change.key)
    checkNumberAt(place, "revision", change.revision, 1)
    if ("release" in change) continue
    checkTime(place, "expiresAtMs", change.expiresAtMs)
    if (change.subject !== undefined) checkKeyAt(limits, place, "subject", change.subject)
    if (change.value !== "" && !isKey(limits.payloadBytes, change.value))
      checkKey({ ...limits, keyBytes: limits.payloadBytes }, pathOf(place, "value"), change.value)
  }
  if (cursor !== undefined) {
    checkKey(limits, "cursor.reader", cursor.reader)
    checkNumber("cursor.from", cursor.from, 0)
    checkNumber("cursor.to", cursor.to, 0)
  }
  checkDistinct(commit)
}
