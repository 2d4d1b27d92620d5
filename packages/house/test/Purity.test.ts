import { describe, expect, test } from "vitest"
import { toText } from "../src/Problem.ts"
import { ambientUses, checkPurity, platformNames } from "../src/Purity.ts"
import { readPackages } from "../src/Workspace.ts"
import { makePackage } from "./Fixtures.ts"

const uses = (text: string): string => toText(ambientUses({ path: "A.ts", text }))
const names = (text: string): string => toText(platformNames({ path: "A.ts", text }, ["email", "sms"]))

test("ranks 0 and 1 of this repository are pure, and shared code names no platform", () => {
  expect(toText(checkPurity(readPackages()))).toBe("")
})

describe("ambient time and randomness are reported", () => {
  test.each([
    ["Date.now()", "Date.now"],
    ['Date["now"]()', "Date.now"],
    ["const now = Date.now", "Date.now"],
    ["globalThis.Date.now()", "Date.now"],
    ["const { now } = Date", "Date.now"],
    ["new Date()", "new Date()"],
    ["new Date", "new Date()"],
    ["Date()", "Date()"],
    ["Math.random()", "Math.random"],
    ["performance.now()", "performance.now"],
    ["crypto.randomUUID()", "crypto.randomUUID"],
    ["globalThis.crypto.randomUUID()", "crypto.randomUUID"],
    ["crypto.getRandomValues(bytes)", "crypto.getRandomValues"],
    ["setTimeout(() => {}, 1)", "setTimeout"],
    ["globalThis.setTimeout(f, 1)", "setTimeout"],
    ["const timers = { setTimeout }", "setTimeout"],
    ["const later = setInterval", "setInterval"],
    ["AbortSignal.timeout(1)", "AbortSignal.timeout"]
  ])("%s", (text, what) => {
    expect(uses(`\n${text}`)).toBe(
      `A.ts:2 uses ${what}: ranks 0 and 1 are pure; take times, ids and random numbers as arguments`
    )
  })

  test.each([
    "new Date(at)",
    "Date.UTC(2026, 0, 1)",
    "Math.max(1, 2)",
    "clock.now()",
    "timers.setTimeout(f, 1)",
    "const f = (setTimeout: unknown) => 1",
    "// Date.now()",
    'const text = "Date.now()"'
  ])("and nothing else: %s", (text) => {
    expect(uses(text)).toBe("")
  })

  test("in the sources of ranks 0 and 1 only", () => {
    const text = "export const now = Date.now()"
    const check = (folder: string, path: string) => toText(checkPurity([makePackage(folder, { [path]: text })]))
    expect(check("packages/sla", "src/internal/A.ts")).toContain("packages/sla/src/internal/A.ts:1")
    expect(check("packages/sla", "test/A.test.ts")).toBe("")
    expect(check("packages/storages/sqlite", "src/A.ts")).toBe("")
  })
})

describe("a platform's name is reported", () => {
  test.each([
    ['if (channel === "whatsapp") f()', "whatsapp"],
    ['const kinds = ["sms", "telegram"]', "telegram"],
    ["const text = `to WhatsApp`", "WhatsApp"],
    // biome-ignore lint/suspicious/noTemplateCurlyInString: it is the source under test
    ["const text = `${name} on telegram`", "telegram"],
    ['if (kind === "email") f()', "email"],
    ['switch (kind) { case "sms": f() }', "sms"]
  ])("%s", (text, name) => {
    expect(names(text)).toBe(`A.ts:1 names the platform "${name}": let channels declare a capability and read that`)
  })

  test.each([
    '// as on "whatsapp"',
    "/** Such as `whatsapp`. */\nexport const a = 1",
    'const field = { kind: "email" }',
    'const message = "such as email or sms"',
    'import { A } from "./telegram.ts"',
    "const telegram = 1"
  ])("and nothing else: %s", (text) => {
    expect(names(text)).toBe("")
  })

  test("in shared code, not in the channel itself", () => {
    const check = (folder: string) =>
      toText(checkPurity([makePackage(folder, { "src/A.ts": 'export const a = "telegram"' })]))
    expect(check("packages/desk")).toContain("packages/desk/src/A.ts:1")
    expect(check("packages/channels/telegram")).toBe("")
  })
})
