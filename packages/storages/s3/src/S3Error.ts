/** Why a bucket did not do what it was asked. */

/**
 * The kinds of failure, for a program to tell apart.
 *
 * **Shape** `s3-unavailable` (no answer, a cut one, 429, 5xx) and `s3-conflict` were tried again before they are
 * reported; everything else is a refusal and was asked once.
 */
export type S3ErrorCode =
  | "s3-refused"
  | "s3-clock"
  | "s3-no-bucket"
  | "s3-wrong-region"
  | "s3-unavailable"
  | "s3-conflict"
  | "s3-gone"
  | "s3-unsupported"
  | "s3-failed"

const advice: Readonly<Record<S3ErrorCode, string>> = {
  "s3-refused":
    "Check the credentials, and that they may s3:GetObject, s3:PutObject, s3:DeleteObject, s3:AbortMultipartUpload and s3:ListBucket (without the last, what is not there looks refused).",
  "s3-clock": "Set this machine's clock: the store refuses requests that are minutes off.",
  "s3-no-bucket": "Create the bucket, or correct its name, endpoint or region.",
  "s3-wrong-region": "Name the bucket's own region and the endpoint of that region.",
  "s3-unavailable": "Try again later: putting and deleting can be repeated, and settle what became of this try.",
  "s3-conflict": "Another writer was at the same blob. Try again.",
  "s3-gone": "The blob was deleted, or put anew, while it was read. Read it again.",
  "s3-unsupported": "The store lacks something this needs. See the limits in the README.",
  "s3-failed": "See the store's own code and its log, under the request id."
}

/** What is known of a failure. */
export interface S3ErrorFacts {
  /** The S3 operation: `PutObject`, `UploadPart`, … */
  readonly operation: string
  readonly bucket: string
  /** The object's name in the bucket; `undefined` where the request was for several. */
  readonly object?: string | undefined
  /** The HTTP status; `undefined` where there was no answer. */
  readonly status?: number | undefined
  /** The store's own code, such as `AccessDenied`. */
  readonly s3Code?: string | undefined
  readonly requestId?: string | undefined
  /** How often it was tried in all. */
  readonly attempts: number
}

/**
 * The store could not, or would not: what was asked, what came back, and what to do. Holds no credential, no header
 * and no signed address.
 */
export class S3Error extends Error {
  readonly _tag = "S3Error"
  readonly code: S3ErrorCode
  readonly operation: string
  readonly bucket: string
  readonly object: string | undefined
  readonly status: number | undefined
  readonly s3Code: string | undefined
  readonly requestId: string | undefined
  readonly attempts: number
  constructor(code: S3ErrorCode, reason: string, facts: S3ErrorFacts, cause?: unknown) {
    const where = facts.object === undefined ? facts.bucket : `${facts.bucket}/${facts.object}`
    const tries = facts.attempts > 1 ? `, ${facts.attempts} times` : ""
    super(`${facts.operation} ${where}: ${reason}${tries}. ${advice[code]}`, cause === undefined ? {} : { cause })
    this.name = "S3Error"
    this.code = code
    this.operation = facts.operation
    this.bucket = facts.bucket
    this.object = facts.object
    this.status = facts.status
    this.s3Code = facts.s3Code
    this.requestId = facts.requestId
    this.attempts = facts.attempts
  }
}
