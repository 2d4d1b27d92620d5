/** Loads a workspace from a file into any storage; broken off, it goes on where it stopped. */
import { Views } from "@switchboard/desk"
import type { StorageDriver } from "@switchboard/storage"
import * as Archive from "./Archive.ts"
import { OperationError } from "./OperationError.ts"
import type { Progress } from "./Progress.ts"

/** Its cursor says how many lines of a file are loaded, in the same commit as they; at the end it is removed. */
export const reader = "switchboard/import"

/** What was loaded. `resumed` are the lines that an earlier, broken off import had loaded already. */
export interface Imported {
  readonly workspace: string
  readonly lines: number
  readonly resumed: number
}

/** How it is loaded: into `workspace` instead of that of the file; with `replace`, after what is there was dropped. */
export interface Options {
  readonly workspace?: string
  readonly replace?: boolean
  readonly onProgress?: Progress
}

/**
 * Loads everything a file holds, exactly as it stood. The file is read to its end first: nothing comes in of one that is
 * not whole.
 *
 * **Fails with** {@link OperationError} (rejected) where the file is damaged or of another release, and where the
 * workspace is not empty, unless an import of this file was broken off there, or `replace` is set.
 *
 * **Gotchas** no desk may run on the workspace meanwhile: it would work on half of it.
 */
export const importWorkspace = async (
  driver: StorageDriver.StorageDriver,
  file: string,
  options: Options = {}
): Promise<Imported> => {
  const { header, holdings } = await Archive.check(file)
  const workspace = options.workspace ?? header.workspace
  checkViews(file, header)
  const begun = await findBegun(driver, file, workspace, options.replace ?? false)
  let done = 0
  for await (const batch of Archive.holdingsOf(file, workspace)) {
    const left = batch.slice(Math.max(0, begun - done))
    done += batch.length
    if (left.length === 0) continue
    await driver.load(workspace, [...left, { kind: "cursor", reader, position: done }])
    options.onProgress?.(done, holdings)
  }
  await driver.load(workspace, [{ kind: "cursor", reader, position: 0 }])
  return { workspace, lines: holdings, resumed: begun }
}

const checkViews = (file: string, { views }: Archive.Header): void => {
  const versions = new Map(Views.definitions.map(({ name, version }) => [name, version]))
  for (const [name, version] of Object.entries(views)) {
    const ours = versions.get(name)
    if (ours === version) continue
    throw new OperationError({
      code: "unsupported",
      what: `${file}, line 1, views.${name}`,
      found: `version ${version}, where this release has ${ours ?? "none"}`,
      fix: "import with the release that exported it, then migrate"
    })
  }
}

/** How many lines are loaded already; an empty or emptied workspace has none. */
const findBegun = async (
  driver: StorageDriver.StorageDriver,
  file: string,
  workspace: string,
  replace: boolean
): Promise<number> => {
  if (!(await driver.workspaces()).includes(workspace)) return 0
  if (replace) {
    await driver.drop(workspace)
    return 0
  }
  const lines = await driver.cursor(workspace, reader)
  if (lines === 0) {
    throw new OperationError({
      code: "occupied",
      what: `the workspace ${workspace}`,
      found: `a journal of ${await driver.head(workspace)} events`,
      fix: "import into another with --workspace, or drop what is there with --replace"
    })
  }
  if (!(await isOf(driver, file, workspace))) {
    throw new OperationError({
      code: "occupied",
      what: `the workspace ${workspace}`,
      found: "an import of another file that was not finished",
      fix: "finish that, or drop what is there with --replace"
    })
  }
  return lines
}

/** Whether the last event of a workspace is in a file at its place. */
const isOf = async (driver: StorageDriver.StorageDriver, file: string, workspace: string): Promise<boolean> => {
  const head = await driver.head(workspace)
  if (head === 0) return true
  const [last] = await driver.journal(workspace, head - 1, 1)
  for await (const batch of Archive.holdingsOf(file, workspace)) {
    for (const holding of batch) {
      if (holding.kind !== "event") return false
      const { event } = holding
      if (event.position !== head) continue
      return event.stream === last?.stream && event.type === last.type && event.recordedAtMs === last.recordedAtMs
    }
  }
  return false
}
