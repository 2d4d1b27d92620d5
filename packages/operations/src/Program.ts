/** The `switchboard` command. */

import { existsSync } from "node:fs"
import { Audit, Views } from "@switchboard/desk"
import type { StorageDriver } from "@switchboard/storage"
import { Presets, SingleBar } from "cli-progress"
import { Command, CommanderError, Option } from "commander"
import * as AuditText from "./AuditText.ts"
import * as Backup from "./Backup.ts"
import { exportWorkspace } from "./Export.ts"
import { importWorkspace } from "./Import.ts"
import { inLine } from "./internal/InLine.ts"
import { checkWorkspace, openPrepared } from "./internal/Prepared.ts"
import { openBlobs, openStorage } from "./Location.ts"
import { OperationError } from "./OperationError.ts"
import * as Rebuild from "./Rebuild.ts"
import * as Verification from "./Verification.ts"

/**
 * What the command uses of its surroundings.
 *
 * **Shape** `out` and `err` take text to print; `isTerminal` says whether somebody watches, and so whether bars are drawn
 * (on standard error). **Units** `now` in epoch milliseconds.
 */
export interface Surroundings {
  readonly out: (text: string) => void
  readonly err: (text: string) => void
  readonly isTerminal: boolean
  readonly now: () => number
}

const processSurroundings: Surroundings = {
  out: (text) => void process.stdout.write(text),
  err: (text) => void process.stderr.write(text),
  isTerminal: process.stderr.isTTY === true,
  now: () => Date.now()
}

/** What was asked, done or not: 0 · found something or could not do it: 1 · was asked wrongly: 2. */
export type ExitCode = 0 | 1 | 2

interface Common {
  readonly storage: string
}

interface OfWorkspace extends Common {
  readonly workspace: string
}

const storageOption = () =>
  new Option("-s, --storage <address>", "sqlite:<file>, postgres://…, or a module's path")
    .env("SWITCHBOARD_STORAGE")
    .makeOptionMandatory()

const blobsOption = () =>
  new Option("-b, --blobs <address>", "file:<directory>, s3:<bucket>, or a module's path").env("SWITCHBOARD_BLOBS")

const workspaceOption = () =>
  new Option("-w, --workspace <name>", "the desk's workspace").default("main").env("SWITCHBOARD_WORKSPACE")

const toInstant = (text: string): number => {
  const ms = Date.parse(text)
  if (Number.isFinite(ms)) return ms
  throw new CommanderError(2, "switchboard.time", `error: "${text}" is no time: write one such as 2026-03-09T10:30:00Z`)
}

/** A bar for as long as something goes on, one after another. */
class Bars {
  readonly #isDrawn: boolean
  #bar: SingleBar | undefined
  #what: string | undefined

  constructor(isDrawn: boolean) {
    this.#isDrawn = isDrawn
  }

  readonly show = (what: string, done: number, total: number): void => {
    if (!this.#isDrawn) return
    if (what !== this.#what) {
      this.stop()
      this.#what = what
      this.#bar = new SingleBar(
        { format: `${what} {bar} {percentage} % | {value} of {total} | {eta_formatted} left`, stream: process.stderr },
        Presets.shades_classic
      )
      this.#bar.start(total, done)
      return
    }
    this.#bar?.setTotal(total)
    this.#bar?.update(done)
  }

  stop(): void {
    this.#bar?.stop()
    this.#bar = undefined
    this.#what = undefined
  }
}

/** Runs with a storage that is prepared, and closes it. */
const withStorage = async <A>(
  { storage }: Common,
  mustExist: boolean,
  run: (driver: StorageDriver.StorageDriver) => Promise<A>,
  integrity?: "before" | "off"
): Promise<A> => {
  const driver = await openStorage(storage, { mustExist, ...(integrity && { integrity }) })
  try {
    await driver.prepare(Views.definitions)
    return await run(driver)
  } finally {
    await driver.close()
  }
}

const plural = (count: number, one: string, many = `${one}s`): string =>
  `${count.toLocaleString("en")} ${count === 1 ? one : many}`

