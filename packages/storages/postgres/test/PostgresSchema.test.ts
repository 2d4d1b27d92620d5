import { strict as assert } from "node:assert"
import { createHash } from "node:crypto"
import { inspect } from "node:util"
import { Words } from "@switchboard/storage"
import type { Commit, StorageDriver, ViewDefinition } from "@switchboard/storage/StorageDriver"
import { PostgresStorage } from "@switchboard/storage-postgres"
import { afterAll, test } from "vitest"
import { namesOf } from "../src/internal/Columns.ts"
import { Database } from "../src/internal/Database.ts"
import { prepare } from "../src/internal/Prepare.ts"
import { migrations } from "../src/internal/Schema.ts"
import { append, dropSchema, event, type Fixture, inSchema, things } from "./Given.ts"
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

const letters = {
  name: "letters",
  version: 1,
  fields: { size: "number" },
  indexes: [["size"]],
  words: ["text"]
} as const

/** What a group of every kind of change leaves in each of two workspaces. */
const fill = async (driver: StorageDriver): Promise<void> => {
  const said = { ...event("Said"), personal: { subject: "p", fields: { text: "mine" } } }
  const timer = (key: string, lane?: string) => ({
    set: { kind: "job", key, dueAtMs: 5, payload: { key }, subject: "p", ...(lane === undefined ? {} : { lane }) }
  })
  for (const workspace of ["w", "v"])
    for (const [at, keys] of [["k3", "k1", "k2"], ["k0"]].entries())
      await driver.commit(
        [
          {
            workspace,
            appends: [{ stream: "s", expectedVersion: 2 * at, events: [said, { ...event(), recordedAtMs: 5 - at }] }],
            views: keys.flatMap((key) => [
              {
                view: "things",
                key,
                put: { name: "x".repeat(900) + key, open: true },
                version: at,
                subject: `${key}p`
              },
              { view: "letters", key, put: { size: at, text: `said in ${key}` }, subject: "p" }
            ]),
            timers: [timer(`t${at}`, "l"), timer(`u${at}`)],
            claims: [
              { key: `c${at}`, value: "v", expiresAtMs: 9 },
              { key: `d${at}`, value: "v", subject: "p" }
            ],
            cursor: { reader: "r", from: at, to: at + 1 }
          }
        ],
        0
      )
  await driver.commit([{ workspace: "w", views: [{ view: "letters", key: "k1", delete: true }] }], 0)
  // Some words are indexed, and some wait for it.
  await driver.fullText?.index(4)
}

/** Everything that is in every workspace, and what is found there. */
const wholeOf = async (driver: StorageDriver): Promise<ReadonlyArray<unknown>> => {
  const found: Array<unknown> = []
  for (const workspace of ["v", "w"]) {
    for await (const batch of driver.dump(workspace, 0)) found.push(...batch)
    found.push(await driver.fullText?.search(workspace, { view: "letters", terms: Words.termsOf("said"), limit: 9 }))
  }
  return found
}

/** Copies the rows of all tables, and where their numbers go on, from one schema into what an older one has of them. */
const copyRows = async (database: Database, from: string, to: string): Promise<void> => {
  const tables = await database.query<{ readonly name: string; readonly columns: string }>(
    `SELECT c.relname AS name, string_agg(quote_ident(a.attname), ', ') AS columns
     FROM pg_class c JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped
     WHERE c.relnamespace = to_regnamespace($1) AND c.relkind = 'r' AND c.relname NOT IN ('migrations', 'views')
     GROUP BY c.relname`,
    [to]
  )
  for (const { name, columns } of tables)
    await database.query(
      `INSERT INTO "${to}"."${name}" (${columns}) OVERRIDING SYSTEM VALUE SELECT ${columns} FROM "${from}"."${name}"`,
      []
    )
  const sequences = await database.query<{ readonly name: string }>(
    "SELECT relname AS name FROM pg_class WHERE relnamespace = to_regnamespace($1) AND relkind = 'S'",
    [to]
  )
  for (const { name } of sequences)
    await database.query(`SELECT setval('"${to}"."${name}"', last_value) FROM "${from}"."${name}"`, [])
}

