import { isBuiltin } from "node:module"
import { posix } from "node:path"
import type { Problem } from "./Problem.ts"
import { allowance, isKnown, isPure, mayUse } from "./Ranks.ts"
import { importsOf } from "./Syntax.ts"
import { isPublished, type Manifest, type Package, type SourceFile } from "./Workspace.ts"

/** `@switchboard/sla/Calendar` → `@switchboard/sla`. */
const packageOf = (specifier: string): string =>
  specifier
    .split("/")
    .slice(0, specifier.startsWith("@") ? 2 : 1)
    .join("/")

const isOurs = (name: string): boolean => name.startsWith("@switchboard/")

/** What a consumer gets when installing the package. */
const installed = ({ dependencies, peerDependencies, optionalDependencies }: Manifest): ReadonlySet<string> =>
  new Set(Object.keys({ ...dependencies, ...peerDependencies, ...optionalDependencies }))

const whyRefused = (
  owner: Package,
  file: SourceFile,
  specifier: string,
  others: ReadonlyMap<string, Package>,
  shared: ReadonlySet<string>
) => {
  const { folder, manifest } = owner
  if (specifier.startsWith(".")) {
    const target = posix.join(posix.dirname(file.path), specifier)
    return target.startsWith(`${folder}/`)
      ? undefined
      : `reaches out of ${folder} with "${specifier}": import the other package by its name`
  }
  if (isBuiltin(specifier)) {
    if (!specifier.startsWith("node:")) return `imports "${specifier}": write "node:${specifier}"`
    return isPure(folder) && isPublished(owner, file)
      ? `imports "${specifier}": ranks 0 and 1 are pure; take what you need as an argument or move it to rank 2`
      : undefined
  }
  const name = packageOf(specifier)
  if (name === manifest.name) return undefined
  if (isPure(folder) && isPublished(owner, file) && (name === "effect" || name.startsWith("@effect/")))
    return `imports "${specifier}": Effect starts at packages/desk; use plain functions and the package's own Result`
  if (isOurs(name)) {
    const target = others.get(name)
    if (target === undefined) return `imports "${specifier}", which is no package of this repository`
    if (!mayUse(folder, target.folder)) return `imports "${specifier}": ${allowance(folder)}`
    if (specifier.startsWith(`${name}/internal/`))
      return `imports "${specifier}": what is internal stays in its package`
  }
  if (installed(manifest).has(name)) return undefined
  if (isPublished(owner, file) && manifest.private !== true)
    return `imports "${specifier}": add "${name}" to the dependencies of ${folder}/package.json`
  return shared.has(name) || Object.hasOwn(manifest.devDependencies ?? {}, name)
    ? undefined
    : `imports "${specifier}": add "${name}" to the devDependencies of ${folder}/package.json`
}

/**
 * Edges between packages, from imports and from manifests: only to lower ranks, only what is declared, and nothing
 * declared in vain. `shared` names what the root's manifest gives to tests and private packages.
 */
export const checkDependencies = (
  packages: ReadonlyArray<Package>,
  shared: ReadonlySet<string>
): ReadonlyArray<Problem> => {
  const others = new Map(packages.map((each) => [each.manifest.name, each]))
  const problems: Array<Problem> = []
  for (const owner of packages) {
    const { folder, manifest } = owner
    const report = (file: string, line: number, message: string): number => problems.push({ file, line, message })
    const manifestFile = `${folder}/package.json`
    if (!isKnown(folder)) {
      report(manifestFile, 1, "has no rank: give the folder one in packages/house/src/Ranks.ts")
      continue
    }
    const used = { published: new Set<string>(), any: new Set<string>() }
    for (const file of owner.files) {
      for (const { specifier, line } of importsOf(file)) {
        const why = whyRefused(owner, file, specifier, others, shared)
        if (why !== undefined) report(file.path, line, why)
        used.any.add(packageOf(specifier))
        if (isPublished(owner, file)) used.published.add(packageOf(specifier))
      }
    }
    for (const [names, where] of [
      [installed(manifest), used.published],
      [new Set(Object.keys(manifest.devDependencies ?? {})), used.any]
    ] as const) {
      for (const name of [...names].filter(isOurs)) {
        const target = others.get(name)
        if (target === undefined) report(manifestFile, 1, `declares ${name}, which is no package of this repository`)
        else if (!mayUse(folder, target.folder)) report(manifestFile, 1, `declares ${name}: ${allowance(folder)}`)
        else if (!(manifest.private === true ? used.any : where).has(name))
          report(manifestFile, 1, `declares ${name} but no source imports it: import it or take it out`)
      }
    }
  }
  return problems
}
