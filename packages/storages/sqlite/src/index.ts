export * as SqliteStorage from "./SqliteStorage.ts"
export * as SqliteStorageError from "./SqliteStorageError.ts"
