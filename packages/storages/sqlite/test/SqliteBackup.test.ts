import { strict as assert } from "node:assert"
import {
  chmodSync,
  copyFileSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  statSync,
  writeFileSync
} from "node:fs"
import { join } from "node:path"
import { DatabaseSync } from "node:sqlite"
import { Storage, StorageCrash } from "@switchboard/storage"
import { SqliteStorage } from "@switchboard/storage-sqlite"
import { test } from "vitest"
import { damage, event, fill, holding, inDirectory, open, pagesOf, view } from "./Given.ts"

const put = (name: string) => ({ workspace: "w", claims: [{ key: name, value: name }] })

/** The names in a directory, but for a desk's own. */
const namesIn = (directory: string) => readdirSync(directory).filter((name) => !name.startsWith("desk.db"))

test("[SQLITE-9] a backup taken under load is a whole desk of one instant, and the load goes on", () =>
  inDirectory(async (file, directory) => {
    await fill(file, 1_500)
    const storage = await Storage.open(SqliteStorage.make({ file }), { views: [StorageCrash.view], now: () => 0 })
    const acknowledged: Array<string> = []
    let isOver = false
    const writing = StorageCrash.write(storage, {
      name: "s",
      writers: 8,
      onAcknowledged: (line) => acknowledged.push(line),
      isOver: () => isOver
    })
    while (acknowledged.length < 100) await new Promise(setImmediate)
    for (let round = 0; round < 2; round++) {
      const [to, before] = [join(directory, `backup${round}.db`), acknowledged.length]
      const { bytes, workspaces } = await SqliteStorage.backup({ from: file, to })
      assert.deepEqual([bytes, workspaces], [statSync(to).size, await storage.workspaces()])
      assert(acknowledged.length > before, "commits went on")
      const copy = SqliteStorage.make({ file: to, integrity: "before" })
      await copy.prepare([StorageCrash.view, view])
      // The load's workspaces are whole there, with all that was acknowledged before.
      const only = { ...copy, workspaces: async () => ["one", "two"] }
      await StorageCrash.check(only, acknowledged.slice(0, before))
      assert.equal(await copy.head("w"), 1_500)
      await copy.close()
    }
    isOver = true
    await writing
    await storage.close()
    assert.deepEqual(namesIn(directory), ["backup0.db", "backup1.db"])
  }))

test("[SQLITE-9] a backup tells how far it has come, and has the rights of the original", () =>
  inDirectory(async (file, directory) => {
    await fill(file, 1_500)
    chmodSync(file, 0o600)
    const told: Array<SqliteStorage.Progress> = []
    const to = join(directory, "backup.db")
    const { bytes } = await SqliteStorage.backup({ from: file, to, onProgress: (progress) => told.push(progress) })
    assert.deepEqual(told.at(-1), { bytes, ofBytes: bytes })
    for (const [index, progress] of told.entries()) {
      assert(progress.bytes <= progress.ofBytes && progress.bytes >= (told[index - 1]?.bytes ?? 0))
      assert(Math.abs(progress.ofBytes - bytes) < bytes / 5)
    }
    if (process.platform !== "win32") assert.equal(statSync(to).mode & 0o777, 0o600)
  }))

test("[SQLITE-9] what was erased before a backup is not in it, nor what was deleted", () =>
  inDirectory(async (file, directory) => {
    const driver = await open(file)
    const secret = { ...event, personal: { subject: "p", fields: { text: "NEEDLE" } } }
    await driver.commit(
      [
        {
          workspace: "w",
          appends: [{ stream: "s", expectedVersion: 0, events: [secret] }],
          views: [{ view: "things", key: "k", put: { text: "NEEDLE" }, subject: "p" }]
        }
      ],
      0
    )
    const copyTo = (name: string) => SqliteStorage.backup({ from: file, to: join(directory, name) })
    await copyTo("before.db")
    await driver.erase("w", "p")
    await copyTo("after.db")
    await driver.close()
    assert.deepEqual(holding(directory, "NEEDLE"), ["before.db"])
  }))

const refusals: ReadonlyArray<
  readonly [
    title: string,
    code: string,
    named: "from" | "to",
    arrange: (from: string, to: string) => void | Promise<void>
  ]
