/** Everything of a commit or nothing, conflicts, and guards. */
import type { Append, Commit } from "../../StorageDriver.ts"
import { equal, ok } from "../Check.ts"
import { append, committed, nothing, type Opened, one, refused, state, timer, whole, written } from "./Given.ts"

export const commits = (opened: Opened): void => {
  opened("[STORAGE-1] a commit writes events, documents, timers, cursor and claims together", async (driver) => {
    equal(committed(await one(driver, whole("w"))), [1, 2], "positions")
    equal(await state(driver, "w"), written, "state")
  })

  const breaks: ReadonlyArray<readonly [string, Commit]> = [
    ["a stream's version", { ...whole("w"), appends: [append("s/1", 0, 2), append("s/2", 3)] }],
    ["a guard", { ...whole("w"), appends: [append("s/1", 0, 2), { stream: "s/2", expectedVersion: 1, events: [] }] }],
    ["a timer's revision", { ...whole("w"), timers: [{ set: timer("w1", 5) }, { clear: "w2", revision: 1 }] }],
    ["the cursor", { ...whole("w"), cursor: { reader: "r", from: 1, to: 2 } }],
    [
      "a claim",
      {
        ...whole("w"),
        claims: [
          { key: "c1", value: "v" },
          { key: "held", value: "mine" }
        ]
      }
    ]
  ]
  for (const [what, commit] of breaks)
    opened(`[STORAGE-1] ${what} that stands elsewhere leaves nothing of the commit`, async (driver) => {
      committed(await one(driver, { workspace: "w", claims: [{ key: "held", value: "other" }] }))
      refused(await one(driver, commit))
      equal(await state(driver, "w"), nothing, "state")
    })

  opened("[STORAGE-2] a conflict fails only its own commit of a group, and names its key", async (driver) => {
    committed(
      await one(driver, { workspace: "w", appends: [append("s/1", 0)], claims: [{ key: "c", value: "first" }] })
    )
    const outcomes = await driver.commit(
      [
        { workspace: "w", appends: [append("s/2", 0)] },
        { workspace: "w", appends: [append("s/1", 0)] },
        { workspace: "w", claims: [{ key: "c", value: "second" }] },
        { workspace: "w", cursor: { reader: "r", from: 4, to: 5 } },
        { workspace: "w", timers: [{ set: timer("t", 1), revision: 7 }] },
        { workspace: "w", appends: [append("s/3", 0)] }
      ],
      0
    )
    equal(committed(outcomes[0]), [2], "first")
    equal(refused(outcomes[1]), { kind: "stream", key: "s/1", expected: 0, found: 1 }, "stream")
    const { revision } = (await driver.claims("w", ["c"], 0))[0]!
    equal(refused(outcomes[2]), { kind: "claim", key: "c", found: { key: "c", value: "first", revision } }, "claim")
    equal(refused(outcomes[3]), { kind: "cursor", key: "r", expected: 4, found: 0 }, "cursor")
    equal(refused(outcomes[4]), { kind: "timer", key: "t", expected: 7, found: 0 }, "timer")
    equal(committed(outcomes[5]), [3], "last")
  })

  opened("[STORAGE-2] an empty group and an empty commit succeed and write nothing", async (driver) => {
    equal(await driver.commit([], 0), [], "empty group")
    equal(committed(await one(driver, { workspace: "w" })), [], "empty commit")
    equal(await driver.workspaces(), [], "workspaces")
  })

  opened("[STORAGE-3] a guard checks a version and writes nothing", async (driver) => {
    const guard = (expectedVersion: number): Append => ({ stream: "s", expectedVersion, events: [] })
    equal(committed(await one(driver, { workspace: "w", appends: [guard(0)] })), [], "absent")
    committed(await one(driver, { workspace: "w", appends: [append("s", 0, 3)] }))
    equal(committed(await one(driver, { workspace: "w", appends: [guard(3), append("s/2", 0)] })), [4], "present")
    equal(
      refused(await one(driver, { workspace: "w", appends: [guard(2)] })),
      { kind: "stream", key: "s", expected: 2, found: 3 },
      "older"
    )
    ok(!(await one(driver, { workspace: "w", appends: [guard(4)] })).ok, "newer")
    equal(await driver.streamVersions("w", ["s", "none", "s/2"]), [3, 0, 1], "versions")
  })
}
