import { mkdirSync } from "node:fs"
import { join } from "node:path"
import { run } from "./Command.ts"
import { isPublishable, listFiles, type Package } from "./Workspace.ts"

export interface Tarball {
  readonly owner: Package
  readonly path: string
}

/** Packs what is in `dist` now: the tarballs that `npm publish` would upload, by package. */
export const pack = async (
  workspace: string,
  packages: ReadonlyArray<Package>,
  destination: string
): Promise<ReadonlyArray<Tarball>> => {
  mkdirSync(destination, { recursive: true })
  const owners = packages.filter(isPublishable)
  const folders = owners.map(({ folder }) => `./${folder}`)
  const { ok, output } = await run("npm", ["pack", ...folders, "--pack-destination", destination, "--loglevel=error"], {
    cwd: workspace,
    timeoutMs: 120_000
  })
  if (!ok) throw new Error(`npm pack failed:\n${output}`)
  const written = listFiles(destination, ["*.tgz"])
  return owners.map((owner) => {
    const stem = owner.manifest.name.replace("@", "").replace("/", "-")
    const file = written.find((name) => name.startsWith(`${stem}-`) && /^\d/.test(name.slice(stem.length + 1)))
    if (file === undefined) throw new Error(`npm pack wrote no tarball for ${owner.manifest.name}:\n${output}`)
    return { owner, path: join(destination, file) }
  })
}
