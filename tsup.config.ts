import { globSync } from "node:fs"
import { defineConfig } from "tsup"

// One entry per module, so that every module has a sub-path of its own.
export default defineConfig({
  entry: globSync("src/*.ts"),
  format: ["esm"],
  dts: false,
  sourcemap: true,
  clean: true,
  // `node:sqlite` has no other name.
  removeNodeProtocol: false,
  target: "es2024",
  platform: "node"
})
