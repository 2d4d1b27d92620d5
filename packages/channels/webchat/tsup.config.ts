import { globSync } from "node:fs"
import { defineConfig } from "tsup"

export default defineConfig([
  {
    entry: globSync("src/*.ts"),
    format: ["esm"],
    dts: false,
    sourcemap: true,
    // The widget's folder is left alone: both are built at the same time.
    clean: ["dist/*.*"],
    removeNodeProtocol: false,
    target: "es2024",
    platform: "node"
  },
  {
    // One file that a page can load by itself.
    entry: ["src/widget/index.ts"],
    outDir: "dist/widget",
    format: ["esm"],
    dts: false,
    sourcemap: true,
    clean: true,
    minify: true,
    splitting: false,
    target: "es2022",
    platform: "browser"
  }
])
