import { randomUUID } from "node:crypto"
import { type FileHandle, lstat, open, rename, rm, stat } from "node:fs/promises"
import { dirname } from "node:path"
import { DatabaseSync } from "node:sqlite"
import { SqliteStorageError } from "../SqliteStorageError.ts"
import { beside } from "./Beside.ts"
import { codeOf, explain } from "./Explain.ts"
import { checkFound } from "./Integrity.ts"
import { checkState, stateOf } from "./Schema.ts"

/** How far a copy has come: **Units** bytes; `ofBytes` is an estimate until it is done. */
export interface Progress {
  readonly bytes: number
  readonly ofBytes: number
}

export interface Copy {
  readonly from: string
  readonly to: string
  readonly onProgress?: ((progress: Progress) => void) | undefined
  /** The original is checked whole before. */
  readonly checks: boolean
  /** Done when the copy is whole and synced, just before it gets its name. */
  readonly beforeNaming: () => Promise<void>
}

const busyTimeoutMs = 5_000

/** Every name under which SQLite keeps something of a file. */
const namesOf = (file: string): ReadonlyArray<string> => [file, `${file}-wal`, `${file}-shm`, `${file}-journal`]

const exists = async (file: string): Promise<boolean> => {
  try {
    await lstat(file)
    return true
  } catch (cause) {
    if (cause instanceof Error && "code" in cause && cause.code === "ENOENT") return false
    throw explain(file, cause)
  }
}

/** **Fails with** {@link SqliteStorageError} (rejected) when there is anything. */
export const checkFree = async (file: string): Promise<void> => {
  for (const name of namesOf(file))
    if (await exists(name)) throw new SqliteStorageError("sqlite-exists", name, "it is there already")
}

/** **Fails with** {@link SqliteStorageError} (rejected) when there is nothing. */
export const checkThere = async (file: string): Promise<void> => {
  if (!(await exists(file))) throw new SqliteStorageError("sqlite-missing", file, "there is no such file")
}

/**
 * Makes sure that nobody uses a file that is to be replaced, and folds its log into it.
 *
 * To stop using a log SQLite needs the file for itself alone. A file too damaged for that may go in any case.
 */
export const takeOver = async (file: string): Promise<void> => {
  if (!(await exists(file))) return
  let db: DatabaseSync | undefined
  try {
    db = new DatabaseSync(file)
    const state = stateOf(db)
    checkState(file, { ...state, version: 0 })
    db.exec("PRAGMA journal_mode = DELETE")
  } catch (cause) {
    const code = codeOf(cause)
    if (code === "sqlite-locked")
      throw new SqliteStorageError("sqlite-in-use", file, "it is open elsewhere and can't be replaced", cause)
    if (code !== "sqlite-corrupt") throw explain(file, cause)
  } finally {
    db?.close()
  }
}

const syncDirectory = async (directory: string): Promise<void> => {
  // A name is only on disk when its directory is synced; Windows does that by itself and refuses to be asked.
  if (process.platform === "win32") return
  const handle = await open(directory, "r")
  try {
    await handle.sync()
  } finally {
    await handle.close()
  }
}

/** Removes what is left beside a file, before another takes its name: a log would be taken for that one's. */
export const removeLogs = async (file: string): Promise<void> => {
  for (const name of namesOf(file).slice(1)) await rm(name, { force: true })
  await syncDirectory(dirname(file))
}

const followEveryMs = 200

/**
 * Syncs a file as it grows, while something else writes it, and tells how far it is.
 *
 * To sync all of it at once would make the commits of a desk on that disk wait for seconds.
 */
const following = async <A>(
  handle: FileHandle,
  { onProgress }: Copy,
  ofBytes: number,
  run: () => Promise<A>
): Promise<A> => {
  let step: Promise<void> | undefined
  let failure: { readonly cause: unknown } | undefined
  const follow = async (): Promise<void> => {
    await handle.datasync()
    onProgress?.({ bytes: Math.min((await handle.stat()).size, ofBytes), ofBytes })
  }
  const timer = setInterval(() => {
    step ??= follow()
      .catch((cause) => {
        // What a sync did not write, the next doesn't speak of.
        failure ??= { cause }
      })
      .finally(() => {
        step = undefined
      })
  }, followEveryMs)
  let result: A
  try {
    result = await run()
  } finally {
    clearInterval(timer)
    await step
  }
  if (failure !== undefined) throw failure.cause
  return result
}

/** A failure while one file is copied into another: only the copy is written, and what is damaged is the original. */
const explainCopy = ({ from, to }: Copy, cause: unknown): unknown =>
  explain(codeOf(cause) === "sqlite-corrupt" ? from : to, cause)

/** Copies a file of ours as it is at one instant, and checks the copy. */
const write = async (copy: Copy, partial: string, handle: FileHandle): Promise<ReadonlyArray<string>> => {
  const { from, to } = copy
  try {
    return await beside("copy", { file: from, busyTimeoutMs }, async (ask) => {
      const state = await ask("state")
      checkState(from, state)
      if (state.empty) throw new SqliteStorageError("sqlite-foreign", from, "it holds nothing of ours")
      if (copy.checks) checkFound(from, await ask("check"))
      await following(handle, copy, await ask("size"), () => ask("copy", partial)).catch((cause) => {
        throw explainCopy(copy, cause)
      })
      checkFound(to, await ask("checkCopy", partial))
      return ask("workspaces", partial)
    })
  } catch (cause) {
    throw explain(from, cause)
  }
}

/** What came of a copy. **Shape** `workspaces` are those it holds, by name. **Units** bytes. */
export interface Copied {
  readonly bytes: number
  readonly workspaces: ReadonlyArray<string>
}

/** Copies a file of ours, under a name of its own until the copy is checked and synced. */
export const copyFile = async (copy: Copy): Promise<Copied> => {
  const { from, to, onProgress, beforeNaming } = copy
  const partial = `${to}.${randomUUID()}.partial`
  try {
    // With the rights of the original: who may not read that may not read its copy.
    const handle = await open(partial, "wx", (await stat(from)).mode & 0o777)
    let bytes: number
    let workspaces: ReadonlyArray<string>
    try {
      workspaces = await write(copy, partial, handle)
      await handle.sync()
      bytes = (await handle.stat()).size
    } finally {
      await handle.close()
    }
    await beforeNaming()
    await rename(partial, to)
    await syncDirectory(dirname(to))
    onProgress?.({ bytes, ofBytes: bytes })
    return { bytes, workspaces }
  } catch (cause) {
    throw explain(to, cause)
  } finally {
    for (const name of namesOf(partial)) await rm(name, { force: true })
  }
}
