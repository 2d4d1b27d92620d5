import { readFileSync } from "node:fs"
import { expect, test } from "vitest"

test("the guide shows the adapter as it is", () => {
  const read = (path: string): string => readFileSync(new URL(path, import.meta.url), "utf8")
  expect(read("../../../docs/embed.md")).toContain(`\`\`\`ts\n${read("../src/toListener.ts")}\`\`\``)
})
