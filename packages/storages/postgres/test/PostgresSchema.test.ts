import { strict as assert } from "node:assert"
import { inspect } from "node:util"
import { Words } from "@switchboard/storage"
import type { StorageDriver, ViewDefinition } from "@switchboard/storage/StorageDriver"
import { PostgresStorage } from "@switchboard/storage-postgres"
import { afterAll, test } from "vitest"
import { namesOf } from "../src/internal/Columns.ts"
import { prepare } from "../src/internal/Prepare.ts"
import { migrations } from "../src/internal/Schema.ts"
import { append, beside, type Fixture, inSchema, things } from "./Given.ts"
import { start } from "./Server.ts"

const server = await start()
afterAll(server.stop)

const refusals: ReadonlyArray<readonly [string, string, RegExp, (fixture: Fixture) => Promise<unknown>]> = [
  [
    "a newer schema",
    "postgres-newer",
    /version is 99, known are those up to .*Upgrade/,
    async ({ schema, database, open }) => {
      await open()
      await database.query(`INSERT INTO "${schema}".migrations (version) VALUES (99)`, [])
      await open()
    }
  ],
  [
    "a newer view",
    "postgres-newer",
    /version 4 of the view things, opened with 1/,
    async ({ url, schema, open }) => {
      const newer = PostgresStorage.make({ url, schema })
      await newer.prepare([{ ...things, version: 4 }])
      await newer.close()
      await open()
    }
  ],
  [
    "another program's tables",
    "postgres-foreign",
    /other tables than ours. .*Name another schema/,
    async ({ schema, database, open }) => {
      await database.query(`CREATE SCHEMA "${schema}"`, [])
      await database.query(`CREATE TABLE "${schema}".migrations (version int)`, [])
      await open()
    }
  ],
  [
    "no server",
    "postgres-unreachable",
    /127.0.0.1:1\/desk, schema .*Check that the server runs/,
    ({ open }) => open({ url: "postgres://desk:s3cret@127.0.0.1:1/desk" })
  ],
  [
    "an unknown user",
    "postgres-refused",
    /Check the user and the password/,
    ({ url, open }) => {
      const stranger = new URL(url)
      stranger.username = "stranger"
      stranger.password = "s3cret"
      return open({ url: stranger.href })
    }
  ],
  [
    "an unknown database",
    "postgres-no-database",
    /Create the database/,
    ({ url, open }) => {
      const elsewhere = new URL(url)
      elsewhere.pathname = "/s3cret-no"
      return open({ url: elsewhere.href.replace("s3cret-no", "nowhere") })
    }
  ],
  [
    "a server that only reads",
    "postgres-read-only",
    /Name the primary/,
    ({ url, open }) => open({ url: `${url}?options=${encodeURIComponent("-c default_transaction_read_only=on")}` })
  ],
  [
    "a url that is none",
    "postgres-invalid-url",
    /Write it as postgres:/,
    ({ open }) => open({ url: "mysql://desk:s3cret@host/desk" })
  ],
  [
    "a user without the rights",
    "postgres-forbidden",
    /Grant the user/,
    async ({ url, schema, database, open }) => {
      const role = `bystander_${schema}`.slice(0, 60)
      await database.query(`CREATE ROLE "${role}" LOGIN PASSWORD 's3cret'`, [])
      const bystander = new URL(url)
      bystander.username = role
      bystander.password = "s3cret"
      await open({ url: bystander.href }).finally(() => database.query(`DROP ROLE "${role}"`, []))
    }
  ]
]
for (const [title, code, message, run] of refusals)
  test(`[POSTGRES-1] ${title} is refused with what to do, and without the password`, () =>
    inSchema(server.url, async (fixture) => {
      const error = await run(fixture).then(
        () => assert.fail("it was not refused"),
        (reason: unknown) => reason
      )
      assert(error instanceof Error && "code" in error)
      assert.deepEqual([error.name, error.code], ["PostgresStorageError", code])
      assert.match(error.message, message)
      assert.doesNotMatch(inspect(error, { depth: 20 }), /s3cret/)
    }))

test("[POSTGRES-1] a driver that is not open says so", () =>
  inSchema(server.url, async ({ url, schema, open }) => {
    const driver = PostgresStorage.make({ url, schema })
    await assert.rejects(driver.head("w"), { code: "postgres-closed", message: /Call prepare first/ })
    await driver.close()
    const opened = await open()
    await opened.close()
    await assert.rejects(opened.commit([], 0), { code: "postgres-closed" })
  }))

