import { strict as assert } from "node:assert"
import { once } from "node:events"
import { readFileSync, writeFileSync } from "node:fs"
import { setImmediate } from "node:timers/promises"
import { test } from "vitest"
import { damage, event, fill, inDirectory, open, pagesOf } from "./Given.ts"

const commit = { workspace: "w", appends: [{ stream: "new", expectedVersion: 0, events: [event] }] }

/** A page in the middle of the journal: no start reads it. */
const middleOf = (file: string, table: string): number => {
  const pages = pagesOf(file, table)
  assert(pages.length > 10)
  return pages[Math.floor(pages.length / 2)]!
}

test("[SQLITE-13] damage in a page that no start reads is found while the desk works, and ends every later commit and read", () =>
  inDirectory(async (file) => {
    await fill(file, 400)
    damage(file, middleOf(file, "journal"))
    const warned = once(process, "warning")
    const driver = await open(file)
    // It opened, and works until the damage is found.
    assert.equal(await driver.head("w"), 400)
    const [warning] = await warned
    assert.equal(warning.code, "SWITCHBOARD_SQLITE_DAMAGED")
    assert.match(warning.message, /the integrity check found: .*[Pp]age \d+.*Restore a backup/)
    const refused = { _tag: "SqliteStorageError", code: "sqlite-corrupt", file, message: warning.message }
    await setImmediate()
    for (const ask of [
      () => driver.commit([commit], 0),
      () => driver.head("w"),
      () => driver.query("w", { view: "things", limit: 1 }),
      () => driver.fullText!.index(1),
      () => driver.erase("w", "p"),
      () => driver.load("w", []),
      () => driver.dump("w", 0)[Symbol.asyncIterator]().next(),
      () => driver.due(0, ["job"], 1)
    ])
      await assert.rejects(ask(), refused)
    await driver.close()
  }))

test("[SQLITE-13] damage that an index has, and one that the words have, is found as well", () =>
  inDirectory(async (file) => {
    await fill(file, 400)
    const whole = readFileSync(file)
    assert(whole.length > 1_048_576)
    for (const table of ["view_things", "words_things_data", "claims"]) {
      const root = pagesOf(file, table)[0]!
      damage(file, root)
      const warned = once(process, "warning")
      const driver = await open(file).catch((error) => error)
      if (driver instanceof Error) assert.match(driver.message, /Restore a backup/)
      else {
        assert.match(String(await warned), /integrity check found/)
        await driver.close()
      }
      writeFileSync(file, whole)
    }
  }))

test("[SQLITE-14] damage in a page that a start reads refuses the file, and leaves it as it is", () =>
  inDirectory(async (file) => {
    await fill(file, 400)
    damage(file, pagesOf(file, "views")[0]!)
    const before = readFileSync(file)
    for (const integrity of ["background", "before", "off"] as const)
      await assert.rejects(open(file, { integrity }), { code: "sqlite-corrupt", message: /Restore a backup/ })
    assert.deepEqual(readFileSync(file), before)
  }))

test("[SQLITE-14] where it is asked for, a file is checked before anything is written to it", () =>
  inDirectory(async (file) => {
    await fill(file, 400)
    await (await open(file, { integrity: "before" })).close()
    damage(file, middleOf(file, "journal"))
    const before = readFileSync(file)
    await assert.rejects(open(file, { integrity: "before" }), { code: "sqlite-corrupt", message: /check found/ })
    assert.deepEqual(readFileSync(file), before)
  }))

test("[SQLITE-14] a small file is checked before, and one that is not to be checked is not", () =>
  inDirectory(async (file) => {
    await fill(file, 60)
    assert(readFileSync(file).length < 1_048_576)
    const page = middleOf(file, "journal")
    damage(file, page)
    await assert.rejects(open(file), { code: "sqlite-corrupt", message: /check found/ })
    const driver = await open(file, { integrity: "off" })
    // What is not damaged can be saved.
    assert.equal((await driver.journal("w", 0, 3)).length, 3)
    await assert.rejects(driver.journal("w", 0, 60), { code: "sqlite-corrupt" })
    assert.equal((await driver.commit([commit], 0))[0]?.ok, true)
    await driver.close()
  }))
