import { mkdtempSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { storageConformance } from "@switchboard/storage/StorageConformance"
import { SqliteStorage } from "@switchboard/storage-sqlite"
import { test } from "vitest"

storageConformance({
  test,
  make: async () => {
    const directory = mkdtempSync(join(tmpdir(), "switchboard-sqlite-"))
    const open = () => SqliteStorage.make({ file: join(directory, "test.db") })
    return {
      driver: open(),
      reopen: async () => open(),
      dispose: async () => rmSync(directory, { recursive: true })
    }
  },
  capabilities: { durable: true, multiProcess: true, notify: false, fullText: true }
})