> = [
  ["no source", "sqlite-missing", "from", () => {}],
  [
    "a target that is there",
    "sqlite-exists",
    "to",
    async (from, to) => {
      await fill(from, 1)
      writeFileSync(to, "precious")
    }
  ],
  ["a source that is no database", "sqlite-corrupt", "from", (from) => writeFileSync(from, "words ".repeat(999))],
  ["a source that is a directory", "sqlite-cannot-open", "from", (from) => void mkdirSync(from)],
  ["a source that is empty", "sqlite-foreign", "from", (from) => writeFileSync(from, "")],
  [
    "another program's source",
    "sqlite-foreign",
    "from",
    (from) => {
      const db = new DatabaseSync(from)
      db.exec("CREATE TABLE theirs (a)")
      db.close()
    }
  ],
  [
    "a newer source",
    "sqlite-newer",
    "from",
    async (from) => {
      await fill(from, 1)
      const db = new DatabaseSync(from)
      db.exec("PRAGMA user_version = 99")
      db.close()
    }
  ],
  [
    "a damaged source",
    "sqlite-corrupt",
    "from",
    async (from) => {
      await fill(from, 200)
      damage(from, pagesOf(from, "journal")[7]!)
    }
  ]
]
for (const [title, code, named, arrange] of refusals) {
  const copies = [
    ["[SQLITE-10] a backup", SqliteStorage.backup],
    ["[SQLITE-11] a restore", SqliteStorage.restore]
  ] as const
  for (const [what, copy] of copies)
    test(`${what} with ${title} is refused, and leaves everything as it was`, () =>
      inDirectory(async (from, directory) => {
        const to = join(directory, "copy.db")
        await arrange(from, to)
        const contents = () =>
          readdirSync(directory, { withFileTypes: true }).map((entry) => [
            entry.name,
            entry.isFile() && readFileSync(join(directory, entry.name), "latin1")
          ])
        const before = contents()
        await assert.rejects(copy({ from, to }), {
          _tag: "SqliteStorageError",
          code,
          file: named === "from" ? from : to
        })
        assert.deepEqual(contents(), before)
      }))
}

test("[SQLITE-10] a backup into a directory that is not there, or is none, is refused", () =>
  inDirectory(async (file, directory) => {
    await fill(file, 1)
    const to = join(directory, "none", "backup.db")
    await assert.rejects(SqliteStorage.backup({ from: file, to }), {
      code: "sqlite-cannot-open",
      file: to,
      message: /Create its directory/
    })
    await assert.rejects(SqliteStorage.backup({ from: file, to: join(file, "backup.db") }), {
      _tag: "SqliteStorageError"
    })
    assert.deepEqual(namesIn(directory), [])
  }))

test("[SQLITE-10] a backup onto a full disk is refused, names it, and leaves nothing", () =>
  inDirectory(async (file, directory) => {
    await fill(file, 1)
    const to = join(directory, "backup.db")
    // What SQLite says of a full disk, where its own thread would hear it.
    const { prepare } = DatabaseSync.prototype
    const { Thread } = await import("../src/internal/Thread.ts")
    const { start } = Thread
    Thread.start = async () => "no threads here"
    DatabaseSync.prototype.prepare = function (this: DatabaseSync, sql: string) {
      if (!sql.startsWith("VACUUM")) return prepare.call(this, sql)
      writeFileSync(
        readdirSync(directory)
          .map((name) => join(directory, name))
          .find((name) => name.endsWith(".partial"))!,
        "half"
      )
      throw Object.assign(new Error("database or disk is full"), { code: "ERR_SQLITE_ERROR", errcode: 13 })
    }
    try {
      await assert.rejects(SqliteStorage.backup({ from: file, to }), {
        code: "sqlite-full",
        file: to,
        message: /Free space/
      })
    } finally {
      DatabaseSync.prototype.prepare = prepare
      Thread.start = start
    }
    assert.deepEqual(namesIn(directory), [])
  }))

test("[SQLITE-10] where no thread can be started a backup is made in place", () =>
  inDirectory(async (file, directory) => {
    await fill(file, 20)
    const { Thread } = await import("../src/internal/Thread.ts")
    const { start } = Thread
    Thread.start = async () => "no threads here"
    try {
      await SqliteStorage.backup({ from: file, to: join(directory, "backup.db") })
    } finally {
      Thread.start = start
    }
    const copy = await open(join(directory, "backup.db"))
    assert.equal(await copy.head("w"), 20)
    await copy.close()
  }))

