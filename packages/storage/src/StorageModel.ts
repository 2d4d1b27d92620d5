/**
 * A reference model of storage, small enough to be believed, and random histories to compare a driver with it.
 *
 * A history is a list of numbers, each taken as one choice: a property-testing library generates and shrinks it without
 * knowing anything of storage.
 */
import { equal, ok } from "./internal/Check.ts"
import type {
  Append,
  ClaimChange,
  Commit,
  Condition,
  Conflict,
  FieldValue,
  JsonObject,
  NewEvent,
  Outcome,
  Query,
  StorageDriver,
  StoredClaim,
  StoredDocument,
  StoredEvent,
  StoredTimer,
  TimerChange,
  ViewChange,
  ViewDefinition
} from "./StorageDriver.ts"

/** The view the histories write. */
export const view: ViewDefinition = {
  name: "cards",
  version: 1,
  fields: { state: "text", rank: "number", flag: "boolean" },
  indexes: [["state", "rank"], ["flag"]]
}

const workspaces = ["w", "w/x", "v"]
const names = ["a", "b", "c", "d"]
const subjects = ["p", "q"]
const kinds = ["job", "sla"]
const readers = ["r", "s"]

// ── The model: lists, searched from end to end ──

interface Space {
  events: Array<StoredEvent>
  documents: Array<StoredDocument & { readonly subject: string | undefined }>
  timers: Array<StoredTimer>
  claims: Array<StoredClaim & { readonly subject: string | undefined }>
  cursors: { [reader: string]: number }
  revisions: number
}

interface ErasedKeys {
  readonly events: number
  readonly documents: ReadonlyArray<string>
  readonly timers: ReadonlyArray<string>
  readonly claims: ReadonlyArray<string>
}

class Model {
  readonly spaces = new Map<string, Space>()
  /** As the driver said last: what counts is when they are raised. */
  readonly epochs = new Map<string, number>()
  /** The workspaces whose epoch has been raised since. */
  readonly raised = new Set<string>()

  space(workspace: string): Space {
    return (
      this.spaces.get(workspace) ?? { events: [], documents: [], timers: [], claims: [], cursors: {}, revisions: 0 }
    )
  }

  version(workspace: string, stream: string): number {
    return this.space(workspace).events.filter((event) => event.stream === stream).length
  }

  timer(workspace: string, key: string): StoredTimer | undefined {
    return this.space(workspace).timers.find((timer) => timer.key === key)
  }

  claim(workspace: string, key: string, nowMs: number): StoredClaim | undefined {
    const found = this.space(workspace).claims.find((claim) => claim.key === key)
    if (found === undefined || (found.expiresAtMs ?? Number.POSITIVE_INFINITY) <= nowMs) return undefined
    const { subject: _subject, ...claim } = found
    return claim
  }

  conflict(
    { workspace, epoch, appends = [], timers = [], cursor, claims = [] }: Commit,
    nowMs: number
  ): Conflict | undefined {
    const found = this.epochs.get(workspace) ?? 0
    if (epoch !== undefined && epoch !== found) return { kind: "epoch", key: workspace, expected: epoch, found }
    for (const { stream: key, expectedVersion: expected } of appends) {
      const found = this.version(workspace, key)
      if (found !== expected) return { kind: "stream", key, expected, found }
    }
    for (const change of timers) {
      const key = "set" in change ? change.set.key : change.clear
      const found = this.timer(workspace, key)?.revision ?? 0
      if (change.revision !== undefined && change.revision !== found)
        return { kind: "timer", key, expected: change.revision, found }
    }
    if (cursor !== undefined) {
      const found = this.space(workspace).cursors[cursor.reader] ?? 0
      if (found !== cursor.from) return { kind: "cursor", key: cursor.reader, expected: cursor.from, found }
    }
    for (const { key, revision } of claims) {
      const found = this.claim(workspace, key, nowMs)
      if (found?.revision !== revision) return { kind: "claim", key, found }
    }
    return undefined
  }

