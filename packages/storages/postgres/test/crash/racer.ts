// Says that it is ready, takes from once it is told to whatever others have not taken, prints it, and ends.
import { once } from "node:events"
import type { Commit } from "@switchboard/storage/StorageDriver"
import { PostgresStorage } from "@switchboard/storage-postgres"

const [url, schema, name, count] = process.argv.slice(2)
const driver = PostgresStorage.make({ url: url!, schema: schema!, maxConnections: 3 })
await driver.prepare([])
process.stdout.write("ready\n")
await once(process.stdin, "data")

const committed = async (commit: Omit<Commit, "workspace">): Promise<boolean> =>
  (await driver.commit([{ workspace: "w", ...commit }], 0))[0]!.ok

const claims = async () => {
  for (let number = 0; number < Number(count); number++)
    if (await committed({ claims: [{ key: `claim${number}`, value: name! }] })) console.log(`claim ${number}`)
}
const cursor = async () => {
  for (;;) {
    const from = await driver.cursor("w", "reader")
    if (from === Number(count)) return
    if (await committed({ cursor: { reader: "reader", from, to: from + 1 } })) console.log(`cursor ${from}`)
  }
}
const timers = async () => {
  for (;;) {
    const due = await driver.due(Number.MAX_SAFE_INTEGER, ["job"], 4)
    if (due.length === 0) return
    for (const { key, revision } of due)
      if (await committed({ timers: [{ clear: key, revision }] })) console.log(`timer ${key}`)
  }
}
await Promise.all([claims(), cursor(), timers()])
await driver.close()
process.exit()
