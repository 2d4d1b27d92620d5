import type { Manifest, Package } from "../src/Workspace.ts"

/** A package in memory: a folder, its sources by path inside it, and what its manifest declares. */
export const makePackage = (
  folder: string,
  files: Readonly<Record<string, string>> = {},
  manifest: Partial<Manifest> = {}
): Package => ({
  folder,
  manifest: {
    name: `@switchboard/${folder.replace(/^packages\//, "").replace(/^(channel|storage)s\//, "$1-")}`,
    ...manifest
  },
  files: Object.entries(files).map(([path, text]) => ({ path: `${folder}/${path}`, text }))
})
