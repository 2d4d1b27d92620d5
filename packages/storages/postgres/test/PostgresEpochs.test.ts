import { strict as assert } from "node:assert"
import type { Commit, Holding, Outcome, StorageDriver } from "@switchboard/storage/StorageDriver"
import { afterAll, test } from "vitest"
import { append, event, type Fixture, gate, inSchema, shut, until } from "./Given.ts"
import { start } from "./Server.ts"

const server = await start()
afterAll(server.stop)

const refusedAt = (expected: number, found: number): Outcome => ({
  ok: false,
  conflict: { kind: "epoch", key: "w", expected, found }
})

const raisedTo = async (driver: StorageDriver, before: number): Promise<number> => {
  const epoch = await driver.epoch("w")
  assert.ok(epoch > before, `${epoch} > ${before}`)
  return epoch
}

const begin = async (driver: StorageDriver): Promise<number> => {
  await driver.commit([{ workspace: "w", appends: [append("first")] }], 0)
  return driver.epoch("w")
}

const held: Commit = { workspace: "w", appends: [append("raise", 0, "Held")], raisesEpoch: true }
const document: Holding = { kind: "document", view: "things", document: { key: "k", document: {} } }
const heldEvent: Holding = {
  kind: "event",
  event: { ...event("Held"), workspace: "w", stream: "s", position: 1, version: 1 }
}

/** How many connections of the drivers called like the schema wait for others. */
const waiting = ({ database, schema }: Fixture, count: number) =>
  until(`${count} wait`, async () => {
    const rows = await database.query(
      "SELECT FROM pg_stat_activity WHERE application_name = $1 AND wait_event_type = 'Lock'",
      [schema]
    )
    return rows.length === count
  })

const ways: ReadonlyArray<readonly [string, (driver: StorageDriver) => Promise<unknown>]> = [
  ["a commit", (driver) => driver.commit([held], 0)],
  ["a load", (driver) => driver.load("w", [{ ...heldEvent, event: { ...heldEvent.event, position: 2 } }, document])]
]
for (const [title, raise] of ways)
  test(`[POSTGRES-16] while ${title} of another process raises the epoch, groups that wait behind it and name the older one are refused whole, and who names none goes on`, () =>
    inSchema(server.url, async (fixture) => {
      const options = { applicationName: fixture.schema }
      const raising = await fixture.open(options)
      const writer = await fixture.open(options)
      await gate(fixture)
      const epoch = await begin(writer)
      const commitOf = (stream: string): Commit => ({ workspace: "w", appends: [append(stream)], epoch })
      let older: Promise<ReadonlyArray<ReadonlyArray<Outcome>>> | undefined
      let plain: Promise<ReadonlyArray<Outcome>> | undefined
      await shut(fixture, async (letGo) => {
        const raised = raise(raising)
        await waiting(fixture, 1)
        older = Promise.all([
          writer.commit([commitOf("a"), commitOf("b")], 0),
          writer.commit([{ ...commitOf("c"), views: [{ view: "things", key: "c", put: {} }] }], 0)
        ])
        await waiting(fixture, 3)
        // It isn't raised before it is on disk.
        assert.equal(await writer.epoch("w"), epoch)
        plain = raising.commit([{ workspace: "w", appends: [append("plain")] }], 0)
        await waiting(fixture, 4)
        await letGo()
        await raised
      })
      const found = await raisedTo(writer, epoch)
      const refused = refusedAt(epoch, found)
      assert.deepEqual(await older, [[refused, refused], [refused]])
      assert.deepEqual(await plain, [{ ok: true, positions: [3] }])
      assert.deepEqual(await writer.documents("w", "things", ["c"]), [undefined])
      assert.deepEqual(await writer.commit([{ ...commitOf("a"), epoch: found }], 0), [{ ok: true, positions: [4] }])
    }))

