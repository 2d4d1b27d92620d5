/** Claims: given once, expired, renewed and released by their holder only, and swept. */
import type { Commit, StorageDriver } from "../../StorageDriver.ts"
import { equal } from "../Check.ts"
import { committed, type Opened, one, refused } from "./Given.ts"

const claim = async (driver: StorageDriver, change: NonNullable<Commit["claims"]>[number], nowMs = 0) =>
  one(driver, { workspace: "w", claims: [change] }, nowMs)
const claimOf = async (driver: StorageDriver, key: string, nowMs = 0) => (await driver.claims("w", [key], nowMs))[0]

export const claims = (opened: Opened): void => {
  opened("[STORAGE-17] a claim is given once, and the loser is told what is stored", async (driver) => {
    const outcomes = await Promise.all(["x", "y", "z"].map((value) => claim(driver, { key: "c", value })))
    equal(outcomes.filter(({ ok }) => ok).length, 1, "winners")
    const stored = (await claimOf(driver, "c"))!
    const winner = ["x", "y", "z"][outcomes.findIndex(({ ok }) => ok)]!
    equal(stored.value, winner, "value")
    for (const outcome of outcomes)
      if (!outcome.ok) equal(outcome.conflict, { kind: "claim", key: "c", found: stored }, "conflict")
    equal(
      (await driver.claims("w", ["none", "c"], 0)).map((found) => found?.value),
      [undefined, winner],
      "in order"
    )
  })

  opened("[STORAGE-18] a claim is expired from its instant on, and then stands as if absent", async (driver) => {
    committed(await claim(driver, { key: "c", value: "x", expiresAtMs: 100 }))
    const first = (await claimOf(driver, "c", 99))!
    equal(first.expiresAtMs, 100, "expiry")
    refused(await claim(driver, { key: "c", value: "y" }, 99))
    equal(await claimOf(driver, "c", 100), undefined, "read")
    equal(
      refused(await claim(driver, { key: "c", value: "x", revision: first.revision }, 100)),
      { kind: "claim", key: "c", found: undefined },
      "too late to renew"
    )
    committed(await claim(driver, { key: "c", value: "y", expiresAtMs: 300 }, 100))
    equal((await claimOf(driver, "c", 200))?.value, "y", "taken over")
  })

  opened("[STORAGE-19] only the holder renews and releases", async (driver) => {
    committed(await claim(driver, { key: "c", value: "x", expiresAtMs: 100 }))
    const { revision } = (await claimOf(driver, "c"))!
    committed(await claim(driver, { key: "c", value: "x2", expiresAtMs: 200, revision }))
    const renewed = (await claimOf(driver, "c", 150))!
    equal(renewed, { key: "c", value: "x2", expiresAtMs: 200, revision: revision + 1 }, "renewed")
    equal(
      refused(await claim(driver, { key: "c", value: "x3", revision })),
      { kind: "claim", key: "c", found: renewed },
      "stale"
    )
    refused(await claim(driver, { key: "c", release: true, revision }))
    committed(await claim(driver, { key: "c", value: "x4", revision: revision + 1 }))
    equal((await claimOf(driver, "c", 1e15))?.value, "x4", "without expiry: for ever")
    committed(await claim(driver, { key: "c", release: true, revision: revision + 2 }))
    equal(await claimOf(driver, "c"), undefined, "released")
    equal(
      refused(await claim(driver, { key: "c", release: true, revision: revision + 2 })),
      { kind: "claim", key: "c", found: undefined },
      "twice"
    )
  })

  opened(
    "[STORAGE-19] a late holder can't renew what was released, swept or expired and taken since",
    async (driver) => {
      committed(await claim(driver, { key: "c", value: "x", expiresAtMs: 100 }))
      const late = (await claimOf(driver, "c"))!.revision
      await driver.sweep(100)
      committed(await claim(driver, { key: "c", value: "y" }, 100))
      refused(await claim(driver, { key: "c", value: "x", revision: late }, 100))
      equal((await claimOf(driver, "c"))?.value, "y", "the new holder")
    }
  )

  opened("[STORAGE-25] sweeping removes expired claims only, and counts them", async (driver) => {
    const claims = [
      { key: "old", value: "", expiresAtMs: 10 },
      { key: "now", value: "", expiresAtMs: 20 },
      { key: "later", value: "", expiresAtMs: 21 },
      { key: "ever", value: "" }
    ]
    await driver.commit(
      [
        { workspace: "w", claims },
        { workspace: "v", claims: claims.slice(0, 1) }
      ],
      0
    )
    equal(await driver.sweep(20), 3, "swept")
    equal(await driver.sweep(20), 0, "again")
    const keys = claims.map(({ key }) => key)
    equal(
      (await driver.claims("w", keys, 0)).map((found) => found?.key),
      [undefined, undefined, "later", "ever"],
      "left"
    )
  })
}