/** Lets the database fail every insertion into the journal, or the first so many. */
const failing = async ({ schema, database }: Fixture, sqlState: string, times: number) => {
  await database.query(`CREATE SEQUENCE "${schema}".tries`, [])
  await database.query(
    `CREATE FUNCTION "${schema}".fail() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
       IF nextval('"${schema}".tries') <= ${times} THEN RAISE EXCEPTION 'as planned' USING ERRCODE = '${sqlState}'; END IF;
       RETURN NEW;
     END $$`,
    []
  )
  await database.query(
    `CREATE TRIGGER fail BEFORE INSERT ON "${schema}".journal FOR EACH ROW EXECUTE FUNCTION "${schema}".fail()`,
    []
  )
  return async () =>
    (await database.query<{ tries: number }>(`SELECT last_value::int4 AS tries FROM "${schema}".tries`, []))[0]!.tries
}

test("[POSTGRES-1] a full disk fails the group and nothing of it is written", () =>
  inSchema(server.url, async (fixture) => {
    const driver = await fixture.open()
    const tries = await failing(fixture, "53100", 1)
    const commit = { workspace: "w", appends: [append("s")] }
    await assert.rejects(driver.commit([commit], 0), {
      code: "postgres-full",
      sqlState: "53100",
      message: /Free space/
    })
    assert.deepEqual([await driver.workspaces(), await tries()], [[], 1])
    assert.deepEqual(await driver.commit([commit], 0), [{ ok: true, positions: [1] }])
  }))

for (const sqlState of ["40P01", "40001"])
  test(`[POSTGRES-6] what Postgres rolled back for another's sake (${sqlState}) is tried again, and not for ever`, async () => {
    const commit = { workspace: "w", appends: [append("s")] }
    await inSchema(server.url, async (fixture) => {
      const driver = await fixture.open()
      const tries = await failing(fixture, sqlState, 3)
      assert.deepEqual(await driver.commit([commit], 0), [{ ok: true, positions: [1] }])
      assert.equal(await tries(), 4)
    })
    await inSchema(server.url, async (fixture) => {
      const driver = await fixture.open()
      const tries = await failing(fixture, sqlState, 1_000)
      await assert.rejects(driver.commit([commit], 0), { code: "postgres-locked", message: /Nothing was written/ })
      assert.deepEqual([await driver.workspaces(), await tries()], [[], 6])
    })
  })

test("[POSTGRES-2] four that start at once on nothing share one schema", () =>
  inSchema(server.url, async ({ schema, database, open }) => {
    const drivers = await Promise.all([open(), open(), open(), open()])
    const outcomes = await Promise.all(
      drivers.map((driver, index) => driver.commit([{ workspace: "w", appends: [append(`s${index}`)] }], 0))
    )
    assert.deepEqual(
      outcomes
        .flat()
        .flatMap((outcome) => (outcome.ok ? outcome.positions : []))
        .sort(),
      [1, 2, 3, 4]
    )
    const steps = await database.query<{ version: number }>(
      `SELECT version FROM "${schema}".migrations ORDER BY version`,
      []
    )
    assert.deepEqual(
      steps.map(({ version }) => version),
      migrations.map((_, index) => index + 1)
    )
  }))

test("[POSTGRES-2] four that start at once with a new definition build it once and lose nothing", () =>
  inSchema(server.url, async ({ url, schema, database, open }) => {
    const before = await open()
    const put = (key: string, size: number) => ({ view: "things", key, put: { size, colour: `c${size}` } })
    const many = Array.from({ length: 1_200 }, (_, index) => put(`k${index}`, index))
    await before.commit([{ workspace: "w", views: many }], 0)
    const next = { ...things, version: 2, fields: { ...things.fields, colour: "text" }, indexes: [["colour"]] } as const
    const drivers = Array.from({ length: 4 }, () => PostgresStorage.make({ url, schema, maxConnections: 2 }))
    // Meanwhile the older one goes on writing, until it is refused.
    const acknowledged: Array<string> = []
    const begun = Promise.withResolvers<void>()
    const writing = async (): Promise<never> => {
      for (let number = 0; ; number++) {
        await before.commit([{ workspace: "w", views: [put(`a${number}`, number)] }], 0)
        acknowledged.push(`a${number}`)
        begun.resolve()
      }
    }
    const written = writing().catch((error: unknown) => error)
    await begun.promise
    const [refused] = await Promise.all([written, ...drivers.map((driver) => driver.prepare([next]))])
    assert(refused instanceof Error && "code" in refused && refused.code === "postgres-newer", String(refused))
    for (const driver of drivers) {
      const page = await driver.query("w", { view: "things", where: [{ field: "colour", equals: "c777" }], limit: 9 })
      assert.deepEqual(
        page.documents.map(({ key }) => key),
        ["k777"]
      )
      const all = await driver.query("w", { view: "things", limit: 9_000 })
      assert.equal(all.documents.length, 1_200 + acknowledged.length)
      await driver.close()
    }
    const tables = await database.query(
      "SELECT FROM pg_class WHERE relnamespace = to_regnamespace($1) AND relkind = 'r' AND relname LIKE 'view\\_%'",
      [schema]
    )
    assert.equal(tables.length, 1)
    // One that still has the older definition writes and reads nothing wrong.
    await assert.rejects(before.commit([{ workspace: "w", views: [put("late", 1)] }], 0), { code: "postgres-newer" })
    await assert.rejects(before.query("w", { view: "things", limit: 1 }), { code: "postgres-newer" })
  }))

