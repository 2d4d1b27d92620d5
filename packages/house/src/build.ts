import { cpSync, existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
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

/**
 * Declarations of all packages by one compiler, a file for each module as in the sources. They are not bundled: bundlers
 * of declarations lose one of two things that share a name in a namespace, and a schema and its type do.
 */
const declare = async (workspace: string, packages: ReadonlyArray<Package>): Promise<string> => {
  const folder = mkdtempSync(join(tmpdir(), "switchboard-declarations-"))
  try {
    const project = join(folder, "tsconfig.json")
    const outDir = join(folder, "out")
    const compilerOptions = {
      noEmit: false,
      declaration: true,
      emitDeclarationOnly: true,
      outDir,
      rootDir: workspace,
      // The chat widget runs in a browser.
      lib: ["es2024", "esnext.disposable", "esnext.iterator", "dom", "dom.iterable", "dom.asynciterable"],
      typeRoots: [join(workspace, "node_modules/@types")]
    }
    const include = packages.map((each) => join(workspace, each.folder, "src"))
    const settings = { extends: join(workspace, "tsconfig.json"), compilerOptions, include, exclude: [] }
    writeFileSync(project, JSON.stringify(settings))
    const compiler = join(root, "node_modules/typescript/bin/tsc")
    const { ok, output } = await run("node", [compiler, "-p", project], { cwd: workspace, timeoutMs: 180_000 })
    if (!ok) return output
    for (const each of packages) {
      const written = join(outDir, each.folder, "src")
      for (const path of listFiles(written, ["**/*.d.ts"])) {
        const file = join(written, path)
        writeFileSync(file, readFileSync(file, "utf8").replaceAll(/(["'])(\.\.?\/[^"']+)\.tsx?\1/g, "$1$2.js$1"))
      }
      cpSync(written, join(workspace, each.folder, "dist"), { recursive: true })
    }
    return ""
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
}

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

/** Runs the build script of every publishable package, two at a time, and writes the declarations of all. */
export const build = async (
  workspace: string,
  packages: ReadonlyArray<Package>,
  onBuilt: (built: Built) => void = () => {}
): Promise<ReadonlyArray<Built>> => {
  const publishable = packages.filter(isPublishable)
  const coded = await inParallel(publishable, 2, async ({ folder }) => {
    const started = performance.now()
    const { ok, output } = await run("npm", ["run", "build", "--silent"], {
      cwd: join(workspace, folder),
      timeoutMs: 180_000
    })
    return { folder, seconds: (performance.now() - started) / 1000, failure: ok ? "" : output }
  })
  const undeclared = await declare(workspace, publishable)
  return coded.map((each) => {
    const built = { ...each, failure: each.failure || undeclared || whatIsWrong(workspace, each.folder) }
    onBuilt(built)
    return built
  })
}

if (import.meta.main) {
  const all = await build(root, readPackages(), ({ folder, seconds, failure }) => {
    console.log(`${failure === "" ? "built " : "failed"} ${folder} ${seconds.toFixed(1)} s`)
    if (failure !== "") console.log(failure)
  })
  if (all.some(({ failure }) => failure !== "")) process.exitCode = 1
}
