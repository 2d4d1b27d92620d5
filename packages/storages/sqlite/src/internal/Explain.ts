import { type Code, SqliteStorageError } from "../SqliteStorageError.ts"

/** https://www.sqlite.org/rescode.html; the low byte is the primary code. */
const codes: Readonly<Record<number, Code>> = {
  5: "sqlite-locked",
  6: "sqlite-locked",
  8: "sqlite-read-only",
  11: "sqlite-corrupt",
  13: "sqlite-full",
  14: "sqlite-cannot-open",
  26: "sqlite-corrupt"
}

/** Of the file system. */
const systemCodes: Readonly<Record<string, Code>> = {
  EACCES: "sqlite-read-only",
  EPERM: "sqlite-read-only",
  EROFS: "sqlite-read-only",
  ENOSPC: "sqlite-full",
  EDQUOT: "sqlite-full",
  EEXIST: "sqlite-exists",
  ENOENT: "sqlite-cannot-open",
  ENOTDIR: "sqlite-cannot-open",
  EISDIR: "sqlite-cannot-open"
}

/** What kind of failure of SQLite's it is; `undefined`: none of SQLite's. */
export const codeOf = (cause: unknown): Code | undefined => {
  if (!(cause instanceof Error) || !("code" in cause) || cause.code !== "ERR_SQLITE_ERROR") return undefined
  return codes["errcode" in cause ? Number(cause.errcode) & 0xff : 0] ?? "sqlite-failed"
}

/** A failure of SQLite's or of the file system's in words that help; any other as it is. */
export const explain = (file: string, cause: unknown): unknown => {
  if (!(cause instanceof Error) || !("code" in cause)) return cause
  if (cause.code === "ERR_INVALID_STATE") return new SqliteStorageError("sqlite-failed", file, "it is not open", cause)
  const code = codeOf(cause) ?? systemCodes[String(cause.code)]
  return code === undefined ? cause : new SqliteStorageError(code, file, cause.message, cause)
}