test("[POSTGRES-2] a schema of version 1 is brought forward with all it holds", () =>
  inSchema(server.url, async ({ url, schema }) => {
    const database = beside(url, 1)
    Object.assign(database, { settings: { ...database.settings, schema } })
    await database.run(prepare(database, [], 1))
    // As version 1 wrote it; its function that puts is not called any more.
    const { table, put } = namesOf(things)
    for (const statement of [
      `SET search_path = "${schema}"`,
      "INSERT INTO workspaces (name, head) VALUES ('w', 1)",
      `INSERT INTO journal (workspace, position, stream, version, type, schema, recorded_at, body)
         SELECT id, 1, 's', 1, 'E', 1, 5, '{"a":1}' FROM workspaces`,
      `CREATE TABLE ${table} (workspace integer NOT NULL, key text COLLATE "C" NOT NULL, version bigint,
         subject text COLLATE "C", f_name text COLLATE "C", f_open boolean, f_size float8, long boolean NOT NULL,
         document text NOT NULL, CONSTRAINT ${table}_key PRIMARY KEY (workspace, key))`,
      `CREATE FUNCTION ${put}(int[], text[], float8[], text[], text[], text[]) RETURNS void LANGUAGE sql AS ''`,
      `INSERT INTO views (name, version, "table", put) VALUES ('things', 1, '${table}', '${put}')`,
      `INSERT INTO ${table} (workspace, key, f_name, long, document)
         SELECT w.id, k.key, 'red', false, '{"name":"red"}' FROM workspaces w, unnest(ARRAY['k2', 'k1']) k(key)`
    ])
      await database.query(statement, [])
    await database.close()
    const driver = PostgresStorage.make({ url, schema })
    await driver.prepare([{ ...things, version: 2, words: ["name"] }])
    assert.deepEqual(await driver.journal("w", 0, 9), [
      { workspace: "w", position: 1, stream: "s", version: 1, type: "E", schema: 1, recordedAtMs: 5, body: { a: 1 } }
    ])
    assert.deepEqual(await driver.commit([{ workspace: "w", appends: [append("s", 1)] }], 0), [
      { ok: true, positions: [2], raised: [{ position: 2, recordedAtMs: 5 }] }
    ])
    // Documents that were there are searched too, in the order of their keys: no other is known.
    const put3 = { view: "things", key: "k0", put: { name: "red and blue" } }
    await driver.commit([{ workspace: "w", views: [put3] }], 0)
    assert.equal(await driver.fullText?.index(9), 0)
    const found = await driver.fullText?.search("w", { view: "things", terms: Words.termsOf("red"), limit: 9 })
    assert.deepEqual(
      found?.documents.map(({ key }) => key),
      ["k0", "k2", "k1"]
    )
    await driver.close()
  }))

/** Makes of a schema what version 2 left: without numbers of documents, and functions that know nothing of drops. */
const asVersion2 = async ({ schema, database }: Fixture, views: ReadonlyArray<ViewDefinition>): Promise<void> => {
  const run = (sql: string) => database.query(sql, [])
  for (const { table, put } of views.map(namesOf)) {
    const [row] = await database.query<{ readonly text: string }>(
      "SELECT pg_get_functiondef(oid) AS text FROM pg_proc WHERE proname = $1 AND pronamespace = to_regnamespace($2)",
      [put, schema]
    )
    const text = row!.text.replace(", number)", ")").replace(", base + c.place", "")
    await run(text.replace(/DECLARE\s+base bigint[^;]*;/, ""))
    await run(`ALTER TABLE "${schema}".${table} DROP COLUMN number`)
  }
  const commitGroup = migrations[0]!.find((step) => step.includes("FUNCTION commit_group"))!
  await run(`DROP FUNCTION "${schema}".commit_group`)
  await run(commitGroup.replace("commit_group", `"${schema}".commit_group`).replaceAll("SCHEMA", `"${schema}"`))
  await run(`DELETE FROM "${schema}".migrations WHERE version > 2`)
}

