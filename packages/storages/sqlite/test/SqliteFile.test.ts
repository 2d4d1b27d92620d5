import { strict as assert } from "node:assert"
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, renameSync, rmSync, statSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { DatabaseSync } from "node:sqlite"
import { setImmediate } from "node:timers/promises"
import { Storage } from "@switchboard/storage"
import { SqliteStorage } from "@switchboard/storage-sqlite"
import { test, vi } from "vitest"

const inDirectory = async (run: (file: string, directory: string) => Promise<void>) => {
  const directory = mkdtempSync(join(tmpdir(), "switchboard-sqlite-"))
  try {
    await run(join(directory, "test.db"), directory)
  } finally {
    rmSync(directory, { recursive: true })
  }
}

const view = {
  name: "things",
  version: 1,
  fields: { name: "text", open: "boolean", size: "number" },
  indexes: [["open", "size"]]
} as const

const open = async (file: string) => {
  const driver = SqliteStorage.make({ file, busyTimeoutMs: 0 })
  await driver.prepare([view])
  return driver
}

const event = { type: "E", schema: 1, recordedAtMs: 0, body: {} }

const refusals: ReadonlyArray<readonly [string, string, (file: string) => void | Promise<void>, RegExp]> = [
  [
    "a newer schema",
    "sqlite-newer",
    async (file) => {
      await (await open(file)).close()
      const db = new DatabaseSync(file)
      db.exec("PRAGMA user_version = 99")
      db.close()
    },
    /schema version is 99.*Upgrade/
  ],
  [
    "a newer view",
    "sqlite-newer",
    async (file) => {
      const driver = SqliteStorage.make({ file })
      await driver.prepare([{ ...view, version: 4 }])
      await driver.close()
    },
    /version 4 of the view things, opened with 1/
  ],
  [
    "another program's database",
    "sqlite-foreign",
    (file) => {
      const db = new DatabaseSync(file)
      db.exec("CREATE TABLE theirs (a)")
      db.close()
    },
    /Name another file/
  ],
  ["no database", "sqlite-corrupt", (file) => writeFileSync(file, "something else ".repeat(1_000)), /Restore a backup/]
]
for (const [title, code, arrange, message] of refusals)
  test(`[SQLITE-1] a file with ${title} is refused and left as it is`, () =>
    inDirectory(async (file) => {
      await arrange(file)
      const before = readFileSync(file)
      await assert.rejects(open(file), { _tag: "SqliteStorageError", code, file, message })
      assert.deepEqual(readFileSync(file), before)
    }))

test("[SQLITE-1] a locked file is refused, and works once it is free", () =>
  inDirectory(async (file) => {
    const driver = await open(file)
    const other = new DatabaseSync(file)
    other.exec("BEGIN IMMEDIATE")
    const commit = { workspace: "w", appends: [{ stream: "s", expectedVersion: 0, events: [event] }] }
    await assert.rejects(driver.commit([commit], 0), { code: "sqlite-locked", resultCode: 5 })
    await assert.rejects(open(file), { code: "sqlite-locked" })
    assert.equal(await driver.head("w"), 0)
    other.exec("ROLLBACK")
    other.close()
    assert.deepEqual(await driver.commit([commit], 0), [{ ok: true, positions: [1] }])
    await driver.close()
  }))

test("[SQLITE-1] a file that can only be read is refused", () =>
  inDirectory(async (file) => {
    await (await open(file)).close()
    await assert.rejects(open(`file:${file}?mode=ro`), { code: "sqlite-read-only" })
  }))

test("[SQLITE-1] a directory that does not exist, no file and a closed driver are named", () =>
  inDirectory(async (file, directory) => {
    await assert.rejects(open(join(directory, "none", "test.db")), {
      code: "sqlite-cannot-open",
      message: /Create its directory/
    })
    await assert.rejects(open(":memory:"), { code: "sqlite-cannot-open" })
    const driver = SqliteStorage.make({ file })
    await assert.rejects(driver.head("w"), { code: "sqlite-failed", message: /call prepare first/ })
    await driver.prepare([])
    await driver.close()
    await driver.close()
    await assert.rejects(driver.head("w"), { code: "sqlite-failed" })
  }))

