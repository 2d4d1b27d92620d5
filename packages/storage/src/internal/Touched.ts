import { type Commit, StorageInvalidError } from "../StorageDriver.ts"
import { entryOf } from "./MapEntry.ts"

const timerKey = (change: NonNullable<Commit["timers"]>[number]): string =>
  "set" in change ? change.set.key : change.clear

/** What can be touched besides the documents of views, whose names begin with a letter. */
export const kinds = { stream: "/stream", timer: "/timer", claim: "/claim", cursor: "/cursor" } as const

/** What the commits of one group touch, by workspace and kind: two that share a key can't be in one group. */
export class Touched {
  readonly #keys = new Map<string, Map<string, Set<string>>>()

  /** Adds what a commit touches. `false`, and nothing is added, when some of it was touched before. */
  add(commit: Commit): boolean {
    const space = entryOf(this.#keys, commit.workspace, () => new Map<string, Set<string>>())
    if (isTouched(space, commit)) return false
    for (const { stream } of commit.appends ?? []) keysIn(space, kinds.stream).add(stream)
    for (const { view, key } of commit.views ?? []) keysIn(space, view).add(key)
    for (const change of commit.timers ?? []) keysIn(space, kinds.timer).add(timerKey(change))
    for (const { key } of commit.claims ?? []) keysIn(space, kinds.claim).add(key)
    if (commit.cursor !== undefined) keysIn(space, kinds.cursor).add(commit.cursor.reader)
    return true
  }

  /** Whether a commit touches some of it. */
  meets(commit: Commit): boolean {
    const space = this.#keys.get(commit.workspace)
    return space !== undefined && isTouched(space, commit)
  }

  has(workspace: string, kind: string, key: string): boolean {
    return this.#keys.get(workspace)?.get(kind)?.has(key) === true
  }
}

const isTouched = (space: ReadonlyMap<string, ReadonlySet<string>>, commit: Commit): boolean => {
  const has = (kind: string, key: string): boolean => space.get(kind)?.has(key) === true
  for (const { stream } of commit.appends ?? []) if (has(kinds.stream, stream)) return true
  for (const { view, key } of commit.views ?? []) if (has(view, key)) return true
  for (const change of commit.timers ?? []) if (has(kinds.timer, timerKey(change))) return true
  for (const { key } of commit.claims ?? []) if (has(kinds.claim, key)) return true
  return commit.cursor !== undefined && has(kinds.cursor, commit.cursor.reader)
}

const keysIn = (space: Map<string, Set<string>>, kind: string): Set<string> => entryOf(space, kind, () => new Set())

/** An item whose key one before it has. */
const twice = <A>(items: ReadonlyArray<A> | undefined, keyOf: (item: A) => string): A | undefined => {
  if (items === undefined || items.length < 2) return undefined
  const seen = new Set<string>()
  return items.find((item) => seen.size === seen.add(keyOf(item)).size)
}

/**
 * Each key may stand in a commit only once, or its order would decide what is written.
 *
 * **Fails with** `StorageInvalidError` (thrown) naming the key.
 */
export const checkDistinct = ({ appends, views, timers, claims }: Commit): void => {
  const refuse = (what: string): never => {
    throw new StorageInvalidError({ field: "commit", expected: "every key at most once", found: `${what} twice` })
  }
  const append = twice(appends, ({ stream }) => stream)
  if (append !== undefined) refuse(`the stream "${append.stream}"`)
  const view = twice(views, (change) => `${change.view}/${change.key}`)
  if (view !== undefined) refuse(`the document "${view.view}/${view.key}"`)
  const timer = twice(timers, timerKey)
  if (timer !== undefined) refuse(`the timer "${timerKey(timer)}"`)
  const claim = twice(claims, ({ key }) => key)
  if (claim !== undefined) refuse(`the claim "${claim.key}"`)
}
