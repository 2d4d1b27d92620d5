import { describe, expect, test } from "vitest"
import { checkDependencies } from "../src/Dependencies.ts"
import { toText } from "../src/Problem.ts"
import { isPublishable, readManifest, readPackages, root } from "../src/Workspace.ts"
import { makePackage } from "./Fixtures.ts"

const declared = (...names: ReadonlyArray<string>) => ({
  dependencies: Object.fromEntries(names.map((name) => [`@switchboard/${name}`, "^0.1.0"]))
})

const others = ["conversation", "channel", "storage", "sla", "routing"].map((name) => makePackage(`packages/${name}`))

const check = (...packages: ReadonlyArray<ReturnType<typeof makePackage>>): string => {
  const own = new Set(packages.map(({ folder }) => folder))
  return toText(
    checkDependencies([...packages, ...others.filter(({ folder }) => !own.has(folder))], new Set(["vitest", "effect"]))
  )
}

test("this repository keeps its dependency rule", () => {
  const packages = readPackages()
  expect(packages.filter(isPublishable).length).toBeGreaterThan(10)
  const { dependencies, devDependencies } = readManifest(root, ".")
  expect(toText(checkDependencies(packages, new Set(Object.keys({ ...dependencies, ...devDependencies }))))).toBe("")
})

describe("the dependency rule reports", () => {
  test("a sideways import, with its place and what is allowed", () => {
    const sla = makePackage(
      "packages/sla",
      { "src/Clock.ts": 'import { z } from "zod"\nimport { Pool } from "@switchboard/routing"\n' },
      { dependencies: { zod: "^4.0.0", "@switchboard/routing": "^0.1.0" } }
    )
    expect(check(sla)).toBe(
      [
        'packages/sla/src/Clock.ts:2 imports "@switchboard/routing": rank 1 may use only @switchboard/conversation, never its neighbours',
        "packages/sla/package.json:1 declares @switchboard/routing: rank 1 may use only @switchboard/conversation, never its neighbours"
      ].join("\n")
    )
  })

  test.each([
    ["an upward import", "packages/conversation", "channel", "rank 0 may use no package of ours"],
    ["a channel that sees storage", "packages/channels/sms", "storage", "a channel may use only"],
    ["a storage that sees the model", "packages/storages/lmdb", "conversation", "a storage may use only"],
    ["a desk that sees a channel", "packages/desk", "channel-sms", "desk may use only ranks 0 and 1"]
  ])("%s", (_, folder, target, message) => {
    const sms = makePackage("packages/channels/sms")
    const owner = makePackage(folder, { "src/A.ts": `export * from "@switchboard/${target}/B"` }, declared(target))
    expect(check(...(folder === sms.folder ? [owner] : [owner, sms]))).toContain(`${folder}/src/A.ts:1 imports`)
    expect(check(...(folder === sms.folder ? [owner] : [owner, sms]))).toContain(message)
  })

  test("the upward half of a cycle, also in tests", () => {
    const conversation = makePackage(
      "packages/conversation",
      { "test/A.test.ts": 'const a = await import("@switchboard/storage")' },
      { devDependencies: declared("storage").dependencies }
    )
    expect(check(conversation)).toContain("packages/conversation/test/A.test.ts:1 imports")
    expect(check(conversation)).toContain("packages/conversation/package.json:1 declares @switchboard/storage")
  })

  test.each([
    ["a static import", 'import { A } from "nanoid"'],
    ["a type import", 'import type { A } from "nanoid/types"'],
    ["a re-export", 'export { A } from "nanoid"'],
    ["a side effect", 'import "nanoid"'],
    ["a dynamic import", 'export const a = () => import("nanoid")'],
    ["an import type", 'export type A = import("nanoid").A'],
    ["a require", 'const a = require("nanoid")']
  ])("what the manifest doesn't declare: %s", (_, text) => {
    expect(check(makePackage("packages/desk", { "src/A.ts": text }))).toMatch(
      /^packages\/desk\/src\/A\.ts:1 imports "nanoid.*": add "nanoid" to the dependencies of packages\/desk\/package\.json$/
    )
  })

  test("a source that lives on a development dependency, while a test may", () => {
    const text = 'import "vitest"'
    expect(check(makePackage("packages/sla", { "src/A.ts": text }))).toContain('add "vitest" to the dependencies')
    expect(check(makePackage("packages/sla", { "test/A.test.ts": text }))).toBe("")
  })

  test("a declared package of ours that nothing imports", () => {
    expect(check(makePackage("packages/sla", { "src/A.ts": "export {}" }, declared("conversation")))).toBe(
      "packages/sla/package.json:1 declares @switchboard/conversation but no source imports it: import it or take it out"
    )
  })

  test.each([
    ["a Node built-in in a pure package", 'import { readFile } from "node:fs"', "ranks 0 and 1 are pure"],
    ["a Node built-in without its prefix", 'import { readFile } from "fs/promises"', 'write "node:fs/promises"'],
    ["Effect in a pure package", 'import { Effect } from "effect"', "Effect starts at packages/desk"],
    ["a path into another package", 'import { A } from "../../routing/src/A.ts"', "reaches out of packages/sla"],
    ["a package that isn't there", 'import { A } from "@switchboard/slo"', "no package of this repository"],
    ["another package's inside", 'import "@switchboard/conversation/internal/A"', "stays in its package"]
  ])("%s", (_, text, message) => {
    expect(check(makePackage("packages/sla", { "src/A.ts": text }, { dependencies: { effect: "*" } }))).toContain(
      message
    )
  })

  test("a folder without a rank", () => {
    expect(check(makePackage("packages/nursery"))).toContain("packages/nursery/package.json:1 has no rank")
  })
})

test("imports in comments and strings are not imports", () => {
  const text =
    '// import "nanoid"\nexport const a = `import "nanoid"`\n/** {@link nanoid} */\nexport const b = "from \'x\'"'
  expect(check(makePackage("packages/sla", { "src/A.ts": text }))).toBe("")
})
