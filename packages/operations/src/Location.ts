/**
 * Where a desk keeps what it keeps, as one line: for commands, variables and configuration files.
 */
import { existsSync } from "node:fs"
import { resolve } from "node:path"
import { pathToFileURL } from "node:url"
import type { BlobStore, StorageDriver } from "@switchboard/storage"
import { FileBlobStore } from "@switchboard/storage-file"
import { SqliteStorage } from "@switchboard/storage-sqlite"
import { OperationError } from "./OperationError.ts"

/**
 * A storage's address, taken apart.
 *
 * **Shape** `sqlite:desk.db` · `postgres://user:password@host/database`, with `?schema=` where it is not `switchboard` ·
 * the path of a module (`./storage.js`) whose default export is a `StorageDriver`, or a function that returns one.
 */
export type StorageLocation =
  | { readonly kind: "sqlite"; readonly file: string }
  | { readonly kind: "postgres"; readonly url: string; readonly schema: string | undefined }
  | { readonly kind: "module"; readonly path: string }

const isModule = (address: string): boolean => /^(\.{1,2}\/|\/|[A-Za-z]:\\).*\.[cm]?[jt]s$/.test(address)

/** How a refused address begins, without any part of it that may be a secret. */
const beginning = (address: string): string => {
  if (address === "") return "nothing"
  const scheme = /^([a-z][a-z0-9+.-]{0,15}):\/\//i.exec(address)?.[1]
  return scheme === undefined ? "one of another kind" : `one that begins with "${scheme}://"`
}

/**
 * Takes a storage's address apart.
 *
 * **Fails with** {@link OperationError} (thrown) for one that is none. It never repeats a password.
 *
 * **Example**
 * ```ts
 * import { strict as assert } from "node:assert"
 * import { Location } from "@switchboard/operations"
 *
 * assert.deepEqual(Location.parse("sqlite:desk.db"), { kind: "sqlite", file: "desk.db" })
 * assert.throws(() => Location.parse("desk.db"), { code: "address" })
 * ```
 */
export const parse = (address: string): StorageLocation => {
  if (address.startsWith("sqlite:") && address.length > "sqlite:".length) {
    return { kind: "sqlite", file: address.slice("sqlite:".length) }
  }
  if (/^postgres(ql)?:\/\//.test(address)) {
    const url = URL.parse(address)
    if (url) {
      const schema = url.searchParams.get("schema") ?? undefined
      url.searchParams.delete("schema")
      return { kind: "postgres", url: url.href, schema }
    }
  }
  if (isModule(address)) return { kind: "module", path: address }
  throw new OperationError({
    code: "address",
    what: "the address of the storage",
    found: beginning(address),
    fix: "write sqlite:<file>, postgres://<user>:<password>@<host>/<database>, or the path of a module with a driver (./storage.js)"
  })
}

/** Loads a module's default export, or what it returns when it is a function. */
const load = async <A>(path: string, what: string, isOne: (found: object) => boolean): Promise<A> => {
  const module: { readonly default?: unknown } = await import(pathToFileURL(resolve(path)).href)
  const found: unknown = typeof module.default === "function" ? await module.default() : module.default
  if (typeof found === "object" && found !== null && isOne(found)) return found as A
  throw new OperationError({
    code: "address",
    what: path,
    found: found === undefined ? "no default export" : `a default export that is no ${what}`,
    fix: `export a ${what}, or a function that returns one, as the module's default`
  })
}

/**
 * The storage at an address, not prepared. With `mustExist`, a SQLite file that is not there is refused, not made.
 * `integrity` says whether one is checked for damage when it is prepared; without, it is while it is used.
 *
 * **Fails with** {@link OperationError} (rejected).
 */
export const openStorage = async (
  address: string,
  { mustExist, integrity }: { readonly mustExist: boolean; readonly integrity?: "before" | "off" }
): Promise<StorageDriver.StorageDriver> => {
  const location = parse(address)
  switch (location.kind) {
    case "sqlite":
      if (mustExist && !existsSync(location.file)) {
        throw new OperationError({
          code: "missing",
          what: location.file,
          found: "no file",
          fix: "name the desk's database"
        })
      }
      return SqliteStorage.make({ file: location.file, ...(integrity && { integrity }) })
    case "postgres": {
      // Only what is used is loaded: a command on SQLite needs no client of Postgres.
      const { PostgresStorage } = await import("@switchboard/storage-postgres")
      return PostgresStorage.make({
        url: location.url,
        ...(location.schema !== undefined && { schema: location.schema })
      })
    }
    case "module":
      return load(location.path, "StorageDriver", (found) => "commit" in found && "dump" in found)
  }
}

/**
 * The blob store at an address: `file:<directory>`, `s3:<bucket>` with `?prefix=`, `?region=` or `?endpoint=` and its
 * credentials in the environment (`AWS_ACCESS_KEY_ID` and so on), or the path of a module with a `BlobStore`. With
 * `mustExist`, a directory that is not there is refused, not taken for an empty one.
 *
 * **Fails with** {@link OperationError}, and with `S3ConfigError` for a bucket that can't be used (rejected).
 */
export const openBlobs = async (
  address: string,
  { mustExist = false }: { readonly mustExist?: boolean } = {}
): Promise<BlobStore.BlobStore> => {
  if (address.startsWith("file:") && address.length > "file:".length) {
    const directory = address.slice("file:".length)
    if (mustExist && !existsSync(directory)) {
      throw new OperationError({
        code: "missing",
        what: directory,
        found: "no directory",
        fix: "name the desk's attachments, or none where it has none yet"
      })
    }
    return FileBlobStore.make({ directory })
  }
  const bucket = /^s3:([^?/@]+)(?:\?(.*))?$/.exec(address)
  if (bucket?.[1] !== undefined) {
    const search = new URLSearchParams(bucket[2])
    const option = (name: "prefix" | "region" | "endpoint") => {
      const value = search.get(name)
      return value === null ? {} : { [name]: value }
    }
    const { S3BlobStore } = await import("@switchboard/storage-s3")
    return S3BlobStore.make({ bucket: bucket[1], ...option("prefix"), ...option("region"), ...option("endpoint") })
  }
  if (isModule(address)) return load(address, "BlobStore", (found) => "put" in found && "list" in found)
  throw new OperationError({
    code: "address",
    what: "the address of the attachments",
    found: beginning(address),
    fix: "write file:<directory>, s3:<bucket>, or the path of a module with a blob store (./blobs.js)"
  })
}
