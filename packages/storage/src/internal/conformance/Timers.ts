/** Timers: revisions, what is due, and lanes. */
import type { Commit, StorageDriver } from "../../StorageDriver.ts"
import { equal, ok } from "../Check.ts"
import { committed, dueKeys, hardBody, type Opened, one, refused, timer } from "./Given.ts"

const timerOf = async (driver: StorageDriver, key: string) => (await driver.timers("w", [key]))[0]

export const timers = (opened: Opened): void => {
  opened("[STORAGE-12] a timer is set, set again at its revision, and cleared at it", async (driver) => {
    const change = async (timers: Commit["timers"] & object) => one(driver, { workspace: "w", timers })
    committed(await change([{ set: timer("t", 10, { payload: hardBody, lane: "l", subject: "p" }), revision: 0 }]))
    const first = (await timerOf(driver, "t"))!
    equal(
      first,
      {
        workspace: "w",
        ...timer("t", 10, { payload: hardBody, lane: "l", subject: "p" }),
        revision: first.revision,
        sequence: first.sequence
      },
      "stored"
    )
    const { revision } = first
    equal(
      refused(await change([{ set: timer("t", 20), revision: 0 }])),
      { kind: "timer", key: "t", expected: 0, found: revision },
      "exists"
    )
    committed(await change([{ set: timer("t", 20), revision }]))
    equal((await timerOf(driver, "t"))?.revision, revision + 1, "raised by one")
    equal(
      refused(await change([{ clear: "t", revision }])),
      { kind: "timer", key: "t", expected: revision, found: revision + 1 },
      "stale"
    )
    committed(await change([{ set: timer("t", 30) }]))
    equal((await timerOf(driver, "t"))?.revision, revision + 2, "unconditional")
    committed(await change([{ clear: "t", revision: revision + 2 }]))
    equal(await timerOf(driver, "t"), undefined, "cleared")
    committed(await change([{ clear: "t" }]))
    committed(await change([{ clear: "t", revision: 0 }]))
    equal(await driver.timers("w", ["none", "t"]), [undefined, undefined], "absent")
  })

  opened("[STORAGE-13] a revision held from a cleared timer never fits its successor", async (driver) => {
    committed(await one(driver, { workspace: "w", timers: [{ set: timer("t", 1) }] }))
    committed(await one(driver, { workspace: "w", timers: [{ set: timer("t", 2) }] }))
    const held = (await timerOf(driver, "t"))!.revision
    committed(await one(driver, { workspace: "w", timers: [{ clear: "t" }] }))
    committed(await one(driver, { workspace: "w", timers: [{ set: timer("t", 3) }] }))
    ok((await timerOf(driver, "t"))!.revision > held, "the new revision is higher")
    refused(await one(driver, { workspace: "w", timers: [{ clear: "t", revision: held }] }))
  })

  opened("[STORAGE-14] timers come due by kind, earliest first, across workspaces", async (driver) => {
    await driver.commit(
      [
        {
          workspace: "w",
          timers: [{ set: timer("late", 30) }, { set: timer("soon", 10) }, { set: timer("other", 5, { kind: "sla" }) }]
        },
        { workspace: "v", timers: [{ set: timer("mid", 20) }] }
      ],
      0
    )
    equal(await dueKeys(driver, 9), "", "none yet")
    equal(await dueKeys(driver, 10), "w:soon", "at its instant")
    equal(await dueKeys(driver, 99), "w:soon v:mid w:late", "all")
    equal(await dueKeys(driver, 99, ["job"], 2), "w:soon v:mid", "limit")
    equal(await dueKeys(driver, 99, ["sla", "job", "none"]), "w:other w:soon v:mid w:late", "kinds")
    equal(await dueKeys(driver, 99, []), "", "no kind")
    committed(await one(driver, { workspace: "w", timers: [{ set: timer("soon", 25) }, { clear: "late" }] }))
    equal(await dueKeys(driver, 99), "v:mid w:soon", "moved and cleared")
    committed(await one(driver, { workspace: "w", timers: [{ set: timer("soon", 25, { kind: "sla" }) }] }))
    equal(await dueKeys(driver, 99), "v:mid", "of another kind now")
  })

  opened("[STORAGE-15] timers of a lane come due one after another, oldest first", async (driver) => {
    const lane = { lane: "l" }
    committed(
      await one(driver, {
        workspace: "w",
        timers: [{ set: timer("a", 50, lane) }, { set: timer("b", 10, lane) }, { set: timer("free", 20) }]
      })
    )
    committed(await one(driver, { workspace: "w", timers: [{ set: timer("c", 1, { ...lane, kind: "sla" }) }] }))
    committed(await one(driver, { workspace: "v", timers: [{ set: timer("x", 15, lane) }] }))
    equal(await dueKeys(driver, 20), "v:x w:free", "the oldest holds the others back")
    equal(await dueKeys(driver, 99, ["sla"]), "", "also those of another kind")
    equal(await dueKeys(driver, 50), "v:x w:free w:a", "the oldest")
    committed(await one(driver, { workspace: "w", timers: [{ set: timer("a", 60, lane) }] }))
    equal(await dueKeys(driver, 50), "v:x w:free", "set again it keeps its place")
    committed(await one(driver, { workspace: "w", timers: [{ clear: "a" }] }))
    equal(await dueKeys(driver, 50), "w:b v:x w:free", "the next")
    committed(await one(driver, { workspace: "w", timers: [{ clear: "b" }] }))
    equal(await dueKeys(driver, 50, ["sla"]), "w:c", "the last")
    const { sequence } = (await timerOf(driver, "c"))!
    committed(await one(driver, { workspace: "w", timers: [{ set: timer("d", 1, lane) }] }))
    ok((await timerOf(driver, "d"))!.sequence > sequence, "sequences rise")
  })

  opened("[STORAGE-15] a timer cleared in the middle of its lane holds nothing back", async (driver) => {
    const lane = { lane: "l" }
    committed(
      await one(driver, {
        workspace: "w",
        timers: [{ set: timer("a", 1, lane) }, { set: timer("b", 1, lane) }, { set: timer("c", 1, lane) }]
      })
    )
    committed(await one(driver, { workspace: "w", timers: [{ clear: "b" }] }))
    equal(await dueKeys(driver, 9), "w:a", "the first stays")
    committed(await one(driver, { workspace: "w", timers: [{ clear: "a" }, { set: timer("d", 1, lane) }] }))
    equal(await dueKeys(driver, 9), "w:c", "then the third")
  })

  opened("[STORAGE-15] a timer that changes its lane leaves the old and goes to the end of the new", async (driver) => {
    committed(
      await one(driver, {
        workspace: "w",
        timers: [
          { set: timer("a", 1, { lane: "l" }) },
          { set: timer("b", 1, { lane: "l" }) },
          { set: timer("c", 2, { lane: "m" }) }
        ]
      })
    )
    committed(await one(driver, { workspace: "w", timers: [{ set: timer("a", 1, { lane: "m" }) }] }))
    equal(await dueKeys(driver, 9), "w:b w:c", "b is free, a waits behind c")
    committed(
      await one(driver, { workspace: "w", timers: [{ set: timer("c", 3) }, { set: timer("b", 2, { lane: "l" }) }] })
    )
    equal(await dueKeys(driver, 9), "w:a w:b w:c", "c left its lane")
  })

  opened("[STORAGE-16] the next due instant respects kinds and lanes", async (driver) => {
    equal(await driver.nextDueAtMs(["job"]), undefined, "none")
    committed(
      await one(driver, {
        workspace: "w",
        timers: [
          { set: timer("a", 50, { lane: "l" }) },
          { set: timer("b", 10, { lane: "l" }) },
          { set: timer("c", 70) },
          { set: timer("d", 1, { kind: "sla" }) }
        ]
      })
    )
    equal(await driver.nextDueAtMs(["job"]), 50, "held back")
    equal(await driver.nextDueAtMs(["job", "sla"]), 1, "several kinds")
    equal(await driver.nextDueAtMs(["none"]), undefined, "another kind")
    committed(await one(driver, { workspace: "w", timers: [{ clear: "a" }] }))
    equal(await driver.nextDueAtMs(["job"]), 10, "freed")
  })
}
