import type { Commit, Outcome, ViewChange } from "@switchboard/storage/StorageDriver"
import { columnTexts, content, key, keyOrNull, unknownView, type ViewNames } from "./Columns.ts"
import { booleans, integers, numbers, texts } from "./Database.ts"

type Text = string | null
type Figure = number | null

const packAppends = (group: ReadonlyArray<Commit>): ReadonlyArray<unknown> => {
  const commits: Array<number> = []
  const streams: Array<string> = []
  const expected: Array<number> = []
  const appends: Array<number> = []
  const steps: Array<number> = []
  const turns: Array<number> = []
  const types: Array<string> = []
  const schemas: Array<number> = []
  const times: Array<number> = []
  const subjects: Array<Text> = []
  const personals: Array<Text> = []
  const bodies: Array<string> = []
  for (const [index, { appends: all = [] }] of group.entries()) {
    let step = 0
    for (const { stream, expectedVersion, events } of all) {
      commits.push(index + 1)
      streams.push(key("stream", stream))
      expected.push(expectedVersion)
      let turn = 0
      let latest = Number.NEGATIVE_INFINITY
      for (const { type, schema, recordedAtMs, body, personal } of events) {
        appends.push(commits.length)
        steps.push(++step)
        turns.push(++turn)
        types.push(key("type", type))
        schemas.push(schema)
        latest = Math.max(latest, recordedAtMs)
        times.push(latest)
        subjects.push(keyOrNull("subject", personal?.subject))
        personals.push(personal === undefined ? null : JSON.stringify(personal.fields))
        bodies.push(JSON.stringify(body))
      }
    }
  }
  return [
    integers(commits),
    texts(streams),
    numbers(expected),
    integers(appends),
    integers(steps),
    integers(turns),
    texts(types),
    numbers(schemas),
    numbers(times),
    texts(subjects),
    texts(personals),
    texts(bodies)
  ]
}

const packTimers = (group: ReadonlyArray<Commit>): ReadonlyArray<unknown> => {
  const commits: Array<number> = []
  const keys: Array<string> = []
  const expected: Array<Figure> = []
  const kinds: Array<Text> = []
  const times: Array<Figure> = []
  const lanes: Array<Text> = []
  const subjects: Array<Text> = []
  const payloads: Array<Text> = []
  for (const [index, { timers = [] }] of group.entries())
    for (const change of timers) {
      const set = "set" in change ? change.set : undefined
      commits.push(index + 1)
      keys.push(key("key", "set" in change ? change.set.key : change.clear))
      expected.push(change.revision ?? null)
      kinds.push(keyOrNull("kind", set?.kind))
      times.push(set?.dueAtMs ?? null)
      lanes.push(keyOrNull("lane", set?.lane))
      subjects.push(keyOrNull("subject", set?.subject))
      payloads.push(set === undefined ? null : JSON.stringify(set.payload))
    }
  return [
    integers(commits),
    texts(keys),
    numbers(expected),
    texts(kinds),
    numbers(times),
    texts(lanes),
    texts(subjects),
    texts(payloads)
  ]
}

const packCursors = (group: ReadonlyArray<Commit>): ReadonlyArray<unknown> => {
  const moves = group.flatMap(({ cursor }, index) => (cursor === undefined ? [] : [{ ...cursor, commit: index + 1 }]))
  return [
    integers(moves.map(({ commit }) => commit)),
    texts(moves.map(({ reader }) => key("reader", reader))),
    numbers(moves.map(({ from }) => from)),
    numbers(moves.map(({ to }) => to))
  ]
}

const packClaims = (group: ReadonlyArray<Commit>): ReadonlyArray<unknown> => {
  const commits: Array<number> = []
  const keys: Array<string> = []
  const expected: Array<Figure> = []
  const values: Array<Text> = []
  const times: Array<Figure> = []
  const subjects: Array<Text> = []
  for (const [index, { claims = [] }] of group.entries())
    for (const change of claims) {
      const taken = "release" in change ? undefined : change
      commits.push(index + 1)
      keys.push(key("key", change.key))
      expected.push(change.revision ?? null)
      values.push(taken === undefined ? null : content("value", taken.value))
      times.push(taken?.expiresAtMs ?? null)
      subjects.push(keyOrNull("subject", taken?.subject))
    }
  return [integers(commits), texts(keys), numbers(expected), texts(values), numbers(times), texts(subjects)]
}

interface Document {
  readonly commit: number
  readonly change: ViewChange
}

