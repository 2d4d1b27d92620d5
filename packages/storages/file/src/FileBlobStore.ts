/** Blobs in files: one per blob, below a directory per workspace. */
import { randomUUID } from "node:crypto"
import { type FileHandle, link, mkdir, open, readdir, rm, stat, unlink } from "node:fs/promises"
import { dirname, join, sep } from "node:path"
import {
  type BlobInfo,
  BlobLimitError,
  type BlobStore,
  checkBlobKey,
  resolveRange
} from "@switchboard/storage/BlobStore"
import { StorageInvalidError } from "@switchboard/storage/StorageDriver"
import { compareText } from "@switchboard/storage/View"

/** Where the blobs are. */
export interface Options {
  /** Made when it does not exist. On a local file system with hard links. */
  readonly directory: string
}

// ── Names ──

// A name on disk has at most 255 bytes, on some systems ignores case, and on Windows is not "con" and doesn't end in a
// dot. So lower-case letters, digits, - and _ stand for themselves and every other byte is =XX, after a leading "=" and
// in pieces; the pieces before the last are directories, whose names end in "+".
const pieceLength = 120

const pathOf = (name: string): string => {
  let encoded = "="
  for (const byte of Buffer.from(name, "utf8")) {
    const character = String.fromCharCode(byte)
    encoded += /^[a-z0-9_-]$/.test(character) ? character : `=${byte.toString(16).padStart(2, "0")}`
  }
  const pieces: Array<string> = []
  for (let start = 0; start < encoded.length; start += pieceLength)
    pieces.push(encoded.slice(start, start + pieceLength))
  return pieces.join(`+${sep}`)
}

const nameOf = (path: string): string => {
  const encoded = path.replaceAll(`+${sep}`, "").slice(1)
  const bytes = encoded.replace(/=([0-9a-f]{2})/g, (_, hex: string) => String.fromCharCode(Number.parseInt(hex, 16)))
  return Buffer.from(bytes, "latin1").toString("utf8")
}

// ── Files ──

// The media type is the first line of the file, before the bytes: so that both appear, and stay, together.
const headerLimit = 1_024

const headerOf = (mediaType: string): Buffer => {
  const header = Buffer.from(`${JSON.stringify({ mediaType })}\n`)
  if (header.length > headerLimit)
    throw new StorageInvalidError({ field: "mediaType", expected: "a media type", found: `${header.length} bytes` })
  return header
}

interface Stored extends BlobInfo {
  readonly headerBytes: number
}

const isMissing = (error: unknown): boolean => error instanceof Error && "code" in error && error.code === "ENOENT"

const isThere = (error: unknown): boolean => error instanceof Error && "code" in error && error.code === "EEXIST"

const inspect = async (handle: FileHandle, key: string): Promise<Stored> => {
  const { buffer, bytesRead } = await handle.read(Buffer.alloc(headerLimit), 0, headerLimit, 0)
  const headerBytes = buffer.subarray(0, bytesRead).indexOf("\n") + 1
  const { mediaType } = JSON.parse(buffer.toString("utf8", 0, headerBytes)) as { readonly mediaType: string }
  const { size } = await handle.stat()
  return { key, mediaType, sizeBytes: size - headerBytes, headerBytes }
}

const write = async (
  handle: FileHandle,
  key: string,
  bytes: Uint8Array | AsyncIterable<Uint8Array>,
  limitBytes: number
): Promise<number> => {
  let size = 0
  const add = async (chunk: Uint8Array) => {
    size += chunk.length
    if (size > limitBytes) throw new BlobLimitError(key, limitBytes)
    await handle.writeFile(chunk)
  }
  if (bytes instanceof Uint8Array) await add(bytes)
  else for await (const chunk of bytes) await add(chunk)
  return size
}

/** A name is only on disk when its directory is synced; Windows does that by itself and refuses to be asked. */
const syncDirectory = async (directory: string): Promise<void> => {
  if (process.platform === "win32") return
  const handle = await open(directory, "r")
  try {
    await handle.sync()
  } finally {
    await handle.close()
  }
}

const makeDirectory = async (directory: string): Promise<void> => {
  const first = await mkdir(directory, { recursive: true })
  if (first === undefined) return
  for (let made = directory; made.length >= first.length; made = dirname(made)) await syncDirectory(dirname(made))
}

const infoOf = ({ key, sizeBytes, mediaType }: BlobInfo): BlobInfo => ({ key, sizeBytes, mediaType })

// A put that was cut off by the end of its process leaves a file in `.partial`.
const partialKeptMs = 24 * 60 * 60 * 1_000

