/** What a workspace holds, moved from one storage to another. */
import { StorageInvalidError } from "./StorageDriver.ts"

/** Where an event of a load stands; `index` is its place in what was handed over. */
export interface Placed {
  readonly index: number
  readonly stream: string
  readonly position: number
  readonly version: number
}

/**
 * What is wrong with the first event that doesn't follow on what is there: every driver refuses the same load with the
 * same words.
 *
 * **Shape** `head` is the workspace's last position; `versionOf` says where a stream stands, and is asked once for each.
 *
 * **Example**
 * ```ts
 * import { strict as assert } from "node:assert"
 * import { Holding } from "@switchboard/storage"
 *
 * const events = [
 *   { index: 0, stream: "s", position: 8, version: 1 },
 *   { index: 1, stream: "s", position: 9, version: 3 }
 * ]
 * assert.equal(Holding.misplaced(events, 7, () => 0)?.field, "[1].event.version")
 * assert.equal(Holding.misplaced(events.slice(0, 1), 7, () => 0), undefined)
 * ```
 */
export const misplaced = (
  events: Iterable<Placed>,
  head: number,
  versionOf: (stream: string) => number
): StorageInvalidError | undefined => {
  const versions = new Map<string, number>()
  let last = head
  for (const { index, stream, position, version } of events) {
    last++
    const next = (versions.get(stream) ?? versionOf(stream)) + 1
    const refused = (field: "position" | "version", expected: number, found: number) =>
      new StorageInvalidError({
        field: `[${index}].event.${field}`,
        expected: String(expected),
        found: String(found)
      })
    if (position !== last) return refused("position", last, position)
    if (version !== next) return refused("version", next, version)
    versions.set(stream, version)
  }
  return undefined
}
