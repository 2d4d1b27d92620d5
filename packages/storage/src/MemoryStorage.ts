/** Storage in memory: the double every test uses. It keeps every guarantee of the contract but durability. */
import { misplaced } from "./Holding.ts"
import { freezeCopy } from "./internal/Json.ts"
import { entryOf } from "./internal/MapEntry.ts"
import {
  type ClaimChange,
  type Commit,
  type Conflict,
  type Holding,
  type NewEvent,
  type Outcome,
  type Query,
  type StorageDriver,
  StorageInvalidError,
  type StoredClaim,
  type StoredDocument,
  type StoredEvent,
  type StoredTimer,
  type TimerChange,
  type ViewDefinition
} from "./StorageDriver.ts"
import {
  checkDefinitions,
  checkQuery,
  checkSearch,
  compareText,
  compareValues,
  fieldValue,
  meets,
  textOf
} from "./View.ts"
import { holds } from "./Words.ts"

interface Document extends StoredDocument {
  readonly subject: string | undefined
}

interface Claim extends StoredClaim {
  readonly subject: string | undefined
}

/** Everything of one workspace. */
interface Space {
  readonly id: string
  readonly journal: Array<StoredEvent>
  readonly streams: Map<string, Array<StoredEvent>>
  readonly views: Map<string, Map<string, Document>>
  readonly timers: Map<string, StoredTimer>
  /** In order of sequence: a map keeps insertion order, and sequences only rise. */
  readonly lanes: Map<string, Map<string, StoredTimer>>
  readonly cursors: Map<string, number>
  readonly claims: Map<string, Claim>
  /** The highest revision given to a timer or claim. */
  revisions: number
}

const emptySpace = (id: string): Space => ({
  id,
  journal: [],
  streams: new Map(),
  views: new Map(),
  timers: new Map(),
  lanes: new Map(),
  cursors: new Map(),
  claims: new Map(),
  revisions: 0
})

const dumpedAtOnce = 1000

const compareTimers = (left: StoredTimer, right: StoredTimer): number =>
  left.dueAtMs - right.dueAtMs || compareText(left.workspace, right.workspace) || left.sequence - right.sequence

/** The timers of one kind that no lane holds back, earliest first. */
class ReadyTimers {
  readonly timers: Array<StoredTimer> = []
  #place(timer: StoredTimer): number {
    let low = 0
    let high = this.timers.length
    while (low < high) {
      const middle = (low + high) >> 1
      if (compareTimers(this.timers[middle]!, timer) < 0) low = middle + 1
      else high = middle
    }
    return low
  }
  add(timer: StoredTimer): void {
    this.timers.splice(this.#place(timer), 0, timer)
  }
  remove(timer: StoredTimer): void {
    const place = this.#place(timer)
    if (this.timers[place] === timer) this.timers.splice(place, 1)
  }
}

/**
 * Opens an empty storage in memory.
 *
 * **Gotchas** what it returns is frozen and shared: copy it before changing it. It is gone with the process.
 *
 * **Example**
 * ```ts
 * import { strict as assert } from "node:assert"
 * import { MemoryStorage } from "@switchboard/storage"
 *
 * const driver = MemoryStorage.make()
 * await driver.prepare([])
 * const event = { type: "Opened", schema: 1, recordedAtMs: 0, body: { subject: "Hello" } }
 * const group = [{ workspace: "acme", appends: [{ stream: "conversation/1", expectedVersion: 0, events: [event] }] }]
 * assert.deepEqual(await driver.commit(group, 0), [{ ok: true, positions: [1] }])
 * assert.equal((await driver.commit(group, 0))[0]?.ok, false)
 * ```
 */
