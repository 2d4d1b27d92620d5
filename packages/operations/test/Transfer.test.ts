import { createHash } from "node:crypto"
import { appendFileSync, existsSync, readFileSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import { gunzipSync } from "node:zlib"
import { createDesk } from "@switchboard/desk"
import type { StorageDriver } from "@switchboard/storage"
import { describe, expect, test } from "vitest"
import { Export, Import, Verification } from "../src/index.ts"
import { agent, configure, everything, makeFolder, makeMemory, makeWorked, work } from "./Fixture.ts"

const now = () => Date.parse("2026-03-09T10:00:00Z")

const exportTo = (driver: StorageDriver.StorageDriver, file: string) =>
  Export.exportWorkspace(driver, "main", file, { now })

/** A driver that ends in the middle of a dump, or of loads, as a process does that is killed. */
const dyingAfter = (
  driver: StorageDriver.StorageDriver,
  batches: number,
  size: number
): StorageDriver.StorageDriver => {
  let loads = 0
  return {
    ...driver,
    dump: async function* (workspace, after) {
      let told = 0
      for await (const batch of driver.dump(workspace, after)) {
        for (let from = 0; from < batch.length; from += size) {
          if (told++ === batches) throw new Error("killed")
          yield batch.slice(from, from + size)
        }
      }
    },
    load: async (...load) => {
      if (loads++ === batches) throw new Error("killed")
      await driver.load(...load)
    }
  }
}

describe("export and import", () => {
  test("[OPERATIONS-10] what is imported is the same in all that it holds, and works on", async () => {
    const { driver } = await makeWorked()
    const folder = makeFolder()
    for (const name of ["desk.ndjson", "desk.ndjson.gz"]) {
      const { lines, resumed } = await exportTo(driver, join(folder, name))
      expect([lines, resumed]).toEqual([(await everything(driver)).length, 0])
      const target = await makeMemory()
      expect(await Import.importWorkspace(target, join(folder, name))).toEqual({ workspace: "main", lines, resumed: 0 })
      expect(await everything(target)).toEqual(await everything(driver))

      const desk = await createDesk(configure(target))
      await work(desk, 3, "d")
      await desk.stop()
      for await (const finding of Verification.verify(target, "main")) expect(finding).toBeUndefined()
    }
    expect(gunzipSync(readFileSync(join(folder, "desk.ndjson.gz")))).toEqual(readFileSync(join(folder, "desk.ndjson")))
  })

  test("[OPERATIONS-10] it is imported under another name", async () => {
    const { driver } = await makeWorked(2)
    const file = join(makeFolder(), "desk.ndjson")
    await exportTo(driver, file)
    await Import.importWorkspace(driver, file, { workspace: "copy" })
    expect(await everything(driver, "copy")).toEqual(await everything(driver))
  })

  test("[OPERATIONS-11] an export that was broken off goes on, and is the same as one that was not", async () => {
    const { driver } = await makeWorked()
    const folder = makeFolder()
    const whole = join(folder, "whole.ndjson")
    await exportTo(driver, whole)
    for (const batches of [1, 5, 20]) {
      const file = join(folder, `${batches}.ndjson`)
      await expect(exportTo(dyingAfter(driver, batches, 7), file)).rejects.toThrow("killed")
      expect(existsSync(file)).toBe(false)
      // What a process was writing when it ended.
      appendFileSync(`${file}.partial`, '{"kind":"event","event":{"posi')
      const { resumed } = await exportTo(driver, file)
      expect(resumed).toBe(Math.min(batches * 7, await driver.head("main")))
      expect(readFileSync(file, "utf8")).toBe(readFileSync(whole, "utf8"))
      expect(existsSync(`${file}.partial`)).toBe(false)
    }
  })

  test("[OPERATIONS-11] words that were written before and erased since are not in the file", async () => {
    const { driver } = await makeWorked(3)
    const file = join(makeFolder(), "desk.ndjson")
    await expect(exportTo(dyingAfter(driver, 6, 5), file)).rejects.toThrow("killed")
    expect(readFileSync(`${file}.partial`, "utf8")).toContain("I am 0")

    const desk = await createDesk(configure(driver))
    const { documents } = await driver.query("main", { view: "contacts", limit: 9 })
    for (const { key } of documents) await desk.erase(agent, key)
    await desk.drain()
    await desk.stop()
    expect((await exportTo(driver, file)).resumed).toBe(0)
    expect(readFileSync(file, "utf8")).not.toContain("I am ")
  })

  test("[OPERATIONS-12] an import that was broken off goes on, and is the same as one that was not", async () => {
    const { driver } = await makeWorked()
    const desk = await createDesk(configure(driver))
    // Enough that it is loaded in several pieces.
    for (const run of ["b", "c"]) await work(desk, 12, run)
    const [row] = (await desk.inbox(agent)).rows
    for (let index = 0; index < 30; index++)
      await desk.note(agent, row!.conversationId, { text: `${index} ${"x".repeat(60_000)}` })
    await desk.drain()
    await desk.stop()
    const file = join(makeFolder(), "desk.ndjson")
    const { lines } = await exportTo(driver, file)
    const target = await makeMemory()
    const counted: Array<number> = []
    await Import.importWorkspace(await makeMemory(), file, { onProgress: (done) => counted.push(done) })
    expect(counted.length).toBeGreaterThan(2)
    expect(counted.at(-1)).toBe(lines)

    await expect(Import.importWorkspace(dyingAfter(target, 2, 1), file)).rejects.toThrow("killed")
    await expect(exportTo(target, `${file}.2`)).rejects.toMatchObject({ code: "occupied" })
    expect(await Import.importWorkspace(target, file)).toEqual({ workspace: "main", lines, resumed: counted[1] })
    expect(await everything(target)).toEqual(await everything(driver))
  })

  test("[OPERATIONS-12] an import of another file does not go on there", async () => {
    const { driver } = await makeWorked(2)
    const { driver: other } = await makeWorked(3)
    const folder = makeFolder()
    await exportTo(driver, join(folder, "one.ndjson"))
    await exportTo(other, join(folder, "other.ndjson"))
    const target = await makeMemory()
    const dying: StorageDriver.StorageDriver = {
      ...target,
      load: async (workspace, holdings) => {
        if ((await target.head(workspace)) > 0) throw new Error("killed")
        await target.load(workspace, holdings)
      }
    }
    await expect(Import.importWorkspace(dying, join(folder, "one.ndjson"))).rejects.toThrow("killed")
    await expect(Import.importWorkspace(target, join(folder, "other.ndjson"))).rejects.toMatchObject({
      code: "occupied",
      found: "an import of another file that was not finished"
    })
    await Import.importWorkspace(target, join(folder, "other.ndjson"), { replace: true })
    expect(await everything(target)).toEqual(await everything(other))
  })

  test("[OPERATIONS-13] nothing is imported of a file that is not whole, and the place is named", async () => {
    const { driver } = await makeWorked(2)
    const folder = makeFolder()
    const file = join(folder, "desk.ndjson")
    await exportTo(driver, file)
    const text = readFileSync(file, "utf8")
    const lines = text.trimEnd().split("\n")
    const change = (index: number, from: string | RegExp, to: string) =>
      lines.map((line, place) => (place === index ? line.replace(from, to) : line)).join("\n")
    const cases: ReadonlyArray<readonly [contents: string, message: RegExp]> = [
      ["", /line 1: found no header/],
      ["hello\n", /line 1: found what is no JSON/],
      [`${lines[1]}\n`, /line 1: found a line of kind event/],
      [`${lines.slice(0, -1).join("\n")}\n`, /found no end; export it again/],
      [text.slice(0, -1), /found no end/],
      [`${[...lines.slice(0, 3), ...lines.slice(4)].join("\n")}\n`, /lines where \d+ were written/],
      [`${change(2, /"stream":"/, '"stream":"x')}\n`, /other bytes than were written/],
      [`${change(2, /"position":\d+/, '"position":"two"')}\n`, /line 3: found event\.position/],
      [`${change(0, '"format":1', '"format":2')}\n`, /line 1: found format: .*; install a newer release/],
      [`${text}${lines[2]}\n`, /a line after the end/],
      [`${change(0, '"messages":1', '"messages":7')}\n`, /other bytes than were written/]
    ]
    for (const [contents, message] of cases) {
      const bad = join(folder, "bad.ndjson")
      writeFileSync(bad, contents)
      const target = await makeMemory()
      await expect(Import.importWorkspace(target, bad), String(message)).rejects.toThrow(message)
      expect(await target.workspaces()).toEqual([])
    }
  })

  test("[OPERATIONS-14] what holds something is not imported into unless asked, what exists is not written over", async () => {
    const { driver } = await makeWorked(2)
    const file = join(makeFolder(), "desk.ndjson")
    await exportTo(driver, file)
    await expect(exportTo(driver, file)).rejects.toMatchObject({ code: "occupied", what: file })
    const { driver: other } = await makeWorked(3)
    const before = await everything(other)
    await expect(Import.importWorkspace(other, file)).rejects.toMatchObject({ code: "occupied" })
    expect(await everything(other)).toEqual(before)
    await Import.importWorkspace(other, file, { replace: true })
    expect(await everything(other)).toEqual(await everything(driver))
    await expect(Export.exportWorkspace(driver, "elsewhere", `${file}.2`, { now })).rejects.toMatchObject({
      code: "missing",
      found: "only main"
    })
  })

  test("[OPERATIONS-11] what another storage, or another history of this one, had begun is not gone on with", async () => {
    const { driver } = await makeWorked(3)
    const { driver: other } = await makeWorked(5)
    const folder = makeFolder()
    const whole = join(folder, "whole.ndjson")
    await exportTo(other, whole)
    const file = join(folder, "desk.ndjson")
    await expect(exportTo(dyingAfter(driver, 4, 5), file)).rejects.toThrow("killed")
    expect((await exportTo(other, file)).resumed).toBe(0)
    expect(readFileSync(file, "utf8")).toBe(readFileSync(whole, "utf8"))

    // A storage that was put back: the file had come further than its journal.
    const shorter = await makeMemory()
    for await (const batch of driver.dump("main", 0)) await shorter.load("main", batch.slice(0, 9))
    const later = join(folder, "later.ndjson")
    await expect(exportTo(dyingAfter(driver, 4, 5), later)).rejects.toThrow("killed")
    expect((await exportTo(shorter, later)).resumed).toBe(0)
  })

  test("[OPERATIONS-11] an export goes on before what a power cut left of its end", async () => {
    const { driver } = await makeWorked(2)
    const folder = makeFolder()
    const whole = join(folder, "whole.ndjson")
    await exportTo(driver, whole)
    const file = join(folder, "desk.ndjson")
    await expect(exportTo(dyingAfter(driver, 3, 5), file)).rejects.toThrow("killed")
    appendFileSync(`${file}.partial`, `${"\0".repeat(100)}\n${"\0".repeat(100)}`)
    expect((await exportTo(driver, file)).resumed).toBe(15)
    expect(readFileSync(file, "utf8")).toBe(readFileSync(whole, "utf8"))
  })

  test("[OPERATIONS-12] an import of a later export of the same workspace does not go on there", async () => {
    const { driver } = await makeWorked(4)
    const folder = makeFolder()
    const early = join(folder, "early.ndjson")
    await exportTo(driver, early)
    const desk = await createDesk(configure(driver))
    const [row] = (await desk.inbox(agent)).rows
    await desk.note(agent, row!.conversationId, { text: "since then" })
    await desk.drain()
    await desk.stop()
    const late = join(folder, "late.ndjson")
    await exportTo(driver, late)

    const target = await makeMemory()
    // Everything was loaded but the last thing: that it is done.
    const dying: StorageDriver.StorageDriver = {
      ...target,
      load: async (workspace, holdings) => {
        if (holdings.every(({ kind }) => kind === "cursor")) throw new Error("killed")
        await target.load(workspace, holdings)
      }
    }
    await expect(Import.importWorkspace(dying, early)).rejects.toThrow("killed")
    await expect(Import.importWorkspace(target, late)).rejects.toMatchObject({
      code: "occupied",
      found: "an import of another file that was not finished"
    })
    await Import.importWorkspace(target, early)
    await expect(Import.importWorkspace(target, early)).rejects.toMatchObject({ code: "occupied" })
    await Import.importWorkspace(target, late, { replace: true })
    expect(await everything(target)).toEqual(await everything(driver))
  })

  test("[OPERATIONS-13] a compressed file that is damaged or cut short is named, and nothing comes in", async () => {
    const { driver } = await makeWorked(2)
    const file = join(makeFolder(), "desk.ndjson.gz")
    await exportTo(driver, file)
    const bytes = readFileSync(file)
    const flipped = Uint8Array.from(bytes, (byte, index) => (index === bytes.length >> 1 ? byte ^ 0xff : byte))
    for (const bad of [bytes.subarray(0, bytes.length - 20), bytes.subarray(0, 1), flipped, Buffer.from("hello\n")]) {
      writeFileSync(file, bad)
      const target = await makeMemory()
      await expect(Import.importWorkspace(target, file)).rejects.toMatchObject({
        code: "archive",
        message: expect.stringContaining(`${file}, line `)
      })
      expect(await target.workspaces()).toEqual([])
    }
  })

  test("[OPERATIONS-13] a file of a release that knew fewer views is not imported", async () => {
    const { driver } = await makeWorked(1)
    const file = join(makeFolder(), "desk.ndjson")
    await exportTo(driver, file)
    const lines = readFileSync(file, "utf8").trimEnd().split("\n")
    const kept = lines.slice(0, -1).map((line) => line.replace('"threads":1,', ""))
    const sha256 = createHash("sha256")
      .update(`${kept.join("\n")}\n`)
      .digest("hex")
    writeFileSync(file, `${kept.join("\n")}\n${JSON.stringify({ kind: "end", lines: kept.length - 1, sha256 })}\n`)
    await expect(Import.importWorkspace(await makeMemory(), file)).rejects.toMatchObject({ code: "unsupported" })
  })
})
