/** Writes a workspace of any storage into a file; broken off, it goes on where it stopped. */
import { createHash } from "node:crypto"
import { once } from "node:events"
import { createWriteStream, existsSync } from "node:fs"
import { open, rename, rm, truncate } from "node:fs/promises"
import { pipeline } from "node:stream/promises"
import { isDeepStrictEqual } from "node:util"
import { createGzip } from "node:zlib"
import type { StorageDriver } from "@switchboard/storage"
import * as Archive from "./Archive.ts"
import { reader as importing } from "./Import.ts"
import { checkWorkspace } from "./internal/Prepared.ts"
import { OperationError } from "./OperationError.ts"
import type { Progress } from "./Progress.ts"

/** What was written. `resumed` are the lines that an earlier, broken off export had written already. */
export interface Exported {
  readonly lines: number
  readonly resumed: number
}

/** Where a file is written until it is whole. */
const partialOf = (file: string): string => `${file}.partial`

/** Whose words were in a file before, and whose must not be: personal fields that were written are not taken back. */
class Erasures {
  readonly #subjects = new Set<string>()
  readonly #streams = new Set<string>()
  readonly #erased = new Set<string>()
  readonly #emptied = new Set<string>()

  /** An event that the file holds already. */
  kept(event: Omit<StorageDriver.StoredEvent, "workspace">): void {
    if (event.personal && event.personal.fields !== null) {
      this.#subjects.add(event.personal.subject)
      this.#streams.add(event.stream)
    }
    this.heard(event)
  }

  heard(event: Pick<StorageDriver.StoredEvent, "type" | "stream">): void {
    if (event.type === "ContactErased") this.#erased.add(event.stream.slice("contact/".length))
    if (event.type === "ContentErased") this.#emptied.add(event.stream)
  }

