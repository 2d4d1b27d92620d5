/** What a blob store in a bucket needs to know: where it is, and who asks. */

/**
 * Where the bucket is, and how it is asked.
 *
 * **Units** bytes; milliseconds.
 */
export interface Options {
  /** The store's address, such as `https://s3.example.com`. Default `AWS_ENDPOINT_URL_S3` or `AWS_ENDPOINT_URL`, then Amazon's own. */
  readonly endpoint?: string
  /** The bucket; it must exist. */
  readonly bucket: string
  /** The bucket's region, as the store calls it. Default `AWS_REGION` or `AWS_DEFAULT_REGION`. */
  readonly region?: string
  /** Default `AWS_ACCESS_KEY_ID`. */
  readonly accessKeyId?: string
  /** Default `AWS_SECRET_ACCESS_KEY`. */
  readonly secretAccessKey?: string
  /** Goes with temporary credentials. Default `AWS_SESSION_TOKEN`, where both credentials come from the environment too. */
  readonly sessionToken?: string
  /** Goes before every object's name, with a slash: what shares the bucket stays apart. Default none. */
  readonly prefix?: string
  /** Whether the bucket is the first step of the path, not part of the host. Default true, for Amazon's own endpoint false. */
  readonly forcePathStyle?: boolean
  /** A larger blob is uploaded in parts of this size, one after the other. 5 MiB to 512 MiB. Default 8 MiB. */
  readonly partBytes?: number
  /** How often a request is tried in all. 1 to 10. Default 4. */
  readonly attempts?: number
  /** The pause before the second try; each later one is twice as long. Default 200. */
  readonly firstRetryMs?: number
  /** How long one try may take, and how long a download may stay silent. Default 60,000. */
  readonly timeoutMs?: number
}

/** Options that were found usable, with every default in its place. */
export interface S3Config {
  readonly bucket: string
  /** The address of the bucket, without a slash at its end. */
  readonly bucketUrl: string
  readonly region: string
  readonly accessKeyId: string
  readonly secretAccessKey: string
  readonly sessionToken: string | undefined
  /** Empty, or with a slash at its end. */
  readonly prefix: string
  readonly partBytes: number
  readonly attempts: number
  readonly firstRetryMs: number
  readonly timeoutMs: number
}

/** The options can't be used. `issues` name each field, what was found (never a credential) and what to do. */
export class S3ConfigError extends Error {
  readonly _tag = "S3ConfigError"
  readonly code = "s3-config"
  readonly issues: ReadonlyArray<{ readonly field: string; readonly found: string; readonly fix: string }>
  constructor(issues: S3ConfigError["issues"]) {
    super(issues.map(({ field, found, fix }) => `S3 blob store: ${field}: found ${found}; ${fix}.`).join("\n"))
    this.name = "S3ConfigError"
    this.issues = issues
  }
}

const MiB = 1_024 * 1_024

// An object's name has at most 1,024 bytes, and the rest of ours takes up to 790.
const prefixLimit = 200

const urlOf = (endpoint: string): URL | undefined => {
  if (!URL.canParse(endpoint)) return undefined
  const url = new URL(endpoint)
  const plain = url.username === "" && url.password === "" && url.search === "" && url.hash === ""
  return plain && /^https?:$/.test(url.protocol) ? url : undefined
}

/**
 * Reads options, with what is left out from the environment.
 *
 * **Fails with** {@link S3ConfigError} (thrown), for all fields at once.
 *
 * **Example**
 * ```ts
 * import { strict as assert } from "node:assert"
 * import { S3Config } from "@switchboard/storage-s3"
 *
 * const environment = { AWS_ACCESS_KEY_ID: "key", AWS_SECRET_ACCESS_KEY: "secret", AWS_REGION: "eu-central-1" }
 * const config = S3Config.decode({ bucket: "attachments", prefix: "desk" }, environment)
 * assert.equal(config.bucketUrl, "https://attachments.s3.eu-central-1.amazonaws.com")
 * assert.throws(() => S3Config.decode({ bucket: "attachments" }, {}), /AWS_ACCESS_KEY_ID/)
 * ```
 */
