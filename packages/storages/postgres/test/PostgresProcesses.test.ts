import { strict as assert } from "node:assert"
import { type ChildProcess, spawn } from "node:child_process"
import { once } from "node:events"
import { join } from "node:path"
import { createInterface } from "node:readline"
import { StorageCrash } from "@switchboard/storage"
import { PostgresStorage } from "@switchboard/storage-postgres"
import { afterAll, test } from "vitest"
import { inSchema } from "./Given.ts"
import { start } from "./Server.ts"

const server = await start()
afterAll(server.stop)

const names = ["a", "b", "c", "d"]

const run = (script: string, ...parameters: ReadonlyArray<string>) =>
  spawn(
    process.execPath,
    ["--conditions=@switchboard/source", join(import.meta.dirname, "crash", script), ...parameters],
    {
      stdio: ["pipe", "pipe", "inherit"]
    }
  )

/** What it prints until it ends; told of each line. */
const linesOf = async (child: ChildProcess, onLine: (count: number) => void = () => {}) => {
  const lines: Array<string> = []
  for await (const line of createInterface({ input: child.stdout! })) onLine(lines.push(line))
  return lines
}

test("[STORAGE-29] four processes that race for claims, a cursor and timers take each of them once", () =>
  inSchema(server.url, async ({ url, schema, open }) => {
    const count = 150
    const driver = await open()
    const timers = Array.from({ length: count }, (_, index) => ({
      set: {
        kind: "job",
        key: `t${index}`,
        dueAtMs: index,
        payload: {},
        ...(index % 2 === 0 && { lane: `l${index % 6}` })
      }
    }))
    assert.equal((await driver.commit([{ workspace: "w", timers }], 0))[0]?.ok, true)
    const children = names.map((name) => run("racer.ts", url, schema, name, String(count)))
    let ready = 0
    const all = await Promise.all(
      children.map(async (child) => {
        const ended = once(child, "exit")
        const lines = await linesOf(child, (number) => {
          if (number === 1 && ++ready === names.length) for (const { stdin } of children) stdin.write("go")
        })
        assert.deepEqual(await ended, [0, null])
        return lines.slice(1)
      })
    )
    const expected = (what: string, prefix = "") =>
      Array.from({ length: count }, (_, index) => `${what} ${prefix}${index}`)
    assert.deepEqual(all.flat().sort(), [...expected("claim"), ...expected("cursor"), ...expected("timer", "t")].sort())
    assert.ok(all.filter((lines) => lines.length > 0).length > 1, "several took part")
    // Whoever says that it has a claim is whom others find.
    const holders = await driver.claims(
      "w",
      expected("claim").map((line) => line.replace(" ", "")),
      0
    )
    for (const [index, name] of names.entries())
      assert.equal(
        holders.filter((claim) => claim?.value === name).length,
        all[index]!.filter((line) => line.startsWith("claim")).length
      )
  }))

test("[STORAGE-27] [STORAGE-29] four processes killed under load: every acknowledged commit of each is there, whole, in one gapless order", () =>
  inSchema(server.url, async ({ url, schema }) => {
    const acknowledged = await Promise.all(
      names.map(async (name, index) => {
        const child = run("writer.ts", url, schema, name)
        const ended = once(child, "close")
        const lines = await linesOf(child, (count) => {
          if (count === 150 + 40 * index) child.kill("SIGKILL")
        })
        assert.deepEqual(await ended, [null, "SIGKILL"])
        // The last line may have been cut off by the end.
        return lines.slice(0, -1)
      })
    )
    const driver = PostgresStorage.make({ url, schema })
    await driver.prepare([StorageCrash.view])
    try {
      await StorageCrash.check(driver, acknowledged.flat())
    } finally {
      await driver.close()
    }
  }))