export const make = (): StorageDriver => {
  const spaces = new Map<string, Space>()
  const ready = new Map<string, ReadyTimers>()
  /** Also of those that were dropped. */
  const epochs = new Map<string, number>()
  const watchers = new Set<(workspaces: ReadonlyArray<string>) => void>()
  let definitions = new Map<string, ViewDefinition>()

  const definition = (view: string): ViewDefinition => {
    const found = definitions.get(view)
    if (found === undefined) throw new StorageInvalidError({ field: "view", expected: "a prepared view", found: view })
    return found
  }

  const liveClaim = (space: Space | undefined, key: string, nowMs: number): Claim | undefined => {
    const claim = space?.claims.get(key)
    return claim === undefined || (claim.expiresAtMs !== undefined && claim.expiresAtMs <= nowMs) ? undefined : claim
  }

  const epochOf = (workspace: string): number => epochs.get(workspace) ?? 0
  const raiseEpoch = (workspace: string): void => void epochs.set(workspace, epochOf(workspace) + 1)

  const conflictOf = (space: Space | undefined, commit: Commit, nowMs: number): Conflict | undefined => {
    const epoch = epochOf(commit.workspace)
    if ((commit.epoch ?? epoch) !== epoch)
      return { kind: "epoch", key: commit.workspace, expected: commit.epoch!, found: epoch }
    for (const { stream, expectedVersion } of commit.appends ?? []) {
      const found = space?.streams.get(stream)?.length ?? 0
      if (found !== expectedVersion) return { kind: "stream", key: stream, expected: expectedVersion, found }
    }
    for (const change of commit.timers ?? []) {
      if (change.revision === undefined) continue
      const key = "set" in change ? change.set.key : change.clear
      const found = space?.timers.get(key)?.revision ?? 0
      if (found !== change.revision) return { kind: "timer", key, expected: change.revision, found }
    }
    if (commit.cursor !== undefined) {
      const { reader, from } = commit.cursor
      const found = space?.cursors.get(reader) ?? 0
      if (found !== from) return { kind: "cursor", key: reader, expected: from, found }
    }
    for (const change of commit.claims ?? []) {
      const found = liveClaim(space, change.key, nowMs)
      if (change.revision === undefined ? found !== undefined : found?.revision !== change.revision)
        return { kind: "claim", key: change.key, found: found === undefined ? undefined : publicClaim(found) }
    }
    return undefined
  }

  const readyOf = (kind: string): ReadyTimers => entryOf(ready, kind, () => new ReadyTimers())

  const isReady = (space: Space, timer: StoredTimer): boolean =>
    timer.lane === undefined || space.lanes.get(timer.lane)?.keys().next().value === timer.key

  const removeTimer = (space: Space, timer: StoredTimer): void => {
    if (isReady(space, timer)) readyOf(timer.kind).remove(timer)
    space.timers.delete(timer.key)
    if (timer.lane === undefined) return
    const lane = space.lanes.get(timer.lane)!
    const wasFirst = lane.keys().next().value === timer.key
    lane.delete(timer.key)
    const next = lane.values().next().value
    if (next === undefined) space.lanes.delete(timer.lane)
    else if (wasFirst) readyOf(next.kind).add(next)
  }

  const applyTimer = (space: Space, change: TimerChange): void => {
    const before = space.timers.get("set" in change ? change.set.key : change.clear)
    if (!("set" in change)) {
      if (before !== undefined) removeTimer(space, before)
      return
    }
    const { lane } = change.set
    const revision = before === undefined ? space.revisions + 1 : before.revision + 1
    space.revisions = Math.max(space.revisions, revision)
    const stays = before !== undefined && before.lane === lane
    const sequence = stays ? before.sequence : before === undefined ? revision : ++space.revisions
    const timer: StoredTimer = Object.freeze({ ...change.set, workspace: space.id, revision, sequence })
    if (stays) {
      if (isReady(space, before)) readyOf(before.kind).remove(before)
    } else if (before !== undefined) removeTimer(space, before)
    putTimer(space, timer)
  }

  const putTimer = (space: Space, timer: StoredTimer): void => {
    const { key, lane } = timer
    space.revisions = Math.max(space.revisions, timer.revision, timer.sequence)
    space.timers.set(key, timer)
    if (lane !== undefined) entryOf(space.lanes, lane, () => new Map<string, StoredTimer>()).set(key, timer)
    if (isReady(space, timer)) readyOf(timer.kind).add(timer)
  }

  const applyClaim = (space: Space, change: ClaimChange): void => {
    if ("release" in change) {
      space.claims.delete(change.key)
      return
    }
    const revision = (change.revision ?? space.revisions) + 1
    space.revisions = Math.max(space.revisions, revision)
    const { key, value, expiresAtMs, subject } = change
    space.claims.set(key, { key, value, revision, subject, ...(expiresAtMs === undefined ? {} : { expiresAtMs }) })
  }

  const append = (space: Space, name: string, events: ReadonlyArray<NewEvent>, raised: Array<StoredEvent>) => {
    const stream = entryOf(space.streams, name, () => [])
    for (const event of events) {
      const recordedAtMs = Math.max(event.recordedAtMs, stream.at(-1)?.recordedAtMs ?? event.recordedAtMs)
      const stored: StoredEvent = Object.freeze({
        ...event,
        workspace: space.id,
        position: space.journal.length + 1,
        stream: name,
        version: stream.length + 1,
        recordedAtMs
      })
      stream.push(stored)
      space.journal.push(stored)
      if (recordedAtMs !== event.recordedAtMs) raised.push(stored)
    }
  }

  const apply = (space: Space, commit: Commit): Outcome => {
    const before = space.journal.length
    const raised: Array<StoredEvent> = []
    for (const { stream, events } of commit.appends ?? []) if (events.length > 0) append(space, stream, events, raised)
    for (const change of commit.views ?? []) {
      const documents = entryOf(space.views, change.view, () => new Map<string, Document>())
      if (!("put" in change)) documents.delete(change.key)
      else {
        const { key, put: document, version, subject } = change
        documents.set(key, Object.freeze({ key, document, subject, ...(version === undefined ? {} : { version }) }))
      }
    }
    for (const change of commit.timers ?? []) applyTimer(space, change)
    if (commit.cursor !== undefined) space.cursors.set(commit.cursor.reader, commit.cursor.to)
    for (const change of commit.claims ?? []) applyClaim(space, change)
    const positions = Array.from({ length: space.journal.length - before }, (_, index) => before + index + 1)
    return raised.length === 0
      ? { ok: true, positions }
      : { ok: true, positions, raised: raised.map(({ position, recordedAtMs }) => ({ position, recordedAtMs })) }
  }

  // What can't be stored must fail before anything of the group is.
  const own = (commit: Commit): Commit => {
    const copied = freezeCopy(commit)
    for (const change of copied.views ?? []) {
      const view = definition(change.view)
      if ("put" in change) for (const field of Object.keys(view.fields)) fieldValue(view, change.put, field)
    }
    return copied
  }

  const writes = (commit: Commit): boolean =>
    commit.raisesEpoch === true ||
    commit.cursor !== undefined ||
    [commit.views, commit.timers, commit.claims].some((changes) => (changes?.length ?? 0) > 0) ||
    (commit.appends ?? []).some(({ events }) => events.length > 0)

  const put = (space: Space, holding: Holding): void => {
    switch (holding.kind) {
      case "event": {
        const event = Object.freeze({ ...holding.event, workspace: space.id })
        space.journal.push(event)
        entryOf(space.streams, event.stream, () => []).push(event)
        return
      }
      case "document": {
        const { view, document, subject } = holding
        entryOf(space.views, view, () => new Map<string, Document>()).set(
          document.key,
          Object.freeze({ ...document, subject })
        )
        return
      }
      case "timer": {
        const before = space.timers.get(holding.timer.key)
        if (before !== undefined) removeTimer(space, before)
        putTimer(space, Object.freeze({ ...holding.timer, workspace: space.id }))
        return
      }
      case "claim":
        space.claims.set(holding.claim.key, { ...holding.claim, subject: holding.subject })
        space.revisions = Math.max(space.revisions, holding.claim.revision)
        return
      case "cursor":
        if (holding.position === 0) space.cursors.delete(holding.reader)
        else space.cursors.set(holding.reader, holding.position)
    }
  }

  const holdingsOf = (space: Space, afterPosition: number): ReadonlyArray<Holding> => [
    ...space.journal.slice(afterPosition).map((event): Holding => ({ kind: "event", event })),
    ...[...space.views].flatMap(([view, documents]) =>
      [...documents.values()].map(
        (document): Holding => ({
          kind: "document",
          view,
          document: publicDocument(document),
          ...(document.subject !== undefined && { subject: document.subject })
        })
      )
    ),
    ...[...space.timers.values()]
      .sort((left, right) => left.sequence - right.sequence)
      .map((timer): Holding => ({ kind: "timer", timer })),
    ...[...space.claims.values()].map(
      (claim): Holding => ({
        kind: "claim",
        claim: publicClaim(claim),
        ...(claim.subject !== undefined && { subject: claim.subject })
      })
    ),
    ...[...space.cursors].flatMap(
      ([reader, position]): ReadonlyArray<Holding> => (position === 0 ? [] : [{ kind: "cursor", reader, position }])
    )
  ]

  const query = (workspace: string, asked: Query) => {
    const view = definition(asked.view)
    checkQuery(view, asked)
    const field = asked.order?.field
    const sign = asked.order?.direction === "descending" ? -1 : 1
    const value = (document: StoredDocument) =>
      field === undefined ? null : fieldValue(view, document.document, field)
    const { after } = asked
    const found: Array<{ readonly value: ReturnType<typeof value>; readonly stored: StoredDocument }> = []
    for (const document of spaces.get(workspace)?.views.get(asked.view)?.values() ?? []) {
      if (!(asked.where ?? []).every((is) => meets(is, fieldValue(view, document.document, is.field)))) continue
      const candidate = { value: value(document), stored: publicDocument(document) }
      if (after !== undefined) {
        const order = field === undefined ? 0 : compareValues(candidate.value, after.value)
        if ((order || compareText(document.key, after.key)) * sign <= 0) continue
      }
      found.push(candidate)
    }
    found.sort((a, b) => (compareValues(a.value, b.value) || compareText(a.stored.key, b.stored.key)) * sign)
    const page = found.slice(0, asked.limit)
    const documents = page.map(({ stored }) => stored)
    const last = page.at(-1)
    if (found.length === page.length || last === undefined) return { documents }
    return { documents, next: { value: last.value, key: last.stored.key } }
  }

  return {
    name: "memory",
    capabilities: { durable: false, multiProcess: false, notify: false, fullText: true },
    prepare: async (views) => {
      checkDefinitions(views)
      for (const { name, version } of views) {
        const stands = definitions.get(name)?.version ?? 0
        if (stands > version)
          throw new StorageInvalidError({
            field: `${name}.version`,
            expected: `at least ${stands}`,
            found: String(version)
          })
      }
      definitions = new Map(views.map((view) => [view.name, view]))
    },
    commit: async (group, nowMs) => {
      const commits = group.map(own)
      const grown = new Set<string>()
      const raising = new Set<string>()
      const outcomes = commits.map((commit): Outcome => {
        const conflict = conflictOf(spaces.get(commit.workspace), commit, nowMs)
        if (conflict !== undefined) return { ok: false, conflict }
        if (!writes(commit)) return { ok: true, positions: [] }
        const space = entryOf(spaces, commit.workspace, () => emptySpace(commit.workspace))
        const outcome = apply(space, commit)
        if (commit.raisesEpoch) raising.add(commit.workspace)
        if (outcome.ok && outcome.positions.length > 0) grown.add(commit.workspace)
        return outcome
      })
      for (const workspace of raising) raiseEpoch(workspace)
      if (grown.size > 0) for (const watcher of watchers) watcher([...grown])
      return outcomes
    },
    stream: async (workspace, stream, afterVersion, limit) =>
      spaces
        .get(workspace)
        ?.streams.get(stream)
        ?.slice(afterVersion, afterVersion + limit) ?? [],
    streamVersions: async (workspace, streams) =>
      streams.map((stream) => spaces.get(workspace)?.streams.get(stream)?.length ?? 0),
    journal: async (workspace, afterPosition, limit) =>
      spaces.get(workspace)?.journal.slice(afterPosition, afterPosition + limit) ?? [],
    head: async (workspace) => spaces.get(workspace)?.journal.length ?? 0,
    documents: async (workspace, view, keys) => {
      definition(view)
      const documents = spaces.get(workspace)?.views.get(view)
      return keys.map((key) => {
        const document = documents?.get(key)
        return document === undefined ? undefined : publicDocument(document)
      })
    },
    query: async (workspace, asked) => query(workspace, asked),
    cursor: async (workspace, reader) => spaces.get(workspace)?.cursors.get(reader) ?? 0,
    epoch: async (workspace) => epochOf(workspace),
    claims: async (workspace, keys, nowMs) =>
      keys.map((key) => {
        const claim = liveClaim(spaces.get(workspace), key, nowMs)
        return claim === undefined ? undefined : publicClaim(claim)
      }),
    timers: async (workspace, keys) => keys.map((key) => spaces.get(workspace)?.timers.get(key)),
    fullText: {
      search: async (workspace, asked) => {
        const view = definition(asked.view)
        checkSearch(view, asked)
        const found: Array<StoredDocument> = []
        const all = [...(spaces.get(workspace)?.views.get(asked.view)?.values() ?? [])]
        for (let place = all.length - 1; place >= 0 && found.length < asked.limit; place--) {
          const document = all[place]!
          if (holds(textOf(view, document.document), asked.terms)) found.push(publicDocument(document))
        }
        return { documents: found, behind: 0 }
      },
      index: async () => 0
    },
    erase: async (workspace, subject, stream) => {
      const space = spaces.get(workspace)
      if (space === undefined) return { events: 0, documents: [], timers: [], claims: [] }
      raiseEpoch(workspace)
      let events = 0
      for (const event of (stream === undefined ? space.journal : space.streams.get(stream)) ?? []) {
        if (event.personal?.subject !== subject || event.personal.fields === null) continue
        const erased = Object.freeze({ ...event, personal: Object.freeze({ subject, fields: null }) })
        space.journal[event.position - 1] = erased
        space.streams.get(event.stream)![event.version - 1] = erased
        events++
      }
      if (stream !== undefined) return { events, documents: [], timers: [], claims: [] }
      const documents: Array<{ readonly view: string; readonly key: string }> = []
      for (const [view, stored] of space.views)
        for (const [key, document] of stored)
          if (document.subject === subject) {
            stored.delete(key)
            documents.push({ view, key })
          }
      const timers = [...space.timers.values()].filter((timer) => timer.subject === subject)
      for (const timer of timers) removeTimer(space, timer)
      const claims = [...space.claims.values()].filter((claim) => claim.subject === subject)
      for (const claim of claims) space.claims.delete(claim.key)
      return { events, documents, timers: timers.map(({ key }) => key), claims: claims.map(({ key }) => key) }
    },
    workspaces: async () => [...spaces.keys()].sort(compareText),
    due: async (nowMs, kinds, limit) =>
      [...new Set(kinds)]
        .flatMap((kind) => {
          const earliest = ready.get(kind)?.timers.slice(0, limit) ?? []
          return earliest.filter((timer) => timer.dueAtMs <= nowMs)
        })
        .sort(compareTimers)
        .slice(0, limit),
    nextDueAtMs: async (kinds) => {
      const times = kinds.flatMap((kind) => ready.get(kind)?.timers[0]?.dueAtMs ?? [])
      return times.length === 0 ? undefined : Math.min(...times)
    },
    lagging: async (reader) =>
      [...spaces.values()].flatMap((space) => {
        const cursor = space.cursors.get(reader) ?? 0
        const head = space.journal.length
        return head > cursor ? [{ workspace: space.id, cursor, head }] : []
      }),
    watch: (onChange) => {
      watchers.add(onChange)
      return () => {
        watchers.delete(onChange)
      }
    },
    sweep: async (nowMs) => {
      let swept = 0
      for (const space of spaces.values())
        for (const [key, { expiresAtMs }] of space.claims)
          if (expiresAtMs !== undefined && expiresAtMs <= nowMs) {
            space.claims.delete(key)
            swept++
          }
      return swept
    },
    dump: async function* (workspace, afterPosition) {
      const space = spaces.get(workspace)
      const holdings = space === undefined ? [] : holdingsOf(space, afterPosition)
      for (let from = 0; from < holdings.length; from += dumpedAtOnce) yield holdings.slice(from, from + dumpedAtOnce)
    },
    load: async (workspace, holdings) => {
      if (holdings.length === 0) return
      const copied = freezeCopy(holdings)
      for (const holding of copied) if (holding.kind === "document") definition(holding.view)
      const events = copied.flatMap((holding, index) => (holding.kind === "event" ? [{ ...holding.event, index }] : []))
      const known = spaces.get(workspace)
      const refused = misplaced(events, known?.journal.length ?? 0, (name) => known?.streams.get(name)?.length ?? 0)
      if (refused !== undefined) throw refused
      const space = entryOf(spaces, workspace, () => emptySpace(workspace))
      for (const holding of copied) put(space, holding)
      raiseEpoch(workspace)
    },
    drop: async (workspace) => {
      const space = spaces.get(workspace)
      for (const timer of space?.timers.values() ?? []) removeTimer(space!, timer)
      if (spaces.delete(workspace)) raiseEpoch(workspace)
    },
    close: async () => {}
  }
}

const publicDocument = ({ key, document, version }: Document): StoredDocument =>
  version === undefined ? { key, document } : { key, document, version }

const publicClaim = ({ key, value, revision, expiresAtMs }: Claim): StoredClaim =>
  expiresAtMs === undefined ? { key, value, revision } : { key, value, revision, expiresAtMs }
