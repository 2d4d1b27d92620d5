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

// `SWITCHBOARD_SOAK=1` kills it for some minutes.
const isSoak = process.env["SWITCHBOARD_SOAK"] === "1"
const kills = isSoak ? 120 : 10

test(
  `[STORAGE-27] killed ${kills} times under load, every acknowledged commit is there, whole, and no other in part`,
  async () => {
    const directory = mkdtempSync(join(tmpdir(), "switchboard-crash-"))
    const file = join(directory, "test.db")
    try {
      const acknowledged: Array<string> = []
      for (let kill = 0; kill < kills; kill++) {
        // The moment is that of a commit between the first and about the 500th.
        acknowledged.push(...(await killAfter(file, 1 + ((kill * 137) % 500))))
        await check(file, acknowledged)
      }
      assert.ok(acknowledged.length >= kills * 100)
    } finally {
      rmSync(directory, { recursive: true })
    }
  },
  isSoak ? 3_600_000 : 60_000
)

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

test("[STORAGE-29] of four processes on one file one gets each claim, moves each cursor and fires each timer", async () => {
  const directory = mkdtempSync(join(tmpdir(), "switchboard-four-"))
  const file = join(directory, "test.db")
  const count = 150
  try {
    const driver = SqliteStorage.make({ file })
    await driver.prepare([])
    const numbers = Array.from({ length: count }, (_, number) => `${number}`)
    const timers = numbers.map((key) => ({ set: { kind: "job", key, dueAtMs: 0, payload: {} } }))
    await driver.commit([{ workspace: "w", timers }], 0)
    const script = join(import.meta.dirname, "crash", "contender.ts")
    const children = ["a", "b", "c", "d"].map((name) =>
      spawn(process.execPath, ["--conditions=@switchboard/source", script, file, name, `${count}`], {
        stdio: ["pipe", "pipe", "inherit"]
      })
    )
    const printed = children.map(async ({ stdout }) => {
      const lines: Array<string> = []
      for await (const line of createInterface({ input: stdout })) lines.push(line)
      return lines
    })
    const ends = Promise.all(children.map((child) => once(child, "close")))
    await Promise.all(children.map(({ stdout }) => once(stdout, "data")))
    for (const { stdin } of children) stdin.write("go")
    assert.deepEqual(
      (await ends).map(([code]) => code),
      [0, 0, 0, 0]
    )
    const lines = (await Promise.all(printed)).flat()
    const got = lines.filter((line) => line !== "missed" && line !== "ready")
    assert.deepEqual(
      got.sort(),
      ["claim", "cursor", "timer"].flatMap((what) => numbers.map((n) => `${what} ${n}`)).sort()
    )
    // They stood in each other's way.
    assert(lines.includes("missed"))
    const held = await driver.claims("w", numbers, 0)
    assert(held.every((claim) => claim !== undefined && "abcd".includes(claim.value)))
    assert.equal(await driver.cursor("w", "reader"), count)
    assert((await driver.timers("w", numbers)).every((timer) => timer?.dueAtMs === 1))
    await driver.close()
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
