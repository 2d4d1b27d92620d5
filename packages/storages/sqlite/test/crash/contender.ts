// Takes, in turn with others, all it can get of what only one may have, and prints what it got.
import { once } from "node:events"
import type { Commit } from "@switchboard/storage/StorageDriver"
import { SqliteStorage } from "@switchboard/storage-sqlite"

const [file, name, count] = process.argv.slice(2)
const most = Number(count)
const driver = SqliteStorage.make({ file: file!, checkpointPages: 50 })
await driver.prepare([])
process.stdout.write("ready\n")
await once(process.stdin, "data")

const take = async (what: string, commit: Omit<Commit, "workspace">): Promise<void> => {
  const [outcome] = await driver.commit([{ workspace: "w", ...commit }], 0)
  process.stdout.write(outcome?.ok ? `${what}\n` : "missed\n")
}

const claims = async (): Promise<void> => {
  for (let number = 0; number < most; number++)
    await take(`claim ${number}`, { claims: [{ key: `${number}`, value: name! }] })
}

const cursor = async (): Promise<void> => {
  for (;;) {
    const from = await driver.cursor("w", "reader")
    if (from === most) return
    await take(`cursor ${from}`, { cursor: { reader: "reader", from, to: from + 1 } })
  }
}

const timers = async (): Promise<void> => {
  for (;;) {
    const [next] = await driver.due(0, ["job"], 1)
    if (next === undefined) return
    const { workspace: _, revision, sequence: __, ...timer } = next
    await take(`timer ${timer.key}`, { timers: [{ set: { ...timer, dueAtMs: 1 }, revision }] })
  }
}

await Promise.all([claims(), cursor(), timers()])
await driver.close()
process.exit()
