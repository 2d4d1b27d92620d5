import { MemoryStorage } from "@switchboard/storage"
import { storageConformance } from "@switchboard/storage/StorageConformance"
import { test } from "vitest"

storageConformance({
  test,
  make: async () => ({ driver: MemoryStorage.make() }),
  capabilities: { durable: false, multiProcess: false, notify: false, fullText: true }
})
