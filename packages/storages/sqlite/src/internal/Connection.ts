import { DatabaseSync } from "node:sqlite"

/** Opens a file to write it. Nothing of this changes the file. */
export const openConnection = (file: string, busyTimeoutMs: number): DatabaseSync => {
  const db = new DatabaseSync(file)
  try {
    // secure_delete: what is removed is overwritten, so that an erasure leaves no bytes behind.
    db.exec(`PRAGMA busy_timeout = ${Math.trunc(busyTimeoutMs)}; PRAGMA synchronous = FULL; PRAGMA secure_delete = ON;
      PRAGMA temp_store = MEMORY`)
    return db
  } catch (error) {
    db.close()
    throw error
  }
}
