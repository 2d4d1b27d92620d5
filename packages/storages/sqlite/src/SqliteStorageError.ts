/** What SQLite could not do, in words that help. */

/** Which of the things it could not do. */
export type Code =
  | "sqlite-locked"
  | "sqlite-in-use"
  | "sqlite-read-only"
  | "sqlite-full"
  | "sqlite-corrupt"
  | "sqlite-foreign"
  | "sqlite-newer"
  | "sqlite-missing"
  | "sqlite-exists"
  | "sqlite-cannot-open"
  | "sqlite-failed"

const advice: Readonly<Record<Code, string>> = {
  "sqlite-locked": "Another process holds it. Close that, or raise busyTimeoutMs.",
  "sqlite-in-use": "Stop what has it open, then try again.",
  "sqlite-read-only": "Give this process the right to write the file and its directory.",
  "sqlite-full": "The disk is full. Free space; nothing of this was written.",
  "sqlite-corrupt": "It is damaged or no SQLite database. Restore a backup, or name another file.",
  "sqlite-foreign": "It belongs to another program. Name another file.",
  "sqlite-newer": "It was written by a newer version. Upgrade this program, or restore a backup.",
  "sqlite-missing": "Name a file that is there.",
  "sqlite-exists": "Nothing was overwritten. Name another file, or remove this one.",
  "sqlite-cannot-open": "Create its directory, and name a file there.",
  "sqlite-failed": "See the cause."
}

/** SQLite could not do it: which file, why, and what to do. `resultCode` is SQLite's own, where it has one. */
export class SqliteStorageError extends Error {
  readonly _tag = "SqliteStorageError"
  readonly code: Code
  readonly file: string
  readonly resultCode: number | undefined
  constructor(code: Code, file: string, reason: string, cause?: unknown) {
    super(`${file}: ${reason}. ${advice[code]}`, cause === undefined ? {} : { cause })
    this.name = "SqliteStorageError"
    this.code = code
    this.file = file
    this.resultCode =
      cause instanceof Error && "errcode" in cause && typeof cause.errcode === "number" ? cause.errcode : undefined
  }
}
