import { strict as assert } from "node:assert"
import { Words } from "@switchboard/storage"
import type { Commit, Holding, StorageDriver } from "@switchboard/storage/StorageDriver"
import { PostgresStorage } from "@switchboard/storage-postgres"
import { afterAll, test } from "vitest"
import { append, event, type Fixture, inSchema, things, until } from "./Given.ts"
import { start } from "./Server.ts"

const server = await start()
afterAll(server.stop)

const dumped = async (driver: StorageDriver, workspace: string): Promise<ReadonlyArray<Holding>> => {
  const found: Array<Holding> = []
  for await (const batch of driver.dump(workspace, 0)) found.push(...batch)
  return found
}

const documentKeys = async (driver: StorageDriver, workspace: string) =>
  (await dumped(driver, workspace)).flatMap((holding) => (holding.kind === "document" ? [holding.document.key] : []))

/** How many connections there are of a driver that is called like the schema, and what they are doing. */
const sessions = async ({ database, schema }: Fixture, state: string): Promise<number> =>
  (await database.query("SELECT FROM pg_stat_activity WHERE application_name = $1 AND state LIKE $2", [schema, state]))
    .length

const put = (key: string, document: Record<string, string | number> = {}) => ({ view: "things", key, put: document })

test("[POSTGRES-13] a dump takes no connection of the pool, and its batches are bounded however long documents are", () =>
  inSchema(server.url, async (fixture) => {
    const driver = await fixture.open({ maxConnections: 1 })
    const text = "x".repeat(300_000)
    const events = Array.from({ length: 3_000 }, () => ({ ...event(), body: { text: "x".repeat(100) } }))
    const long = Array.from({ length: 9 }, () => ({ ...event(), body: { text } }))
    await driver.commit(
      [
        {
          workspace: "w",
          appends: [{ stream: "s", expectedVersion: 0, events: [...events, ...long] }],
          views: Array.from({ length: 12 }, (_, index) => put(`k${99 - index}`, { text })),
          timers: [12, 3, 7].map((dueAtMs) => ({
            set: { kind: "job", key: `t${dueAtMs}`, dueAtMs, payload: { text: "x".repeat(200_000) } }
          })),
          claims: Array.from({ length: 2_100 }, (_, index) => ({ key: `c${index}`, value: "" }))
        }
      ],
      0
    )
    const holdings: Array<Holding> = []
    for await (const batch of driver.dump("w", 0)) {
      assert.ok(batch.length <= 500 && JSON.stringify(batch).length < 1_000_000)
      holdings.push(...batch)
      // It would wait for ever for a connection.
      assert.equal(await driver.head("w"), 3_009)
    }
    const keys = holdings.flatMap((holding) =>
      holding.kind === "document" ? [holding.document.key] : holding.kind === "timer" ? [holding.timer.key] : []
    )
    assert.deepEqual(keys, [...Array.from({ length: 12 }, (_, index) => `k${99 - index}`), "t12", "t3", "t7"])
    assert.equal(holdings.length, 3_009 + 12 + 3 + 2_100)
  }))

test("[POSTGRES-13] a dump ends with its reader, with its driver, and with its connection", () =>
  inSchema(server.url, async (fixture) => {
    const driver = await fixture.open({ applicationName: fixture.schema })
    const appends = [{ stream: "s", expectedVersion: 0, events: Array.from({ length: 1_200 }, () => event()) }]
    await driver.commit([{ workspace: "w", appends }], 0)
    const begin = async () => {
      const dump = driver.dump("w", 0)[Symbol.asyncIterator]()
      assert.equal((await dump.next()).value?.length, 500)
      assert.equal(await sessions(fixture, "idle in transaction"), 1)
      return dump
    }
    const left = await begin()
    await left.return?.(undefined)
    await until("the connection is gone", async () => (await sessions(fixture, "idle in transaction")) === 0)
    const killed = await begin()
    await fixture.database.query(
      "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = $1 AND state = 'idle in transaction'",
      [fixture.schema]
    )
    await assert.rejects(killed.next(), { code: "postgres-restarted" })
    const closed = await begin()
    await driver.close()
    await assert.rejects(closed.next(), { code: "postgres-closed" })
    await until("nothing is open", async () => (await sessions(fixture, "%")) === 0)
    await assert.rejects(driver.dump("w", 0)[Symbol.asyncIterator]().next(), { code: "postgres-closed" })
  }))

