import {
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync
} from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { afterAll, beforeAll, expect, test } from "vitest"
import { build } from "../src/build.ts"
import { run } from "../src/Command.ts"
import { type Example, examplesOf } from "../src/examples.ts"
import { pack, type Tarball } from "../src/Tarball.ts"
import { isPublishable, type Package, readPackages, readSource, root } from "../src/Workspace.ts"

const folder = mkdtempSync(join(tmpdir(), "switchboard-tarballs-"))
afterAll(() => rmSync(folder, { recursive: true, force: true }))

/** A copy of the workspace to build in, so that the test neither needs nor touches the `dist` folders here. */
const copyWorkspace = (packages: ReadonlyArray<Package>): string => {
  const copy = join(folder, "workspace")
  mkdirSync(join(copy, "node_modules/@switchboard"), { recursive: true })
  for (const name of ["package.json", "tsconfig.json", "tsup.config.ts"]) cpSync(join(root, name), join(copy, name))
  for (const name of readdirSync(join(root, "node_modules")))
    if (name !== "@switchboard")
      symlinkSync(join(root, "node_modules", name), join(copy, "node_modules", name), "junction")
  for (const each of packages) {
    for (const name of readdirSync(join(root, each.folder))) {
      if (["dist", "test", "bench"].includes(name)) continue
      const [from, to] = [join(root, each.folder, name), join(copy, each.folder, name)]
      if (name !== "node_modules") cpSync(from, to, { recursive: true })
      else symlinkSync(from, to, "junction")
    }
    symlinkSync(join(copy, each.folder), join(copy, "node_modules", each.manifest.name), "junction")
  }
  return copy
}

let tarballs: ReadonlyArray<Tarball> = []

beforeAll(async () => {
  const packages = readPackages().filter(isPublishable)
  const workspace = copyWorkspace(packages)
  const failures = (await build(workspace, packages)).filter(({ failure }) => failure !== "")
  if (failures.length > 0) throw new Error(failures.map((each) => `${each.folder}\n${each.failure}`).join("\n\n"))
  tarballs = await pack(workspace, packages, join(folder, "tarballs"))
}, 300_000)

/** The first block that runs of the first document that has one. */
const quickStart = (...documents: ReadonlyArray<string>): Example => {
  const found = documents
    .map((path) => examplesOf(readSource(root, path)).find(({ runs }) => runs))
    .find((example) => example !== undefined)
  if (found === undefined) throw new Error(`${documents[0]} has no quick start: write one in a \`\`\`ts block`)
  return found
}

/** What the lock file holds, so that the test sees the same third-party packages today and next year. */
const locked = (): Readonly<Record<string, string>> => {
  const { packages } = JSON.parse(readFileSync(join(root, "package-lock.json"), "utf8")) as {
    readonly packages: Readonly<Record<string, { readonly version?: string }>>
  }
  return Object.fromEntries(
    Object.entries(packages).flatMap(([path, { version }]) =>
      path.startsWith("node_modules/") && version !== undefined ? [[path.slice("node_modules/".length), version]] : []
    )
  )
}

/** An empty project that installs tarballs, as a reader of the documentation would make it. */
const makeProject = async (name: string, chosen: ReadonlyArray<Tarball>): Promise<string> => {
  const project = join(folder, name)
  mkdirSync(project)
  const versions = locked()
  const foreign = chosen
    .flatMap(({ owner }) => Object.keys({ ...owner.manifest.dependencies, ...owner.manifest.peerDependencies }))
    .filter((dependency) => !dependency.startsWith("@switchboard/"))
  const overrides = Object.fromEntries([...new Set(foreign)].map((each) => [each, versions[each] ?? "*"]))
  const manifest = {
    name,
    private: true,
    type: "module",
    dependencies: Object.fromEntries(chosen.map(({ owner, path }) => [owner.manifest.name, `file:${path}`])),
    devDependencies: { "@types/node": versions["@types/node"] },
    overrides
  }
  writeFileSync(join(project, "package.json"), JSON.stringify(manifest))
  const compilerOptions = {
    target: "es2024",
    lib: ["es2024", "dom", "dom.asynciterable"],
    module: "nodenext",
    strict: true,
    exactOptionalPropertyTypes: true,
    noUncheckedIndexedAccess: true,
    skipLibCheck: false,
    allowImportingTsExtensions: true,
    noEmit: true,
    types: ["node"]
  }
  writeFileSync(join(project, "tsconfig.json"), JSON.stringify({ compilerOptions, include: ["*.ts"] }))
  await must(
    "npm",
    ["install", "--prefer-offline", "--no-audit", "--no-fund", "--ignore-scripts", "--loglevel=error"],
    project
  )
  return project
}

const must = async (command: string, options: ReadonlyArray<string>, cwd: string): Promise<void> => {
  const { ok, output } = await run(command, options, { cwd, timeoutMs: 120_000 })
  if (!ok) throw new Error(`${command} ${options.join(" ")}\n${output}`)
}

/** Every module of every package is loaded by its sub-path: what a wildcard export promises must be there. */
const loadAll = (chosen: ReadonlyArray<Tarball>): string =>
  chosen
    .flatMap(({ owner: { manifest, files, folder: place } }) =>
      files.flatMap(({ path }) => {
        const name = path.startsWith(`${place}/src/`)
          ? /^[^/]+(?=\.ts$)/.exec(path.slice(`${place}/src/`.length))?.[0]
          : undefined
        return name === undefined
          ? []
          : [`import ${JSON.stringify(name === "index" ? manifest.name : `${manifest.name}/${name}`)}`]
      })
    )
    .join("\n")

const tryOut = async (project: string, chosen: ReadonlyArray<Tarball>, example: Example): Promise<void> => {
  writeFileSync(join(project, "modules.ts"), `${loadAll(chosen)}\n`)
  writeFileSync(join(project, "quickStart.ts"), `${example.code}\nexport {}\n`)
  await Promise.all([
    must("node", [join(root, "node_modules/typescript/bin/tsc"), "-p", "."], project),
    must("node", ["modules.ts"], project),
    must("node", ["quickStart.ts"], project)
  ])
}

test.concurrent("all packages, installed from their tarballs, type-check and run the quick start", {
  timeout: 300_000
}, async () => {
  expect(tarballs.length).toBe(readPackages().filter(isPublishable).length)
  const project = await makeProject("everything", tarballs)
  await tryOut(project, tarballs, quickStart("README.md", "packages/sla/README.md"))
  for (const { owner } of tarballs)
    for (const name of Object.keys(owner.manifest.bin ?? {}))
      await must(`node_modules/.bin/${name}`, ["--help"], project)
})

test.concurrent("sla alone, installed from its tarball, runs where no Effect is installed", {
  timeout: 180_000
}, async () => {
  const sla = tarballs.filter(({ owner }) => owner.manifest.name === "@switchboard/sla")
  expect(sla.length).toBe(1)
  const project = await makeProject("sla-alone", sla)
  expect(existsSync(join(project, "node_modules/effect"))).toBe(false)
  expect(readdirSync(join(project, "node_modules/@switchboard"))).toEqual(["sla"])
  await tryOut(project, sla, quickStart("packages/sla/README.md"))
})

test("a tarball holds what a reader of the package needs, and nothing else", () => {
  for (const { owner } of tarballs) {
    const packed = readdirSync(join(folder, "everything/node_modules", owner.manifest.name))
    const expected = ["README.md", ...(owner.manifest.bin ? ["bin"] : []), "dist", "package.json", "src"]
    expect(packed.filter((name) => name !== "LICENSE").sort(), owner.folder).toEqual(expected)
  }
})
