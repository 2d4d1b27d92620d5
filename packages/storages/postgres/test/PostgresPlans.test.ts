import { strict as assert } from "node:assert"
import type { Query } from "@switchboard/storage/StorageDriver"
import { afterAll, test } from "vitest"
import { namesOf } from "../src/internal/Columns.ts"
import { Database, type Session } from "../src/internal/Database.ts"
import { dump } from "../src/internal/Holdings.ts"
import { Reader } from "../src/internal/Reader.ts"
import { inSchema, things } from "./Given.ts"
import { start } from "./Server.ts"

const server = await start()
afterAll(server.stop)

const rows = 20_000
const open = { field: "open", equals: true } as const
const bySize = { field: "size", direction: "ascending" } as const

const pages: ReadonlyArray<Query> = [
  { view: "things", limit: 50 },
  { view: "things", limit: 50, after: { value: null, key: "k500" } },
  ...(["ascending", "descending"] as const).flatMap((direction): ReadonlyArray<Query> => {
    const order = { ...bySize, direction }
    return [
      { view: "things", where: [open], order, limit: 50 },
      { view: "things", where: [open], order, limit: 50, after: { value: 700, key: "k9" } },
      { view: "things", where: [open], order, limit: 50, after: { value: null, key: "k9" } },
      { view: "things", where: [{ field: "open", equals: null }], order, limit: 50 },
      { view: "things", order: { field: "name", direction }, limit: 50 },
      { view: "things", order: { field: "name", direction }, limit: 50, after: { value: "n12", key: "k9" } }
    ]
  }),
  { view: "things", where: [open, { field: "size", atLeast: 100, below: 120 }], order: bySize, limit: 50 },
  { view: "things", where: [{ field: "name", equals: "n5" }], limit: 50 }
]

test("[POSTGRES-3] pages and look-ups are read from indexes, never by scanning or sorting", () =>
  inSchema(server.url, async ({ url, schema, database, open: openDriver }) => {
    const driver = await openDriver()
    for (const workspace of ["w", "v"]) {
      const views = Array.from({ length: rows / 2 }, (_, index) => ({
        view: "things",
        key: `k${index}`,
        put: {
          name: `n${index % 5_000}`,
          ...(index % 3 > 0 && { open: index % 3 === 1 }),
          ...(index % 7 > 0 && { size: index })
        }
      }))
      const timers = Array.from({ length: 2_000 }, (_, index) => ({
        set: { kind: `kind${index % 4}`, key: `t${index}`, dueAtMs: index, payload: {}, lane: `l${index % 500}` }
      }))
      const claims = Array.from({ length: 2_000 }, (_, index) => ({ key: `c${index}`, value: "", expiresAtMs: index }))
      const events = Array.from({ length: 20 }, () => ({ type: "E", schema: 1, recordedAtMs: 0, body: {} }))
      const appends = Array.from({ length: 200 }, (_, index) => ({ stream: `s${index}`, expectedVersion: 0, events }))
      const [outcome] = await driver.commit([{ workspace, views, timers, claims, appends }], 0)
      assert.equal(outcome?.ok, true)
    }
    const others = Array.from({ length: 1_000 }, (_, index) => ({
      workspace: `other${index}`,
      cursor: { reader: "r", from: 0, to: 1 }
    }))
    await driver.commit(others, 0)
    await database.query("ANALYZE", [])

    const settings = { url, schema, maxConnections: 1, connectTimeoutMs: 5_000, applicationName: "plans" }
    const plans: Array<string> = []
    class Explained extends Database {
      override async query<Row extends object>(sql: string, parameters: ReadonlyArray<unknown>) {
        const found = await super.query<Record<string, string>>(`EXPLAIN ${sql}`, parameters)
        plans.push(found.map((row) => Object.values(row)[0]).join("\n"))
        return super.query<Row>(sql, parameters)
      }
      override async session(): Promise<Session> {
        const { query, close } = await super.session()
        return {
          close,
          query: async (sql, parameters) => {
            if (/^(DECLARE|SELECT r)/.test(sql)) {
              const found = await query<Record<string, string>>(`EXPLAIN ${sql}`, parameters)
              dumped.push(found.map((row) => Object.values(row)[0]).join("\n"))
            }
            return query(sql, parameters)
          }
        }
      }
    }
    const dumped: Array<string> = []
    const explained = new Explained(settings)
    let merged = ""
    try {
      const reader = new Reader(explained, new Map([["things", namesOf(things)]]))
      for (const page of pages) {
        const found = await reader.query("w", page)
        assert.ok(found.documents.length > 0, JSON.stringify(page))
      }
      await reader.documents("w", "things", ["k1", "k2"])
      await reader.stream("w", "s1", 0, 50)
      await reader.streamVersions("w", ["s1", "s2"])
      await reader.journal("w", 300, 50)
      await reader.claims("w", ["c1"], 0)
      await reader.timers("w", ["t1"])
      await reader.nextDueAtMs(["kind1", "kind2"])
      await reader.cursor("w", "r")
      await reader.head("w")
      assert.equal((await reader.due(1_000, ["kind1", "kind2"], 10)).length, 10)
      merged = plans.pop()!
      let holdings = 0
      for await (const batch of dump(explained, [namesOf(things)], "w", 3_000)) holdings += batch.length
      assert.equal(holdings, 1_000 + rows / 2 + 2_000 + 2_000)
    } finally {
      await explained.close()
    }
    assert.ok(plans.length >= pages.length + 9)
    for (const plan of plans) {
      // Documents whose texts are too long for an index are kept apart, in one of their own, and there are none.
      const lines = plan.split("\n")
      const apart = lines.some((line) => /Index.* using view_things_\w+_long/.test(line))
      const sorts = lines.filter((line) => /Sort {2}/.test(line))
      assert.ok(!lines.some((line) => /Seq Scan|Incremental/.test(line)), plan)
      assert.ok(sorts.length === 0 || (apart && sorts.length === 1), plan)
    }
    // What is due of several kinds is read from the index, kind by kind, and only what was read is put in order.
    assert.match(merged, /Index Scan using timers_due/)
    assert.doesNotMatch(merged, /Seq Scan/)
    // Documents and timers are sorted by what is no index of theirs, but only their names; and every row is read by its name.
    for (const plan of dumped) {
      const isSorted = /^Sort/.test(plan)
      if (isSorted) assert.match(plan, /^Sort.*\n +Sort Key: (number|sequence)/)
      else assert.doesNotMatch(plan, /Seq Scan/)
      const width = Number(/^Sort.*width=(\d+)/.exec(plan)?.[1] ?? 0)
      assert.ok(width < 100, plan)
    }
    assert.equal(dumped.filter((plan) => /^Sort/.test(plan)).length, 2)
  }))