test("[POSTGRES-15] documents keep the order of their first put, also where the view is built anew and gets words later", () =>
  inSchema(server.url, async ({ url, schema, open }) => {
    let driver = await open()
    const keys = Array.from({ length: 1_100 }, (_, index) => `k${(index * 7_919) % 1_100}`)
    const red = { name: "red" }
    for (const workspace of ["w", "v"]) await driver.commit([{ workspace, views: keys.map((key) => put(key, red)) }], 0)
    await driver.commit([{ workspace: "w", views: [put("k3", red), { view: "things", key: "k5", delete: true }] }], 0)
    await driver.commit([{ workspace: "w", views: [put("k5", red), put("k4", red)] }], 0)
    const inOrder = [...keys.filter((key) => key !== "k5"), "k5"]
    assert.deepEqual(await documentKeys(driver, "w"), inOrder)
    const reopen = async (definition: Parameters<StorageDriver["prepare"]>[0][number]) => {
      await driver.close()
      driver = PostgresStorage.make({ url, schema })
      await driver.prepare([definition])
    }
    const rebuilt = { ...things, version: 2, indexes: [["name"]] }
    await reopen(rebuilt)
    assert.deepEqual(await documentKeys(driver, "w"), inOrder)
    assert.deepEqual(await documentKeys(driver, "v"), keys)
    await reopen({ ...rebuilt, version: 3, words: ["name"] })
    await driver.commit([{ workspace: "w", views: [put("last", red)] }], 0)
    while ((await driver.fullText!.index(9_999)) > 0) {
      // Goes on until nothing is left.
    }
    const search = { view: "things", terms: Words.termsOf("red"), limit: 2_000 }
    const found = await driver.fullText!.search("w", search)
    assert.deepEqual(
      found.documents.map(({ key }) => key),
      ["last", ...inOrder.toReversed()]
    )
    await driver.close()
  }))

test("[POSTGRES-14] who waits while a workspace is dropped begins it anew, and what goes elsewhere goes there", () =>
  inSchema(server.url, async (fixture) => {
    const { schema, database } = fixture
    const driver = await fixture.open({ applicationName: schema })
    const full = (workspace: string, at = 0): Commit => ({
      workspace,
      appends: [append(`${workspace}/s`, at)],
      views: [put(workspace, { name: workspace })],
      timers: [{ set: { kind: "job", key: workspace, dueAtMs: 0, payload: {} } }],
      claims: [{ key: `${workspace}${at}`, value: workspace }]
    })
    await driver.commit(
      ["u", "v", "w"].map((workspace) => full(workspace)),
      0
    )
    const waiting = async (count: number) =>
      until(`${count} wait`, async () => {
        const rows = await database.query(
          "SELECT FROM pg_stat_activity WHERE application_name = $1 AND wait_event_type = 'Lock'",
          [schema]
        )
        return rows.length === count
      })
    const holder = await database.session()
    await holder.query("BEGIN")
    await holder.query(`SELECT FROM "${schema}".workspaces WHERE name = 'v' FOR UPDATE`)
    const drop = driver.drop("v")
    await waiting(1)
    // The first workspace it locks is the one that goes: its place in the group must not go to the next.
    const group = driver.commit([full("v"), full("w", 1), full("x")], 0)
    await waiting(2)
    const load = driver.load("v", [{ kind: "claim", claim: { key: "loaded", value: "v", revision: 70 } }])
    await waiting(3)
    const erased = driver.erase("v", "nobody", "v/s")
    await waiting(4)
    await holder.close()
    await drop
    const positions = (await group).map((outcome) => outcome.ok && outcome.positions)
    assert.deepEqual(positions, [[1], [2], [1]])
    await load
    assert.equal((await erased).events, 0)
    for (const [workspace, head] of [
      ["u", 1],
      ["v", 1],
      ["w", 2],
      ["x", 1]
    ] as const) {
      const events = await driver.journal(workspace, 0, 9)
      assert.deepEqual(
        events.map(({ position, version, stream }) => [position, version, stream]),
        Array.from({ length: head }, (_, index) => [index + 1, index + 1, `${workspace}/s`])
      )
      assert.deepEqual(await documentKeys(driver, workspace), [workspace])
      assert.equal((await driver.timers(workspace, [workspace]))[0]?.workspace, workspace)
    }
    assert.equal((await driver.claims("v", ["loaded"], 0))[0]?.revision, 70)
    assert.deepEqual(await driver.workspaces(), ["u", "v", "w", "x"])
  }))

