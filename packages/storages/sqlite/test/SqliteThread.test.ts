import { strict as assert } from "node:assert"
import { once } from "node:events"
import { mkdtempSync, readFileSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { DatabaseSync } from "node:sqlite"
import { setImmediate } from "node:timers/promises"
import type { Worker } from "node:worker_threads"
import { SqliteStorage } from "@switchboard/storage-sqlite"
import { afterEach, test, vi } from "vitest"
import { fill, inDirectory, open } from "./Given.ts"

const threads = vi.hoisted(() => ({
  areForbidden: false,
  started: [] as Array<Worker>,
  /** What was asked of each, by its name. */
  asked: [] as Array<string>,
  /** Told before an answer of a thread arrives: its number, from 0, and that of the answer, which arrives after what is returned. */
  onAnswer: (_thread: number, _answer: number): Promise<void> | undefined => undefined
}))
vi.mock("node:worker_threads", async (original) => {
  const real = await original<typeof import("node:worker_threads")>()
  class Thread extends real.Worker {
    constructor(...settings: ConstructorParameters<typeof Worker>) {
      if (threads.areForbidden) throw new Error("no threads here")
      super(...settings)
      threads.started.push(this)
    }
    readonly #number = threads.started.length
    #answers = 0
    override emit(event: string | symbol, ...values: Array<unknown>): boolean {
      const emit = () => Reflect.apply(super.emit, this, [event, ...values])
      const wait = event === "message" ? threads.onAnswer(this.#number, this.#answers++) : undefined
      if (wait === undefined) return emit()
      void wait.then(emit)
      return true
    }
    override postMessage(message: ReadonlyArray<unknown>): void {
      threads.asked.push(message.join(" "))
      super.postMessage(message)
    }
  }
  return { ...real, Worker: Thread }
})
afterEach(() => {
  threads.areForbidden = false
  threads.started.length = 0
  threads.asked.length = 0
  threads.onAnswer = () => undefined
})

const view = { name: "things", version: 1, fields: {}, indexes: [] } as const

const withDriver = async (
  options: Partial<SqliteStorage.Options>,
  run: (driver: ReturnType<typeof SqliteStorage.make>, file: string) => Promise<void>
) => {
  const directory = mkdtempSync(join(tmpdir(), "switchboard-sqlite-"))
  const file = join(directory, "test.db")
  const driver = SqliteStorage.make({ file, ...options })
  try {
    await driver.prepare([view])
    await run(driver, file)
  } finally {
    await driver.close()
    rmSync(directory, { recursive: true })
  }
}

const put = (name: string) => ({ workspace: "w", views: [{ view: "things", key: "k", put: { name } }] })

test("[SQLITE-6] while a commit waits for another process, the event loop and reads go on", () =>
  withDriver({}, async (driver, file) => {
    assert.equal((await driver.commit([put("before")], 0))[0]?.ok, true)
    const other = new DatabaseSync(file)
    other.exec("BEGIN IMMEDIATE")
    const waiting = driver.commit([put("after")], 0)
    assert.equal((await driver.documents("w", "things", ["k"]))[0]?.document.name, "before")
    // Only now, from this very loop, is what it waits for given free.
    other.exec("ROLLBACK")
    other.close()
    assert.equal((await waiting)[0]?.ok, true)
    assert.equal((await driver.documents("w", "things", ["k"]))[0]?.document.name, "after")
  }))

test("[SQLITE-6] a thread that ends fails what was asked of it, and another takes over", () =>
  withDriver({}, async (driver) => {
    assert.equal((await driver.commit([put("before")], 0))[0]?.ok, true)
    const asked = driver.commit([put("lost, or not")], 0)
    const [outcome] = await Promise.allSettled([asked, threads.started[0]?.terminate()])
    if (outcome.status === "rejected") assert.match(String(outcome.reason), /ended/)
    const [first, second] = await Promise.all([driver.commit([put("one")], 0), driver.commit([put("two")], 0)])
    assert.deepEqual([first[0]?.ok, second[0]?.ok], [true, true])
    assert.equal((await driver.documents("w", "things", ["k"]))[0]?.document.name, "two")
    assert.equal(threads.started.length, 2)
  }))

test("[SQLITE-6] where no thread can be started again, commits are refused, and reads go on", () =>
  withDriver({}, async (driver) => {
    assert.equal((await driver.commit([put("before")], 0))[0]?.ok, true)
    await threads.started[0]?.terminate()
    threads.areForbidden = true
    await assert.rejects(driver.commit([put("after")], 0), /can't be started again/)
    assert.equal((await driver.documents("w", "things", ["k"]))[0]?.document.name, "before")
  }))

test("[SQLITE-6] where no thread can be started, commits are written in place, and a warning says so", () => {
  threads.areForbidden = true
  const warned = once(process, "warning")
  return withDriver({}, async (driver) => {
    const [warning] = await warned
    assert.match(String(warning), /block the event loop: no thread can be started to write. Error: no threads here/)
    assert.equal((await driver.commit([put("here")], 0))[0]?.ok, true)
    assert.equal((await driver.documents("w", "things", ["k"]))[0]?.document.name, "here")
    assert.equal(await driver.sweep(0), 0)
    assert.deepEqual((await driver.erase("w", "nobody")).documents, [])
    assert.equal(threads.started.length, 0)
  })
})

test("[SQLITE-4] the log begins anew after a fold that did not get to its end", () =>
  withDriver({ checkpointPages: 50 }, async (driver, file) => {
    // SQLite changes it each time it begins the log anew. https://www.sqlite.org/fileformat.html#the_write_ahead_log
    const salt = () => readFileSync(`${file}-wal`).subarray(16, 24).toString("hex")
    const many = (name: string) =>
      Array.from({ length: 60 }, (_, index) => ({ view: "things", key: `${index}`, put: { name } }))
    await driver.commit([put("first")], 0)
    const before = salt()
    // What comes after what another one reads can't be folded, nor what comes while a fold is under way.
    const other = new DatabaseSync(file)
    other.exec("BEGIN; SELECT * FROM views")
    const folded = new Promise<void>((resolve) => {
      // Of the second thread, which folds; its first answer says that it is open.
      threads.onAnswer = (thread, answer) => {
        if (thread === 1 && answer === 1) {
          other.close()
          resolve()
        }
        return undefined
      }
    })
    await driver.commit([{ workspace: "w", views: many("second") }], 0)
    await folded
    await setImmediate()
    assert.equal(salt(), before)
    await driver.commit([put("third")], 0)
    assert.notEqual(salt(), before)
  }))

test("[SQLITE-4] a writer that ends as the log is to begin anew does not end the folding", () =>
  withDriver({ checkpointPages: 50 }, async (driver) => {
    const folded = { once: Promise.withResolvers<void>(), again: Promise.withResolvers<void>() }
    threads.onAnswer = (thread, answer) => {
      if (thread === 1 && answer === 1) {
        // Asked to finish, it is gone before it answers.
        void threads.started[0]?.terminate()
        folded.once.resolve()
      }
      if (thread === 1 && answer === 2) folded.again.resolve()
      return undefined
    }
    const write = (round: number) => {
      const views = Array.from({ length: 60 }, (_, index) => ({
        view: "things",
        key: `${index}`,
        put: { name: `${round}` }
      }))
      return driver.commit([{ workspace: "w", views }], 0).catch(() => undefined)
    }
    await write(0)
    await folded.once.promise
    let isOver = false
    void folded.again.promise.then(() => {
      isOver = true
    })
    for (let round = 1; !isOver; round++) await write(round)
  }))

test("[SQLITE-1] a disk that is full fails the group, and what was there goes on", async () => {
  // The limit holds per connection: it is set on the one that writes, which is here only without a thread.
  threads.areForbidden = true
  const { exec } = DatabaseSync.prototype
  DatabaseSync.prototype.exec = function (this: DatabaseSync, sql: string) {
    exec.call(this, sql)
    if (sql.includes("wal_autocheckpoint")) exec.call(this, "PRAGMA max_page_count = 60")
  }
  try {
    await withDriver({}, async (driver) => {
      assert.equal((await driver.commit([put("before")], 0))[0]?.ok, true)
      await assert.rejects(driver.commit([put("x".repeat(1_000_000))], 0), {
        code: "sqlite-full",
        message: /Free space/
      })
      assert.equal((await driver.documents("w", "things", ["k"]))[0]?.document.name, "before")
      assert.equal((await driver.commit([put("after")], 0))[0]?.ok, true)
      assert.equal((await driver.documents("w", "things", ["k"]))[0]?.document.name, "after")
    })
  } finally {
    DatabaseSync.prototype.exec = exec
  }
})

test("[SQLITE-13] an erasure waits for the table that is being checked, and the next waits for the erasure", () =>
  inDirectory(async (file) => {
    await fill(file, 400)
    threads.started.length = 0
    const checked = Promise.withResolvers<void>()
    const isChecking = Promise.withResolvers<void>()
    threads.onAnswer = (thread, answer) => {
      // Of the second thread, which checks: it is open, these are the tables, and then what is found in each.
      if (thread !== 1 || answer !== 2) return undefined
      isChecking.resolve()
      return checked.promise
    }
    const driver = await open(file, { busyTimeoutMs: 0 })
    await isChecking.promise
    threads.asked.length = 0
    const erasing = driver.erase("w", "p")
    while ((await driver.claims("w", ["later"], 0))[0] === undefined)
      await driver.commit([{ workspace: "w", claims: [{ key: "later", value: "v" }] }], 0)
    assert(threads.asked.includes("erase w p ") && !threads.asked.includes("emptyLog"))
    checked.resolve()
    await erasing
    const asked = threads.asked.filter((name) => /^(emptyLog|check)/.test(name))
    assert.equal(asked[0], "emptyLog")
    await driver.close()
  }))

test("[SQLITE-13] where no thread can be started a warning says that the file is not checked", () =>
  inDirectory(async (file) => {
    await fill(file, 400)
    threads.areForbidden = true
    const warnings: Array<string> = []
    const listen = (warning: Error) => warnings.push(warning.message)
    process.on("warning", listen)
    const driver = await open(file)
    assert.equal(await driver.head("w"), 400)
    await setImmediate()
    process.off("warning", listen)
    assert(warnings.some((warning) => /was not checked: no thread can be started; ask for .*"before"/.test(warning)))
    await driver.close()
  }))
