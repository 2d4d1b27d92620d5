// Commits as fast as it can and prints each commit once it is acknowledged, until it is killed.
import { Storage, StorageCrash } from "@switchboard/storage"
import { PostgresStorage } from "@switchboard/storage-postgres"

const [url, schema, name] = process.argv.slice(2)
const storage = await Storage.open(PostgresStorage.make({ url: url!, schema: schema!, maxConnections: 2 }), {
  views: [StorageCrash.view],
  now: Date.now,
  schedule: setImmediate
})
await StorageCrash.write(storage, {
  name: name!,
  writers: 10,
  onAcknowledged: (line) => process.stdout.write(`${line}\n`),
  isOver: () => false
})