test("[POSTGRES-2] a schema of version 2 is brought forward while a process of it goes on, and documents are numbered as they were put", () =>
  inSchema(server.url, async (fixture) => {
    const { url, schema, database } = fixture
    const letters = { name: "letters", version: 1, fields: {}, indexes: [], words: ["text"] } as const
    const old = [things, letters, { ...things, name: "forgotten" }]
    const open = async (views: ReadonlyArray<ViewDefinition>) => {
      const driver = PostgresStorage.make({ url, schema, maxConnections: 2 })
      await driver.prepare(views)
      return driver
    }
    const older = await open(old)
    const put = (key: string) => old.map(({ name }) => ({ view: name, key, put: { text: "said" } }))
    await older.commit([{ workspace: "w", views: ["k3", "k1", "k2"].flatMap(put) }], 0)
    await asVersion2(fixture, old)
    await older.commit([{ workspace: "w", views: put("k9") }], 0)
    // One view is new to it, and one of the old it does not know.
    const newer = await open([things, letters, { ...letters, name: "new" }])
    await older.commit([{ workspace: "w", views: ["k0", "k1"].flatMap(put) }], 0)
    const again = put("k8").filter(({ view }) => view !== "forgotten")
    await newer.commit([{ workspace: "w", views: [...again, { view: "new", key: "n", put: {} }] }], 0)
    const third = await open(old)
    await third.commit([{ workspace: "w", views: ["k7", "k9"].flatMap(put) }], 0)
    const keysOf = async (driver: StorageDriver, view: string) => {
      const keys: Array<string> = []
      for await (const batch of driver.dump("w", 0))
        for (const holding of batch)
          if (holding.kind === "document" && holding.view === view) keys.push(holding.document.key)
      return keys.join(" ")
    }
    assert.equal(await keysOf(third, "things"), "k1 k2 k3 k9 k0 k8 k7")
    assert.equal(await keysOf(third, "letters"), "k3 k1 k2 k9 k0 k8 k7")
    assert.equal(await keysOf(third, "forgotten"), "k1 k2 k3 k9 k0 k7")
    assert.equal(await keysOf(newer, "new"), "n")
    const [row] = await database.query<{ readonly source: string }>(
      "SELECT prosrc AS source FROM pg_proc WHERE proname = 'commit_group' AND pronamespace = to_regnamespace($1)",
      [schema]
    )
    assert.match(row!.source, /dropped meanwhile/)
    for (const driver of [older, newer, third]) await driver.close()
  }))

test("[POSTGRES-7] names and texts longer than Postgres has room for are kept, ordered and found", () =>
  inSchema(server.url, async ({ url, schema }) => {
    const long = "x".repeat(63)
    const view = {
      name: `v${long.slice(1)}`,
      version: 1,
      fields: { [long]: "text", [`${long.slice(1)}y`]: "number" },
      indexes: [[long]]
    } as const
    const other = { ...view, name: `v${long.slice(2)}y` }
    const driver = PostgresStorage.make({ url, schema })
    await driver.prepare([view, other])
    try {
      // Random text can't be compressed to fit into an index.
      const noise = (seed: number) =>
        Array.from({ length: 20_000 }, (_, index) => String.fromCodePoint(33 + ((index * seed * 7_919) % 9_000))).join(
          ""
        )
      const texts = [
        "",
        "a",
        "\0",
        "\x01",
        "\x01\0",
        `a${noise(3)}`,
        `a${noise(3)}b`,
        `a${noise(11)}`,
        "b",
        "\u{1f600}"
      ]
      await driver.commit(
        [
          {
            workspace: "w",
            views: texts.map((text, index) => ({ view: view.name, key: `k${index}`, put: { [long]: text } }))
          }
        ],
        0
      )
      const inOrder = texts.map((text, index) => [text, `k${index}`] as const)
      inOrder.sort(([left], [right]) => Buffer.compare(Buffer.from(left), Buffer.from(right)))
      for (const direction of ["ascending", "descending"] as const) {
        const found: Array<string> = []
        let after: { value: string | number | boolean | null; key: string } | undefined
        do {
          const page = await driver.query("w", {
            view: view.name,
            order: { field: long, direction },
            limit: 3,
            ...(after && { after })
          })
          found.push(...page.documents.map(({ key }) => key))
          after = page.next
        } while (after !== undefined)
        const keys = inOrder.map(([, key]) => key)
        assert.deepEqual(found, direction === "ascending" ? keys : keys.reverse())
      }
      for (const [index, text] of texts.entries()) {
        const page = await driver.query("w", { view: view.name, where: [{ field: long, equals: text }], limit: 9 })
        assert.deepEqual(page.documents, [{ key: `k${index}`, document: { [long]: text } }])
      }
      assert.equal((await driver.query("w", { view: other.name, limit: 9 })).documents.length, 0)
    } finally {
      await driver.close()
    }
  }))
