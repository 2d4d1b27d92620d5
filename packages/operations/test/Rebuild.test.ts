import { createDesk } from "@switchboard/desk"
import { MemoryStorage, type StorageDriver } from "@switchboard/storage"
import { expect, test } from "vitest"
import { Rebuild, Verification } from "../src/index.ts"
import { agent, configure, work } from "./Fixture.ts"
import { write } from "./Sms.ts"

type Change = (document: StorageDriver.JsonObject) => StorageDriver.JsonObject

// What the next event leaves as it is, so that it would be carried on.
const damages: ReadonlyArray<readonly [view: string, rebuild: string, change: Change]> = [
  ["conversations", "conversations", (document) => ({ ...document, subject: "of something else" })],
  ["contacts", "contacts", (document) => ({ ...document, name: "somebody else" })]
]

test.each(damages)(
  "[OPERATIONS-35] what a desk remembers of wrong %s does not come back once %s were rebuilt in another process",
  async (view, rebuild, change) => {
    const driver = {
      ...MemoryStorage.make(),
      capabilities: { durable: false, multiProcess: true, notify: false, fullText: true }
    }
    const worked = await createDesk(configure(driver))
    await work(worked, 3)
    await worked.stop()
    const { documents } = await driver.query("main", { view, limit: 100 })
    await driver.commit(
      [
        {
          workspace: "main",
          views: documents.map(({ key, document, version }) => ({
            view,
            key,
            put: change(document),
            ...(version !== undefined && { version })
          }))
        }
      ],
      0
    )
    const desk = await createDesk(configure(driver))
    const everybodyWrites = async (run: string) => {
      for (const { key, document } of (await driver.query("main", { view: "contacts", limit: 100 })).documents) {
        const [address] = document["addresses"] as ReadonlyArray<{ readonly value: string }>
        await write(desk, { id: `${run} ${address!.value}`, from: address!.value, text: "and one thing more" })
        await desk.executeOnContact(agent, key, { type: "UpdateContact", attributes: { run } })
      }
      await desk.drain()
    }
    await everybodyWrites("before")
    expect((await Rebuild.rebuild(driver, "main", rebuild)).changed).toBeGreaterThan(0)
    await everybodyWrites("after")
    await desk.stop()
    const found: Array<Verification.Finding> = []
    for await (const finding of Verification.verify(driver, "main")) found.push(finding)
    expect(found.filter((finding) => finding.rebuild === rebuild)).toEqual([])
  }
)