/** The command, with what its end will be. */
const make = ({ out, err, now }: Surroundings, bars: Bars, end: (code: ExitCode) => void): Command => {
  const program = new Command("switchboard")
    .description("Operates the storage of a Switchboard desk.")
    .exitOverride()
    .configureOutput({ writeOut: out, writeErr: err })
    .showHelpAfterError("(switchboard --help says what there is)")

  const add = (name: string, description: string): Command =>
    program.command(name).description(description).addOption(storageOption())

  const placeOf = async (options: Common & { readonly blobs?: string }, mustExist: boolean): Promise<Backup.Place> => ({
    storage: options.storage,
    ...(options.blobs !== undefined && { blobs: await openBlobs(options.blobs, { mustExist }) })
  })

  add("migrate", "creates the storage, or brings it up to this release").action(async (options: Common) => {
    const workspaces = await withStorage(options, false, (driver) => driver.workspaces())
    out(`Up to date. ${workspaces.length === 0 ? "No workspace yet." : `Workspaces: ${workspaces.join(", ")}.`}\n`)
  })

  add("backup", "copies storage and attachments into a new folder while the desk works")
    .argument("<folder>", "where to; it must not exist")
    .addOption(blobsOption())
    .action(async (folder: string, options: Common) => {
      const { workspaces, blobs } = await Backup.backup(await placeOf(options, true), folder, {
        now,
        onProgress: bars.show
      })
      bars.stop()
      out(
        `${folder} has ${plural(workspaces.length, "workspace")}${blobs ? " and their attachments" : ", without attachments (name them with --blobs)"}.\n`
      )
    })

  add("restore", "puts a backup back; no desk may run on it meanwhile")
    .argument("<folder>", "what `backup` made")
    .addOption(blobsOption())
    .option("--replace", "in place of what is there")
    .action(async (folder: string, options: Common & { readonly replace?: boolean }) => {
      const { madeAt, workspaces } = await Backup.restore(folder, await placeOf(options, false), {
        replace: options.replace ?? false,
        onProgress: bars.show
      })
      bars.stop()
      out(
        `Restored ${plural(workspaces.length, "workspace")} as of ${madeAt}. Who was erased since is back: erase them again.\n`
      )
    })

  add("export", "writes a workspace into a file, one JSON value per line, for any storage")
    .argument("<file>", "where to, such as desk.ndjson, or desk.ndjson.gz; it must not exist")
    .addOption(workspaceOption())
    .action(async (file: string, options: OfWorkspace) => {
      const { lines, resumed } = await withStorage(options, true, (driver) =>
        exportWorkspace(driver, options.workspace, file, {
          now,
          onProgress: (done, total) => bars.show("export", done, total)
        })
      )
      bars.stop()
      out(
        `${file} has ${plural(lines, "line")}${resumed > 0 ? `, ${resumed.toLocaleString("en")} of them from before` : ""}.\n`
      )
    })

  add("import", "loads an exported workspace into any storage; no desk may run on it meanwhile")
    .argument("<file>", "what `export` wrote")
    .addOption(new Option("-w, --workspace <name>", "into this instead of the file's own").env("SWITCHBOARD_WORKSPACE"))
    .option("--replace", "drops what the workspace holds first")
    .action(async (file: string, options: Common & { readonly workspace?: string; readonly replace?: boolean }) => {
      // Before a storage is made for it.
      if (!existsSync(file)) {
        throw new OperationError({ code: "missing", what: file, found: "no file", fix: "name what `export` wrote" })
      }
      const { workspace, lines, resumed } = await withStorage(options, false, (driver) =>
        importWorkspace(driver, file, {
          ...(options.workspace !== undefined && { workspace: options.workspace }),
          replace: options.replace ?? false,
          onProgress: (done, total) => bars.show("import", done, total)
        })
      )
      bars.stop()
      out(
        `${workspace} has the ${plural(lines, "line")} of ${file}${resumed > 0 ? `, ${resumed.toLocaleString("en")} of them from before` : ""}.\n`
      )
    })

  add("verify", "checks the journal, views, timers, claims and cursors, also while the desk works")
    .addOption(workspaceOption())
    .action(async (options: OfWorkspace) => {
      let count = 0
      let others = 0
      const rebuilds = new Set<string>()
      const check = async (driver: StorageDriver.StorageDriver) => {
        for await (const finding of Verification.verify(driver, options.workspace, { onProgress: bars.show })) {
          bars.stop()
          count++
          if (finding.rebuild === undefined) others++
          else rebuilds.add(finding.rebuild)
          out(`${inLine(`${finding.part} ${finding.key}: expected ${finding.expected}, found ${finding.found}`)}\n`)
        }
      }
      // Damage that no command reads is damage too.
      await withStorage(options, true, check, "before")
      bars.stop()
      if (count === 0) {
        out("Everything is whole.\n")
        return
      }
      const advice = [
        ...(rebuilds.size === 0
          ? []
          : [`Put right with: ${[...rebuilds].map((view) => `switchboard rebuild ${view}`).join(", ")}.`]),
        ...(others === 0 ? [] : [rebuilds.size === 0 ? "Restore a backup." : "For the others restore a backup."])
      ].join(" ")
      out(`${plural(count, "finding")}. ${advice}\n`)
      end(1)
    })

  add("rebuild", "makes a view anew from the journal, also while the desk works")
    .addArgument(program.createArgument("<view>", "which").choices([...Rebuild.rebuildable]))
    .addOption(workspaceOption())
    .action(async (view: string, options: OfWorkspace) => {
      const { documents, changed } = await withStorage(options, true, (driver) =>
        Rebuild.rebuild(driver, options.workspace, view, {
          onProgress: (done, total) => bars.show("rebuild", done, total)
        })
      )
      bars.stop()
      out(
        `${plural(documents, "document")}, ${changed === 0 ? "none of them wrong" : `${changed.toLocaleString("en")} put right`}.\n`
      )
    })

  add("audit", "prints a conversation as it stood at an instant, with who changed what, and why")
    .argument("<conversation>", "its id")
    .addOption(workspaceOption())
    .addOption(new Option("--at <time>", "an instant such as 2026-03-09T10:30:00Z; now without").argParser(toInstant))
    .option("--json", "as JSON")
    .action(async (id: string, options: OfWorkspace & { readonly at?: number; readonly json?: boolean }) => {
      const audit = await withStorage(
        options,
        true,
        async (driver) => {
          await checkWorkspace(driver, options.workspace)
          return Audit.read((await openPrepared(driver)).workspace(options.workspace), id, options.at ?? now())
        },
        "off"
      )
      if (!audit) {
        err(`There is no conversation ${id} in the workspace ${options.workspace}.\n`)
        end(1)
        return
      }
      out(options.json ? `${JSON.stringify(audit, undefined, 2)}\n` : AuditText.toText(audit))
    })

  return program
}