/**
 * Keeps blobs in files.
 *
 * A blob appears under its key whole and synced, or not at all. Several processes may use one directory.
 *
 * **Fails with** `BlobLimitError`, `StorageInvalidError`, and the error of the file system (rejected).
 *
 * **Gotchas** listing a page reads all names of the workspace.
 *
 * **Example**
 * ```ts
 * import { strict as assert } from "node:assert"
 * import { mkdtempSync, rmSync } from "node:fs"
 * import { tmpdir } from "node:os"
 * import { join } from "node:path"
 * import { FileBlobStore } from "@switchboard/storage-file"
 *
 * const directory = mkdtempSync(join(tmpdir(), "switchboard-"))
 * const blobs = FileBlobStore.make({ directory })
 * const bytes = new TextEncoder().encode("hello")
 * await blobs.put("acme", "greeting", bytes, { mediaType: "text/plain", limitBytes: 1_000 })
 * assert.deepEqual(await blobs.list("acme", undefined, 10), [
 *   { key: "greeting", sizeBytes: 5, mediaType: "text/plain" }
 * ])
 * rmSync(directory, { recursive: true })
 * ```
 */
export const make = ({ directory }: Options): BlobStore => {
  const partial = join(directory, ".partial")
  const fileOf = (workspace: string, key: string): string => {
    checkBlobKey(workspace, key)
    return join(directory, pathOf(workspace), pathOf(key))
  }

  const withFile = async <A>(file: string, run: (handle: FileHandle) => Promise<A>): Promise<A | undefined> => {
    let handle: FileHandle
    try {
      handle = await open(file, "r")
    } catch (error) {
      if (isMissing(error)) return undefined
      throw error
    }
    try {
      return await run(handle)
    } finally {
      await handle.close()
    }
  }

  const find = (workspace: string, key: string): Promise<Stored | undefined> =>
    withFile(fileOf(workspace, key), (handle) => inspect(handle, key))

  const tidy = async (): Promise<void> => {
    await makeDirectory(partial)
    for (const name of await readdir(partial)) {
      const file = join(partial, name)
      const info = await stat(file).catch(() => undefined)
      if (info !== undefined && info.mtimeMs < Date.now() - partialKeptMs) await rm(file, { force: true })
    }
  }
  let tidied: Promise<void> | undefined

  return {
    name: "file",
    put: async (workspace, key, bytes, { mediaType, limitBytes }) => {
      const file = fileOf(workspace, key)
      const header = headerOf(mediaType)
      const before = await find(workspace, key)
      if (before !== undefined) return infoOf(before)
      tidied ??= tidy()
      await tidied
      const part = join(partial, randomUUID())
      try {
        const handle = await open(part, "wx")
        let sizeBytes: number
        try {
          await handle.writeFile(header)
          sizeBytes = await write(handle, key, bytes, limitBytes)
          await handle.sync()
        } finally {
          await handle.close()
        }
        await makeDirectory(dirname(file))
        // A link, unlike a rename, never replaces what another put has finished meanwhile.
        await link(part, file)
        await syncDirectory(dirname(file))
        return { key, sizeBytes, mediaType }
      } catch (error) {
        const first = isThere(error) ? await find(workspace, key) : undefined
        if (first === undefined) throw error
        return infoOf(first)
      } finally {
        await rm(part, { force: true })
      }
    },
    info: async (workspace, key) => {
      const stored = await find(workspace, key)
      return stored === undefined ? undefined : infoOf(stored)
    },
    get: async (workspace, key, range) => {
      const stored = await find(workspace, key)
      if (stored === undefined) return undefined
      const { start, end } = resolveRange(range, stored.sizeBytes)
      return (async function* () {
        if (start === end) return
        // Opened when it is read: an iterable that nobody reads must not keep a file open.
        const handle = await open(fileOf(workspace, key), "r")
        yield* handle.createReadStream({
          start: stored.headerBytes + start,
          end: stored.headerBytes + end - 1
        }) as AsyncIterable<Uint8Array>
      })()
    },
    delete: async (workspace, keys) => {
      for (const key of keys) {
        const file = fileOf(workspace, key)
        try {
          await unlink(file)
          await syncDirectory(dirname(file))
        } catch (error) {
          if (!isMissing(error)) throw error
        }
      }
    },
    list: async (workspace, after, limit) => {
      const root = join(directory, pathOf(workspace))
      const entries = await readdir(root, { recursive: true, withFileTypes: true }).catch((error: unknown) => {
        if (isMissing(error)) return []
        throw error
      })
      const keys = entries
        .filter((entry) => entry.isFile())
        .map((entry) => nameOf(join(entry.parentPath, entry.name).slice(root.length + 1)))
        .filter((key) => after === undefined || compareText(key, after) > 0)
        .sort(compareText)
        .slice(0, limit)
      const infos = await Promise.all(keys.map((key) => find(workspace, key)))
      return infos.flatMap((stored) => (stored === undefined ? [] : [infoOf(stored)]))
    }
  }
}
