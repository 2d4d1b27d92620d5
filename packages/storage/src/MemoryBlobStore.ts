/** Blobs in memory: the double every test uses. */
import { type BlobInfo, BlobLimitError, type BlobStore, checkBlobKey, resolveRange } from "./BlobStore.ts"
import { entryOf } from "./internal/MapEntry.ts"
import { compareText } from "./View.ts"

interface Blob extends BlobInfo {
  readonly bytes: Uint8Array
}

const collect = async (key: string, bytes: Uint8Array | AsyncIterable<Uint8Array>, limitBytes: number) => {
  const chunks: Array<Uint8Array> = []
  let size = 0
  const add = (chunk: Uint8Array) => {
    size += chunk.length
    if (size > limitBytes) throw new BlobLimitError(key, limitBytes)
    chunks.push(chunk.slice())
  }
  if (bytes instanceof Uint8Array) add(bytes)
  else for await (const chunk of bytes) add(chunk)
  const all = new Uint8Array(size)
  let offset = 0
  for (const chunk of chunks) {
    all.set(chunk, offset)
    offset += chunk.length
  }
  return all
}

const infoOf = ({ key, sizeBytes, mediaType }: BlobInfo): BlobInfo => ({ key, sizeBytes, mediaType })

/**
 * Opens an empty blob store in memory.
 *
 * **Example**
 * ```ts
 * import { strict as assert } from "node:assert"
 * import { MemoryBlobStore } from "@switchboard/storage"
 *
 * const blobs = MemoryBlobStore.make()
 * const bytes = new TextEncoder().encode("hello")
 * await blobs.put("acme", "greeting", bytes, { mediaType: "text/plain", limitBytes: 1000 })
 * const parts = []
 * for await (const part of (await blobs.get("acme", "greeting", { start: 1, end: 3 }))!) parts.push(...part)
 * assert.equal(String.fromCharCode(...parts), "el")
 * ```
 */
export const make = (): BlobStore => {
  const workspaces = new Map<string, Map<string, Blob>>()
  const find = (workspace: string, key: string) => workspaces.get(workspace)?.get(key)
  return {
    name: "memory",
    put: async (workspace, key, bytes, { mediaType, limitBytes }) => {
      checkBlobKey(workspace, key)
      const all = find(workspace, key)?.bytes ?? (await collect(key, bytes, limitBytes))
      const blobs = entryOf(workspaces, workspace, () => new Map<string, Blob>())
      // Another put under the key may have ended meanwhile: the first stays.
      const blob = blobs.get(key) ?? { key, sizeBytes: all.length, mediaType, bytes: all }
      blobs.set(key, blob)
      return infoOf(blob)
    },
    info: async (workspace, key) => {
      checkBlobKey(workspace, key)
      const blob = find(workspace, key)
      return blob === undefined ? undefined : infoOf(blob)
    },
    get: async (workspace, key, range) => {
      checkBlobKey(workspace, key)
      const blob = find(workspace, key)
      if (blob === undefined) return undefined
      const { start, end } = resolveRange(range, blob.sizeBytes)
      return (async function* () {
        if (end > start) yield blob.bytes.slice(start, end)
      })()
    },
    delete: async (workspace, keys) => {
      for (const key of keys) workspaces.get(workspace)?.delete(key)
    },
    list: async (workspace, after, limit) =>
      [...(workspaces.get(workspace)?.values() ?? [])]
        .filter(({ key }) => after === undefined || compareText(key, after) > 0)
        .sort((left, right) => compareText(left.key, right.key))
        .slice(0, limit)
        .map(infoOf)
  }
}
