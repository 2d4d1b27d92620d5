import { existsSync, mkdtempSync, readFileSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { publint } from "publint"
import { formatMessage } from "publint/utils"
import { inParallel, run } from "./Command.ts"
import { pack, type Tarball } from "./Tarball.ts"
import { isPublishable, listFiles, readPackages, root } from "./Workspace.ts"

const lint = async ({ owner, path }: Tarball): Promise<ReadonlyArray<string>> => {
  const { buffer, byteOffset, byteLength } = readFileSync(path)
  const tarball = buffer.slice(byteOffset, byteOffset + byteLength)
  const { messages, pkg } = await publint({ strict: true, pack: { tarball } })
  return messages.map((message) => `${owner.folder} publint: ${formatMessage(message, pkg, { color: false })}`)
}

const checkTypes = async ({ owner, path }: Tarball): Promise<ReadonlyArray<string>> => {
  // The tool skips the wildcard of "./*", so each module is named.
  const modules = listFiles(join(root, owner.folder), ["src/*.ts"])
    .map((file) => file.slice("src/".length, -".ts".length))
    .filter((name) => name !== "index")
  const { ok, output } = await run(
    "attw",
    [path, "--profile", "esm-only", "--no-emoji", "--no-color", "--format", "ascii", "--entrypoints", ".", ...modules],
    { cwd: root, timeoutMs: 120_000 }
  )
  return ok ? [] : [`${owner.folder} are-the-types-wrong:\n${output}`]
}

if (import.meta.main) {
  const packages = readPackages()
  const unbuilt = packages.filter(
    (each) => isPublishable(each) && !existsSync(join(root, each.folder, "dist/index.js"))
  )
  if (unbuilt.length > 0) {
    console.error(`${unbuilt.map(({ folder }) => folder).join(", ")}: not built, run \`npm run build\` first`)
    process.exit(1)
  }
  const folder = mkdtempSync(join(tmpdir(), "switchboard-packages-"))
  try {
    const tarballs = await pack(root, packages, folder)
    const problems = await inParallel(tarballs, 2, async (tarball) => [
      ...(await lint(tarball)),
      ...(await checkTypes(tarball))
    ])
    for (const problem of problems.flat()) console.error(problem)
    if (problems.flat().length > 0) process.exitCode = 1
    else console.log(`${tarballs.length} packages: publint and are-the-types-wrong found nothing`)
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
}
