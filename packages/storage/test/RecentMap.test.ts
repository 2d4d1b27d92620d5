import { strict as assert } from "node:assert"
import { RecentMap } from "@switchboard/storage/RecentMap"
import fc from "fast-check"
import { test } from "vitest"

type Step = readonly [action: "set" | "get" | "delete", group: number, key: string]

const groups = [1, 2, 3]
const keys = ["a", "b", "c", "d", "e"]
const step: fc.Arbitrary<Step> = fc.tuple(
  fc.constantFrom("set" as const, "set" as const, "get" as const, "delete" as const),
  fc.constantFrom(...groups),
  fc.constantFrom(...keys)
)

const replay = (capacity: number, steps: ReadonlyArray<Step>) => {
  const map = new RecentMap<string>(capacity)
  /** What is in it, the latest used last. */
  const used = new Map<string, string>()
  for (const [action, group, key] of steps) {
    const name = `${group}/${key}`
    if (action === "set") map.set(group, key, name)
    if (action === "delete") map.delete(group, key)
    const isThere = action === "set" || (action === "get" && map.get(group, key) !== undefined)
    if (action !== "get" || isThere) used.delete(name)
    if (isThere) used.set(name, name)
  }
  return { map, latest: [...used.keys()].slice(capacity === 0 ? used.size : -capacity) }
}

test("[STORAGE-38] a recent map holds at least what it may and at most twice that, in all groups together", () => {
  fc.assert(
    fc.property(fc.nat(6), fc.array(step, { maxLength: 60 }), (capacity, steps) => {
      // To look changes what is remembered: each look has a map of its own.
      const remembered = groups.flatMap((group) =>
        keys.flatMap((key) => replay(capacity, steps).map.get(group, key) ?? [])
      )
      const { latest } = replay(capacity, steps)
      assert(remembered.length <= 2 * capacity, `${remembered.length} of ${capacity}`)
      for (const name of latest) assert(remembered.includes(name), name)
    }),
    { seed: 11, numRuns: 500 }
  )
})