  commit(commit: Commit, nowMs: number): Outcome {
    const conflict = this.conflict(commit, nowMs)
    if (conflict !== undefined) return { ok: false, conflict }
    const { workspace, raisesEpoch, appends = [], views = [], timers = [], claims = [], cursor } = commit
    const space = this.space(workspace)
    if (raisesEpoch) this.raised.add(workspace)
    const before = space.events.length
    const raised: Array<{ readonly position: number; readonly recordedAtMs: number }> = []
    for (const { stream, events } of appends)
      for (const event of events) {
        const last = space.events.findLast((other) => other.stream === stream)
        const recordedAtMs = Math.max(event.recordedAtMs, last?.recordedAtMs ?? 0)
        const position = space.events.length + 1
        if (recordedAtMs > event.recordedAtMs) raised.push({ position, recordedAtMs })
        space.events.push({ ...event, workspace, stream, position, version: (last?.version ?? 0) + 1, recordedAtMs })
      }
    for (const change of views) {
      space.documents = space.documents.filter(({ key }) => key !== change.key)
      if (!("put" in change)) continue
      const { key, put: document, version, subject } = change
      space.documents.push({ key, document, subject, ...(version === undefined ? {} : { version }) })
    }
    for (const change of timers) this.#timer(workspace, space, change)
    for (const change of claims) this.#claim(space, change)
    if (cursor !== undefined) space.cursors[cursor.reader] = cursor.to
    const wrote = space.events.length > before || views.length + timers.length + claims.length > 0
    if (wrote || cursor !== undefined || raisesEpoch) this.spaces.set(workspace, space)
    const positions = space.events.slice(before).map(({ position }) => position)
    return raised.length === 0 ? { ok: true, positions } : { ok: true, positions, raised }
  }

  #timer(workspace: string, space: Space, change: TimerChange): void {
    const key = "set" in change ? change.set.key : change.clear
    const before = this.timer(workspace, key)
    space.timers = space.timers.filter((timer) => timer.key !== key)
    if (!("set" in change)) return
    const revision = before === undefined ? space.revisions + 1 : before.revision + 1
    space.revisions = Math.max(space.revisions, revision)
    let sequence = revision
    if (before !== undefined) sequence = before.lane === change.set.lane ? before.sequence : ++space.revisions
    space.timers.push({ ...change.set, workspace, revision, sequence })
  }

  #claim(space: Space, change: ClaimChange): void {
    space.claims = space.claims.filter(({ key }) => key !== change.key)
    if ("release" in change) return
    const { key, value, expiresAtMs, subject } = change
    const revision = (change.revision ?? space.revisions) + 1
    space.revisions = Math.max(space.revisions, revision)
    space.claims.push({ key, value, revision, subject, ...(expiresAtMs === undefined ? {} : { expiresAtMs }) })
  }

  erase(workspace: string, subject: string): ErasedKeys {
    if (this.spaces.has(workspace)) this.raised.add(workspace)
    const space = this.space(workspace)
    const hit = (event: StoredEvent) => event.personal?.subject === subject && event.personal.fields !== null
    const events = space.events.filter(hit).length
    space.events = space.events.map((event) => (hit(event) ? { ...event, personal: { subject, fields: null } } : event))
    const of = (item: { readonly subject?: string | undefined }) => item.subject === subject
    const gone = {
      events,
      documents: space.documents.filter(of).map(({ key }) => key),
      timers: space.timers.filter(of).map(({ key }) => key),
      claims: space.claims.filter(of).map(({ key }) => key)
    }
    space.documents = space.documents.filter((document) => !of(document))
    space.timers = space.timers.filter((timer) => !of(timer))
    space.claims = space.claims.filter((claim) => !of(claim))
    return gone
  }

  sweep(nowMs: number): number {
    let swept = 0
    for (const space of this.spaces.values()) {
      const before = space.claims.length
      space.claims = space.claims.filter(({ expiresAtMs = Number.POSITIVE_INFINITY }) => expiresAtMs > nowMs)
      swept += before - space.claims.length
    }
    return swept
  }

  ready(): ReadonlyArray<StoredTimer> {
    return [...this.spaces.values()].flatMap(({ timers }) =>
      timers.filter(
        ({ lane, sequence }) =>
          lane === undefined || !timers.some((other) => other.lane === lane && other.sequence < sequence)
      )
    )
  }

  query(workspace: string, { where = [], order }: Query): ReadonlyArray<string> {
    const value = (document: JsonObject, field: string) => (document[field] ?? null) as FieldValue
    const rank = (item: FieldValue) =>
      item === null ? -1 : typeof item === "string" ? names.indexOf(item) : Number(item)
    const sign = order?.direction === "descending" ? -1 : 1
    const keyed = (document: StoredDocument) => (order === undefined ? 0 : rank(value(document.document, order.field)))
    return this.space(workspace)
      .documents.filter(({ document }) =>
        where.every((condition) => {
          const found = value(document, condition.field)
          if ("equals" in condition) return found === condition.equals
          if ("in" in condition) return condition.in.includes(found)
          if (found === null) return false
          const { atLeast = -1, below = Number.POSITIVE_INFINITY } = condition
          return Number(found) >= Number(atLeast) && Number(found) < Number(below)
        })
      )
      .sort((left, right) => sign * (keyed(left) - keyed(right) || names.indexOf(left.key) - names.indexOf(right.key)))
      .map(({ key }) => key)
  }
}

