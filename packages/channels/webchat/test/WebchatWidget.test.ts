import { gzipSync } from "node:zlib"
import { WebchatWidget } from "@switchboard/channel-webchat"
import { expect, test } from "vitest"
import { bundle } from "./Fixtures.ts"

test("the widget is one file of less than 30 kB, gzipped, that asks nobody else for anything", async () => {
  const code = await WebchatWidget.source({ bundle })
  expect(gzipSync(code, { level: 9 }).byteLength).toBeLessThan(30_000)
  expect(code).not.toMatch(/\bimport\s*(?:[{*"'(]|\w+\s+from)/)
  const addresses = (code.match(/https?:\/\/[\w.-]+/g) ?? []).filter((address) => address !== "http://www.w3.org")
  // Only as a link that a visitor may follow.
  expect(new Set(addresses)).toEqual(new Set(["https://www.openstreetmap.org"]))
  expect(code).not.toMatch(/innerHTML|outerHTML|insertAdjacentHTML|document\.write|\beval\(/)
})

test("from its sources the widget needs a bundler, and says so", async () => {
  await expect(WebchatWidget.source()).rejects.toThrow(/bundle/)
})

test("can be imported where there is no browser", async () => {
  expect(await import("@switchboard/channel-webchat/widget")).toHaveProperty("SwitchboardChat")
})
