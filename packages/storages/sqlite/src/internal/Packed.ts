import {
  type Append,
  type Commit,
  type Outcome,
  StorageInvalidError,
  type StoredDocument,
  type TimerChange,
  type ViewChange,
  type ViewDefinition
} from "@switchboard/storage/StorageDriver"
import { fieldValue } from "@switchboard/storage/View"
import { bound, type ColumnValue, unknownView } from "./Columns.ts"

/**
 * A group of commits, or what became of them, as one flat list: between threads that is copied at a fraction of what
 * objects cost, and documents cross as the text they are stored as.
 */
export type Packed = Array<ColumnValue>

export interface EventWrite {
  readonly type: string
  readonly schema: number
  readonly recordedAtMs: number
  readonly subject: string | null
  readonly personal: string | null
  readonly body: string
}

export interface AppendWrite {
  readonly stream: string
  readonly expectedVersion: number
  readonly events: ReadonlyArray<EventWrite>
}

export interface DocumentWrite {
  readonly view: number
  readonly key: string
  /** `null`: the document is deleted. */
  readonly document: string | null
  readonly version: number | null
  readonly subject: string | null
  /** Of the view's fields, in their order. */
  readonly values: ReadonlyArray<ColumnValue>
}

export interface TimerWrite {
  readonly key: string
  /** `null`: whatever stands there. */
  readonly revision: number | null
  /** `null`: the timer is cleared. */
  readonly payload: string | null
  readonly kind: string
  readonly dueAtMs: number
  readonly lane: string | null
  readonly subject: string | null
}

export interface ClaimWrite {
  readonly key: string
  /** `null`: it is taken. */
  readonly revision: number | null
  /** `null`: it is released. */
  readonly value: string | null
  readonly expiresAtMs: number | null
  readonly subject: string | null
}

/** A commit with everything as its columns hold it. */
export interface Write {
  readonly workspace: string
  /** `null`: whatever stands. */
  readonly epoch: number | null
  readonly raisesEpoch: boolean
  readonly appends: ReadonlyArray<AppendWrite>
  readonly documents: ReadonlyArray<DocumentWrite>
  readonly timers: ReadonlyArray<TimerWrite>
  readonly claims: ReadonlyArray<ClaimWrite>
  readonly cursor: { readonly reader: string; readonly from: number; readonly to: number } | undefined
}

/** SQLite would store other text, but not give it back as it was. */
export const key = (field: string, text: string): string => {
  if (!text.includes("\0") && text.isWellFormed()) return text
  throw new StorageInvalidError({ field, expected: "well-formed text without NUL", found: JSON.stringify(text) })
}

export const keyOrNull = (field: string, text: string | undefined): string | null =>
  text === undefined ? null : key(field, text)

/** The views a file was opened with, by name, with their place in the list. */
export type PackedViews = ReadonlyMap<string, { readonly place: number; readonly definition: ViewDefinition }>

export const packedViews = (views: ReadonlyArray<ViewDefinition>): PackedViews =>
  new Map(views.map((definition, place) => [definition.name, { place, definition }]))

const packAppend = (into: Packed, { stream, expectedVersion, events }: Append): void => {
  into.push(key("stream", stream), expectedVersion, events.length)
  for (const { type, schema, recordedAtMs, body, personal } of events)
    into.push(
      key("type", type),
      schema,
      recordedAtMs,
      keyOrNull("subject", personal?.subject),
      personal === undefined ? null : JSON.stringify(personal.fields),
      JSON.stringify(body)
    )
}

const viewOf = (views: PackedViews, name: string) => {
  const view = views.get(name)
  if (view === undefined) throw unknownView(name)
  return view
}

const packDocument = (into: Packed, views: PackedViews, change: ViewChange): void => {
  const { place, definition } = viewOf(views, change.view)
  into.push(place, key("key", change.key))
  if (!("put" in change)) {
    into.push(null)
    return
  }
  into.push(JSON.stringify(change.put), change.version ?? null, keyOrNull("subject", change.subject))
  for (const field in definition.fields) into.push(bound(fieldValue(definition, change.put, field)))
}

/** A document as its columns hold it; `path` is where it stands in what was handed over. */
export const toDocumentWrite = (
  views: PackedViews,
  view: string,
  { key: name, document, version }: StoredDocument,
  subject: string | undefined,
  path: string
): DocumentWrite & { readonly document: string } => {
  const { place, definition } = viewOf(views, view)
  return {
    view: place,
    key: key(`${path}.document.key`, name),
    document: JSON.stringify(document),
    version: version ?? null,
    subject: keyOrNull(`${path}.subject`, subject),
    values: Object.keys(definition.fields).map((field) => bound(fieldValue(definition, document, field)))
  }
}

