// Commits as fast as it can and prints each commit once it is acknowledged, until it is killed.
import { Storage } from "@switchboard/storage"
import { SqliteStorage } from "@switchboard/storage-sqlite"
import { view } from "./view.ts"

const file = process.argv[2]!
// Streams of its own, so that two of these can write one file.
const name = process.argv[3]!
const storage = await Storage.open(SqliteStorage.make({ file, checkpointPages: 200 }), {
  views: [view],
  now: Date.now,
  schedule: setImmediate
})
const workspaces = ["one", "two"].map((id) => storage.workspace(id))

const writer = async (number: number): Promise<never> => {
  const workspace = workspaces[number % 2]!
  const stream = `${name}${number}`
  for (;;) {
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
    process.stdout.write(`${line}\n`)
  }
}

await Promise.all(Array.from({ length: 40 }, (_, number) => writer(number)))
