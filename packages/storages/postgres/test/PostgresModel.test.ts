import { StorageModel } from "@switchboard/storage"
import { PostgresStorage } from "@switchboard/storage-postgres"
import fc from "fast-check"
import { afterAll, test } from "vitest"
import { dropSchema } from "./Given.ts"
import { freshSchema, start } from "./Server.ts"

const server = await start()
afterAll(server.stop)

test("[STORAGE-50] random histories end in Postgres as in the reference model, also over reopening and between two at once", async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(fc.nat(), { minLength: 100, maxLength: 1_000, size: "max" }), async (numbers) => {
      const schema = freshSchema()
      const open = async () => {
        const driver = PostgresStorage.make({ url: server.url, schema, maxConnections: 4 })
        await driver.prepare([StorageModel.view])
        return driver
      }
      let driver = await open()
      const other = await open()
      // Every other group is committed by another process's driver.
      let turn = 0
      const both = () => ({
        ...driver,
        commit: (...group: Parameters<typeof driver.commit>) => (turn++ % 2 === 0 ? driver : other).commit(...group)
      })
      try {
        await StorageModel.check(both(), numbers, async () => {
          await driver.close()
          driver = await open()
          return both()
        })
      } finally {
        await driver.close()
        await other.close()
        await dropSchema(server.url, schema)
      }
    }),
    { seed: 20_260_101, numRuns: 8 }
  )
})
