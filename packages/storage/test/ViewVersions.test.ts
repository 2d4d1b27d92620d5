import { expect, test } from "vitest"
import { MemoryStorage } from "../src/index.ts"

test("[STORAGE-28] memory refuses a view older than the one it holds", async () => {
  const driver = MemoryStorage.make()
  const view = (version: number) => ({ name: "cards", version, fields: {}, indexes: [] })
  await driver.prepare([view(2)])
  await expect(driver.prepare([view(1)])).rejects.toMatchObject({ code: "storage-invalid", field: "cards.version" })
  await driver.prepare([view(3)])
})
