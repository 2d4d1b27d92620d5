import { strict as assert } from "node:assert"
import { afterAll, test } from "vitest"
import { append, gate, inSchema, shut, until } from "./Given.ts"
import { start } from "./Server.ts"

const server = await start()
afterAll(server.stop)

const commitOf = (workspace: string, stream: string, type = "E") => ({
  workspace,
  appends: [append(stream, 0, type)]
})

test("[POSTGRES-4] while a transaction is held before its end, no reader sees what comes after it, and nothing is skipped", () =>
  inSchema(server.url, async (fixture) => {
    const writer = await fixture.open({ applicationName: fixture.schema })
    const reader = await fixture.open()
    const { held } = await gate(fixture)
    const seen: Array<number> = []
    const read = async () => {
      for (const { position } of await reader.journal("w", seen.length, 100)) seen.push(position)
    }
    await writer.commit([commitOf("w", "first")], 0)
    await shut(fixture, async (letGo) => {
      const late = writer.commit([commitOf("w", "late", "Held")], 0)
      await until("it is held", async () => (await held()).length === 1)
      const after = [1, 2].map((number) => writer.commit([commitOf("w", `after${number}`)], 0))
      await until("others wait behind it", async () => (await held()).length === 3)
      await read()
      assert.deepEqual([seen, await reader.head("w")], [[1], 1])
      // Another workspace does not wait.
      assert.deepEqual(await reader.commit([commitOf("v", "free")], 0), [{ ok: true, positions: [1] }])
      await letGo()
      const positions = (await Promise.all([late, ...after]))
        .flat()
        .map((outcome) => outcome.ok && outcome.positions[0])
      assert.deepEqual([positions[0], positions.slice(1).sort()], [2, [3, 4]])
    })
    await read()
    assert.deepEqual(seen, [1, 2, 3, 4])
  }))

test("[POSTGRES-4] when a held transaction is killed, its positions are given to those behind it, without a gap", () =>
  inSchema(server.url, async (fixture) => {
    const writer = await fixture.open({ applicationName: fixture.schema })
    const { held } = await gate(fixture)
    await writer.commit([commitOf("w", "first")], 0)
    await shut(fixture, async () => {
      const late = assert.rejects(writer.commit([commitOf("w", "late", "Held")], 0), { code: "postgres-restarted" })
      await until("it is held", async () => (await held()).length === 1)
      const [killed] = await held()
      const after = [1, 2].map((number) => writer.commit([commitOf("w", `after${number}`)], 0))
      await until("others wait behind it", async () => (await held()).length === 3)
      await fixture.database.query("SELECT pg_terminate_backend($1)", [killed])
      await late
      const positions = (await Promise.all(after)).flat().flatMap((outcome) => (outcome.ok ? outcome.positions : []))
      assert.deepEqual(positions.sort(), [2, 3])
    })
    assert.deepEqual(
      (await writer.journal("w", 0, 9)).map(({ position, stream }) => [position, stream !== "late"]),
      [
        [1, true],
        [2, true],
        [3, true]
      ]
    )
  }))

test("[POSTGRES-4] under many interleavings of held, killed and quick groups in several workspaces every reader sees a gapless prefix", () =>
  inSchema(server.url, async (fixture) => {
    const drivers = await Promise.all(
      [0, 1].map(() => fixture.open({ applicationName: fixture.schema, maxConnections: 6 }))
    )
    const reader = await fixture.open()
    const { held } = await gate(fixture)
    const workspaces = ["a", "b", "c"]
    const seen = new Map(workspaces.map((workspace) => [workspace, 0]))
    const read = async () => {
      for (const workspace of workspaces) {
        const from = seen.get(workspace)!
        const events = await reader.journal(workspace, from, 1_000)
        assert.deepEqual(
          events.map(({ position }) => position),
          events.map((_, index) => from + index + 1)
        )
        seen.set(workspace, from + events.length)
      }
    }
    const acknowledged: Array<string> = []
    let number = 0
    for (let round = 0; round < 12; round++) {
      const groups: Array<Promise<unknown>> = []
      await shut(fixture, async (letGo) => {
        for (let each = 0; each < 6; each++) {
          // Each group spans workspaces, in an order of its own: locks are taken in one order all the same.
          const chosen = workspaces.filter((_, index) => ((round * 7 + each * 3) >> index) % 2 === 0)
          const order = each % 2 === 0 ? chosen : chosen.toReversed()
          const group = order.map((workspace) =>
            commitOf(workspace, `s${number++}`, (round + each) % 3 === 0 ? "Held" : "E")
          )
          groups.push(
            drivers[each % 2]!.commit(group, 0).then(
              (outcomes) => {
                for (const [index, outcome] of outcomes.entries())
                  if (outcome.ok) acknowledged.push(`${group[index]!.workspace} ${group[index]!.appends[0]!.stream}`)
              },
              () => {}
            )
          )
        }
        await read()
        if (round % 3 === 1) {
          await until("one is held", async () => (await held()).length > 0)
          const pids = await held()
          await fixture.database.query("SELECT pg_terminate_backend($1)", [pids[round % pids.length]])
        }
        await read()
        await letGo()
      })
      await Promise.all(groups)
      await read()
    }
    for (const workspace of workspaces) {
      const streams = new Set((await reader.journal(workspace, 0, 10_000)).map(({ stream }) => stream))
      assert.equal(seen.get(workspace), streams.size)
      for (const line of acknowledged) {
        const [where, stream] = line.split(" ")
        if (where === workspace) assert.ok(streams.has(stream!), line)
      }
    }
    assert.ok(acknowledged.length > 60)
  }))