/** In the order of the views' names: those who write two views wait for each other in the same order. */
const byView = (
  views: ReadonlyMap<string, ViewNames>,
  group: ReadonlyArray<Commit>
): ReadonlyArray<readonly [ViewNames, ReadonlyArray<Document>]> => {
  const found = new Map<string, Array<Document>>()
  for (const [index, { views: changes = [] }] of group.entries())
    for (const change of changes) {
      const documents = found.get(change.view)
      if (documents !== undefined) documents.push({ commit: index + 1, change })
      else if (views.has(change.view)) found.set(change.view, [{ commit: index + 1, change }])
      else throw unknownView(change.view)
    }
  return [...found]
    .sort(([left], [right]) => (left < right ? -1 : 1))
    .map(([name, documents]) => [views.get(name)!, documents])
}

const packDocuments = (views: ReadonlyMap<string, ViewNames>, group: ReadonlyArray<Commit>): ReadonlyArray<unknown> => {
  const all = byView(views, group)
  const commits: Array<number> = []
  const keys: Array<string> = []
  const versions: Array<Figure> = []
  const subjects: Array<Text> = []
  const documents: Array<Text> = []
  const columns: Array<Text> = []
  for (const [names, changes] of all)
    for (const { commit, change } of changes) {
      const put = "put" in change ? change : undefined
      commits.push(commit)
      keys.push(key("key", change.key))
      versions.push(put?.version ?? null)
      subjects.push(keyOrNull("subject", put?.subject))
      documents.push(put === undefined ? null : JSON.stringify(put.put))
      if (put !== undefined) columns.push(...columnTexts(names, put.put))
      else for (let each = columnCount(names); each > 0; each--) columns.push(null)
    }
  return [
    texts(all.map(([{ put }]) => put)),
    integers(all.map(([, changes]) => changes.length)),
    integers(all.map(([names]) => columnCount(names))),
    integers(commits),
    texts(keys),
    numbers(versions),
    texts(subjects),
    texts(documents),
    texts(columns)
  ]
}

/** How many texts `columnTexts` gives for a document. */
export const columnCount = ({ fields, indexedTexts, words }: ViewNames): number =>
  fields.length + (indexedTexts.length > 0 ? 1 : 0) + (words === undefined ? 0 : 1)

const eventCount = ({ appends = [] }: Commit): number => appends.reduce((sum, { events }) => sum + events.length, 0)

const writes = ({ raisesEpoch, appends = [], views = [], timers = [], claims = [], cursor }: Commit): boolean =>
  raisesEpoch === true ||
  cursor !== undefined ||
  views.length + timers.length + claims.length > 0 ||
  appends.some(({ events }) => events.length > 0)

/**
 * A group as the parameters of `commit_group` from `names` on.
 *
 * **Fails with** `StorageInvalidError` (thrown) for text Postgres can't keep, and for a view it does not know.
 */
export const pack = (views: ReadonlyMap<string, ViewNames>, group: ReadonlyArray<Commit>): ReadonlyArray<unknown> => {
  const names = [...new Set(group.map(({ workspace }) => key("workspace", workspace)))]
  const places = new Map(names.map((name, index) => [name, index + 1]))
  return [
    texts(names),
    integers(group.map(({ workspace }) => places.get(workspace))),
    numbers(group.map(({ epoch }) => epoch ?? null)),
    booleans(group.map(({ raisesEpoch }) => raisesEpoch === true)),
    booleans(group.map(writes)),
    integers(group.map(eventCount)),
    ...packAppends(group),
    ...packTimers(group),
    ...packCursors(group),
    ...packClaims(group),
    ...packDocuments(views, group)
  ]
}

/** What `commit_group` answers: by commit, by commit, and by append. */
export interface Answer {
  readonly bases: ReadonlyArray<number | null>
  readonly conflicts: ReadonlyArray<string | null>
  readonly stream_times: ReadonlyArray<number> | null
}

export const unpack = (
  group: ReadonlyArray<Commit>,
  { bases, conflicts, stream_times }: Answer
): ReadonlyArray<Outcome> => {
  let append = 0
  return group.map(({ appends = [] }, index): Outcome => {
    const conflict = conflicts[index]
    if (typeof conflict === "string") {
      append += appends.length
      return { ok: false, conflict: JSON.parse(conflict) }
    }
    let position = bases[index]!
    const positions: Array<number> = []
    const raised: Array<{ readonly position: number; readonly recordedAtMs: number }> = []
    for (const { events } of appends) {
      let latest = stream_times![append++]!
      for (const { recordedAtMs } of events) {
        positions.push(++position)
        if (recordedAtMs >= latest) latest = recordedAtMs
        else raised.push({ position, recordedAtMs: latest })
      }
    }
    return raised.length === 0 ? { ok: true, positions } : { ok: true, positions, raised }
  })
}
