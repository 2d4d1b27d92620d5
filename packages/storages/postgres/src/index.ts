export * as PostgresStorage from "./PostgresStorage.ts"
export * as PostgresStorageError from "./PostgresStorageError.ts"
