import { strict as assert } from "node:assert"
import { setTimeout } from "node:timers/promises"
import { Storage, StorageCrash } from "@switchboard/storage"
import { PostgresStorage } from "@switchboard/storage-postgres"
import { afterAll, test } from "vitest"
import { beside, dropSchema, until } from "./Given.ts"
import { freshSchema, start } from "./Server.ts"

const server = await start()
afterAll(server.stop)

// A soak run kills ten times as often.
const isSoak = process.env.SWITCHBOARD_SOAK === "1"

test(
  "[STORAGE-27] [POSTGRES-6] backends and the whole server killed at any moment under the load of two drivers: every acknowledged commit is there, whole, and no other in part",
  async () => {
    const schema = freshSchema()
    const acknowledged: Array<string> = []
    let isOver = false
    const storages = await Promise.all(
      ["a", "b"].map(() => {
        const driver = PostgresStorage.make({ url: server.url, schema, maxConnections: 3, applicationName: schema })
        return Storage.open(driver, { views: [StorageCrash.view], now: Date.now, schedule: setImmediate })
      })
    )
    const writing = Promise.all(
      storages.map((storage, index) =>
        StorageCrash.write(storage, {
          name: ["a", "b"][index]!,
          writers: 12,
          onAcknowledged: (line) => acknowledged.push(line),
          isOver: () => isOver,
          onFailed: async (error) => {
            // Unknown, or the server is just starting.
            assert.match(String(error), /outcome is unknown|postgres|server|connection/i)
            await setTimeout(5)
          }
        })
      )
    )
    const database = beside(server.url, 1)
    /** Of those that write or listen here. */
    const backends = async (): Promise<ReadonlyArray<number>> => {
      for (;;)
        try {
          const sql = "SELECT pid FROM pg_stat_activity WHERE application_name = $1 ORDER BY pid"
          return (await database.query<{ pid: number }>(sql, [schema])).map(({ pid }) => pid)
        } catch {
          await setTimeout(20)
        }
    }
    // A backend that is asked to end; one that is killed, which makes Postgres recover; and the server itself.
    const own = server.process !== undefined
    const tenKills = ["end", "kill", "end", "server", "end", "kill", "server", "end", "kill", "end"]
    const kills = Array.from({ length: isSoak ? 10 : 1 }, () => tenKills).flat()
    for (const [index, planned] of kills.entries()) {
      const kill = own ? planned : "end"
      const before = acknowledged.length
      await until("there was progress", () => acknowledged.length > before + 50 + 37 * (index % 10))
      const pids = await backends()
      const pid = pids[(index * 5) % Math.max(1, pids.length)]
      if (kill === "server") await server.killAndStartAgain()
      else if (pid === undefined) continue
      else if (kill === "end") await database.query("SELECT pg_terminate_backend($1)", [pid])
      else process.kill(pid, "SIGKILL")
    }
    const before = acknowledged.length
    await until("there was progress", () => acknowledged.length > before + 100)
    isOver = true
    await writing
    for (const storage of storages) await storage.close()
    await database.close()

    const driver = PostgresStorage.make({ url: server.url, schema })
    await driver.prepare([StorageCrash.view])
    try {
      await StorageCrash.check(driver, acknowledged)
      assert.ok(acknowledged.length > 1_000)
    } finally {
      await driver.close()
      await dropSchema(server.url, schema)
    }
  },
  isSoak ? 1_200_000 : 60_000
)