test("[POSTGRES-16] however often one process raises the epoch, nothing that names an older one comes after it, and nothing acknowledged is lost", () =>
  inSchema(server.url, async ({ open }) => {
    const drivers = await Promise.all([open(), open()])
    const [raiser] = drivers
    const reader = await open()
    await begin(reader)
    let isOver = false
    const acknowledged: Array<readonly [position: number, stream: string, epoch: number]> = []
    let refusals = 0
    const writing = async (writer: number) => {
      const driver = drivers[writer % 2]!
      let epoch = 0
      for (let number = 0; !isOver; number++) {
        const commits = [0, 1].map((each): Commit => {
          const stream = `${writer}/${number}/${each}`
          return {
            workspace: "w",
            appends: [{ stream, expectedVersion: 0, events: [{ ...event(), body: { epoch } }] }],
            epoch
          }
        })
        const named = epoch
        for (const [index, outcome] of (await driver.commit(commits, 0)).entries()) {
          if (outcome.ok) {
            acknowledged.push([outcome.positions[0]!, commits[index]!.appends![0]!.stream, named])
            continue
          }
          assert.ok(outcome.conflict.kind === "epoch" && outcome.conflict.found > named)
          epoch = outcome.conflict.found
          refusals++
        }
      }
    }
    /** Where the journal stood when an epoch certainly held: what comes after names none that is older. */
    const marks: Array<readonly [head: number, epoch: number]> = []
    const claim: Holding = { kind: "claim", claim: { key: "c", value: "", revision: 1 } }
    const raising = async () => {
      for (let round = 0; round < 60; round++) {
        const before = await reader.epoch("w")
        if (round % 4 === 0) await raiser!.commit([{ workspace: "w", raisesEpoch: true }], 0)
        else if (round % 4 === 1) await raiser!.erase("w", "p")
        else if (round % 4 === 2) await raiser!.erase("w", "p", "first")
        else await raiser!.load("w", [claim])
        marks.push([await reader.head("w"), await raisedTo(reader, before)])
      }
      isOver = true
    }
    await Promise.all([raising(), ...[0, 1, 2, 3].map(writing)])
    const events = await reader.journal("w", 0, 1_000_000)
    const named = events.slice(1).map(({ body }) => Number(body.epoch))
    assert.deepEqual(
      named,
      named.toSorted((left, right) => left - right)
    )
    for (const [head, epoch] of marks) for (const each of named.slice(head - 1)) assert.ok(each >= epoch)
    assert.equal(acknowledged.length, events.length - 1)
    for (const [position, stream, epoch] of acknowledged)
      assert.deepEqual([events[position - 1]!.stream, events[position - 1]!.body], [stream, { epoch }])
    assert.ok(refusals >= 60 && acknowledged.length > 60, `${refusals} ${acknowledged.length}`)
  }))

test("[POSTGRES-17] what is read of a workspace that another is beginning with a load doesn't hold once it is loaded", () =>
  inSchema(server.url, async (fixture) => {
    const options = { applicationName: fixture.schema }
    const loading = await fixture.open(options)
    const other = await fixture.open()
    await gate(fixture)
    await shut(fixture, async (letGo) => {
      const loaded = loading.load("w", [document, heldEvent])
      await waiting(fixture, 1)
      const epoch = await other.epoch("w")
      assert.deepEqual(await other.documents("w", "things", ["k"]), [undefined])
      await letGo()
      await loaded
      const put: Commit = { workspace: "w", views: [{ view: "things", key: "k", put: { name: "mine" } }], epoch }
      const [outcome] = await other.commit([put], 0)
      assert.deepEqual(outcome, refusedAt(epoch, await raisedTo(other, epoch)))
    })
    assert.deepEqual(await other.documents("w", "things", ["k"]), [{ key: "k", document: {} }])
  }))

test("[POSTGRES-17] who waits while a workspace is dropped begins it where it never stood, and names no epoch from before", () =>
  inSchema(server.url, async (fixture) => {
    const { database, schema } = fixture
    const driver = await fixture.open({ applicationName: schema })
    let epoch = await begin(driver)
    for (let round = 0; round < 2; round++) {
      const holder = await database.session()
      await holder.query("BEGIN")
      await holder.query(`SELECT FROM "${schema}".workspaces WHERE name = 'w' FOR UPDATE`)
      const dropped = driver.drop("w")
      await waiting(fixture, 1)
      const group = driver.commit(
        [
          { workspace: "w", appends: [append("older")], epoch },
          { workspace: "w", appends: [append("plain")] }
        ],
        0
      )
      await waiting(fixture, 2)
      await holder.close()
      await dropped
      const outcomes = await group
      const found = await raisedTo(driver, epoch)
      assert.deepEqual(outcomes, [refusedAt(epoch, found), { ok: true, positions: [1] }])
      // The next round begins from where the workspace was raised to.
      await driver.erase("w", "nobody")
      epoch = await raisedTo(driver, found)
    }
  }))

test("[POSTGRES-17] a workspace that was begun and dropped while one waits to begin it is not begun where it stood", () =>
  inSchema(server.url, async (fixture) => {
    const { database, schema } = fixture
    const driver = await fixture.open({ applicationName: schema })
    const epoch = await driver.epoch("w")
    const holder = await database.session()
    await holder.query("BEGIN")
    await holder.query(`INSERT INTO "${schema}".workspaces (name) VALUES ('w')`)
    const group = driver.commit(
      [
        { workspace: "w", appends: [append("older")], epoch },
        { workspace: "w", appends: [append("plain")] }
      ],
      0
    )
    await waiting(fixture, 1)
    await holder.query(`DELETE FROM "${schema}".workspaces WHERE name = 'w'`)
    await holder.query(`SELECT nextval('"${schema}".epochs')`)
    await holder.query("COMMIT")
    await holder.close()
    const outcomes = await group
    assert.deepEqual(outcomes, [refusedAt(epoch, await raisedTo(driver, epoch)), { ok: true, positions: [1] }])
  }))
