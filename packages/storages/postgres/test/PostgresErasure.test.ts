import { strict as assert } from "node:assert"
import { existsSync, readdirSync, readFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import type { Commit } from "@switchboard/storage/StorageDriver"
import { PostgresStorage } from "@switchboard/storage-postgres"
import { afterAll, test } from "vitest"
import { beside, dropSchema, until } from "./Given.ts"
import { freshSchema, startOwn } from "./Server.ts"

const settings = { fsync: "off", full_page_writes: "on", autovacuum: "off" }
const server = await startOwn(settings, existsSync("/dev/shm") ? "/dev/shm" : tmpdir())
afterAll(server.stop)

const alter = async (setting: string): Promise<void> => {
  const database = beside(server.url, 1)
  await database.plan(`ALTER SYSTEM SET ${setting}`, [])
  await database.plan("SELECT pg_reload_conf()", [])
  const [name, value] = setting.split(" = ")
  await until("it holds", async () => {
    const [row] = await database.plan<{ readonly value: string }>("SELECT current_setting($1) AS value", [name])
    return row?.value === value
  })
  await database.close()
}
await alter("wal_recycle = off")

const letters = {
  name: "letters",
  version: 1,
  fields: { name: "text", size: "number" },
  indexes: [["name", "size"]],
  words: ["text"]
} as const

const needle = /needle/i

/** The files below the server's folder in which a needle is found. */
const found = (sought = needle): ReadonlyArray<string> =>
  readdirSync(server.data!, { withFileTypes: true, recursive: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name))
    .filter((file) => existsSync(file) && sought.test(readFileSync(file).toString("latin1")))

const open = async (schema: string, url = server.url) => {
  const driver = PostgresStorage.make({ url, schema, maxConnections: 2 })
  await driver.prepare([letters])
  return driver
}

/** Everything personal there can be of `p`, in every state an index and a table know, and of `q` beside it. */
const fill = async (schema: string) => {
  const driver = await open(schema)
  const text = (subject: string, number: number) =>
    subject === "p" ? `needle${number}x ${"needle said so ".repeat(number % 60)}` : `hay${number} of another`
  for (let round = 0; round < 60; round++)
    await driver.commit(
      [
        {
          workspace: "w",
          appends: [
            {
              stream: `s${round % 7}`,
              expectedVersion: Math.floor(round / 7) * 2,
              events: ["p", "q"].map((subject) => ({
                type: "Said",
                schema: 1,
                recordedAtMs: round,
                body: {},
                personal: { subject, fields: { text: text(subject, round) } }
              }))
            }
          ],
          views: ["p", "q"].flatMap((subject) =>
            [0, 1, 2].map((number) => ({
              view: "letters",
              key: `${subject}${(round + number * 20) % 50}`,
              put: { name: text(subject, round % 3), size: round, text: text(subject, round + number) },
              subject
            }))
          ),
          timers: [
            {
              set: { kind: "job", key: `t${round}`, dueAtMs: round, payload: { text: text("p", round) }, subject: "p" }
            }
          ],
          claims: [{ key: `c${round}`, value: text("p", round), subject: "p" }]
        }
      ],
      0
    )
  while ((await driver.fullText!.index(13)) > 20) {
    // Not to the end: some is indexed, some is not.
  }
  const database = beside(server.url, 1)
  // The planner keeps samples of what it has seen.
  await database.query("ANALYZE", [])
  await database.query("CHECKPOINT", [])
  await database.close()
  return driver
}

test("[POSTGRES-11] after an erasure and a purge no byte of the subject is left in the server's files", async () => {
  const schema = freshSchema()
  const driver = await fill(schema)
  const files = found()
  assert.ok(files.some((file) => file.includes("/pg_wal/")) && files.some((file) => file.includes("/base/")))
  const samples = beside(server.url, 1)
  const sampled = await samples.query<{ readonly table: string }>(
    `SELECT DISTINCT tablename AS table FROM pg_stats WHERE schemaname = $1
       AND (most_common_vals::text || coalesce(histogram_bounds::text, '') ILIKE '%needle%')`,
    [schema]
  )
  assert.ok(sampled.length > 0)

  const erased = await driver.erase("w", "p")
  assert.deepEqual(
    [erased.events, erased.documents.length, erased.timers.length, erased.claims.length],
    [60, 50, 60, 60]
  )
  assert.ok(found().length > 0)
  const purged = await PostgresStorage.purge({ url: server.url, schema })
  assert.deepEqual(purged.remainders, [])
  const words = purged.rewritten.filter((name) => name.startsWith("words_letters_"))
  assert.deepEqual([words.length, purged.rewritten.includes("journal")], [1, true])
  assert.deepEqual(found(), [])

  while ((await driver.fullText!.index(100)) > 0) {
    // Goes on until nothing is left.
  }
  const terms = [{ text: "hay", isPrefix: true }]
  assert.equal((await driver.fullText!.search("w", { view: "letters", terms, limit: 999 })).documents.length, 50)
  assert.equal((await driver.journal("w", 0, 999)).length, 120)
  assert.deepEqual(found(), [])
  await samples.close()
  await driver.close()
  await dropSchema(server.url, schema)
})

test("[POSTGRES-14] after a drop and a purge no byte of the workspace is left in the server's files, its name included", async () => {
  const schema = freshSchema()
  const driver = await open(schema)
  const needles = (workspace: string): Commit => ({
    workspace,
    appends: [
      {
        stream: "needle",
        expectedVersion: 0,
        events: [{ type: "needle", schema: 1, recordedAtMs: 0, body: {}, personal: { subject: "needle", fields: {} } }]
      }
    ],
    views: [{ view: "letters", key: "needle", put: { name: "needle", text: "needle said so" }, subject: "needle" }],
    timers: [{ set: { kind: "needle", key: "needle", dueAtMs: 0, payload: { text: "needle" }, lane: "needle" } }],
    claims: [{ key: "needle", value: "needle", subject: "needle" }],
    cursor: { reader: "needle", from: 0, to: 1 }
  })
  await driver.commit([needles("needles"), { workspace: "w", claims: [{ key: "k", value: "v" }] }], 0)
  await driver.fullText!.index(9)
  const database = beside(server.url, 1)
  await database.query("ANALYZE", [])
  await driver.drop("needles")
  assert.ok(found().length > 0)
  assert.deepEqual((await PostgresStorage.purge({ url: server.url, schema })).remainders, [])
  assert.deepEqual(found(), [])
  assert.deepEqual(await driver.workspaces(), ["w"])
  await database.close()
  await driver.close()
  await dropSchema(server.url, schema)
})

test("[POSTGRES-11] an erasure confined to one stream and a purge leave no byte of it, and all else", async () => {
  const schema = freshSchema()
  const driver = await open(schema)
  const append = (stream: string, expectedVersion = 0) => ({
    stream,
    expectedVersion,
    events: Array.from({ length: 50 }, (_, index) => ({
      type: "Said",
      schema: 1,
      recordedAtMs: 0,
      body: {},
      personal: { subject: "p", fields: { text: `${stream} ${index}` } }
    }))
  })
  const views = [{ view: "letters", key: "k", put: { text: "hay" }, subject: "p" }]
  await driver.commit([{ workspace: "w", appends: [append("needle"), append("hay")], views }], 0)
  assert.equal((await driver.erase("w", "p", "needle")).events, 50)
  const inStream = async (stream: string) =>
    (await driver.stream("w", stream, 0, 999)).filter(({ personal }) => personal?.fields !== null).length
  assert.deepEqual([await inStream("needle"), await inStream("hay")], [0, 50])
  // What comes into the stream later is found again.
  await driver.commit([{ workspace: "w", appends: [append("needle", 50)] }], 0)
  assert.equal((await driver.erase("w", "p", "needle")).events, 50)
  assert.deepEqual((await PostgresStorage.purge({ url: server.url, schema })).remainders, [])
  // The stream's own name is not personal.
  assert.deepEqual(found(/needle \d/), [])
  assert.notDeepEqual(found(/hay \d/), [])
  assert.equal((await driver.documents("w", "letters", ["k"]))[0]?.document["text"], "hay")
  assert.equal((await driver.erase("w", "p")).events, 50)
  await driver.close()
  await dropSchema(server.url, schema)
})

test("[POSTGRES-12] a purge says what transactions and locks of others kept it from, and does it once they have ended", async () => {
  const schema = freshSchema()
  const driver = await fill(schema)
  const options = { url: server.url, schema, waitMs: 200 }
  const other = beside(server.url, 1)
  await other.query("BEGIN ISOLATION LEVEL REPEATABLE READ", [])
  await other.query(`SELECT count(*) FROM "${schema}".claims`, [])
  await driver.erase("w", "p")
  const held = await PostgresStorage.purge(options)
  assert.deepEqual(held.remainders.map(({ what }) => what).sort(), ["table", "transactions"])
  assert.match(String(held.remainders.find(({ what }) => what === "table")?.reason), /^claims: .*lock timeout/)
  assert.match(String(held.remainders.find(({ what }) => what === "transactions")?.reason), /still see it/)
  assert.ok(found().length > 0)
  // It waits for one that ends in time.
  const purging = PostgresStorage.purge({ ...options, waitMs: 20_000 })
  const looking = beside(server.url, 1)
  await until(
    "the purge is there",
    async () =>
      (await looking.query("SELECT FROM pg_stat_activity WHERE query LIKE '%older%' AND pid <> pg_backend_pid()", []))
        .length > 0
  )
  await other.query("COMMIT", [])
  assert.deepEqual((await purging).remainders, [])
  assert.deepEqual(found(), [])
  await looking.close()
  await other.close()
  await driver.close()
  await dropSchema(server.url, schema)
})

test("[POSTGRES-12] a purge by a user without the rights says what it had to leave", async () => {
  const schema = freshSchema()
  const role = `owner_${schema}`.slice(0, 60)
  const database = beside(server.url, 1)
  await database.query(`CREATE ROLE "${role}" LOGIN`, [])
  await database.query(`GRANT CREATE ON DATABASE postgres TO "${role}"`, [])
  const url = new URL(server.url)
  url.username = role
  const driver = await open(schema, url.href)
  await driver.commit([{ workspace: "w", claims: [{ key: "k", value: "needle", subject: "p" }] }], 0)
  await driver.erase("w", "p")
  await database.query(`ALTER TABLE "${schema}".cursors OWNER TO postgres`, [])
  const { rewritten, remainders } = await PostgresStorage.purge({ url: url.href, schema, waitMs: 500 })
  assert.ok(rewritten.includes("claims") && !rewritten.includes("cursors"))
  assert.deepEqual(remainders.map(({ what }) => what).sort(), ["log", "statistics", "table", "transactions"])
  const reasons = remainders.map(({ reason }) => reason).join("\n")
  assert.match(reasons, /cursors: this user may not vacuum it/)
  assert.match(reasons, /pg_switch_wal/)

  // What the answer and the README ask for is enough.
  await database.query(`ALTER TABLE "${schema}".cursors OWNER TO "${role}"`, [])
  await database.query(`ALTER DATABASE postgres OWNER TO "${role}"`, [])
  await database.query(`GRANT pg_monitor, pg_checkpoint TO "${role}"`, [])
  await database.query(`GRANT EXECUTE ON FUNCTION pg_switch_wal() TO "${role}"`, [])
  assert.deepEqual((await PostgresStorage.purge({ url: url.href, schema })).remainders, [])
  assert.deepEqual(found(), [])
  await driver.close()
  await dropSchema(server.url, schema)
  await database.query("ALTER DATABASE postgres OWNER TO postgres", [])
  await database.query(`DROP OWNED BY "${role}"`, [])
  await database.query(`DROP ROLE "${role}"`, [])
  await database.close()
})

test("[POSTGRES-12] a purge says when the server keeps files of the log, or uses them again", async () => {
  const schema = freshSchema()
  const driver = await open(schema)
  const database = beside(server.url, 1)
  const log = async () =>
    (await PostgresStorage.purge({ url: server.url, schema })).remainders.map(
      ({ what, reason }) => `${what}: ${reason}`
    )
  assert.deepEqual(await log(), [])
  await database.query("SELECT slot_name FROM pg_create_physical_replication_slot('replica', true)", [])
  assert.match((await log()).join(), /^log: \d+ files are kept/)
  await database.query("SELECT pg_drop_replication_slot('replica')", [])
  await alter("wal_recycle = on")
  assert.match((await log()).join(), /^log: files are used again as they are/)
  await alter("wal_recycle = off")
  await database.close()
  await driver.close()
  await dropSchema(server.url, schema)
})

test("[POSTGRES-12] a purge of a schema that is not ours is refused", async () => {
  await assert.rejects(PostgresStorage.purge({ url: server.url, schema: freshSchema() }), { code: "postgres-foreign" })
})
