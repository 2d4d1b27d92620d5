import type { DatabaseSync } from "node:sqlite"
import { checkTables, checkWhole } from "./CheckConnection.ts"
import { openConnection } from "./Connection.ts"
import { dropped } from "./Rows.ts"
import { type FileState, stateOf } from "./Schema.ts"

/** How the connection that copies is opened. **Units** milliseconds. */
export interface CopierSettings {
  readonly file: string
  readonly busyTimeoutMs: number
}

/** What can be asked of the connection that copies. */
export interface Copying {
  readonly state: () => FileState
  /** About how many bytes a copy will have: pages that are free are not copied. */
  readonly size: () => number
  /** Copies what is there at this instant into a file that is empty or not there. */
  readonly copy: (to: string) => void
  /** What is wrong with the original, also that an index does not hold what its table holds. */
  readonly check: () => ReadonlyArray<string>
  /** What is wrong with the copy. */
  readonly checkCopy: (to: string) => ReadonlyArray<string>
  /** The workspaces of the copy, which is only read. */
  readonly workspaces: (to: string) => ReadonlyArray<string>
  readonly close: () => void
}

/** Opens a connection that only copies. */
export const openCopier = ({ file, busyTimeoutMs }: CopierSettings): Copying => {
  const db = openConnection(file, busyTimeoutMs)
  const inCopy = <A>(to: string, run: (copy: DatabaseSync) => A): A => {
    const copy = openConnection(to, busyTimeoutMs)
    try {
      return run(copy)
    } finally {
      copy.close()
    }
  }
  const number = (pragma: string): number => Number(Object.values(db.prepare(`PRAGMA ${pragma}`).get() ?? { 0: 0 })[0])
  return {
    state: () => stateOf(db),
    size: () => (number("page_count") - number("freelist_count")) * number("page_size"),
    copy: (to) => void db.prepare("VACUUM INTO ?").run(to),
    check: () => checkWhole(db),
    checkCopy: (to) => inCopy(to, checkTables),
    workspaces: (to) =>
      inCopy(to, (copy) =>
        copy
          .prepare("SELECT name FROM workspaces WHERE revisions <> ? ORDER BY name")
          .all(dropped)
          .map(({ name }) => String(name))
      ),
    close: () => db.close()
  }
}
