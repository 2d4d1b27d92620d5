import type { Erased, ViewDefinition } from "@switchboard/storage/StorageDriver"
import { openConnection } from "./Connection.ts"
import type { HoldingWrite } from "./Holdings.ts"
import { type Packed, packOutcomes, unpack } from "./Packed.ts"
import { Writer } from "./Writer.ts"

/** How the connection that writes is opened. **Units** milliseconds; pages of 4 KiB. */
export interface WriterSettings {
  readonly file: string
  readonly busyTimeoutMs: number
  /** When its log has so many pages, a commit folds it into the file itself. */
  readonly foldsAtPages: number
  readonly views: ReadonlyArray<ViewDefinition>
}

/** What can be asked of the connection that writes: plain data, since it is mostly asked from another thread. */
export interface Writing {
  /** Takes a packed group, returns packed outcomes. */
  readonly commit: (packed: Packed, nowMs: number) => Packed
  readonly load: (workspace: string, holdings: ReadonlyArray<HoldingWrite>) => void
  readonly drop: (workspace: string) => void
  readonly erase: (workspace: string, subject: string, stream: string | undefined) => Erased
  /** Removes up to `limit` expired claims; returns how many. */
  readonly sweep: (nowMs: number, limit: number) => number
  /** Indexes the words of up to `limit` documents; returns of how many. */
  readonly index: (limit: number) => number
  /** Folds the log into the file, as far as nobody reads what is older. */
  readonly fold: () => void
  /** Empties the log, which still holds pages as they were. `false`: somebody else needs it now. */
  readonly emptyLog: () => boolean
  readonly close: () => void
}

/** Opens the connection that writes a file which is prepared already. */
export const openWriter = ({ file, busyTimeoutMs, foldsAtPages, views }: WriterSettings): Writing => {
  const db = openConnection(file, busyTimeoutMs)
  db.exec(`PRAGMA cache_size = -32768; PRAGMA wal_autocheckpoint = ${Math.trunc(foldsAtPages)};
    PRAGMA journal_size_limit = 67108864`)
  const writer = new Writer(db, views)
  const fieldCounts = views.map(({ fields }) => Object.keys(fields).length)
  const fold = db.prepare("PRAGMA wal_checkpoint(PASSIVE)")
  const truncate = db.prepare("PRAGMA wal_checkpoint(TRUNCATE)")
  return {
    commit: (packed, nowMs) => packOutcomes(writer.commit(unpack(packed, fieldCounts), nowMs)),
    load: (workspace, holdings) => writer.load(workspace, holdings),
    drop: (workspace) => writer.drop(workspace),
    erase: (workspace, subject, stream) => writer.erase(workspace, subject, stream),
    sweep: (nowMs, limit) => writer.sweep(nowMs, limit),
    index: (limit) => writer.index(limit),
    fold: () => void fold.get(),
    emptyLog: () => truncate.get()?.busy !== 1,
    close: () => db.close()
  }
}
