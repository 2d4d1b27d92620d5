import { strict as assert } from "node:assert"
import { DatabaseSync } from "node:sqlite"
import { test } from "vitest"
import { event, fill, holding, inDirectory, open } from "./Given.ts"

const personal = (subject: string, text: string) => ({ ...event, personal: { subject, fields: { text } } })

test("[SQLITE-15] a dump gives others their turn, in batches of bounded size, and sorts no documents", () =>
  inDirectory(async (file) => {
    await fill(file, 1_500)
    const driver = await open(file)
    const plans: Array<string> = []
    const { prepare } = DatabaseSync.prototype
    DatabaseSync.prototype.prepare = function (this: DatabaseSync, sql: string) {
      if (/FROM (journal|"view_things"|claims|cursors) /.test(sql))
        for (const row of prepare.call(this, `EXPLAIN QUERY PLAN ${sql}`).all()) plans.push(String(row["detail"]))
      return prepare.call(this, sql)
    }
    let turns = 0
    const timer = setInterval(() => turns++, 0)
    let [batches, holdings] = [0, 0]
    try {
      for await (const batch of driver.dump("w", 0)) {
        batches++
        holdings += batch.length
        assert(JSON.stringify(batch).length < 1_000_000)
      }
    } finally {
      clearInterval(timer)
      DatabaseSync.prototype.prepare = prepare
    }
    assert.equal(holdings, 4_500)
    assert(batches > 10 && turns >= batches / 2, `${turns} turns, ${batches} batches`)
    assert(plans.length >= 3)
    assert(!plans.some((plan) => plan.includes("TEMP B-TREE")), plans.join("; "))
    await driver.close()
  }))

test("[SQLITE-15] a dump holds the log only until it ends, and ends where its driver is closed", () =>
  inDirectory(async (file) => {
    await fill(file, 1_500)
    const driver = await open(file, { busyTimeoutMs: 0 })
    const dump = driver.dump("w", 0)[Symbol.asyncIterator]()
    await dump.next()
    await driver.commit([{ workspace: "w", claims: [{ key: "new", value: "v", subject: "p" }] }], 0)
    await assert.rejects(driver.erase("w", "p"), { code: "sqlite-locked", message: /holds what was erased/ })
    await dump.return?.(undefined)
    await driver.erase("w", "p")
    const another = driver.dump("w", 0)[Symbol.asyncIterator]()
    await another.next()
    await driver.close()
    await assert.rejects(another.next(), { code: "sqlite-failed", message: /not open/ })
    await assert.rejects(driver.dump("w", 0)[Symbol.asyncIterator]().next(), { code: "sqlite-failed" })
  }))

test("[SQLITE-2] after an erasure confined to one stream no byte of it is left, and all else is", () =>
  inDirectory(async (file, directory) => {
    const driver = await open(file)
    const appends = ["s/1", "s/2"].map((stream) => ({
      stream,
      expectedVersion: 0,
      events: Array.from({ length: 50 }, (_, index) => personal("p", `NEEDLE-${stream}-${index}`))
    }))
    const views = [{ view: "things", key: "k", put: { text: "NEEDLE-document" }, subject: "p" }]
    await driver.commit([{ workspace: "w", appends, views }], 0)
    assert.equal((await driver.erase("w", "p", "s/1")).events, 50)
    assert.deepEqual(holding(directory, "NEEDLE-s/1"), [])
    assert.notDeepEqual(holding(directory, "NEEDLE-s/2"), [])
    assert.notDeepEqual(holding(directory, "NEEDLE-document"), [])
    // What comes into the stream later is found again.
    const more = [{ stream: "s/1", expectedVersion: 50, events: [personal("p", "NEEDLE-s/1-later")] }]
    await driver.commit([{ workspace: "w", appends: more }], 0)
    assert.equal((await driver.erase("w", "p", "s/1")).events, 1)
    assert.deepEqual(holding(directory, "NEEDLE-s/1"), [])
    assert.equal((await driver.erase("w", "p")).events, 50)
    assert.deepEqual(holding(directory, "NEEDLE"), [])
    await driver.close()
  }))

test("[SQLITE-16] of a workspace that is dropped no byte is left but its name", () =>
  inDirectory(async (file, directory) => {
    const driver = await open(file)
    const commit = (workspace: string) => ({
      workspace,
      appends: [{ stream: "NEEDLE", expectedVersion: 0, events: [personal("NEEDLE", `NEEDLE ${workspace}`)] }],
      views: [{ view: "things", key: "NEEDLE", put: { text: `NEEDLE needlewords${workspace}` }, subject: "NEEDLE" }],
      timers: [{ set: { kind: "NEEDLE", key: "NEEDLE", dueAtMs: 0, payload: {} } }],
      claims: [{ key: "NEEDLE", value: "NEEDLE" }],
      cursor: { reader: "NEEDLE", from: 0, to: 1 }
    })
    await driver.commit([commit("w")], 0)
    await driver.fullText?.index(9)
    assert.notDeepEqual(holding(directory, "needlewordsw"), [])
    await driver.drop("w")
    for (const text of ["NEEDLE", "needlewords"]) assert.deepEqual(holding(directory, text), [])
    await driver.close()
  }))

test("[SQLITE-16] the number of a dropped workspace is not given to another, whoever remembers it", () =>
  inDirectory(async (file) => {
    const [first, second] = [await open(file), await open(file)]
    const commit = (workspace: string) => ({
      workspace,
      appends: [{ stream: workspace, expectedVersion: 0, events: [event] }]
    })
    await first.commit([commit("v"), commit("w")], 0)
    assert.equal(await second.head("w"), 1)
    await first.drop("w")
    await first.commit([commit("x")], 0)
    assert.deepEqual([await second.head("w"), await second.journal("w", 0, 9)], [0, []])
    assert.deepEqual(await second.workspaces(), ["v", "x"])
    assert.deepEqual(
      (await second.lagging("r")).map(({ workspace }) => workspace),
      ["v", "x"]
    )
    assert.equal((await second.commit([commit("w")], 0))[0]?.ok, true)
    assert.equal((await first.journal("w", 0, 9))[0]?.stream, "w")
    assert.deepEqual(await first.workspaces(), ["v", "w", "x"])
    for (const driver of [first, second]) await driver.close()
  }))
