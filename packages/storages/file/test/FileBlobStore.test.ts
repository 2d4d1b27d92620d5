import { strict as assert } from "node:assert"
import { mkdirSync, mkdtempSync, readdirSync, rmSync, utimesSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { blobConformance } from "@switchboard/storage/BlobConformance"
import { FileBlobStore } from "@switchboard/storage-file"
import { test } from "vitest"

const inDirectory = async (run: (directory: string) => Promise<void>) => {
  const directory = mkdtempSync(join(tmpdir(), "switchboard-file-"))
  try {
    await run(directory)
  } finally {
    rmSync(directory, { recursive: true })
  }
}

const files = (directory: string) =>
  readdirSync(directory, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name).slice(directory.length + 1))

blobConformance({
  test,
  make: async () => {
    const directory = mkdtempSync(join(tmpdir(), "switchboard-file-"))
    const open = () => FileBlobStore.make({ directory: join(directory, "not", "yet", "there") })
    return { store: open(), reopen: async () => open(), dispose: async () => rmSync(directory, { recursive: true }) }
  }
})

const put = { mediaType: "text/plain", limitBytes: 100 }

test("[STORAGE-66] no key or workspace leads out of the directory", () =>
  inDirectory(async (directory) => {
    const inside = join(directory, "inside")
    const blobs = FileBlobStore.make({ directory: inside })
    for (const name of ["../../x", "..", ".", "/etc/x", "a/../../x", "..\\x", "C:\\x", ".partial", "=2e=2e", "+", "a+"])
      for (const [workspace, key] of [
        [name, "k"],
        ["w", name]
      ] as const)
        await blobs.put(workspace, key, new Uint8Array([1]), put)
    assert.deepEqual(readdirSync(directory), ["inside"])
    assert.equal((await blobs.list("w", undefined, 99)).length, 11)
    const odd = files(inside).filter((file) => !/^[a-z0-9_=+/-]+$/.test(file))
    assert.deepEqual(odd, [])
  }))

test("[STORAGE-62] nothing is left of a put that failed, and of one that was cut off only for a day", () =>
  inDirectory(async (directory) => {
    const partial = join(directory, ".partial")
    mkdirSync(partial)
    writeFileSync(join(partial, "old"), "cut off")
    writeFileSync(join(partial, "young"), "under way")
    const before = Date.now() / 1_000 - 25 * 60 * 60
    utimesSync(join(partial, "old"), before, before)
    const blobs = FileBlobStore.make({ directory })
    await assert.rejects(blobs.put("w", "k", new Uint8Array(101), put), { code: "blob-limit" })
    assert.deepEqual(files(directory), [join(".partial", "young")])
    assert.deepEqual(await blobs.list("w", undefined, 9), [])
  }))

test("[STORAGE-60] a media type that is none is refused before anything is written", () =>
  inDirectory(async (directory) => {
    const blobs = FileBlobStore.make({ directory })
    const options = { mediaType: "x".repeat(2_000), limitBytes: 100 }
    await assert.rejects(blobs.put("w", "k", new Uint8Array(1), options), { code: "storage-invalid" })
    assert.deepEqual(files(directory), [])
  }))