test("[SQLITE-2] after an erasure no byte of the subject is left in the files", () =>
  inDirectory(async (file, directory) => {
    const driver = await open(file)
    const secret = (round: number) => `NEEDLE-${round}-${"s".repeat(round * 37)}`
    const personal = (subject: string, round: number) => ({
      ...event,
      personal: { subject, fields: { text: subject === "p" ? secret(round) : "t".repeat(500) } }
    })
    for (let round = 1; round <= 200; round++)
      await driver.commit(
        [
          {
            workspace: "w",
            appends: [
              {
                stream: `s${round % 7}`,
                expectedVersion: Math.floor((round - 1) / 7) * 2,
                events: [personal("p", round), personal("q", round)]
              }
            ],
            views: [
              { view: "things", key: `p${round % 20}`, put: { name: secret(round), size: round }, subject: "p" },
              { view: "things", key: `q${round}`, put: { name: "other" }, subject: "q" }
            ],
            timers: [
              {
                set: {
                  kind: "job",
                  key: `p${round}`,
                  dueAtMs: round,
                  payload: { text: secret(round) },
                  subject: "p",
                  lane: "l"
                }
              }
            ],
            claims: [{ key: `c${round}`, value: secret(round), subject: "p" }]
          }
        ],
        0
      )
    assert.equal(await driver.head("w"), 400)
    const found = () => readdirSync(directory).filter((name) => readFileSync(join(directory, name)).includes("NEEDLE-"))
    assert.ok(found().length > 0)
    const erased = await driver.erase("w", "p")
    assert.deepEqual(
      [erased.events, erased.documents.length, erased.timers.length, erased.claims.length],
      [200, 20, 200, 200]
    )
    assert.deepEqual(found(), [])
    await driver.close()
    assert.deepEqual(found(), [])
  }))

test("[SQLITE-2] after an erasure no word of the subject is left in the full-text index, however far it had come", () =>
  inDirectory(async (file, directory) => {
    const driver = SqliteStorage.make({ file })
    await driver.prepare([letters])
    const put = (key: string, text: string, subject: string) => ({ view: "letters", key, put: { text }, subject })
    const left = () =>
      readdirSync(directory).filter((name) => /needle/i.test(readFileSync(join(directory, name)).toString("latin1")))
    for (let round = 0; round < 30; round++) {
      const mine = Array.from({ length: 10 }, (_, index) =>
        put(`p${round}-${index}`, `needle${round}x${index} of mine`, "p")
      )
      const others = Array.from({ length: 10 }, (_, index) => put(`q${round}-${index}`, "hay of another", "q"))
      await driver.commit([{ workspace: "w", views: [...mine, ...others] }], 0)
      await driver.fullText?.index(15)
    }
    // What was said before it was edited is in the index, too.
    await driver.commit([{ workspace: "w", views: [put("p0-0", "needle edited", "p")] }], 0)
    assert.ok(left().length > 0)
    assert.equal((await driver.erase("w", "p")).documents.length, 300)
    assert.deepEqual(left(), [])
    while (((await driver.fullText?.index(100)) ?? 0) > 0) {
      // Goes on until nothing is left.
    }
    const terms = [{ text: "hay", isPrefix: false }]
    const found = await driver.fullText?.search("w", { view: "letters", terms, limit: 999 })
    assert.deepEqual([found?.documents.length, found?.behind], [300, 0])
    assert.deepEqual(left(), [])
    await driver.close()
    assert.deepEqual(left(), [])
  }))

test("[SQLITE-2] subjects that alternate in a stream are each found again, after an erasure and from another process", () =>
  inDirectory(async (file, directory) => {
    const drivers = [await open(file), await open(file)]
    let version = 0
    const write = async (driver: number, ...subjects: ReadonlyArray<string>) => {
      const events = subjects.map((subject) => ({
        ...event,
        personal: { subject, fields: { text: `NEEDLE-${subject}` } }
      }))
      const views = subjects.map((subject) => ({
        view: "things",
        key: subject,
        put: { name: `NEEDLE-${subject}` },
        subject
      }))
      const commit = { workspace: "w", appends: [{ stream: "s", expectedVersion: version, events }], views }
      version += events.length
      assert.equal((await drivers[driver]!.commit([commit], 0))[0]?.ok, true)
    }
    const left = (subject: string) =>
      readdirSync(directory).filter((name) => readFileSync(join(directory, name)).includes(`NEEDLE-${subject}`))
    await write(0, "p", "q")
    await write(0, "p")
    await write(0, "q")
    await write(1, "p")
    assert.equal((await drivers[0]!.erase("w", "p")).events, 3)
    assert.deepEqual(left("p"), [])
    await write(0, "q")
    await write(0, "p")
    await write(1, "p", "q")
    assert.equal((await drivers[1]!.erase("w", "p")).events, 2)
    assert.deepEqual(left("p"), [])
    assert.equal((await drivers[0]!.erase("w", "q")).events, 4)
    assert.deepEqual(left("q"), [])
    for (const driver of drivers) await driver.close()
  }))

