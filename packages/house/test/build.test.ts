import { expect, test } from "vitest"
import { leaksOf } from "../src/build.ts"
import { toText } from "../src/Problem.ts"

const leaks = (text: string): string => toText(leaksOf({ path: "packages/sla/dist/A.d.ts", text }))

test.each(["./B.ts", "../src/B.js", "../../routing/dist/B.js"])("declarations that import %s are reported", (path) => {
  expect(leaks(`\nexport type B = import("${path}").B`)).toBe(
    `packages/sla/dist/A.d.ts:2 imports "${path}", which isn't published: import the other package by its name`
  )
})

test("declarations may import each other and packages, and show sources in their comments", () => {
  expect(leaks('/** import "./B.ts" */\nimport { B } from "./B.js"\nexport * from "@switchboard/conversation"')).toBe(
    ""
  )
})