test("[SQLITE-11] a backup whose index does not hold what its table holds is refused", () =>
  inDirectory(async (file, directory) => {
    await fill(file, 50)
    // Page for page it is in order.
    const bytes = readFileSync(file)
    bytes.write("s4~", bytes.indexOf("s42", (pagesOf(file, "journal_stream")[0]! - 1) * 4096))
    writeFileSync(file, bytes)
    await (await open(file, { integrity: "before" })).close()
    const to = join(directory, "copy.db")
    await assert.rejects(SqliteStorage.restore({ from: file, to }), { code: "sqlite-corrupt", file })
    assert.deepEqual(namesIn(directory), [])
  }))

test("[SQLITE-11] a desk begins anew where its backup was taken, also beside the log of the one it replaces", () =>
  inDirectory(async (file, directory) => {
    const backup = join(directory, "backup.db")
    const driver = await open(file)
    await driver.commit([put("kept")], 0)
    await SqliteStorage.backup({ from: file, to: backup })
    await driver.commit([put("lost")], 0)
    await driver.close()
    await SqliteStorage.restore({ from: backup, to: file, replace: true })
    const again = await open(file)
    assert.deepEqual(
      (await again.claims("w", ["kept", "lost"], 0)).map((claim) => claim?.value),
      ["kept", undefined]
    )
    // As after a crash: the file with a log that holds more.
    await again.commit([put("later")], 0)
    for (const end of ["", "-wal"]) copyFileSync(`${file}${end}`, join(directory, `crashed.db${end}`))
    await again.close()
    const crashed = join(directory, "crashed.db")
    assert(statSync(`${crashed}-wal`).size > 0)
    await SqliteStorage.restore({ from: backup, to: crashed, replace: true })
    assert(!existsSync(`${crashed}-wal`))
    const restored = await open(crashed)
    assert.equal((await restored.claims("w", ["later"], 0))[0], undefined)
    await restored.close()
  }))

test("[SQLITE-12] a file, or a log of one, that is there is replaced only where that is said", () =>
  inDirectory(async (file, directory) => {
    const backup = join(directory, "backup.db")
    await fill(file, 5)
    await SqliteStorage.backup({ from: file, to: backup })
    await assert.rejects(SqliteStorage.restore({ from: backup, to: file }), { code: "sqlite-exists", file })
    const to = join(directory, "another.db")
    writeFileSync(`${to}-wal`, "a log")
    await assert.rejects(SqliteStorage.restore({ from: backup, to }), { code: "sqlite-exists", file: `${to}-wal` })
    assert.equal(readFileSync(`${to}-wal`, "latin1"), "a log")
    await SqliteStorage.restore({ from: backup, to, replace: true })
    assert.deepEqual(namesIn(directory), ["another.db", "backup.db"])
  }))

test("[SQLITE-12] a damaged desk is replaced, whatever of it is damaged; another program's is not", () =>
  inDirectory(async (file, directory) => {
    const backup = join(directory, "backup.db")
    await fill(file, 200)
    await SqliteStorage.backup({ from: file, to: backup })
    for (const page of [1, pagesOf(file, "journal")[7]!]) {
      damage(file, page)
      await SqliteStorage.restore({ from: backup, to: file, replace: true })
      const driver = await open(file, { integrity: "before" })
      assert.equal((await driver.journal("w", 0, 999)).length, 200)
      await driver.close()
    }
    const theirs = join(directory, "theirs.db")
    const db = new DatabaseSync(theirs)
    db.exec("CREATE TABLE theirs (a)")
    db.close()
    const before = readFileSync(theirs)
    await assert.rejects(SqliteStorage.restore({ from: backup, to: theirs, replace: true }), { code: "sqlite-foreign" })
    assert.deepEqual(readFileSync(theirs), before)
    mkdirSync(join(directory, "folder"))
    await assert.rejects(SqliteStorage.restore({ from: backup, to: join(directory, "folder"), replace: true }), {
      code: "sqlite-cannot-open"
    })
  }))

test("[SQLITE-12] what a desk has open is not replaced, and the desk goes on", () =>
  inDirectory(async (file, directory) => {
    const backup = join(directory, "backup.db")
    const driver = await open(file)
    await driver.commit([put("before")], 0)
    await SqliteStorage.backup({ from: file, to: backup })
    await assert.rejects(SqliteStorage.restore({ from: backup, to: file, replace: true }), {
      code: "sqlite-in-use",
      message: /Stop what has it open/
    })
    assert.equal((await driver.commit([put("after")], 0))[0]?.ok, true)
    await driver.close()
    const again = await open(file)
    assert.equal((await again.claims("w", ["after"], 0))[0]?.value, "after")
    await again.close()
    assert.deepEqual(namesIn(directory), ["backup.db"])
  }))