test("[SQLITE-2] nothing that was remembered before an erasure is written after it", () =>
  inDirectory(async (file, directory) => {
    const storage = await Storage.open(SqliteStorage.make({ file }), { views: [view], now: () => 0 })
    const workspace = storage.workspace("w")
    const name = "NEEDLE"
    const remembered = async (reads: Storage.Reads) => {
      await reads.claims(["address"])
      await reads.streamVersions(["s"])
      return (await reads.documents("things", ["k", "other"])).map((found) => found?.document.name)
    }
    await workspace.commit({
      appends: [
        { stream: "s", expectedVersion: 0, events: [{ ...event, personal: { subject: "p", fields: { name } } }] }
      ],
      views: [
        { view: "things", key: "k", put: { name, size: 1 }, subject: "p" },
        { view: "things", key: "other", put: { name: "other", size: 1 } }
      ],
      claims: [{ key: "address", value: name, subject: "p" }]
    })
    assert.deepEqual(await remembered(workspace.cached), [name, "other"])
    await workspace.erase("p")
    for (let size = 2; size < 5; size++)
      await workspace.turn("lane", async (reads) => {
        const [kept = "nobody", other = "nobody"] = await remembered(reads)
        const [claim] = await reads.claims(["address"])
        return {
          value: undefined,
          commit: {
            appends: [{ stream: "s", expectedVersion: await reads.streamVersion("s"), events: [event] }],
            views: [
              { view: "things", key: "k", put: { name: kept, size } },
              { view: "things", key: "other", put: { name: other, size } }
            ],
            claims: [{ key: "address", value: claim?.value ?? "free", ...(claim && { revision: claim.revision }) }]
          }
        }
      })
    assert.deepEqual(await remembered(workspace), ["nobody", "other"])
    assert.equal(JSON.stringify(await workspace.journal(0, 9)).includes(name), false)
    await storage.close()
    for (const each of readdirSync(directory)) assert(!readFileSync(join(directory, each)).includes(name), each)
  }))

test("[SQLITE-3] pages and look-ups are read from indexes, never by scanning or sorting", () =>
  inDirectory(async (file) => {
    const driver = await open(file)
    const plans: Array<string> = []
    const { prepare } = DatabaseSync.prototype
    DatabaseSync.prototype.prepare = function (this: DatabaseSync, sql: string) {
      if (sql.startsWith("SELECT key, version, document"))
        for (const row of prepare.call(this, `EXPLAIN QUERY PLAN ${sql}`).all()) plans.push(String(row.detail))
      return prepare.call(this, sql)
    }
    try {
      const put = { view: "things", key: "k", put: { open: true, size: 1 } }
      await driver.commit([{ workspace: "w", views: [put] }], 0)
      for (const direction of ["ascending", "descending"] as const)
        for (const value of [1, null]) {
          const where = [{ field: "open", equals: true }]
          const order = { field: "size", direction }
          await driver.query("w", { view: "things", where, order, limit: 50 })
          await driver.query("w", { view: "things", where, order, limit: 50, after: { value, key: "k" } })
        }
      await driver.query("w", { view: "things", limit: 50, after: { value: null, key: "a" } })
    } finally {
      DatabaseSync.prototype.prepare = prepare
      await driver.close()
    }
    assert.ok(plans.length >= 8)
    for (const plan of plans) assert.match(plan, /^SEARCH view_things USING INDEX view_things_(index_0|key) /)
  }))

const letters = { name: "letters", version: 1, fields: { state: "text" }, indexes: [], words: ["text"] } as const

test("[SQLITE-7] a document that is written again with the same words is not indexed again", () =>
  inDirectory(async (file) => {
    const drivers = [SqliteStorage.make({ file }), SqliteStorage.make({ file })]
    for (const driver of drivers) await driver.prepare([letters])
    const [first, second] = drivers.map((driver) => driver.fullText!)
    const put = async (driver: number, text: string, state: string) => {
      const views = [{ view: "letters", key: "k", put: { text, state } }]
      assert.equal((await drivers[driver]!.commit([{ workspace: "w", views }], 0))[0]?.ok, true)
      const terms = [{ text: "red", isPrefix: true }]
      return (await first!.search("w", { view: "letters", terms, limit: 9 })).behind
    }
    assert.equal(await put(0, "red", "new"), 1)
    await first!.index(9)
    assert.equal(await put(0, "red", "sent"), 0)
    assert.equal(await put(0, "redder", "sent"), 1)
    assert.equal(await put(0, "redder", "read"), 1)
    await second!.index(9)
    // What another process indexed and wrote meanwhile is not what was remembered here.
    assert.equal(await put(1, "reddest", "read"), 1)
    assert.equal(await put(0, "redder", "read"), 1)
    await first!.index(9)
    assert.equal(await put(0, "redder", "seen"), 0)
    for (const driver of drivers) await driver.close()
  }))