const packTimer = (into: Packed, change: TimerChange): void => {
  if (!("set" in change)) {
    into.push(key("key", change.clear), change.revision ?? null, null)
    return
  }
  const { kind, dueAtMs, lane, subject, payload } = change.set
  into.push(key("key", change.set.key), change.revision ?? null, JSON.stringify(payload))
  into.push(key("kind", kind), dueAtMs, keyOrNull("lane", lane), keyOrNull("subject", subject))
}

/** **Fails with** `StorageInvalidError` (thrown) for text SQLite would change, and for a view it does not know. */
export const pack = (views: PackedViews, group: ReadonlyArray<Commit>): Packed => {
  const into: Packed = []
  for (const commit of group) {
    const { workspace, epoch, appends = [], views: changes = [], timers = [], claims = [], cursor } = commit
    into.push(
      key("workspace", workspace),
      epoch ?? null,
      commit.raisesEpoch ? 1 : 0,
      appends.length,
      changes.length,
      timers.length,
      claims.length
    )
    for (const append of appends) packAppend(into, append)
    for (const change of changes) packDocument(into, views, change)
    for (const change of timers) packTimer(into, change)
    for (const change of claims) {
      into.push(key("key", change.key), change.revision ?? null)
      if ("release" in change) into.push(null)
      else into.push(key("value", change.value), change.expiresAtMs ?? null, keyOrNull("subject", change.subject))
    }
    if (cursor === undefined) into.push(null)
    else into.push(key("reader", cursor.reader), cursor.from, cursor.to)
  }
  return into
}

/** What {@link pack} made, where it is written. */
export const unpack = (packed: Packed, fieldCounts: ReadonlyArray<number>): ReadonlyArray<Write> => {
  let at = 0
  const take = <A extends ColumnValue>(): A => packed[at++] as A
  const many = <A>(count: number, read: () => A): ReadonlyArray<A> => {
    const all: Array<A> = []
    for (let each = 0; each < count; each++) all.push(read())
    return all
  }
  const event = (): EventWrite => ({
    type: take(),
    schema: take(),
    recordedAtMs: take(),
    subject: take(),
    personal: take(),
    body: take()
  })
  const append = (): AppendWrite => ({ stream: take(), expectedVersion: take(), events: many(take<number>(), event) })
  const document = (): DocumentWrite => {
    const view = take<number>()
    const name = take<string>()
    const text = take<string | null>()
    if (text === null) return { view, key: name, document: null, version: null, subject: null, values: [] }
    return {
      view,
      key: name,
      document: text,
      version: take(),
      subject: take(),
      values: many(fieldCounts[view]!, take<ColumnValue>)
    }
  }
  const timer = (): TimerWrite => {
    const name = take<string>()
    const revision = take<number | null>()
    const payload = take<string | null>()
    if (payload === null) return { key: name, revision, payload, kind: "", dueAtMs: 0, lane: null, subject: null }
    return { key: name, revision, payload, kind: take(), dueAtMs: take(), lane: take(), subject: take() }
  }
  const claim = (): ClaimWrite => {
    const name = take<string>()
    const revision = take<number | null>()
    const value = take<string | null>()
    if (value === null) return { key: name, revision, value, expiresAtMs: null, subject: null }
    return { key: name, revision, value, expiresAtMs: take(), subject: take() }
  }
  const writes: Array<Write> = []
  while (at < packed.length) {
    const workspace = take<string>()
    const epoch = take<number | null>()
    const raisesEpoch = take<number>() === 1
    const [appends, documents, timers, claims] = [take<number>(), take<number>(), take<number>(), take<number>()]
    const write = {
      workspace,
      epoch,
      raisesEpoch,
      appends: many(appends, append),
      documents: many(documents, document),
      timers: many(timers, timer),
      claims: many(claims, claim)
    }
    const reader = take<string | null>()
    writes.push({ ...write, cursor: reader === null ? undefined : { reader, from: take(), to: take() } })
  }
  return writes
}

/** The positions of one commit follow one another: the first and their number say all. What is rare crosses as JSON. */
export const packOutcomes = (outcomes: ReadonlyArray<Outcome>): Packed => {
  const into: Packed = []
  for (const outcome of outcomes)
    if (outcome.ok)
      into.push(
        outcome.positions[0] ?? 0,
        outcome.positions.length,
        outcome.raised === undefined ? null : JSON.stringify(outcome.raised)
      )
    else into.push(-1, 0, JSON.stringify(outcome.conflict))
  return into
}

export const unpackOutcomes = (packed: Packed): ReadonlyArray<Outcome> => {
  const outcomes: Array<Outcome> = []
  for (let at = 0; at < packed.length; at += 3) {
    const [first, count, rest] = [packed[at] as number, packed[at + 1] as number, packed[at + 2] as string | null]
    if (first === -1) outcomes.push({ ok: false, conflict: JSON.parse(rest!) })
    else {
      const positions = Array.from({ length: count }, (_, index) => first + index)
      outcomes.push(rest === null ? { ok: true, positions } : { ok: true, positions, raised: JSON.parse(rest) })
    }
  }
  return outcomes
}
