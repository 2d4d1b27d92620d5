/**
 * What operators do with a desk's storage, as functions and as the `switchboard` command.
 *
 * @module
 */
export * as Archive from "./Archive.ts"
export * as AuditText from "./AuditText.ts"
export * as Backup from "./Backup.ts"
export * as BlobCopy from "./BlobCopy.ts"
export * as Export from "./Export.ts"
export * as Import from "./Import.ts"
export * as Location from "./Location.ts"
export * as OperationError from "./OperationError.ts"
export * as Program from "./Program.ts"
export * as Progress from "./Progress.ts"
export * as Rebuild from "./Rebuild.ts"
export * as Verification from "./Verification.ts"