test("[POSTGRES-14] while workspaces are dropped, dumped and loaded, what others commit is whole and in order", () =>
  inSchema(server.url, async (fixture) => {
    const drivers = await Promise.all([0, 1].map(() => fixture.open()))
    const workspaces = ["a", "b", "c", "d"]
    const isWhole = (holdings: ReadonlyArray<Holding>) => {
      const events = holdings.flatMap((holding) => (holding.kind === "event" ? [holding.event] : []))
      const versions = new Map<string, number>()
      for (const [index, { position, stream, version }] of events.entries()) {
        assert.equal(position, index + 1)
        assert.equal(version, (versions.get(stream) ?? 0) + 1)
        versions.set(stream, version)
      }
      // Each event came with a document of its own.
      const documents = holdings.filter(({ kind }) => kind === "document")
      assert.equal(documents.length, events.length)
    }
    const writing = async (seed: number) => {
      let written = 0
      for (let round = 0; round < 60; round++) {
        const driver = drivers[(seed + round) % 2]!
        const chosen = workspaces.filter((_, index) => ((round * 7 + seed * 3) >> index) % 2 === 0)
        const group = chosen.map((workspace): Commit => {
          const id = `${seed}/${round}`
          return { workspace, appends: [append(id)], views: [put(id)], timers: [] }
        })
        for (const outcome of await driver.commit(group, 0)) {
          assert.ok(outcome.ok)
          written++
        }
      }
      return written
    }
    let isOver = false
    const dropping = async () => {
      for (let round = 0; !isOver; round++) {
        const driver = drivers[round % 2]!
        const workspace = workspaces[round % 4]!
        isWhole(await dumped(driver, workspace))
        await driver.drop(workspace)
        const from = workspaces[(round + 1) % 4]!
        const holdings = await dumped(driver, from)
        await driver.load(`copy${round}`, holdings)
        assert.deepEqual(
          (await dumped(driver, `copy${round}`)).map(({ kind }) => kind),
          holdings.map(({ kind }) => kind)
        )
      }
    }
    const all = Promise.all([0, 1, 2].map(writing)).finally(() => {
      isOver = true
    })
    const [written] = await Promise.all([all, dropping()])
    assert.ok(written.every((count) => count > 50))
    for (const workspace of await drivers[0]!.workspaces()) isWhole(await dumped(drivers[1]!, workspace))
    // Nothing is left of a number that is no workspace's.
    const tables = await fixture.database.query<{ readonly name: string }>(
      `SELECT c.relname AS name FROM pg_class c JOIN pg_attribute a ON a.attrelid = c.oid AND a.attname = 'workspace'
       WHERE c.relnamespace = to_regnamespace($1) AND c.relkind = 'r'`,
      [fixture.schema]
    )
    assert.ok(tables.length >= 6)
    for (const { name } of tables)
      assert.deepEqual(
        await fixture.database.query(
          `SELECT t.workspace FROM "${fixture.schema}"."${name}" t
           WHERE NOT EXISTS (SELECT FROM "${fixture.schema}".workspaces w WHERE w.id = t.workspace)`,
          []
        ),
        []
      )
  }))

test("[STORAGE-46] what Postgres can't keep is refused with its place, and of what is loaded twice at once the last stays", () =>
  inSchema(server.url, async ({ open }) => {
    const driver = await open()
    const claim = (key: string, value = "") => ({ kind: "claim", claim: { key, value, revision: 5 } }) as const
    const timer = (key: string, lane: string, sequence: number): Holding => ({
      kind: "timer",
      timer: { workspace: "w", kind: "job", key, dueAtMs: 0, payload: {}, lane, revision: sequence, sequence }
    })
    for (const [holding, field] of [
      [claim("nul\0"), "[1].claim.key"],
      [claim("c", "lone\ud800"), "[1].claim.value"],
      [claim("x".repeat(1_001)), "[1].claim.key"],
      [timer("t", "lone\ud800", 1), "[1].timer.lane"],
      [{ kind: "cursor", reader: "\0", position: 1 }, "[1].reader"]
    ] as const)
      await assert.rejects(driver.load("w", [claim("first"), holding]), { code: "storage-invalid", field })
    assert.deepEqual(await driver.workspaces(), [])

    const document = (key: string, name: string): Holding => ({
      kind: "document",
      view: "things",
      document: { key, document: { name } }
    })
    await driver.load("w", [
      claim("c", "first"),
      claim("c", "last"),
      document("k2", "first"),
      document("k1", "other"),
      document("k2", "last"),
      timer("t1", "l", 1),
      timer("t2", "l", 2),
      timer("t3", "m", 3),
      timer("t1", "m", 4)
    ])
    assert.equal((await driver.claims("w", ["c"], 0))[0]?.value, "last")
    assert.deepEqual(await documentKeys(driver, "w"), ["k2", "k1"])
    assert.deepEqual((await driver.documents("w", "things", ["k2"]))[0]?.document, { name: "last" })
    // t1 left its first lane, in which t2 is next, for the end of another.
    const due = async () => (await driver.due(0, ["job"], 9)).map(({ key }) => key)
    assert.deepEqual(await due(), ["t2", "t3"])
    await driver.load("w", [timer("t3", "l", 5)])
    assert.deepEqual(await due(), ["t2", "t1"])
  }))

test("[POSTGRES-6] a load that Postgres rolled back for another's sake is tried again", () =>
  inSchema(server.url, async ({ schema, database, open }) => {
    const driver = await open()
    await database.query(`CREATE SEQUENCE "${schema}".tries`, [])
    await database.query(
      `CREATE FUNCTION "${schema}".fail() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
         IF nextval('"${schema}".tries') <= 2 THEN RAISE EXCEPTION 'as planned' USING ERRCODE = '40P01'; END IF;
         RETURN NEW;
       END $$`,
      []
    )
    await database.query(
      `CREATE TRIGGER fail BEFORE INSERT ON "${schema}".claims FOR EACH ROW EXECUTE FUNCTION "${schema}".fail()`,
      []
    )
    await driver.load("w", [{ kind: "claim", claim: { key: "c", value: "v", revision: 1 } }])
    assert.equal((await driver.claims("w", ["c"], 0))[0]?.value, "v")
  }))