// ── Histories ──

/** Takes the numbers one after the other; when they have run out every choice is the first. */
class Choices {
  readonly #numbers: ReadonlyArray<number>
  #next = 0
  constructor(numbers: ReadonlyArray<number>) {
    this.#numbers = numbers
  }
  get left(): boolean {
    return this.#next < this.#numbers.length
  }
  below(count: number): number {
    return (this.#numbers[this.#next++] ?? 0) % count
  }
  of<A>(items: ReadonlyArray<A>): A {
    return items[this.below(items.length)]!
  }
  some<A>(items: ReadonlyArray<A>): ReadonlyArray<A> {
    return items.filter(() => this.below(3) === 0)
  }
}

/** Mostly where it stands, sometimes elsewhere. */
const near = (choices: Choices, value: number): number =>
  choices.below(6) === 5 ? value + choices.of([1, -1, 3]) : value

const optional = <A>(choices: Choices, make: () => A): A | undefined => (choices.below(2) === 0 ? undefined : make())

const subjectOf = (choices: Choices) => {
  const subject = optional(choices, () => choices.of(subjects))
  return subject === undefined ? {} : { subject }
}

const commitOf = (
  choices: Choices,
  model: Model,
  workspace: string,
  nowMs: number,
  free: ReadonlySet<string>
): Commit => {
  const unused = (kind: string, all: ReadonlyArray<string>) =>
    all.filter((name) => free.has(`${workspace} ${kind} ${name}`))
  const event = (): NewEvent => {
    const base: NewEvent = {
      type: "E",
      schema: 1,
      recordedAtMs: nowMs - choices.below(3),
      body: { n: choices.below(9) }
    }
    return choices.below(2) === 0
      ? base
      : { ...base, personal: { subject: choices.of(subjects), fields: { secret: choices.below(9) } } }
  }
  const appends = choices.some(unused("stream", names)).map((stream): Append => {
    const expectedVersion = Math.max(0, near(choices, model.version(workspace, stream)))
    return { stream, expectedVersion, events: Array.from({ length: choices.below(3) }, event) }
  })
  const views = choices.some(unused("document", names)).map((key): ViewChange => {
    if (choices.below(4) === 3) return { view: view.name, key, delete: true }
    const put: Record<string, FieldValue> = {}
    if (choices.below(3) > 0) put.state = choices.of(names)
    if (choices.below(3) > 0) put.rank = choices.below(4)
    if (choices.below(3) > 0) put.flag = choices.below(2) === 1
    return {
      view: view.name,
      key,
      put,
      ...subjectOf(choices),
      ...(choices.below(2) === 0 ? {} : { version: choices.below(9) })
    }
  })
  const timers = choices.some(unused("timer", names)).map((key): TimerChange => {
    const revision = optional(choices, () => Math.max(0, near(choices, model.timer(workspace, key)?.revision ?? 0)))
    const condition = revision === undefined ? {} : { revision }
    if (choices.below(3) === 2) return { clear: key, ...condition }
    const lane = optional(choices, () => choices.of(["l", "m"]))
    const dueAtMs = nowMs + choices.below(20) - 10
    const set = { kind: choices.of(kinds), key, dueAtMs, payload: { n: choices.below(9) }, ...subjectOf(choices) }
    return { set: lane === undefined ? set : { ...set, lane }, ...condition }
  })
  const claims = choices.some(unused("claim", names)).map((key): ClaimChange => {
    const held = model.claim(workspace, key, nowMs)
    const revision =
      held === undefined || choices.below(4) === 3 ? undefined : Math.max(1, near(choices, held.revision))
    if (revision !== undefined && choices.below(3) === 2) return { key, release: true, revision }
    const expiresAtMs = optional(choices, () => nowMs + choices.below(10))
    return {
      key,
      value: choices.of(names),
      ...subjectOf(choices),
      ...(revision === undefined ? {} : { revision }),
      ...(expiresAtMs === undefined ? {} : { expiresAtMs })
    }
  })
  const cursor = choices.some(unused("cursor", readers)).map((reader) => {
    const from = Math.max(0, near(choices, model.space(workspace).cursors[reader] ?? 0))
    return { reader, from, to: from + choices.below(4) }
  })[0]
  const epoch = near(choices, model.epochs.get(workspace) ?? 0)
  return {
    workspace,
    appends,
    views,
    timers,
    claims,
    ...(cursor === undefined ? {} : { cursor }),
    ...(choices.below(2) === 0 ? {} : { epoch: Math.max(0, epoch) }),
    ...(choices.below(8) === 7 ? { raisesEpoch: true as const } : {})
  }
}

const keysOf = (commit: Commit): ReadonlyArray<string> => [
  ...commit.appends!.map(({ stream }) => `${commit.workspace} stream ${stream}`),
  ...commit.views!.map(({ key }) => `${commit.workspace} document ${key}`),
  ...commit.timers!.map((change) => `${commit.workspace} timer ${"set" in change ? change.set.key : change.clear}`),
  ...commit.claims!.map(({ key }) => `${commit.workspace} claim ${key}`),
  ...(commit.cursor === undefined ? [] : [`${commit.workspace} cursor ${commit.cursor.reader}`])
]

const allKeys = workspaces.flatMap((workspace) => [
  ...["stream", "document", "timer", "claim"].flatMap((kind) => names.map((name) => `${workspace} ${kind} ${name}`)),
  ...readers.map((reader) => `${workspace} cursor ${reader}`)
])

const queryOf = (choices: Choices): Query => {
  const conditions: ReadonlyArray<Condition> = [
    { field: "state", equals: choices.of([...names, null]) },
    { field: "rank", in: [choices.below(4), null, 2] },
    { field: "rank", atLeast: choices.below(4), below: choices.below(5) },
    { field: "flag", equals: choices.of([true, false, null]) }
  ]
  const order = optional(choices, () => ({
    field: choices.of(Object.keys(view.fields)),
    direction: choices.of(["ascending", "descending"] as const)
  }))
  const query = { view: view.name, where: choices.some(conditions), limit: 1 + choices.below(3) }
  return order === undefined ? query : { ...query, order }
}

const checkState = async (driver: StorageDriver, model: Model, nowMs: number): Promise<void> => {
  equal(await driver.workspaces(), [...model.spaces.keys()].sort(), "workspaces")
  for (const workspace of workspaces) {
    const space = model.space(workspace)
    equal(await driver.journal(workspace, 0, 1_000_000), space.events, `journal of ${workspace}`)
    equal(await driver.head(workspace), space.events.length, `head of ${workspace}`)
    const versions = names.map((name) => model.version(workspace, name))
    equal(await driver.streamVersions(workspace, names), versions, `versions of ${workspace}`)
    for (const name of names) {
      const events = space.events.filter(({ stream }) => stream === name)
      equal(await driver.stream(workspace, name, 0, 1_000_000), events, `stream ${name} of ${workspace}`)
    }
    const documents = names.map((name) => {
      const found = space.documents.find(({ key }) => key === name)
      return found === undefined ? undefined : { ...found, subject: undefined }
    })
    equal(await driver.documents(workspace, view.name, names), documents, `documents of ${workspace}`)
    const timers = names.map((name) => model.timer(workspace, name))
    equal(await driver.timers(workspace, names), timers, `timers of ${workspace}`)
    const claims = names.map((name) => model.claim(workspace, name, nowMs))
    equal(await driver.claims(workspace, names, nowMs), claims, `claims of ${workspace}`)
    for (const reader of readers)
      equal(await driver.cursor(workspace, reader), space.cursors[reader] ?? 0, `cursor ${reader} of ${workspace}`)
  }
  for (const reader of readers) {
    const lagging = [...model.spaces]
      .map(([workspace, { events, cursors }]) => ({ workspace, cursor: cursors[reader] ?? 0, head: events.length }))
      .filter(({ cursor, head }) => head > cursor)
    const order = (items: ReadonlyArray<{ readonly workspace: string }>) =>
      [...items].sort((left, right) => workspaces.indexOf(left.workspace) - workspaces.indexOf(right.workspace))
    equal(order(await driver.lagging(reader)), order(lagging), `lagging ${reader}`)
  }
  const name = ({ workspace, key }: StoredTimer) => `${workspace} ${key}`
  for (const asked of [kinds, ...kinds.map((kind) => [kind])]) {
    const ready = model.ready().filter(({ kind }) => asked.includes(kind))
    const due = await driver.due(nowMs, asked, 1_000)
    const expected = ready.filter(({ dueAtMs }) => dueAtMs <= nowMs)
    equal(due.map(name).sort(), expected.map(name).sort(), `due ${asked}`)
    const times = due.map(({ dueAtMs }) => dueAtMs)
    equal(
      times,
      [...times].sort((left, right) => left - right),
      "due, earliest first"
    )
    const next = ready.length === 0 ? undefined : Math.min(...ready.map(({ dueAtMs }) => dueAtMs))
    equal(await driver.nextDueAtMs(asked), next, `next due of ${asked}`)
  }
}

/** Epochs are raised where they have to be, and only there. */
const checkEpochs = async (driver: StorageDriver, model: Model): Promise<void> => {
  for (const workspace of workspaces) {
    const before = model.epochs.get(workspace) ?? 0
    const epoch = await driver.epoch(workspace)
    if (model.raised.has(workspace)) ok(epoch > before, `the epoch of ${workspace} is raised from ${before}`)
    else if (model.spaces.has(workspace)) equal(epoch, before, `epoch of ${workspace}`)
    model.epochs.set(workspace, epoch)
  }
  model.raised.clear()
}

const checkQuery = async (driver: StorageDriver, model: Model, workspace: string, query: Query): Promise<void> => {
  const keys: Array<string> = []
  let page = await driver.query(workspace, query)
  for (;;) {
    keys.push(...page.documents.map(({ key }) => key))
    if (page.next === undefined) break
    page = await driver.query(workspace, { ...query, after: page.next })
  }
  equal(keys, model.query(workspace, query), `query ${JSON.stringify(query)} of ${workspace}`)
}

/**
 * Plays a history on an empty, prepared driver and compares every outcome and the state after every few steps.
 *
 * **Shape** `numbers` are whole and not negative; `reopen`, for a durable driver, closes it and returns it opened again.
 *
 * **Fails with** an error (rejected) that says what differs.
 *
 * **Example**
 * ```ts
 * import { MemoryStorage, StorageModel } from "@switchboard/storage"
 *
 * const driver = MemoryStorage.make()
 * await driver.prepare([StorageModel.view])
 * await StorageModel.check(driver, [3, 1, 4, 1, 5, 9, 2, 6, 5, 3, 5, 8, 9, 7, 9])
 * ```
 */
export const check = async (
  driver: StorageDriver,
  numbers: ReadonlyArray<number>,
  reopen?: () => Promise<StorageDriver>
): Promise<void> => {
  const choices = new Choices(numbers)
  const model = new Model()
  let nowMs = 1_000
  let current = driver
  while (choices.left) {
    await checkEpochs(current, model)
    nowMs += choices.below(3)
    switch (choices.below(12)) {
      case 9: {
        const workspace = choices.of(workspaces)
        const subject = choices.of(subjects)
        const erased = await current.erase(workspace, subject)
        const expected = model.erase(workspace, subject)
        const found = { ...erased, documents: erased.documents.map(({ key }) => key) }
        const sorted = (all: ErasedKeys) => [
          all.events,
          ...[all.documents, all.timers, all.claims].map((keys) => [...keys].sort())
        ]
        equal(sorted(found), sorted(expected), `erase ${subject} of ${workspace}`)
        break
      }
      case 10:
        equal(await current.sweep(nowMs), model.sweep(nowMs), "swept")
        break
      case 11:
        for (const workspace of workspaces) await checkQuery(current, model, workspace, queryOf(choices))
        if (reopen !== undefined && choices.below(4) === 3) current = await reopen()
        await checkState(current, model, nowMs)
        break
      default: {
        const free = new Set(allKeys)
        const group: Array<Commit> = []
        const outcomes: Array<Outcome> = []
        for (let count = choices.below(4); count >= 0; count--) {
          const commit = commitOf(choices, model, choices.of(workspaces), nowMs, free)
          for (const key of keysOf(commit)) free.delete(key)
          group.push(commit)
          outcomes.push(model.commit(commit, nowMs))
        }
        equal(await current.commit(group, nowMs), outcomes, `outcomes of ${JSON.stringify(group)}`)
      }
    }
  }
  await checkState(current, model, nowMs)
}
