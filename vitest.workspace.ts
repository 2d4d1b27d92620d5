import { globSync, readFileSync } from "node:fs"
import { dirname, resolve } from "node:path"
import { defineConfig } from "vitest/config"

// Packages are tested from their sources: no build comes before a test.
const conditions = ["@switchboard/source"]

// Threads and processes that tests start compile what they share once.
process.env["NODE_COMPILE_CACHE"] ??= resolve("node_modules/.cache/compiled")

const { workspaces } = JSON.parse(readFileSync("package.json", "utf8")) as { workspaces: Array<string> }
const roots = workspaces.flatMap((pattern) => globSync(`${pattern}/package.json`)).map((file) => dirname(file))

export default defineConfig({
  resolve: { conditions },
  ssr: { resolve: { conditions, externalConditions: conditions } },
  test: {
    passWithNoTests: false,
    testTimeout: 60_000,
    hookTimeout: 60_000,
    projects: roots.sort().map((root) => ({
      extends: true as const,
      test: { name: root.replace(/^packages\//, ""), root, include: ["test/**/*.test.ts", "test/**/*.test.tsx"] }
    }))
  }
})
