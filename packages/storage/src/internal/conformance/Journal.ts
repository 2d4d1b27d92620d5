/** Streams and the journal: order, time, content kept exactly, and pages. */
import type { Append, Commit, NewEvent } from "../../StorageDriver.ts"
import { equal, ok } from "../Check.ts"
import { append, committed, event, hardBody, type Opened, one } from "./Given.ts"

export const journal = (opened: Opened): void => {
  opened("[STORAGE-4] positions are gapless per workspace and versions per stream, in commit order", async (driver) => {
    equal(
      committed(await one(driver, { workspace: "w", appends: [append("a", 0, 2), append("b", 0, 1)] })),
      [1, 2, 3],
      "first"
    )
    const outcomes = await driver.commit(
      [
        { workspace: "w", appends: [append("a", 2)] },
        { workspace: "v", appends: [append("a", 0)] },
        { workspace: "w", appends: [append("b", 9)] },
        { workspace: "w", appends: [append("c", 0, 2)] }
      ],
      0
    )
    equal([outcomes[0], outcomes[1], outcomes[3]].map(committed), [[4], [1], [5, 6]], "group")
    equal(
      (await driver.journal("w", 0, 100)).map(({ position, stream, version, type, workspace }) => [
        workspace,
        position,
        stream,
        version,
        type
      ]),
      [
        ["w", 1, "a", 1, "E1"],
        ["w", 2, "a", 2, "E2"],
        ["w", 3, "b", 1, "E1"],
        ["w", 4, "a", 3, "E3"],
        ["w", 5, "c", 1, "E1"],
        ["w", 6, "c", 2, "E2"]
      ],
      "journal"
    )
    equal([await driver.head("w"), await driver.head("v"), await driver.head("none")], [6, 1, 0], "heads")
  })

  opened("[STORAGE-4] groups that are handed over at once are all written, in one gapless order", async (driver) => {
    const group = (name: string) =>
      Array.from({ length: 10 }, (_, index) => ({ workspace: "w", appends: [append(`${name}${index}`, 0, 2)] }))
    const groups = await Promise.all(["a", "b", "c", "d"].map((name) => driver.commit(group(name), 0)))
    const positions = groups.flat().flatMap(committed)
    const all = Array.from({ length: 80 }, (_, index) => index + 1)
    equal(
      positions.toSorted((left, right) => left - right),
      all,
      "positions"
    )
    const journal = await driver.journal("w", 0, 100)
    equal(
      journal.map(({ position }) => position),
      all,
      "journal"
    )
    for (const { stream, version, position } of journal)
      equal((await driver.stream("w", stream, version - 1, 1))[0]?.position, position, "stream")
  })

  opened("[STORAGE-5] time in a stream never runs backwards, and the outcome says what was raised", async (driver) => {
    const at = (stream: string, expectedVersion: number, ...times: ReadonlyArray<number>): Append => ({
      stream,
      expectedVersion,
      events: times.map((time) => event("E", time))
    })
    const first = await one(driver, { workspace: "w", appends: [at("a", 0, 100, 90, 100)] })
    equal(first, { ok: true, positions: [1, 2, 3], raised: [{ position: 2, recordedAtMs: 100 }] }, "within")
    const second = await one(driver, { workspace: "w", appends: [at("b", 0, 50), at("a", 3, 20, 120)] })
    equal(second, { ok: true, positions: [4, 5, 6], raised: [{ position: 5, recordedAtMs: 100 }] }, "between")
    equal(
      (await driver.stream("w", "a", 0, 9)).map((stored) => stored.recordedAtMs),
      [100, 100, 100, 100, 120],
      "a"
    )
    equal(
      (await driver.stream("w", "b", 0, 9)).map((stored) => stored.recordedAtMs),
      [50],
      "b"
    )
  })

  opened("[STORAGE-6] events come back exactly as they were put", async (driver) => {
    const events: ReadonlyArray<NewEvent> = [
      { type: "Hard", schema: 3, recordedAtMs: 1_700_000_000_123, body: hardBody },
      {
        type: "Personal",
        schema: 1,
        recordedAtMs: 1_700_000_000_124,
        body: {},
        personal: { subject: "p", fields: hardBody }
      }
    ]
    committed(await one(driver, { workspace: "w", appends: [{ stream: "s", expectedVersion: 0, events }] }))
    const expected = events.map((put, index) => ({
      ...put,
      workspace: "w",
      stream: "s",
      position: index + 1,
      version: index + 1
    }))
    equal(await driver.journal("w", 0, 9), expected, "journal")
    equal(await driver.stream("w", "s", 0, 9), expected, "stream")
  })

  opened("[STORAGE-6] a property named __proto__ is a property like any other", async (driver) => {
    const body = JSON.parse('{"__proto__":{"admin":true},"constructor":1,"toString":2}') as NewEvent["body"]
    committed(
      await one(driver, {
        workspace: "w",
        appends: [{ stream: "s", expectedVersion: 0, events: [event("E", 0, body)] }],
        views: [{ view: "notes", key: "k", put: body }]
      })
    )
    const found = [
      (await driver.journal("w", 0, 1))[0]?.body,
      (await driver.documents("w", "notes", ["k"]))[0]?.document
    ]
    for (const each of found) equal(JSON.stringify(each), JSON.stringify(body), "content")
  })

  opened("[STORAGE-6] what was put is not changed by changing it afterwards", async (driver) => {
    const list = [1]
    const commit = { workspace: "w", views: [{ view: "notes", key: "k", put: { list } }] }
    committed(await one(driver, commit))
    list.push(2)
    equal((await driver.documents("w", "notes", ["k"]))[0]?.document, { list: [1] }, "document")
  })

  opened("[STORAGE-7] a stream and the journal are read in pages after a place", async (driver) => {
    for (const [index, stream] of ["a", "b", "a", "a", "b"].entries()) {
      const version = [0, 0, 1, 2, 1][index]!
      committed(await one(driver, { workspace: "w", appends: [append(stream, version)] }))
    }
    equal(
      (await driver.stream("w", "a", 1, 1)).map(({ version }) => version),
      [2],
      "stream page"
    )
    equal(
      (await driver.stream("w", "a", 1, 9)).map(({ version }) => version),
      [2, 3],
      "stream rest"
    )
    equal(await driver.stream("w", "a", 3, 9), [], "stream end")
    equal(await driver.stream("w", "none", 0, 9), [], "no stream")
    equal(
      (await driver.journal("w", 1, 2)).map(({ position }) => position),
      [2, 3],
      "journal page"
    )
    equal(
      (await driver.journal("w", 3, 9)).map(({ position }) => position),
      [4, 5],
      "journal rest"
    )
    equal(await driver.journal("w", 5, 9), [], "journal end")
    equal(await driver.journal("none", 0, 9), [], "no workspace")
  })

  opened("[STORAGE-7] large commits and large documents are kept whole", async (driver) => {
    const big = "é".repeat(2_000_000)
    const commit: Commit = {
      workspace: "w",
      appends: Array.from({ length: 100 }, (_, index) => append(`s/${index}`, 0, 10)),
      views: [{ view: "notes", key: "big", put: { big } }]
    }
    equal(committed(await one(driver, commit)).length, 1_000, "events")
    equal(await driver.head("w"), 1_000, "head")
    const versions = await driver.streamVersions(
      "w",
      commit.appends!.map(({ stream }) => stream)
    )
    ok(
      versions.every((version) => version === 10),
      "every stream stands at 10"
    )
    ok((await driver.documents("w", "notes", ["big"]))[0]?.document.big === big, "the document is whole")
    let nested: NewEvent["body"] = { end: true }
    for (let depth = 0; depth < 95; depth++) nested = { nested }
    committed(await one(driver, { workspace: "w", views: [{ view: "notes", key: "deep", put: nested }] }))
    equal((await driver.documents("w", "notes", ["deep"]))[0]?.document, nested, "deep document")
  })
}
