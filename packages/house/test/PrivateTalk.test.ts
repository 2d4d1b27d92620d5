import { expect, test } from "vitest"
import { checkPrivateTalk, tracked } from "../src/PrivateTalk.ts"
import { toText } from "../src/Problem.ts"
import { root } from "../src/Workspace.ts"

const check = (path: string, text: string): string => toText(checkPrivateTalk([{ path, text }]))

test("nothing in this repository speaks of where it was written", () => {
  const files = tracked(root)
  expect(files.map(({ path }) => path)).toEqual(expect.arrayContaining(["README.md", "package-lock.json", ".ci/run"]))
  expect(files.filter(({ path }) => /node_modules|\/dist\/|\.db$/.test(path))).toEqual([])
  expect(toText(checkPrivateTalk(files))).toBe("")
})

test("a path of the workplace is reported with its line", () => {
  const path = ["..", "shared"].join("/")
  expect(check("docs/a.md", `# A\nSee ${path}/A.md`)).toBe(
    `docs/a.md:2 mentions "${path}", which no reader of the repository has: say it here instead`
  )
  expect(check("a.ts", `const a = "${["", "work", "main"].join("/")}"`)).toContain("a.ts:1 mentions")
  expect(check("a.ts", 'import "../working/shared.ts"')).toBe("")
})

test("a registry's address in the lock file is reported", () => {
  expect(check("package-lock.json", '"resolved": "https://registry.example/a.tgz"')).toContain("names a registry")
  expect(check("package-lock.json", '"resolved": "packages/sla", "link": true')).toBe("")
})
