import { strict as assert } from "node:assert"
import { spawn } from "node:child_process"
import { once } from "node:events"
import { mkdtempSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { createInterface } from "node:readline"
import { SqliteStorage } from "@switchboard/storage-sqlite"
import { test } from "vitest"
import { view } from "./crash/view.ts"

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
  await driver.prepare([view])
  try {
    const rounds = new Map<string, number>()
    for (const line of acknowledged) {
      const [workspace, stream, round] = line.split(" ")
      rounds.set(`${workspace} ${stream}`, Math.max(Number(round), rounds.get(`${workspace} ${stream}`) ?? 0))
    }
    for (const workspace of await driver.workspaces()) {
      const journal = await driver.journal(workspace, 0, 1_000_000)
      assert.deepEqual(
        journal.map(({ position }) => position),
        journal.map((_, index) => index + 1),
        "positions without gap or duplicate"
      )
      assert.equal(await driver.head(workspace), journal.length)
      const streams = Map.groupBy(journal, ({ stream }) => stream)
      for (const [stream, events] of streams) {
        const round = events.length / 2
        const numbers = events.map(({ version, body }) => [version, body.round])
        assert.deepEqual(
          numbers,
          events.map((_, index) => [index + 1, Math.floor(index / 2) + 1]),
          "every commit whole"
        )
        assert.ok(round >= (rounds.get(`${workspace} ${stream}`) ?? 0), "every acknowledged commit is there")
        rounds.delete(`${workspace} ${stream}`)
        const [document] = await driver.documents(workspace, view.name, [stream])
        const [timer] = await driver.timers(workspace, [stream])
        const keys = Array.from({ length: round + 1 }, (_, index) => `${stream}/${index + 1}`)
        const claims = await driver.claims(workspace, keys, 0)
        assert.deepEqual(
          [document?.document.round, document?.version, timer?.payload.round, await driver.cursor(workspace, stream)],
          [round, 2 * round, round, round]
        )
        assert.deepEqual(
          claims.map((claim) => claim?.value),
          [...keys.slice(0, round).map((_, index) => String(index + 1)), undefined]
        )
      }
    }
    assert.deepEqual([...rounds], [], "no acknowledged stream is missing")
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
