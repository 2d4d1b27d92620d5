import { globSync, readFileSync } from "node:fs"
import { dirname, join, relative, resolve, sep } from "node:path"

export interface Manifest {
  readonly name: string
  readonly private?: boolean
  readonly bin?: Readonly<Record<string, string>>
  readonly scripts?: Readonly<Record<string, string>>
  readonly dependencies?: Readonly<Record<string, string>>
  readonly devDependencies?: Readonly<Record<string, string>>
  readonly peerDependencies?: Readonly<Record<string, string>>
  readonly optionalDependencies?: Readonly<Record<string, string>>
}

export interface SourceFile {
  /** From the repository's root, with forward slashes. */
  readonly path: string
  readonly text: string
}

export interface Package {
  /** From the repository's root, with forward slashes: `packages/channels/email`. */
  readonly folder: string
  readonly manifest: Manifest
  readonly files: ReadonlyArray<SourceFile>
}

export const root: string = resolve(import.meta.dirname, "../../..")

const toPosix = (path: string): string => path.split(sep).join("/")

/** Files below `folder` that match the patterns, never what was installed or built. */
export const listFiles = (folder: string, patterns: ReadonlyArray<string>): ReadonlyArray<string> =>
  globSync(patterns, {
    cwd: folder,
    exclude: (name) => name === "node_modules" || name === "dist" || name === ".examples"
  })
    .map(toPosix)
    .sort()

export const readSource = (workspace: string, path: string): SourceFile => ({
  path,
  text: readFileSync(join(workspace, path), "utf8")
})

export const readManifest = (workspace: string, folder: string): Manifest =>
  JSON.parse(readFileSync(join(workspace, folder, "package.json"), "utf8")) as Manifest

/** Every workspace of the repository with its TypeScript sources, tests and benchmarks. */
export const readPackages = (workspace: string = root): ReadonlyArray<Package> => {
  const { workspaces } = JSON.parse(readFileSync(join(workspace, "package.json"), "utf8")) as {
    readonly workspaces: ReadonlyArray<string>
  }
  return listFiles(
    workspace,
    workspaces.map((pattern) => `${pattern}/package.json`)
  )
    .map((path) => toPosix(dirname(path)))
    .map((folder) => ({
      folder,
      manifest: readManifest(workspace, folder),
      files: listFiles(join(workspace, folder), ["**/*.ts", "**/*.tsx"]).map((path) =>
        readSource(workspace, toPosix(relative(workspace, join(workspace, folder, path))))
      )
    }))
}

export const isPublishable = ({ manifest }: Package): boolean => manifest.private !== true

/** Sources are what a package publishes; the rest (tests, benchmarks, set-up) may use what it needs. */
export const isPublished = (owner: Package, file: SourceFile): boolean => file.path.startsWith(`${owner.folder}/src/`)
