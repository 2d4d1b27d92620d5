export * as BlobStore from "./BlobStore.ts"
export * as StorageDriver from "./StorageDriver.ts"
