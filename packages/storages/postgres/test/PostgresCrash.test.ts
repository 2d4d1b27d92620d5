import { strict as assert } from "node:assert"
import { setTimeout } from "node:timers/promises"
import { Storage } from "@switchboard/storage"
import type { StorageDriver } from "@switchboard/storage/StorageDriver"
import { PostgresStorage } from "@switchboard/storage-postgres"
import { afterAll, test } from "vitest"
import { beside, dropSchema, until } from "./Given.ts"
import { freshSchema, start } from "./Server.ts"

const server = await start()
afterAll(server.stop)

const view = { name: "rounds", version: 1, fields: { round: "number" }, indexes: [["round"]] } as const

/** Commits as fast as it can until it is told to stop, and notes each commit once it is acknowledged. */
const write = async (
  storage: Storage.Storage,
  name: string,
  acknowledged: Array<string>,
  isOver: () => boolean
): Promise<void> => {
  const workspaces = ["one", "two"].map((id) => storage.workspace(id))
  const writer = async (number: number): Promise<void> => {
    const workspace = workspaces[number % 2]!
    const stream = `${name}${number}`
    while (!isOver()) {
      try {
        const line = await workspace.turn(stream, async (reads) => {
          const version = await reads.streamVersion(stream)
          const round = version / 2 + 1
          const event = { type: "Round", schema: 1, recordedAtMs: round, body: { round, text: "x".repeat(300) } }
          return {
            value: `${workspace.id} ${stream} ${round}`,
            commit: {
              appends: [{ stream, expectedVersion: version, events: [event, event] }],
              views: [{ view: view.name, key: stream, put: { round }, version: version + 2 }],
              timers: [{ set: { kind: "job", key: stream, dueAtMs: round, payload: { round } } }],
              cursor: { reader: stream, from: round - 1, to: round },
              claims: [{ key: `${stream}/${round}`, value: String(round) }]
            }
          }
        })
        acknowledged.push(line)
      } catch (error) {
        // Unknown, or the server is just starting: it reads again what stands.
        assert.match(String(error), /outcome is unknown|postgres|server|connection/i)
        await setTimeout(5)
      }
    }
  }
  await Promise.all(Array.from({ length: 12 }, (_, number) => writer(number)))
}

const check = async (driver: StorageDriver, acknowledged: ReadonlyArray<string>): Promise<void> => {
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
    for (const [stream, events] of Map.groupBy(journal, ({ stream }) => stream)) {
      const round = events.length / 2
      assert.deepEqual(
        events.map(({ version, body }) => [version, body.round]),
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
}

test("[STORAGE-27] [POSTGRES-6] backends and the whole server killed at any moment under the load of two drivers: every acknowledged commit is there, whole, and no other in part", async () => {
  const schema = freshSchema()
  const acknowledged: Array<string> = []
  let isOver = false
  const storages = await Promise.all(
    ["a", "b"].map(() => {
      const driver = PostgresStorage.make({ url: server.url, schema, maxConnections: 3, applicationName: schema })
      return Storage.open(driver, { views: [view], now: Date.now, schedule: setImmediate })
    })
  )
  const writing = Promise.all(
    storages.map((storage, index) => write(storage, ["a", "b"][index]!, acknowledged, () => isOver))
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
  const kills = ["end", "kill", "end", "server", "end", "kill", "server", "end", "kill", "end"].map((kill) =>
    own ? kill : "end"
  )
  for (const [index, kill] of kills.entries()) {
    const before = acknowledged.length
    await until("there was progress", () => acknowledged.length > before + 50 + 37 * index)
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
  await driver.prepare([view])
  try {
    await check(driver, acknowledged)
    assert.ok(acknowledged.length > 1_000)
  } finally {
    await driver.close()
    await dropSchema(server.url, schema)
  }
})
