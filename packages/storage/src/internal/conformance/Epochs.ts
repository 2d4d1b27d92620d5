/** When the epoch of a workspace is raised, and whom that stops. */
import type { Commit, Holding, StorageDriver } from "../../StorageDriver.ts"
import { equal, ok } from "../Check.ts"
import { append, committed, event, nothing, type Opened, one, refused, state, timer, whole } from "./Given.ts"

/** Does something, and says whether the epoch was raised by it. */
const raises = async (driver: StorageDriver, run: () => Promise<unknown>): Promise<boolean> => {
  const before = await driver.epoch("w")
  await run()
  const after = await driver.epoch("w")
  ok(after >= before, "an epoch never falls")
  return after > before
}

export const epochs = (opened: Opened): void => {
  opened(
    "[STORAGE-48] a commit at another epoch than stands leaves nothing, and is told which stands",
    async (driver) => {
      committed(await one(driver, { workspace: "w", appends: [append("s", 0)], raisesEpoch: true }))
      const found = await driver.epoch("w")
      const outcomes = await driver.commit(
        [
          { workspace: "w", appends: [append("s/2", 0)], epoch: found },
          { ...whole("w"), epoch: found - 1 },
          { workspace: "w", claims: [{ key: "other", value: "v" }], epoch: found + 1 },
          { workspace: "w", appends: [append("s/3", 0)] }
        ],
        0
      )
      equal(committed(outcomes[0]), [2], "at the epoch")
      equal(refused(outcomes[1]), { kind: "epoch", key: "w", expected: found - 1, found }, "older")
      equal(refused(outcomes[2]), { kind: "epoch", key: "w", expected: found + 1, found }, "newer")
      equal(committed(outcomes[3]), [3], "at any")
      equal(await state(driver, "w"), { ...nothing, journal: ["s 1", "s/2 1", "s/3 1"] }, "state")
      // It comes before what else stands elsewhere.
      const both: Commit = { workspace: "w", appends: [append("s", 0)], epoch: found + 1 }
      equal(refused(await one(driver, both)).kind, "epoch", "epoch first")
    }
  )

  opened("[STORAGE-48] a workspace is begun at the epoch that was read of it", async (driver) => {
    const epoch = await driver.epoch("w")
    committed(await one(driver, { workspace: "w", appends: [append("s", 0)], epoch }))
    equal(await driver.epoch("w"), epoch, "epoch")
    committed(await one(driver, { workspace: "w", appends: [append("s", 1)], epoch }))
  })

  opened(
    "[STORAGE-48] commits raise the epoch only when they say so, those of the same group not for each other",
    async (driver) => {
      committed(await one(driver, whole("w")))
      const plain = [
        { workspace: "w", appends: [append("s/1", 2)], views: [{ view: "things", key: "t1", put: {} }] },
        { workspace: "w", timers: [{ clear: "w1" }], claims: [{ key: "c2", value: "v" }] }
      ] satisfies ReadonlyArray<Commit>
      ok(!(await raises(driver, () => driver.commit(plain, 0))), "plain commits")
      const refusedOne: Commit = { workspace: "w", appends: [append("s/1", 0)], raisesEpoch: true }
      ok(!(await raises(driver, () => one(driver, refusedOne))), "a refused commit")
      const epoch = await driver.epoch("w")
      const of = (key: string): Commit => ({
        workspace: "w",
        views: [{ view: "things", key, put: {} }],
        epoch,
        raisesEpoch: true
      })
      const outcomes = await driver.commit(
        [of("a"), of("b"), { workspace: "w", appends: [append("s/4", 0)], epoch }],
        0
      )
      for (const outcome of outcomes) committed(outcome)
      ok((await driver.epoch("w")) > epoch, "raised")
      refused(await one(driver, of("a")))
      ok(await raises(driver, () => one(driver, { workspace: "w", raisesEpoch: true })), "by a commit of nothing else")
    }
  )

  opened("[STORAGE-48] erasing, loading and dropping raise the epoch, and no other workspace's", async (driver) => {
    const said = { ...event("Said"), personal: { subject: "p", fields: { text: "x" } } }
    const appends = [{ stream: "s", expectedVersion: 0, events: [said, said] }]
    await driver.commit(
      [
        { workspace: "w", appends, timers: [{ set: timer("t", 1, { subject: "p" }) }] },
        { workspace: "v", appends }
      ],
      0
    )
    const other = await driver.epoch("v")
    ok(await raises(driver, () => driver.erase("w", "p", "s")), "erased in a stream")
    ok(await raises(driver, () => driver.erase("w", "p")), "erased")
    const holding: Holding = { kind: "document", view: "things", document: { key: "k", document: {} } }
    ok(await raises(driver, () => driver.load("w", [holding])), "loaded")
    ok(await raises(driver, () => driver.drop("w")), "dropped")
    // Who remembers what was dropped can't go on from it when the workspace is begun anew.
    const begun = await driver.epoch("w")
    committed(await one(driver, { workspace: "w", appends: [append("s", 0)] }))
    equal(await driver.epoch("w"), begun, "begun anew")
    equal(await driver.epoch("v"), other, "another workspace")
  })

  opened("[STORAGE-48] reading, sweeping and dumping raise no epoch", async (driver) => {
    committed(await one(driver, whole("w")))
    const look = async () => {
      await driver.sweep(99)
      await driver.fullText?.index(9)
      for await (const _batch of driver.dump("w", 0)) await driver.journal("w", 0, 9)
    }
    ok(!(await raises(driver, look)), "raised")
  })
}
