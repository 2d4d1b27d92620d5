/** What the tests of this package start from. */
import type { StorageDriver } from "@switchboard/storage/StorageDriver"
import { PostgresStorage } from "@switchboard/storage-postgres"
import { Database } from "../src/internal/Database.ts"
import { freshSchema } from "./Server.ts"

export const things = {
  name: "things",
  version: 1,
  fields: { name: "text", open: "boolean", size: "number" },
  indexes: [["open", "size"], ["name"]]
} as const

export const event = (type = "E") => ({ type, schema: 1, recordedAtMs: 0, body: {} })

export const append = (stream: string, expectedVersion = 0, type = "E") => ({
  stream,
  expectedVersion,
  events: [event(type)]
})

/** Looks at the database beside the drivers. */
export const beside = (url: string, maxConnections = 2): Database =>
  new Database({ url, schema: "public", maxConnections, connectTimeoutMs: 5_000, applicationName: "beside" })

export const open = async (options: PostgresStorage.Options): Promise<StorageDriver> => {
  const driver = PostgresStorage.make(options)
  await driver.prepare([things])
  return driver
}

/** Leaves nothing in a database that is not ours. */
export const dropSchema = async (url: string, schema: string): Promise<void> => {
  const database = beside(url, 1)
  await database.query(`DROP SCHEMA IF EXISTS "${schema}" CASCADE`, [])
  await database.close()
}

export interface Fixture {
  readonly url: string
  readonly schema: string
  readonly database: Database
  /** Opens one more driver on the schema; all are closed at the end. */
  readonly open: (options?: Partial<PostgresStorage.Options>) => Promise<StorageDriver>
}

/** A schema of its own, and what it takes to look at it. */
export const inSchema = async (url: string, run: (fixture: Fixture) => Promise<void>): Promise<void> => {
  const schema = freshSchema()
  const database = beside(url)
  const opened: Array<StorageDriver> = []
  try {
    await run({
      url,
      schema,
      database,
      open: async (options = {}) => {
        const driver = await open({ url, schema, maxConnections: 4, ...options })
        opened.push(driver)
        return driver
      }
    })
  } finally {
    for (const driver of opened) await driver.close()
    await database.close()
    await dropSchema(url, schema)
  }
}

/** Asks again until it holds: for what happens in the database's own time. */
export const until = async (what: string, holds: () => boolean | Promise<boolean>): Promise<void> => {
  const end = performance.now() + 20_000
  while (!(await holds())) {
    if (performance.now() > end) throw new Error(`waited in vain until ${what}`)
    await new Promise((resolve) => setTimeout(resolve, 5))
  }
}

/** Holds every transaction that wrote an event of type `Held` at its very end, after all its writing, until it is let go. */
export const gate = async ({ schema, database }: Fixture) => {
  await database.query(
    `CREATE FUNCTION "${schema}".hold() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
       PERFORM FROM "${schema}".gate FOR SHARE; RETURN NULL;
     END $$`,
    []
  )
  await database.query(`CREATE TABLE "${schema}".gate AS SELECT 1 AS number, false AS open`, [])
  await database.query(
    `CREATE CONSTRAINT TRIGGER hold AFTER INSERT ON "${schema}".journal DEFERRABLE INITIALLY DEFERRED
     FOR EACH ROW WHEN (NEW.type = 'Held') EXECUTE FUNCTION "${schema}".hold()`,
    []
  )
  const held = async () =>
    (
      await database.query<{ pid: number }>(
        `SELECT pid FROM pg_stat_activity WHERE application_name = $1 AND wait_event_type = 'Lock' ORDER BY query_start`,
        [schema]
      )
    ).map(({ pid }) => pid)
  return { held }
}

/** Runs while the gate is shut; it opens when `run` ends, or before when it is asked to. */
export const shut = async (
  { url, schema }: Fixture,
  run: (letGo: () => Promise<void>) => Promise<void>
): Promise<void> => {
  const other = beside(url, 1)
  let isOpen = false
  const letGo = async () => {
    if (isOpen) return
    isOpen = true
    await other.query("COMMIT", [])
  }
  try {
    await other.query("BEGIN", [])
    await other.query(`UPDATE "${schema}".gate SET open = true`, [])
    await run(letGo)
  } finally {
    await letGo()
    await other.close()
  }
}
