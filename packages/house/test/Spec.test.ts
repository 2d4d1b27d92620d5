import { existsSync } from "node:fs"
import { join } from "node:path"
import { describe, expect, test } from "vitest"
import { toText } from "../src/Problem.ts"
import { domain } from "../src/Ranks.ts"
import { checkSpecs } from "../src/Spec.ts"
import { listFiles, readPackages, readSource, root } from "../src/Workspace.ts"

const check = (spec: string, tests: string): string =>
  toText(checkSpecs([{ path: "SPEC.md", text: spec }], [{ path: "A.test.ts", text: tests }]))

test("every domain package has a SPEC.md", () => {
  expect(domain.filter((folder) => !existsSync(join(root, folder, "SPEC.md")))).toEqual([])
})

test("rules and test titles of this repository match", () => {
  const specs = listFiles(root, ["packages/*/SPEC.md", "packages/*/*/SPEC.md"]).map((path) => readSource(root, path))
  const files = readPackages()
    // The fixtures below cite rules that exist nowhere.
    .filter(({ folder }) => folder !== "packages/house")
    .flatMap((each) => each.files)
  expect(toText(checkSpecs(specs, files))).toBe("")
})

describe("rules and titles", () => {
  test.each([
    ["a title", 'test("[SLA-1] a", f)'],
    ["several ids", 'test("[SLA-1, SLA-2] a", f)'],
    ["several brackets", 'describe("[SLA-2] [SLA-1] a", f)'],
    ["a property", 'test.prop([n])("[SLA-1] a", f)'],
    ["an effect", 'it.effect("[SLA-1] a", f)'],
    // biome-ignore lint/suspicious/noTemplateCurlyInString: it is the source under test
    ["a template", "test(`[SLA-1] a ${b}`, f)"],
    ["a table of cases", 'test.each([["[SLA-1] a", 1]])("%s", f)']
  ])("match by %s", (_, tests) => {
    const spec = tests.includes("SLA-2") ? "- **SLA-1** One.\n- **SLA-2** Two.\n" : "- **SLA-1** One.\n"
    expect(check(spec, tests)).toBe("")
  })

  test("a rule that no test cites is reported at the rule", () => {
    expect(check("# Rules\n\n- **SLA-1** One.\n- **SLA-2** Two.\n", 'test("[SLA-1] a", f)')).toBe(
      'SPEC.md:4 SLA-2 is cited by no test: write one titled "[SLA-2] …"'
    )
  })

  test("a citation of a rule that isn't there is reported at the title", () => {
    expect(check("- **SLA-1** One.\n", 'test("[SLA-1] a", f)\ntest("[SLA-11] b", f)\n')).toBe(
      "A.test.ts:2 cites SLA-11, which no SPEC.md holds: write the rule or correct the id"
    )
    expect(check("- **SLA-1** One.\n", 'test("[SLA-1] a", f)\ntest("[SLO-1] b", f)\n')).toContain("cites SLO-1")
  })

  test("a number given twice is reported, within one SPEC.md and across", () => {
    expect(check("- **SLA-1** One.\n- **SLA-1** Two.\n", 'test("[SLA-1] a", f)')).toBe(
      "SPEC.md:2 SLA-1 is already at SPEC.md:1: number it anew"
    )
    const specs = ["a", "b"].map((name) => ({ path: `${name}/SPEC.md`, text: "- **X-1** One.\n" }))
    expect(toText(checkSpecs(specs, [{ path: "A.test.ts", text: 'test("[X-1] a", f)' }]))).toContain(
      "b/SPEC.md:1 X-1 is already at a/SPEC.md:1"
    )
  })

  test.each([
    ["a comment", '// test("[SLA-1] a", f)'],
    ["a skipped test", 'test.skip("[SLA-1] a", f)'],
    ["a test of a skipped group", 'describe.skip("a", () => { test("[SLA-1] a", f) })'],
    ["a test to be written", 'test.todo("[SLA-1] a")'],
    ["the middle of a title", 'test("a [SLA-1] a", f)']
  ])("%s cites nothing", (_, tests) => {
    expect(check("- **SLA-1** One.\n", tests)).toContain("SLA-1 is cited by no test")
  })

  test("a SPEC.md without a readable rule is reported", () => {
    expect(check("- SLA-1: One.\n", "")).toContain("SPEC.md:1 has no rule")
  })
})
