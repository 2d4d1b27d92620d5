/** Loads a workspace from a file into any storage; broken off, it goes on where it stopped. */
import type { StorageDriver } from "@switchboard/storage"
import * as Archive from "./Archive.ts"
import { OperationError } from "./OperationError.ts"
import type { Progress } from "./Progress.ts"

/** Its cursor says how many lines of a file are loaded, in the same commit as they; at the end it is removed. */
export const reader = "switchboard/import"

/** The same, under the name of the file that is loaded: another file does not go on there. */
const readerOf = (sha256: string): string => `${reader}/${sha256}`

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
  const { header, holdings, sha256 } = await Archive.check(file)
  const workspace = options.workspace ?? header.workspace
  checkViews(file, header)
  const begun = await findBegun(driver, sha256, workspace, options.replace ?? false)
  const cursors = (position: number): ReadonlyArray<StorageDriver.Holding> =>
    [reader, readerOf(sha256)].map((reader) => ({ kind: "cursor", reader, position }))
  let done = 0
  for await (const batch of Archive.holdingsOf(file, workspace)) {
    const left = batch.slice(Math.max(0, begun - done))
    done += batch.length
    if (left.length === 0) continue
    await driver.load(workspace, [...left, ...cursors(done)])
    options.onProgress?.(done, holdings)
  }
  await driver.load(workspace, cursors(0))
  return { workspace, lines: holdings, resumed: begun }
}

const checkViews = (file: string, { views }: Archive.Header): void => {
  const ours = Archive.viewVersions
  for (const name of new Set([...Object.keys(views), ...Object.keys(ours)])) {
    if (views[name] === ours[name]) continue
    const version = (of: number | undefined) => (of === undefined ? "none" : `version ${of}`)
    throw new OperationError({
      code: "unsupported",
      what: `${file}, line 1, views.${name}`,
      found: `${version(views[name])}, where this release has ${version(ours[name])}`,
      fix: "import with the release that exported it, then migrate"
    })
  }
}

/** How many lines are loaded already; an empty or emptied workspace has none. */
const findBegun = async (
  driver: StorageDriver.StorageDriver,
  sha256: string,
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
  if ((await driver.cursor(workspace, readerOf(sha256))) !== lines) {
    throw new OperationError({
      code: "occupied",
      what: `the workspace ${workspace}`,
      found: "an import of another file that was not finished",
      fix: "finish that, or drop what is there with --replace"
    })
  }
  return lines
}
