// Commits as fast as it can and prints each commit once it is acknowledged, until it is killed.
import { Storage, StorageCrash } from "@switchboard/storage"
import { SqliteStorage } from "@switchboard/storage-sqlite"

const [file, name] = process.argv.slice(2)
const storage = await Storage.open(SqliteStorage.make({ file: file!, checkpointPages: 200 }), {
  views: [StorageCrash.view],
  now: Date.now,
  schedule: setImmediate
})
await StorageCrash.write(storage, {
  name: name!,
  writers: 40,
  onAcknowledged: (line) => process.stdout.write(`${line}\n`),
  isOver: () => false
})
