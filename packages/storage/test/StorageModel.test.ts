import { MemoryStorage, StorageModel } from "@switchboard/storage"
import fc from "fast-check"
import { expect, test } from "vitest"

const history = fc.array(fc.nat(), { minLength: 100, maxLength: 1_500, size: "max" })

test("[STORAGE-50] random histories end in memory as in the reference model", async () => {
  await fc.assert(
    fc.asyncProperty(history, async (numbers) => {
      const driver = MemoryStorage.make()
      await driver.prepare([StorageModel.view])
      await StorageModel.check(driver, numbers)
    }),
    { seed: 20_260_101, numRuns: 150 }
  )
})

test("[STORAGE-50] the model notices a driver that forgets one kind of write", async () => {
  const numbers = fc.sample(history, { seed: 7, numRuns: 1 })[0]!
  for (const kind of ["appends", "views", "timers", "claims", "cursor"] as const) {
    const driver = MemoryStorage.make()
    await driver.prepare([StorageModel.view])
    const forgetful = {
      ...driver,
      commit: (group: Parameters<typeof driver.commit>[0], nowMs: number) =>
        driver.commit(
          group.map(({ [kind]: _forgotten, ...rest }) => rest),
          nowMs
        )
    }
    await expect(StorageModel.check(forgetful, numbers)).rejects.toThrow(/expected/)
  }
})