test("[SQLITE-7] a batch of long documents ends early, and the rest follows", () =>
  inDirectory(async (file) => {
    const driver = SqliteStorage.make({ file })
    await driver.prepare([letters])
    const views = Array.from({ length: 30 }, (_, index) => ({
      view: "letters",
      key: `k${index}`,
      put: { text: `long ${"and longer ".repeat(5_000)}` }
    }))
    await driver.commit([{ workspace: "w", views }], 0)
    const { index, search } = driver.fullText!
    assert.equal(await index(30), 20)
    assert.equal(await index(30), 10)
    assert.equal(await index(30), 0)
    const terms = [{ text: "long", isPrefix: false }]
    assert.equal((await search("w", { view: "letters", terms, limit: 99 })).documents.length, 30)
    await driver.close()
  }))

const things = (from: number, count: number, subject?: string) =>
  Array.from({ length: count }, (_, index) => ({
    view: "things",
    key: `k${from + index}`,
    put: { name: "x".repeat(3000), open: true, size: index },
    ...(subject !== undefined && { subject })
  }))

test("[SQLITE-4] the log is folded while commits go on, and stays within bounds", async () => {
  await inDirectory(async (file) => {
    const driver = SqliteStorage.make({ file, checkpointPages: 50 })
    await driver.prepare([view])
    const sizeBefore = statSync(file).size
    let longest = 0
    for (let round = 0; round < 100; round++) {
      await driver.commit([{ workspace: "w", views: things(round * 20, 20) }], 0)
      longest = Math.max(longest, statSync(`${file}-wal`).size)
      await setImmediate()
    }
    // Should the thread get no turn at all, the writer folds at twenty times the pages allowed.
    assert(longest < 2 * 20 * 50 * 4120, `the log grew to ${longest} bytes`)
    // What is in the file now, nobody but the thread has put there: so little is not for the writer to fold.
    await driver.commit([{ workspace: "w", views: things(0, 60) }], 0)
    while (statSync(file).size === sizeBefore) await setImmediate()
    await driver.close()
    const again = await open(file)
    assert.equal((await again.query("w", { view: "things", limit: 5000 })).documents.length, 2000)
    await again.close()
  })
})

test("[SQLITE-4] two erasures at once leave the thread at work", async () => {
  await inDirectory(async (file) => {
    const driver = SqliteStorage.make({ file, checkpointPages: 50 })
    await driver.prepare([view])
    await driver.commit([{ workspace: "w", views: [...things(0, 5, "jo"), ...things(5, 5, "kim")] }], 0)
    await Promise.all([driver.erase("w", "jo"), driver.erase("w", "kim")])
    const sizeBefore = statSync(file).size
    await driver.commit([{ workspace: "w", views: things(0, 60) }], 0)
    while (statSync(file).size === sizeBefore) await setImmediate()
    await driver.close()
  })
})

test("[SQLITE-5] an erasure that waits for a thread that fails is carried out, and so is the next, and the end", async () => {
  await inDirectory(async (file, directory) => {
    const driver = SqliteStorage.make({ file, checkpointPages: 20 })
    await driver.prepare([view])
    // The thread opens the file by its name, later than the driver: it finds no database there.
    renameSync(file, join(directory, "moved.db"))
    mkdirSync(file)
    const clock = vi.spyOn(performance, "now")
    try {
      await driver.commit([{ workspace: "w", views: things(0, 30, "jo") }], 0)
      assert.equal((await driver.erase("w", "jo")).documents.length, 30)
      clock.mockReturnValue(performance.now() + 60_000)
      await driver.commit([{ workspace: "w", views: things(0, 30, "kim") }], 0)
      assert.equal((await driver.erase("w", "kim")).documents.length, 30)
      await driver.close()
    } finally {
      clock.mockRestore()
    }
  })
})

test("[SQLITE-5] an erasure waits for a fold under way, and leaves no byte", async () => {
  await inDirectory(async (file, directory) => {
    const driver = SqliteStorage.make({ file, checkpointPages: 20 })
    await driver.prepare([view])
    const secret = "only-the-contact-knows"
    const mine = things(0, 200, "contact").map((change) => ({ ...change, put: { ...change.put, name: secret } }))
    await driver.commit([{ workspace: "w", views: mine }], 0)
    assert.equal((await driver.erase("w", "contact")).documents.length, 200)
    for (const name of readdirSync(directory)) assert(!readFileSync(join(directory, name)).includes(secret), name)
    await driver.close()
  })
})

test("[SQLITE-5] an erasure fails where another process keeps the log, and can be repeated", async () => {
  await inDirectory(async (file) => {
    const driver = await open(file)
    await driver.commit([{ workspace: "w", views: things(0, 5, "contact") }], 0)
    const other = new DatabaseSync(file)
    other.exec("BEGIN; SELECT * FROM views")
    await assert.rejects(driver.erase("w", "contact"), { code: "sqlite-locked", message: /holds what was erased/ })
    other.close()
    await driver.erase("w", "contact")
    assert.equal(statSync(`${file}-wal`).size, 0)
    await driver.close()
  })
})
