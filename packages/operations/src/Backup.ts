/**
 * A desk's storage and attachments in a folder, from one moment, while the desk works; and back.
 *
 * **Shape** `backup.json` says what is there; `desk.db` is a copy of a SQLite file, `<n>.ndjson.gz` the workspaces of any
 * other storage; `blobs/` are the attachments.
 */
import { existsSync } from "node:fs"
import { mkdir, open, readFile, rename, rm } from "node:fs/promises"
import { join } from "node:path"
import { Views } from "@switchboard/desk"
import type { BlobStore, StorageDriver } from "@switchboard/storage"
import { FileBlobStore } from "@switchboard/storage-file"
import { SqliteStorage, SqliteStorageError } from "@switchboard/storage-sqlite"
import { z } from "zod"
import * as Archive from "./Archive.ts"
import * as BlobCopy from "./BlobCopy.ts"
import { exportWorkspace } from "./Export.ts"
import { importWorkspace } from "./Import.ts"
import { openStorage, parse } from "./Location.ts"
import { OperationError } from "./OperationError.ts"
import type { Progress } from "./Progress.ts"

/** What a backup's folder holds. */
export const Manifest = z.strictObject({
  kind: z.literal("switchboard backup"),
  format: z.literal(1),
  madeAt: z.iso.datetime(),
  storage: z.enum(["sqlite", "workspaces"]),
  workspaces: z.array(
    z.strictObject({
      name: z.string().min(1),
      /** In the folder itself. Of a SQLite file there is one for all. */
      file: z
        .string()
        .regex(/^\d+\.ndjson\.gz$/)
        .optional()
    })
  ),
  blobs: z.boolean()
})
export type Manifest = z.infer<typeof Manifest>

const manifestName = "backup.json"
const databaseName = "desk.db"
const blobsName = "blobs"

/** Where a desk keeps what it keeps: addresses as in {@link Location}. Without `blobs`, attachments are left out. */
export interface Place {
  readonly storage: string
  readonly blobs?: BlobStore.BlobStore
}

/** What an operation is doing. */
export interface Options {
  readonly now: () => number
  readonly onProgress?: (what: string, ...progress: Parameters<Progress>) => void
}

const withDriver = async <A>(
  address: string,
  mustExist: boolean,
  run: (driver: StorageDriver.StorageDriver) => Promise<A>
): Promise<A> => {
  const driver = await openStorage(address, { mustExist })
  try {
    await driver.prepare(Views.definitions)
    return await run(driver)
  } finally {
    await driver.close()
  }
}

/**
 * Makes a backup in a new folder. Until it is whole the folder's name ends in `.partial`.
 *
 * **Fails with** {@link OperationError} where the folder exists, and with the storage's own errors (rejected).
 *
 * **Gotchas** the attachments are copied after the storage: what comes meanwhile is more than the storage knows, what is
 * erased meanwhile is missing. Of somebody who is erased later it keeps everything: don't keep it for longer than an
 * erasure may take.
 */
export const backup = async (
  place: Place,
  folder: string,
  { now, onProgress = () => {} }: Options
): Promise<Manifest> => {
  if (existsSync(folder)) {
    throw new OperationError({
      code: "occupied",
      what: folder,
      found: "something",
      fix: "name a folder that is not there"
    })
  }
  const partial = `${folder}.partial`
  await rm(partial, { recursive: true, force: true })
  await mkdir(partial, { recursive: true })
  const madeAt = new Date(now()).toISOString()
  const location = parse(place.storage)
  let workspaces: Manifest["workspaces"]
  if (location.kind === "sqlite") {
    // The original is only read: a desk of an older release may be at work on it.
    const copied = await SqliteStorage.backup({
      from: location.file,
      to: join(partial, databaseName),
      onProgress: ({ bytes, ofBytes }) => onProgress("storage", bytes, ofBytes)
    })
    workspaces = copied.workspaces.map((name) => ({ name }))
  } else {
    workspaces = await withDriver(place.storage, true, async (driver) => {
      const exported: Array<Manifest["workspaces"][number]> = []
      for (const [index, name] of (await driver.workspaces()).entries()) {
        const file = `${index + 1}.ndjson.gz`
        await exportWorkspace(driver, name, join(partial, file), {
          now,
          onProgress: (done, total) => onProgress(name, done, total)
        })
        exported.push({ name, file })
      }
      return exported
    })
  }
  if (place.blobs) {
    // Also where there are none, so that a backup that lost them is told from one that has none.
    await mkdir(join(partial, blobsName))
    const blobs = FileBlobStore.make({ directory: join(partial, blobsName) })
    for (const { name } of workspaces) {
      await BlobCopy.copy(place.blobs, blobs, name, {
        onProgress: (done, total) => onProgress("attachments", done, total)
      })
    }
  }
  const manifest: Manifest = {
    kind: "switchboard backup",
    format: 1,
    madeAt,
    storage: location.kind === "sqlite" ? "sqlite" : "workspaces",
    workspaces,
    blobs: place.blobs !== undefined
  }
  const file = await open(join(partial, manifestName), "w")
  try {
    await file.writeFile(`${JSON.stringify(manifest, undefined, 2)}\n`)
    await file.sync()
  } finally {
    await file.close()
  }
  await rename(partial, folder)
  return manifest
}