test("[POSTGRES-5] a driver hears what others commit, and what was committed while its connection was lost", () =>
  inSchema(server.url, async (fixture) => {
    const writer = await fixture.open()
    const listener = await fixture.open({ applicationName: fixture.schema })
    const heard: Array<string> = []
    listener.watch((workspaces) => heard.push(...workspaces))
    await writer.commit([commitOf("quiet", "s"), { workspace: "still", claims: [{ key: "c", value: "" }] }], 0)
    await until("it is heard", () => heard.length > 0)
    assert.deepEqual(heard, ["quiet"])
    heard.length = 0
    const listening = async () =>
      (
        await fixture.database.query<{ pid: number }>(
          "SELECT pid FROM pg_stat_activity WHERE application_name = $1 AND pg_backend_pid() <> pid",
          [fixture.schema]
        )
      ).map(({ pid }) => pid)
    const before = await listening()
    for (const pid of before) await fixture.database.query("SELECT pg_terminate_backend($1, 5000)", [pid])
    await writer.commit([commitOf("missed", "s")], 0)
    await until("what was missed is heard", () => heard.includes("missed"))
    heard.length = 0
    await writer.commit([commitOf("again", "s")], 0)
    await until("it listens again", () => heard.includes("again"))
    assert.ok((await listening()).every((pid) => !before.includes(pid)))
    // What it commits itself it hears once.
    heard.length = 0
    await listener.commit([commitOf("mine", "s")], 0)
    await writer.commit([commitOf("theirs", "s")], 0)
    await until("theirs is heard", () => heard.includes("theirs"))
    assert.deepEqual(heard, ["mine", "theirs"])
  }))

test("[POSTGRES-8] commits are durable and each sees what was committed before it, whatever the user's defaults are", () =>
  inSchema(server.url, async (fixture) => {
    const { database, schema } = fixture
    const role = `strict_${schema}`.slice(0, 60)
    const name = (await database.query<{ name: string }>("SELECT current_database() AS name", []))[0]!.name
    const run = (sql: string) => database.query(sql, [])
    await run(`CREATE ROLE "${role}" LOGIN PASSWORD 'strict'`)
    try {
      await run(`GRANT CREATE ON DATABASE "${name}" TO "${role}"`)
      await run(`ALTER ROLE "${role}" SET default_transaction_isolation = 'serializable'`)
      await run(`ALTER ROLE "${role}" SET synchronous_commit = off`)
      const url = new URL(fixture.url)
      url.username = role
      url.password = "strict"
      const driver = await fixture.open({ url: url.href })
      await run(`CREATE TABLE "${schema}".seen (setting text)`)
      await run(`GRANT ALL ON "${schema}".seen TO "${role}"`)
      await run(
        `CREATE FUNCTION "${schema}".note() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
           INSERT INTO "${schema}".seen VALUES (current_setting('synchronous_commit') || ' ' || current_setting('transaction_isolation'));
           RETURN NULL;
         END $$`
      )
      await run(
        `CREATE CONSTRAINT TRIGGER note AFTER INSERT ON "${schema}".journal DEFERRABLE INITIALLY DEFERRED
         FOR EACH ROW EXECUTE FUNCTION "${schema}".note()`
      )
      await driver.commit([commitOf("w", "s")], 0)
      assert.deepEqual(await database.query(`SELECT setting FROM "${schema}".seen`, []), [
        { setting: "on read committed" }
      ])
      await driver.close()
    } finally {
      await run(`DROP SCHEMA IF EXISTS "${schema}" CASCADE`)
      await run(`DROP OWNED BY "${role}"`)
      await run(`DROP ROLE "${role}"`)
    }
  }))
