import { readdirSync, readFileSync } from "node:fs"
import { join, posix } from "node:path"
import type { Problem } from "./Problem.ts"
import type { SourceFile } from "./Workspace.ts"

// Put together from parts, so that this file doesn't break its own rule.
const places = [["..", "shared"].join("/"), ["", "work", ""].join("/")]

/** Every text file that isn't ignored, below a folder. Read from the disk: a copy without Git is tested too. */
export const tracked = (workspace: string): ReadonlyArray<SourceFile> => {
  const ignored = readFileSync(join(workspace, ".gitignore"), "utf8").split("\n").filter(Boolean)
  const isIgnored = (path: string, name: string): boolean =>
    name === ".git" ||
    ignored.some((entry) => (entry.startsWith("*") ? name.endsWith(entry.slice(1)) : entry === name || entry === path))
  const below = (folder: string): ReadonlyArray<string> =>
    readdirSync(join(workspace, folder), { withFileTypes: true }).flatMap((entry) => {
      const path = posix.join(folder, entry.name)
      if (isIgnored(path, entry.name)) return []
      return entry.isDirectory() ? below(path) : entry.isFile() ? [path] : []
    })
  return below(".")
    .map((path) => ({ path, text: readFileSync(join(workspace, path), "utf8") }))
    .filter(({ text }) => !text.includes("\0"))
}

/** What only makes sense where the code was written: paths of that machine, addresses of its package registry. */
export const checkPrivateTalk = (files: ReadonlyArray<SourceFile>): ReadonlyArray<Problem> =>
  files.flatMap(({ path, text }) =>
    text.split("\n").flatMap((line, index) => {
      const report = (message: string): Problem => ({ file: path, line: index + 1, message })
      if (path.endsWith("package-lock.json") && /"resolved": "https?:/.test(line))
        return [
          report("names a registry: keep omit-lockfile-registry-resolved=true in .npmrc and write the lock file anew")
        ]
      return places
        .filter((place) => line.includes(place))
        .map((place) => report(`mentions "${place}", which no reader of the repository has: say it here instead`))
    })
  )
