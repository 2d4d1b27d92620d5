import { MemoryBlobStore } from "@switchboard/storage"
import { blobConformance } from "@switchboard/storage/BlobConformance"
import { test } from "vitest"

blobConformance({ test, make: async () => ({ store: MemoryBlobStore.make() }) })
