export * as S3BlobStore from "./S3BlobStore.ts"
export * as S3Config from "./S3Config.ts"
export * as S3Error from "./S3Error.ts"
