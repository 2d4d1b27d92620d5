import { storageConformance } from "@switchboard/storage/StorageConformance"
import { PostgresStorage } from "@switchboard/storage-postgres"
import { afterAll, test } from "vitest"
import { dropSchema } from "./Given.ts"
import { freshSchema, start } from "./Server.ts"

const server = await start()
afterAll(server.stop)

storageConformance({
  // Each has a schema of its own.
  test: (title, run) => test.concurrent(title, run),
  make: async () => {
    const options = { url: server.url, schema: freshSchema(), maxConnections: 4 }
    const open = () => PostgresStorage.make(options)
    return { driver: open(), reopen: async () => open(), dispose: () => dropSchema(server.url, options.schema) }
  },
  capabilities: { durable: true, multiProcess: true, notify: true, fullText: true }
})
