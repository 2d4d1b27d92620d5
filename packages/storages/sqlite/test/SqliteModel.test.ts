import { mkdtempSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { StorageModel } from "@switchboard/storage"
import { SqliteStorage } from "@switchboard/storage-sqlite"
import fc from "fast-check"
import { test } from "vitest"

test("[STORAGE-50] random histories end in SQLite as in the reference model, also over reopening", async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(fc.nat(), { minLength: 100, maxLength: 1_500, size: "max" }), async (numbers) => {
      const directory = mkdtempSync(join(tmpdir(), "switchboard-sqlite-"))
      const open = async () => {
        const driver = SqliteStorage.make({ file: join(directory, "test.db") })
        await driver.prepare([StorageModel.view])
        return driver
      }
      let driver = await open()
      try {
        await StorageModel.check(driver, numbers, async () => {
          await driver.close()
          driver = await open()
          return driver
        })
      } finally {
        await driver.close()
        rmSync(directory, { recursive: true })
      }
    }),
    { seed: 20_260_101, numRuns: 25 }
  )
})