/**
 * Runs the command with its arguments, and tells how it ended.
 *
 * **Example**
 * ```ts
 * import { strict as assert } from "node:assert"
 * import { Program } from "@switchboard/operations"
 *
 * let said = ""
 * const take = (text: string) => {
 *   said += text
 * }
 * const code = await Program.main(["export", "desk.ndjson", "--storage", "sqlite:nowhere.db"], {
 *   out: take,
 *   err: take,
 *   isTerminal: false,
 *   now: () => 0
 * })
 * assert.equal(code, 1)
 * assert.match(said, /nowhere\.db: found no file/)
 * ```
 */
export const main = async (
  argv: ReadonlyArray<string>,
  surroundings: Surroundings = processSurroundings
): Promise<ExitCode> => {
  const bars = new Bars(surroundings.isTerminal)
  let code: ExitCode = 0
  const program = make(surroundings, bars, (ending) => {
    code = ending
  })
  try {
    await program.parseAsync([...argv], { from: "user" })
    return code
  } catch (error) {
    bars.stop()
    if (error instanceof CommanderError) {
      if (error.code === "switchboard.time") surroundings.err(`${error.message}\n`)
      return error.exitCode === 0 ? 0 : 2
    }
    surroundings.err(`${inLine(error instanceof Error ? error.message : String(error))}\n`)
    return 1
  }
}
