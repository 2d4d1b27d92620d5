import { existsSync } from "node:fs"
import { join } from "node:path"
import { inParallel, run } from "./Command.ts"
import { type Problem, toText } from "./Problem.ts"
import { importsOf } from "./Syntax.ts"
import { isPublishable, listFiles, type Package, readPackages, readSource, root, type SourceFile } from "./Workspace.ts"

export interface Built {
  readonly folder: string
  readonly seconds: number
  /** Empty when the package is built and whole. */
  readonly failure: string
}

/** Imports by which declarations lead to what isn't published: sources, and files outside of `dist`. */
export const leaksOf = (declarations: SourceFile): ReadonlyArray<Problem> =>
  importsOf(declarations)
    .filter(({ specifier }) => /^\.\.\/|^\/|^\..*\.tsx?$/.test(specifier))
    .map(({ specifier, line }) => ({
      file: declarations.path,
      line,
      message: `imports "${specifier}", which isn't published: import the other package by its name`
    }))

/** A module's sub-path needs its code and its declarations. */
const whatIsWrong = (workspace: string, folder: string): string => {
  const missing = listFiles(join(workspace, folder), ["src/*.ts"])
    .map((path) => path.slice("src/".length, -".ts".length))
    .flatMap((name) => [`${folder}/dist/${name}.js`, `${folder}/dist/${name}.d.ts`])
    .filter((path) => !existsSync(join(workspace, path)))
  const leaks = listFiles(join(workspace, folder, "dist"), ["*.d.ts"]).flatMap((name) =>
    leaksOf(readSource(workspace, `${folder}/dist/${name}`))
  )
  return [...missing.map((path) => `${path} was not written`), toText(leaks)].filter(Boolean).join("\n")
}

/**
 * Runs the build script of every publishable package, two at a time. The order doesn't matter: while declarations are
 * made, other packages are read from their sources.
 */
export const build = (
  workspace: string,
  packages: ReadonlyArray<Package>,
  onBuilt: (built: Built) => void = () => {}
): Promise<ReadonlyArray<Built>> =>
  inParallel(packages.filter(isPublishable), 2, async ({ folder }) => {
    const started = performance.now()
    const { ok, output } = await run("npm", ["run", "build", "--silent"], {
      cwd: join(workspace, folder),
      timeoutMs: 180_000
    })
    const failure = ok ? whatIsWrong(workspace, folder) : output
    const built = { folder, seconds: (performance.now() - started) / 1000, failure }
    onBuilt(built)
    return built
  })

if (import.meta.main) {
  const all = await build(root, readPackages(), ({ folder, seconds, failure }) => {
    console.log(`${failure === "" ? "built " : "failed"} ${folder} ${seconds.toFixed(1)} s`)
    if (failure !== "") console.log(failure)
  })
  if (all.some(({ failure }) => failure !== "")) process.exitCode = 1
}