  /** Whether the file may hold words that are gone from storage. */
  get reach(): boolean {
    return (
      [...this.#erased].some((id) => this.#subjects.has(id)) || [...this.#emptied].some((id) => this.#streams.has(id))
    )
  }
}

interface Begun {
  readonly header: Archive.Header
  readonly position: number
  readonly bytes: number
  readonly lines: number
}

/**
 * Writes everything a workspace holds at one instant, while its desk goes on.
 *
 * Until it is whole the file's name ends in `.partial`. One that is there already, of the same workspace and not
 * compressed, is continued after its last event. It begins anew where somebody was erased since whose words it holds, and
 * where that event is not in this storage: the file is of another, or of what was before a restore.
 *
 * **Fails with** {@link OperationError} (rejected) where the file exists, there is no such workspace, or it is being
 * imported just now.
 *
 * **Gotchas** attachments are not in it: copy them with {@link Backup}.
 */
export const exportWorkspace = async (
  driver: StorageDriver.StorageDriver,
  workspace: string,
  file: string,
  { now, onProgress }: { readonly now: () => number; readonly onProgress?: Progress }
): Promise<Exported> => {
  if (existsSync(file)) {
    throw new OperationError({ code: "occupied", what: file, found: "a file", fix: "name another, or remove it first" })
  }
  await checkWorkspace(driver, workspace)
  if ((await driver.cursor(workspace, importing)) > 0) {
    throw new OperationError({
      code: "occupied",
      what: `the workspace ${workspace}`,
      found: "an import that was not finished",
      fix: "finish the import first"
    })
  }
  const partial = partialOf(file)
  const isCompressed = file.endsWith(".gz")
  while (true) {
    const erasures = new Erasures()
    const kept = createHash("sha256")
    const begun = isCompressed ? undefined : await readBegun(driver, partial, workspace, kept, erasures)
    const hash = begun ? kept : createHash("sha256")
    if (begun) await truncate(partial, begun.bytes)
    else await rm(partial, { force: true })

    const sink = createWriteStream(partial, { flags: begun ? "a" : "w" })
    const gzip = isCompressed ? createGzip() : undefined
    const writing = gzip ? pipeline(gzip, sink) : once(sink, "close")
    // Told where it is awaited; a write that fails meanwhile must not end the process.
    writing.catch(() => {})
    const target = gzip ?? sink
    const failed = once(target, "error").then(([error]) => Promise.reject(error))
    failed.catch(() => {})
    const write = async (text: string): Promise<void> => {
      if (!target.write(text)) await Promise.race([once(target, "drain"), failed])
    }
    let lines = begun?.lines ?? 0
    try {
      if (!begun) {
        const header: Archive.Header = {
          kind: "header",
          format: Archive.format,
          workspace,
          exportedAt: new Date(now()).toISOString(),
          views: Archive.viewVersions
        }
        const line = `${JSON.stringify(header)}\n`
        hash.update(line)
        await write(line)
      }
      const head = await driver.head(workspace)
      for await (const batch of driver.dump(workspace, begun?.position ?? 0)) {
        let text = ""
        for (const holding of batch) {
          if (holding.kind === "event") erasures.heard(holding.event)
          text += `${Archive.encode(holding)}\n`
        }
        hash.update(text)
        lines += batch.length
        await write(text)
        const last = batch.at(-1)
        onProgress?.(last?.kind === "event" ? last.event.position : head, head)
      }
      const end: Archive.End = { kind: "end", lines, sha256: hash.digest("hex") }
      await write(`${JSON.stringify(end)}\n`)
    } finally {
      target.end()
      await writing
    }
    if (begun && erasures.reach) continue
    const handle = await open(partial, "r+")
    try {
      await handle.sync()
    } finally {
      await handle.close()
    }
    await rename(partial, file)
    return { lines, resumed: begun?.lines ?? 0 }
  }
}

/**
 * How far a file that was broken off had come; `undefined` when there is nothing to go on from: it holds words that are
 * gone, its views are of another release, or its last event is not in this storage, but in another or in what was before a
 * restore.
 */
const readBegun = async (
  driver: StorageDriver.StorageDriver,
  file: string,
  workspace: string,
  hash: ReturnType<typeof createHash>,
  erasures: Erasures
): Promise<Begun | undefined> => {
  if (!existsSync(file)) return undefined
  let begun: Begun | undefined
  let last: StorageDriver.StoredEvent | undefined
  reading: for await (const lines of Archive.readLines(file, false)) {
    for (const { number, text, endsAt } of lines) {
      const line = decodeBegun(file, number, text)
      if (number === 1) {
        if (line?.kind !== "header" || line.workspace !== workspace) {
          throw new OperationError({
            code: "occupied",
            what: file,
            found: "another export that was broken off",
            fix: "finish that, or remove it"
          })
        }
        begun = { header: line, position: 0, bytes: endsAt, lines: 0 }
      } else if (begun && line?.kind === "event") {
        last = { ...line.event, workspace } as StorageDriver.StoredEvent
        erasures.kept(last)
        begun = { ...begun, position: last.position, bytes: endsAt, lines: begun.lines + 1 }
      } else break reading
      hash.update(`${text}\n`)
    }
  }
  if (!begun || erasures.reach || !isDeepStrictEqual(begun.header.views, Archive.viewVersions)) return undefined
  return last && !(await isThere(driver, last)) ? undefined : begun
}

/** A line after the first that is damaged, as after a power cut, is where the file ends. */
const decodeBegun = (file: string, number: number, text: string): ReturnType<typeof Archive.decode> | undefined => {
  try {
    return Archive.decode(file, number, text)
  } catch (error) {
    if (number === 1) throw error
    return undefined
  }
}

/** Whether a storage holds an event where a file does. What was personal to somebody may be gone from it. */
const isThere = async (driver: StorageDriver.StorageDriver, event: StorageDriver.StoredEvent): Promise<boolean> => {
  const { workspace, position } = event
  const [found] = await driver.journal(workspace, position - 1, 1)
  const facts = ({ personal: _, ...rest }: StorageDriver.StoredEvent) => JSON.parse(JSON.stringify(rest)) as unknown
  return found !== undefined && isDeepStrictEqual(facts(found), facts(event))
}
