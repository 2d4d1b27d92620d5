import { mkdirSync, rmSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import type { Problem } from "./Problem.ts"
import { listFiles, readSource, root, type SourceFile } from "./Workspace.ts"

export interface Example {
  readonly file: string
  /** Where the block opens, counted from 1. */
  readonly line: number
  /** False for a block opened with ```ts no-run: it is type-checked only. */
  readonly runs: boolean
  readonly code: string
}

const folder = join(root, "packages/house/.examples")

/** The lines that readers see: all of a Markdown file, and in a source only the insides of docstrings. */
const visibleLines = ({ path, text }: SourceFile): ReadonlyArray<string> => {
  const lines = text.split("\n")
  if (path.endsWith(".md")) return lines
  let inside = false
  return lines.map((line) => {
    if (!inside) inside = /^\s*\/\*\*/.test(line) && !line.includes("*/")
    else if (line.includes("*/")) inside = false
    else return line.replace(/^\s*\* ?/, "")
    return ""
  })
}

/** Every ```ts block of a Markdown file or of a source's docstrings, but for those marked ```ts ignore. */
export const examplesOf = (file: SourceFile): ReadonlyArray<Example> => {
  const found: Array<Example> = []
  let open: { fence: string; indent: string; info: string; line: number; code: Array<string> } | undefined
  for (const [index, text] of visibleLines(file).entries()) {
    if (open === undefined) {
      const [, indent, fence, info] = /^(\s*)(`{3,})\s*(.*?)\s*$/.exec(text) ?? []
      if (indent !== undefined && fence !== undefined && info !== undefined)
        open = { fence, indent, info, line: index + 1, code: [] }
    } else if (text.trim() === open.fence) {
      if (open.info === "ts" || open.info === "ts no-run")
        found.push({ file: file.path, line: open.line, runs: open.info === "ts", code: open.code.join("\n") })
      open = undefined
    } else open.code.push(text.startsWith(open.indent) ? text.slice(open.indent.length) : text)
  }
  return found
}

/** Blocks of TypeScript that would be left out for the way they are opened. */
export const unknownBlocks = (file: SourceFile): ReadonlyArray<Problem> =>
  visibleLines(file).flatMap((text, index) => {
    const info = /^\s*`{3,}\s*((?:ts|typescript|mts)\b.*?)\s*$/.exec(text)?.[1]
    return info === undefined || ["ts", "ts no-run", "ts ignore"].includes(info)
      ? []
      : [
          {
            file: file.path,
            line: index + 1,
            message: `opens a block with "${info}": write "ts" to have it run, "ts no-run" to have it type-checked, "ts ignore" for a fragment`
          }
        ]
  })

/** What holds documentation: docstrings of all sources, guides and READMEs. */
export const documented = (workspace: string = root): ReadonlyArray<SourceFile> =>
  listFiles(workspace, [
    "README.md",
    "CONTRIBUTING.md",
    "docs/**/*.md",
    "packages/**/README.md",
    "packages/**/src/**/*.ts"
  ])
    .filter((path) => !path.startsWith("docs/api/") && !path.startsWith("packages/house/"))
    .map((path) => readSource(workspace, path))

export const pathOf = ({ file, line }: Example): string =>
  join(folder, `${file.replace(/\.(ts|md)$/, "").replaceAll("/", "-")}-${line}.ts`)

/** The block as a module of its own, on the lines it has in its document, so that errors name the right one. */
export const toModule = ({ file, line, code }: Example): string =>
  `// ${file}:${line}${"\n".repeat(line)}${code}\nexport {}\n`

/** Writes every example where it can import what a reader would install. */
export const writeExamples = (): ReadonlyArray<Example> => {
  const examples = documented().flatMap(examplesOf)
  rmSync(folder, { recursive: true, force: true })
  mkdirSync(folder, { recursive: true })
  writeFileSync(join(folder, "none.ts"), "// Keeps the type check going while there is no example.\nexport {}\n")
  for (const example of examples) writeFileSync(pathOf(example), toModule(example))
  return examples
}

if (import.meta.main) writeExamples()
