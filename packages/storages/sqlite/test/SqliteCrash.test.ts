import { strict as assert } from "node:assert"
import { spawn } from "node:child_process"
import { once } from "node:events"
import { mkdtempSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { createInterface } from "node:readline"
import { StorageCrash } from "@switchboard/storage"
import { SqliteStorage } from "@switchboard/storage-sqlite"
import { test } from "vitest"

/** Runs the writer until it has acknowledged so many commits, kills it, and returns all it had acknowledged. */
const killAfter = async (
  file: string,
  commits: number,
  name = "s",
  flags: ReadonlyArray<string> = []
): Promise<ReadonlyArray<string>> => {
  const script = join(import.meta.dirname, "crash", "writer.ts")
  const child = spawn(process.execPath, ["--conditions=@switchboard/source", ...flags, script, file, name], {
    stdio: ["ignore", "pipe", "inherit"]
  })
  const ended = once(child, "close")
  const lines: Array<string> = []
  for await (const line of createInterface({ input: child.stdout })) {
    lines.push(line)
    if (lines.length === commits) child.kill("SIGKILL")
  }
  const [, signal] = await ended
  assert.equal(signal, "SIGKILL")
  // The last line may have been cut off by the end.
  return lines.slice(0, -1)
}

const check = async (file: string, acknowledged: ReadonlyArray<string>): Promise<void> => {
  const driver = SqliteStorage.make({ file })
  await driver.prepare([StorageCrash.view])
  try {
    await StorageCrash.check(driver, acknowledged)
  } finally {
    await driver.close()
  }
}

test("[STORAGE-27] killed at any moment under load, every acknowledged commit is there, whole, and no other in part", async () => {
  const directory = mkdtempSync(join(tmpdir(), "switchboard-crash-"))
  const file = join(directory, "test.db")
  try {
    const acknowledged: Array<string> = []
    for (const commits of [1, 137, 605, 311, 1_018]) {
      acknowledged.push(...(await killAfter(file, commits)))
      await check(file, acknowledged)
    }
    assert.ok(acknowledged.length >= 2_000)
  } finally {
    rmSync(directory, { recursive: true })
  }
})

test("[STORAGE-29] two processes write one file, and every acknowledged commit of both is there, in one gapless order", async () => {
  const directory = mkdtempSync(join(tmpdir(), "switchboard-two-"))
  const file = join(directory, "test.db")
  try {
    const acknowledged = await Promise.all(["a", "b"].map((name) => killAfter(file, 400, name)))
    await check(file, acknowledged.flat())
  } finally {
    rmSync(directory, { recursive: true })
  }
})

test("[SQLITE-8] processes that open a new file at the same instant prepare it one after another", async () => {
  const script = join(import.meta.dirname, "crash", "opener.ts")
  const names = ["a", "b", "c", "d"]
  for (let round = 0; round < 4; round++) {
    const directory = mkdtempSync(join(tmpdir(), "switchboard-start-"))
    const file = join(directory, "test.db")
    try {
      const children = names.map((name) =>
        spawn(process.execPath, ["--conditions=@switchboard/source", script, file, name], {
          stdio: ["pipe", "pipe", "inherit"]
        })
      )
      await Promise.all(children.map(({ stdout }) => once(stdout, "data")))
      const ends = Promise.all(children.map((child) => once(child, "exit")))
      for (const { stdin } of children) stdin.write("go")
      assert.deepEqual(
        (await ends).map(([code]) => code),
        [0, 0, 0, 0]
      )
      const driver = SqliteStorage.make({ file })
      await driver.prepare([])
      assert.deepEqual(await driver.workspaces(), names)
      await driver.close()
    } finally {
      rmSync(directory, { recursive: true })
    }
  }
})

test("[SQLITE-4] where a program may start no thread, its commits go on", async () => {
  const directory = mkdtempSync(join(tmpdir(), "switchboard-threadless-"))
  const file = join(directory, "test.db")
  try {
    const flags = ["--permission", "--allow-fs-read=*", "--allow-fs-write=*"]
    await check(file, await killAfter(file, 2_000, "s", flags))
  } finally {
    rmSync(directory, { recursive: true })
  }
})
