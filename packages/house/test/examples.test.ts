import { existsSync } from "node:fs"
import { pathToFileURL } from "node:url"
import { describe, expect, test } from "vitest"
import { documented, examplesOf, pathOf, toModule, unknownBlocks, writeExamples } from "../src/examples.ts"
import { toText } from "../src/Problem.ts"

const examples = writeExamples()

describe("runs as it is written:", () => {
  for (const example of examples.filter(({ runs }) => runs))
    test(`${example.file}:${example.line}`, { timeout: 20_000 }, async () => {
      await import(/* @vite-ignore */ pathToFileURL(pathOf(example)).href)
    })
})

test("every block of TypeScript in the documentation is run, type-checked or openly left out", () => {
  expect(toText(documented().flatMap(unknownBlocks))).toBe("")
})

test("every example is a module of its own", () => {
  const paths = examples.map(pathOf)
  expect(new Set(paths).size).toBe(paths.length)
  expect(paths.filter((path) => !existsSync(path))).toEqual([])
})

const fence = "```"

describe("examples are taken", () => {
  test("from docstrings, with the line they stand on", () => {
    const text = [
      "/**",
      " * One.",
      " *",
      " * **Example**",
      ` * ${fence}ts`,
      " * const a = 1",
      " *   a",
      ` * ${fence}`,
      " */",
      "export const b = 2"
    ].join("\n")
    const example = { file: "packages/sla/src/A.ts", line: 5, runs: true, code: "const a = 1\n  a" }
    expect(examplesOf({ path: "packages/sla/src/A.ts", text })).toEqual([example])
    expect(toModule(example).split("\n")[5]).toBe("const a = 1")
    expect(pathOf(example)).toMatch(/packages-sla-src-A-5\.ts$/)
  })

  test("from Markdown: run, only type-checked, or left out", () => {
    const block = (info: string) => `${fence}${info}\n${info}\n${fence}\n`
    const text = ["ts", "ts no-run", "ts ignore", "sh", "json"].map(block).join("")
    expect(examplesOf({ path: "README.md", text })).toEqual([
      { file: "README.md", line: 1, runs: true, code: "ts" },
      { file: "README.md", line: 4, runs: false, code: "ts no-run" }
    ])
  })

  test("from inside lists and from between other blocks", () => {
    const text = `1. One\n\n   ${fence}ts\n   a()\n   ${fence}\n\n${fence}${fence[0]}md\n${fence}ts\nnot()\n${fence}\n${fence}${fence[0]}\n`
    expect(examplesOf({ path: "docs/a.md", text }).map(({ code }) => code)).toEqual(["a()"])
  })

  test("never from code or from plain comments", () => {
    const text = `const a = \`\n${fence}ts\nb()\n${fence}\n\`\n// ${fence}ts\n// c()\n// ${fence}\n`
    expect(examplesOf({ path: "packages/sla/src/A.ts", text })).toEqual([])
  })
})

test("a block whose opening would leave it out is reported", () => {
  expect(toText(unknownBlocks({ path: "README.md", text: `a\n${fence}typescript\nb()\n${fence}\n` }))).toContain(
    'README.md:2 opens a block with "typescript": write "ts"'
  )
  expect(
    toText(unknownBlocks({ path: "README.md", text: `${fence}ts norun\n${fence}\n${fence}ts\n${fence}\n` }))
  ).toContain('README.md:1 opens a block with "ts norun"')
})
