/** Readers: their cursors, which workspaces they lag behind, and who hears of growth. */
import { equal, ok } from "../Check.ts"
import { append, committed, type Opened, one, refused, timer } from "./Given.ts"

export const readers = (opened: Opened): void => {
  opened("[STORAGE-20] a cursor moves only from where it stands", async (driver) => {
    const move = async (reader: string, from: number, to: number) =>
      one(driver, { workspace: "w", cursor: { reader, from, to } })
    equal(await driver.cursor("w", "r"), 0, "absent")
    const outcomes = await Promise.all([move("r", 0, 3), move("r", 0, 3), move("r", 0, 3)])
    equal(outcomes.filter(({ ok }) => ok).length, 1, "moved once")
    committed(await move("r", 3, 4))
    equal(refused(await move("r", 3, 5)), { kind: "cursor", key: "r", expected: 3, found: 4 }, "behind")
    equal([await driver.cursor("w", "r"), await driver.cursor("w", "other")], [4, 0], "cursors")
  })

  opened("[STORAGE-21] lagging names the workspaces whose journal has passed a reader", async (driver) => {
    await driver.commit(
      [
        { workspace: "a", appends: [append("s", 0, 3)], cursor: { reader: "r", from: 0, to: 1 } },
        { workspace: "b", appends: [append("s", 0, 2)], cursor: { reader: "r", from: 0, to: 2 } },
        { workspace: "c", appends: [append("s", 0, 1)] },
        { workspace: "d", timers: [{ set: timer("t", 1) }] }
      ],
      0
    )
    const lagging = [...(await driver.lagging("r"))].sort((left, right) => (left.workspace < right.workspace ? -1 : 1))
    equal(
      lagging,
      [
        { workspace: "a", cursor: 1, head: 3 },
        { workspace: "c", cursor: 0, head: 1 }
      ],
      "r"
    )
    equal((await driver.lagging("new")).length, 3, "a reader that never read")
    equal(await driver.workspaces(), ["a", "b", "c", "d"], "workspaces, in order")
  })

  opened("[STORAGE-24] a watcher hears which workspaces grew, after the commit, until it stops", async (driver) => {
    const heard: Array<string> = []
    const stop = driver.watch((workspaces) => heard.push(...workspaces))
    await driver.commit(
      [
        { workspace: "w", appends: [append("s", 0)] },
        { workspace: "v", appends: [append("s", 5)] }
      ],
      0
    )
    await driver.head("w")
    ok(heard.includes("w"), "w was heard")
    ok(!heard.includes("v"), "v did not grow")
    stop()
    heard.length = 0
    committed(await one(driver, { workspace: "w", appends: [append("s", 1)] }))
    equal(heard, [], "after stopping")
  })
}