/** The file of a workspace. **Fails with** {@link OperationError} (thrown) where the manifest names none. */
const fileOf = (folder: string, workspace: string, file: string | undefined): string => {
  if (file !== undefined) return join(folder, file)
  throw new OperationError({
    code: "archive",
    what: `${join(folder, manifestName)}, workspaces`,
    found: `no file for ${workspace}`,
    fix: "restore another backup"
  })
}

/** What a folder holds. **Fails with** {@link OperationError} (rejected) for one that is no backup. */
export const readManifest = async (folder: string): Promise<Manifest> => {
  const file = join(folder, manifestName)
  let value: unknown
  try {
    value = JSON.parse(await readFile(file, "utf8"))
  } catch (cause) {
    throw new OperationError({
      code: "archive",
      what: file,
      found: "no backup",
      fix: "name a folder that `backup` made",
      cause
    })
  }
  const parsed = Manifest.safeParse(value)
  if (parsed.success) return parsed.data
  const [issue] = parsed.error.issues
  throw new OperationError({
    code: "archive",
    what: `${file}, ${issue?.path.join(".")}`,
    found: issue?.message ?? "something else",
    fix: "name a folder that `backup` made, or install the release that made it"
  })
}

/** Removes the attachments that a backup does not have: no storage names them any more, so nobody could erase them. */
const removeOthers = async (from: BlobStore.BlobStore, kept: BlobStore.BlobStore, workspace: string): Promise<void> => {
  let after: string | undefined
  while (true) {
    const page = await from.list(workspace, after, 200)
    const others: Array<string> = []
    for (const { key } of page) if (!(await kept.info(workspace, key))) others.push(key)
    if (others.length > 0) await from.delete(workspace, others)
    after = page.at(-1)?.key
    if (after === undefined) return
  }
}

/**
 * Puts a backup back: into a storage of its kind that holds nothing, or with `replace` in place of what is there.
 *
 * The backup is read to its end before anything is taken away. With `replace` attachments that it doesn't have are removed.
 *
 * **Fails with** {@link OperationError} for a folder that is no backup or damaged, a storage of another kind, or one that
 * holds something, and with the storage's own errors (rejected).
 *
 * **Gotchas** no desk may run on it meanwhile. Who was erased since the backup is back: erase them again.
 */
export const restore = async (
  folder: string,
  place: Place,
  { onProgress = () => {}, replace = false }: Pick<Options, "onProgress"> & { readonly replace?: boolean } = {}
): Promise<Manifest> => {
  const manifest = await readManifest(folder)
  const location = parse(place.storage)
  const isSqlite = location.kind === "sqlite"
  if (isSqlite !== (manifest.storage === "sqlite")) {
    throw new OperationError({
      code: "unsupported",
      what: location.kind === "module" ? location.path : location.kind,
      found: `a backup of ${manifest.storage === "sqlite" ? "a SQLite file" : "another storage"}`,
      fix: "restore it where it came from, then `export` and `import`"
    })
  }
  if (manifest.blobs && !place.blobs) {
    throw new OperationError({
      code: "missing",
      what: "the address of the attachments",
      found: "nothing, and the backup has attachments",
      fix: "name it with --blobs"
    })
  }
  // Before anything is taken away.
  const files = isSqlite
    ? []
    : manifest.workspaces.map(({ name, file }) => ({ name, file: fileOf(folder, name, file) }))
  for (const { file } of files) await Archive.check(file)
  if (manifest.blobs && !existsSync(join(folder, blobsName))) {
    throw new OperationError({
      code: "archive",
      what: join(folder, blobsName),
      found: "no directory",
      fix: "put it back, or restore another backup: the attachments are in it"
    })
  }
  if (isSqlite) {
    const to = location.file
    await SqliteStorage.restore({ from: join(folder, databaseName), to, replace }).catch((cause: unknown) => {
      if (!(cause instanceof SqliteStorageError.SqliteStorageError) || cause.code !== "sqlite-exists" || replace)
        throw cause
      throw new OperationError({
        code: "occupied",
        what: cause.file,
        found: "a file",
        fix: "name another, or add --replace",
        cause
      })
    })
  } else {
    await withDriver(place.storage, false, async (driver) => {
      const found = await driver.workspaces()
      if (!replace && found.length > 0) {
        throw new OperationError({
          code: "occupied",
          what: "the storage",
          found: `the workspaces ${found.join(", ")}`,
          fix: "name an empty one, or add --replace"
        })
      }
      for (const name of found) await driver.drop(name)
      for (const { name, file } of files) {
        await importWorkspace(driver, file, {
          workspace: name,
          onProgress: (done, total) => onProgress(name, done, total)
        })
      }
    })
  }
  if (place.blobs && manifest.blobs) {
    const blobs = FileBlobStore.make({ directory: join(folder, blobsName) })
    for (const { name } of manifest.workspaces) {
      await BlobCopy.copy(blobs, place.blobs, name, {
        onProgress: (done, total) => onProgress("attachments", done, total)
      })
      if (replace) await removeOthers(place.blobs, blobs, name)
    }
  }
  return manifest
}
