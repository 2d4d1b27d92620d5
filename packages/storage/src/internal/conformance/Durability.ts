/** What lasts over closing and opening again, and two that are open at once on the same data. */
import { equal, ok, rejects } from "../Check.ts"
import {
  append,
  committed,
  notes,
  type Opened,
  one,
  type Reopened,
  refused,
  state,
  stock,
  things,
  timer,
  views,
  whole,
  written
} from "./Given.ts"

/** Registers what a durable driver must pass. */
export const durability = (reopened: Reopened): void => {
  reopened("[STORAGE-27] what was committed is there after closing and opening again", async (driver, reopen) => {
    committed(await one(driver, whole("w")))
    committed(await one(driver, { workspace: "w", timers: [{ clear: "w1" }], claims: [{ key: "c2", value: "v" }] }))
    const journal = await driver.journal("w", 0, 9)
    const claimed = (await driver.claims("w", ["c2"], 0))[0]!
    const again = await reopen()
    await again.prepare(views)
    equal(await again.journal("w", 0, 9), journal, "journal")
    equal(await state(again, "w"), { ...written, timer: undefined }, "state")
    equal(
      committed(await one(again, { workspace: "w", appends: [append("s/1", 2), append("s/2", 0)] })),
      [3, 4],
      "goes on"
    )
    committed(await one(again, { workspace: "w", timers: [{ set: timer("w1", 9) }] }))
    ok((await again.timers("w", ["w1"]))[0]!.revision > claimed.revision, "revisions go on")
  })

  reopened(
    "[STORAGE-28] fields and indexes declared later are searchable over older documents",
    async (driver, reopen) => {
      await stock(driver)
      committed(
        await one(driver, { workspace: "w", views: [{ view: "notes", key: "k", put: { stars: 4, text: "x" } }] })
      )
      const again = await reopen()
      const { name: _name, ...fields } = things.fields
      await again.prepare([
        { ...things, version: 2, fields, indexes: [["owner", "size"]] },
        { ...notes, version: 2, fields: { stars: "number" }, indexes: [["stars"]] },
        { ...notes, name: "extra" }
      ])
      const found = await again.query("w", { view: "notes", where: [{ field: "stars", atLeast: 4 }], limit: 9 })
      equal(found.documents, [{ key: "k", document: { stars: 4, text: "x" } }], "a field that was added")
      const page = await again.query("w", { view: "things", where: [{ field: "owner", equals: "x" }], limit: 9 })
      equal(page.documents.map(({ key }) => key).join(""), "abe", "a field that stayed")
      await rejects(
        () => again.query("w", { view: "things", where: [{ field: "name", equals: "a" }], limit: 1 }),
        "a field that went"
      )
      committed(
        await one(again, {
          workspace: "w",
          views: [
            { view: "things", key: "z", put: { name: 1, owner: "x" } },
            { view: "extra", key: "k", put: {} }
          ]
        })
      )
    }
  )

  reopened("[STORAGE-28] a view older than the stored one is refused", async (driver, reopen) => {
    await driver.head("w")
    const again = await reopen()
    await again.prepare([{ ...things, version: 2 }, notes])
    const older = await reopen()
    await rejects(() => older.prepare(views), "version 1 after version 2")
  })
}

/** Registers what a driver for several processes must pass. */
export const processes = (opened: Opened): void => {
  opened(
    "[STORAGE-29] two open at once on the same data see and respect each other's commits",
    async (first, subject) => {
      const second = await subject.reopen!()
      try {
        await second.prepare(views)
        let version = 0
        for (let round = 0; round < 10; round++)
          for (const driver of [first, second]) {
            const other = driver === first ? second : first
            equal(
              committed(
                await one(driver, {
                  workspace: "w",
                  appends: [append("s", version)],
                  cursor: { reader: "r", from: version, to: version + 1 }
                })
              ),
              [version + 1],
              "position"
            )
            version++
            refused(await one(other, { workspace: "w", appends: [append("s", version - 1)] }))
            refused(await one(other, { workspace: "w", cursor: { reader: "r", from: version - 1, to: version } }))
            equal(await other.streamVersions("w", ["s"]), [version], "version")
            const put = { view: "things", key: "k", put: { size: version, name: `n${round}` } }
            committed(await one(driver, { workspace: "w", views: [put] }))
            equal(
              (await other.query("w", { view: "things", where: [{ field: "size", equals: version }], limit: 1 }))
                .documents.length,
              1,
              "document"
            )
          }
        committed(await one(first, { workspace: "w", claims: [{ key: "c", value: "first" }] }))
        const conflict = refused(await one(second, { workspace: "w", claims: [{ key: "c", value: "second" }] }))
        equal(conflict.kind === "claim" ? conflict.found?.value : undefined, "first", "claim")
        const grabs = await Promise.all(
          Array.from({ length: 40 }, (_, index) =>
            one(index % 2 === 0 ? first : second, {
              workspace: "w",
              timers: [{ set: timer(`t${index % 10}`, 1), revision: 0 }],
              appends: [append(`g${index % 10}`, 0)]
            })
          )
        )
        equal(grabs.filter(({ ok }) => ok).length, 10, "each is given once")
        const positions = (await second.journal("w", 0, 999)).map(({ position }) => position)
        equal(
          positions,
          Array.from({ length: 30 }, (_, index) => index + 1),
          "no gap, no duplicate"
        )
      } finally {
        await second.close()
      }
    }
  )
}
