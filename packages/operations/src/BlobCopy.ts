/** Copies the attachments of a workspace from one blob store to another. */
import type { BlobStore } from "@switchboard/storage"
import type { Progress } from "./Progress.ts"

/** What was copied, and what was there already. **Units** bytes. */
export interface Copied {
  readonly blobs: number
  readonly bytes: number
  readonly present: number
}

/** Some stores look through all they have for each page. */
const pageSize = 5000

/**
 * Copies every blob that is not there yet: broken off, it goes on by being done again. What is removed meanwhile is left
 * out.
 *
 * **Example**
 * ```ts
 * import { strict as assert } from "node:assert"
 * import { BlobCopy } from "@switchboard/operations"
 * import { MemoryBlobStore } from "@switchboard/storage"
 *
 * const [from, to] = [MemoryBlobStore.make(), MemoryBlobStore.make()]
 * await from.put("main", "photo", new Uint8Array(3), { mediaType: "image/png", limitBytes: 10 })
 * assert.deepEqual(await BlobCopy.copy(from, to, "main"), { blobs: 1, bytes: 3, present: 0 })
 * assert.deepEqual(await BlobCopy.copy(from, to, "main"), { blobs: 0, bytes: 0, present: 1 })
 * ```
 */
export const copy = async (
  from: BlobStore.BlobStore,
  to: BlobStore.BlobStore,
  workspace: string,
  { target = workspace, onProgress }: { readonly target?: string; readonly onProgress?: Progress } = {}
): Promise<Copied> => {
  let blobs = 0
  let bytes = 0
  let present = 0
  let total = 0
  let after: string | undefined
  while (true) {
    const page = await from.list(workspace, after, pageSize)
    total += page.length
    for (const { key, mediaType, sizeBytes } of page) {
      if (await to.info(target, key)) present++
      else {
        const contents = await from.get(workspace, key)
        if (contents) {
          await to.put(target, key, contents, { mediaType, limitBytes: sizeBytes })
          blobs++
          bytes += sizeBytes
        }
      }
      onProgress?.(blobs + present, total)
    }
    after = page.at(-1)?.key
    if (after === undefined) return { blobs, bytes, present }
  }
}