test("[POSTGRES-2] [POSTGRES-18] a schema of version 1 is brought forward with all it holds while a process of it writes, and functions are made anew", () =>
  inSchema(server.url, async ({ url, schema, database }) => {
    const views = [things, letters]
    const olderSchema = `${schema}_1`
    const run = (sql: string) => database.query(sql, [])
    const older = new Database({
      url,
      schema: olderSchema,
      maxConnections: 1,
      connectTimeoutMs: 5_000,
      applicationName: "older"
    })
    const opened: Array<StorageDriver> = []
    const open = async (name: string, known: ReadonlyArray<ViewDefinition>) => {
      const driver = PostgresStorage.make({ url, schema: name, maxConnections: 2 })
      opened.push(driver)
      await driver.prepare(known)
      return driver
    }
    try {
      const present = await open(schema, views)
      await fill(present)
      await older.run(prepare(older, views.map(namesOf), 1))
      await copyRows(database, schema, olderSchema)
      // Its functions had other parameters, or did something else.
      for (const { put } of views.map(namesOf))
        await run(
          `CREATE OR REPLACE FUNCTION "${olderSchema}".${put}(spaces int[], keys text[], versions float8[], subjects text[],
             documents text[], columns text[]) RETURNS void LANGUAGE plpgsql AS $$ BEGIN RAISE 'an older one'; END $$`
        )
      await run(`CREATE OR REPLACE FUNCTION "${olderSchema}".forget_words() RETURNS trigger LANGUAGE plpgsql
        AS $$ BEGIN RAISE 'an older one'; END $$`)
      await run(`CREATE FUNCTION "${olderSchema}".commit_group(space text) RETURNS bigint LANGUAGE plpgsql
        SET search_path = "${olderSchema}" AS $$
        DECLARE
          at bigint;
        BEGIN
          UPDATE workspaces SET head = head + 1 WHERE name = space RETURNING head INTO at;
          INSERT INTO journal (workspace, position, stream, version, type, schema, recorded_at, body)
          SELECT id, at, 's', at, 'Older', 1, 0, '{}' FROM workspaces WHERE name = space;
          RETURN at;
        END $$`)
      await run(`INSERT INTO "${olderSchema}".workspaces (name) VALUES ('older')`)
      let acknowledged = 0
      const begun = Promise.withResolvers<void>()
      const writing = async (): Promise<never> => {
        for (;;) {
          await older.query(`SELECT "${olderSchema}".commit_group('older')`, [])
          if (++acknowledged === 20) begun.resolve()
        }
      }
      const written = writing().catch((error: unknown) => error)
      await begun.promise
      // Who does the step knows one of the views.
      const [first] = await Promise.all([open(olderSchema, [things]), open(olderSchema, [things])])
      const refused = await written
      assert(refused instanceof Error && "code" in refused && refused.code === "postgres-newer", String(refused))
      const positions = (await first.journal("older", 0, 1_000_000)).map(({ position }) => position)
      assert.deepEqual(
        positions,
        Array.from({ length: acknowledged }, (_, index) => index + 1)
      )
      const forward = await open(olderSchema, views)
      assert.deepEqual(await wholeOf(forward), await wholeOf(present))
      // They go on alike.
      const next = (workspace: string): Commit => ({
        workspace,
        appends: [append("s", 4), append("new")],
        views: ["k9", "k1"].flatMap((key) =>
          views.map(({ name }) => ({ view: name, key, put: { size: 7, text: "said again" }, subject: "p" }))
        ),
        timers: [{ clear: "t0" }, { set: { kind: "job", key: "t1", dueAtMs: 7, payload: {} } }],
        claims: [{ key: "c0", value: "next" }]
      })
      const goOn = async (driver: StorageDriver) => {
        const epoch = await driver.epoch("w")
        const outcomes = await driver.commit([{ ...next("w"), epoch }, next("v")], 10)
        const erased = await driver.erase("w", "p")
        assert.ok((await driver.epoch("w")) > epoch)
        return [outcomes, erased, await driver.due(9, ["job"], 9), await wholeOf(driver)]
      }
      assert.deepEqual(await goOn(forward), await goOn(present))
    } finally {
      await older.close()
      for (const driver of opened) await driver.close()
      await dropSchema(url, olderSchema)
    }
  }))

test("[POSTGRES-18] functions change only with a step", () =>
  inSchema(server.url, async ({ url, schema, database }) => {
    const driver = PostgresStorage.make({ url, schema })
    await driver.prepare([things, letters])
    await driver.close()
    const functions = await database.query<{ readonly text: string }>(
      `SELECT proname || '(' || pg_get_function_identity_arguments(oid) || ')' || coalesce(proconfig::text, '') || prosrc AS text
       FROM pg_proc WHERE pronamespace = to_regnamespace($1) ORDER BY proname COLLATE "C"`,
      [schema]
    )
    const text = functions.map((row) => row.text.replaceAll(schema, "schema")).join("\n")
    const digest = createHash("sha256").update(text).digest("hex").slice(0, 16)
    assert.deepEqual(
      [migrations.length, digest],
      [2, "0a905753b4c0f86c"],
      "A function was changed: where it was released, add a step to `migrations`, so that it is made anew, and note both here"
    )
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
