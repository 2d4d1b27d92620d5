/** What can't be stored is refused whole; hard keys and texts are kept exactly or refused. */
import type { Commit, Outcome, Query } from "../../StorageDriver.ts"
import { equal, rejects } from "../Check.ts"
import { append, committed, event, hardTexts, nothing, type Opened, one, state, timer, whole } from "./Given.ts"

export const limits = (opened: Opened): void => {
  const poison: ReadonlyArray<readonly [string, Commit]> = [
    ["an unknown view", { workspace: "w", views: [{ view: "nothing", key: "k", put: {} }] }],
    ["an indexed field of another type", { workspace: "w", views: [{ view: "things", key: "k", put: { size: "2" } }] }],
    [
      "a body that JSON can't write",
      { workspace: "w", appends: [{ stream: "s", expectedVersion: 0, events: [event("E", 0, { n: 1n })] }] }
    ]
  ]
  for (const [title, commit] of poison)
    opened(`[STORAGE-26] ${title} is refused and nothing of the group is written`, async (driver) => {
      await rejects(() => driver.commit([whole("v"), commit], 0), title)
      equal([await driver.head("w"), await driver.head("v")], [0, 0], "heads")
      equal(await state(driver, "v"), nothing, "state")
      equal(committed(await one(driver, whole("v"))), [1, 2], "the driver goes on")
    })

  const hardKeys = ["nul\u0000key", "lone\ud800", "k".repeat(100_000), "\u{1f600}", " ", "a\nb"]
  for (const key of hardKeys)
    opened(
      `[STORAGE-26] the key ${JSON.stringify(key.slice(0, 12))} of ${key.length} is kept exactly or refused`,
      async (driver) => {
        const commit: Commit = {
          workspace: "w",
          appends: [append(key, 0)],
          views: [{ view: "notes", key, put: {} }],
          timers: [{ set: timer(key, 1) }],
          claims: [{ key, value: key }]
        }
        let outcome: Outcome
        try {
          outcome = await one(driver, commit)
        } catch {
          equal(await driver.head("w"), 0, "head after a refusal")
          return
        }
        committed(outcome)
        equal(
          (await driver.journal("w", 0, 9)).map(({ stream }) => stream),
          [key],
          "stream"
        )
        equal(
          (await driver.query("w", { view: "notes", limit: 9 })).documents.map((found) => found.key),
          [key],
          "document"
        )
        equal((await driver.timers("w", [key]))[0]?.key, key, "timer")
        const found = (await driver.claims("w", [key], 0))[0]
        equal([found?.key, found?.value], [key, key], "claim")
      }
    )

  for (const [index, text] of hardTexts.entries())
    opened(`[STORAGE-26] an indexed text is kept exactly and found again (${index})`, async (driver) => {
      committed(await one(driver, { workspace: "w", views: [{ view: "things", key: "k", put: { name: text } }] }))
      const where = [{ field: "name", equals: text }]
      const query: Query = { view: "things", where, order: { field: "name", direction: "ascending" }, limit: 1 }
      equal((await driver.query("w", query)).documents, [{ key: "k", document: { name: text } }], "found")
    })
}
