/** What erasing a subject removes, and what it leaves. */
import type { Commit, NewEvent, StoredDocument } from "../../StorageDriver.ts"
import { equal } from "../Check.ts"
import { append, committed, dueKeys, event, type Opened, one, timer } from "./Given.ts"

const personal = (subject: string): NewEvent => ({
  ...event("Said"),
  personal: { subject, fields: { text: `by ${subject}` } }
})

export const erasure = (opened: Opened): void => {
  opened("[STORAGE-22] erasing a subject removes all that is personal to it and nothing else", async (driver) => {
    const commit = (workspace: string): Commit => ({
      workspace,
      appends: [
        { stream: "s/1", expectedVersion: 0, events: [personal("p"), event("Opened"), personal("q")] },
        { stream: "s/2", expectedVersion: 0, events: [personal("p")] }
      ],
      views: [
        { view: "things", key: "p1", put: { name: "P" }, subject: "p" },
        { view: "notes", key: "p1", put: {}, subject: "p" },
        { view: "things", key: "q1", put: { name: "Q" }, subject: "q" },
        { view: "things", key: "n1", put: { name: "N" } }
      ],
      timers: [
        { set: timer("p1", 1, { lane: "l", subject: "p" }) },
        { set: timer("q1", 2, { lane: "l", subject: "q" }) },
        { set: timer("n1", 3) }
      ],
      claims: [
        { key: "p1", value: "P", subject: "p" },
        { key: "q1", value: "Q", subject: "q" },
        { key: "n1", value: "N" }
      ]
    })
    await driver.commit([commit("w"), commit("v")], 0)
    const before = await driver.journal("w", 0, 99)
    const untouched = await driver.journal("v", 0, 99)
    const erased = await driver.erase("w", "p")
    equal(erased.events, 2, "events")
    equal(
      [...erased.documents].sort((left, right) => (left.view < right.view ? -1 : 1)),
      [
        { view: "notes", key: "p1" },
        { view: "things", key: "p1" }
      ],
      "documents"
    )
    equal([erased.timers, erased.claims], [["p1"], ["p1"]], "timers and claims")

    const gone = (stored: (typeof before)[number]) =>
      stored.personal?.subject === "p" ? { ...stored, personal: { subject: "p", fields: null } } : stored
    equal(await driver.journal("w", 0, 99), before.map(gone), "journal")
    equal(await driver.stream("w", "s/1", 0, 99), before.filter(({ stream }) => stream === "s/1").map(gone), "stream")
    equal(await driver.streamVersions("w", ["s/1", "s/2"]), [3, 1], "versions")
    const keys = (documents: ReadonlyArray<StoredDocument>) => documents.map(({ key }) => key)
    equal(keys((await driver.query("w", { view: "things", limit: 9 })).documents), ["n1", "q1"], "things")
    equal((await dueKeys(driver, 9)).split(" ").sort(), ["v:n1", "v:p1", "w:n1", "w:q1"], "timers")
    equal(
      (await driver.claims("w", ["p1", "q1", "n1"], 0)).map((found) => found?.value),
      [undefined, "Q", "N"],
      "claims"
    )
    equal(await driver.journal("v", 0, 99), untouched, "another workspace")
    equal(await driver.erase("w", "p"), { events: 0, documents: [], timers: [], claims: [] }, "twice")
    equal(await driver.erase("none", "p"), { events: 0, documents: [], timers: [], claims: [] }, "no workspace")
    equal(committed(await one(driver, { workspace: "w", appends: [append("s/1", 3)] })), [5], "goes on")
  })

  opened("[STORAGE-22] the subject of a document is that of its last put", async (driver) => {
    const put = (key: string, subject?: string) => ({
      view: "notes",
      key,
      put: {},
      ...(subject === undefined ? {} : { subject })
    })
    committed(await one(driver, { workspace: "w", views: [put("a", "p"), put("b", "p"), put("c")] }))
    committed(await one(driver, { workspace: "w", views: [put("a"), put("b", "q"), put("c", "p")] }))
    equal((await driver.erase("w", "p")).documents, [{ view: "notes", key: "c" }], "erased")
  })

  opened("[STORAGE-22] an erasure confined to one stream leaves everything else of the subject", async (driver) => {
    const commit = (workspace: string): Commit => ({
      workspace,
      appends: [
        { stream: "s/1", expectedVersion: 0, events: [personal("p"), event("Opened"), personal("q"), personal("p")] },
        { stream: "s/2", expectedVersion: 0, events: [personal("p")] }
      ],
      views: [{ view: "things", key: "p1", put: { name: "P" }, subject: "p" }],
      timers: [{ set: timer("p1", 1, { subject: "p" }) }],
      claims: [{ key: "p1", value: "P", subject: "p" }]
    })
    await driver.commit([commit("w"), commit("v")], 0)
    const before = await driver.journal("w", 0, 99)
    const untouched = await driver.journal("v", 0, 99)
    equal(await driver.erase("w", "p", "s/1"), { events: 2, documents: [], timers: [], claims: [] }, "erased")
    const after = before.map((stored) =>
      stored.stream === "s/1" && stored.personal?.subject === "p"
        ? { ...stored, personal: { subject: "p", fields: null } }
        : stored
    )
    equal(await driver.journal("w", 0, 99), after, "journal")
    equal((await driver.documents("w", "things", ["p1"]))[0]?.document, { name: "P" }, "document")
    equal((await dueKeys(driver, 9)).split(" ").sort(), ["v:p1", "w:p1"], "timers")
    equal((await driver.claims("w", ["p1"], 0))[0]?.value, "P", "claim")
    equal(await driver.journal("v", 0, 99), untouched, "another workspace")
    equal((await driver.erase("w", "p", "s/1")).events, 0, "twice")
    equal((await driver.erase("w", "p", "s/9")).events, 0, "no stream")
    equal((await driver.erase("w", "p")).events, 1, "the rest")
  })
}