export const decode = (
  options: Options,
  environment: Readonly<Record<string, string | undefined>> = process.env
): S3Config => {
  const issues: Array<S3ConfigError["issues"][number]> = []
  const show = (value: unknown): string => (value === undefined ? "nothing" : (JSON.stringify(value) ?? typeof value))
  const refuse = (field: string, found: string, fix: string): void => {
    issues.push({ field, found, fix })
  }

  /** What is given, else what the first variable that is set says. */
  const textOf = (field: "endpoint" | "region", ...variables: ReadonlyArray<string>): string | undefined => {
    const given: unknown = options[field]
    if (given !== undefined) return String(given)
    return variables.map((name) => environment[name]).find((value) => value !== undefined && value !== "")
  }
  const credential = (field: "accessKeyId" | "secretAccessKey", variable: string): string => {
    const value: unknown = options[field] ?? environment[variable]
    if (value === undefined || value === "") refuse(field, "nothing", `give it, or set ${variable}`)
    else if (typeof value !== "string" || !/^[\x21-\x7e]+$/.test(value))
      refuse(field, "another form", `give it, or set ${variable}, as the store's console shows it, without spaces`)
    return String(value)
  }
  const numberOf = (
    field: "partBytes" | "attempts" | "firstRetryMs" | "timeoutMs",
    normally: number,
    [least, most]: readonly [number, number]
  ): number => {
    const value: unknown = options[field] ?? normally
    if (typeof value === "number" && Number.isInteger(value) && value >= least && value <= most) return value
    refuse(field, show(value), `give a whole number from ${least} to ${most}`)
    return normally
  }

  const bucket: unknown = options.bucket
  if (typeof bucket !== "string" || !/^[A-Za-z0-9][A-Za-z0-9._-]{1,61}[A-Za-z0-9]$/.test(bucket))
    refuse("bucket", show(bucket), "give the bucket's name: 3 to 63 letters, digits, dots and hyphens")

  const region = textOf("region", "AWS_REGION", "AWS_DEFAULT_REGION")
  if (region === undefined)
    refuse("region", "nothing", 'give it, or set AWS_REGION; where the store has none, "us-east-1" or "auto" will do')
  else if (!/^[\w-]{1,64}$/.test(region)) refuse("region", show(region), "give letters, digits and hyphens")
  const host = issues.some(({ field }) => field === "region") ? "s3.amazonaws.com" : `s3.${region}.amazonaws.com`

  const endpoint = textOf("endpoint", "AWS_ENDPOINT_URL_S3", "AWS_ENDPOINT_URL")
  const url = urlOf(endpoint ?? `https://${host}`)
  // Not shown: it may hold a password.
  if (url === undefined)
    refuse(
      "endpoint",
      "no such address",
      "give https:// and the store's host, without user, query or fragment, or set AWS_ENDPOINT_URL_S3"
    )

  const pathStyle: unknown = options.forcePathStyle ?? endpoint !== undefined
  if (typeof pathStyle !== "boolean") refuse("forcePathStyle", show(pathStyle), "give true or false")
  else if (!pathStyle && typeof bucket === "string" && /[A-Z_.]/.test(bucket))
    refuse("bucket", show(bucket), "such a name can't be part of a host: set forcePathStyle to true")

  const prefix: unknown = options.prefix ?? ""
  const steps = typeof prefix === "string" ? prefix.replace(/\/$/, "").split("/") : []
  if (
    prefix !== "" &&
    (String(prefix).length > prefixLimit ||
      steps.length === 0 ||
      !steps.every((step) => /^[\w.-]+$/.test(step) && !/^\.+$/.test(step)))
  )
    refuse("prefix", show(prefix), `give up to ${prefixLimit} letters, digits, ".", "_" and "-" between slashes`)

  const accessKeyId = credential("accessKeyId", "AWS_ACCESS_KEY_ID")
  const secretAccessKey = credential("secretAccessKey", "AWS_SECRET_ACCESS_KEY")
  const fromEnvironment = options.accessKeyId === undefined && options.secretAccessKey === undefined
  const sessionToken = options.sessionToken ?? (fromEnvironment ? environment["AWS_SESSION_TOKEN"] : undefined)
  // Never shown. A line break in a header would be, by whoever refuses the header.
  if (sessionToken !== undefined && !/^[\x21-\x7e]*$/.test(sessionToken))
    refuse("sessionToken", "another form", "give it, or set AWS_SESSION_TOKEN, in one line without spaces")
  const partBytes = numberOf("partBytes", 8 * MiB, [5 * MiB, 512 * MiB])
  const attempts = numberOf("attempts", 4, [1, 10])
  const firstRetryMs = numberOf("firstRetryMs", 200, [0, 60_000])
  const timeoutMs = numberOf("timeoutMs", 60_000, [1, 3_600_000])

  if (issues.length > 0 || url === undefined || region === undefined) throw new S3ConfigError(issues)
  const path = url.pathname.replace(/\/+$/, "")
  return {
    bucket: options.bucket,
    bucketUrl: pathStyle
      ? `${url.origin}${path}/${options.bucket}`
      : `${url.protocol}//${options.bucket}.${url.host}${path}`,
    region,
    accessKeyId,
    secretAccessKey,
    sessionToken: sessionToken === "" ? undefined : sessionToken,
    prefix: prefix === "" ? "" : `${steps.join("/")}/`,
    partBytes,
    attempts,
    firstRetryMs,
    timeoutMs
  }
}
