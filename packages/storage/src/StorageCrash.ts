/**
 * A load of which every commit can be checked after a crash, for tests that kill a process or a database while it runs.
 *
 * Writers count rounds: each commit writes two events, a document, a timer, a cursor and a claim of one round, so that one
 * that is there in part shows. What was acknowledged is noted as lines of text, which a child process can print.
 */
import { equal, ok } from "./internal/Check.ts"
import type { Storage } from "./Storage.ts"
import type { StorageDriver, ViewDefinition } from "./StorageDriver.ts"

/** The view it writes. */
export const view: ViewDefinition = { name: "rounds", version: 1, fields: { round: "number" }, indexes: [["round"]] }

/** How the load is written. */
export interface Load {
  /** Begins the names of its streams, so that several can write the same data. */
  readonly name: string
  readonly writers: number
  /** Told of a commit once it is acknowledged. */
  readonly onAcknowledged: (line: string) => void
  readonly isOver: () => boolean
  /** What becomes of a commit that fails; a writer then reads what stands and goes on. By default the load ends. */
  readonly onFailed?: (error: unknown) => Promise<void>
}

/**
 * Commits as fast as it can, in two workspaces, until it is over.
 *
 * **Fails with** what a commit fails with, unless `onFailed` is there for it.
 *
 * **Example**
 * ```ts
 * import { strict as assert } from "node:assert"
 * import { MemoryStorage, Storage, StorageCrash } from "@switchboard/storage"
 *
 * const driver = MemoryStorage.make()
 * const storage = await Storage.open(driver, { views: [StorageCrash.view], now: () => 0 })
 * const acknowledged: Array<string> = []
 * await StorageCrash.write(storage, {
 *   name: "s",
 *   writers: 4,
 *   onAcknowledged: (line) => acknowledged.push(line),
 *   isOver: () => acknowledged.length >= 20
 * })
 * await StorageCrash.check(driver, acknowledged)
 * await assert.rejects(StorageCrash.check(driver, ["one s9 1"]), /no acknowledged stream is missing/)
 * ```
 */
export const write = async (
  storage: Storage,
  { name, writers, onAcknowledged, isOver, onFailed }: Load
): Promise<void> => {
  const workspaces = ["one", "two"].map((id) => storage.workspace(id))
  const writer = async (number: number): Promise<void> => {
    const workspace = workspaces[number % 2]!
    const stream = `${name}${number}`
    const commit = () =>
      workspace.turn(stream, async (reads) => {
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
    while (!isOver())
      try {
        onAcknowledged(await commit())
      } catch (error) {
        if (onFailed === undefined) throw error
        await onFailed(error)
      }
  }
  await Promise.all(Array.from({ length: writers }, (_, number) => writer(number)))
}

/**
 * Checks that every acknowledged commit is there, whole, that no other is there in part, and that positions have neither
 * gap nor duplicate.
 *
 * **Fails with** an error (rejected) that says what is wrong.
 */
export const check = async (driver: StorageDriver, acknowledged: ReadonlyArray<string>): Promise<void> => {
  const rounds = new Map<string, number>()
  for (const line of acknowledged) {
    const [workspace, stream, round] = line.split(" ")
    rounds.set(`${workspace} ${stream}`, Math.max(Number(round), rounds.get(`${workspace} ${stream}`) ?? 0))
  }
  for (const workspace of await driver.workspaces()) {
    const journal = await driver.journal(workspace, 0, Number.MAX_SAFE_INTEGER)
    equal(
      journal.map(({ position }) => position),
      journal.map((_, index) => index + 1),
      "positions without gap or duplicate"
    )
    equal(await driver.head(workspace), journal.length, "head")
    for (const [stream, events] of Map.groupBy(journal, (event) => event.stream)) {
      const round = events.length / 2
      equal(
        events.map(({ version, body }) => [version, body.round]),
        events.map((_, index) => [index + 1, Math.floor(index / 2) + 1]),
        "every commit whole"
      )
      ok(round >= (rounds.get(`${workspace} ${stream}`) ?? 0), "every acknowledged commit is there")
      rounds.delete(`${workspace} ${stream}`)
      const [document] = await driver.documents(workspace, view.name, [stream])
      const [timer] = await driver.timers(workspace, [stream])
      const keys = Array.from({ length: round + 1 }, (_, index) => `${stream}/${index + 1}`)
      const claims = await driver.claims(workspace, keys, 0)
      equal(
        [document?.document.round, document?.version, timer?.payload.round, await driver.cursor(workspace, stream)],
        [round, 2 * round, round, round],
        "document, timer and cursor of the last round"
      )
      equal(
        claims.map((claim) => claim?.value),
        [...keys.slice(0, round).map((_, index) => String(index + 1)), undefined],
        "claims of every round"
      )
    }
  }
  equal([...rounds.keys()], [], "no acknowledged stream is missing")
}
