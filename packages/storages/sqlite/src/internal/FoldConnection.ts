import { DatabaseSync } from "node:sqlite"

/** How the connection that folds is opened. */
export interface FolderSettings {
  readonly file: string
}

/** What can be asked of the connection that folds. */
export interface Folding {
  /** Folds the log into the file until little of it is left. */
  readonly fold: () => void
  readonly close: () => void
}

// Commits go on meanwhile: each round folds what came during the one before. In pages.
const little = 50
const mostRounds = 5

/** Opens a connection that only folds. */
export const openFolder = ({ file }: FolderSettings): Folding => {
  const db = new DatabaseSync(file)
  db.exec("PRAGMA wal_autocheckpoint = 0")
  const checkpoint = db.prepare("PRAGMA wal_checkpoint(PASSIVE)")
  return {
    fold: () => {
      let folded = 0
      for (let round = 0; round < mostRounds; round++) {
        const log = Number(checkpoint.get()?.log)
        if (log - folded < little) break
        folded = log
      }
    },
    close: () => db.close()
  }
}
